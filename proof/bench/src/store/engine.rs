//! The database, and what its writes change.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{BufReader, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use aftercart::store::{SENDS, Table};
use dynoxide::{
    Database, DynoxideError,
    actions::{
        get_item::GetItemRequest, put_item::PutItemRequest,
        transact_write_items::TransactWriteItemsRequest, update_item::UpdateItemRequest,
    },
    types::Item,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{BenchError, failure::Trying as _};

use super::{Durability, Settings};

/// The name that a table is deployed under.
#[must_use]
pub fn deployed(table: Table) -> String {
    format!("aftercart-{}", table.name())
}

fn named(name: &str) -> Option<Table> {
    let name = name.strip_prefix("aftercart-")?;
    Table::ALL.into_iter().find(|table| table.name() == name)
}

/// A change of an item that carries messages.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Change {
    /// Its place in the streams.
    sequence: u64,
    /// The table's own name.
    table: &'static str,
    /// The item as it became.
    item: Item,
}

/// What came of a request.
pub(super) struct Applied {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// Whether the answer tells of a write.
    pub(super) waits: bool,
    pub(super) changes: Vec<(Table, Item)>,
}

#[derive(Default)]
struct Stream {
    count: u64,
    waiting: VecDeque<Change>,
}

/// The tables.
pub(super) struct Engine {
    database: Database,
    log: Option<Log>,
    stream: Mutex<Stream>,
}

/// A log of requests.
struct Log {
    path: PathBuf,
    /// Writes take this lock, so that the log has them in the order in which
    /// they were applied.
    file: Mutex<File>,
    /// Whether requests are written to it, or the database does so itself.
    of_requests: bool,
}

type Answered = Result<Vec<u8>, DynoxideError>;

impl Engine {
    /// New tables, empty, as the settings want them.
    pub(super) fn open(settings: &Settings) -> Result<Self, BenchError> {
        let Settings { folder, durability } = settings;
        std::fs::create_dir_all(folder).trying("make the folder of the store")?;
        let (database, log) = match durability {
            Durability::Memory => (Database::memory(), None),
            Durability::Logged => (Database::memory(), Some((folder.join("requests.log"), true))),
            Durability::Synced | Durability::Written => {
                let path = folder.join("tables.db");
                // What is not synced by us is not synced at all.
                let log = (*durability == Durability::Synced)
                    .then(|| (folder.join("tables.db-wal"), false));
                (Database::new(&path.to_string_lossy()), log)
            }
        };
        let database = database.trying("open the database")?;
        for table in Table::ALL {
            create(&database, table)?;
        }
        // SQLite then leaves it to us to wait for the disk after each commit.
        // Its own waits, before the log is copied into the file and after, stay.
        database.disable_bulk_loading().trying("set up the database")?;
        let log = log.map(|(path, of_requests)| Log::open(path, of_requests)).transpose()?;
        Ok(Self { database, log, stream: Mutex::default() })
    }

    /// The file that has to reach the disk, if any has to.
    pub(super) fn log(&self) -> Option<File> {
        OpenOptions::new().append(true).open(&self.log.as_ref()?.path).ok()
    }

    /// Applies a request.
    pub(super) fn apply(&self, operation: &str, body: &[u8]) -> Applied {
        let mut changes = Vec::new();
        let writes = matches!(operation, "PutItem" | "UpdateItem" | "TransactWriteItems");
        let log = self.log.as_ref().filter(|log| writes && log.of_requests);
        let answered = match log {
            None => self.answer(operation, body, &mut changes),
            Some(log) => {
                let mut file = log.file.lock().unwrap_or_else(PoisonError::into_inner);
                let answered = self.answer(operation, body, &mut changes);
                match answered {
                    Ok(answer) => append(&mut file, operation, body).map(|()| answer),
                    refused => refused,
                }
            }
        };
        match answered {
            Ok(body) => Applied { status: 200, body, waits: writes, changes },
            Err(error) => {
                let body = error.to_json().into_bytes();
                Applied { status: error.status_code(), body, waits: writes, changes }
            }
        }
    }

    fn answer(&self, operation: &str, body: &[u8], changes: &mut Vec<(Table, Item)>) -> Answered {
        let database = &self.database;
        match operation {
            "GetItem" => told(&database.get_item(parsed(body)?)?),
            "BatchGetItem" => told(&database.batch_get_item(parsed(body)?)?),
            "Query" => told(&database.query(parsed(body)?)?),
            "Scan" => told(&database.scan(parsed(body)?)?),
            "PutItem" => {
                let request: PutItemRequest = parsed(body)?;
                let carried = carried(&request.table_name, &request.item);
                let response = database.put_item(request)?;
                changes.extend(carried);
                told(&response)
            }
            "UpdateItem" => {
                let request: UpdateItemRequest = parsed(body)?;
                let (name, key) = (request.table_name.clone(), request.key.clone());
                let response = database.update_item(request)?;
                changes.extend(self.changed(&name, key)?);
                told(&response)
            }
            "TransactWriteItems" => self.transact(parsed(body)?, changes),
            other => {
                let message = format!("the operation {other} is not known here");
                Err(DynoxideError::ValidationException(message))
            }
        }
    }

