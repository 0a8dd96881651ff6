//! Another operator orders profiles, phones fetch them, and the SM-DP+ is killed meanwhile.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use simurgh_app::ports::Clock as _;
use simurgh_connectors::esim::{LpaTransport, LpaTransportSettings};
use simurgh_euicc::lpa::{
    Card, CardError, Consent, HttpAnswer, Lpa, LpaError, Order, Progress, Servers, User,
};
use simurgh_euicc::{Environment, Euicc, EuiccIdentity, EuiccSettings};
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::message::info::{DeviceInfo, Version};
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::metadata::ProfileMetadata;
use simurgh_rsp::message::status::{Outcome, Status, outcome};
use simurgh_rsp::message::{es2, es9};
use simurgh_rsp::pki::TestPki;
use simurgh_sim::{
    Death, OPERATOR, OPERATOR_TOKEN, SMDP_ADDRESS, SMDS_ADDRESS, SeededEntropy, TestClock,
    esim_pki, program_over,
};
use simurgh_store::{Database, DatabaseOptions};
use simurgh_vocab::Timestamp;

use super::place::Place;

/// How often anybody tries again before it is a failure.
const TRIES_MAX: u32 = 12;
/// 2026-11-23T08:00:00Z.
const NOW: Timestamp = Timestamp::from_micros(1_795_420_800_000_000);

/// The SM-DP+ in a process, which dies at the commit that it was told.
struct Node {
    child: Arc<Mutex<Child>>,
    input: ChildStdin,
    lines: Receiver<String>,
    address: SocketAddr,
    number: u64,
    /// Whether it came to where it was told to die.
    struck: Arc<AtomicBool>,
}

impl Node {
    fn start(place: &Place, seed: u64) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_renewer"))
            .args([&place.address(), "http://localhost:1", &seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let child = Arc::new(Mutex::new(child));
        let (sender, lines) = channel();
        let killed = Arc::clone(&child);
        let struck = Arc::new(AtomicBool::new(false));
        let strikes = Arc::clone(&struck);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // It has come to where it was told to die, and waits for that.
                if line.starts_with('!') {
                    strikes.store(true, Ordering::SeqCst);
                    killed.lock().unwrap().kill().unwrap();
                } else if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut node = Self {
            child,
            input,
            lines,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            number: 0,
            struck,
        };
        let port = node.tell("serve").parse().unwrap();
        node.address.set_port(port);
        node
    }

    /// Gives a command and waits for its answer; none when it dies first.
    fn ask(&mut self, command: &str) -> Option<String> {
        self.number += 1;
        let now = NOW.as_micros();
        writeln!(self.input, "{} {now} {command}", self.number).ok()?;
        self.lines.recv().ok()
    }

    /// Gives a command that must be answered.
    fn tell(&mut self, command: &str) -> String {
        let line = self.ask(command).unwrap();
        let answer = line.strip_prefix(&format!("{} ok", self.number));
        let answer = answer.unwrap_or_else(|| panic!("{command}: {line}"));
        answer.trim().to_owned()
    }

    /// Whether it still runs and will.
    fn lives(&self) -> bool {
        !self.struck.load(Ordering::SeqCst)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        // It may be dead already.
        let _ = child.kill();
        child.wait().unwrap();
    }
}

/// The operator's side, the phones, and whoever kills.
pub(crate) struct Country<'p> {
    place: &'p Place,
    node: Option<Node>,
    nodes: u64,
    /// How many were killed at work.
    pub(crate) deaths: u64,
    pki: TestPki,
    random: SeededEntropy,
    runtime: tokio::runtime::Runtime,
    people: u8,
    /// The server's one-time keys that were seen.
    keys: HashSet<Vec<u8>>,
}

/// A phone with its chip.
struct Phone {
    chip: Euicc,
    random: SeededEntropy,
}

impl Card for Phone {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        use simurgh_app::ports::Entropy as _;
        let random = &self.random;
        let mut environment = Environment {
            random: &mut |octets| random.fill(octets),
        };
        Ok(self.chip.transmit(apdu, &mut environment))
    }
}

impl Servers for Country<'_> {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        assert_eq!(address, SMDP_ADDRESS);
        self.ask(path, es9::PROTOCOL_HEADER, body)
            .map_err(LpaError::Unreachable)
    }
}

/// A user who agrees at once, or puts it off.
struct Person(Consent);

