//! What staff looks at and decides, and what the log says of it.

use simurgh_app::desk::{Happening, Reason, StaffLogCheck, StaffRefundRefusal};
use simurgh_app::ports::{StaffAction, StaffLogFilter};
use simurgh_app::sales::RefundRefusal;
use simurgh_commerce::{OrderState, OrderTransition, RefundState};
use simurgh_connectors::payment::sandbox::{Outcome, RefundBehaviour};
use simurgh_vocab::{CustomerId, Duration, OrderId, RefundId};

use crate::stage::Stage;

fn reason() -> Reason {
    Reason::parse("the customer called").unwrap()
}

#[tokio::test]
async fn whoever_looks_at_a_customer_is_in_the_log() {
    let stage = Stage::new().await;
    let (staff, customer) = (stage.staff.id, stage.customer);
    stage.bought(Outcome::Success).await;
    let found = stage
        .search_customers(staff, "+8613800000001".to_owned())
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let file = stage.customer_file(staff, customer).await.unwrap().unwrap();
    assert_eq!(
        (file.orders.len(), file.payments.len(), file.lines.len()),
        (1, 1, 1)
    );
    assert_eq!(file.staff_log.len(), 1, "this look is among what it shows");
    let nobody = CustomerId::from_parts(9, &[9; 10]);
    assert!(stage.customer_file(staff, nobody).await.unwrap().is_none());
    let contact = stage
        .reveal_contact(staff, customer, reason())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(contact.phone.as_str(), "+8613800000001");

    let logged = stage.logged(StaffAction::CustomersSearched).await;
    assert_eq!(logged, [(Some(staff), "found 1".to_owned())]);
    let logged = stage.logged(StaffAction::ContactRevealed).await;
    assert_eq!(logged, [(Some(staff), "the customer called".to_owned())]);
    assert_eq!(stage.logged(StaffAction::CustomerViewed).await.len(), 1);
    let all = StaffLogFilter {
        limit: 100,
        ..StaffLogFilter::default()
    };
    let page = stage.staff_log(staff, all).await.unwrap();
    let said = format!("{:?}", page.entries);
    assert!(!said.contains("138"), "no personal data in the log: {said}");
    assert_eq!(page.entries[0].action, StaffAction::LogViewed);
    let check = stage.verify_staff_log().await.unwrap();
    assert!(matches!(check, StaffLogCheck::Sound(_)));
}

#[tokio::test]
async fn a_timeline_tells_every_book_in_one_order() {
    let stage = Stage::new().await;
    let (order, _) = stage.bought(Outcome::Success).await;
    stage.world.clock.advance(Duration::minutes(1));
    stage
        .refund_order_by_staff(stage.staff.id, order, reason())
        .await
        .unwrap();
    stage.world.clock.advance(Duration::minutes(1));
    stage.deliver().await;
    let file = stage
        .customer_file(stage.staff.id, stage.customer)
        .await
        .unwrap()
        .unwrap();
    let timeline = file.timeline(100);
    assert!(timeline.is_sorted_by(|a, b| a.at >= b.at));
    let place = |wanted: fn(&Happening<'_>) -> bool| {
        timeline.iter().position(|one| wanted(&one.what)).unwrap()
    };
    let sent = place(|what| matches!(what, Happening::RefundMoved(_)));
    let asked = place(|what| matches!(what, Happening::RefundRequested(_)));
    let begun = place(|what| matches!(what, Happening::PaymentBegun(_)));
    assert!(sent < asked && asked < begun);
    assert!(matches!(timeline[0].what, Happening::Staff(_)), "this look");
    assert_eq!(file.timeline(2).len(), 2);
}

