//! The listener.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use simurgh_app::App;
use simurgh_app::charge::ChargeDesk;
use simurgh_diameter::base::DisconnectCause;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::link::{self, INTRODUCTION, Shared};
use crate::peers::Peers;
use crate::settings::Settings;
use crate::slots::Slots;
use crate::tls::Caller;

/// The pause after the system refused a connection, for want of file handles for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long connections have to end once the server is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A Diameter server for credit control.
pub struct Server {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// A server that hands requests to `desk` and answers as `peers`' own node.
    #[must_use]
    pub fn new(app: App, desk: ChargeDesk, peers: Arc<Peers>, settings: Settings) -> Self {
        let shared = Shared {
            app,
            desk,
            peers,
            settings,
            restarts: Arc::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Serves until `stop` is done, then says good-bye to every peer (DPR) and ends.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let settings = &self.shared.settings;
        let slots = Slots::new(
            settings.connections_max,
            settings.connections_per_address_max,
        );
        let mut links = JoinSet::new();
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = listener.accept() => accepted,
                Some(_) = links.join_next(), if !links.is_empty() => continue,
            };
            let (stream, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    refused_by_the_system(&error).await;
                    continue;
                }
            };
            if !self.shared.peers.may_come_from(from.ip()) {
                tracing::warn!(%from, "no Diameter peer may come from there");
                continue;
            }
            let Some(slot) = slots.take(from.ip()) else {
                tracing::warn!(%from, "all Diameter connections are taken");
                continue;
            };
            set_up(&stream);
            let shared = Arc::clone(&self.shared);
            links.spawn(async move {
                serve_one(stream, from.ip(), shared).await;
                drop(slot);
            });
        }
        drop(listener);
        let now = self.shared.app.now();
        self.shared.peers.stop(DisconnectCause::Rebooting, now);
        let drain = async { while links.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_TIMEOUT, drain).await.is_err() {
            links.shutdown().await;
        }
    }
}

async fn serve_one(stream: TcpStream, address: IpAddr, shared: Arc<Shared>) {
    let mut caller = Caller {
        address,
        certificate: None,
    };
    let Some(tls) = &shared.settings.tls else {
        return link::run(stream, caller, shared).await;
    };
    let greeting = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
    let stream = match tokio::time::timeout(INTRODUCTION, greeting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::warn!(from = %address, %error, "TLS with a gateway did not come about");
            return;
        }
        Err(_) => return,
    };
    let shown = stream.get_ref().1.peer_certificates();
    let own = shown.and_then(<[_]>::first);
    let Some(certificate) = own.map(|it| it.clone().into_owned()) else {
        return;
    };
    caller.certificate = Some(certificate);
    link::run(stream, caller, shared).await;
}

fn set_up(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
}

async fn refused_by_the_system(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be taken");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
