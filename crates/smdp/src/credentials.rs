//! Who we are towards chips: certificates and keys for each root, and whom we believe.

use std::collections::{BTreeSet, HashMap};
use std::sync::RwLock;

use simurgh_rsp::certificate::{Certificate, Role};
use simurgh_rsp::message::info::RootKeys;
use simurgh_rsp::message::status::Status;
use simurgh_rsp::pki::{
    ChainError, Credential, Credentials, Trust, VerifiedEuicc, VerifiedEum, VerifiedServer,
};
use simurgh_rsp::tlv::Oid;
use simurgh_vocab::Timestamp;

/// The most manufacturers whose verified certificates are kept: there are a few dozen in the world.
const EUMS_MAX: usize = 256;

/// A folder of certificates and keys cannot be used; the operator is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsFault {
    /// There is no root.
    #[error("no root certificate (CERT.CI) is there")]
    NoRoot,
    /// No root has both.
    #[error("no root has certified both CERT.DPauth and CERT.DPpb with keys that are there")]
    NoSmdp,
    /// A certificate of ours is not valid.
    #[error("CERT.{role}: {error}")]
    Chain {
        /// Which.
        role: &'static str,
        /// What is wrong with it.
        error: ChainError,
    },
    /// Our certificates name different servers.
    #[error("CERT.DPauth and CERT.DPpb have different object identifiers")]
    Identifiers,
    /// Two roots cannot be told apart in the names of sessions.
    #[error("two roots have keys whose identifiers begin with the same two octets")]
    SimilarRoots,
}

/// Our SM-DP+ below one root.
#[derive(Debug, Clone)]
pub(crate) struct SmdpIdentity {
    pub(crate) root_key_id: Vec<u8>,
    pub(crate) auth: Credential,
    pub(crate) binder: Credential,
    pub(crate) identifier: Oid,
}

/// Our SM-DS below one root.
#[derive(Debug, Clone)]
pub(crate) struct SmdsIdentity {
    pub(crate) root_key_id: Vec<u8>,
    pub(crate) auth: Credential,
}

/// All certificates and keys of a server, verified when it started.
pub struct ServerCredentials {
    trust: Trust,
    smdp: Vec<SmdpIdentity>,
    smds: Vec<SmdsIdentity>,
    tls: Vec<Credential>,
    eums: RwLock<HashMap<Vec<u8>, VerifiedEum>>,
}

impl std::fmt::Debug for ServerCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerCredentials")
            .field("smdp", &self.smdp)
            .field("smds", &self.smds)
            .finish_non_exhaustive()
    }
}

/// The roots that a chip and we have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommonRoots {
    /// The root by which the chip verifies us.
    pub(crate) ours: Vec<u8>,
    /// The root by which we shall verify the chip.
    pub(crate) chips: Vec<u8>,
}

impl ServerCredentials {
    /// Sorts and verifies what a folder holds, see [`Credentials::from_files`].
    ///
    /// # Errors
    /// [`CredentialsFault`].
    pub fn new(loaded: Credentials, now: Timestamp) -> Result<Self, CredentialsFault> {
        if loaded.roots.is_empty() {
            return Err(CredentialsFault::NoRoot);
        }
        let trust = loaded.trust().map_err(fault_of(Role::Ci))?;
        let roots: Vec<Vec<u8>> = trust.root_key_ids().map(<[u8]>::to_vec).collect();
        let mut smdp = Vec::new();
        let mut smds = Vec::new();
        for root_key_id in roots {
            let find = |role| loaded.find(role, &root_key_id).cloned();
            if let (Some(auth), Some(binder)) = (find(Role::DpAuth), find(Role::DpPb)) {
                let verified = verify(&trust, &auth, Role::DpAuth, now)?;
                let bound = verify(&trust, &binder, Role::DpPb, now)?;
                if verified.identifier() != bound.identifier() {
                    return Err(CredentialsFault::Identifiers);
                }
                smdp.push(SmdpIdentity {
                    root_key_id: root_key_id.clone(),
                    auth,
                    binder,
                    identifier: verified.identifier().clone(),
                });
            }
            if let Some(auth) = find(Role::DsAuth) {
                verify(&trust, &auth, Role::DsAuth, now)?;
                smds.push(SmdsIdentity { root_key_id, auth });
            }
        }
        let marks: BTreeSet<[u8; 2]> = smdp.iter().map(|one| mark(&one.root_key_id)).collect();
        if marks.len() < smdp.len() {
            return Err(CredentialsFault::SimilarRoots);
        }
        if smdp.is_empty() {
            return Err(CredentialsFault::NoSmdp);
        }
        let is_tls =
            |one: &Credential| matches!(one.certificate().role(), Some(Role::DpTls | Role::DsTls));
        let tls = loaded.owned.into_iter().filter(is_tls).collect();
        Ok(Self {
            trust,
            smdp,
            smds,
            tls,
            eums: RwLock::default(),
        })
    }

    /// The certificates for TLS with their keys.
    #[must_use]
    pub fn tls(&self) -> &[Credential] {
        &self.tls
    }

    /// The roots in DER, for TLS clients that trust nobody else.
    #[must_use]
    pub fn roots(&self) -> &[Certificate] {
        self.trust.roots()
    }

    /// The object identifier of the SM-DP+.
    #[must_use]
    pub fn identifier(&self) -> Option<&Oid> {
        self.smdp.first().map(|one| &one.identifier)
    }

    /// Whether an SM-DS can be served.
    #[must_use]
    pub fn has_smds(&self) -> bool {
        !self.smds.is_empty()
    }

