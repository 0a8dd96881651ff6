#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
//! A request of a session, rule by rule, and many of them against the simplest model there is.

use proptest::prelude::*;
use simurgh_charging::{
    Answer, Asked, Bucket, BucketBalance, BucketTerms, BucketWindow, CommandResult, Decision,
    LineBook, Outcome, Phase, Quota, RecordCause, Report, ServiceKey, ServiceReport, ServiceResult,
    Session, SessionStanding, Slice, Tariff, UnknownSessions, charge, give_up, has_credit,
};
use simurgh_ledger::{Asset, BucketRole, Holding, Move};
use simurgh_vocab::{
    BucketId, Duration, LineId, Period, SubscriptionId, Timestamp, Unit, ZoneCode,
};

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn line() -> LineId {
    LineId::from_parts(1, &[0; 10])
}

fn id(number: u64) -> BucketId {
    BucketId::from_parts(number, &[0; 10])
}

fn zone(code: &str) -> ZoneCode {
    code.parse().unwrap()
}

fn in_hours(hours: u32) -> Timestamp {
    NOW.plus(Duration::hours(hours))
}

/// An open bucket that ends in some hours.
fn bucket(number: u64, zone_code: &str, hours: u32, left: i64) -> BucketBalance {
    let period = Period {
        start: NOW.minus(Duration::days(1)),
        end: in_hours(hours),
    };
    BucketBalance {
        bucket: Bucket {
            id: id(number),
            line: line(),
            subscription: SubscriptionId::from_parts(number, &[0; 10]),
            asset: Asset::Service(Unit::Octets),
            zone: zone(zone_code),
            window: BucketWindow::Fixed(period),
            granted: left,
            terms: BucketTerms::default(),
            closed: false,
        },
        holding: Holding {
            granted: -left,
            left,
            ..Holding::default()
        },
    }
}

fn book(buckets: Vec<BucketBalance>) -> LineBook {
    LineBook {
        line: line(),
        in_service: true,
        buckets,
        sessions: 0,
    }
}

fn tariff() -> Tariff {
    Tariff {
        data: Slice {
            least: 10,
            most: 100,
        },
        validity: Duration::minutes(30),
        threshold_percent: 20,
        free_rating_groups: vec![900],
        ..Tariff::default()
    }
}

fn key(rating_group: u32) -> ServiceKey {
    ServiceKey {
        rating_group: Some(rating_group),
        service_identifier: None,
    }
}

fn service(rating_group: u32, used: Option<i64>, asked: Option<Asked>) -> ServiceReport {
    let key = key(rating_group);
    ServiceReport { key, used, asked }
}

fn report(number: u32, phase: Phase, services: Vec<ServiceReport>) -> Report {
    Report {
        number,
        phase,
        unit: Unit::Octets,
        zones: [zone("home"), zone("world")].into(),
        client: "pgw.example.com".into(),
        realm: "example.com".into(),
        services,
    }
}

/// A line and its session, as whoever keeps them would.
struct Books {
    book: LineBook,
    session: Option<Session>,
    tariff: Tariff,
    now: Timestamp,
}

impl Books {
    fn of(buckets: Vec<BucketBalance>) -> Self {
        Self {
            book: book(buckets),
            session: None,
            tariff: tariff(),
            now: NOW,
        }
    }

    fn try_report(&mut self, report: &Report) -> Outcome {
        let session = self.session.as_ref();
        let before = self.book.clone();
        let outcome = charge(&mut self.book, session, report, &self.tariff, self.now).unwrap();
        if let Outcome::Decided(decision) = &outcome {
            assert_eq!(
                after(&before, decision),
                self.book.buckets,
                "moves and book"
            );
            self.session = Some(decision.session.clone());
        } else {
            assert_eq!(before, self.book, "what is not decided changes nothing");
        }
        self.check();
        outcome
    }

    fn report(&mut self, report: &Report) -> Answer {
        match self.try_report(report) {
            Outcome::Decided(decision) => decision
                .session
                .answer_to(report.number)
                .map(|it| Answer::clone(it))
                .unwrap(),
            other @ (Outcome::Replayed(_) | Outcome::Refused(_)) => panic!("{other:?}"),
        }
    }

