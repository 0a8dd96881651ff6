//! The profile package: what a profile consists of, in the interoperable format of the Trusted Connectivity
//! Alliance (formerly SIMalliance). A package is a sequence of profile elements; an eUICC installs one after
//! the other.
//!
//! [`Package::parse`] reads one, [`check`] judges it, [`personalise`] makes a subscriber's profile of a
//! template, [`standard_template`] is a template of our own.
//!
//! Source: TCA Profile Package v3.3.1

mod check;
mod file;
mod node;
mod personalise;
mod response;
mod secret;
mod template;

pub use check::{Summary, check};
pub use file::{
    DefaultContent, FileDefinition, FileStructure, default_file, default_files, file_content,
};
pub use node::{Content, Node};
pub use personalise::{
    NetworkAccess, OtaKey, Personalisation, RadioAccess, SubscriberKeys, personalise,
};
pub use response::{ElementStatus, InstallResponse};
pub use secret::{Digits, Secret};
pub use template::{TemplateVariant, standard_template};

use std::fmt;

use crate::tlv::{CHILDREN_MAX, Reader, Tag, TlvError};

/// What a profile element is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementKind {
    /// What the package needs and which profile it is; always the first.
    Header,
    /// Files outside the templates.
    GenericFileManagement,
    /// PINs and administrative keys.
    PinCodes,
    /// PUKs.
    PukCodes,
    /// The subscriber's key and algorithm.
    AkaParameter,
    /// Authentication of cdma2000.
    CdmaParameter,
    /// A security domain with its keys.
    SecurityDomain,
    /// Remote file management.
    RemoteFileManagement,
    /// An application.
    Application,
    /// Something of one manufacturer.
    NonStandard,
    /// The last.
    End,
    /// The file system's root.
    MasterFile,
    /// DF.CD
    Cd,
    /// DF.TELECOM
    Telecom,
    /// ADF.USIM
    Usim,
    /// More files of ADF.USIM
    OptUsim,
    /// ADF.ISIM
    Isim,
    /// More files of ADF.ISIM
    OptIsim,
    /// DF.PHONEBOOK
    Phonebook,
    /// DF.GSM-ACCESS
    GsmAccess,
    /// ADF.CSIM
    Csim,
    /// More files of ADF.CSIM
    OptCsim,
    /// DF.EAP
    Eap,
    /// DF.5GS
    Df5gs,
    /// DF.SAIP
    DfSaip,
    /// An element of a later version, by its number.
    Other(u8),
}

/// The elements that are known, with their numbers.
const KINDS: [(ElementKind, u8); 25] = [
    (ElementKind::Header, 0),
    (ElementKind::GenericFileManagement, 1),
    (ElementKind::PinCodes, 2),
    (ElementKind::PukCodes, 3),
    (ElementKind::AkaParameter, 4),
    (ElementKind::CdmaParameter, 5),
    (ElementKind::SecurityDomain, 6),
    (ElementKind::RemoteFileManagement, 7),
    (ElementKind::Application, 8),
    (ElementKind::NonStandard, 9),
    (ElementKind::End, 10),
    (ElementKind::MasterFile, 16),
    (ElementKind::Cd, 17),
    (ElementKind::Telecom, 18),
    (ElementKind::Usim, 19),
    (ElementKind::OptUsim, 20),
    (ElementKind::Isim, 21),
    (ElementKind::OptIsim, 22),
    (ElementKind::Phonebook, 23),
    (ElementKind::GsmAccess, 24),
    (ElementKind::Csim, 25),
    (ElementKind::OptCsim, 26),
    (ElementKind::Eap, 27),
    (ElementKind::Df5gs, 28),
    (ElementKind::DfSaip, 29),
];

impl ElementKind {
    /// The kind with this tag; `None` when it is no profile element's.
    #[must_use]
    pub fn from_tag(tag: Tag) -> Option<Self> {
        let number = match tag.octets() {
            low @ 0xA0..=0xBE => low - 0xA0,
            high @ 0xBF1F..=0xBF7F => high - 0xBF00,
            _ => return None,
        };
        let number = u8::try_from(number).ok()?;
        Some(
            KINDS
                .into_iter()
                .find(|(_, known)| *known == number)
                .map_or(Self::Other(number), |(kind, _)| kind),
        )
    }

    /// Its tag.
    #[must_use]
    pub fn tag(self) -> Tag {
        let number = match self {
            Self::Other(number) => u32::from(number),
            known => KINDS
                .into_iter()
                .find(|(kind, _)| *kind == known)
                .map_or(0, |(_, number)| u32::from(number)),
        };
        crate::message::group(number)
    }

