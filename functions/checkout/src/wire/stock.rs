//! What operators send about goods and their movements, and what they get.

use aftercart::model::{
    id::MovementId,
    product::Sku,
    stock::{LocationId, Movement, MovementKind, StockState},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /products/{sku}/receipts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveStock {
    /// How many units came in, 1 to 1,000,000, at the policy's first location.
    pub quantity: i64,
}

/// A receipt of goods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptView {
    /// Its identity.
    pub id: MovementId,
    /// What came in.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// When it was recorded.
    pub at: Timestamp,
}

/// The body of `POST /products/{sku}/movements`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveStock {
    /// Why goods move.
    pub kind: MovementKind,
    /// How many, 1 to 1,000,000; of a correction as many less than zero for
    /// what is missing; none to spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<i64>,
    /// Where; of a transfer from where. The policy's first location otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    /// Where to, of a transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<LocationId>,
    /// What is to be remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<200>>,
}

/// A movement of goods as it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockMovementView {
    /// Its identity.
    pub id: MovementId,
    /// What moved.
    pub sku: Sku,
    /// Why.
    pub kind: MovementKind,
    /// Which levels it changed; none if there was nothing to spread.
    pub changes: Vec<StockChangeView>,
    /// What was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<200>>,
    /// When it was recorded.
    pub at: Timestamp,
}

/// Units that came into, or went out of, one part of a location's level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockChangeView {
    /// Where.
    pub location: LocationId,
    /// Which part of the level, counted from 0.
    pub part: u8,
    /// How many; out below zero.
    pub units: i64,
}

/// How much there is of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockView {
    /// Which product.
    pub sku: Sku,
    /// The units at all locations that the policy names, less what orders took
    /// that are placed or paid; below zero if more were sold before they were
    /// there.
    pub units: i64,
    /// The same by location, in the policy's order.
    pub locations: Vec<LocationStockView>,
}

/// How much there is of a product at a location.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LocationStockView {
    /// Where.
    pub location: LocationId,
    /// How it stands, counting what may be sold before it is there.
    pub state: StockState,
    /// The units there.
    pub units: i64,
    /// The units of each part of the level. Parts beyond the count that the
    /// policy says are not sold before they are spread.
    pub parts: Vec<i64>,
}

impl From<Movement> for StockMovementView {
    fn from(movement: Movement) -> Self {
        let changes = movement.changes.into_iter().map(|it| StockChangeView {
            location: it.location,
            part: it.shard,
            units: it.units,
        });
        Self {
            id: movement.id,
            sku: movement.sku,
            kind: movement.kind,
            changes: changes.collect(),
            note: movement.note,
            at: movement.at,
        }
    }
}
