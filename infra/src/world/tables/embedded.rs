//! The embedded database, which honours what DynamoDB does in all the ways
//! that its documentation has.

use std::{collections::HashMap, sync::Arc};

use aftercart::store::Table;
use dynoxide::{
    Database, DynoxideError,
    actions::{
        get_item::GetItemRequest, put_item::PutItemRequest, scan::ScanRequest,
        transact_write_items::TransactWriteItemsRequest, update_item::UpdateItemRequest,
    },
    types::{AttributeValue, ConsumedCapacity, Item},
};
use serde_json::{Value, json};

use super::{Cost, Request, Tabled, deployed, named, shelf::Shelf};

/// Asks what an operation cost.
const TOTAL: &str = "TOTAL";

/// All tables.
pub(super) struct Embedded {
    database: Database,
}

impl Embedded {
    /// Every table of the store, empty, with its indexes.
    pub(super) fn new() -> Result<Self, DynoxideError> {
        let database = Database::memory()?;
        for table in Table::ALL {
            let request = serde_json::from_value(definition(table)).map_err(|error| {
                DynoxideError::InternalServerError(format!("the definition of {table:?}: {error}"))
            })?;
            database.create_table(request)?;
        }
        Ok(Self { database })
    }

    /// Another database with the same items.
    pub(super) fn copy(&self) -> Result<Self, DynoxideError> {
        let copy = Self::new()?;
        for table in Table::ALL {
            for item in self.items(table)? {
                let table_name = deployed(table);
                let put = PutItemRequest { table_name, item, ..PutItemRequest::default() };
                copy.database.put_item(put)?;
            }
        }
        Ok(copy)
    }

    /// Quick tables with the same items.
    pub(super) fn shelf(&self) -> Result<Shelf, DynoxideError> {
        let shelf = Shelf::new();
        for table in Table::ALL {
            for item in self.items(table)? {
                shelf.lay(table, item)?;
            }
        }
        Ok(shelf)
    }

    /// Every item of a table.
    fn items(&self, table: Table) -> Result<Vec<Item>, DynoxideError> {
        let (mut items, mut exclusive_start_key) = (Vec::new(), None);
        loop {
            let table_name = deployed(table);
            let scan = ScanRequest { table_name, exclusive_start_key, ..ScanRequest::default() };
            let page = self.database.scan(scan)?;
            items.extend(page.items.unwrap_or_default());
            exclusive_start_key = page.last_evaluated_key;
            if exclusive_start_key.is_none() {
                return Ok(items);
            }
        }
    }

    pub(super) fn apply(&self, request: Request) -> Tabled {
        let total = || Some(TOTAL.to_owned());
        match request {
            Request::Put(mut request) => {
                request.return_consumed_capacity = total();
                self.put(*request)
            }
            Request::Update(mut request) => {
                request.return_consumed_capacity = total();
                self.update(*request)
            }
            Request::Transact(mut request) => {
                request.return_consumed_capacity = total();
                self.transact(request)
            }
            Request::Get(mut request) => {
                request.return_consumed_capacity = total();
                let response = self.database.get_item(request)?;
                read(&response, response.consumed_capacity.iter())
            }
            Request::Batch(mut request) => {
                request.return_consumed_capacity = total();
                let response = self.database.batch_get_item(request)?;
                read(&response, response.consumed_capacity.iter().flatten())
            }
            Request::Query(mut request) => {
                request.return_consumed_capacity = total();
                let response = self.database.query(*request)?;
                read(&response, response.consumed_capacity.iter())
            }
            Request::Scan(mut request) => {
                request.return_consumed_capacity = total();
                let response = self.database.scan(*request)?;
                read(&response, response.consumed_capacity.iter())
            }
        }
    }

    fn put(&self, request: PutItemRequest) -> Tabled {
        let (name, image) = (request.table_name.clone(), request.item.clone());
        let response = self.database.put_item(request)?;
        written(&response, response.consumed_capacity.iter(), vec![(name, image)])
    }

