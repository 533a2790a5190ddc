//! DynamoDB, in memory: typed requests to an embedded database, and the
//! changes that its streams tell of.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aftercart::store::{Index, Op, SENDS, Table};
use dynoxide::{
    Database, DynoxideError,
    actions::{
        batch_get_item::BatchGetItemRequest, get_item::GetItemRequest, put_item::PutItemRequest,
        query::QueryRequest, scan::ScanRequest, transact_write_items::TransactWriteItemsRequest,
        update_item::UpdateItemRequest,
    },
    types::{AttributeValue, ConsumedCapacity, Item, item_size},
};
use serde_json::{Value, json};

use super::permit::Action;

/// The name that a table is deployed under.
pub(super) fn deployed(table: Table) -> String {
    format!("aftercart-{}", table.name())
}

fn named(name: &str) -> Option<Table> {
    Table::ALL.into_iter().find(|table| deployed(*table) == name)
}

/// Whether a change of an item of a table is for the reader of a stream.
type Filter = fn(Table, &Item) -> bool;

/// The functions that read streams, each with the filter of its mappings in
/// template.yaml: the relay reads what carries messages, the other the levels
/// of stock.
pub(super) const READERS: [(&str, Filter); 2] = [
    ("relay", |_, image| image.contains_key(SENDS)),
    ("stock-watch", |table, image| {
        let sort = image.get("sk");
        let level = matches!(sort, Some(AttributeValue::S(sk)) if sk.starts_with("LEVEL#"));
        table == Table::Stock && level
    }),
];

/// A change of an item that a function reads of.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// Which function.
    pub(super) reader: &'static str,
    /// Of which table.
    pub(super) table: Table,
    /// Its place in the streams of this world.
    pub(super) sequence: u64,
    /// The item as it became.
    pub(super) image: Value,
}

/// The tables.
pub(super) struct Tables {
    database: Database,
    /// Writes take this lock, so that an image is what its write made.
    changes: Mutex<Changes>,
}

#[derive(Clone, Default)]
struct Changes {
    waiting: Vec<Change>,
    count: u64,
}

/// What an operation cost, in halves of a unit: eventually consistent reads
/// cost half a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) write_halves: u64,
    pub(super) read_halves: u64,
}

/// A request, read.
pub(super) enum Request {
    Put(Box<PutItemRequest>),
    Update(Box<UpdateItemRequest>),
    Transact(TransactWriteItemsRequest),
    Get(GetItemRequest),
    Batch(BatchGetItemRequest),
    Query(Box<QueryRequest>),
    Scan(Box<ScanRequest>),
}

type Answered = Result<(Value, Cost), DynoxideError>;

/// What a write cost whose conditions did not hold: DynamoDB charges for the
/// item that it met, as for a write, and for each of a transaction twice. Of a
/// transaction's items that did not lose none is told: they count as a kilobyte.
pub(super) fn lost(error: &DynoxideError) -> Cost {
    let units = |item: Option<&Item>| {
        let bytes = item.map(item_size).unwrap_or_default();
        u64::try_from(bytes.div_ceil(1_024).max(1)).unwrap_or(u64::MAX)
    };
    let lost = match error {
        DynoxideError::ConditionalCheckFailedException(_, item) => units(item.as_ref()),
        DynoxideError::TransactionCanceledException(_, reasons) => {
            reasons.iter().map(|reason| units(reason.item.as_ref())).sum::<u64>() * 2
        }
        _ => 0,
    };
    Cost { write_halves: lost * 2, read_halves: 0 }
}

/// Asks what an operation cost.
const TOTAL: &str = "TOTAL";

impl Request {
    pub(super) fn parse(operation: &str, body: &[u8]) -> Result<Self, String> {
        let read = match operation {
            "PutItem" => serde_json::from_slice(body).map(|r| Self::Put(Box::new(r))),
            "UpdateItem" => serde_json::from_slice(body).map(|r| Self::Update(Box::new(r))),
            "TransactWriteItems" => serde_json::from_slice(body).map(Self::Transact),
            "GetItem" => serde_json::from_slice(body).map(Self::Get),
            "BatchGetItem" => serde_json::from_slice(body).map(Self::Batch),
            "Query" => serde_json::from_slice(body).map(|r| Self::Query(Box::new(r))),
            "Scan" => serde_json::from_slice(body).map(|r| Self::Scan(Box::new(r))),
            other => return Err(format!("the operation {other} is not known here")),
        };
        read.map_err(|error| format!("a request of {operation} is malformed: {error}"))
    }

