//! Refunds.

use simurgh_app::ports::StoreFault;
use simurgh_commerce::{Refund, RefundReason, RefundState};
use simurgh_vocab::{OrderId, RefundId, Timestamp};

use crate::db::Row;
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::{Lock, StoreTx};

macro_rules! select_refunds {
    ($rest:literal) => {
        concat!(
            "SELECT id, payment_id, order_id, amount, currency, reason, created_at, state, state_at
             FROM refund ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, refund: &Refund) -> Result<(), StoreFault> {
    let (state, state_at) = state_columns(refund.state);
    let sql = "INSERT INTO refund (id, number, payment_id, order_id, amount, currency, reason,
               created_at, state, state_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let params = params![
        refund.id,
        refund.id.number(),
        refund.payment,
        refund.order,
        refund.amount.minor,
        refund.amount.currency,
        refund.reason.code(),
        refund.created_at,
        state,
        state_at,
    ];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn update(tx: &mut StoreTx<'_>, refund: &Refund) -> Result<(), StoreFault> {
    let (state, state_at) = state_columns(refund.state);
    let sql = "UPDATE refund SET state = ?2, state_at = ?3 WHERE id = ?1";
    let touched = tx.execute(sql, &params![refund.id, state, state_at])?;
    exactly_one(touched, "refund")
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: RefundId) -> Result<Option<Refund>, StoreFault> {
    tx.locks(Lock::Refund, id.as_bytes())?;
    let sql = select_refunds!("WHERE id = ?1");
    read_one(tx.query_one_or_none_locked(sql, &params![id])?, read)
}

pub(super) fn of_order(tx: &mut StoreTx<'_>, order: OrderId) -> Result<Vec<Refund>, StoreFault> {
    let sql = select_refunds!("WHERE order_id = ?1 ORDER BY created_at, id");
    read_all(tx.query(sql, &params![order])?, read)
}

fn read(row: &mut Row) -> Result<Refund, StoreFault> {
    Ok(Refund {
        id: row.id()?,
        payment: row.id()?,
        order: row.id()?,
        amount: row.money()?,
        reason: row.code(RefundReason::from_code)?,
        created_at: row.timestamp()?,
        state: read_state(row)?,
    })
}

const fn state_columns(state: RefundState) -> (&'static str, Option<Timestamp>) {
    match state {
        RefundState::Requested => ("requested", None),
        RefundState::Succeeded { at } => ("succeeded", Some(at)),
        RefundState::NeedsStaff { at } => ("needs-staff", Some(at)),
    }
}

fn read_state(row: &mut Row) -> Result<RefundState, StoreFault> {
    match (row.text()?.as_str(), row.opt_timestamp()?) {
        ("requested", None) => Ok(RefundState::Requested),
        ("succeeded", Some(at)) => Ok(RefundState::Succeeded { at }),
        ("needs-staff", Some(at)) => Ok(RefundState::NeedsStaff { at }),
        _ => Err(row.behind("no state of a refund")),
    }
}
