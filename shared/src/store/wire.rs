//! DynamoDB's requests and answers: of each, what the store uses.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_dynamo::AttributeValue;

use super::Item;

/// Names and what they stand for, as an object.
#[derive(Debug, Clone)]
pub(super) struct Pairs<K, V>(Vec<(K, V)>);

impl<K, V> Pairs<K, V> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, name: K, value: V) {
        self.0.push((name, value));
    }
}

impl<K, V> Default for Pairs<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> FromIterator<(K, V)> for Pairs<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl<K: Serialize, V: Serialize> Serialize for Pairs<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetItem<'a> {
    pub(super) table_name: &'a str,
    pub(super) key: Item,
    pub(super) consistent_read: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    pub(super) item: Option<Item>,
}

/// Keys of one table in a batch.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Keys {
    pub(super) keys: Vec<Item>,
    #[serde(default)]
    pub(super) consistent_read: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchGetItem {
    pub(super) request_items: HashMap<String, Keys>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotBatch {
    #[serde(default)]
    pub(super) responses: HashMap<String, Vec<Item>>,
    #[serde(default)]
    pub(super) unprocessed_keys: HashMap<String, Keys>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query<'a> {
    table_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index_name: Option<&'static str>,
    key_condition_expression: String,
    expression_attribute_names: Pairs<&'static str, &'static str>,
    expression_attribute_values: Pairs<&'static str, AttributeValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    select: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistent_read: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_index_forward: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_start_key: Option<Item>,
}

impl<'a> Query<'a> {
    /// Looks in this table for what meets this condition.
    pub(super) fn of(table_name: &'a str, condition: impl Into<String>) -> Self {
        Self { table_name, key_condition_expression: condition.into(), ..Self::default() }
    }

    /// Looks in an index of the table.
    pub(super) fn index(self, name: &'static str) -> Self {
        Self { index_name: Some(name), ..self }
    }

    /// What a name in the condition stands for.
    pub(super) fn name(mut self, alias: &'static str, name: &'static str) -> Self {
        self.expression_attribute_names.push(alias, name);
        self
    }

    /// What a value in the condition stands for.
    pub(super) fn value(mut self, alias: &'static str, text: impl Into<String>) -> Self {
        self.expression_attribute_values.push(alias, AttributeValue::S(text.into()));
        self
    }

    /// Only counts.
    pub(super) fn count(self) -> Self {
        Self { select: Some("COUNT"), ..self }
    }

    pub(super) fn consistent(self) -> Self {
        Self { consistent_read: Some(true), ..self }
    }

    /// Earliest first, or else latest first.
    pub(super) fn forward(self, forward: bool) -> Self {
        Self { scan_index_forward: Some(forward), ..self }
    }

    pub(super) fn limit(self, limit: impl Into<Option<usize>>) -> Self {
        Self { limit: limit.into(), ..self }
    }

    /// Goes on behind this key.
    pub(super) fn after(self, start: Option<Item>) -> Self {
        Self { exclusive_start_key: start, ..self }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scan<'a> {
    pub(super) table_name: &'a str,
    pub(super) consistent_read: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exclusive_start_key: Option<Item>,
}

/// A page of a query or a scan.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotPage {
    #[serde(default)]
    pub(super) items: Vec<Item>,
    #[serde(default)]
    pub(super) count: u64,
    pub(super) last_evaluated_key: Option<Item>,
}

/// A write of one item, by itself or in a transaction.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WriteItem<'a> {
    pub(super) table_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<&'a Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) update_expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition_expression: Option<String>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    pub(super) expression_attribute_names: Pairs<String, String>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    pub(super) expression_attribute_values: Pairs<String, AttributeValue>,
    /// What an update gives back; nothing is said of it in a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) return_values: Option<&'static str>,
    pub(super) return_values_on_condition_check_failure: &'static str,
}

/// The item as it was before.
pub(super) const ALL_OLD: &str = "ALL_OLD";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Written {
    pub(super) attributes: Option<Item>,
}

/// A write in a transaction.
#[derive(Debug, Serialize)]
pub(super) enum Part<'a> {
    Put(WriteItem<'a>),
    Update(WriteItem<'a>),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransactWriteItems<'a> {
    pub(super) transact_items: Vec<Part<'a>>,
    /// The same in each try of a call: what was applied is not applied again.
    pub(super) client_request_token: String,
}

/// An answer of which nothing is used.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

/// Why a conditional write was refused.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Lost {
    pub(super) item: Option<Item>,
}

/// Why a transaction was refused.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Cancelled {
    pub(super) cancellation_reasons: Vec<Reason>,
}

/// Why one of its writes was.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Reason {
    pub(super) code: Option<String>,
    pub(super) item: Option<Item>,
}
