//! The listener on loopback, with a store and clients that speak Diameter.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod clauses;
mod client;
mod hostile;
mod other_client;
mod overload;
mod quirks;
mod sessions;
mod streams;
mod tls;
mod world;
