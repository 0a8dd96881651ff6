//! Which currency prices are shown in.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use simurgh_vocab::{Currency, Locale};

use super::fields::{Fields, href};

/// The cookie that remembers the choice. It says nothing about a person.
const COOKIE_NAME: &str = "currency";
/// How long the choice is remembered: one year.
const KEPT_SECONDS: u32 = 31_536_000;

/// The currency of a page: chosen in its address, remembered from an earlier page, or the one that
/// goes with the language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    chosen: Option<Currency>,
    remembered: Option<Currency>,
}

impl Shown {
    /// The currency for a reader of `locale`.
    pub(super) fn currency(self, locale: Locale) -> Currency {
        self.chosen.or(self.remembered).unwrap_or(match locale {
            Locale::ZhCn => Currency::Cny,
            Locale::En => Currency::Usd,
        })
    }

    /// The answer, with a cookie if the visitor has just chosen.
    pub(super) fn remember(self, mut response: Response) -> Response {
        if let Some(currency) = self.chosen.filter(|_| self.chosen != self.remembered) {
            let cookie = format!(
                "{COOKIE_NAME}={currency}; Path=/; Max-Age={KEPT_SECONDS}; SameSite=Lax; HttpOnly"
            );
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
        }
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            chosen: in_query(&parts.uri),
            remembered: in_cookie(&parts.headers),
        })
    }
}

fn in_query(uri: &Uri) -> Option<Currency> {
    uri.query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .and_then(|(_, value)| value.parse().ok())
}

fn in_cookie(headers: &HeaderMap) -> Option<Currency> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .and_then(|(_, value)| value.parse().ok())
}

/// A choice of a row of links.
pub(super) struct Link {
    /// Where it leads.
    pub(super) href: String,
    /// What it says.
    pub(super) label: String,
    /// Whether it is where the visitor is.
    pub(super) current: bool,
}

/// The links that switch the currency of the page at `path`, keeping the `kept` fields.
pub(super) fn links(path: &str, kept: &[&str], fields: &Fields, shown: Currency) -> Vec<Link> {
    let link = |currency: Currency| {
        let mut pairs: Vec<_> = kept
            .iter()
            .map(|name| (*name, fields.text(name).to_owned()))
            .collect();
        pairs.push((COOKIE_NAME, currency.code().to_owned()));
        Link {
            href: href(path, &pairs),
            label: format!("{} {}", currency.symbol(), currency.code()),
            current: currency == shown,
        }
    };
    Currency::ALL.into_iter().map(link).collect()
}
