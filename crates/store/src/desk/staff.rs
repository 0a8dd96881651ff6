//! Accounts of staff and their sessions.

use simurgh_app::ports::{Digest, StaffAccount, StaffSession, StoreFault};
use simurgh_subscriber::SecondFactor;
use simurgh_vocab::{StaffId, Timestamp};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::StoreTx;

macro_rules! select_staff {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, password_digest, totp_secret, totp_since, totp_last_step,
             created_at, closed_at FROM staff ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, account: &StaffAccount) -> Result<(), StoreFault> {
    let [secret, since, last_step] = factor_columns(&account.second_factor)?;
    let sql = "INSERT INTO staff (id, name, password_digest, totp_secret, totp_since,
               totp_last_step, created_at, closed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let params = params![
        account.id,
        &account.name,
        &account.password_digest,
        secret,
        since,
        last_step,
        account.created_at,
        account.closed_at,
    ];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn update(tx: &mut StoreTx<'_>, account: &StaffAccount) -> Result<(), StoreFault> {
    let [secret, since, last_step] = factor_columns(&account.second_factor)?;
    let sql = "UPDATE staff SET password_digest = ?2, totp_secret = ?3, totp_since = ?4,
               totp_last_step = ?5, closed_at = ?6 WHERE id = ?1";
    let params = params![
        account.id,
        &account.password_digest,
        secret,
        since,
        last_step,
        account.closed_at,
    ];
    exactly_one(tx.execute(sql, &params)?, "staff")
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: StaffId) -> Result<Option<StaffAccount>, StoreFault> {
    let sql = select_staff!("WHERE id = ?1");
    read_one(tx.query_one_or_none_locked(sql, &params![id])?, read)
}

pub(super) fn named(tx: &mut StoreTx<'_>, name: &str) -> Result<Option<StaffAccount>, StoreFault> {
    let sql = select_staff!("WHERE name = ?1");
    read_one(tx.query_one_or_none_locked(sql, &params![name])?, read)
}

pub(super) fn names(tx: &mut StoreTx<'_>) -> Result<Vec<(StaffId, String)>, StoreFault> {
    let rows = tx.query("SELECT id, name FROM staff ORDER BY name", &[])?;
    read_all(rows, |row| Ok((row.id()?, row.text()?)))
}

/// The columns `totp_secret`, `totp_since` and `totp_last_step`.
fn factor_columns(factor: &SecondFactor) -> Result<[Value; 3], StoreFault> {
    match factor {
        SecondFactor::On {
            sealed_secret,
            since,
            last_step,
            recovery: _,
        } => {
            let last_step = i64::try_from(*last_step)
                .map_err(|_| StoreFault::Corrupt("a step out of range".to_owned()))?;
            Ok(params![sealed_secret, *since, last_step])
        }
        SecondFactor::Off | SecondFactor::Enrolling { .. } => Err(StoreFault::Corrupt(
            "a member of staff without a second factor".to_owned(),
        )),
    }
}

fn read(row: &mut Row) -> Result<StaffAccount, StoreFault> {
    Ok(StaffAccount {
        id: row.id()?,
        name: row.text()?,
        password_digest: row.text()?,
        second_factor: SecondFactor::On {
            sealed_secret: row.blob()?,
            since: row.timestamp()?,
            last_step: row.number()?,
            recovery: Vec::new(),
        },
        created_at: row.timestamp()?,
        closed_at: row.opt_timestamp()?,
    })
}

pub(super) fn insert_session(
    tx: &mut StoreTx<'_>,
    session: &StaffSession,
    token: &Digest,
) -> Result<(), StoreFault> {
    let sql = "INSERT INTO staff_session (token_digest, staff_id, begun_at, seen_at, ended_at)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let StaffSession {
        staff,
        begun_at,
        seen_at,
        ended_at,
    } = *session;
    let params = params![token, staff, begun_at, seen_at, ended_at];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn session(
    tx: &mut StoreTx<'_>,
    token: &Digest,
) -> Result<Option<StaffSession>, StoreFault> {
    let sql = "SELECT staff_id, begun_at, seen_at, ended_at FROM staff_session
               WHERE token_digest = ?1";
    read_one(tx.query_one_or_none(sql, &params![token])?, |row| {
        Ok(StaffSession {
            staff: row.id()?,
            begun_at: row.timestamp()?,
            seen_at: row.timestamp()?,
            ended_at: row.opt_timestamp()?,
        })
    })
}

pub(super) fn touch_session(
    tx: &mut StoreTx<'_>,
    token: &Digest,
    at: Timestamp,
) -> Result<(), StoreFault> {
    let sql = "UPDATE staff_session SET seen_at = ?2
               WHERE token_digest = ?1 AND ended_at IS NULL AND seen_at < ?2";
    tx.execute(sql, &params![token, at]).map(drop)
}

pub(super) fn end_session(
    tx: &mut StoreTx<'_>,
    token: &Digest,
    at: Timestamp,
) -> Result<(), StoreFault> {
    let sql = "UPDATE staff_session SET ended_at = ?2
               WHERE token_digest = ?1 AND ended_at IS NULL";
    tx.execute(sql, &params![token, at]).map(drop)
}

pub(super) fn end_sessions(
    tx: &mut StoreTx<'_>,
    staff: StaffId,
    at: Timestamp,
) -> Result<(), StoreFault> {
    let sql = "UPDATE staff_session SET ended_at = ?2 WHERE staff_id = ?1 AND ended_at IS NULL";
    tx.execute(sql, &params![staff, at]).map(drop)
}
