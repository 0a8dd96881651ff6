//! The program as a process that tests kill: see `simurgh_sim::run_renewer`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match simurgh_sim::run_renewer(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("renewer: {error}");
            ExitCode::FAILURE
        }
    }
}
