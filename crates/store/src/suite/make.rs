//! Things to store.

use simurgh_app::ports::{Line, LineState, Mandate};
use simurgh_charging::{Bucket, BucketTerms, BucketWindow, Subscription, SubscriptionState};
use simurgh_commerce::{
    Document, DocumentKind, DocumentLine, DocumentNumber, LineKind, LocalText, MethodKind, Order,
    OrderState, Payment, PaymentState, QuoteLine, Refund, RefundReason, RefundState, Selection,
    Start,
};
use simurgh_ledger::Asset;
use simurgh_vocab::{
    BucketId, Currency, CustomerId, Duration, InvoiceId, LineId, MandateId, Money, OrderId,
    PaymentId, Period, RefundId, SubscriptionId, Timestamp, Unit,
};

use crate::testing::NOW;

/// The id number `number`; later numbers sort later.
pub(crate) fn id<T>(from_parts: fn(u64, &[u8; 10]) -> T, number: u8) -> T {
    from_parts(NOW.as_unix_millis() + u64::from(number), &[number; 10])
}

/// `number` seconds after [`NOW`].
pub(crate) fn second(number: u32) -> Timestamp {
    NOW.plus(Duration::seconds(number))
}

pub(crate) fn customer() -> CustomerId {
    id(CustomerId::from_parts, 1)
}

pub(crate) fn line_id() -> LineId {
    id(LineId::from_parts, 1)
}

const fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn label() -> LocalText {
    LocalText {
        zh_cn: "基础版".to_owned(),
        en: "Basic".to_owned(),
    }
}

/// An order with a line of each kind. Its total is 39.00 CNY.
pub(crate) fn order(number: u8, state: OrderState) -> Order {
    let lines = (0i64..).zip(LineKind::ALL).map(|(index, kind)| QuoteLine {
        kind,
        label: label(),
        quantity: index,
        amount: yuan(if index == 0 { 3_901 - 7 } else { 1 }),
    });
    let mut lines: Vec<_> = lines.collect();
    if let Some(last) = lines.last_mut() {
        last.amount = yuan(0);
    }
    Order {
        id: id(OrderId::from_parts, number),
        customer: customer(),
        line: None,
        selection: "mix:asia:1000:60:0".parse().unwrap(),
        periods: 3,
        start: Start::On(second(9)),
        catalogue_version: 7,
        zone: "asia".parse().unwrap(),
        lines,
        promotions: vec!["spring".to_owned(), "autumn".to_owned()],
        total: yuan(3_900),
        tax: yuan(221),
        tax_rate_basis_points: 600,
        placed_at: second(number.into()),
        expires_at: second(1_800),
        quoted_end: Some(second(2_592_000)),
        automatic: number % 2 == 1,
        state,
    }
}

pub(crate) fn payment(number: u8, order: u8, state: PaymentState) -> Payment {
    Payment {
        id: id(PaymentId::from_parts, number),
        order: id(OrderId::from_parts, order),
        provider: "sandbox".to_owned(),
        method: MethodKind::Alipay,
        mandate: (number % 2 == 1).then(|| id(MandateId::from_parts, 1)),
        store_method: number.is_multiple_of(2),
        amount: yuan(3_900),
        state,
        created_at: second(number.into()),
        queries: number.into(),
    }
}

pub(crate) fn refund(number: u8, payment: u8, order: u8, state: RefundState) -> Refund {
    Refund {
        id: id(RefundId::from_parts, number),
        payment: id(PaymentId::from_parts, payment),
        order: id(OrderId::from_parts, order),
        amount: yuan(3_900),
        reason: RefundReason::UnusedPlan,
        state,
        created_at: second(number.into()),
    }
}

pub(crate) fn mandate(number: u8) -> Mandate {
    Mandate {
        id: id(MandateId::from_parts, number),
        customer: customer(),
        provider: "sandbox".to_owned(),
        method: MethodKind::Card,
        sealed_token: vec![0, 255, number],
        display: "•••• 4242".to_owned(),
        created_at: second(number.into()),
        ended_at: None,
    }
}

/// An invoice or a credit note of an order, with the order's lines.
pub(crate) fn document(
    number: u8,
    order: &Order,
    kind: DocumentKind,
    sequence: DocumentNumber,
) -> Document {
    let sign = match kind {
        DocumentKind::Invoice => 1,
        DocumentKind::CreditNote { .. } => -1,
    };
    let lines = order.lines.iter().map(|line| DocumentLine {
        kind: line.kind,
        label: line.label.clone(),
        quantity: line.quantity,
        amount: yuan(sign * line.amount.minor),
    });
    Document {
        id: id(InvoiceId::from_parts, number),
        kind,
        number: sequence,
        customer: order.customer,
        order: order.id,
        issued_at: second(number.into()),
        lines: lines.collect(),
        total: yuan(sign * order.total.minor),
        tax: yuan(sign * order.tax.minor),
        tax_rate_basis_points: order.tax_rate_basis_points,
    }
}

pub(crate) fn line(number: u8, state: LineState) -> Line {
    Line {
        id: id(LineId::from_parts, number),
        customer: customer(),
        state,
        opened_at: second(number.into()),
    }
}

pub(crate) fn subscription(number: u8, state: SubscriptionState) -> Subscription {
    Subscription {
        id: id(SubscriptionId::from_parts, number),
        line: line_id(),
        order: id(OrderId::from_parts, number),
        selection: Selection::AddOn("data-1g".to_owned()).to_string(),
        catalogue_version: 7,
        zone: "asia".parse().unwrap(),
        add_on: number % 2 == 1,
        state,
    }
}

pub(crate) fn period() -> Period {
    Period {
        start: second(10),
        end: second(20),
    }
}

pub(crate) fn bucket(number: u8, subscription: u8, window: BucketWindow) -> Bucket {
    Bucket {
        id: id(BucketId::from_parts, number),
        line: line_id(),
        subscription: id(SubscriptionId::from_parts, subscription),
        asset: Asset::Service(Unit::Octets),
        zone: "asia".parse().unwrap(),
        window,
        granted: 1_000,
        terms: BucketTerms::default(),
        closed: false,
    }
}
