//! The deterministic simulation. A failure names its seed; `SIMURGH_SEED=N` runs that one alone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use simurgh_sim::{Faults, run_seed};

/// How many worlds are run.
const SEEDS: u64 = 200;
/// How much happens in each.
const STEPS: u32 = 120;

const ROUGH: Faults = Faults {
    commits_percent: 3,
    calls_percent: 10,
    kills_percent: 2,
};

fn run(seed: u64) -> simurgh_sim::Run {
    let folder = std::env::temp_dir().join(format!("simurgh-sim-{}-{seed}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let run = runtime.block_on(run_seed(&folder, seed, STEPS, ROUGH));
    std::fs::remove_dir_all(&folder).unwrap();
    run.unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

#[test]
fn every_paid_order_is_granted_once_or_returned_whatever_fails() {
    let seeds: Vec<u64> = match std::env::var("SIMURGH_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..SEEDS).collect(),
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
    let alone = std::env::var_os("SIMURGH_SEED").is_some();
    assert!(
        alone || (fulfilled > 0 && refunded > 0),
        "a simulation in which nothing happens proves nothing"
    );
    println!("{fulfilled} orders fulfilled, {refunded} taken back");
}

#[test]
fn the_same_seed_gives_the_same_world() {
    assert_eq!(run(7), run(7));
}
