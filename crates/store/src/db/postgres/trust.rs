//! TLS to a PostgreSQL server on another machine.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, crypto};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Which authorities may vouch for the database server. A certificate that none of them signed, or
/// that is for another name, is refused.
#[derive(Clone)]
pub struct PostgresTrust(Arc<RootCertStore>);

impl Default for PostgresTrust {
    /// The public authorities.
    fn default() -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self(Arc::new(roots))
    }
}

impl fmt::Debug for PostgresTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresTrust({} authorities)", self.0.len())
    }
}

/// A file holds no certificates to trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TrustError(String);

impl PostgresTrust {
    /// The public authorities, and those in `extra_ca_file` (PEM).
    ///
    /// # Errors
    /// [`TrustError`] when the file cannot be read or holds no usable certificate.
    pub fn new(extra_ca_file: Option<&Path>) -> Result<Self, TrustError> {
        let trust = Self::default();
        let Some(file) = extra_ca_file else {
            return Ok(trust);
        };
        let unusable = |why: String| TrustError(format!("{}: {why}", file.display()));
        let authorities: Vec<_> = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| unusable(error.to_string()))?;
        if authorities.is_empty() {
            return Err(unusable("no certificate in it".to_owned()));
        }
        let mut roots = RootCertStore::clone(&trust.0);
        for authority in authorities {
            roots
                .add(authority)
                .map_err(|error| unusable(error.to_string()))?;
        }
        Ok(Self(Arc::new(roots)))
    }

    /// What connections are made with.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, TrustError> {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TrustError(error.to_string()))?
            .with_root_certificates(Arc::clone(&self.0))
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};

    use super::*;
    use crate::db::{PostgresOptions, PostgresStore};

    /// Source: PostgreSQL documentation, 55.7 Message Formats.
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
    const HELLO: &str = "hello over TLS";

    /// A server that says `answer` when asked for TLS, and reports the first message after that.
    fn server(
        answer: u8,
        certified: &rcgen::CertifiedKey<rcgen::KeyPair>,
    ) -> (u16, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certified.cert.der().clone()],
                PrivateKeyDer::Pkcs8(key),
            )
            .unwrap();
        let (told, heard) = channel();
        std::thread::spawn(move || {
            let config = Arc::new(config);
            while let Ok((stream, _)) = listener.accept() {
                let heard = converse(stream, answer, &config).unwrap_or_default();
                if told.send(heard).is_err() {
                    return;
                }
            }
        });
        (port, heard)
    }

    fn converse(
        mut stream: TcpStream,
        answer: u8,
        config: &Arc<ServerConfig>,
    ) -> std::io::Result<String> {
        let mut asked = [0; 8];
        stream.read_exact(&mut asked)?;
        assert_eq!(asked, SSL_REQUEST, "nothing may be said before TLS");
        stream.write_all(&[answer])?;
        let mut startup = [0; 512];
        if answer != b'S' {
            let count = stream.read(&mut startup)?;
            return Ok(String::from_utf8_lossy(&startup[..count]).into_owned());
        }
        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
        let mut tls = StreamOwned::new(connection, stream);
        let count = tls.read(&mut startup)?;
        let fields = format!("SFATAL\0C28P01\0M{HELLO}\0\0");
        let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
        tls.write_all(b"E")?;
        tls.write_all(&length)?;
        tls.write_all(fields.as_bytes())?;
        tls.flush()?;
        Ok(String::from_utf8_lossy(&startup[..count]).into_owned())
    }

    fn authority(certified: &rcgen::CertifiedKey<rcgen::KeyPair>, name: &str) -> PathBuf {
        let name = format!("simurgh-trust-{}-{name}.pem", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, certified.cert.pem()).unwrap();
        file
    }

    fn refusal(url: &str, trust: PostgresTrust) -> String {
        let options = PostgresOptions {
            connections: 1,
            trust,
            password: Some("secret".to_owned()),
            ..PostgresOptions::default()
        };
        let refused = PostgresStore::connect(url, options)
            .unwrap_err()
            .to_string();
        assert!(!refused.contains("secret"), "{refused}");
        refused
    }

    #[test]
    fn a_server_is_spoken_to_under_tls_once_its_certificate_is_checked() {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (port, heard) = server(b'S', &certified);
        let url = format!("postgres://u@localhost:{port}/d?sslmode=verify-full");
        let file = authority(&certified, "known");
        let known = PostgresTrust::new(Some(&file)).unwrap();
        let said = refusal(&url, known.clone());
        assert!(said.contains(HELLO), "{said}");
        let wait = Duration::from_secs(20);
        assert!(heard.recv_timeout(wait).unwrap().contains("user\0u"));

        let stranger = refusal(&url, PostgresTrust::default());
        assert!(stranger.contains("certificate"), "{stranger}");
        assert_eq!(heard.recv_timeout(wait).unwrap(), "");

        let other_name = url.replace("localhost", "127.0.0.1");
        let refused = refusal(&other_name, known);
        assert!(refused.contains("certificate"), "{refused}");
        assert_eq!(heard.recv_timeout(wait).unwrap(), "");
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn a_server_without_tls_hears_nothing() {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (port, heard) = server(b'N', &certified);
        let url = format!("postgres://u@localhost:{port}/d?sslmode=require");
        let refused = refusal(&url, PostgresTrust::default());
        assert!(refused.contains("TLS"), "{refused}");
        assert_eq!(heard.recv_timeout(Duration::from_secs(20)).unwrap(), "");
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = std::env::temp_dir().join(format!("simurgh-empty-{}.pem", std::process::id()));
        std::fs::write(&file, "nothing").unwrap();
        let refused = PostgresTrust::new(Some(&file)).unwrap_err().to_string();
        assert!(refused.contains("no certificate in it"), "{refused}");
        std::fs::remove_file(&file).unwrap();
        assert!(PostgresTrust::new(Some(&file)).is_err());
    }
}
