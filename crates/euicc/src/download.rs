//! A download as the chip sees it: authenticate the server, agree, take the package, tell the result.

use std::fmt;

use simurgh_rsp::bpp::{BppCommand, ErrorReason, Failure, Received, Receiver, Session};
use simurgh_rsp::certificate::Role;
use simurgh_rsp::key::{PrivateKey, PublicKey, Signature, Signer as _};
use simurgh_rsp::message::authentication::{
    AuthenticateError, AuthenticateServerRequest, AuthenticateServerResponse, AuthenticatedEuicc,
    EuiccSigned1,
};
use simurgh_rsp::message::cancel::{
    CancelError, CancelSessionRequest, CancelSessionResponse, CancelSigned,
};
use simurgh_rsp::message::download::{
    DownloadError, EuiccSigned2, PrepareDownloadRequest, PrepareDownloadResponse,
};
use simurgh_rsp::message::metadata::{ProfileClass, ProfileMetadata, rule};
use simurgh_rsp::message::notification::{
    Event, FinalResult, InstallationResult, NotificationMetadata, PendingNotification,
};
use simurgh_rsp::message::{Challenge, Signed, TransactionId, Wire};
use simurgh_rsp::pki::{ChainError, Flaw, VerifiedServer};
use simurgh_rsp::saip::InstallResponse;
use simurgh_rsp::tlv::Oid;

use crate::apdu::StatusWord;
use crate::chip::{Environment, Euicc, EuiccIdentity};
use crate::profile::{InstallRefusal, InstalledProfile};

/// Where a download stands, and the one-time key of the last one that did not end well.
#[derive(Default)]
pub(crate) struct Rsp {
    stage: Stage,
    reserved: Option<(Oid, PrivateKey)>,
}

impl fmt::Debug for Rsp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.stage {
            Stage::Idle => "idle",
            Stage::Challenged(_) => "challenged",
            Stage::Authenticated(_) => "authenticated",
            Stage::Prepared(_) => "prepared",
            Stage::Loading(..) => "loading",
        })
    }
}

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    Challenged(Challenge),
    Authenticated(Box<Authenticated>),
    Prepared(Box<Prepared>),
    Loading(Box<Prepared>, Box<Loading>),
}

/// A server that the chip believes.
struct Authenticated {
    transaction_id: TransactionId,
    address: String,
    server: VerifiedServer,
    /// The root below which the chip signs, which need not be the server's.
    signing_root: Vec<u8>,
    /// The chip's own signature, which the server's next one answers.
    signature: Signature,
}

/// A download that the chip agreed to.
struct Prepared {
    session: Authenticated,
    binder: PublicKey,
    one_time_key: PrivateKey,
}

/// A package on its way.
#[derive(Default)]
struct Loading {
    receiver: Receiver,
    metadata: Option<ProfileMetadata>,
    smdp_oid: Option<Oid>,
    package: Vec<u8>,
}

impl Rsp {
    /// A selection, a reset or the end of a download.
    pub(crate) fn drop_session(&mut self) {
        match std::mem::take(&mut self.stage) {
            Stage::Prepared(prepared) | Stage::Loading(prepared, _) => {
                // A package bound to this key may come once more.
                let oid = prepared.session.server.identifier().clone();
                self.reserved = Some((oid, prepared.one_time_key));
            }
            Stage::Idle | Stage::Challenged(_) | Stage::Authenticated(_) => {}
        }
    }

    /// The one-time key that survives power off: the one of the running download, or of the last that did not
    /// end well.
    pub(crate) fn kept_key(&self) -> Option<(&Oid, &PrivateKey)> {
        match &self.stage {
            Stage::Prepared(prepared) | Stage::Loading(prepared, _) => {
                Some((prepared.session.server.identifier(), &prepared.one_time_key))
            }
            Stage::Idle | Stage::Challenged(_) | Stage::Authenticated(_) => {
                self.reserved.as_ref().map(|(oid, key)| (oid, key))
            }
        }
    }

    /// Takes such a key back.
    pub(crate) fn keep_key(&mut self, oid: Oid, key: PrivateKey) {
        self.reserved = Some((oid, key));
    }

    pub(crate) fn challenge(&mut self, challenge: Challenge) {
        self.drop_session();
        self.stage = Stage::Challenged(challenge);
    }

