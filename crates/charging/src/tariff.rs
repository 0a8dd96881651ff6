//! The operator's rules of charging: slices, times, free services.

use simurgh_vocab::{Duration, Unit};

/// The bounds of one slice of quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The least, unless less is left.
    pub least: i64,
    /// The most.
    pub most: i64,
}

/// What becomes of an update or an end of a session that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownSessions {
    /// It is refused; an end is remembered, so that a late beginning holds nothing.
    Refused,
    /// The session goes on here: it began at another server, which failed. What is reported is debited.
    /// Source: `RFC 8506 §5.7` (failover)
    TakenOver,
}

/// The rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff {
    /// Slices of data in octets.
    pub data: Slice,
    /// Slices of voice in seconds.
    pub voice: Slice,
    /// Slices of messages.
    pub messages: Slice,
    /// How long quota may be used before it is reported.
    pub validity: Duration,
    /// The share of a slice in percent that may be left when the client asks anew.
    pub threshold_percent: u8,
    /// Rating groups that cost nothing, e.g. the way to the operator's own portal.
    pub free_rating_groups: Vec<u32>,
    /// What becomes of reports of sessions that nobody began here.
    pub unknown_sessions: UnknownSessions,
}

impl Default for Tariff {
    fn default() -> Self {
        Self {
            data: Slice {
                least: 256 * 1_024,
                most: 64 * 1_024 * 1_024,
            },
            voice: Slice {
                least: 10,
                most: 300,
            },
            messages: Slice { least: 1, most: 5 },
            validity: Duration::minutes(30),
            threshold_percent: 20,
            free_rating_groups: Vec::new(),
            unknown_sessions: UnknownSessions::Refused,
        }
    }
}

impl Tariff {
    /// The slices of a unit.
    #[must_use]
    pub const fn slice(&self, unit: Unit) -> Slice {
        match unit {
            Unit::Octets => self.data,
            Unit::Seconds => self.voice,
            Unit::Messages => self.messages,
        }
    }

    /// Whether a rating group costs nothing.
    #[must_use]
    pub fn is_free(&self, rating_group: Option<u32>) -> bool {
        rating_group.is_some_and(|group| self.free_rating_groups.contains(&group))
    }
}
