//! X.509 certificates of remote provisioning, read over the bytes as they came.
//!
//! Only what SGP.22 puts in a certificate is read; an extension that is marked critical and is not known
//! makes the certificate unfit (RFC 5280 §4.2).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use simurgh_vocab::Timestamp;

use crate::key::{PublicKey, Signature, ecdsa_with_sha256, signature_from_der};
use crate::tlv::{DecodeError, Fields, NamedBits, Oid, Tag, Tlv};

mod revocation;
mod role;
mod time;

pub use revocation::RevocationList;
pub use role::Role;
pub(crate) use time::{utc_time, write_time};

pub(crate) const SEQUENCE: Tag = Tag::new(0x30);
pub(crate) const SET: Tag = Tag::new(0x31);
pub(crate) const BOOLEAN: Tag = Tag::new(0x01);
pub(crate) const INTEGER: Tag = Tag::new(0x02);
pub(crate) const BIT_STRING: Tag = Tag::new(0x03);
pub(crate) const OCTET_STRING: Tag = Tag::new(0x04);
pub(crate) const OBJECT_IDENTIFIER: Tag = Tag::new(0x06);
pub(crate) const UTF8_STRING: Tag = Tag::new(0x0C);
pub(crate) const PRINTABLE_STRING: Tag = Tag::new(0x13);

pub(crate) const OID_COMMON_NAME: &[u8] = &[0x55, 4, 3];
pub(crate) const OID_SERIAL_NUMBER: &[u8] = &[0x55, 4, 5];
pub(crate) const OID_COUNTRY: &[u8] = &[0x55, 4, 6];
pub(crate) const OID_ORGANISATION: &[u8] = &[0x55, 4, 10];

pub(crate) const OID_SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1D, 14];
pub(crate) const OID_KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
pub(crate) const OID_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1D, 17];
pub(crate) const OID_BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 19];
pub(crate) const OID_NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 30];
pub(crate) const OID_CRL_DISTRIBUTION: &[u8] = &[0x55, 0x1D, 31];
pub(crate) const OID_POLICIES: &[u8] = &[0x55, 0x1D, 32];
pub(crate) const OID_AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1D, 35];
pub(crate) const OID_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37];
/// `2.23.146.1.2.2.0`
pub(crate) const OID_PERMITTED_EINS: &[u8] = &[0x67, 0x81, 0x12, 1, 2, 2, 0];

/// Bits of the key usage (RFC 5280 §4.2.1.3).
pub(crate) const USAGE_DIGITAL_SIGNATURE: u32 = 0;
pub(crate) const USAGE_CERTIFICATE_SIGN: u32 = 5;
pub(crate) const USAGE_CRL_SIGN: u32 = 6;

/// Which eUICCs a manufacturer may certify.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EumConstraints {
    /// From the name constraints: pairs of organisation and beginning of the EID.
    pub names: Vec<NameConstraint>,
    /// From the newer extension: beginnings of the EID.
    pub permitted_eins: Option<Vec<String>>,
}

/// One permitted subtree of names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameConstraint {
    /// The organisation that the eUICC's subject must have.
    pub organisation: Option<String>,
    /// What the eUICC's EID must begin with.
    pub ein: Option<String>,
}

/// A certificate as it was received, and what it says. Nothing is verified by reading it. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Arc<[u8]>,
    tbs: Range<usize>,
    signature: Signature,
    says: Arc<Says>,
}

/// What a certificate says.
#[derive(Clone, PartialEq, Eq)]
struct Says {
    serial: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    organisation: Option<String>,
    subject_serial: Option<String>,
    public_key: PublicKey,
    not_before: Timestamp,
    not_after: Timestamp,
    extensions: Extensions,
}

/// The extensions that are understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Extensions {
    key_id: Vec<u8>,
    issuer_key_id: Vec<u8>,
    policies: Vec<Oid>,
    registered_id: Option<Oid>,
    dns_names: Vec<String>,
    is_ca: bool,
    key_usage: NamedBits,
    constraints: EumConstraints,
    unknown_critical: bool,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The subject of an eUICC is its EID, which is personal data.
        f.debug_struct("Certificate")
            .field("role", &self.role())
            .field("key_id", &crate::identity::hex(self.key_id()))
            .finish_non_exhaustive()
    }
}

