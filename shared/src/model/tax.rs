//! Taxes on sales: where, on what, and how much.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{customer::Country, policy::PolicyError, text::Text};

/// How a shop's prices are taxed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxPolicy {
    /// Whether prices include the tax, as shops for consumers show them in
    /// most countries, or it comes on top, as in the United States.
    pub prices_include_tax: bool,
    /// The taxes; nothing is taxed where none applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<TaxRule>,
    /// How the price of delivery is taxed.
    #[serde(default)]
    pub shipping: ShippingTax,
}

/// A tax on some goods in some place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxRule {
    /// In these countries; everywhere otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<Country>,
    /// In these regions of them, however their letters are cased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Text<60>>,
    /// On products of this class; on all otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Text<20>>,
    /// How much of the price without tax.
    pub rate: TaxRate,
    /// What buyers read on their bill.
    pub title: Text<60>,
}

/// How the price of delivery is taxed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShippingTax {
    /// As the goods that are delivered, in proportion to their prices.
    #[default]
    AsGoods,
    /// As goods of this class.
    Class(Text<20>),
    /// Not at all.
    Exempt,
}

/// A rate in thousandths of a percent, up to 100 %. Written as a percentage,
/// such as `19` or `8.875`: some rates have three decimals (sales tax in the
/// city of New York, 8.875 %; Quebec's, 9.975 %).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TaxRate(u32);

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a percentage from 0 to 100 with at most three decimals, such as \"8.875\"")]
pub struct TaxRateError;

impl TaxRate {
    /// The whole, in the unit of a rate: 100 %.
    pub const WHOLE: u32 = 100_000;

    /// Reads a percentage.
    ///
    /// # Errors
    /// When it is no decimal number, has more than three decimals, or exceeds 100.
    pub fn parse(text: &str) -> Result<Self, TaxRateError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(fraction, 3) {
            return Err(TaxRateError);
        }
        let rate = format!("{whole}{fraction:0<3}").parse().map_err(|_| TaxRateError)?;
        if rate <= Self::WHOLE { Ok(Self(rate)) } else { Err(TaxRateError) }
    }

    /// The rate in thousandths of a percent.
    #[must_use]
    pub fn thousandths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for TaxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000, format!("{:03}", self.0 % 1_000));
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{whole}{point}{fraction}")
    }
}

impl TryFrom<String> for TaxRate {
    type Error = TaxRateError;
    fn try_from(text: String) -> Result<Self, TaxRateError> {
        Self::parse(&text)
    }
}

impl From<TaxRate> for String {
    fn from(rate: TaxRate) -> Self {
        rate.to_string()
    }
}

/// The most rules: every country's rates, and the regions of some.
const MAX_RULES: usize = 1_000;

impl TaxPolicy {
    /// Whether the document makes sense.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let malformed =
            |path, reason: &str| Err(PolicyError::Malformed { path, reason: reason.to_owned() });
        if self.rules.len() > MAX_RULES {
            return malformed("tax.rules".to_owned(), "must be at most 1000");
        }
        for (i, rule) in self.rules.iter().enumerate() {
            if rule.countries.is_empty() && !rule.regions.is_empty() {
                let path = format!("tax.rules[{i}].countries");
                return malformed(path, "must be there: regions are a country's");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rates_are_percentages_of_three_decimals() {
        for (text, thousandths, written) in [
            ("0", 0, "0"),
            ("19", 19_000, "19"),
            ("8.875", 8_875, "8.875"),
            ("5.50", 5_500, "5.5"),
            ("0.05", 50, "0.05"),
            ("100", 100_000, "100"),
        ] {
            let rate = TaxRate::parse(text).unwrap();
            assert_eq!((rate.thousandths(), rate.to_string().as_str()), (thousandths, written));
        }
        for text in ["", ".5", "5.", "-1", "+1", "100.001", "101", "1.2345", "1e1", "19%", " 19"] {
            assert_eq!(TaxRate::parse(text), Err(TaxRateError), "{text}");
        }
    }

    #[test]
    fn nonsense_is_named() {
        let check = |rules| {
            let policy = json!({ "prices_include_tax": true, "rules": rules });
            let policy: TaxPolicy = serde_json::from_value(policy).unwrap();
            policy.check().map_err(|error| error.to_string())
        };
        let rule = json!({ "rate": "1", "title": "Tax" });
        assert_eq!(check(json!([rule])), Ok(()));
        assert!(check(vec![rule; 1_001].into()).unwrap_err().contains("tax.rules"));
        let lost = json!([{ "regions": ["Kent"], "rate": "1", "title": "Tax" }]);
        assert!(check(lost).unwrap_err().contains("tax.rules[0].countries"));
    }

    #[test]
    fn delivery_is_taxed_in_one_of_three_ways() {
        for (value, shipping) in [
            (json!("as_goods"), ShippingTax::AsGoods),
            (json!("exempt"), ShippingTax::Exempt),
            (json!({ "class": "post" }), ShippingTax::Class(Text::new("post").unwrap())),
        ] {
            assert_eq!(serde_json::from_value::<ShippingTax>(value).unwrap(), shipping);
        }
    }
}
