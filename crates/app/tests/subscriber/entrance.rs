//! Registering, logging in, recovering.

use simurgh_app::ports::Tx;
use simurgh_app::subscriber::{
    CodeRefusal, LogIn, LogInRefusal, RecoverRefusal, RegisterRefusal, SecondFactorLogInRefusal,
    SendCodeRefusal, Typed,
};
use simurgh_subscriber::{
    Contact, GuardScope, IssueScope, PasswordRefusal, Proof, TOTP_STEP_SECONDS,
};
use simurgh_vocab::Duration;
use totp_rs::{Builder, Secret};

use crate::world::{PASSWORD, PHONE, Stage, from, origin, outward, registration};

fn phone(text: &str) -> Contact {
    Contact::Phone(text.parse().unwrap())
}

fn mailbox(text: &str) -> Contact {
    Contact::Email(text.parse().unwrap())
}

#[tokio::test]
async fn a_number_is_registered_confirmed_and_logged_in_with() {
    let stage = Stage::new();
    let mut wish = registration(PHONE);
    wish.email = Some("wei@example.com".parse().unwrap());
    let sent = stage.app.register(wish, origin()).await.unwrap();
    let code = stage.code(PHONE).await;
    let wrong = stage
        .app
        .confirm_phone(sent.challenge, "0000001".to_owned(), origin())
        .await;
    let tries_left = 4;
    assert_eq!(wrong.unwrap_err(), CodeRefusal::Wrong { tries_left }.into());
    let typed = format!(" {} {}", &code[..3], &code[3..]);
    let confirmed = stage
        .app
        .confirm_phone(sent.challenge, typed, origin())
        .await
        .unwrap();
    assert!(stage.is_open(&confirmed.session.token).await);
    let again = stage
        .app
        .confirm_phone(sent.challenge, code, origin())
        .await;
    assert_eq!(again.unwrap_err(), CodeRefusal::Used.into());

    let customer = confirmed.session.customer;
    let unconfirmed = stage.password_log_in("wei@example.com", PASSWORD).await;
    assert_eq!(
        unconfirmed,
        Err(LogInRefusal::Wrong),
        "the mailbox is not confirmed yet"
    );
    let challenge = confirmed.email.unwrap().challenge;
    let code = stage.code("wei@example.com").await;
    stage
        .app
        .confirm_email(customer, challenge, code)
        .await
        .unwrap();
    for name in ["wei@Example.com", "138 0013 8000", PHONE] {
        let logged_in = stage.password_log_in(name, PASSWORD).await;
        assert!(
            matches!(logged_in, Ok(LogIn::Done(new)) if new.customer == customer),
            "{name}"
        );
    }
}

#[tokio::test]
async fn registering_a_known_number_looks_the_same_and_tells_its_owner() {
    let (known, unknown) = (Stage::new(), Stage::new());
    known.registered(registration(PHONE)).await;
    known.wait(Duration::minutes(2));
    unknown.wait(Duration::minutes(2));
    let second = known
        .app
        .register(registration(PHONE), origin())
        .await
        .unwrap();
    let first = unknown
        .app
        .register(registration(PHONE), origin())
        .await
        .unwrap();
    assert_eq!(outward(&second), outward(&first));
    let told = known.delivered().await;
    assert_eq!(told.len(), 1);
    assert!(told[0].1.contains("already has an account"), "{told:?}");
    for guess in ["000000", "123456"] {
        let refused = known
            .app
            .confirm_phone(second.challenge, guess.to_owned(), origin())
            .await;
        assert!(refused.is_err());
    }
}

#[tokio::test]
async fn whoever_owns_the_number_gets_the_account_and_nothing_a_stranger_left() {
    let stage = Stage::new();
    let mut stranger = registration(PHONE);
    stranger.password = Some(Typed::new("strangers password".to_owned()));
    stranger.email = Some("stranger@example.com".parse().unwrap());
    stage
        .app
        .register(stranger, from("198.51.100.1"))
        .await
        .unwrap();
    stage.delivered().await;
    let to = phone(PHONE);
    stage.wait(Duration::minutes(1));
    let sent = stage.app.send_log_in_code(to, origin()).await.unwrap();
    let code = stage.code(PHONE).await;
    let logged_in = stage
        .app
        .log_in_with_code(sent.challenge, code, origin())
        .await
        .unwrap();
    let LogIn::Done(session) = logged_in else {
        panic!("a session was expected");
    };
    let profile = stage.app.profile(session.customer).await.unwrap().unwrap();
    assert_eq!((profile.person.email, profile.password_since), (None, None));
    let refused = stage.password_log_in(PHONE, "strangers password").await;
    assert_eq!(refused, Err(LogInRefusal::Wrong));
}

