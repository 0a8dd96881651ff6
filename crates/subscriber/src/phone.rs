//! Phone numbers as people type them.

use phonenumber::metadata::{DATABASE, Descriptor};
use phonenumber::{Mode, Type};
use simurgh_vocab::{CountryCode, Msisdn};

/// Why a text is not a phone number that can be registered. Checked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneRefusal {
    /// Nothing was typed.
    #[error("no phone number was given")]
    Empty,
    /// It holds something no phone number holds, or is far too long.
    #[error("this is not a phone number")]
    NotANumber,
    /// It has no `+` and no country was chosen, or the country code does not exist.
    #[error("the country of the phone number is not known")]
    CountryUnknown,
    /// It has too few digits for its country.
    #[error("the phone number is too short")]
    TooShort,
    /// It has too many digits for its country.
    #[error("the phone number is too long")]
    TooLong,
    /// Its length is right, but no such range of numbers exists.
    #[error("no such phone number exists in this country")]
    NotAssigned,
    /// It is a fixed line, a premium or a service number: no text message would reach its owner,
    /// or would cost more than it should.
    #[error("the phone number is not a mobile number")]
    NotMobile,
}

/// The most characters that are looked at.
const TYPED_CHARS_MAX: usize = 40;

/// Reads a phone number in international form, or in the local form of `country`. Digits may be
/// full-width; spaces, hyphens, dots and brackets may separate them.
///
/// # Errors
/// Why it is none: see [`PhoneRefusal`] for the precedence.
pub fn parse_phone(text: &str, country: Option<CountryCode>) -> Result<Msisdn, PhoneRefusal> {
    let typed: String = text.trim().chars().map(half_width).collect();
    if typed.is_empty() {
        return Err(PhoneRefusal::Empty);
    }
    if typed.chars().count() > TYPED_CHARS_MAX || !typed.chars().all(is_phone_char) {
        return Err(PhoneRefusal::NotANumber);
    }
    let number = phonenumber::parse(country.and_then(country_id), &typed).map_err(refusal)?;
    let kind = number.number_type(&DATABASE);
    if !number.is_valid() {
        return Err(length_refusal(&number));
    }
    if !can_receive_texts(kind) {
        return Err(PhoneRefusal::NotMobile);
    }
    let international = number.format().mode(Mode::E164).to_string();
    international.parse().map_err(|_| PhoneRefusal::NotANumber)
}

/// The number with the spaces its country puts in: `+86 138 0013 8000`.
#[must_use]
pub fn display_phone(number: &Msisdn) -> String {
    match phonenumber::parse(None, number.as_str()) {
        Ok(parsed) => parsed.format().mode(Mode::International).to_string(),
        Err(_) => number.as_str().to_owned(),
    }
}

/// The country a number belongs to, if it belongs to one.
#[must_use]
pub fn country_of(number: &Msisdn) -> Option<CountryCode> {
    let parsed = phonenumber::parse(None, number.as_str()).ok()?;
    parsed.country().id()?.as_ref().parse().ok()
}

/// The calling code of a country, without its `+` (ITU-T E.164 annex D).
#[must_use]
pub fn calling_code(country: CountryCode) -> Option<u16> {
    DATABASE
        .by_id(country.as_str())
        .map(phonenumber::Metadata::country_code)
}

/// The countries that share a calling code, the one with most of its numbers first.
#[must_use]
pub fn countries_called(calling_code: u16) -> Vec<CountryCode> {
    let metadata = DATABASE.by_code(&calling_code).unwrap_or_default();
    let ids = metadata.into_iter().map(phonenumber::Metadata::id);
    ids.filter_map(|id| id.parse().ok()).collect()
}

fn country_id(country: CountryCode) -> Option<phonenumber::country::Id> {
    country.as_str().parse().ok()
}

/// Full-width forms, as Chinese and Japanese keyboards make them, to the usual ones.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c).saturating_sub(0xfee0)).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        other => other,
    }
}

fn is_phone_char(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '.' | '(' | ')' | '/')
}

fn refusal(error: phonenumber::ParseError) -> PhoneRefusal {
    use phonenumber::ParseError;
    match error {
        ParseError::NoNumber | ParseError::MalformedInteger(_) => PhoneRefusal::NotANumber,
        ParseError::InvalidCountryCode => PhoneRefusal::CountryUnknown,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneRefusal::TooShort,
        ParseError::TooLong => PhoneRefusal::TooLong,
    }
}

