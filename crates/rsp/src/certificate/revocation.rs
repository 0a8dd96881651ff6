//! Lists of revoked certificates.

use std::collections::BTreeSet;

use simurgh_vocab::Timestamp;

use super::{BIT_STRING, BOOLEAN, Certificate, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, utc_time};
use crate::key::signature_from_der;
use crate::tlv::{DecodeError, Fields, Tag, Tlv};

/// issuingDistributionPoint, 2.5.29.28: where the list is published. The one critical extension that is known.
const DISTRIBUTION_POINT: [u8; 3] = [0x55, 0x1D, 0x1C];

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
        must_be_understood(&list)?;
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
    /// [`DecodeError`], also for a list that would be misunderstood: one of what changed since another list.
    pub fn issuer_of(der: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let fields = Fields::parse(der, SEQUENCE, "CertificateList")?;
        let list = Fields::inside(&fields.need(SEQUENCE, "tbsCertList")?, "tbsCertList")?;
        must_be_understood(&list)?;
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

/// A list with a critical extension that is not known is not used. A list of changes (deltaCRLIndicator) has one: taken
/// for a whole list, it would clear what the lists before it revoked.
///
/// Source: RFC 5280 §5.2, §5.2.4
fn must_be_understood(list: &Fields<'_>) -> Result<(), DecodeError> {
    let Some(explicit) = list.find(Tag::new(0xA0)) else {
        return Ok(());
    };
    let wrapped = Fields::inside(&explicit, "crlExtensions")?;
    let all = Fields::inside(&wrapped.need(SEQUENCE, "crlExtensions")?, "crlExtensions")?;
    for one in all.members() {
        let extension = Fields::of(one, SEQUENCE, "crlExtensions")?;
        let is_critical = match extension.find(BOOLEAN) {
            Some(_) => extension.boolean(BOOLEAN, "critical")?,
            None => false,
        };
        let id = extension.octets(OBJECT_IDENTIFIER, "extnID")?;
        if is_critical && id != DISTRIBUTION_POINT {
            return Err(list.invalid("crlExtensions"));
        }
    }
    Ok(())
}

fn serial_of(entry: &Tlv<'_>) -> Result<Vec<u8>, DecodeError> {
    let fields = Fields::inside(entry, "revokedCertificates")?;
    Ok(fields.octets(INTEGER, "userCertificate")?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlv::Writer;

    /// A list that nobody signed, with one extension.
    fn with_extension(id: u8, is_critical: bool) -> Vec<u8> {
        Writer::nest(SEQUENCE, |w| {
            w.nested(SEQUENCE, |w| {
                w.nested(SEQUENCE, |_| {}).nested(SEQUENCE, |_| {});
                w.octets(Tag::new(0x17), b"261123000000Z");
                w.nested(Tag::new(0xA0), |w| {
                    w.nested(SEQUENCE, |w| {
                        w.nested(SEQUENCE, |w| {
                            w.octets(OBJECT_IDENTIFIER, &[0x55, 0x1D, id]);
                            if is_critical {
                                w.octets(BOOLEAN, &[0xFF]);
                            }
                            w.octets(Tag::new(0x04), &[0x02, 1, 7]);
                        });
                    });
                });
            });
        })
    }

    #[test]
    fn rfc_5280_5_2_a_list_of_changes_is_not_taken_for_a_whole_one() {
        let cases = [
            (20, false, true), // cRLNumber
            (28, true, true),  // issuingDistributionPoint
            (27, true, false), // deltaCRLIndicator
            (99, true, false), // one that nobody knows
            (99, false, true),
        ];
        for (id, is_critical, is_taken) in cases {
            let list = RevocationList::issuer_of(&with_extension(id, is_critical));
            assert_eq!(list.is_ok(), is_taken, "{id} {is_critical}: {list:?}");
        }
    }
}
