//! Counts failures before an attempt is made, so that many attempts at once count as many.

use simurgh_subscriber::{Failures, GuardDecision, GuardRule, GuardScope, Network, may_try};
use simurgh_vocab::Timestamp;

use crate::App;
use crate::crypto::Purpose;
use crate::ports::{Digest, StoreFault, Tx};

/// Nothing may be tried for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Locked {
    pub(crate) until: Timestamp,
    pub(crate) scope: GuardScope,
}

/// What an attempt is counted under.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guarded {
    subject: Digest,
    network: Digest,
}

impl App {
    /// What attempts at `subject` from `network` are counted under.
    pub(crate) fn guarded(&self, subject: &str, network: Network) -> Guarded {
        let digest = |text: String| {
            let purpose = Purpose::GuardDigest;
            self.keyring.digest(purpose, text.as_bytes())
        };
        Guarded {
            subject: digest(format!("subject\n{subject}")),
            network: digest(format!("network\n{network}")),
        }
    }
}

impl Guarded {
    /// Counts an attempt as failed, unless nothing may be tried. [`succeeded`](Self::succeeded)
    /// takes it back.
    pub(crate) fn begin(
        &self,
        tx: &mut dyn Tx,
        now: Timestamp,
    ) -> Result<Result<(), Locked>, StoreFault> {
        let subject = tx.failures(&self.subject)?;
        let network = tx.failures(&self.network)?;
        match may_try(subject, network, now) {
            GuardDecision::LockedUntil { at, scope } => Ok(Err(Locked { until: at, scope })),
            GuardDecision::Proceed => {
                let subject = Failures::after_another(subject, &GuardRule::ACCOUNT, now);
                let network = Failures::after_another(network, &GuardRule::NETWORK, now);
                tx.put_failures(&self.subject, Some(subject))?;
                tx.put_failures(&self.network, Some(network))?;
                Ok(Ok(()))
            }
        }
    }

    /// The attempt was right: forgets the subject's failures, and takes one off the network's,
    /// where others may go on guessing. Gives back how many had failed before.
    pub(crate) fn succeeded(&self, tx: &mut dyn Tx) -> Result<u32, StoreFault> {
        let before = tx.failures(&self.subject)?;
        tx.put_failures(&self.subject, None)?;
        let network = tx.failures(&self.network)?;
        tx.put_failures(&self.network, network.and_then(Failures::without_last))?;
        Ok(before.map_or(0, |failures| failures.count.saturating_sub(1)))
    }
}
