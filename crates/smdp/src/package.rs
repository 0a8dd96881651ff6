//! Packaging: what a subscriber's profile is made of becomes protected packages, once, when it is prepared.
//!
//! A session later binds the keys of a package to one chip (about one kilobyte of work); the package itself is
//! never opened again.

use std::collections::BTreeSet;

use simurgh_app::ports::{
    Hidden, PackagingFault, PackedProfile, PackedVariant, ProfileMaterial, ProfilePackager,
    ShownCode,
};
use simurgh_rsp::activation_code::ActivationCode;
use simurgh_rsp::bpp::ProtectedProfile;
use simurgh_rsp::bsp::SessionKeys;
use simurgh_rsp::message::Wire;
use simurgh_rsp::message::metadata::{
    Icon, NotificationReceiver, OperatorId, PROFILE_NAME_MAX, ProfileClass, ProfileMetadata,
    SERVICE_PROVIDER_NAME_MAX, event,
};
use simurgh_rsp::saip::{
    Digits, NetworkAccess, OtaKey, Package, Personalisation, RadioAccess, Secret, SubscriberKeys,
    TemplateVariant, personalise, standard_template,
};
use simurgh_rsp::tlv::NamedBits;
use simurgh_vocab::identity::{Imsi, Plmn};
use zeroize::Zeroizing;

use crate::answer::Unexecuted;

/// The version of our templates: profiles made from older ones can be updated.
const TEMPLATES_VERSION: u32 = 1;

/// How many octets the keys of a package take before its segments.
const KEYS_OCTETS: usize = 48;

/// Makes packages from our own templates.
#[derive(Debug, Clone)]
pub struct Packager {
    address: String,
    icon: Option<Icon>,
    version: u32,
}

impl Packager {
    /// A packager for the server with this host name. Count `settings_version` up when what profiles are made of
    /// changed: they are then offered as an update.
    #[must_use]
    pub const fn new(address: String, settings_version: u32) -> Self {
        Self {
            address,
            icon: None,
            version: TEMPLATES_VERSION.saturating_add(settings_version),
        }
    }

    /// Shows an icon beside the profile's name.
    #[must_use]
    pub fn with_icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    fn metadata(&self, material: &ProfileMaterial) -> ProfileMetadata {
        let all = [event::INSTALL, event::ENABLE, event::DISABLE, event::DELETE];
        let name = |text: &str, most| shortened(text, most).to_owned();
        ProfileMetadata {
            icon: self.icon.clone(),
            class: Some(ProfileClass::Operational),
            notifications: vec![NotificationReceiver {
                events: NamedBits::of(&all),
                address: self.address.clone(),
            }],
            owner: Some(OperatorId {
                plmn: material.home,
                gid1: None,
                gid2: None,
            }),
            ..ProfileMetadata::new(
                material.iccid,
                name(&material.service_provider_name, SERVICE_PROVIDER_NAME_MAX),
                name(&material.profile_name, PROFILE_NAME_MAX),
            )
        }
    }
}

