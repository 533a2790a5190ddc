//! What is sold, and how much of it there is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    is_default,
    money::Money,
    text::{Text, names},
    time::Timestamp,
};

/// The heaviest unit that is sold, in grams: ten tonnes. A typing error beyond it is refused.
pub const MAX_GRAMS: u32 = 10_000_000;

/// The most tiers and early sales that a product names.
pub const MAX_ACCESS: usize = 20;

names! {
    /// A stock-keeping unit: 1 to 40 of `A-Z a-z 0-9 . _ -`, compared exactly.
    Sku(40, |b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    /// Why a text is no SKU.
    SkuError = "must be a SKU: 1 to 40 of the characters A-Z a-z 0-9 . _ -";
}

/// Something a shop sells. The price is the shop's word; a client's never counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its SKU.
    pub sku: Sku,
    /// What the buyer reads.
    pub title: Text<80>,
    /// The price of one unit; zero is a price.
    pub price: Money,
    /// What it is, its seller, its size and the like.
    pub facts: ProductFacts,
    /// Who may buy it, and when.
    pub access: Access,
}

/// What rules ask about a product. Everything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductFacts {
    /// The category that price rules name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text<40>>,
    /// The brand that price rules name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Text<40>>,
    /// The weight of one unit, packed, in grams; at most 10,000,000.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grams: u32,
    /// The class that tax rules name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<Text<20>>,
    /// In minor units of the price's currency: no discount takes a unit below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<i64>,
    /// From how many units on the stock is low; the policy's mark otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_at: Option<u32>,
}

/// Who may buy a product, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// When its sale begins; at once otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Members of these tiers may buy it earlier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub early: Vec<EarlySale>,
    /// Only members of these tiers may buy it; everybody if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Text<40>>,
    /// So many units are kept for some tiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<Reserve>,
    /// So many units may be sold before they are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preorder: Option<Preorder>,
}

/// An earlier begin of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlySale {
    /// For members of this tier.
    pub tier: Text<40>,
    /// From when.
    pub from: Timestamp,
}

/// Units that are kept for some tiers: others buy only what is beyond them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// Whose.
    pub tiers: Vec<Text<40>>,
    /// How many, at each location.
    pub units: u32,
}

/// A sale before the goods are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preorder {
    /// When the goods leave.
    pub ships: Timestamp,
    /// How many may be sold beyond what is there, at each location.
    pub units: u32,
}
