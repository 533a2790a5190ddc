//! Requests that mean harm, or are merely wrong: each gets its own clear 4xx
//! that names the field at fault, and nothing is written.

use aftercart::model::time::Period;
use aftercart_infra::{
    signing::Callback,
    world::{Ask, Reply},
};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Shop, order};

/// Status, problem, field.
pub(crate) type Refusal = (u16, &'static str, &'static str);

/// Sends it to the function as it stands, whatever the gateway might have
/// stopped, and expects a refusal that leaves everything as it was.
pub(crate) async fn refused(shop: &Shop, name: &str, ask: &Ask, expected: Refusal) {
    let before = shop.state().await.unwrap();
    let (function, event) = shop.event_of(ask).expect(name);
    let reply = Reply::of(&shop.invoke(function, &event).await.unwrap());
    let field = reply.text("/field");
    let found = (reply.status, reply.problem());
    assert_eq!(
        (found.0, found.1.as_str(), field.as_str()),
        expected,
        "{name}: {}",
        reply.body.chars().take(300).collect::<String>()
    );
    assert_eq!(reply.headers["content-type"], "application/problem+json", "{name}");
    assert!(!reply.text("/detail").is_empty() && reply.body.len() < 1_000, "{name}");
    assert!(shop.state().await.unwrap() == before, "{name} wrote something");
}

fn placing(body: &Value) -> Ask {
    Ask::post("/orders", body).by_member(ADA).keyed(KEY)
}

/// An order whose body was changed at a place.
fn changed(pointer: &str, value: Value) -> Ask {
    let mut body = order(&[("TEA", 1), ("CUP", 1)]);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => body.pointer_mut(parent).unwrap()[name] = value,
    }
    placing(&body)
}

#[tokio::test]
async fn orders_that_cannot_be() {
    let shop = Shop::open().await;
    let invalid = |field| (400, "invalid-request", field);
    let many: Vec<Value> =
        (0..51).map(|n| json!({ "sku": format!("S{n}"), "quantity": 1 })).collect();
    let nested = format!("{{\"lines\":{}", "[".repeat(10_000));
    let ten_megabytes = vec![b' '; 10_000_000];
    for (name, ask, expected) in [
        (
            "an unknown SKU",
            changed("/lines/1/sku", json!("NOPE")),
            (422, "unknown-sku", "lines[1].sku"),
        ),
        ("a SKU that is none", changed("/lines/1/sku", json!("a b")), invalid("lines[1].sku")),
        ("a SKU twice", changed("/lines/1/sku", json!("TEA")), invalid("lines[1].sku")),
        ("no units", changed("/lines/0/quantity", json!(0)), invalid("lines[0].quantity")),
        (
            "a negative quantity",
            changed("/lines/0/quantity", json!(-1)),
            invalid("lines[0].quantity"),
        ),
        (
            "a quantity of a billion",
            changed("/lines/1/quantity", json!(1_000_000_000)),
            invalid("lines[1].quantity"),
        ),
        (
            "more than any number",
            changed("/lines/1/quantity", json!(u64::MAX)),
            invalid("lines[1].quantity"),
        ),
        ("half a unit", changed("/lines/0/quantity", json!(0.5)), invalid("lines[0].quantity")),
        ("a price of the client's", changed("/lines/0/price", json!(1)), invalid("lines[0].price")),
        ("an unknown field", changed("/coupon", json!("FREE")), invalid("coupon")),
        ("no lines", changed("/lines", json!([])), invalid("lines")),
        ("51 lines", changed("/lines", json!(many)), invalid("lines")),
        ("no mail address", changed("/contact/email", json!("ada")), invalid("contact.email")),
        (
            "no country",
            changed("/shipping_address/country", json!("Great Britain")),
            invalid("shipping_address.country"),
        ),
        (
            "a line break in a name",
            changed("/shipping_address/name", json!("A\nB")),
            invalid("shipping_address.name"),
        ),
        (
            "a name of a novel",
            changed("/shipping_address/name", json!("x".repeat(101))),
            invalid("shipping_address.name"),
        ),
        ("no body", placing(&json!({})).with_body(""), invalid("body")),
        ("no JSON", placing(&json!({})).with_body("lines=1"), invalid("body")),
        ("half of JSON", placing(&json!({})).with_body("{\"lines\":["), invalid("lines")),
        (
            "JSON and more",
            placing(&json!({})).with_body(format!("{} {{}}", order(&[("TEA", 1)]))),
            invalid("body"),
        ),
        ("deep JSON", placing(&json!({})).with_body(nested), invalid("lines[0][0]")),
        (
            "invalid UTF-8",
            placing(&json!({})).with_body(b"{\"lines\":\"\xff\"}"),
            (400, "invalid-encoding", ""),
        ),
        ("10 MB", placing(&json!({})).with_body(ten_megabytes), (413, "body-too-large", "")),
        (
            "no key",
            Ask::post("/orders", &order(&[("TEA", 1)])).by_member(ADA),
            invalid("Idempotency-Key"),
        ),
        ("a short key", placing(&order(&[("TEA", 1)])).keyed("1"), invalid("Idempotency-Key")),
        (
            "an endless key",
            placing(&order(&[("TEA", 1)])).keyed(&"k".repeat(129)),
            invalid("Idempotency-Key"),
        ),
        (
            "a key of spaces",
            placing(&order(&[("TEA", 1)])).keyed(&" ".repeat(20)),
            invalid("Idempotency-Key"),
        ),
        (
            "no token",
            Ask::post("/orders", &order(&[("TEA", 1)])).keyed(KEY),
            (401, "unauthenticated", ""),
        ),
    ] {
        refused(&shop, name, &ask, expected).await;
    }
}

