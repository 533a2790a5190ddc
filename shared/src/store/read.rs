//! Reads: one item, items by their keys, the items of a partition, what is due.

use std::{collections::HashMap, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use serde_dynamo::AttributeValue;

use crate::model::time::Timestamp;

use super::{
    Index, Item, Key, Store, StoreError, Table, call_failed,
    key::{DUE, DUE_SHARD, DUE_SHARDS, ORDER_DUE_SHARDS, PK, SK},
    wire::{BatchGetItem, GetItem, Got, GotBatch, GotPage, Keys, Query},
};

/// The most keys that DynamoDB takes in one batch.
const BATCH_MAX: usize = 100;

/// How often a batch of which DynamoDB left keys unread is asked again.
const ATTEMPTS: u32 = 6;

/// The most items of one partition that are read for one decision. Provider
/// and carrier events of one thing are dozens; more than this is an attack or
/// a loop, and fails loudly instead of filling the memory.
const PARTITION_MAX: usize = 2_000;

/// Items that were found by their keys.
#[derive(Debug, Clone, Default)]
pub struct Found(HashMap<Key, Item>);

impl Found {
    /// The item under this key, if it was asked for and is there.
    pub(super) fn item(&self, key: &Key) -> Option<&Item> {
        self.0.get(key)
    }
}

/// Where a listing goes on: opaque to clients, and good only for the partition
/// that it was made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    /// Reads what a client sends back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        String::from_utf8(bytes).ok().filter(|inner| !inner.is_empty()).map(Self)
    }

    /// What a client is given.
    #[must_use]
    pub fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(self.0.as_bytes())
    }

    pub(super) fn new(inner: String) -> Self {
        Self(inner)
    }

    pub(super) fn inner(&self) -> &str {
        &self.0
    }

    /// The key after which a listing of this partition goes on, of a token
    /// that holds the sort key.
    pub(super) fn start(&self, pk: &str) -> Item {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        Item::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(&self.0))])
    }
}

/// A page of a listing.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next begins, if there may be one.
    pub next: Option<PageToken>,
}

/// The tables that have an index of what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueTable {
    /// Orders whose hold ends.
    Orders,
    /// Attempts and refunds whose provider is to be called.
    Payments,
    /// Ledgers in which points mature or expire.
    Points,
    /// Invitations to send.
    Surveys,
    /// Carts that nobody came back to.
    Carts,
    /// Shipments that are to be looked at, and alerts.
    Shipments,
    /// Parcels whose carrier is to be asked.
    Tracking,
    /// Messages to systems of the merchant that are to be sent again.
    Webhooks,
    /// Tickets at which somebody has to look.
    Tickets,
}

impl DueTable {
    /// Over how many partitions its index is spread.
    const fn shards(self) -> u8 {
        match self {
            Self::Orders => ORDER_DUE_SHARDS,
            _ => DUE_SHARDS,
        }
    }

    const fn table(self) -> Table {
        match self {
            Self::Orders => Table::Orders,
            Self::Payments => Table::Payments,
            Self::Points => Table::Points,
            Self::Surveys => Table::Surveys,
            Self::Carts => Table::Carts,
            Self::Shipments => Table::Shipments,
            Self::Tracking => Table::Tracking,
            Self::Webhooks => Table::Webhooks,
            Self::Tickets => Table::Tickets,
        }
    }
}

/// What an index says is due. The index lags behind its table, so the item is
/// read again before anything is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The partition key of the item.
    pub pk: String,
    /// The sort key of the item.
    pub sk: String,
}

pub(super) struct PartitionQuery<'a> {
    pub(super) table: Table,
    pub(super) pk: &'a str,
    pub(super) prefix: Option<&'static str>,
}

