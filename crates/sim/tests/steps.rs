//! Each flow of a customer with every step done twice, and with every commit failing once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

mod steps {
    pub(super) mod esim;
}

use common::{form, line_of, payment, plan};
use simurgh_app::line::RenewalChoice;
use simurgh_app::ports::{StoreExt, StoreFault};
use simurgh_app::sales::{PayRefusal, RefundRefusal};
use simurgh_app::subscriber::CloseRefusal;
use simurgh_commerce::{OrderTransition, QuoteRequest, Start};
use simurgh_connectors::payment::sandbox::Outcome;
use simurgh_sim::add_customer;
use simurgh_sim::steps::{Play, every_step_fails_once, every_step_twice, once};
use simurgh_subscriber::{Proof, Session, SessionState};
use simurgh_vocab::{Currency, CustomerId, Duration, LineId, OrderId, SessionId};

use steps::esim::{cancelled_order, new_phone, operators_order, profile_in_use};

type Flow = Result<CustomerId, String>;

fn text<E: std::fmt::Display>(error: E) -> String {
    error.to_string()
}

/// Orders and pays, step by step.
async fn buy(
    play: &Play,
    customer: CustomerId,
    line: Option<LineId>,
    purchase: QuoteRequest,
) -> Result<OrderId, String> {
    let order = form(&play.app, customer, line, purchase).await;
    play.step("order", async |play| {
        let placed = play.app.place_order(customer, order.clone()).await;
        placed.map(|order| order.total).map_err(text)
    })
    .await?;
    let attempt = payment(&play.app, order.id, true);
    play.step("pay", async |play| {
        play.app.pay(customer, attempt.clone()).await.map_err(text)
    })
    .await?;
    let sandbox = play.provider.sandbox();
    sandbox.decide(attempt.id, Outcome::Success).unwrap();
    play.settle().await?;
    Ok(order.id)
}

/// A customer with a plan that runs.
async fn owner(play: &Play) -> Result<(CustomerId, OrderId, LineId), String> {
    let customer = add_customer(&play.app, 1).await.map_err(text)?;
    let order = buy(play, customer, None, plan(Start::Now)).await?;
    let line = line_of(&play.app, customer).await;
    Ok((customer, order, line))
}

async fn renewal(play: &Play) -> Flow {
    let customer = add_customer(&play.app, 1).await.map_err(text)?;
    play.set_up();
    buy(play, customer, None, plan(Start::Now)).await?;
    let line = line_of(&play.app, customer).await;
    buy(play, customer, Some(line), plan(Start::Add)).await?;
    Ok(customer)
}

async fn refund(play: &Play) -> Flow {
    let (customer, order, _) = owner(play).await?;
    play.set_up();
    play.step("refund", async |play| {
        match play.app.refund_order(Some(customer), order).await {
            // Asked for before, and said so.
            Ok(()) | Err(RefundRefusal::Order(OrderTransition::AlreadyRefunded)) => Ok(()),
            Err(refusal) => Err(text(refusal)),
        }
    })
    .await?;
    play.settle().await?;
    Ok(customer)
}

async fn turn_on(play: &Play, customer: CustomerId, line: LineId) -> Result<(), String> {
    let methods = play.app.stored_methods(customer).await.map_err(text)?;
    let choice = RenewalChoice {
        line,
        mandate: methods[0].id,
        selection: "offer:basic-europe".parse().unwrap(),
        periods: 1,
        currency: Currency::Cny,
    };
    play.step("turn on", async |play| {
        let turned = play.app.turn_renewal_on(customer, choice.clone());
        turned.await.map_err(text)
    })
    .await
}

async fn automatic_renewal(play: &Play) -> Flow {
    let (customer, _, line) = owner(play).await?;
    play.clock.advance(Duration::days(26));
    play.set_up();
    turn_on(play, customer, line).await?;
    for _ in 0..4 {
        play.clock.advance(Duration::days(1));
        play.settle().await?;
    }
    Ok(customer)
}

async fn reminders(play: &Play) -> Flow {
    let (customer, _, _) = owner(play).await?;
    play.clock.advance(Duration::days(22));
    play.set_up();
    for days in [1, 4, 2, 1, 3, 1] {
        play.clock.advance(Duration::days(days));
        play.settle().await?;
    }
    Ok(customer)
}

