//! The files of a profile.

use simurgh_rsp::saip::{
    Content, DefaultContent, Element, ElementKind, FileDefinition, FileStructure, Node,
    default_files, file_content,
};
use simurgh_rsp::tlv::Tag;

/// Where a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Directory {
    /// The root.
    Root,
    /// The USIM application.
    Usim,
    /// The directory for 5G in it.
    FiveG,
}

impl Directory {
    /// Where the files of an element lie; `None` for elements of files that are not installed here.
    const fn of(kind: ElementKind) -> Option<Self> {
        match kind {
            ElementKind::MasterFile => Some(Self::Root),
            ElementKind::Usim | ElementKind::OptUsim => Some(Self::Usim),
            ElementKind::Df5gs => Some(Self::FiveG),
            _ => None,
        }
    }
}

/// A file with its content. Content is personal: `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct InstalledFile {
    /// Where it lies.
    pub directory: Directory,
    /// Its identifier.
    pub id: u16,
    /// Its name, for people.
    pub name: &'static str,
    /// The length of its records; `None` when it has none.
    pub record_length: Option<usize>,
    /// What it holds.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for InstalledFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:04X}[{}]", self.name, self.id, self.content.len())
    }
}

/// The descriptor of a file and the file descriptor in it.
const DESCRIPTOR: Tag = Tag::new(0xA1);
const FILE_DESCRIPTOR: Tag = Tag::new(0x82);

/// The files that an element makes: those it fills, and those its template makes anyway.
pub(crate) fn files_of(element: &Element) -> Vec<InstalledFile> {
    let Some(directory) = Directory::of(element.kind) else {
        return Vec::new();
    };
    let by_default = matches!(element.kind, ElementKind::MasterFile | ElementKind::Usim);
    let mut files = Vec::new();
    for definition in default_files() {
        if definition.element != element.kind || definition.structure == FileStructure::Directory {
            continue;
        }
        let empty = Node {
            tag: definition.tag,
            content: Content::Nodes(Vec::new()),
        };
        let node = match element.node.child(definition.tag) {
            Some(node) => node,
            None if by_default && definition.content != DefaultContent::Required => &empty,
            None => continue,
        };
        if let Some(content) = file_content(node, Some(definition)) {
            files.push(InstalledFile {
                directory,
                id: definition.id,
                name: definition.name,
                record_length: record_length(node, definition),
                content,
            });
        }
    }
    files
}

/// The record length: what the package says, or else the template.
fn record_length(node: &Node, definition: &FileDefinition) -> Option<usize> {
    let FileStructure::Linear(usual) = definition.structure else {
        return None;
    };
    let said = node
        .child(DESCRIPTOR)
        .and_then(|descriptor| descriptor.child(FILE_DESCRIPTOR))
        .and_then(Node::value)
        .and_then(|octets| match octets {
            [_, _, high, low] => Some(usize::from(u16::from_be_bytes([*high, *low]))),
            _ => None,
        });
    said.or(usual.map(|(_, length)| length))
}

impl InstalledFile {
    /// A record, counted from 1.
    pub(crate) fn record(&self, number: u8) -> Option<&[u8]> {
        let length = self.record_length?;
        let start = usize::from(number.checked_sub(1)?).checked_mul(length)?;
        self.content.get(start..start + length)
    }
}
