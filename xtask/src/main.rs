//! The chores of this workspace: `cargo xtask --help` lists them.

mod bench;
mod browser;
mod direction;
mod interop;
mod keeper;
mod packages;
mod place;
mod postgres;
mod rust;
mod say;
mod tally;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::keeper::{Job, Kept};
use crate::place::Place;

/// The chores of this workspace.
///
/// A day's work: `cargo xtask tidy` while you write (a second), `cargo xtask test -p store` for the
/// crate you are in, `cargo xtask test` before you hand over. All of it needs Rust only: what else is
/// missing is installed when you are root on Debian, and named and skipped otherwise.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Every test: Rust on SQLite and PostgreSQL, then the journeys in a real browser.
    ///
    /// Starts a PostgreSQL cluster of its own below target/ and throws it away at the end. The last
    /// line printed is `N passed, M failed, K skipped` over all parts; every skip is named above it.
    #[command(after_help = "Examples:\n  \
        cargo xtask test                 everything\n  \
        cargo xtask test -p store        one crate, on both stores, without the browser\n  \
        cargo xtask test --no-install    never call apt-get, npm or pip")]
    Test(test::Options),
    /// The house rules on the tree itself: sizes, names, directions, leftovers.
    ///
    /// The rules stand in xtask/src/tidy/, the direction of dependencies in xtask/src/direction.rs.
    /// Present exceptions are listed with their number in xtask/ratchet.toml; a number may only fall.
    /// The same check runs inside `cargo test -p xtask`.
    Tidy(tidy::Options),
    /// One benchmark, built for release; prints one line of JSON per measurement.
    ///
    /// The benchmarks live in crates/sim. PostgreSQL is started for those that want it, with fsync on.
    #[command(
        after_help = "Examples:\n  cargo xtask bench renewal\n  cargo xtask bench portal\n  cargo xtask bench smdp"
    )]
    Bench(bench::Options),
    /// Only the browser journeys, against a demo started for each file.
    ///
    /// Screenshots are left in tests/browser/out/.
    #[command(after_help = "Examples:\n  \
        cargo xtask e2e                  all journeys\n  \
        cargo xtask e2e renew            the files whose name contains `renew`")]
    E2e(browser::Options),
    /// eSIM with software that nobody here wrote: an unmodified lpac downloads from our SM-DP+ into our
    /// software eUICC, lists, enables, disables, deletes and sends notifications.
    ///
    /// Runs what it finds on the PATH and says what it skipped.
    Interop,
    /// What the build server runs, in the same order: formatting, lints, documentation, tests.
    Ci,
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(code) => code,
        Err(error) => {
            say::problem(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> anyhow::Result<ExitCode> {
    let place = Place::of_this_workspace()?;
    match chore {
        Chore::Test(options) => test::run(&place, &options),
        Chore::Tidy(options) => tidy::run(&place, options),
        Chore::Bench(options) => bench::run(&place, &options),
        Chore::E2e(options) => test::run_browser_only(&place, &options),
        Chore::Interop => interop::run(&place),
        Chore::Ci => ci(&place),
    }
}

fn ci(place: &Place) -> anyhow::Result<ExitCode> {
    let job = Job::new("bash").argument(".ci/run").folder(&place.root);
    let status = Kept::start(job)?.wait()?;
    Ok(say::exit_code(status.success()))
}
