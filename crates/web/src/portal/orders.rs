//! Orders: what became of them, paying, calling off, giving back.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::App;
use simurgh_app::sales::{GiveBack, OrderDetails, PayRefusal, PayRequest, RefundRefusal, reason};
use simurgh_charging::SubscriptionState;
use simurgh_commerce::{
    CloseReason, DocumentKind, Failure, Order, OrderState, Payment, PaymentState, Refund,
    RefundState,
};
use simurgh_vocab::{CustomerId, Money, OrderId, PaymentId, Timestamp};

use super::checkout::{Methods, pay_with, start_payment, to_order};
use super::fields::{Asked, Fields, Sent};
use super::purchase::tax;
use super::shopper::failed;
use super::words::{self, Row};
use crate::frame::{Form, Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};
use crate::state::SignedIn;

/// An order in the list.
struct Entry {
    href: String,
    name: String,
    placed_at: Timestamp,
    total: Money,
    tone: Tone,
    state: String,
}

#[derive(Template)]
#[template(path = "portal/orders.html")]
struct OrdersPage {
    page: Page,
    entries: Vec<Entry>,
}

/// `/orders`.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
) -> Result<Response, Refusal> {
    let orders = app.orders_of(who.customer).await;
    let orders = orders.map_err(|fault| failed(&fault))?;
    let t = &page.t;
    let entries = orders.iter().map(|order| {
        let (tone, state) = state_word(t, order);
        Entry {
            href: format!("/orders/{}", order.id),
            name: words::order(t, order),
            placed_at: order.placed_at,
            total: order.total,
            tone,
            state,
        }
    });
    Ok(Page::answer(&OrdersPage {
        entries: entries.collect(),
        page: page.at(Nav::Bills),
    }))
}

fn state_word(t: &Text, order: &Order) -> (Tone, String) {
    let (tone, key) = match order.state {
        OrderState::AwaitingPayment => (Tone::Warning, key("orders-state-awaiting")),
        OrderState::Fulfilled { .. } => (Tone::Success, key("orders-state-paid")),
        OrderState::Closed { .. } => (Tone::Muted, key("orders-state-closed")),
        OrderState::Refunded { .. } => (Tone::Info, key("orders-state-refunded")),
    };
    (tone, t.msg(key))
}

/// What an order that awaits its payment is waiting for.
enum Waiting {
    /// For the customer: nothing was tried, or what was tried has ended without money.
    ForCustomer(Option<Failure>),
    /// For the customer, on the provider's page.
    AtProvider(String),
    /// For the provider's word: paying again might pay twice.
    ForWord,
}

/// What the page of an order says first.
enum Face {
    /// Not paid.
    Unpaid { waiting: Waiting, until: Timestamp },
    /// Paid and granted.
    Paid {
        starts: String,
        ends: String,
        give_back: GiveBack,
    },
    /// Closed without payment.
    Closed { reason: CloseReason },
    /// Taken back.
    Refunded,
}

/// An event in the life of an order.
struct Event {
    at: Timestamp,
    tone: Tone,
    title: String,
    note: String,
}

/// Money that goes back.
struct Back {
    tone: Tone,
    text: String,
}

/// A document of the order.
struct Bill {
    href: String,
    number: String,
    credit: bool,
}

#[derive(Template)]
#[template(path = "portal/order.html")]
struct OrderPage {
    page: Page,
    form: Form,
    told: String,
    name: String,
    number: String,
    placed_at: Timestamp,
    rows: Vec<Row>,
    total: Money,
    tax: String,
    tone: Tone,
    state: String,
    face: Face,
    failure: String,
    backs: Vec<Back>,
    bills: Vec<Bill>,
    events: Vec<Event>,
    methods: Methods,
    payment: String,
    /// Why it takes no more payment attempts; empty while it does.
    no_more: String,
    again: String,
}

/// `/orders/{number}`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(number): Path<String>,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let details = details(&app, who.customer, &number).await?;
    let page = order_page(&app, page, who.customer, details, &fields).await?;
    Ok(Page::answer(&page))
}

