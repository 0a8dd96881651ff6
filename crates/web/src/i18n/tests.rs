//! The languages agree with each other, and with what templates and code ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use simurgh_vocab::{Currency, Duration, Locale, Messages, Money, Octets, Seconds, Timestamp};

use super::{I18n, Text, sources};

/// Keys (with attributes) and the variables of each.
fn messages(locale: Locale) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, source) in sources(locale) {
        let (mut message, mut current) = (String::new(), String::new());
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let text = line.trim_start();
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                message = line.split([' ', '=']).next().unwrap().to_owned();
                current.clone_from(&message);
            } else if let Some(attribute) = text.strip_prefix('.') {
                let name = attribute.split([' ', '=']).next().unwrap();
                current = format!("{message}.{name}");
            }
            if current.is_empty() {
                continue;
            }
            let variables = messages.entry(current.clone()).or_default();
            for rest in line.split('$').skip(1) {
                let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
                variables.insert(name.into_iter().next().unwrap().to_owned());
            }
        }
    }
    messages
}

#[test]
fn the_languages_have_the_same_keys_and_variables() {
    let (chinese, english) = (messages(Locale::ZhCn), messages(Locale::En));
    let keys = |map: &BTreeMap<String, BTreeSet<String>>| -> BTreeSet<String> {
        map.keys().cloned().collect()
    };
    let missing: Vec<_> = keys(&chinese)
        .symmetric_difference(&keys(&english))
        .cloned()
        .collect();
    assert!(missing.is_empty(), "in one language only: {missing:?}");
    for (key, variables) in &chinese {
        // A language may leave a number unsaid, but may not know one that the other lacks.
        assert_eq!(variables, &english[key], "{key}");
    }
}

#[test]
fn every_key_that_is_asked_for_exists_with_its_variables() {
    let messages = messages(Locale::ZhCn);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut problems = Vec::new();
    for folder in ["src", "templates"] {
        walk(&root.join(folder), &mut |path, text| {
            for use_ in uses(&text) {
                let place = format!("{}: {}", path.display(), use_.key);
                match (messages.get(use_.key), use_.variable) {
                    (None, _) => problems.push(format!("{place} does not exist")),
                    (Some(known), Some(name)) if !known.contains(name) => {
                        problems.push(format!("{place} has no variable {name}"));
                    }
                    (Some(known), None) if use_.call == "msg" && !known.is_empty() => {
                        problems.push(format!("{place} lacks {known:?}"));
                    }
                    (Some(_), _) => {}
                }
            }
        });
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

struct Use<'a> {
    call: &'static str,
    key: &'a str,
    variable: Option<&'a str>,
}

/// The literals in `msg("…")`, `with("…", "…"` and `key("…")`.
fn uses(text: &str) -> Vec<Use<'_>> {
    let mut found = Vec::new();
    for call in ["msg", "with", "key"] {
        for (start, _) in text.match_indices(&format!("{call}(")) {
            let before = text[..start].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' {
                continue;
            }
            let Some(rest) = text[start + call.len() + 1..]
                .trim_start()
                .strip_prefix('"')
            else {
                continue;
            };
            let (key, rest) = rest.split_once('"').unwrap();
            let second = rest.trim_start().strip_prefix(',').map(str::trim_start);
            let variable = second
                .filter(|_| call == "with")
                .and_then(|rest| rest.strip_prefix('"'))
                .and_then(|rest| rest.split('"').next());
            found.push(Use {
                call,
                key,
                variable,
            });
        }
    }
    found
}

/// Every template and source file, without comments and tests.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path, String)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, visit);
            continue;
        }
        let kind = path.extension().and_then(|kind| kind.to_str());
        if path.ends_with("tests.rs") || !matches!(kind, Some("rs" | "html")) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = if kind == Some("rs") {
            let code = text.split("#[cfg(test)]").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
            lines.collect::<Vec<_>>().join("\n")
        } else {
            let pieces = text
                .split("{#")
                .map(|piece| piece.split("#}").last().unwrap());
            pieces.collect()
        };
        visit(&path, text);
    }
}

#[test]
fn every_icon_and_asset_that_a_template_names_exists() {
    let assets = crate::assets::Assets::new(&crate::brand::Brand::default());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    walk(&root, &mut |path, text| {
        for (call, exists) in [
            ("icon(\"", &|name: &str| {
                !crate::frame::icon(name).is_empty()
            }),
            ("asset(\"", &|name: &str| !assets.url(name).is_empty()),
        ] as [(&str, &dyn Fn(&str) -> bool); 2]
        {
            for rest in text.split(call).skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(exists(name), "{}: {name}", path.display());
            }
        }
        assert!(!text.contains(" style=\""), "{}", path.display());
        assert!(!text.contains(" onclick="), "{}", path.display());
    });
}

