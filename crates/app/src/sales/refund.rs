//! Taking a purchase back: the grant is revoked and the money owed back in one transaction; the
//! outbox then tells the provider, with the same number until it has answered.

use simurgh_charging::{BucketBalance, Subscription, SubscriptionState, revoke};
use simurgh_commerce::{
    DocumentKind, DocumentLine, Order, OrderTransition, Payment, PaymentState, Refund,
    RefundReason, RefundState,
};
use simurgh_ledger::{Account, Entry, Posting, Source, post};
use simurgh_vocab::{CustomerId, EntryId, Money, OrderId, RefundId, Timestamp};

use crate::ports::{RefundRequest, RefundStatus, StoreExt, StoreFault, Task, Tx};
use crate::sales::fulfil::net_of_tax;
use crate::{App, Fault};

/// Why a purchase is not taken back. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    /// The order is not this customer's.
    #[error("no such order")]
    NoSuchOrder,
    /// It was not paid, or is refunded already.
    #[error(transparent)]
    Order(#[from] OrderTransition),
    /// It has ended.
    #[error("the plan has ended, so it can no longer be taken back")]
    Over,
    /// Some of it was used or is in use.
    #[error("the plan has been used, so it can no longer be taken back")]
    Used,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Whether a purchase can be taken back now. It is decided again when that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveBack {
    /// It can: nothing of it was used.
    Possible,
    /// It was not paid, or is refunded already.
    NotPaid,
    /// It has ended.
    Over,
    /// Some of it was used or is in use.
    Used,
}

impl From<StoreFault> for RefundRefusal {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

/// Whether an order can be given back now.
pub(crate) fn give_back(tx: &mut dyn Tx, order: &Order, now: Timestamp) -> Result<GiveBack, Fault> {
    if order.clone().refund(now).is_err() {
        return Ok(GiveBack::NotPaid);
    }
    let (subscription, balances) = granted(tx, order.id)?;
    Ok(match revocation(&subscription, &balances, now)? {
        Ok(_) => GiveBack::Possible,
        Err(Kept::Over) => GiveBack::Over,
        Err(Kept::Used) => GiveBack::Used,
    })
}

/// What a paid order granted.
fn granted(tx: &mut dyn Tx, id: OrderId) -> Result<(Subscription, Vec<BucketBalance>), Fault> {
    let missing = || Fault::Invariant(format!("order {id} is paid but has no subscription"));
    let subscription = tx.subscription_of_order(id)?.ok_or_else(missing)?;
    let balances = tx.buckets_of(subscription.id)?;
    Ok((subscription, balances))
}

/// Why a grant stays.
enum Kept {
    Over,
    Used,
}

impl From<Kept> for RefundRefusal {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Over => Self::Over,
            Kept::Used => Self::Used,
        }
    }
}

/// What takes a grant back, or why it stays.
fn revocation(
    subscription: &Subscription,
    balances: &[BucketBalance],
    now: Timestamp,
) -> Result<Result<Entry, Kept>, Fault> {
    if !subscription.is_alive(now) {
        return Ok(Err(Kept::Over));
    }
    Ok(revoke(balances, subscription.order)?.ok_or(Kept::Used))
}

