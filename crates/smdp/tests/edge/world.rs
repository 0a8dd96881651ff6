//! The server over a store, and phones.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body as HttpBody;
use axum::http::request::Builder;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use simurgh_app::crypto::Keyring;
use simurgh_app::esim::{ConfirmedOrder, EsimFault, OrderCall, OrderConfirmation, Rules};
use simurgh_app::ports::{
    Clock, Delivery, Discovering, DiscoveryFault, DiscoveryServers, DownloadProgress, Entropy,
    Envelope, ForeignEvent, Hidden, Messenger, ProfileMaterial, ProfilePackager as _,
    ProgressListener, Sending, StoreExt as _, Telling, Untold,
};
use simurgh_app::{App, Settings, World};
use simurgh_euicc::lpa::{
    Card, CardError, Consent, Downloaded, HttpAnswer, Lpa, LpaError, Order, Progress, Servers, User,
};
use simurgh_euicc::{Environment, Euicc, EuiccIdentity, EuiccSettings};
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::key::Curve;
use simurgh_rsp::message::download::hash_confirmation_code;
use simurgh_rsp::message::info::{DeviceInfo, Version};
use simurgh_rsp::message::metadata::ProfileMetadata;
use simurgh_rsp::message::status::{Outcome, Status, outcome};
use simurgh_rsp::pki::{Credentials, NamedFile, TestNames, TestPki};
use simurgh_smdp::{Caller, Packager, PeerCertificates, ServerCredentials, Smdp, SmdpSettings};
use simurgh_subscriber::Profile;
use simurgh_vocab::{Duration, MessageId, Timestamp};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use super::place::{Kind, Place};

pub(crate) const ADDRESS: &str = "smdp.example.com";
pub(crate) const SMDS: &str = "smds.example.com";
/// An SM-DS that somebody else runs.
pub(crate) const ELSEWHERE: &str = "smds.example.net";
pub(crate) const OPERATOR: &str = "mno.example.com";
pub(crate) const TOKEN: &str = "the operator's token";
/// Another caller and its token.
pub(crate) const RESELLER: (&str, &str) = ("reseller", "its token");
/// A caller who shows a certificate in TLS.
pub(crate) const BROKER: &str = "broker.example.com";
pub(crate) const BROKERS_CERTIFICATE: &[u8] = b"what TLS has verified";
const NOON: i64 = 1_789_970_000_000_000;

/// Octets that repeat from run to run.
pub(crate) struct Counting(pub(crate) u64);

impl Counting {
    pub(crate) fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *octet = u8::try_from(self.0 >> 56).unwrap();
        }
    }
}

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let seed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        Counting(seed).fill(bytes);
    }
}

/// What the operator who orders was told, and whether its server is there.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) news: Mutex<Vec<DownloadProgress>>,
    pub(crate) is_away: AtomicBool,
}

impl ProgressListener for Told {
    fn listens(&self, operator: &str) -> bool {
        operator == OPERATOR
    }

    fn tell<'a>(&'a self, progress: &'a DownloadProgress) -> Telling<'a> {
        let told = if self.is_away.load(Ordering::SeqCst) {
            Err(Untold("away".to_owned()))
        } else {
            self.news.lock().unwrap().push(progress.clone());
            Ok(())
        };
        Box::pin(std::future::ready(told))
    }
}

/// An SM-DS elsewhere: what it knows, and whether it is there or refuses.
#[derive(Default)]
pub(crate) struct Elsewhere {
    pub(crate) events: Mutex<Vec<ForeignEvent>>,
    pub(crate) is_away: AtomicBool,
    pub(crate) refuses: AtomicBool,
}

impl Elsewhere {
    fn says(&self) -> Result<(), DiscoveryFault> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(DiscoveryFault::Unreachable("away".to_owned()));
        }
        match self.refuses.load(Ordering::SeqCst) {
            true => Err(DiscoveryFault::Refused("no".to_owned())),
            false => Ok(()),
        }
    }
}

impl DiscoveryServers for Elsewhere {
    fn reaches(&self, smds: &str) -> bool {
        smds == ELSEWHERE
    }

