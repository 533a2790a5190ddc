//! Rewards: what is taken for points, by many at once, what is refused, and
//! what is called off or comes back.

use std::collections::BTreeMap;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        customer::CustomerId,
        id::{LinkId, RedemptionId},
        points::{Account, Authority, Cause, Entry, Ledger, Lot, Movement, audit::Rebuilt},
        time::Period,
    },
    run::metrics::Metric,
    store::{Commit, Sends, points},
};
use aftercart_infra::world::{Ask, Caller, Options, Reply, dead_letters};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key, order};

fn member(name: &str) -> CustomerId {
    CustomerId::member(name).unwrap()
}

/// Gives a member lots of so many points that end so many days from now.
pub(crate) async fn give(shop: &Shop, name: &str, lots: &[(i64, u16)]) {
    let mut ledger = Ledger::empty(member(name));
    let mut entries = Vec::new();
    for (number, (given, days)) in lots.iter().enumerate() {
        let movement = Movement {
            id: ledger.entry_id("given", &number.to_string(), ""),
            at: shop.now(),
            cause: Cause::Milestone("given".to_owned().try_into().unwrap()),
            authority: Authority { rule: "test", policy: "1" },
        };
        let lot = Lot::new(*given, shop.now(), shop.now().plus(Period::of_days(*days)));
        entries.push(ledger.credit(movement, Account::Issued, vec![lot]).unwrap());
    }
    save(shop, &ledger, &entries).await;
}

async fn save(shop: &Shop, ledger: &Ledger, entries: &[Entry]) {
    let saved = points::save(ledger, None, &Sends::none());
    let commit: Commit = entries.iter().map(points::post).chain([saved]).collect();
    shop.store().commit(commit).await.unwrap();
}

fn reward(kind: &Value, points: i64) -> Value {
    json!({ "title": { "en": "A reward", "zh": "奖励" }, "kind": kind, "points": points })
}

/// So many mugs in all, one a member, a hundred points each.
pub(crate) fn mug(units: u32) -> Value {
    let mut mug = reward(&json!({ "gift": { "sku": "MUG" } }), 100);
    (mug["units"], mug["per_member"]) = (units.into(), 1.into());
    mug
}

/// A coupon for twenty points.
pub(crate) fn coupon() -> Value {
    reward(&json!({ "coupon": { "rule": "five-off", "valid": "30d" } }), 20)
}

/// A service for ten points.
pub(crate) fn service() -> Value {
    reward(&json!("service"), 10)
}

/// A faster delivery for thirty points.
pub(crate) fn upgrade() -> Value {
    reward(&json!("express_upgrade"), 30)
}

