//! Closing the account: what it means, a word to type, and then it is done.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::subscriber::CloseRefusal;
use simurgh_subscriber::RiskyAction;

use super::{fresh, logged_out, not_fresh};
use crate::frame::{Form, Nav, Page};
use crate::portal::detour::{Detour, Done};
use crate::portal::entry::{kept, refused};
use crate::portal::fields::Sent;
use crate::portal::words;
use crate::session::{self, Holder};

const PATH: &str = "/account/close";

#[derive(Template)]
#[template(path = "portal/close.html")]
struct ClosePage {
    page: Page,
    form: Form,
    /// What is left on the lines, in words; empty when nothing is.
    left: String,
    /// The word that confirms it.
    word: String,
}

impl ClosePage {
    async fn of(app: &App, who: Holder, page: Page, form: Form) -> Result<Self, Detour> {
        let views = app.line_views(who.customer).await?;
        let units = views.iter().flat_map(|view| &view.standing.units);
        let left: Vec<String> = units
            .filter(|unit| unit.left > 0)
            .map(|unit| words::service(&page.t, unit.unit, unit.left))
            .collect();
        Ok(Self {
            left: left.join(" · "),
            word: page.t.msg("account-close-word"),
            page: page.at(Nav::Account),
            form,
        })
    }
}

/// `GET /account/close`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    fresh(&app, who, RiskyAction::CloseAccount, PATH).await?;
    let page = ClosePage::of(&app, who, page, Form::new()).await?;
    Ok(Page::answer(&page))
}

/// `POST /account/close`.
pub(super) async fn close(
    State(app): State<App>,
    page: Page,
    who: Holder,
    headers: HeaderMap,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let mut form = kept(&fields, &["word"]);
    let word = page.t.msg("account-close-word");
    if fields.text("word").to_lowercase() != word.to_lowercase() {
        let reason = page.t.with("account-close-type", "word", word).to_string();
        form.refuse("word", reason);
        return Ok(refused(&ClosePage::of(&app, who, page, form).await?));
    }
    match app.close_account(who.session).await {
        Ok(()) => {
            let mut response = Done::AccountClosed.at("/");
            session::end(&app, &headers, &mut response).await?;
            Ok(response)
        }
        Err(CloseRefusal::LoggedOut) => Err(logged_out(PATH)),
        Err(CloseRefusal::NotFresh) => Err(not_fresh(PATH)),
        Err(CloseRefusal::PaymentPending) => {
            form.refuse("word", page.t.msg("account-close-pending"));
            Ok(refused(&ClosePage::of(&app, who, page, form).await?))
        }
        Err(CloseRefusal::Fault(fault)) => Err(fault.into()),
    }
}
