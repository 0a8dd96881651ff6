//! Money in integer minor units of an ISO 4217 currency.

use std::fmt;
use std::str::FromStr;

/// The currencies prices are kept in (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Currency {
    /// Renminbi, minor unit fen.
    Cny,
    /// Euro, minor unit cent.
    Eur,
    /// US dollar, minor unit cent.
    Usd,
}

impl Currency {
    /// Every currency, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Cny, Self::Eur, Self::Usd];

    /// The ISO 4217 alphabetic code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cny => "CNY",
            Self::Eur => "EUR",
            Self::Usd => "USD",
        }
    }

    /// How many decimal digits the minor unit stands for (the ISO 4217 exponent).
    #[must_use]
    pub const fn exponent(self) -> u32 {
        match self {
            Self::Cny | Self::Eur | Self::Usd => 2,
        }
    }

    /// The sign used in front of an amount.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Cny => "¥",
            Self::Eur => "€",
            Self::Usd => "$",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.code().eq_ignore_ascii_case(text))
            .ok_or(ParseMoneyError::UnknownCurrency)
    }
}

/// An amount of money. May be negative (a discount, a credit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount in minor units of `currency`.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// An operation on money was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies met.
    #[error("amounts of two currencies cannot be combined")]
    CurrencyMismatch,
    /// The result does not fit.
    #[error("the amount is too large")]
    Overflow,
}

/// A text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseMoneyError {
    /// Not a currency that is offered.
    #[error("unknown currency: CNY, EUR or USD is expected")]
    UnknownCurrency,
    /// Not a decimal number with at most the currency's digits.
    #[error("not an amount: digits with at most two decimals are expected")]
    BadAmount,
}

impl Money {
    /// An amount in minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// `self + other`.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self
            .minor
            .checked_add(other.minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// `self - other`.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the difference does not fit.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self
            .minor
            .checked_sub(other.minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// `self * count`.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn times(self, count: i64) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(count).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// `self * numerator / denominator`, rounded half away from zero.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`], also when `denominator` is not positive.
    pub fn portion(self, numerator: i64, denominator: i64) -> Result<Self, MoneyError> {
        if denominator <= 0 {
            return Err(MoneyError::Overflow);
        }
        let product = i128::from(self.minor) * i128::from(numerator);
        let divisor = i128::from(denominator);
        let half = if product < 0 {
            -divisor / 2
        } else {
            divisor / 2
        };
        let minor = i64::try_from((product + half) / divisor).map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Splits the amount into `parts` that differ by at most one minor unit and sum to it; the
    /// larger ones come first.
    #[must_use]
    pub fn split(self, parts: u32) -> Vec<Self> {
        let count = i64::from(parts.max(1));
        let (each, rest) = (self.minor.div_euclid(count), self.minor.rem_euclid(count));
        (0..count)
            .map(|index| Self {
                minor: each + i64::from(index < rest),
                ..self
            })
            .collect()
    }

    /// The tax inside a tax-inclusive amount: `gross * rate / (1 + rate)`, the rate in basis points
    /// (600 is 6 %), rounded half away from zero.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn included_tax(self, rate_basis_points: u32) -> Result<Self, MoneyError> {
        let rate = i64::from(rate_basis_points);
        self.portion(rate, 10_000 + rate)
    }

    /// Reads a decimal amount such as `39`, `39.9` or `39.90`.
    ///
    /// # Errors
    /// [`ParseMoneyError::BadAmount`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, ParseMoneyError> {
        let bad = ParseMoneyError::BadAmount;
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let exponent = usize::try_from(currency.exponent()).map_err(|_| bad)?;
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || !all_digits(whole)
            || !all_digits(fraction)
            || fraction.len() > exponent
        {
            return Err(bad);
        }
        let scaled: i64 = format!("{whole}{fraction:0<exponent$}")
            .parse()
            .map_err(|_| bad)?;
        Ok(Self {
            minor: sign * scaled,
            currency,
        })
    }

    /// The plain decimal amount without a currency, such as `39.90`.
    #[must_use]
    pub fn decimal(self) -> String {
        let scale = 10u64.pow(self.currency.exponent());
        let width = usize::try_from(self.currency.exponent()).unwrap_or(2);
        let (magnitude, sign) = (
            self.minor.unsigned_abs(),
            if self.minor < 0 { "-" } else { "" },
        );
        format!("{sign}{}.{:0width$}", magnitude / scale, magnitude % scale)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch)
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yuan(minor: i64) -> Money {
        Money::new(minor, Currency::Cny)
    }

    #[test]
    fn amounts_are_read_and_written_exactly() {
        for (text, minor) in [("39", 3900), ("39.9", 3990), ("0.07", 7), ("-1.50", -150)] {
            assert_eq!(Money::parse(text, Currency::Cny), Ok(yuan(minor)), "{text}");
        }
        assert_eq!(yuan(-7).decimal(), "-0.07");
        assert_eq!(yuan(3990).to_string(), "39.90 CNY");
        for text in [
            "",
            ".",
            "1.234",
            "1e3",
            " 1",
            "+1",
            "٣",
            "99999999999999999999",
        ] {
            assert_eq!(
                Money::parse(text, Currency::Cny),
                Err(ParseMoneyError::BadAmount),
                "{text}"
            );
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        assert_eq!(yuan(5).portion(1, 10), Ok(yuan(1)));
        assert_eq!(yuan(-5).portion(1, 10), Ok(yuan(-1)));
        assert_eq!(yuan(4).portion(1, 10), Ok(yuan(0)));
        assert_eq!(yuan(10_600).included_tax(600), Ok(yuan(600)));
    }

    #[test]
    fn a_split_loses_nothing() {
        for minor in [-7, 0, 1, 100, 9_999] {
            let parts = yuan(minor).split(12);
            assert_eq!(parts.iter().map(|part| part.minor).sum::<i64>(), minor);
        }
    }

    #[test]
    fn two_currencies_never_mix() {
        let dollars = Money::new(1, Currency::Usd);
        assert_eq!(yuan(1).plus(dollars), Err(MoneyError::CurrencyMismatch));
        assert_eq!(yuan(i64::MAX).plus(yuan(1)), Err(MoneyError::Overflow));
    }
}
