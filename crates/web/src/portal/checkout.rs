//! The last look before paying, and paying.
//!
//! The number of the order is made when the page is first asked for and stands in its address: the
//! page reloaded, opened again by the back button or sent twice is about the same order.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::App;
use simurgh_app::ports::Mandate;
use simurgh_app::sales::{
    OrderRefusal, OrderRequest, PayRefusal, PayRequest, PayStarted, PayWith, QuoteError,
};
use simurgh_commerce::{Catalogue, Dedicated, MethodKind, Quote, Selection};
use simurgh_vocab::{CustomerId, Locale, Money, OrderId, PaymentId};

use super::choice::Choice;
use super::currency::Shown;
use super::fields::{Asked, Fields, Sent, encoded, href};
use super::purchase::{Summary, Visit};
use super::shopper::{Shopper, catalogue, failed};
use super::words;
use crate::frame::{Form, Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};
use crate::state::{SignedIn, WebState};

/// A way to pay as a tile.
pub(super) struct MethodTile {
    /// The value in forms.
    pub(super) value: String,
    /// Its name.
    pub(super) title: String,
    /// What to know about it.
    pub(super) note: String,
}

/// The ways to pay that a customer has.
pub(super) struct Methods {
    /// Stored ones first.
    pub(super) tiles: Vec<MethodTile>,
    /// Whether a new one can be remembered.
    pub(super) can_store: bool,
}

impl Methods {
    /// Looks up what can be paid with.
    pub(super) async fn of(app: &App, customer: CustomerId, t: &Text) -> Result<Self, Refusal> {
        let stored = app.stored_methods(customer).await;
        let stored = stored.map_err(|fault| failed(&fault))?;
        let mut tiles: Vec<_> = stored
            .iter()
            .map(|mandate| stored_tile(mandate, t))
            .collect();
        let mut can_store = false;
        for kind in MethodKind::ALL {
            let mut providers = app.providers.iter();
            let Some(provider) = providers.find(|known| known.methods().contains(&kind)) else {
                continue;
            };
            can_store |= provider.can_store(kind);
            tiles.push(MethodTile {
                value: kind.code().to_owned(),
                title: words::method(t, kind),
                note: t.msg(match kind {
                    MethodKind::Card => key("shop-method-card-note"),
                    MethodKind::Alipay => key("shop-method-alipay-note"),
                    MethodKind::WechatPay => key("shop-method-wechat-note"),
                }),
            });
        }
        Ok(Self { tiles, can_store })
    }

    /// The value of the tile that is ticked first.
    pub(super) fn first(&self) -> &str {
        self.tiles.first().map_or("", |tile| &tile.value)
    }
}

fn stored_tile(mandate: &Mandate, t: &Text) -> MethodTile {
    MethodTile {
        value: format!("stored:{}", mandate.id),
        title: format!("{} {}", words::method(t, mandate.method), mandate.display),
        note: t.msg("shop-method-stored-note"),
    }
}

/// Reads the chosen way to pay; none when none was ticked.
///
/// # Errors
/// [`Refusal::BadRequest`] for a value that no form of ours has.
pub(super) fn pay_with(fields: &Fields) -> Result<Option<PayWith>, Refusal> {
    let store = fields.text("store") == "yes";
    fields.read("method", |text| match text.strip_prefix("stored:") {
        Some(id) => id.parse().ok().map(PayWith::Stored),
        None => MethodKind::from_code(text).map(|method| PayWith::New { method, store }),
    })
}

/// An identity check that must be passed before this can be bought.
struct Identity {
    reason: String,
    href: String,
}