    fn transact(
        &self,
        request: TransactWriteItemsRequest,
        changes: &mut Vec<(Table, Item)>,
    ) -> Answered {
        let (mut put, mut updated) = (Vec::new(), Vec::new());
        for item in &request.transact_items {
            if let Some(item) = &item.put {
                put.extend(carried(&item.table_name, &item.item));
            }
            if let Some(item) = &item.update {
                updated.push((item.table_name.clone(), item.key.clone()));
            }
        }
        let response = self.database.transact_write_items(request)?;
        changes.append(&mut put);
        for (name, key) in updated {
            changes.extend(self.changed(&name, key)?);
        }
        told(&response)
    }

    /// The item as it is after an update, if it carries messages.
    fn changed(&self, name: &str, key: Item) -> Result<Option<(Table, Item)>, DynoxideError> {
        if !named(name).is_some_and(Table::sends) {
            return Ok(None);
        }
        let table_name = name.to_owned();
        let request = GetItemRequest { table_name, key, ..GetItemRequest::default() };
        let item = self.database.get_item(request)?.item;
        Ok(item.and_then(|item| carried(name, &item)))
    }

    /// Tells changes to the streams.
    pub(super) fn release(&self, changes: Vec<(Table, Item)>) {
        let mut stream = self.stream();
        for (table, item) in changes {
            stream.count += 1;
            let (sequence, table) = (stream.count, table.name());
            stream.waiting.push_back(Change { sequence, table, item });
        }
    }

