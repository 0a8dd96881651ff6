//! One plan or mix: for how long, from when, with which promotion, and what that costs.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use simurgh_app::App;
use simurgh_app::line::LineView;
use simurgh_commerce::{
    Activation, Catalogue, Dedicated, LocalText, Offer, Quote, QuoteRefusal, Schedule, Selection,
    Start, Term, Zone,
};
use simurgh_vocab::{Allowance, LineId, Money, Timestamp, ZoneCode};

use super::choice::{Choice, LineWish, NoSuchDay, StartWish};
use super::currency::{Link, Shown};
use super::fields::Asked;
use super::plans::{activation_key, coverage, per_period, places, saving};
use super::shopper::{Shopper, catalogue, failed};
use super::words::{self, Row};
use crate::frame::{Form, Nav, Page, Refusal};
use crate::i18n::{Text, key};
use crate::state::{SignedIn, WebState};

/// Who visits the shop, and the page they will get.
pub(super) struct Visit {
    /// The use cases.
    pub(super) app: App,
    /// The page.
    pub(super) page: Page,
    /// The customer and their lines.
    pub(super) shopper: Shopper,
}

/// What the catalogue says of a plan or mix.
struct Goods<'a> {
    name: String,
    summary: String,
    zone: &'a Zone,
    allowance: Allowance,
    dedicated: &'a [Dedicated],
    validity_days: u32,
    activations: &'a [Activation],
    terms: &'a [Term],
    /// Why an identity check is asked for, if one is.
    identity: Option<&'a LocalText>,
}

impl<'a> Goods<'a> {
    fn find(catalogue: &'a Catalogue, selection: &Selection, t: &Text) -> Option<Self> {
        match selection {
            Selection::Offer(code) => Self::of_offer(catalogue, catalogue.offer(code)?, t),
            Selection::Mix(mix) => {
                let zone = catalogue.zone(&mix.zone)?;
                let name = zone.name.of(t.locale());
                Some(Self {
                    name: words::mix(t, &mix.allowance),
                    summary: t.with("shop-mix-summary", "zone", name).to_string(),
                    zone,
                    allowance: mix.allowance,
                    dedicated: &[],
                    validity_days: catalogue.builder.validity_days,
                    activations: &catalogue.builder.activations,
                    terms: &catalogue.builder.terms,
                    identity: identity_reason(catalogue, &mix.zone),
                })
            }
            Selection::AddOn(_) => None,
        }
    }

    fn of_offer(catalogue: &'a Catalogue, offer: &'a Offer, t: &Text) -> Option<Self> {
        Some(Self {
            name: offer.name.of(t.locale()).to_owned(),
            summary: offer.summary.of(t.locale()).to_owned(),
            zone: catalogue.zone(&offer.zone)?,
            allowance: offer.allowance,
            dedicated: &offer.dedicated,
            validity_days: offer.validity_days,
            activations: &offer.activations,
            terms: &offer.terms,
            identity: identity_reason(catalogue, &offer.zone),
        })
    }

    /// What one period gives, in words.
    fn contents(&self, t: &Text) -> Vec<String> {
        let mut contents = words::services(t, &self.allowance);
        contents.extend(words::dedicated(t, self.dedicated));
        contents
    }
}

fn identity_reason<'a>(catalogue: &'a Catalogue, zone: &ZoneCode) -> Option<&'a LocalText> {
    catalogue.identity_rule(zone).map(|rule| &rule.reason)
}

/// A term as a link.
struct TermLink {
    link: Link,
    price: String,
    saving: String,
}

/// A way to start as a tile.
struct StartTile {
    wish: StartWish,
    value: &'static str,
    title: String,
    note: String,
}

/// Price and dates of what is being chosen.
pub(super) struct Summary {
    /// The rows.
    pub(super) rows: Vec<Row>,
    /// What is to be paid.
    pub(super) total: Money,
    /// The tax inside it: `6%` and the amount; empty when there is none.
    pub(super) tax: String,
    /// When it starts.
    pub(super) starts: String,
    /// When it ends.
    pub(super) ends: String,
}

