//! A PostgreSQL cluster for the tests: made, started, stopped and thrown away by this program.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::keeper::{Account, Job, Kept, Stop};
use crate::place::Place;
use crate::{say, tools};

/// How long the server may take from its start to its first answer.
const START_SECONDS_MAX: u64 = 60;
/// Every crate's tests run in threads that each open a few connections.
const CONNECTIONS_MAX: &str = "200";

/// Followed by the process id of whoever made the cluster.
const FOLDER_PREFIX: &str = "cluster-";

/// Whether commits wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fsync {
    /// As in production: needed to measure.
    On,
    /// Faster; safe where only processes die and not the machine.
    Off,
}

/// A running cluster. Dropping it stops the server and removes its data.
pub(crate) struct Cluster {
    server: Option<Kept>,
    scratch: PathBuf,
    /// Address of the maintenance database, as its superuser.
    pub(crate) url: String,
}

impl Cluster {
    /// Makes and starts a cluster on the loopback address, on a free port.
    pub(crate) fn start(place: &Place, fsync: Fsync) -> anyhow::Result<Self> {
        let programs = tools::postgres_programs().context("PostgreSQL is not installed")?;
        let account = server_account()?;
        let scratch = scratch_folder(place, account)?;
        let log = place.work_folder("xtask")?.join("postgres.log");
        let made = make(&programs, &scratch, account);
        let started = made.and_then(|()| {
            let port = free_port()?;
            let server = Kept::start(
                server_job(&programs, &scratch, port, fsync)
                    .account(account)
                    .output_to(&log)?,
            )?;
            wait_until_ready(server, &scratch)
                .map(|server| (server, port))
                .with_context(|| format!("PostgreSQL did not start; see {}", log.display()))
        });
        match started {
            Ok((server, port)) => {
                let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
                Ok(Self {
                    server: Some(server),
                    scratch,
                    url,
                })
            }
            Err(error) => {
                remove(&scratch)?;
                Err(error)
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.server.take());
        if let Err(error) = remove(&self.scratch) {
            say::problem(&format!(
                "cannot remove {}: {error}",
                self.scratch.display()
            ));
        }
    }
}

/// The keeper emptied the folder after the server ran; the server's account may not have been allowed
/// to remove the folder itself.
fn remove(scratch: &Path) -> std::io::Result<()> {
    if scratch.exists() {
        std::fs::remove_dir_all(scratch)
    } else {
        Ok(())
    }
}

/// PostgreSQL refuses to run as root: then it runs as the account that Debian's package makes.
fn server_account() -> anyhow::Result<Option<Account>> {
    if !tools::is_root() {
        return Ok(None);
    }
    let id = |option| -> anyhow::Result<u32> {
        let text = tools::output_of("id", &[option, "postgres"])
            .context("PostgreSQL cannot run as root, and there is no account `postgres`")?;
        Ok(text.parse()?)
    };
    Ok(Some(Account {
        user: id("-u")?,
        group: id("-g")?,
    }))
}

/// An empty folder that the server's account can reach and owns: below the build folder, or below
/// the system's temporary folder when the checkout stands where that account may not look.
fn scratch_folder(place: &Place, account: Option<Account>) -> anyhow::Result<PathBuf> {
    let name = format!("{FOLDER_PREFIX}{}", std::process::id());
    let mut tried = Vec::new();
    for parent in [
        place.work_folder("postgres")?,
        std::env::temp_dir().join("simurgh-postgres"),
    ] {
        std::fs::create_dir_all(&parent)?;
        remove_abandoned(&parent)?;
        if let Some(Account { user, group }) = account {
            std::os::unix::fs::chown(&parent, Some(user), Some(group))?;
        }
        let folder = parent.join(&name);
        let made = run_as(account, Path::new("mkdir"), &["-m", "700", "--"], &folder);
        match made {
            Ok(()) => return Ok(folder),
            Err(error) => tried.push(format!("{error:#}")),
        }
    }
    bail!("no folder for the cluster: {}", tried.join("; "))
}

/// Clusters of runs that were killed while they made one; a server's own folder goes with the server.
fn remove_abandoned(parent: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(parent)? {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let Some(owner) = name.strip_prefix(FOLDER_PREFIX) else {
            continue;
        };
        let script = ["-c", "kill -s 0 \"$1\" 2>/dev/null", "is-alive", owner];
        if tools::output_of("sh", &script).is_none()
            && let Err(error) = remove(&folder)
        {
            say::note(&format!("{} is left over: {error}", folder.display()));
        }
    }
    Ok(())
}

fn make(programs: &Path, scratch: &Path, account: Option<Account>) -> anyhow::Result<()> {
    let arguments = [
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
        "--pgdata",
    ];
    run_as(
        account,
        &programs.join("initdb"),
        &arguments,
        &scratch.join("data"),
    )
}

/// Runs a short command to its end; its output is the error's text.
fn run_as(
    account: Option<Account>,
    program: &Path,
    arguments: &[&str],
    folder: &Path,
) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;

