//! Which language a visitor reads, and the switch between them.

use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::{HeaderMap, Uri};
use simurgh_vocab::Locale;

/// The cookie that remembers the choice. It says nothing about a person.
pub(super) const COOKIE_NAME: &str = "lang";
/// The parameter of the language switch.
const PARAMETER: &str = "lang";

/// The visitor's language: the choice made here, the one in the account, the browser's, Chinese.
pub(super) fn locale(headers: &HeaderMap, account: Option<Locale>) -> Locale {
    chosen(headers)
        .or(account)
        .or_else(|| wished(headers))
        .unwrap_or(Locale::ZhCn)
}

/// The language that a request for a switch asks for, and the address without the parameter.
pub(super) fn switched(uri: &Uri) -> Option<(Locale, String)> {
    let query = uri.query()?;
    let mut locale = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((PARAMETER, value)) => locale = value.parse().ok(),
            Some(_) | None => kept.push(pair),
        }
    }
    let path = local(uri.path());
    let target = if kept.is_empty() {
        path
    } else {
        format!("{path}?{}", kept.join("&"))
    };
    locale.map(|locale| (locale, target))
}

/// The address of `path` with the language switched to `locale`.
pub(super) fn switch_href(path: &str, locale: Locale) -> String {
    let join = if path.contains('?') { '&' } else { '?' };
    format!("{}{join}{PARAMETER}={}", local(path), locale.tag())
}

/// The path with exactly one leading slash: `//host/` would lead to another site.
fn local(path: &str) -> String {
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

fn chosen(headers: &HeaderMap) -> Option<Locale> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .and_then(|(_, value)| value.parse().ok())
}

/// The first language of `Accept-Language` that the product speaks. Browsers list the languages in
/// order of preference, so weights are not read.
fn wished(headers: &HeaderMap) -> Option<Locale> {
    let value = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
    value.split(',').find_map(|range| {
        let tag = range.split(';').next()?.trim();
        match tag.split('-').next()?.to_ascii_lowercase().as_str() {
            "zh" => Some(Locale::ZhCn),
            "en" => Some(Locale::En),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_choice_comes_before_the_account_before_the_browser() {
        let english_browser = (ACCEPT_LANGUAGE, "fr-FR, en-GB;q=0.8, zh;q=0.5");
        let chose_chinese = (COOKIE, "a=b; lang=zh-CN");
        let both = headers(&[english_browser.clone(), chose_chinese]);
        assert_eq!(locale(&both, Some(Locale::En)), Locale::ZhCn);
        let browser = headers(&[english_browser]);
        assert_eq!(locale(&browser, Some(Locale::ZhCn)), Locale::ZhCn);
        assert_eq!(locale(&browser, None), Locale::En);
        let unknown = headers(&[(ACCEPT_LANGUAGE, "fr"), (COOKIE, "lang=xx")]);
        assert_eq!(locale(&unknown, None), Locale::ZhCn);
    }

    #[test]
    fn the_switch_comes_back_to_the_same_page_of_this_site() {
        let case = |uri: &str| switched(&uri.parse().unwrap());
        let back = case("/help?q=esim&lang=en&page=2");
        assert_eq!(back, Some((Locale::En, "/help?q=esim&page=2".to_owned())));
        let back = case("//evil.example/?lang=zh-CN");
        assert_eq!(back, Some((Locale::ZhCn, "/evil.example/".to_owned())));
        assert_eq!(case("/help?lang=xx"), None);
        assert_eq!(case("/help?slang=en"), None);
        assert_eq!(switch_href("/help?q=1", Locale::En), "/help?q=1&lang=en");
    }
}