    /// Takes the first changes that were not told yet.
    pub(super) fn take(&self, most: usize) -> Vec<Change> {
        let mut stream = self.stream();
        let count = stream.waiting.len().min(most);
        stream.waiting.drain(..count).collect()
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that the relay's filter lets through: an item that carries messages.
fn carried(name: &str, item: &Item) -> Option<(Table, Item)> {
    let table = named(name).filter(|table| table.sends())?;
    item.contains_key(SENDS).then(|| (table, item.clone()))
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(body)
        .map_err(|error| DynoxideError::ValidationException(format!("malformed: {error}")))
}

fn told(response: &impl Serialize) -> Answered {
    serde_json::to_vec(response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

impl Log {
    fn open(path: PathBuf, of_requests: bool) -> Result<Self, BenchError> {
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = Mutex::new(file.trying("open the log of the store")?);
        Ok(Self { path, file, of_requests })
    }
}

/// Writes a request to the log: the operation, the length, the body.
fn append(file: &mut File, operation: &str, body: &[u8]) -> Result<(), DynoxideError> {
    let mut record = Vec::with_capacity(operation.len() + body.len() + 16);
    record.extend(operation.as_bytes());
    record.extend(format!(" {}\n", body.len()).as_bytes());
    record.extend(body);
    record.push(b'\n');
    file.write_all(&record).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

fn create(database: &Database, table: Table) -> Result<(), BenchError> {
    let tried = || format!("make the table {}", table.name());
    let request = serde_json::from_value(definition(table)).trying(tried())?;
    // One that is there, in a file that was opened again, is as good.
    match database.create_table(request) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => Ok(()),
        Err(error) => Err(error).trying(tried()),
    }
}

fn definition(table: Table) -> Value {
    let key = |partition: &str, range: &str| {
        json!([
            { "AttributeName": partition, "KeyType": "HASH" },
            { "AttributeName": range, "KeyType": "RANGE" },
        ])
    };
    let mut attributes = vec!["pk", "sk"];
    let mut indexes = Vec::new();
    for (index, partition, range) in table.indexes() {
        attributes.extend([*partition, *range]);
        indexes.push(json!({
            "IndexName": index.name(),
            "KeySchema": key(partition, range),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }));
    }
    attributes.sort_unstable();
    attributes.dedup();
    let typed = |name| json!({ "AttributeName": name, "AttributeType": "S" });
    let attributes: Vec<Value> = attributes.into_iter().map(typed).collect();
    let mut definition = json!({
        "TableName": deployed(table),
        "KeySchema": key("pk", "sk"),
        "AttributeDefinitions": attributes,
        "BillingMode": "PAY_PER_REQUEST",
    });
    if !indexes.is_empty() {
        definition["GlobalSecondaryIndexes"] = indexes.into();
    }
    definition
}

/// Applies a log of requests to empty tables, and gives what they hold then: a
/// scan of each table, by name. A record that was cut short is the end: nobody
/// was answered for it.
///
/// # Errors
/// When the log cannot be read, or holds what does not apply.
pub fn recover(log: &Path) -> Result<Vec<(&'static str, Vec<Item>)>, BenchError> {
    let file = File::open(log).trying("open the log of the store")?;
    let settings = Settings { folder: std::env::temp_dir(), durability: Durability::Memory };
    let engine = Engine::open(&settings)?;
    let mut reader = BufReader::new(file);
    while let Some((operation, body)) = record(&mut reader)? {
        let mut unheard = Vec::new();
        engine.answer(&operation, &body, &mut unheard).trying("apply a record of the log")?;
    }
    let mut tables = Vec::new();
    for table in Table::ALL {
        tables.push((table.name(), engine.scan(table)?));
    }
    Ok(tables)
}

/// The next whole record of a log.
fn record(reader: &mut impl std::io::BufRead) -> Result<Option<(String, Vec<u8>)>, BenchError> {
    let tried = "read the log of the store";
    let mut head = String::new();
    reader.read_line(&mut head).trying(tried)?;
    let Some((operation, length)) = head.trim_end().split_once(' ') else { return Ok(None) };
    let Ok(length) = length.parse::<usize>() else { return Ok(None) };
    let mut body = vec![0; length + 1];
    match reader.read_exact(&mut body) {
        Ok(()) => {
            body.pop();
            Ok(Some((operation.to_owned(), body)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error).trying(tried),
    }
}

impl Engine {
    /// Every item of a table.
    fn scan(&self, table: Table) -> Result<Vec<Item>, BenchError> {
        let mut items = Vec::new();
        let mut exclusive_start_key = None;
        loop {
            let request = dynoxide::actions::scan::ScanRequest {
                table_name: deployed(table),
                exclusive_start_key,
                ..dynoxide::actions::scan::ScanRequest::default()
            };
            let page = self.database.scan(request).trying("read a table")?;
            items.extend(page.items.unwrap_or_default());
            exclusive_start_key = page.last_evaluated_key;
            if exclusive_start_key.is_none() {
                return Ok(items);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn apply(engine: &Engine, operation: &str, body: Value) -> Applied {
        engine.apply(operation, body.to_string().as_bytes())
    }

    fn put(engine: &Engine, pk: &str) -> Applied {
        let item = json!({ "pk": { "S": pk }, "sk": { "S": "ORDER" }, "sends": { "S": "[]" } });
        let absent = "attribute_not_exists(pk)";
        let name = deployed(Table::Orders);
        let body = json!({ "TableName": name, "Item": item, "ConditionExpression": absent });
        apply(engine, "PutItem", body)
    }

    #[test]
    fn what_was_answered_is_there_again_after_a_crash() {
        let folder = folder("recover");
        let settings = Settings { folder: folder.clone(), durability: Durability::Logged };
        let engine = Engine::open(&settings).unwrap();
        assert_eq!(put(&engine, "a").status, 200);
        assert_eq!(put(&engine, "b").status, 200);
        assert_eq!(put(&engine, "a").status, 400, "the condition does not hold");
        let change = json!({
            "TableName": deployed(Table::Orders),
            "Key": { "pk": { "S": "b" }, "sk": { "S": "ORDER" } },
            "UpdateExpression": "SET n = :n REMOVE sends",
            "ExpressionAttributeValues": { ":n": { "N": "7" } },
        });
        assert_eq!(apply(&engine, "UpdateItem", change).status, 200);
        let before = engine.scan(Table::Orders).unwrap();
        drop(engine);
        let log = folder.join("requests.log");
        let mut file = OpenOptions::new().append(true).open(&log).unwrap();
        file.write_all(b"PutItem 500\n{\"cut sho").unwrap();
        let after = recover(&log).unwrap();
        let orders = after.into_iter().find(|(name, _)| *name == "orders").unwrap().1;
        assert_eq!(orders, before);
        assert_eq!(orders.len(), 2);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn changes_are_told_of_items_that_carry_messages() {
        let settings = Settings { folder: folder("changes"), durability: Durability::Memory };
        let engine = Engine::open(&settings).unwrap();
        let applied = put(&engine, "a");
        assert!(applied.waits);
        engine.release(applied.changes);
        let told = engine.take(10);
        assert_eq!((told.len(), told[0].table, told[0].sequence), (1, "orders", 1));
        assert!(engine.take(10).is_empty());
        std::fs::remove_dir_all(&settings.folder).unwrap();
    }

    #[test]
    fn a_file_that_is_synced_by_us_is_the_databases_own_log() {
        let settings = Settings { folder: folder("file"), durability: Durability::Synced };
        let engine = Engine::open(&settings).unwrap();
        assert!(engine.log().is_some());
        let before = std::fs::metadata(settings.folder.join("tables.db-wal")).unwrap().len();
        put(&engine, "a");
        let after = std::fs::metadata(settings.folder.join("tables.db-wal")).unwrap().len();
        assert!(after > before, "the write is in the log when it is answered");
        std::fs::remove_dir_all(&settings.folder).unwrap();
    }
}
