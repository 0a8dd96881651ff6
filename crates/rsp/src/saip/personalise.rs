//! Making a subscriber's profile of a template.

use simurgh_vocab::Msisdn;

use super::file::{default_file, fill};
use super::{Complaint, Digits, Element, ElementKind, Node, Package, PackageError, Secret, check};
use crate::identity::{Iccid, Imsi, Plmn, swap_digits};
use crate::tlv::Tag;

/// The subscriber's key and algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriberKeys {
    /// Milenage: Ki and OPc.
    Milenage {
        /// The subscriber's key.
        ki: Secret<16>,
        /// The operator's value, bound to that key.
        opc: Secret<16>,
    },
    /// TUAK: K of 128 bits and TOPc.
    Tuak {
        /// The subscriber's key.
        ki: Secret<16>,
        /// The operator's value, bound to that key.
        topc: Secret<32>,
    },
}

/// A key by which the profile can be changed over the air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtaKey {
    /// The version of its set.
    pub version: u8,
    /// Its place in the set: 1 enciphers, 2 authenticates, 3 enciphers keys.
    pub identifier: u8,
    /// AES of 128 bits.
    pub key: Secret<16>,
}

/// Kinds of radio network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RadioAccess {
    /// GSM.
    pub gsm: bool,
    /// UTRAN: 3G.
    pub utran: bool,
    /// E-UTRAN: 4G.
    pub eutran: bool,
    /// NG-RAN: 5G.
    pub ngran: bool,
}

impl RadioAccess {
    /// Two octets as the lists of networks have them.
    ///
    /// Source: 3GPP TS 31.102 §4.2.5
    const fn to_octets(self) -> [u8; 2] {
        let mut octets = [0, 0];
        if self.utran {
            octets[0] |= 0x80;
        }
        if self.eutran {
            octets[0] |= 0x40;
        }
        if self.ngran {
            octets[0] |= 0x08;
        }
        if self.gsm {
            octets[1] |= 0x80;
        }
        octets
    }
}

/// A network and how to reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkAccess {
    /// The network.
    pub plmn: Plmn,
    /// By which radio.
    pub radio: RadioAccess,
}

/// Everything that makes a profile one subscriber's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personalisation {
    /// The profile's number.
    pub iccid: Iccid,
    /// The subscription.
    pub imsi: Imsi,
    /// The home network: by it the phone knows how many digits the network's code has.
    pub home: Plmn,
    /// Key and algorithm.
    pub keys: SubscriberKeys,
    /// PIN 1, which is switched off until the user switches it on.
    pub pin1: Digits,
    /// PIN 2.
    pub pin2: Digits,
    /// PUK 1: eight digits.
    pub puk1: Digits,
    /// PUK 2: eight digits.
    pub puk2: Digits,
    /// The operator's administrative code.
    pub administrative: Digits,
    /// The centre for short messages.
    pub service_centre: Option<Msisdn>,
    /// The subscriber's own number.
    pub msisdn: Option<Msisdn>,
    /// What the phone shows as the network's name.
    pub service_provider_name: String,
    /// Networks that count as home.
    pub equivalent_home: Vec<Plmn>,
    /// How to reach the home network, best first.
    pub home_access: Vec<NetworkAccess>,
    /// The operator's preferred networks, best first.
    pub preferred: Vec<NetworkAccess>,
    /// Networks that may not be used.
    pub forbidden: Vec<Plmn>,
    /// Keys for changes over the air; without any the profile cannot be changed so.
    pub ota_keys: Vec<OtaKey>,
    /// The access class, 0 to 9; usually the last digit of the IMSI.
    pub access_class: Option<u8>,
}

/// Makes a subscriber's profile of a template: every number and every key in it is replaced. An element whose
/// placeholders cannot be replaced is left out (remote management without keys) or refuses the template.
///
/// # Errors
/// [`PackageError`] when the template is malformed, or cannot be personalised.
pub fn personalise(template: &Package, data: &Personalisation) -> Result<Vec<u8>, PackageError> {
    let mut package = template.clone();
    if data.ota_keys.is_empty() {
        package.elements.retain(|one| {
            !matches!(
                one.kind,
                ElementKind::SecurityDomain | ElementKind::RemoteFileManagement
            )
        });
    }
    for (place, element) in package.elements.iter_mut().enumerate() {
        let kind = element.kind;
        change(element, data).map_err(|why| PackageError {
            element: Some(kind),
            place,
            why,
        })?;
    }
    check(&package)?;
    Ok(package.encode())
}

