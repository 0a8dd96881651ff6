//! Slows down whoever guesses.
//!
//! Failures are counted for what was typed (a digest of the number, address or name), whether an
//! account has it or not, so that a lock tells nobody which accounts exist; and for the network
//! the guesses came from. A lock holds off passwords and second factors only: a one-time code
//! still opens the account to its owner, so that nobody can lock them out for long.

use simurgh_vocab::{Duration, Timestamp};

use crate::code::coded;

/// How failures turn into waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardRule {
    /// How many failures in a row cost nothing.
    pub free: u32,
    /// The wait after the next one; each further failure doubles it.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// Failures are forgotten when none came for so long.
    pub forget_after: Duration,
}

impl GuardRule {
    /// For what was typed: 4 are free, then 1, 2, 4, ... minutes up to an hour.
    pub const ACCOUNT: Self = Self {
        free: 4,
        first_wait: Duration::minutes(1),
        longest_wait: Duration::hours(1),
        forget_after: Duration::days(1),
    };

    /// For a network: 29 are free, since many people may share it.
    pub const NETWORK: Self = Self {
        free: 29,
        first_wait: Duration::minutes(1),
        longest_wait: Duration::minutes(15),
        forget_after: Duration::hours(1),
    };
}

/// Failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last_at: Timestamp,
}

impl Failures {
    /// The failures after one more at `now`.
    #[must_use]
    pub fn after_another(before: Option<Self>, rule: &GuardRule, now: Timestamp) -> Self {
        let remembered = before.filter(|failures| failures.remembered(rule, now));
        let count = remembered.map_or(0, |failures| failures.count);
        Self {
            count: count.saturating_add(1),
            last_at: now,
        }
    }

    /// The failures without the last one: it was counted before the attempt and has turned out to
    /// be a success.
    #[must_use]
    pub fn without_last(self) -> Option<Self> {
        let count = self.count.checked_sub(1).filter(|count| *count > 0)?;
        Some(Self { count, ..self })
    }

    /// Until when nothing may be tried.
    #[must_use]
    pub fn locked_until(&self, rule: &GuardRule) -> Option<Timestamp> {
        let beyond = self.count.checked_sub(rule.free)?.checked_sub(1)?;
        let factor = 1u32.checked_shl(beyond).unwrap_or(u32::MAX);
        let wait = rule.first_wait.times(factor).min(rule.longest_wait);
        Some(self.last_at.plus(wait))
    }

    fn remembered(&self, rule: &GuardRule, now: Timestamp) -> bool {
        now.since(self.last_at) < rule.forget_after
    }
}

coded! {
    /// Whose failures lock.
    pub enum GuardScope {
        /// Those for what was typed.
        Account = "account",
        /// Those from the network.
        Network = "network",
    }
}

/// Whether a guess may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardDecision {
    /// It may.
    Proceed,
    /// Not before then, right or wrong.
    LockedUntil {
        /// Until when.
        at: Timestamp,
        /// Whose failures: those that lock longer, the account's when both lock as long.
        scope: GuardScope,
    },
}

/// Decides whether a password or second factor may be tried at `now`.
#[must_use]
pub fn may_try(
    account: Option<Failures>,
    network: Option<Failures>,
    now: Timestamp,
) -> GuardDecision {
    let lock = |failures: Option<Failures>, rule: &GuardRule| {
        let failures = failures.filter(|failures| failures.remembered(rule, now))?;
        failures.locked_until(rule).filter(|until| *until > now)
    };
    let account = lock(account, &GuardRule::ACCOUNT);
    let network = lock(network, &GuardRule::NETWORK);
    match (account, network) {
        (None, None) => GuardDecision::Proceed,
        (Some(at), None) => GuardDecision::LockedUntil {
            at,
            scope: GuardScope::Account,
        },
        (None, Some(at)) => GuardDecision::LockedUntil {
            at,
            scope: GuardScope::Network,
        },
        (Some(account), Some(network)) if network > account => GuardDecision::LockedUntil {
            at: network,
            scope: GuardScope::Network,
        },
        (Some(at), Some(_)) => GuardDecision::LockedUntil {
            at,
            scope: GuardScope::Account,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn failures(count: u32, seconds_ago: u32) -> Option<Failures> {
        Some(Failures {
            count,
            last_at: NOW.minus(Duration::seconds(seconds_ago)),
        })
    }

    #[test]
    fn waiting_grows_with_the_failures() {
        let cases = [
            (None, None, None),
            (failures(4, 0), None, None),
            (failures(5, 0), None, Some((60, GuardScope::Account))),
            (failures(5, 59), None, Some((1, GuardScope::Account))),
            (failures(5, 60), None, None),
            (failures(7, 0), None, Some((240, GuardScope::Account))),
            (failures(11, 0), None, Some((3_600, GuardScope::Account))),
            (
                failures(u32::MAX, 0),
                None,
                Some((3_600, GuardScope::Account)),
            ),
            (None, failures(29, 0), None),
            (None, failures(30, 0), Some((60, GuardScope::Network))),
            (
                failures(5, 0),
                failures(30, 0),
                Some((60, GuardScope::Account)),
            ),
            (
                failures(5, 0),
                failures(99, 0),
                Some((900, GuardScope::Network)),
            ),
        ];
        for (index, (account, network, expected)) in cases.into_iter().enumerate() {
            let expected = expected.map_or(GuardDecision::Proceed, |(seconds, scope)| {
                GuardDecision::LockedUntil {
                    at: NOW.plus(Duration::seconds(seconds)),
                    scope,
                }
            });
            assert_eq!(may_try(account, network, NOW), expected, "case {index}");
        }
    }

    #[test]
    fn failures_add_up_until_they_are_forgotten() {
        let rule = GuardRule::ACCOUNT;
        let more = |before| Failures::after_another(before, &rule, NOW).count;
        assert_eq!(more(None), 1);
        assert_eq!(more(failures(6, 86_399)), 7);
        assert_eq!(more(failures(6, 86_400)), 1);
    }
}
