//! What every handler can reach, and who is asking.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::App;
use simurgh_vocab::CustomerId;

use crate::frame::Frames;

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
            // Only the path is kept: a query may hold what belongs into no log.
            Redirect::to(&format!("/login?next={}", parts.uri.path())).into_response()
        })
    }
}

impl<S: Send + Sync> axum::extract::OptionalFromRequestParts<S> for SignedIn {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied())
    }
}
