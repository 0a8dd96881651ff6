//! Profiles: finding them, everything about one, withdrawing it, letting it be downloaded again, a new one for its
//! line; and what is in stock for more.

use simurgh_subscriber::{Profile, ProfilePolicy, ProfileState};
use simurgh_vocab::identity::{Eid, Iccid};
use simurgh_vocab::{CustomerId, LineId, Msisdn, ProfileId, StaffId, Timestamp};

use super::customer::Reason;
use super::log::Deed;
use crate::esim::{CODE_LASTS, EsimFault, Reissue, ReissueRefusal};
use crate::ports::{
    HeardNotification, ProfileShelf, StaffAction, StaffLogEntry, StaffLogFilter, StaffSubject,
    StockCounts, StoreExt, StoredPackage, Tx,
};
use crate::subscriber::tell::Change;
use crate::{App, Fault};

/// The most profiles on one page.
const FOUND_MAX: u32 = 100;
/// The most entries of the log on a profile's page.
const ROWS: u32 = 100;

/// Fewer subscriptions or numbers than this are few: a delivery of more takes an operator days, and new lines wait
/// without them.
pub const STOCK_LOW: u64 = 50;

impl StockCounts {
    /// Whether few subscriptions are left for new lines.
    #[must_use]
    pub const fn few_sims(&self) -> bool {
        self.sims_free < STOCK_LOW
    }

    /// Whether few numbers are left for new lines.
    #[must_use]
    pub const fn few_numbers(&self) -> bool {
        self.numbers_free < STOCK_LOW
    }
}

/// A profile in a list, with the number of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundProfile {
    /// The profile.
    pub profile: Profile,
    /// The number of its line.
    pub number: Option<Msisdn>,
}

/// Everything about one profile but its secrets.
#[derive(Debug, Clone)]
pub struct ProfileFile {
    /// The profile.
    pub profile: Profile,
    /// The number of its line.
    pub number: Option<Msisdn>,
    /// Whose line it is.
    pub customer: Option<CustomerId>,
    /// What its chip reported, oldest first.
    pub heard: Vec<HeardNotification>,
    /// Its packages, without what is in them.
    pub packages: Vec<StoredPackage>,
    /// The other profiles of its line, oldest first.
    pub others: Vec<Profile>,
    /// How often things may be tried.
    pub policy: ProfilePolicy,
    /// The version that profiles are made in now.
    pub newest_version: Option<u32>,
    /// What staff may do with it.
    pub possible: Possible,
    /// What staff did with it, newest first.
    pub staff_log: Vec<StaffLogEntry>,
    /// Every member of staff: id and name.
    pub staff_names: Vec<(StaffId, String)>,
}

/// What staff may do with a profile as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possible {
    /// It can be withdrawn.
    pub withdraw: bool,
    /// It can be downloaded again with the same code.
    pub release: bool,
    /// Its line can get a new one.
    pub reissue: bool,
    /// A confirmation code can be asked for.
    pub protect: bool,
}

/// Why staff cannot do something with a profile. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileDeskRefusal {
    /// There is no such profile.
    #[error("no such profile")]
    NoSuchProfile,
    /// Another profile serves the line by now.
    #[error("another profile serves the line")]
    Replaced,
    /// Its state does not allow it, or it belongs to no line.
    #[error("the profile's state does not allow this")]
    State,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::subscriber::refusals!(ProfileDeskRefusal);

/// What staff does with a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileDeed {
    /// Withdraws it for good.
    Withdraw,
    /// Lets it be downloaded again with the same code.
    Release,
    /// Gives its line a new one.
    Reissue,
    /// Asks for a confirmation code, which the customer finds in the account.
    Protect,
}

impl ProfileDeed {
    const fn action(self) -> StaffAction {
        match self {
            Self::Withdraw => StaffAction::ProfileWithdrawn,
            Self::Release => StaffAction::ProfileReleased,
            Self::Reissue => StaffAction::ProfileReissued,
            Self::Protect => StaffAction::ProfileProtected,
        }
    }
}

