//! Too much to do, or a store that fails: clients hear of it, and nothing is lost or doubled.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use simurgh_app::charge::DeskOptions;
use simurgh_diameter::credit_control::{
    CcRequestType as Kind, CreditControlAnswer, CreditControlFailureHandling as Handling,
};
use simurgh_diameter::message::decode;
use simurgh_gy::StoreDown;
use simurgh_store::db::{CommitAction, CommitHook, CommitPoint};
use simurgh_vocab::Unit;

use crate::client::{ASK, Client, frame, used};
use crate::world::{CLIENTS, Operator, Terms};

const SESSION: &str = "pgw.example.com;1;1";

/// What the store does with commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    Failing,
    /// The commit happens, and nobody is told.
    Doubtful,
    Stuck,
}

/// A store in a mood.
struct Moody {
    mood: Mutex<Mood>,
    changed: Condvar,
}

impl Moody {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(Mood::Well),
            changed: Condvar::new(),
        })
    }

    fn turn(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        self.changed.notify_all();
    }
}

impl CommitHook for Moody {
    fn at(&self, point: CommitPoint) -> CommitAction {
        let is_stuck = |mood: &mut Mood| *mood == Mood::Stuck;
        let mood = self.mood.lock().unwrap();
        let mood = self.changed.wait_while(mood, is_stuck).unwrap();
        match (*mood, point) {
            (Mood::Failing, CommitPoint::BeforeCommit) => CommitAction::Fail,
            (Mood::Doubtful, CommitPoint::AfterCommit) => CommitAction::FailAfter,
            _ => CommitAction::Proceed,
        }
    }
}

async fn operator(name: &str, store: &Arc<Moody>, down: StoreDown) -> Operator {
    let mut terms = Terms::default();
    terms.settings.store_down = down;
    terms.settings.failure_handling = Handling::RetryAndTerminate;
    terms.settings.answer_timeout = Duration::from_millis(100);
    terms.hook = Some(Arc::<Moody>::clone(store) as Arc<dyn CommitHook>);
    Operator::on(name, terms).await
}

#[tokio::test]
async fn while_the_store_fails_clients_hear_what_the_operator_wants_and_nothing_is_charged() {
    for (name, down, code) in [
        ("gy-down-refuse", StoreDown::Refuse, 5012),
        ("gy-down-busy", StoreDown::Busy, 3004),
        ("gy-down-through", StoreDown::LetThrough, 4011),
    ] {
        let store = Moody::new();
        let operator = operator(name, &store, down).await;
        let mut client = Client::open(&operator, CLIENTS[0]).await;
        let first = client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
        let read = frame(&first.octets);
        let handling = decode::<CreditControlAnswer<'_>>(&read).unwrap();
        let handling = handling.credit_control_failure_handling;
        assert_eq!(handling, Some(Handling::RetryAndTerminate));
        let update = client.write_data(SESSION, Kind::Update, 1, &[used(60)]);
        store.turn(Mood::Failing);
        client.write(&update).await;
        let answer = client.hear().await;
        assert_eq!(answer.code, code, "{name}");
        assert_eq!(frame(&answer.octets).header.is_error(), code == 3004);
        store.turn(Mood::Well);
        // The same request again is a request that nobody has decided yet.
        assert_eq!(client.again(&update).await.code, 2001);
        assert_eq!(operator.amounts(Unit::Octets).await, (840, 100, 60));
        operator.audit().await;
    }
}

#[tokio::test]
async fn what_was_committed_without_a_word_is_not_charged_again() {
    let store = Moody::new();
    let operator = operator("gy-doubt", &store, StoreDown::Busy).await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let update = client.write_data(SESSION, Kind::Update, 1, &[used(60)]);
    store.turn(Mood::Doubtful);
    client.write(&update).await;
    assert_eq!(client.hear().await.code, 3004);
    store.turn(Mood::Well);
    assert_eq!(client.again(&update).await.code, 2001);
    assert_eq!(operator.amounts(Unit::Octets).await, (840, 100, 60));
    operator.audit().await;
}

#[tokio::test]
async fn a_store_that_hangs_makes_nobody_wait_and_what_it_did_is_answered_later() {
    let store = Moody::new();
    let operator = operator("gy-hangs", &store, StoreDown::Busy).await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let update = client.write_data(SESSION, Kind::Update, 1, &[used(60)]);
    store.turn(Mood::Stuck);
    client.write(&update).await;
    assert_eq!(client.hear().await.code, 3004, "while it hangs");
    store.turn(Mood::Well);
    let answer = client.again(&update).await;
    assert_eq!((answer.code, answer.services[0].granted), (2001, Some(100)));
    assert_eq!(operator.amounts(Unit::Octets).await, (840, 100, 60));
    operator.audit().await;
}

#[tokio::test]
async fn more_than_can_wait_is_refused_at_once_and_the_rest_is_answered() {
    let store = Moody::new();
    let mut terms = Terms {
        desk: DeskOptions {
            waiting_max: 2,
            batch_max: 1,
            workers: 1,
        },
        hook: Some(Arc::<Moody>::clone(&store) as Arc<dyn CommitHook>),
        ..Terms::default()
    };
    // Longer than any test: nobody is answered because of the time.
    terms.settings.answer_timeout = Duration::from_secs(3_600);
    let operator = Operator::on("gy-busy", terms).await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    store.turn(Mood::Stuck);
    let mut updates = Vec::new();
    for number in 1..=10 {
        let update = client.write_data(SESSION, Kind::Update, number, &[used(1)]);
        updates.extend_from_slice(&update);
    }
    client.write(&updates).await;
    // Ten came: one is at the store at most, two wait.
    let mut refused = 0;
    for _ in 0..7 {
        let answer = client.hear().await;
        assert_eq!(answer.code, 3004);
        assert!(frame(&answer.octets).header.is_error());
        refused += 1;
    }
    let mut other = Client::open(&operator, CLIENTS[1]).await;
    other.watchdog(None).await;
    store.turn(Mood::Well);
    let mut taken = 0;
    for _ in 0..3 {
        match client.hear().await.code {
            2001 => taken += 1,
            3004 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(taken + refused, 10);
    assert_eq!(operator.amounts(Unit::Octets).await.2, taken);
    operator.audit().await;
}

#[tokio::test]
async fn a_connection_with_enough_under_way_is_not_read_until_some_is_answered() {
    let store = Moody::new();
    let mut terms = Terms {
        hook: Some(Arc::<Moody>::clone(&store) as Arc<dyn CommitHook>),
        ..Terms::default()
    };
    terms.settings.requests_max = 4;
    terms.settings.answer_timeout = Duration::from_secs(3_600);
    let operator = Operator::on("gy-back-pressure", terms).await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    store.turn(Mood::Stuck);
    let mut updates = Vec::new();
    for number in 1..=200 {
        let update = client.write_data(SESSION, Kind::Update, number, &[used(1)]);
        updates.extend_from_slice(&update);
    }
    client.write(&updates).await;
    store.turn(Mood::Well);
    for _ in 0..200 {
        assert_eq!(client.hear().await.code, 2001, "late, but none is refused");
    }
    assert_eq!(operator.amounts(Unit::Octets).await.2, 200);
    operator.audit().await;
}
