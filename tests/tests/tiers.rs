//! Tiers, whole functions: reached by buying, used where they are defined, shown
//! with the path, warned of, given by operators, and lost.

use aftercart::{
    messages::{Envelope, Message, Queue, TierChanged},
    model::{
        customer::CustomerId,
        points::{
            Account, Authority, Cause, Entry, Ledger, Lot, Movement, Qualifying, audit::Rebuilt,
        },
        policy::Policy,
        time::{Period, Timestamp},
    },
    store::{Commit, Sends, points},
};
use aftercart_infra::world::{Ask, Caller, Reply};
use serde_json::{Value, json};

use crate::{
    shop::{ADA, KEY, Placed, Shop, key, order},
    stock::set_policy,
};

const NUMBER: &str = "AB-1234";

/// The default policy with silver for 20 points and gold for 50 in a quarter.
pub(crate) fn levels() -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    let level = |id: &str, title: (&str, &str), points: i64, benefits: &Value| {
        let title = json!({ "en": title.0, "zh": title.1 });
        json!({ "id": id, "title": title, "reach": [{ "points": points }], "benefits": benefits })
    };
    let silver = json!({ "return_days": 16, "service_line": "+44 20 7946 0000" });
    // What is told is told at once, also at night.
    policy["contact"]["quiet"] = Value::Null;
    policy["points"]["tiers"] = json!({
        "levels": [
            level("silver", ("Silver", "银卡"), 20, &silver),
            level("gold", ("Gold", "金卡"), 50, &json!({})),
        ],
        "period": { "months": 3 },
        "rescue": { "days": 30, "from_share": 0, "extra": 10_000 },
    });
    policy
}

fn ada() -> CustomerId {
    CustomerId::member(ADA).unwrap()
}

/// Ada bought two teas, 25 points, and kept them.
pub(crate) async fn kept(shop: &Shop, key: &str, number: &str) -> Placed {
    let placed = shop.place(ADA, "TEA", 2, key).await;
    shop.deliver(&placed, number).await;
    shop.clock().advance(Period::of_days(14));
    shop.run_schedule("points-settle").await.unwrap();
    placed
}

