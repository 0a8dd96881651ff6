//! What time does to a line: reminders, warnings, automatic renewal, grace, suspension, and what live sessions
//! hear of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::path::PathBuf;

use common::{form, line_of, payment, plan};
use simurgh_app::charge::UseRequest;
use simurgh_app::line::{RenewalChoice, UsageReport};
use simurgh_app::ports::{LineState, Message, MessageState, StoreExt, Subscriber};
use simurgh_charging::{Asked, Phase, ServiceKey, ServiceReport, ServiceResult};
use simurgh_commerce::{Order, OrderState, QuoteRequest, Start};
use simurgh_connectors::payment::sandbox::{Behaviour, Loss, Outcome};
use simurgh_sim::{Ask, World, add_customer, catalogue_file};
use simurgh_vocab::{Currency, CustomerId, Duration, LineId, OrderId, PaymentId, Timestamp, Unit};

/// A world with a customer, whose clock stands at four in the afternoon in their time zone.
struct Scene {
    world: World,
    customer: CustomerId,
    folder: PathBuf,
    uses: std::cell::Cell<u32>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        // It is in the system's own folder for such things, should this fail.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Scene {
    async fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simurgh-clock-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Numbers of processes come again: what a killed one left behind is not ours.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let world = World::new(&folder, 1, 0).await.unwrap();
        let customer = add_customer(&world.app, 1).await.unwrap();
        Self {
            world,
            customer,
            folder,
            uses: std::cell::Cell::new(0),
        }
    }

    fn now(&self) -> Timestamp {
        self.world.app.now()
    }

    async fn settle(&self) {
        let app = &self.world.app;
        loop {
            for word in self.world.provider.pop_notifications() {
                let told = app.notify_payment("sandbox", word.as_notification());
                told.await.unwrap();
            }
            if app.run_due_jobs().await.unwrap() == 0 {
                return;
            }
        }
    }

    /// Lets hours pass and does what is due each hour.
    async fn pass(&self, hours: u32) {
        for _ in 0..hours {
            self.world.clock.advance(Duration::hours(1));
            self.settle().await;
        }
    }

    async fn pass_until(&self, time: Timestamp) {
        let hours = time.since(self.now()).as_micros() / Duration::hours(1).as_micros();
        self.pass(u32::try_from(hours).unwrap()).await;
    }

    async fn buy(&self, line: Option<LineId>, purchase: QuoteRequest) -> (OrderId, PaymentId) {
        let app = &self.world.app;
        let order = form(app, self.customer, line, purchase).await;
        let id = app.place_order(self.customer, order).await.unwrap().id;
        let attempt = payment(app, id, true);
        app.pay(self.customer, attempt.clone()).await.unwrap();
        let sandbox = self.world.provider.sandbox();
        sandbox.decide(attempt.id, Outcome::Success).unwrap();
        self.settle().await;
        (id, attempt.id)
    }

    async fn line(&self) -> LineId {
        line_of(&self.world.app, self.customer).await
    }

    async fn line_state(&self) -> LineState {
        let lines = self.world.app.line_views(self.customer).await.unwrap();
        lines[0].line.state
    }

    /// When the last plan of the line ends.
    async fn end(&self) -> Timestamp {
        let lines = self.world.app.line_views(self.customer).await.unwrap();
        let ends = lines[0].plans.iter().filter_map(|plan| plan.period);
        ends.map(|period| period.end).max().unwrap()
    }

    async fn renew_automatically(&self) {
        let app = &self.world.app;
        let methods = app.stored_methods(self.customer).await.unwrap();
        let choice = RenewalChoice {
            line: self.line().await,
            mandate: methods[0].id,
            selection: "offer:basic-europe".parse().unwrap(),
            periods: 1,
            currency: Currency::Cny,
        };
        app.turn_renewal_on(self.customer, choice).await.unwrap();
        self.settle().await;
    }

    async fn use_data(&self, line: LineId, megabytes: i64) {
        self.uses.set(self.uses.get() + 1);
        let report = UsageReport {
            line,
            unit: Unit::Octets,
            amount: megabytes * 1_000_000,
            zone: "europe".parse().unwrap(),
            reference: self.uses.get().to_string(),
        };
        let app = &self.world.app;
        assert_eq!(app.record_usage(report.clone()).await, Ok(0));
        assert_eq!(app.record_usage(report).await, Ok(0), "counts once");
        self.world.clock.advance(Duration::minutes(1));
        self.settle().await;
    }

    /// A number for the line, by which the network knows it.
    async fn give_number(&self) -> Subscriber {
        let number: simurgh_vocab::Msisdn = "+8613912345678".parse().unwrap();
        let (line, now, taken) = (self.line().await, self.now(), number.clone());
        let given = self.world.app.store.transact(move |tx| {
            tx.insert_number(&taken, now)?;
            tx.take_number(line)
        });
        given.await.unwrap();
        Subscriber::Msisdn(number)
    }

    /// A request of a data session in France.
    async fn ask(&self, of: &Subscriber, session: &str, number: u32) -> ServiceResult {
        let phase = if number == 0 {
            Phase::Initial
        } else {
            Phase::Update
        };
        let request = UseRequest {
            session: session.into(),
            subscriber: vec![of.clone()],
            number,
            phase,
            unit: Unit::Octets,
            country: "FR".parse().ok(),
            client: "pgw.example.com".into(),
            realm: "example.com".into(),
            services: vec![ServiceReport {
                key: ServiceKey::default(),
                used: (number > 0).then_some(1_000),
                asked: Some(Asked::Any),
            }],
        };
        let answers = self.world.app.charge_uses([request].into()).await.unwrap();
        answers[0].services[0].result.clone()
    }

    /// The messages of a template, oldest first.
    async fn told(&self, template: &str) -> Vec<Message> {
        let all = self.world.app.messages(Some(self.customer), 200).await;
        let mut told = all.unwrap();
        told.retain(|message| message.template == template);
        told.reverse();
        told
    }

    async fn automatic_orders(&self) -> Vec<Order> {
        let mut orders = self.world.app.orders_of(self.customer).await.unwrap();
        orders.retain(|order| order.automatic);
        orders.reverse();
        orders
    }
}

