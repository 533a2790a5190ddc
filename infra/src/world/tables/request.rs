//! Requests to DynamoDB, read.

use aftercart::store::{Index, Op};
use dynoxide::actions::{
    batch_get_item::BatchGetItemRequest, get_item::GetItemRequest, put_item::PutItemRequest,
    query::QueryRequest, scan::ScanRequest, transact_write_items::TransactWriteItemsRequest,
    update_item::UpdateItemRequest,
};

use crate::world::permit::Action;

use super::named;

/// A request, read.
pub(in crate::world) enum Request {
    Put(Box<PutItemRequest>),
    Update(Box<UpdateItemRequest>),
    Transact(TransactWriteItemsRequest),
    Get(GetItemRequest),
    Batch(BatchGetItemRequest),
    Query(Box<QueryRequest>),
    Scan(Box<ScanRequest>),
}

impl Request {
    pub(in crate::world) fn parse(operation: &str, body: &[u8]) -> Result<Self, String> {
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
    pub(in crate::world) fn actions(&self) -> Vec<Action> {
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

/// The index of this name.
pub(super) fn index_named(name: &str) -> Option<Index> {
    [Index::ByTime, Index::ByDue].into_iter().find(|index| index.name() == name)
}
