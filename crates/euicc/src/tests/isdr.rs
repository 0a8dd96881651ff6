//! ES10a, ES10b and ES10c without a download: every way a command can end.

use super::*;
use simurgh_rsp::certificate::Certificate;
use simurgh_rsp::message::es10::{
    self, Addresses, Command, ISD_R_AID, LoadCrlError, NotificationFilter, ProfileId,
    ProfileOutcome, ResetOptions, Search,
};
use simurgh_rsp::message::info::{AuthorisationRule, EuiccInfo2};
use simurgh_rsp::message::metadata::{OperatorId, ProfileClass, rule};
use simurgh_vocab::Duration;

/// The ISD-R on channel 1, without an LPA around it.
pub(super) struct Raw<'a> {
    reader: Reader<'a>,
    channel: u8,
}

impl<'a> Raw<'a> {
    pub(super) fn open(chip: &'a mut Euicc) -> Self {
        chip.reset();
        Self::open_on(chip, 1)
    }

    /// On the next free channel, which must be this one.
    pub(super) fn open_on(chip: &'a mut Euicc, channel: u8) -> Self {
        let mut reader = reader(chip);
        let opened = reader.transmit(&[0, 0x70, 0, 0, 1]);
        assert_eq!(opened, Ok(vec![channel, 0x90, 0]));
        let mut raw = Self { reader, channel };
        raw.select();
        raw
    }

    pub(super) fn select(&mut self) {
        let select = [&[self.channel, 0xA4, 4, 0, 16][..], &ISD_R_AID].concat();
        assert_eq!(self.reader.transmit(&select).unwrap()[0], 0x61);
    }

    /// The answer, or the status word that refused the command.
    pub(super) fn send(&mut self, octets: &[u8]) -> Result<Vec<u8>, u16> {
        let pieces = octets.chunks(200).collect::<Vec<_>>();
        let mut answer = Vec::new();
        for (place, piece) in pieces.iter().enumerate() {
            let p1 = if place + 1 == pieces.len() {
                0x91
            } else {
                0x11
            };
            let class = 0x80 | self.channel;
            let head = [
                class,
                0xE2,
                p1,
                u8::try_from(place).unwrap(),
                u8::try_from(piece.len()).unwrap(),
            ];
            answer = self.whole(&[&head[..], piece].concat())?;
        }
        Ok(answer)
    }

    fn whole(&mut self, apdu: &[u8]) -> Result<Vec<u8>, u16> {
        let mut answer = self.reader.transmit(apdu).unwrap();
        let mut data = Vec::new();
        loop {
            let status = answer.split_off(answer.len() - 2);
            data.extend(answer);
            match status[..] {
                [0x90, 0] => return Ok(data),
                [0x61, count] => {
                    let fetch = [0x80 | self.channel, 0xC0, 0, 0, count];
                    answer = self.reader.transmit(&fetch).unwrap();
                }
                _ => return Err(u16::from_be_bytes([status[0], status[1]])),
            }
        }
    }

    pub(super) fn ask(&mut self, command: &Command) -> Vec<u8> {
        self.send(&command.encode()).unwrap()
    }

    fn outcome(&mut self, command: &Command) -> ProfileOutcome {
        es10::read_outcome(&self.ask(command)).unwrap()
    }
}

/// A chip with as many profiles, and the server they came from.
pub(super) fn equipped(count: u8) -> (TestPki, Euicc, Smdp) {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    for number in 0..count {
        server.order(TOKEN, iccid(number), None);
        download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    }
    (pki, chip, server)
}

fn by_iccid(number: u8) -> ProfileId {
    ProfileId::Iccid(iccid(number))
}

fn enable(profile: ProfileId) -> Command {
    Command::Enable {
        profile,
        refresh: true,
    }
}

fn disable(profile: ProfileId) -> Command {
    Command::Disable {
        profile,
        refresh: false,
    }
}

