//! What tells a chip that something waits for it: our own SM-DS, and those elsewhere. Source: SGP.22 v2.5 §3.6, §5.9
//!
//! An SM-DS elsewhere is told before the order is confirmed, as its answer decides: if the order then fails, it is
//! told otherwise. Taking an event back is work of the outbox, so that nothing waits for another's server.

use simurgh_subscriber::{Profile, ProfileRefusal};
use simurgh_vocab::ProfileId;
use simurgh_vocab::identity::Iccid;

use super::{EsimFault, OrderCall, OrderConfirmation};
use crate::ports::{DiscoveryFault, ForeignEvent, StoreExt, StoreFault, Task, Tx};
use crate::{App, Fault};

impl App {
    /// Whether an SM-DS is elsewhere, and may be told.
    #[must_use]
    pub fn reaches(&self, smds: &str) -> bool {
        let discovery = self.esim().discovery.as_ref();
        discovery.is_some_and(|discovery| discovery.reaches(smds))
    }

    /// Tells the SM-DS of an order, if it is elsewhere, unless this call was answered before. Gives what was told.
    pub(super) async fn tell_discovery(
        &self,
        call: &OrderCall,
        with: &OrderConfirmation,
        matching_id: &str,
    ) -> Result<Option<ForeignEvent>, EsimFault> {
        let Some((smds, server_address)) = with.smds.clone().filter(|(smds, _)| self.reaches(smds))
        else {
            return Ok(None);
        };
        let (app, call, with) = (self.clone(), call.clone(), with.clone());
        let token = matching_id.to_owned();
        // An order that would be refused is not told.
        let eid = self
            .store
            .snapshot(move |tx| -> Result<_, EsimFault> {
                if tx.answered_call(&call.requester, &call.call)?.is_some() {
                    return Ok(None);
                }
                Ok(app.confirmed(tx, &call, &with, &token)?.order.linked)
            })
            .await?;
        let (Some(eid), Some(discovery)) = (eid, self.esim().discovery.clone()) else {
            // What is wrong with the order, its confirmation says.
            return Ok(None);
        };
        let event = ForeignEvent {
            smds,
            eid,
            event_id: matching_id.to_owned(),
            server_address,
        };
        match discovery.register(&event).await {
            Ok(()) => Ok(Some(event)),
            Err(fault) => {
                tracing::warn!(smds = %event.smds, %fault, "an SM-DS did not take an event");
                Err(match fault {
                    DiscoveryFault::Unreachable(_) => ProfileRefusal::SmdsUnreachable,
                    DiscoveryFault::Refused(_) => ProfileRefusal::EventRefused,
                }
                .into())
            }
        }
    }

    /// Takes back what was told of an order that failed, unless another call confirmed it meanwhile. What stays
    /// there leads a phone to nothing.
    pub(super) async fn untell_discovery(&self, iccid: Iccid, told: Option<ForeignEvent>) {
        let (Some(event), Some(discovery)) = (told, self.esim().discovery.clone()) else {
            return;
        };
        let token = event.event_id.clone();
        let is_kept = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> {
                let Some(profile) = tx.profile_by_iccid(iccid)? else {
                    return Ok(false);
                };
                let events = tx.foreign_events_of(profile.id)?;
                Ok(events.iter().any(|one| one.event_id == token))
            })
            .await;
        let outcome = match is_kept {
            Ok(true) => return,
            Ok(false) => discovery.withdraw(&event).await,
            Err(fault) => Err(DiscoveryFault::Unreachable(fault.to_string())),
        };
        if let Err(fault) = outcome {
            tracing::warn!(smds = %event.smds, %fault, "an SM-DS keeps an event of no order");
        }
    }

    /// Stores a profile; when it waits no longer, what tells its chip to fetch it goes too.
    pub(crate) fn keep_profile(
        &self,
        tx: &mut dyn Tx,
        profile: &Profile,
    ) -> Result<(), StoreFault> {
        tx.update_profile(profile)?;
        self.withdraw_if_over(tx, profile)
    }

    /// The same of a profile that only came further on its way into its chip.
    pub(super) fn keep_advanced(
        &self,
        tx: &mut dyn Tx,
        profile: &Profile,
    ) -> Result<(), StoreFault> {
        tx.advance_profile(profile)?;
        self.withdraw_if_over(tx, profile)
    }

    fn withdraw_if_over(&self, tx: &mut dyn Tx, profile: &Profile) -> Result<(), StoreFault> {
        if profile.is_waiting() {
            return Ok(());
        }
        self.withdraw_event(tx, profile)
    }

    /// Forgets what tells a chip to fetch a profile.
    pub(super) fn withdraw_event(
        &self,
        tx: &mut dyn Tx,
        profile: &Profile,
    ) -> Result<(), StoreFault> {
        let order = &profile.order;
        let (Some(eid), Some(token), Some(smds)) = (
            order.linked,
            order.matching_id.as_deref(),
            order.smds_address.as_deref(),
        ) else {
            return Ok(());
        };
        if !self.reaches(smds) {
            return tx.remove_chip_event(eid, token).map(drop);
        }
        if tx.foreign_events_of(profile.id)?.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let key = format!("withdraw:{}:{}", profile.id, now.as_micros());
        self.enqueue(tx, Task::WithdrawEvents(profile.id), key, now)
    }

    /// Takes back what SM-DS elsewhere were told of a profile; false when one could not be reached.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn withdraw_events(&self, profile: ProfileId) -> Result<bool, Fault> {
        let events = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> {
                let mut events = tx.foreign_events_of(profile)?;
                // The profile may be ordered anew: what waits now stays.
                let now = tx.profile(profile)?.filter(Profile::is_waiting);
                let token = now.and_then(|now| now.order.matching_id);
                events.retain(|event| Some(&event.event_id) != token.as_ref());
                Ok(events)
            })
            .await?;
        let Some(discovery) = self.esim().discovery.clone() else {
            return Ok(true);
        };
        let mut all_gone = true;
        for event in events {
            match discovery.withdraw(&event).await {
                // One that it does not know is gone as well.
                Ok(()) | Err(DiscoveryFault::Refused(_)) => {
                    self.store
                        .transact(move |tx| -> Result<_, Fault> {
                            Ok(tx.forget_foreign_event(profile, &event.event_id)?)
                        })
                        .await?;
                }
                Err(fault @ DiscoveryFault::Unreachable(_)) => {
                    tracing::warn!(smds = %event.smds, %fault, "an event was not taken back");
                    all_gone = false;
                }
            }
        }
        Ok(all_gone)
    }
}
