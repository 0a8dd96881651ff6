//! The server's process.

use std::sync::Arc;

use simurgh_app::charge::{ChargeDesk, DeskOptions, Rules};
use simurgh_app::ports::{Clock, Entropy};
use simurgh_diameter::allowed::AllowedPeer;
use simurgh_diameter::peer::Local;
use simurgh_gy::{Peers, Server, Settings};
use simurgh_sim::{MachineClock, RealWorld, SeededEntropy};
use tokio::net::TcpListener;

use super::{open, said};

/// The realm of everybody.
pub(super) const REALM: &str = "example.com";
/// The most connections that load brings.
const CLIENTS: u32 = 64;

/// The name of a client.
pub(super) fn client(number: u32) -> String {
    format!("pgw{number:02}.{REALM}")
}

/// Serves until it is killed; says where.
pub(crate) async fn serve(url: &str) -> Result<(), String> {
    let rules = Rules {
        home: "CN".parse().ok(),
        ..Rules::default()
    };
    let app = RealWorld::charging(Arc::new(open(url)?), rules).await?.app;
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
    let settings = settings();
    let peers = Peers::new(&settings, clock, entropy.as_ref());
    let workers = if url.starts_with("postgres") { 2 } else { 1 };
    let options = DeskOptions {
        workers,
        ..DeskOptions::default()
    };
    let desk = ChargeDesk::open(&app, options);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(said)?;
    println!("{}", listener.local_addr().map_err(said)?);
    let server = Server::new(app, desk, peers, settings);
    server.serve(listener, std::future::pending()).await;
    Ok(())
}

fn settings() -> Settings {
    let peer = |number| AllowedPeer {
        host: client(number),
        realm: REALM.to_owned(),
        addresses: Vec::new(),
    };
    Settings {
        peers: (0..CLIENTS).map(peer).collect(),
        ..Settings::of(Local {
            host: format!("ocs.{REALM}"),
            realm: REALM.to_owned(),
            addresses: vec![[127, 0, 0, 1].into()],
            vendor_id: 0,
            product_name: "Simurgh".to_owned(),
            origin_state_id: None,
            applications: vec![4],
            vendors: vec![10_415],
        })
    }
}
