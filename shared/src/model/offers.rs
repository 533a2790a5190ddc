//! What is offered beside a cart.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{money::Currency, policy::PolicyError};

/// The most related goods that a quote shows: more than this is a catalogue.
const MAX_RELATED: u8 = 20;

/// What is offered beside a cart. Nothing, in a currency that is not named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffersPolicy {
    /// An offer that so much more of goods would reach is told ("add 20 for
    /// free shipping"), in minor units by currency.
    #[serde(default)]
    pub nearly: BTreeMap<Currency, i64>,
    /// Goods that others bought together with those of the cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<RelatedPolicy>,
}

/// When related goods are shown, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelatedPolicy {
    /// From what price of the goods on, in minor units by currency: buyers of
    /// less are not disturbed.
    pub above: BTreeMap<Currency, i64>,
    /// How many, 1 to 20.
    pub most: u8,
    /// Only those that came together in at least so many orders: fewer are chance.
    pub at_least: u64,
}

impl OffersPolicy {
    /// Whether the document makes sense.
    ///
    /// # Errors
    /// [`PolicyError`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        if self.nearly.values().any(|amount| *amount < 0) {
            return nonsense("offers.nearly", "must be 0 or more in every currency");
        }
        let Some(related) = &self.related else { return Ok(()) };
        if related.above.values().any(|amount| *amount < 0) {
            return nonsense("offers.related.above", "must be 0 or more in every currency");
        }
        if !(1..=MAX_RELATED).contains(&related.most) {
            return nonsense("offers.related.most", "must be 1 to 20");
        }
        Ok(())
    }
}
