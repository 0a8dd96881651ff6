//! TLS for the protocols that bring none of their own.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::SettingFault;

/// A client that trusts the public authorities and those in `extra_ca_file`.
pub(super) fn client(extra_ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SettingFault> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for authority in authorities(extra_ca_file)? {
        roots
            .add(authority)
            .map_err(|error| SettingFault::new("extra_ca_file", error.to_string()))?;
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingFault::new("tls", error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The certificates in `extra_ca_file`, at least one if there is a file.
pub(super) fn authorities(
    extra_ca_file: Option<&Path>,
) -> Result<Vec<CertificateDer<'static>>, SettingFault> {
    let Some(file) = extra_ca_file else {
        return Ok(Vec::new());
    };
    let fault = |reason: String| {
        SettingFault::new("extra_ca_file", format!("{}: {reason}", file.display()))
    };
    let authorities: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| fault(error.to_string()))?;
    if authorities.is_empty() {
        return Err(fault("no certificate in it".to_owned()));
    }
    Ok(authorities)
}
