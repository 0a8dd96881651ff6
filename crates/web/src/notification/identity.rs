//! What an outside identity check tells us. It brings a result, no document and no name.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use simurgh_app::App;
use simurgh_app::ports::Notification;
use simurgh_app::subscriber::IdentityNotifyRefusal;

use super::problem;

/// `POST /notify/identity/{checker}`.
pub(super) async fn take(
    State(app): State<App>,
    Path(checker): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Names of header fields are in lower case already; a value that is no text signs nothing.
    let headers: Vec<_> = headers
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    let notification = Notification {
        headers: &headers,
        body: &body,
    };
    match app.notify_identity(&checker, notification).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(IdentityNotifyRefusal::NoSuchChecker) => problem(
            StatusCode::NOT_FOUND,
            "No such identity check",
            "There is no identity check of this name here.",
        ),
        Err(IdentityNotifyRefusal::Notification(why)) => {
            tracing::warn!(checker, %why, "a notification is not believed");
            metrics::counter!("simurgh_notifications_refused_total").increment(1);
            problem(
                StatusCode::UNAUTHORIZED,
                "Not verified",
                "The notification did not pass verification.",
            )
        }
        Err(IdentityNotifyRefusal::Fault(fault)) => {
            tracing::error!(checker, %fault, "a notification could not be recorded");
            problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Not recorded",
                "The notification could not be recorded; please send it again.",
            )
        }
    }
}
