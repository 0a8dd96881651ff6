//! Promotions: by code or automatic, in a window, limited, with a rule for stacking.

use simurgh_vocab::{Money, Period, Timestamp};

use crate::{LocalText, Prices, Tier};

/// What a promotion takes off the price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reduction {
    /// A share in basis points (1500 is 15 %).
    Share(u32),
    /// A fixed amount per currency; never more than the price.
    Amount(Prices),
}

/// A promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Its code. For a promotion by code this is what the customer types, in any case.
    pub code: String,
    /// Its name, as shown on the order and the bill.
    pub name: LocalText,
    /// Whether it applies without a code.
    pub automatic: bool,
    /// What it takes off.
    pub reduction: Reduction,
    /// When it may be used.
    pub window: Period,
    /// How often one customer may use it; no limit if none.
    pub limit_per_customer: Option<u32>,
    /// How often it may be used in all; no limit if none.
    pub limit_total: Option<u32>,
    /// Whether it may be combined with other promotions that stack.
    pub stacks: bool,
    /// The tiers it holds for; every plan and mix if empty. Add-ons are never reduced.
    pub tiers: Vec<Tier>,
    /// The least number of periods that must be bought.
    pub min_periods: u32,
    /// Whether it is for a customer's first purchase only.
    pub first_purchase_only: bool,
}

/// How often a promotion was used; orders awaiting payment count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionUse {
    /// The promotion's code.
    pub code: String,
    /// Uses by this customer.
    pub by_customer: u32,
    /// Uses in all.
    pub total: u32,
}

/// Why a promotion code is refused. Precedence as listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PromotionRefusal {
    /// No promotion has this code.
    #[error("no promotion has this code")]
    Unknown,
    /// It has not begun.
    #[error("the promotion has not begun")]
    NotYet,
    /// It is over.
    #[error("the promotion is over")]
    Over,
    /// It is not for this plan.
    #[error("the promotion is not for this plan")]
    NotForThisPlan,
    /// It needs a longer term.
    #[error("the promotion needs a longer term")]
    TermTooShort,
    /// It is for the first purchase only.
    #[error("the promotion is for a first purchase")]
    NotFirstPurchase,
    /// This customer has used it as often as allowed.
    #[error("the promotion was used already")]
    UsedByCustomer,
    /// It has been used as often as allowed in all.
    #[error("the promotion is used up")]
    UsedUp,
}

/// What a promotion is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) now: Timestamp,
    pub(crate) tier: Option<Tier>,
    pub(crate) periods: u32,
    pub(crate) first_purchase: bool,
    pub(crate) uses: &'a [PromotionUse],
}

impl Promotion {
    /// Whether it can be used up.
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.limit_per_customer.is_some() || self.limit_total.is_some() || self.first_purchase_only
    }

    /// Whether the promotion makes sense at all.
    pub(crate) fn is_sound(&self) -> bool {
        let reduces = match &self.reduction {
            Reduction::Share(basis_points) => (1..10_000).contains(basis_points),
            Reduction::Amount(prices) => {
                !prices.all().is_empty() && prices.all().iter().all(|price| price.minor > 0)
            }
        };
        reduces && self.window.start < self.window.end
    }

    pub(crate) fn admit(&self, occasion: &Occasion<'_>) -> Result<(), PromotionRefusal> {
        let used = occasion.uses.iter().find(|used| used.code == self.code);
        let (by_customer, total) = used.map_or((0, 0), |used| (used.by_customer, used.total));
        let tier_fits =
            self.tiers.is_empty() || occasion.tier.is_some_and(|tier| self.tiers.contains(&tier));
        if occasion.now < self.window.start {
            Err(PromotionRefusal::NotYet)
        } else if occasion.now >= self.window.end {
            Err(PromotionRefusal::Over)
        } else if !tier_fits {
            Err(PromotionRefusal::NotForThisPlan)
        } else if occasion.periods < self.min_periods {
            Err(PromotionRefusal::TermTooShort)
        } else if self.first_purchase_only && !occasion.first_purchase {
            Err(PromotionRefusal::NotFirstPurchase)
        } else if self
            .limit_per_customer
            .is_some_and(|limit| by_customer >= limit)
        {
            Err(PromotionRefusal::UsedByCustomer)
        } else if self.first_purchase_only && by_customer > 0 {
            // Another order may still become the first purchase.
            Err(PromotionRefusal::UsedByCustomer)
        } else if self.limit_total.is_some_and(|limit| total >= limit) {
            Err(PromotionRefusal::UsedUp)
        } else {
            Ok(())
        }
    }

    /// What it takes off `price`, as a positive amount; a fixed amount stops at one minor unit
    /// above nothing, so that an order is never free by accident.
    pub(crate) fn off(&self, price: Money) -> Option<Money> {
        let off = match &self.reduction {
            Reduction::Share(basis_points) => {
                price.portion(i64::from(*basis_points), 10_000).ok()?
            }
            Reduction::Amount(prices) => prices.in_currency(price.currency)?,
        };
        let most = price.minor.saturating_sub(1);
        Some(Money::new(off.minor.min(most).max(0), price.currency))
    }
}
