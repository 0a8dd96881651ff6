use super::*;
use crate::identity::{hex, unhex};
use crate::tlv::Writer;
use proptest::prelude::*;

const KI: [u8; 16] = [0x4B; 16];

fn data() -> Personalisation {
    let all = RadioAccess {
        gsm: false,
        utran: true,
        eutran: true,
        ngran: true,
    };
    let access = |plmn: &str| NetworkAccess {
        plmn: plmn.parse().unwrap(),
        radio: all,
    };
    let key = |identifier| OtaKey {
        version: 1,
        identifier,
        key: Secret::new([0xE0 + identifier; 16]),
    };
    Personalisation {
        iccid: "8986012345678901239".parse().unwrap(),
        imsi: "460001234567895".parse().unwrap(),
        home: "46000".parse().unwrap(),
        keys: SubscriberKeys::Milenage {
            ki: Secret::new(KI),
            opc: Secret::new([0x0C; 16]),
        },
        pin1: "1234".parse().unwrap(),
        pin2: "5678".parse().unwrap(),
        puk1: "11112222".parse().unwrap(),
        puk2: "33334444".parse().unwrap(),
        administrative: "99990000".parse().unwrap(),
        service_centre: Some("+8613800100500".parse().unwrap()),
        msisdn: Some("+8613912345678".parse().unwrap()),
        service_provider_name: "Simurgh".into(),
        equivalent_home: vec!["46002".parse().unwrap()],
        home_access: vec![access("46000")],
        preferred: vec![access("310410"), access("45400")],
        forbidden: vec!["46001".parse().unwrap()],
        ota_keys: vec![key(1), key(2), key(3)],
        access_class: None,
    }
}

fn template(variant: TemplateVariant) -> Package {
    Package::parse(&standard_template(variant)).unwrap()
}

fn content(package: &Package, kind: ElementKind, tag: u32) -> String {
    let tag = Tag::new(tag);
    let node = package.find(kind).unwrap().node.child(tag).unwrap();
    hex(&file_content(node, default_file(kind, tag)).unwrap())
}

#[test]
fn our_templates_are_well_formed_and_write_back_as_they_are() {
    for variant in [TemplateVariant::Basic, TemplateVariant::FiveG] {
        let bytes = standard_template(variant);
        let package = Package::parse(&bytes).unwrap();
        assert_eq!(package.encode(), bytes);
        // The placeholder is no number that a profile could have, and yet well formed.
        let summary = check(&package).unwrap();
        assert_eq!(summary.profile_type.as_deref(), Some("Simurgh"));
        assert_eq!(summary.services, [1, 4]);
    }
}

#[test]
fn a_profile_holds_what_the_subscriber_has() {
    let bytes = personalise(&template(TemplateVariant::FiveG), &data()).unwrap();
    let package = Package::parse(&bytes).unwrap();
    assert_eq!(check(&package).unwrap().iccid, data().iccid);
    // The header has the digits in their order, the file has them swapped.
    assert!(hex(&bytes).contains("830A8986012345678901239F"));
    let usim = |tag| content(&package, ElementKind::Usim, tag);
    assert_eq!(
        content(&package, ElementKind::MasterFile, 0xA4),
        "986810325476981032F9"
    );
    assert_eq!(usim(0xA3), "084906002143658759");
    assert_eq!(usim(0xAD), format!("0053696D75726768{}", "FF".repeat(9)));
    assert_eq!(usim(0xB2), "0020");
    assert_eq!(usim(0xB5), "00000002");
    assert_eq!(usim(0xB3), format!("64F010{}", "FF".repeat(9)));
    assert_eq!(
        usim(0xAB),
        format!(
            "{}FD{}0891683108100005F0{}FFFFFF",
            "FF".repeat(10),
            "FF".repeat(12),
            "FF".repeat(3)
        )
    );
    let opt = |tag| content(&package, ElementKind::OptUsim, tag);
    assert_eq!(
        opt(0xA7),
        format!("{}0891683119325476F8{}", "FF".repeat(10), "FF".repeat(5))
    );
    assert_eq!(opt(0xB1), "64F000C800");
    assert_eq!(
        opt(0xB0),
        format!("130014C80054F400C800{}", "FFFFFF0000".repeat(6))
    );
    assert_eq!(opt(0xBF3A), format!("64F020{}", "FF".repeat(12)));
}

