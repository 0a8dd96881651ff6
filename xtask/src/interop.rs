//! `cargo xtask interop`: eSIM with programs that nobody here wrote, as far as they are on the PATH.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::keeper::{Job, Kept};
use crate::place::Place;
use crate::say;

/// The LPA, by its name on the PATH.
const LPAC: &str = "lpac";

/// Runs what it finds, and says what it skipped.
pub(crate) fn run(place: &Place) -> anyhow::Result<ExitCode> {
    if on_path(LPAC).is_none() {
        say::skipped("lpac over pipes: no lpac on the PATH (https://github.com/estkme-group/lpac)");
    } else {
        say::step("lpac over pipes: our software eUICC, our SM-DP+");
        let job = Job::new("cargo")
            .arguments([
                "test",
                "--quiet",
                "--package",
                "simurgh-smdp",
                "--test",
                "edge",
            ])
            .arguments(["--", "--ignored", "interop"])
            .folder(&place.root);
        let status = Kept::start(job)?.wait()?;
        if !status.success() {
            return Ok(say::exit_code(false));
        }
    }
    say::skipped(
        "lpac by a PC/SC reader (vpcd and pcscd) and TLS: not automated; see docs/guide/interoperation.md",
    );
    Ok(say::exit_code(true))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let paths: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
