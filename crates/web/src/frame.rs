//! The frame around every page: who looks at it, in which language, with which navigation; and what
//! goes around every answer: language switch, security headers, error pages.
//!
//! A page is an askama template with a field `page: Page`; see `templates/README.md`.

mod answer;
mod balance;
mod form;
pub(crate) mod fuzz;
mod gate;
mod icon;
mod language;
pub mod observe;
mod refusal;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use jiff::tz::TimeZone;
use simurgh_app::ports::Clock;
use simurgh_vocab::{Locale, Timestamp};

use crate::assets::Assets;
use crate::brand::Brand;
use crate::help::Library;
use crate::i18n::{I18n, I18nError, Text, default_zone};

pub(crate) use answer::AccountLocale;
pub use answer::{Policy, Transport, dress, for_programs};
pub use balance::Balance;
pub use form::Form;
pub use gate::{Takes, gate};
pub(crate) use icon::NAMES as ICON_NAMES;
pub use icon::icon;
pub(crate) use refusal::Problem;
pub use refusal::{Reference, Refusal};

/// What every page needs from the program; one per process, cheap to clone.
#[derive(Clone)]
pub struct Frames {
    /// The operator's brand.
    pub brand: Arc<Brand>,
    /// The texts.
    pub i18n: Arc<I18n>,
    /// Style sheets, script and icons.
    pub assets: Arc<Assets>,
    /// The time, for "in 3 days".
    pub clock: Arc<dyn Clock>,
    /// What the browser is told to allow.
    pub policy: Arc<Policy>,
    /// The help centre.
    pub library: Arc<Library>,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("brand", &self.brand.name)
            .finish_non_exhaustive()
    }
}

impl Frames {
    /// Loads texts, assets and help for `brand`.
    ///
    /// # Errors
    /// [`I18nError`] when the embedded texts are malformed; the tests see to it that they are not.
    pub fn new(brand: Brand, policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, I18nError> {
        let i18n = Arc::new(I18n::load(&brand.name)?);
        Ok(Self {
            assets: Arc::new(Assets::new(&brand)),
            library: Arc::new(Library::new(&i18n, &brand)),
            i18n,
            brand: Arc::new(brand),
            clock,
            policy: Arc::new(policy),
        })
    }

    /// The frame of a page nobody in particular looks at: an error page, a style guide.
    #[must_use]
    pub fn page(&self, locale: Locale, path: &str) -> Page {
        Page {
            t: self.i18n.text(locale, default_zone()),
            nav: Nav::None,
            name: None,
            csrf: String::new(),
            flash: None,
            path: path.to_owned(),
            now: self.clock.now(),
            frames: self.clone(),
        }
    }
}

/// Who looks at the page. The session layer puts it into the request's extensions; [`Page`] takes
/// it from there. Without one, the visitor is a stranger.
#[derive(Clone, Default)]
pub struct Visitor {
    /// The name in the page header when signed in.
    pub name: Option<String>,
    /// The language the customer has chosen; the cookie of the language switch comes first.
    pub locale: Option<Locale>,
    /// The customer's time zone.
    pub zone: Option<TimeZone>,
    /// The token that forms carry.
    pub csrf: String,
    /// What just happened, shown once.
    pub flash: Option<Flash>,
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Visitor(hidden)")
    }
}

/// How a notice or a state is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Neither good nor bad.
    Info,
    /// Something worked.
    Success,
    /// Something needs attention.
    Warning,
    /// Something failed or is about to be lost.
    Danger,
    /// Finished or switched off.
    Muted,
}

impl Tone {
    /// The name in class names.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
            Self::Muted => "muted",
        }
    }

    /// The name of the icon that goes with it: colour is never the only sign.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Info | Self::Muted => "info",
            Self::Success => "check",
            Self::Warning | Self::Danger => "alert",
        }
    }

    /// The ARIA role of a notice: only what must interrupt does.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::Info | Self::Success | Self::Warning | Self::Muted => "status",
            Self::Danger => "alert",
        }
    }
}

/// A notice about what just happened, at the top of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// How it is meant.
    pub tone: Tone,
    /// The text, already in the visitor's language.
    pub text: String,
}

/// Room for a page: most fit, so that it is written without being moved.
const PAGE_OCTETS: usize = 16 * 1_024;

/// The place in the navigation that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nav {
    /// None of them.
    None,
    /// My line.
    Line,
    /// Plans.
    Plans,
    /// Orders and bills.
    Bills,
    /// Help.
    Help,
    /// Account settings.
    Account,
    /// Console: overview.
    ConsoleHome,
    /// Console: customers.
    Customers,
    /// Console: eSIM profiles.
    Profiles,
    /// Console: orders.
    Orders,
    /// Console: payments and refunds.
    Payments,
    /// Console: tickets.
    Tickets,
    /// Console: messages sent.
    Messages,
    /// Console: outbox and jobs.
    Jobs,
    /// Console: catalogue.
    Catalogue,
    /// Console: audit log.
    Audit,
}

impl Nav {
    const PORTAL: [Self; 5] = [
        Self::Line,
        Self::Plans,
        Self::Bills,
        Self::Help,
        Self::Account,
    ];
    const CONSOLE: [Self; 10] = [
        Self::ConsoleHome,
        Self::Customers,
        Self::Profiles,
        Self::Orders,
        Self::Payments,
        Self::Tickets,
        Self::Messages,
        Self::Jobs,
        Self::Catalogue,
        Self::Audit,
    ];

