//! `kill -9` while gateways charge: on SQLite and on PostgreSQL, one node and two on one database.
//!
//! The program is a process (`src/bin/charger.rs`). Here are the gateways, which send every request again
//! until it is answered, and the killer. A model of three numbers per line says what must be true: what was
//! reported, what sessions hold, what there was. `SIMURGH_SEED` runs another course of events.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod charging {
    pub(super) mod gateway;
    pub(super) mod model;
    pub(super) mod node;
}
#[path = "kills/place.rs"]
mod place;

use std::sync::Arc;

use charging::gateway::Gateway;
use charging::model::{CLIENTS, Model};
use charging::node::{Node, books, prepare};
use place::Place;
use simurgh_sim::Chance;

/// How often nodes are killed.
const KILLS: u32 = 50;

fn seed() -> u64 {
    let seed = std::env::var("SIMURGH_SEED").ok();
    seed.map_or(0x5e55_1017, |text| text.parse().unwrap())
}

/// Gateways charge over `nodes` nodes, which are killed in turn at moments chosen by chance.
fn survive(place: &Place, nodes: usize) {
    let seed = seed();
    prepare(place);
    let model = Arc::new(Model::new(nodes));
    let mut chance = Chance::new(seed);
    let mut processes: Vec<Option<Node>> = Vec::new();
    for number in 0..nodes {
        let node = Node::start(place);
        model.is_at(number, node.address);
        processes.push(Some(node));
    }
    let gateways = (0..CLIENTS).map(|number| {
        let model = Arc::clone(&model);
        std::thread::spawn(move || Gateway::new(number, seed, model).work())
    });
    let gateways: Vec<_> = gateways.collect();
    for kill in 0..KILLS {
        model.wait_for_answers(20 + chance.below(130) as u64);
        let number = kill as usize % nodes;
        model.is_gone(number);
        processes[number].take().unwrap().kill();
        let node = Node::start(place);
        model.is_at(number, node.address);
        processes[number] = Some(node);
    }
    model.comes_to_its_end();
    for gateway in gateways {
        gateway.join().unwrap();
    }
    for node in processes.into_iter().flatten() {
        node.kill();
    }
    assert_eq!(model.findings(), Vec::<String>::new(), "seed {seed}");
    let books = books(place);
    assert_eq!(books.findings, Vec::<String>::new(), "seed {seed}");
    assert_eq!(books.lines, model.lines(), "seed {seed}");
    let answers = model.answers();
    println!(
        "{answers} answers, {KILLS} kills, {} repeated",
        model.repeated()
    );
    assert!(
        model.repeated() > u64::from(KILLS),
        "too few were asked again"
    );
    assert!(model.is_exhausted(), "no line came to its end");
}

#[test]
fn what_was_answered_survives_kills_on_sqlite() {
    survive(&Place::folder(), 1);
}

#[test]
fn what_was_answered_survives_kills_on_postgresql() {
    Place::schema().inspect(|place| survive(place, 1));
}

#[test]
fn two_nodes_on_one_database_never_grant_too_much() {
    Place::schema().inspect(|place| survive(place, 2));
}
