//! Delivery receipts: what the network says became of a message.

use simurgh_vocab::Timestamp;

use crate::App;
use crate::ports::{
    Fate, Message, MessageState, NotRecorded, REFERENCE_SEPARATOR, Receipt, ReceiptSink, Recording,
    StoreExt, StoreFault, Tx,
};

impl ReceiptSink for App {
    /// Records a receipt. A message in several parts is delivered when each part of its last
    /// hand-over is, and has failed as soon as one part fails; neither is replaced any more.
    fn record(&self, receipt: Receipt) -> Recording<'_> {
        let at = self.now();
        Box::pin(async move {
            let known = self
                .store
                .transact(move |tx| -> Result<bool, StoreFault> {
                    let Some(mut message) = tx.message_by_reference(&receipt.reference)? else {
                        return Ok(false);
                    };
                    if let Some(next) = next_state(tx, &message, &receipt, at)? {
                        message.state = next;
                        tx.update_message(&message)?;
                    }
                    Ok(true)
                })
                .await
                .map_err(|fault| NotRecorded(fault.to_string()))?;
            if known {
                Ok(())
            } else {
                Err(NotRecorded("no message has this reference".to_owned()))
            }
        })
    }
}

/// What becomes of a message by a receipt for one of its parts; `None` when nothing does yet.
fn next_state(
    tx: &mut dyn Tx,
    message: &Message,
    receipt: &Receipt,
    at: Timestamp,
) -> Result<Option<MessageState>, StoreFault> {
    let reference = match &message.state {
        MessageState::Sent { reference, .. } => reference,
        MessageState::Queued | MessageState::Delivered { .. } | MessageState::Failed { .. } => {
            return Ok(None);
        }
    };
    match receipt.fate {
        Fate::Underway | Fate::Unknown => Ok(None),
        Fate::Delivered => {
            let arrived = tx.part_delivered(message.id, &receipt.reference, at)?;
            let mut parts = reference
                .split(REFERENCE_SEPARATOR)
                .filter(|part| !part.is_empty());
            let all = parts.all(|part| arrived.iter().any(|known| known == part));
            Ok(all.then_some(MessageState::Delivered { at }))
        }
        Fate::Expired | Fate::Deleted | Fate::Undeliverable | Fate::Rejected => {
            let code = receipt.error.as_deref().unwrap_or("no code");
            let reason = format!("{:?} ({code})", receipt.fate);
            Ok(Some(MessageState::Failed { at, reason }))
        }
    }
}
