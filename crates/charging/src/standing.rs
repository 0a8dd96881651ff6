//! What a subscriber sees: used, in use now and left, and what to be warned of.

use simurgh_vocab::{Timestamp, Unit};

use crate::BucketBalance;

/// One service of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitStanding {
    /// What it counts.
    pub unit: Unit,
    /// What the open buckets gave.
    pub granted: i64,
    /// What was used of it.
    pub used: i64,
    /// What live sessions hold.
    pub reserved: i64,
    /// What may still be used.
    pub left: i64,
}

/// A threshold of use that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Warning {
    /// 80 % are used.
    Used80,
    /// 90 % are used.
    Used90,
    /// All is used.
    Used100,
}

impl Warning {
    /// Every warning, the gravest first.
    pub const ALL: [Self; 3] = [Self::Used100, Self::Used90, Self::Used80];

    /// The share in percent.
    #[must_use]
    pub const fn percent(self) -> i64 {
        match self {
            Self::Used80 => 80,
            Self::Used90 => 90,
            Self::Used100 => 100,
        }
    }
}

/// The services of a line at a point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// One entry per service that an open bucket gives.
    pub units: Vec<UnitStanding>,
    /// When the last open bucket ends.
    pub ends_at: Option<Timestamp>,
}

/// Sums the open buckets at `at`.
#[must_use]
pub fn standing(balances: &[BucketBalance], at: Timestamp) -> Standing {
    let units = Unit::ALL.into_iter();
    let open = balances.iter().filter(|it| it.bucket.is_open(at));
    Standing {
        units: units
            .filter_map(|unit| unit_standing(balances, unit, at))
            .collect(),
        ends_at: open.filter_map(|it| it.bucket.ends_at()).max(),
    }
}

/// Sums the open buckets of one service at `at`; none if there is no such bucket.
#[must_use]
pub fn unit_standing(
    balances: &[BucketBalance],
    unit: Unit,
    at: Timestamp,
) -> Option<UnitStanding> {
    let mut open = balances
        .iter()
        .filter(|it| it.bucket.counts(unit) && it.bucket.is_open(at))
        .peekable();
    open.peek()?;
    let nothing = UnitStanding {
        unit,
        granted: 0,
        used: 0,
        reserved: 0,
        left: 0,
    };
    Some(open.fold(nothing, |sum, it| UnitStanding {
        unit,
        granted: sum.granted.saturating_add(it.bucket.granted),
        used: sum.used.saturating_add(it.holding.used),
        reserved: sum.reserved.saturating_add(it.holding.reserved),
        left: sum.left.saturating_add(it.holding.left),
    }))
}

/// The gravest threshold a service has reached, if any.
#[must_use]
pub fn reached_thresholds(unit: &UnitStanding) -> Option<Warning> {
    Warning::ALL.into_iter().find(|warning| {
        let used = i128::from(unit.used) * 100;
        unit.granted > 0 && used >= i128::from(unit.granted) * i128::from(warning.percent())
    })
}
