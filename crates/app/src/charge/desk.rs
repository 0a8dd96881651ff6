//! Gathers requests while the batch before is being committed.

use std::sync::Arc;

use simurgh_charging::Answer;
use tokio::sync::{mpsc, oneshot};

use super::UseRequest;
use crate::{App, Fault};

/// The bounds of a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskOptions {
    /// How many requests may wait; one more is refused as busy, before the answers get slow.
    pub waiting_max: usize,
    /// How many requests share one transaction.
    pub batch_max: usize,
    /// How many batches may be under way at once. One is best where there is a single writer.
    pub workers: usize,
}

impl Default for DeskOptions {
    fn default() -> Self {
        Self {
            waiting_max: 8_192,
            batch_max: 512,
            workers: 1,
        }
    }
}

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unheard {
    /// Too many wait already.
    #[error("too many requests wait")]
    Busy,
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopping,
    /// The store or the program failed. Nothing was decided; the request may be sent again.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A waiting request.
struct Waiting {
    request: UseRequest,
    answer: oneshot::Sender<Result<Answer, Unheard>>,
}

/// Where requests come one by one. Cheap to clone; it ends when the last clone is dropped.
#[derive(Clone)]
pub struct ChargeDesk {
    queue: mpsc::Sender<Waiting>,
}

impl ChargeDesk {
    /// Opens a desk on the current runtime.
    #[must_use]
    pub fn open(app: &App, options: DeskOptions) -> Self {
        let (queue, waiting) = mpsc::channel(options.waiting_max.max(1));
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        for _ in 0..options.workers.max(1) {
            let (app, waiting) = (app.clone(), Arc::clone(&waiting));
            tokio::spawn(serve(app, waiting, options.batch_max.max(1)));
        }
        Self { queue }
    }

    /// Decides a request. The answer comes after its commit.
    ///
    /// # Errors
    /// [`Unheard`].
    pub async fn charge(&self, request: UseRequest) -> Result<Answer, Unheard> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { request, answer };
        self.queue.try_send(waiting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Unheard::Busy,
            mpsc::error::TrySendError::Closed(_) => Unheard::Stopping,
        })?;
        answered.await.unwrap_or(Err(Unheard::Stopping))
    }
}

async fn serve(
    app: App,
    waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting>>>,
    batch_max: usize,
) {
    loop {
        let mut batch = Vec::new();
        if waiting.lock().await.recv_many(&mut batch, batch_max).await == 0 {
            return;
        }
        let (requests, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|it| (it.request, it.answer)).unzip();
        let decided = app.charge_uses(requests.into()).await;
        if let Err(fault) = &decided {
            tracing::error!(%fault, requests = answers.len(), "a batch was not charged");
        }
        let mut decided = decided.map(Vec::into_iter);
        for answer in answers {
            let result = match &mut decided {
                Ok(all) => all.next().ok_or(Unheard::Stopping),
                Err(fault) => Err(Unheard::Fault(fault.clone())),
            };
            // A client who has gone away asks again: the answer is kept with the session.
            drop(answer.send(result));
        }
    }
}