    /// What the session says it holds is what the buckets say is reserved.
    fn check(&self) {
        let reserved: i64 = self.book.buckets.iter().map(|it| it.holding.reserved).sum();
        assert_eq!(reserved, self.session.as_ref().map_or(0, Session::held));
    }

    fn amounts(&self, number: u64) -> (i64, i64, i64) {
        let all = &self.book.buckets;
        let found = all.iter().find(|it| it.bucket.id == id(number)).unwrap();
        let holding = found.holding;
        (holding.left, holding.reserved, holding.used)
    }
}

fn after(book: &LineBook, decision: &Decision) -> Vec<BucketBalance> {
    let mut buckets = book.buckets.clone();
    for what in &decision.moves {
        let found = buckets.iter_mut().find(|it| it.bucket.id == what.bucket);
        let found = found.unwrap();
        found.holding = found.holding.after(what).unwrap();
    }
    buckets
}

fn granted(answer: &Answer) -> Quota {
    match answer.services.as_slice() {
        [service] => match &service.result {
            ServiceResult::Granted(quota) => *quota,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn ask(number: u32, used: Option<i64>) -> Report {
    let phase = match number {
        0 => Phase::Initial,
        _ => Phase::Update,
    };
    report(number, phase, vec![service(1, used, Some(Asked::Any))])
}

#[test]
fn a_slice_is_held_debited_and_the_rest_released() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    let quota = granted(&books.report(&ask(0, None)));
    assert_eq!(
        (quota.amount, quota.last, quota.threshold),
        (100, false, 20)
    );
    assert_eq!(quota.validity, Duration::minutes(30));
    assert_eq!(books.amounts(1), (900, 100, 0));
    books.report(&ask(1, Some(70)));
    assert_eq!(books.amounts(1), (830, 100, 70));
    books.report(&report(
        2,
        Phase::Terminate,
        vec![service(1, Some(5), None)],
    ));
    assert_eq!(books.amounts(1), (925, 0, 75));
    let session = books.session.unwrap();
    assert_eq!(
        (session.standing, session.records),
        (SessionStanding::Over, 1)
    );
}

#[test]
fn slices_shrink_with_what_is_left_and_with_the_sessions_beside() {
    let cases = [
        // left, other sessions, asked, granted, last
        (1_000, 0, Asked::Any, 100, false),
        (100, 0, Asked::Any, 50, false),
        (100, 1, Asked::Any, 25, false),
        (100, 9, Asked::Any, 10, false),
        (15, 0, Asked::Any, 10, false),
        (10, 0, Asked::Any, 10, true),
        (3, 0, Asked::Any, 3, true),
        (1_000, 0, Asked::UpTo(40), 40, false),
        (1_000, 0, Asked::UpTo(4_000), 100, false),
        (1_000, 0, Asked::UpTo(0), 100, false),
        (3, 0, Asked::UpTo(2), 2, false),
    ];
    for (left, others, asked, amount, last) in cases {
        let mut books = Books::of(vec![bucket(1, "home", 48, left)]);
        books.book.sessions = others;
        let request = report(0, Phase::Initial, vec![service(1, None, Some(asked))]);
        let quota = granted(&books.report(&request));
        assert_eq!(
            (quota.amount, quota.last),
            (amount, last),
            "{left} {others} {asked:?}"
        );
    }
}

#[test]
fn the_soonest_end_pays_first_then_the_most_specific_zone() {
    let mut books = Books::of(vec![
        bucket(1, "world", 48, 30),
        bucket(2, "home", 48, 30),
        bucket(3, "world", 24, 30),
        bucket(4, "elsewhere", 1, 30),
    ]);
    books.tariff.data.least = 70;
    let quota = granted(&books.report(&ask(0, None)));
    assert_eq!(quota.amount, 70);
    let reserved = [1, 2, 3, 4].map(|number| books.amounts(number).1);
    assert_eq!(reserved, [10, 30, 30, 0]);
    books.report(&report(
        1,
        Phase::Terminate,
        vec![service(1, Some(40), None)],
    ));
    let used = [1, 2, 3, 4].map(|number| books.amounts(number).2);
    assert_eq!(used, [0, 10, 30, 0]);
}

/// A bucket for some rating groups, with a priority.
fn dedicated(it: BucketBalance, rating_groups: &[u32], priority: u8) -> BucketBalance {
    let terms = BucketTerms {
        rating_groups: rating_groups.to_vec(),
        priority,
    };
    BucketBalance {
        bucket: Bucket { terms, ..it.bucket },
        ..it
    }
}

#[test]
fn buckets_pay_by_priority_then_end_then_rating_group_then_zone_then_age() {
    let of = |number, zone, hours, groups: &[u32], priority| {
        dedicated(bucket(number, zone, hours, 30), groups, priority)
    };
    let cases = [
        (
            "priority before end",
            of(1, "home", 1, &[], 100),
            of(2, "home", 48, &[], 99),
        ),
        (
            "priority before rating group",
            of(1, "home", 9, &[1], 100),
            of(2, "home", 9, &[], 99),
        ),
        (
            "end before rating group",
            of(1, "home", 48, &[1], 100),
            of(2, "home", 24, &[], 100),
        ),
        (
            "rating group before zone",
            of(1, "home", 24, &[], 100),
            of(2, "world", 24, &[1], 100),
        ),
        (
            "one of many rating groups",
            of(1, "home", 24, &[], 100),
            of(2, "home", 24, &[7, 1], 100),
        ),
        (
            "zone before age",
            of(1, "world", 24, &[1], 100),
            of(2, "home", 24, &[1], 100),
        ),
        (
            "age last",
            of(3, "home", 24, &[1], 100),
            of(2, "home", 24, &[1], 100),
        ),
    ];
    for (rule, behind, first) in cases {
        let order = [first.bucket.id, behind.bucket.id];
        let mut books = Books::of(vec![behind, first]);
        books.tariff.data.least = 40;
        books.report(&ask(0, None));
        let held = order.map(|id| {
            let mut all = books.book.buckets.iter();
            all.find(|it| it.bucket.id == id).unwrap().holding.reserved
        });
        assert_eq!(held, [30, 10], "{rule}");
    }
}

#[test]
fn a_bucket_for_rating_groups_pays_for_no_other() {
    let video = || dedicated(bucket(1, "home", 24, 30), &[7], 1);
    let cases = [
        ("the named one", 7, vec![video()], Some(30)),
        ("another", 8, vec![video()], None),
        (
            "another, with a bucket for any",
            8,
            vec![video(), bucket(2, "home", 24, 5)],
            Some(5),
        ),
        ("both", 7, vec![video(), bucket(2, "home", 24, 5)], Some(35)),
    ];
    for (rule, group, buckets, expected) in cases {
        let mut books = Books::of(buckets);
        books.tariff.data.least = 100;
        let asked = vec![service(group, None, Some(Asked::Any))];
        let answer = books.report(&report(0, Phase::Initial, asked));
        let amount = match &answer.services[0].result {
            ServiceResult::Granted(quota) => Some(quota.amount),
            other => {
                assert_eq!(*other, ServiceResult::LimitReached, "{rule}");
                None
            }
        };
        assert_eq!(amount, expected, "{rule}");
        // Use beyond the grant leaves it alone as well.
        books.report(&report(
            1,
            Phase::Terminate,
            vec![service(group, Some(50), None)],
        ));
        assert_eq!(
            books.amounts(1).2,
            if group == 7 { 30 } else { 0 },
            "{rule}"
        );
    }
}

#[test]
fn use_without_a_rating_group_is_paid_by_buckets_for_any() {
    let mut books = Books::of(vec![
        dedicated(bucket(1, "home", 24, 30), &[7], 1),
        bucket(2, "home", 24, 20),
    ]);
    let mut asked = service(0, None, Some(Asked::Any));
    asked.key = ServiceKey::default();
    books.tariff.data.least = 100;
    let quota = granted(&books.report(&report(0, Phase::Initial, vec![asked])));
    assert_eq!((quota.amount, quota.last), (20, true));
    assert_eq!(books.amounts(1).1, 0);
}

#[test]
fn rfc8506_6_2_a_balance_check_counts_each_bucket_once_for_the_services_it_pays() {
    let cases = [
        ("video only", vec![(7, 30)], true),
        ("video and any", vec![(7, 40), (8, 10)], true),
        ("any is spent by video", vec![(7, 41), (8, 10)], false),
        ("video is none of another's", vec![(8, 21)], false),
    ];
    for (rule, asked, expected) in cases {
        let mut books = Books::of(vec![
            dedicated(bucket(1, "home", 24, 30), &[7], 1),
            bucket(2, "home", 24, 20),
        ]);
        let services = asked.iter();
        let services =
            services.map(|(group, amount)| service(*group, None, Some(Asked::UpTo(*amount))));
        let asks = report(0, Phase::Event, services.collect());
        let has = has_credit(&mut books.book, &asks, &books.tariff, NOW).unwrap();
        assert_eq!(has, expected, "{rule}");
    }
}

#[test]
fn quota_ends_with_the_bucket_it_comes_from() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    books.now = in_hours(48).minus(Duration::minutes(3));
    let quota = granted(&books.report(&ask(0, None)));
    assert_eq!(quota.validity, Duration::minutes(3));
}

#[test]
fn slices_shrink_with_the_time_to_the_end() {
    let cases = [
        // seconds to the end, granted: the most is for 30 minutes, the least is 10
        (1_801, 100),
        (1_800, 100),
        (1_799, 99),
        (900, 50),
        (180, 10),
        (60, 10),
        (1, 10),
    ];
    for (seconds, amount) in cases {
        let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
        books.now = in_hours(48).minus(Duration::seconds(seconds));
        let quota = granted(&books.report(&ask(0, None)));
        assert_eq!((quota.amount, quota.last), (amount, false), "{seconds}");
    }
    let beside = bucket(2, "abroad", 1, 1_000);
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000), beside]);
    books.now = in_hours(1).minus(Duration::minutes(1));
    let quota = granted(&books.report(&ask(0, None)));
    assert_eq!(
        quota.amount, 100,
        "the end of a bucket that does not pay here"
    );
}

