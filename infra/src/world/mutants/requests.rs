//! Changes of requests to the tables.

use std::collections::{BTreeSet, HashMap};

use aftercart::store::SENDS;
use dynoxide::{
    actions::{
        put_item::PutItemRequest, transact_write_items::TransactWriteItem,
        update_item::UpdateItemRequest,
    },
    types::{AttributeValue, Item},
};

use crate::world::tables::{Request, named};

use super::{Defect, Spot};

/// A write of a request.
struct Write<'r> {
    table: &'r str,
    place: (String, String),
    does: Does<'r>,
    condition: &'r mut Option<String>,
    names: &'r mut Option<HashMap<String, String>>,
    values: &'r mut Option<Item>,
}

enum Does<'r> {
    Put(&'r mut Item),
    Update(&'r mut String),
}

fn place(key: &Item) -> (String, String) {
    let text = |name: &str| match key.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    (text("pk"), text("sk"))
}

impl Spot {
    /// Whether a call of the function about this item is here.
    fn has(&self, function: &str, table: &str, (pk, sk): &(String, String)) -> bool {
        self.calls(function)
            && named(table) == Some(self.table)
            && pk.starts_with(self.pk)
            && sk.starts_with(self.sk)
    }

    /// Whether it is about calls of the function.
    pub(super) fn calls(&self, function: &str) -> bool {
        self.functions.is_empty() || self.functions.contains(&function)
    }

    /// Whether an item of a transaction is here.
    pub(super) fn has_item(&self, function: &str, item: &TransactWriteItem) -> bool {
        match (&item.put, &item.update) {
            (Some(put), _) => self.has(function, &put.table_name, &place(&put.item)),
            (_, Some(update)) => self.has(function, &update.table_name, &place(&update.key)),
            _ => false,
        }
    }

    /// Whether any write of a request is here.
    pub(super) fn has_any(&self, function: &str, request: &Request) -> bool {
        match request {
            Request::Put(it) => self.has(function, &it.table_name, &place(&it.item)),
            Request::Update(it) => self.has(function, &it.table_name, &place(&it.key)),
            Request::Transact(it) => {
                it.transact_items.iter().any(|item| self.has_item(function, item))
            }
            _ => false,
        }
    }
}

impl Defect {
    /// Changes the writes of a request, as far as the defect is in them.
    pub(super) fn change(&self, function: &str, request: &mut Request) {
        let spot = match self {
            Self::Unconditional(spot)
            | Self::Lax(spot, _)
            | Self::Forgetful(spot, _)
            | Self::Multiplied(spot, ..)
            | Self::Overwriting(spot)
            | Self::Silent(spot) => spot,
            _ => return,
        };
        for mut write in writes(request) {
            if !spot.has(function, write.table, &write.place) {
                continue;
            }
            match self {
                Self::Unconditional(_) => *write.condition = None,
                Self::Lax(_, attributes) => write.relax(attributes),
                Self::Forgetful(_, attributes) => write.forget(attributes),
                Self::Multiplied(_, attribute, by) => write.multiply(attribute, *by),
                Self::Overwriting(_) => write.overwrite(),
                Self::Silent(_) => write.silence(),
                _ => {}
            }
            write.prune();
        }
    }
}

fn writes(request: &mut Request) -> Vec<Write<'_>> {
    match request {
        Request::Put(request) => {
            let request = &mut **request;
            vec![Write {
                table: &request.table_name,
                place: place(&request.item),
                does: Does::Put(&mut request.item),
                condition: &mut request.condition_expression,
                names: &mut request.expression_attribute_names,
                values: &mut request.expression_attribute_values,
            }]
        }
        Request::Update(request) => {
            let request = &mut **request;
            vec![Write {
                table: &request.table_name,
                place: place(&request.key),
                does: Does::Update(request.update_expression.get_or_insert_default()),
                condition: &mut request.condition_expression,
                names: &mut request.expression_attribute_names,
                values: &mut request.expression_attribute_values,
            }]
        }
        Request::Transact(request) => {
            request.transact_items.iter_mut().filter_map(of_transaction).collect()
        }
        _ => Vec::new(),
    }
}

