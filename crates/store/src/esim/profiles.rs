//! Profiles and their packages.

use simurgh_app::ports::{ProfileShelf, StoreFault, StoredPackage};
use simurgh_subscriber::{BoundChip, OnChip, Profile, ProfileError, ProfileOrder, ProfileState};
use simurgh_vocab::identity::{Eid, Iccid};
use simurgh_vocab::{LineId, ProfileId};

use super::{curve_code, read_opt_eid, read_opt_key, read_opt_point};
use crate::db::{Row, Value};
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::{Lock, StoreTx};

macro_rules! select_profiles {
    ($rest:literal) => {
        concat!(
            "SELECT id, iccid, profile_type, line_id, version, rules, state, error, linked_eid,
                    matching_id, confirmation, smds_address, expires_at, code_failures, downloads,
                    rejections, ordered_by, eid, chip_curve, chip_point, one_time_key, on_chip,
                    made_at, changed_at FROM profile ",
            $rest
        )
    };
}

pub(super) fn insert(tx: &mut StoreTx<'_>, profile: &Profile) -> Result<(), StoreFault> {
    let sql = "INSERT INTO profile
               (id, line_id, version, rules, state, error, linked_eid, matching_id, confirmation,
                smds_address, expires_at, code_failures, downloads, rejections, eid, chip_curve,
                chip_point, one_time_key, on_chip, changed_at, ordered_by, iccid, profile_type, made_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                       ?18, ?19, ?20, ?21, ?22, ?23, ?24)";
    let mut params = columns(profile);
    params.extend(params![
        profile.iccid.as_octets(),
        &profile.profile_type,
        profile.made_at,
    ]);
    tx.execute(sql, &params).map(drop)
}

pub(super) fn update(tx: &mut StoreTx<'_>, profile: &Profile) -> Result<(), StoreFault> {
    tx.locks(Lock::Profile, profile.id.as_bytes())?;
    tx.renames();
    let sql = "UPDATE profile SET line_id = ?2, version = ?3, rules = ?4, state = ?5, error = ?6,
               linked_eid = ?7, matching_id = ?8, confirmation = ?9, smds_address = ?10,
               expires_at = ?11, code_failures = ?12, downloads = ?13, rejections = ?14, eid = ?15,
               chip_curve = ?16, chip_point = ?17, one_time_key = ?18, on_chip = ?19,
               changed_at = ?20, ordered_by = ?21 WHERE id = ?1";
    exactly_one(tx.execute(sql, &columns(profile))?, "profile")
}

/// A download writes a profile three times. Columns of indexes are named only where they change: every index of a
/// named column is written anew, also with what it holds already.
pub(super) fn bind(tx: &mut StoreTx<'_>, profile: &Profile) -> Result<(), StoreFault> {
    tx.locks(Lock::Profile, profile.id.as_bytes())?;
    let sql = "UPDATE profile SET eid = ?2, chip_curve = ?3, chip_point = ?4, one_time_key = ?5,
               changed_at = ?6 WHERE id = ?1";
    let chip = profile.chip.as_ref();
    let params = params![
        profile.id,
        chip.map(|chip| chip.eid.as_octets()),
        chip.map(|chip| curve_code(chip.key.curve)),
        chip.map(|chip| &chip.key.point),
        chip.and_then(|chip| chip.one_time_key.as_ref()),
        profile.changed_at,
    ];
    exactly_one(tx.execute(sql, &params)?, "profile")
}

pub(super) fn advance(tx: &mut StoreTx<'_>, profile: &Profile) -> Result<(), StoreFault> {
    tx.locks(Lock::Profile, profile.id.as_bytes())?;
    let sql = "UPDATE profile SET state = ?2, error = ?3, code_failures = ?4, downloads = ?5,
               rejections = ?6, one_time_key = ?7, on_chip = ?8, changed_at = ?9 WHERE id = ?1";
    let (state, error) = state_columns(profile.state);
    let chip = profile.chip.as_ref();
    let params = params![
        profile.id,
        state,
        error,
        profile.order.code_failures,
        profile.order.downloads,
        profile.order.rejections,
        chip.and_then(|chip| chip.one_time_key.as_ref()),
        profile.on_chip.map(on_chip_code),
        profile.changed_at,
    ];
    exactly_one(tx.execute(sql, &params)?, "profile")
}

/// What may change, behind the id.
fn columns(profile: &Profile) -> Vec<Value> {
    let (state, error) = state_columns(profile.state);
    let order = &profile.order;
    let chip = profile.chip.as_ref();
    // An order that names a chip needs no token; every such order has the empty one.
    let matching_id = order.matching_id.as_deref().filter(|id| !id.is_empty());
    params![
        profile.id,
        profile.line,
        profile.version,
        profile.rules,
        state,
        error,
        order.linked.as_ref().map(Eid::as_octets),
        matching_id,
        order.confirmation.as_ref(),
        order.smds_address.as_ref(),
        order.expires_at,
        order.code_failures,
        order.downloads,
        order.rejections,
        chip.map(|chip| chip.eid.as_octets()),
        chip.map(|chip| curve_code(chip.key.curve)),
        chip.map(|chip| &chip.key.point),
        chip.and_then(|chip| chip.one_time_key.as_ref()),
        profile.on_chip.map(on_chip_code),
        profile.changed_at,
        order.by.as_ref(),
    ]
    .to_vec()
}

