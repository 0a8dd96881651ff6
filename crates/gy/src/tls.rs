//! TLS with gateways: both sides show certificates, and a gateway's must be for its Diameter name.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

/// TLS cannot be offered; the operator's files are to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The authorities of gateways cannot be used.
    #[error("the authorities of gateways: {0}")]
    Authorities(String),
    /// Our certificate or its key cannot be used.
    #[error("our certificate and its key: {0}")]
    Certificate(String),
}

/// What a listener needs that speaks TLS from the first octet. Gateways must show a certificate of one of
/// `authorities`.
///
/// # Errors
/// [`TlsFault`].
///
/// Source: `RFC 6733 §13.1`
pub fn tls_config(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authorities: &[CertificateDer<'static>],
) -> Result<Arc<ServerConfig>, TlsFault> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots
            .add(authority.clone())
            .map_err(|error| TlsFault::Authorities(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| TlsFault::Authorities(error.to_string()))?;
    let certificate = |error: rustls::Error| TlsFault::Certificate(error.to_string());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(certificate)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates, key)
        .map_err(certificate)?;
    Ok(Arc::new(config))
}

/// Whoever is at the other end, as far as the connection says.
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    /// What it showed in TLS; its authority is known.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

impl Caller {
    /// Whether the certificate is for this Diameter name; without TLS nothing is said against any name.
    pub(crate) fn may_be(&self, host: &str) -> bool {
        let Some(certificate) = &self.certificate else {
            return true;
        };
        let (Ok(parsed), Ok(name)) = (
            ParsedCertificate::try_from(certificate),
            ServerName::try_from(host),
        ) else {
            return false;
        };
        rustls::client::verify_server_name(&parsed, &name).is_ok()
    }
}