impl App {
    /// The newest profiles, at most 100; recorded.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn profiles_for_staff(
        &self,
        staff: StaffId,
        which: ProfileShelf,
    ) -> Result<Vec<FoundProfile>, Fault> {
        self.list_profiles(staff, move |tx| Ok(tx.newest_profiles(which, FOUND_MAX)?))
            .await
    }

    /// Profiles found by ICCID, EID, matching id, or the number of a line, in its digits or ours. That a search was
    /// made is recorded, what was searched is not.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn search_profiles(
        &self,
        staff: StaffId,
        text: String,
    ) -> Result<Vec<FoundProfile>, Fault> {
        self.list_profiles(staff, move |tx| find(tx, &text)).await
    }

    async fn list_profiles(
        &self,
        staff: StaffId,
        list: impl Fn(&mut dyn Tx) -> Result<Vec<Profile>, Fault> + Send + 'static,
    ) -> Result<Vec<FoundProfile>, Fault> {
        let found = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> {
                let mut found = Vec::new();
                for profile in list(tx)? {
                    let number = number_of(tx, profile.line)?;
                    found.push(FoundProfile { profile, number });
                }
                Ok(found)
            })
            .await?;
        let action = StaffAction::ProfilesSearched;
        let deed = Deed::of(staff, action, StaffSubject::Nothing);
        self.log_alone(deed.because(format!("found {}", found.len())))
            .await?;
        Ok(found)
    }

    /// Everything about a profile; recorded.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn profile_file(
        &self,
        staff: StaffId,
        id: ProfileId,
    ) -> Result<Option<ProfileFile>, Fault> {
        let subject = StaffSubject::Profile(id);
        self.log_alone(Deed::of(staff, StaffAction::ProfileViewed, subject))
            .await?;
        let (app, now) = (self.clone(), self.now());
        self.store
            .snapshot(move |tx| app.profile_file_in(tx, id, now))
            .await
    }

    fn profile_file_in(
        &self,
        tx: &mut dyn Tx,
        id: ProfileId,
        now: Timestamp,
    ) -> Result<Option<ProfileFile>, Fault> {
        let Some(profile) = tx.profile(id)? else {
            return Ok(None);
        };
        let (mut others, mut customer) = (Vec::new(), None);
        if let Some(line) = profile.line {
            others = tx.profiles_of(line)?;
            others.retain(|other| other.id != id);
            customer = tx.line(line)?.map(|line| line.customer);
        }
        let about = StaffLogFilter {
            subject_number: Some(id.number()),
            limit: ROWS,
            ..StaffLogFilter::default()
        };
        let again = profile.clone().release_again(now.plus(CODE_LASTS), now);
        let is_replaced = others.iter().any(serves);
        Ok(Some(ProfileFile {
            number: number_of(tx, profile.line)?,
            customer,
            heard: tx.chip_notifications_of(id)?,
            packages: tx.package_list(id)?,
            policy: self.esim().policy,
            newest_version: self.esim().packager.as_ref().map(|one| one.version()),
            possible: Possible {
                withdraw: profile.state != ProfileState::Unavailable,
                release: again.is_ok() && !is_replaced,
                reissue: profile.line.is_some()
                    && profile.state != ProfileState::Available
                    && !is_replaced,
                protect: profile.line.is_some() && profile.can_be_protected() && !is_replaced,
            },
            staff_log: tx.staff_log(&about)?,
            staff_names: tx.staff_names()?,
            others,
            profile,
        }))
    }

    /// Does something with a profile, for a reason; recorded, and told to the customer where it takes something away.
    ///
    /// # Errors
    /// [`ProfileDeskRefusal`].
    pub async fn change_profile_by_staff(
        &self,
        staff: StaffId,
        id: ProfileId,
        deed: ProfileDeed,
        reason: Reason,
    ) -> Result<(), ProfileDeskRefusal> {
        // Whose it is never changes; what is locked is locked in the store's order.
        let owner = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> {
                let line = tx.profile(id)?.map(|profile| profile.line);
                let Some(Some(line)) = line else {
                    return Ok(line.map(|_| None));
                };
                let line = tx.line(line)?;
                Ok(Some(line.map(|line| (line.customer, line.id))))
            })
            .await?;
        let owner = owner.ok_or(ProfileDeskRefusal::NoSuchProfile)?;
        let app = self.clone();
        self.store
            .transact(move |tx| -> Result<(), ProfileDeskRefusal> {
                match deed {
                    ProfileDeed::Withdraw => app.withdraw_in(tx, owner, id)?,
                    ProfileDeed::Release => app.release_in(tx, owner, id)?,
                    ProfileDeed::Reissue => app.reissue_by_staff(tx, owner, id)?,
                    ProfileDeed::Protect => app.protect_in(tx, owner, id)?,
                }
                let entry = Deed::of(staff, deed.action(), StaffSubject::Profile(id));
                Ok(app.log_deed(tx, entry.because(reason.as_str()), app.now())?)
            })
            .await?;
        self.wake_runner();
        Ok(())
    }

    fn withdraw_in(
        &self,
        tx: &mut dyn Tx,
        owner: Owner,
        id: ProfileId,
    ) -> Result<(), ProfileDeskRefusal> {
        let now = self.now();
        let person = match owner {
            Some((customer, _)) => tx.active_person(customer)?.map(|one| (customer, one)),
            None => None,
        };
        let profile = locked(tx, owner, id)?;
        if profile.state == ProfileState::Unavailable {
            return Err(ProfileDeskRefusal::State);
        }
        self.keep_profile(tx, &profile.revoke(now))?;
        tx.forget_packages(id)?;
        if let Some((customer, person)) = person {
            let change = Change::ProfileWithdrawn;
            self.tell_change(tx, (customer, &person), change, None, now)?;
        }
        Ok(())
    }

    fn release_in(
        &self,
        tx: &mut dyn Tx,
        owner: Owner,
        id: ProfileId,
    ) -> Result<(), ProfileDeskRefusal> {
        let now = self.now();
        let profile = locked(tx, owner, id)?;
        not_replaced(tx, owner, id)?;
        let again = profile.release_again(now.plus(CODE_LASTS), now);
        let again = again.map_err(|_| ProfileDeskRefusal::State)?;
        Ok(tx.update_profile(&again)?)
    }

    fn protect_in(
        &self,
        tx: &mut dyn Tx,
        owner: Owner,
        id: ProfileId,
    ) -> Result<(), ProfileDeskRefusal> {
        let now = self.now();
        // Of an order of another operator, the code is theirs.
        let (customer, _) = owner.ok_or(ProfileDeskRefusal::State)?;
        let person = tx.active_person(customer)?;
        let profile = locked(tx, owner, id)?;
        not_replaced(tx, owner, id)?;
        let confirmation = self.make_confirmation(id).map_err(|fault| match fault {
            EsimFault::Fault(fault) => fault,
            other => Fault::Invariant(other.to_string()),
        })?;
        let protected = profile.protect(confirmation, now);
        tx.update_profile(&protected.map_err(|_| ProfileDeskRefusal::State)?)?;
        if let Some(person) = person {
            let change = Change::ProfileProtected;
            self.tell_change(tx, (customer, &person), change, None, now)?;
        }
        Ok(())
    }

    fn reissue_by_staff(
        &self,
        tx: &mut dyn Tx,
        owner: Owner,
        id: ProfileId,
    ) -> Result<(), ProfileDeskRefusal> {
        let (customer, line) = owner.ok_or(ProfileDeskRefusal::State)?;
        not_replaced(tx, owner, id)?;
        self.reissue_in(tx, (customer, line), Reissue::Staff)
            .map_err(|refusal| match refusal {
                ReissueRefusal::Fault(fault) => ProfileDeskRefusal::Fault(fault),
                ReissueRefusal::UnknownLine
                | ReissueRefusal::NotYet
                | ReissueRefusal::TooMany { .. } => ProfileDeskRefusal::State,
            })
    }

    /// What is in stock for new lines; `None` where no profiles are made.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn stock_for_staff(&self) -> Result<Option<StockCounts>, Fault> {
        match self.esim().packager {
            Some(_) => self.stock().await.map(Some),
            None => Ok(None),
        }
    }
}

