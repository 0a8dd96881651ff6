//! Seeds of the fuzz targets: what honest peers say.
//! `cargo test -p simurgh-euicc seeds -- --ignored` writes them anew into `fuzz/corpus`.

use std::fs;
use std::path::Path;

use super::breaks::{challenge_for, offer_for};
use super::isdr::Raw;
use super::*;
use serde_json::Value;
use simurgh_rsp::message::download::PrepareDownloadRequest;
use simurgh_rsp::message::es10::{
    Command, ISD_R_AID, NotificationFilter, ProfileId, ResetOptions, Search,
};
use simurgh_rsp::saip::InstallResponse;
use simurgh_vocab::Duration;

fn keep(target: &str, name: &str, octets: &[u8]) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let dir = corpus.join(target);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(name), octets).unwrap();
}

/// A server whose conversation is kept.
struct Heard<'a>(&'a mut Smdp);

impl Servers for Heard<'_> {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        let name = path.rsplit('/').next().unwrap();
        keep("es9_body", name, body);
        let answer = self.0.post(address, path, body)?;
        if !answer.1.is_empty() {
            keep("es9_body", &format!("{name}-answer"), &answer.1);
        }
        Ok(answer)
    }
}

#[test]
#[ignore = "writes fuzz/corpus"]
fn seeds_of_conversations() {
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), Some("0815"));
    {
        let mut reader = reader(&mut chip);
        let mut lpa = Lpa::open(&mut reader).unwrap();
        let mut heard = Heard(&mut server);
        let refused = lpa.download(&order("USED"), &mut heard, &mut Willing(None));
        assert!(refused.is_err());
        let missing = lpa.download(&order(TOKEN), &mut heard, &mut Willing(None));
        assert!(missing.is_err());
        let done = lpa.download(&order(TOKEN), &mut heard, &mut Willing(Some("0815")));
        lpa.enable(done.unwrap().iccid()).unwrap();
        assert_eq!(lpa.deliver_notifications(&mut heard), Ok(2));
        lpa.disable(&iccid(0)).unwrap();
    }
    let (_, waiting) = chip.notifications.first().unwrap();
    keep("rsp_notification", "disabled", &waiting.encode());
    server.order(TOKEN, iccid(1), None);
    download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    let (_, waiting) = chip.notifications.last().unwrap();
    keep("rsp_notification", "installed", &waiting.encode());
    let mut raw = Raw::open(&mut chip);
    let request = challenge_for(&mut raw, &mut server);
    let command = Command::AuthenticateServer(Box::new(request));
    keep("tlv", "authenticate-server", &command.encode());
    keep("rsp_notification", "authenticated", &raw.ask(&command));
    let offer = offer_for(&mut raw, &mut server);
    let command = Command::PrepareDownload(Box::new(PrepareDownloadRequest {
        smdp: offer.smdp,
        hashed_code: Some([1; 32]),
        certificate: offer.certificate,
    }));
    keep("tlv", "prepare-download", &command.encode());
    keep("rsp_notification", "prepared", &raw.ask(&command));
    keep("tlv", "metadata", &offer.metadata.encode());
    keep("tlv", "info2", &raw.ask(&Command::GetInfo2));
    keep("tlv", "certificate", pki.eum().der());
    keep("tlv", "pem", &pki.files()[0].content);
    let revoked = pki
        .root_issuer()
        .revoke(&[pki.eum()], NOW, NOW.plus(Duration::days(1)))
        .unwrap();
    keep("tlv", "revocations", &revoked);
    keep("tlv", "code", b"LPA:1$smdp.example.com$TOKEN-1$2.999.10$1");
    keep(
        "rsp_notification",
        "interpreter",
        &InstallResponse::default().encode(),
    );
}

