//! What chips report: once each, also weeks later and without a session. Source: SGP.22 v2.5 §3.5

use simurgh_subscriber::{OnChip, Profile, ProfileState};
use simurgh_vocab::Timestamp;
use simurgh_vocab::identity::{Eid, Iccid};

use super::progress::News;
use crate::ports::{
    ChipEvent, ChipKey, ChipNotification, HeardNotification, InstallOutcome, ProgressFailure,
    ProgressPoint, SessionStep, StoreExt, Tx,
};
use crate::{App, Fault};

/// `installFailedDueToIccidAlreadyExistsOnEuicc` (SGP.22 v2.5 §5.7.2): it is there from an earlier download.
const ALREADY_THERE: u8 = 9;

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is new, and changed what is known.
    News,
    /// It was heard before.
    Again,
    /// It is about no profile of ours, or one that another chip has.
    NotOurs,
}

impl App {
    /// Takes in what a chip reported; its signature was verified. Hearing it twice is hearing it once. `signed` is
    /// what the chip signed, for whoever ordered the profile.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn hear(
        &self,
        notification: ChipNotification,
        signed: Option<Vec<u8>>,
    ) -> Result<Heard, Fault> {
        let app = self.clone();
        self.store
            .transact(move |tx| app.hear_in(tx, &notification, signed.as_deref()))
            .await
    }

    fn hear_in(
        &self,
        tx: &mut dyn Tx,
        notification: &ChipNotification,
        signed: Option<&[u8]>,
    ) -> Result<Heard, Fault> {
        let now = self.now();
        let session = match &notification.transaction {
            Some(transaction) => tx.rsp_session(transaction)?,
            None => None,
        };
        let profile = match (notification.iccid, &session) {
            (Some(iccid), _) => tx.profile_by_iccid(iccid)?,
            (None, Some(session)) => match &session.step {
                SessionStep::Delivered { profile, .. } => tx.profile(*profile)?,
                SessionStep::Opened { .. }
                | SessionStep::Authenticated { .. }
                | SessionStep::Known { .. }
                | SessionStep::Over => None,
            },
            (None, None) => None,
        };
        let has_it = |profile: &Profile| {
            let chip = profile.chip.as_ref();
            // A chip that no package ever left for has nothing to report.
            chip.is_some_and(|chip| chip.eid == notification.eid && chip.one_time_key.is_some())
        };
        let Some(profile) = profile.filter(has_it) else {
            return Ok(Heard::NotOurs);
        };
        let heard = HeardNotification {
            notification: notification.clone(),
            heard_at: now,
        };
        if !tx.insert_chip_notification(&heard, Some(profile.id))? {
            return Ok(Heard::Again);
        }
        let newest = is_newest(tx, &profile, notification)?;
        let profile = self.after_news(profile, notification, newest, now);
        self.keep_advanced(tx, &profile)?;
        if notification.event == ChipEvent::Install {
            self.tell_progress_of(tx, &profile, installation(notification, signed), now)?;
        }
        if let Some(mut session) = session
            && session.step != SessionStep::Over
        {
            session.step = SessionStep::Over;
            tx.update_rsp_session(&session)?;
        }
        Ok(Heard::News)
    }

    fn after_news(
        &self,
        profile: Profile,
        news: &ChipNotification,
        newest: Newest,
        now: Timestamp,
    ) -> Profile {
        let on_chip = match (news.event, &news.outcome) {
            (ChipEvent::Install, Some(InstallOutcome::Failed { reason, .. })) => {
                return if *reason == ALREADY_THERE {
                    profile.installed(now)
                } else {
                    profile.install_failed(&self.esim().policy, now)
                };
            }
            (ChipEvent::Install | ChipEvent::Disable, _) => OnChip::Disabled,
            (ChipEvent::Enable, _) => OnChip::Enabled,
            (ChipEvent::Delete, _) => OnChip::Deleted,
        };
        match newest {
            Newest::Yes => profile.heard(on_chip, now),
            Newest::No => profile.installed(now),
        }
    }

    /// The chip that a profile is bound to, and the key by which it signs.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn chip_key_of(&self, iccid: Iccid) -> Result<Option<(Eid, ChipKey)>, Fault> {
        self.store
            .snapshot(move |tx| {
                let profile = tx.profile_by_iccid(iccid)?;
                let delivered = profile.filter(|one| one.state != ProfileState::Available);
                Ok(delivered
                    .and_then(|one| one.chip)
                    .map(|chip| (chip.eid, chip.key)))
            })
            .await
    }
}

/// Whether a chip said nothing later of a profile: phones deliver in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Newest {
    Yes,
    No,
}

/// Looks at what was heard of the profile, which has the news itself. Source: SGP.22 v2.5 §3.5 (the sequence numbers of
/// a chip tell the order)
fn is_newest(tx: &mut dyn Tx, profile: &Profile, news: &ChipNotification) -> Result<Newest, Fault> {
    if profile.on_chip.is_none() {
        return Ok(Newest::Yes);
    }
    let is_later = |known: &HeardNotification| {
        let known = &known.notification;
        let says = !matches!(known.outcome, Some(InstallOutcome::Failed { .. }));
        says && known.eid == news.eid && known.sequence > news.sequence
    };
    let heard = tx.chip_notifications_of(profile.id)?;
    Ok(match heard.iter().any(is_later) {
        true => Newest::No,
        false => Newest::Yes,
    })
}

/// What the operator is told of an installation.
fn installation(notification: &ChipNotification, signed: Option<&[u8]>) -> News {
    let failure = match &notification.outcome {
        Some(InstallOutcome::Failed { reason, .. }) if *reason != ALREADY_THERE => {
            // "eUICC", "execution error": what exactly, the result says.
            Some(ProgressFailure {
                subject: "8.1".to_owned(),
                reason: "4.2".to_owned(),
            })
        }
        Some(InstallOutcome::Failed { .. } | InstallOutcome::Installed) | None => None,
    };
    News {
        failure,
        result: signed.map(<[u8]>::to_vec),
        ..News::good(ProgressPoint::Installation, notification.eid)
    }
}
