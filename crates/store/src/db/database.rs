//! The store by its address.

use std::path::Path;
use std::str::FromStr;

use simurgh_app::ports::{Pending, Store, StoreFault, Work};
use simurgh_vocab::Timestamp;

use super::queue::Answer;
use super::{SqliteOptions, SqliteStore, Task};
use crate::migrate::{MIGRATIONS, MigrateError, Migration};

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`: one file.
    Sqlite(std::path::PathBuf),
}

/// The text is no address of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address of a store: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME is expected")]
pub struct ParseDatabaseUrlError;

impl FromStr for DatabaseUrl {
    type Err = ParseDatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(Self::Sqlite(Path::new(path).to_owned()))
            }
            Some(_) | None => Err(ParseDatabaseUrlError),
        }
    }
}

/// How a store is kept, for either engine.
#[derive(Debug, Clone, Default)]
pub struct DatabaseOptions {
    /// If it is SQLite.
    pub sqlite: SqliteOptions,
}

/// The store on whichever engine its address names.
#[derive(Debug)]
pub enum Database {
    /// One SQLite file.
    Sqlite(SqliteStore),
}

impl Database {
    /// Opens the store. Blocks.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`] when it cannot be opened or reached.
    pub fn open(url: &DatabaseUrl, options: DatabaseOptions) -> Result<Self, StoreFault> {
        match url {
            DatabaseUrl::Sqlite(path) => SqliteStore::open(path, options.sqlite).map(Self::Sqlite),
        }
    }

    /// Brings the schema up to date; answers the names of the migrations applied now. Blocks.
    ///
    /// # Errors
    /// [`MigrateError`]; a migration that failed has left nothing behind.
    pub fn migrate(&self, now: Timestamp) -> Result<Vec<&'static str>, MigrateError> {
        self.migrate_to(MIGRATIONS, now)
    }

    pub(crate) fn migrate_to(
        &self,
        migrations: &[Migration],
        now: Timestamp,
    ) -> Result<Vec<&'static str>, MigrateError> {
        match self {
            Self::Sqlite(store) => store.migrate_to(migrations, now),
        }
    }

    /// Answers when the database does: whether this node is ready.
    pub fn ping(&self) -> Pending<'_> {
        match self {
            Self::Sqlite(store) => store.ping(),
        }
    }

    /// Finishes what waits and closes the store; later calls are answered
    /// [`StoreFault::Unavailable`]. Blocks.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`] when a thread of the store has died.
    pub fn close(&self) -> Result<(), StoreFault> {
        match self {
            Self::Sqlite(store) => store.close(),
        }
    }

    pub(crate) async fn write_task(&self, task: Task) -> Answer {
        match self {
            Self::Sqlite(store) => store.write_task(task).await,
        }
    }

    pub(crate) async fn read_task(&self, task: Task) -> Answer {
        match self {
            Self::Sqlite(store) => store.read_task(task),
        }
    }
}

impl Store for Database {
    fn write(&self, work: Work) -> Pending<'_> {
        match self {
            Self::Sqlite(store) => store.write(work),
        }
    }

    fn read(&self, work: Work) -> Pending<'_> {
        match self {
            Self::Sqlite(store) => store.read(work),
        }
    }
}
