//! How notifications travel to the operator.

use std::time::Duration;

use reqwest::Client;
use simurgh_vocab::Timestamp;

use super::gate::Gate;
use super::signature::{self, Signed};

/// How long the operator may take to answer (WeChat Pay allows 5 s).
const TIMEOUT: Duration = Duration::from_secs(5);

/// How many notifications are under way at once; never two about one subject.
pub(crate) const AT_ONCE: usize = 16;

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

/// Brings one notification, signed now; says whether it was taken.
pub(crate) async fn bring(http: &Client, gate: &Gate, notify_url: &str, body: Vec<u8>) -> bool {
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
pub(crate) async fn wait(
    next_due: Option<Timestamp>,
    now: Timestamp,
    changed: impl Future<Output = ()>,
) {
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
pub(crate) fn next_try(attempts: u32, now: Timestamp) -> Timestamp {
    let step = usize::try_from(attempts).unwrap_or(usize::MAX);
    let seconds = BACKOFF_SECONDS
        .get(step)
        .or(BACKOFF_SECONDS.last())
        .copied()
        .unwrap_or(1);
    now.plus(simurgh_vocab::Duration::seconds(seconds))
}
