//! The plan builder: one's own mix of data, voice and SMS, with every part of its price.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use simurgh_commerce::{
    Activation, Builder, BuilderStep, Catalogue, Mix, Quote, QuoteRefusal, Selection, Start,
};
use simurgh_vocab::{Allowance, Currency, Messages, Octets, Seconds, Unit};

use super::choice::Choice;
use super::currency::{Link, Shown, links};
use super::fields::{Asked, Fields, href};
use super::plans::{coverage, saving};
use super::purchase::{Visit, tax};
use super::shopper::{Shopper, catalogue};
use super::words::{self, Row};
use crate::frame::{Form, Nav, Page, Refusal};
use crate::i18n::{Text, key};
use crate::state::{SignedIn, WebState};

/// The most steps that stand beside each other; more become a list.
const SEGMENTS_MAX: usize = 6;

/// A zone to build for.
struct ZoneTile {
    code: String,
    name: String,
    coverage: String,
    base: String,
}

/// The steps of one service.
struct Steps {
    field: &'static str,
    legend: String,
    segments: bool,
    /// Value and label.
    steps: Vec<(String, String)>,
}

/// The price of a mix, part by part.
struct Price {
    rows: Vec<Row>,
    total: String,
    days: String,
    tax: String,
}

#[derive(Template)]
#[template(path = "portal/builder.html")]
struct BuilderPage {
    page: Page,
    form: Form,
    zones: Vec<ZoneTile>,
    services: Vec<Steps>,
    /// Value, label and what it saves.
    terms: Vec<(String, String, String)>,
    currencies: Vec<Link>,
    currency: &'static str,
    price: Option<Price>,
    refused: String,
}

#[derive(Template)]
#[template(path = "portal/builder-price.html")]
struct PricePart {
    page: Page,
    price: Option<Price>,
    refused: String,
}

/// `/builder`: the mix is chosen; without script a button computes the price.
pub(super) async fn build(
    State(state): State<WebState>,
    page: Page,
    who: Option<SignedIn>,
    shown: Shown,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let visit = Visit {
        shopper: Shopper::of(&state.app, who).await?,
        app: state.app,
        page,
    };
    let response = visit.build(shown, &fields).await?;
    Ok(shown.remember(response))
}

/// `/builder/price`: the price while the mix is being chosen.
pub(super) async fn preview(
    State(state): State<WebState>,
    page: Page,
    who: Option<SignedIn>,
    shown: Shown,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let visit = Visit {
        shopper: Shopper::of(&state.app, who).await?,
        app: state.app,
        page,
    };
    let catalogue = catalogue(&visit.app).await?;
    let draft = Draft::read(&catalogue, shown.currency(visit.page.t.locale()), &fields)?;
    let (price, refused) = visit.mix_price(&catalogue, &draft).await?;
    Ok(Page::answer(&PricePart {
        page: visit.page,
        price,
        refused,
    }))
}

/// `/builder/plan`: the mix is made; when it starts is next.
pub(super) async fn plan(
    State(state): State<WebState>,
    page: Page,
    who: Option<SignedIn>,
    shown: Shown,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let visit = Visit {
        shopper: Shopper::of(&state.app, who).await?,
        app: state.app,
        page,
    };
    let currency = shown.currency(visit.page.t.locale());
    let selection = if fields.has("item") {
        fields.need("item", |text| text.parse().ok())?
    } else {
        let catalogue = catalogue(&visit.app).await?;
        Selection::Mix(Draft::read(&catalogue, currency, &fields)?.mix)
    };
    match &selection {
        Selection::Mix(mix) if mix.allowance.is_empty() => visit.build(shown, &fields).await,
        Selection::Mix(_) => {
            let choice = Choice::read(selection, currency, &fields)?;
            visit.choose(choice, None).await
        }
        Selection::Offer(_) | Selection::AddOn(_) => Err(Refusal::BadRequest),
    }
}

/// The builder's page with `mix` chosen.
pub(super) fn address(mix: &Mix, choice: &Choice) -> String {
    let count = |unit| mix.allowance.of(unit).to_string();
    let pairs = [
        ("zone", mix.zone.to_string()),
        ("data", count(Unit::Octets)),
        ("voice", count(Unit::Seconds)),
        ("sms", count(Unit::Messages)),
        ("periods", choice.periods().to_string()),
        ("currency", choice.currency.code().to_owned()),
        ("line", choice.line.code()),
    ];
    href("/builder", &pairs)
}

/// A mix that is being put together.
struct Draft {
    mix: Mix,
    periods: u32,
    currency: Currency,
}

impl Draft {
    /// Reads the draft; what is not chosen yet is a modest middle.
    fn read(catalogue: &Catalogue, currency: Currency, fields: &Fields) -> Result<Self, Refusal> {
        let builder = &catalogue.builder;
        let zone = match fields.read("zone", |text| text.parse().ok())? {
            Some(zone) => zone,
            None => {
                let first = builder.zones.first().ok_or(Refusal::NotFound)?;
                first.zone.clone()
            }
        };
        let amount = |name, steps: &[BuilderStep]| -> Result<i64, Refusal> {
            let chosen = fields.read(name, |text| text.parse().ok().filter(|n: &i64| *n >= 0))?;
            let usual = steps.get(steps.len() / 2).map_or(0, |step| step.amount);
            Ok(chosen.unwrap_or(usual))
        };
        let first = builder.terms.first().map_or(1, |term| term.periods);
        let periods = fields.read("periods", |text| text.parse().ok())?;
        Ok(Self {
            mix: Mix {
                zone,
                allowance: Allowance {
                    data: Octets::new(amount("data", &builder.data)?).unwrap_or_default(),
                    voice: Seconds::new(amount("voice", &builder.voice)?).unwrap_or_default(),
                    sms: Messages::new(amount("sms", &builder.sms)?).unwrap_or_default(),
                },
            },
            periods: periods.unwrap_or(first),
            currency: fields
                .read("currency", |text| text.parse().ok())?
                .unwrap_or(currency),
        })
    }
}

