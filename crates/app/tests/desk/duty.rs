//! Log in, be on duty, log out; and the log of it.

use simurgh_app::Fault;
use simurgh_app::desk::{StaffLogCheck, StaffLogInRefusal, StaffRefusal, StaffToken};
use simurgh_app::ports::{StaffAction, StoreExt};
use simurgh_vocab::Duration;

use crate::stage::{NAME, PASSWORD, Stage, attempt, code_of};

const HALF_MINUTE: Duration = Duration::seconds(30);

#[tokio::test]
async fn all_three_proofs_are_needed_and_none_is_told_apart() {
    let stage = Stage::new().await;
    let code = stage.code();
    let wrong_code = if code == "000000" { "000001" } else { "000000" };
    for (name, password, typed) in [
        ("nobody", PASSWORD, code.as_str()),
        (NAME, "correct horse", code.as_str()),
        (NAME, PASSWORD, wrong_code),
        ("x", PASSWORD, ""),
    ] {
        let outcome = stage.log_in(name, password, typed).await;
        assert_eq!(outcome, Err(StaffLogInRefusal::Wrong), "{name}");
    }
    let token = stage.log_in("LI.NA ", PASSWORD, &code).await.unwrap();
    let duty = stage.staff_on_duty(&token).await.unwrap().unwrap();
    assert_eq!((duty.staff, duty.name.as_str()), (stage.staff.id, NAME));
    assert!(stage.csrf_token_matches(token.reveal(), &duty.form_token));
    let stranger = StaffToken::presented("guessed");
    assert_eq!(stage.staff_on_duty(&stranger).await.unwrap(), None);
    assert_eq!(stage.logged(StaffAction::LogInRefused).await.len(), 4);
    assert_eq!(stage.logged(StaffAction::LoggedIn).await.len(), 1);
}

#[tokio::test]
async fn rfc_6238_5_2_a_code_logs_in_once() {
    let stage = Stage::new().await;
    let code = stage.code();
    stage.log_in(NAME, PASSWORD, &code).await.unwrap();
    let again = stage.log_in(NAME, PASSWORD, &code).await;
    assert_eq!(again, Err(StaffLogInRefusal::Wrong));
    // Nor does the code before it, which a clock that is slow would show.
    let earlier = stage.now().as_unix_seconds() - 30;
    let earlier = code_of(&stage.staff.totp_secret, earlier);
    let outcome = stage.log_in(NAME, PASSWORD, &earlier).await;
    assert_eq!(outcome, Err(StaffLogInRefusal::Wrong));
    stage.world.clock.advance(HALF_MINUTE);
    assert!(stage.log_in(NAME, PASSWORD, &stage.code()).await.is_ok());
}

#[tokio::test]
async fn guessing_locks_whether_the_name_exists_or_not() {
    let stage = Stage::new().await;
    for name in [NAME, "nobody"] {
        for _ in 0..5 {
            let outcome = stage.log_in(name, "wrong horse battery", "000000").await;
            assert_eq!(outcome, Err(StaffLogInRefusal::Wrong), "{name}");
        }
        let locked = stage.log_in(name, PASSWORD, &stage.code()).await;
        let until = stage.now().plus(Duration::minutes(1));
        assert_eq!(locked, Err(StaffLogInRefusal::Locked { until }), "{name}");
    }
    stage.world.clock.advance(Duration::minutes(1));
    assert!(stage.log_in(NAME, PASSWORD, &stage.code()).await.is_ok());
    // What was right forgets the failures: the next wrong one does not lock.
    let outcome = stage.log_in(NAME, PASSWORD, "000000").await;
    assert_eq!(outcome, Err(StaffLogInRefusal::Wrong));
    let outcome = stage.log_in(NAME, PASSWORD, "000000").await;
    assert_eq!(outcome, Err(StaffLogInRefusal::Wrong));
}

#[tokio::test]
async fn tries_at_the_same_time_all_count() {
    let stage = Stage::new().await;
    let tries = (0..8).map(|_| {
        let app = stage.world.app.clone();
        tokio::spawn(async move {
            let wrong = attempt(NAME, "wrong horse battery", "000000");
            app.log_in_staff(wrong).await
        })
    });
    let mut checked = 0;
    for one in tries.collect::<Vec<_>>() {
        if one.await.unwrap() == Err(StaffLogInRefusal::Wrong) {
            checked += 1;
        }
    }
    assert_eq!(checked, 5);
}

