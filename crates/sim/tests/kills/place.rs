//! Where the store is.

use std::path::PathBuf;

use simurgh_store::DatabaseUrl;

/// A place for a store, which goes away with its owner.
pub(crate) enum Place {
    Folder(PathBuf),
    Schema { admin_url: String, name: String },
}

impl Place {
    pub(crate) fn folder() -> Self {
        let path = simurgh_sim::scratch_folder(&format!("kills-{}", unique()));
        std::fs::create_dir_all(&path).unwrap();
        Self::Folder(path)
    }

    pub(crate) fn schema() -> Option<Self> {
        let Ok(admin_url) = std::env::var("SIMURGH_TEST_POSTGRES") else {
            println!("SKIPPED on PostgreSQL: SIMURGH_TEST_POSTGRES names no server");
            return None;
        };
        let name = format!("simurgh_kills_{}_{}", std::process::id(), unique());
        admin(&admin_url, &format!("CREATE SCHEMA {name}"));
        Some(Self::Schema { admin_url, name })
    }

    /// The store's address. PostgreSQL lives on when our process is killed, so that its commits need
    /// not wait for a disk here.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Folder(path) => format!("sqlite:{}", path.join("simurgh.db").display()),
            Self::Schema { admin_url, name } => {
                let separator = if admin_url.contains('?') { '&' } else { '?' };
                let options = format!("-c%20search_path%3D{name}%20-c%20synchronous_commit%3Doff");
                format!("{admin_url}{separator}options={options}")
            }
        }
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        self.address().parse().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Folder(path) => std::fs::remove_dir_all(path).unwrap(),
            Self::Schema { admin_url, name } => {
                admin(admin_url, &format!("DROP SCHEMA {name} CASCADE"));
            }
        }
    }
}

fn unique() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

fn admin(url: &str, sql: &str) {
    let client = postgres::Client::connect(url, postgres::NoTls);
    client.unwrap().batch_execute(sql).unwrap();
}
