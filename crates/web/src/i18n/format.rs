//! How amounts, quantities and points in time are written for people.
//!
//! Data is counted as operators sell it: 1 GB is 10⁹ octets, 1 MB 10⁶ (SI prefixes, IEC 80000-13).
//! What is shown is rounded down, so that a balance never promises more than there is.

use std::fmt;

use jiff::Zoned;
use jiff::tz::TimeZone;
use simurgh_vocab::{Currency, Locale, Messages, Money, Octets, Seconds, Timestamp};

use super::Text;

/// A value or a reference to it: templates pass fields by reference.
pub trait Given<T> {
    /// The value itself.
    fn given(self) -> T;
}

impl<T> Given<T> for T {
    fn given(self) -> T {
        self
    }
}

impl<T: Copy> Given<T> for &T {
    fn given(self) -> T {
        *self
    }
}

impl<T: Copy> Given<T> for &&T {
    fn given(self) -> T {
        **self
    }
}

const KILO: i64 = 1_000;
const MEGA: i64 = 1_000_000;
const GIGA: i64 = 1_000_000_000;
const TERA: i64 = 1_000_000_000_000;

const MINUTE_SECONDS: i64 = 60;
const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 86_400;

/// A number and its unit apart, so that a page can set the number large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The digits, such as `12.4`.
    pub number: String,
    /// The unit, such as `GB` or `分钟`.
    pub unit: String,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\u{a0}{}", self.number, self.unit)
    }
}

