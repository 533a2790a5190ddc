//! Points that members give to each other, that campaigns give, and that
//! operators give and take.

use aftercart::{
    messages::Queue,
    model::{
        customer::CustomerId,
        points::{Account, Ledger},
        policy::Policy,
        time::Period,
    },
    run::metrics::Metric,
};
use aftercart_infra::world::{Ask, Caller, Options, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Shop, key};

const BOB: &str = "bob";

/// Gifts of 10 to 500 points, a campaign of 1,000 points, and an operator who
/// decides up to 1,000 points alone, 2,000 a day.
pub(crate) fn policy() -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["gifts"] = json!({
        "least": 10, "most": 500, "per_month": 900, "per_day": 3, "accepted_per_month": 600,
        "open": "7d", "kept_for": "30d", "member_for": "1d",
    });
    policy["points"]["campaigns"] = json!([
        {
            "id": "rain", "title": { "en": "Points rain" }, "from": "2026-01-01T00:00:00Z",
            "until": "2036-01-01T00:00:00Z", "pool": 1_000, "draws_per_day": 3,
            "per_member": 100, "draws": [{ "points": 7, "weight": 1 }],
        },
        {
            "id": "gold", "title": { "en": "For gold" }, "from": "2026-01-01T00:00:00Z",
            "until": "2036-01-01T00:00:00Z", "pool": 1_000, "draws_per_day": 1,
            "per_member": 1_000, "tiers": ["gold"],
            "draws": [{ "points": 0, "weight": 1 }, { "points": 900, "weight": 1 }],
        },
    ]);
    policy["points"]["adjustments"] = json!({ "alone_up_to": 1_000, "alone_per_day": 2_000 });
    Policy::parse(&policy.to_string()).unwrap();
    policy
}

/// A shop of that policy.
pub(crate) async fn shop() -> Shop {
    let options = Options { policy: Some(policy().to_string()), ..Options::default() };
    Shop::open_with(options).await
}

pub(crate) fn giving(to: &str, points: i64, key: &str) -> Ask {
    let body = json!({ "to": format!("cus_{to}"), "points": points, "note": "For you" });
    Ask::post("/me/gifts", &body).by_member(ADA).keyed(key)
}

