//! One run: customers buy, renew, use and give back while commits fail, answers are lost,
//! notifications come late, twice and in another order, and the program is killed. In worlds with
//! eSIM their phones download the profiles of the lines.

use simurgh_app::line::UsageReport;
use simurgh_app::ports::StoreExt;
use simurgh_app::sales::{OrderRequest, PayRequest, PayWith};
use simurgh_commerce::{MethodKind, OrderState, QuoteRequest, Selection, Start};
use simurgh_connectors::payment::sandbox::{HandedNotification, Loss, Outcome};
use simurgh_store::DatabaseUrl;
use simurgh_vocab::{Currency, CustomerId, Duration, LineId, Locale, OrderId, PaymentId, Unit};

use crate::handsets::Handsets;
use crate::{Chance, World, add_customer, differences};

/// How rough the world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// Commits that fail, in percent.
    pub commits_percent: usize,
    /// Calls to the provider that are lost, in percent.
    pub calls_percent: usize,
    /// Steps after which the program is killed, in percent.
    pub kills_percent: usize,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What is wrong, a line each; empty if nothing.
    pub findings: Vec<String>,
    /// Orders that were paid and granted.
    pub fulfilled: usize,
    /// Orders that were taken back.
    pub refunded: usize,
    /// Profiles that the phones hold in the end.
    pub held: usize,
    /// Profiles that chips reported as deleted, or that were replaced.
    pub replaced: usize,
}

struct Player {
    world: World,
    chance: Chance,
    customers: Vec<CustomerId>,
    bag: Vec<HandedNotification>,
    faults: Faults,
    uses: u64,
    phones: Option<Handsets>,
}

/// Lines that the stock of a world with eSIM is enough for: some seeds need more, and wait.
const LINES: u32 = 30;

/// Runs `steps` steps of the world of `seed`, whose store is at `place`, lets it settle, and audits
/// it.
///
/// # Errors
/// When the world itself cannot go on.
pub async fn run_seed(
    place: DatabaseUrl,
    seed: u64,
    steps: u32,
    faults: Faults,
) -> Result<Run, String> {
    let world = World::at(place, seed, faults.commits_percent).await?;
    let player = Player::new(world, seed, faults).await?;
    player.play(steps).await
}

/// As [`run_seed`], in a world whose lines get eSIM profiles and whose customers have phones.
///
/// # Errors
/// When the world itself cannot go on.
pub async fn run_esim_seed(
    place: DatabaseUrl,
    seed: u64,
    steps: u32,
    faults: Faults,
) -> Result<Run, String> {
    let rules = crate::node::rules();
    let world = World::with_esim(place, seed, faults.commits_percent, rules).await?;
    let phones = Handsets::new(&world.app, seed, LINES, faults.calls_percent).await?;
    let mut player = Player::new(world, seed, faults).await?;
    player.phones = Some(phones);
    player.play(steps).await
}

impl Player {
    async fn new(world: World, seed: u64, faults: Faults) -> Result<Self, String> {
        let mut customers = Vec::new();
        for number in 0..5 {
            let customer = add_customer(&world.app, number).await;
            customers.push(customer.map_err(|fault| fault.to_string())?);
        }
        Ok(Self {
            world,
            chance: Chance::new(seed),
            customers,
            bag: Vec::new(),
            faults,
            uses: 0,
            phones: None,
        })
    }

    async fn play(mut self, steps: u32) -> Result<Run, String> {
        self.world.commits.turn(true);
        for _ in 0..steps {
            self.step().await;
            if self.chance.percent(self.faults.kills_percent) {
                self.restart()?;
            }
        }
        self.settle().await
    }

    fn restart(&mut self) -> Result<(), String> {
        self.world.restart()?;
        if let Some(phones) = &mut self.phones {
            phones.connect(&self.world.app);
        }
        Ok(())
    }

    /// Something happens: with a phone, if there are any, or else without.
    async fn step(&mut self) {
        match &mut self.phones {
            Some(phones) if self.chance.percent(60) => {
                phones.step(&self.world.app, &self.customers).await;
            }
            Some(_) | None => self.trade().await,
        }
    }

