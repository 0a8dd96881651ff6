//! Issuing certificates and revocation lists: for the test PKI, and for an operator's private one.

use aws_lc_rs::digest;
use simurgh_vocab::{Duration, Timestamp};

use crate::certificate::{
    BIT_STRING, BOOLEAN, Certificate, INTEGER, NameConstraint, OBJECT_IDENTIFIER, OCTET_STRING,
    OID_ALTERNATIVE_NAME, OID_AUTHORITY_KEY_ID, OID_BASIC_CONSTRAINTS, OID_COMMON_NAME,
    OID_COUNTRY, OID_CRL_DISTRIBUTION, OID_EXTENDED_KEY_USAGE, OID_KEY_USAGE, OID_NAME_CONSTRAINTS,
    OID_ORGANISATION, OID_PERMITTED_EINS, OID_POLICIES, OID_SERIAL_NUMBER, OID_SUBJECT_KEY_ID,
    PRINTABLE_STRING, Role, SEQUENCE, SET, USAGE_CERTIFICATE_SIGN, USAGE_CRL_SIGN,
    USAGE_DIGITAL_SIGNATURE, UTF8_STRING, write_time,
};
use crate::key::{KeyError, PublicKey, Signer, ecdsa_with_sha256, signature_to_der};
use crate::tlv::{DecodeError, NamedBits, Oid, Tag, Writer};

/// The name of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// Two letters.
    pub country: Option<String>,
    /// The organisation.
    pub organisation: Option<String>,
    /// A serial number: the EID of an eUICC.
    pub serial: Option<String>,
    /// What people call it.
    pub common_name: String,
}

/// What a certificate shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its role.
    pub role: Role,
    /// Its subject.
    pub subject: Name,
    /// Its serial number, unique for the issuer.
    pub serial: u64,
    /// Since when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// The object identifier of the holder.
    pub registered_id: Option<Oid>,
    /// The host names of a server.
    pub dns_names: Vec<String>,
    /// What a manufacturer may certify: the older form.
    pub names: Vec<NameConstraint>,
    /// What a manufacturer may certify: the newer form.
    pub permitted_eins: Vec<String>,
    /// Where the revocation list is.
    pub revocations_url: Option<String>,
}

impl Request {
    /// A certificate in a role for ten years, with nothing optional.
    #[must_use]
    pub fn new(role: Role, subject: Name, serial: u64, not_before: Timestamp) -> Self {
        Self {
            role,
            subject,
            serial,
            not_before,
            not_after: not_before.plus(Duration::days(3_650)),
            registered_id: None,
            dns_names: Vec::new(),
            names: Vec::new(),
            permitted_eins: Vec::new(),
            revocations_url: None,
        }
    }
}

/// A certificate could not be issued; our own fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What was made does not read back.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Who issues: a root or a manufacturer.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// Its certificate; `None` for a root that signs itself.
    pub certificate: Option<&'a Certificate>,
    /// Its key.
    pub signer: &'a dyn Signer,
}

impl std::fmt::Debug for Issuer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Issuer").field(&self.certificate).finish()
    }
}

impl Issuer<'_> {
    /// Issues a certificate for `public_key`.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(
        &self,
        request: &Request,
        public_key: &PublicKey,
    ) -> Result<Certificate, IssueError> {
        let subject = encode_name(&request.subject);
        let issuer_name = self
            .certificate
            .map_or(subject.as_slice(), Certificate::subject);
        let issuer_key_id = self
            .certificate
            .map_or_else(|| key_id(public_key), |one| one.key_id().to_vec());
        let tbs = Writer::nest(SEQUENCE, |w| {
            w.nested(Tag::new(0xA0), |w| {
                w.integer(INTEGER, 2);
            });
            w.integer(INTEGER, request.serial)
                .raw(&algorithm())
                .raw(issuer_name)
                .nested(SEQUENCE, |w| {
                    write_time(w, request.not_before);
                    write_time(w, request.not_after);
                })
                .raw(&subject)
                .raw(&public_key.to_spki());
            w.nested(Tag::new(0xA3), |w| {
                w.nested(SEQUENCE, |w| {
                    extensions(w, request, public_key, &issuer_key_id);
                });
            });
        });
        Ok(Certificate::parse(&self.seal(&tbs)?)?)
    }

    /// A list of the serial numbers that are revoked, signed now.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn revoke(
        &self,
        revoked: &[&Certificate],
        now: Timestamp,
        next_update: Timestamp,
    ) -> Result<Vec<u8>, IssueError> {
        let name = self.certificate.map(|one| one.subject().to_vec());
        let tbs = Writer::nest(SEQUENCE, |w| {
            w.integer(INTEGER, 1)
                .raw(&algorithm())
                .raw(&name.unwrap_or_default());
            write_time(w, now);
            write_time(w, next_update);
            if !revoked.is_empty() {
                w.nested(SEQUENCE, |w| {
                    for one in revoked {
                        w.nested(SEQUENCE, |w| {
                            w.octets(INTEGER, one.serial());
                            write_time(w, now);
                        });
                    }
                });
            }
        });
        Ok(self.seal(&tbs)?)
    }

    /// What is to be signed, the algorithm, and the signature.
    fn seal(&self, tbs: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = signature_to_der(&self.signer.sign(tbs)?);
        Ok(Writer::nest(SEQUENCE, |w| {
            w.raw(tbs)
                .raw(&algorithm())
                .octets(BIT_STRING, &[&[0], signature.as_slice()].concat());
        }))
    }
}

/// The identifier of a key: SHA-1 of its point (RFC 5280 §4.2.1.2, method 1), as the GSMA's roots do it.
#[must_use]
pub(super) fn key_id(key: &PublicKey) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.point())
        .as_ref()
        .to_vec()
}

