//! Believing a provider: a verified notification or an answered query, in one transaction.

use simurgh_commerce::{
    CloseReason, Failure, Observation, Order, Payment, PaymentState, ProviderStatus, RefundReason,
    Settlement, settle as decide,
};
use simurgh_ledger::{Account, Entry, Posting, Source, post};
use simurgh_vocab::{Duration, EntryId, PaymentId, Timestamp};

use crate::ports::{
    LineState, Notification, NotificationRefusal, ProviderFault, ProviderReport, SeenEvent,
    StoreExt, StoreFault, Task, Tx,
};
use crate::{App, Fault};

/// What is known of an attempt after asking.
pub(crate) enum Word {
    /// The provider said this.
    Says(ProviderReport),
    /// The provider has never heard of it.
    NotFound,
    /// The provider did not answer.
    Silent,
}

/// A notification's identity, for remembering it.
pub(crate) struct EventKey {
    provider: String,
    event_id: String,
}

/// Why a notification was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyRefusal {
    /// No provider of this name.
    #[error("no such provider")]
    NoSuchProvider,
    /// It is not believed.
    #[error(transparent)]
    NotBelieved(#[from] NotificationRefusal),
    /// The store or the program failed; the provider will send it again.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The distances at which an open attempt is asked about.
const QUERY_AFTER: [Duration; 6] = [
    Duration::seconds(30),
    Duration::minutes(1),
    Duration::minutes(5),
    Duration::minutes(10),
    Duration::minutes(30),
    Duration::hours(2),
];
/// The distance after those, until the attempt is a month old: money that moved must be found even
/// after a long outage of the provider.
const QUERY_LATER: Duration = Duration::hours(12);
const QUERY_FOR: Duration = Duration::days(30);

impl App {
    /// Takes a notification. The same notification again changes nothing.
    ///
    /// Gives back the body that acknowledges it.
    ///
    /// # Errors
    /// [`NotifyRefusal`].
    pub async fn notify_payment(
        &self,
        provider: &str,
        notification: Notification<'_>,
    ) -> Result<&'static str, NotifyRefusal> {
        let provider = self
            .provider(provider)
            .ok_or(NotifyRefusal::NoSuchProvider)?;
        let event = provider.verify(notification)?;
        let key = EventKey {
            provider: provider.code().to_owned(),
            event_id: event.event_id,
        };
        let payment = event.report.payment;
        let doubtful = self
            .settle(payment, Word::Says(event.report), Some(key))
            .await?;
        if doubtful {
            self.query_payment(payment).await?;
        }
        Ok(provider.acknowledgement())
    }

    /// Asks the provider about an attempt whose money has not been seen, and believes the answer.
    /// One that failed or was closed is asked about too: a payer may have tried again.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn query_payment(&self, id: PaymentId) -> Result<(), Fault> {
        let payment = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> { Ok(tx.payment(id)?) })
            .await?;
        let Some(payment) = payment.filter(|payment| !payment.is_captured()) else {
            return Ok(());
        };
        let Some(provider) = self.provider(&payment.provider) else {
            return Err(Fault::Invariant(format!(
                "no provider {}",
                payment.provider
            )));
        };
        let word = match provider.status(id).await {
            Ok(report) => Word::Says(report),
            Err(ProviderFault::Refused(_)) => Word::NotFound,
            Err(ProviderFault::Unknown(_)) => Word::Silent,
        };
        self.settle(id, word, None).await?;
        Ok(())
    }

    /// Records a provider's word. True if it cannot be believed and the provider must be asked.
    pub(crate) async fn settle(
        &self,
        id: PaymentId,
        word: Word,
        key: Option<EventKey>,
    ) -> Result<bool, Fault> {
        let app = self.clone();
        let now = self.now();
        let doubtful = self
            .store
            .transact(move |tx| app.settle_in(tx, id, &word, key.as_ref(), now))
            .await?;
        self.wake_runner();
        Ok(doubtful)
    }

    fn settle_in(
        &self,
        tx: &mut dyn Tx,
        id: PaymentId,
        word: &Word,
        key: Option<&EventKey>,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let Some((order, payment)) = locked(tx, id)? else {
            remember(tx, key, id, "unknown-payment", now)?;
            return Ok(false);
        };
        let (seen, grant) = match word {
            Word::Says(report) => (report.observation.clone(), report.mandate.as_ref()),
            Word::NotFound => (without_money(&payment, ProviderStatus::NotFound), None),
            Word::Silent => (without_money(&payment, ProviderStatus::Pending), None),
        };
        let settlement = match (word, &payment.state) {
            (Word::Silent, PaymentState::Created | PaymentState::Processing) => {
                Settlement::Move(PaymentState::Unknown)
            }
            (Word::Silent, _) => Settlement::Ignore,
            (Word::Says(_) | Word::NotFound, _) => decide(&payment, &order, &seen, now),
        };
        // A line that was given up takes no plan any more.
        let settlement = match settlement {
            Settlement::Fulfil if is_for_closed_line(tx, &order)? => Settlement::ReturnMoney,
            other => other,
        };
        let effect = match &settlement {
            Settlement::Ignore => "ignored",
            Settlement::Move(_) => "moved",
            Settlement::Fulfil => "fulfilled",
            Settlement::ReturnMoney => "returned",
            Settlement::Mismatch => "mismatch",
        };
        if !remember(tx, key, id, effect, now)? {
            return Ok(false);
        }
        match settlement {
            Settlement::Ignore => {}
            Settlement::Mismatch => {
                tracing::warn!(payment = %id, "a notification names another amount or merchant");
                return Ok(true);
            }
            Settlement::Move(state) => self.move_payment(tx, order, payment, state, now)?,
            Settlement::Fulfil => {
                if let Some(grant) = grant {
                    self.store_mandate(tx, &order, &payment, grant, now)?;
                }
                self.fulfil(tx, order, payment, now)?;
            }
            Settlement::ReturnMoney => {
                self.return_money(tx, &order, payment, now)?;
                if let Ok(closed) = order.close(now, CloseReason::Cancelled) {
                    tx.update_order(&closed)?;
                }
            }
        }
        metrics::counter!("simurgh_payment_settlements_total", "effect" => effect).increment(1);
        Ok(false)
    }

    /// Moves an attempt that takes no money (yet), and tells the customer when it failed.
    fn move_payment(
        &self,
        tx: &mut dyn Tx,
        order: Order,
        mut payment: Payment,
        state: PaymentState,
        now: Timestamp,
    ) -> Result<(), Fault> {
        payment.state = state;
        tx.update_payment(&payment)?;
        match payment.state {
            PaymentState::Failed { failure, .. } => {
                self.after_failure(tx, &order, &payment, failure, now)
            }
            // A charge that the provider never heard of, or dropped: nobody else will try again.
            PaymentState::Closed { .. } if order.automatic => {
                self.renewal_not_charged(tx, &order, now)
            }
            PaymentState::Created
            | PaymentState::ActionRequired { .. }
            | PaymentState::Processing
            | PaymentState::Unknown
            | PaymentState::Captured { .. }
            | PaymentState::Closed { .. } => Ok(()),
        }
    }

    fn after_failure(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        payment: &Payment,
        failure: Failure,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if order.automatic {
            self.renewal_failed(tx, order, failure, now)
        } else {
            self.tell_payment_failed(tx, order, payment, failure, now)
        }
    }

    /// Plans the next question about an open attempt.
    pub(crate) fn ask_again(
        &self,
        tx: &mut dyn Tx,
        payment: &mut Payment,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let step = usize::try_from(payment.queries).unwrap_or(usize::MAX);
        let wait = QUERY_AFTER.get(step).copied().unwrap_or(QUERY_LATER);
        payment.queries = payment.queries.saturating_add(1);
        tx.update_payment(payment)?;
        if now.since(payment.created_at) < QUERY_FOR {
            let key = format!("query:{}:{}", payment.id, payment.queries);
            self.enqueue(tx, Task::QueryPayment(payment.id), key, now.plus(wait))?;
        }
        Ok(())
    }

    /// Money came for an order that no longer wants it: it is booked and sent back.
    fn return_money(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        mut payment: Payment,
        now: Timestamp,
    ) -> Result<(), Fault> {
        payment.state = PaymentState::Captured { at: now };
        tx.update_payment(&payment)?;
        let postings = vec![
            Posting::debit(Account::Clearing, payment.amount),
            Posting::credit(Account::Unassigned, payment.amount),
        ];
        let entry = Entry::new(Source::new("capture", payment.id), postings)?;
        post(tx, self.make(EntryId::from_parts, now), now, entry)?;
        self.request_refund(tx, order, &payment, RefundReason::NoOpenOrder, now)
    }
}