impl User for Person {
    fn consent(&mut self, _: &ProfileMetadata, _: bool) -> Consent {
        self.0.clone()
    }

    fn progress(&mut self, _: Progress) {}
}

impl<'p> Country<'p> {
    pub(crate) fn new(place: &'p Place) -> Self {
        Self {
            place,
            node: None,
            nodes: 0,
            deaths: 0,
            pki: esim_pki().unwrap(),
            random: SeededEntropy::new(99),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            people: 0,
            keys: HashSet::new(),
        }
    }

    fn node(&mut self) -> &mut Node {
        if self.node.as_ref().is_some_and(|node| !node.lives()) {
            self.deaths += 1;
            self.node = None;
        }
        let (place, nodes) = (self.place, &mut self.nodes);
        self.node.get_or_insert_with(|| {
            *nodes += 1;
            Node::start(place, *nodes)
        })
    }

    /// Posts; an answer that never comes is an error.
    fn ask(&mut self, path: &str, header: (&str, &str), body: &[u8]) -> Result<HttpAnswer, String> {
        let address = self.node().address;
        let transport = LpaTransport::new(&LpaTransportSettings {
            roots: Vec::new(),
            connect_to: Some(address),
            danger_plain_http: true,
            ..LpaTransportSettings::default()
        })
        .unwrap();
        let asked = transport.post(SMDP_ADDRESS, path, header, body.to_vec());
        let (status, answer) = self
            .runtime
            .block_on(asked)
            .map_err(|fault| fault.to_string())?;
        if path == es9::path::BOUND_PROFILE_PACKAGE {
            self.note_key(&answer);
        }
        Ok((status, answer))
    }

    /// No one-time key of the server is ever used for two packages. Source: SGP.22 v2.5 §5.6.2
    fn note_key(&mut self, answer: &[u8]) {
        const TAG: [u8; 3] = [0x5f, 0x49, 0x41];
        let body = Body::parse(answer).unwrap();
        let Ok(package) = body.octets("boundProfilePackage") else {
            return;
        };
        let at = package.windows(3).position(|three| three == TAG).unwrap();
        let key = package[at + 3..at + 3 + 65].to_vec();
        assert!(self.keys.insert(key), "a one-time key was used twice");
    }

    /// One order and one download, from the stock to a profile in use, with the process killed at
    /// that commit. Whether it was.
    pub(crate) fn serve_once(&mut self, killing: Option<(Death, u32)>) -> bool {
        self.people += 1;
        let iccid = Iccid::with_check_digit(&format!("89860123456789{:04}", self.people)).unwrap();
        self.node().tell(&format!("stock {}", iccid.digits()));
        let deaths = self.deaths;
        if let Some((death, commits)) = killing {
            let order = format!("die {} {commits}", death.word());
            self.node().tell(&order);
        }
        let token = self.order(iccid);
        let mut phone = self.phone(self.people.into());
        let put_off = self.download(&mut phone, &token, Consent::Later);
        assert_eq!(put_off, Err(LpaError::GivenUp));
        self.download(
            &mut phone,
            &token,
            Consent::Yes {
                confirmation_code: None,
            },
        )
        .unwrap();
        self.report(&mut phone);
        Lpa::open(&mut phone).unwrap().enable(&iccid).unwrap();
        self.report(&mut phone);
        self.nobody_else_gets(&token);
        // Whatever it said before this answer was heard.
        let _ = self.node().ask("stop here");
        let _ = self.node();
        // What was not reached must not strike later.
        let has_died = self.deaths > deaths;
        if killing.is_some() {
            self.node = None;
        }
        has_died
    }

    /// Orders a profile, each call repeated under its own name until it is answered.
    fn order(&mut self, iccid: Iccid) -> String {
        let number = iccid.digits();
        self.call(
            "order",
            es2::path::DOWNLOAD_ORDER,
            json!({ "iccid": number }),
        );
        let body = json!({ "iccid": number, "releaseFlag": false });
        let confirmed = self.call("confirm", es2::path::CONFIRM_ORDER, body);
        let token = confirmed["matchingId"].as_str().unwrap().to_owned();
        self.call(
            "release",
            es2::path::RELEASE_PROFILE,
            json!({ "iccid": number }),
        );
        token
    }

