//! Orders as staff sees them, and what staff decides about money.

use simurgh_charging::Subscription;
use simurgh_commerce::{Document, DocumentNumber, Order, Payment, Refund, RefundState};
use simurgh_ledger::{Account, Entry, Posting, Source, post};
use simurgh_vocab::{
    Duration, EntryId, InvoiceId, Locale, OrderId, PaymentId, RefundId, StaffId, Timestamp,
};

use super::customer::Reason;
use super::log::Deed;
use crate::ports::{SeenEvent, StaffAction, StaffSubject, StoreExt, StoreFault, Task, Tx};
use crate::sales::{GiveBack, RefundRefusal, give_back};
use crate::{App, Fault};

/// The most orders of a listing.
const RECENT: u32 = 200;
/// The most payments and refunds that need attention on one page.
const UNSETTLED: u32 = 100;

/// An order and the name of what was bought, in the order of `Locale::ALL`.
#[derive(Debug, Clone)]
pub struct NamedOrder {
    /// The order.
    pub order: Order,
    /// The names.
    pub names: [String; 2],
}

impl NamedOrder {
    /// The name of what was bought.
    #[must_use]
    pub fn name(&self, locale: Locale) -> &str {
        let [zh_cn, en] = &self.names;
        match locale {
            Locale::ZhCn => zh_cn,
            Locale::En => en,
        }
    }
}

/// A payment attempt and what its provider said.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The attempt.
    pub payment: Payment,
    /// The notifications about it, oldest first.
    pub events: Vec<SeenEvent>,
}

/// Everything about one order.
#[derive(Debug, Clone)]
pub struct OrderFile {
    /// The order.
    pub order: NamedOrder,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Its refunds.
    pub refunds: Vec<Refund>,
    /// Its invoice and credit notes.
    pub documents: Vec<Document>,
    /// What it granted, once paid.
    pub subscription: Option<Subscription>,
    /// Whether it can be taken back now.
    pub give_back: GiveBack,
}

/// A refund that is not sent, and its payment.
#[derive(Debug, Clone)]
pub struct UnsettledRefund {
    /// The refund.
    pub refund: Refund,
    /// The payment that goes back.
    pub payment: Payment,
}

/// Why a refund is not settled or sent again. Checked in this order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaffRefundRefusal {
    /// There is none of this number.
    #[error("there is no such refund")]
    NoSuchRefund,
    /// The provider has not said that it cannot send it.
    #[error("the refund does not wait for staff")]
    NotForStaff,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for StaffRefundRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// The newest orders of everybody, at most 200.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn recent_orders(&self) -> Result<Vec<NamedOrder>, Fault> {
        let app = self.clone();
        self.store
            .snapshot(move |tx| {
                let orders = tx.recent_orders(RECENT)?;
                orders
                    .into_iter()
                    .map(|order| app.named(tx, order))
                    .collect()
            })
            .await
    }

    /// The order that a number belongs to: its own, or that of one of its payments, refunds or
    /// documents.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn order_numbered(&self, text: &str) -> Result<Option<OrderId>, Fault> {
        let text = text.trim().to_owned();
        self.store
            .snapshot(move |tx| find(tx, &text).map_err(Fault::from))
            .await
    }

    /// Everything about an order; recorded.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn order_file(
        &self,
        staff: StaffId,
        id: OrderId,
    ) -> Result<Option<OrderFile>, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let Some(order) = tx.read_order(id)? else {
                    return Ok(None);
                };
                let subject = StaffSubject::Order(id);
                app.log_deed(tx, Deed::of(staff, StaffAction::OrderViewed, subject), now)?;
                let mut attempts = Vec::new();
                for payment in tx.payments_of(id)? {
                    let events = tx.events_of(payment.id)?;
                    attempts.push(Attempt { payment, events });
                }
                Ok(Some(OrderFile {
                    attempts,
                    refunds: tx.refunds_of(id)?,
                    documents: tx.documents_of_order(id)?,
                    subscription: tx.subscription_of_order(id)?,
                    give_back: give_back(tx, &order, now)?,
                    order: app.named(tx, order)?,
                }))
            })
            .await
    }

    /// Takes an order back because a member of staff decides so. Recorded before it is tried, and
    /// again when it is refused.
    ///
    /// # Errors
    /// [`RefundRefusal`].
    pub async fn refund_order_by_staff(
        &self,
        staff: StaffId,
        id: OrderId,
        reason: Reason,
    ) -> Result<(), RefundRefusal> {
        let deed = Deed::of(staff, StaffAction::RefundRequested, StaffSubject::Order(id));
        self.log_alone(deed.because(reason.as_str())).await?;
        let outcome = self.refund_order(None, id).await;
        if let Err(refusal) = &outcome {
            let deed = Deed::of(staff, StaffAction::RefundRefused, StaffSubject::Order(id));
            self.log_alone(deed.because(refusal.to_string())).await?;
        }
        outcome
    }

    /// Records that a refund which the provider could not send was paid in another way.
    ///
    /// # Errors
    /// [`StaffRefundRefusal`].
    pub async fn settle_refund(
        &self,
        staff: StaffId,
        id: RefundId,
        reason: Reason,
    ) -> Result<(), StaffRefundRefusal> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let mut refund = refund_for_staff(tx, id)?;
                refund.state = RefundState::Succeeded { at: now };
                tx.update_refund(&refund)?;
                let postings = vec![
                    Posting::debit(Account::RefundsPayable, refund.amount),
                    Posting::credit(Account::Clearing, refund.amount),
                ];
                let entry = Entry::new(Source::new("refund-sent", id), postings);
                let entry = entry.map_err(Fault::from)?;
                post(tx, app.make(EntryId::from_parts, now), now, entry).map_err(Fault::from)?;
                let deed = Deed::of(staff, StaffAction::RefundSettled, StaffSubject::Refund(id));
                Ok(app.log_deed(tx, deed.because(reason.as_str()), now)?)
            })
            .await
    }

    /// Has a refund that the provider could not send sent to it again, with the same number.
    ///
    /// # Errors
    /// [`StaffRefundRefusal`].
    pub async fn resend_refund(
        &self,
        staff: StaffId,
        id: RefundId,
    ) -> Result<(), StaffRefundRefusal> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let mut refund = refund_for_staff(tx, id)?;
                refund.state = RefundState::Requested;
                tx.update_refund(&refund)?;
                // The first job is done; each time staff asks is a job of its own.
                let key = format!("refund:{id}:{}", now.as_micros());
                app.enqueue(tx, Task::SendRefund(id), key, now)?;
                let deed = Deed::of(staff, StaffAction::RefundResent, StaffSubject::Refund(id));
                Ok::<_, StaffRefundRefusal>(app.log_deed(tx, deed, now)?)
            })
            .await?;
        self.wake_runner();
        Ok(())
    }

    /// Payments that are open for longer than an order may be held, or of which nobody knows how
    /// they ended; the oldest first.
    pub(super) fn doubtful_payments(
        &self,
        tx: &mut dyn Tx,
        now: Timestamp,
    ) -> Result<Vec<Payment>, StoreFault> {
        let before = now.minus(Order::RESOLVE_WITHIN.max(Duration::hours(1)));
        let mut payments = Vec::new();
        for id in tx.payments_in_doubt(before, UNSETTLED)? {
            payments.extend(tx.read_payment(id)?);
        }
        Ok(payments)
    }

    /// Refunds that are not sent, those for staff first.
    pub(super) fn open_refunds(&self, tx: &mut dyn Tx) -> Result<Vec<UnsettledRefund>, StoreFault> {
        let mut refunds = Vec::new();
        for id in tx.unsettled_refunds(UNSETTLED)? {
            let Some(refund) = tx.refund(id)? else {
                continue;
            };
            if let Some(payment) = tx.read_payment(refund.payment)? {
                refunds.push(UnsettledRefund { refund, payment });
            }
        }
        Ok(refunds)
    }

    /// Adds to the log in a transaction of its own.
    pub(super) async fn log_alone(&self, deed: Deed) -> Result<(), Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<(), Fault> { Ok(app.log_deed(tx, deed.clone(), now)?) })
            .await
    }
}

