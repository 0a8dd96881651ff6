//! PostgreSQL: a pool of threads, each with a connection of its own.
//!
//! A transaction that met another one is repeated whole. A transaction whose connection was lost
//! before its commit was asked for has left nothing and is repeated as well; when the connection
//! is lost during the commit nobody knows how it ended, and the caller is told so.

mod connection;
mod trust;
mod value;

use std::fmt;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use simurgh_app::ports::{Pending, Store, StoreFault, Work};
use simurgh_vocab::Timestamp;

use super::hook::{Before, CommitHook, Hook};
use super::queue::{Answer, Jobs, Mode, Queue, queue};
use super::{Cause, Db, Failure, Ran, Task};
use crate::migrate::{self, MigrateError};

pub(crate) use connection::Connection;
use connection::Protection;
use tokio_postgres_rustls::MakeRustlsConnect;
pub use trust::{PostgresTrust, TrustError};

/// How a PostgreSQL store is used.
#[derive(Clone)]
pub struct PostgresOptions {
    /// How many connections are kept, each with a thread of its own.
    pub connections: usize,
    /// How many transactions may wait for a connection; one more is refused as busy.
    pub queue_length_max: usize,
    /// How long a statement waits for a row that another transaction holds.
    pub lock_timeout: Duration,
    /// The password, when it does not stand in the address.
    pub password: Option<String>,
    /// Who may vouch for a server on another machine.
    pub trust: PostgresTrust,
    /// What goes wrong on purpose. None in production.
    pub hook: Option<Arc<dyn CommitHook>>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 8,
            queue_length_max: 8_192,
            lock_timeout: Duration::from_secs(5),
            password: None,
            trust: PostgresTrust::default(),
            hook: None,
        }
    }
}

impl fmt::Debug for PostgresOptions {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("connections", &self.connections)
            .field("queue_length_max", &self.queue_length_max)
            .field("lock_timeout", &self.lock_timeout)
            .field("hook", &self.hook.is_some())
            .finish()
    }
}

/// How often a transaction that met another one is repeated: with growing pauses, for half a
/// second in all.
const CONFLICT_REPEATS_MAX: u32 = 10;

/// How often a transaction that found a unique key taken is repeated. Someone else was quicker,
/// and the first repetition sees the row; if not, it is the caller who writes a key twice.
const UNIQUE_KEY_REPEATS_MAX: u32 = 2;

/// How often a transaction that lost its connection is repeated on a new one.
const RECONNECTS_MAX: u32 = 4;

/// The store in one PostgreSQL database.
pub struct PostgresStore {
    address: Address,
    queue: Queue,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// How a connection is made.
#[derive(Clone)]
struct Address {
    config: postgres::Config,
    tls: Option<MakeRustlsConnect>,
    lock_timeout: Duration,
}

impl Address {
    fn new(url: &str, options: &PostgresOptions) -> Result<Self, StoreFault> {
        let (mut config, protection) = connection::configuration(url)?;
        if let Some(password) = &options.password {
            config.password(password);
        }
        let tls = match protection {
            Protection::Plain => None,
            Protection::Tls => {
                let connector = options.trust.connector();
                Some(connector.map_err(|error| StoreFault::Unavailable(error.to_string()))?)
            }
        };
        Ok(Self {
            config,
            tls,
            lock_timeout: options.lock_timeout,
        })
    }
}

/// Whether `url` is an address that a store can be reached by; nothing is connected to.
///
/// # Errors
/// [`StoreFault::Unavailable`], without the address, because it may hold a password.
pub(super) fn check(url: &str) -> Result<(), StoreFault> {
    connection::configuration(url).map(drop)
}

impl PostgresStore {
    /// Connects. `url` is `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Blocks until every
    /// connection has been tried; one that works is enough, the others are tried again when needed.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`] when the address is malformed or nobody answers there.
    pub fn connect(url: &str, options: PostgresOptions) -> Result<Self, StoreFault> {
        let address = Address::new(url, &options)?;
        let (queue, jobs) = queue(options.queue_length_max);
        let count = options.connections.max(1);
        let (ready, outcomes) = sync_channel(count);
        let mut workers = Vec::with_capacity(count);
        for index in 0..count {
            let worker = Worker {
                address: address.clone(),
                connection: None,
                hook: Hook::new(options.hook.clone()),
                // Two transactions that met do not wait equally long and meet again.
                stagger: Duration::from_micros(170)
                    .saturating_mul(u32::try_from(index).unwrap_or(0)),
            };
            let (jobs, ready) = (Arc::clone(&jobs), ready.clone());
            let thread = std::thread::Builder::new()
                .name(format!("store-{index}"))
                .spawn(move || worker.work(&jobs, ready))
                .map_err(|error| StoreFault::Unavailable(format!("no store thread: {error}")))?;
            workers.push(thread);
        }
        drop(ready);
        let store = Self {
            address,
            queue,
            workers: Mutex::new(workers),
        };
        let (connected, failed): (Vec<Answer>, Vec<Answer>) =
            outcomes.iter().partition(Result::is_ok);
        match (connected.len(), failed.into_iter().next()) {
            (0, Some(failed)) => failed.map(|()| store),
            (_, _) => Ok(store),
        }
    }

