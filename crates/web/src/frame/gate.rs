//! The gate before every route: what no page of ours could have sent is refused before a handler
//! looks at it. A new route stands behind it without doing anything.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::Refusal;
use crate::server::BodyTimeout;

/// The longest path and query together, in octets: ours stay far below.
const ADDRESS_OCTETS_MAX: usize = 4 * 1024;
/// The longest form or message, in octets; routes may allow less. Files come as multi-part forms,
/// whose routes set their own limit.
const BODY_OCTETS_MAX: usize = 64 * 1024;
/// The most fields of a form or a query: our largest form has about twenty.
const FIELDS_MAX: usize = 200;
/// The time for a body when the server says nothing about it.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How many times longer files may take: photographs over a slow line.
const FILES_PATIENCE: u32 = 10;

/// What a site takes in the body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Forms of browsers.
    Forms,
    /// Messages of programs: JSON, or fields as a form sends them.
    Messages,
}

/// Middleware: refuses addresses and bodies that are too long, too slow, of a kind that the site
/// does not take, or wrongly encoded. Use with `axum::middleware::from_fn_with_state`.
pub async fn gate(State(takes): State<Takes>, request: Request, next: Next) -> Response {
    if let Err(refusal) = address(request.uri()) {
        return refusal.into_response();
    }
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let patience = request.extensions().get::<BodyTimeout>();
    let patience = patience.map_or(BODY_TIMEOUT, |BodyTimeout(patience)| *patience);
    let patience = match kind(request.headers()) {
        Kind::Files => patience.saturating_mul(FILES_PATIENCE),
        Kind::Form | Kind::Json | Kind::Other => patience,
    };
    let late = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| Body::new(Timed::new(body, patience, Arc::clone(&late))));
    let response = match body(takes, request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    if !late.load(Ordering::Relaxed) {
        return response;
    }
    let mut response = Refusal::TooSlow.into_response();
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

fn address(uri: &Uri) -> Result<(), Refusal> {
    let query = uri.query().unwrap_or("");
    if uri.path().len() + query.len() > ADDRESS_OCTETS_MAX {
        return Err(Refusal::AddressTooLong);
    }
    if !well_encoded(uri.path().as_bytes()) {
        return Err(Refusal::BadRequest);
    }
    fields(query.as_bytes())
}

/// The request with its body looked at.
async fn body(takes: Takes, request: Request) -> Result<Request, Refusal> {
    let kind = kind(request.headers());
    match (takes, kind) {
        (Takes::Forms, Kind::Files) => Ok(request),
        (Takes::Forms | Takes::Messages, Kind::Form) => {
            let (parts, octets) = read(request).await?;
            fields(&octets)?;
            Ok(Request::from_parts(parts, Body::from(octets)))
        }
        (Takes::Messages, Kind::Json) => {
            let (parts, octets) = read(request).await?;
            Ok(Request::from_parts(parts, Body::from(octets)))
        }
        (Takes::Forms, Kind::Json | Kind::Other) | (Takes::Messages, Kind::Files | Kind::Other) => {
            if HttpBody::size_hint(request.body()).exact() == Some(0)
                && !request.headers().contains_key(CONTENT_TYPE)
            {
                // Nothing was sent: the handler misses its fields and says which.
                return Ok(as_empty_form(request));
            }
            Err(Refusal::UnknownKind)
        }
    }
}

fn as_empty_form(mut request: Request) -> Request {
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form);
    request
}

/// What a body says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Files,
    Json,
    Other,
}

fn kind(headers: &HeaderMap) -> Kind {
    let told = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let told = told.and_then(|kind| kind.split(';').next()).unwrap_or("");
    let told = told.trim().to_ascii_lowercase();
    match told.as_str() {
        "application/x-www-form-urlencoded" => Kind::Form,
        "multipart/form-data" => Kind::Files,
        "application/json" => Kind::Json,
        json if json.starts_with("application/") && json.ends_with("+json") => Kind::Json,
        _ => Kind::Other,
    }
}

async fn read(request: Request) -> Result<(axum::http::request::Parts, Bytes), Refusal> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let max = u64::try_from(BODY_OCTETS_MAX).unwrap_or(u64::MAX);
    if announced.is_some_and(|announced| announced > max) {
        return Err(Refusal::TooLarge);
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, BODY_OCTETS_MAX).await {
        Ok(octets) => Ok((parts, octets)),
        Err(error) if is_too_long(&error) => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::BadRequest),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| {
        source
            .downcast_ref::<http_body_util::LengthLimitError>()
            .is_some()
    })
}

/// Fields as `application/x-www-form-urlencoded` has them: not too many, percent signs before two
/// hexadecimal digits, UTF-8 without NUL, which no database column takes.
pub(super) fn fields(octets: &[u8]) -> Result<(), Refusal> {
    let count = octets.split(|octet| *octet == b'&').count();
    if count <= FIELDS_MAX && octets.split(|octet| *octet == b'&').all(well_encoded) {
        Ok(())
    } else {
        Err(Refusal::BadRequest)
    }
}

fn well_encoded(text: &[u8]) -> bool {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        if *octet != b'%' {
            decoded.push(*octet);
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return false;
        };
        let (Some(high), Some(low)) = (hexadecimal(*high), hexadecimal(*low)) else {
            return false;
        };
        decoded.push(high << 4 | low);
        rest = after;
    }
    !decoded.contains(&0) && std::str::from_utf8(&decoded).is_ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// A body that must be there in time; `late` tells afterwards whether it was not.
struct Timed {
    body: Body,
    deadline: Pin<Box<Sleep>>,
    late: Arc<AtomicBool>,
}

impl Timed {
    fn new(body: Body, patience: Duration, late: Arc<AtomicBool>) -> Self {
        Self {
            body,
            deadline: Box::pin(sleep(patience)),
            late,
        }
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_ready() || this.deadline.as_mut().poll(cx).is_pending() {
            return frame;
        }
        this.late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(std::io::Error::from(
            std::io::ErrorKind::TimedOut,
        )))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_utf_8_behind_whole_percent_signs() {
        for sound in ["", "a=1&b=%E6%96%B0+x", "a=%25&a=2", "新=1"] {
            assert!(fields(sound.as_bytes()).is_ok(), "{sound}");
        }
        let broken = ["a=%", "a=%E", "a=%zz", "a=%+1", "a=%FF", "%C3=1", "a=%00"];
        for broken in broken {
            assert!(fields(broken.as_bytes()).is_err(), "{broken}");
        }
        assert!(fields(b"a=\xFF").is_err());
        // A character may not be cut by a separator.
        assert!(fields(b"a=%E6&%96%B0").is_err());
        assert!(fields("a&".repeat(FIELDS_MAX).as_bytes()).is_err());
    }
}
