//! Complete durable renewals per second, beside raw transactions that write as many rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use simurgh_app::App;
use simurgh_app::ports::{Clock, Store, StoreExt, StoreFault};
use simurgh_app::sales::{OrderRequest, PayRequest, PayWith};
use simurgh_commerce::{MethodKind, QuoteRequest, Start};
use simurgh_connectors::payment::sandbox::{HandedNotification, Outcome};
use simurgh_sim::{RealWorld, add_customer};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_vocab::{Currency, CustomerId, LineId, Locale, OrderId, PaymentId};
use tokio::task::JoinSet;

use crate::{count_per_second, p99_ms, ratio};

/// Renewals under way at once: customers do not wait for each other, and the more of them are under
/// way, the more share one flush of the disk.
const IN_FLIGHT: usize = 256;
/// Renewals measured.
const RENEWALS: usize = 5_000;
/// Rows a renewal writes, for the raw transaction beside it: order 2, payment 1, event 1, line 1,
/// subscription 1, buckets 3, entries 2, postings 9, balances 9, document 3, jobs 5, message 1.
const ROWS: u32 = 38;

/// What the provider sent, by payment.
type Letters = Arc<Mutex<BTreeMap<PaymentId, Vec<HandedNotification>>>>;

/// `cargo xtask bench renewal`
pub(crate) async fn run() -> Result<(), String> {
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
    let numbers = 0..u32::try_from(RENEWALS).map_err(|error| error.to_string())?;
    let customers = side_by_side(numbers, |number| {
        let app = world.app.clone();
        async move {
            let added = add_customer(&app, number).await;
            added.map_err(|fault| fault.to_string())
        }
    });
    let customers = customers.await?;
    let letters = Letters::default();
    let renewals = |has_line| {
        let (world, letters) = (world.clone(), Arc::clone(&letters));
        side_by_side(customers.clone(), move |customer| {
            renew(world.clone(), Arc::clone(&letters), customer, has_line)
        })
    };
    // Everybody has a line already: a warm-up that is not measured.
    renewals(false).await?;
    let began = Instant::now();
    let times = renewals(true).await?;
    let per_second = count_per_second(RENEWALS, began);
    let began = Instant::now();
    let numbers = side_by_side(0..RENEWALS, |number| {
        let raw = raw(Arc::clone(&world.app.store), number);
        async move { raw.await.map_err(|fault| fault.to_string()) }
    });
    numbers.await?;
    let raw = count_per_second(RENEWALS, began);
    println!(
        "{{\"bench\":\"renewal\",\"store\":\"{name}\",\"per_s\":{per_second},\"p99_ms\":{},\
         \"raw_ratio\":{},\"raw_per_s\":{raw}}}",
        p99_ms(times),
        ratio(per_second, raw)
    );
    Ok(())
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
    has_line: bool,
) -> Result<u128, String> {
    let app = &world.app;
    let line = match has_line {
        true => line_of(app, customer).await?,
        false => None,
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

/// A transaction that writes as many plain rows as a renewal and nothing else.
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
