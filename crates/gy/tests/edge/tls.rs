//! Gateways behind TLS: who they are says their certificate.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use simurgh_diameter::ResultCode;
use simurgh_diameter::credit_control::CcRequestType as Kind;
use simurgh_gy::tls_config;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{ASK, Client};
use crate::world::{CLIENTS, Operator, Terms};

/// An authority of this test.
struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(parameters, key);
        Self {
            certificate,
            issuer,
        }
    }

    fn certify(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (vec![certificate.der().clone()], key)
    }
}

async fn operator(name: &str, authority: &Authority) -> Operator {
    let (certificates, key) = authority.certify("ocs.example.com");
    let trusted = [authority.certificate.clone()];
    let mut terms = Terms::default();
    terms.settings.tls = Some(tls_config(certificates, key, &trusted).unwrap());
    Operator::on(name, terms).await
}

/// The code that a gateway with this certificate and name is greeted with; zero for none.
async fn greeted(
    operator: &Operator,
    authority: &Authority,
    shown: Option<Identity>,
    host: &'static str,
) -> (ResultCode, Option<Client>) {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => config.with_no_client_auth(),
        Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
    };
    let name = ServerName::try_from("ocs.example.com").unwrap();
    let stream = TcpStream::connect(operator.address).await.unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let Ok(stream) = connected.await else {
        return (ResultCode(0), None);
    };
    let mut client = Client::over(Box::new(stream), host);
    let code = client.greet().await;
    (code, Some(client))
}

#[tokio::test]
async fn a_gateway_with_a_certificate_for_its_name_charges() {
    let authority = Authority::new();
    let operator = operator("gy-tls", &authority).await;
    let own = authority.certify("PGW.example.com");
    let (code, client) = greeted(&operator, &authority, Some(own), CLIENTS[0]).await;
    assert_eq!(code, ResultCode::SUCCESS);
    let answer = client
        .unwrap()
        .data("tls;1", Kind::Initial, 0, &[ASK])
        .await;
    assert_eq!((answer.code, answer.services[0].granted), (2001, Some(100)));
}

#[tokio::test]
async fn without_a_certificate_or_with_one_of_a_foreign_authority_there_is_no_word() {
    let authority = Authority::new();
    let operator = operator("gy-tls-foreign", &authority).await;
    let foreign = Authority::new().certify(CLIENTS[0]);
    for shown in [None, Some(foreign)] {
        let (code, _) = greeted(&operator, &authority, shown, CLIENTS[0]).await;
        assert_eq!(code, ResultCode(0), "closed without an answer");
    }
    let mut plain = Client::connect(&operator, CLIENTS[0]).await;
    assert_eq!(plain.greet().await, ResultCode(0), "nor without TLS");
}

#[tokio::test]
async fn a_certificate_is_for_one_name_of_the_table_and_no_other() {
    let authority = Authority::new();
    let operator = operator("gy-tls-names", &authority).await;
    for (shown, said) in [
        ("other.example.com", "pgw.example.com"),
        ("stranger.example.com", "pgw.example.com"),
        ("stranger.example.com", "stranger.example.com"),
    ] {
        let shown_certificate = Some(authority.certify(shown));
        let (code, client) = greeted(&operator, &authority, shown_certificate, said).await;
        assert_eq!(code, ResultCode::UNKNOWN_PEER, "{shown} as {said}");
        assert_eq!(client.unwrap().read().await, None, "and is closed");
    }
}

#[tokio::test]
async fn who_never_finishes_the_handshake_holds_up_nobody() {
    let authority = Authority::new();
    let operator = operator("gy-tls-silent", &authority).await;
    let mut silent = Client::connect(&operator, CLIENTS[0]).await;
    silent.write(&[22, 3, 1]).await;
    let own = authority.certify(CLIENTS[0]);
    let (code, _) = greeted(&operator, &authority, Some(own), CLIENTS[0]).await;
    assert_eq!(code, ResultCode::SUCCESS);
}
