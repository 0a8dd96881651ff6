//! Sessions, risky actions, changes of an account, export, closing.

use simurgh_app::ports::{LoginName, Tx};
use simurgh_app::subscriber::{
    ChangePasswordRefusal, ConfirmContactRefusal, LogInRefusal, ProfileChange,
    ReAuthenticateRefusal, Reproof, RequestContactRefusal, RiskyRefusal, Typed,
    UserNameChangeRefusal, Wish,
};
use simurgh_subscriber::{Channel, Contact, CustomerState, Marketing, RiskyAction};
use simurgh_vocab::{Duration, Locale};

use crate::entrance::{totp_code, with_second_factor};
use crate::world::{PASSWORD, PHONE, Stage, origin, registration};

const OTHER: &str = "+8613900139000";

#[tokio::test]
async fn a_session_is_kept_alive_by_use_and_ends() {
    let stage = Stage::new();
    let session = stage.registered(registration(PHONE)).await;
    for _ in 0..4 {
        stage.wait(Duration::days(20));
        assert!(stage.is_open(&session.token).await);
    }
    stage.wait(Duration::days(10));
    assert!(!stage.is_open(&session.token).await, "90 days are over");
}

#[tokio::test]
async fn devices_are_listed_and_ended_by_their_owner_only() {
    let stage = Stage::new();
    let first = stage.registered(registration(PHONE)).await;
    stage.password_log_in(PHONE, PASSWORD).await.unwrap();
    let other = stage.registered(registration(OTHER)).await;
    assert_eq!(stage.app.sessions(first.customer).await.unwrap().len(), 2);
    assert!(
        !stage
            .app
            .end_session(other.customer, first.session)
            .await
            .unwrap()
    );
    assert!(stage.is_open(&first.token).await);
    assert!(
        stage
            .app
            .end_session(first.customer, first.session)
            .await
            .unwrap()
    );
    assert!(!stage.is_open(&first.token).await);
    assert!(
        !stage
            .app
            .end_session(first.customer, first.session)
            .await
            .unwrap()
    );
    stage.app.log_out(&other.token).await.unwrap();
    assert!(!stage.is_open(&other.token).await);
}

#[tokio::test]
async fn risky_things_need_a_fresh_proof_in_the_strongest_way() {
    let stage = Stage::new();
    let app = &stage.app;
    let session = stage.registered(registration(PHONE)).await;
    let id = session.session;
    let may = || app.may_do(id, RiskyAction::CloseAccount);
    assert_eq!(may().await, Ok(()));
    stage.wait(Duration::minutes(10));
    assert_eq!(may().await, Err(RiskyRefusal::NotFresh));
    let wrong = Reproof::Password(Typed::new("wrong password".to_owned()));
    let refused = app.re_authenticate(id, wrong, origin()).await;
    assert_eq!(refused, Err(ReAuthenticateRefusal::Wrong));
    let right = || Reproof::Password(Typed::new(PASSWORD.to_owned()));
    app.re_authenticate(id, right(), origin()).await.unwrap();
    assert_eq!(may().await, Ok(()));

    let (totp, _) = with_second_factor(&stage, id).await;
    stage.wait(Duration::minutes(10));
    let weaker = app.re_authenticate(id, right(), origin()).await;
    assert_eq!(weaker, Err(ReAuthenticateRefusal::OtherWay));
    stage.delivered().await;
    let sent = app
        .send_proof_code(session.customer, Channel::Sms, origin())
        .await;
    let challenge = sent.unwrap().unwrap().challenge;
    let code = stage.code(PHONE).await;
    let weaker = app
        .re_authenticate(id, Reproof::Code { challenge, code }, origin())
        .await;
    assert_eq!(weaker, Err(ReAuthenticateRefusal::OtherWay));
    let factor = Reproof::SecondFactor(totp_code(&stage, &totp));
    app.re_authenticate(id, factor, origin()).await.unwrap();
    assert_eq!(may().await, Ok(()));
}

