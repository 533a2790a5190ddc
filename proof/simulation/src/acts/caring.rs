//! Complaints, and what a desk does about them.

use aftercart::model::{dispatch::shipment_id, id::OrderId};
use aftercart_infra::world::{Ask, Caller};
use serde_json::{Value, json};

use crate::{
    book::{Book, recent},
    errand::{Aim, Errand},
};

pub(super) fn complain(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let key = book.key("complain");
    let text = book.dice.word(&["It came too late.", "A cup is missing.", "My points are gone."]);
    let operator = book.dice.chance(150);
    let note = book.orders.get(order)?;
    let person = book.people.get(note.person)?;
    let aim = Aim::Complain { person: note.person, order: Some(order) };
    let ask = if operator && person.member {
        let body = json!({
            "customer": format!("cus_{}", person.name), "order": note.id,
            "email": format!("{}@example.com", person.name), "text": text,
        });
        Ask::post("/operator/tickets", &body).by(Caller::Operator)
    } else if person.member {
        let body = json!({ "order": note.id, "topic": "delivery", "text": text });
        book.by_buyer(note, Ask::post("/me/tickets", &body))
    } else {
        let path = format!("/guest/orders/{}/tickets", note.id);
        book.by_buyer(note, Ask::post(path, &json!({ "text": text })))
    };
    Some(Errand::new("complain", ask.keyed(&key), aim))
}

/// Somebody of the desk answers, asks for a remedy, solves or reopens.
pub(super) fn act(book: &mut Book) -> Option<Errand> {
    let ticket = recent(&mut book.dice, book.tickets.len())?;
    let note = book.tickets.get(ticket)?.clone();
    let key = book.key("ticket");
    let (what, body) = match book.dice.below(10) {
        0 | 1 => ("reply", json!({ "text": "We look into it." })),
        2 => ("note", json!({ "text": "Third time this month." })),
        3 => ("assignment", json!({ "assignee": "eve" })),
        4 | 5 => ("solution", json!({ "cause": "other", "text": "A new one is on its way." })),
        6 => ("reopening", json!({ "text": "It is not solved." })),
        _ => ("remedies", json!({ "remedy": remedy(book, note.order) })),
    };
    let ask = Ask::post(format!("/operator/tickets/{}/{what}", note.id), &body);
    Some(Errand::plain("ticket.do", ask.by(Caller::Operator).keyed(&key)))
}

fn remedy(book: &mut Book, order: Option<usize>) -> Value {
    let amount = json!({ "amount": book.dice.between(50, 400), "currency": book.shop.currency });
    let points = book.dice.between(10, 200);
    let order = order.and_then(|order| book.orders.get(order));
    let shipment = order.and_then(|note| Some(shipment_id(&OrderId::parse(&note.id).ok()?, 1)));
    let line = order.and_then(|note| note.lines.first().copied());
    match (book.dice.below(6), shipment, line) {
        (0, ..) => json!({ "kind": "coupon", "rule": "sorry", "lasts": "30d" }),
        (1, ..) => json!({ "kind": "refund", "goodwill": amount }),
        (2, _, Some((sku, _))) => json!({ "kind": "refund", "lines": { sku: 1 } }),
        (3, Some(shipment), _) => json!({ "kind": "reship", "shipment": shipment }),
        (4, ..) => json!({ "kind": "call_back", "phone": "020 7946 0000" }),
        _ => json!({ "kind": "points", "points": points }),
    }
}
