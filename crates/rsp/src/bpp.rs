//! The bound profile package: a profile protected for one chip and one session.
//!
//! The profile itself is protected once, when it is ordered, with random keys ([`ProtectedProfile`]); a
//! session only binds those keys to the chip ([`Binding::bind`]), which is about one kilobyte of work.
//!
//! Source: SGP.22 v2.5 §2.5.4 and §5.5

mod receive;
mod send;

pub use receive::{Failure, Received, Receiver, Session};
pub use send::{Parts, bpp_commands, bpp_metadata, bpp_parts};

use std::fmt;

use zeroize::Zeroizing;

use crate::bsp::{
    Bsp, BspError, KEY_LENGTH, KEY_TYPE_AES, SessionKeys, TAG_COMMAND, TAG_METADATA, TAG_PROFILE,
};
use crate::identity::Eid;
use crate::key::{KeyError, PrivateKey, PublicKey, Signer};
use crate::tlv::{DecodeError, Fields, HEAD_MAX, Oid, Tag, Writer};

/// `BoundProfilePackage`
pub const TAG_BPP: Tag = Tag::new(0xBF36);
const TAG_SECURE_CHANNEL: Tag = Tag::new(0xBF23);
const TAG_CONFIGURE: Tag = Tag::new(0xBF24);
const TAG_REPLACE_KEYS: Tag = Tag::new(0xBF26);
const FIRST_COMMANDS: Tag = Tag::new(0xA0);
const METADATA: Tag = Tag::new(0xA1);
const SECOND_COMMANDS: Tag = Tag::new(0xA2);
const PROFILE: Tag = Tag::new(0xA3);

const REMOTE_OPERATION: Tag = Tag::new(0x82);
const TRANSACTION_ID: Tag = Tag::new(0x80);
const KEY_TEMPLATE: Tag = Tag::new(0xA6);
const ONE_TIME_KEY: Tag = Tag::new(0x5F49);
const SIGNATURE: Tag = Tag::new(0x5F37);
const PROPRIETARY_DATA: Tag = Tag::new(0xB8);
const OBJECT_IDENTIFIER: Tag = Tag::new(0x06);

/// `installBoundProfilePackage`
const INSTALL: u64 = 1;

/// Which command of a package failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BppCommand {
    /// `InitialiseSecureChannel`
    InitialiseSecureChannel,
    /// `ConfigureISDP`
    ConfigureIsdp,
    /// `StoreMetadata`
    StoreMetadata,
    /// `StoreMetadata` again
    StoreMetadata2,
    /// `ReplaceSessionKeys`
    ReplaceSessionKeys,
    /// `LoadProfileElements`
    LoadProfileElements,
}

impl BppCommand {
    const ALL: [Self; 6] = [
        Self::InitialiseSecureChannel,
        Self::ConfigureIsdp,
        Self::StoreMetadata,
        Self::StoreMetadata2,
        Self::ReplaceSessionKeys,
        Self::LoadProfileElements,
    ];

    /// Its number on the wire.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::InitialiseSecureChannel => 0,
            Self::ConfigureIsdp => 1,
            Self::StoreMetadata => 2,
            Self::StoreMetadata2 => 3,
            Self::ReplaceSessionKeys => 4,
            Self::LoadProfileElements => 5,
        }
    }

    /// The command with this number.
    #[must_use]
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// Why a package failed in the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorReason {
    /// A value that cannot be.
    IncorrectInputValues,
    /// The server's signature does not verify.
    InvalidSignature,
    /// Another session.
    InvalidTransactionId,
    /// Other keys than AES of 16 octets.
    UnsupportedCrtValues,
    /// Another operation than an installation.
    UnsupportedRemoteOperationType,
    /// The chip takes no profile of this class.
    UnsupportedProfileClass,
    /// A segment is not well formed.
    BspStructureError,
    /// A segment does not verify.
    BspSecurityError,
    /// The profile is there already.
    IccidAlreadyExists,
    /// No room.
    InsufficientMemory,
    /// The installation was interrupted.
    Interruption,
    /// A profile element could not be installed.
    PeProcessingError,
    /// The profile has another ICCID than its metadata say.
    IccidMismatch,
    /// A test profile with a network key that is not a test key.
    InvalidTestNaaKey,
    /// The chip does not allow the profile's policy rules.
    PprNotAllowed,
    /// A reason of a later version.
    Other(u8),
    /// Unknown.
    Unknown,
}

