//! Charging sessions, the books of their lines, and charging records.

mod fold;
mod journal;
mod memory;
mod row;
mod tables;
#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests;

use std::collections::{BTreeSet, HashMap};

use simurgh_app::ports::{
    ChargeBooks, ChargeChanges, ChargeKey, ChargeLine, Charges, StoreFault, StoredRecord,
};
use simurgh_charging::Session;
use simurgh_vocab::{BucketId, CustomerId, LineId, RecordId, Timestamp};

use crate::db::Row;
use crate::params;
use crate::rows::read_all;
use crate::tx::StoreTx;

pub(crate) use memory::Memory;

/// Answers from memory where the writer has one, else from the tables.
macro_rules! remembered {
    ($tx:ident, |$memory:ident| $from_memory:expr, $from_tables:expr) => {
        match $tx.take_memory() {
            Some(mut $memory) => {
                let answer = $from_memory;
                $tx.put_memory($memory);
                answer
            }
            None => $from_tables,
        }
    };
}

impl StoreTx<'_> {
    /// Finds a line in the tables as it is, before it is read or changed there.
    pub(crate) fn settles(&mut self, line: LineId) -> Result<(), StoreFault> {
        remembered!(self, |memory| memory.give_away(self, line), Ok(()))
    }

    /// As [`settles`](Self::settles) for every line of a customer.
    pub(crate) fn settles_lines_of(&mut self, customer: CustomerId) -> Result<(), StoreFault> {
        match self.take_memory() {
            Some(memory) => self.put_memory(memory),
            None => return Ok(()),
        }
        let sql = "SELECT id FROM line WHERE customer_id = ?1 ORDER BY id";
        let lines = read_all(self.query(sql, &params![customer])?, Row::id)?;
        lines.into_iter().try_for_each(|line| self.settles(line))
    }

    /// Refuses, in builds with debug assertions, to read or change buckets of a line that was not locked:
    /// they may have been charged since they were brought into the tables.
    pub(crate) fn settled(&mut self, buckets: &BTreeSet<BucketId>) -> Result<(), StoreFault> {
        if !cfg!(debug_assertions) {
            return Ok(());
        }
        let Some(memory) = self.take_memory() else {
            return Ok(());
        };
        let is_ahead = memory.is_ahead_of(buckets);
        self.put_memory(memory);
        if is_ahead {
            let why = "buckets are changed whose line was not locked".to_owned();
            return Err(StoreFault::Corrupt(why));
        }
        Ok(())
    }

    /// Notes that a name goes from one line to another.
    pub(crate) fn renames(&mut self) {
        if let Some(mut memory) = self.take_memory() {
            memory.forget_names();
            self.put_memory(memory);
        }
    }
}

impl Charges for StoreTx<'_> {
    fn charge_books(&mut self, keys: &[ChargeKey<'_>]) -> Result<ChargeBooks, StoreFault> {
        remembered!(
            self,
            |memory| memory.charge_books(self, keys),
            tables::charge_books(self, keys)
        )
    }

    fn charge_lines(
        &mut self,
        lines: &[LineId],
    ) -> Result<HashMap<LineId, ChargeLine>, StoreFault> {
        remembered!(
            self,
            |memory| memory.charge_lines(self, lines),
            tables::charge_lines(self, lines)
        )
    }

    fn save_charges(&mut self, changes: ChargeChanges) -> Result<(), StoreFault> {
        remembered!(
            self,
            |memory| memory.save(self, changes),
            tables::save_charges(self, &changes)
        )
    }

    fn silent_sessions(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(String, LineId)>, StoreFault> {
        tables::silent_sessions(self, now, limit)
    }

    fn live_sessions(&mut self, line: LineId) -> Result<Vec<(String, Session)>, StoreFault> {
        let known = remembered!(self, |memory| memory.live_sessions(self, line), Ok(None))?;
        match known {
            Some(sessions) => Ok(sessions),
            None => tables::live_sessions(self, line),
        }
    }

    fn forget_sessions(&mut self, now: Timestamp, limit: u32) -> Result<u64, StoreFault> {
        tables::forget_sessions(self, now, limit)
    }

    fn sessions_after(
        &mut self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(String, Session)>, StoreFault> {
        tables::sessions_after(self, after, limit)
    }

    fn records_after(
        &mut self,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StoreFault> {
        tables::records_after(self, after, limit)
    }
}
