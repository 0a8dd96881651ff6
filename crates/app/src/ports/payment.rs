//! Payment providers.

use std::future::Future;
use std::pin::Pin;

use simurgh_commerce::{MethodKind, Observation};
use simurgh_vocab::{Locale, Money, PaymentId, RefundId};

/// What a provider needs to open a payment. The payment's id is the idempotency key: opening it
/// again with the same request gives the same answer and never a second payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequest {
    /// The attempt; its [`number`](PaymentId::number) is the merchant's order number.
    pub payment: PaymentId,
    /// The way to pay.
    pub method: MethodKind,
    /// What is to be paid.
    pub amount: Money,
    /// What it is for, as the payer sees it. No personal data.
    pub description: String,
    /// Whether the method is to be stored for later charges.
    pub store_method: bool,
    /// Where the browser comes back to. It decides nothing.
    pub return_url: String,
    /// The payer's language.
    pub locale: Locale,
}

/// A charge of a stored method without the payer present.
#[derive(Clone, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The attempt, and the idempotency key.
    pub payment: PaymentId,
    /// The provider's token of the stored method.
    pub token: String,
    /// The way to pay.
    pub method: MethodKind,
    /// What is to be paid.
    pub amount: Money,
    /// What it is for.
    pub description: String,
}

/// A refund of a captured payment. The refund's id is the idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// The refund.
    pub refund: RefundId,
    /// The payment that is returned.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
}

/// An opened payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The provider's page for the payer.
    pub redirect_url: String,
}

/// What a provider says of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// It works on it; ask again with the same request.
    Pending,
    /// The money is on its way back.
    Succeeded,
    /// It cannot return the money to where it came from.
    Impossible,
}

/// A stored method, as the provider granted it.
#[derive(Clone, PartialEq, Eq)]
pub struct MandateGrant {
    /// The provider's token for later charges: a secret.
    pub token: String,
    /// How the payer recognises it, e.g. `•••• 4242`.
    pub display: String,
}

/// A provider's verified word: about a payment, and perhaps a stored method.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderReport {
    /// The attempt it is about.
    pub payment: PaymentId,
    /// What it says.
    pub observation: Observation,
    /// A method stored with it.
    pub mandate: Option<MandateGrant>,
}

/// A notification that passed verification.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// What tells two notifications of a provider apart: the same one may come many times.
    pub event_id: String,
    /// What it says.
    pub report: ProviderReport,
}

/// An incoming notification, as received.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// The headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body as received.
    pub body: &'a [u8],
}

/// Why a notification is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotificationRefusal {
    /// No signature, or a wrong one.
    #[error("the signature is missing or wrong")]
    BadSignature,
    /// It was signed too long ago.
    #[error("the notification is too old")]
    TooOld,
    /// It is signed, but not a notification this program understands.
    #[error("the notification cannot be read: {0}")]
    Malformed(&'static str),
}

/// Why a provider did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    /// No answer, or one that leaves the outcome open: ask for the status, never open anew.
    #[error("the provider's answer is not known: {0}")]
    Unknown(String),
    /// A clear no: nothing happened there.
    #[error("the provider refused: {0}")]
    Refused(String),
}

/// A future of a provider.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderFault>> + Send + 'a>>;

/// A payment provider.
pub trait PaymentProvider: Send + Sync + 'static {
    /// The code under which its payments are stored; also the end of its notification address.
    fn code(&self) -> &'static str;

    /// The ways to pay it offers.
    fn methods(&self) -> &[MethodKind];

    /// Whether it can store `method` and charge it later.
    fn can_store(&self, method: MethodKind) -> bool;

    /// Opens a payment.
    fn open(&self, request: OpenRequest) -> Asking<'_, Opened>;

    /// Charges a stored method. The answer may be that it is pending.
    fn charge(&self, request: ChargeRequest) -> Asking<'_, ProviderReport>;

    /// The truth about a payment, for when there is a doubt.
    fn status(&self, payment: PaymentId) -> Asking<'_, ProviderReport>;

    /// Sends money back.
    fn refund(&self, request: RefundRequest) -> Asking<'_, RefundStatus>;

    /// Verifies a notification. The only maker of a [`ProviderEvent`]; there is no default.
    ///
    /// # Errors
    /// [`NotificationRefusal`].
    fn verify(&self, notification: Notification<'_>) -> Result<ProviderEvent, NotificationRefusal>;

    /// The body that tells the provider that its notification was taken.
    fn acknowledgement(&self) -> &'static str;
}