fn argument(message: &Message, name: &str) -> String {
    let found = message.arguments.iter().find(|(own, _)| own == name);
    found.unwrap().1.clone()
}

fn sent_at(message: &Message) -> Timestamp {
    match message.state {
        MessageState::Sent { at, .. } | MessageState::Delivered { at } => at,
        MessageState::Queued | MessageState::Failed { .. } => {
            unreachable!("{:?}", message.state)
        }
    }
}

/// The hour of the day in China.
fn hour(time: Timestamp) -> i64 {
    (time.as_unix_seconds() / 3_600 + 8).rem_euclid(24)
}

#[tokio::test]
async fn reminders_come_seven_three_and_one_day_before_the_end_once() {
    let scene = Scene::new().await;
    scene.buy(None, plan(Start::Now)).await;
    let end = scene.end().await;
    scene.pass(30 * 24).await;
    let told = scene.told("ends-soon").await;
    let days: Vec<_> = told.iter().map(|m| argument(m, "days")).collect();
    assert_eq!(days, ["7", "3", "1"]);
    for (message, days) in told.iter().zip([7, 3, 1]) {
        assert_eq!(message.created_at, end.minus(Duration::days(days)));
        assert_eq!(sent_at(message), message.created_at, "it is afternoon");
    }
}

#[tokio::test]
async fn a_reminder_by_sms_waits_for_the_morning_of_the_subscriber() {
    let scene = Scene::new().await;
    // Ten in the evening in China.
    scene.world.clock.advance(Duration::hours(6));
    scene.buy(None, plan(Start::Now)).await;
    let end = scene.end().await;
    assert_eq!(hour(end), 22);
    scene.pass(24 * 24).await;
    let told = scene.told("ends-soon").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].created_at, end.minus(Duration::days(7)));
    assert_eq!(
        sent_at(&told[0]),
        told[0].created_at.plus(Duration::hours(10))
    );
    assert_eq!(hour(sent_at(&told[0])), 8);
}

