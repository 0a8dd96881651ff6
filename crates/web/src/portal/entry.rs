//! Coming in and going out: register, confirm, log in, recover, log out.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use simurgh_app::App;
use simurgh_app::subscriber::{
    Claim, CodeRefusal, ConfirmPhoneRefusal, LogIn, LogInRefusal, NewSession, RegisterRefusal,
    Registration, SendCodeRefusal, Typed, Wish,
};
use simurgh_subscriber::{Contact, DisplayName, Person, Session, parse_phone};
use simurgh_vocab::{ChallengeId, EmailAddress, SessionId, Timestamp};

use super::fields::{Asked, Fields, Sent};
use crate::frame::{Form, Nav, Page, Refusal};
use crate::session::{self, ClientAddress};
use crate::state::{SignedIn, WebState};

/// The pages of this file.
pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/register", get(show_register).post(register))
        .route("/register/confirm", post(confirm))
        .route("/login", get(show_login).post(log_in))
        .route("/login/code", post(log_in_code))
        .route("/login/send-code", get(show_send_code).post(send_code))
        .route("/recover", get(show_send_code))
        .route("/account", get(account))
        .route("/account/devices/{id}/end", post(end_device))
        .route("/logout", post(log_out))
}

#[derive(Template)]
#[template(path = "portal/register.html")]
struct RegisterPage {
    page: Page,
    form: Form,
}

#[derive(Template)]
#[template(path = "portal/login.html")]
struct LogInPage {
    page: Page,
    form: Form,
    next: String,
    by_code: bool,
}

#[derive(Template)]
#[template(path = "portal/code.html")]
struct CodePage {
    page: Page,
    form: Form,
    action: &'static str,
    challenge: String,
    to: String,
    next: String,
}

async fn show_register(page: Page) -> Response {
    Page::answer(&RegisterPage {
        page,
        form: Form::new().fill("phone_country", "+86"),
    })
}

async fn register(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Extension(address): Extension<ClientAddress>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let mut form = kept(&fields, &["name", "phone", "phone_country", "email"]);
    let phone = Form::joined_phone(fields.text("phone_country"), fields.text("phone"));
    let phone = parse_phone(&phone, None).ok();
    let name = fields.text("name").parse::<DisplayName>().ok();
    let email = match fields.text("email") {
        "" => Some(None),
        text => text.parse::<EmailAddress>().ok().map(Some),
    };
    let t = &page.t;
    if phone.is_none() {
        form.refuse("phone", t.msg("entry-bad-phone"));
    }
    if name.is_none() {
        form.refuse("name", t.msg("entry-bad-name"));
    }
    if email.is_none() {
        form.refuse("email", t.msg("entry-bad-email"));
    }
    let (Some(phone), Some(name), Some(email)) = (phone, name, email) else {
        return Ok(refused(&RegisterPage { page, form }));
    };
    let password = fields.raw("password");
    let registration = Registration {
        phone,
        name,
        email,
        password: (!password.is_empty()).then(|| Typed::new(password.to_owned())),
        locale: page.t.locale(),
        time_zone: "Asia/Shanghai".parse().map_err(|_| Refusal::Internal)?,
        marketing: Wish::No,
    };
    let origin = session::origin(&headers, address);
    match app.register(registration, origin).await {
        Ok(sent) => Ok(Page::answer(&CodePage {
            page,
            form: Form::new(),
            action: "/register/confirm",
            challenge: sent.challenge.number(),
            to: sent.to,
            next: "/line".to_owned(),
        })),
        Err(refusal) => {
            let message = match refusal {
                RegisterRefusal::Password(_) => ("password", page.t.msg("entry-bad-password")),
                RegisterRefusal::Busy => ("phone", page.t.msg("entry-busy")),
                RegisterRefusal::Code(refusal) => ("phone", too_often(&page, &refusal)?),
                RegisterRefusal::Fault(fault) => return Err(failed(&fault)),
            };
            form.refuse(message.0, message.1);
            Ok(refused(&RegisterPage { page, form }))
        }
    }
}

