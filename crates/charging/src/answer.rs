//! What the network is told.

use simurgh_vocab::Duration;

use crate::session::ServiceKey;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What became of the request as a whole.
    pub result: CommandResult,
    /// What became of each service that was reported or asked for.
    pub services: Vec<ServiceAnswer>,
}

/// What became of a request as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandResult {
    /// It was taken; the services say the rest.
    Taken,
    /// The session is not known, or was given up. Source: `RFC 8506 §9` (DIAMETER_UNKNOWN_SESSION_ID).
    UnknownSession,
    /// The number was answered long ago, or the request begins a session that has ended.
    OutOfOrder,
    /// Nobody has such a number.
    UnknownSubscriber,
    /// The line is out of service.
    NotInService,
}

/// What became of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAnswer {
    /// Which one.
    pub key: ServiceKey,
    /// What is granted, or why nothing is.
    pub result: ServiceResult,
}

/// What is granted to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceResult {
    /// The report was taken, and nothing was asked for.
    Reported,
    /// Quota.
    Granted(Quota),
    /// No bucket has anything left for this use.
    LimitReached,
    /// The line is out of service.
    Denied,
}

/// Quota: what may be used before the next report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How much, in the unit of the session.
    pub amount: i64,
    /// How long it may be used.
    pub validity: Duration,
    /// How much of it may be left when the client asks anew; zero to ask at the end.
    pub threshold: i64,
    /// Nothing is left behind it.
    pub last: bool,
}
