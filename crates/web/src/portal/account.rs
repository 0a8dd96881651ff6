//! The account: who one is here, how one logs in, what is kept.

mod close;
pub(super) mod contact;
mod devices;
mod export;
mod profile;
mod proof;
mod two_step;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use simurgh_app::App;
use simurgh_app::subscriber::{Profile, RiskyRefusal};
use simurgh_subscriber::{Marketing, RiskyAction, display_phone};
use simurgh_vocab::Locale;

use super::detour::Detour;
use super::fields::encoded;
use super::{entry, zones};
use crate::frame::{Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};
use crate::session::Holder;
use crate::state::WebState;

/// The pages of the account.
pub(crate) fn routes() -> Router<WebState> {
    let code = entry::code::show;
    Router::new()
        .route("/account", get(overview))
        .route("/account/name", get(profile::show_name).post(profile::name))
        .route(
            "/account/user-name",
            get(profile::show_user_name).post(profile::user_name),
        )
        .route(
            "/account/language",
            get(profile::show_language).post(profile::language),
        )
        .route(
            "/account/time-zone",
            get(profile::show_time_zone).post(profile::time_zone),
        )
        .route(
            "/account/marketing",
            get(profile::show_marketing).post(profile::marketing),
        )
        .route(
            "/account/password",
            get(profile::show_password).post(profile::password),
        )
        .route(
            "/account/phone",
            get(contact::show_phone).post(contact::phone),
        )
        .route(
            "/account/phone/code",
            get(code).post(contact::take_phone_code),
        )
        .route(
            "/account/email",
            get(contact::show_email).post(contact::email),
        )
        .route(
            "/account/email/code",
            get(code).post(contact::take_email_code),
        )
        .route("/account/email/send", post(contact::send_own_email_code))
        .route(
            "/account/email/confirm",
            get(code).post(contact::take_own_email_code),
        )
        .route("/account/two-step", get(two_step::show))
        .route(
            "/account/two-step/set-up",
            get(two_step::show_secret).post(two_step::set_up),
        )
        .route("/account/two-step/on", post(two_step::turn_on))
        .route(
            "/account/two-step/off",
            get(two_step::ask_off).post(two_step::turn_off),
        )
        .route(
            "/account/two-step/codes",
            get(two_step::ask_codes).post(two_step::new_codes),
        )
        .route("/account/devices", get(devices::list))
        .route("/account/devices/end-others", post(devices::end_others))
        .route("/account/devices/{id}/end", post(devices::end))
        .route("/account/proof", get(proof::show).post(proof::prove))
        .route("/account/proof/send", post(proof::send))
        .route("/account/proof/code", get(code).post(proof::take_code))
        .route("/account/export", get(export::show).post(export::download))
        .route("/account/close", get(close::show).post(close::close))
}

/// An entry of the overview: where it leads, what it is, how it stands.
struct Entry {
    href: &'static str,
    title: String,
    value: String,
    mark: Option<(Tone, String)>,
}

#[derive(Template)]
#[template(path = "portal/account.html")]
struct OverviewPage {
    page: Page,
    name: String,
    phone: String,
    unconfirmed_email: Option<String>,
    personal: Vec<Entry>,
    safety: Vec<Entry>,
}

/// `GET /account`.
async fn overview(State(app): State<App>, page: Page, who: Holder) -> Result<Response, Detour> {
    let profile = profile_of(&app, who).await?;
    let devices = app.sessions(who.customer).await?.len();
    let person = &profile.person;
    let unconfirmed = person
        .email
        .as_ref()
        .filter(|mail| mail.confirmed_at.is_none());
    Ok(Page::answer(&OverviewPage {
        name: person.name.as_str().to_owned(),
        phone: display_phone(&person.phone),
        unconfirmed_email: unconfirmed.map(|mail| mail.address.as_str().to_owned()),
        personal: personal(&page.t, &profile),
        safety: safety(&page.t, &profile, devices),
        page: page.at(Nav::Account),
    }))
}

