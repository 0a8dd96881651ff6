//! BER-TLV as eUICCs and remote provisioning use it: a zero-copy reader that keeps the bytes of every
//! object as they came, and a writer.
//!
//! Signatures are made over bytes. What was received is verified over [`Tlv::raw`], never over a new
//! encoding of what was understood. The reader therefore also accepts lengths that are longer than
//! needed (BER); the writer always writes the shortest form (DER).

mod fields;
mod value;
mod write;

pub use fields::{DecodeError, Fields};
pub use value::{NamedBits, Oid, ParseOidError};
pub(crate) use write::HEAD_MAX;
pub use write::Writer;

use std::fmt;

/// The deepest nesting that is read: certificates and profile packages need about ten.
pub const DEPTH_MAX: u8 = 24;

/// The longest object that is read, in octets: a profile package with applets is well below it.
pub const LENGTH_MAX: usize = 2 * 1024 * 1024;

/// The most objects in one other object: a profile of two MiB has about 2,100 segments.
pub const CHILDREN_MAX: usize = 8_192;

/// The tag of an object: its octets as one number, such as `0x30`, `0x5F37` or `0xBF22`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(u32);

impl Tag {
    /// The tag with these octets.
    #[must_use]
    pub const fn new(octets: u32) -> Self {
        Self(octets)
    }

    /// Its octets as one number.
    #[must_use]
    pub const fn octets(self) -> u32 {
        self.0
    }

    /// Whether an object with this tag holds other objects.
    #[must_use]
    pub const fn is_constructed(self) -> bool {
        let shift = 8 * (self.len() - 1);
        (self.0 >> shift) & 0x20 != 0
    }

    /// How many octets the tag has.
    #[must_use]
    pub const fn len(self) -> u32 {
        match self.0 {
            0..=0xFF => 1,
            0x100..=0xFFFF => 2,
            0x1_0000..=0xFF_FFFF => 3,
            _ => 4,
        }
    }

    /// Never: a tag has an octet.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

/// The bytes are no BER-TLV, or pass a limit. The sender is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// The bytes end inside an object.
    #[error("the data end inside an object")]
    Truncated,
    /// The object has no length of its own.
    #[error("an object of indefinite length")]
    IndefiniteLength,
    /// The object is longer than [`LENGTH_MAX`].
    #[error("an object that is too long")]
    TooLong,
    /// The tag has more octets than are read, or begins its number with zero.
    #[error("a tag that is not well formed")]
    BadTag,
    /// Objects are nested deeper than [`DEPTH_MAX`].
    #[error("objects are nested too deep")]
    TooDeep,
    /// More than [`CHILDREN_MAX`] objects in one.
    #[error("too many objects in one")]
    TooMany,
    /// Something follows where nothing may.
    #[error("data after the end of the object")]
    TrailingData,
}

/// One object: where it lies in what was received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    tag: Tag,
    raw: &'a [u8],
    value: &'a [u8],
    depth: u8,
}

impl<'a> Tlv<'a> {
    /// Reads the one object that `bytes` are.
    ///
    /// # Errors
    /// [`TlvError`] when they are no object, or more than one.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, TlvError> {
        let mut reader = Reader::new(bytes);
        let first = reader.take()?.ok_or(TlvError::Truncated)?;
        if reader.is_empty() {
            Ok(first)
        } else {
            Err(TlvError::TrailingData)
        }
    }

    /// Its tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// The whole object as it was received: tag, length and value.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Tag and length as they were received.
    #[must_use]
    pub fn head(&self) -> &'a [u8] {
        self.raw
            .get(..self.raw.len() - self.value.len())
            .unwrap_or(&[])
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The objects inside.
    ///
    /// # Errors
    /// [`TlvError::TooDeep`].
    pub const fn children(&self) -> Result<Reader<'a>, TlvError> {
        if self.depth >= DEPTH_MAX {
            return Err(TlvError::TooDeep);
        }
        Ok(Reader {
            rest: self.value,
            depth: self.depth + 1,
        })
    }
}

impl fmt::Debug for Tlv<'_> {
    /// Tag and length only: values can be key material.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.tag, self.value.len())
    }
}

/// Reads one object after the other.
#[derive(Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader[{}]", self.rest.len())
    }
}

impl<'a> Reader<'a> {
    /// A reader of the objects that `bytes` are.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            depth: 0,
        }
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next object; `None` at the end.
    ///
    /// # Errors
    /// [`TlvError`] when what is left is no object.
    pub fn take(&mut self) -> Result<Option<Tlv<'a>>, TlvError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let head = Head::parse(self.rest)?;
        let end = head
            .octets
            .checked_add(head.length)
            .ok_or(TlvError::TooLong)?;
        let raw = self.rest.get(..end).ok_or(TlvError::Truncated)?;
        let value = raw.get(head.octets..).ok_or(TlvError::Truncated)?;
        self.rest = self.rest.get(end..).unwrap_or(&[]);
        Ok(Some(Tlv {
            tag: head.tag,
            raw,
            value,
            depth: self.depth,
        }))
    }

    /// All objects that are left.
    ///
    /// # Errors
    /// [`TlvError`] when one is not well formed or they are too many.
    pub fn all(mut self) -> Result<Vec<Tlv<'a>>, TlvError> {
        let mut found = Vec::new();
        while let Some(one) = self.take()? {
            if found.len() >= CHILDREN_MAX {
                return Err(TlvError::TooMany);
            }
            found.push(one);
        }
        Ok(found)
    }
}

