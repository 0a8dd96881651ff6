//! Files: where each lies in its element, and what the templates say of it.

use super::{ElementKind, Node};
use crate::tlv::Tag;

/// `doNotCreate`
const DO_NOT_CREATE: Tag = Tag::new(0x80);
/// `fileDescriptor`
pub(super) const DESCRIPTOR: Tag = Tag::new(0xA1);
/// `fillFileOffset`
const OFFSET: Tag = Tag::new(0x82);
/// `fillFileContent`
pub(super) const CONTENT: Tag = Tag::new(0x83);
/// `efFileSize` in a descriptor
pub(super) const SIZE: Tag = Tag::new(0x80);
/// `proprietaryEFInfo` in a descriptor
const PROPRIETARY: Tag = Tag::new(0xA5);
/// `fillPattern`
const FILL: Tag = Tag::new(0xC1);
/// `repeatPattern`
const REPEAT: Tag = Tag::new(0xC2);

/// The largest file that is laid out, in octets.
const FILE_MAX: usize = 32_767;

/// How a file is organised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStructure {
    /// A directory.
    Directory,
    /// A string of octets: how many, when the template says it.
    Transparent(Option<usize>),
    /// Records: how many and how long, when the template says it.
    Linear(Option<(usize, usize)>),
}

impl FileStructure {
    /// The size in octets that the template gives.
    #[must_use]
    pub const fn octets(self) -> Option<usize> {
        match self {
            Self::Directory | Self::Transparent(None) | Self::Linear(None) => None,
            Self::Transparent(Some(size)) => Some(size),
            Self::Linear(Some((count, length))) => Some(count * length),
        }
    }
}

/// What a file holds when a package says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultContent {
    /// The package must say it.
    Required,
    /// These octets; the last one repeats to the end.
    Pattern(&'static [u8]),
}

/// A file of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDefinition {
    /// The element it is in.
    pub element: ElementKind,
    /// Where in the element.
    pub tag: Tag,
    /// Its name.
    pub name: &'static str,
    /// Its identifier.
    pub id: u16,
    /// How it is organised.
    pub structure: FileStructure,
    /// What it holds when a package says nothing.
    pub content: DefaultContent,
}

