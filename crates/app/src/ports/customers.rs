//! Customers, their credentials, codes, sessions and identity checks in the store.

use simurgh_subscriber::{
    Challenge, Contact, Customer, Failures, IdentityCase, LoginStep, Network, Person, Purpose,
    SecondFactor, Session, UserName,
};
use simurgh_vocab::{
    CaseId, ChallengeId, CustomerId, EmailAddress, Msisdn, SessionId, StaffId, Timestamp,
};

use super::StoreFault;

/// A keyed digest: what is kept of tokens, codes and typed names.
pub type Digest = [u8; 32];

/// What somebody can be found by. Each belongs to one customer at most: a number from the moment
/// it is registered, a mailbox once it is confirmed, a user name once it is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginName {
    /// A phone number.
    Phone(Msisdn),
    /// A confirmed mailbox.
    Email(EmailAddress),
    /// A user name.
    UserName(UserName),
}

impl LoginName {
    /// The kind as it is stored.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
            Self::UserName(_) => "user_name",
        }
    }

    /// The name as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(number) => number.as_str(),
            Self::Email(address) => address.as_str(),
            Self::UserName(name) => name.as_str(),
        }
    }
}

impl From<&Contact> for LoginName {
    fn from(contact: &Contact) -> Self {
        match contact {
            Contact::Phone(number) => Self::Phone(number.clone()),
            Contact::Email(address) => Self::Email(address.clone()),
        }
    }
}

/// What a customer proves who they are with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Whose they are.
    pub customer: CustomerId,
    /// The digest of the password, if one was chosen, and since when.
    pub password: Option<StoredPassword>,
    /// The second factor.
    pub second_factor: SecondFactor,
}

/// The digest of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// The digest in PHC string format.
    pub digest: String,
    /// When the password was chosen.
    pub since: Timestamp,
}

/// Something that happened to an account, for its history and for whoever looks into misuse
/// (V16.3). It holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEvent {
    /// Whose account.
    pub customer: CustomerId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: AccountEventKind,
}

/// What can happen to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountEventKind {
    /// It was registered.
    Registered,
    /// Its number was confirmed.
    PhoneConfirmed,
    /// Its mailbox was confirmed.
    EmailConfirmed,
    /// Somebody logged in.
    LoggedIn,
    /// Somebody failed to log in before it was logged in to. Not written down when it happens:
    /// the time a write takes would tell which accounts exist.
    FailuresBeforeLogIn,
    /// A second factor was wrong.
    WrongSecondFactor,
    /// The number was changed.
    PhoneChanged,
    /// The mailbox was changed.
    EmailChanged,
    /// The user name was changed.
    UserNameChanged,
    /// The password was changed.
    PasswordChanged,
    /// The password was recovered.
    PasswordRecovered,
    /// The second factor was turned on.
    SecondFactorOn,
    /// The second factor was turned off.
    SecondFactorOff,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// New recovery codes were made.
    RecoveryCodesRenewed,
    /// The data was exported.
    DataExported,
    /// Something was handed in for an identity check.
    IdentitySubmitted,
    /// The identity was approved.
    IdentityApproved,
    /// The identity was refused.
    IdentityRefused,
    /// A member of staff looked at a document.
    DocumentOpened,
    /// The account was closed.
    Closed,
}

