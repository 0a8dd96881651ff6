//! A profile in the chip.

use std::fmt;

use simurgh_rsp::identity::Iccid;
use simurgh_rsp::message::es10::{ProfileInfo, ProfileState};
use simurgh_rsp::message::metadata::{ProfileClass, ProfileMetadata, rule};
use simurgh_rsp::saip::{
    Element, ElementKind, ElementStatus, InstallResponse, Node, Package, Secret, check,
};
use simurgh_rsp::tlv::{Oid, Tag};
use zeroize::Zeroizing;

use crate::authenticate::{Milenage, SequenceNumbers};
use crate::filesystem::{Directory, InstalledFile, files_of};

/// An installed profile.
pub struct InstalledProfile {
    /// The identifier of its security domain.
    pub(crate) aid: [u8; 16],
    pub(crate) metadata: ProfileMetadata,
    pub(crate) nickname: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) smdp_oid: Option<Oid>,
    pub(crate) files: Vec<InstalledFile>,
    pub(crate) milenage: Option<Milenage>,
    pub(crate) sequence_numbers: SequenceNumbers,
    /// What it was made of, to make it again after power off.
    pub(crate) package: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for InstalledProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstalledProfile")
            .field("enabled", &self.enabled)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// A package was not installed, and what the chip says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InstallRefusal {
    /// The profile has another number than its metadata say.
    IccidMismatch,
    /// An element is not right or not supported.
    Element(InstallResponse),
}

/// Status numbers of profile elements.
const BAD_FORMAT: u64 = 5;
const FEATURE_NOT_SUPPORTED: u64 = 10;
const VERSION_NOT_SUPPORTED: u64 = 31;

/// The services of `ServicesList` that this chip takes: USIM and Milenage, which it has; ISIM, CSIM and the test
/// algorithm, which it keeps and does not run, since test profiles (GSMA TS.48) demand them.
const SERVICES: [u8; 5] = [1, 2, 3, 4, 17];

impl InstalledProfile {
    /// Installs a package.
    ///
    /// # Errors
    /// [`InstallRefusal`].
    pub(crate) fn install(
        aid: [u8; 16],
        metadata: ProfileMetadata,
        package: &[u8],
    ) -> Result<Self, InstallRefusal> {
        let elements = Package::parse(package).map_err(|_| refusal(BAD_FORMAT, None, 0))?;
        let summary = check(&elements).map_err(|error| {
            let element = elements.elements.get(error.place);
            refusal(BAD_FORMAT, element.and_then(Element::identification), 0)
        })?;
        if summary.version.0 > 3 {
            return Err(refusal(VERSION_NOT_SUPPORTED, None, 0));
        }
        if summary.iccid != metadata.iccid {
            return Err(InstallRefusal::IccidMismatch);
        }
        let unknown = summary.services.iter().find(|one| !SERVICES.contains(one));
        if let Some(service) = unknown {
            return Err(refusal(FEATURE_NOT_SUPPORTED, None, u64::from(*service)));
        }
        let aka = elements.find(ElementKind::AkaParameter);
        Ok(Self {
            aid,
            metadata,
            nickname: None,
            enabled: false,
            smdp_oid: None,
            files: elements.elements.iter().flat_map(files_of).collect(),
            milenage: aka.and_then(milenage),
            sequence_numbers: SequenceNumbers::default(),
            package: Zeroizing::new(package.to_vec()),
        })
    }

    /// Its number.
    #[must_use]
    pub const fn iccid(&self) -> &Iccid {
        &self.metadata.iccid
    }

    /// Whether it is in use.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// What it is called.
    #[must_use]
    pub const fn metadata(&self) -> &ProfileMetadata {
        &self.metadata
    }

    /// Its files.
    #[must_use]
    pub fn files(&self) -> &[InstalledFile] {
        &self.files
    }

    /// A file by place and identifier.
    #[must_use]
    pub fn file(&self, directory: Directory, id: u16) -> Option<&InstalledFile> {
        self.files
            .iter()
            .find(|one| one.directory == directory && one.id == id)
    }

    /// Whether its rules forbid something.
    pub(crate) fn forbids(&self, bit: u32) -> bool {
        self.metadata.rules.is_some_and(|rules| rules.has(bit))
    }

    pub(crate) fn forbids_disabling(&self) -> bool {
        self.forbids(rule::PPR1)
    }

    pub(crate) fn forbids_deletion(&self) -> bool {
        self.forbids(rule::PPR2)
    }

    pub(crate) fn class(&self) -> ProfileClass {
        self.metadata.class.unwrap_or(ProfileClass::Operational)
    }

    /// Whether it is for tests of the device.
    pub(crate) fn is_test(&self) -> bool {
        self.class() == ProfileClass::Test
    }

    /// What the chip tells of it.
    pub(crate) fn info(&self) -> ProfileInfo {
        ProfileInfo {
            iccid: Some(self.metadata.iccid),
            aid: Some(self.aid.to_vec()),
            state: Some(if self.enabled {
                ProfileState::Enabled
            } else {
                ProfileState::Disabled
            }),
            nickname: self.nickname.clone(),
            service_provider_name: Some(self.metadata.service_provider_name.clone()),
            profile_name: Some(self.metadata.profile_name.clone()),
            icon: self.metadata.icon.clone(),
            class: Some(self.class()),
            notifications: self.metadata.notifications.clone(),
            owner: self.metadata.owner.clone(),
            smdp_oid: self.smdp_oid.clone(),
            rules: self.metadata.rules,
        }
    }
}

fn refusal(status: u64, identification: Option<u64>, additional: u64) -> InstallRefusal {
    InstallRefusal::Element(InstallResponse {
        elements: vec![ElementStatus {
            status,
            identification,
            additional: (additional != 0).then_some(additional),
            offset: None,
        }],
        aborted: true,
        message: None,
    })
}

/// The algorithm of an element, when it is Milenage with the usual constants.
fn milenage(element: &Element) -> Option<Milenage> {
    let own = element
        .node
        .child(Tag::new(0xA1))
        .and_then(|choice| choice.child(Tag::new(0xA1)))?;
    if own.child(Tag::new(0x80)).and_then(Node::number) != Some(1) {
        return None;
    }
    let value = |tag| own.child(Tag::new(tag)).and_then(Node::value);
    let secret = |tag| value(tag)?.try_into().ok().map(Secret::new);
    Milenage::new(&secret(0x82)?, secret(0x83)?)
}
