//! The operator's side over HTTP.

use std::sync::Arc;

use reqwest::Method;
use simurgh_app::ports::{
    Asking, Clock, IdentityChecker, IdentityReport, IdentityStart, IdentityStarted, Notification,
    NotificationRefusal,
};

use super::CODE;
use super::desk::SandboxFault;
use super::wire::{self, CheckBody, StartBody, StartedBody};
use crate::sandbox::BODY_BYTES_MAX;
use crate::sandbox::call::{CALL_TIMEOUT, Caller, unknown};
use crate::sandbox::settings::{SandboxSettings, is_name, is_web_address};
use crate::sandbox::verify::Verifier;

/// The operator's side over HTTP.
pub struct SandboxChecker {
    account: String,
    verifier: Verifier,
    caller: Caller,
}

impl SandboxChecker {
    /// Prepares to speak to the sandbox at the settings' public address. No connection is made
    /// before the first call.
    ///
    /// # Errors
    /// `SandboxFault::Http` when the HTTP client cannot be made.
    pub fn new(settings: &SandboxSettings, clock: Arc<dyn Clock>) -> Result<Self, SandboxFault> {
        let caller = Caller::new(settings, Arc::clone(&clock), CALL_TIMEOUT)
            .map_err(|error| SandboxFault::Http(error.to_string()))?;
        Ok(Self {
            account: settings.merchant().to_owned(),
            verifier: Verifier::new(settings, clock),
            caller,
        })
    }
}

impl IdentityChecker for SandboxChecker {
    fn code(&self) -> &'static str {
        CODE
    }

    fn start(&self, request: IdentityStart) -> Asking<'_, IdentityStarted> {
        Box::pin(async move {
            let body = wire::write(&StartBody::new(&request));
            let answer = self
                .caller
                .ask(Method::POST, "/v1/checks", body, BODY_BYTES_MAX)
                .await?;
            let started: StartedBody = wire::read(answer.success()?).map_err(unknown)?;
            if !is_name(&started.reference) || !is_web_address(&started.redirect_url) {
                return Err(unknown("the reference or the page's address is none"));
            }
            Ok(IdentityStarted {
                reference: started.reference,
                redirect_url: started.redirect_url,
            })
        })
    }

    fn status(&self, reference: String) -> Asking<'_, IdentityReport> {
        Box::pin(async move {
            if !is_name(&reference) {
                return Err(unknown("the reference cannot be one"));
            }
            let path = format!("/v1/checks/{reference}");
            let answer = self
                .caller
                .ask(Method::GET, &path, Vec::new(), BODY_BYTES_MAX)
                .await?;
            let check: CheckBody = wire::read(answer.success()?).map_err(unknown)?;
            let report = check.read(&self.account).map_err(unknown)?;
            if report.reference == reference {
                Ok(report)
            } else {
                Err(unknown("the answer is about another check"))
            }
        })
    }

    fn verify(
        &self,
        notification: Notification<'_>,
    ) -> Result<IdentityReport, NotificationRefusal> {
        let body = self.verifier.believe(notification)?;
        wire::parse(body, &self.account).map_err(NotificationRefusal::Malformed)
    }
}
