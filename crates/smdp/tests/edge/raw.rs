//! A phone that says what it wants, also what no honest phone would.

use serde_json::Value;
use simurgh_rsp::bpp::{BppCommand, ErrorReason};
use simurgh_rsp::certificate::{Certificate, Role};
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::key::{Curve, PrivateKey, Signature, Signer as _};
use simurgh_rsp::message::authentication::{
    AuthenticateServerResponse, AuthenticatedEuicc, EuiccSigned1, ServerSigned1,
};
use simurgh_rsp::message::cancel::{CancelReason, CancelSessionResponse, CancelSigned};
use simurgh_rsp::message::download::{
    EuiccSigned2, PrepareDownloadResponse, hash_confirmation_code, hash_for_session,
};
use simurgh_rsp::message::es9::{
    AuthenticateClient, CancelSession, GetBoundProfilePackage, InitiateAuthentication,
    notification_body, path,
};
use simurgh_rsp::message::info::{
    CtxParams1, DeviceInfo, EuiccInfo1, EuiccInfo2, RootKeys, Version,
};
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::notification::{
    Event, FinalResult, InstallationResult, NotificationMetadata, PendingNotification,
};
use simurgh_rsp::message::status::Status;
use simurgh_rsp::message::{Signed, TransactionId, Wire as _};
use simurgh_rsp::pki::{Credential, Name, Request};
use simurgh_rsp::tlv::Tlv;
use simurgh_vocab::{Duration, Timestamp};

use super::world::{ADDRESS, Counting, Operator, eid};

pub(crate) struct Raw {
    pub(crate) credential: Credential,
    pub(crate) certificate: Certificate,
    pub(crate) eum: Certificate,
    pub(crate) info: EuiccInfo2,
    pub(crate) address: String,
    pub(crate) matching_id: Option<String>,
    pub(crate) code: Option<&'static str>,
    pub(crate) one_time: PrivateKey,
}

/// What a server said of itself.
pub(crate) struct Begun {
    pub(crate) transaction: TransactionId,
    pub(crate) server: ServerSigned1,
}

impl Raw {
    pub(crate) fn new(operator: &mut Operator, number: u8) -> Self {
        let mut random = Counting(u64::from(number) + 700);
        let mut fill = |octets: &mut [u8]| random.fill(octets);
        let credential = operator.pki.euicc(&eid(number), &mut fill).unwrap();
        let root = operator.pki.root().key_id().to_vec();
        let roots = RootKeys {
            verification: vec![root.clone()],
            signing: vec![root],
            signing_v3: Vec::new(),
        };
        Self {
            certificate: credential.certificate().clone(),
            credential,
            eum: operator.pki.eum().clone(),
            info: EuiccInfo2 {
                profile_version: Version([2, 3, 1]),
                svn: Version([2, 5, 0]),
                ext_card_resource: EuiccInfo2::card_resource(0, 400_000, 4_000),
                roots,
                accreditation: "XX".into(),
                ..EuiccInfo2::default()
            },
            address: ADDRESS.into(),
            matching_id: None,
            code: None,
            one_time: PrivateKey::generate(Curve::P256, &mut fill).unwrap(),
        }
    }

    pub(crate) fn initiation(&self) -> Value {
        InitiateAuthentication {
            challenge: [7; 16],
            info: EuiccInfo1 {
                svn: self.info.svn,
                roots: self.info.roots.clone(),
            },
            address: self.address.clone(),
        }
        .body()
    }

    pub(crate) fn initiate(&self, operator: &Operator) -> Result<Begun, Status> {
        let answer = operator.said(path::INITIATE_AUTHENTICATION, &self.initiation())?;
        let body = Body::from_value(answer).unwrap();
        let server: ServerSigned1 = body.structure("serverSigned1").unwrap();
        assert_eq!(server.euicc_challenge, [7; 16]);
        assert_eq!(body.transaction_id(), Ok(server.transaction_id));
        Ok(Begun {
            transaction: server.transaction_id,
            server,
        })
    }

    pub(crate) fn response(&self, begun: &Begun) -> Vec<u8> {
        let says = EuiccSigned1 {
            transaction_id: begun.transaction,
            server_address: begun.server.server_address.clone(),
            server_challenge: begun.server.server_challenge,
            info: self.info.clone(),
            params: CtxParams1 {
                matching_id: self.matching_id.clone(),
                device: DeviceInfo::default(),
            },
        };
        AuthenticateServerResponse::Ok(Box::new(AuthenticatedEuicc {
            signed: Signed::sign(says, None, self.credential.signer()).unwrap(),
            certificate: self.certificate.clone(),
            eum_certificate: self.eum.clone(),
        }))
        .encode()
    }

