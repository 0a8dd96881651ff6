//! The help centre, the legal texts and the page shown when offline.
//!
//! Articles are messages in `locales/*/help.ftl`, rendered once at the start. The search needs no
//! script: it looks through both languages and answers in the visitor's.

mod markup;
mod search;

use askama::Template;
use axum::Router;
use axum::extract::{FromRef, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use jiff::tz::TimeZone;
use serde::Deserialize;
use simurgh_vocab::Locale;

use crate::brand::{Brand, LegalText};
use crate::frame::{Frames, Nav, Page, Refusal};
use crate::i18n::{I18n, Text, key};
use search::Words;
use std::sync::Arc;

/// Where an article stands on the overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Account,
    Paying,
    Using,
    /// Reached by its own button, not in a list.
    Contact,
}

impl Group {
    const LISTED: [Self; 3] = [Self::Using, Self::Paying, Self::Account];

    const fn key(self) -> &'static str {
        match self {
            Self::Account => key("help-group-account"),
            Self::Paying => key("help-group-paying"),
            Self::Using => key("help-group-using"),
            Self::Contact => key("help-person"),
        }
    }
}

/// What there is to read: slug, key, group, related slugs.
struct Subject {
    slug: &'static str,
    key: &'static str,
    group: Group,
    related: [&'static str; 2],
}

const SUBJECTS: [Subject; 13] = [
    subject(
        "esim",
        key("help-esim"),
        Group::Using,
        ["esim-phones", "esim-trouble"],
    ),
    subject(
        "esim-phones",
        key("help-esim-phones"),
        Group::Using,
        ["esim", "contact"],
    ),
    subject(
        "esim-trouble",
        key("help-esim-trouble"),
        Group::Using,
        ["esim-move", "contact"],
    ),
    subject(
        "esim-move",
        key("help-esim-move"),
        Group::Using,
        ["esim", "esim-trouble"],
    ),
    subject(
        "no-data",
        key("help-no-data"),
        Group::Using,
        ["esim", "keep-going"],
    ),
    subject(
        "keep-going",
        key("help-keep-going"),
        Group::Using,
        ["saving", "payment"],
    ),
    subject(
        "payment",
        key("help-payment"),
        Group::Paying,
        ["bills", "contact"],
    ),
    subject(
        "bills",
        key("help-bills"),
        Group::Paying,
        ["payment", "saving"],
    ),
    subject(
        "saving",
        key("help-saving"),
        Group::Paying,
        ["keep-going", "bills"],
    ),
    subject(
        "login",
        key("help-login"),
        Group::Account,
        ["number", "contact"],
    ),
    subject(
        "number",
        key("help-number"),
        Group::Account,
        ["login", "identity"],
    ),
    subject(
        "identity",
        key("help-identity"),
        Group::Account,
        ["number", "contact"],
    ),
    subject(
        "contact",
        key("help-contact"),
        Group::Contact,
        ["login", "payment"],
    ),
];

const fn subject(
    slug: &'static str,
    key: &'static str,
    group: Group,
    related: [&'static str; 2],
) -> Subject {
    Subject {
        slug,
        key,
        group,
        related,
    }
}

/// Every article in every language, ready to be shown and searched.
#[derive(Debug)]
pub struct Library {
    articles: Vec<Article>,
}

#[derive(Debug)]
struct Article {
    slug: &'static str,
    group: Group,
    related: [&'static str; 2],
    zh_cn: Reading,
    en: Reading,
}

/// An article in one language.
#[derive(Debug)]
struct Reading {
    title: String,
    summary: String,
    html: String,
    words: Words,
}

/// The most characters of a query that are looked at: longer ones find nothing better.
const QUERY_CHARACTERS_MAX: usize = 100;
/// The most results shown.
const RESULTS_MAX: usize = 6;

impl Library {
    /// Renders every article and counts its words.
    #[must_use]
    pub fn new(i18n: &Arc<I18n>, brand: &Brand) -> Self {
        let reading = |locale, subject: &Subject| {
            let text = i18n.text(locale, TimeZone::UTC);
            Reading::new(&text, subject.key, brand)
        };
        let articles = SUBJECTS.iter().map(|subject| Article {
            slug: subject.slug,
            group: subject.group,
            related: subject.related,
            zh_cn: reading(Locale::ZhCn, subject),
            en: reading(Locale::En, subject),
        });
        Self {
            articles: articles.collect(),
        }
    }

    fn article(&self, slug: &str) -> Option<&Article> {
        self.articles.iter().find(|article| article.slug == slug)
    }

    /// The articles that fit `query`, the best first.
    fn search(&self, query: &str) -> Vec<&Article> {
        let query: String = query.chars().take(QUERY_CHARACTERS_MAX).collect();
        let terms = search::terms(&query);
        let mut found: Vec<(u32, &Article)> = self
            .articles
            .iter()
            .map(|article| {
                let score = article.zh_cn.words.score(&terms);
                (score.max(article.en.words.score(&terms)), article)
            })
            .filter(|(score, _)| *score > 0)
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let best = found.first().map_or(0, |(score, _)| *score);
        // What fits four times worse than the best only distracts.
        found.retain(|(score, _)| score.saturating_mul(4) >= best);
        found.truncate(RESULTS_MAX);
        found.into_iter().map(|(_, article)| article).collect()
    }
}

impl Article {
    fn reading(&self, locale: Locale) -> &Reading {
        match locale {
            Locale::ZhCn => &self.zh_cn,
            Locale::En => &self.en,
        }
    }

    fn link(&self, locale: Locale) -> Link {
        let reading = self.reading(locale);
        Link {
            href: format!("/help/{}", self.slug),
            title: reading.title.clone(),
            summary: reading.summary.clone(),
        }
    }
}

impl Reading {
    fn new(text: &Text, key: &str, brand: &Brand) -> Self {
        let support = &brand.support;
        let dial: String = support
            .phone
            .chars()
            .filter(|c| c.is_ascii_digit() || *c == '+')
            .collect();
        let body = text
            .with(&format!("{key}.body"), "email", &support.email)
            .and("phone", &support.phone)
            .and("dial", dial)
            .and("hours", support.hours.of(text.locale()))
            .to_string();
        let title = text.msg(key);
        let summary = text.msg(&format!("{key}.summary"));
        let words = Words::new(&[
            (&title, 8),
            (&text.msg(&format!("{key}.words")), 5),
            (&summary, 3),
            (&body, 1),
        ]);
        Self {
            html: markup::render(&body),
            title,
            summary,
            words,
        }
    }
}

/// Routes for `/help`, `/legal` and `/offline`.
pub(crate) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Frames: FromRef<S>,
{
    Router::new()
        .route("/help", get(overview))
        .route("/help/{slug}", get(article))
        .route("/legal/{document}", get(legal))
        .route("/offline", get(offline))
}

struct Link {
    href: String,
    title: String,
    summary: String,
}

struct Section {
    title: String,
    articles: Vec<Link>,
}

#[derive(Template)]
#[template(path = "static/help.html")]
struct Overview {
    page: Page,
    query: String,
    found: Vec<Link>,
    groups: Vec<Section>,
}

#[derive(Template)]
#[template(path = "static/article.html")]
struct ArticlePage {
    page: Page,
    title: String,
    summary: String,
    body: String,
    related: Vec<Link>,
}

#[derive(Template)]
#[template(path = "static/legal.html")]
struct LegalPage {
    page: Page,
    title: String,
    paragraphs: Vec<String>,
}

#[derive(Template)]
#[template(path = "static/offline.html")]
struct OfflinePage {
    page: Page,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
}

async fn overview(
    State(frames): State<Frames>,
    Query(Asked { q }): Query<Asked>,
    page: Page,
) -> Response {
    let locale = page.t.locale();
    let library = &frames.library;
    let query = q.trim().to_owned();
    let found = library.search(&query);
    let groups = Group::LISTED.iter().map(|group| Section {
        title: page.t.msg(group.key()),
        articles: library
            .articles
            .iter()
            .filter(|article| article.group == *group)
            .map(|article| article.link(locale))
            .collect(),
    });
    Page::answer(&Overview {
        found: found.iter().map(|article| article.link(locale)).collect(),
        groups: groups.collect(),
        query,
        page: page.at(Nav::Help),
    })
}

async fn article(
    State(frames): State<Frames>,
    Path(slug): Path<String>,
    page: Page,
) -> Result<Response, Refusal> {
    let library = &frames.library;
    let article = library.article(&slug).ok_or(Refusal::NotFound)?;
    let locale = page.t.locale();
    let reading = article.reading(locale);
    let related = article.related.iter();
    Ok(Page::answer(&ArticlePage {
        title: reading.title.clone(),
        summary: reading.summary.clone(),
        body: reading.html.clone(),
        related: related
            .filter_map(|slug| library.article(slug))
            .map(|article| article.link(locale))
            .collect(),
        page: page.at(Nav::Help),
    }))
}

async fn legal(
    State(frames): State<Frames>,
    Path(document): Path<String>,
    page: Page,
) -> Result<Response, Refusal> {
    let (text, title) = match document.as_str() {
        "terms" => (&frames.brand.terms, key("frame-terms")),
        "privacy" => (&frames.brand.privacy, key("frame-privacy")),
        _ => return Err(Refusal::NotFound),
    };
    let locale = page.t.locale();
    Ok(match text {
        LegalText::Link(url) => Redirect::to(url.of(locale)).into_response(),
        LegalText::Paragraphs(paragraphs) => Page::answer(&LegalPage {
            title: page.t.msg(title),
            paragraphs: paragraphs.of(locale).clone(),
            page,
        }),
    })
}

/// Kept by the service worker for everybody who uses the device: without a name.
async fn offline(mut page: Page) -> Response {
    page.name = None;
    page.flash = None;
    Page::answer(&OfflinePage { page })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> Library {
        let brand = Brand::default();
        let i18n = Arc::new(I18n::load(&brand.name).unwrap());
        Library::new(&i18n, &brand)
    }

    #[test]
    fn the_first_answer_is_the_right_one_in_either_language() {
        let library = library();
        for (query, slug) in [
            ("收不到验证码", "login"),
            ("我的密码忘了怎么办", "login"),
            ("登陆", "login"),
            ("余额不足", "payment"),
            ("发票", "bills"),
            ("怎么安装esim", "esim"),
            ("鸿蒙 国行", "esim-phones"),
            ("安装失败", "esim-trouble"),
            ("确认码", "esim-trouble"),
            ("误删", "esim-move"),
            ("换手机", "esim-move"),
            ("国外没网", "no-data"),
            ("自动续费", "keep-going"),
            ("优惠码", "saving"),
            ("换号", "number"),
            ("护照", "identity"),
            ("人工客服", "contact"),
            ("I can't log in", "login"),
            ("card declined", "payment"),
            ("where are my invoices?", "bills"),
            ("scan QR code", "esim"),
            ("does my Huawei support it", "esim-phones"),
            ("confirmation code", "esim-trouble"),
            ("activation code already used", "esim-trouble"),
            ("deleted by mistake", "esim-move"),
            ("I have a new phone", "esim-move"),
            ("ROAMING", "no-data"),
            ("how do I renew automatically", "keep-going"),
            ("cheaper", "saving"),
            ("change phone number", "number"),
            ("passport", "identity"),
            ("talk to a human", "contact"),
        ] {
            let found = library.search(query);
            assert_eq!(
                found.first().map(|article| article.slug),
                Some(slug),
                "{query}"
            );
        }
    }

    #[test]
    fn nonsense_finds_nothing() {
        let library = library();
        for query in [
            "",
            "  ",
            "the",
            "zzzz",
            "吃饭",
            "<script>",
            &"长".repeat(5000),
        ] {
            let found: Vec<_> = library.search(query).iter().map(|a| a.slug).collect();
            assert!(found.is_empty(), "{query}: {found:?}");
        }
    }

    #[test]
    fn articles_link_only_to_articles_that_exist() {
        let library = library();
        for article in &library.articles {
            for slug in article.related {
                assert!(library.article(slug).is_some(), "{slug}");
            }
            for reading in [&article.zh_cn, &article.en] {
                assert!(!reading.html.contains("**"), "{}", article.slug);
                for rest in reading.html.split("href=\"/help/").skip(1) {
                    let slug = rest.split('"').next().unwrap();
                    assert!(library.article(slug).is_some(), "{slug}");
                }
            }
        }
    }
}
