//! The deterministic simulation. A failure names its seed; `SIMURGH_SEED=N` runs that one alone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::sync::atomic::{AtomicU32, Ordering};

use simurgh_sim::{Faults, run_seed};

/// How many worlds are run.
const SEEDS: u64 = 200;
/// In how many tests, which run side by side.
const PARTS: u64 = 4;
/// How much happens in each.
const STEPS: u32 = 120;

const ROUGH: Faults = Faults {
    commits_percent: 3,
    calls_percent: 10,
    kills_percent: 2,
};

fn run(seed: u64) -> simurgh_sim::Run {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    let folder = simurgh_sim::scratch_folder(&format!("sim-{number}"));
    std::fs::create_dir_all(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let run = runtime.block_on(run_seed(&folder, seed, STEPS, ROUGH));
    std::fs::remove_dir_all(&folder).unwrap();
    run.unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

/// Runs one part of the seeds, so that parts can run side by side.
fn every_paid_order_is_granted_once_or_returned(part: u64) {
    let alone: Option<u64> = std::env::var("SIMURGH_SEED")
        .ok()
        .map(|seed| seed.parse().unwrap());
    let seeds: Vec<u64> = match alone {
        Some(seed) => Vec::from_iter((seed % PARTS == part).then_some(seed)),
        None => (0..SEEDS).filter(|seed| seed % PARTS == part).collect(),
    };
    let (mut fulfilled, mut refunded) = (0, 0);
    for seed in seeds {
        let run = run(seed);
        assert!(
            run.findings.is_empty(),
            "seed {seed}:\n{}",
            run.findings.join("\n")
        );
        fulfilled += run.fulfilled;
        refunded += run.refunded;
    }
    assert!(
        alone.is_some() || (fulfilled > 0 && refunded > 0),
        "a simulation in which nothing happens proves nothing"
    );
    println!("{fulfilled} orders fulfilled, {refunded} taken back");
}

#[test]
fn every_paid_order_is_granted_once_or_returned_whatever_fails_0() {
    every_paid_order_is_granted_once_or_returned(0);
}

#[test]
fn every_paid_order_is_granted_once_or_returned_whatever_fails_1() {
    every_paid_order_is_granted_once_or_returned(1);
}

#[test]
fn every_paid_order_is_granted_once_or_returned_whatever_fails_2() {
    every_paid_order_is_granted_once_or_returned(2);
}

#[test]
fn every_paid_order_is_granted_once_or_returned_whatever_fails_3() {
    every_paid_order_is_granted_once_or_returned(3);
}

#[test]
fn the_same_seed_gives_the_same_world() {
    assert_eq!(run(7), run(7));
}
