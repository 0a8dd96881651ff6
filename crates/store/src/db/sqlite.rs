//! SQLite: one writer with group commit, readers on the calling thread.
//!
//! The writer thread drains the queue, runs every waiting task and commits them together: one flush
//! of the disk serves them all. When a task fails after it wrote something, the group is rolled back
//! and runs again with each task under a savepoint, so that no task disturbs its neighbours. Nobody
//! is answered before the commit.

mod backup;
mod connection;
mod log;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use simurgh_app::ports::{Pending, Store, StoreFault, Work};
use simurgh_vocab::Timestamp;

use super::hook::{Before, CommitHook, Hook};
use super::queue::{Answer, Jobs, Mode, Queue, closed, queue};
use super::{Db, Failure, Ran, Task};
use crate::charges::Memory;
use crate::migrate::{self, MigrateError};

pub use backup::{BackupError, BackupProgress};
pub(crate) use connection::Connection;
use connection::Role;
use log::LogMover;

/// How a SQLite store is kept.
#[derive(Clone)]
pub struct SqliteOptions {
    /// How many transactions may wait for the writer; one more is refused as busy. At 8,192 the
    /// last one waits for about a tenth of a second.
    pub queue_length_max: usize,
    /// How many transactions share one commit: bounds how long the first one waits.
    pub works_per_commit_max: usize,
    /// How many readers may be at work at once; more wait.
    pub readers_max: usize,
    /// How long a reader waits for its turn, and a writer for another process.
    pub busy_timeout: Duration,
    /// The page cache of the writer in KiB; each reader has a quarter of it.
    pub cache_kib: u32,
    /// Within how long what was charged is brought from the journal into the tables, where readers find
    /// it. Zero brings it there with the same commit.
    pub fold_after: Duration,
    /// What goes wrong on purpose. None in production.
    pub hook: Option<Arc<dyn CommitHook>>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            queue_length_max: 8_192,
            works_per_commit_max: 1_024,
            // A reader is busy for some 50 us; twice the cores keeps them all at work.
            readers_max: (2 * cores).clamp(4, 32),
            busy_timeout: Duration::from_secs(5),
            cache_kib: 16 * 1_024,
            // Readers are promised a second.
            fold_after: Duration::from_millis(700),
            hook: None,
        }
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("queue_length_max", &self.queue_length_max)
            .field("works_per_commit_max", &self.works_per_commit_max)
            .field("readers_max", &self.readers_max)
            .field("busy_timeout", &self.busy_timeout)
            .field("cache_kib", &self.cache_kib)
            .field("fold_after", &self.fold_after)
            .field("hook", &self.hook.is_some())
            .finish()
    }
}

/// The store in one SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    options: SqliteOptions,
    writer: Writer,
    readers: Readers,
}

/// Who writes.
enum Writer {
    /// A thread of its own.
    Thread {
        queue: Queue,
        thread: Mutex<Option<JoinHandle<()>>>,
    },
    /// Whoever calls, on the one connection there is; reads use it as well.
    Inline {
        connection: Mutex<Option<Connection>>,
        hook: Hook,
    },
}

