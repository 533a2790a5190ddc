//! The price rules: every offer of the shop as data, in one versioned document.
//! The default is `shared/policy/prices.json`, which has no rules; a document
//! that `PUT /price-rules` keeps replaces it without a deploy. How the rules are
//! evaluated is the contract of the crate `aftercart-pricing`.
//!
//! Amounts are minor units of the currency that is named beside them; shares
//! are basis points, 10,000 of which are the whole.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::Language,
    delivery::MethodId,
    money::Currency,
    product::Sku,
    text::{Text, is_plain, names},
    time::{Timestamp, Zone},
};

mod check;
mod code;
mod quota;
mod window;

pub use code::{Code, CodeError, MAX_CODE, MIN_CODE};
pub use quota::{Quota, QuotaKey, QuotaScope};
pub use window::{Hours, LocalTime, LocalTimeError, Window, WindowState};

/// The default document.
const DEFAULT: &str = include_str!("../../policy/prices.json");

/// The whole, in basis points.
pub const WHOLE: u32 = 10_000;

/// The most rules of one document: all of them are looked at for every quote,
/// and the document is one item of 400 KB at most.
pub const MAX_RULES: usize = 300;

/// The most names in one list of a rule (SKUs, categories, tiers and so on),
/// for the same reasons.
pub const MAX_NAMES: usize = 200;

/// The most tiers of a spend threshold, and the most SKUs of a bundle: more
/// cannot be told to a buyer.
pub const MAX_STEPS: usize = 20;

/// The most parts that a limit is split into. Each is an item of its own, and
/// one item takes about 1,000 writes a second.
pub const MAX_SHARDS: u8 = 32;

/// The whole document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRules {
    /// Names this edition in every price that follows it.
    pub version: Text<40>,
    /// In whose local time every window and every "per day" is meant.
    pub zone: Zone,
    /// All discounts on goods together are at most this part of the goods'
    /// list prices, in basis points.
    #[serde(default = "whole")]
    pub max_discount: u32,
    /// At most [`MAX_RULES`]; the order of the list means nothing.
    pub rules: Vec<Rule>,
}

fn whole() -> u32 {
    WHOLE
}

names! {
    /// The name of a rule: 1 to 40 of `a-z 0-9 -`.
    RuleId(40, is_plain);
    /// Why a text names no rule.
    RuleIdError = "must be the name of a rule: 1 to 40 of the characters a-z 0-9 -";
}

/// One offer: who gets what, when, on which goods and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in explanations, orders and counters. A name that was used is
    /// not given to another offer: its counters go on.
    pub id: RuleId,
    /// What the buyer reads.
    pub title: Title,
    /// Higher goes first; among equals the order of the names.
    #[serde(default)]
    pub priority: i32,
    /// When it is open; always, if left out.
    #[serde(default)]
    pub window: Window,
    /// Who gets it; everybody, if left out.
    #[serde(default)]
    pub audience: Audience,
    /// Which lines it is about; all, if left out. A fixed price and a bundle
    /// name their SKUs themselves and have none.
    #[serde(default)]
    pub goods: GoodsFilter,
    /// What the buyer has to name for it; nothing, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<Coupon>,
    /// How often it may be had; without end, if left out.
    #[serde(default)]
    pub limits: Limits,
    /// How it goes with other promotions. Only discounts on goods have this;
    /// unit prices, gifts and shipping are always stackable.
    #[serde(default)]
    pub stacking: Stacking,
    /// What it does.
    pub effect: Effect,
}

/// What the buyer reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// In English.
    pub en: Text<80>,
    /// In simplified Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zh: Option<Text<80>>,
}

impl Title {
    /// The text in a language, in English where there is none.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match (language, &self.zh) {
            (Language::Zh, Some(zh)) => zh.as_str(),
            _ => self.en.as_str(),
        }
    }
}

