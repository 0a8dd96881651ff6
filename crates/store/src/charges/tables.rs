//! Sessions, books and records as rows: set-based SQL for both engines.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use simurgh_app::ports::{
    ChargeBooks, ChargeChanges, ChargeKey, ChargeLine, Line, LineState, StoreFault, StoredRecord,
    Subscriber,
};
use simurgh_charging::{LineBook, Session, SessionStanding};
use simurgh_vocab::{LineId, RecordId, Timestamp};

use super::row;
use crate::db::{Row, Value};
use crate::lines::{self, buckets};
use crate::params;
use crate::rows::{insert_rows, read_all};
use crate::tx::{Lock, StoreTx, in_list};

/// How many values one `IN` of a batch names. Shorter lists are filled up with NULL, which matches
/// nothing: so there are few statements to prepare.
const LISTED_MAX: usize = 128;

pub(super) fn charge_books(
    tx: &mut StoreTx<'_>,
    keys: &[ChargeKey<'_>],
) -> Result<ChargeBooks, StoreFault> {
    let known = lines_of_sessions(tx, keys)?;
    let named = lines_of_subscribers(tx, keys, &known)?;
    let line_of = |key: &ChargeKey<'_>| {
        let mut names = key.subscriber.iter();
        let named = || names.find_map(|name| named.get(name)).copied();
        known.get(&**key.session).copied().or_else(named)
    };
    let lines_of: Vec<Option<LineId>> = keys.iter().map(line_of).collect();
    let wanted: BTreeSet<LineId> = lines_of.iter().flatten().copied().collect();
    lock(tx, &wanted)?;
    let lines = load_lines(tx, &wanted)?;
    let sessions = sessions(tx, known.keys().map(String::as_str))?;
    Ok(ChargeBooks {
        sessions,
        lines_of,
        lines,
    })
}

/// Says that the lines are about to be locked.
pub(super) fn lock(tx: &mut StoreTx<'_>, lines: &BTreeSet<LineId>) -> Result<(), StoreFault> {
    lines
        .iter()
        .try_for_each(|id| tx.locks(Lock::Line, id.as_bytes()))
}

/// Sessions by their names.
pub(super) fn sessions<'n>(
    tx: &mut StoreTx<'_>,
    names: impl Iterator<Item = &'n str>,
) -> Result<HashMap<Arc<str>, Session>, StoreFault> {
    let names: Vec<Value> = names.map(Value::from).collect();
    let mut sessions = HashMap::with_capacity(names.len());
    each_listed(tx, SELECT_SESSIONS, "", &names, |row| {
        let (id, session) = read_session(row)?;
        sessions.insert(id.into(), session);
        Ok(())
    })?;
    Ok(sessions)
}

/// A live session as it stands in its row.
pub(super) struct LiveRow {
    pub(super) id: String,
    pub(super) line: LineId,
    pub(super) body: Vec<u8>,
}

/// The live sessions of lines.
pub(super) fn live_rows(
    tx: &mut StoreTx<'_>,
    lines: &BTreeSet<LineId>,
) -> Result<Vec<LiveRow>, StoreFault> {
    let lines: Vec<Value> = lines.iter().map(Value::from).collect();
    let mut live = Vec::new();
    let sql = "SELECT id, line_id, body FROM charge_session
               WHERE is_live = 1 AND line_id IN";
    each_listed(tx, sql, "", &lines, |row| {
        live.push(LiveRow {
            id: row.text()?,
            line: row.id()?,
            body: row.blob()?,
        });
        Ok(())
    })?;
    Ok(live)
}

pub(super) fn charge_lines(
    tx: &mut StoreTx<'_>,
    lines: &[LineId],
) -> Result<HashMap<LineId, ChargeLine>, StoreFault> {
    let wanted = lines.iter().copied().collect();
    lock(tx, &wanted)?;
    load_lines(tx, &wanted)
}

