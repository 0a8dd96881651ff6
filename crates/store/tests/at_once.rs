//! What must hold when people do the same thing at the same time, on every kind of store.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::path::PathBuf;
use std::sync::Arc;

use simurgh_app::App;
use simurgh_app::sales::{OrderRefusal, OrderRequest, PayRequest, PayWith, QuoteError};
use simurgh_commerce::{MethodKind, PromotionRefusal, QuoteRefusal, QuoteRequest, Start};
use simurgh_connectors::payment::sandbox::Outcome;
use simurgh_sim::{RealWorld, add_customer, catalogue_file, differences};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_vocab::{Currency, CustomerId, Locale, OrderId, PaymentId};
use tokio::task::JoinSet;

/// A place for a store, which goes away with its owner.
enum Place {
    Folder(PathBuf),
    Schema { admin_url: String, name: String },
}

impl Place {
    fn folder() -> Self {
        let name = format!("simurgh-at-once-{}-{}", std::process::id(), unique());
        let path = std::env::temp_dir().join(name);
        // Numbers of processes come again: what a killed one left behind is not ours.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self::Folder(path)
    }

    fn schema() -> Option<Self> {
        let Ok(admin_url) = std::env::var("SIMURGH_TEST_POSTGRES") else {
            println!("SKIPPED on PostgreSQL: SIMURGH_TEST_POSTGRES names no server");
            return None;
        };
        let name = format!("simurgh_at_once_{}_{}", std::process::id(), unique());
        admin(&admin_url, &format!("CREATE SCHEMA {name}"));
        Some(Self::Schema { admin_url, name })
    }

    fn open(&self) -> Database {
        let url = match self {
            Self::Folder(path) => DatabaseUrl::Sqlite(path.join("simurgh.db")),
            Self::Schema { admin_url, name } => {
                let separator = if admin_url.contains('?') { '&' } else { '?' };
                let options = format!("options=-c%20search_path%3D{name}");
                DatabaseUrl::Postgres(format!("{admin_url}{separator}{options}"))
            }
        };
        Database::open(&url, DatabaseOptions::default()).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Folder(path) => std::fs::remove_dir_all(path).unwrap(),
            Self::Schema { admin_url, name } => {
                admin(admin_url, &format!("DROP SCHEMA {name} CASCADE"));
            }
        }
    }
}

fn unique() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Runs a statement beside the store.
fn admin(url: &str, sql: &str) {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let run = move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        client.batch_execute(&sql).unwrap();
    };
    std::thread::spawn(run).join().unwrap();
}

/// Runs `test` in a world on each kind of store.
fn each_world<F: Future<Output = ()>>(test: impl Fn(RealWorld) -> F) {
    let places = [Some(Place::folder()), Place::schema()];
    for place in places.iter().flatten() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = Arc::new(place.open());
            let world = RealWorld::new(Arc::clone(&store)).await.unwrap();
            test(world).await;
            tokio::task::block_in_place(|| store.close()).unwrap();
        });
    }
}

fn basic(code: Option<&str>) -> QuoteRequest {
    QuoteRequest {
        selection: "offer:basic-europe".parse().unwrap(),
        periods: 1,
        currency: Currency::Cny,
        start: Start::FirstUse,
        promotion_code: code.map(str::to_owned),
    }
}

async fn order(
    app: &App,
    customer: CustomerId,
    purchase: QuoteRequest,
) -> Result<OrderId, OrderRefusal> {
    let quote = app.quote(Some(customer), None, purchase.clone()).await?;
    let request = OrderRequest {
        id: app.make(OrderId::from_parts, app.now()),
        line: None,
        purchase,
        seen_total: quote.total,
    };
    Ok(app.place_order(customer, request).await?.id)
}

/// How many of the orders, all placed at once with `code`, were taken; the others were refused
/// because the promotion was used up.
async fn taken(app: &App, customers: Vec<CustomerId>, code: &'static str) -> usize {
    let mut orders = JoinSet::new();
    for customer in customers {
        let app = app.clone();
        orders.spawn(async move { order(&app, customer, basic(Some(code))).await });
    }
    let mut taken = 0;
    for outcome in orders.join_all().await {
        match outcome {
            Ok(_) => taken += 1,
            Err(OrderRefusal::Quote(QuoteError::Refused(QuoteRefusal::Promotion(
                PromotionRefusal::UsedUp | PromotionRefusal::UsedByCustomer,
            )))) => {}
            Err(refusal) => panic!("{refusal}"),
        }
    }
    taken
}

const FEW: &str = r#"
[[promotion]]
code = "few"
name = { zh = "前三名", en = "The first three" }
percent = 10
from = "2026-01-01T00:00:00+08:00"
until = "2090-01-01T00:00:00+08:00"
limit_total = 3
"#;

#[test]
fn a_promotion_is_not_used_more_often_than_it_may_be() {
    each_world(|world| async move {
        let app = &world.app;
        let body = format!("{}\n{FEW}", catalogue_file());
        app.apply_catalogue(body, "test".to_owned(), false)
            .await
            .unwrap();
        let mut customers = Vec::new();
        for number in 0..12 {
            customers.push(add_customer(app, number).await.unwrap());
        }
        let eager = vec![customers[0]; 8];
        assert_eq!(taken(app, eager, "welcome20").await, 1, "once a customer");
        assert_eq!(taken(app, customers, "few").await, 3, "three in all");
        assert_eq!(app.audit().await.unwrap().findings, Vec::<String>::new());
    });
}

async fn paid(world: &RealWorld, customer: CustomerId) -> (OrderId, PaymentId) {
    let app = &world.app;
    let order = order(app, customer, basic(None)).await.unwrap();
    let payment = app.make(PaymentId::from_parts, app.now());
    let request = PayRequest {
        id: payment,
        order,
        with: PayWith::New {
            method: MethodKind::Card,
            store: false,
        },
        locale: Locale::En,
    };
    app.pay(customer, request).await.unwrap();
    (order, payment)
}

#[test]
fn everything_about_an_order_at_once_ends_balanced() {
    const ORDERS: u32 = 12;
    each_world(|world| async move {
        let app = world.app.clone();
        let mut doings = JoinSet::new();
        for number in 0..ORDERS {
            let customer = add_customer(&app, number).await.unwrap();
            let (order, payment) = paid(&world, customer).await;
            let sandbox = world.provider.sandbox();
            sandbox.decide(payment, Outcome::Duplicated).unwrap();
            for word in world.provider.pop_notifications() {
                let app = app.clone();
                doings.spawn(async move {
                    let word = word.as_notification();
                    app.notify_payment("sandbox", word).await.unwrap();
                });
            }
            let (cancels, asks, returns) = (app.clone(), app.clone(), app.clone());
            doings.spawn(async move { drop(cancels.cancel_order(customer, order).await) });
            doings.spawn(async move {
                asks.query_payment(payment).await.unwrap();
                for line in asks.line_views(customer).await.unwrap() {
                    asks.advance_line(line.line.id).await.unwrap();
                }
            });
            doings.spawn(async move { drop(returns.refund_order(Some(customer), order).await) });
        }
        doings.join_all().await;
        while app.run_due_jobs().await.unwrap() > 0 {}
        let book = world.provider.sandbox().book();
        assert_eq!(differences(&app, book).await.unwrap(), Vec::<String>::new());
        assert_eq!(app.audit().await.unwrap().findings, Vec::<String>::new());
    });
}
