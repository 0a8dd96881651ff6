//! The bounded queue between the callers and the threads that own connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{
    Receiver, RecvError, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use simurgh_app::ports::StoreFault;
use tokio::sync::oneshot;

use super::Task;

/// What a task is answered.
pub(super) type Answer = Result<(), StoreFault>;

/// Whether a task may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A read-write transaction.
    Write,
    /// One consistent snapshot.
    Read,
}

/// A task that waits for its turn.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) mode: Mode,
    answer: oneshot::Sender<Answer>,
}

impl Job {
    /// The task, and what remains to be answered.
    pub(super) fn split(self) -> (Task, oneshot::Sender<Answer>) {
        (self.task, self.answer)
    }
}

/// The callers' end.
pub(super) struct Queue {
    sender: RwLock<Option<SyncSender<Job>>>,
    waiting: Arc<AtomicUsize>,
}

/// The workers' end; several workers may share it.
pub(super) struct Jobs {
    receiver: Mutex<Receiver<Job>>,
    waiting: Arc<AtomicUsize>,
}

/// A queue for at most `length_max` waiting tasks.
pub(super) fn queue(length_max: usize) -> (Queue, Arc<Jobs>) {
    let (sender, receiver) = sync_channel(length_max);
    let waiting = Arc::new(AtomicUsize::new(0));
    let queue = Queue {
        sender: RwLock::new(Some(sender)),
        waiting: Arc::clone(&waiting),
    };
    let jobs = Jobs {
        receiver: Mutex::new(receiver),
        waiting,
    };
    (queue, Arc::new(jobs))
}

impl Queue {
    /// Adds a task and waits for its answer. A full queue refuses at once: waiting longer than
    /// the queue is deep would only make everyone late.
    pub(super) async fn ask(&self, task: Task, mode: Mode) -> Answer {
        let answer = self.submit(task, mode)?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    fn submit(&self, task: Task, mode: Mode) -> Result<oneshot::Receiver<Answer>, StoreFault> {
        let (answer, receiver) = oneshot::channel();
        let job = Job { task, mode, answer };
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or_else(closed)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        sender.try_send(job).map_err(|refused| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match refused {
                TrySendError::Full(_) => {
                    metrics::counter!("simurgh_store_refused_total").increment(1);
                    StoreFault::Conflict("too many transactions are waiting".to_owned())
                }
                TrySendError::Disconnected(_) => closed(),
            }
        })?;
        Ok(receiver)
    }

    /// Takes no more tasks. What waits is still done; then the workers find the queue closed.
    pub(super) fn close(&self) {
        let mut sender = self.sender.write().unwrap_or_else(PoisonError::into_inner);
        *sender = None;
    }
}

impl Jobs {
    /// Waits for the next task.
    pub(super) fn next(&self) -> Result<Job, RecvError> {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        let job = receiver.recv()?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Ok(job)
    }

    /// Waits for the next task, for no longer than `limit`; none if none came.
    pub(super) fn next_within(&self, limit: Option<Duration>) -> Result<Option<Job>, RecvError> {
        let Some(limit) = limit else {
            return self.next().map(Some);
        };
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        match receiver.recv_timeout(limit) {
            Ok(job) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                Ok(Some(job))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(RecvError),
        }
    }

    /// Takes the next task if one waits.
    pub(super) fn next_waiting(&self) -> Result<Job, TryRecvError> {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        let job = receiver.try_recv()?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Ok(job)
    }

    /// Reports how many tasks wait.
    pub(super) fn report_length(&self) {
        let waiting = self.waiting.load(Ordering::Relaxed);
        metrics::gauge!("simurgh_store_queue_length").set(waiting as f64);
    }
}

pub(super) fn closed() -> StoreFault {
    StoreFault::Unavailable("the store is closed".to_owned())
}
