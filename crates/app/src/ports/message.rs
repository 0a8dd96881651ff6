//! E-mail and SMS, as the outbox runner hands them over.

use std::future::Future;
use std::pin::Pin;

use simurgh_vocab::{EmailAddress, MessageId, Msisdn};

/// A rendered message and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Envelope {
    /// An e-mail.
    Email {
        /// The recipient.
        to: EmailAddress,
        /// The subject line.
        subject: String,
        /// The body as plain text.
        text: String,
        /// The body as HTML.
        html: String,
        /// Whether this is advertising, which must carry a way to unsubscribe (RFC 8058).
        unsubscribe_url: Option<String>,
    },
    /// A short message.
    Sms {
        /// The recipient.
        to: Msisdn,
        /// The text.
        text: String,
    },
}

/// What became of a message that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The next system took it. Nothing more will be heard, unless the channel brings receipts.
    Accepted {
        /// The reference the other side gave, if any: SMTP reply text, or SMSC message ids. A short
        /// message that went in several parts has one id per part, in order, joined by
        /// [`REFERENCE_SEPARATOR`]; each part gets [`Receipt`]s of its own.
        reference: String,
    },
}

/// Stands between the references of the parts of one message.
pub const REFERENCE_SEPARATOR: char = ',';

/// Why a message could not be handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// Trying again later may help (connection refused, SMTP 4xx, SMPP throttling).
    #[error("temporary: {0}")]
    Temporary(String),
    /// Trying again cannot help (unknown recipient, SMTP 5xx, SMPP invalid address).
    #[error("permanent: {0}")]
    Permanent(String),
}

/// A future of a messenger.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Delivery, SendFailure>> + Send + 'a>>;

/// Sends e-mail and SMS. Called by the outbox runner only; the same `id` may come again after a
/// crash, so an adapter passes it on wherever the protocol can de-duplicate (`Message-ID`).
pub trait Messenger: Send + Sync + 'static {
    /// Hands the message over.
    fn send(&self, id: MessageId, envelope: Envelope) -> Sending<'_>;
}

/// How far a message has come, as the network reports it.
/// Source: SMPP v3.4 issue 1.2 §5.2.28 (message_state) and appendix B (delivery receipt).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Still under way: the network keeps trying (ENROUTE, ACCEPTD).
    Underway,
    /// It arrived (DELIVRD).
    Delivered,
    /// The network gave up after its validity period (EXPIRED).
    Expired,
    /// Somebody removed it before it arrived (DELETED).
    Deleted,
    /// It can never arrive: unknown or barred recipient (UNDELIV).
    Undeliverable,
    /// The network refused it (REJECTD).
    Rejected,
    /// The network does not know (UNKNOWN).
    Unknown,
}

impl Fate {
    /// Whether no other fate can follow. Receipts may overtake each other, so a final fate is
    /// never replaced by [`Fate::Underway`].
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Underway | Self::Unknown => false,
            Self::Delivered
            | Self::Expired
            | Self::Deleted
            | Self::Undeliverable
            | Self::Rejected => true,
        }
    }
}

/// News about one part of a message that was accepted earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The reference of the part: one of those in [`Delivery::Accepted`].
    pub reference: String,
    /// How far it has come.
    pub fate: Fate,
    /// The network's own error code, for the operator; absent when there was none.
    pub error: Option<String>,
}

/// A receipt could not be stored now; the network is asked to send it again later. Also the right
/// answer for a reference not yet known: a receipt can overtake the commit that stores it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("receipt not recorded: {0}")]
pub struct NotRecorded(pub String);

/// A future of a receipt sink.
pub type Recording<'a> = Pin<Box<dyn Future<Output = Result<(), NotRecorded>> + Send + 'a>>;

/// Takes delivery receipts. The network is answered only after the future is done, so a receipt
/// that was not stored comes again; the same one may come twice and in any order.
pub trait ReceiptSink: Send + Sync + 'static {
    /// Stores what became of a part.
    ///
    /// # Errors
    /// [`NotRecorded`] when it should come again.
    fn record(&self, receipt: Receipt) -> Recording<'_>;
}
