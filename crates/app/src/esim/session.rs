//! A session with a chip, step by step. Source: SGP.22 v2.5 §3.1.3

use simurgh_subscriber::{Profile, ProfileRefusal, ProfileState};
use simurgh_vocab::ProfileId;

use super::progress::News;
use super::{Admission, Asking, CodeTries, Delivery, EsimFault, Offer, PackageToBind};
use crate::crypto::Purpose;
use crate::ports::{
    CancelWhy, ChipKey, ProgressFailure, ProgressPoint, RspSession, SessionStep, StoreExt,
    StoredPackage, Transaction, Tx,
};
use crate::{App, Fault};

impl App {
    /// Opens a session.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn open_session(&self, session: RspSession) -> Result<(), Fault> {
        self.store
            .transact(move |tx| Ok(tx.insert_rsp_session(&session)?))
            .await
    }

    /// A session that is not over.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn session(&self, transaction: &Transaction) -> Result<Option<RspSession>, Fault> {
        let (transaction, now) = (*transaction, self.now());
        self.store
            .snapshot(move |tx| {
                let session = tx.rsp_session(&transaction)?;
                Ok(session.filter(|session| now < session.expires_at))
            })
            .await
    }

    /// What waits for a chip.
    ///
    /// # Errors
    /// [`EsimFault::Refused`] with the first reason that holds.
    pub async fn offer(&self, asking: &Asking) -> Result<Offer, EsimFault> {
        let (app, asking) = (self.clone(), asking.clone());
        self.store
            .snapshot(move |tx| app.decide_offer(tx, &asking))
            .await
    }

    fn decide_offer(&self, tx: &mut dyn Tx, asking: &Asking) -> Result<Offer, EsimFault> {
        let now = self.now();
        let policy = &self.esim().policy;
        let profile = match asking.matching_id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => tx.profile_by_matching_id(id)?,
            None => {
                let linked = tx.profiles_linked_to(asking.eid)?;
                let ready =
                    |one: &&Profile| one.may_have(asking.eid, &asking.facts, policy, now).is_ok();
                linked.iter().find(ready).or(linked.first()).cloned()
            }
        };
        let profile = profile.ok_or(ProfileRefusal::Unknown)?;
        profile.may_have(asking.eid, &asking.facts, policy, now)?;
        let packages = tx.package_list(profile.id)?;
        let package = fitting(packages, &asking.facts)?;
        let bound = profile.chip.as_ref().and_then(|chip| chip.one_time_key);
        Ok(Offer {
            variant: package.variant,
            code_required: profile.order.confirmation.is_some(),
            bound_key: bound,
            metadata: package.metadata,
            profile,
        })
    }

    /// Binds the offered profile to the chip; exactly one chip can ever win it.
    ///
    /// # Errors
    /// [`EsimFault::Changed`] when the offer is not true any more, [`EsimFault::UnknownSession`] when the session
    /// is over or was answered before.
    pub async fn admit(&self, admission: Admission) -> Result<(), EsimFault> {
        let app = self.clone();
        self.store
            .transact(move |tx| app.admit_in(tx, &admission))
            .await
    }

    fn admit_in(&self, tx: &mut dyn Tx, admission: &Admission) -> Result<(), EsimFault> {
        let now = self.now();
        let Admission { asking, offer, .. } = admission;
        let mut session = self.session_in(tx, &admission.transaction)?;
        let SessionStep::Opened { .. } = session.step else {
            return Err(EsimFault::UnknownSession);
        };
        let kept = tx.profile(offer.profile.id)?;
        if kept.as_ref() != Some(&offer.profile) {
            return Err(EsimFault::Changed);
        }
        let chip = (asking.eid, admission.chip_key.clone());
        let policy = &self.esim().policy;
        let profile = offer
            .profile
            .clone()
            .admit(chip, &asking.facts, policy, now)?;
        tx.bind_profile(&profile)?;
        let news = News::good(ProgressPoint::Eligibility, asking.eid);
        self.tell_progress_of(tx, &profile, news, now)?;
        session.step = SessionStep::Authenticated {
            eid: asking.eid,
            chip_key: admission.chip_key.clone(),
            profile: profile.id,
            variant: offer.variant.clone(),
            server_signature: admission.server_signature,
            code_required: offer.code_required,
            bound_key: offer.bound_key,
        };
        Ok(tx.update_rsp_session(&session)?)
    }

    /// The chip is believed, and gets nothing: it may still cancel its session properly. Whoever ordered what
    /// it asked for is told `why`.
    ///
    /// # Errors
    /// [`EsimFault::UnknownSession`].
    pub async fn refuse_chip(
        &self,
        transaction: Transaction,
        asking: Asking,
        chip_key: ChipKey,
        why: ProgressFailure,
    ) -> Result<(), EsimFault> {
        let app = self.clone();
        let eid = asking.eid;
        self.store
            .transact(move |tx| {
                let mut session = app.session_in(tx, &transaction)?;
                let SessionStep::Opened { .. } = session.step else {
                    return Err(EsimFault::UnknownSession);
                };
                session.step = SessionStep::Known {
                    eid,
                    chip_key: chip_key.clone(),
                };
                tx.update_rsp_session(&session)?;
                let token = asking.matching_id.as_deref().filter(|id| !id.is_empty());
                if let Some(token) = token
                    && let Some(profile) = tx.profile_by_matching_id(token)?
                {
                    let news = News::bad(ProgressPoint::Eligibility, eid, why.clone());
                    app.tell_progress_of(tx, &profile, news, app.now())?;
                }
                Ok(())
            })
            .await
    }

    /// The package that was offered in a session, opened, to be bound by the caller. What the caller knows of the
    /// session is believed here: [`deliver`](Self::deliver) looks at session and profile before anything leaves.
    ///
    /// # Errors
    /// [`EsimFault::UnknownSession`] when nothing was offered, [`EsimFault::Refused`] when the profile was withdrawn.
    pub async fn package(&self, session: &RspSession) -> Result<PackageToBind, EsimFault> {
        let SessionStep::Authenticated {
            profile,
            ref variant,
            code_required,
            ..
        } = session.step
        else {
            return Err(EsimFault::UnknownSession);
        };
        let variant = variant.clone();
        let (package, sealed_code) = self
            .store
            .snapshot(move |tx| {
                let package = tx.package_of(profile, &variant)?;
                let package = package.ok_or(ProfileRefusal::Unknown)?;
                if !code_required {
                    return Ok::<_, EsimFault>((package, None));
                }
                let kept = tx.profile(profile)?.ok_or(ProfileRefusal::Unknown)?;
                Ok((package, kept.order.confirmation))
            })
            .await?;
        let kept = sealed_code.map(|sealed| self.confirmation_of(profile, &sealed));
        let confirmation = kept.transpose()?.map(|kept| kept.hash);
        Ok(PackageToBind {
            protected: self.open_for(Purpose::ProfilePackage, profile, &package.sealed)?,
            metadata: package.metadata,
            confirmation,
        })
    }

    pub(super) fn open_for(
        &self,
        purpose: Purpose,
        profile: ProfileId,
        sealed: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, EsimFault> {
        let opened = self.keyring.open(purpose, profile.as_bytes(), sealed);
        let opened = opened.map_err(|error| broken(&error.to_string()))?;
        Ok(zeroize::Zeroizing::new(opened))
    }

    /// Notes that a package leaves, before it does.
    ///
    /// # Errors
    /// [`EsimFault::UnknownSession`], [`EsimFault::Refused`] when the chip may not have it any more.
    pub async fn deliver(&self, delivery: Delivery) -> Result<(), EsimFault> {
        let app = self.clone();
        self.store
            .transact(move |tx| {
                let now = app.now();
                let mut session = app.session_in(tx, &delivery.transaction)?;
                let SessionStep::Authenticated {
                    eid,
                    chip_key,
                    profile,
                    ..
                } = session.step
                else {
                    return Err(EsimFault::UnknownSession);
                };
                let kept = tx.profile(profile)?.ok_or(ProfileRefusal::Unknown)?;
                let to = (eid, delivery.chip_one_time_key);
                let delivered = kept.deliver(to, &app.esim().policy, now)?;
                tx.advance_profile(&delivered)?;
                let news = News::good(ProgressPoint::Download, eid);
                app.tell_progress_of(tx, &delivered, news, now)?;
                session.step = SessionStep::Delivered {
                    eid,
                    chip_key,
                    profile,
                };
                Ok(tx.update_rsp_session(&session)?)
            })
            .await
    }

    /// Counts a wrong confirmation code. The session goes on until the last try.
    ///
    /// # Errors
    /// [`EsimFault::UnknownSession`].
    pub async fn wrong_code(&self, transaction: &Transaction) -> Result<CodeTries, EsimFault> {
        let (app, transaction) = (self.clone(), *transaction);
        self.store
            .transact(move |tx| {
                let mut session = app.session_in(tx, &transaction)?;
                let SessionStep::Authenticated {
                    eid,
                    chip_key,
                    profile,
                    ..
                } = &session.step
                else {
                    return Err(EsimFault::UnknownSession);
                };
                let policy = &app.esim().policy;
                let kept = tx.profile(*profile)?.ok_or(ProfileRefusal::Unknown)?;
                let kept = kept.wrong_code(policy, app.now());
                app.keep_profile(tx, &kept)?;
                let is_last = matches!(kept.state, ProfileState::Error(_));
                let failure = wrong_code_failure(is_last);
                let news = News::bad(ProgressPoint::ConfirmationFailure, *eid, failure);
                app.tell_progress_of(tx, &kept, news, app.now())?;
                if let ProfileState::Error(_) = kept.state {
                    let (eid, chip_key) = (*eid, chip_key.clone());
                    session.step = SessionStep::Known { eid, chip_key };
                    tx.update_rsp_session(&session)?;
                    return Ok(CodeTries::Exceeded);
                }
                let left = policy.code_tries.saturating_sub(kept.order.code_failures);
                Ok(CodeTries::Left(left))
            })
            .await
    }

    /// A phone leaves a session. Whoever only postpones finds everything as it was.
    ///
    /// # Errors
    /// [`EsimFault::UnknownSession`].
    pub async fn cancel_session(
        &self,
        transaction: Transaction,
        why: CancelWhy,
    ) -> Result<(), EsimFault> {
        let app = self.clone();
        self.store
            .transact(move |tx| {
                let mut session = app.session_in(tx, &transaction)?;
                let offered = match &session.step {
                    SessionStep::Authenticated { profile, .. }
                    | SessionStep::Delivered { profile, .. } => Some(*profile),
                    SessionStep::Known { .. } => None,
                    SessionStep::Opened { .. } | SessionStep::Over => {
                        return Err(EsimFault::UnknownSession);
                    }
                };
                if let Some(profile) = offered
                    && let Some(kept) = tx.profile(profile)?
                {
                    app.keep_profile(tx, &app.after_cancel(kept, why))?;
                }
                session.step = SessionStep::Over;
                Ok(tx.update_rsp_session(&session)?)
            })
            .await
    }

    fn after_cancel(&self, profile: Profile, why: CancelWhy) -> Profile {
        let (policy, now) = (&self.esim().policy, self.now());
        match why {
            CancelWhy::Postponed | CancelWhy::Timeout => profile,
            CancelWhy::RulesNotAllowed => profile.rules_not_allowed(now),
            CancelWhy::LoadFailed => profile.install_failed(policy, now),
            CancelWhy::UserRejected | CancelWhy::MetadataMismatch | CancelWhy::Undefined => {
                profile.rejected(policy, now)
            }
        }
    }

    /// A session that is not over, locked.
    fn session_in(
        &self,
        tx: &mut dyn Tx,
        transaction: &Transaction,
    ) -> Result<RspSession, EsimFault> {
        let now = self.now();
        let session = tx.rsp_session(transaction)?;
        session
            .filter(|session| now < session.expires_at)
            .ok_or(EsimFault::UnknownSession)
    }
}

/// The newest package that the chip understands and has room for.
fn fitting(
    packages: Vec<StoredPackage>,
    facts: &crate::ports::ChipFacts,
) -> Result<StoredPackage, EsimFault> {
    let newest = packages
        .into_iter()
        .find(|one| one.least_version <= facts.profile_version)
        .ok_or(ProfileRefusal::NotEligible)?;
    match facts.free_memory_octets {
        Some(free) if free < newest.size_octets => Err(ProfileRefusal::NoMemory.into()),
        Some(_) | None => Ok(newest),
    }
}

/// What the operator is told of a wrong confirmation code. Source: SGP.22 v2.5 §5.6.2
fn wrong_code_failure(is_last: bool) -> ProgressFailure {
    ProgressFailure {
        subject: "8.2.7".to_owned(),
        reason: if is_last { "6.4" } else { "3.8" }.to_owned(),
    }
}

pub(super) fn broken(what: &str) -> EsimFault {
    EsimFault::Fault(Fault::Invariant(format!("eSIM: {what}")))
}
