//! Whole sessions in memory: an LPA, a software eUICC and a server that is made of the same messages.

mod belief;
mod breaks;
mod card;
mod corpus;
mod isdr;
mod lpa;
mod milenage;

use std::collections::BTreeMap;

use crate::lpa::{
    Card, CardError, Consent, HttpAnswer, Lpa, LpaError, Order, Progress, Servers, User,
};
use crate::{Directory, Environment, Euicc, EuiccIdentity, EuiccSettings};
use simurgh_rsp::bpp::{Binding, Content, ErrorReason, ProtectedProfile};
use simurgh_rsp::certificate::Role;
use simurgh_rsp::identity::{Eid, Iccid};
use simurgh_rsp::key::{Curve, PrivateKey, PublicKey, Signature};
use simurgh_rsp::message::authentication::{
    AuthenticateError, AuthenticateServerResponse, ServerSigned1,
};
use simurgh_rsp::message::cancel::{CancelReason, CancelSessionResponse};
use simurgh_rsp::message::download::{
    DownloadError, PrepareDownloadResponse, SmdpSigned2, hash_confirmation_code, hash_for_session,
};
use simurgh_rsp::message::es9::{
    self, AuthenticateClient, CancelSession, GetBoundProfilePackage, InitiateAuthentication,
    ProfileOffer, ServerAuthentication,
};
use simurgh_rsp::message::es10::ProfileState;
use simurgh_rsp::message::info::{DeviceInfo, Version};
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::metadata::{NotificationReceiver, ProfileMetadata};
use simurgh_rsp::message::notification::{Event, FinalResult, PendingNotification};
use simurgh_rsp::message::status::{Status, executed, failed};
use simurgh_rsp::message::{Signed, TransactionId, Wire};
use simurgh_rsp::pki::{Credential, TestNames, TestPki, Trust, VerifiedEuicc};
use simurgh_rsp::saip::{
    Digits, Package, Personalisation, Secret, SubscriberKeys, TemplateVariant, personalise,
    standard_template,
};
use simurgh_rsp::tlv::NamedBits;
use simurgh_vocab::Timestamp;

const ADDRESS: &str = "smdp.example.com";
const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const TOKEN: &str = "TOKEN-1";

/// Octets that repeat from run to run.
struct Counting(u64);

impl Counting {
    fn fill(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *octet = u8::try_from(self.0 >> 56).unwrap();
        }
    }

    fn sixteen(&mut self) -> [u8; 16] {
        let mut octets = [0; 16];
        self.fill(&mut octets);
        octets
    }
}

fn eid() -> Eid {
    "89049032123451234512345678901235".parse().unwrap()
}

fn pki(curve: Curve) -> TestPki {
    let names = TestNames {
        smdp_address: ADDRESS.into(),
        smdp_oid: "2.999.10".parse().unwrap(),
        smds_address: "smds.example.com".into(),
        smds_oid: "2.999.20".parse().unwrap(),
        ein: "89049032".into(),
    };
    let mut random = Counting(1);
    TestPki::generate(curve, &names, NOW, &mut |octets| random.fill(octets)).unwrap()
}

fn chip(pki: &mut TestPki) -> Euicc {
    Euicc::new(settings(pki)).unwrap()
}

fn settings(pki: &mut TestPki) -> EuiccSettings {
    let mut random = Counting(2);
    let credential = pki
        .euicc(&eid(), &mut |octets| random.fill(octets))
        .unwrap();
    EuiccSettings {
        eid: eid(),
        identities: vec![EuiccIdentity {
            credential,
            eum: pki.eum().clone(),
            root: pki.root().clone(),
        }],
        memory_octets: 100_000,
        root_smds: "smds.example.com".into(),
        profile_version: Version([2, 3, 1]),
        rules: Vec::new(),
    }
}

fn iccid(last: u8) -> Iccid {
    format!("898601234567890123{last}").parse().unwrap()
}

