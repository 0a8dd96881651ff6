//! eSIM profiles of an operator, and what somebody could do to their rows.

use std::sync::mpsc;

use simurgh_app::ports::{
    ChipCurve, ChipEvent, ChipEventRecord, ChipKey, ChipNotification, HeardNotification,
    InstallOutcome, ProfileShelf, Profiles, RspSession, ServerKind, SessionStep, StoreFault,
    StoredPackage, Verdict,
};
use simurgh_subscriber::{BoundChip, OnChip, Profile, ProfileError, ProfileOrder, ProfileState};
use simurgh_vocab::identity::{Eid, Iccid};
use simurgh_vocab::{LineId, ProfileId};

use super::make;
use crate::testing::{NOW, each_store};
use crate::tx::StoreTx;

fn eid(number: u8) -> Eid {
    let mut octets = [0x89; 16];
    // Two decimal digits.
    octets[15] = number / 10 * 16 + number % 10;
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

#[test]
fn profiles_of_every_state_come_back() {
    use ProfileError::{CodeTries, Downloads, Rejected, RulesNotAllowed};
    const STATES: [ProfileState; 12] = [
        ProfileState::Available,
        ProfileState::Allocated,
        ProfileState::Linked,
        ProfileState::Confirmed,
        ProfileState::Released,
        ProfileState::Downloaded,
        ProfileState::Installed,
        ProfileState::Unavailable,
        ProfileState::Error(CodeTries),
        ProfileState::Error(Downloads),
        ProfileState::Error(Rejected),
        ProfileState::Error(RulesNotAllowed),
    ];
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.in_any_order();
                for (number, state) in (1..).zip(STATES) {
                    let plain = profile(number, state);
                    tx.insert_profile(&plain).unwrap();
                    assert_eq!(tx.profile(plain.id), Ok(Some(plain.clone())));
                    let full = everything(plain, number);
                    tx.update_profile(&full).unwrap();
                    let token = full.order.matching_id.as_deref().unwrap();
                    assert_eq!(tx.profile(full.id), Ok(Some(full.clone())));
                    assert_eq!(tx.profile_by_iccid(full.iccid), Ok(Some(full.clone())));
                    assert_eq!(tx.profile_by_matching_id(token), Ok(Some(full.clone())));
                    assert_eq!(tx.profiles_of(full.line.unwrap()), Ok(vec![full]));
                }
                let second = make::id(ProfileId::from_parts, 2);
                let page = tx.profiles_after(Some(second), 2).unwrap();
                let ids: Vec<_> = page.iter().map(|profile| profile.id).collect();
                assert_eq!(ids, [3, 4].map(|id| make::id(ProfileId::from_parts, id)));
            })
            .unwrap();
    });
}

#[test]
fn a_profile_on_its_way_keeps_what_a_download_does_not_touch() {
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.in_any_order();
                let plain = everything(profile(1, ProfileState::Released), 1);
                tx.insert_profile(&plain).unwrap();
                let bound = Profile {
                    chip: Some(chip(7)),
                    changed_at: make::second(6),
                    ..plain
                };
                tx.bind_profile(&bound).unwrap();
                assert_eq!(tx.profile(bound.id), Ok(Some(bound.clone())));
                let advanced = Profile {
                    state: ProfileState::Error(ProfileError::Downloads),
                    order: ProfileOrder {
                        code_failures: 4,
                        downloads: 5,
                        rejections: 6,
                        ..bound.order
                    },
                    chip: bound.chip.map(|chip| BoundChip {
                        one_time_key: Some([9; 65]),
                        ..chip
                    }),
                    on_chip: Some(OnChip::Deleted),
                    changed_at: make::second(8),
                    ..bound
                };
                tx.advance_profile(&advanced).unwrap();
                assert_eq!(tx.profile(advanced.id), Ok(Some(advanced)));
                let unknown = profile(2, ProfileState::Released);
                assert!(tx.advance_profile(&unknown).is_err());
            })
            .unwrap();
    });
}

/// A profile with something in each place.
fn everything(plain: Profile, number: u8) -> Profile {
    Profile {
        line: Some(make::id(LineId::from_parts, number)),
        version: 7,
        rules: 3,
        order: ProfileOrder {
            linked: Some(eid(number)),
            matching_id: Some(format!("TOKEN-{number}")),
            confirmation: Some(vec![number; 48]),
            smds_address: Some("smds.example.com".to_owned()),
            expires_at: Some(make::second(9)),
            code_failures: 1,
            downloads: 2,
            rejections: 3,
            by: Some("mno.example.com".to_owned()),
        },
        chip: Some(chip(number)),
        on_chip: Some(OnChip::Disabled),
        changed_at: make::second(5),
        ..plain
    }
}

