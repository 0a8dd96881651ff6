//! The demo's phones: chips that the demo's manufacturer certifies, on the demo's own network.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use simurgh_app::ports::{Clock, Entropy};
use simurgh_connectors::esim::LpaTransportSettings;
use simurgh_connectors::handset::{
    HandsetServer, HandsetSettings, HttpsRadio, Shelf, ShortMessage, ShortMessages,
};
use simurgh_rsp::pki::Credentials;
use simurgh_vocab::{Msisdn, Timestamp};
use simurgh_web::inbox::Inbox;
use tokio::runtime::Handle;

/// What a chip takes for a piece of a package: real ones take longer, nobody wants to wait for that here.
const PACE: Duration = Duration::from_millis(60);

/// Where the phones find what they need.
pub(super) struct Network {
    /// The SM-DP+, as codes name it.
    pub(super) smdp_address: String,
    /// The SM-DS.
    pub(super) smds_address: String,
    /// Where both listen.
    pub(super) place: SocketAddr,
    /// Where short messages arrive.
    pub(super) inbox: Arc<Inbox>,
}

/// The phones in `folder`.
pub(super) fn open(
    folder: &Path,
    credentials: Credentials,
    network: Network,
    nature: (Arc<dyn Clock>, Arc<dyn Entropy>),
) -> anyhow::Result<HandsetServer> {
    let reach = LpaTransportSettings {
        roots: credentials
            .roots
            .iter()
            .map(|root| root.der().to_vec())
            .collect(),
        connect_to: Some(network.place),
        danger_plain_http: false,
        ..LpaTransportSettings::default()
    };
    let radio = Arc::new(HttpsRadio::new(&reach, Handle::current())?);
    let settings = HandsetSettings {
        folder: folder.join("phones"),
        credentials,
        issuer: crate::euicc_files::local_names()?.ein,
        smds_address: network.smds_address,
        default_smdp_address: Some(network.smdp_address),
        pace: PACE,
    };
    let letters = Arc::new(Letters(network.inbox));
    let shelf = tokio::task::block_in_place(|| Shelf::open(settings, nature, (radio, letters)))?;
    Ok(HandsetServer::new(shelf))
}

/// The demo's inbox as a short message centre.
struct Letters(Arc<Inbox>);

impl ShortMessages for Letters {
    fn sent_to(&self, number: &Msisdn) -> Vec<ShortMessage> {
        let received = self.0.short_messages_to(number).into_iter();
        received
            .map(|one| ShortMessage {
                text: one.text,
                at: Timestamp::from_micros(one.at_micros),
            })
            .collect()
    }
}
