//! Each kind of defect changes requests as it says, and leaves requests that
//! the embedded database takes.

use serde_json::{Value, json};

use super::*;
use crate::world::tables::{Reading, Request, Tables};

const ORDERS: Spot = Spot::of(Table::Orders).sort("ord_");

/// A world's tables with one order in it.
fn tables() -> Tables {
    let tables = Tables::create(false).unwrap();
    let put = json!({
        "TableName": "aftercart-orders",
        "Item": {
            "pk": { "S": "ada" }, "sk": { "S": "ord_1" }, "st": { "S": "paid" },
            "n": { "N": "2" }, "e": { "SS": ["a"] }, "sends": { "S": "[1]" },
        },
    });
    call(&tables, "PutItem", &put, None).unwrap();
    tables
}

/// The answer to a request of order-place, or the kind of refusal.
fn call(
    tables: &Tables,
    operation: &str,
    body: &Value,
    defect: Option<Defect>,
) -> Result<Value, String> {
    let mut request = Request::parse(operation, body.to_string().as_bytes()).unwrap();
    if let Some(defect) = defect {
        defect.change("order-place", &mut request);
    }
    let reading = Reading { now: aftercart::model::time::Timestamp::EPOCH, unseen: None };
    tables.apply(request, reading).map(|(body, _)| body).map_err(|error| error.to_json())
}

/// An update of the order that loses, and what it would do.
fn update() -> Value {
    json!({
        "TableName": "aftercart-orders",
        "Key": { "pk": { "S": "ada" }, "sk": { "S": "ord_1" } },
        "ConditionExpression": "#0 = :0 AND (attribute_not_exists(#1) OR #1 < :1)",
        "UpdateExpression": "SET #0 = :2, #2 = :3 ADD #1 :4, #3 :5",
        "ExpressionAttributeNames": { "#0": "st", "#1": "n", "#2": "sends", "#3": "e" },
        "ExpressionAttributeValues": {
            ":0": { "S": "placed" }, ":1": { "N": "5" }, ":2": { "S": "over" },
            ":3": { "S": "[2]" }, ":4": { "N": "1" }, ":5": { "SS": ["b"] },
        },
    })
}

/// The order after an update with this defect, which takes it beyond its condition.
fn after(defect: Defect) -> Value {
    let tables = tables();
    let mut update = update();
    update["ConditionExpression"] = "attribute_exists(#0)".into();
    update["ExpressionAttributeValues"].as_object_mut().unwrap().remove(":0");
    update["ExpressionAttributeValues"].as_object_mut().unwrap().remove(":1");
    call(&tables, "UpdateItem", &update, Some(defect)).unwrap();
    let get = json!({ "TableName": "aftercart-orders", "Key": update["Key"] });
    call(&tables, "GetItem", &get, None).unwrap()["Item"].take()
}

#[test]
fn conditions_are_dropped_whole_or_by_what_they_name() {
    let update = update();
    let lost = |defect| call(&tables(), "UpdateItem", &update, defect).is_err();
    assert!(lost(None));
    assert!(lost(Some(Defect::Lax(ORDERS, &["n"]))));
    assert!(!lost(Some(Defect::Lax(ORDERS, &["st"]))));
    assert!(!lost(Some(Defect::Lax(ORDERS, &["st", "n"]))));
    assert!(!lost(Some(Defect::Unconditional(ORDERS))));
    assert!(lost(Some(Defect::Unconditional(ORDERS.by(&["payment-fold"])))));
    assert!(lost(Some(Defect::Unconditional(Spot::of(Table::Stock)))));
    assert!(lost(Some(Defect::Unconditional(Spot::of(Table::Orders).sort("sub_")))));
}

#[test]
fn writes_are_changed_attribute_by_attribute() {
    let whole = after(Defect::Careless(Queue::Points));
    assert_eq!(whole["st"], json!({ "S": "over" }));
    assert_eq!(whole["n"], json!({ "N": "3" }));
    assert_eq!(whole["sends"], json!({ "S": "[2]" }));
    assert_eq!(whole["e"]["SS"].as_array().unwrap().len(), 2);

    assert_eq!(after(Defect::Forgetful(ORDERS, &["st"]))["st"], json!({ "S": "paid" }));
    assert_eq!(after(Defect::Multiplied(ORDERS, "n", 3))["n"], json!({ "N": "5" }));
    assert_eq!(after(Defect::Overwriting(ORDERS))["e"], json!({ "SS": ["b"] }));
    let silent = after(Defect::Silent(ORDERS));
    assert_eq!((&silent["sends"], &silent["st"]), (&Value::Null, &json!({ "S": "over" })));
}

#[test]
fn an_item_of_a_transaction_is_changed_like_one_alone() {
    let transaction = json!({ "TransactItems": [{ "Update": update() }] });
    for (defect, lost) in [(None, true), (Some(Defect::Unconditional(ORDERS)), false)] {
        let answer = call(&tables(), "TransactWriteItems", &transaction, defect);
        assert_eq!(answer.is_err(), lost, "{answer:?}");
    }
}