/// Price rules whose one rule, of the coupon, is like this.
async fn write_rule(shop: &Shop, more: &Value) {
    let mut rule = json!({
        "id": "five-off", "title": { "en": "Five off" },
        "effect": { "amount": { "currency": "GBP", "off": 500 } },
    });
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    let rules = json!({ "version": "1", "zone": "UTC", "rules": [rule] });
    let reply = shop.reply(&Ask::put("/price-rules", &rules).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// Writes a reward, and before it the rule of the coupon, also where it is not
/// needed yet: functions see new rules a minute later. The reward as it is then.
pub(crate) async fn offer(shop: &Shop, id: &str, reward: &Value) -> Value {
    write_rule(shop, &json!({ "coupon": { "voucher": true } })).await;
    let ask = Ask::put(format!("/rewards/{id}"), reward).by(Caller::Operator);
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// A member's call for a reward; for goods, with an address.
pub(crate) fn taking(name: &str, reward: &str, key: &str) -> Ask {
    let mut body = json!({ "reward": reward });
    if reward == "mug" {
        body["address"] = order(&[])["shipping_address"].clone();
    }
    Ask::post("/me/redemptions", &body).by_member(name).keyed(key)
}

pub(crate) async fn take(shop: &Shop, name: &str, reward: &str, key: &str) -> Reply {
    shop.reply(&taking(name, reward, key)).await
}

/// Takes a reward; the redemption.
pub(crate) async fn taken(shop: &Shop, name: &str, reward: &str, key: &str) -> String {
    let reply = take(shop, name, reward, key).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.text("/id")
}

/// What an operator does with a redemption.
pub(crate) fn operating(id: &str, what: &str, body: &Value) -> Ask {
    Ask::post(format!("/operator/redemptions/{id}/{what}"), body).by(Caller::Operator)
}

async fn cancel(shop: &Shop, name: &str, id: &str) -> Reply {
    let ask = Ask::post(format!("/me/redemptions/{id}/cancellation"), &json!({}));
    shop.reply(&ask.by_member(name)).await
}

async fn ledger(shop: &Shop, name: &str) -> Ledger {
    shop.store().ledger(&member(name)).await.unwrap()
}

/// Available, held and spendable points.
async fn balances(shop: &Shop, name: &str) -> [i64; 3] {
    let ledger = ledger(shop, name).await;
    [ledger.balance(Account::Available), ledger.held(), ledger.spendable()]
}

/// How many are left, by the rewards' names.
async fn left(shop: &Shop) -> BTreeMap<String, Value> {
    let reply = shop.reply(&Ask::get("/rewards")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let rewards = reply.json()["rewards"].as_array().unwrap().clone();
    let pair = |it: &Value| (it["id"].as_str().unwrap().to_owned(), it["left"].clone());
    rewards.iter().map(pair).collect()
}

async fn vouchers(shop: &Shop) -> Vec<Value> {
    let reply = shop.reply(&Ask::get("/me/vouchers").by_member(ADA)).await;
    reply.json()["vouchers"].as_array().unwrap().clone()
}

fn problem(reply: &Reply) -> String {
    reply.text("/type").rsplit(':').next().unwrap().to_owned()
}

/// What people of the shop were told, by kind and redemption.
fn tasks(shop: &Shop) -> Vec<(&'static str, RedemptionId)> {
    let told = shop.queue(Queue::Notifications.name());
    let told = told.iter().map(|it| Envelope::parse(&it.body).unwrap().message);
    told.filter_map(|message| match message {
        Message::RewardTaken(taken) => {
            assert!(!json!(taken).to_string().contains("London"), "it says where somebody lives");
            Some(("taken", taken.redemption))
        }
        Message::RewardStopped(stopped) => Some(("stopped", stopped.redemption)),
        _ => None,
    })
    .collect()
}

/// That a member's ledger is what its entries amount to.
async fn is_sound(shop: &Shop, name: &str) {
    let page = shop.store().entries_of(&member(name), None, 100).await.unwrap();
    let mut rebuilt = Rebuilt::default();
    for (entry, _) in &page.items {
        rebuilt.add(entry).unwrap();
    }
    assert_eq!(rebuilt.differences(&ledger(shop, name).await), []);
}

#[tokio::test]
async fn goods_are_taken_sent_and_come_back() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(150, 400)]).await;
    offer(&shop, "mug", &mug(3)).await;
    let id = taken(&shop, ADA, "mug", KEY).await;
    assert_eq!(balances(&shop, ADA).await, [150, 100, 50]);
    assert_eq!(left(&shop).await["mug"], 2);
    shop.settle().await.unwrap();
    assert_eq!(balances(&shop, ADA).await, [50, 0, 50]);
    let redemption = RedemptionId::parse(&id).unwrap();
    assert_eq!(tasks(&shop), [("taken", redemption.clone())]);
    let waiting = shop.reply(&Ask::get("/operator/redemptions").by(Caller::Operator)).await.json();
    assert_eq!(waiting["redemptions"][0]["redemption"]["id"], json!(id));
    assert_eq!(waiting["redemptions"][0]["redemption"]["address"]["city"], "London");

    let note = json!({ "note": "Parcel AB-1234" });
    for _ in 0..2 {
        let reply = shop.reply(&operating(&id, "fulfilment", &note)).await;
        assert_eq!((reply.status, reply.text("/redemption/status").as_str()), (200, "fulfilled"));
        shop.clock().advance(Period::of_days(1));
    }
    let waiting = shop.reply(&Ask::get("/operator/redemptions").by(Caller::Operator)).await.json();
    assert_eq!(waiting["redemptions"], json!([]));
    assert_eq!(problem(&cancel(&shop, ADA, &id).await), "redemption-fulfilled");

    let back = operating(&id, "return", &json!({ "restock": true }));
    for _ in 0..2 {
        assert_eq!(shop.reply(&back).await.text("/redemption/status"), "returned");
        shop.settle().await.unwrap();
    }
    assert_eq!(balances(&shop, ADA).await, [150, 0, 150]);
    assert_eq!(left(&shop).await["mug"], 3);
    assert_eq!(tasks(&shop).len(), 1, "what was sent is not stopped");
    // It counts no more, so another one may be taken.
    taken(&shop, ADA, "mug", &key("again", 0)).await;
    shop.settle().await.unwrap();
    is_sound(&shop, ADA).await;
    shop.check_invariants().await.unwrap();
    assert_eq!(shop.metrics().counted(Metric::RewardTaken), 2);
}

#[tokio::test]
async fn a_coupon_is_a_voucher_that_is_paid_back_while_it_is_unused() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(100, 400)]).await;
    offer(&shop, "five-off", &coupon()).await;
    let [used, unused] = [key("coupon", 0), key("coupon", 1)];
    let (used, unused) =
        (taken(&shop, ADA, "five-off", &used).await, taken(&shop, ADA, "five-off", &unused).await);
    shop.settle().await.unwrap();
    assert_eq!((balances(&shop, ADA).await, vouchers(&shop).await.len()), ([60, 0, 60], 2));
    assert_eq!(tasks(&shop), [], "nobody has to see to a coupon");
    let needless = shop.reply(&operating(&used, "fulfilment", &json!({}))).await;
    assert_eq!(problem(&needless), "redemption-needs-nobody");

    let mine = shop.reply(&Ask::get("/me/redemptions").by_member(ADA)).await.json();
    let of = |id: &str| {
        let all = mine["redemptions"].as_array().unwrap();
        all.iter().find(|it| it["id"] == json!(id)).unwrap()["voucher"].clone()
    };
    let mut body = order(&[("TEA", 1)]);
    body["vouchers"] = json!([of(&used)]);
    let placed = shop.reply(&Ask::post("/orders", &body).by_member(ADA).keyed(KEY)).await;
    assert_eq!((placed.status, &placed.json()["discounts"][0]["rule"]), (201, &json!("five-off")));

    assert_eq!(problem(&cancel(&shop, ADA, &used).await), "voucher-spent");
    for _ in 0..2 {
        assert_eq!(cancel(&shop, ADA, &unused).await.text("/status"), "cancelled");
        shop.settle().await.unwrap();
    }
    assert_eq!(balances(&shop, ADA).await, [80, 0, 80]);
    body["vouchers"] = json!([of(&unused)]);
    let key = key("order", 1);
    let reply = shop.reply(&Ask::post("/orders", &body).by_member(ADA).keyed(&key)).await;
    assert_eq!(reply.status, 409, "what was paid back is good for nothing: {}", reply.body);

    shop.clock().advance(Period::of_days(31));
    assert_eq!(problem(&cancel(&shop, ADA, &used).await), "voucher-spent", "{used}");
    is_sound(&shop, ADA).await;
}

