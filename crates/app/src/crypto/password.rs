//! Slow digests of passwords (V11.4.2), in a bounded pool.
//!
//! Source: OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. The
//! digest is kept in the PHC string format, so that the cost can be raised later: the digest says
//! what it was made with.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::ports::Entropy;

/// The memory of one digest in KiB.
const MEMORY_KIB: u32 = 19_456;
/// The passes over it.
const PASSES: u32 = 2;
/// The octets of salt (RFC 9106 §3.1).
const SALT_LEN: usize = 16;
/// How many digests may wait for a core, each for one request: at about 30 ms each on two cores
/// the last of them waits for about a second. More are sent away.
const WAITING_MAX: usize = 64;

/// What the digest of a password that nobody has looks like: checked when no account is known, so
/// that the answer takes as long. Made with the same cost, for random bytes since forgotten.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$eMAhIhhbdy6nTM4xw0yyHA\
                      $Nc3mYXcr0I8qFEXKGOFyhJYfkuyCmpL0pa0tqHIAZ7c";

/// As many digests at once as there are cores: more would only take memory from each other.
static CORES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Arc::new(Semaphore::new(cores))
});

static WAITING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(WAITING_MAX)));

/// Why a password was neither hashed nor checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too many are waiting; a moment later it will go.
    #[error("too many passwords are being checked")]
    Busy,
    /// The digest in the store is none, or the hasher refused: a defect.
    #[error("a password digest cannot be made or read")]
    Unusable,
}

/// The digest of a password, with a salt of its own.
///
/// # Errors
/// [`PasswordFault`].
pub async fn hash(password: String, entropy: &dyn Entropy) -> Result<String, PasswordFault> {
    let mut salt = [0; SALT_LEN];
    entropy.fill(&mut salt);
    in_pool(move || {
        let digest = hasher()?.hash_password_with_salt(password.as_bytes(), &salt);
        digest
            .map(|digest| digest.to_string())
            .map_err(|_| PasswordFault::Unusable)
    })
    .await
}

/// Whether a password is the one of `digest`; without a digest the answer is no, and takes as
/// long.
///
/// # Errors
/// [`PasswordFault`].
pub async fn matches(password: String, digest: Option<String>) -> Result<bool, PasswordFault> {
    in_pool(move || {
        let known = digest.is_some();
        let digest = digest.as_deref().unwrap_or(NOBODY);
        let checked = hasher()?.verify_password(password.as_bytes(), digest);
        match checked {
            Ok(()) => Ok(known),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(_) => Err(PasswordFault::Unusable),
        }
    })
    .await
}

/// Whether a digest was made with another cost than today's and should be made anew.
#[must_use]
pub fn is_outdated(digest: &str) -> bool {
    !digest.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$"))
}

fn hasher() -> Result<Argon2<'static>, PasswordFault> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|_| PasswordFault::Unusable)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn in_pool<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordFault> + Send + 'static,
) -> Result<T, PasswordFault> {
    let _place = WAITING
        .clone()
        .try_acquire_owned()
        .map_err(|_| PasswordFault::Busy)?;
    let core = CORES.clone().acquire_owned().await;
    let core = core.map_err(|_| PasswordFault::Busy)?;
    let done = tokio::task::spawn_blocking(move || {
        let result = work();
        // Only now: a request that was given up must not free the core while it is in use.
        drop(core);
        result
    });
    done.await.map_err(|_| PasswordFault::Unusable)?
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[tokio::test]
    async fn only_the_same_password_matches_and_nobody_has_none() {
        let digest = hash("correct horse".to_owned(), &Fixed(1)).await.unwrap();
        let other = hash("correct horse".to_owned(), &Fixed(2)).await.unwrap();
        assert_ne!(digest, other, "each digest has a salt of its own");
        assert!(!is_outdated(&digest) && !is_outdated(NOBODY));
        let check = |text: &str, digest: Option<&String>| matches(text.to_owned(), digest.cloned());
        assert_eq!(check("correct horse", Some(&digest)).await, Ok(true));
        assert_eq!(check("Correct horse", Some(&digest)).await, Ok(false));
        assert_eq!(check("correct horse", None).await, Ok(false));
        let damaged = "$argon2id$nonsense".to_owned();
        let unusable = Err(PasswordFault::Unusable);
        assert_eq!(check("correct horse", Some(&damaged)).await, unusable);
        assert!(is_outdated("$argon2id$v=19$m=4096,t=2,p=1$c2FsdA$aGFzaA"));
    }
}