#[test]
fn a_profile_that_waits_for_a_chip_is_found_by_it() {
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.in_any_order();
                let states = [
                    ProfileState::Linked,
                    ProfileState::Released,
                    ProfileState::Downloaded,
                    ProfileState::Installed,
                ];
                for (number, state) in (1..).zip(states) {
                    let mut waiting = profile(number, state);
                    waiting.order.linked = Some(eid(1));
                    tx.insert_profile(&waiting).unwrap();
                }
                let found = tx.profiles_linked_to(eid(1)).unwrap();
                let states: Vec<_> = found.iter().map(|profile| profile.state).collect();
                assert_eq!(states, [ProfileState::Released, ProfileState::Downloaded]);
                assert_eq!(tx.profiles_linked_to(eid(2)), Ok(Vec::new()));
            })
            .unwrap();
    });
}

#[test]
fn staff_finds_profiles_by_their_chip_and_those_that_were_given_up() {
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.in_any_order();
                let error = ProfileState::Error(ProfileError::Downloads);
                let states = [ProfileState::Released, error, ProfileState::Linked, error];
                for (number, state) in (1..).zip(states) {
                    let mut one = profile(number, state);
                    if number % 2 == 0 {
                        one.order.linked = Some(eid(1));
                    }
                    tx.insert_profile(&one).unwrap();
                }
                let mut bound = profile(99, ProfileState::Installed);
                bound.chip = Some(chip(1));
                tx.insert_profile(&bound).unwrap();
                let found = tx.profiles_of_chip(eid(1)).unwrap();
                assert_eq!(found.len(), 3);
                assert!(found.contains(&bound));
                assert_eq!(tx.profiles_of_chip(eid(2)), Ok(Vec::new()));
                let newest = tx.newest_profiles(ProfileShelf::All, 2).unwrap();
                assert_eq!(newest.first(), Some(&bound));
                assert_eq!(newest.len(), 2);
                let given_up = tx.newest_profiles(ProfileShelf::GivenUp, 100).unwrap();
                let numbers: Vec<_> = given_up.iter().map(|one| one.id).collect();
                let four_and_two = [4, 2].map(|id| make::id(ProfileId::from_parts, id));
                assert_eq!(numbers, four_and_two, "newest first");
            })
            .unwrap();
    });
}

#[test]
fn neither_number_nor_token_is_given_twice() {
    each_store(|subject| {
        let first = profile(1, ProfileState::Available);
        let mut second = profile(2, ProfileState::Released);
        second.order = token(2);
        let (same_number, mut same_token) = (
            Profile {
                id: make::id(ProfileId::from_parts, 3),
                ..first.clone()
            },
            profile(4, ProfileState::Released),
        );
        same_token.order = token(2);
        let both = [first, second];
        subject
            .write(move |tx| {
                tx.in_any_order();
                for profile in &both {
                    tx.insert_profile(profile).unwrap();
                }
            })
            .unwrap();
        for double in [same_number, same_token] {
            let refused = subject.write_as(move |tx| {
                tx.in_any_order();
                tx.insert_profile(&double).unwrap_err();
                Verdict::Commit
            });
            assert!(
                matches!(refused, Err(StoreFault::Conflict(_))),
                "{refused:?}"
            );
        }
        assert_eq!(subject.number("SELECT COUNT(*) FROM profile"), 2);
    });
}

#[test]
fn two_who_take_the_last_one_get_one() {
    each_store(|subject| {
        subject
            .write(|tx| {
                tx.insert_profile(&profile(1, ProfileState::Available))
                    .unwrap();
            })
            .unwrap();
        let (sender, taken) = mpsc::channel();
        std::thread::scope(|scope| {
            for number in 1..=4 {
                let sender = sender.clone();
                scope.spawn(move || {
                    subject
                        .write(move |tx| {
                            let found = match tx.available_profile("basic") {
                                Ok(found) => found,
                                // Another one was first: the store tries again.
                                Err(_) => return,
                            };
                            if let Some(found) = found {
                                let order = found.order(Some(eid(number)), NOW).unwrap();
                                if tx.update_profile(&order).is_ok() {
                                    sender.send(number).unwrap();
                                }
                            }
                        })
                        .unwrap();
                });
            }
        });
        drop(sender);
        let last = taken.iter().last().unwrap();
        subject
            .read(move |tx| {
                let found = tx.profile(make::id(ProfileId::from_parts, 1)).unwrap();
                assert_eq!(found.unwrap().order.linked, Some(eid(last)));
                assert_eq!(tx.available_profile("basic"), Ok(None));
            })
            .unwrap();
    });
}

