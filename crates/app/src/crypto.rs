//! Keys derived from one master secret, and what is done with them.

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
    /// Tokens against forged forms.
    Csrf,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::MandateToken => b"mandate-token",
            Self::TotpSecret => b"totp-secret",
            Self::IdentityDocument => b"identity-document",
            Self::CodeDigest => b"code-digest",
            Self::SessionDigest => b"session-digest",
            Self::Csrf => b"csrf",
        }
    }
}

/// Something sealed cannot be opened: another key, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened: wrong key or damaged data")]
pub struct CannotOpen;

/// The keys of one operator. `Debug` shows nothing of them.
#[derive(Clone)]
pub struct Keyring {
    master: hmac::Key,
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
            master: hmac::Key::new(hmac::HMAC_SHA256, master),
        }
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
        self.cipher(purpose)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut sealed,
            )
            .map_err(|_| CannotOpen)?;
        Ok([nonce.as_slice(), &sealed].concat())
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
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(CannotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut body = body.to_vec();
        let plain = self
            .cipher(purpose)?
            .open_in_place(nonce, Aad::from(context), &mut body)
            .map_err(|_| CannotOpen)?;
        Ok(plain.to_vec())
    }

    /// The HMAC-SHA-256 (RFC 2104) of `data` for one purpose.
    #[must_use]
    pub fn digest(&self, purpose: Purpose, data: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.derived(purpose));
        hmac::sign(&key, data).as_ref().to_vec()
    }

    /// Whether `digest` is the digest of `data`, in constant time.
    #[must_use]
    pub fn digest_matches(&self, purpose: Purpose, data: &[u8], digest: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.digest(purpose, data), digest).is_ok()
    }

    fn derived(&self, purpose: Purpose) -> Vec<u8> {
        hmac::sign(&self.master, purpose.label()).as_ref().to_vec()
    }

    fn cipher(&self, purpose: Purpose) -> Result<LessSafeKey, CannotOpen> {
        let key = UnboundKey::new(&AES_256_GCM, &self.derived(purpose)).map_err(|_| CannotOpen)?;
        Ok(LessSafeKey::new(key))
    }
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
}