impl AccountEventKind {
    /// Every kind.
    pub const ALL: [Self; 21] = [
        Self::Registered,
        Self::PhoneConfirmed,
        Self::EmailConfirmed,
        Self::LoggedIn,
        Self::FailuresBeforeLogIn,
        Self::WrongSecondFactor,
        Self::PhoneChanged,
        Self::EmailChanged,
        Self::UserNameChanged,
        Self::PasswordChanged,
        Self::PasswordRecovered,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::RecoveryCodeUsed,
        Self::RecoveryCodesRenewed,
        Self::DataExported,
        Self::IdentitySubmitted,
        Self::IdentityApproved,
        Self::IdentityRefused,
        Self::DocumentOpened,
        Self::Closed,
    ];

    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::PhoneConfirmed => "phone_confirmed",
            Self::EmailConfirmed => "email_confirmed",
            Self::LoggedIn => "logged_in",
            Self::FailuresBeforeLogIn => "failures_before_log_in",
            Self::WrongSecondFactor => "wrong_second_factor",
            Self::PhoneChanged => "phone_changed",
            Self::EmailChanged => "email_changed",
            Self::UserNameChanged => "user_name_changed",
            Self::PasswordChanged => "password_changed",
            Self::PasswordRecovered => "password_recovered",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::DataExported => "data_exported",
            Self::IdentitySubmitted => "identity_submitted",
            Self::IdentityApproved => "identity_approved",
            Self::IdentityRefused => "identity_refused",
            Self::DocumentOpened => "document_opened",
            Self::Closed => "closed",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A document handed in for an identity check, sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedDocument {
    /// The check it belongs to.
    pub case: CaseId,
    /// Its place among the check's documents, from zero.
    pub position: u32,
    /// What it is, e.g. `image/jpeg`.
    pub media_type: String,
    /// The sealed octets.
    pub sealed: Vec<u8>,
    /// When it was handed in.
    pub stored_at: Timestamp,
}

/// What a search of customers asks for: the first of a number, a mailbox, a user name or an
/// account number, or a part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerSearch {
    /// The text as it was typed.
    pub text: String,
    /// The most answers.
    pub limit: u32,
}

/// Customers, their credentials and the history of their accounts.
pub trait Customers {
    /// Stores a new customer and takes the names it is found by. A taken name is a conflict, and
    /// the transaction runs again.
    fn insert_customer(&mut self, customer: &Customer) -> Result<(), StoreFault>;
    /// Stores a changed customer, takes its new names and frees those it no longer has. A closed
    /// one leaves nothing personal: its messages, sessions, codes and credentials go as well.
    fn update_customer(&mut self, customer: &Customer) -> Result<(), StoreFault>;
    /// A customer, locked until the transaction ends.
    fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreFault>;
    /// The person behind an account in use; a plain read, for every page of theirs.
    fn active_person(&mut self, id: CustomerId) -> Result<Option<Person>, StoreFault>;
    /// Who is found by a name, whatever the state of the account.
    fn customer_named(&mut self, name: &LoginName) -> Result<Option<CustomerId>, StoreFault>;
    /// Customers that match, newest first.
    fn search_customers(&mut self, search: &CustomerSearch) -> Result<Vec<Customer>, StoreFault>;

    /// A customer's credentials; empty ones if none were stored.
    fn credentials(&mut self, customer: CustomerId) -> Result<Credentials, StoreFault>;
    /// Stores a customer's credentials.
    fn put_credentials(&mut self, credentials: &Credentials) -> Result<(), StoreFault>;

