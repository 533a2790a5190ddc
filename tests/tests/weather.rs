//! Bad weather between the functions and AWS, and what becomes of calls in it.

use std::collections::BTreeSet;

use aftercart::model::time::Period;
use aftercart_infra::world::{Ask, Caller, Mutant, Options, Reply, Violation, Weather};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{Shop, key, order};

async fn quick() -> Shop {
    Shop::open_with(Options { quick: true, ..Options::default() }).await
}

async fn price(shop: &Shop, amount: i64) -> Reply {
    let product = json!({ "title": "Tea", "price": { "amount": amount, "currency": "GBP" } });
    shop.reply(&Ask::put("/products/TEA", &product).by(Caller::Operator)).await
}

async fn priced(shop: &Shop) -> i64 {
    let product = shop.reply(&Ask::get("/products/TEA").by(Caller::Operator)).await;
    assert_eq!(product.status, 200, "{}", product.body);
    product.json()["price"]["amount"].as_i64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn calls_fail_before_and_after_they_are_applied() {
    let calm = Weather::calm(1);
    for (weather, status, applied) in [
        (Weather { before: 1_000, ..calm.clone() }, 503, false),
        (Weather { after: 1_000, ..calm.clone() }, 503, true),
        (Weather { throttle: 1_000, ..calm.clone() }, 503, false),
        (Weather { conflict: 1_000, ..calm.clone() }, 503, false),
        (Weather { slow: 1_000, turns: 50, ..calm }, 200, true),
    ] {
        let shop = quick().await;
        shop.set_weather(Some(weather.clone()));
        assert_eq!(price(&shop, 1300).await.status, status, "{weather:?}");
        shop.set_weather(None);
        let amount = if applied { 1300 } else { 1250 };
        assert_eq!(priced(&shop).await, amount, "{weather:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_leaves_what_was_applied_and_answers_nothing() {
    let mut found = BTreeSet::new();
    for seed in 0..20 {
        let shop = quick().await;
        shop.set_weather(Some(Weather { crash: 1_000, ..Weather::calm(seed) }));
        let reply = price(&shop, 1300).await;
        assert_eq!((reply.status, reply.text("/message")), (500, "Internal Server Error".into()));
        shop.set_weather(None);
        found.insert(priced(&shop).await);
        assert_eq!(price(&shop, 1400).await.status, 200);
    }
    assert_eq!(found, BTreeSet::from([1250, 1300]));
}

#[tokio::test(start_paused = true)]
async fn reads_that_are_not_consistent_see_the_past_for_a_while() {
    let shop = quick().await;
    shop.set_weather(Some(Weather { stale: 1_000, ..Weather::calm(1) }));
    assert_eq!(price(&shop, 1300).await.status, 200);
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        seen.insert(priced(&shop).await);
    }
    assert_eq!(seen, BTreeSet::from([1250, 1300]));
    shop.clock().advance(Period::of_seconds(11));
    for _ in 0..20 {
        assert_eq!(priced(&shop).await, 1300);
    }
}

/// Six members order the last unit at once, again and again; what they are
/// told, and what is kept in the end.
async fn storm(seed: u64) -> (Vec<u16>, Value) {
    let shop = quick().await;
    shop.set_weather(Some(Weather::rough(seed)));
    let mut told = Vec::new();
    for round in 0..3 {
        let asks: Vec<Ask> = ["ada", "bob", "cyd", "dan", "eve", "fay"]
            .iter()
            .enumerate()
            .map(|(number, member)| {
                let lines = order(&[("LAST", 1), ("TEA", 1)]);
                Ask::post("/orders", &lines).by_member(member).keyed(&key("storm", number))
            })
            .collect();
        let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
        told.extend(replies.iter().map(|reply| reply.status));
        while shop.deliver_side_by_side().await.unwrap() {}
        shop.clock().advance(Period::of_seconds(180));
        if round == 1 {
            shop.redrive(5);
        }
    }
    shop.set_weather(None);
    shop.unpark();
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
    (told, shop.state().await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_is_the_same_storm() {
    let mut storms = BTreeSet::new();
    for seed in 0..4 {
        let first = storm(seed).await;
        assert_eq!(first, storm(seed).await);
        storms.insert(first.0);
    }
    assert!(storms.len() > 1, "{storms:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_days_later_changes_nothing() {
    let shop = quick().await;
    shop.set_weather(Some(Weather::calm(3)));
    let placed = shop.place("ada", "TEA", 2, &key("again", 1)).await;
    shop.deliver(&placed, "GEN0001").await;
    let tables = async || shop.state().await.unwrap()["tables"].take();
    let redrive = async || {
        shop.clock().advance(Period::of_days(1));
        assert_eq!(shop.redrive(60), 60);
        while shop.deliver_side_by_side().await.unwrap() {}
        shop.settle().await.unwrap();
    };
    shop.clock().advance(Period::of_days(10));
    shop.run_schedule("shipment-watch").await.unwrap();
    shop.settle().await.unwrap();
    let before = tables().await;
    redrive().await;
    redrive().await;
    let after = tables().await;
    for (table, items) in before.as_object().unwrap() {
        assert_eq!(items, &after[table], "{table}");
    }
    shop.check_invariants().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn mutants_are_many_and_each_has_its_name() {
    let names: BTreeSet<&str> = Mutant::all().iter().map(|it| it.name).collect();
    assert_eq!(names.len(), Mutant::all().len());
    assert!(names.len() >= 40, "{}", names.len());
    for mutant in Mutant::all() {
        assert!(!mutant.about.is_empty() && !mutant.breaks.is_empty(), "{}", mutant.name);
        assert_eq!(Mutant::named(mutant.name).map(|it| it.name), Some(mutant.name));
    }
}

#[tokio::test(start_paused = true)]
async fn a_mutant_breaks_what_it_says() {
    let shop = quick().await;
    shop.place("ada", "TEA", 1, &key("mutant", 1)).await;
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
    shop.set_mutant(Mutant::named("stock-twice"));
    shop.place("ada", "TEA", 1, &key("mutant", 2)).await;
    shop.set_mutant(None);
    shop.settle().await.unwrap();
    assert_eq!(shop.left("TEA").await, 97);
    assert!(matches!(shop.check_invariants().await, Err(Violation::Broken(_))));
}
