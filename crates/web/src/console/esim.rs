//! eSIM profiles: what is in stock, finding one, everything about one, and what staff may do with it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::desk::{FoundProfile, Possible, ProfileDeed, ProfileDeskRefusal, ProfileFile};
use simurgh_app::ports::{HeardNotification, InstallOutcome, ProfileShelf, StockCounts};
use simurgh_subscriber::{Profile, ProfileState};
use simurgh_vocab::{Msisdn, ProfileId, Timestamp};

use super::reason::{ReasonPage, given};
use super::session::{Done, Proven, Staff};
use super::words::{self, Mark, failed};
use crate::frame::{Form, Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};
use crate::portal::fields::{Asked, Sent};

/// The fewest characters to search for.
const QUERY_CHARS_MIN: usize = 4;

/// A profile in a table.
pub(super) struct ProfileRow {
    pub(super) number: String,
    pub(super) iccid: String,
    pub(super) phone: String,
    pub(super) eid: String,
    pub(super) mark: Mark,
    pub(super) changed_at: Timestamp,
}

impl ProfileRow {
    pub(super) fn of(t: &Text, profile: &Profile, phone: Option<&Msisdn>) -> Self {
        Self {
            number: profile.id.number(),
            iccid: profile.iccid.digits(),
            phone: phone.map(Msisdn::masked).unwrap_or_default(),
            eid: chip_of(profile),
            mark: words::profile(t, profile),
            changed_at: profile.changed_at,
        }
    }
}

/// The chip that a profile is bound to or ordered for; empty when there is none yet.
fn chip_of(profile: &Profile) -> String {
    let bound = profile.chip.as_ref().map(|chip| chip.eid);
    let eid = bound.or(profile.order.linked);
    eid.map(|eid| eid.digits()).unwrap_or_default()
}

#[derive(Template)]
#[template(path = "console/profiles.html")]
struct ProfilesPage {
    page: Page,
    form: Form,
    stock: Option<StockCounts>,
    shelf: ProfileShelf,
    searched: bool,
    rows: Vec<ProfileRow>,
}

/// `GET /esim`, `GET /esim?state=given-up`: what is in stock and the newest profiles.
pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let shelf = match fields.text("state") {
        "" => ProfileShelf::All,
        "given-up" => ProfileShelf::GivenUp,
        _ => return Err(Refusal::BadRequest),
    };
    let found = app.profiles_for_staff(staff.0.staff, shelf).await;
    let found = found.map_err(|fault| failed(&fault))?;
    let profiles = profiles_page(&app, page, Form::new(), &found).await?;
    Ok(Page::answer(&ProfilesPage { shelf, ..profiles }))
}

/// `POST /esim`: the number of a card or a chip belongs into no address.
pub(super) async fn search(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let text = fields.text("q").trim();
    let mut form = Form::new().fill("q", text);
    if text.chars().count() < QUERY_CHARS_MIN {
        form.refuse("q", page.t.msg("desk-esim-search-short"));
        let mut response = Page::answer(&profiles_page(&app, page, form, &[]).await?);
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    }
    let found = app.search_profiles(staff.0.staff, text.to_owned()).await;
    let found = found.map_err(|fault| failed(&fault))?;
    let profiles = profiles_page(&app, page, form, &found).await?;
    Ok(Page::answer(&ProfilesPage {
        searched: true,
        ..profiles
    }))
}

async fn profiles_page(
    app: &App,
    page: Page,
    form: Form,
    found: &[FoundProfile],
) -> Result<ProfilesPage, Refusal> {
    let stock = app
        .stock_for_staff()
        .await
        .map_err(|fault| failed(&fault))?;
    let row = |one: &FoundProfile| ProfileRow::of(&page.t, &one.profile, one.number.as_ref());
    Ok(ProfilesPage {
        form,
        stock,
        shelf: ProfileShelf::All,
        searched: false,
        rows: found.iter().map(row).collect(),
        page: page.at(Nav::Profiles),
    })
}

/// One thing that happened to a profile.
struct ChipRow {
    at: Timestamp,
    tone: Tone,
    title: String,
    /// What it means and what to do; empty when there is nothing to do.
    advice: String,
    /// The chip's own numbers for whoever looks into it.
    detail: String,
}

