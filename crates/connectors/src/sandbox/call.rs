//! Signed calls of the operator's side.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode, Url};
use simurgh_app::ports::{Clock, ProviderFault};

use super::settings::SandboxSettings;
use super::signature;
use super::verify::Verifier;
use super::wire::{self, ErrorBody};

/// How long one call may take. The customer waits for an opening; a late answer is as good as none.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Calls a sandbox.
pub(crate) struct Caller {
    base: String,
    verifier: Verifier,
    http: Client,
}

/// An answer whose signature held.
pub(crate) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Caller {
    /// Prepares to speak to the sandbox at the settings' public address. No connection is made
    /// before the first call.
    pub(crate) fn new(
        settings: &SandboxSettings,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            base: settings.public_url().to_owned(),
            verifier: Verifier::new(settings, clock),
            http,
        })
    }

    /// Sends a signed request; answers only what the sandbox signed for it.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        body_bytes_max: usize,
    ) -> Result<Answer, ProviderFault> {
        let url = Url::parse(&format!("{}{path}", self.base)).map_err(unknown)?;
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

impl Answer {
    /// Whether it says 404 with this code.
    pub(crate) fn is_unheard_of(&self, unheard_of: &str) -> bool {
        self.status == StatusCode::NOT_FOUND && code(&self.body).as_deref() == Some(unheard_of)
    }

    /// The body of a 2xx answer. A 4xx with a code is a clear no; everything else, and the 4xx
    /// that ask for another try (RFC 9110 §15.5.9, RFC 6585 §4), leaves the outcome open.
    pub(crate) fn success(&self) -> Result<&[u8], ProviderFault> {
        if self.status.is_success() {
            return Ok(&self.body);
        }
        let again = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        if self.status.is_client_error()
            && !again.contains(&self.status)
            && let Some(code) = code(&self.body)
        {
            return Err(ProviderFault::Refused(code));
        }
        Err(unknown(format!("status {}", self.status)))
    }
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

/// A fault that leaves the outcome open.
pub(crate) fn unknown(reason: impl std::fmt::Display) -> ProviderFault {
    ProviderFault::Unknown(reason.to_string())
}