#[tokio::test]
async fn a_code_is_bound_to_the_last_registration_of_its_browser() {
    let stage = Stage::new();
    let own = stage
        .app
        .register(registration(PHONE), origin())
        .await
        .unwrap();
    let own_code = stage.code(PHONE).await;
    stage.wait(Duration::minutes(1));
    let strange = stage
        .app
        .register(registration(PHONE), from("198.51.100.1"))
        .await
        .unwrap();
    let strange_code = stage.code(PHONE).await;
    let replaced = stage
        .app
        .confirm_phone(own.challenge, own_code, origin())
        .await;
    assert_eq!(replaced.unwrap_err(), CodeRefusal::Replaced.into());
    let other = stage
        .app
        .confirm_phone(own.challenge, strange_code.clone(), origin())
        .await;
    assert_eq!(other.unwrap_err(), CodeRefusal::Replaced.into());
    stage.wait(Duration::minutes(6));
    let late = stage
        .app
        .confirm_phone(strange.challenge, strange_code, origin())
        .await;
    assert_eq!(late.unwrap_err(), CodeRefusal::Expired.into());
}

#[tokio::test]
async fn passwords_anybody_would_try_are_refused() {
    let stage = Stage::new();
    let mut wish = registration(PHONE);
    wish.password = Some(Typed::new("Simurgh2026!".to_owned()));
    let refused = stage.app.register(wish, origin()).await.unwrap_err();
    assert_eq!(
        refused,
        RegisterRefusal::Password(PasswordRefusal::NamesYou)
    );
    assert!(stage.delivered().await.is_empty());
}

#[tokio::test]
async fn codes_are_limited_for_known_and_unknown_numbers_alike() {
    let stage = Stage::new();
    stage.registered(registration(PHONE)).await;
    stage.wait(Duration::hours(1));
    for number in [PHONE, "+8613800138001"] {
        let sent = stage
            .app
            .send_log_in_code(phone(number), origin())
            .await
            .unwrap();
        let soon = stage.app.send_log_in_code(phone(number), origin()).await;
        let expected = SendCodeRefusal::TooOften {
            retry_at: sent.again_at,
            scope: IssueScope::Address,
        };
        assert_eq!(soon, Err(expected), "{number}");
        let guess = stage
            .app
            .log_in_with_code(sent.challenge, "000000".to_owned(), origin());
        let refusal = CodeRefusal::Wrong { tries_left: 4 };
        assert_eq!(guess.await, Err(refusal.into()), "{number}");
    }
    let arrived = stage.delivered().await;
    assert_eq!(
        arrived.len(),
        1,
        "nothing is sent to the unknown number: {arrived:?}"
    );
}

#[tokio::test]
async fn guessing_is_slowed_down_for_known_and_unknown_names_alike() {
    let stage = Stage::new();
    stage.registered(registration(PHONE)).await;
    for name in [PHONE, "+8613800138001", "nobody"] {
        for _ in 0..5 {
            let guess = stage.password_log_in(name, "wrong password").await;
            assert_eq!(guess, Err(LogInRefusal::Wrong), "{name}");
        }
        let locked = LogInRefusal::Locked {
            until: stage.app.now().plus(Duration::minutes(1)),
            scope: GuardScope::Account,
        };
        assert_eq!(
            stage.password_log_in(name, PASSWORD).await,
            Err(locked),
            "{name}"
        );
    }
    stage.wait(Duration::minutes(1));
    let guess = stage.password_log_in(PHONE, "wrong password").await;
    assert_eq!(guess, Err(LogInRefusal::Wrong));
    let locked = stage.password_log_in(PHONE, PASSWORD).await;
    assert!(matches!(locked, Err(LogInRefusal::Locked { .. })));
    stage.delivered().await;
    let sent = stage
        .app
        .send_log_in_code(phone(PHONE), origin())
        .await
        .unwrap();
    let code = stage.code(PHONE).await;
    let by_code = stage
        .app
        .log_in_with_code(sent.challenge, code, origin())
        .await;
    assert!(by_code.is_ok(), "a lock does not keep the owner out");
    stage.wait(Duration::minutes(2));
    assert!(stage.password_log_in(PHONE, PASSWORD).await.is_ok());
    let guess = stage.password_log_in(PHONE, "wrong password").await;
    assert_eq!(
        guess,
        Err(LogInRefusal::Wrong),
        "a right one forgets the wrong ones"
    );
}

