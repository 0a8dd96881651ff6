//! What chips reported.

use simurgh_app::ports::{
    ChipEvent, ChipNotification, HeardNotification, InstallOutcome, StoreFault,
};
use simurgh_vocab::ProfileId;
use simurgh_vocab::identity::Iccid;

use super::read_eid;
use crate::db::Row;
use crate::params;
use crate::rows::read_all;
use crate::tx::StoreTx;

pub(super) fn insert(
    tx: &mut StoreTx<'_>,
    heard: &HeardNotification,
    profile: Option<ProfileId>,
) -> Result<bool, StoreFault> {
    let said = &heard.notification;
    let sequence = i64::try_from(said.sequence)
        .map_err(|_| StoreFault::Corrupt("a sequence number past 63 bits".to_owned()))?;
    let (outcome, command, reason, response) = match &said.outcome {
        None => (None, None, None, None),
        Some(InstallOutcome::Installed) => (Some("installed"), None, None, None),
        Some(InstallOutcome::Failed {
            command,
            reason,
            response,
        }) => (
            Some("failed"),
            Some(*command),
            Some(*reason),
            Some(response),
        ),
    };
    let sql = "INSERT INTO chip_notification
               (eid, sequence, profile_id, iccid, event, outcome, command, reason, response,
                rsp_session_id, heard_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
               ON CONFLICT (eid, sequence) DO NOTHING";
    let params = params![
        said.eid.as_octets(),
        sequence,
        profile,
        said.iccid.as_ref().map(Iccid::as_octets),
        event_code(said.event),
        outcome,
        command,
        reason,
        response,
        said.transaction,
        heard.heard_at,
    ];
    Ok(tx.execute(sql, &params)? == 1)
}

pub(super) fn of_profile(
    tx: &mut StoreTx<'_>,
    profile: ProfileId,
) -> Result<Vec<HeardNotification>, StoreFault> {
    let sql = "SELECT eid, sequence, iccid, event, outcome, command, reason, response,
               rsp_session_id, heard_at FROM chip_notification
               WHERE profile_id = ?1 ORDER BY heard_at, sequence";
    read_all(tx.query(sql, &params![profile])?, read)
}

fn read(row: &mut Row) -> Result<HeardNotification, StoreFault> {
    let notification = ChipNotification {
        eid: read_eid(row)?,
        sequence: row.number()?,
        iccid: read_opt_iccid(row)?,
        event: row.code(event_of)?,
        outcome: read_outcome(row)?,
        transaction: {
            let octets = row.opt_blob()?;
            let sixteen = octets.map(<[u8; 16]>::try_from).transpose();
            sixteen.map_err(|_| row.behind("no name of a session"))?
        },
    };
    Ok(HeardNotification {
        notification,
        heard_at: row.timestamp()?,
    })
}

fn read_opt_iccid(row: &mut Row) -> Result<Option<Iccid>, StoreFault> {
    let Some(octets) = row.opt_blob()? else {
        return Ok(None);
    };
    let octets = octets.try_into().map_err(|_| row.behind("no ICCID"))?;
    let iccid = Iccid::from_octets(octets).map_err(|_| row.behind("no ICCID"))?;
    Ok(Some(iccid))
}

fn read_outcome(row: &mut Row) -> Result<Option<InstallOutcome>, StoreFault> {
    let outcome = row.opt_text()?;
    let (command, reason, response) = (row.opt_int()?, row.opt_int()?, row.opt_blob()?);
    let octet = |number: i64| u8::try_from(number).map_err(|_| row.behind("no octet"));
    match (outcome.as_deref(), command, reason, response) {
        (None, None, None, None) => Ok(None),
        (Some("installed"), None, None, None) => Ok(Some(InstallOutcome::Installed)),
        (Some("failed"), Some(command), Some(reason), Some(response)) => {
            Ok(Some(InstallOutcome::Failed {
                command: octet(command)?,
                reason: octet(reason)?,
                response,
            }))
        }
        _ => Err(row.behind("no end of an installation")),
    }
}

const fn event_code(event: ChipEvent) -> &'static str {
    match event {
        ChipEvent::Install => "install",
        ChipEvent::Enable => "enable",
        ChipEvent::Disable => "disable",
        ChipEvent::Delete => "delete",
    }
}

fn event_of(code: &str) -> Option<ChipEvent> {
    match code {
        "install" => Some(ChipEvent::Install),
        "enable" => Some(ChipEvent::Enable),
        "disable" => Some(ChipEvent::Disable),
        "delete" => Some(ChipEvent::Delete),
        _ => None,
    }
}