#[test]
fn profiles_change_their_states_only_as_they_may() {
    let (_, mut chip, _) = equipped(2);
    let mut raw = Raw::open(&mut chip);
    let unknown = || ProfileId::Aid(vec![0xA0, 0, 0, 0, 1]);
    use ProfileOutcome::{NotFound, Ok, Undefined, WrongState};
    let nickname = |length: usize| Command::SetNickname {
        iccid: iccid(0),
        nickname: "n".repeat(length),
    };
    let steps = [
        (enable(unknown()), NotFound),
        (enable(by_iccid(7)), NotFound),
        (disable(by_iccid(0)), WrongState),
        (disable(unknown()), NotFound),
        (enable(by_iccid(0)), Ok),
        (enable(by_iccid(0)), WrongState),
        (Command::Delete(by_iccid(0)), WrongState),
        // The one in use gives way.
        (enable(by_iccid(1)), Ok),
        (disable(by_iccid(0)), WrongState),
        (Command::Delete(by_iccid(0)), Ok),
        (Command::Delete(by_iccid(0)), NotFound),
        (nickname(1), NotFound),
        (disable(by_iccid(1)), Ok),
        (Command::RemoveNotification(9_999), NotFound),
        (Command::RemoveNotification(1), Ok),
        (Command::SetDefaultAddress("a".repeat(256)), Undefined),
        (Command::SetDefaultAddress("a".repeat(255)), Ok),
    ];
    for (place, (command, expected)) in steps.into_iter().enumerate() {
        assert_eq!(raw.outcome(&command), expected, "step {place}");
    }
    let named = |length| Command::SetNickname {
        iccid: iccid(1),
        nickname: "n".repeat(length),
    };
    assert_eq!(raw.outcome(&named(65)), Undefined);
    assert_eq!(raw.outcome(&named(64)), Ok);
    assert_eq!(raw.outcome(&named(0)), Ok);
    let listed = es10::read_profiles(&raw.ask(&Command::GetProfiles(Search::default()))).unwrap();
    assert_eq!((listed.len(), listed[0].nickname.as_deref()), (1, None));
    // By its domain, as the list tells it.
    let aid = listed[0].aid.clone().unwrap();
    assert_eq!(raw.outcome(&enable(ProfileId::Aid(aid))), Ok);
    let events: Vec<Event> = {
        let answer = raw.ask(&Command::ListNotifications(NotificationFilter::All));
        let all = es10::read_notification_list(&answer).unwrap();
        assert!(all.is_sorted_by_key(|one| one.sequence_number));
        all.iter().map(|one| one.event).collect()
    };
    use Event::{Delete, Disable, Enable, Install};
    let expected = [Install, Enable, Disable, Enable, Delete, Disable, Enable];
    assert_eq!(events, expected);
}

#[test]
fn notifications_are_chosen_by_number_and_event() {
    let (_, mut chip, _) = equipped(2);
    let mut raw = Raw::open(&mut chip);
    raw.ask(&enable(by_iccid(0)));
    let count = |raw: &mut Raw<'_>, filter| {
        let listed = match filter {
            NotificationFilter::Number(_) => None,
            _ => Some(raw.ask(&Command::ListNotifications(filter))),
        };
        let whole = raw.ask(&Command::RetrieveNotifications(filter));
        let whole = es10::read_notifications(&whole).unwrap().len();
        if let Some(listed) = listed {
            assert_eq!(es10::read_notification_list(&listed).unwrap().len(), whole);
        }
        whole
    };
    assert_eq!(count(&mut raw, NotificationFilter::All), 3);
    assert_eq!(count(&mut raw, NotificationFilter::Number(2)), 1);
    assert_eq!(count(&mut raw, NotificationFilter::Number(99)), 0);
    let enabled = NotificationFilter::Events(NamedBits::of(&[Event::Enable.bit()]));
    assert_eq!(count(&mut raw, enabled), 1);
    let deleted = NotificationFilter::Events(NamedBits::of(&[Event::Delete.bit()]));
    assert_eq!(count(&mut raw, deleted), 0);
}

