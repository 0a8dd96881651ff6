//! Granting, using, expiring and revoking allowances against a journal in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use proptest::prelude::*;
use simurgh_charging::{
    Bucket, BucketBalance, BucketWindow, GrantRequest, Issue, Subscription, SubscriptionState,
    UnitStanding, Use, Warning, activate, consume, expire, grant, reached_thresholds, revoke,
    standing, supersede,
};
use simurgh_ledger::{Account, Asset, BucketRole, Entry, Holding, Journal, Posted, Source, post};
use simurgh_vocab::{
    Allowance, BucketId, Duration, EntryId, LineId, Messages, Octets, OrderId, Period, Seconds,
    SubscriptionId, Timestamp, Unit,
};

const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

#[derive(Default)]
struct Books {
    sources: BTreeSet<Source>,
    balances: BTreeMap<(Account, Asset), i64>,
    buckets: Vec<Bucket>,
    made: u64,
}

impl Journal for Books {
    type Fault = Infallible;

    fn balances(&mut self, accounts: &[(Account, Asset)]) -> Result<Vec<i64>, Infallible> {
        Ok(accounts
            .iter()
            .map(|key| self.balances.get(key).copied().unwrap_or(0))
            .collect())
    }

    fn is_posted(&mut self, source: &Source) -> Result<bool, Infallible> {
        Ok(self.sources.contains(source))
    }

    fn append(&mut self, posted: &Posted) -> Result<(), Infallible> {
        self.sources.insert(posted.entry().source().clone());
        for (account, asset, balance) in posted.balances() {
            self.balances.insert((*account, *asset), *balance);
        }
        Ok(())
    }
}

impl Books {
    fn post(&mut self, entry: Entry) {
        self.made += 1;
        post(self, EntryId::from_parts(self.made, &[0; 10]), NOW, entry).unwrap();
    }

    fn held(&self, bucket: &Bucket, role: BucketRole) -> i64 {
        let key = (Account::Bucket(bucket.id, role), bucket.asset);
        self.balances.get(&key).copied().unwrap_or(0)
    }

    fn holding(&self, bucket: &Bucket) -> Holding {
        let mut holding = Holding::default();
        for role in BucketRole::ALL {
            holding.read(role, self.held(bucket, role));
        }
        holding
    }

    fn loaded(&self) -> Vec<BucketBalance> {
        self.buckets
            .iter()
            .map(|bucket| BucketBalance {
                bucket: bucket.clone(),
                holding: self.holding(bucket),
            })
            .collect()
    }

    fn grant(&mut self, order: u64, data: i64, issue: Issue) -> SubscriptionState {
        let request = GrantRequest {
            subscription: SubscriptionId::from_parts(order, &[1; 10]),
            line: line(),
            order: OrderId::from_parts(order, &[0; 10]),
            zone: "home".parse().unwrap(),
            allowance: Allowance {
                data: Octets::new(data).unwrap(),
                ..Allowance::default()
            },
            dedicated: Vec::new(),
            credit: None,
            sets: 1,
            issue,
        };
        let mut made = self.buckets.len() as u64;
        let granted = grant(&request, || {
            made += 1;
            BucketId::from_parts(made, &[2; 10])
        })
        .unwrap();
        self.buckets.extend(granted.buckets);
        self.post(granted.entry);
        granted.state
    }

    fn consume(&mut self, amount: i64, at: Timestamp, reference: &str) -> i64 {
        let source = Source::new("usage", reference);
        let what = Use {
            unit: Unit::Octets,
            amount,
            zone: "home".parse().unwrap(),
            at,
        };
        let used = consume(&self.loaded(), &what, source).unwrap();
        if let Some(entry) = used.entry {
            self.post(entry);
        }
        used.uncovered
    }
}

fn line() -> LineId {
    LineId::from_parts(1, &[9; 10])
}

fn days(from: u32, to: u32) -> Period {
    Period {
        start: NOW.plus(Duration::days(from)),
        end: NOW.plus(Duration::days(to)),
    }
}

fn waiting() -> Issue {
    Issue::OnFirstUse {
        activate_by: NOW.plus(Duration::days(180)),
        periods: 2,
        validity: Duration::days(30),
    }
}

#[test]
fn every_unit_of_every_period_gets_a_bucket() {
    let allowance = Allowance {
        data: Octets::new(10).unwrap(),
        voice: Seconds::new(20).unwrap(),
        sms: Messages::new(0).unwrap(),
    };
    let request = GrantRequest {
        subscription: SubscriptionId::from_parts(1, &[1; 10]),
        line: line(),
        order: OrderId::from_parts(1, &[0; 10]),
        zone: "home".parse().unwrap(),
        allowance,
        dedicated: Vec::new(),
        credit: None,
        sets: 3,
        issue: Issue::Periods(vec![days(0, 30), days(30, 60)]),
    };
    let mut made = 0;
    let granted = grant(&request, || {
        made += 1;
        BucketId::from_parts(made, &[0; 10])
    })
    .unwrap();
    let buckets: Vec<_> = granted
        .buckets
        .iter()
        .map(|b| (b.asset, b.granted))
        .collect();
    let one = [
        (Asset::Service(Unit::Octets), 30),
        (Asset::Service(Unit::Seconds), 60),
    ];
    assert_eq!(
        buckets,
        [one, one].concat(),
        "no bucket for an allowance of nothing"
    );
    assert_eq!(
        granted.state,
        SubscriptionState::Scheduled {
            period: days(0, 60)
        }
    );
}

