//! Both sides against each other over loopback, and the book by itself.

use axum::http::StatusCode;
use simurgh_app::ports::{
    IdentityChecker, IdentityReport, IdentityStart, Notification, NotificationRefusal,
    ProviderFault,
};
use simurgh_subscriber::IdentityRefusal;
use simurgh_vocab::{CaseId, Duration, Locale};
use tokio::net::TcpListener;

use super::book::{Command, DELAY, IdentityBook, PAGE_LIFETIME, Tokens};
use super::*;
use crate::Secret;
use crate::sandbox::signature::{self, Signed, Signer};
use crate::sandbox::testing::{HandClock, KEY, NOBODY, START, entropy, merchant, settings};

fn request(n: u8) -> IdentityStart {
    IdentityStart {
        case: CaseId::from_parts(START.as_unix_millis(), &[n; 10]),
        attempt_at: START,
        rule: "china".to_owned(),
        return_url: "http://127.0.0.1:9/identity/china".to_owned(),
        locale: Locale::En,
    }
}

/// A running sandbox and its client.
struct Running {
    checker: SandboxChecker,
    sandbox: Sandbox,
    home: String,
}

async fn running(notify_url: &str) -> Running {
    let clock = HandClock::new();
    let sandbox = Sandbox::in_memory(clock.clone(), entropy());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = format!("http://{}", listener.local_addr().unwrap());
    let settings = settings(notify_url, &home);
    let server = SandboxServer::new(sandbox.clone(), settings.clone()).unwrap();
    tokio::spawn(server.courier());
    let pages = server.router();
    tokio::spawn(async move { axum::serve(listener, pages).await });
    Running {
        checker: SandboxChecker::new(&settings, clock).unwrap(),
        sandbox,
        home,
    }
}

fn form(url: &str, body: &str) -> reqwest::RequestBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned())
}

#[tokio::test]
async fn a_check_from_its_start_to_its_notification() {
    let (notify_url, mut hears) = merchant(StatusCode::OK).await;
    let world = running(&notify_url).await;
    let started = world.checker.start(request(1)).await.unwrap();
    let again = world.checker.start(request(1)).await.unwrap();
    assert_eq!(again, started, "one attempt is one check");
    let pending = world.checker.status(started.reference.clone()).await;
    assert_eq!(pending.unwrap().verdict, None);

    let pressed = form(&started.redirect_url, "outcome=duplicated").send();
    let pressed = pressed.await.unwrap();
    assert_eq!(pressed.status(), StatusCode::SEE_OTHER);
    let back = pressed.headers()["location"].to_str().unwrap();
    assert_eq!(back, request(1).return_url, "and nothing of the result");
    for _ in 0..3 {
        let (headers, body) = hears.recv().await.unwrap();
        let notification = Notification {
            headers: &headers,
            body: &body,
        };
        let report = world.checker.verify(notification).unwrap();
        let reference = started.reference.clone();
        let verdict = Some(Ok(()));
        assert_eq!(report, IdentityReport { reference, verdict });
    }
    let next = IdentityStart {
        attempt_at: START.plus(Duration::seconds(1)),
        ..request(1)
    };
    let next = world.checker.start(next).await.unwrap();
    assert_ne!(next.reference, started.reference, "another attempt");
}

#[tokio::test]
async fn doubt_is_not_a_verdict() {
    let world = running(NOBODY).await;
    let unheard = world.checker.status("chk_00".to_owned()).await;
    assert_eq!(
        unheard,
        Err(ProviderFault::Refused("check-unknown".to_owned()))
    );
    let started = world.checker.start(request(1)).await.unwrap();
    let other = IdentityStart {
        rule: "japan".to_owned(),
        ..request(1)
    };
    let other = world.checker.start(other).await;
    assert_eq!(
        other,
        Err(ProviderFault::Refused("context-inconsistent".to_owned()))
    );
    let status = || world.checker.status(started.reference.clone());
    let decide = |outcome| world.sandbox.decide(&started.reference, outcome).unwrap();
    decide(Outcome::NoAnswer);
    assert!(matches!(status().await, Err(ProviderFault::Unknown(_))));
    decide(Outcome::Refuse(IdentityRefusal::TooYoung));
    let known = status().await.unwrap();
    assert_eq!(known.verdict, Some(Err(IdentityRefusal::TooYoung)));
    let twice = world.sandbox.decide(&started.reference, Outcome::Approve);
    assert!(twice.is_err(), "what has ended stands");
    let nobody = SandboxChecker::new(&settings(NOBODY, "http://127.0.0.1:9"), HandClock::new());
    let away = nobody.unwrap().start(request(1)).await;
    assert!(matches!(away, Err(ProviderFault::Unknown(_))));
}

