//! eSIM profiles, sessions with chips, and what chips report, in the store; and the makers of packages.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use simurgh_vocab::identity::{Eid, Iccid, Imsi, Plmn};
use simurgh_vocab::{LineId, Msisdn, ProfileId, ProgressId, Timestamp};
use zeroize::Zeroizing;

use simurgh_subscriber::Profile;
pub use simurgh_subscriber::{ChipCurve, ChipFacts, ChipKey};

use super::StoreFault;

/// The octets that name a session with a chip.
pub type Transaction = [u8; 16];

/// Which server a chip speaks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// The one that has profiles.
    SmDp,
    /// The one that says where profiles wait.
    SmDs,
}

/// A session with a chip, from its first question to its last. Any node serves any step of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RspSession {
    /// Its name.
    pub transaction: Transaction,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it is over by itself.
    pub expires_at: Timestamp,
    /// How far it has come.
    pub step: SessionStep,
}

/// How far a session has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionStep {
    /// The chip was challenged.
    Opened {
        /// What the chip must sign.
        server_challenge: [u8; 16],
        /// The root by which the chip will be verified.
        root_key_id: Vec<u8>,
        /// With whom it speaks.
        server: ServerKind,
    },
    /// The chip is believed and was offered a profile.
    Authenticated {
        /// The chip.
        eid: Eid,
        /// The key by which it signs.
        chip_key: ChipKey,
        /// The profile.
        profile: ProfileId,
        /// The package that fits it.
        variant: String,
        /// Our signature that the chip's next one covers.
        server_signature: [u8; 64],
        /// Whether a confirmation code is needed.
        code_required: bool,
        /// The chip's one-time key of an earlier package.
        bound_key: Option<[u8; 65]>,
    },
    /// The chip is believed, and there was nothing for it.
    Known {
        /// The chip.
        eid: Eid,
        /// The key by which it signs.
        chip_key: ChipKey,
    },
    /// A package has left.
    Delivered {
        /// The chip.
        eid: Eid,
        /// The key by which it signs.
        chip_key: ChipKey,
        /// The profile.
        profile: ProfileId,
    },
    /// It was cancelled, or the chip has reported how it ended.
    Over,
}

/// What happened to a profile on its chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChipEvent {
    /// It was installed, or that failed.
    Install,
    /// It was enabled.
    Enable,
    /// It was disabled.
    Disable,
    /// It was deleted.
    Delete,
}

/// How an installation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallOutcome {
    /// The profile is there.
    Installed,
    /// It is not.
    Failed {
        /// The command that failed (SGP.22 v2.5 §5.7.2 `BppCommandId`).
        command: u8,
        /// Why (`ErrorReason`).
        reason: u8,
        /// What the chip's interpreter of packages said.
        response: Vec<u8>,
    },
}

/// Something that a chip reported and signed; the signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipNotification {
    /// The chip.
    pub eid: Eid,
    /// Its number in the chip: chip and number make it one.
    pub sequence: u64,
    /// The profile.
    pub iccid: Option<Iccid>,
    /// What happened.
    pub event: ChipEvent,
    /// How an installation ended.
    pub outcome: Option<InstallOutcome>,
    /// The session of an installation.
    pub transaction: Option<Transaction>,
}

/// Why a phone left a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancelWhy {
    /// The user does not want the profile; some phones say so whenever anything fails.
    UserRejected,
    /// The user will come back.
    Postponed,
    /// The user did not answer.
    Timeout,
    /// The chip does not allow the profile's rules.
    RulesNotAllowed,
    /// The metadata shown and those in the package differ.
    MetadataMismatch,
    /// The package could not be loaded.
    LoadFailed,
    /// Something else.
    Undefined,
}

/// A notification as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardNotification {
    /// What was reported.
    pub notification: ChipNotification,
    /// When it came.
    pub heard_at: Timestamp,
}

/// A protected package of a profile.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPackage {
    /// Which variant it is.
    pub variant: String,
    /// The oldest version of packages that a chip must understand for it.
    pub least_version: [u8; 3],
    /// The memory it takes on a chip, about, in octets.
    pub size_octets: u64,
    /// `StoreMetadataRequest`, as the chip will get it.
    pub metadata: Vec<u8>,
    /// The protected package with its keys, sealed.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for StoredPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredPackage({})", self.variant)
    }
}

/// Something that waits for a chip at a server, as an SM-DS keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipEventRecord {
    /// The chip.
    pub eid: Eid,
    /// The token under which it waits.
    pub event_id: String,
    /// The host name of the server where it waits.
    pub server_address: String,
    /// Who registered it.
    pub registered_by: String,
    /// When.
    pub registered_at: Timestamp,
}

