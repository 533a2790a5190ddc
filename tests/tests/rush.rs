//! A rush: a thousand buyers at once for a hundred units, with too few coupons
//! and one purse of points among them. Nothing is sold twice, and when nobody
//! pays, everything is as it was.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        customer::CustomerId,
        points::MAX_HOLDS,
        price::{Quota, QuotaScope, RuleId},
        product::Sku,
        stock::LocationId,
        time::Period,
    },
    store::{Key, quotas, stock},
};
use aftercart_infra::world::{Ask, Caller, Options, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{Shop, key, order};

const BUYERS: usize = 1_000;
const UNITS: i64 = 100;
const PARTS: u8 = 4;
const COUPONS: u32 = 50;
const COUPON_PARTS: u8 = 8;
/// Who share one account, and its points.
const SHARERS: usize = 60;
/// Each of them pays with so many points.
const POINTS_EACH: i64 = 100;

fn policy() -> String {
    let mut policy: Value =
        serde_json::from_str(include_str!("../../shared/policy/default.json")).unwrap();
    policy["stock"]["hot"] = json!({ "RUSH": PARTS });
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 100 }, "max_share": 5_000, "least_points": 100,
    });
    policy.to_string()
}

fn rules() -> Value {
    json!({
        "version": "rush",
        "zone": "UTC",
        "rules": [{
            "id": "rush-five",
            "title": { "en": "Five off" },
            "coupon": { "code": "RUSH5" },
            "limits": { "total": COUPONS, "shards": COUPON_PARTS },
            "effect": { "amount": { "currency": "GBP", "off": 500 } },
        }],
    })
}

/// A shop before the rush, with a member `purse` who has 1,250 points.
async fn shop() -> Shop {
    let options = Options { policy: Some(policy()), ..Options::default() };
    let shop = Shop::empty_with(options).await;
    shop.sell("RUSH", 2_000, UNITS).await;
    shop.sell("CHEST", 125_000, 1).await;
    let reply = shop.reply(&Ask::put("/price-rules", &rules()).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let earned = shop.place("purse", "CHEST", 1, &key("chest", 0)).await;
    shop.deliver(&earned, "AB-0001").await;
    shop.clock().advance(Period::of_days(15));
    shop.run_schedule("points-settle").await.unwrap();
    shop.settle().await.unwrap();
    shop
}

/// What one buyer asks for.
fn ask(buyer: usize) -> Ask {
    let mut body = order(&[("RUSH", 1)]);
    if buyer.is_multiple_of(5) {
        body["codes"] = json!(["rush5"]);
    }
    let member = if buyer % 5 == 1 && buyer / 5 < SHARERS {
        body["points"] = json!(POINTS_EACH);
        "purse".to_owned()
    } else {
        format!("buyer-{buyer}")
    };
    Ask::post("/orders", &body).by_member(&member).keyed(&key("rush", buyer))
}

/// Who comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// Anybody.
    Anybody,
    /// Those with a coupon, and those with points: more than there is for them.
    Wishes,
}

/// Asks for all, each after a while that follows from the seed.
async fn rush(shop: &Shop, seed: u64, first: First) -> Vec<(usize, Reply)> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut buyers: Vec<usize> = (0..BUYERS).collect();
    rng.shuffle(&mut buyers);
    let calls = buyers.into_iter().map(|buyer| {
        let late = first == First::Wishes && buyer % 5 > 1;
        let turns = if late { rng.u32(1_000..1_200) } else { rng.u32(0..200) };
        async move {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            (buyer, shop.reply(&ask(buyer)).await)
        }
    });
    join_all(calls).await
}

fn coupon() -> Quota {
    let rule = RuleId::parse("rush-five").unwrap();
    Quota { rule, scope: QuotaScope::Total, cap: COUPONS, shards: COUPON_PARTS }
}