    /// What a role must permit for this request. A transaction needs what its
    /// actions need.
    pub(super) fn actions(&self) -> Vec<Action> {
        let on = |op: Op, name: &str| match named(name) {
            Some(table) => Action::Table(op, table),
            None => Action::Other(format!("{} {name}", op.name())),
        };
        match self {
            Self::Put(request) => vec![on(Op::PutItem, &request.table_name)],
            Self::Update(request) => vec![on(Op::UpdateItem, &request.table_name)],
            Self::Get(request) => vec![on(Op::GetItem, &request.table_name)],
            Self::Batch(request) => {
                request.request_items.keys().map(|name| on(Op::BatchGetItem, name)).collect()
            }
            Self::Query(request) => {
                let index = request.index_name.as_deref().and_then(index_named);
                match (index, named(&request.table_name)) {
                    (Some(index), Some(table)) => vec![Action::Index(table, index)],
                    _ => vec![on(Op::Query, &request.table_name)],
                }
            }
            Self::Scan(request) => vec![Action::Other(format!("Scan {}", request.table_name))],
            Self::Transact(request) => {
                let put = |name: &str| on(Op::PutItem, name);
                let update = |name: &str| on(Op::UpdateItem, name);
                let items = request.transact_items.iter();
                items
                    .map(|item| match (&item.put, &item.update) {
                        (Some(item), _) => put(&item.table_name),
                        (_, Some(item)) => update(&item.table_name),
                        _ => Action::Other("a delete or check in a transaction".to_owned()),
                    })
                    .collect()
            }
        }
    }
}

fn index_named(name: &str) -> Option<Index> {
    [Index::ByTime, Index::ByDue].into_iter().find(|index| index.name() == name)
}

impl Tables {
    /// Every table of the store, empty, with its indexes.
    pub(super) fn create() -> Result<Self, DynoxideError> {
        let database = Database::memory()?;
        for table in Table::ALL {
            let request = serde_json::from_value(definition(table)).map_err(|error| {
                DynoxideError::InternalServerError(format!("the definition of {table:?}: {error}"))
            })?;
            database.create_table(request)?;
        }
        Ok(Self { database, changes: Mutex::default() })
    }

    /// Other tables with the same items and the same changes to tell.
    pub(super) fn copy(&self) -> Result<Self, DynoxideError> {
        let copy = Self::create()?;
        let changes = self.writing();
        for table_name in Table::ALL.map(deployed) {
            let mut exclusive_start_key = None;
            loop {
                let scan = ScanRequest {
                    table_name: table_name.clone(),
                    exclusive_start_key,
                    ..ScanRequest::default()
                };
                let page = self.database.scan(scan)?;
                for item in page.items.unwrap_or_default() {
                    let table_name = table_name.clone();
                    let put = PutItemRequest { table_name, item, ..PutItemRequest::default() };
                    copy.database.put_item(put)?;
                }
                exclusive_start_key = page.last_evaluated_key;
                if exclusive_start_key.is_none() {
                    break;
                }
            }
        }
        *copy.writing() = changes.clone();
        Ok(copy)
    }

    pub(super) fn apply(&self, request: Request) -> Answered {
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

    fn put(&self, request: PutItemRequest) -> Answered {
        let (name, image) = (request.table_name.clone(), request.item.clone());
        let mut changes = self.writing();
        let response = self.database.put_item(request)?;
        changes.note(&name, &image);
        written(&response, response.consumed_capacity.iter())
    }

    fn update(&self, request: UpdateItemRequest) -> Answered {
        let (name, key) = (request.table_name.clone(), request.key.clone());
        let mut changes = self.writing();
        let response = self.database.update_item(request)?;
        if sends(&name)
            && let Some(image) = self.item(&name, key)?
        {
            changes.note(&name, &image);
        }
        written(&response, response.consumed_capacity.iter())
    }

    fn transact(&self, request: TransactWriteItemsRequest) -> Answered {
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
        let mut changes = self.writing();
        let response = self.database.transact_write_items(request)?;
        for (name, image, key) in touched {
            let image = match image {
                Some(image) => Some(image),
                None if sends(&name) => self.item(&name, key)?,
                None => None,
            };
            if let Some(image) = image {
                changes.note(&name, &image);
            }
        }
        written(&response, response.consumed_capacity.iter().flatten())
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

    /// Takes the changes that the streams have not told yet.
    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.writing().waiting)
    }

    /// Puts changes back that could not be told, before those that came since.
    pub(super) fn put_back(&self, mut changes: Vec<Change>) {
        let mut held = self.writing();
        changes.append(&mut held.waiting);
        held.waiting = changes;
    }

    /// The changes that the streams have not told yet.
    pub(super) fn waiting(&self) -> Vec<Change> {
        self.writing().waiting.clone()
    }

    fn writing(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    /// Each reader's mappings let only the changes through that it is for.
    fn note(&mut self, name: &str, image: &Item) {
        let Some(table) = named(name).filter(|table| table.sends()) else { return };
        for (reader, _) in READERS.iter().filter(|(_, reads)| reads(table, image)) {
            self.count += 1;
            let (sequence, image) = (self.count, json!(image));
            self.waiting.push(Change { reader, table, sequence, image });
        }
    }
}

fn sends(name: &str) -> bool {
    named(name).is_some_and(Table::sends)
}

fn read<'a>(
    response: &impl serde::Serialize,
    consumed: impl Iterator<Item = &'a ConsumedCapacity>,
) -> Answered {
    Ok((body(response)?, Cost { write_halves: 0, read_halves: halves(consumed) }))
}

fn written<'a>(
    response: &impl serde::Serialize,
    consumed: impl Iterator<Item = &'a ConsumedCapacity>,
) -> Answered {
    Ok((body(response)?, Cost { write_halves: halves(consumed), read_halves: 0 }))
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