#[tokio::test]
async fn guesses_made_at_once_count_each() {
    let stage = Stage::new();
    stage.registered(registration(PHONE)).await;
    let guesses = (0..8).map(|_| stage.password_log_in(PHONE, "wrong password"));
    let mut set = Vec::new();
    for guess in guesses {
        set.push(Box::pin(guess));
    }
    let mut wrong = 0;
    for outcome in join_all(set).await {
        wrong += usize::from(outcome == Err(LogInRefusal::Wrong));
    }
    assert_eq!(wrong, 5);
}

/// Polls every future until all are done.
async fn join_all<F: Future + Unpin>(futures: Vec<F>) -> Vec<F::Output> {
    let mut slots: Vec<(Option<F>, Option<F::Output>)> = futures
        .into_iter()
        .map(|future| (Some(future), None))
        .collect();
    std::future::poll_fn(move |context| {
        let mut pending = false;
        for (future, output) in &mut slots {
            let Some(running) = future else { continue };
            match std::pin::Pin::new(running).poll(context) {
                std::task::Poll::Ready(done) => (*future, *output) = (None, Some(done)),
                std::task::Poll::Pending => pending = true,
            }
        }
        if pending {
            return std::task::Poll::Pending;
        }
        let outputs = slots.iter_mut().filter_map(|(_, output)| output.take());
        std::task::Poll::Ready(outputs.collect())
    })
    .await
}

#[tokio::test]
async fn logging_in_anew_ends_the_session_the_browser_had() {
    let stage = Stage::new();
    let first = stage.registered(registration(PHONE)).await;
    let mut origin = origin();
    origin.previous = Some(first.token.clone());
    let claim = simurgh_app::subscriber::Claim::typed(PHONE, None);
    let typed = Typed::new(PASSWORD.to_owned());
    let second = stage
        .app
        .log_in_with_password(claim, typed, origin)
        .await
        .unwrap();
    let LogIn::Done(second) = second else {
        panic!("a session was expected");
    };
    assert_ne!(first.token, second.token);
    assert!(!stage.is_open(&first.token).await && stage.is_open(&second.token).await);
}

/// Turns the second factor on and gives back what makes its codes, and the recovery codes.
pub(crate) async fn with_second_factor(
    stage: &Stage,
    session: simurgh_vocab::SessionId,
) -> (totp_rs::Totp, Vec<String>) {
    let enrolment = stage.app.enrol_second_factor(session).await.unwrap();
    let secret = Secret::try_from_base32(&enrolment.secret).unwrap();
    let totp = Builder::new().with_secret(secret).build().unwrap();
    let code = totp_code(stage, &totp);
    let codes = stage
        .app
        .turn_second_factor_on(session, code)
        .await
        .unwrap();
    (
        totp,
        codes
            .iter()
            .map(simurgh_subscriber::RecoveryCode::shown)
            .collect(),
    )
}

pub(crate) fn totp_code(stage: &Stage, totp: &totp_rs::Totp) -> String {
    let seconds = u64::try_from(stage.app.now().as_unix_seconds()).unwrap();
    totp.generate(seconds).to_string()
}

#[tokio::test]
async fn the_second_factor_is_asked_for_once_per_code() {
    let stage = Stage::new();
    let session = stage.registered(registration(PHONE)).await;
    let (totp, recovery) = with_second_factor(&stage, session.session).await;
    let app = &stage.app;
    let Ok(LogIn::SecondFactor(step)) = stage.password_log_in(PHONE, PASSWORD).await else {
        panic!("the second factor was expected");
    };
    let used = totp_code(&stage, &totp);
    let replayed = app.show_second_factor(step.clone(), used, origin()).await;
    assert_eq!(
        replayed,
        Err(SecondFactorLogInRefusal::Wrong),
        "it turned the factor on"
    );
    stage.wait(Duration::seconds(u32::try_from(TOTP_STEP_SECONDS).unwrap()));
    let fresh = totp_code(&stage, &totp);
    let done = app
        .show_second_factor(step.clone(), fresh, origin())
        .await
        .unwrap();
    let sessions = app.sessions(done.customer).await.unwrap();
    assert!(
        sessions
            .iter()
            .any(|s| s.proof == Proof::PasswordAndSecondFactor)
    );
    let again = app
        .show_second_factor(step, recovery[0].clone(), origin())
        .await;
    assert_eq!(
        again,
        Err(SecondFactorLogInRefusal::StartOver),
        "a step is good once"
    );

    for expected in [true, false] {
        let Ok(LogIn::SecondFactor(step)) = stage.password_log_in(PHONE, PASSWORD).await else {
            panic!("the second factor was expected");
        };
        let shown = app
            .show_second_factor(step, recovery[1].to_lowercase(), origin())
            .await;
        assert_eq!(shown.is_ok(), expected, "a recovery code is good once");
    }
}