fn profile(iccid: Iccid) -> Vec<u8> {
    let keys = SubscriberKeys::Milenage {
        ki: Secret::new([0x4B; 16]),
        opc: Secret::new([0x0C; 16]),
    };
    profile_with(iccid, keys)
}

fn profile_with(iccid: Iccid, keys: SubscriberKeys) -> Vec<u8> {
    let code = |text: &str| text.parse::<Digits>().unwrap();
    let data = Personalisation {
        iccid,
        imsi: "460001234567895".parse().unwrap(),
        home: "46000".parse().unwrap(),
        keys,
        pin1: code("1234"),
        pin2: code("5678"),
        puk1: code("11112222"),
        puk2: code("33334444"),
        administrative: code("99990000"),
        service_centre: None,
        msisdn: None,
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

/// One order at the server, and what it knows of its session.
struct Order1 {
    metadata: ProfileMetadata,
    profile: ProtectedProfile,
    confirmation: Option<[u8; 32]>,
    bound: Option<(PublicKey, PrivateKey)>,
}

struct SessionState {
    challenge: [u8; 16],
    euicc: Option<(VerifiedEuicc, String)>,
    offer_signature: Option<Signature>,
}

/// An SM-DP+ for one test: no store, no policies, all verifications.
struct Smdp {
    trust: Trust,
    auth: Credential,
    binder: Credential,
    orders: BTreeMap<String, Order1>,
    sessions: BTreeMap<TransactionId, SessionState>,
    heard: Vec<(Event, bool)>,
    cancelled: Vec<CancelReason>,
    random: Counting,
    /// Bends the packages that go out.
    bend: bool,
    /// Names the profile differently in the package.
    rename: bool,
    address: &'static str,
}

impl Smdp {
    fn new(pki: &TestPki) -> Self {
        Self {
            trust: Trust::nobody().with_root(pki.root().clone()).unwrap(),
            auth: pki.server(Role::DpAuth).unwrap(),
            binder: pki.server(Role::DpPb).unwrap(),
            orders: BTreeMap::new(),
            sessions: BTreeMap::new(),
            heard: Vec::new(),
            cancelled: Vec::new(),
            random: Counting(3),
            bend: false,
            rename: false,
            address: ADDRESS,
        }
    }

    fn order(&mut self, token: &str, iccid: Iccid, confirmation: Option<&str>) {
        let mut metadata = ProfileMetadata::new(iccid, "Simurgh".into(), "Global".into());
        metadata.notifications.push(NotificationReceiver {
            events: NamedBits::of(&[0, 1, 2, 3]),
            address: ADDRESS.into(),
        });
        let random = &mut self.random;
        let profile =
            ProtectedProfile::protect(&profile(iccid), &mut |octets| random.fill(octets)).unwrap();
        let order = Order1 {
            metadata,
            profile,
            confirmation: confirmation.map(hash_confirmation_code),
            bound: None,
        };
        self.orders.insert(token.into(), order);
    }

    fn initiate(&mut self, body: &Body) -> Result<serde_json::Value, Status> {
        let request = InitiateAuthentication::read(body).unwrap();
        assert!(request.address.eq_ignore_ascii_case(self.address));
        let root = self
            .trust
            .root_key_ids()
            .find(|id| request.info.roots.signing.iter().any(|one| one == id))
            .ok_or(Status::SmdpSecurityUnsupported)?
            .to_vec();
        let transaction_id = TransactionId::from_octets(&self.random.sixteen()).unwrap();
        let challenge = self.random.sixteen();
        let says = ServerSigned1 {
            transaction_id,
            euicc_challenge: request.challenge,
            server_address: self.address.into(),
            server_challenge: challenge,
        };
        self.sessions.insert(
            transaction_id,
            SessionState {
                challenge,
                euicc: None,
                offer_signature: None,
            },
        );
        let answer = ServerAuthentication {
            server: Signed::sign(says, None, self.auth.signer()).unwrap(),
            root_key_id: root,
            certificate: self.auth.certificate().clone(),
        };
        Ok(executed(answer.body()))
    }

    fn authenticate(&mut self, body: &Body) -> Result<serde_json::Value, Status> {
        let request = AuthenticateClient::read(body).unwrap();
        let session = self
            .sessions
            .get_mut(&request.transaction_id)
            .ok_or(Status::TransactionIdUnknown)?;
        let AuthenticateServerResponse::Ok(euicc) = request.response else {
            return Err(Status::EuiccVerificationFailed);
        };
        let eum = self.trust.verify_eum(&euicc.eum_certificate, NOW).unwrap();
        let verified = self
            .trust
            .verify_euicc(&euicc.certificate, &eum, NOW)
            .unwrap();
        let says = euicc
            .signed
            .verify(verified.public_key(), None)
            .map_err(|_| Status::EuiccVerificationFailed)?;
        if says.server_challenge != session.challenge {
            return Err(Status::EuiccVerificationFailed);
        }
        let token = says.params.matching_id.clone().unwrap_or_default();
        let order = self.orders.get(&token).ok_or(Status::MatchingIdRefused)?;
        let says = SmdpSigned2 {
            transaction_id: request.transaction_id,
            confirmation_code_required: order.confirmation.is_some(),
            bound_key: order.bound.as_ref().map(|(key, _)| *key.point()),
        };
        let after = Some(euicc.signed.signature());
        let smdp = Signed::sign(says, after, self.binder.signer()).unwrap();
        session.offer_signature = Some(*smdp.signature());
        session.euicc = Some((verified, token));
        let offer = ProfileOffer {
            metadata: order.metadata.clone(),
            smdp,
            certificate: self.binder.certificate().clone(),
        };
        Ok(executed(offer.body()))
    }

    fn package(&mut self, body: &Body) -> Result<serde_json::Value, Status> {
        let request = GetBoundProfilePackage::read(body).unwrap();
        let session = self.sessions.get(&request.transaction_id);
        let session = session.ok_or(Status::TransactionIdUnknown)?;
        let (euicc, token) = session.euicc.as_ref().unwrap();
        let PrepareDownloadResponse::Ok(signed) = request.response else {
            return Err(Status::EuiccVerificationFailed);
        };
        let says = signed
            .verify(euicc.public_key(), session.offer_signature.as_ref())
            .map_err(|_| Status::EuiccVerificationFailed)?;
        let order = self.orders.get_mut(token).unwrap();
        if let Some(code) = &order.confirmation {
            let expected = hash_for_session(code, &request.transaction_id);
            if says.hashed_code != Some(expected) {
                return Err(Status::ConfirmationCodeRefused);
            }
        }
        let curve = euicc.public_key().curve();
        let key = PublicKey::from_point(curve, &says.one_time_key).unwrap();
        if order.bound.as_ref().is_none_or(|(bound, _)| *bound != key) {
            let random = &mut self.random;
            let own = PrivateKey::generate(curve, &mut |octets| random.fill(octets)).unwrap();
            order.bound = Some((key, own));
        }
        let binding = Binding {
            transaction_id: request.transaction_id.as_octets(),
            eid: euicc.eid(),
            euicc_key: &key,
            one_time_key: &order.bound.as_ref().unwrap().1,
            host_id: b"simurgh",
            proprietary_oid: None,
        };
        let content = Content::Protected(&order.profile);
        let mut metadata = order.metadata.clone();
        if self.rename {
            metadata.profile_name = "Expensive".into();
        }
        let metadata = metadata.encode();
        let mut package = binding
            .bind(&metadata, content, self.binder.signer())
            .unwrap();
        if self.bend {
            *package.last_mut().unwrap() ^= 1;
        }
        Ok(executed(es9::package_body(
            &request.transaction_id,
            &package,
        )))
    }

    fn notification(&mut self, body: &Body) {
        let (event, success) = match es9::read_notification(body).unwrap() {
            PendingNotification::Installation(signed) => {
                let id = signed.unverified().transaction_id;
                let (euicc, _) = self.sessions[&id].euicc.as_ref().unwrap();
                let says = signed.verify(euicc.public_key(), None).unwrap();
                let success = matches!(says.result, FinalResult::Success { .. });
                (says.notification.event, success)
            }
            PendingNotification::Other(other) => {
                let eum = self.trust.verify_eum(&other.eum_certificate, NOW).unwrap();
                let euicc = self
                    .trust
                    .verify_euicc(&other.certificate, &eum, NOW)
                    .unwrap();
                (
                    other.signed.verify(euicc.public_key(), None).unwrap().event,
                    true,
                )
            }
        };
        self.heard.push((event, success));
    }

    fn cancel(&mut self, body: &Body) -> Result<serde_json::Value, Status> {
        let request = CancelSession::read(body).unwrap();
        let session = self.sessions.get(&request.transaction_id);
        let session = session.ok_or(Status::TransactionIdUnknown)?;
        let CancelSessionResponse::Ok(signed) = request.response else {
            return Err(Status::EuiccVerificationFailed);
        };
        let (euicc, _) = session.euicc.as_ref().ok_or(Status::TransactionIdUnknown)?;
        let says = signed.verify(euicc.public_key(), None).unwrap();
        self.cancelled.push(says.reason);
        Ok(executed(serde_json::Map::new()))
    }
}

impl Servers for Smdp {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        if !address.eq_ignore_ascii_case(ADDRESS) {
            return Err(LpaError::Unreachable(address.into()));
        }
        let body = Body::parse(body)?;
        let answer = match path {
            es9::path::INITIATE_AUTHENTICATION => self.initiate(&body),
            es9::path::AUTHENTICATE_CLIENT => self.authenticate(&body),
            es9::path::BOUND_PROFILE_PACKAGE => self.package(&body),
            es9::path::CANCEL_SESSION => self.cancel(&body),
            es9::path::HANDLE_NOTIFICATION => {
                self.notification(&body);
                return Ok((204, Vec::new()));
            }
            _ => return Ok((404, Vec::new())),
        };
        let answer = answer.unwrap_or_else(|status| failed(status, None));
        Ok((200, answer.to_string().into_bytes()))
    }
}

/// A chip in a reader, which breaks after so many commands.
struct Reader<'a> {
    chip: &'a mut Euicc,
    random: Counting,
    left: usize,
}