#[test]
fn rules_of_a_profile_hold() {
    let mut pki = pki(Curve::P256);
    let owner = OperatorId {
        plmn: "46000".parse().unwrap(),
        gid1: None,
        gid2: None,
    };
    let mut settings = settings(&mut pki);
    settings.rules.push(AuthorisationRule {
        rules: NamedBits::of(&[rule::PPR1, rule::PPR2]),
        operators: vec![owner.clone()],
        consent_required: true,
    });
    let (mut chip, mut server) = (Euicc::new(settings).unwrap(), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    let metadata = &mut server.orders.get_mut(TOKEN).unwrap().metadata;
    metadata.rules = Some(NamedBits::of(&[rule::PPR1, rule::PPR2]));
    metadata.owner = Some(owner);
    download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    server.order("TOKEN-2", iccid(1), None);
    {
        let mut reader = reader(&mut chip);
        let mut lpa = Lpa::open(&mut reader).unwrap();
        lpa.download(&order("TOKEN-2"), &mut server, &mut Willing(None))
            .unwrap();
    }
    let mut raw = Raw::open(&mut chip);
    let rules = es10::read_rules(&raw.ask(&Command::GetRules)).unwrap();
    assert!(rules[0].consent_required);
    use ProfileOutcome::{DisallowedByPolicy, Ok};
    assert_eq!(
        raw.outcome(&Command::Delete(by_iccid(0))),
        DisallowedByPolicy
    );
    assert_eq!(raw.outcome(&enable(by_iccid(0))), Ok);
    assert_eq!(raw.outcome(&disable(by_iccid(0))), DisallowedByPolicy);
    assert_eq!(raw.outcome(&enable(by_iccid(1))), DisallowedByPolicy);
    // The owner of the device may take everything away.
    let all = ResetOptions {
        operational_profiles: true,
        test_profiles: true,
        default_address: true,
    };
    assert_eq!(raw.outcome(&Command::MemoryReset(all)), Ok);
    assert_eq!(
        raw.outcome(&Command::MemoryReset(all)),
        ProfileOutcome::NotFound
    );
    assert!(chip.profiles().is_empty() && chip.take_refresh());
}

#[test]
fn a_reset_takes_only_what_it_names() {
    let (_, mut chip, mut server) = equipped(1);
    server.order(TOKEN, iccid(1), None);
    server.orders.get_mut(TOKEN).unwrap().metadata.class = Some(ProfileClass::Test);
    download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    let mut raw = Raw::open(&mut chip);
    raw.ask(&Command::SetDefaultAddress(ADDRESS.into()));
    let tests = ResetOptions {
        test_profiles: true,
        ..ResetOptions::default()
    };
    assert_eq!(
        raw.outcome(&Command::MemoryReset(tests)),
        ProfileOutcome::Ok
    );
    let address = ResetOptions {
        default_address: true,
        ..ResetOptions::default()
    };
    let default = |raw: &mut Raw<'_>| {
        let answer = raw.ask(&Command::GetAddresses);
        Addresses::from_bytes(&answer).unwrap().default_smdp
    };
    assert_eq!(default(&mut raw).as_deref(), Some(ADDRESS));
    assert_eq!(
        raw.outcome(&Command::MemoryReset(address)),
        ProfileOutcome::Ok
    );
    assert_eq!(default(&mut raw), None);
    assert_eq!(
        raw.outcome(&Command::MemoryReset(ResetOptions::default())),
        ProfileOutcome::NotFound
    );
    assert_eq!(chip.profiles().len(), 1);
}

#[test]
fn memory_is_accounted_for() {
    let mut pki = pki(Curve::P256);
    let mut settings = settings(&mut pki);
    let size = profile(iccid(0)).len();
    settings.memory_octets = size * 2 + size / 2;
    let (mut chip, mut server) = (Euicc::new(settings).unwrap(), Smdp::new(&pki));
    let free = |chip: &mut Euicc| {
        let answer = Raw::open(chip).ask(&Command::GetInfo2);
        let info = EuiccInfo2::from_bytes(&answer).unwrap();
        usize::try_from(info.free_memory_octets().unwrap()).unwrap()
    };
    let before = free(&mut chip);
    for number in 0..2 {
        server.order(TOKEN, iccid(number), None);
        download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    }
    assert_eq!(free(&mut chip), before - 2 * size);
    server.order(TOKEN, iccid(2), None);
    let full = download(&mut chip, &mut server, &mut Willing(None));
    let Err(LpaError::NotInstalled(result)) = &full else {
        panic!("{full:?}")
    };
    assert!(matches!(
        **result,
        FinalResult::Error {
            reason: ErrorReason::InsufficientMemory,
            ..
        }
    ));
    assert!(full.unwrap_err().to_string().contains("not enough room"));
    Raw::open(&mut chip).ask(&Command::Delete(by_iccid(1)));
    assert_eq!(free(&mut chip), before - size);
    assert!(download(&mut chip, &mut server, &mut Willing(None)).is_ok());
}

