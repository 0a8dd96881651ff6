//! Credit control over Diameter: the server on the first core, clients on the second.
//!
//! A closed loop: each of `conns` connections has `window` sessions under way, and each session waits for
//! its answer before it goes on: CCR-I, four CCR-U, CCR-T. Beside it, in the same run, the limit of
//! the store: a loop that commits as many octets for as many requests at a time, and does nothing else.

pub(crate) mod limit;
pub(crate) mod load;
pub(crate) mod server;
mod wire;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use simurgh_sim::{RealWorld, add_charged_lines};
use simurgh_store::db::Written;
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl};

use crate::ratio;

/// What each line has, in octets: more than any run uses.
const DATA: i64 = 1 << 44;

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

/// What is measured at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    store: Kind,
    conns: u32,
    window: u32,
    groups: u32,
    lines: u32,
}

impl Case {
    /// Every case.
    pub(crate) fn all() -> Vec<Self> {
        let case = |store, conns, window, groups, lines| Self {
            store,
            conns,
            window,
            groups,
            lines,
        };
        let mut all = Vec::new();
        for store in [Kind::Sqlite, Kind::Postgres] {
            for lines in [2_000, 100_000, 1_000_000] {
                all.push(case(store, 4, 32, 1, lines));
                all.push(case(store, 4, 32, 3, lines));
            }
            all.push(case(store, 1, 1, 1, 2_000));
        }
        all
    }

    /// Reads `STORE CONNS WINDOW GROUPS LINES`.
    pub(crate) fn read(words: &[&str]) -> Option<Self> {
        let [store, numbers @ ..] = words else {
            return None;
        };
        let [conns, window, groups, lines] = numbers else {
            return None;
        };
        let number = |word: &str| {
            word.parse()
                .ok()
                .filter(|it| (1..=100_000_000).contains(it))
        };
        Some(Self {
            store: [Kind::Sqlite, Kind::Postgres]
                .into_iter()
                .find(|it| it.name() == *store)?,
            conns: number(conns)?,
            window: number(window)?,
            groups: number(groups)?,
            lines: number(lines)?,
        })
    }

    fn words(&self) -> [String; 5] {
        let Self {
            store,
            conns,
            window,
            groups,
            lines,
        } = self;
        let [conns, window, groups, lines] = [conns, window, groups, lines].map(u32::to_string);
        [store.name().to_owned(), conns, window, groups, lines]
    }

    const fn in_flight(&self) -> u32 {
        self.conns * self.window
    }
}

/// `cargo xtask bench charging`
pub(crate) async fn run(cases: &[Case]) -> Result<(), String> {
    let postgres = std::env::var("SIMURGH_TEST_POSTGRES").ok();
    for case in cases {
        match (case.store, &postgres) {
            (Kind::Sqlite, _) => on_sqlite(case).await?,
            (Kind::Postgres, Some(url)) => on_postgres(case, url).await?,
            (Kind::Postgres, None) => {
                eprintln!("skipped: PostgreSQL (SIMURGH_TEST_POSTGRES names no server)");
            }
        }
    }
    Ok(())
}

async fn on_sqlite(case: &Case) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("simurgh-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(said)?;
    let file = folder.join("charging.db");
    let url = file.to_str().ok_or("a folder that is no text")?.to_owned();
    let raw = folder.join("raw.db");
    let raw = raw.to_str().ok_or("a folder that is no text")?.to_owned();
    let measured = measure(case, &url, &raw).await;
    std::fs::remove_dir_all(&folder).map_err(said)?;
    measured
}

/// In schemas that go away.
async fn on_postgres(case: &Case, url: &str) -> Result<(), String> {
    let schema = |name: &str| format!("simurgh_bench_{name}_{}", std::process::id());
    let separator = if url.contains('?') { '&' } else { '?' };
    let within = |name: &str| {
        format!(
            "{url}{separator}options=-c%20search_path%3D{}",
            schema(name)
        )
    };
    let both = ["charging", "raw"].map(schema);
    let create = both.each_ref().map(|it| format!("CREATE SCHEMA {it}"));
    run_plain(url, &create).await?;
    let measured = measure(case, &within("charging"), &within("raw")).await;
    let drop = both.map(|it| format!("DROP SCHEMA {it} CASCADE"));
    run_plain(url, &drop).await?;
    measured
}

