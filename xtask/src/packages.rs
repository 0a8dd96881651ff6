//! npm and Python packages for the tests, installed into folders of this checkout.
//!
//! Versions are pinned in `package.json` and `requirements.txt`. An installation is redone when that
//! file changed since; otherwise nothing is asked of any registry.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::keeper::{Job, Kept};
use crate::place::Place;
use crate::say;
use crate::tools::{self, Install, Tool};

/// The copy of the list of packages that an installation leaves beside them.
const STAMP: &str = ".installed-from";

/// The npm packages of the browser tests.
pub(crate) fn install_for_browser(place: &Place, install: Install) -> anyhow::Result<()> {
    let folder = place.root.join("tests/browser");
    let list = folder.join("package.json");
    install_once(&list, &folder.join("node_modules"), install, || {
        npm(&folder)
    })
}

/// Real counterparts of the protocols, as `tests/peers` lists them: Python packages in
/// `peers/python` and npm packages in `peers/node` below the build folder. Returns that folder, when
/// there are any, and a line for each kind that is missing.
pub(crate) fn install_peers(
    place: &Place,
    install: Install,
) -> anyhow::Result<(Option<PathBuf>, Vec<String>)> {
    let lists = place.root.join("tests/peers");
    if !lists.is_dir() {
        return Ok((None, Vec::new()));
    }
    let folder = place.work_folder("peers")?;
    let mut missing = Vec::new();
    let requirements = lists.join("requirements.txt");
    if requirements.is_file() {
        let python = folder.join("python");
        let installed = require(&[Tool::Python], install).and_then(|()| {
            install_once(&requirements, &python, install, || {
                pip(&requirements, &python)
            })
        });
        missing.extend(installed.err().map(|why| format!("Python peers: {why:#}")));
    }
    let package_list = lists.join("package.json");
    if package_list.is_file() {
        let node = place.work_folder("peers/node")?;
        let installed = require(&[Tool::Node, Tool::Npm], install).and_then(|()| {
            install_once(&package_list, &node.join("node_modules"), install, || {
                std::fs::copy(&package_list, node.join("package.json"))?;
                npm(&node)
            })
        });
        missing.extend(installed.err().map(|why| format!("Node peers: {why:#}")));
    }
    Ok((Some(folder), missing))
}

fn require(needed: &[Tool], install: Install) -> anyhow::Result<()> {
    let missing = tools::ensure(needed, install);
    let reasons: Vec<String> = missing.into_iter().map(|(_, why)| why).collect();
    anyhow::ensure!(reasons.is_empty(), "{}", reasons.join("; "));
    Ok(())
}

/// Runs `fetch` unless `into` was filled from the same text of `list`.
fn install_once(
    list: &Path,
    into: &Path,
    install: Install,
    fetch: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let wanted = std::fs::read(list).with_context(|| format!("cannot read {}", list.display()))?;
    let stamp = into.join(STAMP);
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    anyhow::ensure!(
        install == Install::WhatIsMissing,
        "the packages of {} are not installed, and --no-install was given",
        list.display()
    );
    say::step(&format!("installing the packages of {}", list.display()));
    if into.exists() {
        std::fs::remove_dir_all(into)?;
    }
    fetch()?;
    std::fs::create_dir_all(into)?;
    std::fs::write(&stamp, wanted)?;
    Ok(())
}

/// No lock file: it would name the registry of whoever wrote it. No scripts: none is needed.
fn npm(folder: &Path) -> anyhow::Result<()> {
    let arguments = [
        "install",
        "--no-package-lock",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ];
    let job = Job::new("npm")
        .arguments(arguments)
        .folder(folder)
        .environment(&[("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1".into())]);
    run("npm install", job)
}

fn pip(requirements: &Path, into: &Path) -> anyhow::Result<()> {
    let job = Job::new("python3")
        .arguments([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .argument("--target")
        .argument(into)
        .argument("--requirement")
        .argument(requirements);
    run("pip install", job)
}

/// The output goes to standard error, since the standard output is for results.
fn run(name: &str, job: Job) -> anyhow::Result<()> {
    let status = Kept::start(job.output_to_stderr()?)?.wait()?;
    anyhow::ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn packages_are_installed_again_only_when_their_list_changed() {
        let folder = std::env::temp_dir().join(format!("simurgh-packages-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (list, into) = (folder.join("list"), folder.join("into"));
        let fetched = Cell::new(0);
        let once = |install| {
            install_once(&list, &into, install, || {
                fetched.set(fetched.get() + 1);
                Ok(())
            })
        };
        std::fs::write(&list, "one").unwrap();
        assert!(once(Install::Never).is_err());
        once(Install::WhatIsMissing).unwrap();
        once(Install::Never).unwrap();
        assert_eq!(fetched.get(), 1);
        std::fs::write(&list, "two").unwrap();
        once(Install::WhatIsMissing).unwrap();
        assert_eq!(fetched.get(), 2);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
