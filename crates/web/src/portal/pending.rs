//! What a browser has begun and not ended: a code that was sent, a log-in that wants a second
//! factor, a recovery that wants a password. It travels in a cookie, so that every step is a page
//! of its own that can be looked at again, and nothing personal stands in an address.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use simurgh_app::subscriber::{CodeSent, StepToken};
use simurgh_subscriber::Channel;
use simurgh_vocab::{ChallengeId, Timestamp};

use super::local::local;
use crate::session;

const COOKIE: &str = "__Host-simurgh-step";
/// Longer than codes and half-done log-ins last; a code can be asked for anew this long.
const COOKIE_SECONDS: u32 = 3_600;

macro_rules! places {
    ($($(#[$doc:meta])* $name:ident = $path:literal from $start:literal),+ $(,)?) => {
        /// A page that asks for a code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Place {
            $($(#[$doc])* $name,)+
        }

        impl Place {
            const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its address.
            pub(super) const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)+
                }
            }

            /// Where its code is asked for.
            pub(super) const fn start(self) -> &'static str {
                match self {
                    $(Self::$name => $start,)+
                }
            }
        }
    };
}

places! {
    /// Logging in with a code.
    LogIn = "/login/code" from "/login/send-code",
    /// Confirming the number of a new account.
    Register = "/register/confirm" from "/register",
    /// Confirming the mailbox of a new account.
    NewEmail = "/register/email" from "/account",
    /// Recovering the password.
    Recover = "/recover/code" from "/recover",
    /// Changing the number.
    Phone = "/account/phone/code" from "/account/phone",
    /// Changing the mailbox.
    Email = "/account/email/code" from "/account/email",
    /// Confirming the mailbox on the account.
    OwnEmail = "/account/email/confirm" from "/account/email",
    /// Proving again who one is.
    Proof = "/account/proof/code" from "/account/proof",
}

impl Place {
    /// The page at `path`.
    pub(super) fn at(path: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|place| place.path() == path)
    }

    /// Whether one must be signed in there.
    pub(super) const fn is_own(self) -> bool {
        match self {
            Self::LogIn | Self::Register | Self::Recover => false,
            Self::NewEmail | Self::Phone | Self::Email | Self::OwnEmail | Self::Proof => true,
        }
    }
}

/// A code that was sent and waits to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Awaited {
    /// Where it is typed.
    pub(super) place: Place,
    /// The challenge.
    pub(super) challenge: ChallengeId,
    /// Where it went, with its middle hidden.
    pub(super) to: String,
    /// By which channel.
    pub(super) channel: Channel,
    /// When another can be asked for.
    pub(super) again_at: Timestamp,
    /// The page that was wanted.
    pub(super) next: String,
}

impl Awaited {
    /// A code that was just sent.
    pub(super) fn sent(sent: CodeSent, place: Place, next: &str) -> Self {
        Self {
            place,
            challenge: sent.challenge,
            to: sent.to,
            channel: sent.channel,
            again_at: sent.again_at,
            next: next.to_owned(),
        }
    }
}

/// What was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pending {
    /// A code waits to be typed.
    Code(Awaited),
    /// A log-in waits for the second factor.
    SecondFactor {
        /// The half-done log-in.
        step: StepToken,
        /// The page that was wanted.
        next: String,
    },
    /// A recovery waits for the new password.
    NewPassword {
        /// The half-done recovery.
        step: StepToken,
        /// Whether the second factor is wanted as well.
        second_factor: bool,
    },
}

impl Pending {
    /// Leads to the page on which it goes on.
    pub(super) fn begin(&self) -> Response {
        let path = match self {
            Self::Code(awaited) => awaited.place.path(),
            Self::SecondFactor { .. } => "/login/second",
            Self::NewPassword { .. } => "/recover/password",
        };
        let mut response = Redirect::to(path).into_response();
        let value = URL_SAFE_NO_PAD.encode(self.written());
        session::set_cookie(response.headers_mut(), COOKIE, &value, Some(COOKIE_SECONDS));
        response
    }

    /// Forgets what was begun: it is done.
    pub(super) fn end(response: &mut Response) {
        session::set_cookie(response.headers_mut(), COOKIE, "", Some(0));
    }

    fn written(&self) -> String {
        match self {
            Self::Code(code) => [
                "code",
                code.place.path(),
                &code.challenge.number(),
                &code.to,
                code.channel.code(),
                &code.again_at.as_micros().to_string(),
                &code.next,
            ]
            .join("\n"),
            Self::SecondFactor { step, next } => ["second", step.reveal(), next].join("\n"),
            Self::NewPassword {
                step,
                second_factor,
            } => {
                let ways = if *second_factor { "both" } else { "password" };
                ["password", step.reveal(), ways].join("\n")
            }
        }
    }

    fn read(value: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        let parts: Vec<&str> = text.split('\n').collect();
        match parts.as_slice() {
            ["code", place, challenge, to, channel, again_at, next] => Some(Self::Code(Awaited {
                place: Place::at(place)?,
                challenge: challenge.parse().ok()?,
                to: (*to).to_owned(),
                channel: Channel::from_code(channel)?,
                again_at: Timestamp::from_micros(again_at.parse().ok()?),
                next: local(next),
            })),
            ["second", step, next] => Some(Self::SecondFactor {
                step: StepToken::shown(step)?,
                next: local(next),
            }),
            ["password", step, ways] => Some(Self::NewPassword {
                step: StepToken::shown(step)?,
                second_factor: *ways == "both",
            }),
            _ => None,
        }
    }
}

/// What the browser that asks has begun.
pub(super) struct Begun(pub(super) Option<Pending>);

impl<S: Send + Sync> FromRequestParts<S> for Begun {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let value = session::cookie(&parts.headers, COOKIE);
        Ok(Self(value.and_then(|value| Pending::read(&value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_comes_back_and_leads_to_this_site_only() {
        let code = |next: &str| {
            Pending::Code(Awaited {
                place: Place::Email,
                challenge: ChallengeId::from_parts(7, &[1; 10]),
                to: "w•••@example.com".to_owned(),
                channel: Channel::Email,
                again_at: Timestamp::from_micros(1_790_000_000_000_000),
                next: next.to_owned(),
            })
        };
        let again = |pending: &Pending| Pending::read(&URL_SAFE_NO_PAD.encode(pending.written()));
        let own = code("/checkout?item=a%3Ab");
        assert_eq!(again(&own), Some(own));
        assert_eq!(again(&code("//evil.example")), Some(code("/line")));
        let step = StepToken::shown(&"a".repeat(43)).unwrap();
        for second_factor in [true, false] {
            let step = step.clone();
            let pending = Pending::NewPassword {
                step,
                second_factor,
            };
            assert_eq!(again(&pending), Some(pending));
        }
        for broken in ["", "!", "Y29kZQ", "c2Vjb25kCngK"] {
            assert_eq!(Pending::read(broken), None, "{broken}");
        }
    }
}
