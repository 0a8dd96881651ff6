//! Asking again who it is, before something risky; afterwards it goes on where it was wanted.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::App;
use simurgh_app::subscriber::{ProofWays, ReAuthenticateRefusal, Reproof, Typed};
use simurgh_subscriber::Channel;

use super::logged_out;
use crate::frame::{Form, Nav, Page, Refusal};
use crate::portal::detour::Detour;
use crate::portal::entry::{code, refused};
use crate::portal::fields::{Asked, Fields, Sent};
use crate::portal::local::local_or;
use crate::portal::pending::{Awaited, Begun, Pending, Place};
use crate::portal::refusals;
use crate::session::{Caller, Holder};

#[derive(Template)]
#[template(path = "portal/proof.html")]
struct ProofPage {
    page: Page,
    form: Form,
    ways: ProofWays,
    next: String,
}

impl ProofPage {
    async fn of(app: &App, who: Holder, page: Page, next: String) -> Result<Self, Detour> {
        let ways = app.proof_ways(who.customer).await?;
        Ok(Self {
            page: page.at(Nav::Account),
            form: Form::new(),
            ways,
            next,
        })
    }
}

/// The page that was wanted.
fn wanted(fields: &Fields) -> String {
    local_or(fields.text("next"), "/account")
}

/// `GET /account/proof`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Asked(fields): Asked,
) -> Result<Response, Detour> {
    let page = ProofPage::of(&app, who, page, wanted(&fields)).await?;
    Ok(Page::answer(&page))
}

/// `POST /account/proof`: by password, or by the second factor.
pub(super) async fn prove(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let next = wanted(&fields);
    let (field, proof) = if fields.has("code") {
        let typed = fields.text("code").to_owned();
        ("code", Reproof::SecondFactor(typed))
    } else {
        let typed = Typed::new(fields.raw("password").to_owned());
        ("password", Reproof::Password(typed))
    };
    match app.re_authenticate(who.session, proof, origin).await {
        Ok(()) => Ok(Redirect::to(&next).into_response()),
        Err(refusal) => {
            let reason = not_proven(&page, &fields, refusal, field)?;
            let mut page = ProofPage::of(&app, who, page, next).await?;
            page.form.refuse(field, reason);
            Ok(refused(&page))
        }
    }
}

fn not_proven(
    page: &Page,
    fields: &Fields,
    refusal: ReAuthenticateRefusal,
    field: &str,
) -> Result<String, Detour> {
    match refusal {
        ReAuthenticateRefusal::LoggedOut => Err(logged_out("/account")),
        ReAuthenticateRefusal::OtherWay => Err(Detour::to("/account/proof")),
        ReAuthenticateRefusal::Locked { until, scope } => {
            Ok(refusals::proof_locked(page, fields, (until, scope)))
        }
        ReAuthenticateRefusal::Busy => Ok(page.t.msg("entry-busy")),
        ReAuthenticateRefusal::Wrong if field == "password" => {
            Ok(page.t.msg("account-current-wrong"))
        }
        ReAuthenticateRefusal::Wrong => Ok(page.t.msg("entry-second-or-recovery-wrong")),
        ReAuthenticateRefusal::Code(refusal) => Ok(refusals::code(&page.t, refusal)),
        ReAuthenticateRefusal::Fault(fault) => Err(fault.into()),
    }
}

/// `POST /account/proof/send`: a code to the own number or mailbox.
pub(super) async fn send(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let next = wanted(&fields);
    let channel = fields.need("channel", Channel::from_code)?;
    match app.send_proof_code(who.customer, channel, origin).await {
        Ok(Some(sent)) => Ok(Pending::Code(Awaited::sent(sent, Place::Proof, &next)).begin()),
        Ok(None) => Err(Refusal::BadRequest.into()),
        Err(refusal) => {
            let reason = refusals::no_code(&page, &fields, refusal)?;
            let mut page = ProofPage::of(&app, who, page, next).await?;
            page.form.refuse("channel", reason);
            Ok(refused(&page))
        }
    }
}

/// `POST /account/proof/code`.
pub(super) async fn take_code(
    State(app): State<App>,
    page: Page,
    who: Holder,
    (Caller(origin), Begun(pending)): (Caller, Begun),
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (awaited, typed) = code::answer(pending, Place::Proof, &fields)?;
    if !code::is_code(&typed) {
        return Ok(code::no_code(page, &awaited));
    }
    let proof = Reproof::Code {
        challenge: awaited.challenge,
        code: typed,
    };
    match app.re_authenticate(who.session, proof, origin).await {
        Ok(()) => {
            let mut response = Redirect::to(&awaited.next).into_response();
            Pending::end(&mut response);
            Ok(response)
        }
        Err(refusal) => {
            let reason = not_proven(&page, &fields, refusal, "code")?;
            Ok(code::refuse(page, &awaited, reason))
        }
    }
}
