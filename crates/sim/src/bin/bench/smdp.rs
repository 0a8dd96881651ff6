//! Downloads of eSIM profiles: the SM-DP+ in a process of its own, phones in this one.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use simurgh_app::App;
use simurgh_app::esim::{OrderCall, OrderConfirmation};
use simurgh_app::ports::{PackedProfile, PackedVariant};
use simurgh_rsp::bpp::ProtectedProfile;
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::key::{Curve, PrivateKey, Signer as _};
use simurgh_rsp::message::Wire as _;
use simurgh_rsp::message::metadata::{NotificationReceiver, ProfileMetadata, event};
use simurgh_rsp::pki::{Credentials, TestNames, TestPki};
use simurgh_rsp::tlv::{NamedBits, Oid};
use simurgh_sim::{MachineClock, RealWorld};
use simurgh_smdp::{ServerCredentials, Smdp, SmdpSettings};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_web::server::{self, Limits};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::chip::{Maker, Phone};
use crate::load::Connection;
use crate::{count_per_second, ratio};

/// Profiles that are downloaded, each once.
pub(crate) const DOWNLOADS: u32 = 6_000;
/// A profile as test profiles of the industry are, in octets (TS.48 v7).
const PROFILE_OCTETS: usize = 12_257;
/// Phones at once, each with a connection that is kept alive.
const PHONES: u32 = 32;
/// Before measuring.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long sessions are opened.
const MEASURED: Duration = Duration::from_secs(5);
/// How often each primitive is timed.
const ROUNDS: u32 = 10_000;
const ADDRESS: &str = "smdp.example.com";
const OID: &str = "2.999.10";

/// `cargo xtask bench smdp`
pub(crate) async fn run(downloads: u32) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("simurgh-bench-smdp-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(said)?;
    let measured = measure(&folder, downloads.max(PHONES)).await;
    std::fs::remove_dir_all(&folder).map_err(said)?;
    measured
}

async fn measure(folder: &Path, downloads: u32) -> Result<(), String> {
    {
        let store = open(folder)?;
        let world = RealWorld::new(Arc::clone(&store)).await?;
        stock(&world.app, downloads).await?;
        store.close().map_err(said)?;
    }
    let process = Server::start(folder)?;
    let outcome = measure_server(&process, downloads).await;
    process.stop()?;
    outcome
}

async fn measure_server(process: &Server, downloads: u32) -> Result<(), String> {
    let mut pki = pki()?;
    let maker = Maker::new(&pki, ADDRESS, oid()?);
    let mut random = Counting(77);
    let mut phones = Vec::new();
    for number in 0..PHONES {
        let connection = Connection::open(process.address).await?;
        let eid = eid(number)?;
        let phone = Phone::new(&maker, &mut pki, &eid, connection, &mut |octets| {
            random.fill(octets);
        })?;
        phones.push(phone);
    }
    let (_, phones) = open_sessions(phones, WARM_UP).await?;
    let began = Instant::now();
    let (opened, phones) = open_sessions(phones, MEASURED).await?;
    let init_per_s = count_per_second(opened, began);
    let cpu_before = process.cpu_micros()?;
    let began = Instant::now();
    download_all(phones, downloads).await?;
    let count = usize::try_from(downloads).map_err(said)?;
    let downloads_per_s = count_per_second(count, began);
    let cpu = (process.cpu_micros()? - cpu_before) / u128::from(downloads);
    let crypto = crypto_nanos()?;
    println!(
        "{{\"bench\":\"smdp\",\"init_per_s\":{init_per_s},\"downloads_per_s\":{downloads_per_s},\
         \"cpu_vs_crypto\":{},\"cpu_us\":{cpu},\"crypto_us\":{},\"profile_octets\":{PROFILE_OCTETS}}}",
        ratio(cpu * 1_000, crypto),
        crypto / 1_000
    );
    Ok(())
}

