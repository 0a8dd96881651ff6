//! The eSIM of a line: its code, how to install it, how far it has come, and a new one when that is needed.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::esim::{
    ManualCode, ProfileStage, ProfileUpdate, ProfileView, REISSUES_PER_YEAR, ReissueRefusal,
};
use simurgh_app::ports::{ChipEvent, HeardNotification, InstallOutcome, ShownCode};
use simurgh_subscriber::{ProfileError, RiskyAction};
use simurgh_vocab::{LineId, Timestamp};

use super::account::fresh;
use super::choice::LineWish;
use super::detour::{Detour, Done};
use super::fields::{Asked, Fields, Sent, encoded};
use super::qr;
use crate::frame::{Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};
use crate::session::Holder;
use crate::site::DemoPhones;

/// One thing that happened to the profile.
struct Report {
    tone: Tone,
    at: Timestamp,
    text: String,
    detail: String,
}

/// How to install a profile.
struct Install {
    code: ShownCode,
    manual: ManualCode,
    drawing: String,
    code_required: bool,
    /// The confirmation code; empty where it is not known here.
    confirmation: String,
    tries_left: String,
    expires_at: Option<Timestamp>,
    /// In the demo: its phones, with the code scanned. Else empty.
    demo_href: String,
}

#[derive(Template)]
#[template(path = "portal/esim.html")]
struct EsimPage {
    page: Page,
    line: LineId,
    tone: Tone,
    state: String,
    number: String,
    /// How many steps of the way are done: prepared, downloaded, installed, in use.
    step: usize,
    stage: ProfileStage,
    update: ProfileUpdate,
    install: Option<Install>,
    reports: Vec<Report>,
    /// Why it is void, for one that is.
    void_text: String,
    iccid_end: String,
    is_old: bool,
    new_href: String,
}

#[derive(Template)]
#[template(path = "portal/esim-new.html")]
struct NewPage {
    page: Page,
    line: LineId,
    stage: ProfileStage,
    update: ProfileUpdate,
    yearly: usize,
    refused: Option<String>,
}

/// `GET /line/esim`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    who: Holder,
    phones: Option<Extension<DemoPhones>>,
    Asked(fields): Asked,
) -> Result<Response, Detour> {
    let view = view_of(&app, who, &fields).await?;
    let page = page.at(Nav::Line);
    let mut shown = esim_page(page, view)?;
    if let (Some(Extension(DemoPhones(address))), Some(install)) = (phones, &mut shown.install) {
        let code = encoded(&install.code.code);
        let lang = shown.page.t.locale().tag();
        install.demo_href = format!("{address}/scan?code={code}&lang={lang}");
    }
    Ok(Page::answer(&shown))
}

/// `POST /line/esim/update`: finds out what there is to do, and leads there.
pub(super) async fn update(
    State(app): State<App>,
    who: Holder,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let view = view_of(&app, who, &fields).await?;
    let here = format!("/line/esim?line={}", view.line);
    Ok(match view.update {
        ProfileUpdate::NothingNew => Done::ProfileNewest.at(&here),
        ProfileUpdate::Preparing | ProfileUpdate::NeverInstalled => Done::ProfileWaits.at(&here),
        ProfileUpdate::NewerWaiting | ProfileUpdate::DeletedOnPhone | ProfileUpdate::Void => {
            return Err(Detour::to(new_path(view.line)));
        }
    })
}

/// `GET /line/esim/new`: what a new profile means, before it is made.
pub(super) async fn ask_new(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Asked(fields): Asked,
) -> Result<Response, Detour> {
    let view = view_of(&app, who, &fields).await?;
    let action = RiskyAction::ReissueProfile;
    fresh(&app, who, action, &new_path(view.line)).await?;
    Ok(Page::answer(&new_page(page, &view, None)))
}

/// `POST /line/esim/new`.
pub(super) async fn issue_new(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let view = view_of(&app, who, &fields).await?;
    let action = RiskyAction::ReissueProfile;
    fresh(&app, who, action, &new_path(view.line)).await?;
    let here = format!("/line/esim?line={}", view.line);
    match app.reissue_profile(who.customer, view.line).await {
        Ok(()) => Ok(Done::ProfilePrepared.at(&here)),
        Err(ReissueRefusal::NotYet) => Ok(Done::ProfileWaits.at(&here)),
        Err(ReissueRefusal::UnknownLine) => Err(Refusal::NotFound.into()),
        Err(ReissueRefusal::TooMany { next_at }) => {
            let text = page.t.with("esim-too-many", "count", REISSUES_PER_YEAR);
            let text = text.and("date", page.t.date(next_at)).to_string();
            Ok(super::entry::refused(&new_page(page, &view, Some(text))))
        }
        Err(ReissueRefusal::Fault(fault)) => Err(fault.into()),
    }
}

fn new_path(line: LineId) -> String {
    format!("/line/esim/new?line={line}")
}

/// The profile of the line that is asked for: the customer's first one usually.
async fn view_of(app: &App, who: Holder, fields: &Fields) -> Result<ProfileView, Detour> {
    let line = match LineWish::from_fields(fields)? {
        LineWish::This(line) => line,
        LineWish::Usual | LineWish::New => {
            let lines = app.line_views(who.customer).await?;
            let first = lines.first().ok_or_else(|| Detour::to("/line"))?;
            first.line.id
        }
    };
    let view = app.profile_view(who.customer, line).await?;
    Ok(view.ok_or(Refusal::NotFound)?)
}

