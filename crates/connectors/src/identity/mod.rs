//! Outside identity checks: one module per party.

pub mod sandbox;

pub use sandbox::{Outcome, Sandbox, SandboxChecker, SandboxFault, SandboxServer};
