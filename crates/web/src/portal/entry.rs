//! Coming in and going out: register, log in, recover, log out. Every step is a page of its own;
//! what was begun is kept in a cookie, see `pending.rs`.

pub(super) mod code;
mod log_in;
mod recover;
mod register;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use simurgh_app::App;
use simurgh_app::subscriber::NewSession;
use simurgh_subscriber::{Contact, PhoneRefusal};
use simurgh_vocab::CountryCode;

use super::detour::{Detour, Done};
use super::fields::{Fields, Sent};
use super::local;
use super::pending::Pending;
use super::phone;
use super::refusals;
use crate::frame::{Form, Page};
use crate::session;
use crate::state::WebState;

/// The pages of this file.
pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/register", get(register::show).post(register::register))
        .route("/register/confirm", get(code::show).post(register::confirm))
        .route(
            "/register/email",
            get(code::show).post(register::confirm_email),
        )
        .route("/login", get(log_in::show).post(log_in::by_password))
        .route(
            "/login/send-code",
            get(log_in::show_by_code).post(log_in::send_code),
        )
        .route("/login/code", get(code::show).post(log_in::by_code))
        .route(
            "/login/second",
            get(log_in::show_second).post(log_in::second),
        )
        .route("/recover", get(recover::show).post(recover::send))
        .route("/recover/code", get(code::show).post(recover::take_code))
        .route(
            "/recover/password",
            get(recover::show_password).post(recover::set_password),
        )
        .route("/code/again", post(code::again))
        .route("/logout", post(log_out))
}

async fn log_out(
    State(app): State<App>,
    headers: HeaderMap,
    Sent(_): Sent,
) -> Result<Response, Detour> {
    let mut response = Done::LoggedOut.at("/");
    session::end(&app, &headers, &mut response).await?;
    Ok(response)
}

/// Signs the browser in and leads to `next`.
fn welcome(session: &NewSession, next: &str) -> Response {
    let mut response = Redirect::to(next).into_response();
    session::begin(&mut response, session);
    Pending::end(&mut response);
    response
}

/// The mailbox or number that was typed. A number without `+` is read as one of the browser's
/// countries, then as a Chinese one.
///
/// # Errors
/// What is wrong with it, in words.
fn contact(page: &Page, headers: &HeaderMap, fields: &Fields) -> Result<Contact, String> {
    let who = fields.text("who");
    if who.is_empty() {
        return Err(page.t.msg("entry-who-empty"));
    }
    if who.contains('@') {
        let address = who.parse().map_err(|_| page.t.msg("entry-bad-email"))?;
        return Ok(Contact::Email(address));
    }
    if who.starts_with(|c: char| c.is_alphabetic()) {
        return Err(page.t.msg("entry-who-no-user-name"));
    }
    match phone::in_countries(who, &own_countries(headers)) {
        Ok(number) => Ok(Contact::Phone(number)),
        // Which country is not known: the number may be right in another.
        Err(PhoneRefusal::NotANumber | PhoneRefusal::Empty) => {
            Err(refusals::phone(&page.t, PhoneRefusal::NotANumber))
        }
        Err(refusal) if who.starts_with(['+', '＋']) => Err(refusals::phone(&page.t, refusal)),
        Err(_) => Err(page.t.msg("entry-bad-contact")),
    }
}

/// Where a number typed without its country may be from.
fn own_countries(headers: &HeaderMap) -> Vec<CountryCode> {
    let mut countries = local::countries(headers);
    if let Ok(china) = "CN".parse()
        && !countries.contains(&china)
    {
        countries.push(china);
    }
    countries
}

/// The form with what was entered; never a password or a code.
pub(super) fn kept(fields: &Fields, names: &[&str]) -> Form {
    names
        .iter()
        .fold(Form::new(), |form, name| form.fill(name, fields.text(name)))
}

/// A page that says what was refused.
pub(super) fn refused(template: &impl Template) -> Response {
    let mut response = Page::answer(template);
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}
