//! The outbox: jobs that are not done, the stuck ones first.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::STUCK_ATTEMPTS;
use simurgh_app::ports::Job;
use simurgh_vocab::{JobId, Timestamp};

use super::session::{Done, Staff};
use super::words::{self, failed};
use crate::frame::{Nav, Page, Refusal, Tone};
use crate::i18n::Text;
use crate::portal::fields::Sent;

/// The most jobs on the page.
const SHOWN: u32 = 200;

struct JobRow {
    number: String,
    task: String,
    subject: String,
    due_at: Timestamp,
    attempts: u32,
    is_stuck: bool,
    error: String,
}

impl JobRow {
    fn of(t: &Text, job: &Job) -> Self {
        let (task, subject) = words::task(t, job.task);
        Self {
            number: job.id.number(),
            task,
            subject,
            due_at: job.due_at,
            attempts: job.attempts,
            is_stuck: job.attempts >= STUCK_ATTEMPTS,
            error: job.last_error.clone().unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "console/jobs.html")]
struct JobsPage {
    page: Page,
    rows: Vec<JobRow>,
}

/// `GET /jobs`.
pub(super) async fn list(State(app): State<App>, page: Page) -> Result<Response, Refusal> {
    let jobs = app.open_jobs(SHOWN).await.map_err(|fault| failed(&fault))?;
    Ok(Page::answer(&JobsPage {
        rows: jobs.iter().map(|job| JobRow::of(&page.t, job)).collect(),
        page: page.at(Nav::Jobs),
    }))
}

/// `POST /jobs/{number}/retry`.
pub(super) async fn retry(
    State(app): State<App>,
    staff: Staff,
    Path(number): Path<String>,
    Sent(_): Sent,
) -> Result<Response, Refusal> {
    let id = JobId::from_number(&number).ok_or(Refusal::NotFound)?;
    let outcome = app.retry_job_by_staff(staff.0.staff, id).await;
    outcome.map_err(|fault| failed(&fault))?;
    Ok(Done::JobRetried.at("/jobs"))
}