fn text(locale: Locale) -> Text {
    let i18n = Arc::new(I18n::load("Simurgh").unwrap());
    i18n.text(locale, TimeZone::get("Asia/Shanghai").unwrap())
}

fn both() -> [Text; 2] {
    [text(Locale::ZhCn), text(Locale::En)]
}

#[test]
fn money_in_both_languages() {
    for (minor, currency, zh_cn, en) in [
        (3_900, Currency::Cny, "¥39.00", "CN¥39.00"),
        (-5, Currency::Cny, "−¥0.05", "−CN¥0.05"),
        (123_456_780, Currency::Eur, "€1,234,567.80", "€1,234,567.80"),
        (100_000, Currency::Usd, "US$1,000.00", "$1,000.00"),
        (
            i64::MIN,
            Currency::Usd,
            "−US$92,233,720,368,547,758.08",
            "−$92,233,720,368,547,758.08",
        ),
    ] {
        let money = Money::new(minor, currency);
        let shown = both().map(|t| t.money(money));
        assert_eq!(shown, [zh_cn, en]);
    }
}

#[test]
fn quantities_are_decimal_and_rounded_down() {
    let t = text(Locale::En);
    for (octets, shown) in [
        (0, "0\u{a0}MB"),
        (1, "1\u{a0}kB"),
        (999_999, "999\u{a0}kB"),
        (640_900_000, "640\u{a0}MB"),
        (1_500_000_000, "1.5\u{a0}GB"),
        (12_379_999_999, "12.37\u{a0}GB"),
        (50_000_000_000, "50\u{a0}GB"),
        (2_050_000_000_000, "2.05\u{a0}TB"),
        (i64::MAX, "9,223,372.03\u{a0}TB"),
    ] {
        assert_eq!(t.data(Octets::new(octets).unwrap()).to_string(), shown);
    }
    let [zh_cn, en] = both();
    let length = Seconds::new(119).unwrap();
    assert_eq!(zh_cn.voice(length).to_string(), "1\u{a0}分钟");
    assert_eq!(en.voice(Seconds::new(59).unwrap()).to_string(), "59\u{a0}s");
    assert_eq!(en.sms(Messages::new(1).unwrap()).to_string(), "1\u{a0}text");
    assert_eq!(
        zh_cn.sms(Messages::new(1_200).unwrap()).to_string(),
        "1,200\u{a0}条"
    );
    assert_eq!(en.percent(600u32), "6%");
    assert_eq!(en.percent(1_050u32), "10.5%");
}

/// 2026-08-22T16:30:00Z, already the 23rd in Shanghai.
const EVENING: Timestamp = Timestamp::from_micros(1_787_416_200_000_000);

#[test]
fn dates_are_those_of_the_customer() {
    let [zh_cn, en] = both();
    assert_eq!(zh_cn.date(EVENING), "2026年8月23日");
    assert_eq!(en.date(EVENING), "23 August 2026");
    assert_eq!(zh_cn.date_time(EVENING), "2026年8月23日 00:30");
    assert_eq!(en.date_time(EVENING), "23 August 2026, 00:30");
    assert_eq!(en.machine(EVENING), "2026-08-23T00:30:00+08:00");
    assert_eq!(en.zone_name(), "Asia/Shanghai");
    let i18n = Arc::new(I18n::load("Simurgh").unwrap());
    let in_new_york = i18n.text(Locale::En, TimeZone::get("America/New_York").unwrap());
    assert_eq!(in_new_york.date(EVENING), "22 August 2026");
}

#[test]
fn distances_count_days_of_the_calendar() {
    let [zh_cn, en] = both();
    for (ahead, chinese, english) in [
        (Duration::seconds(30), "刚刚", "just now"),
        (Duration::minutes(1), "1 分钟后", "in 1 minute"),
        (Duration::hours(5), "5 小时后", "in 5 hours"),
        (Duration::hours(24), "明天", "tomorrow"),
        (Duration::hours(47), "明天", "tomorrow"),
        (Duration::hours(48), "2 天后", "in 2 days"),
        (Duration::days(30), "30 天后", "in 30 days"),
    ] {
        let later = EVENING.plus(ahead);
        assert_eq!(zh_cn.relative(later, EVENING), chinese);
        assert_eq!(en.relative(later, EVENING), english);
    }
    let earlier = EVENING.minus(Duration::days(1));
    assert_eq!(en.relative(earlier, EVENING), "yesterday");
    let earlier = EVENING.minus(Duration::hours(2));
    assert_eq!(zh_cn.relative(earlier, EVENING), "2 小时前");
}

#[test]
fn a_brand_name_cannot_break_the_texts() {
    for name in ["A \"quoted\" name", "{ $x }", "back\\slash", "两个字"] {
        assert!(I18n::load(name).is_ok(), "{name}");
    }
}
