//! What payment providers and identity checks tell us. A notification is believed only after its verification; what it
//! says is never logged.

mod identity;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use simurgh_app::ports::{Notification, NotificationRefusal};
use simurgh_app::sales::NotifyRefusal;
use simurgh_app::{App, Fault};

use crate::frame::{Problem, Takes, for_programs, gate};
use crate::state::WebState;

/// The largest notification, in octets: those of real providers are a few thousand.
const NOTIFICATION_OCTETS_MAX: usize = 64 * 1024;

/// Everything that programs call: notifications of payment providers and identity checks, and the
/// description of both.
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/notify/{provider}", post(take))
        .route("/notify/identity/{checker}", post(identity::take))
        .route("/openapi.json", get(describe))
        .layer(DefaultBodyLimit::max(NOTIFICATION_OCTETS_MAX))
        // Around this route only: a layer would answer for every address that no site knows, too.
        .route_layer(from_fn_with_state(Takes::Messages, gate))
        .route_layer(from_fn(for_programs))
}

/// `GET /openapi.json`: what programs may call.
async fn describe() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], include_str!("openapi.json")).into_response()
}

async fn take(
    State(app): State<App>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let headers = header_fields(&headers);
    let notification = Notification {
        headers: &headers,
        body: &body,
    };
    match app.notify_payment(&provider, notification).await {
        Ok(acknowledgement) => acknowledgement.into_response(),
        Err(NotifyRefusal::NoSuchProvider) => problem(
            StatusCode::NOT_FOUND,
            "No such provider",
            "There is no payment provider of this name here.",
        ),
        Err(NotifyRefusal::NotBelieved(why)) => not_believed(&provider, &why),
        Err(NotifyRefusal::Fault(fault)) => not_recorded(&provider, &fault),
    }
}

/// What a signature is made over besides the body: names are in lower case already; a value that is no
/// text signs nothing.
fn header_fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect()
}

/// `sender` is one that is known here.
fn not_believed(sender: &str, why: &NotificationRefusal) -> Response {
    tracing::warn!(sender, %why, "a notification is not believed");
    metrics::counter!("simurgh_notifications_refused_total").increment(1);
    problem(
        StatusCode::UNAUTHORIZED,
        "Not verified",
        "The notification did not pass verification.",
    )
}

fn not_recorded(sender: &str, fault: &Fault) -> Response {
    tracing::error!(sender, %fault, "a notification could not be recorded");
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Not recorded",
        "The notification could not be recorded; please send it again.",
    )
}

fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    let problem = Problem {
        status,
        title,
        detail,
    };
    problem.answer(None)
}