    fn register<'a>(&'a self, event: &'a ForeignEvent) -> Discovering<'a> {
        let said = self.says();
        if said.is_ok() {
            self.events.lock().unwrap().push(event.clone());
        }
        Box::pin(std::future::ready(said))
    }

    fn withdraw<'a>(&'a self, event: &'a ForeignEvent) -> Discovering<'a> {
        let said = self.says();
        if said.is_ok() {
            self.events.lock().unwrap().retain(|one| one != event);
        }
        Box::pin(std::future::ready(said))
    }
}

struct Silent;

impl Messenger for Silent {
    fn send(&self, id: MessageId, _: Envelope) -> Sending<'_> {
        Box::pin(std::future::ready(Ok(Delivery::Accepted {
            reference: id.to_string(),
        })))
    }
}

/// The operator's side: a server, its store and its clock.
pub(crate) struct Operator {
    pub(crate) app: App,
    pub(crate) pki: TestPki,
    pub(crate) router: Router,
    pub(crate) runtime: Runtime,
    pub(crate) told_back: Arc<Told>,
    pub(crate) elsewhere: Arc<Elsewhere>,
    clock: Arc<TestClock>,
    calls: u64,
    packager: Packager,
    /// The last to go: all that uses the store goes before.
    _place: Place,
}

/// SHA-256 of the broker's certificate, as people write it.
fn fingerprint() -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, BROKERS_CERTIFICATE);
    let pairs: Vec<String> = digest
        .as_ref()
        .iter()
        .map(|octet| format!("{octet:02X}"))
        .collect();
    pairs.join(":")
}

pub(crate) fn names() -> TestNames {
    TestNames {
        smdp_address: ADDRESS.into(),
        smdp_oid: "2.999.10".parse().unwrap(),
        smds_address: SMDS.into(),
        smds_oid: "2.999.20".parse().unwrap(),
        ein: "89049032".into(),
    }
}

fn certificates(curve: Curve, now: Timestamp) -> TestPki {
    let mut random = Counting(1);
    let mut fill = |octets: &mut [u8]| random.fill(octets);
    TestPki::generate(curve, &names(), now, &mut fill).unwrap()
}

/// The server with these certificates.
fn serve(app: &App, files: &[NamedFile]) -> Router {
    let credentials = Credentials::from_files(files).unwrap();
    let credentials = ServerCredentials::new(credentials, app.now()).unwrap();
    let settings = SmdpSettings {
        smds_address: Some(SMDS.to_owned()),
        callers: vec![
            Caller::with_token(OPERATOR.to_owned(), TOKEN),
            Caller::with_token(RESELLER.0.to_owned(), RESELLER.1)
                .for_types(vec!["prepaid".to_owned()]),
            Caller::with_certificate(BROKER.to_owned(), &fingerprint()).unwrap(),
        ],
        order_lasts: Some(Duration::days(90)),
        ..SmdpSettings::new(ADDRESS.to_owned())
    };
    Smdp::new(app.clone(), Arc::new(credentials), settings).router()
}

impl Operator {
    pub(crate) fn new() -> Self {
        Self::over(Kind::Sqlite)
    }

    pub(crate) fn over(kind: Kind) -> Self {
        Self::on(kind, Curve::P256)
    }

