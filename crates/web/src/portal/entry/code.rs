//! The page on which a one-time code is typed, wherever it was asked for.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use simurgh_app::App;
use simurgh_app::subscriber::{CodeRefusal, SendCodeRefusal};
use simurgh_subscriber::{Challenge, Channel};
use simurgh_vocab::ChallengeId;

use super::refused;
use crate::frame::{Form, Nav, Page, Refusal};
use crate::i18n::key;
use crate::portal::detour::{Detour, Done};
use crate::portal::fields::{Fields, Sent};
use crate::portal::pending::{Awaited, Begun, Pending, Place};
use crate::portal::refusals;
use crate::session::{self, Caller};
use crate::state::SignedIn;

#[derive(Template)]
#[template(path = "portal/code.html")]
struct CodePage {
    page: Page,
    form: Form,
    title: String,
    place: Place,
    challenge: String,
    to: String,
    by_email: bool,
    /// Seconds until another code can be asked for.
    wait_seconds: i64,
    next: String,
}

impl CodePage {
    fn of(page: Page, form: Form, awaited: &Awaited) -> Self {
        let title = match awaited.place {
            Place::LogIn => key("entry-login"),
            Place::Register => key("entry-confirm-phone"),
            Place::NewEmail | Place::OwnEmail => key("entry-confirm-email"),
            Place::Recover => key("entry-recover"),
            Place::Phone => key("account-phone-change"),
            Place::Email => key("account-email-change"),
            Place::Proof => key("account-proof"),
        };
        let wait = awaited.again_at.since(page.now).as_seconds_up();
        let page = if awaited.place.is_own() {
            page.at(Nav::Account)
        } else {
            page
        };
        Self {
            title: page.t.msg(title),
            place: awaited.place,
            challenge: awaited.challenge.number(),
            to: awaited.to.clone(),
            by_email: match awaited.channel {
                Channel::Email => true,
                Channel::Sms => false,
            },
            wait_seconds: wait.max(0),
            next: awaited.next.clone(),
            page,
            form,
        }
    }

    /// Where to go when the code cannot come there.
    fn elsewhere(&self) -> &'static str {
        self.place.start()
    }

    /// Whether this step may be left out.
    const fn can_be_skipped(&self) -> bool {
        matches!(self.place, Place::NewEmail)
    }
}

/// The page of a code that was asked for.
pub(in crate::portal) async fn show(
    page: Page,
    who: Option<SignedIn>,
    Begun(pending): Begun,
    uri: Uri,
) -> Result<Response, Detour> {
    let place = Place::at(uri.path()).ok_or(Refusal::NotFound)?;
    let awaited = awaited(pending, place)?;
    if place.is_own() && who.is_none() {
        return Err(Detour::to("/login?next=%2Faccount"));
    }
    Ok(Page::answer(&CodePage::of(page, Form::new(), &awaited)))
}

/// What is awaited at `place`, and the code that was typed for it.
///
/// # Errors
/// [`Detour`] to where it is asked for, if nothing is awaited; to the page itself, if the form
/// was about another code.
pub(in crate::portal) fn answer(
    pending: Option<Pending>,
    place: Place,
    fields: &Fields,
) -> Result<(Awaited, String), Detour> {
    let challenge: ChallengeId = fields.need("challenge", |text| text.parse().ok())?;
    let awaited = awaited(pending, place)?;
    if awaited.challenge != challenge {
        return Err(Detour::telling(place.path(), Done::NewerCode));
    }
    Ok((awaited, fields.text("code").to_owned()))
}

fn awaited(pending: Option<Pending>, place: Place) -> Result<Awaited, Detour> {
    match pending {
        Some(Pending::Code(awaited)) if awaited.place == place => Ok(awaited),
        Some(Pending::Code(_) | Pending::SecondFactor { .. } | Pending::NewPassword { .. })
        | None => Err(Detour::telling(place.start(), Done::StartOver)),
    }
}

/// Whether something like a code was typed: what is none is no try.
pub(in crate::portal) fn is_code(typed: &str) -> bool {
    let digits = typed.chars().filter(|c| c.is_numeric()).count();
    u32::try_from(digits) == Ok(Challenge::CODE_DIGITS)
}

/// The page again, for something that is no code.
pub(in crate::portal) fn no_code(page: Page, awaited: &Awaited) -> Response {
    let mut form = Form::new();
    form.refuse("code", page.t.msg("entry-code-form"));
    refused(&CodePage::of(page, form, awaited))
}

/// The page again, for a code that is not taken.
pub(in crate::portal) fn not_taken(
    page: Page,
    awaited: &Awaited,
    refusal: CodeRefusal,
) -> Response {
    let mut form = Form::new();
    form.refuse("code", refusals::code(&page.t, refusal));
    refused(&CodePage::of(page, form, awaited))
}

/// The page again, for a reason of its own.
pub(in crate::portal) fn refuse(page: Page, awaited: &Awaited, reason: String) -> Response {
    let mut form = Form::new();
    form.refuse("code", reason);
    refused(&CodePage::of(page, form, awaited))
}

/// `POST /code/again`: another code in place of one that did not arrive.
pub(super) async fn again(
    State(app): State<App>,
    page: Page,
    (Caller(origin), Begun(pending)): (Caller, Begun),
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let challenge: ChallengeId = fields.need("challenge", |text| text.parse().ok())?;
    let Some(Pending::Code(awaited)) = pending else {
        return Err(Detour::telling("/login", Done::StartOver));
    };
    if awaited.challenge != challenge {
        return Err(Detour::telling(awaited.place.path(), Done::NewerCode));
    }
    match app.send_code_again(challenge, origin).await {
        Ok(Some(sent)) => {
            let awaited = Awaited::sent(sent, awaited.place, &awaited.next);
            let mut response = Pending::Code(awaited).begin();
            session::tell_next(&mut response, Done::CodeSentAgain);
            Ok(response)
        }
        Ok(None) => Err(Detour::telling(awaited.place.start(), Done::StartOver)),
        Err(refusal) => {
            let awaited = match &refusal {
                SendCodeRefusal::TooOften { retry_at, .. } => Awaited {
                    again_at: *retry_at,
                    ..awaited
                },
                SendCodeRefusal::Fault(_) => awaited,
            };
            let mut form = Form::new();
            form.refuse("again", refusals::no_code(&page, &fields, refusal)?);
            Ok(refused(&CodePage::of(page, form, &awaited)).into_response())
        }
    }
}
