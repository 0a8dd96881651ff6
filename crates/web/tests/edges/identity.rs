//! Identity checks through the routers: the outside check's word, documents and their limits, staff.

use std::sync::{Arc, Mutex};

use axum::http::{Method, StatusCode, header};
use simurgh_app::ports::{
    Asking, IdentityChecker, IdentityReport, IdentityStart, IdentityStarted, Notification,
    NotificationRefusal,
};
use simurgh_app::subscriber::Rules;
use simurgh_subscriber::{IdentityCase, IdentityRefusal};
use simurgh_vocab::Duration;

use super::routes::Site;
use super::world::{Answer, Browser, Stage};

const CHECKOUT: &str = "/checkout?item=offer:basic-china&periods=3&currency=CNY&start=now";
const NEXT: &str =
    "%2Fcheckout%3Fitem%3Doffer:basic-china%26periods%3D3%26currency%3DCNY%26start%3Dnow";
const JPEG: &[u8] = b"\xff\xd8\xff the passport of Wei";

/// An outside check whose word is "signed reference verdict".
#[derive(Default)]
struct Outside(Mutex<u32>);

impl IdentityChecker for Outside {
    fn code(&self) -> &'static str {
        "outside"
    }

    fn start(&self, request: IdentityStart) -> Asking<'_, IdentityStarted> {
        assert_eq!(request.return_url, "https://example.com/identity/china");
        let mut number = self.0.lock().unwrap();
        *number += 1;
        let reference = format!("ref-{number}");
        let redirect_url = format!("https://check.example/{reference}");
        Box::pin(std::future::ready(Ok(IdentityStarted {
            reference,
            redirect_url,
        })))
    }

    fn status(&self, reference: String) -> Asking<'_, IdentityReport> {
        let verdict = None;
        Box::pin(std::future::ready(Ok(IdentityReport {
            reference,
            verdict,
        })))
    }

    fn verify(&self, note: Notification<'_>) -> Result<IdentityReport, NotificationRefusal> {
        let text = std::str::from_utf8(note.body).unwrap();
        let signed = text.strip_prefix("{\"signed\":\"");
        let signed = signed.ok_or(NotificationRefusal::BadSignature)?;
        let (reference, verdict) = signed.trim_end_matches("\"}").split_once(' ').unwrap();
        Ok(IdentityReport {
            reference: reference.to_owned(),
            verdict: match verdict {
                "yes" => Some(Ok(())),
                code => IdentityRefusal::from_code(code).map(Err),
            },
        })
    }
}

async fn stage_with_outside() -> Stage {
    Stage::with_rules(Rules {
        identity_checker: Some(Arc::new(Outside::default())),
        ..Rules::default()
    })
    .await
}

async fn told(stage: &Stage, checker: &str, body: &str) -> Answer {
    let mut outside = Browser::at(stage, Site::Portal);
    let request = outside.request(Method::POST, &format!("/notify/identity/{checker}"));
    let request = request.header(header::CONTENT_TYPE, "application/json");
    outside.ask(request, body.to_owned()).await
}

/// A field of a form: its name and content.
type Part<'p> = (&'p str, &'p [u8]);

