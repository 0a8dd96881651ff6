//! A copy of the database while it is being used.

use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use simurgh_app::ports::StoreFault;

use super::SqliteStore;
use super::connection::{Connection, Role, failure, private_file};

/// How far a backup has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupProgress {
    /// Pages copied.
    pub pages_done: u64,
    /// Pages in all.
    pub pages_total: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is there already, and is left as it is.
    #[error("{} exists already; a backup overwrites nothing", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Pages copied between two reports: 4 MiB.
const PAGES_PER_STEP: i32 = 1_024;

impl SqliteStore {
    /// Copies the database as it is now into a new file, while others go on writing. The copy
    /// gets its name when it is complete and on disk; `progress` hears how far it has come. While
    /// it runs the log grows, because the state that is copied must stay readable. Blocks.
    ///
    /// # Errors
    /// [`BackupError`]; nothing is left behind then.
    pub fn backup(
        &self,
        file: &Path,
        mut progress: impl FnMut(BackupProgress),
    ) -> Result<(), BackupError> {
        if self.path == Path::new(super::IN_MEMORY) {
            let why = "a database in memory has no backup".to_owned();
            return Err(StoreFault::Unavailable(why).into());
        }
        if file.exists() {
            return Err(exists(file));
        }
        let mut name = file.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        private_file(&part).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(&part),
            _ => unwritable(&part, error),
        })?;
        let copied = self
            .copy_to(&part, &mut progress)
            .and_then(|()| publish(&part, file));
        if copied.is_err()
            && let Err(error) = std::fs::remove_file(&part)
        {
            tracing::warn!(%error, "an unfinished backup could not be removed");
        }
        copied
    }

    fn copy_to(
        &self,
        part: &Path,
        progress: &mut dyn FnMut(BackupProgress),
    ) -> Result<(), BackupError> {
        let mut source = Connection::open(&self.path, Role::Reader, &self.options)?;
        // An open snapshot keeps the copy from starting over whenever someone commits.
        source.control("BEGIN DEFERRED").map_err(StoreFault::from)?;
        source
            .query_each("SELECT count(*) FROM sqlite_schema", &[], &mut |_| Ok(()))
            .map_err(StoreFault::from)?;
        let fault = |error| BackupError::Store(failure(error).fault);
        let mut copy = rusqlite::Connection::open(part).map_err(fault)?;
        let backup = Backup::new(source.raw(), &mut copy).map_err(fault)?;
        loop {
            let step = backup.step(PAGES_PER_STEP).map_err(fault)?;
            let at = backup.progress();
            let total = u64::try_from(at.pagecount).unwrap_or(0);
            let left = u64::try_from(at.remaining).unwrap_or(0);
            progress(BackupProgress {
                pages_done: total.saturating_sub(left),
                pages_total: total,
            });
            match step {
                StepResult::Done => return Ok(()),
                StepResult::More => {}
                // Nobody else can hold the new file, and the snapshot is ours.
                _ => std::thread::yield_now(),
            }
        }
    }
}

/// Flushes the copy and gives it its name, unless someone has taken the name meanwhile.
fn publish(part: &Path, file: &Path) -> Result<(), BackupError> {
    let failed = |error| unwritable(file, error);
    std::fs::File::open(part)
        .and_then(|copy| copy.sync_all())
        .map_err(failed)?;
    if file.exists() {
        return Err(exists(file));
    }
    std::fs::rename(part, file).map_err(failed)
}

fn exists(path: &Path) -> BackupError {
    BackupError::Exists {
        path: path.to_owned(),
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> BackupError {
    BackupError::Unwritable {
        path: path.to_owned(),
        error,
    }
}
