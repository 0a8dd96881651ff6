//! Delivery receipts: what the network says became of a message.

use crate::App;
use crate::ports::{
    Fate, MessageState, NotRecorded, Receipt, ReceiptSink, Recording, StoreExt, StoreFault,
};

impl ReceiptSink for App {
    /// Records a receipt. A message in several parts counts as delivered with its first part and
    /// as failed as soon as one part fails; a failure is never replaced.
    fn record(&self, receipt: Receipt) -> Recording<'_> {
        let at = self.now();
        Box::pin(async move {
            let known = self
                .store
                .transact(move |tx| -> Result<bool, StoreFault> {
                    let Some(mut message) = tx.message_by_reference(&receipt.reference)? else {
                        return Ok(false);
                    };
                    let next = match receipt.fate {
                        Fate::Underway | Fate::Unknown => None,
                        Fate::Delivered => Some(MessageState::Delivered { at }),
                        Fate::Expired | Fate::Deleted | Fate::Undeliverable | Fate::Rejected => {
                            let code = receipt.error.as_deref().unwrap_or("no code");
                            let reason = format!("{:?} ({code})", receipt.fate);
                            Some(MessageState::Failed { at, reason })
                        }
                    };
                    let failed = matches!(message.state, MessageState::Failed { .. });
                    if let Some(next) = next.filter(|_| !failed) {
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
