//! The chip as a card: channels, selection, and the way of a command to the ISD-R or to the enabled profile.

use std::collections::BTreeMap;
use std::fmt;

use simurgh_rsp::certificate::{Certificate, RevocationList};
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::key::Curve;
use simurgh_rsp::message::es10::{ISD_R_AID, ProfileId};
use simurgh_rsp::message::info::{
    AuthorisationRule, EuiccInfo1, EuiccInfo2, RootKeys, Version, capability,
};
use simurgh_rsp::message::metadata::rule;
use simurgh_rsp::message::notification::PendingNotification;
use simurgh_rsp::pki::{ChainError, Credential, Credentials, Trust};
use simurgh_rsp::tlv::{NamedBits, Tag, Writer};
use simurgh_vocab::Timestamp;

use crate::apdu::{Answer, CommandApdu, StatusWord};
use crate::authenticate::AuthenticationOutcome;
use crate::download::Rsp;
use crate::filesystem::{Directory, InstalledFile};
use crate::profile::InstalledProfile;
use crate::toolkit::Toolkit;

/// One certificate of the chip and the chain above it: one a root.
#[derive(Debug, Clone)]
pub struct EuiccIdentity {
    /// The chip's certificate and key.
    pub credential: Credential,
    /// Its manufacturer's certificate.
    pub eum: Certificate,
    /// The root.
    pub root: Certificate,
}

/// What a chip is made with.
#[derive(Debug, Clone)]
pub struct EuiccSettings {
    /// Its number.
    pub eid: Eid,
    /// Its certificates, best first.
    pub identities: Vec<EuiccIdentity>,
    /// Memory for profiles, in octets.
    pub memory_octets: usize,
    /// The discovery server it asks.
    pub root_smds: String,
    /// The version of profile packages it understands.
    pub profile_version: Version,
    /// Which operators may set which policy rules.
    pub rules: Vec<AuthorisationRule>,
}

/// Memory of a chip of which nothing else is said: room for some forty profiles.
const MEMORY_OCTETS: usize = 524_288;

impl EuiccIdentity {
    /// The identities of a chip in a folder of certificates: P-256 first.
    ///
    /// # Errors
    /// [`IdentityFault`].
    pub fn of(
        credentials: &Credentials,
        eid: &Eid,
        now: Timestamp,
    ) -> Result<Vec<Self>, IdentityFault> {
        let trust = credentials.trust()?;
        let mut found = Vec::new();
        for credential in credentials.euicc(eid) {
            let certificate = credential.certificate();
            let eum = credentials
                .eum_of(certificate)
                .ok_or(IdentityFault::NoEum)?;
            let verified = trust.verify_eum(eum, now)?;
            trust.verify_euicc(certificate, &verified, now)?;
            let root = credentials
                .roots
                .iter()
                .find(|root| root.key_id() == verified.root_key_id());
            found.push(Self {
                credential: credential.clone(),
                eum: eum.clone(),
                root: root.ok_or(ChainError::UnknownRoot)?.clone(),
            });
        }
        found.sort_by_key(|one| one.root.public_key().curve() != Curve::P256);
        if found.is_empty() {
            return Err(IdentityFault::NotCertified);
        }
        Ok(found)
    }
}

/// A folder of certificates makes no chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// There is no certificate with its key for this EID.
    #[error("no certificate (CERT.EUICC) with its key for this EID is there")]
    NotCertified,
    /// The manufacturer's certificate is missing.
    #[error("the certificate of the chip's manufacturer (CERT.EUM) is not there")]
    NoEum,
    /// A chain is not valid.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl EuiccSettings {
    /// A usual chip: half a megabyte, profile packages up to 2.3.1, no policy rules allowed, no discovery server
    /// but the given one.
    #[must_use]
    pub const fn new(eid: Eid, identities: Vec<EuiccIdentity>, root_smds: String) -> Self {
        Self {
            eid,
            identities,
            memory_octets: MEMORY_OCTETS,
            root_smds,
            profile_version: Version([2, 3, 1]),
            rules: Vec::new(),
        }
    }
}

