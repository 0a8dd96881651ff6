//! The ledger against a journal in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use proptest::prelude::*;
use simurgh_ledger::{
    Account, Asset, AuditFinding, AuditedPosting, BucketRole, Entry, EntryError, Journal, Outcome,
    PostError, Posted, Posting, Source, audit, post,
};
use simurgh_vocab::{BucketId, Currency, EntryId, Money, SubscriptionId, Timestamp, Unit};

#[derive(Default)]
struct Memory {
    sources: BTreeSet<(String, String)>,
    postings: Vec<AuditedPosting>,
    balances: BTreeMap<(Account, Asset), i64>,
}

impl Journal for Memory {
    type Fault = Infallible;

    fn balances(&mut self, accounts: &[(Account, Asset)]) -> Result<Vec<i64>, Infallible> {
        Ok(accounts
            .iter()
            .map(|key| self.balances.get(key).copied().unwrap_or(0))
            .collect())
    }

    fn is_posted(&mut self, source: &Source) -> Result<bool, Infallible> {
        Ok(self
            .sources
            .contains(&(source.kind.to_owned(), source.id.clone())))
    }

    fn append(&mut self, posted: &Posted) -> Result<(), Infallible> {
        let source = posted.entry().source();
        self.sources
            .insert((source.kind.to_owned(), source.id.clone()));
        for posting in posted.entry().postings() {
            self.postings.push(AuditedPosting {
                entry: posted.id().number(),
                account: posting.account,
                asset: posting.asset,
                amount: posting.amount,
            });
        }
        for (account, asset, balance) in posted.balances() {
            self.balances.insert((*account, *asset), *balance);
        }
        Ok(())
    }
}

impl Memory {
    fn stored(&self) -> Vec<(Account, Asset, i64)> {
        self.balances
            .iter()
            .map(|((account, asset), sum)| (*account, *asset, *sum))
            .collect()
    }
}

fn bucket(role: BucketRole) -> Account {
    Account::Bucket(BucketId::from_parts(1, &[1; 10]), role)
}

fn moved(source: &str, from: BucketRole, to: BucketRole, amount: i64) -> Entry {
    let postings = vec![
        Posting::service(bucket(from), Unit::Octets, -amount),
        Posting::service(bucket(to), Unit::Octets, amount),
    ];
    Entry::new(Source::new("test", source), postings).unwrap()
}

fn entry_id(n: u64) -> EntryId {
    EntryId::from_parts(n, &[0; 10])
}

#[test]
fn value_never_appears_or_vanishes() {
    let money = Money::new(100, Currency::Cny);
    let other = Money::new(100, Currency::Usd);
    let source = || Source::new("test", 1);
    let unbalanced = vec![
        Posting::debit(Account::Clearing, money),
        Posting::credit(Account::Revenue, other),
    ];
    assert_eq!(
        Entry::new(source(), unbalanced),
        Err(EntryError::Unbalanced)
    );
    let nothing = vec![Posting::debit(
        Account::Clearing,
        Money::zero(Currency::Cny),
    )];
    assert_eq!(Entry::new(source(), nothing), Err(EntryError::Empty));
}

#[test]
fn a_source_is_posted_once() {
    let mut journal = Memory::default();
    let at = Timestamp::from_micros(0);
    let grant = || moved("g", BucketRole::Granted, BucketRole::Left, 10);
    assert_eq!(
        post(&mut journal, entry_id(1), at, grant()),
        Ok(Outcome::Posted)
    );
    assert_eq!(
        post(&mut journal, entry_id(2), at, grant()),
        Ok(Outcome::Duplicate)
    );
    assert_eq!(
        journal.balances[&(bucket(BucketRole::Left), Asset::Service(Unit::Octets))],
        10
    );
}

#[test]
fn a_bucket_never_goes_below_zero() {
    let mut journal = Memory::default();
    let at = Timestamp::from_micros(0);
    let use_too_much = moved("u", BucketRole::Left, BucketRole::Used, 1);
    let refused = post(&mut journal, entry_id(1), at, use_too_much);
    assert_eq!(
        refused,
        Err(PostError::OutOfBounds {
            account: bucket(BucketRole::Left),
            balance: -1
        })
    );
    assert!(
        journal.postings.is_empty(),
        "a refused entry leaves nothing behind"
    );
}

#[test]
fn every_account_name_reads_back() {
    let subscription = SubscriptionId::from_parts(3, &[3; 10]);
    let mut accounts = vec![
        Account::Clearing,
        Account::RefundsPayable,
        Account::Unassigned,
        Account::TaxPayable,
        Account::Revenue,
        Account::Chargebacks,
        Account::DeferredRevenue(subscription),
    ];
    accounts.extend(BucketRole::ALL.map(bucket));
    for account in accounts {
        assert_eq!(account.to_string().parse(), Ok(account));
    }
    assert!("bucket:x:left".parse::<Account>().is_err());
    assert!("revenue:1".parse::<Account>().is_err());
}

#[test]
fn the_audit_finds_each_kind_of_damage() {
    let mut journal = Memory::default();
    let at = Timestamp::from_micros(0);
    post(
        &mut journal,
        entry_id(1),
        at,
        moved("g", BucketRole::Granted, BucketRole::Left, 10),
    )
    .unwrap();
    assert_eq!(audit(&journal.postings, &journal.stored()), vec![]);

    let mut wrong = journal.stored();
    wrong[0].2 += 1;
    assert!(matches!(
        audit(&journal.postings, &wrong)[..],
        [AuditFinding::WrongBalance { .. }]
    ));

    let mut postings = journal.postings.clone();
    postings.pop();
    let findings = audit(&postings, &journal.stored());
    assert!(
        findings
            .iter()
            .any(|f| matches!(f, AuditFinding::UnbalancedEntry { .. }))
    );
    assert!(findings.iter().any(|f| matches!(
        f,
        AuditFinding::BucketLeaks {
            difference: -10,
            ..
        }
    )));
}

proptest! {
    #[test]
    fn the_audit_is_clean_after_any_accepted_entries(
        moves in prop::collection::vec((0usize..6, 0usize..6, 1i64..1_000), 1..60)
    ) {
        let mut journal = Memory::default();
        for (n, (from, to, amount)) in moves.into_iter().enumerate() {
            if from == to { continue; }
            let entry = moved(&n.to_string(), BucketRole::ALL[from], BucketRole::ALL[to], amount);
            let _ = post(&mut journal, entry_id(n as u64), Timestamp::from_micros(0), entry);
        }
        prop_assert_eq!(audit(&journal.postings, &journal.stored()), vec![]);
    }
}
