//! Orders: the newest, one by number, and taking one back.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::{Attempt, NamedOrder, OrderFile};
use simurgh_app::sales::{GiveBack, RefundRefusal};
use simurgh_commerce::{Document, DocumentKind, OrderTransition, Refund};
use simurgh_vocab::{Money, OrderId, Timestamp};

use super::reason::{ReasonPage, given};
use super::session::{Done, Proven, Staff, see};
use super::words::{self, Mark, failed};
use crate::frame::{Form, Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};
use crate::portal::fields::{Asked, Sent};

/// An order in a table.
pub(super) struct OrderRow {
    pub(super) number: String,
    pub(super) name: String,
    pub(super) mark: Mark,
    pub(super) total: Money,
    pub(super) placed_at: Timestamp,
    pub(super) automatic: bool,
}

impl OrderRow {
    pub(super) fn of(t: &Text, named: &NamedOrder) -> Self {
        let order = &named.order;
        Self {
            number: order.id.number(),
            name: named.name(t.locale()).to_owned(),
            mark: words::order(t, order.state),
            total: order.total,
            placed_at: order.placed_at,
            automatic: order.automatic,
        }
    }
}

/// A refund in a table.
pub(super) struct RefundRow {
    pub(super) number: String,
    pub(super) order: String,
    pub(super) amount: Money,
    pub(super) reason: String,
    pub(super) mark: Mark,
    pub(super) created_at: Timestamp,
}

impl RefundRow {
    pub(super) fn of(t: &Text, refund: &Refund) -> Self {
        Self {
            number: refund.id.number(),
            order: refund.order.number(),
            amount: refund.amount,
            reason: words::refund_reason(t, refund.reason),
            mark: words::refund(t, refund.state),
            created_at: refund.created_at,
        }
    }
}

/// An invoice or credit note in a table.
pub(super) struct DocumentRow {
    pub(super) number: String,
    pub(super) kind: String,
    pub(super) order: String,
    pub(super) total: Money,
    pub(super) issued_at: Timestamp,
}

impl DocumentRow {
    pub(super) fn of(t: &Text, document: &Document) -> Self {
        Self {
            number: document.number.to_string(),
            kind: match document.kind {
                DocumentKind::Invoice => t.msg("desk-invoice"),
                DocumentKind::CreditNote { .. } => t.msg("desk-credit-note"),
            },
            order: document.order.number(),
            total: document.total,
            issued_at: document.issued_at,
        }
    }
}

#[derive(Template)]
#[template(path = "console/orders.html")]
struct OrdersPage {
    page: Page,
    query: String,
    missing: bool,
    rows: Vec<OrderRow>,
}

/// `GET /orders`, `GET /orders?q=NUMBER`.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let query = fields.text("q").to_owned();
    if !query.is_empty() {
        let found = app
            .order_numbered(&query)
            .await
            .map_err(|fault| failed(&fault))?;
        if let Some(id) = found {
            return Ok(see(&format!("/orders/{id}")));
        }
    }
    let orders = app.recent_orders().await.map_err(|fault| failed(&fault))?;
    Ok(Page::answer(&OrdersPage {
        missing: !query.is_empty(),
        query,
        rows: orders
            .iter()
            .map(|named| OrderRow::of(&page.t, named))
            .collect(),
        page: page.at(Nav::Orders),
    }))
}

/// A payment attempt with what its provider said.
struct AttemptRow {
    number: String,
    provider: String,
    method: String,
    mark: Mark,
    failure: String,
    amount: Money,
    created_at: Timestamp,
    queries: u32,
    events: Vec<EventRow>,
}

struct EventRow {
    at: Timestamp,
    event_id: String,
    effect: String,
}

impl AttemptRow {
    fn of(t: &Text, attempt: &Attempt) -> Self {
        let payment = &attempt.payment;
        let events = attempt.events.iter().map(|event| EventRow {
            at: event.at,
            event_id: event.event_id.clone(),
            effect: words::effect(t, event.effect),
        });
        Self {
            number: payment.id.number(),
            provider: payment.provider.clone(),
            method: words::method(t, payment.method),
            mark: words::payment(t, &payment.state),
            failure: words::failure(t, payment),
            amount: payment.amount,
            created_at: payment.created_at,
            queries: payment.queries,
            events: events.collect(),
        }
    }
}

/// One line of the quote that was accepted.
struct ReceiptRow {
    label: String,
    quantity: i64,
    amount: Money,
}

