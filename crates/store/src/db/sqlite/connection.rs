//! One SQLite connection: how it is set up, and how its values and errors translate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Error, ErrorCode, OpenFlags, ffi, params_from_iter};
use simurgh_app::ports::StoreFault;

use super::SqliteOptions;
use crate::charges::Memory;
use crate::db::{Cause, Db, EachRow, Failure, Row, Value};
use crate::tx::StoreTx;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It writes. It makes the file if there is none.
    Writer,
    /// It only reads.
    Reader,
}

/// How many prepared statements a connection keeps: more than there are queries.
const STATEMENTS_MAX: usize = 512;

/// How long the log may grow, in pages of 4 KiB, before a commit moves it into the database.
/// Ten times SQLite's default: half again as many commits per second, for 40 MB of disk.
pub(super) const LOG_PAGES: u32 = 10_000;

/// What is left of the log file after it was moved, in bytes.
const LOG_BYTES_KEPT: u32 = 64 * 1_024 * 1_024;

/// A connection with its settings made.
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    memory: Slot,
    /// What SQLite says of writers elsewhere.
    data_version: i64,
}

/// What a connection remembers of charging.
enum Slot {
    /// It only reads, and remembers nothing.
    None,
    /// It is here.
    Here(Box<Memory>),
    /// It was taken; whoever took it may have panicked.
    Away,
}

impl Connection {
    pub(super) fn open(
        path: &Path,
        role: Role,
        options: &SqliteOptions,
    ) -> Result<Self, StoreFault> {
        if role == Role::Writer {
            create_private(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let raw = rusqlite::Connection::open_with_flags(path, flags).map_err(failure)?;
        let memory = match role {
            Role::Writer => Slot::Here(Box::default()),
            Role::Reader => Slot::None,
        };
        let connection = Self {
            raw,
            memory,
            data_version: 0,
        };
        connection.set_up(role, options).map_err(failure)?;
        Ok(connection)
    }

    fn set_up(&self, role: Role, options: &SqliteOptions) -> rusqlite::Result<()> {
        let raw = &self.raw;
        raw.busy_timeout(options.busy_timeout)?;
        raw.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // Without this, SQLite plans some statements anew each time other values are bound to them,
        // in the hope of a better plan: a quarter of the writer's time, for the plan it had.
        raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let cache_kib = match role {
            Role::Writer => options.cache_kib,
            Role::Reader => options.cache_kib / 4,
        };
        raw.execute_batch(&format!(
            "PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -{cache_kib};"
        ))?;
        match role {
            Role::Writer => raw.execute_batch(&format!(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 PRAGMA fullfsync = ON;
                 PRAGMA wal_autocheckpoint = {LOG_PAGES};
                 PRAGMA journal_size_limit = {LOG_BYTES_KEPT};"
            )),
            Role::Reader => raw.execute_batch("PRAGMA query_only = ON;"),
        }
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Failure> {
        let mut statement = self.raw.prepare_cached(sql).map_err(failure)?;
        let count = statement.execute(params_from_iter(params));
        count.map(|count| count as u64).map_err(failure)
    }

    pub(crate) fn query_each(
        &mut self,
        sql: &str,
        params: &[Value],
        each: EachRow<'_>,
    ) -> Result<(), Failure> {
        let mut statement = self.raw.prepare_cached(sql).map_err(failure)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(params)).map_err(failure)?;
        let mut origin: Option<Arc<str>> = None;
        while let Some(row) = rows.next().map_err(failure)? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                let value = row.get_ref(column).map_err(failure)?;
                values.push(read_value(value, column, sql)?);
            }
            let origin = origin.get_or_insert_with(|| Arc::from(sql));
            each(Row::new(values, origin))?;
        }
        Ok(())
    }

    /// Takes what is remembered of charging: nothing after a panic, which reads it again.
    pub(crate) fn take_memory(&mut self) -> Option<Box<Memory>> {
        match std::mem::replace(&mut self.memory, Slot::Away) {
            Slot::None => {
                self.memory = Slot::None;
                None
            }
            Slot::Here(memory) => Some(memory),
            Slot::Away => Some(Box::default()),
        }
    }

    /// Puts back what was taken.
    pub(crate) fn put_memory(&mut self, memory: Box<Memory>) {
        self.memory = Slot::Here(memory);
    }

    /// What is remembered of charging, to be told how a transaction ended.
    pub(super) fn memory(&mut self) -> Option<&mut Memory> {
        if matches!(self.memory, Slot::Away) {
            self.memory = Slot::Here(Box::default());
        }
        match &mut self.memory {
            Slot::None | Slot::Away => None,
            Slot::Here(memory) => Some(memory),
        }
    }

    /// Forgets what is remembered of charging: it is read again.
    pub(super) fn forget_memory(&mut self) {
        if let Some(memory) = self.memory() {
            memory.forget_all();
        }
    }

    /// Whether something was charged that does not stand in the tables, or that is not known.
    pub(super) fn has_to_fold(&mut self) -> bool {
        self.memory().is_some_and(|memory| memory.is_dirty()) && self.has_journal()
    }

    /// Brings a portion of what was charged into the tables, so that all of it is there `within` that time, in
    /// the transaction under way; answers whether there was any.
    pub(super) fn fold(&mut self, within: Duration) -> Result<bool, Failure> {
        if !self.has_to_fold() {
            return Ok(false);
        }
        let Some(mut memory) = self.take_memory() else {
            return Ok(false);
        };
        let mut tx = StoreTx::new(Db::Sqlite(self));
        let folded = memory.fold(&mut tx, within);
        let failure = tx.into_failure();
        self.put_memory(memory);
        folded.map_err(|fault| failure.unwrap_or_else(|| fault.into()))
    }

