//! An own public key infrastructure for tests and demonstrations. Real phones trust only the GSMA's roots.

use std::sync::Arc;

use simurgh_vocab::{Duration, Timestamp};

use super::credential::{file_name, files};
use super::{Credential, IssueError, Issuer, Name, NamedFile, Request};
use crate::certificate::{Certificate, NameConstraint, Role};
use crate::identity::Eid;
use crate::key::{Curve, KeyError, PrivateKey};
use crate::tlv::Oid;

/// The names of a test infrastructure.
#[derive(Debug, Clone)]
pub struct TestNames {
    /// The host name of the SM-DP+.
    pub smdp_address: String,
    /// The object identifier of the SM-DP+.
    pub smdp_oid: Oid,
    /// The host name of the SM-DS.
    pub smds_address: String,
    /// The object identifier of the SM-DS.
    pub smds_oid: Oid,
    /// What the EIDs begin with: eight digits.
    pub ein: String,
}

/// One root and what it certifies, all on one curve.
#[derive(Debug)]
pub struct TestPki {
    curve: Curve,
    root: Owned,
    eum: Owned,
    servers: Vec<Owned>,
    next_serial: u64,
    since: Timestamp,
    eum_name: String,
}

#[derive(Debug)]
struct Owned {
    certificate: Certificate,
    key: Arc<PrivateKey>,
}

impl Owned {
    fn credential(&self) -> Option<Credential> {
        Credential::new(
            self.certificate.clone(),
            Arc::<PrivateKey>::clone(&self.key),
        )
        .ok()
    }

    fn issuer(&self) -> Issuer<'_> {
        Issuer {
            certificate: Some(&self.certificate),
            signer: self.key.as_ref(),
        }
    }
}

/// How long a TLS certificate is valid: what the GSMA's are.
const TLS_DAYS: u32 = 398;

/// How long the root is valid.
const ROOT_DAYS: u32 = 12_775;

impl TestPki {
    /// Makes a root, a manufacturer and all servers. `random` fills octets.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn generate(
        curve: Curve,
        names: &TestNames,
        now: Timestamp,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Self, IssueError> {
        // A day earlier: clocks of phones are not exact.
        let since = now.minus(Duration::days(1));
        let root = make_root(curve, since, random)?;
        let eum_name = "Simurgh Test EUM".to_owned();
        let mut eum = Request::new(Role::Eum, subject(&eum_name, "EUM Test"), 2, since);
        eum.not_after = since.plus(Duration::days(ROOT_DAYS));
        eum.names.push(NameConstraint {
            organisation: Some(eum_name.clone()),
            ein: Some(names.ein.clone()),
        });
        let eum = certify(curve, &eum, &root, random)?;
        let mut pki = Self {
            curve,
            root,
            eum,
            servers: Vec::new(),
            next_serial: 3,
            since,
            eum_name,
        };
        for role in [Role::DpAuth, Role::DpPb, Role::DpTls] {
            pki.add_server(role, &names.smdp_address, &names.smdp_oid, random)?;
        }
        for role in [Role::DsAuth, Role::DsTls] {
            pki.add_server(role, &names.smds_address, &names.smds_oid, random)?;
        }
        Ok(pki)
    }

    fn add_server(
        &mut self,
        role: Role,
        address: &str,
        oid: &Oid,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), IssueError> {
        let serial = self.serial();
        let mut request = Request::new(role, subject("Simurgh", address), serial, self.since);
        request.registered_id = Some(oid.clone());
        if matches!(role, Role::DpTls | Role::DsTls) {
            request.dns_names.push(address.to_owned());
            request.not_after = self.since.plus(Duration::days(TLS_DAYS));
        }
        let made = certify(self.curve, &request, &self.root, random)?;
        self.servers.push(made);
        Ok(())
    }

    /// A chip's certificate and key.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn euicc(
        &mut self,
        eid: &Eid,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Credential, IssueError> {
        let serial = self.serial();
        let mut name = subject(&self.eum_name, "Test eUICC");
        name.serial = Some(eid.digits());
        let mut request = Request::new(Role::Euicc, name, serial, self.since);
        request.not_after = self.since.plus(Duration::days(ROOT_DAYS));
        let made = certify(self.curve, &request, &self.eum, random)?;
        made.credential().ok_or(IssueError::Key(KeyError::Unusable))
    }

    fn serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }

    /// The root's certificate.
    #[must_use]
    pub const fn root(&self) -> &Certificate {
        &self.root.certificate
    }

    /// The manufacturer's certificate.
    #[must_use]
    pub const fn eum(&self) -> &Certificate {
        &self.eum.certificate
    }

    /// Issues in the name of the root: for a list of revoked certificates, or for a bad example.
    #[must_use]
    pub fn root_issuer(&self) -> Issuer<'_> {
        self.root.issuer()
    }

    /// Issues in the name of the manufacturer.
    #[must_use]
    pub fn eum_issuer(&self) -> Issuer<'_> {
        self.eum.issuer()
    }

    /// A server's certificate and key.
    #[must_use]
    pub fn server(&self, role: Role) -> Option<Credential> {
        self.servers
            .iter()
            .find(|one| one.certificate.role() == Some(role))
            .and_then(Owned::credential)
    }

    /// Every certificate and key of the root, the manufacturer and the servers as files.
    #[must_use]
    pub fn files(&self) -> Vec<NamedFile> {
        [&self.root, &self.eum]
            .into_iter()
            .chain(&self.servers)
            .flat_map(|one| {
                let role = one.certificate.role().unwrap_or(Role::Ci);
                let name = file_name(role, self.curve);
                files(&name, &one.certificate, &one.key)
            })
            .collect()
    }
}

fn subject(organisation: &str, common_name: &str) -> Name {
    Name {
        organisation: Some(organisation.to_owned()),
        common_name: common_name.to_owned(),
        ..Name::default()
    }
}

fn make_root(
    curve: Curve,
    since: Timestamp,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<Owned, IssueError> {
    let key = random_key(curve, random)?;
    let mut request = Request::new(Role::Ci, subject("Simurgh", "Simurgh Test CI"), 1, since);
    request.not_after = since.plus(Duration::days(ROOT_DAYS));
    let issuer = Issuer {
        certificate: None,
        signer: &key,
    };
    let certificate = issuer.issue(&request, &crate::key::Signer::public_key(&key))?;
    Ok(Owned {
        certificate,
        key: Arc::new(key),
    })
}

fn certify(
    curve: Curve,
    request: &Request,
    by: &Owned,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<Owned, IssueError> {
    let key = random_key(curve, random)?;
    let certificate = by
        .issuer()
        .issue(request, &crate::key::Signer::public_key(&key))?;
    Ok(Owned {
        certificate,
        key: Arc::new(key),
    })
}

fn random_key(curve: Curve, random: &mut dyn FnMut(&mut [u8])) -> Result<PrivateKey, KeyError> {
    PrivateKey::generate(curve, random)
}