impl Visit {
    async fn build(self, shown: Shown, fields: &Fields) -> Result<Response, Refusal> {
        let catalogue = catalogue(&self.app).await?;
        let currency = shown.currency(self.page.t.locale());
        let draft = Draft::read(&catalogue, currency, fields)?;
        let (price, refused) = self.mix_price(&catalogue, &draft).await?;
        let page = self.page.at(Nav::Plans);
        let t = &page.t;
        let builder = &catalogue.builder;
        let count = |unit| draft.mix.allowance.of(unit).to_string();
        let form = Form::new()
            .fill("zone", draft.mix.zone.to_string())
            .fill("data", count(Unit::Octets))
            .fill("voice", count(Unit::Seconds))
            .fill("sms", count(Unit::Messages))
            .fill("periods", draft.periods.to_string())
            .fill("line", fields.text("line"));
        let kept = ["zone", "data", "voice", "sms", "periods", "line"];
        let status = if refused.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let answer = Page::answer(&BuilderPage {
            zones: zone_tiles(&catalogue, t, draft.currency),
            services: vec![
                steps(t, Unit::Octets, &builder.data),
                steps(t, Unit::Seconds, &builder.voice),
                steps(t, Unit::Messages, &builder.sms),
            ],
            terms: terms(t, builder),
            currencies: links("/builder", &kept, fields, draft.currency),
            currency: draft.currency.code(),
            price,
            refused,
            form,
            page,
        });
        Ok((status, answer).into_response())
    }

    async fn mix_price(
        &self,
        catalogue: &Catalogue,
        draft: &Draft,
    ) -> Result<(Option<Price>, String), Refusal> {
        let t = &self.page.t;
        let request = simurgh_commerce::QuoteRequest {
            selection: Selection::Mix(draft.mix.clone()),
            periods: draft.periods,
            currency: draft.currency,
            start: first_start(&catalogue.builder, self),
            promotion_code: None,
        };
        let answer: Result<Quote, QuoteRefusal> =
            self.shopper.ask(&self.app, None, request).await?;
        Ok(match answer {
            Ok(quote) => {
                let days = draft
                    .periods
                    .saturating_mul(catalogue.builder.validity_days);
                let price = Price {
                    rows: words::quote_rows(t, &quote.lines),
                    total: t.money(quote.total),
                    days: t.with("shop-days", "days", days).to_string(),
                    tax: tax(t, quote.tax_rate_basis_points, quote.tax),
                };
                (Some(price), String::new())
            }
            Err(refusal) => (None, words::refusal(t, refusal).1),
        })
    }
}

/// A start that a mix may have: its price does not depend on it.
fn first_start(builder: &Builder, visit: &Visit) -> Start {
    match builder.activations.first() {
        Some(Activation::FirstUse) => Start::FirstUse,
        Some(Activation::OnDate) => Start::On(visit.page.now),
        Some(Activation::Now) | None => Start::Now,
    }
}

fn zone_tiles(catalogue: &Catalogue, t: &Text, currency: Currency) -> Vec<ZoneTile> {
    let tile = |zone: &simurgh_commerce::BuilderZone| {
        let known = catalogue.zone(&zone.zone)?;
        let base = zone.base.in_currency(currency)?;
        Some(ZoneTile {
            code: zone.zone.to_string(),
            name: known.name.of(t.locale()).to_owned(),
            coverage: coverage(known, t),
            base: t.money(base),
        })
    };
    catalogue.builder.zones.iter().filter_map(tile).collect()
}

fn steps(t: &Text, unit: Unit, steps: &[BuilderStep]) -> Steps {
    let (field, legend) = match unit {
        Unit::Octets => ("data", key("builder-data")),
        Unit::Seconds => ("voice", key("builder-voice")),
        Unit::Messages => ("sms", key("builder-sms")),
    };
    let label = |step: &BuilderStep| {
        if step.amount == 0 {
            t.msg("builder-none")
        } else {
            words::quantity(t, unit, step.amount).replace('\u{a0}', " ")
        }
    };
    Steps {
        field,
        legend: t.msg(legend),
        segments: steps.len() <= SEGMENTS_MAX,
        steps: steps
            .iter()
            .map(|step| (step.amount.to_string(), label(step)))
            .collect(),
    }
}

fn terms(t: &Text, builder: &Builder) -> Vec<(String, String, String)> {
    builder
        .terms
        .iter()
        .map(|term| {
            let days = term.periods.saturating_mul(builder.validity_days);
            let label = t.with("shop-days", "days", days).to_string();
            (term.periods.to_string(), label, saving(term, t))
        })
        .collect()
}
