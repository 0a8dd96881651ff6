//! What a chip and a device can do.

use std::fmt;

use super::{SEQUENCE, Wire, context, group};
use crate::tlv::{DecodeError, Fields, NamedBits, Reader, Tag, Tlv, Writer};

/// `EUICCInfo1`
pub const TAG_INFO1: Tag = Tag::new(0xBF20);
/// `EUICCInfo2`
pub const TAG_INFO2: Tag = Tag::new(0xBF22);

const KEY_ID: Tag = Tag::new(0x04);
const VERIFICATION_KEYS: Tag = group(9);
const SIGNING_KEYS: Tag = group(10);
const SIGNING_KEYS_V3: Tag = group(17);

/// A version: major, minor, revision.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Version(pub [u8; 3]);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, revision] = self.0;
        write!(f, "{major}.{minor}.{revision}")
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The identifier of a root's public key.
pub type KeyId = Vec<u8>;

/// The roots a chip knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RootKeys {
    /// Those by which it verifies servers, best first.
    pub verification: Vec<KeyId>,
    /// Those by which servers can verify it, best first.
    pub signing: Vec<KeyId>,
    /// The same for chains of v3.
    pub signing_v3: Vec<KeyId>,
}

impl RootKeys {
    fn read(fields: &Fields<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            verification: key_ids(
                &fields.need(VERIFICATION_KEYS, "euiccCiPKIdListForVerification")?,
            )?,
            signing: key_ids(&fields.need(SIGNING_KEYS, "euiccCiPKIdListForSigning")?)?,
            signing_v3: fields
                .find(SIGNING_KEYS_V3)
                .map(|list| key_ids(&list))
                .transpose()?
                .unwrap_or_default(),
        })
    }

    fn write_v2(&self, w: &mut Writer) {
        for (tag, list) in [
            (VERIFICATION_KEYS, &self.verification),
            (SIGNING_KEYS, &self.signing),
        ] {
            write_keys(w, tag, list);
        }
    }

    fn write_v3(&self, w: &mut Writer) {
        if !self.signing_v3.is_empty() {
            write_keys(w, SIGNING_KEYS_V3, &self.signing_v3);
        }
    }
}

fn write_keys(w: &mut Writer, tag: Tag, list: &[KeyId]) {
    w.nested(tag, |w| {
        for id in list {
            w.octets(KEY_ID, id);
        }
    });
}

fn key_ids(list: &Tlv<'_>) -> Result<Vec<KeyId>, DecodeError> {
    let fields = Fields::inside(list, "list of key identifiers")?;
    Ok(fields
        .members()
        .iter()
        .filter(|one| one.tag() == KEY_ID)
        .map(|one| one.value().to_vec())
        .collect())
}

/// What a chip tells a server before it knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EuiccInfo1 {
    /// The version of SGP.22 it supports (the lowest, in v3).
    pub svn: Version,
    /// The roots it knows.
    pub roots: RootKeys,
}

const INFO1: &str = "EUICCInfo1";

impl Wire for EuiccInfo1 {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_INFO1, |w| {
            w.octets(context(2), &self.svn.0);
            self.roots.write_v2(w);
            self.roots.write_v3(w);
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_INFO1, INFO1)?;
        Ok(Self {
            svn: Version(fields.array(context(2), "svn")?),
            roots: RootKeys::read(&fields)?,
        })
    }
}

/// Everything a chip tells a server that it trusts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EuiccInfo2 {
    /// The version of the profile package it understands.
    pub profile_version: Version,
    /// The version of SGP.22 it supports.
    pub svn: Version,
    /// Its firmware.
    pub firmware_version: Version,
    /// Free memory, as ETSI TS 102 226 §8.2.1.7 encodes it.
    pub ext_card_resource: Vec<u8>,
    /// What profiles may use.
    pub uicc_capability: NamedBits,
    /// The Java Card version.
    pub javacard_version: Option<Version>,
    /// The GlobalPlatform version.
    pub globalplatform_version: Option<Version>,
    /// What it can do in remote provisioning.
    pub rsp_capability: NamedBits,
    /// The roots it knows.
    pub roots: RootKeys,
    /// Its category: 1 basic, 2 medium, 3 contactless.
    pub category: Option<u64>,
    /// The profile policy rules that it never accepts.
    pub forbidden_rules: Option<NamedBits>,
    /// The version of its protection profile.
    pub pp_version: Version,
    /// The accreditation of its maker.
    pub accreditation: String,
}

