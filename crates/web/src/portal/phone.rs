//! The two fields of a phone number: the country's calling code, and the number as its country
//! writes it.

use simurgh_subscriber::{PhoneRefusal, calling_code, countries_called, parse_phone};
use simurgh_vocab::{CountryCode, Locale, Msisdn};

use super::country;

/// The number that the fields of the macro `phone` hold: the calling code, and the rest. A number with `+` or `00` stands for
/// itself; any other is read as the chosen country writes it.
///
/// # Errors
/// [`PhoneRefusal`].
pub(super) fn read(calling_code: &str, number: &str) -> Result<Msisdn, PhoneRefusal> {
    let number = number.trim();
    if number.starts_with(['+', '＋']) {
        return parse_phone(number, None);
    }
    if let Some(rest) = number.strip_prefix("00") {
        return parse_phone(&format!("+{rest}"), None);
    }
    let digits = calling_code.chars().filter(char::is_ascii_digit);
    let digits: String = digits.collect();
    let code = digits.parse().unwrap_or_default();
    in_countries(number, &countries_called(code))
}

/// The number as the first of `countries` that knows it writes it.
///
/// # Errors
/// [`PhoneRefusal`], of the first country.
pub(super) fn in_countries(
    number: &str,
    countries: &[CountryCode],
) -> Result<Msisdn, PhoneRefusal> {
    let mut tried = countries
        .iter()
        .map(|country| parse_phone(number, Some(*country)));
    match tried.next() {
        None => parse_phone(number, None),
        Some(Ok(found)) => Ok(found),
        Some(Err(refusal)) => tried.find_map(Result::ok).ok_or(refusal),
    }
}

/// Every calling code with its country, `first` before the others: for the list under the field.
pub(super) fn calling_codes(first: &[CountryCode], locale: Locale) -> Vec<(String, &'static str)> {
    let rest = country::all().filter(|country| !first.contains(country));
    first
        .iter()
        .copied()
        .chain(rest)
        .filter_map(|country| {
            let code = calling_code(country)?;
            Some((format!("+{code}"), country::known_name(&country, locale)?))
        })
        .collect()
}

/// What the field of the country begins with.
pub(super) fn prefix(country: Option<CountryCode>) -> String {
    let code = country.and_then(calling_code);
    code.map_or_else(String::new, |code| format!("+{code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_country_as_people_write_them() {
        for (country, number, read_as) in [
            ("+86", "138 0013 8000", Ok("+8613800138000")),
            ("86", "１３８００１３８０００", Ok("+8613800138000")),
            ("+86", "+44 7400 123456", Ok("+447400123456")),
            ("+86", "0044 7400 123456", Ok("+447400123456")),
            ("", "+447400123456", Ok("+447400123456")),
            ("+44", "07400 123456", Ok("+447400123456")),
            ("+1", "(415) 555-2671", Ok("+14155552671")),
            ("+1", "604 555 0123", Ok("+16045550123")),
            ("+7", "8 912 345-67-89", Ok("+79123456789")),
            ("+39", "312 345 6789", Ok("+393123456789")),
            ("", "138 0013 8000", Err(PhoneRefusal::CountryUnknown)),
            ("+86", "1380013", Err(PhoneRefusal::TooShort)),
            ("+86", "", Err(PhoneRefusal::Empty)),
        ] {
            let found = read(country, number);
            let found = found.as_ref().map(Msisdn::as_str).map_err(|e| *e);
            assert_eq!(found, read_as, "{country} {number}");
        }
    }

    #[test]
    fn the_list_of_countries_begins_with_the_likely_ones() {
        let list = calling_codes(&["GB".parse().unwrap()], Locale::En);
        assert_eq!(list.first(), Some(&("+44".to_owned(), "United Kingdom")));
        assert!(list.contains(&("+86".to_owned(), "Mainland China")));
        assert!(list.len() > 200);
    }
}
