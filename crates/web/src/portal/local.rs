//! What belongs to this site and to this visitor's place: paths, countries, clocks.

use axum::http::{HeaderMap, header};
use simurgh_vocab::{CountryCode, Duration, Locale, TimeZoneName, Timestamp};

use super::fields::Fields;
use crate::frame::Page;
use crate::i18n::Text;

/// The longest path that is come back to, in octets: a checkout with all its choices fits.
const PATH_OCTETS_MAX: usize = 600;
/// The longest name of a time zone that is looked up.
const ZONE_OCTETS_MAX: usize = 64;

/// A path of this site, or the line's page: nobody is sent elsewhere after logging in.
pub(super) fn local(next: &str) -> String {
    local_or(next, "/line")
}

/// A path of this site, or `usual`.
pub(super) fn local_or(next: &str, usual: &str) -> String {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.len() <= PATH_OCTETS_MAX
        && next.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if ours { next } else { usual }.to_owned()
}

/// The countries that a browser's languages name, the preferred first: `en-GB, zh-CN` names two.
pub(super) fn countries(headers: &HeaderMap) -> Vec<CountryCode> {
    let wished = headers.get(header::ACCEPT_LANGUAGE);
    let wished = wished.and_then(|value| value.to_str().ok()).unwrap_or("");
    let region = |range: &str| -> Option<CountryCode> {
        let tag = range.split(';').next()?.trim();
        let regions = tag.split('-').skip(1);
        regions.filter_map(|subtag| subtag.parse().ok()).next()
    };
    let mut found: Vec<CountryCode> = Vec::new();
    for country in wished.split(',').filter_map(region) {
        if !found.contains(&country) {
            found.push(country);
        }
    }
    found
}

/// The country that a form begins with: the browser's, else the one of the language if that is
/// spoken in one country before all.
pub(super) fn likely_country(headers: &HeaderMap, locale: Locale) -> Option<CountryCode> {
    let named = countries(headers).into_iter().next();
    named.or(match locale {
        Locale::ZhCn => "CN".parse().ok(),
        Locale::En => None,
    })
}

/// The time zone that a browser's script wrote into the form, if it did and there is one.
pub(super) fn browser_zone(fields: &Fields) -> Option<TimeZoneName> {
    let name = fields.text("zone");
    // "Etc/Unknown" is what browsers say that do not know (CLDR).
    if name.len() > ZONE_OCTETS_MAX || name == "Etc/Unknown" {
        return None;
    }
    name.parse().ok()
}

/// From when on something can be done, on the clock of whoever reads it: today's as `14:30`, with
/// the offset when their time zone is only supposed. The minute that it shows has come then.
pub(super) fn moment(page: &Page, fields: &Fields, at: Timestamp) -> String {
    let at = at.plus(Duration::seconds(59));
    let written = |t: &Text| {
        if t.calendar_days(at, page.now) == 0 {
            t.time(at)
        } else {
            t.date_time(at)
        }
    };
    if page.signed_in() {
        return written(&page.t);
    }
    if let Some(zone) = browser_zone(fields) {
        return written(&page.t.clone().in_zone(zone.zone()));
    }
    let exact = page.t.machine(at);
    let offset = exact.get(exact.len().saturating_sub(6)..).unwrap_or("");
    format!("{} (UTC{offset})", written(&page.t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_leads_to_a_page_of_this_site() {
        for (wanted, led) in [
            ("/line", "/line"),
            (
                "/checkout?item=add-on:x&currency=CNY",
                "/checkout?item=add-on:x&currency=CNY",
            ),
            ("", "/line"),
            ("https://evil.example/", "/line"),
            ("//evil.example/", "/line"),
            ("/\\evil.example", "/line"),
            ("/\t/evil.example", "/line"),
            ("/a\r\nset-cookie: b=c", "/line"),
            ("javascript:alert(1)", "/line"),
        ] {
            assert_eq!(local(wanted), led, "{wanted}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(PATH_OCTETS_MAX))), "/line");
    }

    #[test]
    fn a_browsers_languages_name_countries() {
        let mut headers = HeaderMap::new();
        assert_eq!(likely_country(&headers, Locale::En), None);
        assert_eq!(likely_country(&headers, Locale::ZhCn), "CN".parse().ok());
        let wished = "en, zh-Hans-SG;q=0.8, de-DE;q=0.7, de-DE, x-1";
        headers.insert(header::ACCEPT_LANGUAGE, wished.parse().unwrap());
        let named: Vec<String> = countries(&headers)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(named, ["SG", "DE"]);
    }
}