#[test]
fn use_beyond_the_grant_is_debited_and_what_nobody_covers_is_said() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 300)]);
    books.report(&ask(0, None));
    books.report(&ask(1, Some(150)));
    assert_eq!(
        books.amounts(1).2,
        150,
        "more than the 100 that were granted"
    );
    let end = report(2, Phase::Terminate, vec![service(1, Some(1_000), None)]);
    let Outcome::Decided(decision) = books.try_report(&end) else {
        panic!("an end is decided")
    };
    assert_eq!(books.amounts(1), (0, 0, 300));
    let record = decision.record.unwrap();
    assert_eq!(record.cause, RecordCause::Terminated);
    let used = &record.uses[0];
    assert_eq!((used.used, used.uncovered), (1_150, 850));
    assert_eq!(used.debits.iter().map(|it| it.amount).sum::<i64>(), 300);
}

#[test]
fn the_last_units_come_with_a_final_unit_and_then_the_limit_is_reached() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 8)]);
    let quota = granted(&books.report(&ask(0, None)));
    assert_eq!((quota.amount, quota.last, quota.threshold), (8, true, 0));
    let answer = books.report(&ask(1, Some(8)));
    assert_eq!(answer.result, CommandResult::Taken);
    assert_eq!(answer.services[0].result, ServiceResult::LimitReached);
    // Paid anew: the same session goes on.
    books.book.buckets.push(bucket(2, "home", 48, 500));
    assert_eq!(granted(&books.report(&ask(2, None))).amount, 100);
}

