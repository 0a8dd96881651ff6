//! Benchmarks: `cargo xtask bench NAME`. Each prints one JSON line per case, beside a baseline
//! taken in the same run.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use simurgh_app::ports::{Clock, Store, StoreExt, StoreFault};
use simurgh_app::sales::{OrderRequest, PayRequest, PayWith};
use simurgh_commerce::{MethodKind, QuoteRequest, Start};
use simurgh_connectors::payment::sandbox::Outcome;
use simurgh_sim::{RealWorld, add_customer};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_vocab::{Currency, CustomerId, Locale, OrderId, PaymentId};
use tokio::task::JoinSet;

/// Renewals under way at once.
const IN_FLIGHT: usize = 64;
/// Renewals measured.
const RENEWALS: usize = 3_000;
/// Rows a renewal writes, for the raw transaction beside it: order 2, payment 1, event 1, line 1,
/// subscription 1, buckets 3, entries 2, postings 9, balances 9, document 3, jobs 5, message 1.
const ROWS: u32 = 38;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::FAILURE;
    };
    let outcome = match name.as_str() {
        "renewal" => runtime.block_on(renewal()),
        _ => Err("known benchmarks: renewal".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn renewal() -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("simurgh-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let sqlite = DatabaseUrl::Sqlite(folder.join("simurgh.db"));
    let measured = measure("sqlite", &sqlite).await;
    std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    measured?;
    match std::env::var("SIMURGH_TEST_POSTGRES") {
        Ok(url) => {
            let url: DatabaseUrl = url
                .parse()
                .map_err(|_| "SIMURGH_TEST_POSTGRES".to_owned())?;
            measure("postgresql", &url).await
        }
        Err(_) => {
            eprintln!("skipped: PostgreSQL (SIMURGH_TEST_POSTGRES names no server)");
            Ok(())
        }
    }
}

async fn measure(name: &str, url: &DatabaseUrl) -> Result<(), String> {
    let store =
        Database::open(url, DatabaseOptions::default()).map_err(|fault| fault.to_string())?;
    let world = RealWorld::new(Arc::new(store)).await?;
    let mut customers = Vec::new();
    for number in 0..RENEWALS {
        let number = u32::try_from(number).map_err(|error| error.to_string())?;
        customers.push(
            add_customer(&world.app, number)
                .await
                .map_err(|fault| fault.to_string())?,
        );
    }
    // Everybody has a line already: a warm-up that is not measured.
    rounds(&world, &customers, false).await?;
    let began = Instant::now();
    let mut times = rounds(&world, &customers, true).await?;
    let per_second = count_per_second(RENEWALS, began);
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or(0);
    let raw = raw_per_second(&world.app.store).await?;
    println!(
        "{{\"bench\":\"renewal\",\"store\":\"{name}\",\"per_s\":{per_second},\"p99_us\":{p99},\
         \"raw_per_s\":{raw},\"raw_percent\":{}}}",
        per_second * 100 / raw.max(1)
    );
    Ok(())
}

fn count_per_second(count: usize, began: Instant) -> u128 {
    let micros = began.elapsed().as_micros().max(1);
    u128::try_from(count).unwrap_or(0) * 1_000_000 / micros
}

/// One renewal of every customer, `IN_FLIGHT` at a time; gives back how long each took, in
/// microseconds.
async fn rounds(
    world: &RealWorld,
    customers: &[CustomerId],
    has_line: bool,
) -> Result<Vec<u128>, String> {
    let mut times = Vec::new();
    for group in customers.chunks(IN_FLIGHT) {
        let mut tasks = JoinSet::new();
        for customer in group {
            tasks.spawn(renew(world.clone(), *customer, has_line));
        }
        while let Some(ended) = tasks.join_next().await {
            times.push(ended.map_err(|error| error.to_string())??);
        }
    }
    Ok(times)
}

/// Quote, order, attempt, notification, grant, invoice, outbox: all durable.
async fn renew(world: RealWorld, customer: CustomerId, has_line: bool) -> Result<u128, String> {
    let app = &world.app;
    let line = if has_line {
        let views = app
            .line_views(customer)
            .await
            .map_err(|fault| fault.to_string())?;
        views.first().map(|view| view.line.id)
    } else {
        None
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
    for notification in world.provider.pop_notifications() {
        app.notify_payment("sandbox", notification.as_notification())
            .await
            .map_err(|e| e.to_string())?;
    }
    Ok(began.elapsed().as_micros())
}

/// Transactions per second that write as many plain rows as a renewal and nothing else, with as
/// many in flight.
async fn raw_per_second(store: &Arc<dyn Store>) -> Result<u128, String> {
    let began = Instant::now();
    let mut done = 0usize;
    while done < RENEWALS {
        let mut tasks = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            done += 1;
            tasks.spawn(raw(Arc::clone(store), done));
        }
        while let Some(ended) = tasks.join_next().await {
            ended
                .map_err(|error| error.to_string())?
                .map_err(|fault| fault.to_string())?;
        }
    }
    Ok(count_per_second(done, began))
}

async fn raw(store: Arc<dyn Store>, number: usize) -> Result<(), StoreFault> {
    let at = simurgh_sim::MachineClock.now();
    store
        .transact(move |tx| -> Result<(), StoreFault> {
            for row in 0..ROWS {
                tx.remember_event(&simurgh_app::ports::SeenEvent {
                    provider: "raw".to_owned(),
                    event_id: format!("{}-{number}-{row}", at.as_micros()),
                    payment: PaymentId::from_parts(at.as_unix_millis(), &[0; 10]),
                    effect: "raw",
                    at,
                })?;
            }
            Ok(())
        })
        .await
}