#[test]
fn the_soonest_ending_bucket_is_used_first() {
    let mut books = Books::default();
    books.grant(1, 100, Issue::Periods(vec![days(0, 30)]));
    books.grant(2, 100, Issue::Periods(vec![days(0, 10)]));
    assert_eq!(books.consume(150, NOW, "a"), 0);
    let left: Vec<_> = books
        .loaded()
        .iter()
        .map(|balance| balance.holding.left)
        .collect();
    assert_eq!(left, [50, 0]);
    assert_eq!(
        books.consume(80, NOW, "b"),
        30,
        "what no bucket covers is said"
    );
}

#[test]
fn a_bucket_covers_its_own_zone_and_time_only() {
    let mut books = Books::default();
    books.grant(1, 100, Issue::Periods(vec![days(1, 2)]));
    assert_eq!(books.consume(10, NOW, "early"), 10);
    assert_eq!(books.consume(10, NOW.plus(Duration::days(2)), "late"), 10);
    let abroad = "world".parse().unwrap();
    let at = NOW.plus(Duration::days(1));
    let what = Use {
        unit: Unit::Octets,
        amount: 10,
        zone: abroad,
        at,
    };
    let used = consume(&books.loaded(), &what, Source::new("usage", 1)).unwrap();
    assert_eq!((used.entry, used.uncovered), (None, 10));
}

#[test]
fn first_use_starts_every_period_in_a_row() {
    let mut books = Books::default();
    let state = books.grant(1, 100, waiting());
    assert_eq!(
        books.consume(10, NOW, "before"),
        10,
        "a waiting bucket is closed"
    );
    let plan = Subscription {
        id: SubscriptionId::from_parts(1, &[1; 10]),
        line: line(),
        order: OrderId::from_parts(1, &[0; 10]),
        selection: "offer:x".to_owned(),
        catalogue_version: 1,
        zone: "home".parse().unwrap(),
        add_on: false,
        state,
    };
    let state = activate(&plan, &mut books.buckets, NOW).unwrap();
    assert_eq!(
        state,
        SubscriptionState::Scheduled {
            period: days(0, 60)
        }
    );
    let windows: Vec<_> = books.buckets.iter().map(|bucket| bucket.window).collect();
    assert_eq!(
        windows,
        [
            BucketWindow::Fixed(days(0, 30)),
            BucketWindow::Fixed(days(30, 60))
        ]
    );
    let started = Subscription { state, ..plan };
    assert_eq!(
        activate(&started, &mut books.buckets, NOW),
        None,
        "only once"
    );
}

#[test]
fn only_an_untouched_grant_can_be_revoked() {
    let mut books = Books::default();
    books.grant(1, 100, Issue::Periods(vec![days(0, 30)]));
    let order = OrderId::from_parts(1, &[0; 10]);
    assert!(revoke(&books.loaded(), order).unwrap().is_some());
    books.consume(1, NOW, "a");
    assert_eq!(revoke(&books.loaded(), order).unwrap(), None);
    assert_eq!(revoke(&[], order).unwrap(), None);
}

#[test]
fn what_is_left_expires_once() {
    let mut books = Books::default();
    books.grant(1, 100, Issue::Periods(vec![days(0, 30), days(30, 60)]));
    books.consume(40, NOW, "a");
    let end = NOW.plus(Duration::days(30));
    assert_eq!(
        expire(&books.loaded(), end.minus(Duration::seconds(1)), "early").unwrap(),
        None
    );
    let entry = expire(&books.loaded(), end, "x").unwrap().unwrap();
    books.post(entry);
    assert_eq!(books.held(&books.buckets[0], BucketRole::Expired), 60);
    assert_eq!(expire(&books.loaded(), end, "y").unwrap(), None);
    let entry = supersede(&books.loaded(), "z").unwrap().unwrap();
    books.post(entry);
    assert_eq!(books.held(&books.buckets[1], BucketRole::Expired), 100);
}

#[test]
fn warnings_come_at_80_90_and_100_percent() {
    let cases = [
        (79, None),
        (80, Some(Warning::Used80)),
        (90, Some(Warning::Used90)),
        (99, Some(Warning::Used90)),
        (100, Some(Warning::Used100)),
    ];
    for (used, warning) in cases {
        let unit = UnitStanding {
            unit: Unit::Octets,
            granted: 100,
            used,
            reserved: 0,
            left: 100 - used,
        };
        assert_eq!(reached_thresholds(&unit), warning, "{used}");
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_whatever_happens(
        steps in prop::collection::vec((0u8..4, 0i64..300, 0u32..70), 1..40)
    ) {
        let mut books = Books::default();
        let mut used_in_all = 0;
        for (n, (step, amount, day)) in steps.into_iter().enumerate() {
            let at = NOW.plus(Duration::days(day));
            match step {
                0 if amount > 0 => {
                    books.grant(n as u64 + 1, amount, Issue::Periods(vec![days(0, day.max(1)), days(day.max(1), 70)]));
                }
                0 | 1 => {
                    used_in_all += amount - books.consume(amount, at, &n.to_string());
                }
                2 => {
                    if let Some(entry) = expire(&books.loaded(), at, &n.to_string()).unwrap() {
                        books.post(entry);
                    }
                }
                _ => {
                    if let Some(entry) = supersede(&books.loaded(), &n.to_string()).unwrap() {
                        books.post(entry);
                    }
                }
            }
        }
        let mut used = 0;
        for bucket in &books.buckets {
            let of = |role| books.held(bucket, role);
            prop_assert_eq!(of(BucketRole::Granted), -bucket.granted);
            let became: i64 = BucketRole::ALL.iter().skip(1).map(|role| of(*role)).sum();
            prop_assert_eq!(became, bucket.granted);
            used += of(BucketRole::Used);
        }
        prop_assert_eq!(used, used_in_all);
        let shown: i64 = standing(&books.loaded(), NOW).units.iter().map(|unit| unit.left).sum();
        prop_assert!(shown >= 0);
    }
}
