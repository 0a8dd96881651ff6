//! The chip as a card: channels, answers in pieces, files, the network's challenge.

use super::isdr::Raw;
use super::*;
use simurgh_rsp::identity::{hex, unhex};
use simurgh_rsp::message::es10::{Command, ISD_R_AID, ProfileId};

fn status(answer: &[u8]) -> u16 {
    let [.., high, low] = answer else {
        panic!("no status word");
    };
    u16::from_be_bytes([*high, *low])
}

/// A chip with a profile in use, whose keys are given.
fn in_use(ki: [u8; 16], opc: [u8; 16]) -> Euicc {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    let keys = SubscriberKeys::Milenage {
        ki: Secret::new(ki),
        opc: Secret::new(opc),
    };
    let package = profile_with(iccid(0), keys);
    let random = &mut server.random;
    server.orders.get_mut(TOKEN).unwrap().profile =
        ProtectedProfile::protect(&package, &mut |octets| random.fill(octets)).unwrap();
    download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    Raw::open(&mut chip).ask(&Command::Enable {
        profile: ProfileId::Iccid(iccid(0)),
        refresh: true,
    });
    chip.reset();
    chip
}

#[test]
fn channels_are_opened_used_and_closed() {
    let mut pki = pki(Curve::P256);
    let mut chip = chip(&mut pki);
    let mut reader = reader(&mut chip);
    let mut send = |apdu: &[u8]| reader.transmit(apdu).unwrap();
    for number in 1..20 {
        assert_eq!(send(&[0, 0x70, 0, 0, 1]), [number, 0x90, 0]);
    }
    assert_eq!(status(&send(&[0, 0x70, 0, 0, 1])), 0x6A81);
    assert_eq!(status(&send(&[0, 0x70, 0x80, 2])), 0x9000);
    assert_eq!(status(&send(&[0, 0x70, 0x80, 2])), 0x6881);
    assert_eq!(status(&send(&[0x82, 0xE2, 0x91, 0, 0])), 0x6881);
    assert_eq!(send(&[0, 0x70, 0, 0, 1]), [2, 0x90, 0]);
    // The basic channel cannot be closed; nothing is selected on a new one.
    assert_eq!(status(&send(&[0, 0x70, 0x80, 0])), 0x6A86);
    assert_eq!(
        status(&send(&[0x82, 0xE2, 0x91, 0, 3, 0xBF, 0x2E, 0])),
        0x6985
    );
    // Channels from 4 on have another form of class.
    let select = [&[0x40, 0xA4, 4, 0, 16][..], &ISD_R_AID].concat();
    assert_eq!(status(&send(&select)) >> 8, 0x61);
    assert_eq!(
        status(&send(&[0xC0, 0xE2, 0x91, 0, 3, 0xBF, 0x2E, 0])),
        0x6115
    );
    for (apdu, expected) in [
        (&[0x00, 0x01, 0, 0][..], 0x6D00),
        (&[0x00, 0xA4, 0x04, 0x00, 0x02, 0xA0, 0x01], 0x6A82),
        (&[0x00, 0xA4, 0x07, 0x00, 0x02, 0x3F, 0x00], 0x6A86),
        (&[0x00, 0xA4, 0x00], 0x6700),
        (&[0x00, 0xC0, 0, 0, 1], 0x6985),
        (&[0xFF, 0xC0, 0, 0, 1], 0x6E00),
        (&[0x04, 0xA4, 0, 0, 1], 0x6E00),
    ] {
        assert_eq!(status(&send(apdu)), expected, "{apdu:02X?}");
    }
}

#[test]
fn long_answers_come_in_pieces() {
    let mut pki = pki(Curve::P256);
    let mut chip = chip(&mut pki);
    let whole = Raw::open(&mut chip).ask(&Command::GetInfo2);
    chip.reset();
    Raw::open(&mut chip);
    let mut reader = reader(&mut chip);
    let first = reader
        .transmit(&[0x81, 0xE2, 0x91, 0, 3, 0xBF, 0x22, 0])
        .unwrap();
    let mut left = usize::from(first[1]);
    assert_eq!((first[0], left), (0x61, whole.len()));
    let mut gathered = Vec::new();
    while left > 0 {
        let mut answer = reader.transmit(&[0x81, 0xC0, 0, 0, 50]).unwrap();
        let word = answer.split_off(answer.len() - 2);
        left -= answer.len();
        let expected = if left == 0 {
            [0x90, 0]
        } else {
            [0x61, u8::try_from(left).unwrap()]
        };
        assert_eq!(word, expected);
        gathered.extend(answer);
    }
    assert_eq!(gathered, whole);
    // Another command takes the place of an answer nobody fetched.
    reader
        .transmit(&[0x81, 0xE2, 0x91, 0, 3, 0xBF, 0x22, 0])
        .unwrap();
    let answer = reader
        .transmit(&[0x81, 0xE2, 0x91, 0, 3, 0xBF, 0x2E, 0])
        .unwrap();
    assert_eq!(answer, [0x61, 0x15]);
}

