//! What a profile is called, and its rules: shown before the download, stored in the chip with it.

use super::{ICCID, SEQUENCE, Wire, codes, context, group};
use crate::identity::{Iccid, Plmn};
use crate::tlv::{DecodeError, Fields, NamedBits, Tag, Tlv, Writer};

/// `StoreMetadataRequest`
pub const TAG_METADATA: Tag = Tag::new(0xBF25);

/// The longest name of an operator, in octets.
pub const SERVICE_PROVIDER_NAME_MAX: usize = 32;
/// The longest name of a profile, in octets.
pub const PROFILE_NAME_MAX: usize = 64;
/// The largest icon, in octets.
pub const ICON_MAX: usize = 1_024;

codes! {
    /// What a profile is for.
    ProfileClass {
        /// Tests.
        Test = 0,
        /// Reaching a server that has a profile.
        Provisioning = 1,
        /// Use.
        Operational = 2,
    }
}

/// How an icon is encoded; 64 by 64 points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IconType {
    /// JPEG
    Jpg,
    /// PNG
    Png,
}

/// An icon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// How it is encoded.
    pub kind: IconType,
    /// Its octets.
    pub image: Vec<u8>,
}

/// Bits of the profile policy rules.
pub mod rule {
    /// The rules may be changed over the air.
    pub const UPDATE_CONTROL: u32 = 0;
    /// The profile may not be disabled.
    pub const PPR1: u32 = 1;
    /// The profile may not be deleted.
    pub const PPR2: u32 = 2;
}

/// Bits of the events that a chip reports.
pub mod event {
    /// A profile was installed.
    pub const INSTALL: u32 = 0;
    /// A profile was enabled.
    pub const ENABLE: u32 = 1;
    /// A profile was disabled.
    pub const DISABLE: u32 = 2;
    /// A profile was deleted.
    pub const DELETE: u32 = 3;
}

/// The operator that owns a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorId {
    /// The network.
    pub plmn: Plmn,
    /// The group identifier of level 1.
    pub gid1: Option<Vec<u8>>,
    /// The group identifier of level 2.
    pub gid2: Option<Vec<u8>>,
}

impl OperatorId {
    pub(super) fn read(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::inside(tlv, "OperatorID")?;
        Ok(Self {
            plmn: Plmn::from_octets(fields.array(context(0), "mccMnc")?),
            gid1: fields.find(context(1)).map(|one| one.value().to_vec()),
            gid2: fields.find(context(2)).map(|one| one.value().to_vec()),
        })
    }

    pub(super) fn write(&self, w: &mut Writer, tag: Tag) {
        w.nested(tag, |w| {
            w.octets(context(0), self.plmn.as_octets())
                .octets_if(context(1), self.gid1.as_deref())
                .octets_if(context(2), self.gid2.as_deref());
        });
    }
}

/// Who hears of which events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationReceiver {
    /// The events, see [`event`].
    pub events: NamedBits,
    /// The host name of the receiver.
    pub address: String,
}

/// `StoreMetadataRequest`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileMetadata {
    /// The number of the profile.
    pub iccid: Iccid,
    /// The operator's name.
    pub service_provider_name: String,
    /// The profile's name.
    pub profile_name: String,
    /// The icon.
    pub icon: Option<Icon>,
    /// What it is for; `None` means use.
    pub class: Option<ProfileClass>,
    /// Who hears of events.
    pub notifications: Vec<NotificationReceiver>,
    /// The operator that owns it.
    pub owner: Option<OperatorId>,
    /// Its policy rules, see [`rule`].
    pub rules: Option<NamedBits>,
}

impl ProfileMetadata {
    /// Metadata with names only.
    #[must_use]
    pub const fn new(iccid: Iccid, service_provider_name: String, profile_name: String) -> Self {
        Self {
            iccid,
            service_provider_name,
            profile_name,
            icon: None,
            class: None,
            notifications: Vec::new(),
            owner: None,
            rules: None,
        }
    }
}

const METADATA: &str = "StoreMetadataRequest";

