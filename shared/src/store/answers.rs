//! What is counted of surveys, counters only: of answers an item a touchpoint,
//! month and column, in which `recommend#9` says how often 9 was answered to the
//! question `recommend`; of invitations one item a touchpoint and month, with an
//! attribute a column, because each of them writes it.

use std::collections::BTreeSet;

use serde_dynamo::AttributeValue;

use crate::model::{
    answers::{Column, Counted, Counts, Difference, Dimension, Sent, Value},
    months,
    survey::{Invite, QuestionId, TouchpointId},
    tally::Month,
    time::Timestamp,
};

use super::{
    Commit, Found, Item, Key, Sends, Store, StoreError, Table, Write,
    commit::Change,
    item::{StoredError, as_number, number},
    key::answers_pk,
    read::key_of,
    surveys,
};

const ANSWERED: &str = "a";

/// In the place of a column's name: where the invitations of all are counted.
pub(super) const SENT: &str = "sent";

/// After every sort key that begins with the name of a dimension and `#`.
const AFTER: char = '$';

/// Counts an invitation that is sent now, in the columns that [`Sent::columns_of`]
/// gave. It counts each time: it belongs in the commit that marks it sent, which
/// loses the second time.
#[must_use]
pub fn sent(touchpoint: &TouchpointId, columns: &BTreeSet<Column>, now: Timestamp) -> Write {
    let one = |change: Change, column: &Column| change.add(attribute(column), 1);
    let change = columns.iter().fold(Change::default(), one);
    add(sent_key(touchpoint, &months::of(now)), change)
}

/// Where it is counted how many were invited at a touchpoint in a month.
#[must_use]
pub fn sent_key(touchpoint: &TouchpointId, month: &str) -> Key {
    Key::answers(touchpoint, month, SENT)
}

/// The name of a column's attribute. Tiers may have points in their names, which
/// would be steps of a path.
fn attribute(column: &Column) -> String {
    column.to_string().replace('%', "%25").replace('.', "%2E")
}

/// The column of an attribute; none of a key.
fn column_of(attribute: &str) -> Option<Column> {
    Column::parse(&attribute.replace("%2E", ".").replace("%25", "%"))
}

/// Counts how an answer differs from what was counted of it, and notes what is
/// counted now: the first write, which loses if something else was counted
/// since `invite` was read.
#[must_use]
pub fn count(
    invite: &Invite,
    month: &str,
    counted: &Counted,
    differences: &[Difference],
) -> Commit {
    let mark = surveys::counted(&invite.id, &invite.counted, counted);
    let write = |it: &Difference| {
        let mut change = Change::default();
        if it.answered != 0 {
            change = change.add(ANSWERED, it.answered);
        }
        for ((question, value), by) in &it.values {
            change = change.add(format!("{question}#{value}"), *by);
        }
        add(Key::answers(&invite.touchpoint, month, &it.column.to_string()), change)
    };
    Commit::from(mark).and(differences.iter().map(write).collect())
}

fn add(key: Key, change: Change) -> Write {
    Write::update(key, change.set("v", number(1)), &Sends::none())
}

pub(super) fn from_item(item: &Item) -> Option<Counts> {
    let mut counts = Counts::default();
    for (name, value) in item {
        let count = || as_number(value)?.parse().ok();
        match (name.as_str(), name.split_once('#')) {
            (ANSWERED, _) => counts.answered = count()?,
            (_, Some((question, value))) => {
                let values = counts.values.entry(QuestionId::parse(question).ok()?).or_default();
                values.insert(Value::parse(value)?, count()?);
            }
            _ => {}
        }
    }
    Some(counts)
}

pub(super) fn sent_from(item: &Item) -> Option<Sent> {
    let columns = item.iter().filter_map(|(name, value)| Some((column_of(name)?, value)));
    let count = |value: &AttributeValue| as_number(value)?.parse().ok();
    columns.map(|(column, value)| Some((column, count(value)?))).collect()
}

fn odd() -> StoreError {
    StoreError::Stored { what: "survey's counters", source: StoredError::Range }
}

/// Some columns of a month, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The columns, without how many were invited: [`Sent::with`] adds that.
    pub columns: Vec<(Column, Counts)>,
    /// Whether there may be more after the last one.
    pub more: bool,
}

