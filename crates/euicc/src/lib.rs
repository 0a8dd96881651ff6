//! A software eUICC, and an LPA that drives one: remote SIM provisioning for tests, demonstrations and
//! development without hardware.
//!
//! [`Euicc`] is the chip: it takes APDUs as a card does and answers them. [`lpa`] downloads and manages
//! profiles on any chip that takes APDUs. Neither opens a socket or looks at a clock; randomness is an
//! argument.

mod apdu;
mod authenticate;
mod chip;
mod download;
pub mod face;
mod filesystem;
#[doc(hidden)]
pub mod fuzz;
mod isdr;
pub mod lpa;
mod profile;
mod state;

pub use apdu::StatusWord;
pub use authenticate::{AuthenticationOutcome, Milenage, MilenageVector};
pub use chip::{Environment, Euicc, EuiccIdentity, EuiccSettings, IdentityFault};
pub use filesystem::{Directory, InstalledFile};
pub use profile::InstalledProfile;
pub use state::RestoreError;

#[cfg(test)]
mod tests;
