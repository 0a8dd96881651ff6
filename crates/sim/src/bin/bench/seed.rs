//! Customers with a line, a plan, allowances and a session each, written straight into the store.

use simurgh_app::App;
use simurgh_app::crypto::{Keyring, Purpose};
use simurgh_app::ports::{DayUsage, Line, LineState, StoreExt, StoreFault, Tx};
use simurgh_charging::{GrantRequest, Issue, Subscription, grant};
use simurgh_ledger::post;
use simurgh_sim::person;
use simurgh_subscriber::{Customer, CustomerState, Proof, Session, SessionState};
use simurgh_vocab::{
    Allowance, BucketId, CustomerId, Duration, EntryId, LineId, Messages, Octets, OrderId, Period,
    Seconds, SessionId, SubscriptionId, Timestamp, Unit, ZoneCode,
};

/// Customers per transaction.
const BATCH: u32 = 1_000;

/// The token of a customer's session. 43 characters, as the program makes them.
pub(crate) fn token(customer: usize) -> String {
    format!("{customer:043}")
}

/// Writes `count` customers.
pub(crate) async fn customers(app: &App, count: u32) -> Result<(), String> {
    let mut first = 0;
    while first < count {
        let last = (first + BATCH).min(count);
        let maker = app.clone();
        let written = app
            .store
            .transact(move |tx| -> Result<(), StoreFault> {
                (first..last).try_for_each(|number| customer(&maker, tx, number))
            })
            .await;
        written.map_err(|fault| fault.to_string())?;
        first = last;
    }
    Ok(())
}

fn customer(app: &App, tx: &mut dyn Tx, number: u32) -> Result<(), StoreFault> {
    let now = app.now();
    let id = app.make(CustomerId::from_parts, now);
    let person = person(number).ok_or_else(|| corrupt("a number"))?;
    tx.insert_customer(&Customer {
        id,
        registered_at: now,
        state: CustomerState::Active { person, since: now },
    })?;
    let line = Line {
        id: app.make(LineId::from_parts, now),
        customer: id,
        state: LineState::Active,
        opened_at: now,
    };
    tx.insert_line(&line)?;
    plan(app, tx, line.id, now)?;
    session(app, tx, id, number)
}

fn plan(app: &App, tx: &mut dyn Tx, line: LineId, now: Timestamp) -> Result<(), StoreFault> {
    let zone: ZoneCode = "europe".parse().map_err(|_| corrupt("a zone"))?;
    let order = app.make(OrderId::from_parts, now);
    let begun = now.minus(Duration::days(3));
    let request = GrantRequest {
        subscription: app.make(SubscriptionId::from_parts, now),
        line,
        order,
        zone: zone.clone(),
        allowance: Allowance {
            data: Octets::new(10_000_000_000).ok_or_else(|| corrupt("data"))?,
            voice: Seconds::new(6_000).ok_or_else(|| corrupt("voice"))?,
            sms: Messages::new(100).ok_or_else(|| corrupt("messages"))?,
        },
        dedicated: Vec::new(),
        credit: None,
        sets: 1,
        issue: Issue::Periods(vec![Period {
            start: begun,
            end: begun.plus(Duration::days(30)),
        }]),
    };
    let granted = grant(&request, || app.make(BucketId::from_parts, now));
    let granted = granted.map_err(|_| corrupt("a grant"))?;
    tx.insert_subscription(&Subscription {
        id: request.subscription,
        line,
        order,
        selection: "offer:basic-europe".to_owned(),
        catalogue_version: 1,
        zone,
        add_on: false,
        state: granted.state,
    })?;
    for bucket in &granted.buckets {
        tx.insert_bucket(bucket)?;
    }
    post(tx, app.make(EntryId::from_parts, now), now, granted.entry)
        .map_err(|_| corrupt("an entry"))?;
    let today = now.as_unix_seconds().div_euclid(86_400);
    for day in 0..3 {
        let usage = DayUsage {
            day: today - day,
            unit: Unit::Octets,
            amount: 250_000_000,
        };
        tx.add_usage(line, &usage)?;
    }
    Ok(())
}

fn session(
    app: &App,
    tx: &mut dyn Tx,
    customer: CustomerId,
    number: u32,
) -> Result<(), StoreFault> {
    let now = app.now();
    let session = Session {
        id: app.make(SessionId::from_parts, now),
        customer,
        proof: Proof::PhoneCode,
        begun_at: now,
        seen_at: now,
        proved_at: now,
        device: "Firefox on Android".to_owned(),
        state: SessionState::Open,
    };
    let keyring = Keyring::new(&[7; 32]);
    let token = token(usize::try_from(number).unwrap_or(usize::MAX));
    let digest = keyring.digest(Purpose::SessionDigest, token.as_bytes());
    tx.insert_session(&session, &digest)
}

fn corrupt(what: &str) -> StoreFault {
    StoreFault::Corrupt(what.to_owned())
}