    /// Brings the schema up to date; answers the names of the migrations applied now. Blocks.
    ///
    /// # Errors
    /// [`MigrateError`]; a migration that failed has left nothing behind.
    pub fn migrate(&self, now: Timestamp) -> Result<Vec<&'static str>, MigrateError> {
        self.migrate_to(migrate::MIGRATIONS, now)
    }

    pub(crate) fn migrate_to(
        &self,
        migrations: &[migrate::Migration],
        now: Timestamp,
    ) -> Result<Vec<&'static str>, MigrateError> {
        // The driver must not be used on a thread of an asynchronous runtime.
        std::thread::scope(|scope| {
            let migration = scope.spawn(|| {
                let mut connection = Connection::open(&self.address).map_err(StoreFault::from)?;
                migrate::run(Db::Postgres(&mut connection), migrations, now)
            });
            migration.join().unwrap_or_else(|_| {
                let why = "the migration panicked".to_owned();
                Err(StoreFault::Unavailable(why).into())
            })
        })
    }

    /// Answers when the database does.
    pub fn ping(&self) -> Pending<'_> {
        Box::pin(self.read_task(Task::ping()))
    }

    /// Finishes what waits and closes the connections. Later calls are answered
    /// [`StoreFault::Unavailable`]. Blocks.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`] when a thread of the store has died.
    pub fn close(&self) -> Result<(), StoreFault> {
        self.queue.close();
        let workers = {
            let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *workers)
        };
        let died = workers
            .into_iter()
            // The last owner may have been a piece of work: a thread cannot wait for itself.
            .filter(|worker| worker.thread().id() != std::thread::current().id())
            .filter_map(|worker| worker.join().err())
            .count();
        match died {
            0 => Ok(()),
            died => Err(StoreFault::Unavailable(format!(
                "{died} threads of the store have died; see the log"
            ))),
        }
    }

    pub(crate) async fn write_task(&self, task: Task) -> Answer {
        self.queue.ask(task, Mode::Write).await
    }

    pub(crate) async fn read_task(&self, task: Task) -> Answer {
        self.queue.ask(task, Mode::Read).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the address: it holds the password.
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl Store for PostgresStore {
    fn write(&self, work: Work) -> Pending<'_> {
        Box::pin(self.write_task(work.into()))
    }

    fn read(&self, work: Work) -> Pending<'_> {
        Box::pin(self.read_task(work.into()))
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        if let Err(fault) = self.close() {
            tracing::error!(%fault, "the store was not closed well");
        }
    }
}

/// One thread and its connection.
struct Worker {
    address: Address,
    connection: Option<Connection>,
    hook: Hook,
    stagger: Duration,
}

