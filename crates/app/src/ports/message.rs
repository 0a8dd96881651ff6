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
    /// The next system took it; nothing more will be heard.
    Accepted {
        /// The reference the other side gave, if any: SMTP reply text or SMSC message id.
        reference: String,
    },
}

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
