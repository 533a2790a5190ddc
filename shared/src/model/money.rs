//! Money: whole minor units of a currency. No floats, no silent rounding.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest amount, in minor units: ten digits before the two decimals of
/// most currencies. Larger than any order, and far enough from `i64::MAX` that
/// a sum of [`crate::model::order::MAX_LINES`] of them cannot overflow.
pub const MAX_MINOR: i64 = 999_999_999_999;

/// A currency of ISO 4217 that has minor units, such as `EUR`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency of an alphabetic code, in capitals.
    ///
    /// # Errors
    /// When ISO 4217 does not list it, or gives it no minor unit (gold, the
    /// testing code and the like): nobody pays with it.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or(MoneyError::Currency)
    }

    /// The alphabetic code, such as `EUR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals the minor unit has: 0 for `JPY`, 2 for `EUR`, 3 for `KWD`.
    #[must_use]
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// Why a calculation with money has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency one can pay with.
    #[error("the currency is not an ISO 4217 code in capitals, such as EUR")]
    Currency,
    /// Two currencies in one sum.
    #[error("amounts of different currencies cannot be added")]
    Mixed,
    /// Outside plus or minus [`MAX_MINOR`].
    #[error("the amount is too large")]
    Overflow,
    /// Not a decimal number, or more decimals than the currency has.
    #[error("the amount is not a decimal number of the currency's precision")]
    Precision,
    /// A share over weights that are negative or all zero.
    #[error("an amount cannot be shared by these weights")]
    Weights,
}

/// An amount in minor units (cents of `EUR`, whole yen of `JPY`) and its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Parts", deny_unknown_fields)]
pub struct Money {
    /// Minor units.
    amount: i64,
    /// ISO 4217.
    currency: Currency,
}

/// An amount in minor units and its currency.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// Minor units.
    amount: i64,
    /// ISO 4217.
    currency: Currency,
}

impl TryFrom<Parts> for Money {
    type Error = MoneyError;
    fn try_from(parts: Parts) -> Result<Self, MoneyError> {
        Self::new(parts.amount, parts.currency)
    }
}

impl Money {
    /// So many minor units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] outside plus or minus [`MAX_MINOR`].
    pub fn new(amount: i64, currency: Currency) -> Result<Self, MoneyError> {
        if amount.unsigned_abs() > MAX_MINOR.unsigned_abs() {
            return Err(MoneyError::Overflow);
        }
        Ok(Self { amount, currency })
    }

    /// Nothing, in the currency.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }

