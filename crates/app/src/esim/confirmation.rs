//! Confirmation codes: what a phone asks for besides the activation code.
//!
//! Of an order of another operator only the hash is known. A code for a line of our own is made here and kept, sealed
//! behind its hash, so that its customer can read it after log-in.
//!
//! Source: SGP.22 v2.5 §5.3.2 (`confirmationCode` is hashed by SHA-256)

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use simurgh_vocab::ProfileId;
use zeroize::Zeroizing;

use super::EsimFault;
use super::session::broken;
use crate::App;
use crate::crypto::Purpose;

/// The octets of the hash.
const HASH_OCTETS: usize = 32;

/// A confirmation code as it is typed into a phone. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfirmationCode(String);

impl ConfirmationCode {
    /// The code, to be shown to the customer whose line it is for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ConfirmationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfirmationCode(hidden)")
    }
}

/// What is kept of a confirmation code.
pub(super) struct KeptConfirmation {
    /// SHA-256 of the code.
    pub(super) hash: [u8; HASH_OCTETS],
    /// The code, where it was made here.
    pub(super) code: Option<ConfirmationCode>,
}

impl App {
    /// Makes a code for a profile, sealed for the store.
    pub(crate) fn make_confirmation(&self, profile: ProfileId) -> Result<Vec<u8>, EsimFault> {
        let code = Zeroizing::new(self.random_code());
        let mut kept = Zeroizing::new(digest(&SHA256, code.as_bytes()).as_ref().to_vec());
        kept.extend_from_slice(code.as_bytes());
        self.seal_for(Purpose::ConfirmationCode, profile, &kept)
    }

    /// Opens what is kept of a profile's code.
    pub(super) fn confirmation_of(
        &self,
        profile: ProfileId,
        sealed: &[u8],
    ) -> Result<KeptConfirmation, EsimFault> {
        let plain = self.open_for(Purpose::ConfirmationCode, profile, sealed)?;
        let (hash, code) = plain
            .split_first_chunk()
            .ok_or_else(|| broken("a sealed code of another length"))?;
        let code = std::str::from_utf8(code).map_err(|_| broken("a sealed code is no text"))?;
        Ok(KeptConfirmation {
            hash: *hash,
            code: (!code.is_empty()).then(|| ConfirmationCode(code.to_owned())),
        })
    }
}
