//! Subscriptions: one bought plan on a line.

use simurgh_ledger::{Account, Asset, BucketRole, Entry, EntryError, Posting, Source};
use simurgh_vocab::{
    Allowance, BucketId, Duration, LineId, Money, OrderId, Period, SubscriptionId, Timestamp, Unit,
    ZoneCode,
};

use crate::{Bucket, BucketBalance, BucketTerms, BucketWindow};

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionState {
    /// It waits for the first use of its line.
    AwaitingFirstUse {
        /// When it starts by itself.
        activate_by: Timestamp,
        /// How long each period lasts.
        validity: Duration,
        /// How many periods follow.
        periods: u32,
    },
    /// Its time is known: it is to come, running or over, as the period says.
    Scheduled {
        /// From its start to the end of its last period.
        period: Period,
    },
    /// It ended: what was left has expired, or a new plan took its place.
    Ended {
        /// When.
        at: Timestamp,
    },
    /// It was taken back with a refund.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

/// A bought plan on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// The line.
    pub line: LineId,
    /// The order that paid for it.
    pub order: OrderId,
    /// What was bought, in the catalogue's words.
    pub selection: String,
    /// The catalogue under which it was bought.
    pub catalogue_version: u32,
    /// Where it holds.
    pub zone: ZoneCode,
    /// Whether it only adds to another plan (extra data) and is no plan of its own.
    pub add_on: bool,
    /// Where it stands.
    pub state: SubscriptionState,
}

impl Subscription {
    /// When it ends or ended, if that is known.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        match self.state {
            SubscriptionState::AwaitingFirstUse { .. } => None,
            SubscriptionState::Scheduled { period } => Some(period.end),
            SubscriptionState::Ended { at } | SubscriptionState::Revoked { at } => Some(at),
        }
    }

    /// Whether it runs at `at`, or waits for first use.
    #[must_use]
    pub fn is_current(&self, at: Timestamp) -> bool {
        match self.state {
            SubscriptionState::AwaitingFirstUse { .. } => true,
            SubscriptionState::Scheduled { period } => period.contains(at),
            SubscriptionState::Ended { .. } | SubscriptionState::Revoked { .. } => false,
        }
    }

    /// Whether it has not ended: it waits, is to come or runs.
    #[must_use]
    pub fn is_alive(&self, at: Timestamp) -> bool {
        match self.state {
            SubscriptionState::AwaitingFirstUse { .. } => true,
            SubscriptionState::Scheduled { period } => at < period.end,
            SubscriptionState::Ended { .. } | SubscriptionState::Revoked { .. } => false,
        }
    }
}

/// When a grant may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issue {
    /// In these periods, one set of buckets each.
    Periods(Vec<Period>),
    /// From first use.
    OnFirstUse {
        /// When it starts by itself.
        activate_by: Timestamp,
        /// How many periods follow.
        periods: u32,
        /// How long each lasts.
        validity: Duration,
    },
}

/// A part of a grant that pays for some rating groups only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedicated {
    /// What it counts.
    pub unit: Unit,
    /// How much each period gives, in the unit.
    pub amount: i64,
    /// What it pays for, and in which turn.
    pub terms: BucketTerms,
}

/// What is to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRequest {
    /// The subscription without its state, which the grant decides.
    pub subscription: SubscriptionId,
    /// The line.
    pub line: LineId,
    /// The order that paid.
    pub order: OrderId,
    /// Where it may be used.
    pub zone: ZoneCode,
    /// What each period gives. A plan that was extended gives `sets` times as much in one period.
    pub allowance: Allowance,
    /// What each period gives beside it for some rating groups only.
    pub dedicated: Vec<Dedicated>,
    /// Money that each period gives, to pay for what no allowance covers.
    pub credit: Option<Money>,
    /// How many allowances one period holds (more than 1 when a running plan is extended).
    pub sets: u32,
    /// When.
    pub issue: Issue,
}

/// A grant: the buckets to store and the entry that fills them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The buckets.
    pub buckets: Vec<Bucket>,
    /// Fills them. Its source is the order, so that an order is granted once.
    pub entry: Entry,
    /// The state of the new subscription.
    pub state: SubscriptionState,
}

/// Grants an allowance. `next_id` makes the buckets' ids.
///
/// # Errors
/// [`EntryError`] when the allowance is empty or too large.
pub fn grant(
    request: &GrantRequest,
    mut next_id: impl FnMut() -> BucketId,
) -> Result<Grant, EntryError> {
    let (windows, state) = opening(&request.issue)?;
    let mut buckets = Vec::new();
    for window in windows {
        let units = Unit::ALL.map(|unit| (Asset::Service(unit), request.allowance.of(unit)));
        let credit = request
            .credit
            .map(|credit| (Asset::Money(credit.currency), credit.minor));
        let general = units.into_iter().chain(credit);
        let general = general.map(|(asset, amount)| (asset, amount, BucketTerms::default()));
        let dedicated = request.dedicated.iter();
        let dedicated = dedicated.map(|it| (Asset::Service(it.unit), it.amount, it.terms.clone()));
        for (asset, amount, terms) in general.chain(dedicated) {
            let granted = amount.checked_mul(i64::from(request.sets));
            let granted = granted.ok_or(EntryError::Overflow)?;
            if granted > 0 {
                buckets.push(Bucket {
                    id: next_id(),
                    line: request.line,
                    subscription: request.subscription,
                    asset,
                    zone: request.zone.clone(),
                    window,
                    granted,
                    terms,
                    closed: false,
                });
            }
        }
    }
    let postings = buckets
        .iter()
        .flat_map(|bucket| {
            transfer(
                bucket,
                BucketRole::Granted,
                BucketRole::Left,
                bucket.granted,
            )
        })
        .collect();
    let entry = Entry::new(Source::new("grant", request.order), postings)?;
    Ok(Grant {
        buckets,
        entry,
        state,
    })
}