/// A list by the root of `pki` that names `revoked`, made so many days after the tests begin.
fn list(pki: &TestPki, revoked: &[&Certificate], day: u32) -> Vec<u8> {
    let now = NOW.plus(Duration::days(day));
    pki.root_issuer()
        .revoke(revoked, now, now.plus(Duration::days(30)))
        .unwrap()
}

#[test]
fn revoked_servers_are_not_believed() {
    let (pki, mut chip, mut server) = equipped(0);
    let foreign = self::pki(Curve::BrainpoolP256r1);
    let auth = pki.server(Role::DpAuth).unwrap();
    let load = |chip: &mut Euicc, der: Vec<u8>| {
        let answer = Raw::open(chip).send(&Command::LoadCrl(der).encode());
        es10::read_load_crl(&answer.unwrap()).unwrap()
    };
    let other_name = {
        // A manufacturer's list: the chip honours the roots' only.
        let issuer = pki.eum_issuer();
        issuer
            .revoke(&[], NOW, NOW.plus(Duration::days(1)))
            .unwrap()
    };
    assert_eq!(
        load(&mut chip, other_name),
        Err(LoadCrlError::VerificationKeyNotFound)
    );
    assert_eq!(
        load(&mut chip, list(&foreign, &[], 0)),
        Err(LoadCrlError::InvalidSignature)
    );
    assert_eq!(
        load(&mut chip, vec![0x30, 2, 5, 0]),
        Err(LoadCrlError::InvalidFormat)
    );
    let long = list(&pki, &[auth.certificate(); 1_500], 5);
    assert_eq!(load(&mut chip, long), Err(LoadCrlError::NotEnoughMemory));
    assert_eq!(
        load(&mut chip, list(&pki, &[auth.certificate()], 5)),
        Ok(())
    );
    let refused = Err(LoadCrlError::FresherCrlLoaded);
    assert_eq!(load(&mut chip, list(&pki, &[], 4)), refused);
    assert_eq!(load(&mut chip, list(&pki, &[], 5)), refused);
    // Power off and on.
    let settings = chip.settings.clone();
    let mut chip = Euicc::restore(settings, &chip.state()).unwrap();
    server.order(TOKEN, iccid(0), None);
    assert_eq!(
        download(&mut chip, &mut server, &mut Willing(None)),
        Err(LpaError::ServerNotTrusted(
            AuthenticateError::InvalidCertificate
        ))
    );
    assert_eq!(load(&mut chip, list(&pki, &[], 6)), Ok(()));
    assert!(download(&mut chip, &mut server, &mut Willing(None)).is_ok());
}

#[test]
fn commands_that_are_none_are_refused() {
    let (_, mut chip, _) = equipped(0);
    let mut raw = Raw::open(&mut chip);
    for (octets, status) in [
        (&[0xBF, 0x77, 0x00][..], 0x6A80),
        (&[0xBF, 0x31, 0x00], 0x6A80),
        (&[0xBF, 0x34, 0x00], 0x6A80),
        (&[0x00], 0x6A80),
        (&[0xBF, 0x2E, 0x05, 0x00], 0x6A80),
    ] {
        assert_eq!(raw.send(octets), Err(status), "{octets:02X?}");
    }
    // A chain of blocks that is out of order, or restarts.
    let mut block = |p1, p2, data: &[u8]| {
        let head = [0x81, 0xE2, p1, p2, u8::try_from(data.len()).unwrap()];
        raw.reader.transmit(&[&head[..], data].concat()).unwrap()
    };
    assert_eq!(block(0x11, 1, &[0xBF]), [0x6A, 0x86]);
    assert_eq!(block(0x11, 0, &[0xBF]), [0x90, 0x00]);
    assert_eq!(block(0x91, 2, &[0x2E, 0x00]), [0x6A, 0x86]);
    assert_eq!(block(0x91, 1, &[0x2E, 0x00]), [0x6A, 0x86]);
    assert_eq!(block(0x11, 0, &[0xFF]), [0x90, 0x00]);
    assert_eq!(block(0x11, 0, &[0xBF]), [0x90, 0x00]);
    assert_eq!(block(0x91, 1, &[0x2E, 0x00]), [0x61, 0x15]);
}

