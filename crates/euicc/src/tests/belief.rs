//! What a chip does not believe: bent bits, foreign and wrong certificates, other sessions.

use super::breaks::{challenge_for, offer_for};
use super::isdr::Raw;
use super::*;
use proptest::prelude::*;
use simurgh_rsp::certificate::Certificate;
use simurgh_rsp::key::Signer;
use simurgh_rsp::message::authentication::AuthenticateServerRequest;
use simurgh_rsp::message::cancel::{CancelError, CancelSessionRequest};
use simurgh_rsp::message::download::PrepareDownloadRequest;
use simurgh_rsp::message::es10::Command;
use simurgh_rsp::pki::{Issuer, Name, Request};

fn world() -> (TestPki, Euicc, Smdp) {
    let mut pki = pki(Curve::P256);
    let (chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    (pki, chip, server)
}

/// The error of an answer; `None` when the chip believes.
fn authenticate(
    raw: &mut Raw<'_>,
    request: AuthenticateServerRequest,
) -> Option<AuthenticateError> {
    let answer = raw.ask(&Command::AuthenticateServer(Box::new(request)));
    match AuthenticateServerResponse::from_bytes(&answer).unwrap() {
        AuthenticateServerResponse::Ok(_) => None,
        AuthenticateServerResponse::Error { error, .. } => Some(error),
    }
}

fn prepare(raw: &mut Raw<'_>, request: PrepareDownloadRequest) -> Option<DownloadError> {
    let answer = raw.ask(&Command::PrepareDownload(Box::new(request)));
    match PrepareDownloadResponse::from_bytes(&answer).unwrap() {
        PrepareDownloadResponse::Ok(_) => None,
        PrepareDownloadResponse::Error { error, .. } => Some(error),
    }
}

fn request_for(offer: ProfileOffer) -> PrepareDownloadRequest {
    PrepareDownloadRequest {
        smdp: offer.smdp,
        hashed_code: None,
        certificate: offer.certificate,
    }
}

/// A server's certificate that differs in one thing from a good one.
fn certificate(issuer: &Issuer<'_>, role: Role, oid: Option<&str>) -> (Certificate, PrivateKey) {
    certificate_on(Curve::P256, issuer, role, oid)
}

/// The same with a key on this curve.
fn certificate_on(
    curve: Curve,
    issuer: &Issuer<'_>,
    role: Role,
    oid: Option<&str>,
) -> (Certificate, PrivateKey) {
    let key = PrivateKey::from_scalar(curve, &[0x21; 32]).unwrap();
    let name = Name {
        common_name: "another".into(),
        ..Name::default()
    };
    let mut request = Request::new(role, name, 4_711, NOW);
    request.registered_id = oid.map(|oid| oid.parse().unwrap());
    let certificate = issuer.issue(&request, &key.public_key()).unwrap();
    (certificate, key)
}

#[test]
fn every_reason_not_to_believe_a_server() {
    let (pki, mut chip, mut server) = world();
    let mut raw = Raw::open(&mut chip);
    let good = challenge_for(&mut raw, &mut server);
    assert_eq!(authenticate(&mut raw, good.clone()), None);
    // The same again: its challenge was used.
    assert_eq!(
        authenticate(&mut raw, good),
        Some(AuthenticateError::NoSessionContext)
    );

    let mut with = |change: &dyn Fn(&mut AuthenticateServerRequest)| {
        let mut request = challenge_for(&mut raw, &mut server);
        change(&mut request);
        authenticate(&mut raw, request)
    };
    let server_as = |role, oid: Option<&'static str>, issuer: Issuer<'_>| {
        let (certificate, key) = certificate(&issuer, role, oid);
        move |request: &mut AuthenticateServerRequest| {
            let says = request.server.unverified().clone();
            request.server = Signed::sign(says, None, &key).unwrap();
            request.certificate = certificate.clone();
        }
    };
    const OID: Option<&str> = Some("2.999.10");
    let foreign = self::pki(Curve::BrainpoolP256r1);
    let thief = PrivateKey::from_scalar(Curve::P256, &[0x66; 32]).unwrap();
    let forged = Issuer {
        certificate: Some(pki.root()),
        signer: &thief,
    };
    use AuthenticateError::{CiPkUnknown, InvalidCertificate, InvalidOid, InvalidSignature};
    assert_eq!(with(&server_as(Role::DpAuth, OID, pki.root_issuer())), None);
    for (change, expected) in [
        (server_as(Role::DpPb, OID, pki.root_issuer()), InvalidOid),
        (server_as(Role::DpTls, OID, pki.root_issuer()), InvalidOid),
        (
            server_as(Role::DpAuth, None, pki.root_issuer()),
            InvalidCertificate,
        ),
        (server_as(Role::DpAuth, OID, forged), InvalidCertificate),
        (
            server_as(Role::DpAuth, OID, foreign.root_issuer()),
            CiPkUnknown,
        ),
        (server_as(Role::DpAuth, OID, pki.eum_issuer()), CiPkUnknown),
    ] {
        assert_eq!(with(&change), Some(expected));
    }
    let signed_by_thief = |request: &mut AuthenticateServerRequest| {
        let says = request.server.unverified().clone();
        request.server = Signed::sign(says, None, &thief).unwrap();
    };
    assert_eq!(with(&signed_by_thief), Some(InvalidSignature));
    let auth = pki.server(Role::DpAuth).unwrap();
    let other_challenge = |request: &mut AuthenticateServerRequest| {
        let mut says = request.server.unverified().clone();
        says.euicc_challenge[3] ^= 1;
        request.server = Signed::sign(says, None, auth.signer()).unwrap();
    };
    assert_eq!(
        with(&other_challenge),
        Some(AuthenticateError::EuiccChallengeMismatch)
    );
    assert_eq!(
        with(&|request| request.root_key_id[0] ^= 1),
        Some(CiPkUnknown)
    );
}

#[test]
fn a_server_on_a_curve_that_the_chip_does_not_compute_is_not_believed() {
    let (pki, mut chip, mut server) = world();
    let mut raw = Raw::open(&mut chip);
    // Below the chip's own root.
    let issuer = pki.root_issuer();
    let curve = Curve::BrainpoolP256r1;
    let (strange, key) = certificate_on(curve, &issuer, Role::DpAuth, Some("2.999.10"));
    let mut request = challenge_for(&mut raw, &mut server);
    let says = request.server.unverified().clone();
    request.server = Signed::sign(says, None, &key).unwrap();
    request.certificate = strange;
    let expected = Some(AuthenticateError::UnsupportedCurve);
    assert_eq!(authenticate(&mut raw, request), expected);
}

#[test]
fn every_reason_not_to_accept_an_offer() {
    let (pki, mut chip, mut server) = world();
    let mut raw = Raw::open(&mut chip);
    let early = {
        let offer = offer_for(&mut raw, &mut server);
        raw.select();
        request_for(offer)
    };
    use DownloadError::{InvalidCertificate, InvalidSignature, InvalidTransactionId};
    assert_eq!(
        prepare(&mut raw, early.clone()),
        Some(DownloadError::NoSessionContext)
    );
    let root = pki.root_issuer();
    for (role, oid, expected) in [
        (Role::DpAuth, "2.999.10", InvalidCertificate),
        (Role::DsAuth, "2.999.10", InvalidCertificate),
        // Another SM-DP+ than the one that authenticated itself.
        (Role::DpPb, "2.999.11", InvalidCertificate),
        // The key is another one than signed.
        (Role::DpPb, "2.999.10", InvalidSignature),
    ] {
        let mut request = request_for(offer_for(&mut raw, &mut server));
        request.certificate = certificate(&root, role, Some(oid)).0;
        assert_eq!(prepare(&mut raw, request), Some(expected));
    }
    let mut request = request_for(offer_for(&mut raw, &mut server));
    let oid = Some("2.999.10");
    request.certificate = certificate_on(Curve::BrainpoolP256r1, &root, Role::DpPb, oid).0;
    assert_eq!(
        prepare(&mut raw, request),
        Some(DownloadError::UnsupportedCurve)
    );
    let binder = pki.server(Role::DpPb).unwrap();
    let again = |raw: &mut Raw<'_>, server: &mut Smdp, change: &dyn Fn(&mut SmdpSigned2)| {
        let request = challenge_for(raw, server);
        let answer = raw.ask(&Command::AuthenticateServer(Box::new(request)));
        let AuthenticateServerResponse::Ok(euicc) =
            AuthenticateServerResponse::from_bytes(&answer).unwrap()
        else {
            panic!("not believed")
        };
        let mut says = SmdpSigned2 {
            transaction_id: euicc.signed.unverified().transaction_id,
            confirmation_code_required: false,
            bound_key: None,
        };
        change(&mut says);
        let after = Some(euicc.signed.signature());
        PrepareDownloadRequest {
            smdp: Signed::sign(says, after, binder.signer()).unwrap(),
            hashed_code: None,
            certificate: binder.certificate().clone(),
        }
    };
    let request = again(&mut raw, &mut server, &|_| {});
    assert_eq!(prepare(&mut raw, request), None);
    let request = again(&mut raw, &mut server, &|says| {
        says.transaction_id = TransactionId::from_octets(&[9; 16]).unwrap();
    });
    assert_eq!(prepare(&mut raw, request), Some(InvalidTransactionId));
    // The offer of an earlier session answers another signature of the chip.
    let late = request_for(offer_for(&mut raw, &mut server));
    offer_for(&mut raw, &mut server);
    assert_eq!(prepare(&mut raw, late), Some(InvalidSignature));
}

