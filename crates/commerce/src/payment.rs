//! Payment attempts, and what a provider's word about one means.

use simurgh_vocab::{MandateId, Money, OrderId, PaymentId, Timestamp};

use crate::{Order, OrderState};

/// A way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MethodKind {
    /// A bank card.
    Card,
    /// Alipay.
    Alipay,
    /// WeChat Pay.
    WechatPay,
}

impl MethodKind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Alipay, Self::WechatPay, Self::Card];

    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Alipay => "alipay",
            Self::WechatPay => "wechat-pay",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// When a failed charge may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// Later, with the same method.
    Later,
    /// After the customer has changed or confirmed something.
    AfterCustomer,
    /// Never with this method.
    Never,
}

/// Why a payment failed, in words all providers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Not enough money.
    InsufficientFunds,
    /// A limit of the card or account was exceeded.
    LimitExceeded,
    /// The card has expired.
    Expired,
    /// A wrong number, date or security code.
    DetailsWrong,
    /// The bank wants the customer to confirm.
    AuthenticationRequired,
    /// The bank refused without a reason.
    BankRefused,
    /// The provider sees a risk. The customer is told nothing more precise.
    Risk,
    /// The method or currency is not supported.
    MethodUnsupported,
    /// The account at the provider is limited.
    AccountLimited,
    /// The stored method was revoked.
    MandateEnded,
    /// The customer gave up on the provider's page.
    Abandoned,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 11] = [
        Self::InsufficientFunds,
        Self::LimitExceeded,
        Self::Expired,
        Self::DetailsWrong,
        Self::AuthenticationRequired,
        Self::BankRefused,
        Self::Risk,
        Self::MethodUnsupported,
        Self::AccountLimited,
        Self::MandateEnded,
        Self::Abandoned,
    ];

    /// The name it is stored under; also the end of its text's key.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InsufficientFunds => "insufficient-funds",
            Self::LimitExceeded => "limit-exceeded",
            Self::Expired => "expired",
            Self::DetailsWrong => "details-wrong",
            Self::AuthenticationRequired => "authentication-required",
            Self::BankRefused => "bank-refused",
            Self::Risk => "risk",
            Self::MethodUnsupported => "method-unsupported",
            Self::AccountLimited => "account-limited",
            Self::MandateEnded => "mandate-ended",
            Self::Abandoned => "abandoned",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.code() == code)
    }

    /// When an automatic renewal may try again.
    #[must_use]
    pub const fn retry_class(self) -> RetryClass {
        match self {
            Self::InsufficientFunds | Self::LimitExceeded | Self::BankRefused => RetryClass::Later,
            Self::Expired | Self::DetailsWrong | Self::AuthenticationRequired | Self::Abandoned => {
                RetryClass::AfterCustomer
            }
            Self::Risk | Self::MethodUnsupported | Self::AccountLimited | Self::MandateEnded => {
                RetryClass::Never
            }
        }
    }
}

/// Where a payment attempt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentState {
    /// It is recorded here, and perhaps at the provider.
    Created,
    /// The customer must act on the provider's page.
    ActionRequired {
        /// Where.
        redirect_url: String,
    },
    /// The provider works on it.
    Processing,
    /// Nobody knows: the provider must be asked, never a second attempt made in its place.
    Unknown,
    /// The money is taken.
    Captured {
        /// When that was recorded.
        at: Timestamp,
    },
    /// It failed.
    Failed {
        /// When that was recorded.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// It was given up before any money moved.
    Closed {
        /// When.
        at: Timestamp,
    },
}

/// A payment attempt of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id, and the idempotency key towards the provider.
    pub id: PaymentId,
    /// The order it pays.
    pub order: OrderId,
    /// The provider's code.
    pub provider: String,
    /// The way to pay.
    pub method: MethodKind,
    /// The stored method it charges, if any.
    pub mandate: Option<MandateId>,
    /// Whether the customer asked to store the method.
    pub store_method: bool,
    /// What is to be paid.
    pub amount: Money,
    /// Where it stands.
    pub state: PaymentState,
    /// When it was started.
    pub created_at: Timestamp,
    /// How often the provider was asked about it.
    pub queries: u32,
}

