//! The chart of accounts.

use std::fmt;
use std::str::FromStr;

use simurgh_vocab::{BucketId, SubscriptionId};

/// What a bucket account holds. For every bucket the roles sum to zero, so that
/// granted = left + reserved + used + expired + reversed, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BucketRole {
    /// The source of the allowance: minus what was granted.
    Granted,
    /// What may still be used.
    Left,
    /// What live sessions hold.
    Reserved,
    /// What was used.
    Used,
    /// What ran out unused.
    Expired,
    /// What was taken back by a refund.
    Reversed,
}

impl BucketRole {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Granted,
        Self::Left,
        Self::Reserved,
        Self::Used,
        Self::Expired,
        Self::Reversed,
    ];

    const fn code(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Left => "left",
            Self::Reserved => "reserved",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Reversed => "reversed",
        }
    }
}

/// An account of the ledger. Money accounts exist once per currency, bucket accounts hold the
/// bucket's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// Money at payment providers that has not reached the bank: an asset.
    Clearing,
    /// Money to be sent back to payers: a liability.
    RefundsPayable,
    /// Money received for a subscription whose service is still owed: a liability.
    DeferredRevenue(SubscriptionId),
    /// Money received that belongs to no open order: a liability until it is refunded.
    Unassigned,
    /// Value-added tax owed: a liability.
    TaxPayable,
    /// Revenue earned.
    Revenue,
    /// Receivable for money that left without our order (a chargeback): an asset.
    Chargebacks,
    /// One role of one bucket.
    Bucket(BucketId, BucketRole),
}

impl Account {
    /// Whether its balance is kept beside the journal. Not for the accounts that every purchase
    /// posts to and that have no bounds: their row would make all purchases wait for each other.
    /// Their balance is the sum of their postings.
    #[must_use]
    pub const fn keeps_balance(&self) -> bool {
        match self {
            Self::Clearing | Self::TaxPayable | Self::Revenue | Self::Chargebacks => false,
            Self::RefundsPayable
            | Self::Unassigned
            | Self::DeferredRevenue(_)
            | Self::Bucket(_, _) => true,
        }
    }

    /// The bucket it belongs to, if it belongs to one.
    #[must_use]
    pub const fn bucket(&self) -> Option<BucketId> {
        match self {
            Self::Bucket(id, _) => Some(*id),
            Self::Clearing
            | Self::RefundsPayable
            | Self::DeferredRevenue(_)
            | Self::Unassigned
            | Self::TaxPayable
            | Self::Revenue
            | Self::Chargebacks => None,
        }
    }

    /// Whether the account may hold `balance`.
    #[must_use]
    pub const fn may_hold(&self, balance: i64) -> bool {
        match self {
            Self::Bucket(_, BucketRole::Granted) => balance <= 0,
            Self::Bucket(_, _) => balance >= 0,
            Self::DeferredRevenue(_) | Self::RefundsPayable | Self::Unassigned => balance <= 0,
            Self::Clearing | Self::TaxPayable | Self::Revenue | Self::Chargebacks => true,
        }
    }
}

impl fmt::Display for Account {
    /// The name under which the account is stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clearing => f.write_str("clearing"),
            Self::RefundsPayable => f.write_str("refunds_payable"),
            Self::DeferredRevenue(id) => write!(f, "deferred_revenue:{id}"),
            Self::Unassigned => f.write_str("unassigned"),
            Self::TaxPayable => f.write_str("tax_payable"),
            Self::Revenue => f.write_str("revenue"),
            Self::Chargebacks => f.write_str("chargebacks"),
            Self::Bucket(id, role) => write!(f, "bucket:{id}:{}", role.code()),
        }
    }
}

/// The text names no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an account")]
pub struct ParseAccountError;

impl FromStr for Account {
    type Err = ParseAccountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        let account = match (parts.next(), parts.next(), parts.next()) {
            (Some("clearing"), None, None) => Self::Clearing,
            (Some("refunds_payable"), None, None) => Self::RefundsPayable,
            (Some("unassigned"), None, None) => Self::Unassigned,
            (Some("tax_payable"), None, None) => Self::TaxPayable,
            (Some("revenue"), None, None) => Self::Revenue,
            (Some("chargebacks"), None, None) => Self::Chargebacks,
            (Some("deferred_revenue"), Some(id), None) => {
                Self::DeferredRevenue(id.parse().map_err(|_| ParseAccountError)?)
            }
            (Some("bucket"), Some(id), Some(role)) => {
                let role = BucketRole::ALL
                    .into_iter()
                    .find(|known| known.code() == role);
                Self::Bucket(
                    id.parse().map_err(|_| ParseAccountError)?,
                    role.ok_or(ParseAccountError)?,
                )
            }
            _ => return Err(ParseAccountError),
        };
        if parts.next().is_some() {
            Err(ParseAccountError)
        } else {
            Ok(account)
        }
    }
}