/// Every phone opens sessions for `length`; gives how many there were.
async fn open_sessions(
    phones: Vec<Phone>,
    length: Duration,
) -> Result<(usize, Vec<Phone>), String> {
    let mut tasks = JoinSet::new();
    for (number, mut phone) in (0u64..).zip(phones) {
        tasks.spawn(async move {
            let ends = Instant::now() + length;
            let mut random = Counting(number);
            let mut count = 0usize;
            while Instant::now() < ends {
                phone.initiate(random.challenge()).await?;
                count += 1;
            }
            Ok::<_, String>((count, phone))
        });
    }
    let (mut sum, mut phones) = (0, Vec::new());
    while let Some(ended) = tasks.join_next().await {
        let (count, phone) = ended.map_err(said)??;
        sum += count;
        phones.push(phone);
    }
    Ok((sum, phones))
}

/// The phones download all profiles between them.
async fn download_all(phones: Vec<Phone>, downloads: u32) -> Result<(), String> {
    let waiting = Arc::new(Mutex::new(0..downloads));
    let mut tasks = JoinSet::new();
    for mut phone in phones {
        let waiting = Arc::clone(&waiting);
        tasks.spawn(async move {
            loop {
                let next = waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .next();
                let Some(number) = next else {
                    return Ok::<_, String>(());
                };
                let challenge = Counting(u64::from(number)).challenge();
                phone
                    .download(&token(number), iccid(number)?, challenge)
                    .await?;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(said)??;
    }
    Ok(())
}

/// What a download needs of signatures, verifications and key agreement: ours under session, offer and package;
/// the chip's certificate and its three signatures; one key and one agreement.
fn crypto_nanos() -> Result<u128, String> {
    let key = PrivateKey::from_scalar(Curve::P256, &[0x42; 32]).map_err(said)?;
    let other = PrivateKey::from_scalar(Curve::P256, &[0x43; 32]).map_err(said)?;
    let public = other.public_key();
    let message = [7u8; 300];
    let signature = key.sign(&message).map_err(said)?;
    let sign = timed(|| key.sign(&message).map(drop).map_err(said))?;
    let verify = timed(|| key.public_key().verify(&message, &signature).map_err(said))?;
    let mut scalar = 0u8;
    let generate = timed(|| {
        scalar = scalar % 100 + 1;
        PrivateKey::from_scalar(Curve::P256, &[scalar; 32])
            .map(drop)
            .map_err(said)
    })?;
    let agree = timed(|| key.agree(&public).map(drop).map_err(said))?;
    Ok(3 * sign + 4 * verify + generate + agree)
}

/// What a piece of work takes of the processor, in nanoseconds: other programs on the machine do not count.
fn timed(mut work: impl FnMut() -> Result<(), String>) -> Result<u128, String> {
    let began = thread_nanos()?;
    for _ in 0..ROUNDS {
        work()?;
    }
    Ok((thread_nanos()? - began) / u128::from(ROUNDS))
}

/// What this thread has had of the processor, as Linux counts it.
fn thread_nanos() -> Result<u128, String> {
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").map_err(said)?;
    let first = counts
        .split_whitespace()
        .next()
        .ok_or("no processor time")?;
    first.parse().map_err(said)
}

/// Puts profiles in the store, each released under a token of its own.
async fn stock(app: &App, count: u32) -> Result<(), String> {
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let app = app.clone();
        tasks.spawn(async move { stock_one(&app, number).await });
        if tasks.len() >= 256
            && let Some(ended) = tasks.join_next().await
        {
            ended.map_err(said)??;
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(said)??;
    }
    Ok(())
}

async fn stock_one(app: &App, number: u32) -> Result<(), String> {
    let iccid = iccid(number)?;
    let packed = packed(iccid, number)?;
    app.stock_profile(iccid, "bench".to_owned(), &packed)
        .await
        .map_err(said)?;
    let call = |name: &str| OrderCall {
        requester: "bench".to_owned(),
        call: format!("{name}-{number}"),
        request: number.to_be_bytes().to_vec(),
    };
    app.download_order(call("order"), None, Some(iccid), None)
        .await
        .map_err(said)?;
    let with = OrderConfirmation {
        iccid,
        eid: None,
        matching_id: Some(token(number)),
        confirmation: None,
        smds: None,
        expires_at: None,
        release: true,
    };
    app.confirm_order(call("confirm"), with)
        .await
        .map(drop)
        .map_err(said)
}

/// A package as large as a real one: the server never looks into it.
fn packed(iccid: Iccid, number: u32) -> Result<PackedProfile, String> {
    let mut random = Counting(u64::from(number) + 1_000_000);
    let profile = vec![0x5A; PROFILE_OCTETS];
    let protected =
        ProtectedProfile::protect(&profile, &mut |octets| random.fill(octets)).map_err(said)?;
    let mut metadata = ProfileMetadata::new(iccid, "Simurgh".into(), "Simurgh Global".into());
    let all = [event::INSTALL, event::ENABLE, event::DISABLE, event::DELETE];
    metadata.notifications.push(NotificationReceiver {
        events: NamedBits::of(&all),
        address: ADDRESS.to_owned(),
    });
    let octets = [&protected.keys().as_octets()[..], protected.segments()].concat();
    Ok(PackedProfile {
        metadata: metadata.encode(),
        rules: 0,
        version: 1,
        variants: vec![PackedVariant {
            variant: "5g".to_owned(),
            least_version: [2, 3, 0],
            size_octets: 12_257,
            protected: octets.into(),
        }],
    })
}

/// The server's process.
pub(crate) async fn serve(folder: &str) -> Result<(), String> {
    let world = RealWorld::new(open(Path::new(folder))?).await?;
    let loaded = Credentials::from_files(&pki()?.files()).map_err(said)?;
    let credentials = ServerCredentials::new(loaded, world.app.now()).map_err(said)?;
    let settings = SmdpSettings::new(ADDRESS.to_owned());
    let router = Smdp::new(world.app, Arc::new(credentials), settings).router();
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(said)?;
    println!("{}", listener.local_addr().map_err(said)?);
    server::serve(listener, router, Limits::default(), std::future::pending()).await;
    Ok(())
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(said)?;
        let mut child = Command::new(program)
            .arg("smdp-server")
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(said)?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(output).lines();
        let line = lines.next().ok_or("the server did not start")?;
        let address = line.map_err(said)?.parse().map_err(said)?;
        Ok(Self { child, address })
    }

    fn cpu_micros(&self) -> Result<u128, String> {
        crate::cpu_micros(self.child.id())
    }

    fn stop(mut self) -> Result<(), String> {
        self.child.kill().map_err(said)?;
        self.child.wait().map(drop).map_err(said)
    }
}

/// The same certificates and keys in both processes.
fn pki() -> Result<TestPki, String> {
    let names = TestNames {
        smdp_address: ADDRESS.to_owned(),
        smdp_oid: oid()?,
        smds_address: "smds.example.com".to_owned(),
        smds_oid: "2.999.20".parse().map_err(said)?,
        ein: "89049032".to_owned(),
    };
    let now = simurgh_app::ports::Clock::now(&MachineClock);
    let mut random = Counting(1);
    TestPki::generate(Curve::P256, &names, now, &mut |octets| random.fill(octets)).map_err(said)
}

fn oid() -> Result<Oid, String> {
    OID.parse().map_err(said)
}

fn open(folder: &Path) -> Result<Arc<Database>, String> {
    let url = DatabaseUrl::Sqlite(folder.join("simurgh.db"));
    let store = Database::open(&url, DatabaseOptions::default()).map_err(said)?;
    Ok(Arc::new(store))
}

fn iccid(number: u32) -> Result<Iccid, String> {
    Iccid::with_check_digit(&format!("898601{number:012}")).map_err(said)
}

fn eid(number: u32) -> Result<Eid, String> {
    format!("8904903212345123451234567890{number:04}")
        .parse()
        .map_err(said)
}

fn token(number: u32) -> String {
    format!("BENCH-{number:08}")
}

/// Octets that repeat from run to run.
struct Counting(u64);

impl Counting {
    fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *octet = u8::try_from(self.0 >> 56).unwrap_or(0);
        }
    }

    fn challenge(&mut self) -> [u8; 16] {
        let mut octets = [0; 16];
        self.fill(&mut octets);
        octets
    }
}

fn said(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
