//! `kill -9` at every commit boundary and between them, while customers renew, get the profile of a
//! first line, and phones download: on SQLite and on PostgreSQL, with a provider that lives on and whose notifications come twice, late and in
//! another order.
//!
//! The program is a process (`src/bin/renewer.rs`). Here are its customers, who press again when no
//! answer comes, the provider, and the killer. `SIMURGH_RENEWALS` says how many renewals are paid;
//! `SIMURGH_SEED` runs another course of events.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod kills {
    pub(super) mod phones;
    pub(super) mod place;
    pub(super) mod process;
    pub(super) mod town;
}

use kills::phones::Country;
use kills::place::Place;
use kills::process::Killing;
use kills::town::Town;
use simurgh_sim::Death;

/// Renewals that are paid in each of the two stores.
const RENEWALS: usize = 1_000;
/// More commits than a renewal has: the loop over its boundaries must end before.
const COMMITS_MAX: u32 = 100;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap())
}

fn seed() -> u64 {
    number("SIMURGH_SEED").unwrap_or(0x51_6d_72_67)
}

/// What a customer of the town does, killed there; whether it was.
type Story = fn(&mut Town<'_>, Killing) -> bool;

/// One story at a time, killed once at its first commit, its second, and so on to its last.
fn every_boundary(place: &Place, story: Story, boundaries_min: u32) {
    let mut town = Town::new(place, seed());
    let mut boundaries = 0;
    for death in Death::ALL {
        for commits in 1.. {
            assert!(commits < COMMITS_MAX, "it does not end");
            if !story(&mut town, Killing::At(death, commits)) {
                break;
            }
            boundaries += 1;
        }
    }
    assert!(
        boundaries >= boundaries_min,
        "only {boundaries} boundaries were found"
    );
    let sum = town.settle();
    println!("{boundaries} boundaries, {sum:?}");
    assert_eq!(sum.findings, Vec::<String>::new());
}

fn many(place: &Place) {
    let renewals = number("SIMURGH_RENEWALS").map_or(RENEWALS, |n| usize::try_from(n).unwrap());
    let mut town = Town::new(place, seed());
    let kills = town.renew_many(renewals);
    let sum = town.settle();
    println!("{renewals} renewals paid, {kills} kills, {sum:?}");
    assert_eq!(sum.findings, Vec::<String>::new(), "seed {}", seed());
    assert_eq!(sum.fulfilled + sum.refunded, sum.paid);
    assert!(sum.fulfilled >= renewals * 8 / 10 && sum.refunded > 0);
    assert!(
        kills >= renewals as u64 / 40,
        "only {kills} kills prove little"
    );
}

/// An order of another operator and the download of its profile, killed once at its first commit, its
/// second, and so on to its last.
fn every_boundary_of_a_download(place: &Place) {
    let mut country = Country::new(place);
    let mut boundaries = 0;
    for death in Death::ALL {
        for commits in 1.. {
            assert!(commits < COMMITS_MAX, "a download does not end");
            if !country.serve_once(Some((death, commits))) {
                break;
            }
            boundaries += 1;
        }
    }
    // Order, confirmation, release; a look at it, put off; session, binding, delivery, two reports.
    assert!(boundaries >= 27, "only {boundaries} boundaries were found");
    let served = usize::from(country.served());
    assert_eq!(country.audit(), (Vec::new(), served));
}

#[test]
fn a_download_survives_a_kill_at_every_boundary_on_sqlite() {
    every_boundary_of_a_download(&Place::folder());
}

#[test]
fn a_download_survives_a_kill_at_every_boundary_on_postgresql() {
    Place::schema().inspect(every_boundary_of_a_download);
}

/// Order, attempt, opened, captured: before and after each, and past each.
fn every_boundary_of_a_renewal(place: &Place) {
    every_boundary(place, |town, killing| town.renew_once(killing), 12);
}

/// As a renewal; and the profile of the line: begun, finished.
fn every_boundary_of_a_first_plan(place: &Place) {
    every_boundary(place, |town, killing| town.join_once(killing), 18);
}

#[test]
fn a_renewal_survives_a_kill_at_every_boundary_on_sqlite() {
    every_boundary_of_a_renewal(&Place::folder());
}

#[test]
fn a_renewal_survives_a_kill_at_every_boundary_on_postgresql() {
    Place::schema().inspect(every_boundary_of_a_renewal);
}

#[test]
fn a_first_plan_and_its_profile_survive_a_kill_at_every_boundary_on_sqlite() {
    every_boundary_of_a_first_plan(&Place::folder());
}

#[test]
fn a_first_plan_and_its_profile_survive_a_kill_at_every_boundary_on_postgresql() {
    Place::schema().inspect(every_boundary_of_a_first_plan);
}

#[test]
fn a_thousand_renewals_survive_kills_on_sqlite() {
    many(&Place::folder());
}

#[test]
fn a_thousand_renewals_survive_kills_on_postgresql() {
    Place::schema().inspect(many);
}