/// A call of another operator that was answered, to answer it so again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredCall {
    /// Who called.
    pub requester: String,
    /// The caller's name for the call.
    pub call: String,
    /// The digest of what was asked.
    pub digest: Vec<u8>,
    /// The profile it was about.
    pub profile: ProfileId,
    /// When it was answered.
    pub answered_at: Timestamp,
}

/// Which profiles staff looks through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileShelf {
    /// Every one.
    All,
    /// Those that cannot be downloaded any more because something went wrong.
    GivenUp,
}

/// Profiles, sessions with chips and what chips report.
pub trait Profiles {
    /// Stores a new profile. Its number and its token are no other's.
    fn insert_profile(&mut self, profile: &Profile) -> Result<(), StoreFault>;
    /// Stores a profile's changed state.
    fn update_profile(&mut self, profile: &Profile) -> Result<(), StoreFault>;
    /// Stores which chip a profile is bound to; nothing else of it may have changed.
    fn bind_profile(&mut self, profile: &Profile) -> Result<(), StoreFault>;
    /// Stores how far a profile has come on its way into its chip: its state, its counters, the chip's one-time key and
    /// what the chip says. Nothing else of it may have changed.
    fn advance_profile(&mut self, profile: &Profile) -> Result<(), StoreFault>;
    /// A profile, locked until the transaction ends.
    fn profile(&mut self, id: ProfileId) -> Result<Option<Profile>, StoreFault>;
    /// The profile with this number, locked until the transaction ends.
    fn profile_by_iccid(&mut self, iccid: Iccid) -> Result<Option<Profile>, StoreFault>;
    /// The profile with this token, locked until the transaction ends.
    fn profile_by_matching_id(&mut self, matching_id: &str) -> Result<Option<Profile>, StoreFault>;
    /// The profiles that wait for a chip which was named in the order, oldest first.
    fn profiles_linked_to(&mut self, eid: Eid) -> Result<Vec<Profile>, StoreFault>;
    /// A line's profiles, oldest first.
    fn profiles_of(&mut self, line: LineId) -> Result<Vec<Profile>, StoreFault>;
    /// Whether there is or was a profile of this type.
    fn profile_type_is_known(&mut self, profile_type: &str) -> Result<bool, StoreFault>;
    /// A profile of this type that is available, locked until the transaction ends.
    fn available_profile(&mut self, profile_type: &str) -> Result<Option<Profile>, StoreFault>;
    /// Up to `limit` profiles behind an id, in the order of their ids.
    fn profiles_after(
        &mut self,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<Profile>, StoreFault>;
    /// The newest profiles, or only those that were given up; newest first.
    fn newest_profiles(
        &mut self,
        which: ProfileShelf,
        limit: u32,
    ) -> Result<Vec<Profile>, StoreFault>;
    /// The profiles that are bound to a chip or ordered for it, oldest first.
    fn profiles_of_chip(&mut self, eid: Eid) -> Result<Vec<Profile>, StoreFault>;

    /// Stores a package of a profile.
    fn insert_package(
        &mut self,
        profile: ProfileId,
        package: &StoredPackage,
    ) -> Result<(), StoreFault>;
    /// A package of a profile.
    fn package_of(
        &mut self,
        profile: ProfileId,
        variant: &str,
    ) -> Result<Option<StoredPackage>, StoreFault>;
    /// All packages of a profile, with empty `sealed`, those for the newest chips first.
    fn package_list(&mut self, profile: ProfileId) -> Result<Vec<StoredPackage>, StoreFault>;
    /// Forgets the packages of a profile.
    fn forget_packages(&mut self, profile: ProfileId) -> Result<(), StoreFault>;

    /// Stores a new session.
    fn insert_rsp_session(&mut self, session: &RspSession) -> Result<(), StoreFault>;
    /// Stores how far a session has come.
    fn update_rsp_session(&mut self, session: &RspSession) -> Result<(), StoreFault>;
    /// A session, locked until the transaction ends.
    fn rsp_session(&mut self, transaction: &Transaction) -> Result<Option<RspSession>, StoreFault>;
    /// Removes up to `limit` sessions that were over before a time, and says how many.
    fn forget_rsp_sessions(
        &mut self,
        expired_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreFault>;

    /// Stores a notification; false when it was heard before.
    fn insert_chip_notification(
        &mut self,
        heard: &HeardNotification,
        profile: Option<ProfileId>,
    ) -> Result<bool, StoreFault>;
    /// What was heard about a profile, oldest first.
    fn chip_notifications_of(
        &mut self,
        profile: ProfileId,
    ) -> Result<Vec<HeardNotification>, StoreFault>;

    /// A call that was answered.
    fn answered_call(
        &mut self,
        requester: &str,
        call: &str,
    ) -> Result<Option<AnsweredCall>, StoreFault>;
    /// Stores a call with its answer.
    fn insert_answered_call(&mut self, call: &AnsweredCall) -> Result<(), StoreFault>;
    /// Removes up to `limit` calls that were answered before a time, and says how many.
    fn forget_answered_calls(
        &mut self,
        answered_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreFault>;

    /// Keeps that an SM-DS elsewhere was told of a profile.
    fn insert_foreign_event(
        &mut self,
        profile: ProfileId,
        event: &ForeignEvent,
    ) -> Result<(), StoreFault>;
    /// What SM-DS elsewhere were told of a profile.
    fn foreign_events_of(&mut self, profile: ProfileId) -> Result<Vec<ForeignEvent>, StoreFault>;
    /// Forgets such an event, which was taken back.
    fn forget_foreign_event(
        &mut self,
        profile: ProfileId,
        event_id: &str,
    ) -> Result<(), StoreFault>;

    /// Keeps news of a download until it is told.
    fn insert_progress(&mut self, progress: &DownloadProgress) -> Result<(), StoreFault>;
    /// News of a download that is yet to be told.
    fn progress(&mut self, id: ProgressId) -> Result<Option<DownloadProgress>, StoreFault>;
    /// Forgets news that was told.
    fn forget_progress(&mut self, id: ProgressId) -> Result<(), StoreFault>;

    /// Stores that something waits for a chip; false when its token is known for the chip.
    fn insert_chip_event(&mut self, event: &ChipEventRecord) -> Result<bool, StoreFault>;
    /// Forgets what waits for a chip; false when it was not known.
    fn remove_chip_event(&mut self, eid: Eid, event_id: &str) -> Result<bool, StoreFault>;
    /// What waits for a chip, oldest first.
    fn chip_events_of(&mut self, eid: Eid) -> Result<Vec<ChipEventRecord>, StoreFault>;
}

/// A secret of a subscription; `Debug` hides it, and it is overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden<T: zeroize::Zeroize>(Zeroizing<T>);

impl<T: zeroize::Zeroize> Hidden<T> {
    /// Hides a value.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value.
    #[must_use]
    pub fn show(&self) -> &T {
        &self.0
    }
}

impl<T: zeroize::Zeroize> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// A key by which a profile can be changed over the air: AES-128.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverTheAirKey {
    /// The version of its set.
    pub version: u8,
    /// Its place in the set: 1 enciphers, 2 authenticates, 3 enciphers keys.
    pub identifier: u8,
    /// The key.
    pub key: Hidden<[u8; 16]>,
}

/// Everything that makes a profile one subscriber's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileMaterial {
    /// The profile's number.
    pub iccid: Iccid,
    /// The subscription.
    pub imsi: Imsi,
    /// The home network.
    pub home: Plmn,
    /// The subscriber's number.
    pub msisdn: Option<Msisdn>,
    /// The subscriber's key.
    pub ki: Hidden<[u8; 16]>,
    /// The operator's value of Milenage, bound to that key.
    pub opc: Hidden<[u8; 16]>,
    /// PIN 1 and PIN 2.
    pub pins: [Hidden<String>; 2],
    /// PUK 1 and PUK 2.
    pub puks: [Hidden<String>; 2],
    /// The operator's administrative code.
    pub administrative: Hidden<String>,
    /// Keys for changes over the air.
    pub over_the_air: Vec<OverTheAirKey>,
    /// What phones show as the network's name.
    pub service_provider_name: String,
    /// What phones show as the profile's name.
    pub profile_name: String,
    /// The centre for short messages.
    pub service_centre: Option<Msisdn>,
    /// Networks that are preferred, best first.
    pub preferred: Vec<Plmn>,
    /// Networks that may not be used.
    pub forbidden: Vec<Plmn>,
}

/// A package that was made, not sealed yet.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedVariant {
    /// Which variant it is.
    pub variant: String,
    /// The oldest version of packages that a chip must understand for it.
    pub least_version: [u8; 3],
    /// The memory it takes on a chip, about, in octets.
    pub size_octets: u64,
    /// The protected package with its keys.
    pub protected: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for PackedVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedVariant({})", self.variant)
    }
}

