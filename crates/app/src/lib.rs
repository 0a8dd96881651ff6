//! Use cases: one file each, one transaction each. The ports they stand on are in [`ports`].

pub mod ports;
