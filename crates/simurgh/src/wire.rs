//! Wiring: settings in, a program out.

use std::future::Future;
use std::sync::Arc;

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use axum::Router;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use simurgh_app::crypto::Keyring;
use simurgh_app::ports::{Clock, Entropy, Messenger, PaymentProvider, Store};
use simurgh_app::subscriber::Rules;
use simurgh_app::{App, Settings, World};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_vocab::TimeZoneName;
use simurgh_web::admin::{Probes, Ready};
use simurgh_web::brand::Brand;
use simurgh_web::frame::{Frames, Policy, Transport};
use simurgh_web::state::WebState;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::system::{SystemClock, SystemEntropy};

/// Time and chance of this machine.
pub(crate) fn nature() -> (Arc<dyn Clock>, Arc<dyn Entropy>) {
    (
        Arc::new(SystemClock),
        Arc::new(SystemEntropy(SystemRandom::new())),
    )
}

/// Opens the store and brings its schema up to date.
pub(crate) fn open_store(url: &DatabaseUrl) -> anyhow::Result<Arc<Database>> {
    if let DatabaseUrl::Sqlite(path) = url
        && let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let store = Database::open(url, DatabaseOptions::default()).context("opening the store")?;
    let applied = store
        .migrate(SystemClock.now())
        .context("migrating the store")?;
    if !applied.is_empty() {
        tracing::info!(
            migrations = applied.len(),
            "the store's schema was brought up to date"
        );
    }
    Ok(Arc::new(store))
}

/// How often old codes and sessions are cleared.
const CLEAR_EVERY: std::time::Duration = std::time::Duration::from_secs(3_600);

/// What differs between one operator and another.
pub(crate) struct Operator {
    pub(crate) master_key: [u8; 32],
    pub(crate) brand: Brand,
    pub(crate) portal_url: String,
    pub(crate) series: String,
    pub(crate) time_zone: TimeZoneName,
    pub(crate) rules: Rules,
}

/// The use cases over a store, a messenger and providers.
pub(crate) fn app(
    operator: &Operator,
    store: Arc<dyn Store>,
    messenger: Arc<dyn Messenger>,
    providers: Vec<Arc<dyn PaymentProvider>>,
) -> App {
    let (clock, _) = nature();
    app_at(operator, clock, store, messenger, providers)
}

/// As [`app`], under a clock of its own.
pub(crate) fn app_at(
    operator: &Operator,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    messenger: Arc<dyn Messenger>,
    providers: Vec<Arc<dyn PaymentProvider>>,
) -> App {
    let (_, entropy) = nature();
    let world = World {
        store,
        clock,
        entropy,
        keyring: Keyring::new(&operator.master_key),
        messenger,
        providers,
        settings: Settings {
            brand: operator.brand.name.clone(),
            portal_url: operator.portal_url.clone(),
            document_series: operator.series.clone(),
            entity_time_zone: operator.time_zone.clone(),
        },
    };
    App::with_rules(world, operator.rules.clone())
}

/// What the pages stand on. `form_origins` are the origins of payment and identity pages a form may
/// lead to.
pub(crate) fn web(
    app: &App,
    operator: &Operator,
    form_origins: &[String],
) -> anyhow::Result<WebState> {
    let transport = if operator.portal_url.starts_with("https://") {
        Transport::Https
    } else {
        Transport::Http
    };
    let policy = Policy::new(transport, form_origins);
    let frames =
        Frames::new(operator.brand.clone(), policy, nature().0).context("loading the texts")?;
    Ok(WebState {
        app: app.clone(),
        frames,
        proxy_header: None,
    })
}

/// Installs the recorder of metrics.
pub(crate) fn metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .install_recorder()
        .context("installing the metrics recorder")
}

/// The admin pages over a store.
pub(crate) fn probes(store: &Arc<Database>, metrics: PrometheusHandle) -> Probes {
    let store = Arc::clone(store);
    Probes {
        ready: Arc::new(move || -> Ready {
            let store = Arc::clone(&store);
            Box::pin(async move { store.ping().await.map_err(|fault| fault.to_string()) })
        }),
        metrics: Arc::new(move || metrics.render()),
    }
}

/// The servers and runners of a process, stopped together.
pub(crate) struct Crew {
    tasks: JoinSet<anyhow::Result<()>>,
    stop: watch::Sender<bool>,
}

impl Crew {
    pub(crate) fn new() -> Self {
        Self {
            tasks: JoinSet::new(),
            stop: watch::Sender::new(false),
        }
    }

    /// A future that is done when the process is to stop.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.subscribe();
        async move {
            // The sender lives as long as the crew; when it is gone, so are we.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Serves `router` on `listener`.
    pub(crate) fn serve(&mut self, listener: TcpListener, router: Router) {
        let stopped = self.stopped();
        let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        self.run(async move {
            Ok(axum::serve(listener, service)
                .with_graceful_shutdown(stopped)
                .await?)
        });
    }

    /// Runs `task` beside the others.
    pub(crate) fn run(&mut self, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Runs the outbox, and the hourly clearing of old codes and sessions.
    pub(crate) fn run_app(&mut self, app: App) {
        let stopped = self.stopped();
        let runner = app.clone();
        self.run(async move {
            runner.run_outbox(stopped).await;
            Ok(())
        });
        let stopped = self.stopped();
        self.run(async move {
            tokio::pin!(stopped);
            loop {
                if let Err(fault) = app.forget_old_log_ins().await {
                    tracing::error!(%fault, "old codes and sessions were not cleared");
                }
                tokio::select! {
                    () = &mut stopped => return Ok(()),
                    () = tokio::time::sleep(CLEAR_EVERY) => {}
                }
            }
        });
    }

    /// Waits for a signal or for the first task to end, then stops all and waits for them.
    pub(crate) async fn work(mut self) -> anyhow::Result<()> {
        let mut outcome = tokio::select! {
            signal = signal() => signal,
            ended = self.tasks.join_next() => ended.map_or(Ok(()), |ended| ended?),
        };
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            outcome = outcome.and(ended?);
        }
        outcome
    }
}

async fn signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    Ok(())
}
