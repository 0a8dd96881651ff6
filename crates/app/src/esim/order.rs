//! Orders of profiles: for our own lines, and for other operators by ES2+. Source: SGP.22 v2.5 §5.3

use simurgh_subscriber::{Confirmation, Profile, ProfileRefusal};
use simurgh_vocab::identity::{Eid, Iccid};
use simurgh_vocab::{ProfileId, Timestamp};

use super::EsimFault;
use crate::App;
use crate::crypto::{DIGEST_LEN, Purpose};
use crate::ports::{
    AnsweredCall, ChipEventRecord, ForeignEvent, PackedProfile, StoreExt, StoreFault,
    StoredPackage, Tx,
};

/// Who calls, and which call it is: the same call is answered the same again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCall {
    /// The caller.
    pub requester: String,
    /// The caller's name for this call.
    pub call: String,
    /// What is asked, in whatever form tells one request from another.
    pub request: Vec<u8>,
}

/// How an order shall be confirmed.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderConfirmation {
    /// The profile.
    pub iccid: Iccid,
    /// The chip, if it is known.
    pub eid: Option<Eid>,
    /// The token; one is made when there is none.
    pub matching_id: Option<String>,
    /// SHA-256 of the confirmation code, when one shall be needed.
    pub confirmation: Option<[u8; 32]>,
    /// The SM-DS that shall tell the chip, and the address it shall tell.
    pub smds: Option<(String, String)>,
    /// After this it cannot be downloaded.
    pub expires_at: Option<Timestamp>,
    /// Whether it may be downloaded at once.
    pub release: bool,
}

impl std::fmt::Debug for OrderConfirmation {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderConfirmation")
            .field("release", &self.release)
            .finish_non_exhaustive()
    }
}

/// A confirmed order. `Debug` hides it: whoever has the token has the profile.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfirmedOrder {
    /// The chip it is for.
    pub eid: Option<Eid>,
    /// The token of the activation code.
    pub matching_id: String,
}

impl std::fmt::Debug for ConfirmedOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConfirmedOrder")
    }
}

impl App {
    /// Reserves a profile by its number, or any of a type.
    ///
    /// # Errors
    /// [`EsimFault`].
    pub async fn download_order(
        &self,
        call: OrderCall,
        eid: Option<Eid>,
        iccid: Option<Iccid>,
        profile_type: Option<String>,
    ) -> Result<Iccid, EsimFault> {
        let app = self.clone();
        let profile = self
            .store
            .transact(move |tx| {
                let ordered = |profile: Profile, eid| -> Result<Profile, EsimFault> {
                    let mut profile = profile.order(eid, app.now())?;
                    profile.order.by = Some(call.requester.clone());
                    Ok(profile)
                };
                app.once(tx, &call, |tx| {
                    let profile = match (iccid, profile_type.as_deref()) {
                        (Some(iccid), _) => tx.profile_by_iccid(iccid)?,
                        (None, Some(wanted)) => {
                            let found = tx.available_profile(wanted)?;
                            let found = match found {
                                Some(found) => found,
                                None if tx.profile_type_is_known(wanted)? => {
                                    return Err(ProfileRefusal::TypeUnavailable.into());
                                }
                                None => return Err(ProfileRefusal::TypeUnknown.into()),
                            };
                            return ordered(found, eid);
                        }
                        (None, None) => None,
                    };
                    let profile = for_others(profile)?;
                    if profile_type
                        .as_deref()
                        .is_some_and(|wanted| wanted != profile.profile_type)
                    {
                        return Err(ProfileRefusal::OtherType.into());
                    }
                    ordered(profile, eid)
                })
            })
            .await?;
        Ok(profile.iccid)
    }

    /// Makes the activation code of a reserved profile.
    ///
    /// # Errors
    /// [`EsimFault`].
    pub async fn confirm_order(
        &self,
        call: OrderCall,
        with: OrderConfirmation,
    ) -> Result<ConfirmedOrder, EsimFault> {
        let app = self.clone();
        let matching_id = with
            .matching_id
            .clone()
            .unwrap_or_else(|| self.make_matching_id());
        let iccid = with.iccid;
        let told = self.tell_discovery(&call, &with, &matching_id).await?;
        let profile = self
            .store
            .transact(move |tx| {
                app.once(tx, &call, |tx| {
                    app.confirm_in(tx, &call, &with, &matching_id)
                })
            })
            .await;
        if profile.is_err() {
            self.untell_discovery(iccid, told).await;
        }
        let profile = profile?;
        Ok(ConfirmedOrder {
            eid: profile.order.linked,
            matching_id: profile.order.matching_id.unwrap_or_default(),
        })
    }

