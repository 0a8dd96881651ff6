//! The customers, the provider, and who kills the program.

use std::sync::Arc;
use std::time::Duration as RealDuration;

use simurgh_app::App;
use simurgh_app::ports::{Clock, Entropy, StoreExt, StoreFault};
use simurgh_commerce::{Failure, OrderState};
use simurgh_connectors::payment::sandbox::{HandedNotification, Outcome, Sandbox, SandboxServer};
use simurgh_connectors::payment::{DirectSandbox, SandboxSettings};
use simurgh_sim::{
    Chance, Death, SeededEntropy, TestClock, agreed_settings, differences, program_over,
    written_notification,
};
use simurgh_store::{Database, DatabaseOptions};
use simurgh_vocab::{Duration, OrderId, PaymentId, Timestamp};

use super::place::Place;
use super::process::{Answer, Killing, Process};

/// Customers in town.
const CUSTOMERS: u32 = 40;
/// Renewals under way at once.
const AT_ONCE: usize = 8;
/// Rounds after which a renewal that does not end is a failure.
const ROUNDS_MAX: u32 = 400;

/// When the town begins: 2026-11-23T08:00:00Z.
const BEGIN: Timestamp = Timestamp::from_micros(1_795_420_800_000_000);

/// What is true in the end.
#[derive(Debug)]
pub(crate) struct Sum {
    /// What is wrong.
    pub(crate) findings: Vec<String>,
    /// Orders for which the provider took money.
    pub(crate) paid: usize,
    pub(crate) fulfilled: usize,
    pub(crate) refunded: usize,
}

/// How far a customer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The form of the plan is sent.
    Order,
    /// The form of the payment is sent.
    Pay,
    /// The provider's page is open.
    AtProvider,
    /// A purchase is taken back.
    GiveBack,
    Done,
}

#[derive(Debug, Clone)]
struct Renewal {
    customer: String,
    order: OrderId,
    payment: PaymentId,
    stage: Stage,
    rounds: u32,
    paid: bool,
    gives_back: bool,
    /// For the message when it does not end.
    last: Option<Answer>,
}

pub(crate) struct Town<'p> {
    place: &'p Place,
    chance: Chance,
    clock: Arc<TestClock>,
    entropy: SeededEntropy,
    provider: DirectSandbox,
    provider_url: String,
    process: Option<Process>,
    processes: u64,
    /// How many of them were killed at work.
    deaths: u64,
    seed: u64,
    customers: Vec<String>,
    /// How many people came to town.
    people: u32,
    bag: Vec<HandedNotification>,
    killing: Killing,
    /// Whether the process at work was told where to die.
    told: bool,
    _runtime: tokio::runtime::Runtime,
}

