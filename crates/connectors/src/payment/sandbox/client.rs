//! The operator's side over HTTP.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode, Url};
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
use super::settings::{SandboxSettings, is_web_address};
use super::signature;
use super::verify::Verifier;
use super::wire::{
    self, BookBody, ChargeBody, ErrorBody, OpenBody, OpenedBody, OutcomeBody, RefundBody,
    RefundedBody,
};
use super::{ACKNOWLEDGEMENT, BODY_BYTES_MAX, CODE, METHODS};

/// How long one call may take. The customer waits for an opening; a late answer is as good as none.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The most a copy of the whole book may hold: some hundred thousand payments.
const BOOK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The operator's side over HTTP.
pub struct SandboxProvider {
    settings: SandboxSettings,
    verifier: Verifier,
    http: Client,
}

/// An answer whose signature held.
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl SandboxProvider {
    /// Prepares to speak to the provider at the settings' public address. No connection is made
    /// before the first call.
    ///
    /// # Errors
    /// [`SandboxFault::Http`] when the HTTP client cannot be made.
    pub fn new(settings: SandboxSettings, clock: Arc<dyn Clock>) -> Result<Self, SandboxFault> {
        Self::with_timeout(settings, clock, CALL_TIMEOUT)
    }

    pub(super) fn with_timeout(
        settings: SandboxSettings,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Result<Self, SandboxFault> {
        let http = Client::builder()
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| SandboxFault::Http(error.to_string()))?;
        Ok(Self {
            verifier: Verifier::new(&settings, clock),
            settings,
            http,
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
        success(&answer).map(drop)
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
        let body: BookBody = wire::read(success(&answer)?).map_err(unknown)?;
        body.read().map_err(unknown)
    }

    /// Sends a signed request; answers only what the provider signed for it.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        body_bytes_max: usize,
    ) -> Result<Answer, ProviderFault> {
        let url = Url::parse(&format!("{}{path}", self.settings.public_url())).map_err(unknown)?;
        // What is signed is the path as it goes over the wire, with whatever prefix the public
        // address has.
        let signature = self.verifier.sign(method.as_str(), url.path(), &body);
        let response = self
            .http
            .request(method, url)
            .header(signature::HEADER, &signature)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .map_err(|error| unknown(error.without_url()))?;
        let status = response.status();
        let answer_signature = response
            .headers()
            .get(signature::HEADER)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let body = limited_body(response, body_bytes_max).await?;
        if !self
            .verifier
            .is_answer(&answer_signature, &signature, status.as_u16(), &body)
        {
            return Err(unknown(format!(
                "an answer {status} that the provider did not sign"
            )));
        }
        Ok(Answer { status, body })
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
            let opened: OpenedBody = wire::read(success(&answer)?).map_err(unknown)?;
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
            self.report(success(&answer)?, request.payment)
        })
    }

    fn status(&self, payment: PaymentId) -> Asking<'_, ProviderReport> {
        Box::pin(async move {
            let path = format!("/v1/payments/{}", payment.number());
            let answer = self
                .ask(Method::GET, &path, Vec::new(), BODY_BYTES_MAX)
                .await?;
            if answer.status == StatusCode::NOT_FOUND
                && code(&answer.body).as_deref() == Some(Refusal::PaymentUnknown.code())
            {
                return Ok(not_found(payment));
            }
            self.report(success(&answer)?, payment)
        })
    }

    fn refund(&self, request: RefundRequest) -> Asking<'_, RefundStatus> {
        Box::pin(async move {
            let body = wire::write(&RefundBody::new(&request));
            let answer = self
                .ask(Method::POST, "/v1/refunds", body, BODY_BYTES_MAX)
                .await?;
            let refunded: RefundedBody = wire::read(success(&answer)?).map_err(unknown)?;
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

/// The body of a 2xx answer. A 4xx with a code is a clear no; everything else, and the 4xx that
/// ask for another try (RFC 9110 §15.5.9, RFC 6585 §4), leaves the outcome open.
fn success(answer: &Answer) -> Result<&[u8], ProviderFault> {
    if answer.status.is_success() {
        return Ok(&answer.body);
    }
    let again = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    if answer.status.is_client_error()
        && !again.contains(&answer.status)
        && let Some(code) = code(&answer.body)
    {
        return Err(ProviderFault::Refused(code));
    }
    Err(unknown(format!("status {}", answer.status)))
}

/// The code of a refusal.
fn code(body: &[u8]) -> Option<String> {
    let error: ErrorBody = wire::read(body).ok()?;
    simurgh_vocab::is_code(&error.code).then_some(error.code)
}

async fn limited_body(
    mut response: Response,
    body_bytes_max: usize,
) -> Result<Vec<u8>, ProviderFault> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unknown(error.without_url()))?
    {
        if body.len().saturating_add(chunk.len()) > body_bytes_max {
            return Err(unknown("the answer is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unknown(reason: impl std::fmt::Display) -> ProviderFault {
    ProviderFault::Unknown(reason.to_string())
}
