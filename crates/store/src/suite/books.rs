//! The ledger and the rules that tie it to sales and lines.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use simurgh_app::ports::{Books, LineState, Lines, Sales, Verdict};
use simurgh_charging::{Bucket, BucketWindow, SubscriptionState};
use simurgh_commerce::{CloseReason, DocumentKind, Order, OrderState, PaymentState, RefundState};
use simurgh_ledger::{
    Account, Asset, BucketRole, Entry, Journal, Outcome, Posting, Source, audit, post,
};
use simurgh_vocab::{Currency, EntryId, Money, SubscriptionId, Unit};

use super::{chips, make};
use crate::testing::{NOW, each_store};
use crate::tx::StoreTx;

const fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

const CASH: (Account, Asset) = (Account::Clearing, Asset::Money(Currency::Cny));
const OWED: (Account, Asset) = (Account::RefundsPayable, CASH.1);

/// Money of which a part belongs to nobody yet.
fn sale(source: impl std::fmt::Display) -> Entry {
    let postings = vec![
        Posting::debit(Account::Clearing, yuan(100)),
        Posting::credit(Account::Unassigned, yuan(6)),
        Posting::credit(Account::RefundsPayable, yuan(94)),
    ];
    Entry::new(Source::new("test", source), postings).unwrap()
}

#[test]
fn an_entry_is_posted_once_and_balances_follow() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let euro = (Account::RefundsPayable, Asset::Money(Currency::Eur));
                assert_eq!(tx.balances(&[]), Ok(vec![]));
                assert_eq!(tx.balances(&[OWED, euro]), Ok(vec![0, 0]));
                for (number, outcome) in [(1, Outcome::Posted), (2, Outcome::Posted)] {
                    let id = make::id(EntryId::from_parts, number);
                    assert_eq!(post(tx, id, NOW, sale(number)), Ok(outcome));
                }
                let id = make::id(EntryId::from_parts, 3);
                assert_eq!(post(tx, id, NOW, sale(1)), Ok(Outcome::Duplicate));
                assert_eq!(tx.is_posted(&Source::new("other", 1)), Ok(false));
                let unassigned = (Account::Unassigned, CASH.1);
                assert_eq!(tx.balances(&[OWED, unassigned]), Ok(vec![-188, -12]));
            })
            .unwrap();
    });
}

#[test]
fn the_journal_is_read_in_pages() {
    each_store(|subject| {
        subject
            .write(|tx| {
                for number in 1..=5 {
                    let id = make::id(EntryId::from_parts, number);
                    post(tx, id, NOW, sale(number)).unwrap();
                }
                let (whole, end) = tx.postings_after(None, 1_000).unwrap();
                assert_eq!((whole.len(), end), (15, None));
                let first = make::id(EntryId::from_parts, 1).number();
                assert_eq!((&whole[0].entry, whole[0].amount), (&first, 100));
                let (mut pages, mut after) = (Vec::new(), None);
                loop {
                    let (page, end) = tx.postings_after(after, 4).unwrap();
                    pages.extend(page);
                    after = end;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(pages, whole);
                let stored = tx.stored_balances().unwrap();
                assert_eq!(stored.len(), 2, "none is kept of money at providers");
                assert_eq!(audit(&whole, &stored), []);
            })
            .unwrap();
    });
}

#[test]
fn postings_at_once_lose_nothing() {
    const EACH: u8 = 20;
    each_store(|subject| {
        std::thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || {
                    for number in 0..EACH {
                        let number = thread * EACH + number;
                        subject
                            .write(move |tx| {
                                let id = make::id(EntryId::from_parts, number);
                                post(tx, id, NOW, sale(number)).unwrap();
                            })
                            .unwrap();
                    }
                });
            }
        });
        let sum = "SELECT amount FROM ledger_balance WHERE account = 'unassigned'";
        let expected = i64::from(EACH) * 3 * -6;
        assert_eq!(subject.number(sum), expected, "{}", subject.name);
    });
}

