//! What a customer sees of a line's profile, and what "update profile" should do.

use simurgh_subscriber::{OnChip, Profile, ProfileError, ProfileState};
use simurgh_vocab::identity::Iccid;
use simurgh_vocab::{CustomerId, LineId, Msisdn, Timestamp};

use super::confirmation::ConfirmationCode;
use super::issue::{fault, is_current};
use crate::ports::{HeardNotification, LineState, ShownCode, StoreExt, Tx};
use crate::{App, Fault};

/// How far a line's profile has come, in the order in which it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileStage {
    /// It is being made.
    Preparing,
    /// It waits for a phone.
    Ready,
    /// A phone has fetched it, and not reported yet that it is there.
    Downloaded,
    /// It is on the phone, and not in use.
    Installed,
    /// It is in use.
    Enabled,
    /// It was deleted on the phone.
    Deleted,
    /// Its code is void: too many wrong tries or failed downloads.
    Void,
}

/// What "update profile" finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileUpdate {
    /// The profile is being made.
    Preparing,
    /// The newest is on the phone.
    NothingNew,
    /// The newest waits to be installed.
    NeverInstalled,
    /// There are newer settings: a new profile brings them.
    NewerWaiting,
    /// It was deleted on the phone: a new one is needed.
    DeletedOnPhone,
    /// Its code is void: a new one is needed.
    Void,
}

/// A line's profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileView {
    /// The line.
    pub line: LineId,
    /// Its number.
    pub number: Option<Msisdn>,
    /// How far the profile has come.
    pub stage: ProfileStage,
    /// What "update profile" should do.
    pub update: ProfileUpdate,
    /// The profile's number.
    pub iccid: Option<Iccid>,
    /// The address of the server and the token, for typing.
    pub manual: Option<ManualCode>,
    /// The activation code, while it can be used.
    pub code: Option<ShownCode>,
    /// Whether a confirmation code is asked for.
    pub code_required: bool,
    /// The confirmation code, where it was made here.
    pub confirmation: Option<ConfirmationCode>,
    /// How often the confirmation code may still be wrong, once it was.
    pub tries_left: Option<u8>,
    /// Why a phone cannot fetch it any more, where that was not decided by us.
    pub given_up: Option<ProfileError>,
    /// Until when the activation code can be used.
    pub expires_at: Option<Timestamp>,
    /// Whether a phone is bound to it.
    pub bound: bool,
    /// What the phone reported, the oldest first.
    pub heard: Vec<HeardNotification>,
    /// When it was made.
    pub made_at: Option<Timestamp>,
    /// When a phone fetched it, until that phone reports.
    pub fetched_at: Option<Timestamp>,
    /// When it changed last.
    pub changed_at: Option<Timestamp>,
    /// How many profiles the line has had.
    pub issued: usize,
}

/// An activation code in the two fields that phones ask for. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ManualCode {
    /// The address of the SM-DP+.
    pub address: String,
    /// The token.
    pub matching_id: String,
}

impl std::fmt::Debug for ManualCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ManualCode")
    }
}