#[test]
fn no_placeholder_stays_in_a_profile() {
    let bytes = hex(&personalise(&template(TemplateVariant::FiveG), &data()).unwrap());
    for secret in [
        hex(&KI),
        "0C".repeat(16),
        "E1".repeat(16),
        "E2".repeat(16),
        "E3".repeat(16),
        hex(b"1234\xFF\xFF\xFF\xFF"),
        hex(b"5678\xFF\xFF\xFF\xFF"),
        hex(b"11112222"),
        hex(b"33334444"),
        hex(b"99990000"),
    ] {
        assert!(bytes.contains(&secret));
    }
    assert!(!bytes.contains(&hex(b"00000000")));
    assert!(!bytes.contains(&"00".repeat(16)));
    assert!(!format!("{:?}", data()).contains("1234"));
    let shown = format!("{:?}", Package::parse(&unhex(&bytes).unwrap()).unwrap());
    assert!(!shown.contains("75"), "a key shows: {shown}");
}

#[test]
fn without_keys_nobody_can_change_a_profile_over_the_air() {
    let mut data = data();
    data.ota_keys.clear();
    let bytes = personalise(&template(TemplateVariant::Basic), &data).unwrap();
    let package = Package::parse(&bytes).unwrap();
    assert!(package.find(ElementKind::SecurityDomain).is_none());
    assert!(package.find(ElementKind::RemoteFileManagement).is_none());
    data.ota_keys.push(OtaKey {
        version: 1,
        identifier: 1,
        key: Secret::new([1; 16]),
    });
    assert_eq!(
        personalise(&template(TemplateVariant::Basic), &data)
            .unwrap_err()
            .why,
        Complaint::Missing("a key for changes over the air")
    );
}

#[test]
fn names_outside_the_alphabet_are_written_in_ucs2() {
    let mut data = data();
    data.service_provider_name = "思摩格".into();
    let bytes = personalise(&template(TemplateVariant::Basic), &data).unwrap();
    let package = Package::parse(&bytes).unwrap();
    assert_eq!(
        content(&package, ElementKind::Usim, 0xAD),
        format!("0080601D6469683C{}", "FF".repeat(9))
    );
    data.service_provider_name = "A name that is much too long".into();
    assert!(personalise(&template(TemplateVariant::Basic), &data).is_err());
}

#[test]
fn the_variant_follows_the_chip() {
    let mut info = crate::message::info::EuiccInfo2::default();
    for (version, variant) in [
        ([2, 1, 0], TemplateVariant::Basic),
        ([2, 2, 9], TemplateVariant::Basic),
        ([2, 3, 1], TemplateVariant::FiveG),
        ([3, 1, 0], TemplateVariant::FiveG),
    ] {
        info.profile_version = crate::message::info::Version(version);
        assert_eq!(TemplateVariant::for_euicc(&info), variant);
    }
}

/// What `change` makes of our template is refused with this message.
fn refused(change: impl FnOnce(&mut Vec<Element>)) -> String {
    let mut package = template(TemplateVariant::FiveG);
    change(&mut package.elements);
    check(&package).unwrap_err().to_string()
}

fn place(elements: &[Element], kind: ElementKind) -> usize {
    elements.iter().position(|one| one.kind == kind).unwrap()
}

