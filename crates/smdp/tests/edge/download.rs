//! Whole downloads, broken ones, and what chips report.

use simurgh_euicc::lpa::{CardError, Consent, Lpa, LpaError};
use simurgh_rsp::bpp::{ErrorReason, bpp_parts};
use simurgh_rsp::identity::Iccid;
use simurgh_rsp::key::Curve;
use simurgh_rsp::message::es9;
use simurgh_rsp::message::json::Body;
use simurgh_rsp::message::status::Status;
use simurgh_rsp::tlv::Tlv;
use simurgh_subscriber::{OnChip, ProfilePolicy, ProfileState};

use super::place::each_store;
use super::raw::Raw;
use super::world::{Net, Operator, Unwilling, Willing, eid, iccid, refusal, wanted};

/// Something that is done to a profile on a chip.
type Act = fn(&mut Lpa<'_>, &Iccid) -> Result<(), LpaError>;

#[test]
fn a_profile_is_downloaded_used_and_deleted_on_both_curves() {
    each_store(|kind| {
        for curve in Curve::ALL {
            let mut operator = Operator::on(kind, curve);
            let token = operator.order(iccid(0), None);
            let mut phone = operator.phone(1);
            let done = phone.fetch(&operator, &token).unwrap();
            assert_eq!(*done.iccid(), iccid(0));
            assert_eq!(done.metadata.profile_name, "Simurgh Global");
            assert_eq!(operator.profile(iccid(0)).state, ProfileState::Downloaded);
            assert_eq!(phone.tell(&operator), 1);
            let profile = operator.profile(iccid(0));
            assert_eq!(profile.state, ProfileState::Installed);
            assert_eq!(profile.chip.unwrap().eid, eid(1));
            for (act, heard) in [
                ((|lpa, iccid| lpa.enable(iccid)) as Act, OnChip::Enabled),
                (|lpa, iccid| lpa.disable(iccid), OnChip::Disabled),
                (|lpa, iccid| lpa.delete(iccid), OnChip::Deleted),
            ] {
                act(&mut Lpa::open(&mut phone).unwrap(), &iccid(0)).unwrap();
                assert_eq!(phone.tell(&operator), 1);
                assert_eq!(operator.profile(iccid(0)).on_chip, Some(heard));
            }
        }
    });
}

#[test]
fn a_second_phone_never_gets_the_profile_of_the_first() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        let (mut first, mut second) = (operator.phone(1), operator.phone(2));
        // The first only looks at it, which binds it.
        let later = first.download(
            &mut Net::of(&operator),
            &token,
            &mut Unwilling(Consent::Later),
        );
        assert_eq!(later, Err(LpaError::GivenUp));
        assert_eq!(refusal(second.fetch(&operator, &token)), Status::EidRefused);
        assert!(first.fetch(&operator, &token).is_ok());
        assert_eq!(refusal(second.fetch(&operator, &token)), Status::EidRefused);
        assert!(second.chip.profiles().is_empty());
    });
}

#[test]
fn a_server_below_two_roots_serves_the_phones_of_either() {
    let (mut operator, other) = Operator::below_two_roots();
    let first = operator.order(iccid(0), None);
    let mut phone = operator.phone(1);
    assert!(phone.fetch(&operator, &first).is_ok());
    assert_eq!(phone.tell(&operator), 1);
    // Phones that know the other root only.
    operator.pki = other;
    let second = operator.order(iccid(1), None);
    let mut phone = operator.phone(2);
    assert!(phone.fetch(&operator, &second).is_ok());
    assert_eq!(phone.tell(&operator), 1);
    assert_eq!(operator.profile(iccid(1)).state, ProfileState::Installed);
}

#[test]
fn an_answer_lost_at_any_step_costs_nothing() {
    each_store(|kind| {
        for lost in 0..3 {
            let mut operator = Operator::over(kind);
            let token = operator.order(iccid(0), None);
            let mut phone = operator.phone(1);
            let mut net = Net {
                loses: Some(lost),
                ..Net::of(&operator)
            };
            let broken = phone.download(&mut net, &token, &mut Willing(None));
            assert!(matches!(broken, Err(LpaError::Unreachable(_))), "{lost}");
            phone.fetch(&operator, &token).unwrap();
            assert_eq!(phone.tell(&operator), 1);
            assert_eq!(operator.profile(iccid(0)).state, ProfileState::Installed);
        }
    });
}

#[test]
fn a_transfer_that_breaks_at_any_command_is_repeated_with_fresh_keys() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let mut commands = 20;
        let mut number = 0;
        loop {
            number += 1;
            let token = operator.order(iccid_of(number), None);
            let mut phone = operator.phone(number);
            phone.left = commands;
            let mut net = Net::of(&operator);
            let broken = phone.download(&mut net, &token, &mut Willing(None));
            if broken.is_ok() {
                break;
            }
            assert_eq!(broken, Err(LpaError::Card(CardError::Gone)), "{commands}");
            phone.left = usize::MAX;
            phone.chip.reset();
            if phone.chip.profiles().is_empty() {
                phone.fetch(&operator, &token).unwrap();
            }
            phone.tell(&operator);
            let profile = operator.profile(iccid_of(number));
            assert_eq!(profile.state, ProfileState::Installed, "{commands}");
            commands += 7;
        }
        assert!(number > 3);
    });
}

fn iccid_of(number: u8) -> Iccid {
    Iccid::with_check_digit(&format!("8986012345678901{number:02}")).unwrap()
}