impl ErrorReason {
    /// Its number on the wire.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::IncorrectInputValues => 1,
            Self::InvalidSignature => 2,
            Self::InvalidTransactionId => 3,
            Self::UnsupportedCrtValues => 4,
            Self::UnsupportedRemoteOperationType => 5,
            Self::UnsupportedProfileClass => 6,
            Self::BspStructureError => 7,
            Self::BspSecurityError => 8,
            Self::IccidAlreadyExists => 9,
            Self::InsufficientMemory => 10,
            Self::Interruption => 11,
            Self::PeProcessingError => 12,
            Self::IccidMismatch => 13,
            Self::InvalidTestNaaKey => 14,
            Self::PprNotAllowed => 15,
            Self::Other(code) => code as u64,
            Self::Unknown => 127,
        }
    }

    /// The reason with this number; `None` when it is past one octet.
    #[must_use]
    pub fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            1 => Self::IncorrectInputValues,
            2 => Self::InvalidSignature,
            3 => Self::InvalidTransactionId,
            4 => Self::UnsupportedCrtValues,
            5 => Self::UnsupportedRemoteOperationType,
            6 => Self::UnsupportedProfileClass,
            7 => Self::BspStructureError,
            8 => Self::BspSecurityError,
            9 => Self::IccidAlreadyExists,
            10 => Self::InsufficientMemory,
            11 => Self::Interruption,
            12 => Self::PeProcessingError,
            13 => Self::IccidMismatch,
            14 => Self::InvalidTestNaaKey,
            15 => Self::PprNotAllowed,
            127 => Self::Unknown,
            other => Self::Other(u8::try_from(other).ok()?),
        })
    }
}

/// A package could not be made; our own fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The key agreement or the signature failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The protection failed.
    #[error(transparent)]
    Protection(#[from] BspError),
}

/// A profile package protected with keys of its own, independent of any session.
#[derive(Clone)]
pub struct ProtectedProfile {
    keys: SessionKeys,
    segments: Vec<u8>,
}

impl fmt::Debug for ProtectedProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtectedProfile[{}]", self.segments.len())
    }
}

impl ProtectedProfile {
    /// Protects a profile package with new keys.
    ///
    /// # Errors
    /// [`BspError::Unusable`].
    pub fn protect(upp: &[u8], random: &mut dyn FnMut(&mut [u8])) -> Result<Self, BspError> {
        let keys = SessionKeys::random(random);
        let segments = Bsp::new(&keys)?.encrypt(TAG_PROFILE, upp)?;
        Ok(Self { keys, segments })
    }

    /// Takes the parts as they were stored.
    #[must_use]
    pub const fn from_parts(keys: SessionKeys, segments: Vec<u8>) -> Self {
        Self { keys, segments }
    }

    /// The keys, to be stored encrypted.
    #[must_use]
    pub const fn keys(&self) -> &SessionKeys {
        &self.keys
    }

    /// The protected segments, which are no secret.
    #[must_use]
    pub fn segments(&self) -> &[u8] {
        &self.segments
    }
}

/// The profile of a package.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// Protected before, with keys of its own.
    Protected(&'a ProtectedProfile),
    /// The same as it was stored: its keys and its segments.
    Stored(&'a SessionKeys, &'a [u8]),
    /// Plain; to be protected with the keys of the session.
    Plain(&'a [u8]),
}

/// What binds a profile to one chip in one session.
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    /// The session.
    pub transaction_id: &'a [u8],
    /// The chip.
    pub eid: &'a Eid,
    /// The chip's one-time key.
    pub euicc_key: &'a PublicKey,
    /// Our one-time key.
    pub one_time_key: &'a PrivateKey,
    /// Who we are in the key derivation: 1 to 16 octets.
    pub host_id: &'a [u8],
    /// The SM-DP+ whose data the chip keeps with the profile, if any.
    pub proprietary_oid: Option<&'a Oid>,
}

impl fmt::Debug for Binding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Binding")
    }
}

