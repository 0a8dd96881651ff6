//! A line gets its profile: when it is opened, and again when the old one cannot be used any more.

use simurgh_subscriber::{Confirmation, OnChip, Profile, ProfileState};
use simurgh_vocab::{CustomerId, Duration, LineId, Msisdn, ProfileId, Timestamp};

use super::EsimFault;
use crate::ports::{
    LineState, PackagingFault, PackedProfile, ProfileMaterial, StockedSim, StoreExt, StoredPackage,
    Task, Tx,
};
use crate::subscriber::tell::Change;
use crate::{App, Fault};

/// How many profiles one line may get anew within a year: more is rarely an accident.
pub const REISSUES_PER_YEAR: usize = 5;

/// The time over which they are counted.
const YEAR: Duration = Duration::days(365);

/// How long an activation code can be used.
pub(crate) const CODE_LASTS: Duration = Duration::days(365);

/// What kind of profile lines get, in our words.
const LINE_PROFILE: &str = "line";

/// Why a profile is not issued again. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReissueRefusal {
    /// The customer has no such line, or it is given up.
    #[error("no such line")]
    UnknownLine,
    /// The line waits for its first profile.
    #[error("the first profile is being made")]
    NotYet,
    /// There were too many within a year.
    #[error("too many profiles within a year; the next is possible at {next_at}")]
    TooMany {
        /// When the next is possible.
        next_at: Timestamp,
    },
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::subscriber::refusals!(ReissueRefusal);

/// A profile that was begun: its subscription and number are taken, its packages are not made yet.
struct Begun {
    profile: Profile,
    sim: StockedSim,
    number: Option<Msisdn>,
}

impl App {
    /// Queues the profile of a line that was opened.
    pub(crate) fn order_profile(
        &self,
        tx: &mut dyn Tx,
        line: LineId,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if self.esim().packager.is_none() {
            return Ok(());
        }
        let key = format!("profile:{line}");
        Ok(self.enqueue(tx, Task::PrepareProfile(line), key, now)?)
    }