    pub(crate) fn on(kind: Kind, curve: Curve) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let place = Place::new(kind);
        let store = place.open();
        let clock = Arc::new(TestClock(AtomicI64::new(NOON)));
        store.migrate(clock.now()).unwrap();
        let pki = certificates(curve, clock.now());
        let packager = Packager::new(ADDRESS.to_owned(), 0);
        let world = World {
            store: Arc::new(store),
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy(AtomicU64::new(number))),
            messenger: Arc::new(Silent),
            keyring: Keyring::new(&[7; 32]),
            providers: Vec::new(),
            settings: Settings {
                brand: "Simurgh".to_owned(),
                portal_url: "https://example.com".to_owned(),
                document_series: "SIM".to_owned(),
                entity_time_zone: "Asia/Shanghai".parse().unwrap(),
            },
        };
        let told_back = Arc::new(Told::default());
        let elsewhere = Arc::new(Elsewhere::default());
        let rules = Rules {
            packager: Some(Arc::new(packager.clone())),
            listener: Some(Arc::<Told>::clone(&told_back)),
            discovery: Some(Arc::<Elsewhere>::clone(&elsewhere)),
            ..Rules::default()
        };
        let app = App::with_esim(world, simurgh_app::subscriber::Rules::default(), rules);
        let router = serve(&app, &pki.files());
        Self {
            app,
            pki,
            router,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            told_back,
            elsewhere,
            clock,
            calls: 0,
            packager,
            _place: place,
        }
    }

    /// One server below two roots, on P-256 and on Brainpool; phones are made below the first. Gives the other one.
    pub(crate) fn below_two_roots() -> (Self, TestPki) {
        let mut operator = Self::new();
        let other = certificates(Curve::BrainpoolP256r1, operator.app.now());
        let files = [operator.pki.files(), other.files()].concat();
        operator.router = serve(&operator.app, &files);
        (operator, other)
    }

    pub(crate) fn wait(&self, length: Duration) {
        self.clock.0.fetch_add(length.as_micros(), Ordering::SeqCst);
    }

    /// Puts a profile in stock.
    pub(crate) fn stock(&self, iccid: Iccid) {
        let mut random = Counting(u64::from(iccid.as_octets()[9]) + 77);
        let packed = self
            .packager
            .pack(&material(iccid), &mut |octets| random.fill(octets))
            .unwrap();
        let stocked = self.app.stock_profile(iccid, "prepaid".into(), &packed);
        self.runtime.block_on(stocked).unwrap();
    }

    /// Orders a profile that is in stock for anybody, and releases it.
    pub(crate) fn order(&mut self, iccid: Iccid, code: Option<&str>) -> String {
        self.stock(iccid);
        self.reserve(iccid, None);
        self.confirm(confirmation(iccid, code)).unwrap().matching_id
    }

    /// The same over ES2+, as the operator with the token.
    pub(crate) fn ordered_over_es2(&mut self, iccid: Iccid) -> String {
        use simurgh_rsp::message::es2::path;

        self.stock(iccid);
        let iccid = iccid.digits();
        self.told(path::DOWNLOAD_ORDER, serde_json::json!({ "iccid": iccid }))
            .unwrap();
        let confirm = serde_json::json!({ "iccid": iccid, "releaseFlag": true });
        let answer = self.told(path::CONFIRM_ORDER, confirm).unwrap();
        answer["matchingId"].as_str().unwrap().to_owned()
    }

    pub(crate) fn reserve(&mut self, iccid: Iccid, eid: Option<Eid>) {
        let call = self.call();
        let ordered = self.app.download_order(call, eid, Some(iccid), None);
        self.runtime.block_on(ordered).unwrap();
    }

    pub(crate) fn confirm(&mut self, with: OrderConfirmation) -> Result<ConfirmedOrder, EsimFault> {
        let call = self.call();
        self.runtime.block_on(self.app.confirm_order(call, with))
    }

    fn call(&mut self) -> OrderCall {
        self.calls += 1;
        OrderCall {
            requester: OPERATOR.into(),
            call: self.calls.to_string(),
            request: self.calls.to_be_bytes().to_vec(),
        }
    }

    /// The profile as the store has it.
    pub(crate) fn profile(&self, iccid: Iccid) -> Profile {
        let store = &self.app.store;
        let found = store.snapshot(move |tx| tx.profile_by_iccid(iccid));
        self.runtime.block_on(found).unwrap().unwrap()
    }

    /// Changes a profile behind the server's back.
    pub(crate) fn change(&self, iccid: Iccid, change: fn(&mut Profile)) {
        let store = &self.app.store;
        let done = store.transact(move |tx| {
            let mut profile = tx.profile_by_iccid(iccid)?.unwrap();
            change(&mut profile);
            tx.update_profile(&profile)
        });
        self.runtime.block_on(done).unwrap();
    }

    /// Posts a body; gives status and body of the answer.
    pub(crate) fn post(&self, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        self.post_with(path, body, &[])
    }

    pub(crate) fn post_with(
        &self,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let mut request = Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request, body)
    }

    /// Posts a body over a connection on which this certificate was shown.
    pub(crate) fn post_shown(
        &self,
        path: &str,
        body: Vec<u8>,
        shown: &[u8],
    ) -> (StatusCode, Value) {
        let shown: PeerCertificates = Arc::new([shown.to_vec().into()]);
        let request = Request::post(path).header("content-type", "application/json");
        self.ask(request.extension(shown), body)
    }

    fn ask(&self, request: Builder, body: Vec<u8>) -> (StatusCode, Value) {
        let request = request.body(HttpBody::from(body)).unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap();
            (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
        })
    }

    /// What an answer says.
    pub(crate) fn said(&self, path: &str, body: &Value) -> Result<Value, Status> {
        let (status, answer) = self.post(path, body.to_string().into_bytes());
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        read(answer)
    }

    /// The same as an operator with a token.
    pub(crate) fn told(&mut self, path: &str, body: Value) -> Result<Value, Status> {
        self.told_by((OPERATOR, TOKEN), path, body)
    }

    /// The same as any caller: its name and its token.
    pub(crate) fn told_by(
        &mut self,
        (name, token): (&str, &str),
        path: &str,
        mut body: Value,
    ) -> Result<Value, Status> {
        self.calls += 1;
        body["header"] = serde_json::json!({
            "functionRequesterIdentifier": name,
            "functionCallIdentifier": self.calls.to_string(),
        });
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let (status, answer) = self.post_with(path, body.to_string().into_bytes(), &headers);
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        read(answer)
    }

    pub(crate) fn settings(&mut self, number: u8) -> EuiccSettings {
        let eid = eid(number);
        let mut random = Counting(u64::from(number) + 500);
        let credential = self.pki.euicc(&eid, &mut |octets| random.fill(octets));
        EuiccSettings {
            eid,
            identities: vec![EuiccIdentity {
                credential: credential.unwrap(),
                eum: self.pki.eum().clone(),
                root: self.pki.root().clone(),
            }],
            memory_octets: 100_000,
            root_smds: SMDS.into(),
            profile_version: Version([2, 3, 1]),
            rules: Vec::new(),
        }
    }

    pub(crate) fn phone(&mut self, number: u8) -> Phone {
        Phone {
            chip: Euicc::new(self.settings(number)).unwrap(),
            random: Counting(u64::from(number) + 9_000),
            left: usize::MAX,
        }
    }
}

