//! Labels, parcels and what carriers tell of them.

use aftercart::model::{dispatch::shipment_id, id::OrderId, time::Timestamp};
use aftercart_infra::world::{Ask, Caller};
use serde_json::{Value, json};

use crate::{
    book::{Book, recent},
    errand::{Aim, Errand, Told},
};

/// The carriers of labels, the likely ones more often.
const CARRIERS: [&str; 5] = ["generic", "generic", "generic", "easypost", "aftership"];

/// A request of an operator about a shipment of a recent order.
fn of_shipment(book: &mut Book, name: &'static str, rest: &str, body: &Value) -> Option<Errand> {
    let order = book.order()?;
    let number = if book.dice.chance(800) { 1 } else { 2 };
    let key = book.key("shipment");
    let id = OrderId::parse(&book.orders.get(order)?.id).ok()?;
    let shipment = shipment_id(&id, number);
    let ask = Ask::post(format!("/orders/{id}/shipments/{shipment}{rest}"), body);
    Some(Errand::plain(name, ask.by(Caller::Operator).keyed(&key)))
}

pub(super) fn label(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let carrier = book.dice.word(&CARRIERS);
    let count = book.orders.get(order)?.labels;
    // Somebody prints the same label twice, or another one.
    let other = if book.dice.chance(100) { count + 1 } else { count };
    let shipment = if book.dice.chance(850) { 1 } else { 2 };
    let number = format!("AB-{order:05}-{shipment}-{other}");
    let body = json!({ "carrier": carrier, "tracking_number": number });
    let id = OrderId::parse(&book.orders.get(order)?.id).ok()?;
    let path = format!("/orders/{id}/shipments/{}/label", shipment_id(&id, shipment));
    let ask = Ask::post(path, &body).by(Caller::Operator);
    Some(Errand::new("label", ask, Aim::Label { order, carrier, number }))
}

/// What a carrier says of a parcel that goes so far, in its own words.
fn words(carrier: &str) -> [&'static str; 6] {
    match carrier {
        "easypost" => [
            "pre_transit",
            "in_transit",
            "out_for_delivery",
            "delivered",
            "return_to_sender",
            "failure",
        ],
        "aftership" => {
            ["InfoReceived", "InTransit", "OutForDelivery", "Delivered", "Exception", "AttemptFail"]
        }
        _ => ["picked_up", "in_transit", "out_for_delivery", "delivered", "returning", "exception"],
    }
}

/// A parcel is seen somewhere.
pub(super) fn scanned(book: &mut Book) -> Option<Errand> {
    let parcel = recent(&mut book.dice, book.parcels.len())?;
    scan(book, parcel)
}

/// A parcel is seen somewhere; its carrier tells of it, or of all it knows.
pub(crate) fn scan(book: &mut Book, parcel: usize) -> Option<Errand> {
    let carrier = book.parcels.get(parcel)?.carrier;
    let step = match book.dice.below(20) {
        0 => 4,
        1 => 5,
        _ => book.dice.below(4).max(book.parcels.get(parcel)?.scans.len().min(3)),
    };
    let status = words(carrier).get(step).copied()?;
    // Clocks of carriers are not ours, and some tell late.
    let back = book.dice.between(0, 7_200);
    let at = book.now.minus(aftercart::model::time::Period::of_seconds(back));
    let event = book.key("scan");
    let whole = book.dice.chance(300);
    let note = book.parcels.get_mut(parcel)?;
    note.scans.push((status, at));
    let scans: Vec<(&'static str, Timestamp)> = if whole {
        note.scans.iter().rev().copied().take(10).collect()
    } else {
        vec![(status, at)]
    };
    let told = Told::Parcel { carrier, event, number: note.number.clone(), scans };
    let errand = Errand::telling("scan", told);
    if book.dice.chance(250) {
        let again = book.dice.between(1, 100_000);
        book.later(again, errand.clone());
    }
    if book.dice.chance(200) {
        // Told much later, when other scans have come.
        let again = book.dice.between(600, 200_000);
        book.later(again, errand);
        return None;
    }
    Some(errand)
}

pub(super) fn split(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let (sku, _) = *book.orders.get(order)?.lines.first()?;
    let body = json!({ "lines": [{ "sku": sku, "quantity": 1 }] });
    of_shipment(book, "split", "/split", &body)
}

pub(super) fn void(book: &mut Book) -> Option<Errand> {
    of_shipment(book, "void", "/label/void", &json!({}))
}

pub(super) fn close(book: &mut Book) -> Option<Errand> {
    let how = book.dice.word(&["handed_over", "lost", "called_off"]);
    of_shipment(book, "close", "/close", &json!({ "how": how }))
}

pub(super) fn replace(book: &mut Book) -> Option<Errand> {
    of_shipment(book, "replace", "/replacement", &json!({}))
}

pub(super) fn give_back(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let key = book.key("return");
    let note = book.orders.get(order)?;
    let (sku, _) = *note.lines.first()?;
    let body = json!({
        "lines": [{ "sku": sku, "quantity": 1 }],
        "label": { "carrier": "generic", "tracking_number": format!("BA-{order:05}") },
    });
    let ask = Ask::post(format!("/orders/{}/returns", note.id), &body).by(Caller::Operator);
    Some(Errand::plain("return", ask.keyed(&key)))
}

pub(super) fn track(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let note = book.orders.get(order)?;
    Some(Errand::plain("track", book.by_buyer(note, Ask::get(book.path(note, "/tracking")))))
}
