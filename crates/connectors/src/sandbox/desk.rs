//! A sandbox at work: its book, the journal, a clock and entropy, shared by the server's tasks.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use simurgh_app::ports::{Clock, Entropy};
use simurgh_vocab::Timestamp;
use tokio::sync::Notify;

use super::Fault;
use super::journal::Journal;
use super::queue::{Delivery, Letter};
use super::signature::hex;
use super::wire::Unreadable;

/// Whether a command changed the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It did.
    Made,
    /// It was known already: the first answer stands.
    Repeated,
}

/// A sandbox's own book: a state machine without I/O and without a clock. Every change is a
/// command with a time, so that a journal of commands rebuilds the book.
pub(crate) trait Book: Default + Send + 'static {
    /// A change.
    type Command;
    /// Why it does not change.
    type Refusal: Display;
    /// What names a copy of a notification that it sends.
    type Letter: Letter + Send + Sync + 'static;
    /// A command as the journal has it.
    type Written: Serialize + DeserializeOwned;

    /// Does what time asks.
    fn advance(&mut self, now: Timestamp);
    /// Changes the book.
    fn apply(&mut self, command: &Self::Command, now: Timestamp) -> Result<Change, Self::Refusal>;
    /// Writes a command.
    fn written(command: &Self::Command) -> Self::Written;
    /// Reads what [`written`](Self::written) wrote.
    fn read(written: Self::Written) -> Result<Self::Command, Unreadable>;

    /// Notifications that are due, at most one per subject.
    fn due(&self, now: Timestamp, limit: usize) -> Vec<Delivery<Self::Letter>>;
    /// A delivery failed: it is tried again at `due_at`.
    fn postpone(&mut self, letter: Self::Letter, due_at: Timestamp);
    /// When something happens next by itself: a delay ends or a notification is due.
    fn next_due(&self) -> Option<Timestamp>;
    /// The command by which it learns that a letter was taken.
    fn taken(letter: Self::Letter) -> Self::Command;
}

/// A sandbox at work. Cheap to clone: every clone is the same sandbox.
pub(crate) struct Desk<B: Book> {
    shared: Arc<Shared<B>>,
}

impl<B: Book> Clone for Desk<B> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

struct Shared<B: Book> {
    ledger: Mutex<Ledger<B>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    changed: Notify,
}

struct Ledger<B: Book> {
    book: B,
    journal: Option<Journal<B>>,
    broken: bool,
}

impl<B: Book> Desk<B> {
    /// A sandbox that forgets everything at its end.
    pub(crate) fn in_memory(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self::new((B::default(), None), clock, entropy)
    }

    /// A sandbox that keeps its book in a journal file; it goes on where that file ends.
    pub(crate) fn with_journal(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Fault<B::Refusal>> {
        let (journal, book) = Journal::open(path).map_err(Fault::Journal)?;
        Ok(Self::new((book, Some(journal)), clock, entropy))
    }

    fn new(
        (book, journal): (B, Option<Journal<B>>),
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                ledger: Mutex::new(Ledger {
                    book,
                    journal,
                    broken: false,
                }),
                clock,
                entropy,
                changed: Notify::new(),
            }),
        }
    }

    /// The sandbox's clock.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// The time by the sandbox's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Reads the book as it is now.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&B, Timestamp) -> R) -> R {
        let now = self.now();
        let mut ledger = self.lock();
        ledger.book.advance(now);
        read(&ledger.book, now)
    }

    /// Changes the book in a way that no journal needs to know: when a notification is tried next.
    pub(crate) fn adjust(&self, adjust: impl FnOnce(&mut B)) {
        adjust(&mut self.lock().book);
    }

    /// Changes the book and its journal.
    pub(crate) fn write(&self, command: &B::Command) -> Result<Change, Fault<B::Refusal>> {
        let now = self.now();
        let mut ledger = self.lock();
        if ledger.broken {
            let error = io::Error::other("an earlier write failed");
            return Err(Fault::Journal(error));
        }
        let change = ledger.book.apply(command, now).map_err(Fault::Refused)?;
        if change == Change::Made
            && let Some(journal) = &mut ledger.journal
            && let Err(error) = journal.append(command, now)
        {
            ledger.broken = true;
            return Err(Fault::Journal(error));
        }
        drop(ledger);
        self.shared.changed.notify_one();
        Ok(change)
    }

    /// Waits until something in the book has changed since the last wait.
    pub(crate) async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// A word of 128 unpredictable bits.
    pub(crate) fn draw(&self, prefix: &str) -> String {
        let mut bytes = [0u8; 16];
        self.shared.entropy.fill(&mut bytes);
        format!("{prefix}_{}", hex(&bytes))
    }

    fn lock(&self) -> MutexGuard<'_, Ledger<B>> {
        // A panic while the lock was held cannot leave a half-made change that matters more here
        // than going on: these books hold no money and no persons.
        self.shared
            .ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a call that may write to the journal where it may block.
pub(crate) async fn blocking<S, T, R>(
    sandbox: S,
    call: impl FnOnce(&S) -> Result<T, Fault<R>> + Send + 'static,
) -> Result<T, Fault<R>>
where
    S: Send + 'static,
    T: Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(move || call(&sandbox))
        .await
        .unwrap_or_else(|error| Err(Fault::Http(error.to_string())))
}