/// Purchases of different customers must not wait for each other until one has committed.
#[test]
fn a_purchase_does_not_wait_for_another_one() {
    let capture = |number: u8| {
        let plan = make::id(SubscriptionId::from_parts, number);
        let postings = vec![
            Posting::debit(Account::Clearing, yuan(100)),
            Posting::credit(Account::TaxPayable, yuan(6)),
            Posting::credit(Account::DeferredRevenue(plan), yuan(94)),
        ];
        let earned = vec![
            Posting::debit(Account::DeferredRevenue(plan), yuan(94)),
            Posting::credit(Account::Revenue, yuan(94)),
        ];
        let capture = Entry::new(Source::new("capture", number), postings).unwrap();
        let earned = Entry::new(Source::new("earn", number), earned).unwrap();
        move |tx: &mut StoreTx<'_>| {
            let ids = [number, number + 100].map(|id| make::id(EntryId::from_parts, id));
            for (id, entry) in ids.into_iter().zip([capture.clone(), earned.clone()]) {
                assert_eq!(post(tx, id, NOW, entry), Ok(Outcome::Posted));
            }
        }
    };
    each_store(|subject| {
        if subject.name != "postgres" {
            // One writer at a time, by design.
            return;
        }
        let (posted, first_has_posted) = mpsc::channel();
        let (done, second_is_done) = mpsc::channel::<()>();
        let patience = Duration::from_secs(10);
        std::thread::scope(|scope| {
            let first = capture(1);
            scope.spawn(move || {
                let ended = subject.write(move |tx| {
                    first(tx);
                    posted.send(()).unwrap();
                    let second = second_is_done.recv_timeout(patience);
                    assert!(second.is_ok(), "the second purchase waits for the first");
                });
                assert_eq!(ended, Ok(()));
            });
            first_has_posted.recv_timeout(patience).unwrap();
            assert_eq!(subject.write(capture(2)), Ok(()));
            done.send(()).unwrap();
        });
        let sum = "SELECT CAST(SUM(amount) AS BIGINT) FROM ledger_posting
                   WHERE account = 'revenue'";
        assert_eq!(subject.number(sum), -188);
    });
}

/// Posts `amount` from one account to another.
fn book(
    tx: &mut StoreTx<'_>,
    source: Source,
    (from, to): (Account, Account),
    asset: Asset,
    amount: i64,
) {
    let posting = |account, amount| Posting {
        account,
        asset,
        amount,
    };
    let postings = vec![posting(from, -amount), posting(to, amount)];
    let entry = Entry::new(source, postings).unwrap();
    let count = tx.query_one("SELECT COUNT(*) FROM ledger_entry", &[]);
    let number: u8 = count.unwrap().number().unwrap();
    let id = make::id(EntryId::from_parts, number);
    assert_eq!(post(tx, id, NOW, entry), Ok(Outcome::Posted));
}

fn invoice(tx: &mut StoreTx<'_>, number: u8, order: &Order, kind: DocumentKind) {
    let credit = kind != DocumentKind::Invoice;
    let sequence = tx.next_document_number("SIM", 2026, credit).unwrap();
    let document = make::document(number, order, kind, sequence);
    tx.insert_document(&document).unwrap();
}

fn capture(tx: &mut StoreTx<'_>, number: u8, order: u8, to: Account) {
    let payment = make::payment(number, order, PaymentState::Captured { at: NOW });
    tx.insert_payment(&payment).unwrap();
    let source = Source::new("capture", payment.id);
    book(tx, source, (to, Account::Clearing), CASH.1, 3_900);
}

