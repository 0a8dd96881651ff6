//! Every subject and reason code that a phone can be told, each in a test with its name.

use simurgh_rsp::certificate::{Certificate, Role};
use simurgh_rsp::message::TransactionId;
use simurgh_rsp::message::es9::{AuthenticateClient, CancelSession, GetBoundProfilePackage, path};
use simurgh_rsp::message::info::{EuiccInfo2, Version};
use simurgh_rsp::message::status::Status;
use simurgh_rsp::pki::{Name, Request, TestPki};
use simurgh_rsp::tlv::NamedBits;
use simurgh_vocab::Duration;

use super::place::{Kind, each_store};
use super::raw::{Raw, long_ago};
use super::world::{Counting, Operator, eid, iccid, names};
use simurgh_rsp::key::Curve;
use simurgh_subscriber::{ProfilePolicy, ProfileState};

/// An operator with an order for anybody, and a chip that asks for it.
fn ready(kind: Kind) -> (Operator, Raw) {
    let mut operator = Operator::over(kind);
    let token = operator.order(iccid(0), None);
    let mut raw = Raw::new(&mut operator, 1);
    raw.matching_id = Some(token);
    (operator, raw)
}

fn is(status: Status, subject: &str, reason: &str) {
    assert_eq!((status.subject(), status.reason()), (subject, reason));
}

fn not_begun(operator: &Operator, raw: &Raw) -> Status {
    raw.initiate(operator).err().unwrap()
}

#[test]
fn pair_8_8_1_3_8_another_address_and_ours_in_any_case() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    raw.address = "other.example.com".into();
    is(not_begun(&operator, &raw), "8.8.1", "3.8");
    raw.address = "SMDP.Example.COM".into();
    assert!(raw.fetch(&operator).is_ok());
}

#[test]
fn pair_8_8_2_3_1_no_common_root() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    raw.info.roots.signing = vec![vec![1; 20]];
    is(not_begun(&operator, &raw), "8.8.2", "3.1");
}

#[test]
fn pair_8_8_3_3_1_another_version() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    raw.info.svn = Version([1, 9, 0]);
    is(not_begun(&operator, &raw), "8.8.3", "3.1");
    raw.info.svn = Version([2, 0, 0]);
    assert!(raw.initiate(&operator).is_ok());
}

#[test]
fn pair_8_8_4_3_7_no_certificate_that_the_chip_can_verify() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    raw.info.roots.verification = vec![vec![1; 20]];
    is(not_begun(&operator, &raw), "8.8.4", "3.7");
}

/// A certificate with one octet changed: the last, which lies in its signature.
fn bent(certificate: &Certificate) -> Certificate {
    let mut der = certificate.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    Certificate::parse(&der).unwrap()
}

/// The answer to a chip's response in which `what` was made unreadable.
fn with_damaged(operator: &Operator, raw: &Raw, what: &Certificate) -> Status {
    let begun = raw.initiate(operator).unwrap();
    let mut response = raw.response(&begun);
    let der = what.der();
    let at = response
        .windows(der.len())
        .position(|part| part == der)
        .unwrap();
    // The algorithm of the signature becomes one that nobody knows.
    let oid = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
    let inside = der.windows(8).rposition(|part| part == oid).unwrap();
    response[at + inside + 7] = 0x03;
    let body = AuthenticateClient::body(&begun.transaction, &response);
    operator.said(path::AUTHENTICATE_CLIENT, &body).unwrap_err()
}

#[test]
fn pair_8_1_2_6_1_a_manufacturer_who_is_not_certified() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    is(
        with_damaged(&operator, &raw, &raw.eum.clone()),
        "8.1.2",
        "6.1",
    );
    raw.eum = bent(&raw.eum);
    is(raw.refused(&operator), "8.1.2", "6.1");
    // A certificate of the root for another role.
    raw.eum = operator
        .pki
        .server(Role::DpAuth)
        .unwrap()
        .certificate()
        .clone();
    is(raw.refused(&operator), "8.1.2", "6.1");
}

#[test]
fn pair_8_1_2_6_3_a_manufacturer_whose_certificate_has_expired() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    let name = Name {
        organisation: raw.eum.organisation().map(str::to_owned),
        common_name: "EUM".into(),
        ..Name::default()
    };
    let mut request = Request::new(Role::Eum, name, 77, long_ago());
    request.not_after = long_ago().plus(Duration::days(1));
    request.names = raw.eum.constraints().names.clone();
    let key = operator.pki.eum().public_key();
    raw.eum = operator.pki.root_issuer().issue(&request, key).unwrap();
    is(raw.refused(&operator), "8.1.2", "6.3");
}