#[tokio::test]
async fn sessions_end_by_rest_by_age_by_log_out_and_by_the_next_log_in() {
    let stage = Stage::new().await;
    let is_on = async |token: &StaffToken| stage.staff_on_duty(token).await.unwrap().is_some();
    let log_in = async |replaces: Option<StaffToken>| {
        stage.world.clock.advance(HALF_MINUTE);
        let mut attempt = attempt(NAME, PASSWORD, &stage.code());
        attempt.replaces = replaces;
        stage.log_in_staff(attempt).await.unwrap()
    };
    let rested = log_in(None).await;
    stage.world.clock.advance(Duration::minutes(30));
    assert!(!is_on(&rested).await);

    let worked = log_in(None).await;
    for _ in 0..16 {
        stage.world.clock.advance(Duration::minutes(29));
        assert!(is_on(&worked).await);
    }
    stage.world.clock.advance(Duration::minutes(16));
    assert!(!is_on(&worked).await, "eight hours are over");

    let first = log_in(None).await;
    let second = log_in(Some(first.clone())).await;
    assert!(!is_on(&first).await && is_on(&second).await);
    stage.log_out_staff(&second).await.unwrap();
    stage.log_out_staff(&second).await.unwrap();
    assert!(!is_on(&second).await);
    assert_eq!(stage.logged(StaffAction::LoggedOut).await.len(), 1);
}

#[tokio::test]
async fn a_renewed_or_closed_account_lets_nobody_in_with_what_was() {
    let stage = Stage::new().await;
    let token = stage.log_in(NAME, PASSWORD, &stage.code()).await.unwrap();
    let taken = stage.create_staff(NAME, PASSWORD).await;
    assert_eq!(taken.err(), Some(StaffRefusal::NameTaken));
    let unknown = stage.renew_staff("nobody", PASSWORD).await;
    assert_eq!(unknown.err(), Some(StaffRefusal::NoSuchStaff));

    let renewed = stage
        .renew_staff(NAME, "another horse battery")
        .await
        .unwrap();
    assert_eq!(renewed.id, stage.staff.id);
    assert_eq!(stage.staff_on_duty(&token).await.unwrap(), None);
    stage.world.clock.advance(HALF_MINUTE);
    let old = stage.log_in(NAME, PASSWORD, &stage.code()).await;
    assert_eq!(old, Err(StaffLogInRefusal::Wrong));
    let code = || code_of(&renewed.totp_secret, stage.now().as_unix_seconds());
    let token = stage
        .log_in(NAME, "another horse battery", &code())
        .await
        .unwrap();

    stage.close_staff(NAME).await.unwrap();
    assert_eq!(stage.staff_on_duty(&token).await.unwrap(), None);
    stage.world.clock.advance(HALF_MINUTE);
    let closed = stage.log_in(NAME, "another horse battery", &code()).await;
    assert_eq!(closed, Err(StaffLogInRefusal::Wrong));
    assert_eq!(
        stage.close_staff(NAME).await,
        Err(StaffRefusal::NoSuchStaff)
    );
}

#[tokio::test]
async fn a_forged_or_missing_entry_breaks_the_chain() {
    // A genuine entry with another author behind the newest, and one behind an entry that is gone.
    for skipped in [0, 1] {
        let stage = Stage::new().await;
        stage.log_in(NAME, PASSWORD, &stage.code()).await.unwrap();
        let StaffLogCheck::Sound(head) = stage.verify_staff_log().await.unwrap() else {
            panic!("nothing was changed");
        };
        assert_eq!(head.position, 2, "the account and the log-in");
        let forged = stage.store.transact(move |tx| -> Result<(), Fault> {
            let mut entry = tx.newest_staff_log_entry()?.unwrap();
            entry.position += 1 + skipped;
            entry.staff = None;
            Ok(tx.append_staff_log(&entry)?)
        });
        forged.await.unwrap();
        let check = stage.verify_staff_log().await.unwrap();
        assert_eq!(check, StaffLogCheck::Broken { position: 3 });
    }
}
