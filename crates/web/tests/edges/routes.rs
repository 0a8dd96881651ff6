//! Every route there is, read from the sources: a new one is covered at once.

use std::fs;
use std::path::Path;

/// A site with routes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Site {
    Portal,
    Console,
    Admin,
}

/// A route: where it is and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) site: Site,
    /// As it is written: `/orders/{number}`.
    pub(crate) template: String,
}

impl Route {
    /// Whether programs talk to it: then errors are problems, not pages.
    pub(crate) fn is_for_programs(&self) -> bool {
        self.template.starts_with("/notify/") || self.template == "/openapi.json"
    }

    /// An address of it. The parameter looks like a number of ours.
    pub(crate) fn path(&self) -> String {
        let pieces = self.template.split('/').map(|piece| {
            if piece.starts_with('{') {
                "01JAZ8Q6T3WB5M2N9R4X7C0DKE"
            } else {
                piece
            }
        });
        pieces.collect::<Vec<_>>().join("/")
    }
}

/// Every route of this crate.
pub(crate) fn all() -> Vec<Route> {
    let mut routes = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    walk(&sources, &mut |path, source| {
        let path = path.strip_prefix(&sources).unwrap().to_string_lossy();
        if path.ends_with("tests.rs") {
            return;
        }
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let sites: &[Site] = match path.as_ref() {
            "admin.rs" => &[Site::Admin],
            path if path.starts_with("console") => &[Site::Console],
            _ => &[Site::Portal],
        };
        for template in templates(source) {
            for site in sites {
                routes.push(Route {
                    site: *site,
                    template: template.clone(),
                });
            }
        }
    });
    routes.sort();
    routes.dedup();
    assert!(
        routes.len() > 60,
        "routes are written as .route(\"/...\", ...)"
    );
    routes
}

fn templates(source: &str) -> Vec<String> {
    let calls = source.split(".route(").skip(1);
    calls
        .map(|call| {
            let rest = call.trim_start().strip_prefix('"');
            let rest = rest.expect("a route is written as text, where these tests find it");
            rest.split('"').next().unwrap().to_owned()
        })
        .collect()
}

/// Every name under which a handler looks for a field.
pub(crate) fn field_names() -> Vec<String> {
    let mut names = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    walk(&sources, &mut |_, source| {
        for call in [".text(\"", ".raw(\"", ".need(\"", ".read(\"", ".has(\""] {
            let found = source.split(call).skip(1);
            names.extend(found.filter_map(|rest| rest.split('"').next().map(str::to_owned)));
        }
    });
    names.sort();
    names.dedup();
    names.retain(|name| name != "csrf");
    assert!(names.len() > 20, "{names:?}");
    names
}

fn walk(folder: &Path, each: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, each);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            each(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
