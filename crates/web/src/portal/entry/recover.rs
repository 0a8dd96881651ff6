//! A new password without the old one.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::subscriber::{RecoverRefusal, StepToken, Typed};

use super::{code, contact, kept, refused, welcome};
use crate::frame::{Form, Page};
use crate::portal::detour::{Detour, Done};
use crate::portal::fields::Sent;
use crate::portal::pending::{Awaited, Begun, Pending, Place};
use crate::portal::refusals;
use crate::session::{self, Caller};

#[derive(Template)]
#[template(path = "portal/recover.html")]
struct RecoverPage {
    page: Page,
    form: Form,
}

/// `GET /recover`.
pub(super) async fn show(page: Page) -> Response {
    let form = Form::new();
    Page::answer(&RecoverPage { page, form })
}

/// `POST /recover`: the answer is the same whether the address has an account.
pub(super) async fn send(
    State(app): State<App>,
    page: Page,
    headers: HeaderMap,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let reason = match contact(&page, &headers, &fields) {
        Ok(contact) => match app.send_recovery_code(contact, origin).await {
            Ok(sent) => {
                let awaited = Awaited::sent(sent, Place::Recover, "/line");
                return Ok(Pending::Code(awaited).begin());
            }
            Err(refusal) => refusals::no_code(&page, &fields, refusal)?,
        },
        Err(reason) => reason,
    };
    let mut form = kept(&fields, &["who"]);
    form.refuse("who", reason);
    Ok(refused(&RecoverPage { page, form }))
}

/// `POST /recover/code`.
pub(super) async fn take_code(
    State(app): State<App>,
    page: Page,
    Begun(pending): Begun,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (awaited, typed) = code::answer(pending, Place::Recover, &fields)?;
    if !code::is_code(&typed) {
        return Ok(code::no_code(page, &awaited));
    }
    match app.answer_recovery_code(awaited.challenge, typed).await {
        Ok(step) => Ok(Pending::NewPassword {
            step: step.token,
            second_factor: step.wants_second_factor,
        }
        .begin()),
        Err(RecoverRefusal::Code(refusal)) => Ok(code::not_taken(page, &awaited, refusal)),
        Err(RecoverRefusal::Fault(fault)) => Err(fault.into()),
        Err(
            RecoverRefusal::StartOver
            | RecoverRefusal::Password(_)
            | RecoverRefusal::Busy
            | RecoverRefusal::Locked { .. }
            | RecoverRefusal::SecondFactor,
        ) => Err(Detour::telling("/recover", Done::StartOver)),
    }
}

#[derive(Template)]
#[template(path = "portal/recover-password.html")]
struct PasswordPage {
    page: Page,
    form: Form,
    second_factor: bool,
}

/// `GET /recover/password`.
pub(super) async fn show_password(page: Page, Begun(pending): Begun) -> Result<Response, Detour> {
    let (_, second_factor) = half_done(pending)?;
    Ok(Page::answer(&PasswordPage {
        page,
        form: Form::new(),
        second_factor,
    }))
}

/// `POST /recover/password`.
pub(super) async fn set_password(
    State(app): State<App>,
    page: Page,
    (Caller(origin), Begun(pending)): (Caller, Begun),
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (step, second_factor) = half_done(pending)?;
    let typed = Typed::new(fields.raw("password").to_owned());
    let factor = fields.has("code").then(|| fields.text("code").to_owned());
    let (field, message) = match app.recover_password(step, typed, factor, origin).await {
        Ok(session) => {
            let mut response = welcome(&session, "/line");
            session::tell_next(&mut response, Done::PasswordRecovered);
            return Ok(response);
        }
        Err(RecoverRefusal::Code(_) | RecoverRefusal::StartOver) => {
            return Err(Detour::telling("/recover", Done::StartOver));
        }
        Err(RecoverRefusal::Password(refusal)) => {
            ("password", refusals::password(&page.t, refusal))
        }
        Err(RecoverRefusal::Busy) => ("password", page.t.msg("entry-busy")),
        Err(RecoverRefusal::Locked { until, scope }) => {
            let locked = refusals::second_factor_locked(&page, &fields, (until, scope));
            ("code", locked)
        }
        Err(RecoverRefusal::SecondFactor) => ("code", page.t.msg("entry-second-or-recovery-wrong")),
        Err(RecoverRefusal::Fault(fault)) => return Err(fault.into()),
    };
    let mut form = Form::new();
    form.refuse(field, message);
    Ok(refused(&PasswordPage {
        page,
        form,
        second_factor,
    }))
}

fn half_done(pending: Option<Pending>) -> Result<(StepToken, bool), Detour> {
    match pending {
        Some(Pending::NewPassword {
            step,
            second_factor,
        }) => Ok((step, second_factor)),
        Some(Pending::Code(_) | Pending::SecondFactor { .. }) | None => {
            Err(Detour::telling("/recover", Done::StartOver))
        }
    }
}
