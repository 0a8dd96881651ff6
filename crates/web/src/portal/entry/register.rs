//! Registering: who, then the number's code, then the mailbox's.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::App;
use simurgh_app::subscriber::{ConfirmPhoneRefusal, RegisterRefusal, Registration, Typed, Wish};
use simurgh_subscriber::{DisplayName, country_of};
use simurgh_vocab::{EmailAddress, TimeZoneName};

use super::{code, kept, refused, welcome};
use crate::frame::{Form, Page, Refusal};
use crate::portal::account::contact::confirm_own_email;
use crate::portal::detour::{Detour, Done};
use crate::portal::fields::{Asked, Fields, Sent, encoded};
use crate::portal::local::{browser_zone, likely_country, local};
use crate::portal::pending::{Awaited, Begun, Pending, Place};
use crate::portal::{phone, refusals, zones};
use crate::session::{self, Caller, Holder};
use crate::state::SignedIn;

#[derive(Template)]
#[template(path = "portal/register.html")]
struct RegisterPage {
    page: Page,
    form: Form,
    next: String,
    /// Calling codes with their countries.
    countries: Vec<(String, &'static str)>,
}

impl RegisterPage {
    fn of(page: Page, form: Form, headers: &HeaderMap, next: String) -> Self {
        let likely = likely_country(headers, page.t.locale());
        Self {
            countries: phone::calling_codes(likely.as_slice(), page.t.locale()),
            page,
            form,
            next,
        }
    }

    fn onward(&self) -> String {
        match self.next.as_str() {
            "/line" => String::new(),
            next => format!("?next={}", encoded(next)),
        }
    }
}

/// `GET /register`.
pub(super) async fn show(
    page: Page,
    who: Option<SignedIn>,
    headers: HeaderMap,
    Asked(fields): Asked,
) -> Result<Response, Detour> {
    let next = local(fields.text("next"));
    if who.is_some() {
        return Err(Detour::to(next));
    }
    let likely = likely_country(&headers, page.t.locale());
    let form = Form::new().fill("phone_country", phone::prefix(likely));
    Ok(Page::answer(&RegisterPage::of(page, form, &headers, next)))
}

/// `POST /register`.
pub(super) async fn register(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let next = local(fields.text("next"));
    let names = ["name", "phone", "phone_country", "email", "marketing"];
    let mut form = kept(&fields, &names);
    if let Some(registration) = read(&page, &fields, &mut form)? {
        let (field, message) = match app.register(registration, origin).await {
            Ok(sent) => {
                let awaited = Awaited::sent(sent, Place::Register, &next);
                return Ok(Pending::Code(awaited).begin());
            }
            Err(RegisterRefusal::Password(refusal)) => {
                ("password", refusals::password(&page.t, refusal))
            }
            Err(RegisterRefusal::Busy) => ("phone", page.t.msg("entry-busy")),
            Err(RegisterRefusal::Code(refusal)) => {
                ("phone", refusals::no_code(&page, &fields, refusal)?)
            }
            Err(RegisterRefusal::Fault(fault)) => return Err(fault.into()),
        };
        form.refuse(field, message);
    }
    Ok(refused(&RegisterPage::of(page, form, &headers, next)))
}

/// What was entered; what is wrong with it is in `form` when there is nothing.
fn read(page: &Page, fields: &Fields, form: &mut Form) -> Result<Option<Registration>, Refusal> {
    let t = &page.t;
    let phone = phone::read(fields.text("phone_country"), fields.text("phone"));
    let name: Result<DisplayName, _> = fields.text("name").parse();
    let email: Result<Option<EmailAddress>, _> = match fields.text("email") {
        "" => Ok(None),
        text => text.parse().map(Some),
    };
    if let Err(refusal) = &phone {
        form.refuse("phone", refusals::phone(t, *refusal));
    }
    if let Err(refusal) = &name {
        form.refuse("name", refusals::name(t, *refusal));
    }
    if email.is_err() {
        form.refuse("email", t.msg("entry-bad-email-optional"));
    }
    let password = fields.raw("password");
    if password.is_empty() {
        form.refuse("password", t.msg("entry-password-short"));
    }
    let (Ok(phone), Ok(name), Ok(email), false) = (phone, name, email, form.is_refused()) else {
        return Ok(None);
    };
    let usual = || country_of(&phone).and_then(zones::of_country);
    let zone = browser_zone(fields).or_else(usual).map_or_else(utc, Ok)?;
    Ok(Some(Registration {
        phone,
        name,
        email,
        password: Some(Typed::new(password.to_owned())),
        locale: t.locale(),
        time_zone: zone,
        marketing: if fields.text("marketing") == "yes" {
            Wish::Yes
        } else {
            Wish::No
        },
    }))
}

/// For numbers that belong to no country.
fn utc() -> Result<TimeZoneName, Refusal> {
    "UTC".parse().map_err(|_| Refusal::Internal)
}

/// `POST /register/confirm`.
pub(super) async fn confirm(
    State(app): State<App>,
    page: Page,
    (Caller(origin), Begun(pending)): (Caller, Begun),
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (awaited, typed) = code::answer(pending, Place::Register, &fields)?;
    if !code::is_code(&typed) {
        return Ok(code::no_code(page, &awaited));
    }
    match app.confirm_phone(awaited.challenge, typed, origin).await {
        Ok(confirmed) => {
            let Some(sent) = confirmed.email else {
                return Ok(welcome(&confirmed.session, &awaited.next));
            };
            let awaited = Awaited::sent(sent, Place::NewEmail, &awaited.next);
            let mut response = Pending::Code(awaited).begin();
            session::begin(&mut response, &confirmed.session);
            Ok(response)
        }
        Err(ConfirmPhoneRefusal::Code(refusal)) => Ok(code::not_taken(page, &awaited, refusal)),
        Err(ConfirmPhoneRefusal::Fault(fault)) => Err(fault.into()),
    }
}

/// `POST /register/email`.
pub(super) async fn confirm_email(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Begun(pending): Begun,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (awaited, typed) = code::answer(pending, Place::NewEmail, &fields)?;
    match confirm_own_email(&app, who, &awaited, typed).await? {
        Ok(()) => {
            let mut response = Redirect::to(&awaited.next).into_response();
            session::tell_next(&mut response, Done::EmailConfirmed);
            Pending::end(&mut response);
            Ok(response)
        }
        Err(key) => {
            let reason = key.said(&page.t);
            Ok(code::refuse(page, &awaited, reason))
        }
    }
}
