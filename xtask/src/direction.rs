//! Which crate may use which: the direction of dependencies, kept as data. `cargo xtask tidy` checks
//! every `crates/*/Cargo.toml` against it; ARCHITECTURE.md draws the same picture.
//!
//! A new crate is a line in [`CRATES`]. Only `[dependencies]` and `[build-dependencies]` count: tests may
//! use more (a store below an edge, the simulated world).

/// One crate, by its folder, and the crates of this workspace that it may use.
pub(crate) struct MayUse {
    pub(crate) folder: &'static str,
    pub(crate) uses: &'static [&'static str],
}

const fn may_use(folder: &'static str, uses: &'static [&'static str]) -> MayUse {
    MayUse { folder, uses }
}

/// Top-down is inward: every crate uses only what stands above it in this list.
pub(crate) const CRATES: &[MayUse] = &[
    // words
    may_use("vocab", &[]),
    // protocols
    may_use("diameter", &["vocab"]),
    may_use("rsp", &["vocab"]),
    may_use("euicc", &["rsp", "vocab"]),
    // domains: charging, commerce and subscriber do not see each other
    may_use("ledger", &["vocab"]),
    may_use("charging", &["ledger", "vocab"]),
    may_use("commerce", &["ledger", "vocab"]),
    may_use("subscriber", &["ledger", "vocab"]),
    // use cases
    may_use("app", DOMAINS),
    // outward adapters
    may_use("store", APP_AND_DOMAINS),
    // connectors: the demo's phones are outside parties that hold a chip and speak as one.
    may_use(
        "connectors",
        &[
            "euicc",
            "rsp",
            "app",
            "charging",
            "commerce",
            "subscriber",
            "ledger",
            "vocab",
        ],
    ),
    // inward edges
    may_use(
        "gy",
        &[
            "diameter",
            "app",
            "charging",
            "commerce",
            "subscriber",
            "ledger",
            "vocab",
        ],
    ),
    may_use(
        "smdp",
        &[
            "rsp",
            "app",
            "charging",
            "commerce",
            "subscriber",
            "ledger",
            "vocab",
        ],
    ),
    may_use("web", APP_AND_DOMAINS),
    // the house: the simulated world is for tests, so nothing may use it
    may_use("simurgh", EVERYTHING),
    may_use("sim", EVERYTHING),
    may_use("xtask", &[]),
];

const DOMAINS: &[&str] = &["charging", "commerce", "subscriber", "ledger", "vocab"];

const APP_AND_DOMAINS: &[&str] = &[
    "app",
    "charging",
    "commerce",
    "subscriber",
    "ledger",
    "vocab",
];

const EVERYTHING: &[&str] = &[
    "gy",
    "smdp",
    "web",
    "store",
    "connectors",
    "app",
    "charging",
    "commerce",
    "subscriber",
    "ledger",
    "vocab",
    "diameter",
    "rsp",
    "euicc",
];

/// Outside crates that only some of ours may name.
pub(crate) struct Fence {
    /// What it is about, for the message.
    pub(crate) about: &'static str,
    /// Names of outside crates.
    pub(crate) outside: &'static [&'static str],
    /// Folders of our crates that may use them.
    pub(crate) only: &'static [&'static str],
}

/// The fences. A crate that is on no list may be used by all that no [`CLEAN`] line forbids.
pub(crate) const FENCES: &[Fence] = &[
    Fence {
        about: "SQL drivers",
        outside: SQL_DRIVERS,
        only: &["store"],
    },
    Fence {
        about: "HTTP clients, mail and short messages",
        outside: &[
            "attohttpc",
            "awc",
            "isahc",
            "lettre",
            "reqwest",
            "rusmpp",
            "rusmppc",
            "surf",
            "ureq",
        ],
        only: &["connectors"],
    },
    // connectors: the sandboxes of outside parties have pages of their own.
    Fence {
        about: "web servers",
        outside: &["axum", "tower-http"],
        only: &["web", "smdp", "connectors", "simurgh", "sim"],
    },
    Fence {
        about: "anyhow",
        outside: &["anyhow", "eyre", "color-eyre"],
        only: &["simurgh", "sim", "xtask"],
    },
];

const SQL_DRIVERS: &[&str] = &[
    "deadpool-postgres",
    "diesel",
    "libsqlite3-sys",
    "postgres",
    "rusqlite",
    "sea-orm",
    "sqlx",
    "tokio-postgres",
];

/// Crates that must stay free of something.
pub(crate) struct Clean {
    /// Folders of our crates.
    pub(crate) folders: &'static [&'static str],
    /// What they are free of, for the message.
    pub(crate) of: &'static str,
    /// Names of outside crates they may not use.
    pub(crate) outside: &'static [&'static str],
}

/// Pure decisions and pure codecs.
pub(crate) const CLEAN: &[Clean] = &[
    Clean {
        folders: &["vocab", "ledger", "charging", "commerce", "subscriber"],
        of: "I/O, asynchrony and serialisation",
        outside: &[
            "askama",
            "axum",
            "hyper",
            "mio",
            "serde",
            "serde_json",
            "smol",
            "tokio",
            "tokio-util",
            "tower",
            "tower-http",
        ],
    },
    Clean {
        folders: &["diameter", "rsp", "euicc"],
        of: "sockets and clocks",
        outside: &[
            "axum",
            "hyper",
            "mio",
            "smol",
            "tokio",
            "tokio-util",
            "tower",
            "tower-http",
        ],
    },
];

/// Names that no crate may have: everything ends up in them.
pub(crate) const REFUSED_FOLDERS: &[&str] = &[
    "common", "core", "errors", "macros", "shared", "types", "utils",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_uses_only_what_is_listed_before_it() {
        for (place, MayUse { folder, uses }) in CRATES.iter().enumerate() {
            for used in *uses {
                let at = CRATES.iter().position(|one| one.folder == *used);
                assert!(at.is_some_and(|at| at < place), "{folder} -> {used}");
            }
        }
    }

    #[test]
    fn the_three_domains_do_not_see_each_other() {
        let domains = ["charging", "commerce", "subscriber"];
        for MayUse { uses, .. } in CRATES.iter().filter(|one| domains.contains(&one.folder)) {
            assert!(!uses.iter().any(|used| domains.contains(used)));
        }
    }
}
