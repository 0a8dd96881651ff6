//! Staff, their sessions and what they did; support tickets; what needs somebody's attention.

use simurgh_commerce::DocumentNumber;
use simurgh_subscriber::SecondFactor;
use simurgh_vocab::{
    CaseId, CustomerId, InvoiceId, JobId, OrderId, PaymentId, ProfileId, RefundId, StaffId,
    TicketId, Timestamp,
};

use super::{Digest, SeenEvent, StoreFault};

/// A member of staff who may log in.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffAccount {
    /// Its id.
    pub id: StaffId,
    /// The name to log in with: unique, never changed.
    pub name: String,
    /// The digest of the password in PHC string format.
    pub password_digest: String,
    /// The second factor, which is always on: its secret is sealed by the keyring.
    pub second_factor: SecondFactor,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it was closed, if it was.
    pub closed_at: Option<Timestamp>,
}

/// A signed-in browser of a member of staff. Its bearer holds a token of which the digest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffSession {
    /// Whose it is.
    pub staff: StaffId,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was last used, to within a minute.
    pub seen_at: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
}

/// Who wrote a message of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The customer.
    Customer,
    /// A member of staff.
    Staff(StaffId),
}

/// One message of a ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketMessage {
    /// Who wrote it.
    pub author: Author,
    /// What it says: personal data.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketState {
    /// The customer waits for an answer.
    Open,
    /// Staff has answered last.
    Answered,
    /// It is settled.
    Closed {
        /// Since when.
        at: Timestamp,
    },
}

/// A support ticket without its messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Whose it is.
    pub customer: CustomerId,
    /// What it is about, in the customer's words: personal data.
    pub subject: String,
    /// Where it stands.
    pub state: TicketState,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When its last message came or it was closed.
    pub changed_at: Timestamp,
    /// How many messages it has.
    pub messages: u32,
}

/// What staff does, as the log calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StaffAction {
    /// An account was made.
    AccountCreated,
    /// An account got a new password and a new second factor.
    AccountRenewed,
    /// An account was closed.
    AccountClosed,
    /// Somebody logged in.
    LoggedIn,
    /// A log-in was refused.
    LogInRefused,
    /// Somebody logged out.
    LoggedOut,
    /// Customers were searched.
    CustomersSearched,
    /// A customer's page was opened.
    CustomerViewed,
    /// A customer's number and mailbox were shown in clear.
    ContactRevealed,
    /// An order was opened.
    OrderViewed,
    /// A refund was asked for.
    RefundRequested,
    /// A refund that was asked for is not possible.
    RefundRefused,
    /// A refund was settled outside the provider.
    RefundSettled,
    /// A refund was sent to its provider again.
    RefundResent,
    /// A ticket was opened.
    TicketViewed,
    /// A ticket was answered.
    TicketAnswered,
    /// A ticket was closed.
    TicketClosed,
    /// A document of an identity check was opened.
    DocumentOpened,
    /// An identity check was decided.
    IdentityDecided,
    /// The messages sent were looked at.
    MessagesViewed,
    /// A job was made due at once.
    JobRetried,
    /// Profiles were searched.
    ProfilesSearched,
    /// A profile's page was opened.
    ProfileViewed,
    /// A profile was withdrawn.
    ProfileWithdrawn,
    /// A profile may be downloaded again.
    ProfileReleased,
    /// A line gets a new profile.
    ProfileReissued,
    /// A profile needs a confirmation code.
    ProfileProtected,
    /// This log was looked at.
    LogViewed,
}

impl StaffAction {
    /// Every action.
    pub const ALL: [Self; 28] = [
        Self::AccountCreated,
        Self::AccountRenewed,
        Self::AccountClosed,
        Self::LoggedIn,
        Self::LogInRefused,
        Self::LoggedOut,
        Self::CustomersSearched,
        Self::CustomerViewed,
        Self::ContactRevealed,
        Self::OrderViewed,
        Self::RefundRequested,
        Self::RefundRefused,
        Self::RefundSettled,
        Self::RefundResent,
        Self::TicketViewed,
        Self::TicketAnswered,
        Self::TicketClosed,
        Self::DocumentOpened,
        Self::IdentityDecided,
        Self::MessagesViewed,
        Self::JobRetried,
        Self::ProfilesSearched,
        Self::ProfileViewed,
        Self::ProfileWithdrawn,
        Self::ProfileReleased,
        Self::ProfileReissued,
        Self::ProfileProtected,
        Self::LogViewed,
    ];

