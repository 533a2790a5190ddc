//! Exchange rates: what an order costs in another currency than its own, in
//! one versioned document that the merchant's treasury replaces as often as it
//! likes. The default is `shared/policy/exchange.json`, which has no rates.
//!
//! A rate says how many units of the second currency one unit of the first
//! costs: of whole units, such as pounds and euros, not of pence and cents. It
//! is a decimal, read exactly, and nothing is calculated in floating point:
//!
//! `charge = amount × rate × (10,000 + margin) / 10,000`
//!
//! in minor units of both, **rounded up to a whole minor unit of the currency
//! that is charged**: the shop never gets less than its rate and margin say,
//! and the buyer never pays a whole minor unit more.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    money::{Currency, Money, MoneyError},
    text::Text,
    time::{Period, Timestamp},
};

/// The default document.
const DEFAULT: &str = include_str!("../../policy/exchange.json");

/// How many decimals a rate may have. One Vietnamese dong is some 0.000012
/// Kuwaiti dinars, and a rate has six digits that count.
const PLACES: usize = 12;

/// How many digits a rate may have before the point: a Kuwaiti dinar is some
/// 300,000 Lebanese pounds, which is about the largest of today.
const WHOLE_DIGITS: usize = 6;

/// One, as a rate.
const ONE: i128 = 1_000_000_000_000;

/// The whole, in basis points.
const WHOLE_BP: u32 = 10_000;

/// The largest margin, in basis points: a fifth. Card networks take up to 4 %;
/// more than this is a typing error.
const MAX_MARGIN: u32 = 2_000;

/// The longest that a quote stays good: the shop bears what the market does
/// meanwhile.
const MAX_VALID: Period = Period::of_days(1);

/// The oldest rates that may be quoted: over a long weekend markets are closed.
const MAX_AGE: Period = Period::of_days(7);

/// The most currencies that an order is quoted in: buyers are shown all of them.
const MAX_TARGETS: usize = 20;

/// The most currencies of orders; there are some 160.
const MAX_SOURCES: usize = 200;

/// The whole document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRates {
    /// Names this edition.
    pub version: Text<40>,
    /// When the market had these rates.
    pub at: Timestamp,
    /// For how long a buyer may start a payment at a rate that was quoted.
    pub valid: Period,
    /// What the shop adds for its risk, in basis points.
    #[serde(default)]
    pub margin_bp: u32,
    /// So long after `at` nothing is quoted any more.
    pub max_age: Period,
    /// By the currency of the order: what one unit of it costs in others.
    /// Nothing is derived from a rate the other way round.
    pub rates: BTreeMap<Currency, BTreeMap<Currency, Rate>>,
}

/// What one unit of a currency costs in another: a decimal of up to six
/// digits and twelve decimals, more than nothing. Written without zeros at its
/// end, such as `1.165`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Rate(i64);

/// Why a text is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a decimal above 0 with up to 6 digits and 12 decimals, such as \"1.1650\"")]
pub struct RateError;

/// What an amount costs in another currency, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoted {
    /// What is charged.
    pub charge: Money,
    /// At which rate.
    pub rate: Rate,
    /// When the market had it.
    pub rate_at: Timestamp,
    /// What was added, in basis points.
    pub margin_bp: u32,
    /// Until when a payment may be started at it: a whole second.
    pub until: Timestamp,
}

/// Why a document is no table of rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeRatesError {
    /// Not JSON, an unknown or missing field, or a value of the wrong form.
    #[error("the exchange rates are malformed at `{path}`: {reason}")]
    Malformed {
        /// Where in the document.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// A value that makes no sense.
    #[error("the exchange rates' `{path}` {remedy}")]
    Nonsense {
        /// Where in the document.
        path: String,
        /// What it has to be.
        remedy: String,
    },
}

