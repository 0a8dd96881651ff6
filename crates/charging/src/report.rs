//! What the network reports and asks for.

use std::sync::Arc;

use simurgh_vocab::{Unit, ZoneCode};

use crate::session::ServiceKey;

/// A request of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its number in the session.
    pub number: u32,
    /// Where in the session it comes.
    pub phase: Phase,
    /// What the session counts.
    pub unit: Unit,
    /// The zones that cover the place of use, the most specific first.
    pub zones: Arc<[ZoneCode]>,
    /// Who reports.
    pub client: Arc<str>,
    /// The realm of the client.
    pub realm: Arc<str>,
    /// The services.
    pub services: Vec<ServiceReport>,
}

/// Where in a session a request comes.
///
/// Source: `RFC 8506 §8.3` (CC-Request-Type).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It begins the session.
    Initial,
    /// It goes on.
    Update,
    /// It ends it.
    Terminate,
    /// It is all there is: what is asked for is debited at once, whole or not at all.
    ///
    /// Source: `RFC 8506 §6.3` (direct debiting).
    Event,
}

/// What is reported of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceReport {
    /// Which one.
    pub key: ServiceKey,
    /// What was used since the last report, in the unit of the session; none if nothing is reported.
    pub used: Option<i64>,
    /// What is asked for; none if nothing is.
    pub asked: Option<Asked>,
}

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Whatever the server finds right.
    Any,
    /// At most this much.
    UpTo(i64),
}
