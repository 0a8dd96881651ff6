//! The listener on loopback, with a store and clients that speak Diameter.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod agent;
mod clauses;
mod client;
mod dissector;
mod hostile;
mod other_client;
mod overload;
mod quirks;
mod sessions;
mod streams;
mod tls;
mod world;
