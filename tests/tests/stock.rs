//! Goods: how they move, where they are taken from, and what is told of them.

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{policy::Policy, product::Sku, time::Period},
    store::{Key, settings},
};
use aftercart_infra::world::{Ask, Caller, Deliveries, Fault, Options};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key, order};

/// A movement that an operator asks for.
pub(crate) fn moving(sku: &str, body: &Value, key: &str) -> Ask {
    Ask::post(format!("/products/{sku}/movements"), body).by(Caller::Operator).keyed(key)
}

/// Gives the shop three places and spreads the level of tea over three parts;
/// what is there lies at the first place, in one part, and ten at the second.
pub(crate) async fn with_places(shop: &Shop) {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["stock"] = json!({
        "locations": [
            { "id": "main", "title": "Main" },
            { "id": "north", "title": "North", "countries": ["GB"] },
            { "id": "corner", "title": "Corner shop", "pickup_only": true },
        ],
        "hot": { "TEA": 3 },
        "low_at": 5,
    });
    set_policy(shop, &policy).await;
    let receipt = json!({ "kind": "receipt", "location": "north", "units": 10 });
    moved(shop, "TEA", &receipt, &key("north", 0)).await;
}

/// Sets the policy and waits until every function has read it.
pub(crate) async fn set_policy(shop: &Shop, policy: &Value) {
    Policy::parse(&policy.to_string()).unwrap();
    shop.store().commit(settings::put_policy(&policy.to_string())).await.unwrap();
    shop.clock().advance(Period::of_seconds(61));
}

