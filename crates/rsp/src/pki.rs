//! Who may do what: chains of certificates from a root (CI) that is trusted.
//!
//! What is verified is a type that only verification makes: [`VerifiedServer`], [`VerifiedEum`],
//! [`VerifiedEuicc`].
//!
//! Certificates and keys come as files by name ([`NamedFile`]; reading the disk is the caller's work), either
//! made here for tests ([`TestPki::generate`], then [`TestPki::files`]) or somebody else's, such as the test
//! certificates of GSMA SGP.26. [`Credentials::from_files`] takes both: PEM (PKCS #8, SEC 1, certificates, lists
//! of revoked certificates, several in one file) or DER. What is what is seen from the content; names are for
//! people. Ours are `CERT_CI_ECDSA_NIST.pem` and `SK_CI_ECDSA_NIST.pem`, and so on as SGP.26 has them:
//! `EUM_ECDSA`, `EUICC_ECDSA`, `S_SM_DPauth_ECDSA`, `S_SM_DPpb_ECDSA`, `S_SM_DP_TLS`, `S_SM_DSauth_ECDSA`,
//! `S_SM_DS_TLS`, each with `_NIST` or `_BRP`. Then:
//!
//! - [`Credentials::trust`]: the roots, and the lists of revoked certificates that they signed;
//! - [`Credentials::find`]: our certificate and key in a role below a root;
//! - [`Credentials::of_server`]: leaves other servers out, when the folder holds several;
//! - [`Credentials::euicc`] and [`Credentials::certify_euicc`]: a chip's, found or made.

mod credential;
mod issue;
mod testbed;

pub use credential::{Credential, CredentialError, Credentials, NamedFile};
pub use issue::{IssueError, Issuer, Name, Request};
pub use testbed::{TestNames, TestPki};

use simurgh_vocab::Timestamp;

use crate::certificate::{
    Certificate, RevocationList, Role, USAGE_CERTIFICATE_SIGN, USAGE_DIGITAL_SIGNATURE,
};
use crate::identity::Eid;
use crate::key::PublicKey;
use crate::tlv::Oid;

/// A chain is not accepted. Whoever presented it is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It does not lead to a root that is trusted.
    #[error("the certificate leads to no root that is trusted here")]
    UnknownRoot,
    /// A certificate is not what it should be.
    #[error("the certificate {role:?} is not valid: {why}")]
    Invalid {
        /// Whose certificate it should be.
        role: Role,
        /// What is wrong with it.
        why: Flaw,
    },
    /// A certificate is valid at another time.
    #[error("the certificate {role:?} has expired or is not valid yet")]
    Expired {
        /// Whose certificate it is.
        role: Role,
    },
    /// A certificate was revoked.
    #[error("the certificate {role:?} was revoked")]
    Revoked {
        /// Whose certificate it is.
        role: Role,
    },
}

/// What can be wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Its policy gives another role.
    Role,
    /// Its issuer did not sign it.
    Signature,
    /// Its issuer is another one.
    Issuer,
    /// Its key may not be used so.
    KeyUsage,
    /// It has a critical extension that is not known.
    CriticalExtension,
    /// A server's certificate has no identifier.
    NoIdentifier,
    /// An eUICC's certificate has no EID.
    NoEid,
    /// The manufacturer may not certify this eUICC.
    OutsideConstraints,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Role => "its policy gives another role",
            Self::Signature => "its issuer did not sign it",
            Self::Issuer => "its issuer is another one",
            Self::KeyUsage => "its key may not be used so",
            Self::CriticalExtension => "it has a critical extension that is not known",
            Self::NoIdentifier => "it has no object identifier",
            Self::NoEid => "its subject is no EID",
            Self::OutsideConstraints => "its manufacturer may not certify this EID",
        })
    }
}

/// The roots that are trusted, and what was revoked below them.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    roots: Vec<Certificate>,
    lists: Vec<RevocationList>,
}