#[tokio::test]
async fn a_refund_by_staff_is_recorded_and_so_is_one_that_is_refused() {
    let stage = Stage::new().await;
    let staff = stage.staff.id;
    let (order, payment) = stage.bought(Outcome::Success).await;
    for text in [
        order.number(),
        payment.number(),
        format!(" {} ", order.number().to_lowercase()),
    ] {
        assert_eq!(
            stage.order_numbered(&text).await.unwrap(),
            Some(order),
            "{text}"
        );
    }
    let file = stage.order_file(staff, order).await.unwrap().unwrap();
    let bill = file.documents[0].number.to_string();
    assert_eq!(stage.order_numbered(&bill).await.unwrap(), Some(order));
    assert_eq!(stage.order_numbered("SIM-2026-999999").await.unwrap(), None);
    assert_eq!(stage.order_numbered("nothing").await.unwrap(), None);
    assert_eq!(file.attempts[0].events.len(), 1);

    stage
        .refund_order_by_staff(staff, order, reason())
        .await
        .unwrap();
    stage.deliver().await;
    let file = stage.order_file(staff, order).await.unwrap().unwrap();
    assert!(matches!(
        file.order.order.state,
        OrderState::Refunded { .. }
    ));
    assert!(matches!(
        file.refunds[0].state,
        RefundState::Succeeded { .. }
    ));
    let again = stage.refund_order_by_staff(staff, order, reason()).await;
    assert_eq!(
        again,
        Err(RefundRefusal::Order(OrderTransition::AlreadyRefunded))
    );
    let nothing = OrderId::from_parts(9, &[9; 10]);
    let nothing = stage.refund_order_by_staff(staff, nothing, reason()).await;
    assert_eq!(nothing, Err(RefundRefusal::NoSuchOrder));

    let asked = stage.logged(StaffAction::RefundRequested).await;
    assert_eq!(asked.len(), 3, "asked is recorded, whatever comes of it");
    assert!(asked.iter().all(|(_, why)| why == "the customer called"));
    let refused = stage.logged(StaffAction::RefundRefused).await;
    assert_eq!(refused[1].1, "the order is refunded already");
    assert!(stage.audit().await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn a_refund_that_cannot_be_sent_is_settled_by_staff_and_the_books_agree() {
    let stage = Stage::new().await;
    let staff = stage.staff.id;
    let (order, payment) = stage.bought(Outcome::Success).await;
    let sandbox = stage.world.provider.sandbox();
    sandbox
        .behave_refunds(payment, RefundBehaviour::Impossible)
        .unwrap();
    stage
        .refund_order_by_staff(staff, order, reason())
        .await
        .unwrap();
    stage.deliver().await;
    let open = stage.money_attention().await.unwrap().refunds;
    let [open] = open.as_slice() else {
        panic!("one refund was expected");
    };
    let id = open.refund.id;
    assert!(matches!(open.refund.state, RefundState::NeedsStaff { .. }));
    assert_eq!(
        stage
            .desk_overview()
            .await
            .unwrap()
            .counts
            .refunds_for_staff,
        1
    );

    stage.resend_refund(staff, id).await.unwrap();
    let twice = stage.resend_refund(staff, id).await;
    assert_eq!(twice, Err(StaffRefundRefusal::NotForStaff));
    stage.deliver().await;
    stage.settle_refund(staff, id, reason()).await.unwrap();
    let twice = stage.settle_refund(staff, id, reason()).await;
    assert_eq!(twice, Err(StaffRefundRefusal::NotForStaff));
    let unknown = RefundId::from_parts(9, &[9; 10]);
    let unknown = stage.settle_refund(staff, unknown, reason()).await;
    assert_eq!(unknown, Err(StaffRefundRefusal::NoSuchRefund));
    assert!(stage.money_attention().await.unwrap().refunds.is_empty());
    assert_eq!(stage.logged(StaffAction::RefundSettled).await.len(), 1);
    assert_eq!(stage.logged(StaffAction::RefundResent).await.len(), 1);
    let findings = stage.audit().await.unwrap().findings;
    assert!(findings.is_empty(), "{findings:?}");
}

#[tokio::test]
async fn a_word_that_is_not_believed_is_shown() {
    let stage = Stage::new().await;
    let (_, payment) = stage.bought(Outcome::WrongAmount).await;
    let found = stage.money_attention().await.unwrap();
    assert_eq!(found.events[0].payment, payment);
    assert_eq!(found.events[0].effect, "mismatch");
}
