//! Amounts in the units of Adyen's API, which differ from the minor units of
//! ISO 4217 for CLP, CVE, IDR and ISK
//! (<https://docs.adyen.com/development-resources/currency-codes>).

use aftercart::model::money::{Currency, Money};

/// How Adyen's units of a currency follow from its minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// The same.
    Same,
    /// A minor unit is a hundred of Adyen's.
    Hundredfold,
    /// A hundred minor units are one of Adyen's.
    Hundredth,
}

/// Why an amount has no counterpart on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// A currency that is unknown, or that Adyen does not take.
    #[error("Adyen does not take this currency")]
    Currency,
    /// Finer than the other side writes it.
    #[error("Adyen does not take amounts of this currency that are so fine")]
    Precision,
    /// Beyond what can be written.
    #[error("the amount is too large")]
    Overflow,
}

fn scale(currency: Currency) -> Result<Scale, AmountError> {
    match currency.code() {
        "CLP" | "ISK" => Ok(Scale::Hundredfold),
        "CVE" | "IDR" => Ok(Scale::Hundredth),
        // Units of account, in which nobody pays.
        "CLF" | "UYI" | "UYW" => Err(AmountError::Currency),
        _ if matches!(currency.exponent(), 0 | 2 | 3) => Ok(Scale::Same),
        _ => Err(AmountError::Currency),
    }
}

/// The amount as Adyen's API takes it.
///
/// # Errors
/// [`AmountError`]; nothing is rounded.
pub fn to_adyen(money: Money) -> Result<i64, AmountError> {
    let minor = money.minor();
    match scale(money.currency())? {
        Scale::Same => Ok(minor),
        Scale::Hundredfold => minor.checked_mul(100).ok_or(AmountError::Overflow),
        Scale::Hundredth if minor % 100 == 0 => Ok(minor / 100),
        Scale::Hundredth => Err(AmountError::Precision),
    }
}

/// The amount that Adyen reports.
///
/// # Errors
/// [`AmountError`]; nothing is rounded.
pub fn from_adyen(units: i64, currency: &str) -> Result<Money, AmountError> {
    let currency = Currency::parse(currency).map_err(|_| AmountError::Currency)?;
    let minor = match scale(currency)? {
        Scale::Same => units,
        Scale::Hundredfold if units % 100 == 0 => units / 100,
        Scale::Hundredfold => return Err(AmountError::Precision),
        Scale::Hundredth => units.checked_mul(100).ok_or(AmountError::Overflow)?,
    };
    Money::new(minor, currency).map_err(|_| AmountError::Overflow)
}

#[cfg(test)]
mod tests {
    use aftercart::model::money::MAX_MINOR;
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    #[test]
    fn amounts_are_those_of_adyens_documents() {
        for (minor, code, units) in [
            (1000, "GBP", 1000),
            (10, "JPY", 10),
            (10_000, "BHD", 10_000),
            (5124, "KWD", 5124),
            (10, "CLP", 1000),
            (10, "ISK", 1000),
            (1000, "CVE", 10),
            (1_500_000, "IDR", 15_000),
            (1045, "HUF", 1045),
            (80_045, "TWD", 80_045),
            (5, "UGX", 5),
            (7, "KRW", 7),
            (9, "VND", 9),
            (0, "EUR", 0),
        ] {
            assert_eq!(to_adyen(money(minor, code)), Ok(units), "{code}");
            assert_eq!(from_adyen(units, code), Ok(money(minor, code)), "{code}");
        }
    }

    #[test]
    fn what_adyen_cannot_write_is_refused() {
        for (minor, code, error) in [
            (1, "IDR", AmountError::Precision),
            (150, "CVE", AmountError::Precision),
            (1, "CLF", AmountError::Currency),
            (1, "UYI", AmountError::Currency),
        ] {
            assert_eq!(to_adyen(money(minor, code)), Err(error), "{code}");
        }
        for (units, code, error) in [
            (1050, "ISK", AmountError::Precision),
            (1, "CLP", AmountError::Precision),
            (1, "ZZZ", AmountError::Currency),
            (1, "eur", AmountError::Currency),
            (i64::MAX, "EUR", AmountError::Overflow),
            (i64::MAX, "IDR", AmountError::Overflow),
        ] {
            assert_eq!(from_adyen(units, code), Err(error), "{code}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_comes_back(
            minor in 0..=MAX_MINOR,
            code in prop::sample::select(vec!["EUR", "JPY", "ISK", "CLP", "CVE", "IDR", "KWD"]),
        ) {
            let asked = money(minor, code);
            if let Ok(units) = to_adyen(asked) {
                prop_assert_eq!(from_adyen(units, code), Ok(asked));
            }
        }
    }
}
