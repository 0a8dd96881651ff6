//! What use costs when money pays for it: rates by destination and zone, and what a use comes to.
//!
//! There is one rounding of money. The price of everything a session used at one rate is computed exactly
//! from its sum and rounded up, once, to whole minor units; a part of the use costs what that price grows
//! by ([`Meter`]). So the parts of a use, however it is cut, cost together what the whole costs.

use std::cmp::Reverse;

use simurgh_vocab::{Currency, Msisdn, Unit, ZoneCode};

/// Prices are given in millionths of a minor unit.
pub const MICROS_PER_MINOR: i64 = 1_000_000;

/// The largest amount of a rate, in millionths of a minor unit: no sum of [`Rate::price`] leaves 128 bits.
const MICROS_MAX: i64 = 1_000_000_000_000_000;
/// The largest step in units of the service (1 TiB of data), for the same reason.
const STEP_MAX: i64 = 1 << 40;
/// The digits of a number, at most. Source: `ITU-T E.164`.
const DIGITS_MAX: usize = 15;

/// The terms of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateTerms {
    /// The price of `per` units, in millionths of a minor unit.
    pub micros: i64,
    /// What `micros` is the price of: 60 for a price by the minute, `1_048_576` for one by the MiB.
    pub per: i64,
    /// The least that is charged once anything is used, in units.
    pub first_step: i64,
    /// What is charged at a time after that, in units: each step that was begun.
    pub step: i64,
    /// What is due once anything is used, in millionths of a minor unit, beside the price of the steps.
    pub set_up_micros: i64,
    /// The least that is due once anything is used, in minor units, the set-up fee included.
    pub minimum_minor: i64,
}

/// What units of one service cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    terms: RateTerms,
}

/// A rate or a list of prices makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// A step or the count of units that a price is for is below 1 or above 2^40.
    #[error("steps, and the units that a price is for, are between 1 and 2^40")]
    Step,
    /// An amount is below zero or above 10^15 millionths of a minor unit.
    #[error("prices and fees are between 0 and 1,000,000,000 minor units")]
    Amount,
    /// A prefix is not 0 to 15 digits of an international number without its `+`.
    #[error("not a prefix: up to 15 digits of an international number, without +")]
    Prefix,
    /// Data has no called number.
    #[error("prices of data have no prefix of a called number")]
    PrefixOfData,
    /// Two prices hold for the same service, zone and prefix.
    #[error("two prices for one service, zone and prefix")]
    Twice,
}

impl Rate {
    /// A rate.
    ///
    /// # Errors
    /// [`PriceError::Step`], [`PriceError::Amount`].
    pub fn new(terms: RateTerms) -> Result<Self, PriceError> {
        let steps = [terms.per, terms.first_step, terms.step];
        if !steps.iter().all(|step| (1..=STEP_MAX).contains(step)) {
            return Err(PriceError::Step);
        }
        let minimum = terms.minimum_minor.checked_mul(MICROS_PER_MINOR);
        let amounts = [Some(terms.micros), Some(terms.set_up_micros), minimum];
        let fits = |it: &Option<i64>| it.is_some_and(|it| (0..=MICROS_MAX).contains(&it));
        if !amounts.iter().all(fits) {
            return Err(PriceError::Amount);
        }
        Ok(Self { terms })
    }

    /// Its terms.
    #[must_use]
    pub const fn terms(&self) -> &RateTerms {
        &self.terms
    }

    /// The price of a whole use in minor units: the steps that were begun and the set-up fee, rounded up
    /// once, but at least the minimum. No use costs nothing. It never falls when the use grows, and stays
    /// at the largest number that there is.
    #[must_use]
    pub fn price(&self, used: i64) -> i64 {
        if used <= 0 {
            return 0;
        }
        let terms = &self.terms;
        let beyond = i128::from(used.saturating_sub(terms.first_step).max(0));
        let step = i128::from(terms.step);
        let charged = i128::from(terms.first_step) + divided_up(beyond, step) * step;
        // Millionths times `per`: nothing is divided before the one rounding.
        let per = i128::from(terms.per);
        let steps = charged * i128::from(terms.micros);
        let exact = steps + i128::from(terms.set_up_micros) * per;
        let minor = divided_up(exact, per * i128::from(MICROS_PER_MINOR));
        i64::try_from(minor)
            .unwrap_or(i64::MAX)
            .max(terms.minimum_minor)
    }
}

