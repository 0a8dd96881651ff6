//! What a customer chose.

use std::fmt;
use std::str::FromStr;

use simurgh_vocab::{Allowance, Messages, Octets, Seconds, ZoneCode, is_code};

/// One's own mix of data, voice and SMS in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    /// Where it holds.
    pub zone: ZoneCode,
    /// What one period gives.
    pub allowance: Allowance,
}

/// The thing that is bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// A ready-made plan, by its code.
    Offer(String),
    /// An own mix.
    Mix(Mix),
    /// Extra data on the running plan, by its code.
    AddOn(String),
}

/// The text names no selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a selection: offer:CODE, mix:ZONE:OCTETS:SECONDS:MESSAGES or add-on:CODE is expected")]
pub struct ParseSelectionError;

impl fmt::Display for Selection {
    /// The form in which a selection is stored and sent: `offer:CODE`, `add-on:CODE` or
    /// `mix:ZONE:OCTETS:SECONDS:MESSAGES`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offer(code) => write!(f, "offer:{code}"),
            Self::AddOn(code) => write!(f, "add-on:{code}"),
            Self::Mix(Mix { zone, allowance }) => write!(
                f,
                "mix:{zone}:{}:{}:{}",
                allowance.data.count(),
                allowance.voice.count(),
                allowance.sms.count()
            ),
        }
    }
}

impl FromStr for Selection {
    type Err = ParseSelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split(':').collect();
        let count = |text: &str| text.parse::<i64>().map_err(|_| ParseSelectionError);
        match parts.as_slice() {
            ["offer", code] if is_code(code) => Ok(Self::Offer((*code).to_owned())),
            ["add-on", code] if is_code(code) => Ok(Self::AddOn((*code).to_owned())),
            ["mix", zone, data, voice, sms] => Ok(Self::Mix(Mix {
                zone: zone.parse().map_err(|_| ParseSelectionError)?,
                allowance: Allowance {
                    data: Octets::new(count(data)?).ok_or(ParseSelectionError)?,
                    voice: Seconds::new(count(voice)?).ok_or(ParseSelectionError)?,
                    sms: Messages::new(count(sms)?).ok_or(ParseSelectionError)?,
                },
            })),
            _ => Err(ParseSelectionError),
        }
    }
}
