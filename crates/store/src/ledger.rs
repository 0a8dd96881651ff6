//! The double-entry journal, and the auditor's view of it.

mod rules;

pub(crate) use rules::Rule;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use simurgh_app::ports::{Books, PostingCursor, StoreFault};
use simurgh_ledger::{Account, Asset, AuditedPosting, BucketRole, Journal, Posted, Source};
use simurgh_vocab::{BucketId, EntryId};

use crate::db::{Row, Value};
use crate::lines::buckets::{holdings, set_amounts};
use crate::params;
use crate::rows::insert_rows;
use crate::tx::{Lock, StoreTx, in_list};

impl Journal for StoreTx<'_> {
    type Fault = StoreFault;

    fn balances(&mut self, accounts: &[(Account, Asset)]) -> Result<Vec<i64>, StoreFault> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        self.locks(Lock::Balance, &[])?;
        let buckets: BTreeSet<BucketId> = accounts.iter().filter_map(|it| it.0.bucket()).collect();
        let held = if buckets.is_empty() {
            HashMap::new()
        } else {
            holdings(self, &buckets)?
        };
        let (all, accounts) = (accounts, without_buckets(accounts));
        let names: Vec<Name> = accounts.iter().map(name).collect();
        let mut known = locked(self, &names)?;
        let mut missing: Vec<&Name> = accounts
            .iter()
            .zip(&names)
            .filter(|((account, _), name)| is_shared(account) && !known.contains_key(*name))
            .map(|(_, name)| name)
            .collect();
        if !missing.is_empty() {
            missing.sort();
            open_accounts(self, &missing)?;
            known = locked(self, &names)?;
        }
        let balance = |key: &(Account, Asset)| match key.0 {
            Account::Bucket(id, role) => held.get(&id).map_or(0, |it| it.of(role)),
            Account::Clearing
            | Account::RefundsPayable
            | Account::DeferredRevenue(_)
            | Account::Unassigned
            | Account::TaxPayable
            | Account::Revenue
            | Account::Chargebacks => known.get(&name(key)).copied().unwrap_or(0),
        };
        Ok(all.iter().map(balance).collect())
    }

    fn is_posted(&mut self, source: &Source) -> Result<bool, StoreFault> {
        let sql = "SELECT EXISTS (SELECT 1 FROM ledger_entry
                   WHERE source_kind = ?1 AND source_id = ?2)";
        self.query_one(sql, &params![source.kind, &source.id])?
            .boolean()
    }

    fn append(&mut self, posted: &Posted) -> Result<(), StoreFault> {
        let source = posted.entry().source();
        self.execute(
            "INSERT INTO ledger_entry (id, source_kind, source_id, posted_at)
             VALUES (?1, ?2, ?3, ?4)",
            &params![posted.id(), source.kind, &source.id, posted.at()],
        )?;
        let postings: Vec<_> = (0i64..)
            .zip(posted.entry().postings())
            .map(|(position, posting)| {
                let (account, unit) = name(&(posting.account, posting.asset));
                params![posted.id(), position, account, unit, posting.amount]
            })
            .collect();
        insert_rows(
            self,
            "INSERT INTO ledger_posting (entry_id, position, account, unit, amount) VALUES",
            &postings,
            "",
        )?;
        let mut amounts: BTreeMap<BucketId, Vec<(BucketRole, i64)>> = BTreeMap::new();
        let mut balances = Vec::new();
        for (account, asset, amount) in posted.balances() {
            if let Account::Bucket(id, role) = account {
                amounts.entry(*id).or_default().push((*role, *amount));
            } else {
                let (account, unit) = name(&(*account, *asset));
                balances.push(params![account, unit, *amount]);
            }
        }
        set_amounts(self, &amounts)?;
        insert_rows(
            self,
            "INSERT INTO ledger_balance (account, unit, amount) VALUES",
            &balances,
            "ON CONFLICT (account, unit) DO UPDATE SET amount = excluded.amount",
        )
    }
}

