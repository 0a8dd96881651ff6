//! `simurgh audit`: every balance recomputed from the journal, every rule checked.

use std::collections::BTreeMap;

use simurgh_charging::{Debit, Hold};
use simurgh_ledger::{Account, Asset, Audit, AuditedPosting, BucketRole};
use simurgh_vocab::{BucketId, Unit};

use crate::ports::{StoreExt, StoreFault, Tx};
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
                let movements = read_charges(tx, &mut audit, &money_buckets(&stored))?;
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
                    postings: postings + movements,
                    balances: stored.len(),
                    findings,
                })
            })
            .await
    }
}

/// Reads what charging moved: what sessions hold and took since their last record, and what the records
/// say. So reserved is the sum over live sessions, and used is what the records and the live sessions say.
fn read_charges(
    tx: &mut dyn Tx,
    audit: &mut Audit,
    money: &MoneyBuckets,
) -> Result<usize, StoreFault> {
    let mut moved = 0;
    let mut after = String::new();
    loop {
        let page = tx.sessions_after(&after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        for (id, session) in &page {
            for service in &session.services {
                let mut reader = Moves::new(audit, money, id, session.unit);
                for Hold { bucket, amount } in &service.holds {
                    reader.read(*bucket, BucketRole::Reserved, *amount);
                }
                reader.read_all(&service.debits, BucketRole::Used);
                reader.read_all(&service.lapsed, BucketRole::Expired);
                moved += reader.moved;
            }
        }
    }
    let mut after = None;
    loop {
        let page = tx.records_after(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for stored in &page {
            let id = stored.id.number();
            for used in &stored.record.uses {
                let mut reader = Moves::new(audit, money, &id, stored.record.unit);
                reader.read_all(&used.debits, BucketRole::Used);
                reader.read_all(&used.lapsed, BucketRole::Expired);
                moved += reader.moved;
            }
        }
    }
    Ok(moved)
}

/// The buckets that hold money.
type MoneyBuckets = BTreeMap<BucketId, Asset>;

fn money_buckets(stored: &[(Account, Asset, i64)]) -> MoneyBuckets {
    let money = stored.iter().filter_map(|(account, asset, _)| {
        let is_money = matches!(asset, Asset::Money(_));
        account.bucket().filter(|_| is_money).map(|id| (id, *asset))
    });
    money.collect()
}

/// Reads what one session or record took out of what was left.
struct Moves<'a> {
    audit: &'a mut Audit,
    money: &'a MoneyBuckets,
    entry: &'a str,
    /// What buckets count that hold no money.
    service: Asset,
    moved: usize,
}

impl<'a> Moves<'a> {
    fn new(audit: &'a mut Audit, money: &'a MoneyBuckets, entry: &'a str, unit: Unit) -> Self {
        let service = Asset::Service(unit);
        Self {
            audit,
            money,
            entry,
            service,
            moved: 0,
        }
    }

    fn read_all(&mut self, parts: &[Debit], to: BucketRole) {
        for Debit { bucket, amount } in parts {
            self.read(*bucket, to, *amount);
        }
    }

    fn read(&mut self, bucket: BucketId, to: BucketRole, amount: i64) {
        let asset = self.money.get(&bucket).copied().unwrap_or(self.service);
        for (role, amount) in [(BucketRole::Left, -amount), (to, amount)] {
            self.audit.read(&AuditedPosting {
                entry: self.entry.to_owned(),
                account: Account::Bucket(bucket, role),
                asset,
                amount,
            });
            self.moved += 1;
        }
    }
}
