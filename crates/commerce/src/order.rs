//! Orders.

use simurgh_vocab::{CustomerId, Duration, LineId, Money, OrderId, Timestamp, ZoneCode};

use crate::{QuoteLine, Selection, Start};

/// Why an order was closed without being paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// It was not paid in time.
    Expired,
    /// The customer called it off.
    Cancelled,
}

impl CloseReason {
    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Expired, Self::Cancelled]
            .into_iter()
            .find(|reason| reason.code() == code)
    }
}

/// Where an order stands. Each state owns what is only known in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// It waits for a payment.
    AwaitingPayment,
    /// It is paid, and what was bought is granted: both happen in one transaction.
    Fulfilled {
        /// When the payment was recorded.
        at: Timestamp,
    },
    /// It was closed without a payment.
    Closed {
        /// When.
        at: Timestamp,
        /// Why.
        reason: CloseReason,
    },
    /// It was paid, and then taken back: the grant is revoked, the money returns.
    Refunded {
        /// When the grant was revoked.
        at: Timestamp,
    },
}

/// An order: a quote that a customer accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id; its number for the outside is [`OrderId::number`].
    pub id: OrderId,
    /// Who ordered.
    pub customer: CustomerId,
    /// The line it is for; none if it opens a new one.
    pub line: Option<LineId>,
    /// What was bought.
    pub selection: Selection,
    /// How many periods.
    pub periods: u32,
    /// When it is to start.
    pub start: Start,
    /// The catalogue it was quoted from.
    pub catalogue_version: u32,
    /// Where the plan holds.
    pub zone: ZoneCode,
    /// The lines of the quote.
    pub lines: Vec<QuoteLine>,
    /// The promotions it uses.
    pub promotions: Vec<String>,
    /// What is to be paid, tax included.
    pub total: Money,
    /// The tax inside the total.
    pub tax: Money,
    /// The tax rate in basis points.
    pub tax_rate_basis_points: u32,
    /// When it was placed: the time the quote was made for.
    pub placed_at: Timestamp,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// The end that was shown, if it does not depend on first use.
    pub quoted_end: Option<Timestamp>,
    /// Whether it was placed by automatic renewal.
    pub automatic: bool,
    /// Where it stands.
    pub state: OrderState,
}

/// A change an order refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderTransition {
    /// It is paid already.
    #[error("the order is paid already")]
    AlreadyPaid,
    /// It is closed.
    #[error("the order is closed")]
    Closed,
    /// It was never paid.
    #[error("the order is not paid")]
    NotPaid,
    /// It is refunded already.
    #[error("the order is refunded already")]
    AlreadyRefunded,
}

impl Order {
    /// How long an order waits for its payment.
    pub const PAY_WITHIN: Duration = Duration::minutes(30);

    /// How long an order is held open beyond that while the outcome of a payment is not known.
    pub const RESOLVE_WITHIN: Duration = Duration::hours(24);

    /// The time the schedule counts from when the payment is recorded at `paid_at`: the time that
    /// was quoted, or, if the payment took longer than the order was open, the payment's own, so
    /// that nobody loses days to a slow bank.
    #[must_use]
    pub fn effective_from(&self, paid_at: Timestamp) -> Timestamp {
        if paid_at <= self.expires_at {
            self.placed_at
        } else {
            paid_at
        }
    }

    /// Records the payment.
    ///
    /// # Errors
    /// [`OrderTransition::AlreadyPaid`], [`OrderTransition::AlreadyRefunded`] or
    /// [`OrderTransition::Closed`].
    pub fn fulfil(mut self, at: Timestamp) -> Result<Self, OrderTransition> {
        self.payable()?;
        self.state = OrderState::Fulfilled { at };
        Ok(self)
    }

    /// Closes an unpaid order.
    ///
    /// # Errors
    /// [`OrderTransition::AlreadyPaid`], [`OrderTransition::AlreadyRefunded`] or
    /// [`OrderTransition::Closed`].
    pub fn close(mut self, at: Timestamp, reason: CloseReason) -> Result<Self, OrderTransition> {
        self.payable()?;
        self.state = OrderState::Closed { at, reason };
        Ok(self)
    }

    /// Takes a paid order back.
    ///
    /// # Errors
    /// [`OrderTransition::NotPaid`] or [`OrderTransition::AlreadyRefunded`].
    pub fn refund(mut self, at: Timestamp) -> Result<Self, OrderTransition> {
        match self.state {
            OrderState::Fulfilled { .. } => {
                self.state = OrderState::Refunded { at };
                Ok(self)
            }
            OrderState::Refunded { .. } => Err(OrderTransition::AlreadyRefunded),
            OrderState::AwaitingPayment | OrderState::Closed { .. } => {
                Err(OrderTransition::NotPaid)
            }
        }
    }

    /// Whether a payment may be started or recorded.
    ///
    /// # Errors
    /// Why not.
    pub fn payable(&self) -> Result<(), OrderTransition> {
        match self.state {
            OrderState::AwaitingPayment => Ok(()),
            OrderState::Fulfilled { .. } => Err(OrderTransition::AlreadyPaid),
            OrderState::Closed { .. } => Err(OrderTransition::Closed),
            OrderState::Refunded { .. } => Err(OrderTransition::AlreadyRefunded),
        }
    }
}