const fn file(
    element: ElementKind,
    (tag, name, id): (u32, &'static str, u16),
    structure: FileStructure,
    content: DefaultContent,
) -> FileDefinition {
    FileDefinition {
        element,
        tag: Tag::new(tag),
        name,
        id,
        structure,
        content,
    }
}

const fn octets(count: usize) -> FileStructure {
    FileStructure::Transparent(Some(count))
}

const fn records(count: usize, length: usize) -> FileStructure {
    FileStructure::Linear(Some((count, length)))
}

const ANY_OCTETS: FileStructure = FileStructure::Transparent(None);
const ANY_RECORDS: FileStructure = FileStructure::Linear(None);
const DIRECTORY: FileStructure = FileStructure::Directory;
const REQUIRED: DefaultContent = DefaultContent::Required;
const ONES: DefaultContent = DefaultContent::Pattern(&[0xFF]);

use DefaultContent::Pattern;
use ElementKind::{Df5gs, MasterFile, OptUsim, Usim};

/// The files of the templates that we use.
///
/// Source: TCA Profile Package v3.3.1 annex A
const FILES: &[FileDefinition] = &[
    file(MasterFile, (0xA2, "MF", 0x3F00), DIRECTORY, REQUIRED),
    file(MasterFile, (0xA3, "EF.PL", 0x2F05), octets(2), ONES),
    file(MasterFile, (0xA4, "EF.ICCID", 0x2FE2), octets(10), REQUIRED),
    file(MasterFile, (0xA5, "EF.DIR", 0x2F00), ANY_RECORDS, REQUIRED),
    file(MasterFile, (0xA6, "EF.ARR", 0x2F06), ANY_RECORDS, REQUIRED),
    file(Usim, (0xA2, "ADF.USIM", 0x7FF0), DIRECTORY, REQUIRED),
    file(Usim, (0xA3, "EF.IMSI", 0x6F07), octets(9), REQUIRED),
    file(Usim, (0xA4, "EF.ARR", 0x6F06), ANY_RECORDS, REQUIRED),
    file(
        Usim,
        (0xA5, "EF.Keys", 0x6F08),
        octets(33),
        Pattern(&[7, 0xFF]),
    ),
    file(
        Usim,
        (0xA6, "EF.KeysPS", 0x6F09),
        octets(33),
        Pattern(&[7, 0xFF]),
    ),
    file(Usim, (0xA7, "EF.HPPLMN", 0x6F31), octets(1), Pattern(&[10])),
    file(Usim, (0xA8, "EF.UST", 0x6F38), octets(14), REQUIRED),
    file(Usim, (0xA9, "EF.FDN", 0x6F3B), records(20, 26), ONES),
    file(
        Usim,
        (0xAA, "EF.SMS", 0x6F3C),
        records(10, 176),
        Pattern(&[0, 0xFF]),
    ),
    file(Usim, (0xAB, "EF.SMSP", 0x6F42), records(1, 38), ONES),
    file(Usim, (0xAC, "EF.SMSS", 0x6F43), octets(2), ONES),
    file(Usim, (0xAD, "EF.SPN", 0x6F46), octets(17), REQUIRED),
    file(Usim, (0xAE, "EF.EST", 0x6F56), octets(1), REQUIRED),
    file(
        Usim,
        (0xAF, "EF.START-HFN", 0x6F5B),
        octets(6),
        Pattern(&[0xF0, 0, 0, 0xF0, 0, 0]),
    ),
    file(Usim, (0xB0, "EF.THRESHOLD", 0x6F5C), octets(3), ONES),
    file(
        Usim,
        (0xB1, "EF.PSLOCI", 0x6F73),
        octets(14),
        Pattern(&[
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 1,
        ]),
    ),
    file(Usim, (0xB2, "EF.ACC", 0x6F78), octets(2), REQUIRED),
    file(Usim, (0xB3, "EF.FPLMN", 0x6F7B), octets(12), ONES),
    file(
        Usim,
        (0xB4, "EF.LOCI", 0x6F7E),
        octets(11),
        Pattern(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 1]),
    ),
    file(
        Usim,
        (0xB5, "EF.AD", 0x6FAD),
        octets(4),
        Pattern(&[0, 0, 0, 2]),
    ),
    file(Usim, (0xB6, "EF.ECC", 0x6FB7), records(1, 4), REQUIRED),
    file(Usim, (0xB7, "EF.NETPAR", 0x6FC4), octets(128), ONES),
    file(
        Usim,
        (0xB8, "EF.EPSLOCI", 0x6FE3),
        octets(18),
        Pattern(&[
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFF, 0, 0, 1,
        ]),
    ),
    file(Usim, (0xB9, "EF.EPSNSC", 0x6FE4), records(1, 80), ONES),
    file(OptUsim, (0xA2, "EF.LI", 0x6F05), octets(6), ONES),
    file(OptUsim, (0xA7, "EF.MSISDN", 0x6F40), records(1, 24), ONES),
    file(OptUsim, (0xAF, "EF.PLMNwAcT", 0x6F60), octets(40), ONES),
    file(OptUsim, (0xB0, "EF.OPLMNwAcT", 0x6F61), octets(40), ONES),
    file(OptUsim, (0xB1, "EF.HPLMNwAcT", 0x6F62), octets(5), ONES),
    file(OptUsim, (0xBF3A, "EF.EHPLMN", 0x6FD9), octets(15), ONES),
    file(Df5gs, (0xA2, "DF.5GS", 0x5FC0), DIRECTORY, REQUIRED),
    file(
        Df5gs,
        (0xA3, "EF.5GS3GPPLOCI", 0x4F01),
        octets(20),
        Pattern(&[
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFF, 0xFF, 0, 0, 0, 1,
        ]),
    ),
    file(Df5gs, (0xA5, "EF.5GS3GPPNSC", 0x4F03), records(1, 57), ONES),
    file(
        Df5gs,
        (0xA7, "EF.5GAUTHKEYS", 0x4F05),
        octets(110),
        REQUIRED,
    ),
    file(Df5gs, (0xA8, "EF.UAC_AIC", 0x4F06), octets(4), REQUIRED),
    file(Df5gs, (0xA9, "EF.SUCI_Calc_Info", 0x4F07), ANY_OCTETS, ONES),
    file(
        Df5gs,
        (0xAC, "EF.Routing_Indicator", 0x4F0A),
        octets(4),
        Pattern(&[0xF0, 0xFF, 0xFF, 0xFF]),
    ),
];

/// The files of the templates that we use.
#[must_use]
pub const fn default_files() -> &'static [FileDefinition] {
    FILES
}