    /// Its name, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::GenericFileManagement => "genericFileManagement",
            Self::PinCodes => "pinCodes",
            Self::PukCodes => "pukCodes",
            Self::AkaParameter => "akaParameter",
            Self::CdmaParameter => "cdmaParameter",
            Self::SecurityDomain => "securityDomain",
            Self::RemoteFileManagement => "rfm",
            Self::Application => "application",
            Self::NonStandard => "nonStandard",
            Self::End => "end",
            Self::MasterFile => "mf",
            Self::Cd => "cd",
            Self::Telecom => "telecom",
            Self::Usim => "usim",
            Self::OptUsim => "opt-usim",
            Self::Isim => "isim",
            Self::OptIsim => "opt-isim",
            Self::Phonebook => "phonebook",
            Self::GsmAccess => "gsm-access",
            Self::Csim => "csim",
            Self::OptCsim => "opt-csim",
            Self::Eap => "eap",
            Self::Df5gs => "df-5gs",
            Self::DfSaip => "df-saip",
            Self::Other(_) => "element of a later version",
        }
    }
}

/// A package is refused: which element, and why. Whoever made the template is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PackageError {
    /// The element; `None` when it is about the package as a whole.
    pub element: Option<ElementKind>,
    /// Its place in the package, from 0.
    pub place: usize,
    /// What is wrong.
    pub why: Complaint,
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.element {
            Some(kind) => write!(f, "element {} ({}): {}", self.place, kind.name(), self.why),
            None => write!(f, "at element {}: {}", self.place, self.why),
        }
    }
}

/// What can be wrong with a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Complaint {
    /// It is not well formed.
    #[error("{0}")]
    Tlv(#[from] TlvError),
    /// An object that is no profile element.
    #[error("not a profile element")]
    NotAnElement,
    /// A field is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field has a value that it cannot have.
    #[error("{0} is not valid")]
    Invalid(&'static str),
    /// The element may not stand here.
    #[error("it may not stand here: {0}")]
    Misplaced(&'static str),
    /// The package lacks an element.
    #[error("the package has no element {0}")]
    NoElement(&'static str),
    /// Two elements have one number.
    #[error("its identification is not unique")]
    DuplicateIdentification,
}

/// One element: its kind and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// What it is about.
    pub kind: ElementKind,
    /// Its content.
    pub node: Node,
}

/// The tag of the header of most elements.
const ELEMENT_HEADER: Tag = Tag::new(0xA0);
/// The tag of the identification in the header of an element.
const IDENTIFICATION: Tag = Tag::new(0x81);

impl Element {
    /// The number of the element in the package, by which an eUICC complains about it. The header of the
    /// package has none.
    #[must_use]
    pub fn identification(&self) -> Option<u64> {
        match self.kind {
            ElementKind::Header => None,
            _ => self
                .node
                .child(ELEMENT_HEADER)?
                .child(IDENTIFICATION)?
                .number(),
        }
    }
}

/// A profile package: an unprotected one (UPP).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its elements in their order.
    pub elements: Vec<Element>,
}

impl Package {
    /// Reads a package. Whether it makes sense is for [`check`] to say.
    ///
    /// # Errors
    /// [`PackageError`] with the place of the element that cannot be read.
    pub fn parse(bytes: &[u8]) -> Result<Self, PackageError> {
        let mut reader = Reader::new(bytes);
        let mut elements = Vec::new();
        let refused = |place, element, why| PackageError {
            element,
            place,
            why,
        };
        loop {
            let place = elements.len();
            let Some(tlv) = reader
                .take()
                .map_err(|error| refused(place, None, error.into()))?
            else {
                break;
            };
            let kind = ElementKind::from_tag(tlv.tag())
                .ok_or_else(|| refused(place, None, Complaint::NotAnElement))?;
            let node =
                Node::parse(&tlv).map_err(|error| refused(place, Some(kind), error.into()))?;
            elements.push(Element { kind, node });
            if elements.len() > CHILDREN_MAX {
                return Err(refused(place, None, TlvError::TooMany.into()));
            }
        }
        Ok(Self { elements })
    }

    /// The octets of the package.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.elements
            .iter()
            .flat_map(|one| one.node.encode())
            .collect()
    }

    /// The first element of a kind.
    #[must_use]
    pub fn find(&self, kind: ElementKind) -> Option<&Element> {
        self.elements.iter().find(|one| one.kind == kind)
    }
}

#[cfg(test)]
mod tests;
