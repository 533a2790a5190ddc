//! Whole tables, for audits and tools on one machine: no function is permitted
//! to scan, and none may need to.

mod books;

pub use books::{AnswersKey, Books, QuotaKey};

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_dynamo::AttributeValue;
use serde_json::Value;

use crate::model::{
    contact::Contacts,
    customer::CustomerId,
    dispatch::Dispatch,
    order::{LevelPart, Order},
    points::{Claim, Entry, Ledger, Undone},
    product::Sku,
    stock::LocationId,
    survey::Invite,
};

use super::{
    Item, Store, StoreError, Table, call_failed,
    contacts::contacts_from_item,
    item::StoredError,
    key::{ENTRY_PREFIX, LEVEL_PREFIX, MOVEMENT_PREFIX, PK, SK, UNDONE_PREFIX},
    orders,
    points::{earning_from_item, entry_from_item, ledger_from_item, undone_from_item},
    read::{key_of, text},
    shipments, stock,
    surveys::invite_from_item,
    wire::{GotPage, Scan},
};

/// What came into a part of a level and what is left of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stock {
    /// The units that came in, less those that went out other than by orders.
    pub moved: i64,
    /// The units that may be sold.
    pub available: i64,
}

/// Everything in the tables of points.
#[derive(Debug, Clone, Default)]
pub struct AllPoints {
    /// Every ledger.
    pub ledgers: Vec<Ledger>,
    /// Every entry.
    pub entries: Vec<Entry>,
    /// How the points stand that orders earned.
    pub claims: Vec<(CustomerId, Claim)>,
    /// What was undone of the points of orders.
    pub undone: Vec<Undone>,
}

/// Everything in the table of surveys.
#[derive(Debug, Clone, Default)]
pub struct AllSurveys {
    /// Every invitation.
    pub invites: Vec<Invite>,
    /// Every record of contacts.
    pub contacts: Vec<Contacts>,
}

impl AllPoints {
    fn note(&mut self, item: &Item) -> Result<(), StoreError> {
        let sk = text(item, SK).unwrap_or_default();
        if sk.starts_with(ENTRY_PREFIX) {
            let entry = entry_from_item(item)?;
            let earning = earning_from_item(item)?;
            self.claims.extend(earning.map(|it| (entry.customer.clone(), it.claim)));
            self.entries.push(entry);
        } else if sk.starts_with(UNDONE_PREFIX) {
            self.undone.push(undone_from_item(item)?);
        } else if sk == "ACCOUNT" {
            self.ledgers.push(ledger_from_item(item)?);
        }
        Ok(())
    }
}

impl AllSurveys {
    fn note(&mut self, item: &Item) -> Result<(), StoreError> {
        match text(item, SK).as_deref() {
            Some("CONTACTS") => self.contacts.push(contacts_from_item(item)?),
            Some("INVITE") => self.invites.push(invite_from_item(item)?),
            _ => {}
        }
        Ok(())
    }
}

impl Store {
    /// Every item of a table as JSON, in the order of its keys: two tables
    /// that hold the same are the same.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dump(&self, table: Table) -> Result<Vec<Value>, StoreError> {
        // JSON has no bytes: they are written in base 64.
        let written = |value: &AttributeValue| match value {
            AttributeValue::B(bytes) => AttributeValue::S(BASE64.encode(bytes)),
            value => value.clone(),
        };
        let plain = |item: &Item| {
            let item = item.iter().map(|(name, value)| (name.clone(), written(value)));
            serde_dynamo::from_item(item.collect::<Item>())
        };
        let items = self.scan(table).await?;
        items.iter().map(|item| plain(item).map_err(|_| odd(table.name()))).collect()
    }

    /// Every order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_orders(&self) -> Result<Vec<Order>, StoreError> {
        self.scan(Table::Orders).await?.iter().map(orders::from_item).collect()
    }

    /// The stock of every part of every level.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_stock(&self) -> Result<BTreeMap<LevelPart, Stock>, StoreError> {
        let mut all: BTreeMap<LevelPart, Stock> = BTreeMap::new();
        for item in self.scan(Table::Stock).await? {
            note_stock(&mut all, &item)?;
        }
        Ok(all)
    }

    /// The shipments of every order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_dispatches(&self) -> Result<Vec<Dispatch>, StoreError> {
        let items = self.scan(Table::Shipments).await?;
        items.iter().filter(|item| shipments::is_dispatch(item)).map(shipments::from_item).collect()
    }

    /// Every ledger, every entry, and what was undone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_points(&self) -> Result<AllPoints, StoreError> {
        let mut all = AllPoints::default();
        for item in self.scan(Table::Points).await? {
            all.note(&item)?;
        }
        Ok(all)
    }

    /// Every invitation and record of contacts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_surveys(&self) -> Result<AllSurveys, StoreError> {
        let mut all = AllSurveys::default();
        for item in self.scan(Table::Surveys).await? {
            all.note(&item)?;
        }
        Ok(all)
    }

    async fn scan(&self, table: Table) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let scan = Scan {
                table_name: self.name(table)?,
                consistent_read: true,
                exclusive_start_key: start,
            };
            let page: Result<GotPage, _> = self.client.call("Scan", &scan).await;
            let page = page.map_err(call_failed("Scan"))?;
            items.extend(page.items);
            start = page.last_evaluated_key;
            if start.is_none() {
                items.sort_by_cached_key(|item| (text(item, PK), text(item, SK)));
                return Ok(items);
            }
        }
    }
}

/// Adds what an item says of the stock of a part of a level.
fn note_stock(all: &mut BTreeMap<LevelPart, Stock>, item: &Item) -> Result<(), StoreError> {
    let (pk, sk) = key_of(item).unwrap_or_default();
    if sk.starts_with(MOVEMENT_PREFIX) {
        let movement = stock::movement_from_item(item)?;
        for change in movement.changes {
            let part = (movement.sku.clone(), change.location, change.shard);
            all.entry(part).or_default().moved += change.units;
        }
    } else if let Some(location) = sk.strip_prefix(LEVEL_PREFIX) {
        let (sku, shard) = pk.split_once('#').unwrap_or((&pk, "0"));
        let sku = Sku::parse(sku).map_err(|_| odd("stock"))?;
        let location = LocationId::parse(location).map_err(|_| odd("stock"))?;
        let shard = shard.parse().map_err(|_| odd("stock"))?;
        all.entry((sku, location, shard)).or_default().available =
            stock::available_from_item(item)?;
    }
    Ok(())
}

fn odd(what: &'static str) -> StoreError {
    StoreError::Stored { what, source: StoredError::Range }
}