/// What a command list leads to: the truth, and what the operator hears in this order.
#[test]
fn each_outcome_has_its_truth_and_its_notifications() {
    use IdentityRefusal::{Abandoned, Mismatch, NotGenuine};
    let yes = Some(Ok(()));
    let cases = [
        (Some(Outcome::Approve), yes, vec![yes]),
        (
            Some(Outcome::Refuse(Mismatch)),
            Some(Err(Mismatch)),
            vec![Some(Err(Mismatch))],
        ),
        (Some(Outcome::Duplicated), yes, vec![yes, yes, yes]),
        (
            Some(Outcome::Contradicted),
            yes,
            vec![yes, Some(Err(NotGenuine))],
        ),
        (Some(Outcome::Delayed), yes, vec![yes]),
        (Some(Outcome::Unannounced), yes, vec![]),
        (Some(Outcome::NoAnswer), None, vec![]),
        (None, Some(Err(Abandoned)), vec![Some(Err(Abandoned))]),
    ];
    for (outcome, truth, heard) in cases {
        let mut book = IdentityBook::default();
        let tokens = Tokens {
            reference: "chk_1".to_owned(),
            page: "who_1".to_owned(),
        };
        let start = Command::Start {
            request: request(1),
            tokens,
        };
        book.change(&start, START).unwrap();
        if let Some(outcome) = outcome {
            let reference = "chk_1".to_owned();
            let decide = Command::Decide { reference, outcome };
            book.change(&decide, START).unwrap();
        }
        if outcome == Some(Outcome::Delayed) {
            let early = START.plus(DELAY).minus(Duration::seconds(1));
            book.pass(early);
            assert_eq!(book.entry("chk_1").unwrap().truth(), None);
        }
        let end = START.plus(PAGE_LIFETIME);
        book.pass(end);
        assert_eq!(book.entry("chk_1").unwrap().truth(), truth, "{outcome:?}");
        let mut told = Vec::new();
        while let Some(delivery) = book.due(end, 1).first() {
            let (event_id, report) = book.letter(delivery.id).unwrap();
            assert!(event_id.starts_with("evt_chk_1_"));
            told.push(report.verdict);
            book.change(&Command::Taken(delivery.id), end).unwrap();
        }
        assert_eq!(told, heard, "{outcome:?}");
    }
}

#[test]
fn only_what_is_signed_for_us_is_believed() {
    let settings = settings(NOBODY, "http://127.0.0.1:9");
    let checker = SandboxChecker::new(&settings, HandClock::new()).unwrap();
    let report = IdentityReport {
        reference: "chk_1".to_owned(),
        verdict: Some(Ok(())),
    };
    let ours = wire::body("evt_1", &report, "simurgh");
    let theirs = wire::body("evt_1", &report, "somebody-else");
    let verify = |key: &str, at, body: &[u8]| {
        let signature = Signer::new(&Secret::new(key)).sign(Signed::Notification { body }, at);
        let headers = [(signature::HEADER.to_owned(), signature)];
        let headers = &headers;
        checker.verify(Notification { headers, body })
    };
    let unsigned = Notification {
        headers: &[],
        body: &ours,
    };
    let bad = Err(NotificationRefusal::BadSignature);
    assert_eq!(checker.verify(unsigned), bad);
    assert_eq!(verify("another key, as long", START, &ours), bad);
    let old = START.minus(Duration::minutes(6));
    assert_eq!(verify(KEY, old, &ours), Err(NotificationRefusal::TooOld));
    assert_eq!(verify(KEY, START, &ours), Ok(report));
    let malformed = [
        theirs,
        b"{}".to_vec(),
        br#"{"event_id":"e","check":{"account":"simurgh","reference":"r","status":"refused"}}"#
            .to_vec(),
        br#"{"event_id":"e","check":{"account":"simurgh","reference":"r","status":"approved","refusal":"mismatch"}}"#
            .to_vec(),
    ];
    for body in malformed {
        let refused = verify(KEY, START, &body);
        assert!(matches!(refused, Err(NotificationRefusal::Malformed(_))));
    }
}