    /// Our SM-DP+ below a root.
    pub(crate) fn smdp(&self, root_key_id: &[u8]) -> Option<&SmdpIdentity> {
        self.smdp.iter().find(|one| one.root_key_id == root_key_id)
    }

    /// Our SM-DP+ in a session with this name.
    pub(crate) fn smdp_in(&self, transaction: &[u8; 16]) -> Option<&SmdpIdentity> {
        let [.., one, two] = *transaction;
        self.smdp
            .iter()
            .find(|own| mark(&own.root_key_id) == [one, two])
    }

    /// Our SM-DS below a root.
    pub(crate) fn smds(&self, root_key_id: &[u8]) -> Option<&SmdsIdentity> {
        self.smds.iter().find(|one| one.root_key_id == root_key_id)
    }

    /// The roots to use with a chip: one for both ways if there is one, the chip's preference first.
    ///
    /// Source: SGP.22 v2.5 §5.6.1
    pub(crate) fn common_roots(
        &self,
        server: Server,
        chip: &RootKeys,
    ) -> Result<CommonRoots, Status> {
        let signing: Vec<&Vec<u8>> = chip
            .signing
            .iter()
            .chain(&chip.signing_v3)
            .filter(|id| self.trust.root_key_ids().any(|own| own == id.as_slice()))
            .collect();
        let ours: Vec<&Vec<u8>> = chip
            .verification
            .iter()
            .filter(|id| match server {
                Server::SmDp => self.smdp(id).is_some(),
                Server::SmDs => self.smds(id).is_some(),
            })
            .collect();
        let (Some(first_chips), first_ours) = (signing.first(), ours.first()) else {
            return Err(server.no_common_root());
        };
        let Some(first_ours) = first_ours else {
            return Err(server.no_certificate());
        };
        let (ours, chips) = match signing.iter().find(|id| ours.contains(id)) {
            Some(both) => (both, both),
            None => (first_ours, first_chips),
        };
        Ok(CommonRoots {
            ours: ours.to_vec(),
            chips: chips.to_vec(),
        })
    }

    /// Verifies the chain of a chip. The manufacturer's certificate is verified once as long as it is valid.
    pub(crate) fn verify_chip(
        &self,
        certificate: &Certificate,
        eum: &Certificate,
        now: Timestamp,
    ) -> Result<VerifiedEuicc, Status> {
        let eum = self
            .verify_eum(eum, now)
            .map_err(|error| refusal(error, EUM))?;
        self.trust
            .verify_euicc(certificate, &eum, now)
            .map_err(|error| refusal(error, EUICC))
    }

    fn verify_eum(&self, eum: &Certificate, now: Timestamp) -> Result<VerifiedEum, ChainError> {
        let in_time = eum.not_before() <= now && now <= eum.not_after();
        if in_time
            && let Ok(known) = self.eums.read()
            && let Some(verified) = known.get(eum.der())
        {
            return Ok(verified.clone());
        }
        let verified = self.trust.verify_eum(eum, now)?;
        if let Ok(mut known) = self.eums.write()
            && known.len() < EUMS_MAX
        {
            known.insert(eum.der().to_vec(), verified.clone());
        }
        Ok(verified)
    }
}

/// The name of a session: when it began, nine random octets, and two that tell below which root of ours it runs, so
/// that any node binds with the certificate that the chip was shown.
///
/// Sessions of the same moment stand beside each other in the store: what is under way is on a few pages. Nothing
/// rests on names that cannot be guessed; every later step is signed by the chip.
pub(crate) fn session_name(now: Timestamp, random: [u8; 9], root_key_id: &[u8]) -> [u8; 16] {
    let mut name = [0; 16];
    // The milliseconds begin anew every 34 years; the nine octets keep names apart.
    let moment = now.as_unix_millis().to_be_bytes().into_iter().skip(3);
    let octets = moment.chain(random).chain(mark(root_key_id));
    name.iter_mut()
        .zip(octets)
        .for_each(|(to, from)| *to = from);
    name
}

fn mark(root_key_id: &[u8]) -> [u8; 2] {
    root_key_id.first_chunk().copied().unwrap_or_default()
}

/// Which of our servers is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    SmDp,
    SmDs,
}

impl Server {
    const fn no_common_root(self) -> Status {
        match self {
            Self::SmDp => Status::SmdpSecurityUnsupported,
            Self::SmDs => Status::SmdsSecurityUnsupported,
        }
    }

    const fn no_certificate(self) -> Status {
        match self {
            Self::SmDp => Status::SmdpCertificateUnavailable,
            Self::SmDs => Status::SmdsCertificateUnavailable,
        }
    }
}

/// What is said of a certificate that is not valid, and of one that has expired.
type Refusals = (Status, Status);

const EUM: Refusals = (
    Status::EumCertificateVerificationFailed,
    Status::EumCertificateExpired,
);
const EUICC: Refusals = (
    Status::EuiccCertificateVerificationFailed,
    Status::EuiccCertificateExpired,
);

const fn refusal(error: ChainError, (invalid, expired): Refusals) -> Status {
    match error {
        ChainError::UnknownRoot => Status::CiPublicKeyUnknown,
        ChainError::Invalid { .. } | ChainError::Revoked { .. } => invalid,
        ChainError::Expired { .. } => expired,
    }
}

fn verify(
    trust: &Trust,
    credential: &Credential,
    role: Role,
    now: Timestamp,
) -> Result<VerifiedServer, CredentialsFault> {
    trust
        .verify_server(credential.certificate(), role, now)
        .map_err(fault_of(role))
}

fn fault_of(role: Role) -> impl Fn(ChainError) -> CredentialsFault {
    move |error| CredentialsFault::Chain {
        role: role.name(),
        error,
    }
}
