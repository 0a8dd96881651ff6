//! Identity checks.

use std::sync::{Arc, Mutex};

use simurgh_app::ports::{
    Asking, IdentityChecker, IdentityReport, IdentityStart, IdentityStarted, Notification,
    NotificationRefusal, Tx,
};
use simurgh_app::subscriber::{
    DocumentRefusal, IdentityNotifyRefusal, IdentityStartRefusal, IdentityWish, NewDocument,
    ReviewRefusal, Rules,
};
use simurgh_subscriber::{
    IdentityCase, IdentityRefusal, IdentityState, IdentityTransition, Requirement, Retention,
};
use simurgh_vocab::{Duration, StaffId, ZoneCode};

use crate::world::{PHONE, Stage, registration};

/// An outside check whose reports are "reference verdict", signed by starting with "signed ".
#[derive(Default)]
struct Outside {
    started: Mutex<Vec<IdentityStart>>,
    status: Mutex<Option<Result<(), IdentityRefusal>>>,
}

impl IdentityChecker for Outside {
    fn code(&self) -> &'static str {
        "outside"
    }

    fn start(&self, request: IdentityStart) -> Asking<'_, IdentityStarted> {
        let mut started = self.started.lock().unwrap();
        started.push(request);
        let reference = format!("ref-{}", started.len());
        let redirect_url = format!("https://check.example/{reference}");
        Box::pin(async move {
            Ok(IdentityStarted {
                reference,
                redirect_url,
            })
        })
    }

    fn status(&self, reference: String) -> Asking<'_, IdentityReport> {
        let verdict = *self.status.lock().unwrap();
        Box::pin(async move { Ok(IdentityReport { reference, verdict }) })
    }

    fn verify(&self, note: Notification<'_>) -> Result<IdentityReport, NotificationRefusal> {
        let text = std::str::from_utf8(note.body).unwrap();
        let signed = text
            .strip_prefix("signed ")
            .ok_or(NotificationRefusal::BadSignature)?;
        let (reference, verdict) = signed.split_once(' ').unwrap();
        let verdict = match verdict {
            "yes" => Some(Ok(())),
            code => IdentityRefusal::from_code(code).map(Err),
        };
        Ok(IdentityReport {
            reference: reference.to_owned(),
            verdict,
        })
    }
}

fn zone() -> ZoneCode {
    "china".parse().unwrap()
}

fn wish() -> IdentityWish {
    IdentityWish {
        zone: zone(),
        back_to: None,
    }
}

/// The text of the only message that arrived.
fn only_text(told: &[(String, String)]) -> &str {
    let [(_, text)] = told else {
        panic!("one message was expected: {told:?}");
    };
    text
}

/// A program whose catalogue asks for a check in one zone.
async fn stage_with(rules: Rules) -> Stage {
    let stage = Stage::with_rules(rules);
    let file = include_str!("../../../simurgh/demo/catalogue.toml").to_owned();
    let applied = stage.app.apply_catalogue(file, "test".to_owned(), false);
    applied.await.unwrap();
    stage
}

async fn stage_with_outside() -> (Stage, Arc<Outside>) {
    let outside = Arc::new(Outside::default());
    let stage = stage_with(Rules {
        identity_checker: Some(outside.clone()),
        ..Rules::default()
    });
    (stage.await, outside)
}

