//! Tills that do things twice: codes, holds and receipts that were used before.

use aftercart::model::{customer::CustomerId, points::Account, time::Period};
use aftercart_infra::world::{Ask, Reply};
use serde_json::json;

use crate::{
    channels::{code_of, coming_back, held, holding, receipt, till},
    giving::grant,
    shop::{ADA, KEY, Shop, key},
};

/// A half minute and no more: the next code is shown.
const NEXT: Period = Period::of_seconds(30);

fn refused(reply: &Reply) -> (u16, String) {
    (reply.status, reply.problem())
}

/// What Ada may spend, and what is pending.
async fn points(shop: &Shop) -> (i64, i64) {
    let ledger = shop.store().ledger(&CustomerId::member(ADA).unwrap()).await.unwrap();
    (ledger.spendable(), ledger.balance(Account::Pending))
}

#[tokio::test]
async fn a_hold_pays_for_one_receipt_whatever_comes_back() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let hold = held(&shop, 100).await;
    let capture = till("captures", &json!({ "hold": hold }));
    assert_eq!(shop.reply(&capture).await.status, 200);
    let body = receipt(&shop, Some(&hold)).await;
    for _ in 0..2 {
        assert_eq!(shop.reply(&till("purchases", &body)).await.status, 201);
    }
    let mut other = body.clone();
    other["receipt"] = "r-2".into();
    let second = shop.reply(&till("purchases", &other)).await;
    assert_eq!(refused(&second), (409, "hold-used".to_owned()));
    assert_eq!(second.json()["field"], "hold");
    let mut all = coming_back("b-1", 3);
    all["lines"] = json!([{ "line": 1, "units": 3 }, { "line": 2, "units": 1 }]);
    assert_eq!(shop.reply(&till("returns", &all)).await.json()["given_back"], 100);
    let second = shop.reply(&till("purchases", &other)).await;
    assert_eq!(refused(&second), (409, "hold-used".to_owned()), "nor when all of it came back");
    all["receipt"] = "r-2".into();
    assert_eq!(shop.reply(&till("returns", &all)).await.status, 404, "there is no such receipt");
    assert_eq!(points(&shop).await, (100, 0), "as at the start");
}

#[tokio::test]
async fn receipts_at_once_do_not_share_a_hold() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let hold = held(&shop, 100).await;
    let capture = till("captures", &json!({ "hold": hold }));
    assert_eq!(shop.reply(&capture).await.status, 200);
    let body = receipt(&shop, Some(&hold)).await;
    let asks: Vec<Ask> = (0..6)
        .map(|number| {
            let mut body = body.clone();
            body["receipt"] = format!("r-{number}").into();
            till("purchases", &body)
        })
        .collect();
    let replies = futures::future::join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let taken = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(taken, 1);
    assert!(replies.iter().all(|reply| [201, 409, 503].contains(&reply.status)));
}

#[tokio::test]
async fn a_code_holds_points_once_and_the_next_one_again() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let ask = holding(&shop, 10, KEY).await;
    let first = shop.reply(&ask).await;
    assert_eq!(first.status, 201);
    let other = shop.reply(&holding(&shop, 10, &key("hold", 2)).await).await;
    assert_eq!(refused(&other), (409, "member-code-used".to_owned()));
    // The till that says that it read it a little earlier or later.
    let code = code_of(&shop, ADA).await;
    for read_at in [shop.now().minus(NEXT), shop.now().plus(NEXT)] {
        let body = json!({ "code": code, "read_at": read_at, "points": 10 });
        let again = shop.reply(&till("holds", &body).keyed(&key("hold", 2))).await;
        assert_eq!(refused(&again), (409, "member-code-used".to_owned()), "{read_at}");
    }
    assert_eq!(shop.reply(&till("members", &json!({ "code": code }))).await.status, 200);
    let body = receipt(&shop, None).await;
    assert_eq!(shop.reply(&till("purchases", &body)).await.status, 201);
    shop.clock().advance(NEXT);
    let next = shop.reply(&holding(&shop, 10, &key("hold", 2)).await).await;
    assert_eq!(next.status, 201, "{}", next.body);
    assert_eq!(points(&shop).await.0, 80);
    // A call that is sent again is answered as it was, whatever came of it.
    let void = till("voids", &json!({ "hold": first.text("/hold") }));
    assert_eq!(shop.reply(&void).await.status, 200);
    let again = shop.reply(&ask).await;
    let replayed = again.headers.get("idempotent-replayed").map(String::as_str);
    assert_eq!((again.status, &again.body, replayed), (201, &first.body, Some("true")));
}

