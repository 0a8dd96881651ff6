//! Name, user name, language, time zone, advertisements, password.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::subscriber::{
    ChangePasswordRefusal, ProfileChange, ReAuthenticateRefusal, Typed, UserNameChangeRefusal, Wish,
};
use simurgh_subscriber::{DisplayName, Marketing, RiskyAction, UserName};
use simurgh_vocab::{Locale, TimeZoneName};

use super::{fresh, language as language_name, logged_out, not_fresh, profile_of};
use crate::frame::{Form, Nav, Page, Refusal};
use crate::i18n::key;
use crate::portal::detour::{Detour, Done};
use crate::portal::entry::{kept, refused};
use crate::portal::fields::{Fields, Sent};
use crate::portal::local::browser_zone;
use crate::portal::{refusals, zones};
use crate::session::{Caller, Holder};

/// What a page of this file sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting {
    Name,
    UserName,
    Language,
    TimeZone,
    Marketing,
    /// The password, and whether there is one to be typed first.
    Password {
        has_one: bool,
    },
}

impl Setting {
    const fn path(self) -> &'static str {
        match self {
            Self::Name => "/account/name",
            Self::UserName => "/account/user-name",
            Self::Language => "/account/language",
            Self::TimeZone => "/account/time-zone",
            Self::Marketing => "/account/marketing",
            Self::Password { .. } => "/account/password",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Name => key("entry-name"),
            Self::UserName => key("account-user-name"),
            Self::Language => key("account-language"),
            Self::TimeZone => key("account-time-zone"),
            Self::Marketing => key("account-marketing"),
            Self::Password { .. } => key("entry-password"),
        }
    }

    const fn lead(self) -> &'static str {
        match self {
            Self::Name => key("account-name-lead"),
            Self::UserName => key("account-user-name-lead"),
            Self::Language => key("account-language-lead"),
            Self::TimeZone => key("account-time-zone-lead"),
            Self::Marketing => key("account-marketing-lead"),
            Self::Password { .. } => key("account-password-lead"),
        }
    }
}

#[derive(Template)]
#[template(path = "portal/setting.html")]
struct SettingPage {
    page: Page,
    form: Form,
    setting: Setting,
    /// Values and labels, where one of several is chosen.
    choices: Vec<(String, String)>,
}

impl SettingPage {
    fn of(page: Page, form: Form, setting: Setting) -> Self {
        let choices = match setting {
            Setting::Language => Locale::ALL
                .into_iter()
                .map(|locale| (locale.tag().to_owned(), language_name(locale).to_owned()))
                .collect(),
            Setting::TimeZone => zone_choices(&page, &form),
            Setting::Name | Setting::UserName | Setting::Marketing | Setting::Password { .. } => {
                Vec::new()
            }
        };
        Self {
            page: page.at(Nav::Account),
            form,
            setting,
            choices,
        }
    }

    fn is_zone(&self) -> bool {
        self.setting == Setting::TimeZone
    }
}

/// Every zone; the present one too, if the list lacks it.
fn zone_choices(page: &Page, form: &Form) -> Vec<(String, String)> {
    let locale = page.t.locale();
    let mut choices: Vec<_> = zones::choices(locale, page.now)
        .into_iter()
        .map(|zone| (zone.name.to_owned(), zone.label))
        .collect();
    let own = form.value("time_zone");
    if !own.is_empty() && !choices.iter().any(|(name, _)| name == own) {
        choices.insert(0, (own.to_owned(), zones::label(own, locale)));
    }
    choices
}

fn answer(page: Page, form: Form, setting: Setting) -> Response {
    Page::answer(&SettingPage::of(page, form, setting))
}

fn again(page: Page, form: Form, setting: Setting) -> Response {
    refused(&SettingPage::of(page, form, setting))
}

async fn change(
    app: &App,
    who: Holder,
    change: ProfileChange,
    done: Done,
) -> Result<Response, Detour> {
    if app.change_profile(who.customer, change).await? {
        Ok(done.at("/account"))
    } else {
        Err(Detour::Refused(Refusal::NotFound))
    }
}

/// `GET /account/name`.
pub(super) async fn show_name(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let person = profile_of(&app, who).await?.person;
    let form = Form::new().fill("name", person.name.as_str());
    Ok(answer(page, form, Setting::Name))
}

/// `POST /account/name`.
pub(super) async fn name(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    match fields.text("name").parse::<DisplayName>() {
        Ok(name) => change(&app, who, ProfileChange::Name(name), Done::NameChanged).await,
        Err(refusal) => {
            let mut form = kept(&fields, &["name"]);
            form.refuse("name", refusals::name(&page.t, refusal));
            Ok(again(page, form, Setting::Name))
        }
    }
}

/// `GET /account/user-name`.
pub(super) async fn show_user_name(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let setting = Setting::UserName;
    fresh(&app, who, RiskyAction::ChangeUserName, setting.path()).await?;
    let person = profile_of(&app, who).await?.person;
    let own = person.user_name.as_ref().map_or("", UserName::as_str);
    Ok(answer(page, Form::new().fill("user_name", own), setting))
}

