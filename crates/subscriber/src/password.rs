//! Which passwords are accepted.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use simurgh_vocab::{EmailAddress, Msisdn};

use crate::UserName;

/// A password that keeps the rules; in clear, so `Debug` hides it. It is taken as it was typed:
/// no character is cut, folded or trimmed (V6.2.8).
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why a password is refused. Checked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Fewer than [`Password::MIN_CHARS`] characters (V6.2.1).
    #[error("a password has at least 8 characters")]
    TooShort,
    /// More than [`Password::MAX_CHARS`] characters (V6.2.9 asks for at least 64).
    #[error("a password has at most 128 characters")]
    TooLong,
    /// It is among the first that anybody would try (V6.2.4, V6.2.12).
    #[error("this password is one of the first that anybody would try")]
    Common,
    /// It is made of the person's number, address or user name, or of the brand (V6.2.11).
    #[error("the password is too close to your name, number, address or our brand")]
    NamesYou,
}

/// What a password must not be made of.
#[derive(Debug, Clone, Copy)]
pub struct PasswordContext<'a> {
    /// The person's number.
    pub phone: &'a Msisdn,
    /// Their mailbox.
    pub email: Option<&'a EmailAddress>,
    /// The name they log in with.
    pub user_name: Option<&'a UserName>,
    /// The operator's brand.
    pub brand: &'a str,
}

impl Password {
    /// The fewest characters.
    pub const MIN_CHARS: usize = 8;
    /// The most characters: no real one is longer, and hashing takes longer for longer ones.
    pub const MAX_CHARS: usize = 128;

    /// Takes a password that somebody chooses. There are no rules about the kinds of characters
    /// in it (V6.2.5).
    ///
    /// # Errors
    /// See [`PasswordRefusal`] for the precedence.
    pub fn choose(text: &str, context: &PasswordContext<'_>) -> Result<Self, PasswordRefusal> {
        let chars = text.chars().count();
        if chars < Self::MIN_CHARS {
            return Err(PasswordRefusal::TooShort);
        }
        if chars > Self::MAX_CHARS {
            return Err(PasswordRefusal::TooLong);
        }
        let lower = text.to_lowercase();
        if is_common(&lower) {
            return Err(PasswordRefusal::Common);
        }
        if context.is_named_by(&lower) {
            return Err(PasswordRefusal::NamesYou);
        }
        Ok(Self(text.to_owned()))
    }

    /// The password in clear, for hashing.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// How many digits and signs behind a common word still leave it common: `summer2026!`.
const DECORATION_CHARS_MAX: usize = 6;

/// Whole passwords that were found to be in use, the most common of those that are long enough
/// (V6.2.4 asks for the first 3,000); lower case. The list of zxcvbn is copied rather than the
/// crate used, which shows no list and brings an engine for regular expressions.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Words that people add digits and signs to; lower case.
static COMMON_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_words.txt").lines().collect());

fn is_common(lower: &str) -> bool {
    COMMON.contains(lower) || is_run(lower) || is_repetition(lower) || is_decorated_word(lower)
}

/// Each character is as far from the one before as that from its own: `abcdefgh`, `99999999`,
/// `97531975` is none.
fn is_run(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let mut steps = codes.iter().zip(codes.iter().skip(1)).map(|(a, b)| b - a);
    match steps.next() {
        Some(first) => first.abs() <= 1 && steps.all(|step| step == first),
        None => true,
    }
}

/// A short piece over and over: `abcabcabc`.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=chars.len() / 2)
        .filter(|length| *length <= 4 && chars.len().is_multiple_of(*length))
        .any(|length| {
            let (first, rest) = chars.split_at(length);
            rest.chunks(length).all(|piece| piece == first)
        })
}

/// A common word, letters perhaps replaced by digits that look alike, with a few digits and signs
/// around it.
fn is_decorated_word(lower: &str) -> bool {
    let plain = |text: &str| text.trim_matches(|c: char| !c.is_alphabetic()).to_owned();
    let alike = |c: char| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    let core = plain(lower);
    // Only inside the core: a digit at its edge is decoration.
    let start = lower.find(|c: char| c.is_alphabetic()).unwrap_or(0);
    let end = start + core.len();
    let letters: String = core.chars().map(alike).collect();
    let decoration = lower.chars().count().saturating_sub(core.chars().count());
    let ends_in_sign = |last: char| lower.get(end..).is_some_and(|tail| tail.starts_with(last));
    // `pa$$w0rd` and `p@$$`: the trimmed edge may itself stand for a letter.
    let completed = ['0', '3', '4', '5', '@', '$']
        .into_iter()
        .filter(|last| ends_in_sign(*last))
        .map(|last| format!("{letters}{}", alike(last)))
        .any(|word| COMMON_WORDS.contains(word.as_str()));
    decoration <= DECORATION_CHARS_MAX && (COMMON_WORDS.contains(letters.as_str()) || completed)
}

