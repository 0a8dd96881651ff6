//! The outside parties Simurgh speaks to: one module per kind of party, one file per protocol.
//! Each implements a port of `simurgh-app` or serves the software LPA ([`esim`]); nothing else in the house
//! opens these connections.

pub mod esim;
pub mod handset;
pub mod identity;
pub mod message;
pub mod payment;
mod sandbox;
mod secret;

pub use sandbox::SandboxSettings;
pub use secret::Secret;
