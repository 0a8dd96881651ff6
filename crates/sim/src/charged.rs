//! Lines with a number and a plan each, and a node that charges them over Diameter: for the benchmark, and
//! for tests that kill the node.

use std::net::SocketAddr;
use std::sync::Arc;

use simurgh_app::App;
use simurgh_app::charge::{ChargeDesk, DeskOptions, Rules};
use simurgh_app::ports::{Clock, Entropy, Line, LineState, Store, StoreExt, StoreFault, Tx};
use simurgh_charging::{GrantRequest, Issue, Subscription, grant};
use simurgh_diameter::allowed::AllowedPeer;
use simurgh_diameter::peer::Local;
use simurgh_gy::{Peers, Server, Settings};
use simurgh_ledger::post;
use simurgh_subscriber::{Customer, CustomerState};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::{MachineClock, RealWorld, SeededEntropy, person};
use simurgh_vocab::{
    Allowance, BucketId, CustomerId, Duration, EntryId, LineId, Messages, Octets, OrderId, Period,
    Seconds, SubscriptionId,
};

/// The realm of everybody.
pub const CHARGED_REALM: &str = "example.com";
/// The most gateways that there are.
const GATEWAYS: u32 = 64;
/// Lines that are written at once.
const AT_ONCE: usize = 512;

/// The name of a gateway.
#[must_use]
pub fn gateway(number: u32) -> String {
    format!("pgw{number:02}.{CHARGED_REALM}")
}

/// The number of a line, without the plus.
#[must_use]
pub fn line_number(line: u32) -> String {
    format!("86139{line:08}")
}

/// Writes `count` lines, each with so much data in octets for 30 days.
///
/// # Errors
/// What the store says.
pub async fn add_charged_lines(app: &App, count: u32, data: fn(u32) -> i64) -> Result<(), String> {
    let mut written = JoinSet::new();
    for place in 0..count {
        let app = app.clone();
        written.spawn(async move {
            let maker = app.clone();
            let work = move |tx: &mut dyn Tx| line(&maker, tx, place, data(place));
            app.store.transact(work).await
        });
        if written.len() >= AT_ONCE {
            joined(&mut written).await?;
        }
    }
    while !written.is_empty() {
        joined(&mut written).await?;
    }
    Ok(())
}

async fn joined(written: &mut JoinSet<Result<(), StoreFault>>) -> Result<(), String> {
    match written.join_next().await {
        Some(Ok(Ok(()))) | None => Ok(()),
        Some(Ok(Err(fault))) => Err(fault.to_string()),
        Some(Err(error)) => Err(error.to_string()),
    }
}

/// The program over a store, as it charges.
///
/// # Errors
/// What the store says.
pub async fn charging_app(store: Arc<dyn Store>) -> Result<App, String> {
    let rules = Rules {
        home: "CN".parse().ok(),
        ..Rules::default()
    };
    Ok(RealWorld::charging(store, rules).await?.app)
}

/// Serves gateways on a port of loopback until the runtime ends; `workers` batches are decided at once.
///
/// # Errors
/// What the system says.
pub async fn serve_gateways(app: App, workers: usize) -> Result<SocketAddr, String> {
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
    let settings = settings();
    let peers = Peers::new(&settings, clock, entropy.as_ref());
    let options = DeskOptions {
        workers,
        ..DeskOptions::default()
    };
    let desk = ChargeDesk::open(&app, options);
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let server = Server::new(app, desk, peers, settings);
    tokio::spawn(server.serve(listener, std::future::pending()));
    Ok(address)
}

fn settings() -> Settings {
    let peer = |number| AllowedPeer {
        host: gateway(number),
        realm: CHARGED_REALM.to_owned(),
        addresses: Vec::new(),
    };
    Settings {
        peers: (0..GATEWAYS).map(peer).collect(),
        ..Settings::of(Local {
            host: format!("ocs.{CHARGED_REALM}"),
            realm: CHARGED_REALM.to_owned(),
            addresses: vec![[127, 0, 0, 1].into()],
            vendor_id: 0,
            product_name: "Simurgh".to_owned(),
            origin_state_id: None,
            applications: vec![4],
            vendors: vec![10_415],
        })
    }
}

fn line(app: &App, tx: &mut dyn Tx, place: u32, data: i64) -> Result<(), StoreFault> {
    let now = app.now();
    let customer = app.make(CustomerId::from_parts, now);
    let person = person(place).ok_or_else(|| corrupt("a number"))?;
    tx.insert_customer(&Customer {
        id: customer,
        registered_at: now,
        state: CustomerState::Active { person, since: now },
    })?;
    let line = Line {
        id: app.make(LineId::from_parts, now),
        customer,
        state: LineState::Active,
        opened_at: now,
    };
    tx.insert_line(&line)?;
    let number = format!("+{}", line_number(place));
    let number = number.parse().map_err(|_| corrupt("a number"))?;
    tx.insert_number(&number, now)?;
    tx.take_number(line.id)?;
    plan(app, tx, (line.id, data), Duration::days(30)).map(drop)
}

/// Gives a line a plan that nobody paid for: so much data in octets for so long from now; its bucket.
///
/// # Errors
/// What the store says.
pub async fn add_charged_plan(
    app: &App,
    line: LineId,
    data: i64,
    length: Duration,
) -> Result<BucketId, StoreFault> {
    let maker = app.clone();
    let work = move |tx: &mut dyn Tx| {
        tx.line(line)?;
        plan(&maker, tx, (line, data), length)
    };
    app.store.transact(work).await
}

fn plan(
    app: &App,
    tx: &mut dyn Tx,
    (line, data): (LineId, i64),
    length: Duration,
) -> Result<BucketId, StoreFault> {
    let now = app.now();
    let order = app.make(OrderId::from_parts, now);
    let request = GrantRequest {
        subscription: app.make(SubscriptionId::from_parts, now),
        line,
        order,
        zone: "china".parse().map_err(|_| corrupt("a zone"))?,
        allowance: Allowance {
            data: Octets::new(data).ok_or_else(|| corrupt("data"))?,
            voice: Seconds::new(0).ok_or_else(|| corrupt("voice"))?,
            sms: Messages::new(0).ok_or_else(|| corrupt("messages"))?,
        },
        dedicated: Vec::new(),
        credit: None,
        sets: 1,
        issue: Issue::Periods(vec![Period {
            start: now,
            end: now.plus(length),
        }]),
    };
    let granted = grant(&request, || app.make(BucketId::from_parts, now));
    let granted = granted.map_err(|_| corrupt("a grant"))?;
    tx.insert_subscription(&Subscription {
        id: request.subscription,
        line,
        order,
        selection: "offer:basic-china".to_owned(),
        catalogue_version: 1,
        zone: request.zone.clone(),
        add_on: false,
        state: granted.state,
    })?;
    for bucket in &granted.buckets {
        tx.insert_bucket(bucket)?;
    }
    post(tx, app.make(EntryId::from_parts, now), now, granted.entry)
        .map_err(|_| corrupt("an entry"))?;
    let first = granted.buckets.first();
    first.map(|it| it.id).ok_or_else(|| corrupt("a bucket"))
}

fn corrupt(what: &str) -> StoreFault {
    StoreFault::Corrupt(what.to_owned())
}
