//! Refunds.

use simurgh_vocab::{Money, OrderId, PaymentId, RefundId, Timestamp};

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundReason {
    /// It came for an order that was closed or already paid.
    NoOpenOrder,
    /// The customer gave back a plan that was not used.
    UnusedPlan,
    /// A member of staff decided so.
    Staff,
}

impl RefundReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NoOpenOrder, Self::UnusedPlan, Self::Staff];

    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoOpenOrder => "no-open-order",
            Self::UnusedPlan => "unused-plan",
            Self::Staff => "staff",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// The money is owed; the provider is being told, as often as it takes.
    Requested,
    /// The provider has sent it.
    Succeeded {
        /// When that was recorded.
        at: Timestamp,
    },
    /// The provider cannot send it to where it came from; staff must settle it another way.
    NeedsStaff {
        /// When that was recorded.
        at: Timestamp,
    },
}

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id, and the idempotency key towards the provider.
    pub id: RefundId,
    /// The payment that is returned.
    pub payment: PaymentId,
    /// The order it paid.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: RefundReason,
    /// Where it stands.
    pub state: RefundState,
    /// When it was requested.
    pub created_at: Timestamp,
}
