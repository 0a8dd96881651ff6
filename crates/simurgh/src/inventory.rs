//! `simurgh inventory`: what lines are made of.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use simurgh_app::App;
use simurgh_app::esim::inventory::{Imported, make_up, read_file};
use simurgh_vocab::Msisdn;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::{ConfigFile, serve};

pub(crate) const EXAMPLES: &str = "\
Examples:
  simurgh inventory import sims.csv --transport-key-file transport.key
  simurgh inventory numbers numbers.txt
  simurgh inventory list
  simurgh inventory generate --count 50        for a test network: no real one knows these keys

docs/guide/inventory.md describes both files.";

#[derive(Subcommand)]
pub(crate) enum InventoryCommand {
    /// Add the subscriptions of an operator's file. Rows that are there already stay as they are.
    Import {
        #[command(flatten)]
        config: ConfigFile,
        /// Comma-separated values with a heading: iccid,imsi,ki,opc,pin1,puk1,pin2,puk2,adm.
        file: PathBuf,
        /// A file with the transport key that wrapped `ki` and `opc` (RFC 3394), in hexadecimal digits.
        #[arg(long)]
        transport_key_file: PathBuf,
        /// How many digits of the IMSI name the home network.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(5..=6))]
        network_digits: u8,
    },
    /// Add numbers for lines: one a line, in international form.
    Numbers {
        #[command(flatten)]
        config: ConfigFile,
        /// The file.
        file: PathBuf,
    },
    /// Make subscriptions up, for a test network.
    Generate {
        #[command(flatten)]
        config: ConfigFile,
        /// How many.
        #[arg(long)]
        count: u32,
        /// The network: five or six digits.
        #[arg(long, default_value = "00101")]
        network: String,
    },
    /// Say how much is in stock.
    List {
        #[command(flatten)]
        config: ConfigFile,
    },
}

impl InventoryCommand {
    pub(crate) const fn config(&self) -> &ConfigFile {
        match self {
            Self::Import { config, .. }
            | Self::Numbers { config, .. }
            | Self::Generate { config, .. }
            | Self::List { config } => config,
        }
    }

    /// Does it on the store that the settings name.
    pub(crate) fn do_on(self, config: &Config) -> anyhow::Result<()> {
        let app = serve::app_for_commands(config)?;
        crate::runtime()?.block_on(self.run(&app))
    }

    async fn run(self, app: &App) -> anyhow::Result<()> {
        match self {
            Self::Import {
                file,
                transport_key_file,
                network_digits,
                ..
            } => {
                let key = Zeroizing::new(text(&transport_key_file)?);
                let sims = read_file(&text(&file)?, &key, usize::from(network_digits))
                    .with_context(|| file.display().to_string())?;
                tell(app.add_sims(&sims).await?, "subscriptions");
            }
            Self::Numbers { file, .. } => {
                let numbers = numbers(&file)?;
                tell(app.add_numbers(numbers).await?, "numbers");
            }
            Self::Generate { count, network, .. } => {
                let there = app.stock().await?;
                let first = u32::try_from(there.sims_free + there.sims_taken)?;
                let sims = make_up(network.parse()?, first, count, app.entropy.as_ref());
                tell(app.add_sims(&sims).await?, "subscriptions");
            }
            Self::List { .. } => {
                let stock = app.stock().await?;
                println!(
                    "subscriptions: {} free, {} in use",
                    stock.sims_free, stock.sims_taken
                );
                println!(
                    "numbers:       {} free, {} in use",
                    stock.numbers_free, stock.numbers_taken
                );
            }
        }
        Ok(())
    }
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| file.display().to_string())
}

fn numbers(file: &Path) -> anyhow::Result<Vec<Msisdn>> {
    let text = text(file)?;
    let lines = text.lines().map(str::trim).zip(1_u32..);
    lines
        .filter(|(line, _)| !line.is_empty())
        .map(|(line, number)| {
            let place = || format!("{}, line {number}", file.display());
            line.parse().with_context(place)
        })
        .collect()
}

fn tell(done: Imported, what: &str) {
    println!("{} {what} added, {} were there", done.added, done.known);
}
