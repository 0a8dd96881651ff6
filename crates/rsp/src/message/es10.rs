//! Commands and answers between LPA and chip that are not part of a download: ES10a, ES10b, ES10c.
//!
//! [`Command`] is everything a chip may be asked.

mod profiles;

pub use profiles::{ProfileInfo, ProfileState, Search};

use super::cancel::{CancelSessionRequest, TAG_CANCEL_SESSION};
use super::download::{PrepareDownloadRequest, TAG_PREPARE_DOWNLOAD};
use super::info::{AuthorisationRule, TAG_INFO1, TAG_INFO2};
use super::metadata::read_iccid;
use super::notification::{Event, NotificationMetadata, PendingNotification};
use super::{
    AID, Challenge, ICCID, SEQUENCE, TAG_LIST, Wire, authentication, codes, context, group,
};
use crate::identity::{Eid, Iccid};
use crate::tlv::{DecodeError, Fields, Head, NamedBits, Tag, Tlv, Writer};

pub(crate) const TAG_NICKNAME: Tag = Tag::new(0xBF29);
pub(crate) const TAG_LIST_NOTIFICATIONS: Tag = Tag::new(0xBF28);
pub(crate) const TAG_RETRIEVE_NOTIFICATIONS: Tag = Tag::new(0xBF2B);
pub(crate) const TAG_PROFILES_INFO: Tag = Tag::new(0xBF2D);
pub(crate) const TAG_CHALLENGE: Tag = Tag::new(0xBF2E);
pub(crate) const TAG_REMOVE_NOTIFICATION: Tag = Tag::new(0xBF30);
pub(crate) const TAG_ENABLE: Tag = Tag::new(0xBF31);
pub(crate) const TAG_DISABLE: Tag = Tag::new(0xBF32);
pub(crate) const TAG_DELETE: Tag = Tag::new(0xBF33);
pub(crate) const TAG_MEMORY_RESET: Tag = Tag::new(0xBF34);
pub(crate) const TAG_LOAD_CRL: Tag = Tag::new(0xBF35);
pub(crate) const TAG_ADDRESSES: Tag = Tag::new(0xBF3C);
pub(crate) const TAG_EID: Tag = Tag::new(0xBF3E);
pub(crate) const TAG_DEFAULT_ADDRESS: Tag = Tag::new(0xBF3F);
pub(crate) const TAG_RULES: Tag = Tag::new(0xBF43);

/// The AID of the ISD-R, which answers all of this.
pub const ISD_R_AID: [u8; 16] = [
    0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0x00, 0x00, 0x01, 0x00,
];

/// Which profile is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileId {
    /// By the identifier of its security domain.
    Aid(Vec<u8>),
    /// By its number.
    Iccid(Iccid),
}

impl ProfileId {
    fn read(fields: &Fields<'_>) -> Result<Self, DecodeError> {
        match fields.find(AID) {
            Some(aid) if (5..=16).contains(&aid.value().len()) => {
                Ok(Self::Aid(aid.value().to_vec()))
            }
            Some(_) => Err(fields.invalid("isdpAid")),
            None => read_iccid(fields).map(Self::Iccid),
        }
    }

    fn write(&self, w: &mut Writer) {
        match self {
            Self::Aid(aid) => w.octets(AID, aid),
            Self::Iccid(iccid) => w.octets(ICCID, iccid.as_octets()),
        };
    }
}

/// What a memory reset takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResetOptions {
    /// Profiles for use.
    pub operational_profiles: bool,
    /// Test profiles that were downloaded.
    pub test_profiles: bool,
    /// The default server address.
    pub default_address: bool,
}

impl ResetOptions {
    const fn parts(self) -> [bool; 3] {
        [
            self.operational_profiles,
            self.test_profiles,
            self.default_address,
        ]
    }
}

/// Which notifications are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationFilter {
    /// All.
    All,
    /// The one with this number.
    Number(u64),
    /// Those of these events.
    Events(NamedBits),
}