impl Text {
    /// An amount of money: `¥39.00`, in English `CN¥39.00` (Unicode CLDR's symbols).
    #[must_use]
    pub fn money(&self, amount: impl Given<Money>) -> String {
        let amount = amount.given();
        let decimal = amount.decimal();
        let (sign, digits) = decimal
            .strip_prefix('-')
            .map_or(("", decimal.as_str()), |rest| ("\u{2212}", rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let symbol = symbol(self.locale, amount.currency);
        let dot = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{symbol}{}{dot}{fraction}", grouped(whole))
    }

    /// A volume of data: `1.5 GB`, `640 MB`.
    #[must_use]
    pub fn data(&self, volume: impl Given<Octets>) -> Figure {
        let count = volume.given().count();
        let (number, unit) = match count {
            TERA.. => (decimals(count, TERA), "TB"),
            GIGA.. => (decimals(count, GIGA), "GB"),
            MEGA.. => (grouped(&(count / MEGA).to_string()), "MB"),
            1.. => ((count / KILO).max(1).to_string(), "kB"),
            _ => ("0".to_owned(), "MB"),
        };
        Figure {
            number,
            unit: unit.to_owned(),
        }
    }

    /// A length of voice in whole minutes, in seconds below one minute.
    #[must_use]
    pub fn voice(&self, length: impl Given<Seconds>) -> Figure {
        let seconds = length.given().count();
        let (count, unit) = if seconds > 0 && seconds < MINUTE_SECONDS {
            (seconds, "unit-seconds")
        } else {
            (seconds / MINUTE_SECONDS, "unit-minutes")
        };
        self.counted(count, unit)
    }

    /// A number of short messages.
    #[must_use]
    pub fn sms(&self, messages: impl Given<Messages>) -> Figure {
        self.counted(messages.given().count(), "unit-messages")
    }

    /// A whole number with its thousands grouped.
    #[must_use]
    pub fn number(&self, count: impl Given<i64>) -> String {
        let count = count.given();
        let digits = grouped(&count.unsigned_abs().to_string());
        if count < 0 {
            format!("\u{2212}{digits}")
        } else {
            digits
        }
    }

    /// A share of a whole in basis points as per cent: `600` is `6%`, `1050` is `10.5%`.
    #[must_use]
    pub fn percent(&self, basis_points: impl Given<u32>) -> String {
        format!("{}%", decimals(i64::from(basis_points.given()), 100))
    }

    /// A date: `2026年8月22日`, `22 August 2026`.
    #[must_use]
    pub fn date(&self, at: impl Given<Timestamp>) -> String {
        self.written(at.given(), "%Y年%-m月%-d日", "%-d %B %Y")
    }

    /// A date without its year, for lists within one year: `8月22日`, `22 Aug`.
    #[must_use]
    pub fn day(&self, at: impl Given<Timestamp>) -> String {
        self.written(at.given(), "%-m月%-d日", "%-d %b")
    }

    /// A month: `2026年8月`, `August 2026`.
    #[must_use]
    pub fn month(&self, at: impl Given<Timestamp>) -> String {
        self.written(at.given(), "%Y年%-m月", "%B %Y")
    }

    /// A date and time: `2026年8月22日 14:30`, `22 August 2026, 14:30`.
    #[must_use]
    pub fn date_time(&self, at: impl Given<Timestamp>) -> String {
        self.written(at.given(), "%Y年%-m月%-d日 %H:%M", "%-d %B %Y, %H:%M")
    }

    /// A time of day: `14:30`.
    #[must_use]
    pub fn time(&self, at: impl Given<Timestamp>) -> String {
        self.written(at.given(), "%H:%M", "%H:%M")
    }

    /// A date and time for dense tables: `2026-08-22 14:30:05`.
    #[must_use]
    pub fn stamp(&self, at: impl Given<Timestamp>) -> String {
        self.written(at.given(), "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S")
    }

    /// The point in time for the `datetime` attribute (RFC 3339, with the zone's offset).
    #[must_use]
    pub fn machine(&self, at: impl Given<Timestamp>) -> String {
        self.written(at.given(), "%Y-%m-%dT%H:%M:%S%:z", "%Y-%m-%dT%H:%M:%S%:z")
    }

    /// The name of the time zone that dates are shown in.
    #[must_use]
    pub fn zone_name(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").to_owned()
    }

    /// How far `at` is from `now`: `3 天后`, `in 3 days`, `2 hours ago`. From a day on, days of the
    /// calendar are counted, as a person does.
    #[must_use]
    pub fn relative(&self, at: impl Given<Timestamp>, now: impl Given<Timestamp>) -> String {
        let (at, now) = (at.given(), now.given());
        let seconds = at.as_unix_seconds().saturating_sub(now.as_unix_seconds());
        let ahead = seconds >= 0;
        let distance = seconds.saturating_abs();
        let (future, past, count) = if distance < MINUTE_SECONDS {
            return self.msg("relative-now");
        } else if distance < HOUR_SECONDS {
            let minutes = distance / MINUTE_SECONDS;
            ("relative-in-minutes", "relative-minutes-ago", minutes)
        } else if distance < DAY_SECONDS {
            let hours = distance / HOUR_SECONDS;
            ("relative-in-hours", "relative-hours-ago", hours)
        } else {
            let days = self.calendar_days(at, now).saturating_abs();
            ("relative-in-days", "relative-days-ago", days)
        };
        let key = if ahead { future } else { past };
        self.with(key, "count", count).to_string()
    }

    /// How many days of the calendar lie between `now` and `at`, in this time zone; negative when
    /// `at` is past.
    #[must_use]
    pub fn calendar_days(&self, at: impl Given<Timestamp>, now: impl Given<Timestamp>) -> i64 {
        let (Some(at), Some(now)) = (self.local(at.given()), self.local(now.given())) else {
            return 0;
        };
        now.date()
            .until(at.date())
            .map_or(0, |span| i64::from(span.get_days()))
    }

    fn counted(&self, count: i64, unit: &str) -> Figure {
        Figure {
            number: grouped(&count.to_string()),
            unit: self.with(unit, "count", count).to_string(),
        }
    }

    fn local(&self, at: Timestamp) -> Option<Zoned> {
        let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }

    /// Noon of a day, given as days since 1970-01-01, in this text's time zone.
    #[must_use]
    pub fn noon(&self, day: i64) -> Timestamp {
        let utc = day.saturating_mul(86_400).saturating_add(43_200);
        let noon = jiff::Timestamp::from_second(utc).unwrap_or_default();
        let noon = noon.to_zoned(TimeZone::UTC).datetime();
        let seconds = noon
            .to_zoned(self.zone.clone())
            .map_or(utc, |noon| noon.timestamp().as_second());
        Timestamp::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// The day of the calendar at `at` in this text's time zone, as days since 1970-01-01.
    #[must_use]
    pub fn day_number(&self, at: impl Given<Timestamp>) -> i64 {
        let at = at.given();
        let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        let offset_seconds = i64::from(self.zone.to_offset(instant).seconds());
        (at.as_unix_seconds().saturating_add(offset_seconds)).div_euclid(DAY_SECONDS)
    }

    fn written(&self, at: Timestamp, zh_cn: &str, en: &str) -> String {
        let pattern = match self.locale {
            Locale::ZhCn => zh_cn,
            Locale::En => en,
        };
        self.local(at)
            .and_then(|local| jiff::fmt::strtime::format(pattern, &local).ok())
            .unwrap_or_else(|| at.to_string())
    }
}

/// The time zone that dates are shown in before a visitor has chosen one.
#[must_use]
pub fn default_zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC)
}

fn symbol(locale: Locale, currency: Currency) -> &'static str {
    match (locale, currency) {
        (Locale::ZhCn, Currency::Cny) => "¥",
        (Locale::En, Currency::Cny) => "CN¥",
        (Locale::ZhCn | Locale::En, Currency::Eur) => "€",
        (Locale::ZhCn, Currency::Usd) => "US$",
        (Locale::En, Currency::Usd) => "$",
    }
}

/// Digits with a comma between thousands.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count / unit` with at most two decimals, rounded down, without trailing zeros.
fn decimals(count: i64, unit: i64) -> String {
    let whole = grouped(&(count / unit).to_string());
    let hundredths = (count % unit) * 100 / unit;
    match (hundredths / 10, hundredths % 10) {
        (0, 0) => whole,
        (tenths, 0) => format!("{whole}.{tenths}"),
        (tenths, hundredths) => format!("{whole}.{tenths}{hundredths}"),
    }
}