#[derive(Template)]
#[template(path = "portal/checkout.html")]
struct CheckoutPage {
    page: Page,
    form: Form,
    notice: Option<(Tone, String)>,
    name: String,
    zone: String,
    summary: Summary,
    services: Vec<String>,
    identity: Option<Identity>,
    is_new_line: bool,
    is_add_on: bool,
    methods: Methods,
    hidden: Vec<(&'static str, String)>,
    edit: String,
}

/// `GET /checkout`: what will be bought, what it costs, and how to pay.
pub(super) async fn review(
    State(state): State<WebState>,
    page: Page,
    who: Option<SignedIn>,
    shown: Shown,
    (uri, Asked(fields)): (Uri, Asked),
) -> Result<Response, Refusal> {
    let choice = Choice::with_item(shown.currency(page.t.locale()), &fields)?;
    let Some(SignedIn { customer, .. }) = who else {
        let back = uri.path_and_query().map_or("/plans", |path| path.as_str());
        let log_in = format!("/login?next={}", encoded(back));
        return Ok(Redirect::to(&log_in).into_response());
    };
    let order: Option<OrderId> = fields.read("order", |text| text.parse().ok())?;
    let Some(order) = order else {
        let id = state.app.make(OrderId::from_parts, page.now);
        let mut pairs = choice.pairs();
        pairs.push(("order", id.number()));
        return Ok(Redirect::to(&href("/checkout", &pairs)).into_response());
    };
    let placed = state.app.order_details(Some(customer), order).await;
    if placed.map_err(|fault| failed(&fault))?.is_some() {
        return Ok(to_order(order, ""));
    }
    let visit = Visit {
        shopper: Shopper::of(&state.app, who).await?,
        app: state.app,
        page,
    };
    let payment = visit.app.make(PaymentId::from_parts, visit.page.now);
    let keys = Keys {
        customer,
        order,
        payment,
    };
    visit.review(choice, keys, Review::default()).await
}

/// `POST /checkout`: places the order and starts its payment.
pub(super) async fn pay(
    State(state): State<WebState>,
    page: Page,
    who: SignedIn,
    shown: Shown,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let choice = Choice::with_item(shown.currency(page.t.locale()), &fields)?;
    let keys = Keys {
        customer: who.customer,
        order: fields.need("order", |text| text.parse().ok())?,
        payment: fields.need("payment", |text| text.parse().ok())?,
    };
    let seen: i64 = fields.need("total", |text| text.parse().ok())?;
    let with = pay_with(&fields)?;
    let visit = Visit {
        shopper: Shopper::of(&state.app, Some(who)).await?,
        app: state.app,
        page,
    };
    let entered = Review {
        method: fields.text("method").to_owned(),
        store: fields.text("store") == "yes",
        notice: None,
        refused: None,
    };
    let Some(with) = with else {
        let text = visit.page.t.msg("shop-no-method");
        let refused = Some(("method", text));
        return visit
            .review(choice, keys, Review { refused, ..entered })
            .await;
    };
    let placed = match visit.place(&choice, keys, seen).await? {
        Ok(()) => keys,
        Err(problem) => return visit.explain(choice, keys, problem, entered).await,
    };
    let request = PayRequest {
        id: placed.payment,
        order: placed.order,
        with,
        locale: visit.page.t.locale(),
    };
    start_payment(&visit.app, placed.customer, request).await
}

/// Starts a payment and leads to what follows.
pub(super) async fn start_payment(
    app: &App,
    customer: CustomerId,
    request: PayRequest,
) -> Result<Response, Refusal> {
    let order = request.order;
    match app.pay(customer, request).await {
        Ok(PayStarted::Redirect(address)) => Ok(Redirect::to(&address).into_response()),
        // The page of an order says by itself that it takes no more attempts.
        Ok(PayStarted::SeeOrder) | Err(PayRefusal::Order(_) | PayRefusal::TooManyAttempts) => {
            Ok(to_order(order, ""))
        }
        Err(PayRefusal::NoSuchOrder) => Err(Refusal::NotFound),
        Err(PayRefusal::NoSuchMethod) => Ok(to_order(order, "method")),
        Err(PayRefusal::EarlierAttemptUnknown) => Ok(to_order(order, "confirming")),
        Err(PayRefusal::ProviderUnreachable) => Ok(to_order(order, "unreachable")),
        Err(PayRefusal::Fault(fault)) => Err(failed(&fault)),
    }
}

/// To the page of an order; `told` names the notice shown there.
pub(super) fn to_order(order: OrderId, told: &str) -> Response {
    let address = href(&format!("/orders/{order}"), &[("told", told.to_owned())]);
    Redirect::to(&address).into_response()
}

/// Whose order it is and the numbers that make sending it twice harmless.
#[derive(Clone, Copy)]
struct Keys {
    customer: CustomerId,
    order: OrderId,
    payment: PaymentId,
}

/// What was entered on the page, and what is to be said about it.
#[derive(Default)]
struct Review {
    method: String,
    store: bool,
    notice: Option<(Tone, String)>,
    refused: Option<(&'static str, String)>,
}

impl Visit {
    /// Places the order; the inner refusal is one that the customer can do something about.
    async fn place(
        &self,
        choice: &Choice,
        keys: Keys,
        seen: i64,
    ) -> Result<Result<(), OrderRefusal>, Refusal> {
        let Ok(start) = self.start(choice) else {
            return Err(Refusal::BadRequest);
        };
        let line = self.shopper.line(choice.line)?;
        let request = OrderRequest {
            id: keys.order,
            line: line.map(|view| view.line.id),
            purchase: choice.request(start),
            seen_total: Money::new(seen, choice.currency),
        };
        match self.app.place_order(keys.customer, request).await {
            Ok(_) => Ok(Ok(())),
            Err(OrderRefusal::Fault(fault)) => Err(failed(&fault)),
            Err(OrderRefusal::Quote(QuoteError::Fault(fault))) => Err(failed(&fault)),
            Err(OrderRefusal::Quote(QuoteError::NoSuchLine)) => Err(Refusal::NotFound),
            Err(
                refusal @ (OrderRefusal::KeyReused
                | OrderRefusal::IdentityWanted
                | OrderRefusal::PriceChanged(_)
                | OrderRefusal::Quote(QuoteError::Refused(_))),
            ) => Ok(Err(refusal)),
        }
    }