impl NotificationFilter {
    /// Whether a notification is meant.
    #[must_use]
    pub fn covers(&self, number: u64, event: Event) -> bool {
        match self {
            Self::All => true,
            Self::Number(wanted) => *wanted == number,
            Self::Events(events) => events.has(event.bit()),
        }
    }
}

/// Everything a chip may be asked, except the commands of a package ([`crate::bpp::Receiver`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// ES10a.GetEuiccConfiguredAddresses
    GetAddresses,
    /// ES10a.SetDefaultDpAddress
    SetDefaultAddress(String),
    /// ES10b.GetEUICCInfo, the first part
    GetInfo1,
    /// ES10b.GetEUICCInfo, all
    GetInfo2,
    /// ES10b.GetEUICCChallenge
    GetChallenge,
    /// ES10b.AuthenticateServer
    AuthenticateServer(Box<authentication::AuthenticateServerRequest>),
    /// ES10b.PrepareDownload
    PrepareDownload(Box<PrepareDownloadRequest>),
    /// ES10b.CancelSession
    CancelSession(CancelSessionRequest),
    /// ES10b.ListNotification
    ListNotifications(NotificationFilter),
    /// ES10b.RetrieveNotificationsList
    RetrieveNotifications(NotificationFilter),
    /// ES10b.RemoveNotificationFromList
    RemoveNotification(u64),
    /// ES10b.LoadCRL (v2 only): a list of revoked certificates in DER
    LoadCrl(Vec<u8>),
    /// ES10b.GetRAT
    GetRules,
    /// ES10c.GetProfilesInfo
    GetProfiles(Search),
    /// ES10c.EnableProfile
    Enable {
        /// Which profile.
        profile: ProfileId,
        /// Whether the device shall be told to read the card anew.
        refresh: bool,
    },
    /// ES10c.DisableProfile
    Disable {
        /// Which profile.
        profile: ProfileId,
        /// Whether the device shall be told to read the card anew.
        refresh: bool,
    },
    /// ES10c.DeleteProfile
    Delete(ProfileId),
    /// ES10c.eUICCMemoryReset
    MemoryReset(ResetOptions),
    /// ES10c.GetEID
    GetEid,
    /// ES10c.SetNickname
    SetNickname {
        /// Which profile.
        iccid: Iccid,
        /// What the user calls it; empty to forget it.
        nickname: String,
    },
}

const COMMAND: &str = "ES10 command";

