//! Keys derived from one master secret, and what is done with them; and the slow digests of
//! passwords ([`password`]), which need no key.

pub mod password;

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, hmac};

use crate::ports::Entropy;

/// What a key is for. Each purpose has a key of its own, so that nothing made for one can be used
/// for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Tokens of stored payment methods.
    MandateToken,
    /// Secrets of second factors.
    TotpSecret,
    /// Documents of identity checks.
    IdentityDocument,
    /// Digests of one-time codes.
    CodeDigest,
    /// Digests of session tokens.
    SessionDigest,
    /// Digests of the tokens of half-done log-ins.
    StepDigest,
    /// Digests of recovery codes.
    RecoveryDigest,
    /// Digests of what somebody typed to log in, under which failures are counted.
    GuardDigest,
    /// Secrets in messages that wait to be sent.
    MessageSecret,
    /// Tokens against forged forms.
    Csrf,
    /// Protected packages of eSIM profiles, with their keys.
    ProfilePackage,
    /// Digests of confirmation codes of eSIM profiles.
    ConfirmationCode,
    /// Keys and codes of subscriptions.
    SubscriberKeys,
    /// Digests of what other operators asked.
    CallDigest,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::MandateToken => b"mandate-token",
            Self::TotpSecret => b"totp-secret",
            Self::IdentityDocument => b"identity-document",
            Self::CodeDigest => b"code-digest",
            Self::SessionDigest => b"session-digest",
            Self::StepDigest => b"step-digest",
            Self::RecoveryDigest => b"recovery-digest",
            Self::GuardDigest => b"guard-digest",
            Self::MessageSecret => b"message-secret",
            Self::Csrf => b"csrf",
            Self::ProfilePackage => b"profile-package",
            Self::ConfirmationCode => b"confirmation-code",
            Self::SubscriberKeys => b"subscriber-keys",
            Self::CallDigest => b"call-digest",
        }
    }
}

/// Something sealed cannot be opened: another key, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened: wrong key or damaged data")]
pub struct CannotOpen;

/// One master key and the name it goes by in what it sealed.
#[derive(Clone)]
struct Master {
    id: [u8; KEY_ID_LEN],
    key: hmac::Key,
}

/// How many octets of a sealed value name the key.
const KEY_ID_LEN: usize = 4;

/// The length of a digest in octets.
pub const DIGEST_LEN: usize = 32;

/// The keys of one operator. `Debug` shows nothing of them.
#[derive(Clone)]
pub struct Keyring {
    current: Master,
    earlier: Vec<Master>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(hidden)")
    }
}

impl Keyring {
    /// The keys derived from `master`, the 32 bytes of the setting `master_key`.
    #[must_use]
    pub fn new(master: &[u8; 32]) -> Self {
        Self {
            current: Master::new(master),
            earlier: Vec::new(),
        }
    }

    /// Opens what an earlier master key sealed as well. Nothing new is made with it, so after the
    /// change everybody logs in anew, and recovery codes must be renewed.
    #[must_use]
    pub fn with_earlier(mut self, master: &[u8; 32]) -> Self {
        self.earlier.push(Master::new(master));
        self
    }