#[test]
fn pair_8_1_3_6_1_a_chip_that_is_not_certified() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    let genuine = raw.certificate.clone();
    is(with_damaged(&operator, &raw, &genuine), "8.1.3", "6.1");
    raw.certificate = bent(&genuine);
    is(raw.refused(&operator), "8.1.3", "6.1");
    // Outside of what its manufacturer may certify, and in another role.
    let foreign = "89044045930000000000000000000000".parse();
    if let Ok(foreign) = foreign {
        raw.recertify(&operator, foreign, |_| {});
        is(raw.refused(&operator), "8.1.3", "6.1");
    }
    raw.recertify(&operator, eid(1), |request| request.role = Role::DpAuth);
    is(raw.refused(&operator), "8.1.3", "6.1");
}

#[test]
fn pair_8_1_3_6_3_a_chip_whose_certificate_has_expired() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    raw.recertify(&operator, eid(1), |request| {
        request.not_after = long_ago().plus(Duration::days(1));
    });
    is(raw.refused(&operator), "8.1.3", "6.3");
}

#[test]
fn pair_8_1_6_1_a_signature_or_challenge_that_is_not_right() {
    let (mut operator, raw) = ready(Kind::Sqlite);
    let mut thief = Raw::new(&mut operator, 2);
    thief.matching_id = raw.matching_id.clone();
    thief.certificate = raw.certificate.clone();
    is(thief.refused(&operator), "8.1", "6.1");
    // The answer to another challenge.
    let (one, two) = (
        raw.initiate(&operator).unwrap(),
        raw.initiate(&operator).unwrap(),
    );
    let body = AuthenticateClient::body(&two.transaction, &raw.response(&one));
    is(
        operator.said(path::AUTHENTICATE_CLIENT, &body).unwrap_err(),
        "8.1",
        "6.1",
    );
    // A package for the key of another chip.
    let (begun, offer) = raw.authenticate(&operator).unwrap();
    let stolen = Raw {
        credential: thief.credential,
        ..raw
    };
    let response = stolen.preparation(&begun, offer);
    let body = GetBoundProfilePackage::body(&begun.transaction, &response);
    is(
        operator
            .said(path::BOUND_PROFILE_PACKAGE, &body)
            .unwrap_err(),
        "8.1",
        "6.1",
    );
    is(
        stolen.cancel(&operator, &begun, "2.999.10").unwrap_err(),
        "8.1",
        "6.1",
    );
}

#[test]
fn pair_8_11_1_3_9_a_root_that_is_not_trusted() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    let mut random = Counting(4_711);
    let mut fill = |octets: &mut [u8]| random.fill(octets);
    let mut foreign = TestPki::generate(Curve::P256, &names(), long_ago(), &mut fill).unwrap();
    let chip = foreign.euicc(&eid(1), &mut fill).unwrap();
    raw.certificate = chip.certificate().clone();
    raw.credential = chip;
    raw.eum = foreign.eum().clone();
    is(raw.refused(&operator), "8.11.1", "3.9");
}

#[test]
fn pair_8_2_6_3_8_a_code_that_is_unknown_or_used() {
    each_store(|kind| {
        let (operator, mut raw) = ready(kind);
        let genuine = raw.matching_id.replace("NEVER-MADE".into());
        is(raw.refused(&operator), "8.2.6", "3.8");
        raw.matching_id = None;
        is(raw.refused(&operator), "8.2.6", "3.8");
        raw.matching_id = genuine;
        operator.change(iccid(0), |profile| profile.state = ProfileState::Installed);
        is(raw.refused(&operator), "8.2.6", "3.8");
    });
}

#[test]
fn pair_8_1_1_3_8_another_chip() {
    each_store(|kind| {
        let (mut operator, raw) = ready(kind);
        raw.authenticate(&operator).unwrap();
        let mut other = Raw::new(&mut operator, 2);
        other.matching_id = raw.matching_id.clone();
        is(other.refused(&operator), "8.1.1", "3.8");
    });
}

#[test]
fn pair_8_2_1_2_a_profile_that_is_not_released() {
    each_store(|kind| {
        let (operator, raw) = ready(kind);
        operator.change(iccid(0), |profile| profile.state = ProfileState::Confirmed);
        is(raw.refused(&operator), "8.2", "1.2");
    });
}

