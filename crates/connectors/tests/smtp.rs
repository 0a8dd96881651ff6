//! E-mail against aiosmtpd.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

use std::sync::Arc;

use serde_json::{Value, json};
use simurgh_app::ports::{Clock, Delivery, Envelope, Messenger, SendFailure};
use simurgh_connectors::Secret;
use simurgh_connectors::message::smtp::{SmtpLogin, SmtpTls};
use simurgh_connectors::message::{Routes, Smtp, SmtpSettings};
use simurgh_vocab::{Duration, Timestamp};

mod peer;

use peer::{Authority, Peer, Program, message_id};

const AIOSMTPD: Program = Program {
    name: "python3",
    script: "smtp_server.py",
    probe: ["-c", "import aiosmtpd.smtp"],
    packages: ("PYTHONPATH", "python"),
};

/// 2026-01-02T03:04:05Z.
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_767_323_045_000_000)
    }
}

const SUBJECT: &str =
    "续订成功：豪华版 30 天 ✅ — thank you, 李雷; ein sehr langer Betreff, der umbricht";
const TEXT: &str = "您好，李雷：\n\n.\n..dots\nFrom here: € 12.00, ¥88\n\n再见\n";
const HTML: &str = "<!doctype html><p>您好，<b>李雷</b>：<a href=\"https://simurgh.example/bill?n=1&amp;m=2\">账单</a></p>\n";

fn mail(unsubscribe_url: Option<&str>) -> Envelope {
    Envelope::Email {
        to: "wei@example.com".parse().unwrap(),
        subject: SUBJECT.to_owned(),
        text: TEXT.to_owned(),
        html: HTML.to_owned(),
        unsubscribe_url: unsubscribe_url.map(str::to_owned),
    }
}

fn settings(peer: &Peer, tls: SmtpTls) -> SmtpSettings {
    let mut settings = SmtpSettings::new("127.0.0.1", "神鸟 Simurgh <no-reply@simurgh.example>");
    settings.port = peer.port;
    settings.tls = tls;
    settings.hello_name = Some("portal.simurgh.example".to_owned());
    settings
}

fn routes(settings: SmtpSettings) -> Routes {
    Routes {
        email: Some(Smtp::new(settings, Arc::new(Fixed)).unwrap()),
        sms: None,
    }
}

fn arguments<'a>(authority: &'a [String; 2], tls: &'a str) -> [&'a str; 6] {
    let [cert, key] = authority;
    ["--tls", tls, "--cert", cert, "--key", key]
}

