//! Orders, payments, refunds, stored methods, documents.

use simurgh_app::ports::{Sales, SeenEvent, StoreFault, Verdict};
use simurgh_commerce::{
    CloseReason, DocumentKind, DocumentNumber, Failure, Order, OrderState, PaymentState,
    PromotionUse, RefundReason, RefundState,
};
use simurgh_vocab::{
    Currency, CustomerId, InvoiceId, LineId, MandateId, Money, OrderId, PaymentId, RefundId,
};

use super::make;
use crate::params;
use crate::testing::each_store;
use crate::tx::StoreTx;

fn order_states() -> [OrderState; 5] {
    let at = make::second(5);
    let closed = |reason| OrderState::Closed { at, reason };
    [
        OrderState::AwaitingPayment,
        OrderState::Fulfilled { at },
        closed(CloseReason::Expired),
        closed(CloseReason::Cancelled),
        OrderState::Refunded { at },
    ]
}

fn orders() -> Vec<Order> {
    let orders = (1..).zip(order_states());
    orders
        .map(|(number, state)| make::order(number, state))
        .collect()
}

#[test]
fn orders_come_back_in_every_state() {
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.in_any_order();
                for order in orders() {
                    tx.insert_order(&order).unwrap();
                }
                let mut bare = make::order(9, OrderState::AwaitingPayment);
                (bare.customer, bare.lines, bare.promotions, bare.quoted_end) =
                    (make::id(CustomerId::from_parts, 2), vec![], vec![], None);
                tx.insert_order(&bare).unwrap();
                assert_eq!(tx.order(bare.id), Ok(Some(bare)));
            })
            .unwrap();
        subject
            .write(|tx| {
                for order in orders() {
                    assert_eq!(tx.order(order.id), Ok(Some(order)));
                }
                assert_eq!(tx.order(make::id(OrderId::from_parts, 99)), Ok(None));
                let mut newest_first = orders();
                newest_first.reverse();
                let found = tx.orders_of(make::customer(), 200).unwrap();
                assert_eq!(found, newest_first);
                assert_eq!(
                    tx.orders_of(make::customer(), 2).unwrap(),
                    newest_first[..2]
                );
                assert_eq!(tx.recent_orders(3).unwrap()[1..], newest_first[..2]);
            })
            .unwrap();
    });
}

#[test]
fn an_order_is_updated_with_its_line_and_only_if_it_stands() {
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.in_any_order();
                let mut order = make::order(1, OrderState::AwaitingPayment);
                tx.insert_order(&order).unwrap();
                for state in order_states() {
                    order.state = state;
                    order.line = Some(make::id(LineId::from_parts, 1));
                    tx.update_order(&order).unwrap();
                    assert_eq!(tx.order(order.id), Ok(Some(order.clone())));
                }
            })
            .unwrap();
        let missing = subject.write(|tx| {
            let order = make::order(2, OrderState::AwaitingPayment);
            assert!(matches!(
                tx.update_order(&order),
                Err(StoreFault::Corrupt(_))
            ));
        });
        assert_eq!(missing, Ok(()), "{}: nothing was done", subject.name);
        let twice = subject.write(|tx| {
            let order = make::order(1, OrderState::AwaitingPayment);
            let refused = tx.insert_order(&order);
            assert!(matches!(refused, Err(StoreFault::Conflict(_))));
        });
        assert!(twice.is_err(), "{}", subject.name);
        subject
            .write_as(|tx| {
                let mut mixed = make::order(3, OrderState::AwaitingPayment);
                mixed.tax = Money::new(1, Currency::Eur);
                assert!(matches!(
                    tx.insert_order(&mixed),
                    Err(StoreFault::Corrupt(_))
                ));
                Verdict::RollBack
            })
            .unwrap();
    });
}

#[test]
fn promotions_are_used_by_orders_that_are_paid_or_may_be() {
    let uses = |tx: &mut StoreTx<'_>, customer: Option<u8>| -> Vec<(u32, u32)> {
        let customer = customer.map(|number| make::id(CustomerId::from_parts, number));
        let codes = ["spring".to_owned(), "unheard-of".to_owned()];
        let uses = tx.promotion_uses(customer, &codes).unwrap();
        let [PromotionUse { code, .. }, _] = uses.as_slice() else {
            panic!("one answer for each code");
        };
        assert_eq!(code, "spring");
        uses.iter()
            .map(|used| (used.by_customer, used.total))
            .collect()
    };
    each_store(|subject| {
        subject
            .write(move |tx| {
                tx.in_any_order();
                for order in orders() {
                    tx.insert_order(&order).unwrap();
                }
                let mut other = make::order(9, OrderState::AwaitingPayment);
                other.customer = make::id(CustomerId::from_parts, 2);
                tx.insert_order(&other).unwrap();
                assert_eq!(uses(tx, Some(1)), [(2, 3), (0, 0)]);
                assert_eq!(uses(tx, Some(2)), [(1, 3), (0, 0)]);
                assert_eq!(uses(tx, None), [(0, 3), (0, 0)]);
                assert_eq!(tx.has_paid(make::customer()), Ok(true));
                assert_eq!(tx.has_paid(other.customer), Ok(false));
                other.state = order_states()[2];
                for _ in 0..2 {
                    tx.update_order(&other).unwrap();
                    assert_eq!(uses(tx, Some(2)), [(0, 2), (0, 0)]);
                }
            })
            .unwrap();
    });
}