#[tokio::test]
async fn an_sms_whose_turn_comes_late_does_not_come_by_night() {
    let scene = Scene::new().await;
    scene.buy(None, plan(Start::Now)).await;
    let end = scene.end().await;
    scene
        .pass_until(end.minus(Duration::days(7)).minus(Duration::hours(1)))
        .await;
    // Queued at four in the afternoon, but nobody sends it before eleven at night.
    scene.world.clock.advance(Duration::hours(1));
    let line = scene.line().await;
    scene.world.app.advance_line(line).await.unwrap();
    scene.world.clock.advance(Duration::hours(7));
    scene.settle().await;
    let told = scene.told("ends-soon").await;
    assert_eq!(told[0].state, MessageState::Queued);
    scene.pass(9).await;
    assert_eq!(hour(sent_at(&scene.told("ends-soon").await[0])), 8);
}

#[tokio::test]
async fn use_is_warned_of_at_80_90_and_100_percent_once_for_each_period() {
    let scene = Scene::new().await;
    let three = QuoteRequest {
        periods: 3,
        ..plan(Start::Now)
    };
    scene.buy(None, three).await;
    let line = scene.line().await;
    let percents = async || -> Vec<String> {
        let told = scene.told("used").await;
        told.iter().map(|m| argument(m, "percent")).collect()
    };
    scene.use_data(line, 3_999).await;
    assert!(percents().await.is_empty());
    for (megabytes, expected) in [
        (1, &["80"][..]),
        (400, &["80"]),
        (200, &["80", "90"]),
        (399, &["80", "90"]),
        (1, &["80", "90", "100"]),
    ] {
        scene.use_data(line, megabytes).await;
        assert_eq!(percents().await, expected);
    }
    scene.pass(31 * 24).await;
    scene.use_data(line, 4_100).await;
    assert_eq!(
        percents().await,
        ["80", "90", "100", "80"],
        "of the next period"
    );
}

#[tokio::test]
async fn a_renewal_is_announced_a_day_or_more_before_it_is_charged() {
    let scene = Scene::new().await;
    scene.buy(None, plan(Start::Now)).await;
    scene.renew_automatically().await;
    let end = scene.end().await;
    scene.pass_until(end.minus(Duration::hours(1))).await;
    let notice = scene.told("renewal-notice").await;
    assert_eq!(notice.len(), 1);
    assert_eq!(notice[0].created_at, end.minus(Duration::days(3)));
    assert_eq!(argument(&notice[0], "total"), "¥69.00");
    let orders = scene.automatic_orders().await;
    assert_eq!(orders.len(), 1);
    assert!(matches!(orders[0].state, OrderState::Fulfilled { .. }));
    assert_eq!(orders[0].placed_at, end.minus(Duration::days(1)));
    assert_eq!(scene.end().await, end.plus(Duration::days(30)));
    assert!(scene.told("ends-soon").await.is_empty());
}

#[tokio::test]
async fn nobody_is_charged_more_than_they_were_told() {
    let scene = Scene::new().await;
    scene.buy(None, plan(Start::Now)).await;
    scene.renew_automatically().await;
    let end = scene.end().await;
    scene.pass_until(end.minus(Duration::days(2))).await;
    let dearer = catalogue_file().replace("CNY = \"69.00\"", "CNY = \"79.00\"");
    assert_ne!(dearer, catalogue_file());
    let applied = scene
        .world
        .app
        .apply_catalogue(dearer, "test".to_owned(), false);
    applied.await.unwrap();
    scene.pass(24).await;
    let notices = scene.told("renewal-notice").await;
    let totals: Vec<_> = notices.iter().map(|m| argument(m, "total")).collect();
    assert_eq!(totals, ["¥69.00", "¥79.00"]);
    assert!(scene.automatic_orders().await.is_empty(), "not yet");
    scene.pass(25).await;
    let orders = scene.automatic_orders().await;
    assert_eq!(orders.len(), 1);
    assert!(orders[0].placed_at >= notices[1].created_at.plus(Duration::days(1)));
    assert!(matches!(orders[0].state, OrderState::Fulfilled { .. }));
    assert!(matches!(scene.line_state().await, LineState::Active));
}

