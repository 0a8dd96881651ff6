//! TLS with the certificates of eSIM: phones trust the GSMA's roots only, so the certificate is CERT.DPtls, and
//! CERT.DStls for the name of the SM-DS. Its key stays behind the same seam as the others.
//!
//! Source: SGP.22 v2.5 §2.6.6 and §6.1

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{RootCertStore, ServerConfig, SignatureAlgorithm, SignatureScheme};
use simurgh_rsp::certificate::Role;
use simurgh_rsp::key::{Curve, signature_to_der};
use simurgh_rsp::pki::Credential;

use crate::credentials::ServerCredentials;

/// TLS cannot be offered; the operator's certificates are to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// No CERT.DPtls on P-256 is there with its key.
    #[error("no CERT.DPtls on NIST P-256 is there with its key")]
    NoCertificate,
    /// A certificate of an authority for callers cannot be used.
    #[error("an authority for callers: {0}")]
    Authority(String),
    /// The library refuses.
    #[error("TLS: {0}")]
    Library(String),
}

/// What a TLS listener needs. Callers may show a certificate of one of `authorities` (DER); phones show none.
///
/// # Errors
/// [`TlsFault`].
pub fn tls_config(
    credentials: &ServerCredentials,
    authorities: &[CertificateDer<'static>],
) -> Result<Arc<ServerConfig>, TlsFault> {
    let library = |error: rustls::Error| TlsFault::Library(error.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(library)?;
    let builder = if authorities.is_empty() {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots
                .add(authority.clone())
                .map_err(|error| TlsFault::Authority(error.to_string()))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()
            .map_err(|error| TlsFault::Authority(error.to_string()))?;
        builder.with_client_cert_verifier(verifier)
    };
    let mut config = builder.with_cert_resolver(Arc::new(ByName::new(credentials.tls())?));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What our SM-DP+ shows in TLS when it calls another server; none without CERT.DPtls on P-256.
#[must_use]
pub fn tls_identity(credentials: &[Credential]) -> Option<Arc<CertifiedKey>> {
    let own = credentials.iter().find(|one| {
        let certificate = one.certificate();
        certificate.role() == Some(Role::DpTls) && certificate.public_key().curve() == Curve::P256
    });
    own.map(certified)
}

/// Chooses a certificate by the name that the client asks for; the first one when it asks for none of them.
#[derive(Debug)]
struct ByName {
    first: Arc<CertifiedKey>,
    named: Vec<(Vec<String>, Arc<CertifiedKey>)>,
}

impl ByName {
    fn new(credentials: &[Credential]) -> Result<Self, TlsFault> {
        let on_p256 = |one: &&Credential| one.certificate().public_key().curve() == Curve::P256;
        let named: Vec<_> = credentials
            .iter()
            .filter(on_p256)
            .map(|one| (one.certificate().dns_names().to_vec(), certified(one)))
            .collect();
        let first = tls_identity(credentials).ok_or(TlsFault::NoCertificate)?;
        Ok(Self { first, named })
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let wanted = hello.server_name();
        let found = wanted.and_then(|name| {
            self.named
                .iter()
                .find(|(names, _)| names.iter().any(|one| one.eq_ignore_ascii_case(name)))
        });
        Some(Arc::clone(found.map_or(&self.first, |(_, key)| key)))
    }
}

fn certified(credential: &Credential) -> Arc<CertifiedKey> {
    let chain = vec![CertificateDer::from(
        credential.certificate().der().to_vec(),
    )];
    Arc::new(CertifiedKey::new(chain, Arc::new(Key(credential.clone()))))
}

/// A key of ours, as TLS uses it.
#[derive(Debug, Clone)]
struct Key(Credential);

const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SCHEME)
            .then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature = self
            .0
            .signer()
            .sign(message)
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(signature_to_der(&signature))
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}