impl ProfilePackager for Packager {
    fn address(&self) -> &str {
        &self.address
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn pack(
        &self,
        material: &ProfileMaterial,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<PackedProfile, PackagingFault> {
        let data = personalisation(material)?;
        let variants = [TemplateVariant::FiveG, TemplateVariant::Basic];
        let variants: Result<Vec<PackedVariant>, PackagingFault> = variants
            .into_iter()
            .map(|variant| pack_variant(variant, &data, random))
            .collect();
        Ok(PackedProfile {
            metadata: self.metadata(material).encode(),
            rules: 0,
            version: self.version,
            variants: variants?,
        })
    }

    fn activation_code(
        &self,
        matching_id: &str,
        code_required: bool,
    ) -> Result<ShownCode, PackagingFault> {
        let mut code = ActivationCode::new(&self.address, matching_id).map_err(fault)?;
        if code_required {
            code = code.with_confirmation_code().map_err(fault)?;
        }
        Ok(ShownCode {
            code: code.to_string(),
            ios_link: code.ios_link(),
            android_link: code.android_link(),
        })
    }
}

fn pack_variant(
    variant: TemplateVariant,
    data: &Personalisation,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<PackedVariant, PackagingFault> {
    let (name, least_version) = match variant {
        TemplateVariant::FiveG => ("5g", [2, 3, 0]),
        TemplateVariant::Basic => ("basic", [2, 0, 0]),
    };
    let template = Package::parse(&standard_template(variant)).map_err(fault)?;
    let profile = Zeroizing::new(personalise(&template, data).map_err(fault)?);
    let protected = ProtectedProfile::protect(&profile, random).map_err(fault)?;
    let mut kept = Zeroizing::new(protected.keys().as_octets().to_vec());
    kept.extend_from_slice(protected.segments());
    Ok(PackedVariant {
        variant: name.to_owned(),
        least_version,
        size_octets: u64::try_from(profile.len()).unwrap_or(u64::MAX),
        protected: kept,
    })
}

/// Reads what [`pack_variant`] made and the store kept: the keys of the package and its segments.
pub(crate) fn stored_package(kept: &[u8]) -> Result<(SessionKeys, &[u8]), Unexecuted> {
    let (keys, segments) = kept
        .split_first_chunk::<KEYS_OCTETS>()
        .ok_or_else(|| Unexecuted::broken("a stored package is too short"))?;
    Ok((SessionKeys::from_octets(keys), segments))
}

fn personalisation(material: &ProfileMaterial) -> Result<Personalisation, PackagingFault> {
    let digits = |hidden: &Hidden<String>| hidden.show().parse::<Digits>().map_err(fault);
    let [pin1, pin2] = &material.pins;
    let [puk1, puk2] = &material.puks;
    let any = RadioAccess {
        gsm: true,
        utran: true,
        eutran: true,
        ngran: true,
    };
    let by_any = |plmn: &Plmn| NetworkAccess {
        plmn: *plmn,
        radio: any,
    };
    Ok(Personalisation {
        iccid: material.iccid,
        imsi: material.imsi.clone(),
        home: material.home,
        keys: SubscriberKeys::Milenage {
            ki: Secret::new(*material.ki.show()),
            opc: Secret::new(*material.opc.show()),
        },
        pin1: digits(pin1)?,
        pin2: digits(pin2)?,
        puk1: digits(puk1)?,
        puk2: digits(puk2)?,
        administrative: digits(&material.administrative)?,
        service_centre: material.service_centre.clone(),
        msisdn: material.msisdn.clone(),
        service_provider_name: material.service_provider_name.clone(),
        equivalent_home: Vec::new(),
        home_access: vec![by_any(&material.home)],
        preferred: material.preferred.iter().map(by_any).collect(),
        forbidden: unique(&material.forbidden),
        ota_keys: material
            .over_the_air
            .iter()
            .map(|one| OtaKey {
                version: one.version,
                identifier: one.identifier,
                key: Secret::new(*one.key.show()),
            })
            .collect(),
        access_class: access_class(&material.imsi),
    })
}

/// The last digit of the IMSI. Source: 3GPP TS 22.011 §4.2
fn access_class(imsi: &Imsi) -> Option<u8> {
    imsi.digits()
        .bytes()
        .last()
        .and_then(|digit| digit.checked_sub(b'0'))
}

fn unique(networks: &[Plmn]) -> Vec<Plmn> {
    let mut seen = BTreeSet::new();
    networks
        .iter()
        .filter(|plmn| seen.insert(*plmn.as_octets()))
        .copied()
        .collect()
}

/// As much of a text as fits, without cutting a letter.
fn shortened(text: &str, octets_max: usize) -> &str {
    let mut end = text.len().min(octets_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

fn fault(error: impl std::fmt::Display) -> PackagingFault {
    PackagingFault(error.to_string())
}
