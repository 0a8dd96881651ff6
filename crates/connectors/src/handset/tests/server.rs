//! An SM-DP+ for the tests of the phones: no store and no policies but the binding of a profile to its chip.

use std::collections::BTreeMap;
use std::sync::Mutex;

use simurgh_app::ports::Entropy as _;
use simurgh_euicc::lpa::{HttpAnswer, LpaError};
use simurgh_rsp::bpp::{Binding, Content, ProtectedProfile};
use simurgh_rsp::certificate::Role;
use simurgh_rsp::identity::Eid;
use simurgh_rsp::key::{Curve, PrivateKey, PublicKey};
use simurgh_rsp::message::authentication::{AuthenticateServerResponse, ServerSigned1};
use simurgh_rsp::message::download::{
    PrepareDownloadResponse, SmdpSigned2, hash_confirmation_code, hash_for_session,
};
use simurgh_rsp::message::es9::{
    self, AuthenticateClient, GetBoundProfilePackage, InitiateAuthentication, ProfileOffer,
    ServerAuthentication,
};
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::metadata::{NotificationReceiver, ProfileMetadata};
use simurgh_rsp::message::status::{Status, executed, failed};
use simurgh_rsp::message::{Signed, TransactionId};
use simurgh_rsp::pki::{Credential, Credentials, TestNames, TestPki, Trust, VerifiedEuicc};
use simurgh_rsp::saip::{
    Package, Personalisation, Secret, SubscriberKeys, TemplateVariant, personalise,
    standard_template,
};
use simurgh_rsp::tlv::NamedBits;

use super::Counting;
use crate::handset::Radio;
use crate::sandbox::testing::START;

pub(super) const ADDRESS: &str = "localhost:8443";
pub(super) const CODE: &str = "LPA:1$localhost:8443$TOKEN-1";

/// What waits under a token; an empty one for whoever asks without.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) confirmation: Option<&'static str>,
}

struct Order {
    entry: Entry,
    metadata: ProfileMetadata,
    profile: ProtectedProfile,
    holder: Option<Eid>,
    bound: Option<(PublicKey, PrivateKey)>,
}

struct Session {
    euicc: VerifiedEuicc,
    token: String,
}

#[derive(Default)]
struct Book {
    orders: BTreeMap<String, Order>,
    sessions: BTreeMap<TransactionId, Session>,
}

pub(super) struct Smdp {
    trust: Trust,
    auth: Credential,
    binder: Credential,
    book: Mutex<Book>,
    random: Counting,
    /// What phones told.
    pub(super) heard: Mutex<Vec<String>>,
}

/// The same certificates every time.
fn pki() -> TestPki {
    let names = TestNames {
        smdp_address: "localhost".into(),
        smdp_oid: "2.999.10".parse().unwrap(),
        smds_address: "localhost".into(),
        smds_oid: "2.999.20".parse().unwrap(),
        ein: "89049032".into(),
    };
    let random = Counting(Mutex::new(1));
    TestPki::generate(Curve::P256, &names, START, &mut |octets| {
        random.fill(octets)
    })
    .unwrap()
}

pub(super) fn certificates() -> Credentials {
    Credentials::from_files(&pki().files()).unwrap()
}

impl Smdp {
    pub(super) fn new(orders: &[(&str, Entry)]) -> Self {
        let pki = pki();
        let random = Counting(Mutex::new(3));
        let mut book = Book::default();
        for (place, (token, entry)) in orders.iter().enumerate() {
            let iccid = format!("898601234567890123{place}").parse().unwrap();
            let mut metadata = ProfileMetadata::new(iccid, "Simurgh".into(), "Global".into());
            metadata.notifications.push(NotificationReceiver {
                events: NamedBits::of(&[0, 1, 2, 3]),
                address: ADDRESS.into(),
            });
            let package = profile(iccid);
            let profile = ProtectedProfile::protect(&package, &mut |octets| random.fill(octets));
            let order = Order {
                entry: *entry,
                metadata,
                profile: profile.unwrap(),
                holder: None,
                bound: None,
            };
            book.orders.insert((*token).to_owned(), order);
        }
        Self {
            trust: Trust::nobody().with_root(pki.root().clone()).unwrap(),
            auth: pki.server(Role::DpAuth).unwrap(),
            binder: pki.server(Role::DpPb).unwrap(),
            book: Mutex::new(book),
            random,
            heard: Mutex::default(),
        }
    }

    fn initiate(&self, body: &Body) -> Result<serde_json::Value, Status> {
        let request = InitiateAuthentication::read(body).unwrap();
        let mut drawn = [0; 32];
        self.random.fill(&mut drawn);
        let says = ServerSigned1 {
            transaction_id: TransactionId::from_octets(&drawn[..16]).unwrap(),
            euicc_challenge: request.challenge,
            server_address: ADDRESS.into(),
            server_challenge: drawn[16..].try_into().unwrap(),
        };
        let answer = ServerAuthentication {
            server: Signed::sign(says, None, self.auth.signer()).unwrap(),
            root_key_id: self.trust.root_key_ids().next().unwrap().to_vec(),
            certificate: self.auth.certificate().clone(),
        };
        Ok(executed(answer.body()))
    }