async fn order_page(
    app: &App,
    page: Page,
    customer: CustomerId,
    details: OrderDetails,
    fields: &Fields,
) -> Result<OrderPage, Refusal> {
    let page = page.at(Nav::Bills);
    let t = &page.t;
    let order = &details.order;
    let face = face(t, &details, page.now);
    let methods = match &face {
        Face::Unpaid { .. } => Methods::of(app, customer, t).await?,
        Face::Paid { .. } | Face::Closed { .. } | Face::Refunded => Methods {
            tiles: Vec::new(),
            can_store: false,
        },
    };
    let failure = match &face {
        Face::Unpaid {
            waiting: Waiting::ForCustomer(Some(failure)),
            ..
        } => reason(*failure, t.locale()),
        Face::Unpaid { .. } | Face::Paid { .. } | Face::Closed { .. } | Face::Refunded => "",
    };
    let (tone, state) = state_word(t, order);
    let told = match fields.text("told") {
        "method" => t.msg("orders-told-method"),
        "confirming" => t.msg("orders-told-confirming"),
        "unreachable" => t.msg("orders-told-unreachable"),
        "other" => t.msg("orders-told-other"),
        "kept" => match details.give_back {
            GiveBack::Used => t.msg("orders-give-back-used"),
            GiveBack::Over => t.msg("orders-give-back-over"),
            GiveBack::Possible | GiveBack::NotPaid => String::new(),
        },
        _ => String::new(),
    };
    Ok(OrderPage {
        told,
        name: words::order(t, order),
        number: order.id.number(),
        placed_at: order.placed_at,
        rows: words::quote_rows(t, &order.lines),
        total: order.total,
        tax: tax(t, order.tax_rate_basis_points, order.tax),
        tone,
        state,
        failure: failure.to_owned(),
        backs: details
            .refunds
            .iter()
            .map(|refund| back(t, refund))
            .collect(),
        bills: bills(&details),
        events: events(t, &details),
        form: Form::new().fill("method", methods.first()),
        methods,
        no_more: if details.payments.len() >= Payment::ATTEMPTS_MAX {
            t.with("orders-no-more-attempts", "count", Payment::ATTEMPTS_MAX)
                .to_string()
        } else {
            String::new()
        },
        payment: app.make(PaymentId::from_parts, page.now).number(),
        again: super::choice::again(order).edit_href(),
        face,
        page,
    })
}

async fn details(app: &App, customer: CustomerId, number: &str) -> Result<OrderDetails, Refusal> {
    let id: OrderId = number.parse().map_err(|_| Refusal::NotFound)?;
    let details = app.order_details(Some(customer), id).await;
    let details = details.map_err(|fault| failed(&fault))?;
    details.ok_or(Refusal::NotFound)
}

fn face(t: &Text, details: &OrderDetails, now: Timestamp) -> Face {
    match details.order.state {
        OrderState::AwaitingPayment => Face::Unpaid {
            waiting: waiting(&details.payments),
            until: details.order.expires_at,
        },
        OrderState::Fulfilled { .. } => {
            let (starts, ends) = term(t, details, now);
            Face::Paid {
                starts,
                ends,
                give_back: details.give_back,
            }
        }
        OrderState::Closed { reason, .. } => Face::Closed { reason },
        OrderState::Refunded { .. } => Face::Refunded,
    }
}

/// The gravest of what the attempts wait for: an open question comes before everything.
fn waiting(payments: &[Payment]) -> Waiting {
    let in_doubt = |payment: &Payment| match payment.state {
        PaymentState::Processing | PaymentState::Unknown => true,
        // A stored method is charged without the customer: it may have taken the money.
        PaymentState::Created => payment.mandate.is_some(),
        PaymentState::ActionRequired { .. }
        | PaymentState::Captured { .. }
        | PaymentState::Failed { .. }
        | PaymentState::Closed { .. } => false,
    };
    if payments.iter().any(in_doubt) {
        return Waiting::ForWord;
    }
    match payments.last().map(|payment| &payment.state) {
        Some(PaymentState::ActionRequired { redirect_url }) => {
            Waiting::AtProvider(redirect_url.clone())
        }
        Some(PaymentState::Failed { failure, .. }) => Waiting::ForCustomer(Some(*failure)),
        Some(
            PaymentState::Created
            | PaymentState::Processing
            | PaymentState::Unknown
            | PaymentState::Captured { .. }
            | PaymentState::Closed { .. },
        )
        | None => Waiting::ForCustomer(None),
    }
}

