//! What members earn: purchases by rules, check-ins, other deeds, and what a
//! cart would earn.

use aftercart::{
    messages::{ActionDone, Envelope, Message, Queue},
    model::{
        customer::CustomerId,
        id::LinkId,
        points::{Account, Cause, Entry, Judged, Ledger, Link},
        policy::Policy,
        programme::earning::ActionKind,
        text::Text,
        time::{Period, Zone},
    },
    store::{Commit, Sends, points},
};
use aftercart_infra::world::{Ask, Caller, Options, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Shop, key, order};

/// A policy with rules of every kind.
pub(crate) fn policy() -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    let title = |en: &str| json!({ "en": en });
    policy["tax"] = json!({
        "prices_include_tax": true, "shipping": "exempt",
        "rules": [{ "title": "VAT", "countries": ["GB"], "rate": "25" }],
    });
    policy["points"]["tiers"] = json!({ "levels": [{
        "id": "gold", "title": title("Gold"), "reach": [{ "points": 10_000 }],
        "benefits": { "extra": 5_000 },
    }] });
    policy["points"]["earning"] = json!({
        "rates": [{
            "id": "tea", "title": title("Tea counts three times"),
            "lines": { "categories": ["tea"] }, "points": 3, "per_minor": 100,
        }],
        "multipliers": [
            { "id": "kiln", "title": title("Kiln"), "extra": 10_000, "lines": { "brands": ["Kiln"] } },
            { "id": "birthday", "title": title("Birthday"), "extra": 10_000, "when": { "birthday_month": true } },
        ],
        "caps": { "order": 150 },
        "actions": [
            { "id": "check-in", "title": title("Check-in"), "action": "check_in", "points": 1,
              "per_month": 20, "streak": { "3": 5 } },
            { "id": "review", "title": title("Review"), "action": "review", "points": 20, "per_day": 1,
              "counts": "feedback" },
            { "id": "first", "title": title("First review"), "action": "review", "points": 100, "once": true },
            { "id": "survey", "title": title("Survey"), "action": "survey_answer", "points": 15 },
        ],
    });
    Policy::parse(&policy.to_string()).unwrap();
    policy
}

