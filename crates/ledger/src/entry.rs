//! Entries: postings that belong together.

use std::collections::BTreeMap;
use std::fmt;

use simurgh_vocab::{Currency, Money, Unit};

use crate::Account;

/// What an amount counts: money of a currency, or a unit of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asset {
    /// Minor units of a currency.
    Money(Currency),
    /// Octets, seconds or messages.
    Service(Unit),
}

impl Asset {
    /// The name under which it is stored: an ISO 4217 code or a unit's code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Money(currency) => currency.code(),
            Self::Service(unit) => unit.code(),
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Unit::from_code(code)
            .map(Self::Service)
            .or_else(|| code.parse().ok().map(Self::Money))
    }
}

/// What an entry records; at most one entry exists per source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    /// The kind of event, e.g. `capture`, `grant`, `usage`, `expiry`.
    pub kind: &'static str,
    /// What tells two events of a kind apart, e.g. the payment's number.
    pub id: String,
}

impl Source {
    /// The source of `kind` with `id`.
    pub fn new(kind: &'static str, id: impl fmt::Display) -> Self {
        Self {
            kind,
            id: id.to_string(),
        }
    }
}

/// One line of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// What is counted.
    pub asset: Asset,
    /// The signed amount: debit positive, credit negative.
    pub amount: i64,
}

/// Postings that sum to zero per asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    source: Source,
    postings: Vec<Posting>,
}

/// Why postings do not make an entry. Each is a defect of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Nothing is moved.
    #[error("an entry needs at least two postings that are not zero")]
    Empty,
    /// Value would appear or vanish.
    #[error("the postings do not sum to zero")]
    Unbalanced,
    /// A sum does not fit.
    #[error("the amounts are too large")]
    Overflow,
}

impl Entry {
    /// Makes an entry of `postings`; postings of zero are left out.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn new(source: Source, postings: Vec<Posting>) -> Result<Self, EntryError> {
        let postings: Vec<_> = postings
            .into_iter()
            .filter(|posting| posting.amount != 0)
            .collect();
        if postings.len() < 2 {
            return Err(EntryError::Empty);
        }
        let mut sums: BTreeMap<Asset, i64> = BTreeMap::new();
        for posting in &postings {
            let sum = sums.entry(posting.asset).or_default();
            *sum = sum
                .checked_add(posting.amount)
                .ok_or(EntryError::Overflow)?;
        }
        if sums.values().any(|sum| *sum != 0) {
            return Err(EntryError::Unbalanced);
        }
        Ok(Self { source, postings })
    }

    /// What the entry records.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The postings.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// The change per account, in the order of accounts: the order in which rows are locked.
    pub(crate) fn net(&self) -> Vec<(Account, Asset, i64)> {
        let mut net: BTreeMap<(Account, Asset), i64> = BTreeMap::new();
        for posting in &self.postings {
            let change = net.entry((posting.account, posting.asset)).or_default();
            *change = change.saturating_add(posting.amount);
        }
        net.into_iter()
            .map(|((account, asset), change)| (account, asset, change))
            .collect()
    }
}

impl Posting {
    /// Moves `amount` of a unit of service to `account` (from it, when negative).
    #[must_use]
    pub const fn service(account: Account, unit: Unit, amount: i64) -> Self {
        Self {
            account,
            asset: Asset::Service(unit),
            amount,
        }
    }

    /// Debits `account` with `money`.
    #[must_use]
    pub const fn debit(account: Account, money: Money) -> Self {
        Self {
            account,
            asset: Asset::Money(money.currency),
            amount: money.minor,
        }
    }

    /// Credits `account` with `money`.
    #[must_use]
    pub const fn credit(account: Account, money: Money) -> Self {
        Self {
            account,
            asset: Asset::Money(money.currency),
            amount: -money.minor,
        }
    }
}