impl SqliteStore {
    /// Opens the file, which is made if it is not there, and starts the writer.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`] when the file cannot be opened, [`StoreFault::Corrupt`] when it
    /// is no database.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreFault> {
        if path == Path::new(IN_MEMORY) {
            let why = "a database in memory has one connection: open it inline";
            return Err(StoreFault::Unavailable(why.to_owned()));
        }
        let mut connection = Connection::open(path, Role::Writer, &options)?;
        let mover = LogMover::start(&mut connection, path, &options)?;
        let (queue, jobs) = queue(options.queue_length_max);
        let hook = Hook::new(options.hook.clone());
        let group_max = options.works_per_commit_max.max(1);
        let fold_after = options.fold_after;
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let hook = &hook;
                let groups = Group { hook, fold_after };
                write_groups(&mut connection, &jobs, &groups, group_max);
                drop(mover);
                connection.checkpoint_and_close();
            })
            .map_err(|error| StoreFault::Unavailable(format!("no writer thread: {error}")))?;
        let thread = Mutex::new(Some(thread));
        Ok(Self::with(path, options, Writer::Thread { queue, thread }))
    }

    /// Opens the file without any thread: each transaction runs where its future is polled, which
    /// is then ready at once. For tests that must be repeatable to the last step. The path
    /// `:memory:` is a database in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_inline(path: &Path, options: SqliteOptions) -> Result<Self, StoreFault> {
        let connection = Connection::open(path, Role::Writer, &options)?;
        let hook = Hook::new(options.hook.clone());
        let connection = Mutex::new(Some(connection));
        Ok(Self::with(
            path,
            options,
            Writer::Inline { connection, hook },
        ))
    }

    fn with(path: &Path, options: SqliteOptions, writer: Writer) -> Self {
        Self {
            path: path.to_owned(),
            readers: Readers::default(),
            options,
            writer,
        }
    }

    /// Brings the schema up to date; answers the names of the migrations applied now.
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
        match &self.writer {
            Writer::Thread { .. } => {
                let mut connection = Connection::open(&self.path, Role::Writer, &self.options)?;
                migrate::run(Db::Sqlite(&mut connection), migrations, now)
            }
            Writer::Inline { connection, .. } => {
                let mut connection = locked(connection);
                let connection = connection.as_mut().ok_or_else(closed)?;
                migrate::run(Db::Sqlite(connection), migrations, now)
            }
        }
    }

    /// Answers when the database does.
    pub fn ping(&self) -> Pending<'_> {
        Box::pin(async { self.read_task(Task::ping()) })
    }

    /// Finishes what waits, moves the log into the database and closes it. Later calls are
    /// answered [`StoreFault::Unavailable`]. Blocks.
    ///
    /// # Errors
    /// [`StoreFault::Unavailable`] when the writer has died.
    pub fn close(&self) -> Result<(), StoreFault> {
        self.readers.close();
        match &self.writer {
            Writer::Thread { queue, thread } => {
                queue.close();
                let thread = locked(thread).take();
                // The last owner may have been a piece of work: the writer cannot wait for itself.
                let thread = thread.filter(|it| it.thread().id() != std::thread::current().id());
                thread.map_or(Ok(()), |thread| {
                    let died = "the writer has died; see the log".to_owned();
                    thread.join().map_err(|_| StoreFault::Unavailable(died))
                })
            }
            Writer::Inline { connection, .. } => {
                if let Some(connection) = locked(connection).take() {
                    connection.checkpoint_and_close();
                }
                Ok(())
            }
        }
    }

    /// Runs a task of this crate in a read-write transaction.
    pub(crate) async fn write_task(&self, task: Task) -> Answer {
        match &self.writer {
            Writer::Thread { queue, .. } => queue.ask(task, Mode::Write).await,
            Writer::Inline { connection, hook } => {
                let mut connection = locked(connection);
                let connection = connection.as_mut().ok_or_else(closed)?;
                let group = Group {
                    hook,
                    fold_after: Duration::ZERO,
                };
                let answers = group.commit(connection, &mut [task], Undo::WholeGroup);
                let answer = answers.and_then(|mut answers| answers.pop());
                answer.unwrap_or_else(|| Err(closed()))
            }
        }
    }

    /// Runs a task of this crate on one snapshot, on the calling thread.
    pub(crate) fn read_task(&self, mut task: Task) -> Answer {
        match &self.writer {
            Writer::Thread { .. } => self.read_pooled(&mut task),
            Writer::Inline { connection, .. } => {
                let mut connection = locked(connection);
                let connection = connection.as_mut().ok_or_else(closed)?;
                connection.batch("PRAGMA query_only = ON")?;
                let answer = read_once(connection, &mut task);
                connection.batch("PRAGMA query_only = OFF")?;
                answer
            }
        }
    }

    fn read_pooled(&self, task: &mut Task) -> Answer {
        let mut connection = match self.readers.lease(&self.options)? {
            Some(connection) => connection,
            None => self.readers.open(&self.path, &self.options)?,
        };
        let answer = read_once(&mut connection, task);
        self.readers.give_back(connection);
        answer
    }
}

