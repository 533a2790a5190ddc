//! What else happens in the shop on that day.

use std::thread;

use aftercart::model::payment::Provider;
use serde_json::json;

use super::{
    followed::{Followed, attach, send},
    play::{Caller, Play, Row, amount},
    senders,
};
use crate::{
    dev::{failure::Failure, http::Answer, running::now},
    signing::Scan,
};

/// The order of somebody without an account.
pub(super) struct Guest {
    /// Its identity.
    pub(super) id: String,
}

fn basket(sku: &str, quantity: i64) -> String {
    json!({
        "lines": [{ "sku": sku, "quantity": quantity }],
        "shipping_address": {
            "name": "Ana Example", "line1": "1 High Street", "city": "London",
            "postal_code": "N1 1AA", "country": "GB",
        },
        "contact": { "email": "ana@example.com", "language": "en" },
    })
    .to_string()
}

/// A guest in Shanghai buys, pays with Stripe, and gets the parcel.
pub(super) fn guest(play: &mut Play<'_>) -> Result<Guest, Failure> {
    play.chapter("Meanwhile, a guest in Shanghai buys without an account")?;
    let body = json!({
        "lines": [{ "sku": "CUP-PAIR", "quantity": 1 }],
        "shipping_address": {
            "name": "陈伟", "line1": "南京东路 100 号", "city": "上海",
            "postal_code": "200001", "country": "CN",
        },
        "contact": { "email": "chen@example.com", "language": "zh" },
    });
    let key = play.key("guest");
    let header = [("idempotency-key", key.as_str())];
    let placed = play.call(Caller::Nobody, "POST", "/guest/orders", &header, &body.to_string())?;
    let (id, pass) = (placed.text("/id"), placed.text("/order_token"));
    let total = placed.json().get("total").cloned().unwrap_or_default();
    let fine = placed.status == 201 && !pass.is_empty();
    let saw = format!("{id}, {}, with an Order-Token", amount(&total));
    if !play.expect("POST /guest/orders", &placed, fine, &saw)? {
        return Err(Failure::new("The guest could not order."));
    }
    let blind = play.call(Caller::Nobody, "GET", &format!("/guest/orders/{id}"), &[], "")?;
    play.expect(
        "GET /guest/orders/{id}, without the token",
        &blind,
        (400..=404).contains(&blind.status),
        "refused",
    )?;
    pay(play, &id, &pass, &total)?;
    deliver(play, &id, &pass)?;
    play.rows.push(Row {
        who: "a guest".to_owned(),
        goods: "cups".to_owned(),
        total: amount(&total),
        money: "paid (Stripe)".to_owned(),
        parcel: "delivered".to_owned(),
        points: "none (guest)".to_owned(),
        order: id.clone(),
        ..Row::default()
    });
    Ok(Guest { id })
}

fn pay(
    play: &mut Play<'_>,
    id: &str,
    pass: &str,
    total: &serde_json::Value,
) -> Result<(), Failure> {
    let path = format!("/guest/orders/{id}/payments");
    let key = play.key("guest-pays");
    let headers = [("idempotency-key", key.as_str()), ("order-token", pass)];
    let body = json!({ "provider": "stripe" }).to_string();
    let started = play.call(Caller::Nobody, "POST", &path, &headers, &body)?;
    let payment = started.text("/id");
    let fine = started.status == 201 && !payment.is_empty();
    play.expect("POST /guest/orders/{id}/payments, stripe", &started, fine, &payment)?;
    let push = senders::paid(Provider::Stripe, &format!("evt_{}", play.run), &payment, total);
    let taken = send(play, &push)?;
    let fine = (200..=204).contains(&taken.status);
    play.expect("POST /callbacks/stripe, payment_intent.succeeded", &taken, fine, "acknowledged")?;
    Ok(())
}

fn deliver(play: &mut Play<'_>, id: &str, pass: &str) -> Result<(), Failure> {
    let path = format!("/guest/orders/{id}");
    let look = |play: &Play<'_>, pointer: &str| -> Result<String, Failure> {
        Ok(play.call(Caller::Nobody, "GET", &path, &[("order-token", pass)], "")?.text(pointer))
    };
    let shipment = play.wait("Paid, and a shipment is open", |play| {
        let shipment = look(play, "/shipments/0/id")?;
        Ok((!shipment.is_empty()).then_some(shipment))
    })?;
    let number = format!("OWN-{}", play.run);
    attach(play, id, &shipment, "generic", &number)?;
    // The carrier tells of the door before it tells of the road.
    let scans =
        ["in_transit", "delivered"].map(|status| Scan { status, place: "上海", at: now() });
    for scan in scans.iter().rev() {
        let event = play.key(&format!("own-{}", scan.status));
        let push =
            senders::seen(play.stack, "generic", &event, &number, std::slice::from_ref(scan));
        let taken = send(play, &push)?;
        let call = format!("POST /carriers/generic/events, {}", scan.status);
        play.expect(&call, &taken, (200..=204).contains(&taken.status), scan.place)?;
    }
    play.wait("The guest sees: delivered, though \"in transit\" came last", |play| {
        Ok((look(play, "/shipments/0/status")? == "delivered").then_some(()))
    })
}

