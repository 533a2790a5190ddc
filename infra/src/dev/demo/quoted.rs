//! What a basket would cost, and why, before anybody orders it.

use serde_json::{Value, json};

use super::play::{Caller, Play, amount};
use crate::dev::failure::Failure;

/// The offers of the day: a code, and free delivery from a spend on. Nobody
/// else in the demo meets them.
fn offers() -> Value {
    json!({
        "version": "demo",
        "zone": "Europe/London",
        "rules": [
            {
                "id": "demo-ten", "title": { "en": "Ten per cent off", "zh": "九折" },
                "coupon": { "code": "DEMO10" },
                "limits": { "total": 1_000_000, "shards": 4 },
                "effect": { "percent": { "off": 1_000 } },
            },
            {
                "id": "demo-delivery", "title": { "en": "Free delivery", "zh": "免运费" },
                "coupon": { "code": "DEMO-SHIP" },
                "effect": { "free_shipping": { "over": { "currency": "GBP", "at": 5_000 } } },
            },
        ],
    })
}

fn asking(quantity: u32, codes: &[&str]) -> Value {
    json!({
        "lines": [
            { "sku": "TEA-001", "quantity": quantity },
            { "sku": "POT-CLAY", "quantity": 1 },
        ],
        "place": { "country": "GB", "postal_code": "N1 1AA" },
        "codes": codes,
    })
}

/// Offers are set, a basket is priced by them, and a quote that no longer
/// holds is refused.
pub(super) fn quotes(play: &mut Play<'_>) -> Result<(), Failure> {
    play.chapter("What would it cost, and why?")?;
    let rules = offers().to_string();
    let set = play.call(Caller::Operator, "PUT", "/price-rules", &[], &rules)?;
    play.expect("PUT /price-rules", &set, set.status == 200, "two codes hold")?;
    let body = asking(2, &["demo10", "summer"]).to_string();
    let quote = play.call(Caller::Ana, "POST", "/quotes", &[], &body)?;
    let told = quote.json();
    let discount = told.pointer("/discounts/0").cloned().unwrap_or_default();
    let by_code = discount.get("rule").is_some_and(|rule| rule == "demo-ten");
    let off = discount.get("amount").map(amount).unwrap_or_default();
    let total = told.get("total").map(amount).unwrap_or_default();
    let saw = format!("{total}: {off} off by the rule demo-ten, line by line");
    play.expect("POST /quotes, code demo10", &quote, by_code, &saw)?;
    let why = told.pointer("/not_applied/0/detail").and_then(Value::as_str).unwrap_or_default();
    let unknown = told.pointer("/not_applied/0/reason").is_some_and(|it| it == "unknown");
    play.note(unknown, &format!("The code \"summer\" does not apply: {why}"))?;
    let until = told.pointer("/delivery/promise/until").and_then(Value::as_str);
    let promised = format!("Promised by {}, nine times of ten", until.unwrap_or("?"));
    play.note(until.is_some(), &promised)?;
    stale(play, &quote.text("/id"))
}

/// An order of another basket by that quote.
fn stale(play: &mut Play<'_>, quote: &str) -> Result<(), Failure> {
    let mut order = asking(3, &[]);
    order["quote"] = quote.into();
    order["contact"] = json!({ "email": "ana@example.com" });
    order["shipping_address"] = json!({
        "name": "Ana Example", "line1": "1 High Street", "city": "London",
        "postal_code": "N1 1AA", "country": "GB",
    });
    if let Some(order) = order.as_object_mut() {
        order.remove("place");
    }
    let key = play.key("stale");
    let header = [("idempotency-key", key.as_str())];
    let refused = play.call(Caller::Ana, "POST", "/orders", &header, &order.to_string())?;
    let now = refused.json().pointer("/quote/total").map(amount).unwrap_or_default();
    let saw = format!("refused, and told what it costs now: {now}");
    play.expect(
        "POST /orders, three teas by that quote",
        &refused,
        refused.status == 409 && refused.text("/type").ends_with("quote-changed"),
        &saw,
    )?;
    Ok(())
}