    /// Adds to an account's history.
    fn note(&mut self, event: &AccountEvent) -> Result<(), StoreFault>;
    /// When something of one kind last happened to an account, newest first.
    fn events_of_kind(
        &mut self,
        customer: CustomerId,
        kind: AccountEventKind,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreFault>;
    /// An account's history, newest first.
    fn account_events(
        &mut self,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<AccountEvent>, StoreFault>;
}

/// Codes, counted failures, half-done log-ins and sessions.
pub trait LogIns {
    /// Stores a new challenge and where it was asked for.
    fn insert_challenge(&mut self, challenge: &Challenge, from: Network) -> Result<(), StoreFault>;
    /// Stores a challenge's changed state.
    fn update_challenge(&mut self, challenge: &Challenge) -> Result<(), StoreFault>;
    /// A challenge, locked until the transaction ends.
    fn challenge(&mut self, id: ChallengeId) -> Result<Option<Challenge>, StoreFault>;
    /// The challenges for a purpose and an address that are stored as live.
    fn live_challenges(
        &mut self,
        purpose: Purpose,
        to: &Contact,
    ) -> Result<Vec<Challenge>, StoreFault>;
    /// When the newest challenges for an address were issued, newest first.
    fn issued_to(&mut self, to: &Contact, limit: u32) -> Result<Vec<Timestamp>, StoreFault>;
    /// When the newest challenges were asked for from a network, newest first.
    fn issued_from(&mut self, from: Network, limit: u32) -> Result<Vec<Timestamp>, StoreFault>;
    /// Removes up to `limit` each of challenges, half-done log-ins and counted failures from before
    /// a time, and of sessions that ended before it; says how many in all.
    fn forget_before(&mut self, time: Timestamp, limit: u32) -> Result<u64, StoreFault>;
    /// Removes up to `limit` each of sessions of customers and of staff that were not used since a
    /// time, and says how many.
    fn forget_unused_sessions(&mut self, since: Timestamp, limit: u32) -> Result<u64, StoreFault>;

    /// Waits until no other transaction holds a key, and holds it until this one ends: what is
    /// counted by rows that may not exist yet is counted by one transaction at a time.
    fn hold(&mut self, key: &Digest) -> Result<(), StoreFault>;
    /// The failures counted under a key, which is held until the transaction ends.
    fn failures(&mut self, key: &Digest) -> Result<Option<Failures>, StoreFault>;
    /// Stores the failures of a key; none forgets them.
    fn put_failures(&mut self, key: &Digest, failures: Option<Failures>) -> Result<(), StoreFault>;

    /// Stores a half-done log-in under the digest of its token.
    fn insert_step(&mut self, step: &LoginStep, token: &Digest) -> Result<(), StoreFault>;
    /// Stores a half-done log-in's changed state.
    fn update_step(&mut self, step: &LoginStep) -> Result<(), StoreFault>;
    /// A half-done log-in, locked until the transaction ends.
    fn step_with(&mut self, token: &Digest) -> Result<Option<LoginStep>, StoreFault>;

    /// Stores a session under the digest of its token.
    fn insert_session(&mut self, session: &Session, token: &Digest) -> Result<(), StoreFault>;
    /// Stores a session's changed state.
    fn update_session(&mut self, session: &Session) -> Result<(), StoreFault>;
    /// A session by the digest of its token.
    fn session_with(&mut self, token: &Digest) -> Result<Option<Session>, StoreFault>;
    /// A session, locked until the transaction ends.
    fn session(&mut self, id: SessionId) -> Result<Option<Session>, StoreFault>;
    /// A customer's sessions that nobody ended, last used first.
    fn open_sessions_of(&mut self, customer: CustomerId) -> Result<Vec<Session>, StoreFault>;
}

/// Identity checks and their documents.
pub trait IdentityChecks {
    /// Stores a new or changed identity check.
    fn put_case(&mut self, case: &IdentityCase) -> Result<(), StoreFault>;
    /// An identity check, locked until the transaction ends.
    fn case(&mut self, id: CaseId) -> Result<Option<IdentityCase>, StoreFault>;
    /// A customer's check under a rule.
    fn case_of(
        &mut self,
        customer: CustomerId,
        rule: &str,
    ) -> Result<Option<IdentityCase>, StoreFault>;
    /// A customer's checks.
    fn cases_of(&mut self, customer: CustomerId) -> Result<Vec<IdentityCase>, StoreFault>;
    /// Checks in review, those that wait longest first.
    fn cases_in_review(&mut self, limit: u32) -> Result<Vec<IdentityCase>, StoreFault>;
    /// The check an outside review's reference belongs to.
    fn case_with_reference(&mut self, reference: &str) -> Result<Option<IdentityCase>, StoreFault>;
    /// Stores a document.
    fn insert_document_of_case(&mut self, document: &SealedDocument) -> Result<(), StoreFault>;
    /// The documents of a check: position and media type.
    fn documents_of_case(&mut self, case: CaseId) -> Result<Vec<(u32, String)>, StoreFault>;
    /// A document.
    fn document_of_case(
        &mut self,
        case: CaseId,
        position: u32,
    ) -> Result<Option<SealedDocument>, StoreFault>;
    /// Deletes every document of a check.
    fn delete_documents_of_case(&mut self, case: CaseId) -> Result<(), StoreFault>;
    /// Remembers which member of staff opened the documents of a check, and when.
    fn note_document_opened(
        &mut self,
        case: CaseId,
        staff: StaffId,
        at: Timestamp,
    ) -> Result<(), StoreFault>;
}