/// When what was bought starts and ends, as it is now.
fn term(t: &Text, details: &OrderDetails, now: Timestamp) -> (String, String) {
    let Some(subscription) = &details.subscription else {
        return (String::new(), String::new());
    };
    match subscription.state {
        SubscriptionState::Scheduled { period } => {
            (t.date_time(period.start), t.date_time(period.end))
        }
        SubscriptionState::AwaitingFirstUse {
            activate_by,
            validity,
            periods,
        } => {
            let days = validity.times(periods).as_micros() / 86_400_000_000;
            let starts = t.with("shop-when-first-use", "date", t.date(activate_by));
            let ends = t.with("shop-when-days", "days", days);
            (starts.to_string(), ends.to_string())
        }
        SubscriptionState::Ended { at } | SubscriptionState::Revoked { at } => {
            let ended = t.with("orders-ended", "when", t.relative(at, now));
            (String::new(), ended.to_string())
        }
    }
}

fn back(t: &Text, refund: &Refund) -> Back {
    let (tone, key) = match refund.state {
        RefundState::Requested => (Tone::Info, key("orders-refund-requested")),
        RefundState::Succeeded { .. } => (Tone::Success, key("orders-refund-sent")),
        RefundState::NeedsStaff { .. } => (Tone::Warning, key("orders-refund-staff")),
    };
    Back {
        tone,
        text: t.with(key, "amount", t.money(refund.amount)).to_string(),
    }
}

fn bills(details: &OrderDetails) -> Vec<Bill> {
    let documents = details.documents.iter();
    documents
        .map(|document| Bill {
            href: format!("/bills/{}", document.id),
            number: document.number.to_string(),
            credit: match document.kind {
                DocumentKind::Invoice => false,
                DocumentKind::CreditNote { .. } => true,
            },
        })
        .collect()
}

/// What happened, the newest first.
fn events(t: &Text, details: &OrderDetails) -> Vec<Event> {
    let order = &details.order;
    let mut events = vec![event(
        order.placed_at,
        Tone::Muted,
        t.msg("orders-event-placed"),
    )];
    for payment in &details.payments {
        let method = words::method(t, payment.method);
        let started = t.with("orders-event-started", "method", &method);
        events.push(event(payment.created_at, Tone::Muted, started.to_string()));
        events.extend(outcome(t, payment, &method));
    }
    match order.state {
        OrderState::AwaitingPayment => {}
        OrderState::Fulfilled { at } => {
            events.push(event(at, Tone::Success, t.msg("orders-event-granted")));
        }
        OrderState::Closed { at, reason } => {
            let key = match reason {
                CloseReason::Expired => key("orders-event-expired"),
                CloseReason::Cancelled => key("orders-event-cancelled"),
            };
            events.push(event(at, Tone::Muted, t.msg(key)));
        }
        OrderState::Refunded { at } => {
            events.push(event(at, Tone::Info, t.msg("orders-event-given-back")));
        }
    }
    for refund in &details.refunds {
        let amount = t.money(refund.amount);
        let asked = t.with("orders-event-refund", "amount", &amount).to_string();
        events.push(event(refund.created_at, Tone::Info, asked));
        if let RefundState::Succeeded { at } = refund.state {
            let sent = t.with("orders-event-refunded", "amount", &amount);
            events.push(event(at, Tone::Success, sent.to_string()));
        }
    }
    events.sort_by_key(|event| event.at);
    events.reverse();
    events
}

