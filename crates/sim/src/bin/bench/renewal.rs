//! Complete durable renewals per second, beside raw transactions that write the same rows.
//!
//! Three databases of one shape. On the first a run of renewals is recorded, statement by statement;
//! on the second the record is written again, one transaction for each renewal, as many at a time:
//! that is the raw rate. In turns with it, renewals are measured on the third.

mod record;
mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use simurgh_app::App;
use simurgh_app::ports::Clock;
use simurgh_app::sales::{OrderRequest, PayRequest, PayWith};
use simurgh_commerce::{MethodKind, QuoteRequest, Start};
use simurgh_connectors::payment::sandbox::{HandedNotification, Outcome};
use simurgh_sim::{MachineClock, RealWorld, add_customer};
use simurgh_store::db::Written;
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_vocab::{Currency, CustomerId, LineId, Locale, OrderId, PaymentId};
use tokio::task::JoinSet;

use crate::{p99_ms, ratio};
use record::Recording;

/// Renewals under way at once: customers do not wait for each other, and the more of them are under
/// way, the more share one flush of the disk.
const IN_FLIGHT: usize = 256;
/// Renewals measured.
const RENEWALS: usize = 5_000;

/// What the provider sent, by payment.
type Letters = Arc<Mutex<BTreeMap<PaymentId, Vec<HandedNotification>>>>;

/// `cargo xtask bench renewal`
pub(crate) async fn run() -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("simurgh-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let files = |name: &str| DatabaseUrl::Sqlite(folder.join(name).with_extension("db"));
    let measured = measure("sqlite", files).await;
    std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    measured?;
    match std::env::var("SIMURGH_TEST_POSTGRES") {
        Ok(url) => postgres(&url).await,
        Err(_) => {
            eprintln!("skipped: PostgreSQL (SIMURGH_TEST_POSTGRES names no server)");
            Ok(())
        }
    }
}

/// The same on PostgreSQL, in schemas that go away.
async fn postgres(url: &str) -> Result<(), String> {
    let schema = |name: &str| format!("simurgh_bench_{name}_{}", std::process::id());
    let schemas = ["renewals", "recorded", "raw"].map(schema);
    let admin = open(&DatabaseUrl::Postgres(url.to_owned()))?;
    let create = schemas
        .each_ref()
        .map(|name| format!("CREATE SCHEMA {name}"));
    run_plain(&admin, &create).await?;
    let separator = if url.contains('?') { '&' } else { '?' };
    let within = |name: &str| {
        let options = format!("options=-c%20search_path%3D{}", schema(name));
        DatabaseUrl::Postgres(format!("{url}{separator}{options}"))
    };
    let measured = measure("postgresql", within).await;
    let drop = schemas.map(|name| format!("DROP SCHEMA {name} CASCADE"));
    run_plain(&admin, &drop).await?;
    measured
}

async fn run_plain(store: &Arc<Database>, statements: &[String]) -> Result<(), String> {
    let statements = statements.iter().map(|sql| vec![Written::plain(sql)]);
    write_again(store, statements.collect()).await
}

fn open(url: &DatabaseUrl) -> Result<Arc<Database>, String> {
    let store = Database::open(url, DatabaseOptions::default());
    store.map(Arc::new).map_err(|fault| fault.to_string())
}

/// How often renewals and raw transactions take turns, so that both meet the same machine.
const TURNS: usize = 5;