    /// Shows the page again with what has changed.
    async fn explain(
        self,
        choice: Choice,
        mut keys: Keys,
        problem: OrderRefusal,
        mut entered: Review,
    ) -> Result<Response, Refusal> {
        let t = &self.page.t;
        match problem {
            OrderRefusal::KeyReused => {
                let placed = self.app.order_details(Some(keys.customer), keys.order);
                if placed.await.map_err(|fault| failed(&fault))?.is_some() {
                    return Ok(to_order(keys.order, "other"));
                }
                keys.order = self.app.make(OrderId::from_parts, self.page.now);
                entered.notice = Some((Tone::Warning, t.msg("shop-key-reused")));
            }
            // The page says so by itself.
            OrderRefusal::IdentityWanted => {}
            OrderRefusal::PriceChanged(total) => {
                let text = t.with("shop-price-changed", "total", t.money(total));
                entered.notice = Some((Tone::Warning, text.to_string()));
            }
            OrderRefusal::Quote(QuoteError::Refused(refusal)) => {
                let refused = words::refusal(t, refusal);
                return self.reconsider(choice, refused).await;
            }
            OrderRefusal::Quote(_) | OrderRefusal::Fault(_) => return Err(Refusal::Internal),
        }
        self.review(choice, keys, entered).await
    }

    async fn review(
        self,
        choice: Choice,
        keys: Keys,
        entered: Review,
    ) -> Result<Response, Refusal> {
        let line = self.shopper.line(choice.line)?.map(|view| view.line.id);
        let quote = match self.price(&choice, line).await? {
            Ok(quote) => quote,
            Err(refused) => return self.reconsider(choice, refused).await,
        };
        let methods = Methods::of(&self.app, keys.customer, &self.page.t).await?;
        let status = if entered.refused.is_some() || entered.notice.is_some() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        };
        let page = self
            .checkout(&choice, keys, (quote, methods), entered)
            .await?;
        Ok((status, Page::answer(&page)).into_response())
    }