/// What an answer says: its fields, or why not.
pub(crate) fn read(answer: Value) -> Result<Value, Status> {
    match outcome(&answer).unwrap() {
        Outcome::Executed => Ok(answer),
        failed @ Outcome::Failed { .. } => {
            let Outcome::Failed { message, .. } = &failed else {
                unreachable!()
            };
            assert!(message.as_ref().is_some_and(|text| !text.is_empty()));
            Err(failed.status().unwrap())
        }
    }
}

pub(crate) fn eid(number: u8) -> Eid {
    let mut digits = format!("890490321234512345123456789{number:03}");
    digits.push_str("00");
    let remainder = digits
        .bytes()
        .fold(0u32, |sum, digit| (sum * 10 + u32::from(digit - b'0')) % 97);
    digits.truncate(30);
    format!("{digits}{:02}", 98 - remainder).parse().unwrap()
}

pub(crate) fn iccid(last: u8) -> Iccid {
    Iccid::with_check_digit(&format!("89860123456789012{last}")).unwrap()
}

pub(crate) fn confirmation(iccid: Iccid, code: Option<&str>) -> OrderConfirmation {
    OrderConfirmation {
        iccid,
        eid: None,
        matching_id: None,
        confirmation: code.map(hash_confirmation_code),
        smds: None,
        expires_at: None,
        release: true,
    }
}

