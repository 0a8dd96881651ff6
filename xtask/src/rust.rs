//! The Rust part of the tests.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::time::Instant;

use anyhow::Context;

use crate::keeper::{Job, Kept};
use crate::place::Place;
use crate::say;
use crate::tally::{Part, Tally};

/// The variable that tells tests and benchmarks the address of a PostgreSQL they may do anything to.
pub(crate) const POSTGRES_URL: &str = "SIMURGH_TEST_POSTGRES";
/// The variable that tells tests where the real peers of the protocols are installed.
pub(crate) const PEERS: &str = "SIMURGH_PEERS";

/// Runs `cargo test` over `packages`, or over the whole workspace when there are none, with
/// `variables` set; adds to `part` what the tests report.
pub(crate) fn run(
    place: &Place,
    packages: &[String],
    variables: &[(&str, OsString)],
    part: &mut Part,
) -> anyhow::Result<()> {
    say::step("cargo test");
    let began = Instant::now();
    let mut job = Job::new("cargo")
        .arguments(["test", "--no-fail-fast"])
        .arguments(colour());
    if packages.is_empty() {
        job = job.argument("--workspace");
    }
    for package in packages {
        job = job
            .argument("--package")
            .argument(package_name(place, package));
    }
    let mut tests = Kept::start(job.folder(&place.root).environment(variables).read_output())?;
    let output = tests.output().context("cargo has a standard output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        part.tally += Tally::of_cargo_line(&line).unwrap_or_default();
    }
    let status = tests.wait()?;
    if !status.success() && part.tally.failed == 0 {
        say::problem(&format!(
            "cargo test failed without a failed test ({status})"
        ));
        part.tally.failed += 1;
    }
    part.took = began.elapsed();
    Ok(())
}

/// The output passes through a pipe, which hides the terminal from cargo.
fn colour() -> &'static [&'static str] {
    if say::colours_out() {
        &["--color", "always"]
    } else {
        &[]
    }
}

/// `store` is `simurgh-store`: folders carry the name without the prefix.
fn package_name(place: &Place, name: &str) -> String {
    let folder = name.strip_prefix("simurgh-").unwrap_or(name);
    if folder != "simurgh" && place.root.join("crates").join(folder).is_dir() {
        format!("simurgh-{folder}")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_go_by_their_folder() {
        let place = Place::of_this_workspace().unwrap();
        let names = ["store", "simurgh-store", "simurgh", "xtask"];
        let full = names.map(|name| package_name(&place, name));
        assert_eq!(full, ["simurgh-store", "simurgh-store", "simurgh", "xtask"]);
    }
}