/// The windows of the buckets and the state of a new subscription.
fn opening(issue: &Issue) -> Result<(Vec<BucketWindow>, SubscriptionState), EntryError> {
    Ok(match issue {
        Issue::Periods(periods) => {
            let (first, last) = match (periods.first(), periods.last()) {
                (Some(first), Some(last)) => (first, last),
                _ => return Err(EntryError::Empty),
            };
            let period = Period {
                start: first.start,
                end: last.end,
            };
            let windows = periods.iter().copied().map(BucketWindow::Fixed).collect();
            (windows, SubscriptionState::Scheduled { period })
        }
        Issue::OnFirstUse {
            activate_by,
            periods,
            validity,
        } => (
            (0..*periods)
                .map(|position| BucketWindow::OnFirstUse { position })
                .collect(),
            SubscriptionState::AwaitingFirstUse {
                activate_by: *activate_by,
                validity: *validity,
                periods: *periods,
            },
        ),
    })
}

/// Starts a subscription that waited for first use: its buckets get their periods.
/// Gives back the new state, or none if it did not wait.
pub fn activate(
    subscription: &Subscription,
    buckets: &mut [Bucket],
    now: Timestamp,
) -> Option<SubscriptionState> {
    let SubscriptionState::AwaitingFirstUse {
        validity, periods, ..
    } = subscription.state
    else {
        return None;
    };
    for bucket in buckets
        .iter_mut()
        .filter(|bucket| bucket.subscription == subscription.id)
    {
        if let BucketWindow::OnFirstUse { position } = bucket.window {
            let start = now.plus(validity.times(position));
            bucket.window = BucketWindow::Fixed(Period {
                start,
                end: start.plus(validity),
            });
        }
    }
    let period = Period {
        start: now,
        end: now.plus(validity.times(periods)),
    };
    Some(SubscriptionState::Scheduled { period })
}

/// Books what is left of buckets whose end has come. None if nothing is to be booked.
///
/// # Errors
/// [`EntryError::Overflow`].
pub fn expire(
    balances: &[BucketBalance],
    now: Timestamp,
    source: &str,
) -> Result<Option<Entry>, EntryError> {
    let over = balances
        .iter()
        .filter(|balance| !balance.bucket.closed)
        .filter(|balance| balance.bucket.ends_at().is_some_and(|end| end <= now));
    take(over, BucketRole::Expired, Source::new("expiry", source))
}

/// Ends a plan early because another takes its place: books all that is left as expired.
///
/// # Errors
/// [`EntryError::Overflow`].
pub fn supersede(balances: &[BucketBalance], source: &str) -> Result<Option<Entry>, EntryError> {
    let open = balances.iter().filter(|balance| !balance.bucket.closed);
    take(open, BucketRole::Expired, Source::new("supersede", source))
}

/// Takes back a grant that was not used. None if any of it was used, is in use or has ended:
/// then there is nothing that could be returned whole.
///
/// # Errors
/// [`EntryError::Overflow`].
pub fn revoke(balances: &[BucketBalance], order: OrderId) -> Result<Option<Entry>, EntryError> {
    let untouched = |balance: &BucketBalance| {
        balance.holding.left == balance.bucket.granted && !balance.bucket.closed
    };
    if balances.is_empty() || !balances.iter().all(untouched) {
        return Ok(None);
    }
    take(
        balances.iter(),
        BucketRole::Reversed,
        Source::new("revoke", order),
    )
}

fn take<'a>(
    balances: impl Iterator<Item = &'a BucketBalance>,
    role: BucketRole,
    source: Source,
) -> Result<Option<Entry>, EntryError> {
    let postings: Vec<_> = balances
        .flat_map(|balance| {
            transfer(
                &balance.bucket,
                BucketRole::Left,
                role,
                balance.holding.left,
            )
        })
        .collect();
    match Entry::new(source, postings) {
        Ok(entry) => Ok(Some(entry)),
        Err(EntryError::Empty) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn transfer(
    bucket: &Bucket,
    from: BucketRole,
    to: BucketRole,
    amount: i64,
) -> [Posting; 2] {
    let posting = |role, amount| Posting {
        account: Account::Bucket(bucket.id, role),
        asset: bucket.asset,
        amount,
    };
    [posting(from, -amount), posting(to, amount)]
}
