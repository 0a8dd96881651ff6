use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const POLICY: ProfilePolicy = ProfilePolicy {
    code_tries: 3,
    downloads: 4,
    rejections: 2,
};

fn eid(last: u8) -> Eid {
    let mut octets = [0x12; 16];
    octets[15] = last;
    Eid::from_octets(octets).unwrap()
}

fn key() -> ChipKey {
    ChipKey {
        curve: ChipCurve::P256,
        point: [4; 65],
    }
}

fn facts() -> ChipFacts {
    ChipFacts {
        profile_version: [2, 3, 0],
        free_memory_octets: None,
        forbidden_rules: 0,
    }
}

fn new() -> Profile {
    let iccid = "8986012345678901239".parse().unwrap();
    Profile::new(
        ProfileId::from_bytes([7; 16]),
        iccid,
        "standard".to_owned(),
        NOW,
    )
}

fn confirmation(release: bool) -> Confirmation {
    Confirmation {
        matching_id: "TOKEN".to_owned(),
        eid: None,
        confirmation: None,
        smds_address: None,
        expires_at: None,
        release,
    }
}

fn released() -> Profile {
    let ordered = new().order(None, NOW).unwrap();
    ordered.confirm(confirmation(true), NOW).unwrap()
}

fn admitted(profile: Profile, last: u8) -> Result<Profile, ProfileRefusal> {
    profile.admit((eid(last), key()), &facts(), &POLICY, NOW)
}

fn downloaded() -> Profile {
    let admitted = admitted(released(), 1).unwrap();
    admitted.deliver((eid(1), [4; 65]), &POLICY, NOW).unwrap()
}

#[test]
fn an_order_goes_its_way() {
    let linked = new().order(Some(eid(1)), NOW).unwrap();
    assert_eq!(linked.state, ProfileState::Linked);
    let confirmed = linked.confirm(confirmation(false), NOW).unwrap();
    assert_eq!(confirmed.state, ProfileState::Confirmed);
    assert_eq!(
        admitted(confirmed.clone(), 1),
        Err(ProfileRefusal::NotReleased)
    );
    let released = confirmed.release(NOW).unwrap();
    assert_eq!(
        admitted(released.clone(), 2),
        Err(ProfileRefusal::OtherChip)
    );
    assert_eq!(released.clone().release(NOW), Err(ProfileRefusal::State));
    assert_eq!(
        released.clone().order(None, NOW),
        Err(ProfileRefusal::State)
    );
    assert!(admitted(released, 1).is_ok());
}

#[test]
fn a_chip_must_be_named_for_an_sm_ds_or_an_empty_token() {
    let allocated = new().order(None, NOW).unwrap();
    let with_smds = Confirmation {
        smds_address: Some("smds.example.com".to_owned()),
        ..confirmation(true)
    };
    assert_eq!(
        allocated.clone().confirm(with_smds.clone(), NOW),
        Err(ProfileRefusal::EidMissing)
    );
    let without_token = Confirmation {
        matching_id: String::new(),
        ..confirmation(true)
    };
    assert_eq!(
        allocated.clone().confirm(without_token, NOW),
        Err(ProfileRefusal::EidMissing)
    );
    let named = Confirmation {
        eid: Some(eid(1)),
        ..with_smds
    };
    assert_eq!(
        allocated.confirm(named.clone(), NOW).unwrap().order.linked,
        Some(eid(1))
    );
    let other = new().order(Some(eid(2)), NOW).unwrap();
    assert_eq!(other.confirm(named, NOW), Err(ProfileRefusal::OtherChip));
}

#[test]
fn the_first_chip_keeps_it() {
    let bound = admitted(released(), 1).unwrap();
    assert_eq!(admitted(bound.clone(), 2), Err(ProfileRefusal::OtherChip));
    let again = admitted(bound, 1).unwrap();
    assert_eq!(
        again.deliver((eid(2), [4; 65]), &POLICY, NOW),
        Err(ProfileRefusal::OtherChip)
    );
}

#[test]
fn a_broken_download_may_be_repeated_by_the_same_chip() {
    let profile = downloaded();
    assert_eq!(profile.state, ProfileState::Downloaded);
    let again = admitted(profile.clone(), 1).unwrap();
    assert_eq!(again.chip.unwrap().one_time_key, Some([4; 65]));
    assert_eq!(admitted(profile.clone(), 2), Err(ProfileRefusal::OtherChip));
    let failed = profile.install_failed(&POLICY, NOW);
    assert_eq!(failed.state, ProfileState::Released);
    assert!(admitted(failed, 1).is_ok());
}

