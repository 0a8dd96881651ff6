//! What can go wrong that is no refusal.

use simurgh_ledger::{EntryError, PostError};

use crate::ports::StoreFault;

/// Something failed that the user cannot help. Refusals, which they can, are enums of their own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The store failed; trying again may help.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// No catalogue has been applied yet.
    #[error("no catalogue has been applied: run `simurgh catalogue apply FILE`")]
    NoCatalogue,
    /// A rule of our own was broken: a defect.
    #[error("an invariant does not hold: {0}")]
    Invariant(String),
}

impl From<EntryError> for Fault {
    fn from(error: EntryError) -> Self {
        Self::Invariant(error.to_string())
    }
}

impl From<PostError<StoreFault>> for Fault {
    fn from(error: PostError<StoreFault>) -> Self {
        match error {
            PostError::Store(fault) => Self::Store(fault),
            PostError::OutOfBounds { .. } => Self::Invariant(error.to_string()),
        }
    }
}
