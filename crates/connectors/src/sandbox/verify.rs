//! The operator's side of the agreement: whom to believe.

use std::sync::Arc;

use simurgh_app::ports::{Clock, Notification, NotificationRefusal};

use super::BODY_BYTES_MAX;
use super::settings::SandboxSettings;
use super::signature::{self, SignatureFault, Signed, Signer};

/// The operator's key and clock.
pub(crate) struct Verifier {
    signer: Signer,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    pub(crate) fn new(settings: &SandboxSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            signer: Signer::new(settings.key()),
            clock,
        }
    }

    /// Believes a notification, and only then gives its body. Nothing of the body is read before
    /// its signature holds, except its length.
    pub(crate) fn believe<'n>(
        &self,
        notification: Notification<'n>,
    ) -> Result<&'n [u8], NotificationRefusal> {
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
        Ok(body)
    }

    /// Signs a request.
    pub(crate) fn sign(&self, method: &str, path: &str, body: &[u8]) -> String {
        let request = Signed::Request { method, path, body };
        self.signer.sign(request, self.clock.now())
    }

    /// Whether an answer is the sandbox's, to the request with this signature.
    pub(crate) fn is_answer(
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
