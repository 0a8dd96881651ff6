//! Moving the log into the database beside the writer: no commit waits for it.
//!
//! A thread of its own moves what was committed whenever the log has grown by some pages. The writer
//! moves only what is left once the log is long, which lets it begin the log again from its start.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use simurgh_app::ports::StoreFault;

use super::SqliteOptions;
use super::connection::{Connection, LOG_PAGES, Role};

/// How many pages of 4 KiB the log grows before they are moved.
const PORTION_PAGES: u32 = 1_500;

/// The thread that moves the log.
pub(super) struct LogMover {
    orders: Arc<Orders>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Orders {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_wanted: bool,
    is_over: bool,
}

impl Orders {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next order; false when there will be none.
    fn next(&self) -> bool {
        let is_idle = |state: &mut State| !state.is_wanted && !state.is_over;
        let waited = self.changed.wait_while(self.state(), is_idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_wanted = false;
        !state.is_over
    }
}

impl LogMover {
    /// Moves the log of `writer`, whose file is at `path`.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`] when there is no thread or no connection to be had.
    pub(super) fn start(
        writer: &mut Connection,
        path: &Path,
        options: &SqliteOptions,
    ) -> Result<Self, StoreFault> {
        let mut connection = Connection::open(path, Role::Reader, options)?;
        let orders = Arc::<Orders>::default();
        let (hearing, giving) = (Arc::clone(&orders), Arc::clone(&orders));
        let thread = std::thread::Builder::new()
            .name("store-log".to_owned())
            .spawn(move || {
                while hearing.next() {
                    // What could not be moved is moved with the next portion.
                    if let Err(failure) = connection.batch("PRAGMA wal_checkpoint(PASSIVE)") {
                        tracing::debug!(fault = %failure.fault, "the log was not moved");
                    }
                }
            })
            .map_err(|error| StoreFault::Unavailable(format!("no thread for the log: {error}")))?;
        let mut mark = PORTION_PAGES;
        let mut long_mark = LOG_PAGES;
        writer.after_commits(move |pages| {
            if pages < mark.saturating_sub(PORTION_PAGES) {
                // It began again.
                (mark, long_mark) = (PORTION_PAGES, LOG_PAGES);
            }
            if pages >= long_mark {
                long_mark = pages + PORTION_PAGES;
                return true;
            }
            if pages >= mark {
                mark = pages + PORTION_PAGES;
                giving.state().is_wanted = true;
                giving.changed.notify_one();
            }
            false
        })?;
        Ok(Self {
            orders,
            thread: Some(thread),
        })
    }
}

impl Drop for LogMover {
    fn drop(&mut self) {
        self.orders.state().is_over = true;
        self.orders.changed.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that moves the log has died");
        }
    }
}