pub(super) fn save_charges(
    tx: &mut StoreTx<'_>,
    changes: &ChargeChanges,
) -> Result<(), StoreFault> {
    buckets::set_holdings(tx, &changes.holdings)?;
    let mut sessions = Vec::with_capacity(changes.sessions.len());
    for (id, session) in &changes.sessions {
        let body = row::write_session(session)?;
        let is_live = session.standing == SessionStanding::Live;
        sessions.push(params![&**id, session.line, is_live, session.due_at, body]);
    }
    insert_rows(
        tx,
        "INSERT INTO charge_session (id, line_id, is_live, due_at, body) VALUES",
        &sessions,
        "ON CONFLICT (id) DO UPDATE SET is_live = excluded.is_live,
         due_at = excluded.due_at, body = excluded.body",
    )?;
    let mut records = Vec::with_capacity(changes.records.len());
    for (id, record) in &changes.records {
        let body = row::write_record(record)?;
        records.push(params![*id, record.line, record.closed_at, body]);
    }
    insert_rows(
        tx,
        "INSERT INTO charge_record (id, line_id, closed_at, body) VALUES",
        &records,
        "",
    )?;
    let usage: Vec<_> = changes
        .usage
        .iter()
        .map(|(line, usage)| params![*line, usage.day, usage.unit, usage.amount])
        .collect();
    insert_rows(
        tx,
        "INSERT INTO line_usage (line_id, day, unit, amount) VALUES",
        &usage,
        "ON CONFLICT (line_id, day, unit)
         DO UPDATE SET amount = line_usage.amount + excluded.amount",
    )
}