/// Who gets an offer. Every condition that is given has to hold; of a list,
/// one member is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Audience {
    /// Only members.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub members_only: bool,
    /// Only members of these tiers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Text<40>>,
    /// Only buyers in one of these segments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Text<40>>,
    /// Only orders that come by one of these channels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Text<40>>,
    /// Only the buyer's first order.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub first_order: bool,
}

/// Which goods an offer is about: those that are in one of the first three
/// lists (all, if the three are empty) and in neither of the exceptions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GoodsFilter {
    /// These SKUs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<Sku>,
    /// Goods of these categories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Text<40>>,
    /// Goods of these brands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brands: Vec<Text<40>>,
    /// But not these SKUs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except_skus: Vec<Sku>,
    /// Nor goods of these categories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except_categories: Vec<Text<40>>,
}

impl GoodsFilter {
    /// Whether the offer is about such goods.
    #[must_use]
    pub fn covers(&self, sku: &Sku, category: Option<&str>, brand: Option<&str>) -> bool {
        let among = |list: &[Text<40>], name: Option<&str>| {
            name.is_some_and(|name| list.iter().any(|entry| entry.as_str() == name))
        };
        let all = self.skus.is_empty() && self.categories.is_empty() && self.brands.is_empty();
        let named = all
            || self.skus.contains(sku)
            || among(&self.categories, category)
            || among(&self.brands, brand);
        named && !self.except_skus.contains(sku) && !among(&self.except_categories, category)
    }

    /// Whether the offer may be about goods of this SKU, whose category and
    /// brand are not known yet.
    #[must_use]
    pub fn may_cover(&self, sku: &Sku) -> bool {
        let only_skus =
            !self.skus.is_empty() && self.categories.is_empty() && self.brands.is_empty();
        !self.except_skus.contains(sku) && (!only_skus || self.skus.contains(sku))
    }
}

/// What a buyer has to name for an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coupon {
    /// A code that he types. Several rules may have the same one.
    Code(Code),
    /// A voucher for this rule that his account was granted; always `true`.
    Voucher(bool),
}

/// How often an offer may be had. Orders are counted, except for unit prices,
/// of which sold units are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// In all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// In a day of the document's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
    /// By one buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_customer: Option<u32>,
    /// By one buyer in a day of the document's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_customer_per_day: Option<u32>,
    /// Over how many counters `total` and `per_day` are split, 1 to
    /// [`MAX_SHARDS`], so that many buyers at once do not wait for one
    /// another. An order counts in one of them, so at most one's part of a
    /// limit goes to one order.
    pub shards: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: None,
            per_day: None,
            per_customer: None,
            per_customer_per_day: None,
            shards: 1,
        }
    }
}

/// How a promotion goes with others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stacking {
    /// With any other that is not exclusive.
    #[default]
    Stackable,
    /// With no other.
    Exclusive,
    /// Of the promotions of this group only the best for the buyer.
    BestOf(Text<40>),
}

/// What an offer does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Fixed unit prices.
    Price(PriceEffect),
    /// A part off the unit price.
    PricePercent(PricePercentEffect),
    /// So much off from such a spend on.
    Spend(SpendEffect),
    /// A part off what the lines cost.
    Percent(PercentEffect),
    /// An amount off what the lines cost.
    Amount(AmountEffect),
    /// Goods that cost less together.
    Bundle(BundleEffect),
    /// Buy some, get some cheaper or free.
    BuyGet(BuyGetEffect),
    /// Goods that come free with the others.
    Gift(GiftEffect),
    /// No charge for delivery.
    FreeShipping(FreeShippingEffect),
    /// A part off the charge for delivery.
    ShippingPercent(ShippingPercentEffect),
}

/// Fixed unit prices: a limited-time price, a member's, a segment's or a
/// channel's, by the rule's window and audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceEffect {
    /// Of the prices; goods sold in another keep theirs.
    pub currency: Currency,
    /// The price of one unit, in minor units.
    pub units: BTreeMap<Sku, i64>,
}

/// A part off the unit price, rounded half up for one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricePercentEffect {
    /// Basis points.
    pub off: u32,
}

