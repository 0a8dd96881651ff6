//! The deterministic simulation. A failure names its seed; `SIMURGH_SEED=N` runs that one alone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "kills/place.rs"]
mod place;

use place::Place;
use simurgh_sim::{Faults, Run, run_esim_seed, run_seed};

/// How many worlds are run.
const SEEDS: u64 = 200;
/// In how many tests, which run side by side.
const PARTS: u64 = 4;
/// How many of them on PostgreSQL too, where each takes as long as ten in a file.
const POSTGRES_SEEDS: u64 = 10;
/// How much happens in each.
const STEPS: u32 = 120;
/// How many worlds have phones too: cryptography takes its time.
const ESIM_SEEDS: u64 = 24;
/// How many of these on PostgreSQL too.
const ESIM_POSTGRES_SEEDS: u64 = 3;
/// How much happens in each: more than half of it with phones.
const ESIM_STEPS: u32 = 200;

const ROUGH: Faults = Faults {
    commits_percent: 3,
    calls_percent: 10,
    kills_percent: 2,
};

fn run(seed: u64) -> Run {
    run_at(&Place::folder(), seed)
}

fn run_at(place: &Place, seed: u64) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let run = runtime.block_on(run_seed(place.url(), seed, STEPS, ROUGH));
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
    check(seeds.into_iter().map(|seed| (seed, run(seed))));
}

fn check(runs: impl Iterator<Item = (u64, Run)>) {
    let alone = std::env::var_os("SIMURGH_SEED").is_some();
    let (mut fulfilled, mut refunded) = (0, 0);
    for (seed, run) in runs {
        assert!(
            run.findings.is_empty(),
            "seed {seed}:\n{}",
            run.findings.join("\n")
        );
        fulfilled += run.fulfilled;
        refunded += run.refunded;
    }
    assert!(
        alone || (fulfilled > 0 && refunded > 0),
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
fn every_paid_order_is_granted_once_or_returned_on_postgresql() {
    let mut places = Vec::new();
    for seed in 0..POSTGRES_SEEDS {
        let Some(place) = Place::schema() else { return };
        places.push((seed, place));
    }
    check(
        places
            .iter()
            .map(|(seed, place)| (*seed, run_at(place, *seed))),
    );
}

fn esim_run_at(place: &Place, seed: u64) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let run = runtime.block_on(run_esim_seed(place.url(), seed, ESIM_STEPS, ROUGH));
    run.unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

fn check_esim(runs: impl Iterator<Item = (u64, Run)>) {
    let alone = std::env::var_os("SIMURGH_SEED").is_some();
    let (mut held, mut replaced) = (0, 0);
    let counted = runs.inspect(|(_, run)| {
        held += run.held;
        replaced += run.replaced;
    });
    check(counted);
    assert!(
        alone || (held > 0 && replaced > 0),
        "phones that do nothing prove nothing"
    );
    println!("{held} profiles on chips, {replaced} replaced");
}

/// Runs one of two parts of the seeds with phones.
fn every_profile_is_on_one_chip_and_known(part: u64) {
    let alone: Option<u64> = std::env::var("SIMURGH_SEED")
        .ok()
        .map(|seed| seed.parse().unwrap());
    let seeds = match alone {
        Some(seed) => seed..seed + 1,
        None => 0..ESIM_SEEDS,
    };
    let own = seeds.filter(|seed| seed % 2 == part);
    let own: Vec<u64> = own.collect();
    if !own.is_empty() {
        let runs = own.into_iter();
        check_esim(runs.map(|seed| (seed, esim_run_at(&Place::folder(), seed))));
    }
}

#[test]
fn every_profile_is_on_one_chip_and_known_whatever_fails_0() {
    every_profile_is_on_one_chip_and_known(0);
}

#[test]
fn every_profile_is_on_one_chip_and_known_whatever_fails_1() {
    every_profile_is_on_one_chip_and_known(1);
}

#[test]
fn every_profile_is_on_one_chip_and_known_on_postgresql() {
    let mut places = Vec::new();
    for seed in 0..ESIM_POSTGRES_SEEDS {
        let Some(place) = Place::schema() else { return };
        places.push((seed, place));
    }
    check_esim(
        places
            .iter()
            .map(|(seed, place)| (*seed, esim_run_at(place, *seed))),
    );
}

#[test]
fn the_same_seed_gives_the_same_world() {
    assert_eq!(run(7), run(7));
    let with_phones = || esim_run_at(&Place::folder(), 7);
    assert_eq!(with_phones(), with_phones());
}
