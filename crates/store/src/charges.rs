//! Charging sessions, the books of their lines, and charging records.

mod row;
mod tables;

use std::collections::HashMap;

use simurgh_app::ports::{
    ChargeBooks, ChargeChanges, ChargeKey, ChargeLine, Charges, StoreFault, StoredRecord,
};
use simurgh_charging::Session;
use simurgh_vocab::{LineId, RecordId, Timestamp};

use crate::tx::StoreTx;

impl Charges for StoreTx<'_> {
    fn charge_books(&mut self, keys: &[ChargeKey]) -> Result<ChargeBooks, StoreFault> {
        tables::charge_books(self, keys)
    }

    fn charge_lines(
        &mut self,
        lines: &[LineId],
    ) -> Result<HashMap<LineId, ChargeLine>, StoreFault> {
        tables::charge_lines(self, lines)
    }

    fn save_charges(&mut self, changes: &ChargeChanges) -> Result<(), StoreFault> {
        tables::save_charges(self, changes)
    }

    fn silent_sessions(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(String, LineId)>, StoreFault> {
        tables::silent_sessions(self, now, limit)
    }

    fn live_sessions(&mut self, line: LineId) -> Result<Vec<(String, Session)>, StoreFault> {
        tables::live_sessions(self, line)
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