/// `POST /account/user-name`; nothing removes it.
pub(super) async fn user_name(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let setting = Setting::UserName;
    let wanted = match fields.text("user_name") {
        "" => Ok(None),
        text => text.parse::<UserName>().map(Some),
    };
    let reason = match wanted {
        Ok(wanted) => {
            let done = match &wanted {
                Some(_) => Done::UserNameChanged,
                None => Done::UserNameRemoved,
            };
            match app.change_user_name(who.session, wanted).await {
                Ok(()) => return Ok(done.at("/account")),
                Err(UserNameChangeRefusal::LoggedOut) => return Err(logged_out(setting.path())),
                Err(UserNameChangeRefusal::NotFresh) => return Err(not_fresh(setting.path())),
                Err(UserNameChangeRefusal::Taken) => page.t.msg("account-user-name-taken"),
                Err(UserNameChangeRefusal::Fault(fault)) => return Err(fault.into()),
            }
        }
        Err(refusal) => refusals::user_name(&page.t, refusal),
    };
    let mut form = kept(&fields, &["user_name"]);
    form.refuse("user_name", reason);
    Ok(again(page, form, setting))
}

/// `GET /account/language`.
pub(super) async fn show_language(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let person = profile_of(&app, who).await?.person;
    let form = Form::new().fill("language", person.locale.tag());
    Ok(answer(page, form, Setting::Language))
}

/// `POST /account/language`: for pages and messages; the pages of this browser switch at once.
pub(super) async fn language(
    State(app): State<App>,
    who: Holder,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let locale: Locale = fields.need("language", |text| text.parse().ok())?;
    if !app
        .change_profile(who.customer, ProfileChange::Language(locale))
        .await?
    {
        return Err(Detour::Refused(Refusal::NotFound));
    }
    let path = format!("/account?lang={}", locale.tag());
    Ok(Done::LanguageChanged.at(&path))
}

/// `GET /account/time-zone`.
pub(super) async fn show_time_zone(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let person = profile_of(&app, who).await?.person;
    let form = Form::new().fill("time_zone", person.time_zone.as_str());
    Ok(answer(page, form, Setting::TimeZone))
}

/// `POST /account/time-zone`.
pub(super) async fn time_zone(
    State(app): State<App>,
    who: Holder,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let zone: TimeZoneName = match fields.text("from") {
        "browser" => browser_zone(&fields).ok_or(Refusal::BadRequest)?,
        _ => fields.need("time_zone", |text| text.parse().ok())?,
    };
    let wanted = ProfileChange::TimeZone(zone);
    change(&app, who, wanted, Done::TimeZoneChanged).await
}

/// `GET /account/marketing`.
pub(super) async fn show_marketing(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let person = profile_of(&app, who).await?.person;
    let given = match person.marketing {
        Marketing::Given { .. } => "yes",
        Marketing::NeverAsked | Marketing::Withdrawn { .. } => "",
    };
    let form = Form::new().fill("marketing", given);
    Ok(answer(page, form, Setting::Marketing))
}

/// `POST /account/marketing`.
pub(super) async fn marketing(
    State(app): State<App>,
    who: Holder,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let (wish, done) = match fields.text("marketing") {
        "yes" => (Wish::Yes, Done::MarketingOn),
        _ => (Wish::No, Done::MarketingOff),
    };
    change(&app, who, ProfileChange::Marketing(wish), done).await
}

/// `GET /account/password`.
pub(super) async fn show_password(
    State(app): State<App>,
    page: Page,
    who: Holder,
) -> Result<Response, Detour> {
    let setting = password_setting(&app, who).await?;
    fresh(&app, who, RiskyAction::ChangePassword, setting.path()).await?;
    Ok(answer(page, Form::new(), setting))
}

async fn password_setting(app: &App, who: Holder) -> Result<Setting, Detour> {
    let has_one = profile_of(app, who).await?.password_since.is_some();
    Ok(Setting::Password { has_one })
}

/// `POST /account/password`.
pub(super) async fn password(
    State(app): State<App>,
    page: Page,
    who: Holder,
    Caller(origin): Caller,
    Sent(fields): Sent,
) -> Result<Response, Detour> {
    let setting = password_setting(&app, who).await?;
    let current = fields.raw("current");
    let current = (!current.is_empty()).then(|| Typed::new(current.to_owned()));
    let new = Typed::new(fields.raw("password").to_owned());
    let changed = app.change_password(who.session, current, new, origin).await;
    let (field, message) = match changed {
        Ok(()) => return Ok(Done::PasswordChanged.at("/account")),
        Err(ChangePasswordRefusal::LoggedOut) => return Err(logged_out(setting.path())),
        Err(ChangePasswordRefusal::NotFresh) => return Err(not_fresh(setting.path())),
        Err(ChangePasswordRefusal::Current(refusal)) => {
            ("current", current_refused(&page, &fields, refusal)?)
        }
        Err(ChangePasswordRefusal::Password(refusal)) => {
            ("password", refusals::password(&page.t, refusal))
        }
        Err(ChangePasswordRefusal::Busy) => ("password", page.t.msg("entry-busy")),
        Err(ChangePasswordRefusal::Fault(fault)) => return Err(fault.into()),
    };
    let mut form = Form::new();
    form.refuse(field, message);
    Ok(again(page, form, setting))
}

fn current_refused(
    page: &Page,
    fields: &Fields,
    refusal: ReAuthenticateRefusal,
) -> Result<String, Detour> {
    match refusal {
        ReAuthenticateRefusal::LoggedOut => Err(logged_out("/account/password")),
        ReAuthenticateRefusal::Locked { until, scope } => {
            Ok(refusals::proof_locked(page, fields, (until, scope)))
        }
        ReAuthenticateRefusal::Busy => Ok(page.t.msg("entry-busy")),
        ReAuthenticateRefusal::Wrong
        | ReAuthenticateRefusal::OtherWay
        | ReAuthenticateRefusal::Code(_) => Ok(page.t.msg("account-current-wrong")),
        ReAuthenticateRefusal::Fault(fault) => Err(fault.into()),
    }
}