    /// Reads a decimal such as `12.34`, as many providers write amounts. More
    /// decimals than the currency has are refused, not rounded, unless they
    /// are zeros.
    ///
    /// # Errors
    /// [`MoneyError::Precision`] or [`MoneyError::Overflow`].
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(MoneyError::Precision);
        }
        let places = currency.exponent() as usize;
        let kept = fraction.get(..places.min(fraction.len())).unwrap_or("");
        if fraction.bytes().skip(places).any(|b| b != b'0') {
            return Err(MoneyError::Precision);
        }
        let minor: i64 =
            format!("{whole}{kept:0<places$}").parse().map_err(|_| MoneyError::Overflow)?;
        Self::new(if negative { -minor } else { minor }, currency)
    }

    /// The amount in minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] or [`MoneyError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed);
        }
        let sum = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Self::new(sum, self.currency)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] or [`MoneyError::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(Self { amount: -other.amount, currency: other.currency })
    }

    /// The amount so many times.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn times(self, count: u32) -> Result<Self, MoneyError> {
        let product = self.amount.checked_mul(i64::from(count)).ok_or(MoneyError::Overflow)?;
        Self::new(product, self.currency)
    }

    /// Shares the amount in proportion to the weights, by the largest
    /// remainder: every share is the exact proportion rounded down, and the
    /// units left over go one each to the largest remainders, the earlier
    /// share first among equals. The shares sum to the amount.
    ///
    /// # Errors
    /// [`MoneyError::Weights`] when a weight is negative or none is positive.
    pub fn split(self, weights: &[i64]) -> Result<Vec<Self>, MoneyError> {
        if weights.iter().any(|weight| *weight < 0) {
            return Err(MoneyError::Weights);
        }
        let total: i128 = weights.iter().copied().map(i128::from).sum();
        if total == 0 {
            return Err(MoneyError::Weights);
        }
        let sign = self.amount.signum();
        let amount = i128::from(self.amount.unsigned_abs());
        let mut shares = Vec::with_capacity(weights.len());
        for weight in weights {
            let exact = amount * i128::from(*weight);
            let floor = i64::try_from(exact / total).map_err(|_| MoneyError::Overflow)?;
            shares.push((floor, exact % total));
        }
        let mut left = self.amount.abs() - shares.iter().map(|(floor, _)| floor).sum::<i64>();
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(shares.get(*i).map_or(0, |share| share.1)));
        for i in order {
            if left == 0 {
                break;
            }
            if let Some(share) = shares.get_mut(i) {
                share.0 += 1;
                left -= 1;
            }
        }
        shares.into_iter().map(|(share, _)| Self::new(sign * share, self.currency)).collect()
    }
}

/// `12.34 EUR`, `500 JPY`, `1.250 KWD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.currency.exponent() as usize;
        let sign = if self.amount < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.amount.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let point = if places == 0 { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction} {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount: i64, code: &str) -> Money {
        Money::new(amount, Currency::parse(code).unwrap()).unwrap()
    }

    #[test]
    fn decimals_follow_the_currency() {
        for (text, code, minor) in [
            ("12.34", "EUR", Ok(1234)),
            ("12", "EUR", Ok(1200)),
            ("12.5", "EUR", Ok(1250)),
            ("-0.01", "EUR", Ok(-1)),
            ("500", "JPY", Ok(500)),
            ("500.00", "JPY", Ok(500)),
            ("1.250", "KWD", Ok(1250)),
            ("12.345", "EUR", Err(MoneyError::Precision)),
            ("12.", "EUR", Ok(1200)),
            (".5", "EUR", Err(MoneyError::Precision)),
            ("1e3", "EUR", Err(MoneyError::Precision)),
            ("--1", "EUR", Err(MoneyError::Precision)),
            ("99999999999999999999", "EUR", Err(MoneyError::Overflow)),
        ] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!(
                Money::from_decimal(text, currency).map(Money::minor),
                minor,
                "{text} {code}"
            );
        }
    }

    #[test]
    fn money_is_written_with_its_decimals() {
        for (amount, code, text) in [
            (1234, "EUR", "12.34 EUR"),
            (-5, "EUR", "-0.05 EUR"),
            (500, "JPY", "500 JPY"),
            (1, "KWD", "0.001 KWD"),
        ] {
            assert_eq!(money(amount, code).to_string(), text);
        }
    }

    #[test]
    fn sums_are_checked() {
        assert_eq!(money(1, "EUR").plus(money(1, "USD")), Err(MoneyError::Mixed));
        assert_eq!(money(MAX_MINOR, "EUR").plus(money(1, "EUR")), Err(MoneyError::Overflow));
        assert_eq!(money(MAX_MINOR, "EUR").times(2), Err(MoneyError::Overflow));
        assert_eq!(Currency::parse("XAU"), Err(MoneyError::Currency));
        assert_eq!(Currency::parse("eur"), Err(MoneyError::Currency));
    }

    proptest! {
        #[test]
        fn shares_sum_and_differ_from_the_proportion_by_less_than_a_unit(
            amount in -MAX_MINOR..=MAX_MINOR,
            weights in prop::collection::vec(0_i64..1_000_000, 1..20),
        ) {
            prop_assume!(weights.iter().sum::<i64>() > 0);
            let whole = money(amount, "EUR");
            let shares = whole.split(&weights).unwrap();
            prop_assert_eq!(shares.iter().map(|share| share.minor()).sum::<i64>(), amount);
            let total: i128 = weights.iter().copied().map(i128::from).sum();
            for (share, weight) in shares.iter().zip(&weights) {
                let gap = i128::from(share.minor()) * total - i128::from(amount) * i128::from(*weight);
                prop_assert!(gap.abs() < total);
            }
        }

        #[test]
        fn a_written_amount_reads_back(amount in -MAX_MINOR..=MAX_MINOR, code in prop::sample::select(vec!["EUR", "JPY", "KWD"])) {
            let written = money(amount, code).to_string();
            let (number, code) = written.split_once(' ').unwrap();
            prop_assert_eq!(Money::from_decimal(number, Currency::parse(code).unwrap()), Ok(money(amount, code)));
        }
    }
}
