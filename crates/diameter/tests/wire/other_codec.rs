//! python-diameter reads what we write, and we read what it writes.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use simurgh_diameter::encode::Encoder;
use simurgh_diameter::fault::ResultCode;
use simurgh_diameter::location::Plmn;
use simurgh_diameter::message::{Message, Origin, decode_any};

use crate::clauses::answer_with_everything;
use crate::{IDS, ccr, frame, service, written};

/// Gives orders to the counterpart and returns what it says; nothing when it is not installed.
fn ask(orders: &[Value]) -> Option<Vec<Value>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packages =
        std::env::var_os("SIMURGH_PEERS").map(|peers| PathBuf::from(peers).join("python"));
    let mut python = Command::new("python3");
    if let Some(packages) = &packages {
        python.env("PYTHONPATH", packages);
    }
    let mut child = python
        .arg(root.join("tests/peers/diameter_codec.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    for order in orders {
        // A counterpart without its package has ended already.
        let _ = writeln!(input, "{order}");
    }
    drop(input);
    let lines = BufReader::new(child.stdout.take()?).lines();
    let events: Vec<Value> = lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    if child.wait().is_ok_and(|status| status.success()) {
        assert_eq!(events.len(), orders.len());
        return Some(events);
    }
    let installed = packages.is_some_and(|folder| folder.join("diameter").is_dir());
    assert!(!installed, "python-diameter is installed, but does not run");
    println!("skipped: diameter_codec.py needs python3 and the packages of tests/peers");
    None
}

fn octets(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn what_python_diameter_writes_is_read_and_written_again_octet_by_octet() {
    let names = [
        "ccr_initial",
        "ccr_update",
        "ccr_termination",
        "ccr_event",
        "cer",
        "dwr",
        "dpr",
        "raa",
        "asa",
    ];
    let orders = names.map(|what| json!({"do": "make", "what": what}));
    let Some(events) = ask(&orders) else { return };
    for (name, event) in names.iter().zip(events) {
        assert_eq!(event["event"], "made", "{event}");
        let wire = octets(&event["hex"]);
        let frame = frame(&wire);
        assert_eq!(frame.header.ids, IDS, "{name}");
        let message = decode_any(&frame).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        check(name, &message);
        let mut again = Vec::new();
        let mut encoder = Encoder::begin(&mut again, &frame.header);
        for avp in frame.avps() {
            encoder.raw(avp.unwrap().octets);
        }
        encoder.finish().unwrap();
        assert_eq!(again, wire, "{name}");
    }
}

/// That the values are those of the script.
fn check(name: &str, message: &Message<'_>) {
    match message {
        Message::CreditControlRequest(request) => {
            request.check().unwrap();
            let services: Vec<_> = request.multiple_services_credit_control.iter().collect();
            match (name, services.as_slice()) {
                ("ccr_initial", [one]) => {
                    assert_eq!(one.rating_group, Some(10));
                    assert_eq!(one.requested_service_unit, Some(Default::default()));
                    let ps = request.service_information.unwrap().ps_information.unwrap();
                    let place = ps.tgpp_user_location_info.unwrap().0;
                    assert_eq!(Plmn::from_user_location(place), Plmn::from_digits("46001"));
                    assert_eq!(ps.called_station_id, Some("internet"));
                }
                ("ccr_update", [one, two]) => {
                    assert_eq!(*one, service());
                    assert_eq!((two.rating_group, two.used_service_unit.len()), (None, 1));
                }
                ("ccr_termination" | "ccr_event", []) => {}
                other => panic!("{other:?}"),
            }
        }
        Message::CapabilitiesExchangeRequest(request) => {
            assert_eq!(request.auth_application_id.first(), Some(4));
        }
        Message::ReAuthAnswer(answer) => assert_eq!(answer.result_code.0, 2002),
        Message::DeviceWatchdogRequest(_)
        | Message::DisconnectPeerRequest(_)
        | Message::AbortSessionAnswer(_) => {}
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn what_we_write_is_read_by_python_diameter_and_written_again_octet_by_octet() {
    let services = [service()];
    let request = written(&ccr(&services));
    let answered = answer_with_everything(|answer| written(answer));
    let mut refused = Vec::new();
    let fault = simurgh_diameter::Fault::missing(&simurgh_diameter::dictionary::CC_REQUEST_TYPE);
    let origin = Origin {
        host: "ocs.example.com",
        realm: "example.com",
    };
    simurgh_diameter::message::encode_fault(&mut refused, &frame(&request), origin, &fault)
        .unwrap();
    let ours = [request, answered, refused];
    let orders: Vec<_> = ours
        .iter()
        .map(|wire| json!({"do": "read", "hex": hex(wire)}))
        .collect();
    let Some(events) = ask(&orders) else { return };
    let types = [
        "CreditControlRequest",
        "CreditControlAnswer",
        "CreditControlAnswer",
    ];
    for ((wire, event), expected) in ours.iter().zip(&events).zip(types) {
        assert_eq!(event["type"], expected, "{event}");
        assert_eq!(octets(&event["again"]), *wire);
    }
    let says = |event: &Value, path: &str, value: &str| {
        let avps = event["avps"].as_array().unwrap();
        assert!(
            avps.contains(&json!([path, value])),
            "{path} {value} in {event}"
        );
    };
    let service = "/Multiple-Services-Credit-Control";
    says(&events[0], &format!("{service}/Rating-Group"), "10");
    says(
        &events[0],
        &format!("{service}/Used-Service-Unit/CC-Total-Octets"),
        "777",
    );
    says(&events[1], "/Result-Code", "2001");
    says(&events[1], &format!("{service}/Validity-Time"), "600");
    says(
        &events[1],
        &format!("{service}/Volume-Quota-Threshold"),
        "100000",
    );
    says(&events[1], &format!("{service}/Result-Code"), "4012");
    let led_to = "/Final-Unit-Indication/Redirect-Server/Redirect-Server-Address";
    says(
        &events[1],
        &format!("{service}{led_to}"),
        "https://example.com/renew",
    );
    says(
        &events[2],
        "/Result-Code",
        &ResultCode::MISSING_AVP.0.to_string(),
    );
    says(&events[2], "/Failed-AVP/CC-Request-Type", "0");
}
