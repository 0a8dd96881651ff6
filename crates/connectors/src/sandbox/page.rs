//! What goes around the pages of a sandbox: headers, languages, where a form comes from.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use simurgh_vocab::Locale;

use super::html::{House, say};
use super::{Fault, Refused, settings};

/// The language a page is asked for in.
#[derive(serde::Deserialize)]
pub(crate) struct Language {
    pub(crate) lang: Option<String>,
}

/// A choice on a page over a book.
#[derive(serde::Deserialize)]
pub(crate) struct Choice {
    pub(crate) value: Option<String>,
    pub(crate) lang: Option<String>,
}

/// Whether a form was sent from one of these pages. Browsers say so in `Sec-Fetch-Site` (Fetch
/// Metadata) or at least in `Origin`; what sends neither is no browser, and no page can abuse it.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text("host")
        }
        (None, None) => true,
    }
}

/// The language that was chosen, else the browser's.
pub(crate) fn language(chosen: Option<&str>, headers: &HeaderMap) -> Locale {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let preferred = if accepted.to_ascii_lowercase().starts_with("zh") {
        Locale::ZhCn
    } else {
        Locale::En
    };
    chosen.and_then(|tag| tag.parse().ok()).unwrap_or(preferred)
}

/// The style sheet.
pub(crate) async fn style() -> Response {
    let css = include_str!("style.css");
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    let keep = (header::CACHE_CONTROL, "max-age=300");
    ([kind, keep], css).into_response()
}

/// Leads elsewhere.
pub(crate) fn see_other(address: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(address) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// The answer to what cannot be read or is not sent from a page of ours.
pub(crate) fn unreadable(house: &House, locale: Locale, status: StatusCode) -> Response {
    let what = say(
        locale,
        "无法识别此请求。请回到上一页重试。",
        "This request cannot be read. Go back and try again.",
    );
    document(status, house.message(locale, what), None)
}

/// The answer when the sandbox does not do as asked.
pub(crate) fn failed<R: Refused>(house: &House, locale: Locale, fault: &Fault<R>) -> Response {
    let (status, what) = match fault {
        Fault::Refused(refusal) => (refusal.status(), refusal.to_string()),
        Fault::Journal(error) => {
            tracing::error!(%error, "the journal of a sandbox failed");
            (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        }
        Fault::Http(error) => {
            tracing::error!(error, "a sandbox failed");
            (StatusCode::INTERNAL_SERVER_ERROR, error.clone())
        }
    };
    document(status, house.message(locale, &what), None)
}

/// A page. Chromium applies `form-action` to the redirect that follows a form as well, so that the
/// operator's origin must be allowed there.
pub(crate) fn document(status: StatusCode, body: String, return_url: Option<&str>) -> Response {
    let operator = return_url.and_then(settings::origin).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {operator}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not "no-referrer": forms would then be sent with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
