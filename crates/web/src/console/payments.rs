//! Payments and refunds that need somebody.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::{StaffRefundRefusal, UnsettledRefund};
use simurgh_commerce::RefundState;
use simurgh_vocab::{Money, RefundId, Timestamp};

use super::orders::RefundRow;
use super::reason::{ReasonPage, given};
use super::session::{Done, Proven};
use super::words::{self, Mark, failed};
use crate::frame::{Form, Nav, Page, Refusal};
use crate::portal::fields::Sent;

/// A payment of which nobody knows how it ended.
struct PaymentRow {
    number: String,
    order: String,
    provider: String,
    mark: Mark,
    amount: Money,
    created_at: Timestamp,
    queries: u32,
}

/// A refund that is not sent.
struct UnsettledRow {
    refund: RefundRow,
    provider: String,
    for_staff: bool,
}

/// A notification that was not believed.
struct OddRow {
    at: Timestamp,
    provider: String,
    event_id: String,
    payment: String,
    effect: String,
}

#[derive(Template)]
#[template(path = "console/payments.html")]
struct PaymentsPage {
    page: Page,
    payments: Vec<PaymentRow>,
    refunds: Vec<UnsettledRow>,
    events: Vec<OddRow>,
}

/// `GET /payments`.
pub(super) async fn show(State(app): State<App>, page: Page) -> Result<Response, Refusal> {
    let found = app
        .money_attention()
        .await
        .map_err(|fault| failed(&fault))?;
    let t = &page.t;
    let payments = found.payments.iter().map(|payment| PaymentRow {
        number: payment.id.number(),
        order: payment.order.number(),
        provider: payment.provider.clone(),
        mark: words::payment(t, &payment.state),
        amount: payment.amount,
        created_at: payment.created_at,
        queries: payment.queries,
    });
    let refunds = found
        .refunds
        .iter()
        .map(|UnsettledRefund { refund, payment }| UnsettledRow {
            refund: RefundRow::of(t, refund),
            provider: payment.provider.clone(),
            for_staff: matches!(refund.state, RefundState::NeedsStaff { .. }),
        });
    let events = found.events.iter().map(|event| OddRow {
        at: event.at,
        provider: event.provider.clone(),
        event_id: event.event_id.clone(),
        payment: event.payment.number(),
        effect: words::effect(t, event.effect),
    });
    Ok(Page::answer(&PaymentsPage {
        payments: payments.collect(),
        refunds: refunds.collect(),
        events: events.collect(),
        page: page.at(Nav::Payments),
    }))
}

/// `GET /refunds/{number}/settle`: asks how it was paid.
pub(super) async fn ask_settle(
    page: Page,
    _: Proven,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let id = RefundId::from_number(&number).ok_or(Refusal::NotFound)?;
    Ok(Page::answer(&settle_page(page, id)))
}

/// `POST /refunds/{number}/settle`.
pub(super) async fn settle(
    State(app): State<App>,
    page: Page,
    Proven(staff): Proven,
    Path(number): Path<String>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let id = RefundId::from_number(&number).ok_or(Refusal::NotFound)?;
    let refused = match given(&page, &fields) {
        Err(text) => text,
        Ok(reason) => match app.settle_refund(staff.0.staff, id, reason).await {
            Ok(()) => return Ok(Done::RefundSettled.at("/payments")),
            Err(StaffRefundRefusal::NotForStaff) => page.t.msg("desk-settle-not-for-staff"),
            Err(StaffRefundRefusal::NoSuchRefund) => return Err(Refusal::NotFound),
            Err(StaffRefundRefusal::Fault(fault)) => return Err(failed(&fault)),
        },
    };
    Ok(settle_page(page, id).refused(&fields, refused))
}

/// `POST /refunds/{number}/resend`.
pub(super) async fn resend(
    State(app): State<App>,
    Proven(staff): Proven,
    Path(number): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let id = RefundId::from_number(&number).ok_or(Refusal::NotFound)?;
    match app.resend_refund(staff.0.staff, id).await {
        // A refund that no longer waits for staff was sent again by somebody else.
        Ok(()) | Err(StaffRefundRefusal::NotForStaff) => Ok(Done::RefundResent.at("/payments")),
        Err(StaffRefundRefusal::NoSuchRefund) => Err(Refusal::NotFound),
        Err(StaffRefundRefusal::Fault(fault)) => Err(failed(&fault)),
    }
}

fn settle_page(page: Page, id: RefundId) -> ReasonPage {
    let t = &page.t;
    ReasonPage {
        form: Form::new(),
        title: t.msg("desk-settle-title"),
        text: t.msg("desk-settle-text"),
        facts: vec![(t.msg("desk-refund"), id.number())],
        action: format!("/refunds/{id}/settle"),
        label: t.msg("desk-settle-do"),
        back: "/payments".to_owned(),
        page: page.at(Nav::Payments),
    }
}