/// A profile as it was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedProfile {
    /// `StoreMetadataRequest`
    pub metadata: Vec<u8>,
    /// Its policy rules: bit n stands for rule n.
    pub rules: u32,
    /// The version of the settings that it was made from.
    pub version: u32,
    /// Its packages, at least one.
    pub variants: Vec<PackedVariant>,
}

/// A profile cannot be packed; the operator's template or settings are to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the profile cannot be packed: {0}")]
pub struct PackagingFault(pub String);

/// Makes protected packages of profiles.
pub trait ProfilePackager: Send + Sync + 'static {
    /// The address under which phones find the server, e.g. `smdp.example.com`.
    fn address(&self) -> &str;

    /// The version of the settings and templates that profiles are made from now.
    fn version(&self) -> u32;

    /// Makes the packages of a profile.
    ///
    /// # Errors
    /// [`PackagingFault`].
    fn pack(
        &self,
        material: &ProfileMaterial,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<PackedProfile, PackagingFault>;

    /// What to show a person of an activation code: `LPA:1$..`.
    ///
    /// # Errors
    /// [`PackagingFault`] when address or token cannot stand in a code.
    fn activation_code(
        &self,
        matching_id: &str,
        code_required: bool,
    ) -> Result<ShownCode, PackagingFault>;
}

