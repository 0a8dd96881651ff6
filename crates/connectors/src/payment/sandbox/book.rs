//! The provider's own book: a state machine without I/O and without a clock.
//!
//! It knows what the outside company would know: payments by the merchant's order number, refunds
//! by the merchant's refund number, stored methods, and the notifications that still have to go out.
//! Every change is a [`Command`] with a time, so that a journal of commands rebuilds the book.

mod entry;
mod post;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use simurgh_app::ports::{ChargeRequest, OpenRequest, ProviderReport, RefundRequest, RefundStatus};
use simurgh_commerce::{Failure, MethodKind, ProviderStatus};
use simurgh_vocab::{Duration, Money, PaymentId, RefundId, Timestamp};

use crate::sandbox::desk::Change;
use crate::sandbox::queue::Delivery;
use crate::sandbox::settings::is_web_address;

pub(super) use entry::{Entry, Origin, Standing};
pub(super) use post::{DeliveryId, Notice};

use super::outcome::{Behaviour, Outcome, RefundBehaviour};
use post::Post;

/// How long a delayed payment or a waiting refund takes when nobody presses a button.
pub(super) const DELAY: Duration = Duration::seconds(20);

/// How long the payer has: as Alipay's longest, and longer than any order here stays open, so that
/// money can come too late.
pub(super) const PAGE_LIFETIME: Duration = Duration::hours(24);

/// How long after the true notification an outdated one arrives.
const STALE_AFTER: Duration = Duration::seconds(1);

/// Longest description the payer is shown.
const DESCRIPTION_CHARS_MAX: usize = 256;

/// Why the book does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The number is known with other parameters (as Alipay's `ACQ.CONTEXT_INCONSISTENT`).
    #[error("the number is known with other parameters")]
    ContextInconsistent,
    /// The amount is not above zero.
    #[error("the amount must be above zero")]
    AmountInvalid,
    /// The return address cannot be used.
    #[error("the return address is not a web address")]
    ReturnUrlInvalid,
    /// The description is too long or holds control characters.
    #[error("the description is too long or holds control characters")]
    DescriptionInvalid,
    /// No payment has this number.
    #[error("no payment has this number")]
    PaymentUnknown,
    /// The payment has ended: its outcome stands.
    #[error("the payment has ended")]
    AlreadyDecided,
    /// A charge of a stored method has no payer who could confirm.
    #[error("nobody is there to confirm a charge of a stored method")]
    NoPayer,
    /// The payment did not take money, so none can go back.
    #[error("the payment did not take money")]
    NotCaptured,
    /// All refunds together would exceed what was taken.
    #[error("more than was taken cannot go back")]
    ExceedsCaptured,
    /// The payment stored no method.
    #[error("the payment stored no method")]
    MandateUnknown,
}

impl Refusal {
    /// The code in the provider's answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ContextInconsistent => "context-inconsistent",
            Self::AmountInvalid => "amount-invalid",
            Self::ReturnUrlInvalid => "return-url-invalid",
            Self::DescriptionInvalid => "description-invalid",
            Self::PaymentUnknown => "payment-unknown",
            Self::AlreadyDecided => "already-decided",
            Self::NoPayer => "no-payer",
            Self::NotCaptured => "not-captured",
            Self::ExceedsCaptured => "exceeds-captured",
            Self::MandateUnknown => "mandate-unknown",
        }
    }
}

/// Unguessable words for a new payment, drawn by whoever holds the entropy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Names the payer's page.
    pub(super) page: String,
    /// Names the stored method, if one comes of it.
    pub(super) mandate: String,
}

/// A change of the book.
#[derive(Clone)]
pub(crate) enum Command {
    /// The merchant opens a payment.
    Open {
        request: OpenRequest,
        tokens: Tokens,
    },
    /// The merchant charges a stored method.
    Charge(ChargeRequest),
    /// The merchant sends money back.
    Refund(RefundRequest),
    /// The payer, or whoever plays the provider, decides a payment.
    Decide {
        payment: PaymentId,
        outcome: Outcome,
    },
    /// What the method stored with this payment will do.
    Behave {
        payment: PaymentId,
        behaviour: Behaviour,
    },
    /// What becomes of this payment's refunds, also of those that wait.
    BehaveRefunds {
        payment: PaymentId,
        behaviour: RefundBehaviour,
    },
    /// The truth about a payment is to be sent once more.
    SendAgain(PaymentId),
    /// The merchant took a notification.
    Taken(DeliveryId),
}