/// The path of a gift of Ada's to Bob.
pub(crate) async fn given(shop: &Shop, points: i64, key: &str) -> String {
    let reply = shop.reply(&giving(BOB, points, key)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    format!("/me/gifts/{}", reply.text("/id"))
}

pub(crate) fn ending(gift: &str, how: &str, member: &str) -> Ask {
    Ask::post(format!("{gift}/{how}"), &json!({})).by_member(member)
}

pub(crate) fn drawing(campaign: &str, member: &str, key: &str) -> Ask {
    let path = format!("/me/campaigns/{campaign}/draws");
    Ask::post(path, &json!({})).by_member(member).keyed(key)
}

pub(crate) fn adjusting(member: &str, points: i64, key: &str) -> Ask {
    let body = json!({ "points": points, "reason": "The parcel was wet." });
    let path = format!("/operator/customers/cus_{member}/points/adjustments");
    Ask::post(path, &body).by(Caller::Operator).keyed(key)
}

/// What an operator of another name than `system` is answered.
pub(crate) async fn operated(shop: &Shop, name: &str, ask: &Ask) -> Reply {
    let (function, mut event) = shop.event_of(ask).unwrap();
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = name.into();
    Reply::of(&shop.invoke(function, &event).await.unwrap())
}

/// Gives a member points, and lets a day pass, so that they may be given on.
pub(crate) async fn grant(shop: &Shop, member: &str, points: i64) {
    let key = format!("grant-for-{member:_<16}");
    let reply = operated(shop, "granter", &adjusting(member, points, &key)).await;
    assert_eq!(reply.text("/state"), "posted", "{}", reply.body);
    shop.clock().advance(Period::of_days(1));
}

async fn ledger(shop: &Shop, member: &str) -> Ledger {
    shop.store().ledger(&CustomerId::member(member).unwrap()).await.unwrap()
}

/// What may be spent of two members' points.
async fn spendable(shop: &Shop) -> (i64, i64) {
    (ledger(shop, ADA).await.spendable(), ledger(shop, BOB).await.spendable())
}

fn refused(reply: &Reply) -> (u16, String) {
    (reply.status, reply.problem())
}

fn conflict(kind: &str) -> (u16, String) {
    (409, kind.to_owned())
}

/// The notifications of a kind.
/// The notifications of a kind.
pub(crate) fn told(shop: &Shop, kind: &str) -> Vec<Value> {
    let queued = shop.queue(Queue::Notifications.name());
    let read = queued.iter().map(|it| serde_json::from_str::<Value>(&it.body).unwrap());
    read.filter(|it| it["type"] == kind).map(|it| it["body"].clone()).collect()
}

#[tokio::test]
async fn a_gift_moves_points_when_it_is_accepted() {
    let shop = shop().await;
    grant(&shop, ADA, 800).await;
    let gift = given(&shop, 300, KEY).await;
    assert_eq!(spendable(&shop).await, (500, 0));
    let again = shop.reply(&giving(BOB, 300, KEY)).await;
    assert_eq!((again.status, again.headers["idempotent-replayed"].as_str()), (201, "true"));
    assert_eq!(refused(&shop.reply(&giving(BOB, 301, KEY)).await).0, 422);
    assert_eq!(refused(&shop.reply(&giving("cid", 300, KEY)).await).0, 422);
    for other in ["cid", ADA] {
        let reply = shop.reply(&ending(&gift, "acceptance", other)).await;
        assert_eq!(reply.status, 404, "{other}");
    }
    // At the same moment, twice.
    let acceptance = ending(&gift, "acceptance", BOB);
    let replies = join_all([shop.reply(&acceptance), shop.reply(&acceptance)]).await;
    for reply in &replies {
        assert_eq!((reply.status, reply.text("/state").as_str()), (200, "accepted"));
        assert!(!reply.body.contains(ADA), "who gave is not told: {}", reply.body);
    }
    assert_eq!(spendable(&shop).await, (500, 300));
    for (member, how) in [(BOB, "refusal"), (ADA, "refusal")] {
        let reply = shop.reply(&ending(&gift, how, member)).await;
        assert_eq!(refused(&reply), conflict("gift-over"), "{member}");
    }
    let (ada, bob) = (ledger(&shop, ADA).await, ledger(&shop, BOB).await);
    assert_eq!(ada.balance(Account::Gifted) + bob.balance(Account::Gifted), 0);
    assert_eq!(bob.lots[0].expires_at, ada.lots[0].expires_at);
    assert_eq!(shop.metrics().counted(Metric::PointsGifted), 300);
    shop.settle().await.unwrap();
    let (offered, ended) = ("notification.gift_offered", "notification.gift_ended");
    assert_eq!(told(&shop, offered)[0]["customer"], "cus_bob");
    assert_eq!(told(&shop, ended)[0]["how"], "accepted");
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_is_refused_taken_back_or_forgotten_is_the_givers_again() {
    let shop = shop().await;
    grant(&shop, ADA, 800).await;
    let paths = [
        given(&shop, 100, &key("gift", 1)).await,
        given(&shop, 100, &key("gift", 2)).await,
        given(&shop, 100, &key("gift", 3)).await,
    ];
    assert_eq!(spendable(&shop).await, (500, 0));
    for (gift, member, state) in [(&paths[0], BOB, "refused"), (&paths[1], ADA, "withdrawn")] {
        for _ in 0..2 {
            let reply = shop.reply(&ending(gift, "refusal", member)).await;
            assert_eq!((reply.status, reply.text("/state").as_str()), (200, state));
        }
        let late = shop.reply(&ending(gift, "acceptance", BOB)).await;
        assert_eq!(refused(&late), conflict("gift-over"));
    }
    assert_eq!(shop.reply(&ending(&paths[2], "refusal", "cid")).await.status, 404);
    assert_eq!(spendable(&shop).await, (700, 0));
    shop.clock().advance(Period::of_days(7));
    let late = shop.reply(&ending(&paths[2], "acceptance", BOB)).await;
    assert_eq!(refused(&late), conflict("gift-over"));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(spendable(&shop).await, (800, 0));
    let states = async |member: &str, query: &str| {
        let page = shop.reply(&Ask::get(format!("/me/gifts{query}")).by_member(member)).await;
        let gifts = page.json()["gifts"].as_array().unwrap().clone();
        let state = |it: &Value| format!("{} {}", it["way"], it["state"]).replace('"', "");
        (gifts.iter().map(state).collect::<Vec<_>>(), page.text("/next_cursor"))
    };
    let of = |way: &str| {
        let mut listed = ["refused", "withdrawn", "lapsed"].map(|state| format!("{way} {state}"));
        listed.sort();
        listed.to_vec()
    };
    for (member, way) in [(ADA, "sent"), (BOB, "received")] {
        let (mut all, _) = states(member, "").await;
        all.sort();
        assert_eq!(all, of(way));
        let (mut pages, cursor) = states(member, "?limit=2").await;
        pages.extend(states(member, &format!("?limit=2&cursor={cursor}")).await.0);
        pages.sort();
        assert_eq!(pages, of(way), "in pages");
    }
    assert_eq!(states("cid", "").await.0, Vec::<String>::new());
    assert_eq!(refused(&shop.reply(&Ask::get("/me/gifts?cursor=x").by_member(ADA)).await).0, 400);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn gifts_of_linked_accounts_are_those_of_the_person() {
    let shop = shop().await;
    grant(&shop, ADA, 800).await;
    let [first, second] =
        [given(&shop, 100, &key("gift", 1)).await, given(&shop, 200, &key("gift", 2)).await];
    // Ada's account and Bob's now flow into others.
    for (flows, into) in [(ADA, "cid"), (BOB, "dan")] {
        let code = shop.reply(&Ask::get("/me/link-code").by_member(flows)).await.text("/code");
        let link = Ask::post("/me/links", &json!({ "code": code })).by_member(into);
        assert_eq!(shop.reply(&link).await.status, 201);
    }
    shop.settle().await.unwrap();
    let again = shop.reply(&giving(BOB, 100, &key("gift", 1))).await;
    assert_eq!((again.status, again.text("/to").as_str()), (201, "cus_bob"), "{}", again.body);
    for member in [ADA, "cid", BOB, "dan"] {
        let page = shop.reply(&Ask::get("/me/gifts?limit=1").by_member(member)).await.json();
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = format!("/me/gifts?limit=1&cursor={cursor}");
        let rest = shop.reply(&Ask::get(rest).by_member(member)).await.json();
        let listed = [&page, &rest].map(|page| format!("/me/gifts/{}", page["gifts"][0]["id"]));
        let mut listed = listed.map(|path| path.replace('"', ""));
        listed.sort();
        let mut expected = [first.clone(), second.clone()];
        expected.sort();
        assert_eq!(listed, expected, "{member}");
    }
    let withdrawn = shop.reply(&ending(&first, "refusal", "cid")).await;
    assert_eq!((withdrawn.status, withdrawn.text("/state").as_str()), (200, "withdrawn"));
    let accepted = shop.reply(&ending(&second, "acceptance", "dan")).await;
    assert_eq!((accepted.status, accepted.text("/state").as_str()), (200, "accepted"));
    assert_eq!(ledger(&shop, "dan").await.spendable(), 200);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn gifts_are_limited() {
    let shop = shop().await;
    let poor = shop.reply(&giving(BOB, 10, KEY)).await;
    assert_eq!(refused(&poor), conflict("gift-limit"), "no ledger yet");
    let reply = operated(&shop, "granter", &adjusting(ADA, 1_000, KEY)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(refused(&shop.reply(&giving(BOB, 10, KEY)).await), conflict("gift-limit"), "fresh");
    shop.clock().advance(Period::of_days(1));
    for (to, points, expected) in [
        (BOB, 9, conflict("gift-limit")),
        (BOB, 501, conflict("gift-limit")),
        (ADA, 10, conflict("gift-own")),
        ("", 10, (400, "invalid-request".to_owned())),
    ] {
        assert_eq!(refused(&shop.reply(&giving(to, points, KEY)).await), expected);
    }
    let guest = json!({ "to": CustomerId::guest("k"), "points": 10 });
    let guest = Ask::post("/me/gifts", &guest).by_member(ADA).keyed(KEY);
    assert_eq!(shop.reply(&guest).await.status, 400);
    assert_eq!(shop.reply(&Ask::post("/me/gifts", &json!({})).by_member(ADA)).await.status, 400);
    assert_eq!(shop.reply(&Ask::get("/me/gifts")).await.status, 401);
    assert_eq!(shop.reply(&ending("/me/gifts/none", "acceptance", BOB)).await.status, 404);
    // Ten at once, of which three a day are made.
    let asks: Vec<Ask> = (0..10).map(|n| giving(BOB, 250, &key("gift", n))).collect();
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    // Whoever lost too often may come again, and is told so.
    assert!((1..=3).contains(&made), "{replies:?}");
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let gifts: Vec<String> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| format!("/me/gifts/{}", reply.text("/id")))
        .collect();
    assert_eq!((gifts.len(), ledger(&shop, ADA).await.held()), (3, 750));
    let accepted = join_all(gifts.iter().map(async |gift| {
        let reply = shop.reply(&ending(gift, "acceptance", BOB)).await;
        (reply.status, reply.status == 409 && reply.problem() == "gift-limit")
    }));
    let accepted = accepted.await;
    assert!(accepted.contains(&(409, true)), "600 a month: {accepted:?}");
    assert_eq!(ledger(&shop, BOB).await.spendable(), 500);
    // What came as a gift is not given on; bob's own would be.
    shop.clock().advance(Period::of_days(2));
    let on = json!({ "to": "cus_cid", "points": 10 });
    let on = Ask::post("/me/gifts", &on).by_member(BOB).keyed(KEY);
    assert_eq!(refused(&shop.reply(&on).await), conflict("gift-limit"));
    shop.clock().advance(Period::of_days(29));
    assert_eq!(shop.reply(&on).await.status, 201);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_shop_without_gifts_or_campaigns_says_so() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    assert_eq!(refused(&shop.reply(&giving(BOB, 10, KEY)).await), conflict("gifts-off"));
    assert_eq!(shop.reply(&drawing("rain", ADA, KEY)).await.status, 404);
}

#[tokio::test]
async fn a_draw_gives_once_and_as_often_as_one_may() {
    let shop = shop().await;
    let first = shop.reply(&drawing("rain", ADA, KEY)).await;
    assert_eq!((first.status, first.json()["points"].as_i64()), (201, Some(7)));
    let again = shop.reply(&drawing("rain", ADA, KEY)).await;
    assert_eq!((&again.body, again.headers["idempotent-replayed"].as_str()), (&first.body, "true"));
    assert_eq!(ledger(&shop, ADA).await.spendable(), 7);
    // Many at once, with keys of their own: two more that day.
    let asks: Vec<Ask> = (0..12).map(|n| drawing("rain", ADA, &key("draw", n))).collect();
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let drawn = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!((drawn, ledger(&shop, ADA).await.spendable()), (2, 21), "{replies:?}");
    assert!(replies.iter().any(|it| it.status == 409 && it.problem() == "draw-limit"));
    shop.clock().advance(Period::of_days(1));
    assert_eq!(shop.reply(&drawing("rain", ADA, &key("next", 1))).await.status, 201);
    let unkeyed = Ask::post("/me/campaigns/rain/draws", &json!({})).by_member(ADA);
    assert_eq!(shop.reply(&unkeyed).await.status, 400);
    let nobody = Ask::post("/me/campaigns/rain/draws", &json!({})).keyed(KEY);
    assert_eq!(shop.reply(&nobody).await.status, 401);
    assert_eq!(shop.reply(&drawing("none", ADA, KEY)).await.status, 404);
    assert_eq!(refused(&shop.reply(&drawing("gold", ADA, KEY)).await), conflict("campaign-tier"));
    assert_eq!(shop.metrics().counted(Metric::PointsDrawn), 28);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_crowd_draws_all_there_is_and_no_more() {
    let shop = shop().await;
    let mut asks = Vec::new();
    for n in 0..200 {
        asks.push(drawing("rain", &format!("member{n}"), KEY));
    }
    let mut replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    // Who was told to come again, comes again.
    for _ in 0..5 {
        let missing = replies.iter().enumerate().filter(|(_, reply)| reply.status == 503);
        let missing: Vec<usize> = missing.map(|(n, _)| n).collect();
        let more = join_all(missing.iter().map(|n| shop.reply(&asks[*n]))).await;
        for (n, reply) in missing.into_iter().zip(more) {
            replies[n] = reply;
        }
    }
    let points = |reply: &Reply| reply.json()["points"].as_i64().unwrap_or(0);
    assert_eq!(replies.iter().map(points).sum::<i64>(), 1_000);
    let closed = replies.iter().filter(|it| refused_as(it, "campaign-closed")).count();
    // 142 draws of 7, and one of the 6 that were left.
    assert_eq!(closed, 57);
    let mut held = 0;
    for n in 0..200 {
        held += ledger(&shop, &format!("member{n}")).await.spendable();
    }
    assert_eq!(held, 1_000);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

fn refused_as(reply: &Reply, kind: &str) -> bool {
    reply.status == 409 && reply.problem() == kind
}

#[tokio::test]
async fn operators_adjust_alone_up_to_a_limit() {
    let shop = shop().await;
    let first = shop.reply(&adjusting(ADA, 1_000, KEY)).await;
    assert_eq!((first.status, first.text("/state").as_str()), (201, "posted"));
    assert_eq!(first.text("/decided_by"), "system");
    let again = shop.reply(&adjusting(ADA, 1_000, KEY)).await;
    assert_eq!((&again.body, again.headers["idempotent-replayed"].as_str()), (&first.body, "true"));
    let other = shop.reply(&adjusting(ADA, 999, KEY)).await;
    assert_eq!(refused(&other), (422, "idempotency-key-reused".to_owned()));
    let taken = shop.reply(&adjusting(ADA, -400, &key("take", 1))).await;
    assert_eq!((taken.status, taken.text("/state").as_str()), (201, "posted"));
    assert_eq!(ledger(&shop, ADA).await.spendable(), 600);
    let more = shop.reply(&adjusting(ADA, -600, &key("take", 2))).await;
    assert_eq!((more.status, more.text("/state").as_str()), (201, "posted"), "2,000 that day");
    let none = operated(&shop, "ann", &adjusting(ADA, -1, &key("take", 3))).await;
    assert_eq!(refused(&none), conflict("too-few-points"));
    assert_eq!(none.json()["spendable"], 0);
    // Small ones are no way around the limit of a day.
    let small = shop.reply(&adjusting(BOB, 1, &key("small", 1))).await;
    assert_eq!((small.status, small.text("/state").as_str()), (201, "waiting"));
    shop.clock().advance(Period::of_days(1));
    let small = shop.reply(&adjusting(BOB, 1, &key("small", 2))).await;
    assert_eq!(small.text("/state"), "posted");
    assert_eq!(shop.metrics().counted(Metric::PointsAdjusted), 2_001);
    for (member, points) in [(ADA, 0), (ADA, 100_000_001), ("", 1)] {
        let status = shop.reply(&adjusting(member, points, KEY)).await.status;
        assert_eq!(status, if member.is_empty() { 404 } else { 400 }, "{member} {points}");
    }
    let unkeyed = Ask::post("/operator/customers/cus_ada/points/adjustments", &json!({}));
    assert_eq!(shop.reply(&unkeyed.clone().by(Caller::Operator)).await.status, 400);
    assert_eq!(shop.reply(&unkeyed.by_member(ADA)).await.status, 403);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn another_operator_agrees_to_more() {
    let shop = shop().await;
    let deciding = |id: &str, what: &str| {
        Ask::post(format!("/operator/points/adjustments/{id}/{what}"), &json!({}))
            .by(Caller::Operator)
    };
    let asked = async |key: &str| {
        let reply = shop.reply(&adjusting(ADA, 5_000, key)).await;
        assert_eq!((reply.status, reply.text("/state").as_str()), (201, "waiting"));
        reply.text("/id")
    };
    let (first, second) = (asked(KEY).await, asked(&key("second", 1)).await);
    let waiting = async || {
        let ask = Ask::get("/operator/points/adjustments").by(Caller::Operator);
        let listed = shop.reply(&ask).await.json()["adjustments"].as_array().unwrap().clone();
        listed.into_iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut both = vec![first.clone(), second.clone()];
    both.sort();
    let mut listed = waiting().await;
    listed.sort();
    assert_eq!(listed, both);
    let own = shop.reply(&deciding(&first, "approval")).await;
    assert_eq!(refused(&own), (403, "own-adjustment".to_owned()));
    assert_eq!(ledger(&shop, ADA).await.spendable(), 0);
    // Two others at the same moment: the points move once.
    let approval = deciding(&first, "approval");
    let replies = join_all(["ann", "bea"].map(|name| operated(&shop, name, &approval))).await;
    assert!(replies.iter().all(|it| it.status == 200 && it.text("/state") == "posted"));
    assert_eq!(replies[0].text("/decided_by"), replies[1].text("/decided_by"));
    assert_eq!(ledger(&shop, ADA).await.spendable(), 5_000);
    let late = operated(&shop, "ann", &deciding(&first, "refusal")).await;
    assert_eq!(refused(&late), conflict("adjustment-decided"));
    // Who asked may take it back.
    let taken_back = shop.reply(&deciding(&second, "refusal")).await;
    assert_eq!((taken_back.status, taken_back.text("/state").as_str()), (200, "refused"));
    assert_eq!(shop.reply(&deciding(&second, "refusal")).await.status, 200);
    let late = operated(&shop, "ann", &deciding(&second, "approval")).await;
    assert_eq!(refused(&late), conflict("adjustment-decided"));
    assert_eq!((waiting().await, ledger(&shop, ADA).await.spendable()), (Vec::new(), 5_000));
    // A repeated wish is answered as the first, whatever came of it.
    let again = shop.reply(&adjusting(ADA, 5_000, KEY)).await;
    assert_eq!((again.status, again.text("/state").as_str()), (201, "waiting"));
    // More is taken than is there: nothing moves, and it waits.
    let reply = shop.reply(&adjusting(ADA, -5_001, &key("take", 1))).await;
    let reply = operated(&shop, "ann", &deciding(&reply.text("/id"), "approval")).await;
    assert_eq!(refused(&reply), conflict("too-few-points"));
    for (id, what) in [("adj_aaaaaaaaaaaaaaaaaaaaaaaaaa", "approval"), ("x", "refusal")] {
        assert_eq!(shop.reply(&deciding(id, what)).await.status, 404);
    }
    assert_eq!(shop.reply(&deciding(&first, "approval").by_member(ADA)).await.status, 403);
    let bad = Ask::get("/operator/points/adjustments?cursor=x").by(Caller::Operator);
    assert_eq!(shop.reply(&bad).await.status, 400);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}
