//! A software eUICC, and an LPA that drives one: remote SIM provisioning for tests, demonstrations and
//! development without hardware.
//!
//! [`Euicc`] is the chip: it takes APDUs as a card does and answers them. [`lpa`] downloads and manages
//! profiles on any chip that takes APDUs. Neither opens a socket or looks at a clock; randomness is an
//! argument.
//!
//! The chip knows every function of ES10a, ES10b and ES10c (SGP.22 v2.5 §5.7). Some results it has no reason for, so
//! it never gives them: `undefinedError` of AuthenticateServer, `baseCrlMissing` (lists of what changed are
//! refused as `invalidFormat`), `testProfileInstallFailedDueToInvalidNaaKey`. Of a profile it installs the files of the root, the USIM and
//! its directory for 5G, and computes Milenage. It has no TUAK (no maintained crate does it) and no test
//! algorithm: a profile that demands TUAK is refused; one with the test algorithm is installed and answers no
//! challenge. ISIM, CSIM, security domains and remote management are kept and not run.

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
mod toolkit;

pub use apdu::StatusWord;
pub use authenticate::{AuthenticationOutcome, Milenage, MilenageVector};
pub use chip::{Environment, Euicc, EuiccIdentity, EuiccSettings, IdentityFault};
pub use filesystem::{Directory, InstalledFile};
pub use profile::InstalledProfile;
pub use state::RestoreError;

#[cfg(test)]
mod tests;
