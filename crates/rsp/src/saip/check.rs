//! Whether a package makes sense: the order of elements, what is mandatory, and what refers to what.

use std::collections::BTreeSet;

use super::file::{default_file, file_content};
use super::{Complaint, Element, ElementKind, Node, Package, PackageError};
use crate::identity::Iccid;
use crate::tlv::{Oid, Tag};

/// The octets of `2.23.143.1.2`, below which the templates are.
const TEMPLATES: &[u8] = &[0x67, 0x81, 0x0F, 0x01, 0x02];

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The version of the format: major and minor.
    pub version: (u64, u64),
    /// Its type, if it names one.
    pub profile_type: Option<String>,
    /// The profile's number.
    pub iccid: Iccid,
    /// The services an eUICC must have: numbers of `ServicesList`.
    pub services: Vec<u8>,
    /// The templates an eUICC must know.
    pub templates: Vec<Oid>,
}

/// Judges a package.
///
/// # Errors
/// [`PackageError`] about the first element that is wrong.
pub fn check(package: &Package) -> Result<Summary, PackageError> {
    let summary = header(package)?;
    framing(package)?;
    identifications(package)?;
    master_file(package, &summary)?;
    codes(package)?;
    applications(package, &summary)?;
    Ok(summary)
}

/// A complaint about an element.
fn about(place: usize, element: &Element, why: Complaint) -> PackageError {
    PackageError {
        element: Some(element.kind),
        place,
        why,
    }
}

/// A complaint about an element that is not there.
fn absent(package: &Package, name: &'static str) -> PackageError {
    PackageError {
        element: None,
        place: package.elements.len(),
        why: Complaint::NoElement(name),
    }
}

fn header(package: &Package) -> Result<Summary, PackageError> {
    let first = package.elements.first();
    let element = first.ok_or_else(|| absent(package, "header"))?;
    let refused = |why| about(0, element, why);
    if element.kind != ElementKind::Header {
        return Err(refused(Complaint::Misplaced(
            "the first element is the header",
        )));
    }
    let node = &element.node;
    let missing = |field| refused(Complaint::Missing(field));
    let invalid = |field| refused(Complaint::Invalid(field));
    let number = |tag, field| {
        let found = node.child(Tag::new(tag)).ok_or_else(|| missing(field))?;
        found.number().ok_or_else(|| invalid(field))
    };
    let iccid = node
        .child(Tag::new(0x83))
        .and_then(Node::value)
        .ok_or_else(|| missing("iccid"))?;
    let iccid = iccid
        .try_into()
        .ok()
        .and_then(|octets| Iccid::from_plain_octets(octets).ok())
        .ok_or_else(|| invalid("iccid"))?;
    let services = node
        .child(Tag::new(0xA5))
        .ok_or_else(|| missing("eUICC-Mandatory-services"))?;
    let services = services.children().iter();
    let templates = node
        .child(Tag::new(0xA6))
        .ok_or_else(|| missing("eUICC-Mandatory-GFSTEList"))?;
    let templates = templates.children().iter().map(|one| {
        let octets = one.value().unwrap_or(&[]);
        Oid::from_octets(octets).map_err(|_| invalid("eUICC-Mandatory-GFSTEList"))
    });
    Ok(Summary {
        version: (
            number(0x80, "major-version")?,
            number(0x81, "minor-version")?,
        ),
        profile_type: node
            .child(Tag::new(0x82))
            .and_then(Node::value)
            .map(|text| String::from_utf8_lossy(text).into_owned()),
        iccid,
        services: services
            .filter_map(|one| u8::try_from(one.tag.octets() & 0x1F).ok())
            .collect(),
        templates: templates.collect::<Result<_, _>>()?,
    })
}

/// One header, one end, both in their places.
fn framing(package: &Package) -> Result<(), PackageError> {
    let last = package.elements.len().saturating_sub(1);
    for (place, element) in package.elements.iter().enumerate() {
        let why = match element.kind {
            ElementKind::Header if place > 0 => "there is one header",
            ElementKind::End if place < last => "the end is the last element",
            _ => continue,
        };
        return Err(about(place, element, Complaint::Misplaced(why)));
    }
    match package.elements.last() {
        Some(element) if element.kind == ElementKind::End => Ok(()),
        _ => Err(absent(package, "end")),
    }
}

