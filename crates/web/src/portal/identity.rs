//! Identity checks: what is asked and why, where the customer's check stands, and the two ways to
//! pass it: an outside check by redirect, or documents for staff.
//!
//! The outside check leads back to the page of the check. That somebody comes back says nothing: the
//! page shows what the store knows.

use askama::Template;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use simurgh_app::App;
use simurgh_app::subscriber::{
    DocumentRefusal, IdentityOverview, IdentityStartRefusal, IdentityWish, NewDocument,
};
use simurgh_subscriber::{IdentityCase, IdentityRefusal, IdentityState};
use simurgh_vocab::{CustomerId, Duration, Timestamp, ZoneCode};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::fields::{Asked, FORM_OCTETS_MAX, Sent, href};
use super::shopper::{catalogue, failed};
use crate::frame::{Form, Nav, Page, Refusal, Tone, Visitor};
use crate::i18n::key;
use crate::state::{SignedIn, WebState};

/// The kinds of file a document may be.
pub(crate) const ACCEPT: &str = "image/jpeg,image/png,application/pdf";

/// The largest form with documents, in octets: as many as there may be, and a few short fields.
const UPLOAD_OCTETS_MAX: usize =
    IdentityCase::DOCUMENTS_MAX * IdentityCase::DOCUMENT_OCTETS_MAX + FORM_OCTETS_MAX;

/// The most forms with documents that are read at once: each may take 32 MiB of memory.
const UPLOADS_MAX: usize = 4;
static UPLOADS: Semaphore = Semaphore::const_new(UPLOADS_MAX);

/// The longest address that is come back to, in octets: a checkout with all its choices fits.
const BACK_TO_OCTETS_MAX: usize = 1_000;

/// The pages of identity checks.
pub(crate) fn routes() -> Router<WebState> {
    let documents = post(hand_in).layer(DefaultBodyLimit::max(UPLOAD_OCTETS_MAX));
    Router::new()
        .route("/identity", get(list))
        .route("/identity/{zone}", get(show))
        .route(
            "/identity/{zone}/start",
            post(start).layer(DefaultBodyLimit::max(FORM_OCTETS_MAX)),
        )
        .route("/identity/{zone}/documents", documents)
}

/// A rule in the list.
struct Row {
    href: String,
    zone: String,
    reason: String,
    tone: Tone,
    state: String,
}

#[derive(Template)]
#[template(path = "portal/identity-list.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
}

/// Where a check stands, as the page shows it.
enum Face {
    NotNeeded,
    Wanted,
    /// An outside check has it, since then.
    Outside(Timestamp),
    /// Staff has it, since then.
    Staff(Timestamp),
    Approved(Timestamp),
    /// The keys of the reason and of what to do.
    Refused(&'static str, &'static str),
}

impl Face {
    fn of(case: Option<&IdentityCase>) -> Self {
        match case.map(|case| &case.state) {
            None | Some(IdentityState::Wanted { .. }) => Self::Wanted,
            Some(IdentityState::InReview {
                since,
                reference: Some(_),
            }) => Self::Outside(*since),
            Some(IdentityState::InReview {
                since,
                reference: None,
            }) => Self::Staff(*since),
            Some(IdentityState::Approved { at, .. }) => Self::Approved(*at),
            Some(IdentityState::Refused { reason, .. }) => {
                let (reason, advice) = refusal_keys(*reason);
                Self::Refused(reason, advice)
            }
        }
    }

    /// Tone and key of the state in a word.
    const fn word(&self) -> (Tone, &'static str) {
        match self {
            Self::NotNeeded => (Tone::Muted, key("identity-state-not-needed")),
            Self::Wanted => (Tone::Warning, key("identity-state-wanted")),
            Self::Outside(_) | Self::Staff(_) => (Tone::Info, key("identity-state-in-review")),
            Self::Approved(_) => (Tone::Success, key("identity-state-approved")),
            Self::Refused(..) => (Tone::Danger, key("identity-state-refused")),
        }
    }

    /// Whether the customer can hand something in.
    const fn is_open(&self) -> bool {
        match self {
            Self::Wanted | Self::Outside(_) | Self::Refused(..) => true,
            Self::NotNeeded | Self::Staff(_) | Self::Approved(_) => false,
        }
    }

    /// Whether a check is asked for and not passed yet.
    const fn is_undecided(&self) -> bool {
        match self {
            Self::Wanted | Self::Outside(_) | Self::Staff(_) | Self::Refused(..) => true,
            Self::NotNeeded | Self::Approved(_) => false,
        }
    }