pub(super) fn one(tx: &mut StoreTx<'_>, id: ProfileId) -> Result<Option<Profile>, StoreFault> {
    tx.locks(Lock::Profile, id.as_bytes())?;
    let sql = select_profiles!("WHERE id = ?1");
    read_one(tx.query_one_or_none_locked(sql, &params![id])?, read)
}

pub(super) fn by_iccid(tx: &mut StoreTx<'_>, iccid: Iccid) -> Result<Option<Profile>, StoreFault> {
    let sql = select_profiles!("WHERE iccid = ?1");
    let row = tx.query_one_or_none_locked(sql, &params![iccid.as_octets()])?;
    locked(tx, row)
}

pub(super) fn by_matching_id(
    tx: &mut StoreTx<'_>,
    matching_id: &str,
) -> Result<Option<Profile>, StoreFault> {
    let sql = select_profiles!("WHERE matching_id = ?1");
    let row = tx.query_one_or_none_locked(sql, &params![matching_id])?;
    locked(tx, row)
}

/// A profile that was found and locked by something else than its id.
fn locked(tx: &mut StoreTx<'_>, row: Option<Row>) -> Result<Option<Profile>, StoreFault> {
    let profile = read_one(row, read)?;
    if let Some(profile) = &profile {
        tx.locks(Lock::Profile, profile.id.as_bytes())?;
    }
    Ok(profile)
}

pub(super) fn linked_to(tx: &mut StoreTx<'_>, eid: Eid) -> Result<Vec<Profile>, StoreFault> {
    let sql = select_profiles!(
        "WHERE linked_eid = ?1 AND state IN ('confirmed', 'released', 'downloaded')
         ORDER BY made_at, id"
    );
    read_all(tx.query(sql, &params![eid.as_octets()])?, read)
}

pub(super) fn of_line(tx: &mut StoreTx<'_>, line: LineId) -> Result<Vec<Profile>, StoreFault> {
    let sql = select_profiles!("WHERE line_id = ?1 ORDER BY made_at, id");
    read_all(tx.query(sql, &params![line])?, read)
}

pub(super) fn available(
    tx: &mut StoreTx<'_>,
    profile_type: &str,
) -> Result<Option<Profile>, StoreFault> {
    let sql = select_profiles!(
        "WHERE profile_type = ?1 AND state = 'available' AND line_id IS NULL ORDER BY id LIMIT 1"
    );
    let row = tx.query_one_or_none_locked(sql, &params![profile_type])?;
    locked(tx, row)
}

pub(super) fn after(
    tx: &mut StoreTx<'_>,
    after: Option<ProfileId>,
    limit: u32,
) -> Result<Vec<Profile>, StoreFault> {
    let sql = select_profiles!("WHERE id > ?1 ORDER BY id LIMIT ?2");
    let after = after.unwrap_or(ProfileId::from_bytes([0; 16]));
    read_all(tx.query(sql, &params![after, limit])?, read)
}

pub(super) fn newest(
    tx: &mut StoreTx<'_>,
    which: ProfileShelf,
    limit: u32,
) -> Result<Vec<Profile>, StoreFault> {
    // A state in the text of the statement lets its partial index serve.
    let sql = match which {
        ProfileShelf::All => select_profiles!("ORDER BY id DESC LIMIT ?1"),
        ProfileShelf::GivenUp => {
            select_profiles!("WHERE state = 'error' ORDER BY id DESC LIMIT ?1")
        }
    };
    read_all(tx.query(sql, &params![limit])?, read)
}

pub(super) fn of_chip(tx: &mut StoreTx<'_>, eid: Eid) -> Result<Vec<Profile>, StoreFault> {
    let sql = select_profiles!("WHERE eid = ?1 OR linked_eid = ?1 ORDER BY made_at, id");
    read_all(tx.query(sql, &params![eid.as_octets()])?, read)
}

fn read(row: &mut Row) -> Result<Profile, StoreFault> {
    Ok(Profile {
        id: row.id()?,
        iccid: Iccid::from_octets(row.bytes()?).map_err(|_| row.behind("no ICCID"))?,
        profile_type: row.text()?,
        line: row.opt_id()?,
        version: row.number()?,
        rules: row.number()?,
        state: read_state(row)?,
        order: ProfileOrder {
            linked: read_opt_eid(row)?,
            matching_id: row.opt_text()?,
            confirmation: row.opt_blob()?,
            smds_address: row.opt_text()?,
            expires_at: row.opt_timestamp()?,
            code_failures: row.number()?,
            downloads: row.number()?,
            rejections: row.number()?,
            by: row.opt_text()?,
        },
        chip: read_chip(row)?,
        on_chip: read_on_chip(row)?,
        made_at: row.timestamp()?,
        changed_at: row.timestamp()?,
    })
}