fn esim_page(page: Page, view: ProfileView) -> Result<EsimPage, Refusal> {
    let t = &page.t;
    let (tone, state) = stage_word(t, view.stage);
    let reports = history(t, &view);
    let void_text = t.msg(void_words(view.given_up));
    let install = match (view.code, view.manual) {
        (Some(code), Some(manual)) => Some(Install {
            drawing: qr::drawing(&code.code, &t.msg("esim-qr"))?,
            code,
            manual,
            code_required: view.code_required,
            confirmation: view
                .confirmation
                .map_or_else(String::new, |code| code.reveal().to_owned()),
            tries_left: view.tries_left.map_or_else(String::new, |left| {
                t.with("esim-tries-left", "count", i64::from(left))
                    .to_string()
            }),
            expires_at: view.expires_at,
            demo_href: String::new(),
        }),
        (Some(_) | None, _) => None,
    };
    let digits = view.iccid.map(|iccid| iccid.digits()).unwrap_or_default();
    let end = digits.len().saturating_sub(4);
    Ok(EsimPage {
        line: view.line,
        tone,
        state,
        number: view.number.map_or_else(String::new, |number| {
            simurgh_subscriber::display_phone(&number)
        }),
        step: steps_done(view.stage),
        stage: view.stage,
        update: view.update,
        install,
        reports,
        void_text,
        iccid_end: digits.get(end..).unwrap_or_default().to_owned(),
        is_old: view.issued > 1,
        new_href: new_path(view.line),
        page,
    })
}

fn new_page(page: Page, view: &ProfileView, refused: Option<String>) -> NewPage {
    NewPage {
        page: page.at(Nav::Line),
        line: view.line,
        stage: view.stage,
        update: view.update,
        yearly: REISSUES_PER_YEAR,
        refused,
    }
}

/// The place in the row of four steps.
const fn steps_done(stage: ProfileStage) -> usize {
    match stage {
        ProfileStage::Preparing => 1,
        ProfileStage::Ready | ProfileStage::Void => 2,
        ProfileStage::Downloaded => 3,
        ProfileStage::Installed | ProfileStage::Deleted => 4,
        ProfileStage::Enabled => 5,
    }
}

fn stage_word(t: &Text, stage: ProfileStage) -> (Tone, String) {
    let (tone, key) = match stage {
        ProfileStage::Preparing => (Tone::Info, key("esim-stage-preparing")),
        ProfileStage::Ready => (Tone::Info, key("esim-stage-ready")),
        ProfileStage::Downloaded => (Tone::Info, key("esim-stage-downloaded")),
        ProfileStage::Installed => (Tone::Warning, key("esim-stage-installed")),
        ProfileStage::Enabled => (Tone::Success, key("esim-stage-enabled")),
        ProfileStage::Deleted => (Tone::Danger, key("esim-stage-deleted")),
        ProfileStage::Void => (Tone::Danger, key("esim-stage-void")),
    };
    (tone, t.msg(key))
}

/// Why a profile is void, and what to do.
const fn void_words(given_up: Option<ProfileError>) -> &'static str {
    match given_up {
        Some(ProfileError::CodeTries) => key("esim-void-code"),
        Some(ProfileError::Downloads) => key("esim-void-text"),
        Some(ProfileError::Rejected) => key("esim-void-rejected"),
        Some(ProfileError::RulesNotAllowed) => key("esim-void-rules"),
        None => key("esim-void-withdrawn"),
    }
}

/// What happened to the profile, the newest first: what we did, and what the phone reported.
fn history(t: &Text, view: &ProfileView) -> Vec<Report> {
    let ours = |at: Timestamp, key| Report {
        tone: Tone::Muted,
        at,
        text: t.msg(key),
        detail: String::new(),
    };
    let is_made = view.stage != ProfileStage::Preparing;
    let made = view.made_at.filter(|_| is_made);
    let made = made.map(|at| ours(at, key("esim-was-prepared")));
    let fetched = view.fetched_at;
    let fetched = fetched.map(|at| ours(at, key("esim-was-fetched")));
    let is_void = view.stage == ProfileStage::Void;
    let void = view.changed_at.filter(|_| is_void);
    let void = void.map(|at| ours(at, key("esim-was-void")));
    let heard = view.heard.iter().map(|one| report(t, one));
    let all = made.into_iter().chain(heard).chain(fetched).chain(void);
    let mut all: Vec<Report> = all.collect();
    all.sort_by_key(|one| one.at);
    all.reverse();
    all
}

fn report(t: &Text, heard: &HeardNotification) -> Report {
    let said = &heard.notification;
    let (tone, key, detail) = match (said.event, &said.outcome) {
        (ChipEvent::Install, Some(InstallOutcome::Failed { reason, .. })) => {
            (Tone::Danger, key("esim-heard-failed"), failure(t, *reason))
        }
        (ChipEvent::Install, _) => (Tone::Success, key("esim-heard-installed"), String::new()),
        (ChipEvent::Enable, _) => (Tone::Success, key("esim-heard-enabled"), String::new()),
        (ChipEvent::Disable, _) => (Tone::Muted, key("esim-heard-disabled"), String::new()),
        (ChipEvent::Delete, _) => (Tone::Warning, key("esim-heard-deleted"), String::new()),
    };
    Report {
        tone,
        at: heard.heard_at,
        text: t.msg(key),
        detail,
    }
}

/// What a customer can do about a failed installation, by the chip's reason (SGP.22 v2.5 §5.7.2 `ErrorReason`).
fn failure(t: &Text, reason: u8) -> String {
    t.msg(match reason {
        // installFailedDueToInsufficientMemoryForProfile
        10 => key("esim-failed-memory"),
        // installFailedDueToInterruption
        11 => key("esim-failed-interrupted"),
        // pprNotAllowed
        15 => key("esim-failed-rules"),
        _ => key("esim-failed-other"),
    })
}
