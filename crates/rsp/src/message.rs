//! The messages between server, chip and operator.
//!
//! What is signed is kept as it was received ([`Signed`]); what is not known is ignored; what is missing is
//! named. Structures of ES8+ and ES10 are BER-TLV ([`Wire`]), those of ES2+, ES9+, ES11 and ES12 are JSON.
//!
//! Source: SGP.22 v2.5 §5, §6 and annex H

pub mod authentication;
pub mod cancel;
pub mod download;
pub mod es10;
pub mod es12;
pub mod es2;
pub mod es9;
pub mod info;
pub mod json;
pub mod metadata;
pub mod notification;
pub mod status;

use std::fmt;

use crate::identity::{hex, unhex};
use crate::key::{KeyError, PublicKey, Signature, Signer};
use crate::tlv::{DecodeError, Fields, Tag, Tlv, Writer};

pub(crate) const SEQUENCE: Tag = Tag::new(0x30);
pub(crate) const BOOLEAN: Tag = Tag::new(0x01);
pub(crate) const INTEGER: Tag = Tag::new(0x02);
pub(crate) const OCTET_STRING: Tag = Tag::new(0x04);
pub(crate) const OBJECT_IDENTIFIER: Tag = Tag::new(0x06);
pub(crate) const UTF8_STRING: Tag = Tag::new(0x0C);
pub(crate) const SIGNATURE: Tag = Tag::new(0x5F37);
pub(crate) const ONE_TIME_KEY: Tag = Tag::new(0x5F49);
pub(crate) const ICCID: Tag = Tag::new(0x5A);
pub(crate) const AID: Tag = Tag::new(0x4F);
pub(crate) const TAG_LIST: Tag = Tag::new(0x5C);

/// A primitive context tag, such as `[1]`.
pub(crate) const fn context(number: u32) -> Tag {
    if number < 31 {
        Tag::new(0x80 | number)
    } else {
        Tag::new(0x9F00 | number)
    }
}

/// A constructed context tag, such as `[1] SEQUENCE`.
pub(crate) const fn group(number: u32) -> Tag {
    if number < 31 {
        Tag::new(0xA0 | number)
    } else {
        Tag::new(0xBF00 | number)
    }
}

/// A structure that travels as one BER-TLV object.
pub trait Wire: Sized {
    /// Its octets, in the shortest form.
    fn encode(&self) -> Vec<u8>;

    /// Reads it from an object.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError>;

    /// Reads it from the octets of one object.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let tlv = Tlv::parse(bytes).map_err(|error| DecodeError::Tlv {
            structure: "message",
            error,
        })?;
        Self::decode(&tlv)
    }
}

/// A random number of 16 octets that the other side must sign.
pub type Challenge = [u8; 16];

/// The identifier of a session: 1 to 16 octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId {
    octets: [u8; 16],
    length: u8,
}

impl TransactionId {
    /// Takes 1 to 16 octets.
    #[must_use]
    pub fn from_octets(from: &[u8]) -> Option<Self> {
        let mut octets = [0; 16];
        octets.get_mut(..from.len())?.copy_from_slice(from);
        let length = u8::try_from(from.len()).ok().filter(|length| *length > 0)?;
        Some(Self { octets, length })
    }

    /// Reads hexadecimal digits of either case.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Self::from_octets(&unhex(text)?)
    }

    /// Its octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or(&[])
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(self.as_octets()))
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionId({self})")
    }
}

/// The session a structure names in its `[0]`.
pub(crate) fn transaction(fields: &Fields<'_>) -> Result<TransactionId, DecodeError> {
    TransactionId::from_octets(fields.octets(context(0), "transactionId")?)
        .ok_or_else(|| fields.invalid("transactionId"))
}

/// A structure with a signature over its octets as they were sent, and over the signature before it when
/// there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed<T> {
    says: T,
    octets: Vec<u8>,
    signature: Signature,
}

impl<T: fmt::Debug> fmt::Debug for Signed<T> {
    /// What it says, as that shows itself; the octets would show what it hides.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signed").field(&self.says).finish()
    }
}

impl<T: Wire> Signed<T> {
    /// Signs a structure. `after` is the signature of the other side that this one answers.
    ///
    /// # Errors
    /// [`KeyError::Unusable`].
    pub fn sign(says: T, after: Option<&Signature>, signer: &dyn Signer) -> Result<Self, KeyError> {
        let octets = says.encode();
        let signature = signer.sign(&to_be_signed(&octets, after))?;
        Ok(Self {
            says,
            octets,
            signature,
        })
    }

    /// Takes a structure and its signature as they were received.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn receive(structure: &Tlv<'_>, signature: &Tlv<'_>) -> Result<Self, DecodeError> {
        let invalid = DecodeError::Invalid {
            structure: "signature",
            field: "length",
        };
        if signature.tag() != SIGNATURE {
            return Err(DecodeError::Unexpected {
                structure: "signature",
                expected: SIGNATURE,
                found: signature.tag(),
            });
        }
        Ok(Self {
            says: T::decode(structure)?,
            octets: structure.raw().to_vec(),
            signature: signature.value().try_into().map_err(|_| invalid)?,
        })
    }

    /// Reads the structure with this tag and the signature beside it.
    pub(crate) fn beside(
        fields: &Fields<'_>,
        tag: Tag,
        field: &'static str,
    ) -> Result<Self, DecodeError> {
        Self::receive(
            &fields.need(tag, field)?,
            &fields.need(SIGNATURE, "signature")?,
        )
    }

    /// Writes the structure and the signature, one after the other.
    pub(crate) fn write(&self, w: &mut Writer) {
        w.raw(&self.octets).octets(SIGNATURE, &self.signature);
    }
}

impl<T> Signed<T> {
    /// What it says, believed by nobody yet: to find the session it belongs to.
    #[must_use]
    pub const fn unverified(&self) -> &T {
        &self.says
    }

    /// What it says, when the signature is right.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`].
    pub fn verify(&self, key: &PublicKey, after: Option<&Signature>) -> Result<&T, KeyError> {
        key.verify(&to_be_signed(&self.octets, after), &self.signature)?;
        Ok(&self.says)
    }

    /// The structure as it was sent.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The signature as an object with its tag, as it travels.
    #[must_use]
    pub fn signature_object(&self) -> Vec<u8> {
        Writer::object(SIGNATURE, &self.signature)
    }
}

fn to_be_signed(octets: &[u8], after: Option<&Signature>) -> Vec<u8> {
    let mut signed = octets.to_vec();
    if let Some(before) = after {
        signed.extend(Writer::object(SIGNATURE, before));
    }
    signed
}

/// One of an open set of numbers: those that are known have names, others are kept.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $code:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)*
            /// A number of another version.
            Other(u8),
        }

        impl $name {
            /// Its number on the wire.
            #[must_use]
            pub const fn code(self) -> u64 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(code) => code as u64,
                }
            }

            /// What a number stands for; `None` when it is past one octet.
            #[must_use]
            pub fn from_code(code: u64) -> Option<Self> {
                Some(match code {
                    $($code => Self::$variant,)*
                    other => Self::Other(u8::try_from(other).ok()?),
                })
            }
        }
    };
}
pub(crate) use codes;

#[cfg(test)]
mod tests;
