//! Both sides against each other: over loopback, and in one process.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use axum::Router;
use axum::http::StatusCode;
use proptest::prelude::*;
use simurgh_app::ports::{
    ChargeRequest, Notification, NotificationRefusal, OpenRequest, PaymentProvider, ProviderFault,
    ProviderReport, RefundRequest, RefundStatus,
};
use simurgh_commerce::{Failure, MethodKind, Observation, ProviderStatus};
use simurgh_vocab::{Currency, Duration, Locale, Money, PaymentId, RefundId};
use tokio::net::TcpListener;

use super::*;
use crate::Secret;
use crate::sandbox::BODY_BYTES_MAX;
use crate::sandbox::signature::{self, Signed, Signer};
use crate::sandbox::testing::{HandClock, KEY, NOBODY, START, entropy, merchant, settings};

fn payment(n: u8) -> PaymentId {
    PaymentId::from_parts(START.as_unix_millis(), &[n; 10])
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn request(n: u8) -> OpenRequest {
    OpenRequest {
        payment: payment(n),
        method: MethodKind::Alipay,
        amount: yuan(3_990),
        description: "<b>Basic</b> & 30 days".to_owned(),
        store_method: true,
        return_url: "http://127.0.0.1:9/orders/1".to_owned(),
        locale: Locale::En,
    }
}

fn refund(n: u8, minor: i64) -> RefundRequest {
    RefundRequest {
        refund: RefundId::from_parts(START.as_unix_millis(), &[n; 10]),
        payment: payment(1),
        amount: yuan(minor),
    }
}

fn charge(n: u8, token: &str) -> ChargeRequest {
    ChargeRequest {
        payment: payment(n),
        token: token.to_owned(),
        method: MethodKind::Alipay,
        amount: yuan(3_990),
        description: "renewal".to_owned(),
    }
}

fn direct(clock: &Arc<HandClock>) -> DirectSandbox {
    let sandbox = Sandbox::in_memory(clock.clone(), entropy());
    let settings = settings("http://127.0.0.1:9/n", "http://127.0.0.1:9");
    DirectSandbox::new(sandbox, settings, clock.clone())
}

/// A running provider and its client.
struct Running {
    provider: SandboxProvider,
    sandbox: Sandbox,
    clock: Arc<HandClock>,
    settings: SandboxSettings,
}

async fn running(notify_url: &str) -> Running {
    let clock = HandClock::new();
    let sandbox = Sandbox::in_memory(clock.clone(), entropy());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public_url = format!("http://{}", listener.local_addr().unwrap());
    let settings = settings(notify_url, &public_url);
    let server = SandboxServer::new(sandbox.clone(), settings.clone()).unwrap();
    tokio::spawn(server.courier());
    let pages = server.router();
    tokio::spawn(async move { axum::serve(listener, pages).await });
    Running {
        provider: SandboxProvider::new(settings.clone(), clock.clone()).unwrap(),
        sandbox,
        clock,
        settings,
    }
}

#[tokio::test]
async fn a_payment_from_opening_to_its_notification() {
    let (notify_url, mut hears) = merchant(StatusCode::OK).await;
    let world = running(&notify_url).await;
    let opened = world.provider.open(request(1)).await.unwrap();
    assert_eq!(world.provider.open(request(1)).await.unwrap(), opened);
    let open = world.provider.status(payment(1)).await.unwrap();
    assert_eq!(open.observation.status, ProviderStatus::Pending);

    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let pressed = browser
        .post(&opened.redirect_url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("outcome=duplicated&behaviour=expired")
        .send()
        .await
        .unwrap();
    assert_eq!(pressed.status(), StatusCode::SEE_OTHER);
    assert_eq!(pressed.headers()["location"], "http://127.0.0.1:9/orders/1");

    let mut ids = Vec::new();
    for _ in 0..3 {
        let (headers, body) = hears.recv().await.unwrap();
        let notification = Notification {
            headers: &headers,
            body: &body,
        };
        let event = world.provider.verify(notification).unwrap();
        assert_eq!(event.report.payment, payment(1));
        assert_eq!(
            event.report.observation,
            Observation {
                status: ProviderStatus::Captured,
                amount: yuan(3_990),
                merchant_is_ours: true,
            }
        );
        let token = event.report.mandate.unwrap().token;
        ids.push((event.event_id, token));
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "one event, three times");

    let charged = world.provider.charge(charge(2, &ids[0].1)).await.unwrap();
    assert_eq!(
        charged.observation.status,
        ProviderStatus::Failed(Failure::Expired)
    );
}

#[tokio::test]
async fn a_notification_that_is_not_taken_comes_again_under_its_id() {
    let (notify_url, mut hears) = merchant(StatusCode::SERVICE_UNAVAILABLE).await;
    let world = running(&notify_url).await;
    world.provider.open(request(1)).await.unwrap();
    world
        .provider
        .decide(payment(1), Outcome::Success)
        .await
        .unwrap();
    let first = hears.recv().await.unwrap();
    // The courier may put its next try off before or after the clock moves: let time pass until it
    // comes. Any change of the book wakes it.
    let mut n = 2;
    let second = loop {
        world.clock.pass(Duration::minutes(1));
        world.provider.open(request(n)).await.unwrap();
        n += 1;
        let patience = StdDuration::from_millis(100);
        if let Ok(second) = tokio::time::timeout(patience, hears.recv()).await {
            break second.unwrap();
        }
    };
    assert_eq!(first.1, second.1);
    assert_ne!(first.0, second.0, "signed anew");
}

#[tokio::test]
async fn money_goes_back_once() {
    let world = running(NOBODY).await;
    world.provider.open(request(1)).await.unwrap();
    let refused = |code: &str| Err(ProviderFault::Refused(code.to_owned()));
    let too_early = world.provider.refund(refund(1, 990)).await;
    assert_eq!(too_early, refused("not-captured"));
    world.sandbox.decide(payment(1), Outcome::Success).unwrap();
    for _ in 0..2 {
        let back = world.provider.refund(refund(1, 990)).await;
        assert_eq!(back, Ok(RefundStatus::Succeeded));
    }
    let other = world.provider.refund(refund(1, 991)).await;
    assert_eq!(other, refused("context-inconsistent"));
    let more = world.provider.refund(refund(2, 3_001)).await;
    assert_eq!(more, refused("exceeds-captured"));
    let book = world.provider.book().await.unwrap();
    assert_eq!(book, world.sandbox.book());
    assert_eq!(book.payments[0].refunded, yuan(990));
}

#[tokio::test]
async fn doubt_is_not_a_refusal() {
    let world = running(NOBODY).await;
    let unheard = world.provider.status(payment(9)).await.unwrap();
    assert_eq!(unheard.observation.status, ProviderStatus::NotFound);

    world.provider.open(request(1)).await.unwrap();
    let other = OpenRequest {
        amount: yuan(1),
        ..request(1)
    };
    assert_eq!(
        world.provider.open(other).await,
        Err(ProviderFault::Refused("context-inconsistent".to_owned()))
    );
    world
        .provider
        .decide(payment(1), Outcome::NoAnswer)
        .await
        .unwrap();
    assert!(is_unknown(world.provider.status(payment(1)).await));
    world
        .provider
        .decide(payment(1), Outcome::Success)
        .await
        .unwrap();
    let known = world.provider.status(payment(1)).await.unwrap();
    assert_eq!(known.observation.status, ProviderStatus::Captured);
}

#[tokio::test]
async fn a_silent_or_broken_line_leaves_everything_open() {
    let clock = HandClock::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let at = |address: &str| {
        let settings = settings(NOBODY, address);
        let patience = StdDuration::from_millis(200);
        SandboxProvider::with_timeout(settings, clock.clone(), patience).unwrap()
    };
    let silent = at(&address);
    assert!(
        is_unknown(silent.status(payment(1)).await),
        "accepted, never answered"
    );
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    assert!(is_unknown(silent.status(payment(1)).await), "cut off");
    assert!(is_unknown(
        at("http://127.0.0.1:9").refund(refund(1, 1)).await
    ));
}

#[tokio::test]
async fn only_answers_the_provider_signed_are_believed() {
    let clock = HandClock::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let forged = r#"{"code":"payment-unknown","message":""}"#;
    let app = Router::new().fallback(move || async move { (StatusCode::NOT_FOUND, forged) });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let provider = SandboxProvider::new(settings(NOBODY, &address), clock).unwrap();
    assert!(is_unknown(provider.status(payment(1)).await));
    assert!(is_unknown(provider.open(request(1)).await));
}

#[tokio::test]
async fn the_api_believes_only_the_merchant() {
    let world = running(NOBODY).await;
    let path = "/v1/payments";
    let url = format!("{}{path}", world.settings.public_url());
    let body = wire::write(&wire::OpenBody::new(&request(1)));
    let good = Signer::new(&Secret::new(KEY));
    let sign = |signer: &Signer, path: &str, at| {
        let method = "POST";
        signer.sign(
            Signed::Request {
                method,
                path,
                body: &body,
            },
            at,
        )
    };
    let long_ago = START.minus(Duration::minutes(6));
    let cases = [
        ("missing", None, 401),
        ("garbled", Some("x".to_owned()), 401),
        ("other path", Some(sign(&good, "/v1/charges", START)), 401),
        ("old", Some(sign(&good, path, long_ago)), 401),
        (
            "other key",
            Some(sign(
                &Signer::new(&Secret::new("another key, as long")),
                path,
                START,
            )),
            401,
        ),
        ("good", Some(sign(&good, path, START)), 200),
    ];
    for (case, signature, expected) in cases {
        let mut call = reqwest::Client::new().post(&url).body(body.clone());
        if let Some(signature) = signature {
            call = call.header(signature::HEADER, signature);
        }
        let answered = call.send().await.unwrap();
        assert_eq!(answered.status().as_u16(), expected, "{case}");
        let signed = answered.headers().contains_key(signature::HEADER);
        assert_eq!(signed, expected == 200, "{case}");
    }
    let flipped = body.iter().map(|b| b ^ 1).collect::<Vec<_>>();
    let answered = reqwest::Client::new()
        .post(&url)
        .header(signature::HEADER, sign(&good, path, START))
        .body(flipped)
        .send()
        .await
        .unwrap();
    assert_eq!(answered.status().as_u16(), 401);
    let huge = reqwest::Client::new()
        .post(&url)
        .body(vec![b'x'; BODY_BYTES_MAX + 1]);
    assert_eq!(huge.send().await.unwrap().status().as_u16(), 413);
}

#[tokio::test]
async fn the_payers_page_is_labelled_escaped_and_fenced() {
    let world = running(NOBODY).await;
    let opened = world.provider.open(request(1)).await.unwrap();
    let page = reqwest::get(&opened.redirect_url).await.unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:9;"),
        "{policy}"
    );
    let text = page.text().await.unwrap();
    assert!(text.contains("no real money"));
    assert!(text.contains("&lt;b&gt;Basic&lt;/b&gt; &amp; 30 days"));
    assert!(!text.contains("<script") && !text.contains("style="));
    for outcome in Outcome::all() {
        assert!(
            text.contains(&format!("value=\"{}\"", outcome.code())),
            "{outcome:?}"
        );
    }
    let foreign = reqwest::Client::new()
        .post(&opened.redirect_url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body("outcome=success");
    assert_eq!(foreign.send().await.unwrap().status().as_u16(), 403);
    let unheard = format!("{}/pay/pay_00", world.settings.public_url());
    assert_eq!(reqwest::get(unheard).await.unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn the_bank_has_a_page_of_its_own() {
    let world = running(NOBODY).await;
    let opened = world.provider.open(request(1)).await.unwrap();
    let press = |outcome: &'static str| {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
            .post(&opened.redirect_url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("outcome={outcome}"))
            .send()
    };
    let to_bank = press("needs-bank").await.unwrap();
    let location = to_bank.headers()["location"].to_str().unwrap();
    assert!(opened.redirect_url.ends_with(location));
    let page = reqwest::get(&opened.redirect_url).await.unwrap();
    assert!(page.text().await.unwrap().contains("Confirm in the bank"));
    press("success").await.unwrap();
    let seen = world.provider.status(payment(1)).await.unwrap();
    assert_eq!(seen.observation.status, ProviderStatus::Captured);
    assert_eq!(
        press("success").await.unwrap().status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        press("nonsense").await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn the_page_over_the_book_lists_and_acts() {
    let world = running(NOBODY).await;
    world.provider.open(request(1)).await.unwrap();
    world.sandbox.decide(payment(1), Outcome::NoAnswer).unwrap();
    let home = world.settings.public_url().to_owned();
    let act = |action: &str, value: &str| {
        let url = format!("{home}/book/{}/{action}", payment(1));
        reqwest::Client::new()
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("value={value}&lang=en"))
            .send()
    };
    for (action, value) in [
        ("outcome", "success"),
        ("behaviour", "revoked"),
        ("refunds", "impossible"),
        ("send-again", ""),
    ] {
        let answered = act(action, value).await.unwrap();
        assert_eq!(answered.status(), StatusCode::OK, "{action}");
        let text = answered.text().await.unwrap();
        assert!(text.contains(&payment(1).number()), "{action}");
    }
    assert_eq!(
        act("outcome", "x").await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
    let back = world.provider.refund(refund(1, 990)).await;
    assert_eq!(back, Ok(RefundStatus::Impossible));
    let json = reqwest::get(format!("{home}/book.json")).await.unwrap();
    let json = json.text().await.unwrap();
    assert!(json.contains(&payment(1).number()));
    assert!(
        !json.contains("mdt_") && !json.contains("pay_"),
        "no tokens"
    );
}

#[tokio::test]
async fn the_same_bytes_are_believed_in_one_process() {
    let clock = HandClock::new();
    let provider = direct(&clock);
    provider.open(request(1)).await.unwrap();
    provider
        .sandbox()
        .decide(payment(1), Outcome::Reordered)
        .unwrap();
    let handed = provider.pop_notifications();
    assert!(provider.pop_notifications().is_empty());
    let statuses: Vec<_> = handed
        .iter()
        .map(|one| {
            let event = provider.verify(one.as_notification()).ok().unwrap();
            event.report.observation.status
        })
        .collect();
    assert_eq!(
        statuses,
        [
            ProviderStatus::Captured,
            ProviderStatus::Pending,
            ProviderStatus::Failed(Failure::BankRefused),
        ]
    );
}

#[tokio::test]
async fn a_lost_answer_is_not_a_lost_payment() {
    let clock = HandClock::new();
    let provider = direct(&clock);
    provider.lose_next(Loss::Request);
    provider.lose_next(Loss::Answer);
    assert!(is_unknown(provider.open(request(1)).await));
    assert!(provider.sandbox().book().payments.is_empty());
    assert!(is_unknown(provider.open(request(1)).await));
    assert_eq!(provider.sandbox().book().payments.len(), 1);
    assert!(provider.open(request(1)).await.is_ok());
}

#[test]
fn what_is_not_signed_is_not_believed() {
    let clock = HandClock::new();
    let provider = direct(&clock);
    let sandbox = provider.sandbox();
    sandbox.open(request(1)).unwrap();
    sandbox.decide(payment(1), Outcome::Success).unwrap();
    let good = provider.pop_notifications().remove(0);
    let verify = |headers: &[(String, String)], body: &[u8]| {
        provider.verify(Notification { headers, body }).map(drop)
    };
    let wrong = Err(NotificationRefusal::BadSignature);
    assert_eq!(verify(&good.headers, &good.body), Ok(()));
    assert_eq!(verify(&[], &good.body), wrong, "missing");
    let garbled = [(signature::HEADER.to_owned(), "t=1,v1=00".to_owned())];
    assert_eq!(verify(&garbled, &good.body), wrong, "wrong");
    let twice = [good.headers.clone(), garbled.to_vec()].concat();
    assert_eq!(verify(&twice, &good.body), wrong, "two signatures");
    let body = String::from_utf8(good.body.clone()).unwrap();
    let flipped = body.replace("3990", "3991");
    assert_ne!(flipped, body);
    assert_eq!(
        verify(&good.headers, flipped.as_bytes()),
        wrong,
        "body flipped"
    );
    let other = SandboxSettings::new(
        "simurgh",
        Secret::new("another key, as long"),
        NOBODY,
        NOBODY,
    )
    .unwrap();
    let other = DirectSandbox::new(sandbox.clone(), other, clock.clone());
    assert_eq!(
        other.verify(good.as_notification()).map(drop),
        wrong,
        "other key"
    );
    let large = vec![b' '; BODY_BYTES_MAX + 1];
    assert_eq!(
        verify(&good.headers, &large),
        Err(NotificationRefusal::Malformed("the body is too large"))
    );
    clock.pass(Duration::seconds(301));
    assert_eq!(
        verify(&good.headers, &good.body),
        Err(NotificationRefusal::TooOld)
    );
}

#[test]
fn what_is_signed_must_still_be_a_notification() {
    let clock = HandClock::new();
    let provider = direct(&clock);
    let number = payment(1).number();
    let body = |event: &str, rest: &str| {
        format!(
            r#"{{"event_id":"{event}","payment":{{"merchant":"simurgh","number":"{number}",{rest}}}}}"#
        )
    };
    let yuan = r#""amount":{"minor":1,"currency":"CNY"}"#;
    let with = |rest: &str| body("e", &format!("{rest},{yuan}"));
    let cases = [
        (with(r#""status":"captured""#), true),
        (with(r#""status":"failed","failure":"risk""#), true),
        (with(r#""status":"failed""#), false),
        (with(r#""status":"captured","failure":"risk""#), false),
        (with(r#""status":"failed","failure":"bad mood""#), false),
        (with(r#""status":"not-found""#), false),
        (with(r#""status":"captured","more":1"#), false),
        (
            with(r#""status":"pending","mandate":{"token":"t","display":"d"}"#),
            false,
        ),
        (
            with(r#""status":"captured","mandate":{"token":"","display":"d"}"#),
            false,
        ),
        (body("e", r#""status":"captured""#), false),
        (
            body(
                "e",
                r#""status":"captured","amount":{"minor":-1,"currency":"CNY"}"#,
            ),
            false,
        ),
        (
            body(
                "e",
                r#""status":"captured","amount":{"minor":1.5,"currency":"CNY"}"#,
            ),
            false,
        ),
        (
            body(
                "e",
                r#""status":"captured","amount":{"minor":1,"currency":"XAU"}"#,
            ),
            false,
        ),
        (body("", &format!(r#""status":"captured",{yuan}"#)), false),
        (
            body("a b", &format!(r#""status":"captured",{yuan}"#)),
            false,
        ),
        ("{}".to_owned(), false),
        (String::new(), false),
    ];
    for (body, expected) in cases {
        let headers = provider.sign(body.as_bytes());
        let verified = provider.verify(Notification {
            headers: &headers,
            body: body.as_bytes(),
        });
        match verified {
            Ok(_) => assert!(expected, "{body}"),
            Err(NotificationRefusal::Malformed(_)) => assert!(!expected, "{body}"),
            Err(other) => panic!("{other}: {body}"),
        }
    }
}

#[test]
fn the_book_survives_a_restart_and_a_torn_line() {
    use std::io::Write as _;
    let path = std::env::temp_dir().join(format!("simurgh-sandbox-{}.journal", std::process::id()));
    std::fs::remove_file(&path).ok();
    let clock = HandClock::new();
    let start = || Sandbox::with_journal(&path, clock.clone(), entropy()).unwrap();
    let first = start();
    let page = first.open(request(1)).unwrap();
    first.open(request(1)).unwrap();
    first.behave(payment(1), Behaviour::Revoked).unwrap();
    first.decide(payment(1), Outcome::Delayed).unwrap();
    clock.pass(Duration::minutes(1));
    first.refund(refund(1, 990)).unwrap();
    let token = first
        .status(payment(1))
        .unwrap()
        .unwrap()
        .mandate
        .unwrap()
        .token;
    first.charge(charge(2, &token)).unwrap();
    assert!(first.decide(payment(1), Outcome::Success).is_err());
    let before = first.book();
    let waiting = first.read(|book, _| book.waiting());
    drop(first);
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    file.write_all(b"{\"at\":1,\"comm").unwrap();
    let second = start();
    assert_eq!(second.book(), before);
    assert_eq!(second.read(|book, _| book.waiting()), waiting);
    assert_eq!(second.open(request(1)).unwrap(), page);
    second.open(request(3)).unwrap();
    assert_eq!(start().book().payments.len(), 3);
    std::fs::write(&path, b"no journal\n").unwrap();
    assert!(Sandbox::with_journal(&path, clock.clone(), entropy()).is_err());
    std::fs::remove_file(&path).ok();
}

fn is_unknown<T>(result: Result<T, ProviderFault>) -> bool {
    matches!(result, Err(ProviderFault::Unknown(_)))
}

fn any_status() -> impl Strategy<Value = ProviderStatus> {
    prop_oneof![
        Just(ProviderStatus::Pending),
        Just(ProviderStatus::Captured),
        Just(ProviderStatus::Closed),
        (0..Failure::ALL.len()).prop_map(|index| ProviderStatus::Failed(Failure::ALL[index])),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        status in any_status(),
        minor in 0..i64::MAX,
        currency in 0..Currency::ALL.len(),
        bytes: [u8; 10],
        merchant_is_ours: bool,
    ) {
        let report = ProviderReport {
            payment: PaymentId::from_parts(7, &bytes),
            observation: Observation {
                status,
                amount: Money::new(minor, Currency::ALL[currency]),
                merchant_is_ours,
            },
            mandate: None,
        };
        let body = verify::body("evt_1", &report, "simurgh");
        let event = verify::parse(&body, "simurgh").unwrap();
        prop_assert!(event.report == report);
        prop_assert_eq!(event.event_id, "evt_1");
    }

    #[test]
    fn nothing_received_makes_it_panic(
        body in prop::collection::vec(any::<u8>(), 0..512),
        header in ".{0,100}",
        cut in 0usize..400,
        flip: u8,
    ) {
        let clock = HandClock::new();
        let provider = direct(&clock);
        let headers = [(signature::HEADER.to_owned(), header)];
        let notification = Notification { headers: &headers, body: &body };
        prop_assert!(provider.verify(notification).is_err());
        verify::parse(&body, "simurgh").ok();
        // Nearly right is where parsers break: a true body, cut and with one byte changed.
        let report = ProviderReport {
            payment: payment(1),
            observation: Observation {
                status: ProviderStatus::Captured,
                amount: yuan(1),
                merchant_is_ours: true,
            },
            mandate: None,
        };
        let mut near = verify::body("evt_1", &report, "simurgh");
        let at = cut % near.len();
        near[at] ^= flip;
        verify::parse(&near, "simurgh").ok();
        near.truncate(at);
        prop_assert!(verify::parse(&near, "simurgh").is_err());
    }
}
