//! Amounts, dates and quantities as people read them in messages.

use simurgh_vocab::{Locale, Money, TimeZoneName, Timestamp, Unit};

/// An amount with its sign, e.g. `¥39.00` or `€5.90`.
#[must_use]
pub fn money(amount: Money) -> String {
    let sign = if amount.minor < 0 { "-" } else { "" };
    let plain = Money::new(amount.minor.saturating_abs(), amount.currency).decimal();
    format!("{sign}{}{plain}", amount.currency.symbol())
}

/// A point in time to the minute in a time zone: `2026年12月3日 14:05`, `3 Dec 2026, 14:05`.
#[must_use]
pub fn date_time(at: Timestamp, zone: &TimeZoneName, locale: Locale) -> String {
    let Ok(time) = jiff::Timestamp::from_microsecond(at.as_micros()) else {
        return at.to_string();
    };
    let time = time.to_zoned(zone.zone());
    match locale {
        Locale::ZhCn => time.strftime("%Y年%-m月%-d日 %H:%M").to_string(),
        Locale::En => time.strftime("%-d %b %Y, %H:%M").to_string(),
    }
}

/// A quantity of service: `1.5 GB`, `120 分钟` / `120 min`, `30 条` / `30 SMS`. Decimal units, as
/// price lists use them; one digit after the point.
#[must_use]
pub fn quantity(unit: Unit, amount: i64, locale: Locale) -> String {
    let tenths = |scale: i64, name: &str| {
        let tenths = amount.saturating_mul(10) / scale;
        match tenths % 10 {
            0 => format!("{} {name}", tenths / 10),
            digit => format!("{}.{digit} {name}", tenths / 10),
        }
    };
    match (unit, locale) {
        (Unit::Octets, _) if amount >= 1_000_000_000 => tenths(1_000_000_000, "GB"),
        (Unit::Octets, _) => tenths(1_000_000, "MB"),
        (Unit::Seconds, Locale::ZhCn) => format!("{} 分钟", amount / 60),
        (Unit::Seconds, Locale::En) => format!("{} min", amount / 60),
        (Unit::Messages, Locale::ZhCn) => format!("{amount} 条"),
        (Unit::Messages, Locale::En) => format!("{amount} SMS"),
    }
}

/// The name of a service: `流量` / `data`.
#[must_use]
pub const fn service(unit: Unit, locale: Locale) -> &'static str {
    match (unit, locale) {
        (Unit::Octets, Locale::ZhCn) => "流量",
        (Unit::Octets, Locale::En) => "data",
        (Unit::Seconds, Locale::ZhCn) => "通话",
        (Unit::Seconds, Locale::En) => "voice",
        (Unit::Messages, Locale::ZhCn) => "短信",
        (Unit::Messages, Locale::En) => "SMS",
    }
}

#[cfg(test)]
mod tests {
    use simurgh_vocab::Currency;

    use super::*;

    #[test]
    fn people_read_their_own_units_and_zone() {
        assert_eq!(money(Money::new(-3990, Currency::Cny)), "-¥39.90");
        assert_eq!(quantity(Unit::Octets, 1_500_000_000, Locale::En), "1.5 GB");
        assert_eq!(quantity(Unit::Octets, 500_000_000, Locale::ZhCn), "500 MB");
        assert_eq!(quantity(Unit::Seconds, 7_200, Locale::ZhCn), "120 分钟");
        let zone = "Asia/Shanghai".parse().unwrap();
        let at = Timestamp::from_micros(1_796_277_900_000_000);
        assert_eq!(date_time(at, &zone, Locale::En), "3 Dec 2026, 14:05");
        assert_eq!(date_time(at, &zone, Locale::ZhCn), "2026年12月3日 14:05");
    }
}
