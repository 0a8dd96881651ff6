//! One allowance as the balance meter shows it.

use simurgh_vocab::{Messages, Octets, Seconds, Unit};

use crate::i18n::{Figure, Text, key};

/// One allowance: granted = used + held + left. Counts are in the unit's own measure (octets,
/// seconds, messages).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    unit: Unit,
    granted: i64,
    used: i64,
    held: i64,
}

/// The length of the meter in SVG units.
const WHOLE: i64 = 1_000;

impl Balance {
    /// An allowance of `granted`, of which `used` are spent and `held` are set aside for what is
    /// running now. Values outside `0..=granted` are moved to its ends.
    #[must_use]
    pub fn new(unit: Unit, granted: i64, used: i64, held: i64) -> Self {
        let granted = granted.max(0);
        let used = used.clamp(0, granted);
        Self {
            unit,
            granted,
            used,
            held: held.clamp(0, granted - used),
        }
    }

    /// What the allowance counts.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// What is left to use.
    #[must_use]
    pub const fn left(&self) -> i64 {
        self.granted - self.used - self.held
    }

    /// The icon that goes with its name.
    #[must_use]
    pub const fn icon(&self) -> &'static str {
        match self.unit {
            Unit::Octets => "data",
            Unit::Seconds => "voice",
            Unit::Messages => "sms",
        }
    }

    /// The name of the allowance.
    #[must_use]
    pub fn label(&self, t: &Text) -> String {
        t.msg(match self.unit {
            Unit::Octets => key("balance-data"),
            Unit::Seconds => key("balance-voice"),
            Unit::Messages => key("balance-sms"),
        })
    }

    /// What is left, for the big numeral.
    #[must_use]
    pub fn left_figure(&self, t: &Text) -> Figure {
        self.figure(t, self.left())
    }

    /// What was granted.
    #[must_use]
    pub fn granted_figure(&self, t: &Text) -> Figure {
        self.figure(t, self.granted)
    }

    /// What is used.
    #[must_use]
    pub fn used_figure(&self, t: &Text) -> Figure {
        self.figure(t, self.used)
    }

    /// What is set aside for what is running now.
    #[must_use]
    pub fn held_figure(&self, t: &Text) -> Figure {
        self.figure(t, self.held)
    }

    /// Whether something is set aside.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held > 0
    }

    /// Whether the plan has this allowance at all.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        self.granted > 0
    }

    /// The class for how little is left: `low` at a fifth, `out` at nothing, else `ample`.
    #[must_use]
    pub const fn level(&self) -> &'static str {
        if self.left() == 0 {
            "out"
        } else if self.left() <= self.granted / 5 {
            "low"
        } else {
            "ample"
        }
    }

    /// The part that is left, of 1000. Something left is never drawn as nothing.
    #[must_use]
    pub fn left_length(&self) -> i64 {
        self.length(self.left())
    }

    /// The parts that are left or set aside, of 1000: drawn beneath what is left.
    #[must_use]
    pub fn open_length(&self) -> i64 {
        self.length(self.left() + self.held)
    }

    fn length(&self, count: i64) -> i64 {
        if count == 0 || self.granted == 0 {
            return 0;
        }
        let exact = i128::from(count) * i128::from(WHOLE) / i128::from(self.granted);
        i64::try_from(exact).unwrap_or(WHOLE).max(8)
    }

    fn figure(&self, t: &Text, count: i64) -> Figure {
        match self.unit {
            Unit::Octets => t.data(Octets::new(count).unwrap_or(Octets::ZERO)),
            Unit::Seconds => t.voice(Seconds::new(count).unwrap_or(Seconds::ZERO)),
            Unit::Messages => t.sms(Messages::new(count).unwrap_or(Messages::ZERO)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_never_exceed_the_whole() {
        let odd = Balance::new(Unit::Messages, 10, 8, 7);
        assert_eq!((odd.left(), odd.level()), (0, "out"));
        let negative = Balance::new(Unit::Messages, -4, 2, 1);
        assert_eq!((negative.left(), negative.open_length()), (0, 0));
        let large = Balance::new(Unit::Octets, i64::MAX, 0, 0);
        assert_eq!(large.left_length(), 1_000);
    }

    #[test]
    fn a_little_left_is_still_seen() {
        let balance = Balance::new(Unit::Octets, 20_000_000_000, 19_999_000_000, 0);
        assert_eq!((balance.left_length(), balance.level()), (8, "low"));
    }
}
