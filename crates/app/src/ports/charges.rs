//! Charging sessions, the books of their lines, and charging records.
//!
//! The port has the shape of a batch: load what the requests name, decide each, keep the changes. One
//! transaction serves them all.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use simurgh_charging::{LineBook, Record, Session};
use simurgh_ledger::{Holding, Move};
use simurgh_vocab::{BucketId, LineId, Msisdn, RecordId, TimeZoneName, Timestamp};

use super::{DayUsage, Line, StoreFault};

/// Who uses the network, as the network knows them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subscriber {
    /// By number. Source: `RFC 8506 §8.47` (END_USER_E164).
    Msisdn(Msisdn),
    /// By the identity on the SIM, 6 to 15 digits. Source: `RFC 8506 §8.47` (END_USER_IMSI).
    Imsi(String),
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Msisdn(_) => "Msisdn(..)",
            Self::Imsi(_) => "Imsi(..)",
        })
    }
}

/// What a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeKey<'r> {
    /// The session, as its client names it: at most 255 octets.
    pub session: &'r Arc<str>,
    /// The subscriber under all their names. Needed where the session is new.
    pub subscriber: &'r [Subscriber],
}

/// A line and what it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeLine {
    /// The line, locked until the transaction ends.
    pub line: Line,
    /// The customer's time zone, in which days are counted; none if they have gone.
    pub time_zone: Option<TimeZoneName>,
    /// Its buckets that are open or held.
    pub book: LineBook,
}

/// What the requests of a batch are about.
#[derive(Debug, Default)]
pub struct ChargeBooks {
    /// The known sessions.
    pub sessions: HashMap<Arc<str>, Session>,
    /// The line of each key, in the order of the keys; none if nobody has such a name.
    pub lines_of: Vec<Option<LineId>>,
    /// The lines.
    pub lines: HashMap<LineId, ChargeLine>,
}

/// What a batch changes.
#[derive(Debug, Default)]
pub struct ChargeChanges {
    /// Sessions as they are now.
    pub sessions: BTreeMap<Arc<str>, Session>,
    /// Buckets as they are now, under their line.
    pub holdings: BTreeMap<(LineId, BucketId), Holding>,
    /// What was written down.
    pub records: Vec<(RecordId, Record)>,
    /// What was used, for the history by day.
    pub usage: Vec<(LineId, DayUsage)>,
}

impl ChargeChanges {
    /// Notes what the buckets that `moves` touched hold now, as `book` says.
    pub fn note_moves(&mut self, book: &LineBook, moves: &[Move]) {
        for what in moves {
            let mut all = book.buckets.iter();
            if let Some(balance) = all.find(|it| it.bucket.id == what.bucket) {
                let key = (balance.bucket.line, what.bucket);
                self.holdings.insert(key, balance.holding);
            }
        }
    }
}

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its id, which is its place in time.
    pub id: RecordId,
    /// The record.
    pub record: Record,
}

/// Sessions and records of charging.
pub trait Charges {
    /// Loads what the keys name. The lines stay locked, in the order of their ids.
    fn charge_books(&mut self, keys: &[ChargeKey<'_>]) -> Result<ChargeBooks, StoreFault>;

    /// Loads lines by id, as [`charge_books`](Self::charge_books) does.
    fn charge_lines(&mut self, lines: &[LineId])
    -> Result<HashMap<LineId, ChargeLine>, StoreFault>;

    /// Keeps the changes of a batch. The lines are locked.
    fn save_charges(&mut self, changes: ChargeChanges) -> Result<(), StoreFault>;

    /// Live sessions whose time to be heard of is over, the longest first.
    fn silent_sessions(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(String, LineId)>, StoreFault>;

    /// The live sessions of a line.
    fn live_sessions(&mut self, line: LineId) -> Result<Vec<(String, Session)>, StoreFault>;

    /// Forgets ended sessions whose time to be remembered is over; how many there were.
    fn forget_sessions(&mut self, now: Timestamp, limit: u32) -> Result<u64, StoreFault>;

    /// Every session, `limit` at a time, after the id that came last: for the audit.
    fn sessions_after(
        &mut self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(String, Session)>, StoreFault>;

    /// Every record, `limit` at a time, after the id that came last.
    fn records_after(
        &mut self,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StoreFault>;
}