    /// One thing happens. What the program refuses or fails to do is part of the game: the
    /// customer would see it and try again, or not.
    async fn trade(&mut self) {
        match self.chance.below(12) {
            0..=3 => self.buy().await,
            4..=6 => self.deliver().await,
            7 => {
                let minutes = u32::try_from(self.chance.below(60)).unwrap_or(0);
                self.world.clock.advance(Duration::minutes(minutes));
            }
            8 => {
                let hours = u32::try_from(self.chance.below(120)).unwrap_or(0);
                self.world.clock.advance(Duration::hours(hours));
            }
            9 => self.use_something().await,
            10 => self.give_back().await,
            _ => {
                let _ = self.world.app.run_due_jobs().await;
            }
        }
        self.bag.extend(self.world.provider.pop_notifications());
    }

    async fn buy(&mut self) {
        let Some(customer) = self.chance.pick(&self.customers).copied() else {
            return;
        };
        let lines = self.lines(customer).await;
        let line = self.chance.pick(&lines).copied();
        let starts = [Start::Now, Start::Add, Start::Queue, Start::FirstUse];
        let selections = [
            "offer:basic-europe",
            "offer:deluxe-world",
            "add-on:extra-1gb",
            "mix:world:1000000000:3600:0",
        ];
        let (Some(start), Some(selection)) = (
            self.chance.pick(&starts).copied(),
            self.chance.pick(&selections),
        ) else {
            return;
        };
        let Ok(selection) = selection.parse::<Selection>() else {
            return;
        };
        let periods = if matches!(selection, Selection::AddOn(_)) {
            1
        } else {
            [1, 3][self.chance.below(2)]
        };
        let code = self.chance.percent(20).then(|| "welcome20".to_owned());
        let purchase = QuoteRequest {
            selection,
            periods,
            currency: Currency::Cny,
            start,
            promotion_code: code,
        };
        let app = self.world.app.clone();
        let Ok(quote) = app.quote(Some(customer), line, purchase.clone()).await else {
            return;
        };
        let id = app.make(OrderId::from_parts, app.now());
        let request = OrderRequest {
            id,
            line,
            purchase,
            seen_total: quote.total,
        };
        // A double click: the same form twice.
        let mut placed = app.place_order(customer, request.clone()).await;
        if placed.is_err() || self.chance.percent(20) {
            placed = app.place_order(customer, request).await;
        }
        let Ok(order) = placed else { return };
        for _ in 0..=self.chance.below(2) {
            self.pay(customer, order.id).await;
        }
    }

    async fn pay(&mut self, customer: CustomerId, order: OrderId) {
        self.lose_a_call();
        let app = self.world.app.clone();
        let id = app.make(PaymentId::from_parts, app.now());
        let Some(method) = self.chance.pick(&MethodKind::ALL).copied() else {
            return;
        };
        let with = PayWith::New {
            method,
            store: self.chance.percent(30),
        };
        let request = PayRequest {
            id,
            order,
            with,
            locale: Locale::En,
        };
        let _ = app.pay(customer, request.clone()).await;
        if self.chance.percent(20) {
            let _ = app.pay(customer, request).await;
        }
        let outcomes: Vec<_> = Outcome::all().collect();
        let outcome = if self.chance.percent(60) {
            Outcome::Success
        } else {
            self.chance
                .pick(&outcomes)
                .copied()
                .unwrap_or(Outcome::Success)
        };
        let _ = self.world.provider.sandbox().decide(id, outcome);
        self.bag.extend(self.world.provider.pop_notifications());
    }

    /// Delivers a notification from anywhere in the bag; half of them stay for a second time.
    async fn deliver(&mut self) {
        if self.bag.is_empty() {
            return;
        }
        let index = self.chance.below(self.bag.len());
        let notification = if self.chance.percent(50) {
            self.bag.swap_remove(index)
        } else {
            match self.bag.get(index) {
                Some(notification) => notification.clone(),
                None => return,
            }
        };
        self.lose_a_call();
        let app = self.world.app.clone();
        let _ = app
            .notify_payment("sandbox", notification.as_notification())
            .await;
    }

