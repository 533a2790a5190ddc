//! Commits and reads: what is lost to whom, what is tried again and how often.

use aftercart::{
    model::{
        customer::CustomerId,
        id::MovementId,
        product::{Product, Sku},
        stock::{LevelChange, LocationId, Movement, MovementKind, StockPart},
    },
    store::{Commit, CommitError, Key, StoreError, Write, orders, products, stock},
};
use aftercart_infra::world::{Fault, Options};

use crate::shop::{ADA, KEY, Shop};

fn sku(name: &str) -> Sku {
    Sku::parse(name).unwrap()
}

fn receipt(shop: &Shop, name: &str, units: i64) -> Movement {
    Movement {
        id: MovementId::derive(&[name, "store"]),
        sku: sku(name),
        kind: MovementKind::Receipt,
        changes: vec![LevelChange { location: LocationId::default(), shard: 0, units }],
        note: None,
        at: shop.now(),
        request: String::new(),
    }
}

fn receiving(receipt: &Movement) -> Commit {
    Commit::new().with(stock::note(receipt)).with(stock::change(
        &receipt.sku,
        &receipt.changes[0],
        0,
    ))
}

/// Takes units and leaves at least so many.
fn take(name: &str, quantity: u32, floor: i64) -> Write {
    let part = StockPart { location: LocationId::default(), shard: 0, quantity };
    stock::take(&sku(name), &part, floor)
}

fn product(name: &str) -> Write {
    let price = serde_json::from_str(r#"{"amount":1,"currency":"GBP"}"#).unwrap();
    let title = String::from(name).try_into().unwrap();
    let (facts, access) = Default::default();
    products::put(&Product { sku: sku(name), title, price, facts, access })
}

/// The operations since the last look, in order.
fn operations(shop: &Shop) -> Vec<String> {
    let meter = shop.store_port().meter();
    shop.store_port().forget();
    meter.calls.into_iter().map(|call| call.operation).collect()
}

#[tokio::test]
async fn one_write_is_a_write_and_several_are_a_transaction() {
    let shop = Shop::open().await;
    operations(&shop);
    shop.store().commit(Commit::new()).await.unwrap();
    assert_eq!(operations(&shop), [""; 0]);
    shop.store().commit(product("POT")).await.unwrap();
    assert_eq!(operations(&shop), ["PutItem"]);
    shop.store().commit(take("TEA", 1, 0)).await.unwrap();
    assert_eq!(operations(&shop), ["UpdateItem"]);
    shop.store().commit(receiving(&receipt(&shop, "TEA", 5))).await.unwrap();
    assert_eq!(operations(&shop), ["TransactWriteItems"]);
    assert_eq!(shop.left("TEA").await, 104);
}

#[tokio::test]
async fn conflicts_come_by_position_with_what_was_there() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let known = shop.store().all_orders().await.unwrap().remove(0);
    let commit = Commit::new()
        .with(take("TEA", 1, 0))
        .with(orders::place(&known, &aftercart::store::Sends::none()))
        .with(take("LAST", 2, 0))
        .with(take("NEVER", 1, 0));
    let Err(CommitError::Lost(lost)) = shop.store().commit(commit).await else {
        panic!("it was not lost");
    };
    let positions: Vec<usize> = lost.iter().map(|conflict| conflict.position).collect();
    assert_eq!(positions, [1, 2, 3]);
    let found = orders::from_item(lost[0].found.as_ref().unwrap()).unwrap();
    assert_eq!(found.id.as_str(), placed.id);
    assert_eq!(stock::available_from_item(lost[1].found.as_ref().unwrap()).unwrap(), 1);
    assert_eq!(lost[2].found, None);
    assert_eq!(shop.left("TEA").await, 99);
}

#[tokio::test]
async fn a_single_write_that_loses_tells_what_was_there() {
    let shop = Shop::open().await;
    for (write, there) in [(take("LAST", 2, 0), true), (take("NEVER", 1, 0), false)] {
        let Err(CommitError::Lost(lost)) = shop.store().commit(write).await else {
            panic!("it was not lost");
        };
        assert_eq!((lost[0].position, lost[0].found.is_some()), (0, there));
    }
}

#[tokio::test]
async fn a_take_leaves_its_floor() {
    let shop = Shop::open().await;
    for (name, quantity, floor, taken) in [
        ("TEA", 10, 91, false),
        ("TEA", 10, 90, true),
        ("TEA", 91, -1, true),
        ("TEA", 1, -1, false),
        ("NEVER", 3, -2, false),
        ("NEVER", 2, -2, true),
        ("NEVER", 1, -2, false),
    ] {
        let outcome = shop.store().commit(take(name, quantity, floor)).await;
        assert_eq!(outcome.is_ok(), taken, "{quantity} of {name} down to {floor}");
    }
    assert_eq!((shop.left("TEA").await, shop.left("NEVER").await), (-1, -2));
}

