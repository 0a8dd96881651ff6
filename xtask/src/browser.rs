//! The browser part of the tests: `tests/browser/*.spec.mjs` under node's own test runner.
//!
//! Each file starts a demo of its own from the program given in `SIMURGH_BIN` and drives the Chromium
//! given in `SIMURGH_CHROMIUM`, so that files can run at once and leave each other alone.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;

use crate::keeper::{Job, Kept};
use crate::place::Place;
use crate::tally::{Part, Tally};
use crate::tools::{self, Install, Tool};
use crate::{packages, say};

/// What may be said after `cargo xtask e2e`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the files whose name contains this.
    name: Option<String>,
    /// Install nothing; skip what lacks something, and say so.
    #[arg(long)]
    no_install: bool,
}

impl Options {
    /// All journeys.
    pub(crate) fn everything(install: Install) -> Self {
        Self {
            name: None,
            no_install: install == Install::Never,
        }
    }
}

/// Runs the journeys that `options` choose; adds to `part` what they report.
pub(crate) fn run(place: &Place, options: &Options, part: &mut Part) -> anyhow::Result<()> {
    let began = Instant::now();
    let files = journeys(place, options.name.as_deref())?;
    let install = if options.no_install {
        Install::Never
    } else {
        Install::WhatIsMissing
    };
    if let Err(why) = prepare(place, install, part) {
        part.skip(format!("browser tests ({} files): {why:#}", files.len()));
        return Ok(());
    }
    say::step("building the demo");
    let build = Job::new("cargo")
        .arguments(["build", "--workspace", "--bins"])
        .folder(&place.root);
    if !Kept::start(build)?.wait()?.success() {
        say::problem("the demo does not build");
        part.tally.failed += 1;
        return Ok(());
    }
    say::step(&format!("browser tests, {} files", files.len()));
    drive(place, &files, part)?;
    part.took = began.elapsed();
    Ok(())
}

/// The specification files, in the order of their names.
fn journeys(place: &Place, name: Option<&str>) -> anyhow::Result<Vec<PathBuf>> {
    let folder = place.root.join("tests/browser");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).context("tests/browser is missing")? {
        let path = entry?.path();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        if file_name.ends_with(".spec.mjs") && file_name.contains(name.unwrap_or_default()) {
            files.push(path);
        }
    }
    anyhow::ensure!(
        !files.is_empty(),
        "no file of tests/browser has such a name"
    );
    files.sort();
    Ok(files)
}

fn prepare(place: &Place, install: Install, part: &mut Part) -> anyhow::Result<()> {
    let needed = [Tool::Node, Tool::Npm, Tool::Chromium];
    let missing = tools::ensure(&needed, install);
    let reasons: Vec<String> = missing.into_iter().map(|(_, why)| why).collect();
    anyhow::ensure!(reasons.is_empty(), "{}", reasons.join("; "));
    for (_, why) in tools::ensure(&[Tool::ChineseFont], install) {
        part.skip(format!("readable Chinese in screenshots: {why}"));
    }
    packages::install_for_browser(place, install)
}

fn drive(place: &Place, files: &[PathBuf], part: &mut Part) -> anyhow::Result<()> {
    let report = place.work_folder("xtask")?.join("browser.tap");
    let chromium = tools::chromium().context("Chromium is not installed")?;
    let job = Job::new("node")
        .arguments([
            "--test",
            // A journey waits as much as it works: two files at once, on small machines too.
            "--test-concurrency=2",
            "--test-reporter=spec",
            "--test-reporter-destination=stdout",
        ])
        .argument("--test-reporter=tap")
        .argument(format!("--test-reporter-destination={}", report.display()))
        .arguments(files)
        .folder(&place.root)
        .environment(&[
            ("SIMURGH_BIN", place.built_program("simurgh").into()),
            ("SIMURGH_CHROMIUM", chromium.into()),
        ]);
    let status = Kept::start(job)?.wait()?;
    let tally = Tally::of_tap(&std::fs::read_to_string(&report).unwrap_or_default());
    part.tally += tally;
    if !status.success() && tally.failed == 0 {
        say::problem(&format!("node failed without a failed test ({status})"));
        part.tally.failed += 1;
    }
    Ok(())
}
