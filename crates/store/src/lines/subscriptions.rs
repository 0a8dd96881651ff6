//! Subscriptions: the plans of a line.

use simurgh_app::ports::StoreFault;
use simurgh_charging::{Subscription, SubscriptionState};
use simurgh_vocab::{Duration, LineId, OrderId, Period, Timestamp};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::StoreTx;

macro_rules! select_subscriptions {
    ($rest:literal) => {
        concat!(
            "SELECT line_id, id, order_id, selection, catalogue_version, zone, add_on, state,
             starts_at, ends_at, activate_by, validity_micros, periods, state_at
             FROM subscription ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, subscription: &Subscription) -> Result<(), StoreFault> {
    tx.settles(subscription.line)?;
    let sql = "INSERT INTO subscription (line_id, id, order_id, selection, catalogue_version, zone,
               add_on, state, starts_at, ends_at, activate_by, validity_micros, periods, state_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let facts = params![
        subscription.line,
        subscription.id,
        subscription.order,
        &subscription.selection,
        subscription.catalogue_version,
        subscription.zone.as_str(),
        subscription.add_on,
    ];
    let state = state_columns(subscription.state);
    tx.execute(sql, &[&facts[..], &state].concat()).map(drop)
}

pub(super) fn update(tx: &mut StoreTx<'_>, subscription: &Subscription) -> Result<(), StoreFault> {
    tx.settles(subscription.line)?;
    let sql = "UPDATE subscription SET state = ?3, starts_at = ?4, ends_at = ?5, activate_by = ?6,
               validity_micros = ?7, periods = ?8, state_at = ?9 WHERE line_id = ?1 AND id = ?2";
    let key = params![subscription.line, subscription.id];
    let state = state_columns(subscription.state);
    exactly_one(
        tx.execute(sql, &[&key[..], &state].concat())?,
        "subscription",
    )
}

pub(super) fn of_line(tx: &mut StoreTx<'_>, line: LineId) -> Result<Vec<Subscription>, StoreFault> {
    let sql = select_subscriptions!("WHERE line_id = ?1 ORDER BY id");
    read_all(tx.query(sql, &params![line])?, read)
}

pub(super) fn of_order(
    tx: &mut StoreTx<'_>,
    order: OrderId,
) -> Result<Option<Subscription>, StoreFault> {
    let sql = select_subscriptions!("WHERE order_id = ?1");
    read_one(tx.query_one_or_none(sql, &params![order])?, read)
}

fn read(row: &mut Row) -> Result<Subscription, StoreFault> {
    Ok(Subscription {
        line: row.id()?,
        id: row.id()?,
        order: row.id()?,
        selection: row.text()?,
        catalogue_version: row.number()?,
        zone: row.parsed()?,
        add_on: row.boolean()?,
        state: read_state(row)?,
    })
}

/// The columns `state`, `starts_at`, `ends_at`, `activate_by`, `validity_micros`, `periods` and
/// `state_at`.
fn state_columns(state: SubscriptionState) -> [Value; 7] {
    let none: Option<i64> = None;
    match state {
        SubscriptionState::AwaitingFirstUse {
            activate_by,
            validity,
            periods,
        } => {
            let code = "awaiting-first-use";
            let validity = validity.as_micros();
            params![code, none, none, activate_by, validity, periods, none]
        }
        SubscriptionState::Scheduled { period } => {
            params![
                "scheduled",
                period.start,
                period.end,
                none,
                none,
                none,
                none
            ]
        }
        SubscriptionState::Ended { at } => params!["ended", none, none, none, none, none, at],
        SubscriptionState::Revoked { at } => params!["revoked", none, none, none, none, none, at],
    }
}

fn read_state(row: &mut Row) -> Result<SubscriptionState, StoreFault> {
    let code = row.text()?;
    let period = (row.opt_timestamp()?, row.opt_timestamp()?);
    let waiting = (row.opt_timestamp()?, row.opt_int()?, row.opt_int()?);
    let at = row.opt_timestamp()?;
    match (code.as_str(), period, waiting, at) {
        (
            "awaiting-first-use",
            (None, None),
            (Some(activate_by), Some(validity), Some(periods)),
            None,
        ) => Ok(SubscriptionState::AwaitingFirstUse {
            activate_by,
            validity: length(validity).ok_or_else(|| row.behind("a negative validity"))?,
            periods: u32::try_from(periods).map_err(|_| row.behind("too many periods"))?,
        }),
        ("scheduled", (Some(start), Some(end)), (None, None, None), None) => {
            let period = Period { start, end };
            Ok(SubscriptionState::Scheduled { period })
        }
        ("ended", (None, None), (None, None, None), Some(at)) => {
            Ok(SubscriptionState::Ended { at })
        }
        ("revoked", (None, None), (None, None, None), Some(at)) => {
            Ok(SubscriptionState::Revoked { at })
        }
        _ => Err(row.behind("no state of a subscription")),
    }
}

/// A length of time in microseconds. One that is negative is none.
fn length(micros: i64) -> Option<Duration> {
    let start = Timestamp::from_micros(0);
    (micros >= 0).then(|| Timestamp::from_micros(micros).since(start))
}
