//! DynamoDB's expressions, as far as the store writes any: conditions, updates
//! and conditions on keys. Whatever else is asked is an error.

use std::{borrow::Cow, cmp::Ordering, collections::BTreeSet, collections::HashMap};

use dynoxide::types::{AttributeValue, Item};

/// What the placeholders of an expression stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    names: Option<&'a HashMap<String, String>>,
    values: Option<&'a HashMap<String, AttributeValue>>,
}

/// Where a key condition says that a sort key lies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The partition.
    pub(super) partition: String,
    /// The first that lies there.
    pub(super) from: String,
    /// The first behind; none if there is none.
    pub(super) until: Option<String>,
}

/// The text that comes right after another.
pub(super) fn after(text: &str) -> String {
    format!("{text}\0")
}

impl<'a> Terms<'a> {
    pub(super) fn new(
        names: Option<&'a HashMap<String, String>>,
        values: Option<&'a HashMap<String, AttributeValue>>,
    ) -> Self {
        Self { names, values }
    }

    /// Whether a condition holds of an item; nothing is like an empty item.
    pub(super) fn hold(self, condition: &str, item: &Item) -> Result<bool, String> {
        let mut reader = Reader::of(condition, self);
        let holds = reader.either(item)?;
        reader.end().map(|()| holds)
    }

    /// Does to an item what an update says.
    pub(super) fn update(self, expression: &str, item: &mut Item) -> Result<(), String> {
        let mut reader = Reader::of(expression, self);
        while let Some(verb) = reader.next() {
            loop {
                reader.change(verb, item)?;
                if reader.peek() != Some(",") {
                    break;
                }
                reader.next();
            }
        }
        Ok(())
    }

    /// Reads a condition on keys.
    pub(super) fn span(self, condition: &str) -> Result<Span, String> {
        let mut reader = Reader::of(condition, self);
        reader.next();
        reader.expect("=")?;
        let mut span = Span { partition: reader.text()?, from: String::new(), until: None };
        if reader.peek().is_some() {
            reader.expect("AND")?;
            reader.sort(&mut span)?;
        }
        reader.end().map(|()| span)
    }
}

/// Goes through an expression, word by word.
struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
    terms: Terms<'a>,
}

impl<'a> Reader<'a> {
    fn of(text: &'a str, terms: Terms<'a>) -> Self {
        Self { words: words(text), at: 0, terms }
    }

    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        match self.next() {
            Some(it) if it == word => Ok(()),
            other => Err(format!("{word} is missing before {other:?}")),
        }
    }

    fn end(&self) -> Result<(), String> {
        self.peek().map_or(Ok(()), |word| Err(format!("{word} is too much")))
    }

    fn either(&mut self, item: &Item) -> Result<bool, String> {
        let mut holds = self.both(item)?;
        while self.peek() == Some("OR") {
            self.next();
            holds |= self.both(item)?;
        }
        Ok(holds)
    }

    fn both(&mut self, item: &Item) -> Result<bool, String> {
        let mut holds = self.one(item)?;
        while self.peek() == Some("AND") {
            self.next();
            holds &= self.one(item)?;
        }
        Ok(holds)
    }

    fn one(&mut self, item: &Item) -> Result<bool, String> {
        match self.peek() {
            Some("NOT") => {
                self.next();
                self.one(item).map(|holds| !holds)
            }
            Some("(") => {
                self.next();
                let holds = self.either(item)?;
                self.expect(")").map(|()| holds)
            }
            Some(name @ ("attribute_exists" | "attribute_not_exists")) => {
                self.next();
                self.expect("(")?;
                let path = self.path()?;
                self.expect(")")?;
                Ok(found(item, &path).is_some() == (name == "attribute_exists"))
            }
            Some("contains") => {
                self.next();
                self.expect("(")?;
                let whole = self.operand(item)?;
                self.expect(",")?;
                let part = self.operand(item)?;
                self.expect(")")?;
                contains(whole.as_deref(), part.as_deref())
            }
            _ => self.comparison(item),
        }
    }

    fn comparison(&mut self, item: &Item) -> Result<bool, String> {
        let left = self.operand(item)?;
        let sign = self.next().ok_or("an expression ends too early")?;
        let right = self.operand(item)?;
        let (Some(left), Some(right)) = (left, right) else { return Ok(false) };
        if sign == "=" {
            return same(&left, &right);
        }
        let Some(order) = order(&left, &right)? else { return Ok(false) };
        match sign {
            "<" => Ok(order.is_lt()),
            "<=" => Ok(order.is_le()),
            ">" => Ok(order.is_gt()),
            ">=" => Ok(order.is_ge()),
            other => Err(format!("{other} is not known here")),
        }
    }

    fn operand<'i>(&mut self, item: &'i Item) -> Result<Option<Cow<'i, AttributeValue>>, String>
    where
        'a: 'i,
    {
        match self.peek() {
            Some("size") => {
                self.next();
                self.expect("(")?;
                let path = self.path()?;
                self.expect(")")?;
                found(item, &path).map(size).transpose().map(|size| size.map(Cow::Owned))
            }
            Some(word) if word.starts_with(':') => self.value().map(|it| Some(Cow::Borrowed(it))),
            _ => Ok(found(item, &self.path()?).map(Cow::Borrowed)),
        }
    }

    fn value(&mut self) -> Result<&'a AttributeValue, String> {
        let name = self.next().unwrap_or_default();
        let value = self.terms.values.and_then(|values| values.get(name));
        value.ok_or_else(|| format!("the value {name} is not given"))
    }

    /// The names of attributes on the way to a value.
    fn path(&mut self) -> Result<Vec<&'a str>, String> {
        let word = self.next().ok_or("an expression ends too early")?;
        let name = |part: &'a str| {
            let known = self.terms.names.and_then(|names| names.get(part));
            known.map(String::as_str).ok_or_else(|| format!("the name {part} is not given"))
        };
        word.split('.').map(name).collect()
    }

    fn text(&mut self) -> Result<String, String> {
        match self.value()? {
            AttributeValue::S(text) => Ok(text.clone()),
            other => Err(format!("a key is no text: {other:?}")),
        }
    }

    /// One change of an update.
    fn change(&mut self, verb: &str, item: &mut Item) -> Result<(), String> {
        let path = self.path()?;
        let (name, within) = path.split_last().ok_or("a path is empty")?;
        let place = opened(item, within)
            .ok_or("The document path provided in the update expression is invalid for update")?;
        match verb {
            "SET" => {
                self.expect("=")?;
                place.insert((*name).to_owned(), self.value()?.clone());
            }
            "ADD" => {
                let sum = added(place.get(*name), self.value()?)?;
                place.insert((*name).to_owned(), sum);
            }
            "REMOVE" => {
                place.remove(*name);
            }
            other => return Err(format!("{other} is not known here")),
        }
        Ok(())
    }

    fn sort(&mut self, span: &mut Span) -> Result<(), String> {
        if self.peek() == Some("begins_with") {
            self.next();
            self.expect("(")?;
            self.next();
            self.expect(",")?;
            span.from = self.text()?;
            span.until = Some(format!("{}{}", span.from, char::MAX));
            return self.expect(")");
        }
        self.next();
        match self.next() {
            Some("BETWEEN") => {
                span.from = self.text()?;
                self.expect("AND")?;
                span.until = Some(after(&self.text()?));
            }
            Some("=") => {
                span.from = self.text()?;
                span.until = Some(after(&span.from));
            }
            Some("<") => span.until = Some(self.text()?),
            Some("<=") => span.until = Some(after(&self.text()?)),
            Some(">") => span.from = after(&self.text()?),
            Some(">=") => span.from = self.text()?,
            other => return Err(format!("{other:?} is not known here")),
        }
        Ok(())
    }
}

fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_sign = |c: char| matches!(c, '<' | '>' | '=');
        let length = match first {
            '(' | ')' | ',' => 1,
            c if is_sign(c) => rest.find(|c| !is_sign(c)).unwrap_or(rest.len()),
            _ => rest
                .find(|c: char| c.is_whitespace() || is_sign(c) || matches!(c, '(' | ')' | ','))
                .unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at(length);
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

fn found<'i>(item: &'i Item, path: &[&str]) -> Option<&'i AttributeValue> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(item.get(*first)?, |value, name| match value {
        AttributeValue::M(map) => map.get(*name),
        _ => None,
    })
}

/// The map at the end of a path, to change it.
fn opened<'i>(item: &'i mut Item, path: &[&str]) -> Option<&'i mut Item> {
    path.iter().try_fold(item, |map, name| match map.get_mut(*name)? {
        AttributeValue::M(map) => Some(map),
        _ => None,
    })
}

fn size(value: &AttributeValue) -> Result<AttributeValue, String> {
    let size = match value {
        AttributeValue::M(map) => map.len(),
        AttributeValue::L(list) => list.len(),
        AttributeValue::SS(texts) => texts.len(),
        other => return Err(format!("the size of {other:?} is not known here")),
    };
    Ok(AttributeValue::N(size.to_string()))
}

fn number(text: &str) -> Result<i128, String> {
    text.parse().map_err(|_| format!("the number {text} is no whole one"))
}

fn same(left: &AttributeValue, right: &AttributeValue) -> Result<bool, String> {
    match (left, right) {
        (AttributeValue::N(left), AttributeValue::N(right)) => Ok(number(left)? == number(right)?),
        (AttributeValue::SS(left), AttributeValue::SS(right)) => {
            Ok(left.iter().collect::<BTreeSet<_>>() == right.iter().collect())
        }
        _ => Ok(left == right),
    }
}

/// How two values compare, if they are of one kind that has an order.
fn order(left: &AttributeValue, right: &AttributeValue) -> Result<Option<Ordering>, String> {
    Ok(match (left, right) {
        (AttributeValue::N(left), AttributeValue::N(right)) => {
            Some(number(left)?.cmp(&number(right)?))
        }
        (AttributeValue::S(left), AttributeValue::S(right)) => Some(left.cmp(right)),
        _ => None,
    })
}

fn contains(whole: Option<&AttributeValue>, part: Option<&AttributeValue>) -> Result<bool, String> {
    match (whole, part) {
        (None, _) | (_, None) => Ok(false),
        (Some(AttributeValue::SS(texts)), Some(AttributeValue::S(text))) => {
            Ok(texts.contains(text))
        }
        other => Err(format!("contains is not known here of {other:?}")),
    }
}

fn added(before: Option<&AttributeValue>, more: &AttributeValue) -> Result<AttributeValue, String> {
    match (before, more) {
        (None, AttributeValue::N(_)) => Ok(more.clone()),
        (None, AttributeValue::SS(texts)) => Ok(set(texts.iter())),
        (Some(AttributeValue::N(before)), AttributeValue::N(more)) => {
            Ok(AttributeValue::N((number(before)? + number(more)?).to_string()))
        }
        (Some(AttributeValue::SS(before)), AttributeValue::SS(more)) => {
            Ok(set(before.iter().chain(more)))
        }
        _ => Err("An operand in the update expression has an incorrect data type".to_owned()),
    }
}

fn set<'t>(texts: impl Iterator<Item = &'t String>) -> AttributeValue {
    AttributeValue::SS(texts.cloned().collect::<BTreeSet<_>>().into_iter().collect())
}
