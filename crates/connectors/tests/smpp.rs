//! Short messages against node-smpp.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by a panic, in its helpers too"
)]

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use simurgh_app::ports::{
    Delivery, Envelope, Fate, Messenger, NotRecorded, Receipt, ReceiptSink, Recording, SendFailure,
};
use simurgh_connectors::Secret;
use simurgh_connectors::message::smpp::SmppTls;
use simurgh_connectors::message::{Routes, Smpp, SmppSettings};
use simurgh_vocab::{Duration, MessageId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

mod peer;

use peer::{Authority, Peer, Program, message_id};

const NODE_SMPP: Program = Program {
    name: "node",
    script: "smpp_server.js",
    probe: ["-e", "require('smpp')"],
    packages: ("NODE_PATH", "node/node_modules"),
};

/// A sink that refuses the first so many receipts.
#[derive(Default)]
struct Sink {
    refusals: Mutex<u32>,
    taken: Mutex<Vec<Receipt>>,
}

impl ReceiptSink for Sink {
    fn record(&self, receipt: Receipt) -> Recording<'_> {
        Box::pin(async move {
            let mut refusals = self.refusals.lock().unwrap();
            if *refusals > 0 {
                *refusals -= 1;
                return Err(NotRecorded("unknown reference".to_owned()));
            }
            self.taken.lock().unwrap().push(receipt);
            Ok(())
        })
    }
}

fn settings(peer: &Peer) -> SmppSettings {
    settings_for(peer.port)
}

fn settings_for(port: u16) -> SmppSettings {
    let mut settings = SmppSettings::new("127.0.0.1", "simurgh", Secret::new("hunter2"), "Simurgh");
    settings.port = port;
    settings.parts_per_second_max = 1_000;
    settings.throttle_first = milliseconds(20);
    settings.reconnect_first = milliseconds(20);
    settings.reconnect_max = milliseconds(100);
    settings
}

/// A tenth of a second and less, which `Duration` has no word for.
fn milliseconds(count: i64) -> Duration {
    let at = simurgh_vocab::Timestamp::from_micros;
    at(count * 1_000).since(at(0))
}

fn open(settings: SmppSettings) -> Routes {
    open_with(settings, Arc::new(Sink::default()))
}

fn open_with(settings: SmppSettings, sink: Arc<Sink>) -> Routes {
    Routes {
        email: None,
        sms: Some(Smpp::prepare(settings).unwrap().start(sink)),
    }
}

async fn start(settings_for: impl Fn(&Peer) -> SmppSettings) -> (Peer, Routes) {
    let mut peer = Peer::start(&NODE_SMPP, &[]).await;
    let routes = open(settings_for(&peer));
    peer.event("bind").await;
    (peer, routes)
}

async fn send(routes: &Routes, id: MessageId, text: &str) -> Result<String, SendFailure> {
    let envelope = Envelope::Sms {
        to: "+8613800138000".parse().unwrap(),
        text: text.to_owned(),
    };
    let Delivery::Accepted { reference } = routes.send(id, envelope).await?;
    Ok(reference)
}

/// The texts of so many parts, in order of their numbers, and the last event.
async fn parts(peer: &mut Peer, count: u64) -> (String, Value) {
    let mut texts = vec![String::new(); usize::try_from(count).unwrap()];
    let mut last = Value::Null;
    for _ in 0..count {
        let part = peer.event("submit_sm").await;
        let number = if count == 1 {
            assert_eq!(part["udh"], Value::Null);
            assert_eq!(part["esm_class"], 0);
            1
        } else {
            let header: Vec<u64> = serde_json::from_value(part["udh"].clone()).unwrap();
            let [0, 3, 9, total, number] = header[..] else {
                panic!("{header:?}");
            };
            assert_eq!(total, count);
            assert_eq!(part["esm_class"], 0x40);
            number
        };
        let slot = &mut texts[usize::try_from(number - 1).unwrap()];
        assert!(slot.is_empty(), "part {number} came twice");
        *slot = part["message"].as_str().unwrap().to_owned();
        last = part;
    }
    (texts.concat(), last)
}

