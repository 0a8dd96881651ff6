//! The second factor: set up with an authenticator app, recovery codes, switched off.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::App;
use simurgh_app::subscriber::{Enrolment, SecondFactorChangeRefusal};
use simurgh_subscriber::{RecoveryCode, RiskyAction, SecondFactorRefusal};

use super::{fresh, logged_out, not_fresh, profile_of};
use crate::frame::{Form, Nav, Page, Refusal};
use crate::portal::detour::{Detour, Done};
use crate::portal::entry::refused;
use crate::portal::fields::Sent;
use crate::portal::qr::drawing;
use crate::session::Holder;

const HOME: &str = "/account/two-step";
const SET_UP: &str = "/account/two-step/set-up";

#[derive(Template)]
#[template(path = "portal/two-step.html")]
struct StatePage {
    page: Page,
    is_on: bool,
    codes_left: usize,
}

/// `GET /account/two-step`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let profile = profile_of(&app, who).await?;
    Ok(Page::answer(&StatePage {
        page: page.at(Nav::Account),
        is_on: profile.second_factor,
        codes_left: profile.recovery_codes_left,
    }))
}

/// `POST /account/two-step/set-up`: makes a secret.
pub(super) async fn set_up(
    State(app): State<App>,
    who: Holder,
    Sent(_): Sent,
) -> Result<Response, Detour> {
    match app.enrol_second_factor(who.session).await {
        Ok(_) => Ok(Redirect::to(SET_UP).into_response()),
        // What is asked for first comes back here: a press more, but no secret made by a link.
        Err(refusal) => Err(elsewhere(refusal, HOME)?),
    }
}

#[derive(Template)]
#[template(path = "portal/two-step-set-up.html")]
struct SecretPage {
    page: Page,
    form: Form,
    /// The drawing of the address, as SVG.
    drawing: String,
    address: String,
    /// The secret in groups of four.
    secret: String,
}

impl SecretPage {
    fn of(page: Page, form: Form, enrolment: Enrolment) -> Result<Self, Refusal> {
        let label = page.t.msg("account-two-step-qr");
        Ok(Self {
            drawing: drawing(&enrolment.otpauth_url, &label)?,
            address: enrolment.otpauth_url,
            secret: grouped(&enrolment.secret),
            page: page.at(Nav::Account),
            form,
        })
    }
}

/// `GET /account/two-step/set-up`: the secret that waits for its first code.
pub(super) async fn show_secret(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let enrolment = waiting(&app, who).await?;
    Ok(Page::answer(&SecretPage::of(page, Form::new(), enrolment)?))
}

async fn waiting(app: &App, who: Holder) -> Result<Enrolment, Detour> {
    match app.waiting_enrolment(who.session).await {
        Ok(Some(enrolment)) => Ok(enrolment),
        Ok(None) => Err(Detour::to(HOME)),
        Err(refusal) => Err(elsewhere(refusal, SET_UP)?),
    }
}

#[derive(Template)]
#[template(path = "portal/recovery-codes.html")]
struct CodesPage {
    page: Page,
    codes: Vec<String>,
    /// Whether the second factor was just turned on.
    is_new: bool,
}

impl CodesPage {
    fn of(page: Page, codes: &[RecoveryCode], is_new: bool) -> Self {
        Self {
            page: page.at(Nav::Account),
            codes: codes.iter().map(RecoveryCode::shown).collect(),
            is_new,
        }
    }
}

/// `POST /account/two-step/on`. The recovery codes are shown this once, so this form does not
/// lead to another page.
pub(super) async fn turn_on(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let typed = fields.text("code").to_owned();
    match app.turn_second_factor_on(who.session, typed).await {
        Ok(codes) => {
            let is_new = true;
            Ok(Page::answer(&CodesPage::of(page, &codes, is_new)))
        }
        Err(SecondFactorChangeRefusal::Factor(SecondFactorRefusal::Wrong)) => {
            let mut form = Form::new();
            form.refuse("code", page.t.msg("account-two-step-wrong"));
            let enrolment = waiting(&app, who).await?;
            Ok(refused(&SecretPage::of(page, form, enrolment)?))
        }
        Err(refusal) => Err(elsewhere(refusal, SET_UP)?),
    }
}

#[derive(Template)]
#[template(path = "portal/two-step-ask.html")]
struct AskPage {
    page: Page,
    /// Whether it is to be turned off; else new recovery codes are to be made.
    turns_off: bool,
}

/// `GET /account/two-step/off`.
pub(super) async fn ask_off(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let turns_off = true;
    ask(&app, page, who, turns_off).await
}

/// `GET /account/two-step/codes`.
pub(super) async fn ask_codes(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let turns_off = false;
    ask(&app, page, who, turns_off).await
}

async fn ask(app: &App, page: Page, who: Holder, turns_off: bool) -> Result<Response, Detour> {
    let path = if turns_off { OFF } else { CODES };
    fresh(app, who, RiskyAction::ChangeSecondFactor, path).await?;
    if !profile_of(app, who).await?.second_factor {
        return Err(Detour::to(HOME));
    }
    Ok(Page::answer(&AskPage {
        page: page.at(Nav::Account),
        turns_off,
    }))
}

const OFF: &str = "/account/two-step/off";
const CODES: &str = "/account/two-step/codes";

/// `POST /account/two-step/off`.
pub(super) async fn turn_off(
    State(app): State<App>,
    who: Holder,
    Sent(_): Sent,
) -> Result<Response, Detour> {
    match app.turn_second_factor_off(who.session).await {
        Ok(()) => Ok(Done::SecondFactorOff.at(HOME)),
        Err(refusal) => Err(elsewhere(refusal, OFF)?),
    }
}

/// `POST /account/two-step/codes`.
pub(super) async fn new_codes(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Sent(_): Sent,
) -> Result<Response, Detour> {
    match app.renew_recovery_codes(who.session).await {
        Ok(codes) => {
            let is_new = false;
            Ok(Page::answer(&CodesPage::of(page, &codes, is_new)))
        }
        Err(refusal) => Err(elsewhere(refusal, CODES)?),
    }
}

/// Where a refusal leads; `back` is come back to.
///
/// # Errors
/// [`Detour`] for a fault.
fn elsewhere(refusal: SecondFactorChangeRefusal, back: &str) -> Result<Detour, Detour> {
    match refusal {
        SecondFactorChangeRefusal::LoggedOut => Ok(logged_out(back)),
        SecondFactorChangeRefusal::NotFresh => Ok(not_fresh(back)),
        // Done in another window meanwhile.
        SecondFactorChangeRefusal::Factor(
            SecondFactorRefusal::AlreadyOn
            | SecondFactorRefusal::NotOn
            | SecondFactorRefusal::Wrong
            | SecondFactorRefusal::Replayed,
        ) => Ok(Detour::to(HOME)),
        SecondFactorChangeRefusal::Fault(fault) => Err(fault.into()),
    }
}

/// Four and four, to be typed without losing one's place.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect());
    groups.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_grouped() {
        assert_eq!(grouped("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }
}