/// A server's certificate whose chain, role and validity were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedServer {
    role: Role,
    identifier: Oid,
    public_key: PublicKey,
    root_key_id: Vec<u8>,
}

/// A manufacturer's certificate whose chain and validity were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEum {
    certificate: Certificate,
    root_key_id: Vec<u8>,
}

/// An eUICC's certificate whose chain and validity were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEuicc {
    eid: Eid,
    public_key: PublicKey,
    root_key_id: Vec<u8>,
}

impl Trust {
    /// Trusts nobody.
    #[must_use]
    pub const fn nobody() -> Self {
        Self {
            roots: Vec::new(),
            lists: Vec::new(),
        }
    }

    /// Trusts a root too.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] when the certificate is no root that signed itself.
    pub fn with_root(mut self, root: Certificate) -> Result<Self, ChainError> {
        let invalid = |why| ChainError::Invalid {
            role: Role::Ci,
            why,
        };
        if root.role() != Some(Role::Ci) || !root.is_ca() {
            return Err(invalid(Flaw::Role));
        }
        root.public_key()
            .verify(root.tbs(), root.signature())
            .map_err(|_| invalid(Flaw::Signature))?;
        self.roots.push(root);
        Ok(self)
    }

    /// Honours a list of revoked certificates.
    #[must_use]
    pub fn with_revocations(mut self, list: RevocationList) -> Self {
        self.lists.push(list);
        self
    }

    /// Forgets all lists of revoked certificates, to honour others.
    #[must_use]
    pub fn without_revocations(mut self) -> Self {
        self.lists.clear();
        self
    }

    /// The roots.
    #[must_use]
    pub fn roots(&self) -> &[Certificate] {
        &self.roots
    }

    /// The identifiers of the roots' keys, in order of preference.
    pub fn root_key_ids(&self) -> impl Iterator<Item = &[u8]> {
        self.roots.iter().map(Certificate::key_id)
    }

    /// Verifies a server's certificate: signed by a root, in the role, valid at `now`.
    ///
    /// Source: SGP.22 v2.5 §4.5.2
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn verify_server(
        &self,
        certificate: &Certificate,
        role: Role,
        now: Timestamp,
    ) -> Result<VerifiedServer, ChainError> {
        let root = self.root_of(certificate)?;
        self.check(certificate, root, role, now)?;
        let identifier = certificate
            .registered_id()
            .ok_or(ChainError::Invalid {
                role,
                why: Flaw::NoIdentifier,
            })?
            .clone();
        Ok(VerifiedServer {
            role,
            identifier,
            public_key: *certificate.public_key(),
            root_key_id: root.key_id().to_vec(),
        })
    }