impl Books for StoreTx<'_> {
    fn postings_after(
        &mut self,
        after: Option<PostingCursor>,
        limit: u32,
    ) -> Result<(Vec<AuditedPosting>, Option<PostingCursor>), StoreFault> {
        let (entry, position) = after.unwrap_or_default();
        let sql = "SELECT entry_id, position, account, unit, amount FROM ledger_posting
                   WHERE (entry_id, position) > (?1, ?2) ORDER BY entry_id, position LIMIT ?3";
        // No entry has the id of zero bytes that the first page comes after.
        let mut rows = self.query(sql, &params![entry, position, limit])?;
        let is_full = u32::try_from(rows.len()).is_ok_and(|length| length == limit);
        let end = match rows.last_mut().filter(|_| is_full) {
            Some(last) => Some((last.blob()?, last.int()?)),
            None => None,
        };
        let postings = rows.iter_mut().map(posting).collect::<Result<_, _>>()?;
        Ok((postings, end))
    }

    fn stored_balances(&mut self) -> Result<Vec<(Account, Asset, i64)>, StoreFault> {
        let mut balances = Vec::new();
        let sql = "SELECT account, unit, amount FROM ledger_balance ORDER BY account, unit";
        self.query_each(sql, &[], |mut row| {
            balances.push((row.parsed()?, row.code(Asset::from_code)?, row.int()?));
            Ok(())
        })?;
        let sql = "SELECT id, unit, amount_granted, amount_left, amount_reserved, amount_used,
                   amount_expired, amount_reversed FROM bucket ORDER BY id";
        self.query_each(sql, &[], |mut row| {
            let (id, asset) = (row.id()?, row.code(Asset::from_code)?);
            for role in BucketRole::ALL {
                balances.push((Account::Bucket(id, role), asset, row.int()?));
            }
            Ok(())
        })?;
        Ok(balances)
    }

    fn broken_rules(&mut self) -> Result<Vec<(&'static str, i64)>, StoreFault> {
        rules::RULES
            .iter()
            .chain(crate::esim::RULES)
            .map(|(rule, sql)| Ok((*rule, self.query_one(sql, &[])?.int()?)))
            .collect()
    }
}

/// An account and its unit as they are stored.
type Name = (String, &'static str);

fn without_buckets(accounts: &[(Account, Asset)]) -> Vec<(Account, Asset)> {
    let mut others = accounts.to_vec();
    others.retain(|(account, _)| account.bucket().is_none());
    others
}

fn name((account, asset): &(Account, Asset)) -> Name {
    (account.to_string(), asset.code())
}

/// The balances that stand, locked in the order of their names: the same for every transaction.
fn locked(tx: &mut StoreTx<'_>, names: &[Name]) -> Result<HashMap<Name, i64>, StoreFault> {
    // Two lists, because SQLite reads the whole table for a list of pairs. Rows that match both
    // but are no pair asked for do no harm.
    let accounts: BTreeSet<&str> = names.iter().map(|(account, _)| account.as_str()).collect();
    let units: BTreeSet<&str> = names.iter().map(|(_, unit)| *unit).collect();
    let sql = format!(
        "SELECT account, unit, amount FROM ledger_balance
         WHERE account IN {} AND unit IN {} ORDER BY account, unit",
        in_list(1, accounts.len()),
        in_list(accounts.len() + 1, units.len())
    );
    let texts = accounts.into_iter().chain(units);
    let params: Vec<Value> = texts.map(Value::from).collect();
    let mut known = HashMap::with_capacity(names.len());
    for mut row in tx.query_locked(&sql, &params)? {
        let account = row.text()?;
        let asset = row.code(Asset::from_code)?;
        known.insert((account, asset.code()), row.int()?);
    }
    Ok(known)
}

/// Whether transactions about different customers may be the first to post to the account at the
/// same time. The others have their order or their line locked, or keep no balance.
const fn is_shared(account: &Account) -> bool {
    match account {
        Account::RefundsPayable | Account::Unassigned => true,
        Account::Clearing
        | Account::TaxPayable
        | Account::Revenue
        | Account::Chargebacks
        | Account::DeferredRevenue(_)
        | Account::Bucket(_, _) => false,
    }
}

/// Gives accounts a row, so that there is something to lock.
fn open_accounts(tx: &mut StoreTx<'_>, names: &[&Name]) -> Result<(), StoreFault> {
    let rows: Vec<_> = names
        .iter()
        .map(|(account, unit)| params![account, *unit, 0])
        .collect();
    insert_rows(
        tx,
        "INSERT INTO ledger_balance (account, unit, amount) VALUES",
        &rows,
        "ON CONFLICT (account, unit) DO NOTHING",
    )
}

fn posting(row: &mut Row) -> Result<AuditedPosting, StoreFault> {
    let entry: EntryId = row.at(0).id()?;
    Ok(AuditedPosting {
        entry: entry.number(),
        account: row.at(2).parsed()?,
        asset: row.code(Asset::from_code)?,
        amount: row.int()?,
    })
}