fn header<'a>(message: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = message["headers"].as_array().unwrap();
    headers
        .iter()
        .filter(|header| header[0] == name)
        .map(|header| header[1].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn starttls_and_login_bring_both_bodies_exactly() {
    if !AIOSMTPD.is_here() {
        return;
    }
    let authority = Authority::new("starttls");
    let files = [authority.file("cert.pem"), authority.file("key.pem")];
    let mut all = arguments(&files, "starttls").to_vec();
    all.extend(["--user", "simurgh", "--password", "hunter2"]);
    let mut peer = Peer::start(&AIOSMTPD, &all).await;
    let mut settings = settings(&peer, SmtpTls::StartTls);
    settings.extra_ca_file = Some(authority.file("ca.pem").into());
    settings.login = Some(SmtpLogin {
        user: "simurgh".to_owned(),
        password: Secret::new("hunter2"),
    });
    let routes = routes(settings);

    let unsubscribe = "https://simurgh.example/unsubscribe/0123456789abcdef0123456789abcdef";
    let delivery = routes.send(message_id(1), mail(Some(unsubscribe))).await;
    peer.event("connected").await;
    let message = peer.event("message").await;

    let reference = "250 2.0.0 OK queued as 4XyZ".to_owned();
    assert_eq!(delivery, Ok(Delivery::Accepted { reference }));
    assert_eq!(message["encrypted"], true);
    assert_eq!(message["login"], "simurgh");
    assert_eq!(message["mail_from"], "no-reply@simurgh.example");
    assert_eq!(message["rcpt_tos"], json!(["wei@example.com"]));
    assert_eq!(message["kind"], "multipart/alternative");
    assert_eq!(header(&message, "Subject"), [SUBJECT]);
    assert_eq!(
        header(&message, "From"),
        ["神鸟 Simurgh <no-reply@simurgh.example>"]
    );
    let id = format!("<{}@simurgh.example>", message_id(1).number());
    assert_eq!(header(&message, "Message-ID"), [id]);
    assert_eq!(
        header(&message, "Date"),
        ["Fri, 02 Jan 2026 03:04:05 +0000"]
    );
    assert_eq!(
        header(&message, "List-Unsubscribe"),
        [format!("<{unsubscribe}>")]
    );
    let one_click = header(&message, "List-Unsubscribe-Post");
    assert_eq!(one_click, ["List-Unsubscribe=One-Click"]);
    let as_sent = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(message["bodies"]["text/plain"], as_sent(TEXT));
    assert_eq!(message["bodies"]["text/html"], as_sent(HTML));
    routes.stop().await;
}

#[tokio::test]
async fn a_server_nobody_vouches_for_gets_nothing() {
    if !AIOSMTPD.is_here() {
        return;
    }
    let (real, other) = (Authority::new("real"), Authority::new("other"));
    let files = [real.file("cert.pem"), real.file("key.pem")];
    for (name, tls) in [
        ("starttls", SmtpTls::StartTls),
        ("implicit", SmtpTls::Implicit),
    ] {
        let mut peer = Peer::start(&AIOSMTPD, &arguments(&files, name)).await;
        let mut settings = settings(&peer, tls);
        settings.extra_ca_file = Some(other.file("ca.pem").into());
        let refused = routes(settings.clone())
            .send(message_id(1), mail(None))
            .await;
        assert!(
            matches!(&refused, Err(SendFailure::Temporary(reason)) if reason.contains("certificate")),
            "{refused:?}"
        );

        settings.extra_ca_file = Some(real.file("ca.pem").into());
        let accepted = routes(settings).send(message_id(2), mail(None)).await;
        assert!(accepted.is_ok(), "{accepted:?}");
        loop {
            let event = peer.any_event().await;
            if event["event"] == "message" {
                let id = format!("<{}@simurgh.example>", message_id(2).number());
                assert_eq!(
                    header(&event, "Message-ID"),
                    [id],
                    "the first one never came"
                );
                assert_eq!(event["encrypted"], true);
                break;
            }
        }
    }
}

#[tokio::test]
async fn rfc_3207_nothing_goes_to_a_server_without_starttls() {
    if !AIOSMTPD.is_here() {
        return;
    }
    let peer = Peer::start(&AIOSMTPD, &[]).await;
    let refused = routes(settings(&peer, SmtpTls::StartTls))
        .send(message_id(1), mail(None))
        .await;
    assert!(
        matches!(refused, Err(SendFailure::Temporary(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn rfc_5321_4_2_1_the_first_digit_decides() {
    if !AIOSMTPD.is_here() {
        return;
    }
    let mut peer = Peer::start(&AIOSMTPD, &[]).await;
    let routes = routes(settings(&peer, SmtpTls::Plain));
    for (at, reply, for_good) in [
        ("rcpt", "451 4.7.1 <wei@example.com> greylisted", false),
        ("rcpt", "550 5.1.1 <WEI@example.com> nobody here", true),
        ("data", "452 4.3.1 disk full", false),
        ("data", "554 5.6.0 no spam, please", true),
        ("rcpt", "530 5.7.0 authentication required", false),
    ] {
        peer.order(json!({"at": at, "do": "reply", "reply": reply}))
            .await;
        let failure = routes.send(message_id(1), mail(None)).await.unwrap_err();
        peer.event("connected").await;
        if at == "data" {
            assert_eq!(peer.event("message").await["reply"], reply);
        }
        let (reason, permanent) = match failure {
            SendFailure::Temporary(reason) => (reason, false),
            SendFailure::Permanent(reason) => (reason, true),
        };
        assert_eq!(permanent, for_good, "{reply}");
        assert!(reason.contains(&reply[..3]), "{reason}");
        assert!(!reason.to_lowercase().contains("wei@"), "{reason}");
    }
}

#[tokio::test]
async fn a_refused_login_does_not_lose_the_message() {
    if !AIOSMTPD.is_here() {
        return;
    }
    let peer = Peer::start(&AIOSMTPD, &["--user", "simurgh", "--password", "hunter2"]).await;
    let mut settings = settings(&peer, SmtpTls::Plain);
    settings.login = Some(SmtpLogin {
        user: "simurgh".to_owned(),
        password: Secret::new("wrong"),
    });
    let refused = routes(settings).send(message_id(1), mail(None)).await;
    assert!(
        matches!(&refused, Err(SendFailure::Temporary(reason)) if reason.contains("535")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn connections_are_kept_and_replaced_when_the_server_restarts() {
    if !AIOSMTPD.is_here() {
        return;
    }
    let mut peer = Peer::start(&AIOSMTPD, &[]).await;
    let routes = routes(settings(&peer, SmtpTls::Plain));
    routes.send(message_id(1), mail(None)).await.unwrap();
    routes.send(message_id(2), mail(None)).await.unwrap();
    peer.event("connected").await;
    peer.event("message").await;
    peer.event("message").await;

    let port = peer.port.to_string();
    peer.kill().await;
    let down = routes.send(message_id(3), mail(None)).await;
    assert!(matches!(down, Err(SendFailure::Temporary(_))), "{down:?}");

    let mut peer = Peer::start(&AIOSMTPD, &["--port", &port]).await;
    routes.send(message_id(3), mail(None)).await.unwrap();
    peer.event("connected").await;
    peer.event("message").await;
    routes.stop().await;
}

#[tokio::test]
async fn a_half_sent_message_is_never_continued_by_the_next() {
    if !AIOSMTPD.is_here() {
        return;
    }
    let mut peer = Peer::start(&AIOSMTPD, &[]).await;
    let mut settings = settings(&peer, SmtpTls::Plain);
    settings.send_timeout = Duration::seconds(1);
    let routes = routes(settings);
    for (at, what) in [("data", "drop"), ("data", "hang"), ("rcpt", "hang")] {
        peer.order(json!({"at": at, "do": what})).await;
        let broken = routes.send(message_id(1), mail(None)).await;
        peer.event("connected").await;
        assert!(
            matches!(broken, Err(SendFailure::Temporary(_))),
            "{broken:?}"
        );
    }
    routes.send(message_id(2), mail(None)).await.unwrap();
    peer.event("connected").await;
    let message = peer.event("message").await;
    let id = format!("<{}@simurgh.example>", message_id(2).number());
    assert_eq!(header(&message, "Message-ID"), [id]);
}

#[tokio::test]
async fn a_channel_that_is_not_configured_is_named() {
    let routes = Routes::default();
    let email = routes.send(message_id(1), mail(None)).await.unwrap_err();
    assert!(matches!(&email, SendFailure::Permanent(reason) if reason.contains("`smtp`")));
    let sms = Envelope::Sms {
        to: "+8613800138000".parse().unwrap(),
        text: "hi".to_owned(),
    };
    let sms = routes.send(message_id(1), sms).await.unwrap_err();
    assert!(matches!(&sms, SendFailure::Permanent(reason) if reason.contains("`smpp`")));
}
