//! `simurgh`: an eSIM mobile operator in one program.

mod config;
mod crew;
mod demo;
mod euicc;
mod euicc_card;
mod euicc_chip;
mod euicc_files;
mod euicc_lpa;
mod inventory;
mod seed;
mod serve;
mod system;
mod telemetry;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use config::{Config, LogFormat};

/// Charging makes and drops many small values; the system's allocator took a fifth of its time (ADR 0008).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An eSIM mobile operator in one program: portal, shop, payments, messages, console.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  simurgh demo                                look at it: everything on this machine, sample data
  simurgh check-config --config simurgh.toml  is every setting right? (docs/guide/settings.md)
  simurgh catalogue apply plans.toml          what is sold; --dry-run shows what would change
  simurgh staff add li < password.txt         an account for the console
  simurgh serve --config simurgh.toml         run the operator
  simurgh audit                               do all the books agree?

Exit status:
  0  it was done
  1  it was not: settings are wrong, the audit found something, or something failed; the last lines
     on standard error say what to do
  2  the command line was not understood";

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine with sample data, sandboxes and an inbox.
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(demo::Options),
    /// Run an operator until SIGTERM or Ctrl-C; a second signal ends it at once.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ConfigFile),
    /// Check the settings and report every error at once.
    CheckConfig(ConfigFile),
    /// Bring the store's schema up to date (`serve` does it too).
    Migrate(ConfigFile),
    /// Recompute every balance and check every rule; exit status 1 and a list if one fails.
    Audit(ConfigFile),
    /// Copy an SQLite store into FILE while it is in use.
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup {
        #[command(flatten)]
        config: ConfigFile,
        /// The copy; must not exist yet.
        file: PathBuf,
    },
    /// Be a software eUICC for an LPA: by pipes (lpac), as a card in a virtual reader.
    #[command(after_help = euicc::EXAMPLES)]
    Euicc(euicc::Options),
    /// Download and manage profiles on a software eUICC.
    #[command(after_help = euicc_lpa::LPA_EXAMPLES)]
    Lpa(euicc_lpa::LpaOptions),
    /// Make test certificates for eSIM: root, chip manufacturer, SM-DP+, SM-DS.
    #[command(after_help = euicc_files::PKI_EXAMPLES)]
    Pki(euicc_files::PkiOptions),
    /// Work with the accounts of staff on the console.
    Staff {
        #[command(subcommand)]
        command: StaffCommand,
    },
    /// Work with the catalogue.
    Catalogue {
        #[command(subcommand)]
        command: CatalogueCommand,
    },
    /// Work with what lines are made of: subscriptions and numbers.
    #[command(after_help = inventory::EXAMPLES)]
    Inventory {
        #[command(subcommand)]
        command: inventory::InventoryCommand,
    },
}

const DEMO_EXAMPLES: &str = "\
Examples:
  simurgh demo                     on ports 8080 and following, data in data/demo
  simurgh demo --reset             begin anew
  simurgh demo --port 9000 --data-dir /tmp/demo";

const SERVE_EXAMPLES: &str = "\
Examples:
  simurgh serve --config /etc/simurgh.toml
  SIMURGH_MASTER_KEY_FILE=/run/secrets/key simurgh serve

docs/guide/operations.md shows a systemd unit, a reverse proxy, backup and upgrade.";

const BACKUP_EXAMPLES: &str = "\
Examples:
  simurgh backup /backup/simurgh-$(date +%F).db
  SIMURGH_STORE__URL=sqlite:/backup/simurgh-2026-09-01.db simurgh audit     is the copy sound?";

#[derive(clap::Args)]
struct ConfigFile {
    /// The settings; each can be given by the environment too (SIMURGH_STORE__URL, ...).
    #[arg(long, default_value = "simurgh.toml", env = "SIMURGH_CONFIG")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum StaffCommand {
    /// Make an account; the password is read from standard input. Prints the secret for the
    /// authenticator app, once.
    Add {
        #[command(flatten)]
        config: ConfigFile,
        /// The name to log in with.
        name: String,
    },
}