impl Card for Reader<'_> {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        self.left = self.left.checked_sub(1).ok_or(CardError::Gone)?;
        let random = &mut self.random;
        let mut environment = Environment {
            random: &mut |octets| random.fill(octets),
        };
        Ok(self.chip.transmit(apdu, &mut environment))
    }
}

/// ES10b.GetEUICCChallenge on the channel that an LPA opens first.
const GET_CHALLENGE: [u8; 8] = [0x81, 0xE2, 0x91, 0, 3, 0xBF, 0x2E, 0];

fn reader(chip: &mut Euicc) -> Reader<'_> {
    Reader {
        chip,
        random: Counting(9),
        left: usize::MAX,
    }
}

/// A user who says yes, perhaps with a code.
struct Willing(Option<&'static str>);

impl User for Willing {
    fn consent(&mut self, _profile: &ProfileMetadata, _code_needed: bool) -> Consent {
        Consent::Yes {
            confirmation_code: self.0.map(Into::into),
        }
    }

    fn progress(&mut self, _progress: Progress) {}
}

fn order(token: &str) -> Order {
    Order {
        address: ADDRESS.into(),
        matching_id: Some(token.into()),
        smdp_oid: None,
        device: DeviceInfo::default(),
    }
}

fn download(chip: &mut Euicc, server: &mut Smdp, user: &mut dyn User) -> Result<Iccid, LpaError> {
    let mut reader = reader(chip);
    let mut lpa = Lpa::open(&mut reader)?;
    let done = lpa.download(&order(TOKEN), server, user)?;
    lpa.close()?;
    Ok(*done.iccid())
}

#[test]
fn a_profile_comes_is_used_and_goes_on_both_curves() {
    for curve in Curve::ALL {
        let mut pki = pki(curve);
        let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
        server.order(TOKEN, iccid(0), None);
        let iccid = download(&mut chip, &mut server, &mut Willing(None)).unwrap();
        assert_eq!(iccid, self::iccid(0));
        {
            let mut reader = reader(&mut chip);
            let mut lpa = Lpa::open(&mut reader).unwrap();
            assert_eq!(lpa.eid().unwrap(), eid());
            lpa.enable(&iccid).unwrap();
            lpa.rename(&iccid, "Travel").unwrap();
            let listed = lpa.profiles().unwrap();
            assert_eq!(listed[0].nickname.as_deref(), Some("Travel"));
            assert_eq!(listed[0].state, Some(ProfileState::Enabled));
            assert!(lpa.delete(&iccid).is_err());
        }
        assert!(chip.take_refresh() && !chip.take_refresh());
        let installed = chip.enabled_profile().unwrap();
        let imsi = installed.file(Directory::Usim, 0x6F07).unwrap();
        assert_eq!(
            imsi.content,
            [8, 0x49, 0x06, 0x00, 0x21, 0x43, 0x65, 0x87, 0x59]
        );
        {
            let mut reader = reader(&mut chip);
            let mut lpa = Lpa::open(&mut reader).unwrap();
            lpa.disable(&iccid).unwrap();
            lpa.delete(&iccid).unwrap();
            assert_eq!(lpa.deliver_notifications(&mut server).unwrap(), 4);
            assert_eq!(lpa.deliver_notifications(&mut server).unwrap(), 0);
            assert!(lpa.profiles().unwrap().is_empty());
        }
        let events: Vec<Event> = server.heard.iter().map(|(event, _)| *event).collect();
        assert_eq!(events, Event::ALL);
    }
}

#[test]
fn the_card_reads_like_a_usim() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    let iccid = download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    {
        let mut reader = reader(&mut chip);
        Lpa::open(&mut reader).unwrap().enable(&iccid).unwrap();
    }
    let mut reader = reader(&mut chip);
    let mut send = |apdu: &[u8]| {
        let mut answer = reader.transmit(apdu).unwrap();
        if let [0x61, count] = answer[..] {
            answer = reader.transmit(&[0, 0xC0, 0, 0, count]).unwrap();
        }
        let status = answer.split_off(answer.len() - 2);
        assert_eq!(status, [0x90, 0x00], "{apdu:02X?}");
        answer
    };
    send(&[0, 0xA4, 0, 4, 2, 0x3F, 0x00]);
    send(&[0, 0xA4, 0, 4, 2, 0x2F, 0xE2]);
    assert_eq!(send(&[0, 0xB0, 0, 0, 10]), iccid.as_octets());
    send(&[0, 0xA4, 0, 4, 2, 0x2F, 0x00]);
    let directory = send(&[0, 0xB2, 1, 4, 0]);
    let length = directory[3];
    let mut select = vec![0, 0xA4, 4, 4, length];
    select.extend(&directory[4..4 + usize::from(length)]);
    send(&select);
    send(&[0, 0xA4, 0, 4, 2, 0x6F, 0x46]);
    assert_eq!(&send(&[0, 0xB0, 0, 0, 17])[1..8], b"Simurgh");
    // Out of use, its files are not read any more.
    Lpa::open(&mut reader).unwrap().disable(&iccid).unwrap();
    let answer = reader.transmit(&[0, 0xB0, 0, 0, 17]).unwrap();
    assert_eq!(answer.len(), 2, "{answer:02X?}");
    assert_ne!(answer, [0x90, 0x00]);
}

