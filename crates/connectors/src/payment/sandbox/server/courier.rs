//! Brings notifications to the merchant until they are taken.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use simurgh_app::ports::ProviderReport;
use tokio::task::JoinSet;

use super::super::book::{Command, Delivery};
use super::super::signature::{self, Signed};
use super::super::verify;
use super::{Site, blocking};

/// How long the merchant may take to answer (WeChat Pay allows 5 s).
const TIMEOUT: Duration = Duration::from_secs(5);

/// How many notifications are under way at once; never two about one payment.
const AT_ONCE: usize = 16;

/// Longest sleep while something is due later: the clock may be moved in a demonstration.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// The waits between tries, in seconds; the last one repeats.
const BACKOFF_SECONDS: [u32; 8] = [1, 2, 5, 15, 30, 60, 120, 300];

pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

/// Works for ever.
pub(super) async fn run(site: &Arc<Site>, http: &Client) -> Infallible {
    loop {
        let due = site.sandbox.read(|book, now| book.due(now, AT_ONCE));
        if due.is_empty() {
            wait(site).await;
            continue;
        }
        let mut under_way = JoinSet::new();
        for delivery in due {
            under_way.spawn(deliver(Arc::clone(site), http.clone(), delivery));
        }
        under_way.join_all().await;
    }
}

async fn wait(site: &Site) {
    let due_in = site
        .sandbox
        .read(|book, now| book.next_due().map(|due_at| due_at.since(now)));
    match due_in {
        None => site.sandbox.changed().await,
        Some(length) => {
            let micros = u64::try_from(length.as_micros()).unwrap_or(0);
            let sleep = Duration::from_micros(micros).min(SLEEP_MAX);
            // Either end of the wait leads to another look at the book.
            tokio::time::timeout(sleep, site.sandbox.changed())
                .await
                .ok();
        }
    }
}

async fn deliver(site: Arc<Site>, http: Client, delivery: Delivery) {
    let Some((event_id, report)) = content(&site, delivery) else {
        return;
    };
    let body = verify::body(&event_id, &report, site.settings.merchant());
    let signature = site
        .signer
        .sign(Signed::Notification { body: &body }, site.sandbox.now());
    let answered = http
        .post(site.settings.notify_url())
        .header(signature::HEADER, signature)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await;
    let taken = answered.is_ok_and(|response| response.status().is_success());
    if taken {
        let written = blocking(&site, move |sandbox| {
            sandbox.write(&Command::Taken(delivery.id))
        });
        if let Err(fault) = written.await {
            tracing::error!(%fault, "a notification was taken, but that cannot be remembered");
            postpone(&site, delivery);
        }
    } else {
        tracing::debug!(event_id, "a notification was not taken; it is sent again");
        postpone(&site, delivery);
    }
}

fn content(site: &Site, delivery: Delivery) -> Option<(String, ProviderReport)> {
    site.sandbox.read(|book, _| {
        book.notice(delivery.id).map(|notice| {
            let report = notice.word.clone().report(delivery.id.payment);
            (notice.event_id.clone(), report)
        })
    })
}

fn postpone(site: &Site, delivery: Delivery) {
    let step = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
    let seconds = BACKOFF_SECONDS
        .get(step)
        .or(BACKOFF_SECONDS.last())
        .copied()
        .unwrap_or(1);
    let due_at = site
        .sandbox
        .now()
        .plus(simurgh_vocab::Duration::seconds(seconds));
    site.sandbox
        .adjust(|book| book.postpone(delivery.id, due_at));
}