/// Bits of [`EuiccInfo2::uicc_capability`].
///
/// Source: TCA Profile Package v3.3.1
pub mod capability {
    /// USIM applications.
    pub const USIM: u32 = 1;
    /// ISIM applications.
    pub const ISIM: u32 = 2;
    /// Milenage.
    pub const MILENAGE: u32 = 4;
    /// TUAK with keys of 128 bits.
    pub const TUAK_128: u32 = 6;
    /// Java Card.
    pub const JAVACARD: u32 = 14;
    /// Files in BER-TLV structure.
    pub const BER_TLV_FILES: u32 = 19;
    /// The GET IDENTITY command: the chip computes the SUCI.
    pub const GET_IDENTITY: u32 = 22;
    /// SUCI profile A.
    pub const PROFILE_A_X25519: u32 = 23;
    /// SUCI profile B.
    pub const PROFILE_B_P256: u32 = 24;
}

const INFO2: &str = "EUICCInfo2";

impl EuiccInfo2 {
    /// The free non-volatile memory in octets, when the chip says it.
    #[must_use]
    pub fn free_memory_octets(&self) -> Option<u64> {
        let mut reader = Reader::new(&self.ext_card_resource);
        while let Ok(Some(one)) = reader.take() {
            if one.tag() == Tag::new(0x82) && one.value().len() <= 8 {
                let number = one.value().iter();
                return Some(number.fold(0, |sum, octet| (sum << 8) | u64::from(*octet)));
            }
        }
        None
    }

    /// What [`ext_card_resource`](Self::ext_card_resource) says for this much memory.
    #[must_use]
    pub fn card_resource(applications: u8, free_memory: u32, free_volatile: u32) -> Vec<u8> {
        let mut w = Writer::new();
        w.octets(Tag::new(0x81), &[applications])
            .octets(Tag::new(0x82), &free_memory.to_be_bytes())
            .octets(Tag::new(0x83), &free_volatile.to_be_bytes());
        w.finish()
    }
}

impl Wire for EuiccInfo2 {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_INFO2, |w| {
            w.octets(context(1), &self.profile_version.0)
                .octets(context(2), &self.svn.0)
                .octets(context(3), &self.firmware_version.0)
                .octets(context(4), &self.ext_card_resource)
                .bits(context(5), self.uicc_capability)
                .octets_if(context(6), self.javacard_version.as_ref().map(|v| &v.0[..]))
                .octets_if(
                    context(7),
                    self.globalplatform_version.as_ref().map(|v| &v.0[..]),
                )
                .bits(context(8), self.rsp_capability);
            self.roots.write_v2(w);
            if let Some(category) = self.category {
                w.integer(context(11), category);
            }
            if let Some(rules) = self.forbidden_rules {
                w.bits(context(25), rules);
            }
            w.octets(Tag::new(0x04), &self.pp_version.0)
                .octets(Tag::new(0x0C), self.accreditation.as_bytes());
            self.roots.write_v3(w);
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_INFO2, INFO2)?;
        let version = |tag, name| fields.array(tag, name).map(Version);
        let optional = |tag, name| fields.array_if(tag, name).map(|v| v.map(Version));
        Ok(Self {
            profile_version: version(context(1), "profileVersion")?,
            svn: version(context(2), "svn")?,
            firmware_version: version(context(3), "euiccFirmwareVer")?,
            ext_card_resource: fields.octets(context(4), "extCardResource")?.to_vec(),
            uicc_capability: fields.bits(context(5), "uiccCapability")?,
            javacard_version: optional(context(6), "javacardVersion")?,
            globalplatform_version: optional(context(7), "globalplatformVersion")?,
            rsp_capability: fields.bits(context(8), "rspCapability")?,
            roots: RootKeys::read(&fields)?,
            category: fields.integer_if(context(11), "euiccCategory")?,
            forbidden_rules: fields.bits_if(context(25), "forbiddenProfilePolicyRules")?,
            pp_version: version(Tag::new(0x04), "ppVersion")?,
            accreditation: fields
                .text(Tag::new(0x0C), "sasAcreditationNumber")?
                .to_owned(),
        })
    }
}