    fn call(&mut self, name: &str, path: &str, mut body: Value) -> Value {
        body["header"] = json!({
            "functionRequesterIdentifier": OPERATOR,
            "functionCallIdentifier": format!("{name}-{}", self.people),
        });
        let bearer = format!("Bearer {OPERATOR_TOKEN}");
        let body = body.to_string();
        for _ in 0..TRIES_MAX {
            let asked = self.ask(path, ("authorization", &bearer), body.as_bytes());
            let Ok((status, answer)) = asked else {
                continue;
            };
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(
                outcome(&answer),
                Some(Outcome::Executed),
                "{status} {answer}"
            );
            return answer;
        }
        panic!("{name} does not end");
    }

    fn phone(&mut self, number: u64) -> Phone {
        use simurgh_app::ports::Entropy as _;
        let eid = eid(number);
        let random = &self.random;
        let credential = self.pki.euicc(&eid, &mut |octets| random.fill(octets));
        let settings = EuiccSettings {
            eid,
            identities: vec![EuiccIdentity {
                credential: credential.unwrap(),
                eum: self.pki.eum().clone(),
                root: self.pki.root().clone(),
            }],
            memory_octets: 100_000,
            root_smds: SMDS_ADDRESS.to_owned(),
            profile_version: Version([2, 3, 1]),
            rules: Vec::new(),
        };
        Phone {
            chip: Euicc::new(settings).unwrap(),
            random: SeededEntropy::new(number),
        }
    }

    /// Downloads with the same code until an answer comes.
    fn download(&mut self, phone: &mut Phone, token: &str, says: Consent) -> Result<(), LpaError> {
        let order = Order {
            address: SMDP_ADDRESS.to_owned(),
            matching_id: Some(token.to_owned()),
            smdp_oid: None,
            device: DeviceInfo::default(),
        };
        for _ in 0..TRIES_MAX {
            let mut lpa = Lpa::open(phone)?;
            let done = lpa.download(&order, self, &mut Person(says.clone()));
            lpa.close()?;
            match done {
                Err(LpaError::Unreachable(_)) => {}
                other => return other.map(drop),
            }
        }
        panic!("the download does not end");
    }

    /// Tells the server what the chip has to tell, until nothing is left.
    fn report(&mut self, phone: &mut Phone) {
        for _ in 0..TRIES_MAX {
            let mut lpa = Lpa::open(phone).unwrap();
            let told = lpa.deliver_notifications(self);
            if told.is_ok() && lpa.notifications().unwrap().is_empty() {
                return;
            }
        }
        panic!("the notifications are not delivered");
    }

    /// A second phone with the same code is refused, and the first has exactly the profile.
    fn nobody_else_gets(&mut self, token: &str) {
        let mut other = self.phone(200 + u64::from(self.people));
        let refused = self.download(
            &mut other,
            token,
            Consent::Yes {
                confirmation_code: None,
            },
        );
        let Err(LpaError::Refused(outcome)) = refused else {
            panic!("a profile went to two chips: {refused:?}");
        };
        assert_eq!(outcome.status(), Some(Status::EidRefused));
        assert!(other.chip.profiles().is_empty());
    }

    /// Audits as `simurgh audit` does; gives what is wrong, and counts what chips hold by the books.
    pub(crate) fn audit(mut self) -> (Vec<String>, usize) {
        self.node = None;
        let clock = Arc::new(TestClock::at(NOW));
        assert_eq!(clock.now(), NOW);
        let store = Database::open(&self.place.url(), DatabaseOptions::default()).unwrap();
        let app = program_over(Arc::new(store), &clock, 0, "http://localhost:1").unwrap();
        self.runtime.block_on(async {
            use simurgh_app::ports::StoreExt as _;
            let findings = app.audit().await.unwrap().findings;
            let profiles = app.store.snapshot(|tx| tx.profiles_after(None, 10_000));
            let in_use = profiles.await.unwrap().into_iter().filter(|profile| {
                profile.on_chip == Some(simurgh_subscriber::OnChip::Enabled)
                    && profile.order.downloads >= 1
            });
            (findings, in_use.count())
        })
    }

    pub(crate) const fn served(&self) -> u8 {
        self.people
    }
}

fn eid(number: u64) -> Eid {
    let mut digits = format!("8904903212345123451234567{number:05}00");
    let remainder = digits
        .bytes()
        .fold(0u32, |sum, digit| (sum * 10 + u32::from(digit - b'0')) % 97);
    digits.truncate(30);
    format!("{digits}{:02}", 98 - remainder).parse().unwrap()
}
