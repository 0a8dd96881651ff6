//! TLS as phones see it: they trust the root of eSIM and nobody else.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
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
    let (_, answer) = mutual(server, &[], root, name, None).await?;
    Ok(answer)
}

/// A certificate with its key.
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

/// As [`handshake`], with a client that may show a certificate to a server that knows `authorities`; what the
/// server saw of it, and what it answered.
async fn mutual(
    server: &TestPki,
    authorities: &[CertificateDer<'static>],
    root: &TestPki,
    name: &str,
    identity: Option<Identity>,
) -> Result<(Option<CertificateDer<'static>>, Vec<u8>), String> {
    let credentials = Credentials::from_files(&server.files()).unwrap();
    let credentials = ServerCredentials::new(credentials, now()).unwrap();
    let acceptor = TlsAcceptor::from(tls_config(&credentials, authorities).unwrap());
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(root.root().der().to_vec()))
        .map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => config
            .with_client_auth_cert(vec![certificate], key)
            .unwrap(),
    };
    let connector = TlsConnector::from(Arc::new(config));
    let (ours, theirs) = tokio::io::duplex(16_384);
    let served = tokio::spawn(async move {
        let mut stream = acceptor.accept(theirs).await?;
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates();
        let shown = shown.and_then(|chain| chain.first().cloned());
        stream.write_all(b"well").await?;
        stream.shutdown().await?;
        Ok::<_, std::io::Error>(shown.map(CertificateDer::into_owned))
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
    let shown = served.await.unwrap().map_err(|error| error.to_string())?;
    Ok((shown, answer))
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

/// An authority of operators, and one whom it certified until then.
fn operators(ends: (i32, u8)) -> (CertificateDer<'static>, Identity) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = parameters.self_signed(&key).unwrap();
    let issuer = Issuer::new(parameters, key);
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["mno.example.com".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2000, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(ends.0, ends.1, 1);
    let certificate = parameters.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    (authority.der().clone(), (certificate.der().clone(), key))
}

const LATER: (i32, u8) = (4_000, 1);

#[tokio::test]
async fn a_caller_shows_a_certificate_of_an_authority_that_is_known_and_phones_show_none() {
    let pki = pki(1);
    let name = "smdp.example.com";
    let (authority, caller) = operators(LATER);
    let certificate = caller.0.clone();
    let authorities = [authority];
    let seen = mutual(&pki, &authorities, &pki, name, Some(caller)).await;
    assert_eq!(seen, Ok((Some(certificate), b"well".to_vec())));
    let seen = mutual(&pki, &authorities, &pki, name, None).await;
    assert_eq!(seen, Ok((None, b"well".to_vec())));
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_one_that_has_expired_is_refused() {
    let pki = pki(1);
    let name = "smdp.example.com";
    let (authority, _) = operators(LATER);
    let (_, stranger) = operators(LATER);
    let authorities = [authority];
    let refused = mutual(&pki, &authorities, &pki, name, Some(stranger)).await;
    assert!(refused.is_err(), "{refused:?}");
    let (authority, expired) = operators((2_001, 1));
    let refused = mutual(&pki, &[authority], &pki, name, Some(expired)).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("xpired"), "{refused}");
}
