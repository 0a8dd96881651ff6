//! From what the writer remembers into the tables.

use simurgh_app::ports::StoreFault;

use super::memory::Remembered;
use crate::lines::buckets;
use crate::params;
use crate::tx::StoreTx;

/// Writes everything of `lines` that the tables do not know yet. The same again would count use by day
/// twice, and be refused for the records.
pub(super) fn write(tx: &mut StoreTx<'_>, lines: &[&Remembered]) -> Result<(), StoreFault> {
    for line in lines {
        sessions(tx, line)?;
    }
    for line in lines {
        for bucket in &line.buckets {
            if let Some(holding) = line.holding(*bucket) {
                buckets::set_holding(tx, *bucket, &holding)?;
            }
        }
    }
    for line in lines {
        for usage in &line.usage {
            let sql = "INSERT INTO line_usage (line_id, day, unit, amount)
                       VALUES (?1, ?2, ?3, ?4) ON CONFLICT (line_id, day, unit)
                       DO UPDATE SET amount = line_usage.amount + excluded.amount";
            let params = params![line.at.line.id, usage.day, usage.unit, usage.amount];
            tx.execute(sql, &params)?;
        }
    }
    records(tx, lines)
}

fn sessions(tx: &mut StoreTx<'_>, line: &Remembered) -> Result<(), StoreFault> {
    let sql = "INSERT INTO charge_session (id, line_id, is_live, due_at, body)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET
               is_live = excluded.is_live, due_at = excluded.due_at, body = excluded.body";
    for (id, kept) in line.sessions.iter().filter(|(_, kept)| kept.is_changed) {
        let line = line.at.line.id;
        let params = params![&**id, line, kept.is_live(), kept.due_at, &kept.body];
        tx.execute(sql, &params)?;
    }
    Ok(())
}

/// The records in the order of their ids, which is how the table stands.
fn records(tx: &mut StoreTx<'_>, lines: &[&Remembered]) -> Result<(), StoreFault> {
    let all = lines.iter().flat_map(|line| {
        let records = line.records.iter();
        records.map(|record| (record, line.at.line.id))
    });
    let mut all: Vec<_> = all.collect();
    all.sort_unstable_by_key(|(record, _)| record.id);
    let sql = "INSERT INTO charge_record (id, line_id, closed_at, body) VALUES (?1, ?2, ?3, ?4)";
    for (record, line) in all {
        let params = params![record.id, line, record.closed_at, &record.body];
        tx.execute(sql, &params)?;
    }
    Ok(())
}
