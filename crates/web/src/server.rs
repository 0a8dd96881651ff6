//! The HTTP/1.1 server: one task per connection, and a limit on everything a peer can hold on to.
//!
//! `axum::serve` knows no limits: a peer that opens connections and says nothing would keep them
//! for ever (the attack known as Slowloris).

mod paced;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tower::ServiceExt as _;

use paced::Paced;

/// The most octets of a request's head: address and header fields. More is answered 431 or 414.
const HEAD_OCTETS_MAX: usize = 32 * 1024;

/// The pause after the system refused a connection, for want of file handles for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is said to whoever comes when all connections are taken.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
    retry-after: 5\r\ncontent-length: 0\r\n\r\n";

/// How much a peer may hold, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once; more are answered 503.
    pub connections_max: usize,
    /// The time for a request's head, and for a connection to be idle between requests.
    pub head_timeout: Duration,
    /// The time for a request's body; then 408.
    pub body_timeout: Duration,
    /// The time for which a peer may take nothing of an answer.
    pub write_timeout: Duration,
    /// The time that requests under way have once the server is told to stop.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            head_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(20),
        }
    }
}

/// The time that the body of this request has; in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyTimeout(pub(crate) Duration);

/// Serves `router` on `listener` until `stop` is done, then finishes what is under way within
/// [`Limits::stop_timeout`]. Handlers find the peer's address as `ConnectInfo<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    take_connections(listener, router, limits, None, stop).await;
}

/// The certificates that a peer showed in TLS and that were verified, its own first: an extension of requests.
pub type PeerCertificates = Arc<[CertificateDer<'static>]>;

/// As [`serve`], over TLS. Handlers find what the peer showed, if it did, as [`PeerCertificates`].
pub async fn serve_tls(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    tls: Arc<ServerConfig>,
    stop: impl Future<Output = ()>,
) {
    take_connections(listener, router, limits, Some(tls.into()), stop).await;
}

async fn take_connections(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    stop: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let stopping = watch::Sender::new(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                refused_by_the_system(&error).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            turn_away(&stream);
            continue;
        };
        let connection = Connection {
            router: router.clone(),
            limits,
            peer,
            shown: None,
            _slot: slot,
        };
        connections.spawn(connection.run(stream, tls.clone(), stopping.subscribe()));
    }
    drop(listener);
    stopping.send_replace(true);
    let drain = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.stop_timeout, drain)
        .await
        .is_err()
    {
        tracing::warn!(
            connections = connections.len(),
            "requests did not end in time and were given up"
        );
        connections.shutdown().await;
    }
}

/// Connections that broke before they were taken concern nobody; anything else is the machine's.
async fn refused_by_the_system(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        return;
    }
    tracing::error!(%error, "no connection can be taken");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Says that there is no room, as far as it fits into the system's buffer: nobody waits for it.
fn turn_away(stream: &TcpStream) {
    metrics::counter!("simurgh_http_connections_refused_total").increment(1);
    match stream.try_write(FULL) {
        Ok(_) | Err(_) => {}
    }
}

struct Connection {
    router: Router,
    limits: Limits,
    peer: SocketAddr,
    shown: Option<PeerCertificates>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(
        mut self,
        stream: TcpStream,
        tls: Option<TlsAcceptor>,
        told: watch::Receiver<bool>,
    ) {
        let open = metrics::gauge!("simurgh_http_connections");
        open.increment(1);
        // Small answers must not wait for the acknowledgement of those before.
        let _ = stream.set_nodelay(true);
        let stream = Paced::new(stream, self.limits.write_timeout);
        match tls {
            None => self.converse(stream, told).await,
            Some(tls) => {
                let patience = self.limits.head_timeout;
                match tokio::time::timeout(patience, tls.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        let shown = stream.get_ref().1.peer_certificates();
                        self.shown = shown.map(Arc::from);
                        self.converse(stream, told).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS with a peer"),
                    Err(_) => tracing::debug!("a peer began TLS and did not go on"),
                }
            }
        }
        open.decrement(1);
    }

    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        mut told: watch::Receiver<bool>,
    ) {
        let io = TokioIo::new(stream);
        let service = service_fn(|request| self.answer(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_buf_size(HEAD_OCTETS_MAX)
            .serve_connection(io, service);
        let mut connection = std::pin::pin!(connection);
        let stopping = async move {
            // The sender lives as long as the server; when it is gone, so are we.
            let _ = told.wait_for(|stopping| *stopping).await;
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopping => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<axum::response::Response, std::convert::Infallible> {
        let mut request = request.map(Body::new);
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(BodyTimeout(self.limits.body_timeout));
        if let Some(shown) = &self.shown {
            extensions.insert(Arc::clone(shown));
        }
        self.router.clone().oneshot(request).await
    }
}