#[test]
fn a_malformed_package_is_refused_with_the_element_named() {
    use ElementKind as Kind;
    assert_eq!(
        refused(|all| {
            all.remove(0);
        }),
        "element 0 (mf): it may not stand here: the first element is the header"
    );
    assert_eq!(
        refused(|all| {
            all.pop();
        }),
        "at element 12: the package has no element end"
    );
    assert_eq!(
        refused(|all| {
            let puk = place(all, Kind::PukCodes);
            all.remove(puk);
        }),
        "element 2 (pinCodes): unblockingPINReference is not valid"
    );
    assert_eq!(
        refused(|all| {
            let usim = place(all, Kind::Usim);
            all[usim]
                .node
                .children_mut()
                .unwrap()
                .retain(|one| one.tag != Tag::new(0xA3));
        }),
        "element 4 (usim): EF.IMSI is missing"
    );
    assert_eq!(
        refused(|all| {
            let aka = place(all, Kind::AkaParameter);
            all.remove(aka);
        }),
        "at element 12: the package has no element akaParameter"
    );
    assert_eq!(
        refused(|all| {
            let usim = place(all, Kind::Usim);
            let opt = place(all, Kind::OptUsim);
            all.swap(usim, opt);
        }),
        "element 4 (opt-usim): it may not stand here: the USIM comes first"
    );
    assert_eq!(
        refused(|all| {
            let copy = all[3].clone();
            all.insert(4, copy);
        }),
        "element 4 (pinCodes): its identification is not unique"
    );
    assert_eq!(
        refused(|all| all[0].node.put(Tag::new(0x83), &[0x89; 10])),
        "element 1 (mf): ef-iccid is not valid"
    );
}

#[test]
fn contents_follow_offsets_and_patterns() {
    let tag = Tag::new(0xA7);
    let definition = default_file(ElementKind::OptUsim, tag);
    let node = |fill: &dyn Fn(&mut Writer)| {
        let bytes = Writer::nest(tag, |w| fill(w));
        Node::parse(&crate::tlv::Tlv::parse(&bytes).unwrap()).unwrap()
    };
    let offsets = node(&|w| {
        w.nested(Tag::new(0xA1), |w| {
            w.octets(Tag::new(0x80), &[8]).nested(Tag::new(0xA5), |w| {
                w.octets(Tag::new(0xC2), &[1, 2]);
            });
        });
        w.integer(Tag::new(0x82), 1)
            .octets(Tag::new(0x83), &[9])
            .integer(Tag::new(0x82), 2)
            .octets(Tag::new(0x83), &[8, 8]);
    });
    assert_eq!(
        file_content(&offsets, definition),
        Some(vec![1, 9, 1, 2, 8, 8, 1, 2])
    );
    let too_long = node(&|w| {
        w.octets(Tag::new(0x83), &[0; 25]);
    });
    assert_eq!(file_content(&too_long, definition), None);
    let not_made = node(&|w| {
        w.octets(Tag::new(0x80), &[]);
    });
    assert_eq!(file_content(&not_made, definition), None);
    let untouched = node(&|_| {});
    assert_eq!(file_content(&untouched, definition), Some(vec![0xFF; 24]));
}

#[test]
fn what_a_chip_says_of_the_elements_is_understood() {
    let response = InstallResponse {
        elements: vec![ElementStatus {
            status: 9,
            identification: Some(7),
            additional: None,
            offset: Some(300),
        }],
        aborted: true,
        message: Some("no".into()),
    };
    let bytes = response.encode();
    assert_eq!(InstallResponse::parse(&bytes), Ok(response.clone()));
    assert_eq!(
        response.elements[0].text(),
        "the file template is not supported"
    );
    let nothing = InstallResponse::parse(&[0x30, 0x00]).unwrap();
    assert_eq!(nothing, InstallResponse::default());
    let twice = [&bytes[..], &bytes].concat();
    assert_eq!(InstallResponse::parse(&twice).unwrap().elements.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_bent_template_is_judged_without_harm(
        at in any::<prop::sample::Index>(), value in any::<u8>()
    ) {
        let mut bytes = standard_template(TemplateVariant::FiveG);
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(package) = Package::parse(&bytes) {
            let _ = check(&package);
            let _ = personalise(&package, &data());
            for definition in default_files() {
                if let Some(element) = package.find(definition.element)
                    && let Some(node) = element.node.child(definition.tag)
                {
                    let _ = file_content(node, Some(definition));
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Package::parse(&bytes).map(|package| check(&package));
        let _ = InstallResponse::parse(&bytes);
    }
}
