//! How much there is of each SKU, and what came in.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::model::{
    product::{Receipt, Sku},
    time::Timestamp,
};

use super::{
    Key, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, from_item, stored},
};

const AVAILABLE: &str = "av";
const SCHEMA: &str = "v";

#[derive(Serialize, Deserialize)]
struct StoredReceipt {
    v: u32,
    q: u32,
    at: Timestamp,
}
stored!(StoredReceipt, "receipt", 1);

#[derive(Serialize, Deserialize)]
struct StoredLevel {
    v: u32,
    av: i64,
}
stored!(StoredLevel, "stock level", 1);

/// Takes units out of stock. Loses when fewer are there, or none ever came.
#[must_use]
pub fn take(sku: &Sku, quantity: u32) -> Write {
    let quantity = i64::from(quantity);
    let change = Change::default().add(AVAILABLE, -quantity);
    Write::update(Key::level(sku), change, &Sends::none())
        .when(Condition::AtLeast(AVAILABLE, quantity))
}

/// Gives units back that an order had taken. Belongs into the commit that ends
/// the order, which happens once.
#[must_use]
pub fn give_back(sku: &Sku, quantity: u32) -> Write {
    let change = Change::default().add(AVAILABLE, i64::from(quantity));
    Write::update(Key::level(sku), change, &Sends::none()).when(Condition::Exists)
}

/// Notes a receipt, unless it is noted already. Its units come in by [`add`]
/// in the same commit.
#[must_use]
pub fn receive(receipt: &Receipt) -> Write {
    let form = StoredReceipt { v: 1, q: receipt.quantity, at: receipt.at };
    Write::put(Key::receipt(&receipt.sku, &receipt.id), &form, &Sends::none())
        .when(Condition::Absent)
}

/// Adds the units of a receipt.
#[must_use]
pub fn add(receipt: &Receipt) -> Write {
    let change = Change::default()
        .add(AVAILABLE, i64::from(receipt.quantity))
        .set(SCHEMA, AttributeValue::N("1".to_owned()));
    Write::update(Key::level(&receipt.sku), change, &Sends::none())
}

/// The quantity and time of the receipt in an item that a
/// [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn receipt_from_item(item: &Item) -> Result<(u32, Timestamp), StoreError> {
    from_item(item).map(|form: StoredReceipt| (form.q, form.at))
}

/// How many units the level in an item has, such as the one that a
/// [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn available_from_item(item: &Item) -> Result<i64, StoreError> {
    from_item(item).map(|form: StoredLevel| form.av)
}

impl Store {
    /// How many units of a SKU may be sold.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn available(&self, sku: &Sku) -> Result<i64, StoreError> {
        let item = self.get(&Key::level(sku)).await?;
        item.as_ref().map_or(Ok(0), available_from_item)
    }
}