#[test]
fn too_many_downloads_make_it_void() {
    let mut profile = downloaded();
    for _ in 1..POLICY.downloads {
        profile = admitted(profile.install_failed(&POLICY, NOW), 1)
            .unwrap()
            .deliver((eid(1), [4; 65]), &POLICY, NOW)
            .unwrap();
    }
    assert_eq!(
        admitted(profile.clone(), 1),
        Err(ProfileRefusal::DownloadsExceeded)
    );
    let profile = profile.install_failed(&POLICY, NOW);
    assert_eq!(profile.state, ProfileState::Error(ProfileError::Downloads));
    // The last one went well after all.
    assert_eq!(profile.installed(NOW).state, ProfileState::Installed);
}

#[test]
fn wrong_codes_are_counted_up_to_the_limit() {
    let mut profile = admitted(released(), 1).unwrap();
    for _ in 1..POLICY.code_tries {
        profile = profile.wrong_code(&POLICY, NOW);
        assert!(admitted(profile.clone(), 1).is_ok());
    }
    let void = profile.wrong_code(&POLICY, NOW);
    assert_eq!(void.state, ProfileState::Error(ProfileError::CodeTries));
    assert_eq!(
        admitted(void.clone(), 1),
        Err(ProfileRefusal::CodeTriesExceeded)
    );
    // Another chip learns nothing of that.
    assert_eq!(admitted(void, 2), Err(ProfileRefusal::OtherChip));
}

#[test]
fn rejections_are_overlooked_for_a_while() {
    let mut profile = admitted(released(), 1).unwrap();
    for _ in 0..POLICY.rejections {
        profile = profile.rejected(&POLICY, NOW);
        assert_eq!(profile.state, ProfileState::Released);
    }
    let void = profile.rejected(&POLICY, NOW);
    assert_eq!(void.state, ProfileState::Error(ProfileError::Rejected));
    assert_eq!(admitted(void, 1), Err(ProfileRefusal::Used));
}

#[test]
fn after_its_end_and_after_the_installation_it_is_refused() {
    let mut profile = released();
    profile.order.expires_at = Some(NOW);
    assert_eq!(admitted(profile, 1), Err(ProfileRefusal::Expired));
    let installed = downloaded().installed(NOW);
    assert_eq!(installed.on_chip, Some(OnChip::Disabled));
    assert_eq!(admitted(installed.clone(), 1), Err(ProfileRefusal::Used));
    assert_eq!(installed.clone().rejected(&POLICY, NOW), installed);
    assert_eq!(installed.clone().install_failed(&POLICY, NOW), installed);
}

#[test]
fn rules_that_the_chip_forbids_are_no_offer() {
    let profile = Profile {
        rules: 0b10,
        ..released()
    };
    let strict = ChipFacts {
        forbidden_rules: 0b110,
        ..facts()
    };
    assert_eq!(
        profile.may_have(eid(1), &strict, &POLICY, NOW),
        Err(ProfileRefusal::NotEligible)
    );
    assert_eq!(profile.may_have(eid(1), &facts(), &POLICY, NOW), Ok(()));
}

#[test]
fn what_is_heard_without_an_installation_installs_and_late_news_of_one_changes_nothing() {
    let enabled = downloaded().heard(OnChip::Enabled, NOW);
    assert_eq!(enabled.state, ProfileState::Installed);
    assert_eq!(enabled.on_chip, Some(OnChip::Enabled));
    let deleted = enabled.heard(OnChip::Deleted, NOW);
    let late = deleted.installed(NOW);
    assert_eq!(late.on_chip, Some(OnChip::Deleted));
}

#[test]
fn a_cancelled_order_can_be_ordered_again_unless_a_chip_may_have_it() {
    let free = released().cancel(true, NOW).unwrap();
    assert_eq!(free.state, ProfileState::Available);
    assert_eq!(free.order, ProfileOrder::default());
    assert_eq!(
        released().cancel(false, NOW).unwrap().state,
        ProfileState::Unavailable
    );
    assert_eq!(downloaded().cancel(true, NOW), Err(ProfileRefusal::State));
    let came_back = downloaded().install_failed(&POLICY, NOW);
    assert_eq!(
        came_back.cancel(true, NOW).unwrap().state,
        ProfileState::Unavailable
    );
}