/// Every element but the header has a number of its own.
fn identifications(package: &Package) -> Result<(), PackageError> {
    let mut seen = BTreeSet::new();
    for (place, element) in package.elements.iter().enumerate().skip(1) {
        let number = element
            .identification()
            .ok_or_else(|| about(place, element, Complaint::Missing("identification")))?;
        if !seen.insert(number) {
            return Err(about(place, element, Complaint::DuplicateIdentification));
        }
    }
    Ok(())
}

/// The place of the first element of a kind.
fn position(package: &Package, kind: ElementKind) -> Option<usize> {
    package.elements.iter().position(|one| one.kind == kind)
}

/// The file system's root comes before all that lies in it, and names the profile that the header names.
fn master_file(package: &Package, summary: &Summary) -> Result<(), PackageError> {
    let place = position(package, ElementKind::MasterFile);
    let place = place.ok_or_else(|| absent(package, "mf"))?;
    let Some(element) = package.elements.get(place) else {
        return Err(absent(package, "mf"));
    };
    for (earlier, one) in package.elements.iter().enumerate().take(place) {
        if template(one).is_some() {
            let why = Complaint::Misplaced("the root of the files comes first");
            return Err(about(earlier, one, why));
        }
    }
    files(package, place, &[0xA2, 0xA4, 0xA5, 0xA6])?;
    let tag = Tag::new(0xA4);
    let definition = default_file(ElementKind::MasterFile, tag);
    let content = element
        .node
        .child(tag)
        .and_then(|node| file_content(node, definition));
    if content.as_deref() != Some(&summary.iccid.as_octets()[..]) {
        return Err(about(place, element, Complaint::Invalid("ef-iccid")));
    }
    Ok(())
}

/// The template an element is made of, if it is one of files.
fn template(element: &Element) -> Option<&[u8]> {
    let creates_files = matches!(
        element.kind,
        ElementKind::MasterFile
            | ElementKind::Cd
            | ElementKind::Telecom
            | ElementKind::Usim
            | ElementKind::OptUsim
            | ElementKind::Isim
            | ElementKind::OptIsim
            | ElementKind::Phonebook
            | ElementKind::GsmAccess
            | ElementKind::Csim
            | ElementKind::OptCsim
            | ElementKind::Eap
            | ElementKind::Df5gs
            | ElementKind::DfSaip
    );
    creates_files.then(|| {
        let id = element.node.child(Tag::new(0x81));
        id.and_then(Node::value).unwrap_or(&[])
    })
}

/// An element of files names a template of the standard and has these files.
fn files(package: &Package, place: usize, mandatory: &[u32]) -> Result<(), PackageError> {
    let Some(element) = package.elements.get(place) else {
        return Ok(());
    };
    let id = template(element).unwrap_or(&[]);
    if !id.starts_with(TEMPLATES) {
        return Err(about(place, element, Complaint::Invalid("templateID")));
    }
    for tag in mandatory.iter().copied().map(Tag::new) {
        let name = default_file(element.kind, tag).map_or("a file", |file| file.name);
        let node = element
            .node
            .child(tag)
            .ok_or_else(|| about(place, element, Complaint::Missing(name)))?;
        if node.children().is_empty() && node.value().is_some() {
            return Err(about(place, element, Complaint::Invalid(name)));
        }
    }
    Ok(())
}