#[test]
fn a_session_is_cancelled_once_by_its_own_number() {
    let (_, mut chip, mut server) = world();
    let mut raw = Raw::open(&mut chip);
    let offer = offer_for(&mut raw, &mut server);
    let mut cancel = |id: TransactionId| {
        let request = CancelSessionRequest {
            transaction_id: id,
            reason: CancelReason::EndUserRejection,
        };
        let answer = raw.ask(&Command::CancelSession(request));
        match CancelSessionResponse::from_bytes(&answer).unwrap() {
            CancelSessionResponse::Ok(signed) => Ok(signed.unverified().clone()),
            CancelSessionResponse::Error(error) => Err(error),
        }
    };
    let other = TransactionId::from_octets(&[9; 16]).unwrap();
    let id = offer.smdp.unverified().transaction_id;
    assert_eq!(cancel(other), Err(CancelError::InvalidTransactionId));
    let says = cancel(id).unwrap();
    assert_eq!(says.smdp_oid.to_string(), "2.999.10");
    assert_eq!(cancel(id), Err(CancelError::InvalidTransactionId));
}

/// Bends one bit of one of `parts` where they stand in `whole`.
fn bend(whole: &mut [u8], parts: &[&[u8]], at: prop::sample::Index, bit: u8) {
    let places: Vec<usize> = parts
        .iter()
        .flat_map(|part| {
            let start = whole.windows(part.len()).position(|one| one == *part);
            let start = start.unwrap();
            start..start + part.len()
        })
        .collect();
    whole[*at.get(&places)] ^= 1 << bit;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_bent_bit_of_a_server_is_believed(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let (_, mut chip, mut server) = world();
        let mut raw = Raw::open(&mut chip);
        let request = challenge_for(&mut raw, &mut server);
        let signed = [request.server.octets().to_vec(), request.server.signature_object()];
        let certificate = request.certificate.der().to_vec();
        let mut octets = Command::AuthenticateServer(Box::new(request)).encode();
        bend(&mut octets, &[&signed[0], &signed[1], &certificate], at, bit);
        let believed = raw.send(&octets).is_ok_and(|answer| {
            matches!(
                AuthenticateServerResponse::from_bytes(&answer),
                Ok(AuthenticateServerResponse::Ok(_))
            )
        });
        prop_assert!(!believed);
    }

    #[test]
    fn no_bent_bit_of_an_offer_is_accepted(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let (_, mut chip, mut server) = world();
        let mut raw = Raw::open(&mut chip);
        let request = request_for(offer_for(&mut raw, &mut server));
        let signed = [request.smdp.octets().to_vec(), request.smdp.signature_object()];
        let certificate = request.certificate.der().to_vec();
        let mut octets = Command::PrepareDownload(Box::new(request)).encode();
        bend(&mut octets, &[&signed[0], &signed[1], &certificate], at, bit);
        let accepted = raw.send(&octets).is_ok_and(|answer| {
            matches!(
                PrepareDownloadResponse::from_bytes(&answer),
                Ok(PrepareDownloadResponse::Ok(_))
            )
        });
        prop_assert!(!accepted);
    }

    #[test]
    fn no_bent_bit_of_a_package_is_installed(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let (_, mut chip, mut server) = world();
        let mut raw = Raw::open(&mut chip);
        let mut commands = super::breaks::package_for(&mut raw, &mut server);
        let sizes: Vec<usize> = commands.iter().map(Vec::len).collect();
        let mut place = at.index(sizes.iter().sum());
        let command = sizes.iter().position(|size| {
            let here = place < *size;
            place -= if here { 0 } else { *size };
            here
        });
        commands[command.unwrap()][place] ^= 1 << bit;
        for one in &commands {
            if raw.send(one) != Ok(Vec::new()) {
                break;
            }
        }
        prop_assert!(chip.profiles().is_empty());
    }
}