/// So much off from such a spend on: either tiers or a step that repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpendEffect {
    /// Of the amounts.
    pub currency: Currency,
    /// Ascending; the highest one reached counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// For every full amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Every>,
}

/// A step of a spend threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// From this spend on ...
    pub at: i64,
    /// ... so much is off.
    pub off: i64,
}

/// A step that repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Every {
    /// For every full amount of this ...
    pub per: i64,
    /// ... so much is off ...
    pub off: i64,
    /// ... at most so many times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_times: Option<u32>,
}

/// A part off what the lines cost, rounded half up for all of them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PercentEffect {
    /// Basis points.
    pub off: u32,
    /// Of the amounts, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// At most so much is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<i64>,
    /// From this spend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
}

/// An amount off what the lines cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmountEffect {
    /// Of the amounts.
    pub currency: Currency,
    /// So much is off.
    pub off: i64,
    /// From this spend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
}

/// Goods that cost less together, as many times as the cart holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleEffect {
    /// Of the price.
    pub currency: Currency,
    /// What the bundle costs, in minor units.
    pub price: i64,
    /// What is in it, each SKU once.
    pub items: Vec<BundleItem>,
}

/// So many units of a SKU in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleItem {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
}

/// Buy some, get the cheapest of them for less, for every full set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyGetEffect {
    /// So many units at their price ...
    pub buy: u32,
    /// ... and so many more ...
    pub get: u32,
    /// ... with this part off, in basis points, rounded half up for one unit.
    #[serde(default = "whole")]
    pub off: u32,
}

/// Goods that come free from such a spend, or from so many units, on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiftEffect {
    /// What comes.
    pub sku: Sku,
    /// How many units of it.
    pub quantity: u32,
    /// What the buyer has to reach.
    pub from: Reach,
}

/// What a buyer has to reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// This spend.
    Spend(Spend),
    /// So many units.
    Units(u32),
}

/// A spend to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spend {
    /// Of the amount.
    pub currency: Currency,
    /// In minor units.
    pub at: i64,
}

/// No charge for delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreeShippingEffect {
    /// From this spend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Spend>,
    /// Only by these methods of delivery; by any, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodId>,
}

/// A part off the charge for delivery, rounded half up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingPercentEffect {
    /// Basis points.
    pub off: u32,
    /// From this spend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Spend>,
    /// Only by these methods of delivery; by any, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodId>,
}

/// Why a document holds no price rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceRulesError {
    /// Not JSON, an unknown or missing field, or a value of the wrong form.
    #[error("the price rules are malformed at `{path}`: {reason}")]
    Malformed {
        /// Where in the document.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// A value that makes no sense.
    #[error("the price rules' `{path}` {remedy}")]
    Nonsense {
        /// Where in the document.
        path: String,
        /// What it has to be.
        remedy: String,
    },
}