#[tokio::test]
async fn ts_23_040_9_2_3_24_1_long_chinese_arrives_exactly() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let mut peer = Peer::start(&NODE_SMPP, &[]).await;
    let routes = open(settings(&peer));
    let bind = peer.event("bind").await;
    assert_eq!(bind["interface_version"], 0x34);
    assert_eq!(bind["system_id"], "simurgh");
    assert_eq!(bind["password"], "hunter2");

    // The emoji takes the units 67 and 68: the first part must end before it.
    let text = format!(
        "{}📶您的豪华版套餐已续订。{}",
        "流".repeat(66),
        "量".repeat(80)
    );
    let reference = send(&routes, message_id(9), &text).await;
    let (arrived, part) = parts(&mut peer, 3).await;
    assert_eq!(arrived, text);
    assert_eq!(reference.as_deref(), Ok("id-1,id-2,id-3"));
    assert_eq!(part["data_coding"], 8);
    assert_eq!(part["registered_delivery"], 1);
    assert_eq!(part["priority_flag"], 0);
    assert_eq!(part["protocol_id"], 0);
    assert_eq!(part["source"], json!([5, 0, "Simurgh"]));
    assert_eq!(part["destination"], json!([1, 1, "8613800138000"]));
    routes.stop().await;
    peer.event("unbind").await;
    peer.event("closed").await;
}

#[tokio::test]
async fn ts_23_038_6_2_1_latin_text_goes_in_seven_bits() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(settings).await;
    for (text, count) in [
        ("Your bill: 12 € ^_^ {ok} [1|2] ~ \\ £ é ß Ω", 1),
        (&"€^".repeat(40), 1),
        (&"€^{}[]~\\|".repeat(18), 3),
    ] {
        send(&routes, message_id(9), text).await.unwrap();
        let (arrived, part) = parts(&mut peer, count).await;
        assert_eq!(arrived, text);
        assert_eq!(part["data_coding"], 0);
    }
}

#[tokio::test]
async fn receipts_reach_the_sink_and_come_again_when_refused() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let mut peer = Peer::start(&NODE_SMPP, &[]).await;
    let sink = Arc::new(Sink::default());
    *sink.refusals.lock().unwrap() = 1;
    let routes = open_with(settings(&peer), Arc::clone(&sink));
    peer.event("bind").await;
    let reference = send(&routes, message_id(9), "hi").await.unwrap();
    peer.event("submit_sm").await;

    let text = format!(
        "id:{reference} sub:001 dlvrd:001 submit date:2601010101 done date:2601010102 \
         stat:DELIVRD err:000 text:hi"
    );
    let receipt = json!({"deliver": {"esm_class": 4, "short_message": text}});
    let by_parameters = json!({"deliver": {
        "esm_class": 4, "short_message": "", "receipted_message_id": "id-7", "message_state": 5,
    }});
    let message_to_us = json!({"deliver": {"esm_class": 0, "short_message": "STOP"}});
    for (order, status) in [
        (&receipt, 0x64),
        (&receipt, 0),
        (&by_parameters, 0),
        (&message_to_us, 0x66),
        (
            &json!({"deliver": {"esm_class": 4, "short_message": "?"}}),
            0x65,
        ),
    ] {
        peer.order(order.clone()).await;
        assert_eq!(peer.event("deliver_sm_resp").await["status"], status);
    }
    let news = |reference: &str, fate| Receipt {
        reference: reference.to_owned(),
        fate,
        error: None,
    };
    assert_eq!(
        *sink.taken.lock().unwrap(),
        [
            news(&reference, Fate::Delivered),
            news("id-7", Fate::Undeliverable)
        ]
    );
}

#[tokio::test]
async fn a_busy_centre_gets_the_same_part_again_later() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(settings).await;
    peer.order(json!({"answers": [0x58, 0x14, 0]})).await;
    assert_eq!(
        send(&routes, message_id(9), "hi").await.as_deref(),
        Ok("id-3")
    );
    for _ in 0..3 {
        assert_eq!(peer.event("submit_sm").await["message"], "hi");
    }
    // Of three parts only the refused ones go again.
    peer.order(json!({"answers": [0, 0x58, 0x58, 0, 0]})).await;
    let text = "流".repeat(200);
    let reference = send(&routes, message_id(9), &text).await.unwrap();
    assert_eq!(reference.split(',').count(), 3);
    let mut numbers = Vec::new();
    for _ in 0..5 {
        numbers.push(peer.event("submit_sm").await["udh"][4].as_u64().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 2, 3, 3]);
}

#[tokio::test]
async fn a_centre_that_stays_busy_makes_it_temporary() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(|peer| {
        let mut settings = settings(peer);
        settings.send_timeout = milliseconds(300);
        settings
    })
    .await;
    peer.order(json!({"answers": vec![0x58; 100]})).await;
    let busy = send(&routes, message_id(9), "hi").await;
    assert!(matches!(busy, Err(SendFailure::Temporary(_))), "{busy:?}");
}

