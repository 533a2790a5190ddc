//! How promises of delivery were kept, as operators see it, and what is
//! proposed by it.

use aftercart::{
    model::{
        customer::Country, delivery::MethodId, dispatch::Counted, performance::Lane,
        shipment::Carrier, stock::LocationId, text::Text, time::Period,
    },
    store::performance,
};
use aftercart_infra::world::{Ask, Caller, Reply};
use serde_json::{Value, json};

use crate::{
    shop::{ADA, Shop, key},
    stock::set_policy,
};

/// Counts parcels that took so many days, or were never brought.
pub(crate) async fn count(
    shop: &Shop,
    month: &str,
    service: &str,
    days: &[Option<u16>],
    kept: bool,
) {
    let lane = Lane {
        service: Text::new(service).ok(),
        carrier: Some(Carrier::Generic),
        from: LocationId::default(),
        to: Country::try_from("GB".to_owned()).unwrap(),
        method: MethodId::parse("standard").unwrap(),
    };
    for days in days {
        let counted = Counted { month: Text::new(month).unwrap(), days: *days, kept };
        shop.store().commit(performance::count(&lane, &counted)).await.unwrap();
    }
}

async fn asked(shop: &Shop, path: &str) -> Reply {
    shop.reply(&Ask::get(format!("/operator/{path}")).by(Caller::Operator)).await
}

async fn shown(shop: &Shop, path: &str) -> Value {
    let reply = asked(shop, path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    reply.json()
}

#[tokio::test]
async fn a_report_has_a_row_for_each_service_and_lane() {
    let shop = Shop::open().await;
    let empty = json!({ "from": "2026-09", "to": "2026-11", "rows": [] });
    assert_eq!(shown(&shop, "deliveries").await, empty, "the last three months");
    for (month, days) in [("2026-08", 9), ("2026-09", 2), ("2026-10", 3), ("2026-11", 5)] {
        count(&shop, month, "post", &[Some(days); 10], days < 5).await;
    }
    count(&shop, "2026-10", "", &[Some(1), None], true).await;
    let report = shown(&shop, "deliveries?from=2026-09").await;
    let few = json!({
        "carrier": "generic", "from": "main", "to": "GB", "method": "standard",
        "ended": 2, "kept": 2,
    });
    let post = json!({
        "service": "post", "carrier": "generic", "from": "main", "to": "GB", "method": "standard",
        "ended": 30, "kept": 20,
        "on_time": { "rate": 6666, "low": 4878, "high": 8077 },
        "days": { "seen": 30, "p50": 3, "p90": 5 },
    });
    assert_eq!(report["rows"], json!([few, post]));
    let august = shown(&shop, "deliveries?from=2026-08&to=2026-08").await;
    assert_eq!(august["rows"][0]["ended"], 10);
    assert_eq!(august["rows"][0].get("on_time"), None, "of few parcels there is no number");
}

#[tokio::test]
async fn a_proposal_may_be_put_and_is_applied_by_nobody_else() {
    let shop = Shop::open().await;
    count(&shop, "2026-11", "post", &[Some(2), Some(4)].repeat(20), true).await;
    let policy = shown_policy(&shop).await;
    let state = shop.state().await.unwrap();
    let proposal = shown(&shop, "promise-proposal").await;
    assert_eq!(shop.state().await.unwrap()["tables"], state["tables"]);
    assert_eq!(
        proposal["places"],
        json!([{
            "method": "standard", "place": 0, "countries": [], "seen": 40,
            "now": { "p50": 3, "p90": 5 }, "proposed": { "p50": 2, "p90": 4 },
        }])
    );
    let mut expected = policy["delivery"].clone();
    expected["methods"][0]["transit"] = json!({ "p50": 2, "p90": 4 });
    assert_eq!(proposal["delivery"], expected);
    let mut put = policy.clone();
    put["delivery"] = proposal["delivery"].clone();
    set_policy(&shop, &put).await;
    shop.clock().advance(Period::of_seconds(61));
    let again = shown(&shop, "promise-proposal").await;
    assert_eq!(again["places"][0]["now"], proposal["places"][0]["proposed"]);
    assert_eq!(again["delivery"], proposal["delivery"]);
}

async fn shown_policy(shop: &Shop) -> Value {
    shop.reply(&Ask::get("/policy").by(Caller::Operator)).await.json()
}

#[tokio::test]
async fn months_that_are_none_are_refused() {
    let shop = Shop::open().await;
    for (query, field) in [
        ("from=2026", "from"),
        ("from=2026-09-01", "from"),
        ("to=2026-13", "to"),
        ("from=2026-12", "to"),
        ("from=2025-01&to=2026-01", "to"),
        ("month=2026-09", "month"),
    ] {
        for path in ["deliveries", "promise-proposal"] {
            let reply = asked(&shop, &format!("{path}?{query}")).await;
            let refused = (reply.status, reply.problem(), reply.text("/field"));
            assert_eq!(refused, (400, "invalid-request".to_owned(), field.to_owned()), "{query}");
        }
    }
    for path in ["/operator/deliveries", "/operator/promise-proposal"] {
        assert_eq!(shop.reply(&Ask::get(path).by_member(ADA)).await.status, 403);
        assert_eq!(shop.reply(&Ask::get(path).by(Caller::Anybody)).await.status, 401);
    }
}

#[tokio::test]
async fn a_month_is_one_query() {
    let shop = Shop::open().await;
    shown(&shop, "deliveries?from=2026-10").await;
    let meter = shop.port("delivery-report").unwrap().meter();
    let operations: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["Query", "Query"]);
}

/// Whatever looks at a shipment again, and how often: it is counted once, some
/// days after its delivery.
#[tokio::test]
async fn a_delivery_is_counted_once() {
    let shop = Shop::open().await;
    for (number, label) in [(0, "AB-0001"), (1, "AB-0002")] {
        let placed = shop.place(ADA, "TEA", 1, &key("counted", number)).await;
        shop.deliver(&placed, label).await;
    }
    assert_eq!(shown(&shop, "deliveries").await["rows"], json!([]), "not yet");
    for day in 0..30 {
        shop.clock().advance(Period::of_days(1));
        shop.run_schedule("shipment-watch").await.unwrap();
        shop.settle().await.unwrap();
        if day % 7 == 0 {
            shop.call_back(&shop.scan("AB-0001", "in_transit")).await;
            shop.settle().await.unwrap();
        }
    }
    let rows = shown(&shop, "deliveries?from=2026-11&to=2026-12").await["rows"].clone();
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    assert_eq!((&rows[0]["ended"], &rows[0]["kept"]), (&json!(2), &json!(2)));
    assert_eq!(rows[0]["method"], "standard");
}
