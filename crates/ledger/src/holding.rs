//! What a bucket holds, and what moves inside it while it is charged.

use simurgh_vocab::BucketId;

use crate::{Account, BucketRole};

/// What a bucket holds in each role. The sum of all is zero, so nothing appears or vanishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holding {
    /// Minus what was granted.
    pub granted: i64,
    /// What may still be used.
    pub left: i64,
    /// What live sessions hold.
    pub reserved: i64,
    /// What was used.
    pub used: i64,
    /// What ran out unused.
    pub expired: i64,
    /// What was taken back by a refund.
    pub reversed: i64,
}

/// An amount that goes from one role of a bucket to another. It balances by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The bucket.
    pub bucket: BucketId,
    /// Where it leaves.
    pub from: BucketRole,
    /// Where it arrives.
    pub to: BucketRole,
    /// How much; never below zero.
    pub amount: i64,
}

/// Why a move was not made. Each is a defect of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{account} would hold {balance}, which it may not")]
pub struct MoveError {
    /// The role that would leave its bounds.
    pub account: Account,
    /// What it would hold.
    pub balance: i64,
}

impl Holding {
    /// What is held in `role`.
    #[must_use]
    pub const fn of(&self, role: BucketRole) -> i64 {
        match role {
            BucketRole::Granted => self.granted,
            BucketRole::Left => self.left,
            BucketRole::Reserved => self.reserved,
            BucketRole::Used => self.used,
            BucketRole::Expired => self.expired,
            BucketRole::Reversed => self.reversed,
        }
    }

    /// Puts `balance` into `role`: for whoever reads holdings from where they are kept.
    pub const fn read(&mut self, role: BucketRole, balance: i64) {
        *self.role(role) = balance;
    }

    const fn role(&mut self, role: BucketRole) -> &mut i64 {
        match role {
            BucketRole::Granted => &mut self.granted,
            BucketRole::Left => &mut self.left,
            BucketRole::Reserved => &mut self.reserved,
            BucketRole::Used => &mut self.used,
            BucketRole::Expired => &mut self.expired,
            BucketRole::Reversed => &mut self.reversed,
        }
    }

    /// The holding after `what`.
    ///
    /// # Errors
    /// [`MoveError`] when a role would go below zero, or the amount is.
    pub fn after(mut self, what: &Move) -> Result<Self, MoveError> {
        for (role, amount) in [
            (what.from, what.amount.checked_neg()),
            (what.to, Some(what.amount)),
        ] {
            let account = Account::Bucket(what.bucket, role);
            let balance = self.of(role);
            let after = amount.and_then(|amount| balance.checked_add(amount));
            match after.filter(|after| account.may_hold(*after) && what.amount >= 0) {
                Some(after) => *self.role(role) = after,
                None => {
                    let balance = after.unwrap_or(balance);
                    return Err(MoveError { account, balance });
                }
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_keeps_the_sum_and_never_goes_below_zero() {
        let bucket = BucketId::from_parts(1, &[1; 10]);
        let holding = Holding {
            granted: -10,
            left: 7,
            used: 3,
            ..Holding::default()
        };
        let hold = |amount| Move {
            bucket,
            from: BucketRole::Left,
            to: BucketRole::Reserved,
            amount,
        };
        let after = holding.after(&hold(7)).unwrap();
        assert_eq!((after.left, after.reserved), (0, 7));
        let account = Account::Bucket(bucket, BucketRole::Left);
        let below = MoveError {
            account,
            balance: -1,
        };
        assert_eq!(holding.after(&hold(8)), Err(below));
        assert!(holding.after(&hold(-1)).is_err());
        assert!(holding.after(&hold(i64::MIN)).is_err());
    }
}
