//! Where requests for charging come as they come, and are decided in batches.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use simurgh_charging::Answer;
use tokio::sync::Notify;

use super::UseRequest;
use crate::{App, Fault};

/// How a [`ChargeDesk`] gathers requests.
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

/// What became of a request.
pub type Heard = Result<Arc<Answer>, Unheard>;

/// Who brings requests to a desk: a connection of the network, say.
pub trait Asker: Send + Sync {
    /// Takes what became of requests, each under the ticket it was given with. Every request is heard of
    /// once. Must not block.
    fn answered(&self, heard: Vec<(u64, Heard)>);
}

/// A waiting request.
struct Waiting {
    request: UseRequest,
    ticket: u64,
    asker: Arc<dyn Asker>,
}

/// Where requests come. Cheap to clone; it ends when the last clone is dropped: what waits then is
/// still decided.
#[derive(Clone)]
pub struct ChargeDesk {
    queue: Arc<Queue>,
    /// Tells the queue when the last clone goes.
    _open: Arc<Open>,
}

struct Queue {
    state: Mutex<State>,
    more: Notify,
    waiting_max: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    is_closed: bool,
}

/// A desk is open as long as this lives.
struct Open(Arc<Queue>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        // Each worker that wakes up to the end wakes the next one.
        self.0.more.notify_one();
    }
}

impl ChargeDesk {
    /// Opens a desk on the current runtime.
    #[must_use]
    pub fn open(app: &App, options: DeskOptions) -> Self {
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            more: Notify::new(),
            waiting_max: options.waiting_max.max(1),
        });
        for _ in 0..options.workers.max(1) {
            let (app, queue) = (app.clone(), Arc::clone(&queue));
            tokio::spawn(serve(app, queue, options.batch_max.max(1)));
        }
        let open = Arc::new(Open(Arc::clone(&queue)));
        Self { queue, _open: open }
    }

    /// Has requests decided, each with its ticket; `asker` hears of each after its commit, or at once
    /// ([`Unheard::Busy`]) of those that are too many.
    pub fn charge(
        &self,
        asker: &Arc<dyn Asker>,
        requests: impl IntoIterator<Item = (u64, UseRequest)>,
    ) {
        let mut refused = Vec::new();
        let mut state = self.queue.state();
        for (ticket, request) in requests {
            if state.waiting.len() >= self.queue.waiting_max {
                refused.push((ticket, Err(Unheard::Busy)));
                continue;
            }
            let asker = Arc::clone(asker);
            state.waiting.push_back(Waiting {
                request,
                ticket,
                asker,
            });
        }
        drop(state);
        self.queue.more.notify_one();
        if !refused.is_empty() {
            asker.answered(refused);
        }
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; none when the desk has ended.
    async fn next(&self, batch_max: usize) -> Option<Vec<Waiting>> {
        loop {
            {
                let mut state = self.state();
                let count = state.waiting.len().min(batch_max);
                if count > 0 {
                    let batch = state.waiting.drain(..count).collect();
                    let is_rest = !state.waiting.is_empty();
                    drop(state);
                    if is_rest {
                        self.more.notify_one();
                    }
                    return Some(batch);
                }
                if state.is_closed {
                    self.more.notify_one();
                    return None;
                }
            }
            self.more.notified().await;
        }
    }
}

async fn serve(app: App, queue: Arc<Queue>, batch_max: usize) {
    while let Some(batch) = queue.next(batch_max).await {
        let (requests, askers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|it| (it.request, (it.ticket, it.asker)))
            .unzip();
        let decided = app.charge_uses(requests.into()).await;
        if let Err(fault) = &decided {
            tracing::error!(%fault, requests = askers.len(), "a batch was not charged");
        }
        let mut decided = decided.map(Vec::into_iter);
        let heard = askers.into_iter().map(|(ticket, asker)| {
            let heard = match &mut decided {
                Ok(all) => all.next().ok_or(Unheard::Stopping),
                Err(fault) => Err(Unheard::Fault(fault.clone())),
            };
            (asker, (ticket, heard))
        });
        tell(heard.collect());
    }
}

/// Tells each asker all at once.
fn tell(heard: Vec<(Arc<dyn Asker>, (u64, Heard))>) {
    type Told = (Arc<dyn Asker>, Vec<(u64, Heard)>);
    let mut told: Vec<Told> = Vec::new();
    for (asker, one) in heard {
        match told.iter_mut().find(|(it, _)| Arc::ptr_eq(it, &asker)) {
            Some((_, all)) => all.push(one),
            None => told.push((asker, vec![one])),
        }
    }
    for (asker, all) in told {
        asker.answered(all);
    }
}