impl Store {
    /// Reads one item, consistently where its table is read so.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let request = GetItem {
            table_name: self.name(key.table)?,
            key: key.attributes(),
            consistent_read: key.table.reads_consistently(),
        };
        let answer: Result<Got, _> = self.client.call("GetItem", &request).await;
        Ok(answer.map_err(call_failed("GetItem"))?.item)
    }

    /// Reads items by their keys, from any tables, in one round trip for up to
    /// 100 keys. A key may be named twice.
    ///
    /// # Errors
    /// [`StoreError`]; keys that DynamoDB leaves unread are asked again a
    /// bounded number of times.
    pub async fn read(&self, keys: &[Key]) -> Result<Found, StoreError> {
        let mut wanted: Vec<&Key> = keys.iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut found = Found::default();
        for chunk in wanted.chunks(BATCH_MAX) {
            let mut rest = self.requests(chunk)?;
            for attempt in 0..ATTEMPTS {
                if attempt > 0 {
                    let longest = 10_u64 << attempt;
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=longest))).await;
                }
                rest = self.read_batch(rest, &mut found).await?;
                if rest.is_empty() {
                    break;
                }
            }
            let keys = rest.values().map(|rest| rest.keys.len()).sum();
            if keys > 0 {
                return Err(StoreError::Unread { keys, attempts: ATTEMPTS });
            }
        }
        Ok(found)
    }

    fn requests(&self, keys: &[&Key]) -> Result<HashMap<String, Keys>, StoreError> {
        let mut requests = HashMap::new();
        for table in Table::ALL {
            let of_table: Vec<Item> =
                keys.iter().filter(|key| key.table == table).map(|key| key.attributes()).collect();
            if of_table.is_empty() {
                continue;
            }
            let request = Keys { keys: of_table, consistent_read: table.reads_consistently() };
            requests.insert(self.name(table)?.to_owned(), request);
        }
        Ok(requests)
    }

    async fn read_batch(
        &self,
        requests: HashMap<String, Keys>,
        found: &mut Found,
    ) -> Result<HashMap<String, Keys>, StoreError> {
        let request = BatchGetItem { request_items: requests };
        let answer: Result<GotBatch, _> = self.client.call("BatchGetItem", &request).await;
        let answer = answer.map_err(call_failed("BatchGetItem"))?;
        for (name, items) in answer.responses {
            let table =
                self.names.iter().find(|(_, known)| *known == name).map(|(table, _)| *table);
            for item in items {
                if let (Some(table), Some((pk, sk))) = (table, key_of(&item)) {
                    found.0.insert(Key { table, pk, sk }, item);
                }
            }
        }
        Ok(answer.unprocessed_keys)
    }

    /// Reads the items of a partition, consistently, in the order of their
    /// sort keys.
    pub(super) async fn partition(
        &self,
        query: PartitionQuery<'_>,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let page = self.query(&query, start, None, true).await?;
            items.extend(page.0);
            start = page.1;
            if start.is_none() {
                return Ok(items);
            }
            if items.len() > PARTITION_MAX {
                let source = format!("more than {PARTITION_MAX} items in one partition").into();
                return Err(StoreError::Call { operation: "Query", source });
            }
        }
    }

    /// Reads one page of a partition, latest first.
    pub(super) async fn latest(
        &self,
        query: PartitionQuery<'_>,
        start: Option<Item>,
        limit: u16,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        self.query(&query, start, Some(usize::from(limit)), false).await
    }

    /// Reads one page of the items of a partition whose sort keys lie between
    /// two, both included; earliest first, consistently.
    pub(super) async fn between(
        &self,
        (table, pk): (Table, &str),
        (from, to): (&str, &str),
        start: Option<Item>,
        limit: u16,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let query = Query::of(self.name(table)?, "#p = :p AND #s BETWEEN :f AND :t")
            .name("#p", PK)
            .name("#s", SK)
            .value(":p", pk)
            .value(":f", from)
            .value(":t", to)
            .consistent()
            .limit(usize::from(limit))
            .after(start);
        let page = self.page(&query).await?;
        Ok((page.items, page.last_evaluated_key))
    }

    /// How many items of a partition of the index of what is due lie before a
    /// place in it.
    pub(super) async fn due_before(
        &self,
        table: DueTable,
        shard: &str,
        place: &str,
    ) -> Result<u64, StoreError> {
        let (mut count, mut start) = (0_u64, None);
        loop {
            let query = Query::of(self.name(table.table())?, "#s = :s AND #d < :d")
                .index(Index::ByDue.name())
                .count()
                .name("#s", DUE_SHARD)
                .name("#d", DUE)
                .value(":s", shard)
                .value(":d", place)
                .after(start);
            let page = self.page(&query).await?;
            count = count.saturating_add(page.count);
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(count);
            }
        }
    }

    async fn query(
        &self,
        query: &PartitionQuery<'_>,
        start: Option<Item>,
        limit: Option<usize>,
        forward: bool,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let name = self.name(query.table)?;
        let call = match query.prefix {
            None => Query::of(name, "#p = :p"),
            Some(prefix) => Query::of(name, "#p = :p AND begins_with(#s, :s)")
                .name("#s", SK)
                .value(":s", prefix),
        };
        let call = call.name("#p", PK).value(":p", query.pk).consistent().forward(forward);
        let page = self.page(&call.limit(limit).after(start)).await?;
        Ok((page.items, page.last_evaluated_key))
    }

    async fn page(&self, query: &Query<'_>) -> Result<GotPage, StoreError> {
        self.client.call("Query", query).await.map_err(call_failed("Query"))
    }

    /// Reads one page of an index's partition, latest first.
    pub(super) async fn latest_of_index(
        &self,
        table: Table,
        index: Index,
        pk: &str,
        start: Option<Item>,
        limit: u16,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let query = Query::of(self.name(table)?, "#p = :p")
            .index(index.name())
            .name("#p", PK)
            .value(":p", pk)
            .forward(false)
            .limit(usize::from(limit))
            .after(start);
        let page = self.page(&query).await?;
        Ok((page.items, page.last_evaluated_key))
    }

    /// Reads one page of a partition of the index of what is due, earliest
    /// first: for what lies there by a name of its own, and no schedule sees.
    pub(super) async fn earliest_due(
        &self,
        table: DueTable,
        shard: &str,
        start: Option<Item>,
        limit: u16,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        self.of_due(table, shard, true, start, limit).await
    }

    /// The same, latest first.
    pub(super) async fn latest_due(
        &self,
        table: DueTable,
        shard: &str,
        start: Option<Item>,
        limit: u16,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        self.of_due(table, shard, false, start, limit).await
    }

    async fn of_due(
        &self,
        table: DueTable,
        shard: &str,
        forward: bool,
        start: Option<Item>,
        limit: u16,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let query = Query::of(self.name(table.table())?, "#s = :s")
            .index(Index::ByDue.name())
            .name("#s", DUE_SHARD)
            .value(":s", shard)
            .forward(forward)
            .limit(usize::from(limit))
            .after(start);
        let page = self.page(&query).await?;
        Ok((page.items, page.last_evaluated_key))
    }

    /// A page of such a partition, by the identities that are its items'
    /// partitions. Its cursors are those of [`cursor`].
    pub(super) async fn listed<I>(
        &self,
        (table, shard): (DueTable, &str),
        (parse, key): (impl Fn(&str) -> Option<I>, impl Fn(&I) -> Key),
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<I>, StoreError> {
        let start = from.and_then(|from| place(from, &parse)).map(|(due, id)| {
            let text =
                |name: &str, text: &str| (name.to_owned(), AttributeValue::S(text.to_owned()));
            let Key { pk, sk, .. } = key(&id);
            let due = due.to_string();
            Item::from([text(PK, &pk), text(SK, &sk), text(DUE_SHARD, shard), text(DUE, &due)])
        });
        let (items, last) = self.earliest_due(table, shard, start, limit).await?;
        let items = items.iter().filter_map(key_of).filter_map(|(pk, _)| parse(&pk)).collect();
        let next = last.and_then(|last| {
            let (pk, _) = key_of(&last)?;
            Some(PageToken::new(format!("{} {pk}", text(&last, DUE)?)))
        });
        Ok(Page { items, next })
    }

    /// What lies in a partition of the index of what is due within a time, the
    /// first and the last moment included; earliest first, at most `most` of it.
    pub(super) async fn due_between(
        &self,
        table: DueTable,
        shard: &str,
        (from, to): (Timestamp, Timestamp),
        most: u16,
    ) -> Result<Vec<Due>, StoreError> {
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let left = usize::from(most).saturating_sub(found.len());
            let query = Query::of(self.name(table.table())?, "#s = :s AND #d BETWEEN :f AND :t")
                .index(Index::ByDue.name())
                .name("#s", DUE_SHARD)
                .name("#d", DUE)
                .value(":s", shard)
                .value(":f", from.to_string())
                .value(":t", to.to_string())
                .limit(left)
                .after(start);
            let page = self.page(&query).await?;
            found.extend(page.items.iter().filter_map(key_of).map(|(pk, sk)| Due { pk, sk }));
            start = page.last_evaluated_key;
            if start.is_none() || found.len() >= usize::from(most) {
                return Ok(found);
            }
        }
    }

    /// What is due by `now`, earliest first in each shard, at most `most` (and
    /// at least one a shard).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(
        &self,
        table: DueTable,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<Due>, StoreError> {
        let each = (most / u16::from(table.shards())).max(1);
        let mut due = Vec::new();
        for shard in 0..table.shards() {
            let query = Query::of(self.name(table.table())?, "#s = :s AND #d <= :d")
                .index(Index::ByDue.name())
                .name("#s", DUE_SHARD)
                .name("#d", DUE)
                .value(":s", shard.to_string())
                .value(":d", now.to_string())
                .limit(usize::from(each));
            let page = self.page(&query).await?;
            due.extend(page.items.iter().filter_map(key_of).map(|(pk, sk)| Due { pk, sk }));
        }
        Ok(due)
    }
}

/// Reads a cursor that a listing by [`Store::listed`] gave.
pub(super) fn cursor<I>(text: &str, parse: impl Fn(&str) -> Option<I>) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| place(token, parse).is_some())
}

/// After what a listing goes on: its moment in the index and its identity.
fn place<I>(token: &PageToken, parse: impl Fn(&str) -> Option<I>) -> Option<(Timestamp, I)> {
    let (due, id) = token.inner().split_once(' ')?;
    Some((Timestamp::parse(due).ok()?, parse(id)?))
}

/// The text of an attribute.
pub(super) fn text(item: &Item, name: &str) -> Option<String> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The keys of an item.
pub(super) fn key_of(item: &Item) -> Option<(String, String)> {
    Some((text(item, PK)?, text(item, SK)?))
}
