//! Processes of the program, and an HTTP client of a few lines.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder of its own, gone at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simurgh-program-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The folder is in the system's own for such things, should this fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program, in an environment without settings.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simurgh"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SIMURGH_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Runs a command with a configuration file to its end.
pub(crate) fn run(config: &Path, arguments: &[&str]) -> Output {
    let mut command = program(arguments);
    command.env("SIMURGH_CONFIG", config).output().unwrap()
}

/// A process that serves, killed when it is not stopped.
pub(crate) struct Serving {
    child: Child,
    lines: Receiver<String>,
    pub(crate) said: Vec<String>,
}

impl Serving {
    /// Starts it; reads standard output or standard error line by line.
    pub(crate) fn start(mut command: Command, from: From) -> Self {
        let command = match from {
            From::Output => command.stdout(Stdio::piped()),
            From::Error => command.stderr(Stdio::piped()),
        };
        let mut child = command.spawn().unwrap();
        let stream: Box<dyn Read + Send> = match from {
            From::Output => Box::new(child.stdout.take().unwrap()),
            From::Error => Box::new(child.stderr.take().unwrap()),
        };
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Waits for a line with this text.
    pub(crate) fn wait_for(&mut self, wanted: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| {
                panic!("no line with {wanted:?} ({error}): {:#?}", self.said);
            });
            self.said.push(line.clone());
            if line.contains(wanted) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end; keeps what was said until then.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        self.said.extend(self.lines.iter());
        status
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already when all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Which of its streams a process is heard by.
pub(crate) enum From {
    Output,
    Error,
}

/// `127.0.0.1:8080` of `http://localhost:8080`.
pub(crate) fn host(url: &str) -> String {
    url.trim_start_matches("http://")
        .replace("localhost", "127.0.0.1")
}

pub(crate) fn get(host: &str, path: &str) -> String {
    request(host, &format!("GET {path} HTTP/1.1"), "", "")
}

/// Asks and reads until the server closes.
pub(crate) fn request(host: &str, line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{line}\r\nhost: {host}\r\nconnection: close\r\naccept-language: en\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    text(&answer)
}
