//! Who is on duty: cookies, the layer that reads them, and the notice about what was just done.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use simurgh_app::desk::{OnDuty, StaffToken};

use crate::frame::{Flash, Page, Refusal, Tone, Visitor};
use crate::i18n::key;
use crate::portal::fields::encoded;
use crate::state::WebState;

/// The cookie of a session. The prefix binds it to this host and to TLS (RFC 6265bis §4.1.3.2).
const SESSION: &str = "__Host-simurgh-staff";
/// The cookie that forms are bound to before a log-in.
const VISIT: &str = "__Host-simurgh-staff-visit";
/// The cookie that carries what was just done to the next page.
const DONE: &str = "__Host-simurgh-staff-done";

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// A member of staff on duty; the layer [`require`] lets nobody else through.
#[derive(Clone)]
pub(super) struct Staff(pub(super) OnDuty);

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Refusal::Forbidden)
    }
}

/// A member of staff who proved lately who they are, as whatever is risky asks: money, and profiles taken away.
/// Everybody else is asked for it first, and comes back (V7.5.1).
pub(super) struct Proven(pub(super) Staff);

impl<S: Send + Sync> FromRequestParts<S> for Proven {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let staff = Staff::from_request_parts(parts, state).await;
        let staff = staff.map_err(IntoResponse::into_response)?;
        if staff.0.proved_lately {
            return Ok(Self(staff));
        }
        Err(see(&format!("/proof?next={}", encoded(parts.uri.path()))))
    }
}

/// The token of the session that the browser has, open or not.
#[derive(Clone)]
pub(super) struct Held(pub(super) Option<StaffToken>);

impl<S: Send + Sync> FromRequestParts<S> for Held {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let token = cookie(&parts.headers, SESSION);
        Ok(Self(token.map(StaffToken::presented)))
    }
}

/// What was just done, told once on the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    LoggedOut,
    RefundRequested,
    RefundSettled,
    RefundResent,
    TicketAnswered,
    TicketClosed,
    JobRetried,
    IdentityDecided,
    ProfileWithdrawn,
    ProfileReleased,
    ProfileReissued,
    ProfileProtected,
}

impl Done {
    const ALL: [Self; 12] = [
        Self::LoggedOut,
        Self::RefundRequested,
        Self::RefundSettled,
        Self::RefundResent,
        Self::TicketAnswered,
        Self::TicketClosed,
        Self::JobRetried,
        Self::IdentityDecided,
        Self::ProfileWithdrawn,
        Self::ProfileReleased,
        Self::ProfileReissued,
        Self::ProfileProtected,
    ];

    const fn key(self) -> &'static str {
        match self {
            Self::LoggedOut => key("desk-done-logged-out"),
            Self::RefundRequested => key("desk-done-refund-requested"),
            Self::RefundSettled => key("desk-done-refund-settled"),
            Self::RefundResent => key("desk-done-refund-resent"),
            Self::TicketAnswered => key("desk-done-ticket-answered"),
            Self::TicketClosed => key("desk-done-ticket-closed"),
            Self::JobRetried => key("desk-done-job-retried"),
            Self::IdentityDecided => key("desk-done-identity-decided"),
            Self::ProfileWithdrawn => key("desk-done-profile-withdrawn"),
            Self::ProfileReleased => key("desk-done-profile-released"),
            Self::ProfileReissued => key("desk-done-profile-reissued"),
            Self::ProfileProtected => key("desk-done-profile-protected"),
        }
    }

    /// Leads to `path` and tells there what was done.
    pub(super) fn at(self, path: &str) -> Response {
        let cookie = set_cookie(DONE, self.key());
        let mut response = see(path);
        response.headers_mut().append(SET_COOKIE, cookie);
        response
    }
}