/// A chip with two operational profiles, 0 and 1, and two for tests, 2 and 3; the server they came from.
fn with_tests() -> (TestPki, Euicc, Smdp) {
    let (pki, mut chip, mut server) = equipped(2);
    for number in [2, 3] {
        server.order(TOKEN, iccid(number), None);
        server.orders.get_mut(TOKEN).unwrap().metadata.class = Some(ProfileClass::Test);
        download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    }
    (pki, chip, server)
}

fn in_use(chip: &Euicc) -> Option<Iccid> {
    chip.enabled_profile().map(|one| *one.iccid())
}

#[test]
fn after_test_profiles_only_the_one_before_them_comes_back() {
    use ProfileOutcome::{Ok, WrongReenabling};
    let (_, mut chip, _) = with_tests();
    let steps = [
        (enable(by_iccid(0)), Ok, 0),
        (enable(by_iccid(2)), Ok, 2),
        (enable(by_iccid(3)), Ok, 3),
        (enable(by_iccid(1)), WrongReenabling, 3),
        (enable(by_iccid(0)), Ok, 0),
        (enable(by_iccid(1)), Ok, 1),
        (enable(by_iccid(2)), Ok, 2),
        // Taken out of use, it leaves the place to the one before it.
        (disable(by_iccid(2)), Ok, 1),
        (enable(by_iccid(3)), Ok, 3),
    ];
    for (place, (command, expected, used)) in steps.into_iter().enumerate() {
        assert_eq!(
            Raw::open(&mut chip).outcome(&command),
            expected,
            "step {place}"
        );
        assert_eq!(in_use(&chip), Some(iccid(used)), "step {place}");
    }
    // Power off and on; then all test profiles go.
    let mut chip = Euicc::restore(chip.settings.clone(), &chip.state()).unwrap();
    let tests = ResetOptions {
        test_profiles: true,
        ..ResetOptions::default()
    };
    assert_eq!(
        Raw::open(&mut chip).outcome(&Command::MemoryReset(tests)),
        Ok
    );
    assert_eq!(in_use(&chip), Some(iccid(1)));
    // With nothing in use before, anything may come after.
    let (_, mut chip, _) = with_tests();
    let mut raw = Raw::open(&mut chip);
    for command in [enable(by_iccid(2)), enable(by_iccid(1))] {
        assert_eq!(raw.outcome(&command), Ok);
    }
    // The one before them is deleted: then too.
    for command in [
        enable(by_iccid(2)),
        Command::Delete(by_iccid(1)),
        enable(by_iccid(0)),
    ] {
        assert_eq!(raw.outcome(&command), Ok);
    }
}

#[test]
fn rules_of_a_profile_do_not_keep_test_profiles_out() {
    let mut pki = pki(Curve::P256);
    let owner = OperatorId {
        plmn: "46000".parse().unwrap(),
        gid1: None,
        gid2: None,
    };
    let mut settings = chip(&mut pki).settings;
    settings.rules = vec![AuthorisationRule {
        rules: NamedBits::of(&[rule::PPR1, rule::PPR2]),
        operators: vec![owner.clone()],
        consent_required: false,
    }];
    let (mut chip, mut server) = (Euicc::new(settings).unwrap(), Smdp::new(&pki));
    let mut fetch = |number, class, rules: &[u32]| {
        server.order(TOKEN, iccid(number), None);
        let metadata = &mut server.orders.get_mut(TOKEN).unwrap().metadata;
        metadata.class = Some(class);
        metadata.owner = Some(owner.clone());
        metadata.rules = (!rules.is_empty()).then(|| NamedBits::of(rules));
        download(&mut chip, &mut server, &mut Willing(None))
    };
    fetch(0, ProfileClass::Test, &[]).unwrap();
    fetch(1, ProfileClass::Operational, &[rule::PPR1]).unwrap();
    fetch(2, ProfileClass::Operational, &[]).unwrap();
    use ProfileOutcome::{DisallowedByPolicy, Ok};
    let mut raw = Raw::open(&mut chip);
    let steps = [
        (enable(by_iccid(1)), Ok),
        (enable(by_iccid(2)), DisallowedByPolicy),
        (disable(by_iccid(1)), DisallowedByPolicy),
        (enable(by_iccid(0)), Ok),
        (disable(by_iccid(0)), Ok),
    ];
    for (place, (command, expected)) in steps.into_iter().enumerate() {
        assert_eq!(raw.outcome(&command), expected, "step {place}");
    }
    assert_eq!(in_use(&chip), Some(iccid(1)));
}

