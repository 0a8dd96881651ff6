//! Keys and codes of a subscriber: never shown, wiped when dropped.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// A secret of `N` octets.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<const N: usize>(Zeroizing<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Takes the octets.
    #[must_use]
    pub fn new(octets: [u8; N]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// A code of 4 to 8 digits: PIN, PUK or administrative code.
#[derive(Clone, PartialEq, Eq)]
pub struct Digits(Zeroizing<String>);

/// The text is no such code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code of 4 to 8 digits")]
pub struct ParseDigitsError;

impl Digits {
    /// The eight octets that a card keeps: ASCII, filled up with `FF`.
    ///
    /// Source: ETSI TS 102 221 §9.5
    #[must_use]
    pub fn to_octets(&self) -> Zeroizing<[u8; 8]> {
        let mut octets = Zeroizing::new([0xFF; 8]);
        for (to, from) in octets.iter_mut().zip(self.0.bytes()) {
            *to = from;
        }
        octets
    }
}

impl FromStr for Digits {
    type Err = ParseDigitsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed =
            (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        well_formed
            .then(|| Self(Zeroizing::new(text.to_owned())))
            .ok_or(ParseDigitsError)
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(hidden)")
    }
}
