//! Time and chance.

use simurgh_vocab::Timestamp;

/// The time, as an argument.
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// Unpredictable bytes: ids, codes, tokens and keys come from here.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` from a cryptographically secure source.
    fn fill(&self, bytes: &mut [u8]);
}