impl PriceRules {
    /// Reads a document.
    ///
    /// # Errors
    /// [`PriceRulesError`] names the place and what it has to be.
    pub fn parse(document: &str) -> Result<Self, PriceRulesError> {
        let mut json = serde_json::Deserializer::from_str(document);
        let rules: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            PriceRulesError::Malformed {
                path: error.path().to_string(),
                reason: error.inner().to_string(),
            }
        })?;
        json.end().map_err(|error| PriceRulesError::Malformed {
            path: ".".to_owned(),
            reason: error.to_string(),
        })?;
        rules.check()?;
        Ok(rules)
    }

    /// The rules that apply until the merchant sets others: none.
    ///
    /// # Errors
    /// Never in a build whose tests pass: they read the document.
    pub fn default_document() -> Result<Self, PriceRulesError> {
        Self::parse(DEFAULT)
    }

    /// Refuses what has the right form and makes no sense.
    ///
    /// # Errors
    /// [`PriceRulesError::Nonsense`] names the first such place.
    pub fn check(&self) -> Result<(), PriceRulesError> {
        check::document(self)
    }

    /// The rule of a name, if it takes vouchers.
    #[must_use]
    pub fn of_vouchers(&self, id: &RuleId) -> Option<&Rule> {
        let takes = |rule: &&Rule| rule.coupon == Some(Coupon::Voucher(true));
        self.rules.iter().filter(takes).find(|rule| rule.id == *id)
    }

    /// Whether a voucher of a rule is worth something at a moment: the rule
    /// takes vouchers, has begun and is not over. It need not be its day or hour.
    #[must_use]
    pub fn honours(&self, id: &RuleId, now: Timestamp) -> bool {
        self.of_vouchers(id).is_some_and(|rule| match rule.window.at(now, &self.zone) {
            WindowState::Open | WindowState::Closed => true,
            WindowState::NotYet | WindowState::Ended => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document of one rule, given as its effect and whatever else it says.
    fn one(effect: &str, rest: &str) -> Result<PriceRules, PriceRulesError> {
        let comma = if rest.is_empty() { "" } else { "," };
        let rule = format!(r#"{{"id":"r","title":{{"en":"R"}},"effect":{effect}{comma}{rest}}}"#);
        PriceRules::parse(&format!(r#"{{"version":"1","zone":"UTC","rules":[{rule}]}}"#))
    }

    #[test]
    fn the_default_document_has_no_rules() {
        let default = PriceRules::default_document().unwrap();
        assert_eq!((default.rules, default.max_discount), (vec![], WHOLE));
    }

    #[test]
    fn a_document_reads_as_it_is_written() {
        for (effect, rest) in [
            (
                r#"{"price":{"currency":"EUR","units":{"TEA":900}}}"#,
                r#""limits":{"total":10,"shards":10},"audience":{"tiers":["gold"]}"#,
            ),
            (r#"{"price_percent":{"off":1}}"#, r#""goods":{"skus":["A"],"except_skus":["B"]}"#),
            (
                r#"{"spend":{"currency":"CNY","tiers":[{"at":2,"off":1},{"at":3,"off":2}]}}"#,
                r#""stacking":{"best_of":"group"},"priority":-3"#,
            ),
            (
                r#"{"spend":{"currency":"CNY","every":{"per":2,"off":2,"most_times":1}}}"#,
                r#""stacking":"exclusive""#,
            ),
            (r#"{"percent":{"off":10000}}"#, r#""coupon":{"code":" tea10 "}"#),
            (r#"{"percent":{"off":1,"currency":"EUR","most":1}}"#, r#""coupon":{"voucher":true}"#),
            (r#"{"amount":{"currency":"EUR","off":1,"minimum":2}}"#, ""),
            (
                r#"{"bundle":{"currency":"EUR","price":1,"items":[{"sku":"A","quantity":2}]}}"#,
                r#""window":{"from":"2026-11-11T00:00","days":["mon"],"hours":{"from":"20:00"}}"#,
            ),
            (r#"{"buy_get":{"buy":2,"get":1}}"#, r#""window":{"until":"2026-11-11T00:00"}"#),
            (r#"{"gift":{"sku":"A","quantity":1,"from":{"spend":{"currency":"EUR","at":1}}}}"#, ""),
            (r#"{"gift":{"sku":"A","quantity":1,"from":{"units":3}}}"#, ""),
            (r#"{"free_shipping":{}}"#, ""),
            (
                r#"{"shipping_percent":{"off":1,"over":{"currency":"EUR","at":1},"methods":["post"]}}"#,
                "",
            ),
        ] {
            let document = one(effect, rest).unwrap_or_else(|error| panic!("{effect}: {error}"));
            let written = serde_json::to_string(&document).unwrap();
            assert_eq!(PriceRules::parse(&written), Ok(document));
        }
    }

    #[test]
    fn errors_name_the_place() {
        let percent = r#"{"percent":{"off":1}}"#;
        for (effect, rest, path) in [
            // Of the wrong form.
            (percent, r#""colour":"red""#, "rules[0].colour"),
            (percent, r#""goods":{"sku":["A"]}"#, "rules[0].goods.sku"),
            (percent, r#""goods":{"skus":["a b"]}"#, "rules[0].goods.skus[0]"),
            (percent, r#""coupon":{"code":"ТЕА10"}"#, "rules[0].coupon.code"),
            (percent, r#""coupon":{"code":"a"}"#, "rules[0].coupon.code"),
            (percent, r#""stacking":"alone""#, "rules[0].stacking"),
            (percent, r#""window":{"from":"2026-11-11"}"#, "rules[0].window.from"),
            (percent, r#""window":{"from":"2026-11-11T00:00Z"}"#, "rules[0].window.from"),
            (percent, r#""window":{"days":["monday"]}"#, "rules[0].window.days[0]"),
            (percent, r#""limits":{"total":-1}"#, "rules[0].limits.total"),
            (r#"{"percent":{"off":0.5}}"#, "", "rules[0].effect.percent.off"),
            (r#"{"half_price":{}}"#, "", "rules[0].effect"),
            (
                r#"{"price":{"currency":"EUR","units":{"a b":1}}}"#,
                "",
                "rules[0].effect.price.units.a b",
            ),
            (r#"{"free_shipping":{"over":{"at":1}}}"#, "", "rules[0].effect.free_shipping.over"),
            // Of the right form, and nonsense.
            (r#"{"percent":{"off":0}}"#, "", "rules[0].effect.percent.off"),
            (r#"{"percent":{"off":10001}}"#, "", "rules[0].effect.percent.off"),
            (r#"{"percent":{"off":1,"most":1}}"#, "", "rules[0].effect.percent.currency"),
            (r#"{"percent":{"off":1,"currency":"EUR"}}"#, "", "rules[0].effect.percent.currency"),
            (
                r#"{"percent":{"off":1,"currency":"EUR","minimum":0}}"#,
                "",
                "rules[0].effect.percent.minimum",
            ),
            (r#"{"price":{"currency":"EUR","units":{}}}"#, "", "rules[0].effect.price.units"),
            (
                r#"{"price":{"currency":"EUR","units":{"A":0}}}"#,
                "",
                "rules[0].effect.price.units.A",
            ),
            (r#"{"price_percent":{"off":0}}"#, "", "rules[0].effect.price_percent.off"),
            (r#"{"spend":{"currency":"EUR"}}"#, "", "rules[0].effect.spend.tiers"),
            (
                r#"{"spend":{"currency":"EUR","tiers":[{"at":2,"off":1},{"at":2,"off":2}]}}"#,
                "",
                "rules[0].effect.spend.tiers[1]",
            ),
            (
                r#"{"spend":{"currency":"EUR","tiers":[{"at":2,"off":3}]}}"#,
                "",
                "rules[0].effect.spend.tiers[0].off",
            ),
            (
                r#"{"spend":{"currency":"EUR","every":{"per":2,"off":-1}}}"#,
                "",
                "rules[0].effect.spend.every.off",
            ),
            (
                r#"{"spend":{"currency":"EUR","every":{"per":2,"off":1,"most_times":0}}}"#,
                "",
                "rules[0].effect.spend.every.most_times",
            ),
            (r#"{"amount":{"currency":"EUR","off":-1}}"#, "", "rules[0].effect.amount.off"),
            (
                r#"{"bundle":{"currency":"EUR","price":1,"items":[]}}"#,
                "",
                "rules[0].effect.bundle.items",
            ),
            (
                r#"{"bundle":{"currency":"EUR","price":1,"items":[{"sku":"A","quantity":1},{"sku":"A","quantity":1}]}}"#,
                "",
                "rules[0].effect.bundle.items[1].sku",
            ),
            (
                r#"{"bundle":{"currency":"EUR","price":1,"items":[{"sku":"A","quantity":0}]}}"#,
                "",
                "rules[0].effect.bundle.items[0].quantity",
            ),
            (r#"{"buy_get":{"buy":0,"get":1}}"#, "", "rules[0].effect.buy_get.buy"),
            (r#"{"buy_get":{"buy":1,"get":1000}}"#, "", "rules[0].effect.buy_get.get"),
            (
                r#"{"gift":{"sku":"A","quantity":0,"from":{"units":1}}}"#,
                "",
                "rules[0].effect.gift.quantity",
            ),
            (
                r#"{"gift":{"sku":"A","quantity":1,"from":{"units":0}}}"#,
                "",
                "rules[0].effect.gift.from.units",
            ),
            (
                r#"{"free_shipping":{"over":{"currency":"EUR","at":0}}}"#,
                "",
                "rules[0].effect.free_shipping.over.at",
            ),
            (percent, r#""coupon":{"voucher":false}"#, "rules[0].coupon.voucher"),
            (percent, r#""limits":{"total":0}"#, "rules[0].limits.total"),
            (percent, r#""limits":{"per_customer":0}"#, "rules[0].limits.per_customer"),
            (percent, r#""limits":{"total":9,"shards":33}"#, "rules[0].limits.shards"),
            (percent, r#""limits":{"total":9,"shards":0}"#, "rules[0].limits.shards"),
            (percent, r#""limits":{"total":9,"shards":10}"#, "rules[0].limits.total"),
            (percent, r#""limits":{"per_customer":9,"shards":2}"#, "rules[0].limits.shards"),
            (
                percent,
                r#""window":{"from":"2026-11-11T00:00","until":"2026-11-11T00:00"}"#,
                "rules[0].window.until",
            ),
            (percent, r#""window":{"days":["mon","mon"]}"#, "rules[0].window.days"),
            (
                percent,
                r#""window":{"hours":{"from":"22:00","until":"02:00"}}"#,
                "rules[0].window.hours.until",
            ),
            (r#"{"free_shipping":{}}"#, r#""stacking":"exclusive""#, "rules[0].stacking"),
            (
                r#"{"price":{"currency":"EUR","units":{"A":1}}}"#,
                r#""goods":{"skus":["A"]}"#,
                "rules[0].goods",
            ),
        ] {
            let error = one(effect, rest).unwrap_err().to_string();
            assert!(error.contains(&format!("`{path}`")), "{effect} {rest}: {error}");
        }
    }

    #[test]
    fn a_document_is_bounded() {
        let rule = |id: &str| -> Rule {
            let json = format!(
                r#"{{"id":"{id}","title":{{"en":"R"}},"effect":{{"percent":{{"off":1}}}}}}"#
            );
            serde_json::from_str(&json).unwrap()
        };
        let of = |rules: Vec<Rule>, max_discount: u32| {
            let document =
                PriceRules { rules, max_discount, ..PriceRules::default_document().unwrap() };
            document.check().err().map(|error| error.to_string())
        };
        let many = |count: usize| (0..count).map(|n| rule(&format!("r{n}"))).collect();
        assert_eq!(of(many(MAX_RULES), WHOLE), None);
        for (rules, max_discount, place) in [
            (many(MAX_RULES + 1), WHOLE, "`rules`"),
            (vec![rule("a"), rule("b"), rule("a")], WHOLE, "`rules[2].id`"),
            (Vec::new(), 0, "`max_discount`"),
            (Vec::new(), WHOLE + 1, "`max_discount`"),
        ] {
            assert!(of(rules, max_discount).is_some_and(|error| error.contains(place)), "{place}");
        }
        for document in ["", "{}", "[]", r#"{"version":"1","zone":"Mars","rules":[]}"#] {
            assert!(PriceRules::parse(document).is_err(), "{document}");
        }
        assert!(PriceRules::parse(&format!("{DEFAULT} x")).is_err());
        for id in ["", "A", "a b", "ä", &"a".repeat(41)] {
            assert_eq!(RuleId::parse(id), Err(RuleIdError), "{id}");
        }
    }
}
