//! Lines and what they may use.

use simurgh_app::ports::{DayUsage, LineState, Lines, StoreFault};
use simurgh_charging::{BucketBalance, BucketTerms, BucketWindow, SubscriptionState};
use simurgh_commerce::AutoRenewal;
use simurgh_ledger::{Account, BucketRole, Entry, Holding, Posting, Source, post};
use simurgh_vocab::{
    BucketId, Currency, CustomerId, Duration, EntryId, LineId, MandateId, OrderId, SubscriptionId,
    Unit,
};

use super::make;
use crate::testing::{NOW, each_store};
use crate::tx::StoreTx;

#[test]
fn lines_come_back_in_every_state() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let at = make::second(5);
                let states = [
                    LineState::Active,
                    LineState::Grace { until: at },
                    LineState::Suspended { since: at },
                    LineState::Closed { at },
                ];
                let mut lines = Vec::new();
                for (number, state) in (1..).zip(states) {
                    let line = make::line(number, state);
                    tx.insert_line(&line).unwrap();
                    assert_eq!(tx.line(line.id).as_ref(), Ok(&Some(line.clone())));
                    lines.push(line);
                }
                assert_eq!(tx.lines_of(make::customer()), Ok(lines.clone()));
                let nobody = make::id(CustomerId::from_parts, 2);
                assert_eq!(tx.lines_of(nobody), Ok(vec![]));
                for state in states {
                    lines[0].state = state;
                    tx.update_line(&lines[0]).unwrap();
                    assert_eq!(tx.lines_of(make::customer()), Ok(lines.clone()));
                }
                assert_eq!(tx.line(make::id(LineId::from_parts, 9)), Ok(None));
            })
            .unwrap();
    });
}

fn subscription_states() -> [SubscriptionState; 4] {
    let at = make::second(5);
    [
        SubscriptionState::AwaitingFirstUse {
            activate_by: at,
            validity: Duration::days(30),
            periods: 12,
        },
        SubscriptionState::Scheduled {
            period: make::period(),
        },
        SubscriptionState::Ended { at },
        SubscriptionState::Revoked { at },
    ]
}

#[test]
fn subscriptions_come_back_in_every_state() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let subscriptions = (1..).zip(subscription_states());
                let mut subscriptions: Vec<_> = subscriptions
                    .map(|(number, state)| make::subscription(number, state))
                    .collect();
                for subscription in subscriptions.iter().rev() {
                    tx.insert_subscription(subscription).unwrap();
                }
                assert_eq!(tx.subscriptions_of(make::line_id()).unwrap(), subscriptions);
                let other = make::id(LineId::from_parts, 9);
                assert_eq!(tx.subscriptions_of(other), Ok(vec![]));
                for state in subscription_states() {
                    subscriptions[0].state = state;
                    tx.update_subscription(&subscriptions[0]).unwrap();
                    let found = tx.subscription_of_order(subscriptions[0].order);
                    assert_eq!(found, Ok(Some(subscriptions[0].clone())));
                }
                let unknown = make::id(OrderId::from_parts, 99);
                assert_eq!(tx.subscription_of_order(unknown), Ok(None));
            })
            .unwrap();
        let twice = subject.write(|tx| {
            let mut second = make::subscription(9, subscription_states()[2]);
            second.order = make::id(OrderId::from_parts, 1);
            let refused = tx.insert_subscription(&second);
            assert!(matches!(refused, Err(StoreFault::Conflict(_))));
        });
        assert!(twice.is_err(), "{}: an order grants once", subject.name);
    });
}

/// Moves `amount` from one role of a bucket to another.
fn transfer(
    tx: &mut StoreTx<'_>,
    source: u8,
    bucket: BucketId,
    roles: [BucketRole; 2],
    amount: i64,
) {
    let postings = [(roles[0], -amount), (roles[1], amount)];
    let postings = postings.map(|(role, amount)| {
        Posting::service(Account::Bucket(bucket, role), Unit::Octets, amount)
    });
    let entry = Entry::new(Source::new("test", source), postings.to_vec()).unwrap();
    post(tx, make::id(EntryId::from_parts, source), NOW, entry).unwrap();
}

fn video() -> BucketTerms {
    BucketTerms {
        rating_groups: vec![7, u32::MAX],
        priority: 3,
    }
}

/// What is left, reserved and used of each open bucket of the line.
fn balances(tx: &mut StoreTx<'_>) -> Vec<(i64, i64, i64)> {
    let open = tx.open_buckets(make::line_id()).unwrap();
    let holdings = open.iter().map(|balance| &balance.holding);
    holdings.map(|h| (h.left, h.reserved, h.used)).collect()
}