/// What there is of goods, coupons and points.
async fn left(shop: &Shop) -> (Vec<i64>, i64, i64) {
    let (sku, main) = (Sku::parse("RUSH").unwrap(), LocationId::default());
    let purse = CustomerId::member("purse").unwrap();
    let mut keys = stock::level_keys(&[(sku.clone(), PARTS)], std::slice::from_ref(&main));
    keys.extend(quotas::keys(&coupon()));
    keys.push(Key::ledger(&purse));
    let found = shop.store().read(&keys).await.unwrap();
    let levels = found.levels(&[(sku.clone(), PARTS)], std::slice::from_ref(&main)).unwrap();
    let ledger = found.ledger(&purse).unwrap();
    ledger.check().unwrap();
    let used = found.used(&coupon()).unwrap().iter().sum();
    (levels.parts(&sku, &main).to_vec(), used, ledger.spendable())
}

async fn a_rush_sells_what_there_is_and_no_more(seed: u64, first: First) {
    let shop = shop().await;
    let before = left(&shop).await;
    assert_eq!(before, (vec![25; 4], 0, 1_250));
    let replies = rush(&shop, seed, first).await;

    let mut outcomes: BTreeMap<(u16, String), usize> = BTreeMap::new();
    let (mut redeemed, mut paid_with_points) = (0, 0);
    for (buyer, reply) in &replies {
        let answer = reply.json();
        let kind = answer["type"].as_str().unwrap_or_default().rsplit(':').next().unwrap();
        *outcomes.entry((reply.status, kind.to_owned())).or_default() += 1;
        match (reply.status, kind) {
            (201, _) => {
                let discounts = answer["discounts"].as_array().map_or(0, Vec::len);
                assert_eq!(discounts == 1, buyer.is_multiple_of(5), "{answer}");
                redeemed += i64::try_from(discounts).unwrap();
                paid_with_points += answer["points"]["used"].as_i64().unwrap_or(0);
            }
            // Which rule lost is said, with what could be had instead.
            (409, "out-of-stock") => {
                assert_eq!(answer["lines"][0]["sku"], "RUSH", "{answer}");
                assert_eq!(answer["lines"][0]["available"], 0, "{answer}");
            }
            (409, "offer-not-applied") => {
                let lost = &answer["quote"]["not_applied"][0];
                let reason = lost["reason"].as_str().unwrap();
                assert!(["used_up", "points"].contains(&reason), "{answer}");
            }
            _ => panic!("{buyer}: {}", reply.body),
        }
    }
    println!("seed {seed}: {outcomes:?}, {redeemed} coupons, {paid_with_points} points");
    assert_eq!(outcomes[&(201, String::new())], 100);
    assert!(redeemed <= i64::from(COUPONS));
    if first == First::Wishes {
        // 100 points an order, for as many orders as points may be held at once.
        let paid = i64::try_from(MAX_HOLDS).unwrap() * 100;
        assert_eq!((redeemed, paid_with_points), (i64::from(COUPONS), paid));
    }
    let (levels, used, spendable) = left(&shop).await;
    assert_eq!(levels, [0; 4]);
    assert_eq!(used, redeemed);
    assert_eq!(spendable, 1_250 - paid_with_points);
    assert!(spendable >= 0);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();

    shop.clock().advance(Period::of_seconds(2_401));
    shop.run_schedule("order-expire").await.unwrap();
    shop.settle().await.unwrap();
    assert_eq!(left(&shop).await, before);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_rush_is_exact_with_seed_1() {
    a_rush_sells_what_there_is_and_no_more(1, First::Anybody).await;
}

#[tokio::test]
async fn a_rush_is_exact_with_seed_2() {
    a_rush_sells_what_there_is_and_no_more(2, First::Anybody).await;
}

#[tokio::test]
async fn a_rush_for_coupons_and_points_is_exact_with_seed_3() {
    a_rush_sells_what_there_is_and_no_more(3, First::Wishes).await;
}

#[tokio::test]
async fn a_rush_for_coupons_and_points_is_exact_with_seed_4() {
    a_rush_sells_what_there_is_and_no_more(4, First::Wishes).await;
}