    const fn is_outside(&self) -> bool {
        matches!(self, Self::Outside(_))
    }
}

#[derive(Template)]
#[template(path = "portal/identity.html")]
struct IdentityPage {
    page: Page,
    form: Form,
    face: Face,
    tone: Tone,
    state: String,
    /// The zone's name and code.
    zone: String,
    code: String,
    /// The rule's; empty when no rule asks.
    reason: String,
    /// Where the customer came from; empty when from nowhere in particular.
    back_to: String,
    has_outside_check: bool,
    documents_until: Option<Timestamp>,
    decided_days: i64,
    undecided_days: i64,
    megabytes: usize,
    /// The outside check did not answer just now.
    unreachable: bool,
    /// The outside check was begun too often; it can be begun again then.
    begins_again: Option<Timestamp>,
    /// The customer wants to send documents although an outside check is under way. The page then
    /// stays as it is, since looking again would lose the chosen files.
    by_documents: bool,
}

/// `GET /identity`: every rule, and where the customer stands.
async fn list(State(app): State<App>, page: Page, who: SignedIn) -> Result<Response, Refusal> {
    let catalogue = catalogue(&app).await?;
    let rules = overview(&app, who.customer).await?;
    let t = &page.t;
    let row = |rule: &IdentityOverview| {
        let zone = catalogue.zone(&rule.zone);
        let (tone, state) = Face::of(rule.case.as_ref()).word();
        Row {
            href: format!("/identity/{}", rule.zone),
            zone: zone.map_or_else(String::new, |zone| zone.name.of(t.locale()).to_owned()),
            reason: rule.reason.of(t.locale()).to_owned(),
            tone,
            state: t.msg(state),
        }
    };
    Ok(Page::answer(&ListPage {
        rows: rules.iter().map(row).collect(),
        page: page.at(Nav::Account),
    }))
}

/// `GET /identity/{zone}`: the check that the plans of a zone ask for. Also where an outside check
/// leads back to.
async fn show(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(zone): Path<String>,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let back_to = own_checkout(fields.text("next"));
    let asked = AskedFor { zone, back_to };
    let mut shown = identity_page(&app, page, who.customer, &asked).await?;
    shown.by_documents = fields.text("way") == "documents";
    Ok(Page::answer(&shown))
}

/// `POST /identity/{zone}/start`: to the outside check.
async fn start(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(zone): Path<String>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let back_to = own_checkout(fields.text("next"));
    let asked = AskedFor { zone, back_to };
    match app.start_identity_check(who.customer, asked.wish()?).await {
        Ok(address) => Ok(Redirect::to(&address).into_response()),
        Err(
            IdentityStartRefusal::NotNeeded
            | IdentityStartRefusal::NoOutsideCheck
            | IdentityStartRefusal::Case(_),
        ) => Ok(asked.see()),
        Err(IdentityStartRefusal::Unreachable) => {
            let mut shown = identity_page(&app, page, who.customer, &asked).await?;
            shown.unreachable = true;
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Ok((status, Page::answer(&shown)).into_response())
        }
        Err(IdentityStartRefusal::TooOften { retry_at }) => {
            let mut shown = identity_page(&app, page, who.customer, &asked).await?;
            shown.begins_again = Some(retry_at);
            let status = StatusCode::TOO_MANY_REQUESTS;
            Ok((status, Page::answer(&shown)).into_response())
        }
        Err(IdentityStartRefusal::Fault(fault)) => Err(failed(&fault)),
    }
}

/// `POST /identity/{zone}/documents`: documents for staff.
async fn hand_in(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Path(zone): Path<String>,
    upload: Upload,
) -> Result<Response, Refusal> {
    let back_to = own_checkout(&upload.next);
    let asked = AskedFor { zone, back_to };
    let documents = upload.documents;
    let handed = if documents.is_empty() {
        Err(DocumentRefusal::Count)
    } else {
        app.submit_documents(who.customer, asked.wish()?, documents)
            .await
    };
    drop(upload.permit);
    let megabytes = IdentityCase::DOCUMENT_OCTETS_MAX >> 20;
    let count = IdentityCase::DOCUMENTS_MAX;
    let t = &page.t;
    let text = match handed {
        Ok(()) | Err(DocumentRefusal::NotNeeded | DocumentRefusal::Case(_)) => {
            return Ok(asked.see());
        }
        Err(DocumentRefusal::Fault(fault)) => return Err(failed(&fault)),
        Err(DocumentRefusal::Count) if upload.too_many => {
            t.with("identity-too-many", "count", count).to_string()
        }
        Err(DocumentRefusal::Count) => t.msg("identity-no-document"),
        Err(DocumentRefusal::TooLarge) => t
            .with("identity-too-large", "megabytes", megabytes)
            .to_string(),
        Err(DocumentRefusal::Format) => t.msg("identity-format"),
    };
    let mut shown = identity_page(&app, page, who.customer, &asked).await?;
    shown.form.refuse("document", text);
    shown.by_documents = true;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page::answer(&shown)).into_response())
}