    /// Whether a package may come next.
    pub(crate) const fn awaits_package(&self) -> bool {
        matches!(self.stage, Stage::Prepared(_) | Stage::Loading(..))
    }

    const fn session(&self) -> Option<&Authenticated> {
        match &self.stage {
            Stage::Idle | Stage::Challenged(_) => None,
            Stage::Authenticated(session) => Some(session),
            Stage::Prepared(prepared) | Stage::Loading(prepared, _) => Some(&prepared.session),
        }
    }
}

/// What a chip answers when its own key fails it.
const BROKEN: StatusWord = StatusWord::CONDITIONS_NOT_SATISFIED;

impl Euicc {
    fn identity(&self, root_key_id: &[u8]) -> Option<&EuiccIdentity> {
        let mut identities = self.settings.identities.iter();
        identities.find(|one| one.root.key_id() == root_key_id)
    }

    /// ES10b.AuthenticateServer
    pub(crate) fn authenticate_server(
        &mut self,
        request: &AuthenticateServerRequest,
    ) -> Result<Vec<u8>, StatusWord> {
        let says = request.server.unverified();
        let transaction_id = says.transaction_id;
        let server = match self.believe(request) {
            Ok(server) => server,
            Err(error) => {
                self.rsp.drop_session();
                let response = AuthenticateServerResponse::Error {
                    transaction_id,
                    error,
                };
                return Ok(response.encode());
            }
        };
        let identity = self.identity(&request.root_key_id).ok_or(BROKEN)?;
        let signed = EuiccSigned1 {
            transaction_id,
            server_address: says.server_address.clone(),
            server_challenge: says.server_challenge,
            info: self.info2(),
            params: request.params.clone(),
        };
        let signer = identity.credential.signer();
        let signed = Signed::sign(signed, None, signer).map_err(|_| BROKEN)?;
        let signature = *signed.signature();
        let response = AuthenticateServerResponse::Ok(Box::new(AuthenticatedEuicc {
            signed,
            certificate: identity.credential.certificate().clone(),
            eum_certificate: identity.eum.clone(),
        }));
        self.rsp.stage = Stage::Authenticated(Box::new(Authenticated {
            transaction_id,
            address: says.server_address.clone(),
            server,
            signing_root: request.root_key_id.clone(),
            signature,
        }));
        Ok(response.encode())
    }

    /// Verifies a server. The chip has no clock: certificates are not judged by the time.
    fn believe(
        &self,
        request: &AuthenticateServerRequest,
    ) -> Result<VerifiedServer, AuthenticateError> {
        let Stage::Challenged(challenge) = &self.rsp.stage else {
            return Err(AuthenticateError::NoSessionContext);
        };
        if self.identity(&request.root_key_id).is_none() {
            return Err(AuthenticateError::CiPkUnknown);
        }
        let certificate = &request.certificate;
        let role = match certificate.role() {
            Some(role @ (Role::DpAuth | Role::DsAuth)) => role,
            _ => return Err(AuthenticateError::InvalidOid),
        };
        let server = self
            .trust
            .verify_server(certificate, role, certificate.not_before())
            .map_err(|error| match error {
                ChainError::UnknownRoot => AuthenticateError::CiPkUnknown,
                ChainError::Invalid {
                    why: Flaw::Role, ..
                } => AuthenticateError::InvalidOid,
                ChainError::Invalid { .. }
                | ChainError::Expired { .. }
                | ChainError::Revoked { .. } => AuthenticateError::InvalidCertificate,
            })?;
        if !self.knows_curve(server.public_key().curve()) {
            return Err(AuthenticateError::UnsupportedCurve);
        }
        let says = request
            .server
            .verify(server.public_key(), None)
            .map_err(|_| AuthenticateError::InvalidSignature)?;
        if says.euicc_challenge != *challenge {
            return Err(AuthenticateError::EuiccChallengeMismatch);
        }
        Ok(server)
    }

    /// ES10b.PrepareDownload
    pub(crate) fn prepare_download(
        &mut self,
        request: &PrepareDownloadRequest,
        environment: &mut Environment<'_>,
    ) -> Result<Vec<u8>, StatusWord> {
        let transaction_id = request.smdp.unverified().transaction_id;
        match self.agree(request, environment) {
            Ok(response) => Ok(response.encode()),
            Err(error) => Ok(PrepareDownloadResponse::Error {
                transaction_id,
                error,
            }
            .encode()),
        }
    }

