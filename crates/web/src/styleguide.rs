//! The style guide: every component in its states, for whoever writes pages. The demo shows it at
//! `/design`; a production server need not mount it.

use askama::Template;
use axum::Router;
use axum::extract::{FromRef, RawQuery};
use axum::response::{Redirect, Response};
use axum::routing::get;
use simurgh_vocab::{Currency, Duration, Money, Octets, Timestamp, Unit};

use crate::frame::{Balance, Form, Frames, Nav, Page, Tone};

/// Routes for `/design` and `/design/console`.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Frames: FromRef<S>,
{
    Router::new()
        .route("/design", get(portal).post(sent))
        .route("/design/console", get(console))
}

#[derive(Template)]
#[template(path = "static/design.html")]
struct Design {
    page: Page,
    theme: &'static str,
    colours: [&'static str; 12],
    form: Form,
    blank: Form,
    refused: Form,
    data: Balance,
    voice: Balance,
    sms: Balance,
    data_low: Balance,
    voice_low: Balance,
    sms_out: Balance,
    ten: Octets,
    fifty: Octets,
    hundred: Octets,
    low: Money,
    price: Money,
    high: Money,
    discount: Money,
    tax: Money,
    end: Timestamp,
}

#[derive(Template)]
#[template(path = "static/design-console.html")]
struct Console {
    page: Page,
    high: Money,
    rows: Vec<Row>,
}

struct Row {
    number: &'static str,
    plan: String,
    tone: Tone,
    state: String,
    amount: Money,
    at: Timestamp,
}

const GB: i64 = 1_000_000_000;
const MB: i64 = 1_000_000;
const COLOURS: [&str; 12] = [
    "paper",
    "surface",
    "sunk",
    "ink",
    "soft-ink",
    "edge",
    "accent",
    "accent-soft",
    "accent-mist",
    "tone-success",
    "tone-warning",
    "tone-danger",
];

async fn portal(page: Page, RawQuery(query): RawQuery) -> Response {
    let theme = match query.as_deref() {
        Some("theme=light") => "light",
        Some("theme=dark") => "dark",
        Some(_) | None => "",
    };
    let page = signed_in(page).at(Nav::Line);
    let mut refused = Form::new().fill("promo", "SUMMER");
    refused.refuse("code", page.t.msg("design-code-wrong"));
    refused.refuse("promo", page.t.msg("design-promo-over"));
    let octets = |count| Octets::new(count).unwrap_or(Octets::ZERO);
    Page::answer(&Design {
        theme,
        colours: COLOURS,
        form: Form::new()
            .fill("start", "next")
            .fill("term", "3")
            .fill("data", "20"),
        blank: Form::new(),
        refused,
        data: Balance::new(Unit::Octets, 50 * GB, 17_600 * MB, 1_200 * MB),
        voice: Balance::new(Unit::Seconds, 500 * 60, 188 * 60, 0),
        sms: Balance::new(Unit::Messages, 100, 12, 0),
        data_low: Balance::new(Unit::Octets, 50 * GB, 49_360 * MB, 0),
        voice_low: Balance::new(Unit::Seconds, 500 * 60, 470 * 60, 3 * 60),
        sms_out: Balance::new(Unit::Messages, 100, 100, 0),
        ten: octets(10 * GB),
        fifty: octets(50 * GB),
        hundred: octets(100 * GB),
        low: yuan(3_900),
        price: yuan(5_900),
        high: yuan(129_050),
        discount: yuan(-2_000),
        tax: yuan(221),
        end: page.now.plus(Duration::days(12)),
        page,
    })
}

async fn console(page: Page) -> Response {
    let page = signed_in(page).at(Nav::Orders);
    let t = page.t.clone();
    let states = [
        (Tone::Success, t.msg("design-active")),
        (Tone::Info, t.msg("design-review")),
        (Tone::Warning, t.msg("design-ending")),
        (Tone::Danger, t.msg("design-refused")),
        (Tone::Muted, t.msg("design-over")),
    ];
    let rows = states
        .iter()
        .cycle()
        .take(24)
        .zip(1u32..)
        .map(|((tone, state), index)| Row {
            number: "01JAZ8Q6T3WB5M2N9R4X7C0DKE",
            plan: t.msg("design-premium"),
            tone: *tone,
            state: state.clone(),
            amount: yuan(i64::from(index) * 1_900),
            at: page.now.minus(Duration::minutes(index * 37)),
        })
        .collect();
    Page::answer(&Console {
        high: yuan(12_840_050),
        rows,
        page,
    })
}

async fn sent() -> Redirect {
    Redirect::to("/design")
}

/// The frame as a customer sees it; the person is invented.
fn signed_in(mut page: Page) -> Page {
    page.name = Some(page.t.msg("design-person"));
    page
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}