#[tokio::test(start_paused = true)]
async fn meeting_another_transaction_is_tried_again() {
    let shop = Shop::open().await;
    let receipt = receipt(&shop, "TEA", 5);
    operations(&shop);
    for (number, commit) in [product("A").into(), receiving(&receipt)].into_iter().enumerate() {
        shop.store_port().fail(1, Fault::Conflict);
        shop.store_port().fail(2, Fault::Conflict);
        shop.store().commit(commit).await.unwrap();
        assert_eq!(operations(&shop).len(), 3, "commit {number}");
    }
    assert_eq!(shop.left("TEA").await, 105);
}

#[tokio::test(start_paused = true)]
async fn meeting_others_for_ever_comes_to_an_end() {
    let shop = Shop::open().await;
    let receipt = receipt(&shop, "TEA", 5);
    operations(&shop);
    shop.store_port().fail_always(Some(Fault::Conflict));
    for commit in [product("A").into(), take("TEA", 1, 0).into(), receiving(&receipt)] {
        let error = shop.store().commit(commit).await.unwrap_err();
        let CommitError::Failed(StoreError::Contended { attempts }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(operations(&shop).len(), usize::try_from(attempts).unwrap());
    }
    shop.store_port().fail_always(None);
    assert_eq!(shop.left("TEA").await, 100);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_meets_itself() {
    let shop = Shop::open().await;
    let receipt = receipt(&shop, "TEA", 5);
    operations(&shop);
    shop.store_port().fail(1, Fault::After);
    let error = shop.store().commit(receiving(&receipt)).await.unwrap_err();
    assert!(matches!(error, CommitError::Failed(StoreError::Call { .. })), "{error:?}");
    let Err(CommitError::Lost(lost)) = shop.store().commit(receiving(&receipt)).await else {
        panic!("it was not lost");
    };
    assert_eq!(lost.len(), 1);
    let found = stock::movement_from_item(lost[0].found.as_ref().unwrap()).unwrap();
    assert_eq!(found, receipt);
    assert_eq!(shop.left("TEA").await, 105);
}

/// With the SDK's own retries, as on AWS.
#[tokio::test(start_paused = true)]
async fn the_sdk_tries_again_what_is_throttled_or_lost_without_doing_it_twice() {
    let shop = Shop::open_with(Options { sdk_attempts: 3, ..Options::default() }).await;
    for fault in [Fault::Throttle, Fault::Before, Fault::After] {
        let before = shop.left("TEA").await;
        let id = MovementId::derive(&[&format!("{fault:?}")]);
        let receipt = Movement { id, ..receipt(&shop, "TEA", 5) };
        operations(&shop);
        shop.store_port().fail(1, fault);
        shop.store().commit(receiving(&receipt)).await.unwrap();
        assert_eq!(operations(&shop).len(), 2);
        assert_eq!(shop.left("TEA").await, before + 5);
    }
}

async fn catalogue(shop: &Shop, size: usize) -> Vec<Key> {
    let names: Vec<String> = (0..size).map(|number| format!("P{number}")).collect();
    for name in &names {
        shop.store().commit(product(name)).await.unwrap();
    }
    operations(shop);
    names.iter().map(|name| Key::product(&sku(name))).collect()
}

#[tokio::test(start_paused = true)]
async fn keys_that_were_left_unread_are_asked_for_again() {
    let shop = Shop::empty_with(Options::default()).await;
    let keys = catalogue(&shop, 8).await;
    shop.store_port().fail(1, Fault::Partial);
    shop.store_port().fail(2, Fault::Partial);
    let found = shop.store().read(&keys).await.unwrap();
    assert!((0..8).all(|n| found.product(&sku(&format!("P{n}"))).unwrap().is_some()));
    assert_eq!(operations(&shop).len(), 3);
    shop.store_port().fail_always(Some(Fault::Partial));
    let error = shop.store().read(&keys[..1]).await.unwrap_err();
    let StoreError::Unread { keys: 1, attempts } = error else { panic!("{error:?}") };
    assert_eq!(operations(&shop).len(), usize::try_from(attempts).unwrap());
}

#[tokio::test]
async fn a_hundred_keys_are_one_round_trip_and_no_key_is_asked_for_twice() {
    let shop = Shop::empty_with(Options::default()).await;
    let keys = catalogue(&shop, 101).await;
    let found = shop.store().read(&keys).await.unwrap();
    assert!((0..101).all(|n| found.product(&sku(&format!("P{n}"))).unwrap().is_some()));
    assert_eq!(operations(&shop).len(), 2);
    let twice = [keys[0].clone(), keys[0].clone(), Key::product(&sku("NONE"))];
    let found = shop.store().read(&twice).await.unwrap();
    assert!(found.product(&sku("P0")).unwrap().is_some());
    assert!(found.product(&sku("NONE")).unwrap().is_none());
    assert_eq!(operations(&shop).len(), 1);
    let nobody = CustomerId::member("nobody").unwrap();
    assert!(shop.store().orders_of(&nobody, None, 10).await.unwrap().items.is_empty());
}