    let mut command = Command::new(program);
    command.args(arguments).arg(folder).current_dir("/");
    if let Some(Account { user, group }) = account {
        command.uid(user).gid(group);
    }
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "{}: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn server_job(programs: &Path, scratch: &Path, port: u16, fsync: Fsync) -> Job {
    let fsync = match fsync {
        Fsync::On => "fsync=on",
        Fsync::Off => "fsync=off",
    };
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        // Loopback only: the path of a socket in a deep checkout would pass its limit of 107 bytes.
        "unix_socket_directories=".to_owned(),
        format!("port={port}"),
        format!("max_connections={CONNECTIONS_MAX}"),
        fsync.to_owned(),
    ];
    let settings = settings.iter().flat_map(|setting| ["-c", setting]);
    Job::new(programs.join("postgres"))
        .argument("-D")
        .argument(scratch.join("data"))
        .arguments(settings)
        .folder(Path::new("/"))
        .environment(&[("TZ", OsString::from("UTC"))])
        .stopped_by(Stop::Interrupt)
        .scratch(scratch)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// The server writes `ready` into its pid file once it answers, as `pg_ctl` waits for it.
fn wait_until_ready(mut server: Kept, scratch: &Path) -> anyhow::Result<Kept> {
    let pid_file = scratch.join("data/postmaster.pid");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(START_SECONDS_MAX) {
        let status = std::fs::read_to_string(&pid_file).unwrap_or_default();
        if status.lines().any(|line| line.trim() == "ready") {
            return Ok(server);
        }
        if server.has_ended()? {
            bail!("the server ended at once");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("no answer within {START_SECONDS_MAX} s")
}

/// Starts a cluster for a chore; a refusal becomes the line that says why it is skipped.
pub(crate) fn cluster_or_reason(place: &Place, fsync: Fsync) -> Result<Cluster, String> {
    say::step("starting PostgreSQL");
    Cluster::start(place, fsync).map_err(|error| format!("PostgreSQL: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    /// Without PostgreSQL there is nothing to assert; `cargo xtask test` installs it or says so.
    #[test]
    fn a_cluster_answers_and_leaves_nothing_behind() {
        if tools::postgres_programs().is_none() {
            return;
        }
        let place = Place::of_this_workspace().unwrap();
        let cluster = Cluster::start(&place, Fsync::Off).unwrap();
        let address = cluster.url.strip_prefix("postgres://postgres@").unwrap();
        let address = address.strip_suffix("/postgres").unwrap().to_owned();
        assert!(TcpStream::connect(&address).is_ok());
        let scratch = cluster.scratch.clone();
        assert!(scratch.join("data/PG_VERSION").exists());
        drop(cluster);
        assert!(TcpStream::connect(&address).is_err());
        assert!(!scratch.join("data").exists());
    }
}
