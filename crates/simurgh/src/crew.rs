//! The servers and runners of a process: started together, stopped together.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::middleware::from_fn_with_state;
use rustls::ServerConfig;
use simurgh_app::App;
use simurgh_app::ports::Entropy;
use simurgh_app::retention::Retention;
use simurgh_web::frame::observe::{Observer, Proxies, observe};
use simurgh_web::frame::{Takes, gate};
use simurgh_web::server::{Limits, serve, serve_tls};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::wire::nature;

/// How often what is over is cleared.
const CLEAR_EVERY: Duration = Duration::from_secs(3_600);

/// What the runners have beyond the servers' time to stop: a job under way may take this long.
const RUNNERS_TIMEOUT: Duration = Duration::from_secs(10);

/// The servers and runners of a process.
pub(crate) struct Crew {
    tasks: JoinSet<anyhow::Result<()>>,
    admin: Option<JoinHandle<()>>,
    signals: Signals,
    stop: watch::Sender<bool>,
    end: watch::Sender<bool>,
    limits: Limits,
    proxies: Arc<Proxies>,
    entropy: Arc<dyn Entropy>,
}

impl Crew {
    pub(crate) fn new(limits: Limits, proxies: Proxies) -> anyhow::Result<Self> {
        Ok(Self {
            tasks: JoinSet::new(),
            admin: None,
            signals: Signals::new()?,
            stop: watch::Sender::new(false),
            end: watch::Sender::new(false),
            limits,
            proxies: Arc::new(proxies),
            entropy: nature().1,
        })
    }

    /// A future that is done when the process is to stop.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        told(self.stop.subscribe())
    }

    /// Whether the process is stopping, from now on.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Serves the site `name` on `listener`.
    pub(crate) fn serve(&mut self, name: &'static str, listener: TcpListener, router: Router) {
        let router = self.observed(name, router);
        let (stopped, limits) = (self.stopped(), self.limits);
        self.run(async move {
            serve(listener, router, limits, stopped).await;
            Ok(())
        });
    }

    /// Serves the pages of an outside company that is played here, within the limits of the other
    /// sites, and runs what brings its notifications.
    pub(crate) fn serve_outside(
        &mut self,
        (name, listener): (&'static str, TcpListener),
        router: Router,
        courier: impl Future<Output = Infallible> + Send + 'static,
    ) {
        self.serve(
            name,
            listener,
            router.layer(from_fn_with_state(Takes::Messages, gate)),
        );
        let stopped = self.stopped();
        self.run(async move {
            tokio::select! {
                () = stopped => Ok(()),
                never = courier => match never {},
            }
        });
    }

    /// As [`serve`](Self::serve), over TLS.
    pub(crate) fn serve_tls(
        &mut self,
        name: &'static str,
        listener: TcpListener,
        router: Router,
        tls: Arc<ServerConfig>,
    ) {
        let router = self.observed(name, router);
        let (stopped, limits) = (self.stopped(), self.limits);
        self.run(async move {
            serve_tls(listener, router, limits, tls, stopped).await;
            Ok(())
        });
    }

    /// The site with a line of the log and a number for each request.
    fn observed(&self, name: &'static str, router: Router) -> Router {
        let observer = Observer {
            site: name,
            entropy: Arc::clone(&self.entropy),
            proxies: Arc::clone(&self.proxies),
        };
        router.layer(from_fn_with_state(observer, observe))
    }

    /// Serves the admin pages; they stay until everything else has stopped, so that machines see
    /// the node as not ready meanwhile.
    pub(crate) fn serve_admin(&mut self, listener: TcpListener, router: Router) {
        let ended = told(self.end.subscribe());
        let limits = Limits {
            stop_timeout: Duration::from_secs(1),
            ..self.limits
        };
        self.admin = Some(tokio::spawn(serve(listener, router, limits, ended)));
    }

    /// Runs `task` beside the others.
    pub(crate) fn run(&mut self, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Runs the outbox, and the hourly clearing of what is over and was kept long enough.
    pub(crate) fn run_app(&mut self, app: App, kept: Retention) {
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
                if let Err(fault) = app.forget_old(kept).await {
                    tracing::error!(%fault, "old jobs, messages, codes and sessions were not cleared");
                }
                tokio::select! {
                    () = &mut stopped => return Ok(()),
                    () = tokio::time::sleep(CLEAR_EVERY) => {}
                }
            }
        });
    }

    /// Waits for a signal or for the first task to end, then stops all and waits for them. What
    /// does not end in time is given up: the store has everything that was promised, and jobs under
    /// way are taken again when their time is over. A second signal ends the process at once.
    pub(crate) async fn work(mut self) -> anyhow::Result<()> {
        let mut outcome = tokio::select! {
            () = self.signals.next() => Ok(()),
            ended = self.tasks.join_next() => ended.map_or(Ok(()), |ended| ended?),
        };
        tracing::info!("stopping");
        self.stop.send_replace(true);
        let tasks = &mut self.tasks;
        let drain = async {
            let mut outcome = Ok(());
            while let Some(ended) = tasks.join_next().await {
                outcome = outcome.and(ended.context("a task panicked").and_then(|ended| ended));
            }
            outcome
        };
        let patience = self.limits.stop_timeout + RUNNERS_TIMEOUT;
        tokio::select! {
            drained = tokio::time::timeout(patience, drain) => match drained {
                Ok(drained) => outcome = outcome.and(drained),
                Err(_) => tracing::warn!("some work did not end in time and was given up"),
            },
            () = self.signals.next() => {
                tracing::warn!("stopped at once by a second signal");
                std::process::exit(1);
            }
        }
        self.tasks.shutdown().await;
        self.end.send_replace(true);
        if let Some(admin) = self.admin {
            admin.await?;
        }
        tracing::info!("stopped");
        outcome
    }
}

/// Done when the sender says so, or is gone.
async fn told(mut receiver: watch::Receiver<bool>) {
    // The sender lives as long as the crew; when it is gone, so are we.
    let _ = receiver.wait_for(|told| *told).await;
}

/// The signals that stop the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Takes an address.
pub(crate) async fn listen(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("listening on {address}: is another program there? {setting} says where to listen")
    })
}
