//! The Diameter node of this program: its listener, its peers, and who looks after silent sessions.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use simurgh_app::App;
use simurgh_app::charge::{ChargeDesk, DeskOptions};
use simurgh_app::ports::Reauthorizer;
use simurgh_diameter::message::application;
use simurgh_diameter::peer::Local;
use simurgh_gy::{Peers, Server, Settings};
use simurgh_store::DatabaseUrl;
use tokio::net::TcpListener;

use super::esim::authorities;
use crate::config::{ChargingSettings, TlsFiles};
use crate::crew::Crew;
use crate::wire::nature;

/// How often silent sessions are looked for.
const SUPERVISE_EVERY: Duration = Duration::from_secs(5);

/// How many batches PostgreSQL decides at once; SQLite has one writer.
const POSTGRES_WORKERS: usize = 4;

/// 3GPP, whose AVPs we know.
const VENDOR_3GPP: u32 = 10_415;

/// A node that can be served.
pub(crate) struct Node {
    settings: Settings,
    peers: Arc<Peers>,
    desk: DeskOptions,
}

impl Node {
    pub(crate) fn of(charging: &ChargingSettings, store: &DatabaseUrl) -> anyhow::Result<Self> {
        let (clock, entropy) = nature();
        let settings = Settings {
            peers: charging.peers.clone(),
            at_the_end: charging.at_the_end.clone(),
            store_down: charging.store_down,
            failure_handling: charging.failure_handling,
            limit_told: charging.limit_told,
            quota_holding_seconds: charging.quota_holding_seconds,
            tls: charging.tls.as_ref().map(tls).transpose()?,
            ..Settings::of(Local {
                host: charging.host.clone(),
                realm: charging.realm.clone(),
                addresses: vec![charging.listen.ip()],
                vendor_id: 0,
                product_name: "Simurgh".to_owned(),
                // Sessions outlive the program: it never loses any.
                origin_state_id: None,
                applications: vec![application::CREDIT_CONTROL],
                vendors: vec![VENDOR_3GPP],
            })
        };
        let peers = Peers::new(&settings, clock, entropy.as_ref());
        let workers = match store {
            DatabaseUrl::Sqlite(_) => 1,
            DatabaseUrl::Postgres(_) => POSTGRES_WORKERS,
        };
        Ok(Self {
            settings,
            peers,
            desk: DeskOptions {
                workers,
                ..DeskOptions::default()
            },
        })
    }

    /// The way back to the network.
    pub(crate) fn reauthorizer(&self) -> Arc<dyn Reauthorizer> {
        Arc::<Peers>::clone(&self.peers)
    }

    /// Serves the network on `listener`.
    pub(crate) fn serve(self, crew: &mut Crew, listener: TcpListener, app: &App) {
        let (stopped, supervised) = (crew.stopped(), crew.stopped());
        let runner = app.clone();
        let app = app.clone();
        crew.run(async move {
            let desk = ChargeDesk::open(&app, self.desk);
            let server = Server::new(app, desk, self.peers, self.settings);
            server.serve(listener, stopped).await;
            Ok(())
        });
        crew.run(async move {
            tokio::pin!(supervised);
            loop {
                if let Err(fault) = runner.supervise_sessions().await {
                    tracing::error!(%fault, "silent sessions were not looked after");
                }
                tokio::select! {
                    () = &mut supervised => return Ok(()),
                    () = tokio::time::sleep(SUPERVISE_EVERY) => {}
                }
            }
        });
    }
}

fn tls(files: &TlsFiles) -> anyhow::Result<Arc<ServerConfig>> {
    let certificates = authorities(&files.certificate).context("charging.tls_certificate")?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| files.key.display().to_string())
        .context("charging.tls_key")?;
    let trusted = authorities(&files.authorities).context("charging.tls_authorities")?;
    simurgh_gy::tls_config(certificates, key, &trusted).context("charging.tls_certificate")
}
