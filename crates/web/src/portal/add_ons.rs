//! Extra data for the running plan.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_vocab::Timestamp;

use super::currency::{Link, Shown, links};
use super::fields::{Asked, href};
use super::shopper::{Shopper, catalogue};
use super::words;
use crate::frame::{Nav, Page, Refusal};
use crate::state::{SignedIn, WebState};

/// One size of extra data.
struct Extra {
    name: String,
    figure: String,
    price: String,
    href: String,
}

#[derive(Template)]
#[template(path = "portal/add-ons.html")]
struct AddOnsPage {
    page: Page,
    plan: String,
    ends_at: Option<Timestamp>,
    waits: bool,
    extras: Vec<Extra>,
    currencies: Vec<Link>,
}

/// `/add-ons`.
pub(super) async fn list(
    State(state): State<WebState>,
    page: Page,
    who: SignedIn,
    shown: Shown,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let page = page.at(Nav::Plans);
    let t = &page.t;
    let catalogue = catalogue(&state.app).await?;
    let shopper = Shopper::of(&state.app, Some(who)).await?;
    let wish = super::choice::LineWish::from_fields(&fields)?;
    let line = shopper.line(wish)?;
    let running = line.and_then(|line| line.running.as_ref());
    let ends_at = running.and_then(|running| running.ends_at);
    let plan = line.and_then(|line| line.plans.iter().find(|plan| plan.runs));
    let currency = shown.currency(t.locale());
    let extras = catalogue.add_ons.iter().filter_map(|add_on| {
        let price = add_on.prices.in_currency(currency)?;
        let line = line.map_or_else(String::new, |line| line.line.id.number());
        let pairs = [
            ("item", format!("add-on:{}", add_on.code)),
            ("periods", "1".to_owned()),
            ("start", "now".to_owned()),
            ("currency", currency.code().to_owned()),
            ("line", line),
        ];
        Some(Extra {
            name: add_on.name.of(t.locale()).to_owned(),
            figure: words::quantity(t, simurgh_vocab::Unit::Octets, add_on.data.count()),
            price: t.money(price),
            href: href("/checkout", &pairs),
        })
    });
    let response = Page::answer(&AddOnsPage {
        plan: plan.map_or_else(String::new, |plan| words::plan(t, plan)),
        ends_at,
        waits: running.is_some() && ends_at.is_none(),
        extras: extras.collect(),
        currencies: links("/add-ons", &["line"], &fields, currency),
        page,
    });
    Ok(shown.remember(response))
}
