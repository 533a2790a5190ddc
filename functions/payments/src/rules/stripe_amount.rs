//! Amounts in the units of Stripe's API, which differ from the minor units of
//! ISO 4217 for some currencies (<https://docs.stripe.com/currencies>).

use aftercart::model::money::{Currency, Money};

/// How Stripe's units of a currency follow from its minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// The same.
    Same,
    /// A minor unit is a hundred of Stripe's: the currency lost its decimals,
    /// and Stripe goes on writing two, which must be zeros.
    Hundredfold,
    /// A hundred minor units are one of Stripe's: the currency has decimals
    /// on paper only.
    Hundredth,
    /// The same, and the last of the three decimals must be a zero.
    Tens,
}

/// Why an amount has no counterpart on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// A currency that is unknown, or that Stripe does not take.
    #[error("Stripe does not take this currency")]
    Currency,
    /// Finer than the other side writes it.
    #[error("Stripe does not take amounts of this currency that are so fine")]
    Precision,
    /// Beyond what can be written.
    #[error("the amount is too large")]
    Overflow,
}

/// Currencies without decimals, in ISO 4217 and at Stripe.
const WHOLE: [&str; 14] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "VND", "VUV", "XAF", "XOF",
    "XPF",
];

/// HUF and TWD need no line: charges take their two decimals as they are, only
/// payouts, which the suite does not make, must be whole.
fn scale(currency: Currency) -> Result<Scale, AmountError> {
    match currency.code() {
        "ISK" | "UGX" => Ok(Scale::Hundredfold),
        "MGA" => Ok(Scale::Hundredth),
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => Ok(Scale::Tens),
        code if WHOLE.contains(&code) => Ok(Scale::Same),
        _ if currency.exponent() == 2 => Ok(Scale::Same),
        _ => Err(AmountError::Currency),
    }
}

/// The amount as Stripe's API takes it.
///
/// # Errors
/// [`AmountError`]; nothing is rounded.
pub fn to_stripe(money: Money) -> Result<i64, AmountError> {
    let minor = money.minor();
    match scale(money.currency())? {
        Scale::Same => Ok(minor),
        Scale::Hundredfold => minor.checked_mul(100).ok_or(AmountError::Overflow),
        Scale::Hundredth if minor % 100 == 0 => Ok(minor / 100),
        Scale::Tens if minor % 10 == 0 => Ok(minor),
        Scale::Hundredth | Scale::Tens => Err(AmountError::Precision),
    }
}

/// The amount that Stripe's API reports, with its currency in small letters.
/// What Stripe took is believed, also where it takes less when asked.
///
/// # Errors
/// [`AmountError`]; nothing is rounded.
pub fn from_stripe(units: i64, currency: &str) -> Result<Money, AmountError> {
    let currency =
        Currency::parse(&currency.to_ascii_uppercase()).map_err(|_| AmountError::Currency)?;
    let minor = match scale(currency)? {
        Scale::Same | Scale::Tens => units,
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
    fn amounts_are_those_of_stripes_documents() {
        for (minor, code, units) in [
            (1000, "USD", 1000),
            (500, "JPY", 500),
            (7, "CLP", 7),
            (9, "KRW", 9),
            (1_500_000, "IDR", 1_500_000),
            (0, "EUR", 0),
            (5, "ISK", 500),
            (5, "UGX", 500),
            (1045, "HUF", 1045),
            (80_045, "TWD", 80_045),
            (500, "MGA", 5),
            (5120, "KWD", 5120),
        ] {
            assert_eq!(to_stripe(money(minor, code)), Ok(units), "{code}");
            assert_eq!(from_stripe(units, &code.to_lowercase()), Ok(money(minor, code)), "{code}");
        }
    }

    #[test]
    fn what_stripe_cannot_write_is_refused() {
        for (minor, code, error) in [
            (5124, "KWD", AmountError::Precision),
            (501, "MGA", AmountError::Precision),
            (1, "CLF", AmountError::Currency),
            (1, "UYI", AmountError::Currency),
            (1, "LYD", AmountError::Currency),
        ] {
            assert_eq!(to_stripe(money(minor, code)), Err(error), "{code}");
        }
        for (units, code, error) in [
            (550, "isk", AmountError::Precision),
            (1, "zzz", AmountError::Currency),
            (i64::MAX, "eur", AmountError::Overflow),
            (i64::MAX, "mga", AmountError::Overflow),
        ] {
            assert_eq!(from_stripe(units, code), Err(error), "{code}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_comes_back(
            minor in 0..=MAX_MINOR,
            code in prop::sample::select(vec!["EUR", "JPY", "ISK", "UGX", "HUF", "TWD", "MGA", "KWD"]),
        ) {
            let asked = money(minor, code);
            if let Ok(units) = to_stripe(asked) {
                prop_assert_eq!(from_stripe(units, &code.to_lowercase()), Ok(asked));
            }
        }
    }
}
