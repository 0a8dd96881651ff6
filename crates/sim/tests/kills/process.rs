//! The program as a process, and its death.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use simurgh_sim::Death;
use simurgh_vocab::Timestamp;

/// How long an answer may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Killing {
    /// At this commit.
    At(Death, u32),
    /// So long after commands were sent to it.
    In(Duration),
    /// Not.
    Never,
}

/// What a command was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Ok(String),
    No(String),
    /// The process died first.
    None,
}

/// A process that runs.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    next_id: u64,
}

impl Process {
    pub(crate) fn start(store: &str, provider: &str, seed: u64) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_renewer"))
            .args([store, provider, &seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take().unwrap(),
            child,
            lines,
            next_id: 0,
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets the process end by itself.
    pub(crate) fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }

    /// Runs commands side by side. `None` instead of the process when it was killed; what it had
    /// answered until then stands.
    pub(crate) fn run(
        mut self,
        now: Timestamp,
        commands: &[String],
        killing: Killing,
    ) -> (Option<Self>, Vec<Answer>) {
        let first = self.next_id;
        for command in commands {
            writeln!(self.input, "{} {} {command}", self.next_id, now.as_micros()).unwrap();
            self.next_id += 1;
        }
        let mut answers = BTreeMap::new();
        let patience = match killing {
            Killing::In(time) => time,
            Killing::At(..) | Killing::Never => PATIENCE,
        };
        let mut dies = false;
        while answers.len() < commands.len() {
            match self.lines.recv_timeout(patience) {
                Ok(line) if line.starts_with('!') => {
                    dies = true;
                    break;
                }
                Ok(line) => {
                    let (id, answer) = read(&line);
                    answers.insert(id, answer);
                }
                Err(RecvTimeoutError::Timeout) if matches!(killing, Killing::In(_)) => {
                    dies = true;
                    break;
                }
                Err(error) => panic!("no answer ({error}) to {commands:?}"),
            }
        }
        let answered = (first..self.next_id)
            .map(|id| answers.remove(&id).unwrap_or(Answer::None))
            .collect();
        if dies {
            self.kill();
            return (None, answered);
        }
        (Some(self), answered)
    }
}

fn read(line: &str) -> (u64, Answer) {
    let mut words = line.splitn(3, ' ');
    let id = words.next().unwrap().parse().unwrap();
    let kind = words.next().unwrap();
    let text = words.next().unwrap_or("").to_owned();
    let answer = match kind {
        "ok" => Answer::Ok(text),
        "no" => Answer::No(text),
        other => panic!("an answer {other}"),
    };
    (id, answer)
}
