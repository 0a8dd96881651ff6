//! What an outside identity check tells us. It brings a result, no document and no name.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use simurgh_app::App;
use simurgh_app::ports::Notification;
use simurgh_app::subscriber::IdentityNotifyRefusal;

use super::{header_fields, not_believed, not_recorded, problem};

/// `POST /notify/identity/{checker}`.
pub(super) async fn take(
    State(app): State<App>,
    Path(checker): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let headers = header_fields(&headers);
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
        Err(IdentityNotifyRefusal::Notification(why)) => not_believed(&checker, &why),
        Err(IdentityNotifyRefusal::Fault(fault)) => not_recorded(&checker, &fault),
    }
}