/// The device that asks. Capabilities are kept as they came.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct DeviceInfo {
    /// The type allocation code.
    pub tac: [u8; 4],
    /// What the device supports: objects `80` to `8D`, a version each.
    pub capabilities: Vec<u8>,
    /// Its IMEI, if it says so.
    pub imei: Option<[u8; 8]>,
}

impl fmt::Debug for DeviceInfo {
    /// Without the IMEI, which is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceInfo(TAC {})", crate::identity::hex(&self.tac))
    }
}

impl DeviceInfo {
    /// The highest release of a kind that the device supports: 0 GSM, 1 UTRAN, 5 E-UTRAN, 8 NR in EPC, 9 NR
    /// in 5GC.
    #[must_use]
    pub fn release(&self, kind: u32) -> Option<Version> {
        let mut reader = Reader::new(&self.capabilities);
        while let Ok(Some(one)) = reader.take() {
            if one.tag() == context(kind) {
                return one.value().try_into().ok().map(Version);
            }
        }
        None
    }

    pub(super) fn write(&self, w: &mut Writer, tag: Tag) {
        w.nested(tag, |w| {
            w.octets(context(0), &self.tac)
                .octets(group(1), &self.capabilities)
                .octets_if(context(2), self.imei.as_ref().map(|imei| &imei[..]));
        });
    }

    pub(super) fn read(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::inside(tlv, "DeviceInfo")?;
        let capabilities = fields.need(group(1), "deviceCapabilities")?;
        Fields::inside(&capabilities, "deviceCapabilities")?;
        Ok(Self {
            tac: fields.array(context(0), "tac")?,
            capabilities: capabilities.value().to_vec(),
            imei: fields.array_if(context(2), "imei")?,
        })
    }
}

/// What the LPA wants and on which device: `ctxParamsForCommonAuthentication`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CtxParams1 {
    /// The activation code's token or an event's identifier; absent or empty for the default flow.
    pub matching_id: Option<String>,
    /// The device.
    pub device: DeviceInfo,
}

impl fmt::Debug for CtxParams1 {
    /// Without the token: whoever has it has the profile.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CtxParams1").field(&self.device).finish()
    }
}

const CTX_PARAMS1: &str = "ctxParams1";

impl Wire for CtxParams1 {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(group(0), |w| {
            w.octets_if(context(0), self.matching_id.as_deref().map(str::as_bytes));
            self.device.write(w, group(1));
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, group(0), CTX_PARAMS1)?;
        Ok(Self {
            matching_id: fields.text_if(context(0), "matchingId")?.map(str::to_owned),
            device: DeviceInfo::read(&fields.need(group(1), "deviceInfo")?)?,
        })
    }
}

/// Which operators may set which rules on a chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorisationRule {
    /// The rules it is about.
    pub rules: NamedBits,
    /// The operators.
    pub operators: Vec<super::metadata::OperatorId>,
    /// Whether the user must consent.
    pub consent_required: bool,
}

impl AuthorisationRule {
    /// Whether an operator may set a rule, by its bit.
    #[must_use]
    pub fn allows(&self, bit: u32, owner: Option<&super::metadata::OperatorId>) -> bool {
        let covers = |owner: &super::metadata::OperatorId| {
            let mut operators = self.operators.iter();
            operators.any(|one| one.plmn.covers(&owner.plmn))
        };
        self.rules.has(bit) && owner.is_some_and(covers)
    }

    /// Reads one rule of the table.
    pub(super) fn read(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, SEQUENCE, "ProfilePolicyAuthorisationRule")?;
        let operators = fields.group(group(1), "allowedOperators")?;
        let read = |one| super::metadata::OperatorId::read(one);
        Ok(Self {
            rules: fields.bits(context(0), "pprIds")?,
            operators: operators
                .members()
                .iter()
                .map(read)
                .collect::<Result<_, _>>()?,
            consent_required: fields.bits(context(2), "pprFlags")?.has(0),
        })
    }

    /// Writes one rule of the table.
    pub(super) fn write(&self, w: &mut Writer) {
        w.nested(SEQUENCE, |w| {
            w.bits(context(0), self.rules);
            w.nested(group(1), |w| {
                for one in &self.operators {
                    one.write(w, SEQUENCE);
                }
            });
            let flags = if self.consent_required {
                NamedBits::of(&[0])
            } else {
                NamedBits::NONE
            };
            w.bits(context(2), flags);
        });
    }
}