#[derive(Subcommand)]
enum CatalogueCommand {
    /// Apply a reviewed catalogue file as a new version. Old versions stay valid for their holders.
    Apply {
        #[command(flatten)]
        config: ConfigFile,
        /// The catalogue (docs/guide/catalogue.md).
        file: PathBuf,
        /// Only show what would change.
        #[arg(long)]
        dry_run: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("simurgh: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(options) => {
            telemetry::log(LogFormat::Text, "warn")?;
            runtime()?.block_on(demo::run(options))?;
        }
        Command::Serve(file) => {
            let Some(config) = settings(&file) else {
                return Ok(ExitCode::FAILURE);
            };
            telemetry::log(config.log.0, &config.log.1)?;
            runtime()?.block_on(serve::run(config))?;
        }
        Command::CheckConfig(file) => {
            let Some(_) = settings(&file) else {
                return Ok(ExitCode::FAILURE);
            };
            println!("{}: all settings can work", file.config.display());
        }
        Command::Migrate(file) => {
            let Some(config) = settings(&file) else {
                return Ok(ExitCode::FAILURE);
            };
            wire::open_store(&config.store, &config.store_options)?.close()?;
            println!("the schema is up to date");
        }
        Command::Audit(file) => {
            let Some(config) = settings(&file) else {
                return Ok(ExitCode::FAILURE);
            };
            return audit(&config);
        }
        Command::Backup { config, file } => {
            let Some(config) = settings(&config) else {
                return Ok(ExitCode::FAILURE);
            };
            serve::backup(&config, &file)?;
        }
        Command::Euicc(options) => return euicc::run(options),
        Command::Lpa(options) => euicc_lpa::run(options)?,
        Command::Pki(options) => euicc_files::make(&options)?,
        Command::Staff {
            command: StaffCommand::Add { config, name },
        } => {
            let Some(config) = settings(&config) else {
                return Ok(ExitCode::FAILURE);
            };
            add_staff(&config, &name)?;
        }
        Command::Catalogue {
            command:
                CatalogueCommand::Apply {
                    config,
                    file,
                    dry_run,
                },
        } => {
            let Some(config) = settings(&config) else {
                return Ok(ExitCode::FAILURE);
            };
            apply_catalogue(&config, &file, dry_run)?;
        }
        Command::Inventory { command } => return inventory(command),
    }
    Ok(ExitCode::SUCCESS)
}

fn inventory(command: inventory::InventoryCommand) -> anyhow::Result<ExitCode> {
    let Some(config) = settings(command.config()) else {
        return Ok(ExitCode::FAILURE);
    };
    command.do_on(&config)?;
    Ok(ExitCode::SUCCESS)
}

fn settings(file: &ConfigFile) -> Option<Config> {
    match config::read(&file.config) {
        Ok(config) => Some(config),
        Err(errors) => {
            for error in &errors {
                eprintln!("{}: {error}", file.config.display());
            }
            eprintln!("docs/guide/settings.md explains every setting");
            None
        }
    }
}

fn audit(config: &Config) -> anyhow::Result<ExitCode> {
    let app = serve::app_for_commands(config)?;
    let report = runtime()?.block_on(app.audit())?;
    for finding in &report.findings {
        println!("{finding}");
    }
    let (postings, balances) = (report.postings, report.balances);
    println!(
        "{postings} postings, {balances} balances, {} findings",
        report.findings.len()
    );
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn add_staff(config: &Config, name: &str) -> anyhow::Result<()> {
    let mut password = String::new();
    std::io::stdin()
        .read_line(&mut password)
        .context("reading the password")?;
    let app = serve::app_for_commands(config)?;
    let new =
        runtime()?.block_on(app.create_staff(name, password.trim_end_matches(['\r', '\n'])))?;
    println!(
        "{name} can log in. Authenticator secret: {}",
        new.totp_secret
    );
    println!("{}", new.otpauth_url);
    Ok(())
}

fn apply_catalogue(config: &Config, file: &std::path::Path, dry_run: bool) -> anyhow::Result<()> {
    let body =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let app = serve::app_for_commands(config)?;
    let user = std::env::var("USER").unwrap_or_else(|_| "command line".to_owned());
    let applied = runtime()?.block_on(app.apply_catalogue(body, user, dry_run))?;
    for difference in &applied.differences {
        println!("{difference}");
    }
    match (applied.differences.is_empty(), dry_run) {
        (true, _) => println!("nothing differs from version {}", applied.version),
        (false, true) => println!("this would become version {}", applied.version),
        (false, false) => println!("version {} is in force", applied.version),
    }
    Ok(())
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")
}
