//! An eSIM profile on the server: what was ordered, which chip it is bound to, how far it has come.
//!
//! A profile is bound to the chip that first authenticates for it, and to no other ever after. It may be
//! downloaded again by that chip until the chip says that it is installed.
//!
//! Source: SGP.22 v2.5 §3.1.6

use std::fmt;

use simurgh_vocab::identity::{Eid, Iccid};
use simurgh_vocab::{LineId, ProfileId, Timestamp};

/// The curve of a chip's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChipCurve {
    /// NIST P-256.
    P256,
    /// brainpoolP256r1 (RFC 5639 §3.4).
    BrainpoolP256r1,
}

/// The public key by which a chip signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipKey {
    /// Its curve.
    pub curve: ChipCurve,
    /// The uncompressed point.
    pub point: [u8; 65],
}

/// The chip a profile is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundChip {
    /// Its number.
    pub eid: Eid,
    /// The key by which it signs.
    pub key: ChipKey,
    /// The one-time key that the last package was bound to.
    pub one_time_key: Option<[u8; 65]>,
}

/// Why a profile cannot be downloaded any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfileError {
    /// The confirmation code was wrong too often.
    CodeTries,
    /// It was downloaded too often without success.
    Downloads,
    /// The user did not want it, more often than is overlooked.
    Rejected,
    /// The chip does not allow its rules.
    RulesNotAllowed,
}

/// How far a profile has come.
///
/// Source: SGP.22 v2.5 §3.1.6
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfileState {
    /// It can be ordered.
    Available,
    /// It is ordered, for a chip that is not known yet.
    Allocated,
    /// It is ordered for a chip.
    Linked,
    /// Its activation code is made.
    Confirmed,
    /// It may be downloaded.
    Released,
    /// A package has left for its chip.
    Downloaded,
    /// Its chip says that it is there.
    Installed,
    /// It cannot be downloaded any more.
    Error(ProfileError),
    /// It is withdrawn for good.
    Unavailable,
}

/// What the chip said last of an installed profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnChip {
    /// It is there and not in use.
    Disabled,
    /// It is in use.
    Enabled,
    /// It was deleted.
    Deleted,
}

/// What was ordered with a profile.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ProfileOrder {
    /// The only chip that may have it, when the order names one.
    pub linked: Option<Eid>,
    /// The token of the activation code.
    pub matching_id: Option<String>,
    /// The sealed SHA-256 of the confirmation code, when one is needed.
    pub confirmation: Option<Vec<u8>>,
    /// The SM-DS that was told of it.
    pub smds_address: Option<String>,
    /// After this it cannot be downloaded.
    pub expires_at: Option<Timestamp>,
    /// How often the confirmation code was wrong.
    pub code_failures: u8,
    /// How many packages have left.
    pub downloads: u8,
    /// How often the user did not want it.
    pub rejections: u8,
    /// The other operator who ordered it; none for a line of our own.
    pub by: Option<String>,
}

impl fmt::Debug for ProfileOrder {
    /// Without the token: whoever has it has the profile.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileOrder")
            .field("expires_at", &self.expires_at)
            .field("code_failures", &self.code_failures)
            .field("downloads", &self.downloads)
            .field("rejections", &self.rejections)
            .finish_non_exhaustive()
    }
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Its number.
    pub iccid: Iccid,
    /// What kind it is, in the operator's words.
    pub profile_type: String,
    /// The line it serves.
    pub line: Option<LineId>,
    /// The version of the settings that it was made from.
    pub version: u32,
    /// Its policy rules: bit n stands for rule n.
    pub rules: u32,
    /// How far it has come.
    pub state: ProfileState,
    /// What was ordered.
    pub order: ProfileOrder,
    /// The chip it is bound to.
    pub chip: Option<BoundChip>,
    /// What its chip said last.
    pub on_chip: Option<OnChip>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it changed last.
    pub changed_at: Timestamp,
}

/// What an operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfilePolicy {
    /// How often a confirmation code may be tried.
    pub code_tries: u8,
    /// How many packages of one profile may leave.
    pub downloads: u8,
    /// How often "the user does not want it" is overlooked: some phones say so whenever anything fails.
    pub rejections: u8,
}

