//! Automatic renewal: when to announce it, when to charge, when to try again, when to stop.

use simurgh_vocab::{Currency, Duration, LineId, MandateId, Money, Timestamp};

use crate::{Failure, RetryClass, Selection};

/// Automatic renewal of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoRenewal {
    /// The line.
    pub line: LineId,
    /// The stored method that is charged.
    pub mandate: MandateId,
    /// What is bought each time.
    pub selection: Selection,
    /// For how many periods.
    pub periods: u32,
    /// In which currency.
    pub currency: Currency,
    /// The end of the plan that was announced last; a plan is charged only after its own notice.
    pub announced_for: Option<Timestamp>,
    /// What that notice said will be charged; more than that needs a notice of its own.
    pub announced_total: Option<Money>,
    /// How many charges failed for this end.
    pub failures: u32,
}

/// What to do next about an automatic renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalStep {
    /// Try the charge again at this time.
    RetryAt(Timestamp),
    /// Stop: the customer must act.
    GiveUp,
}

/// How long before the end the notice goes out (law and wallets ask for at least a day).
const NOTICE_BEFORE: Duration = Duration::days(3);
/// How long before the end the first charge is made, which leaves room for retries.
const CHARGE_BEFORE: Duration = Duration::days(1);
/// Between two charges.
const RETRY_EVERY: Duration = Duration::hours(12);
/// Charges per end, the first included: below what card schemes allow in a month.
const CHARGES_MAX: u32 = 6;

/// When the notice of the renewal of a plan that ends at `end` goes out.
#[must_use]
pub const fn notice_at(end: Timestamp) -> Timestamp {
    end.minus(NOTICE_BEFORE)
}

/// When a plan that ends at `end` is charged: a day before, and never sooner than a day after the
/// notice that went out at `announced_at`.
#[must_use]
pub fn next_charge(end: Timestamp, announced_at: Timestamp) -> Timestamp {
    end.minus(CHARGE_BEFORE)
        .max(announced_at.plus(Duration::days(1)))
}

/// What follows the failure number `failures` (from 1) of a charge at `now`.
#[must_use]
pub fn retry_after(failure: Failure, failures: u32, now: Timestamp) -> RenewalStep {
    step_after(failure.retry_class(), failures, now)
}

/// What follows when charge number `failures` (from 1) never reached the provider.
#[must_use]
pub fn retry_lost(failures: u32, now: Timestamp) -> RenewalStep {
    step_after(RetryClass::Later, failures, now)
}

fn step_after(class: RetryClass, failures: u32, now: Timestamp) -> RenewalStep {
    match class {
        RetryClass::Later if failures < CHARGES_MAX => RenewalStep::RetryAt(now.plus(RETRY_EVERY)),
        RetryClass::Later | RetryClass::AfterCustomer | RetryClass::Never => RenewalStep::GiveUp,
    }
}