#[tokio::test]
async fn an_outside_check_decides_by_its_signed_word() {
    let (stage, outside) = stage_with_outside().await;
    let app = &stage.app;
    let customer = stage.registered(registration(PHONE)).await.customer;
    let required = || app.identity_requirement(Some(customer), zone());
    let visitor = app.identity_requirement(None, zone()).await.unwrap();
    assert_eq!(
        (visitor, required().await.unwrap()),
        (Requirement::Missing, Requirement::Missing)
    );
    let elsewhere = app
        .identity_requirement(Some(customer), "asia".parse().unwrap())
        .await;
    assert_eq!(elsewhere.unwrap(), Requirement::NotNeeded);

    let start = || app.start_identity_check(customer, wish());
    assert_eq!(start().await.unwrap(), "https://check.example/ref-1");
    let notify = |body: &'static str| {
        let body = body.as_bytes();
        app.notify_identity("outside", Notification { headers: &[], body })
    };
    let forged = notify("ref-1 yes").await;
    let refusal = IdentityNotifyRefusal::Notification(NotificationRefusal::BadSignature);
    assert_eq!(forged, Err(refusal));
    stage.wait(Duration::minutes(1));
    notify("signed ref-1 too_young").await.unwrap();
    assert_eq!(required().await.unwrap(), Requirement::Missing);

    assert_eq!(start().await.unwrap(), "https://check.example/ref-2");
    notify("signed ref-1 yes").await.unwrap();
    assert_eq!(
        required().await.unwrap(),
        Requirement::Missing,
        "an old review's word"
    );
    let told = stage.delivered().await;
    assert!(
        told.iter().all(|(_, text)| !text.contains("is complete")),
        "{told:?}"
    );
    *outside.status.lock().unwrap() = Some(Ok(()));
    stage.wait(Duration::minutes(1));
    let told = stage.delivered().await;
    assert_eq!(
        required().await.unwrap(),
        Requirement::Met,
        "asked, since nothing was heard"
    );
    let text = only_text(&told);
    assert!(
        text.contains("is complete") && !text.contains("张伟"),
        "{text}"
    );
    notify("signed ref-2 not_genuine").await.unwrap();
    assert_eq!(
        required().await.unwrap(),
        Requirement::Met,
        "decided is decided"
    );
    let again = start().await;
    let approved = IdentityTransition::AlreadyApproved;
    assert_eq!(again, Err(IdentityStartRefusal::Case(approved)));
    let started = outside.started.lock().unwrap();
    assert_ne!(started[0].attempt_at, started[1].attempt_at);
}

#[tokio::test]
async fn an_outside_check_begins_five_times_a_day() {
    let (stage, outside) = stage_with_outside().await;
    let app = &stage.app;
    let customer = stage.registered(registration(PHONE)).await.customer;
    let begun_at = app.now();
    for _ in 0..IdentityCase::OUTSIDE_LIMIT.count {
        app.start_identity_check(customer, wish()).await.unwrap();
        stage.wait(Duration::minutes(1));
    }
    let retry_at = begun_at.plus(Duration::days(1));
    let more = app.start_identity_check(customer, wish()).await;
    assert_eq!(more, Err(IdentityStartRefusal::TooOften { retry_at }));
    assert_eq!(outside.started.lock().unwrap().len(), 5, "nobody was asked");
    let png = NewDocument {
        octets: b"\x89PNG\r\n\x1a\n my card".to_vec(),
    };
    app.submit_documents(customer, wish(), vec![png])
        .await
        .unwrap();

    let other = stage.registered(registration("+8613900139000")).await;
    app.start_identity_check(other.customer, wish())
        .await
        .unwrap();
}