const IN_MEMORY: &str = ":memory:";

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn write(&self, work: Work) -> Pending<'_> {
        Box::pin(self.write_task(work.into()))
    }

    fn read(&self, work: Work) -> Pending<'_> {
        Box::pin(async { self.read_task(work.into()) })
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Err(fault) = self.close() {
            tracing::error!(%fault, "the store was not closed well");
        }
    }
}

/// How long the writer waits for work before it looks whether something is to be folded.
const FOLD_EVERY: Duration = Duration::from_millis(50);

/// The writer thread.
fn write_groups(connection: &mut Connection, jobs: &Jobs, groups: &Group<'_>, group_max: usize) {
    let mut wary_groups = 0u32;
    loop {
        let waits_for = connection.has_to_fold().then_some(FOLD_EVERY);
        let first = match jobs.next_within(waits_for) {
            Ok(Some(job)) => job,
            Ok(None) => {
                groups.fold(connection);
                continue;
            }
            Err(RecvError) => break,
        };
        let mut group = vec![first.split()];
        // Whoever is about to add something may do so first: when the cores are busy, more works share the commit.
        std::thread::yield_now();
        while group.len() < group_max {
            let Ok(job) = jobs.next_waiting() else { break };
            group.push(job.split());
        }
        jobs.report_length();
        let (mut tasks, answers): (Vec<Task>, Vec<_>) = group.into_iter().unzip();
        let undo = match wary_groups {
            0 => Undo::WholeGroup,
            _ => Undo::EachTask,
        };
        wary_groups = wary_groups.saturating_sub(1);
        let results = match groups.commit(connection, &mut tasks, undo) {
            Some(results) => results,
            None => {
                wary_groups = WARY_GROUPS;
                let again = groups.commit(connection, &mut tasks, Undo::EachTask);
                again.unwrap_or_default()
            }
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // A caller who has gone away misses the answer: the commit stands.
            match answer.send(result) {
                Ok(()) | Err(_) => {}
            }
        }
    }
    let all = Group {
        hook: groups.hook,
        fold_after: Duration::ZERO,
    };
    all.fold(connection);
}

/// How many groups run under savepoints after one that would have needed them: where one task fails
/// half-way, the next is not far.
const WARY_GROUPS: u32 = 32;

/// What is undone when a task of a group fails after it wrote something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// The whole group, which then runs again: tasks are repeatable. Almost none fails after it
    /// wrote, and a savepoint costs a copy of each page that is changed after it.
    WholeGroup,
    /// That task alone: each runs under a savepoint.
    EachTask,
}

/// How groups are committed.
struct Group<'h> {
    hook: &'h Hook,
    /// See [`SqliteOptions::fold_after`].
    fold_after: Duration,
}

