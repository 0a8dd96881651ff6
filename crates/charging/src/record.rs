//! Charging records: what a session or an event used, and who paid.

use simurgh_vocab::{LineId, Timestamp, Unit, ZoneCode};

use crate::session::{Debit, ServiceKey, Session};

/// Why a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordCause {
    /// The client ended the session.
    Terminated,
    /// Nothing was heard of the session in time, or it had to end.
    GivenUp,
    /// A single event was debited.
    Event,
}

impl RecordCause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::Terminated, Self::GivenUp, Self::Event];

    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Terminated => "terminated",
            Self::GivenUp => "given-up",
            Self::Event => "event",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }
}

/// What one service of a session used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedUse {
    /// Which one.
    pub key: ServiceKey,
    /// The most specific zone of the place, if any zone covers it.
    pub zone: Option<ZoneCode>,
    /// What was used.
    pub used: i64,
    /// The part that no bucket covered.
    pub uncovered: i64,
    /// Who paid for the rest; nobody for a free service.
    pub debits: Vec<Debit>,
    /// What ran out while it was held.
    pub lapsed: Vec<Debit>,
}

/// A charging record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line.
    pub line: LineId,
    /// What is counted.
    pub unit: Unit,
    /// When the session began.
    pub opened_at: Timestamp,
    /// When the record was closed.
    pub closed_at: Timestamp,
    /// Its place among the records of the session, from 0.
    pub part: u32,
    /// Why it was closed.
    pub cause: RecordCause,
    /// What was used.
    pub uses: Vec<RecordedUse>,
}

impl Record {
    /// Whether anything was used or ran out.
    pub(crate) fn says_something(&self) -> bool {
        let mut uses = self.uses.iter();
        uses.any(|it| it.used > 0 || !it.lapsed.is_empty()) || self.cause != RecordCause::Event
    }

    /// Takes what the session counted since its last record.
    pub(crate) fn take(session: &mut Session, cause: RecordCause, now: Timestamp) -> Self {
        let part = session.records;
        session.records = session.records.saturating_add(1);
        let uses = session.services.iter_mut().map(|service| RecordedUse {
            key: service.key,
            zone: service.zones.first().cloned(),
            used: std::mem::take(&mut service.used),
            uncovered: std::mem::take(&mut service.uncovered),
            debits: std::mem::take(&mut service.debits),
            lapsed: std::mem::take(&mut service.lapsed),
        });
        Self {
            line: session.line,
            unit: session.unit,
            opened_at: session.opened_at,
            closed_at: now,
            part,
            cause,
            uses: uses.collect(),
        }
    }
}
