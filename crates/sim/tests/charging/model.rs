//! What must be true, and where the nodes are.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard};

/// Gateways, each with a connection.
pub(crate) const CLIENTS: u32 = 4;
/// Lines that are charged.
pub(crate) const LINES: u32 = 8;
/// Of them, those that have so little that they come to their end.
const POOR_LINES: u32 = 2;
const LITTLE: i64 = 300 * 1_024 * 1_024;
const MUCH: i64 = 1 << 44;

/// What a line has to begin with, in octets.
pub(crate) const fn capacity(line: u32) -> i64 {
    if line < POOR_LINES { LITTLE } else { MUCH }
}

/// A line by the books: left, reserved, used, and what its records say was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineBooks {
    pub(crate) left: i64,
    pub(crate) reserved: i64,
    pub(crate) used: i64,
    pub(crate) recorded: i64,
    pub(crate) counted_by_day: i64,
}

pub(crate) struct Model {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    nodes: Vec<Option<SocketAddr>>,
    answers: u64,
    repeated: u64,
    is_ending: bool,
    findings: Vec<String>,
    /// What was reported, and what sessions hold.
    used: Vec<i64>,
    held: Vec<i64>,
    exhausted: bool,
}

impl Model {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            state: Mutex::new(State {
                nodes: vec![None; nodes],
                answers: 0,
                repeated: 0,
                is_ending: false,
                findings: Vec::new(),
                used: vec![0; LINES as usize],
                held: vec![0; LINES as usize],
                exhausted: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn is_at(&self, node: usize, address: SocketAddr) {
        self.state().nodes[node] = Some(address);
        self.changed.notify_all();
    }

    pub(crate) fn is_gone(&self, node: usize) {
        self.state().nodes[node] = None;
    }

    /// The address of a node, the `preferred` one if it runs.
    pub(crate) fn address(&self, preferred: usize) -> SocketAddr {
        let none = |state: &mut State| state.nodes.iter().all(Option::is_none);
        let state = self.changed.wait_while(self.state(), none).unwrap();
        let count = state.nodes.len();
        let mut all = (0..count).map(|it| state.nodes[(preferred + it) % count]);
        all.find_map(|it| it).unwrap()
    }

    /// Waits until so many more requests are answered.
    pub(crate) fn wait_for_answers(&self, more: u64) {
        let state = self.state();
        let wanted = state.answers + more;
        drop(
            self.changed
                .wait_while(state, |state| state.answers < wanted)
                .unwrap(),
        );
    }

    pub(crate) fn comes_to_its_end(&self) {
        self.state().is_ending = true;
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.state().is_ending
    }

    /// A gateway reports what was used of what a session holds, and gives the rest back.
    pub(crate) fn reports(&self, line: u32, held: i64, used: i64) {
        let mut state = self.state();
        let line = line as usize;
        state.used[line] += used;
        state.held[line] -= held;
    }

    /// A request is answered: what the session holds now.
    pub(crate) fn answered(&self, line: u32, granted: i64) {
        let mut state = self.state();
        let at = line as usize;
        state.held[at] += granted;
        state.answers += 1;
        state.exhausted |= granted == 0 && line < POOR_LINES;
        let (used, held) = (state.used[at], state.held[at]);
        if used + held > capacity(line) {
            let finding = format!("line {line} has {used} used and {held} held");
            state.findings.push(finding);
        }
        self.changed.notify_all();
    }

    pub(crate) fn is_repeated(&self) {
        self.state().repeated += 1;
    }

    pub(crate) fn finds(&self, finding: String) {
        self.state().findings.push(finding);
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        self.state().findings.clone()
    }

    pub(crate) fn answers(&self) -> u64 {
        self.state().answers
    }

    pub(crate) fn repeated(&self) -> u64 {
        self.state().repeated
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.state().exhausted
    }

    /// What the books must say once every session has ended.
    pub(crate) fn lines(&self) -> Vec<LineBooks> {
        let state = self.state();
        (0..LINES)
            .map(|line| {
                let used = state.used[line as usize];
                LineBooks {
                    left: capacity(line) - used,
                    reserved: 0,
                    used,
                    recorded: used,
                    counted_by_day: used,
                }
            })
            .collect()
    }
}