/// PUKs come before the PINs that they unblock.
fn codes(package: &Package) -> Result<(), PackageError> {
    let mut puks = BTreeSet::new();
    for (place, element) in package.elements.iter().enumerate() {
        let refused = |why| about(place, element, why);
        let list = element.node.child(Tag::new(0xA1));
        match element.kind {
            ElementKind::PukCodes => {
                let list = list.ok_or_else(|| refused(Complaint::Missing("pukCodes")))?;
                for one in list.children() {
                    code(one, "pukValue").map_err(refused)?;
                    puks.extend(one.child(Tag::new(0x80)).and_then(Node::number));
                }
            }
            ElementKind::PinCodes => {
                let list = list.ok_or_else(|| refused(Complaint::Missing("pinCodes")))?;
                let configured = list.child(Tag::new(0xA0)).map_or(&[][..], Node::children);
                for one in configured {
                    code(one, "pinValue").map_err(refused)?;
                    let puk = one.child(Tag::new(0x82)).and_then(Node::number);
                    if puk.is_some_and(|puk| !puks.contains(&puk)) {
                        return Err(refused(Complaint::Invalid("unblockingPINReference")));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A code has eight octets and a reference.
fn code(node: &Node, value: &'static str) -> Result<(), Complaint> {
    let reference = node.child(Tag::new(0x80)).and_then(Node::number);
    reference.ok_or(Complaint::Missing("keyReference"))?;
    match node.child(Tag::new(0x81)).and_then(Node::value) {
        Some(octets) if octets.len() == 8 => Ok(()),
        Some(_) => Err(Complaint::Invalid(value)),
        None => Err(Complaint::Missing(value)),
    }
}

/// Network applications are there when the header asks for them, whole, and can authenticate.
fn applications(package: &Package, summary: &Summary) -> Result<(), PackageError> {
    const USIM_SERVICE: u8 = 1;
    const ISIM_SERVICE: u8 = 2;
    for (service, kind, name) in [
        (USIM_SERVICE, ElementKind::Usim, "usim"),
        (ISIM_SERVICE, ElementKind::Isim, "isim"),
    ] {
        if summary.services.contains(&service) && position(package, kind).is_none() {
            return Err(absent(package, name));
        }
    }
    for (place, element) in package.elements.iter().enumerate() {
        match element.kind {
            ElementKind::Usim => {
                let mandatory = [0xA2, 0xA3, 0xA4, 0xA8, 0xAD, 0xAE, 0xB2, 0xB6];
                files(package, place, &mandatory)?;
                let after = package.elements.iter().skip(place);
                if !after
                    .clone()
                    .any(|one| one.kind == ElementKind::AkaParameter)
                {
                    return Err(absent(package, "akaParameter"));
                }
            }
            ElementKind::OptUsim | ElementKind::Df5gs => {
                if position(package, ElementKind::Usim).is_none_or(|usim| usim > place) {
                    let why = Complaint::Misplaced("the USIM comes first");
                    return Err(about(place, element, why));
                }
                files(package, place, &[])?;
            }
            ElementKind::AkaParameter => authentication(place, element)?,
            _ => {}
        }
    }
    Ok(())
}

/// The subscriber's key, or where it is taken from.
fn authentication(place: usize, element: &Element) -> Result<(), PackageError> {
    let refused = |why| about(place, element, why);
    let choice = element
        .node
        .child(Tag::new(0xA1))
        .ok_or_else(|| refused(Complaint::Missing("algoConfiguration")))?;
    let Some(own) = choice.child(Tag::new(0xA1)) else {
        let mapped = choice.child(Tag::new(0xA0));
        return mapped
            .map(|_| ())
            .ok_or_else(|| refused(Complaint::Missing("algoParameter")));
    };
    let length = |tag| {
        own.child(Tag::new(tag))
            .and_then(Node::value)
            .map(<[u8]>::len)
    };
    let algorithm = own.child(Tag::new(0x80)).and_then(Node::number);
    let algorithm = algorithm.ok_or_else(|| refused(Complaint::Missing("algorithmID")))?;
    let fits = match (algorithm, length(0x82), length(0x83)) {
        (1, Some(16), Some(16)) => true,
        (2, Some(16 | 32), Some(32)) => true,
        (3, Some(_), Some(_)) => true,
        (1..=3, None, _) => return Err(refused(Complaint::Missing("key"))),
        (1..=3, _, None) => return Err(refused(Complaint::Missing("opc"))),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(refused(Complaint::Invalid("algoParameter")))
    }
}
