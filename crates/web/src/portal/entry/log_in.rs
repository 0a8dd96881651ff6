//! Logging in: by password, by one-time code, and the second factor.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::subscriber::{Claim, LogIn, LogInRefusal, SecondFactorLogInRefusal, Typed};
use simurgh_vocab::Msisdn;

use super::{code, contact, kept, own_countries, refused, welcome};
use crate::frame::{Form, Page};
use crate::portal::detour::{Detour, Done};
use crate::portal::fields::{Asked, Fields, Sent, encoded};
use crate::portal::local::local;
use crate::portal::pending::{Awaited, Begun, Pending, Place};
use crate::portal::{phone, refusals};
use crate::session::Caller;
use crate::state::SignedIn;

#[derive(Template)]
#[template(path = "portal/login.html")]
struct LogInPage {
    page: Page,
    form: Form,
    next: String,
    by_code: bool,
}

impl LogInPage {
    /// The rest of an address that comes back to the page that was wanted.
    fn onward(&self) -> String {
        match self.next.as_str() {
            "/line" => String::new(),
            next => format!("?next={}", encoded(next)),
        }
    }
}

/// `GET /login`.
pub(super) async fn show(
    page: Page,
    who: Option<SignedIn>,
    Asked(fields): Asked,
) -> Result<Response, Detour> {
    form_page(page, who, &fields, false)
}

/// `GET /login/send-code`.
pub(super) async fn show_by_code(
    page: Page,
    who: Option<SignedIn>,
    Asked(fields): Asked,
) -> Result<Response, Detour> {
    form_page(page, who, &fields, true)
}

fn form_page(
    page: Page,
    who: Option<SignedIn>,
    fields: &Fields,
    by_code: bool,
) -> Result<Response, Detour> {
    let next = local(fields.text("next"));
    if who.is_some() {
        return Err(Detour::to(next));
    }
    let form = Form::new();
    Ok(Page::answer(&LogInPage {
        page,
        form,
        next,
        by_code,
    }))
}

/// `POST /login`.
pub(super) async fn by_password(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let next = local(fields.text("next"));
    let mut form = kept(&fields, &["who"]);
    if !fields.has("who") {
        form.refuse("who", page.t.msg("entry-who-empty"));
    }
    if fields.raw("password").is_empty() {
        form.refuse("password", page.t.msg("entry-password-empty"));
    }
    if !form.is_refused() {
        let typed = Typed::new(fields.raw("password").to_owned());
        let claim = claim(&fields, &headers);
        match app.log_in_with_password(claim, typed, origin).await {
            Ok(LogIn::Done(session)) => return Ok(welcome(&session, &next)),
            Ok(LogIn::SecondFactor(step)) => {
                return Ok(Pending::SecondFactor { step, next }.begin());
            }
            Ok(LogIn::Unconfirmed(sent)) => {
                let awaited = Awaited::sent(sent, Place::Register, &next);
                return Ok(Pending::Code(awaited).begin());
            }
            Err(refusal) => form.refuse("who", said_no(&page, &fields, refusal)?),
        }
    }
    Ok(refused(&LogInPage {
        page,
        form,
        next,
        by_code: false,
    }))
}

/// Who it is said to be. A number typed without its country is read as in [`contact`].
fn claim(fields: &Fields, headers: &HeaderMap) -> Claim {
    let who = fields.text("who");
    let number = phone::in_countries(who, &own_countries(headers));
    Claim::typed(number.as_ref().map_or(who, Msisdn::as_str), None)
}

fn said_no(page: &Page, fields: &Fields, refusal: LogInRefusal) -> Result<String, Detour> {
    Ok(match refusal {
        LogInRefusal::Wrong => page.t.msg("entry-wrong"),
        LogInRefusal::Locked { until, scope } => refusals::locked(page, fields, (until, scope)),
        LogInRefusal::Busy => page.t.msg("entry-busy"),
        LogInRefusal::Code(refusal) => refusals::code(&page.t, refusal),
        LogInRefusal::NoCode(refusal) => refusals::no_code(page, fields, refusal)?,
        LogInRefusal::Fault(fault) => return Err(fault.into()),
    })
}

