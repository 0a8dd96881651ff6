//! The profiles of a chip: what can be asked about them, and the answer.

use super::{ProfileId, TAG_PROFILES_INFO};
use crate::identity::Iccid;
use crate::message::metadata::{
    Icon, NotificationReceiver, OperatorId, ProfileClass, read_iccid_if, read_icon,
    read_notifications, write_icon, write_notifications,
};
use crate::message::{AID, ICCID, OBJECT_IDENTIFIER, TAG_LIST, Wire, codes, context, group};
use crate::tlv::{DecodeError, Fields, NamedBits, Oid, Reader, Tag, Tlv, Writer};

const TAG_PROFILE: Tag = Tag::new(0xE3);
const TAG_STATE: Tag = Tag::new(0x9F70);

codes! {
    /// Whether a profile is in use.
    ProfileState {
        /// It is not.
        Disabled = 0,
        /// It is.
        Enabled = 1,
    }
}

/// `ProfileInfoListRequest`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// One profile.
    pub profile: Option<ProfileId>,
    /// Profiles of a class.
    pub class: Option<ProfileClass>,
    /// The objects the answer shall have; `None` for the usual ones.
    pub tags: Option<Vec<Tag>>,
}

impl Wire for Search {
    fn encode(&self) -> Vec<u8> {
        Writer::nest(TAG_PROFILES_INFO, |w| {
            if self.profile.is_some() || self.class.is_some() {
                w.nested(group(0), |w| {
                    if let Some(profile) = &self.profile {
                        profile.write(w);
                    } else if let Some(class) = self.class {
                        w.integer(context(21), class.code());
                    }
                });
            }
            if let Some(tags) = &self.tags {
                let octets: Vec<u8> = tags.iter().flat_map(|tag| tag_octets(*tag)).collect();
                w.octets(TAG_LIST, &octets);
            }
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_PROFILES_INFO, "ProfileInfoListRequest")?;
        let (mut profile, mut class) = (None, None);
        if let Some(criteria) = fields.find(group(0)) {
            let criteria = Fields::inside(&criteria, "searchCriteria")?;
            match criteria.integer_if(context(21), "profileClass")? {
                Some(code) => class = ProfileClass::from_code(code),
                None => profile = Some(ProfileId::read(&criteria)?),
            }
        }
        let tags = fields
            .find(TAG_LIST)
            .map(|list| read_tags(list.value()).ok_or_else(|| fields.invalid("tagList")))
            .transpose()?;
        Ok(Self {
            profile,
            class,
            tags,
        })
    }
}

fn tag_octets(tag: Tag) -> Vec<u8> {
    let octets = tag.octets().to_be_bytes();
    let length = usize::try_from(tag.len()).unwrap_or(1);
    octets.iter().skip(4 - length).copied().collect()
}

/// Tags one after the other, without lengths.
fn read_tags(mut octets: &[u8]) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    while let Some((first, rest)) = octets.split_first() {
        let mut tag = u32::from(*first);
        octets = rest;
        if first & 0x1F == 0x1F {
            loop {
                let (next, rest) = octets.split_first()?;
                tag = tag.checked_mul(256)? | u32::from(*next);
                octets = rest;
                if next & 0x80 == 0 {
                    break;
                }
            }
        }
        tags.push(Tag::new(tag));
    }
    Some(tags)
}

/// `ProfileInfo`: every part may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileInfo {
    /// Its number.
    pub iccid: Option<Iccid>,
    /// The identifier of its security domain.
    pub aid: Option<Vec<u8>>,
    /// Whether it is in use.
    pub state: Option<ProfileState>,
    /// What the user calls it.
    pub nickname: Option<String>,
    /// The operator's name.
    pub service_provider_name: Option<String>,
    /// The profile's name.
    pub profile_name: Option<String>,
    /// The icon.
    pub icon: Option<Icon>,
    /// What it is for.
    pub class: Option<ProfileClass>,
    /// Who hears of events.
    pub notifications: Vec<NotificationReceiver>,
    /// The operator that owns it.
    pub owner: Option<OperatorId>,
    /// The server that made it.
    pub smdp_oid: Option<Oid>,
    /// Its policy rules.
    pub rules: Option<NamedBits>,
}

