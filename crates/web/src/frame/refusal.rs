//! What a visitor is told when a page cannot be given: what happened and what to do next.

use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

use super::Page;
use crate::i18n::key;

/// Why a page cannot be given. As a response it is empty; [`dress`](super::dress) turns it into a
/// page in the visitor's language, or into problem JSON for programs (RFC 9457).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 400: the request makes no sense, such as a field that no form of ours has.
    BadRequest,
    /// 403: not allowed, or a form whose token is stale.
    Forbidden,
    /// 404: nothing is here, or nothing of this customer's.
    NotFound,
    /// 405: the address is there, but not for this method.
    MethodNotAllowed,
    /// 408: the request did not come to its end in time.
    TooSlow,
    /// 413: more octets than a form of ours can have.
    TooLarge,
    /// 414: a longer address than ours are.
    AddressTooLong,
    /// 415: something else than a form, or whatever this address takes.
    UnknownKind,
    /// 429: too many attempts.
    TooMany {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// 500: a defect of ours.
    Internal,
    /// 503: the store or a neighbour is away.
    Unavailable,
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::AddressTooLong => StatusCode::URI_TOO_LONG,
            Self::UnknownKind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The refusal that explains an error status which something else chose; `None` below 400.
    pub(super) fn of_status(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        let refusal = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND | StatusCode::GONE => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::TooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::URI_TOO_LONG => Self::AddressTooLong,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnknownKind,
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany {
                retry_after_seconds: seconds(headers).unwrap_or(60),
            },
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Self::Unavailable,
            other if other.is_server_error() => Self::Internal,
            _ => Self::BadRequest,
        };
        Some(refusal)
    }

    /// The key of the heading; its attribute `.next` says what to do.
    const fn key(self) -> &'static str {
        match self {
            Self::BadRequest => key("error-bad-request"),
            Self::Forbidden => key("error-forbidden"),
            Self::NotFound => key("error-not-found"),
            Self::MethodNotAllowed => key("error-method"),
            Self::TooSlow => key("error-too-slow"),
            Self::TooLarge => key("error-too-large"),
            Self::AddressTooLong => key("error-address-too-long"),
            Self::UnknownKind => key("error-unknown-kind"),
            Self::TooMany { .. } => key("error-too-many"),
            Self::Internal => key("error-internal"),
            Self::Unavailable => key("error-unavailable"),
        }
    }

    fn next(self, page: &Page) -> String {
        let next = format!("{}.next", self.key());
        match self {
            Self::TooMany {
                retry_after_seconds,
            } => {
                let minutes = retry_after_seconds.div_ceil(60).max(1);
                page.t.with(&next, "minutes", minutes).to_string()
            }
            Self::BadRequest
            | Self::Forbidden
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::TooSlow
            | Self::TooLarge
            | Self::AddressTooLong
            | Self::UnknownKind
            | Self::Internal
            | Self::Unavailable => page.t.msg(&next),
        }
    }

    /// The page or the problem that explains it.
    pub(super) fn explain(
        self,
        status: StatusCode,
        page: Page,
        kind: Explanation,
        reference: Option<&Reference>,
    ) -> Response {
        let (title, next) = (page.t.msg(self.key()), self.next(&page));
        let reference = reference.map(|reference| reference.0.clone());
        match kind {
            Explanation::Page => {}
            Explanation::Problem => {
                let problem = Problem {
                    status,
                    title: &title,
                    detail: &next,
                };
                return problem.answer(reference.as_deref());
            }
        }
        let template = ErrorPage {
            title,
            next,
            status: status.as_u16(),
            reference,
            page,
        };
        match askama::Template::render(&template) {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, "the error page could not be rendered");
                (status, template.title).into_response()
            }
        }
    }
}

/// How an error is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Explanation {
    /// By a page.
    Page,
    /// By problem JSON.
    Problem,
}

impl Explanation {
    /// What the request's `Accept` wishes.
    pub(super) fn wished(headers: &HeaderMap) -> Self {
        if prefers_json(headers) {
            Self::Problem
        } else {
            Self::Page
        }
    }
}

/// An error as programs read it.
/// Source: RFC 9457 §3.1. `reference` is an extension member (§3.2): the id of the request.
pub(crate) struct Problem<'p> {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// What kind of error it is; the same for every occurrence.
    pub(crate) title: &'p str,
    /// What to do about this one.
    pub(crate) detail: &'p str,
}

impl Problem<'_> {
    /// The problem as an answer.
    pub(crate) fn answer(&self, reference: Option<&str>) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let (Some(reference), Some(members)) = (reference, body.as_object_mut()) {
            members.insert("reference".to_owned(), reference.into());
        }
        let kind = HeaderValue::from_static("application/problem+json");
        (self.status, [(CONTENT_TYPE, kind)], body.to_string()).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Self::TooMany {
            retry_after_seconds,
        } = self
        {
            let value = HeaderValue::from(retry_after_seconds);
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    }
}

/// The id of a request, shown on error pages so that support can find it. Whoever gives requests
/// their ids puts it into the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(pub String);

#[derive(askama::Template)]
#[template(path = "static/error.html")]
struct ErrorPage {
    page: Page,
    title: String,
    next: String,
    status: u16,
    reference: Option<String>,
}

fn seconds(headers: &HeaderMap) -> Option<u32> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

/// Whether the `Accept` header names JSON before HTML, or JSON only. `*/*` alone means a browser
/// or a person with a terminal: HTML.
fn prefers_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or("").to_ascii_lowercase();
    match (accept.find("json"), accept.find("text/html")) {
        (Some(json), Some(html)) => json < html,
        (Some(_), None) => true,
        (None, _) => false,
    }
}
