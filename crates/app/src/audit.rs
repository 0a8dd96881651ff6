//! `simurgh audit`: every balance recomputed from the journal, every rule checked.

use simurgh_ledger::Audit;

use crate::ports::StoreExt;
use crate::{App, Fault};

/// Postings read at a time.
const PAGE: u32 = 10_000;

/// What the audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// How many postings were read.
    pub postings: usize,
    /// How many balances were compared.
    pub balances: usize,
    /// What is wrong, a line each; empty when the books are clean.
    pub findings: Vec<String>,
}

impl App {
    /// Audits the books on one snapshot.
    ///
    /// # Errors
    /// [`Fault`] of the store.
    pub async fn audit(&self) -> Result<AuditReport, Fault> {
        self.store
            .snapshot(|tx| {
                let mut audit = Audit::default();
                let mut postings = 0;
                let mut after = None;
                loop {
                    let (page, next) = tx.postings_after(after, PAGE)?;
                    page.iter().for_each(|posting| audit.read(posting));
                    postings += page.len();
                    match next {
                        Some(next) => after = Some(next),
                        None => break,
                    }
                }
                let stored = tx.stored_balances()?;
                let mut findings: Vec<_> = audit
                    .finish(&stored)
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                let broken = tx
                    .broken_rules()?
                    .into_iter()
                    .filter(|(_, count)| *count > 0);
                findings.extend(broken.map(|(rule, count)| format!("{rule}: {count}")));
                Ok(AuditReport {
                    postings,
                    balances: stored.len(),
                    findings,
                })
            })
            .await
    }
}