#[tokio::test]
async fn a_coupon_that_is_called_off_before_it_is_posted_is_none() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(100, 400)]).await;
    offer(&shop, "five-off", &coupon()).await;
    let id = taken(&shop, ADA, "five-off", KEY).await;
    assert_eq!(cancel(&shop, ADA, &id).await.status, 200);
    shop.settle().await.unwrap();
    assert_eq!((balances(&shop, ADA).await, vouchers(&shop).await), ([100, 0, 100], Vec::new()));
    let entries = shop.store().entries_of(&member(ADA), None, 10).await.unwrap().items;
    assert_eq!(entries.len(), 1, "a hold leaves no trace");
    assert_eq!(shop.queue(&dead_letters(Queue::Points)), []);
}

#[tokio::test]
async fn points_come_back_with_the_ends_that_they_had() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(60, 500), (60, 900)]).await;
    offer(&shop, "mug", &mug(1)).await;
    let before = ledger(&shop, ADA).await.lots;
    let id = taken(&shop, ADA, "mug", KEY).await;
    shop.settle().await.unwrap();
    assert_eq!(ledger(&shop, ADA).await.lots.len(), 1);
    assert_eq!(cancel(&shop, ADA, &id).await.status, 200);
    shop.settle().await.unwrap();
    assert_eq!(ledger(&shop, ADA).await.lots, before);
    let redemption = RedemptionId::parse(&id).unwrap();
    assert_eq!(tasks(&shop), [("taken", redemption.clone()), ("stopped", redemption)]);
}

