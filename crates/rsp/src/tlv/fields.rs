//! The members of a constructed object by tag: unknown ones are ignored, missing ones are named.

use super::{NamedBits, Oid, Tag, Tlv, TlvError};

/// A message cannot be understood. The sender is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is not well formed.
    #[error("{structure}: {error}")]
    Tlv {
        /// The structure that was read.
        structure: &'static str,
        /// What is wrong.
        error: TlvError,
    },
    /// Another object was expected.
    #[error("{structure}: tag {found} where {expected} is expected")]
    Unexpected {
        /// The structure that was expected.
        structure: &'static str,
        /// Its tag.
        expected: Tag,
        /// The tag that came.
        found: Tag,
    },
    /// A mandatory field is not there.
    #[error("{structure}: {field} is missing")]
    Missing {
        /// The structure.
        structure: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field has a value that it cannot have.
    #[error("{structure}: {field} is not valid")]
    Invalid {
        /// The structure.
        structure: &'static str,
        /// The field.
        field: &'static str,
    },
}

/// The members of one object.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    structure: &'static str,
    members: Vec<Tlv<'a>>,
}

impl<'a> Fields<'a> {
    /// The members of the one object that `bytes` are, which has the tag `tag`.
    ///
    /// # Errors
    /// [`DecodeError`] when they are something else.
    pub fn parse(bytes: &'a [u8], tag: Tag, structure: &'static str) -> Result<Self, DecodeError> {
        let tlv = Tlv::parse(bytes).map_err(|error| DecodeError::Tlv { structure, error })?;
        Self::of(&tlv, tag, structure)
    }

    /// The members of `tlv`, which has the tag `tag`.
    ///
    /// # Errors
    /// [`DecodeError`] when it is something else.
    pub fn of(tlv: &Tlv<'a>, tag: Tag, structure: &'static str) -> Result<Self, DecodeError> {
        if tlv.tag() != tag {
            return Err(DecodeError::Unexpected {
                structure,
                expected: tag,
                found: tlv.tag(),
            });
        }
        Self::inside(tlv, structure)
    }

    /// The members of `tlv`, whatever its tag.
    ///
    /// # Errors
    /// [`DecodeError::Tlv`] when they are not well formed.
    pub fn inside(tlv: &Tlv<'a>, structure: &'static str) -> Result<Self, DecodeError> {
        let members = tlv
            .children()
            .and_then(super::Reader::all)
            .map_err(|error| DecodeError::Tlv { structure, error })?;
        Ok(Self { structure, members })
    }