impl Wire for ProfileMetadata {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_METADATA, |w| {
            w.octets(ICCID, self.iccid.as_octets())
                .octets(context(17), self.service_provider_name.as_bytes())
                .octets(context(18), self.profile_name.as_bytes());
            write_icon(w, self.icon.as_ref());
            if let Some(class) = self.class {
                w.integer(context(21), class.code());
            }
            write_notifications(w, &self.notifications);
            if let Some(owner) = &self.owner {
                owner.write(w, group(23));
            }
            if let Some(rules) = self.rules {
                w.bits(context(25), rules);
            }
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_METADATA, METADATA)?;
        let name = |tag, most, field| {
            let text = fields.text(tag, field)?;
            if text.len() > most {
                return Err(fields.invalid(field));
            }
            Ok(text.to_owned())
        };
        Ok(Self {
            iccid: read_iccid(&fields)?,
            service_provider_name: name(
                context(17),
                SERVICE_PROVIDER_NAME_MAX,
                "serviceProviderName",
            )?,
            profile_name: name(context(18), PROFILE_NAME_MAX, "profileName")?,
            icon: read_icon(&fields)?,
            class: fields
                .integer_if(context(21), "profileClass")?
                .and_then(ProfileClass::from_code),
            notifications: read_notifications(&fields)?,
            owner: fields
                .find(group(23))
                .map(|owner| OperatorId::read(&owner))
                .transpose()?,
            rules: fields.bits_if(context(25), "profilePolicyRules")?,
        })
    }
}

/// The ICCID in a structure.
pub(super) fn read_iccid(fields: &Fields<'_>) -> Result<Iccid, DecodeError> {
    read_iccid_if(fields)?.ok_or_else(|| fields.missing("iccid"))
}

/// The ICCID in a structure that may lack it.
pub(super) fn read_iccid_if(fields: &Fields<'_>) -> Result<Option<Iccid>, DecodeError> {
    fields
        .array_if(ICCID, "iccid")?
        .map(|octets| Iccid::from_octets(octets).map_err(|_| fields.invalid("iccid")))
        .transpose()
}

pub(super) fn write_icon(w: &mut Writer, icon: Option<&Icon>) {
    if let Some(icon) = icon {
        let kind = match icon.kind {
            IconType::Jpg => 0,
            IconType::Png => 1,
        };
        w.integer(context(19), kind)
            .octets(context(20), &icon.image);
    }
}

pub(super) fn read_icon(fields: &Fields<'_>) -> Result<Option<Icon>, DecodeError> {
    let kind = match fields.integer_if(context(19), "iconType")? {
        Some(0) => IconType::Jpg,
        Some(1) => IconType::Png,
        _ => return Ok(None),
    };
    let Some(image) = fields.find(context(20)) else {
        return Ok(None);
    };
    if image.value().len() > ICON_MAX {
        return Err(fields.invalid("icon"));
    }
    Ok(Some(Icon {
        kind,
        image: image.value().to_vec(),
    }))
}

pub(super) fn write_notifications(w: &mut Writer, receivers: &[NotificationReceiver]) {
    if receivers.is_empty() {
        return;
    }
    w.nested(group(22), |w| {
        for one in receivers {
            w.nested(SEQUENCE, |w| {
                w.bits(context(0), one.events)
                    .octets(context(1), one.address.as_bytes());
            });
        }
    });
}

pub(super) fn read_notifications(
    fields: &Fields<'_>,
) -> Result<Vec<NotificationReceiver>, DecodeError> {
    let Some(list) = fields.find(group(22)) else {
        return Ok(Vec::new());
    };
    Fields::inside(&list, "notificationConfigurationInfo")?
        .members()
        .iter()
        .map(|one| {
            let fields = Fields::of(one, SEQUENCE, "NotificationConfigurationInformation")?;
            Ok(NotificationReceiver {
                events: fields.bits(context(0), "profileManagementOperation")?,
                address: fields.text(context(1), "notificationAddress")?.to_owned(),
            })
        })
        .collect()
}