#[tokio::test]
async fn an_upgrade_and_a_fee_are_of_an_order_that_they_can_help() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(200, 400)]).await;
    offer(&shop, "upgrade", &upgrade()).await;
    let fee = json!({ "after_sales_fee": { "up_to": { "amount": 500, "currency": "GBP" } } });
    offer(&shop, "fee", &reward(&fee, 20)).await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let take = async |reward: &str, of: Option<&Placed>, number: usize| {
        let mut body = json!({ "reward": reward });
        if let Some(placed) = of {
            body["order"] = json!(placed.id);
        }
        let key = key("help", number);
        shop.reply(&Ask::post("/me/redemptions", &body).by_member(ADA).keyed(&key)).await
    };
    assert_eq!(problem(&take("upgrade", Some(&placed), 0).await), "order-not-paid");
    shop.pay(&placed).await;
    let others = shop.place("bob", "TEA", 1, KEY).await;
    let missing = take("upgrade", Some(&others), 1).await;
    assert_eq!((missing.status, missing.text("/field")), (404, "order".to_owned()));
    assert_eq!(take("upgrade", None, 2).await.text("/field"), "order");
    let upgraded = take("upgrade", Some(&placed), 3).await;
    assert_eq!((upgraded.status, upgraded.text("/order")), (201, placed.id.clone()));
    shop.label(&placed, "AB-1234").await;
    assert_eq!(problem(&take("upgrade", Some(&placed), 4).await), "order-leaving");
    assert_eq!(take("fee", Some(&placed), 5).await.status, 201);
}

