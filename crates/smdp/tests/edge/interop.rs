//! Downloads with an LPA that nobody here wrote: lpac, as an unmodified program on the PATH, over pipes.
//!
//! `cargo xtask interop` runs these; plain tests do not, since they need that program.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value;
use simurgh_euicc::{Environment, Euicc, face};
use simurgh_subscriber::{OnChip, ProfileState as OnServer};

use super::world::{ADDRESS, Counting, Operator, iccid};

/// Runs lpac with a chip and a server at its pipes; gives what it says at the end.
fn lpac(operator: &Operator, chip: &mut Euicc, arguments: &[&str]) -> Value {
    let mut child = Command::new("lpac")
        .args(arguments)
        .env("LPAC_APDU", "stdio")
        .env("LPAC_HTTP", "stdio")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("lpac on the PATH");
    let mut input = child.stdin.take().unwrap();
    let mut random = Counting(4_242);
    let mut result = Value::Null;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let answer = match said["type"].as_str() {
            Some("apdu") => {
                let mut environment = Environment {
                    random: &mut |octets| random.fill(octets),
                };
                face::answer_line(chip, &line, &mut environment)
            }
            Some("http") => {
                let request = face::read_http_line(&line).unwrap();
                assert_eq!(request.address, ADDRESS);
                let (status, answer) = operator.post(&request.path, request.body);
                let body = match answer {
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                Some(face::http_answer_line(status.as_u16(), body.as_bytes()))
            }
            Some("lpa") => {
                result = said["payload"].clone();
                None
            }
            Some(_) | None => None,
        };
        if let Some(answer) = answer {
            writeln!(input, "{answer}").unwrap();
        }
    }
    drop(input);
    child.wait().unwrap();
    assert_eq!(result["code"], 0, "{arguments:?}: {result}");
    result
}

#[test]
#[ignore = "needs lpac: cargo xtask interop"]
fn lpac_downloads_lists_enables_disables_deletes_and_notifies() {
    let mut operator = Operator::new();
    let token = operator.order(iccid(0), Some("0815"));
    let mut chip = operator.phone(1).chip;
    let digits = iccid(0).digits();
    let download = [
        "profile", "download", "-s", ADDRESS, "-m", &token, "-c", "0815",
    ];
    lpac(&operator, &mut chip, &download);
    assert_eq!(chip.profiles().len(), 1);
    assert_eq!(operator.profile(iccid(0)).state, OnServer::Downloaded);
    let notify = ["notification", "process", "-a", "-r"];
    lpac(&operator, &mut chip, &notify);
    assert_eq!(operator.profile(iccid(0)).state, OnServer::Installed);
    let listed = lpac(&operator, &mut chip, &["profile", "list"]);
    assert_eq!(listed["data"][0]["profileName"], "Simurgh Global");
    for (act, heard) in [
        ("enable", OnChip::Enabled),
        ("disable", OnChip::Disabled),
        ("delete", OnChip::Deleted),
    ] {
        lpac(&operator, &mut chip, &["profile", act, &digits]);
        lpac(&operator, &mut chip, &notify);
        assert_eq!(operator.profile(iccid(0)).on_chip, Some(heard), "{act}");
    }
    assert!(chip.profiles().is_empty());
}
