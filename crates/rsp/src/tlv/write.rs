//! Writing BER-TLV in its shortest form (DER).

use super::{NamedBits, Oid, Tag};

/// The most octets of tag and length: four of each and what says how many the length has.
pub(crate) const HEAD_MAX: usize = 9;

/// Gathers objects one after the other.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer[{}]", self.bytes.len())
    }
}

impl Writer {
    /// A writer of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// A writer of nothing yet with room for so many octets.
    #[must_use]
    pub fn with_capacity(octets: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(octets),
        }
    }

    /// One object with the value `value`.
    #[must_use]
    pub fn object(tag: Tag, value: &[u8]) -> Vec<u8> {
        let mut writer = Self::with_capacity(value.len() + HEAD_MAX);
        writer.octets(tag, value);
        writer.bytes
    }

    /// One object that holds what `fill` writes.
    #[must_use]
    pub fn nest(tag: Tag, fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut inside = Self::new();
        fill(&mut inside);
        Self::object(tag, &inside.bytes)
    }

    /// Adds an object that holds what `fill` writes.
    pub fn nested(&mut self, tag: Tag, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inside = Self::new();
        fill(&mut inside);
        self.octets(tag, &inside.bytes)
    }

    /// Adds tag and length of an object whose value of `length` octets comes from elsewhere.
    pub fn head(&mut self, tag: Tag, length: usize) -> &mut Self {
        let octets = tag.octets().to_be_bytes();
        let start = octets.len() - usize::try_from(tag.len()).unwrap_or(1);
        self.bytes.extend(octets.iter().skip(start));
        if let Ok(short @ 0..=0x7F) = u8::try_from(length) {
            self.bytes.push(short);
        } else {
            let length = length.to_be_bytes();
            let significant = length.iter().skip_while(|octet| **octet == 0);
            let count = u8::try_from(significant.clone().count()).unwrap_or(0);
            self.bytes.push(0x80 | count);
            self.bytes.extend(significant);
        }
        self
    }

    /// Adds an object with the value `value`.
    pub fn octets(&mut self, tag: Tag, value: &[u8]) -> &mut Self {
        self.head(tag, value.len());
        self.bytes.extend_from_slice(value);
        self
    }

    /// Adds an object if there is a value.
    pub fn octets_if(&mut self, tag: Tag, value: Option<&[u8]>) -> &mut Self {
        if let Some(value) = value {
            self.octets(tag, value);
        }
        self
    }

    /// Adds a whole number in the fewest octets of two's complement.
    pub fn integer(&mut self, tag: Tag, value: u64) -> &mut Self {
        let octets = value.to_be_bytes();
        let mut digits: Vec<u8> = octets.iter().copied().skip_while(|o| *o == 0).collect();
        if digits.first().is_none_or(|first| first & 0x80 != 0) {
            digits.insert(0, 0);
        }
        self.octets(tag, &digits)
    }

    /// Adds a truth value.
    pub fn boolean(&mut self, tag: Tag, value: bool) -> &mut Self {
        self.octets(tag, if value { &[0xFF] } else { &[0x00] })
    }

    /// Adds a set of named bits.
    pub fn bits(&mut self, tag: Tag, value: NamedBits) -> &mut Self {
        self.octets(tag, &value.to_octets())
    }

    /// Adds an object identifier.
    pub fn oid(&mut self, tag: Tag, value: &Oid) -> &mut Self {
        self.octets(tag, value.as_octets())
    }

    /// Adds what is encoded already.
    pub fn raw(&mut self, encoded: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(encoded);
        self
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