#[tokio::test]
async fn the_answer_decides_whether_to_try_again() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(settings).await;
    peer.order(json!({"answers": [0x0B, 0x0A, 0x08]})).await;
    let failures = [
        send(&routes, message_id(1), "a").await.unwrap_err(),
        send(&routes, message_id(2), "b").await.unwrap_err(),
        send(&routes, message_id(3), "c").await.unwrap_err(),
    ];
    assert!(matches!(&failures[0], SendFailure::Permanent(why) if why.contains("0x0000000B")));
    assert!(matches!(&failures[1], SendFailure::Temporary(why) if why.contains("`source`")));
    assert!(matches!(&failures[2], SendFailure::Temporary(why) if why.contains("0x00000008")));
    let too_long = send(&routes, message_id(4), &"流".repeat(671)).await;
    assert!(
        matches!(too_long, Err(SendFailure::Permanent(_))),
        "{too_long:?}"
    );
}

#[tokio::test]
async fn a_message_waits_while_the_centre_restarts() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(|peer| {
        let mut settings = settings(peer);
        // Two attempts fail before messages are turned away; the third finds the new centre.
        settings.reconnect_first = Duration::seconds(1);
        settings.reconnect_max = Duration::seconds(1);
        settings
    })
    .await;
    send(&routes, message_id(1), "before").await.unwrap();
    assert_eq!(peer.event("submit_sm").await["message"], "before");
    let port = peer.port.to_string();
    peer.kill().await;
    let same_port = ["--port", &port];
    let (sent, mut peer) = tokio::join!(
        send(&routes, message_id(2), "after"),
        Peer::start(&NODE_SMPP, &same_port)
    );
    assert_eq!(sent.as_deref(), Ok("id-1"));
    peer.event("bind").await;
    assert_eq!(peer.event("submit_sm").await["message"], "after");
}

#[tokio::test]
async fn an_unanswered_part_is_temporary_and_the_link_comes_back() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(settings).await;
    peer.order(json!({"dropOnSubmit": 1})).await;
    let broken = send(&routes, message_id(1), "lost").await;
    assert!(
        matches!(broken, Err(SendFailure::Temporary(_))),
        "{broken:?}"
    );
    peer.event("submit_sm").await;
    send(&routes, message_id(2), "found").await.unwrap();
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(peer.any_event().await["event"].clone());
    }
    assert_eq!(names, ["closed", "bind", "submit_sm"]);
}

#[tokio::test]
async fn a_centre_that_says_good_bye_is_bound_again() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(settings).await;
    peer.order(json!({"unbind": true})).await;
    peer.event("unbind_resp").await;
    peer.event("closed").await;
    peer.event("bind").await;
    send(&routes, message_id(1), "hi").await.unwrap();
}

#[tokio::test]
async fn what_comes_in_one_piece_with_the_answer_to_the_bind_is_heard() {
    const BIND: u32 = 0x0000_0009;
    const ENQUIRE_LINK: u32 = 0x0000_0015;
    const ANSWER: u32 = 0x8000_0000;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _routes = open(settings_for(listener.local_addr().unwrap().port()));
    let (mut stream, _) = listener.accept().await.unwrap();
    let (asked, number) = command(&mut stream).await;
    assert_eq!(asked, BIND);
    let bound = pdu(ANSWER | BIND, number, b"peer\0");
    let probe = pdu(ENQUIRE_LINK, 77, b"");
    stream.write_all(&[bound, probe].concat()).await.unwrap();
    assert_eq!(command(&mut stream).await, (ANSWER | ENQUIRE_LINK, 77));
}

fn pdu(id: u32, number: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let mut pdu: Vec<u8> = [length, id, 0, number].map(u32::to_be_bytes).concat();
    pdu.extend(body);
    pdu
}

/// The kind and the number of the next PDU.
async fn command(stream: &mut TcpStream) -> (u32, u32) {
    let length = stream.read_u32().await.unwrap();
    let (id, _status) = (
        stream.read_u32().await.unwrap(),
        stream.read_u32().await.unwrap(),
    );
    let number = stream.read_u32().await.unwrap();
    let mut body = vec![0; usize::try_from(length).unwrap() - 16];
    stream.read_exact(&mut body).await.unwrap();
    (id, number)
}