/// What a template says of the file at a place of an element.
#[must_use]
pub fn default_file(element: ElementKind, tag: Tag) -> Option<&'static FileDefinition> {
    FILES
        .iter()
        .find(|one| one.element == element && one.tag == tag)
}

/// What a file holds once it is made; `None` when it shall not be made, is a directory, or is malformed.
#[must_use]
pub fn file_content(node: &Node, definition: Option<&FileDefinition>) -> Option<Vec<u8>> {
    if node.child(DO_NOT_CREATE).is_some() {
        return None;
    }
    let descriptor = node.child(DESCRIPTOR);
    let size = descriptor
        .and_then(|fcp| fcp.child(SIZE))
        .and_then(Node::number)
        .and_then(|size| usize::try_from(size).ok())
        .or_else(|| definition?.structure.octets());
    let length = size.unwrap_or_else(|| {
        let parts = node.children().iter().filter(|one| one.tag == CONTENT);
        parts.filter_map(Node::value).map(<[u8]>::len).sum()
    });
    if length == 0 || length > FILE_MAX {
        return None;
    }
    let mut content = initial(descriptor, definition, length);
    let mut at = 0usize;
    for part in node.children() {
        match (part.tag, part.value()) {
            (OFFSET, _) => at = at.checked_add(usize::try_from(part.number()?).ok()?)?,
            (CONTENT, Some(octets)) => {
                let end = at.checked_add(octets.len())?;
                content.get_mut(at..end)?.copy_from_slice(octets);
                at = end;
            }
            _ => {}
        }
    }
    Some(content)
}

/// The content before the package fills anything in.
fn initial(
    descriptor: Option<&Node>,
    definition: Option<&FileDefinition>,
    length: usize,
) -> Vec<u8> {
    let proprietary = descriptor.and_then(|fcp| fcp.child(PROPRIETARY));
    let pattern = |tag| proprietary.and_then(|info| info.child(tag)?.value());
    if let Some(repeated) = pattern(REPEAT).filter(|pattern| !pattern.is_empty()) {
        return repeated.iter().copied().cycle().take(length).collect();
    }
    let filled = pattern(FILL)
        .or(match definition.map(|one| one.content) {
            Some(DefaultContent::Pattern(pattern)) => Some(pattern),
            Some(DefaultContent::Required) | None => None,
        })
        .filter(|pattern| !pattern.is_empty())
        .unwrap_or(&[0xFF]);
    let last = filled.last().copied().unwrap_or(0xFF);
    let mut content = filled.to_vec();
    content.resize(length, last);
    content
}

/// Gives a file new content, and a new size when the template's or its own differs.
pub(super) fn fill(node: &mut Node, definition: &FileDefinition, content: &[u8]) {
    let own_size = node
        .child(DESCRIPTOR)
        .and_then(|fcp| fcp.child(SIZE))
        .and_then(Node::number)
        .and_then(|size| usize::try_from(size).ok());
    let size = own_size.or_else(|| definition.structure.octets());
    let Some(parts) = node.children_mut() else {
        return;
    };
    parts.retain(|one| one.tag == DESCRIPTOR);
    if size.is_none_or(|size| size < content.len()) {
        if parts.is_empty() {
            parts.push(Node::nodes(DESCRIPTOR, Vec::new()));
        }
        if let Some(fcp) = parts.first_mut() {
            put_size(fcp, content.len());
        }
    }
    parts.push(Node::octets(CONTENT, content));
}

/// Sets the size in a descriptor; it stands behind what identifies and protects the file.
fn put_size(descriptor: &mut Node, size: usize) {
    /// `fileDescriptor`, `fileID`, `dfName`, `lcsi`, `securityAttributesReferenced`
    const BEFORE: [u32; 5] = [0x82, 0x83, 0x84, 0x8A, 0x8B];
    let node = Node::octets(SIZE, &shortest(size));
    let Some(fields) = descriptor.children_mut() else {
        return;
    };
    if let Some(there) = fields.iter_mut().find(|one| one.tag == SIZE) {
        *there = node;
        return;
    }
    let place = fields
        .iter()
        .position(|one| !BEFORE.contains(&one.tag.octets()))
        .unwrap_or(fields.len());
    fields.insert(place, node);
}

/// A number in as few octets as it needs.
pub(super) fn shortest(number: usize) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets
        .iter()
        .skip(zeros.min(octets.len() - 1))
        .copied()
        .collect()
}
