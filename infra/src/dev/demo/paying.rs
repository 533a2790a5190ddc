//! Four guests pay by four providers, each with the provider's own callback,
//! and one of them gets the money back.

use std::thread;

use aftercart::model::payment::Provider;
use serde_json::{Value, json};

use super::{
    followed::send,
    play::{Caller, Play, Row, amount},
    senders,
};
use crate::{
    dev::{failure::Failure, http::Answer, running::now},
    signing::Callback,
};

/// Who pays, with what, in which currency.
const GUESTS: [(&str, Provider, &str); 4] = [
    ("Cleo", Provider::Stripe, "GBP"),
    ("Dai", Provider::Alipay, "CNY"),
    ("Eun", Provider::WechatPay, "CNY"),
    ("Finn", Provider::Adyen, "GBP"),
];

/// How often each report is delivered, all at the same moment.
const DELIVERIES: usize = 3;

/// An order of a guest.
struct Order {
    id: String,
    pass: String,
    total: Value,
}

/// What a pound costs, so that it can be paid in yuan.
fn rates(at: &str) -> String {
    json!({
        "version": "demo", "at": at, "valid": "30m", "margin_bp": 150, "max_age": "1d",
        "rates": { "GBP": { "CNY": "9.3120" } },
    })
    .to_string()
}

/// The four of them, and the refund.
pub(super) fn four_ways(play: &mut Play<'_>) -> Result<(), Failure> {
    play.chapter("Four guests pay in four ways")?;
    let at = now().to_string();
    let set = play.call(Caller::Operator, "PUT", "/exchange-rates", &[], &rates(&at))?;
    play.expect("PUT /exchange-rates", &set, set.status == 200, "1 GBP = 9.312 CNY, and 1.5 %")?;
    for (who, provider, currency) in GUESTS {
        let order = place(play, who)?;
        let (payment, charged) = start(play, &order, provider, currency)?;
        let event = play.key(&format!("paid-{provider}"));
        let push = senders::paid(provider, &event, &payment, &charged);
        let taken = send_at_once(play, &push)?;
        let all = taken.iter().all(|taken| (200..=204).contains(&taken.status));
        if let Some(taken) = taken.first() {
            let saw = format!("verified and acknowledged, {DELIVERIES} times at once");
            play.expect(&format!("POST {}", push.path), taken, all, &saw)?;
        }
        play.wait(&format!("{who}'s order is paid"), |play| {
            Ok((look(play, &order)?.text("/status") == "paid").then_some(()))
        })?;
        let mut money = format!("paid ({provider}, {})", amount(&charged));
        if provider == Provider::WechatPay {
            refunded(play, &order, &payment)?;
            money = format!("refunded ({provider})");
        }
        play.rows.push(Row {
            who: who.to_owned(),
            goods: "red tin".to_owned(),
            total: amount(&order.total),
            money,
            points: "none (guest)".to_owned(),
            order: order.id,
            ..Row::default()
        });
    }
    Ok(())
}

/// Delivers a report several times at once, as a provider may.
fn send_at_once(play: &Play<'_>, push: &Callback) -> Result<Vec<Answer>, Failure> {
    thread::scope(|scope| {
        let deliveries: Vec<_> =
            (0..DELIVERIES).map(|_| scope.spawn(|| send(play, push))).collect();
        let broke_off = |_| Err(Failure::new("A delivery of a report broke off."));
        deliveries.into_iter().map(|it| it.join().unwrap_or_else(broke_off)).collect()
    })
}

fn place(play: &mut Play<'_>, who: &str) -> Result<Order, Failure> {
    let body = json!({
        "lines": [{ "sku": "TIN-RED", "quantity": 1 }],
        "shipping_address": {
            "name": who, "line1": "2 Low Street", "city": "London",
            "postal_code": "N1 1AA", "country": "GB",
        },
        "contact": { "email": format!("{}@example.com", who.to_lowercase()), "language": "en" },
    });
    let key = play.key(&format!("pays-{who}"));
    let header = [("idempotency-key", key.as_str())];
    let placed = play.call(Caller::Nobody, "POST", "/guest/orders", &header, &body.to_string())?;
    let order = Order {
        id: placed.text("/id"),
        pass: placed.text("/order_token"),
        total: placed.json().get("total").cloned().unwrap_or_default(),
    };
    let saw = format!("{who}: {}", amount(&order.total));
    play.expect("POST /guest/orders", &placed, placed.status == 201, &saw)?;
    Ok(order)
}

fn look(play: &Play<'_>, order: &Order) -> Result<Answer, Failure> {
    let path = format!("/guest/orders/{}", order.id);
    play.call(Caller::Nobody, "GET", &path, &[("order-token", order.pass.as_str())], "")
}

/// Starts a payment; gives its identity and what is charged.
fn start(
    play: &mut Play<'_>,
    order: &Order,
    provider: Provider,
    currency: &str,
) -> Result<(String, Value), Failure> {
    let pass = ("order-token", order.pass.as_str());
    let path = format!("/guest/orders/{}/payment-methods", order.id);
    let listed = play.call(Caller::Nobody, "GET", &path, &[pass], "")?;
    let told = listed.json();
    let methods = told.get("methods").and_then(Value::as_array).cloned().unwrap_or_default();
    let found = methods.iter().find(|it| it["provider"] == provider.as_str()).cloned();
    let found = found.unwrap_or_default();
    let mut body = json!({ "provider": provider, "method": found["method"] });
    let mut offer = found["amount"].clone();
    if currency != "GBP" {
        let others = found["other_currencies"].as_array().cloned().unwrap_or_default();
        let quoted = others.iter().find(|it| it["amount"]["currency"] == currency).cloned();
        let quoted = quoted.unwrap_or_default();
        body["rate_quote"] = quoted["rate_quote"].clone();
        offer = quoted["amount"].clone();
    }
    let saw = format!("{} ways; {provider} asks {}", methods.len(), amount(&offer));
    play.expect("GET .../payment-methods", &listed, !offer.is_null(), &saw)?;
    let key = play.key(&format!("starts-{provider}"));
    let headers = [("idempotency-key", key.as_str()), pass];
    let path = format!("/guest/orders/{}/payments", order.id);
    let started = play.call(Caller::Nobody, "POST", &path, &headers, &body.to_string())?;
    let payment = started.text("/id");
    let fine = started.status == 201 && started.json().get("amount") == Some(&offer);
    let next = started.text("/next_action/type");
    play.expect("POST .../payments", &started, fine, &format!("{payment}: {next}"))?;
    Ok((payment, offer))
}

/// The buyer calls the order off: the money goes back by itself.
fn refunded(play: &mut Play<'_>, order: &Order, payment: &str) -> Result<(), Failure> {
    let pass = [("order-token", order.pass.as_str())];
    let path = format!("/guest/orders/{}/cancel", order.id);
    let cancelled = play.call(Caller::Nobody, "POST", &path, &pass, "")?;
    let fine = cancelled.status == 200;
    play.expect("POST /guest/orders/{id}/cancel", &cancelled, fine, "called off; money goes back")?;
    let path = format!("/guest/orders/{}/payments/{payment}", order.id);
    play.wait("The provider has the refund", |play| {
        let seen = play.call(Caller::Nobody, "GET", &path, &pass, "")?;
        let status = seen.text("/refunds/0/status");
        Ok(matches!(status.as_str(), "sent" | "succeeded").then_some(()))
    })
}
