//! The provider in the same process, for simulations: the same book, the same signed bytes, no
//! sockets. Whoever runs the world takes the notifications and delivers them late, twice, in
//! another order or never.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use simurgh_app::ports::{
    Asking, ChargeRequest, Clock, Notification, NotificationRefusal, OpenRequest, Opened,
    PaymentProvider, ProviderEvent, ProviderFault, ProviderReport, RefundRequest, RefundStatus,
};
use simurgh_commerce::{MethodKind, Observation, ProviderStatus};
use simurgh_vocab::{Currency, Money, PaymentId};

use super::book::{Command, DeliveryId, Refusal, SandboxBook};
use super::desk::{Sandbox, SandboxFault};
use super::verify::{self, Verifier};
use super::{ACKNOWLEDGEMENT, CODE, METHODS};
use crate::sandbox::settings::SandboxSettings;
use crate::sandbox::signature::{self, Signed, Signer};

/// What is lost on the way of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The request: the provider never hears of it.
    Request,
    /// The answer: the provider did as asked, and nobody knows.
    Answer,
}

/// A notification that left the provider: what a web server would receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedNotification {
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The payment it is about, for whoever runs the world.
    pub payment: PaymentId,
}

impl HandedNotification {
    /// It as the port takes it.
    #[must_use]
    pub fn as_notification(&self) -> Notification<'_> {
        Notification {
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// The provider in the same process.
pub struct DirectSandbox {
    sandbox: Sandbox,
    settings: SandboxSettings,
    signer: Signer,
    verifier: Verifier,
    losses: Mutex<VecDeque<Loss>>,
}

impl DirectSandbox {
    /// Connects to `sandbox`. The clock is the operator's; the provider has its own.
    #[must_use]
    pub fn new(sandbox: Sandbox, settings: SandboxSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            signer: Signer::new(settings.key()),
            verifier: Verifier::new(&settings, clock),
            sandbox,
            settings,
            losses: Mutex::new(VecDeque::new()),
        }
    }

    /// The provider behind it.
    #[must_use]
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Loses the next call; those lost already come first.
    pub fn lose_next(&self, loss: Loss) {
        self.losses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(loss);
    }

    /// Takes every notification that waits, in the order in which the provider would send them,
    /// signed now. The provider considers them taken; [`Sandbox::send_again`] makes another copy.
    #[must_use]
    pub fn pop_notifications(&self) -> Vec<HandedNotification> {
        let waiting = self.sandbox.read(|book, _| book.waiting());
        waiting
            .into_iter()
            .filter_map(|delivery| {
                let handed = self.hand(delivery.id)?;
                self.sandbox.write(&Command::Taken(delivery.id)).ok()?;
                Some(handed)
            })
            .collect()
    }

    /// The headers of a notification with this body, signed now: for worlds and fuzz targets that
    /// send bodies of their own.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> Vec<(String, String)> {
        let notification = Signed::Notification { body };
        let signature = self.signer.sign(notification, self.sandbox.now());
        vec![(signature::HEADER.to_owned(), signature)]
    }

    fn hand(&self, id: DeliveryId) -> Option<HandedNotification> {
        let merchant = self.settings.merchant();
        let letter = |book: &SandboxBook, _| verify::letter(book, id, merchant);
        let (_, body) = self.sandbox.read(letter)?;
        Some(HandedNotification {
            headers: self.sign(&body),
            body,
            payment: id.payment,
        })
    }

    /// Makes one call, unless it is lost.
    fn ask<T>(
        &self,
        call: impl FnOnce(&Sandbox) -> Result<T, ProviderFault>,
    ) -> Result<T, ProviderFault> {
        let loss = self
            .losses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        match loss {
            None => call(&self.sandbox),
            Some(Loss::Request) => Err(ProviderFault::Unknown("the request was lost".to_owned())),
            Some(Loss::Answer) => {
                call(&self.sandbox).ok();
                Err(ProviderFault::Unknown("the answer was lost".to_owned()))
            }
        }
    }
}

impl PaymentProvider for DirectSandbox {
    fn code(&self) -> &'static str {
        CODE
    }

    fn methods(&self) -> &[MethodKind] {
        METHODS
    }

    fn can_store(&self, method: MethodKind) -> bool {
        METHODS.contains(&method)
    }

    fn open(&self, request: OpenRequest) -> Asking<'_, Opened> {
        let opened = self.ask(|sandbox| sandbox.open(request).map_err(fault));
        let opened = opened.map(|page| Opened {
            redirect_url: page_url(&self.settings, &page),
        });
        Box::pin(std::future::ready(opened))
    }

    fn charge(&self, request: ChargeRequest) -> Asking<'_, ProviderReport> {
        let report = self.ask(|sandbox| answered(sandbox.charge(request).map_err(fault)?));
        Box::pin(std::future::ready(report))
    }

    fn status(&self, payment: PaymentId) -> Asking<'_, ProviderReport> {
        let report = self.ask(|sandbox| match sandbox.status(payment) {
            Err(SandboxFault::Refused(Refusal::PaymentUnknown)) => Ok(not_found(payment)),
            Err(other) => Err(fault(other)),
            Ok(report) => answered(report),
        });
        Box::pin(std::future::ready(report))
    }

    fn refund(&self, request: RefundRequest) -> Asking<'_, RefundStatus> {
        let status = self.ask(|sandbox| sandbox.refund(request).map_err(fault));
        Box::pin(std::future::ready(status))
    }

    fn verify(&self, notification: Notification<'_>) -> Result<ProviderEvent, NotificationRefusal> {
        self.verifier.verify(notification)
    }

    fn acknowledgement(&self) -> &'static str {
        ACKNOWLEDGEMENT
    }
}

/// Where the payer goes.
pub(super) fn page_url(settings: &SandboxSettings, page: &str) -> String {
    format!("{}/pay/{page}", settings.public_url())
}

/// What is reported of a payment the provider has never heard of. The amount says nothing.
pub(super) const fn not_found(payment: PaymentId) -> ProviderReport {
    ProviderReport {
        payment,
        observation: Observation {
            status: ProviderStatus::NotFound,
            amount: Money::zero(Currency::Cny),
            merchant_is_ours: true,
        },
        mandate: None,
    }
}

fn answered(report: Option<ProviderReport>) -> Result<ProviderReport, ProviderFault> {
    report.ok_or_else(|| ProviderFault::Unknown("no answer".to_owned()))
}

fn fault(fault: SandboxFault) -> ProviderFault {
    match fault {
        SandboxFault::Refused(refusal) => ProviderFault::Refused(refusal.code().to_owned()),
        SandboxFault::Journal(_) | SandboxFault::Http(_) => {
            ProviderFault::Unknown(fault.to_string())
        }
    }
}
