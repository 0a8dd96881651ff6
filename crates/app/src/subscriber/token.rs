//! Tokens: what the bearer of a session or of a half-done log-in shows. 32 random octets; only
//! their digest is kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::App;
use crate::crypto::Purpose;
use crate::ports::Digest;

const TOKEN_OCTETS: usize = 32;
const TOKEN_CHARS: usize = 43;

macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident for $purpose:expr),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Takes a token as a browser shows it; nothing when it cannot be one.
            #[must_use]
            pub fn shown(text: &str) -> Option<Self> {
                is_token(text).then(|| Self(text.to_owned()))
            }

            /// The token, for the cookie or form field that carries it and for nothing else.
            #[must_use]
            pub fn reveal(&self) -> &str {
                &self.0
            }

            pub(crate) fn make(app: &App) -> Self {
                Self(random_token(app))
            }

            pub(crate) fn digest(&self, app: &App) -> Digest {
                app.keyring.digest($purpose, self.0.as_bytes())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    )+};
}

tokens! {
    /// The token of a session.
    SessionToken for Purpose::SessionDigest,
    /// The token of a half-done log-in or recovery.
    StepToken for Purpose::StepDigest,
}

fn is_token(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.len() == TOKEN_CHARS && text.bytes().all(allowed)
}

fn random_token(app: &App) -> String {
    let mut octets = [0; TOKEN_OCTETS];
    app.entropy.fill(&mut octets);
    URL_SAFE_NO_PAD.encode(octets)
}

impl App {
    /// The token that forms must carry which are sent with a cookie of this value (V3.5.1): the
    /// session's token, or a random value for visitors.
    #[must_use]
    pub fn csrf_token(&self, cookie: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.keyring.digest(Purpose::Csrf, cookie.as_bytes()))
    }

    /// Whether a form's token is the one for this cookie, in constant time.
    #[must_use]
    pub fn csrf_token_matches(&self, cookie: &str, token: &str) -> bool {
        URL_SAFE_NO_PAD.decode(token).is_ok_and(|digest| {
            let data = cookie.as_bytes();
            self.keyring.digest_matches(Purpose::Csrf, data, &digest)
        })
    }

    /// A random value for the cookie of a visitor who has no session.
    #[must_use]
    pub fn visitor_cookie(&self) -> String {
        random_token(self)
    }
}