#[test]
fn two_packages_for_one_chip_and_one_key_of_it_share_no_key_of_ours() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        let mut raw = Raw::new(&mut operator, 1);
        raw.matching_id = Some(token);
        let package = || {
            let said = Body::from_value(raw.fetch(&operator).unwrap()).unwrap();
            es9::read_package(&said).unwrap()
        };
        let (one, two) = (package(), package());
        let parts = |package| bpp_parts(package).unwrap();
        let (one, two) = (Tlv::parse(&one).unwrap(), Tlv::parse(&two).unwrap());
        let (one, two) = (parts(&one), parts(&two));
        assert_ne!(one.secure_channel.raw(), two.secure_channel.raw());
        // The same metadata under other keys.
        assert_ne!(one.metadata.raw(), two.metadata.raw());
        assert_ne!(
            one.second_commands.unwrap().raw(),
            two.second_commands.unwrap().raw()
        );
        assert_eq!(one.profile.raw(), two.profile.raw());
    });
}

#[test]
fn what_a_chip_reports_is_heard_once_and_always_acknowledged() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        let mut phone = operator.phone(1);
        phone.fetch(&operator, &token).unwrap();
        let mut net = Net::of(&operator);
        Lpa::open(&mut phone)
            .unwrap()
            .deliver_notifications(&mut net)
            .unwrap();
        let (path, body) = net.sent.pop().unwrap();
        // Weeks later, when the session is gone, and again.
        operator.wait(simurgh_vocab::Duration::days(40));
        for _ in 0..2 {
            assert_eq!(operator.post(&path, body.clone()).0, 204);
        }
        assert_eq!(operator.profile(iccid(0)).state, ProfileState::Installed);
        for nonsense in [
            &b"{}"[..],
            b"",
            b"nonsense",
            b"{\"pendingNotification\":\"AAAA\"}",
        ] {
            assert_eq!(operator.post(&path, nonsense.to_vec()).0, 204);
        }
    });
}

#[test]
fn an_installation_is_believed_weeks_later_without_a_session() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        let mut phone = operator.phone(1);
        phone.fetch(&operator, &token).unwrap();
        operator.wait(simurgh_vocab::Duration::days(40));
        assert_eq!(phone.tell(&operator), 1);
        assert_eq!(operator.profile(iccid(0)).state, ProfileState::Installed);
    });
}

#[test]
fn a_failed_installation_leaves_the_order_unless_the_profile_is_there_already() {
    each_store(|kind| {
        for (reason, state) in [
            (ErrorReason::InsufficientMemory, ProfileState::Released),
            (ErrorReason::Interruption, ProfileState::Released),
            (ErrorReason::IccidAlreadyExists, ProfileState::Installed),
        ] {
            let mut operator = Operator::over(kind);
            let token = operator.order(iccid(0), None);
            let mut raw = Raw::new(&mut operator, 1);
            raw.matching_id = Some(token);
            let answer = raw.fetch(&operator).unwrap();
            let body = raw.failure(&answer, iccid(0), reason);
            let path = es9::path::HANDLE_NOTIFICATION;
            assert_eq!(operator.post(path, body).0, 204);
            assert_eq!(operator.profile(iccid(0)).state, state, "{reason:?}");
        }
    });
}

#[test]
fn another_chip_cannot_report_for_a_profile() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        let other = operator.order(iccid(1), None);
        let (mut one, mut two) = (operator.phone(1), operator.phone(2));
        one.fetch(&operator, &token).unwrap();
        two.fetch(&operator, &other).unwrap();
        let mut net = Net::of(&operator);
        Lpa::open(&mut two)
            .unwrap()
            .deliver_notifications(&mut net)
            .unwrap();
        let (_, body) = net.sent.pop().unwrap();
        assert!(Body::parse(&body).is_ok());
        assert_eq!(operator.profile(iccid(0)).state, ProfileState::Downloaded);
        assert_eq!(operator.profile(iccid(1)).state, ProfileState::Installed);
    });
}

#[test]
fn rejections_void_an_order_only_when_they_are_many() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        let mut phone = operator.phone(1);
        let times = ProfilePolicy::default().rejections;
        for _ in 0..=times {
            let no = phone.download(&mut Net::of(&operator), &token, &mut Unwilling(Consent::No));
            assert_eq!(no, Err(LpaError::GivenUp));
        }
        assert!(matches!(
            operator.profile(iccid(0)).state,
            ProfileState::Error(_)
        ));
        assert_eq!(
            refusal(phone.fetch(&operator, &token)),
            Status::MatchingIdRefused
        );
    });
}

#[test]
fn a_phone_finds_its_profile_without_a_code() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        operator.stock(iccid(0));
        operator.reserve(iccid(0), Some(eid(1)));
        let mut with = super::world::confirmation(iccid(0), None);
        with.smds = Some((super::world::SMDS.into(), super::world::ADDRESS.into()));
        operator.confirm(with).unwrap();
        let mut phone = operator.phone(1);
        let mut net = Net::of(&operator);
        let mut lpa = Lpa::open(&mut phone).unwrap();
        let events = lpa.discover(&mut net).unwrap();
        let order = wanted(&events[0].event_id);
        lpa.download(&order, &mut net, &mut Willing(None)).unwrap();
        drop(lpa);
        phone.tell(&operator);
        // What was fetched waits no more.
        let mut lpa = Lpa::open(&mut phone).unwrap();
        assert!(lpa.discover(&mut Net::of(&operator)).unwrap().is_empty());
    });
}
