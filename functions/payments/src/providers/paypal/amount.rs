//! Amounts as PayPal writes them: decimal texts, whole in three currencies
//! (<https://developer.paypal.com/reference/currency-codes/>).

use aftercart::model::money::{Currency, Money, MoneyError};
use serde::Deserialize;

use crate::providers::{CallError, Unreadable};

/// The currencies that PayPal takes; of these CNY, BRL and MYR only inside
/// their country.
pub(super) const CURRENCIES: &[&str] = &[
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY",
    "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
];

/// Those without decimals at PayPal, whatever ISO 4217 says.
const WHOLE: [&str; 3] = ["HUF", "JPY", "TWD"];

/// How many minor units of ISO 4217 make the whole units of a currency that
/// PayPal writes without decimals.
fn whole(currency: Currency) -> Option<i64> {
    let units = if currency.exponent() == 0 { 1 } else { 100 };
    WHOLE.contains(&currency.code()).then_some(units)
}

/// An amount as PayPal's API writes it.
#[derive(Debug, Deserialize)]
pub(super) struct Amount {
    currency_code: String,
    value: String,
}

impl Amount {
    /// The amount.
    pub(super) fn money(&self) -> Result<Money, Unreadable> {
        let read = |code: &str| -> Result<Money, MoneyError> {
            Money::from_decimal(&self.value, Currency::parse(code)?)
        };
        read(&self.currency_code).map_err(|error| Unreadable::Value(error.to_string()))
    }
}

/// The amount as PayPal's API takes it. Nothing is rounded.
pub(super) fn to_paypal(amount: Money) -> Result<String, CallError> {
    let (currency, minor) = (amount.currency(), amount.minor());
    let refused = |why: &str| Err(CallError::Amount(why.to_owned()));
    if !CURRENCIES.contains(&currency.code()) {
        return refused("PayPal does not take the currency");
    }
    if minor <= 0 {
        return refused("it must be more than nothing");
    }
    match whole(currency) {
        Some(units) if minor % units == 0 => Ok((minor / units).to_string()),
        Some(_) => refused("PayPal takes whole units of the currency"),
        None => Ok(format!("{}.{:02}", minor / 100, minor % 100)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    fn read(value: &str, code: &str) -> Result<Money, Unreadable> {
        Amount { currency_code: code.to_owned(), value: value.to_owned() }.money()
    }

    #[test]
    fn amounts_are_exact() {
        for (minor, code, text) in [
            (1, "EUR", "0.01"),
            (1250, "GBP", "12.50"),
            (100_000, "USD", "1000.00"),
            (500, "JPY", "500"),
            (50_000, "HUF", "500"),
            (120_000, "TWD", "1200"),
        ] {
            assert_eq!(to_paypal(money(minor, code)), Ok(text.to_owned()), "{code}");
            assert_eq!(read(text, code), Ok(money(minor, code)), "{code}");
        }
        assert_eq!(read("500.00", "HUF"), Ok(money(50_000, "HUF")));
        for (minor, code) in [(50_001, "HUF"), (1, "TWD"), (0, "EUR"), (-1, "EUR"), (1, "KWD")] {
            assert!(matches!(to_paypal(money(minor, code)), Err(CallError::Amount(_))), "{code}");
        }
        for (value, code) in [("1.001", "EUR"), ("1.5", "JPY"), ("x", "EUR"), ("1", "eur")] {
            assert!(matches!(read(value, code), Err(Unreadable::Value(_))), "{value} {code}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_comes_back(
            minor in 1..=999_999_999_999_i64,
            code in prop::sample::select(CURRENCIES.to_vec()),
        ) {
            let asked = money(minor, code);
            if let Ok(text) = to_paypal(asked) {
                prop_assert_eq!(read(&text, code), Ok(asked));
            }
        }
    }
}
