//! The way back to the network: live sessions are told that something has changed.

use std::future::Future;
use std::pin::Pin;

/// A session as the network knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionAddress {
    /// Its name.
    pub session: String,
    /// Who reports it.
    pub client: String,
    /// The realm of the client.
    pub realm: String,
}

/// What a client says to a request of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAnswer {
    /// It does what was asked.
    Taken,
    /// It does not know the session.
    UnknownSession,
    /// It will not.
    Refused,
}

/// Nobody could be asked, or nobody answered: trying again may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the client of the session cannot be reached: {0}")]
pub struct Unreachable(pub String);

/// The answer of a client, to come.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<ClientAnswer, Unreachable>> + Send + 'a>>;

/// Tells a live charging session that its balance has changed: it reports what was used and asks anew.
pub trait Reauthorizer: Send + Sync + 'static {
    /// Asks the client to report and to ask anew. Safe to repeat.
    fn reauthorize<'a>(&'a self, session: &'a SessionAddress) -> Asked<'a>;

    /// Asks the client to end the session. Safe to repeat.
    fn abort<'a>(&'a self, session: &'a SessionAddress) -> Asked<'a>;
}