    /// The name it is stored under. Part of the log's digests: never changed.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AccountCreated => "account-created",
            Self::AccountRenewed => "account-renewed",
            Self::AccountClosed => "account-closed",
            Self::LoggedIn => "logged-in",
            Self::LogInRefused => "log-in-refused",
            Self::LoggedOut => "logged-out",
            Self::CustomersSearched => "customers-searched",
            Self::CustomerViewed => "customer-viewed",
            Self::ContactRevealed => "contact-revealed",
            Self::OrderViewed => "order-viewed",
            Self::RefundRequested => "refund-requested",
            Self::RefundRefused => "refund-refused",
            Self::RefundSettled => "refund-settled",
            Self::RefundResent => "refund-resent",
            Self::TicketViewed => "ticket-viewed",
            Self::TicketAnswered => "ticket-answered",
            Self::TicketClosed => "ticket-closed",
            Self::DocumentOpened => "document-opened",
            Self::IdentityDecided => "identity-decided",
            Self::MessagesViewed => "messages-viewed",
            Self::JobRetried => "job-retried",
            Self::ProfilesSearched => "profiles-searched",
            Self::ProfileViewed => "profile-viewed",
            Self::ProfileWithdrawn => "profile-withdrawn",
            Self::ProfileReleased => "profile-released",
            Self::ProfileReissued => "profile-reissued",
            Self::ProfileProtected => "profile-protected",
            Self::LogViewed => "log-viewed",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.code() == code)
    }
}

/// What an entry of the log is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StaffSubject {
    /// Nothing in particular.
    Nothing,
    /// A member of staff.
    Staff(StaffId),
    /// A customer.
    Customer(CustomerId),
    /// An order.
    Order(OrderId),
    /// A refund.
    Refund(RefundId),
    /// An identity check.
    Case(CaseId),
    /// A ticket.
    Ticket(TicketId),
    /// A job of the outbox.
    Job(JobId),
    /// An eSIM profile.
    Profile(ProfileId),
}

impl StaffSubject {
    /// The kind as it is stored. Part of the log's digests: never changed.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Staff(_) => "staff",
            Self::Customer(_) => "customer",
            Self::Order(_) => "order",
            Self::Refund(_) => "refund",
            Self::Case(_) => "identity-check",
            Self::Ticket(_) => "ticket",
            Self::Job(_) => "job",
            Self::Profile(_) => "profile",
        }
    }

    /// The number as it is stored and shown.
    #[must_use]
    pub fn number(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Staff(id) => id.number(),
            Self::Customer(id) => id.number(),
            Self::Order(id) => id.number(),
            Self::Refund(id) => id.number(),
            Self::Case(id) => id.number(),
            Self::Ticket(id) => id.number(),
            Self::Job(id) => id.number(),
            Self::Profile(id) => id.number(),
        }
    }

    /// Reads what [`kind`](Self::kind) and [`number`](Self::number) wrote.
    #[must_use]
    pub fn from_stored(kind: &str, number: &str) -> Option<Self> {
        match kind {
            "" => number.is_empty().then_some(Self::Nothing),
            "staff" => StaffId::from_number(number).map(Self::Staff),
            "customer" => CustomerId::from_number(number).map(Self::Customer),
            "order" => OrderId::from_number(number).map(Self::Order),
            "refund" => RefundId::from_number(number).map(Self::Refund),
            "identity-check" => CaseId::from_number(number).map(Self::Case),
            "ticket" => TicketId::from_number(number).map(Self::Ticket),
            "job" => JobId::from_number(number).map(Self::Job),
            "profile" => ProfileId::from_number(number).map(Self::Profile),
            _ => None,
        }
    }
}

/// One entry of the log of what staff did. It holds no personal data of customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffLogEntry {
    /// Counts up from 1 without gaps.
    pub position: u64,
    /// When.
    pub at: Timestamp,
    /// Who; none for a command on the server, or a log-in under a name that nobody has.
    pub staff: Option<StaffId>,
    /// What.
    pub action: StaffAction,
    /// About what.
    pub subject: StaffSubject,
    /// Why or how, in a few words; may be empty.
    pub detail: String,
    /// The SHA-256 over the digest before and this entry.
    pub digest: Digest,
}

/// Which entries of the log are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaffLogFilter {
    /// Those of one member of staff.
    pub staff: Option<StaffId>,
    /// Those of one kind.
    pub action: Option<StaffAction>,
    /// Those about one thing, by its number.
    pub subject_number: Option<String>,
    /// Those before a position.
    pub before: Option<u64>,
    /// The most entries.
    pub limit: u32,
}

/// Which tickets are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketQueue {
    /// Those that wait for an answer, the longest waiting first.
    Open,
    /// Those that staff answered, the newest first.
    Answered,
    /// Those that are closed, the newest first.
    Closed,
}

/// How much needs somebody's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeskCounts {
    /// Tickets that wait for an answer.
    pub open_tickets: u64,
    /// Refunds that the provider cannot send.
    pub refunds_for_staff: u64,
    /// Payments of which nobody knows how they ended.
    pub payments_in_doubt: u64,
    /// Jobs that are not done.
    pub open_jobs: u64,
    /// Jobs that were begun at least so often without success that somebody should look.
    pub stuck_jobs: u64,
    /// Messages that failed since the given time.
    pub failed_messages: u64,
    /// Orders placed since the given time.
    pub orders: u64,
    /// Of these, the ones that were paid.
    pub paid_orders: u64,
    /// Customers registered since the given time.
    pub customers: u64,
}