impl Worker {
    fn work(mut self, jobs: &Jobs, ready: SyncSender<Answer>) {
        let connected = self.connected().map(drop).map_err(StoreFault::from);
        match ready.send(connected) {
            Ok(()) | Err(_) => {}
        }
        // Whoever opens the store waits until nobody is left to report.
        drop(ready);
        while let Ok(job) = jobs.next() {
            jobs.report_length();
            let mode = job.mode;
            let (mut task, answer) = job.split();
            let result = self.serve(&mut task, mode);
            // A caller who has gone away misses the answer: the commit stands.
            match answer.send(result) {
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Runs the task until it ends well, or as often as it may.
    fn serve(&mut self, task: &mut Task, mode: Mode) -> Answer {
        let mut repeats = Repeats::default();
        loop {
            let failure = match self.attempt(task, mode) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            if failure.cause == Cause::Disconnected {
                self.connection = None;
            }
            let Some(pause) = repeats.after(failure.cause) else {
                return Err(failure.fault);
            };
            let cause = failure.cause.label();
            metrics::counter!("simurgh_store_retries_total", "cause" => cause).increment(1);
            std::thread::sleep(pause.saturating_add(self.stagger));
        }
    }

    fn attempt(&mut self, task: &mut Task, mode: Mode) -> Result<(), Failure> {
        let connection = self.connected()?;
        match mode {
            Mode::Write => connection.begin_write(),
            Mode::Read => connection.begin_read(),
        }?;
        match (task.run(Db::Postgres(connection), mode), mode) {
            (Ran::Commit, Mode::Write) => self.commit(),
            (Ran::Commit | Ran::RollBack, Mode::Write | Mode::Read) => self.roll_back(),
            (Ran::Failed(failure), Mode::Write | Mode::Read) => {
                if failure.cause != Cause::Disconnected {
                    self.roll_back()?;
                }
                Err(failure)
            }
        }
    }

    fn commit(&mut self) -> Result<(), Failure> {
        let doubt = match self.hook.before() {
            Before::Commit => None,
            Before::CommitInDoubt(fault) => Some(fault),
            Before::RollBack(fault) => {
                self.roll_back()?;
                return Err(fault.into());
            }
        };
        let begun = Instant::now();
        if let Err(failure) = self.connected()?.batch("COMMIT") {
            return Err(match failure.cause {
                Cause::Conflict | Cause::UniqueKey => failure,
                Cause::Disconnected => {
                    self.connection = None;
                    let why = "the connection was lost during the commit: its end is unknown";
                    StoreFault::Unavailable(why.to_owned()).into()
                }
                Cause::Other => {
                    // The server has refused the commit, and so rolled back.
                    tracing::error!(fault = %failure.fault, "a commit failed");
                    failure
                }
            });
        }
        metrics::counter!("simurgh_store_commits_total").increment(1);
        metrics::histogram!("simurgh_store_works_per_commit").record(1.0);
        metrics::histogram!("simurgh_store_commit_seconds").record(begun.elapsed().as_secs_f64());
        let after = doubt.map_or_else(|| self.hook.after(), Err);
        after.map_err(Failure::from)
    }

    /// Rolls back; a connection that cannot is given up, which rolls back as well.
    fn roll_back(&mut self) -> Result<(), Failure> {
        if self.connected()?.batch("ROLLBACK").is_err() {
            self.connection = None;
        }
        Ok(())
    }

    fn connected(&mut self) -> Result<&mut Connection, Failure> {
        let kept = self.connection.take();
        let connection = match kept.filter(Connection::is_open) {
            Some(connection) => connection,
            None => Connection::open(&self.address).inspect_err(|failure| {
                tracing::warn!(fault = %failure.fault, "no connection to the database");
            })?,
        };
        Ok(self.connection.insert(connection))
    }
}

/// How often one transaction was repeated, by cause.
#[derive(Default)]
struct Repeats {
    conflicts: u32,
    unique_keys: u32,
    reconnects: u32,
}

impl Repeats {
    /// How long to wait before the next attempt, if there is to be one.
    fn after(&mut self, cause: Cause) -> Option<Duration> {
        let (count, max, first_ms) = match cause {
            Cause::Conflict => (&mut self.conflicts, CONFLICT_REPEATS_MAX, 1),
            Cause::UniqueKey => (&mut self.unique_keys, UNIQUE_KEY_REPEATS_MAX, 1),
            Cause::Disconnected => (&mut self.reconnects, RECONNECTS_MAX, 20),
            Cause::Other => return None,
        };
        if *count >= max {
            return None;
        }
        // Doubled each time, up to 128 times the first pause.
        let pause = Duration::from_millis(first_ms << (*count).min(7));
        *count += 1;
        Some(pause)
    }
}
