//! Sessions: what a client of the network was granted and has not reported yet.

use std::sync::Arc;

use simurgh_vocab::{BucketId, LineId, Timestamp, Unit, ZoneCode};

use crate::answer::Answer;

/// How many answers of a session are kept for repeated requests. Clients have a few requests under way
/// at once at most (one per rating group).
pub const ANSWERS_KEPT: usize = 4;

/// What tells the services of one session apart.
///
/// Source: `RFC 8506 §8.16` (Multiple-Services-Credit-Control), `§8.29` (Rating-Group).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ServiceKey {
    /// The rating group, if the client names one.
    pub rating_group: Option<u32>,
    /// The service, if the client names one.
    pub service_identifier: Option<u32>,
}

/// A part of a bucket that a session holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The bucket.
    pub bucket: BucketId,
    /// How much of it.
    pub amount: i64,
}

/// What a session took from a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debit {
    /// The bucket.
    pub bucket: BucketId,
    /// How much.
    pub amount: i64,
}

/// One service of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceState {
    /// Which one.
    pub key: ServiceKey,
    /// The zones that cover the place where it was granted, the most specific first.
    pub zones: Arc<[ZoneCode]>,
    /// Whether it costs nothing.
    pub free: bool,
    /// What it holds; nothing after its quota was reported.
    pub holds: Vec<Hold>,
    /// What it took since the last record.
    pub debits: Vec<Debit>,
    /// What was held of buckets that were over when it was given back, since the last record.
    pub lapsed: Vec<Debit>,
    /// What was used since the last record, whoever paid.
    pub used: i64,
    /// The part of it that no bucket covered.
    pub uncovered: i64,
}

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It goes on.
    Live,
    /// It has ended. It is kept for a while, to answer repeated requests.
    Over,
}

/// An answered request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its number. Source: `RFC 8506 §8.2` (CC-Request-Number).
    pub number: u32,
    /// The answer.
    pub answer: Arc<Answer>,
}

/// A credit-control session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The line that uses the network.
    pub line: LineId,
    /// What the session counts.
    pub unit: Unit,
    /// Whether it goes on.
    pub standing: Standing,
    /// Who reports, as it names itself: where a re-authorisation goes. Source: `RFC 6733 §6.3`
    /// (Origin-Host).
    pub client: Arc<str>,
    /// The realm of the client.
    pub realm: Arc<str>,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it was heard of last.
    pub heard_at: Timestamp,
    /// When it is given up if nothing is heard of it.
    pub due_at: Timestamp,
    /// Its services.
    pub services: Vec<ServiceState>,
    /// The latest answers, by ascending number.
    pub answered: Vec<Answered>,
    /// How many records of it were written.
    pub records: u32,
}

impl Session {
    /// The answer that was given to a request, if it is still known.
    #[must_use]
    pub fn answer_to(&self, number: u32) -> Option<&Arc<Answer>> {
        let mut known = self.answered.iter();
        let found = known.find(|answered| answered.number == number);
        found.map(|answered| &answered.answer)
    }

    /// Whether a request with this number may have been answered and forgotten.
    #[must_use]
    pub fn is_forgotten(&self, number: u32) -> bool {
        let oldest = self.answered.first();
        self.answered.len() >= ANSWERS_KEPT && oldest.is_some_and(|it| number < it.number)
    }

    /// What it holds of all buckets.
    #[must_use]
    pub fn held(&self) -> i64 {
        let holds = self.services.iter().flat_map(|service| &service.holds);
        holds.fold(0, |sum, hold| hold.amount.saturating_add(sum))
    }

    /// Keeps an answer; the oldest goes.
    pub(crate) fn keep(&mut self, number: u32, answer: Answer) {
        let answer = Arc::new(answer);
        let place = self.answered.partition_point(|it| it.number < number);
        self.answered.insert(place, Answered { number, answer });
        if self.answered.len() > ANSWERS_KEPT {
            self.answered.remove(0);
        }
    }
}