impl<'p> Town<'p> {
    /// A town whose customers have a line each.
    pub(crate) fn new(place: &'p Place, seed: u64) -> Self {
        let clock = Arc::new(TestClock::at(BEGIN));
        let outside_clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&clock);
        let sandbox = Sandbox::in_memory(
            Arc::clone(&outside_clock),
            Arc::new(SeededEntropy::new(seed ^ 0x5eed)) as Arc<dyn Entropy>,
        );
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (provider_url, settings) = serve(&runtime, &sandbox);
        let mut town = Self {
            place,
            chance: Chance::new(seed),
            clock,
            entropy: SeededEntropy::new(seed ^ 0x1d5),
            provider: DirectSandbox::new(sandbox, settings, outside_clock),
            provider_url,
            process: None,
            processes: 0,
            deaths: 0,
            seed,
            customers: Vec::new(),
            people: 0,
            bag: Vec::new(),
            killing: Killing::Never,
            told: false,
            _runtime: runtime,
        };
        let prepared = town.tell(&["prepare".to_owned()]);
        assert!(
            matches!(prepared.as_slice(), [Answer::Ok(_)]),
            "{prepared:?}"
        );
        town.customers = (0..CUSTOMERS).map(|_| town.newcomer()).collect();
        for customer in town.customers.clone() {
            let mut first = town.renewal(customer);
            town.go_to_the_end(&mut first);
        }
        town
    }

    /// One renewal by one customer. Whether the process was killed in it.
    pub(crate) fn renew_once(&mut self, killing: Killing) -> bool {
        let customer = self.chance.pick(&self.customers).unwrap().clone();
        self.killed_in(killing, |town| {
            let mut renewal = town.renewal(customer);
            town.go_to_the_end(&mut renewal);
        })
    }

    /// The first plan of somebody new, until the profile of the line waits for a phone. Whether the
    /// process was killed meanwhile.
    pub(crate) fn join_once(&mut self, killing: Killing) -> bool {
        let customer = self.newcomer();
        self.killed_in(killing, |town| {
            let mut first = town.renewal(customer.clone());
            town.go_to_the_end(&mut first);
            for _ in 0..ROUNDS_MAX {
                town.round(&mut []);
                if let [Answer::Ok(_)] = town.tell(&[format!("token {customer}")]).as_slice() {
                    return;
                }
                // Given back at once: there is no line any more, or none that gets a profile.
                if first.gives_back {
                    return;
                }
            }
            panic!("{customer} gets no profile");
        })
    }

    /// Somebody who has not bought anything yet.
    fn newcomer(&mut self) -> String {
        let answered = self.tell(&[format!("customer {}", self.people)]);
        let [Answer::Ok(id)] = answered.as_slice() else {
            panic!("{answered:?}");
        };
        self.people += 1;
        id.clone()
    }

    fn killed_in(&mut self, killing: Killing, story: impl FnOnce(&mut Self)) -> bool {
        let deaths = self.deaths;
        self.killing = killing;
        self.told = false;
        story(self);
        // What was not reached must not strike later.
        self.killing = Killing::Never;
        self.told = false;
        if let Some(process) = self.process.take() {
            process.kill();
        }
        self.deaths > deaths
    }

    /// Renewals until `count` are paid, with kills on the way; says how many.
    pub(crate) fn renew_many(&mut self, count: usize) -> u64 {
        let deaths = self.deaths;
        if let Some(process) = self.process.take() {
            process.kill();
        }
        let (mut paid, mut at_work) = (0, Vec::<Renewal>::new());
        while paid < count {
            while at_work.len() < AT_ONCE {
                let customer = self.chance.pick(&self.customers).unwrap().clone();
                at_work.push(self.renewal(customer));
            }
            if self.process.is_none() {
                self.killing = self.next_killing();
                self.told = false;
            }
            self.round(&mut at_work);
            at_work.retain(|renewal| {
                assert!(renewal.rounds < ROUNDS_MAX, "{renewal:?} does not end");
                paid += usize::from(renewal.stage == Stage::Done && renewal.paid);
                renewal.stage != Stage::Done
            });
        }
        self.killing = Killing::Never;
        while !at_work.is_empty() {
            self.round(&mut at_work);
            at_work.retain(|renewal| renewal.stage != Stage::Done);
        }
        self.deaths - deaths
    }

    fn next_killing(&mut self) -> Killing {
        let commits = u32::try_from(1 + self.chance.below(40)).unwrap();
        match self.chance.below(4) {
            0 => Killing::At(Death::Before, commits),
            1 => Killing::At(Death::After, commits),
            2 => Killing::At(Death::Past, commits),
            _ => self.killed_soon(),
        }
    }

    /// Mostly at once, at times after a while.
    fn killed_soon(&mut self) -> Killing {
        let longest = 1 + self.chance.below(20_000);
        let micros = self.chance.below(longest).try_into().unwrap();
        Killing::In(RealDuration::from_micros(micros))
    }

    fn renewal(&mut self, customer: String) -> Renewal {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        let now = self.clock.now().as_unix_millis();
        Renewal {
            customer,
            order: OrderId::from_parts(now, &random),
            payment: PaymentId::from_parts(now, &random),
            stage: Stage::Order,
            rounds: 0,
            paid: false,
            gives_back: false,
            last: None,
        }
    }

    fn go_to_the_end(&mut self, renewal: &mut Renewal) {
        let mut only = [renewal.clone()];
        while only[0].stage != Stage::Done || !self.bag.is_empty() {
            assert!(only[0].rounds < ROUNDS_MAX, "{only:?} does not end");
            self.round(&mut only);
        }
        *renewal = only[0].clone();
    }

    /// Everybody does the next thing, side by side; some notifications arrive, the outbox is worked.
    fn round(&mut self, renewals: &mut [Renewal]) {
        self.clock.advance(Duration::seconds(5));
        self.bag.extend(self.provider.pop_notifications());
        let mut commands = Vec::new();
        let acting: Vec<_> = (0..renewals.len())
            .filter(|at| renewals[*at].stage != Stage::Done)
            .collect();
        for at in &acting {
            commands.push(renewals[*at].command());
        }
        let carried = self.pick_notifications();
        for notification in &carried {
            let written = written_notification(&notification.headers, &notification.body);
            commands.push(format!("notify {written}"));
        }
        commands.push("jobs".to_owned());
        let answers = self.tell(&commands);
        for (at, answer) in acting.iter().zip(&answers) {
            self.go_on(&mut renewals[*at], answer);
        }
        for (notification, answer) in carried.into_iter().zip(&answers[acting.len()..]) {
            // A provider sends again until it is taken; one in five comes twice all the same.
            if *answer == Answer::None || self.chance.percent(20) {
                self.bag.push(notification);
            }
        }
        self.bag.extend(self.provider.pop_notifications());
    }

    /// Notifications from anywhere in the bag; the others come later.
    fn pick_notifications(&mut self) -> Vec<HandedNotification> {
        let mut picked = Vec::new();
        for _ in 0..self.bag.len() {
            let at = self.chance.below(self.bag.len());
            if self.chance.percent(60) {
                let mut notification = self.bag.swap_remove(at);
                notification.headers = self.provider.sign(&notification.body);
                picked.push(notification);
            }
        }
        picked
    }

    fn go_on(&mut self, renewal: &mut Renewal, answer: &Answer) {
        renewal.rounds += 1;
        renewal.last = Some(answer.clone());
        match (renewal.stage, answer) {
            (Stage::Order, Answer::Ok(_)) => renewal.stage = Stage::Pay,
            (Stage::Pay, Answer::Ok(_)) => {
                renewal.stage = Stage::AtProvider;
                self.decide(renewal);
            }
            (Stage::GiveBack, Answer::Ok(_)) => renewal.stage = Stage::Done,
            // Not granted yet, perhaps, or extended since: the customer tries for a while.
            (Stage::GiveBack, Answer::No(_)) => {
                if self.chance.percent(20) {
                    renewal.stage = Stage::Done;
                }
            }
            // What the form said holds no more (the plan in it has ended): a new one.
            (Stage::Order, Answer::No(_)) => {
                let fresh = self.renewal(renewal.customer.clone());
                (renewal.order, renewal.payment) = (fresh.order, fresh.payment);
            }
            // The customer presses again.
            (Stage::Order | Stage::Pay | Stage::GiveBack, Answer::None)
            | (Stage::Pay, Answer::No(_))
            | (Stage::AtProvider | Stage::Done, _) => {}
        }
        if renewal.stage == Stage::AtProvider && renewal.rounds > 3 * ROUNDS_MAX / 4 {
            panic!("{renewal:?}: {answer:?}");
        }
    }

    /// What the payer does at the provider.
    fn decide(&mut self, renewal: &mut Renewal) {
        let outcome = match self.chance.below(20) {
            0..=9 => Outcome::Success,
            10..=12 => Outcome::Duplicated,
            13..=15 => Outcome::Reordered,
            16 => Outcome::Delayed,
            17 => Outcome::WrongAmount,
            _ => Outcome::Fail(Failure::ALL[self.chance.below(Failure::ALL.len())]),
        };
        match self.provider.sandbox().decide(renewal.payment, outcome) {
            Ok(()) => {}
            // An attempt that the store kept and the provider never heard of: pressed again.
            Err(_) => {
                renewal.stage = Stage::Pay;
                return;
            }
        }
        if let Outcome::Fail(_) = outcome {
            let mut random = [0; 10];
            self.entropy.fill(&mut random);
            let now = self.clock.now().as_unix_millis();
            renewal.payment = PaymentId::from_parts(now, &random);
            renewal.stage = Stage::Pay;
            return;
        }
        renewal.paid = true;
        renewal.gives_back = self.chance.percent(8);
        renewal.stage = if renewal.gives_back {
            Stage::GiveBack
        } else {
            Stage::Done
        };
    }

    /// Sends commands to the process, which is started if there is none, and killed when its time
    /// has come.
    fn tell(&mut self, commands: &[String]) -> Vec<Answer> {
        let process = self.process.take().unwrap_or_else(|| {
            self.processes += 1;
            let seed = self.seed.wrapping_mul(1_000_003) ^ self.processes;
            Process::start(&self.place.address(), &self.provider_url, seed)
        });
        let now = self.clock.now();
        let process = match (self.killing, self.told) {
            (Killing::At(death, commits), false) => {
                self.told = true;
                let order = [format!("die {} {commits}", death.word())];
                process.run(now, &order, Killing::Never).0.unwrap()
            }
            (Killing::At(..) | Killing::In(_) | Killing::Never, _) => process,
        };
        // A process that is killed after a time is left alone in most rounds.
        let killing = match self.killing {
            Killing::In(_) if self.chance.percent(70) => Killing::Never,
            // Each time another one: a round that is quicker than one time is not quicker than all.
            Killing::In(_) => self.killed_soon(),
            other => other,
        };
        let (process, answers) = process.run(now, commands, killing);
        self.deaths += u64::from(process.is_none());
        self.process = process;
        answers
    }

    /// Nobody is killed any more, everything arrives, and time passes until nothing is due; then the
    /// books are audited as `simurgh audit` does, and compared with the provider's.
    pub(crate) fn settle(mut self) -> Sum {
        self.killing = Killing::Never;
        for _ in 0..100 {
            while !self.bag.is_empty() {
                self.round(&mut []);
            }
            self.clock.advance(Duration::minutes(15));
            while self.tell(&["jobs".to_owned()]) != [Answer::Ok("0".to_owned())] {}
            self.bag.extend(self.provider.pop_notifications());
        }
        if let Some(process) = self.process.take() {
            process.end();
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(self.audit())
    }

    async fn audit(&self) -> Sum {
        let store = Database::open(&self.place.url(), DatabaseOptions::default()).unwrap();
        let app = program_over(Arc::new(store), &self.clock, 0, &self.provider_url).unwrap();
        let book = self.provider.sandbox().book();
        let mut findings = app.audit().await.unwrap().findings;
        findings.extend(differences(&app, book.clone()).await.unwrap());
        let orders = app.store.snapshot(|tx| tx.recent_orders(100_000)).await;
        let orders = orders.unwrap_or_else(|fault: StoreFault| panic!("{fault}"));
        let count = |wanted: fn(&OrderState) -> bool| {
            orders.iter().filter(|order| wanted(&order.state)).count()
        };
        let open = app.open_jobs(1_000).await.unwrap();
        let failing = open.iter().filter(|job| job.last_error.is_some());
        findings.extend(profile_findings(&app).await);
        findings.extend(failing.map(|job| format!("stuck: {:?}: {:?}", job.task, job.last_error)));
        let mut paid = std::collections::BTreeSet::new();
        for payment in book.payments {
            if payment.status == simurgh_commerce::ProviderStatus::Captured {
                let ours = app
                    .store
                    .snapshot(move |tx| tx.payment(payment.payment))
                    .await;
                let ours = ours.unwrap_or_else(|fault: StoreFault| panic!("{fault}"));
                paid.extend(ours.map(|payment| payment.order));
            }
        }
        Sum {
            findings,
            paid: paid.len(),
            fulfilled: count(|state| matches!(state, OrderState::Fulfilled { .. })),
            refunded: count(|state| matches!(state, OrderState::Refunded { .. })),
        }
    }
}

