//! The state of a chip as octets, to be kept in a file: profiles, notifications, counters. The octets hold
//! keys: whoever has them has the profiles.

use simurgh_rsp::certificate::RevocationList;
use simurgh_rsp::identity::Iccid;
use simurgh_rsp::key::PrivateKey;
use simurgh_rsp::message::Wire;
use simurgh_rsp::message::metadata::{ProfileMetadata, TAG_METADATA};
use simurgh_rsp::message::notification::PendingNotification;
use simurgh_rsp::pki::ChainError;
use simurgh_rsp::tlv::{DecodeError, Fields, Tag, Tlv, Writer};
use zeroize::Zeroizing;

use crate::authenticate::SequenceNumbers;
use crate::chip::{Euicc, EuiccSettings};
use crate::profile::InstalledProfile;

/// A state cannot be read: it is damaged, or of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It is not well formed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A root of the settings is none.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// It was written by another version.
    #[error("the state is of another version")]
    Version,
    /// It is the state of a chip with another EID.
    #[error("the state is of a chip with another EID")]
    OtherChip,
    /// A profile in it cannot be installed.
    #[error("a profile in the state is damaged")]
    Profile,
}

const STATE: Tag = Tag::new(0xE1);
const VERSION: u64 = 1;

const FORMAT: Tag = Tag::new(0x80);
const NEXT_SEQUENCE: Tag = Tag::new(0x81);
const NEXT_DOMAIN: Tag = Tag::new(0x82);
const DEFAULT_SMDP: Tag = Tag::new(0x83);
const PROFILES: Tag = Tag::new(0xA4);
const NOTIFICATIONS: Tag = Tag::new(0xA5);
const BEFORE_TEST: Tag = Tag::new(0x89);

const EID: Tag = Tag::new(0x87);
const REVOCATIONS: Tag = Tag::new(0xA8);

const KEPT_KEY: Tag = Tag::new(0xA6);
const KEY_SERVER: Tag = Tag::new(0x80);
const KEY: Tag = Tag::new(0x81);

const PROFILE: Tag = Tag::new(0x30);
const DOMAIN: Tag = Tag::new(0x80);
const ENABLED: Tag = Tag::new(0x81);
const NICKNAME: Tag = Tag::new(0x82);
const SMDP_OID: Tag = Tag::new(0x83);
const PACKAGE: Tag = Tag::new(0x84);
const SEQUENCE_NUMBERS: Tag = Tag::new(0x85);

const NAME: &str = "state of an eUICC";