fn refund_for_staff(tx: &mut dyn Tx, id: RefundId) -> Result<Refund, StaffRefundRefusal> {
    let refund = tx.refund(id)?.ok_or(StaffRefundRefusal::NoSuchRefund)?;
    match refund.state {
        RefundState::NeedsStaff { .. } => Ok(refund),
        RefundState::Requested | RefundState::Succeeded { .. } => {
            Err(StaffRefundRefusal::NotForStaff)
        }
    }
}

/// All numbers look alike, so each kind is asked in turn.
fn find(tx: &mut dyn Tx, text: &str) -> Result<Option<OrderId>, StoreFault> {
    if let Some(number) = document_number(text) {
        let Some(id) = tx.document_numbered(&number)? else {
            return Ok(None);
        };
        return Ok(tx.document(id)?.map(|document| document.order));
    }
    let Some(id) = OrderId::from_number(text) else {
        return Ok(None);
    };
    if tx.read_order(id)?.is_some() {
        return Ok(Some(id));
    }
    let bytes = *id.as_bytes();
    if let Some(payment) = tx.read_payment(PaymentId::from_bytes(bytes))? {
        return Ok(Some(payment.order));
    }
    if let Some(refund) = tx.refund(RefundId::from_bytes(bytes))? {
        return Ok(Some(refund.order));
    }
    let document = tx.document(InvoiceId::from_bytes(bytes))?;
    Ok(document.map(|document| document.order))
}

/// Reads `SIM-2026-000001` or `SIM-2026-C000001`.
fn document_number(text: &str) -> Option<DocumentNumber> {
    let (rest, counted) = text.rsplit_once('-')?;
    let (series, year) = rest.rsplit_once('-')?;
    let (credit, digits) = match counted.strip_prefix(['C', 'c']) {
        Some(digits) => (true, digits),
        None => (false, counted),
    };
    let number = DocumentNumber {
        series: series.to_ascii_uppercase(),
        year: year.parse().ok()?,
        credit,
        sequence: digits.parse().ok()?,
    };
    (!number.series.is_empty() && number.sequence > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_numbers_read_back() {
        for text in ["SIM-2026-000001", "SIM-2026-C000042", "A-B-2027-1000000"] {
            let number = document_number(text).unwrap();
            assert_eq!(number.to_string(), text);
        }
        assert!(document_number("sim-2026-c000042").unwrap().credit);
        for text in [
            "",
            "SIM",
            "2026-000001",
            "SIM-2026-",
            "SIM-2026-0",
            "SIM-x-1",
            "-2026-1",
        ] {
            assert_eq!(document_number(text), None, "{text}");
        }
    }
}
