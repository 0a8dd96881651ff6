//! Forgetting what nobody needs any more: done jobs, old messages, old codes, ended sessions.
//!
//! Notifications of payment providers stay: they are the evidence of what a provider said, few,
//! and name nobody.

use simurgh_subscriber::SessionRules;
use simurgh_vocab::Duration;

use crate::esim::{CALLS_KEPT, SESSIONS_KEPT};
use crate::ports::{StoreExt, StoreFault, Tx};
use crate::{App, Fault};

/// How long what is over is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Jobs of the outbox that are done.
    pub jobs: Duration,
    /// Messages and their fate. Longer than any allowance lasts: a warning is known to have been
    /// sent by its message.
    pub messages: Duration,
}

impl Default for Retention {
    /// 30 days for jobs, 400 for messages.
    fn default() -> Self {
        Self {
            jobs: Duration::days(30),
            messages: Duration::days(400),
        }
    }
}

/// Codes, half-done log-ins, counted failures and sessions that are over: longer than the longest
/// limit on codes, and than failures are remembered.
const LOG_INS: Duration = Duration::days(7);

/// Rows removed in one transaction: so few that nobody waits for it.
const AT_ONCE: u32 = 500;

impl App {
    /// Removes what is older than it is kept. To be called now and then.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn forget_old(&self, keep: Retention) -> Result<(), Fault> {
        let now = self.now();
        self.forget_old_log_ins().await?;
        self.forget_old_chip_sessions().await?;
        let done_before = now.minus(keep.jobs);
        self.forget("jobs", move |tx| tx.forget_jobs(done_before, AT_ONCE))
            .await?;
        let created_before = now.minus(keep.messages);
        self.forget("messages", move |tx| {
            tx.forget_messages(created_before, AT_ONCE)
        })
        .await
    }

    /// Removes codes, half-done log-ins, counted failures and sessions that no rule looks at any
    /// more.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn forget_old_log_ins(&self) -> Result<(), Fault> {
        let before = self.now().minus(LOG_INS);
        self.forget("log-ins", move |tx| tx.forget_before(before, AT_ONCE))
            .await?;
        // Nobody ended them, but their time is over.
        let unused = before.minus(SessionRules::CUSTOMER.inactivity);
        self.forget("sessions", move |tx| {
            tx.forget_unused_sessions(unused, AT_ONCE)
        })
        .await
    }

    /// Removes sessions with chips that are over, and calls of other operators that nobody repeats any more.
    /// What chips reported stays as long as their profiles.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn forget_old_chip_sessions(&self) -> Result<(), Fault> {
        let now = self.now();
        let ended = now.minus(SESSIONS_KEPT);
        self.forget("chip sessions", move |tx| {
            tx.forget_rsp_sessions(ended, AT_ONCE)
        })
        .await?;
        let answered = now.minus(CALLS_KEPT);
        self.forget("answered calls", move |tx| {
            tx.forget_answered_calls(answered, AT_ONCE)
        })
        .await
    }

    /// Removes rows of a kind, a few at a time, until none is left to remove.
    async fn forget(
        &self,
        kind: &'static str,
        some: impl Fn(&mut dyn Tx) -> Result<u64, StoreFault> + Clone + Send + 'static,
    ) -> Result<(), Fault> {
        loop {
            let some = some.clone();
            let count = self
                .store
                .transact(move |tx| -> Result<u64, Fault> { Ok(some(tx)?) })
                .await?;
            metrics::counter!("simurgh_forgotten_rows_total", "kind" => kind).increment(count);
            // Each kind may be several tables with a limit of their own.
            if count == 0 {
                return Ok(());
            }
        }
    }
}