/// Tag and length at the start of some bytes; the value need not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The tag.
    pub tag: Tag,
    /// The length of the value in octets.
    pub length: usize,
    /// How many octets tag and length take.
    pub octets: usize,
}

impl Head {
    /// Reads tag and length.
    ///
    /// # Errors
    /// [`TlvError`] when they are not whole, not well formed or past a limit.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlvError> {
        let (tag, after_tag) = parse_tag(bytes)?;
        let (length, octets) = parse_length(bytes, after_tag)?;
        if length > LENGTH_MAX {
            return Err(TlvError::TooLong);
        }
        Ok(Self {
            tag,
            length,
            octets,
        })
    }
}

fn octet(bytes: &[u8], at: usize) -> Result<u8, TlvError> {
    bytes.get(at).copied().ok_or(TlvError::Truncated)
}

/// The tag and where it ends.
fn parse_tag(bytes: &[u8]) -> Result<(Tag, usize), TlvError> {
    let first = octet(bytes, 0)?;
    let mut tag = u32::from(first);
    if first & 0x1F != 0x1F {
        return Ok((Tag(tag), 1));
    }
    for at in 1..4 {
        let next = octet(bytes, at)?;
        if at == 1 && next == 0x80 {
            return Err(TlvError::BadTag);
        }
        tag = (tag << 8) | u32::from(next);
        if next & 0x80 == 0 {
            return Ok((Tag(tag), at + 1));
        }
    }
    Err(TlvError::BadTag)
}

/// The length that begins at `at`, and where it ends.
fn parse_length(bytes: &[u8], at: usize) -> Result<(usize, usize), TlvError> {
    let first = octet(bytes, at)?;
    match first {
        0..=0x7F => Ok((usize::from(first), at + 1)),
        0x80 => Err(TlvError::IndefiniteLength),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7F);
            let mut length = 0usize;
            for step in 1..=count {
                length = (length << 8) | usize::from(octet(bytes, at + step)?);
            }
            Ok((length, at + 1 + count))
        }
        0x85..=0xFF => Err(TlvError::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_and_lengths_of_every_form() {
        let long = [&[0x5F, 0x49, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
        let tlv = Tlv::parse(&long).unwrap();
        assert_eq!(tlv.tag(), Tag::new(0x5F49));
        assert_eq!((tlv.value().len(), tlv.head().len()), (256, 5));
        assert!(!tlv.tag().is_constructed());
        assert!(Tag::new(0xBF22).is_constructed() && Tag::new(0x30).is_constructed());
        // BER: a length that is longer than needed keeps its bytes.
        let padded = Tlv::parse(&[0x04, 0x83, 0, 0, 1, 9]).unwrap();
        assert_eq!((padded.value(), padded.raw().len()), (&[9][..], 6));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for (bytes, why) in [
            (&[][..], TlvError::Truncated),
            (&[0x30], TlvError::Truncated),
            (&[0x30, 2, 0], TlvError::Truncated),
            (&[0x30, 0x80, 0, 0], TlvError::IndefiniteLength),
            (&[0x30, 0x85, 0, 0, 0, 0, 0], TlvError::TooLong),
            (&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], TlvError::TooLong),
            (&[0x1F, 0x80, 0x01, 0], TlvError::BadTag),
            (&[0x1F, 0x81, 0x82, 0x83, 0x04, 0], TlvError::BadTag),
            (&[0x04, 0, 0], TlvError::TrailingData),
        ] {
            assert_eq!(Tlv::parse(bytes), Err(why), "{bytes:02X?}");
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let mut bytes = vec![0x04, 0x00];
        for _ in 0..40 {
            bytes = Writer::object(Tag::new(0x30), &bytes);
        }
        let mut tlv = Tlv::parse(&bytes).unwrap();
        let refused = loop {
            match tlv.children() {
                Ok(mut inside) => tlv = inside.take().unwrap().unwrap(),
                Err(error) => break error,
            }
        };
        assert_eq!(refused, TlvError::TooDeep);
    }

    fn walk(tlv: &Tlv<'_>) {
        if let Ok(children) = tlv.children()
            && let Ok(children) = children.all()
        {
            for child in &children {
                walk(child);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(tlv) = Tlv::parse(&bytes) {
                prop_assert_eq!(tlv.raw(), &bytes[..]);
                walk(&tlv);
            }
        }

        #[test]
        fn what_is_written_reads_back(
            tag in prop_oneof![Just(0x04u32), Just(0x5F37), Just(0xBF22), Just(0x9F70)],
            value in proptest::collection::vec(any::<u8>(), 0..70_000)
        ) {
            let bytes = Writer::object(Tag::new(tag), &value);
            let tlv = Tlv::parse(&bytes).unwrap();
            prop_assert_eq!((tlv.tag(), tlv.value(), tlv.raw()), (Tag::new(tag), &value[..], &bytes[..]));
        }
    }
}