#[tokio::test]
async fn a_charge_that_may_work_later_is_tried_again_and_one_that_cannot_is_not() {
    for (behaviour, charges) in [
        (Behaviour::InsufficientFunds, 6),
        (Behaviour::InsufficientFundsOnce, 2),
        (Behaviour::Expired, 1),
        (Behaviour::Revoked, 1),
    ] {
        let scene = Scene::new().await;
        let (_, first) = scene.buy(None, plan(Start::Now)).await;
        scene.renew_automatically().await;
        let sandbox = scene.world.provider.sandbox();
        sandbox.behave(first, behaviour).unwrap();
        let end = scene.end().await;
        scene.pass_until(end.plus(Duration::days(4))).await;
        let orders = scene.automatic_orders().await;
        assert_eq!(orders.len(), charges, "{behaviour:?}");
        for (earlier, later) in orders.iter().zip(orders.iter().skip(1)) {
            let between = later.placed_at.since(earlier.placed_at);
            assert!(between >= Duration::hours(12), "{behaviour:?}");
        }
        let told = scene.told("renewal-failed").await;
        assert_eq!(told.len(), 1, "{behaviour:?}: once for each reason");
        let renewed = behaviour == Behaviour::InsufficientFundsOnce;
        let state = scene.line_state().await;
        assert_eq!(matches!(state, LineState::Active), renewed, "{behaviour:?}");
        let all = scene.world.provider.sandbox().book().payments.len();
        assert_eq!(all, charges + 1, "{behaviour:?}: each charge once");
    }
}

#[tokio::test]
async fn a_charge_that_never_reached_the_provider_is_made_again() {
    let scene = Scene::new().await;
    scene.buy(None, plan(Start::Now)).await;
    scene.renew_automatically().await;
    let end = scene.end().await;
    scene.pass_until(end.minus(Duration::hours(25))).await;
    scene.world.provider.lose_next(Loss::Request);
    scene.pass(24).await;
    let orders = scene.automatic_orders().await;
    assert_eq!(orders.len(), 2);
    assert!(matches!(orders[0].state, OrderState::Closed { .. }));
    assert!(matches!(orders[1].state, OrderState::Fulfilled { .. }));
    assert!(scene.told("renewal-failed").await.is_empty());
    assert_eq!(scene.end().await, end.plus(Duration::days(30)));
}

#[tokio::test]
async fn a_line_without_a_plan_has_grace_is_suspended_and_comes_back_when_it_is_paid() {
    let scene = Scene::new().await;
    scene.buy(None, plan(Start::Now)).await;
    let (line, end) = (scene.line().await, scene.end().await);
    scene.pass_until(end.plus(Duration::hours(1))).await;
    let until = end.plus(Duration::days(3));
    assert_eq!(scene.line_state().await, LineState::Grace { until });
    assert_eq!(scene.told("ended").await.len(), 1);
    scene.pass_until(until.minus(Duration::hours(1))).await;
    assert_eq!(scene.line_state().await, LineState::Grace { until });
    scene.pass(2).await;
    assert!(matches!(
        scene.line_state().await,
        LineState::Suspended { .. }
    ));
    scene.pass(24).await;
    assert_eq!(scene.told("suspended").await.len(), 1);
    scene.buy(Some(line), plan(Start::Now)).await;
    assert_eq!(scene.line_state().await, LineState::Active);
    scene.use_data(line, 1).await;
}

#[tokio::test]
async fn a_renewal_turned_off_is_not_charged_even_when_its_charge_is_due() {
    let scene = Scene::new().await;
    scene.buy(None, plan(Start::Now)).await;
    scene.renew_automatically().await;
    let (line, end) = (scene.line().await, scene.end().await);
    scene.pass_until(end.minus(Duration::hours(25))).await;
    assert_eq!(scene.told("renewal-notice").await.len(), 1);
    scene.world.clock.advance(Duration::hours(1));
    // The order is placed, and its charge waits in the outbox.
    assert!(scene.world.app.run_due_jobs().await.unwrap() > 0);
    assert_eq!(scene.automatic_orders().await.len(), 1);
    let off = scene.world.app.turn_renewal_off(scene.customer, line);
    assert!(off.await.unwrap());
    scene.pass(48).await;
    let book = scene.world.provider.sandbox().book();
    assert_eq!(book.payments.len(), 1, "the first purchase only");
    let orders = scene.automatic_orders().await;
    assert!(matches!(orders[0].state, OrderState::Closed { .. }));
    assert_eq!(scene.told("ended").await.len(), 1);
}

