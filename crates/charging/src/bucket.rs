//! Buckets: one allowance of a unit of service, or credit in one currency, with its own validity.

use simurgh_ledger::{Asset, Holding};
use simurgh_vocab::{BucketId, LineId, Period, SubscriptionId, Timestamp, Unit, ZoneCode};

/// When a bucket can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketWindow {
    /// In a known period.
    Fixed(Period),
    /// The bucket waits for the first use of its line; it is the `position`-th period from then.
    OnFirstUse {
        /// 0 for the period that begins with the first use.
        position: u32,
    },
}

/// What a bucket pays for, and in which turn.
///
/// Buckets that cover a use pay in this order: lowest priority number, soonest end, a bucket that names
/// the rating group before one for any, most specific zone, oldest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketTerms {
    /// The rating groups it pays for; any if there are none. Source: `RFC 8506 §8.29` (Rating-Group).
    pub rating_groups: Vec<u32>,
    /// Its turn: the lowest number pays first.
    pub priority: u8,
}

impl BucketTerms {
    /// The priority of a bucket about which nothing is said: there is room before and behind it.
    pub const USUAL_PRIORITY: u8 = 100;

    /// Whether it pays for this rating group. Use without a rating group is paid by buckets for any.
    #[must_use]
    pub fn covers(&self, rating_group: Option<u32>) -> bool {
        self.rating_groups.is_empty()
            || rating_group.is_some_and(|group| self.rating_groups.contains(&group))
    }
}

impl Default for BucketTerms {
    fn default() -> Self {
        Self {
            rating_groups: Vec::new(),
            priority: Self::USUAL_PRIORITY,
        }
    }
}

/// A bucket. How much is in it is the ledger's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its id.
    pub id: BucketId,
    /// The line that may use it.
    pub line: LineId,
    /// The subscription it belongs to.
    pub subscription: SubscriptionId,
    /// What it counts: a unit of service, or money, which pays by a rate.
    pub asset: Asset,
    /// Where it may be used.
    pub zone: ZoneCode,
    /// When it may be used.
    pub window: BucketWindow,
    /// How much was granted.
    pub granted: i64,
    /// What it pays for, and in which turn.
    pub terms: BucketTerms,
    /// Whether what was left has been booked as expired or reversed.
    pub closed: bool,
}

/// A bucket with its balances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketBalance {
    /// The bucket.
    pub bucket: Bucket,
    /// What is in it, by the ledger.
    pub holding: Holding,
}

impl Bucket {
    /// Whether it counts this unit of service.
    #[must_use]
    pub fn counts(&self, unit: Unit) -> bool {
        self.asset == Asset::Service(unit)
    }

    /// Whether it may be used at `at`.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        match self.window {
            BucketWindow::Fixed(period) => !self.closed && period.contains(at),
            BucketWindow::OnFirstUse { .. } => false,
        }
    }

    /// When it begins, if that is known.
    #[must_use]
    pub const fn starts_at(&self) -> Option<Timestamp> {
        match self.window {
            BucketWindow::Fixed(period) => Some(period.start),
            BucketWindow::OnFirstUse { .. } => None,
        }
    }

    /// When it ends, if that is known.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        match self.window {
            BucketWindow::Fixed(period) => Some(period.end),
            BucketWindow::OnFirstUse { .. } => None,
        }
    }
}