impl Summary {
    /// The summary of a quote.
    pub(super) fn of(t: &Text, quote: &Quote, now: Timestamp) -> Self {
        let (starts, ends) = dates(t, &quote.schedule, now);
        Self {
            rows: words::quote_rows(t, &quote.lines),
            total: quote.total,
            tax: tax(t, quote.tax_rate_basis_points, quote.tax),
            starts,
            ends,
        }
    }
}

/// `including 6% tax: ¥2.21`; empty when there is none.
pub(super) fn tax(t: &Text, rate_basis_points: u32, tax: Money) -> String {
    if rate_basis_points == 0 {
        return String::new();
    }
    t.with("shop-tax", "rate", t.percent(rate_basis_points))
        .and("amount", t.money(tax))
        .to_string()
}

fn dates(t: &Text, schedule: &Schedule, now: Timestamp) -> (String, String) {
    match schedule {
        Schedule::Fixed { .. } | Schedule::Extended { .. } => {
            let start = schedule.starts_at().filter(|start| *start > now);
            let starts = start.map_or_else(|| t.msg("shop-when-paid"), |start| t.date_time(start));
            let ends = schedule.ends_at().map(|end| t.date_time(end));
            (starts, ends.unwrap_or_default())
        }
        Schedule::OnFirstUse {
            activate_by,
            periods,
            validity,
        } => {
            let days = validity.times(*periods).as_micros() / 86_400_000_000;
            let starts = t.with("shop-when-first-use", "date", t.date(*activate_by));
            let ends = t.with("shop-when-days", "days", days);
            (starts.to_string(), ends.to_string())
        }
    }
}

#[derive(Template)]
#[template(path = "portal/purchase.html")]
struct PurchasePage {
    page: Page,
    form: Form,
    name: String,
    summary_line: String,
    services: Vec<String>,
    coverage: String,
    /// The countries of a plan with roaming.
    places: String,
    validity: String,
    activation: &'static str,
    /// Why an identity check comes before the payment; empty when none does (any more).
    identity: String,
    terms: Vec<TermLink>,
    starts: Vec<StartTile>,
    running_ends: Option<Timestamp>,
    /// For a choice among several lines.
    lines: Vec<Link>,
    hidden: Vec<(&'static str, String)>,
    offers_day: bool,
    day_min: String,
    day_max: String,
    summary: Option<Summary>,
    refused: String,
    back: String,
    edit_mix: String,
    preview: &'static str,
    here: String,
}

#[derive(Template)]
#[template(path = "portal/summary.html")]
struct SummaryPart {
    page: Page,
    summary: Option<Summary>,
    refused: String,
}

/// `/plans/{offer}`: a plan of the catalogue.
pub(super) async fn offer(
    State(state): State<WebState>,
    page: Page,
    who: Option<SignedIn>,
    shown: Shown,
    (Path(code), Asked(fields)): (Path<String>, Asked),
) -> Result<Response, Refusal> {
    let shopper = Shopper::of(&state.app, who).await?;
    let currency = shown.currency(page.t.locale());
    let selection = format!("offer:{code}").parse();
    let selection = selection.map_err(|_| Refusal::NotFound)?;
    let choice = Choice::read(selection, currency, &fields)?;
    let visit = Visit {
        app: state.app,
        page,
        shopper,
    };
    let response = visit.choose(choice, None).await?;
    Ok(shown.remember(response))
}

/// `/purchase/price`: price and dates while they are being chosen.
pub(super) async fn preview(
    State(state): State<WebState>,
    page: Page,
    who: Option<SignedIn>,
    shown: Shown,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let shopper = Shopper::of(&state.app, who).await?;
    let choice = Choice::with_item(shown.currency(page.t.locale()), &fields)?;
    let visit = Visit {
        app: state.app,
        page,
        shopper,
    };
    let line = visit.shopper.line(choice.line)?;
    let (summary, refused) = match visit.price(&choice, line.map(|view| view.line.id)).await? {
        Ok(quote) => (Some(quote), String::new()),
        Err((_, text)) => (None, text),
    };
    let summary = summary.map(|quote| Summary::of(&visit.page.t, &quote, visit.page.now));
    Ok(Page::answer(&SummaryPart {
        page: visit.page,
        summary,
        refused,
    }))
}

/// A quote, or the field that is refused and why.
pub(super) type Priced = Result<Quote, (&'static str, String)>;

impl Visit {
    /// Prices a choice whose start is known.
    ///
    /// # Errors
    /// [`Refusal`] when there is no answer at all.
    pub(super) async fn price(
        &self,
        choice: &Choice,
        line: Option<LineId>,
    ) -> Result<Priced, Refusal> {
        let t = &self.page.t;
        let start = match self.start(choice) {
            Ok(start) => start,
            Err(NoSuchDay) => return Ok(Err(("day", t.msg("shop-no-day")))),
        };
        let answer = self.shopper.ask(&self.app, line, choice.request(start));
        Ok(answer.await?.map_err(|refusal| words::refusal(t, refusal)))
    }

    /// The start that a choice means; now if none was chosen.
    ///
    /// # Errors
    /// [`NoSuchDay`].
    pub(super) fn start(&self, choice: &Choice) -> Result<Start, NoSuchDay> {
        choice.start_in(choice.start.unwrap_or(StartWish::Now), &self.zone())
    }

    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.page.t.zone_name()).unwrap_or(TimeZone::UTC)
    }

