//! Recomputing every balance from the journal.

use std::collections::BTreeMap;

use crate::{Account, Asset, BucketRole};

/// A posting as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedPosting {
    /// The number of the entry it belongs to.
    pub entry: String,
    /// The account.
    pub account: Account,
    /// What is counted.
    pub asset: Asset,
    /// The signed amount.
    pub amount: i64,
}

/// Something in the books is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFinding {
    /// An entry creates or destroys value.
    #[error("entry {entry}: its postings in {} sum to {sum}, not 0", asset.code())]
    UnbalancedEntry {
        /// The entry's number.
        entry: String,
        /// What does not balance.
        asset: Asset,
        /// The sum found.
        sum: i64,
    },
    /// A stored balance is not the sum of its postings.
    #[error("{account} in {}: stored {stored}, journal says {computed}", asset.code())]
    WrongBalance {
        /// The account.
        account: Account,
        /// What is counted.
        asset: Asset,
        /// The stored balance.
        stored: i64,
        /// The sum of the postings.
        computed: i64,
    },
    /// An account holds what it may not, e.g. a bucket below zero.
    #[error("{account} in {} holds {balance}, which it may not", asset.code())]
    OutOfBounds {
        /// The account.
        account: Account,
        /// What is counted.
        asset: Asset,
        /// The balance.
        balance: i64,
    },
    /// Granted is not left + reserved + used + expired + reversed.
    #[error("{bucket}: granted less everything it became is {difference}, not 0")]
    BucketLeaks {
        /// The bucket's granted account.
        bucket: Account,
        /// What is missing (negative) or invented (positive).
        difference: i64,
    },
}

/// An audit under way: it reads the journal posting by posting and keeps one sum an account, so that
/// a journal of any length can be audited.
#[derive(Debug, Default)]
pub struct Audit {
    entry: String,
    sums: BTreeMap<Asset, i64>,
    computed: BTreeMap<(Account, Asset), i64>,
    findings: Vec<AuditFinding>,
}

impl Audit {
    /// Reads the next posting. Those of one entry come one after another.
    pub fn read(&mut self, posting: &AuditedPosting) {
        if self.entry != posting.entry {
            self.close_entry();
            self.entry.clone_from(&posting.entry);
        }
        let sum = self.sums.entry(posting.asset).or_default();
        *sum = sum.saturating_add(posting.amount);
        let balance = self
            .computed
            .entry((posting.account, posting.asset))
            .or_default();
        *balance = balance.saturating_add(posting.amount);
    }

    fn close_entry(&mut self) {
        let sums = std::mem::take(&mut self.sums).into_iter();
        for (asset, sum) in sums.filter(|(_, sum)| *sum != 0) {
            self.findings.push(AuditFinding::UnbalancedEntry {
                entry: self.entry.clone(),
                asset,
                sum,
            });
        }
    }

    /// What is wrong, given the stored balances.
    #[must_use]
    pub fn finish(mut self, stored: &[(Account, Asset, i64)]) -> Vec<AuditFinding> {
        self.close_entry();
        compare(&self.computed, stored, &mut self.findings);
        self.findings
    }
}

/// Checks the journal's postings, those of an entry one after another, against the stored balances
/// and every rule of the books.
#[must_use]
pub fn audit(postings: &[AuditedPosting], stored: &[(Account, Asset, i64)]) -> Vec<AuditFinding> {
    let mut audit = Audit::default();
    postings.iter().for_each(|posting| audit.read(posting));
    audit.finish(stored)
}

fn compare(
    computed: &BTreeMap<(Account, Asset), i64>,
    stored: &[(Account, Asset, i64)],
    findings: &mut Vec<AuditFinding>,
) {
    let kept: BTreeMap<_, _> = stored
        .iter()
        .map(|(account, asset, sum)| ((*account, *asset), *sum))
        .collect();
    for key @ (account, asset) in computed
        .keys()
        .chain(kept.keys().filter(|key| !computed.contains_key(key)))
    {
        let (sum, stored) = (
            computed.get(key).copied().unwrap_or(0),
            kept.get(key).copied().unwrap_or(0),
        );
        if account.keeps_balance() && sum != stored {
            findings.push(AuditFinding::WrongBalance {
                account: *account,
                asset: *asset,
                stored,
                computed: sum,
            });
        }
        if !account.may_hold(sum) {
            findings.push(AuditFinding::OutOfBounds {
                account: *account,
                asset: *asset,
                balance: sum,
            });
        }
    }
    findings.extend(leaking_buckets(computed));
}

fn leaking_buckets(computed: &BTreeMap<(Account, Asset), i64>) -> Vec<AuditFinding> {
    let mut buckets = BTreeMap::new();
    for ((account, _), balance) in computed {
        if let Account::Bucket(id, _) = account {
            let sum: &mut i64 = buckets.entry(*id).or_default();
            *sum = sum.saturating_add(*balance);
        }
    }
    buckets
        .into_iter()
        .filter(|(_, sum)| *sum != 0)
        .map(|(id, difference)| AuditFinding::BucketLeaks {
            bucket: Account::Bucket(id, BucketRole::Granted),
            difference,
        })
        .collect()
}