/// What a request is about.
struct AskedFor {
    zone: String,
    back_to: Option<String>,
}

impl AskedFor {
    fn zone(&self) -> Result<ZoneCode, Refusal> {
        self.zone.parse().map_err(|_| Refusal::NotFound)
    }

    fn wish(&self) -> Result<IdentityWish, Refusal> {
        Ok(IdentityWish {
            zone: self.zone()?,
            back_to: self.back_to.clone(),
        })
    }

    /// To the page of the check, which says where it stands.
    fn see(&self) -> Response {
        let back_to = self.back_to.clone().unwrap_or_default();
        let address = href(&format!("/identity/{}", self.zone), &[("next", back_to)]);
        Redirect::to(&address).into_response()
    }
}

/// A checkout of this portal: the only place a check is come back from.
fn own_checkout(next: &str) -> Option<String> {
    let ours = next.starts_with("/checkout?")
        && next.len() <= BACK_TO_OCTETS_MAX
        && next.bytes().all(|byte| byte.is_ascii_graphic());
    ours.then(|| next.to_owned())
}

async fn overview(app: &App, customer: CustomerId) -> Result<Vec<IdentityOverview>, Refusal> {
    let overview = app.identity_overview(customer).await;
    overview.map_err(|fault| failed(&fault))
}

async fn identity_page(
    app: &App,
    page: Page,
    customer: CustomerId,
    asked: &AskedFor,
) -> Result<IdentityPage, Refusal> {
    let code = asked.zone()?;
    let catalogue = catalogue(app).await?;
    let zone = catalogue.zone(&code).ok_or(Refusal::NotFound)?;
    let rules = overview(app, customer).await?;
    let rule = rules.into_iter().find(|rule| rule.zone == code);
    let page = page.at(Nav::Account);
    let t = &page.t;
    let case = rule.as_ref().and_then(|rule| rule.case.as_ref());
    let face = match rule {
        Some(_) => Face::of(case),
        None => Face::NotNeeded,
    };
    let back_to = case.and_then(|case| case.back_to.clone());
    let (tone, state) = face.word();
    let terms = app.identity_terms();
    Ok(IdentityPage {
        zone: zone.name.of(t.locale()).to_owned(),
        code: code.to_string(),
        reason: rule
            .as_ref()
            .map_or_else(String::new, |rule| rule.reason.of(t.locale()).to_owned()),
        back_to: asked.back_to.clone().or(back_to).unwrap_or_default(),
        has_outside_check: terms.has_outside_check,
        documents_until: rule.and_then(|rule| rule.documents_until),
        decided_days: days(terms.retention.after_decision),
        undecided_days: days(terms.retention.undecided),
        megabytes: IdentityCase::DOCUMENT_OCTETS_MAX >> 20,
        unreachable: false,
        begins_again: None,
        by_documents: false,
        form: Form::new(),
        state: t.msg(state),
        tone,
        face,
        page,
    })
}

/// Whole days, at least one.
fn days(length: Duration) -> i64 {
    (length.as_micros() / Duration::days(1).as_micros()).max(1)
}

/// A form with documents as it came, and the leave to hold them in memory.
struct Upload {
    next: String,
    documents: Vec<NewDocument>,
    too_many: bool,
    permit: SemaphorePermit<'static>,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let permit = UPLOADS.try_acquire().map_err(|_| Refusal::Unavailable)?;
        let visitor = request.extensions().get::<Visitor>().cloned();
        let kind = request.headers().get(CONTENT_TYPE);
        let has_files = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
        if has_files {
            let form = Multipart::from_request(request, state).await;
            let form = form.map_err(|_| Refusal::BadRequest)?;
            return Self::read(form, &visitor.unwrap_or_default(), permit).await;
        }
        // A form without files: nothing was chosen.
        let Sent(fields) = Sent::from_request(request, state).await?;
        Ok(Self {
            next: fields.text("next").to_owned(),
            documents: Vec::new(),
            too_many: false,
            permit,
        })
    }
}