    fn agree(
        &mut self,
        request: &PrepareDownloadRequest,
        environment: &mut Environment<'_>,
    ) -> Result<PrepareDownloadResponse, DownloadError> {
        let stage = std::mem::take(&mut self.rsp.stage);
        let Stage::Authenticated(session) = stage else {
            self.rsp.stage = stage;
            return Err(DownloadError::NoSessionContext);
        };
        let session = *session;
        let checked = self.check_offer(request, &session);
        let binder = match checked {
            Ok(binder) => *binder.public_key(),
            Err(error) => {
                self.rsp.stage = Stage::Authenticated(Box::new(session));
                return Err(error);
            }
        };
        let undefined = |_| DownloadError::Undefined;
        let oid = session.server.identifier().clone();
        let wanted = request.smdp.unverified().bound_key;
        let kept = self.rsp.reserved.take().filter(|(server, key)| {
            *server == oid && wanted.as_ref() == Some(key.public_key().point())
        });
        let one_time_key = match kept {
            Some((_, key)) => key,
            None => PrivateKey::generate(binder.curve(), environment.random)
                .map_err(|_| DownloadError::Undefined)?,
        };
        let identity = self
            .identity(&session.signing_root)
            .ok_or(DownloadError::Undefined)?;
        let signed = EuiccSigned2 {
            transaction_id: session.transaction_id,
            one_time_key: *one_time_key.public_key().point(),
            hashed_code: request.hashed_code,
        };
        let after = Some(request.smdp.signature());
        let signed =
            Signed::sign(signed, after, identity.credential.signer()).map_err(undefined)?;
        self.rsp.stage = Stage::Prepared(Box::new(Prepared {
            session,
            binder,
            one_time_key,
        }));
        Ok(PrepareDownloadResponse::Ok(signed))
    }

    /// The offer is of this session, by the same server below the same root.
    fn check_offer(
        &self,
        request: &PrepareDownloadRequest,
        session: &Authenticated,
    ) -> Result<VerifiedServer, DownloadError> {
        let certificate = &request.certificate;
        let binder = self
            .trust
            .verify_server(certificate, Role::DpPb, certificate.not_before())
            .map_err(|_| DownloadError::InvalidCertificate)?;
        let same = binder.identifier() == session.server.identifier()
            && binder.root_key_id() == session.server.root_key_id()
            && session.server.role() == Role::DpAuth;
        if !same {
            return Err(DownloadError::InvalidCertificate);
        }
        if !self.knows_curve(binder.public_key().curve()) {
            return Err(DownloadError::UnsupportedCurve);
        }
        let says = request
            .smdp
            .verify(binder.public_key(), Some(&session.signature))
            .map_err(|_| DownloadError::InvalidSignature)?;
        if says.transaction_id != session.transaction_id {
            return Err(DownloadError::InvalidTransactionId);
        }
        Ok(binder)
    }

    /// ES10b.CancelSession
    pub(crate) fn cancel_session(
        &mut self,
        request: &CancelSessionRequest,
    ) -> Result<Vec<u8>, StatusWord> {
        let session = self
            .rsp
            .session()
            .filter(|session| session.transaction_id == request.transaction_id);
        let Some(session) = session else {
            let error = CancelError::InvalidTransactionId;
            return Ok(CancelSessionResponse::Error(error).encode());
        };
        let signed = CancelSigned {
            transaction_id: session.transaction_id,
            smdp_oid: session.server.identifier().clone(),
            reason: request.reason,
        };
        let identity = self.identity(&session.signing_root).ok_or(BROKEN)?;
        let signer = identity.credential.signer();
        let signed = Signed::sign(signed, None, signer).map_err(|_| BROKEN)?;
        self.rsp.drop_session();
        Ok(CancelSessionResponse::Ok(signed).encode())
    }

