//! A strict client against a server with a certificate below one root.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

const PROTOCOL: (&str, &str) = ("X-Admin-Protocol", "gsma/rsp/v2.5.0");

type Root = CertifiedIssuer<'static, KeyPair>;

fn root() -> Root {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Serves every request of each connection with the length of its head as a sign that it was read.
async fn serve(root: &Root, name: &str) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, root).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            tokio::spawn(async move {
                let mut octets = vec![0; 4096];
                while let Ok(1..) = stream.read(&mut octets).await {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    place
}

fn client(roots: &[&Root], connect_to: SocketAddr) -> LpaTransport {
    let settings = LpaTransportSettings {
        roots: roots.iter().map(|one| one.der().to_vec()).collect(),
        connect_to: Some(connect_to),
        danger_plain_http: false,
        ..LpaTransportSettings::default()
    };
    LpaTransport::new(&settings).unwrap()
}

#[tokio::test]
async fn only_the_roots_of_esim_and_the_right_name_are_accepted() {
    let (ours, foreign) = (root(), root());
    let place = serve(&ours, "smdp.example.com").await;
    let ask = async |client: &LpaTransport, address: &str| {
        client
            .post(address, "/gsma", PROTOCOL, b"{}".to_vec())
            .await
    };
    let strict = client(&[&ours], place);
    for _ in 0..2 {
        let answer = ask(&strict, "smdp.example.com").await;
        assert_eq!(answer, Ok((200, b"{}".to_vec())));
    }
    let other_name = ask(&strict, "other.example.com").await;
    assert!(
        matches!(other_name, Err(TransportFault::Tls(_))),
        "{other_name:?}"
    );
    let other_root = ask(&client(&[&foreign], place), "smdp.example.com").await;
    assert!(
        matches!(other_root, Err(TransportFault::Tls(_))),
        "{other_root:?}"
    );
    let nobody = ask(&client(&[], place), "smdp.example.com").await;
    assert!(matches!(nobody, Err(TransportFault::Tls(_))), "{nobody:?}");
}

#[tokio::test]
async fn addresses_that_are_no_host_names_are_refused_before_any_connection() {
    let place = "127.0.0.1:9".parse().unwrap();
    let client = client(&[], place);
    for address in ["", "a b", "a/b", "user@host", "host:port", "host:99999"] {
        let answer = client.post(address, "/", PROTOCOL, Vec::new()).await;
        assert_eq!(answer, Err(TransportFault::Address), "{address}");
    }
}
