use super::authentication::*;
use super::cancel::*;
use super::download::*;
use super::es9::{self, InitiateAuthentication, ServerAuthentication};
use super::es10::{self, Command, NotificationFilter, ProfileId, ProfileInfo};
use super::info::*;
use super::json::{Body, BodyError};
use super::metadata::*;
use super::notification::*;
use super::*;
use crate::bpp::{BppCommand, ErrorReason};
use crate::certificate::Role;
use crate::key::Curve;
use crate::pki::testing::{NOW, counting, names};
use crate::pki::{Credential, TestPki};
use crate::tlv::NamedBits;
use proptest::prelude::*;

fn transaction_id() -> TransactionId {
    TransactionId::from_hex("00112233445566778899aabbccddeeff").unwrap()
}

fn info2() -> EuiccInfo2 {
    EuiccInfo2 {
        profile_version: Version([2, 3, 1]),
        svn: Version([2, 5, 0]),
        firmware_version: Version([1, 0, 0]),
        ext_card_resource: EuiccInfo2::card_resource(0, 300_000, 4_000),
        uicc_capability: NamedBits::of(&[capability::USIM, capability::MILENAGE]),
        javacard_version: None,
        globalplatform_version: Some(Version([2, 3, 0])),
        rsp_capability: NamedBits::of(&[0, 3]),
        roots: RootKeys {
            verification: vec![vec![1; 20], vec![2; 20]],
            signing: vec![vec![1; 20]],
            signing_v3: vec![],
        },
        category: Some(2),
        forbidden_rules: Some(NamedBits::of(&[rule::PPR1])),
        pp_version: Version([1, 0, 0]),
        accreditation: "SIMURGH-TEST".into(),
    }
}

fn params() -> CtxParams1 {
    CtxParams1 {
        matching_id: Some("ABC-123".into()),
        device: DeviceInfo {
            tac: [0x35, 0x29, 0x06, 0x11],
            capabilities: vec![0x85, 3, 15, 0, 0],
            imei: Some([0x35, 0x29, 0x06, 0x11, 0, 0, 0, 0xF0]),
        },
    }
}

struct World {
    euicc: Credential,
    eum: Certificate,
    auth: Credential,
    pb: Credential,
}
use crate::certificate::Certificate;

fn world() -> World {
    let mut random = counting();
    let mut pki = TestPki::generate(Curve::P256, &names(), NOW, &mut random).unwrap();
    let eid = "89049032123451234512345678901235".parse().unwrap();
    World {
        euicc: pki.euicc(&eid, &mut random).unwrap(),
        eum: pki.eum().clone(),
        auth: pki.server(Role::DpAuth).unwrap(),
        pb: pki.server(Role::DpPb).unwrap(),
    }
}

fn server_signed() -> ServerSigned1 {
    ServerSigned1 {
        transaction_id: transaction_id(),
        euicc_challenge: [1; 16],
        server_address: "smdp.example.com".into(),
        server_challenge: [2; 16],
    }
}

fn euicc_signed() -> EuiccSigned1 {
    EuiccSigned1 {
        transaction_id: transaction_id(),
        server_address: "smdp.example.com".into(),
        server_challenge: [2; 16],
        info: info2(),
        params: params(),
    }
}

#[test]
fn structures_have_the_tags_of_annex_h() {
    assert_eq!(
        hex(&server_signed().encode()),
        concat!(
            "3048",
            "801000112233445566778899AABBCCDDEEFF",
            "811001010101010101010101010101010101",
            "8310736D64702E6578616D706C652E636F6D",
            "841002020202020202020202020202020202"
        )
    );
    assert_eq!(
        hex(&params().encode()),
        "A02280074142432D313233A117800435290611A10585030F0000820835290611000000F0"
    );
    let cancel = CancelSessionRequest {
        transaction_id: transaction_id(),
        reason: CancelReason::EndUserRejection,
    };
    assert_eq!(
        hex(&cancel.encode()),
        "BF4115801000112233445566778899AABBCCDDEEFF810100"
    );
    let smdp = SmdpSigned2 {
        transaction_id: transaction_id(),
        confirmation_code_required: false,
        bound_key: None,
    };
    assert_eq!(
        hex(&smdp.encode()),
        "3015801000112233445566778899AABBCCDDEEFF010100"
    );
}

