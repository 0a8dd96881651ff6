//! Ways that lead elsewhere than asked, and what the next page tells.

use axum::response::{IntoResponse, Redirect, Response};
use simurgh_app::Fault;

use super::shopper::failed;
use crate::frame::{Refusal, Tone};
use crate::i18n::key;
use crate::session;

/// Why a page is not what was asked for: another comes first, or there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Detour {
    /// Another page, which may tell something first.
    To(String, Option<Done>),
    /// No page.
    Refused(Refusal),
}

impl Detour {
    /// The page at `path`.
    pub(crate) fn to(path: impl Into<String>) -> Self {
        Self::To(path.into(), None)
    }

    /// The page at `path`, which tells why one is there.
    pub(crate) fn telling(path: impl Into<String>, done: Done) -> Self {
        Self::To(path.into(), Some(done))
    }
}

impl From<Refusal> for Detour {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Detour {
    fn from(fault: Fault) -> Self {
        Self::Refused(failed(&fault))
    }
}

impl IntoResponse for Detour {
    fn into_response(self) -> Response {
        match self {
            Self::To(path, done) => {
                let mut response = Redirect::to(&path).into_response();
                if let Some(done) = done {
                    session::tell_next(&mut response, done);
                }
                response
            }
            Self::Refused(refusal) => refusal.into_response(),
        }
    }
}

macro_rules! told {
    ($($name:ident = $key:literal $tone:ident),+ $(,)?) => {
        /// What was just done, told once on the next page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Done {
            $(#[doc = concat!("Tells `", $key, "`.")] $name,)+
        }

        impl Done {
            const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The key of the text.
            pub(crate) const fn key(self) -> &'static str {
                match self {
                    $(Self::$name => key($key),)+
                }
            }

            /// How it is meant.
            pub(crate) const fn tone(self) -> Tone {
                match self {
                    $(Self::$name => Tone::$tone,)+
                }
            }
        }
    };
}

told! {
    StartOver = "done-start-over" Warning,
    NewerCode = "done-newer-code" Warning,
    CodeSentAgain = "done-code-sent-again" Success,
    LoggedOut = "done-logged-out" Success,
    PasswordRecovered = "done-password-recovered" Success,
    EmailConfirmed = "done-email-confirmed" Success,
    NameChanged = "done-name-changed" Success,
    UserNameChanged = "done-user-name-changed" Success,
    UserNameRemoved = "done-user-name-removed" Success,
    PhoneChanged = "done-phone-changed" Success,
    EmailChanged = "done-email-changed" Success,
    LanguageChanged = "done-language-changed" Success,
    TimeZoneChanged = "done-time-zone-changed" Success,
    MarketingOn = "done-marketing-on" Success,
    MarketingOff = "done-marketing-off" Success,
    PasswordChanged = "done-password-changed" Success,
    SecondFactorOff = "done-second-factor-off" Success,
    DeviceEnded = "done-device-ended" Success,
    DevicesEnded = "done-devices-ended" Success,
    AccountClosed = "done-account-closed" Success,
    ProfileNewest = "done-profile-newest" Success,
    ProfileWaits = "done-profile-waits" Info,
    ProfilePrepared = "done-profile-prepared" Success,
}

impl Done {
    /// What stands in the cookie.
    pub(crate) const fn code(self) -> &'static str {
        self.key()
    }

    /// Reads the cookie.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|done| done.code() == code)
    }

    /// Leads to `path` and tells there what was done.
    pub(crate) fn at(self, path: &str) -> Response {
        Detour::telling(path, self).into_response()
    }
}
