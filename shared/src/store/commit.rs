//! Writes are values; a commit makes them one.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_dynamo::AttributeValue;

use crate::{aws::CallError, model::time::Timestamp};

use super::{
    Key, SENDS, Sends, Store, StoreError, call_failed,
    item::{Item, Stored, StoredError, number, to_item},
    key::{PK, SK},
    wire::{ALL_OLD, Cancelled, Done, Lost, Pairs, Part, TransactWriteItems, WriteItem, Written},
};

/// How often a write is tried that meets other transactions on its items. The
/// waits between sum to at most 1.3 s, well within a function's time.
const ATTEMPTS: u32 = 8;

/// The longest wait before the second try; it doubles with each.
const WAIT_MS_MIN: u64 = 10;

/// What must hold of an item for it to be written.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// There is no such item.
    Absent,
    /// There is such an item.
    Exists,
    /// The attribute has this value.
    Equals(&'static str, AttributeValue),
    /// The attribute, or the member of a map, has this value.
    Is(Path, AttributeValue),
    /// The attribute, a number, is at least this.
    AtLeast(&'static str, i64),
    /// The attribute is missing, or a number that is at least this.
    MissingOrAtLeast(&'static str, i64),
    /// The attribute, a moment, is later than this.
    After(&'static str, Timestamp),
    /// The attribute is missing, or a moment later than this.
    MissingOrAfter(&'static str, Timestamp),
    /// The attribute is missing, or a number below this.
    MissingOrBelow(Path, i64),
    /// The attribute is missing.
    Missing(Path),
    /// There is such an attribute.
    Has(Path),
    /// The attribute is missing, or a moment earlier than this.
    MissingOrBefore(&'static str, Timestamp),
    /// The attribute is missing, or a set or map with fewer members than this.
    MissingOrSmaller(&'static str, i64),
    /// The attribute, a set of texts, lacks at least one of these.
    LacksOneOf(&'static str, Vec<String>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// The attribute, a map, has fewer members than this.
    SmallerThan(&'static str, i64),
    /// The attribute, a map, has this member, or fewer members than this.
    HasOrSmallerThan(&'static str, Path, i64),
}

/// The name of an attribute, or of a member of a map, with points between:
/// `py.pay_abc`. Identities hold no points.
pub(super) type Path = std::borrow::Cow<'static, str>;

#[derive(Debug, Clone)]
enum Action {
    Put(Item),
    Update(Change),
}

/// What an update does to the attributes of an item.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    set: Vec<(Path, AttributeValue)>,
    add: Vec<(Path, i64)>,
    join: Vec<(&'static str, Vec<String>)>,
    remove: Vec<Path>,
}

impl Change {
    pub(super) fn set(mut self, name: impl Into<Path>, value: AttributeValue) -> Self {
        self.set.push((name.into(), value));
        self
    }

    /// Adds to a number, which is 0 before. DynamoDB does so to attributes of
    /// the item only, not to members of maps.
    pub(super) fn add(mut self, name: impl Into<Path>, by: i64) -> Self {
        self.add.push((name.into(), by));
        self
    }

    /// Adds texts to a set of texts.
    pub(super) fn join(mut self, name: &'static str, texts: Vec<String>) -> Self {
        self.join.push((name, texts));
        self
    }

    pub(super) fn remove(mut self, name: impl Into<Path>) -> Self {
        self.remove.push(name.into());
        self
    }
}

/// One conditional write of one item. Made by the aggregates' files.
#[derive(Debug)]
pub struct Write {
    key: Key,
    action: Result<Action, StoredError>,
    conditions: Vec<Condition>,
}

impl Write {
    /// Writes an item whole, with the messages it causes.
    pub(super) fn put<S: Stored>(key: Key, stored: &S, sends: &Sends) -> Self {
        let action = to_item(stored).and_then(|mut item| {
            item.insert(PK.to_owned(), AttributeValue::S(key.pk.clone()));
            item.insert(SK.to_owned(), AttributeValue::S(key.sk.clone()));
            if let Some(messages) = sends.stored()? {
                item.insert(SENDS.to_owned(), AttributeValue::S(messages));
            }
            Ok(Action::Put(item))
        });
        Self { key, action, conditions: Vec::new() }
    }

    /// Changes attributes of an item. Its messages are replaced by `sends`,
    /// or removed, so that none is sent again with a later change.
    pub(super) fn update(key: Key, change: Change, sends: &Sends) -> Self {
        let action = sends.stored().map(|messages| match messages {
            Some(messages) => change.set(SENDS, AttributeValue::S(messages)),
            None if key.table.sends() => change.remove(SENDS),
            None => change,
        });
        Self { key, action: action.map(Action::Update), conditions: Vec::new() }
    }

    /// Adds an attribute of an index to an item that is put.
    pub(super) fn indexed(mut self, name: &'static str, value: String) -> Self {
        if let Ok(Action::Put(item)) = &mut self.action {
            item.insert(name.to_owned(), AttributeValue::S(value));
        }
        self
    }

    /// The item that is put.
    #[cfg(test)]
    pub(super) fn item(&self) -> Option<&Item> {
        match &self.action {
            Ok(Action::Put(item)) => Some(item),
            _ => None,
        }
    }

    /// Writes only if this holds, too.
    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Writes only if nobody wrote since the version was read that is in this
    /// attribute; version 0 is that of an item that is not there.
    pub(super) fn unchanged(self, name: &'static str, version: impl Into<u64>) -> Self {
        self.when(match version.into() {
            0 => Condition::Absent,
            version => Condition::Equals(name, number(version)),
        })
    }
}

/// One or more writes that happen together or not at all.
#[derive(Debug, Default)]
pub struct Commit {
    writes: Vec<Write>,
}

impl Commit {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a write; its position is how many were added before it.
    #[must_use]
    pub fn with(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// Adds the writes of another; they come after those added before.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.writes.extend(other.writes);
        self
    }

    /// Whether there is anything to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// How many writes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.len()
    }
}

impl From<Write> for Commit {
    fn from(write: Write) -> Self {
        Self::new().with(write)
    }
}

impl FromIterator<Write> for Commit {
    fn from_iter<I: IntoIterator<Item = Write>>(writes: I) -> Self {
        Self { writes: writes.into_iter().collect() }
    }
}

/// A write whose condition did not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Which write of the commit.
    pub position: usize,
    /// The item as it was, if there was one.
    pub found: Option<Item>,
}

impl Conflict {
    /// The item that the write at this position met, if it lost and there was one.
    #[must_use]
    pub fn at(conflicts: &[Self], position: usize) -> Option<&Item> {
        conflicts.iter().find(|it| it.position == position)?.found.as_ref()
    }
}

/// Why a commit wrote nothing (or, for [`CommitError::Failed`], may have).
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Conditions did not hold: an answer, by position.
    #[error("{} of the writes lost", .0.len())]
    Lost(Vec<Conflict>),
    /// The call failed. It may have been applied: the caller's retry meets its
    /// own write and takes it for what it is.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

enum Attempt {
    Lost(Vec<Conflict>),
    Contended,
    Failed(StoreError),
}

impl Store {
    /// Applies a commit: one write by itself, several as one transaction.
    /// Meeting other transactions is retried here, a bounded number of times.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn commit(&self, commit: impl Into<Commit>) -> Result<(), CommitError> {
        self.apply(&commit.into()).await.map(drop)
    }

    /// Applies one change of an item, and gives the item as it was before:
    /// what is new can be told from what was so already.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn change(&self, write: Write) -> Result<Option<Item>, CommitError> {
        self.apply(&write.into()).await
    }

    async fn apply(&self, commit: &Commit) -> Result<Option<Item>, CommitError> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                let longest = WAIT_MS_MIN << (attempt - 1);
                tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=longest))).await;
            }
            match self.attempt(commit).await {
                Ok(before) => return Ok(before),
                Err(Attempt::Lost(conflicts)) => return Err(CommitError::Lost(conflicts)),
                Err(Attempt::Failed(error)) => return Err(error.into()),
                Err(Attempt::Contended) => {}
            }
        }
        Err(StoreError::Contended { attempts: ATTEMPTS }.into())
    }

    async fn attempt(&self, commit: &Commit) -> Result<Option<Item>, Attempt> {
        match commit.writes.as_slice() {
            [] => Ok(None),
            [write] => self.write_one(write).await,
            writes => self.write_together(writes).await.map(|()| None),
        }
    }

    /// Gives the item that an update changed, as it was before.
    async fn write_one(&self, write: &Write) -> Result<Option<Item>, Attempt> {
        match self.part(write).map_err(Attempt::Failed)? {
            Part::Put(put) => {
                let answer: Result<Done, _> = self.client.call("PutItem", &put).await;
                answer.map(|_| None).map_err(|error| write_failed("PutItem", error))
            }
            Part::Update(mut update) => {
                update.return_values = Some(ALL_OLD);
                let answer: Result<Written, _> = self.client.call("UpdateItem", &update).await;
                let answer = answer.map_err(|error| write_failed("UpdateItem", error))?;
                Ok(found(answer.attributes))
            }
        }
    }

    async fn write_together(&self, writes: &[Write]) -> Result<(), Attempt> {
        let parts: Result<Vec<_>, _> = writes.iter().map(|write| self.part(write)).collect();
        let request = TransactWriteItems {
            transact_items: parts.map_err(Attempt::Failed)?,
            client_request_token: format!("{:032x}", fastrand::u128(..)),
        };
        let answer: Result<Done, _> = self.client.call("TransactWriteItems", &request).await;
        answer.map(drop).map_err(transaction_failed)
    }

    fn part<'a>(&'a self, write: &'a Write) -> Result<Part<'a>, StoreError> {
        let table_name = self.name(write.key.table)?;
        let mut expressions = Expressions::default();
        let clauses: Vec<String> =
            write.conditions.iter().map(|condition| expressions.condition(condition)).collect();
        let condition_expression = (!clauses.is_empty()).then(|| clauses.join(" AND "));
        let action = write.action.as_ref().map_err(|error| {
            let source = error.to_string().into();
            StoreError::Refused { operation: "PutItem", source }
        })?;
        let (item, key, update_expression) = match action {
            Action::Put(item) => (Some(item), None, None),
            Action::Update(change) => {
                (None, Some(write.key.attributes()), Some(expressions.change(change)))
            }
        };
        let written = WriteItem {
            table_name,
            item,
            key,
            update_expression,
            condition_expression,
            expression_attribute_names: aliased('#', expressions.names),
            expression_attribute_values: aliased(':', expressions.values),
            return_values: None,
            return_values_on_condition_check_failure: ALL_OLD,
        };
        Ok(match action {
            Action::Put(_) => Part::Put(written),
            Action::Update(_) => Part::Update(written),
        })
    }
}

