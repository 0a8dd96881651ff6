//! Quantities of service: octets of data, seconds of voice, short messages.

use std::fmt;

/// Declares one quantity type. Quantities fit a signed 64-bit column, so they stop at `i64::MAX`.
macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(i64);

        impl $name {
            /// None.
            pub const ZERO: Self = Self(0);

            /// The quantity, if it is not negative.
            #[must_use]
            pub const fn new(count: i64) -> Option<Self> {
                if count < 0 { None } else { Some(Self(count)) }
            }

            /// The count.
            #[must_use]
            pub const fn count(self) -> i64 {
                self.0
            }
        }
    )*};
}

quantities! {
    /// A volume of data in octets.
    Octets,
    /// A length of voice in seconds.
    Seconds,
    /// A number of short messages.
    Messages,
}

/// What a quantity counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Octets of data.
    Octets,
    /// Seconds of voice.
    Seconds,
    /// Short messages.
    Messages,
}

impl Unit {
    /// Every unit, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Octets, Self::Seconds, Self::Messages];

    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Octets => "octets",
            Self::Seconds => "seconds",
            Self::Messages => "messages",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.code() == code)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
