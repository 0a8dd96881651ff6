//! What the outside company's pages show. It is an outside company: its words are its own.

use simurgh_subscriber::IdentityRefusal;
use simurgh_vocab::Locale;

use super::book::{Entry, IdentityBook, Standing};
use super::outcome::Outcome;
use crate::sandbox::html::{
    self, House, back, book_head, escape, nothing, say, select, slow_and_odd,
};

/// How many checks the page over the book shows.
const SHOWN_MAX: usize = 100;

/// What stands on every page.
pub(super) const HOUSE: House = House {
    name: ("身份核验", "Identity check"),
    banner: (
        "沙箱 - 不拍照，不保存任何证件",
        "Sandbox - no photograph is taken, no document is kept",
    ),
    class: "identity",
};

/// The person's page, as the check stands.
pub(super) fn person_page(entry: &Entry, account: &str) -> String {
    let locale = entry.request.locale;
    let title = say(locale, HOUSE.name.0, HOUSE.name.1);
    let summary = format!(
        "<dl class=\"summary\"><div><dt>{}</dt><dd>{}</dd></div><div><dt>{}</dt><dd>{}</dd></div>\
         <div><dt>{}</dt><dd class=\"number\">{}</dd></div></dl>",
        say(locale, "委托方", "Asked by"),
        escape(account),
        say(locale, "适用规则", "Rule"),
        escape(&entry.request.rule),
        say(locale, "核验编号", "Check number"),
        escape(&entry.tokens.reference),
    );
    let return_url = &entry.request.return_url;
    let (what_next, endings) = match entry.standing {
        Standing::AwaitingPerson => (checking(locale), other_endings(locale)),
        Standing::Looking { .. } | Standing::Mute => (
            undecided(entry, locale) + &way_back(locale, return_url),
            other_endings(locale),
        ),
        Standing::Decided { .. } => (
            state(entry, locale) + &way_back(locale, return_url),
            String::new(),
        ),
    };
    let main = format!(
        "<main><section class=\"sheet\"><h1><span class=\"mark\" aria-hidden=\"true\">✓</span>\
         {title}</h1>{summary}{what_next}</section>{endings}</main>",
    );
    page(locale, title, &main)
}

/// The page over the book.
pub(super) fn book_page(book: &IdentityBook, locale: Locale) -> String {
    let title = say(locale, "沙箱身份核验", "Sandbox identity check");
    let mut rows: String = book
        .newest(SHOWN_MAX)
        .map(|entry| book_row(entry, locale))
        .collect();
    if rows.is_empty() {
        rows = nothing(locale);
    }
    let main = format!(
        "<main class=\"book\">{}<p class=\"note\">{} {}</p>{rows}</main>",
        book_head(locale, title),
        say(locale, "核验次数：", "Checks:"),
        book.len(),
    );
    page(locale, title, &main)
}

fn page(locale: Locale, title: &str, main: &str) -> String {
    HOUSE.page(locale, (title, HOUSE.class), main)
}

/// The form of a person who has not acted.
fn checking(locale: Locale) -> String {
    format!(
        "<p>{}</p><form method=\"post\" id=\"check\">{}{}</form>",
        say(
            locale,
            "真实的核验机构会在这里请您拍摄证件和本人。请选择本次核验的结果：",
            "A real company would photograph your document and you here. Choose how this check ends:",
        ),
        press(locale, Outcome::Approve, "primary"),
        press(locale, Outcome::Refuse(IdentityRefusal::Abandoned), "quiet"),
    )
}

/// The form of a check that hangs.
fn undecided(entry: &Entry, locale: Locale) -> String {
    format!(
        "{}<form method=\"post\" id=\"check\">{}</form>",
        state(entry, locale),
        press(locale, Outcome::Approve, "primary"),
    )
}

fn state(entry: &Entry, locale: Locale) -> String {
    format!(
        "<p class=\"state\">{}</p>",
        standing(locale, entry.standing)
    )
}

fn way_back(locale: Locale, return_url: &str) -> String {
    back(return_url, say(locale, "返回", "Go back"))
}