fn personal(t: &Text, profile: &Profile) -> Vec<Entry> {
    let person = &profile.person;
    let none = || t.msg("account-none");
    let entry = |href, title, value| Entry {
        href,
        title,
        value,
        mark: None,
    };
    let mut email = entry("/account/email", t.msg("entry-email"), none());
    if let Some(mail) = &person.email {
        mail.address.as_str().clone_into(&mut email.value);
        if mail.confirmed_at.is_none() {
            email.mark = Some((Tone::Warning, t.msg("account-unconfirmed")));
        }
    }
    let user_name = person.user_name.as_ref();
    let user_name = user_name.map_or_else(none, |name| name.as_str().to_owned());
    let marketing = t.msg(match person.marketing {
        Marketing::Given { .. } => key("account-marketing-yes"),
        Marketing::NeverAsked | Marketing::Withdrawn { .. } => key("account-marketing-no"),
    });
    let zone = zones::label(person.time_zone.as_str(), t.locale());
    vec![
        entry(
            "/account/name",
            t.msg("entry-name"),
            person.name.as_str().to_owned(),
        ),
        entry(
            "/account/phone",
            t.msg("entry-phone"),
            display_phone(&person.phone),
        ),
        email,
        entry("/account/user-name", t.msg("account-user-name"), user_name),
        entry(
            "/account/language",
            t.msg("account-language"),
            language(person.locale).to_owned(),
        ),
        entry("/account/time-zone", t.msg("account-time-zone"), zone),
        entry("/account/marketing", t.msg("account-marketing"), marketing),
    ]
}

fn safety(t: &Text, profile: &Profile, devices: usize) -> Vec<Entry> {
    let password = match profile.password_since {
        Some(since) => t
            .with("account-password-since", "date", t.date(since))
            .to_string(),
        None => t.msg("account-password-none"),
    };
    let (tone, state) = if profile.second_factor {
        (Tone::Success, t.msg("account-on"))
    } else {
        (Tone::Muted, t.msg("account-off"))
    };
    vec![
        Entry {
            href: "/account/password",
            title: t.msg("entry-password"),
            value: password,
            mark: None,
        },
        Entry {
            href: "/account/two-step",
            title: t.msg("account-two-step"),
            value: t.msg("account-two-step-short"),
            mark: Some((tone, state)),
        },
        Entry {
            href: "/account/devices",
            title: t.msg("account-devices"),
            value: t
                .with("account-devices-count", "count", devices)
                .to_string(),
            mark: None,
        },
    ]
}

/// A language by its own name.
const fn language(locale: Locale) -> &'static str {
    match locale {
        Locale::ZhCn => "简体中文",
        Locale::En => "English",
    }
}

async fn profile_of(app: &App, who: Holder) -> Result<Profile, Detour> {
    let profile = app.profile(who.customer).await?;
    profile.ok_or(Detour::Refused(Refusal::NotFound))
}

/// Lets a risky action pass, or asks first who it is and comes back to `back`.
pub(super) async fn fresh(
    app: &App,
    who: Holder,
    action: RiskyAction,
    back: &str,
) -> Result<(), Detour> {
    match app.may_do(who.session, action).await {
        Ok(()) => Ok(()),
        Err(RiskyRefusal::LoggedOut) => Err(logged_out(back)),
        Err(RiskyRefusal::NotFresh) => Err(not_fresh(back)),
        Err(RiskyRefusal::Fault(fault)) => Err(fault.into()),
    }
}

/// To the log-in, and to `back` after it.
fn logged_out(back: &str) -> Detour {
    Detour::to(format!("/login?next={}", encoded(back)))
}

/// To the page that asks again who it is, and to `back` after it.
fn not_fresh(back: &str) -> Detour {
    Detour::to(format!("/account/proof?next={}", encoded(back)))
}
