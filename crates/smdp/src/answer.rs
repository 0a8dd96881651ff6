//! How functions end: what is said when one is not executed, and the frame of every answer.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use simurgh_app::Fault;
use simurgh_rsp::key::KeyError;
use simurgh_rsp::message::json::BodyError;
use simurgh_rsp::message::status::{Status, executed, failed};
use simurgh_rsp::tlv::DecodeError;

/// The version of the protocol in answers. Source: SGP.22 v2.5 §6.4.1.2
const PROTOCOL: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-admin-protocol"),
    HeaderValue::from_static("gsma/rsp/v2.5.0"),
);

/// Why a function was not executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unexecuted {
    /// A named "no", with a text of its own when the usual one says too little.
    Refused(Status, Option<String>),
    /// We failed; the caller may come again.
    Fault(Fault),
}

impl Unexecuted {
    /// A refusal with a text of its own.
    pub(crate) fn because(status: Status, text: impl Into<String>) -> Self {
        Self::Refused(status, Some(text.into()))
    }

    /// A rule of our own is broken.
    pub(crate) fn broken(what: &str) -> Self {
        Self::Fault(Fault::Invariant(format!("eSIM: {what}")))
    }
}

impl From<Status> for Unexecuted {
    fn from(status: Status) -> Self {
        Self::Refused(status, None)
    }
}

impl From<Fault> for Unexecuted {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<KeyError> for Unexecuted {
    /// Our own keys.
    fn from(error: KeyError) -> Self {
        Self::broken(&error.to_string())
    }
}

impl From<BodyError> for Unexecuted {
    /// A certificate that cannot be read is a certificate that is not valid; anything else is a fault of form.
    fn from(error: BodyError) -> Self {
        let status = match &error {
            BodyError::Missing(_) => Status::ProtocolFormatMissing,
            BodyError::Structure { error, .. } => match error {
                DecodeError::Invalid { field, .. } if *field == "eumCertificate" => {
                    Status::EumCertificateVerificationFailed
                }
                DecodeError::Invalid { field, .. } if *field == "euiccCertificate" => {
                    Status::EuiccCertificateVerificationFailed
                }
                DecodeError::Missing { .. } => Status::ProtocolFormatMissing,
                DecodeError::Invalid { .. }
                | DecodeError::Tlv { .. }
                | DecodeError::Unexpected { .. } => Status::ProtocolFormatInvalid,
            },
            BodyError::NotAnObject | BodyError::Invalid(_) => Status::ProtocolFormatInvalid,
        };
        Self::because(status, format!("{}: {error}", status.text()))
    }
}

/// What a function answers when it is executed.
pub(crate) type Executed = Result<Map<String, Value>, Unexecuted>;

/// The answer of the function `name`.
pub(crate) fn answer(name: &'static str, outcome: Executed) -> Response {
    answer_text(name, outcome.map(|fields| text(&executed(fields))))
}

/// The answer of the function `name`, which wrote it itself.
pub(crate) fn answer_text(name: &'static str, outcome: Result<String, Unexecuted>) -> Response {
    let body = match outcome {
        Ok(body) => {
            count(name, "executed");
            return json(StatusCode::OK, body);
        }
        Err(Unexecuted::Refused(status, text)) => {
            count(name, "refused");
            tracing::info!(
                function = name,
                subject = status.subject(),
                reason = status.reason(),
                text,
                "refused"
            );
            failed(status, text.as_deref())
        }
        Err(Unexecuted::Fault(fault)) => {
            count(name, "failed");
            tracing::error!(function = name, %fault, "a function of eSIM failed");
            failed(Status::FunctionExecutionError, None)
        }
    };
    json(StatusCode::OK, text(&body))
}

/// A refusal of somebody who may not call.
pub(crate) fn turned_away(code: StatusCode, status: Status) -> Response {
    json(code, text(&failed(status, None)))
}

/// Nothing to say: what a notification is answered with.
pub(crate) fn received() -> Response {
    framed(Response::new(Body::empty()), StatusCode::NO_CONTENT)
}

/// Not received: the phone keeps the notification and brings it again.
pub(crate) fn not_received() -> Response {
    framed(
        Response::new(Body::empty()),
        StatusCode::SERVICE_UNAVAILABLE,
    )
}

/// Values written as text; faster than their `Display`, which goes through a formatter piece by piece.
fn text(body: &Value) -> String {
    serde_json::to_string(body).unwrap_or_else(|_| body.to_string())
}

fn json(code: StatusCode, body: String) -> Response {
    let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    framed(([json], body).into_response(), code)
}

fn framed(mut response: Response, code: StatusCode) -> Response {
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(PROTOCOL.0, PROTOCOL.1);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn count(function: &'static str, outcome: &'static str) {
    metrics::counter!("simurgh_esim_functions_total", "function" => function, "outcome" => outcome)
        .increment(1);
}