impl Default for ProfilePolicy {
    fn default() -> Self {
        Self {
            code_tries: 5,
            downloads: 10,
            rejections: 5,
        }
    }
}

/// A chip that asks for a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipFacts {
    /// The newest version of profile packages that it understands.
    pub profile_version: [u8; 3],
    /// Its free memory, when it says.
    pub free_memory_octets: Option<u64>,
    /// The policy rules that it does not allow: bit n stands for rule n.
    pub forbidden_rules: u32,
}

/// Why something cannot be done with a profile. Where several hold, the first in this order is told: who must
/// not have it learns nothing more about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum ProfileRefusal {
    /// No profile waits under this token, or for this chip.
    #[error("no profile waits here")]
    Unknown,
    /// It is meant for, or bound to, another chip.
    #[error("the profile belongs to another chip")]
    OtherChip,
    /// The confirmation code was wrong too often.
    #[error("the confirmation code was wrong too often")]
    CodeTriesExceeded,
    /// It was downloaded too often without success.
    #[error("the profile was downloaded too often")]
    DownloadsExceeded,
    /// It is installed already, or void.
    #[error("the activation code was used")]
    Used,
    /// It was not released yet.
    #[error("the profile is not released")]
    NotReleased,
    /// The time to download it is over.
    #[error("the order has expired")]
    Expired,
    /// The chip does not understand it, or does not allow its rules.
    #[error("the profile does not fit the chip")]
    NotEligible,
    /// The chip lacks memory.
    #[error("the chip lacks memory")]
    NoMemory,
    /// The profile is in another state than this needs.
    #[error("the profile's state does not allow this")]
    State,
    /// Another token belongs to it.
    #[error("another matching id belongs to the profile")]
    OtherMatchingId,
    /// Another profile has this token.
    #[error("the matching id is in use")]
    MatchingIdInUse,
    /// A chip must be named for this.
    #[error("the EID is missing")]
    EidMissing,
    /// No such profile, or it is another operator's.
    #[error("no such profile")]
    IccidUnknown,
    /// No such type.
    #[error("no such profile type")]
    TypeUnknown,
    /// No more profiles of this type.
    #[error("no more profiles of this type")]
    TypeUnavailable,
    /// The profile is of another type.
    #[error("the profile is of another type")]
    OtherType,
    /// The SM-DS has an event of somebody else under this token.
    #[error("the SM-DS refuses the event")]
    EventRefused,
    /// The SM-DS cannot be reached now.
    #[error("the SM-DS cannot be reached")]
    SmdsUnreachable,
}

/// How an order is confirmed.
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The token of the activation code.
    pub matching_id: String,
    /// The chip, if it is known.
    pub eid: Option<Eid>,
    /// The sealed SHA-256 of the confirmation code, when one is needed.
    pub confirmation: Option<Vec<u8>>,
    /// The SM-DS that shall tell the chip.
    pub smds_address: Option<String>,
    /// After this it cannot be downloaded.
    pub expires_at: Option<Timestamp>,
    /// Whether it may be downloaded at once.
    pub release: bool,
}

impl Profile {
    /// A profile that nobody ordered yet.
    #[must_use]
    pub fn new(id: ProfileId, iccid: Iccid, profile_type: String, now: Timestamp) -> Self {
        Self {
            id,
            iccid,
            profile_type,
            line: None,
            version: 0,
            rules: 0,
            state: ProfileState::Available,
            order: ProfileOrder::default(),
            chip: None,
            on_chip: None,
            made_at: now,
            changed_at: now,
        }
    }

    fn now_in(mut self, state: ProfileState, now: Timestamp) -> Self {
        self.state = state;
        self.changed_at = now;
        self
    }