#[tokio::test]
async fn a_new_number_is_confirmed_and_the_old_one_told() {
    let stage = Stage::new();
    let app = &stage.app;
    let session = stage.registered(registration(PHONE)).await;
    let id = session.session;
    stage.password_log_in(PHONE, PASSWORD).await.unwrap();
    let open = || async { app.sessions(session.customer).await.unwrap().len() };
    let new = Contact::Phone(OTHER.parse().unwrap());
    let sent = app
        .request_contact_change(id, new.clone(), origin())
        .await
        .unwrap();
    let code = stage.code(OTHER).await;
    assert_eq!(open().await, 2, "nothing is changed yet");
    let changed = app
        .confirm_contact_change(id, sent.challenge, code)
        .await
        .unwrap();
    assert_eq!(changed, new);
    assert!(stage.is_open(&session.token).await);
    assert_eq!(open().await, 1, "the other device is logged out");
    let told = stage.delivered().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, PHONE);
    assert_eq!(
        stage.password_log_in(PHONE, PASSWORD).await,
        Err(LogInRefusal::Wrong)
    );
    assert!(stage.password_log_in(OTHER, PASSWORD).await.is_ok());
    let same = app.request_contact_change(id, new, origin()).await;
    assert!(matches!(same, Err(RequestContactRefusal::Contact(_))));
}

#[tokio::test]
async fn another_mailbox_logs_other_devices_out_but_a_first_one_does_not() {
    let stage = Stage::new();
    let app = &stage.app;
    let session = stage.registered(registration(PHONE)).await;
    stage.password_log_in(PHONE, PASSWORD).await.unwrap();
    for (mailbox, open) in [("first@example.com", 2), ("second@example.com", 1)] {
        let to = Contact::Email(mailbox.parse().unwrap());
        let sent = app.request_contact_change(session.session, to, origin());
        let challenge = sent.await.unwrap().challenge;
        let code = stage.code(mailbox).await;
        let changed = app.confirm_contact_change(session.session, challenge, code);
        changed.await.unwrap();
        let sessions = app.sessions(session.customer).await.unwrap();
        assert_eq!(sessions.len(), open, "{mailbox}");
    }
}

