//! TLS to a real PostgreSQL server: a cluster of its own, with a certificate of its own, which
//! takes connections under TLS only.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use simurgh_store::{PostgresOptions, PostgresStore, PostgresTrust};
use simurgh_vocab::Timestamp;

/// A user and a group.
type Account = (u32, u32);

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The folder with `initdb` and `postgres`: on the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter();
    let debian = versions
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"));
    std::env::split_paths(&path)
        .chain(debian)
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// PostgreSQL refuses to run as root: then it runs as the account of Debian's package.
fn account() -> Option<Account> {
    let id = |arguments: &[&str]| said("id", arguments)?.parse().ok();
    if id(&["-u"]) != Some(0) {
        return None;
    }
    Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?))
}

fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C");
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command
}

/// A server that goes away with its owner.
struct Cluster {
    folder: PathBuf,
    server: Child,
    port: u16,
}

impl Cluster {
    /// None where PostgreSQL is not installed.
    fn start(certified: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Option<Self> {
        let programs = programs()?;
        let account = account();
        if account.is_none() && said("id", &["-u"]).as_deref() == Some("0") {
            return None;
        }
        let folder = std::env::temp_dir().join(format!("simurgh-tls-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        own(&folder, account, 0o700);
        let data = folder.join("data");
        let made = command(&programs.join("initdb"), account)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--no-instructions", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{why}");
        for (name, text) in [
            ("server.crt", certified.cert.pem()),
            ("server.key", certified.signing_key.serialize_pem()),
            ("pg_hba.conf", "hostssl all all all trust\n".to_owned()),
        ] {
            let file = data.join(name);
            std::fs::write(&file, text).unwrap();
            own(&file, account, 0o600);
        }
        let port = free_port();
        let mut server = command(&programs.join("postgres"), account)
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=localhost", "-c", "fsync=off"])
            .args(["-c", "unix_socket_directories=", "-c", "ssl=on"])
            .args(["-c", &format!("port={port}")])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
        let ready = |line: &std::io::Result<String>| {
            line.as_ref()
                .is_ok_and(|line| line.contains("ready to accept connections"))
        };
        let mut before = String::new();
        let is_ready = log.any(|line| {
            before.extend(line.as_deref().ok());
            before.push('\n');
            ready(&line)
        });
        assert!(is_ready, "the server ended: {before}");
        // Whatever else it says is taken from it, so that it never waits for a reader.
        std::thread::spawn(move || log.for_each(drop));
        Some(Self {
            folder,
            server,
            port,
        })
    }
}

/// A port that nobody listened on just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A fast end: it leaves no shared memory behind.
        let _ = said("kill", &["-s", "INT", &self.server.id().to_string()]);
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn own(path: &Path, account: Option<Account>, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    if let Some((user, group)) = account {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

fn connect(url: &str, trust: &PostgresTrust) -> Result<PostgresStore, String> {
    let options = PostgresOptions {
        connections: 2,
        trust: trust.clone(),
        ..PostgresOptions::default()
    };
    PostgresStore::connect(url, options).map_err(|fault| fault.to_string())
}

#[test]
fn postgresql_is_used_under_tls_by_its_own_name_and_authority_only() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let Some(cluster) = Cluster::start(&certified) else {
        println!("SKIPPED: PostgreSQL (initdb, postgres) is not installed");
        return;
    };
    let authority = cluster.folder.join("authority.pem");
    std::fs::write(&authority, certified.cert.pem()).unwrap();
    let known = PostgresTrust::new(Some(&authority)).unwrap();
    let url = |host: &str, mode: &str| {
        let port = cluster.port;
        format!("postgres://postgres@{host}:{port}/postgres?sslmode={mode}")
    };

    let full = url("localhost", "verify-full");
    let store = connect(&full, &known).unwrap();
    let now = Timestamp::from_micros(1_790_000_000_000_000);
    assert!(!store.migrate(now).unwrap().is_empty(), "it is used");
    drop(store);
    let again = connect(&full, &known).unwrap();
    assert!(again.migrate(now).unwrap().is_empty(), "it has kept it");
    drop(again);

    let refusal = |url: &str, trust: &PostgresTrust| match connect(url, trust) {
        Ok(_) => panic!("{url} was taken"),
        Err(why) => why,
    };
    let stranger = refusal(&full, &PostgresTrust::default());
    assert!(stranger.contains("certificate"), "{stranger}");
    let other_name = refusal(&url("127.0.0.1", "verify-full"), &known);
    assert!(other_name.contains("certificate"), "{other_name}");
    let plain = refusal(&url("localhost", "disable"), &known);
    assert!(plain.contains("no encryption"), "{plain}");
}