#[test]
fn pair_8_2_5_4_3_a_chip_that_no_package_fits() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    raw.info.profile_version = Version([1, 0, 0]);
    is(raw.refused(&operator), "8.2.5", "4.3");
    raw.info.profile_version = Version([2, 1, 0]);
    assert!(raw.fetch(&operator).is_ok());
    // A rule of the profile that the chip forbids.
    operator.change(iccid(0), |profile| profile.rules = 1 << 1);
    raw.info.forbidden_rules = Some(NamedBits::of(&[1]));
    is(raw.refused(&operator), "8.2.5", "4.3");
}

#[test]
fn pair_8_1_4_8_a_chip_without_memory() {
    let (operator, mut raw) = ready(Kind::Sqlite);
    raw.info.ext_card_resource = EuiccInfo2::card_resource(0, 100, 4_000);
    is(raw.refused(&operator), "8.1", "4.8");
}

#[test]
fn pair_8_8_5_4_1_an_order_that_expired() {
    each_store(|kind| {
        let (operator, raw) = ready(kind);
        operator.change(iccid(0), |profile| {
            profile.order.expires_at = Some(profile.made_at.plus(Duration::days(1)));
        });
        operator.wait(Duration::days(2));
        is(raw.refused(&operator), "8.8.5", "4.1");
    });
}

#[test]
fn pair_8_8_5_6_4_too_many_downloads() {
    each_store(|kind| {
        let (operator, raw) = ready(kind);
        for _ in 0..ProfilePolicy::default().downloads {
            raw.fetch(&operator).unwrap();
        }
        is(raw.refused(&operator), "8.8.5", "6.4");
    });
}

fn with_code(kind: Kind) -> (Operator, Raw) {
    let mut operator = Operator::over(kind);
    let token = operator.order(iccid(0), Some("0815"));
    let mut raw = Raw::new(&mut operator, 1);
    raw.matching_id = Some(token);
    (operator, raw)
}

#[test]
fn pair_8_2_7_2_2_no_confirmation_code() {
    each_store(|kind| {
        let (operator, raw) = with_code(kind);
        is(raw.fetch(&operator).unwrap_err(), "8.2.7", "2.2");
        assert_eq!(operator.profile(iccid(0)).order.code_failures, 0);
    });
}

#[test]
fn pair_8_2_7_3_8_a_wrong_confirmation_code_and_then_the_right_one() {
    each_store(|kind| {
        let (operator, mut raw) = with_code(kind);
        raw.code = Some("4711");
        is(raw.fetch(&operator).unwrap_err(), "8.2.7", "3.8");
        raw.code = Some("0815");
        assert!(raw.fetch(&operator).is_ok());
    });
}

#[test]
fn pair_8_2_7_6_4_a_wrong_confirmation_code_once_too_often() {
    each_store(|kind| {
        let (operator, mut raw) = with_code(kind);
        raw.code = Some("4711");
        for _ in 1..ProfilePolicy::default().code_tries {
            is(raw.fetch(&operator).unwrap_err(), "8.2.7", "3.8");
        }
        is(raw.fetch(&operator).unwrap_err(), "8.2.7", "6.4");
        raw.code = Some("0815");
        is(raw.fetch(&operator).unwrap_err(), "8.2.7", "6.4");
    });
}

#[test]
fn pair_8_2_3_7_a_profile_that_was_withdrawn_after_the_offer() {
    each_store(|kind| {
        let (operator, raw) = ready(kind);
        let (begun, offer) = raw.authenticate(&operator).unwrap();
        operator.change(iccid(0), |profile| {
            profile.state = ProfileState::Unavailable
        });
        let response = raw.preparation(&begun, offer);
        let body = GetBoundProfilePackage::body(&begun.transaction, &response);
        is(
            operator
                .said(path::BOUND_PROFILE_PACKAGE, &body)
                .unwrap_err(),
            "8.2",
            "3.7",
        );
    });
}

