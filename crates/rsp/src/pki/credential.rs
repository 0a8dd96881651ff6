//! Certificates with their private keys, made here or loaded from files.

use std::fmt;
use std::sync::Arc;

use simurgh_vocab::{Duration, Timestamp};

use super::{ChainError, IssueError, Issuer, Name, Request, Trust};
use crate::certificate::{Certificate, RevocationList, Role};
use crate::identity::Eid;
use crate::key::{Curve, KeyError, PrivateKey, PublicKey, Signer, read_all_pem, write_pem};
use crate::tlv::Oid;

/// A certificate and the key it certifies.
#[derive(Clone)]
pub struct Credential {
    certificate: Certificate,
    signer: Arc<dyn Signer>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credential")
            .field(&self.certificate)
            .finish()
    }
}

/// What can be wrong with files of keys and certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The key is not the one that is certified.
    #[error("the key is not the one that the certificate names")]
    OtherKey,
    /// A file is neither a certificate nor a key.
    #[error("{file}: neither a certificate nor a key on a curve that eSIM uses")]
    Unreadable {
        /// Its name.
        file: String,
    },
}

impl Credential {
    /// Joins a certificate with its key.
    ///
    /// # Errors
    /// [`CredentialError::OtherKey`].
    pub fn new(certificate: Certificate, signer: Arc<dyn Signer>) -> Result<Self, CredentialError> {
        if signer.public_key() != *certificate.public_key() {
            return Err(CredentialError::OtherKey);
        }
        Ok(Self {
            certificate,
            signer,
        })
    }

    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What signs with its key.
    #[must_use]
    pub fn signer(&self) -> &dyn Signer {
        self.signer.as_ref()
    }
}

/// A file by its name and content; reading the disk is the caller's work.
#[derive(Clone)]
pub struct NamedFile {
    /// Its name, for messages.
    pub name: String,
    /// Its content: PEM or DER.
    pub content: Vec<u8>,
}

impl fmt::Debug for NamedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedFile({})", self.name)
    }
}

/// Everything that a folder of certificates and keys holds: what belongs together is found by the keys, what a
/// certificate is for by its policy. So the names of the files do not matter.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The roots.
    pub roots: Vec<Certificate>,
    /// Certificates whose keys are there.
    pub owned: Vec<Credential>,
    /// Other certificates.
    pub others: Vec<Certificate>,
    /// Lists of revoked certificates in DER; not verified, see
    /// [`RevocationList::parse`](crate::certificate::RevocationList::parse).
    pub revocations: Vec<Vec<u8>>,
}

impl Credentials {
    /// Sorts files into certificates, keys and lists of revoked certificates. A file in PEM may hold several.
    ///
    /// # Errors
    /// [`CredentialError::Unreadable`] with the name of the file.
    pub fn from_files(files: &[NamedFile]) -> Result<Self, CredentialError> {
        let (mut certificates, mut keys) = (Vec::<Certificate>::new(), Vec::new());
        let mut sorted = Self::default();
        for file in files {
            let found = read(&file.content).ok_or_else(|| CredentialError::Unreadable {
                file: file.name.clone(),
            })?;
            for one in found {
                match one {
                    // The same certificate often lies there in both forms.
                    Found::Certificate(one) if certificates.contains(&one) => {}
                    Found::Certificate(one) => certificates.push(*one),
                    Found::Key(key) => keys.push(Arc::new(*key)),
                    Found::PublicKey => {}
                    Found::Revocations(der) => sorted.revocations.push(der),
                }
            }
        }
        for certificate in certificates {
            let key = keys
                .iter()
                .find(|key| key.public_key() == *certificate.public_key());
            if certificate.role() == Some(Role::Ci) {
                sorted.roots.push(certificate.clone());
            }
            match key {
                Some(key) => sorted.owned.push(Credential {
                    certificate,
                    signer: Arc::<PrivateKey>::clone(key),
                }),
                None if certificate.role() != Some(Role::Ci) => sorted.others.push(certificate),
                None => {}
            }
        }
        Ok(sorted)
    }

