//! A deterministic world for tests and benchmarks: one clock, one source of chance, a payment
//! provider in the same process, a store that fails when told to, and an auditor who compares the
//! provider's book with ours. Everything follows from a seed.

mod auditor;
mod chance;
mod charged;
mod handsets;
mod node;
mod people;
mod real;
mod renewer;
mod run;
pub mod steps;
mod wait;
mod world;

pub use auditor::differences;
pub use chance::{Chance, SeededEntropy, TestClock};
pub use charged::{
    CHARGED_REALM, add_charged_lines, add_charged_plan, charging_app, gateway, line_number,
    serve_gateways,
};
pub use node::{OPERATOR, OPERATOR_TOKEN, SMDP_ADDRESS, SMDS_ADDRESS, esim_pki, stock};
pub use people::{add_customer, person};
pub use real::{MachineClock, RealWorld};
pub use renewer::{Death, agreed_settings, program_over, run_renewer, written_notification};
pub use run::{Faults, Run, run_esim_seed, run_seed};
pub use world::{Ask, Commits, Network, Silent, World, catalogue_file};

/// A folder of this process for what need not outlive the machine: in memory where there is such a
/// file system, because a `kill -9` loses nothing that was written there, and nothing waits for a
/// disk.
#[must_use]
pub fn scratch_folder(name: &str) -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    base.join(format!("simurgh-{name}-{}", std::process::id()))
}
