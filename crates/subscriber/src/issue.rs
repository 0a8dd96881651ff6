//! How often a one-time code is sent.

use simurgh_vocab::{Duration, Timestamp};

use crate::code::coded;

/// At most so many within so long, counted over any stretch of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: u32,
    /// Within how long.
    pub within: Duration,
}

impl Limit {
    /// At most `count` within `within`.
    #[must_use]
    pub const fn new(count: u32, within: Duration) -> Self {
        Self { count, within }
    }

    /// The first moment after `now` at which it may happen again, from when it happened before,
    /// the newest first; none if it may at `now`.
    #[must_use]
    pub fn retry_at(&self, happened: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
        let last = usize::try_from(self.count).ok()?.checked_sub(1)?;
        let free = happened.get(last)?.plus(self.within);
        (free > now).then_some(free)
    }
}

/// The limits on sending codes: what carriers accept for one number (1 a minute, 5 an hour, 10 a
/// day), and what one household or office needs, against pumping of messages (V2.4.1, V6.6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueLimits {
    /// For one number or mailbox, over all purposes.
    pub per_address: Vec<Limit>,
    /// For one [`Network`](crate::Network).
    pub per_network: Vec<Limit>,
}

impl Default for IssueLimits {
    fn default() -> Self {
        Self {
            per_address: vec![
                Limit::new(1, Duration::minutes(1)),
                Limit::new(5, Duration::hours(1)),
                Limit::new(10, Duration::days(1)),
            ],
            per_network: vec![
                Limit::new(60, Duration::hours(1)),
                Limit::new(300, Duration::days(1)),
            ],
        }
    }
}

impl IssueLimits {
    /// How many of the newest times must be known to decide for an address.
    #[must_use]
    pub fn address_history(&self) -> u32 {
        history(&self.per_address)
    }

    /// How many of the newest times must be known to decide for a network.
    #[must_use]
    pub fn network_history(&self) -> u32 {
        history(&self.per_network)
    }
}

fn history(limits: &[Limit]) -> u32 {
    limits.iter().map(|limit| limit.count).max().unwrap_or(0)
}

coded! {
    /// Whose limit was reached.
    pub enum IssueScope {
        /// The number's or mailbox's.
        Address = "address",
        /// The network's.
        Network = "network",
    }
}

/// Whether a code may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueDecision {
    /// It may.
    Allowed,
    /// Not before then.
    RetryAt {
        /// The first moment at which it may, if nothing else is sent.
        at: Timestamp,
        /// Whose limit says so: the one that lasts longer, the address's when they are equal.
        scope: IssueScope,
    },
}

/// Decides whether a code may be sent at `now`, from when codes were sent before to the same
/// address and from the same network: the newest first, as many as
/// [`address_history`](IssueLimits::address_history) and
/// [`network_history`](IssueLimits::network_history) say.
#[must_use]
pub fn may_issue(
    limits: &IssueLimits,
    to_address: &[Timestamp],
    from_network: &[Timestamp],
    now: Timestamp,
) -> IssueDecision {
    let address = blocked_until(&limits.per_address, to_address, now);
    let network = blocked_until(&limits.per_network, from_network, now);
    match (address, network) {
        (None, None) => IssueDecision::Allowed,
        (Some(at), network) if network.is_none_or(|other| other <= at) => IssueDecision::RetryAt {
            at,
            scope: IssueScope::Address,
        },
        (Some(at), None) => IssueDecision::RetryAt {
            at,
            scope: IssueScope::Address,
        },
        (_, Some(at)) => IssueDecision::RetryAt {
            at,
            scope: IssueScope::Network,
        },
    }
}

/// The latest moment at which one of `limits` is still used up, if that is after `now`.
fn blocked_until(
    limits: &[Limit],
    newest_first: &[Timestamp],
    now: Timestamp,
) -> Option<Timestamp> {
    limits
        .iter()
        .filter_map(|limit| limit.retry_at(newest_first, now))
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    /// The times so many seconds ago.
    fn ago(seconds: &[u32]) -> Vec<Timestamp> {
        seconds
            .iter()
            .map(|s| NOW.minus(Duration::seconds(*s)))
            .collect()
    }

    #[test]
    fn one_a_minute_five_an_hour_ten_a_day() {
        let hourly: Vec<u32> = (1..=10).map(|n| n * 3_600).collect();
        let crowd: Vec<u32> = (0..60).map(|n| n * 10).collect();
        let quiet: Vec<u32> = (0..60).map(|n| 1 + n * 61).collect();
        let at = |seconds, scope| IssueDecision::RetryAt {
            at: NOW.plus(Duration::seconds(seconds)),
            scope,
        };
        let cases: Vec<(Vec<u32>, Vec<u32>, IssueDecision)> = vec![
            (vec![], vec![], IssueDecision::Allowed),
            (vec![59], vec![], at(1, IssueScope::Address)),
            (vec![60], vec![], IssueDecision::Allowed),
            (vec![60, 200, 300, 400], vec![], IssueDecision::Allowed),
            (
                vec![60, 200, 300, 400, 500],
                vec![],
                at(3_100, IssueScope::Address),
            ),
            (
                vec![60, 200, 300, 400, 3_600],
                vec![],
                IssueDecision::Allowed,
            ),
            (hourly, vec![], at(14 * 3_600, IssueScope::Address)),
            (vec![], crowd.clone(), at(3_010, IssueScope::Network)),
            (vec![], quiet, at(0, IssueScope::Network)),
            (vec![30], crowd, at(3_010, IssueScope::Network)),
        ];
        for (index, (address, network, expected)) in cases.into_iter().enumerate() {
            let decision = may_issue(&IssueLimits::default(), &ago(&address), &ago(&network), NOW);
            let expected = match expected {
                IssueDecision::RetryAt { at, .. } if at <= NOW => IssueDecision::Allowed,
                other => other,
            };
            assert_eq!(decision, expected, "case {index}");
        }
    }

    #[test]
    fn the_history_covers_the_largest_limit() {
        let limits = IssueLimits::default();
        assert_eq!(
            (limits.address_history(), limits.network_history()),
            (10, 300)
        );
    }
}
