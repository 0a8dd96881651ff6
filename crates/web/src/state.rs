//! What every handler can reach, and who is asking.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::Uri;
use axum::http::header::{HOST, REFERER};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::App;
use simurgh_vocab::CustomerId;

use crate::frame::Frames;
use crate::portal::fields::encoded;

/// What the handlers of the portal and the console stand on.
#[derive(Clone)]
pub struct WebState {
    /// The use cases.
    pub app: App,
    /// The frame of every page.
    pub frames: Frames,
    /// The header in which the operator's proxy gives the address of whoever asks.
    pub proxy_header: Option<axum::http::HeaderName>,
}

impl FromRef<WebState> for Frames {
    fn from_ref(state: &WebState) -> Self {
        state.frames.clone()
    }
}

impl FromRef<WebState> for App {
    fn from_ref(state: &WebState) -> Self {
        state.app.clone()
    }
}

/// The customer who is signed in. The session layer puts it into the request; a handler that
/// takes it sends everybody else to the log-in page and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    /// The customer.
    pub customer: CustomerId,
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().copied().ok_or_else(|| {
            let next = encoded(&way_back(parts));
            Redirect::to(&format!("/login?next={next}")).into_response()
        })
    }
}

/// The page to come back to after the log-in.
fn way_back(parts: &Parts) -> String {
    if parts.method.is_safe() {
        // Only the path is kept: a query may hold what belongs into no log.
        return parts.uri.path().to_owned();
    }
    // The address of a form shows nothing when it is opened: back to the page with the form, whose
    // choices stand in its address.
    let text = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let page: Option<Uri> = text(REFERER).and_then(|page| page.parse().ok());
    let ours = page.filter(|page| page.authority().map(|host| host.as_str()) == text(HOST));
    let path = ours.as_ref().and_then(Uri::path_and_query);
    path.map_or_else(|| "/line".to_owned(), ToString::to_string)
}

impl<S: Send + Sync> axum::extract::OptionalFromRequestParts<S> for SignedIn {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied())
    }
}