#[test]
fn a_free_rating_group_costs_nothing_even_when_nothing_is_left() {
    let mut books = Books::of(Vec::new());
    let services = vec![
        service(900, None, Some(Asked::Any)),
        service(1, None, Some(Asked::Any)),
    ];
    let answer = books.report(&report(0, Phase::Initial, services));
    assert!(matches!(
        answer.services[0].result,
        ServiceResult::Granted(_)
    ));
    assert_eq!(answer.services[1].result, ServiceResult::LimitReached);
    let end = report(1, Phase::Terminate, vec![service(900, Some(77), None)]);
    let Outcome::Decided(decision) = books.try_report(&end) else {
        panic!("an end is decided")
    };
    let uses = decision.record.unwrap().uses;
    assert_eq!((uses[0].used, uses[0].uncovered), (77, 0));
}

#[test]
fn rating_groups_that_are_not_named_keep_what_they_hold() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    let both = [1, 2].map(|group| service(group, None, Some(Asked::UpTo(50))));
    books.report(&report(0, Phase::Initial, both.to_vec()));
    let one = vec![service(1, Some(50), None)];
    let answer = books.report(&report(1, Phase::Update, one));
    assert_eq!(answer.services[0].result, ServiceResult::Reported);
    assert_eq!(books.amounts(1), (900, 50, 50), "group 2 holds its 50");
}

