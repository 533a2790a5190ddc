//! What operators do: orders, stock, vouchers, tiers, what waits at their desk.

use aftercart_infra::world::{Ask, Caller};
use serde_json::{Value, json};

use crate::{
    book::Book,
    errand::{Aim, Errand},
    shop::{PRODUCTS, receipt},
};

fn about(book: &mut Book, name: &'static str, rest: &str, body: &Value) -> Option<Errand> {
    let order = book.order()?;
    let note = book.orders.get(order)?;
    Some(Errand::plain(name, book.operating(note, rest, body)))
}

pub(super) fn hold(book: &mut Book) -> Option<Errand> {
    about(book, "order.hold", "/hold", &json!({ "why": "Looks odd." }))
}

pub(super) fn release(book: &mut Book) -> Option<Errand> {
    about(book, "order.release", "/release", &json!({ "why": "It is fine." }))
}

pub(super) fn cancel(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let note = book.orders.get(order)?;
    let ask = book.operating(note, "/cancel", &json!({ "why": "Stolen card." }));
    Some(Errand::new("order.stop", ask, Aim::CallOff { order }))
}

pub(super) fn refund(book: &mut Book) -> Option<Errand> {
    let order = book.order()?;
    let (sku, _) = *book.orders.get(order)?.lines.first()?;
    let goodwill = json!({ "amount": book.dice.between(50, 300), "currency": book.shop.currency });
    let body = match book.dice.below(3) {
        0 => json!({ "lines": [{ "sku": sku, "refunded": 1 }], "why": "Arrived broken." }),
        1 => json!({ "goodwill": goodwill, "why": "For the trouble." }),
        _ => json!({ "lines": [{ "sku": sku, "refunded": 1 }], "delivery": true,
                     "goodwill": goodwill, "why": "All of it." }),
    };
    let note = book.orders.get(order)?;
    let errand = Errand::plain("order.refund", book.operating(note, "/refunds", &body));
    if book.dice.chance(200) {
        book.later(3, errand.clone());
    }
    Some(errand)
}

/// Goods come in, are lost, counted, moved or spread.
pub(super) fn stock(book: &mut Book) -> Option<Errand> {
    let sku = book.dice.pick(&PRODUCTS)?.sku;
    let key = book.key("stock");
    let units = book.dice.between(1, 3);
    let place = book.dice.word(&["main", "main", "north"]);
    if book.dice.chance(500) && sku != "LAST" {
        return Some(Errand::plain("stock", receipt(sku, place, units, &key)));
    }
    let body = match book.dice.below(4) {
        0 => json!({ "kind": "loss", "units": units, "location": place }),
        1 => json!({ "kind": "transfer", "location": "main", "to": "north", "units": units }),
        2 => json!({ "kind": "spread", "location": place }),
        _ => json!({ "kind": "correction", "units": units, "location": place }),
    };
    let ask = Ask::post(format!("/products/{sku}/movements"), &body);
    Some(Errand::plain("stock", ask.by(Caller::Operator).keyed(&key)))
}

pub(super) fn voucher(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let key = book.key("voucher");
    let name = &book.people.get(person)?.name;
    let ask = Ask::post(format!("/customers/cus_{name}/vouchers"), &json!({ "rule": "welcome" }));
    let ask = ask.by(Caller::Operator).keyed(&key);
    Some(Errand::new("voucher", ask, Aim::Voucher { person }))
}

pub(super) fn tier(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let body = match book.dice.chance(700) {
        true => json!({ "tier": "gold", "until": "2026-12-24" }),
        false => json!({}),
    };
    let name = &book.people.get(person)?.name;
    let ask = Ask::post(format!("/operator/customers/cus_{name}/tier"), &body);
    Some(Errand::plain("tier", ask.by(Caller::Operator)))
}

/// Somebody looks at what waits, and sees to it.
pub(super) fn desk(book: &mut Book) -> Option<Errand> {
    let operator = |ask: Ask| ask.by(Caller::Operator);
    let what = book.dice.below(6);
    if let (0 | 1, Some(errand)) = (what, resolve(book)) {
        return Some(errand);
    }
    if what == 2
        && let Some(alert) = book.alerts.pop_first()
    {
        let how = book.dice.word(&["carrier_asked", "buyer_contacted", "dismissed"]);
        let body = json!({ "how": how, "note": "Done." });
        let ask = Ask::post(format!("/operator/alerts/{alert}/resolution"), &body);
        return Some(Errand::plain("alert", operator(ask)));
    }
    Some(match what {
        0 | 1 => Errand::new("cases", operator(Ask::get("/operator/payment-cases")), Aim::Cases),
        2 | 3 => Errand::new("alerts", operator(Ask::get("/operator/alerts")), Aim::Alerts),
        _ => {
            let (from, to) = ("2026-11-01T00:00:00Z", book.now);
            let body = json!({ "endpoint": "erp", "from": from, "to": to });
            Errand::plain("replay", operator(Ask::post("/operator/webhooks/replays", &body)))
        }
    })
}

/// A case of a payment is resolved, in one of the ways that it has.
pub(super) fn resolve(book: &mut Book) -> Option<Errand> {
    let (case, actions) = book.cases.pop_first()?;
    let position = book.dice.below(actions.len());
    let action = actions.get(position)?;
    let path = format!("/operator/payment-cases/{case}/resolution");
    let ask = Ask::post(path, &json!({ "action": action })).by(Caller::Operator);
    Some(Errand::plain("case", ask))
}

/// Somebody looks around.
pub(super) fn look(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let name = book.people.get(person)?.name.clone();
    let path = match book.dice.below(8) {
        0 => "/operator/tickets".to_owned(),
        1 => format!("/operator/customers/cus_{name}/points/audit"),
        2 => "/operator/redemptions".to_owned(),
        3 => format!("/operator/customers/cus_{name}/contacts"),
        4 => format!("/customers/cus_{name}"),
        5 => "/operator/points/liability".to_owned(),
        6 => "/operator/feedback".to_owned(),
        _ => format!("/operator/orders?customer=cus_{name}"),
    };
    Some(Errand::plain("look", Ask::get(path).by(Caller::Operator)))
}