#[tokio::test]
async fn documents_are_sealed_reviewed_and_deleted_in_time() {
    let retention = Retention {
        after_decision: Duration::days(3),
        ..Retention::default()
    };
    let stage = stage_with(Rules {
        retention,
        ..Rules::default()
    })
    .await;
    let app = &stage.app;
    let customer = stage.registered(registration(PHONE)).await.customer;
    let outside = app.start_identity_check(customer, wish()).await;
    assert_eq!(outside, Err(IdentityStartRefusal::NoOutsideCheck));
    let jpeg = NewDocument {
        octets: b"\xff\xd8\xff my passport".to_vec(),
    };
    let text = NewDocument {
        octets: b"my passport".to_vec(),
    };
    let submit = |documents| app.submit_documents(customer, wish(), documents);
    assert_eq!(submit(vec![]).await, Err(DocumentRefusal::Count));
    assert_eq!(submit(vec![text]).await, Err(DocumentRefusal::Format));
    submit(vec![jpeg.clone()]).await.unwrap();
    let in_review = Err(DocumentRefusal::Case(IdentityTransition::AlreadyInReview));
    assert_eq!(submit(vec![jpeg.clone()]).await, in_review);

    let waiting = app.identity_cases_in_review(10).await.unwrap();
    assert_eq!(waiting[0].1, [(0, "image/jpeg".to_owned())]);
    let case = waiting[0].0.id;
    let sealed = stage.read(move |tx: &mut dyn Tx| tx.document_of_case(case, 0).unwrap().unwrap());
    let sealed = sealed.await.sealed;
    assert!(!sealed.windows(8).any(|part| part == b"passport"));
    let staff = StaffId::from_parts(1, &[1; 10]);
    let opened = app.open_identity_document(staff, case, 0).await.unwrap();
    assert_eq!(opened.octets, jpeg.octets);
    app.review_identity(staff, case, Ok(())).await.unwrap();
    let met = app
        .identity_requirement(Some(customer), zone())
        .await
        .unwrap();
    assert_eq!(met, Requirement::Met);
    let told = stage.delivered().await;
    assert!(
        told.iter().any(|(_, text)| text.contains("complete")),
        "{told:?}"
    );

    stage.wait(Duration::days(2));
    stage.delivered().await;
    assert!(app.open_identity_document(staff, case, 0).await.is_ok());
    stage.wait(Duration::days(1));
    stage.delivered().await;
    let gone = app.open_identity_document(staff, case, 0).await;
    assert!(matches!(gone, Err(ReviewRefusal::NotFound)));
}

#[tokio::test]
async fn documents_take_the_place_of_an_outside_check_that_never_answers() {
    let (stage, _) = stage_with_outside().await;
    let app = &stage.app;
    let customer = stage.registered(registration(PHONE)).await.customer;
    let back_to = Some("/checkout?item=offer:basic-china".to_owned());
    let wish = IdentityWish {
        zone: zone(),
        back_to: back_to.clone(),
    };
    app.start_identity_check(customer, wish).await.unwrap();
    stage.wait(Duration::minutes(1));
    stage.delivered().await;
    let asked = stage.read(|tx: &mut dyn Tx| tx.open_jobs(9).unwrap()).await;
    assert!(
        asked
            .iter()
            .any(|job| job.key.starts_with("ask-identity:") && job.attempts == 1),
        "it is asked again: {asked:?}"
    );

    let png = NewDocument {
        octets: b"\x89PNG\r\n\x1a\n my card".to_vec(),
    };
    let by_oneself = self::wish();
    app.submit_documents(customer, by_oneself, vec![png.clone()])
        .await
        .unwrap();
    let own = app.identity_overview(customer).await.unwrap().remove(0);
    let case = own.case.unwrap();
    assert_eq!(case.back_to, back_to, "what was wanted first stays known");
    let by_staff = IdentityState::InReview {
        since: stage.app.now(),
        reference: None,
    };
    assert_eq!(case.state, by_staff);
    let undecided = stage
        .app
        .now()
        .plus(app.identity_terms().retention.undecided);
    assert_eq!(own.documents_until, Some(undecided));
    let body: &[u8] = b"signed ref-1 yes";
    let late = app.notify_identity("outside", Notification { headers: &[], body });
    late.await.unwrap();
    let required = app.identity_requirement(Some(customer), zone()).await;
    assert_eq!(required.unwrap(), Requirement::Missing, "left is left");

    let staff = StaffId::from_parts(1, &[1; 10]);
    let refused = Err(IdentityRefusal::Unreadable);
    app.review_identity(staff, case.id, refused).await.unwrap();
    let told = stage.delivered().await;
    let text = only_text(&told);
    assert!(
        text.contains("again") && !text.contains("unreadable"),
        "{text}"
    );
    // What is handed in again takes the place of what was there.
    let many = vec![png.clone(); IdentityCase::DOCUMENTS_MAX];
    let again = self::wish();
    app.submit_documents(customer, again, many).await.unwrap();
    let again = self::wish();
    let large = vec![NewDocument {
        octets: vec![0; IdentityCase::DOCUMENT_OCTETS_MAX + 1],
    }];
    let large = app.submit_documents(customer, again, large).await;
    assert_eq!(large, Err(DocumentRefusal::TooLarge));
}