impl Found {
    /// How many were invited at a touchpoint in a month: at [`sent_key`].
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn sent(&self, touchpoint: &TouchpointId, month: &str) -> Result<Sent, StoreError> {
        let item = self.item(&sent_key(touchpoint, month));
        item.map_or(Ok(Sent::default()), |item| sent_from(item).ok_or_else(odd))
    }

    /// What is counted of a touchpoint in a column of a month, nothing if
    /// nothing is; at [`Key::answers`], and of invitations at [`sent_key`].
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn answers(
        &self,
        touchpoint: &TouchpointId,
        month: &str,
        column: &Column,
    ) -> Result<Counts, StoreError> {
        let item = self.item(&Key::answers(touchpoint, month, &column.to_string()));
        let answers = item.map_or(Ok(Counts::default()), |item| from_item(item).ok_or_else(odd))?;
        Ok(self.sent(touchpoint, month)?.with(column, answers))
    }
}

impl Store {
    /// What is counted of a touchpoint in columns and months, as
    /// [`Found::answers`] and [`Found::sent`] give it. One round trip for each
    /// hundred items: one a month, and one a column and month.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answers(
        &self,
        touchpoint: &TouchpointId,
        months: &[Month],
        columns: &[Column],
    ) -> Result<Found, StoreError> {
        let month = |month: &Month| {
            let answers =
                |column: &Column| Key::answers(touchpoint, month.as_str(), &column.to_string());
            let sent = sent_key(touchpoint, month.as_str());
            columns.iter().map(answers).chain([sent]).collect::<Vec<_>>()
        };
        self.read(&months.iter().flat_map(month).collect::<Vec<_>>()).await
    }

    /// The columns of a dimension in a month, in the order of their names, from
    /// the first one after `after` on, at most so many. One round trip.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answers_by(
        &self,
        touchpoint: &TouchpointId,
        month: &Month,
        dimension: Dimension,
        after: Option<&Column>,
        limit: u16,
    ) -> Result<Columns, StoreError> {
        let pk = answers_pk(touchpoint, month.as_str());
        // The least text after another one is that with a zero at its end.
        let first = format!("{}#", dimension.name());
        let from = after.map_or(first, |after| format!("{after}\0"));
        let to = format!("{}{AFTER}", dimension.name());
        let (items, last) = self.between((Table::Surveys, &pk), (&from, &to), None, limit).await?;
        let read = |item: &Item| {
            let (_, column) = key_of(item)?;
            Some((Column::parse(&column)?, from_item(item)?))
        };
        let columns =
            items.iter().map(|item| read(item).ok_or_else(odd)).collect::<Result<_, _>>()?;
        Ok(Columns { columns, more: last.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_their_names() {
        let item = |attributes: &[(&str, &str)]| -> Item {
            let number = |(name, count): &(&str, &str)| {
                ((*name).to_owned(), AttributeValue::N((*count).to_owned()))
            };
            attributes.iter().map(number).collect()
        };
        let read = from_item(&item(&[("v", "1"), ("a", "2"), ("q#9", "1"), ("q#=x", "2")]));
        let read = read.unwrap();
        let question = QuestionId::parse("q").unwrap();
        assert_eq!((read.sent, read.answered), (0, 2));
        assert_eq!(read.count(&question, &Value::Score(9)), 1);
        assert_eq!(read.count(&question, &Value::parse("=x").unwrap()), 2);
        assert_eq!(read.count(&question, &Value::Score(8)), 0);
        for odd in [("a", "-1"), ("q#x", "1"), ("Q#1", "1")] {
            assert_eq!(from_item(&item(&[odd])), None, "{odd:?}");
        }
        let column = |text| Column::parse(text).unwrap();
        for text in ["all", "tier#", "tier#v1.5 50%", "tier#%2E", "lane#main#GB"] {
            let name = attribute(&column(text));
            assert!(!name.contains('.'), "{name} is one step of a path");
            assert_eq!(column_of(&name), Some(column(text)));
            let sent = Sent::from_iter([(column(text), 7)]);
            assert_eq!(sent_from(&item(&[("v", "1"), (&name, "7")])), Some(sent));
        }
        assert_eq!(sent_from(&item(&[("all", "-1")])), None);
    }
}
