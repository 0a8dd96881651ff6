//! Automatic renewal: what will be charged and when, on with a choice, off with one press.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::line::{LineView, RenewalChoice, RenewalRefusal};
use simurgh_app::ports::Mandate;
use simurgh_app::sales::QuoteError;
use simurgh_commerce::{
    AutoRenewal, Catalogue, QuoteRequest, Selection, Start, next_charge, notice_at,
};
use simurgh_vocab::{Currency, LineId, Money, Timestamp};

use super::currency::Shown;
use super::fields::{Fields, Sent};
use super::shopper::{Shopper, catalogue, failed};
use super::words;
use crate::frame::{Form, Nav, Page, Refusal};
use crate::i18n::Text;
use crate::state::{SignedIn, WebState};

/// Automatic renewal of a line that has it.
struct Running {
    plan: String,
    method: String,
    amount: Option<Money>,
    /// When the notice goes out and when the method is charged; none while no end is known.
    dates: Option<(Timestamp, Timestamp)>,
    ends_at: Option<Timestamp>,
}

/// What may be chosen for a line that has not.
struct Options {
    /// Value and label.
    methods: Vec<(String, String)>,
    /// Value, label and price of a period.
    plans: Vec<(String, String, String)>,
    /// Value and label.
    terms: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "portal/renewal.html")]
struct RenewalPage {
    page: Page,
    form: Form,
    line: Option<String>,
    running: Option<Running>,
    options: Options,
    currency: &'static str,
    refused: String,
}

/// `GET /renewal`.
pub(super) async fn show(
    State(state): State<WebState>,
    page: Page,
    who: SignedIn,
    shown: Shown,
) -> Result<Response, Refusal> {
    let desk = Desk::open(state, page, who, shown).await?;
    let form = desk.usual_form();
    let page = desk.page(form, String::new()).await?;
    Ok(Page::answer(&page))
}

/// `POST /renewal`: turns it on, or changes it.
pub(super) async fn turn_on(
    State(state): State<WebState>,
    page: Page,
    who: SignedIn,
    shown: Shown,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let choice = read_choice(&fields)?;
    let entered = ["mandate", "plan", "periods"]
        .into_iter()
        .fold(Form::new(), |form, name| form.fill(name, fields.text(name)));
    let refused = match state.app.turn_renewal_on(who.customer, choice).await {
        Ok(()) => return Ok(Redirect::to("/renewal").into_response()),
        Err(RenewalRefusal::NoSuchLine) => return Err(Refusal::NotFound),
        Err(RenewalRefusal::Fault(fault)) => return Err(failed(&fault)),
        Err(RenewalRefusal::NoSuchMethod) => page.t.msg("renewal-no-method"),
        Err(RenewalRefusal::Quote(QuoteError::Refused(why))) => words::refusal(&page.t, why).1,
        Err(RenewalRefusal::Quote(QuoteError::NoSuchLine)) => return Err(Refusal::NotFound),
        Err(RenewalRefusal::Quote(QuoteError::Fault(fault))) => return Err(failed(&fault)),
    };
    let desk = Desk::open(state, page, who, shown).await?;
    let page = desk.page(entered, refused).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page::answer(&page)).into_response())
}

fn read_choice(fields: &Fields) -> Result<RenewalChoice, Refusal> {
    let selection: Selection = fields.need("plan", |text| text.parse().ok())?;
    match selection {
        Selection::Offer(_) | Selection::Mix(_) => {}
        Selection::AddOn(_) => return Err(Refusal::BadRequest),
    }
    Ok(RenewalChoice {
        line: fields.need("line", |text| text.parse().ok())?,
        mandate: fields.need("mandate", |text| text.parse().ok())?,
        selection,
        periods: fields.need("periods", |text| text.parse().ok())?,
        currency: fields.need("currency", |text| text.parse().ok())?,
    })
}

/// `POST /renewal/off`: one press.
pub(super) async fn turn_off(
    State(state): State<WebState>,
    who: SignedIn,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let line: LineId = fields.need("line", |text| text.parse().ok())?;
    let off = state.app.turn_renewal_off(who.customer, line).await;
    if off.map_err(|fault| failed(&fault))? {
        Ok(Redirect::to("/renewal").into_response())
    } else {
        Err(Refusal::NotFound)
    }
}

/// What the page is made from.
struct Desk {
    state: WebState,
    page: Page,
    shopper: Shopper,
    stored: Vec<Mandate>,
    catalogue: std::sync::Arc<Catalogue>,
    currency: Currency,
}

