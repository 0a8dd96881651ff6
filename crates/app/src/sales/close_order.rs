//! Closing an order that was not paid.

use simurgh_commerce::{CloseReason, Order, OrderTransition, Payment, PaymentState};
use simurgh_vocab::{CustomerId, Duration, OrderId, Timestamp};

use crate::ports::{StoreExt, Task, Tx};
use crate::sales::PayRefusal;
use crate::{App, Fault};

/// How long the closing waits before it looks again at an attempt whose outcome is open.
const LOOK_AGAIN: Duration = Duration::minutes(5);

impl App {
    /// Calls an unpaid order off for its customer. Money that still comes is sent back.
    ///
    /// # Errors
    /// [`PayRefusal::NoSuchOrder`], [`PayRefusal::Order`] when it is paid or closed,
    /// [`PayRefusal::EarlierAttemptUnknown`] while a payment is being confirmed.
    pub async fn cancel_order(&self, customer: CustomerId, id: OrderId) -> Result<(), PayRefusal> {
        let now = self.now();
        self.store
            .transact(move |tx| {
                let order = tx.order(id)?.filter(|order| order.customer == customer);
                let order = order.ok_or(PayRefusal::NoSuchOrder)?;
                if tx.payments_of(id)?.iter().any(undecided) {
                    return Err(PayRefusal::EarlierAttemptUnknown);
                }
                close(tx, order, CloseReason::Cancelled, now)?.map_err(PayRefusal::Order)
            })
            .await
    }

    /// Closes an order whose time is over, unless the outcome of a payment is still open.
    pub(crate) async fn close_expired_order(&self, id: OrderId) -> Result<(), Fault> {
        let open = self
            .store
            .snapshot(move |tx| -> Result<Vec<Payment>, Fault> { Ok(tx.payments_of(id)?) })
            .await?;
        for payment in open.iter().filter(|payment| payment.is_open()) {
            self.query_payment(payment.id).await?;
        }
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<(), Fault> {
                let Some(order) = tx.order(id)? else {
                    return Ok(());
                };
                let resolve_until = order.expires_at.plus(Order::RESOLVE_WITHIN);
                if tx.payments_of(id)?.iter().any(undecided) && now < resolve_until {
                    let key = format!("close:{id}:{}", now.as_micros());
                    app.enqueue(tx, Task::CloseOrder(id), key, now.plus(LOOK_AGAIN))?;
                    return Ok(());
                }
                // Paid or closed meanwhile: nothing to do.
                close(tx, order, CloseReason::Expired, now)?.or(Ok(()))
            })
            .await
    }
}

/// Whether an attempt may have taken the money without our knowing.
fn undecided(payment: &Payment) -> bool {
    match payment.state {
        PaymentState::Created | PaymentState::Processing | PaymentState::Unknown => true,
        PaymentState::ActionRequired { .. }
        | PaymentState::Captured { .. }
        | PaymentState::Failed { .. }
        | PaymentState::Closed { .. } => false,
    }
}

fn close(
    tx: &mut dyn Tx,
    order: Order,
    reason: CloseReason,
    now: Timestamp,
) -> Result<Result<(), OrderTransition>, Fault> {
    match order.close(now, reason) {
        Ok(order) => {
            tx.update_order(&order)?;
            Ok(Ok(()))
        }
        Err(refusal) => Ok(Err(refusal)),
    }
}
