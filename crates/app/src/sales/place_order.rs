//! Placing an order: a quote, accepted.

use simurgh_commerce::{Order, OrderState, Quote, QuoteRequest};
use simurgh_vocab::{CustomerId, LineId, Money, OrderId, Timestamp};

use crate::ports::{StoreExt, StoreFault, Task, Tx};
use crate::sales::QuoteError;
use crate::{App, Fault};

/// An order as the customer sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest {
    /// The order's id, made when the page was shown: the idempotency key. Pressing the button
    /// twice places one order.
    pub id: OrderId,
    /// The line it is for; none opens a new one.
    pub line: Option<LineId>,
    /// What is ordered.
    pub purchase: QuoteRequest,
    /// The total the customer saw, which must be the total of the order.
    pub seen_total: Money,
}

/// Why no order was placed. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// The id was used for a different order.
    #[error("this form was used for another order already")]
    KeyReused,
    /// The wish cannot be met.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// The country of the plan asks for an identity check that is not passed yet. Asked before
    /// payment, so that nobody pays for a plan that cannot be activated.
    #[error("an identity check must be passed first")]
    IdentityWanted,
    /// The price is not the one that was shown (any more).
    #[error("the price has changed to {0}")]
    PriceChanged(Money),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for OrderRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// Places an order. The same request again gives the same order.
    ///
    /// # Errors
    /// [`OrderRefusal`].
    pub async fn place_order(
        &self,
        customer: CustomerId,
        request: OrderRequest,
    ) -> Result<Order, OrderRefusal> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| app.place_order_in(tx, customer, &request, now))
            .await
    }

    pub(crate) fn place_order_in(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        request: &OrderRequest,
        now: Timestamp,
    ) -> Result<Order, OrderRefusal> {
        if let Some(order) = tx.order(request.id)? {
            let same = order.customer == customer
                && order.selection == request.purchase.selection
                && order.periods == request.purchase.periods
                && order.start == request.purchase.start
                && order.total == request.seen_total;
            return if same {
                Ok(order)
            } else {
                Err(OrderRefusal::KeyReused)
            };
        }
        let quote = self.binding_quote_in(tx, customer, request.line, &request.purchase, now)?;
        let requirement = self.identity_requirement_in(tx, Some(customer), &quote.zone)?;
        if !requirement.allows_activation() {
            return Err(OrderRefusal::IdentityWanted);
        }
        if quote.total != request.seen_total {
            return Err(OrderRefusal::PriceChanged(quote.total));
        }
        let order = accepted(quote, request.id, request.line, customer, now);
        tx.insert_order(&order)?;
        let key = format!("close:{}", order.id);
        self.enqueue(tx, Task::CloseOrder(order.id), key, order.expires_at)?;
        Ok(order)
    }
}

/// The order of an accepted quote.
pub(crate) fn accepted(
    quote: Quote,
    id: OrderId,
    line: Option<LineId>,
    customer: CustomerId,
    now: Timestamp,
) -> Order {
    Order {
        id,
        customer,
        line,
        quoted_end: quote.schedule.ends_at(),
        selection: quote.request.selection,
        periods: quote.request.periods,
        start: quote.request.start,
        catalogue_version: quote.catalogue_version,
        zone: quote.zone,
        lines: quote.lines,
        promotions: quote.promotions,
        total: quote.total,
        tax: quote.tax,
        tax_rate_basis_points: quote.tax_rate_basis_points,
        placed_at: now,
        expires_at: now.plus(Order::PAY_WITHIN),
        automatic: false,
        state: OrderState::AwaitingPayment,
    }
}