    /// The name of the structure, for messages.
    #[must_use]
    pub const fn structure(&self) -> &'static str {
        self.structure
    }

    /// All members in their order.
    #[must_use]
    pub fn members(&self) -> &[Tlv<'a>] {
        &self.members
    }

    /// The error that `field` is not valid.
    #[must_use]
    pub const fn invalid(&self, field: &'static str) -> DecodeError {
        DecodeError::Invalid {
            structure: self.structure,
            field,
        }
    }

    /// The error that `field` is missing.
    #[must_use]
    pub const fn missing(&self, field: &'static str) -> DecodeError {
        DecodeError::Missing {
            structure: self.structure,
            field,
        }
    }

    /// The first member with the tag.
    #[must_use]
    pub fn find(&self, tag: Tag) -> Option<Tlv<'a>> {
        self.nth(tag, 0)
    }

    /// The member with the tag after `skip` others with it.
    #[must_use]
    pub fn nth(&self, tag: Tag, skip: usize) -> Option<Tlv<'a>> {
        self.members
            .iter()
            .filter(|one| one.tag() == tag)
            .nth(skip)
            .copied()
    }

    /// The first member with the tag.
    ///
    /// # Errors
    /// [`DecodeError::Missing`].
    pub fn need(&self, tag: Tag, field: &'static str) -> Result<Tlv<'a>, DecodeError> {
        self.find(tag).ok_or_else(|| self.missing(field))
    }

    /// The members of the member with the tag.
    ///
    /// # Errors
    /// [`DecodeError`] when it is missing or not well formed.
    pub fn group(&self, tag: Tag, field: &'static str) -> Result<Self, DecodeError> {
        Self::inside(&self.need(tag, field)?, field)
    }

    /// The octets of a member.
    ///
    /// # Errors
    /// [`DecodeError::Missing`].
    pub fn octets(&self, tag: Tag, field: &'static str) -> Result<&'a [u8], DecodeError> {
        Ok(self.need(tag, field)?.value())
    }

    /// The `N` octets of a member.
    ///
    /// # Errors
    /// [`DecodeError`] when it is missing or has another length.
    pub fn array<const N: usize>(
        &self,
        tag: Tag,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        self.octets(tag, field)?
            .try_into()
            .map_err(|_| self.invalid(field))
    }

    /// The `N` octets of a member that may be absent.
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] when it has another length.
    pub fn array_if<const N: usize>(
        &self,
        tag: Tag,
        field: &'static str,
    ) -> Result<Option<[u8; N]>, DecodeError> {
        self.find(tag)
            .map(|one| one.value().try_into().map_err(|_| self.invalid(field)))
            .transpose()
    }

    /// The text of a member.
    ///
    /// # Errors
    /// [`DecodeError`] when it is missing or no UTF-8.
    pub fn text(&self, tag: Tag, field: &'static str) -> Result<&'a str, DecodeError> {
        self.text_if(tag, field)?.ok_or_else(|| self.missing(field))
    }

    /// The text of a member that may be absent.
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] when it is no UTF-8.
    pub fn text_if(&self, tag: Tag, field: &'static str) -> Result<Option<&'a str>, DecodeError> {
        self.find(tag)
            .map(|one| std::str::from_utf8(one.value()).map_err(|_| self.invalid(field)))
            .transpose()
    }

    /// The whole number in a member.
    ///
    /// # Errors
    /// [`DecodeError`] when it is missing, negative or above 64 bits.
    pub fn integer(&self, tag: Tag, field: &'static str) -> Result<u64, DecodeError> {
        self.integer_if(tag, field)?
            .ok_or_else(|| self.missing(field))
    }

    /// The whole number in a member that may be absent.
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] when it is negative or above 64 bits.
    pub fn integer_if(&self, tag: Tag, field: &'static str) -> Result<Option<u64>, DecodeError> {
        self.find(tag)
            .map(|one| unsigned(one.value()).ok_or_else(|| self.invalid(field)))
            .transpose()
    }

    /// The truth value in a member.
    ///
    /// # Errors
    /// [`DecodeError`] when it is missing or not one octet.
    pub fn boolean(&self, tag: Tag, field: &'static str) -> Result<bool, DecodeError> {
        let [value] = self.array::<1>(tag, field)?;
        Ok(value != 0)
    }

    /// The named bits in a member that may be absent.
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] when it is no bit string.
    pub fn bits_if(&self, tag: Tag, field: &'static str) -> Result<Option<NamedBits>, DecodeError> {
        self.find(tag)
            .map(|one| NamedBits::from_octets(one.value()).ok_or_else(|| self.invalid(field)))
            .transpose()
    }

    /// The named bits in a member.
    ///
    /// # Errors
    /// [`DecodeError`] when it is missing or no bit string.
    pub fn bits(&self, tag: Tag, field: &'static str) -> Result<NamedBits, DecodeError> {
        self.bits_if(tag, field)?.ok_or_else(|| self.missing(field))
    }

    /// The object identifier in a member that may be absent.
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] when it is none.
    pub fn oid_if(&self, tag: Tag, field: &'static str) -> Result<Option<Oid>, DecodeError> {
        self.find(tag)
            .map(|one| Oid::from_octets(one.value()).map_err(|_| self.invalid(field)))
            .transpose()
    }

    /// The object identifier in a member.
    ///
    /// # Errors
    /// [`DecodeError`] when it is missing or none.
    pub fn oid(&self, tag: Tag, field: &'static str) -> Result<Oid, DecodeError> {
        self.oid_if(tag, field)?.ok_or_else(|| self.missing(field))
    }
}

/// A two's complement number that is not negative.
fn unsigned(octets: &[u8]) -> Option<u64> {
    let first = octets.first()?;
    if first & 0x80 != 0 || octets.len() > 9 || (octets.len() == 9 && *first != 0) {
        return None;
    }
    Some(
        octets
            .iter()
            .fold(0u64, |value, octet| (value << 8) | u64::from(*octet)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Writer;

    const SEQUENCE: Tag = Tag::new(0x30);

    #[test]
    fn unknown_members_are_ignored_and_missing_ones_named() {
        let bytes = Writer::nest(SEQUENCE, |w| {
            w.octets(Tag::new(0x9F7F), b"from a later version")
                .integer(Tag::new(0x81), 300)
                .octets(Tag::new(0x82), b"\xFF");
        });
        let fields = Fields::parse(&bytes, SEQUENCE, "Example").unwrap();
        assert_eq!(fields.integer(Tag::new(0x81), "count"), Ok(300));
        assert_eq!(
            fields.text(Tag::new(0x83), "name").unwrap_err().to_string(),
            "Example: name is missing"
        );
        assert_eq!(
            fields.text(Tag::new(0x82), "name").unwrap_err().to_string(),
            "Example: name is not valid"
        );
    }

    #[test]
    fn numbers_keep_their_sign_bit() {
        for value in [0, 1, 127, 128, 255, 256, u64::MAX] {
            let bytes = Writer::nest(SEQUENCE, |w| {
                w.integer(Tag::new(0x02), value);
            });
            let fields = Fields::parse(&bytes, SEQUENCE, "Example").unwrap();
            assert_eq!(fields.integer(Tag::new(0x02), "n"), Ok(value));
        }
        assert_eq!(unsigned(&[0x80]), None);
        assert_eq!(unsigned(&[]), None);
        assert_eq!(unsigned(&[1; 9]), None);
    }
}
