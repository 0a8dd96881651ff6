//! How the program is doing, for metrics: what waits, what is stuck, what is open.

use crate::desk::STUCK_ATTEMPTS;
use crate::ports::{StoreExt, VitalCounts};
use crate::{App, Fault};

/// How the program is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// What the store counts.
    pub counts: VitalCounts,
    /// How long the oldest due job of the outbox has waited, in seconds; zero when none is due.
    pub oldest_due_seconds: i64,
}

impl App {
    /// How the program is doing now.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn vitals(&self) -> Result<Vitals, Fault> {
        let now = self.now();
        self.store
            .snapshot(move |tx| {
                let next = tx.next_due()?.filter(|at| *at <= now);
                Ok(Vitals {
                    counts: tx.vital_counts(now, STUCK_ATTEMPTS)?,
                    oldest_due_seconds: next.map_or(0, |at| now.since(at).as_seconds_up()),
                })
            })
            .await
    }
}