fn payment_states() -> Vec<PaymentState> {
    let at = make::second(5);
    let redirect_url = "https://pay.example/1?a=b".to_owned();
    let mut states = vec![
        PaymentState::Created,
        PaymentState::ActionRequired { redirect_url },
        PaymentState::Processing,
        PaymentState::Unknown,
        PaymentState::Captured { at },
        PaymentState::Closed { at },
    ];
    let failed = |failure| PaymentState::Failed { at, failure };
    states.extend(Failure::ALL.map(failed));
    states
}

#[test]
fn payments_come_back_in_every_state() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let payments = (1..).zip(payment_states());
                let payments: Vec<_> = payments
                    .map(|(number, state)| make::payment(number, 1, state))
                    .collect();
                for payment in payments.iter().rev() {
                    tx.insert_payment(payment).unwrap();
                    assert_eq!(tx.payment(payment.id).as_ref(), Ok(&Some(payment.clone())));
                }
                tx.insert_payment(&make::payment(99, 2, PaymentState::Created))
                    .unwrap();
                let order = make::id(OrderId::from_parts, 1);
                assert_eq!(tx.payments_of(order), Ok(payments.clone()));
                let mut payment = payments[0].clone();
                for state in payment_states() {
                    (payment.state, payment.queries) = (state, payment.queries + 1);
                    tx.update_payment(&payment).unwrap();
                    assert_eq!(tx.payment(payment.id), Ok(Some(payment.clone())));
                }
                assert_eq!(tx.payment(make::id(PaymentId::from_parts, 98)), Ok(None));
            })
            .unwrap();
    });
}

#[test]
fn a_notification_is_remembered_once() {
    let event = |provider: &str, event_id: &str, second, effect| SeenEvent {
        provider: provider.to_owned(),
        event_id: event_id.to_owned(),
        payment: make::id(PaymentId::from_parts, 1),
        effect,
        at: make::second(second),
    };
    each_store(|subject| {
        subject
            .write(move |tx| {
                let effects = ["moved", "ignored", "returned", "mismatch"];
                let mut events: Vec<_> = (2..)
                    .zip(effects)
                    .map(|(second, effect)| event("a", &format!("e{second}"), second, effect))
                    .collect();
                events.push(event("b", "e2", 9, "fulfilled"));
                events.insert(0, event("a", "e1", 1, "unknown-payment"));
                for event in events.iter().rev() {
                    assert_eq!(tx.remember_event(event), Ok(true));
                }
                let again = event("a", "e1", 30, "moved");
                assert_eq!(tx.remember_event(&again), Ok(false));
                assert_eq!(tx.events_of(again.payment), Ok(events));
            })
            .unwrap();
    });
}

#[test]
fn refunds_come_back_in_every_state() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let at = make::second(5);
                let states = [
                    RefundState::Requested,
                    RefundState::Succeeded { at },
                    RefundState::NeedsStaff { at },
                ];
                let mut refunds = Vec::new();
                for ((number, state), reason) in (1..).zip(states).zip(RefundReason::ALL) {
                    let mut refund = make::refund(number, 1, 1, state);
                    refund.reason = reason;
                    tx.insert_refund(&refund).unwrap();
                    assert_eq!(tx.refund(refund.id).as_ref(), Ok(&Some(refund.clone())));
                    refunds.push(refund);
                }
                let order = make::id(OrderId::from_parts, 1);
                assert_eq!(tx.refunds_of(order), Ok(refunds.clone()));
                for state in states {
                    refunds[0].state = state;
                    tx.update_refund(&refunds[0]).unwrap();
                    assert_eq!(tx.refunds_of(order), Ok(refunds.clone()));
                }
                assert_eq!(tx.refund(make::id(RefundId::from_parts, 9)), Ok(None));
            })
            .unwrap();
    });
}

