//! What identifies or addresses a person. These values are personal data: `Debug` hides them, so
//! that they cannot reach a log by accident.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A phone number in E.164 form: `+` and 7 to 15 digits (ITU-T E.164 §6.1).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Msisdn(String);

/// The text is no E.164 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number in international form, such as +8613800138000")]
pub struct ParseMsisdnError;

impl Msisdn {
    /// The number with its leading `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number with its middle hidden, for a page or a message: `+86•••••••8000`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (head, tail) = (
            self.0.get(..3).unwrap_or(""),
            self.0.get(self.0.len() - 4..).unwrap_or(""),
        );
        format!("{head}{}{tail}", "•".repeat(self.0.len().saturating_sub(7)))
    }
}

impl FromStr for Msisdn {
    type Err = ParseMsisdnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').ok_or(ParseMsisdnError)?;
        let well_formed = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseMsisdnError)
        }
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Msisdn(hidden)")
    }
}

/// An e-mail address, kept in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address, such as name@example.com")]
pub struct ParseEmailError;

impl EmailAddress {
    /// The most octets an address may have (RFC 5321 §4.5.3.1.3, less the angle brackets).
    pub const MAX_LEN: usize = 254;

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with most of its local part hidden: `n•••@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let first = local.chars().next().unwrap_or('•');
        format!("{first}•••@{domain}")
    }
}

impl FromStr for EmailAddress {
    type Err = ParseEmailError;

    /// Accepts the addresses people have: printable ASCII without quoting (a subset of RFC 5321
    /// §4.1.2), and a domain of at least two labels.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local, domain) = text.split_once('@').ok_or(ParseEmailError)?;
        let local_ok = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
        let label_ok = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let domain_ok = domain.contains('.') && domain.split('.').all(label_ok);
        if text.len() <= Self::MAX_LEN && local_ok && domain_ok {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(ParseEmailError)
        }
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(hidden)")
    }
}

/// A language the product speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Locale {
    /// Simplified Chinese.
    ZhCn,
    /// English.
    En,
}

/// The text names no language the product speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown language: zh-CN or en is expected")]
pub struct ParseLocaleError;

impl Locale {
    /// Every language; the default first.
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    /// The BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Locale {
    type Err = ParseLocaleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|locale| locale.tag().eq_ignore_ascii_case(text))
            .ok_or(ParseLocaleError)
    }
}

/// A country: two letters of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CountryCode([u8; 2]);

/// The text is not two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a country code: two letters such as CN are expected")]
pub struct ParseCountryError;

impl CountryCode {
    /// The two capital letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CountryCode {
    type Err = ParseCountryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            [first, second] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
                Ok(Self([
                    first.to_ascii_uppercase(),
                    second.to_ascii_uppercase(),
                ]))
            }
            _ => Err(ParseCountryError),
        }
    }
}

/// The name of a time zone in the IANA database, such as `Asia/Shanghai`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimeZoneName(Arc<str>);

/// The text names no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone: a name such as Asia/Shanghai is expected")]
pub struct UnknownTimeZone;

impl TimeZoneName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The zone itself; UTC if the database no longer knows the name.
    #[must_use]
    pub fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.0).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

impl FromStr for TimeZoneName {
    type Err = UnknownTimeZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        jiff::tz::TimeZone::get(text).map_err(|_| UnknownTimeZone)?;
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_must_be_international() {
        assert!("+8613800138000".parse::<Msisdn>().is_ok());
        for text in [
            "",
            "+",
            "13800138000",
            "+0123456789",
            "+86 138",
            "+1234567890123456",
            "+８６１３８００１３",
        ] {
            assert_eq!(text.parse::<Msisdn>(), Err(ParseMsisdnError), "{text}");
        }
    }

    #[test]
    fn personal_data_is_hidden_in_debug_and_masked_for_people() {
        let number: Msisdn = "+8613800138000".parse().unwrap();
        let address: EmailAddress = "Wei@Example.com".parse().unwrap();
        assert!(!format!("{number:?}{address:?}").contains("138"));
        assert_eq!(number.masked(), "+86•••••••8000");
        assert_eq!(address.masked(), "w•••@example.com");
    }

    #[test]
    fn addresses_that_nobody_has_are_refused() {
        for text in [
            "",
            "a",
            "a@b",
            "@b.cn",
            "a b@c.cn",
            "a@b..cn",
            "a@-b.cn",
            ".a@b.cn",
            "a@b.cn\r\nBcc: x@y.cn",
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(ParseEmailError), "{text}");
        }
    }

    #[test]
    fn zones_and_countries() {
        assert!("Asia/Shanghai".parse::<TimeZoneName>().is_ok());
        assert_eq!("Mars/Base".parse::<TimeZoneName>(), Err(UnknownTimeZone));
        assert_eq!("cn".parse::<CountryCode>().unwrap().as_str(), "CN");
        assert_eq!("C1".parse::<CountryCode>(), Err(ParseCountryError));
    }
}
