//! What the fuzz targets call; nothing else does.

use std::sync::OnceLock;

use simurgh_rsp::identity::Eid;
use simurgh_rsp::key::Curve;
use simurgh_rsp::pki::{TestNames, TestPki};
use simurgh_vocab::Timestamp;

use crate::chip::{Environment, Euicc, EuiccIdentity, EuiccSettings};
use crate::face;

static SETTINGS: OnceLock<Option<EuiccSettings>> = OnceLock::new();

/// A stream of APDUs to one chip, each behind an octet with its length; what does not fit is a line or a frame
/// of the faces. None may panic, and every APDU is answered with a status word at least.
pub fn apdu(octets: &[u8]) {
    let Some(settings) = SETTINGS.get_or_init(settings) else {
        return;
    };
    let Ok(mut chip) = Euicc::new(settings.clone()) else {
        return;
    };
    let mut random = counting();
    let mut environment = Environment {
        random: &mut random,
    };
    let mut rest = octets;
    while let Some((length, after)) = rest.split_first() {
        let length = usize::from(*length).min(after.len());
        let (one, after) = after.split_at(length);
        let answer = chip.transmit(one, &mut environment);
        assert!(answer.len() >= 2, "an answer ends with a status word");
        rest = after;
    }
    let _ = face::answer_frame(&mut chip, octets, &mut environment);
    if let Ok(line) = std::str::from_utf8(octets) {
        let _ = face::answer_line(&mut chip, line, &mut environment);
        let _ = face::read_http_line(line);
    }
    let state = chip.state();
    assert!(
        Euicc::restore(settings.clone(), &state).is_ok_and(|again| *again.state() == *state),
        "a chip comes back from its state"
    );
    let _ = Euicc::restore(settings.clone(), octets);
}

fn settings() -> Option<EuiccSettings> {
    let names = TestNames {
        smdp_address: "smdp.example.com".into(),
        smdp_oid: "2.999.10".parse().ok()?,
        smds_address: "smds.example.com".into(),
        smds_oid: "2.999.20".parse().ok()?,
        ein: "89049032".into(),
    };
    let now = Timestamp::from_micros(1_790_000_000_000_000);
    let mut random = counting();
    let mut pki = TestPki::generate(Curve::P256, &names, now, &mut random).ok()?;
    let eid: Eid = "89049032123451234512345678901235".parse().ok()?;
    let identity = EuiccIdentity {
        credential: pki.euicc(&eid, &mut random).ok()?,
        eum: pki.eum().clone(),
        root: pki.root().clone(),
    };
    Some(EuiccSettings::new(
        eid,
        vec![identity],
        "smds.example.com".into(),
    ))
}

/// The same octets in every run: a finding comes again.
fn counting() -> impl FnMut(&mut [u8]) {
    let mut state = 1u64;
    move |octets| {
        for octet in octets {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *octet = state.to_be_bytes().first().copied().unwrap_or(0);
        }
    }
}