/// What the chip takes from outside.
pub struct Environment<'a> {
    /// Fills octets from a cryptographically secure source.
    pub random: &'a mut dyn FnMut(&mut [u8]),
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// A software eUICC.
#[derive(Debug)]
pub struct Euicc {
    pub(crate) settings: EuiccSettings,
    pub(crate) trust: Trust,
    pub(crate) default_smdp: Option<String>,
    pub(crate) profiles: Vec<InstalledProfile>,
    pub(crate) notifications: Vec<(u64, PendingNotification)>,
    /// Lists of revoked certificates, as they came and as they are understood.
    pub(crate) revocations: Vec<(Vec<u8>, RevocationList)>,
    pub(crate) next_sequence: u64,
    pub(crate) next_domain: u16,
    pub(crate) rsp: Rsp,
    pub(crate) refresh: bool,
    pub(crate) toolkit: Toolkit,
    /// The profile that was in use before test profiles were: it comes back after them.
    pub(crate) before_test: Option<Iccid>,
    channels: BTreeMap<u8, Channel>,
}

/// What is selected on a logical channel, and what is on its way.
#[derive(Debug, Default)]
struct Channel {
    selected: Selected,
    file: Option<(Directory, u16)>,
    incoming: Vec<u8>,
    next_block: u8,
    outgoing: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Selected {
    /// The root of the enabled profile.
    #[default]
    Root,
    IsdR,
    Usim,
}

/// The most octets of one command in pieces: a package comes in pieces of about a kilobyte.
const INCOMING_MAX: usize = 65_536;

/// The most logical channels.
const CHANNELS_MAX: u8 = 20;

/// AUTHENTICATE in the context of 3G and later, with the profile's own keys (3GPP TS 31.102 §7.1.2).
const CONTEXT_3G: u8 = 0x81;

/// AUTHENTICATE in the context of GSM, by the conversion of the same keys (3GPP TS 31.102 §7.1.2).
const CONTEXT_GSM: u8 = 0x80;

/// What every USIM's identifier begins with (ETSI TS 101 220).
const USIM_AID: [u8; 7] = [0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02];

impl Euicc {
    /// A chip as it leaves the factory.
    ///
    /// # Errors
    /// [`ChainError`] when a root of its identities is none.
    pub fn new(settings: EuiccSettings) -> Result<Self, ChainError> {
        let mut trust = Trust::nobody();
        for one in &settings.identities {
            trust = trust.with_root(one.root.clone())?;
        }
        Ok(Self {
            settings,
            trust,
            default_smdp: None,
            profiles: Vec::new(),
            notifications: Vec::new(),
            revocations: Vec::new(),
            next_sequence: 1,
            next_domain: 0x10,
            rsp: Rsp::default(),
            refresh: false,
            toolkit: Toolkit::default(),
            before_test: None,
            channels: BTreeMap::new(),
        })
    }

    /// Power off and on: channels and the session of a download are gone, profiles stay.
    pub fn reset(&mut self) {
        self.channels.clear();
        self.rsp.drop_session();
        self.refresh = false;
        self.toolkit = Toolkit::default();
    }

    /// Applications and files of the profile that was in use are not selected any more.
    pub(crate) fn leave_files(&mut self) {
        let channels = self.channels.values_mut();
        for channel in channels.filter(|channel| channel.selected != Selected::IsdR) {
            *channel = Channel::default();
        }
    }

    /// Whether the device shall read the card anew, since another profile is in use; asking answers it.
    pub fn take_refresh(&mut self) -> bool {
        std::mem::take(&mut self.refresh)
    }

    /// The installed profiles.
    #[must_use]
    pub fn profiles(&self) -> &[InstalledProfile] {
        &self.profiles
    }

    /// The profile in use.
    #[must_use]
    pub fn enabled_profile(&self) -> Option<&InstalledProfile> {
        self.profiles.iter().find(|one| one.enabled)
    }