/// An order that was paid, with all that belongs to it. Gives its bucket.
fn paid(tx: &mut StoreTx<'_>, number: u8, state: OrderState) -> (Order, Bucket) {
    let order = make::order(number, state);
    tx.insert_order(&order).unwrap();
    let subscription = make::subscription(
        number,
        SubscriptionState::Scheduled {
            period: make::period(),
        },
    );
    tx.insert_subscription(&subscription).unwrap();
    let bucket = make::bucket(number, number, BucketWindow::Fixed(make::period()));
    tx.insert_bucket(&bucket).unwrap();
    capture(
        tx,
        number,
        number,
        Account::DeferredRevenue(subscription.id),
    );
    tax(tx, "tax", &order, (Account::TaxPayable, subscription.id));
    let [granted, left] =
        [BucketRole::Granted, BucketRole::Left].map(|role| Account::Bucket(bucket.id, role));
    let source = Source::new("grant", order.id);
    book(
        tx,
        source,
        (granted, left),
        Asset::Service(Unit::Octets),
        1_000,
    );
    invoice(tx, number, &order, DocumentKind::Invoice);
    (order, bucket)
}

/// Moves an order's tax out of the money for its plan, or back.
fn tax(
    tx: &mut StoreTx<'_>,
    kind: &'static str,
    order: &Order,
    (from, plan): (Account, SubscriptionId),
) {
    let deferred = Account::DeferredRevenue(plan);
    let accounts = match from {
        Account::TaxPayable => (from, deferred),
        _ => (deferred, Account::TaxPayable),
    };
    let source = Source::new(kind, order.id);
    book(tx, source, accounts, CASH.1, order.tax.minor);
}

/// Takes the order back that [`paid`] made.
fn take_back(tx: &mut StoreTx<'_>, number: u8, (order, bucket): (Order, Bucket)) {
    let [left, reversed] =
        [BucketRole::Left, BucketRole::Reversed].map(|role| Account::Bucket(bucket.id, role));
    let source = Source::new("revoke", order.id);
    book(
        tx,
        source,
        (left, reversed),
        Asset::Service(Unit::Octets),
        1_000,
    );
    tx.close_buckets(&[bucket.id]).unwrap();
    let subscription = make::subscription(number, SubscriptionState::Revoked { at: NOW });
    tx.update_subscription(&subscription).unwrap();
    let revenue = Account::DeferredRevenue(subscription.id);
    tax(tx, "tax-back", &order, (revenue, subscription.id));
    let source = Source::new("refund", order.id);
    book(
        tx,
        source,
        (Account::RefundsPayable, revenue),
        CASH.1,
        3_900,
    );
    refunded(tx, number, number, number);
    let of_order = tx.documents_of_order(order.id).unwrap();
    let invoice_id = of_order[0].id;
    let kind = DocumentKind::CreditNote {
        invoice: invoice_id,
    };
    invoice(tx, number + 100, &order, kind);
}

/// Sends a payment's money back.
fn refunded(tx: &mut StoreTx<'_>, number: u8, payment: u8, order: u8) {
    let refund = make::refund(number, payment, order, RefundState::Succeeded { at: NOW });
    tx.insert_refund(&refund).unwrap();
    let source = Source::new("refund-sent", refund.id);
    book(
        tx,
        source,
        (Account::Clearing, Account::RefundsPayable),
        CASH.1,
        3_900,
    );
}

/// A paid order, a refunded one, one that was closed before its money came, an open one.
fn operator(tx: &mut StoreTx<'_>) {
    tx.insert_line(&make::line(1, LineState::Active)).unwrap();
    paid(tx, 1, OrderState::Fulfilled { at: NOW });
    let order = paid(tx, 2, OrderState::Refunded { at: NOW });
    take_back(tx, 2, order);
    let state = OrderState::Closed {
        at: NOW,
        reason: CloseReason::Expired,
    };
    let late = make::order(3, state);
    tx.insert_order(&late).unwrap();
    capture(tx, 3, 3, Account::Unassigned);
    let source = Source::new("return", 3);
    book(
        tx,
        source,
        (Account::RefundsPayable, Account::Unassigned),
        CASH.1,
        3_900,
    );
    refunded(tx, 3, 3, 3);
    let open = make::order(4, OrderState::AwaitingPayment);
    tx.insert_order(&open).unwrap();
    tx.insert_payment(&make::payment(5, 4, PaymentState::Unknown))
        .unwrap();
}

