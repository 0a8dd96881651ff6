//! ES12 (SM-DP+ to SM-DS): events by which a phone finds its profile.
//!
//! Source: SGP.22 v2.5 §5.9 and §6.5.2

use std::fmt;

use serde_json::Value;

use super::es2::RequestHeader;
use super::json::{Body, BodyError, Making};
use crate::identity::Eid;

/// Where the functions are, below the server's address.
pub mod path {
    /// RegisterEvent
    pub const REGISTER_EVENT: &str = "/gsma/rsp2/es12/registerEvent";
    /// DeleteEvent
    pub const DELETE_EVENT: &str = "/gsma/rsp2/es12/deleteEvent";
}

/// `RegisterEvent`: something waits for a chip at a server.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisterEvent {
    /// The chip.
    pub eid: Eid,
    /// The host name of the server.
    pub server_address: String,
    /// The event's identifier, unique for the chip.
    pub event_id: String,
    /// Whether the root SM-DS shall know of it too.
    pub forward: bool,
}

impl fmt::Debug for RegisterEvent {
    /// Without the identifier: whoever has it has the profile.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegisterEvent(at {})", self.server_address)
    }
}

impl fmt::Debug for DeleteEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeleteEvent")
    }
}

impl RegisterEvent {
    /// Reads a request.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        Ok(Self {
            eid: body.parsed("eid")?,
            server_address: body.text("rspServerAddress")?.to_owned(),
            event_id: body.text("eventId")?.to_owned(),
            forward: body.boolean("forwardingIndicator")?,
        })
    }

    /// Makes a request.
    #[must_use]
    pub fn body(&self, header: &RequestHeader) -> Value {
        header.on(Making::new()
            .text("eid", self.eid.digits())
            .text("rspServerAddress", &self.server_address)
            .text("eventId", &self.event_id)
            .value("forwardingIndicator", Value::Bool(self.forward)))
    }
}

/// `DeleteEvent`: nothing waits any more.
#[derive(Clone, PartialEq, Eq)]
pub struct DeleteEvent {
    /// The chip.
    pub eid: Eid,
    /// The event's identifier.
    pub event_id: String,
}

impl DeleteEvent {
    /// Reads a request.
    ///
    /// # Errors
    /// [`BodyError`].
    pub fn read(body: &Body) -> Result<Self, BodyError> {
        Ok(Self {
            eid: body.parsed("eid")?,
            event_id: body.text("eventId")?.to_owned(),
        })
    }

    /// Makes a request.
    #[must_use]
    pub fn body(&self, header: &RequestHeader) -> Value {
        header.on(Making::new()
            .text("eid", self.eid.digits())
            .text("eventId", &self.event_id))
    }
}