    /// The profile of an order as its confirmation would leave it; nothing is kept.
    pub(super) fn confirmed(
        &self,
        tx: &mut dyn Tx,
        call: &OrderCall,
        with: &OrderConfirmation,
        matching_id: &str,
    ) -> Result<Profile, EsimFault> {
        let profile = of_caller(tx.profile_by_iccid(with.iccid)?, call)?;
        let now = self.now();
        let taken = tx.profile_by_matching_id(matching_id)?;
        if !matching_id.is_empty() && taken.is_some_and(|other| other.id != profile.id) {
            return Err(ProfileRefusal::MatchingIdInUse.into());
        }
        let confirmation = match &with.confirmation {
            None => None,
            Some(hash) => Some(self.seal_for(Purpose::ConfirmationCode, profile.id, hash)?),
        };
        Ok(profile.confirm(
            Confirmation {
                matching_id: matching_id.to_owned(),
                eid: with.eid,
                confirmation,
                smds_address: with.smds.as_ref().map(|(smds, _)| smds.clone()),
                expires_at: with.expires_at,
                release: with.release,
            },
            now,
        )?)
    }

    fn confirm_in(
        &self,
        tx: &mut dyn Tx,
        call: &OrderCall,
        with: &OrderConfirmation,
        matching_id: &str,
    ) -> Result<Profile, EsimFault> {
        let now = self.now();
        let profile = self.confirmed(tx, call, with, matching_id)?;
        if let (Some((smds, server_address)), Some(eid)) = (&with.smds, profile.order.linked) {
            if self.reaches(smds) {
                let event = ForeignEvent {
                    smds: smds.clone(),
                    eid,
                    event_id: matching_id.to_owned(),
                    server_address: server_address.clone(),
                };
                tx.insert_foreign_event(profile.id, &event)?;
                return Ok(profile);
            }
            let is_registered = tx.insert_chip_event(&ChipEventRecord {
                eid,
                event_id: matching_id.to_owned(),
                server_address: server_address.clone(),
                registered_by: server_address.clone(),
                registered_at: now,
            })?;
            if !is_registered {
                return Err(ProfileRefusal::EventRefused.into());
            }
        }
        Ok(profile)
    }

    /// Takes an order back.
    ///
    /// # Errors
    /// [`EsimFault`].
    pub async fn cancel_download_order(
        &self,
        call: OrderCall,
        iccid: Iccid,
        matching_id: Option<String>,
        reusable: bool,
    ) -> Result<(), EsimFault> {
        let app = self.clone();
        self.store
            .transact(move |tx| {
                app.once(tx, &call, |tx| {
                    let profile = tx.profile_by_iccid(iccid)?;
                    let profile = of_caller(profile, &call)?;
                    let other = matching_id.is_some() && matching_id != profile.order.matching_id;
                    if other {
                        return Err(ProfileRefusal::OtherMatchingId.into());
                    }
                    app.withdraw_event(tx, &profile)?;
                    Ok(profile.cancel(reusable, app.now())?)
                })
            })
            .await
            .map(drop)
    }

    /// Lets a confirmed profile be downloaded.
    ///
    /// # Errors
    /// [`EsimFault`].
    pub async fn release_profile(&self, call: OrderCall, iccid: Iccid) -> Result<(), EsimFault> {
        let app = self.clone();
        self.store
            .transact(move |tx| {
                app.once(tx, &call, |tx| {
                    let profile = tx.profile_by_iccid(iccid)?;
                    let profile = of_caller(profile, &call)?;
                    Ok(profile.release(app.now())?)
                })
            })
            .await
            .map(drop)
    }

    /// Changes a profile once for each call; a repeated call finds what the first one left.
    fn once(
        &self,
        tx: &mut dyn Tx,
        call: &OrderCall,
        change: impl FnOnce(&mut dyn Tx) -> Result<Profile, EsimFault>,
    ) -> Result<Profile, EsimFault> {
        let digest: [u8; DIGEST_LEN] = self.keyring.digest(Purpose::CallDigest, &call.request);
        if let Some(earlier) = tx.answered_call(&call.requester, &call.call)? {
            if earlier.digest != digest {
                return Err(EsimFault::CallReused);
            }
            let profile = tx.profile(earlier.profile)?;
            return Ok(profile.ok_or(ProfileRefusal::IccidUnknown)?);
        }
        let profile = change(tx)?;
        tx.update_profile(&profile)?;
        tx.insert_answered_call(&AnsweredCall {
            requester: call.requester.clone(),
            call: call.call.clone(),
            digest: digest.to_vec(),
            profile: profile.id,
            answered_at: self.now(),
        })?;
        Ok(profile)
    }

