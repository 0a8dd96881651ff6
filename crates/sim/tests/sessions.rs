//! Sessions by chance against a simple model: begun, reported, ended, repeated, given up, several in a batch;
//! plans bought and run out; the program ended without a word and started again over its files. One seed is one
//! course of events; `SIMURGH_SEEDS` says how many, `SIMURGH_SEED` which one alone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod sessions {
    pub(super) mod course;
    pub(super) mod model;
}

use sessions::course::{Course, Template};

/// Seeds that are run.
const SEEDS: u64 = 1_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok();
    text.map(|text| text.parse().unwrap())
}

#[test]
fn a_thousand_courses_of_events_end_as_the_model_says() {
    let template = Template::new();
    let seeds: Vec<u64> = match number("SIMURGH_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("SIMURGH_SEEDS").unwrap_or(SEEDS)).collect(),
    };
    let mut sum = sessions::course::Sum::default();
    for seed in &seeds {
        let course = std::panic::catch_unwind(|| Course::new(&template, *seed).run());
        match course {
            Ok(one) => sum.add(&one),
            Err(_) => panic!("SIMURGH_SEED={seed}"),
        }
    }
    println!("{} seeds: {sum:?}", seeds.len());
    if seeds.len() >= 1_000 {
        assert!(sum.says_something(), "{sum:?}");
    }
}
