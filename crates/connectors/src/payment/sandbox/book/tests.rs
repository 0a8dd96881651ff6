use simurgh_app::ports::{OpenRequest, RefundRequest, RefundStatus};
use simurgh_vocab::{Currency, Locale};

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn payment(n: u8) -> PaymentId {
    PaymentId::from_parts(NOW.as_unix_millis(), &[n; 10])
}

fn refund_id(n: u8) -> RefundId {
    RefundId::from_parts(NOW.as_unix_millis(), &[n; 10])
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn request(n: u8) -> OpenRequest {
    OpenRequest {
        payment: payment(n),
        method: MethodKind::Alipay,
        amount: yuan(3_990),
        description: "Basic, 30 days".to_owned(),
        store_method: true,
        return_url: "http://127.0.0.1:8080/orders/1".to_owned(),
        locale: Locale::ZhCn,
    }
}

fn open(book: &mut SandboxBook, request: OpenRequest) -> Result<Change, Refusal> {
    let tokens = Tokens {
        page: format!("pay_{}", request.payment),
        mandate: format!("mdt_{}", request.payment),
    };
    book.apply(&Command::Open { request, tokens }, NOW)
}

fn opened() -> SandboxBook {
    let mut book = SandboxBook::new();
    open(&mut book, request(1)).unwrap();
    book
}

fn charge(book: &mut SandboxBook, n: u8) -> ProviderStatus {
    let request = ChargeRequest {
        payment: payment(n),
        token: format!("mdt_{}", payment(1)),
        method: MethodKind::Alipay,
        amount: yuan(3_990),
        description: "Basic, 30 days".to_owned(),
    };
    book.apply(&Command::Charge(request), NOW).unwrap();
    truth(book, n)
}

fn truth(book: &SandboxBook, n: u8) -> ProviderStatus {
    book.entry(payment(n)).unwrap().standing.status()
}

/// What the waiting notifications say, in the order in which they leave: event, status, amount,
/// whether our merchant is named.
fn posted(book: &SandboxBook) -> Vec<(String, ProviderStatus, i64, bool)> {
    let number = format!("evt_{}_", payment(1));
    book.waiting()
        .into_iter()
        .map(|delivery| {
            let notice = book.notice(delivery.id).unwrap();
            let event = notice.event_id.replace(&number, "");
            let word = &notice.word;
            (event, word.status, word.amount.minor, word.merchant_is_ours)
        })
        .collect()
}

#[test]
fn each_outcome_has_its_truth_and_its_notifications() {
    use ProviderStatus::{Captured, Closed, Failed, Pending};
    let refused = Failed(Failure::BankRefused);
    let says = |event: &str, status, minor, ours| (event.to_owned(), status, minor, ours);
    let table = [
        (
            Outcome::Success,
            Captured,
            vec![says("0", Captured, 3_990, true)],
        ),
        (
            Outcome::Fail(Failure::Risk),
            Failed(Failure::Risk),
            vec![says("0", Failed(Failure::Risk), 3_990, true)],
        ),
        (Outcome::NeedsBank, Pending, vec![]),
        (
            Outcome::Delayed,
            Pending,
            vec![says("0", Pending, 3_990, true)],
        ),
        (
            Outcome::Duplicated,
            Captured,
            vec![says("0", Captured, 3_990, true); 3],
        ),
        (
            Outcome::Reordered,
            Captured,
            vec![
                says("2", Captured, 3_990, true),
                says("0", Pending, 3_990, true),
                says("1", refused, 3_990, true),
            ],
        ),
        (
            Outcome::WrongAmount,
            Captured,
            vec![says("0", Captured, 3_890, true)],
        ),
        (
            Outcome::OtherMerchant,
            Captured,
            vec![says("0", Captured, 3_990, false)],
        ),
        (Outcome::StaysPending, Pending, vec![]),
        (Outcome::NoAnswer, Pending, vec![]),
        (
            Outcome::Closed,
            Closed,
            vec![says("0", Closed, 3_990, true)],
        ),
    ];
    for (outcome, expected, notifications) in table {
        let mut book = opened();
        book.decide(payment(1), outcome, NOW).unwrap();
        assert_eq!(truth(&book, 1), expected, "{outcome:?}");
        assert_eq!(posted(&book), notifications, "{outcome:?}");
        let answers = book.answer(payment(1)).unwrap().is_some();
        assert_eq!(answers, outcome != Outcome::NoAnswer, "{outcome:?}");
    }
}

#[test]
fn what_has_ended_cannot_be_decided_again_and_what_hangs_can() {
    for outcome in Outcome::all() {
        let mut book = opened();
        book.decide(payment(1), outcome, NOW).unwrap();
        let open = truth(&book, 1) == ProviderStatus::Pending;
        let second = book.decide(payment(1), Outcome::Success, NOW);
        let expected = if open {
            Ok(())
        } else {
            Err(Refusal::AlreadyDecided)
        };
        assert_eq!(second, expected, "{outcome:?}");
    }
    assert_eq!(
        opened().decide(payment(9), Outcome::Success, NOW),
        Err(Refusal::PaymentUnknown)
    );
}

#[test]
fn one_number_is_one_payment() {
    let mut book = opened();
    let in_english = OpenRequest {
        locale: Locale::En,
        ..request(1)
    };
    assert_eq!(open(&mut book, request(1)), Ok(Change::Repeated));
    assert_eq!(open(&mut book, in_english), Ok(Change::Repeated));
    assert_eq!(book.len(), 1);
    let others = [
        OpenRequest {
            amount: yuan(1),
            ..request(1)
        },
        OpenRequest {
            method: MethodKind::Card,
            ..request(1)
        },
        OpenRequest {
            store_method: false,
            ..request(1)
        },
        OpenRequest {
            description: "x".to_owned(),
            ..request(1)
        },
        OpenRequest {
            amount: Money::new(3_990, Currency::Eur),
            ..request(1)
        },
    ];
    for other in others {
        assert_eq!(open(&mut book, other), Err(Refusal::ContextInconsistent));
    }
}

#[test]
fn an_opening_that_cannot_be_meant_is_refused() {
    let cases = [
        (
            OpenRequest {
                amount: yuan(0),
                ..request(1)
            },
            Refusal::AmountInvalid,
        ),
        (
            OpenRequest {
                amount: yuan(-1),
                ..request(1)
            },
            Refusal::AmountInvalid,
        ),
        (
            OpenRequest {
                return_url: "javascript:1".to_owned(),
                ..request(1)
            },
            Refusal::ReturnUrlInvalid,
        ),
        (
            OpenRequest {
                description: "a\nb".to_owned(),
                ..request(1)
            },
            Refusal::DescriptionInvalid,
        ),
    ];
    for (request, refusal) in cases {
        assert_eq!(open(&mut SandboxBook::new(), request), Err(refusal));
    }
}

#[test]
fn a_delay_ends_by_time_or_by_a_second_press() {
    let mut book = opened();
    book.decide(payment(1), Outcome::Delayed, NOW).unwrap();
    book.advance(NOW.plus(Duration::seconds(19)));
    assert_eq!(truth(&book, 1), ProviderStatus::Pending);
    book.advance(NOW.plus(DELAY));
    assert_eq!(truth(&book, 1), ProviderStatus::Captured);
    assert_eq!(posted(&book).len(), 2);

    let mut pressed = opened();
    pressed.decide(payment(1), Outcome::Delayed, NOW).unwrap();
    let refused = Outcome::Fail(Failure::BankRefused);
    pressed.decide(payment(1), refused, NOW).unwrap();
    pressed.advance(NOW.plus(DELAY));
    assert_eq!(
        truth(&pressed, 1),
        ProviderStatus::Failed(Failure::BankRefused)
    );
}

#[test]
fn a_page_nobody_uses_closes() {
    let mut book = opened();
    book.advance(NOW.plus(PAGE_LIFETIME));
    assert_eq!(truth(&book, 1), ProviderStatus::Closed);
    let mut paid = opened();
    paid.decide(payment(1), Outcome::Success, NOW).unwrap();
    paid.advance(NOW.plus(PAGE_LIFETIME));
    assert_eq!(truth(&paid, 1), ProviderStatus::Captured);
}

#[test]
fn a_stored_method_does_as_it_was_told() {
    use ProviderStatus::{Captured, Failed, Pending};
    let table = [
        (Behaviour::Works, [Captured, Captured]),
        (
            Behaviour::InsufficientFundsOnce,
            [Failed(Failure::InsufficientFunds), Captured],
        ),
        (
            Behaviour::InsufficientFunds,
            [Failed(Failure::InsufficientFunds); 2],
        ),
        (Behaviour::Expired, [Failed(Failure::Expired); 2]),
        (Behaviour::Revoked, [Failed(Failure::MandateEnded); 2]),
        (
            Behaviour::NeedsAuthentication,
            [Failed(Failure::AuthenticationRequired); 2],
        ),
        (Behaviour::Delayed, [Pending; 2]),
        (Behaviour::NoAnswer, [Pending; 2]),
    ];
    for (behaviour, expected) in table {
        let mut book = opened();
        book.decide(payment(1), Outcome::Success, NOW).unwrap();
        let behave = Command::Behave {
            payment: payment(1),
            behaviour,
        };
        book.apply(&behave, NOW).unwrap();
        assert_eq!(
            [charge(&mut book, 2), charge(&mut book, 3)],
            expected,
            "{behaviour:?}"
        );
        // Charging again under a known number is no second charge.
        assert_eq!(charge(&mut book, 2), expected[0], "{behaviour:?}");
    }
}

#[test]
fn a_method_is_stored_only_by_a_payment_that_succeeds() {
    let mut book = opened();
    assert!(book.entry(payment(1)).unwrap().grant().is_none());
    assert_eq!(
        charge(&mut book, 2),
        ProviderStatus::Failed(Failure::MandateEnded)
    );
    book.decide(payment(1), Outcome::Fail(Failure::Risk), NOW)
        .unwrap();
    assert_eq!(
        charge(&mut book, 3),
        ProviderStatus::Failed(Failure::MandateEnded)
    );
    assert_eq!(
        book.decide(payment(2), Outcome::NeedsBank, NOW),
        Err(Refusal::AlreadyDecided)
    );
}

#[test]
fn never_more_goes_back_than_was_taken() {
    let mut book = opened();
    let give_back = |book: &mut SandboxBook, n, minor| {
        let request = RefundRequest {
            refund: refund_id(n),
            payment: payment(1),
            amount: yuan(minor),
        };
        book.apply(&Command::Refund(request), NOW)
    };
    assert_eq!(give_back(&mut book, 1, 1), Err(Refusal::NotCaptured));
    book.decide(payment(1), Outcome::Success, NOW).unwrap();
    assert_eq!(give_back(&mut book, 1, 3_000), Ok(Change::Made));
    assert_eq!(give_back(&mut book, 1, 3_000), Ok(Change::Repeated));
    assert_eq!(
        give_back(&mut book, 1, 990),
        Err(Refusal::ContextInconsistent)
    );
    assert_eq!(give_back(&mut book, 2, 991), Err(Refusal::ExceedsCaptured));
    assert_eq!(
        give_back(&mut book, 2, i64::MAX),
        Err(Refusal::ExceedsCaptured)
    );
    assert_eq!(give_back(&mut book, 2, 0), Err(Refusal::AmountInvalid));
    assert_eq!(give_back(&mut book, 2, 990), Ok(Change::Made));
    let copy = book.copy(NOW);
    assert_eq!(copy.payments[0].refunded, yuan(3_990));
    assert_eq!(copy.refunds.len(), 2);
}

#[test]
fn refunds_wait_or_cannot_be_made_as_chosen() {
    let mut book = opened();
    book.decide(payment(1), Outcome::Success, NOW).unwrap();
    let behave = |book: &mut SandboxBook, behaviour| {
        let command = Command::BehaveRefunds {
            payment: payment(1),
            behaviour,
        };
        book.apply(&command, NOW).unwrap();
    };
    let give_back = |book: &mut SandboxBook, n| {
        let request = RefundRequest {
            refund: refund_id(n),
            payment: payment(1),
            amount: yuan(3_990),
        };
        book.apply(&Command::Refund(request), NOW).unwrap();
    };
    behave(&mut book, RefundBehaviour::Impossible);
    give_back(&mut book, 1);
    assert_eq!(
        book.refund_status(refund_id(1), NOW),
        Some(RefundStatus::Impossible)
    );
    // What cannot go back does not count as gone: another refund has room.
    behave(&mut book, RefundBehaviour::Waits);
    give_back(&mut book, 2);
    assert_eq!(
        book.refund_status(refund_id(2), NOW),
        Some(RefundStatus::Pending)
    );
    let later = NOW.plus(DELAY);
    assert_eq!(
        book.refund_status(refund_id(2), later),
        Some(RefundStatus::Succeeded)
    );
    behave(&mut book, RefundBehaviour::Succeeds);
    assert_eq!(
        book.refund_status(refund_id(2), NOW),
        Some(RefundStatus::Succeeded)
    );
    assert_eq!(
        book.refund_status(refund_id(1), NOW),
        Some(RefundStatus::Impossible)
    );
}

#[test]
fn sending_again_says_the_truth_under_the_id_it_had() {
    let mut book = opened();
    book.decide(payment(1), Outcome::Success, NOW).unwrap();
    let first = book.waiting()[0].id;
    book.apply(&Command::Taken(first), NOW).unwrap();
    book.apply(&Command::SendAgain(payment(1)), NOW).unwrap();
    assert_eq!(
        posted(&book),
        [("0".to_owned(), ProviderStatus::Captured, 3_990, true)]
    );

    let mut wrong = opened();
    wrong.decide(payment(1), Outcome::WrongAmount, NOW).unwrap();
    wrong.apply(&Command::SendAgain(payment(1)), NOW).unwrap();
    let truth = ("1".to_owned(), ProviderStatus::Captured, 3_990, true);
    assert_eq!(posted(&wrong)[1], truth);
}

#[test]
fn a_notification_waits_until_it_is_taken_and_keeps_its_place() {
    let mut book = opened();
    book.decide(payment(1), Outcome::Duplicated, NOW).unwrap();
    let due = book.due(NOW, 10);
    assert_eq!(due.len(), 1, "one at a time per payment");
    let later = NOW.plus(Duration::seconds(5));
    book.postpone(due[0].id, later);
    assert_ne!(book.due(NOW, 10)[0].id, due[0].id);
    for delivery in book.waiting() {
        book.apply(&Command::Taken(delivery.id), NOW).unwrap();
    }
    assert!(book.due(later, 10).is_empty());
    let again = book.apply(&Command::Taken(due[0].id), NOW);
    assert_eq!(again, Ok(Change::Repeated));
}
