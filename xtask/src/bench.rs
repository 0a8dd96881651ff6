//! `cargo xtask bench`: starts what the benchmark needs and hands over to `crates/sim`.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::keeper::{Job, Kept};
use crate::place::Place;
use crate::postgres::{self, Fsync};
use crate::tools::{self, Install, Tool};
use crate::{rust, say};

/// What may be said after `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Which benchmark: `portal`, `renewal`, ...
    name: String,
    /// Passed on to the benchmark.
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

/// Runs one benchmark; its lines of JSON are the only standard output.
pub(crate) fn run(place: &Place, options: &Options) -> anyhow::Result<ExitCode> {
    let missing = tools::ensure(&[Tool::Postgres], Install::WhatIsMissing);
    let cluster = match missing.into_iter().next() {
        Some((_, why)) => Err(why),
        None => postgres::cluster_or_reason(place, Fsync::On),
    };
    let mut variables = Vec::new();
    match &cluster {
        Ok(cluster) => variables.push((rust::POSTGRES_URL, OsString::from(&cluster.url))),
        Err(why) => say::skipped(&format!("measurements on PostgreSQL: {why}")),
    }
    say::step(&format!("bench {}", options.name));
    let job = Job::new("cargo")
        .arguments([
            "run",
            "--release",
            "--quiet",
            "--package",
            "simurgh-sim",
            "--bin",
            "bench",
        ])
        .argument("--")
        .argument(&options.name)
        .arguments(&options.arguments)
        .folder(&place.root)
        .environment(&variables);
    Ok(say::exit_code(Kept::start(job)?.wait()?.success()))
}