    /// Verifies a manufacturer's certificate. The result can be kept as long as `now` stays within its
    /// validity: it saves one verification in every session.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn verify_eum(
        &self,
        certificate: &Certificate,
        now: Timestamp,
    ) -> Result<VerifiedEum, ChainError> {
        let root = self.root_of(certificate)?;
        self.check(certificate, root, Role::Eum, now)?;
        Ok(VerifiedEum {
            certificate: certificate.clone(),
            root_key_id: root.key_id().to_vec(),
        })
    }

    /// Verifies an eUICC's certificate below a manufacturer's one.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn verify_euicc(
        &self,
        certificate: &Certificate,
        eum: &VerifiedEum,
        now: Timestamp,
    ) -> Result<VerifiedEuicc, ChainError> {
        let invalid = |why| ChainError::Invalid {
            role: Role::Euicc,
            why,
        };
        self.check(certificate, &eum.certificate, Role::Euicc, now)?;
        let eid = certificate
            .subject_serial()
            .and_then(|serial| serial.parse().ok())
            .ok_or(invalid(Flaw::NoEid))?;
        if !eum.permits(certificate) {
            return Err(invalid(Flaw::OutsideConstraints));
        }
        Ok(VerifiedEuicc {
            eid,
            public_key: *certificate.public_key(),
            root_key_id: eum.root_key_id.clone(),
        })
    }

    fn root_of(&self, certificate: &Certificate) -> Result<&Certificate, ChainError> {
        let by_key = |root: &&Certificate| root.key_id() == certificate.issuer_key_id();
        let mut candidates = self.roots.iter().filter(by_key);
        // Two certificates of one root key differ in their names.
        candidates
            .clone()
            .find(|root| root.subject() == certificate.issuer())
            .or_else(|| candidates.next())
            .ok_or(ChainError::UnknownRoot)
    }

    /// One step of a chain, from cheap to costly.
    fn check(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        role: Role,
        now: Timestamp,
    ) -> Result<(), ChainError> {
        let flaw = if certificate.role() != Some(role) {
            Some(Flaw::Role)
        } else if certificate.issuer() != issuer.subject()
            || certificate.issuer_key_id() != issuer.key_id()
        {
            Some(Flaw::Issuer)
        } else if certificate.has_unknown_critical() {
            Some(Flaw::CriticalExtension)
        } else if !usage_fits(certificate, role) {
            Some(Flaw::KeyUsage)
        } else {
            let signed = issuer
                .public_key()
                .verify(certificate.tbs(), certificate.signature());
            signed.is_err().then_some(Flaw::Signature)
        };
        if let Some(why) = flaw {
            return Err(ChainError::Invalid { role, why });
        }
        let in_time = |one: &Certificate| {
            one.not_before() <= now && now.as_unix_seconds() <= one.not_after().as_unix_seconds()
        };
        if !in_time(certificate) || !in_time(issuer) {
            return Err(ChainError::Expired { role });
        }
        if self.lists.iter().any(|list| list.revokes(certificate)) {
            return Err(ChainError::Revoked { role });
        }
        Ok(())
    }
}

fn usage_fits(certificate: &Certificate, role: Role) -> bool {
    match role {
        Role::Ci | Role::Eum => {
            certificate.is_ca() && certificate.key_usage().has(USAGE_CERTIFICATE_SIGN)
        }
        Role::Euicc | Role::DpTls | Role::DpAuth | Role::DpPb | Role::DsTls | Role::DsAuth => {
            !certificate.is_ca() && certificate.key_usage().has(USAGE_DIGITAL_SIGNATURE)
        }
    }
}

impl VerifiedServer {
    /// The role that was verified.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The object identifier that a server's certificates share.
    #[must_use]
    pub const fn identifier(&self) -> &Oid {
        &self.identifier
    }

    /// Its key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The identifier of the root's key.
    #[must_use]
    pub fn root_key_id(&self) -> &[u8] {
        &self.root_key_id
    }
}

impl VerifiedEum {
    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The identifier of the root's key.
    #[must_use]
    pub fn root_key_id(&self) -> &[u8] {
        &self.root_key_id
    }

    /// Whether it may certify this eUICC: by the newer list where there is one, else by the name
    /// constraints. A manufacturer without either may certify none.
    fn permits(&self, euicc: &Certificate) -> bool {
        let constraints = self.certificate.constraints();
        let (Some(eid), organisation) = (euicc.subject_serial(), euicc.organisation()) else {
            return false;
        };
        if organisation.is_none() || organisation != self.certificate.organisation() {
            return false;
        }
        if let Some(eins) = &constraints.permitted_eins {
            return eins
                .iter()
                .any(|ein| !ein.is_empty() && eid.starts_with(ein.as_str()));
        }
        constraints.names.iter().any(|name| {
            let same_name = name
                .organisation
                .as_deref()
                .is_none_or(|permitted| organisation == Some(permitted));
            let in_range = name
                .ein
                .as_deref()
                .is_some_and(|ein| !ein.is_empty() && eid.starts_with(ein));
            same_name && in_range
        })
    }
}

impl VerifiedEuicc {
    /// The EID it is certified for.
    #[must_use]
    pub const fn eid(&self) -> &Eid {
        &self.eid
    }

    /// Its key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The identifier of the root's key.
    #[must_use]
    pub fn root_key_id(&self) -> &[u8] {
        &self.root_key_id
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
