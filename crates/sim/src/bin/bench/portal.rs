//! The account page under load: the real server in a process of its own, the load in this one.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path as InPath;
use axum::routing::get;
use simurgh_sim::{MachineClock, RealWorld};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};
use simurgh_web::brand::Brand;
use simurgh_web::frame::{Frames, Policy, Transport};
use simurgh_web::server::{self, Limits};
use simurgh_web::state::WebState;
use tokio::net::TcpListener;

use crate::{count_per_second, load, p99_ms, ratio, seed, weight};

/// Customers in the store.
pub(crate) const CUSTOMERS: u32 = 100_000;
/// Before measuring: caches fill, connections stand.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long is measured.
const MEASURED: Duration = Duration::from_secs(10);
/// The account page.
const PAGE: &str = "/line";
/// The longest page the bare handler can stand for.
const BARE_OCTETS: usize = 256 * 1_024;

/// `cargo xtask bench portal`
pub(crate) async fn run(customers: u32) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("simurgh-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(said)?;
    let measured = measure(&folder, customers).await;
    std::fs::remove_dir_all(&folder).map_err(said)?;
    measured
}

async fn measure(folder: &Path, customers: u32) -> Result<(), String> {
    {
        let store = open(folder)?;
        let world = RealWorld::new(Arc::clone(&store)).await?;
        seed::customers(&world.app, customers).await?;
        store.close().map_err(said)?;
    }
    let mut process = Server::start(folder)?;
    let outcome = measure_server(&mut process, customers).await;
    process.stop()?;
    outcome
}

async fn measure_server(process: &mut Server, customers: u32) -> Result<(), String> {
    let customers = usize::try_from(customers.max(1)).map_err(said)?;
    // A step that has no factor in common with round numbers: neighbours do not follow each other.
    let cookies =
        move |turn: usize| format!("__Host-simurgh={}", seed::token(turn * 7_919 % customers));
    let mut connection = load::Connection::open(process.portal).await?;
    let page = connection.ask(PAGE, &cookies(1)).await?;
    load::press(process.portal, PAGE, cookies, WARM_UP).await?;
    let began = Instant::now();
    let times = load::press(process.portal, PAGE, cookies, MEASURED).await?;
    let per_second = count_per_second(times.len(), began);
    let rss_mb = process.rss_mb()?;
    let bare_path = format!("/{}", page.body.len());
    let began = Instant::now();
    let bare = load::press(process.bare, &bare_path, cookies, WARM_UP).await?;
    let bare = count_per_second(bare.len(), began);
    let start_page = weight::octets(process.portal, "/").await?;
    println!(
        "{{\"bench\":\"portal\",\"per_s\":{per_second},\"p99_ms\":{},\"start_page_kb\":{},\
         \"rss_mb\":{rss_mb},\"bare_ratio\":{},\"bare_per_s\":{bare},\"page_octets\":{}}}",
        p99_ms(times),
        start_page.div_ceil(1_000),
        ratio(per_second, bare),
        page.body.len()
    );
    Ok(())
}

fn open(folder: &Path) -> Result<Arc<Database>, String> {
    let url = DatabaseUrl::Sqlite(folder.join("simurgh.db"));
    let store = Database::open(&url, DatabaseOptions::default()).map_err(said)?;
    Ok(Arc::new(store))
}

/// The server's process: the portal, and beside it a handler that answers as many octets without
/// doing anything.
pub(crate) async fn serve(folder: &str) -> Result<(), String> {
    let world = RealWorld::new(open(Path::new(folder))?).await?;
    let policy = Policy::new(Transport::Http, &[]);
    let frames = Frames::new(Brand::default(), policy, Arc::new(MachineClock)).map_err(said)?;
    let state = WebState {
        app: world.app,
        frames,
        proxy_header: None,
    };
    let octets = Bytes::from(vec![b'x'; BARE_OCTETS]);
    let bare = Router::new().route(
        "/{octets}",
        get(move |InPath(count): InPath<usize>| {
            let answer = octets.slice(..count.min(BARE_OCTETS));
            async move { answer }
        }),
    );
    let portal_listener = TcpListener::bind("127.0.0.1:0").await.map_err(said)?;
    let bare_listener = TcpListener::bind("127.0.0.1:0").await.map_err(said)?;
    println!("{}", portal_listener.local_addr().map_err(said)?);
    println!("{}", bare_listener.local_addr().map_err(said)?);
    let portal = simurgh_web::site::portal(state, Router::new());
    let limits = Limits::default();
    let never = std::future::pending;
    tokio::join!(
        server::serve(portal_listener, portal, limits, never()),
        server::serve(bare_listener, bare, limits, never()),
    );
    Ok(())
}

struct Server {
    child: Child,
    portal: SocketAddr,
    bare: SocketAddr,
}

impl Server {
    fn start(folder: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(said)?;
        let mut child = Command::new(program)
            .arg("portal-server")
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(said)?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut address = || -> Result<SocketAddr, String> {
            let line = lines.next().ok_or("the server did not start")?;
            line.map_err(said)?.parse().map_err(said)
        };
        let (portal, bare) = (address()?, address()?);
        Ok(Self {
            child,
            portal,
            bare,
        })
    }

    /// What the process holds of the machine's memory, as Linux counts it.
    fn rss_mb(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).map_err(said)?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        let kib = kib.ok_or("the size of the process cannot be read")?;
        Ok((kib * 1_024).div_ceil(1_000_000))
    }

    fn stop(mut self) -> Result<(), String> {
        self.child.kill().map_err(said)?;
        self.child.wait().map(drop).map_err(said)
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
