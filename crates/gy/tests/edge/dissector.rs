//! tshark, which nobody here wrote, reads all that we say and finds nothing wrong with it.

use std::path::Path;
use std::process::Stdio;

use simurgh_diameter::ResultCode;
use simurgh_diameter::credit_control::{CcRequestType as Kind, RequestedAction};
use tokio::process::Command;

use crate::client::{ASK, Client, Told, last, used};
use crate::world::{CLIENTS, Operator};

const SESSION: &str = "pgw.example.com;1;1";

/// Link type 147 is for whoever reads the file to say what it is.
fn capture(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for field in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 147_u32] {
        file.extend_from_slice(&field.to_le_bytes());
    }
    for (second, message) in (0_u32..).zip(messages) {
        let length = u32::try_from(message.len()).unwrap();
        for field in [second, 0, length, length] {
            file.extend_from_slice(&field.to_le_bytes());
        }
        file.extend_from_slice(message);
    }
    file
}

/// What tshark says of the messages that `filter` chooses; nothing when there is none.
async fn dissected(file: &Path, filter: &str) -> Option<String> {
    let said = Command::new("tshark")
        .args(["-n", "-r"])
        .arg(file)
        .args([
            "-o",
            "uat:user_dlts:\"User 0 (DLT=147)\",\"diameter\",\"0\",\"\",\"0\",\"\"",
        ])
        .args(["-Y", filter, "-T", "fields", "-E", "separator=|"])
        .args(["-e", "diameter.cmd.code", "-e", "diameter.Session-Id"])
        .args([
            "-e",
            "diameter.Result-Code",
            "-e",
            "diameter.CC-Request-Number",
        ])
        .args([
            "-e",
            "diameter.CC-Total-Octets",
            "-e",
            "diameter.Redirect-Server-Address",
        ])
        .stderr(Stdio::inherit())
        .output()
        .await
        .ok()?;
    assert!(said.status.success());
    Some(String::from_utf8(said.stdout).unwrap())
}

#[tokio::test]
async fn tshark_finds_nothing_malformed_and_reads_what_we_meant() {
    let operator = Operator::new("gy-tshark").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.watchdog(None).await;
    let way = Told { group: 900, ..ASK };
    client.data(SESSION, Kind::Initial, 0, &[ASK, way]).await;
    let (app, line) = (operator.app.clone(), operator.line);
    let telling = tokio::spawn(async move { app.reach_sessions(line).await });
    client
        .hear_reauthorisation(ResultCode::LIMITED_SUCCESS)
        .await;
    telling.await.unwrap().unwrap();
    client.data(SESSION, Kind::Update, 1, &[used(995)]).await;
    client.data(SESSION, Kind::Update, 2, &[used(5)]).await;
    client.data(SESSION, Kind::Termination, 3, &[last(0)]).await;
    client.data("nobody;1", Kind::Update, 1, &[used(1)]).await;
    client.data("twice;1", Kind::Initial, 0, &[ASK, ASK]).await;
    for action in [
        RequestedAction::DirectDebiting,
        RequestedAction::CheckBalance,
    ] {
        client.message_event("sms;1", action, 1).await;
    }
    let mut missing = client.write_data("short;1", Kind::Initial, 0, &[]);
    // With an AVP that nobody knows, and the M flag.
    missing.extend_from_slice(&[0, 15, 66, 64, 0x40, 0, 0, 9, 7, 0, 0, 0]);
    missing[3] += 12;
    client.write(&missing).await;
    assert_eq!(client.hear().await.code, 5001);

    let folder = simurgh_sim::scratch_folder("gy-tshark-file");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("said.pcap");
    std::fs::write(&file, capture(&client.said)).unwrap();
    let Some(all) = dissected(&file, "diameter").await else {
        println!("skipped: no tshark on the PATH (Debian: tshark)");
        return;
    };
    assert_eq!(all.lines().count(), client.said.len(), "{all}");
    for expected in [
        "257||2001|||",
        "280||2001|||",
        "272|pgw.example.com;1;1|2001,2001,2001|0|100,100|",
        "272|pgw.example.com;1;1|2001,2001|1|5|https://example.com/plans",
        "272|pgw.example.com;1;1|2001,4012|2||https://example.com/plans",
        "272|nobody;1|5002|1||",
        "272|twice;1|5007|||",
        "272|sms;1|2001|0||",
        "272|short;1|5001|||",
    ] {
        assert!(all.lines().any(|it| it == expected), "{expected} in\n{all}");
    }
    for wrong in ["_ws.malformed", "_ws.expert.severity == error"] {
        assert_eq!(dissected(&file, wrong).await.unwrap(), "", "{wrong}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
