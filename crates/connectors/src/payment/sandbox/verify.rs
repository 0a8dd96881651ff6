//! The one way from received bytes to a [`ProviderEvent`].

use std::sync::Arc;

use simurgh_app::ports::{Clock, Notification, NotificationRefusal, ProviderEvent, ProviderReport};

use super::book::{DeliveryId, SandboxBook};
use super::wire::{self, NotificationBody, PaymentBody};
use crate::sandbox::settings::{SandboxSettings, is_name};
use crate::sandbox::verify::Verifier as Agreement;

/// The operator's side of the agreement: its key, its name and its clock.
pub(super) struct Verifier {
    merchant: String,
    agreement: Agreement,
}

impl Verifier {
    pub(super) fn new(settings: &SandboxSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            merchant: settings.merchant().to_owned(),
            agreement: Agreement::new(settings, clock),
        }
    }

    /// Believes a notification, or says why not. Nothing of the body is read before its signature
    /// holds, except its length.
    pub(super) fn verify(
        &self,
        notification: Notification<'_>,
    ) -> Result<ProviderEvent, NotificationRefusal> {
        let body = self.agreement.believe(notification)?;
        parse(body, &self.merchant).map_err(NotificationRefusal::Malformed)
    }

    /// Reads what the provider says of a payment.
    pub(super) fn report(&self, body: &[u8]) -> Result<ProviderReport, &'static str> {
        wire::read::<PaymentBody>(body)?.read(&self.merchant)
    }
}

/// Reads a signed body, strictly.
pub(super) fn parse(body: &[u8], merchant: &str) -> Result<ProviderEvent, &'static str> {
    let notification: NotificationBody = wire::read(body)?;
    if !is_name(&notification.event_id) {
        return Err("the event's id cannot be one");
    }
    Ok(ProviderEvent {
        event_id: notification.event_id,
        report: notification.payment.read(merchant)?,
    })
}

/// Writes what [`parse`] reads.
pub(super) fn body(event_id: &str, report: &ProviderReport, merchant: &str) -> Vec<u8> {
    wire::write(&NotificationBody {
        event_id: event_id.to_owned(),
        payment: PaymentBody::new(report, merchant),
    })
}

/// A copy of a notice as it leaves, with the id of its event.
pub(super) fn letter(
    book: &SandboxBook,
    id: DeliveryId,
    merchant: &str,
) -> Option<(String, Vec<u8>)> {
    let notice = book.notice(id)?;
    let report = notice.word.clone().report(id.payment);
    Some((
        notice.event_id.clone(),
        body(&notice.event_id, &report, merchant),
    ))
}