fn change(element: &mut Element, data: &Personalisation) -> Result<(), Complaint> {
    match element.kind {
        ElementKind::Header => {
            let plain = data.iccid.to_plain_octets();
            element.node.put(Tag::new(0x83), &plain);
            Ok(())
        }
        ElementKind::MasterFile => put_file(element, 0xA4, data.iccid.as_octets()),
        ElementKind::PukCodes => puk_codes(&mut element.node, data),
        ElementKind::PinCodes => pin_codes(&mut element.node, data),
        ElementKind::AkaParameter => authentication(&mut element.node, data),
        ElementKind::SecurityDomain => ota_keys(&mut element.node, data),
        ElementKind::Usim => usim(element, data),
        ElementKind::OptUsim => opt_usim(element, data),
        ElementKind::Isim
        | ElementKind::OptIsim
        | ElementKind::Csim
        | ElementKind::OptCsim
        | ElementKind::CdmaParameter
        | ElementKind::Eap => Err(Complaint::Misplaced(
            "only USIM applications are personalised",
        )),
        ElementKind::GenericFileManagement
        | ElementKind::RemoteFileManagement
        | ElementKind::Application
        | ElementKind::NonStandard
        | ElementKind::End
        | ElementKind::Cd
        | ElementKind::Telecom
        | ElementKind::Phonebook
        | ElementKind::GsmAccess
        | ElementKind::Df5gs
        | ElementKind::DfSaip
        | ElementKind::Other(_) => Ok(()),
    }
}

/// Gives a file of an element new content; makes the file when the template lacks it.
fn put_file(element: &mut Element, tag: u32, content: &[u8]) -> Result<(), Complaint> {
    let tag = Tag::new(tag);
    let definition =
        default_file(element.kind, tag).ok_or(Complaint::Invalid("a file of the template"))?;
    if element.node.child(tag).is_none() {
        element.node.put_node(Node::nodes(tag, Vec::new()));
    }
    let node = element
        .node
        .child_mut(tag)
        .ok_or(Complaint::Missing(definition.name))?;
    if node.children_mut().is_none() {
        return Err(Complaint::Invalid(definition.name));
    }
    fill(node, definition, content);
    Ok(())
}

const REFERENCE: Tag = Tag::new(0x80);
const VALUE: Tag = Tag::new(0x81);

fn puk_codes(node: &mut Node, data: &Personalisation) -> Result<(), Complaint> {
    let list = node
        .child_mut(Tag::new(0xA1))
        .and_then(Node::children_mut)
        .ok_or(Complaint::Missing("pukCodes"))?;
    for one in list {
        let puk = match one.child(REFERENCE).and_then(Node::number) {
            Some(0x01) => &data.puk1,
            Some(0x81) => &data.puk2,
            _ => return Err(Complaint::Invalid("keyReference")),
        };
        one.put(VALUE, &puk.to_octets()[..]);
    }
    Ok(())
}

fn pin_codes(node: &mut Node, data: &Personalisation) -> Result<(), Complaint> {
    let choice = node
        .child_mut(Tag::new(0xA1))
        .ok_or(Complaint::Missing("pinCodes"))?;
    let Some(list) = choice
        .child_mut(Tag::new(0xA0))
        .and_then(Node::children_mut)
    else {
        // Shared with another directory.
        return Ok(());
    };
    for one in list {
        let pin = match one.child(REFERENCE).and_then(Node::number) {
            Some(0x01) => &data.pin1,
            Some(0x81) => &data.pin2,
            Some(0x0A..=0x0E | 0x8A..=0x8E) => &data.administrative,
            _ => return Err(Complaint::Invalid("keyReference")),
        };
        one.put(VALUE, &pin.to_octets()[..]);
    }
    Ok(())
}

fn authentication(node: &mut Node, data: &Personalisation) -> Result<(), Complaint> {
    let own = node
        .child_mut(Tag::new(0xA1))
        .and_then(|choice| choice.child_mut(Tag::new(0xA1)))
        .ok_or(Complaint::Missing("algoParameter"))?;
    let (algorithm, key, operator) = match &data.keys {
        SubscriberKeys::Milenage { ki, opc } => (1, ki, &opc.as_octets()[..]),
        SubscriberKeys::Tuak { ki, topc } => (2, ki, &topc.as_octets()[..]),
    };
    own.put(Tag::new(0x80), &[algorithm]);
    own.put(Tag::new(0x82), key.as_octets());
    own.put(Tag::new(0x83), operator);
    Ok(())
}

/// Every key of the security domain has its own value in the data.
fn ota_keys(node: &mut Node, data: &Personalisation) -> Result<(), Complaint> {
    let list = node
        .child_mut(Tag::new(0xA2))
        .and_then(Node::children_mut)
        .ok_or(Complaint::Missing("keyList"))?;
    for one in list {
        let number = |tag| one.child(Tag::new(tag)).and_then(Node::number);
        let (identifier, version) = (number(0x82), number(0x83));
        let wanted = data.ota_keys.iter().find(|key| {
            identifier == Some(u64::from(key.identifier)) && version == Some(u64::from(key.version))
        });
        let key = wanted.ok_or(Complaint::Missing("a key for changes over the air"))?;
        let component = one
            .child_mut(Tag::new(0x30))
            .and_then(|components| components.child_mut(Tag::new(0x30)))
            .ok_or(Complaint::Missing("keyComponents"))?;
        component.put(Tag::new(0x80), &[0x88]);
        component.put(Tag::new(0x86), key.key.as_octets());
    }
    Ok(())
}

