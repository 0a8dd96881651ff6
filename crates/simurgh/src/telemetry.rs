//! What the process tells about itself: log and metrics.

use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::Context;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use simurgh_app::App;
use simurgh_store::Database;
use simurgh_web::admin::{Metrics, Probes, Ready};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Borders of the histograms of durations, in seconds: from a page in memory to a provider that
/// hangs.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Begins the log on standard error.
///
/// A panic is a line of it too, with its place but without its words: those may hold anything.
pub(crate) fn log(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("log.filter")?;
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let installed = match (format, is_terminal) {
        (LogFormat::Text, _) | (LogFormat::Auto, true) => builder.with_ansi(is_terminal).try_init(),
        (LogFormat::Json, _) | (LogFormat::Auto, false) => {
            builder.json().with_span_list(false).try_init()
        }
    };
    installed.map_err(|error| anyhow::anyhow!("starting the log: {error}"))?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a defect: the program panicked");
    }));
    Ok(())
}

/// Installs the recorder of metrics and says what each one means.
pub(crate) fn metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .context("the borders of histograms")?
        .install_recorder()
        .context("installing the metrics recorder")?;
    describe_counters();
    describe_others();
    gauge!("simurgh_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

fn describe_counters() {
    for (name, text) in [
        (
            "simurgh_http_requests_total",
            "Answers by site, method, route and status.",
        ),
        (
            "simurgh_http_connections_refused_total",
            "Connections turned away: all were taken.",
        ),
        (
            "simurgh_panics_total",
            "Pages that panicked and were answered 500.",
        ),
        (
            "simurgh_notifications_refused_total",
            "Notifications that were not believed.",
        ),
        (
            "simurgh_payment_settlements_total",
            "Words of payment providers, by their effect.",
        ),
        (
            "simurgh_jobs_postponed_total",
            "Jobs of the outbox that must be tried again.",
        ),
        (
            "simurgh_staff_log_ins_refused_total",
            "Refused log-ins on the console.",
        ),
        (
            "simurgh_store_commits_total",
            "Commits; SQLite commits many transactions at once.",
        ),
        (
            "simurgh_store_retries_total",
            "Transactions repeated, by cause.",
        ),
        (
            "simurgh_store_refused_total",
            "Transactions refused: too many waited.",
        ),
    ] {
        describe_counter!(name, text);
    }
}

fn describe_others() {
    for (name, text) in [
        ("simurgh_build_info", "1, with the version of the program."),
        ("simurgh_http_connections", "Open connections."),
        (
            "simurgh_outbox_due",
            "Jobs of the outbox that are due and not done.",
        ),
        (
            "simurgh_outbox_stuck",
            "Jobs tried so often that somebody should look.",
        ),
        (
            "simurgh_payments_open",
            "Payments that are not settled, by state.",
        ),
        (
            "simurgh_store_queue_length",
            "Transactions that wait for a connection.",
        ),
    ] {
        describe_gauge!(name, text);
    }
    let age = "How long the oldest due job has waited.";
    describe_gauge!("simurgh_outbox_oldest_seconds", Unit::Seconds, age);
    let took = "How long answers took, by site and route.";
    describe_histogram!("simurgh_http_request_seconds", Unit::Seconds, took);
    let took = "How long commits took.";
    describe_histogram!("simurgh_store_commit_seconds", Unit::Seconds, took);
}

/// The admin pages over a store and the program on it.
pub(crate) fn probes(
    store: &Arc<Database>,
    app: &App,
    handle: PrometheusHandle,
    stopping: watch::Receiver<bool>,
) -> Probes {
    let (store, app) = (Arc::clone(store), app.clone());
    let ready = move || -> Ready {
        let (store, stopping) = (Arc::clone(&store), *stopping.borrow());
        Box::pin(async move {
            if stopping {
                return Err("stopping".to_owned());
            }
            store.ping().await.map_err(|fault| fault.to_string())
        })
    };
    let metrics = move || -> Metrics {
        let (app, handle) = (app.clone(), handle.clone());
        Box::pin(async move {
            take_vitals(&app).await;
            handle.run_upkeep();
            handle.render()
        })
    };
    Probes {
        ready: Arc::new(ready),
        metrics: Arc::new(metrics),
    }
}

/// Reads the gauges that only the store knows.
async fn take_vitals(app: &App) {
    let vitals = match app.vitals().await {
        Ok(vitals) => vitals,
        Err(fault) => {
            tracing::warn!(%fault, "the store's metrics could not be read");
            return;
        }
    };
    gauge!("simurgh_outbox_due").set(vitals.counts.due_jobs as f64);
    gauge!("simurgh_outbox_stuck").set(vitals.counts.stuck_jobs as f64);
    gauge!("simurgh_outbox_oldest_seconds").set(vitals.oldest_due_seconds as f64);
    for state in ["created", "processing", "action-required", "unknown"] {
        let open = vitals.counts.open_payments.iter();
        let count = open
            .filter(|(known, _)| known == state)
            .map(|(_, count)| *count)
            .sum::<u64>();
        gauge!("simurgh_payments_open", "state" => state).set(count as f64);
    }
}