/// A payment as an auditor reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookedPayment {
    /// The merchant's order number.
    pub payment: PaymentId,
    /// The way to pay.
    pub method: MethodKind,
    /// What was to be paid.
    pub amount: Money,
    /// The truth, also where queries are not answered.
    pub status: ProviderStatus,
    /// What has gone back or is on its way.
    pub refunded: Money,
}

/// The whole book as an auditor reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookCopy {
    /// Every payment, by number.
    pub payments: Vec<BookedPayment>,
    /// Every refund with its payment, by number.
    pub refunds: Vec<(RefundRequest, RefundStatus)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Settle(PaymentId),
    Expire(PaymentId),
}

/// The provider's book.
#[derive(Default)]
pub struct SandboxBook {
    entries: BTreeMap<PaymentId, Entry>,
    pages: BTreeMap<String, PaymentId>,
    /// Stored methods by token: the payment that stored each.
    mandates: BTreeMap<String, PaymentId>,
    refunds: BTreeMap<RefundId, PaymentId>,
    timers: BTreeSet<(Timestamp, Timer)>,
    post: Post,
}

impl SandboxBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does what time asks: ends delays, closes pages nobody used. Every other call does so first.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some((due_at, timer)) = self.timers.first().copied() {
            if due_at > now {
                return;
            }
            self.timers.pop_first();
            match timer {
                Timer::Settle(id) => self.with_entry(id, |entry, post| {
                    if entry.standing == (Standing::Processing { until: due_at }) {
                        entry.capture(due_at);
                        post.announce(entry, entry.truth(), due_at);
                    }
                }),
                Timer::Expire(id) => self.with_entry(id, |entry, post| {
                    if matches!(
                        entry.standing,
                        Standing::AwaitingPayer | Standing::AwaitingBank
                    ) {
                        entry.standing = Standing::Closed { at: due_at };
                        post.announce(entry, entry.truth(), due_at);
                    }
                }),
            }
            self.index_mandate(timer.payment());
        }
    }

    /// Decides a payment that has not ended, as its payer or its provider would.
    ///
    /// # Errors
    /// [`Refusal::PaymentUnknown`], [`Refusal::AlreadyDecided`], [`Refusal::NoPayer`].
    pub fn decide(
        &mut self,
        payment: PaymentId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.apply(&Command::Decide { payment, outcome }, now)
            .map(drop)
    }

    /// Changes the book.
    pub(super) fn apply(&mut self, command: &Command, now: Timestamp) -> Result<Change, Refusal> {
        self.advance(now);
        match command {
            Command::Open { request, tokens } => self.open(request, tokens, now),
            Command::Charge(request) => self.charge(request, now),
            Command::Refund(request) => self.refund(request, now),
            Command::Decide { payment, outcome } => self.settle(*payment, *outcome, now),
            Command::Behave { payment, behaviour } => self.behave(*payment, *behaviour),
            Command::BehaveRefunds { payment, behaviour } => {
                self.behave_refunds(*payment, *behaviour, now)
            }
            Command::SendAgain(payment) => self.send_again(*payment, now),
            Command::Taken(delivery) => Ok(self.post.taken(*delivery)),
        }
    }

    /// What the provider answers to a query: `None` when the number is unknown, `Some(None)` when
    /// it does not answer.
    pub(super) fn answer(&self, payment: PaymentId) -> Option<Option<ProviderReport>> {
        let entry = self.entries.get(&payment)?;
        Some(match entry.standing {
            Standing::Mute => None,
            Standing::AwaitingPayer
            | Standing::AwaitingBank
            | Standing::Processing { .. }
            | Standing::Silent
            | Standing::Captured { .. }
            | Standing::Failed { .. }
            | Standing::Closed { .. } => Some(entry.truth().report(payment)),
        })
    }

    /// A payment.
    pub(super) fn entry(&self, payment: PaymentId) -> Option<&Entry> {
        self.entries.get(&payment)
    }

    /// The payment whose page has this name.
    pub(super) fn entry_of_page(&self, page: &str) -> Option<&Entry> {
        self.entries.get(self.pages.get(page)?)
    }

    /// The newest payments.
    pub(super) fn newest(&self, limit: usize) -> impl Iterator<Item = &Entry> {
        self.entries.values().rev().take(limit)
    }

    /// How many payments there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where a refund stands.
    pub(super) fn refund_status(&self, refund: RefundId, now: Timestamp) -> Option<RefundStatus> {
        let entry = self.entries.get(self.refunds.get(&refund)?)?;
        entry.refunds.get(&refund).map(|booked| booked.status(now))
    }

    /// The whole book, for an auditor.
    #[must_use]
    pub fn copy(&self, now: Timestamp) -> BookCopy {
        let mut copy = BookCopy::default();
        for entry in self.entries.values() {
            copy.payments.push(BookedPayment {
                payment: entry.payment,
                method: entry.method,
                amount: entry.amount,
                status: entry.standing.status(),
                refunded: entry.refunded(now),
            });
            for (refund, booked) in &entry.refunds {
                let request = RefundRequest {
                    refund: *refund,
                    payment: entry.payment,
                    amount: booked.amount,
                };
                copy.refunds.push((request, booked.status(now)));
            }
        }
        copy
    }

    /// Notifications that are due, at most one per payment, so that a payment's notifications
    /// leave in order.
    pub(super) fn due(&self, now: Timestamp, limit: usize) -> Vec<Delivery<DeliveryId>> {
        self.post.due(now, limit)
    }

    /// Every notification that waits, due or not, in the order in which it should leave.
    pub(super) fn waiting(&self) -> Vec<Delivery<DeliveryId>> {
        self.post.waiting()
    }

    /// A delivery failed: it is tried again at `due_at`.
    pub(super) fn postpone(&mut self, delivery: DeliveryId, due_at: Timestamp) {
        self.post.postpone(delivery, due_at);
    }

    /// What a delivery says.
    pub(super) fn notice(&self, delivery: DeliveryId) -> Option<&Notice> {
        self.entries
            .get(&delivery.payment)?
            .notices
            .get(delivery.notice)
    }

    /// When something happens next by itself: a delay ends or a notification is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(due_at, _)| *due_at);
        timer.into_iter().chain(self.post.next_due()).min()
    }

    fn open(
        &mut self,
        request: &OpenRequest,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if let Some(entry) = self.entries.get(&request.payment) {
            return repeated(entry.was_opened_by(request));
        }
        require_amount(request.amount)?;
        require_description(&request.description)?;
        if !is_web_address(&request.return_url) {
            return Err(Refusal::ReturnUrlInvalid);
        }
        let entry = Entry::opened(request, tokens, now);
        self.pages.insert(tokens.page.clone(), request.payment);
        self.timers
            .insert((now.plus(PAGE_LIFETIME), Timer::Expire(request.payment)));
        self.entries.insert(request.payment, entry);
        Ok(Change::Made)
    }

    fn charge(&mut self, request: &ChargeRequest, now: Timestamp) -> Result<Change, Refusal> {
        if let Some(entry) = self.entries.get(&request.payment) {
            return repeated(entry.was_charged_by(request));
        }
        require_amount(request.amount)?;
        require_description(&request.description)?;
        let stored = self
            .mandates
            .get(&request.token)
            .and_then(|payment| self.entries.get_mut(payment));
        let outcome = match stored {
            Some(stored) if stored.method != request.method => {
                return Err(Refusal::ContextInconsistent);
            }
            Some(stored) => {
                let outcome = stored.behaviour.outcome();
                stored.behaviour = stored.behaviour.after_charge();
                outcome
            }
            // As Alipay's ACQ.AGREEMENT_NOT_EXIST.
            None => Outcome::Fail(Failure::MandateEnded),
        };
        self.entries
            .insert(request.payment, Entry::charged(request, now));
        self.settle(request.payment, outcome, now)
    }

    fn settle(
        &mut self,
        payment: PaymentId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let entry = self
            .entries
            .get_mut(&payment)
            .ok_or(Refusal::PaymentUnknown)?;
        if !entry.standing.is_open() {
            return Err(Refusal::AlreadyDecided);
        }
        if outcome == Outcome::NeedsBank && matches!(entry.origin, Origin::Charge { .. }) {
            return Err(Refusal::NoPayer);
        }
        entry.settle(outcome, now);
        self.post.announce_outcome(entry, outcome, now);
        if let Standing::Processing { until } = entry.standing {
            self.timers.insert((until, Timer::Settle(payment)));
        }
        self.index_mandate(payment);
        Ok(Change::Made)
    }

    fn refund(&mut self, request: &RefundRequest, now: Timestamp) -> Result<Change, Refusal> {
        if let Some(payment) = self.refunds.get(&request.refund) {
            let booked = self
                .entries
                .get(payment)
                .and_then(|entry| entry.refunds.get(&request.refund));
            return repeated(
                *payment == request.payment
                    && booked.is_some_and(|booked| booked.amount == request.amount),
            );
        }
        let entry = self
            .entries
            .get_mut(&request.payment)
            .ok_or(Refusal::PaymentUnknown)?;
        require_amount(request.amount)?;
        if !matches!(entry.standing, Standing::Captured { .. }) {
            return Err(Refusal::NotCaptured);
        }
        let total = entry
            .refunded(now)
            .plus(request.amount)
            .map_err(|_| Refusal::ExceedsCaptured)?;
        if total.minor > entry.amount.minor {
            return Err(Refusal::ExceedsCaptured);
        }
        entry.add_refund(request.refund, request.amount, now);
        self.refunds.insert(request.refund, request.payment);
        Ok(Change::Made)
    }

    fn behave(&mut self, payment: PaymentId, behaviour: Behaviour) -> Result<Change, Refusal> {
        let entry = self
            .entries
            .get_mut(&payment)
            .ok_or(Refusal::PaymentUnknown)?;
        if !entry.stores_method() {
            return Err(Refusal::MandateUnknown);
        }
        entry.behaviour = behaviour;
        Ok(Change::Made)
    }

    fn behave_refunds(
        &mut self,
        payment: PaymentId,
        behaviour: RefundBehaviour,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let entry = self
            .entries
            .get_mut(&payment)
            .ok_or(Refusal::PaymentUnknown)?;
        entry.behave_refunds(behaviour, now);
        Ok(Change::Made)
    }

    fn send_again(&mut self, payment: PaymentId, now: Timestamp) -> Result<Change, Refusal> {
        let entry = self
            .entries
            .get_mut(&payment)
            .ok_or(Refusal::PaymentUnknown)?;
        self.post.announce_again(entry, now);
        Ok(Change::Made)
    }

    fn with_entry(&mut self, id: PaymentId, change: impl FnOnce(&mut Entry, &mut Post)) {
        if let Some(entry) = self.entries.get_mut(&id) {
            change(entry, &mut self.post);
        }
    }

    /// Makes the method stored with a captured payment chargeable.
    fn index_mandate(&mut self, payment: PaymentId) {
        if let Some(grant) = self.entries.get(&payment).and_then(Entry::grant) {
            self.mandates.insert(grant.token, payment);
        }
    }
}

impl Timer {
    const fn payment(self) -> PaymentId {
        match self {
            Self::Settle(payment) | Self::Expire(payment) => payment,
        }
    }
}

const fn repeated(same: bool) -> Result<Change, Refusal> {
    if same {
        Ok(Change::Repeated)
    } else {
        Err(Refusal::ContextInconsistent)
    }
}

const fn require_amount(amount: Money) -> Result<(), Refusal> {
    if amount.minor > 0 {
        Ok(())
    } else {
        Err(Refusal::AmountInvalid)
    }
}

fn require_description(text: &str) -> Result<(), Refusal> {
    if text.chars().count() <= DESCRIPTION_CHARS_MAX && !text.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Refusal::DescriptionInvalid)
    }
}