fn of_transaction(item: &mut TransactWriteItem) -> Option<Write<'_>> {
    if let Some(put) = &mut item.put {
        return Some(Write {
            table: &put.table_name,
            place: place(&put.item),
            does: Does::Put(&mut put.item),
            condition: &mut put.condition_expression,
            names: &mut put.expression_attribute_names,
            values: &mut put.expression_attribute_values,
        });
    }
    let update = item.update.as_mut()?;
    Some(Write {
        table: &update.table_name,
        place: place(&update.key),
        does: Does::Update(&mut update.update_expression),
        condition: &mut update.condition_expression,
        names: &mut update.expression_attribute_names,
        values: &mut update.expression_attribute_values,
    })
}

/// The parts of an update, by their verb.
type Clauses = Vec<(&'static str, Vec<String>)>;

/// The verbs of updates, in the order in which the store writes them, each with
/// what ends its parts.
const VERBS: [(&str, &[&str]); 3] =
    [("SET", &[" ADD ", " REMOVE "]), ("ADD", &[" REMOVE "]), ("REMOVE", &[])];

fn clauses(expression: &str) -> Clauses {
    let (mut found, mut rest) = (Clauses::new(), expression.trim());
    for (verb, later) in VERBS {
        let Some(behind) = rest.strip_prefix(verb) else { continue };
        let end = later.iter().filter_map(|it| behind.find(it)).min().unwrap_or(behind.len());
        let (parts, next) = behind.split_at(end);
        found.push((verb, parts.trim().split(", ").map(str::to_owned).collect()));
        rest = next.trim_start();
    }
    found
}

fn expression(clauses: &Clauses) -> String {
    let full = clauses.iter().filter(|(_, parts)| !parts.is_empty());
    let texts: Vec<String> =
        full.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect();
    texts.join(" ")
}

/// The path that a part of an update is about.
fn target(part: &str) -> &str {
    part.split([' ', '=']).next().unwrap_or_default()
}

/// The value that a part of an update writes.
fn value_of(part: &str) -> Option<&str> {
    placeholders(part).find(|it| it.starts_with(':'))
}

impl Write<'_> {
    /// The placeholders of these attributes.
    fn aliases(&self, attributes: &[&str]) -> BTreeSet<String> {
        let names = self.names.iter().flatten();
        let of = names.filter(|(_, name)| attributes.contains(&name.as_str()));
        of.map(|(alias, _)| alias.clone()).collect()
    }

    /// Takes the clauses out of the condition that name one of these attributes.
    fn relax(&mut self, attributes: &[&str]) {
        let aliases = self.aliases(attributes);
        let Some(condition) = self.condition.as_deref() else { return };
        let names_one = |clause: &str| placeholders(clause).any(|it| aliases.contains(it));
        let kept: Vec<&str> = condition.split(" AND ").filter(|it| !names_one(it)).collect();
        let kept = kept.join(" AND ");
        *self.condition = (!kept.is_empty()).then_some(kept);
    }

    /// Does not write these attributes.
    fn forget(&mut self, attributes: &[&str]) {
        let aliases = self.aliases(attributes);
        match &mut self.does {
            Does::Put(item) => item.retain(|name, _| !attributes.contains(&name.as_str())),
            Does::Update(update) => {
                let mut parts = clauses(update);
                for (_, parts) in parts.iter_mut().filter(|(verb, _)| *verb != "REMOVE") {
                    parts.retain(|part| {
                        let first = target(part).split('.').next().unwrap_or_default();
                        !aliases.contains(first)
                    });
                }
                **update = expression(&parts);
            }
        }
    }

    /// Takes the messages away, also those that were there.
    fn silence(&mut self) {
        let aliases = self.aliases(&[SENDS]);
        self.forget(&[SENDS]);
        let (Does::Update(update), Some(alias)) = (&mut self.does, aliases.first()) else { return };
        let mut parts = clauses(update);
        match parts.iter_mut().find(|(verb, _)| *verb == "REMOVE") {
            Some((_, removed)) if removed.contains(alias) => {}
            Some((_, removed)) => removed.push(alias.clone()),
            None => parts.push(("REMOVE", vec![alias.clone()])),
        }
        **update = expression(&parts);
    }

    /// Writes so many times the number.
    fn multiply(&mut self, attribute: &str, by: i64) {
        let times = |value: &mut AttributeValue| {
            if let AttributeValue::N(text) = value
                && let Ok(number) = text.parse::<i64>()
            {
                *text = number.saturating_mul(by).to_string();
            }
        };
        let aliases = self.aliases(&[attribute]);
        match &mut self.does {
            Does::Put(item) => item.get_mut(attribute).into_iter().for_each(times),
            Does::Update(update) => {
                let Some(values) = &mut *self.values else { return };
                for part in clauses(update).into_iter().flat_map(|(_, parts)| parts) {
                    let value = value_of(&part).filter(|_| aliases.contains(target(&part)));
                    value.and_then(|it| values.get_mut(it)).into_iter().for_each(times);
                }
            }
        }
    }

    /// Puts sets in place of others.
    fn overwrite(&mut self) {
        let Does::Update(update) = &mut self.does else { return };
        let (mut set, mut parts) = (Vec::new(), clauses(update));
        for (_, parts) in parts.iter_mut().filter(|(verb, _)| *verb == "ADD") {
            parts.retain(|part| {
                let value = value_of(part).and_then(|it| self.values.as_ref()?.get(it));
                let is_set = matches!(value, Some(AttributeValue::SS(_)));
                if is_set {
                    set.push(part.replacen(' ', " = ", 1));
                }
                !is_set
            });
        }
        match parts.iter_mut().find(|(verb, _)| *verb == "SET") {
            Some((_, parts)) => parts.extend(set),
            None => parts.insert(0, ("SET", set)),
        }
        **update = expression(&parts);
    }

    /// Forgets the placeholders that nothing names any more, which a database
    /// would refuse.
    fn prune(&mut self) {
        let mut used: BTreeSet<String> = BTreeSet::new();
        used.extend(self.condition.iter().flat_map(|it| placeholders(it)).map(str::to_owned));
        if let Does::Update(update) = &self.does {
            used.extend(placeholders(update).map(str::to_owned));
        }
        retain(self.names, &used);
        retain(self.values, &used);
    }
}

