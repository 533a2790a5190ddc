//! Quotes, carts and orders.

use aftercart_infra::world::Ask;
use serde_json::{Value, json};

use crate::{
    book::Book,
    errand::{Aim, Errand},
    shop::PRODUCTS,
};

/// Lines of one or two products.
fn lines(book: &mut Book) -> Value {
    let first = book.dice.below(PRODUCTS.len());
    let second = if book.dice.chance(250) { book.dice.below(PRODUCTS.len()) } else { first };
    let mut lines = Vec::new();
    for (position, product) in PRODUCTS.iter().enumerate() {
        if position == first || position == second {
            lines.push(json!({ "sku": product.sku, "quantity": book.dice.between(1, 3) }));
        }
    }
    Value::Array(lines)
}

/// What somebody orders.
fn body(book: &mut Book, person: usize) -> Value {
    let name = book.people.get(person).map(|it| it.name.clone()).unwrap_or_default();
    let mut body = json!({
        "lines": lines(book),
        "shipping_address": book.address("1 High Street"),
        "contact": { "email": format!("{name}@example.com"), "language": "en" },
    });
    if book.dice.chance(150) {
        body["codes"] = json!(["TEA10"]);
    }
    let member = book.people.get(person).is_some_and(|it| it.member);
    if member && book.dice.chance(250) {
        body["points"] = book.dice.between(1, 300).into();
    }
    if member && book.dice.chance(100) {
        body["cart"] = true.into();
    }
    let voucher = book.people.get(person).and_then(|it| it.vouchers.last().cloned());
    if let Some(voucher) = voucher.filter(|_| book.dice.chance(600)) {
        body["vouchers"] = json!([voucher]);
    }
    body
}

fn placing(book: &Book, person: usize, body: &Value, key: &str, other: bool) -> Errand {
    let member = book.people.get(person).is_some_and(|it| it.member);
    let path = if member { "/orders" } else { "/guest/orders" };
    let ask = book.by_member(person, Ask::post(path, body).keyed(key));
    let aim = Aim::Place { person, key: key.to_owned(), body: body.clone(), other };
    Errand::new(if other { "order.other" } else { "order" }, ask, aim)
}

pub(super) fn order(book: &mut Book) -> Option<Errand> {
    let person = book.dice.below(book.people.len());
    let body = body(book, person);
    let key = book.key("order");
    let errand = placing(book, person, &body, &key, false);
    if book.dice.chance(100) {
        // The button was pressed twice.
        let again = book.dice.between(0, 30);
        book.later(again, errand.clone());
    }
    Some(errand)
}

/// The same call that was answered long ago.
pub(super) fn again(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let note = book.orders.get(order)?;
    Some(placing(book, note.person, &note.body, &note.key, false))
}

/// The key of an order with another basket.
pub(super) fn other(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let note = book.orders.get(order)?;
    let mut body = note.body.clone();
    body["shipping_address"]["city"] = "Leeds".into();
    Some(placing(book, note.person, &body, &note.key, true))
}

pub(super) fn quote(book: &mut Book) -> Option<Errand> {
    let person = book.dice.below(book.people.len());
    let member = book.people.get(person)?.member;
    let mut body = json!({ "lines": lines(book), "place": { "country": book.shop.country } });
    if book.dice.chance(300) {
        body["codes"] = json!(["TEA10"]);
    }
    let path = if member { "/quotes" } else { "/guest/quotes" };
    Some(Errand::plain("quote", book.by_member(person, Ask::post(path, &body))))
}

/// A request about somebody's cart.
fn of_cart(book: &Book, person: usize, ask: Ask) -> Option<Ask> {
    let who = book.people.get(person)?;
    Some(if who.member {
        ask.by_member(&who.name)
    } else {
        ask.with("cart-token", format!("cart-of-a-guest-{:_<16}", who.name))
    })
}

fn cart_path(book: &Book, person: usize, rest: &str) -> String {
    let member = book.people.get(person).is_some_and(|it| it.member);
    format!("{}/cart{rest}", if member { "" } else { "/guest" })
}

pub(super) fn cart(book: &mut Book) -> Option<Errand> {
    let person = book.dice.below(book.people.len());
    let mut body = json!({ "lines": lines(book) });
    if book.dice.chance(500) {
        let name = &book.people.get(person)?.name;
        body["contact"] = json!({ "email": format!("{name}@example.com"), "language": "en" });
        body["remind"] = true.into();
    }
    if book.dice.chance(500) {
        body["version"] = book.people.get(person)?.cart.into();
    }
    let ask = of_cart(book, person, Ask::put(cart_path(book, person, ""), &body))?;
    Some(Errand::new("cart", ask, Aim::Cart { person }))
}

pub(super) fn cart_line(book: &mut Book) -> Option<Errand> {
    let person = book.dice.below(book.people.len());
    let sku = book.dice.pick(&PRODUCTS)?.sku;
    let body = json!({ "quantity": book.dice.between(0, 4) });
    let path = cart_path(book, person, &format!("/lines/{sku}"));
    let ask = of_cart(book, person, Ask::put(path, &body))?;
    Some(Errand::new("cart.line", ask, Aim::Cart { person }))
}

/// A guest signs in, and the cart comes along.
pub(super) fn cart_merge(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let guest = book.people.iter().find(|it| !it.member)?;
    let token = format!("cart-of-a-guest-{:_<16}", guest.name);
    let ask = Ask::post("/cart/merge", &json!({})).with("cart-token", token);
    Some(Errand::new("cart.merge", book.by_member(person, ask), Aim::Cart { person }))
}

pub(super) fn see(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let note = book.orders.get(order)?;
    let ask = book.by_buyer(note, Ask::get(book.path(note, "")));
    Some(Errand::new("order.see", ask, Aim::See { order }))
}

pub(super) fn cancel(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let note = book.orders.get(order)?;
    let ask = Ask::post(book.path(note, "/cancel"), &json!({}));
    Some(Errand::new("order.cancel", book.by_buyer(note, ask), Aim::CallOff { order }))
}

pub(super) fn cancel_units(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let line = book.dice.below(2);
    let note = book.orders.get(order)?;
    let (sku, quantity) = note.lines.get(line).or(note.lines.first())?;
    let off = book.dice.between(1, *quantity);
    let body = json!({ "lines": [{ "sku": sku, "cancelled": off }] });
    let note = book.orders.get(order)?;
    let ask = Ask::post(book.path(note, "/units/cancel"), &body);
    Some(Errand::new("units.cancel", book.by_buyer(note, ask), Aim::CallOffUnits { order }))
}

pub(super) fn readdress(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let street = format!("{} High Street", book.dice.between(2, 9));
    let address = book.address(&street);
    let note = book.orders.get(order)?;
    let ask = Ask::put(book.path(note, "/shipping-address"), &address);
    Some(Errand::plain("address", book.by_buyer(note, ask)))
}

pub(super) fn share_start(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let ask = Ask::post("/shares", &json!({ "campaign": "group" }));
    Some(Errand::new("share.start", book.by_member(person, ask), Aim::Share))
}

pub(super) fn share_join(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let share = book.dice.pick(&book.shares)?;
    let ask = Ask::post(format!("/shares/{share}/joins"), &json!({}));
    Some(Errand::plain("share.join", book.by_member(person, ask)))
}
