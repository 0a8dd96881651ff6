//! The SM-DP+ of this program: its certificates, its maker of packages, its listener.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use simurgh_app::App;
use simurgh_app::esim::Rules;
use simurgh_app::ports::{DiscoveryServers, ProfilePackager, ProgressListener};
use simurgh_connectors::esim::{DiscoveryTeller, Listener, LpaTransportSettings, ProgressTeller};
use simurgh_rsp::pki::Credentials;
use simurgh_smdp::{Packager, ServerCredentials, Smdp, SmdpSettings, tls_config, tls_identity};
use simurgh_vocab::Timestamp;
use tokio::net::TcpListener;

use crate::config::{EsimSettings, EsimTransport};
use crate::crew::Crew;

/// The rules of eSIM with a maker of packages for the server at `address`.
pub(crate) fn rules(address: &str, profile_version: u32) -> Rules {
    let packager = Packager::new(address.to_owned(), profile_version);
    Rules {
        packager: Some(Arc::new(packager) as Arc<dyn ProfilePackager>),
        ..Rules::default()
    }
}

/// The same, as an operator in production set them.
pub(crate) fn rules_of(settings: &EsimSettings) -> anyhow::Result<Rules> {
    let loaded = crate::euicc_files::load(&settings.certificates).context("esim.certificates")?;
    Ok(Rules {
        listener: listener(settings, &loaded).context("esim.caller_listener")?,
        discovery: discovery(settings, &loaded).context("esim.discovery")?,
        ..rules(&settings.address, settings.profile_version)
    })
}

/// An operator's own server is certified by whoever certifies it as a caller, or by the authorities of the web.
fn listener(
    settings: &EsimSettings,
    loaded: &Credentials,
) -> anyhow::Result<Option<Arc<dyn ProgressListener>>> {
    let Some(listening) = settings.listener.clone() else {
        return Ok(None);
    };
    let roots = match &settings.authorities {
        Some(file) => authorities(file)?,
        None => Vec::new(),
    };
    let reach = LpaTransportSettings {
        trusts_the_web: roots.is_empty(),
        roots: roots.iter().map(|root| root.to_vec()).collect(),
        identity: tls_identity(&loaded.owned),
        token: listening.token,
        ..LpaTransportSettings::default()
    };
    let listener = Listener::at(listening.address, &reach)?;
    let listeners = BTreeMap::from([(listening.operator, listener)]);
    let teller = ProgressTeller::new(settings.address.clone(), listeners);
    Ok(Some(Arc::new(teller)))
}

/// An SM-DS is certified by the roots of eSIM.
fn discovery(
    settings: &EsimSettings,
    loaded: &Credentials,
) -> anyhow::Result<Option<Arc<dyn DiscoveryServers>>> {
    let (addresses, token) = settings.discovery.clone();
    if addresses.is_empty() {
        return Ok(None);
    }
    let roots = loaded.roots.iter().map(|root| root.der().to_vec());
    let reach = LpaTransportSettings {
        roots: roots.collect(),
        identity: tls_identity(&loaded.owned),
        token,
        ..LpaTransportSettings::default()
    };
    let teller = DiscoveryTeller::new(settings.address.clone(), addresses, &reach)?;
    Ok(Some(Arc::new(teller)))
}

/// A server that can be served.
pub(crate) struct Server {
    credentials: Arc<ServerCredentials>,
    settings: SmdpSettings,
    tls: Option<Arc<ServerConfig>>,
}

impl Server {
    /// The server of a program in production.
    pub(crate) fn of(settings: &EsimSettings, now: Timestamp) -> anyhow::Result<Self> {
        let folder = settings.certificates.display().to_string();
        let loaded =
            crate::euicc_files::load(&settings.certificates).context("esim.certificates")?;
        let authorities = match &settings.authorities {
            None => Vec::new(),
            Some(file) => authorities(file).context("esim.caller_authorities")?,
        };
        let told = SmdpSettings {
            smds_address: settings.smds_address.clone(),
            callers: settings.callers.clone(),
            order_lasts: settings.order_lasts,
            ..SmdpSettings::new(settings.address.clone())
        };
        Self::new(loaded, told, (settings.transport, &authorities), now)
            .with_context(|| format!("esim.certificates: {folder}"))
    }

    pub(crate) fn new(
        loaded: Credentials,
        settings: SmdpSettings,
        (transport, authorities): (EsimTransport, &[CertificateDer<'static>]),
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let credentials = ServerCredentials::new(loaded, now)?;
        let tls = match transport {
            EsimTransport::Tls => Some(tls_config(&credentials, authorities)?),
            EsimTransport::Plain => None,
        };
        Ok(Self {
            credentials: Arc::new(credentials),
            settings,
            tls,
        })
    }

    /// Serves phones and operators on `listener`.
    pub(crate) fn serve(self, crew: &mut Crew, listener: TcpListener, app: &App) {
        let smdp = Smdp::new(app.clone(), self.credentials, self.settings);
        match self.tls {
            None => crew.serve("esim", listener, smdp.router()),
            Some(tls) => crew.serve_tls("esim", listener, smdp.router(), tls),
        }
    }
}

pub(super) fn authorities(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let found = found.with_context(|| file.display().to_string())?;
    anyhow::ensure!(
        !found.is_empty(),
        "{}: no certificate in it",
        file.display()
    );
    Ok(found)
}
