//! What the sandboxes have in common. Each stands for an outside company: a book of its own, an
//! HTTP server with an API for the operator and pages for people, and notifications that it sends
//! until they are taken. The operator's side speaks to it over HTTP only.

pub(crate) mod call;
pub(crate) mod courier;
pub(crate) mod desk;
pub(crate) mod gate;
pub(crate) mod html;
mod journal;
pub(crate) mod page;
pub(crate) mod queue;
pub(crate) mod settings;
pub(crate) mod signature;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod verify;
pub(crate) mod wire;

use std::fmt::Display;
use std::io;

use axum::http::StatusCode;

pub use settings::SandboxSettings;

/// The most a request, an answer or a notification may hold. The largest, the opening of a payment
/// with a description and a return address, stays under 4 KiB.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024;

/// What a book refuses, as the answers over HTTP say it.
pub(crate) trait Refused: Display {
    /// The code in an answer of the API.
    fn code(&self) -> &'static str;
    /// The answer's status.
    fn status(&self) -> StatusCode;
}

/// Why a sandbox does not do as asked. `R` is what its book refuses.
#[derive(Debug, thiserror::Error)]
pub enum Fault<R> {
    /// The book says no; nothing changed.
    #[error("{0}")]
    Refused(R),
    /// The journal cannot be read or written. After a failed write the sandbox answers nothing
    /// any more, since its book would be ahead of its journal.
    #[error("the journal of the sandbox failed: {0}")]
    Journal(#[source] io::Error),
    /// The part that speaks HTTP could not start.
    #[error("the sandbox cannot speak HTTP: {0}")]
    Http(String),
}