/// What lpac 2.3 sends.
#[test]
fn commands_have_the_octets_that_lpas_send() {
    let aid = || ProfileId::Aid(vec![0xA0; 16]);
    for (command, octets) in [
        (Command::GetEid, "BF3E035C015A".to_owned()),
        (Command::GetAddresses, "BF3C00".to_owned()),
        (Command::GetRules, "BF4300".to_owned()),
        (Command::GetInfo1, "BF2000".to_owned()),
        (Command::GetInfo2, "BF2200".to_owned()),
        (Command::GetChallenge, "BF2E00".to_owned()),
        (
            Command::GetProfiles(es10::Search::default()),
            "BF2D00".to_owned(),
        ),
        (
            Command::ListNotifications(NotificationFilter::All),
            "BF2800".to_owned(),
        ),
        (
            Command::RetrieveNotifications(NotificationFilter::Number(7)),
            "BF2B05A003800107".to_owned(),
        ),
        (Command::RemoveNotification(7), "BF3003800107".to_owned()),
        (
            Command::Enable {
                profile: aid(),
                refresh: true,
            },
            format!("BF3117A0124F10{}8101FF", "A0".repeat(16)),
        ),
        (
            Command::Delete(aid()),
            format!("BF33124F10{}", "A0".repeat(16)),
        ),
        (
            Command::MemoryReset(es10::ResetOptions {
                operational_profiles: true,
                test_profiles: false,
                default_address: true,
            }),
            "BF3404820205A0".to_owned(),
        ),
        (
            Command::GetProfiles(es10::Search {
                tags: Some(vec![Tag::new(0x5A), Tag::new(0x9F70)]),
                ..es10::Search::default()
            }),
            "BF2D055C035A9F70".to_owned(),
        ),
    ] {
        assert_eq!(hex(&command.encode()), octets);
        assert_eq!(Command::from_bytes(&command.encode()), Ok(command));
    }
}

#[test]
fn what_chips_answer_reads_back() {
    let challenge = [7; 16];
    let answer = es10::challenge_answer(&challenge);
    assert_eq!(es10::read_challenge(&answer), Ok(challenge));
    let iccid = "8986012345678901239".parse().unwrap();
    let profile = ProfileInfo {
        iccid: Some(iccid),
        aid: Some(vec![0xA0; 16]),
        state: Some(es10::ProfileState::Enabled),
        nickname: Some("Work".into()),
        service_provider_name: Some("Simurgh".into()),
        profile_name: Some("Global".into()),
        icon: Some(Icon {
            kind: IconType::Png,
            image: vec![0x89; 40],
        }),
        class: Some(ProfileClass::Operational),
        notifications: vec![NotificationReceiver {
            events: NamedBits::of(&[0, 1, 2, 3]),
            address: "smdp.example.com".into(),
        }],
        owner: Some(OperatorId {
            plmn: "46000".parse().unwrap(),
            gid1: None,
            gid2: Some(vec![1]),
        }),
        smdp_oid: Some("2.999.10".parse().unwrap()),
        rules: Some(NamedBits::of(&[rule::PPR2])),
    };
    let answer = es10::profiles_answer(std::slice::from_ref(&profile));
    assert_eq!(es10::read_profiles(&answer), Ok(vec![profile.clone()]));
    let usual = profile.filtered(None);
    assert!(usual.owner.is_none() && usual.iccid.is_some());
    let asked = profile.filtered(Some(&[Tag::new(0xB7)]));
    assert!(asked.owner.is_some() && asked.iccid.is_none());
    assert_eq!(
        es10::read_profiles(&[0xBF, 0x2D, 3, 0x81, 1, 1]),
        Ok(vec![])
    );
    let rules = vec![AuthorisationRule {
        rules: NamedBits::of(&[rule::PPR1, rule::PPR2]),
        operators: vec![OperatorId {
            plmn: crate::identity::Plmn::from_octets([0xEE; 3]),
            gid1: None,
            gid2: None,
        }],
        consent_required: true,
    }];
    assert_eq!(es10::read_rules(&es10::rules_answer(&rules)), Ok(rules));
    let addresses = es10::Addresses {
        default_smdp: None,
        root_smds: "smds.example.com".into(),
    };
    assert_eq!(
        es10::Addresses::from_bytes(&addresses.encode()),
        Ok(addresses)
    );
    assert_eq!(
        es10::read_notifications(&es10::notifications_answer(&[])),
        Ok(vec![])
    );
}