#[test]
#[ignore = "writes fuzz/corpus"]
fn seeds_of_packages_and_orders() {
    let package = profile(iccid(0));
    keep("saip", "profile", &package);
    for (name, variant) in [
        ("5g", TemplateVariant::FiveG),
        ("basic", TemplateVariant::Basic),
    ] {
        keep("saip", name, &standard_template(variant));
    }
    let mut pki = pki(Curve::P256);
    let (mut chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    let mut raw = Raw::open(&mut chip);
    let package = super::breaks::package_for(&mut raw, &mut server);
    keep("tlv", "package", &package.concat());
    let order = |value: Value, name: &str| keep("es2_body", name, value.to_string().as_bytes());
    let iccid = iccid(0).digits();
    let header = serde_json::json!({
        "functionRequesterIdentifier": "2.999.1",
        "functionCallIdentifier": "C-1",
    });
    let eid = eid().digits();
    order(
        serde_json::json!({"header": header, "eid": eid, "profileType": "5G"}),
        "download-order",
    );
    order(
        serde_json::json!({"header": header, "iccid": iccid, "eid": eid, "matchingId": "T-1",
            "confirmationCode": "0815", "smdsAddress": "smds.example.com", "releaseFlag": true}),
        "confirm-order",
    );
    order(
        serde_json::json!({"header": header, "iccid": iccid, "matchingId": "T-1",
            "finalProfileStatusIndicator": "Available"}),
        "cancel-order",
    );
    order(
        serde_json::json!({"header": header, "eid": eid, "rspServerAddress": "smdp.example.com",
            "eventId": "E-1", "forwardingIndicator": false}),
        "register-event",
    );
}

/// Every command of a chip once, and files of a card: length, then the APDU.
#[test]
#[ignore = "writes fuzz/corpus"]
fn seeds_of_commands() {
    let profile = ProfileId::Iccid(iccid(0));
    let commands = [
        Command::GetAddresses,
        Command::SetDefaultAddress(ADDRESS.into()),
        Command::GetInfo1,
        Command::GetInfo2,
        Command::GetChallenge,
        Command::ListNotifications(NotificationFilter::All),
        Command::RetrieveNotifications(NotificationFilter::Number(1)),
        Command::RemoveNotification(1),
        Command::LoadCrl(vec![0x30, 0]),
        Command::GetRules,
        Command::GetProfiles(Search::default()),
        Command::Enable {
            profile: profile.clone(),
            refresh: true,
        },
        Command::Disable {
            profile: profile.clone(),
            refresh: false,
        },
        Command::Delete(profile),
        Command::MemoryReset(ResetOptions {
            default_address: true,
            ..ResetOptions::default()
        }),
        Command::GetEid,
        Command::SetNickname {
            iccid: iccid(0),
            nickname: "Travel".into(),
        },
    ];
    let mut stream = Vec::new();
    let mut send = |apdu: &[u8]| {
        stream.push(u8::try_from(apdu.len()).unwrap());
        stream.extend_from_slice(apdu);
    };
    send(&[0, 0x70, 0, 0, 1]);
    send(&[&[1, 0xA4, 4, 0, 16][..], &ISD_R_AID].concat());
    for command in commands {
        let octets = command.encode();
        let (first, second) = octets.split_at(octets.len() / 2);
        for (p1, block, piece) in [(0x11, 0, first), (0x91, 1, second)] {
            let length = u8::try_from(piece.len()).unwrap();
            send(&[&[0x81, 0xE2, p1, block, length][..], piece].concat());
        }
        send(&[0x81, 0xC0, 0, 0, 0]);
    }
    keep("apdu", "isdr", &stream);
    let mut stream = Vec::new();
    for apdu in [
        &[0x80, 0xAA, 0, 0, 3, 0xA9, 1, 0][..],
        &[0, 0xA4, 0, 4, 2, 0x3F, 0],
        &[0, 0xA4, 0, 4, 2, 0x2F, 0xE2],
        &[0, 0xB0, 0, 0, 10],
        &[0, 0xA4, 8, 4, 4, 0x7F, 0xFF, 0x6F, 7],
        &[0, 0xB2, 1, 4, 0],
        &[0, 0x88, 0, 0x81, 2, 0x10, 0],
        &[0, 0x70, 0x80, 1],
    ] {
        stream.push(u8::try_from(apdu.len()).unwrap());
        stream.extend_from_slice(apdu);
    }
    keep("apdu", "card", &stream);
    seeds_of_lines();
}

fn seeds_of_lines() {
    let line = r#"{"type":"apdu","payload":{"func":"transmit","param":"81E2910003BF2E00"}}"#;
    keep("apdu", "line", line.as_bytes());
    let line =
        r#"{"type":"http","payload":{"url":"https://a.example/gsma/x","tx":"7B7D","headers":[]}}"#;
    keep("apdu", "http-line", line.as_bytes());
}