#[tokio::test]
async fn the_api_answers_only_the_operator() {
    let world = running(NOBODY).await;
    let url = format!("{}/v1/checks", world.home);
    let body = wire::write(&wire::StartBody::new(&request(1)));
    let sign = |path: &str| {
        let method = "POST";
        let body = &body;
        let signer = Signer::new(&Secret::new(KEY));
        signer.sign(Signed::Request { method, path, body }, START)
    };
    for (signature, expected) in [
        (None, 401),
        (Some(sign("/v1/elsewhere")), 401),
        (Some(sign("/v1/checks")), 200),
    ] {
        let mut call = reqwest::Client::new().post(&url).body(body.clone());
        if let Some(signature) = signature {
            call = call.header(signature::HEADER, signature);
        }
        let answered = call.send().await.unwrap();
        assert_eq!(answered.status().as_u16(), expected);
    }
}

#[tokio::test]
async fn the_pages_are_labelled_escaped_and_fenced() {
    let world = running(NOBODY).await;
    let started = world.checker.start(request(1)).await.unwrap();
    let page = reqwest::get(&started.redirect_url).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:9;"));
    let text = page.text().await.unwrap();
    assert!(text.contains("no document is kept"));
    assert!(!text.contains("<script") && !text.contains("style="));
    for outcome in Outcome::all() {
        let value = format!("value=\"{}\"", outcome.code());
        assert!(text.contains(&value), "{outcome:?}");
    }
    let foreign = form(&started.redirect_url, "outcome=approve").header("origin", "http://evil");
    assert_eq!(foreign.send().await.unwrap().status().as_u16(), 403);
    let nonsense = form(&started.redirect_url, "outcome=nonsense").send();
    assert_eq!(nonsense.await.unwrap().status().as_u16(), 400);
    let unheard = reqwest::get(format!("{}/check/who_00", world.home)).await;
    assert_eq!(unheard.unwrap().status().as_u16(), 404);

    let reference = &started.reference;
    let act = |action: &str, body: &str| {
        form(&format!("{}/book/{reference}/{action}", world.home), body).send()
    };
    let decided = act("outcome", "value=mismatch&lang=en").await.unwrap();
    assert_eq!(decided.status(), StatusCode::SEE_OTHER);
    let again = act("send-again", "lang=en").await.unwrap();
    assert_eq!(again.status(), StatusCode::SEE_OTHER);
    let book = reqwest::get(format!("{}/?lang=en", world.home)).await;
    let book = book.unwrap().text().await.unwrap();
    assert!(book.contains("Refused: Face or name does not match"));
}

#[test]
fn the_book_survives_a_restart_and_a_torn_line() {
    let folder = std::env::temp_dir().join(format!("simurgh-identity-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("identity.jsonl");
    let open = || Sandbox::with_journal(&path, HandClock::new(), entropy()).unwrap();
    let sandbox = open();
    let tokens = sandbox.start(request(1)).unwrap();
    sandbox.decide(&tokens.reference, Outcome::Approve).unwrap();
    drop(sandbox);
    let mut text = std::fs::read(&path).unwrap();
    text.extend_from_slice(b"{\"at\":1,\"comm");
    std::fs::write(&path, text).unwrap();
    let sandbox = open();
    let known = sandbox.status(&tokens.reference).unwrap().unwrap();
    assert_eq!(known.verdict, Some(Ok(())));
    let waiting = sandbox.read(|book, now| book.due(now, 9).len());
    assert_eq!(waiting, 1, "what was not taken is sent after the restart");
    std::fs::write(&path, b"no journal\n").unwrap();
    assert!(Sandbox::with_journal(&path, HandClock::new(), entropy()).is_err());
    std::fs::remove_dir_all(&folder).unwrap();
}