#[test]
fn a_chip_of_a_later_version_is_understood() {
    let encoded = info2().encode();
    let tlv = Tlv::parse(&encoded).unwrap();
    let extended = Writer::nest(TAG_INFO2, |w| {
        w.raw(tlv.value())
            .octets(context(14), b"platform")
            .octets(context(19), &[3, 1, 0])
            .nested(group(15), |w| {
                w.octets(Tag::new(0x04), &[3, 3, 1]);
            });
    });
    assert_eq!(EuiccInfo2::from_bytes(&extended), Ok(info2()));
    assert_eq!(info2().free_memory_octets(), Some(300_000));
    assert_eq!(params().device.release(5), Some(Version([15, 0, 0])));
    assert_eq!(params().device.release(9), None);
    let without = Writer::object(TAG_INFO2, &tlv.value()[5..]);
    assert_eq!(
        EuiccInfo2::from_bytes(&without).unwrap_err().to_string(),
        "EUICCInfo2: profileVersion is missing"
    );
}

#[test]
fn a_package_is_answered_the_same_as_values_and_as_text() {
    for package in [&b""[..], &[0xBF; 1], &[0x36; 12_000]] {
        let values = status::executed(es9::package_body(&transaction_id(), package));
        let text = es9::package_answer(&transaction_id(), package);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, values);
    }
}

#[test]
fn both_sides_understand_each_other_over_json() {
    let world = world();
    let server = Signed::sign(server_signed(), None, world.auth.signer()).unwrap();
    let answer = ServerAuthentication {
        server,
        root_key_id: vec![9; 20],
        certificate: world.auth.certificate().clone(),
    };
    let body = Body::from_value(status::executed(answer.body())).unwrap();
    assert_eq!(ServerAuthentication::read(&body), Ok(answer.clone()));

    let request = AuthenticateServerRequest {
        server: answer.server,
        root_key_id: answer.root_key_id,
        certificate: answer.certificate,
        params: params(),
    };
    let Ok(Command::AuthenticateServer(received)) = Command::from_bytes(&request.encode()) else {
        panic!("another command")
    };
    assert_eq!(*received, request);
    let auth_key = world.auth.certificate().public_key();
    assert!(received.server.verify(auth_key, None).is_ok());

    let response = AuthenticateServerResponse::Ok(Box::new(AuthenticatedEuicc {
        signed: Signed::sign(euicc_signed(), None, world.euicc.signer()).unwrap(),
        certificate: world.euicc.certificate().clone(),
        eum_certificate: world.eum.clone(),
    }));
    let body = es9::AuthenticateClient::body(&transaction_id(), &response.encode());
    let body = Body::from_value(body).unwrap();
    let read = es9::AuthenticateClient::read(&body).unwrap();
    assert_eq!(read.response, response);
}