impl Euicc {
    /// The state: everything but the session of a download and open channels. Of a download only its one-time
    /// key is kept, so that the same package can come again.
    #[must_use]
    pub fn state(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Writer::nest(STATE, |w| {
            w.integer(FORMAT, VERSION)
                .octets(EID, self.settings.eid.as_octets())
                .integer(NEXT_SEQUENCE, self.next_sequence)
                .integer(NEXT_DOMAIN, u64::from(self.next_domain))
                .octets_if(
                    DEFAULT_SMDP,
                    self.default_smdp.as_deref().map(str::as_bytes),
                );
            w.octets_if(
                BEFORE_TEST,
                self.before_test
                    .as_ref()
                    .map(|iccid| &iccid.as_octets()[..]),
            );
            w.nested(PROFILES, |w| {
                for one in &self.profiles {
                    w.nested(PROFILE, |w| write_profile(w, one));
                }
            });
            w.nested(NOTIFICATIONS, |w| {
                for (_, one) in &self.notifications {
                    w.raw(&one.encode());
                }
            });
            w.nested(REVOCATIONS, |w| {
                for (der, _) in &self.revocations {
                    w.raw(der);
                }
            });
            if let Some((oid, key)) = self.rsp.kept_key() {
                w.nested(KEPT_KEY, |w| {
                    w.oid(KEY_SERVER, oid).octets(KEY, &key.to_pkcs8());
                });
            }
        }))
    }

    /// A chip with the state that [`state`](Self::state) gave, after power on.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn restore(settings: EuiccSettings, state: &[u8]) -> Result<Self, RestoreError> {
        let fields = Fields::parse(state, STATE, NAME)?;
        if fields.integer(FORMAT, "version")? != VERSION {
            return Err(RestoreError::Version);
        }
        if fields.array(EID, "EID")? != *settings.eid.as_octets() {
            return Err(RestoreError::OtherChip);
        }
        let mut chip = Self::new(settings)?;
        chip.next_sequence = fields.integer(NEXT_SEQUENCE, "next sequence number")?;
        chip.next_domain = u16::try_from(fields.integer(NEXT_DOMAIN, "next domain")?)
            .map_err(|_| RestoreError::Profile)?;
        chip.default_smdp = fields
            .text_if(DEFAULT_SMDP, "default address")?
            .map(str::to_owned);
        if fields.find(BEFORE_TEST).is_some() {
            let octets = fields.array(BEFORE_TEST, "profile before tests")?;
            let iccid = Iccid::from_octets(octets);
            chip.before_test = Some(iccid.map_err(|_| fields.invalid("profile before tests"))?);
        }
        for one in fields.group(PROFILES, "profiles")?.members() {
            chip.profiles.push(read_profile(one)?);
        }
        for one in fields.group(NOTIFICATIONS, "notifications")?.members() {
            let notification = PendingNotification::decode(one)?;
            let number = notification.unverified().sequence_number;
            chip.notifications.push((number, notification));
        }
        for one in fields.group(REVOCATIONS, "revocations")?.members() {
            let mut roots = chip.settings.identities.iter().map(|one| &one.root);
            // A root that is gone takes its list with it.
            if let Some(list) = roots.find_map(|root| RevocationList::parse(one.raw(), root).ok()) {
                chip.keep_revocations(one.raw().to_vec(), list);
            }
        }
        if let Some(kept) = fields.find(KEPT_KEY) {
            let kept = Fields::inside(&kept, NAME)?;
            let key =
                PrivateKey::from_der(kept.octets(KEY, "key")?).map_err(|_| kept.invalid("key"))?;
            chip.rsp
                .keep_key(kept.oid(KEY_SERVER, "server of the key")?, key);
        }
        Ok(chip)
    }
}

fn write_profile(w: &mut Writer, profile: &InstalledProfile) {
    w.octets(DOMAIN, &profile.aid)
        .boolean(ENABLED, profile.enabled)
        .octets_if(NICKNAME, profile.nickname.as_deref().map(str::as_bytes));
    if let Some(oid) = &profile.smdp_oid {
        w.oid(SMDP_OID, oid);
    }
    w.raw(&profile.metadata.encode())
        .octets(PACKAGE, &profile.package)
        .octets(SEQUENCE_NUMBERS, &profile.sequence_numbers.to_octets());
}

fn read_profile(tlv: &Tlv<'_>) -> Result<InstalledProfile, RestoreError> {
    let fields = Fields::of(tlv, PROFILE, NAME)?;
    let metadata = ProfileMetadata::decode(&fields.need(TAG_METADATA, "metadata")?)?;
    let package = fields.octets(PACKAGE, "package")?;
    let mut profile = InstalledProfile::install(fields.array(DOMAIN, "domain")?, metadata, package)
        .map_err(|_| RestoreError::Profile)?;
    profile.enabled = fields.boolean(ENABLED, "enabled")?;
    profile.nickname = fields.text_if(NICKNAME, "nickname")?.map(str::to_owned);
    profile.smdp_oid = fields.oid_if(SMDP_OID, "server")?;
    let numbers = fields.octets(SEQUENCE_NUMBERS, "sequence numbers")?;
    profile.sequence_numbers =
        SequenceNumbers::from_octets(numbers).ok_or(RestoreError::Profile)?;
    Ok(profile)
}
