//! eSIM profiles and their packages, sessions with chips, what chips reported, calls of other operators.

mod heard;
mod profiles;
mod progress;
mod rules;
mod sessions;

use simurgh_app::ports::{
    AnsweredCall, ChipCurve, ChipEventRecord, ChipKey, DownloadProgress, ForeignEvent,
    HeardNotification, ProfileShelf, Profiles, RspSession, StoreFault, StoredPackage, Transaction,
};
use simurgh_subscriber::Profile;
use simurgh_vocab::identity::{Eid, Iccid};
use simurgh_vocab::{LineId, ProfileId, ProgressId, Timestamp};

use crate::db::Row;
use crate::params;
use crate::rows::{read_all, read_one};
use crate::tx::StoreTx;

pub(crate) use rules::RULES;

impl Profiles for StoreTx<'_> {
    fn insert_profile(&mut self, profile: &Profile) -> Result<(), StoreFault> {
        profiles::insert(self, profile)
    }

    fn update_profile(&mut self, profile: &Profile) -> Result<(), StoreFault> {
        profiles::update(self, profile)
    }

    fn bind_profile(&mut self, profile: &Profile) -> Result<(), StoreFault> {
        profiles::bind(self, profile)
    }

    fn advance_profile(&mut self, profile: &Profile) -> Result<(), StoreFault> {
        profiles::advance(self, profile)
    }

    fn profile(&mut self, id: ProfileId) -> Result<Option<Profile>, StoreFault> {
        profiles::one(self, id)
    }

    fn profile_by_iccid(&mut self, iccid: Iccid) -> Result<Option<Profile>, StoreFault> {
        profiles::by_iccid(self, iccid)
    }

    fn profile_by_matching_id(&mut self, matching_id: &str) -> Result<Option<Profile>, StoreFault> {
        profiles::by_matching_id(self, matching_id)
    }

    fn profiles_linked_to(&mut self, eid: Eid) -> Result<Vec<Profile>, StoreFault> {
        profiles::linked_to(self, eid)
    }

    fn profiles_of(&mut self, line: LineId) -> Result<Vec<Profile>, StoreFault> {
        profiles::of_line(self, line)
    }

    fn profile_type_is_known(&mut self, profile_type: &str) -> Result<bool, StoreFault> {
        let sql = "SELECT id FROM profile WHERE profile_type = ?1 LIMIT 1";
        let found = self.query_one_or_none(sql, &params![profile_type])?;
        Ok(found.is_some())
    }

    fn available_profile(&mut self, profile_type: &str) -> Result<Option<Profile>, StoreFault> {
        profiles::available(self, profile_type)
    }

    fn profiles_after(
        &mut self,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<Profile>, StoreFault> {
        profiles::after(self, after, limit)
    }

    fn newest_profiles(
        &mut self,
        which: ProfileShelf,
        limit: u32,
    ) -> Result<Vec<Profile>, StoreFault> {
        profiles::newest(self, which, limit)
    }

    fn profiles_of_chip(&mut self, eid: Eid) -> Result<Vec<Profile>, StoreFault> {
        profiles::of_chip(self, eid)
    }

    fn insert_package(
        &mut self,
        profile: ProfileId,
        package: &StoredPackage,
    ) -> Result<(), StoreFault> {
        profiles::insert_package(self, profile, package)
    }

    fn package_of(
        &mut self,
        profile: ProfileId,
        variant: &str,
    ) -> Result<Option<StoredPackage>, StoreFault> {
        profiles::package(self, profile, variant)
    }

    fn package_list(&mut self, profile: ProfileId) -> Result<Vec<StoredPackage>, StoreFault> {
        profiles::packages(self, profile)
    }

    fn forget_packages(&mut self, profile: ProfileId) -> Result<(), StoreFault> {
        let sql = "DELETE FROM profile_package WHERE profile_id = ?1";
        self.execute(sql, &params![profile]).map(drop)
    }

    fn insert_rsp_session(&mut self, session: &RspSession) -> Result<(), StoreFault> {
        sessions::insert(self, session)
    }

    fn update_rsp_session(&mut self, session: &RspSession) -> Result<(), StoreFault> {
        sessions::update(self, session)
    }

    fn rsp_session(&mut self, transaction: &Transaction) -> Result<Option<RspSession>, StoreFault> {
        sessions::one(self, transaction)
    }

    fn forget_rsp_sessions(
        &mut self,
        expired_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreFault> {
        let sql = "DELETE FROM rsp_session WHERE id IN
                   (SELECT id FROM rsp_session WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";
        self.execute(sql, &params![expired_before, limit])
    }

    fn insert_chip_notification(
        &mut self,
        heard: &HeardNotification,
        profile: Option<ProfileId>,
    ) -> Result<bool, StoreFault> {
        heard::insert(self, heard, profile)
    }

    fn chip_notifications_of(
        &mut self,
        profile: ProfileId,
    ) -> Result<Vec<HeardNotification>, StoreFault> {
        heard::of_profile(self, profile)
    }

    fn answered_call(
        &mut self,
        requester: &str,
        call: &str,
    ) -> Result<Option<AnsweredCall>, StoreFault> {
        let sql = "SELECT requester, call, digest, profile_id, answered_at FROM answered_call
                   WHERE requester = ?1 AND call = ?2";
        read_one(
            self.query_one_or_none(sql, &params![requester, call])?,
            |row| {
                Ok(AnsweredCall {
                    requester: row.text()?,
                    call: row.text()?,
                    digest: row.blob()?,
                    profile: row.id()?,
                    answered_at: row.timestamp()?,
                })
            },
        )
    }

    fn insert_answered_call(&mut self, call: &AnsweredCall) -> Result<(), StoreFault> {
        let sql = "INSERT INTO answered_call (requester, call, digest, profile_id, answered_at)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = params![
            &call.requester,
            &call.call,
            &call.digest,
            call.profile,
            call.answered_at,
        ];
        self.execute(sql, &params).map(drop)
    }

    fn forget_answered_calls(
        &mut self,
        answered_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreFault> {
        // A key of two columns: the rows that go are read first, few at a time.
        let sql = "SELECT requester, call FROM answered_call WHERE answered_at < ?1
                   ORDER BY answered_at LIMIT ?2";
        let old = self.query(sql, &params![answered_before, limit])?;
        let mut removed = 0;
        for mut row in old {
            let params = params![row.text()?, row.text()?];
            let sql = "DELETE FROM answered_call WHERE requester = ?1 AND call = ?2";
            removed += self.execute(sql, &params)?;
        }
        Ok(removed)
    }

    fn insert_foreign_event(
        &mut self,
        profile: ProfileId,
        event: &ForeignEvent,
    ) -> Result<(), StoreFault> {
        let sql = "INSERT INTO foreign_event
                   (profile_id, event_id, smds_address, eid, server_address)
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (profile_id, event_id) DO NOTHING";
        let eid = event.eid.as_octets();
        let params = params![
            profile,
            &event.event_id,
            &event.smds,
            eid,
            &event.server_address
        ];
        self.execute(sql, &params).map(drop)
    }

    fn foreign_events_of(&mut self, profile: ProfileId) -> Result<Vec<ForeignEvent>, StoreFault> {
        let sql = "SELECT smds_address, eid, event_id, server_address FROM foreign_event
                   WHERE profile_id = ?1 ORDER BY event_id";
        read_all(self.query(sql, &params![profile])?, |row| {
            Ok(ForeignEvent {
                smds: row.text()?,
                eid: Eid::from_octets(row.bytes()?).map_err(|_| row.behind("no EID"))?,
                event_id: row.text()?,
                server_address: row.text()?,
            })
        })
    }

    fn forget_foreign_event(
        &mut self,
        profile: ProfileId,
        event_id: &str,
    ) -> Result<(), StoreFault> {
        let sql = "DELETE FROM foreign_event WHERE profile_id = ?1 AND event_id = ?2";
        self.execute(sql, &params![profile, event_id]).map(drop)
    }

    fn insert_progress(&mut self, progress: &DownloadProgress) -> Result<(), StoreFault> {
        progress::insert(self, progress)
    }

    fn progress(&mut self, id: ProgressId) -> Result<Option<DownloadProgress>, StoreFault> {
        progress::one(self, id)
    }

    fn forget_progress(&mut self, id: ProgressId) -> Result<(), StoreFault> {
        progress::forget(self, id)
    }

    fn insert_chip_event(&mut self, event: &ChipEventRecord) -> Result<bool, StoreFault> {
        let sql = "INSERT INTO chip_event
                   (eid, event_id, server_address, registered_by, registered_at)
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (eid, event_id) DO NOTHING";
        let params = params![
            event.eid.as_octets(),
            &event.event_id,
            &event.server_address,
            &event.registered_by,
            event.registered_at,
        ];
        Ok(self.execute(sql, &params)? == 1)
    }

    fn remove_chip_event(&mut self, eid: Eid, event_id: &str) -> Result<bool, StoreFault> {
        let sql = "DELETE FROM chip_event WHERE eid = ?1 AND event_id = ?2";
        Ok(self.execute(sql, &params![eid.as_octets(), event_id])? == 1)
    }

    fn chip_events_of(&mut self, eid: Eid) -> Result<Vec<ChipEventRecord>, StoreFault> {
        let sql = "SELECT eid, event_id, server_address, registered_by, registered_at
                   FROM chip_event WHERE eid = ?1 ORDER BY registered_at, event_id";
        read_all(self.query(sql, &params![eid.as_octets()])?, |row| {
            Ok(ChipEventRecord {
                eid: read_eid(row)?,
                event_id: row.text()?,
                server_address: row.text()?,
                registered_by: row.text()?,
                registered_at: row.timestamp()?,
            })
        })
    }
}

fn read_eid(row: &mut Row) -> Result<Eid, StoreFault> {
    Eid::from_octets(row.bytes()?).map_err(|_| row.behind("no EID"))
}

fn read_opt_eid(row: &mut Row) -> Result<Option<Eid>, StoreFault> {
    let Some(octets) = row.opt_blob()? else {
        return Ok(None);
    };
    let octets = octets.try_into().map_err(|_| row.behind("no EID"))?;
    let eid = Eid::from_octets(octets).map_err(|_| row.behind("no EID"))?;
    Ok(Some(eid))
}

fn read_opt_point(row: &mut Row) -> Result<Option<[u8; 65]>, StoreFault> {
    let Some(octets) = row.opt_blob()? else {
        return Ok(None);
    };
    let point = octets.try_into().map_err(|_| row.behind("no point"))?;
    Ok(Some(point))
}

const fn curve_code(curve: ChipCurve) -> &'static str {
    match curve {
        ChipCurve::P256 => "p256",
        ChipCurve::BrainpoolP256r1 => "brainpoolp256r1",
    }
}

/// A chip's key: curve and point, both or neither.
fn read_opt_key(row: &mut Row) -> Result<Option<ChipKey>, StoreFault> {
    let curve = match row.opt_text()?.as_deref() {
        None => None,
        Some("p256") => Some(ChipCurve::P256),
        Some("brainpoolp256r1") => Some(ChipCurve::BrainpoolP256r1),
        Some(_) => return Err(row.behind("no curve")),
    };
    match (curve, read_opt_point(row)?) {
        (None, None) => Ok(None),
        (Some(curve), Some(point)) => Ok(Some(ChipKey { curve, point })),
        (None, Some(_)) | (Some(_), None) => Err(row.behind("half a key")),
    }
}
