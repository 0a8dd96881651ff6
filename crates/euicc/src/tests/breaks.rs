//! Transfers that break: what the chip says, what is left in it, and that the next try succeeds.

use super::isdr::Raw;
use super::*;
use simurgh_rsp::bpp::{BppCommand, bpp_commands};
use simurgh_rsp::message::authentication::AuthenticateServerRequest;
use simurgh_rsp::message::download::PrepareDownloadRequest;
use simurgh_rsp::message::es10::{self, Command};
use simurgh_rsp::message::info::{CtxParams1, EuiccInfo1};

fn value(answer: Result<serde_json::Value, Status>) -> Body {
    Body::from_value(answer.unwrap()).unwrap()
}

/// Goes as far as the package, and gives its commands.
pub(super) fn package_for(raw: &mut Raw<'_>, server: &mut Smdp) -> Vec<Vec<u8>> {
    let offer = offer_for(raw, server);
    let request = PrepareDownloadRequest {
        smdp: offer.smdp.clone(),
        hashed_code: None,
        certificate: offer.certificate,
    };
    let answer = raw.ask(&Command::PrepareDownload(Box::new(request)));
    let id = offer.smdp.unverified().transaction_id;
    let body = Body::from_value(GetBoundProfilePackage::body(&id, &answer)).unwrap();
    bpp_commands(&es9::read_package(&value(server.package(&body))).unwrap()).unwrap()
}

/// Goes as far as the offer.
pub(super) fn offer_for(raw: &mut Raw<'_>, server: &mut Smdp) -> ProfileOffer {
    let request = challenge_for(raw, server);
    let answer = raw.ask(&Command::AuthenticateServer(Box::new(request.clone())));
    let id = request.server.unverified().transaction_id;
    let body = Body::from_value(AuthenticateClient::body(&id, &answer)).unwrap();
    ProfileOffer::read(&value(server.authenticate(&body))).unwrap()
}

/// Goes as far as the server's first answer.
pub(super) fn challenge_for(raw: &mut Raw<'_>, server: &mut Smdp) -> AuthenticateServerRequest {
    let request = InitiateAuthentication {
        challenge: es10::read_challenge(&raw.ask(&Command::GetChallenge)).unwrap(),
        info: EuiccInfo1::from_bytes(&raw.ask(&Command::GetInfo1)).unwrap(),
        address: server.address.into(),
    };
    let body = Body::from_value(request.body()).unwrap();
    let answer = ServerAuthentication::read(&value(server.initiate(&body))).unwrap();
    AuthenticateServerRequest {
        server: answer.server,
        root_key_id: answer.root_key_id,
        certificate: answer.certificate,
        params: CtxParams1 {
            matching_id: Some(TOKEN.into()),
            device: DeviceInfo::default(),
        },
    }
}

/// The failure a chip told of.
pub(super) fn failure(answer: &[u8]) -> (BppCommand, ErrorReason) {
    match PendingNotification::from_bytes(answer).unwrap() {
        PendingNotification::Installation(signed) => match signed.unverified().result {
            FinalResult::Error {
                command, reason, ..
            } => (command, reason),
            FinalResult::Success { .. } => panic!("a success"),
        },
        PendingNotification::Other(_) => panic!("no result"),
    }
}

/// A chip without a session, without a profile, with one order at a server.
fn fresh(pki: &mut TestPki) -> (Euicc, Smdp) {
    let (chip, mut server) = (chip(pki), Smdp::new(pki));
    server.order(TOKEN, iccid(0), None);
    (chip, server)
}

/// What must hold after any broken transfer.
fn assert_clean(chip: &mut Euicc, server: &mut Smdp, free: usize, context: &str) {
    assert!(chip.profiles().is_empty(), "{context}");
    assert_eq!(chip.free_memory_octets(), free, "{context}");
    assert!(chip.enabled_profile().is_none());
    let key = |server: &Smdp| server.orders[TOKEN].bound.as_ref().map(|(key, _)| *key);
    let bound = key(server);
    download(chip, server, &mut Willing(None)).unwrap_or_else(|error| panic!("{context}: {error}"));
    // The server need not bind the profile anew.
    assert_eq!(key(server), bound, "{context}");
    assert_eq!(chip.profiles().len(), 1);
}