impl Wire for Command {
    fn encode(&self) -> Vec<u8> {
        let empty = |tag| Writer::object(tag, &[]);
        match self {
            Self::GetAddresses => empty(TAG_ADDRESSES),
            Self::SetDefaultAddress(address) => Writer::nest(TAG_DEFAULT_ADDRESS, |w| {
                w.octets(context(0), address.as_bytes());
            }),
            Self::GetInfo1 => empty(TAG_INFO1),
            Self::GetInfo2 => empty(TAG_INFO2),
            Self::GetChallenge => empty(TAG_CHALLENGE),
            Self::AuthenticateServer(request) => request.encode(),
            Self::PrepareDownload(request) => request.encode(),
            Self::CancelSession(request) => request.encode(),
            Self::ListNotifications(filter) => encode_list(*filter),
            Self::RetrieveNotifications(filter) => encode_retrieve(*filter),
            Self::RemoveNotification(number) => Writer::nest(TAG_REMOVE_NOTIFICATION, |w| {
                w.integer(context(0), *number);
            }),
            Self::LoadCrl(list) => Writer::nest(TAG_LOAD_CRL, |w| {
                w.raw(list);
            }),
            Self::GetRules => empty(TAG_RULES),
            Self::GetProfiles(search) => search.encode(),
            Self::Enable { profile, refresh } => encode_switch(TAG_ENABLE, profile, *refresh),
            Self::Disable { profile, refresh } => encode_switch(TAG_DISABLE, profile, *refresh),
            Self::Delete(profile) => Writer::nest(TAG_DELETE, |w| profile.write(w)),
            Self::MemoryReset(options) => Writer::nest(TAG_MEMORY_RESET, |w| {
                let set = (0u32..).zip(options.parts());
                let bits: Vec<u32> = set.filter_map(|(bit, on)| on.then_some(bit)).collect();
                w.bits(context(2), NamedBits::of(&bits));
            }),
            Self::GetEid => Writer::nest(TAG_EID, |w| {
                w.octets(TAG_LIST, &[0x5A]);
            }),
            Self::SetNickname { iccid, nickname } => Writer::nest(TAG_NICKNAME, |w| {
                w.octets(ICCID, iccid.as_octets())
                    .octets(context(16), nickname.as_bytes());
            }),
        }
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::inside(tlv, COMMAND)?;
        Ok(match tlv.tag() {
            TAG_ADDRESSES => Self::GetAddresses,
            TAG_DEFAULT_ADDRESS => {
                Self::SetDefaultAddress(fields.text(context(0), "defaultDpAddress")?.to_owned())
            }
            TAG_INFO1 => Self::GetInfo1,
            TAG_INFO2 => Self::GetInfo2,
            TAG_CHALLENGE => Self::GetChallenge,
            authentication::TAG_AUTHENTICATE_SERVER => {
                Self::AuthenticateServer(Box::new(Wire::decode(tlv)?))
            }
            TAG_PREPARE_DOWNLOAD => Self::PrepareDownload(Box::new(Wire::decode(tlv)?)),
            TAG_CANCEL_SESSION => Self::CancelSession(Wire::decode(tlv)?),
            TAG_LIST_NOTIFICATIONS => Self::ListNotifications(read_list(&fields)?),
            TAG_RETRIEVE_NOTIFICATIONS => Self::RetrieveNotifications(read_retrieve(&fields)?),
            TAG_REMOVE_NOTIFICATION => {
                Self::RemoveNotification(fields.integer(context(0), "seqNumber")?)
            }
            TAG_LOAD_CRL => Self::LoadCrl(fields.need(SEQUENCE, "crl")?.raw().to_vec()),
            TAG_RULES => Self::GetRules,
            TAG_PROFILES_INFO => Self::GetProfiles(Search::decode(tlv)?),
            TAG_ENABLE => {
                let (profile, refresh) = read_switch(&fields)?;
                Self::Enable { profile, refresh }
            }
            TAG_DISABLE => {
                let (profile, refresh) = read_switch(&fields)?;
                Self::Disable { profile, refresh }
            }
            TAG_DELETE => Self::Delete(ProfileId::read(&fields)?),
            TAG_MEMORY_RESET => {
                let bits = fields.bits(context(2), "resetOptions")?;
                Self::MemoryReset(ResetOptions {
                    operational_profiles: bits.has(0),
                    test_profiles: bits.has(1),
                    default_address: bits.has(2),
                })
            }
            TAG_EID => Self::GetEid,
            TAG_NICKNAME => Self::SetNickname {
                iccid: read_iccid(&fields)?,
                nickname: fields.text(context(16), "profileNickname")?.to_owned(),
            },
            _ => return Err(fields.invalid("tag")),
        })
    }
}

fn encode_switch(tag: Tag, profile: &ProfileId, refresh: bool) -> Vec<u8> {
    Writer::nest(tag, |w| {
        w.nested(group(0), |w| profile.write(w))
            .boolean(context(1), refresh);
    })
}

fn read_switch(fields: &Fields<'_>) -> Result<(ProfileId, bool), DecodeError> {
    let profile = ProfileId::read(&fields.group(group(0), "profileIdentifier")?)?;
    Ok((profile, fields.boolean(context(1), "refreshFlag")?))
}

fn encode_list(filter: NotificationFilter) -> Vec<u8> {
    Writer::nest(TAG_LIST_NOTIFICATIONS, |w| {
        if let NotificationFilter::Events(events) = filter {
            w.bits(context(1), events);
        }
    })
}

fn read_list(fields: &Fields<'_>) -> Result<NotificationFilter, DecodeError> {
    Ok(fields
        .bits_if(context(1), "profileManagementOperation")?
        .map_or(NotificationFilter::All, NotificationFilter::Events))
}

