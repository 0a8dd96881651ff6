//! Identity checks that wait for staff.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use simurgh_app::App;
use simurgh_app::desk::CaseInReview;
use simurgh_app::subscriber::ReviewRefusal;
use simurgh_subscriber::{IdentityRefusal, IdentityState};
use simurgh_vocab::{CaseId, Timestamp};

use super::session::{Done, Staff};
use super::words::failed;
use crate::frame::{Nav, Page, Refusal};
use crate::i18n::{Text, key};
use crate::portal::fields::Sent;

/// The verdict that ends an outside check which never answers.
pub(crate) const ABANDONED: &str = IdentityRefusal::Abandoned.code();

struct CaseRow {
    number: String,
    customer: String,
    name: String,
    rule: String,
    since: Option<Timestamp>,
    /// Whether somebody outside looks at it.
    outside: bool,
    documents: Vec<(String, String)>,
}

impl CaseRow {
    fn of(waiting: &CaseInReview) -> Self {
        let case = &waiting.case;
        let (since, outside) = match &case.state {
            IdentityState::InReview { since, reference } => (Some(*since), reference.is_some()),
            IdentityState::Wanted { since } => (Some(*since), false),
            IdentityState::Approved { .. } | IdentityState::Refused { .. } => (None, false),
        };
        let documents = waiting.documents.iter().map(|(position, kind)| {
            let address = format!("/identity/{}/documents/{position}", case.id);
            (address, kind.clone())
        });
        Self {
            number: case.id.number(),
            customer: case.customer.number(),
            name: waiting.name.clone(),
            rule: case.rule.clone(),
            since,
            outside,
            documents: documents.collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "console/identity.html")]
struct IdentityPage {
    page: Page,
    rows: Vec<CaseRow>,
    verdicts: Vec<(&'static str, String)>,
}

/// `GET /identity`.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    staff: Staff,
) -> Result<Response, Refusal> {
    let waiting = app.cases_for_staff(staff.0.staff).await;
    let waiting = waiting.map_err(|fault| failed(&fault))?;
    Ok(Page::answer(&IdentityPage {
        rows: waiting.iter().map(CaseRow::of).collect(),
        verdicts: verdicts(&page.t),
        page: page.at(Nav::Customers),
    }))
}

/// `GET /identity/{case}/documents/{position}`.
pub(super) async fn document(
    State(app): State<App>,
    staff: Staff,
    Path((case, position)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let case = CaseId::from_number(&case).ok_or(Refusal::NotFound)?;
    let position = position.parse().map_err(|_| Refusal::NotFound)?;
    let opened = app.document_for_staff(staff.0.staff, case, position).await;
    let opened = opened.map_err(refused)?;
    // Somebody else made this file: but for pictures, it is not shown as a page of ours.
    let (kind, disposition) = match opened.media_type.as_str() {
        "image/jpeg" => ("image/jpeg", "inline"),
        "image/png" => ("image/png", "inline"),
        "application/pdf" => ("application/pdf", "attachment; filename=\"document.pdf\""),
        _ => (
            "application/octet-stream",
            "attachment; filename=\"document\"",
        ),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_DISPOSITION, HeaderValue::from_static(disposition)),
    ];
    Ok((headers, opened.octets).into_response())
}

/// `POST /identity/{case}`: the decision.
pub(super) async fn decide(
    State(app): State<App>,
    staff: Staff,
    Path(case): Path<String>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let case = CaseId::from_number(&case).ok_or(Refusal::NotFound)?;
    let verdict = fields.need("verdict", |text| match text {
        "approved" => Some(Ok(())),
        other => IdentityRefusal::from_code(other).map(Err),
    })?;
    let decided = app.decide_identity(staff.0.staff, case, verdict).await;
    decided.map_err(refused)?;
    Ok(Done::IdentityDecided.at("/identity"))
}

fn refused(refusal: ReviewRefusal) -> Refusal {
    match refusal {
        ReviewRefusal::NotFound => Refusal::NotFound,
        ReviewRefusal::Case(_) => Refusal::BadRequest,
        ReviewRefusal::Fault(fault) => failed(&fault),
    }
}

fn verdicts(t: &Text) -> Vec<(&'static str, String)> {
    let refusals = [
        (IdentityRefusal::Unreadable, key("desk-verdict-unreadable")),
        (
            IdentityRefusal::DocumentExpired,
            key("desk-verdict-expired"),
        ),
        (
            IdentityRefusal::DocumentNotAccepted,
            key("desk-verdict-not-accepted"),
        ),
        (IdentityRefusal::Mismatch, key("desk-verdict-mismatch")),
        (IdentityRefusal::TooYoung, key("desk-verdict-too-young")),
        (
            IdentityRefusal::TooManyNumbers,
            key("desk-verdict-too-many-numbers"),
        ),
        (IdentityRefusal::NotGenuine, key("desk-verdict-not-genuine")),
    ];
    let mut verdicts = vec![("approved", t.msg("desk-verdict-approved"))];
    verdicts.extend(refusals.map(|(refusal, key)| (refusal.code(), t.msg(key))));
    verdicts
}