#[test]
fn tokens_codes_and_device_numbers_are_not_shown() {
    let world = world();
    let signed = Signed::sign(euicc_signed(), None, world.euicc.signer()).unwrap();
    let request = AuthenticateServerRequest {
        server: Signed::sign(server_signed(), None, world.auth.signer()).unwrap(),
        root_key_id: vec![9; 20],
        certificate: world.auth.certificate().clone(),
        params: params(),
    };
    let body = Body::parse(br#"{"matchingId":"ABC-123","confirmationCode":"0815"}"#).unwrap();
    let event = es9::EventEntry {
        event_id: "ABC-123".into(),
        server_address: "smdp.example.com".into(),
    };
    let shown = format!("{signed:?}{request:?}{body:?}{event:?}");
    // The token as text and as octets, the code, the device's number.
    for secret in ["ABC-123", "65, 66, 67", "0815", "53, 41, 6, 17, 0"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn the_second_signatures_answer_the_first() {
    let world = world();
    let euicc_key = *world.euicc.certificate().public_key();
    let pb_key = *world.pb.certificate().public_key();
    let first = Signed::sign(euicc_signed(), None, world.euicc.signer()).unwrap();
    let smdp = SmdpSigned2 {
        transaction_id: transaction_id(),
        confirmation_code_required: true,
        bound_key: None,
    };
    let second = Signed::sign(smdp, Some(first.signature()), world.pb.signer()).unwrap();
    assert!(second.verify(&pb_key, Some(first.signature())).is_ok());
    assert!(second.verify(&pb_key, None).is_err());
    assert!(second.verify(&pb_key, Some(&[0; 64])).is_err());
    let hashed = hash_for_session(&hash_confirmation_code("1234"), &transaction_id());
    let euicc = EuiccSigned2 {
        transaction_id: transaction_id(),
        one_time_key: *euicc_key.point(),
        hashed_code: Some(hashed),
    };
    let third = Signed::sign(euicc, Some(second.signature()), world.euicc.signer()).unwrap();
    let response = PrepareDownloadResponse::Ok(third);
    let PrepareDownloadResponse::Ok(read) =
        PrepareDownloadResponse::from_bytes(&response.encode()).unwrap()
    else {
        panic!("an error")
    };
    assert!(read.verify(&euicc_key, Some(second.signature())).is_ok());
    assert!(read.verify(&euicc_key, Some(first.signature())).is_err());
}

/// SHA-256(SHA-256("1234") || 00), computed with another implementation.
#[test]
fn a_confirmation_code_is_hashed_twice() {
    assert_eq!(
        hex(&hash_confirmation_code("1234")),
        "03AC674216F3E15C761EE1A5E255F067953623C8B388B4459E13F978D7C846F4"
    );
    let id = TransactionId::from_octets(&[0]).unwrap();
    assert_eq!(
        hex(&hash_for_session(&hash_confirmation_code("1234"), &id)),
        CONFIRMATION_HASH
    );
}
const CONFIRMATION_HASH: &str = "8C350551685D822C764FC5FA7BD8AF42A9250D52AFD1F514382FD4662967B382";

fn notification() -> NotificationMetadata {
    NotificationMetadata {
        sequence_number: 300,
        event: Event::Install,
        address: "smdp.example.com".into(),
        iccid: Some("8986012345678901239".parse().unwrap()),
    }
}

#[test]
fn notifications_read_back_and_verify_over_what_was_sent() {
    let world = world();
    let result = InstallationResult {
        transaction_id: transaction_id(),
        notification: notification(),
        smdp_oid: Some("2.999.10".parse().unwrap()),
        result: FinalResult::Error {
            command: BppCommand::LoadProfileElements,
            reason: ErrorReason::PeProcessingError,
            response: Some(vec![0x30, 0]),
        },
    };
    let signed = Signed::sign(result, None, world.euicc.signer()).unwrap();
    let pending = PendingNotification::Installation(Box::new(signed));
    let body = Body::from_value(es9::notification_body(&pending.encode())).unwrap();
    assert_eq!(es9::read_notification(&body), Ok(pending));

    let other = PendingNotification::Other(Box::new(OtherNotification {
        signed: Signed::sign(notification(), None, world.euicc.signer()).unwrap(),
        certificate: world.euicc.certificate().clone(),
        eum_certificate: world.eum.clone(),
    }));
    assert_eq!(PendingNotification::from_bytes(&other.encode()), Ok(other));

    // A chip that writes a longer length than needed signed exactly those octets.
    let short = notification().encode();
    let tlv = Tlv::parse(&short).unwrap();
    let length = u8::try_from(tlv.value().len()).unwrap();
    let long = [&[0xBF, 0x2F, 0x81, length][..], tlv.value()].concat();
    let signature = Writer::object(SIGNATURE, &world.euicc.signer().sign(&long).unwrap());
    let received = Signed::<NotificationMetadata>::receive(
        &Tlv::parse(&long).unwrap(),
        &Tlv::parse(&signature).unwrap(),
    )
    .unwrap();
    let key = world.euicc.certificate().public_key();
    assert_eq!(received.verify(key, None), Ok(&notification()));
}

#[test]
fn what_is_missing_in_a_body_is_named() {
    let read = |text: &str| {
        Body::parse(text.as_bytes()).and_then(|body| es9::InitiateAuthentication::read(&body))
    };
    assert_eq!(read("[]"), Err(BodyError::NotAnObject));
    assert_eq!(read("{}"), Err(BodyError::Missing("euiccChallenge")));
    assert_eq!(
        read(r#"{"euiccChallenge":"AAAA"}"#),
        Err(BodyError::Invalid("euiccChallenge"))
    );
    let challenge = super::json::encode(&[0; 16]);
    assert_eq!(
        read(&format!(
            r#"{{"euiccChallenge":"{challenge}","euiccInfo1":"vyAA"}}"#
        ))
        .unwrap_err()
        .to_string(),
        "euiccInfo1: EUICCInfo1: svn is missing"
    );
    let info = EuiccInfo1::default().encode();
    let whole = format!(
        r#"{{"euiccChallenge":"{}","euiccInfo1":"{}","smdpAddress":"a.b","lpaRspCapability":"x"}}"#,
        challenge.trim_end_matches('='),
        super::json::encode(&info)
    );
    assert_eq!(read(&whole).unwrap().address, "a.b");
}

#[test]
fn orders_read_back() {
    let header = es2::RequestHeader {
        requester: "1.2.3".into(),
        call: "42".into(),
    };
    let iccid: crate::identity::Iccid = "8986012345678901239".parse().unwrap();
    let confirm = es2::ConfirmOrder {
        iccid,
        eid: None,
        matching_id: Some("ABC-1".into()),
        confirmation_code: Some("0815".into()),
        smds_address: None,
        release: true,
    };
    assert!(!format!("{confirm:?}").contains("0815"));
    let body = Body::from_value(confirm.body(&header)).unwrap();
    assert_eq!(es2::RequestHeader::read(&body), Ok(header.clone()));
    assert_eq!(es2::ConfirmOrder::read(&body), Ok(confirm));
    let cancel = es2::CancelOrder {
        iccid,
        eid: Some("89049032123451234512345678901235".parse().unwrap()),
        matching_id: None,
        final_status: es2::FinalStatus::Unavailable,
    };
    let body = Body::from_value(cancel.body(&header)).unwrap();
    assert_eq!(es2::CancelOrder::read(&body), Ok(cancel));
    let empty = Body::parse(br#"{"header":{"functionRequesterIdentifier":"a"}}"#).unwrap();
    assert_eq!(
        es2::DownloadOrder::read(&empty),
        Err(BodyError::Missing("iccid"))
    );
    assert_eq!(
        es2::RequestHeader::read(&empty),
        Err(BodyError::Missing("functionCallIdentifier"))
    );
    let event = es12::RegisterEvent {
        eid: "89049032123451234512345678901235".parse().unwrap(),
        server_address: "smdp.example.com".into(),
        event_id: "E-1".into(),
        forward: false,
    };
    let body = Body::from_value(event.body(&header)).unwrap();
    assert_eq!(es12::RegisterEvent::read(&body), Ok(event));
}

/// Appends fields to the structure that is the value of an object.
fn with_more(object: &[u8], more: &[&[u8]]) -> Vec<u8> {
    let tlv = Tlv::parse(object).unwrap();
    Writer::object(tlv.tag(), &[tlv.value(), &more.concat()].concat())
}

/// Chains with certificates between root and server, stapled revocation lists and the lists of keys of v3 come
/// beside what v2 knows: all is read, the rest is ignored.
#[test]
fn fields_of_v3_are_tolerated() {
    let world = world();
    let chain = Writer::object(group(1), world.eum.der());
    let staple = Writer::object(group(2), &[0x30, 0x00]);
    let request = authentication::AuthenticateServerRequest {
        server: Signed::sign(server_signed(), None, world.auth.signer()).unwrap(),
        root_key_id: vec![1; 20],
        certificate: world.auth.certificate().clone(),
        params: params(),
    };
    let newer = with_more(&request.encode(), &[&chain, &staple]);
    assert_eq!(
        authentication::AuthenticateServerRequest::from_bytes(&newer),
        Ok(request)
    );
    let mut info = EuiccInfo1 {
        svn: Version([3, 1, 0]),
        roots: info2().roots,
    };
    info.roots.signing_v3 = vec![vec![3; 20]];
    let highest = Writer::object(context(19), &[3, 1, 0]);
    let newer = with_more(&info.encode(), &[&highest]);
    assert_eq!(EuiccInfo1::from_bytes(&newer), Ok(info));
    let newer = with_more(
        &info2().encode(),
        &[&Writer::object(context(31), &[0x06, 0xC0])],
    );
    assert_eq!(EuiccInfo2::from_bytes(&newer), Ok(info2()));
    let newer = with_more(
        &server_signed().encode(),
        &[&Writer::object(context(5), &[1])],
    );
    assert_eq!(ServerSigned1::from_bytes(&newer), Ok(server_signed()));
    let mut body = InitiateAuthentication {
        challenge: [1; 16],
        info: EuiccInfo1 {
            svn: Version([3, 1, 0]),
            roots: info2().roots,
        },
        address: "smdp.example.com".into(),
    }
    .body();
    body["lpaRspCapability"] = "BQA=".into();
    assert!(InitiateAuthentication::read(&Body::from_value(body).unwrap()).is_ok());
}

fn smdp_signed() -> SmdpSigned2 {
    SmdpSigned2 {
        transaction_id: transaction_id(),
        confirmation_code_required: true,
        bound_key: None,
    }
}

fn euicc_signed2() -> EuiccSigned2 {
    EuiccSigned2 {
        transaction_id: transaction_id(),
        one_time_key: [4; 65],
        hashed_code: Some([5; 32]),
    }
}

fn installation() -> InstallationResult {
    InstallationResult {
        transaction_id: transaction_id(),
        notification: NotificationMetadata {
            sequence_number: 7,
            event: Event::Install,
            address: "smdp.example.com".into(),
            iccid: Some("8986012345678901234".parse().unwrap()),
        },
        smdp_oid: Some("2.999.10".parse().unwrap()),
        result: FinalResult::Success {
            aid: vec![0xA0; 16],
            response: vec![0x30, 0x00],
        },
    }
}

/// Whether a signed structure is believed after one of its bits was bent on the way.
fn bent<T: Wire>(
    says: T,
    after: Option<&Signature>,
    signer: &Credential,
    at: prop::sample::Index,
    bit: u8,
) -> bool {
    let signed = Signed::sign(says, after, signer.signer()).unwrap();
    let key = *signer.certificate().public_key();
    assert!(signed.verify(&key, after).is_ok());
    let mut octets = [signed.octets(), &signed.signature_object()].concat();
    let at = at.index(octets.len());
    octets[at] ^= 1 << bit;
    let Ok(parts) = crate::tlv::Reader::new(&octets).all() else {
        return false;
    };
    let [structure, signature] = &parts[..] else {
        return false;
    };
    Signed::<T>::receive(structure, signature).is_ok_and(|read| read.verify(&key, after).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_bent_bit_of_a_signed_answer_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let world = world();
        let key = *world.euicc.certificate().public_key();
        let cancel = CancelSigned {
            transaction_id: transaction_id(),
            smdp_oid: "2.999.10".parse().unwrap(),
            reason: CancelReason::Postponed,
        };
        let signed = Signed::sign(cancel, None, world.euicc.signer()).unwrap();
        let mut bytes = CancelSessionResponse::Ok(signed).encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let accepted = match CancelSessionResponse::from_bytes(&bytes) {
            Ok(CancelSessionResponse::Ok(read)) => read.verify(&key, None).is_ok(),
            Ok(CancelSessionResponse::Error(_)) | Err(_) => false,
        };
        prop_assert!(!accepted);
    }

    /// Every structure that a chip or a server signs, with the signature it answers where there is one.
    #[test]
    fn any_bent_bit_of_a_signed_structure_is_refused(
        kind in 0usize..6,
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let world = world();
        let before = [7u8; 64];
        let believed = match kind {
            0 => bent(server_signed(), None, &world.auth, at, bit),
            1 => bent(euicc_signed(), None, &world.euicc, at, bit),
            2 => bent(smdp_signed(), Some(&before), &world.pb, at, bit),
            3 => bent(euicc_signed2(), Some(&before), &world.euicc, at, bit),
            4 => bent(installation(), None, &world.euicc, at, bit),
            _ => bent(installation().notification, None, &world.euicc, at, bit),
        };
        prop_assert!(!believed);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for tag in [0xBF38u32, 0xBF21, 0xBF41, 0xBF22, 0xBF20, 0xBF25, 0xBF37, 0x30, 0xBF2D, 0xBF31] {
            let framed = Writer::object(Tag::new(tag), &bytes);
            let _ = Command::from_bytes(&framed);
            let _ = AuthenticateServerResponse::from_bytes(&framed);
            let _ = PrepareDownloadResponse::from_bytes(&framed);
            let _ = CancelSessionResponse::from_bytes(&framed);
            let _ = PendingNotification::from_bytes(&framed);
            let _ = ProfileMetadata::from_bytes(&framed);
            let _ = EuiccInfo2::from_bytes(&framed);
        }
        let _ = Body::parse(&bytes);
    }
}