fn encode_retrieve(filter: NotificationFilter) -> Vec<u8> {
    Writer::nest(TAG_RETRIEVE_NOTIFICATIONS, |w| match filter {
        NotificationFilter::All => {}
        NotificationFilter::Number(number) => {
            w.nested(group(0), |w| {
                w.integer(context(0), number);
            });
        }
        NotificationFilter::Events(events) => {
            w.nested(group(0), |w| {
                w.bits(context(1), events);
            });
        }
    })
}

fn read_retrieve(fields: &Fields<'_>) -> Result<NotificationFilter, DecodeError> {
    let Some(criteria) = fields.find(group(0)) else {
        return Ok(NotificationFilter::All);
    };
    let criteria = Fields::inside(&criteria, "searchCriteria")?;
    Ok(match criteria.integer_if(context(0), "seqNumber")? {
        Some(number) => NotificationFilter::Number(number),
        None => {
            NotificationFilter::Events(criteria.bits(context(1), "profileManagementOperation")?)
        }
    })
}

codes! {
    /// How a change of profiles ended. The meaning of 2 to 4 depends on the command.
    ProfileOutcome {
        /// It is done.
        Ok = 0,
        /// There is no such profile (or, after a memory reset, nothing to delete).
        NotFound = 1,
        /// The profile is not in the state that the command needs.
        WrongState = 2,
        /// Its policy rules do not allow it.
        DisallowedByPolicy = 3,
        /// A test profile is in the way.
        WrongReenabling = 4,
        /// A session with the card is open; try again.
        CatBusy = 5,
        /// Something else.
        Undefined = 127,
    }
}

codes! {
    /// Why a list of revoked certificates was not taken.
    LoadCrlError {
        /// Its signature is not right.
        InvalidSignature = 1,
        /// It is no list.
        InvalidFormat = 2,
        /// No room.
        NotEnoughMemory = 3,
        /// It is signed by nobody who is known.
        VerificationKeyNotFound = 4,
        /// A newer one is there.
        FresherCrlLoaded = 5,
        /// It says what changed since a list that is not there.
        BaseCrlMissing = 6,
        /// Something else.
        Undefined = 127,
    }
}

/// The answer to [`Command::LoadCrl`].
#[must_use]
pub fn load_crl_answer(outcome: Result<(), LoadCrlError>) -> Vec<u8> {
    Writer::nest(TAG_LOAD_CRL, |w| {
        match outcome {
            Ok(()) => w.octets(group(0), &[]),
            Err(error) => w.integer(context(1), error.code()),
        };
    })
}

/// Reads the answer to [`Command::LoadCrl`]: inside how it ended.
///
/// # Errors
/// [`DecodeError`].
pub fn read_load_crl(answer: &[u8]) -> Result<Result<(), LoadCrlError>, DecodeError> {
    let fields = Fields::parse(answer, TAG_LOAD_CRL, "LoadCRLResponse")?;
    if fields.find(group(0)).is_some() {
        return Ok(Ok(()));
    }
    let error = LoadCrlError::from_code(fields.integer(context(1), "loadCRLResponseError")?);
    error
        .map(Err)
        .ok_or_else(|| fields.invalid("loadCRLResponseError"))
}

/// An answer of one number: enable, disable, delete, reset, nickname, default address, removal.
#[must_use]
pub fn outcome_answer(tag: Tag, outcome: ProfileOutcome) -> Vec<u8> {
    Writer::nest(tag, |w| {
        w.integer(context(0), outcome.code());
    })
}

/// Reads an answer of one number.
///
/// # Errors
/// [`DecodeError`].
pub fn read_outcome(answer: &[u8]) -> Result<ProfileOutcome, DecodeError> {
    let tlv = parse(answer)?;
    let fields = Fields::inside(&tlv, ANSWER)?;
    ProfileOutcome::from_code(fields.integer(context(0), "result")?)
        .ok_or_else(|| fields.invalid("result"))
}

