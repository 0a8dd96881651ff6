//! What the fuzz targets call; nothing else does.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::extract::FromRequest as _;
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, HeaderValue, Request, Uri};

use crate::frame::{Visitor, fuzz as frame};
use crate::portal::fields::Sent;
use crate::portal::fuzz::{fields, numbers};

/// Reads a form with the right token as every page of the portal does, and what is in it.
pub fn form(octets: &[u8]) {
    if !frame::fields(octets) {
        return;
    }
    let body = [b"csrf=token&", octets].concat();
    let visitor = Visitor {
        csrf: "token".to_owned(),
        ..Visitor::default()
    };
    let request = Request::post("/")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .extension(visitor)
        .body(Body::from(body));
    let Ok(request) = request else { return };
    if let Some(Ok(Sent(sent))) = at_once(Sent::from_request(request, &())) {
        fields(&sent);
    }
}

/// Reads a phone number from its two fields.
pub fn phone(calling_code: &str, number: &str) {
    numbers(calling_code, number);
}

/// Reads the headers that choose a language.
pub fn languages(octets: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(octets) else {
        return;
    };
    for name in [ACCEPT_LANGUAGE, COOKIE] {
        let _ = frame::locale(&HeaderMap::from_iter([(name, value.clone())]));
    }
}

/// Reads an address, and where the switch of languages leads from it: always to this site.
///
/// # Panics
/// When it leads elsewhere.
pub fn address(octets: &[u8]) {
    let Ok(uri) = Uri::try_from(octets) else {
        return;
    };
    if let Some(target) = frame::switched(&uri) {
        assert!(
            target.starts_with('/') && !target.starts_with("//"),
            "{target}"
        );
    }
}

/// What a future gives without waiting.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(given) => Some(given),
        Poll::Pending => None,
    }
}
