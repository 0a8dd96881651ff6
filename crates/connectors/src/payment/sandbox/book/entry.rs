//! A payment in the provider's book.

use std::collections::BTreeMap;

use simurgh_app::ports::{ChargeRequest, MandateGrant, OpenRequest, RefundStatus};
use simurgh_commerce::{Failure, MethodKind, ProviderStatus};
use simurgh_vocab::{Locale, Money, PaymentId, RefundId, Timestamp};

use super::super::outcome::{Behaviour, Outcome, RefundBehaviour};
use super::post::Word;
use super::{DELAY, Notice, Tokens};

/// Where a payment stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Standing {
    /// The payer has not acted.
    AwaitingPayer,
    /// The payer must confirm in the bank.
    AwaitingBank,
    /// It succeeds by itself at `until`.
    Processing {
        /// When.
        until: Timestamp,
    },
    /// It stays in processing and nobody is told.
    Silent,
    /// The provider does not even answer.
    Mute,
    /// The money is taken.
    Captured {
        /// When.
        at: Timestamp,
    },
    /// It failed.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// It was closed without money.
    Closed {
        /// When.
        at: Timestamp,
    },
}

impl Standing {
    /// Whether it can still be decided.
    pub(in super::super) const fn is_open(self) -> bool {
        match self {
            Self::AwaitingPayer
            | Self::AwaitingBank
            | Self::Processing { .. }
            | Self::Silent
            | Self::Mute => true,
            Self::Captured { .. } | Self::Failed { .. } | Self::Closed { .. } => false,
        }
    }

    /// The truth, in the words of the port.
    pub(in super::super) const fn status(self) -> ProviderStatus {
        match self {
            Self::AwaitingPayer
            | Self::AwaitingBank
            | Self::Processing { .. }
            | Self::Silent
            | Self::Mute => ProviderStatus::Pending,
            Self::Captured { .. } => ProviderStatus::Captured,
            Self::Failed { failure, .. } => ProviderStatus::Failed(failure),
            Self::Closed { .. } => ProviderStatus::Closed,
        }
    }
}

/// How a payment came about.
#[derive(Clone, PartialEq, Eq)]
pub(in super::super) enum Origin {
    /// A payer on the provider's page.
    Page {
        /// The page's name.
        token: String,
        /// The name of the stored method, if the payer is to store it.
        mandate: Option<String>,
        /// Where the browser goes back to.
        return_url: String,
        /// The payer's language.
        locale: Locale,
    },
    /// A charge of a stored method.
    Charge {
        /// The stored method's name.
        token: String,
    },
}

/// A refund in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct BookedRefund {
    /// How much.
    pub(in super::super) amount: Money,
    fate: RefundFate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefundFate {
    /// It succeeds, from then on.
    SucceedsAt(Timestamp),
    /// It never can.
    Impossible,
}

impl BookedRefund {
    /// Where it stands.
    pub(in super::super) fn status(&self, now: Timestamp) -> RefundStatus {
        match self.fate {
            RefundFate::SucceedsAt(at) if at <= now => RefundStatus::Succeeded,
            RefundFate::SucceedsAt(_) => RefundStatus::Pending,
            RefundFate::Impossible => RefundStatus::Impossible,
        }
    }
}

/// A payment.
#[derive(Clone)]
pub(in super::super) struct Entry {
    /// The merchant's order number.
    pub(in super::super) payment: PaymentId,
    /// The way to pay.
    pub(in super::super) method: MethodKind,
    /// What is to be paid.
    pub(in super::super) amount: Money,
    /// What it is for.
    pub(in super::super) description: String,
    /// How it came about.
    pub(in super::super) origin: Origin,
    /// Where it stands.
    pub(in super::super) standing: Standing,
    /// When it was opened.
    pub(in super::super) opened_at: Timestamp,
    /// What the method stored with it does when it is charged.
    pub(in super::super) behaviour: Behaviour,
    /// What becomes of its refunds.
    pub(in super::super) refund_behaviour: RefundBehaviour,
    /// Its refunds.
    pub(in super::super) refunds: BTreeMap<RefundId, BookedRefund>,
    /// What was or will be announced of it.
    pub(in super::super) notices: Vec<Notice>,
}

impl Entry {
    pub(super) fn opened(request: &OpenRequest, tokens: &Tokens, now: Timestamp) -> Self {
        let origin = Origin::Page {
            token: tokens.page.clone(),
            mandate: request.store_method.then(|| tokens.mandate.clone()),
            return_url: request.return_url.clone(),
            locale: request.locale,
        };
        Self {
            payment: request.payment,
            method: request.method,
            amount: request.amount,
            description: request.description.clone(),
            origin,
            standing: Standing::AwaitingPayer,
            opened_at: now,
            behaviour: Behaviour::default(),
            refund_behaviour: RefundBehaviour::default(),
            refunds: BTreeMap::new(),
            notices: Vec::new(),
        }
    }