    /// The page on which a plan or mix is chosen; with `refused`, what is wrong with the choice.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) async fn choose(
        self,
        mut choice: Choice,
        refused: Option<(&'static str, String)>,
    ) -> Result<Response, Refusal> {
        let catalogue = catalogue(&self.app).await?;
        let goods = Goods::find(&catalogue, &choice.selection, &self.page.t);
        let mut goods = goods.ok_or(Refusal::NotFound)?;
        if goods.identity.is_some() && self.is_identified(&goods.zone.code).await? {
            goods.identity = None;
        }
        let first = goods.terms.first().map_or(1, |term| term.periods);
        choice.periods = Some(choice.periods.unwrap_or(first));
        let line = self.shopper.line(choice.line)?;
        let starts = self.starts(&choice, &goods, line).await?;
        choice.start = choice.start.or(usual_start(&goods, &starts));
        let line_id = line.map(|view| view.line.id);
        let terms = self.terms(&choice, &goods, line_id).await?;
        let priced = self.price(&choice, line_id).await?;
        let status = match &refused {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let (summary, refused) = match (priced, refused) {
            (Ok(quote), refused) => (Some(quote), refused),
            (Err(problem), refused) => (None, refused.or(Some(problem))),
        };
        let page = self.page(choice, &goods, (starts, terms), (summary, refused))?;
        Ok((status, Page::answer(&page)).into_response())
    }

    async fn is_identified(&self, zone: &ZoneCode) -> Result<bool, Refusal> {
        let asked = self
            .app
            .identity_requirement(self.shopper.customer, zone.clone());
        let asked = asked.await.map_err(|fault| failed(&fault))?;
        Ok(asked.allows_activation())
    }

    fn page(
        self,
        choice: Choice,
        goods: &Goods<'_>,
        (starts, terms): (Vec<StartTile>, Vec<TermLink>),
        (quote, refused): (Option<Quote>, Option<(&'static str, String)>),
    ) -> Result<PurchasePage, Refusal> {
        let line = self.shopper.line(choice.line)?;
        let running = line.and_then(|line| line.running.as_ref());
        let lines = self.line_links(&choice);
        let mut form = Form::new()
            .fill("start", choice.start.map_or("", StartWish::code))
            .fill("day", &*choice.day)
            .fill("code", &*choice.code);
        let mut general = String::new();
        if let Some((field, text)) = refused {
            if matches!(field, "start" | "day" | "code") {
                form.refuse(field, text);
            } else {
                general = text;
            }
        }
        let kept = ["item", "periods", "currency", "line"];
        let mut hidden = choice.pairs();
        hidden.retain(|(name, value)| kept.contains(name) && !value.is_empty());
        let page = self.page.at(Nav::Plans);
        let t = &page.t;
        let day = |at: Timestamp| t.machine(at).chars().take(10).collect::<String>();
        let (back, edit_mix) = ways_back(&choice, goods);
        Ok(PurchasePage {
            name: goods.name.clone(),
            summary_line: goods.summary.clone(),
            services: goods.contents(t),
            coverage: coverage(goods.zone, t),
            places: if goods.zone.roaming {
                places(goods.zone, t)
            } else {
                String::new()
            },
            validity: per_period(t, goods.validity_days),
            activation: activation_key(goods.activations),
            identity: goods.identity.map_or_else(String::new, |reason| {
                let reason = reason.of(t.locale());
                t.with("shop-identity-text", "reason", reason).to_string()
            }),
            terms,
            offers_day: starts.iter().any(|tile| tile.wish == StartWish::OnDate),
            day_min: day(page.now),
            day_max: day(page.now.plus(Activation::DEADLINE)),
            running_ends: running.and_then(|running| running.ends_at),
            starts,
            lines,
            hidden,
            summary: quote.map(|quote| Summary::of(t, &quote, page.now)),
            refused: general,
            back,
            edit_mix,
            preview: "/purchase/price",
            here: choice
                .edit_href()
                .split('?')
                .next()
                .unwrap_or("/")
                .to_owned(),
            form,
            page,
        })
    }

    /// The ways to start, each with the end it leads to.
    async fn starts(
        &self,
        choice: &Choice,
        goods: &Goods<'_>,
        line: Option<&LineView>,
    ) -> Result<Vec<StartTile>, Refusal> {
        let t = &self.page.t;
        let running = line.and_then(|line| line.running.as_ref());
        let wishes: &[StartWish] = match running {
            Some(_) => &[StartWish::Add, StartWish::Queue, StartWish::Now],
            None => &[StartWish::Now, StartWish::FirstUse, StartWish::OnDate],
        };
        let mut tiles = Vec::new();
        for wish in wishes.iter().copied() {
            let note = match (wish, running) {
                (StartWish::Add | StartWish::Queue | StartWish::Now, _) => {
                    let start = choice.start_in(wish, &TimeZone::UTC);
                    let Ok(start) = start else { continue };
                    let mut request = choice.request(start);
                    request.promotion_code = None;
                    let line = line.map(|line| line.line.id);
                    match self.shopper.ask(&self.app, line, request).await? {
                        Ok(quote) => ends_note(t, wish, running.is_some(), &quote),
                        Err(QuoteRefusal::Start(_)) => continue,
                        Err(_) => String::new(),
                    }
                }
                (StartWish::FirstUse, _) if goods.activations.contains(&Activation::FirstUse) => {
                    let by = self.page.now.plus(Activation::DEADLINE);
                    t.with("shop-start-first-use-note", "date", t.date(by))
                        .to_string()
                }
                (StartWish::OnDate, _) if goods.activations.contains(&Activation::OnDate) => {
                    t.msg("shop-start-on-date-note")
                }
                (StartWish::FirstUse | StartWish::OnDate, _) => continue,
            };
            let title = t.msg(start_key(wish, running.is_some()));
            tiles.push(StartTile {
                wish,
                value: wish.code(),
                title,
                note,
            });
        }
        Ok(tiles)
    }

    /// The terms, each with its whole price and what it saves.
    async fn terms(
        &self,
        choice: &Choice,
        goods: &Goods<'_>,
        line: Option<LineId>,
    ) -> Result<Vec<TermLink>, Refusal> {
        let t = &self.page.t;
        let mut terms = Vec::new();
        for term in goods.terms {
            let other = choice.for_periods(term.periods);
            let start = choice.start.filter(|start| *start != StartWish::OnDate);
            let start = other.start_in(start.unwrap_or(StartWish::Now), &TimeZone::UTC);
            let mut request = other.request(start.unwrap_or(Start::Now));
            request.promotion_code = None;
            let quote = self.shopper.ask(&self.app, line, request).await?;
            let days = term.periods.saturating_mul(goods.validity_days);
            terms.push(TermLink {
                link: Link {
                    href: other.edit_href(),
                    label: t.with("shop-days", "days", days).to_string(),
                    current: term.periods == choice.periods(),
                },
                price: quote.map_or_else(|_| String::new(), |quote| t.money(quote.total)),
                saving: saving(term, t),
            });
        }
        Ok(terms)
    }

    /// Links between the customer's lines, and to a new one; none for who has no line.
    fn line_links(&self, choice: &Choice) -> Vec<Link> {
        if self.shopper.lines.is_empty() {
            return Vec::new();
        }
        let t = &self.page.t;
        let current = self.shopper.line(choice.line).ok().flatten();
        let current = current.map(|view| view.line.id);
        let link = |line: LineWish, label: String, current: bool| {
            let other = Choice {
                line,
                start: None,
                ..choice.clone()
            };
            Link {
                href: other.edit_href(),
                label,
                current,
            }
        };
        let lines = self.shopper.lines.iter().zip(1u32..);
        let mut links: Vec<_> = lines
            .map(|(view, number)| {
                let label = t.with("shop-line-number", "number", number).to_string();
                let id = view.line.id;
                link(LineWish::This(id), label, current == Some(id))
            })
            .collect();
        let label = t.msg("shop-line-new");
        links.push(link(LineWish::New, label, current.is_none()));
        links
    }
}

/// Where the plan came from, and where a mix is changed.
fn ways_back(choice: &Choice, goods: &Goods<'_>) -> (String, String) {
    match &choice.selection {
        Selection::Offer(_) | Selection::AddOn(_) => {
            (format!("/plans?zone={}", goods.zone.code), String::new())
        }
        Selection::Mix(mix) => {
            let builder = super::builder::address(mix, choice);
            (builder.clone(), builder)
        }
    }
}

/// The start that is ticked first: what loses nothing. A plan for abroad waits for first use, so
/// that no day is lost before the journey.
fn usual_start(goods: &Goods<'_>, tiles: &[StartTile]) -> Option<StartWish> {
    let first_use = tiles.iter().find(|tile| tile.wish == StartWish::FirstUse);
    match first_use {
        Some(tile) if goods.zone.roaming => Some(tile.wish),
        Some(_) | None => tiles.first().map(|tile| tile.wish),
    }
}

const fn start_key(wish: StartWish, runs: bool) -> &'static str {
    match (wish, runs) {
        (StartWish::Add, _) => key("shop-start-add"),
        (StartWish::Queue, _) => key("shop-start-queue"),
        (StartWish::Now, true) => key("shop-start-replace"),
        (StartWish::Now, false) => key("shop-start-now"),
        (StartWish::FirstUse, _) => key("shop-start-first-use"),
        (StartWish::OnDate, _) => key("shop-start-on-date"),
    }
}

fn ends_note(t: &Text, wish: StartWish, runs: bool, quote: &Quote) -> String {
    let end = quote.schedule.ends_at().map(|end| t.date_time(end));
    let end = end.unwrap_or_default();
    let key = match (wish, runs) {
        (StartWish::Add, _) => key("shop-start-add-note"),
        (StartWish::Queue, _) => key("shop-start-queue-note"),
        (StartWish::Now, true) => key("shop-start-replace-note"),
        (StartWish::Now | StartWish::FirstUse | StartWish::OnDate, _) => key("shop-start-now-note"),
    };
    t.with(key, "end", end).to_string()
}