    /// Orders it, for a chip if that is known (ES2+.DownloadOrder).
    ///
    /// # Errors
    /// [`ProfileRefusal::State`] when it is not available.
    pub fn order(mut self, eid: Option<Eid>, now: Timestamp) -> Result<Self, ProfileRefusal> {
        let ProfileState::Available = self.state else {
            return Err(ProfileRefusal::State);
        };
        self.order = ProfileOrder {
            linked: eid,
            ..ProfileOrder::default()
        };
        let state = match eid {
            Some(_) => ProfileState::Linked,
            None => ProfileState::Allocated,
        };
        Ok(self.now_in(state, now))
    }

    /// Makes its activation code (ES2+.ConfirmOrder).
    ///
    /// # Errors
    /// [`ProfileRefusal::OtherChip`] when it was ordered for another, [`ProfileRefusal::EidMissing`] when an SM-DS
    /// shall tell a chip that nobody named, [`ProfileRefusal::State`].
    pub fn confirm(mut self, with: Confirmation, now: Timestamp) -> Result<Self, ProfileRefusal> {
        let (ProfileState::Allocated | ProfileState::Linked) = self.state else {
            return Err(ProfileRefusal::State);
        };
        let linked = match (self.order.linked, with.eid) {
            (Some(ordered), Some(named)) if ordered != named => {
                return Err(ProfileRefusal::OtherChip);
            }
            (ordered, named) => ordered.or(named),
        };
        if linked.is_none() && (with.smds_address.is_some() || with.matching_id.is_empty()) {
            return Err(ProfileRefusal::EidMissing);
        }
        self.order.linked = linked;
        self.order.matching_id = Some(with.matching_id);
        self.order.confirmation = with.confirmation;
        self.order.smds_address = with.smds_address;
        self.order.expires_at = with.expires_at;
        let state = if with.release {
            ProfileState::Released
        } else {
            ProfileState::Confirmed
        };
        Ok(self.now_in(state, now))
    }

    /// Lets it be downloaded (ES2+.ReleaseProfile).
    ///
    /// # Errors
    /// [`ProfileRefusal::State`] unless it is confirmed.
    pub fn release(self, now: Timestamp) -> Result<Self, ProfileRefusal> {
        match self.state {
            ProfileState::Confirmed => Ok(self.now_in(ProfileState::Released, now)),
            ProfileState::Available
            | ProfileState::Allocated
            | ProfileState::Linked
            | ProfileState::Released
            | ProfileState::Downloaded
            | ProfileState::Installed
            | ProfileState::Error(_)
            | ProfileState::Unavailable => Err(ProfileRefusal::State),
        }
    }

    /// Asks for a confirmation code from now on: the activation code alone gets nobody the profile any more.
    ///
    /// # Errors
    /// [`ProfileRefusal::State`] unless it waits for its first chip, and without a code.
    pub fn protect(
        mut self,
        confirmation: Vec<u8>,
        now: Timestamp,
    ) -> Result<Self, ProfileRefusal> {
        if !self.can_be_protected() {
            return Err(ProfileRefusal::State);
        }
        self.order.confirmation = Some(confirmation);
        self.order.code_failures = 0;
        self.changed_at = now;
        Ok(self)
    }

    /// Whether a confirmation code can still be asked for: a chip that has proved itself was promised the profile
    /// as it was.
    #[must_use]
    pub fn can_be_protected(&self) -> bool {
        self.state == ProfileState::Released
            && self.chip.is_none()
            && self.order.confirmation.is_none()
    }

    /// Takes its order back (ES2+.CancelOrder); `reusable` says whether it may be ordered again. One that a chip
    /// may hold is never ordered again.
    ///
    /// # Errors
    /// [`ProfileRefusal::State`] when it was not ordered, or is on its way to a chip or there.
    pub fn cancel(mut self, reusable: bool, now: Timestamp) -> Result<Self, ProfileRefusal> {
        match self.state {
            ProfileState::Allocated
            | ProfileState::Linked
            | ProfileState::Confirmed
            | ProfileState::Released
            | ProfileState::Error(_) => {}
            ProfileState::Available
            | ProfileState::Downloaded
            | ProfileState::Installed
            | ProfileState::Unavailable => return Err(ProfileRefusal::State),
        }
        let state = if reusable && self.order.downloads == 0 {
            self.order = ProfileOrder::default();
            self.chip = None;
            ProfileState::Available
        } else {
            ProfileState::Unavailable
        };
        Ok(self.now_in(state, now))
    }

