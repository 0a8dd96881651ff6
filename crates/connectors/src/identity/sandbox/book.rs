//! The outside company's own book: a state machine without I/O and without a clock.
//!
//! It knows checks by the operator's case and attempt, and the notifications that still have to go
//! out. It knows no name, no document and no face.

use std::collections::{BTreeMap, BTreeSet};

use simurgh_app::ports::{IdentityReport, IdentityStart};
use simurgh_subscriber::IdentityRefusal;
use simurgh_vocab::{CaseId, Duration, Timestamp};

use super::outcome::Outcome;
use crate::sandbox::desk::Change;
use crate::sandbox::queue::{Delivery, Letter, Queue};
use crate::sandbox::settings::is_web_address;

/// How long a delayed check takes when nobody presses a button.
pub(super) const DELAY: Duration = Duration::seconds(20);

/// How long the person has.
pub(super) const PAGE_LIFETIME: Duration = Duration::hours(24);

/// How long after the true notification a contradicting one arrives.
const STALE_AFTER: Duration = Duration::seconds(1);

/// What a check found.
pub(super) type Verdict = Result<(), IdentityRefusal>;

/// Why the book does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The attempt is known with other parameters.
    #[error("the attempt is known with other parameters")]
    ContextInconsistent,
    /// The rule's code cannot be one.
    #[error("the rule is not a code")]
    RuleInvalid,
    /// The return address cannot be used.
    #[error("the return address is not a web address")]
    ReturnUrlInvalid,
    /// No check has this reference.
    #[error("no check has this reference")]
    CheckUnknown,
    /// The check has ended: its result stands.
    #[error("the check has ended")]
    AlreadyDecided,
}

impl Refusal {
    /// The code in the answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ContextInconsistent => "context-inconsistent",
            Self::RuleInvalid => "rule-invalid",
            Self::ReturnUrlInvalid => "return-url-invalid",
            Self::CheckUnknown => "check-unknown",
            Self::AlreadyDecided => "already-decided",
        }
    }
}

/// Unguessable words for a new check, drawn by whoever holds the entropy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Names the check towards the operator.
    pub(super) reference: String,
    /// Names the person's page.
    pub(super) page: String,
}

/// A change of the book.
#[derive(Clone)]
pub(crate) enum Command {
    /// The operator begins a check.
    Start {
        request: IdentityStart,
        tokens: Tokens,
    },
    /// The person, or whoever plays the company, decides it.
    Decide { reference: String, outcome: Outcome },
    /// The truth about a check is to be sent once more.
    SendAgain { reference: String },
    /// The operator took a notification.
    Taken(LetterId),
}

/// Names one copy of one notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LetterId {
    /// The place of its check in the book.
    pub(super) check: usize,
    /// Which of its notices.
    pub(super) notice: usize,
    /// Which copy.
    pub(super) copy: u32,
}

impl Letter for LetterId {
    type Subject = usize;

    fn subject(&self) -> usize {
        self.check
    }
}

/// Where a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The person has yet to act.
    AwaitingPerson,
    /// Somebody looks at it until then.
    Looking { until: Timestamp },
    /// Queries get no answer.
    Mute,
    /// It is decided.
    Decided { verdict: Verdict },
}

/// A notification's content. It keeps its id however often it is sent.
#[derive(Clone)]
pub(super) struct Notice {
    pub(super) event_id: String,
    pub(super) verdict: Option<Verdict>,
    /// How many copies were put in the post.
    copies: u32,
}

/// A check.
pub(super) struct Entry {
    pub(super) request: IdentityStart,
    pub(super) tokens: Tokens,
    pub(super) standing: Standing,
    pub(super) started_at: Timestamp,
    notices: Vec<Notice>,
}

impl Entry {
    /// What is true of it now.
    pub(super) const fn truth(&self) -> Option<Verdict> {
        match self.standing {
            Standing::AwaitingPerson | Standing::Looking { .. } | Standing::Mute => None,
            Standing::Decided { verdict } => Some(verdict),
        }
    }