#[tokio::test]
async fn what_cannot_be_taken_is_told_and_takes_nothing() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(100, 400)]).await;
    let with = |more: Value| {
        let mut reward = service();
        for (name, value) in more.as_object().unwrap() {
            reward[name] = value.clone();
        }
        reward
    };
    let hours = json!({ "window": { "from": "2100-01-01T00:00" } });
    for (id, reward) in [
        ("open", service()),
        ("ended", with(json!({ "window": { "until": "2020-01-01T00:00" } }))),
        ("later", with(hours)),
        ("gold", with(json!({ "tiers": ["gold"] }))),
        ("gone", with(json!({ "units": 0 }))),
        ("dear", with(json!({ "points": 101 }))),
        ("five-off", coupon()),
        ("mug", mug(5)),
    ] {
        offer(&shop, id, &reward).await;
    }
    let before = shop.state().await.unwrap();
    let to = order(&[])["shipping_address"].clone();
    let unknown = "ord_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (body, status, said) in [
        (json!({ "reward": "none" }), 404, "not-found"),
        (json!({ "reward": "ended" }), 409, "reward-not-open"),
        (json!({ "reward": "later" }), 409, "reward-not-open"),
        (json!({ "reward": "gold" }), 409, "reward-of-a-tier"),
        (json!({ "reward": "gone" }), 409, "reward-gone"),
        (json!({ "reward": "dear" }), 409, "too-few-points"),
        (json!({ "reward": "mug" }), 400, "invalid-request"),
        (json!({ "reward": "open", "address": to }), 400, "invalid-request"),
        (json!({ "reward": "five-off", "order": unknown }), 400, "invalid-request"),
        (json!({ "reward": "open", "order": unknown }), 404, "not-found"),
        (json!({ "reward": "open", "more": 1 }), 400, "invalid-request"),
        (json!({ "reward": "NO" }), 400, "invalid-request"),
        (json!({}), 400, "invalid-request"),
    ] {
        let ask = Ask::post("/me/redemptions", &body).by_member(ADA).keyed(KEY);
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, problem(&reply).as_str()), (status, said), "{body}");
    }
    let bare = Ask::post("/me/redemptions", &json!({ "reward": "open" }));
    assert_eq!(shop.reply(&bare.clone().keyed(KEY)).await.status, 401);
    assert_eq!(shop.reply(&bare.by_member(ADA)).await.text("/field"), "Idempotency-Key");
    let dear = take(&shop, ADA, "dear", KEY).await.json();
    assert_eq!((&dear["missing"], &dear["spendable"]), (&json!(1), &json!(100)));
    assert_eq!(shop.state().await.unwrap(), before, "a refusal writes nothing");
    assert!(!left(&shop).await.contains_key("ended"), "it has left the catalogue");

    let tier = Ask::put("/customers/cus_ada", &json!({ "tier": "gold" })).by(Caller::Operator);
    assert_eq!(shop.reply(&tier).await.status, 200);
    taken(&shop, ADA, "gold", &key("gold", 0)).await;
}

#[tokio::test]
async fn rewards_are_written_by_operators_and_make_sense() {
    let shop = Shop::open().await;
    for (more, field) in [
        (json!({ "points": 0 }), "points"),
        (json!({ "units": -1 }), "units"),
        (json!({ "per_member": 0 }), "per_member"),
        (json!({ "kind": "nothing" }), "kind"),
        (json!({ "window": { "days": ["sat", "sat"] } }), "window.days"),
        (json!({ "more": 1 }), "more"),
    ] {
        let mut reward = service();
        for (name, value) in more.as_object().unwrap() {
            reward[name] = value.clone();
        }
        let ask = Ask::put("/rewards/service", &reward).by(Caller::Operator);
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.text("/field")), (400, field.to_owned()), "{}", reply.body);
    }
    let put = |path: &str| Ask::put(path, &service());
    assert_eq!(shop.reply(&put("/rewards/NO").by(Caller::Operator)).await.status, 404);
    assert_eq!(shop.reply(&put("/rewards/service").by_member(ADA)).await.status, 403);
    assert_eq!(shop.reply(&Ask::get("/rewards?limit=2")).await.status, 400);
    for (ask, status) in [
        (Ask::get("/me/redemptions"), 401),
        (Ask::get("/me/redemptions?cursor=x").by_member(ADA), 400),
        (Ask::get("/operator/redemptions?cursor=x").by(Caller::Operator), 400),
        (Ask::get("/operator/redemptions").by_member(ADA), 403),
        (operating("rdm_x", "return", &json!({ "restock": true })), 404),
    ] {
        assert_eq!(shop.reply(&ask).await.status, status, "{ask:?}");
    }
}

