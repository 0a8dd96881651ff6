//! What goes around every answer: the language switch, the security headers, the error pages.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use simurgh_vocab::Locale;

use super::language::{COOKIE_NAME, locale, switched};
use super::refusal::Explanation;
use super::{Frames, Reference, Refusal};

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// How long the language switch is remembered: one year.
const LANGUAGE_SECONDS: u32 = 31_536_000;

/// What the browser is told to allow.
#[derive(Debug, Clone)]
pub struct Policy {
    content_security: HeaderValue,
    https: bool,
}

impl Policy {
    /// A policy for pages reached over plain HTTP on this machine (demo, tests) or behind TLS
    /// (`https`: tells browsers never to come without). A form may lead to this site and to
    /// `form_origins`: Chromium applies `form-action` to the redirects after a form too, so the
    /// pages of payment providers stand there, such as `https://pay.example`.
    ///
    /// Origins with characters that have a meaning in the header are left out.
    #[must_use]
    pub fn new(transport: Transport, form_origins: &[String]) -> Self {
        let harmless = |origin: &&String| {
            origin
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte))
        };
        let origins: String = form_origins
            .iter()
            .filter(harmless)
            .map(|origin| format!(" {origin}"))
            .collect();
        let text = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'{origins}; frame-ancestors 'none'; \
             base-uri 'none'; manifest-src 'self'; worker-src 'self'"
        );
        Self {
            content_security: HeaderValue::from_str(&text)
                .unwrap_or(HeaderValue::from_static("default-src 'none'")),
            https: match transport {
                Transport::Https => true,
                Transport::Http => false,
            },
        }
    }
}

/// How visitors reach the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain HTTP, on this machine only.
    Http,
    /// TLS, here or in front of this program.
    Https,
}

/// Middleware around every page: answers the language switch, explains errors, and sets the
/// headers that protect pages. Use with `axum::middleware::from_fn_with_state`.
pub async fn dress(State(frames): State<Frames>, request: Request, next: Next) -> Response {
    let mut response = if let Some(response) = switch_language(&request) {
        response
    } else {
        let asked = Asked::from(&request);
        let response = unless_it_panics(next.run(request)).await;
        asked.explain(&frames, response)
    };
    protect(&frames.policy, response.headers_mut());
    response
}

/// The answer of a handler, or 500 when it panicked: a defect in one page ends one request. Where
/// it panicked stands in the log, by the program's panic hook.
async fn unless_it_panics(answer: impl Future<Output = Response>) -> Response {
    let mut answer = pin!(answer);
    let answered = poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)))
            .map_or(Poll::Ready(None), |polled| polled.map(Some))
    });
    answered.await.unwrap_or_else(|| {
        metrics::counter!("simurgh_panics_total").increment(1);
        Refusal::Internal.into_response()
    })
}

fn switch_language(request: &Request) -> Option<Response> {
    if !request.method().is_safe() {
        return None;
    }
    let (locale, target) = switched(request.uri())?;
    let cookie = format!(
        "{COOKIE_NAME}={locale}; Path=/; Max-Age={LANGUAGE_SECONDS}; SameSite=Lax; HttpOnly"
    );
    let cookie = HeaderValue::from_str(&cookie).ok()?;
    let target = HeaderValue::from_str(&target).ok()?;
    let headers = [(LOCATION, target), (SET_COOKIE, cookie)];
    Some((StatusCode::SEE_OTHER, headers).into_response())
}

/// Marks the answers of routes that programs talk to.
#[derive(Debug, Clone, Copy)]
struct ForPrograms;

/// Middleware around routes that only programs talk to: their errors are problem JSON, whatever
/// the request says it accepts.
pub async fn for_programs(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(ForPrograms);
    response
}

/// The language of the account that asked, in the extensions of the answer: whoever knows the
/// session stands further in than whoever explains errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccountLocale(pub(crate) Locale);

/// What an error page needs to know of the request, kept aside while the request is handled.
struct Asked {
    path: String,
    headers: HeaderMap,
    reference: Option<Reference>,
}

impl Asked {
    fn from(request: &Request) -> Self {
        let wanted = [
            axum::http::header::ACCEPT,
            axum::http::header::ACCEPT_LANGUAGE,
            axum::http::header::COOKIE,
        ];
        let mut headers = HeaderMap::new();
        for name in wanted {
            if let Some(value) = request.headers().get(&name) {
                headers.insert(name, value.clone());
            }
        }
        Self {
            path: request.uri().path().to_owned(),
            headers,
            reference: request.extensions().get::<Reference>().cloned(),
        }
    }

    /// Gives an error that has no page of its own one; leaves every other answer alone.
    fn explain(&self, frames: &Frames, response: Response) -> Response {
        let (status, headers) = (response.status(), response.headers());
        let Some(refusal) = Refusal::of_status(status, headers) else {
            return response;
        };
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| !kind.starts_with("text/plain")) {
            return response;
        }
        let account = response.extensions().get::<AccountLocale>();
        let account = account.map(|AccountLocale(locale)| *locale);
        let (locale, kind) = if response.extensions().get::<ForPrograms>().is_some() {
            (Locale::En, Explanation::Problem)
        } else {
            let locale = locale(&self.headers, account);
            (locale, Explanation::wished(&self.headers))
        };
        let page = frames.page(locale, &self.path);
        let explained = refusal.explain(status, page, kind, self.reference.as_ref());
        let (mut parts, _) = response.into_parts();
        let (explained_parts, body) = explained.into_parts();
        parts.headers.remove(axum::http::header::CONTENT_LENGTH);
        if let Some(kind) = explained_parts.headers.get(CONTENT_TYPE) {
            parts.headers.insert(CONTENT_TYPE, kind.clone());
        }
        Response::from_parts(parts, body)
    }
}

/// Source: OWASP ASVS 5.0 chapter V3.4; the OWASP HTTP headers project.
fn protect(policy: &Policy, headers: &mut HeaderMap) {
    let fixed = [
        (CONTENT_SECURITY_POLICY, policy.content_security.clone()),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (
            CROSS_ORIGIN_OPENER_POLICY,
            HeaderValue::from_static("same-origin"),
        ),
        (
            CROSS_ORIGIN_RESOURCE_POLICY,
            HeaderValue::from_static("same-origin"),
        ),
        (
            PERMISSIONS_POLICY,
            HeaderValue::from_static(
                "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
            ),
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, value);
    }
    if policy.https {
        let value = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.insert(STRICT_TRANSPORT_SECURITY, value);
    }
    // Pages are personal unless their handler says otherwise.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.append(VARY, HeaderValue::from_static("cookie, accept-language"));
    }
}
