//! Certificates with their private keys, made here or loaded from files.

use std::fmt;
use std::sync::Arc;

use crate::certificate::{Certificate, Role};
use crate::key::{PrivateKey, PublicKey, Signer, read_pem, write_pem};

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

/// Everything that a folder of certificates and keys holds: what belongs together is found by the keys.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The roots.
    pub roots: Vec<Certificate>,
    /// Certificates whose keys are there.
    pub owned: Vec<Credential>,
    /// Other certificates.
    pub others: Vec<Certificate>,
}

impl Credentials {
    /// Sorts files into certificates and keys.
    ///
    /// # Errors
    /// [`CredentialError::Unreadable`] with the name of the file.
    pub fn from_files(files: &[NamedFile]) -> Result<Self, CredentialError> {
        let (mut certificates, mut keys) = (Vec::new(), Vec::new());
        for file in files {
            match read(&file.content) {
                Some(Found::Certificate(one)) => certificates.push(*one),
                Some(Found::Key(key)) => keys.push(Arc::new(*key)),
                Some(Found::PublicKey) => {}
                None => {
                    return Err(CredentialError::Unreadable {
                        file: file.name.clone(),
                    });
                }
            }
        }
        let mut sorted = Self::default();
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
}

enum Found {
    Certificate(Box<Certificate>),
    Key(Box<PrivateKey>),
    PublicKey,
}

fn read(content: &[u8]) -> Option<Found> {
    let text = std::str::from_utf8(content).unwrap_or("");
    if let Ok(der) = read_pem(text, "CERTIFICATE") {
        return Certificate::parse(&der)
            .ok()
            .map(|one| Found::Certificate(Box::new(one)));
    }
    for label in ["PRIVATE KEY", "EC PRIVATE KEY"] {
        if let Ok(der) = read_pem(text, label) {
            return PrivateKey::from_der(&der)
                .ok()
                .map(|key| Found::Key(Box::new(key)));
        }
    }
    if let Ok(der) = read_pem(text, "PUBLIC KEY") {
        return PublicKey::from_spki(&der).ok().map(|_| Found::PublicKey);
    }
    if let Ok(one) = Certificate::parse(content) {
        return Some(Found::Certificate(Box::new(one)));
    }
    PrivateKey::from_der(content)
        .ok()
        .map(|key| Found::Key(Box::new(key)))
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
