//! Lines, subscriptions, buckets, the history of use, and automatic renewal.

pub(crate) mod buckets;
mod subscriptions;

use simurgh_app::ports::{DayUsage, Line, LineState, Lines, StoreFault};
use simurgh_charging::{Bucket, BucketBalance, Subscription};
use simurgh_commerce::AutoRenewal;
use simurgh_vocab::{
    BucketId, CustomerId, LineId, Money, OrderId, SubscriptionId, Timestamp, Unit,
};

use crate::db::Row;
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::{Lock, StoreTx};

macro_rules! select_lines {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer_id, opened_at, state, state_at FROM line ",
            $rest
        )
    };
}

impl Lines for StoreTx<'_> {
    fn insert_line(&mut self, line: &Line) -> Result<(), StoreFault> {
        self.locks(Lock::Line, line.id.as_bytes())?;
        let (state, state_at) = state_columns(line.state);
        let sql = "INSERT INTO line (id, customer_id, opened_at, state, state_at)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = params![line.id, line.customer, line.opened_at, state, state_at];
        self.execute(sql, &params).map(drop)
    }

    fn update_line(&mut self, line: &Line) -> Result<(), StoreFault> {
        self.locks(Lock::Line, line.id.as_bytes())?;
        self.settles(line.id)?;
        let (state, state_at) = state_columns(line.state);
        let sql = "UPDATE line SET state = ?2, state_at = ?3 WHERE id = ?1";
        exactly_one(
            self.execute(sql, &params![line.id, state, state_at])?,
            "line",
        )
    }

    fn line(&mut self, id: LineId) -> Result<Option<Line>, StoreFault> {
        self.locks(Lock::Line, id.as_bytes())?;
        self.settles(id)?;
        let sql = select_lines!("WHERE id = ?1");
        read_one(self.query_one_or_none_locked(sql, &params![id])?, read)
    }

    fn lines_of(&mut self, customer: CustomerId) -> Result<Vec<Line>, StoreFault> {
        let sql = select_lines!("WHERE customer_id = ?1 ORDER BY opened_at, id");
        read_all(self.query(sql, &params![customer])?, read)
    }

    fn insert_subscription(&mut self, subscription: &Subscription) -> Result<(), StoreFault> {
        subscriptions::insert(self, subscription)
    }

    fn update_subscription(&mut self, subscription: &Subscription) -> Result<(), StoreFault> {
        subscriptions::update(self, subscription)
    }

    fn subscriptions_of(&mut self, line: LineId) -> Result<Vec<Subscription>, StoreFault> {
        subscriptions::of_line(self, line)
    }

    fn subscription_of_order(
        &mut self,
        order: OrderId,
    ) -> Result<Option<Subscription>, StoreFault> {
        subscriptions::of_order(self, order)
    }

    fn insert_bucket(&mut self, bucket: &Bucket) -> Result<(), StoreFault> {
        buckets::insert(self, bucket)
    }

    fn update_bucket(&mut self, bucket: &Bucket) -> Result<(), StoreFault> {
        buckets::update(self, bucket)
    }

    fn close_buckets(&mut self, buckets: &[BucketId]) -> Result<(), StoreFault> {
        buckets::close(self, buckets)
    }

    fn open_buckets(&mut self, line: LineId) -> Result<Vec<BucketBalance>, StoreFault> {
        buckets::open(self, line)
    }

    fn buckets_of(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Vec<BucketBalance>, StoreFault> {
        buckets::of_subscription(self, subscription)
    }

    fn add_usage(&mut self, line: LineId, usage: &DayUsage) -> Result<(), StoreFault> {
        let sql = "INSERT INTO line_usage (line_id, day, unit, amount) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (line_id, day, unit)
                   DO UPDATE SET amount = line_usage.amount + excluded.amount";
        let params = params![line, usage.day, usage.unit, usage.amount];
        self.execute(sql, &params).map(drop)
    }

    fn usage_since(&mut self, line: LineId, day: i64) -> Result<Vec<DayUsage>, StoreFault> {
        let sql = "SELECT day, unit, amount FROM line_usage
                   WHERE line_id = ?1 AND day >= ?2 ORDER BY day, unit";
        read_all(self.query(sql, &params![line, day])?, |row| {
            Ok(DayUsage {
                day: row.int()?,
                unit: row.code(Unit::from_code)?,
                amount: row.int()?,
            })
        })
    }

    fn auto_renewal(&mut self, line: LineId) -> Result<Option<AutoRenewal>, StoreFault> {
        let sql =
            "SELECT line_id, mandate_id, selection, periods, currency, announced_for, failures,
                    announced_total FROM auto_renewal WHERE line_id = ?1";
        read_one(self.query_one_or_none(sql, &params![line])?, |row| {
            let (line, mandate) = (row.id()?, row.id()?);
            let (selection, periods) = (row.parsed()?, row.number()?);
            let currency = row.parsed()?;
            Ok(AutoRenewal {
                line,
                mandate,
                selection,
                periods,
                currency,
                announced_for: row.opt_timestamp()?,
                failures: row.number()?,
                announced_total: row.opt_int()?.map(|minor| Money::new(minor, currency)),
            })
        })
    }

    fn put_auto_renewal(&mut self, renewal: &AutoRenewal) -> Result<(), StoreFault> {
        let sql = "INSERT INTO auto_renewal
                   (line_id, mandate_id, selection, periods, currency, announced_for, failures,
                    announced_total)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT (line_id) DO UPDATE SET mandate_id = excluded.mandate_id,
                   selection = excluded.selection, periods = excluded.periods,
                   currency = excluded.currency, announced_for = excluded.announced_for,
                   failures = excluded.failures,
                   announced_total = excluded.announced_total";
        let params = params![
            renewal.line,
            renewal.mandate,
            renewal.selection.to_string(),
            renewal.periods,
            renewal.currency,
            renewal.announced_for,
            renewal.failures,
            renewal.announced_total.map(|total| total.minor),
        ];
        self.execute(sql, &params).map(drop)
    }

    fn remove_auto_renewal(&mut self, line: LineId) -> Result<(), StoreFault> {
        let sql = "DELETE FROM auto_renewal WHERE line_id = ?1";
        self.execute(sql, &params![line]).map(drop)
    }
}

pub(crate) fn read(row: &mut Row) -> Result<Line, StoreFault> {
    Ok(Line {
        id: row.id()?,
        customer: row.id()?,
        opened_at: row.timestamp()?,
        state: read_state(row)?,
    })
}

const fn state_columns(state: LineState) -> (&'static str, Option<Timestamp>) {
    match state {
        LineState::Active => ("active", None),
        LineState::Grace { until } => ("grace", Some(until)),
        LineState::Suspended { since } => ("suspended", Some(since)),
        LineState::Closed { at } => ("closed", Some(at)),
    }
}

fn read_state(row: &mut Row) -> Result<LineState, StoreFault> {
    match (row.text()?.as_str(), row.opt_timestamp()?) {
        ("active", None) => Ok(LineState::Active),
        ("grace", Some(until)) => Ok(LineState::Grace { until }),
        ("suspended", Some(since)) => Ok(LineState::Suspended { since }),
        ("closed", Some(at)) => Ok(LineState::Closed { at }),
        _ => Err(row.behind("no state of a line")),
    }
}
