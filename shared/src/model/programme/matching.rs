//! What a rule of the programme is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{product::Sku, text::Text};

/// Which lines of which orders. Every list that is not empty has to hold one
/// that fits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lines {
    /// These SKUs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<Sku>,
    /// These categories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Text<40>>,
    /// These brands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brands: Vec<Text<40>>,
    /// Of members of these tiers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Text<40>>,
    /// Of orders by these channels; a store's receipts come by `store`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Text<40>>,
}

impl Lines {
    /// Whether it is about goods of this SKU, category and brand, bought by a
    /// member of this tier through this channel.
    #[must_use]
    pub fn fit(
        &self,
        (sku, category, brand): (&Sku, Option<&Text<40>>, Option<&Text<40>>),
        tier: Option<&Text<40>>,
        channel: Option<&Text<40>>,
    ) -> bool {
        let among = |names: &[Text<40>], name: Option<&Text<40>>| {
            names.is_empty() || name.is_some_and(|name| names.contains(name))
        };
        (self.skus.is_empty() || self.skus.contains(sku))
            && among(&self.categories, category)
            && among(&self.brands, brand)
            && among(&self.tiers, tier)
            && among(&self.channels, channel)
    }
}