    fn update(&self, request: UpdateItemRequest) -> Tabled {
        let (name, key) = (request.table_name.clone(), request.key.clone());
        let response = self.database.update_item(request)?;
        let image = if sends(&name) { self.item(&name, key)? } else { None };
        let images = image.map(|image| (name, image)).into_iter().collect();
        written(&response, response.consumed_capacity.iter(), images)
    }

    fn transact(&self, request: TransactWriteItemsRequest) -> Tabled {
        let items = request.transact_items.iter();
        let touched: Vec<(String, Option<Item>, Item)> = items
            .filter_map(|item| match (&item.put, &item.update) {
                (Some(put), _) => {
                    Some((put.table_name.clone(), Some(put.item.clone()), Item::default()))
                }
                (_, Some(update)) => Some((update.table_name.clone(), None, update.key.clone())),
                _ => None,
            })
            .collect();
        let response = self.database.transact_write_items(request)?;
        let mut images = Vec::new();
        for (name, image, key) in touched {
            let image = match image {
                Some(image) => Some(image),
                None if sends(&name) => self.item(&name, key)?,
                None => None,
            };
            images.extend(image.map(|image| (name, image)));
        }
        written(&response, response.consumed_capacity.iter().flatten(), images)
    }

    fn item(
        &self,
        name: &str,
        key: HashMap<String, AttributeValue>,
    ) -> Result<Option<Item>, DynoxideError> {
        let request = GetItemRequest {
            table_name: name.to_owned(),
            key,
            consistent_read: Some(true),
            ..GetItemRequest::default()
        };
        Ok(self.database.get_item(request)?.item)
    }
}

fn sends(name: &str) -> bool {
    named(name).is_some_and(Table::sends)
}

fn read<'a>(
    response: &impl serde::Serialize,
    consumed: impl Iterator<Item = &'a ConsumedCapacity>,
) -> Tabled {
    Ok((body(response)?, Cost { write_halves: 0, read_halves: halves(consumed) }, Vec::new()))
}

fn written<'a>(
    response: &impl serde::Serialize,
    consumed: impl Iterator<Item = &'a ConsumedCapacity>,
    images: Vec<(String, Item)>,
) -> Tabled {
    let images = images.into_iter();
    let images = images.filter_map(|(name, image)| Some((named(&name)?, Arc::new(image))));
    let cost = Cost { write_halves: halves(consumed), read_halves: 0 };
    Ok((body(response)?, cost, images.collect()))
}

fn body(response: &impl serde::Serialize) -> Result<Value, DynoxideError> {
    serde_json::to_value(response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

#[expect(clippy::float_arithmetic, reason = "DynamoDB counts in multiples of one half")]
fn halves<'a>(consumed: impl Iterator<Item = &'a ConsumedCapacity>) -> u64 {
    let sum: f64 = consumed.map(|capacity| capacity.capacity_units).sum();
    #[expect(clippy::as_conversions, reason = "a small count, never negative")]
    let halves = (sum * 2.0).round() as u64;
    halves
}

fn definition(table: Table) -> Value {
    let mut attributes = vec!["pk", "sk"];
    let mut indexes = Vec::new();
    for (index, partition, range) in table.indexes() {
        attributes.extend([*partition, *range]);
        indexes.push(json!({
            "IndexName": index.name(),
            "KeySchema": schema(partition, range),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }));
    }
    attributes.sort_unstable();
    attributes.dedup();
    let attributes: Vec<Value> = attributes
        .into_iter()
        .map(|name| json!({ "AttributeName": name, "AttributeType": "S" }))
        .collect();
    let mut definition = json!({
        "TableName": deployed(table),
        "KeySchema": schema("pk", "sk"),
        "AttributeDefinitions": attributes,
        "BillingMode": "PAY_PER_REQUEST",
    });
    if let (false, Some(fields)) = (indexes.is_empty(), definition.as_object_mut()) {
        fields.insert("GlobalSecondaryIndexes".to_owned(), indexes.into());
    }
    definition
}

fn schema(partition: &str, range: &str) -> Value {
    json!([
        { "AttributeName": partition, "KeyType": "HASH" },
        { "AttributeName": range, "KeyType": "RANGE" },
    ])
}