#[tokio::test]
async fn what_is_not_yours_does_not_exist() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let not_found = (404, "not-found", "");
    let other = format!("/orders/{}", placed.id);
    let provider = json!({ "provider": "sandbox" });
    for path in
        [other.as_str(), "/orders/ord_aaaaaaaaaaaaaaaaaaaaaaaaaa", "/orders/1", "/orders/%2e%2e"]
    {
        for ask in [
            Ask::get(path),
            Ask::get(format!("{path}/tracking")),
            Ask::post(format!("{path}/cancel"), &json!({})),
            Ask::post(format!("{path}/payments"), &provider).keyed(KEY),
        ] {
            refused(&shop, path, &ask.by_member("eve"), not_found).await;
        }
    }
    // The owner's own order is not reached without a token.
    refused(&shop, "no token", &Ask::get(other), (401, "unauthenticated", "")).await;
}

#[tokio::test]
async fn callbacks_that_nobody_signed() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    let paid = shop.report(&placed, &payment, "succeeded", "evt_1");
    let scan = shop.scan("AB-1234", "delivered");
    let unsigned = (401, "invalid-signature", "");
    for signed in [&paid, &scan] {
        let altered = Callback { body: signed.body.replace('1', "2"), ..signed.clone() };
        refused(&shop, "an altered body", &Ask::callback(&altered), unsigned).await;
        let bare = Callback { headers: Vec::new(), ..signed.clone() };
        refused(&shop, "no signature", &Ask::callback(&bare), unsigned).await;
        let forged = Ask::callback(signed).with("webhook-signature", "v1,AAAA");
        refused(&shop, "a forged signature", &forged, unsigned).await;
        let big = Ask::callback(signed).with_body(vec![b'1'; 10_000_000]);
        refused(&shop, "10 MB", &big, (413, "body-too-large", "")).await;
    }
    shop.clock().advance(Period::of_seconds(301));
    for signed in [&paid, &scan] {
        refused(&shop, "an old timestamp", &Ask::callback(signed), unsigned).await;
    }
    for path in ["/callbacks/nobody", "/carriers/nobody/events"] {
        refused(&shop, path, &Ask::post(path, &json!({})), (404, "not-found", "")).await;
    }
}

/// Every route that takes a body refuses one of 10 MB, bytes that are no text,
/// and what is no JSON, before it does anything.
#[tokio::test]
async fn no_route_swallows_anything() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let shipment = shop.shipment(&placed).await;
    let operator = |ask: Ask| ask.by(aftercart_infra::world::Caller::Operator).keyed(KEY);
    for ask in [
        Ask::post("/guest/orders", &json!({})).keyed(KEY),
        placed.sign_in(Ask::post(placed.path("/payments"), &json!({}))).keyed(KEY),
        operator(Ask::put("/products/TEA", &json!({}))),
        operator(Ask::post("/products/TEA/receipts", &json!({}))),
        operator(Ask::post("/products/TEA/movements", &json!({}))),
        operator(Ask::post(
            format!("/orders/{}/shipments/{shipment}/label", placed.id),
            &json!({}),
        )),
    ] {
        for (body, expected) in [
            (vec![b' '; 10_000_000], (413, "body-too-large", "")),
            (b"{\"\xff\"}".to_vec(), (400, "invalid-encoding", "")),
            (b"nothing".to_vec(), (400, "invalid-request", "body")),
            (b"{\"nothing\":1}".to_vec(), (400, "invalid-request", "nothing")),
        ] {
            refused(&shop, &format!("{ask:?}"), &ask.clone().with_body(body), expected).await;
        }
    }
}