fn algorithm() -> Vec<u8> {
    Writer::nest(SEQUENCE, |w| {
        if let Some(oid) = ecdsa_with_sha256() {
            w.oid(OBJECT_IDENTIFIER, &oid);
        }
    })
}

fn encode_name(name: &Name) -> Vec<u8> {
    let parts = [
        (OID_COUNTRY, PRINTABLE_STRING, name.country.as_deref()),
        (OID_ORGANISATION, UTF8_STRING, name.organisation.as_deref()),
        (OID_SERIAL_NUMBER, PRINTABLE_STRING, name.serial.as_deref()),
        (
            OID_COMMON_NAME,
            UTF8_STRING,
            Some(name.common_name.as_str()).filter(|text| !text.is_empty()),
        ),
    ];
    Writer::nest(SEQUENCE, |w| {
        for (oid, tag, text) in parts {
            if let Some(text) = text {
                w.nested(SET, |w| {
                    w.nested(SEQUENCE, |w| {
                        w.octets(OBJECT_IDENTIFIER, oid)
                            .octets(tag, text.as_bytes());
                    });
                });
            }
        }
    })
}

fn extensions(w: &mut Writer, request: &Request, key: &PublicKey, issuer_key_id: &[u8]) {
    extension(w, OID_AUTHORITY_KEY_ID, false, |w| {
        w.nested(SEQUENCE, |w| {
            w.octets(Tag::new(0x80), issuer_key_id);
        });
    });
    extension(w, OID_SUBJECT_KEY_ID, false, |w| {
        w.octets(OCTET_STRING, &key_id(key));
    });
    let usage = match request.role {
        Role::Ci => NamedBits::of(&[USAGE_CERTIFICATE_SIGN, USAGE_CRL_SIGN]),
        Role::Eum => NamedBits::of(&[USAGE_CERTIFICATE_SIGN]),
        Role::Euicc | Role::DpTls | Role::DpAuth | Role::DpPb | Role::DsTls | Role::DsAuth => {
            NamedBits::of(&[USAGE_DIGITAL_SIGNATURE])
        }
    };
    extension(w, OID_KEY_USAGE, true, |w| {
        w.bits(BIT_STRING, usage);
    });
    let is_tls = matches!(request.role, Role::DpTls | Role::DsTls);
    // The policy is critical except in TLS, where verifiers that know nothing of eSIM must pass it.
    extension(w, OID_POLICIES, !is_tls, |w| {
        w.nested(SEQUENCE, |w| {
            w.nested(SEQUENCE, |w| {
                w.octets(OBJECT_IDENTIFIER, &request.role.policy_octets());
            });
        });
    });
    if is_tls {
        extension(w, OID_EXTENDED_KEY_USAGE, true, |w| {
            w.nested(SEQUENCE, |w| {
                for last in [1, 2] {
                    // serverAuth and clientAuth
                    let oid = [0x2B, 6, 1, 5, 5, 7, 3, last];
                    w.octets(OBJECT_IDENTIFIER, &oid);
                }
            });
        });
    }
    alternative_names(w, request);
    authority(w, request);
}

fn alternative_names(w: &mut Writer, request: &Request) {
    if request.registered_id.is_some() || !request.dns_names.is_empty() {
        extension(w, OID_ALTERNATIVE_NAME, false, |w| {
            w.nested(SEQUENCE, |w| {
                for name in &request.dns_names {
                    w.octets(Tag::new(0x82), name.as_bytes());
                }
                if let Some(oid) = &request.registered_id {
                    w.oid(Tag::new(0x88), oid);
                }
            });
        });
    }
    if let Some(url) = &request.revocations_url {
        extension(w, OID_CRL_DISTRIBUTION, false, |w| {
            w.nested(SEQUENCE, |w| {
                w.nested(SEQUENCE, |w| {
                    w.nested(Tag::new(0xA0), |w| {
                        w.nested(Tag::new(0xA0), |w| {
                            w.octets(Tag::new(0x86), url.as_bytes());
                        });
                    });
                });
            });
        });
    }
}

fn authority(w: &mut Writer, request: &Request) {
    if matches!(request.role, Role::Ci | Role::Eum) {
        extension(w, OID_BASIC_CONSTRAINTS, true, |w| {
            w.nested(SEQUENCE, |w| {
                w.boolean(BOOLEAN, true);
                if request.role == Role::Eum {
                    w.integer(INTEGER, 0);
                }
            });
        });
    }
    if !request.names.is_empty() {
        extension(w, OID_NAME_CONSTRAINTS, true, |w| {
            w.nested(SEQUENCE, |w| {
                w.nested(Tag::new(0xA0), |w| {
                    for one in &request.names {
                        let name = encode_name(&Name {
                            organisation: one.organisation.clone(),
                            serial: one.ein.clone(),
                            ..Name::default()
                        });
                        w.nested(SEQUENCE, |w| {
                            w.octets(Tag::new(0xA4), &name);
                        });
                    }
                });
            });
        });
    }
    if !request.permitted_eins.is_empty() {
        extension(w, OID_PERMITTED_EINS, true, |w| {
            w.nested(SEQUENCE, |w| {
                for ein in &request.permitted_eins {
                    w.octets(PRINTABLE_STRING, ein.as_bytes());
                }
            });
        });
    }
}

fn extension(w: &mut Writer, oid: &[u8], critical: bool, fill: impl FnOnce(&mut Writer)) {
    w.nested(SEQUENCE, |w| {
        w.octets(OBJECT_IDENTIFIER, oid);
        if critical {
            w.boolean(BOOLEAN, true);
        }
        w.nested(OCTET_STRING, fill);
    });
}