#[tokio::test]
async fn v6_4_3_recovery_does_not_go_around_the_second_factor() {
    let stage = Stage::new();
    let session = stage.registered(registration(PHONE)).await;
    let (totp, _) = with_second_factor(&stage, session.session).await;
    stage.wait(Duration::minutes(1));
    stage.delivered().await;
    let sent = stage
        .app
        .send_recovery_code(phone(PHONE), origin())
        .await
        .unwrap();
    let code = stage.code(PHONE).await;
    let step = stage
        .app
        .answer_recovery_code(sent.challenge, code)
        .await
        .unwrap();
    assert!(step.wants_second_factor);
    let new = || Typed::new("another good one".to_owned());
    let recover = |factor| {
        stage
            .app
            .recover_password(step.token.clone(), new(), factor, origin())
    };
    assert_eq!(recover(None).await, Err(RecoverRefusal::SecondFactor));
    let wrong = recover(Some("000000".to_owned())).await;
    assert_eq!(wrong, Err(RecoverRefusal::SecondFactor));
    assert!(stage.is_open(&session.token).await);
    let recovered = recover(Some(totp_code(&stage, &totp))).await.unwrap();
    assert!(!stage.is_open(&session.token).await, "other sessions end");
    assert!(stage.is_open(&recovered.token).await);
    assert_eq!(recover(None).await, Err(RecoverRefusal::StartOver));
    assert_eq!(
        stage.password_log_in(PHONE, PASSWORD).await,
        Err(LogInRefusal::Wrong)
    );
    assert!(
        stage
            .password_log_in(PHONE, "another good one")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_mailbox_that_is_not_confirmed_recovers_nothing() {
    let stage = Stage::new();
    let mut wish = registration(PHONE);
    wish.email = Some("wei@example.com".parse().unwrap());
    stage.registered(wish).await;
    stage.delivered().await;
    stage.wait(Duration::minutes(1));
    let to = mailbox("wei@example.com");
    stage.app.send_recovery_code(to, origin()).await.unwrap();
    assert!(stage.delivered().await.is_empty());
}

#[tokio::test]
async fn no_secret_stays_in_the_store_once_it_is_sent() {
    let stage = Stage::new();
    let sent = stage
        .app
        .register(registration(PHONE), origin())
        .await
        .unwrap();
    let code = stage.code(PHONE).await;
    let kept = stage
        .read(|tx: &mut dyn Tx| tx.recent_messages(10).unwrap())
        .await;
    assert_eq!(kept.len(), 1);
    assert!(kept[0].arguments.is_empty(), "the code is gone");
    let challenge = stage
        .read(move |tx| tx.challenge(sent.challenge).unwrap())
        .await
        .unwrap();
    assert!(!format!("{challenge:?}").contains(&code));
}

#[tokio::test]
async fn another_code_is_sent_in_place_of_one_that_did_not_arrive() {
    let stage = Stage::new();
    stage.registered(registration(PHONE)).await;
    stage.wait(Duration::minutes(2));
    let sent = stage.app.send_log_in_code(phone(PHONE), origin()).await;
    let sent = sent.unwrap();
    let first = stage.code(PHONE).await;
    let refused = stage.app.send_code_again(sent.challenge, origin()).await;
    let Err(SendCodeRefusal::TooOften { retry_at, scope }) = refused else {
        panic!("a minute must pass: {refused:?}");
    };
    assert_eq!((retry_at, scope), (sent.again_at, IssueScope::Address));
    stage.wait(Duration::minutes(1));
    let again = stage.app.send_code_again(sent.challenge, origin()).await;
    let again = again.unwrap().unwrap();
    let second = stage.code(PHONE).await;
    let old = stage.app.log_in_with_code(sent.challenge, first, origin());
    assert_eq!(old.await, Err(CodeRefusal::Replaced.into()));
    let new = stage
        .app
        .log_in_with_code(again.challenge, second, origin())
        .await;
    assert!(matches!(new, Ok(LogIn::Done(_))));
    stage.wait(Duration::minutes(1));
    let used = stage.app.send_code_again(again.challenge, origin()).await;
    assert_eq!(used, Ok(None), "an answered code is not sent again");
}

#[tokio::test]
async fn for_nobodys_number_another_code_only_seems_to_be_sent() {
    let stage = Stage::new();
    let sent = stage.app.send_log_in_code(phone(PHONE), origin()).await;
    stage.wait(Duration::minutes(1));
    let again = stage
        .app
        .send_code_again(sent.unwrap().challenge, origin())
        .await;
    assert!(matches!(again, Ok(Some(_))));
    assert!(stage.delivered().await.is_empty());
}