fn read_chip(row: &mut Row) -> Result<Option<BoundChip>, StoreFault> {
    let (eid, key) = (read_opt_eid(row)?, read_opt_key(row)?);
    let one_time_key = read_opt_point(row)?;
    match (eid, key) {
        (None, None) => Ok(None),
        (Some(eid), Some(key)) => Ok(Some(BoundChip {
            eid,
            key,
            one_time_key,
        })),
        (None, Some(_)) | (Some(_), None) => Err(row.behind("half a chip")),
    }
}

const fn state_columns(state: ProfileState) -> (&'static str, Option<&'static str>) {
    let code = match state {
        ProfileState::Available => "available",
        ProfileState::Allocated => "allocated",
        ProfileState::Linked => "linked",
        ProfileState::Confirmed => "confirmed",
        ProfileState::Released => "released",
        ProfileState::Downloaded => "downloaded",
        ProfileState::Installed => "installed",
        ProfileState::Unavailable => "unavailable",
        ProfileState::Error(cause) => return ("error", Some(error_code(cause))),
    };
    (code, None)
}

const fn error_code(error: ProfileError) -> &'static str {
    match error {
        ProfileError::CodeTries => "code-tries",
        ProfileError::Downloads => "downloads",
        ProfileError::Rejected => "rejected",
        ProfileError::RulesNotAllowed => "rules",
    }
}

fn read_state(row: &mut Row) -> Result<ProfileState, StoreFault> {
    let (state, error) = (row.text()?, row.opt_text()?);
    Ok(match (state.as_str(), error.as_deref()) {
        ("available", None) => ProfileState::Available,
        ("allocated", None) => ProfileState::Allocated,
        ("linked", None) => ProfileState::Linked,
        ("confirmed", None) => ProfileState::Confirmed,
        ("released", None) => ProfileState::Released,
        ("downloaded", None) => ProfileState::Downloaded,
        ("installed", None) => ProfileState::Installed,
        ("unavailable", None) => ProfileState::Unavailable,
        ("error", Some("code-tries")) => ProfileState::Error(ProfileError::CodeTries),
        ("error", Some("downloads")) => ProfileState::Error(ProfileError::Downloads),
        ("error", Some("rejected")) => ProfileState::Error(ProfileError::Rejected),
        ("error", Some("rules")) => ProfileState::Error(ProfileError::RulesNotAllowed),
        _ => return Err(row.behind("no state of a profile")),
    })
}

const fn on_chip_code(on_chip: OnChip) -> &'static str {
    match on_chip {
        OnChip::Disabled => "disabled",
        OnChip::Enabled => "enabled",
        OnChip::Deleted => "deleted",
    }
}

fn read_on_chip(row: &mut Row) -> Result<Option<OnChip>, StoreFault> {
    Ok(match row.opt_text()?.as_deref() {
        None => None,
        Some("disabled") => Some(OnChip::Disabled),
        Some("enabled") => Some(OnChip::Enabled),
        Some("deleted") => Some(OnChip::Deleted),
        Some(_) => return Err(row.behind("no state on a chip")),
    })
}

pub(super) fn insert_package(
    tx: &mut StoreTx<'_>,
    profile: ProfileId,
    package: &StoredPackage,
) -> Result<(), StoreFault> {
    let size = i64::try_from(package.size_octets).unwrap_or(i64::MAX);
    let sql = "INSERT INTO profile_package
               (profile_id, variant, least_version, size_octets, metadata, package)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let params = params![
        profile,
        &package.variant,
        package.least_version,
        size,
        &package.metadata,
        &package.sealed,
    ];
    tx.execute(sql, &params).map(drop)
}

pub(super) fn package(
    tx: &mut StoreTx<'_>,
    profile: ProfileId,
    variant: &str,
) -> Result<Option<StoredPackage>, StoreFault> {
    let sql = "SELECT variant, least_version, size_octets, metadata, package
               FROM profile_package WHERE profile_id = ?1 AND variant = ?2";
    let row = tx.query_one_or_none(sql, &params![profile, variant])?;
    read_one(row, |row| {
        let mut package = read_package(row)?;
        package.sealed = row.blob()?;
        Ok(package)
    })
}

pub(super) fn packages(
    tx: &mut StoreTx<'_>,
    profile: ProfileId,
) -> Result<Vec<StoredPackage>, StoreFault> {
    let sql = "SELECT variant, least_version, size_octets, metadata FROM profile_package
               WHERE profile_id = ?1 ORDER BY least_version DESC, variant";
    read_all(tx.query(sql, &params![profile])?, read_package)
}

fn read_package(row: &mut Row) -> Result<StoredPackage, StoreFault> {
    Ok(StoredPackage {
        variant: row.text()?,
        least_version: row.bytes()?,
        size_octets: row.number()?,
        metadata: row.blob()?,
        sealed: Vec::new(),
    })
}
