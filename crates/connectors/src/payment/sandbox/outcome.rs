//! What a person, or a test, can make of a payment, a stored method or a refund.

use simurgh_commerce::Failure;

/// How a payment goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The money is taken.
    Success,
    /// It fails.
    Fail(Failure),
    /// The payer must confirm on a second page, in the name of the bank.
    NeedsBank,
    /// It stays in processing for a while, then succeeds.
    Delayed,
    /// The money is taken, and the notification comes three times.
    Duplicated,
    /// The money is taken; after the notification come an old "pending" and an old "failed".
    Reordered,
    /// The money is taken, but the notification names another amount. A query tells the truth.
    WrongAmount,
    /// The money is taken, but the notification names another merchant. A query tells the truth.
    OtherMerchant,
    /// No notification comes and queries say "pending", until somebody decides otherwise.
    StaysPending,
    /// No notification comes and queries get no answer, until somebody decides otherwise.
    NoAnswer,
    /// The provider closes it without money.
    Closed,
}

impl Outcome {
    /// Every outcome.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN
            .into_iter()
            .chain(Failure::ALL.into_iter().map(Self::Fail))
    }

    const PLAIN: [Self; 10] = [
        Self::Success,
        Self::NeedsBank,
        Self::Delayed,
        Self::Duplicated,
        Self::Reordered,
        Self::WrongAmount,
        Self::OtherMerchant,
        Self::StaysPending,
        Self::NoAnswer,
        Self::Closed,
    ];

    /// The name it has in forms, in the API and in the journal. A failure has its own code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fail(failure) => failure.code(),
            Self::NeedsBank => "needs-bank",
            Self::Delayed => "delayed",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::WrongAmount => "wrong-amount",
            Self::OtherMerchant => "other-merchant",
            Self::StaysPending => "stays-pending",
            Self::NoAnswer => "no-answer",
            Self::Closed => "closed",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|outcome| outcome.code() == code)
    }
}

/// What a stored method does when it is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Behaviour {
    /// It pays.
    #[default]
    Works,
    /// Not enough money at the next charge; after that it works.
    InsufficientFundsOnce,
    /// Never enough money.
    InsufficientFunds,
    /// Expired.
    Expired,
    /// Taken back by the payer at the provider.
    Revoked,
    /// The bank wants the payer to confirm.
    NeedsAuthentication,
    /// It pays after a while.
    Delayed,
    /// The provider does not answer, until somebody decides the payment on its page.
    NoAnswer,
}

impl Behaviour {
    /// Every behaviour.
    pub const ALL: [Self; 8] = [
        Self::Works,
        Self::InsufficientFundsOnce,
        Self::InsufficientFunds,
        Self::Expired,
        Self::Revoked,
        Self::NeedsAuthentication,
        Self::Delayed,
        Self::NoAnswer,
    ];

    /// The name it has in forms and in the journal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::InsufficientFundsOnce => "insufficient-funds-once",
            Self::InsufficientFunds => "insufficient-funds",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::NeedsAuthentication => "needs-authentication",
            Self::Delayed => "delayed",
            Self::NoAnswer => "no-answer",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|behaviour| behaviour.code() == code)
    }

    /// How the next charge goes.
    pub(super) const fn outcome(self) -> Outcome {
        match self {
            Self::Works => Outcome::Success,
            Self::InsufficientFundsOnce | Self::InsufficientFunds => {
                Outcome::Fail(Failure::InsufficientFunds)
            }
            Self::Expired => Outcome::Fail(Failure::Expired),
            Self::Revoked => Outcome::Fail(Failure::MandateEnded),
            Self::NeedsAuthentication => Outcome::Fail(Failure::AuthenticationRequired),
            Self::Delayed => Outcome::Delayed,
            Self::NoAnswer => Outcome::NoAnswer,
        }
    }

    /// How it behaves after a charge.
    pub(super) const fn after_charge(self) -> Self {
        match self {
            Self::Works | Self::InsufficientFundsOnce => Self::Works,
            Self::InsufficientFunds
            | Self::Expired
            | Self::Revoked
            | Self::NeedsAuthentication
            | Self::Delayed
            | Self::NoAnswer => self,
        }
    }
}

/// What becomes of refunds of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RefundBehaviour {
    /// They succeed at once.
    #[default]
    Succeeds,
    /// They stay pending for a while, then succeed.
    Waits,
    /// The money cannot go back: the card or account is closed.
    Impossible,
}

impl RefundBehaviour {
    /// Every behaviour.
    pub const ALL: [Self; 3] = [Self::Succeeds, Self::Waits, Self::Impossible];

    /// The name it has in forms and in the journal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Succeeds => "succeeds",
            Self::Waits => "waits",
            Self::Impossible => "impossible",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|behaviour| behaviour.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for outcome in Outcome::all() {
            assert_eq!(Outcome::from_code(outcome.code()), Some(outcome));
        }
        for behaviour in Behaviour::ALL {
            assert_eq!(Behaviour::from_code(behaviour.code()), Some(behaviour));
        }
        for behaviour in RefundBehaviour::ALL {
            assert_eq!(
                RefundBehaviour::from_code(behaviour.code()),
                Some(behaviour)
            );
        }
        assert_eq!(Outcome::from_code("Success"), None);
    }
}