impl App {
    /// Takes an unused purchase back. `customer` is none when staff decide; the rule is the same.
    ///
    /// # Errors
    /// [`RefundRefusal`].
    pub async fn refund_order(
        &self,
        customer: Option<CustomerId>,
        id: OrderId,
    ) -> Result<(), RefundRefusal> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| app.refund_in(tx, customer, id, now))
            .await?;
        self.wake_runner();
        Ok(())
    }

    fn refund_in(
        &self,
        tx: &mut dyn Tx,
        customer: Option<CustomerId>,
        id: OrderId,
        now: Timestamp,
    ) -> Result<(), RefundRefusal> {
        let order = tx
            .order(id)?
            .filter(|o| customer.is_none_or(|customer| o.customer == customer));
        let order = order.ok_or(RefundRefusal::NoSuchOrder)?.refund(now)?;
        // Nobody uses, expires or earns anything of the line meanwhile.
        if let Some(line) = order.line {
            tx.line(line)?;
        }
        let (mut subscription, balances) = granted(tx, id)?;
        let entry = revocation(&subscription, &balances, now)??;
        post(tx, self.make(EntryId::from_parts, now), now, entry).map_err(Fault::from)?;
        let ids: Vec<_> = balances.iter().map(|balance| balance.bucket.id).collect();
        tx.close_buckets(&ids)?;
        subscription.state = SubscriptionState::Revoked { at: now };
        tx.update_subscription(&subscription)?;
        tx.update_order(&order)?;

        let refunded = Source::new("refund", order.id);
        let postings = vec![
            Posting::debit(
                Account::DeferredRevenue(subscription.id),
                net_of_tax(&order)?,
            ),
            Posting::debit(Account::TaxPayable, order.tax),
            Posting::credit(Account::RefundsPayable, order.total),
        ];
        let entry = Entry::new(refunded, postings).map_err(Fault::from)?;
        post(tx, self.make(EntryId::from_parts, now), now, entry).map_err(Fault::from)?;
        let captured = |payment: &Payment| matches!(payment.state, PaymentState::Captured { .. });
        let payments = tx.payments_of(id)?;
        let returned: Vec<_> = tx
            .refunds_of(id)?
            .into_iter()
            .map(|refund| refund.payment)
            .collect();
        let payment = payments
            .iter()
            .find(|payment| captured(payment) && !returned.contains(&payment.id))
            .ok_or_else(|| Fault::Invariant(format!("order {id} has no captured payment")))?;
        let reason = if customer.is_some() {
            RefundReason::UnusedPlan
        } else {
            RefundReason::Staff
        };
        self.record_refund(tx, &order, payment, reason, now)?;
        if let Some(line) = order.line {
            let key = format!("advance:{line}:refund:{id}");
            self.enqueue(tx, Task::AdvanceLine(line), key, now)?;
        }
        self.tell_refund(tx, &order, now)?;
        Ok(self.issue_credit_note(tx, &order, now)?)
    }

    fn issue_credit_note(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let documents = tx.documents_of_order(order.id)?;
        let invoice = documents
            .iter()
            .find(|document| document.kind == DocumentKind::Invoice);
        let missing = || Fault::Invariant(format!("order {} has no invoice", order.id));
        let invoice = invoice.ok_or_else(missing)?;
        let lines = invoice
            .lines
            .iter()
            .map(|line| DocumentLine {
                amount: Money::new(-line.amount.minor, line.amount.currency),
                ..line.clone()
            })
            .collect();
        self.issue(
            tx,
            order,
            DocumentKind::CreditNote {
                invoice: invoice.id,
            },
            lines,
            now,
        )
    }

    /// Sends back money that belongs to no open order.
    pub(crate) fn request_refund(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        payment: &Payment,
        reason: RefundReason,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let postings = vec![
            Posting::debit(Account::Unassigned, payment.amount),
            Posting::credit(Account::RefundsPayable, payment.amount),
        ];
        let entry = Entry::new(Source::new("return", payment.id), postings)?;
        post(tx, self.make(EntryId::from_parts, now), now, entry)?;
        self.record_refund(tx, order, payment, reason, now)?;
        self.tell_refund(tx, order, now)
    }

    fn record_refund(
        &self,
        tx: &mut dyn Tx,
        order: &Order,
        payment: &Payment,
        reason: RefundReason,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let refund = Refund {
            id: self.make(RefundId::from_parts, now),
            payment: payment.id,
            order: order.id,
            amount: payment.amount,
            reason,
            state: RefundState::Requested,
            created_at: now,
        };
        tx.insert_refund(&refund)?;
        Ok(self.enqueue(
            tx,
            Task::SendRefund(refund.id),
            format!("refund:{}", refund.id),
            now,
        )?)
    }

    /// Tells the provider to send money back. False if it has not said how it went.
    pub(crate) async fn send_refund(&self, id: RefundId) -> Result<bool, Fault> {
        let found = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> {
                let Some(refund) = tx.refund(id)? else {
                    return Ok(None);
                };
                Ok(tx.payment(refund.payment)?.map(|payment| (refund, payment)))
            })
            .await?;
        let Some((refund, payment)) = found else {
            return Ok(true);
        };
        if refund.state != RefundState::Requested {
            return Ok(true);
        }
        let Some(provider) = self.provider(&payment.provider) else {
            return Err(Fault::Invariant(format!(
                "no provider {}",
                payment.provider
            )));
        };
        let request = RefundRequest {
            refund: id,
            payment: payment.id,
            amount: refund.amount,
        };
        let at = self.now();
        let state = match provider.refund(request).await {
            Ok(RefundStatus::Pending) => return Ok(false),
            Ok(RefundStatus::Succeeded) => RefundState::Succeeded { at },
            Ok(RefundStatus::Impossible) => RefundState::NeedsStaff { at },
            Err(fault) => {
                tracing::warn!(refund = %id, %fault, "a refund was not taken");
                return Ok(false);
            }
        };
        let app = self.clone();
        self.store
            .transact(move |tx| app.record_refund_outcome(tx, id, state, at))
            .await?;
        Ok(true)
    }

    fn record_refund_outcome(
        &self,
        tx: &mut dyn Tx,
        id: RefundId,
        state: RefundState,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let Some(mut refund) = tx.refund(id)? else {
            return Ok(());
        };
        if refund.state != RefundState::Requested {
            return Ok(());
        }
        refund.state = state;
        tx.update_refund(&refund)?;
        if let RefundState::Succeeded { .. } = state {
            let postings = vec![
                Posting::debit(Account::RefundsPayable, refund.amount),
                Posting::credit(Account::Clearing, refund.amount),
            ];
            let entry = Entry::new(Source::new("refund-sent", id), postings)?;
            post(tx, self.make(EntryId::from_parts, at), at, entry)?;
        }
        Ok(())
    }
}
