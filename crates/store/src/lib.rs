//! The store: one set of queries over SQLite (embedded) and PostgreSQL (scale-out).
//!
//! [`db`] holds the drivers and is the only place that knows the engine; [`tx::StoreTx`] is the
//! transaction the queries run in; [`migrate`] brings the schema up to date.

pub mod db;
pub mod migrate;
pub mod tx;

mod catalogues;
mod charges;
mod customers;
mod desk;
mod esim;
mod inventory;
mod ledger;
mod lines;
mod outbox;
mod rows;
mod sales;

pub use db::{
    BackupError, BackupProgress, CommitAction, CommitHook, CommitPoint, Database, DatabaseOptions,
    DatabaseUrl, PostgresOptions, PostgresStore, PostgresTrust, SqliteOptions, SqliteStore,
    TrustError,
};

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod suite;
