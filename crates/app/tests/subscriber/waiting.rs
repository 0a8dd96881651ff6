//! What waits in the store: codes that are not sent yet, and what is over.

use simurgh_app::ports::{MessageState, Tx};
use simurgh_app::retention::Retention;
use simurgh_subscriber::Challenge;
use simurgh_vocab::Duration;

use crate::world::{PHONE, Stage, origin, registration, six_digits};

#[tokio::test]
async fn a_code_that_waits_cannot_be_read_in_the_store() {
    let stage = Stage::new();
    let sent = stage.app.register(registration(PHONE), origin()).await;
    let waiting = stage
        .read(|tx: &mut dyn Tx| tx.recent_messages(10).unwrap())
        .await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].state, MessageState::Queued);
    let [(_, sealed)] = waiting[0].arguments.as_slice() else {
        panic!("nothing but what is sealed: {:?}", waiting[0].arguments);
    };
    let code = stage.code(PHONE).await;
    assert!(!sealed.contains(&code) && six_digits(sealed).is_none());
    let challenge = sent.unwrap().challenge;
    let confirmed = stage.app.confirm_phone(challenge, code, origin()).await;
    assert!(confirmed.is_ok(), "the code that was sent is the one meant");
}

#[tokio::test]
async fn a_code_that_expired_while_it_waited_is_not_sent() {
    for late in [Duration::seconds(0), Duration::seconds(1)] {
        let stage = Stage::new();
        let sent = stage.app.register(registration(PHONE), origin()).await;
        sent.unwrap();
        stage.wait(Challenge::LIFETIME);
        stage.wait(late);
        assert!(stage.delivered().await.is_empty());
        let kept = stage
            .read(|tx: &mut dyn Tx| tx.recent_messages(10).unwrap())
            .await;
        let MessageState::Failed { reason, .. } = &kept[0].state else {
            panic!("{:?}", kept[0].state);
        };
        assert!(reason.contains("expired"), "{reason}");
        assert!(kept[0].arguments.is_empty(), "the code is gone");
    }
}

#[tokio::test]
async fn what_is_over_is_forgotten_when_its_time_has_come_and_not_before() {
    let stage = Stage::new();
    let session = stage.registered(registration(PHONE)).await;
    let messages = async || {
        let read = stage.read(|tx: &mut dyn Tx| tx.recent_messages(10).unwrap());
        read.await.len()
    };
    let keep = Retention {
        jobs: Duration::days(30),
        messages: Duration::days(60),
    };
    stage.wait(Duration::days(29));
    stage.app.forget_old(keep).await.unwrap();
    assert!(stage.is_open(&session.token).await, "it is still good");
    assert_eq!(messages().await, 1);
    stage.wait(Duration::days(32));
    let sent = stage.app.register(registration("+8613800138001"), origin());
    sent.await.unwrap();
    stage.app.forget_old(keep).await.unwrap();
    assert_eq!(messages().await, 1, "the one that waits");
    stage.delivered().await;
    stage.wait(Duration::days(61));
    stage.app.forget_old(keep).await.unwrap();
    assert_eq!(messages().await, 0);
    assert!(!stage.is_open(&session.token).await);
}