impl App {
    /// The profile of a customer's line; `None` when there is no such line, or no eSIM here.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn profile_view(
        &self,
        customer: CustomerId,
        line: LineId,
    ) -> Result<Option<ProfileView>, Fault> {
        let Some(packager) = self.esim().packager.clone() else {
            return Ok(None);
        };
        let found = self
            .store
            .snapshot(move |tx| read(tx, customer, line))
            .await?;
        let Some(Found {
            shown,
            heard,
            number,
            issued,
        }) = found
        else {
            return Ok(None);
        };
        let stage = shown.as_ref().map_or(ProfileStage::Preparing, stage);
        let newest = packager.version();
        let update = update(
            stage,
            shown.as_ref().is_some_and(|one| one.version < newest),
        );
        let can_be_used = matches!(stage, ProfileStage::Ready | ProfileStage::Downloaded);
        let usable = shown.as_ref().filter(|_| can_be_used);
        let token = usable.and_then(|one| one.order.matching_id.clone());
        let sealed = usable.and_then(|one| Some((one.id, one.order.confirmation.as_deref()?)));
        let kept = sealed.map(|(id, sealed)| self.confirmation_of(id, sealed));
        let kept = kept.transpose().map_err(fault)?;
        let code_required = kept.is_some();
        let tries = self.esim().policy.code_tries;
        let failures = usable.map_or(0, |one| one.order.code_failures);
        let code = token
            .as_deref()
            .map(|token| packager.activation_code(token, code_required))
            .transpose()
            .map_err(|error| Fault::Invariant(error.to_string()))?;
        Ok(Some(ProfileView {
            line,
            number,
            stage,
            update,
            iccid: shown.as_ref().map(|one| one.iccid),
            manual: token.map(|matching_id| ManualCode {
                address: packager.address().to_owned(),
                matching_id,
            }),
            code,
            code_required,
            confirmation: kept.and_then(|kept| kept.code),
            tries_left: (code_required && failures > 0).then(|| tries.saturating_sub(failures)),
            given_up: shown.as_ref().and_then(given_up),
            expires_at: usable.and_then(|one| one.order.expires_at),
            bound: shown.as_ref().is_some_and(|one| one.chip.is_some()),
            heard,
            made_at: shown.as_ref().map(|one| one.made_at),
            fetched_at: shown
                .as_ref()
                .filter(|_| stage == ProfileStage::Downloaded)
                .map(|one| one.changed_at),
            changed_at: shown.as_ref().map(|one| one.changed_at),
            issued,
        }))
    }
}

/// What the store knows of a line's profile.
struct Found {
    shown: Option<Profile>,
    heard: Vec<HeardNotification>,
    number: Option<Msisdn>,
    issued: usize,
}

fn read(tx: &mut dyn Tx, customer: CustomerId, line: LineId) -> Result<Option<Found>, Fault> {
    let Some(line) = tx.line(line)?.filter(|line| line.customer == customer) else {
        return Ok(None);
    };
    if let LineState::Closed { .. } = line.state {
        return Ok(None);
    }
    let profiles = tx.profiles_of(line.id)?;
    let shown = profiles.iter().rev().find(|one| is_current(one));
    let shown = shown.or(profiles.last()).cloned();
    let heard = match &shown {
        Some(profile) => tx.chip_notifications_of(profile.id)?,
        None => Vec::new(),
    };
    Ok(Some(Found {
        shown,
        heard,
        number: tx.number_of(line.id)?,
        issued: profiles.len(),
    }))
}

const fn given_up(profile: &Profile) -> Option<ProfileError> {
    match profile.state {
        ProfileState::Error(why) => Some(why),
        ProfileState::Available
        | ProfileState::Allocated
        | ProfileState::Linked
        | ProfileState::Confirmed
        | ProfileState::Released
        | ProfileState::Downloaded
        | ProfileState::Installed
        | ProfileState::Unavailable => None,
    }
}

fn stage(profile: &Profile) -> ProfileStage {
    match (profile.state, profile.on_chip) {
        (ProfileState::Installed, Some(OnChip::Enabled)) => ProfileStage::Enabled,
        (ProfileState::Installed, Some(OnChip::Deleted)) => ProfileStage::Deleted,
        (ProfileState::Installed, Some(OnChip::Disabled) | None) => ProfileStage::Installed,
        (ProfileState::Downloaded, _) => ProfileStage::Downloaded,
        (ProfileState::Released, _) => ProfileStage::Ready,
        (ProfileState::Error(_) | ProfileState::Unavailable, _) => ProfileStage::Void,
        (
            ProfileState::Available
            | ProfileState::Allocated
            | ProfileState::Linked
            | ProfileState::Confirmed,
            _,
        ) => ProfileStage::Preparing,
    }
}

const fn update(stage: ProfileStage, is_older: bool) -> ProfileUpdate {
    match stage {
        ProfileStage::Preparing => ProfileUpdate::Preparing,
        ProfileStage::Ready | ProfileStage::Downloaded => ProfileUpdate::NeverInstalled,
        ProfileStage::Installed | ProfileStage::Enabled if is_older => ProfileUpdate::NewerWaiting,
        ProfileStage::Installed | ProfileStage::Enabled => ProfileUpdate::NothingNew,
        ProfileStage::Deleted => ProfileUpdate::DeletedOnPhone,
        ProfileStage::Void => ProfileUpdate::Void,
    }
}