#[test]
fn a_confirmation_code_is_checked_and_a_wrong_one_costs_nothing() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), Some("0815"));
    let wrong = download(&mut chip, &mut server, &mut Willing(Some("0000")));
    let Err(LpaError::Refused(outcome)) = wrong else {
        panic!("{wrong:?}")
    };
    assert_eq!(outcome.status(), Some(Status::ConfirmationCodeRefused));
    let missing = download(&mut chip, &mut server, &mut Willing(None));
    assert_eq!(missing, Err(LpaError::ConfirmationCodeNeeded));
    // The refusal ended the first session by itself.
    assert_eq!(server.cancelled, [CancelReason::Postponed]);
    assert!(download(&mut chip, &mut server, &mut Willing(Some("0815"))).is_ok());
}

#[test]
fn a_broken_transfer_is_repeated_with_the_same_key() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    server.bend = true;
    let bent = download(&mut chip, &mut server, &mut Willing(None));
    let Err(LpaError::NotInstalled(result)) = bent else {
        panic!("{bent:?}")
    };
    let FinalResult::Error { reason, .. } = *result else {
        panic!("a success")
    };
    assert_eq!(reason, ErrorReason::BspSecurityError);
    let first = server.orders[TOKEN].bound.as_ref().unwrap().0;
    server.bend = false;
    assert!(download(&mut chip, &mut server, &mut Willing(None)).is_ok());
    assert_eq!(server.orders[TOKEN].bound.as_ref().unwrap().0, first);
    let mut reader = reader(&mut chip);
    let mut lpa = Lpa::open(&mut reader).unwrap();
    lpa.deliver_notifications(&mut server).unwrap();
    assert_eq!(
        server.heard,
        [(Event::Install, false), (Event::Install, true)]
    );
}

