//! What a use of the network takes from which bucket.

use simurgh_ledger::{BucketRole, Entry, EntryError, Source};
use simurgh_vocab::{Timestamp, Unit, ZoneCode};

use crate::BucketBalance;
use crate::subscription::transfer;

/// A use of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// What was used.
    pub unit: Unit,
    /// How much.
    pub amount: i64,
    /// Where.
    pub zone: ZoneCode,
    /// When.
    pub at: Timestamp,
}

/// What became of a reported use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumption {
    /// Moves the used part; none if no bucket covers any of it.
    pub entry: Option<Entry>,
    /// How much no bucket covers.
    pub uncovered: i64,
}

/// Takes what was used from the open buckets for any rating group: lowest priority number
/// first, then soonest end, then the smaller bucket. `source`
/// tells one report from another; the same source takes only once.
///
/// # Errors
/// [`EntryError::Overflow`].
pub fn consume(
    balances: &[BucketBalance],
    used: &Use,
    source: Source,
) -> Result<Consumption, EntryError> {
    let mut open: Vec<_> = balances
        .iter()
        .filter(|b| {
            b.bucket.counts(used.unit) && b.bucket.zone == used.zone && b.bucket.is_open(used.at)
        })
        .filter(|b| b.holding.left > 0 && b.bucket.terms.covers(None))
        .collect();
    open.sort_by_key(|b| {
        let bucket = &b.bucket;
        (
            bucket.terms.priority,
            bucket.ends_at(),
            b.holding.left,
            bucket.id,
        )
    });
    let mut rest = used.amount.max(0);
    let mut postings = Vec::new();
    for balance in open {
        let taken = rest.min(balance.holding.left);
        rest -= taken;
        postings.extend(transfer(
            &balance.bucket,
            BucketRole::Left,
            BucketRole::Used,
            taken,
        ));
    }
    let entry = match Entry::new(source, postings) {
        Ok(entry) => Some(entry),
        Err(EntryError::Empty) => None,
        Err(error) => return Err(error),
    };
    Ok(Consumption {
        entry,
        uncovered: rest,
    })
}