/// Each by its position, as an expression has it.
fn aliased<T>(mark: char, list: Vec<T>) -> Pairs<String, T> {
    list.into_iter().enumerate().map(|(i, it)| (format!("{mark}{i}"), it)).collect()
}

impl Key {
    /// The key as attributes.
    pub(super) fn attributes(&self) -> Item {
        Item::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// Collects the names and values of an expression. Every name is given an
/// alias, so no attribute can collide with a reserved word.
#[derive(Default)]
struct Expressions {
    names: Vec<String>,
    values: Vec<AttributeValue>,
}

impl Expressions {
    fn name(&mut self, path: &str) -> String {
        let aliases: Vec<String> = path.split('.').map(|name| self.alias(name)).collect();
        aliases.join(".")
    }

    fn alias(&mut self, name: &str) -> String {
        let position = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#{position}")
    }

    fn value(&mut self, value: AttributeValue) -> String {
        self.values.push(value);
        format!(":{}", self.values.len() - 1)
    }

    fn number(&mut self, value: i64) -> String {
        self.value(number(value))
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Absent => format!("attribute_not_exists({})", self.name(PK)),
            Condition::Exists => format!("attribute_exists({})", self.name(PK)),
            Condition::Missing(name) => format!("attribute_not_exists({})", self.name(name)),
            Condition::Has(name) => format!("attribute_exists({})", self.name(name)),
            Condition::MissingOrBefore(name, moment) => {
                let name = self.name(name);
                let moment = self.value(AttributeValue::S(moment.to_string()));
                format!("(attribute_not_exists({name}) OR {name} < {moment})")
            }
            Condition::MissingOrSmaller(name, number) => {
                let (name, number) = (self.name(name), self.number(*number));
                format!("(attribute_not_exists({name}) OR size({name}) < {number})")
            }
            Condition::LacksOneOf(name, texts) => {
                let name = self.name(name);
                let mut lacks = vec![format!("attribute_not_exists({name})")];
                lacks.extend(texts.iter().map(|text| {
                    format!("NOT contains({name}, {})", self.value(AttributeValue::S(text.clone())))
                }));
                format!("({})", lacks.join(" OR "))
            }
            Condition::Any(conditions) => {
                let each: Vec<String> = conditions.iter().map(|it| self.condition(it)).collect();
                format!("({})", each.join(" OR "))
            }
            Condition::Equals(name, value) => {
                format!("{} = {}", self.name(name), self.value(value.clone()))
            }
            Condition::SmallerThan(name, number) => {
                format!("size({}) < {}", self.name(name), self.number(*number))
            }
            Condition::HasOrSmallerThan(name, member, number) => {
                let (name, member) = (self.name(name), self.name(member));
                let number = self.number(*number);
                format!("(attribute_exists({member}) OR size({name}) < {number})")
            }
            Condition::Is(name, value) => {
                format!("{} = {}", self.name(name), self.value(value.clone()))
            }
            Condition::AtLeast(name, number) => {
                format!("{} >= {}", self.name(name), self.number(*number))
            }
            Condition::MissingOrAtLeast(name, number) => {
                let (name, number) = (self.name(name), self.number(*number));
                format!("(attribute_not_exists({name}) OR {name} >= {number})")
            }
            Condition::After(name, moment) => {
                let moment = AttributeValue::S(moment.to_string());
                format!("{} > {}", self.name(name), self.value(moment))
            }
            Condition::MissingOrAfter(name, moment) => {
                let name = self.name(name);
                let moment = self.value(AttributeValue::S(moment.to_string()));
                format!("(attribute_not_exists({name}) OR {name} > {moment})")
            }
            Condition::MissingOrBelow(name, number) => {
                let name = self.name(name);
                format!("(attribute_not_exists({name}) OR {name} < {})", self.number(*number))
            }
        }
    }

    fn change(&mut self, change: &Change) -> String {
        let mut clauses = Vec::new();
        let set: Vec<String> = change
            .set
            .iter()
            .map(|(name, value)| format!("{} = {}", self.name(name), self.value(value.clone())))
            .collect();
        let mut add: Vec<String> = change
            .add
            .iter()
            .map(|(name, by)| format!("{} {}", self.name(name), self.number(*by)))
            .collect();
        add.extend(change.join.iter().map(|(name, texts)| {
            format!("{} {}", self.name(name), self.value(AttributeValue::Ss(texts.clone())))
        }));
        let remove: Vec<String> = change.remove.iter().map(|name| self.name(name)).collect();
        for (verb, parts) in [("SET", set), ("ADD", add), ("REMOVE", remove)] {
            if !parts.is_empty() {
                clauses.push(format!("{verb} {}", parts.join(", ")));
            }
        }
        clauses.join(" ")
    }
}

fn write_failed(operation: &'static str, error: CallError) -> Attempt {
    match &error {
        CallError::Refused { code, body, .. } if code == "ConditionalCheckFailedException" => {
            let Lost { item } = read(body);
            Attempt::Lost(vec![Conflict { position: 0, found: found(item) }])
        }
        CallError::Refused { code, .. } if code == "TransactionConflictException" => {
            Attempt::Contended
        }
        _ => Attempt::Failed(call_failed(operation)(error)),
    }
}

fn transaction_failed(error: CallError) -> Attempt {
    let reasons = match &error {
        CallError::Refused { code, .. } if code == "TransactionInProgressException" => {
            return Attempt::Contended;
        }
        CallError::Refused { code, body, .. } if code == "TransactionCanceledException" => {
            read::<Cancelled>(body).cancellation_reasons
        }
        _ => return Attempt::Failed(call_failed("TransactWriteItems")(error)),
    };
    // What met another transaction was not looked at, so the conditions that
    // were say half of it: the stock that is short may be what this very order
    // took a moment ago, in a call whose transaction still holds the order.
    let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    let passes = |code: &str| passing.contains(&code);
    if reasons.iter().any(|reason| reason.code.as_deref().is_some_and(passes)) {
        return Attempt::Contended;
    }
    let lost: Vec<Conflict> = reasons
        .into_iter()
        .enumerate()
        .filter(|(_, reason)| reason.code.as_deref() == Some("ConditionalCheckFailed"))
        .map(|(position, reason)| Conflict { position, found: found(reason.item) })
        .collect();
    if lost.is_empty() {
        return Attempt::Failed(call_failed("TransactWriteItems")(error));
    }
    Attempt::Lost(lost)
}

fn found(item: Option<Item>) -> Option<Item> {
    item.filter(|item| !item.is_empty())
}

/// What a refusal says besides its code; nothing, if it is of another form.
fn read<T: DeserializeOwned + Default>(body: &[u8]) -> T {
    serde_json::from_slice(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cancelled(codes: &[&str]) -> Attempt {
        let reasons: Vec<_> = codes.iter().map(|code| json!({ "Code": code })).collect();
        let code = "TransactionCanceledException".to_owned();
        let body = json!({ "CancellationReasons": reasons }).to_string().into();
        transaction_failed(CallError::Refused { code, message: String::new(), body })
    }

    #[test]
    fn conditions_count_only_when_all_of_them_were_looked_at() {
        let lost = cancelled(&["None", "ConditionalCheckFailed"]);
        assert!(matches!(lost, Attempt::Lost(lost) if lost.len() == 1 && lost[0].position == 1));
        for passing in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            for codes in [[passing, "None"], [passing, "ConditionalCheckFailed"]] {
                assert!(matches!(cancelled(&codes), Attempt::Contended), "{codes:?}");
            }
        }
        assert!(matches!(cancelled(&["ValidationError", "None"]), Attempt::Failed(_)));
    }
}
