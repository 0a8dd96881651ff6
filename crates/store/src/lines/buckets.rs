//! Buckets, and what the ledger says is in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use simurgh_app::ports::StoreFault;
use simurgh_charging::{Bucket, BucketBalance, BucketTerms, BucketWindow};
use simurgh_ledger::{Asset, BucketRole, Holding};
use simurgh_vocab::{BucketId, LineId, Period, SubscriptionId};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{exactly_one, execute_for_ids, read_all};
use crate::tx::{StoreTx, in_list};

/// Buckets `b` with what they hold.
macro_rules! select_buckets {
    ($rest:literal) => {
        concat!(
            "SELECT b.line_id, b.subscription_id, b.id, b.unit, b.zone, b.granted, b.starts_at,
             b.ends_at, b.first_use_position, b.closed, b.priority, b.rating_groups,
             b.amount_granted, b.amount_left,
             b.amount_reserved, b.amount_used, b.amount_expired, b.amount_reversed
             FROM bucket b ",
            $rest
        )
    };
}

/// The buckets of charged lines that are open or held; ends with `IN`.
pub(crate) const SELECT_CHARGED: &str =
    select_buckets!("WHERE (b.closed = 0 OR b.amount_reserved > 0) AND b.line_id IN");

pub(super) fn insert(tx: &mut StoreTx<'_>, bucket: &Bucket) -> Result<(), StoreFault> {
    tx.settles(bucket.line)?;
    let [starts_at, ends_at, position] = window_columns(bucket.window);
    let sql = "INSERT INTO bucket (line_id, subscription_id, id, unit, zone, granted,
               starts_at, ends_at, first_use_position, closed, priority, rating_groups)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let params = params![
        bucket.line,
        bucket.subscription,
        bucket.id,
        bucket.asset.code(),
        bucket.zone.as_str(),
        bucket.granted,
        starts_at,
        ends_at,
        position,
        bucket.closed,
        i64::from(bucket.terms.priority),
        group_column(&bucket.terms.rating_groups),
    ];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn update(tx: &mut StoreTx<'_>, bucket: &Bucket) -> Result<(), StoreFault> {
    tx.settles(bucket.line)?;
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
    tx.settled(&buckets.iter().copied().collect())?;
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

pub(crate) fn read(row: &mut Row) -> Result<BucketBalance, StoreFault> {
    let bucket = Bucket {
        line: row.id()?,
        subscription: row.id()?,
        id: row.id()?,
        asset: row.code(Asset::from_code)?,
        zone: row.parsed()?,
        granted: row.int()?,
        window: read_window(row)?,
        closed: row.boolean()?,
        terms: read_terms(row)?,
    };
    Ok(BucketBalance {
        bucket,
        holding: read_holding(row)?,
    })
}

/// The columns `amount_granted` and those that follow it, in the order of [`BucketRole::ALL`].
fn read_holding(row: &mut Row) -> Result<Holding, StoreFault> {
    let mut holding = Holding::default();
    for role in BucketRole::ALL {
        holding.read(role, row.int()?);
    }
    Ok(holding)
}

/// The column in which a role of a bucket is kept.
pub(crate) const fn amount_column(role: BucketRole) -> &'static str {
    match role {
        BucketRole::Granted => "amount_granted",
        BucketRole::Left => "amount_left",
        BucketRole::Reserved => "amount_reserved",
        BucketRole::Used => "amount_used",
        BucketRole::Expired => "amount_expired",
        BucketRole::Reversed => "amount_reversed",
    }
}

/// What the buckets hold, locked in the order of their ids; none for one that is not there.
pub(crate) fn holdings(
    tx: &mut StoreTx<'_>,
    ids: &BTreeSet<BucketId>,
) -> Result<HashMap<BucketId, Holding>, StoreFault> {
    tx.settled(ids)?;
    let sql = format!(
        "SELECT b.id, b.amount_granted, b.amount_left, b.amount_reserved, b.amount_used,
         b.amount_expired, b.amount_reversed FROM bucket b WHERE b.id IN {} ORDER BY b.id",
        in_list(1, ids.len())
    );
    let params: Vec<Value> = ids.iter().map(Value::from).collect();
    let rows = tx.query_locked(&sql, &params)?;
    rows.into_iter()
        .map(|mut row| Ok((row.id()?, read_holding(&mut row)?)))
        .collect()
}

/// Sets what buckets hold after charging: grants are none of its business.
pub(crate) fn set_holdings(
    tx: &mut StoreTx<'_>,
    holdings: &BTreeMap<(LineId, BucketId), Holding>,
) -> Result<(), StoreFault> {
    let mut all = holdings.iter();
    all.try_for_each(|((_, id), holding)| set_holding(tx, *id, holding))
}

/// Sets what one bucket holds after charging.
pub(crate) fn set_holding(
    tx: &mut StoreTx<'_>,
    id: BucketId,
    holding: &Holding,
) -> Result<(), StoreFault> {
    let sql = "UPDATE bucket SET amount_left = ?2, amount_reserved = ?3, amount_used = ?4,
               amount_expired = ?5 WHERE id = ?1";
    let (left, reserved) = (holding.left, holding.reserved);
    let params = params![id, left, reserved, holding.used, holding.expired];
    exactly_one(tx.execute(sql, &params)?, "bucket")
}

/// Sets what buckets hold in some of their roles.
pub(crate) fn set_amounts(
    tx: &mut StoreTx<'_>,
    amounts: &BTreeMap<BucketId, Vec<(BucketRole, i64)>>,
) -> Result<(), StoreFault> {
    for (bucket, roles) in amounts {
        let mut sql = "UPDATE bucket SET ".to_owned();
        let mut params = params![*bucket].to_vec();
        for (place, (role, amount)) in (2u32..).zip(roles) {
            let comma = if place == 2 { "" } else { ", " };
            sql.push_str(&format!("{comma}{} = ?{place}", amount_column(*role)));
            params.push(Value::from(*amount));
        }
        sql.push_str(" WHERE id = ?1");
        exactly_one(tx.execute(&sql, &params)?, "bucket")?;
    }
    Ok(())
}

/// The column `rating_groups`: numbers with commas between; empty for any.
fn group_column(rating_groups: &[u32]) -> String {
    let all: Vec<String> = rating_groups.iter().map(ToString::to_string).collect();
    all.join(",")
}

/// The columns `priority` and `rating_groups`.
fn read_terms(row: &mut Row) -> Result<BucketTerms, StoreFault> {
    let priority = u8::try_from(row.int()?);
    let priority = priority.map_err(|_| row.behind("a priority out of range"))?;
    let groups = row.text()?;
    let groups = groups.split(',').filter(|it| !it.is_empty());
    let rating_groups: Result<_, _> = groups.map(str::parse).collect();
    let rating_groups = rating_groups.map_err(|_| row.behind("no list of rating groups"))?;
    Ok(BucketTerms {
        rating_groups,
        priority,
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
