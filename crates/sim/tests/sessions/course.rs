//! One course of events.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration as RealDuration;

use simurgh_app::App;
use simurgh_app::charge::UseRequest;
use simurgh_app::ports::{Clock, StoreExt, StoreFault, Subscriber};
use simurgh_charging::{
    Answer, Asked, CommandResult, Phase, ServiceKey, ServiceReport, ServiceResult,
};
use simurgh_sim::{
    Chance, TestClock, add_charged_lines, add_charged_plan, charging_app, line_number,
    program_over, scratch_folder,
};
use simurgh_store::{Database, DatabaseOptions, DatabaseUrl, SqliteOptions};
use simurgh_vocab::{Duration, LineId, Timestamp, Unit};
use tokio::runtime::Runtime;

use super::model::{Holds, ModelBucket, ModelLine};

const LINES: u32 = 3;
const STEPS: u32 = 60;
/// Of the latest sessions, how many are asked for more.
const SESSIONS_ASKED: usize = 10;
const MIB: i64 = 1_024 * 1_024;
/// An answer is known for an hour; less, because its hour begins with the end of its session.
const KNOWN: Duration = Duration::minutes(50);
/// A session that is silent for twice the validity of its quota is given up.
const SUPERVISION: Duration = Duration::minutes(60);

/// What happened in all courses.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    granted: u64,
    refused: u64,
    repeated: u64,
    given_up: u64,
    crashes: u64,
    uncovered: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, other: &Self) {
        self.granted += other.granted;
        self.refused += other.refused;
        self.repeated += other.repeated;
        self.given_up += other.given_up;
        self.crashes += other.crashes;
        self.uncovered += other.uncovered;
    }

    /// Whether everything happened often enough to prove something.
    pub(crate) fn says_something(&self) -> bool {
        [
            self.granted,
            self.refused,
            self.repeated,
            self.given_up,
            self.crashes,
            self.uncovered,
        ]
        .into_iter()
        .all(|it| it >= 100)
    }
}

/// A store with lines, to be copied; it goes away with its owner.
pub(crate) struct Template {
    folder: PathBuf,
    begin: Timestamp,
}

