//! Allowances: subscriptions, their buckets, what is consumed first, what runs out when.
//!
//! Pure decisions over data the caller loaded. Balances live in the ledger; this crate proposes
//! entries and never changes one itself.

mod answer;
mod bucket;
mod charge;
mod consume;
mod price;
mod record;
mod report;
mod session;
mod standing;
mod subscription;
mod tariff;

pub use answer::{Answer, CommandResult, Quota, ServiceAnswer, ServiceResult};
pub use bucket::{Bucket, BucketBalance, BucketTerms, BucketWindow};
pub use charge::{
    ChargeError, Decision, LineBook, Outcome, charge, give_up, has_credit, waits_for_first_use,
};
pub use consume::{Consumption, Use, consume};
pub use price::{MICROS_PER_MINOR, Meter, PriceError, PriceLine, PriceList, Rate, RateTerms};
pub use record::{Record, RecordCause, RecordedUse};
pub use report::{Asked, Phase, Report, ServiceReport};
pub use session::{
    ANSWERS_KEPT, Answered, Debit, Hold, ServiceKey, ServiceState, Session,
    Standing as SessionStanding,
};
pub use standing::{Standing, UnitStanding, Warning, reached_thresholds, standing, unit_standing};
pub use subscription::{
    Dedicated, Grant, GrantRequest, Issue, Subscription, SubscriptionState, activate, expire,
    grant, revoke, supersede,
};
pub use tariff::{Slice, Tariff, UnknownSessions};
