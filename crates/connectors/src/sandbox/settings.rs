//! What the operator and the outside company agree on.

use crate::Secret;
use crate::message::SettingFault;

/// What the operator and a sandbox agree on when the account is made.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    merchant: String,
    key: Secret,
    notify_url: String,
    public_url: String,
}

/// A key shorter than the digest of the signature would weaken it (RFC 2104 §3); half of it is the
/// least that cannot be searched.
const KEY_BYTES_MIN: usize = 16;

impl SandboxSettings {
    /// Takes the settings: the operator's name at the sandbox, the key both sides sign with, the
    /// address that is told what happened, and the sandbox's own address (of its pages and API).
    ///
    /// # Errors
    /// Every setting that cannot work.
    pub fn new(
        merchant: &str,
        key: Secret,
        notify_url: &str,
        public_url: &str,
    ) -> Result<Self, Vec<SettingFault>> {
        let mut faults = Vec::new();
        let mut require = |holds: bool, setting: &'static str, reason: &str| {
            if !holds {
                faults.push(SettingFault {
                    setting,
                    reason: reason.to_owned(),
                });
            }
        };
        let web = "an address that begins with http:// or https:// is expected";
        require(
            is_name(merchant),
            "merchant",
            "1 to 64 letters, digits, `-` or `_` are expected",
        );
        require(
            key.reveal().len() >= KEY_BYTES_MIN,
            "key",
            "at least 16 bytes are expected",
        );
        require(is_web_address(notify_url), "notify_url", web);
        require(is_web_address(public_url), "public_url", web);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            merchant: merchant.to_owned(),
            key,
            notify_url: notify_url.to_owned(),
            public_url: public_url.trim_end_matches('/').to_owned(),
        })
    }

    /// The operator's name at the sandbox.
    #[must_use]
    pub fn merchant(&self) -> &str {
        &self.merchant
    }

    /// The address that is told what happened.
    #[must_use]
    pub fn notify_url(&self) -> &str {
        &self.notify_url
    }

    /// The sandbox's own address, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    pub(crate) const fn key(&self) -> &Secret {
        &self.key
    }
}

/// Whether `text` can be the name of a merchant or of an event: 1 to 64 letters, digits, `-`, `_`.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The longest address a browser is sent to.
const ADDRESS_BYTES_MAX: usize = 2_000;

/// Whether `text` is an address a browser may be sent to: `http` or `https`, with a host, and with
/// no character that could end an attribute, a header or a policy it is put into.
pub(crate) fn is_web_address(text: &str) -> bool {
    text.len() <= ADDRESS_BYTES_MAX
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\"'<>`\\".contains(&b))
        && origin(text).is_some()
}

/// Scheme, host and port of an address.
pub(crate) fn origin(address: &str) -> Option<&str> {
    let scheme_length = ["http://", "https://"]
        .into_iter()
        .find(|scheme| address.starts_with(scheme))?
        .len();
    let host_length = address
        .get(scheme_length..)?
        .find(['/', '?', '#'])
        .unwrap_or(address.len() - scheme_length);
    let host = address.get(scheme_length..scheme_length + host_length)?;
    let sound = !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    if sound {
        address.get(..scheme_length + host_length)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_setting_is_named_at_once() {
        let faults = SandboxSettings::new("", Secret::new("short"), "ftp://x", "").unwrap_err();
        let names: Vec<_> = faults.iter().map(|fault| fault.setting).collect();
        assert_eq!(names, ["merchant", "key", "notify_url", "public_url"]);
    }

    #[test]
    fn the_key_is_not_shown() {
        let settings = SandboxSettings::new(
            "simurgh",
            Secret::new("a key nobody may see"),
            "http://127.0.0.1:1/n",
            "http://127.0.0.1:2/",
        )
        .unwrap();
        assert!(!format!("{settings:?}").contains("nobody"));
        assert_eq!(settings.public_url(), "http://127.0.0.1:2");
    }

    #[test]
    fn addresses_cannot_break_out_of_a_policy() {
        for (address, expected) in [
            ("http://a.example/x;y", Some("http://a.example")),
            ("https://[::1]:8080?x", Some("https://[::1]:8080")),
            ("http://a.example; script-src *", None),
            ("http://", None),
            ("javascript:alert(1)", None),
            ("http://user@host/", None),
        ] {
            assert_eq!(origin(address), expected, "{address}");
        }
        assert!(!is_web_address("http://a.example/\"x"));
        assert!(!is_web_address("http://a.example/é"));
    }
}