fn material(iccid: Iccid) -> ProfileMaterial {
    let hidden = |text: &str| Hidden::new(text.to_owned());
    ProfileMaterial {
        iccid,
        imsi: "001010123456789".parse().unwrap(),
        home: "00101".parse().unwrap(),
        msisdn: Some("+8613800138000".parse().unwrap()),
        ki: Hidden::new([0x4B; 16]),
        opc: Hidden::new([0x0C; 16]),
        pins: [hidden("1234"), hidden("5678")],
        puks: [hidden("11112222"), hidden("33334444")],
        administrative: hidden("99990000"),
        over_the_air: Vec::new(),
        service_provider_name: "Simurgh".into(),
        profile_name: "Simurgh Global".into(),
        service_centre: None,
        preferred: vec!["46000".parse().unwrap()],
        forbidden: Vec::new(),
    }
}

/// A phone: a software eUICC, which may break after so many commands.
pub(crate) struct Phone {
    pub(crate) chip: Euicc,
    random: Counting,
    pub(crate) left: usize,
}

impl Card for Phone {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        self.left = self.left.checked_sub(1).ok_or(CardError::Gone)?;
        let random = &mut self.random;
        let mut environment = Environment {
            random: &mut |octets| random.fill(octets),
        };
        Ok(self.chip.transmit(apdu, &mut environment))
    }
}

/// The net between phones and the server; it can lose answers and change requests.
pub(crate) struct Net<'a> {
    pub(crate) operator: &'a Operator,
    /// Every request, as it was sent: where it went and what it said.
    pub(crate) sent: Vec<(String, Vec<u8>)>,
    /// The answer to this request is lost on its way.
    pub(crate) loses: Option<usize>,
}

impl<'a> Net<'a> {
    pub(crate) const fn of(operator: &'a Operator) -> Self {
        Self {
            operator,
            sent: Vec::new(),
            loses: None,
        }
    }
}

impl Servers for Net<'_> {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        assert!(
            [ADDRESS, SMDS]
                .iter()
                .any(|own| own.eq_ignore_ascii_case(address))
        );
        self.sent.push((path.to_owned(), body.to_vec()));
        let (status, answer) = self.operator.post(path, body.to_vec());
        if self.loses == Some(self.sent.len() - 1) {
            return Err(LpaError::Unreachable("the answer was lost".into()));
        }
        Ok((status.as_u16(), answer.to_string().into_bytes()))
    }
}

/// A user who agrees, with a code if there is one.
pub(crate) struct Willing(pub(crate) Option<&'static str>);

impl User for Willing {
    fn consent(&mut self, _: &ProfileMetadata, code_needed: bool) -> Consent {
        Consent::Yes {
            confirmation_code: self.0.filter(|_| code_needed).map(str::to_owned),
        }
    }

    fn progress(&mut self, _: Progress) {}
}

/// A user who does not want it.
pub(crate) struct Unwilling(pub(crate) Consent);

impl User for Unwilling {
    fn consent(&mut self, _: &ProfileMetadata, _: bool) -> Consent {
        self.0.clone()
    }

    fn progress(&mut self, _: Progress) {}
}

pub(crate) fn wanted(token: &str) -> Order {
    Order {
        address: ADDRESS.into(),
        matching_id: Some(token.to_owned()),
        smdp_oid: None,
        device: DeviceInfo::default(),
    }
}

impl Phone {
    pub(crate) fn download(
        &mut self,
        net: &mut Net<'_>,
        token: &str,
        user: &mut dyn User,
    ) -> Result<Downloaded, LpaError> {
        let mut lpa = Lpa::open(self)?;
        let done = lpa.download(&wanted(token), net, user)?;
        lpa.close()?;
        Ok(done)
    }

    /// Downloads with a user who agrees.
    pub(crate) fn fetch(
        &mut self,
        operator: &Operator,
        token: &str,
    ) -> Result<Downloaded, LpaError> {
        self.download(&mut Net::of(operator), token, &mut Willing(None))
    }

    /// Delivers what the chip has to tell.
    pub(crate) fn tell(&mut self, operator: &Operator) -> usize {
        let mut lpa = Lpa::open(self).unwrap();
        lpa.deliver_notifications(&mut Net::of(operator)).unwrap()
    }
}

/// Why a server refused.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, LpaError>) -> Status {
    match result {
        Err(LpaError::Refused(outcome)) => outcome.status().unwrap(),
        other => panic!("{other:?}"),
    }
}