    /// Withdraws it for good, wherever it is: another takes its place.
    #[must_use]
    pub fn revoke(self, now: Timestamp) -> Self {
        self.now_in(ProfileState::Unavailable, now)
    }

    /// Lets it be downloaded again with the same code, after it was given up or its time was over: by the chip that
    /// it is bound to, if there is one. What was counted is forgotten, but that a package left at all.
    ///
    /// # Errors
    /// [`ProfileRefusal::State`] unless it was given up or expired, and for one whose rules its chip does not allow:
    /// it would not allow them again.
    pub fn release_again(
        mut self,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Self, ProfileRefusal> {
        let state = match self.state {
            ProfileState::Error(
                ProfileError::CodeTries | ProfileError::Downloads | ProfileError::Rejected,
            ) => ProfileState::Released,
            ProfileState::Released | ProfileState::Downloaded
                if self.order.expires_at.is_some_and(|end| end <= now) =>
            {
                self.state
            }
            ProfileState::Available
            | ProfileState::Allocated
            | ProfileState::Linked
            | ProfileState::Confirmed
            | ProfileState::Released
            | ProfileState::Downloaded
            | ProfileState::Installed
            | ProfileState::Error(ProfileError::RulesNotAllowed)
            | ProfileState::Unavailable => return Err(ProfileRefusal::State),
        };
        self.order.code_failures = 0;
        self.order.rejections = 0;
        self.order.downloads = self.order.downloads.min(1);
        self.order.expires_at = Some(expires_at);
        Ok(self.now_in(state, now))
    }

    /// Whether this chip may have it now.
    ///
    /// # Errors
    /// The first [`ProfileRefusal`] that holds.
    pub fn may_have(
        &self,
        eid: Eid,
        facts: &ChipFacts,
        policy: &ProfilePolicy,
        now: Timestamp,
    ) -> Result<(), ProfileRefusal> {
        let other = |bound: Option<Eid>| bound.is_some_and(|bound| bound != eid);
        if other(self.order.linked) || other(self.chip.as_ref().map(|chip| chip.eid)) {
            return Err(ProfileRefusal::OtherChip);
        }
        match self.state {
            ProfileState::Released | ProfileState::Downloaded => {}
            ProfileState::Error(ProfileError::CodeTries) => {
                return Err(ProfileRefusal::CodeTriesExceeded);
            }
            ProfileState::Error(ProfileError::Downloads) => {
                return Err(ProfileRefusal::DownloadsExceeded);
            }
            ProfileState::Error(ProfileError::Rejected | ProfileError::RulesNotAllowed)
            | ProfileState::Installed => return Err(ProfileRefusal::Used),
            ProfileState::Confirmed => return Err(ProfileRefusal::NotReleased),
            ProfileState::Available
            | ProfileState::Allocated
            | ProfileState::Linked
            | ProfileState::Unavailable => return Err(ProfileRefusal::Unknown),
        }
        if self.order.expires_at.is_some_and(|end| end <= now) {
            return Err(ProfileRefusal::Expired);
        }
        if self.order.downloads >= policy.downloads {
            return Err(ProfileRefusal::DownloadsExceeded);
        }
        if self.rules & facts.forbidden_rules != 0 {
            return Err(ProfileRefusal::NotEligible);
        }
        Ok(())
    }

    /// Binds it to a chip that has authenticated.
    ///
    /// # Errors
    /// As [`may_have`](Self::may_have).
    pub fn admit(
        mut self,
        chip: (Eid, ChipKey),
        facts: &ChipFacts,
        policy: &ProfilePolicy,
        now: Timestamp,
    ) -> Result<Self, ProfileRefusal> {
        let (eid, key) = chip;
        self.may_have(eid, facts, policy, now)?;
        let one_time_key = self.chip.take().and_then(|chip| chip.one_time_key);
        self.chip = Some(BoundChip {
            eid,
            key,
            one_time_key,
        });
        self.changed_at = now;
        Ok(self)
    }

    /// Counts a wrong confirmation code; with the last one it is void.
    #[must_use]
    pub fn wrong_code(mut self, policy: &ProfilePolicy, now: Timestamp) -> Self {
        self.order.code_failures = self.order.code_failures.saturating_add(1);
        self.changed_at = now;
        if self.order.code_failures >= policy.code_tries {
            return self.now_in(ProfileState::Error(ProfileError::CodeTries), now);
        }
        self
    }

    /// A package leaves for its chip.
    ///
    /// # Errors
    /// [`ProfileRefusal`] when that chip may not have it any more.
    pub fn deliver(
        mut self,
        (eid, one_time_key): (Eid, [u8; 65]),
        policy: &ProfilePolicy,
        now: Timestamp,
    ) -> Result<Self, ProfileRefusal> {
        // What the chip cannot do was found when it authenticated.
        let facts = ChipFacts {
            profile_version: [u8::MAX; 3],
            free_memory_octets: None,
            forbidden_rules: 0,
        };
        self.may_have(eid, &facts, policy, now)?;
        let Some(chip) = &mut self.chip else {
            return Err(ProfileRefusal::OtherChip);
        };
        chip.one_time_key = Some(one_time_key);
        self.order.downloads = self.order.downloads.saturating_add(1);
        Ok(self.now_in(ProfileState::Downloaded, now))
    }

    /// Its chip says that it is there. Late or repeated news changes nothing.
    #[must_use]
    pub fn installed(mut self, now: Timestamp) -> Self {
        match self.state {
            ProfileState::Released | ProfileState::Downloaded | ProfileState::Error(_) => {
                self.on_chip = self.on_chip.or(Some(OnChip::Disabled));
                self.now_in(ProfileState::Installed, now)
            }
            ProfileState::Installed
            | ProfileState::Available
            | ProfileState::Allocated
            | ProfileState::Linked
            | ProfileState::Confirmed
            | ProfileState::Unavailable => self,
        }
    }

    /// Its chip says that it could not be installed: it may come again, until it came too often.
    #[must_use]
    pub fn install_failed(self, policy: &ProfilePolicy, now: Timestamp) -> Self {
        let ProfileState::Downloaded = self.state else {
            return self;
        };
        let state = if self.order.downloads >= policy.downloads {
            ProfileState::Error(ProfileError::Downloads)
        } else {
            ProfileState::Released
        };
        self.now_in(state, now)
    }

    /// The user did not want it. It is void only after this was said more often than is overlooked.
    #[must_use]
    pub fn rejected(mut self, policy: &ProfilePolicy, now: Timestamp) -> Self {
        let (ProfileState::Released | ProfileState::Downloaded) = self.state else {
            return self;
        };
        self.order.rejections = self.order.rejections.saturating_add(1);
        self.changed_at = now;
        if self.order.rejections > policy.rejections {
            return self.now_in(ProfileState::Error(ProfileError::Rejected), now);
        }
        self
    }

    /// The chip does not allow its rules.
    #[must_use]
    pub fn rules_not_allowed(self, now: Timestamp) -> Self {
        match self.state {
            ProfileState::Released | ProfileState::Downloaded => {
                self.now_in(ProfileState::Error(ProfileError::RulesNotAllowed), now)
            }
            ProfileState::Available
            | ProfileState::Allocated
            | ProfileState::Linked
            | ProfileState::Confirmed
            | ProfileState::Installed
            | ProfileState::Error(_)
            | ProfileState::Unavailable => self,
        }
    }

    /// The newest that its chip says of it. A chip that can say so has it or had it, so it is installed even when the
    /// news of that was lost. What is older than something heard before is only [`installed`](Self::installed).
    #[must_use]
    pub fn heard(self, on_chip: OnChip, now: Timestamp) -> Self {
        let mut profile = self.installed(now);
        profile.on_chip = Some(on_chip);
        profile.changed_at = now;
        profile
    }

    /// Whether its chip may still fetch it.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(
            self.state,
            ProfileState::Confirmed | ProfileState::Released | ProfileState::Downloaded
        )
    }
}

#[cfg(test)]
mod tests;