/// Ana orders something and cancels it before she pays.
pub(super) fn change_of_mind(play: &mut Play<'_>) -> Result<(), Failure> {
    play.chapter("Ana changes her mind about a kettle")?;
    let key = play.key("kettle");
    let header = [("idempotency-key", key.as_str())];
    let placed = play.call(Caller::Ana, "POST", "/orders", &header, &basket("KETTLE-STEEL", 1))?;
    let id = placed.text("/id");
    play.expect("POST /orders", &placed, placed.status == 201, &id)?;
    let cancelled = play.call(Caller::Ana, "POST", &format!("/orders/{id}/cancel"), &[], "")?;
    let fine = cancelled.status == 200 && cancelled.text("/status") == "cancelled";
    play.expect(
        "POST /orders/{id}/cancel",
        &cancelled,
        fine,
        "cancelled; its stock is on sale again",
    )?;
    play.rows.push(Row {
        who: "Ana".to_owned(),
        goods: "kettle".to_owned(),
        total: amount(&placed.json().get("total").cloned().unwrap_or_default()),
        money: "cancelled".to_owned(),
        order: id,
        ..Row::default()
    });
    Ok(())
}

/// Two buyers press "buy" at the same moment, and there is one piece.
pub(super) fn last_piece(play: &mut Play<'_>) -> Result<(), Failure> {
    play.chapter("Ana and Ben both want the last rare tea, at the same moment")?;
    let sku = format!("RARE-{}", play.run);
    play.stock(&sku, "Tieguanyin, a single tin", 9900, 1)?;
    let body = basket(&sku, 1);
    let (ana, ben) = (play.key("rare-ana"), play.key("rare-ben"));
    let order = |caller, key: &str| {
        play.call(caller, "POST", "/orders", &[("idempotency-key", key)], &body)
    };
    let (ana, ben) = thread::scope(|scope| {
        let ben = scope.spawn(|| order(Caller::Ben, &ben));
        (order(Caller::Ana, &ana), ben.join())
    });
    let answers = [
        ("Ana", ana?),
        ("Ben", ben.unwrap_or_else(|_| Err(Failure::new("Ben's call broke off.")))?),
    ];
    let won = answers.iter().filter(|(_, answer)| answer.status == 201).count();
    for (who, answer) in &answers {
        let names_it = answer.status == 409 && answer.body.contains(&sku);
        let (holds, saw) = match answer.status {
            201 => (won == 1, format!("{who} has it: {}", answer.text("/id"))),
            _ => (names_it, format!("{who} reads: {}", answer.text("/detail"))),
        };
        play.expect(&format!("POST /orders, {who}"), answer, holds, &saw)?;
        if answer.status == 201 {
            play.rows.push(winner(who, answer));
        }
    }
    Ok(())
}

fn winner(who: &str, answer: &Answer) -> Row {
    Row {
        who: who.to_owned(),
        goods: "rare tea".to_owned(),
        total: amount(&answer.json().get("total").cloned().unwrap_or_default()),
        money: "not paid yet".to_owned(),
        order: answer.text("/id"),
        ..Row::default()
    }
}

/// What the shop does not do.
pub(super) fn refusals(play: &mut Play<'_>, order: &Followed) -> Result<(), Failure> {
    play.chapter("What is refused, and says why")?;
    let key = play.key("refused");
    let header = [("idempotency-key", key.as_str())];
    let path = format!("/orders/{}", order.id);
    let post =
        |play: &Play<'_>, caller, body: &str| play.call(caller, "POST", "/orders", &header, body);
    let price = json!({ "title": "Mine", "price": { "amount": 1, "currency": "GBP" } }).to_string();
    let tea = |quantity| basket("TEA-002", quantity);
    let cases = [
        ("POST /orders, nobody signed in", post(play, Caller::Nobody, &tea(1))?, 401),
        (
            "GET /orders/{id}, Ben asks for Ana's order",
            play.call(Caller::Ben, "GET", &path, &[], "")?,
            404,
        ),
        ("POST /orders, an unknown SKU", post(play, Caller::Ana, &basket("NO-SUCH-TEA", 1))?, 422),
        ("POST /orders, -1 pieces", post(play, Caller::Ana, &tea(-1))?, 400),
        ("POST /orders, a billion pieces", post(play, Caller::Ana, &tea(1_000_000_000))?, 400),
        ("POST /orders, half a document", post(play, Caller::Ana, "{\"lines\":")?, 400),
        (
            "PUT /products/TEA-002, Ana sets a price",
            play.call(Caller::Ana, "PUT", "/products/TEA-002", &[], &price)?,
            403,
        ),
    ];
    for (call, answer, status) in cases {
        let either = status == 400 && answer.status == 422;
        let why = match answer.text("/detail") {
            detail if detail.is_empty() => answer.text("/message"),
            detail => detail,
        };
        play.expect(call, &answer, answer.status == status || either, &why)?;
    }
    Ok(())
}
