//! Lists of revoked certificates.

use std::collections::BTreeSet;

use simurgh_vocab::Timestamp;

use super::{BIT_STRING, Certificate, INTEGER, SEQUENCE, utc_time};
use crate::key::signature_from_der;
use crate::tlv::{DecodeError, Fields, Tlv};

/// A list of the serial numbers that an issuer has revoked; verified when it was read.
#[derive(Debug, Clone)]
pub struct RevocationList {
    issuer: Vec<u8>,
    issuer_key_id: Vec<u8>,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    serials: BTreeSet<Vec<u8>>,
}

impl RevocationList {
    /// Reads a list in DER and verifies that `issuer` signed it.
    ///
    /// Source: RFC 5280 §5.1
    ///
    /// # Errors
    /// [`DecodeError`]; a wrong signature is an invalid `signature`.
    pub fn parse(der: &[u8], issuer: &Certificate) -> Result<Self, DecodeError> {
        let fields = Fields::parse(der, SEQUENCE, "CertificateList")?;
        let tbs = fields.need(SEQUENCE, "tbsCertList")?;
        let signature = match fields.octets(BIT_STRING, "signature")?.split_first() {
            Some((0, value)) => signature_from_der(value),
            _ => None,
        }
        .ok_or_else(|| fields.invalid("signature"))?;
        issuer
            .public_key()
            .verify(tbs.raw(), &signature)
            .map_err(|_| fields.invalid("signature"))?;
        let list = Fields::of(&tbs, SEQUENCE, "tbsCertList")?;
        let name = list
            .nth(SEQUENCE, 1)
            .ok_or_else(|| list.missing("issuer"))?;
        if name.raw() != issuer.subject() {
            return Err(list.invalid("issuer"));
        }
        let mut times = list.members().iter().filter_map(utc_time);
        let mut serials = BTreeSet::new();
        if let Some(entries) = list.nth(SEQUENCE, 2) {
            for entry in Fields::inside(&entries, "revokedCertificates")?.members() {
                serials.insert(serial_of(entry)?);
            }
        }
        Ok(Self {
            issuer: issuer.subject().to_vec(),
            issuer_key_id: issuer.key_id().to_vec(),
            this_update: times.next().ok_or_else(|| list.missing("thisUpdate"))?,
            next_update: times.next(),
            serials,
        })
    }

    /// Whether octets look like a list: three parts, of which the first begins as `tbsCertList` does.
    pub(crate) fn is_one(der: &[u8]) -> bool {
        let tbs = Fields::parse(der, SEQUENCE, "CertificateList")
            .ok()
            .filter(|fields| fields.members().len() == 3)
            .and_then(|fields| fields.find(SEQUENCE));
        tbs.and_then(|tbs| Fields::inside(&tbs, "tbsCertList").ok())
            .is_some_and(|list| list.members().iter().any(|one| utc_time(one).is_some()))
    }

    /// The encoded name of a list's issuer, believed by nobody yet: to find whose key verifies it.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn issuer_of(der: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let fields = Fields::parse(der, SEQUENCE, "CertificateList")?;
        let list = Fields::inside(&fields.need(SEQUENCE, "tbsCertList")?, "tbsCertList")?;
        let name = list.nth(SEQUENCE, 1);
        Ok(name.ok_or_else(|| list.missing("issuer"))?.raw().to_vec())
    }

    /// Whether it lists the certificate. Roots that share a name differ in their keys.
    #[must_use]
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        certificate.issuer() == self.issuer
            && certificate.issuer_key_id() == self.issuer_key_id
            && self.serials.contains(certificate.serial())
    }

    /// Whether it comes from the same key as another list.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.issuer_key_id == other.issuer_key_id
    }

    /// When it was made.
    #[must_use]
    pub const fn this_update(&self) -> Timestamp {
        self.this_update
    }

    /// When the next one is due.
    #[must_use]
    pub const fn next_update(&self) -> Option<Timestamp> {
        self.next_update
    }
}

fn serial_of(entry: &Tlv<'_>) -> Result<Vec<u8>, DecodeError> {
    let fields = Fields::inside(entry, "revokedCertificates")?;
    Ok(fields.octets(INTEGER, "userCertificate")?.to_vec())
}
