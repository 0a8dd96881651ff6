//! Log in and out.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::{StaffLogIn, StaffLogInRefusal};
use simurgh_subscriber::Network;

use super::session::{self, Held, Staff, own_path, see};
use super::words::failed;
use crate::frame::{Form, Page, Refusal};
use crate::portal::fields::{Asked, Sent};
use crate::session::ClientAddress;

#[derive(Template)]
#[template(path = "console/log-in.html")]
struct LogInPage {
    page: Page,
    form: Form,
    next: String,
}

/// `GET /login`.
pub(super) async fn ask(
    page: Page,
    Asked(fields): Asked,
    staff: Option<Extension<Staff>>,
) -> Response {
    let next = own_path(fields.text("next")).to_owned();
    if staff.is_some() {
        return see(&next);
    }
    let form = Form::new();
    Page::answer(&LogInPage { page, form, next })
}

/// `POST /login`.
pub(super) async fn log_in(
    State(app): State<App>,
    page: Page,
    Held(replaces): Held,
    ClientAddress(address): ClientAddress,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let next = own_path(fields.text("next")).to_owned();
    let attempt = StaffLogIn {
        name: fields.text("name").to_owned(),
        password: fields.raw("password").to_owned(),
        code: fields.text("code").to_owned(),
        network: Network::of(address),
        replaces,
    };
    let mut form = Form::new().fill("name", fields.text("name"));
    let (status, wait_seconds) = match app.log_in_staff(attempt).await {
        Ok(token) => return Ok(session::begin(&token, &next)),
        Err(StaffLogInRefusal::Wrong) => {
            form.refuse("name", page.t.msg("desk-login-wrong"));
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        Err(StaffLogInRefusal::Busy) => {
            form.refuse("name", page.t.msg("desk-login-busy"));
            (StatusCode::SERVICE_UNAVAILABLE, Some(5))
        }
        Err(StaffLogInRefusal::Locked { until }) => {
            let seconds = until.since(page.now).as_seconds_up();
            let minutes = (seconds + 59) / 60;
            let text = page
                .t
                .with("desk-login-locked", "minutes", minutes)
                .to_string();
            form.refuse("name", text);
            (StatusCode::TOO_MANY_REQUESTS, Some(seconds))
        }
        Err(StaffLogInRefusal::Fault(fault)) => return Err(failed(&fault)),
    };
    let mut response = Page::answer(&LogInPage { page, form, next });
    *response.status_mut() = status;
    if let Some(seconds) = wait_seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// `POST /logout`.
pub(super) async fn log_out(
    State(app): State<App>,
    Held(token): Held,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    if let Some(token) = token {
        app.log_out_staff(&token)
            .await
            .map_err(|fault| failed(&fault))?;
    }
    Ok(session::end())
}