    /// Address, icon and the key of the label.
    const fn entry(self) -> (&'static str, &'static str, &'static str) {
        use crate::i18n::key;
        match self {
            Self::None => ("/", "home", key("nav-home")),
            Self::Line => ("/line", "line", key("nav-line")),
            Self::Plans => ("/plans", "plans", key("nav-plans")),
            Self::Bills => ("/bills", "bill", key("nav-bills")),
            Self::Help => ("/help", "help", key("nav-help")),
            Self::Account => ("/account", "person", key("nav-account")),
            Self::ConsoleHome => ("/", "home", key("console-home")),
            Self::Customers => ("/customers", "person", key("console-customers")),
            Self::Profiles => ("/esim", "line", key("console-esim")),
            Self::Orders => ("/orders", "bill", key("console-orders")),
            Self::Payments => ("/payments", "card", key("console-payments")),
            Self::Tickets => ("/tickets", "help", key("console-tickets")),
            Self::Messages => ("/messages", "mail", key("console-messages")),
            Self::Jobs => ("/jobs", "clock", key("console-jobs")),
            Self::Catalogue => ("/catalogue", "plans", key("console-catalogue")),
            Self::Audit => ("/audit", "lock", key("console-audit")),
        }
    }
}

/// One entry of the navigation, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    /// Where it leads.
    pub href: &'static str,
    /// The icon's name.
    pub icon: &'static str,
    /// The label in the page's language.
    pub label: String,
    /// Whether the page belongs to it.
    pub current: bool,
}

/// The frame of one page. Every page template has it as its field `page`.
///
/// As an extractor it never fails: it reads the language from the cookie of the language switch,
/// the [`Visitor`] or `Accept-Language`, in this order, else Chinese.
#[derive(Clone, Debug)]
pub struct Page {
    /// The texts and formatters in the visitor's language and time zone.
    pub t: Text,
    /// Where in the navigation the page belongs; set by the handler through [`Page::at`].
    pub nav: Nav,
    /// The name of who is signed in.
    pub name: Option<String>,
    /// The token that forms carry.
    pub csrf: String,
    /// What just happened.
    pub flash: Option<Flash>,
    /// Path and query of this page, where the language switch comes back to.
    pub path: String,
    /// The time at which the page was made.
    pub now: Timestamp,
    frames: Frames,
}

impl Page {
    /// The same frame with `nav` marked as the current place.
    #[must_use]
    pub fn at(mut self, nav: Nav) -> Self {
        self.nav = nav;
        self
    }

    /// The brand.
    #[must_use]
    pub fn brand(&self) -> &Brand {
        &self.frames.brand
    }

    /// The address of the asset `name`.
    #[must_use]
    pub fn asset(&self, name: &str) -> &str {
        self.frames.assets.url(name)
    }

    /// Whether somebody is signed in.
    #[must_use]
    pub const fn signed_in(&self) -> bool {
        self.name.is_some()
    }

    /// The first letter of the signed-in name, for the round badge in the header.
    #[must_use]
    pub fn initial(&self) -> String {
        let first = self.name.as_ref().and_then(|name| name.chars().next());
        first.map_or_else(String::new, |letter| letter.to_uppercase().collect())
    }

    /// The portal's navigation.
    #[must_use]
    pub fn portal_items(&self) -> Vec<NavItem> {
        self.items(&Nav::PORTAL)
    }

    /// The console's navigation.
    #[must_use]
    pub fn console_items(&self) -> Vec<NavItem> {
        self.items(&Nav::CONSOLE)
    }

    /// The language that the switch offers.
    #[must_use]
    pub const fn other_locale(&self) -> Locale {
        match self.t.locale() {
            Locale::ZhCn => Locale::En,
            Locale::En => Locale::ZhCn,
        }
    }

    /// Where the language switch leads: this page, with the language as a parameter.
    #[must_use]
    pub fn switch_href(&self) -> String {
        language::switch_href(&self.path, self.other_locale())
    }

    /// Answers with a rendered template.
    #[must_use]
    pub fn answer(template: &impl askama::Template) -> Response {
        let mut html = String::with_capacity(PAGE_OCTETS);
        match template.render_into(&mut html) {
            Ok(()) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                Refusal::Internal.into_response()
            }
        }
    }

    fn items(&self, places: &[Nav]) -> Vec<NavItem> {
        places
            .iter()
            .map(|place| {
                let (href, icon, label) = place.entry();
                NavItem {
                    href,
                    icon,
                    label: self.t.msg(label),
                    current: *place == self.nav,
                }
            })
            .collect()
    }
}

impl<S> FromRequestParts<S> for Page
where
    S: Send + Sync,
    Frames: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let frames = Frames::from_ref(state);
        let visitor = parts.extensions.get::<Visitor>().cloned();
        let visitor = visitor.unwrap_or_default();
        let locale = language::locale(&parts.headers, visitor.locale);
        let zone = visitor.zone.unwrap_or_else(default_zone);
        let path = if parts.method.is_safe() {
            parts.uri.path_and_query().map_or("/", |path| path.as_str())
        } else {
            parts.uri.path()
        };
        Ok(Self {
            t: frames.i18n.text(locale, zone),
            nav: Nav::None,
            name: visitor.name,
            csrf: visitor.csrf,
            flash: visitor.flash,
            path: path.to_owned(),
            now: frames.clock.now(),
            frames,
        })
    }
}