    async fn use_something(&mut self) {
        let Some(customer) = self.chance.pick(&self.customers).copied() else {
            return;
        };
        let lines = self.lines(customer).await;
        let Some(line) = self.chance.pick(&lines).copied() else {
            return;
        };
        self.uses += 1;
        let zone = if self.chance.percent(50) {
            "world"
        } else {
            "europe"
        };
        let Ok(zone) = zone.parse() else { return };
        let amount = i64::try_from(self.chance.below(3_000_000_000)).unwrap_or(0);
        let reference = self.uses.to_string();
        let report = UsageReport {
            line,
            unit: Unit::Octets,
            amount,
            zone,
            reference,
        };
        let app = self.world.app.clone();
        let _ = app.record_usage(report.clone()).await;
        let _ = app.record_usage(report).await;
    }

    async fn give_back(&mut self) {
        let Some(customer) = self.chance.pick(&self.customers).copied() else {
            return;
        };
        let app = self.world.app.clone();
        let Ok(orders) = app.orders_of(customer).await else {
            return;
        };
        let Some(order) = self.chance.pick(&orders) else {
            return;
        };
        if self.chance.percent(30) {
            let _ = app.cancel_order(customer, order.id).await;
        } else {
            self.lose_a_call();
            let _ = app.refund_order(Some(customer), order.id).await;
        }
    }

    fn lose_a_call(&mut self) {
        if self.chance.percent(self.faults.calls_percent) {
            let loss = if self.chance.percent(50) {
                Loss::Request
            } else {
                Loss::Answer
            };
            self.world.provider.lose_next(loss);
        }
    }

    async fn lines(&self, customer: CustomerId) -> Vec<LineId> {
        let views = self.world.app.line_views(customer).await;
        views
            .map(|lines| lines.iter().map(|view| view.line.id).collect())
            .unwrap_or_default()
    }

    /// Faults end, the provider decides what was left open, everything still in the bag arrives,
    /// and time passes until nothing is due.
    async fn settle(mut self) -> Result<Run, String> {
        self.world.commits.turn(false);
        self.restart()?;
        if let Some(phones) = &mut self.phones {
            phones.settle(&self.world.app);
        }
        for day in 0..12 {
            if day == 1 {
                for payment in self.world.provider.sandbox().book().payments {
                    let _ = self
                        .world
                        .provider
                        .sandbox()
                        .decide(payment.payment, Outcome::Success);
                }
            }
            self.bag.extend(self.world.provider.pop_notifications());
            for notification in std::mem::take(&mut self.bag) {
                let app = self.world.app.clone();
                let _ = app
                    .notify_payment("sandbox", notification.as_notification())
                    .await;
            }
            for _ in 0..48 {
                while self
                    .world
                    .app
                    .run_due_jobs()
                    .await
                    .map_err(|fault| fault.to_string())?
                    > 0
                {}
                self.world.clock.advance(Duration::minutes(30));
            }
        }
        self.audit().await
    }

    async fn audit(self) -> Result<Run, String> {
        let app = &self.world.app;
        let report = app.audit().await.map_err(|fault| fault.to_string())?;
        let mut findings = report.findings;
        let book = self.world.provider.sandbox().book();
        findings.extend(
            differences(app, book)
                .await
                .map_err(|fault| fault.to_string())?,
        );
        let stuck = app
            .open_jobs(100)
            .await
            .map_err(|fault| fault.to_string())?;
        let failing = stuck.iter().filter(|job| job.last_error.is_some());
        findings.extend(failing.map(|job| format!("stuck: {:?}: {:?}", job.task, job.last_error)));
        let orders = app
            .store
            .snapshot(|tx| tx.recent_orders(100_000))
            .await
            .map_err(|fault: simurgh_app::ports::StoreFault| fault.to_string())?;
        let (mut held, mut replaced) = (0, 0);
        if let Some(phones) = &self.phones {
            findings.extend(phones.findings(app).await?);
            (held, replaced) = (phones.held(), phones.replaced(app).await?);
        }
        let count = |wanted: fn(&OrderState) -> bool| {
            orders.iter().filter(|order| wanted(&order.state)).count()
        };
        Ok(Run {
            findings,
            fulfilled: count(|state| matches!(state, OrderState::Fulfilled { .. })),
            refunded: count(|state| matches!(state, OrderState::Refunded { .. })),
            held,
            replaced,
        })
    }
}
