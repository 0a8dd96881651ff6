//! The times of certificates.

use simurgh_vocab::Timestamp;

use crate::tlv::{Tag, Tlv, Writer};

const UTC_TIME: Tag = Tag::new(0x17);
const GENERALIZED_TIME: Tag = Tag::new(0x18);

const SECONDS_A_DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// Reads `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
///
/// Source: RFC 5280 §4.1.2.5
pub(crate) fn utc_time(tlv: &Tlv<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(tlv.value()).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, rest) = match (tlv.tag(), text.len()) {
        (UTC_TIME, 12) => {
            let short = number(0, 2)?;
            (
                if short >= 50 {
                    1900 + short
                } else {
                    2000 + short
                },
                2,
            )
        }
        (GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return None,
    };
    let [month, day, hour, minute, second] =
        [0, 2, 4, 6, 8].map(|at| number(rest + at, rest + at + 2).unwrap_or(99));
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let seconds =
        days_from_civil(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    in_range.then(|| Timestamp::from_micros(seconds * MICROS))
}

/// Writes a time as RFC 5280 asks: two digits of the year until 2049.
pub(crate) fn write_time(w: &mut Writer, at: Timestamp) {
    let seconds = at.as_unix_seconds();
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_A_DAY));
    let rest = seconds.rem_euclid(SECONDS_A_DAY);
    let tail = format!(
        "{month:02}{day:02}{:02}{:02}{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    );
    if (1950..2050).contains(&year) {
        w.octets(UTC_TIME, format!("{:02}{tail}", year % 100).as_bytes());
    } else {
        w.octets(GENERALIZED_TIME, format!("{year:04}{tail}").as_bytes());
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date so many days after 1970-01-01.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_and_have_the_right_value() {
        let read = |bytes: &[u8]| utc_time(&Tlv::parse(bytes).unwrap());
        let known = Writer::object(UTC_TIME, b"200401083130Z");
        assert_eq!(read(&known).unwrap().as_unix_seconds(), 1_585_729_890);
        let leap = Writer::object(GENERALIZED_TIME, b"20240229235959Z");
        assert_eq!(read(&leap).unwrap().as_unix_seconds(), 1_709_251_199);
        for seconds in [0, 951_782_400, 1_585_729_890, 2_524_608_000, 4_102_444_799] {
            let mut writer = Writer::new();
            write_time(&mut writer, Timestamp::from_micros(seconds * MICROS));
            let bytes = writer.finish();
            assert_eq!(read(&bytes).unwrap().as_unix_seconds(), seconds);
        }
        for bad in [
            &b"2004010831Z"[..],
            b"201301083130Z",
            b"20040108313xZ",
            b"200401083130",
        ] {
            assert_eq!(read(&Writer::object(UTC_TIME, bad)), None);
        }
    }
}
