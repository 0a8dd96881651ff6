//! Outside identity checks.

use simurgh_subscriber::IdentityRefusal;
use simurgh_vocab::{CaseId, Locale, Timestamp};

use super::{Asking, Notification, NotificationRefusal};

/// What an outside check needs to begin. The case and the time of the attempt are the idempotency
/// key: beginning again with both gives the same reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityStart {
    /// Our check.
    pub case: CaseId,
    /// When this attempt at it began: a person may try again.
    pub attempt_at: Timestamp,
    /// The code of the rule that asks for it.
    pub rule: String,
    /// Where the browser comes back to. It decides nothing.
    pub return_url: String,
    /// The person's language.
    pub locale: Locale,
}

/// An outside check that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityStarted {
    /// The other side's reference.
    pub reference: String,
    /// Its page for the person.
    pub redirect_url: String,
}

/// The verified word of an outside check. It brings the result only, no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityReport {
    /// The other side's reference.
    pub reference: String,
    /// What it found; nothing while it is not done.
    pub verdict: Option<Result<(), IdentityRefusal>>,
}

/// An outside identity check by redirect.
pub trait IdentityChecker: Send + Sync + 'static {
    /// The code under which it is configured; also the end of its notification address.
    fn code(&self) -> &'static str;

    /// Begins a check.
    fn start(&self, request: IdentityStart) -> Asking<'_, IdentityStarted>;

    /// The truth about a check, for when there is a doubt.
    fn status(&self, reference: String) -> Asking<'_, IdentityReport>;

    /// Verifies a notification. There is no default.
    ///
    /// # Errors
    /// [`NotificationRefusal`].
    fn verify(&self, notification: Notification<'_>)
    -> Result<IdentityReport, NotificationRefusal>;
}