async fn asked(shop: &Shop, ask: Ask) -> Value {
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

async fn membership(shop: &Shop, lang: &str) -> Value {
    asked(shop, Ask::get(format!("/me/membership?lang={lang}")).by_member(ADA)).await
}

/// The tier in the record by which prices, delivery and sales go.
async fn recorded(shop: &Shop) -> Option<String> {
    let file = asked(shop, Ask::get("/customers/cus_ada").by(Caller::Operator)).await;
    file["customer"]["tier"].as_str().map(str::to_owned)
}

pub(crate) fn granting(body: &Value) -> Ask {
    Ask::post("/operator/customers/cus_ada/tier", body).by(Caller::Operator)
}

async fn grant(shop: &Shop, body: &Value) -> Value {
    asked(shop, granting(body)).await
}

/// Lets the sweep run at a moment, and what follows be seen to.
async fn settled_at(shop: &Shop, moment: &str) {
    shop.clock().advance_to(Timestamp::parse(moment).unwrap());
    shop.run_schedule("points-settle").await.unwrap();
    shop.settle().await.unwrap();
}

/// What members are told of points and tiers, in its order.
fn told(shop: &Shop) -> Vec<String> {
    let news = |body: &str| match Envelope::parse(body).unwrap().message {
        Message::PointsExpiring(it) => {
            Some(format!("{} points end in {} days", it.points, it.days))
        }
        Message::TierNews(it) => {
            let name = |tier: Option<_>| tier.map_or("none".to_owned(), String::from);
            Some(format!("{} to {}", name(it.before), name(it.tier)))
        }
        Message::TierWarning(it) => Some(format!("{} ends in {} days", it.tier.as_str(), it.days)),
        _ => None,
    };
    let all = shop.queue(Queue::Notifications.name());
    all.iter().filter_map(|message| news(&message.body)).collect()
}

#[tokio::test]
async fn a_tier_is_reached_by_buying_and_used_wherever_it_is_named() {
    let shop = Shop::open().await;
    let mut policy = levels();
    let methods = policy["delivery"]["methods"].as_array_mut().unwrap();
    let mut express = methods[0].clone();
    (express["id"], express["only"]) = (json!("express"), json!({ "tiers": ["silver"] }));
    methods.push(express);
    set_policy(&shop, &policy).await;
    let pot = json!({
        "title": "Pot", "price": { "amount": 6_400, "currency": "GBP" },
        "access": { "tiers": ["silver", "gold"] },
    });
    asked(&shop, Ask::put("/products/POT", &pot).by(Caller::Operator)).await;
    let pots = Ask::post("/products/POT/receipts", &json!({ "quantity": 5 }));
    assert_eq!(shop.reply(&pots.by(Caller::Operator).keyed(KEY)).await.status, 201);
    let place = |sku: &str, delivery: &str, number| {
        let mut body = order(&[(sku, 1)]);
        body["delivery"] = json!({ "method": delivery });
        Ask::post("/orders", &body).by_member(ADA).keyed(&key("order", number))
    };
    let refused = async |sku: &str, delivery: &str, number| {
        shop.reply(&place(sku, delivery, number)).await.problem()
    };
    assert_eq!(refused("POT", "standard", 1).await, "not-for-sale");
    assert_eq!(refused("TEA", "express", 2).await, "delivery-not-offered");
    kept(&shop, KEY, NUMBER).await;
    assert_eq!(recorded(&shop).await, None, "the message is on its way");
    shop.settle().await.unwrap();
    assert_eq!(recorded(&shop).await.as_deref(), Some("silver"));
    assert_eq!(told(&shop), ["none to silver"]);
    let reply = shop.reply(&place("POT", "express", 3)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    // Silver may return goods for 16 days more, so points mature later.
    let second = shop.place(ADA, "TEA", 2, &key("order", 4)).await;
    shop.deliver(&second, "AB-5678").await;
    for (days, available) in [(29, 25), (1, 50)] {
        shop.clock().advance(Period::of_days(days));
        shop.run_schedule("points-settle").await.unwrap();
        assert_eq!(
            shop.store().ledger(&ada()).await.unwrap().balance(Account::Available),
            available
        );
    }
    shop.settle().await.unwrap();
    assert_eq!(recorded(&shop).await.as_deref(), Some("gold"));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn the_path_is_shown_from_the_first_day_in_both_languages() {
    let shop = Shop::open().await;
    let none = membership(&shop, "en").await;
    for name in ["tier", "period", "keep", "next", "rescue"] {
        assert_eq!(none.get(name), None, "without levels there is no {name}");
    }
    assert_eq!(none["levels"], json!([]));
    let mut policy = levels();
    policy["points"]["earning"] = json!({
        "actions": [
            { "id": "review", "title": { "en": "Write a review" }, "action": "review", "points": 5, "counts": "feedback" },
            { "id": "secret", "title": { "en": "Of gold" }, "action": "share", "points": 5, "tiers": ["gold"] },
            { "id": "uncounted", "title": { "en": "Not counted" }, "action": "share", "points": 5, "counts": "nothing" },
        ],
        "milestones": [
            { "id": "second", "title": { "en": "Second order" }, "reach": { "orders": 2 }, "points": 10 },
        ],
    });
    set_policy(&shop, &policy).await;
    let first = membership(&shop, "en").await;
    assert_eq!(first.get("tier"), None);
    assert_eq!(first["next"]["ways"][0]["steps"][0]["missing"], 20);
    kept(&shop, KEY, NUMBER).await;
    let seen = membership(&shop, "en").await;
    let zh = membership(&shop, "zh").await;
    assert_eq!((&seen["tier"]["title"], &zh["tier"]["title"]), (&json!("Silver"), &json!("银卡")));
    assert_eq!(seen["tier"]["service_line"], "+44 20 7946 0000");
    assert_eq!(seen["levels"][0].get("service_line"), None, "it is for members of the tier");
    let benefits = json!(["16 days more to return goods"]);
    assert_eq!(seen["tier"]["benefits"], benefits);
    assert_eq!(seen["done"]["points"], 25);
    assert_eq!(seen["done"]["spend"], json!({ "GBP": 2_500 }));
    let until = seen["period"]["until"].as_str().unwrap();
    assert_eq!(seen["next"]["until"], until);
    let words = seen["next"]["words"].as_str().unwrap();
    assert!(words.starts_with("25 more points by "), "{words}");
    let words = zh["next"]["words"].as_str().unwrap();
    assert!(words.ends_with("前再获得 25 积分"), "{words}");
    assert_eq!((&seen["keep"]["done"], seen["keep"].get("words")), (&json!(true), None));
    let tasks: Vec<_> = seen["tasks"].as_array().unwrap().iter().map(|it| &it["rule"]).collect();
    assert_eq!(tasks, ["review"]);
    assert_eq!(seen["milestones"][0]["way"]["share"], 5_000);
    // Nobody looked for a year: what is shown holds now all the same.
    shop.clock().advance(Period::of_days(365));
    let later = membership(&shop, "en").await;
    assert_eq!((later.get("tier"), &later["done"]["points"]), (None, &json!(0)));
    assert_ne!(later["period"]["until"], until);
    let refused = shop.reply(&Ask::get("/me/membership?tier=gold").by_member(ADA)).await;
    assert_eq!((refused.status, refused.problem()), (400, "invalid-request".to_owned()));
    assert_eq!(shop.reply(&Ask::get("/me/membership")).await.status, 401);
}

#[tokio::test]
async fn who_would_fall_is_warned_helped_and_told() {
    let shop = Shop::open().await;
    set_policy(&shop, &levels()).await;
    kept(&shop, KEY, NUMBER).await;
    let ledger = shop.store().ledger(&ada()).await.unwrap();
    let first = ledger.standing.period_until.unwrap();
    let until = first.end_of_month_after(2, &aftercart::model::time::Zone::utc()).unwrap();
    shop.settle().await.unwrap();
    let morning = |days: u16| {
        let day = until.minus(Period::of_days(days)).to_string();
        format!("{}T09:00:00Z", &day[..10])
    };
    settled_at(&shop, &first.to_string()).await;
    for days in [60, 30, 7] {
        settled_at(&shop, &morning(days)).await;
        settled_at(&shop, &morning(days)).await;
    }
    let rescue = membership(&shop, "en").await["rescue"].clone();
    assert_eq!(rescue["extra"], 10_000);
    assert!(rescue["words"].as_str().unwrap().starts_with("Your purchases count 100% more until "));
    settled_at(&shop, &until.to_string()).await;
    assert_eq!(
        told(&shop),
        [
            "none to silver",
            "silver ends in 60 days",
            "silver ends in 30 days",
            "silver ends in 7 days",
            "silver to none",
        ]
    );
    assert_eq!((recorded(&shop).await, membership(&shop, "en").await.get("rescue")), (None, None));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_operator_gives_a_tier_for_some_time() {
    let shop = Shop::open().await;
    let gold = json!({ "tier": "gold", "until": "2026-12-24" });
    let invalid = async |body: &Value| {
        let reply = shop.reply(&granting(body)).await;
        (reply.status, reply.json()["field"].as_str().map(str::to_owned))
    };
    let at = |field: &str| (400, Some(field.to_owned()));
    assert_eq!(invalid(&gold).await, at("tier"), "the policy has no levels");
    set_policy(&shop, &levels()).await;
    for (body, field) in [
        (json!({ "tier": "bronze", "until": "2026-12-24" }), "tier"),
        (json!({ "until": "2026-12-24" }), "tier"),
        (json!({ "tier": "gold" }), "until"),
        (json!({ "tier": "gold", "until": "2026-01-01" }), "until"),
        (json!({ "tier": "gold", "until": "2031-01-01" }), "until"),
        (json!({ "tier": "gold", "until": "soon" }), "until"),
        (json!({ "tier": "gold", "until": "2026-12-24", "for": "fun" }), "for"),
    ] {
        assert_eq!(invalid(&body).await, at(field), "{body}");
    }
    let guest = Ask::post("/operator/customers/gst_x/tier", &gold).by(Caller::Operator);
    assert_eq!(shop.reply(&guest).await.status, 404);
    let member = Ask::post("/operator/customers/cus_ada/tier", &gold).by_member(ADA);
    assert_eq!(shop.reply(&member).await.status, 403);
    assert_eq!(grant(&shop, &json!({})).await, json!({ "id": "cus_ada" }), "nothing to take back");
    let given = grant(&shop, &gold).await;
    assert_eq!(given["granted_until"], "2026-12-24");
    assert_eq!((&given["tier"], given.get("earned")), (&json!("gold"), None));
    let version = shop.store().ledger(&ada()).await.unwrap().version;
    assert_eq!(grant(&shop, &gold).await, given);
    assert_eq!(shop.store().ledger(&ada()).await.unwrap().version, version, "the same again");
    shop.settle().await.unwrap();
    assert_eq!(recorded(&shop).await.as_deref(), Some("gold"));
    assert_eq!(membership(&shop, "en").await["granted_until"], "2026-12-24");
    // News of one member at one moment is one.
    shop.clock().advance(Period::of_seconds(1));
    assert_eq!(grant(&shop, &json!({})).await.get("tier"), None);
    shop.clock().advance(Period::of_seconds(1));
    grant(&shop, &gold).await;
    settled_at(&shop, "2026-12-24T23:59:59Z").await;
    assert_eq!(recorded(&shop).await.as_deref(), Some("gold"));
    settled_at(&shop, "2026-12-25T00:00:00Z").await;
    assert_eq!(recorded(&shop).await, None);
    let back = ["none to gold", "gold to none"];
    assert_eq!(told(&shop), [back, back].concat());
}

#[tokio::test]
async fn a_tier_is_not_set_by_hand_where_it_is_earned() {
    let shop = Shop::open().await;
    let put = async |body: &Value| -> Reply {
        shop.reply(&Ask::put("/customers/cus_ada", body).by(Caller::Operator)).await
    };
    assert_eq!(put(&json!({ "tier": "vip" })).await.status, 200);
    set_policy(&shop, &levels()).await;
    let refused = put(&json!({ "tier": "gold", "segments": ["tea"] })).await;
    assert_eq!((refused.status, refused.problem()), (409, "tier-earned".to_owned()));
    assert_eq!(put(&json!({ "segments": ["tea"] })).await.status, 200);
    assert_eq!(recorded(&shop).await.as_deref(), Some("vip"), "it is left alone");
    let given = json!({ "tier": "gold", "until": "2026-12-24" });
    grant(&shop, &given).await;
    shop.settle().await.unwrap();
    assert_eq!(recorded(&shop).await.as_deref(), Some("gold"));
}

#[tokio::test]
async fn the_record_follows_the_ledger_whatever_order_messages_come_in() {
    let shop = Shop::open().await;
    set_policy(&shop, &levels()).await;
    let changed = |customer: &CustomerId| {
        let message = Message::TierChanged(TierChanged { customer: customer.clone() });
        json!(Envelope::seal(message, shop.now(), None)).to_string()
    };
    // Of somebody who has no ledger, nothing follows.
    shop.send(Queue::Points, changed(&CustomerId::member("nobody").unwrap()));
    shop.consume(Queue::Points).await.unwrap();
    let tiers =
        ["silver", "gold", "silver"].map(|tier| json!({ "tier": tier, "until": "2026-12-24" }));
    for tier in &tiers {
        grant(&shop, tier).await;
    }
    shop.relay().await.unwrap();
    for _ in 0..3 {
        shop.send(Queue::Points, changed(&ada()));
    }
    shop.settle().await.unwrap();
    assert_eq!(recorded(&shop).await.as_deref(), Some("silver"));
    // A linked account goes by the tier of the one into which it flows.
    let store = CustomerId::member("store").unwrap();
    let mut main = shop.store().ledger(&ada()).await.unwrap();
    main.link.from = vec![store.clone()];
    let mut other = Ledger::empty(store.clone());
    other.link.into = Some((ada(), aftercart::model::id::LinkId::derive(&["1"])));
    let saved = [&main, &other].map(|ledger| points::save(ledger, None, &Sends::none()));
    shop.store().commit(saved.into_iter().collect::<Commit>()).await.unwrap();
    for of in [ada(), store] {
        shop.send(Queue::Points, changed(&of));
        shop.settle().await.unwrap();
        let file = asked(&shop, Ask::get("/customers/cus_store").by(Caller::Operator)).await;
        assert_eq!(file["customer"]["tier"], "silver");
    }
    let seen = asked(&shop, Ask::get("/me/membership").by_member("store")).await;
    assert_eq!(seen["tier"]["id"], "silver");
}

/// Gives Ada lots that end then, and what she did last.
async fn given(shop: &Shop, lots: &[(i64, &str)], active_at: Timestamp) {
    let mut ledger = Ledger::empty(ada());
    let mut entries = Vec::new();
    for (number, (points, end)) in lots.iter().enumerate() {
        let granted_at = active_at.minus(Period::of_days(1));
        let movement = Movement {
            id: ledger.entry_id("given", &number.to_string(), ""),
            at: granted_at,
            cause: Cause::Milestone("given".to_owned().try_into().unwrap()),
            authority: Authority { rule: "test", policy: "1" },
        };
        let lot = Lot::new(*points, granted_at, Timestamp::parse(end).unwrap());
        entries.push(ledger.credit(movement, Account::Issued, vec![lot]).unwrap());
    }
    ledger.standing.active_at = Some(active_at);
    ledger.standing.lifetime = Qualifying { orders: 1, ..Qualifying::default() };
    let saved = points::save(&ledger, Some(shop.now()), &Sends::none());
    let commit: Commit = entries.iter().map(points::post).chain([saved]).collect();
    shop.store().commit(commit).await.unwrap();
}

#[tokio::test]
async fn ends_are_told_before_and_put_off_by_what_a_member_does() {
    let shop = Shop::open().await;
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["expiry"]["grace"] = json!("3d");
    policy["points"]["expiry"]["extension"] =
        json!({ "ending_within_days": 40, "months": 2, "most_months": 12 });
    set_policy(&shop, &policy).await;
    let lots = [(10, "2027-06-01T00:00:00Z"), (5, "2027-09-01T00:00:00Z")];
    given(&shop, &lots, shop.now()).await;
    for morning in ["2027-05-02T08:59:59Z", "2027-05-02T09:00:00Z", "2027-05-25T09:00:00Z"] {
        settled_at(&shop, morning).await;
        settled_at(&shop, morning).await;
    }
    assert_eq!(told(&shop), ["10 points end in 30 days", "10 points end in 7 days"]);
    // The last day, and the grace, of which nobody was told.
    settled_at(&shop, "2027-06-03T23:59:59Z").await;
    let spendable = async || shop.store().ledger(&ada()).await.unwrap().spendable();
    assert_eq!(spendable().await, 15);
    settled_at(&shop, "2027-06-04T00:00:00Z").await;
    assert_eq!(spendable().await, 5);
    // Ada buys: the other lot, which ends soon by now, lasts two months longer.
    shop.clock().advance_to(Timestamp::parse("2027-08-20T12:00:00Z").unwrap());
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    shop.settle().await.unwrap();
    shop.run_schedule("points-settle").await.unwrap();
    let ledger = shop.store().ledger(&ada()).await.unwrap();
    assert_eq!(ledger.lots[0].expires_at.to_string(), "2027-11-01T00:00:00.000Z");
    let mut rebuilt = Rebuilt::default();
    let entries = shop.store().entries_of(&ada(), None, 20).await.unwrap().items;
    let of = |cause: fn(&Entry) -> bool| entries.iter().filter(|(entry, _)| cause(entry)).count();
    assert_eq!(of(|entry| matches!(entry.cause, Cause::Extended(_))), 1);
    assert_eq!(of(|entry| matches!(entry.cause, Cause::LotExpired(_))), 1);
    entries.iter().for_each(|(entry, _)| rebuilt.add(entry).unwrap());
    assert_eq!(rebuilt.differences(&ledger), []);
}