const CERTIFICATE: &str = "Certificate";

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// [`DecodeError`] when it is none, or not on one of the two curves.
    pub fn parse(der: &[u8]) -> Result<Self, DecodeError> {
        let outer = Tlv::parse(der).map_err(|error| DecodeError::Tlv {
            structure: CERTIFICATE,
            error,
        })?;
        let fields = Fields::of(&outer, SEQUENCE, CERTIFICATE)?;
        let tbs = fields.need(SEQUENCE, "tbsCertificate")?;
        let algorithm = fields
            .nth(SEQUENCE, 1)
            .ok_or_else(|| fields.missing("signatureAlgorithm"))?;
        let algorithm = Fields::inside(&algorithm, "signatureAlgorithm")?;
        if algorithm.oid_if(OBJECT_IDENTIFIER, "algorithm")? != ecdsa_with_sha256() {
            return Err(fields.invalid("signatureAlgorithm"));
        }
        let signature = match fields.octets(BIT_STRING, "signature")?.split_first() {
            Some((0, value)) => signature_from_der(value),
            _ => None,
        }
        .ok_or_else(|| fields.invalid("signature"))?;
        let start = outer.head().len();
        Ok(Self {
            der: der.into(),
            tbs: start..start + tbs.raw().len(),
            signature,
            says: Arc::new(Says::parse(&tbs)?),
        })
    }

    /// The certificate as it was received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The part that is signed.
    pub(crate) fn tbs(&self) -> &[u8] {
        self.der.get(self.tbs.clone()).unwrap_or(&[])
    }

    /// The issuer's signature over [`tbs`](Self::tbs).
    pub(crate) const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The role its policies give; `None` when they name none, or more than one.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        let mut roles = self.says.extensions.policies.iter().filter_map(Role::of);
        let first = roles.next()?;
        roles.all(|other| other == first).then_some(first)
    }

    /// The key it certifies.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.says.public_key
    }

    /// The identifier of that key.
    #[must_use]
    pub fn key_id(&self) -> &[u8] {
        &self.says.extensions.key_id
    }

    /// The identifier of the issuer's key; empty in a self-signed certificate without one.
    #[must_use]
    pub fn issuer_key_id(&self) -> &[u8] {
        &self.says.extensions.issuer_key_id
    }

    /// The object identifier of a server, which its three certificates share.
    #[must_use]
    pub fn registered_id(&self) -> Option<&Oid> {
        self.says.extensions.registered_id.as_ref()
    }

    /// The host names of a server.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.says.extensions.dns_names
    }

    /// The serial number that the issuer gave.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.says.serial
    }

    /// The organisation in the subject.
    #[must_use]
    pub fn organisation(&self) -> Option<&str> {
        self.says.organisation.as_deref()
    }

    /// The serial number in the subject: the EID in the certificate of an eUICC.
    #[must_use]
    pub fn subject_serial(&self) -> Option<&str> {
        self.says.subject_serial.as_deref()
    }

    /// The encoded name of the issuer.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.says.issuer
    }

    /// The encoded name of the subject.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.says.subject
    }

    /// Which eUICCs a manufacturer may certify.
    #[must_use]
    pub fn constraints(&self) -> &EumConstraints {
        &self.says.extensions.constraints
    }

    /// Since when it is valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.says.not_before
    }

    /// Until when it is valid, that second included.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.says.not_after
    }

    /// Whether it is the certificate of an authority.
    pub(crate) fn is_ca(&self) -> bool {
        self.says.extensions.is_ca
    }

    pub(crate) fn key_usage(&self) -> NamedBits {
        self.says.extensions.key_usage
    }

    pub(crate) fn has_unknown_critical(&self) -> bool {
        self.says.extensions.unknown_critical
    }
}

impl Says {
    fn parse(tbs: &Tlv<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::of(tbs, SEQUENCE, CERTIFICATE)?;
        let sequence = |place, field| {
            fields
                .nth(SEQUENCE, place)
                .ok_or_else(|| fields.missing(field))
        };
        // signature algorithm, issuer, validity, subject, public key: all are sequences, in this order.
        let issuer = sequence(1, "issuer")?;
        let validity = Fields::inside(&sequence(2, "validity")?, "validity")?;
        let subject = sequence(3, "subject")?;
        let spki = sequence(4, "subjectPublicKeyInfo")?;
        let [not_before, not_after] = validity.members() else {
            return Err(fields.invalid("validity"));
        };
        let moment = |tlv| utc_time(tlv).ok_or_else(|| fields.invalid("validity"));
        let mut extensions = Extensions::default();
        let extension_list = fields.find(Tag::new(0xA3));
        if let Some(list) = &extension_list {
            let list = Fields::inside(list, "extensions")?.group(SEQUENCE, "extensions")?;
            for one in list.members() {
                extensions.read(one)?;
            }
        }
        Ok(Self {
            serial: fields.octets(INTEGER, "serialNumber")?.to_vec(),
            issuer: issuer.raw().to_vec(),
            organisation: name_part(&subject, OID_ORGANISATION)?,
            subject_serial: name_part(&subject, OID_SERIAL_NUMBER)?,
            subject: subject.raw().to_vec(),
            public_key: PublicKey::from_spki(spki.raw())
                .map_err(|_| fields.invalid("subjectPublicKeyInfo"))?,
            not_before: moment(not_before)?,
            not_after: moment(not_after)?,
            extensions,
        })
    }
}