    /// Our credential in a role below the root with this key.
    #[must_use]
    pub fn find(&self, role: Role, root_key_id: &[u8]) -> Option<&Credential> {
        self.owned.iter().find(|one| {
            one.certificate.role() == Some(role)
                && (one.certificate.issuer_key_id() == root_key_id
                    || (role == Role::Ci && one.certificate.key_id() == root_key_id))
        })
    }

    /// The same without other servers: folders of test certificates often hold several SM-DP+.
    #[must_use]
    pub fn of_server(mut self, identifier: &Oid) -> Self {
        let is_ours = |one: &Certificate| one.registered_id().is_none_or(|id| id == identifier);
        self.owned.retain(|one| is_ours(&one.certificate));
        self.others.retain(is_ours);
        self
    }

    /// Trust in all roots that are there, with the lists of revoked certificates that they signed.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] when one is no root that signed itself.
    pub fn trust(&self) -> Result<Trust, ChainError> {
        let mut trust = Trust::nobody();
        for root in &self.roots {
            trust = trust.with_root(root.clone())?;
        }
        for der in &self.revocations {
            let mut roots = self.roots.iter();
            if let Some(list) = roots.find_map(|root| RevocationList::parse(der, root).ok()) {
                trust = trust.with_revocations(list);
            }
        }
        Ok(trust)
    }

    /// The manufacturer's certificate above a chip's.
    #[must_use]
    pub fn eum_of(&self, euicc: &Certificate) -> Option<&Certificate> {
        let owned = self.owned.iter().map(Credential::certificate);
        owned
            .chain(&self.others)
            .find(|one| one.role() == Some(Role::Eum) && one.key_id() == euicc.issuer_key_id())
    }

    /// The credentials of a chip, one below each root that has certified it here.
    pub fn euicc(&self, eid: &Eid) -> impl Iterator<Item = &Credential> {
        let digits = eid.digits();
        self.owned.iter().filter(move |one| {
            one.certificate.role() == Some(Role::Euicc)
                && one.certificate.subject_serial() == Some(digits.as_str())
        })
    }

    /// Certifies a chip below every manufacturer whose key is there and that has not certified it yet. Adds what
    /// is made, and gives it as files to keep.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn certify_euicc(
        &mut self,
        eid: &Eid,
        now: Timestamp,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Vec<NamedFile>, IssueError> {
        let eums: Vec<Credential> = self
            .owned
            .iter()
            .filter(|one| one.certificate.role() == Some(Role::Eum))
            .filter(|eum| {
                let mut euiccs = self.euicc(eid);
                !euiccs.any(|one| one.certificate.issuer_key_id() == eum.certificate.key_id())
            })
            .cloned()
            .collect();
        let mut made = Vec::new();
        for eum in eums {
            let (certificate, key) = certify_chip(&eum, eid, now, random)?;
            let curve = certificate.public_key().curve();
            made.extend(files(
                &format!("{}_{}", file_name(Role::Euicc, curve), eid.digits()),
                &certificate,
                &key,
            ));
            let credential = Credential::new(certificate, Arc::new(key))
                .map_err(|_| IssueError::Key(KeyError::Unusable))?;
            self.owned.push(credential);
        }
        Ok(made)
    }
}