impl ExchangeRates {
    /// Reads a document.
    ///
    /// # Errors
    /// [`ExchangeRatesError`] names the place and what it has to be.
    pub fn parse(document: &str) -> Result<Self, ExchangeRatesError> {
        let mut json = serde_json::Deserializer::from_str(document);
        let rates: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            ExchangeRatesError::Malformed {
                path: error.path().to_string(),
                reason: error.inner().to_string(),
            }
        })?;
        json.end().map_err(|error| ExchangeRatesError::Malformed {
            path: ".".to_owned(),
            reason: error.to_string(),
        })?;
        rates.check()?;
        Ok(rates)
    }

    /// The rates that apply until the merchant sets others: none.
    ///
    /// # Errors
    /// Never in a build whose tests pass: they read the document.
    pub fn default_document() -> Result<Self, ExchangeRatesError> {
        Self::parse(DEFAULT)
    }

    /// Refuses what has the right form and makes no sense.
    ///
    /// # Errors
    /// [`ExchangeRatesError::Nonsense`] names the first such place.
    pub fn check(&self) -> Result<(), ExchangeRatesError> {
        let nonsense = |path: &str, remedy: &str| {
            let (path, remedy) = (path.to_owned(), remedy.to_owned());
            Err(ExchangeRatesError::Nonsense { path, remedy })
        };
        let none = Period::of_seconds(0);
        if self.valid == none || self.valid > MAX_VALID {
            return nonsense("valid", "must be more than nothing and at most 1d");
        }
        if self.margin_bp > MAX_MARGIN {
            return nonsense("margin_bp", "must be at most 2000");
        }
        if self.max_age == none || self.max_age > MAX_AGE {
            return nonsense("max_age", "must be more than nothing and at most 7d");
        }
        if self.rates.len() > MAX_SOURCES {
            return nonsense("rates", "must have at most 200 members");
        }
        for (from, to) in &self.rates {
            if to.len() > MAX_TARGETS {
                return nonsense(&format!("rates.{from}"), "must have at most 20 members");
            }
            if to.contains_key(from) {
                return nonsense(&format!("rates.{from}.{from}"), "must be left out: it is 1");
            }
        }
        Ok(())
    }

    /// What an amount costs in every currency that it can be paid in besides
    /// its own, by their codes. Nothing when the rates are too old; nor in a currency in which it would be too large, or
    /// nothing at all.
    #[must_use]
    pub fn quotes(&self, amount: Money, now: Timestamp) -> Vec<Quoted> {
        if now >= self.at.plus(self.max_age) {
            return Vec::new();
        }
        let Some(rates) = self.rates.get(&amount.currency()) else { return Vec::new() };
        // Tokens hold whole seconds: what is told is when they end.
        let until = now.plus(self.valid).unix_seconds();
        let Ok(until) = Timestamp::from_unix_seconds(until) else { return Vec::new() };
        let (rate_at, margin_bp) = (self.at, self.margin_bp);
        let quoted = |(to, rate): (&Currency, &Rate)| {
            let charge = rate.charge(amount, *to, margin_bp).ok()?;
            (charge.minor() > 0).then_some(Quoted {
                charge,
                rate: *rate,
                rate_at,
                margin_bp,
                until,
            })
        };
        rates.iter().filter_map(quoted).collect()
    }
}

impl Rate {
    /// Reads a decimal, exactly.
    ///
    /// # Errors
    /// [`RateError`].
    pub fn parse(text: &str) -> Result<Self, RateError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(RateError),
            None => (text, ""),
        };
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let fits = (1..=WHOLE_DIGITS).contains(&whole.len()) && fraction.len() <= PLACES;
        if !fits || !digits(whole) || !digits(fraction) {
            return Err(RateError);
        }
        let scaled: i64 = format!("{whole}{fraction:0<PLACES$}").parse().map_err(|_| RateError)?;
        if scaled > 0 { Ok(Self(scaled)) } else { Err(RateError) }
    }

    /// What an amount, which is not negative, costs in another currency, with
    /// a margin on top: rounded up to a whole minor unit of that currency.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it would be too large.
    pub fn charge(self, amount: Money, to: Currency, margin_bp: u32) -> Result<Money, MoneyError> {
        let product = [
            i128::from(self.0),
            i128::from(WHOLE_BP.saturating_add(margin_bp)),
            10_i128.pow(to.exponent()),
        ];
        let exact = product.into_iter().try_fold(i128::from(amount.minor()), i128::checked_mul);
        let exact = exact.ok_or(MoneyError::Overflow)?;
        let unit = ONE * i128::from(WHOLE_BP) * 10_i128.pow(amount.currency().exponent());
        let up = exact.div_euclid(unit) + i128::from(exact.rem_euclid(unit) > 0);
        Money::new(i64::try_from(up).map_err(|_| MoneyError::Overflow)?, to)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.0, width = PLACES + 1);
        let (whole, fraction) = digits.split_at(digits.len() - PLACES);
        match fraction.trim_end_matches('0') {
            "" => f.write_str(whole),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}