#[test]
fn a_repeated_request_gets_the_same_answer_and_changes_nothing() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    let first = books.report(&ask(0, None));
    let second = books.report(&ask(1, Some(100)));
    let third = books.report(&ask(2, Some(100)));
    for (number, answer) in [(0, first), (1, second), (2, third)] {
        let again = books.try_report(&ask(number, Some(100)));
        assert_eq!(again, Outcome::Replayed(answer.into()));
    }
}

#[test]
fn requests_may_overtake_each_other_and_be_lost() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 10_000)]);
    for number in [0, 2, 1, 5] {
        books.report(&ask(number, (number > 0).then_some(10)));
    }
    assert_eq!(books.amounts(1).2, 30);
    books.report(&ask(6, Some(1)));
    let forgotten = books.try_report(&ask(0, None));
    assert_eq!(forgotten, Outcome::Refused(CommandResult::OutOfOrder));
}

#[test]
fn an_end_before_the_beginning_leaves_nothing_held() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    let early = report(1, Phase::Terminate, Vec::new());
    assert_eq!(books.report(&early).result, CommandResult::UnknownSession);
    let late = books.try_report(&ask(0, None));
    assert_eq!(late, Outcome::Refused(CommandResult::OutOfOrder));
    assert_eq!(books.amounts(1), (1_000, 0, 0));
}

#[test]
fn what_is_unknown_or_over_is_refused() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    let unknown = Outcome::Refused(CommandResult::UnknownSession);
    assert_eq!(books.try_report(&ask(1, Some(1))), unknown);
    books.report(&ask(0, None));
    books.report(&report(1, Phase::Terminate, Vec::new()));
    assert_eq!(books.try_report(&ask(2, Some(1))), unknown);
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    books.book.in_service = false;
    let refused = Outcome::Refused(CommandResult::NotInService);
    assert_eq!(books.try_report(&ask(0, None)), refused);
}

#[test]
fn rfc8506_5_7_a_session_of_another_server_can_be_taken_over_in_the_middle_and_at_its_end() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    books.tariff.unknown_sessions = UnknownSessions::TakenOver;
    let answer = books.report(&ask(7, Some(30)));
    assert_eq!(granted(&answer).amount, 100);
    assert_eq!(books.amounts(1), (870, 100, 30));
    let early = Outcome::Refused(CommandResult::OutOfOrder);
    assert_eq!(books.try_report(&ask(0, None)), early, "its late beginning");
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    books.tariff.unknown_sessions = UnknownSessions::TakenOver;
    let last = report(9, Phase::Terminate, vec![service(1, Some(40), None)]);
    assert_eq!(books.report(&last).result, CommandResult::Taken);
    assert_eq!(books.amounts(1), (960, 0, 40));
}

#[test]
fn a_line_that_goes_out_of_service_is_debited_and_granted_nothing() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    books.report(&ask(0, None));
    books.book.in_service = false;
    let answer = books.report(&ask(1, Some(60)));
    assert_eq!(answer.services[0].result, ServiceResult::Denied);
    assert_eq!(books.amounts(1), (940, 0, 60));
}

#[test]
fn what_is_held_of_a_bucket_that_is_over_expires() {
    let mut books = Books::of(vec![
        bucket(1, "home", 1, 1_000),
        bucket(2, "home", 48, 500),
    ]);
    books.report(&ask(0, None));
    books.now = in_hours(2);
    let gone = &mut books.book.buckets[0];
    gone.bucket.closed = true;
    gone.holding = gone
        .holding
        .after(&Move {
            bucket: id(1),
            from: BucketRole::Left,
            to: BucketRole::Expired,
            amount: 900,
        })
        .unwrap();
    books.report(&ask(1, Some(40)));
    let gone = books.book.buckets[0].holding;
    assert_eq!(
        (gone.left, gone.reserved, gone.used, gone.expired),
        (0, 0, 40, 960)
    );
    assert_eq!(books.amounts(2), (400, 100, 0));
    let lapsed = &books.session.unwrap().services[0].lapsed;
    assert_eq!(lapsed.iter().map(|it| it.amount).sum::<i64>(), 60);
}