async fn confirm(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Extension(address): Extension<ClientAddress>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let challenge: ChallengeId = fields.need("challenge", |text| text.parse().ok())?;
    let origin = session::origin(&headers, address);
    match app
        .confirm_phone(challenge, fields.text("code").to_owned(), origin)
        .await
    {
        Ok(confirmed) => Ok(welcome(&confirmed.session, "/line")),
        Err(ConfirmPhoneRefusal::Code(refusal)) => {
            Ok(code_again(page, &fields, "/register/confirm", refusal))
        }
        Err(ConfirmPhoneRefusal::Fault(fault)) => Err(failed(&fault)),
    }
}

async fn show_login(page: Page, Asked(fields): Asked) -> Response {
    let next = local(fields.text("next"));
    Page::answer(&LogInPage {
        page,
        form: Form::new(),
        next,
        by_code: false,
    })
}

async fn show_send_code(page: Page, Asked(fields): Asked) -> Response {
    let next = local(fields.text("next"));
    Page::answer(&LogInPage {
        page,
        form: Form::new(),
        next,
        by_code: true,
    })
}

async fn log_in(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Extension(address): Extension<ClientAddress>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let next = local(fields.text("next"));
    let claim = Claim::typed(fields.text("who"), "CN".parse().ok());
    let typed = Typed::new(fields.raw("password").to_owned());
    let origin = session::origin(&headers, address);
    let outcome = app.log_in_with_password(claim, typed, origin).await;
    let mut form = kept(&fields, &["who"]);
    match outcome {
        Ok(LogIn::Done(session)) => return Ok(welcome(&session, &next)),
        Ok(LogIn::Unconfirmed(sent)) => {
            return Ok(Page::answer(&CodePage {
                page,
                form: Form::new(),
                action: "/register/confirm",
                challenge: sent.challenge.number(),
                to: sent.to,
                next,
            }));
        }
        Ok(LogIn::SecondFactor(_)) => form.refuse("who", page.t.msg("entry-second-factor")),
        Err(refusal) => form.refuse("who", log_in_text(&page, refusal)?),
    }
    Ok(refused(&LogInPage {
        page,
        form,
        next,
        by_code: false,
    }))
}

async fn send_code(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Extension(address): Extension<ClientAddress>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let next = local(fields.text("next"));
    let who = fields.text("who");
    let contact = match who.parse::<EmailAddress>() {
        Ok(address) => Some(Contact::Email(address)),
        Err(_) => parse_phone(who, "CN".parse().ok()).ok().map(Contact::Phone),
    };
    let mut form = kept(&fields, &["who"]);
    let Some(contact) = contact else {
        form.refuse("who", page.t.msg("entry-bad-contact"));
        return Ok(refused(&LogInPage {
            page,
            form,
            next,
            by_code: true,
        }));
    };
    let origin = session::origin(&headers, address);
    match app.send_log_in_code(contact, origin).await {
        Ok(sent) => Ok(Page::answer(&CodePage {
            page,
            form: Form::new(),
            action: "/login/code",
            challenge: sent.challenge.number(),
            to: sent.to,
            next,
        })),
        Err(refusal) => {
            form.refuse("who", too_often(&page, &refusal)?);
            Ok(refused(&LogInPage {
                page,
                form,
                next,
                by_code: true,
            }))
        }
    }
}

async fn log_in_code(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Extension(address): Extension<ClientAddress>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let challenge: ChallengeId = fields.need("challenge", |text| text.parse().ok())?;
    let origin = session::origin(&headers, address);
    match app
        .log_in_with_code(challenge, fields.text("code").to_owned(), origin)
        .await
    {
        Ok(LogIn::Done(session)) => Ok(welcome(&session, &local(fields.text("next")))),
        Ok(LogIn::SecondFactor(_) | LogIn::Unconfirmed(_)) => {
            let mut form = Form::new();
            form.refuse("who", page.t.msg("entry-second-factor"));
            let next = local(fields.text("next"));
            Ok(refused(&LogInPage {
                page,
                form,
                next,
                by_code: false,
            }))
        }
        Err(LogInRefusal::Code(refusal)) => Ok(code_again(page, &fields, "/login/code", refusal)),
        Err(refusal) => {
            let mut form = Form::new();
            form.refuse("who", log_in_text(&page, refusal)?);
            let next = local(fields.text("next"));
            Ok(refused(&LogInPage {
                page,
                form,
                next,
                by_code: true,
            }))
        }
    }
}