    /// One command of ES10b.LoadBoundProfilePackage: nothing, or the result at the end.
    pub(crate) fn load_package(&mut self, command: &[u8]) -> Result<Vec<u8>, StatusWord> {
        let (prepared, mut loading) = match std::mem::take(&mut self.rsp.stage) {
            Stage::Prepared(prepared) => (prepared, Box::<Loading>::default()),
            Stage::Loading(prepared, loading) => (prepared, loading),
            other @ (Stage::Idle | Stage::Challenged(_) | Stage::Authenticated(_)) => {
                self.rsp.stage = other;
                return Err(StatusWord::CONDITIONS_NOT_SATISFIED);
            }
        };
        let outcome = self.take_piece(command, &prepared, &mut loading);
        match outcome {
            Ok(false) => {
                self.rsp.stage = Stage::Loading(prepared, loading);
                Ok(Vec::new())
            }
            Ok(true) => {
                let result = self.install(&prepared, *loading);
                self.conclude(*prepared, result)
            }
            Err(failed) => self.conclude(*prepared, Err(failed)),
        }
    }

    /// Whether the package is complete.
    fn take_piece(
        &self,
        command: &[u8],
        prepared: &Prepared,
        loading: &mut Loading,
    ) -> Result<bool, Box<Failed>> {
        let session = Session {
            transaction_id: prepared.session.transaction_id.as_octets(),
            eid: &self.settings.eid,
            one_time_key: &prepared.one_time_key,
            server: &prepared.binder,
        };
        let received = loading.receiver.take(command, &session);
        let failed = |failure| Failed::new(failure, loading.metadata.clone());
        match received.map_err(failed)? {
            Received::Nothing => {}
            Received::Configuration(_) => {
                loading.smdp_oid = Some(prepared.session.server.identifier().clone());
            }
            Received::Metadata(octets) => {
                let failed = |reason| Failure {
                    command: BppCommand::StoreMetadata,
                    reason,
                };
                let metadata = ProfileMetadata::from_bytes(&octets)
                    .map_err(|_| Failed::new(failed(ErrorReason::IncorrectInputValues), None))?;
                if let Err(reason) = self.accepts(&metadata) {
                    return Err(Failed::new(failed(reason), Some(metadata)));
                }
                loading.metadata = Some(metadata);
            }
            Received::Profile(piece) => loading.package.extend_from_slice(&piece),
            Received::LastOfProfile(piece) => {
                loading.package.extend_from_slice(&piece);
                return Ok(true);
            }
        }
        if loading.package.len() > self.free_memory_octets() {
            let failure = Failure {
                command: BppCommand::LoadProfileElements,
                reason: ErrorReason::InsufficientMemory,
            };
            return Err(Failed::new(failure, loading.metadata.clone()));
        }
        Ok(false)
    }

    /// Whether a profile with these metadata may come in.
    fn accepts(&self, metadata: &ProfileMetadata) -> Result<(), ErrorReason> {
        if self.has(&metadata.iccid) {
            return Err(ErrorReason::IccidAlreadyExists);
        }
        let rules = metadata.rules.unwrap_or_default();
        for bit in [rule::PPR1, rule::PPR2] {
            let owner = metadata.owner.as_ref();
            let allowed = self.settings.rules.iter().any(|one| one.allows(bit, owner));
            if rules.has(bit) && !allowed {
                return Err(ErrorReason::PprNotAllowed);
            }
        }
        // A profile that may not be disabled would lock the others out; those for tests do not count.
        let is_operational = |one: &InstalledProfile| !one.is_test();
        if rules.has(rule::PPR1) && self.profiles.iter().any(is_operational) {
            return Err(ErrorReason::PprNotAllowed);
        }
        match metadata.class {
            None | Some(ProfileClass::Operational | ProfileClass::Test) => Ok(()),
            Some(ProfileClass::Provisioning | ProfileClass::Other(_)) => {
                Err(ErrorReason::UnsupportedProfileClass)
            }
        }
    }