/// An activation code as people use it. `Debug` hides it: whoever has it has the profile.
#[derive(Clone, PartialEq, Eq)]
pub struct ShownCode {
    /// `LPA:1$smdp.example.com$TOKEN`
    pub code: String,
    /// A link that opens the installation on iOS.
    pub ios_link: String,
    /// A link that opens the installation on Android.
    pub android_link: String,
}

impl fmt::Debug for ShownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownCode")
    }
}

/// How far a download has come. Source: SGP.22 v2.5 §5.3.5
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressPoint {
    /// The chip was looked at: may it have the profile?
    Eligibility,
    /// The confirmation code was wrong.
    ConfirmationFailure,
    /// The package left for the chip.
    Download,
    /// The chip said what became of it.
    Installation,
}

impl ProgressPoint {
    /// Every point.
    pub const ALL: [Self; 4] = [
        Self::Eligibility,
        Self::ConfirmationFailure,
        Self::Download,
        Self::Installation,
    ];

    /// Its number.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Eligibility => 1,
            Self::ConfirmationFailure => 2,
            Self::Download => 3,
            Self::Installation => 4,
        }
    }

    /// The point with this number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.code() == code)
    }
}

/// Why a download came no further: subject and reason code. Source: SGP.22 v2.5 §5.2.6
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressFailure {
    /// The subject code.
    pub subject: String,
    /// The reason code.
    pub reason: String,
}

/// News of a download for the operator who ordered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadProgress {
    /// Its id; the same news told again has the same.
    pub id: ProgressId,
    /// The operator, by the name it orders under.
    pub operator: String,
    /// The profile.
    pub iccid: Iccid,
    /// Its type.
    pub profile_type: String,
    /// The chip, as far as it is known.
    pub eid: Option<Eid>,
    /// What happened.
    pub point: ProgressPoint,
    /// When.
    pub at: Timestamp,
    /// Why it came no further.
    pub failure: Option<ProgressFailure>,
    /// What the chip said.
    pub result: Option<Vec<u8>>,
}

/// An operator was not told: trying again may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operator was not told: {0}")]
pub struct Untold(pub String);

/// The end of a telling, to come.
pub type Telling<'a> = Pin<Box<dyn Future<Output = Result<(), Untold>> + Send + 'a>>;

/// Operators who want to know how the downloads of their orders go.
pub trait ProgressListener: Send + Sync + 'static {
    /// Whether this operator wants to know.
    fn listens(&self, operator: &str) -> bool;

    /// Tells it. Told twice, it is the same call.
    fn tell<'a>(&'a self, progress: &'a DownloadProgress) -> Telling<'a>;
}

/// Something that waits for a chip, as an SM-DS elsewhere was told.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignEvent {
    /// The SM-DS.
    pub smds: String,
    /// The chip.
    pub eid: Eid,
    /// The event's name there.
    pub event_id: String,
    /// Where the chip finds what waits.
    pub server_address: String,
}

impl fmt::Debug for ForeignEvent {
    /// Without the name: whoever has it has the profile.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignEvent(at {})", self.smds)
    }
}

/// An SM-DS elsewhere did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryFault {
    /// It cannot be reached.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It refuses.
    #[error("it refuses: {0}")]
    Refused(String),
}

/// The answer of an SM-DS, to come.
pub type Discovering<'a> = Pin<Box<dyn Future<Output = Result<(), DiscoveryFault>> + Send + 'a>>;

/// SM-DS elsewhere, by which phones find what waits for them. Source: SGP.22 v2.5 §5.9
pub trait DiscoveryServers: Send + Sync + 'static {
    /// Whether this SM-DS may be told.
    fn reaches(&self, smds: &str) -> bool;

    /// Tells it what waits for a chip (ES12.RegisterEvent). Told twice, it knows it once.
    fn register<'a>(&'a self, event: &'a ForeignEvent) -> Discovering<'a>;

    /// Tells it that nothing waits any more (ES12.DeleteEvent).
    fn withdraw<'a>(&'a self, event: &'a ForeignEvent) -> Discovering<'a>;
}