#[test]
fn a_silent_session_is_given_up_and_nothing_unreported_is_debited() {
    let mut books = Books::of(vec![bucket(1, "home", 48, 1_000)]);
    books.report(&ask(0, None));
    let session = books.session.clone().unwrap();
    assert_eq!(session.due_at, NOW.plus(Duration::minutes(60)));
    let given_up = give_up(&mut books.book, &session, &books.tariff, in_hours(1)).unwrap();
    assert_eq!(given_up.record.unwrap().cause, RecordCause::GivenUp);
    books.session = Some(given_up.session);
    books.check();
    assert_eq!(books.amounts(1), (1_000, 0, 0));
}

#[test]
fn an_event_is_debited_whole_or_not_at_all() {
    let event = |number, amount| {
        report(
            number,
            Phase::Event,
            vec![service(1, None, Some(Asked::UpTo(amount)))],
        )
    };
    let mut books = Books::of(vec![bucket(1, "home", 24, 3), bucket(2, "world", 48, 4)]);
    let Outcome::Decided(decision) = books.try_report(&event(0, 5)) else {
        panic!("an event is decided")
    };
    assert_eq!((books.amounts(1).2, books.amounts(2).2), (3, 2));
    let record = decision.record.unwrap();
    assert_eq!((record.cause, record.uses[0].used), (RecordCause::Event, 5));
    assert!(matches!(
        books.try_report(&event(0, 5)),
        Outcome::Replayed(_)
    ));
    books.session = None;
    assert!(!has_credit(&mut books.book, &event(0, 3), &books.tariff, NOW).unwrap());
    assert!(has_credit(&mut books.book, &event(0, 2), &books.tariff, NOW).unwrap());
    let answer = books.report(&event(0, 3));
    assert_eq!(answer.services[0].result, ServiceResult::LimitReached);
    assert_eq!((books.amounts(1).2, books.amounts(2).2), (3, 2));
}

/// What may come next.
#[derive(Debug, Clone)]
enum Step {
    Report { group: u32, used: i64, asks: bool },
    Repeat,
    TopUp(i64),
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..4u32, 0..160i64, any::<bool>())
            .prop_map(|(group, used, asks)| Step::Report { group, used, asks }),
        2 => Just(Step::Repeat),
        1 => (1..400i64).prop_map(Step::TopUp),
        1 => Just(Step::End),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    /// All there was is used first and uncovered after, whatever was granted to whom in between.
    #[test]
    fn used_is_the_sum_of_reports_as_far_as_there_was_something(steps in steps(), start in 0..900i64) {
        let mut books = Books::of(vec![bucket(1, "home", 24, start), bucket(2, "world", 48, 40)]);
        books.report(&report(0, Phase::Initial, Vec::new()));
        let (mut number, mut reported, mut supply, mut made) = (0, 0, start + 40, 2);
        let mut last = None;
        for step in steps {
            match step {
                Step::Report { group, used, asks } => {
                    number += 1;
                    let asked = asks.then_some(Asked::Any);
                    let request = report(number, Phase::Update, vec![service(group, Some(used), asked)]);
                    let answer = books.report(&request);
                    reported += used;
                    last = Some((request, answer));
                }
                Step::Repeat => if let Some((request, answer)) = &last {
                    prop_assert_eq!(books.try_report(request), Outcome::Replayed(answer.clone().into()));
                },
                Step::TopUp(amount) => {
                    made += 1;
                    supply += amount;
                    books.book.buckets.push(bucket(made, "home", 30, amount));
                }
                Step::End => break,
            }
            let used: i64 = books.book.buckets.iter().map(|it| it.holding.used).sum();
            let uncovered: i64 = books.session.iter().flat_map(|it| &it.services)
                .map(|it| it.uncovered).sum();
            prop_assert_eq!(used + uncovered, reported);
        }
        books.report(&report(number + 1, Phase::Terminate, Vec::new()));
        let sum = |role| books.book.buckets.iter().map(|it| it.holding.of(role)).sum::<i64>();
        prop_assert_eq!(sum(BucketRole::Reserved), 0);
        prop_assert_eq!(sum(BucketRole::Left) + sum(BucketRole::Used), supply);
    }
}
