//! `simurgh`: an eSIM mobile operator in one program.

mod config;
mod demo;
mod seed;
mod serve;
mod system;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use config::{Config, LogFormat};

/// An eSIM mobile operator in one program: shop, charging, SM-DP+ and wallets.
///
/// To look at it: `simurgh demo`. To run an operator: write simurgh.toml (docs/guide), check it
/// with `simurgh check-config`, then `simurgh serve`.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine with sample data, a sandbox payment provider and an inbox.
    Demo(demo::Options),
    /// Run an operator.
    Serve(ConfigFile),
    /// Check the settings and report every error at once.
    CheckConfig(ConfigFile),
    /// Bring the store's schema up to date (`serve` does it too).
    Migrate(ConfigFile),
    /// Recompute every balance and check every rule; exit status 1 and a list if one fails.
    Audit(ConfigFile),
    /// Copy an SQLite store into FILE while it is in use.
    Backup {
        #[command(flatten)]
        config: ConfigFile,
        /// The copy; must not exist yet.
        file: PathBuf,
    },
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
}

#[derive(clap::Args)]
struct ConfigFile {
    /// The settings; each can be overridden by the environment (SIMURGH_STORE__URL, ...).
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
        /// The catalogue.
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
            log(LogFormat::Text, "warn")?;
            runtime()?.block_on(demo::run(options))?;
        }
        Command::Serve(file) => {
            let Some(config) = settings(&file) else {
                return Ok(ExitCode::FAILURE);
            };
            log(config.log.0, &config.log.1)?;
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
            wire::open_store(&config.store)?;
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
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(file: &ConfigFile) -> Option<Config> {
    match config::read(&file.config) {
        Ok(config) => Some(config),
        Err(errors) => {
            for error in &errors {
                eprintln!("{}: {error}", file.config.display());
            }
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

fn log(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).context("log.filter")?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let installed = match format {
        LogFormat::Text => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    installed.map_err(|error| anyhow::anyhow!("starting the log: {error}"))
}
