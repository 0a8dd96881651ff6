//! The notifications that have to go out.

use simurgh_app::ports::{MandateGrant, ProviderReport};
use simurgh_commerce::{Failure, Observation, ProviderStatus};
use simurgh_vocab::{Money, PaymentId, Timestamp};

use super::super::outcome::Outcome;
use super::{Entry, STALE_AFTER};
use crate::sandbox::desk::Change;
use crate::sandbox::queue::{Delivery, Letter, Queue};

/// What is said of a payment, true or not.
#[derive(Clone, PartialEq, Eq)]
pub(in super::super) struct Word {
    pub(in super::super) status: ProviderStatus,
    pub(in super::super) amount: Money,
    /// False: another merchant is named.
    pub(in super::super) merchant_is_ours: bool,
    pub(in super::super) mandate: Option<MandateGrant>,
}

impl Word {
    /// The same in the words of the port.
    pub(in super::super) fn report(self, payment: PaymentId) -> ProviderReport {
        ProviderReport {
            payment,
            observation: Observation {
                status: self.status,
                amount: self.amount,
                merchant_is_ours: self.merchant_is_ours,
            },
            mandate: self.mandate,
        }
    }
}

/// A notification's content. It keeps its id however often it is sent.
#[derive(Clone)]
pub(in super::super) struct Notice {
    pub(in super::super) event_id: String,
    pub(in super::super) word: Word,
    /// How many copies were put in the post.
    copies: u32,
}

/// Names one copy of one notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeliveryId {
    /// The payment it is about.
    pub(in super::super) payment: PaymentId,
    /// Which of its notices.
    pub(in super::super) notice: usize,
    /// Which copy.
    pub(in super::super) copy: u32,
}

impl Letter for DeliveryId {
    type Subject = PaymentId;

    fn subject(&self) -> PaymentId {
        self.payment
    }
}

/// The copies that wait.
#[derive(Default)]
pub(super) struct Post {
    queue: Queue<DeliveryId>,
}

impl Post {
    /// Puts what an outcome makes known in the post.
    pub(super) fn announce_outcome(&mut self, entry: &mut Entry, outcome: Outcome, now: Timestamp) {
        let truth = entry.truth();
        match outcome {
            Outcome::Success | Outcome::Fail(_) | Outcome::Delayed | Outcome::Closed => {
                self.announce(entry, truth, now);
            }
            Outcome::Duplicated => {
                let notice = self.announce(entry, truth, now);
                self.copy(entry, notice, now);
                self.copy(entry, notice, now);
            }
            Outcome::Reordered => {
                let stale = [
                    ProviderStatus::Pending,
                    ProviderStatus::Failed(Failure::BankRefused),
                ];
                let mut late = now;
                for status in stale {
                    late = late.plus(STALE_AFTER);
                    let word = Word {
                        status,
                        mandate: None,
                        ..truth.clone()
                    };
                    self.announce(entry, word, late);
                }
                self.announce(entry, truth, now);
            }
            Outcome::WrongAmount => {
                let amount = another_amount(truth.amount);
                self.announce(entry, Word { amount, ..truth }, now);
            }
            Outcome::OtherMerchant => {
                let word = Word {
                    merchant_is_ours: false,
                    ..truth
                };
                self.announce(entry, word, now);
            }
            Outcome::NeedsBank | Outcome::StaysPending | Outcome::NoAnswer => {}
        }
    }

    /// Puts one notice in the post; says which it is.
    pub(super) fn announce(&mut self, entry: &mut Entry, word: Word, due_at: Timestamp) -> usize {
        let notice = entry.notices.len();
        entry.notices.push(Notice {
            event_id: format!("evt_{}_{notice}", entry.payment),
            word,
            copies: 0,
        });
        self.copy(entry, notice, due_at);
        notice
    }

    /// Sends what is true once more: with the id it was announced under, if it was.
    pub(super) fn announce_again(&mut self, entry: &mut Entry, now: Timestamp) {
        let truth = entry.truth();
        match entry
            .notices
            .iter()
            .rposition(|notice| notice.word == truth)
        {
            Some(notice) => self.copy(entry, notice, now),
            None => {
                self.announce(entry, truth, now);
            }
        }
    }

    /// Forgets a copy that was taken.
    pub(super) fn taken(&mut self, id: DeliveryId) -> Change {
        if self.queue.taken(id) {
            Change::Made
        } else {
            Change::Repeated
        }
    }

    /// Tries a copy again later.
    pub(super) fn postpone(&mut self, id: DeliveryId, due_at: Timestamp) {
        self.queue.postpone(id, due_at);
    }

    pub(super) fn due(&self, now: Timestamp, limit: usize) -> Vec<Delivery<DeliveryId>> {
        self.queue.due(now, limit)
    }

    pub(super) fn waiting(&self) -> Vec<Delivery<DeliveryId>> {
        self.queue.waiting()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }

    fn copy(&mut self, entry: &mut Entry, notice: usize, due_at: Timestamp) {
        let Some(content) = entry.notices.get_mut(notice) else {
            return;
        };
        let id = DeliveryId {
            payment: entry.payment,
            notice,
            copy: content.copies,
        };
        content.copies = content.copies.saturating_add(1);
        self.queue.put(id, due_at);
    }
}

/// An amount that is not the true one: one major unit less, or one more if that leaves nothing.
fn another_amount(amount: Money) -> Money {
    let unit = 10i64.saturating_pow(amount.currency.exponent());
    let minor = if amount.minor > unit {
        amount.minor - unit
    } else {
        amount.minor.saturating_add(unit)
    };
    Money::new(minor, amount.currency)
}