impl ChipRow {
    fn of(t: &Text, heard: &HeardNotification) -> Self {
        let mark = words::chip(t, heard);
        let said = &heard.notification;
        let detail = match &said.outcome {
            Some(InstallOutcome::Failed {
                command, reason, ..
            }) => t
                .with("desk-esim-detail-failed", "sequence", said.sequence)
                .and("command", i64::from(*command))
                .and("reason", i64::from(*reason))
                .to_string(),
            Some(InstallOutcome::Installed) | None => t
                .with("desk-esim-detail", "sequence", said.sequence)
                .to_string(),
        };
        Self {
            at: heard.heard_at,
            tone: mark.tone,
            title: mark.text,
            advice: words::chip_failure(t, heard),
            detail,
        }
    }
}

/// What staff did, in a table.
struct DeedRow {
    at: Timestamp,
    who: String,
    what: String,
    detail: String,
}

/// A package in a table.
struct PackageRow {
    variant: String,
    least_version: String,
    size_octets: u64,
}

#[derive(Template)]
#[template(path = "console/profile.html")]
struct ProfilePage {
    page: Page,
    row: ProfileRow,
    advice: String,
    /// The place in the row of five steps.
    step: usize,
    profile: Profile,
    customer: String,
    /// The version that profiles are made in now, when this one is older.
    newer_version: Option<u32>,
    counters: Vec<(String, String)>,
    possible: Possible,
    heard: Vec<ChipRow>,
    packages: Vec<PackageRow>,
    others: Vec<ProfileRow>,
    deeds: Vec<DeedRow>,
}

impl ProfilePage {
    fn can_do_nothing(&self) -> bool {
        !(self.possible.release
            || self.possible.reissue
            || self.possible.withdraw
            || self.possible.protect)
    }
}

/// `GET /esim/{number}`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    staff: Staff,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let file = open(&app, &staff, &number).await?;
    Ok(Page::answer(&profile_page(page, file)))
}

fn profile_page(page: Page, file: ProfileFile) -> ProfilePage {
    let t = &page.t;
    let package = |one: &simurgh_app::ports::StoredPackage| PackageRow {
        variant: one.variant.clone(),
        least_version: one.least_version.map(|part| part.to_string()).join("."),
        size_octets: one.size_octets,
    };
    let deeds = file.staff_log.iter().map(|entry| DeedRow {
        at: entry.at,
        who: words::staff(t, &file.staff_names, entry.staff),
        what: words::action(t, entry.action),
        detail: entry.detail.clone(),
    });
    ProfilePage {
        row: ProfileRow::of(t, &file.profile, file.number.as_ref()),
        advice: words::profile_advice(t, &file.profile),
        step: steps_done(file.profile.state),
        customer: file.customer.map(|id| id.number()).unwrap_or_default(),
        newer_version: file
            .newest_version
            .filter(|newest| *newest > file.profile.version),
        counters: counters(t, &file),
        possible: file.possible,
        heard: file
            .heard
            .iter()
            .rev()
            .map(|one| ChipRow::of(t, one))
            .collect(),
        packages: file.packages.iter().map(package).collect(),
        others: file
            .others
            .iter()
            .map(|one| ProfileRow::of(t, one, None))
            .collect(),
        deeds: deeds.collect(),
        profile: file.profile,
        page: page.at(Nav::Profiles),
    }
}

/// What is counted and how much of it is overlooked.
fn counters(t: &Text, file: &ProfileFile) -> Vec<(String, String)> {
    let (order, policy) = (&file.profile.order, &file.policy);
    let of = |count: u8, most: u8| {
        let text = t.with("desk-esim-of", "count", i64::from(count));
        text.and("most", i64::from(most)).to_string()
    };
    vec![
        (
            t.msg("desk-esim-downloads"),
            of(order.downloads, policy.downloads),
        ),
        (
            t.msg("desk-esim-code-failures"),
            of(order.code_failures, policy.code_tries),
        ),
        (
            t.msg("desk-esim-rejections"),
            of(order.rejections, policy.rejections),
        ),
    ]
}

/// The place in the row: made, ordered, released, downloaded, installed.
const fn steps_done(state: ProfileState) -> usize {
    match state {
        ProfileState::Available => 1,
        ProfileState::Allocated | ProfileState::Linked | ProfileState::Confirmed => 2,
        ProfileState::Released => 3,
        ProfileState::Downloaded => 4,
        ProfileState::Installed => 6,
        // It left the row.
        ProfileState::Error(_) | ProfileState::Unavailable => 0,
    }
}