    /// Whether it can still be decided.
    pub(super) const fn is_open(&self) -> bool {
        self.truth().is_none()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Settle(usize),
    Expire(usize),
}

/// The outside company's book.
#[derive(Default)]
pub(crate) struct IdentityBook {
    /// Checks in the order in which they began.
    entries: Vec<Entry>,
    by_attempt: BTreeMap<(CaseId, Timestamp), usize>,
    by_reference: BTreeMap<String, usize>,
    by_page: BTreeMap<String, usize>,
    timers: BTreeSet<(Timestamp, Timer)>,
    post: Queue<LetterId>,
}

impl IdentityBook {
    /// Does what time asks: ends delays, closes pages nobody used. Every change does so first.
    pub(super) fn pass(&mut self, now: Timestamp) {
        while let Some((due_at, timer)) = self.timers.first().copied() {
            if due_at > now {
                return;
            }
            self.timers.pop_first();
            let (place, ends, verdict) = match timer {
                Timer::Settle(place) => (place, Standing::Looking { until: due_at }, Ok(())),
                Timer::Expire(place) => (
                    place,
                    Standing::AwaitingPerson,
                    Err(IdentityRefusal::Abandoned),
                ),
            };
            if let Some(entry) = self.entries.get_mut(place)
                && entry.standing == ends
            {
                entry.standing = Standing::Decided { verdict };
                self.announce(place, Some(verdict), due_at);
            }
        }
    }

    /// Changes the book.
    pub(super) fn change(&mut self, command: &Command, now: Timestamp) -> Result<Change, Refusal> {
        self.pass(now);
        match command {
            Command::Start { request, tokens } => self.start(request, tokens, now),
            Command::Decide { reference, outcome } => self.decide(reference, *outcome, now),
            Command::SendAgain { reference } => self.send_again(reference, now),
            Command::Taken(letter) => Ok(if self.post.taken(*letter) {
                Change::Made
            } else {
                Change::Repeated
            }),
        }
    }

    /// What is answered to a query: `None` when the reference is unknown, `Some(None)` when there
    /// is no answer.
    pub(super) fn answer(&self, reference: &str) -> Option<Option<IdentityReport>> {
        let entry = self.entry(reference)?;
        Some(match entry.standing {
            Standing::Mute => None,
            Standing::AwaitingPerson | Standing::Looking { .. } | Standing::Decided { .. } => {
                Some(IdentityReport {
                    reference: reference.to_owned(),
                    verdict: entry.truth(),
                })
            }
        })
    }

    /// The check with this reference.
    pub(super) fn entry(&self, reference: &str) -> Option<&Entry> {
        self.entries.get(*self.by_reference.get(reference)?)
    }

    /// The check of this attempt.
    pub(super) fn entry_of_attempt(&self, case: CaseId, attempt_at: Timestamp) -> Option<&Entry> {
        self.entries.get(*self.by_attempt.get(&(case, attempt_at))?)
    }

    /// The check whose page has this name.
    pub(super) fn entry_of_page(&self, page: &str) -> Option<&Entry> {
        self.entries.get(*self.by_page.get(page)?)
    }

    /// The newest checks.
    pub(super) fn newest(&self, limit: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev().take(limit)
    }

    /// How many checks there are.
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Notifications that are due, at most one per check.
    pub(super) fn due(&self, now: Timestamp, limit: usize) -> Vec<Delivery<LetterId>> {
        self.post.due(now, limit)
    }

    /// A delivery failed: it is tried again at `due_at`.
    pub(super) fn postpone(&mut self, letter: LetterId, due_at: Timestamp) {
        self.post.postpone(letter, due_at);
    }

    /// What a letter says, with the id of its event.
    pub(super) fn letter(&self, letter: LetterId) -> Option<(String, IdentityReport)> {
        let entry = self.entries.get(letter.check)?;
        let notice = entry.notices.get(letter.notice)?;
        let report = IdentityReport {
            reference: entry.tokens.reference.clone(),
            verdict: notice.verdict,
        };
        Some((notice.event_id.clone(), report))
    }

    /// When something happens next by itself: a delay ends or a notification is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(due_at, _)| *due_at);
        timer.into_iter().chain(self.post.next_due()).min()
    }