    /// Memory that is left for profiles, in octets.
    #[must_use]
    pub fn free_memory_octets(&self) -> usize {
        let used: usize = self.profiles.iter().map(|one| one.package.len()).sum();
        self.settings.memory_octets.saturating_sub(used)
    }

    /// Takes a command APDU and gives the answer with its status word.
    pub fn transmit(&mut self, apdu: &[u8], environment: &mut Environment<'_>) -> Vec<u8> {
        let answer = match CommandApdu::parse(apdu) {
            Ok(command) => self.dispatch(&command, environment),
            Err(status) => Answer::status(status),
        };
        let status = self.toolkit.colour(answer.status);
        Answer { status, ..answer }.into_octets()
    }

    fn dispatch(&mut self, command: &CommandApdu<'_>, environment: &mut Environment<'_>) -> Answer {
        if command.channel == 0 {
            self.channels.entry(0).or_default();
        }
        if !self.channels.contains_key(&command.channel) {
            return Answer::status(StatusWord::CHANNEL_NOT_SUPPORTED);
        }
        if command.proprietary
            && let Some(answer) = self.toolkit.answer(command)
        {
            return answer;
        }
        match (command.proprietary, command.instruction) {
            (_, 0xC0) => self.fetch(command),
            (true, 0xE2) => self.store_data(command, environment),
            (true, 0xAA | 0xF2) => Answer::status(StatusWord::OK),
            (false, 0x70) => self.manage_channel(command),
            (false, 0xA4) => self.select(command),
            (false, 0xB0) => self.read_binary(command),
            (false, 0xB2) => self.read_record(command),
            (false, 0x88) => self.authenticate(command),
            _ => Answer::status(StatusWord::UNKNOWN_INSTRUCTION),
        }
    }

    fn channel(&mut self, number: u8) -> &mut Channel {
        self.channels.entry(number).or_default()
    }

    /// Opens (the next free one) or closes a channel.
    fn manage_channel(&mut self, command: &CommandApdu<'_>) -> Answer {
        match (command.p1, command.p2) {
            (0x00, 0x00) => {
                let free = (1..CHANNELS_MAX).find(|number| !self.channels.contains_key(number));
                match free {
                    Some(number) => {
                        self.channels.insert(number, Channel::default());
                        Answer::data(vec![number])
                    }
                    None => Answer::status(StatusWord::NOT_SUPPORTED),
                }
            }
            (0x80, number @ 1..CHANNELS_MAX) => match self.channels.remove(&number) {
                Some(closed) => {
                    if closed.selected == Selected::IsdR {
                        self.rsp.drop_session();
                    }
                    Answer::status(StatusWord::OK)
                }
                None => Answer::status(StatusWord::CHANNEL_NOT_SUPPORTED),
            },
            _ => Answer::status(StatusWord::WRONG_PARAMETERS),
        }
    }

    /// Data that wait are fetched piece by piece.
    fn fetch(&mut self, command: &CommandApdu<'_>) -> Answer {
        let channel = self.channel(command.channel);
        if channel.outgoing.is_empty() {
            return Answer::status(StatusWord::CONDITIONS_NOT_SATISFIED);
        }
        let count = command.expected.min(channel.outgoing.len());
        let data: Vec<u8> = channel.outgoing.drain(..count).collect();
        let status = match channel.outgoing.len() {
            0 => StatusWord::OK,
            left => StatusWord::more(left),
        };
        Answer { data, status }
    }

    /// A command to the ISD-R, in pieces.
    fn store_data(
        &mut self,
        command: &CommandApdu<'_>,
        environment: &mut Environment<'_>,
    ) -> Answer {
        let channel = self.channel(command.channel);
        if channel.selected != Selected::IsdR {
            return Answer::status(StatusWord::CONDITIONS_NOT_SATISFIED);
        }
        if command.p2 == 0 {
            channel.incoming.clear();
            channel.next_block = 0;
        }
        let fits = channel.incoming.len() + command.data.len() <= INCOMING_MAX;
        if command.p2 != channel.next_block || !fits {
            // What was gathered is void: the chain begins anew with block 0.
            channel.incoming.clear();
            channel.next_block = 0;
            return Answer::status(StatusWord::WRONG_PARAMETERS);
        }
        channel.next_block = channel.next_block.wrapping_add(1);
        channel.incoming.extend_from_slice(command.data);
        if command.p1 & 0x80 == 0 {
            return Answer::status(StatusWord::OK);
        }
        let whole = std::mem::take(&mut channel.incoming);
        channel.next_block = 0;
        match self.isd_r(&whole, environment) {
            Ok(answer) => self.queue(command.channel, answer),
            Err(status) => Answer::status(status),
        }
    }