#[test]
fn a_download_that_breaks_at_any_command_succeeds_when_repeated() {
    let mut pki = pki(Curve::P256);
    let mut commands = 0;
    loop {
        let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
        server.order(TOKEN, iccid(0), None);
        let mut reader = reader(&mut chip);
        reader.left = commands;
        let broken = Lpa::open(&mut reader)
            .and_then(|mut lpa| lpa.download(&order(TOKEN), &mut server, &mut Willing(None)));
        if broken.is_ok() {
            break;
        }
        assert_eq!(broken, Err(LpaError::Card(CardError::Gone)), "{commands}");
        // A new session on the same channel loses no key either.
        reader.left = usize::MAX;
        let kept = reader.chip.state();
        reader.transmit(&GET_CHALLENGE).unwrap();
        assert_eq!(reader.chip.state(), kept, "{commands}");
        // The power goes: what is left is what was kept.
        let mut chip = Euicc::restore(settings(&mut pki), &chip.state()).unwrap();
        let bound = |server: &Smdp| server.orders[TOKEN].bound.as_ref().map(|(key, _)| *key);
        let first = bound(&server);
        let installed = !chip.profiles().is_empty();
        let again = download(&mut chip, &mut server, &mut Willing(None));
        // When only the last answer was lost, the profile is there.
        assert_eq!(again.is_ok(), !installed, "{commands}: {again:?}");
        assert_eq!(chip.profiles().len(), 1);
        if !installed && first.is_some() {
            assert_eq!(bound(&server), first);
        }
        commands += 1;
    }
    assert!(commands > 20);
}

