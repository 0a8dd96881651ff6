//! What tests of several modules share.

use super::TestNames;
use simurgh_vocab::Timestamp;

/// A source of octets that repeats itself from run to run.
pub(crate) fn counting() -> impl FnMut(&mut [u8]) {
    let mut state = 1u64;
    move |octets| {
        for octet in octets {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *octet = u8::try_from(state >> 56).unwrap();
        }
    }
}

pub(crate) fn names() -> TestNames {
    TestNames {
        smdp_address: "smdp.example.com".into(),
        smdp_oid: "2.999.10".parse().unwrap(),
        smds_address: "smds.example.com".into(),
        smds_oid: "2.999.20".parse().unwrap(),
        ein: "89049032".into(),
    }
}

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
