//! Buckets, and what the ledger says is in them.

use simurgh_app::ports::StoreFault;
use simurgh_charging::{Bucket, BucketBalance, BucketWindow};
use simurgh_ledger::{Account, BucketRole};
use simurgh_vocab::{BucketId, LineId, Period, SubscriptionId, Unit};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{exactly_one, execute_for_ids, read_all};
use crate::tx::StoreTx;

macro_rules! balance {
    ($role:literal) => {
        concat!(
            "COALESCE((SELECT amount FROM ledger_balance l
              WHERE l.account = b.account_prefix || '",
            $role,
            "' AND l.unit = b.unit), 0)"
        )
    };
}

/// Buckets `b` with their balances. The accounts of a bucket stand side by side in the ledger, so
/// the three look-ups find one page.
macro_rules! select_buckets {
    ($rest:literal) => {
        concat!(
            "SELECT b.line_id, b.subscription_id, b.id, b.unit, b.zone, b.granted, b.starts_at,
             b.ends_at, b.first_use_position, b.closed, ",
            balance!("left"),
            ", ",
            balance!("reserved"),
            ", ",
            balance!("used"),
            " FROM bucket b ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, bucket: &Bucket) -> Result<(), StoreFault> {
    let [starts_at, ends_at, position] = window_columns(bucket.window);
    let sql = "INSERT INTO bucket (line_id, subscription_id, id, account_prefix, unit, zone,
               granted, starts_at, ends_at, first_use_position, closed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let params = params![
        bucket.line,
        bucket.subscription,
        bucket.id,
        account_prefix(bucket.id),
        bucket.unit,
        bucket.zone.as_str(),
        bucket.granted,
        starts_at,
        ends_at,
        position,
        bucket.closed,
    ];
    tx.execute(sql, &params).map(drop)
}

/// What the names of a bucket's accounts begin with, up to the role.
fn account_prefix(id: BucketId) -> String {
    let name = Account::Bucket(id, BucketRole::Left).to_string();
    let role = name.rfind(':').map_or(0, |colon| colon + 1);
    name.get(..role).unwrap_or_default().to_owned()
}

pub(super) fn update(tx: &mut StoreTx<'_>, bucket: &Bucket) -> Result<(), StoreFault> {
    let [starts_at, ends_at, position] = window_columns(bucket.window);
    let (line, subscription, id) = (bucket.line, bucket.subscription, bucket.id);
    let touched = tx.execute(
        "UPDATE bucket SET starts_at = ?4, ends_at = ?5, first_use_position = ?6
         WHERE line_id = ?1 AND subscription_id = ?2 AND id = ?3",
        &params![line, subscription, id, starts_at, ends_at, position],
    )?;
    exactly_one(touched, "bucket")
}

pub(super) fn close(tx: &mut StoreTx<'_>, buckets: &[BucketId]) -> Result<(), StoreFault> {
    execute_for_ids(tx, "UPDATE bucket SET closed = 1 WHERE id IN", buckets).map(drop)
}

pub(super) fn open(tx: &mut StoreTx<'_>, line: LineId) -> Result<Vec<BucketBalance>, StoreFault> {
    let sql =
        select_buckets!("WHERE b.line_id = ?1 AND b.closed = 0 ORDER BY b.subscription_id, b.id");
    read_all(tx.query(sql, &params![line])?, read)
}

pub(super) fn of_subscription(
    tx: &mut StoreTx<'_>,
    subscription: SubscriptionId,
) -> Result<Vec<BucketBalance>, StoreFault> {
    let sql = select_buckets!(
        "WHERE b.line_id = (SELECT s.line_id FROM subscription s WHERE s.id = ?1)
         AND b.subscription_id = ?1 ORDER BY b.id"
    );
    read_all(tx.query(sql, &params![subscription])?, read)
}

fn read(row: &mut Row) -> Result<BucketBalance, StoreFault> {
    let bucket = Bucket {
        line: row.id()?,
        subscription: row.id()?,
        id: row.id()?,
        unit: row.code(Unit::from_code)?,
        zone: row.parsed()?,
        granted: row.int()?,
        window: read_window(row)?,
        closed: row.boolean()?,
    };
    Ok(BucketBalance {
        bucket,
        left: row.int()?,
        reserved: row.int()?,
        used: row.int()?,
    })
}

/// The columns `starts_at`, `ends_at` and `first_use_position`.
fn window_columns(window: BucketWindow) -> [Value; 3] {
    let none: Option<i64> = None;
    match window {
        BucketWindow::Fixed(period) => params![period.start, period.end, none],
        BucketWindow::OnFirstUse { position } => params![none, none, position],
    }
}

fn read_window(row: &mut Row) -> Result<BucketWindow, StoreFault> {
    match (row.opt_timestamp()?, row.opt_timestamp()?, row.opt_int()?) {
        (Some(start), Some(end), None) => Ok(BucketWindow::Fixed(Period { start, end })),
        (None, None, Some(position)) => {
            let position = u32::try_from(position);
            let position = position.map_err(|_| row.behind("a position out of range"))?;
            Ok(BucketWindow::OnFirstUse { position })
        }
        _ => Err(row.behind("no window of a bucket")),
    }
}
