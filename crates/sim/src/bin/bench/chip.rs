//! A phone as light as it can be: it signs what a chip signs, and neither verifies nor installs anything.

use simurgh_rsp::certificate::Certificate;
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::key::{Curve, PrivateKey, Signer as _};
use simurgh_rsp::message::authentication::{
    AuthenticateServerResponse, AuthenticatedEuicc, EuiccSigned1, ServerSigned1,
};
use simurgh_rsp::message::download::{EuiccSigned2, PrepareDownloadResponse};
use simurgh_rsp::message::es9::{
    AuthenticateClient, GetBoundProfilePackage, InitiateAuthentication, notification_body, path,
};
use simurgh_rsp::message::info::{CtxParams1, EuiccInfo1, EuiccInfo2, RootKeys, Version};
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::notification::{
    Event, FinalResult, InstallationResult, NotificationMetadata, PendingNotification,
};
use simurgh_rsp::message::{Signed, TransactionId, Wire};
use simurgh_rsp::pki::{Credential, TestPki};
use simurgh_rsp::tlv::{Oid, Tlv};

use crate::load::Connection;

/// What all phones have in common.
#[derive(Clone)]
pub(crate) struct Maker {
    eum: Certificate,
    roots: RootKeys,
    address: String,
    oid: Oid,
}

impl Maker {
    pub(crate) fn new(pki: &TestPki, address: &str, oid: Oid) -> Self {
        let root = pki.root().key_id().to_vec();
        Self {
            eum: pki.eum().clone(),
            roots: RootKeys {
                verification: vec![root.clone()],
                signing: vec![root],
                signing_v3: Vec::new(),
            },
            address: address.to_owned(),
            oid,
        }
    }

    fn info(&self) -> EuiccInfo2 {
        EuiccInfo2 {
            profile_version: Version([2, 3, 1]),
            svn: Version([2, 5, 0]),
            firmware_version: Version([1, 0, 0]),
            ext_card_resource: EuiccInfo2::card_resource(0, 400_000, 4_000),
            roots: self.roots.clone(),
            pp_version: Version([1, 0, 0]),
            accreditation: "XX-00-1234".to_owned(),
            ..EuiccInfo2::default()
        }
    }
}

/// A chip and its connection.
pub(crate) struct Phone {
    maker: Maker,
    credential: Credential,
    one_time: PrivateKey,
    connection: Connection,
    sequence: u64,
}

impl Phone {
    pub(crate) fn new(
        maker: &Maker,
        pki: &mut TestPki,
        eid: &Eid,
        connection: Connection,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Self, String> {
        Ok(Self {
            maker: maker.clone(),
            credential: pki.euicc(eid, random).map_err(said)?,
            one_time: PrivateKey::generate(Curve::P256, random).map_err(said)?,
            connection,
            sequence: 0,
        })
    }

    /// The first question, as often as it is wanted: the body is the same but for the challenge.
    pub(crate) async fn initiate(&mut self, challenge: [u8; 16]) -> Result<Body, String> {
        let request = InitiateAuthentication {
            challenge,
            info: EuiccInfo1 {
                svn: Version([2, 5, 0]),
                roots: self.maker.roots.clone(),
            },
            address: self.maker.address.clone(),
        };
        self.call(path::INITIATE_AUTHENTICATION, &request.body())
            .await
    }

    /// A whole download: four questions.
    pub(crate) async fn download(
        &mut self,
        matching_id: &str,
        iccid: Iccid,
        challenge: [u8; 16],
    ) -> Result<(), String> {
        let begun = self.initiate(challenge).await?;
        let server = begun
            .structure::<ServerSigned1>("serverSigned1")
            .map_err(said)?;
        let transaction = server.transaction_id;
        let signed = self.signed_1(server, matching_id)?;
        let response = AuthenticateServerResponse::Ok(Box::new(AuthenticatedEuicc {
            signed,
            certificate: self.credential.certificate().clone(),
            eum_certificate: self.maker.eum.clone(),
        }));
        let body = AuthenticateClient::body(&transaction, &response.encode());
        let offer = self.call(path::AUTHENTICATE_CLIENT, &body).await?;
        let response = self.signed_2(transaction, &offer)?;
        let body = GetBoundProfilePackage::body(&transaction, &response.encode());
        let package = self.call(path::BOUND_PROFILE_PACKAGE, &body).await?;
        if package.text("boundProfilePackage").map_err(said)?.len() < 12_000 {
            return Err("the package is smaller than a profile".to_owned());
        }
        self.report(transaction, iccid).await
    }

    fn signed_1(
        &self,
        server: ServerSigned1,
        matching_id: &str,
    ) -> Result<Signed<EuiccSigned1>, String> {
        let says = EuiccSigned1 {
            transaction_id: server.transaction_id,
            server_address: server.server_address,
            server_challenge: server.server_challenge,
            info: self.maker.info(),
            params: CtxParams1 {
                matching_id: Some(matching_id.to_owned()),
                device: simurgh_rsp::message::info::DeviceInfo::default(),
            },
        };
        Signed::sign(says, None, self.credential.signer()).map_err(said)
    }

    fn signed_2(
        &self,
        transaction: TransactionId,
        offer: &Body,
    ) -> Result<PrepareDownloadResponse, String> {
        let signature = offer.octets("smdpSignature2").map_err(said)?;
        let signature = Tlv::parse(&signature).map_err(said)?;
        let after = signature.value().try_into().map_err(said)?;
        let says = EuiccSigned2 {
            transaction_id: transaction,
            one_time_key: *self.one_time.public_key().point(),
            hashed_code: None,
        };
        let signed = Signed::sign(says, Some(&after), self.credential.signer()).map_err(said)?;
        Ok(PrepareDownloadResponse::Ok(signed))
    }

    /// Says that the profile is there.
    async fn report(&mut self, transaction: TransactionId, iccid: Iccid) -> Result<(), String> {
        self.sequence += 1;
        let says = InstallationResult {
            transaction_id: transaction,
            notification: NotificationMetadata {
                sequence_number: self.sequence,
                event: Event::Install,
                address: self.maker.address.clone(),
                iccid: Some(iccid),
            },
            smdp_oid: Some(self.maker.oid.clone()),
            result: FinalResult::Success {
                aid: vec![0xA0; 16],
                response: vec![0x30, 0x00],
            },
        };
        let signed = Signed::sign(says, None, self.credential.signer()).map_err(said)?;
        let notification = PendingNotification::Installation(Box::new(signed));
        let body = notification_body(&notification.encode()).to_string();
        let (status, _) = self
            .connection
            .post(path::HANDLE_NOTIFICATION, &body)
            .await?;
        if status == 204 {
            Ok(())
        } else {
            Err(format!("a notification was answered {status}"))
        }
    }

    async fn call(&mut self, path: &str, body: &serde_json::Value) -> Result<Body, String> {
        let (status, answer) = self.connection.post(path, &body.to_string()).await?;
        let read = Body::parse(&answer).map_err(said)?;
        let outcome = read
            .find("header")
            .and_then(|header| header.pointer("/functionExecutionStatus/status"))
            .and_then(serde_json::Value::as_str);
        if status == 200 && outcome == Some("Executed-Success") {
            return Ok(read);
        }
        Err(format!(
            "{path}: {status} {}",
            String::from_utf8_lossy(&answer)
        ))
    }
}

fn said(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