/// `POST /login/send-code`.
pub(super) async fn send_code(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let next = local(fields.text("next"));
    let reason = match contact(&page, &headers, &fields) {
        Ok(contact) => match app.send_log_in_code(contact, origin).await {
            Ok(sent) => {
                let awaited = Awaited::sent(sent, Place::LogIn, &next);
                return Ok(Pending::Code(awaited).begin());
            }
            Err(refusal) => refusals::no_code(&page, &fields, refusal)?,
        },
        Err(reason) => reason,
    };
    let mut form = kept(&fields, &["who"]);
    form.refuse("who", reason);
    Ok(refused(&LogInPage {
        page,
        form,
        next,
        by_code: true,
    }))
}

/// `POST /login/code`.
pub(super) async fn by_code(
    State(app): State<App>,
    page: Page,
    (Caller(origin), Begun(pending)): (Caller, Begun),
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (awaited, typed) = code::answer(pending, Place::LogIn, &fields)?;
    if !code::is_code(&typed) {
        return Ok(code::no_code(page, &awaited));
    }
    match app.log_in_with_code(awaited.challenge, typed, origin).await {
        Ok(LogIn::Done(session)) => Ok(welcome(&session, &awaited.next)),
        Ok(LogIn::SecondFactor(step)) => {
            let next = awaited.next;
            Ok(Pending::SecondFactor { step, next }.begin())
        }
        Ok(LogIn::Unconfirmed(sent)) => {
            let awaited = Awaited::sent(sent, Place::Register, &awaited.next);
            Ok(Pending::Code(awaited).begin())
        }
        Err(refusal) => {
            let reason = said_no(&page, &fields, refusal)?;
            Ok(code::refuse(page, &awaited, reason))
        }
    }
}

#[derive(Template)]
#[template(path = "portal/second.html")]
struct SecondPage {
    page: Page,
    form: Form,
    with_recovery: bool,
}

fn wants_recovery(fields: &Fields) -> bool {
    fields.text("with") == "recovery"
}

/// `GET /login/second`.
pub(super) async fn show_second(
    page: Page,
    Begun(pending): Begun,
    Asked(fields): Asked,
) -> Result<Response, Detour> {
    half_done(pending)?;
    Ok(Page::answer(&SecondPage {
        page,
        form: Form::new(),
        with_recovery: wants_recovery(&fields),
    }))
}

/// `POST /login/second`.
pub(super) async fn second(
    State(app): State<App>,
    page: Page,
    (Caller(origin), Begun(pending)): (Caller, Begun),
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (step, next) = half_done(pending)?;
    let with_recovery = wants_recovery(&fields);
    let typed = fields.text("code").to_owned();
    let reason = match app.show_second_factor(step, typed, origin).await {
        Ok(session) => return Ok(welcome(&session, &next)),
        Err(SecondFactorLogInRefusal::StartOver) => {
            return Err(Detour::telling("/login", Done::StartOver));
        }
        Err(SecondFactorLogInRefusal::Locked { until, scope }) => {
            refusals::second_factor_locked(&page, &fields, (until, scope))
        }
        Err(SecondFactorLogInRefusal::Wrong) => refusals::second_factor(&page.t, with_recovery),
        Err(SecondFactorLogInRefusal::Fault(fault)) => return Err(fault.into()),
    };
    let mut form = Form::new();
    form.refuse("code", reason);
    Ok(refused(&SecondPage {
        page,
        form,
        with_recovery,
    }))
}

fn half_done(
    pending: Option<Pending>,
) -> Result<(simurgh_app::subscriber::StepToken, String), Detour> {
    match pending {
        Some(Pending::SecondFactor { step, next }) => Ok((step, next)),
        Some(Pending::Code(_) | Pending::NewPassword { .. }) | None => {
            Err(Detour::telling("/login", Done::StartOver))
        }
    }
}
