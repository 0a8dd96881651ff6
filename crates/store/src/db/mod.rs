//! The one place where the two engines fork. Above it nobody knows which one answers.
//!
//! `StoreTx` speaks to a `Db`; the drivers in `sqlite` and `postgres`
//! begin and end the transactions around it.

mod database;
pub(crate) mod dialect;
mod hook;
mod postgres;
mod queue;
pub(crate) mod record;
mod sqlite;
mod value;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use simurgh_app::ports::{StoreFault, Verdict, Work};

use crate::charges::Memory;
use crate::tx::StoreTx;
use queue::Mode;

pub use database::{Database, DatabaseOptions, DatabaseUrl, ParseDatabaseUrlError};
pub use hook::{CommitAction, CommitHook, CommitPoint};
pub use postgres::{PostgresOptions, PostgresStore, PostgresTrust, TrustError};
pub use record::{Written, recorded};
pub use sqlite::{BackupError, BackupProgress, SqliteOptions, SqliteStore};
pub use value::{Row, StoredId, Value};

/// Receives the rows of an answer one by one.
pub(crate) type EachRow<'f> = &'f mut dyn FnMut(Row) -> Result<(), StoreFault>;

/// One connection to one of the engines, inside a transaction.
pub(crate) enum Db<'c> {
    /// SQLite.
    Sqlite(&'c mut sqlite::Connection),
    /// PostgreSQL.
    Postgres(&'c mut postgres::Connection),
}

impl Db<'_> {
    pub(crate) const fn engine(&self) -> dialect::Engine {
        match self {
            Self::Sqlite(_) => dialect::Engine::Sqlite,
            Self::Postgres(_) => dialect::Engine::Postgres,
        }
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Failure> {
        match self {
            Self::Sqlite(connection) => connection.execute(sql, params),
            Self::Postgres(connection) => connection.execute(sql, params),
        }
    }

    pub(crate) fn query_each(
        &mut self,
        sql: &str,
        params: &[Value],
        each: EachRow<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Sqlite(connection) => connection.query_each(sql, params, each),
            Self::Postgres(connection) => connection.query_each(sql, params, each),
        }
    }

    /// As [`query_each`](Self::query_each), and nobody else may change those rows until the
    /// transaction ends. SQLite has one writer: there the rows are safe as they are.
    pub(crate) fn query_each_locked(
        &mut self,
        sql: &str,
        params: &[Value],
        each: EachRow<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Sqlite(connection) => connection.query_each(sql, params, each),
            Self::Postgres(connection) => connection.query_each_locked(sql, params, each),
        }
    }

    /// Takes what the connection remembers of charging, if it does.
    pub(crate) fn take_memory(&mut self) -> Option<Box<Memory>> {
        match self {
            Self::Sqlite(connection) => connection.take_memory(),
            Self::Postgres(_) => None,
        }
    }

    /// Puts back what was taken.
    pub(crate) fn put_memory(&mut self, memory: Box<Memory>) {
        match self {
            Self::Sqlite(connection) => connection.put_memory(memory),
            Self::Postgres(_) => {}
        }
    }

    /// The same connection, borrowed for a shorter time.
    pub(crate) const fn again(&mut self) -> Db<'_> {
        match self {
            Self::Sqlite(connection) => Db::Sqlite(connection),
            Self::Postgres(connection) => Db::Postgres(connection),
        }
    }

    /// Begins a transaction that no other migrator can be in.
    pub(crate) fn begin_migration(&mut self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(connection) => connection.batch("BEGIN IMMEDIATE"),
            Self::Postgres(connection) => connection.batch(&format!(
                "BEGIN; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
            )),
        }
    }

    /// Runs statements without parameters: begins, ends and changes of the schema.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Failure> {
        match self {
            Self::Sqlite(connection) => connection.batch(sql),
            Self::Postgres(connection) => connection.batch(sql),
        }
    }
}

/// The advisory lock that migrators on PostgreSQL queue at: "SIMURGH" in ASCII.
const MIGRATION_LOCK: i64 = 0x0053_494d_5552_4748;

/// Why a statement failed, as far as it decides what the driver does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Two transactions met: a repetition may pass.
    Conflict,
    /// A unique key is taken: someone else may have been quicker, and a repetition sees the row.
    UniqueKey,
    /// The connection is gone, and the transaction with it.
    Disconnected,
    /// Repeating would not help.
    Other,
}

impl Cause {
    /// The name in metrics.
    const fn label(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::UniqueKey => "unique_key",
            Self::Disconnected => "disconnected",
            Self::Other => "other",
        }
    }
}

/// A failed statement.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) fault: StoreFault,
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Self {
        Self {
            cause: Cause::Other,
            fault,
        }
    }
}

impl From<Failure> for StoreFault {
    fn from(failure: Failure) -> Self {
        failure.fault
    }
}

/// Work of this crate itself, which sees the concrete transaction.
pub(crate) type OwnWork = Box<dyn FnMut(&mut StoreTx<'_>) -> Verdict + Send>;

/// A piece of work on its way to a connection.
pub(crate) enum Task {
    /// From a use case.
    Work(Work),
    /// From this crate.
    Own(OwnWork),
}

impl From<Work> for Task {
    fn from(work: Work) -> Self {
        Self::Work(work)
    }
}

/// How a task ended, before its transaction did.
enum Ran {
    Commit,
    RollBack,
    Failed(Failure),
}

impl Task {
    /// Runs the task once. A panic is a failure of this task only.
    fn run(&mut self, db: Db<'_>, mode: Mode) -> Ran {
        let mut tx = match mode {
            Mode::Write => StoreTx::new(db),
            Mode::Read => StoreTx::reading(db),
        };
        let verdict = catch_unwind(AssertUnwindSafe(|| match self {
            Self::Work(work) => work(&mut tx),
            Self::Own(work) => work(&mut tx),
        }));
        let Ok(verdict) = verdict else {
            tracing::error!("a piece of work panicked; its transaction was rolled back");
            let fault = StoreFault::Unavailable("the work panicked".to_owned());
            return Ran::Failed(fault.into());
        };
        match (tx.into_failure(), verdict) {
            (Some(failure), Verdict::Commit | Verdict::RollBack) => Ran::Failed(failure),
            (None, Verdict::Commit) => Ran::Commit,
            (None, Verdict::RollBack) => Ran::RollBack,
        }
    }

    /// Asks the database for a sign of life.
    fn ping() -> Self {
        Self::Own(Box::new(|tx| {
            // A failure stays in the transaction, where the driver finds it.
            match tx.query("SELECT 1", &[]) {
                Ok(_) | Err(_) => Verdict::RollBack,
            }
        }))
    }
}
