//! freeDiameter, an agent that nobody here wrote, passes requests on to us and ours back to the gateway; over
//! TCP and over TLS.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use simurgh_diameter::ResultCode;
use simurgh_diameter::allowed::AllowedPeer;
use simurgh_diameter::credit_control::CcRequestType as Kind;
use simurgh_gy::tls_config;
use simurgh_vocab::Unit;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::client::{ASK, Client, last, used};
use crate::world::{CLIENTS, Operator, REALM, Terms};

const AGENT: &str = "agent.example.com";
const SESSION: &str = "pgw.example.com;agent;1";

/// The program, with its port.
struct Agent {
    port: u16,
    child: Child,
}

impl Agent {
    /// Nothing when freeDiameter is not installed. `security` is what its settings say of our connection.
    async fn start(operator: &Operator, folder: &Path, security: &str) -> Option<Self> {
        let port = free_port();
        let settings = folder.join("agent.conf");
        let at = |file: &str| folder.join(file).display().to_string();
        let lines = format!(
            "Identity = \"{AGENT}\";\nRealm = \"{REALM}\";\nPort = {port};\nSecPort = 0;\n\
             No_SCTP;\nNo_IPv6;\nListenOn = \"127.0.0.1\";\n\
             TLS_Cred = \"{}\", \"{}\";\nTLS_CA = \"{}\";\n\
             LoadExtension = \"dict_nasreq.fdx\";\nLoadExtension = \"dict_dcca.fdx\";\nLoadExtension = \"acl_wl.fdx\" : \"{}\";\n\
             ConnectPeer = \"ocs.example.com\" {{ ConnectTo = \"127.0.0.1\"; Port = {}; {security} }};\n",
            at("own.pem"),
            at("own.key"),
            at("authority.pem"),
            at("allowed.conf"),
            operator.address.port(),
        );
        std::fs::write(&settings, lines).unwrap();
        std::fs::write(at("allowed.conf"), format!("ALLOW_IPSEC {}\n", CLIENTS[0])).unwrap();
        let child = Command::new("freeDiameterd")
            .arg("--config")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let Ok(mut child) = child else {
            println!("skipped: no freeDiameterd on the PATH (Debian: freediameterd)");
            return None;
        };
        let mut said = BufReader::new(child.stdout.take()?).lines();
        let mut all = String::new();
        while let Some(line) = said.next_line().await.unwrap() {
            all.push_str(&line);
            all.push('\n');
            if line.contains("STATE_OPEN") && line.contains("ocs.example.com") {
                // Whoever writes has to be read.
                tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
                return Some(Self { port, child });
            }
        }
        panic!("the agent ended: {all}");
    }

    async fn client(&mut self) -> Client {
        // It reaches us before it listens itself, now and then.
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", self.port)).await {
                Ok(stream) => break stream,
                Err(_) => assert_eq!(self.child.try_wait().unwrap(), None, "it ended"),
            }
            tokio::task::yield_now().await;
        };
        let mut client = Client::over(Box::new(stream), CLIENTS[0]);
        assert_eq!(client.greet().await, ResultCode::SUCCESS);
        client
    }
}

/// A port that nobody has, outside of those that the system gives to whoever connects.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = 20_000 + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if std::net::TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// Writes an authority, and a certificate for the agent; makes ours.
fn certificates(folder: &Path, terms: &mut Terms) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = parameters.self_signed(&key).unwrap();
    let issuer = Issuer::new(parameters, key);
    let certify = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (parameters.signed_by(&key, &issuer).unwrap(), key)
    };
    let (own, key) = certify(AGENT);
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
    std::fs::write(folder.join("own.pem"), own.pem()).unwrap();
    std::fs::write(folder.join("own.key"), key.serialize_pem()).unwrap();
    let (ours, key) = certify("ocs.example.com");
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let trusted = [authority.der().clone()];
    terms.settings.tls = Some(tls_config(vec![ours.der().clone()], key, &trusted).unwrap());
}

async fn charges_through_the_agent(name: &str, security: &str) {
    let folder = simurgh_sim::scratch_folder(&format!("{name}-agent"));
    let mut terms = Terms::default();
    certificates(&folder, &mut terms);
    if security.contains("No_TLS") {
        terms.settings.tls = None;
    }
    terms.settings.peers.push(AllowedPeer {
        host: AGENT.to_owned(),
        realm: REALM.to_owned(),
        addresses: Vec::new(),
    });
    let operator = Operator::on(name, terms).await;
    let Some(mut agent) = Agent::start(&operator, &folder, security).await else {
        return;
    };
    let mut client = agent.client().await;
    let first = client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    assert_eq!((first.code, first.services[0].granted), (2001, Some(100)));
    let (app, line) = (operator.app.clone(), operator.line);
    let telling = tokio::spawn(async move { app.reach_sessions(line).await });
    let session = client
        .hear_reauthorisation(ResultCode::LIMITED_SUCCESS)
        .await;
    assert_eq!(session, SESSION);
    assert_eq!(telling.await.unwrap(), Ok(true));
    client.data(SESSION, Kind::Update, 1, &[used(80)]).await;
    let end = client.data(SESSION, Kind::Termination, 2, &[last(7)]).await;
    assert_eq!(end.code, 2001);
    assert_eq!(operator.amounts(Unit::Octets).await, (913, 0, 87));
    operator.audit().await;
    agent.child.kill().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn freediameter_passes_requests_on_over_tcp() {
    charges_through_the_agent("gy-agent-tcp", "No_TLS;").await;
}

#[tokio::test]
async fn freediameter_passes_requests_on_over_tls_with_certificates_on_both_sides() {
    charges_through_the_agent("gy-agent-tls", "").await;
}
