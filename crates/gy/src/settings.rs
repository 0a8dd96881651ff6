//! What the operator sets about the Diameter listener.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use simurgh_diameter::allowed::AllowedPeer;
use simurgh_diameter::credit_control::CreditControlFailureHandling;
use simurgh_diameter::peer::Local;

/// What a client does with a user whose last units are used up.
///
/// Source: `RFC 8506 §8.34`, `§8.35` (Final-Unit-Indication, Final-Unit-Action).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtTheEnd {
    /// It ends the service.
    Terminate,
    /// It leads the user to this address, where a plan can be bought; the rating group of the way there
    /// should be free.
    Redirect(String),
    /// It lets the user reach what the filters with these names allow.
    Restrict(Vec<String>),
}

/// What clients are told while the store cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreDown {
    /// That the request cannot be served (`DIAMETER_UNABLE_TO_COMPLY`): they end the service.
    Refuse,
    /// That we are too busy (`DIAMETER_TOO_BUSY`): they ask another server, or do as the failure handling
    /// says that we gave them. Source: `RFC 8506 §5.7`, `§6.5`.
    Busy,
    /// That no credit control is needed: users go on, and nobody pays for it.
    LetThrough,
}

/// Where a client hears, at the beginning of a session, that nothing is left for any of its services.
/// Source: `RFC 8506 §9.1` (`DIAMETER_CREDIT_LIMIT_REACHED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitTold {
    /// In each service; the session begins, and can be led to where a plan is bought.
    InServices,
    /// In the answer as a whole as well: clients that look there only do not let the user in.
    InAnswer,
}

/// The settings of the listener.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who we are.
    pub local: Local,
    /// Who may connect; nobody else.
    pub peers: Vec<AllowedPeer>,
    /// The watchdog interval Tw. Source: `RFC 3539 §3.4.1`.
    pub watchdog: Duration,
    /// What happens when the last units are used up.
    pub at_the_end: AtTheEnd,
    /// What clients are told while the store cannot be used.
    pub store_down: StoreDown,
    /// What clients are to do while no server answers them (Credit-Control-Failure-Handling), as long as
    /// they are not told anew. Source: `RFC 8506 §8.14`.
    pub failure_handling: CreditControlFailureHandling,
    /// Where clients hear that nothing is left.
    pub limit_told: LimitTold,
    /// TLS, if it is wanted: then there is nothing but TLS.
    pub tls: Option<Arc<ServerConfig>>,
    /// For how long a client may leave quota unused before it gives it back, in seconds; 0: for as long as it
    /// is valid. Source: `3GPP TS 32.299 §7.2` (Quota-Holding-Time).
    pub quota_holding_seconds: u32,
    /// The most octets of a message.
    pub message_octets_max: usize,
    /// The most connections at once.
    pub connections_max: usize,
    /// The most connections at once from one address.
    pub connections_per_address_max: usize,
    /// How many requests of one connection may be under way; no more are read until some are answered.
    pub requests_max: usize,
    /// How many octets may wait to be written to one connection; no more requests are read until the peer
    /// takes some.
    pub unwritten_octets_max: usize,
    /// How long a request may take before its client is told that it cannot be served now. Well below
    /// the 10 seconds that clients wait (Tx, `RFC 8506 §13`).
    pub answer_timeout: Duration,
    /// How long a peer may take nothing of what we write.
    pub write_timeout: Duration,
}

impl Settings {
    /// The usual limits for `local`, with nobody allowed to connect.
    #[must_use]
    pub const fn of(local: Local) -> Self {
        Self {
            local,
            peers: Vec::new(),
            watchdog: Duration::from_secs(30),
            at_the_end: AtTheEnd::Terminate,
            store_down: StoreDown::Refuse,
            failure_handling: CreditControlFailureHandling::Terminate,
            limit_told: LimitTold::InServices,
            quota_holding_seconds: 0,
            tls: None,
            message_octets_max: 65_536,
            connections_max: 256,
            connections_per_address_max: 64,
            requests_max: 1_024,
            unwritten_octets_max: 1_048_576,
            answer_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(30),
        }
    }
}
