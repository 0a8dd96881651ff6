//! Faults on purpose: what a test makes happen around a commit.

use std::fmt;
use std::sync::Arc;

use simurgh_app::ports::StoreFault;

/// A point around a commit. A group commit passes each point once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitPoint {
    /// Every statement has run; the commit has not been asked for.
    BeforeCommit,
    /// The commit is durable; nobody has been answered.
    AfterCommit,
}

/// What happens at a [`CommitPoint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitAction {
    /// Nothing out of the ordinary.
    Proceed,
    /// The transaction is rolled back and answered [`StoreFault::Unavailable`]. After the commit
    /// there is nothing left to roll back, and it is as [`FailAfter`](Self::FailAfter).
    Fail,
    /// The commit happens, and is answered [`StoreFault::Unavailable`] all the same.
    FailAfter,
    /// The process is aborted on the spot.
    Abort,
}

/// Decides what happens around each commit. Production has none.
pub trait CommitHook: Send + Sync {
    /// Called by the thread that commits.
    fn at(&self, point: CommitPoint) -> CommitAction;
}

/// The hook of a store, if it has one.
#[derive(Clone, Default)]
pub(super) struct Hook(Option<Arc<dyn CommitHook>>);

impl Hook {
    pub(super) const fn new(hook: Option<Arc<dyn CommitHook>>) -> Self {
        Self(hook)
    }

    /// Asks what to do before a commit.
    pub(super) fn before(&self) -> Before {
        match self.ask(CommitPoint::BeforeCommit) {
            CommitAction::Proceed => Before::Commit,
            CommitAction::Fail => Before::RollBack(injected()),
            CommitAction::FailAfter => Before::CommitInDoubt(injected()),
            CommitAction::Abort => std::process::abort(),
        }
    }

    /// Asks what to do after a commit.
    pub(super) fn after(&self) -> Result<(), StoreFault> {
        match self.ask(CommitPoint::AfterCommit) {
            CommitAction::Proceed => Ok(()),
            CommitAction::Fail | CommitAction::FailAfter => Err(injected()),
            CommitAction::Abort => std::process::abort(),
        }
    }

    fn ask(&self, point: CommitPoint) -> CommitAction {
        self.0
            .as_ref()
            .map_or(CommitAction::Proceed, |hook| hook.at(point))
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hook" } else { "no hook" })
    }
}

/// What becomes of a transaction that is ready to commit.
pub(super) enum Before {
    /// Commit it.
    Commit,
    /// Commit it, but answer with the fault.
    CommitInDoubt(StoreFault),
    /// Roll it back and answer with the fault.
    RollBack(StoreFault),
}

fn injected() -> StoreFault {
    StoreFault::Unavailable("a fault was injected at the commit".to_owned())
}