/// Each line has one profile, and nothing was taken from the stock for nobody.
async fn profile_findings(app: &App) -> Vec<String> {
    let profiles = app.store.snapshot(|tx| tx.profiles_after(None, 100_000));
    let profiles = profiles
        .await
        .unwrap_or_else(|fault: StoreFault| panic!("{fault}"));
    let lines: std::collections::BTreeSet<_> = profiles.iter().map(|one| one.line).collect();
    let stock = app.stock().await.unwrap();
    let counts = [
        ("lines with a profile", lines.len()),
        (
            "subscriptions taken",
            usize::try_from(stock.sims_taken).unwrap(),
        ),
        (
            "numbers taken",
            usize::try_from(stock.numbers_taken).unwrap(),
        ),
    ];
    let wrong = counts
        .into_iter()
        .filter(|(_, count)| *count != profiles.len());
    wrong
        .map(|(what, count)| format!("{what}: {count} of {}", profiles.len()))
        .collect()
}

impl Drop for Town<'_> {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }
}

impl Renewal {
    fn command(&self) -> String {
        let (customer, order) = (&self.customer, self.order);
        match self.stage {
            Stage::Order => format!("order {customer} {order}"),
            Stage::Pay | Stage::AtProvider | Stage::Done => {
                format!("pay {customer} {order} {}", self.payment)
            }
            Stage::GiveBack => format!("give-back {customer} {order}"),
        }
    }
}

/// The provider's API on a port of its own. Its courier stays at home: the town carries the
/// notifications.
fn serve(runtime: &tokio::runtime::Runtime, sandbox: &Sandbox) -> (String, SandboxSettings) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = agreed_settings(&url).unwrap();
    let server = SandboxServer::new(sandbox.clone(), settings.clone()).unwrap();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, server.router()).await.unwrap();
    });
    (url, settings)
}