impl Binding<'_> {
    /// Makes the package. `metadata` is the encoded `StoreMetadataRequest`, `signer` holds the key of
    /// `CERT.DPpb`.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind(
        &self,
        metadata: &[u8],
        content: Content<'_>,
        signer: &dyn Signer,
    ) -> Result<Vec<u8>, BindError> {
        let secret = self.one_time_key.agree(self.euicc_key)?;
        let mut bsp = Bsp::new(&SessionKeys::derive(&secret, self.host_id, self.eid)?)?;
        let mut head = Writer::new();
        head.raw(&self.secure_channel(signer)?);
        head.octets(
            FIRST_COMMANDS,
            &bsp.encrypt(TAG_COMMAND, &configure(self.proprietary_oid))?,
        );
        head.octets(METADATA, &bsp.authenticate(TAG_METADATA, metadata)?);
        match content {
            Content::Protected(profile) => {
                second_commands(&mut head, &mut bsp, profile.keys())?;
                Ok(package(head, profile.segments()))
            }
            Content::Stored(keys, segments) => {
                second_commands(&mut head, &mut bsp, keys)?;
                Ok(package(head, segments))
            }
            Content::Plain(upp) => Ok(package(head, &bsp.encrypt(TAG_PROFILE, upp)?)),
        }
    }

    /// `InitialiseSecureChannelRequest`, signed over what it carries and the chip's one-time key.
    fn secure_channel(&self, signer: &dyn Signer) -> Result<Vec<u8>, KeyError> {
        let mut fields = Writer::new();
        fields
            .integer(REMOTE_OPERATION, INSTALL)
            .octets(TRANSACTION_ID, self.transaction_id)
            .nested(KEY_TEMPLATE, |w| {
                w.octets(Tag::new(0x80), &[KEY_TYPE_AES])
                    .octets(Tag::new(0x81), &[KEY_LENGTH])
                    .octets(Tag::new(0x84), self.host_id);
            })
            .octets(ONE_TIME_KEY, self.one_time_key.public_key().point());
        let fields = fields.finish();
        let euicc = Writer::object(ONE_TIME_KEY, self.euicc_key.point());
        let signature = signer.sign(&[fields.as_slice(), &euicc].concat())?;
        Ok(Writer::nest(TAG_SECURE_CHANNEL, |w| {
            w.raw(&fields).octets(SIGNATURE, &signature);
        }))
    }
}

fn second_commands(head: &mut Writer, bsp: &mut Bsp, keys: &SessionKeys) -> Result<(), BspError> {
    head.octets(
        SECOND_COMMANDS,
        &bsp.encrypt(TAG_COMMAND, &replace_keys(keys))?,
    );
    Ok(())
}

/// The package: what goes before the segments of the profile, and these, which are copied once.
fn package(mut head: Writer, segments: &[u8]) -> Vec<u8> {
    head.head(PROFILE, segments.len());
    let head = head.finish();
    let length = head.len() + segments.len();
    let mut whole = Writer::with_capacity(length + HEAD_MAX);
    whole.head(TAG_BPP, length).raw(&head).raw(segments);
    whole.finish()
}

/// `ConfigureISDPRequest`
fn configure(oid: Option<&Oid>) -> Vec<u8> {
    Writer::nest(TAG_CONFIGURE, |w| {
        if let Some(oid) = oid {
            w.nested(PROPRIETARY_DATA, |w| {
                w.oid(OBJECT_IDENTIFIER, oid);
            });
        }
    })
}

/// `ReplaceSessionKeysRequest`
fn replace_keys(keys: &SessionKeys) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Writer::nest(TAG_REPLACE_KEYS, |w| {
        w.octets(Tag::new(0x80), &keys.initial_chaining_value())
            .octets(Tag::new(0x81), &keys.encryption_key()[..])
            .octets(Tag::new(0x82), &keys.mac_key()[..]);
    }))
}

/// Reads `ReplaceSessionKeysRequest`.
fn read_keys(command: &[u8]) -> Result<SessionKeys, DecodeError> {
    let fields = Fields::parse(command, TAG_REPLACE_KEYS, "ReplaceSessionKeysRequest")?;
    let mut octets = Zeroizing::new([0u8; 48]);
    let parts = [
        fields.array::<16>(Tag::new(0x80), "initialMacChainingValue")?,
        fields.array::<16>(Tag::new(0x81), "ppkEnc")?,
        fields.array::<16>(Tag::new(0x82), "ppkCmac")?,
    ];
    for (to, from) in octets.iter_mut().zip(parts.iter().flatten()) {
        *to = *from;
    }
    Ok(SessionKeys::from_octets(&octets))
}

#[cfg(test)]
mod tests;
