//! The log of what staff did.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::StaffLogCheck;
use simurgh_app::ports::{StaffAction, StaffLogEntry, StaffLogFilter};
use simurgh_vocab::{StaffId, Timestamp};

use super::session::Staff;
use super::words::{self, failed};
use crate::frame::{Form, Nav, Page, Refusal, Tone};
use crate::i18n::Text;
use crate::portal::fields::{Asked, Fields, Sent, href};

/// Entries on one page.
const PAGE: u32 = 100;
/// The characters of a number.
const NUMBER_LEN: usize = 26;
/// The octets of a digest that are shown: enough to compare by eye.
const SHOWN_OCTETS: usize = 6;

struct EntryRow {
    position: u64,
    at: Timestamp,
    who: String,
    action: String,
    subject: String,
    subject_href: String,
    detail: String,
    digest: String,
}

impl EntryRow {
    fn of(t: &Text, entry: &StaffLogEntry, names: &[(StaffId, String)]) -> Self {
        let digest = entry.digest.iter().take(SHOWN_OCTETS);
        Self {
            position: entry.position,
            at: entry.at,
            who: words::staff(t, names, entry.staff),
            action: words::action(t, entry.action),
            subject: entry.subject.number(),
            subject_href: words::subject_href(entry.subject),
            detail: entry.detail.clone(),
            digest: digest.map(|octet| format!("{octet:02x}")).collect(),
        }
    }
}

/// What checking the chain found, if it was asked for.
struct Checked {
    sound: bool,
    text: String,
}

#[derive(Template)]
#[template(path = "console/audit.html")]
struct AuditPage {
    page: Page,
    form: Form,
    names: Vec<(String, String)>,
    actions: Vec<(&'static str, String)>,
    rows: Vec<EntryRow>,
    newer: String,
    older: String,
    checked: Option<Checked>,
}

/// `GET /audit`, filtered by `staff`, `action`, `subject`, and `before` a position.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    list(&app, page, &staff, &fields, None).await
}

/// `POST /audit/check`: checks the whole chain.
pub(super) async fn check(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let found = app
        .verify_staff_log()
        .await
        .map_err(|fault| failed(&fault))?;
    let checked = match found {
        StaffLogCheck::Sound(head) => Checked {
            sound: true,
            text: page
                .t
                .with("desk-log-sound", "head", head.to_string())
                .to_string(),
        },
        StaffLogCheck::Broken { position } => Checked {
            sound: false,
            text: page
                .t
                .with("desk-log-broken", "position", position)
                .to_string(),
        },
    };
    list(&app, page, &staff, &Fields::default(), Some(checked)).await
}

async fn list(
    app: &App,
    page: Page,
    staff: &Staff,
    fields: &Fields,
    checked: Option<Checked>,
) -> Result<Response, Refusal> {
    let filter = read_filter(fields)?;
    let is_first = filter.before.is_none();
    let found = app.staff_log(staff.0.staff, filter).await;
    let found = found.map_err(|fault| failed(&fault))?;
    let t = &page.t;
    let here = |before: Option<u64>| {
        let kept = ["staff", "action", "subject"].map(|name| (name, fields.text(name).to_owned()));
        let [staff, action, subject] = kept;
        let before = before
            .map(|position| position.to_string())
            .unwrap_or_default();
        href("/audit", &[staff, action, subject, ("before", before)])
    };
    let is_full = u32::try_from(found.entries.len()).is_ok_and(|count| count >= PAGE);
    let last = found.entries.last().filter(|_| is_full);
    let names = found
        .names
        .iter()
        .map(|(id, name)| (id.number(), name.clone()));
    let form = Form::new()
        .fill("staff", fields.text("staff"))
        .fill("action", fields.text("action"))
        .fill("subject", fields.text("subject"));
    Ok(Page::answer(&AuditPage {
        form,
        names: names.collect(),
        actions: StaffAction::ALL
            .map(|one| (one.code(), words::action(t, one)))
            .to_vec(),
        newer: if is_first { String::new() } else { here(None) },
        older: last
            .map(|entry| here(Some(entry.position)))
            .unwrap_or_default(),
        rows: found
            .entries
            .iter()
            .map(|entry| EntryRow::of(t, entry, &found.names))
            .collect(),
        checked,
        page: page.at(Nav::Audit),
    }))
}

fn read_filter(fields: &Fields) -> Result<StaffLogFilter, Refusal> {
    let is_number = |text: &str| text.len() == NUMBER_LEN && text.is_ascii();
    let number = |text: &str| is_number(text).then(|| text.to_ascii_uppercase());
    Ok(StaffLogFilter {
        staff: fields.read("staff", StaffId::from_number)?,
        action: fields.read("action", StaffAction::from_code)?,
        subject_number: fields.read("subject", number)?,
        before: fields.read("before", |text| text.parse().ok())?,
        limit: PAGE,
    })
}
