//! Stored payment methods.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::App;
use simurgh_app::ports::Mandate;
use simurgh_vocab::{CustomerId, MandateId, Timestamp};

use super::fields::Sent;
use super::shopper::failed;
use super::words;
use crate::frame::{Nav, Page, Refusal};
use crate::state::SignedIn;

/// A stored method.
struct Entry {
    name: String,
    stored_at: Timestamp,
    remove: String,
}

#[derive(Template)]
#[template(path = "portal/methods.html")]
struct MethodsPage {
    page: Page,
    entries: Vec<Entry>,
}

/// `/methods`.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
) -> Result<Response, Refusal> {
    let stored = stored(&app, who.customer).await?;
    let t = &page.t;
    let entries = stored.iter().map(|mandate| Entry {
        name: format!("{} {}", words::method(t, mandate.method), mandate.display),
        stored_at: mandate.created_at,
        remove: format!("/methods/{}/remove", mandate.id),
    });
    Ok(Page::answer(&MethodsPage {
        entries: entries.collect(),
        page: page.at(Nav::Account),
    }))
}

async fn stored(app: &App, customer: CustomerId) -> Result<Vec<Mandate>, Refusal> {
    let stored = app.stored_methods(customer).await;
    stored.map_err(|fault| failed(&fault))
}

#[derive(Template)]
#[template(path = "portal/method-remove.html")]
struct RemovePage {
    page: Page,
    name: String,
    action: String,
    renews: bool,
}

/// `GET /methods/{id}/remove`: asks whether a method is to be removed.
pub(super) async fn ask_remove(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id: MandateId = id.parse().map_err(|_| Refusal::NotFound)?;
    let stored = stored(&app, who.customer).await?;
    let mandate = stored.iter().find(|mandate| mandate.id == id);
    let mandate = mandate.ok_or(Refusal::NotFound)?;
    let lines = app.line_views(who.customer).await;
    let lines = lines.map_err(|fault| failed(&fault))?;
    let renews = lines.iter().any(|line| {
        let renewal = line.renewal.as_ref();
        renewal.is_some_and(|(renewal, _)| renewal.mandate == id)
    });
    Ok(Page::answer(&RemovePage {
        name: format!(
            "{} {}",
            words::method(&page.t, mandate.method),
            mandate.display
        ),
        action: format!("/methods/{id}/remove"),
        renews,
        page: page.at(Nav::Account),
    }))
}

/// `POST /methods/{id}/remove`. Removing it twice is as good as once.
pub(super) async fn remove(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let id: MandateId = id.parse().map_err(|_| Refusal::NotFound)?;
    let removed = app.remove_method(who.customer, id).await;
    removed.map_err(|fault| failed(&fault))?;
    Ok(Redirect::to("/methods").into_response())
}
