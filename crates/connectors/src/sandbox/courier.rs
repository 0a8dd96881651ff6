//! How notifications travel to the operator.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use simurgh_vocab::Timestamp;
use tokio::task::JoinSet;

use super::desk::{Book, Desk, blocking};
use super::gate::Gate;
use super::queue::Delivery;
use super::signature::{self, Signed};

/// How long the operator may take to answer (WeChat Pay allows 5 s).
const TIMEOUT: Duration = Duration::from_secs(5);

/// How many notifications are under way at once; never two about one subject.
const AT_ONCE: usize = 16;

/// Longest sleep while something is due later: the clock may be moved in a demonstration.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// The waits between tries, in seconds; the last one repeats.
const BACKOFF_SECONDS: [u32; 8] = [1, 2, 5, 15, 30, 60, 120, 300];

/// What carries them.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

/// A body as it leaves: the id of its event and the octets; none if there is no such letter.
pub(crate) type Body<B, L> = fn(&B, L, &str) -> Option<(String, Vec<u8>)>;

/// Brings notifications to the operator until they are taken.
pub(crate) struct Courier<B: Book> {
    pub(crate) desk: Desk<B>,
    pub(crate) http: Client,
    pub(crate) gate: Arc<Gate>,
    pub(crate) notify_url: String,
    /// Under which name the operator is known here.
    pub(crate) account: String,
    pub(crate) body: Body<B, B::Letter>,
}

impl<B: Book> Courier<B>
where
    B::Command: Send,
    B::Refusal: Send,
{
    /// Works for ever.
    pub(crate) async fn run(self) -> Infallible {
        let courier = Arc::new(self);
        loop {
            let due = courier.desk.read(|book, now| book.due(now, AT_ONCE));
            if due.is_empty() {
                let (next_due, now) = courier.desk.read(|book, now| (book.next_due(), now));
                wait(next_due, now, courier.desk.changed()).await;
                continue;
            }
            let mut under_way = JoinSet::new();
            for delivery in due {
                under_way.spawn(Arc::clone(&courier).deliver(delivery));
            }
            under_way.join_all().await;
        }
    }

    async fn deliver(self: Arc<Self>, delivery: Delivery<B::Letter>) {
        let Delivery { id, attempts } = delivery;
        let content = self
            .desk
            .read(|book, _| (self.body)(book, id, &self.account));
        let Some((event_id, body)) = content else {
            return;
        };
        let mut settled = bring(&self.http, &self.gate, &self.notify_url, body).await;
        if settled {
            let written = blocking(self.desk.clone(), move |desk| desk.write(&B::taken(id)));
            if let Err(fault) = written.await {
                tracing::error!(%fault, "a notification was taken, but that cannot be remembered");
                settled = false;
            }
        } else {
            tracing::debug!(event_id, "a notification was not taken; it is sent again");
        }
        if !settled {
            let due_at = next_try(attempts, self.desk.now());
            self.desk.adjust(|book| book.postpone(id, due_at));
        }
    }
}

/// Brings one notification, signed now; says whether it was taken.
async fn bring(http: &Client, gate: &Gate, notify_url: &str, body: Vec<u8>) -> bool {
    let notification = Signed::Notification { body: &body };
    let signature = gate.signer.sign(notification, gate.clock.now());
    let answered = http
        .post(notify_url)
        .header(signature::HEADER, signature)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await;
    answered.is_ok_and(|response| response.status().is_success())
}

/// Sleeps until something is due or `changed` is done; either leads to another look at the book.
async fn wait(next_due: Option<Timestamp>, now: Timestamp, changed: impl Future<Output = ()>) {
    match next_due {
        None => changed.await,
        Some(due_at) => {
            let micros = u64::try_from(due_at.since(now).as_micros()).unwrap_or(0);
            let sleep = Duration::from_micros(micros).min(SLEEP_MAX);
            tokio::time::timeout(sleep, changed).await.ok();
        }
    }
}

/// When a notification that was tried `attempts` times before is tried again.
fn next_try(attempts: u32, now: Timestamp) -> Timestamp {
    let step = usize::try_from(attempts).unwrap_or(usize::MAX);
    let seconds = BACKOFF_SECONDS
        .get(step)
        .or(BACKOFF_SECONDS.last())
        .copied()
        .unwrap_or(1);
    now.plus(simurgh_vocab::Duration::seconds(seconds))
}