#[tokio::test]
async fn money_that_comes_after_an_order_was_closed_is_sent_back() {
    let scene = Scene::new().await;
    let app = &scene.world.app;
    let order = form(app, scene.customer, None, plan(Start::Now)).await;
    let id = app.place_order(scene.customer, order).await.unwrap().id;
    let attempt = payment(app, id, false);
    app.pay(scene.customer, attempt.clone()).await.unwrap();
    let sandbox = scene.world.provider.sandbox();
    sandbox.decide(attempt.id, Outcome::NoAnswer).unwrap();
    scene.pass(26).await;
    let details = app.order_details(Some(scene.customer), id).await.unwrap();
    let state = details.unwrap().order.state;
    assert!(matches!(state, OrderState::Closed { .. }), "{state:?}");
    sandbox.decide(attempt.id, Outcome::Success).unwrap();
    scene.pass(13).await;
    let details = app.order_details(Some(scene.customer), id).await.unwrap();
    assert_eq!(details.unwrap().refunds.len(), 1);
    let book = scene.world.provider.sandbox().book();
    assert_eq!(book.refunds.len(), 1);
    assert!(app.line_views(scene.customer).await.unwrap().is_empty());
    assert_eq!(app.audit().await.unwrap().findings, Vec::<String>::new());
}

#[tokio::test]
async fn a_live_session_hears_of_the_end_of_its_plan_of_suspension_and_of_renewal() {
    let scene = Scene::new().await;
    scene.buy(None, plan(Start::Now)).await;
    let subscriber = scene.give_number().await;
    let granted = scene.ask(&subscriber, "s", 0).await;
    assert!(matches!(granted, ServiceResult::Granted(_)), "{granted:?}");
    let network = &scene.world.network;
    assert_eq!(network.asked(), []);
    let reauthorize = || vec![Ask::Reauthorize("s".to_owned())];

    // One more term behind this one.
    let line = scene.line().await;
    scene.buy(Some(line), plan(Start::Queue)).await;
    assert_eq!(network.asked(), reauthorize());

    // The first term is over: its buckets are.
    let end = scene.end().await;
    scene.pass_until(end.minus(Duration::days(30))).await;
    scene.pass(1).await;
    assert_eq!(network.asked(), reauthorize());
    let granted = scene.ask(&subscriber, "s", 1).await;
    assert!(matches!(granted, ServiceResult::Granted(_)), "{granted:?}");

    // The last one is: the line is kept in service, with nothing to use.
    scene.pass_until(end).await;
    scene.pass(1).await;
    assert!(matches!(scene.line_state().await, LineState::Grace { .. }));
    assert_eq!(network.asked(), reauthorize());
    let refused = scene.ask(&subscriber, "s", 2).await;
    assert_eq!(refused, ServiceResult::LimitReached);

    // Nobody has renewed: sessions end.
    scene.pass(3 * 24).await;
    assert!(matches!(
        scene.line_state().await,
        LineState::Suspended { .. }
    ));
    assert_eq!(network.asked(), [Ask::Abort("s".to_owned())]);
    assert_eq!(scene.ask(&subscriber, "s", 3).await, ServiceResult::Denied);

    // A client that did not end it hears that it may go on.
    scene.buy(Some(line), plan(Start::Now)).await;
    assert_eq!(scene.line_state().await, LineState::Active);
    assert_eq!(network.asked(), reauthorize());
    let granted = scene.ask(&subscriber, "s", 4).await;
    assert!(matches!(granted, ServiceResult::Granted(_)), "{granted:?}");
    let report = scene.world.app.audit().await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