pub(super) fn silent_sessions(
    tx: &mut StoreTx<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<(String, LineId)>, StoreFault> {
    let sql = "SELECT id, line_id FROM charge_session
               WHERE is_live = 1 AND due_at <= ?1 ORDER BY due_at LIMIT ?2";
    read_all(tx.query(sql, &params![now, limit])?, |row| {
        Ok((row.text()?, row.id()?))
    })
}

pub(super) fn live_sessions(
    tx: &mut StoreTx<'_>,
    line: LineId,
) -> Result<Vec<(String, Session)>, StoreFault> {
    let sql = "SELECT id, line_id, is_live, body FROM charge_session
               WHERE line_id = ?1 AND is_live = 1 ORDER BY id";
    read_all(tx.query(sql, &params![line])?, read_session)
}

pub(super) fn forget_sessions(
    tx: &mut StoreTx<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<u64, StoreFault> {
    let sql = "DELETE FROM charge_session WHERE id IN (
               SELECT id FROM charge_session WHERE is_live = 0 AND due_at <= ?1
               ORDER BY due_at LIMIT ?2)";
    tx.execute(sql, &params![now, limit])
}

pub(super) fn sessions_after(
    tx: &mut StoreTx<'_>,
    after: &str,
    limit: u32,
) -> Result<Vec<(String, Session)>, StoreFault> {
    let sql = "SELECT id, line_id, is_live, body FROM charge_session
               WHERE id > ?1 ORDER BY id LIMIT ?2";
    read_all(tx.query(sql, &params![after, limit])?, read_session)
}

pub(super) fn records_after(
    tx: &mut StoreTx<'_>,
    after: Option<RecordId>,
    limit: u32,
) -> Result<Vec<StoredRecord>, StoreFault> {
    let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let sql = "SELECT id, line_id, body FROM charge_record
               WHERE id > ?1 ORDER BY id LIMIT ?2";
    read_all(tx.query(sql, &params![after, limit])?, |row| {
        let (id, line) = (row.id()?, row.id()?);
        let record = row::read_record(line, &row.blob()?)?;
        Ok(StoredRecord { id, record })
    })
}
const SELECT_SESSIONS: &str = "SELECT id, line_id, is_live, body FROM charge_session WHERE id IN";

fn read_session(row: &mut Row) -> Result<(String, Session), StoreFault> {
    let (id, line, is_live) = (row.text()?, row.id()?, row.boolean()?);
    let session = row::read_session(line, is_live, &row.blob()?)?;
    Ok((id, session))
}

/// The lines of the sessions that are known. A session never changes its line, so nothing is locked.
fn lines_of_sessions(
    tx: &mut StoreTx<'_>,
    keys: &[ChargeKey<'_>],
) -> Result<HashMap<String, LineId>, StoreFault> {
    let names: BTreeSet<&str> = keys.iter().map(|key| &**key.session).collect();
    let names: Vec<Value> = names.into_iter().map(Value::from).collect();
    let mut known = HashMap::new();
    let sql = "SELECT id, line_id FROM charge_session WHERE id IN";
    each_listed(tx, sql, "", &names, |row| {
        known.insert(row.text()?, row.id()?);
        Ok(())
    })?;
    Ok(known)
}

/// The lines of the subscribers whose session is new.
fn lines_of_subscribers(
    tx: &mut StoreTx<'_>,
    keys: &[ChargeKey<'_>],
    known: &HashMap<String, LineId>,
) -> Result<HashMap<Subscriber, LineId>, StoreFault> {
    let strangers = keys
        .iter()
        .filter(|key| !known.contains_key(&**key.session));
    let names: BTreeSet<&Subscriber> = strangers.flat_map(|key| key.subscriber).collect();
    lines_of_names(tx, &names)
}

/// The lines that have one of the names.
pub(super) fn lines_of_names(
    tx: &mut StoreTx<'_>,
    names: &BTreeSet<&Subscriber>,
) -> Result<HashMap<Subscriber, LineId>, StoreFault> {
    let (mut numbers, mut identities) = (Vec::new(), Vec::new());
    for name in names {
        match name {
            Subscriber::Msisdn(number) => numbers.push(Value::from(number.as_str())),
            Subscriber::Imsi(imsi) => identities.push(Value::from(imsi.as_str())),
        }
    }
    let mut found = HashMap::new();
    let sql = "SELECT msisdn, line_id FROM number_stock WHERE line_id IS NOT NULL AND msisdn IN";
    each_listed(tx, sql, "", &numbers, |row| {
        found.insert(Subscriber::Msisdn(row.parsed()?), row.id()?);
        Ok(())
    })?;
    let sql = "SELECT s.imsi, p.line_id FROM sim_stock s JOIN profile p ON p.id = s.profile_id
               WHERE p.line_id IS NOT NULL AND s.imsi IN";
    each_listed(tx, sql, "", &identities, |row| {
        found.insert(Subscriber::Imsi(row.text()?), row.id()?);
        Ok(())
    })?;
    Ok(found)
}

/// The lines and their books; they are locked.
pub(super) fn load_lines(
    tx: &mut StoreTx<'_>,
    wanted: &BTreeSet<LineId>,
) -> Result<HashMap<LineId, ChargeLine>, StoreFault> {
    let mut lines = HashMap::with_capacity(wanted.len());
    if wanted.is_empty() {
        return Ok(lines);
    }
    let ids: Vec<Value> = wanted.iter().map(Value::from).collect();
    for chunk in ids.chunks(LISTED_MAX) {
        let (list, params) = filled(chunk);
        let sql = format!(
            "SELECT id, customer_id, opened_at, state, state_at FROM line
             WHERE id IN {list} ORDER BY id"
        );
        for mut row in tx.query_locked(&sql, &params)? {
            let line = lines::read(&mut row)?;
            let book = LineBook {
                line: line.id,
                in_service: is_in_service(&line),
                buckets: Vec::new(),
                sessions: 0,
            };
            let at = ChargeLine {
                line,
                time_zone: None,
                book,
            };
            lines.insert(at.line.id, at);
        }
    }
    let sql = "SELECT l.id, p.time_zone FROM line l JOIN person p ON p.customer_id = l.customer_id
               WHERE l.id IN";
    each_listed(tx, sql, "", &ids, |row| {
        if let Some(found) = lines.get_mut(&row.id()?) {
            found.time_zone = Some(row.parsed()?);
        }
        Ok(())
    })?;
    let mut put = |balance: simurgh_charging::BucketBalance| {
        if let Some(found) = lines.get_mut(&balance.bucket.line) {
            found.book.buckets.push(balance);
        }
    };
    each_listed(tx, buckets::SELECT_CHARGED, "", &ids, |row| {
        put(buckets::read(row)?);
        Ok(())
    })?;
    let sql = "SELECT line_id, COUNT(*) FROM charge_session WHERE is_live = 1 AND line_id IN";
    each_listed(tx, sql, "GROUP BY line_id", &ids, |row| {
        if let Some(found) = lines.get_mut(&row.id()?) {
            found.book.sessions = row.number()?;
        }
        Ok(())
    })?;
    Ok(lines)
}

const fn is_in_service(line: &Line) -> bool {
    match line.state {
        LineState::Active | LineState::Grace { .. } => true,
        LineState::Suspended { .. } | LineState::Closed { .. } => false,
    }
}

/// Runs `select`, which ends with `IN`, for all `values` and hands the rows over.
fn each_listed(
    tx: &mut StoreTx<'_>,
    select: &str,
    tail: &str,
    values: &[Value],
    mut each: impl FnMut(&mut Row) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    for chunk in values.chunks(LISTED_MAX) {
        let (list, params) = filled(chunk);
        let sql = format!("{select} {list} {tail}");
        tx.query_each(&sql, &params, |mut row| each(&mut row))?;
    }
    Ok(())
}

/// The list behind `IN` and its parameters, filled up to one of a few lengths.
fn filled(values: &[Value]) -> (String, Vec<Value>) {
    let length = match values.len() {
        0..=1 => 1,
        2..=16 => 16,
        _ => LISTED_MAX.max(values.len()),
    };
    let nulls = std::iter::repeat(Value::Null);
    let params = values.iter().cloned().chain(nulls).take(length).collect();
    (in_list(1, length), params)
}
