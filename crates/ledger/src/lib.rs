//! Double entry for money and for allowances: the only place where a balance changes.
//!
//! An [`Entry`] is a set of postings that sum to zero per unit. [`post`] checks an entry against
//! the balances it touches and hands the store a [`Posted`], a value only this crate can make; the
//! store writes a balance for a `Posted` and for nothing else. Entries are never changed or
//! removed: a correction is a new entry.
//!
//! Amounts are signed: a debit is positive, a credit negative.

mod account;
mod audit;
mod entry;
mod holding;

pub use account::{Account, BucketRole, ParseAccountError};
pub use audit::{Audit, AuditFinding, AuditedPosting, audit};
pub use entry::{Asset, Entry, EntryError, Posting, Source};
pub use holding::{Holding, Move, MoveError};

use simurgh_vocab::{EntryId, Timestamp};

/// Where the journal and the balances are kept. Implemented by the store; called by [`post`] only.
pub trait Journal {
    /// What the store answers when it fails.
    type Fault;

    /// The balances of `accounts`, all of which [keep one](Account::keeps_balance), in their order;
    /// zero for one never posted to. The rows stay locked until the transaction ends.
    ///
    /// # Errors
    /// The store's fault.
    fn balances(&mut self, accounts: &[(Account, Asset)]) -> Result<Vec<i64>, Self::Fault>;

    /// Whether an entry of this source was posted already.
    ///
    /// # Errors
    /// The store's fault.
    fn is_posted(&mut self, source: &Source) -> Result<bool, Self::Fault>;

    /// Appends the entry and sets the balances it carries.
    ///
    /// # Errors
    /// The store's fault.
    fn append(&mut self, posted: &Posted) -> Result<(), Self::Fault>;
}

/// An entry that was checked, with the balances after it. Only [`post`] makes one.
#[derive(Debug)]
pub struct Posted {
    id: EntryId,
    at: Timestamp,
    entry: Entry,
    balances: Vec<(Account, Asset, i64)>,
}

impl Posted {
    /// The entry's id.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// When it was posted.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The entry.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Each touched account that [keeps a balance](Account::keeps_balance), with its balance after
    /// the entry.
    #[must_use]
    pub fn balances(&self) -> &[(Account, Asset, i64)] {
        &self.balances
    }
}

/// What became of an entry handed to [`post`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The balances changed.
    Posted,
    /// An entry of the same source stands already; nothing changed.
    Duplicate,
}

/// Why an entry was not posted. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError<F> {
    /// The store failed.
    #[error("the journal cannot be used")]
    Store(F),
    /// A balance would leave the range it may have, e.g. a bucket below zero.
    #[error("{account} would hold {balance}, which it may not")]
    OutOfBounds {
        /// The account.
        account: Account,
        /// The refused balance.
        balance: i64,
    },
}

/// Posts `entry` once: the same [`Source`] a second time changes nothing.
///
/// # Errors
/// [`PostError`].
pub fn post<J: Journal + ?Sized>(
    journal: &mut J,
    id: EntryId,
    at: Timestamp,
    entry: Entry,
) -> Result<Outcome, PostError<J::Fault>> {
    if journal
        .is_posted(entry.source())
        .map_err(PostError::Store)?
    {
        return Ok(Outcome::Duplicate);
    }
    let mut changes = entry.net();
    changes.retain(|(account, _, _)| account.keeps_balance());
    let keys: Vec<_> = changes
        .iter()
        .map(|(account, asset, _)| (*account, *asset))
        .collect();
    let before = journal.balances(&keys).map_err(PostError::Store)?;
    let mut balances = Vec::with_capacity(changes.len());
    for ((account, asset, change), old) in changes.into_iter().zip(before) {
        let balance = old.checked_add(change);
        match balance {
            Some(balance) if account.may_hold(balance) => balances.push((account, asset, balance)),
            Some(balance) => return Err(PostError::OutOfBounds { account, balance }),
            None => {
                return Err(PostError::OutOfBounds {
                    account,
                    balance: old,
                });
            }
        }
    }
    let posted = Posted {
        id,
        at,
        entry,
        balances,
    };
    journal.append(&posted).map_err(PostError::Store)?;
    Ok(Outcome::Posted)
}