#[test]
fn a_profile_that_is_there_or_does_not_fit_is_refused_by_the_chip() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    let reason = |result: Result<Iccid, LpaError>| match result {
        Err(LpaError::NotInstalled(result)) => match *result {
            FinalResult::Error { reason, .. } => reason,
            FinalResult::Success { .. } => panic!("a success"),
        },
        other => panic!("{other:?}"),
    };
    let again = download(&mut chip, &mut server, &mut Willing(None));
    assert_eq!(reason(again), ErrorReason::IccidAlreadyExists);
    // The package is another profile's than the offer says.
    server.order(TOKEN, iccid(1), None);
    server.orders.get_mut(TOKEN).unwrap().metadata.iccid = iccid(2);
    let other = download(&mut chip, &mut server, &mut Willing(None));
    assert_eq!(reason(other), ErrorReason::IccidMismatch);
}

#[test]
fn a_server_below_another_root_is_not_believed() {
    let mut own = pki(Curve::P256);
    let mut chip = chip(&mut own);
    let foreign = pki(Curve::BrainpoolP256r1);
    let mut server = Smdp::new(&foreign);
    server.order(TOKEN, iccid(0), None);
    let refused = download(&mut chip, &mut server, &mut Willing(None));
    assert!(matches!(refused, Err(LpaError::Refused(_))), "{refused:?}");
    // It claims to know the chip's root.
    server.trust = Trust::nobody().with_root(own.root().clone()).unwrap();
    assert_eq!(
        download(&mut chip, &mut server, &mut Willing(None)),
        Err(LpaError::ServerNotTrusted(AuthenticateError::CiPkUnknown))
    );
}

