//! Risk rules at work: who is refused, asked for more, or looked at; what
//! operators see of it and buyers do not; what is counted and what it costs.

use aftercart::{
    model::{policy::Policy, risk::RiskKind, time::Period},
    store::{Key, settings},
};
use aftercart_infra::world::{Ask, Caller, Reply};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key, order};

/// Rules that count, look up and compare.
pub(crate) const COUNTING: &str = r#"[
    { "id": "blocked", "title": "Blocked by us", "then": "refuse",
      "when": { "blocked": ["customer", "device", "address", "email"] } },
    { "id": "trusted", "title": "Trusted by us", "then": "allow",
      "when": { "trusted": ["customer"] } },
    { "id": "busy-device", "title": "Many orders from one device", "then": "challenge",
      "when": { "velocity": { "of": "device", "more_than": 2, "within": "1h" } } },
    { "id": "busy-mail", "title": "Too many orders of one address", "then": "refuse",
      "when": { "velocity": { "of": "email", "more_than": 3, "within": "24h" } } },
    { "id": "dear-stranger", "title": "A new account and much money", "then": "review",
      "when": { "new_account": { "paid_orders": 1 },
                "amount_over": [{ "amount": 10000, "currency": "GBP" }] } },
    { "id": "abroad", "title": "Billed elsewhere", "then": "challenge",
      "when": { "address_mismatch": true } }
]"#;

/// Sets the shop's risk rules.
pub(crate) async fn set_rules(shop: &Shop, rules: &str) {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["risk"]["rules"] = serde_json::from_str(rules).unwrap();
    shop.store().commit(settings::put_policy(&policy.to_string())).await.unwrap();
}

async fn ruled() -> Shop {
    let shop = Shop::open().await;
    set_rules(&shop, COUNTING).await;
    shop
}

/// The body of an order, from a device.
pub(crate) fn from_device(order: &Value, device: &str) -> Value {
    let mut order = order.clone();
    order["device"] = device.into();
    order
}

/// The body of an order of a buyer by this e-mail address.
fn mailed(order: &Value, email: &str) -> Value {
    let mut order = order.clone();
    order["contact"]["email"] = email.into();
    order
}

/// An operator's entry in the lists.
pub(crate) fn entry(body: &Value) -> Ask {
    Ask::put("/risk/entries", body).by(Caller::Operator)
}

async fn listed(shop: &Shop, body: &Value) -> Value {
    let reply = shop.reply(&entry(body)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// A member's order that is placed.
pub(crate) async fn ordered(shop: &Shop, ask: Ask) -> Placed {
    shop.placed(ask, Some(ADA)).await
}

async fn asked(shop: &Shop, body: &Value, number: usize) -> Reply {
    let ask = Ask::post("/orders", body).by_member(ADA).keyed(&key("risk", number));
    let reply = shop.reply(&ask).await;
    shop.settle().await.unwrap();
    reply
}

/// What an operator sees of an order.
async fn seen(shop: &Shop, order: &str) -> Value {
    let ask = Ask::get(format!("/operator/orders?order={order}")).by(Caller::Operator);
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["orders"][0].clone()
}

#[tokio::test]
async fn who_is_refused_learns_nothing_and_leaves_nothing() {
    let shop = ruled().await;
    let block = json!({ "kind": "email", "value": "Eve@Example.com", "listed": "blocked" });
    listed(&shop, &block).await;
    shop.settle().await.unwrap();
    let before = shop.state().await.unwrap();
    let body = mailed(&order(&[("TEA", 1)]), "eve@example.COM");
    let reply = asked(&shop, &body, 0).await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "order-refused"));
    for word in ["blocked", "risk", "rule", "email", "device"] {
        assert!(!reply.body.contains(word), "{word}: {}", reply.body);
    }
    assert_eq!(shop.state().await.unwrap(), before);
    let mut allow = block.clone();
    allow["listed"] = Value::Null;
    assert_eq!(listed(&shop, &allow).await["listed"], Value::Null);
    assert_eq!(asked(&shop, &body, 0).await.status, 201, "the key is free again");
}

#[tokio::test]
async fn an_address_is_blocked_however_it_is_written() {
    let shop = ruled().await;
    let address = json!({
        "name": "Somebody else", "line1": "1, HIGH street", "city": "london",
        "postal_code": "n1 1aa", "country": "GB",
    });
    listed(&shop, &json!({ "kind": "address", "address": address, "listed": "blocked" })).await;
    assert_eq!(asked(&shop, &order(&[("TEA", 1)]), 0).await.status, 403);
}

#[tokio::test]
async fn counting_challenges_refuses_and_forgets() {
    let shop = ruled().await;
    let body = from_device(&order(&[("TEA", 1)]), "phone");
    for (number, status) in [(0, 201), (1, 201), (2, 201), (3, 403)] {
        let reply = asked(&shop, &body, number).await;
        assert_eq!(reply.status, status, "{number}: {}", reply.body);
        if status == 201 {
            let risk = &seen(&shop, &reply.text("/id")).await["risk"];
            let challenged = number == 2;
            assert_eq!(risk.is_object(), challenged, "{number}: {risk}");
            let told = reply.json()["verification_required"].as_bool().unwrap_or_default();
            assert_eq!(told, challenged, "{number}: {}", reply.body);
            assert!(!reply.body.contains("busy"), "{}", reply.body);
            if challenged {
                let rule = json!({ "id": "busy-device", "title": "Many orders from one device" });
                assert_eq!(*risk, json!({ "verification_required": true, "rules": [rule] }));
            }
        }
    }
    let other = mailed(&order(&[("TEA", 1)]), "other@example.com");
    assert_eq!(asked(&shop, &other, 4).await.status, 201);
    shop.clock().advance(Period::of_days(1));
    assert_eq!(asked(&shop, &body, 3).await.status, 201, "a day later nothing is known");
}