/// The first attribute of a name with this identifier.
fn name_part(name: &Tlv<'_>, oid: &[u8]) -> Result<Option<String>, DecodeError> {
    for set in Fields::inside(name, "Name")?.members() {
        for attribute in Fields::inside(set, "Name")?.members() {
            let attribute = Fields::inside(attribute, "Name")?;
            if let [kind, value, ..] = attribute.members()
                && kind.value() == oid
            {
                return Ok(Some(String::from_utf8_lossy(value.value()).into_owned()));
            }
        }
    }
    Ok(None)
}

impl Extensions {
    fn read(&mut self, extension: &Tlv<'_>) -> Result<(), DecodeError> {
        let fields = Fields::of(extension, SEQUENCE, "Extension")?;
        let critical = match fields.find(BOOLEAN) {
            Some(_) => fields.boolean(BOOLEAN, "critical")?,
            None => false,
        };
        let value = fields.octets(OCTET_STRING, "extnValue")?;
        let parse = |tag, name| Fields::parse(value, tag, name);
        match fields.octets(OBJECT_IDENTIFIER, "extnID")? {
            OID_SUBJECT_KEY_ID => {
                let id = Tlv::parse(value).map_err(|_| fields.invalid("subjectKeyIdentifier"))?;
                self.key_id = id.value().to_vec();
            }
            OID_AUTHORITY_KEY_ID => {
                let id = parse(SEQUENCE, "authorityKeyIdentifier")?;
                self.issuer_key_id = id
                    .find(Tag::new(0x80))
                    .map(|id| id.value().to_vec())
                    .unwrap_or_default();
            }
            OID_KEY_USAGE => {
                let bits = Tlv::parse(value).map_err(|_| fields.invalid("keyUsage"))?;
                self.key_usage = NamedBits::from_octets(bits.value())
                    .ok_or_else(|| fields.invalid("keyUsage"))?;
            }
            OID_BASIC_CONSTRAINTS => {
                let constraints = parse(SEQUENCE, "basicConstraints")?;
                self.is_ca = constraints
                    .find(BOOLEAN)
                    .is_some_and(|ca| ca.value() != [0]);
            }
            OID_POLICIES => self.read_policies(&parse(SEQUENCE, "certificatePolicies")?)?,
            OID_ALTERNATIVE_NAME => self.read_names(&parse(SEQUENCE, "subjectAltName")?)?,
            OID_NAME_CONSTRAINTS => {
                self.read_name_constraints(&parse(SEQUENCE, "nameConstraints")?)?;
            }
            OID_PERMITTED_EINS => {
                let eins = parse(SEQUENCE, "permittedEins")?;
                self.constraints.permitted_eins = Some(
                    eins.members()
                        .iter()
                        .map(|ein| String::from_utf8_lossy(ein.value()).into_owned())
                        .collect(),
                );
            }
            // Where to ask, and what TLS may do with the key: not our decision.
            OID_CRL_DISTRIBUTION | OID_EXTENDED_KEY_USAGE => {}
            _ => self.unknown_critical |= critical,
        }
        Ok(())
    }

    fn read_policies(&mut self, policies: &Fields<'_>) -> Result<(), DecodeError> {
        for policy in policies.members() {
            let policy = Fields::inside(policy, "certificatePolicies")?;
            self.policies
                .push(policy.oid(OBJECT_IDENTIFIER, "policyIdentifier")?);
        }
        Ok(())
    }

    fn read_names(&mut self, names: &Fields<'_>) -> Result<(), DecodeError> {
        self.registered_id = names.oid_if(Tag::new(0x88), "registeredID")?;
        self.dns_names = names
            .members()
            .iter()
            .filter(|name| name.tag() == Tag::new(0x82))
            .map(|name| String::from_utf8_lossy(name.value()).into_owned())
            .collect();
        Ok(())
    }

    fn read_name_constraints(&mut self, constraints: &Fields<'_>) -> Result<(), DecodeError> {
        const NAME: &str = "nameConstraints";
        // Excluded subtrees are not part of the profile; ignoring them would permit too much.
        self.unknown_critical |= constraints.find(Tag::new(0xA1)).is_some();
        for subtree in constraints.group(Tag::new(0xA0), NAME)?.members() {
            let directory = Fields::inside(subtree, NAME)?.need(Tag::new(0xA4), NAME)?;
            let name = Fields::inside(&directory, NAME)?.need(SEQUENCE, NAME)?;
            self.constraints.names.push(NameConstraint {
                organisation: name_part(&name, OID_ORGANISATION)?,
                ein: name_part(&name, OID_SERIAL_NUMBER)?,
            });
        }
        Ok(())
    }
}