fn outcome(t: &Text, payment: &Payment, method: &str) -> Option<Event> {
    match &payment.state {
        PaymentState::Created | PaymentState::ActionRequired { .. } => None,
        PaymentState::Processing | PaymentState::Unknown => {
            let text = t.with("orders-event-asking", "method", method);
            Some(event(payment.created_at, Tone::Warning, text.to_string()))
        }
        PaymentState::Captured { at } => {
            let text = t.with("orders-event-paid", "amount", t.money(payment.amount));
            Some(event(*at, Tone::Success, text.to_string()))
        }
        PaymentState::Failed { at, failure } => Some(Event {
            note: reason(*failure, t.locale()).to_owned(),
            ..event(*at, Tone::Danger, t.msg("orders-event-failed"))
        }),
        PaymentState::Closed { at } => {
            Some(event(*at, Tone::Muted, t.msg("orders-event-given-up")))
        }
    }
}

fn event(at: Timestamp, tone: Tone, title: String) -> Event {
    Event {
        at,
        tone,
        title,
        note: String::new(),
    }
}

/// `POST /orders/{number}/pay`: another attempt.
pub(super) async fn pay(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(number): Path<String>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let order: OrderId = number.parse().map_err(|_| Refusal::NotFound)?;
    let id = fields.need("payment", |text| text.parse().ok())?;
    let Some(with) = pay_with(&fields)? else {
        return Ok(to_order(order, "method"));
    };
    let request = PayRequest {
        id,
        order,
        with,
        locale: page.t.locale(),
    };
    start_payment(&app, who.customer, request).await
}

/// `POST /orders/{number}/cancel`: calls an unpaid order off.
pub(super) async fn cancel(
    State(app): State<App>,
    who: SignedIn,
    Path(number): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let order: OrderId = number.parse().map_err(|_| Refusal::NotFound)?;
    match app.cancel_order(who.customer, order).await {
        Ok(()) | Err(PayRefusal::Order(_)) => Ok(to_order(order, "")),
        Err(PayRefusal::EarlierAttemptUnknown) => Ok(to_order(order, "confirming")),
        Err(PayRefusal::NoSuchOrder) => Err(Refusal::NotFound),
        Err(PayRefusal::Fault(fault)) => Err(failed(&fault)),
        Err(
            PayRefusal::NoSuchMethod
            | PayRefusal::TooManyAttempts
            | PayRefusal::ProviderUnreachable,
        ) => Err(Refusal::Internal),
    }
}

#[derive(Template)]
#[template(path = "portal/give-back.html")]
struct GiveBackPage {
    page: Page,
    name: String,
    total: Money,
    action: String,
    back: String,
}

/// `GET /orders/{number}/give-back`: asks whether an unused plan is to be given back.
pub(super) async fn ask_give_back(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let details = details(&app, who.customer, &number).await?;
    let back = format!("/orders/{}", details.order.id);
    match details.give_back {
        GiveBack::Possible => {}
        // The page of the order says why.
        GiveBack::NotPaid | GiveBack::Used | GiveBack::Over => {
            return Ok(Redirect::to(&back).into_response());
        }
    }
    Ok(Page::answer(&GiveBackPage {
        name: words::order(&page.t, &details.order),
        total: details.order.total,
        action: format!("{back}/give-back"),
        back,
        page: page.at(Nav::Bills),
    }))
}

/// `POST /orders/{number}/give-back`.
pub(super) async fn give_back(
    State(app): State<App>,
    who: SignedIn,
    Path(number): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let order: OrderId = number.parse().map_err(|_| Refusal::NotFound)?;
    match app.refund_order(Some(who.customer), order).await {
        Ok(()) | Err(RefundRefusal::Order(_)) => Ok(to_order(order, "")),
        Err(RefundRefusal::Used | RefundRefusal::Over) => Ok(to_order(order, "kept")),
        Err(RefundRefusal::NoSuchOrder) => Err(Refusal::NotFound),
        Err(RefundRefusal::Fault(fault)) => Err(failed(&fault)),
    }
}
