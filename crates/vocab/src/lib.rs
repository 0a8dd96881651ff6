//! The words every other crate shares: quantities, identifiers, money and time.
//!
//! Everything here is a small value that cannot hold something wrong once it exists. There is no
//! I/O, no clock and no randomness: those are arguments elsewhere.

mod id;
pub mod identity;
mod money;
mod person;
mod quantity;
mod service;
mod time;

pub use id::{
    BucketId, CaseId, ChallengeId, CustomerId, EntryId, InvoiceId, JobId, LineId, MandateId,
    MessageId, OrderId, ParseIdError, PaymentId, ProfileId, ProgressId, RecordId, RefundId,
    SessionId, StaffId, SubscriptionId, TicketId,
};
pub use money::{Currency, Money, MoneyError, ParseMoneyError};
pub use person::{
    CountryCode, EmailAddress, Locale, Msisdn, ParseCountryError, ParseEmailError,
    ParseLocaleError, ParseMsisdnError, TimeZoneName, UnknownTimeZone,
};
pub use quantity::{Messages, Octets, Seconds, Unit};
pub use service::{Allowance, ParseCodeError, Period, ZoneCode, is_code};
pub use time::{Duration, Timestamp};