    pub(super) fn charged(request: &ChargeRequest, now: Timestamp) -> Self {
        Self {
            payment: request.payment,
            method: request.method,
            amount: request.amount,
            description: request.description.clone(),
            origin: Origin::Charge {
                token: request.token.clone(),
            },
            standing: Standing::Silent,
            opened_at: now,
            behaviour: Behaviour::default(),
            refund_behaviour: RefundBehaviour::default(),
            refunds: BTreeMap::new(),
            notices: Vec::new(),
        }
    }

    /// Whether `request` is the one that opened it. The language may differ: it changes nothing
    /// that is paid.
    pub(super) fn was_opened_by(&self, request: &OpenRequest) -> bool {
        let same_origin = match &self.origin {
            Origin::Page {
                mandate,
                return_url,
                ..
            } => mandate.is_some() == request.store_method && *return_url == request.return_url,
            Origin::Charge { .. } => false,
        };
        same_origin
            && self.method == request.method
            && self.amount == request.amount
            && self.description == request.description
    }

    pub(super) fn was_charged_by(&self, request: &ChargeRequest) -> bool {
        let same_origin = match &self.origin {
            Origin::Page { .. } => false,
            Origin::Charge { token } => *token == request.token,
        };
        same_origin
            && self.method == request.method
            && self.amount == request.amount
            && self.description == request.description
    }

    /// Whether the payer is to store the method with it.
    pub(in super::super) fn stores_method(&self) -> bool {
        self.mandate_token().is_some()
    }

    fn mandate_token(&self) -> Option<&str> {
        match &self.origin {
            Origin::Page { mandate, .. } => mandate.as_deref(),
            Origin::Charge { .. } => None,
        }
    }

    /// The method stored with it: there once the money is taken.
    pub(in super::super) fn grant(&self) -> Option<MandateGrant> {
        let Standing::Captured { .. } = self.standing else {
            return None;
        };
        self.mandate_token().map(|token| MandateGrant {
            token: token.to_owned(),
            display: display(self.method).to_owned(),
        })
    }

    /// What is true of it now.
    pub(in super::super) fn truth(&self) -> Word {
        Word {
            status: self.standing.status(),
            amount: self.amount,
            merchant_is_ours: true,
            mandate: self.grant(),
        }
    }

    pub(super) fn capture(&mut self, at: Timestamp) {
        self.standing = Standing::Captured { at };
    }

    /// Moves on as decided. Asked of open payments only.
    pub(super) fn settle(&mut self, outcome: Outcome, now: Timestamp) {
        self.standing = match outcome {
            Outcome::Success
            | Outcome::Duplicated
            | Outcome::Reordered
            | Outcome::WrongAmount
            | Outcome::OtherMerchant => Standing::Captured { at: now },
            Outcome::Fail(failure) => Standing::Failed { at: now, failure },
            Outcome::NeedsBank => Standing::AwaitingBank,
            Outcome::Delayed => Standing::Processing {
                until: now.plus(DELAY),
            },
            Outcome::StaysPending => Standing::Silent,
            Outcome::NoAnswer => Standing::Mute,
            Outcome::Closed => Standing::Closed { at: now },
        };
    }

    /// What has gone back or is on its way.
    pub(in super::super) fn refunded(&self, now: Timestamp) -> Money {
        let minor = self
            .refunds
            .values()
            .filter(|refund| refund.status(now) != RefundStatus::Impossible)
            .fold(0i64, |sum, refund| sum.saturating_add(refund.amount.minor));
        Money::new(minor, self.amount.currency)
    }

    pub(super) fn add_refund(&mut self, refund: RefundId, amount: Money, now: Timestamp) {
        let fate = match self.refund_behaviour {
            RefundBehaviour::Succeeds => RefundFate::SucceedsAt(now),
            RefundBehaviour::Waits => RefundFate::SucceedsAt(now.plus(DELAY)),
            RefundBehaviour::Impossible => RefundFate::Impossible,
        };
        self.refunds.insert(refund, BookedRefund { amount, fate });
    }

    /// Sets what becomes of refunds; those that wait follow at once. What has succeeded, or was
    /// given up, stays.
    pub(super) fn behave_refunds(&mut self, behaviour: RefundBehaviour, now: Timestamp) {
        self.refund_behaviour = behaviour;
        for refund in self.refunds.values_mut() {
            if refund.status(now) == RefundStatus::Pending {
                match behaviour {
                    RefundBehaviour::Succeeds => refund.fate = RefundFate::SucceedsAt(now),
                    RefundBehaviour::Impossible => refund.fate = RefundFate::Impossible,
                    RefundBehaviour::Waits => {}
                }
            }
        }
    }
}

/// How the payer recognises a stored method: made-up digits, those of well-known test cards.
const fn display(method: MethodKind) -> &'static str {
    match method {
        MethodKind::Card => "•••• 4242",
        MethodKind::Alipay => "•••• 6688",
        MethodKind::WechatPay => "•••• 2580",
    }
}