/// Every other way a check can go, in groups. The buttons belong to the form above.
fn other_endings(locale: Locale) -> String {
    let labelled = |outcomes: &[Outcome]| {
        let labelled = |one: &Outcome| (one.code(), label(locale, *one));
        outcomes.iter().map(labelled).collect()
    };
    let refusals: Vec<_> = IdentityRefusal::ALL
        .iter()
        .filter(|refusal| **refusal != IdentityRefusal::Abandoned)
        .map(|refusal| Outcome::Refuse(*refusal))
        .collect();
    let (slow, odd) = slow_and_odd(locale);
    let groups = [
        (say(locale, "不通过", "Refused"), labelled(&refusals)),
        (
            slow,
            labelled(&[Outcome::Delayed, Outcome::Unannounced, Outcome::NoAnswer]),
        ),
        (odd, labelled(&[Outcome::Duplicated, Outcome::Contradicted])),
    ];
    html::other_endings(locale, "check", &groups)
}

fn press(locale: Locale, outcome: Outcome, class: &str) -> String {
    format!(
        "<button class=\"{class}\" name=\"outcome\" value=\"{}\">{}</button>",
        outcome.code(),
        label(locale, outcome)
    )
}

fn book_row(entry: &Entry, locale: Locale) -> String {
    let reference = escape(&entry.tokens.reference);
    let decide = if entry.is_open() {
        let outcomes = Outcome::all().map(|one| (one.code(), label(locale, one)));
        html::act(
            locale,
            &format!("/book/{reference}/outcome"),
            say(locale, "决定", "Decide"),
            &select("value", outcomes, "approve"),
        )
    } else {
        String::new()
    };
    format!(
        "<article class=\"payment\" id=\"{reference}\"><h2>{rule}</h2>\
         <p class=\"state\">{standing}</p>\
         <p class=\"note\"><span class=\"number\">{reference}</span> · {started_at} · \
         <a href=\"/check/{page}\">{page_label}</a></p>{decide}{again}</article>",
        rule = escape(&entry.request.rule),
        standing = standing(locale, entry.standing),
        started_at = entry.started_at,
        page = escape(&entry.tokens.page),
        page_label = say(locale, "核验页面", "Person's page"),
        again = html::send_again(locale, &reference),
    )
}

/// The label of a button or choice.
const fn label(locale: Locale, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Approve => say(locale, "核验通过", "Approve"),
        Outcome::Refuse(why) => refusal(locale, why),
        Outcome::Delayed => say(
            locale,
            "延迟（20 秒后通过）",
            "Delayed (approved after 20 s)",
        ),
        Outcome::Duplicated => say(
            locale,
            "通过，通知重复三次",
            "Approved, notified three times",
        ),
        Outcome::Contradicted => say(
            locale,
            "通过，随后又通知不通过",
            "Approved, then notified as refused",
        ),
        Outcome::Unannounced => say(
            locale,
            "通过，但不通知（查询可知）",
            "Approved, no notification (a query tells)",
        ),
        Outcome::NoAnswer => say(
            locale,
            "无通知，查询无响应",
            "No notification, queries get no answer",
        ),
    }
}

const fn refusal(locale: Locale, refusal: IdentityRefusal) -> &'static str {
    match refusal {
        IdentityRefusal::Unreadable => say(locale, "证件无法辨认", "Document unreadable"),
        IdentityRefusal::DocumentExpired => say(locale, "证件已过期", "Document expired"),
        IdentityRefusal::DocumentNotAccepted => {
            say(locale, "证件类型不接受", "Document not accepted")
        }
        IdentityRefusal::Mismatch => say(locale, "人像或姓名不符", "Face or name does not match"),
        IdentityRefusal::TooYoung => say(locale, "年龄不足", "Under age"),
        IdentityRefusal::TooManyNumbers => say(locale, "号码数量已达上限", "Too many numbers"),
        IdentityRefusal::NotGenuine => say(locale, "证件疑似伪造", "Document looks false"),
        IdentityRefusal::Abandoned => say(locale, "取消核验", "Cancel the check"),
    }
}

/// Where a check stands.
fn standing(locale: Locale, standing: Standing) -> String {
    match standing {
        Standing::AwaitingPerson => {
            say(locale, "等待本人操作", "Waiting for the person").to_owned()
        }
        Standing::Looking { .. } => say(locale, "核验中", "Being looked at").to_owned(),
        Standing::Mute => say(locale, "无响应", "Not answering").to_owned(),
        Standing::Decided { verdict: Ok(()) } => say(locale, "已通过", "Approved").to_owned(),
        Standing::Decided { verdict: Err(why) } => {
            let refused = say(locale, "未通过：", "Refused: ");
            format!("{refused}{}", refusal(locale, why))
        }
    }
}
