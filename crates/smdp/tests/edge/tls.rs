//! TLS as phones see it: they trust the root of eSIM and nobody else.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use simurgh_rsp::key::Curve;
use simurgh_rsp::pki::{Credentials, TestNames, TestPki};
use simurgh_smdp::{ServerCredentials, tls_config};
use simurgh_vocab::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsAcceptor, TlsConnector};

fn now() -> Timestamp {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap())
}

fn pki(seed: u64) -> TestPki {
    let names = TestNames {
        smdp_address: "smdp.example.com".into(),
        smdp_oid: "2.999.10".parse().unwrap(),
        smds_address: "smds.example.com".into(),
        smds_oid: "2.999.20".parse().unwrap(),
        ein: "89049032".into(),
    };
    let mut state = seed;
    let mut random = |octets: &mut [u8]| {
        for octet in octets {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *octet = u8::try_from(state >> 56).unwrap();
        }
    };
    TestPki::generate(Curve::P256, &names, now(), &mut random).unwrap()
}

/// Whether a client that trusts only `root` takes the server for `name`, and what it says if not.
async fn handshake(server: &TestPki, root: &TestPki, name: &str) -> Result<Vec<u8>, String> {
    let credentials = Credentials::from_files(&server.files()).unwrap();
    let credentials = ServerCredentials::new(credentials, now()).unwrap();
    let acceptor = TlsAcceptor::from(tls_config(&credentials, &[]).unwrap());
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(root.root().der().to_vec()))
        .map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let (ours, theirs) = tokio::io::duplex(16_384);
    let served = tokio::spawn(async move {
        let mut stream = acceptor.accept(theirs).await?;
        stream.write_all(b"well").await?;
        stream.shutdown().await
    });
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = connector
        .connect(name, ours)
        .await
        .map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .await
        .map_err(|error| error.to_string())?;
    served.await.unwrap().map_err(|error| error.to_string())?;
    Ok(answer)
}

#[tokio::test]
async fn a_client_that_trusts_only_the_root_accepts_chain_and_name() {
    let pki = pki(1);
    for name in ["smdp.example.com", "SMDP.example.COM", "smds.example.com"] {
        assert_eq!(
            handshake(&pki, &pki, name).await,
            Ok(b"well".to_vec()),
            "{name}"
        );
    }
    let refused = handshake(&pki, &pki, "other.example.com")
        .await
        .unwrap_err();
    assert!(refused.contains("not valid for name"), "{refused}");
}

#[tokio::test]
async fn a_client_that_trusts_another_root_refuses() {
    let refused = handshake(&pki(1), &pki(2), "smdp.example.com")
        .await
        .unwrap_err();
    assert!(
        refused.contains("UnknownIssuer") || refused.contains("BadSignature"),
        "{refused}"
    );
}
