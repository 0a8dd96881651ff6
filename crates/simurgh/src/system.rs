//! The machine's own clock and randomness: the one place that asks for them.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use simurgh_app::ports::{Clock, Entropy};
use simurgh_vocab::Timestamp;

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the clock everything else is given"
        )]
        let now = std::time::SystemTime::now();
        let since = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The machine's source of randomness.
pub(crate) struct SystemEntropy(pub(crate) SystemRandom);

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if self.0.fill(bytes).is_err() {
            // Without randomness every code and key would be guessable: stop rather than go on.
            std::process::abort();
        }
    }
}
