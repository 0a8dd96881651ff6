//! The functions over HTTP: JSON in, JSON out.
//!
//! Source: SGP.22 v2.5 §6.3, §6.4

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::status::Status;
use simurgh_rsp::message::{es2, es9, es12};

use crate::answer::{
    Executed, Unexecuted, answer, answer_text, not_received, received, turned_away,
};
use crate::caller::UNKNOWN;
use crate::es9::Told;
use crate::smdp::Smdp;

/// The largest request, in octets: two certificates, signatures and what a chip says of itself take 4 kB.
pub const REQUEST_OCTETS_MAX: usize = 64 * 1024;

/// The header that names the protocol.
const PROTOCOL: &str = "x-admin-protocol";

impl Smdp {
    /// What phones and operators may call.
    pub fn router(self) -> Router {
        self.clone().phones().merge(self.operators())
    }

    /// ES9+ and ES11: what phones call.
    pub fn phones(self) -> Router {
        Router::new()
            .route(
                es9::path::INITIATE_AUTHENTICATION,
                post(initiate_authentication),
            )
            .route(es9::path::AUTHENTICATE_CLIENT, post(authenticate_client))
            .route(
                es9::path::BOUND_PROFILE_PACKAGE,
                post(bound_profile_package),
            )
            .route(es9::path::HANDLE_NOTIFICATION, post(handle_notification))
            .route(es9::path::CANCEL_SESSION, post(cancel_session))
            .layer(DefaultBodyLimit::max(REQUEST_OCTETS_MAX))
            .with_state(self)
    }

    /// ES2+ and ES12: what operators and other servers call.
    pub fn operators(self) -> Router {
        Router::new()
            .route(es2::path::DOWNLOAD_ORDER, post(download_order))
            .route(es2::path::CONFIRM_ORDER, post(confirm_order))
            .route(es2::path::CANCEL_ORDER, post(cancel_order))
            .route(es2::path::RELEASE_PROFILE, post(release_profile))
            .route(es12::path::REGISTER_EVENT, post(register_event))
            .route(es12::path::DELETE_EVENT, post(delete_event))
            .layer(DefaultBodyLimit::max(REQUEST_OCTETS_MAX))
            .with_state(self)
    }
}

/// Reads the body of a request whose protocol is ours. Some LPAs leave the header out.
fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Body, Unexecuted> {
    let named = headers.get(PROTOCOL).map(|value| value.to_str());
    let ours = match named {
        None => true,
        Some(Ok(value)) => {
            let version = value.trim().strip_prefix("gsma/rsp/v");
            version.is_some_and(|version| version.starts_with("2.") || version.starts_with("3."))
        }
        Some(Err(_)) => false,
    };
    if !ours {
        return Err(Status::ProtocolVersionUnsupported.into());
    }
    Ok(Body::parse(bytes)?)
}

/// Handlers of functions that phones call.
macro_rules! phones {
    ($($function:ident $name:literal;)*) => {$(
        async fn $function(
            State(smdp): State<Smdp>,
            headers: HeaderMap,
            bytes: Bytes,
        ) -> Response {
            let outcome = match read(&headers, &bytes) {
                Ok(body) => smdp.$function(&body).await,
                Err(refused) => Err(refused),
            };
            answer($name, outcome)
        }
    )*};
}

phones! {
    initiate_authentication "initiateAuthentication";
    authenticate_client "authenticateClient";
    cancel_session "cancelSession";
}

/// By far the longest answer: it is written as text at once.
async fn bound_profile_package(
    State(smdp): State<Smdp>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let outcome = match read(&headers, &bytes) {
        Ok(body) => smdp.bound_profile_package(&body).await,
        Err(refused) => Err(refused),
    };
    answer_text("getBoundProfilePackage", outcome)
}

/// A phone may forget a notification once it is kept; what cannot be believed would never be.
async fn handle_notification(
    State(smdp): State<Smdp>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let Ok(body) = read(&headers, &bytes) else {
        return received();
    };
    match smdp.handle_notification(&body).await {
        Ok(told) => {
            let outcome = match told {
                Told::Heard => "heard",
                Told::NotUnderstood => "not understood",
                Told::NotBelieved => "not believed",
            };
            if told != Told::Heard {
                tracing::warn!(outcome, "a notification of a chip was not taken");
            }
            received()
        }
        Err(fault) => {
            tracing::error!(%fault, "a notification of a chip was not kept");
            not_received()
        }
    }
}

/// Handlers of functions that operators call, who must be known.
macro_rules! operators {
    ($($function:ident $name:literal;)*) => {$(
        async fn $function(State(smdp): State<Smdp>, request: Request) -> Response {
            let (parts, body) = request.into_parts();
            let Some(caller) = smdp.callers().known(&parts.headers, &parts.extensions) else {
                return turned_away(UNKNOWN.0, UNKNOWN.1);
            };
            let bytes = match axum::body::to_bytes(body, REQUEST_OCTETS_MAX).await {
                Ok(bytes) => bytes,
                Err(_) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
            };
            let outcome: Executed = match read(&parts.headers, &bytes) {
                Ok(body) => smdp.$function(caller, &body).await,
                Err(refused) => Err(refused),
            };
            answer($name, outcome)
        }
    )*};
}

operators! {
    download_order "downloadOrder";
    confirm_order "confirmOrder";
    cancel_order "cancelOrder";
    release_profile "releaseProfile";
    register_event "registerEvent";
    delete_event "deleteEvent";
}