impl Upload {
    /// Reads the form. Its token comes first: without the right one no file is looked at.
    async fn read(
        mut form: Multipart,
        visitor: &Visitor,
        permit: SemaphorePermit<'static>,
    ) -> Result<Self, Refusal> {
        let mut upload = Self {
            next: String::new(),
            documents: Vec::new(),
            too_many: false,
            permit,
        };
        let mut genuine = false;
        while let Some(field) = form.next_field().await.map_err(unreadable)? {
            match field.name() {
                Some("csrf") => genuine = is_token(visitor, &short(field).await?),
                Some("next") if genuine => upload.next = short(field).await?,
                Some("document") if genuine => {
                    let octets = document(field).await?;
                    // A field in which nothing was chosen is sent as an empty file.
                    if octets.is_empty() {
                        continue;
                    }
                    // One too many is kept, so that the count is refused.
                    if upload.documents.len() > IdentityCase::DOCUMENTS_MAX {
                        continue;
                    }
                    upload.documents.push(NewDocument { octets });
                }
                Some(_) | None if genuine => return Err(Refusal::BadRequest),
                Some(_) | None => return Err(Refusal::Forbidden),
            }
        }
        upload.too_many = upload.documents.len() > IdentityCase::DOCUMENTS_MAX;
        if genuine {
            Ok(upload)
        } else {
            Err(Refusal::Forbidden)
        }
    }
}

/// Whether `text` is the token of the visitor's forms.
fn is_token(visitor: &Visitor, text: &str) -> bool {
    let token = visitor.csrf.as_bytes();
    !token.is_empty() && verify_slices_are_equal(token, text.as_bytes()).is_ok()
}

/// A short field's text.
async fn short(mut field: Field<'_>) -> Result<String, Refusal> {
    let mut octets = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
        if octets.len() + chunk.len() > FORM_OCTETS_MAX {
            return Err(Refusal::TooLarge);
        }
        octets.extend_from_slice(&chunk);
    }
    String::from_utf8(octets).map_err(|_| Refusal::BadRequest)
}

/// A file; of one that is too large, just enough to see that it is.
async fn document(mut field: Field<'_>) -> Result<Vec<u8>, Refusal> {
    let enough = IdentityCase::DOCUMENT_OCTETS_MAX + 1;
    let mut octets = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
        let room = enough.saturating_sub(octets.len());
        octets.extend(chunk.iter().take(room));
    }
    Ok(octets)
}

fn unreadable(error: MultipartError) -> Refusal {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::BadRequest,
    }
}

/// Why a check was refused, and what to do about it.
const fn refusal_keys(refusal: IdentityRefusal) -> (&'static str, &'static str) {
    match refusal {
        IdentityRefusal::Unreadable => (
            key("identity-refused-unreadable"),
            key("identity-refused-unreadable-do"),
        ),
        IdentityRefusal::DocumentExpired => (
            key("identity-refused-document-expired"),
            key("identity-refused-document-expired-do"),
        ),
        IdentityRefusal::DocumentNotAccepted => (
            key("identity-refused-document-not-accepted"),
            key("identity-refused-document-not-accepted-do"),
        ),
        IdentityRefusal::Mismatch => (
            key("identity-refused-mismatch"),
            key("identity-refused-mismatch-do"),
        ),
        IdentityRefusal::TooYoung => (
            key("identity-refused-too-young"),
            key("identity-refused-too-young-do"),
        ),
        IdentityRefusal::TooManyNumbers => (
            key("identity-refused-too-many-numbers"),
            key("identity-refused-too-many-numbers-do"),
        ),
        IdentityRefusal::NotGenuine => (
            key("identity-refused-not-genuine"),
            key("identity-refused-not-genuine-do"),
        ),
        IdentityRefusal::Abandoned => (
            key("identity-refused-abandoned"),
            key("identity-refused-abandoned-do"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_checkout_of_ours_is_come_back_to() {
        let ours = "/checkout?item=offer:basic-china&currency=CNY";
        assert_eq!(own_checkout(ours).as_deref(), Some(ours));
        for other in [
            "",
            "/line",
            "//evil.example/checkout?",
            "https://evil.example/checkout?",
            "/checkout?a b",
        ] {
            assert_eq!(own_checkout(other), None, "{other}");
        }
        let long = format!("/checkout?{}", "a".repeat(BACK_TO_OCTETS_MAX));
        assert_eq!(own_checkout(&long), None);
    }
}