fn retain<V>(map: &mut Option<HashMap<String, V>>, used: &BTreeSet<String>) {
    if let Some(kept) = map {
        kept.retain(|alias, _| used.contains(alias));
        if kept.is_empty() {
            *map = None;
        }
    }
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '#' || c == ':'));
    words.filter(|word| word.starts_with(['#', ':']))
}

/// An item of a transaction as a request of its own.
pub(super) fn alone(item: TransactWriteItem) -> Option<Request> {
    if let Some(put) = item.put {
        let on_failure = put.return_values_on_condition_check_failure;
        return Some(Request::Put(Box::new(PutItemRequest {
            table_name: put.table_name,
            item: put.item,
            condition_expression: put.condition_expression,
            expression_attribute_names: put.expression_attribute_names,
            expression_attribute_values: put.expression_attribute_values,
            return_values_on_condition_check_failure: on_failure,
            ..PutItemRequest::default()
        })));
    }
    let update = item.update?;
    let on_failure = update.return_values_on_condition_check_failure;
    Some(Request::Update(Box::new(UpdateItemRequest {
        table_name: update.table_name,
        key: update.key,
        update_expression: Some(update.update_expression),
        condition_expression: update.condition_expression,
        expression_attribute_names: update.expression_attribute_names,
        expression_attribute_values: update.expression_attribute_values,
        return_values_on_condition_check_failure: on_failure,
        ..UpdateItemRequest::default()
    })))
}
