//! Values of leaves: object identifiers and sets of named bits.

use std::fmt;
use std::str::FromStr;

/// An object identifier, kept as its encoded octets.
///
/// Source: ITU-T X.690 §8.19
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(Vec<u8>);

/// The text or the octets are no object identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an object identifier such as 2.999.10")]
pub struct ParseOidError;

/// The most octets of an identifier that is read.
const OCTETS_MAX: usize = 64;

impl Oid {
    /// Takes encoded octets.
    ///
    /// # Errors
    /// [`ParseOidError`] when they end within a number, or a number passes 64 bits.
    pub fn from_octets(octets: &[u8]) -> Result<Self, ParseOidError> {
        let this = Self(octets.to_vec());
        if octets.is_empty() || octets.len() > OCTETS_MAX || this.arcs().is_none() {
            return Err(ParseOidError);
        }
        Ok(this)
    }

    /// The encoded octets, without tag and length.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }

    /// The numbers; `None` when the octets are not well formed.
    fn arcs(&self) -> Option<Vec<u64>> {
        let mut arcs = Vec::new();
        let (mut value, mut open) = (0u64, false);
        for octet in &self.0 {
            if !open && *octet == 0x80 {
                return None;
            }
            value = value.checked_mul(128)? + u64::from(octet & 0x7F);
            open = octet & 0x80 != 0;
            if !open {
                if arcs.is_empty() {
                    let first = (value / 40).min(2);
                    arcs.push(first);
                    value -= first * 40;
                }
                arcs.push(value);
                value = 0;
            }
        }
        (!open).then_some(arcs)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, arc) in self.arcs().unwrap_or_default().iter().enumerate() {
            if place > 0 {
                f.write_str(".")?;
            }
            write!(f, "{arc}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Oid {
    type Err = ParseOidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let arcs = text
            .split('.')
            .map(|arc| {
                let digits = !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit());
                let leading = arc.len() > 1 && arc.starts_with('0');
                arc.parse().ok().filter(|_| digits && !leading)
            })
            .collect::<Option<Vec<u64>>>()
            .ok_or(ParseOidError)?;
        let [first @ 0..=2, second, rest @ ..] = arcs.as_slice() else {
            return Err(ParseOidError);
        };
        if *first < 2 && *second >= 40 {
            return Err(ParseOidError);
        }
        let mut octets = Vec::new();
        let joined = second.checked_add(first * 40).ok_or(ParseOidError)?;
        for arc in std::iter::once(&joined).chain(rest) {
            push_base_128(&mut octets, *arc);
        }
        Self::from_octets(&octets)
    }
}

fn push_base_128(octets: &mut Vec<u8>, value: u64) {
    let digits = (64 - value.leading_zeros()).div_ceil(7).max(1);
    for place in (0..digits).rev() {
        let digit = u8::try_from((value >> (7 * place)) & 0x7F).unwrap_or(0);
        octets.push(if place == 0 { digit } else { digit | 0x80 });
    }
}

/// A set of named bits; bit 0 is the first one sent. At most 64, which is twice what any standard names.
///
/// Source: ITU-T X.690 §8.6
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NamedBits(u64);

impl NamedBits {
    /// No bit.
    pub const NONE: Self = Self(0);

    /// The set with these bits.
    #[must_use]
    pub fn of(bits: &[u32]) -> Self {
        Self(bits.iter().fold(0, |set, bit| set | mask(*bit)))
    }

    /// Whether `bit` is set.
    #[must_use]
    pub const fn has(self, bit: u32) -> bool {
        self.0 & mask(bit) != 0
    }

    /// The set with `bit` too.
    #[must_use]
    pub const fn with(self, bit: u32) -> Self {
        Self(self.0 | mask(bit))
    }

    /// Whether no bit is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Reads the value of a bit string; bits past the 64th are ignored.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let (unused, bits) = octets.split_first()?;
        if *unused > 7 || (bits.is_empty() && *unused != 0) {
            return None;
        }
        let mut set = [0u8; 8];
        for (to, from) in set.iter_mut().zip(bits) {
            *to = *from;
        }
        if let Some(last) = bits.len().checked_sub(1)
            && let Some(octet) = set.get_mut(last)
        {
            *octet &= 0xFFu8.checked_shl(u32::from(*unused)).unwrap_or(0);
        }
        Some(Self(u64::from_be_bytes(set)))
    }

    /// The value of a bit string without trailing zero bits, as DER wants it for named bits.
    #[must_use]
    pub fn to_octets(self) -> Vec<u8> {
        if self.0 == 0 {
            return vec![0];
        }
        let zeros = self.0.trailing_zeros();
        let count = 8 - usize::try_from(zeros / 8).unwrap_or(0);
        let mut octets = vec![u8::try_from(zeros % 8).unwrap_or(0)];
        octets.extend(self.0.to_be_bytes().iter().take(count));
        octets
    }
}

const fn mask(bit: u32) -> u64 {
    if bit < 64 { 1 << (63 - bit) } else { 0 }
}

impl fmt::Debug for NamedBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries((0..64).filter(|bit| self.has(*bit)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_read_both_ways() {
        for (text, octets) in [
            ("2.999.10", &[0x88, 0x37, 0x0A][..]),
            (
                "1.2.840.10045.4.3.2",
                &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2],
            ),
            ("2.23.146.1.2.1.4", &[0x67, 0x81, 0x12, 1, 2, 1, 4]),
            ("0.0", &[0]),
        ] {
            let oid: Oid = text.parse().unwrap();
            assert_eq!(oid.as_octets(), octets);
            assert_eq!(Oid::from_octets(octets).unwrap().to_string(), text);
        }
        for text in ["", "1", "3.1", "1.40", "1..2", "1.+2", "1.2.", "1.02"] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
        assert!(Oid::from_octets(&[0x88]).is_err());
        assert!(Oid::from_octets(&[0x80, 0x01]).is_err());
        assert!(Oid::from_octets(&[0xFF; 11]).is_err());
    }

    #[test]
    fn bits_count_from_the_left_and_lose_trailing_zeros() {
        let install = NamedBits::of(&[0]);
        assert_eq!(install.to_octets(), [7, 0x80]);
        assert_eq!(NamedBits::of(&[1, 2]).to_octets(), [5, 0x60]);
        assert_eq!(NamedBits::of(&[8]).to_octets(), [7, 0, 0x80]);
        assert_eq!(NamedBits::NONE.to_octets(), [0]);
        assert_eq!(NamedBits::from_octets(&[4, 0x8F]), Some(install));
        assert_eq!(
            NamedBits::from_octets(&[0, 0x00, 0x80]),
            Some(NamedBits::of(&[8]))
        );
        assert_eq!(NamedBits::from_octets(&[8, 1]), None);
        assert_eq!(NamedBits::from_octets(&[1]), None);
        assert!(NamedBits::from_octets(&[0; 90]).is_some());
    }
}
