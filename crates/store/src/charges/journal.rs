//! The journal of the embedded store: what each commit changed of which line, in the order of commits.
//!
//! A row is a version and then entries, one after another (postcard). [`Entry::Settled`] says that
//! everything before it about a line stands in the tables: whoever reads the journal forgets it.

use serde::{Deserialize, Serialize};
use simurgh_app::ports::StoreFault;
use simurgh_ledger::Holding;
use simurgh_vocab::{LineId, Unit};

use super::row;
use crate::params;
use crate::tx::StoreTx;

/// The version of the rows written now.
const VERSION: u8 = 1;

/// What charging changes inside a bucket: left, reserved, used and expired.
pub(super) type Amounts = [i64; 4];

/// One change of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Entry<'a> {
    /// What was said of the line before stands in the tables.
    Settled { line: [u8; 16] },
    /// What a bucket holds now.
    Holding {
        line: [u8; 16],
        bucket: [u8; 16],
        amounts: Amounts,
    },
    /// A session as it is now.
    Session {
        line: [u8; 16],
        #[serde(borrow)]
        id: &'a str,
        is_live: bool,
        due_at: i64,
        body: &'a [u8],
    },
    /// A record.
    Record {
        line: [u8; 16],
        id: [u8; 16],
        closed_at: i64,
        body: &'a [u8],
    },
    /// What was used on a day, to be added.
    Usage {
        line: [u8; 16],
        day: i64,
        unit: u8,
        amount: i64,
    },
}

impl Entry<'_> {
    /// The line it is about.
    pub(super) fn line(&self) -> LineId {
        let (Self::Settled { line }
        | Self::Holding { line, .. }
        | Self::Session { line, .. }
        | Self::Record { line, .. }
        | Self::Usage { line, .. }) = self;
        LineId::from_bytes(*line)
    }
}

/// A row under way.
pub(super) struct Page(Vec<u8>);

impl Page {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self(vec![VERSION])
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: &Entry<'_>) -> Result<(), StoreFault> {
        let octets = std::mem::take(&mut self.0);
        self.0 = row::append(octets, entry)?;
        Ok(())
    }

    /// Writes it down as the `seq`-th row.
    pub(super) fn write(self, tx: &mut StoreTx<'_>, seq: u64) -> Result<(), StoreFault> {
        let sql = "INSERT INTO charge_journal (seq, body) VALUES (?1, ?2)";
        tx.execute(sql, &params![number(seq), self.0]).map(drop)
    }
}

/// Reads every row and hands its entries over with the number of the row.
pub(super) fn read(
    tx: &mut StoreTx<'_>,
    mut each: impl FnMut(u64, &Entry<'_>) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    let sql = "SELECT seq, body FROM charge_journal ORDER BY seq";
    tx.query_each(sql, &[], |mut row| {
        let (seq, body) = (row.number()?, row.blob()?);
        let Some((&VERSION, mut rest)) = body.split_first() else {
            return Err(StoreFault::Corrupt("a row of the journal".to_owned()));
        };
        while !rest.is_empty() {
            let (entry, behind) =
                postcard::take_from_bytes::<Entry<'_>>(rest).map_err(|error| corrupt(&error))?;
            each(seq, &entry)?;
            rest = behind;
        }
        Ok(())
    })
}

/// The number behind the last row.
pub(super) fn next_seq(tx: &mut StoreTx<'_>) -> Result<u64, StoreFault> {
    let sql = "SELECT COALESCE(MAX(seq) + 1, 0) FROM charge_journal";
    tx.query_one(sql, &[])?.number()
}

/// Forgets the rows before `seq`.
pub(super) fn forget_before(tx: &mut StoreTx<'_>, seq: u64) -> Result<(), StoreFault> {
    let sql = "DELETE FROM charge_journal WHERE seq < ?1";
    tx.execute(sql, &params![number(seq)]).map(drop)
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn corrupt(error: &postcard::Error) -> StoreFault {
    StoreFault::Corrupt(format!("a row of the journal: {error}"))
}

/// What charging changes of a holding.
pub(super) const fn amounts(holding: &Holding) -> Amounts {
    [
        holding.left,
        holding.reserved,
        holding.used,
        holding.expired,
    ]
}

/// The holding with those amounts.
pub(super) const fn with_amounts(holding: Holding, amounts: Amounts) -> Holding {
    let [left, reserved, used, expired] = amounts;
    Holding {
        left,
        reserved,
        used,
        expired,
        ..holding
    }
}

/// The place of a unit among all of them.
pub(super) fn unit_number(unit: Unit) -> u8 {
    let place = Unit::ALL.into_iter().position(|it| it == unit);
    place
        .and_then(|it| u8::try_from(it).ok())
        .unwrap_or(u8::MAX)
}

/// Reads what [`unit_number`] wrote.
pub(super) fn unit(number: u8) -> Result<Unit, StoreFault> {
    let unit = Unit::ALL.get(usize::from(number)).copied();
    unit.ok_or_else(|| StoreFault::Corrupt("a row of the journal: its unit".to_owned()))
}