/// 3GPP TS 35.208 §4.3, test set 1, through the card's commands.
#[test]
fn ts_35_208_test_set_1_by_authenticate() {
    let block = |text: &str| -> [u8; 16] { unhex(text).unwrap().try_into().unwrap() };
    let mut chip = in_use(
        block("465B5CE8B199B49FAA5F0A2EE238A6BC"),
        block("CD63CB71954A9F4E48A5994E37A02BAF"),
    );
    let mut reader = reader(&mut chip);
    let mut send = |apdu: &[u8]| {
        let answer = reader.transmit(apdu).unwrap();
        match answer[..] {
            [0x61, count] => reader.transmit(&[0, 0xC0, 0, 0, count]).unwrap(),
            _ => answer,
        }
    };
    let rand = "23553CBE9637A89D218AE64DAE47BF35";
    // SQN FF9BB4D0B607 under AK AA689C648370, AMF B9B9, MAC-A.
    let autn = "55F328B43577B9B94A9FFAC354DFAFB3";
    let challenge = |context: u8, autn: &str| {
        let head = [0, 0x88, 0, context, 0x22, 0x10];
        [
            &head[..],
            &unhex(rand).unwrap(),
            &[0x10],
            &unhex(autn).unwrap(),
        ]
        .concat()
    };
    assert_eq!(status(&send(&challenge(0x81, autn))), 0x6985);
    let select = unhex("00A4040407A0000000871002").unwrap();
    assert_eq!(status(&send(&select)), 0x9000);
    assert_eq!(status(&send(&challenge(0x82, autn))), 0x6A86);
    assert_eq!(status(&send(&challenge(0x80, autn))), 0x6A80);
    // In the context of GSM: SRES and Kc (3GPP TS 55.205 §4.1).
    let gsm = [&[0, 0x88, 0, 0x80, 0x11, 0x10][..], &unhex(rand).unwrap()].concat();
    assert_eq!(hex(&send(&gsm)), "0446F8416A08EAE4BE823AF9A08B9000");
    assert_eq!(
        hex(&send(&challenge(0x81, autn))),
        concat!(
            "DB08A54211D5E3BA50BF",
            "10B40BA9A3C58B2A05BBF0D987B21BF8CB",
            "10F769BCD751044604127672711C6D3441",
            "9000"
        )
    );
    // The same number again: AUTS with the highest number under AK*, which is 451E8BECA43B.
    let again = send(&challenge(0x81, autn));
    assert_eq!(hex(&again[..8]), "DC0EBA853F3C123C");
    let bent = "55F328B43577B9B94A9FFAC354DFAFB2";
    assert_eq!(status(&send(&challenge(0x81, bent))), 0x9862);
    assert_eq!(status(&send(&[0, 0x88, 0, 0x81, 1, 0x10])), 0x6A80);
}

#[test]
fn files_of_the_profile_in_use_are_read_and_no_others() {
    let mut chip = in_use([1; 16], [2; 16]);
    let mut reader = reader(&mut chip);
    let mut send = |text: &str| {
        let answer = reader.transmit(&unhex(text).unwrap()).unwrap();
        match answer[..] {
            [0x61, count] => hex(&reader.transmit(&[0, 0xC0, 0, 0, count]).unwrap()),
            _ => hex(&answer),
        }
    };
    assert_eq!(send("00B000000A"), "6985");
    assert!(send("00A40004022FE2").ends_with("9000"));
    assert_eq!(
        send("00B000000A"),
        format!("{}9000", hex(iccid(0).as_octets()))
    );
    assert_eq!(send("00B0000A01"), "6B00");
    assert_eq!(send("00B0820001"), "6A81");
    assert_eq!(send("00B2010400"), "6A83");
    assert_eq!(send("00A40004026FFF"), "6A82");
    assert!(send("00A4040407A0000000871002").ends_with("9000"));
    assert!(send("00A40004026F07").ends_with("9000"));
    assert_eq!(send("00B0000009"), "0849060021436587599000");
    assert!(send("00A40004026F46").ends_with("9000"));
    assert!(send("00B0000011").contains(&hex(b"Simurgh")));
    // By path from the application.
    assert!(send("00A40804047FFF6F07").ends_with("9000"));
    assert_eq!(send("00B0000002"), "08499000");
}