/// What a provider says of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderStatus {
    /// The provider has never heard of it.
    NotFound,
    /// It is not decided yet.
    Pending,
    /// The money is taken.
    Captured,
    /// It failed.
    Failed(Failure),
    /// It was closed without money.
    Closed,
}

/// A provider's verified word about an attempt: from a notification that passed verification, or
/// from a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What it says.
    pub status: ProviderStatus,
    /// The amount it names.
    pub amount: Money,
    /// Whether the merchant it names is this operator.
    pub merchant_is_ours: bool,
}

/// What is to be done about an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Nothing new.
    Ignore,
    /// The attempt moves to this state; the order stays as it is.
    Move(PaymentState),
    /// The money is ours and the order is open: record the payment and grant.
    Fulfil,
    /// The money came for an order that no longer wants it: record it and send it back.
    ReturnMoney,
    /// Amount, currency or merchant is not what was asked for: believe nothing, ask the provider.
    Mismatch,
}

/// Decides what an observation of `payment` means for it and for its `order`.
#[must_use]
pub fn settle(payment: &Payment, order: &Order, seen: &Observation, now: Timestamp) -> Settlement {
    if let PaymentState::Captured { .. } = payment.state {
        return Settlement::Ignore;
    }
    match seen.status {
        ProviderStatus::Captured => {
            if !seen.merchant_is_ours || seen.amount != payment.amount {
                return Settlement::Mismatch;
            }
            match order.state {
                OrderState::AwaitingPayment => Settlement::Fulfil,
                OrderState::Fulfilled { .. }
                | OrderState::Closed { .. }
                | OrderState::Refunded { .. } => Settlement::ReturnMoney,
            }
        }
        ProviderStatus::Failed(failure) => open(payment, PaymentState::Failed { at: now, failure }),
        ProviderStatus::Closed => open(payment, PaymentState::Closed { at: now }),
        ProviderStatus::Pending => match payment.state {
            PaymentState::Created | PaymentState::Unknown => {
                Settlement::Move(PaymentState::Processing)
            }
            PaymentState::ActionRequired { .. }
            | PaymentState::Processing
            | PaymentState::Captured { .. }
            | PaymentState::Failed { .. }
            | PaymentState::Closed { .. } => Settlement::Ignore,
        },
        ProviderStatus::NotFound => match payment.state {
            PaymentState::Created | PaymentState::Unknown | PaymentState::Processing => {
                Settlement::Move(PaymentState::Closed { at: now })
            }
            PaymentState::ActionRequired { .. }
            | PaymentState::Captured { .. }
            | PaymentState::Failed { .. }
            | PaymentState::Closed { .. } => Settlement::Ignore,
        },
    }
}

/// Moves an attempt that is still open; one that has ended ignores later news without money.
fn open(payment: &Payment, next: PaymentState) -> Settlement {
    if payment.is_open() {
        Settlement::Move(next)
    } else {
        Settlement::Ignore
    }
}

impl Payment {
    /// The most attempts at paying one order. An honest payer tries a few ways; more is somebody
    /// trying cards out, whom providers count against the merchant.
    pub const ATTEMPTS_MAX: usize = 20;

    /// Whether its money is taken.
    #[must_use]
    pub const fn is_captured(&self) -> bool {
        match self.state {
            PaymentState::Captured { .. } => true,
            PaymentState::Created
            | PaymentState::ActionRequired { .. }
            | PaymentState::Processing
            | PaymentState::Unknown
            | PaymentState::Failed { .. }
            | PaymentState::Closed { .. } => false,
        }
    }

    /// Whether the attempt may still take money as far as is known here.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self.state {
            PaymentState::Created
            | PaymentState::ActionRequired { .. }
            | PaymentState::Processing
            | PaymentState::Unknown => true,
            PaymentState::Captured { .. }
            | PaymentState::Failed { .. }
            | PaymentState::Closed { .. } => false,
        }
    }
}
