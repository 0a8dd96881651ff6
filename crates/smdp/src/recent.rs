//! The sessions that this node had in its hands last, so that the next step need not read them again.
//!
//! They only say what to verify. Whatever changes anything reads the store in its transaction, and a step that does
//! not fit what is remembered reads the store too: another node may have taken the session further.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use simurgh_app::ports::{RspSession, Transaction};
use simurgh_vocab::Timestamp;

/// How many sessions a generation has; there are two. A session takes some 300 octets.
const GENERATION_MAX: usize = 8_192;

/// A bounded memory that forgets the oldest half.
#[derive(Default)]
pub(crate) struct RecentSessions(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Transaction, RspSession>,
    old: HashMap<Transaction, RspSession>,
}

impl RecentSessions {
    /// Remembers a session as it was stored.
    pub(crate) fn remember(&self, session: RspSession) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.young.len() >= GENERATION_MAX {
            let full = std::mem::take(&mut kept.young);
            kept.old = full;
        }
        kept.young.insert(session.transaction, session);
    }

    /// Takes a session out: whoever takes it further remembers it anew. One that is over is not given.
    pub(crate) fn take(&self, transaction: &Transaction, now: Timestamp) -> Option<RspSession> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let young = kept.young.remove(transaction);
        let old = kept.old.remove(transaction);
        young.or(old).filter(|session| now < session.expires_at)
    }
}

#[cfg(test)]
mod tests {
    use simurgh_app::ports::SessionStep;
    use simurgh_vocab::Duration;

    use super::*;

    fn session(number: usize, now: Timestamp) -> RspSession {
        let mut transaction = [0; 16];
        transaction[..8].copy_from_slice(&number.to_be_bytes());
        RspSession {
            transaction,
            opened_at: now,
            expires_at: now.plus(Duration::minutes(15)),
            step: SessionStep::Over,
        }
    }

    #[test]
    fn the_newest_are_remembered_and_those_that_are_over_are_not_given() {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let recent = RecentSessions::default();
        for number in 0..3 * GENERATION_MAX {
            recent.remember(session(number, now));
        }
        let given = |number, now| recent.take(&session(number, now).transaction, now);
        let last = 3 * GENERATION_MAX - 1;
        assert_eq!(given(0, now), None);
        assert_eq!(given(last, now), Some(session(last, now)));
        assert_eq!(given(last, now), None);
        assert_eq!(given(last - 1, now.plus(Duration::minutes(15))), None);
    }
}
