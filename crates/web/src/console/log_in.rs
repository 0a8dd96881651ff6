//! Log in and out, and prove again who one is.

use std::convert::Infallible;

use askama::Template;
use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::{StaffLogIn, StaffLogInRefusal, StaffToken};
use simurgh_subscriber::Network;

use super::session::{self, Held, Staff, own_path, see};
use super::words::failed;
use crate::frame::{Form, Page, Refusal};
use crate::portal::fields::{Asked, Fields, Sent};
use crate::session::ClientAddress;
use crate::state::WebState;

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
    entrance: Entrance,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let next = own_path(fields.text("next")).to_owned();
    let name = fields.text("name");
    let attempt = attempt(name, &fields, entrance);
    let refused = match app.log_in_staff(attempt).await {
        Ok(token) => return Ok(session::begin(&token, &next)),
        Err(refusal) => refused(&page, refusal)?,
    };
    let mut form = Form::new().fill("name", name);
    form.refuse("name", refused.text.clone());
    Ok(refused.with(Page::answer(&LogInPage { page, form, next })))
}

#[derive(Template)]
#[template(path = "console/proof.html")]
struct ProofPage {
    page: Page,
    form: Form,
    next: String,
}

/// `GET /proof`: asks staff again who they are, before something risky.
pub(super) async fn ask_proof(page: Page, Asked(fields): Asked) -> Response {
    let next = own_path(fields.text("next")).to_owned();
    let form = Form::new();
    Page::answer(&ProofPage { page, form, next })
}

/// `POST /proof`: a log-in of whoever is on duty; the session goes on under a new token (V7.2.4).
pub(super) async fn prove(
    State(app): State<App>,
    page: Page,
    Staff(duty): Staff,
    entrance: Entrance,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let next = own_path(fields.text("next")).to_owned();
    let attempt = attempt(&duty.name, &fields, entrance);
    let refused = match app.log_in_staff(attempt).await {
        Ok(token) => return Ok(session::begin(&token, &next)),
        Err(refusal) => refused(&page, refusal)?,
    };
    let mut form = Form::new();
    form.refuse("password", refused.text.clone());
    Ok(refused.with(Page::answer(&ProofPage { page, form, next })))
}

/// Where a log-in comes from.
pub(super) struct Entrance {
    network: Network,
    /// The session that the browser had.
    replaces: Option<StaffToken>,
}

impl FromRequestParts<WebState> for Entrance {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        let Held(replaces) = Held::from_request_parts(parts, state).await?;
        Ok(Self {
            network: Network::of(address),
            replaces,
        })
    }
}

fn attempt(name: &str, fields: &Fields, entrance: Entrance) -> StaffLogIn {
    StaffLogIn {
        name: name.to_owned(),
        password: fields.raw("password").to_owned(),
        code: fields.text("code").to_owned(),
        network: entrance.network,
        replaces: entrance.replaces,
    }
}

/// Why somebody is not let in, for the page.
struct Refused {
    status: StatusCode,
    text: String,
    wait_seconds: Option<i64>,
}

impl Refused {
    fn with(self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        if let Some(seconds) = self.wait_seconds {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn refused(page: &Page, refusal: StaffLogInRefusal) -> Result<Refused, Refusal> {
    let t = &page.t;
    let (status, text, wait_seconds) = match refusal {
        StaffLogInRefusal::Wrong => {
            let text = t.msg("desk-login-wrong");
            (StatusCode::UNPROCESSABLE_ENTITY, text, None)
        }
        StaffLogInRefusal::Busy => {
            let text = t.msg("desk-login-busy");
            (StatusCode::SERVICE_UNAVAILABLE, text, Some(5))
        }
        StaffLogInRefusal::Locked { until } => {
            let seconds = until.since(page.now).as_seconds_up();
            let minutes = (seconds + 59) / 60;
            let text = t.with("desk-login-locked", "minutes", minutes).to_string();
            (StatusCode::TOO_MANY_REQUESTS, text, Some(seconds))
        }
        StaffLogInRefusal::Fault(fault) => return Err(failed(&fault)),
    };
    Ok(Refused {
        status,
        text,
        wait_seconds,
    })
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
