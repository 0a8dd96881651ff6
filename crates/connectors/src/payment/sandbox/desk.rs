//! The provider at work: the book, its journal, a clock and entropy, shared by the server's tasks.

use std::path::Path;
use std::sync::Arc;

use simurgh_app::ports::{
    ChargeRequest, Clock, Entropy, OpenRequest, ProviderReport, RefundRequest, RefundStatus,
};
use simurgh_vocab::{PaymentId, Timestamp};

use super::book::{BookCopy, Command, Refusal, SandboxBook, Tokens};
use super::outcome::{Behaviour, Outcome, RefundBehaviour};
use crate::sandbox::desk::{Change, Desk};

/// Why the provider does not do as asked.
pub type SandboxFault = crate::sandbox::Fault<Refusal>;

/// The provider at work. Cheap to clone: every clone is the same provider.
#[derive(Clone)]
pub struct Sandbox {
    desk: Desk<SandboxBook>,
}

impl Sandbox {
    /// A provider that forgets everything at its end.
    #[must_use]
    pub fn in_memory(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            desk: Desk::in_memory(clock, entropy),
        }
    }

    /// A provider that keeps its book in a journal file; it goes on where that file ends.
    ///
    /// # Errors
    /// `SandboxFault::Journal` when the file cannot be opened or holds something else.
    pub fn with_journal(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SandboxFault> {
        let desk = Desk::with_journal(path, clock, entropy)?;
        Ok(Self { desk })
    }

    /// Decides a payment, as its payer would on the page, without a browser.
    ///
    /// # Errors
    /// The book's refusal: the payment is unknown or has ended. The journal's fault.
    pub fn decide(&self, payment: PaymentId, outcome: Outcome) -> Result<(), SandboxFault> {
        self.write(&Command::Decide { payment, outcome }).map(drop)
    }

    /// Sets what the method stored with `payment` does when it is charged.
    ///
    /// # Errors
    /// As [`decide`](Self::decide), or no method is stored with it.
    pub fn behave(&self, payment: PaymentId, behaviour: Behaviour) -> Result<(), SandboxFault> {
        self.write(&Command::Behave { payment, behaviour })
            .map(drop)
    }

    /// Sets what becomes of the payment's refunds, those that wait included.
    ///
    /// # Errors
    /// As [`decide`](Self::decide).
    pub fn behave_refunds(
        &self,
        payment: PaymentId,
        behaviour: RefundBehaviour,
    ) -> Result<(), SandboxFault> {
        self.write(&Command::BehaveRefunds { payment, behaviour })
            .map(drop)
    }

    /// Sends what is true of a payment once more.
    ///
    /// # Errors
    /// As [`decide`](Self::decide).
    pub fn send_again(&self, payment: PaymentId) -> Result<(), SandboxFault> {
        self.write(&Command::SendAgain(payment)).map(drop)
    }

    /// The whole book, for an auditor.
    #[must_use]
    pub fn book(&self) -> BookCopy {
        self.read(SandboxBook::copy)
    }

    /// The provider's clock.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.desk.clock()
    }

    /// The time by the provider's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.desk.now()
    }

    /// Opens a payment; says the name of its page.
    pub(super) fn open(&self, request: OpenRequest) -> Result<String, SandboxFault> {
        use super::book::Origin;
        let payment = request.payment;
        let tokens = self.draw_tokens();
        self.write(&Command::Open { request, tokens })?;
        self.read(
            |book, _| match book.entry(payment).map(|entry| &entry.origin) {
                Some(Origin::Page { token, .. }) => Ok(token.clone()),
                Some(Origin::Charge { .. }) | None => {
                    Err(SandboxFault::Refused(Refusal::ContextInconsistent))
                }
            },
        )
    }

    /// Charges a stored method; `None` when the provider does not answer.
    pub(super) fn charge(
        &self,
        request: ChargeRequest,
    ) -> Result<Option<ProviderReport>, SandboxFault> {
        let payment = request.payment;
        self.write(&Command::Charge(request))?;
        self.status(payment)
    }

    /// What is known of a payment; `None` when the provider does not answer.
    pub(super) fn status(
        &self,
        payment: PaymentId,
    ) -> Result<Option<ProviderReport>, SandboxFault> {
        self.read(|book, _| book.answer(payment))
            .ok_or(SandboxFault::Refused(Refusal::PaymentUnknown))
    }

    /// Sends money back.
    pub(super) fn refund(&self, request: RefundRequest) -> Result<RefundStatus, SandboxFault> {
        let refund = request.refund;
        self.write(&Command::Refund(request))?;
        self.read(|book, now| book.refund_status(refund, now))
            .ok_or(SandboxFault::Refused(Refusal::PaymentUnknown))
    }

    /// Reads the book as it is now.
    pub(super) fn read<R>(&self, read: impl FnOnce(&SandboxBook, Timestamp) -> R) -> R {
        self.desk.read(read)
    }

    /// Changes the book and its journal.
    pub(super) fn write(&self, command: &Command) -> Result<Change, SandboxFault> {
        self.desk.write(command)
    }

    /// The desk behind it.
    pub(super) const fn desk(&self) -> &Desk<SandboxBook> {
        &self.desk
    }

    fn draw_tokens(&self) -> Tokens {
        Tokens {
            page: self.desk.draw("pay"),
            mandate: self.desk.draw("mdt"),
        }
    }
}