/// A shop of that policy, whose tea is of a category and whose cup of a brand.
async fn shop() -> Shop {
    let options = Options { policy: Some(policy().to_string()), ..Options::default() };
    let shop = Shop::open_with(options).await;
    for (sku, price, facts) in
        [("TEA", 1250, json!({ "category": "tea" })), ("CUP", 800, json!({ "brand": "Kiln" }))]
    {
        let price = json!({ "amount": price, "currency": "GBP" });
        let product = json!({ "title": sku, "price": price, "facts": facts });
        let ask = Ask::put(format!("/products/{sku}"), &product).by(Caller::Operator);
        let reply = shop.reply(&ask).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    shop
}

fn member(name: &str) -> CustomerId {
    CustomerId::member(name).unwrap()
}

pub(crate) fn check_in(name: &str) -> Ask {
    Ask::post("/me/check-ins", &json!({})).by_member(name)
}

pub(crate) fn reporting(body: &Value) -> Ask {
    Ask::post("/operator/points/actions", body).by(Caller::Operator)
}

fn review(reference: &str) -> Ask {
    reporting(&json!({ "customer": "cus_ada", "action": "review", "reference": reference }))
}

pub(crate) fn estimating(body: &Value) -> Ask {
    Ask::post("/points/estimate", body)
}

/// Ada's survey about a delivered order is answered.
pub(crate) async fn answered(shop: &Shop) {
    let placed = shop.place(ADA, "TEA", 1, &key("order", 0)).await;
    shop.deliver(&placed, "AB-0001").await;
    shop.clock().advance(Period::of_days(4));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    let reply =
        shop.reply(&Ask::post(shop.survey_path(), &json!({ "answers": { "recommend": 9 } }))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.relay().await.unwrap();
}

async fn ledger(shop: &Shop, name: &str) -> Ledger {
    shop.store().ledger(&member(name)).await.unwrap()
}

/// The entries of a member, latest first.
async fn entries(shop: &Shop, name: &str) -> Vec<Entry> {
    let page = shop.store().entries_of(&member(name), None, 50).await.unwrap();
    page.items.into_iter().map(|(entry, _)| entry).collect()
}

/// Rule, points and reason of every rule that an answer tells of.
fn rules(reply: &Reply) -> Vec<(String, i64, Option<String>)> {
    let rule = |it: &Value| {
        let why = it.get("why").map(|why| why.as_str().unwrap().to_owned());
        assert_eq!(why.is_some(), it.get("words").is_some(), "{it}");
        (it["rule"].as_str().unwrap().to_owned(), it["points"].as_i64().unwrap(), why)
    };
    reply.json()["rules"].as_array().unwrap().iter().map(rule).collect()
}

fn told(rules: &[(&str, i64, Option<&str>)]) -> Vec<(String, i64, Option<String>)> {
    let one = |(rule, points, why): &(&str, i64, Option<&str>)| {
        ((*rule).to_owned(), *points, why.map(str::to_owned))
    };
    rules.iter().map(one).collect()
}

#[tokio::test]
async fn an_order_earns_what_was_estimated() {
    let shop = shop().await;
    let today = shop.now().date_in(&Zone::utc()).to_string();
    let record = json!({ "birthday": &today[5..] });
    let put = Ask::put("/customers/cus_ada", &record).by(Caller::Operator);
    assert_eq!(shop.reply(&put).await.status, 200);
    let cart = json!({
        "lines": [{ "sku": "TEA", "quantity": 2 }, { "sku": "CUP", "quantity": 1 }], "country": "GB",
    });
    let stranger = shop.reply(&Ask::post("/guest/points/estimate", &cart)).await;
    // Of 25.00 and 8.00 there are 20.00 and 6.40 without tax.
    let (base, tea, kiln) = (("base", 6, None), ("tea", 60, None), ("kiln", 6, None));
    let none = ("birthday", 0, Some("no_birthday"));
    assert_eq!(rules(&stranger), told(&[base, tea, kiln, none]));
    let own = shop.reply(&estimating(&cart).by_member(ADA)).await;
    assert_eq!(rules(&own), told(&[base, tea, kiln, ("birthday", 66, None)]));
    assert_eq!(own.json()["points"], 138);
    assert_eq!(own.json()["lines"][0]["points"], 120);
    let body = order(&[("TEA", 2), ("CUP", 1)]);
    let ask = Ask::post("/orders", &body).by_member(ADA).keyed(KEY);
    let placed = shop.placed(ask, Some(ADA)).await;
    shop.pay(&placed).await;
    shop.settle().await.unwrap();
    let entry = entries(&shop, ADA).await.remove(0);
    let gave: Vec<_> = own.json()["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["points"].as_i64().unwrap())
        .collect();
    assert_eq!(entry.gave.iter().map(|(_, points)| *points).collect::<Vec<_>>(), gave);
    assert_eq!(
        (entry.lines.as_slice(), Entry::into(&entry, Account::Pending)),
        (&[120, 18][..], 138)
    );
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_estimate_knows_caps_and_refuses_what_has_no_price() {
    let shop = shop().await;
    let ask = |body: &Value| Ask::post("/guest/points/estimate", body);
    let cart = json!({ "lines": [{ "sku": "TEA", "quantity": 10 }], "channel": "app" });
    let capped = shop.reply(&ask(&cart).with("accept-language", "zh")).await;
    assert_eq!(capped.json()["points"], 150);
    assert_eq!(rules(&capped).last(), told(&[("cap", -225, Some("capped"))]).last());
    assert_eq!(capped.json()["rules"][4]["words"], "已达到订单或周期的积分上限。");
    let tea = json!({ "sku": "TEA", "quantity": 1 });
    let many: Vec<Value> =
        (0..51).map(|n| json!({ "sku": format!("S{n}"), "quantity": 1 })).collect();
    for (body, field) in [
        (json!({}), "body"),
        (json!({ "lines": [] }), "lines"),
        (json!({ "lines": many }), "lines"),
        (json!({ "lines": [tea, tea] }), "lines"),
        (json!({ "lines": [tea, { "sku": "NONE", "quantity": 1 }] }), "lines[1].sku"),
        (json!({ "lines": [{ "sku": "TEA", "quantity": 0 }] }), "lines"),
        (json!({ "lines": [{ "sku": "TEA", "quantity": 1_000 }] }), "lines"),
        (json!({ "lines": [tea], "country": "England" }), "country"),
        (json!({ "lines": [tea], "points": 5 }), "points"),
    ] {
        let reply = shop.reply(&ask(&body)).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{body}");
    }
    assert_eq!(shop.reply(&estimating(&cart)).await.status, 401);
}

#[tokio::test]
async fn a_member_checks_in_once_a_day_however_often() {
    let shop = shop().await;
    let replies = join_all((0..8).map(|_| async { shop.reply(&check_in(ADA)).await })).await;
    for reply in &replies {
        assert!([201, 503].contains(&reply.status), "{}", reply.body);
    }
    let first = replies.iter().filter(|it| !it.headers.contains_key("idempotent-replayed"));
    assert_eq!(first.filter(|it| it.status == 201).count(), 1);
    assert_eq!(ledger(&shop, ADA).await.balance(Account::Available), 1);
    let mut seen = Vec::new();
    for day in 1..5 {
        shop.clock().advance(Period::of_days(1));
        let reply = shop.reply(&check_in(ADA)).await;
        seen.push((reply.json()["streak"].as_i64(), reply.json()["points"].as_i64()));
        let again = shop.reply(&check_in(ADA)).await;
        assert_eq!((again.status, &again.body), (201, &reply.body), "{day}");
        assert_eq!(again.headers["idempotent-replayed"], "true");
    }
    let day = |day, points| (Some(day), Some(points));
    assert_eq!(seen, [day(2, 1), day(3, 6), day(1, 1), day(2, 1)]);
    assert_eq!(ledger(&shop, ADA).await.balance(Account::Available), 10);
    assert_eq!(shop.reply(&Ask::post("/me/check-ins", &json!({}))).await.status, 401);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_deed_is_judged_once_and_each_rule_by_itself() {
    let shop = shop().await;
    let first = shop.reply(&review("r-1")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(rules(&first), told(&[("review", 20, None), ("first", 100, None)]));
    let full = shop.reply(&review("r-2")).await;
    let none = [("review", 0, Some("day_limit")), ("first", 0, Some("once"))];
    assert_eq!(rules(&full), told(&none));
    shop.clock().advance(Period::of_days(1));
    for (reference, before) in [("r-1", &first), ("r-2", &full)] {
        let again = shop.reply(&review(reference)).await;
        assert_eq!((again.status, &again.body), (201, &before.body));
        assert_eq!(again.headers["idempotent-replayed"], "true");
    }
    let next = shop.reply(&review("r-3").with("accept-language", "zh")).await;
    assert_eq!(rules(&next), told(&[("review", 20, None), none[1]]));
    assert_eq!(next.json()["rules"][1]["words"], "仅限一次，您已获得。");
    let ledger = ledger(&shop, ADA).await;
    assert_eq!(ledger.balance(Account::Available), 140);
    assert_eq!((ledger.standing.lifetime.feedback, ledger.standing.lifetime.points), (2, 140));
    let entries = entries(&shop, ADA).await;
    let Cause::Action { rule, reference } = &entries[0].cause else { panic!("{entries:?}") };
    assert_eq!((rule.as_str(), reference.as_str(), entries.len()), ("review", "r-3", 2));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_is_no_deed_is_refused_and_named() {
    let shop = shop().await;
    let tomorrow = shop.now().plus(Period::of_days(1));
    for (changed, field) in [
        (json!({ "customer": "gst_aaaaaaaaaaaaaaaaaaaaaaaaaa" }), "customer"),
        (json!({ "customer": "ada" }), "customer"),
        (json!({ "action": "check_in" }), "action"),
        (json!({ "action": "dance" }), "action"),
        (json!({ "action": "share" }), "action"),
        (json!({ "reference": "" }), "reference"),
        (json!({ "reference": "x".repeat(81) }), "reference"),
        (json!({ "at": tomorrow }), "at"),
        (json!({ "points": 7 }), "points"),
    ] {
        let mut body = json!({ "customer": "cus_ada", "action": "review", "reference": "r" });
        body.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let reply = shop.reply(&reporting(&body)).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{changed}");
    }
    let body = json!({ "customer": "cus_ada", "action": "review", "reference": "r" });
    let path = "/operator/points/actions";
    assert_eq!(shop.reply(&Ask::post(path, &body)).await.status, 401);
    assert_eq!(shop.reply(&Ask::post(path, &body).by_member(ADA)).await.status, 403);
    assert_eq!(entries(&shop, ADA).await, []);
    let plain = Shop::open().await;
    let reply = plain.reply(&check_in(ADA)).await;
    assert_eq!((reply.status, reply.problem().as_str()), (404, "not-found"));
}

#[tokio::test]
async fn two_accounts_of_one_person_do_a_deed_once() {
    let shop = shop().await;
    let (mut main, mut other) = (Ledger::empty(member(ADA)), Ledger::empty(member("store")));
    main.link.from = vec![member("store")];
    other.link = Link { into: Some((member(ADA), LinkId::derive(&["1"]))), from: Vec::new() };
    let saved = [&main, &other].map(|ledger| points::save(ledger, None, &Sends::none()));
    shop.store().commit(saved.into_iter().collect::<Commit>()).await.unwrap();
    let first = shop.reply(&check_in("store")).await;
    let second = shop.reply(&check_in(ADA)).await;
    assert_eq!((first.status, &second.body), (201, &first.body));
    assert_eq!(ledger(&shop, ADA).await.balance(Account::Available), 1);
    assert_eq!(entries(&shop, "store").await, []);
}

#[tokio::test]
async fn a_deed_is_the_same_before_accounts_are_linked_and_after() {
    let shop = shop().await;
    let linked = async |is: bool| {
        let (mut main, mut other) = (ledger(&shop, ADA).await, ledger(&shop, "store").await);
        main.link.from = is.then(|| member("store")).into_iter().collect();
        other.link.into = is.then(|| (member(ADA), LinkId::derive(&["1"])));
        let saved = [&main, &other].map(|ledger| points::save(ledger, None, &Sends::none()));
        shop.store().commit(saved.into_iter().collect::<Commit>()).await.unwrap();
    };
    let review = async |customer: &str, reference: &str| {
        let body = json!({ "customer": customer, "action": "review", "reference": reference });
        shop.reply(&reporting(&body)).await
    };
    let both = async || {
        let (main, other) = (ledger(&shop, ADA).await, ledger(&shop, "store").await);
        [main, other].map(|it| it.balance(Account::Available))
    };
    let alone = review("cus_store", "alone").await;
    assert_eq!((alone.status, both().await), (201, [0, 120]), "a review, and the first");
    linked(true).await;
    assert_eq!(review("cus_store", "alone").await.body, alone.body);
    let together = review("cus_store", "together").await;
    assert_eq!((together.status, both().await), (201, [20, 120]), "the first was given");
    linked(false).await;
    for reference in ["alone", "together"] {
        let again = review("cus_store", reference).await;
        assert_eq!((again.status, both().await), (201, [20, 120]), "{reference}");
    }
    assert_eq!(review("cus_ada", "together").await.body, together.body, "one deed of a person");
    let ids = |entries: Vec<Entry>| entries.into_iter().map(|it| it.id).collect::<Vec<_>>();
    let [of_main, of_other] = [ADA, "store"].map(|name| entries(&shop, name));
    let (of_main, of_other) = (ids(of_main.await), ids(of_other.await));
    assert_eq!((of_main.len(), of_other.len()), (1, 1));
    let reference = Text::new("together").unwrap();
    assert_eq!(of_main, [Judged::id(&member("store"), ActionKind::Review, &reference)]);
}

#[tokio::test]
async fn an_answered_survey_earns_once_however_often_it_is_told() {
    let shop = shop().await;
    answered(&shop).await;
    shop.settle().await.unwrap();
    let of = |entry: &Entry| entry.gave == [("survey".to_owned(), 15)];
    assert_eq!(entries(&shop, ADA).await.iter().filter(|entry| of(entry)).count(), 1);
    let reference = |text: &str| Text::new(text).unwrap();
    let done = |customer, text| {
        let (action, reference) = (ActionKind::SurveyAnswer, reference(text));
        let message = Message::ActionDone(ActionDone { customer, action, reference });
        serde_json::to_string(&Envelope::seal(message, shop.now(), None)).unwrap()
    };
    let before = ledger(&shop, ADA).await.balance(Account::Available);
    for _ in 0..3 {
        shop.send(Queue::Points, done(member(ADA), "another"));
        shop.send(Queue::Points, done(CustomerId::guest("k"), "another"));
        shop.settle().await.unwrap();
    }
    assert_eq!(ledger(&shop, ADA).await.balance(Account::Available), before + 15);
    shop.check_invariants().await.unwrap();
}
