//! How an LPA hands a package to a chip: piece by piece.

use super::{
    BppCommand, FIRST_COMMANDS, METADATA, PROFILE, SECOND_COMMANDS, TAG_BPP, TAG_SECURE_CHANNEL,
};
use crate::message::Wire;
use crate::message::metadata::ProfileMetadata;
use crate::tlv::{DecodeError, Fields, Tag, Tlv};

const PACKAGE: &str = "BoundProfilePackage";

/// The parts of a package as they were received, in their order, with the heads that go before their
/// segments.
///
/// Source: SGP.22 v2.5 §2.5.5
///
/// # Errors
/// [`DecodeError`] when it is no package.
pub fn bpp_commands(package: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let outer = Tlv::parse(package).map_err(|error| DecodeError::Tlv {
        structure: PACKAGE,
        error,
    })?;
    let parts = bpp_parts(&outer)?;
    let mut commands = vec![[outer.head(), parts.secure_channel.raw()].concat()];
    commands.push(parts.first_commands.raw().to_vec());
    push_segments(&mut commands, &parts.metadata)?;
    if let Some(second) = parts.second_commands {
        commands.push(second.raw().to_vec());
    }
    push_segments(&mut commands, &parts.profile)?;
    Ok(commands)
}

/// The metadata in a package as an LPA can read them: they are authenticated, not encrypted. Only the chip can
/// tell whether they are genuine.
///
/// # Errors
/// [`DecodeError`] when it is no package.
pub fn bpp_metadata(package: &[u8]) -> Result<ProfileMetadata, DecodeError> {
    let outer = Tlv::parse(package).map_err(|error| DecodeError::Tlv {
        structure: PACKAGE,
        error,
    })?;
    let segments = Fields::inside(&bpp_parts(&outer)?.metadata, PACKAGE)?;
    let mut joined = Vec::new();
    for one in segments.members() {
        let (text, _mac) = one
            .value()
            .split_last_chunk::<8>()
            .ok_or_else(|| segments.invalid("sequenceOf88"))?;
        joined.extend_from_slice(text);
    }
    ProfileMetadata::from_bytes(&joined)
}

/// The head on its own, then each segment.
fn push_segments(commands: &mut Vec<Vec<u8>>, part: &Tlv<'_>) -> Result<(), DecodeError> {
    commands.push(part.head().to_vec());
    let segments = Fields::inside(part, PACKAGE)?;
    commands.extend(segments.members().iter().map(|one| one.raw().to_vec()));
    Ok(())
}

/// The parts of a package.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// `InitialiseSecureChannelRequest`
    pub secure_channel: Tlv<'a>,
    /// The first commands (`87`).
    pub first_commands: Tlv<'a>,
    /// The metadata (`88`).
    pub metadata: Tlv<'a>,
    /// The second commands (`87`), when the profile has keys of its own.
    pub second_commands: Option<Tlv<'a>>,
    /// The profile (`86`).
    pub profile: Tlv<'a>,
}

/// The parts of a package.
///
/// # Errors
/// [`DecodeError`] when it is no package or they are in another order.
pub fn bpp_parts<'a>(package: &Tlv<'a>) -> Result<Parts<'a>, DecodeError> {
    let fields = Fields::of(package, TAG_BPP, PACKAGE)?;
    let find = |tag: Tag, name| fields.need(tag, name);
    let order: Vec<Tag> = fields.members().iter().map(Tlv::tag).collect();
    let expected = [
        TAG_SECURE_CHANNEL,
        FIRST_COMMANDS,
        METADATA,
        SECOND_COMMANDS,
        PROFILE,
    ];
    let parts = Parts {
        secure_channel: find(TAG_SECURE_CHANNEL, "initialiseSecureChannelRequest")?,
        first_commands: find(FIRST_COMMANDS, "firstSequenceOf87")?,
        metadata: find(METADATA, "sequenceOf88")?,
        second_commands: fields.find(SECOND_COMMANDS),
        profile: find(PROFILE, "sequenceOf86")?,
    };
    let mut wanted = expected
        .into_iter()
        .filter(|tag| *tag != SECOND_COMMANDS || parts.second_commands.is_some());
    if !order.iter().all(|tag| wanted.next() == Some(*tag)) {
        return Err(fields.invalid("the order of its parts"));
    }
    Ok(parts)
}

impl BppCommand {
    /// What to call it in a message.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InitialiseSecureChannel => "InitialiseSecureChannel",
            Self::ConfigureIsdp => "ConfigureISDP",
            Self::StoreMetadata => "StoreMetadata",
            Self::StoreMetadata2 => "StoreMetadata2",
            Self::ReplaceSessionKeys => "ReplaceSessionKeys",
            Self::LoadProfileElements => "LoadProfileElements",
        }
    }
}
