//! What the tests of this crate share: the same test runs on every kind of store.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use simurgh_app::ports::{StoreFault, Verdict};
use simurgh_vocab::Timestamp;

use crate::db::{
    CommitHook, Database, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Task,
};
use crate::migrate::Migration;
use crate::tx::StoreTx;

/// A folder that goes away with its owner.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simurgh-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Numbers of processes come again: what a killed one left behind is not ours.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// An empty schema of a PostgreSQL database, which goes away with its owner.
pub(crate) struct Schema {
    admin_url: String,
    name: String,
    pub(crate) url: String,
}

impl Schema {
    /// Makes one on the server that `SIMURGH_TEST_POSTGRES` names, if it names one.
    pub(crate) fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(admin_url) = std::env::var("SIMURGH_TEST_POSTGRES") else {
            println!("SKIPPED on PostgreSQL: SIMURGH_TEST_POSTGRES names no server");
            return None;
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simurgh_test_{}_{number}", std::process::id());
        let separator = if admin_url.contains('?') { '&' } else { '?' };
        let url = format!("{admin_url}{separator}options=-c%20search_path%3D{name}");
        let schema = Self {
            admin_url,
            name,
            url,
        };
        schema.admin(&format!("CREATE SCHEMA {}", schema.name));
        Some(schema)
    }

    /// Runs statements beside the store.
    pub(crate) fn admin(&self, sql: &str) {
        let client = postgres::Client::connect(&self.admin_url, postgres::NoTls);
        client.unwrap().batch_execute(sql).unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.admin(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

/// One store under test.
pub(crate) struct Subject {
    /// For messages of failed assertions.
    pub(crate) name: &'static str,
    pub(crate) store: Database,
}

/// A time for tests.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

/// Runs `test` on an empty store of each kind with the released schema.
pub(crate) fn each_store(test: impl Fn(&Subject)) {
    each_store_with(&|| None, crate::migrate::MIGRATIONS, test);
}

/// As [`each_store`], with hooks and a schema of the test's own.
pub(crate) fn each_store_with(
    hook: &dyn Fn() -> Option<Arc<dyn CommitHook>>,
    schema: &[Migration],
    test: impl Fn(&Subject),
) {
    let options = || SqliteOptions {
        hook: hook(),
        ..SqliteOptions::default()
    };
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.0.join("thread.db"), options()).unwrap();
    run("sqlite", Database::Sqlite(store), schema, &test);
    let store = SqliteStore::open_inline(&folder.0.join("inline.db"), options()).unwrap();
    run("inline", Database::Sqlite(store), schema, &test);
    if let Some(empty) = Schema::new() {
        let options = PostgresOptions {
            connections: 4,
            hook: hook(),
            ..PostgresOptions::default()
        };
        let store = PostgresStore::connect(&empty.url, options).unwrap();
        run("postgres", Database::Postgres(store), schema, &test);
    }
}

fn run(name: &'static str, store: Database, schema: &[Migration], test: &dyn Fn(&Subject)) {
    store.migrate_to(schema, NOW).unwrap();
    let subject = Subject { name, store };
    test(&subject);
    subject.store.close().unwrap();
}

impl Subject {
    /// Runs `work` in a read-write transaction that commits.
    pub(crate) fn write(
        &self,
        mut work: impl FnMut(&mut StoreTx<'_>) + Send + 'static,
    ) -> Result<(), StoreFault> {
        self.write_as(move |tx| {
            work(tx);
            Verdict::Commit
        })
    }

    pub(crate) fn write_as(
        &self,
        work: impl FnMut(&mut StoreTx<'_>) -> Verdict + Send + 'static,
    ) -> Result<(), StoreFault> {
        block_on(self.store.write_task(Task::Own(Box::new(work))))
    }

    /// Runs `work` on a snapshot.
    pub(crate) fn read(
        &self,
        mut work: impl FnMut(&mut StoreTx<'_>) + Send + 'static,
    ) -> Result<(), StoreFault> {
        let task = Task::Own(Box::new(move |tx| {
            work(tx);
            Verdict::RollBack
        }));
        block_on(self.store.read_task(task))
    }

    /// The one number that `sql` answers.
    pub(crate) fn number(&self, sql: &'static str) -> i64 {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.read(move |tx| {
            let number = tx.query_one(sql, &[]).and_then(|mut row| row.int());
            sender.send(number).unwrap();
        })
        .unwrap();
        receiver.recv().unwrap().unwrap()
    }
}

/// Waits for a future without any runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
