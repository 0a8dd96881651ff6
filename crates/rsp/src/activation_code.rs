//! What a customer scans, types or presses to get a profile.
//!
//! Source: SGP.22 v2.5 §4.1

use std::fmt;
use std::str::FromStr;

use crate::tlv::Oid;

/// The longest activation code, without `LPA:`.
pub const CODE_MAX: usize = 255;

/// Where iPhones (iOS 17.4 and later) take an activation code from a link.
const IOS_LINK: &str = "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=";

/// Where Android phones (10 and later, with recent Play services) take an activation code from a link.
const ANDROID_LINK: &str = "https://esimsetup.android.com/esim_qrcode_provisioning?carddata=";

/// An activation code. It is as good as the profile until it was used: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivationCode {
    smdp_address: String,
    matching_id: String,
    smdp_oid: Option<Oid>,
    confirmation_code_required: bool,
}

/// The text is no activation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseCodeError {
    /// It is empty, too long, or has too few parts.
    #[error("not an activation code such as LPA:1$smdp.example.com$TOKEN")]
    Form,
    /// It is of another version.
    #[error("an activation code of a version that is not known")]
    Version,
    /// The server's address is no host name.
    #[error("the server's address is not a host name")]
    Address,
    /// The token has other characters than letters, digits and hyphens.
    #[error("the token has characters other than letters, digits and hyphens")]
    MatchingId,
    /// The object identifier is none.
    #[error("the server's object identifier is not valid")]
    Oid,
    /// The flag for a confirmation code is none.
    #[error("the confirmation code flag is not 1")]
    Flag,
}

impl ActivationCode {
    /// A code for a profile at a server.
    ///
    /// # Errors
    /// [`ParseCodeError`] when a part may not be in a code.
    pub fn new(smdp_address: &str, matching_id: &str) -> Result<Self, ParseCodeError> {
        if !is_address(smdp_address) {
            return Err(ParseCodeError::Address);
        }
        if !is_matching_id(matching_id) {
            return Err(ParseCodeError::MatchingId);
        }
        let code = Self {
            smdp_address: smdp_address.to_owned(),
            matching_id: matching_id.to_owned(),
            smdp_oid: None,
            confirmation_code_required: false,
        };
        code.within_limit()
    }

    /// The same code, for a server that must have this object identifier.
    ///
    /// # Errors
    /// [`ParseCodeError::Form`] when the code gets too long.
    pub fn with_oid(mut self, oid: Oid) -> Result<Self, ParseCodeError> {
        self.smdp_oid = Some(oid);
        self.within_limit()
    }

    /// The same code, with which the customer must type a confirmation code.
    ///
    /// # Errors
    /// [`ParseCodeError::Form`] when the code gets too long.
    pub fn with_confirmation_code(mut self) -> Result<Self, ParseCodeError> {
        self.confirmation_code_required = true;
        self.within_limit()
    }

    fn within_limit(self) -> Result<Self, ParseCodeError> {
        if self.token().len() > CODE_MAX {
            return Err(ParseCodeError::Form);
        }
        Ok(self)
    }

    /// The host name of the server.
    #[must_use]
    pub fn smdp_address(&self) -> &str {
        &self.smdp_address
    }

    /// The token; empty when the server finds the profile by the chip.
    #[must_use]
    pub fn matching_id(&self) -> &str {
        &self.matching_id
    }

    /// The object identifier that the server must have.
    #[must_use]
    pub const fn smdp_oid(&self) -> Option<&Oid> {
        self.smdp_oid.as_ref()
    }

    /// Whether the customer must type a confirmation code.
    #[must_use]
    pub const fn confirmation_code_required(&self) -> bool {
        self.confirmation_code_required
    }

    /// The code without `LPA:`, as some phones want it typed.
    #[must_use]
    pub fn token(&self) -> String {
        let mut text = format!("1${}${}", self.smdp_address, self.matching_id);
        if self.smdp_oid.is_some() || self.confirmation_code_required {
            text.push('$');
        }
        if let Some(oid) = &self.smdp_oid {
            text.push_str(&oid.to_string());
        }
        if self.confirmation_code_required {
            text.push_str("$1");
        }
        text
    }

    /// A link that opens the installation on an iPhone. It must be opened by the system's browser.
    #[must_use]
    pub fn ios_link(&self) -> String {
        format!("{IOS_LINK}{}", percent_encoded(&self.to_string()))
    }

