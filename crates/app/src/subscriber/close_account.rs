//! Closing an account: the person is erased, what the law wants kept names an id only.

use simurgh_commerce::{CloseReason, Order, OrderState, PaymentState};
use simurgh_subscriber::{Customer, RiskyAction};
use simurgh_vocab::{CustomerId, LineId, SessionId, Timestamp};

use crate::ports::{AccountEventKind, LineState, Tx};
use crate::subscriber::tell::Change;
use crate::subscriber::{RiskyRefusal, refusals, risky};
use crate::{App, Fault};

/// Why an account is not closed. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// Its holder must prove again who they are.
    #[error("please confirm that it is you")]
    NotFresh,
    /// A payment is being confirmed: its outcome is awaited first.
    #[error("a payment is being confirmed")]
    PaymentPending,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(CloseRefusal);
risky!(CloseRefusal);

/// More orders than anybody has waiting for a payment: they last half an hour.
const RECENT_ORDERS: u32 = 100;

impl App {
    /// Closes an account: its lines and renewals end, stored methods are removed, and everything
    /// about the person is deleted. Orders, bills and journals stay under the id.
    ///
    /// # Errors
    /// [`CloseRefusal`].
    pub async fn close_account(&self, session: SessionId) -> Result<(), CloseRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| -> Result<(), CloseRefusal> {
            let action = RiskyAction::CloseAccount;
            let session = app.require_fresh::<RiskyRefusal>(tx, session, action, now)?;
            let customer = tx.customer(session.customer)?;
            let customer = customer.ok_or(CloseRefusal::LoggedOut)?;
            if has_undecided_payment(tx, customer.id)? {
                return Err(CloseRefusal::PaymentPending);
            }
            app.end_purchases(tx, customer.id, now)?;
            Ok(app.erase_person(tx, customer, now)?)
        })
        .await?;
        self.wake_runner();
        Ok(())
    }

    fn erase_person(
        &self,
        tx: &mut dyn Tx,
        customer: Customer,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let (id, person) = (customer.id, customer.person().cloned());
        let closed = customer.close(now);
        let closed = closed.map_err(|refusal| Fault::Invariant(refusal.to_string()))?;
        tx.update_customer(&closed)?;
        self.note(tx, id, AccountEventKind::Closed, now)?;
        // After the old messages are gone: this one names no customer.
        if let Some(person) = person {
            self.tell_change(tx, (id, &person), Change::Closed, None, now)?;
        }
        Ok(())
    }
}

fn has_undecided_payment(tx: &mut dyn Tx, customer: CustomerId) -> Result<bool, Fault> {
    for order in tx.orders_of(customer, RECENT_ORDERS)? {
        if order.state != OrderState::AwaitingPayment {
            continue;
        }
        let payments = tx.payments_of(order.id)?;
        let undecided = payments.iter().any(|payment| match payment.state {
            PaymentState::Created | PaymentState::Processing | PaymentState::Unknown => true,
            PaymentState::ActionRequired { .. }
            | PaymentState::Captured { .. }
            | PaymentState::Failed { .. }
            | PaymentState::Closed { .. } => false,
        });
        if undecided {
            return Ok(true);
        }
    }
    Ok(false)
}

impl App {
    /// Ends what would go on without the customer. Money that still comes for a closed order is sent
    /// back.
    fn end_purchases(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let orders = tx.orders_of(customer, RECENT_ORDERS)?;
        let waits = |order: &&Order| order.state == OrderState::AwaitingPayment;
        let mut closed = Vec::new();
        for found in orders.iter().filter(waits) {
            // As it stands once it is locked: it may have been paid meanwhile.
            let order = tx.order(found.id)?;
            closed.extend(order.and_then(|order| order.close(now, CloseReason::Cancelled).ok()));
        }
        for found in tx.lines_of(customer)? {
            let Some(mut line) = tx.line(found.id)? else {
                continue;
            };
            tx.remove_auto_renewal(line.id)?;
            match line.state {
                LineState::Closed { .. } => {}
                LineState::Active | LineState::Grace { .. } | LineState::Suspended { .. } => {
                    line.state = LineState::Closed { at: now };
                    tx.update_line(&line)?;
                    self.end_line(tx, line.id, now)?;
                }
            }
        }
        for order in closed {
            tx.update_order(&order)?;
        }
        for mandate in tx.mandates_of(customer)? {
            tx.end_mandate(mandate.id, now)?;
        }
        Ok(())
    }

    /// A line that is given up has no profile to be downloaded, and no session that goes on.
    fn end_line(&self, tx: &mut dyn Tx, line: LineId, now: Timestamp) -> Result<(), Fault> {
        for profile in tx.profiles_of(line)? {
            if profile.is_waiting() {
                let id = profile.id;
                self.keep_profile(tx, &profile.revoke(now))?;
                tx.forget_packages(id)?;
            }
        }
        self.tell_sessions(tx, line, now)
    }
}