async fn measure(name: &str, at: impl Fn(&str) -> DatabaseUrl) -> Result<(), String> {
    let (mut record, raw_store) = prepare_raw(&at("recorded"), &at("raw")).await?;
    let rows: u64 = record.iter().flatten().map(Written::rows).sum();
    let rows = rows / u64::try_from(RENEWALS).unwrap_or(u64::MAX);
    let world = RealWorld::new(open(&at("renewals"))?).await?;
    let customers = customers(&world).await?;
    // Everybody has a line already: a warm-up that is not measured.
    renewals(&world, &customers, Line::New).await?;
    let (mut renewed, mut raw) = (Effort::default(), Effort::default());
    let mut times = Vec::new();
    for turn in customers.chunks(RENEWALS.div_ceil(TURNS)) {
        let began = Began::now();
        times.extend(renewals(&world, turn, Line::Own).await?);
        renewed.add(&began);
        let rest = record.split_off(turn.len().min(record.len()));
        let began = Began::now();
        write_again(&raw_store, std::mem::replace(&mut record, rest)).await?;
        raw.add(&began);
    }
    println!(
        "{{\"bench\":\"renewal\",\"store\":\"{name}\",\"per_s\":{},\"p99_ms\":{},\
         \"raw_ratio\":{},\"raw_per_s\":{},\"rows\":{rows}{}{}}}",
        renewed.per_second(),
        p99_ms(times),
        ratio(renewed.per_second(), raw.per_second()),
        raw.per_second(),
        micros("writer_us", renewed.writer_micros()),
        micros("raw_writer_us", raw.writer_micros()),
    );
    Ok(())
}

/// When something began: on the clock, and on that of SQLite's writers.
struct Began(Instant, Option<u128>);

impl Began {
    fn now() -> Self {
        Self(Instant::now(), writer::nanos())
    }
}

/// What all renewals took, or what the raw transactions beside them did.
#[derive(Default)]
struct Effort {
    micros: u128,
    /// The processor time of SQLite's writer.
    writer_nanos: Option<u128>,
}

impl Effort {
    fn add(&mut self, began: &Began) {
        self.micros += began.0.elapsed().as_micros();
        let used = writer::nanos().zip(began.1);
        if let Some((now, then)) = used {
            *self.writer_nanos.get_or_insert(0) += now.saturating_sub(then);
        }
    }

    fn per_second(&self) -> u128 {
        u128::try_from(RENEWALS).unwrap_or(0) * 1_000_000 / self.micros.max(1)
    }

    fn writer_micros(&self) -> Option<u128> {
        let renewals = u128::try_from(RENEWALS).unwrap_or(u128::MAX);
        self.writer_nanos.map(|nanos| nanos / 1_000 / renewals)
    }
}

fn micros(name: &str, micros: Option<u128>) -> String {
    micros.map_or_else(String::new, |micros| format!(",\"{name}\":{micros}"))
}

/// What renewals write, a transaction for each, and a store to which everything before them was
/// written already.
async fn prepare_raw(
    recorded: &DatabaseUrl,
    raw: &DatabaseUrl,
) -> Result<(Vec<Vec<Written>>, Arc<Database>), String> {
    let store = open(recorded)?;
    let migrated = store.migrate(MachineClock.now());
    migrated.map_err(|error| error.to_string())?;
    let recording = Recording::new(store);
    let world = RealWorld::over(Arc::new(recording.clone())).await?;
    let mut phases = vec![recording.take()];
    let customers = customers(&world).await?;
    phases.push(recording.take());
    renewals(&world, &customers, Line::New).await?;
    phases.push(recording.take());
    renewals(&world, &customers, Line::Own).await?;
    let record = recording.take();
    if std::env::var_os("SIMURGH_BENCH_STATEMENTS").is_some() {
        record::print(&record);
    }
    let store = open(raw)?;
    let migrated = store.migrate(MachineClock.now());
    migrated.map_err(|error| error.to_string())?;
    for phase in phases {
        write_again(&store, phase).await?;
    }
    Ok((record, store))
}

async fn write_again(store: &Arc<Database>, all: Vec<Vec<Written>>) -> Result<(), String> {
    let written = side_by_side(all, |writes| {
        let store = Arc::clone(store);
        async move {
            let written = store.write_again(writes).await;
            written.map_err(|fault| fault.to_string())
        }
    });
    written.await.map(drop)
}

async fn customers(world: &RealWorld) -> Result<Vec<CustomerId>, String> {
    let numbers = 0..u32::try_from(RENEWALS).map_err(|error| error.to_string())?;
    side_by_side(numbers, |number| {
        let app = world.app.clone();
        record::part_of(u64::from(number), async move {
            let added = add_customer(&app, number).await;
            added.map_err(|fault| fault.to_string())
        })
    })
    .await
}

