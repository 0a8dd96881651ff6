//! Sessions with chips: one row each.

use simurgh_app::ports::{RspSession, ServerKind, SessionStep, StoreFault, Transaction};
use simurgh_vocab::ProfileId;
use simurgh_vocab::identity::Eid;

use super::{curve_code, read_opt_eid, read_opt_key, read_opt_point};
use crate::db::{Row, Value};
use crate::params;
use crate::rows::{exactly_one, read_one};
use crate::tx::{Lock, StoreTx};

pub(super) fn insert(tx: &mut StoreTx<'_>, session: &RspSession) -> Result<(), StoreFault> {
    let (sql, params) = match &session.step {
        // The usual case, and the most frequent statement of all: only what there is.
        SessionStep::Opened {
            server_challenge,
            root_key_id,
            server,
        } => (
            "INSERT INTO rsp_session
             (id, opened_at, expires_at, step, server, challenge, root_key_id)
             VALUES (?1, ?2, ?3, 'opened', ?4, ?5, ?6)",
            params![
                session.transaction,
                session.opened_at,
                session.expires_at,
                server_code(*server),
                server_challenge,
                root_key_id,
            ]
            .to_vec(),
        ),
        SessionStep::Authenticated { .. }
        | SessionStep::Known { .. }
        | SessionStep::Delivered { .. }
        | SessionStep::Over => {
            let mut params = columns(session);
            params.extend(params![session.opened_at, session.expires_at]);
            (
                "INSERT INTO rsp_session
                 (id, step, eid, chip_curve, chip_point, profile_id, variant, server_signature,
                  code_required, bound_key, opened_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                params,
            )
        }
    };
    tx.execute(sql, &params).map(drop)
}

/// A session never goes back to its first step.
pub(super) fn update(tx: &mut StoreTx<'_>, session: &RspSession) -> Result<(), StoreFault> {
    tx.locks(Lock::RspSession, &session.transaction)?;
    let sql = "UPDATE rsp_session SET step = ?2, server = NULL, challenge = NULL,
               root_key_id = NULL, eid = ?3, chip_curve = ?4, chip_point = ?5, profile_id = ?6,
               variant = ?7, server_signature = ?8, code_required = ?9, bound_key = ?10
               WHERE id = ?1";
    exactly_one(tx.execute(sql, &columns(session))?, "session with a chip")
}

/// The columns of every step but the first.
fn columns(session: &RspSession) -> Vec<Value> {
    let chip = |step: &str, eid: &Eid, key: &simurgh_app::ports::ChipKey| {
        params![
            session.transaction,
            step,
            eid.as_octets(),
            curve_code(key.curve),
            &key.point,
        ]
        .to_vec()
    };
    let none = |count: usize| std::iter::repeat_n(Value::Null, count);
    let mut columns;
    match &session.step {
        SessionStep::Authenticated {
            eid,
            chip_key,
            profile,
            variant,
            server_signature,
            code_required,
            bound_key,
        } => {
            columns = chip("authenticated", eid, chip_key);
            columns.extend(params![
                *profile,
                variant,
                server_signature,
                *code_required,
                bound_key.as_ref(),
            ]);
        }
        SessionStep::Known { eid, chip_key } => {
            columns = chip("known", eid, chip_key);
            columns.extend(none(5));
        }
        SessionStep::Delivered {
            eid,
            chip_key,
            profile,
        } => {
            columns = chip("delivered", eid, chip_key);
            columns.push(Value::from(*profile));
            columns.extend(none(4));
        }
        SessionStep::Opened { .. } | SessionStep::Over => {
            columns = params![session.transaction, "over"].to_vec();
            columns.extend(none(8));
        }
    }
    columns
}

pub(super) fn one(
    tx: &mut StoreTx<'_>,
    transaction: &Transaction,
) -> Result<Option<RspSession>, StoreFault> {
    tx.locks(Lock::RspSession, transaction)?;
    let sql = "SELECT opened_at, expires_at, step, server, challenge, root_key_id, eid, chip_curve,
               chip_point, profile_id, variant, server_signature, code_required, bound_key
               FROM rsp_session WHERE id = ?1";
    let row = tx.query_one_or_none_locked(sql, &params![transaction])?;
    read_one(row, |row| {
        Ok(RspSession {
            transaction: *transaction,
            opened_at: row.timestamp()?,
            expires_at: row.timestamp()?,
            step: read_step(row)?,
        })
    })
}

fn read_step(row: &mut Row) -> Result<SessionStep, StoreFault> {
    let step = row.text()?;
    match step.as_str() {
        "opened" => {
            return Ok(SessionStep::Opened {
                server: row.code(server_of)?,
                server_challenge: row.bytes()?,
                root_key_id: row.blob()?,
            });
        }
        "over" => return Ok(SessionStep::Over),
        _ => {}
    }
    row.at(6);
    let (eid, key) = (read_opt_eid(row)?, read_opt_key(row)?);
    let profile: Option<ProfileId> = row.opt_id()?;
    let (Some(eid), Some(chip_key)) = (eid, key) else {
        return Err(row.behind("no chip"));
    };
    match (step.as_str(), profile) {
        ("known", None) => Ok(SessionStep::Known { eid, chip_key }),
        ("delivered", Some(profile)) => Ok(SessionStep::Delivered {
            eid,
            chip_key,
            profile,
        }),
        ("authenticated", Some(profile)) => Ok(SessionStep::Authenticated {
            eid,
            chip_key,
            profile,
            variant: row.text()?,
            server_signature: row.bytes()?,
            code_required: row.boolean()?,
            bound_key: read_opt_point(row)?,
        }),
        _ => Err(row.behind("no step of a session")),
    }
}

const fn server_code(server: ServerKind) -> &'static str {
    match server {
        ServerKind::SmDp => "sm-dp+",
        ServerKind::SmDs => "sm-ds",
    }
}

fn server_of(code: &str) -> Option<ServerKind> {
    match code {
        "sm-dp+" => Some(ServerKind::SmDp),
        "sm-ds" => Some(ServerKind::SmDs),
        _ => None,
    }
}
