//! A software eUICC whose state is a file.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use simurgh_app::ports::{Clock as _, Entropy as _};
use simurgh_euicc::lpa::{Card, CardError};
use simurgh_euicc::{Environment, Euicc, EuiccIdentity, EuiccSettings};
use simurgh_rsp::identity::Eid;
use simurgh_rsp::pki::Credentials;

use crate::euicc_files;
use crate::system::{SystemClock, SystemEntropy};

#[derive(clap::Args)]
pub(crate) struct ChipOptions {
    /// The folder of certificates and keys; made with test certificates when it does not exist
    /// (`simurgh pki --help`).
    #[arg(long, value_name = "DIR", default_value = "data/certificates")]
    pub(crate) certificates: PathBuf,
    /// The chip's memory: profiles, notifications, counters. It holds the keys of profiles.
    #[arg(long, value_name = "FILE", default_value = "data/euicc.state")]
    pub(crate) state: PathBuf,
    /// The chip's number, 32 digits. Certified in the folder when it is new and the manufacturer's key is there.
    #[arg(
        long,
        value_name = "DIGITS",
        default_value = "89049032123451234512345678901235"
    )]
    pub(crate) eid: String,
    /// The SM-DS that the chip names.
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    pub(crate) smds: String,
    /// Memory for profiles, in octets.
    #[arg(long, value_name = "OCTETS", default_value_t = 524_288)]
    pub(crate) memory: usize,
}

/// A chip, its file, and what was last written to it.
pub(crate) struct Chip {
    euicc: Euicc,
    entropy: SystemEntropy,
    file: PathBuf,
    written: Vec<u8>,
}

impl Chip {
    /// Takes the chip from its file, or makes a new one.
    pub(crate) fn open(
        options: &ChipOptions,
        credentials: &mut Credentials,
    ) -> anyhow::Result<Self> {
        let eid: Eid = options.eid.parse().context("--eid")?;
        let entropy = SystemEntropy(SystemRandom::new());
        let now = SystemClock.now();
        let made = credentials.certify_euicc(&eid, now, &mut |octets| entropy.fill(octets))?;
        euicc_files::keep(&options.certificates, &made)?;
        let identities = EuiccIdentity::of(credentials, &eid, now)
            .with_context(|| format!("{}: no chip can be made", options.certificates.display()))?;
        let mut settings = EuiccSettings::new(eid, identities, options.smds.clone());
        settings.memory_octets = options.memory;
        let file = options.state.clone();
        let (euicc, written) = match fs::read(&file) {
            Ok(state) => {
                let euicc =
                    Euicc::restore(settings, &state).with_context(|| file.display().to_string())?;
                (euicc, state)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let parent = file.parent().filter(|dir| !dir.as_os_str().is_empty());
                if let Some(dir) = parent {
                    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
                }
                (Euicc::new(settings)?, Vec::new())
            }
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        let mut chip = Self {
            euicc,
            entropy,
            file,
            written,
        };
        chip.save()?;
        Ok(chip)
    }

    /// Lets the chip do something. Its state is in the file before anybody hears the answer.
    pub(crate) fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Euicc, &mut Environment<'_>) -> T,
    ) -> anyhow::Result<T> {
        let entropy = &self.entropy;
        let mut environment = Environment {
            random: &mut |octets| entropy.fill(octets),
        };
        let answer = act(&mut self.euicc, &mut environment);
        self.save()?;
        Ok(answer)
    }

    fn save(&mut self) -> anyhow::Result<()> {
        let state = self.euicc.state();
        if *state != self.written {
            euicc_files::write_private(&self.file, &state)
                .with_context(|| format!("writing {}", self.file.display()))?;
            self.written.clear();
            self.written.extend_from_slice(&state);
        }
        Ok(())
    }
}

impl Card for Chip {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        let answer = self.with(|euicc, environment| euicc.transmit(apdu, environment));
        answer.map_err(|error| {
            eprintln!("simurgh: {error:#}");
            CardError::Gone
        })
    }
}
