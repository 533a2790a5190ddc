//! The embedded database and the quick tables answer the same calls in the same way.

use std::collections::BTreeSet;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::*;

/// How many calls are compared.
const CALLS: usize = 1_200;

const TABLES: [Table; 3] = [Table::Orders, Table::Points, Table::Stock];

struct Pair {
    embedded: Tables,
    quick: Tables,
    dice: Rng,
}

fn text(text: impl std::fmt::Display) -> Value {
    json!({ "S": text.to_string() })
}

fn number(number: i64) -> Value {
    json!({ "N": number.to_string() })
}

/// Sets have no order.
fn sorted(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                *field = sorted(field.take());
                if let ("SS", Value::Array(texts)) = (name.as_str(), field) {
                    texts.sort_by_key(ToString::to_string);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| *it = sorted(it.take())),
        _ => {}
    }
    value
}

/// What is told of an answer: of a refusal its kind, and what it met.
fn told(answer: Result<(Value, Cost), DynoxideError>) -> (Value, Cost) {
    match answer {
        Ok((mut body, cost)) => {
            if let Some(fields) = body.as_object_mut() {
                fields.remove("ConsumedCapacity");
                // Of an item that an update makes, the embedded database says that
                // its key was there; DynamoDB says nothing.
                let is_key = |it: &Value| it.as_object().is_some_and(|it| it.len() == 2);
                if fields.get("Attributes").is_some_and(is_key) {
                    fields.remove("Attributes");
                }
            }
            (sorted(body), cost)
        }
        Err(error) => {
            let body: Value = serde_json::from_str(&error.to_json()).unwrap();
            let mut reasons = body["CancellationReasons"].clone();
            for reason in reasons.as_array_mut().into_iter().flatten() {
                reason.as_object_mut().unwrap().remove("Message");
            }
            (sorted(json!([body["__type"], body["Item"], reasons])), lost(&error))
        }
    }
}

impl Pair {
    fn new(seed: u64) -> Self {
        Self {
            embedded: Tables::create(false).unwrap(),
            quick: Tables::create(true).unwrap(),
            dice: Rng::with_seed(seed),
        }
    }

    fn call(&self, operation: &str, body: &Value) -> Value {
        let answer = |tables: &Tables| {
            let request = Request::parse(operation, body.to_string().as_bytes()).unwrap();
            told(tables.apply(request, Reading { now: Timestamp::EPOCH, unseen: None }))
        };
        let (embedded, quick) = (answer(&self.embedded), answer(&self.quick));
        let briefly = |told: &(Value, Cost)| format!("{told:?}").replace("xxxx", "");
        assert!(
            embedded == quick,
            "{operation} {body}:\n{}\n{}",
            briefly(&embedded),
            briefly(&quick)
        );
        embedded.0
    }

    fn table(&mut self) -> Table {
        let place = self.dice.usize(0..TABLES.len());
        TABLES[place]
    }