    /// Makes the profile of a line, if it has none that can be used: takes subscription and number, packs, and
    /// stores the profile ready to be downloaded. Done twice, it is done once. False while the stock is empty.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn prepare_profile(&self, line: LineId) -> Result<bool, Fault> {
        let Some(packager) = self.esim().packager.clone() else {
            return Ok(false);
        };
        let app = self.clone();
        let begun = self
            .store
            .transact(move |tx| app.begin_profile(tx, line))
            .await?;
        let begun = match begun {
            Beginning::Done => return Ok(true),
            Beginning::NoStock => {
                tracing::error!(line = %line, "no subscription or number is in stock for a line");
                return Ok(false);
            }
            Beginning::Begun(begun) => *begun,
        };
        let material = self.material(&begun).map_err(fault)?;
        let mut random = |octets: &mut [u8]| self.entropy.fill(octets);
        let packed = packager.pack(&material, &mut random);
        let packed = packed.map_err(|PackagingFault(why)| Fault::Invariant(why))?;
        let packages = self
            .seal_packages(begun.profile.id, &packed)
            .map_err(fault)?;
        let matching_id = self.make_matching_id();
        let (app, id) = (self.clone(), begun.profile.id);
        self.store
            .transact(move |tx| app.finish_profile(tx, (id, &matching_id), &packed, &packages))
            .await
            .map(|()| true)
    }

    fn begin_profile(&self, tx: &mut dyn Tx, line: LineId) -> Result<Beginning, Fault> {
        let now = self.now();
        let Some(line) = tx.line(line)? else {
            return Ok(Beginning::Done);
        };
        if let LineState::Closed { .. } = line.state {
            return Ok(Beginning::Done);
        }
        let profiles = tx.profiles_of(line.id)?;
        let begun = profiles
            .iter()
            .find(|one| one.state == ProfileState::Available);
        // One that was deleted or void is replaced when that is asked for, which withdraws it.
        if begun.is_none() && profiles.iter().any(is_current_or_void) {
            return Ok(Beginning::Done);
        }
        let id = match begun {
            Some(profile) => profile.id,
            None => self.make(ProfileId::from_parts, now),
        };
        let Some(sim) = tx.take_sim(id)? else {
            return Ok(Beginning::NoStock);
        };
        let number = tx.take_number(line.id)?;
        if number.is_none() {
            return Ok(Beginning::NoStock);
        }
        let profile = match begun {
            Some(profile) => profile.clone(),
            None => {
                let profile = Profile {
                    line: Some(line.id),
                    ..Profile::new(id, sim.iccid, LINE_PROFILE.to_owned(), now)
                };
                tx.insert_profile(&profile)?;
                profile
            }
        };
        Ok(Beginning::Begun(Box::new(Begun {
            profile,
            sim,
            number,
        })))
    }

    fn material(&self, begun: &Begun) -> Result<ProfileMaterial, EsimFault> {
        let secrets = self.open_sim(&begun.sim)?;
        let networks = &self.esim().networks;
        Ok(ProfileMaterial {
            iccid: begun.sim.iccid,
            imsi: begun.sim.imsi.clone(),
            home: begun.sim.home,
            msisdn: begun.number.clone(),
            ki: secrets.ki,
            opc: secrets.opc,
            pins: secrets.pins,
            puks: secrets.puks,
            administrative: secrets.administrative,
            over_the_air: Vec::new(),
            service_provider_name: self.settings.brand.clone(),
            profile_name: self.settings.brand.clone(),
            service_centre: networks.service_centre.clone(),
            preferred: networks.preferred.clone(),
            forbidden: networks.forbidden.clone(),
        })
    }

    /// Stores the packages and releases the profile, unless that was done before.
    fn finish_profile(
        &self,
        tx: &mut dyn Tx,
        (id, matching_id): (ProfileId, &str),
        packed: &PackedProfile,
        packages: &[StoredPackage],
    ) -> Result<(), Fault> {
        let now = self.now();
        let Some(profile) = tx.profile(id)? else {
            return Err(Fault::Invariant(format!("profile {id} has gone")));
        };
        if profile.state != ProfileState::Available {
            return Ok(());
        }
        let confirmation = Confirmation {
            matching_id: matching_id.to_owned(),
            eid: None,
            confirmation: None,
            smds_address: None,
            expires_at: Some(now.plus(CODE_LASTS)),
            release: true,
        };
        let refused = |refusal: simurgh_subscriber::ProfileRefusal| {
            Fault::Invariant(format!("profile {id}: {refusal}"))
        };
        let mut profile = profile
            .order(None, now)
            .and_then(|ordered| ordered.confirm(confirmation, now))
            .map_err(refused)?;
        profile.version = packed.version;
        profile.rules = packed.rules;
        for package in packages {
            tx.insert_package(id, package)?;
        }
        Ok(tx.update_profile(&profile)?)
    }

    /// Issues a new profile for a line and withdraws the ones it had: for a profile that was deleted, a new phone, a
    /// void code, or newer settings. The number stays. The customer proves who they are before, and is told.
    ///
    /// # Errors
    /// [`ReissueRefusal`].
    pub async fn reissue_profile(
        &self,
        customer: CustomerId,
        line: LineId,
    ) -> Result<(), ReissueRefusal> {
        let app = self.clone();
        self.store
            .transact(move |tx| app.reissue_in(tx, (customer, line), Reissue::Customer))
            .await?;
        self.wake_runner();
        Ok(())
    }

    pub(crate) fn reissue_in(
        &self,
        tx: &mut dyn Tx,
        (customer, line): (CustomerId, LineId),
        who: Reissue,
    ) -> Result<(), ReissueRefusal> {
        let now = self.now();
        let person = tx.active_person(customer)?;
        let line = tx.line(line)?.filter(|line| line.customer == customer);
        let line = line.ok_or(ReissueRefusal::UnknownLine)?;
        if let LineState::Closed { .. } = line.state {
            return Err(ReissueRefusal::UnknownLine);
        }
        let profiles = tx.profiles_of(line.id)?;
        let is_being_made = |one: &Profile| one.state == ProfileState::Available;
        if profiles.is_empty() || profiles.iter().any(is_being_made) {
            return Err(ReissueRefusal::NotYet);
        }
        // The first one of a line is not issued again.
        let recent = profiles
            .iter()
            .skip(1)
            .filter(|one| now < one.made_at.plus(YEAR));
        let recent: Vec<Timestamp> = recent.map(|one| one.made_at).collect();
        let is_over = who == Reissue::Customer && recent.len() >= REISSUES_PER_YEAR;
        if let (true, Some(first)) = (is_over, recent.first()) {
            return Err(ReissueRefusal::TooMany {
                next_at: first.plus(YEAR),
            });
        }
        for profile in profiles.into_iter().filter(is_current_or_void) {
            let id = profile.id;
            self.keep_profile(tx, &profile.revoke(now))?;
            tx.forget_packages(id)?;
        }
        let count = recent.len();
        let key = format!("profile:{}:{}:{count}", line.id, now.as_micros());
        self.enqueue(tx, Task::PrepareProfile(line.id), key, now)?;
        if let Some(person) = person {
            let change = Change::ProfileReissued;
            self.tell_change(tx, (customer, &person), change, None, now)?;
        }
        Ok(())
    }
}

/// Who wants a new profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reissue {
    /// The customer, who gets so many a year.
    Customer,
    /// Staff, who has a reason.
    Staff,
}

/// How the making of a profile begins.
enum Beginning {
    /// There is one.
    Done,
    /// Nothing is in stock.
    NoStock,
    /// It can be made.
    Begun(Box<Begun>),
}

/// Whether a profile serves its line, or will.
pub(crate) fn is_current(profile: &Profile) -> bool {
    match profile.state {
        ProfileState::Unavailable | ProfileState::Error(_) => false,
        ProfileState::Installed => profile.on_chip != Some(OnChip::Deleted),
        ProfileState::Available
        | ProfileState::Allocated
        | ProfileState::Linked
        | ProfileState::Confirmed
        | ProfileState::Released
        | ProfileState::Downloaded => true,
    }
}

fn is_current_or_void(profile: &Profile) -> bool {
    profile.state != ProfileState::Unavailable
}

/// A fault outside of what anybody was refused.
pub(super) fn fault(fault: EsimFault) -> Fault {
    match fault {
        EsimFault::Fault(fault) => fault,
        other => Fault::Invariant(other.to_string()),
    }
}
