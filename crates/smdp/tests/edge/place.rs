//! Where the store of a test is: the same test runs on every kind.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use simurgh_store::{Database, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};

/// Names a PostgreSQL server for tests.
const SERVER: &str = "SIMURGH_TEST_POSTGRES";

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// Runs a test on SQLite, and on PostgreSQL when there is a server for it.
pub(crate) fn each_store(test: impl Fn(Kind)) {
    test(Kind::Sqlite);
    if std::env::var_os(SERVER).is_some() {
        println!("on PostgreSQL");
        test(Kind::Postgres);
    } else {
        println!("SKIPPED on PostgreSQL: {SERVER} names no server");
    }
}

/// A place for a store, which goes away with its owner.
pub(crate) enum Place {
    Folder(PathBuf),
    Schema { admin_url: String, name: String },
}

impl Place {
    pub(crate) fn new(kind: Kind) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        match kind {
            Kind::Sqlite => {
                let path = std::env::temp_dir().join(format!("simurgh-smdp-{process}-{number}"));
                // Numbers of processes come again: what a killed one left behind is not ours.
                let _ = std::fs::remove_dir_all(&path);
                std::fs::create_dir_all(&path).unwrap();
                Self::Folder(path)
            }
            Kind::Postgres => {
                let admin_url = std::env::var(SERVER).unwrap();
                let name = format!("simurgh_smdp_{process}_{number}");
                admin(&admin_url, &format!("CREATE SCHEMA {name}"));
                Self::Schema { admin_url, name }
            }
        }
    }

    pub(crate) fn open(&self) -> Database {
        match self {
            Self::Folder(path) => {
                let options = SqliteOptions::default();
                let store = SqliteStore::open_inline(&path.join("test.db"), options);
                Database::Sqlite(store.unwrap())
            }
            Self::Schema { admin_url, name } => {
                let separator = if admin_url.contains('?') { '&' } else { '?' };
                let url = format!("{admin_url}{separator}options=-c%20search_path%3D{name}");
                let options = PostgresOptions {
                    connections: 2,
                    ..PostgresOptions::default()
                };
                Database::Postgres(PostgresStore::connect(&url, options).unwrap())
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Folder(path) => {
                // It is in the system's own folder for such things, should this fail.
                let _ = std::fs::remove_dir_all(path);
            }
            Self::Schema { admin_url, name } => {
                admin(admin_url, &format!("DROP SCHEMA {name} CASCADE"));
            }
        }
    }
}

fn admin(url: &str, sql: &str) {
    let client = postgres::Client::connect(url, postgres::NoTls);
    client.unwrap().batch_execute(sql).unwrap();
}
