//! How much a partition takes: DynamoDB lets one partition key take 1,000 write
//! units a second, however much the table may have, and throttles what is more.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aftercart::store::Table;
use dynoxide::types::{AttributeValue, Item, item_size};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    World,
    tables::{Request, deployed},
};

/// For so much of a second a partition may save what it does not use: little,
/// so that a limit is one from the first moment on.
const SAVED_MS: u128 = 100;

/// A millisecond's share of a second.
const MS: u128 = 1_000;

/// What partitions have taken of late; nothing is limited at first.
#[derive(Default)]
pub(super) struct Limit(Mutex<State>);

#[derive(Default)]
struct State {
    /// Write units a second and partition key.
    units: Option<u32>,
    /// By partition: thousandths of units that are left, and since when.
    left: HashMap<String, (u128, Instant)>,
    throttled: u64,
}

impl State {
    /// What a partition has left now, in thousandths of units.
    fn left(&self, partition: &str, units: u32, now: Instant) -> u128 {
        let most = u128::from(units).saturating_mul(SAVED_MS);
        let Some((left, since)) = self.left.get(partition) else { return most };
        let gained = now.duration_since(*since).as_micros().saturating_mul(u128::from(units)) / MS;
        left.saturating_add(gained).min(most)
    }
}

impl Limit {
    /// The answer to a write for which a partition has no units left. What one
    /// that has is charged at once: of an update as if its item had a kilobyte.
    pub(super) fn refuse(&self, request: &Request) -> Option<Value> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let units = state.units?;
        let wanted: Vec<Vec<(String, u64)>> = wanted(request);
        let now = Instant::now();
        let mut sums: HashMap<&str, u128> = HashMap::new();
        for (partition, units) in wanted.iter().flatten() {
            *sums.entry(partition).or_default() += u128::from(*units).saturating_mul(MS);
        }
        let lacks = |partition: &str| {
            let wanted = sums.get(partition).copied().unwrap_or(0);
            wanted > state.left(partition, units, now)
        };
        let lost: Vec<bool> =
            wanted.iter().map(|parts| parts.iter().any(|(it, _)| lacks(it))).collect();
        if lost.contains(&true) {
            state.throttled = state.throttled.saturating_add(1);
            return Some(refusal(request, &lost));
        }
        for (partition, sum) in sums {
            let left = state.left(partition, units, now).saturating_sub(sum);
            state.left.insert(partition.to_owned(), (left, now));
        }
        None
    }
}

fn refusal(request: &Request, lost: &[bool]) -> Value {
    if !matches!(request, Request::Transact(_)) {
        let kind = "ProvisionedThroughputExceededException";
        return json!({ "__type": kind, "message": "the partition is too busy" });
    }
    let reason = |lost: &bool| match lost {
        true => json!({ "Code": "ThrottlingError", "Message": "the partition is too busy" }),
        false => json!({ "Code": "None" }),
    };
    let reasons: Vec<Value> = lost.iter().map(reason).collect();
    let kind = "TransactionCanceledException";
    json!({ "__type": kind, "message": "cancelled", "CancellationReasons": reasons })
}

/// What each write takes of which partitions: of its table, and of the indexes
/// that it puts an entry into.
fn wanted(request: &Request) -> Vec<Vec<(String, u64)>> {
    match request {
        Request::Put(put) => vec![of_put(&put.table_name, &put.item, 1)],
        Request::Update(update) => vec![vec![(partition(&update.table_name, &update.key), 1)]],
        Request::Transact(transaction) => {
            let each = transaction.transact_items.iter();
            each.map(|it| match (&it.put, &it.update) {
                (Some(put), _) => of_put(&put.table_name, &put.item, 2),
                (_, Some(update)) => vec![(partition(&update.table_name, &update.key), 2)],
                _ => Vec::new(),
            })
            .collect()
        }
        _ => Vec::new(),
    }
}

fn of_put(table: &str, item: &Item, times: u64) -> Vec<(String, u64)> {
    let kilobytes = u64::try_from(item_size(item).div_ceil(1_024).max(1)).unwrap_or(u64::MAX);
    let own = (partition(table, item), kilobytes.saturating_mul(times));
    let known = Table::ALL.into_iter().find(|it| deployed(*it) == table);
    let indexes = known.map(Table::indexes).unwrap_or_default();
    let entries = indexes.iter().filter_map(|(index, partition, range)| {
        let value = text(item.get(*partition)?)?;
        item.contains_key(*range).then(|| (format!("{table} {} {value}", index.name()), 1))
    });
    std::iter::once(own).chain(entries).collect()
}

fn partition(table: &str, item: &Item) -> String {
    format!("{table} {}", item.get("pk").and_then(text).unwrap_or_default())
}

fn text(value: &AttributeValue) -> Option<&str> {
    match value {
        AttributeValue::S(text) => Some(text),
        _ => None,
    }
}

impl World {
    /// Lets each partition key of a table or index take only so many write
    /// units a second from now on, by tokio's clock, or as many as there are.
    pub fn set_limit(&self, units: Option<u32>) {
        let mut state = self.outside.limit.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { units, ..State::default() };
    }

    /// How many writes were throttled since the limit was set.
    #[must_use]
    pub fn throttled(&self) -> u64 {
        self.outside.limit.0.lock().unwrap_or_else(PoisonError::into_inner).throttled
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn update(pk: &str) -> Request {
        let body = json!({
            "TableName": "stock", "Key": { "pk": { "S": pk }, "sk": { "S": "x" } },
            "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": { ":a": { "N": "1" } },
        });
        Request::parse("UpdateItem", body.to_string().as_bytes()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_partition_takes_so_much_a_second_and_its_neighbour_as_much() {
        let limit = Limit::default();
        assert!(limit.refuse(&update("a")).is_none(), "nothing is limited at first");
        limit.0.lock().unwrap().units = Some(1_000);
        let mut taken = 0;
        for _ in 0..10_000 {
            taken += u32::from(limit.refuse(&update("a")).is_none());
            tokio::time::advance(Duration::from_micros(200)).await;
        }
        assert!((2_000..=2_100).contains(&taken), "{taken} in two seconds");
        assert!(limit.refuse(&update("b")).is_none());
    }
}
