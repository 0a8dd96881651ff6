//! The one way from received bytes to a [`ProviderEvent`].

use std::sync::Arc;

use simurgh_app::ports::{Clock, Notification, NotificationRefusal, ProviderEvent, ProviderReport};

use super::BODY_BYTES_MAX;
use super::settings::{SandboxSettings, is_name};
use super::signature::{self, SignatureFault, Signed, Signer};
use super::wire::{self, NotificationBody, PaymentBody};

/// The operator's side of the agreement: its key, its name and its clock.
pub(super) struct Verifier {
    merchant: String,
    signer: Signer,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    pub(super) fn new(settings: &SandboxSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            merchant: settings.merchant().to_owned(),
            signer: Signer::new(settings.key()),
            clock,
        }
    }

    /// Believes a notification, or says why not. Nothing of the body is read before its signature
    /// holds, except its length.
    pub(super) fn verify(
        &self,
        notification: Notification<'_>,
    ) -> Result<ProviderEvent, NotificationRefusal> {
        let body = notification.body;
        if body.len() > BODY_BYTES_MAX {
            return Err(NotificationRefusal::Malformed("the body is too large"));
        }
        let header =
            only_signature(notification.headers).ok_or(NotificationRefusal::BadSignature)?;
        self.signer
            .verify(Signed::Notification { body }, header, self.clock.now())
            .map_err(|fault| match fault {
                SignatureFault::Wrong => NotificationRefusal::BadSignature,
                SignatureFault::TooOld => NotificationRefusal::TooOld,
            })?;
        parse(body, &self.merchant).map_err(NotificationRefusal::Malformed)
    }

    /// Signs a request.
    pub(super) fn sign(&self, method: &str, path: &str, body: &[u8]) -> String {
        let request = Signed::Request { method, path, body };
        self.signer.sign(request, self.clock.now())
    }

    /// Whether an answer is the provider's, to the request with this signature.
    pub(super) fn is_answer(
        &self,
        header: &str,
        request_header: &str,
        status: u16,
        body: &[u8],
    ) -> bool {
        let answer = Signed::Answer {
            request_digest: signature::digest(request_header),
            status,
            body,
        };
        self.signer.verify(answer, header, self.clock.now()).is_ok()
    }

    /// Reads what the provider says of a payment.
    pub(super) fn report(&self, body: &[u8]) -> Result<ProviderReport, &'static str> {
        wire::read::<PaymentBody>(body)?.read(&self.merchant)
    }
}

/// The signature, if there is exactly one.
fn only_signature(headers: &[(String, String)]) -> Option<&str> {
    let mut signatures = headers
        .iter()
        .filter(|(name, _)| name == signature::HEADER)
        .map(|(_, value)| value.as_str());
    match (signatures.next(), signatures.next()) {
        (Some(signature), None) => Some(signature),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// Reads a signed body, strictly.
pub(super) fn parse(body: &[u8], merchant: &str) -> Result<ProviderEvent, &'static str> {
    let notification: NotificationBody = wire::read(body)?;
    if !is_name(&notification.event_id) {
        return Err("the event's id cannot be one");
    }
    Ok(ProviderEvent {
        event_id: notification.event_id,
        report: notification.payment.read(merchant)?,
    })
}

/// Writes what [`parse`] reads.
pub(super) fn body(event_id: &str, report: &ProviderReport, merchant: &str) -> Vec<u8> {
    wire::write(&NotificationBody {
        event_id: event_id.to_owned(),
        payment: PaymentBody::new(report, merchant),
    })
}
