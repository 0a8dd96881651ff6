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
    let open: Vec<_> = balances
        .iter()
        .filter(|balance| balance.bucket.is_open(at))
        .collect();
    let units = Unit::ALL
        .into_iter()
        .filter_map(|unit| {
            let of_unit: Vec<_> = open.iter().filter(|b| b.bucket.counts(unit)).collect();
            let sum = |amount: fn(&BucketBalance) -> i64| {
                of_unit
                    .iter()
                    .fold(0i64, |sum, b| sum.saturating_add(amount(b)))
            };
            let line = UnitStanding {
                unit,
                granted: sum(|b| b.bucket.granted),
                used: sum(|b| b.holding.used),
                reserved: sum(|b| b.holding.reserved),
                left: sum(|b| b.holding.left),
            };
            if of_unit.is_empty() { None } else { Some(line) }
        })
        .collect();
    Standing {
        units,
        ends_at: open.iter().filter_map(|b| b.bucket.ends_at()).max(),
    }
}

/// The gravest threshold a service has reached, if any.
#[must_use]
pub fn reached_thresholds(unit: &UnitStanding) -> Option<Warning> {
    Warning::ALL.into_iter().find(|warning| {
        let used = i128::from(unit.used) * 100;
        unit.granted > 0 && used >= i128::from(unit.granted) * i128::from(warning.percent())
    })
}
