//! How points pay for orders.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{money::Currency, policy::PolicyError, price::WHOLE};

/// The most that 100 points are worth, in minor units. A typing error beyond
/// it is refused, and products with points stay far from the ends of `i64`.
const MAX_MINOR_PER_100_POINTS: u32 = 1_000_000;

/// How points pay for orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffsetPolicy {
    /// What 100 points are worth, in minor units, by currency. Orders in
    /// another currency are paid with money only.
    pub minor_per_100_points: BTreeMap<Currency, u32>,
    /// The most that points may pay of what is due for the goods, in basis
    /// points: 1 to 10,000, which is all of it.
    pub max_share: u32,
    /// The fewest points that an order may be paid with.
    pub least_points: u32,
}

impl OffsetPolicy {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        let fits = |rate: &u32| (1..=MAX_MINOR_PER_100_POINTS).contains(rate);
        if self.minor_per_100_points.is_empty() || !self.minor_per_100_points.values().all(fits) {
            let reason = "must give at least one currency a worth of 1 to 1,000,000";
            return nonsense("points.offset.minor_per_100_points", reason);
        }
        if !(1..=WHOLE).contains(&self.max_share) {
            return nonsense("points.offset.max_share", "must be 1 to 10,000 basis points");
        }
        Ok(())
    }
}