#[tokio::test]
async fn a_coupon_that_is_worth_nothing_is_not_sold() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(100, 400)]).await;
    let minute = || shop.clock().advance(Period::of_seconds(61));
    let put = || async {
        let reply =
            shop.reply(&Ask::put("/rewards/five-off", &coupon()).by(Caller::Operator)).await;
        (reply.status, reply.text("/type"), reply.text("/field"))
    };
    let unknown = || {
        let (kind, field) = ("unknown-price-rule", "kind.coupon.rule");
        (422, kind.to_owned(), field.to_owned())
    };
    let last = |(status, kind, field): (u16, String, String)| {
        (status, kind.rsplit(':').next().unwrap().to_owned(), field)
    };
    assert_eq!(last(put().await), unknown(), "there is no such rule");
    write_rule(&shop, &json!({ "coupon": { "code": "FIVE" } })).await;
    minute();
    assert_eq!(last(put().await), unknown(), "it takes no vouchers");
    offer_later(&shop).await;
    for (rule, fits) in [
        (
            json!({ "coupon": { "voucher": true }, "window": { "until": "2020-01-01T00:00" } }),
            false,
        ),
        (json!({ "coupon": { "voucher": true }, "window": { "from": "2100-01-01T00:00" } }), false),
        (json!({}), false),
        (json!({ "coupon": { "voucher": true } }), true),
    ] {
        write_rule(&shop, &rule).await;
        minute();
        let reply = take(&shop, ADA, "five-off", KEY).await;
        match fits {
            true => assert_eq!(reply.status, 201, "{}", reply.body),
            false => assert_eq!(problem(&reply), "reward-not-open", "{rule}"),
        }
    }
    assert_eq!(balances(&shop, ADA).await, [100, 20, 80]);
}

/// Offers the coupon when its rule of before is seen no more.
async fn offer_later(shop: &Shop) {
    write_rule(shop, &json!({ "coupon": { "voucher": true } })).await;
    shop.clock().advance(Period::of_seconds(61));
    offer(shop, "five-off", &coupon()).await;
}

#[tokio::test]
async fn no_reward_is_offered_that_the_catalogue_does_not_show() {
    let shop = Shop::open().await;
    for number in 0..100 {
        offer(&shop, &format!("service-{number}"), &service()).await;
    }
    let one_more = Ask::put("/rewards/one-more", &service()).by(Caller::Operator);
    let reply = shop.reply(&one_more).await;
    assert_eq!((reply.status, problem(&reply).as_str()), (409, "catalogue-full"));
    assert_eq!(left(&shop).await.len(), 100);
    let mut ended = service();
    ended["window"] = json!({ "until": "2020-01-01T00:00" });
    offer(&shop, "service-7", &service()).await;
    offer(&shop, "service-7", &ended).await;
    assert_eq!(shop.reply(&one_more).await.status, 200);
    assert!(left(&shop).await.contains_key("one-more"));
}

#[tokio::test]
async fn redemptions_are_changed_by_those_whose_they_are() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(100, 400)]).await;
    offer(&shop, "service", &service()).await;
    let id = taken(&shop, ADA, "service", KEY).await;
    assert_eq!(cancel(&shop, "bob", &id).await.status, 404);
    let by_member = operating(&id, "fulfilment", &json!({})).by_member(ADA);
    assert_eq!(shop.reply(&by_member).await.status, 403);
    for (what, body, field) in [
        ("fulfilment", json!({ "note": "x".repeat(201) }), "note"),
        ("return", json!({}), "body"),
        ("return", json!({ "restock": 1 }), "restock"),
    ] {
        let reply = shop.reply(&operating(&id, what, &body)).await;
        assert_eq!((reply.status, reply.text("/field")), (400, field.to_owned()), "{body}");
    }
    assert_eq!(cancel(&shop, ADA, &id).await.status, 200);
    for what in ["fulfilment", "return"] {
        let body = if what == "return" { json!({ "restock": true }) } else { json!({}) };
        assert_eq!(problem(&shop.reply(&operating(&id, what, &body)).await), "redemption-undone");
    }
    let other = json!({ "reward": "service", "order": "ord_aaaaaaaaaaaaaaaaaaaaaaaaaa" });
    let ask = Ask::post("/me/redemptions", &other).by_member(ADA).keyed(KEY);
    assert_eq!(problem(&shop.reply(&ask).await), "idempotency-key-reused");
    let again = take(&shop, ADA, "service", KEY).await;
    assert_eq!(
        (again.status, again.text("/status").as_str()),
        (201, "taken"),
        "as it was answered"
    );
}

