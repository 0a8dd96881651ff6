//! What needs somebody's attention.

use simurgh_app::ports::{DeskCounts, DeskSince, SeenEvent, StoreFault, VitalCounts};
use simurgh_commerce::DocumentNumber;
use simurgh_vocab::{InvoiceId, PaymentId, RefundId, Timestamp};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{read_all, read_one};
use crate::tx::StoreTx;

pub(super) fn counts(
    tx: &mut StoreTx<'_>,
    &DeskSince {
        since,
        stuck_attempts,
    }: &DeskSince,
) -> Result<DeskCounts, StoreFault> {
    let mut count = |sql: &str, params: &[Value]| tx.query_one(sql, params)?.number();
    Ok(DeskCounts {
        open_tickets: count("SELECT COUNT(*) FROM ticket WHERE state = 'open'", &[])?,
        refunds_for_staff: count(
            "SELECT COUNT(*) FROM refund WHERE state IN ('requested', 'needs-staff')
             AND state = 'needs-staff'",
            &[],
        )?,
        payments_in_doubt: count(
            "SELECT COUNT(*) FROM payment
             WHERE state IN ('created', 'processing', 'unknown', 'action-required')
             AND state = 'unknown'",
            &[],
        )?,
        open_jobs: count("SELECT COUNT(*) FROM job WHERE done_at IS NULL", &[])?,
        stuck_jobs: count(
            "SELECT COUNT(*) FROM job WHERE done_at IS NULL AND attempts >= ?1",
            &params![stuck_attempts],
        )?,
        failed_messages: count(
            "SELECT COUNT(*) FROM message WHERE created_at >= ?1 AND state = 'failed'",
            &params![since],
        )?,
        orders: count(
            "SELECT COUNT(*) FROM sales_order WHERE placed_at >= ?1",
            &params![since],
        )?,
        paid_orders: count(
            "SELECT COUNT(*) FROM sales_order WHERE placed_at >= ?1 AND state = 'fulfilled'",
            &params![since],
        )?,
        customers: count(
            "SELECT COUNT(*) FROM customer WHERE registered_at >= ?1",
            &params![since],
        )?,
    })
}

/// The counts read partial indexes of what is open, however much is done.
pub(super) fn vital_counts(
    tx: &mut StoreTx<'_>,
    now: Timestamp,
    stuck_attempts: u32,
) -> Result<VitalCounts, StoreFault> {
    let due = "SELECT COUNT(*) FROM job WHERE done_at IS NULL AND next_at <= ?1";
    let stuck = "SELECT COUNT(*) FROM job WHERE done_at IS NULL AND attempts >= ?1";
    let open = "SELECT state, COUNT(*) FROM payment
                WHERE state IN ('created', 'processing', 'unknown', 'action-required')
                GROUP BY state ORDER BY state";
    Ok(VitalCounts {
        due_jobs: tx.query_one(due, &params![now])?.number()?,
        stuck_jobs: tx.query_one(stuck, &params![stuck_attempts])?.number()?,
        open_payments: read_all(tx.query(open, &[])?, |row| Ok((row.text()?, row.number()?)))?,
    })
}

pub(super) fn payments_in_doubt(
    tx: &mut StoreTx<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<PaymentId>, StoreFault> {
    let sql = "SELECT id FROM payment
               WHERE state IN ('created', 'processing', 'unknown', 'action-required')
               AND (state = 'unknown' OR created_at < ?1) ORDER BY created_at, id LIMIT ?2";
    read_all(tx.query(sql, &params![before, limit])?, Row::id)
}

pub(super) fn unsettled_refunds(
    tx: &mut StoreTx<'_>,
    limit: u32,
) -> Result<Vec<RefundId>, StoreFault> {
    let sql = "SELECT id FROM refund WHERE state IN ('requested', 'needs-staff')
               ORDER BY CASE WHEN state = 'needs-staff' THEN 0 ELSE 1 END, created_at, id
               LIMIT ?1";
    read_all(tx.query(sql, &params![limit])?, Row::id)
}

pub(super) fn odd_payment_events(
    tx: &mut StoreTx<'_>,
    limit: u32,
) -> Result<Vec<SeenEvent>, StoreFault> {
    let sql = "SELECT provider, event_id, payment_id, effect, seen_at FROM payment_event
               WHERE effect IN ('mismatch', 'unknown-payment')
               ORDER BY seen_at DESC, provider, event_id LIMIT ?1";
    read_all(tx.query(sql, &params![limit])?, |row| {
        Ok(SeenEvent {
            provider: row.text()?,
            event_id: row.text()?,
            payment: row.id()?,
            effect: row.code(|code| {
                ["mismatch", "unknown-payment"]
                    .into_iter()
                    .find(|effect| *effect == code)
            })?,
            at: row.timestamp()?,
        })
    })
}

pub(super) fn document_numbered(
    tx: &mut StoreTx<'_>,
    number: &DocumentNumber,
) -> Result<Option<InvoiceId>, StoreFault> {
    let sql = "SELECT id FROM document
               WHERE series = ?1 AND year = ?2 AND credit = ?3 AND sequence = ?4";
    let year = i32::from(number.year);
    let params = params![&number.series, year, number.credit, number.sequence];
    read_one(tx.query_one_or_none(sql, &params)?, Row::id)
}