impl TryFrom<String> for Rate {
    type Error = RateError;
    fn try_from(text: String) -> Result<Self, RateError> {
        Self::parse(&text)
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::money::MAX_MINOR;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    fn document() -> Value {
        json!({
            "version": "ecb-2026-11-21", "at": "2026-11-21T12:00:00Z", "valid": "30m",
            "margin_bp": 150, "max_age": "1d",
            "rates": { "GBP": { "EUR": "1.1650", "JPY": "203.4" }, "JPY": { "KWD": "0.00195" } },
        })
    }

    #[test]
    fn the_default_document_has_no_rates() {
        let rates = ExchangeRates::default_document().unwrap();
        assert_eq!(rates.rates, BTreeMap::new());
        assert_eq!(rates.quotes(money(100, "GBP"), rates.at), Vec::new());
    }

    #[test]
    fn a_rate_is_read_exactly() {
        for (text, written) in [
            ("1.1650", Some("1.165")),
            ("1", Some("1")),
            ("007.0", Some("7")),
            ("0.000000000001", Some("0.000000000001")),
            ("999999.999999999999", Some("999999.999999999999")),
            ("0", None),
            ("0.0", None),
            ("-1", None),
            ("1.", None),
            (".5", None),
            ("1e3", None),
            ("1,5", None),
            ("", None),
            ("1.0000000000001", None),
            ("1234567", None),
        ] {
            let read = Rate::parse(text).ok().map(|rate| rate.to_string());
            assert_eq!(read.as_deref(), written, "{text}");
        }
    }

    #[test]
    fn a_charge_is_rounded_up_to_the_minor_unit_of_its_currency() {
        for (minor, from, rate, margin, to, charge) in [
            (10_000, "GBP", "1.1650", 0, "EUR", 11_650),
            (1, "GBP", "1.1650", 0, "EUR", 2),
            (2, "GBP", "1", 0, "EUR", 2),
            (1, "GBP", "0.0001", 0, "EUR", 1),
            (0, "GBP", "1.1650", 0, "EUR", 0),
            (10_000, "GBP", "1.1650", 150, "EUR", 11_825),
            (12_50, "GBP", "203.4", 0, "JPY", 2_543),
            (1_000, "JPY", "0.00195", 0, "KWD", 1_950),
            (1_000, "KWD", "512.3", 100, "JPY", 518),
        ] {
            let rate = Rate::parse(rate).unwrap();
            let charged = rate.charge(money(minor, from), Currency::parse(to).unwrap(), margin);
            assert_eq!(charged, Ok(money(charge, to)), "{minor} {from} at {rate}");
        }
        let most = Rate::parse("999999").unwrap();
        let to = Currency::parse("KWD").unwrap();
        let beyond = most.charge(money(MAX_MINOR, "JPY"), to, MAX_MARGIN);
        assert_eq!(beyond, Err(MoneyError::Overflow));
    }

    #[test]
    fn rates_are_quoted_while_they_are_young() {
        let rates = ExchangeRates::parse(&document().to_string()).unwrap();
        let amount = money(10_000, "GBP");
        let quotes = rates.quotes(amount, rates.at);
        let charges: Vec<String> = quotes.iter().map(|it| it.charge.to_string()).collect();
        assert_eq!(charges, ["118.25 EUR", "20646 JPY"]);
        assert_eq!(quotes[0].until.to_string(), "2026-11-21T12:30:00.000Z");
        assert_eq!((quotes[0].rate_at, quotes[0].margin_bp), (rates.at, 150));
        let second = Period::of_seconds(1);
        let end = rates.at.plus(rates.max_age);
        for (now, quoted) in [(end.minus(second), 2), (end, 0)] {
            assert_eq!(rates.quotes(amount, now).len(), quoted, "{now}");
        }
        assert_eq!(rates.quotes(money(1, "EUR"), rates.at), Vec::new());
        assert_eq!(rates.quotes(money(0, "GBP"), rates.at), Vec::new());
    }

    #[test]
    fn a_document_that_makes_no_sense_is_told_where() {
        for (pointer, value, place) in [
            ("/valid", json!("0s"), "`valid`"),
            ("/valid", json!("2d"), "`valid`"),
            ("/margin_bp", json!(2_001), "`margin_bp`"),
            ("/max_age", json!("0s"), "`max_age`"),
            ("/max_age", json!("8d"), "`max_age`"),
            ("/rates/GBP", json!({ "GBP": "1" }), "`rates.GBP.GBP`"),
            ("/rates/GBP/EUR", json!(1.165), "`rates.GBP.EUR`"),
            ("/rates/GBP/EUR", json!("0"), "`rates.GBP.EUR`"),
            ("/rates", json!({ "gbp": {} }), "`rates"),
        ] {
            let mut document = document();
            *document.pointer_mut(pointer).unwrap() = value;
            let error = ExchangeRates::parse(&document.to_string()).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
        assert!(ExchangeRates::parse(&document().to_string()).is_ok());
    }

    proptest! {
        #[test]
        fn a_charge_is_at_least_the_exact_amount_and_less_than_a_unit_more(
            minor in 0..=10_000_000_i64,
            scaled in 1..=10_000_000_000_000_000_i64,
            margin in 0..=MAX_MARGIN,
            pair in prop::sample::select(vec![("GBP", "EUR"), ("JPY", "KWD"), ("KWD", "JPY")]),
        ) {
            let (from, to) = (money(minor, pair.0), Currency::parse(pair.1).unwrap());
            let Ok(charge) = Rate(scaled).charge(from, to, margin) else { return Ok(()) };
            let unit = ONE * 10_000 * 10_i128.pow(from.currency().exponent());
            let exact = i128::from(minor) * i128::from(scaled) * i128::from(10_000 + margin)
                * 10_i128.pow(to.exponent());
            let over = i128::from(charge.minor()) * unit - exact;
            prop_assert!((0..unit).contains(&over));
        }

        #[test]
        fn a_written_rate_reads_back(scaled in 1..1_000_000 * ONE as i64) {
            prop_assert_eq!(Rate::parse(&Rate(scaled).to_string()), Ok(Rate(scaled)));
        }

        #[test]
        fn any_text_is_a_rate_or_not(text in "[0-9.e-]{0,24}") {
            if let Ok(rate) = Rate::parse(&text) {
                prop_assert_eq!(Rate::parse(&rate.to_string()), Ok(rate));
            }
        }
    }
}