    async fn checkout(
        self,
        choice: &Choice,
        keys: Keys,
        (quote, methods): (Quote, Methods),
        entered: Review,
    ) -> Result<CheckoutPage, Refusal> {
        let catalogue = catalogue(&self.app).await?;
        let page = self.page.at(Nav::Plans);
        let t = &page.t;
        let method = if entered.method.is_empty() {
            methods.first().to_owned()
        } else {
            entered.method
        };
        let mut form = Form::new().fill("method", method);
        if entered.store {
            form = form.fill("store", "yes");
        }
        if let Some((field, text)) = entered.refused {
            form.refuse(field, text);
        }
        let mut hidden = choice.pairs();
        hidden.push(("order", keys.order.number()));
        let here = href("/checkout", &hidden);
        hidden.push(("payment", keys.payment.number()));
        hidden.push(("total", quote.total.minor.to_string()));
        hidden.retain(|(_, value)| !value.is_empty());
        let locale = t.locale();
        let zone = catalogue.zone(&quote.zone);
        let is_add_on = matches!(choice.selection, Selection::AddOn(_));
        let asked = self
            .app
            .identity_requirement(Some(keys.customer), quote.zone.clone());
        let asked = asked.await.map_err(|fault| failed(&fault))?;
        let identity = catalogue.identity_rule(&quote.zone);
        let identity = identity.filter(|_| !asked.allows_activation());
        Ok(CheckoutPage {
            notice: entered.notice,
            name: name(&quote, t, locale),
            zone: zone.map_or_else(String::new, |zone| zone.name.of(locale).to_owned()),
            services: [
                words::services(t, &quote.allowance),
                words::dedicated(t, dedicated_data(&catalogue, &choice.selection)),
            ]
            .concat(),
            identity: identity.map(|rule| Identity {
                reason: rule.reason.of(locale).to_owned(),
                href: href(&format!("/identity/{}", rule.zone), &[("next", here)]),
            }),
            is_new_line: self.shopper.line(choice.line)?.is_none(),
            is_add_on,
            summary: Summary::of(t, &quote, page.now),
            methods,
            hidden,
            edit: choice.edit_href(),
            form,
            page,
        })
    }

    /// Back to where the choice was made, with what is wrong with it.
    async fn reconsider(
        self,
        choice: Choice,
        refused: (&'static str, String),
    ) -> Result<Response, Refusal> {
        match choice.selection {
            Selection::Offer(_) | Selection::Mix(_) => self.choose(choice, Some(refused)).await,
            Selection::AddOn(_) => {
                let page = RefusedPage {
                    text: refused.1,
                    back: choice.edit_href(),
                    page: self.page.at(Nav::Plans),
                };
                Ok((StatusCode::UNPROCESSABLE_ENTITY, Page::answer(&page)).into_response())
            }
        }
    }
}

#[derive(Template)]
#[template(path = "portal/checkout-refused.html")]
struct RefusedPage {
    page: Page,
    text: String,
    back: String,
}

fn name(quote: &Quote, t: &Text, locale: Locale) -> String {
    match &quote.request.selection {
        Selection::Mix(mix) => words::mix(t, &mix.allowance),
        Selection::Offer(code) | Selection::AddOn(code) => {
            let label = quote.lines.first().map(|line| line.label.of(locale));
            label.map_or_else(|| code.clone(), str::to_owned)
        }
    }
}

/// What the chosen plan gives for some uses only.
fn dedicated_data<'a>(catalogue: &'a Catalogue, selection: &Selection) -> &'a [Dedicated] {
    match selection {
        Selection::Offer(code) => catalogue.offer(code).map_or(&[], |offer| &offer.dedicated),
        Selection::Mix(_) | Selection::AddOn(_) => &[],
    }
}