    /// Keeps an answer until it is fetched.
    fn queue(&mut self, channel: u8, answer: Vec<u8>) -> Answer {
        let waiting = answer.len();
        self.channel(channel).outgoing = answer;
        Answer::status(match waiting {
            0 => StatusWord::OK,
            count => StatusWord::more(count),
        })
    }

    fn select(&mut self, command: &CommandApdu<'_>) -> Answer {
        match command.p1 {
            0x04 => self.select_application(command),
            0x00 | 0x08 | 0x09 => self.select_file(command),
            _ => Answer::status(StatusWord::WRONG_PARAMETERS),
        }
    }

    fn select_application(&mut self, command: &CommandApdu<'_>) -> Answer {
        let (selected, answer) = if !command.data.is_empty() && ISD_R_AID.starts_with(command.data)
        {
            // A selection ends the session of a download.
            self.rsp.drop_session();
            (Selected::IsdR, isd_r_template())
        } else if command.data.starts_with(&USIM_AID) && self.enabled_profile().is_some() {
            (Selected::Usim, application_template(command.data))
        } else {
            return Answer::status(StatusWord::NOT_FOUND);
        };
        *self.channel(command.channel) = Channel {
            selected,
            ..Channel::default()
        };
        self.queue(command.channel, answer)
    }

    /// By identifier or by path; paths below the application begin with `7FFF`.
    fn select_file(&mut self, command: &CommandApdu<'_>) -> Answer {
        let ids: Option<Vec<u16>> = command
            .data
            .chunks(2)
            .map(|pair| pair.try_into().ok().map(u16::from_be_bytes))
            .collect();
        let Some((id, path)) = ids.as_deref().and_then(<[u16]>::split_last) else {
            return Answer::status(StatusWord::WRONG_DATA);
        };
        let selected = self.channel(command.channel).selected;
        let directory = match path {
            [.., 0x5FC0] => Directory::FiveG,
            [.., 0x7FFF] => Directory::Usim,
            [0x3F00] => Directory::Root,
            _ if *id >> 8 == 0x2F => Directory::Root,
            _ if selected == Selected::Usim => Directory::Usim,
            _ => Directory::Root,
        };
        if *id == 0x3F00 {
            self.channel(command.channel).selected = Selected::Root;
            self.channel(command.channel).file = None;
            return self.queue(command.channel, directory_template(*id));
        }
        if matches!(*id, 0x7FFF | 0x5FC0) {
            return self.queue(command.channel, directory_template(*id));
        }
        let file = self
            .enabled_profile()
            .and_then(|profile| profile.file(directory, *id));
        match file.map(file_template) {
            Some(answer) => {
                self.channel(command.channel).file = Some((directory, *id));
                self.queue(command.channel, answer)
            }
            None => Answer::status(StatusWord::NOT_FOUND),
        }
    }

    /// The file selected on a channel.
    fn current_file(&mut self, number: u8) -> Option<&InstalledFile> {
        let (directory, id) = self.channel(number).file?;
        self.enabled_profile()?.file(directory, id)
    }

    fn read_binary(&mut self, command: &CommandApdu<'_>) -> Answer {
        let offset = usize::from(u16::from_be_bytes([command.p1 & 0x7F, command.p2]));
        let Some(file) = self.current_file(command.channel) else {
            return Answer::status(StatusWord::CONDITIONS_NOT_SATISFIED);
        };
        if command.p1 & 0x80 != 0 {
            return Answer::status(StatusWord::NOT_SUPPORTED);
        }
        match file.content.get(offset..) {
            Some(rest) if file.record_length.is_none() && !rest.is_empty() => {
                Answer::data(rest.iter().take(command.expected).copied().collect())
            }
            Some(_) | None => Answer::status(StatusWord::WRONG_OFFSET),
        }
    }

