//! Tells SM-DS elsewhere what waits for a chip here: ES12.
//!
//! Source: SGP.22 v2.5 §5.9 and §6.5.2

use simurgh_app::ports::{Discovering, DiscoveryFault, DiscoveryServers, ForeignEvent};
use simurgh_rsp::message::es2::RequestHeader;
use simurgh_rsp::message::es9::PROTOCOL_HEADER;
use simurgh_rsp::message::es12::{DeleteEvent, RegisterEvent, path};
use simurgh_rsp::message::status::{Outcome, Status, outcome};

use super::{LpaTransport, LpaTransportSettings, TransportFault};

/// The SM-DS that may be told.
#[derive(Debug)]
pub struct DiscoveryTeller {
    requester: String,
    addresses: Vec<String>,
    transport: LpaTransport,
}

impl DiscoveryTeller {
    /// Tells the SM-DS at `addresses`. `requester` is our own `functionRequesterIdentifier`.
    ///
    /// # Errors
    /// [`TransportFault`] of the settings.
    pub fn new(
        requester: String,
        addresses: Vec<String>,
        reach: &LpaTransportSettings,
    ) -> Result<Self, TransportFault> {
        Ok(Self {
            requester,
            addresses,
            transport: LpaTransport::new(reach)?,
        })
    }

    /// The same event has the same name whenever it is told: a repeated call is the same call.
    fn header(&self, what: &str, event: &ForeignEvent) -> RequestHeader {
        RequestHeader {
            requester: self.requester.clone(),
            call: format!("{what}-{}", event.event_id),
        }
    }

    async fn call(
        &self,
        smds: &str,
        path: &str,
        body: serde_json::Value,
        as_good: Status,
    ) -> Result<(), DiscoveryFault> {
        let unreachable = |why: String| DiscoveryFault::Unreachable(why);
        let body = body.to_string().into_bytes();
        let answer = self.transport.post(smds, path, PROTOCOL_HEADER, body).await;
        let (status, body) = answer.map_err(|fault| unreachable(fault.to_string()))?;
        if !(200..300).contains(&status) {
            return Err(unreachable(format!("status {status}")));
        }
        let said = serde_json::from_slice(&body).map_err(|error| unreachable(error.to_string()))?;
        match outcome(&said) {
            Some(Outcome::Executed) => Ok(()),
            Some(failed @ Outcome::Failed { .. }) => match failed.status() {
                Some(status) if status == as_good => Ok(()),
                Some(status) => {
                    let (subject, reason) = (status.subject(), status.reason());
                    Err(DiscoveryFault::Refused(format!("{subject}/{reason}")))
                }
                None => Err(DiscoveryFault::Refused("for an unknown reason".to_owned())),
            },
            None => Err(unreachable("an answer that says nothing".to_owned())),
        }
    }
}

impl DiscoveryServers for DiscoveryTeller {
    fn reaches(&self, smds: &str) -> bool {
        let mut addresses = self.addresses.iter();
        addresses.any(|one| one.eq_ignore_ascii_case(smds))
    }

    fn register<'a>(&'a self, event: &'a ForeignEvent) -> Discovering<'a> {
        let request = RegisterEvent {
            eid: event.eid,
            server_address: event.server_address.clone(),
            event_id: event.event_id.clone(),
            forward: false,
        };
        let body = request.body(&self.header("register", event));
        // The name is a token of ours: whoever registered it was us.
        let as_good = Status::EventRecordAlreadyInUse;
        Box::pin(self.call(&event.smds, path::REGISTER_EVENT, body, as_good))
    }

    fn withdraw<'a>(&'a self, event: &'a ForeignEvent) -> Discovering<'a> {
        let request = DeleteEvent {
            eid: event.eid,
            event_id: event.event_id.clone(),
        };
        let body = request.body(&self.header("delete", event));
        let as_good = Status::EventRecordUnknown;
        Box::pin(self.call(&event.smds, path::DELETE_EVENT, body, as_good))
    }
}