    /// A link that opens the installation on an Android phone.
    #[must_use]
    pub fn android_link(&self) -> String {
        format!("{ANDROID_LINK}{}", percent_encoded(&self.to_string()))
    }
}

impl fmt::Display for ActivationCode {
    /// What a QR code holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LPA:{}", self.token())
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode(hidden)")
    }
}

impl FromStr for ActivationCode {
    type Err = ParseCodeError;

    /// With or without `LPA:`; parts of later versions are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let token = match text.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("LPA:") => text.get(4..).unwrap_or(""),
            _ => text,
        };
        if token.len() > CODE_MAX {
            return Err(ParseCodeError::Form);
        }
        let mut parts = token.split('$');
        match parts.next() {
            Some("1") => {}
            Some(other) if !other.is_empty() && other.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(ParseCodeError::Version);
            }
            _ => return Err(ParseCodeError::Form),
        }
        let (Some(address), Some(matching_id)) = (parts.next(), parts.next()) else {
            return Err(ParseCodeError::Form);
        };
        let mut code = Self::new(address, matching_id)?;
        if let Some(oid) = parts.next().filter(|oid| !oid.is_empty()) {
            code.smdp_oid = Some(oid.parse().map_err(|_| ParseCodeError::Oid)?);
        }
        code.confirmation_code_required = match parts.next() {
            None | Some("" | "0") => false,
            Some("1") => true,
            Some(_) => return Err(ParseCodeError::Flag),
        };
        Ok(code)
    }
}

/// A host name, perhaps with a port (which only test systems use).
fn is_address(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_matching_id(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Everything but unreserved characters as `%XX` (RFC 3986 §2.3).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&crate::identity::hex(&[byte]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sgp22_4_1_codes_read_both_ways() {
        for text in [
            "LPA:1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815",
            "LPA:1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815$$1",
            "LPA:1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815$1.3.6.1.4.1.31746$1",
            "LPA:1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815$1.3.6.1.4.1.31746",
            "LPA:1$SMDP.GSMA.COM$$1.3.6.1.4.1.31746",
            "LPA:1$localhost:8443$",
        ] {
            let code: ActivationCode = text.parse().unwrap();
            assert_eq!(code.to_string(), text);
            assert_eq!(code.token().parse(), Ok(code));
        }
    }

    #[test]
    fn people_write_codes_in_several_ways() {
        let plain: ActivationCode = "LPA:1$a.example$T-1".parse().unwrap();
        for text in [
            "1$a.example$T-1",
            " lpa:1$a.example$T-1\n",
            "LPA:1$a.example$T-1$$0$x$y",
        ] {
            assert_eq!(text.parse(), Ok(plain.clone()), "{text}");
        }
        assert_eq!(format!("{plain:?}"), "ActivationCode(hidden)");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for (text, why) in [
            ("", ParseCodeError::Form),
            ("LPA:", ParseCodeError::Form),
            ("LPA:1$a.example", ParseCodeError::Form),
            ("https://a.example", ParseCodeError::Form),
            ("2$a.example$T", ParseCodeError::Version),
            ("1$a_b$T", ParseCodeError::Address),
            ("1$$T", ParseCodeError::Address),
            ("1$a.example/x$T", ParseCodeError::Address),
            ("1$a.example$T T", ParseCodeError::MatchingId),
            ("1$a.example$T$1.x", ParseCodeError::Oid),
            ("1$a.example$T$$2", ParseCodeError::Flag),
        ] {
            assert_eq!(text.parse::<ActivationCode>(), Err(why), "{text}");
        }
        let long = format!("1$a.example${}", "A".repeat(250));
        assert_eq!(long.parse::<ActivationCode>(), Err(ParseCodeError::Form));
    }

    #[test]
    fn links_carry_the_code_escaped() {
        let code = ActivationCode::new("a.example", "T-1").unwrap();
        assert_eq!(
            code.ios_link(),
            "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA%3A1%24a.example%24T-1"
        );
        assert!(
            code.android_link()
                .ends_with("?carddata=LPA%3A1%24a.example%24T-1")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            if let Ok(code) = text.parse::<ActivationCode>() {
                prop_assert_eq!(code.to_string().parse(), Ok(code));
            }
        }
    }
}
