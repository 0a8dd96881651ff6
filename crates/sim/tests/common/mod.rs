//! What the flows share: a customer who buys.

use simurgh_app::App;
use simurgh_app::sales::{OrderRequest, PayRequest, PayWith};
use simurgh_commerce::{MethodKind, QuoteRequest, Start};
use simurgh_vocab::{Currency, CustomerId, LineId, Locale, OrderId, PaymentId};

/// A plan of Europe for one period.
pub(crate) fn plan(start: Start) -> QuoteRequest {
    QuoteRequest {
        selection: "offer:basic-europe".parse().unwrap(),
        periods: 1,
        currency: Currency::Cny,
        start,
        promotion_code: None,
    }
}

/// The form of an order, as the page makes it: with the price it shows.
pub(crate) async fn form(
    app: &App,
    customer: CustomerId,
    line: Option<LineId>,
    purchase: QuoteRequest,
) -> OrderRequest {
    let quote = app.quote(Some(customer), line, purchase.clone()).await;
    OrderRequest {
        id: app.make(OrderId::from_parts, app.now()),
        line,
        purchase,
        seen_total: quote.unwrap().total,
    }
}

/// The form of a payment.
pub(crate) fn payment(app: &App, order: OrderId, store: bool) -> PayRequest {
    PayRequest {
        id: app.make(PaymentId::from_parts, app.now()),
        order,
        with: PayWith::New {
            method: MethodKind::Card,
            store,
        },
        locale: Locale::En,
    }
}

/// The only line of a customer.
pub(crate) async fn line_of(app: &App, customer: CustomerId) -> LineId {
    let lines = app.line_views(customer).await.unwrap();
    assert_eq!(lines.len(), 1, "one line");
    lines[0].line.id
}
