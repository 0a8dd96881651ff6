//! `cargo xtask interop`: eSIM with programs that nobody here wrote, as far as they are on the PATH.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::keeper::{Job, Kept};
use crate::place::Place;
use crate::say;

/// The LPA, by its name on the PATH.
const LPAC: &str = "lpac";

/// The daemon of PC/SC readers, by its name.
const PCSCD: &str = "pcscd";

/// Where Debian's vsmartcard-vpcd has told pcscd of its readers.
const VIRTUAL_READERS: &str = "/etc/reader.conf.d/vpcd";

/// Where a running pcscd is reached.
const PCSCD_SOCKET: &str = "/run/pcscd/pcscd.comm";

/// Runs what it finds, and says what it skipped.
pub(crate) fn run(place: &Place) -> anyhow::Result<ExitCode> {
    let has_lpac = on_path(LPAC).is_some();
    let mut is_well = true;
    say::skipped("osmo-smdpp with our LPA: not automated; see docs/guide/interoperation.md");
    if has_lpac {
        say::step("lpac over pipes: our software eUICC, our SM-DP+");
        let edge = ["--package", "simurgh-smdp", "--test", "edge"];
        is_well &= tests(place, &edge, "interop")?;
    } else {
        say::skipped("lpac over pipes: no lpac on the PATH (https://github.com/estkme-group/lpac)");
    }
    let readers = match virtual_readers() {
        Ok(readers) => readers,
        Err(why) => {
            say::skipped(&format!("cards in a virtual PC/SC reader: {why}"));
            return Ok(say::exit_code(is_well));
        }
    };
    let program = ["--package", "simurgh", "--test", "program"];
    if has_lpac {
        say::step("lpac by PC/SC and TLS: our software eUICC in a virtual reader, our SM-DP+");
        is_well &= tests(place, &program, "lpac_fills_a_card_in_a_reader")?;
    } else {
        say::skipped("lpac by PC/SC and TLS: no lpac on the PATH");
    }
    if has_pcsc_library() {
        say::step("our LPA by PC/SC: our software eUICC in a virtual reader, our SM-DP+");
        let program = [&program[..], &["--features", "pcsc"]].concat();
        is_well &= tests(place, &program, "our_lpa_fills_a_card_in_a_reader")?;
    } else {
        say::skipped("our LPA by PC/SC: no libpcsclite to build with (Debian: libpcsclite-dev)");
    }
    drop(readers);
    Ok(say::exit_code(is_well))
}

/// Runs the ignored tests of a target whose names have `filter` in them.
fn tests(place: &Place, target: &[&str], filter: &str) -> anyhow::Result<bool> {
    let job = Job::new("cargo")
        .arguments(["test", "--quiet"])
        .arguments(target)
        .arguments(["--", "--ignored", filter])
        .folder(&place.root);
    Ok(Kept::start(job)?.wait()?.success())
}

/// A pcscd that serves the virtual readers: the one that runs, or one of ours until it is dropped.
fn virtual_readers() -> Result<Option<Kept>, String> {
    if !Path::new(VIRTUAL_READERS).is_file() {
        return Err("no driver for them (Debian: vsmartcard-vpcd)".to_owned());
    }
    if Path::new(PCSCD_SOCKET).exists()
        && std::os::unix::net::UnixStream::connect(PCSCD_SOCKET).is_ok()
    {
        return Ok(None);
    }
    let Some(pcscd) = on_path(PCSCD) else {
        return Err("no pcscd on the PATH (Debian: pcscd)".to_owned());
    };
    let job = Job::new(pcscd).argument("--foreground");
    let mut kept = Kept::start(job).map_err(|error| format!("{error:#}"))?;
    // It listens for cards once it has loaded the driver.
    loop {
        if std::net::TcpStream::connect(("127.0.0.1", VIRTUAL_READER_PORT)).is_ok() {
            return Ok(Some(kept));
        }
        match kept.has_ended() {
            Ok(false) => std::thread::sleep(Duration::from_millis(50)),
            Ok(true) => return Err("pcscd does not start; only root may start it".to_owned()),
            Err(error) => return Err(format!("{error:#}")),
        }
    }
}

/// Where the driver waits for a card in its first slot.
const VIRTUAL_READER_PORT: u16 = 35_963;

fn has_pcsc_library() -> bool {
    let asked = Command::new("pkg-config")
        .args(["--exists", "libpcsclite"])
        .status();
    asked.is_ok_and(|status| status.success())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let paths: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