    fn key(&mut self) -> Map<String, Value> {
        let (pk, sk) = (self.dice.u8(0..3), self.dice.u8(0..4));
        let sk = if self.dice.bool() { format!("A#{sk}") } else { format!("B#{sk}") };
        Map::from_iter([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
    }

    fn item(&mut self) -> Map<String, Value> {
        let mut item = self.key();
        if self.dice.bool() {
            item.insert("n".to_owned(), number(self.dice.i64(-3..3)));
        }
        if self.dice.bool() {
            item.insert("due_shard".to_owned(), text(self.dice.u8(0..2)));
            item.insert("due".to_owned(), text(self.dice.u8(0..9)));
        }
        if self.dice.bool() {
            item.insert("m".to_owned(), json!({ "M": { "a": number(1), "b": text("x") } }));
        }
        if self.dice.bool() {
            item.insert("e".to_owned(), json!({ "SS": ["x", "y"] }));
        }
        if self.dice.u8(0..8) == 0 {
            item.insert("b".to_owned(), text("x".repeat(self.dice.usize(1..9_000))));
        }
        if self.dice.bool() {
            item.insert("sends".to_owned(), text("[]"));
        }
        item
    }

    /// A write of a transaction, or one alone, with a condition or none.
    fn write(&mut self) -> (&'static str, Value) {
        let table = deployed(self.table());
        let (kind, mut write) = if self.dice.bool() {
            ("Put", json!({ "TableName": table, "Item": self.item() }))
        } else {
            let (update, names, values) = [
                ("SET #1 = :1", json!({ "#1": "n" }), json!({ ":1": number(1) })),
                ("SET #1.#2 = :1", json!({ "#1": "m", "#2": "a" }), json!({ ":1": number(2) })),
                ("ADD #1 :1", json!({ "#1": "n" }), json!({ ":1": number(-2) })),
                ("ADD #1 :1", json!({ "#1": "e" }), json!({ ":1": { "SS": ["y", "z"] } })),
                ("REMOVE #1.#2, #3", json!({ "#1": "m", "#2": "b", "#3": "n" }), json!({})),
                (
                    "SET #1 = :1, #2 = :2 ADD #3 :3 REMOVE #4",
                    json!({ "#1": "due_shard", "#2": "due", "#3": "n", "#4": "sends" }),
                    json!({ ":1": text(0), ":2": text(5), ":3": number(1) }),
                ),
                ("REMOVE #1, #2", json!({ "#1": "due", "#2": "due_shard" }), json!({})),
            ][self.dice.usize(0..7)]
            .clone();
            let key = self.key();
            let write = json!({
                "TableName": table, "Key": key, "UpdateExpression": update,
                "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
            });
            ("Update", write)
        };
        let (condition, name, value) = [
            ("", "", Value::Null),
            ("attribute_not_exists(#c)", "pk", Value::Null),
            ("attribute_exists(#c)", "pk", Value::Null),
            ("#c = :c", "n", number(1)),
            ("#c >= :c", "n", number(0)),
            ("(attribute_not_exists(#c) OR #c < :c)", "n", number(2)),
            ("(attribute_not_exists(#c) OR size(#c) < :c)", "e", number(3)),
            ("(attribute_not_exists(#c) OR NOT contains(#c, :c))", "e", text("z")),
            ("size(#c) < :c AND attribute_exists(#c)", "m", number(2)),
            ("#c > :c", "due", text("4")),
        ][self.dice.usize(0..10)]
        .clone();
        if !condition.is_empty() {
            write["ConditionExpression"] = condition.into();
            write["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
            write["ExpressionAttributeNames"]["#c"] = name.into();
            if !value.is_null() {
                write["ExpressionAttributeValues"][":c"] = value;
            }
        }
        if write["ExpressionAttributeValues"] == json!({}) {
            write.as_object_mut().unwrap().remove("ExpressionAttributeValues");
        }
        (kind, write)
    }

    fn query(&mut self) {
        let table = self.table();
        let by_due = table != Table::Stock && self.dice.bool();
        let (partition, sort) = if by_due { ("due_shard", "due") } else { ("pk", "sk") };
        let (condition, values) = match (by_due, self.dice.u8(0..3)) {
            (_, 0) => ("#p = :p", json!({})),
            (true, 1) => ("#p = :p AND #s <= :s", json!({ ":s": text(6) })),
            (true, _) => {
                ("#p = :p AND #s BETWEEN :f AND :t", json!({ ":f": text(2), ":t": text(7) }))
            }
            (false, 1) => ("#p = :p AND begins_with(#s, :s)", json!({ ":s": text("B#") })),
            (false, _) => (
                "#p = :p AND #s BETWEEN :f AND :t",
                json!({ ":f": text("A#1"), ":t": text("B#2") }),
            ),
        };
        let mut query = json!({
            "TableName": deployed(table),
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": { "#p": partition, "#s": sort },
            "ExpressionAttributeValues": values,
            "ScanIndexForward": self.dice.bool(),
        });
        query["ExpressionAttributeValues"][":p"] = text(self.dice.u8(0..3));
        if condition == "#p = :p" {
            query["ExpressionAttributeNames"].as_object_mut().unwrap().remove("#s");
        }
        if by_due {
            query["IndexName"] = "by_due".into();
        } else {
            query["ConsistentRead"] = true.into();
        }
        if self.dice.bool() {
            query["Limit"] = self.dice.u8(1..4).into();
        }
        // Page after page, to the end.
        for _ in 0..20 {
            let answer = self.call("Query", &query);
            if answer["LastEvaluatedKey"].is_null() {
                return;
            }
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"].clone();
        }
        panic!("{query} does not end");
    }

    fn batch(&mut self) {
        let mut wanted = Map::new();
        for table in TABLES {
            let keys: Vec<Value> = (0..3).map(|_| self.key().into()).collect();
            let keys: BTreeSet<String> = keys.iter().map(Value::to_string).collect();
            let keys: Vec<Value> =
                keys.iter().map(|key| serde_json::from_str(key).unwrap()).collect();
            let consistent = self.dice.bool();
            wanted.insert(deployed(table), json!({ "Keys": keys, "ConsistentRead": consistent }));
        }
        self.call("BatchGetItem", &json!({ "RequestItems": wanted }));
    }

    fn anything(&mut self) {
        match self.dice.u8(0..6) {
            0 => {
                let (table, key) = (deployed(self.table()), self.key());
                let consistent = self.dice.bool();
                let get = json!({ "TableName": table, "Key": key, "ConsistentRead": consistent });
                self.call("GetItem", &get);
            }
            1 => self.batch(),
            2 => self.query(),
            3 => {
                let writes: Vec<Value> = (0..self.dice.usize(1..4))
                    .map(|_| {
                        let (kind, write) = self.write();
                        json!({ kind: write })
                    })
                    .collect();
                self.call("TransactWriteItems", &json!({ "TransactItems": writes }));
            }
            _ => {
                let (kind, mut write) = self.write();
                if kind == "Update" {
                    write["ReturnValues"] = "ALL_OLD".into();
                }
                self.call(&format!("{kind}Item"), &write);
            }
        }
    }
}

#[test]
fn quick_tables_do_what_the_embedded_database_does() {
    for seed in 0..4 {
        let mut pair = Pair::new(seed);
        for _ in 0..CALLS / 4 {
            pair.anything();
        }
        for table in Table::ALL {
            pair.call("Scan", &json!({ "TableName": deployed(table), "ConsistentRead": true }));
        }
        let told = |tables: &Tables| -> Vec<(Table, u64, Value)> {
            let waiting = tables.waiting().into_iter();
            waiting.map(|it| (it.table, it.sequence, sorted(it.image))).collect()
        };
        assert_eq!(told(&pair.embedded), told(&pair.quick));
    }
}