/// Sends a form with files; `parts` are name and content, as files where the name is "document".
async fn upload(browser: &mut Browser<'_>, parts: &[Part<'_>]) -> Answer {
    let mut body = Vec::new();
    for (name, content) in parts {
        let file = if *name == "document" {
            "; filename=\"a.jpg\"\r\nContent-Type: image/jpeg"
        } else {
            ""
        };
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    let request = browser.request(Method::POST, "/identity/china/documents");
    let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    browser.ask(request, body).await
}

#[tokio::test]
async fn the_rule_is_shown_before_the_payment_and_the_order_is_kept() {
    let stage = stage_with_outside().await;
    let mut visitor = Browser::at(&stage, Site::Portal);
    let rule = "The law of mainland China asks";
    let plan = visitor.visit("/plans/basic-china?currency=CNY").await;
    assert!(plan.body.contains(rule), "{}", plan.body);
    let plan = visitor.visit("/plans/basic-europe?currency=CNY").await;
    assert!(!plan.body.contains("Identity check"));

    let mut browser = stage.customer().await;
    let moved = browser.visit(CHECKOUT).await;
    let checkout = moved.header(header::LOCATION).to_owned();
    let page = browser.visit(&checkout).await;
    assert!(
        page.body
            .contains(&format!("href=\"/identity/china?next={NEXT}"))
    );
    assert!(
        !page.body.contains("name=\"method\""),
        "nothing can be paid"
    );
    let asked = browser.visit(&format!("/identity/china?next={NEXT}")).await;
    let sentence = "deleted automatically 30 days after the decision";
    assert!(asked.body.contains(rule) && asked.body.contains(sentence));
    let elsewhere = browser
        .visit("/identity/china?next=https://evil.example/checkout?")
        .await;
    for place in ["href=\"https://evil", "value=\"https"] {
        assert!(!elsewhere.body.contains(place), "led elsewhere");
    }

    let started = browser
        .send("/identity/china/start", &[("next", CHECKOUT)])
        .await;
    assert_eq!(
        started.header(header::LOCATION),
        "https://check.example/ref-1"
    );
    let back = browser.visit("/identity/china?verdict=approved").await;
    assert!(
        back.body.contains("under way"),
        "coming back decides nothing"
    );
    let approved = told(&stage, "outside", "{\"signed\":\"ref-1 yes\"}").await;
    assert_eq!(approved.status, StatusCode::NO_CONTENT);
    let page = browser.visit("/identity/china").await;
    let next = CHECKOUT.replace('&', "&#38;");
    assert!(
        page.body.contains(&format!("href=\"{next}\"")),
        "{}",
        page.body
    );
    let page = browser.visit(&checkout).await;
    assert!(page.body.contains("name=\"payment\""));
    let plan = browser.visit("/plans/basic-china?currency=CNY").await;
    assert!(!plan.body.contains(rule), "it is passed");
}

#[tokio::test]
async fn an_outside_check_begun_too_often_says_what_else_to_do() {
    let stage = stage_with_outside().await;
    let mut browser = stage.customer().await;
    browser.visit("/identity/china").await;
    for _ in 0..5 {
        let begun = browser.send("/identity/china/start", &[]).await;
        assert!(begun.status.is_redirection());
    }
    let more = browser.send("/identity/china/start", &[]).await;
    assert_eq!(more.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(more.body.contains("send your documents"), "{}", more.body);
    assert!(!more.body.contains("action=\"/identity/china/start\""));
    assert!(more.body.contains("way=documents"));
}

#[tokio::test]
async fn the_word_of_the_outside_check_is_verified_first() {
    let stage = stage_with_outside().await;
    let mut browser = stage.customer().await;
    browser.visit("/identity/china").await;
    browser.send("/identity/china/start", &[]).await;
    for (checker, body, status) in [
        (
            "outside",
            "{\"forged\":\"ref-1 yes\"}",
            StatusCode::UNAUTHORIZED,
        ),
        (
            "nobody",
            "{\"signed\":\"ref-1 yes\"}",
            StatusCode::NOT_FOUND,
        ),
    ] {
        let answer = told(&stage, checker, body).await;
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.header(header::CONTENT_TYPE),
            "application/problem+json"
        );
    }
    let page = browser.visit("/identity/china").await;
    assert!(page.body.contains("under way"));
    let refused = told(&stage, "outside", "{\"signed\":\"ref-1 too_young\"}").await;
    assert_eq!(refused.status, StatusCode::NO_CONTENT);
    let page = browser.visit("/identity/china").await;
    assert!(page.body.contains("parent or guardian"), "{}", page.body);
}

#[tokio::test]
async fn documents_are_taken_within_their_limits_only() {
    let stage = Stage::new().await;
    let mut browser = stage.customer().await;
    let page = browser.visit("/identity/china").await;
    assert!(
        !page.body.contains("/identity/china/start"),
        "there is no outside check"
    );
    let csrf = browser.csrf.clone();
    let token = ("csrf", csrf.as_bytes());
    let document = ("document", JPEG);
    let foreign = ("csrf", b"forged".as_slice());
    for parts in [&[document][..], &[foreign, document], &[document, token]] {
        let answer = upload(&mut browser, parts).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let large = vec![0xff; IdentityCase::DOCUMENT_OCTETS_MAX + 1];
    let empty = ("document", b"".as_slice());
    let cases: [(&[Part<'_>], &str); 5] = [
        (&[token], "choose a picture"),
        (&[token, empty], "choose a picture"),
        (&[token, ("document", b"MZ")], "not a JPEG, PNG or PDF"),
        (&[token, ("document", &large)], "larger than 8 MB"),
        (
            &[token, document, document, document, document, document],
            "at most 4 files",
        ),
    ];
    for (parts, said) in cases {
        let answer = upload(&mut browser, parts).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(answer.body.contains(said), "{said}: {}", answer.body);
    }
    let other = upload(&mut browser, &[token, ("else", b"x")]).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    let taken = upload(&mut browser, &[token, document, empty]).await;
    assert_eq!(taken.header(header::LOCATION), "/identity/china");
    let page = browser.visit("/identity/china").await;
    assert!(
        page.body.contains("looking at your documents"),
        "{}",
        page.body
    );
    let again = upload(&mut browser, &[token, document]).await;
    assert!(again.status.is_redirection(), "in review already");
}

#[tokio::test]
async fn staff_opens_decides_and_leaves_traces_and_time_deletes() {
    let stage = Stage::new().await;
    let mut first = stage.customer().await;
    let mut second = stage.customer().await;
    for customer in [&mut first, &mut second] {
        customer.visit("/identity/china").await;
        let csrf = customer.csrf.clone();
        let parts = [("csrf", csrf.as_bytes()), ("document", JPEG)];
        assert!(upload(customer, &parts).await.status.is_redirection());
        stage.wait(Duration::minutes(1));
    }
    let mut desk = stage.staff().await;
    let list = desk.visit("/identity").await;
    let links: Vec<&str> = list.body.split("href=\"/identity/").skip(1).collect();
    let addresses: Vec<String> = links
        .iter()
        .map(|rest| format!("/identity/{}", rest.split('"').next().unwrap()))
        .collect();
    let [oldest, newest] = addresses.as_slice() else {
        panic!("two documents were expected: {addresses:?}");
    };
    assert!(oldest < newest, "the longest waiting first");
    let opened = desk.visit(oldest).await;
    assert_eq!(opened.header(header::CONTENT_TYPE), "image/jpeg");
    assert_eq!(opened.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(opened.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert!(opened.body.ends_with("the passport of Wei"));
    let none = desk
        .visit(&oldest.replace("/documents/0", "/documents/9"))
        .await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let mut stranger = Browser::at(&stage, Site::Console);
    assert!(stranger.visit(oldest).await.status.is_redirection());

    let case = oldest.trim_end_matches("/documents/0");
    let nonsense = desk.send(case, &[("verdict", "perhaps")]).await;
    assert_eq!(nonsense.status, StatusCode::BAD_REQUEST);
    let refused = desk.send(case, &[("verdict", "unreadable")]).await;
    assert!(refused.status.is_redirection());
    let list = desk.visit("/identity").await;
    assert!(!list.body.contains(oldest) && list.body.contains(newest));
    let log = desk.visit("/audit").await.body;
    assert!(log.contains("Identity decided") && log.contains("unreadable"));
    let page = first.visit("/identity/china").await;
    assert!(page.body.contains("could not be read"));

    // Thirty days after the decision the document is gone; the undecided one stays for ninety.
    stage.wait(Duration::days(30));
    while stage.app.run_due_jobs().await.unwrap() > 0 {}
    let mut desk = stage.staff_called("an").await;
    assert_eq!(desk.visit(oldest).await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.visit(newest).await.status, StatusCode::OK);
    stage.wait(Duration::days(60));
    while stage.app.run_due_jobs().await.unwrap() > 0 {}
    let mut desk = stage.staff_called("bo").await;
    assert_eq!(desk.visit(newest).await.status, StatusCode::NOT_FOUND);
}
