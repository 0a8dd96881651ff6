//! The door of a sandbox's API: every request is signed, and so is every answer to a signed request.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use simurgh_app::ports::Clock;

use super::signature::{self, SignatureFault, Signed, Signer};
use super::wire::{self, ErrorBody, Unreadable};
use super::{BODY_BYTES_MAX, Fault, Refused};

/// The sandbox's key and clock.
pub(crate) struct Gate {
    pub(crate) signer: Signer,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Lets a request through when its signature holds, and signs the answer to it. What is not signed
/// gets an answer that is not signed either: it could be for anybody.
pub(crate) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "the body is too large",
        );
    };
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let signed = Signed::Request {
        method: parts.method.as_str(),
        path: &path,
        body: &body,
    };
    let Some(signature) = only_signature(&parts.headers) else {
        return unauthorised(SignatureFault::Wrong);
    };
    if let Err(fault) = gate.signer.verify(signed, &signature, gate.clock.now()) {
        return unauthorised(fault);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    sign_answer(&gate, response, &signature).await
}

async fn sign_answer(gate: &Gate, response: Response, request_signature: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    // The body was made here, from the book; it has no limit but the book's.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let answer = Signed::Answer {
        request_digest: signature::digest(request_signature),
        status: parts.status.as_u16(),
        body: &body,
    };
    let signature = gate.signer.sign(answer, gate.clock.now());
    if let Ok(value) = HeaderValue::from_str(&signature) {
        parts.headers.insert(signature::HEADER, value);
    }
    Response::from_parts(parts, Body::from(body))
}

fn only_signature(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(signature::HEADER).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().map(str::to_owned),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

fn unauthorised(fault: SignatureFault) -> Response {
    let (code, message) = match fault {
        SignatureFault::Wrong => ("signature-wrong", "the signature is missing or wrong"),
        SignatureFault::TooOld => ("signature-old", "the request was signed too long ago"),
    };
    error(StatusCode::UNAUTHORIZED, code, message)
}

/// Why the API does not do as asked.
pub(crate) enum ApiRefusal<R> {
    Unreadable(Unreadable),
    Fault(Fault<R>),
    /// The outcome chosen for the subject is that nobody answers.
    NoAnswer,
}

impl<R> From<Unreadable> for ApiRefusal<R> {
    fn from(reason: Unreadable) -> Self {
        Self::Unreadable(reason)
    }
}

impl<R> From<Fault<R>> for ApiRefusal<R> {
    fn from(fault: Fault<R>) -> Self {
        Self::Fault(fault)
    }
}

/// What the API answers.
pub(crate) fn answer<T: Serialize, R: Refused>(result: Result<T, ApiRefusal<R>>) -> Response {
    let refusal = match result {
        Ok(body) => return json(StatusCode::OK, wire::write(&body)),
        Err(refusal) => refusal,
    };
    match refusal {
        ApiRefusal::Unreadable(reason) => error(StatusCode::BAD_REQUEST, "unreadable", reason),
        ApiRefusal::NoAnswer => error(StatusCode::GATEWAY_TIMEOUT, "no-answer", "no answer"),
        ApiRefusal::Fault(Fault::Refused(refusal)) => {
            error(refusal.status(), refusal.code(), &refusal.to_string())
        }
        ApiRefusal::Fault(fault @ (Fault::Journal(_) | Fault::Http(_))) => {
            tracing::error!(%fault, "a sandbox failed");
            error(StatusCode::INTERNAL_SERVER_ERROR, "fault", "a fault inside")
        }
    }
}

/// An answer that says no.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = ErrorBody {
        code: code.to_owned(),
        message: message.to_owned(),
    };
    json(status, wire::write(&body))
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