impl Group<'_> {
    /// Runs the tasks in one transaction; answers each of them in order. None if the group must run
    /// again with an undo of each task; nothing of it is left then.
    fn commit(
        &self,
        connection: &mut Connection,
        tasks: &mut [Task],
        undo: Undo,
    ) -> Option<Vec<Answer>> {
        let count = tasks.len();
        match self.try_commit(connection, tasks, undo) {
            Ok(answers) => answers,
            Err(failure) => {
                tracing::error!(fault = %failure.fault, works = count, "a group commit failed");
                connection.roll_back_if_open();
                // Whatever became of the commit: what is remembered is read again.
                connection.forget_memory();
                let fault = match failure.fault {
                    fault @ StoreFault::Unavailable(_) => fault,
                    StoreFault::Conflict(why) | StoreFault::Corrupt(why) => {
                        StoreFault::Unavailable(why)
                    }
                };
                Some(vec![Err(fault); count])
            }
        }
    }

    fn try_commit(
        &self,
        connection: &mut Connection,
        tasks: &mut [Task],
        undo: Undo,
    ) -> Result<Option<Vec<Answer>>, Failure> {
        let count = tasks.len();
        begin(connection)?;
        let mut answers = Vec::with_capacity(count);
        let mut kept = 0u32;
        for task in tasks {
            let ran = match undo {
                Undo::WholeGroup => match run_in_group(connection, task)? {
                    (ran, Left::Nothing) => ran,
                    // The only one: the roll-back of all is its roll-back.
                    (ran, Left::Rows) if count == 1 => ran,
                    (_, Left::Rows) => {
                        roll_back(connection)?;
                        return Ok(None);
                    }
                },
                Undo::EachTask => run_under_savepoint(connection, task)?,
            };
            answers.push(match ran {
                Ran::Commit => {
                    kept += 1;
                    Ok(())
                }
                Ran::RollBack => Ok(()),
                Ran::Failed(failure) => Err(failure.fault),
            });
        }
        if kept == 0 {
            roll_back(connection)?;
            return Ok(Some(answers));
        }
        connection.fold(self.fold_after)?;
        let after = self.finish(connection)?;
        metrics::histogram!("simurgh_store_works_per_commit").record(f64::from(kept));
        match after {
            Ok(()) => Ok(Some(answers)),
            Err(fault) => Ok(Some(vec![Err(fault); count])),
        }
    }

    /// Commits; answers what its callers are to be told.
    fn finish(&self, connection: &mut Connection) -> Result<Answer, Failure> {
        let doubt = match self.hook.before() {
            Before::Commit => None,
            Before::CommitInDoubt(fault) => Some(fault),
            Before::RollBack(fault) => return Err(fault.into()),
        };
        let begun = Instant::now();
        connection.control("COMMIT")?;
        if let Some(memory) = connection.memory() {
            memory.committed();
        }
        metrics::counter!("simurgh_store_commits_total").increment(1);
        metrics::histogram!("simurgh_store_commit_seconds").record(begun.elapsed().as_secs_f64());
        Ok(doubt.map_or_else(|| self.hook.after(), Err))
    }

    /// Brings what was charged into the tables while nobody wants to write.
    fn fold(&self, connection: &mut Connection) {
        let folded = self.try_fold(connection);
        if let Err(failure) = folded {
            // It stands in the journal, and is tried again.
            tracing::error!(fault = %failure.fault, "what was charged is not in its tables yet");
            connection.roll_back_if_open();
            connection.forget_memory();
        }
    }

    fn try_fold(&self, connection: &mut Connection) -> Result<(), Failure> {
        if !connection.has_to_fold() {
            return Ok(());
        }
        begin(connection)?;
        if !connection.fold(self.fold_after)? {
            connection.control("ROLLBACK")?;
            // What was read before anything was written stands.
            if let Some(memory) = connection.memory() {
                memory.committed();
            }
            return Ok(());
        }
        // Nobody waits for an answer.
        match self.finish(connection)? {
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn begin(connection: &mut Connection) -> Result<(), Failure> {
    connection.control("BEGIN IMMEDIATE")?;
    if connection.was_changed_elsewhere()? {
        connection.forget_memory();
    }
    Ok(())
}

fn roll_back(connection: &mut Connection) -> Result<(), Failure> {
    connection.control("ROLLBACK")?;
    if let Some(memory) = connection.memory() {
        memory.rolled_back();
    }
    Ok(())
}

/// What a task that must be undone has left behind.
enum Left {
    /// Nothing, or the task is kept.
    Nothing,
    /// Rows that must go.
    Rows,
}

fn run_in_group(connection: &mut Connection, task: &mut Task) -> Result<(Ran, Left), Failure> {
    let before = connection.rows_written();
    let ran = run(connection, task)?;
    let left = match ran {
        Ran::RollBack | Ran::Failed(_) if connection.rows_written() != before => Left::Rows,
        Ran::Commit | Ran::RollBack | Ran::Failed(_) => Left::Nothing,
    };
    Ok((ran, left))
}

fn run_under_savepoint(connection: &mut Connection, task: &mut Task) -> Result<Ran, Failure> {
    connection.control("SAVEPOINT work")?;
    let ran = run(connection, task)?;
    if !matches!(ran, Ran::Commit) {
        connection.control("ROLLBACK TO work")?;
    }
    connection.control("RELEASE work")?;
    Ok(ran)
}

/// Runs a task; what it changed of the memory is undone unless it is kept.
fn run(connection: &mut Connection, task: &mut Task) -> Result<Ran, Failure> {
    let mark = connection.memory().map(Memory::mark);
    let ran = task.run(Db::Sqlite(connection), Mode::Write);
    let ran = still_open(connection, ran)?;
    if let (Some(mark), Some(memory)) = (mark, connection.memory()) {
        match ran {
            Ran::Commit => memory.keep(&mark),
            Ran::RollBack | Ran::Failed(_) => memory.undo(mark),
        }
    }
    Ok(ran)
}

/// SQLite rolls the whole transaction back by itself when the disk is full or fails.
fn still_open(connection: &Connection, ran: Ran) -> Result<Ran, Failure> {
    if !connection.has_no_transaction() {
        return Ok(ran);
    }
    Err(match ran {
        Ran::Failed(failure) => failure,
        Ran::Commit | Ran::RollBack => {
            StoreFault::Unavailable("the transaction was lost".to_owned()).into()
        }
    })
}

fn read_once(connection: &mut Connection, task: &mut Task) -> Answer {
    connection.control("BEGIN DEFERRED")?;
    let ran = task.run(Db::Sqlite(connection), Mode::Read);
    connection.roll_back_if_open();
    match ran {
        Ran::Commit | Ran::RollBack => Ok(()),
        Ran::Failed(failure) => Err(failure.fault),
    }
}

/// The connections that read.
#[derive(Default)]
struct Readers {
    state: Mutex<ReadersState>,
    freed: Condvar,
}

#[derive(Default)]
struct ReadersState {
    idle: Vec<Connection>,
    open: usize,
    /// How many wait for a connection: waking nobody is a system call all the same.
    waiting: usize,
    closed: bool,
}

impl Readers {
    /// Takes an idle connection, or answers `None` with the right to open one more.
    fn lease(&self, options: &SqliteOptions) -> Result<Option<Connection>, StoreFault> {
        let mut state = locked(&self.state);
        loop {
            if state.closed {
                return Err(closed());
            }
            if let Some(connection) = state.idle.pop() {
                return Ok(Some(connection));
            }
            if state.open < options.readers_max.max(1) {
                state.open += 1;
                return Ok(None);
            }
            state.waiting += 1;
            let waited = self.freed.wait_timeout(state, options.busy_timeout);
            let (returned, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = returned;
            state.waiting -= 1;
            if timeout.timed_out() {
                let why = "every reader is busy".to_owned();
                return Err(StoreFault::Unavailable(why));
            }
        }
    }

    fn open(&self, path: &Path, options: &SqliteOptions) -> Result<Connection, StoreFault> {
        Connection::open(path, Role::Reader, options).inspect_err(|_| {
            locked(&self.state).open -= 1;
            self.freed.notify_one();
        })
    }

    fn give_back(&self, connection: Connection) {
        let mut state = locked(&self.state);
        if state.closed || !connection.has_no_transaction() {
            state.open -= 1;
        } else {
            state.idle.push(connection);
        }
        let awaited = state.waiting > 0;
        drop(state);
        if awaited {
            self.freed.notify_one();
        }
    }

    fn close(&self) {
        let mut state = locked(&self.state);
        state.closed = true;
        state.open -= state.idle.len();
        state.idle.clear();
        drop(state);
        self.freed.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
