//! Compares the provider's book with ours.

use simurgh_app::App;
use simurgh_app::ports::{StoreExt, StoreFault};
use simurgh_commerce::{OrderState, PaymentState, ProviderStatus};
use simurgh_connectors::payment::sandbox::BookCopy;

/// Every difference between the provider's book and ours, a line each: every payment the provider
/// took is granted exactly once or returned, and nothing is granted that it did not take.
///
/// # Errors
/// The store's fault.
pub async fn differences(app: &App, book: BookCopy) -> Result<Vec<String>, StoreFault> {
    app.store
        .snapshot(move |tx| {
            let mut lines = Vec::new();
            for outside in &book.payments {
                let number = outside.payment.number();
                let Some(payment) = tx.payment(outside.payment)? else {
                    lines.push(format!("{number}: unknown here"));
                    continue;
                };
                let Some(order) = tx.order(payment.order)? else {
                    lines.push(format!("{number}: has no order"));
                    continue;
                };
                let taken_outside = outside.status == ProviderStatus::Captured;
                let taken_here = matches!(payment.state, PaymentState::Captured { .. });
                if taken_outside != taken_here {
                    lines.push(format!(
                        "{number}: {:?} outside, {:?} here",
                        outside.status, payment.state
                    ));
                }
                let returned = !outside.refunded.is_zero();
                let wanted = match order.state {
                    OrderState::Fulfilled { .. } => {
                        let payments = tx.payments_of(order.id)?;
                        let paid_by = payments
                            .iter()
                            .filter(|p| matches!(p.state, PaymentState::Captured { .. }))
                            .count();
                        let refunds = tx.refunds_of(order.id)?.len();
                        if paid_by != refunds + 1 {
                            lines.push(format!(
                                "{}: paid {paid_by} times, returned {refunds}",
                                order.id
                            ));
                        }
                        tx.refunds_of(order.id)?
                            .iter()
                            .any(|r| r.payment == payment.id)
                    }
                    OrderState::AwaitingPayment => {
                        lines.push(format!("{}: still waits", order.id));
                        false
                    }
                    OrderState::Closed { .. } | OrderState::Refunded { .. } => taken_outside,
                };
                if taken_outside && returned != wanted {
                    lines.push(format!(
                        "{number}: returned {returned}, wanted {wanted}, {:?}",
                        order.state
                    ));
                }
            }
            Ok(lines)
        })
        .await
}