#[tokio::test]
async fn a_silent_centre_is_probed_and_bound_again() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, _routes) = start(|peer| {
        let mut settings = settings(peer);
        settings.enquire_link_interval = milliseconds(50);
        settings.response_timeout = milliseconds(500);
        settings
    })
    .await;
    peer.event("enquire_link").await;
    peer.event("enquire_link").await;
    peer.order(json!({"silent": true})).await;
    loop {
        let event = peer.any_event().await;
        if event["event"] != "enquire_link" {
            assert_eq!(event["event"], "closed");
            break;
        }
    }
    peer.event("bind").await;
}

#[tokio::test]
async fn garbage_in_one_pdu_costs_nothing_else() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(settings).await;
    // A deliver_sm of six octets, then a request of an unknown kind.
    let garbage = "00000016000000050000000000000007ffffffffffff";
    let unknown = "00000010000001200000000000000008";
    peer.order(json!({"raw": format!("{garbage}{unknown}")}))
        .await;
    assert_eq!(peer.event("generic_nack").await["status"], 2);
    assert_eq!(peer.event("generic_nack").await["status"], 3);
    send(&routes, message_id(1), "hi").await.unwrap();
    peer.event("submit_sm").await;
    // A length no PDU has: only a new connection helps.
    peer.order(json!({"raw": "ffffffff000000050000000000000009"}))
        .await;
    peer.event("closed").await;
    peer.event("bind").await;
}

#[tokio::test]
async fn a_refused_bind_names_the_settings() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let mut peer = Peer::start(&NODE_SMPP, &[]).await;
    peer.order(json!({"bindAnswers": vec![0x0D; 1_000]})).await;
    let mut settings = settings(&peer);
    settings.send_timeout = milliseconds(500);
    let routes = open(settings);
    let refused = send(&routes, message_id(1), "hi").await;
    assert!(
        matches!(&refused, Err(SendFailure::Temporary(why)) if why.contains("`password`")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_window_bounds_what_is_unanswered() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(|peer| {
        let mut settings = settings(peer);
        settings.window = 2;
        settings
    })
    .await;
    peer.order(json!({"delay": 20})).await;
    send(&routes, message_id(9), &"流".repeat(600))
        .await
        .unwrap();
    let mut most = 0;
    for _ in 0..9 {
        let outstanding = peer.event("submit_sm").await["outstanding"].as_u64();
        most = most.max(outstanding.unwrap());
    }
    assert_eq!(most, 2);
}

#[tokio::test]
async fn a_full_queue_turns_messages_away_at_once() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (_peer, routes) = start(|peer| {
        let mut settings = settings(peer);
        settings.queue_max = 1;
        settings
    })
    .await;
    // Both are handed over before the link has a chance to take the first.
    let (first, second) = tokio::join!(
        send(&routes, message_id(1), "a"),
        send(&routes, message_id(2), "b")
    );
    assert_eq!(first.as_deref(), Ok("id-1"));
    assert!(
        matches!(&second, Err(SendFailure::Temporary(why)) if why.contains("full")),
        "{second:?}"
    );
}

#[tokio::test]
async fn stop_finishes_what_was_begun_and_turns_the_rest_away() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (mut peer, routes) = start(settings).await;
    peer.order(json!({"delay": 50})).await;
    let (sent, ()) = tokio::join!(send(&routes, message_id(1), "last"), async {
        peer.event("submit_sm").await;
        routes.stop().await;
        peer.event("unbind").await;
    });
    assert_eq!(sent.as_deref(), Ok("id-1"));
    let late = send(&routes, message_id(2), "late").await;
    assert!(matches!(late, Err(SendFailure::Temporary(_))), "{late:?}");
}

#[tokio::test]
async fn tls_trusts_the_configured_authority_only() {
    if !NODE_SMPP.is_here() {
        return;
    }
    let (real, other) = (Authority::new("smpp-real"), Authority::new("smpp-other"));
    let (cert, key) = (real.file("cert.pem"), real.file("key.pem"));
    let mut peer = Peer::start(&NODE_SMPP, &["--cert", &cert, "--key", &key]).await;
    let mut secured = settings(&peer);
    secured.tls = SmppTls::Implicit;
    secured.extra_ca_file = Some(other.file("ca.pem").into());
    secured.send_timeout = milliseconds(500);
    let refused = send(&open(secured.clone()), message_id(1), "hi").await;
    assert!(
        matches!(&refused, Err(SendFailure::Temporary(why)) if why.contains("certificate")),
        "{refused:?}"
    );
    secured.extra_ca_file = Some(real.file("ca.pem").into());
    secured.send_timeout = Duration::seconds(10);
    send(&open(secured), message_id(2), "hi").await.unwrap();
    peer.event("bind").await;
}
