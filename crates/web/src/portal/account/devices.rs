//! Where one is logged in.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use simurgh_app::App;
use simurgh_vocab::{SessionId, Timestamp};

use crate::frame::{Nav, Page, Refusal};
use crate::portal::detour::{Detour, Done};
use crate::portal::fields::Sent;
use crate::session::Holder;

struct Device {
    id: String,
    name: String,
    is_this: bool,
    begun_at: Timestamp,
    seen_at: Timestamp,
}

#[derive(Template)]
#[template(path = "portal/devices.html")]
struct DevicesPage {
    page: Page,
    devices: Vec<Device>,
}

/// `GET /account/devices`.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let sessions = app.sessions(who.customer).await?;
    let mut devices: Vec<Device> = sessions
        .into_iter()
        .map(|session| Device {
            id: session.id.to_string(),
            is_this: session.id == who.session,
            name: session.device,
            begun_at: session.begun_at,
            seen_at: session.seen_at,
        })
        .collect();
    // This one first, the others as they are: last used first.
    devices.sort_by_key(|device| !device.is_this);
    Ok(Page::answer(&DevicesPage {
        page: page.at(Nav::Account),
        devices,
    }))
}

/// `POST /account/devices/{id}/end`.
pub(super) async fn end(
    State(app): State<App>,
    who: Holder,
    Path(id): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Detour> {
    let id: SessionId = id.parse().map_err(|_| Refusal::NotFound)?;
    if app.end_session(who.customer, id).await? {
        Ok(Done::DeviceEnded.at("/account/devices"))
    } else {
        Err(Refusal::NotFound.into())
    }
}

/// `POST /account/devices/end-others`.
pub(super) async fn end_others(
    State(app): State<App>,
    who: Holder,
    Sent(_): Sent,
) -> Result<Response, Detour> {
    app.end_other_sessions(who.customer, who.session).await?;
    Ok(Done::DevicesEnded.at("/account/devices"))
}