    fn read_record(&mut self, command: &CommandApdu<'_>) -> Answer {
        let Some(file) = self.current_file(command.channel) else {
            return Answer::status(StatusWord::CONDITIONS_NOT_SATISFIED);
        };
        match file.record(command.p1) {
            Some(record) if command.p2 & 0x07 == 0x04 => Answer::data(record.to_vec()),
            Some(_) => Answer::status(StatusWord::WRONG_PARAMETERS),
            None => Answer::status(StatusWord::RECORD_NOT_FOUND),
        }
    }

    /// The network's challenge: `10 RAND 10 AUTN`, or `10 RAND` in the context of GSM.
    fn authenticate(&mut self, command: &CommandApdu<'_>) -> Answer {
        if self.channel(command.channel).selected != Selected::Usim {
            return Answer::status(StatusWord::CONDITIONS_NOT_SATISFIED);
        }
        let [16, challenge @ ..] = command.data else {
            return Answer::status(StatusWord::WRONG_DATA);
        };
        if (command.p1, command.p2) == (0, CONTEXT_GSM) {
            return self.authenticate_gsm(command.channel, challenge);
        }
        let (Some(rand), Some([16, autn @ ..])) = (challenge.get(..16), challenge.get(16..)) else {
            return Answer::status(StatusWord::WRONG_DATA);
        };
        let (Ok(rand), Ok(autn)) = (rand.try_into(), autn.try_into()) else {
            return Answer::status(StatusWord::WRONG_DATA);
        };
        if command.p1 != 0 || command.p2 != CONTEXT_3G {
            return Answer::status(StatusWord::WRONG_PARAMETERS);
        }
        match self.answer_challenge(rand, autn) {
            Some(
                AuthenticationOutcome::Authenticated(answer)
                | AuthenticationOutcome::Resynchronise(answer),
            ) => self.queue(command.channel, answer),
            Some(AuthenticationOutcome::Refused) => {
                Answer::status(StatusWord::AUTHENTICATION_FAILED)
            }
            None => Answer::status(StatusWord::CONDITIONS_NOT_SATISFIED),
        }
    }

    /// As a network of the second generation asks: `04 SRES 08 Kc`.
    fn authenticate_gsm(&mut self, channel: u8, rand: &[u8]) -> Answer {
        let Ok(rand) = rand.try_into() else {
            return Answer::status(StatusWord::WRONG_DATA);
        };
        let milenage = self.enabled_profile().and_then(|one| one.milenage.as_ref());
        match milenage.and_then(|milenage| milenage.gsm(rand)) {
            Some((sres, kc)) => self.queue(channel, [&[4][..], &sres, &[8], &kc].concat()),
            None => Answer::status(StatusWord::CONDITIONS_NOT_SATISFIED),
        }
    }

    /// Answers the network's challenge with the keys of the profile in use; `None` when there is none that
    /// can.
    pub fn answer_challenge(
        &mut self,
        rand: &[u8; 16],
        autn: &[u8; 16],
    ) -> Option<AuthenticationOutcome> {
        let profile = self.profiles.iter_mut().find(|one| one.enabled)?;
        let milenage = profile.milenage.as_ref()?;
        profile.sequence_numbers.authenticate(milenage, rand, autn)
    }

    /// The place of a profile.
    pub(crate) fn place_of(&self, id: &ProfileId) -> Option<usize> {
        self.profiles.iter().position(|one| match id {
            ProfileId::Aid(aid) => one.aid == aid.as_slice(),
            ProfileId::Iccid(iccid) => one.iccid() == iccid,
        })
    }

    /// Whether a profile with this number is there.
    pub(crate) fn has(&self, iccid: &Iccid) -> bool {
        self.profiles.iter().any(|one| one.iccid() == iccid)
    }