/// A discovery server with one event.
struct Smds(Smdp);

impl Servers for Smds {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        assert_eq!(address, "smds.example.com");
        let body = Body::parse(body)?;
        let answer = match path {
            es9::path::INITIATE_AUTHENTICATION => self.0.initiate(&body).unwrap(),
            es9::path::AUTHENTICATE_CLIENT => {
                let request = AuthenticateClient::read(&body).unwrap();
                assert!(matches!(
                    request.response,
                    AuthenticateServerResponse::Ok(_)
                ));
                let event = es9::EventEntry {
                    event_id: TOKEN.into(),
                    server_address: ADDRESS.into(),
                };
                executed(es9::events_body(&request.transaction_id, &[event]))
            }
            _ => return Ok((404, Vec::new())),
        };
        Ok((200, answer.to_string().into_bytes()))
    }
}

#[test]
fn a_phone_finds_its_profile_without_a_code() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    let mut discovery = Smds(Smdp::new(&pki));
    discovery.0.auth = pki.server(Role::DsAuth).unwrap();
    discovery.0.address = "smds.example.com";
    let mut reader = reader(&mut chip);
    let mut lpa = Lpa::open(&mut reader).unwrap();
    let events = lpa.discover(&mut discovery).unwrap();
    let found = Order {
        address: events[0].server_address.clone(),
        smdp_oid: None,
        matching_id: Some(events[0].event_id.clone()),
        device: DeviceInfo::default(),
    };
    assert!(
        lpa.download(&found, &mut server, &mut Willing(None))
            .is_ok()
    );
    // A discovery server may not offer profiles.
    server.auth = pki.server(Role::DsAuth).unwrap();
    let offered = lpa.download(&found, &mut server, &mut Willing(None));
    assert_eq!(
        offered,
        Err(LpaError::OfferNotAccepted(
            DownloadError::InvalidCertificate
        ))
    );
}

#[test]
fn another_profile_than_the_one_shown_is_not_installed() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    server.rename = true;
    let other = download(&mut chip, &mut server, &mut Willing(None));
    assert_eq!(other, Err(LpaError::OtherProfile));
    assert_eq!(server.cancelled, [CancelReason::MetadataMismatch]);
    assert!(chip.profiles().is_empty());
}