#[tokio::test]
async fn who_is_trusted_meets_no_extra_step() {
    let shop = ruled().await;
    let trust = json!({
        "kind": "customer", "value": "cus_ada", "listed": "trusted", "note": "Ada is our landlady",
    });
    assert_eq!(listed(&shop, &trust).await["asked_for"], true);
    let body = from_device(&order(&[("TEA", 9)]), "phone");
    for number in 0..5 {
        let reply = asked(&shop, &body, number).await;
        assert_eq!(reply.status, 201, "{number}: {}", reply.body);
        let found = seen(&shop, &reply.text("/id")).await;
        assert_eq!(found["held_at"], Value::Null);
        assert_eq!(found["risk"]["verification_required"], false);
    }
    // Trust does not help who is blocked.
    listed(&shop, &json!({ "kind": "device", "value": "phone", "listed": "blocked" })).await;
    assert_eq!(asked(&shop, &body, 5).await.status, 403);
}

#[tokio::test]
async fn an_order_that_is_to_be_looked_at_is_placed_and_held() {
    let shop = ruled().await;
    let reply = asked(&shop, &order(&[("TEA", 9)]), 0).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert!(!reply.body.contains("stranger"), "{}", reply.body);
    let found = seen(&shop, &reply.text("/id")).await;
    assert_eq!(found["held_at"], json!(shop.now()));
    let rule = json!({ "id": "dear-stranger", "title": "A new account and much money" });
    assert_eq!(found["risk"]["rules"], json!([rule]));
    let abroad = {
        let mut body = order(&[("TEA", 1)]);
        body["billing_country"] = "FR".into();
        body
    };
    let reply = asked(&shop, &abroad, 1).await;
    let found = seen(&shop, &reply.text("/id")).await;
    assert_eq!(found["risk"]["verification_required"], true, "{found}");
}

#[tokio::test]
async fn once_they_paid_members_are_new_no_more() {
    let shop = ruled().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let reply = asked(&shop, &order(&[("TEA", 9)]), 1).await;
    assert_eq!(seen(&shop, &reply.text("/id")).await["held_at"], Value::Null);
}

#[tokio::test]
async fn without_rules_nothing_is_counted_or_looked_up() {
    let shop = Shop::open().await;
    let block = json!({ "kind": "email", "value": "ada@example.com", "listed": "blocked" });
    assert_eq!(listed(&shop, &block).await["asked_for"], false);
    let before = shop.state().await.unwrap()["risk"].clone();
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    assert_eq!(shop.state().await.unwrap()["risk"], before);
}

#[tokio::test]
async fn the_table_knows_nobody() {
    let shop = ruled().await;
    asked(&shop, &from_device(&order(&[("TEA", 1)]), "phone"), 0).await;
    for (kind, value) in
        [("email", "ada@example.com"), ("device", "tablet"), ("customer", "cus_ada")]
    {
        listed(&shop, &json!({ "kind": kind, "value": value, "listed": "trusted" })).await;
    }
    let table = shop.state().await.unwrap()["risk"].to_string();
    for word in ["ada", "phone", "tablet", "High", "London"] {
        assert!(!table.contains(word), "{word}: {table}");
    }
    let digest = RiskKind::Device.digest("phone");
    let key = Key::seen(RiskKind::Device.as_str(), &digest);
    let found = shop.store().read(&[key]).await.unwrap();
    assert_eq!(found.seen(RiskKind::Device, &digest).unwrap().orders.len(), 1);
}

#[tokio::test]
async fn entries_are_checked() {
    let shop = Shop::open().await;
    let address = json!({ "name": "A", "line1": "B", "city": "C", "country": "GB" });
    for (body, field) in [
        (json!({ "kind": "colour", "value": "red", "listed": "blocked" }), "kind"),
        (json!({ "kind": "email", "value": "eve", "listed": "blocked" }), "value"),
        (json!({ "kind": "email", "listed": "blocked" }), "value"),
        (json!({ "kind": "email", "address": address, "listed": "blocked" }), "address"),
        (json!({ "kind": "address", "listed": "blocked" }), "address"),
        (
            json!({ "kind": "address", "value": "here", "address": address, "listed": null }),
            "value",
        ),
        (json!({ "kind": "customer", "value": "ada", "listed": "trusted" }), "value"),
        (
            json!({ "kind": "customer", "value": format!("gst_{}", "a".repeat(26)), "listed": null }),
            "value",
        ),
        (json!({ "kind": "device", "value": " ", "listed": "blocked" }), "value"),
        (json!({ "kind": "device", "value": "a".repeat(255), "listed": "blocked" }), "value"),
        (json!({ "kind": "device", "value": "a", "listed": "green" }), "listed"),
        (json!({ "kind": "device", "value": "a" }), "body"),
        (json!({ "kind": "device", "value": "a", "listed": null, "colour": 1 }), "colour"),
        (json!({ "kind": "card", "value": "a", "listed": null, "note": "n".repeat(201) }), "note"),
    ] {
        let reply = shop.reply(&entry(&body)).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{body}");
    }
    let body = json!({ "kind": "device", "value": "a", "listed": "blocked" });
    for (caller, status) in [(Caller::Anybody, 401), (Caller::Member(ADA.to_owned()), 403)] {
        let reply = shop.reply(&Ask::put("/risk/entries", &body).by(caller)).await;
        assert_eq!(reply.status, status);
    }
}