    /// Whether the chip computes on this curve: on those of its roots.
    pub(crate) fn knows_curve(&self, curve: Curve) -> bool {
        let mut identities = self.settings.identities.iter();
        identities.any(|one| one.root.public_key().curve() == curve)
    }

    fn root_keys(&self) -> RootKeys {
        let keys = self.settings.identities.iter();
        let keys: Vec<Vec<u8>> = keys.map(|one| one.root.key_id().to_vec()).collect();
        RootKeys {
            verification: keys.clone(),
            signing: keys,
            signing_v3: Vec::new(),
        }
    }

    pub(crate) fn info1(&self) -> EuiccInfo1 {
        EuiccInfo1 {
            svn: SVN,
            roots: self.root_keys(),
        }
    }

    pub(crate) fn info2(&self) -> EuiccInfo2 {
        let installed = u8::try_from(self.profiles.len()).unwrap_or(u8::MAX);
        let free = u32::try_from(self.free_memory_octets()).unwrap_or(u32::MAX);
        let forbidden = if self.settings.rules.is_empty() {
            Some(NamedBits::of(&[rule::PPR1, rule::PPR2]))
        } else {
            None
        };
        EuiccInfo2 {
            profile_version: self.settings.profile_version,
            svn: SVN,
            firmware_version: Version([1, 0, 0]),
            ext_card_resource: EuiccInfo2::card_resource(installed, free, 8_192),
            uicc_capability: NamedBits::of(&[capability::USIM, capability::MILENAGE]),
            javacard_version: None,
            globalplatform_version: Some(Version([2, 3, 0])),
            // additionalProfile, crlSupport, testProfileSupport
            rsp_capability: NamedBits::of(&[0, 1, 3]),
            roots: self.root_keys(),
            category: Some(2),
            forbidden_rules: forbidden,
            pp_version: Version([1, 0, 0]),
            accreditation: "SIMURGH-SOFTWARE".into(),
        }
    }
}

/// The version of SGP.22 that the chip supports.
const SVN: Version = Version([2, 5, 0]);

/// What the selection of the ISD-R answers.
fn isd_r_template() -> Vec<u8> {
    Writer::nest(Tag::new(0x6F), |w| {
        w.octets(Tag::new(0x84), &ISD_R_AID);
        w.nested(Tag::new(0xA5), |w| {
            w.octets(Tag::new(0x9F65), &[0xFF]);
        });
        w.nested(Tag::new(0xE0), |w| {
            w.octets(Tag::new(0x82), &SVN.0);
        });
    })
}

/// What the selection of an application answers (ETSI TS 102 221 §11.1.1.3).
fn application_template(aid: &[u8]) -> Vec<u8> {
    Writer::nest(Tag::new(0x62), |w| {
        w.octets(Tag::new(0x82), &[0x78, 0x21])
            .octets(Tag::new(0x84), aid)
            .octets(Tag::new(0x8A), &[0x05]);
    })
}

fn directory_template(id: u16) -> Vec<u8> {
    Writer::nest(Tag::new(0x62), |w| {
        w.octets(Tag::new(0x82), &[0x78, 0x21])
            .octets(Tag::new(0x83), &id.to_be_bytes())
            .octets(Tag::new(0x8A), &[0x05]);
    })
}

fn file_template(file: &InstalledFile) -> Vec<u8> {
    let size = u16::try_from(file.content.len()).unwrap_or(u16::MAX);
    let descriptor = match file.record_length {
        None => vec![0x41, 0x21],
        Some(length) => {
            let octets = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
            let count = file.content.len().checked_div(length).unwrap_or(0);
            let count = u8::try_from(count).unwrap_or(u8::MAX);
            [&[0x42, 0x21][..], &octets, &[count]].concat()
        }
    };
    Writer::nest(Tag::new(0x62), |w| {
        w.octets(Tag::new(0x82), &descriptor)
            .octets(Tag::new(0x83), &file.id.to_be_bytes())
            .octets(Tag::new(0x8A), &[0x05])
            .octets(Tag::new(0x80), &size.to_be_bytes());
    })
}
