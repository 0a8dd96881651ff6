//! eSIM profiles of an operator, and what somebody could do to their rows.

use simurgh_app::ports::{
    ChipCurve, ChipEvent, ChipKey, ChipNotification, HeardNotification, InstallOutcome, Profiles,
    RspSession, SessionStep, StoredPackage,
};
use simurgh_subscriber::{BoundChip, OnChip, Profile, ProfileOrder, ProfileState};
use simurgh_vocab::identity::{Eid, Iccid};
use simurgh_vocab::{LineId, ProfileId};

use super::make;
use crate::testing::NOW;
use crate::tx::StoreTx;

fn eid(number: u8) -> Eid {
    let mut octets = [0x89; 16];
    octets[15] = number;
    Eid::from_octets(octets).unwrap()
}

fn chip(number: u8) -> BoundChip {
    let key = ChipKey {
        curve: ChipCurve::P256,
        point: [4; 65],
    };
    BoundChip {
        eid: eid(number),
        key,
        one_time_key: Some([number; 65]),
    }
}

fn profile(number: u8, state: ProfileState) -> Profile {
    let iccid = Iccid::with_check_digit(&format!("8986001234567890{number:02}"));
    let id = make::id(ProfileId::from_parts, number);
    Profile {
        state,
        ..Profile::new(id, iccid.unwrap(), "basic".to_owned(), NOW)
    }
}

fn token(number: u8) -> ProfileOrder {
    ProfileOrder {
        matching_id: Some(format!("TOKEN-{number}")),
        ..ProfileOrder::default()
    }
}

/// One profile that nobody ordered, one that waits, one that was replaced on its line by one that is installed.
pub(super) fn operator(tx: &mut StoreTx<'_>) {
    let line = Some(make::id(LineId::from_parts, 1));
    let (available, mut waiting) = (
        profile(1, ProfileState::Available),
        profile(2, ProfileState::Released),
    );
    waiting.order = token(2);
    let (mut replaced, mut installed) = (
        profile(3, ProfileState::Unavailable),
        profile(4, ProfileState::Installed),
    );
    (replaced.line, installed.line) = (line, line);
    installed.order = token(4);
    installed.order.linked = Some(eid(4));
    installed.order.downloads = 2;
    installed.chip = Some(chip(4));
    installed.on_chip = Some(OnChip::Enabled);
    for profile in [&available, &waiting, &replaced, &installed] {
        tx.insert_profile(profile).unwrap();
        let package = StoredPackage {
            variant: "2.3".to_owned(),
            least_version: [2, 3, 0],
            size_octets: 12_000,
            metadata: vec![0xbf, 0x25],
            sealed: vec![1, 2, 3],
        };
        tx.insert_package(profile.id, &package).unwrap();
    }
    let session = RspSession {
        transaction: [1; 16],
        opened_at: NOW,
        expires_at: make::second(600),
        step: SessionStep::Delivered {
            eid: eid(4),
            chip_key: chip(4).key,
            profile: installed.id,
        },
    };
    tx.insert_rsp_session(&session).unwrap();
    let heard = HeardNotification {
        notification: ChipNotification {
            eid: eid(4),
            sequence: 1,
            iccid: Some(installed.iccid),
            event: ChipEvent::Install,
            outcome: Some(InstallOutcome::Installed),
            transaction: Some([1; 16]),
        },
        heard_at: NOW,
    };
    assert!(
        tx.insert_chip_notification(&heard, Some(installed.id))
            .unwrap()
    );
}

/// What somebody could do behind the program's back, and the rule that must notice.
pub(super) const DAMAGE: &[(&str, &str)] = &[
    (
        "profiles that are on two chips",
        "UPDATE profile SET eid = id, linked_eid = id WHERE state = 'installed'",
    ),
    (
        "profiles on another chip than ordered",
        "UPDATE profile SET linked_eid = id WHERE state = 'installed'",
    ),
    (
        "downloaded profiles without a chip or its key",
        "UPDATE profile SET one_time_key = NULL WHERE state = 'installed'",
    ),
    (
        "waiting profiles without a package",
        "DELETE FROM profile_package",
    ),
    (
        "waiting profiles without a token or a chip",
        "UPDATE profile SET matching_id = NULL WHERE state = 'released'",
    ),
    (
        "profiles that nobody ordered with an order or a chip",
        "UPDATE profile SET state = 'available' WHERE state = 'released'",
    ),
    (
        "lines with two profiles",
        "UPDATE profile SET state = 'available' WHERE state = 'unavailable'",
    ),
    (
        "packages delivered to another chip",
        "UPDATE rsp_session SET eid = id",
    ),
];
