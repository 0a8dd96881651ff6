//! The operator's side over HTTP.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use simurgh_app::ports::{
    Asking, ChargeRequest, Clock, Notification, NotificationRefusal, OpenRequest, Opened,
    PaymentProvider, ProviderEvent, ProviderFault, ProviderReport, RefundRequest, RefundStatus,
};
use simurgh_commerce::MethodKind;
use simurgh_vocab::PaymentId;

use super::book::{BookCopy, Refusal};
use super::desk::SandboxFault;
use super::direct::not_found;
use super::outcome::Outcome;
use super::verify::Verifier;
use super::wire::{
    self, BookBody, ChargeBody, OpenBody, OpenedBody, OutcomeBody, RefundBody, RefundedBody,
};
use super::{ACKNOWLEDGEMENT, CODE, METHODS};
use crate::sandbox::BODY_BYTES_MAX;
use crate::sandbox::call::{Answer, CALL_TIMEOUT, Caller, unknown};
use crate::sandbox::settings::{SandboxSettings, is_web_address};

/// The most a copy of the whole book may hold: some hundred thousand payments.
const BOOK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The operator's side over HTTP.
pub struct SandboxProvider {
    verifier: Verifier,
    caller: Caller,
}

impl SandboxProvider {
    /// Prepares to speak to the provider at the settings' public address. No connection is made
    /// before the first call.
    ///
    /// # Errors
    /// `SandboxFault::Http` when the HTTP client cannot be made.
    pub fn new(settings: SandboxSettings, clock: Arc<dyn Clock>) -> Result<Self, SandboxFault> {
        Self::with_timeout(settings, clock, CALL_TIMEOUT)
    }

    pub(super) fn with_timeout(
        settings: SandboxSettings,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Result<Self, SandboxFault> {
        let caller = Caller::new(&settings, Arc::clone(&clock), timeout)
            .map_err(|error| SandboxFault::Http(error.to_string()))?;
        Ok(Self {
            verifier: Verifier::new(&settings, clock),
            caller,
        })
    }

    /// Decides a payment at the provider, as its payer would on the page: for tests and benchmarks.
    ///
    /// # Errors
    /// [`ProviderFault`].
    pub async fn decide(&self, payment: PaymentId, outcome: Outcome) -> Result<(), ProviderFault> {
        let path = format!("/v1/payments/{}/outcome", payment.number());
        let body = wire::write(&OutcomeBody {
            outcome: outcome.code().to_owned(),
        });
        let answer = self.ask(Method::POST, &path, body, BODY_BYTES_MAX).await?;
        answer.success().map(drop)
    }

    /// The provider's whole book, to be compared with ours.
    ///
    /// # Errors
    /// [`ProviderFault`].
    pub async fn book(&self) -> Result<BookCopy, ProviderFault> {
        let path = "/v1/book";
        let answer = self
            .ask(Method::GET, path, Vec::new(), BOOK_BYTES_MAX)
            .await?;
        let body: BookBody = wire::read(answer.success()?).map_err(unknown)?;
        body.read().map_err(unknown)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        body_bytes_max: usize,
    ) -> Result<Answer, ProviderFault> {
        self.caller.ask(method, path, body, body_bytes_max).await
    }
}

impl PaymentProvider for SandboxProvider {
    fn code(&self) -> &'static str {
        CODE
    }

    fn methods(&self) -> &[MethodKind] {
        METHODS
    }

    fn can_store(&self, method: MethodKind) -> bool {
        METHODS.contains(&method)
    }

    fn open(&self, request: OpenRequest) -> Asking<'_, Opened> {
        Box::pin(async move {
            let body = wire::write(&OpenBody::new(&request));
            let answer = self
                .ask(Method::POST, "/v1/payments", body, BODY_BYTES_MAX)
                .await?;
            let opened: OpenedBody = wire::read(answer.success()?).map_err(unknown)?;
            if !is_web_address(&opened.redirect_url) {
                return Err(unknown("the page's address is none"));
            }
            Ok(Opened {
                redirect_url: opened.redirect_url,
            })
        })
    }

    fn charge(&self, request: ChargeRequest) -> Asking<'_, ProviderReport> {
        Box::pin(async move {
            let body = wire::write(&ChargeBody::new(&request));
            let answer = self
                .ask(Method::POST, "/v1/charges", body, BODY_BYTES_MAX)
                .await?;
            self.report(answer.success()?, request.payment)
        })
    }

    fn status(&self, payment: PaymentId) -> Asking<'_, ProviderReport> {
        Box::pin(async move {
            let path = format!("/v1/payments/{}", payment.number());
            let answer = self
                .ask(Method::GET, &path, Vec::new(), BODY_BYTES_MAX)
                .await?;
            if answer.is_unheard_of(Refusal::PaymentUnknown.code()) {
                return Ok(not_found(payment));
            }
            self.report(answer.success()?, payment)
        })
    }

    fn refund(&self, request: RefundRequest) -> Asking<'_, RefundStatus> {
        Box::pin(async move {
            let body = wire::write(&RefundBody::new(&request));
            let answer = self
                .ask(Method::POST, "/v1/refunds", body, BODY_BYTES_MAX)
                .await?;
            let refunded: RefundedBody = wire::read(answer.success()?).map_err(unknown)?;
            if refunded.refund != request.refund.number() {
                return Err(unknown("the answer is about another refund"));
            }
            refunded.read().map_err(unknown)
        })
    }

    fn verify(&self, notification: Notification<'_>) -> Result<ProviderEvent, NotificationRefusal> {
        self.verifier.verify(notification)
    }

    fn acknowledgement(&self) -> &'static str {
        ACKNOWLEDGEMENT
    }
}

impl SandboxProvider {
    /// Reads an answer about `payment`, and nothing about another.
    fn report(&self, body: &[u8], payment: PaymentId) -> Result<ProviderReport, ProviderFault> {
        let report = self.verifier.report(body).map_err(unknown)?;
        if report.payment == payment {
            Ok(report)
        } else {
            Err(unknown("the answer is about another payment"))
        }
    }
}