impl Command {
    /// The tag of the command, which its answer bears too.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        match self {
            Self::GetAddresses => TAG_ADDRESSES,
            Self::SetDefaultAddress(_) => TAG_DEFAULT_ADDRESS,
            Self::GetInfo1 => TAG_INFO1,
            Self::GetInfo2 => TAG_INFO2,
            Self::GetChallenge => TAG_CHALLENGE,
            Self::AuthenticateServer(_) => authentication::TAG_AUTHENTICATE_SERVER,
            Self::PrepareDownload(_) => TAG_PREPARE_DOWNLOAD,
            Self::CancelSession(_) => TAG_CANCEL_SESSION,
            Self::ListNotifications(_) => TAG_LIST_NOTIFICATIONS,
            Self::RetrieveNotifications(_) => TAG_RETRIEVE_NOTIFICATIONS,
            Self::RemoveNotification(_) => TAG_REMOVE_NOTIFICATION,
            Self::LoadCrl(_) => TAG_LOAD_CRL,
            Self::GetRules => TAG_RULES,
            Self::GetProfiles(_) => TAG_PROFILES_INFO,
            Self::Enable { .. } => TAG_ENABLE,
            Self::Disable { .. } => TAG_DISABLE,
            Self::Delete(_) => TAG_DELETE,
            Self::MemoryReset(_) => TAG_MEMORY_RESET,
            Self::GetEid => TAG_EID,
            Self::SetNickname { .. } => TAG_NICKNAME,
        }
    }
}

const ANSWER: &str = "ES10 answer";

fn parse(answer: &[u8]) -> Result<Tlv<'_>, DecodeError> {
    Tlv::parse(answer).map_err(|error| DecodeError::Tlv {
        structure: ANSWER,
        error,
    })
}

/// The answer to [`Command::GetChallenge`].
#[must_use]
pub fn challenge_answer(challenge: &Challenge) -> Vec<u8> {
    Writer::nest(TAG_CHALLENGE, |w| {
        w.octets(context(0), challenge);
    })
}

/// Reads the answer to [`Command::GetChallenge`].
///
/// # Errors
/// [`DecodeError`].
pub fn read_challenge(answer: &[u8]) -> Result<Challenge, DecodeError> {
    Fields::parse(answer, TAG_CHALLENGE, "GetEuiccChallengeResponse")?
        .array(context(0), "euiccChallenge")
}

/// The answer to [`Command::GetEid`].
#[must_use]
pub fn eid_answer(eid: &Eid) -> Vec<u8> {
    Writer::nest(TAG_EID, |w| {
        w.octets(ICCID, eid.as_octets());
    })
}

/// Reads the answer to [`Command::GetEid`].
///
/// # Errors
/// [`DecodeError`].
pub fn read_eid(answer: &[u8]) -> Result<Eid, DecodeError> {
    let fields = Fields::parse(answer, TAG_EID, "GetEuiccDataResponse")?;
    Eid::from_octets(fields.array(ICCID, "eidValue")?).map_err(|_| fields.invalid("eidValue"))
}

/// The addresses a chip keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// The server to ask when there is no activation code.
    pub default_smdp: Option<String>,
    /// The discovery server.
    pub root_smds: String,
}

impl Wire for Addresses {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_ADDRESSES, |w| {
            w.octets_if(context(0), self.default_smdp.as_deref().map(str::as_bytes))
                .octets(context(1), self.root_smds.as_bytes());
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_ADDRESSES, "EuiccConfiguredAddressesResponse")?;
        Ok(Self {
            default_smdp: fields
                .text_if(context(0), "defaultDpAddress")?
                .filter(|address| !address.is_empty())
                .map(str::to_owned),
            root_smds: fields.text(context(1), "rootDsAddress")?.to_owned(),
        })
    }
}

/// The answer to [`Command::GetRules`].
#[must_use]
pub fn rules_answer(rules: &[AuthorisationRule]) -> Vec<u8> {
    Writer::nest(TAG_RULES, |w| {
        w.nested(group(0), |w| {
            for rule in rules {
                rule.write(w);
            }
        });
    })
}

/// Reads the answer to [`Command::GetRules`].
///
/// # Errors
/// [`DecodeError`].
pub fn read_rules(answer: &[u8]) -> Result<Vec<AuthorisationRule>, DecodeError> {
    let fields = Fields::parse(answer, TAG_RULES, "GetRatResponse")?;
    let rules = fields.group(group(0), "rat")?;
    rules
        .members()
        .iter()
        .map(AuthorisationRule::read)
        .collect()
}

