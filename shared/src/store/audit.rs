//! Whole tables, for audits and tools on one machine: no function is permitted
//! to scan, and none may need to.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64;
use serde_json::Value;

use crate::{
    messages::Envelope,
    model::{
        alert::Alert,
        contact::Contacts,
        customer::CustomerId,
        dispatch::Dispatch,
        id::PaymentId,
        order::{LevelPart, Order},
        points::{Claim, Entry, Ledger, Undone},
        product::Sku,
        stock::LocationId,
        survey::Invite,
        ticket::Ticket,
    },
};

use super::{
    Item, SENDS, Sends, Store, StoreError, Table, alerts,
    contacts::contacts_from_item,
    item::StoredError,
    key::{ENTRY_PREFIX, LEVEL_PREFIX, MOVEMENT_PREFIX, PK, SK, UNDONE_PREFIX},
    orders,
    payments::PaymentHistory,
    points::{earning_from_item, entry_from_item, ledger_from_item, undone_from_item},
    read::{key_of, text},
    shipments, stock,
    surveys::invite_from_item,
    tickets,
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
#[derive(Debug, Default)]
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
#[derive(Debug, Default)]
pub struct AllSurveys {
    /// Every invitation.
    pub invites: Vec<Invite>,
    /// Every record of contacts.
    pub contacts: Vec<Contacts>,
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
            AttributeValue::B(bytes) => AttributeValue::S(BASE64.encode(bytes.as_ref())),
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
            let (pk, sk) = key_of(&item).unwrap_or_default();
            if sk.starts_with(MOVEMENT_PREFIX) {
                let movement = stock::movement_from_item(&item)?;
                for change in movement.changes {
                    let part = (movement.sku.clone(), change.location, change.shard);
                    all.entry(part).or_default().moved += change.units;
                }
            } else if let Some(location) = sk.strip_prefix(LEVEL_PREFIX) {
                let (sku, shard) = pk.split_once('#').unwrap_or((&pk, "0"));
                let sku = Sku::parse(sku).map_err(|_| odd("stock"))?;
                let location = LocationId::parse(location).map_err(|_| odd("stock"))?;
                let shard = shard.parse().map_err(|_| odd("stock"))?;
                let units = stock::available_from_item(&item)?;
                all.entry((sku, location, shard)).or_default().available = units;
            }
        }
        Ok(all)
    }

    /// Every attempt to pay that anything is known of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_payments(&self) -> Result<Vec<PaymentHistory>, StoreError> {
        let mut ids: Vec<PaymentId> = Vec::new();
        for item in self.scan(Table::Payments).await? {
            // The table holds cases and breakers, too.
            let (pk, _) = key_of(&item).unwrap_or_default();
            ids.extend(PaymentId::parse(&pk));
        }
        ids.sort_unstable();
        ids.dedup();
        let mut all = Vec::with_capacity(ids.len());
        for id in &ids {
            all.push(self.payment(id).await?);
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

    /// Every alert about a delivery.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_alerts(&self) -> Result<Vec<Alert>, StoreError> {
        let items = self.scan(Table::Shipments).await?;
        items.iter().filter(|item| alerts::is_alert(item)).map(alerts::from_item).collect()
    }

    /// Every ledger, every entry, and what was undone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_points(&self) -> Result<AllPoints, StoreError> {
        let mut all = AllPoints::default();
        for item in self.scan(Table::Points).await? {
            let sk = text(&item, SK).unwrap_or_default();
            if sk.starts_with(ENTRY_PREFIX) {
                let entry = entry_from_item(&item)?;
                let earning = earning_from_item(&item)?;
                all.claims.extend(earning.map(|it| (entry.customer.clone(), it.claim)));
                all.entries.push(entry);
            } else if sk.starts_with(UNDONE_PREFIX) {
                all.undone.push(undone_from_item(&item)?);
            } else if sk == "ACCOUNT" {
                all.ledgers.push(ledger_from_item(&item)?);
            }
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
            match text(&item, SK).as_deref() {
                Some("CONTACTS") => all.contacts.push(contacts_from_item(&item)?),
                Some("INVITE") => all.invites.push(invite_from_item(&item)?),
                _ => {}
            }
        }
        Ok(all)
    }

    /// Every ticket.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_tickets(&self) -> Result<Vec<Ticket>, StoreError> {
        let items = self.scan(Table::Tickets).await?;
        let is_ticket = |item: &&Item| text(item, SK).as_deref() == Some("TICKET");
        items.iter().filter(is_ticket).map(tickets::from_item).collect()
    }

    /// The messages that items of any table carry now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_sends(&self) -> Result<Vec<Envelope>, StoreError> {
        let mut all = Vec::new();
        for table in Table::ALL.into_iter().filter(|table| table.sends()) {
            for item in self.scan(table).await? {
                if let Some(sends) = text(&item, SENDS) {
                    all.extend(Sends::parse(&sends).map_err(|_| odd("list of messages"))?);
                }
            }
        }
        Ok(all)
    }

    async fn scan(&self, table: Table) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let call = self.client.scan().table_name(self.name(table)?).consistent_read(true);
            let answer =
                call.set_exclusive_start_key(start).send().await.map_err(|error| {
                    StoreError::Call { operation: "Scan", source: Box::new(error) }
                })?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                items.sort_by_cached_key(|item| (text(item, PK), text(item, SK)));
                return Ok(items);
            }
        }
    }
}

fn odd(what: &'static str) -> StoreError {
    StoreError::Stored { what, source: StoredError::Range }
}
