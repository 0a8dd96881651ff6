//! Payment attempts and the notifications about them.

use simurgh_app::ports::{SeenEvent, StoreFault};
use simurgh_commerce::{Failure, MethodKind, Payment, PaymentState};
use simurgh_vocab::{OrderId, PaymentId, Timestamp};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::{Lock, StoreTx};

macro_rules! select_payments {
    ($rest:literal) => {
        concat!(
            "SELECT id, order_id, provider, method, mandate_id, store_method, amount, currency,
             created_at, queries, state, redirect_url, state_at, failure FROM payment ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, payment: &Payment) -> Result<(), StoreFault> {
    let [state, redirect_url, state_at, failure] = state_columns(&payment.state);
    let sql = "INSERT INTO payment (id, number, order_id, provider, method, mandate_id,
               store_method, amount, currency, created_at, queries, state, redirect_url, state_at,
               failure)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    let params = params![
        payment.id,
        payment.id.number(),
        payment.order,
        &payment.provider,
        payment.method.code(),
        payment.mandate,
        payment.store_method,
        payment.amount.minor,
        payment.amount.currency,
        payment.created_at,
        payment.queries,
        state,
        redirect_url,
        state_at,
        failure,
    ];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn update(tx: &mut StoreTx<'_>, payment: &Payment) -> Result<(), StoreFault> {
    let [state, redirect_url, state_at, failure] = state_columns(&payment.state);
    let (id, queries) = (payment.id, payment.queries);
    tx.locks(Lock::Payment, id.as_bytes())?;
    let touched = tx.execute(
        "UPDATE payment SET queries = ?2, state = ?3, redirect_url = ?4, state_at = ?5,
         failure = ?6 WHERE id = ?1",
        &params![id, queries, state, redirect_url, state_at, failure],
    )?;
    exactly_one(touched, "payment")
}

pub(super) fn read_one_of(
    tx: &mut StoreTx<'_>,
    id: PaymentId,
) -> Result<Option<Payment>, StoreFault> {
    let sql = select_payments!("WHERE id = ?1");
    read_one(tx.query_one_or_none(sql, &params![id])?, read)
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: PaymentId) -> Result<Option<Payment>, StoreFault> {
    tx.locks(Lock::Payment, id.as_bytes())?;
    let sql = select_payments!("WHERE id = ?1");
    read_one(tx.query_one_or_none_locked(sql, &params![id])?, read)
}

pub(super) fn of_order(tx: &mut StoreTx<'_>, order: OrderId) -> Result<Vec<Payment>, StoreFault> {
    let sql = select_payments!("WHERE order_id = ?1 ORDER BY created_at, id");
    read_all(tx.query(sql, &params![order])?, read)
}

fn read(row: &mut Row) -> Result<Payment, StoreFault> {
    Ok(Payment {
        id: row.id()?,
        order: row.id()?,
        provider: row.text()?,
        method: row.code(MethodKind::from_code)?,
        mandate: row.opt_id()?,
        store_method: row.boolean()?,
        amount: row.money()?,
        created_at: row.timestamp()?,
        queries: row.number()?,
        state: read_state(row)?,
    })
}

/// The columns `state`, `redirect_url`, `state_at` and `failure`.
fn state_columns(state: &PaymentState) -> [Value; 4] {
    let none: Option<&str> = None;
    let at_once = |state: &'static str| params![state, none, none, none];
    let at_time = |state: &'static str, at: Timestamp| params![state, none, at, none];
    match state {
        PaymentState::Created => at_once("created"),
        PaymentState::ActionRequired { redirect_url } => {
            params!["action-required", redirect_url, none, none]
        }
        PaymentState::Processing => at_once("processing"),
        PaymentState::Unknown => at_once("unknown"),
        PaymentState::Captured { at } => at_time("captured", *at),
        PaymentState::Failed { at, failure } => params!["failed", none, *at, failure.code()],
        PaymentState::Closed { at } => at_time("closed", *at),
    }
}

fn read_state(row: &mut Row) -> Result<PaymentState, StoreFault> {
    let (state, redirect_url) = (row.text()?, row.opt_text()?);
    let (at, failure) = (row.opt_timestamp()?, row.opt_text()?);
    let failure = failure.as_deref().map(Failure::from_code);
    match (state.as_str(), redirect_url, at, failure) {
        ("created", None, None, None) => Ok(PaymentState::Created),
        ("action-required", Some(redirect_url), None, None) => {
            Ok(PaymentState::ActionRequired { redirect_url })
        }
        ("processing", None, None, None) => Ok(PaymentState::Processing),
        ("unknown", None, None, None) => Ok(PaymentState::Unknown),
        ("captured", None, Some(at), None) => Ok(PaymentState::Captured { at }),
        ("failed", None, Some(at), Some(Some(failure))) => Ok(PaymentState::Failed { at, failure }),
        ("closed", None, Some(at), None) => Ok(PaymentState::Closed { at }),
        _ => Err(row.behind("no state of a payment")),
    }
}

pub(super) fn remember_event(tx: &mut StoreTx<'_>, event: &SeenEvent) -> Result<bool, StoreFault> {
    let sql = "INSERT INTO payment_event (provider, event_id, payment_id, effect, seen_at)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (provider, event_id) DO NOTHING";
    let (provider, event_id) = (&event.provider, &event.event_id);
    let params = params![provider, event_id, event.payment, event.effect, event.at];
    Ok(tx.execute(sql, &params)? == 1)
}

pub(super) fn events_of(
    tx: &mut StoreTx<'_>,
    payment: PaymentId,
) -> Result<Vec<SeenEvent>, StoreFault> {
    let sql = "SELECT provider, event_id, payment_id, effect, seen_at FROM payment_event
               WHERE payment_id = ?1 ORDER BY seen_at, provider, event_id";
    read_all(tx.query(sql, &params![payment])?, |row| {
        Ok(SeenEvent {
            provider: row.text()?,
            event_id: row.text()?,
            payment: row.id()?,
            effect: row.code(known_effect)?,
            at: row.timestamp()?,
        })
    })
}

/// Every effect a notification can have had.
const EFFECTS: [&str; 6] = [
    "fulfilled",
    "moved",
    "ignored",
    "returned",
    "mismatch",
    "unknown-payment",
];

fn known_effect(code: &str) -> Option<&'static str> {
    EFFECTS.into_iter().find(|effect| *effect == code)
}