fn broken(tx: &mut StoreTx<'_>) -> BTreeSet<&'static str> {
    let rules = tx.broken_rules().unwrap().into_iter();
    rules
        .filter(|(_, count)| *count > 0)
        .map(|(rule, _)| rule)
        .collect()
}

/// What somebody could do to the rows behind the program's back, and a rule that must notice.
const DAMAGE: &[(&str, &str)] = &[
    (
        "paid orders without a subscription",
        "DELETE FROM subscription WHERE state = 'scheduled'",
    ),
    (
        "subscriptions without a paid order",
        "UPDATE sales_order SET state = 'awaiting-payment' WHERE state = 'fulfilled'",
    ),
    (
        "fulfilled orders without a payment",
        "UPDATE payment SET state = 'unknown' WHERE queries = 1",
    ),
    (
        "fulfilled orders with two payments",
        "UPDATE payment SET state = 'captured', order_id =
         (SELECT id FROM sales_order WHERE state = 'fulfilled') WHERE queries = 5",
    ),
    (
        "payments kept without a fulfilled order",
        "UPDATE payment SET state = 'captured' WHERE queries = 5",
    ),
    (
        "payments without an order",
        "UPDATE payment SET order_id = id WHERE queries = 5",
    ),
    (
        "refunded orders without a refund",
        "UPDATE sales_order SET state = 'refunded' WHERE state = 'fulfilled'",
    ),
    (
        "refunds that differ from their payment",
        "UPDATE refund SET amount = amount + 1 WHERE reason = 'unused-plan'",
    ),
    (
        "paid orders without exactly one invoice",
        "UPDATE sales_order SET total = total + 1 WHERE state = 'fulfilled'",
    ),
    (
        "refunded orders without exactly one credit note",
        "UPDATE sales_order SET total = total + 1 WHERE state = 'refunded'",
    ),
    (
        "documents without a paid order",
        "UPDATE sales_order SET state = 'fulfilled' WHERE state = 'refunded'",
    ),
    (
        "document series with gaps",
        "UPDATE document_counter SET last = last + 1",
    ),
    (
        "document counters without documents",
        "INSERT INTO document_counter (series, year, credit, last) VALUES ('SIM', 2030, 0, 1)",
    ),
    (
        "documents whose lines differ from the total",
        "INSERT INTO document_line
         SELECT document_id, 99, kind, label_zh, label_en, quantity, 1 FROM document_line
         WHERE position = 0",
    ),
    (
        "captured payments without an entry",
        "UPDATE payment SET state = 'captured' WHERE state = 'unknown'",
    ),
    (
        "capture entries without a captured payment",
        "UPDATE payment SET state = 'processing' WHERE state = 'captured'",
    ),
    (
        "paid orders without a grant entry",
        "UPDATE sales_order SET state = 'fulfilled' WHERE state = 'awaiting-payment'",
    ),
    (
        "grant entries without a paid order",
        "UPDATE sales_order SET state = 'closed' WHERE state = 'fulfilled'",
    ),
    (
        "refunded orders without a revoke entry",
        "UPDATE sales_order SET state = 'refunded' WHERE state = 'fulfilled'",
    ),
    (
        "refunded orders without a refund entry",
        "UPDATE sales_order SET state = 'refunded' WHERE state = 'fulfilled'",
    ),
    (
        "refunds sent without an entry",
        "UPDATE refund SET number = 'another'",
    ),
    (
        "refund entries without a refund sent",
        "UPDATE refund SET state = 'requested'",
    ),
    (
        "currencies whose money at providers differs from payments and refunds",
        "UPDATE payment SET amount = amount + 1 WHERE state = 'captured'",
    ),
    (
        "currencies whose tax differs from the documents",
        "INSERT INTO ledger_posting
         SELECT entry_id, 9, account, unit, 1 FROM ledger_posting WHERE account = 'tax_payable'",
    ),
    (
        "buckets whose grant differs from the ledger",
        "UPDATE bucket SET granted = granted - 1 WHERE closed = 0",
    ),
    (
        "closed buckets with something left",
        "UPDATE bucket SET closed = 1",
    ),
    (
        "open buckets of revoked subscriptions",
        "UPDATE bucket SET closed = 0",
    ),
    (
        "promotions whose uses are miscounted",
        "UPDATE promotion_tally SET uses = uses - 1 WHERE code = 'spring'",
    ),
    (
        "promotions counted for the wrong orders",
        "UPDATE order_promotion SET counts = 1 - counts",
    ),
];

/// What somebody could do to the books themselves, and the beginning of what the audit says then.
/// Postings cannot be changed or removed, so there are only new ones.
const CORRUPTION: &[(&str, &str)] = &[
    (
        "entry ",
        "INSERT INTO ledger_posting SELECT entry_id, 9, account, unit, amount
         FROM ledger_posting WHERE account = 'clearing'",
    ),
    (
        "deferred_revenue:",
        "UPDATE ledger_balance SET amount = amount - 1 WHERE account LIKE 'deferred_revenue:%'",
    ),
    (
        "refunds_payable in CNY: stored 1",
        "UPDATE ledger_balance SET amount = amount + 1 WHERE account = 'refunds_payable'",
    ),
    (
        "unassigned in CNY: stored 0",
        "INSERT INTO ledger_posting SELECT entry_id, 9, account, unit, -5
         FROM ledger_posting WHERE account = 'unassigned' AND amount < 0",
    ),
    (
        "refunds_payable in CNY holds 5, which it may not",
        "INSERT INTO ledger_posting SELECT id, 9, 'refunds_payable', 'CNY', 5
         FROM ledger_entry ORDER BY id LIMIT 1",
    ),
    (
        "bucket:",
        "INSERT INTO ledger_posting SELECT entry_id, 9, account, unit, 1
         FROM ledger_posting WHERE account LIKE 'bucket:%:left'",
    ),
];

#[test]
fn every_corruption_of_the_books_is_named() {
    let findings = |tx: &mut StoreTx<'_>| -> Vec<String> {
        let (postings, _) = tx.postings_after(None, 1_000).unwrap();
        let stored = tx.stored_balances().unwrap();
        let found = audit(&postings, &stored);
        found.iter().map(ToString::to_string).collect()
    };
    each_store(|subject| {
        subject
            .write(move |tx| {
                tx.in_any_order();
                operator(tx);
                assert_eq!(findings(tx), Vec::<String>::new());
            })
            .unwrap();
        for (expected, corruption) in CORRUPTION {
            subject
                .write_as(move |tx| {
                    assert!(tx.execute(corruption, &[]).unwrap() > 0, "{corruption}");
                    let found = findings(tx);
                    let is_named = found.iter().any(|line| line.starts_with(expected));
                    assert!(is_named, "{corruption}: {found:?}");
                    Verdict::RollBack
                })
                .unwrap();
        }
    });
}

fn damage() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    DAMAGE.iter().chain(chips::DAMAGE)
}

#[test]
fn a_clean_operator_breaks_no_rule_and_every_damage_is_found() {
    each_store(|subject| {
        subject
            .write(|tx| {
                assert_eq!(broken(tx), BTreeSet::new());
                tx.in_any_order();
                operator(tx);
                chips::operator(tx);
                assert_eq!(broken(tx), BTreeSet::new());
                let (postings, end) = tx.postings_after(None, 1_000).unwrap();
                assert_eq!(end, None);
                assert_eq!(audit(&postings, &tx.stored_balances().unwrap()), []);
                let known = tx.broken_rules().unwrap();
                let known: Vec<_> = known.iter().map(|(rule, _)| *rule).collect();
                let damaged: Vec<_> = damage().map(|(rule, _)| *rule).collect();
                assert_eq!(known, damaged, "a damage for every rule");
            })
            .unwrap();
        for (rule, damage) in damage() {
            subject
                .write_as(move |tx| {
                    assert!(tx.execute(damage, &[]).unwrap() > 0, "{damage}");
                    assert!(broken(tx).contains(rule), "{damage}: {:?}", broken(tx));
                    Verdict::RollBack
                })
                .unwrap();
        }
    });
}
