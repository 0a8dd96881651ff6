//! The sandbox identity check, both sides.
//!
//! The other side stands for an outside company: a book of its own, an HTTP server with an API, a
//! page for the person and a page over the book ([`SandboxServer`]), and notifications that it
//! sends until they are taken. Nobody is photographed and no document is kept. The operator's side
//! is an [`IdentityChecker`](simurgh_app::ports::IdentityChecker) over HTTP ([`SandboxChecker`]).

mod book;
mod client;
mod desk;
mod html;
mod outcome;
mod server;
mod wire;

#[cfg(test)]
mod tests;

pub use book::Refusal;
pub use client::SandboxChecker;
pub use desk::{Sandbox, SandboxFault};
pub use outcome::Outcome;
pub use server::SandboxServer;

pub use crate::sandbox::SandboxSettings;

/// The code under which the sandbox is configured; the end of its notification address.
pub const CODE: &str = "sandbox";
