//! Names: the one a person logs in with, and the one they are greeted by.

use std::fmt;
use std::str::FromStr;

/// A name to log in with, kept in lower case. It cannot be mistaken for a phone number or an
/// e-mail address: it starts with a letter and holds no `@`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

/// Why a text is no user name. Checked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserNameRefusal {
    /// Fewer than [`UserName::MIN_LEN`] characters.
    #[error("a user name has at least 3 characters")]
    TooShort,
    /// More than [`UserName::MAX_LEN`] characters.
    #[error("a user name has at most 32 characters")]
    TooLong,
    /// Something else than a letter of a to z, a digit, or one of `.`, `_`, `-`.
    #[error("a user name is made of the letters a to z, digits, and . _ -")]
    BadCharacter,
    /// The first character is no letter, or the last one is neither letter nor digit.
    #[error("a user name starts with a letter and ends with a letter or a digit")]
    BadEdge,
    /// It would pass for the operator.
    #[error("this user name is reserved")]
    Reserved,
}

/// Names that would pass for the operator or its staff.
const RESERVED: [&str; 22] = [
    "abuse",
    "admin",
    "administrator",
    "billing",
    "console",
    "customer-service",
    "help",
    "info",
    "kefu",
    "mail",
    "moderator",
    "operator",
    "postmaster",
    "root",
    "security",
    "service",
    "simurgh",
    "staff",
    "support",
    "system",
    "webmaster",
    "www",
];

impl UserName {
    /// The fewest characters.
    pub const MIN_LEN: usize = 3;
    /// The most characters.
    pub const MAX_LEN: usize = 32;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = UserNameRefusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_ascii_lowercase();
        match name.chars().count() {
            ..Self::MIN_LEN => return Err(UserNameRefusal::TooShort),
            Self::MIN_LEN..=Self::MAX_LEN => {}
            _ => return Err(UserNameRefusal::TooLong),
        }
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        if !name.bytes().all(allowed) {
            return Err(UserNameRefusal::BadCharacter);
        }
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts_well || !name.ends_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(UserNameRefusal::BadEdge);
        }
        if RESERVED.contains(&name.as_str()) {
            return Err(UserNameRefusal::Reserved);
        }
        Ok(Self(name))
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserName(hidden)")
    }
}

/// The name a person gave: any script, white space folded.
#[derive(Clone, PartialEq, Eq)]
pub struct DisplayName(String);

/// Why a text is no name. Checked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisplayNameRefusal {
    /// Nothing was typed.
    #[error("no name was given")]
    Empty,
    /// More than [`DisplayName::MAX_CHARS`] characters.
    #[error("a name has at most 80 characters")]
    TooLong,
    /// A control character or one that reorders the text around it.
    #[error("the name holds a character that cannot be shown")]
    Unprintable,
    /// It reads like a link or markup. Names are part of messages: nobody shall send
    /// advertisements or traps in ours.
    #[error("a name cannot hold a link")]
    Link,
}

impl DisplayName {
    /// The most characters.
    pub const MAX_CHARS: usize = 80;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = DisplayNameRefusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.split(' ').filter(|part| !part.is_empty());
        let name = name.collect::<Vec<_>>().join(" ");
        let name = name.trim();
        if name.is_empty() {
            return Err(DisplayNameRefusal::Empty);
        }
        if name.chars().count() > Self::MAX_CHARS {
            return Err(DisplayNameRefusal::TooLong);
        }
        if name.chars().any(is_unprintable) {
            return Err(DisplayNameRefusal::Unprintable);
        }
        let lower = name.to_ascii_lowercase();
        if lower.contains("://") || lower.contains("www.") || name.contains(['<', '>', '@']) {
            return Err(DisplayNameRefusal::Link);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Debug for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisplayName(hidden)")
    }
}

/// Controls, line separators, direction overrides and isolates, and invisible marks.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names() {
        let long = "a".repeat(33);
        let cases: &[(&str, Result<&str, UserNameRefusal>)] = &[
            ("Wei.Zhang", Ok("wei.zhang")),
            (" wei_88 ", Ok("wei_88")),
            ("wz", Err(UserNameRefusal::TooShort)),
            (&long, Err(UserNameRefusal::TooLong)),
            ("张伟张伟", Err(UserNameRefusal::BadCharacter)),
            ("a@b.cn", Err(UserNameRefusal::BadCharacter)),
            ("13800138000", Err(UserNameRefusal::BadEdge)),
            ("wei-", Err(UserNameRefusal::BadEdge)),
            ("Admin", Err(UserNameRefusal::Reserved)),
        ];
        for (typed, expected) in cases {
            let name = typed.parse::<UserName>();
            assert_eq!(
                name.as_ref().map(UserName::as_str).map_err(|e| *e),
                *expected,
                "{typed}"
            );
        }
    }

    #[test]
    fn display_names() {
        let long = "名".repeat(81);
        let cases: &[(&str, Result<&str, DisplayNameRefusal>)] = &[
            ("  张  伟 ", Ok("张 伟")),
            ("O'Brien-Smith", Ok("O'Brien-Smith")),
            ("  ", Err(DisplayNameRefusal::Empty)),
            (&long, Err(DisplayNameRefusal::TooLong)),
            ("Wei\r\nBcc: x", Err(DisplayNameRefusal::Unprintable)),
            ("\u{202e}ieW", Err(DisplayNameRefusal::Unprintable)),
            ("win at http://x.cn", Err(DisplayNameRefusal::Link)),
            ("<b>Wei</b>", Err(DisplayNameRefusal::Link)),
        ];
        for (typed, expected) in cases {
            let name = typed.parse::<DisplayName>();
            assert_eq!(
                name.as_ref().map(DisplayName::as_str).map_err(|e| *e),
                *expected,
                "{typed}"
            );
        }
    }
}
