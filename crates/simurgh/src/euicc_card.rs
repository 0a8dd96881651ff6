//! Which card `simurgh lpa` uses: the software eUICC in its file, one behind another program, or a reader.

use std::io::BufReader;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use simurgh_euicc::lpa::{Card, CardError, LineCard};
use simurgh_rsp::pki::Credentials;

use crate::euicc_chip::{Chip, ChipOptions};

#[derive(clap::Args)]
pub(crate) struct CardOptions {
    /// Use the card behind this command of the shell, which answers one line of JSON a request, such as
    /// 'simurgh euicc --stdio'.
    #[arg(long, value_name = "COMMAND", conflicts_with = "reader")]
    card_command: Option<String>,
    /// Use the card in the PC/SC reader whose name begins so; '' for the first that has a card. Needs a build
    /// with the feature `pcsc`.
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,
}

impl CardOptions {
    /// Opens the card that is wanted.
    pub(crate) fn open(
        &self,
        chip: &ChipOptions,
        credentials: &mut Credentials,
    ) -> anyhow::Result<Box<dyn Card>> {
        match (&self.card_command, &self.reader) {
            (Some(command), _) => Ok(Box::new(ProgramCard::start(command)?)),
            (None, Some(reader)) => reader_card(reader),
            (None, None) => Ok(Box::new(Chip::open(chip, credentials)?)),
        }
    }
}

/// A card behind a program that was started for it, and ends with it.
struct ProgramCard {
    card: Option<LineCard<BufReader<ChildStdout>, ChildStdin>>,
    program: Child,
}

impl ProgramCard {
    fn start(command: &str) -> anyhow::Result<Self> {
        let mut program = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {command}"))?;
        let (Some(requests), Some(answers)) = (program.stdin.take(), program.stdout.take()) else {
            bail!("{command}: no pipes");
        };
        let card = LineCard::connect(BufReader::new(answers), requests)
            .with_context(|| format!("--card-command {command}"))?;
        Ok(Self {
            card: Some(card),
            program,
        })
    }
}

impl Card for ProgramCard {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        let card = self.card.as_mut().ok_or(CardError::Gone)?;
        card.transmit(apdu)
    }
}

impl Drop for ProgramCard {
    fn drop(&mut self) {
        // Its input ends: so does the program.
        self.card = None;
        if let Err(error) = self.program.wait() {
            eprintln!("simurgh: the card's program: {error}");
        }
    }
}

#[cfg(not(feature = "pcsc"))]
fn reader_card(_: &str) -> anyhow::Result<Box<dyn Card>> {
    bail!("--reader needs a build with PC/SC: cargo build --release --features pcsc")
}

#[cfg(feature = "pcsc")]
fn reader_card(name: &str) -> anyhow::Result<Box<dyn Card>> {
    let context = pcsc::Context::establish(pcsc::Scope::User)
        .context("PC/SC cannot be reached; does pcscd run?")?;
    let names = context
        .list_readers_owned()
        .context("listing PC/SC readers")?;
    let wanted = names
        .iter()
        .filter(|one| one.to_string_lossy().starts_with(name));
    let mut why = format!("no reader's name begins with '{name}'");
    for one in wanted {
        match context.connect(one, pcsc::ShareMode::Shared, pcsc::Protocols::ANY) {
            Ok(card) => return Ok(Box::new(ReaderCard(card))),
            Err(error) => why = format!("{}: {error}", one.to_string_lossy()),
        }
    }
    let known: Vec<_> = names.iter().map(|one| one.to_string_lossy()).collect();
    bail!("{why}; readers: {}", known.join(", "))
}

/// A card in a PC/SC reader.
#[cfg(feature = "pcsc")]
struct ReaderCard(pcsc::Card);

#[cfg(feature = "pcsc")]
impl Card for ReaderCard {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        let mut answer = [0; pcsc::MAX_BUFFER_SIZE];
        let answer = self.0.transmit(apdu, &mut answer).map_err(|error| {
            eprintln!("simurgh: the reader: {error}");
            CardError::Gone
        })?;
        Ok(answer.to_vec())
    }
}