#[derive(Template)]
#[template(path = "console/order.html")]
struct OrderPage {
    page: Page,
    order: OrderRow,
    customer: String,
    line: String,
    periods: u32,
    zone: String,
    promotions: String,
    catalogue_version: u32,
    tax: Money,
    tax_rate: u32,
    expires_at: Timestamp,
    plan: String,
    receipt: Vec<ReceiptRow>,
    attempts: Vec<AttemptRow>,
    refunds: Vec<RefundRow>,
    documents: Vec<DocumentRow>,
    give_back: GiveBack,
}

/// `GET /orders/{number}`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let file = open(&app, &staff, &number).await?;
    let t = &page.t;
    let order = &file.order.order;
    let subscription = file.subscription.as_ref();
    let receipt = order.lines.iter().map(|line| ReceiptRow {
        label: line.label.of(t.locale()).to_owned(),
        quantity: line.quantity,
        amount: line.amount,
    });
    Ok(Page::answer(&OrderPage {
        customer: order.customer.number(),
        line: order.line.map(|line| line.number()).unwrap_or_default(),
        periods: order.periods,
        zone: order.zone.to_string(),
        promotions: order.promotions.join(", "),
        catalogue_version: order.catalogue_version,
        tax: order.tax,
        tax_rate: order.tax_rate_basis_points,
        expires_at: order.expires_at,
        plan: subscription.map_or_else(String::new, |plan| words::subscription(t, plan.state)),
        receipt: receipt.collect(),
        attempts: file
            .attempts
            .iter()
            .map(|one| AttemptRow::of(t, one))
            .collect(),
        refunds: file
            .refunds
            .iter()
            .map(|refund| RefundRow::of(t, refund))
            .collect(),
        documents: file
            .documents
            .iter()
            .map(|one| DocumentRow::of(t, one))
            .collect(),
        give_back: file.give_back,
        order: OrderRow::of(t, &file.order),
        page: page.at(Nav::Orders),
    }))
}

/// `GET /orders/{number}/refund`: asks why.
pub(super) async fn ask_refund(
    State(app): State<App>,
    page: Page,
    Proven(staff): Proven,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let file = open(&app, &staff, &number).await?;
    Ok(Page::answer(&refund_page(page, &file)))
}

/// `POST /orders/{number}/refund`.
pub(super) async fn refund(
    State(app): State<App>,
    page: Page,
    Proven(staff): Proven,
    Path(number): Path<String>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let id = OrderId::from_number(&number).ok_or(Refusal::NotFound)?;
    let refused = match given(&page, &fields) {
        Err(text) => text,
        Ok(reason) => match app.refund_order_by_staff(staff.0.staff, id, reason).await {
            Ok(()) => return Ok(Done::RefundRequested.at(&format!("/orders/{id}"))),
            Err(RefundRefusal::NoSuchOrder) => return Err(Refusal::NotFound),
            Err(RefundRefusal::Order(transition)) => page.t.msg(match transition {
                OrderTransition::AlreadyRefunded => key("desk-refund-twice"),
                OrderTransition::NotPaid
                | OrderTransition::AlreadyPaid
                | OrderTransition::Closed => key("desk-refund-not-paid"),
            }),
            Err(RefundRefusal::Used | RefundRefusal::Over) => page.t.msg("desk-refund-used"),
            Err(RefundRefusal::Fault(fault)) => return Err(failed(&fault)),
        },
    };
    let file = open(&app, &staff, &number).await?;
    Ok(refund_page(page, &file).refused(&fields, refused))
}

async fn open(app: &App, staff: &Staff, number: &str) -> Result<OrderFile, Refusal> {
    let id = OrderId::from_number(number).ok_or(Refusal::NotFound)?;
    let file = app.order_file(staff.0.staff, id).await;
    file.map_err(|fault| failed(&fault))?
        .ok_or(Refusal::NotFound)
}

fn refund_page(page: Page, file: &OrderFile) -> ReasonPage {
    let t = &page.t;
    let order = &file.order.order;
    let number = order.id.number();
    ReasonPage {
        form: Form::new(),
        title: t.msg("desk-refund-title"),
        text: t.msg("desk-refund-text"),
        facts: vec![
            (t.msg("desk-order"), number.clone()),
            (t.msg("desk-plan"), file.order.name(t.locale()).to_owned()),
            (t.msg("desk-total"), t.money(order.total)),
        ],
        action: format!("/orders/{number}/refund"),
        label: t.msg("desk-refund-do"),
        back: format!("/orders/{number}"),
        page: page.at(Nav::Orders),
    }
}