async fn run_plain(url: &str, statements: &[String]) -> Result<(), String> {
    let store = open(url)?;
    for sql in statements {
        let written = store.write_again(vec![Written::plain(sql)]).await;
        written.map_err(said)?;
    }
    Ok(())
}

/// Makes a store with so many lines.
async fn fill(url: &str, lines: u32) -> Result<(), String> {
    let store = Arc::new(open(url)?);
    let world = RealWorld::new(Arc::clone(&store)).await?;
    add_charged_lines(&world.app, lines, |_| DATA).await?;
    drop(world);
    store.close().map_err(said)
}

/// Opens what a word names: a URL of PostgreSQL, else a file.
fn open(url: &str) -> Result<Database, String> {
    let url = if url.starts_with("postgres") {
        DatabaseUrl::Postgres(url.to_owned())
    } else {
        DatabaseUrl::Sqlite(url.into())
    };
    Database::open(&url, DatabaseOptions::default()).map_err(said)
}

async fn measure(case: &Case, url: &str, raw: &str) -> Result<(), String> {
    fill(url, case.lines).await?;
    let mut server = Process::start(FIRST_CORE, "charging-server", &[url.to_owned()])?;
    let address = server.line()?;
    let mut words = vec![address];
    words.extend(case.words());
    let before = server.resident_octets()?;
    let mut load = Process::start(SECOND_CORE, "charging-load", &words)?;
    // The clients have met every line, and begin to measure.
    load.line()?;
    let cpu_before = server.cpu_micros()?;
    let measured = load.line()?;
    let cpu = server.cpu_micros()? - cpu_before;
    let after = server.resident_octets()?;
    server.stop()?;
    load.stop()?;
    let mut words = vec![raw.to_owned()];
    words.extend(case.words());
    let mut limit = Process::start(FIRST_CORE, "charging-limit", &words)?;
    let limit_per_s: u128 = limit.line()?.parse().map_err(said)?;
    limit.stop()?;
    let [answers, per_s, p50, p99] = measured.split(' ').collect::<Vec<_>>()[..] else {
        return Err(format!("the clients said: {measured}"));
    };
    let per_s: u128 = per_s.parse().map_err(said)?;
    let answers: u128 = answers.parse().map_err(said)?;
    println!(
        "{{\"bench\":\"charging\",\"store\":\"{}\",\"conns\":{},\"window\":{},\"groups\":{},\
         \"lines\":{},\"ccr_per_s\":{per_s},\"p50_ms\":{p50},\"p99_ms\":{p99},\"limit_ratio\":{},\
         \"bytes_per_line\":{},\"limit_per_s\":{limit_per_s},\"cpu_us\":{}}}",
        case.store.name(),
        case.conns,
        case.window,
        case.groups,
        case.lines,
        ratio(per_s, limit_per_s),
        after.saturating_sub(before) / u128::from(case.lines),
        crate::thousandths(cpu * 1_000 / answers.max(1)),
    );
    Ok(())
}

const FIRST_CORE: &str = "0";
const SECOND_CORE: &str = "1";

/// A part of the benchmark in a process of its own, on one core.
struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(core: &str, what: &str, words: &[String]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(said)?;
        let mut child = Command::new("taskset")
            .args(["-c", core])
            .arg(program)
            .arg(what)
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(said)?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self { child, output })
    }

    /// The next line it says.
    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.output.read_line(&mut line).map_err(said)? {
            0 => Err("a part of the benchmark ended".to_owned()),
            _ => Ok(line.trim().to_owned()),
        }
    }

    fn resident_octets(&self) -> Result<u128, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).map_err(said)?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let kib = line.and_then(|it| it.split_whitespace().next());
        let kib: u128 = kib.ok_or("no size")?.parse().map_err(said)?;
        Ok(kib * 1_024)
    }

    fn cpu_micros(&self) -> Result<u128, String> {
        crate::cpu_micros(self.child.id())
    }

    fn stop(mut self) -> Result<(), String> {
        self.child.kill().map_err(said)?;
        self.child.wait().map(drop).map_err(said)
    }
}

fn said(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