/// What waits and what is open, for metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VitalCounts {
    /// Jobs that are due and not done.
    pub due_jobs: u64,
    /// Jobs that were begun at least so often without success that somebody should look.
    pub stuck_jobs: u64,
    /// Payments that are not settled, by the code of their state.
    pub open_payments: Vec<(String, u64)>,
}

/// What [`DeskCounts`] counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskSince {
    /// Messages, orders and customers count from then.
    pub since: Timestamp,
    /// Jobs with so many attempts are stuck.
    pub stuck_attempts: u32,
}

/// Staff, tickets and what needs attention.
pub trait Desk {
    /// Stores a new account. A taken name is a conflict.
    fn insert_staff(&mut self, account: &StaffAccount) -> Result<(), StoreFault>;
    /// Stores an account's changed password, second factor and state.
    fn update_staff(&mut self, account: &StaffAccount) -> Result<(), StoreFault>;
    /// An account, locked until the transaction ends.
    fn staff(&mut self, id: StaffId) -> Result<Option<StaffAccount>, StoreFault>;
    /// An account by its name, locked until the transaction ends.
    fn staff_named(&mut self, name: &str) -> Result<Option<StaffAccount>, StoreFault>;
    /// Every account's id and name, by name.
    fn staff_names(&mut self) -> Result<Vec<(StaffId, String)>, StoreFault>;

    /// Stores a session under the digest of its token.
    fn insert_staff_session(
        &mut self,
        session: &StaffSession,
        token: &Digest,
    ) -> Result<(), StoreFault>;
    /// A session by the digest of its token.
    fn staff_session(&mut self, token: &Digest) -> Result<Option<StaffSession>, StoreFault>;
    /// Stores when a session was used last.
    fn touch_staff_session(&mut self, token: &Digest, at: Timestamp) -> Result<(), StoreFault>;
    /// Ends a session.
    fn end_staff_session(&mut self, token: &Digest, at: Timestamp) -> Result<(), StoreFault>;
    /// Ends every session of a member of staff.
    fn end_staff_sessions(&mut self, staff: StaffId, at: Timestamp) -> Result<(), StoreFault>;

    /// The newest entry of the log.
    fn newest_staff_log_entry(&mut self) -> Result<Option<StaffLogEntry>, StoreFault>;
    /// Adds an entry. A taken position is a conflict, and the transaction runs again.
    fn append_staff_log(&mut self, entry: &StaffLogEntry) -> Result<(), StoreFault>;
    /// Entries of the log, newest first.
    fn staff_log(&mut self, filter: &StaffLogFilter) -> Result<Vec<StaffLogEntry>, StoreFault>;
    /// Entries after a position, oldest first.
    fn staff_log_after(
        &mut self,
        position: u64,
        limit: u32,
    ) -> Result<Vec<StaffLogEntry>, StoreFault>;

    /// Stores a new ticket.
    fn insert_ticket(&mut self, ticket: &Ticket) -> Result<(), StoreFault>;
    /// Stores a ticket's changed state and count of messages.
    fn update_ticket(&mut self, ticket: &Ticket) -> Result<(), StoreFault>;
    /// A ticket, locked until the transaction ends.
    fn ticket(&mut self, id: TicketId) -> Result<Option<Ticket>, StoreFault>;
    /// A customer's tickets, last changed first.
    fn tickets_of(&mut self, customer: CustomerId, limit: u32) -> Result<Vec<Ticket>, StoreFault>;
    /// How many tickets of a customer wait for an answer.
    fn open_tickets_of(&mut self, customer: CustomerId) -> Result<u32, StoreFault>;
    /// The tickets of a queue.
    fn tickets_in(&mut self, queue: TicketQueue, limit: u32) -> Result<Vec<Ticket>, StoreFault>;
    /// Stores a message of a ticket at its position, counted from 1.
    fn insert_ticket_message(
        &mut self,
        ticket: TicketId,
        position: u32,
        message: &TicketMessage,
    ) -> Result<(), StoreFault>;
    /// The messages of a ticket, oldest first.
    fn ticket_messages(&mut self, ticket: TicketId) -> Result<Vec<TicketMessage>, StoreFault>;

    /// How much needs attention.
    fn desk_counts(&mut self, since: &DeskSince) -> Result<DeskCounts, StoreFault>;
    /// What waits and what is open at `now`; jobs with `stuck_attempts` attempts are stuck.
    fn vital_counts(
        &mut self,
        now: Timestamp,
        stuck_attempts: u32,
    ) -> Result<VitalCounts, StoreFault>;
    /// Payments of which nobody knows how they ended, and those begun before `before` that are
    /// still open; the oldest first.
    fn payments_in_doubt(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<PaymentId>, StoreFault>;
    /// Refunds that are not sent: those that need staff first, then by age.
    fn unsettled_refunds(&mut self, limit: u32) -> Result<Vec<RefundId>, StoreFault>;
    /// Notifications that were not believed, newest first.
    fn odd_payment_events(&mut self, limit: u32) -> Result<Vec<SeenEvent>, StoreFault>;
    /// The document with this number.
    fn document_numbered(
        &mut self,
        number: &DocumentNumber,
    ) -> Result<Option<InvoiceId>, StoreFault>;
}