async fn open(app: &App, staff: &Staff, number: &str) -> Result<ProfileFile, Refusal> {
    let id = ProfileId::from_number(number).ok_or(Refusal::NotFound)?;
    let file = app.profile_file(staff.0.staff, id).await;
    file.map_err(|fault| failed(&fault))?
        .ok_or(Refusal::NotFound)
}

fn deed_named(name: &str) -> Result<ProfileDeed, Refusal> {
    match name {
        "withdraw" => Ok(ProfileDeed::Withdraw),
        "release" => Ok(ProfileDeed::Release),
        "reissue" => Ok(ProfileDeed::Reissue),
        "protect" => Ok(ProfileDeed::Protect),
        _ => Err(Refusal::NotFound),
    }
}

/// `GET /esim/{number}/{deed}`: asks why.
pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    Proven(staff): Proven,
    Path((number, deed)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let deed = deed_named(&deed)?;
    let file = open(&app, &staff, &number).await?;
    Ok(Page::answer(&deed_page(page, &file, deed)))
}

/// `POST /esim/{number}/{deed}`.
pub(super) async fn change(
    State(app): State<App>,
    page: Page,
    Proven(staff): Proven,
    Path((number, deed)): Path<(String, String)>,
    Sent(fields): Sent,
) -> Result<Response, Refusal> {
    let deed = deed_named(&deed)?;
    let id = ProfileId::from_number(&number).ok_or(Refusal::NotFound)?;
    let refused = match given(&page, &fields) {
        Err(text) => text,
        Ok(reason) => {
            let done = app.change_profile_by_staff(staff.0.staff, id, deed, reason);
            match done.await {
                Ok(()) => return Ok(done_word(deed).at(&format!("/esim/{id}"))),
                Err(ProfileDeskRefusal::NoSuchProfile) => return Err(Refusal::NotFound),
                Err(ProfileDeskRefusal::Replaced) => page.t.msg("desk-esim-replaced"),
                Err(ProfileDeskRefusal::State) => page.t.msg("desk-esim-not-now"),
                Err(ProfileDeskRefusal::Fault(fault)) => return Err(failed(&fault)),
            }
        }
    };
    let file = open(&app, &staff, &number).await?;
    Ok(deed_page(page, &file, deed).refused(&fields, refused))
}

const fn done_word(deed: ProfileDeed) -> Done {
    match deed {
        ProfileDeed::Withdraw => Done::ProfileWithdrawn,
        ProfileDeed::Release => Done::ProfileReleased,
        ProfileDeed::Reissue => Done::ProfileReissued,
        ProfileDeed::Protect => Done::ProfileProtected,
    }
}

fn deed_page(page: Page, file: &ProfileFile, deed: ProfileDeed) -> ReasonPage {
    let t = &page.t;
    let number = file.profile.id.number();
    let (name, [title, text, label]) = deed_words(deed);
    let phone = file.number.as_ref().map(Msisdn::masked);
    ReasonPage {
        form: Form::new(),
        title: t.msg(title),
        text: t.msg(text),
        facts: vec![
            (t.msg("desk-esim-iccid"), file.profile.iccid.digits()),
            (
                t.msg("desk-phone"),
                phone.unwrap_or_else(|| t.msg("desk-none")),
            ),
            (t.msg("desk-state"), words::profile(t, &file.profile).text),
        ],
        action: format!("/esim/{number}/{name}"),
        label: t.msg(label),
        back: format!("/esim/{number}"),
        page: page.at(Nav::Profiles),
    }
}

/// The name in the address; the question, what follows, and the button.
fn deed_words(deed: ProfileDeed) -> (&'static str, [&'static str; 3]) {
    match deed {
        ProfileDeed::Withdraw => (
            "withdraw",
            [
                key("desk-esim-withdraw-title"),
                key("desk-esim-withdraw-text"),
                key("desk-esim-withdraw-do"),
            ],
        ),
        ProfileDeed::Release => (
            "release",
            [
                key("desk-esim-release-title"),
                key("desk-esim-release-text"),
                key("desk-esim-release-do"),
            ],
        ),
        ProfileDeed::Reissue => (
            "reissue",
            [
                key("desk-esim-reissue-title"),
                key("desk-esim-reissue-text"),
                key("desk-esim-reissue-do"),
            ],
        ),
        ProfileDeed::Protect => (
            "protect",
            [
                key("desk-esim-protect-title"),
                key("desk-esim-protect-text"),
                key("desk-esim-protect-do"),
            ],
        ),
    }
}