#[test]
fn buckets_come_back_with_their_balances() {
    let windows = [
        BucketWindow::Fixed(make::period()),
        BucketWindow::OnFirstUse { position: 2 },
    ];
    each_store(|subject| {
        subject
            .write(move |tx| {
                let mut buckets = [
                    make::bucket(1, 1, windows[0]),
                    make::bucket(2, 1, windows[1]),
                    make::bucket(3, 2, windows[0]),
                ];
                for number in [1, 2] {
                    let subscription = make::subscription(number, subscription_states()[1]);
                    tx.insert_subscription(&subscription).unwrap();
                }
                buckets[0].terms = video();
                for bucket in &buckets {
                    tx.insert_bucket(bucket).unwrap();
                }
                assert_eq!(balances(tx), [(0, 0, 0); 3], "nothing is granted yet");
                let id = buckets[0].id;
                transfer(tx, 1, id, [BucketRole::Granted, BucketRole::Left], 1_000);
                transfer(tx, 2, id, [BucketRole::Left, BucketRole::Reserved], 300);
                transfer(tx, 3, id, [BucketRole::Reserved, BucketRole::Used], 100);
                transfer(tx, 4, id, [BucketRole::Left, BucketRole::Expired], 1);
                let granted = [BucketRole::Granted, BucketRole::Left];
                transfer(tx, 5, buckets[2].id, granted, 7);
                assert_eq!(balances(tx), [(699, 200, 100), (0, 0, 0), (7, 0, 0)]);

                let moved = make::bucket(2, 1, windows[0]);
                tx.update_bucket(&moved).unwrap();
                let first = make::id(SubscriptionId::from_parts, 1);
                let found = tx.buckets_of(first).unwrap();
                let expected = [(buckets[0].clone(), 699, 200, 100), (moved, 0, 0, 0)];
                let expected = expected.map(|(bucket, left, reserved, used)| BucketBalance {
                    holding: Holding {
                        granted: -(left + reserved + used + i64::from(left > 0)),
                        left,
                        reserved,
                        used,
                        expired: i64::from(left > 0),
                        reversed: 0,
                    },
                    bucket,
                });
                assert_eq!(found, expected);

                tx.close_buckets(&[id, make::id(BucketId::from_parts, 2)])
                    .unwrap();
                tx.close_buckets(&[]).unwrap();
                assert_eq!(balances(tx), [(7, 0, 0)]);
                let found = tx.buckets_of(first).unwrap();
                assert!(found.len() == 2 && found.iter().all(|balance| balance.bucket.closed));
            })
            .unwrap();
    });
}

#[test]
fn use_adds_up_by_day_and_unit() {
    let usage = |day, unit, amount| DayUsage { day, unit, amount };
    each_store(|subject| {
        subject
            .write(move |tx| {
                let line = make::line_id();
                for (day, unit, amount) in [
                    (20_001, Unit::Octets, 5),
                    (20_000, Unit::Octets, 1),
                    (20_001, Unit::Octets, 6),
                    (20_001, Unit::Seconds, 60),
                    (19_999, Unit::Messages, 1),
                ] {
                    tx.add_usage(line, &usage(day, unit, amount)).unwrap();
                }
                let expected = [
                    usage(20_000, Unit::Octets, 1),
                    usage(20_001, Unit::Octets, 11),
                    usage(20_001, Unit::Seconds, 60),
                ];
                assert_eq!(tx.usage_since(line, 20_000).unwrap(), expected);
                let other = make::id(LineId::from_parts, 9);
                assert_eq!(tx.usage_since(other, 0), Ok(vec![]));
            })
            .unwrap();
    });
}

#[test]
fn automatic_renewal_is_set_changed_and_turned_off() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let mut renewal = AutoRenewal {
                    line: make::line_id(),
                    mandate: make::id(MandateId::from_parts, 1),
                    selection: "offer:basic".parse().unwrap(),
                    periods: 1,
                    currency: Currency::Eur,
                    announced_for: None,
                    announced_total: None,
                    failures: 0,
                };
                assert_eq!(tx.auto_renewal(renewal.line), Ok(None));
                tx.put_auto_renewal(&renewal).unwrap();
                assert_eq!(tx.auto_renewal(renewal.line), Ok(Some(renewal.clone())));
                renewal.mandate = make::id(MandateId::from_parts, 2);
                renewal.selection = "add-on:data-1g".parse().unwrap();
                (renewal.periods, renewal.failures) = (12, 3);
                (renewal.currency, renewal.announced_for) = (Currency::Cny, Some(NOW));
                renewal.announced_total = Some(simurgh_vocab::Money::new(3_900, Currency::Cny));
                tx.put_auto_renewal(&renewal).unwrap();
                assert_eq!(tx.auto_renewal(renewal.line), Ok(Some(renewal.clone())));
                tx.remove_auto_renewal(renewal.line).unwrap();
                assert_eq!(tx.auto_renewal(renewal.line), Ok(None));
            })
            .unwrap();
    });
}