impl ProfileInfo {
    /// Only the objects that were asked for, or the usual ones.
    ///
    /// Source: SGP.22 v2.5 §5.7.15
    #[must_use]
    pub fn filtered(&self, tags: Option<&[Tag]>) -> Self {
        const USUAL: [u32; 9] = [0x5A, 0x4F, 0x9F70, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95];
        let wants = |octets: u32| {
            tags.map_or_else(
                || USUAL.contains(&octets),
                |tags| tags.contains(&Tag::new(octets)),
            )
        };
        let icon = self.icon.clone().filter(|_| wants(0x93) || wants(0x94));
        Self {
            iccid: self.iccid.filter(|_| wants(0x5A)),
            aid: self.aid.clone().filter(|_| wants(0x4F)),
            state: self.state.filter(|_| wants(0x9F70)),
            nickname: self.nickname.clone().filter(|_| wants(0x90)),
            service_provider_name: self.service_provider_name.clone().filter(|_| wants(0x91)),
            profile_name: self.profile_name.clone().filter(|_| wants(0x92)),
            icon,
            class: self.class.filter(|_| wants(0x95)),
            notifications: if wants(0xB6) {
                self.notifications.clone()
            } else {
                Vec::new()
            },
            owner: self.owner.clone().filter(|_| wants(0xB7)),
            smdp_oid: self.smdp_oid.clone().filter(|_| wants(0xB8)),
            rules: self.rules.filter(|_| wants(0x99)),
        }
    }
}

impl Wire for ProfileInfo {
    fn encode(&self) -> Vec<u8> {
        let text = |text: &Option<String>| text.clone().map(String::into_bytes);
        Writer::nest(TAG_PROFILE, |w| {
            w.octets_if(
                ICCID,
                self.iccid.as_ref().map(|iccid| &iccid.as_octets()[..]),
            )
            .octets_if(AID, self.aid.as_deref());
            if let Some(state) = self.state {
                w.integer(TAG_STATE, state.code());
            }
            w.octets_if(context(16), text(&self.nickname).as_deref())
                .octets_if(context(17), text(&self.service_provider_name).as_deref())
                .octets_if(context(18), text(&self.profile_name).as_deref());
            write_icon(w, self.icon.as_ref());
            if let Some(class) = self.class {
                w.integer(context(21), class.code());
            }
            write_notifications(w, &self.notifications);
            if let Some(owner) = &self.owner {
                owner.write(w, group(23));
            }
            if let Some(oid) = &self.smdp_oid {
                w.nested(group(24), |w| {
                    w.oid(OBJECT_IDENTIFIER, oid);
                });
            }
            if let Some(rules) = self.rules {
                w.bits(context(25), rules);
            }
        })
    }

    fn decode(tlv: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tlv, TAG_PROFILE, "ProfileInfo")?;
        let text = |tag, field| fields.text_if(tag, field).map(|t| t.map(str::to_owned));
        let smdp_oid = fields
            .find(group(24))
            .map(|data| {
                let mut inside = Reader::new(data.value());
                let first = inside.take().ok().flatten();
                first
                    .filter(|one| one.tag() == OBJECT_IDENTIFIER)
                    .and_then(|one| Oid::from_octets(one.value()).ok())
            })
            .unwrap_or_default();
        Ok(Self {
            iccid: read_iccid_if(&fields)?,
            aid: fields.find(AID).map(|one| one.value().to_vec()),
            state: fields
                .integer_if(TAG_STATE, "profileState")?
                .and_then(ProfileState::from_code),
            nickname: text(context(16), "profileNickname")?,
            service_provider_name: text(context(17), "serviceProviderName")?,
            profile_name: text(context(18), "profileName")?,
            icon: read_icon(&fields)?,
            class: fields
                .integer_if(context(21), "profileClass")?
                .and_then(ProfileClass::from_code),
            notifications: read_notifications(&fields)?,
            owner: fields
                .find(group(23))
                .map(|owner| OperatorId::read(&owner))
                .transpose()?,
            smdp_oid,
            rules: fields.bits_if(context(25), "profilePolicyRules")?,
        })
    }
}
