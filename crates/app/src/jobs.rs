//! The outbox runner: takes what is due, does it, and gives back what must wait.
//!
//! A job is held for a while when it is taken; a process that dies leaves it to be taken again.
//! Every job is safe to repeat.

use simurgh_commerce::Payment;
use simurgh_vocab::{Duration, JobId, PaymentId, Timestamp};

use tokio::task::{JoinError, JoinSet};

use crate::ports::{Job, StoreExt, Task};
use crate::{App, Fault};

/// How many jobs are taken at once.
const BATCH: u32 = 64;
/// How many jobs run beside each other.
const AT_ONCE: usize = 16;
/// How long a taken job is held: longer than any provider may take to answer.
const HOLD: Duration = Duration::minutes(2);
/// The first wait after a failure; it doubles each time.
const RETRY_FIRST_SECONDS: u32 = 5;
/// The longest wait after failures.
const RETRY_LAST_SECONDS: u32 = 3_600;
/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is done.
    Done,
    /// It must be done again, after a while that grows.
    Later,
    /// It must wait until then.
    NotBefore(Timestamp),
}

impl Progress {
    const fn of(done: bool) -> Self {
        if done { Self::Done } else { Self::Later }
    }
}

/// How often the runner looks when nothing wakes it.
const IDLE: std::time::Duration = std::time::Duration::from_millis(500);

impl App {
    /// Does everything that is due now, once, and gives back how many jobs that were.
    ///
    /// # Errors
    /// [`Fault`] of the store; a job's own failure postpones that job.
    pub async fn run_due_jobs(&self) -> Result<usize, Fault> {
        let now = self.now();
        let jobs = self
            .store
            .transact(move |tx| -> Result<_, Fault> {
                Ok(tx.take_due(now, now.plus(HOLD), BATCH)?)
            })
            .await?;
        let taken = jobs.len();
        for job in jobs {
            self.run_job(job).await?;
        }
        Ok(taken)
    }

    /// Runs the outbox until `stop` is done. Jobs run beside each other, so that a provider which
    /// is slow to answer holds up nobody's code; what was begun when it stops is finished.
    pub async fn run_outbox(&self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut running = JoinSet::new();
        loop {
            let free = AT_ONCE.saturating_sub(running.len());
            let begun = self.begin_jobs(free, &mut running).await;
            // As many as were asked for: there may be more.
            let idle = if begun > 0 && running.len() < AT_ONCE {
                std::time::Duration::ZERO
            } else {
                IDLE
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(ended) = running.join_next() => {
                    note_end(ended);
                    while let Some(ended) = running.try_join_next() {
                        note_end(ended);
                    }
                }
                () = self.0.wake.notified(), if running.len() < AT_ONCE => {}
                () = tokio::time::sleep(idle) => {}
            }
        }
        while let Some(ended) = running.join_next().await {
            note_end(ended);
        }
    }

    /// Takes up to `count` due jobs and begins them; says how many.
    async fn begin_jobs(&self, count: usize, running: &mut JoinSet<Result<(), Fault>>) -> usize {
        let Some(limit) = u32::try_from(count).ok().filter(|limit| *limit > 0) else {
            return 0;
        };
        let now = self.now();
        let jobs = self
            .store
            .transact(move |tx| -> Result<_, Fault> {
                Ok(tx.take_due(now, now.plus(HOLD), limit)?)
            })
            .await;
        let jobs = jobs.unwrap_or_else(|fault| {
            tracing::error!(%fault, "the outbox cannot run");
            Vec::new()
        });
        let begun = jobs.len();
        for job in jobs {
            let app = self.clone();
            running.spawn(async move { app.run_job(job).await });
        }
        begun
    }

    /// Makes an open job due now: a member of staff wants it tried again.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn retry_job(&self, id: JobId) -> Result<(), Fault> {
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<(), Fault> { Ok(tx.postpone_job(id, now, None)?) })
            .await?;
        self.wake_runner();
        Ok(())
    }

    /// The jobs that are not done, those with most attempts first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn open_jobs(&self, limit: u32) -> Result<Vec<Job>, Fault> {
        self.store
            .snapshot(move |tx| Ok(tx.open_jobs(limit)?))
            .await
    }

    async fn run_job(&self, job: Job) -> Result<(), Fault> {
        let outcome = self.do_task(&job).await;
        let now = self.now();
        let (due_at, error) = match outcome {
            Ok(Progress::Done) => {
                return self
                    .store
                    .transact(move |tx| -> Result<(), Fault> { Ok(tx.finish_job(job.id, now)?) })
                    .await;
            }
            Ok(Progress::NotBefore(time)) => (time, None),
            Ok(Progress::Later) => (retry_at(now, job.attempts), None),
            Err(fault) => {
                tracing::error!(job = %job.id, task = ?job.task, %fault, "a job failed");
                (retry_at(now, job.attempts), Some(fault.to_string()))
            }
        };
        metrics::counter!("simurgh_jobs_postponed_total").increment(1);
        self.store
            .transact(move |tx| -> Result<(), Fault> {
                Ok(tx.postpone_job(job.id, due_at, error.as_deref())?)
            })
            .await
    }

    async fn do_task(&self, job: &Job) -> Result<Progress, Fault> {
        let done = match job.task {
            Task::SendMessage(id) => return self.send_message(id, job.attempts).await,
            Task::QueryPayment(id) => self.query_and_plan(id).await.map(|()| true),
            Task::CloseOrder(id) => self.close_expired_order(id).await.map(|()| true),
            Task::SendRefund(id) => self.send_refund(id).await,
            Task::AdvanceLine(id) => self.advance_line(id).await.map(|()| true),
            Task::RenewLine(id) => self.renew_line(id).await,
            Task::ChargeMandate(id) => self.charge_renewal(id).await.map(|()| true),
            Task::DeleteDocuments(id) => self.delete_documents(id).await.map(|()| true),
            Task::AskIdentity(id) => self.ask_identity(id).await,
            Task::PrepareProfile(id) => self.prepare_profile(id).await,
            Task::TellProgress(id) => self.tell_progress(id).await,
            Task::WithdrawEvents(id) => self.withdraw_events(id).await,
            Task::TellSessions(id) => self.reach_sessions(id).await,
        };
        done.map(Progress::of)
    }

    async fn query_and_plan(&self, id: PaymentId) -> Result<(), Fault> {
        self.query_payment(id).await?;
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| match tx.payment(id)?.filter(Payment::is_open) {
                Some(mut payment) => app.ask_again(tx, &mut payment, now),
                None => Ok(()),
            })
            .await
    }
}

/// A job whose end could not be recorded is taken again when its hold is over.
fn note_end(ended: Result<Result<(), Fault>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => tracing::error!(%fault, "the end of a job was not recorded"),
        Err(error) => tracing::error!(%error, "a job broke off"),
    }
}

fn retry_at(now: Timestamp, attempts: u32) -> Timestamp {
    let doubled = RETRY_FIRST_SECONDS.saturating_mul(1 << attempts.min(16));
    now.plus(Duration::seconds(doubled.min(RETRY_LAST_SECONDS)))
}
