//! The log of what staff did.

use simurgh_app::ports::{StaffAction, StaffLogEntry, StaffLogFilter, StaffSubject, StoreFault};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{read_all, read_one};
use crate::tx::StoreTx;

const SELECT: &str = "SELECT position, logged_at, staff_id, action, subject_kind, subject_number,
                             detail, digest
                      FROM staff_log";

pub(super) fn newest(tx: &mut StoreTx<'_>) -> Result<Option<StaffLogEntry>, StoreFault> {
    let sql = format!("{SELECT} ORDER BY position DESC LIMIT 1");
    read_one(tx.query_one_or_none(&sql, &[])?, read)
}

pub(super) fn append(tx: &mut StoreTx<'_>, entry: &StaffLogEntry) -> Result<(), StoreFault> {
    let sql = "INSERT INTO staff_log (position, logged_at, staff_id, action, subject_kind,
               subject_number, detail, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let params = params![
        stored(entry.position)?,
        entry.at,
        entry.staff,
        entry.action.code(),
        entry.subject.kind(),
        entry.subject.number(),
        &entry.detail,
        entry.digest,
    ];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn filtered(
    tx: &mut StoreTx<'_>,
    filter: &StaffLogFilter,
) -> Result<Vec<StaffLogEntry>, StoreFault> {
    let mut params: Vec<Value> = Vec::new();
    let mut conditions = String::new();
    let mut narrow = |condition: &str, value: Value| {
        params.push(value);
        let joint = if params.len() == 1 { "WHERE" } else { "AND" };
        conditions.push_str(&format!(" {joint} {condition} ?{}", params.len()));
    };
    if let Some(staff) = filter.staff {
        narrow("staff_id =", staff.into());
    }
    if let Some(action) = filter.action {
        narrow("action =", action.code().into());
    }
    if let Some(number) = &filter.subject_number {
        narrow("subject_number =", number.into());
    }
    if let Some(before) = filter.before {
        narrow("position <", stored(before)?.into());
    }
    params.push(filter.limit.into());
    let limit = params.len();
    let sql = format!("{SELECT}{conditions} ORDER BY position DESC LIMIT ?{limit}");
    read_all(tx.query(&sql, &params)?, read)
}

pub(super) fn after(
    tx: &mut StoreTx<'_>,
    position: u64,
    limit: u32,
) -> Result<Vec<StaffLogEntry>, StoreFault> {
    let sql = format!("{SELECT} WHERE position > ?1 ORDER BY position LIMIT ?2");
    read_all(tx.query(&sql, &params![stored(position)?, limit])?, read)
}

fn read(row: &mut Row) -> Result<StaffLogEntry, StoreFault> {
    Ok(StaffLogEntry {
        position: row.number()?,
        at: row.timestamp()?,
        staff: row.opt_id()?,
        action: row.code(StaffAction::from_code)?,
        subject: read_subject(row)?,
        detail: row.text()?,
        digest: row.bytes()?,
    })
}

fn read_subject(row: &mut Row) -> Result<StaffSubject, StoreFault> {
    let (kind, number) = (row.text()?, row.text()?);
    StaffSubject::from_stored(&kind, &number).ok_or_else(|| row.behind("no subject"))
}

fn stored(position: u64) -> Result<i64, StoreFault> {
    i64::try_from(position).map_err(|_| StoreFault::Corrupt("a position out of range".to_owned()))
}