fn usim(element: &mut Element, data: &Personalisation) -> Result<(), Complaint> {
    put_file(element, 0xA3, &data.imsi.to_file())?;
    let name = provider_name(&data.service_provider_name)
        .ok_or(Complaint::Invalid("the service provider's name"))?;
    put_file(element, 0xAD, &name)?;
    put_file(element, 0xB2, &access_class(data)?)?;
    put_file(element, 0xB5, &[0, 0, 0, network_digits(&data.home)])?;
    let forbidden = list(data.forbidden.iter().map(|one| *one.as_octets()), 12);
    put_file(element, 0xB3, &forbidden)?;
    let parameters = message_parameters(data.service_centre.as_ref())
        .ok_or(Complaint::Invalid("the message centre's number"))?;
    put_file(element, 0xAB, &parameters)
}

fn opt_usim(element: &mut Element, data: &Personalisation) -> Result<(), Complaint> {
    let number =
        own_number(data.msisdn.as_ref()).ok_or(Complaint::Invalid("the subscriber's number"))?;
    put_file(element, 0xA7, &number)?;
    put_file(element, 0xB0, &access_list(&data.preferred, 40))?;
    put_file(element, 0xB1, &access_list(&data.home_access, 5))?;
    let homes = list(data.equivalent_home.iter().map(|one| *one.as_octets()), 15);
    put_file(element, 0xBF3A, &homes)
}

/// One of the bits 0 to 9 of two octets.
///
/// Source: 3GPP TS 31.102 §4.2.15
fn access_class(data: &Personalisation) -> Result<[u8; 2], Complaint> {
    let by_imsi = || {
        let last = data.imsi.digits().bytes().last()?;
        Some(last & 0x0F)
    };
    let class = data.access_class.or_else(by_imsi);
    let class = class
        .filter(|class| *class <= 9)
        .ok_or(Complaint::Invalid("the access class"))?;
    Ok((1u16 << class).to_be_bytes())
}

/// Two or three.
fn network_digits(home: &Plmn) -> u8 {
    let [_, middle, _] = home.as_octets();
    if middle >> 4 == 0x0F { 2 } else { 3 }
}

/// Octets of all entries, filled up to the usual length.
fn list<const N: usize>(entries: impl Iterator<Item = [u8; N]>, usual: usize) -> Vec<u8> {
    let mut octets: Vec<u8> = entries.flatten().collect();
    if octets.len() < usual {
        octets.resize(usual, 0xFF);
    }
    octets
}

/// Networks with their radio; an empty place names no network and no radio.
fn access_list(entries: &[NetworkAccess], usual: usize) -> Vec<u8> {
    let entry = |one: &NetworkAccess| {
        let [a, b, c] = *one.plmn.as_octets();
        let [d, e] = one.radio.to_octets();
        [a, b, c, d, e]
    };
    let mut octets: Vec<u8> = entries.iter().flat_map(entry).collect();
    while octets.len() < usual {
        octets.extend([0xFF, 0xFF, 0xFF, 0, 0]);
    }
    octets
}

/// The content of EF.SPN: shown in the home network, 16 octets of the usual alphabet or UCS-2.
///
/// Source: 3GPP TS 31.102 §4.2.12
fn provider_name(name: &str) -> Option<[u8; 17]> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" !\"#%&'()*+,-./:;<=>?".contains(&byte));
    let text: Vec<u8> = if plain {
        name.bytes().collect()
    } else {
        std::iter::once(0x80)
            .chain(name.encode_utf16().flat_map(u16::to_be_bytes))
            .collect()
    };
    let mut content = [0xFF; 17];
    content[0] = 0x00;
    content.get_mut(1..=text.len())?.copy_from_slice(&text);
    Some(content)
}

/// A number in E.164 form: length, type, digits, filled up.
///
/// Source: 3GPP TS 31.102 §4.4.2.3
fn dialled(number: &Msisdn) -> Option<Vec<u8>> {
    const INTERNATIONAL: u8 = 0x91;
    let digits = number.as_str().trim_start_matches('+');
    let packed = swap_digits(digits, 10)?;
    // The length counts the octets of type and digits.
    let length = u8::try_from(digits.len().div_ceil(2) + 1).ok()?;
    let mut field = vec![length, INTERNATIONAL];
    field.extend(packed);
    Some(field)
}

/// The content of EF.SMSP: only the centre's number is set.
///
/// Source: 3GPP TS 31.102 §4.2.27
fn message_parameters(centre: Option<&Msisdn>) -> Option<Vec<u8>> {
    /// Ten octets of a name, then what is present.
    const NAME: usize = 10;
    let mut record = vec![0xFF; NAME];
    match centre {
        None => record.resize(38, 0xFF),
        Some(number) => {
            record.push(0xFD);
            record.extend([0xFF; 12]);
            record.extend(dialled(number)?);
            record.extend([0xFF; 3]);
        }
    }
    Some(record)
}

/// The content of EF.MSISDN: a name of ten octets, the number, no more.
///
/// Source: 3GPP TS 31.102 §4.2.26
fn own_number(number: Option<&Msisdn>) -> Option<Vec<u8>> {
    let mut record = vec![0xFF; 10];
    if let Some(number) = number {
        record.extend(dialled(number)?);
    }
    record.resize(24, 0xFF);
    Some(record)
}