#[test]
fn methods_are_listed_until_they_end() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let [first, second] = [1, 2].map(make::mandate);
                tx.insert_mandate(&first).unwrap();
                tx.insert_mandate(&second).unwrap();
                let ids = |tx: &mut StoreTx<'_>| -> Vec<MandateId> {
                    let mandates = tx.mandates_of(make::customer()).unwrap();
                    mandates.iter().map(|mandate| mandate.id).collect()
                };
                assert_eq!(ids(tx), [second.id, first.id]);
                tx.end_mandate(second.id, make::second(8)).unwrap();
                tx.end_mandate(second.id, make::second(9)).unwrap();
                assert_eq!(ids(tx), [first.id]);
                let mut ended = second;
                ended.ended_at = Some(make::second(8));
                assert!(tx.mandate(ended.id) == Ok(Some(ended)));
                assert!(tx.mandate(first.id) == Ok(Some(first)));
            })
            .unwrap();
    });
}

#[test]
fn documents_come_back_with_their_lines() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let order = make::order(
                    1,
                    OrderState::Refunded {
                        at: make::second(5),
                    },
                );
                let number = tx.next_document_number("SIM", 2026, false).unwrap();
                let invoice = make::document(1, &order, DocumentKind::Invoice, number);
                let kind = DocumentKind::CreditNote {
                    invoice: invoice.id,
                };
                let number = tx.next_document_number("SIM", 2026, true).unwrap();
                let note = make::document(2, &order, kind, number);
                tx.insert_document(&invoice).unwrap();
                tx.insert_document(&note).unwrap();
                assert_eq!(tx.document(note.id), Ok(Some(note.clone())));
                assert_eq!(tx.document(make::id(InvoiceId::from_parts, 9)), Ok(None));
                let both = [invoice.clone(), note.clone()];
                assert_eq!(tx.documents_of_order(order.id).unwrap(), both);
                let newest_first = [note.clone(), invoice];
                assert_eq!(tx.documents_of(make::customer(), 9).unwrap(), newest_first);
                assert_eq!(tx.documents_of(make::customer(), 1).unwrap(), [note]);
            })
            .unwrap();
        let changed = subject.write(|tx| {
            let refused = tx.execute("UPDATE document SET total = 0", &[]);
            assert!(refused.is_err());
        });
        assert!(changed.is_err(), "{}: documents are final", subject.name);
    });
}

#[test]
fn document_numbers_have_no_gap_after_a_roll_back() {
    let take = |tx: &mut StoreTx<'_>, year, credit| {
        let number = tx.next_document_number("SIM", year, credit).unwrap();
        let expected = DocumentNumber {
            sequence: number.sequence,
            series: "SIM".to_owned(),
            year,
            credit,
        };
        assert_eq!(number, expected);
        number.sequence
    };
    each_store(|subject| {
        subject
            .write(move |tx| {
                assert_eq!(take(tx, 2026, false), 1);
                assert_eq!(take(tx, 2026, false), 2);
                assert_eq!(take(tx, 2026, true), 1);
                assert_eq!(take(tx, 2027, false), 1);
            })
            .unwrap();
        subject
            .write_as(move |tx| {
                assert_eq!(take(tx, 2026, false), 3);
                Verdict::RollBack
            })
            .unwrap();
        subject
            .write(move |tx| assert_eq!(take(tx, 2026, false), 3))
            .unwrap();
    });
}

#[test]
fn a_row_in_no_known_state_is_refused() {
    type Read = fn(&mut StoreTx<'_>) -> Result<(), StoreFault>;
    let cases: [(&str, Read); 5] = [
        ("UPDATE sales_order SET state = 'lost'", |tx| {
            tx.recent_orders(1).map(drop)
        }),
        ("UPDATE sales_order SET state = 'closed'", |tx| {
            tx.order(make::id(OrderId::from_parts, 1)).map(drop)
        }),
        ("UPDATE payment SET method = 'cash'", |tx| {
            tx.payments_of(make::id(OrderId::from_parts, 1)).map(drop)
        }),
        ("UPDATE payment SET state_at = 1", |tx| {
            tx.payment(make::id(PaymentId::from_parts, 1)).map(drop)
        }),
        ("UPDATE refund SET reason = ''", |tx| {
            tx.refund(make::id(RefundId::from_parts, 1)).map(drop)
        }),
    ];
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.insert_order(&make::order(1, OrderState::AwaitingPayment))
                    .unwrap();
                tx.insert_payment(&make::payment(1, 1, PaymentState::Created))
                    .unwrap();
                tx.insert_refund(&make::refund(1, 1, 1, RefundState::Requested))
                    .unwrap();
            })
            .unwrap();
        for (damage, read) in cases {
            subject
                .write_as(move |tx| {
                    assert_eq!(read(tx), Ok(()));
                    assert_eq!(tx.execute(damage, &params![]), Ok(1));
                    assert!(matches!(read(tx), Err(StoreFault::Corrupt(_))), "{damage}");
                    Verdict::RollBack
                })
                .unwrap();
        }
    });
}