#[tokio::test]
async fn an_address_of_somebody_else_is_found_out_by_its_reader_only() {
    let stage = Stage::new();
    let app = &stage.app;
    let session = stage.registered(registration(PHONE)).await;
    stage.registered(registration(OTHER)).await;
    stage.wait(Duration::minutes(1));
    let to = Contact::Phone(OTHER.parse().unwrap());
    let sent = app
        .request_contact_change(session.session, to, origin())
        .await
        .unwrap();
    let code = stage.code(OTHER).await;
    let taken = app
        .confirm_contact_change(session.session, sent.challenge, code)
        .await;
    assert_eq!(taken, Err(ConfirmContactRefusal::Taken));
    assert!(stage.password_log_in(OTHER, PASSWORD).await.is_ok());

    // A number that somebody registered and never confirmed is free for its owner.
    let third = "+8613700137000";
    app.register(registration(third), origin()).await.unwrap();
    stage.delivered().await;
    stage.wait(Duration::minutes(1));
    let to = Contact::Phone(third.parse().unwrap());
    let sent = app
        .request_contact_change(session.session, to, origin())
        .await
        .unwrap();
    let code = stage.code(third).await;
    app.confirm_contact_change(session.session, sent.challenge, code)
        .await
        .unwrap();
    assert!(stage.password_log_in(third, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn settings_are_changed() {
    let stage = Stage::new();
    let app = &stage.app;
    let session = stage.registered(registration(PHONE)).await;
    for change in [
        ProfileChange::Name("Li Na".parse().unwrap()),
        ProfileChange::Language(Locale::ZhCn),
        ProfileChange::TimeZone("Europe/Berlin".parse().unwrap()),
        ProfileChange::Marketing(Wish::Yes),
    ] {
        assert!(app.change_profile(session.customer, change).await.unwrap());
    }
    let name = "li.na".parse().unwrap();
    app.change_user_name(session.session, Some(name))
        .await
        .unwrap();
    let person = app.profile(session.customer).await.unwrap().unwrap().person;
    assert_eq!(person.name.as_str(), "Li Na");
    assert_eq!(person.locale, Locale::ZhCn);
    assert_eq!(person.time_zone.as_str(), "Europe/Berlin");
    assert!(matches!(person.marketing, Marketing::Given { .. }));
    assert!(stage.password_log_in("Li.Na", PASSWORD).await.is_ok());
    let other = stage.registered(registration(OTHER)).await;
    let taken = app
        .change_user_name(other.session, Some("li.na".parse().unwrap()))
        .await;
    assert_eq!(taken, Err(UserNameChangeRefusal::Taken));
}

#[tokio::test]
async fn v6_2_3_a_password_is_changed_with_the_current_one() {
    let stage = Stage::new();
    let app = &stage.app;
    let session = stage.registered(registration(PHONE)).await;
    stage.password_log_in(PHONE, PASSWORD).await.unwrap();
    let new = || Typed::new("another good one".to_owned());
    let change = |current: Option<&str>| {
        let current = current.map(|text| Typed::new(text.to_owned()));
        app.change_password(session.session, current, new(), origin())
    };
    let wrong = ChangePasswordRefusal::Current(ReAuthenticateRefusal::Wrong);
    assert_eq!(change(None).await, Err(wrong.clone()));
    assert_eq!(change(Some("wrong password")).await, Err(wrong));
    change(Some(PASSWORD)).await.unwrap();
    assert_eq!(app.sessions(session.customer).await.unwrap().len(), 1);
    assert!(
        stage
            .password_log_in(PHONE, "another good one")
            .await
            .is_ok()
    );
    stage.wait(Duration::minutes(10));
    let stale = change(Some("another good one")).await;
    assert_eq!(stale, Err(ChangePasswordRefusal::NotFresh));
}

#[tokio::test]
async fn an_export_holds_what_is_kept() {
    let stage = Stage::new();
    let session = stage.registered(registration(PHONE)).await;
    let data = stage
        .app
        .export_personal_data(session.session)
        .await
        .unwrap();
    let json = serde_json::to_string(&data).unwrap();
    for part in [
        PHONE,
        "张伟",
        "Asia/Shanghai",
        "Firefox on Android",
        "phone_confirmed",
    ] {
        assert!(json.contains(part), "{part}: {json}");
    }
    assert!(!json.contains("argon2"));
}

#[tokio::test]
async fn a_closed_account_names_nobody_and_its_number_is_free() {
    let stage = Stage::new();
    let session = stage.registered(registration(PHONE)).await;
    let id = session.customer;
    stage.app.close_account(session.session).await.unwrap();
    assert!(!stage.is_open(&session.token).await);
    let name = LoginName::Phone(PHONE.parse().unwrap());
    let left = stage.read(move |tx: &mut dyn Tx| {
        let customer = tx.customer(id).unwrap().unwrap();
        let named = tx.customer_named(&name).unwrap();
        let messages = tx.messages_of(id, 10).unwrap().len();
        (
            customer.state.code(),
            named,
            messages,
            tx.account_events(id, 10).unwrap().len(),
        )
    });
    let (state, named, messages, events) = left.await;
    assert_eq!((state, named, messages), ("closed", None, 0));
    assert!(events > 0, "what happened is kept under the id");
    let told = stage.delivered().await;
    assert_eq!(told.len(), 1, "the last word: {told:?}");
    assert_eq!(
        stage.password_log_in(PHONE, PASSWORD).await,
        Err(LogInRefusal::Wrong)
    );
    stage.wait(Duration::minutes(1));
    let anew = stage.registered(registration(PHONE)).await;
    assert_ne!(anew.customer, id);
    let closed = stage
        .read(move |tx: &mut dyn Tx| tx.customer(id).unwrap().unwrap())
        .await;
    assert!(matches!(closed.state, CustomerState::Closed { .. }));
}
