//! Brings notifications to the merchant until they are taken.

use std::convert::Infallible;
use std::sync::Arc;

use reqwest::Client;
use simurgh_app::ports::ProviderReport;
use tokio::task::JoinSet;

use super::super::book::{Command, DeliveryId};
use super::super::verify;
use super::{Site, blocking};
use crate::sandbox::courier::{AT_ONCE, bring, next_try, wait};
use crate::sandbox::queue::Delivery;

/// Works for ever.
pub(super) async fn run(site: &Arc<Site>, http: &Client) -> Infallible {
    loop {
        let due = site.sandbox.read(|book, now| book.due(now, AT_ONCE));
        if due.is_empty() {
            let (next_due, now) = site.sandbox.read(|book, now| (book.next_due(), now));
            wait(next_due, now, site.sandbox.changed()).await;
            continue;
        }
        let mut under_way = JoinSet::new();
        for delivery in due {
            under_way.spawn(deliver(Arc::clone(site), http.clone(), delivery));
        }
        under_way.join_all().await;
    }
}

async fn deliver(site: Arc<Site>, http: Client, delivery: Delivery<DeliveryId>) {
    let Some((event_id, report)) = content(&site, delivery) else {
        return;
    };
    let body = verify::body(&event_id, &report, site.settings.merchant());
    let taken = bring(&http, &site.gate, site.settings.notify_url(), body).await;
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

fn content(site: &Site, delivery: Delivery<DeliveryId>) -> Option<(String, ProviderReport)> {
    site.sandbox.read(|book, _| {
        book.notice(delivery.id).map(|notice| {
            let report = notice.word.clone().report(delivery.id.payment);
            (notice.event_id.clone(), report)
        })
    })
}

fn postpone(site: &Site, delivery: Delivery<DeliveryId>) {
    let due_at = next_try(delivery.attempts, site.sandbox.now());
    site.sandbox
        .adjust(|book| book.postpone(delivery.id, due_at));
}