/// Leads to a page of this console.
pub(super) fn see(path: &str) -> Response {
    match HeaderValue::from_str(path) {
        Ok(path) => (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response(),
        Err(_) => Refusal::Internal.into_response(),
    }
}

/// Gives the browser a session and leads to `path`.
pub(super) fn begin(token: &StaffToken, path: &str) -> Response {
    let mut response = see(path);
    let headers = response.headers_mut();
    headers.append(SET_COOKIE, set_cookie(SESSION, token.reveal()));
    headers.append(SET_COOKIE, clear_cookie(VISIT));
    response
}

/// Takes the session from the browser, with all it kept of the console.
pub(super) fn end() -> Response {
    let mut response = Done::LoggedOut.at("/login");
    let headers = response.headers_mut();
    headers.append(SET_COOKIE, clear_cookie(SESSION));
    let everything = HeaderValue::from_static("\"cache\", \"storage\"");
    headers.insert(CLEAR_SITE_DATA, everything);
    response
}

/// The layer around every page: finds out who is on duty, gives forms their token, tells what was
/// just done, explains refusals.
pub(super) async fn watch(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let duty = match cookie(&parts.headers, SESSION) {
        Some(token) => state.app.staff_on_duty(&StaffToken::presented(token)).await,
        None => Ok(None),
    };
    let duty = match duty {
        Ok(duty) => duty,
        Err(fault) => {
            tracing::error!(%fault, "a session of staff cannot be read");
            return Refusal::Unavailable.into_response();
        }
    };
    let visit = cookie(&parts.headers, VISIT).map(str::to_owned);
    let (bound, new_visit) = match (&duty, visit) {
        (Some(_), _) => (String::new(), None),
        (None, Some(visit)) => (visit, None),
        (None, None) => {
            let visit = state.app.visitor_cookie();
            (visit.clone(), Some(visit))
        }
    };
    let done = cookie(&parts.headers, DONE)
        .and_then(|code| Done::ALL.into_iter().find(|done| done.key() == code));
    let mut visitor = Visitor {
        name: duty.as_ref().map(|duty| duty.name.clone()),
        zone: Some(state.app.settings.entity_time_zone.zone()),
        csrf: match &duty {
            Some(duty) => duty.form_token.clone(),
            None => state.app.csrf_token(&bound),
        },
        ..Visitor::default()
    };
    parts.extensions.insert(visitor.clone());
    let Ok(mut page) = Page::from_request_parts(&mut parts, &state).await;
    visitor.flash = done.map(|done| Flash {
        tone: Tone::Success,
        text: page.t.msg(done.key()),
    });
    page.flash.clone_from(&visitor.flash);
    parts.extensions.insert(visitor);
    if let Some(duty) = duty {
        parts.extensions.insert(Staff(duty));
    }
    let wants_json = names_json(&parts.headers);
    let response = next.run(Request::from_parts(parts, body)).await;
    let mut response = if wants_json {
        response
    } else {
        explain(page, response)
    };
    let told = done.is_some() && !response.status().is_redirection();
    let headers = response.headers_mut();
    if told {
        headers.append(SET_COOKIE, clear_cookie(DONE));
    }
    if let Some(visit) = new_visit {
        headers.append(SET_COOKIE, set_cookie(VISIT, &visit));
    }
    response
}

/// The layer around what needs a session: everybody else is sent to log in, and comes back.
pub(super) async fn require(request: Request, next: Next) -> Response {
    if request.extensions().get::<Staff>().is_some() {
        return next.run(request).await;
    }
    if request.method().is_safe() {
        // Only the path is kept: a query may hold what belongs into no log.
        see(&format!("/login?next={}", encoded(request.uri().path())))
    } else {
        Refusal::Forbidden.into_response()
    }
}

/// Keeps the portal's worker and its manifest away.
pub(super) async fn without_worker(request: Request, next: Next) -> Response {
    match request.uri().path() {
        "/sw.js" | "/manifest.webmanifest" => Refusal::NotFound.into_response(),
        _ => next.run(request).await,
    }
}

/// A path of this console, or the first page: never another site.
pub(super) fn own_path(text: &str) -> &str {
    let own = text.starts_with('/')
        && !text.starts_with("//")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-".contains(&byte));
    if own { text } else { "/" }
}

#[derive(askama::Template)]
#[template(path = "console/refused.html")]
struct Refused {
    page: Page,
    status: u16,
    title: String,
    next: String,
}

/// Gives a refusal without a page one in the frame of the console.
fn explain(page: Page, response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE);
    let has_page = kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"));
    if has_page || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let key = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => key("desk-refused-forbidden"),
        StatusCode::NOT_FOUND => key("desk-refused-not-found"),
        StatusCode::PAYLOAD_TOO_LARGE => key("desk-refused-too-large"),
        StatusCode::SERVICE_UNAVAILABLE => key("desk-refused-unavailable"),
        status if status.is_server_error() => key("desk-refused-internal"),
        _ => key("desk-refused-bad-request"),
    };
    let refused = Refused {
        status: status.as_u16(),
        title: page.t.msg(key),
        next: page.t.msg(&format!("{key}.next")),
        page,
    };
    let mut explained = Page::answer(&refused);
    *explained.status_mut() = status;
    let cookies = response.headers().get_all(SET_COOKIE).iter().cloned();
    for cookie in cookies {
        explained.headers_mut().append(SET_COOKIE, cookie);
    }
    explained
}

fn names_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("json") && !accept.contains("text/html"))
}

/// The value of a cookie; the first counts.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(own, _)| *own == name)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

/// A cookie for this host alone, out of reach of scripts, and never sent from elsewhere.
fn set_cookie(name: &str, value: &str) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict");
    // Our names and tokens are plain ASCII.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn clear_cookie(name: &str) -> HeaderValue {
    let text = format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_leads_to_this_console_only() {
        for (text, path) in [
            ("/orders/01ABC", "/orders/01ABC"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/a?b=c", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(text), path, "{text}");
        }
    }

    #[test]
    fn of_a_cookie_that_comes_twice_the_first_counts() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            HeaderValue::from_static("a=1; __Host-simurgh-staff=x"),
        );
        headers.append(
            COOKIE,
            HeaderValue::from_static("__Host-simurgh-staff=y; empty="),
        );
        assert_eq!(cookie(&headers, SESSION), Some("x"));
        assert_eq!(cookie(&headers, "empty"), None);
    }
}