#[tokio::test]
async fn what_a_member_took_is_listed_latest_first() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(100, 400)]).await;
    offer(&shop, "service", &service()).await;
    let mut all = Vec::new();
    for number in 0..5 {
        all.push(taken(&shop, ADA, "service", &key("service", number)).await);
        shop.clock().advance(Period::of_seconds(60));
    }
    all.reverse();
    for (path, caller, place) in [
        ("/me/redemptions", Caller::Member(ADA.to_owned()), "/id"),
        ("/operator/redemptions", Caller::Operator, "/redemption/id"),
    ] {
        let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
        loop {
            let ask = Ask::get(format!("{path}{query}")).by(caller.clone());
            let page = shop.reply(&ask).await.json();
            let ids = page["redemptions"].as_array().unwrap().iter();
            seen.extend(ids.map(|it| it.pointer(place).unwrap().as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, all, "{path}");
        all.reverse();
    }
}

#[tokio::test]
async fn a_linked_account_pays_with_the_points_of_the_other() {
    let shop = Shop::open().await;
    give(&shop, ADA, &[(100, 400)]).await;
    let mut linked = Ledger::empty(member("bob"));
    linked.link.into = Some((member(ADA), LinkId::derive(&["1"])));
    save(&shop, &linked, &[]).await;
    offer(&shop, "mug", &mug(5)).await;
    // The other account knows nothing of it: they are being taken apart.
    assert_eq!(take(&shop, "bob", "mug", KEY).await.status, 503);
    assert_eq!(balances(&shop, ADA).await, [100, 0, 100]);
    let mut main = ledger(&shop, ADA).await;
    main.link.from = vec![member("bob")];
    save(&shop, &main, &[]).await;
    let id = taken(&shop, "bob", "mug", KEY).await;
    shop.settle().await.unwrap();
    assert_eq!(balances(&shop, ADA).await, [0, 0, 0]);
    assert_eq!(problem(&take(&shop, ADA, "mug", &key("mug", 1)).await), "reward-limit");
    assert_eq!(cancel(&shop, "bob", &id).await.status, 200);
    shop.settle().await.unwrap();
    assert_eq!(balances(&shop, ADA).await, [100, 0, 100]);
    is_sound(&shop, ADA).await;
}

/// Calls at once, each after some turns of the others; those that are told to
/// come again do. By status and problem, how many there were.
async fn at_once(shop: &Shop, calls: Vec<Ask>, seed: u64) -> BTreeMap<(u16, String), usize> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let calls = calls.into_iter().map(|ask| {
        let turns = rng.u32(0..100);
        async move {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            let mut reply = shop.reply(&ask).await;
            while reply.status == 503 {
                reply = shop.reply(&ask).await;
            }
            (reply.status, problem(&reply))
        }
    });
    let mut outcomes = BTreeMap::new();
    for outcome in join_all(calls).await {
        *outcomes.entry(outcome).or_default() += 1;
    }
    outcomes
}

