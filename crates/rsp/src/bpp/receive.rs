//! The chip's side: a package arrives command by command.

use std::fmt;

use zeroize::Zeroizing;

use super::{
    BppCommand, ErrorReason, FIRST_COMMANDS, INSTALL, KEY_TEMPLATE, METADATA, ONE_TIME_KEY,
    PROFILE, REMOTE_OPERATION, SECOND_COMMANDS, SIGNATURE, TAG_BPP, TAG_SECURE_CHANNEL,
    TRANSACTION_ID, read_keys,
};
use crate::bsp::{
    Bsp, BspError, KEY_LENGTH, KEY_TYPE_AES, SessionKeys, TAG_COMMAND, TAG_METADATA, TAG_PROFILE,
    object_length,
};
use crate::identity::Eid;
use crate::key::{PrivateKey, PublicKey, Signer};
use crate::tlv::{Fields, Head, LENGTH_MAX, Tag, Tlv, Writer};

/// What the chip knows of the session in which a package comes.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// The session that the chip authenticated.
    pub transaction_id: &'a [u8],
    /// The chip.
    pub eid: &'a Eid,
    /// The chip's one-time key.
    pub one_time_key: &'a PrivateKey,
    /// The key of the server's certificate for binding.
    pub server: &'a PublicKey,
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

/// A package failed: which command, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The command.
    pub command: BppCommand,
    /// The reason.
    pub reason: ErrorReason,
}

/// What one command brought.
#[derive(Debug)]
pub enum Received {
    /// Nothing to act on yet.
    Nothing,
    /// The whole `ConfigureISDPRequest`.
    Configuration(Zeroizing<Vec<u8>>),
    /// The whole `StoreMetadataRequest`.
    Metadata(Vec<u8>),
    /// A piece of the profile package; more pieces come.
    Profile(Zeroizing<Vec<u8>>),
    /// The last piece of the profile package.
    LastOfProfile(Zeroizing<Vec<u8>>),
}

/// Where a package stands. Feed it the commands of `ES10b.LoadBoundProfilePackage`.
#[derive(Debug)]
pub struct Receiver {
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    Configure(Bsp),
    MetadataHead(Bsp),
    Metadata {
        bsp: Bsp,
        left: usize,
        gathered: Vec<u8>,
    },
    KeysOrProfile(Bsp),
    ProfileHead(Bsp),
    Profile {
        bsp: Bsp,
        left: usize,
    },
    Over,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Receiver {
    /// Nothing has come yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Start,
        }
    }

    /// Which command of the package comes next, for a result when it never does.
    #[must_use]
    pub const fn expects(&self) -> BppCommand {
        match self.state {
            State::Start => BppCommand::InitialiseSecureChannel,
            State::Configure(_) => BppCommand::ConfigureIsdp,
            State::MetadataHead(_) | State::Metadata { .. } => BppCommand::StoreMetadata,
            State::KeysOrProfile(_) => BppCommand::ReplaceSessionKeys,
            State::ProfileHead(_) | State::Profile { .. } | State::Over => {
                BppCommand::LoadProfileElements
            }
        }
    }

    /// Takes one command. After a failure, or after the last piece, nothing more is taken.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn take(&mut self, command: &[u8], session: &Session<'_>) -> Result<Received, Failure> {
        let named = self.expects();
        let state = std::mem::replace(&mut self.state, State::Over);
        let (next, received) = state.step(command, session).map_err(|reason| Failure {
            command: named,
            reason,
        })?;
        self.state = next;
        Ok(received)
    }
}

type Step = Result<(State, Received), ErrorReason>;

impl State {
    fn step(self, command: &[u8], session: &Session<'_>) -> Step {
        match self {
            Self::Start => Ok((
                Self::Configure(open_channel(command, session)?),
                Received::Nothing,
            )),
            Self::Configure(bsp) => configure(bsp, command),
            Self::MetadataHead(bsp) => {
                let left = bare_head(command, METADATA)?;
                let gathered = Vec::new();
                Ok((
                    Self::Metadata {
                        bsp,
                        left,
                        gathered,
                    },
                    Received::Nothing,
                ))
            }
            Self::Metadata {
                bsp,
                left,
                gathered,
            } => metadata(bsp, left, gathered, command),
            Self::KeysOrProfile(bsp) => keys_or_profile(bsp, command),
            Self::ProfileHead(bsp) => {
                let left = bare_head(command, PROFILE)?;
                Ok((Self::Profile { bsp, left }, Received::Nothing))
            }
            Self::Profile { bsp, left } => profile(bsp, left, command),
            Self::Over => Err(ErrorReason::IncorrectInputValues),
        }
    }
}

/// The one object that `bytes` are.
fn object(bytes: &[u8], tag: Tag) -> Result<Tlv<'_>, ErrorReason> {
    Tlv::parse(bytes)
        .ok()
        .filter(|one| one.tag() == tag)
        .ok_or(ErrorReason::BspStructureError)
}

/// A head without its value.
fn bare_head(bytes: &[u8], tag: Tag) -> Result<usize, ErrorReason> {
    Head::parse(bytes)
        .ok()
        .filter(|head| head.tag == tag && head.octets == bytes.len() && head.length > 0)
        .map(|head| head.length)
        .ok_or(ErrorReason::BspStructureError)
}

const fn reason_of(error: BspError) -> ErrorReason {
    match error {
        BspError::Structure => ErrorReason::BspStructureError,
        BspError::Security => ErrorReason::BspSecurityError,
        BspError::Unusable => ErrorReason::Unknown,
    }
}

