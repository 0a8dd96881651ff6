//! What a person reads. Colours only on a terminal, and never with `NO_COLOR`.

use std::io::IsTerminal;
use std::process::ExitCode;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

/// Whether the standard output is a terminal that may be coloured.
pub(crate) fn colours_out() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn colours_err() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn painted(colour: &str, text: &str, with_colours: bool) -> String {
    if with_colours {
        format!("{colour}{text}{PLAIN}")
    } else {
        text.to_owned()
    }
}

/// A new step of long work begins.
pub(crate) fn step(text: &str) {
    eprintln!("{}", painted(BOLD, &format!("== {text}"), colours_err()));
}

/// Something the reader may want to know.
pub(crate) fn note(text: &str) {
    eprintln!("   {text}");
}

/// Something is left out, and why.
pub(crate) fn skipped(text: &str) {
    eprintln!(
        "{}",
        painted(YELLOW, &format!("   skipped: {text}"), colours_err())
    );
}

/// Something is wrong.
pub(crate) fn problem(text: &str) {
    eprintln!("{}", painted(RED, &format!("error: {text}"), colours_err()));
}

/// The exit status for a chore that went well or did not.
pub(crate) fn exit_code(went_well: bool) -> ExitCode {
    if went_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
