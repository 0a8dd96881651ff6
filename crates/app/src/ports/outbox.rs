//! The outbox: work that follows a commit, done at least once, safe to repeat.

use simurgh_vocab::{
    CaseId, CustomerId, EmailAddress, JobId, LineId, Locale, MessageId, Msisdn, OrderId, PaymentId,
    ProfileId, ProgressId, RefundId, Timestamp,
};

use super::StoreFault;

/// What a job does. Each sets a desired state or asks for the truth, so it may run twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// Hand a message over.
    SendMessage(MessageId),
    /// Ask the provider about an attempt that is open.
    QueryPayment(PaymentId),
    /// Close an order that was not paid in time.
    CloseOrder(OrderId),
    /// Tell the provider to send money back.
    SendRefund(RefundId),
    /// Do what time asks of a line: start, warn, expire, announce, charge, suspend.
    AdvanceLine(LineId),
    /// Place the order of an announced automatic renewal.
    RenewLine(LineId),
    /// Charge the stored method of a renewal attempt.
    ChargeMandate(PaymentId),
    /// Delete the documents of an identity check.
    DeleteDocuments(CaseId),
    /// Ask the outside identity check about a review that is not decided.
    AskIdentity(CaseId),
    /// Make the profile of a line.
    PrepareProfile(LineId),
    /// Tell an operator how a download of its order goes.
    TellProgress(ProgressId),
    /// Take back what SM-DS elsewhere were told of a profile.
    WithdrawEvents(ProfileId),
    /// Tell the live sessions of a line that its balance or state has changed.
    TellSessions(LineId),
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub task: Task,
    /// Two jobs of one key are one job.
    pub key: String,
    /// Not before.
    pub due_at: Timestamp,
    /// How often it was begun.
    pub attempts: u32,
    /// What the last attempt said.
    pub last_error: Option<String>,
    /// When it was done.
    pub done_at: Option<Timestamp>,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// By SMS.
    Sms(Msisdn),
    /// By e-mail.
    Email(EmailAddress),
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageState {
    /// It waits.
    Queued,
    /// The next system took it.
    Sent {
        /// When.
        at: Timestamp,
        /// The reference the other side gave.
        reference: String,
    },
    /// A delivery receipt says it arrived.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It will not arrive.
    Failed {
        /// When.
        at: Timestamp,
        /// Why, for the operator.
        reason: String,
    },
}

/// A message to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The customer it is for, if it is about an account.
    pub customer: Option<CustomerId>,
    /// Where it goes.
    pub to: Recipient,
    /// The template.
    pub template: String,
    /// The language.
    pub locale: Locale,
    /// The template's arguments. Emptied after sending where they are secret (one-time codes).
    pub arguments: Vec<(String, String)>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// What became of it.
    pub state: MessageState,
}

/// The outbox and the messages in it.
pub trait Outbox {
    /// Adds a job; does nothing if its key is known.
    fn enqueue(&mut self, job: &Job) -> Result<(), StoreFault>;
    /// Takes up to `limit` jobs that are due and not taken, and holds them until `hold_until`.
    fn take_due(
        &mut self,
        now: Timestamp,
        hold_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>, StoreFault>;
    /// Marks a job as done.
    fn finish_job(&mut self, id: JobId, at: Timestamp) -> Result<(), StoreFault>;
    /// Gives a job back for later.
    fn postpone_job(
        &mut self,
        id: JobId,
        due_at: Timestamp,
        error: Option<&str>,
    ) -> Result<(), StoreFault>;
    /// Removes up to `limit` jobs that were done before a time, and says how many.
    fn forget_jobs(&mut self, done_before: Timestamp, limit: u32) -> Result<u64, StoreFault>;
    /// When the next job is due.
    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreFault>;
    /// Jobs that are not done, those with most attempts first.
    fn open_jobs(&mut self, limit: u32) -> Result<Vec<Job>, StoreFault>;

    /// Stores a message under a key; false if a message with this key stands already.
    fn insert_message(&mut self, message: &Message, key: &str) -> Result<bool, StoreFault>;
    /// Removes up to `limit` messages that were queued before a time and do not wait any more, and
    /// says how many. Their keys are forgotten with them.
    fn forget_messages(&mut self, created_before: Timestamp, limit: u32)
    -> Result<u64, StoreFault>;
    /// Stores what became of a message, and its arguments.
    fn update_message(&mut self, message: &Message) -> Result<(), StoreFault>;
    /// A message.
    fn message(&mut self, id: MessageId) -> Result<Option<Message>, StoreFault>;
    /// The message whose hand-over gave this reference; nobody else changes it until the end of
    /// the transaction.
    fn message_by_reference(&mut self, reference: &str) -> Result<Option<Message>, StoreFault>;
    /// Notes that a part has arrived; answers the references of all parts that have.
    fn part_delivered(
        &mut self,
        message: MessageId,
        reference: &str,
        at: Timestamp,
    ) -> Result<Vec<String>, StoreFault>;
    /// Messages to a customer, newest first.
    fn messages_of(&mut self, customer: CustomerId, limit: u32)
    -> Result<Vec<Message>, StoreFault>;
    /// The newest messages to everybody.
    fn recent_messages(&mut self, limit: u32) -> Result<Vec<Message>, StoreFault>;
}
