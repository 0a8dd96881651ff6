//! The sandbox payment provider, both sides.
//!
//! The provider's side stands for an outside company: a book of its own ([`SandboxBook`]), an HTTP
//! server with an API, a page for the payer and a page over the book ([`SandboxServer`]), and
//! notifications that it sends until they are taken. No money moves. The operator's side is a
//! [`PaymentProvider`](simurgh_app::ports::PaymentProvider): over HTTP ([`SandboxProvider`]), or in
//! the same process over the same book ([`DirectSandbox`]), for simulations without sockets.

mod book;
mod client;
mod desk;
mod direct;
#[doc(hidden)]
pub mod fuzz;
mod journal;
mod outcome;
mod server;
mod verify;
mod wire;

#[cfg(test)]
mod tests;

pub use book::{BookCopy, BookedPayment, Refusal, SandboxBook};
pub use client::SandboxProvider;
pub use desk::{Sandbox, SandboxFault};
pub use direct::{DirectSandbox, HandedNotification, Loss};
pub use outcome::{Behaviour, Outcome, RefundBehaviour};
pub use server::SandboxServer;

pub use crate::sandbox::SandboxSettings;

use simurgh_commerce::MethodKind;

/// The code under which payments of the sandbox are stored.
pub const CODE: &str = "sandbox";

/// What the provider expects as the answer to a notification. Any 2xx status will do.
const ACKNOWLEDGEMENT: &str = "success";

/// The ways to pay, in the order in which they are offered.
const METHODS: &[MethodKind] = &MethodKind::ALL;