/// What a purchase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// A line that is made by it.
    New,
    /// The customer's line, whose plan is renewed.
    Own,
}

/// Renews for every customer; how long each took, in microseconds.
async fn renewals(
    world: &RealWorld,
    customers: &[CustomerId],
    line: Line,
) -> Result<Vec<u128>, String> {
    let letters = Letters::default();
    side_by_side((0..).zip(customers.to_vec()), |(number, customer)| {
        let renewal = renew(world.clone(), Arc::clone(&letters), customer, line);
        record::part_of(number, renewal)
    })
    .await
}

/// Does a piece of work for each of `inputs`, `IN_FLIGHT` at a time.
async fn side_by_side<I, T: Send + 'static, W>(
    inputs: impl IntoIterator<Item = I>,
    work: impl Fn(I) -> W,
) -> Result<Vec<T>, String>
where
    W: Future<Output = Result<T, String>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut outputs = Vec::new();
    for input in inputs {
        if tasks.len() >= IN_FLIGHT
            && let Some(ended) = tasks.join_next().await
        {
            outputs.push(ended.map_err(|error| error.to_string())??);
        }
        tasks.spawn(work(input));
    }
    while let Some(ended) = tasks.join_next().await {
        outputs.push(ended.map_err(|error| error.to_string())??);
    }
    Ok(outputs)
}

/// Quote, order, attempt, notification, grant, invoice, outbox: all durable.
async fn renew(
    world: RealWorld,
    letters: Letters,
    customer: CustomerId,
    line: Line,
) -> Result<u128, String> {
    let app = &world.app;
    let line = match line {
        Line::New => None,
        Line::Own => line_of(app, customer).await?,
    };
    let began = Instant::now();
    let start = if line.is_some() {
        Start::Add
    } else {
        Start::Now
    };
    let purchase = QuoteRequest {
        selection: "offer:basic-europe"
            .parse()
            .map_err(|_| "selection".to_owned())?,
        periods: 1,
        currency: Currency::Cny,
        start,
        promotion_code: None,
    };
    let quote = app
        .quote(Some(customer), line, purchase.clone())
        .await
        .map_err(|e| e.to_string())?;
    let id = app.make(OrderId::from_parts, app.now());
    let request = OrderRequest {
        id,
        line,
        purchase,
        seen_total: quote.total,
    };
    let order = app
        .place_order(customer, request)
        .await
        .map_err(|e| e.to_string())?;
    let id = app.make(PaymentId::from_parts, app.now());
    let with = PayWith::New {
        method: MethodKind::Alipay,
        store: false,
    };
    let request = PayRequest {
        id,
        order: order.id,
        with,
        locale: Locale::En,
    };
    app.pay(customer, request)
        .await
        .map_err(|e| e.to_string())?;
    world
        .provider
        .sandbox()
        .decide(id, Outcome::Success)
        .map_err(|e| e.to_string())?;
    for notification in sent(&world, &letters, id) {
        app.notify_payment("sandbox", notification.as_notification())
            .await
            .map_err(|e| e.to_string())?;
    }
    Ok(began.elapsed().as_micros())
}

async fn line_of(app: &App, customer: CustomerId) -> Result<Option<LineId>, String> {
    let views = app.line_views(customer).await;
    let views = views.map_err(|fault| fault.to_string())?;
    Ok(views.first().map(|view| view.line.id))
}

/// What the provider sent about `payment`. Whoever looks takes everything that waits, and leaves
/// what is for others.
fn sent(world: &RealWorld, letters: &Letters, payment: PaymentId) -> Vec<HandedNotification> {
    let mut letters = letters.lock().unwrap_or_else(PoisonError::into_inner);
    for letter in world.provider.pop_notifications() {
        letters.entry(letter.payment).or_default().push(letter);
    }
    letters.remove(&payment).unwrap_or_default()
}