    fn start(
        &mut self,
        request: &IdentityStart,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if let Some(known) = self.entry_of_attempt(request.case, request.attempt_at) {
            // The language may differ: it changes nothing that is checked.
            let same = known.request.rule == request.rule
                && known.request.return_url == request.return_url;
            return if same {
                Ok(Change::Repeated)
            } else {
                Err(Refusal::ContextInconsistent)
            };
        }
        if !simurgh_vocab::is_code(&request.rule) {
            return Err(Refusal::RuleInvalid);
        }
        if !is_web_address(&request.return_url) {
            return Err(Refusal::ReturnUrlInvalid);
        }
        let place = self.entries.len();
        self.by_attempt
            .insert((request.case, request.attempt_at), place);
        self.by_reference.insert(tokens.reference.clone(), place);
        self.by_page.insert(tokens.page.clone(), place);
        self.timers
            .insert((now.plus(PAGE_LIFETIME), Timer::Expire(place)));
        self.entries.push(Entry {
            request: request.clone(),
            tokens: tokens.clone(),
            standing: Standing::AwaitingPerson,
            started_at: now,
            notices: Vec::new(),
        });
        Ok(Change::Made)
    }

    fn decide(
        &mut self,
        reference: &str,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let place = self.place(reference)?;
        let entry = self.entries.get_mut(place).ok_or(Refusal::CheckUnknown)?;
        if !entry.is_open() {
            return Err(Refusal::AlreadyDecided);
        }
        let approved = Standing::Decided { verdict: Ok(()) };
        entry.standing = match outcome {
            Outcome::Approve
            | Outcome::Duplicated
            | Outcome::Contradicted
            | Outcome::Unannounced => approved,
            Outcome::Refuse(refusal) => Standing::Decided {
                verdict: Err(refusal),
            },
            Outcome::Delayed => Standing::Looking {
                until: now.plus(DELAY),
            },
            Outcome::NoAnswer => Standing::Mute,
        };
        let truth = entry.truth();
        match outcome {
            Outcome::Approve | Outcome::Refuse(_) => {
                self.announce(place, truth, now);
            }
            Outcome::Duplicated => {
                let notice = self.announce(place, truth, now);
                self.copy(place, notice, now);
                self.copy(place, notice, now);
            }
            Outcome::Contradicted => {
                self.announce(place, truth, now);
                let refused = Some(Err(IdentityRefusal::NotGenuine));
                self.announce(place, refused, now.plus(STALE_AFTER));
            }
            Outcome::Delayed => {
                self.timers.insert((now.plus(DELAY), Timer::Settle(place)));
            }
            Outcome::Unannounced | Outcome::NoAnswer => {}
        }
        Ok(Change::Made)
    }

    /// Sends what is true once more: under the id it was announced with, if it was.
    fn send_again(&mut self, reference: &str, now: Timestamp) -> Result<Change, Refusal> {
        let place = self.place(reference)?;
        let entry = self.entries.get(place).ok_or(Refusal::CheckUnknown)?;
        let truth = entry.truth();
        let known = entry.notices.iter().position(|one| one.verdict == truth);
        match known {
            Some(notice) => self.copy(place, notice, now),
            None => {
                self.announce(place, truth, now);
            }
        }
        Ok(Change::Made)
    }

    fn place(&self, reference: &str) -> Result<usize, Refusal> {
        let place = self.by_reference.get(reference).copied();
        place.ok_or(Refusal::CheckUnknown)
    }

    /// Puts one notice in the post; says which it is.
    fn announce(&mut self, place: usize, verdict: Option<Verdict>, due_at: Timestamp) -> usize {
        let Some(entry) = self.entries.get_mut(place) else {
            return 0;
        };
        let notice = entry.notices.len();
        entry.notices.push(Notice {
            event_id: format!("evt_{}_{notice}", entry.tokens.reference),
            verdict,
            copies: 0,
        });
        self.copy(place, notice, due_at);
        notice
    }

    fn copy(&mut self, place: usize, notice: usize, due_at: Timestamp) {
        let entry = self.entries.get_mut(place);
        let Some(content) = entry.and_then(|entry| entry.notices.get_mut(notice)) else {
            return;
        };
        let letter = LetterId {
            check: place,
            notice,
            copy: content.copies,
        };
        content.copies = content.copies.saturating_add(1);
        self.post.put(letter, due_at);
    }
}
