//! The provider at work: the book, its journal, a clock and entropy, shared by the server's tasks.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use simurgh_app::ports::{
    ChargeRequest, Clock, Entropy, OpenRequest, ProviderReport, RefundRequest, RefundStatus,
};
use simurgh_vocab::{PaymentId, Timestamp};
use tokio::sync::Notify;

use super::book::{BookCopy, Change, Command, Refusal, SandboxBook, Tokens};
use super::journal::Journal;
use super::outcome::{Behaviour, Outcome, RefundBehaviour};
use super::signature::hex;

/// Why the provider does not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum SandboxFault {
    /// The book says no; nothing changed.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The journal cannot be read or written. After a failed write the provider answers nothing
    /// any more, since its book would be ahead of its journal.
    #[error("the journal of the sandbox provider failed: {0}")]
    Journal(#[from] io::Error),
    /// The part that speaks HTTP could not start.
    #[error("the sandbox provider cannot speak HTTP: {0}")]
    Http(String),
}

/// The provider at work. Cheap to clone: every clone is the same provider.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    ledger: Mutex<Ledger>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    changed: Notify,
}

struct Ledger {
    book: SandboxBook,
    journal: Option<Journal>,
    broken: bool,
}

impl Sandbox {
    /// A provider that forgets everything at its end.
    #[must_use]
    pub fn in_memory(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(SandboxBook::new(), None, clock, entropy)
    }

    /// A provider that keeps its book in a journal file; it goes on where that file ends.
    ///
    /// # Errors
    /// [`SandboxFault::Journal`] when the file cannot be opened or holds something else.
    pub fn with_journal(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SandboxFault> {
        let (journal, book) = Journal::open(path)?;
        Ok(Self::new(book, Some(journal), clock, entropy))
    }

    fn new(
        book: SandboxBook,
        journal: Option<Journal>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                ledger: Mutex::new(Ledger {
                    book,
                    journal,
                    broken: false,
                }),
                clock,
                entropy,
                changed: Notify::new(),
            }),
        }
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

    /// The time by the provider's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
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
                Some(Origin::Charge { .. }) | None => Err(Refusal::ContextInconsistent.into()),
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
            .ok_or(Refusal::PaymentUnknown.into())
    }

    /// Sends money back.
    pub(super) fn refund(&self, request: RefundRequest) -> Result<RefundStatus, SandboxFault> {
        let refund = request.refund;
        self.write(&Command::Refund(request))?;
        self.read(|book, now| book.refund_status(refund, now))
            .ok_or(Refusal::PaymentUnknown.into())
    }

    /// Reads the book as it is now.
    pub(super) fn read<R>(&self, read: impl FnOnce(&SandboxBook, Timestamp) -> R) -> R {
        let now = self.now();
        let mut ledger = self.lock();
        ledger.book.advance(now);
        read(&ledger.book, now)
    }

    /// Changes the book in a way that no journal needs to know: when a notification is tried next.
    pub(super) fn adjust(&self, adjust: impl FnOnce(&mut SandboxBook)) {
        adjust(&mut self.lock().book);
    }

    /// Changes the book and its journal.
    pub(super) fn write(&self, command: &Command) -> Result<Change, SandboxFault> {
        let now = self.now();
        let mut ledger = self.lock();
        if ledger.broken {
            let error = io::Error::other("an earlier write failed");
            return Err(SandboxFault::Journal(error));
        }
        let change = ledger.book.apply(command, now)?;
        if change == Change::Made
            && let Some(journal) = &mut ledger.journal
            && let Err(error) = journal.append(command, now)
        {
            ledger.broken = true;
            return Err(SandboxFault::Journal(error));
        }
        drop(ledger);
        self.shared.changed.notify_one();
        Ok(change)
    }

    /// Waits until something in the book has changed since the last wait.
    pub(super) async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        // A panic while the lock was held cannot leave a half-made change that matters more here
        // than going on: this book holds no money.
        self.shared
            .ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn draw_tokens(&self) -> Tokens {
        Tokens {
            page: self.draw("pay"),
            mandate: self.draw("mdt"),
        }
    }

    /// A word of 128 unpredictable bits.
    fn draw(&self, prefix: &str) -> String {
        let mut bytes = [0u8; 16];
        self.shared.entropy.fill(&mut bytes);
        format!("{prefix}_{}", hex(&bytes))
    }
}
