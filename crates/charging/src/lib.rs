//! Allowances: subscriptions, their buckets, what is consumed first, what runs out when.
//!
//! Pure decisions over data the caller loaded. Balances live in the ledger; this crate proposes
//! entries and never changes one itself.

mod bucket;
mod consume;
mod standing;
mod subscription;

pub use bucket::{Bucket, BucketBalance, BucketWindow};
pub use consume::{Consumption, Use, consume};
pub use standing::{Standing, UnitStanding, Warning, reached_thresholds, standing};
pub use subscription::{
    Grant, GrantRequest, Issue, Subscription, SubscriptionState, activate, expire, grant, revoke,
    supersede,
};
