//! News of downloads that operators are yet to be told.

use simurgh_app::ports::{DownloadProgress, ProgressFailure, ProgressPoint, StoreFault};
use simurgh_vocab::ProgressId;
use simurgh_vocab::identity::{Eid, Iccid};

use crate::params;
use crate::rows::read_one;
use crate::tx::StoreTx;

pub(super) fn insert(tx: &mut StoreTx<'_>, progress: &DownloadProgress) -> Result<(), StoreFault> {
    let sql = "INSERT INTO download_progress (id, operator, iccid, profile_type, eid, point,
               happened_at, failure_subject, failure_reason, result)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let failure = progress.failure.as_ref();
    let params = params![
        progress.id,
        &progress.operator,
        progress.iccid.as_octets(),
        &progress.profile_type,
        progress.eid.as_ref().map(Eid::as_octets),
        progress.point.code(),
        progress.at,
        failure.map(|failure| failure.subject.as_str()),
        failure.map(|failure| failure.reason.as_str()),
        progress.result.clone(),
    ];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn one(
    tx: &mut StoreTx<'_>,
    id: ProgressId,
) -> Result<Option<DownloadProgress>, StoreFault> {
    let sql = "SELECT operator, iccid, profile_type, eid, point, happened_at, failure_subject,
               failure_reason, result FROM download_progress WHERE id = ?1";
    read_one(tx.query_one_or_none(sql, &params![id])?, |row| {
        Ok(DownloadProgress {
            id,
            operator: row.text()?,
            iccid: Iccid::from_octets(row.bytes()?).map_err(|_| row.behind("no ICCID"))?,
            profile_type: row.text()?,
            eid: match row.opt_blob()? {
                Some(octets) => {
                    let octets = <[u8; 16]>::try_from(octets).map_err(|_| row.behind("no EID"))?;
                    Some(Eid::from_octets(octets).map_err(|_| row.behind("no EID"))?)
                }
                None => None,
            },
            point: {
                let code = row.int()?;
                ProgressPoint::from_code(code).ok_or_else(|| row.behind("no point"))?
            },
            at: row.timestamp()?,
            failure: match (row.opt_text()?, row.opt_text()?) {
                (Some(subject), Some(reason)) => Some(ProgressFailure { subject, reason }),
                _ => None,
            },
            result: row.opt_blob()?,
        })
    })
}

pub(super) fn forget(tx: &mut StoreTx<'_>, id: ProgressId) -> Result<(), StoreFault> {
    let sql = "DELETE FROM download_progress WHERE id = ?1";
    tx.execute(sql, &params![id]).map(drop)
}