/// A chip's certificate by its manufacturer, for as long as that one's.
fn certify_chip(
    eum: &Credential,
    eid: &Eid,
    now: Timestamp,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<(Certificate, PrivateKey), IssueError> {
    let subject = Name {
        organisation: eum.certificate.organisation().map(str::to_owned),
        serial: Some(eid.digits()),
        common_name: "Test eUICC".to_owned(),
        ..Name::default()
    };
    let mut serial = [0u8; 7];
    random(&mut serial);
    let serial = serial
        .iter()
        .fold(1, |sum, one| (sum << 8) | u64::from(*one));
    let mut request = Request::new(Role::Euicc, subject, serial, now.minus(Duration::days(1)));
    request.not_after = eum.certificate.not_after();
    let key = PrivateKey::generate(eum.certificate.public_key().curve(), random)?;
    let issuer = Issuer {
        certificate: Some(&eum.certificate),
        signer: eum.signer.as_ref(),
    };
    let certificate = issuer.issue(&request, &key.public_key())?;
    Ok((certificate, key))
}

enum Found {
    Certificate(Box<Certificate>),
    Key(Box<PrivateKey>),
    PublicKey,
    Revocations(Vec<u8>),
}

/// What a file holds; `None` when that cannot be read or is nothing of this.
fn read(content: &[u8]) -> Option<Vec<Found>> {
    let text = std::str::from_utf8(content).unwrap_or("");
    if text.contains("-----BEGIN ") {
        let blocks = read_all_pem(text).ok()?;
        let found: Option<Vec<Option<Found>>> = blocks
            .into_iter()
            .map(|(label, der)| read_block(&label, &der))
            .collect();
        let found: Vec<Found> = found?.into_iter().flatten().collect();
        return (!found.is_empty()).then_some(found);
    }
    let certificate = |der| Certificate::parse(der).ok().map(Box::new);
    let key = |der| PrivateKey::from_der(der).ok().map(Box::new);
    let one = certificate(content)
        .map(Found::Certificate)
        .or_else(|| key(content).map(Found::Key))
        .or_else(|| {
            let list = RevocationList::is_one(content);
            list.then(|| Found::Revocations(content.to_vec()))
        })?;
    Some(vec![one])
}

/// What a block of PEM holds: outside `None` when it is damaged, inside `None` when it is nothing for us.
fn read_block(label: &str, der: &[u8]) -> Option<Option<Found>> {
    Some(Some(match label {
        "CERTIFICATE" => Found::Certificate(Box::new(Certificate::parse(der).ok()?)),
        "PRIVATE KEY" | "EC PRIVATE KEY" => Found::Key(Box::new(PrivateKey::from_der(der).ok()?)),
        "PUBLIC KEY" => {
            PublicKey::from_spki(der).ok()?;
            Found::PublicKey
        }
        "X509 CRL" => Found::Revocations(der.to_vec()),
        _ => return Some(None),
    }))
}

/// How files of a role are called: as in GSMA SGP.26, without `CERT_` or `SK_` before it.
pub(super) fn file_name(role: Role, curve: Curve) -> String {
    let curve = match curve {
        Curve::P256 => "NIST",
        Curve::BrainpoolP256r1 => "BRP",
    };
    match role {
        Role::Ci => format!("CI_ECDSA_{curve}"),
        Role::Eum => format!("EUM_ECDSA_{curve}"),
        Role::Euicc => format!("EUICC_ECDSA_{curve}"),
        Role::DpTls => format!("S_SM_DP_TLS_{curve}"),
        Role::DpAuth => format!("S_SM_DPauth_ECDSA_{curve}"),
        Role::DpPb => format!("S_SM_DPpb_ECDSA_{curve}"),
        Role::DsTls => format!("S_SM_DS_TLS_{curve}"),
        Role::DsAuth => format!("S_SM_DSauth_ECDSA_{curve}"),
    }
}

/// The two files of a credential in memory: `CERT_<name>.pem` and `SK_<name>.pem`.
pub(super) fn files(name: &str, certificate: &Certificate, key: &PrivateKey) -> [NamedFile; 2] {
    [
        NamedFile {
            name: format!("CERT_{name}.pem"),
            content: write_pem("CERTIFICATE", certificate.der()).into_bytes(),
        },
        NamedFile {
            name: format!("SK_{name}.pem"),
            content: write_pem("PRIVATE KEY", &key.to_pkcs8()).into_bytes(),
        },
    ]
}
