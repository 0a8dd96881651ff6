//! Short messages by SMPP v3.4 (issue 1.2) to a message centre: one connection bound as
//! transceiver, kept alive, bound again when it breaks.
//!
//! The bytes are `rusmpp`'s, the session is ours: its ready client resolves names on its own,
//! gives up the connection over one unreadable PDU, and writes PDUs with passwords and phone
//! numbers to the log.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use simurgh_app::ports::{Delivery, ReceiptSink, SendFailure};
use simurgh_vocab::{MessageId, Msisdn};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

#[doc(hidden)]
pub mod fuzz;
mod link;
mod pace;
mod receipt;
mod segment;
mod session;
mod settings;
mod status;
mod wire;

pub use segment::{Alphabet, MAX_PARTS, SegmentError, Segments, segment};
pub use settings::{MessageIds, PreparedSmpp, Receipts, SmppSettings, SmppTls};

use link::{Link, LinkState};
use settings::Plan;

/// After so many failed attempts to connect in a row, messages are turned away at once instead of
/// waiting for the next attempt.
const FAILURES_UNTIL_DOWN: u32 = 2;

/// Sends short messages over one connection, which a task of its own keeps open.
pub struct Smpp {
    plan: Arc<Plan>,
    jobs: mpsc::Sender<Job>,
    state: watch::Receiver<LinkState>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A message on its way to the link.
struct Job {
    parts: Vec<rusmpp::pdus::SubmitSm>,
    reply: oneshot::Sender<Result<String, SendFailure>>,
}

impl Smpp {
    /// Checks the settings and reads the certificate file. Connects to nothing yet.
    ///
    /// # Errors
    /// Every setting that cannot work.
    pub fn prepare(settings: SmppSettings) -> Result<PreparedSmpp, Vec<super::SettingFault>> {
        Plan::new(settings).map(|plan| PreparedSmpp(Arc::new(plan)))
    }

    fn start(plan: Arc<Plan>, sink: Arc<dyn ReceiptSink>) -> Self {
        let (jobs, jobs_taken) = mpsc::channel(plan.queue_max);
        let (state_told, state) = watch::channel(LinkState::default());
        let (stop, stop_heard) = watch::channel(false);
        let link = Link::new(Arc::clone(&plan), sink, jobs_taken, state_told, stop_heard);
        Self {
            plan,
            jobs,
            state,
            stop,
            task: Mutex::new(Some(tokio::spawn(link.run()))),
        }
    }

    /// Hands a text to the message centre and waits until it took every part. SMPP cannot
    /// recognise a repeat; parts sent again under the same `id` join on the phone with those that
    /// arrived before.
    ///
    /// # Errors
    /// `Temporary` when the message centre is not reached, is busy or does not answer in time;
    /// `Permanent` when it refuses the recipient or the text, or the text is too long.
    pub async fn send(
        &self,
        id: MessageId,
        to: &Msisdn,
        text: &str,
    ) -> Result<Delivery, SendFailure> {
        let permanent = |reason: String| SendFailure::Permanent(reason);
        // The last byte of an id is random; the first ones tell time.
        let reference = id.as_bytes().last().copied().unwrap_or(0);
        let segments = segment(text, reference).map_err(|error| permanent(error.to_string()))?;
        let parts = self.plan.submissions(to, segments).map_err(permanent)?;
        let down = self.down();
        if let Some(reason) = down {
            return Err(SendFailure::Temporary(reason));
        }
        let (reply, answer) = oneshot::channel();
        self.jobs
            .try_send(Job { parts, reply })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => temporary("the SMS queue is full"),
                mpsc::error::TrySendError::Closed(_) => temporary("the SMS link is stopped"),
            })?;
        match tokio::time::timeout(self.plan.send_timeout, answer).await {
            Ok(Ok(answer)) => answer.map(|reference| Delivery::Accepted { reference }),
            Ok(Err(_)) => Err(temporary("the SMS link is stopped")),
            Err(_) => Err(SendFailure::Temporary(format!(
                "the message centre did not take the message within {} s: {}",
                self.plan.send_timeout.as_secs(),
                self.state.borrow().reason
            ))),
        }
    }

    /// Sends what was begun, says good-bye to the message centre and closes the connection.
    /// Messages that still wait fail as `Temporary`.
    pub async fn stop(&self) {
        // Nobody listens when the task has ended already.
        let _ = self.stop.send(true);
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the SMS link ended by a defect");
        }
    }

    fn down(&self) -> Option<String> {
        let state = self.state.borrow();
        (state.failures >= FAILURES_UNTIL_DOWN).then(|| state.reason.clone())
    }
}

impl fmt::Debug for Smpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smpp")
            .field("host", &self.plan.host)
            .field("port", &self.plan.port)
            .finish_non_exhaustive()
    }
}

fn temporary(reason: &str) -> SendFailure {
    SendFailure::Temporary(reason.to_owned())
}
