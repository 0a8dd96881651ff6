//! Lines, subscriptions, buckets and automatic renewal in the store.

use simurgh_charging::{Bucket, BucketBalance, Subscription};
use simurgh_commerce::AutoRenewal;
use simurgh_vocab::{BucketId, CustomerId, LineId, OrderId, SubscriptionId, Timestamp};

use super::StoreFault;

/// Whether a line is in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    /// In service.
    Active,
    /// Its plan has ended; it keeps its number and can be renewed until then.
    Grace {
        /// When it will be suspended.
        until: Timestamp,
    },
    /// Out of service until it is paid for again.
    Suspended {
        /// Since when.
        since: Timestamp,
    },
    /// Given up for good.
    Closed {
        /// When.
        at: Timestamp,
    },
}

/// A line: one mobile service of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: LineId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Whether it is in service.
    pub state: LineState,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// Use of a line on one day, for the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayUsage {
    /// The day in the calendar of the customer's time zone when it was used, as days since
    /// 1970-01-01.
    pub day: i64,
    /// The unit used.
    pub unit: simurgh_vocab::Unit,
    /// How much.
    pub amount: i64,
}

/// Lines and what they may use.
pub trait Lines {
    /// Stores a new line.
    fn insert_line(&mut self, line: &Line) -> Result<(), StoreFault>;
    /// Stores a line's changed state.
    fn update_line(&mut self, line: &Line) -> Result<(), StoreFault>;
    /// A line, locked until the transaction ends.
    fn line(&mut self, id: LineId) -> Result<Option<Line>, StoreFault>;
    /// A customer's lines, oldest first.
    fn lines_of(&mut self, customer: CustomerId) -> Result<Vec<Line>, StoreFault>;

    /// Stores a new subscription.
    fn insert_subscription(&mut self, subscription: &Subscription) -> Result<(), StoreFault>;
    /// Stores a subscription's changed state.
    fn update_subscription(&mut self, subscription: &Subscription) -> Result<(), StoreFault>;
    /// A line's subscriptions, oldest first.
    fn subscriptions_of(&mut self, line: LineId) -> Result<Vec<Subscription>, StoreFault>;
    /// The subscription an order paid for.
    fn subscription_of_order(&mut self, order: OrderId)
    -> Result<Option<Subscription>, StoreFault>;

    /// Stores a new bucket.
    fn insert_bucket(&mut self, bucket: &Bucket) -> Result<(), StoreFault>;
    /// Stores a bucket's changed window.
    fn update_bucket(&mut self, bucket: &Bucket) -> Result<(), StoreFault>;
    /// Marks buckets as closed.
    fn close_buckets(&mut self, buckets: &[BucketId]) -> Result<(), StoreFault>;
    /// The buckets of a line that are not closed, with their balances.
    fn open_buckets(&mut self, line: LineId) -> Result<Vec<BucketBalance>, StoreFault>;
    /// Every bucket of a subscription, with its balances.
    fn buckets_of(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Vec<BucketBalance>, StoreFault>;

    /// Adds to the history of a day.
    fn add_usage(&mut self, line: LineId, usage: &DayUsage) -> Result<(), StoreFault>;
    /// The history of a line from `day` on.
    fn usage_since(&mut self, line: LineId, day: i64) -> Result<Vec<DayUsage>, StoreFault>;

    /// Automatic renewal of a line, if it is on.
    fn auto_renewal(&mut self, line: LineId) -> Result<Option<AutoRenewal>, StoreFault>;
    /// Sets or changes automatic renewal.
    fn put_auto_renewal(&mut self, renewal: &AutoRenewal) -> Result<(), StoreFault>;
    /// Turns automatic renewal off.
    fn remove_auto_renewal(&mut self, line: LineId) -> Result<(), StoreFault>;
}
