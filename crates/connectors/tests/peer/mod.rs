//! Real counterparts as child processes, from the scripts in `tests/peers`.
//!
//! `SIMURGH_PEERS` names the folder they are installed in: `python` for PYTHONPATH and
//! `node/node_modules`. Without it, what the system has is used, and a test without a counterpart
//! says that it was skipped.

use std::path::PathBuf;
use std::process::{Command as Probe, Stdio};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use simurgh_vocab::MessageId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long any event may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// What runs a counterpart.
pub(crate) struct Program {
    /// The interpreter.
    pub(crate) name: &'static str,
    /// The script in `tests/peers`.
    pub(crate) script: &'static str,
    /// Arguments that make the interpreter load the package the script needs.
    pub(crate) probe: [&'static str; 2],
    /// The environment variable that tells where packages are, and their folder.
    pub(crate) packages: (&'static str, &'static str),
}

impl Program {
    fn environment(&self) -> Option<(&'static str, PathBuf)> {
        let peers = PathBuf::from(std::env::var_os("SIMURGH_PEERS")?);
        let (variable, folder) = self.packages;
        Some((variable, peers.join(folder)))
    }

    /// Whether the counterpart can run here. Where its packages are installed, it must.
    pub(crate) fn is_here(&self) -> bool {
        let environment = self.environment();
        let runs = Probe::new(self.name)
            .args(self.probe)
            .envs(environment.clone())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !runs {
            let installed = environment.is_some_and(|(_, folder)| folder.is_dir());
            let (script, name) = (self.script, self.name);
            assert!(
                !installed,
                "{script} is installed, but {name} cannot load its packages"
            );
            println!("skipped: {script} needs {name} and the packages of tests/peers");
        }
        runs
    }
}

/// A running counterpart.
pub(crate) struct Peer {
    child: Child,
    orders: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
    pub(crate) port: u16,
}

impl Peer {
    /// Starts a script and waits until it listens.
    pub(crate) async fn start(program: &Program, arguments: &[&str]) -> Self {
        let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers");
        let mut child = Command::new(program.name)
            .arg(scripts.join(program.script))
            .args(arguments)
            .envs(program.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the counterpart starts");
        let orders = child.stdin.take().expect("piped");
        let events = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut peer = Self {
            child,
            orders,
            events,
            port: 0,
        };
        let listening = peer.event("listening").await;
        peer.port = u16::try_from(listening["port"].as_u64().unwrap()).unwrap();
        peer
    }

    /// Gives an order and waits until it holds.
    pub(crate) async fn order(&mut self, order: Value) {
        self.orders
            .write_all(format!("{order}\n").as_bytes())
            .await
            .expect("the counterpart lives");
        // What happened before the order may still be on its way here.
        while self.any_event().await["event"] != "told" {}
    }

    /// The next event, which must be of this name.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        let event = self.any_event().await;
        assert_eq!(event["event"], name, "{event}");
        event
    }

    /// The next event.
    pub(crate) async fn any_event(&mut self) -> Value {
        let line = timeout(PATIENCE, self.events.next_line())
            .await
            .expect("an event in time")
            .unwrap()
            .expect("the counterpart lives");
        serde_json::from_str(&line).unwrap()
    }

    /// Kills it without any good-bye.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it ran");
    }
}

/// A certificate authority made for one test, and a server certificate for 127.0.0.1.
pub(crate) struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Makes both and writes them down; `name` keeps tests apart.
    pub(crate) fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca = parameters.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(parameters, ca_key);
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
        std::fs::write(folder.join("cert.pem"), server.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        Self { folder }
    }

    /// The file of `ca.pem`, `cert.pem` or `key.pem`.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
}

/// A message id that ends in `last`.
pub(crate) fn message_id(last: u8) -> MessageId {
    let mut bytes = [0x17; 16];
    bytes[15] = last;
    MessageId::from_bytes(bytes)
}
