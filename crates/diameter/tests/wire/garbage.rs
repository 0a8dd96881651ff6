//! Nothing that a peer sends makes this crate panic, or hold on to more than was sent.

use proptest::prelude::*;
use simurgh_diameter::fault::{DEPTH_MAX, Grammar, pass_over};
use simurgh_diameter::frame::{Framing, Limits, header, next_frame};
use simurgh_diameter::message::{Message, Origin, decode_any, encode_fault};

use crate::{ccr, frame, of_3gpp, service, with, written};

const US: Origin<'static> = Origin {
    host: "ocs.example.com",
    realm: "example.com",
};

/// Reads whatever it is, walks all of it, and answers it if it is wrong.
fn digest(wire: &[u8]) {
    let Ok(Framing::Whole(frame)) = next_frame(wire, &Limits::default()) else {
        return;
    };
    match decode_any(&frame) {
        Ok(message) => {
            let _ = format!("{message:?}");
        }
        Err(fault) => {
            let mut answer = Vec::new();
            encode_fault(&mut answer, &frame, US, &fault).unwrap();
            // Whatever the offence: the answer is well formed, and no longer than what was asked and our
            // own names.
            assert!(answer.len() <= 2 * wire.len() + 256);
            if fault.result_code().0 != 3009 {
                let answer = crate::frame(&answer);
                for avp in answer.avps() {
                    let avp = avp.unwrap();
                    if avp.code != 279 && avp.code != 284 {
                        pass_over(&avp, Grammar::Open).unwrap();
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(wire in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = next_frame(&wire, &Limits::default());
        let _ = header(&wire);
        digest(&wire);
    }

    #[test]
    fn no_body_makes_it_panic(
        command in prop_oneof![Just(257_u32), Just(258), Just(272), Just(274), Just(275), Just(280), Just(282)],
        flags in any::<u8>(),
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut wire = vec![1, 0, 0, 0, flags];
        wire.extend(&command.to_be_bytes()[1..]);
        wire.extend([0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2]);
        let body: Vec<u8> = body.into_iter().chain([0; 3]).collect();
        digest(&with(wire, &body[..body.len() / 4 * 4]));
    }

    #[test]
    fn no_change_of_a_good_message_makes_it_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let services = [service(), service()];
        let mut wire = written(&ccr(&services));
        for (place, octet) in changes {
            let place = place.index(wire.len());
            wire[place] = octet;
        }
        digest(&wire);
    }
}

#[test]
fn messages_and_faults_own_no_memory() {
    // What is `Copy` has nothing to free: however a message claims to be large, reading it takes the same
    // few kilobytes of stack.
    fn octets<T: Copy>() -> usize {
        size_of::<T>()
    }
    assert!(octets::<Message<'_>>() < 4_096);
    assert!(octets::<simurgh_diameter::Fault<'_>>() <= 128);
}

#[test]
fn every_beginning_of_a_message_asks_for_the_rest() {
    let services = [service()];
    let wire = written(&ccr(&services));
    for length in 0..wire.len() {
        match next_frame(&wire[..length], &Limits::default()).unwrap() {
            Framing::Partial { octets_wanted } => assert!(octets_wanted > length),
            Framing::Whole(_) => panic!("{length} octets are not all"),
        }
    }
    let mut two = wire.clone();
    two.extend(&wire);
    let Ok(Framing::Whole(first)) = next_frame(&two, &Limits::default()) else {
        panic!("the first is whole");
    };
    assert_eq!(first.octets, wire);
}

#[test]
fn groups_in_groups_end_at_the_limit_of_depth() {
    // Service-Information in itself, again and again: known, so it is looked into.
    let nested = |depth: usize| (0..depth).fold(Vec::new(), |inner, _| of_3gpp(877, &inner));
    let services = [service()];
    let wire = with(written(&ccr(&services)), &nested(DEPTH_MAX));
    assert!(matches!(
        decode_any(&frame(&wire)),
        Ok(Message::CreditControlRequest(_))
    ));
    let wire = with(written(&ccr(&services)), &nested(DEPTH_MAX + 1));
    let fault = decode_any(&frame(&wire)).unwrap_err();
    assert_eq!(fault.result_code().0, 5012);
    let wire = with(written(&ccr(&services)), &nested(5_000));
    assert!(decode_any(&frame(&wire)).is_err());
}