    /// Encrypts and authenticates `plain` (AES-256-GCM, NIST SP 800-38D) for one purpose and one
    /// `context`, e.g. the id of the row, without which it cannot be opened.
    ///
    /// # Errors
    /// [`CannotOpen`] if the cipher refuses, which it does for no length used here.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CannotOpen> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.current
            .cipher(purpose)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut sealed,
            )
            .map_err(|_| CannotOpen)?;
        Ok([self.current.id.as_slice(), &nonce, &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose and context.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CannotOpen> {
        let (id, rest) = sealed.split_at_checked(KEY_ID_LEN).ok_or(CannotOpen)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(CannotOpen)?;
        let mut masters = std::iter::once(&self.current).chain(&self.earlier);
        let master = masters.find(|master| master.id == id).ok_or(CannotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut body = body.to_vec();
        let plain = master
            .cipher(purpose)?
            .open_in_place(nonce, Aad::from(context), &mut body)
            .map_err(|_| CannotOpen)?;
        // Where it was sealed is where it is open: no second copy is left behind.
        let length = plain.len();
        body.truncate(length);
        Ok(body)
    }

    /// The HMAC-SHA-256 (RFC 2104) of `data` for one purpose.
    #[must_use]
    pub fn digest(&self, purpose: Purpose, data: &[u8]) -> [u8; DIGEST_LEN] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.current.derived(purpose));
        octets(&hmac::sign(&key, data))
    }

    /// Whether `digest` is the digest of `data`, in constant time.
    #[must_use]
    pub fn digest_matches(&self, purpose: Purpose, data: &[u8], digest: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.digest(purpose, data), digest).is_ok()
    }
}

impl Master {
    fn new(master: &[u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, master);
        let mut id = [0; KEY_ID_LEN];
        let named = octets(&hmac::sign(&key, b"key-id"));
        id.iter_mut().zip(named).for_each(|(to, from)| *to = from);
        Self { id, key }
    }

    fn derived(&self, purpose: Purpose) -> [u8; DIGEST_LEN] {
        octets(&hmac::sign(&self.key, purpose.label()))
    }

    fn cipher(&self, purpose: Purpose) -> Result<LessSafeKey, CannotOpen> {
        let key = UnboundKey::new(&AES_256_GCM, &self.derived(purpose)).map_err(|_| CannotOpen)?;
        Ok(LessSafeKey::new(key))
    }
}

/// The 32 octets of a SHA-256 tag.
fn octets(tag: &hmac::Tag) -> [u8; DIGEST_LEN] {
    let mut octets = [0; DIGEST_LEN];
    octets
        .iter_mut()
        .zip(tag.as_ref())
        .for_each(|(to, from)| *to = *from);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    #[test]
    fn only_the_same_purpose_context_and_bytes_open() {
        let entropy = Counting(0.into());
        let ring = Keyring::new(&[7; 32]);
        let sealed = ring
            .seal(Purpose::TotpSecret, b"row", b"secret", &entropy)
            .unwrap();
        assert_eq!(
            ring.open(Purpose::TotpSecret, b"row", &sealed).unwrap(),
            b"secret"
        );
        assert_eq!(
            ring.open(Purpose::MandateToken, b"row", &sealed),
            Err(CannotOpen)
        );
        assert_eq!(
            ring.open(Purpose::TotpSecret, b"other", &sealed),
            Err(CannotOpen)
        );
        assert_eq!(
            Keyring::new(&[8; 32]).open(Purpose::TotpSecret, b"row", &sealed),
            Err(CannotOpen)
        );
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(
                ring.open(Purpose::TotpSecret, b"row", &damaged),
                Err(CannotOpen)
            );
        }
        assert_eq!(
            ring.open(Purpose::TotpSecret, b"row", b"short"),
            Err(CannotOpen)
        );
        assert_ne!(
            sealed,
            ring.seal(Purpose::TotpSecret, b"row", b"secret", &entropy)
                .unwrap()
        );
        assert!(!format!("{ring:?}").contains('7'));
    }

    #[test]
    fn an_earlier_key_still_opens_what_it_sealed() {
        let entropy = Counting(0.into());
        let old = Keyring::new(&[7; 32]);
        let sealed = old
            .seal(Purpose::TotpSecret, b"row", b"secret", &entropy)
            .unwrap();
        let new = Keyring::new(&[8; 32]).with_earlier(&[7; 32]);
        assert_eq!(
            new.open(Purpose::TotpSecret, b"row", &sealed).unwrap(),
            b"secret"
        );
        let resealed = new
            .seal(Purpose::TotpSecret, b"row", b"secret", &entropy)
            .unwrap();
        assert_eq!(
            old.open(Purpose::TotpSecret, b"row", &resealed),
            Err(CannotOpen)
        );
    }
}