#[tokio::test]
async fn five_hundred_at_once_spend_what_an_account_has() {
    for seed in 1..=2 {
        let shop = Shop::empty_with(Options::default()).await;
        give(&shop, ADA, &[(40, 100), (60, 400)]).await;
        offer(&shop, "service", &service()).await;
        let calls = || (0..500).map(|number| taking(ADA, "service", &key("spend", number)));
        // Only so many holds may be at once: the others come again.
        let mut taken = at_once(&shop, calls().collect(), seed).await;
        let first = taken.remove(&(201, String::new())).unwrap();
        assert!(taken.keys().all(|(status, _)| *status == 409), "{taken:?}");
        assert_eq!(balances(&shop, ADA).await[2], 100 - 10 * i64::try_from(first).unwrap());
        shop.settle().await.unwrap();
        let again = at_once(&shop, calls().collect(), seed).await;
        let wanted = [((201, String::new()), 10), ((409, "too-few-points".to_owned()), 490)];
        assert_eq!(again, BTreeMap::from(wanted), "those of before are answered as before");
        shop.settle().await.unwrap();
        assert_eq!(balances(&shop, ADA).await, [0, 0, 0]);
        is_sound(&shop, ADA).await;
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn a_limited_reward_is_never_given_out_twice() {
    const MEMBERS: usize = 100;
    let shop = Shop::empty_with(Options::default()).await;
    for number in 0..MEMBERS {
        give(&shop, &format!("member-{number}"), &[(300, 400)]).await;
    }
    offer(&shop, "mug", &mug(30)).await;
    // Everybody tries twice, and one is all that a member may have.
    let calls = (0..2 * MEMBERS)
        .map(|number| taking(&format!("member-{}", number % MEMBERS), "mug", &key("mug", number)));
    let outcomes = at_once(&shop, calls.collect(), 3).await;
    assert_eq!(outcomes[&(201, String::new())], 30, "{outcomes:?}");
    let refused = outcomes.iter().filter(|((status, _), _)| *status == 409).map(|(_, n)| n);
    assert_eq!(refused.sum::<usize>(), 170, "{outcomes:?}");
    assert_eq!(left(&shop).await["mug"], 0);
    shop.settle().await.unwrap();
    let mut spent = 0;
    for number in 0..MEMBERS {
        let [available, held, _] = balances(&shop, &format!("member-{number}")).await;
        assert!([200, 300].contains(&available) && held == 0);
        spent += 300 - available;
    }
    assert_eq!(spent, 3_000);
    // More units are more, however many were taken before.
    assert_eq!(offer(&shop, "mug", &mug(32)).await["left"], 2);
    assert_eq!(offer(&shop, "mug", &mug(10)).await["left"], 0);
}

#[tokio::test]
async fn a_reward_is_called_off_once_by_whoever_asks() {
    for seed in 1..=3 {
        let shop = Shop::empty_with(Options::default()).await;
        give(&shop, ADA, &[(300, 400)]).await;
        offer(&shop, "mug", &mug(5)).await;
        let id = taken(&shop, ADA, "mug", KEY).await;
        if seed == 2 {
            shop.settle().await.unwrap();
        }
        let cancel = Ask::post(format!("/me/redemptions/{id}/cancellation"), &json!({}));
        let back = operating(&id, "return", &json!({ "restock": true }));
        let calls = (0..20).map(|number| match number % 2 {
            0 => cancel.clone().by_member(ADA),
            _ => back.clone(),
        });
        let outcomes = at_once(&shop, calls.collect(), seed).await;
        assert_eq!(outcomes[&(200, String::new())], 10, "{outcomes:?}");
        shop.settle().await.unwrap();
        assert_eq!(balances(&shop, ADA).await, [300, 0, 300]);
        assert_eq!(left(&shop).await["mug"], 5);
        is_sound(&shop, ADA).await;
    }
}

#[tokio::test]
async fn a_message_of_no_redemption_is_parked() {
    let shop = Shop::open().await;
    let unknown =
        aftercart::messages::RedemptionChanged { redemption: RedemptionId::derive(&["x"]) };
    let sealed = Envelope::seal(Message::RedemptionChanged(unknown), shop.now(), None);
    shop.send(Queue::Points, json!(sealed).to_string());
    shop.settle().await.unwrap();
    assert_eq!(shop.queue(&dead_letters(Queue::Points)).len(), 1);
}