/// An attempt with its order. Which order it is about never changes; the order is locked before its
/// payments.
fn locked(tx: &mut dyn Tx, id: PaymentId) -> Result<Option<(Order, Payment)>, StoreFault> {
    let Some(known) = tx.read_payment(id)? else {
        return Ok(None);
    };
    let Some(order) = tx.order(known.order)? else {
        return Ok(None);
    };
    Ok(tx.payment(id)?.map(|payment| (order, payment)))
}

/// Remembers a notification. False if it was seen before.
fn remember(
    tx: &mut dyn Tx,
    key: Option<&EventKey>,
    payment: PaymentId,
    effect: &'static str,
    at: Timestamp,
) -> Result<bool, StoreFault> {
    let Some(key) = key else { return Ok(true) };
    tx.remember_event(&SeenEvent {
        provider: key.provider.clone(),
        event_id: key.event_id.clone(),
        payment,
        effect,
        at,
    })
}

fn is_for_closed_line(tx: &mut dyn Tx, order: &Order) -> Result<bool, StoreFault> {
    let Some(line) = order.line else {
        return Ok(false);
    };
    let line = tx.line(line)?;
    Ok(line.is_some_and(|line| matches!(line.state, LineState::Closed { .. })))
}

fn without_money(payment: &Payment, status: ProviderStatus) -> Observation {
    Observation {
        status,
        amount: payment.amount,
        merchant_is_ours: true,
    }
}
