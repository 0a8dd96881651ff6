//! Time zones to choose from, under the names of their countries.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use simurgh_vocab::{CountryCode, Locale, TimeZoneName, Timestamp};

use super::country;

/// Country and zone, the country's most used zone first.
static ZONES: LazyLock<Vec<(CountryCode, &str)>> = LazyLock::new(|| {
    let rows = include_str!("zones.txt").lines();
    let rows = rows.filter_map(|line| line.split_once(' '));
    rows.filter_map(|(country, zone)| Some((country.parse().ok()?, zone)))
        .collect()
});

/// The zone that most of a country's people live in.
pub(super) fn of_country(country: CountryCode) -> Option<TimeZoneName> {
    let (_, zone) = ZONES.iter().find(|(own, _)| *own == country)?;
    zone.parse().ok()
}

/// A zone in a list: its name in the database and how it is called.
pub(super) struct Choice {
    pub(super) name: &'static str,
    pub(super) label: String,
}

/// Every zone, by what its clocks show at `now`, from west to east.
pub(super) fn choices(locale: Locale, now: Timestamp) -> Vec<Choice> {
    let now = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or_default();
    let mut rows: Vec<(i32, String, &'static str)> = Vec::new();
    for (country, name) in ZONES.iter() {
        let Ok(zone) = TimeZone::get(name) else {
            continue;
        };
        let seconds = zone.to_offset(now).seconds();
        rows.push((seconds, place(*country, name, locale), name));
    }
    rows.sort();
    rows.into_iter()
        .map(|(seconds, place, name)| Choice {
            name,
            label: format!("UTC{} {place}", offset(seconds)),
        })
        .collect()
}

/// How a zone is called: by its country, and by its city where the country has several.
pub(super) fn label(name: &str, locale: Locale) -> String {
    match ZONES.iter().find(|(_, own)| *own == name) {
        Some((country, own)) => place(*country, own, locale),
        None => name.replace('_', " "),
    }
}

fn place(country: CountryCode, name: &str, locale: Locale) -> String {
    let title = country::name(&country, locale);
    if ZONES.iter().filter(|(own, _)| *own == country).count() == 1 {
        return title.to_owned();
    }
    let city = name.rsplit('/').next().unwrap_or(name).replace('_', " ");
    match locale {
        Locale::ZhCn => format!("{title}（{city}）"),
        Locale::En => format!("{title} ({city})"),
    }
}

/// `+8`, `−3:30`; `±0` for the offset of UTC itself.
fn offset(seconds: i32) -> String {
    let minutes = seconds.unsigned_abs() / 60;
    let sign = match seconds {
        0 => '±',
        1.. => '+',
        _ => '−',
    };
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("{sign}{hours}"),
        (hours, minutes) => format!("{sign}{hours}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMER: Timestamp = Timestamp::from_micros(1_783_000_000_000_000);

    #[test]
    fn countries_have_a_usual_zone_and_every_zone_exists() {
        for (country, zone) in [
            ("CN", "Asia/Shanghai"),
            ("US", "America/New_York"),
            ("AU", "Australia/Sydney"),
            ("GB", "Europe/London"),
        ] {
            let found = of_country(country.parse().unwrap()).unwrap();
            assert_eq!(found.as_str(), zone);
        }
        assert_eq!(of_country("XX".parse().unwrap()), None);
        assert_eq!(choices(Locale::En, SUMMER).len(), ZONES.len());
    }

    #[test]
    fn zones_are_called_by_place_and_offset() {
        let named = |locale, name| {
            let mut all = choices(locale, SUMMER).into_iter();
            all.find(|choice| choice.name == name).unwrap().label
        };
        assert_eq!(named(Locale::ZhCn, "Asia/Tokyo"), "UTC+9 日本");
        assert_eq!(
            named(Locale::ZhCn, "Asia/Shanghai"),
            "UTC+8 中国大陆（Shanghai）"
        );
        assert_eq!(named(Locale::En, "Asia/Kolkata"), "UTC+5:30 India");
        assert_eq!(
            named(Locale::En, "America/New_York"),
            "UTC−4 United States (New York)"
        );
        assert_eq!(label("Etc/GMT+3", Locale::En), "Etc/GMT+3");
    }
}
