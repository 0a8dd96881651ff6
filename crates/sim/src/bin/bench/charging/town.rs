//! Lines with a number and a plan each, written straight into the store.

use std::sync::Arc;

use simurgh_app::App;
use simurgh_app::ports::{Line, LineState, StoreExt, StoreFault, Tx};
use simurgh_charging::{GrantRequest, Issue, Subscription, grant};
use simurgh_ledger::post;
use simurgh_sim::{RealWorld, person};
use simurgh_subscriber::{Customer, CustomerState};
use simurgh_vocab::{
    Allowance, BucketId, CustomerId, Duration, EntryId, LineId, Messages, Octets, OrderId, Period,
    Seconds, SubscriptionId, Timestamp,
};

use super::{open, said};

/// Lines per transaction.
const BATCH: u32 = 1_000;
/// What each line has, in octets: more than any run uses.
const DATA: i64 = 1 << 44;

/// The number of a line, without the plus.
pub(super) fn number(line: u32) -> String {
    format!("86139{line:08}")
}

/// Writes `count` lines into a new store, and closes it.
pub(super) async fn build(url: &str, count: u32) -> Result<(), String> {
    let store = Arc::new(open(url)?);
    let world = RealWorld::new(Arc::clone(&store)).await?;
    let mut first = 0;
    while first < count {
        let last = (first + BATCH).min(count);
        let app = world.app.clone();
        let written = world
            .app
            .store
            .transact(move |tx| -> Result<(), StoreFault> {
                (first..last).try_for_each(|number| line(&app, tx, number))
            })
            .await;
        written.map_err(said)?;
        first = last;
    }
    drop(world);
    store.close().map_err(said)
}

fn line(app: &App, tx: &mut dyn Tx, place: u32) -> Result<(), StoreFault> {
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
    let number = format!("+{}", number(place));
    let number = number.parse().map_err(|_| corrupt("a number"))?;
    tx.insert_number(&number, now)?;
    tx.take_number(line.id)?;
    plan(app, tx, line.id, now)
}

fn plan(app: &App, tx: &mut dyn Tx, line: LineId, now: Timestamp) -> Result<(), StoreFault> {
    let order = app.make(OrderId::from_parts, now);
    let request = GrantRequest {
        subscription: app.make(SubscriptionId::from_parts, now),
        line,
        order,
        zone: "china".parse().map_err(|_| corrupt("a zone"))?,
        allowance: Allowance {
            data: Octets::new(DATA).ok_or_else(|| corrupt("data"))?,
            voice: Seconds::new(0).ok_or_else(|| corrupt("voice"))?,
            sms: Messages::new(0).ok_or_else(|| corrupt("messages"))?,
        },
        credit: None,
        sets: 1,
        issue: Issue::Periods(vec![Period {
            start: now,
            end: now.plus(Duration::days(30)),
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
        .map(drop)
        .map_err(|_| corrupt("an entry"))
}

fn corrupt(what: &str) -> StoreFault {
    StoreFault::Corrupt(what.to_owned())
}
