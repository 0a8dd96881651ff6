//! A phone's chip, whose state is a file, and which can be pulled in the middle of a transfer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use simurgh_app::ports::Entropy;
use simurgh_euicc::lpa::{Card, CardError};
use simurgh_euicc::{Environment, Euicc, EuiccSettings};
use zeroize::Zeroizing;

use super::file;
use super::shelf::HandsetFault;

/// A chip and its file.
pub(super) struct KeptChip {
    euicc: Euicc,
    file: PathBuf,
    /// What the file holds.
    written: Zeroizing<Vec<u8>>,
    entropy: Arc<dyn Entropy>,
    pulled: Pulled,
}

/// Whether the chip has lost its contacts: it answers nothing until the phone starts again.
#[derive(Clone, Default)]
pub(super) struct Pulled(Arc<AtomicBool>);

impl Pulled {
    pub(super) fn pull(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_out(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl KeptChip {
    /// Takes the chip from its file, or makes a new one; says whether it is new.
    pub(super) fn open(
        settings: EuiccSettings,
        file: PathBuf,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(Self, bool), HandsetFault> {
        let state = file::read_if_there(&file)?.map(Zeroizing::new);
        let is_new = state.is_none();
        let euicc = match &state {
            Some(state) => Euicc::restore(settings, state)
                .map_err(|error| HandsetFault::Chip(error.to_string()))?,
            None => Euicc::new(settings).map_err(|error| HandsetFault::Chip(error.to_string()))?,
        };
        let chip = Self {
            euicc,
            file,
            written: state.unwrap_or_default(),
            entropy,
            pulled: Pulled::default(),
        };
        Ok((chip, is_new))
    }

    pub(super) const fn euicc(&self) -> &Euicc {
        &self.euicc
    }

    /// What pulls it.
    pub(super) fn pulled(&self) -> Pulled {
        self.pulled.clone()
    }

    /// The phone starts again.
    pub(super) fn restart(&mut self) {
        self.pulled.0.store(false, Ordering::Relaxed);
        self.euicc.reset();
    }

    fn save(&mut self) -> std::io::Result<()> {
        let state = self.euicc.state();
        if *state != *self.written {
            file::write_private(&self.file, &state)?;
            self.written = state;
        }
        Ok(())
    }
}

impl Card for KeptChip {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        if self.pulled.is_out() {
            return Err(CardError::Gone);
        }
        let entropy = &self.entropy;
        let mut environment = Environment {
            random: &mut |octets| entropy.fill(octets),
        };
        let answer = self.euicc.transmit(apdu, &mut environment);
        // What the chip did is in its file before anybody hears of it.
        self.save().map_err(|error| {
            tracing::error!(%error, "the state of a demo phone cannot be written");
            CardError::Gone
        })?;
        Ok(answer)
    }
}
