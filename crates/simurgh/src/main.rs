//! The simurgh binary.
fn main() {}
