//! The store by its address.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use simurgh_app::ports::{Pending, Store, StoreFault, Work};
use simurgh_vocab::Timestamp;

use super::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use super::{Task, queue::Answer};
use crate::migrate::{MIGRATIONS, MigrateError, Migration};

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`: one file.
    Sqlite(PathBuf),
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, as it is written.
    Postgres(String),
}

impl DatabaseUrl {
    /// Whether a store can be there, as far as the address tells; nothing is connected to.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`], without the address, because it may hold a password.
    pub fn check(&self) -> Result<(), StoreFault> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(url) => super::postgres::check(url),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres:..."),
        }
    }
}

/// The text is no address of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address of a store: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME is expected")]
pub struct ParseDatabaseUrlError;

impl FromStr for DatabaseUrl {
    type Err = ParseDatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.to_owned())),
            Some(_) | None => Err(ParseDatabaseUrlError),
        }
    }
}

/// How a store is kept, for either engine.
#[derive(Debug, Clone, Default)]
pub struct DatabaseOptions {
    /// If it is SQLite.
    pub sqlite: SqliteOptions,
    /// If it is PostgreSQL.
    pub postgres: PostgresOptions,
}

/// The store on whichever engine its address names.
#[derive(Debug)]
pub enum Database {
    /// One SQLite file.
    Sqlite(SqliteStore),
    /// One PostgreSQL database.
    Postgres(PostgresStore),
}

impl Database {
    /// Opens the store. Blocks.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`] when it cannot be opened or reached.
    pub fn open(url: &DatabaseUrl, options: DatabaseOptions) -> Result<Self, StoreFault> {
        match url {
            DatabaseUrl::Sqlite(path) => SqliteStore::open(path, options.sqlite).map(Self::Sqlite),
            DatabaseUrl::Postgres(url) => {
                PostgresStore::connect(url, options.postgres).map(Self::Postgres)
            }
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
            Self::Postgres(store) => store.migrate_to(migrations, now),
        }
    }

    /// Answers when the database does: whether this node is ready.
    pub fn ping(&self) -> Pending<'_> {
        match self {
            Self::Sqlite(store) => store.ping(),
            Self::Postgres(store) => store.ping(),
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
            Self::Postgres(store) => store.close(),
        }
    }

    pub(crate) async fn write_task(&self, task: Task) -> Answer {
        match self {
            Self::Sqlite(store) => store.write_task(task).await,
            Self::Postgres(store) => store.write_task(task).await,
        }
    }

    #[cfg(test)]
    pub(crate) async fn read_task(&self, task: Task) -> Answer {
        match self {
            Self::Sqlite(store) => store.read_task(task),
            Self::Postgres(store) => store.read_task(task).await,
        }
    }
}

impl Store for Database {
    fn write(&self, work: Work) -> Pending<'_> {
        match self {
            Self::Sqlite(store) => store.write(work),
            Self::Postgres(store) => store.write(work),
        }
    }

    fn read(&self, work: Work) -> Pending<'_> {
        match self {
            Self::Sqlite(store) => store.read(work),
            Self::Postgres(store) => store.read(work),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_engine_and_keeps_its_password() {
        let file = "sqlite:data/simurgh.db".parse();
        assert_eq!(file, Ok(DatabaseUrl::Sqlite("data/simurgh.db".into())));
        let server: DatabaseUrl = "postgres://simurgh:secret@db/simurgh".parse().unwrap();
        assert_eq!(format!("{server:?}"), "postgres:...");
        for text in ["", "sqlite:", "mysql://x", "data/simurgh.db"] {
            assert_eq!(
                text.parse::<DatabaseUrl>(),
                Err(ParseDatabaseUrlError),
                "{text}"
            );
        }
    }
}