#[test]
fn a_transfer_that_ends_at_any_segment_leaves_nothing_and_can_be_repeated() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = fresh(&mut pki);
    let count = package_for(&mut Raw::open(&mut chip), &mut server).len();
    assert!(count >= 8);
    for end in 0..count {
        for selected_again in [true, false] {
            let (mut chip, mut server) = fresh(&mut pki);
            let free = chip.free_memory_octets();
            let mut raw = Raw::open(&mut chip);
            let commands = package_for(&mut raw, &mut server);
            for command in &commands[..end] {
                assert_eq!(raw.send(command), Ok(Vec::new()));
            }
            if selected_again {
                raw.select();
            } else {
                raw = Raw::open(&mut chip);
            }
            // The session is over: its segments are no longer taken.
            assert!(raw.send(&commands[end]).is_err(), "{end}");
            assert_clean(&mut chip, &mut server, free, &format!("ends at {end}"));
        }
    }
}

#[test]
fn a_segment_that_is_damaged_is_told_by_command_and_can_be_repeated() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = fresh(&mut pki);
    let commands = package_for(&mut Raw::open(&mut chip), &mut server);
    for (place, command) in commands.iter().enumerate() {
        let (mut chip, mut server) = fresh(&mut pki);
        let free = chip.free_memory_octets();
        let mut raw = Raw::open(&mut chip);
        let mut sent = package_for(&mut raw, &mut server);
        let last = sent[place].last_mut().unwrap();
        *last ^= 1;
        let mut answer = Vec::new();
        for one in &sent {
            answer = raw
                .send(one)
                .unwrap_or_else(|status| panic!("{place}: {status:04X}"));
            if !answer.is_empty() {
                break;
            }
        }
        // A head that promises more than comes is never answered; the next selection ends it.
        let bare_head = command.len() <= 4;
        if bare_head && answer.is_empty() {
            assert_clean(&mut chip, &mut server, free, &format!("damaged at {place}"));
            continue;
        }
        let (told, reason) = failure(&answer);
        let expected = match place {
            0 => (
                BppCommand::InitialiseSecureChannel,
                ErrorReason::InvalidSignature,
            ),
            1 => (BppCommand::ConfigureIsdp, ErrorReason::BspSecurityError),
            2 | 3 => (BppCommand::StoreMetadata, ErrorReason::BspSecurityError),
            4 => (
                BppCommand::ReplaceSessionKeys,
                ErrorReason::BspSecurityError,
            ),
            _ => (
                BppCommand::LoadProfileElements,
                ErrorReason::BspSecurityError,
            ),
        };
        if bare_head {
            assert_eq!((told, reason), (expected.0, ErrorReason::BspStructureError));
        } else {
            assert_eq!((told, reason), expected, "{place}");
        }
        // Nothing more of this package is taken.
        assert!(raw.send(&commands[place]).is_err());
        assert_clean(&mut chip, &mut server, free, &format!("damaged at {place}"));
    }
}

#[test]
fn segments_of_another_session_or_out_of_order_are_refused() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = fresh(&mut pki);
    let old = package_for(&mut Raw::open(&mut chip), &mut server);
    let mut raw = Raw::open(&mut chip);
    let new = package_for(&mut raw, &mut server);
    // A package of the session before: its signature is right, its session is not.
    assert_eq!(
        failure(&raw.send(&old[0]).unwrap()),
        (
            BppCommand::InitialiseSecureChannel,
            ErrorReason::InvalidTransactionId
        )
    );
    for (skipped, expected) in [
        (1, BppCommand::ConfigureIsdp),
        (3, BppCommand::StoreMetadata),
    ] {
        let commands = package_for(&mut raw, &mut server);
        let mut answer = Vec::new();
        for (place, command) in commands.iter().enumerate() {
            if place != skipped && answer.is_empty() {
                answer = raw.send(command).unwrap();
            }
        }
        assert_eq!(failure(&answer).0, expected);
    }
    assert_eq!(new.len(), old.len());
    assert!(download(&mut chip, &mut server, &mut Willing(None)).is_ok());
}