impl Template {
    pub(crate) fn new() -> Self {
        let folder = scratch_folder("sessions");
        std::fs::create_dir_all(&folder).unwrap();
        let begin = runtime().block_on(async {
            let store = open(&folder.join("template.db"), RealDuration::ZERO);
            store.migrate(Timestamp::from_micros(0)).unwrap();
            let app = charging_app(Arc::<Database>::clone(&store)).await.unwrap();
            add_charged_lines(&app, LINES, |_| 5 * MIB).await.unwrap();
            store.close().unwrap();
            app.now()
        });
        Self { folder, begin }
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        // The folder is in the system's own for such things, should this fail.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn open(path: &Path, fold_after: RealDuration) -> Arc<Database> {
    let options = DatabaseOptions {
        sqlite: SqliteOptions {
            fold_after,
            ..SqliteOptions::default()
        },
        ..DatabaseOptions::default()
    };
    Arc::new(Database::open(&DatabaseUrl::Sqlite(path.to_owned()), options).unwrap())
}

struct Session {
    id: Arc<str>,
    line: usize,
    next: u32,
    holds: Holds,
    due: Timestamp,
    is_live: bool,
    last: Option<(UseRequest, Arc<Answer>, Timestamp)>,
}

pub(crate) struct Course {
    seed: u64,
    folder: PathBuf,
    file: u32,
    chance: Chance,
    clock: Arc<TestClock>,
    store: Arc<Database>,
    app: App,
    runtime: Runtime,
    line_ids: Vec<LineId>,
    lines: Vec<ModelLine>,
    sessions: Vec<Session>,
    begun: u32,
    sum: Sum,
}

impl Course {
    pub(crate) fn new(template: &Template, seed: u64) -> Self {
        let folder = template.folder.join(seed.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("0.db");
        std::fs::copy(template.folder.join("template.db"), &path).unwrap();
        let mut chance = Chance::new(seed);
        let clock = Arc::new(TestClock::at(template.begin));
        let store = open(&path, fold_after(&mut chance));
        let app = program(&store, &clock, seed);
        let runtime = runtime();
        let mut course = Self {
            seed,
            folder,
            file: 0,
            chance,
            clock,
            store,
            app,
            runtime,
            line_ids: Vec::new(),
            lines: Vec::new(),
            sessions: Vec::new(),
            begun: 0,
            sum: Sum::default(),
        };
        for number in 0..LINES {
            let number = format!("+{}", line_number(number)).parse().unwrap();
            let found = course
                .app
                .store
                .snapshot(move |tx| tx.line_of_number(&number));
            let line = course.runtime.block_on(found).unwrap().unwrap();
            course.line_ids.push(line);
            let mut model = ModelLine::default();
            course
                .buckets(line)
                .into_iter()
                .for_each(|it| model.add(it));
            course.lines.push(model);
        }
        course
    }

    pub(crate) fn run(mut self) -> Sum {
        for _ in 0..STEPS {
            match self.chance.below(20) {
                0 => self.crash(),
                1 => self.supervise(),
                2 | 3 => self.buy(),
                4 | 5 => {
                    let minutes = u32::try_from(self.chance.below(40)).unwrap();
                    self.clock.advance(Duration::minutes(minutes));
                }
                _ => self.ask_several(),
            }
        }
        self.compare();
        self.store.close().unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
        let uncovered = self.lines.iter().filter(|it| it.uncovered > 0).count();
        self.sum.uncovered = uncovered as u64;
        self.sum
    }

    /// The program ends without a word; what is on the disk is all there is.
    fn crash(&mut self) {
        self.sum.crashes += 1;
        let from = self.folder.join(format!("{}.db", self.file));
        self.file += 1;
        let to = self.folder.join(format!("{}.db", self.file));
        for suffix in ["", "-wal"] {
            let name = |path: &Path| format!("{}{suffix}", path.display());
            if Path::new(&name(&from)).exists() {
                std::fs::copy(name(&from), name(&to)).unwrap();
            }
        }
        self.store = open(&to, fold_after(&mut self.chance));
        self.app = program(&self.store, &self.clock, self.seed ^ u64::from(self.file));
    }

    fn buy(&mut self) {
        let line = self.chance.below(self.lines.len());
        let data = i64::try_from(1 + self.chance.below(20)).unwrap() * MIB / 2;
        let minutes = u32::try_from(10 + self.chance.below(170)).unwrap();
        let length = Duration::minutes(minutes);
        let bought = add_charged_plan(&self.app, self.line_ids[line], data, length);
        let id = self.runtime.block_on(bought).unwrap();
        self.lines[line].add(ModelBucket {
            id,
            end: self.clock.now().plus(length),
            left: data,
            reserved: 0,
            used: 0,
            expired: 0,
        });
    }

    fn supervise(&mut self) {
        self.settle();
        self.runtime
            .block_on(self.app.supervise_sessions())
            .unwrap();
        let now = self.clock.now();
        let silent = self.sessions.iter_mut();
        for session in silent.filter(|it| it.is_live && it.due <= now) {
            self.lines[session.line].report(&mut session.holds, 0, now);
            session.is_live = false;
            self.sum.given_up += 1;
        }
    }

    /// Brings everything into the tables.
    fn settle(&self) {
        let lines = self.line_ids.clone();
        let settled = self
            .app
            .store
            .transact(move |tx| -> Result<(), StoreFault> {
                let mut lines = lines.clone();
                lines.sort_unstable();
                lines
                    .into_iter()
                    .try_for_each(|line| tx.line(line).map(drop))
            });
        self.runtime.block_on(settled).unwrap();
    }

    /// Some requests in one batch.
    fn ask_several(&mut self) {
        let mut asked = Vec::new();
        for _ in 0..=self.chance.below(4) {
            let live = self.sessions.iter().filter(|it| it.is_live).count();
            let place = match self.chance.below(6) {
                0 => self.begin(),
                _ if live == 0 => self.begin(),
                _ => {
                    let count = self.sessions.len();
                    count - 1 - self.chance.below(count.min(SESSIONS_ASKED))
                }
            };
            // One request of a session at a time: what it reports follows from what it was granted.
            if asked.iter().any(|(of, _)| *of == place) {
                continue;
            }
            if let Some(request) = self.request(place) {
                asked.push((place, request));
            }
        }
        let requests: Vec<UseRequest> = asked.iter().map(|(_, it)| it.clone()).collect();
        let answers = self.runtime.block_on(self.app.charge_uses(requests.into()));
        for ((place, request), answer) in asked.into_iter().zip(answers.unwrap()) {
            self.check(place, request, answer);
        }
    }

    fn begin(&mut self) -> usize {
        self.begun += 1;
        let session = Session {
            id: format!("pgw;{}", self.begun).into(),
            line: self.chance.below(self.lines.len()),
            next: 0,
            holds: Vec::new(),
            due: self.clock.now(),
            is_live: true,
            last: None,
        };
        self.sessions.push(session);
        self.sessions.len() - 1
    }

    /// The next request of a session, or its last one again; none if there is nothing to ask.
    fn request(&mut self, place: usize) -> Option<UseRequest> {
        let session = &self.sessions[place];
        let now = self.clock.now();
        let repeats = !session.is_live || (session.next > 0 && self.chance.percent(15));
        if repeats {
            let (request, _, at) = session.last.as_ref()?;
            return (now.since(*at) < KNOWN).then(|| request.clone());
        }
        let held: i64 = session.holds.iter().map(|(_, amount)| amount).sum();
        let phase = match self.chance.below(10) {
            0 if session.next == 0 => Phase::Event,
            _ if session.next == 0 => Phase::Initial,
            0 | 1 => Phase::Terminate,
            _ => Phase::Update,
        };
        // Now and then more than was granted.
        let most = if self.chance.percent(10) {
            held + MIB
        } else {
            held
        };
        let used = i64::try_from(self.chance.below(usize::try_from(most + 1).unwrap())).unwrap();
        let asked = match phase {
            Phase::Terminate => None,
            Phase::Event => Some(Asked::UpTo(MIB)),
            Phase::Initial | Phase::Update => Some(Asked::Any),
        };
        let session = &self.sessions[place];
        Some(UseRequest {
            session: Arc::clone(&session.id),
            subscriber: vec![subscriber(session.line)],
            number: session.next,
            phase,
            unit: Unit::Octets,
            country: "CN".parse().ok(),
            client: "pgw".into(),
            realm: "example.com".into(),
            services: vec![ServiceReport {
                key: ServiceKey {
                    rating_group: Some(1),
                    service_identifier: None,
                },
                used: matches!(phase, Phase::Update | Phase::Terminate).then_some(used),
                asked,
            }],
        })
    }

    /// The answer is the one that the model gives.
    fn check(&mut self, place: usize, request: UseRequest, answer: Arc<Answer>) {
        let now = self.clock.now();
        let session = &mut self.sessions[place];
        if request.number < session.next {
            let (_, known, _) = session.last.as_ref().unwrap();
            assert_eq!(&answer, known, "{request:?} was asked again");
            self.sum.repeated += 1;
            return;
        }
        assert_eq!(answer.result, CommandResult::Taken, "{request:?}");
        let line = &mut self.lines[session.line];
        let service = &request.services[0];
        line.report(&mut session.holds, service.used.unwrap_or(0), now);
        let left = line.left(now);
        match (&answer.services[0].result, request.phase) {
            (ServiceResult::Reported, Phase::Terminate) => {}
            (ServiceResult::Granted(quota), Phase::Event) => {
                assert!(
                    left >= MIB && quota.amount == MIB,
                    "{quota:?} of {left} {line:?}"
                );
                line.report(&mut Vec::new(), MIB, now);
            }
            (ServiceResult::LimitReached, Phase::Event) => assert!(left < MIB),
            (ServiceResult::Granted(quota), Phase::Initial | Phase::Update) => {
                assert!((1..=left).contains(&quota.amount), "{quota:?} of {left}");
                assert_eq!(quota.last, quota.amount == left);
                session.holds = line.grant(quota.amount, now);
                self.sum.granted += 1;
            }
            (ServiceResult::LimitReached, Phase::Initial | Phase::Update) => {
                assert_eq!(left, 0);
                self.sum.refused += 1;
            }
            (result, phase) => panic!("{phase:?} was answered {result:?}"),
        }
        session.next += 1;
        session.due = now.plus(SUPERVISION);
        session.is_live = matches!(request.phase, Phase::Initial | Phase::Update);
        session.last = Some((request, answer, now));
    }

    /// The books are the model's, and sound.
    fn compare(&self) {
        self.settle();
        for (line, model) in self.line_ids.iter().zip(&self.lines) {
            let mut buckets = self.buckets(*line);
            buckets.sort_by_key(|it| (it.end, it.id));
            assert_eq!(buckets, model.buckets);
            let line = *line;
            let used = self.app.store.snapshot(move |tx| tx.usage_since(line, 0));
            let used = self.runtime.block_on(used).unwrap();
            let used: i64 = used.iter().map(|it| it.amount).sum();
            assert_eq!(used, model.reported);
        }
        let report = self.runtime.block_on(self.app.audit()).unwrap();
        // The lines of a test were not paid for, which two rules say.
        let findings = report.findings.into_iter().filter(|it| {
            !it.starts_with("subscriptions without a paid order")
                && !it.starts_with("grant entries without a paid order")
        });
        assert_eq!(findings.collect::<Vec<_>>(), Vec::<String>::new());
    }

    fn buckets(&self, line: LineId) -> Vec<ModelBucket> {
        let all = self.app.store.snapshot(move |tx| tx.open_buckets(line));
        let all = self.runtime.block_on(all).unwrap().into_iter();
        all.map(|it| ModelBucket {
            id: it.bucket.id,
            end: it.bucket.ends_at().unwrap(),
            left: it.holding.left,
            reserved: it.holding.reserved,
            used: it.holding.used,
            expired: it.holding.expired,
        })
        .collect()
    }
}

/// How the writer brings what it remembers into the tables: at once, soon, or only for whoever asks.
fn fold_after(chance: &mut Chance) -> RealDuration {
    let choices = [0, 1, 3_600_000];
    RealDuration::from_millis(choices[chance.below(choices.len())])
}

fn program(store: &Arc<Database>, clock: &Arc<TestClock>, seed: u64) -> App {
    let store = Arc::<Database>::clone(store);
    program_over(store, clock, seed, "http://localhost:1").unwrap()
}

fn subscriber(line: usize) -> Subscriber {
    let number = line_number(u32::try_from(line).unwrap());
    Subscriber::Msisdn(format!("+{number}").parse().unwrap())
}
