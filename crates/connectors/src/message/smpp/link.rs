//! Keeps the connection: opens it, binds, serves it until it breaks, waits, and again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rusmpp::{Command, CommandStatus, Pdu};
use simurgh_app::ports::ReceiptSink;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::pace::Backoff;
use super::session::{End, Session};
use super::settings::Plan;
use super::status::describe;
use super::wire::{Incoming, Wire};
use super::{Job, temporary};

/// The sequence number of the bind; the session counts on from here.
pub(super) const BIND_SEQUENCE_NUMBER: u32 = 1;

/// How the link fares, for those who wait on it.
#[derive(Debug, Clone, Default)]
pub(super) struct LinkState {
    /// Failed attempts since it was bound last.
    pub(super) failures: u32,
    /// The last trouble.
    pub(super) reason: String,
}

/// The task that keeps the connection.
pub(super) struct Link {
    plan: Arc<Plan>,
    sink: Arc<dyn ReceiptSink>,
    jobs: mpsc::Receiver<Job>,
    /// Messages a broken session gave back untouched.
    waiting: VecDeque<Job>,
    state: watch::Sender<LinkState>,
    stop: watch::Receiver<bool>,
}

impl Link {
    pub(super) fn new(
        plan: Arc<Plan>,
        sink: Arc<dyn ReceiptSink>,
        jobs: mpsc::Receiver<Job>,
        state: watch::Sender<LinkState>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            plan,
            sink,
            jobs,
            waiting: VecDeque::new(),
            state,
            stop,
        }
    }

    /// Runs until it is told to stop or its owner is gone.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(self.plan.reconnect_first, self.plan.reconnect_max);
        loop {
            let opened = tokio::select! {
                opened = open(&self.plan) => opened,
                () = stopped(&mut self.stop) => break,
            };
            match opened {
                Ok(wire) => {
                    let bound_at = tokio::time::Instant::now();
                    match self.serve(wire).await {
                        End::Stopped => break,
                        End::Lost(reason) => self.tell(0, reason),
                    }
                    // A session that ends at once counts as one more failure.
                    if bound_at.elapsed() > self.plan.reconnect_max {
                        backoff.reset();
                    }
                }
                Err(reason) => {
                    let failures = self.state.borrow().failures.saturating_add(1);
                    self.tell(failures, reason);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.pause()) => {}
                () = stopped(&mut self.stop) => break,
            }
        }
        self.turn_away();
    }

    async fn serve(&mut self, wire: Wire) -> End {
        tracing::info!(host = %self.plan.host, port = self.plan.port, "bound to the message centre");
        self.state.send_replace(LinkState::default());
        let session = Session::new(&self.plan, Arc::clone(&self.sink), wire);
        session
            .run(&mut self.jobs, &mut self.waiting, &mut self.stop)
            .await
    }

    fn tell(&self, failures: u32, reason: String) {
        tracing::warn!(
            host = %self.plan.host,
            port = self.plan.port,
            failures,
            reason,
            "no link to the message centre"
        );
        self.state.send_replace(LinkState { failures, reason });
    }

    /// Answers whoever still waits.
    fn turn_away(mut self) {
        self.jobs.close();
        let mut waiting = std::mem::take(&mut self.waiting);
        while let Ok(job) = self.jobs.try_recv() {
            waiting.push_back(job);
        }
        for job in waiting {
            // The asker may have given up.
            let _ = job.reply.send(Err(temporary("the SMS link is stopped")));
        }
    }
}

/// Waits for the word to stop; an owner that is gone counts as one.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Connects and binds.
async fn open(plan: &Plan) -> Result<Wire, String> {
    let mut wire = within(plan.response_timeout, "connect", connect(plan)).await?;
    within(plan.response_timeout, "bind", bind(plan, &mut wire)).await?;
    Ok(wire)
}

async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(format!("{what}: no answer within {} s", limit.as_secs())))
}

async fn connect(plan: &Plan) -> Result<Wire, String> {
    let say = |error: std::io::Error| format!("connect: {error}");
    let stream = TcpStream::connect((plan.host.as_str(), plan.port))
        .await
        .map_err(say)?;
    // Small PDUs that are waited for: do not collect them.
    stream.set_nodelay(true).map_err(say)?;
    match &plan.tls {
        None => Ok(Wire::new(Box::new(stream))),
        Some((config, name)) => {
            let connector = TlsConnector::from(Arc::clone(config));
            let stream = connector
                .connect(name.clone(), stream)
                .await
                .map_err(|error| format!("TLS: {error}"))?;
            Ok(Wire::new(Box::new(stream)))
        }
    }
}

async fn bind(plan: &Plan, wire: &mut Wire) -> Result<(), String> {
    let request = Command::new(
        CommandStatus::EsmeRok,
        BIND_SEQUENCE_NUMBER,
        Pdu::BindTransceiver(plan.bind.clone()),
    );
    wire.send(&request)
        .await
        .map_err(|error| format!("bind: {error}"))?;
    loop {
        while let Some(incoming) = wire.next().map_err(|error| error.to_string())? {
            let (status, sequence_number) = match incoming {
                Incoming::Command(command) => (command.status(), command.sequence_number()),
                Incoming::Unreadable(header) => {
                    (CommandStatus::from(header.status), header.sequence_number)
                }
            };
            if sequence_number != BIND_SEQUENCE_NUMBER {
                continue;
            }
            return match status {
                CommandStatus::EsmeRok => Ok(()),
                refused => Err(format!("bind: {}", describe(refused))),
            };
        }
        match wire.receive().await {
            Ok(0) => return Err("bind: the message centre closed the connection".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(format!("bind: {error}")),
        }
    }
}