#[test]
fn a_chip_comes_back_from_its_state() {
    let mut pki = pki(Curve::P256);
    let settings = settings(&mut pki);
    let (mut chip, mut server) = (Euicc::new(settings.clone()).unwrap(), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    let iccid = download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    {
        let mut reader = reader(&mut chip);
        let mut lpa = Lpa::open(&mut reader).unwrap();
        lpa.enable(&iccid).unwrap();
        lpa.rename(&iccid, "Travel").unwrap();
        lpa.set_default_address(ADDRESS).unwrap();
    }
    let free = chip.free_memory_octets();
    let state = chip.state();
    let mut again = Euicc::restore(settings.clone(), &state).unwrap();
    assert_eq!(*again.state(), *state);
    assert_eq!(again.free_memory_octets(), free);
    assert!(again.answer_challenge(&[0; 16], &[0; 16]).is_some());
    let mut reader = reader(&mut again);
    let mut lpa = Lpa::open(&mut reader).unwrap();
    assert_eq!(
        lpa.addresses().unwrap().default_smdp.as_deref(),
        Some(ADDRESS)
    );
    assert_eq!(
        lpa.profiles().unwrap()[0].nickname.as_deref(),
        Some("Travel")
    );
    assert_eq!(lpa.deliver_notifications(&mut server).unwrap(), 2);
    for length in 0..state.len() {
        assert!(Euicc::restore(settings.clone(), &state[..length]).is_err());
    }
}

#[test]
fn the_faces_speak_as_lpas_and_readers_do() {
    let mut pki = pki(Curve::P256);
    let mut chip = chip(&mut pki);
    let mut random = Counting(5);
    let mut environment = Environment {
        random: &mut |octets| random.fill(octets),
    };
    let mut say = |line: &str| crate::face::answer_line(&mut chip, line, &mut environment);
    let request = |func: &str, param: &str| {
        format!(r#"{{"type":"apdu","payload":{{"func":"{func}","param":"{param}"}}}}"#)
    };
    let ok = r#"{"payload":{"ecode":0},"type":"apdu"}"#;
    let connect = r#"{"type":"apdu","payload":{"func":"connect","param":null}}"#;
    assert_eq!(say(connect).as_deref(), Some(ok));
    let opened = say(&request(
        "logic_channel_open",
        "a0000005591010ffffffff8900000100",
    ));
    assert_eq!(
        opened.as_deref(),
        Some(r#"{"payload":{"ecode":1},"type":"apdu"}"#)
    );
    let sent = say(&request("transmit", "81E2910006BF3E035C015A")).unwrap();
    assert!(sent.contains(r#""data":"6115""#), "{sent}");
    let got = say(&request("transmit", "81C0000015")).unwrap();
    assert!(
        got.contains("BF3E125A10890490321234512345123456789012359000"),
        "{got}"
    );
    assert_eq!(
        say(&request("logic_channel_close", "01")).as_deref(),
        Some(ok)
    );
    let unknown = say(&request("logic_channel_open", "a000000000")).unwrap();
    assert!(unknown.contains("-1"));
    assert_eq!(say(r#"{"type":"progress","payload":{}}"#), None);
    assert_eq!(say("no JSON"), None);

    let mut frame = |frame: &[u8]| crate::face::answer_frame(&mut chip, frame, &mut environment);
    assert_eq!(frame(&[1]), None);
    assert_eq!(frame(&[4]).as_deref(), Some(&crate::face::ATR[..]));
    assert_eq!(frame(&[0, 0x70, 0, 0, 1]), Some(vec![1, 0x90, 0x00]));
}

#[test]
fn a_chip_survives_any_apdus() {
    let mut pki = pki(Curve::P256);
    let mut chip = chip(&mut pki);
    let mut reader = reader(&mut chip);
    let mut random = Counting(77);
    reader.transmit(&[0, 0x70, 0, 0, 1]).unwrap();
    let mut select = vec![1, 0xA4, 4, 0, 16];
    select.extend(simurgh_rsp::message::es10::ISD_R_AID);
    reader.transmit(&select).unwrap();
    for round in 0..3_000u16 {
        let mut octets = [0u8; 40];
        random.fill(&mut octets);
        let length = usize::from(octets[0] % 40);
        let mut apdu = octets[..length].to_vec();
        if round % 2 == 0 {
            let tags = [
                0x2E, 0x20, 0x38, 0x21, 0x36, 0x41, 0x2D, 0x31, 0x33, 0x34, 0x28, 0x2B,
            ];
            let tag = tags[usize::from(octets[1]) % tags.len()];
            let body = u8::try_from(length).unwrap();
            apdu.splice(0..0, [0x81, 0xE2, 0x91, 0, body + 3, 0xBF, tag, body]);
        }
        let answer = reader.transmit(&apdu).unwrap();
        assert!(answer.len() >= 2);
    }
}
