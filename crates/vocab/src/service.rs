//! What a plan gives: allowances, where they hold and for how long.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Messages, Octets, Seconds, Timestamp, Unit};

/// An allowance of each service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Allowance {
    /// Data.
    pub data: Octets,
    /// Voice.
    pub voice: Seconds,
    /// Short messages.
    pub sms: Messages,
}

impl Allowance {
    /// The count of one unit.
    #[must_use]
    pub const fn of(&self, unit: Unit) -> i64 {
        match unit {
            Unit::Octets => self.data.count(),
            Unit::Seconds => self.voice.count(),
            Unit::Messages => self.sms.count(),
        }
    }

    /// Whether nothing is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        Unit::ALL.into_iter().all(|unit| self.of(unit) == 0)
    }
}

/// The code of a zone: a set of countries with one price. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ZoneCode(Arc<str>);

/// The text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code: 1 to 40 lower-case letters, digits or hyphens are expected")]
pub struct ParseCodeError;

impl ZoneCode {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZoneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ZoneCode {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_code(text) {
            Ok(Self(text.into()))
        } else {
            Err(ParseCodeError)
        }
    }
}

/// Whether `text` can be a code of the catalogue: 1 to 40 lower-case letters, digits or hyphens.
#[must_use]
pub fn is_code(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A stretch of time: from `start` up to, but not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// When it begins.
    pub start: Timestamp,
    /// When it is over.
    pub end: Timestamp,
}

impl Period {
    /// Whether `at` lies inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}
