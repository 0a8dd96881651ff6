//! What the network says became of a message in parts.

use simurgh_app::Fault;
use simurgh_app::ports::{Fate, Message, MessageState, Receipt, ReceiptSink, Recipient, StoreExt};
use simurgh_vocab::{Locale, MessageId};

use super::stage::Stage;

/// A short message that was handed over in the parts of `reference`.
async fn sent(stage: &Stage, byte: u8, reference: &str) -> MessageId {
    let id = MessageId::from_parts(u64::from(byte), &[byte; 10]);
    let at = stage.now();
    let message = Message {
        id,
        customer: Some(stage.customer),
        to: Recipient::Sms("+8613800138000".parse().unwrap()),
        template: "ended".to_owned(),
        locale: Locale::En,
        arguments: Vec::new(),
        created_at: at,
        state: MessageState::Sent {
            at,
            reference: reference.to_owned(),
        },
    };
    let key = format!("test:{byte}");
    let stored = stage
        .store
        .transact(move |tx| -> Result<bool, Fault> { Ok(tx.insert_message(&message, &key)?) });
    assert!(stored.await.unwrap());
    id
}

async fn told(stage: &Stage, reference: &str, fate: Fate) {
    let receipt = Receipt {
        reference: reference.to_owned(),
        fate,
        error: (fate == Fate::Undeliverable).then(|| "045".to_owned()),
    };
    stage.record(receipt).await.unwrap();
}

async fn state(stage: &Stage, id: MessageId) -> MessageState {
    let found = stage.read(move |tx| tx.message(id).unwrap()).await;
    found.unwrap().state
}

#[tokio::test]
async fn a_message_has_arrived_when_each_of_its_parts_has() {
    let stage = Stage::new().await;
    let id = sent(&stage, 1, "a,b,c").await;
    for (part, fate) in [
        ("a", Fate::Delivered),
        ("a", Fate::Delivered),
        ("b", Fate::Underway),
        ("c", Fate::Delivered),
    ] {
        told(&stage, part, fate).await;
        assert!(matches!(state(&stage, id).await, MessageState::Sent { .. }));
    }
    told(&stage, "b", Fate::Delivered).await;
    let arrived = MessageState::Delivered { at: stage.now() };
    assert_eq!(state(&stage, id).await, arrived);
    told(&stage, "b", Fate::Expired).await;
    assert_eq!(state(&stage, id).await, arrived, "it cannot un-arrive");
}

#[tokio::test]
async fn a_message_has_failed_when_one_part_has() {
    let stage = Stage::new().await;
    let id = sent(&stage, 2, "d,e").await;
    told(&stage, "d", Fate::Delivered).await;
    told(&stage, "e", Fate::Undeliverable).await;
    let failed = MessageState::Failed {
        at: stage.now(),
        reason: "Undeliverable (045)".to_owned(),
    };
    assert_eq!(state(&stage, id).await, failed);
    told(&stage, "e", Fate::Delivered).await;
    assert_eq!(state(&stage, id).await, failed);
    let unknown = Receipt {
        reference: "nobody's".to_owned(),
        fate: Fate::Delivered,
        error: None,
    };
    assert!(
        stage.record(unknown).await.is_err(),
        "it may come too early"
    );
}