#[derive(Template)]
#[template(path = "portal/account.html")]
struct AccountPage {
    page: Page,
    person: Person,
    sessions: Vec<Session>,
}

async fn account(
    State(app): State<App>,
    page: Page,
    SignedIn { customer }: SignedIn,
) -> Result<Response, Refusal> {
    let profile = app
        .profile(customer)
        .await
        .map_err(|fault| failed(&fault))?;
    let person = profile.ok_or(Refusal::NotFound)?.person;
    let sessions = app
        .sessions(customer)
        .await
        .map_err(|fault| failed(&fault))?;
    let page = page.at(Nav::Account);
    Ok(Page::answer(&AccountPage {
        page,
        person,
        sessions,
    }))
}

async fn end_device(
    State(app): State<App>,
    SignedIn { customer }: SignedIn,
    Path(id): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let id: SessionId = id.parse().map_err(|_| Refusal::NotFound)?;
    let ended = app
        .end_session(customer, id)
        .await
        .map_err(|fault| failed(&fault))?;
    if ended {
        Ok(Redirect::to("/account").into_response())
    } else {
        Err(Refusal::NotFound)
    }
}

async fn log_out(
    State(app): State<App>,
    headers: HeaderMap,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let mut response = Redirect::to("/").into_response();
    session::end(&app, &headers, &mut response)
        .await
        .map_err(|fault| failed(&fault))?;
    Ok(response)
}

fn welcome(session: &NewSession, next: &str) -> Response {
    let mut response = Redirect::to(next).into_response();
    session::begin(&mut response, session);
    response
}

fn code_again(page: Page, fields: &Fields, action: &'static str, refusal: CodeRefusal) -> Response {
    let message = match refusal {
        CodeRefusal::Wrong { tries_left } => page
            .t
            .with("entry-code-wrong", "tries", i64::from(tries_left))
            .to_string(),
        CodeRefusal::Expired => page.t.msg("entry-code-expired"),
        CodeRefusal::NoTriesLeft => page.t.msg("entry-code-no-tries"),
        CodeRefusal::Used | CodeRefusal::Replaced | CodeRefusal::Unknown => {
            page.t.msg("entry-code-old")
        }
    };
    let mut form = Form::new();
    form.refuse("code", message);
    refused(&CodePage {
        page,
        form,
        action,
        challenge: fields.text("challenge").to_owned(),
        to: fields.text("to").to_owned(),
        next: local(fields.text("next")),
    })
}

fn log_in_text(page: &Page, refusal: LogInRefusal) -> Result<String, Refusal> {
    Ok(match refusal {
        LogInRefusal::Wrong => page.t.msg("entry-wrong"),
        LogInRefusal::Locked { until, .. } => wait(page, "entry-locked", until),
        LogInRefusal::Busy => page.t.msg("entry-busy"),
        LogInRefusal::Code(_) => page.t.msg("entry-code-old"),
        LogInRefusal::NoCode(refusal) => too_often(page, &refusal)?,
        LogInRefusal::Fault(fault) => return Err(failed(&fault)),
    })
}

fn too_often(page: &Page, refusal: &SendCodeRefusal) -> Result<String, Refusal> {
    match refusal {
        SendCodeRefusal::TooOften { retry_at, .. } => Ok(wait(page, "entry-too-often", *retry_at)),
        SendCodeRefusal::Fault(fault) => Err(failed(fault)),
    }
}

fn wait(page: &Page, key: &'static str, until: Timestamp) -> String {
    let minutes = until.since(page.now).as_seconds_up().saturating_add(59) / 60;
    page.t.with(key, "minutes", minutes.max(1)).to_string()
}

fn kept(fields: &Fields, names: &[&str]) -> Form {
    names
        .iter()
        .fold(Form::new(), |form, name| form.fill(name, fields.text(name)))
}

fn refused(template: &impl Template) -> Response {
    let mut response = Page::answer(template);
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

/// A path of this site, or the line's page: nobody is sent elsewhere after logging in.
fn local(next: &str) -> String {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.len() <= 200
        && next.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if ours {
        next.to_owned()
    } else {
        "/line".to_owned()
    }
}

fn failed(fault: &simurgh_app::Fault) -> Refusal {
    tracing::error!(%fault, "an entry failed");
    Refusal::Unavailable
}