/// Moves goods; what was recorded.
async fn moved(shop: &Shop, sku: &str, body: &Value, key: &str) -> Value {
    let reply = shop.reply(&moving(sku, body, key)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()
}

/// The parts of a SKU by location, such as `main: [34, 33, 33] in`.
async fn levels(shop: &Shop, sku: &str) -> Vec<String> {
    let reply = shop.reply(&Ask::get(format!("/products/{sku}/stock")).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let stock = reply.json();
    let locations = stock["locations"].as_array().unwrap();
    let units: i64 = locations.iter().map(|it| it["units"].as_i64().unwrap()).sum();
    assert_eq!(stock["units"], units);
    let told = locations.iter().map(|it| {
        let parts: Vec<i64> = serde_json::from_value(it["parts"].clone()).unwrap();
        assert_eq!(it["units"], parts.iter().sum::<i64>());
        format!("{}: {parts:?} {}", it["location"].as_str().unwrap(), it["state"].as_str().unwrap())
    });
    told.collect()
}

#[tokio::test]
async fn goods_move() {
    let shop = Shop::open().await;
    with_places(&shop).await;
    assert_eq!(
        levels(&shop, "TEA").await,
        ["main: [100, 0, 0] in", "north: [3, 4, 3] in", "corner: [0, 0, 0] out"]
    );
    for (number, (body, main, north)) in [
        (json!({ "kind": "spread" }), "[34, 33, 33] in", "[3, 4, 3] in"),
        (json!({ "kind": "spread" }), "[34, 33, 33] in", "[3, 4, 3] in"),
        (json!({ "kind": "receipt", "units": 3 }), "[35, 34, 34] in", "[3, 4, 3] in"),
        (json!({ "kind": "loss", "units": 70 }), "[0, 0, 33] in", "[3, 4, 3] in"),
        (
            json!({ "kind": "correction", "units": -1, "location": "north" }),
            "[0, 0, 33] in",
            "[2, 4, 3] in",
        ),
        (json!({ "kind": "correction", "units": 6 }), "[2, 2, 35] in", "[2, 4, 3] in"),
        (
            json!({ "kind": "transfer", "to": "north", "units": 36 }),
            "[1, 2, 0] low",
            "[14, 16, 15] in",
        ),
        (
            json!({ "kind": "transfer", "location": "north", "to": "main", "units": 45 }),
            "[16, 17, 15] in",
            "[0, 0, 0] out",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let movement = moved(&shop, "TEA", &body, &key("movement", number)).await;
        assert_eq!(movement["kind"], body["kind"]);
        let now = levels(&shop, "TEA").await;
        assert_eq!(now[..2], [format!("main: {main}"), format!("north: {north}")], "{movement}");
    }
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

/// Fewer parts: what lies beyond them is shown, and gathered by a spread.
#[tokio::test]
async fn a_level_is_gathered_again() {
    let shop = Shop::open().await;
    with_places(&shop).await;
    moved(&shop, "TEA", &json!({ "kind": "spread" }), &key("spread", 1)).await;
    let policy = Policy::default_document().unwrap();
    set_policy(&shop, &json!(policy)).await;
    assert_eq!(levels(&shop, "TEA").await, ["main: [34, 33, 33] in"]);
    moved(&shop, "TEA", &json!({ "kind": "spread" }), &key("spread", 2)).await;
    assert_eq!(levels(&shop, "TEA").await, ["main: [100] in"]);
}

#[tokio::test]
async fn what_cannot_move_is_told() {
    let shop = Shop::open().await;
    with_places(&shop).await;
    let before = shop.state().await.unwrap();
    for (body, status, kind, field) in [
        (json!({}), 400, "invalid-request", "body"),
        (json!({ "kind": "theft", "units": 1 }), 400, "invalid-request", "kind"),
        (json!({ "kind": "receipt" }), 400, "invalid-request", "units"),
        (json!({ "kind": "receipt", "units": 0 }), 400, "invalid-request", "units"),
        (json!({ "kind": "receipt", "units": 1_000_001 }), 400, "invalid-request", "units"),
        (json!({ "kind": "receipt", "units": 1.5 }), 400, "invalid-request", "units"),
        (json!({ "kind": "correction", "units": 0 }), 400, "invalid-request", "units"),
        (json!({ "kind": "correction", "units": -1_000_001 }), 400, "invalid-request", "units"),
        (json!({ "kind": "correction", "units": i64::MIN }), 400, "invalid-request", "units"),
        (json!({ "kind": "loss", "units": -1 }), 400, "invalid-request", "units"),
        (json!({ "kind": "spread", "units": 1 }), 400, "invalid-request", "units"),
        (json!({ "kind": "loss", "units": 1, "to": "north" }), 400, "invalid-request", "to"),
        (json!({ "kind": "transfer", "units": 1 }), 400, "invalid-request", "to"),
        (json!({ "kind": "transfer", "units": 1, "to": "main" }), 400, "invalid-request", "to"),
        (json!({ "kind": "transfer", "units": 1, "to": "south" }), 400, "invalid-request", "to"),
        (
            json!({ "kind": "receipt", "units": 1, "location": "south" }),
            400,
            "invalid-request",
            "location",
        ),
        (
            json!({ "kind": "receipt", "units": 1, "location": "a b" }),
            400,
            "invalid-request",
            "location",
        ),
        (json!({ "kind": "receipt", "units": 1, "note": "" }), 400, "invalid-request", "note"),
        (json!({ "kind": "receipt", "units": 1, "by": "me" }), 400, "invalid-request", "by"),
        (json!({ "kind": "loss", "units": 101 }), 409, "too-few-units", "units"),
        (json!({ "kind": "correction", "units": -101 }), 409, "too-few-units", "units"),
        (
            json!({ "kind": "transfer", "units": 11, "location": "north", "to": "main" }),
            409,
            "too-few-units",
            "units",
        ),
        (json!({ "kind": "loss", "units": 1, "location": "south" }), 409, "too-few-units", "units"),
    ] {
        let reply = shop.reply(&moving("TEA", &body, KEY)).await;
        let found = (reply.status, reply.problem(), reply.text("/field"));
        assert_eq!(found, (status, kind.to_owned(), field.to_owned()), "{body}: {}", reply.body);
        if status == 409 {
            let there = [("main", 100), ("north", 10), ("south", 0)];
            let at = reply.text("/location");
            let units = there.iter().find(|(name, _)| *name == at).unwrap().1;
            assert_eq!(reply.json()["available"], units, "{body}");
        }
    }
    let loss = json!({ "kind": "loss", "units": 1 });
    let path = "/products/TEA/movements";
    for (ask, status) in [
        (Ask::post(path, &loss).keyed(KEY), 401),
        (Ask::post(path, &loss).keyed(KEY).by_member(ADA), 403),
        (Ask::post(path, &loss).by(Caller::Operator), 400),
        (moving("a%20b", &loss, KEY), 404),
        (Ask::get("/products/TEA/stock"), 401),
        (Ask::get("/products/TEA/stock").by_member(ADA), 403),
        (Ask::get("/products/NONE/stock").by(Caller::Operator), 404),
    ] {
        let (function, event) = shop.event_of(&ask).unwrap();
        let answer = shop.invoke(function, &event).await.unwrap();
        assert_eq!(answer["statusCode"], status, "{ask:?}");
    }
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn a_movement_happens_once() {
    let shop = Shop::open().await;
    with_places(&shop).await;
    let loss = json!({ "kind": "loss", "units": 60, "note": "Wet" });
    let first = shop.reply(&moving("TEA", &loss, KEY)).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.text("/note"), "Wet");
    let policy = Policy::default_document().unwrap();
    set_policy(&shop, &json!(policy)).await;
    // What is there no longer matters, nor what the policy says now.
    let again = shop.reply(&moving("TEA", &loss, KEY)).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    for other in [json!({ "kind": "loss", "units": 60 }), json!({ "kind": "spread" })] {
        let reply = shop.reply(&moving("TEA", &other, KEY)).await;
        assert_eq!((reply.status, reply.problem().as_str()), (422, "idempotency-key-reused"));
    }
    assert_eq!(shop.left("TEA").await, 50);
    moved(&shop, "CUP", &loss, KEY).await;
    assert_eq!(shop.left("CUP").await, 40);
}

/// Movements that meet one another at the same level are planned again, and
/// never take what is not there.
#[tokio::test]
async fn movements_meet() {
    let shop = Shop::open().await;
    with_places(&shop).await;
    moved(&shop, "TEA", &json!({ "kind": "spread" }), &key("spread", 0)).await;
    let asks = (0..30).map(|number| {
        let body = match number % 3 {
            0 => json!({ "kind": "loss", "units": 13 }),
            1 => json!({ "kind": "spread" }),
            _ => json!({ "kind": "transfer", "to": "north", "units": 13 }),
        };
        moving("TEA", &body, &key("meeting", number))
    });
    let asks: Vec<Ask> = asks.collect();
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let mut gone = 0;
    for (number, reply) in replies.iter().enumerate() {
        match (reply.status, number % 3) {
            (201, 0) => gone += 13,
            (201 | 503, _) => {}
            (409, 0 | 2) => assert_eq!(reply.problem(), "too-few-units"),
            other => panic!("{other:?}: {}", reply.body),
        }
    }
    assert!(gone > 0);
    assert_eq!(shop.left("TEA").await, 110 - gone);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

/// What people were told of a SKU, such as `out main 0`.
fn told(shop: &Shop, sku: &str) -> Vec<String> {
    let messages = shop.queue(Queue::Notifications.name());
    let changed = messages.iter().filter_map(|message| {
        match Envelope::parse(&message.body).unwrap().message {
            Message::StockChanged(it) if it.sku.as_str() == sku => Some(it),
            _ => None,
        }
    });
    changed.map(|it| format!("{:?} {} {}", it.state, it.location, it.available)).collect()
}

#[tokio::test]
async fn people_are_told_when_goods_run_low_or_out_or_are_back() {
    let shop = Shop::open().await;
    shop.settle().await.unwrap();
    assert_eq!((told(&shop, "TEA").len(), told(&shop, "LAST")), (0, vec!["Low main 1".to_owned()]));
    let mut tale = Vec::new();
    for (number, (body, more)) in [
        (json!({ "kind": "loss", "units": 94 }), None),
        (json!({ "kind": "loss", "units": 1 }), Some("Low main 5")),
        (json!({ "kind": "loss", "units": 1 }), None),
        (json!({ "kind": "loss", "units": 4 }), Some("Out main 0")),
        (json!({ "kind": "receipt", "units": 5 }), Some("Low main 5")),
        (json!({ "kind": "receipt", "units": 5 }), Some("In main 10")),
    ]
    .into_iter()
    .enumerate()
    {
        moved(&shop, "TEA", &body, &key("watched", number)).await;
        let event = shop.stream_event_of("stock-watch");
        shop.settle().await.unwrap();
        tale.extend(more.map(str::to_owned));
        // A change that comes again days later tells nothing again.
        shop.invoke("stock-watch", &event).await.unwrap();
        shop.settle().await.unwrap();
        assert_eq!(told(&shop, "TEA"), tale, "{body}");
    }
}

#[tokio::test]
async fn a_product_has_its_own_mark_and_is_not_out_while_it_may_be_ordered() {
    let shop = Shop::open().await;
    let mut product = json!({
        "title": "Tea",
        "price": { "amount": 1250, "currency": "GBP" },
        "facts": { "low_at": 50 },
        "access": { "preorder": { "ships": "2026-12-24T00:00:00Z", "units": 20 } },
    });
    let put = |product: &Value| Ask::put("/products/TEA", product).by(Caller::Operator);
    assert_eq!(shop.reply(&put(&product)).await.status, 200);
    moved(&shop, "TEA", &json!({ "kind": "loss", "units": 100 }), &key("a", 1)).await;
    shop.settle().await.unwrap();
    assert_eq!(told(&shop, "TEA"), ["Low main 20"]);
    assert_eq!(levels(&shop, "TEA").await, ["main: [0] low"]);
    product["access"] = json!({});
    assert_eq!(shop.reply(&put(&product)).await.status, 200);
    assert_eq!(levels(&shop, "TEA").await, ["main: [0] out"]);
}

/// In whatever order and however often changes come, what was told last is
/// what is true.
#[tokio::test]
async fn what_was_told_last_is_true() {
    for seed in 0..8 {
        let shop = Shop::open().await;
        with_places(&shop).await;
        shop.set_deliveries(Deliveries::disorderly(seed));
        let mut random = fastrand_of(seed);
        for number in 0..30 {
            let units = random(40) + 1;
            let body = match random(3) {
                0 => json!({ "kind": "receipt", "units": units }),
                1 => json!({ "kind": "spread" }),
                _ => json!({ "kind": "loss", "units": units }),
            };
            shop.reply(&moving("TEA", &body, &key("random", number))).await;
            if random(2) == 0 {
                shop.read_streams("stock-watch").await.unwrap();
            }
        }
        shop.settle().await.unwrap();
        let main = levels(&shop, "TEA").await.remove(0);
        let state = |it: &String| it.split(' ').next().unwrap().to_lowercase();
        let last = told(&shop, "TEA").iter().rfind(|it| it.contains("main")).map(state);
        let last = last.unwrap_or_else(|| "in".to_owned());
        assert!(main.ends_with(&format!(" {last}")), "{seed}: {main}, told {last}");
        shop.check_invariants().await.unwrap();
    }
}

/// Numbers below a bound that are the same for the same seed (a linear
/// congruence of Knuth's).
fn fastrand_of(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

#[tokio::test]
async fn a_level_that_cannot_be_seen_to_keeps_no_earlier_one_waiting() {
    let shop = Shop::open().await;
    let event = shop.stream_event_of("stock-watch");
    assert_eq!(event["Records"].as_array().unwrap().len(), 3);
    // Each level is a read and a write; the second level's read fails.
    shop.restart("stock-watch").unwrap();
    shop.port("stock-watch").unwrap().fail(4, Fault::Throttle);
    let answer = shop.invoke("stock-watch", &event).await.unwrap();
    let second = event["Records"][1]["dynamodb"]["SequenceNumber"].clone();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": second }]));
    shop.settle().await.unwrap();
    assert_eq!(told(&shop, "LAST"), ["Low main 1"]);
    // What is no level is passed over.
    let mut other = event.clone();
    other["Records"][0]["dynamodb"]["Keys"] =
        json!({ "pk": { "S": "TEA" }, "sk": { "S": "WATCH#main" } });
    assert_eq!(shop.invoke("stock-watch", &other).await.unwrap()["batchItemFailures"], json!([]));
}

/// Orders of a hot SKU take from all parts, to the last unit, and give back to
/// where they took from.
#[tokio::test]
async fn a_hot_sku_is_sold_out_and_comes_back() {
    let shop = Shop::open().await;
    with_places(&shop).await;
    moved(&shop, "TEA", &json!({ "kind": "spread" }), &key("spread", 0)).await;
    let full = levels(&shop, "TEA").await;
    let mut placed: Vec<Placed> = Vec::new();
    for number in 0..11 {
        placed.push(shop.place(ADA, "TEA", 10, &key("order", number)).await);
    }
    assert_eq!(shop.left("TEA").await, 0);
    let ask = Ask::post("/orders", &order(&[("TEA", 1)])).by_member(ADA).keyed(&key("order", 11));
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 409, "{}", reply.body);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
    for order in &placed {
        let ask = order.sign_in(Ask::post(order.path("/cancel"), &json!({})));
        assert_eq!(shop.reply(&ask).await.status, 200);
    }
    assert_eq!(levels(&shop, "TEA").await, full);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_product_is_shown_as_it_was_written() {
    let shop = Shop::empty_with(Options::default()).await;
    let product = json!({
        "title": "Tea",
        "price": { "amount": 1250, "currency": "GBP" },
        "facts": { "category": "tea", "brand": "Leaf", "grams": 120, "tax_class": "food", "floor": 900, "low_at": 3 },
        "access": {
            "from": "2026-12-01T10:00:00.000Z",
            "early": [{ "tier": "gold", "from": "2026-12-01T08:00:00.000Z" }],
            "tiers": ["gold", "silver"],
            "reserve": { "tiers": ["gold"], "units": 10 },
            "preorder": { "ships": "2026-12-10T00:00:00.000Z", "units": 5 },
        },
    });
    let put = |product: &Value| Ask::put("/products/TEA", product).by(Caller::Operator);
    let reply = shop.reply(&put(&product)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut shown = product.clone();
    shown["sku"] = "TEA".into();
    assert_eq!(reply.json(), shown);
    let sku = Sku::parse("TEA").unwrap();
    let found = shop.store().read(&[Key::product(&sku)]).await.unwrap();
    let known = found.product(&sku).unwrap().unwrap();
    assert_eq!(
        (json!(known.facts), json!(known.access)),
        (product["facts"].clone(), product["access"].clone())
    );
    for (pointer, value, field) in [
        ("/facts/floor", json!(1251), "facts.floor"),
        ("/facts/grams", json!(10_000_001), "facts.grams"),
        ("/facts/colour", json!("red"), "facts.colour"),
        ("/access/early/0/from", json!("2026-12-01T10:00:00Z"), "access.early[0].from"),
        ("/access/reserve/units", json!(0), "access.reserve.units"),
        ("/access/preorder/units", json!(-1), "access.preorder.units"),
    ] {
        let mut wrong = product.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        wrong.pointer_mut(parent).unwrap()[name] = value;
        let reply = shop.reply(&put(&wrong)).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{}", reply.body);
    }
    // What is left out is gone.
    let plain = json!({ "title": "Tea", "price": { "amount": 1250, "currency": "GBP" } });
    let mut shown = plain.clone();
    shown["sku"] = "TEA".into();
    assert_eq!(shop.reply(&put(&plain)).await.json(), shown);
}