impl PasswordContext<'_> {
    /// Whether the password is one of these, but for digits and signs around it.
    fn is_named_by(&self, lower: &str) -> bool {
        let digits = self.phone.as_str().trim_start_matches('+');
        let typed: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
        // Somebody's own number with or without its country code, or most of it.
        let is_number = typed.len() >= Password::MIN_CHARS
            && typed.bytes().all(|b| b.is_ascii_digit())
            && (digits.ends_with(&typed) || typed.ends_with(digits) || digits.contains(&typed));
        let email = self.email.map(EmailAddress::as_str);
        let local = email.and_then(|address| address.split('@').next());
        let words = [
            email,
            local,
            self.user_name.map(UserName::as_str),
            Some(self.brand),
        ];
        let core = lower.trim_matches(|c: char| !c.is_alphabetic());
        let is_word = words.into_iter().flatten().any(|word| {
            let word = word.to_lowercase();
            let trimmed = word.trim_matches(|c: char| !c.is_alphabetic());
            lower == word || (!core.is_empty() && core == trimmed)
        });
        is_number || is_word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<(), PasswordRefusal> {
        let context = PasswordContext {
            phone: &"+8613912345678".parse().unwrap(),
            email: Some(&"zhang.wei7@example.com".parse().unwrap()),
            user_name: Some(&"weiwei-88".parse().unwrap()),
            brand: "Simurgh",
        };
        Password::choose(text, &context).map(|_| ())
    }

    #[test]
    fn what_is_accepted_and_what_is_not() {
        let (long, longest) = ("长".repeat(129), "长词".repeat(64));
        let cases: &[(&str, Result<(), PasswordRefusal>)] = &[
            ("correct horse", Ok(())),
            ("我的小鸟会唱歌呀", Ok(())),
            ("        pad       ", Ok(())),
            ("sonnenuhrwerk", Ok(())),
            ("kx82mvp1", Ok(())),
            ("97531864", Ok(())),
            ("short 7", Err(PasswordRefusal::TooShort)),
            ("密码密码密码密", Err(PasswordRefusal::TooShort)),
            (&long, Err(PasswordRefusal::TooLong)),
            ("PassWord", Err(PasswordRefusal::Common)),
            ("5201314a", Err(PasswordRefusal::Common)),
            ("Summer2026!", Err(PasswordRefusal::Common)),
            ("P@ssw0rd123", Err(PasswordRefusal::Common)),
            ("!!welcome!!", Err(PasswordRefusal::Common)),
            ("abcdefghijk", Err(PasswordRefusal::Common)),
            ("zzzzzzzzzzzz", Err(PasswordRefusal::Common)),
            ("87654321", Err(PasswordRefusal::Common)),
            ("wxyzwxyzwxyz", Err(PasswordRefusal::Common)),
            (&longest, Err(PasswordRefusal::Common)),
            ("13912345678", Err(PasswordRefusal::NamesYou)),
            ("+86 139-1234-5678", Err(PasswordRefusal::NamesYou)),
            ("12345678", Err(PasswordRefusal::Common)),
            ("91234567", Err(PasswordRefusal::NamesYou)),
            ("zhang.wei7@example.com", Err(PasswordRefusal::NamesYou)),
            ("Zhang.Wei2026", Err(PasswordRefusal::NamesYou)),
            ("weiwei-88", Err(PasswordRefusal::NamesYou)),
            ("simurgh2026", Err(PasswordRefusal::NamesYou)),
        ];
        for (text, expected) in cases {
            assert_eq!(choose(text), *expected, "{text}");
        }
    }

    #[test]
    fn asvs_5_v6_2_4_the_first_3000_that_are_long_enough_are_refused() {
        let long = |word: &&&str| word.chars().count() >= Password::MIN_CHARS;
        assert!(COMMON.iter().filter(long).count() >= 3_000);
        for text in [
            "trustno1",
            "MICHAEL1",
            "liverpool",
            "qazwsxedc",
            "Corvette",
            "1q2w3e4r5t",
        ] {
            assert_eq!(choose(text), Err(PasswordRefusal::Common), "{text}");
        }
        assert_eq!(
            COMMON.len(),
            include_str!("common_passwords.txt").lines().count()
        );
    }

    #[test]
    fn the_lists_are_in_lower_case() {
        for list in [&*COMMON, &*COMMON_WORDS] {
            assert!(list.len() > 100);
            assert!(list.iter().all(|word| *word == word.to_lowercase().trim()));
        }
    }
}
