//! `cargo xtask test`: every part, one after the other, then the sum.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::place::Place;
use crate::postgres::{self, Cluster, Fsync};
use crate::tally::{self, Part};
use crate::tools::{self, Install, Tool};
use crate::{browser, packages, rust, say};

/// What may be said after `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this crate, by its folder's name; may be repeated. Leaves the browser tests out.
    #[arg(short, long = "package", value_name = "CRATE")]
    packages: Vec<String>,
    /// Install nothing; skip what lacks something, and say so.
    #[arg(long)]
    no_install: bool,
    /// Let PostgreSQL's commits not wait for the disk: faster, and the same results.
    #[arg(long)]
    no_fsync: bool,
}

/// Runs everything and prints the sum last.
pub(crate) fn run(place: &Place, options: &Options) -> anyhow::Result<ExitCode> {
    let install = if options.no_install {
        Install::Never
    } else {
        Install::WhatIsMissing
    };
    let fsync = if options.no_fsync {
        Fsync::Off
    } else {
        Fsync::On
    };
    let mut parts = Vec::new();
    {
        let mut part = Part::new("rust");
        let counterparts = Counterparts::start(place, install, fsync, &mut part)?;
        rust::run(place, &options.packages, &counterparts.variables, &mut part)?;
        parts.push(part);
    }
    if options.packages.is_empty() {
        let mut part = Part::new("browser");
        browser::run(place, &browser::Options::everything(install), &mut part)?;
        parts.push(part);
    }
    Ok(close(&parts))
}

/// `cargo xtask e2e`: the browser part alone.
pub(crate) fn run_browser_only(
    place: &Place,
    options: &browser::Options,
) -> anyhow::Result<ExitCode> {
    let mut part = Part::new("browser");
    browser::run(place, options, &mut part)?;
    Ok(close(&[part]))
}

/// What the Rust tests talk to: a PostgreSQL cluster and the protocols' real peers.
struct Counterparts {
    /// Stops when this goes.
    _cluster: Option<Cluster>,
    /// Tell the tests where everything is.
    variables: Vec<(&'static str, OsString)>,
}

impl Counterparts {
    /// Starts and installs what can be had; the rest is skipped in `part`.
    fn start(
        place: &Place,
        install: Install,
        fsync: Fsync,
        part: &mut Part,
    ) -> anyhow::Result<Self> {
        let mut variables = Vec::new();
        let missing = tools::ensure(&[Tool::Postgres], install);
        let started = match missing.into_iter().next() {
            Some((_, why)) => Err(why),
            None => postgres::cluster_or_reason(place, fsync),
        };
        let cluster = match started {
            Ok(cluster) => {
                variables.push((rust::POSTGRES_URL, OsString::from(&cluster.url)));
                Some(cluster)
            }
            Err(why) => {
                part.skip(format!("the store on PostgreSQL: {why}"));
                None
            }
        };
        for (_, why) in tools::ensure(&[Tool::FreeDiameter, Tool::Tshark], install) {
            part.skip(format!("Diameter with others: {why}"));
        }
        let (peers, lacking) = packages::install_peers(place, install)?;
        for why in lacking {
            part.skip(why);
        }
        if let Some(folder) = peers {
            variables.push((rust::PEERS, folder.into()));
        }
        Ok(Self {
            _cluster: cluster,
            variables,
        })
    }
}

fn close(parts: &[Part]) -> ExitCode {
    let (text, total) = tally::summary(parts);
    println!("{text}");
    say::exit_code(total.failed == 0 && total.passed > 0)
}