    /// A token that nobody guesses: 100 bits in four groups that can be typed.
    #[must_use]
    pub fn make_matching_id(&self) -> String {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut octets = [0; 20];
        self.entropy.fill(&mut octets);
        let mut token = String::with_capacity(23);
        for (place, octet) in octets.iter().enumerate() {
            if place > 0 && place % 5 == 0 {
                token.push('-');
            }
            let letter = LETTERS
                .get(usize::from(octet & 31))
                .copied()
                .unwrap_or(b'0');
            token.push(char::from(letter));
        }
        token
    }

    /// The packages of a profile, sealed for the store.
    ///
    /// # Errors
    /// [`EsimFault::Fault`].
    pub(crate) fn seal_packages(
        &self,
        profile: ProfileId,
        packed: &PackedProfile,
    ) -> Result<Vec<StoredPackage>, EsimFault> {
        packed
            .variants
            .iter()
            .map(|one| {
                Ok(StoredPackage {
                    variant: one.variant.clone(),
                    least_version: one.least_version,
                    size_octets: one.size_octets,
                    metadata: packed.metadata.clone(),
                    sealed: self.seal_for(Purpose::ProfilePackage, profile, &one.protected)?,
                })
            })
            .collect()
    }

    /// Stores a new profile with its sealed packages.
    pub(crate) fn store_profile(
        &self,
        tx: &mut dyn Tx,
        profile: &Profile,
        packages: &[StoredPackage],
    ) -> Result<(), StoreFault> {
        tx.insert_profile(profile)?;
        for package in packages {
            tx.insert_package(profile.id, package)?;
        }
        Ok(())
    }

    /// Stores a profile that anybody may order by ES2+, with its packages.
    ///
    /// # Errors
    /// [`EsimFault::Fault`].
    pub async fn stock_profile(
        &self,
        iccid: Iccid,
        profile_type: String,
        packed: &PackedProfile,
    ) -> Result<ProfileId, EsimFault> {
        let now = self.now();
        let id = self.make(ProfileId::from_parts, now);
        let profile = Profile {
            version: packed.version,
            rules: packed.rules,
            ..Profile::new(id, iccid, profile_type, now)
        };
        let packages = self.seal_packages(id, packed)?;
        let app = self.clone();
        self.store
            .transact(move |tx| Ok(app.store_profile(tx, &profile, &packages)?))
            .await
            .map(|()| id)
    }

    pub(super) fn seal_for(
        &self,
        purpose: Purpose,
        profile: ProfileId,
        plain: &[u8],
    ) -> Result<Vec<u8>, EsimFault> {
        let entropy = self.entropy.as_ref();
        let sealed = self
            .keyring
            .seal(purpose, profile.as_bytes(), plain, entropy);
        sealed.map_err(|error| EsimFault::Fault(crate::Fault::Invariant(error.to_string())))
    }

    /// What waits for a chip, as an SM-DS tells it.
    ///
    /// # Errors
    /// [`EsimFault::Fault`].
    pub async fn chip_events(&self, eid: Eid) -> Result<Vec<ChipEventRecord>, EsimFault> {
        self.store
            .snapshot(move |tx| Ok(tx.chip_events_of(eid)?))
            .await
    }

    /// Registers that something waits for a chip (ES12.RegisterEvent); false when its token is taken.
    ///
    /// # Errors
    /// [`EsimFault::Fault`].
    pub async fn register_event(&self, event: ChipEventRecord) -> Result<bool, EsimFault> {
        self.store
            .transact(move |tx| Ok(tx.insert_chip_event(&event)?))
            .await
    }

    /// Forgets what waits for a chip (ES12.DeleteEvent); false when this caller registered no such thing.
    ///
    /// # Errors
    /// [`EsimFault::Fault`].
    pub async fn delete_event(
        &self,
        registered_by: String,
        eid: Eid,
        event_id: String,
    ) -> Result<bool, EsimFault> {
        self.store
            .transact(move |tx| {
                let events = tx.chip_events_of(eid)?;
                let is_own = |event: &ChipEventRecord| {
                    event.event_id == event_id && event.registered_by == registered_by
                };
                Ok(events.iter().any(is_own) && tx.remove_chip_event(eid, &event_id)?)
            })
            .await
    }
}

/// A profile that others may order: those of our own lines are nobody else's business.
fn for_others(profile: Option<Profile>) -> Result<Profile, ProfileRefusal> {
    let free = profile.filter(|profile| profile.line.is_none());
    free.ok_or(ProfileRefusal::IccidUnknown)
}

/// A profile that this caller ordered, or that nobody did yet: those of others are not told from unknown ones.
fn of_caller(profile: Option<Profile>, call: &OrderCall) -> Result<Profile, ProfileRefusal> {
    let others = |by: &String| *by != call.requester;
    let own = for_others(profile)?;
    match own.order.by.as_ref().is_some_and(others) {
        true => Err(ProfileRefusal::IccidUnknown),
        false => Ok(own),
    }
}