/// Tells why a number of a known country does not exist: by its length next to that of mobile
/// numbers, or else by its range.
fn length_refusal(number: &phonenumber::PhoneNumber) -> PhoneRefusal {
    let main_country = || DATABASE.by_code(&number.code().value())?.into_iter().next();
    let Some(meta) = number.metadata(&DATABASE).or_else(main_country) else {
        return PhoneRefusal::CountryUnknown;
    };
    let digits = number.national().to_string().len();
    let kinds = [
        meta.descriptors().mobile(),
        Some(meta.descriptors().general()),
    ];
    let lengths = kinds.into_iter().flatten().map(Descriptor::possible_length);
    let possible = lengths
        .into_iter()
        .find(|lengths| !lengths.is_empty())
        .unwrap_or(&[]);
    match (possible.iter().min(), possible.iter().max()) {
        (Some(shortest), _) if digits < usize::from(*shortest) => PhoneRefusal::TooShort,
        (_, Some(longest)) if digits > usize::from(*longest) => PhoneRefusal::TooLong,
        _ => PhoneRefusal::NotAssigned,
    }
}

fn can_receive_texts(kind: Type) -> bool {
    match kind {
        Type::Mobile | Type::FixedLineOrMobile | Type::Voip | Type::PersonalNumber => true,
        Type::FixedLine
        | Type::TollFree
        | Type::PremiumRate
        | Type::SharedCost
        | Type::Pager
        | Type::Uan
        | Type::Emergency
        | Type::Voicemail
        | Type::ShortCode
        | Type::StandardRate
        | Type::Carrier
        | Type::NoInternational
        | Type::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type() {
        let cases: &[(&str, &str, Result<&str, PhoneRefusal>)] = &[
            ("+86 138 0013 8000", "", Ok("+8613800138000")),
            ("13800138000", "CN", Ok("+8613800138000")),
            ("86 13800138000", "CN", Ok("+8613800138000")),
            ("0086 138-0013-8000", "CN", Ok("+8613800138000")),
            ("１３８００１３８０００", "CN", Ok("+8613800138000")),
            ("＋８６　１３８００１３８０００", "", Ok("+8613800138000")),
            ("07911 123456", "GB", Ok("+447911123456")),
            ("(0151) 23456789", "DE", Ok("+4915123456789")),
            ("(415) 555-2671", "US", Ok("+14155552671")),
            ("+14155552671", "CN", Ok("+14155552671")),
            ("9123 4567", "HK", Ok("+85291234567")),
            ("", "CN", Err(PhoneRefusal::Empty)),
            ("   ", "CN", Err(PhoneRefusal::Empty)),
            ("call me", "CN", Err(PhoneRefusal::NotANumber)),
            (
                "138001380001380013800013800138000138001380",
                "CN",
                Err(PhoneRefusal::NotANumber),
            ),
            ("+8613800138000;ext=1", "", Err(PhoneRefusal::NotANumber)),
            ("13800138000", "", Err(PhoneRefusal::CountryUnknown)),
            ("+999 13800138000", "", Err(PhoneRefusal::CountryUnknown)),
            ("1380013", "CN", Err(PhoneRefusal::TooShort)),
            ("+86 1", "", Err(PhoneRefusal::TooShort)),
            ("138001380000000", "CN", Err(PhoneRefusal::TooLong)),
            ("(299) 155-2671", "US", Err(PhoneRefusal::NotAssigned)),
            ("010 6552 9988", "CN", Err(PhoneRefusal::NotMobile)),
            ("+44 20 7946 0000", "", Err(PhoneRefusal::NotMobile)),
            ("+1 900 555 1234", "", Err(PhoneRefusal::NotMobile)),
        ];
        for (typed, country, expected) in cases {
            let number = parse_phone(typed, country.parse().ok());
            let number = number.as_ref().map(Msisdn::as_str).map_err(|e| *e);
            assert_eq!(number, *expected, "{typed} in {country}");
        }
    }

    #[test]
    fn numbers_are_shown_as_their_country_writes_them() {
        let shown = |text: &str| display_phone(&text.parse().unwrap());
        assert_eq!(shown("+8613800138000"), "+86 138 0013 8000");
        assert_eq!(shown("+14155552671"), "+1 415-555-2671");
        let country = country_of(&"+4915123456789".parse().unwrap());
        assert_eq!(country.unwrap().as_str(), "DE");
    }

    #[test]
    fn countries_and_calling_codes_find_each_other() {
        for (country, code) in [("CN", 86), ("GB", 44), ("US", 1), ("RU", 7)] {
            let country = country.parse().unwrap();
            assert_eq!(calling_code(country), Some(code));
            assert_eq!(countries_called(code).first(), Some(&country));
        }
        assert_eq!(calling_code("CA".parse().unwrap()), Some(1));
        assert_eq!(calling_code("XX".parse().unwrap()), None);
        assert_eq!(countries_called(999), []);
    }
}
