//! Clients that lost their sessions: their Origin-State-Id grew.
//!
//! What a client said last is remembered as long as the program runs; a client that restarts while we do is
//! found out by the supervision of sessions.
//!
//! Source: `RFC 6733 §8.16`

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use simurgh_app::App;
use simurgh_vocab::Timestamp;

use crate::peers::locked;

/// How many clients are remembered: more than any network has gateways.
const CLIENTS_MAX: usize = 4_096;

/// Who said what, and whose sessions are to be given up.
#[derive(Default)]
pub(crate) struct Restarts {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<String, u32>,
    /// Clients whose sessions of before that time are gone. Few: one task works on them.
    due: Vec<(Client, Timestamp)>,
    is_working: bool,
}

/// Its Origin-Host and Origin-Realm.
type Client = (String, String);

impl Restarts {
    /// A client said its Origin-State-Id. When it grew, the client's sessions that were opened before now
    /// are given up, in the background.
    pub(crate) fn heard(
        self: &Arc<Self>,
        app: &App,
        (host, realm): (&str, &str),
        state_id: u32,
        now: Timestamp,
    ) {
        let mut state = locked(&self.state);
        if !state.grew(host, state_id) {
            return;
        }
        let client = (host.to_owned(), realm.to_owned());
        state.due.retain(|(known, _)| *known != client);
        state.due.push((client, now));
        if !std::mem::replace(&mut state.is_working, true) {
            tokio::spawn(work(Arc::clone(self), app.clone()));
        }
    }

    fn next(&self) -> Option<(Client, Timestamp)> {
        let mut state = locked(&self.state);
        let next = state.due.pop();
        state.is_working = next.is_some();
        next
    }
}

impl State {
    fn grew(&mut self, host: &str, state_id: u32) -> bool {
        match self.known.get_mut(host) {
            // Serial numbers do not wrap here: a smaller one is an older message.
            Some(known) if state_id > *known => {
                *known = state_id;
                true
            }
            Some(_) => false,
            None => {
                if self.known.len() < CLIENTS_MAX {
                    self.known.insert(host.to_owned(), state_id);
                }
                false
            }
        }
    }
}

async fn work(restarts: Arc<Restarts>, app: App) {
    while let Some(((host, realm), before)) = restarts.next() {
        match app.give_up_sessions_of(host, realm, before).await {
            Ok(count) => tracing::info!(count, "a client restarted; its sessions were given up"),
            // They are given up one by one when nothing is heard of them.
            Err(fault) => tracing::error!(%fault, "a client's lost sessions were not given up"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_greater_number_of_a_known_client_is_a_restart() {
        let mut state = State::default();
        let said = [(7, false), (7, false), (6, false), (8, true), (8, false)];
        for (state_id, grew) in said {
            assert_eq!(state.grew("pgw", state_id), grew, "{state_id}");
        }
        assert!(!state.grew("other", 9), "the first word of another client");
    }
}
