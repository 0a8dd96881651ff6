//! The ledger as the auditor reads it.

use simurgh_ledger::{Account, Asset, AuditedPosting};

use super::StoreFault;

/// Where a page of postings ended: the entry and the position in it.
pub type PostingCursor = (Vec<u8>, i64);

/// Reads over the whole ledger, for the audit. Writing goes through `ledger::post` only.
pub trait Books {
    /// Every posting, `limit` at a time, after the entry and position that came last.
    fn postings_after(
        &mut self,
        after: Option<PostingCursor>,
        limit: u32,
    ) -> Result<(Vec<AuditedPosting>, Option<PostingCursor>), StoreFault>;
    /// Every stored balance.
    fn stored_balances(&mut self) -> Result<Vec<(Account, Asset, i64)>, StoreFault>;
    /// Facts the ledger must agree with, counted by the store: each names what it counts and how
    /// many rows break it, e.g. paid orders without a grant.
    fn broken_rules(&mut self) -> Result<Vec<(&'static str, i64)>, StoreFault>;
}
