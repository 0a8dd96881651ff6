//! What waits to be sent, in order.

use std::collections::{BTreeMap, BTreeSet};

use simurgh_vocab::Timestamp;

/// Names one copy of one notice.
pub(crate) trait Letter: Copy + Ord {
    /// What it is about: the letters about one subject leave in order.
    type Subject: Ord;

    /// What it is about.
    fn subject(&self) -> Self::Subject;
}

/// A copy that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery<L> {
    pub(crate) id: L,
    /// How often it was tried.
    pub(crate) attempts: u32,
}

struct Waiting {
    due_at: Timestamp,
    order: u64,
    attempts: u32,
}

/// The copies that wait, by id and by the time they are due.
pub(crate) struct Queue<L> {
    waiting: BTreeMap<L, Waiting>,
    by_time: BTreeSet<(Timestamp, u64, L)>,
    order: u64,
}

impl<L> Default for Queue<L> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            by_time: BTreeSet::new(),
            order: 0,
        }
    }
}

impl<L: Letter> Queue<L> {
    /// Puts a copy in the queue.
    pub(crate) fn put(&mut self, id: L, due_at: Timestamp) {
        self.order = self.order.saturating_add(1);
        let order = self.order;
        let waiting = Waiting {
            due_at,
            order,
            attempts: 0,
        };
        self.waiting.insert(id, waiting);
        self.by_time.insert((due_at, order, id));
    }

    /// Forgets a copy that was taken; false if none waits.
    pub(crate) fn taken(&mut self, id: L) -> bool {
        match self.waiting.remove(&id) {
            Some(waiting) => self.by_time.remove(&(waiting.due_at, waiting.order, id)),
            None => false,
        }
    }

    /// Tries a copy again later.
    pub(crate) fn postpone(&mut self, id: L, due_at: Timestamp) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            self.by_time.remove(&(waiting.due_at, waiting.order, id));
            waiting.due_at = due_at;
            waiting.attempts = waiting.attempts.saturating_add(1);
            self.by_time.insert((due_at, waiting.order, id));
        }
    }

    /// Copies that are due, at most one per subject.
    pub(crate) fn due(&self, now: Timestamp, limit: usize) -> Vec<Delivery<L>> {
        let mut seen = BTreeSet::new();
        self.by_time
            .iter()
            .take_while(|(due_at, ..)| *due_at <= now)
            .filter(|(_, _, id)| seen.insert(id.subject()))
            .take(limit)
            .filter_map(|(_, _, id)| self.delivery(*id))
            .collect()
    }

    /// Every copy that waits, due or not, in the order in which it should leave.
    pub(crate) fn waiting(&self) -> Vec<Delivery<L>> {
        self.by_time
            .iter()
            .filter_map(|(_, _, id)| self.delivery(*id))
            .collect()
    }

    /// When the next copy is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(due_at, ..)| *due_at)
    }

    fn delivery(&self, id: L) -> Option<Delivery<L>> {
        self.waiting.get(&id).map(|waiting| Delivery {
            id,
            attempts: waiting.attempts,
        })
    }
}