#[test]
fn sessions_of_every_step_come_back_and_old_ones_go() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let (eid, chip_key) = (eid(1), chip(1).key);
                let profile = make::id(ProfileId::from_parts, 1);
                let opened = SessionStep::Opened {
                    server_challenge: [7; 16],
                    root_key_id: vec![8; 20],
                    server: ServerKind::SmDs,
                };
                let steps = [
                    SessionStep::Authenticated {
                        eid,
                        chip_key: chip_key.clone(),
                        profile,
                        variant: "2.3".to_owned(),
                        server_signature: [9; 64],
                        code_required: true,
                        bound_key: Some([4; 65]),
                    },
                    SessionStep::Known {
                        eid,
                        chip_key: chip_key.clone(),
                    },
                    SessionStep::Delivered {
                        eid,
                        chip_key,
                        profile,
                    },
                    SessionStep::Over,
                ];
                tx.in_any_order();
                for (number, step) in (1u8..).zip(steps) {
                    let mut session = RspSession {
                        transaction: [number; 16],
                        opened_at: NOW,
                        expires_at: make::second(number.into()),
                        step: opened.clone(),
                    };
                    tx.insert_rsp_session(&session).unwrap();
                    assert_eq!(tx.rsp_session(&[number; 16]), Ok(Some(session.clone())));
                    session.step = step;
                    tx.update_rsp_session(&session).unwrap();
                    assert_eq!(tx.rsp_session(&[number; 16]), Ok(Some(session)));
                }
                assert_eq!(tx.forget_rsp_sessions(make::second(4), 2), Ok(2));
                assert_eq!(tx.forget_rsp_sessions(make::second(4), 2), Ok(1));
                assert_eq!(tx.forget_rsp_sessions(make::second(4), 2), Ok(0));
                assert!(tx.rsp_session(&[4; 16]).unwrap().is_some());
                assert_eq!(tx.rsp_session(&[3; 16]), Ok(None));
            })
            .unwrap();
    });
}

#[test]
fn what_a_chip_says_twice_is_heard_once() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let profile = profile(1, ProfileState::Downloaded);
                tx.insert_profile(&profile).unwrap();
                let heard = |chip: u8, sequence, outcome| HeardNotification {
                    notification: ChipNotification {
                        eid: eid(chip),
                        sequence,
                        iccid: Some(profile.iccid),
                        event: ChipEvent::Install,
                        outcome: Some(outcome),
                        transaction: None,
                    },
                    heard_at: NOW,
                };
                let failed = InstallOutcome::Failed {
                    command: 5,
                    reason: 6,
                    response: vec![7],
                };
                let first = heard(1, 1, failed);
                let same = heard(1, 1, InstallOutcome::Installed);
                let next = heard(1, 2, InstallOutcome::Installed);
                let other = heard(2, 1, InstallOutcome::Installed);
                for (heard, is_new) in [(&first, true), (&same, false), (&next, true)] {
                    let stored = tx.insert_chip_notification(heard, Some(profile.id));
                    assert_eq!(stored, Ok(is_new));
                }
                assert_eq!(tx.insert_chip_notification(&other, None), Ok(true));
                assert_eq!(tx.chip_notifications_of(profile.id), Ok(vec![first, next]));
            })
            .unwrap();
    });
}

#[test]
fn what_waits_for_a_chip_is_told_until_it_is_withdrawn() {
    each_store(|subject| {
        subject
            .write(|tx| {
                let event = |chip: u8, id: &str| ChipEventRecord {
                    eid: eid(chip),
                    event_id: id.to_owned(),
                    server_address: "smdp.example.com".to_owned(),
                    registered_by: "us".to_owned(),
                    registered_at: NOW,
                };
                for (chip, id, is_new) in [
                    (1, "B", true),
                    (1, "A", true),
                    (1, "A", false),
                    (2, "A", true),
                ] {
                    assert_eq!(tx.insert_chip_event(&event(chip, id)), Ok(is_new));
                }
                assert_eq!(
                    tx.chip_events_of(eid(1)),
                    Ok(vec![event(1, "A"), event(1, "B")])
                );
                assert_eq!(tx.remove_chip_event(eid(1), "A"), Ok(true));
                assert_eq!(tx.remove_chip_event(eid(1), "A"), Ok(false));
                assert_eq!(tx.chip_events_of(eid(1)), Ok(vec![event(1, "B")]));
                assert_eq!(tx.chip_events_of(eid(2)), Ok(vec![event(2, "A")]));
            })
            .unwrap();
    });
}