#[test]
fn pair_8_10_1_3_9_a_session_that_is_unknown_over_or_at_another_step() {
    each_store(|kind| {
        let (operator, raw) = ready(kind);
        let begun = raw.initiate(&operator).unwrap();
        let body = AuthenticateClient::body(&begun.transaction, &raw.response(&begun));
        // Nobody was authenticated: a cancelled session is answered cleanly.
        is(
            raw.cancel(&operator, &begun, "2.999.10").unwrap_err(),
            "8.10.1",
            "3.9",
        );
        assert!(operator.said(path::AUTHENTICATE_CLIENT, &body).is_ok());
        // The same once more: a challenge is answered once.
        is(
            operator.said(path::AUTHENTICATE_CLIENT, &body).unwrap_err(),
            "8.10.1",
            "3.9",
        );
        raw.cancel(&operator, &begun, "2.999.10").unwrap();
        is(
            raw.cancel(&operator, &begun, "2.999.10").unwrap_err(),
            "8.10.1",
            "3.9",
        );
        let late = raw.initiate(&operator).unwrap();
        let body = AuthenticateClient::body(&late.transaction, &raw.response(&late));
        operator.wait(Duration::days(1));
        is(
            operator.said(path::AUTHENTICATE_CLIENT, &body).unwrap_err(),
            "8.10.1",
            "3.9",
        );
        for octets in [&[9; 16][..], &[1]] {
            let other = TransactionId::from_octets(octets).unwrap();
            let body = CancelSession::body(&other, &raw.cancellation(&late, "2.999.10"));
            is(
                operator.said(path::CANCEL_SESSION, &body).unwrap_err(),
                "8.10.1",
                "3.9",
            );
        }
    });
}

#[test]
fn pair_8_8_3_10_another_server_in_a_cancellation() {
    let (operator, raw) = ready(Kind::Sqlite);
    let (begun, _) = raw.authenticate(&operator).unwrap();
    is(
        raw.cancel(&operator, &begun, "2.999.11").unwrap_err(),
        "8.8",
        "3.10",
    );
    assert!(raw.cancel(&operator, &begun, "2.999.10").is_ok());
}

#[test]
fn a_chip_that_was_refused_cancels_its_session_cleanly() {
    each_store(|kind| {
        let (operator, mut raw) = ready(kind);
        raw.matching_id = Some("NEVER-MADE".into());
        let begun = raw.initiate(&operator).unwrap();
        let body = AuthenticateClient::body(&begun.transaction, &raw.response(&begun));
        is(
            operator.said(path::AUTHENTICATE_CLIENT, &body).unwrap_err(),
            "8.2.6",
            "3.8",
        );
        assert!(raw.cancel(&operator, &begun, "2.999.10").is_ok());
    });
}

#[test]
fn pair_1_3_1_2_2_a_missing_field_is_named_and_an_unknown_one_ignored() {
    let (operator, raw) = ready(Kind::Sqlite);
    let mut body = raw.initiation();
    body["somethingOfLater"] = serde_json::json!({"a": [1]});
    assert!(operator.said(path::INITIATE_AUTHENTICATION, &body).is_ok());
    body.as_object_mut().unwrap().remove("euiccInfo1");
    let (_, answer) = operator.post(path::INITIATE_AUTHENTICATION, body.to_string().into_bytes());
    let text = answer.pointer("/header/functionExecutionStatus/statusCodeData/message");
    assert!(
        text.unwrap()
            .as_str()
            .unwrap()
            .contains("euiccInfo1 is missing")
    );
    is(super::world::read(answer).unwrap_err(), "1.3.1", "2.2");
}

#[test]
fn pair_1_3_1_2_1_a_body_that_is_none() {
    let (operator, _) = ready(Kind::Sqlite);
    for body in [&b"[]"[..], b"", b"{\"transactionId\":7}"] {
        for path in [
            path::INITIATE_AUTHENTICATION,
            path::AUTHENTICATE_CLIENT,
            path::BOUND_PROFILE_PACKAGE,
            path::CANCEL_SESSION,
        ] {
            let (_, answer) = operator.post(path, body.to_vec());
            let status = super::world::read(answer).unwrap_err();
            assert_eq!(status.subject(), "1.3.1", "{path}");
        }
    }
    let huge = vec![b' '; simurgh_smdp::REQUEST_OCTETS_MAX + 1];
    assert_eq!(operator.post(path::CANCEL_SESSION, huge).0, 413);
}

#[test]
fn pair_1_3_2_3_1_another_protocol() {
    let (operator, raw) = ready(Kind::Sqlite);
    let ask = |version| {
        let body = raw.initiation().to_string().into_bytes();
        let headers = [("x-admin-protocol", version)];
        super::world::read(
            operator
                .post_with(path::INITIATE_AUTHENTICATION, body, &headers)
                .1,
        )
    };
    is(ask("gsma/rsp/v1.1.0").unwrap_err(), "1.3.2", "3.1");
    is(ask("nonsense").unwrap_err(), "1.3.2", "3.1");
    assert!(ask("gsma/rsp/v2.2.2").is_ok() && ask("gsma/rsp/v3.1.0").is_ok());
}