/// What a session used at one rate, to tell what more of it costs. A session has one for each service and
/// rate: where the rate changes (another place, another number) steps, fee and minimum begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meter {
    used: i64,
}

impl Meter {
    /// A meter that was written down.
    #[must_use]
    pub const fn at(used: i64) -> Self {
        Self {
            used: if used < 0 { 0 } else { used },
        }
    }

    /// What was used, in units.
    #[must_use]
    pub const fn used(self) -> i64 {
        self.used
    }

    /// What `more` units cost now, in minor units: nothing while a step that is paid for lasts.
    #[must_use]
    pub fn price(self, rate: &Rate, more: i64) -> i64 {
        rate.price(self.after(more).used) - rate.price(self.used)
    }

    /// The meter after `more` units.
    #[must_use]
    pub const fn after(self, more: i64) -> Self {
        let more = if more < 0 { 0 } else { more };
        Self {
            used: self.used.saturating_add(more),
        }
    }

    /// How many more units `minor` minor units pay for, at most `wish`: one more would cost more than
    /// that, or exceed the wish.
    #[must_use]
    pub fn buys(self, rate: &Rate, minor: i64, wish: i64) -> i64 {
        let wish = wish.max(0);
        if minor < 0 {
            return 0;
        }
        if self.price(rate, wish) <= minor {
            return wish;
        }
        // The price never falls when the use grows: what can be paid for is a range that begins with 0.
        let (mut paid, mut beyond) = (0, wish);
        while beyond - paid > 1 {
            let middle = paid + (beyond - paid) / 2;
            if self.price(rate, middle) <= minor {
                paid = middle;
            } else {
                beyond = middle;
            }
        }
        paid
    }
}

/// One line of a list of prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceLine {
    /// Which service.
    pub unit: Unit,
    /// Where the line must be.
    pub zone: ZoneCode,
    /// How the called number begins, digits without `+`; empty for every number, and for data.
    pub prefix: String,
    /// What it costs.
    pub rate: Rate,
}

/// The prices of a tariff, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceList {
    currency: Currency,
    /// Longest prefix first within a service and a zone.
    lines: Vec<PriceLine>,
}

impl PriceList {
    /// A list of prices.
    ///
    /// # Errors
    /// [`PriceError::Prefix`], [`PriceError::PrefixOfData`], [`PriceError::Twice`].
    pub fn new(currency: Currency, mut lines: Vec<PriceLine>) -> Result<Self, PriceError> {
        for line in &lines {
            let digits = line.prefix.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || line.prefix.len() > DIGITS_MAX || line.prefix.starts_with('0') {
                return Err(PriceError::Prefix);
            }
            if line.unit == Unit::Octets && !line.prefix.is_empty() {
                return Err(PriceError::PrefixOfData);
            }
        }
        lines.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut pairs = lines.iter().zip(lines.iter().skip(1));
        if pairs.any(|(a, b)| key(a) == key(b)) {
            return Err(PriceError::Twice);
        }
        Ok(Self { currency, lines })
    }

    /// The currency of its prices.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Its lines: by service, zone, then longest prefix first.
    #[must_use]
    pub fn lines(&self) -> &[PriceLine] {
        &self.lines
    }

    /// The rate of a service at a place, if money can pay for it there. `zones` are those that cover the
    /// place, the most specific first: a zone that has a price for the number goes before wider ones, and
    /// in a zone the longest prefix counts. Without a number in international form only prices for every
    /// number hold.
    #[must_use]
    pub fn rate(&self, unit: Unit, zones: &[ZoneCode], called: Option<&Msisdn>) -> Option<&Rate> {
        let called = called.map_or("", |number| number.as_str().trim_start_matches('+'));
        zones.iter().find_map(|zone| {
            let mut of_zone = self
                .lines
                .iter()
                .filter(|line| line.unit == unit && line.zone == *zone);
            of_zone
                .find(|line| called.starts_with(&line.prefix))
                .map(|line| &line.rate)
        })
    }
}

fn key(line: &PriceLine) -> (&'static str, &ZoneCode, Reverse<usize>, &str) {
    let length = Reverse(line.prefix.len());
    (line.unit.code(), &line.zone, length, &line.prefix)
}

/// `amount / by`, rounded up; neither is below zero, and `by` is not zero.
const fn divided_up(amount: i128, by: i128) -> i128 {
    (amount + by - 1) / by
}
