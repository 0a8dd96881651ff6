//! What a customer can do with an order: how often pay it, and when give it back.

use simurgh_app::line::UsageReport;
use simurgh_app::sales::{GiveBack, PayRefusal, PayRequest, PayWith, RefundRefusal};
use simurgh_commerce::{Failure, MethodKind, OrderState, Payment};
use simurgh_connectors::payment::sandbox::Outcome;
use simurgh_vocab::{Duration, Locale, OrderId, PaymentId, Unit};

use super::stage::Stage;

async fn give_back(stage: &Stage, order: OrderId) -> GiveBack {
    let details = stage.order_details(Some(stage.customer), order).await;
    details.unwrap().unwrap().give_back
}

#[tokio::test]
async fn giving_back_is_offered_exactly_while_it_is_possible() {
    let stage = Stage::new().await;
    let (unpaid, _) = stage
        .bought(Outcome::Fail(Failure::InsufficientFunds))
        .await;
    assert_eq!(give_back(&stage, unpaid).await, GiveBack::NotPaid);

    let (used, _) = stage.bought(Outcome::Success).await;
    assert_eq!(give_back(&stage, used).await, GiveBack::Possible);
    let lines = stage.line_views(stage.customer).await.unwrap();
    let report = UsageReport {
        line: lines[0].line.id,
        unit: Unit::Octets,
        amount: 1,
        zone: "europe".parse().unwrap(),
        reference: "first".to_owned(),
    };
    assert_eq!(stage.record_usage(report).await.unwrap(), 0);
    assert_eq!(give_back(&stage, used).await, GiveBack::Used);
    let refused = stage.refund_order(Some(stage.customer), used).await;
    assert_eq!(refused, Err(RefundRefusal::Used));
    stage.world.clock.advance(Duration::days(400));
    assert_eq!(give_back(&stage, used).await, GiveBack::Over);
    let refused = stage.refund_order(Some(stage.customer), used).await;
    assert_eq!(refused, Err(RefundRefusal::Over));
}

#[tokio::test]
async fn an_order_takes_a_limited_number_of_attempts_and_stays() {
    let stage = Stage::new().await;
    let (order, first) = stage
        .bought(Outcome::Fail(Failure::InsufficientFunds))
        .await;
    let attempt = |id: PaymentId| PayRequest {
        id,
        order,
        with: PayWith::New {
            method: MethodKind::Card,
            store: false,
        },
        locale: Locale::En,
    };
    for _ in 1..Payment::ATTEMPTS_MAX {
        let id = stage.make(PaymentId::from_parts, stage.now());
        stage.pay(stage.customer, attempt(id)).await.unwrap();
    }
    let id = stage.make(PaymentId::from_parts, stage.now());
    let more = stage.pay(stage.customer, attempt(id)).await;
    assert_eq!(more, Err(PayRefusal::TooManyAttempts));
    let again = stage.pay(stage.customer, attempt(first)).await;
    assert!(again.is_ok(), "a page sent twice is no attempt");
    let details = stage.order_details(Some(stage.customer), order).await;
    let details = details.unwrap().unwrap();
    assert_eq!(details.order.state, OrderState::AwaitingPayment);
    assert_eq!(details.payments.len(), Payment::ATTEMPTS_MAX);
    stage.cancel_order(stage.customer, order).await.unwrap();
}

#[tokio::test]
async fn use_is_counted_by_the_days_of_the_customers_own_calendar() {
    const DAY: i64 = 86_400;
    let stage = Stage::new().await;
    stage.bought(Outcome::Success).await;
    let line = stage.line_views(stage.customer).await.unwrap()[0].line.id;
    // Four in the afternoon by UTC: midnight in China begins another day.
    let over = stage.now().as_unix_seconds().rem_euclid(DAY);
    let wait = (16 * 3_600 - over).rem_euclid(DAY) - 1;
    stage
        .world
        .clock
        .advance(Duration::seconds(u32::try_from(wait).unwrap()));
    let utc_day = stage.now().as_unix_seconds().div_euclid(DAY);
    for (reference, amount) in [("before", 3), ("after", 5)] {
        let report = UsageReport {
            line,
            unit: Unit::Octets,
            amount,
            zone: "europe".parse().unwrap(),
            reference: reference.to_owned(),
        };
        assert_eq!(stage.record_usage(report).await.unwrap(), 0);
        stage.world.clock.advance(Duration::seconds(1));
    }
    let history = stage.usage_history(stage.customer, line, 2).await.unwrap();
    assert_eq!(history.today, utc_day + 1);
    let days = history.used.iter().map(|used| (used.day, used.amount));
    assert_eq!(
        days.collect::<Vec<_>>(),
        [(utc_day, 3), (utc_day + 1, 5)],
        "the same day by UTC, two in China"
    );
}