    fn authenticate(&self, body: &Body) -> Result<serde_json::Value, Status> {
        let request = AuthenticateClient::read(body).unwrap();
        let AuthenticateServerResponse::Ok(euicc) = request.response else {
            return Err(Status::EuiccVerificationFailed);
        };
        let eum = self.trust.verify_eum(&euicc.eum_certificate, START);
        let verified = self
            .trust
            .verify_euicc(&euicc.certificate, &eum.unwrap(), START);
        let verified = verified.unwrap();
        let says = euicc.signed.verify(verified.public_key(), None).unwrap();
        let token = says.params.matching_id.clone().unwrap_or_default();
        let mut book = self.book.lock().unwrap();
        let order = book
            .orders
            .get_mut(&token)
            .ok_or(Status::MatchingIdRefused)?;
        if *order.holder.get_or_insert(*verified.eid()) != *verified.eid() {
            return Err(Status::EidRefused);
        }
        let says = SmdpSigned2 {
            transaction_id: request.transaction_id,
            confirmation_code_required: order.entry.confirmation.is_some(),
            bound_key: order.bound.as_ref().map(|(key, _)| *key.point()),
        };
        let after = Some(euicc.signed.signature());
        let offer = ProfileOffer {
            metadata: order.metadata.clone(),
            smdp: Signed::sign(says, after, self.binder.signer()).unwrap(),
            certificate: self.binder.certificate().clone(),
        };
        let session = Session {
            euicc: verified,
            token,
        };
        book.sessions.insert(request.transaction_id, session);
        Ok(executed(offer.body()))
    }

    fn package(&self, body: &Body) -> Result<serde_json::Value, Status> {
        let request = GetBoundProfilePackage::read(body).unwrap();
        let mut book = self.book.lock().unwrap();
        let Book { orders, sessions } = &mut *book;
        let session = sessions.get(&request.transaction_id);
        let session = session.ok_or(Status::TransactionIdUnknown)?;
        let PrepareDownloadResponse::Ok(signed) = request.response else {
            return Err(Status::EuiccVerificationFailed);
        };
        let says = signed.unverified();
        let order = orders.get_mut(&session.token).unwrap();
        if let Some(code) = order.entry.confirmation {
            let expected = hash_for_session(&hash_confirmation_code(code), &request.transaction_id);
            if says.hashed_code != Some(expected) {
                return Err(Status::ConfirmationCodeRefused);
            }
        }
        let curve = session.euicc.public_key().curve();
        let key = PublicKey::from_point(curve, &says.one_time_key).unwrap();
        if order.bound.as_ref().is_none_or(|(bound, _)| *bound != key) {
            let own = PrivateKey::generate(curve, &mut |octets| self.random.fill(octets));
            order.bound = Some((key, own.unwrap()));
        }
        let (key, own) = order.bound.as_ref().unwrap();
        let binding = Binding {
            transaction_id: request.transaction_id.as_octets(),
            eid: session.euicc.eid(),
            euicc_key: key,
            one_time_key: own,
            host_id: b"simurgh",
            proprietary_oid: None,
        };
        use simurgh_rsp::message::Wire as _;
        let content = Content::Protected(&order.profile);
        let metadata = order.metadata.encode();
        let package = binding.bind(&metadata, content, self.binder.signer());
        let answer = es9::package_body(&request.transaction_id, &package.unwrap());
        Ok(executed(answer))
    }
}

impl Radio for Smdp {
    fn post(&self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        assert_eq!(address, ADDRESS);
        let body = Body::parse(body)?;
        let answer = match path {
            es9::path::INITIATE_AUTHENTICATION => self.initiate(&body),
            es9::path::AUTHENTICATE_CLIENT => self.authenticate(&body),
            es9::path::BOUND_PROFILE_PACKAGE => self.package(&body),
            es9::path::CANCEL_SESSION => Ok(executed(serde_json::Map::new())),
            es9::path::HANDLE_NOTIFICATION => {
                let notification = es9::read_notification(&body).unwrap();
                let event = notification.unverified().event;
                self.heard.lock().unwrap().push(format!("{event:?}"));
                return Ok((204, Vec::new()));
            }
            _ => return Ok((404, Vec::new())),
        };
        let answer = answer.unwrap_or_else(|status| failed(status, None));
        Ok((200, answer.to_string().into_bytes()))
    }
}

fn profile(iccid: simurgh_rsp::identity::Iccid) -> Vec<u8> {
    let data = Personalisation {
        iccid,
        imsi: "460001234567895".parse().unwrap(),
        home: "46000".parse().unwrap(),
        keys: SubscriberKeys::Milenage {
            ki: Secret::new([0x4B; 16]),
            opc: Secret::new([0x0C; 16]),
        },
        pin1: "1234".parse().unwrap(),
        pin2: "5678".parse().unwrap(),
        puk1: "11112222".parse().unwrap(),
        puk2: "33334444".parse().unwrap(),
        administrative: "99990000".parse().unwrap(),
        service_centre: None,
        msisdn: Some("+8613912345678".parse().unwrap()),
        service_provider_name: "Simurgh".into(),
        equivalent_home: Vec::new(),
        home_access: Vec::new(),
        preferred: Vec::new(),
        forbidden: Vec::new(),
        ota_keys: Vec::new(),
        access_class: None,
    };
    let template = Package::parse(&standard_template(TemplateVariant::FiveG)).unwrap();
    personalise(&template, &data).unwrap()
}
