//! HTTPS as an LPA speaks it, and servers of eSIM among themselves: the only trusted authorities are the roots of
//! eSIM, unless others are named, and the server's certificate must bear the name that was asked for.
//!
//! Source: SGP.22 v2.5 §2.6.6 and §6.1

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::Secret;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a whole exchange may take: a server may protect a profile only now.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest answer, in octets: a package in base 64.
const ANSWER_OCTETS_MAX: usize = 2_097_152;

/// What LPAs call themselves. Source: SGP.22 v2.5 §6.2
const AGENT: &str = "gsma-rsp-lpad";

/// Why there is no answer. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// A root certificate cannot be used; whoever installed it is to blame.
    #[error("a root certificate cannot be used: {0}")]
    Root(String),
    /// The address is no host name with or without a port.
    #[error("the address is not a host name")]
    Address,
    /// There is no connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// The server's certificate is not accepted, or TLS failed otherwise.
    #[error("TLS: {0}")]
    Tls(String),
    /// The exchange broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
}

/// Whom an LPA trusts and how it connects.
#[derive(Debug, Clone, Default)]
pub struct LpaTransportSettings {
    /// The roots (CERT.CI) in DER. Nobody else is trusted.
    pub roots: Vec<Vec<u8>>,
    /// Where every connection goes, whatever the name of the server is; `None` to ask the system. Names are
    /// checked against certificates all the same.
    pub connect_to: Option<SocketAddr>,
    /// HTTP without TLS: for servers behind a proxy, in tests.
    pub danger_plain_http: bool,
    /// The authorities of the web are trusted too: for servers that are no part of eSIM's own trust.
    pub trusts_the_web: bool,
    /// What is shown to servers that ask who calls.
    pub identity: Option<Arc<CertifiedKey>>,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
}

/// Reaches servers of remote provisioning. Keeps its last connection for the next request.
pub struct LpaTransport {
    tls: Option<TlsConnector>,
    connect_to: Option<SocketAddr>,
    token: Option<Secret>,
    kept: Mutex<Option<Kept>>,
}

impl std::fmt::Debug for LpaTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LpaTransport")
    }
}

/// An open connection and whose it is.
struct Kept {
    address: String,
    sender: SendRequest<Full<Bytes>>,
}

/// A host and a port.
#[derive(Clone, Copy)]
struct Target<'a> {
    host: &'a str,
    port: u16,
}

impl<'a> Target<'a> {
    fn parse(address: &'a str, usual: u16) -> Result<Self, TransportFault> {
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| TransportFault::Address)?),
            None => (address, usual),
        };
        let sound = |host: &str| {
            host.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        };
        if host.is_empty() || !sound(host) {
            return Err(TransportFault::Address);
        }
        Ok(Self { host, port })
    }
}

impl LpaTransport {
    /// Prepares; connects to nobody yet.
    ///
    /// # Errors
    /// [`TransportFault::Root`].
    pub fn new(settings: &LpaTransportSettings) -> Result<Self, TransportFault> {
        let tls = match settings.danger_plain_http {
            true => None,
            false => Some(TlsConnector::from(Arc::new(tls_of(settings)?))),
        };
        Ok(Self {
            tls,
            connect_to: settings.connect_to,
            token: settings.token.clone(),
            kept: Mutex::new(None),
        })
    }

    /// Posts a JSON body and gives the HTTP status and the answer's body. `protocol` is a header and its value.
    ///
    /// # Errors
    /// [`TransportFault`].
    pub async fn post(
        &self,
        address: &str,
        path: &str,
        protocol: (&str, &str),
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), TransportFault> {
        let mut request = Request::post(path);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
        }
        let request = request
            .header(HOST, address)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json")
            .header(protocol.0, protocol.1)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| TransportFault::Address)?;
        let exchange = self.exchange(address, request);
        timeout(EXCHANGE_TIMEOUT, exchange)
            .await
            .map_err(|_| TransportFault::Timeout)?
    }

    async fn exchange(
        &self,
        address: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<(u16, Vec<u8>), TransportFault> {
        let broken = |error: hyper::Error| TransportFault::Broken(error.to_string());
        let mut kept = self.kept.lock().await;
        let mut reused = None;
        if let Some(mut one) = kept.take().filter(|one| one.address == address)
            && one.sender.ready().await.is_ok()
        {
            reused = Some(one.sender);
        }
        let mut sender = match reused {
            Some(sender) => sender,
            None => self.open(address).await?,
        };
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_OCTETS_MAX)
            .collect()
            .await
            .map_err(|error| TransportFault::Broken(error.to_string()))?;
        *kept = Some(Kept {
            address: address.to_owned(),
            sender,
        });
        Ok((status, body.to_bytes().to_vec()))
    }

    async fn open(&self, address: &str) -> Result<SendRequest<Full<Bytes>>, TransportFault> {
        let usual = if self.tls.is_some() { 443 } else { 80 };
        let target = Target::parse(address, usual)?;
        let stream = timeout(CONNECT_TIMEOUT, self.connect(target))
            .await
            .map_err(|_| TransportFault::Timeout)?
            .map_err(|error| TransportFault::Connect(error.to_string()))?;
        stream
            .set_nodelay(true)
            .map_err(|error| TransportFault::Connect(error.to_string()))?;
        let Some(tls) = &self.tls else {
            return drive(stream).await;
        };
        let name =
            ServerName::try_from(target.host.to_owned()).map_err(|_| TransportFault::Address)?;
        let stream = timeout(CONNECT_TIMEOUT, tls.connect(name, stream))
            .await
            .map_err(|_| TransportFault::Timeout)?
            .map_err(|error| TransportFault::Tls(error.to_string()))?;
        drive(stream).await
    }

    async fn connect(&self, target: Target<'_>) -> std::io::Result<TcpStream> {
        match self.connect_to {
            Some(place) => TcpStream::connect(place).await,
            None => TcpStream::connect((target.host, target.port)).await,
        }
    }
}

/// Trust in the roots that are given and, if it is wanted, in those of the web; in nobody else.
fn tls_of(settings: &LpaTransportSettings) -> Result<ClientConfig, TransportFault> {
    let mut store = RootCertStore::empty();
    for root in &settings.roots {
        store
            .add(CertificateDer::from(root.clone()))
            .map_err(|error| TransportFault::Root(error.to_string()))?;
    }
    if settings.trusts_the_web {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportFault::Tls(error.to_string()))?
        .with_root_certificates(store);
    Ok(match settings.identity.clone() {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let identity = SingleCertAndKey::from(identity);
            builder.with_client_cert_resolver(Arc::new(identity))
        }
    })
}

async fn drive<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, TransportFault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| TransportFault::Broken(error.to_string()))?;
    tokio::spawn(async move {
        // Whoever waits for an answer hears of the end.
        drop(connection.await);
    });
    Ok(sender)
}