impl Desk {
    async fn open(
        state: WebState,
        page: Page,
        who: SignedIn,
        shown: Shown,
    ) -> Result<Self, Refusal> {
        let stored = state.app.stored_methods(who.customer).await;
        Ok(Self {
            shopper: Shopper::of(&state.app, Some(who)).await?,
            stored: stored.map_err(|fault| failed(&fault))?,
            catalogue: catalogue(&state.app).await?,
            currency: shown.currency(page.t.locale()),
            page: page.at(Nav::Line),
            state,
        })
    }

    /// The plan that runs, one period, the newest method.
    fn usual_form(&self) -> Form {
        let line = self.shopper.lines.first();
        let running = line.and_then(|line| line.running.as_ref());
        let mut form = Form::new().fill("periods", "1");
        if let Some(mandate) = self.stored.first() {
            form = form.fill("mandate", mandate.id.number());
        }
        if let Some(running) = running {
            form = form.fill("plan", &*running.selection);
        }
        form
    }

    async fn page(self, form: Form, refused: String) -> Result<RenewalPage, Refusal> {
        let line = self.shopper.lines.first();
        let running = match line.and_then(|line| line.renewal.as_ref().map(|on| (line, on))) {
            Some((line, (renewal, mandate))) => {
                Some(self.running(line, renewal, mandate.as_ref()).await?)
            }
            None => None,
        };
        let options = self.options(line);
        Ok(RenewalPage {
            line: line.map(|line| line.line.id.number()),
            running,
            options,
            currency: self.currency.code(),
            refused,
            form,
            page: self.page,
        })
    }

    async fn running(
        &self,
        line: &LineView,
        renewal: &AutoRenewal,
        mandate: Option<&Mandate>,
    ) -> Result<Running, Refusal> {
        let t = &self.page.t;
        let request = QuoteRequest {
            selection: renewal.selection.clone(),
            periods: renewal.periods,
            currency: renewal.currency,
            start: if line.running.is_some() {
                Start::Queue
            } else {
                Start::Now
            },
            promotion_code: None,
        };
        let id = Some(line.line.id);
        let quote = self.shopper.ask(&self.state.app, id, request).await?.ok();
        let end = line.running.as_ref().and_then(|running| running.last_end);
        let dates = end.map(|end| {
            // A notice that is still to go out goes out at once when its time is past.
            let notice = if renewal.announced_for == Some(end) {
                notice_at(end)
            } else {
                notice_at(end).max(self.page.now)
            };
            (notice, next_charge(end, notice))
        });
        Ok(Running {
            plan: plan_name(&self.catalogue, &renewal.selection, t),
            method: mandate.map_or_else(String::new, |mandate| method_name(t, mandate)),
            amount: quote.map(|quote| quote.total),
            dates,
            ends_at: end,
        })
    }

    fn options(&self, line: Option<&LineView>) -> Options {
        let t = &self.page.t;
        let current = line.and_then(|line| line.running.as_ref());
        let current: Option<Selection> = current.and_then(|running| running.selection.parse().ok());
        let mut plans = Vec::new();
        if let Some(Selection::Mix(mix)) = &current {
            let value = Selection::Mix(mix.clone()).to_string();
            plans.push((value, words::mix(t, &mix.allowance), String::new()));
        }
        for offer in &self.catalogue.offers {
            if let Some(price) = offer.prices.in_currency(self.currency) {
                let name = offer.name.of(t.locale()).to_owned();
                plans.push((format!("offer:{}", offer.code), name, t.money(price)));
            }
        }
        let methods = self.stored.iter();
        let terms = self.catalogue.offers.first().map(|offer| {
            let term = |periods: u32| {
                let days = periods.saturating_mul(offer.validity_days);
                let label = t.with("shop-days", "days", days).to_string();
                (periods.to_string(), label)
            };
            offer
                .terms
                .iter()
                .map(|known| term(known.periods))
                .collect()
        });
        Options {
            methods: methods
                .map(|mandate| (mandate.id.number(), method_name(t, mandate)))
                .collect(),
            plans,
            terms: terms.unwrap_or_default(),
        }
    }
}

fn method_name(t: &Text, mandate: &Mandate) -> String {
    format!("{} {}", words::method(t, mandate.method), mandate.display)
}

fn plan_name(catalogue: &Catalogue, selection: &Selection, t: &Text) -> String {
    match selection {
        Selection::Mix(mix) => words::mix(t, &mix.allowance),
        Selection::Offer(_) | Selection::AddOn(_) => {
            simurgh_app::sales::selection_name(catalogue, selection, t.locale())
        }
    }
}
