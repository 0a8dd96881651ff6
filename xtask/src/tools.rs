//! Programs the tests use beside Rust: found, or installed from Debian when this is root on Debian.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::keeper::{Job, Kept};
use crate::say;

/// Whether chores may install what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Install {
    /// Debian packages as root; npm and Python packages into folders of this checkout.
    WhatIsMissing,
    /// Nothing: what is missing is skipped.
    Never,
}

/// Something the tests need from the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `initdb` and `postgres`.
    Postgres,
    /// A headless-capable Chromium.
    Chromium,
    /// A font with Chinese characters, so that screenshots show them.
    ChineseFont,
    /// `node`.
    Node,
    /// `npm`.
    Npm,
    /// `python3` with pip.
    Python,
    /// An agent of Diameter.
    FreeDiameter,
    /// Reads what was said on the wire.
    Tshark,
}

impl Tool {
    /// For messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL server (initdb, postgres)",
            Self::Chromium => "Chromium",
            Self::ChineseFont => "a font with Chinese characters",
            Self::Node => "Node.js",
            Self::Npm => "npm",
            Self::Python => "Python 3 with pip",
            Self::FreeDiameter => "freeDiameter",
            Self::Tshark => "tshark",
        }
    }

    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Chromium => &["chromium"],
            Self::ChineseFont => &["fonts-noto-cjk", "fontconfig"],
            Self::Node => &["nodejs"],
            Self::Npm => &["npm"],
            Self::Python => &["python3", "python3-pip"],
            Self::FreeDiameter => &["freediameterd", "freediameter-extensions"],
            Self::Tshark => &["tshark"],
        }
    }

    /// Whether it is there.
    pub(crate) fn is_present(self) -> bool {
        match self {
            Self::Postgres => postgres_programs().is_some(),
            Self::Chromium => chromium().is_some(),
            Self::ChineseFont => {
                output_of("fc-list", &[":lang=zh", "file"]).is_some_and(|fonts| !fonts.is_empty())
            }
            Self::Node => on_path("node").is_some(),
            Self::Npm => on_path("npm").is_some(),
            Self::Python => output_of("python3", &["-m", "pip", "--version"]).is_some(),
            Self::FreeDiameter => on_path("freeDiameterd").is_some(),
            Self::Tshark => on_path("tshark").is_some(),
        }
    }
}

/// Sees to it that `tools` are there. Returns those that are not, each with the reason.
pub(crate) fn ensure(tools: &[Tool], install: Install) -> Vec<(Tool, String)> {
    let missing: Vec<Tool> = tools
        .iter()
        .copied()
        .filter(|tool| !tool.is_present())
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let refusal = match install {
        Install::Never => Some("not installed, and --no-install was given".to_owned()),
        Install::WhatIsMissing => why_apt_cannot(&missing),
    };
    missing
        .into_iter()
        .filter_map(|tool| {
            let why = match &refusal {
                Some(why) => Some(why.clone()),
                None => install_from_debian(tool)
                    .err()
                    .map(|error| format!("{error:#}")),
            };
            let packages = tool.debian_packages().join(" ");
            why.map(|why| (tool, format!("{}: {why} (Debian: {packages})", tool.name())))
        })
        .collect()
}

/// Brings apt's lists up to date, or says why nothing can be installed.
fn why_apt_cannot(missing: &[Tool]) -> Option<String> {
    if on_path("apt-get").is_none() {
        return Some("not installed, and this is not Debian".to_owned());
    }
    if !is_root() {
        return Some("not installed, and only root can install it".to_owned());
    }
    let names: Vec<&str> = missing.iter().map(|tool| tool.name()).collect();
    say::step(&format!("installing {}", names.join(", ")));
    apt(&["update", "-q"])
        .err()
        .map(|error| format!("{error:#}"))
}

fn install_from_debian(tool: Tool) -> anyhow::Result<()> {
    let mut arguments = vec!["install", "-y", "-q", "--no-install-recommends"];
    arguments.extend(tool.debian_packages());
    apt(&arguments)?;
    anyhow::ensure!(
        tool.is_present(),
        "still missing after its packages were installed"
    );
    Ok(())
}

fn apt(arguments: &[&str]) -> anyhow::Result<()> {
    let job = Job::new("apt-get")
        .arguments(arguments)
        .output_to_stderr()?
        .environment(&[
            ("DEBIAN_FRONTEND", "noninteractive".into()),
            // Single-user mode: a package must not start its service; the tests start their own.
            ("RUNLEVEL", "1".into()),
        ]);
    let status = Kept::start(job)?.wait()?;
    anyhow::ensure!(
        status.success(),
        "apt-get {} failed ({status})",
        arguments.join(" ")
    );
    Ok(())
}

/// The folder with PostgreSQL's server programs: on PATH, or Debian's, newest version first.
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    let has_both =
        |folder: &Path| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let on_path = path_folders().into_iter().find(|folder| has_both(folder));
    on_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        versions
            .filter_map(Result::ok)
            .map(|version| version.path().join("bin"))
            .filter(|folder| has_both(folder))
            .max_by_key(|folder| version_number(folder))
    })
}

/// `.../15/bin` is 15.
fn version_number(programs: &Path) -> u32 {
    programs
        .parent()
        .and_then(Path::file_name)
        .and_then(OsStr::to_str)
        .and_then(|name| name.parse().ok())
        .unwrap_or(0)
}

/// The Chromium to drive.
pub(crate) fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(on_path)
}

/// The first program called `name` on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    path_folders()
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn path_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    output_of("id", &["-u"]).as_deref() == Some("0")
}

/// The trimmed output of a quick command; `None` when it is missing or fails.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_debian_version_is_taken_by_number() {
        let folder = |version: &str| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
        assert!(version_number(&folder("15")) > version_number(&folder("9")));
        assert_eq!(version_number(&folder("9.6")), 0);
    }

    #[test]
    fn a_missing_tool_is_named_with_its_package() {
        // PATH is this process's own; what is missing cannot be arranged, the wording can.
        for tool in [
            Tool::Postgres,
            Tool::Chromium,
            Tool::Node,
            Tool::Npm,
            Tool::Python,
            Tool::FreeDiameter,
            Tool::Tshark,
        ] {
            let lines = ensure(&[tool], Install::Never);
            assert_eq!(lines.is_empty(), tool.is_present());
            assert!(lines.iter().all(|(_, line)| line.contains("Debian: ")));
        }
    }
}