#[tokio::test]
async fn tills_at_once_hold_points_once_for_a_code() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let mut asks = Vec::new();
    for number in 0..6 {
        asks.push(holding(&shop, 10, &key("hold", number)).await);
    }
    let replies = futures::future::join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(points(&shop).await.0, 90);
}

#[tokio::test]
async fn codes_of_a_number_are_guessed_ten_times_an_hour() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let code = code_of(&shop, ADA).await;
    let digits: u32 = code[12..].parse().unwrap();
    let wrong = format!("{}{:08}", &code[..12], (digits + 1) % 100_000_000);
    let guess = till("members", &json!({ "code": wrong }));
    for _ in 0..10 {
        let reply = shop.reply(&guess).await;
        assert_eq!(refused(&reply), (422, "member-code-refused".to_owned()));
    }
    let right = till("members", &json!({ "code": code, "read_at": shop.now() }));
    for ask in [
        guess,
        right,
        holding(&shop, 10, KEY).await,
        till("purchases", &receipt(&shop, None).await),
    ] {
        let reply = shop.reply(&ask).await;
        assert_eq!(refused(&reply), (429, "member-code-locked".to_owned()));
        let wait: u32 = reply.headers["retry-after"].parse().unwrap();
        assert!((1..=3_600).contains(&wait), "{wait}");
    }
    let others = code_of(&shop, "bob").await;
    let other = shop.reply(&till("members", &json!({ "code": others }))).await;
    assert_eq!(other.status, 200, "it is of one number");
    shop.clock().advance(Period::of_seconds(3_600));
    let next = shop.reply(&holding(&shop, 10, KEY).await).await;
    assert_eq!(next.status, 201, "{}", next.body);
}

#[tokio::test]
async fn what_points_paid_wholly_comes_back_unit_by_unit() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let hold = held(&shop, 100).await;
    let capture = till("captures", &json!({ "hold": hold }));
    assert_eq!(shop.reply(&capture).await.status, 200);
    let mut body = receipt(&shop, Some(&hold)).await;
    body["lines"] = json!([{ "sku": "TEA", "quantity": 3, "paid": 0 }]);
    assert_eq!(shop.reply(&till("purchases", &body)).await.status, 201);
    for (number, given) in [("b-1", 33), ("b-2", 66), ("b-3", 100)] {
        let reply = shop.reply(&till("returns", &coming_back(number, 1))).await;
        assert_eq!(reply.json()["given_back"], given, "{}", reply.body);
    }
    assert_eq!(points(&shop).await, (100, 0));
}

#[tokio::test]
async fn a_purchase_is_not_of_the_future() {
    let shop = Shop::open().await;
    let mut body = receipt(&shop, None).await;
    body["read_at"] = json!(shop.now());
    for (ahead, status) in [(121, 400), (86_400, 400), (120, 201)] {
        body["purchased_at"] = json!(shop.now().plus(Period::of_seconds(ahead)));
        let reply = shop.reply(&till("purchases", &body)).await;
        assert_eq!(reply.status, status, "{ahead}: {}", reply.body);
        if status == 400 {
            assert_eq!(reply.json()["field"], "purchased_at", "{ahead}");
        }
    }
}