/// The head of the package with `InitialiseSecureChannel`.
fn open_channel(command: &[u8], session: &Session<'_>) -> Result<Bsp, ErrorReason> {
    let malformed = ErrorReason::IncorrectInputValues;
    let head = Head::parse(command)
        .ok()
        .filter(|head| head.tag == TAG_BPP && head.length <= LENGTH_MAX)
        .ok_or(malformed)?;
    let request = command.get(head.octets..).unwrap_or(&[]);
    if object_length(request) != Ok(request.len()) {
        return Err(malformed);
    }
    let fields = Fields::parse(
        request,
        TAG_SECURE_CHANNEL,
        "InitialiseSecureChannelRequest",
    )
    .map_err(|_| malformed)?;
    let operation = fields.integer(REMOTE_OPERATION, "remoteOpId");
    let find = |tag| fields.find(tag).ok_or(malformed);
    let transaction = find(TRANSACTION_ID)?;
    let template = find(KEY_TEMPLATE)?;
    let server_key = find(ONE_TIME_KEY)?;
    let mut signed = find(REMOTE_OPERATION)?.raw().to_vec();
    for part in [transaction, template, server_key] {
        signed.extend_from_slice(part.raw());
    }
    let own = session.one_time_key.public_key();
    signed.extend(Writer::object(ONE_TIME_KEY, own.point()));
    session
        .server
        .verify(&signed, find(SIGNATURE)?.value())
        .map_err(|_| ErrorReason::InvalidSignature)?;
    if transaction.value() != session.transaction_id {
        return Err(ErrorReason::InvalidTransactionId);
    }
    if operation != Ok(INSTALL) {
        return Err(ErrorReason::UnsupportedRemoteOperationType);
    }
    let template = Fields::inside(&template, "ControlRefTemplate").map_err(|_| malformed)?;
    let kind = template.array(Tag::new(0x80), "keyType");
    let length = template.array(Tag::new(0x81), "keyLen");
    if kind != Ok([KEY_TYPE_AES]) || length != Ok([KEY_LENGTH]) {
        return Err(ErrorReason::UnsupportedCrtValues);
    }
    let host_id = template
        .octets(Tag::new(0x84), "hostId")
        .map_err(|_| malformed)?;
    let server_key =
        PublicKey::from_point(own.curve(), server_key.value()).map_err(|_| malformed)?;
    let secret = session
        .one_time_key
        .agree(&server_key)
        .map_err(|_| malformed)?;
    SessionKeys::derive(&secret, host_id, session.eid)
        .and_then(|keys| Bsp::new(&keys))
        .map_err(|_| malformed)
}

/// Opens all segments of a list of commands and joins them.
fn open_commands(
    bsp: &mut Bsp,
    command: &[u8],
    tag: Tag,
) -> Result<Zeroizing<Vec<u8>>, ErrorReason> {
    let list = object(command, tag)?;
    let mut joined = Zeroizing::new(Vec::new());
    let segments =
        Fields::inside(&list, "sequenceOf87").map_err(|_| ErrorReason::BspStructureError)?;
    for one in segments.members() {
        if one.tag() != TAG_COMMAND {
            return Err(ErrorReason::BspStructureError);
        }
        joined.extend_from_slice(&bsp.decrypt(one).map_err(reason_of)?);
    }
    Ok(joined)
}

fn configure(mut bsp: Bsp, command: &[u8]) -> Step {
    let text = open_commands(&mut bsp, command, FIRST_COMMANDS)?;
    if object(&text, super::TAG_CONFIGURE).is_err() {
        return Err(ErrorReason::IncorrectInputValues);
    }
    Ok((State::MetadataHead(bsp), Received::Configuration(text)))
}

fn metadata(mut bsp: Bsp, left: usize, mut gathered: Vec<u8>, command: &[u8]) -> Step {
    let segment = object(command, TAG_METADATA)?;
    let left = left
        .checked_sub(segment.raw().len())
        .ok_or(ErrorReason::BspStructureError)?;
    gathered.extend_from_slice(bsp.verify(&segment).map_err(reason_of)?);
    Ok(if left == 0 {
        (State::KeysOrProfile(bsp), Received::Metadata(gathered))
    } else {
        (
            State::Metadata {
                bsp,
                left,
                gathered,
            },
            Received::Nothing,
        )
    })
}

fn keys_or_profile(mut bsp: Bsp, command: &[u8]) -> Step {
    if let Ok(left) = bare_head(command, PROFILE) {
        return Ok((State::Profile { bsp, left }, Received::Nothing));
    }
    let text = open_commands(&mut bsp, command, SECOND_COMMANDS)?;
    let keys = read_keys(&text).map_err(|_| ErrorReason::IncorrectInputValues)?;
    // The profile was protected on its own: a new chain, counted from the beginning.
    let bsp = Bsp::new(&keys).map_err(reason_of)?;
    Ok((State::ProfileHead(bsp), Received::Nothing))
}

fn profile(mut bsp: Bsp, left: usize, command: &[u8]) -> Step {
    let segment = object(command, TAG_PROFILE)?;
    let left = left
        .checked_sub(segment.raw().len())
        .ok_or(ErrorReason::BspStructureError)?;
    let text = bsp.decrypt(&segment).map_err(reason_of)?;
    Ok(if left == 0 {
        (State::Over, Received::LastOfProfile(text))
    } else {
        (State::Profile { bsp, left }, Received::Profile(text))
    })
}