    pub(crate) fn authenticate(&self, operator: &Operator) -> Result<(Begun, Value), Status> {
        let begun = self.initiate(operator)?;
        let body = AuthenticateClient::body(&begun.transaction, &self.response(&begun));
        let answer = operator.said(path::AUTHENTICATE_CLIENT, &body)?;
        Ok((begun, answer))
    }

    /// Why the chip is not offered a profile.
    pub(crate) fn refused(&self, operator: &Operator) -> Status {
        match self.authenticate(operator) {
            Err(status) => status,
            Ok(_) => panic!("it was offered a profile"),
        }
    }

    pub(crate) fn preparation(&self, begun: &Begun, offer: Value) -> Vec<u8> {
        let offer = Body::from_value(offer).unwrap();
        let signature = offer.octets("smdpSignature2").unwrap();
        let after: Signature = Tlv::parse(&signature).unwrap().value().try_into().unwrap();
        let hashed = |code| hash_for_session(&hash_confirmation_code(code), &begun.transaction);
        let says = EuiccSigned2 {
            transaction_id: begun.transaction,
            one_time_key: *self.one_time.public_key().point(),
            hashed_code: self.code.map(hashed),
        };
        let signed = Signed::sign(says, Some(&after), self.credential.signer()).unwrap();
        PrepareDownloadResponse::Ok(signed).encode()
    }

    pub(crate) fn fetch(&self, operator: &Operator) -> Result<Value, Status> {
        let (begun, offer) = self.authenticate(operator)?;
        let response = self.preparation(&begun, offer);
        let body = GetBoundProfilePackage::body(&begun.transaction, &response);
        operator.said(path::BOUND_PROFILE_PACKAGE, &body)
    }

    pub(crate) fn cancellation(&self, begun: &Begun, oid: &str) -> Vec<u8> {
        let says = CancelSigned {
            transaction_id: begun.transaction,
            smdp_oid: oid.parse().unwrap(),
            reason: CancelReason::Postponed,
        };
        let signed = Signed::sign(says, None, self.credential.signer()).unwrap();
        CancelSessionResponse::Ok(signed).encode()
    }

    pub(crate) fn cancel(
        &self,
        operator: &Operator,
        begun: &Begun,
        oid: &str,
    ) -> Result<Value, Status> {
        let body = CancelSession::body(&begun.transaction, &self.cancellation(begun, oid));
        operator.said(path::CANCEL_SESSION, &body)
    }

    /// What the chip reports of an installation that failed, in the session of `answer`.
    pub(crate) fn failure(&self, answer: &Value, iccid: Iccid, reason: ErrorReason) -> Vec<u8> {
        let body = Body::from_value(answer.clone()).unwrap();
        let says = InstallationResult {
            transaction_id: body.transaction_id().unwrap(),
            notification: NotificationMetadata {
                sequence_number: 1,
                event: Event::Install,
                address: ADDRESS.into(),
                iccid: Some(iccid),
            },
            smdp_oid: None,
            result: FinalResult::Error {
                command: BppCommand::LoadProfileElements,
                reason,
                response: None,
            },
        };
        let signed = Signed::sign(says, None, self.credential.signer()).unwrap();
        let notification = PendingNotification::Installation(Box::new(signed));
        notification_body(&notification.encode())
            .to_string()
            .into_bytes()
    }

    /// Another certificate for this chip's key, from its manufacturer.
    pub(crate) fn recertify(
        &mut self,
        operator: &Operator,
        of: Eid,
        change: impl FnOnce(&mut Request),
    ) {
        let name = Name {
            organisation: operator.pki.eum().organisation().map(str::to_owned),
            serial: Some(of.digits()),
            common_name: "eUICC".into(),
            ..Name::default()
        };
        let mut request = Request::new(Role::Euicc, name, 99, long_ago());
        change(&mut request);
        let issuer = operator.pki.eum_issuer();
        let key = self.credential.certificate().public_key();
        self.certificate = issuer.issue(&request, key).unwrap();
    }
}

/// Before everything else in these tests.
pub(crate) fn long_ago() -> Timestamp {
    Timestamp::from_micros(1_789_970_000_000_000).minus(Duration::days(30))
}
