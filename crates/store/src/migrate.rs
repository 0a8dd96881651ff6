//! Brings the schema up to date.
//!
//! A migration is a file `migrations/NNNN_name.sql` in the portable dialect (`db/dialect.rs`),
//! embedded below and never changed once released: what was wrong is put right by a later one.
//! Each runs in one transaction, which also records its checksum in `schema_migration`. Nodes may
//! start at once: on PostgreSQL they queue at an advisory lock, on SQLite at the write lock.

use simurgh_app::ports::StoreFault;
use simurgh_vocab::Timestamp;

use crate::db::{Db, dialect};
use crate::params;
use crate::tx::StoreTx;

/// One migration.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The file name without its end: `0001_journal`.
    pub name: &'static str,
    /// The text of the file.
    pub sql: &'static str,
}

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(Migration { name: $name, sql: include_str!(concat!("../migrations/", $name, ".sql")) }),*]
    };
}

/// Every migration, oldest first. A new one is one line at the end.
pub const MIGRATIONS: &[Migration] = embedded![
    "0001_journal",
    "0002_customers",
    "0003_sales",
    "0004_lines",
    "0005_outbox",
    "0006_catalogue",
    "0007_desk",
    "0008_identity_back_to",
    "0009_unkept_balances",
    "0010_retention",
    "0011_announced_total",
    "0012_delivered_parts",
    "0013_esim",
    "0014_inventory",
    "0015_find_profiles",
    "0016_order_owner",
    "0017_bucket_amounts",
    "0018_charging",
    "0019_download_progress",
    "0020_profiles_in_stock",
    "0021_foreign_event",
    "0022_charge_journal",
    "0023_bucket_terms",
];

/// Why the schema was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// The database was migrated by a newer program.
    #[error(
        "the database holds migration {name}, which this program does not know: \
         it was made by a newer version; start that version"
    )]
    Unknown {
        /// The unknown migration.
        name: String,
    },
    /// An embedded migration is not the one that was applied.
    #[error(
        "migration {name} differs from the one applied to this database: \
         an applied migration must never be changed"
    )]
    Changed {
        /// The changed migration.
        name: &'static str,
    },
    /// A defect in the migration itself.
    #[error("migration {name} cannot be translated: {why}")]
    Malformed {
        /// The malformed migration.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

const CREATE_HISTORY: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)";

/// Applies what is missing of `migrations` and answers the names of those applied now.
pub(crate) fn run(
    mut db: Db<'_>,
    migrations: &[Migration],
    now: Timestamp,
) -> Result<Vec<&'static str>, MigrateError> {
    within(&mut db, create_history)?;
    within(&mut db, |db| refuse_unknown(db, migrations))?;
    let mut applied = Vec::new();
    for migration in migrations {
        if within(&mut db, |db| apply(db, migration, now))? {
            tracing::info!(migration = migration.name, "migrated");
            applied.push(migration.name);
        }
    }
    Ok(applied)
}

/// Runs one step in a transaction that excludes other migrators.
fn within<R>(
    db: &mut Db<'_>,
    step: impl FnOnce(&mut Db<'_>) -> Result<R, MigrateError>,
) -> Result<R, MigrateError> {
    db.begin_migration().map_err(StoreFault::from)?;
    let result = step(db);
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    match (db.batch(end), result) {
        (Ok(()), result) => result,
        // The first failure says more than a roll-back that fails as well.
        (Err(_), Err(error)) => Err(error),
        (Err(failure), Ok(_)) => Err(failure.fault.into()),
    }
}

fn create_history(db: &mut Db<'_>) -> Result<(), MigrateError> {
    for statement in translated(db, "schema_migration", CREATE_HISTORY)? {
        db.batch(&statement).map_err(StoreFault::from)?;
    }
    Ok(())
}

fn refuse_unknown(db: &mut Db<'_>, migrations: &[Migration]) -> Result<(), MigrateError> {
    let mut tx = StoreTx::new(db.again());
    let newest = migrations.iter().map(Migration::version).max();
    let sql = "SELECT name FROM schema_migration WHERE version > ?1 ORDER BY version LIMIT 1";
    match tx.query_one_or_none(sql, &params![newest.unwrap_or(0)])? {
        None => Ok(()),
        Some(mut row) => Err(MigrateError::Unknown { name: row.text()? }),
    }
}

/// Applies one migration unless it is there already.
fn apply(db: &mut Db<'_>, migration: &Migration, now: Timestamp) -> Result<bool, MigrateError> {
    let recorded = StoreTx::new(db.again()).query_one_or_none(
        "SELECT name, checksum FROM schema_migration WHERE version = ?1",
        &params![migration.version()],
    )?;
    if let Some(mut row) = recorded {
        return match (row.text()?, row.text()?) {
            (name, checksum) if name == migration.name && checksum == migration.checksum() => {
                Ok(false)
            }
            _ => Err(MigrateError::Changed {
                name: migration.name,
            }),
        };
    }
    for statement in translated(db, migration.name, migration.sql)? {
        db.batch(&statement).map_err(StoreFault::from)?;
    }
    StoreTx::new(db.again()).execute(
        "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
        &params![migration.version(), migration.name, migration.checksum(), now],
    )?;
    Ok(true)
}

fn translated(db: &Db<'_>, name: &'static str, sql: &str) -> Result<Vec<String>, MigrateError> {
    dialect::migration(db.engine(), sql).map_err(|why| MigrateError::Malformed { name, why })
}

impl Migration {
    /// The number at the start of the name.
    fn version(&self) -> i64 {
        let digits = self.name.split('_').next().unwrap_or("");
        digits.parse().unwrap_or(0)
    }

    /// FNV-1a over the text, line ends counted as one character: it guards against a slip, not
    /// against an attacker, who could change the table as well.
    fn checksum(&self) -> String {
        let hash = self
            .sql
            .bytes()
            .filter(|byte| *byte != b'\r')
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        format!("{hash:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_migrations_are_in_the_order_of_their_numbers() {
        let mut last = 0;
        for migration in MIGRATIONS {
            assert!(migration.version() > last, "{}", migration.name);
            assert_eq!(migration.name.find('_'), Some(4), "{}", migration.name);
            last = migration.version();
        }
    }
}
