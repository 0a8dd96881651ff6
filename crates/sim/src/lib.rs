//! A deterministic world for tests and benchmarks: one clock, one source of chance, a payment
//! provider in the same process, a store that fails when told to, and an auditor who compares the
//! provider's book with ours. Everything follows from a seed.

mod auditor;
mod chance;
mod people;
mod real;
mod run;
pub mod steps;
mod world;

pub use auditor::differences;
pub use chance::{Chance, SeededEntropy, TestClock};
pub use people::{add_customer, person};
pub use real::{MachineClock, RealWorld};
pub use run::{Faults, Run, run_seed};
pub use world::{Commits, Silent, World, catalogue_file};