    fn install(&mut self, prepared: &Prepared, loading: Loading) -> Installation {
        let metadata = loading.metadata;
        let failed = |reason, response, metadata| {
            let failure = Failure {
                command: BppCommand::LoadProfileElements,
                reason,
            };
            Err(Box::new(Failed {
                failure,
                response,
                metadata,
            }))
        };
        let Some(metadata) = metadata else {
            return failed(ErrorReason::IncorrectInputValues, None, None);
        };
        if loading.package.len() > self.free_memory_octets() {
            return failed(ErrorReason::InsufficientMemory, None, Some(metadata));
        }
        let mut aid = ISD_P_AID;
        let [high, low] = self.next_domain.to_be_bytes();
        let [.., a, b, _] = &mut aid;
        (*a, *b) = (high, low);
        match InstalledProfile::install(aid, metadata.clone(), &loading.package) {
            Ok(mut profile) => {
                profile.smdp_oid = loading
                    .smdp_oid
                    .or_else(|| Some(prepared.session.server.identifier().clone()));
                self.next_domain = self.next_domain.saturating_add(1);
                self.profiles.push(profile);
                Ok((aid, metadata))
            }
            Err(InstallRefusal::IccidMismatch) => {
                failed(ErrorReason::IccidMismatch, None, Some(metadata))
            }
            Err(InstallRefusal::Element(response)) => {
                let response = Some(response.encode());
                failed(ErrorReason::PeProcessingError, response, Some(metadata))
            }
        }
    }

    /// Signs the result, keeps it as a notification, and gives it to the LPA.
    fn conclude(
        &mut self,
        prepared: Prepared,
        outcome: Installation,
    ) -> Result<Vec<u8>, StatusWord> {
        let session = prepared.session;
        let (result, metadata) = match outcome {
            Ok((aid, metadata)) => {
                let response = InstallResponse {
                    elements: vec![simurgh_rsp::saip::ElementStatus {
                        status: 0,
                        identification: None,
                        additional: None,
                        offset: None,
                    }],
                    ..InstallResponse::default()
                };
                let success = FinalResult::Success {
                    aid: aid.to_vec(),
                    response: response.encode(),
                };
                (success, Some(metadata))
            }
            Err(failed) => {
                let Failed {
                    failure,
                    response,
                    metadata,
                } = *failed;
                // The same key may be used again when the same server sends the package again.
                let oid = session.server.identifier().clone();
                self.rsp.reserved = Some((oid, prepared.one_time_key));
                let error = FinalResult::Error {
                    command: failure.command,
                    reason: failure.reason,
                    response,
                };
                (error, metadata)
            }
        };
        let success = matches!(result, FinalResult::Success { .. });
        let sequence_number = self.next_number();
        let data = InstallationResult {
            transaction_id: session.transaction_id,
            notification: NotificationMetadata {
                sequence_number,
                event: Event::Install,
                address: session.address.clone(),
                iccid: metadata.as_ref().map(|one| one.iccid),
            },
            smdp_oid: Some(session.server.identifier().clone()),
            result,
        };
        let identity = self.identity(&session.signing_root).ok_or(BROKEN)?;
        let signer = identity.credential.signer();
        let signed = Signed::sign(data, None, signer).map_err(|_| BROKEN)?;
        let notification = PendingNotification::Installation(Box::new(signed));
        let octets = notification.encode();
        self.notifications.push((sequence_number, notification));
        if let Some(metadata) = metadata.filter(|_| success) {
            self.notify_others(&metadata, &session.address);
        }
        Ok(octets)
    }

    /// Receivers of the installation beside the server itself.
    fn notify_others(&mut self, metadata: &ProfileMetadata, server: &str) {
        let receivers = metadata.notifications.iter();
        let others: Vec<String> = receivers
            .filter(|one| one.events.has(Event::Install.bit()))
            .map(|one| one.address.clone())
            .filter(|address| !address.eq_ignore_ascii_case(server))
            .collect();
        for address in others {
            self.notify(Event::Install, address, metadata.iccid);
        }
    }
}

/// A profile's domain and metadata, or what failed.
type Installation = Result<([u8; 16], ProfileMetadata), Box<Failed>>;

/// What failed, what the interpreter of packages said, and the metadata so far.
struct Failed {
    failure: Failure,
    response: Option<Vec<u8>>,
    metadata: Option<ProfileMetadata>,
}

impl Failed {
    fn new(failure: Failure, metadata: Option<ProfileMetadata>) -> Box<Self> {
        Box::new(Self {
            failure,
            response: None,
            metadata,
        })
    }
}

/// The identifier of a profile's security domain; two octets before the last count.
///
/// Source: SGP.22 v2.5 §2.6
const ISD_P_AID: [u8; 16] = [
    0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0x00, 0x00, 0x10, 0x00,
];
