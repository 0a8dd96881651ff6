use super::*;
use crate::key::Curve;
use crate::tlv::Tlv;
use proptest::prelude::*;

const TRANSACTION: &[u8] = &[0xAB; 16];

struct Sides {
    eid: Eid,
    chip: PrivateKey,
    server: PrivateKey,
    signer: PrivateKey,
}

fn sides(curve: Curve) -> Sides {
    let key = |seed| PrivateKey::from_scalar(curve, &[seed; 32]).unwrap();
    Sides {
        eid: "89049032123451234512345678901235".parse().unwrap(),
        chip: key(0x11),
        server: key(0x22),
        signer: key(0x33),
    }
}

impl Sides {
    fn package(&self, metadata: &[u8], content: Content<'_>) -> Vec<u8> {
        let binding = Binding {
            transaction_id: TRANSACTION,
            eid: &self.eid,
            euicc_key: &self.chip.public_key(),
            one_time_key: &self.server,
            host_id: b"simurgh",
            proprietary_oid: None,
        };
        binding.bind(metadata, content, &self.signer).unwrap()
    }

    /// Metadata and profile as the chip understands them.
    fn install(&self, commands: &[Vec<u8>]) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let session = Session {
            transaction_id: TRANSACTION,
            eid: &self.eid,
            one_time_key: &self.chip,
            server: &self.signer.public_key(),
        };
        let (mut metadata, mut profile) = (Vec::new(), Vec::new());
        let mut receiver = Receiver::new();
        for command in commands {
            match receiver.take(command, &session)? {
                Received::Nothing => {}
                Received::Configuration(text) => assert_eq!(text.as_slice(), [0xBF, 0x24, 0]),
                Received::Metadata(text) => metadata = text,
                Received::Profile(text) => profile.extend_from_slice(&text),
                Received::LastOfProfile(text) => {
                    profile.extend_from_slice(&text);
                    return Ok((metadata, profile));
                }
            }
        }
        Err(Failure {
            command: receiver.expects(),
            reason: ErrorReason::Interruption,
        })
    }
}

fn protected(upp: &[u8]) -> ProtectedProfile {
    ProtectedProfile::protect(upp, &mut crate::pki::testing::counting()).unwrap()
}

#[test]
fn a_package_arrives_in_the_chip_in_both_forms_on_both_curves() {
    let upp: Vec<u8> = (0..12_257u32).map(|n| (n % 251) as u8).collect();
    let metadata = Writer::object(Tag::new(0xBF25), &[5; 1_500]);
    for curve in Curve::ALL {
        let sides = sides(curve);
        for content in [Content::Protected(&protected(&upp)), Content::Plain(&upp)] {
            let package = sides.package(&metadata, content);
            let commands = bpp_commands(&package).unwrap();
            assert_eq!(commands.concat(), package);
            assert!(commands.iter().all(|one| one.len() <= 1_020));
            let (got_metadata, got_profile) = sides.install(&commands).unwrap();
            assert_eq!(got_metadata, metadata);
            assert_eq!(got_profile, upp);
        }
    }
}

#[test]
fn binding_a_protected_profile_leaves_its_segments_as_they_are() {
    let profile = protected(&[7; 5_000]);
    let package = sides(Curve::P256).package(b"\xBF\x25\x00", Content::Protected(&profile));
    assert!(package.ends_with(profile.segments()));
    let parts = bpp_parts(&Tlv::parse(&package).unwrap()).unwrap();
    assert!(parts.second_commands.is_some());
    assert!(package.len() - profile.segments().len() < 1_024);
}

#[test]
fn an_lpa_reads_the_metadata_of_a_package() {
    use crate::message::Wire as _;
    let iccid = "8986012345678901239".parse().unwrap();
    let mut metadata =
        crate::message::metadata::ProfileMetadata::new(iccid, "Simurgh".into(), "Global".into());
    metadata.icon = Some(crate::message::metadata::Icon {
        kind: crate::message::metadata::IconType::Png,
        image: vec![7; 1_024],
    });
    let package = sides(Curve::P256).package(&metadata.encode(), Content::Plain(b"profile"));
    assert_eq!(bpp_metadata(&package), Ok(metadata));
    assert!(bpp_metadata(&package[..40]).is_err());
}

#[test]
fn the_chip_names_the_command_and_the_reason() {
    let sides = sides(Curve::P256);
    let package = sides.package(b"\xBF\x25\x00", Content::Protected(&protected(&[7; 3_000])));
    let good = bpp_commands(&package).unwrap();
    let refused = |commands: &[Vec<u8>]| {
        let failure = sides.install(commands).unwrap_err();
        (failure.command, failure.reason)
    };
    let bend = |place: usize| {
        let mut commands = good.clone();
        *commands[place].last_mut().unwrap() ^= 1;
        commands
    };
    use BppCommand as Command;
    use ErrorReason as Reason;
    assert_eq!(
        refused(&bend(0)),
        (Command::InitialiseSecureChannel, Reason::InvalidSignature)
    );
    assert_eq!(
        refused(&bend(1)),
        (Command::ConfigureIsdp, Reason::BspSecurityError)
    );
    assert_eq!(
        refused(&bend(3)),
        (Command::StoreMetadata, Reason::BspSecurityError)
    );
    assert_eq!(
        refused(&bend(4)),
        (Command::ReplaceSessionKeys, Reason::BspSecurityError)
    );
    assert_eq!(
        refused(&bend(6)),
        (Command::LoadProfileElements, Reason::BspSecurityError)
    );
    let mut swapped = good.clone();
    swapped.swap(6, 7);
    assert_eq!(
        refused(&swapped),
        (Command::LoadProfileElements, Reason::BspSecurityError)
    );
    assert_eq!(
        refused(&good[..good.len() - 1]),
        (Command::LoadProfileElements, Reason::Interruption)
    );
}

#[test]
fn a_package_of_another_session_is_refused() {
    let ours = sides(Curve::P256);
    let package = ours.package(b"\xBF\x25\x00", Content::Plain(b"profile"));
    let commands = bpp_commands(&package).unwrap();
    let mut other = sides(Curve::P256);
    other.chip = PrivateKey::from_scalar(Curve::P256, &[0x44; 32]).unwrap();
    assert_eq!(
        other.install(&commands).unwrap_err().reason,
        ErrorReason::InvalidSignature
    );
    let mut elsewhere = sides(Curve::P256);
    elsewhere.eid = "89049032123451234512345678901236".parse().unwrap();
    assert_eq!(
        elsewhere.install(&commands).unwrap_err().reason,
        ErrorReason::BspSecurityError
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_receiver_survives_any_commands(
        commands in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..6),
        good in 0usize..6,
    ) {
        let sides = sides(Curve::P256);
        let package = sides.package(b"\xBF\x25\x00", Content::Plain(&[1; 2_000]));
        let mut mixed = bpp_commands(&package).unwrap();
        mixed.truncate(good);
        mixed.extend(commands);
        prop_assert!(sides.install(&mixed).is_err());
    }
}