/// Whose line a profile serves, if it serves one.
type Owner = Option<(CustomerId, LineId)>;

/// The profile, locked behind its line.
fn locked(tx: &mut dyn Tx, owner: Owner, id: ProfileId) -> Result<Profile, ProfileDeskRefusal> {
    if let Some((_, line)) = owner {
        tx.line(line)?;
    }
    tx.profile(id)?.ok_or(ProfileDeskRefusal::NoSuchProfile)
}

/// Refuses what would give a line two profiles.
fn not_replaced(tx: &mut dyn Tx, owner: Owner, id: ProfileId) -> Result<(), ProfileDeskRefusal> {
    let Some((_, line)) = owner else {
        return Ok(());
    };
    let profiles = tx.profiles_of(line)?;
    if profiles.iter().any(|other| other.id != id && serves(other)) {
        return Err(ProfileDeskRefusal::Replaced);
    }
    Ok(())
}

/// Whether a profile stands for its line, even when it was deleted on its chip.
const fn serves(profile: &Profile) -> bool {
    match profile.state {
        ProfileState::Error(_) | ProfileState::Unavailable => false,
        ProfileState::Available
        | ProfileState::Allocated
        | ProfileState::Linked
        | ProfileState::Confirmed
        | ProfileState::Released
        | ProfileState::Downloaded
        | ProfileState::Installed => true,
    }
}

fn number_of(tx: &mut dyn Tx, line: Option<LineId>) -> Result<Option<Msisdn>, Fault> {
    Ok(match line {
        Some(line) => tx.number_of(line)?,
        None => None,
    })
}

/// What the text may be is told by its form: each kind is asked in turn.
fn find(tx: &mut dyn Tx, text: &str) -> Result<Vec<Profile>, Fault> {
    let text: String = text.split_whitespace().collect();
    if let Ok(eid) = text.parse::<Eid>() {
        return Ok(tx.profiles_of_chip(eid)?);
    }
    if let Ok(iccid) = text.parse::<Iccid>()
        && let Some(profile) = tx.profile_by_iccid(iccid)?
    {
        return Ok(vec![profile]);
    }
    if let Ok(number) = text.parse::<Msisdn>()
        && let Some(line) = tx.line_of_number(&number)?
    {
        return Ok(tx.profiles_of(line)?);
    }
    if let Some(line) = LineId::from_number(&text) {
        let profiles = tx.profiles_of(line)?;
        if !profiles.is_empty() {
            return Ok(profiles);
        }
    }
    if let Some(id) = ProfileId::from_number(&text)
        && let Some(profile) = tx.profile(id)?
    {
        return Ok(vec![profile]);
    }
    let profile = tx.profile_by_matching_id(&text.to_ascii_uppercase())?;
    Ok(profile.into_iter().collect())
}