    /// Whether another connection has written since the last time this was asked.
    pub(super) fn was_changed_elsewhere(&mut self) -> Result<bool, Failure> {
        let mut statement = self
            .raw
            .prepare_cached("PRAGMA data_version")
            .map_err(failure)?;
        let version = statement.query_row([], |row| row.get(0)).map_err(failure)?;
        Ok(std::mem::replace(&mut self.data_version, version) != version)
    }

    /// Whether the schema has a journal of charging.
    fn has_journal(&self) -> bool {
        let sql = "SELECT 1 FROM sqlite_master WHERE name = 'charge_journal'";
        self.raw
            .prepare_cached(sql)
            .and_then(|mut it| it.exists([]))
            .unwrap_or(false)
    }

    /// Has `is_to_move` asked after each commit, with the pages of the log, whether this connection is to move
    /// the log into the database now. Until then it did so whenever the log was long.
    pub(super) fn after_commits(
        &mut self,
        mut is_to_move: impl FnMut(u32) -> bool + Send + 'static,
    ) -> Result<(), Failure> {
        let hook = move |log: &mut rusqlite::hooks::Wal, pages: i32| {
            if is_to_move(u32::try_from(pages).unwrap_or(0)) {
                // The commit stands. What is not moved, because somebody reads it or moves it already, is
                // moved later.
                if let Err(error) = log.checkpoint() {
                    tracing::debug!(%error, "the log was not moved");
                }
            }
            Ok(())
        };
        self.raw.wal_hook(Some(hook)).map_err(failure)
    }

    /// Runs statements that answer nothing of interest.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Failure> {
        self.raw.execute_batch(sql).map_err(failure)
    }

    /// Runs one of the few statements that begin and end transactions.
    pub(super) fn control(&mut self, sql: &'static str) -> Result<(), Failure> {
        let mut statement = self.raw.prepare_cached(sql).map_err(failure)?;
        statement.execute([]).map(|_| ()).map_err(failure)
    }

    pub(super) fn has_no_transaction(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// How many rows this connection has inserted, changed and deleted so far.
    pub(super) fn rows_written(&self) -> u64 {
        self.raw.total_changes()
    }

    pub(super) fn roll_back_if_open(&mut self) {
        if self.has_no_transaction() {
            return;
        }
        if let Err(failure) = self.control("ROLLBACK") {
            tracing::error!(fault = %failure.fault, "a roll-back failed");
        }
    }

    /// Moves the log into the database, so that the file stands alone.
    pub(super) fn checkpoint_and_close(self) {
        let moved = self
            .raw
            .execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
        let closed = self.raw.close().map_err(|(_, error)| error);
        if let Err(error) = moved.and(closed) {
            tracing::warn!(%error, "the database was closed without a checkpoint");
        }
    }

    pub(super) const fn raw(&self) -> &rusqlite::Connection {
        &self.raw
    }
}

/// Makes the file readable by its owner only: it holds personal data. SQLite gives the log files
/// the same mode.
fn create_private(path: &Path) -> Result<(), StoreFault> {
    if path == Path::new(super::IN_MEMORY) || path.exists() {
        return Ok(());
    }
    private_file(path).map(drop).map_err(|error| {
        StoreFault::Unavailable(format!("cannot make {}: {error}", path.display()))
    })
}

/// Makes a new file that only its owner may read; an existing one is an error.
pub(super) fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn read_value(value: ValueRef<'_>, column: usize, sql: &str) -> Result<Value, StoreFault> {
    let unreadable =
        |what: &str| StoreFault::Corrupt(format!("column {column} of `{sql}`: {what}"));
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Real(_) => Err(unreadable("a floating point number")),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map(|text| Value::Text(text.to_owned()))
            .map_err(|_| unreadable("a text that is not UTF-8")),
        ValueRef::Blob(bytes) => Ok(Value::Blob(bytes.to_vec())),
    }
}

/// Translates an error. SQLite's messages name tables and columns, never values.
pub(super) fn failure(error: Error) -> Failure {
    let text = error.to_string();
    let Error::SqliteFailure(code, _) = error else {
        return StoreFault::Corrupt(text).into();
    };
    match (code.code, code.extended_code) {
        (
            ErrorCode::ConstraintViolation,
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID,
        ) => Failure {
            cause: Cause::UniqueKey,
            fault: StoreFault::Conflict(text),
        },
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Failure {
            cause: Cause::Conflict,
            fault: StoreFault::Conflict(text),
        },
        (
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory
            | ErrorCode::PermissionDenied
            | ErrorCode::OperationInterrupted
            | ErrorCode::OperationAborted
            | ErrorCode::FileLockingProtocolFailed,
            _,
        ) => StoreFault::Unavailable(text).into(),
        // Everything else is a defect: of the file, of a statement, of a broken constraint.
        (_, _) => StoreFault::Corrupt(text).into(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::params;

    #[test]
    fn a_statement_keeps_its_plan_when_other_values_are_bound() {
        let path = Path::new(super::super::IN_MEMORY);
        let mut connection =
            Connection::open(path, Role::Writer, &SqliteOptions::default()).unwrap();
        connection
            .batch("CREATE TABLE item (id INTEGER PRIMARY KEY, parent INTEGER, made INTEGER)")
            .unwrap();
        let sql = "SELECT id FROM item WHERE parent = ?1 ORDER BY made, id LIMIT ?2";
        for number in 0..4 {
            let query = connection.query_each(sql, &params![number, number], &mut |_| Ok(()));
            query.unwrap();
        }
        let statement = connection.raw().prepare_cached(sql).unwrap();
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        assert_eq!(statement.get_status(StatementStatus::Run), 4);
    }
}