async fn close_account(play: &Play) -> Flow {
    let (customer, _, line) = owner(play).await?;
    turn_on(play, customer, line).await?;
    let waiting = form(&play.app, customer, Some(line), plan(Start::Queue)).await;
    let placed = play.app.place_order(customer, waiting).await;
    placed.map_err(text)?;
    let now = play.app.now();
    let session = Session {
        id: play.app.make(SessionId::from_parts, now),
        customer,
        proof: Proof::Password,
        begun_at: now,
        seen_at: now,
        proved_at: now,
        device: String::new(),
        state: SessionState::Open,
    };
    let id = session.id;
    let opened = play
        .app
        .store
        .transact(move |tx| -> Result<(), StoreFault> { tx.insert_session(&session, &[1; 32]) });
    opened.await.map_err(text)?;
    play.set_up();
    play.step("close", async |play| {
        match play.app.close_account(id).await {
            // It was done: nobody is logged in any more.
            Ok(()) | Err(CloseRefusal::LoggedOut) => Ok(()),
            Err(refusal) => Err(text(refusal)),
        }
    })
    .await?;
    play.settle().await?;
    play.clock.advance(Duration::days(31));
    play.settle().await?;
    Ok(customer)
}

/// The payer pays on the provider's page although the order was called off.
async fn late_money(play: &Play) -> Flow {
    let customer = add_customer(&play.app, 1).await.map_err(text)?;
    let order = form(&play.app, customer, None, plan(Start::Now)).await;
    let (order, attempt) = (order.clone(), payment(&play.app, order.id, false));
    let placed = play.app.place_order(customer, order.clone()).await;
    placed.map_err(text)?;
    play.app
        .pay(customer, attempt.clone())
        .await
        .map_err(text)?;
    play.set_up();
    play.step("cancel", async |play| {
        match play.app.cancel_order(customer, order.id).await {
            Ok(()) | Err(PayRefusal::Order(OrderTransition::Closed)) => Ok(()),
            Err(refusal) => Err(text(refusal)),
        }
    })
    .await?;
    let sandbox = play.provider.sandbox();
    sandbox.decide(attempt.id, Outcome::Success).unwrap();
    play.settle().await?;
    Ok(customer)
}

#[expect(
    clippy::panic,
    reason = "unlike `unwrap`, it leaves the lines of the error apart"
)]
fn on_one_thread<T>(work: impl Future<Output = Result<T, String>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(work)
        .unwrap_or_else(|error| panic!("{error}"))
}

macro_rules! flows {
    ($($flow:ident: $expected:expr;)*) => {$(
        mod $flow {
            #[test]
            fn ends_well() {
                let standing = super::on_one_thread(super::once(super::$flow));
                for line in $expected {
                    let count = standing.iter().filter(|found| found.contains(line)).count();
                    assert_eq!(count, 1, "{line}: {standing:#?}");
                }
            }

            #[test]
            fn every_step_twice() {
                super::on_one_thread(super::every_step_twice(super::$flow));
            }

            #[test]
            fn every_step_fails_once() {
                let plays = super::on_one_thread(super::every_step_fails_once(super::$flow));
                assert!(plays > 4, "{plays} plays");
            }
        }
    )*};
}

flows! {
    renewal: ["eSIM Released, on chip None", "taken: 1 subscriptions, 1 numbers", "SIM-2026-000002", "the provider knows 2 payments", "line: active"];
    refund: ["refunded", "succeeded", "SIM-2026-C000001", "message refund"];
    automatic_renewal: ["SIM-2026-000002", "message renewal-notice", "automatic renewal Some(0)"];
    reminders: ["message suspended", "message ended", "line: suspended"];
    close_account: ["line: closed, automatic renewal None", "0 stored methods", "69.00 CNY: closed",
        "plan offer:basic-europe: ended",
        "message security-change"];
    profile_in_use: ["eSIM Installed, on chip Some(Disabled), 4 reports", "taken: 1 subscriptions, 1 numbers"];
    new_phone: ["eSIM Unavailable, on chip Some(Deleted), 3 reports, 0 packages",
        "eSIM Installed, on chip Some(Enabled), 2 reports", "taken: 2 subscriptions, 1 numbers",
        "message security-change"];
    operators_order: ["eSIM Installed, on chip Some(Disabled), 1 reports", "told 1 Installation",
        "told Download", "told Eligibility", "0 events for the chip"];
    cancelled_order: ["eSIM Available, on chip None, 0 reports", "0 events for the chip"];
    late_money: ["succeeded", "refund 69.00 CNY", "message refund"];
}
