//! The outside company at work.

use std::path::Path;
use std::sync::Arc;

use simurgh_app::ports::{Clock, Entropy, IdentityReport, IdentityStart};
use simurgh_vocab::Timestamp;

use super::book::{Command, IdentityBook, Refusal, Tokens};
use super::outcome::Outcome;
use crate::sandbox::Fault;
use crate::sandbox::desk::{Change, Desk};

/// Why the sandbox does not do as asked.
pub type SandboxFault = Fault<Refusal>;

/// The outside company at work. Cheap to clone: every clone is the same company.
#[derive(Clone)]
pub struct Sandbox {
    desk: Desk<IdentityBook>,
}

impl Sandbox {
    /// A company that forgets everything at its end.
    #[must_use]
    pub fn in_memory(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            desk: Desk::in_memory(clock, entropy),
        }
    }

    /// A company that keeps its book in a journal file; it goes on where that file ends.
    ///
    /// # Errors
    /// `Fault::Journal` when the file cannot be opened or holds something else.
    pub fn with_journal(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SandboxFault> {
        let desk = Desk::with_journal(path, clock, entropy)?;
        Ok(Self { desk })
    }

    /// Decides a check, as its person would on the page, without a browser.
    ///
    /// # Errors
    /// The book's refusal: the check is unknown or has ended. The journal's fault.
    pub fn decide(&self, reference: &str, outcome: Outcome) -> Result<(), SandboxFault> {
        let reference = reference.to_owned();
        self.write(&Command::Decide { reference, outcome })
            .map(drop)
    }

    /// Sends what is true of a check once more.
    ///
    /// # Errors
    /// As [`decide`](Self::decide).
    pub fn send_again(&self, reference: &str) -> Result<(), SandboxFault> {
        let reference = reference.to_owned();
        self.write(&Command::SendAgain { reference }).map(drop)
    }

    /// Begins a check; gives its reference and the name of its page.
    pub(super) fn start(&self, request: IdentityStart) -> Result<Tokens, SandboxFault> {
        let (case, attempt_at) = (request.case, request.attempt_at);
        let tokens = Tokens {
            reference: self.desk.draw("chk"),
            page: self.desk.draw("who"),
        };
        self.write(&Command::Start { request, tokens })?;
        self.read(|book, _| {
            let entry = book.entry_of_attempt(case, attempt_at);
            entry.map(|entry| entry.tokens.clone())
        })
        .ok_or(Fault::Refused(Refusal::CheckUnknown))
    }

    /// What is known of a check; `None` when there is no answer.
    pub(super) fn status(&self, reference: &str) -> Result<Option<IdentityReport>, SandboxFault> {
        self.read(|book, _| book.answer(reference))
            .ok_or(Fault::Refused(Refusal::CheckUnknown))
    }

    pub(super) fn read<R>(&self, read: impl FnOnce(&IdentityBook, Timestamp) -> R) -> R {
        self.desk.read(read)
    }

    pub(super) fn write(&self, command: &Command) -> Result<Change, SandboxFault> {
        self.desk.write(command)
    }

    pub(super) const fn desk(&self) -> &Desk<IdentityBook> {
        &self.desk
    }
}
