//! Bent bits in everything that a chip signs.

use proptest::prelude::*;
use simurgh_rsp::message::es9::{AuthenticateClient, CancelSession, GetBoundProfilePackage, path};
use simurgh_rsp::message::status::Status;

use super::raw::Raw;
use super::world::{Operator, iccid};

/// What bent bits may be called: a signature, a certificate, a session or a form that is not right.
const CALLED: [Status; 9] = [
    Status::EuiccVerificationFailed,
    Status::EumCertificateVerificationFailed,
    Status::EumCertificateExpired,
    Status::EuiccCertificateVerificationFailed,
    Status::EuiccCertificateExpired,
    Status::CiPublicKeyUnknown,
    Status::TransactionIdUnknown,
    Status::ProtocolFormatInvalid,
    Status::ProtocolFormatMissing,
];

fn bent(mut octets: Vec<u8>, at: prop::sample::Index, bit: u8) -> Vec<u8> {
    let at = at.index(octets.len());
    octets[at] ^= 1 << bit;
    octets
}

#[test]
fn bits_that_flip_in_signed_objects_are_refused() {
    let mut operator = Operator::new();
    let token = operator.order(iccid(0), None);
    let mut raw = Raw::new(&mut operator, 1);
    raw.matching_id = Some(token);
    let offered = raw.authenticate(&operator).unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let flips = (any::<prop::sample::Index>(), 0u8..8);
    runner
        .run(&flips, |(at, bit)| {
            let begun = raw.initiate(&operator).unwrap();
            let response = bent(raw.response(&begun), at, bit);
            let body = AuthenticateClient::body(&begun.transaction, &response);
            let said = operator.said(path::AUTHENTICATE_CLIENT, &body);
            prop_assert!(CALLED.contains(&said.unwrap_err()));
            let (begun, offer) = &offered;
            let response = bent(raw.preparation(begun, offer.clone()), at, bit);
            let body = GetBoundProfilePackage::body(&begun.transaction, &response);
            let said = operator.said(path::BOUND_PROFILE_PACKAGE, &body);
            prop_assert!(CALLED.contains(&said.unwrap_err()));
            let response = bent(raw.cancellation(begun, "2.999.10"), at, bit);
            let body = CancelSession::body(&begun.transaction, &response);
            let said = operator.said(path::CANCEL_SESSION, &body);
            prop_assert!(CALLED.contains(&said.unwrap_err()));
            Ok(())
        })
        .unwrap();
    // All of it cost nothing: the genuine one is still taken.
    assert_eq!(operator.profile(iccid(0)).order.downloads, 0);
    let (begun, offer) = offered;
    let response = raw.preparation(&begun, offer);
    let body = GetBoundProfilePackage::body(&begun.transaction, &response);
    assert!(operator.said(path::BOUND_PROFILE_PACKAGE, &body).is_ok());
}