/// The answer to [`Command::ListNotifications`].
#[must_use]
pub fn notification_list_answer(notifications: &[NotificationMetadata]) -> Vec<u8> {
    list_answer(TAG_LIST_NOTIFICATIONS, notifications)
}

/// Reads the answer to [`Command::ListNotifications`].
///
/// # Errors
/// [`DecodeError`].
pub fn read_notification_list(answer: &[u8]) -> Result<Vec<NotificationMetadata>, DecodeError> {
    read_list_answer(answer, TAG_LIST_NOTIFICATIONS)
}

/// The answer to [`Command::RetrieveNotifications`].
#[must_use]
pub fn notifications_answer(notifications: &[PendingNotification]) -> Vec<u8> {
    if notifications.is_empty() {
        // noResultAvailable
        return Writer::nest(TAG_RETRIEVE_NOTIFICATIONS, |w| {
            w.integer(context(1), 1);
        });
    }
    list_answer(TAG_RETRIEVE_NOTIFICATIONS, notifications)
}

/// Reads the answer to [`Command::RetrieveNotifications`]; none when the chip says that it has none.
///
/// # Errors
/// [`DecodeError`].
pub fn read_notifications(answer: &[u8]) -> Result<Vec<PendingNotification>, DecodeError> {
    read_list_answer(answer, TAG_RETRIEVE_NOTIFICATIONS)
}

/// The notifications in the answer to [`Command::RetrieveNotifications`] as they came, to be passed on
/// without a change.
///
/// # Errors
/// [`DecodeError`].
pub fn raw_notifications(answer: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let fields = Fields::parse(answer, TAG_RETRIEVE_NOTIFICATIONS, ANSWER)?;
    let Some(list) = fields.find(group(0)) else {
        return Ok(Vec::new());
    };
    let list = Fields::inside(&list, ANSWER)?;
    Ok(list
        .members()
        .iter()
        .map(|one| one.raw().to_vec())
        .collect())
}

fn list_answer<T: Wire>(tag: Tag, items: &[T]) -> Vec<u8> {
    Writer::nest(tag, |w| {
        w.nested(group(0), |w| {
            for one in items {
                w.raw(&one.encode());
            }
        });
    })
}

fn read_list_answer<T: Wire>(answer: &[u8], tag: Tag) -> Result<Vec<T>, DecodeError> {
    let fields = Fields::parse(answer, tag, ANSWER)?;
    match fields.find(group(0)) {
        Some(list) => Fields::inside(&list, ANSWER)?
            .members()
            .iter()
            .map(T::decode)
            .collect(),
        None => {
            fields.integer(context(1), "error")?;
            Ok(Vec::new())
        }
    }
}

/// The answer to a command that cannot be understood, of those that have one for it: `incorrectInputValues` of
/// GetProfilesInfo, `undefinedError` of ListNotification.
///
/// Source: SGP.22 v2.5 §5.7.15, §5.7.9
#[must_use]
pub fn malformed_answer(command: &[u8]) -> Option<Vec<u8>> {
    let error = |tag, code| {
        Writer::nest(tag, |w| {
            w.integer(context(1), code);
        })
    };
    match Head::parse(command).ok()?.tag {
        TAG_PROFILES_INFO => Some(error(TAG_PROFILES_INFO, 1)),
        TAG_LIST_NOTIFICATIONS => Some(error(TAG_LIST_NOTIFICATIONS, 127)),
        _ => None,
    }
}

/// The answer to [`Command::GetProfiles`].
#[must_use]
pub fn profiles_answer(profiles: &[ProfileInfo]) -> Vec<u8> {
    list_answer(TAG_PROFILES_INFO, profiles)
}

/// Reads the answer to [`Command::GetProfiles`].
///
/// # Errors
/// [`DecodeError`].
pub fn read_profiles(answer: &[u8]) -> Result<Vec<ProfileInfo>, DecodeError> {
    read_list_answer(answer, TAG_PROFILES_INFO)
}
