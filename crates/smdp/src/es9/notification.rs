//! HandleNotification: what chips report, also weeks later and without a session.

use simurgh_app::Fault;
use simurgh_app::ports::{
    ChipEvent, ChipKey, ChipNotification, InstallOutcome, RspSession, SessionStep,
};
use simurgh_rsp::identity::Eid;
use simurgh_rsp::message::es9::read_notification;
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::notification::{
    Event, FinalResult, InstallationResult, NotificationMetadata, OtherNotification,
    PendingNotification,
};
use simurgh_rsp::message::{Signed, TransactionId};

use super::chip_key;
use crate::answer::Unexecuted;
use crate::smdp::Smdp;

/// What became of a notification. A phone is told the same of the first three: it may forget it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is believed and kept.
    Heard,
    /// It cannot be understood.
    NotUnderstood,
    /// It cannot be believed: signed by nobody we know, or about nothing of ours.
    NotBelieved,
}

/// A notification whose signature holds.
type Believed = Result<Option<ChipNotification>, Unexecuted>;

impl Smdp {
    /// Believes a notification that its chip signed, and hears it once.
    ///
    /// Source: SGP.22 v2.5 §5.6.4 and §3.5
    pub(crate) async fn handle_notification(&self, body: &Body) -> Result<Told, Fault> {
        let Ok(notification) = read_notification(body) else {
            return Ok(Told::NotUnderstood);
        };
        let believed = match notification {
            PendingNotification::Installation(signed) => self.installation(&signed).await,
            PendingNotification::Other(other) => self.other(&other),
        };
        match believed {
            Ok(Some(notification)) => {
                self.app().hear(notification, signed(body)).await?;
                Ok(Told::Heard)
            }
            Ok(None) | Err(Unexecuted::Refused(..)) => Ok(Told::NotBelieved),
            Err(Unexecuted::Fault(fault)) => Err(fault),
        }
    }

    /// An installation carries no certificates: the chip is the one of the session, or of the profile once the
    /// session is gone.
    async fn installation(&self, signed: &Signed<InstallationResult>) -> Believed {
        let unverified = signed.unverified();
        let Some((eid, key)) = self.chip_of(unverified).await? else {
            return Ok(None);
        };
        let Ok(says) = signed.verify(&chip_key(&key)?, None) else {
            return Ok(None);
        };
        let outcome = match &says.result {
            FinalResult::Success { .. } => InstallOutcome::Installed,
            FinalResult::Error {
                command,
                reason,
                response,
            } => InstallOutcome::Failed {
                command: octet(command.code()),
                reason: octet(reason.code()),
                response: response.clone().unwrap_or_default(),
            },
        };
        Ok(Some(ChipNotification {
            outcome: Some(outcome),
            transaction: sixteen(&says.transaction_id),
            ..heard(eid, &says.notification)
        }))
    }

    async fn chip_of(
        &self,
        says: &InstallationResult,
    ) -> Result<Option<(Eid, ChipKey)>, Unexecuted> {
        let admitted = |step: &SessionStep| match step {
            SessionStep::Authenticated { .. }
            | SessionStep::Known { .. }
            | SessionStep::Delivered { .. } => true,
            SessionStep::Opened { .. } | SessionStep::Over => false,
        };
        let named = self.session_at(&says.transaction_id, admitted).await;
        if let Some(session) = known(named)? {
            match session.step {
                SessionStep::Authenticated { eid, chip_key, .. }
                | SessionStep::Known { eid, chip_key }
                | SessionStep::Delivered { eid, chip_key, .. } => {
                    return Ok(Some((eid, chip_key)));
                }
                SessionStep::Opened { .. } | SessionStep::Over => {}
            }
        }
        match says.notification.iccid {
            Some(iccid) => Ok(self.app().chip_key_of(iccid).await?),
            None => Ok(None),
        }
    }

    fn other(&self, other: &OtherNotification) -> Believed {
        let now = self.app().now();
        let verified =
            self.credentials()
                .verify_chip(&other.certificate, &other.eum_certificate, now)?;
        let Ok(says) = other.signed.verify(verified.public_key(), None) else {
            return Ok(None);
        };
        Ok(Some(heard(*verified.eid(), says)))
    }
}

/// What the chip signed, as it came.
fn signed(body: &Body) -> Option<Vec<u8>> {
    body.octets("pendingNotification").ok()
}

/// A session, if there is one.
fn known(session: Result<RspSession, Unexecuted>) -> Result<Option<RspSession>, Unexecuted> {
    match session {
        Ok(session) => Ok(Some(session)),
        Err(Unexecuted::Refused(..)) => Ok(None),
        Err(fault @ Unexecuted::Fault(_)) => Err(fault),
    }
}

/// What a notification says, without what only installations have.
fn heard(eid: Eid, says: &NotificationMetadata) -> ChipNotification {
    ChipNotification {
        eid,
        sequence: says.sequence_number,
        iccid: says.iccid,
        event: match says.event {
            Event::Install => ChipEvent::Install,
            Event::Enable => ChipEvent::Enable,
            Event::Disable => ChipEvent::Disable,
            Event::Delete => ChipEvent::Delete,
        },
        outcome: None,
        transaction: None,
    }
}

fn sixteen(id: &TransactionId) -> Option<[u8; 16]> {
    id.as_octets().try_into().ok()
}

fn octet(code: u64) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}