#[test]
fn a_card_that_waits_for_the_device_to_read_it_anew_is_busy() {
    use ProfileOutcome::{CatBusy, Ok};
    let (_, mut chip, _) = equipped(2);
    let mut raw = Raw::open(&mut chip);
    let terminal_profile = [0x80, 0x10, 0, 0, 1, 0xFF];
    assert_eq!(raw.reader.transmit(&terminal_profile).unwrap(), [0x90, 0]);
    let fetch = [0x80, 0x12, 0, 0, 0x0B];
    assert_eq!(
        raw.reader.transmit(&fetch).unwrap(),
        [0x69, 0x85],
        "there is none yet"
    );
    let send = |raw: &mut Raw<'_>, command: &Command| {
        let octets = command.encode();
        let head = [0x81, 0xE2, 0x91, 0, u8::try_from(octets.len()).unwrap()];
        let first = raw.reader.transmit(&[&head[..], &octets].concat()).unwrap();
        let [0x61, count] = first[..] else {
            panic!("{first:?}")
        };
        let mut answer = raw.reader.transmit(&[0x81, 0xC0, 0, 0, count]).unwrap();
        let status = answer.split_off(answer.len() - 2);
        (es10::read_outcome(&answer).unwrap(), status)
    };
    let enabled = send(&mut raw, &enable(by_iccid(0)));
    assert_eq!(
        enabled,
        (Ok, vec![0x91, 0x0B]),
        "a command waits to be fetched"
    );
    assert_eq!(send(&mut raw, &enable(by_iccid(1))).0, CatBusy);
    let mut refresh = raw.reader.transmit(&fetch).unwrap();
    assert_eq!(refresh.split_off(refresh.len() - 2), [0x90, 0]);
    assert_eq!((refresh[0], refresh[5], refresh[6]), (0xD0, 0x01, 0x04));
    assert_eq!(send(&mut raw, &enable(by_iccid(1))).0, CatBusy);
    let all = ResetOptions {
        operational_profiles: true,
        ..ResetOptions::default()
    };
    assert_eq!(send(&mut raw, &Command::MemoryReset(all)).0, CatBusy);
    let quietly = Command::Disable {
        profile: by_iccid(0),
        refresh: false,
    };
    assert_eq!(
        send(&mut raw, &quietly).0,
        Ok,
        "what asks for no refresh need not wait"
    );
    let response = [0x80, 0x14, 0, 0, 3, 0x81, 0x03, 0x01];
    assert_eq!(raw.reader.transmit(&response).unwrap(), [0x90, 0]);
    assert_eq!(send(&mut raw, &enable(by_iccid(1))).0, Ok);
}

#[test]
fn lists_that_are_asked_for_wrongly_are_refused_in_their_own_words() {
    let (_, mut chip, _) = equipped(1);
    let mut raw = Raw::open(&mut chip);
    // Search criteria that are none.
    let profiles = raw.send(&[0xBF, 0x2D, 4, 0xA0, 2, 0x5A, 0]).unwrap();
    assert_eq!(profiles, [0xBF, 0x2D, 3, 0x81, 1, 1]);
    let notifications = raw.send(&[0xBF, 0x28, 2, 0x81, 0]).unwrap();
    assert_eq!(notifications, [0xBF, 0x28, 3, 0x81, 1, 127]);
    assert_eq!(raw.send(&[0xBF, 0x31, 2, 0xA0, 0]), Err(0x6A80));
}

#[test]
fn a_class_of_profile_that_is_not_supported_is_not_installed() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    server.orders.get_mut(TOKEN).unwrap().metadata.class = Some(ProfileClass::Provisioning);
    let failed = download(&mut chip, &mut server, &mut Willing(None)).unwrap_err();
    assert!(
        format!("{failed:?}").contains("UnsupportedProfileClass"),
        "{failed:?}"
    );
    assert!(chip.profiles().is_empty());
}
