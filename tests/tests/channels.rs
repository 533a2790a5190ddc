//! Stores and accounts: the code at the till, points held and spent there,
//! receipts and what comes back, and two accounts of one person.

use aftercart::model::{
    customer::CustomerId,
    points::{Account, Ledger, audit::Rebuilt},
    policy::Policy,
    time::Period,
};
use aftercart::store::{Sends, points};
use aftercart_infra::world::{Ask, Caller, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    giving::{self, adjusting, drawing, grant, operated},
    shop::{ADA, KEY, Placed, Shop, key, order},
    stock::set_policy,
};

const BOB: &str = "bob";

/// What Ada shows now.
pub(crate) async fn code_of(shop: &Shop, member: &str) -> String {
    let reply = shop.reply(&Ask::get("/me/code").by_member(member)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.text("/code")
}

/// A call of a till.
pub(crate) fn till(what: &str, body: &Value) -> Ask {
    Ask::post(format!("/operator/till/{what}"), body).by(Caller::Operator)
}

/// Holds so many of Ada's points.
pub(crate) async fn holding(shop: &Shop, points: i64, key: &str) -> Ask {
    let code = code_of(shop, ADA).await;
    let body = json!({ "code": code, "read_at": shop.now(), "points": points });
    till("holds", &body).keyed(key)
}

/// A hold of so many of Ada's points.
pub(crate) async fn held(shop: &Shop, points: i64) -> String {
    let reply = shop.reply(&holding(shop, points, KEY).await).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.text("/hold")
}

/// What Ada bought in a store: three teas for 30 and a cup for 8 pounds.
pub(crate) async fn receipt(shop: &Shop, hold: Option<&str>) -> Value {
    let mut body = json!({
        "code": code_of(shop, ADA).await, "store": "s1", "receipt": "r-1",
        "purchased_at": shop.now(), "currency": "GBP",
        "lines": [
            { "sku": "TEA", "quantity": 3, "paid": 3_000 },
            { "sku": "CUP", "quantity": 1, "paid": 800 },
        ],
    });
    if let Some(hold) = hold {
        body["hold"] = hold.into();
    }
    body
}

/// So many teas of that came back.
pub(crate) fn coming_back(number: &str, units: u32) -> Value {
    let lines = json!([{ "line": 1, "units": units }]);
    json!({ "store": "s1", "receipt": "r-1", "number": number, "lines": lines })
}

/// Lets Bob's account flow into Ada's.
pub(crate) async fn linking(shop: &Shop) -> Ask {
    let code = shop.reply(&Ask::get("/me/link-code").by_member(BOB)).await.text("/code");
    Ask::post("/me/links", &json!({ "code": code })).by_member(ADA)
}

/// The link of Bob's account into Ada's.
pub(crate) async fn linked(shop: &Shop) -> String {
    let reply = shop.reply(&linking(shop).await).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.text("/id")
}

pub(crate) fn undoing(link: &str) -> Ask {
    let body = json!({ "why": "Two persons." });
    Ask::post(format!("/operator/links/{link}/undoing"), &body).by(Caller::Operator)
}

/// A shop in which points pay for half of the goods.
pub(crate) async fn points_pay(shop: &Shop) {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 100 }, "max_share": 5_000, "least_points": 50,
    });
    set_policy(shop, &policy).await;
}

/// Bob's order of two teas, paid with 200 points as far as they go.
pub(crate) async fn bobs_order(shop: &Shop) -> Placed {
    let mut body = order(&[("TEA", 2)]);
    body["points"] = json!(200);
    shop.placed(Ask::post("/orders", &body).by_member(BOB).keyed(KEY), Some(BOB)).await
}

async fn ledger(shop: &Shop, member: &str) -> Ledger {
    shop.store().ledger(&CustomerId::member(member).unwrap()).await.unwrap()
}

/// What may be spent of Ada's and Bob's own accounts, and is pending in them.
async fn both(shop: &Shop) -> [(i64, i64); 2] {
    let (ada, bob) = (ledger(shop, ADA).await, ledger(shop, BOB).await);
    [ada, bob].map(|it| (it.spendable(), it.balance(Account::Pending)))
}

/// Every ledger is its entries, and all accounts together sum to zero.
async fn sound(shop: &Shop) {
    let all = shop.store().all_points().await.unwrap();
    for ledger in &all.ledgers {
        let mut rebuilt = Rebuilt::default();
        let own = all.entries.iter().filter(|entry| entry.customer == ledger.customer);
        own.for_each(|entry| rebuilt.add(entry).unwrap());
        assert_eq!(rebuilt.differences(ledger), []);
    }
    let linked: i64 = all.ledgers.iter().map(|it| it.balance(Account::Linked)).sum();
    assert_eq!(linked, 0, "what went out of one account came into another");
}

async fn told(shop: &Shop, ask: Ask) -> (u16, Value) {
    let reply = shop.reply(&ask).await;
    (reply.status, reply.json())
}

fn refused(reply: &Reply) -> (u16, String) {
    (reply.status, reply.problem())
}

#[tokio::test]
async fn a_code_is_shown_drawn_and_made_offline() {
    let shop = Shop::open().await;
    let shown = shop.reply(&Ask::get("/me/code").by_member(ADA)).await.json();
    let code = shown["code"].as_str().unwrap();
    assert_eq!((code.len(), &code[..12]), (20, shown["number"].as_str().unwrap()));
    assert!(shown["qr_svg"].as_str().unwrap().contains("<svg"), "{shown}");
    assert_eq!(shown["offline"]["digits"], 8);
    assert_eq!(shown["offline"]["keys"].as_array().unwrap().len(), 2);
    let others = shop.reply(&Ask::get("/me/code").by_member(BOB)).await.json();
    assert_ne!(others["number"], shown["number"]);
    assert_ne!(others["offline"]["keys"], shown["offline"]["keys"]);
    shop.clock().advance(Period::of_seconds(30));
    let later = shop.reply(&Ask::get("/me/code").by_member(ADA)).await.json();
    assert_eq!(later["number"], shown["number"]);
    assert_ne!(later["code"], shown["code"]);
}

#[tokio::test]
async fn a_till_knows_who_shows_a_code_and_nobody_else() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let code = code_of(&shop, ADA).await;
    let ask = till("members", &json!({ "code": code }));
    assert_eq!(
        told(&shop, ask.clone()).await,
        (200, json!({ "number": &code[..12], "spendable": 100 }))
    );
    let other = shop.reply(&ask.clone().by_member(ADA)).await;
    assert_eq!(refused(&other), (403, String::new()));
    let wrong =
        format!("{}{:08}", &code[..12], (code[12..].parse::<u32>().unwrap() + 1) % 100_000_000);
    let nobody = format!("{}{}", "000000000000", &code[12..]);
    for (body, status, problem) in [
        (json!({ "code": wrong }), 422, "member-code-refused"),
        (json!({ "code": nobody }), 422, "member-code-refused"),
        (json!({ "code": "1234" }), 400, "invalid-request"),
        (
            json!({ "code": code, "read_at": shop.now().plus(Period::of_days(1)) }),
            422,
            "member-code-refused",
        ),
    ] {
        let reply = shop.reply(&till("members", &body)).await;
        assert_eq!(refused(&reply), (status, problem.to_owned()), "{body}");
    }
    let read_at = shop.now();
    shop.clock().advance(Period::of_seconds(120));
    let late = shop.reply(&ask).await;
    assert_eq!(refused(&late), (422, "member-code-refused".to_owned()));
    let remembered = till("members", &json!({ "code": code, "read_at": read_at }));
    assert_eq!(shop.reply(&remembered).await.status, 200, "the till read it in time");
    shop.clock().advance(Period::of_seconds(15 * 60));
    let old = shop.reply(&remembered).await;
    assert_eq!(refused(&old), (422, "member-code-refused".to_owned()));
}

#[tokio::test]
async fn points_are_held_for_a_till_and_spent_in_part() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let ask = holding(&shop, 80, KEY).await;
    let first = shop.reply(&ask).await;
    assert_eq!((first.status, first.json()["status"].clone()), (201, json!("held")));
    let again = shop.reply(&ask).await;
    let replayed = again.headers.get("idempotent-replayed").map(String::as_str);
    assert_eq!((again.status, replayed), (201, Some("true")));
    let other = shop.reply(&holding(&shop, 10, KEY).await).await;
    assert_eq!(refused(&other), (422, "idempotency-key-reused".to_owned()));
    shop.clock().advance(Period::of_seconds(30));
    let more = shop.reply(&holding(&shop, 21, &key("hold", 2)).await).await;
    assert_eq!(refused(&more), (409, "too-few-points".to_owned()));
    assert_eq!(both(&shop).await[0], (20, 0));
    let hold = first.text("/hold");
    let capture = |points: i64| till("captures", &json!({ "hold": hold, "points": points }));
    assert_eq!(shop.reply(&capture(81)).await.status, 400);
    for _ in 0..2 {
        let (status, view) = told(&shop, capture(30)).await;
        assert_eq!((status, &view["captured"]), (200, &json!(30)), "{view}");
    }
    assert_eq!(both(&shop).await[0], (70, 0), "the rest is free again");
    for late in [capture(20), till("voids", &json!({ "hold": hold }))] {
        assert_eq!(refused(&shop.reply(&late).await), (409, "hold-ended".to_owned()));
    }
    let unknown = till("voids", &json!({ "hold": format!("hld_{}", "a".repeat(26)) }));
    assert_eq!(refused(&shop.reply(&unknown).await), (404, "not-found".to_owned()));
    sound(&shop).await;
}

#[tokio::test]
async fn a_hold_is_given_up_or_ends_by_itself() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let hold = held(&shop, 80).await;
    let void = till("voids", &json!({ "hold": hold }));
    for _ in 0..2 {
        assert_eq!(told(&shop, void.clone()).await.1["status"], "voided");
    }
    assert_eq!(both(&shop).await[0], (100, 0));
    shop.clock().advance(Period::of_seconds(30));
    let late = shop.reply(&holding(&shop, 60, &key("hold", 2)).await).await.text("/hold");
    shop.clock().advance(Period::of_seconds(15 * 60));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(both(&shop).await[0], (100, 0));
    let capture = shop.reply(&till("captures", &json!({ "hold": late }))).await;
    assert_eq!(refused(&capture), (409, "hold-ended".to_owned()));
    sound(&shop).await;
}

#[tokio::test]
async fn many_tills_at_once_hold_no_more_than_there_is() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let mut asks = Vec::new();
    for number in 0..20 {
        asks.push(holding(&shop, 30, &key("hold", number)).await);
        shop.clock().advance(Period::of_seconds(30));
    }
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let held = replies.iter().filter(|reply| reply.status == 201).count();
    assert!(held <= 3, "{held}");
    assert!(replies.iter().all(|reply| [201, 409, 503].contains(&reply.status)));
    let ledger = ledger(&shop, ADA).await;
    assert_eq!(ledger.held(), i64::try_from(held).unwrap() * 30);
    ledger.check().unwrap();
}

#[tokio::test]
async fn a_receipt_earns_like_an_order_with_the_clock_of_the_purchase() {
    let shop = Shop::open().await;
    let body = receipt(&shop, None).await;
    let ask = till("purchases", &body);
    let first = shop.reply(&ask).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.json()["lines"], json!([30, 8]));
    assert_eq!(both(&shop).await[0], (0, 38));
    // The till was offline, and tells it again days later.
    shop.clock().advance(Period::of_days(3));
    assert_eq!(shop.reply(&ask).await.body, first.body);
    let mut other = body.clone();
    other["lines"][0]["paid"] = json!(9_999);
    let taken = shop.reply(&till("purchases", &other)).await;
    assert_eq!(refused(&taken), (409, "receipt-taken".to_owned()));
    shop.clock().advance(Period::of_days(11));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(both(&shop).await[0], (38, 0));
    let back = shop.reply(&till("returns", &coming_back("b-1", 3))).await;
    assert_eq!(back.status, 200, "{}", back.body);
    // It is no order: nobody asks for one by its name.
    let view = shop.reply(&Ask::get("/me/points").by_member(ADA)).await.json();
    let movements = view["movements"].as_array().unwrap();
    assert_eq!(movements.len(), 3);
    for movement in movements {
        assert_eq!(movement["receipt"], first.json()["id"], "{movement}");
        assert_eq!(movement["order"], Value::Null, "{movement}");
    }
    sound(&shop).await;
}

#[tokio::test]
async fn a_receipt_of_a_till_that_was_offline_is_taken_for_a_week() {
    let shop = Shop::open().await;
    let body = receipt(&shop, None).await;
    shop.clock().advance(Period::of_days(6));
    assert_eq!(shop.reply(&till("purchases", &body)).await.status, 201);
    let mut other = body.clone();
    other["receipt"] = "r-2".into();
    shop.clock().advance(Period::of_days(2));
    let old = shop.reply(&till("purchases", &other)).await;
    assert_eq!(refused(&old), (422, "member-code-refused".to_owned()));
    for (name, value) in [
        ("lines", json!([])),
        ("lines", json!([{ "sku": "TEA", "quantity": 0, "paid": 1 }])),
        ("lines", json!([{ "sku": "TEA", "quantity": 1, "paid": -1 }])),
        ("read_at", json!(shop.now())),
        ("hold", json!(format!("hld_{}", "a".repeat(26)))),
    ] {
        let mut odd = receipt(&shop, None).await;
        odd["receipt"] = "r-3".into();
        odd[name] = value;
        if name == "read_at" {
            odd["purchased_at"] = json!(shop.now().minus(Period::of_days(2)));
        }
        let reply = shop.reply(&till("purchases", &odd)).await;
        assert_eq!(refused(&reply), (400, "invalid-request".to_owned()), "{odd}");
    }
}

#[tokio::test]
async fn what_comes_back_takes_its_points_and_brings_those_that_paid() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    let hold = held(&shop, 100).await;
    let capture = till("captures", &json!({ "hold": hold, "points": 76 }));
    assert_eq!(shop.reply(&capture).await.status, 200);
    let body = receipt(&shop, Some(&hold)).await;
    assert_eq!(shop.reply(&till("purchases", &body)).await.status, 201);
    assert_eq!(both(&shop).await[0], (24, 38));
    // 10 of 38 pounds: 10 points of what was earned, 20 of the 76 that paid.
    for _ in 0..2 {
        let (status, view) = told(&shop, till("returns", &coming_back("b-1", 1))).await;
        assert_eq!(status, 200, "{view}");
        assert_eq!((&view["taken_back"], &view["given_back"]), (&json!(10), &json!(20)));
    }
    assert_eq!(both(&shop).await[0], (44, 28));
    for (body, problem) in
        [(coming_back("b-1", 2), "receipt-taken"), (coming_back("b-2", 3), "units-returned")]
    {
        assert_eq!(refused(&shop.reply(&till("returns", &body)).await), (409, problem.to_owned()));
    }
    assert_eq!(shop.reply(&till("returns", &coming_back("b-2", 0))).await.status, 400);
    let mut unknown = coming_back("b-2", 1);
    unknown["receipt"] = "r-9".into();
    assert_eq!(shop.reply(&till("returns", &unknown)).await.status, 404);
    // The window ends, and then the rest comes back.
    shop.clock().advance(Period::of_days(15));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(both(&shop).await[0], (72, 0));
    let mut rest = coming_back("b-2", 2);
    rest["lines"] = json!([{ "line": 1, "units": 2 }, { "line": 2, "units": 1 }]);
    let (_, view) = told(&shop, till("returns", &rest)).await;
    assert_eq!((&view["taken_back"], &view["given_back"]), (&json!(38), &json!(76)));
    assert_eq!(both(&shop).await[0], (100, 0), "as at the start");
    sound(&shop).await;
}

#[tokio::test]
async fn two_accounts_become_one_and_two_again() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    grant(&shop, BOB, 40).await;
    let before = [ledger(&shop, ADA).await, ledger(&shop, BOB).await];
    let link = linked(&shop).await;
    assert_eq!(linked(&shop).await, link, "once");
    assert_eq!(both(&shop).await, [(140, 0), (0, 0)]);
    let (status, listed) =
        told(&shop, Ask::get("/operator/customers/cus_ada/links").by(Caller::Operator)).await;
    assert_eq!((status, &listed["links"][0]["id"]), (200, &json!(link)));
    let seen = told(&shop, till("members", &json!({ "code": code_of(&shop, BOB).await }))).await.1;
    assert_eq!(seen["spendable"], 140, "Bob's code is as good as Ada's");
    for _ in 0..2 {
        let (status, undone) = told(&shop, undoing(&link)).await;
        assert_eq!((status, &undone["undone"]["why"]), (200, &json!("Two persons.")), "{undone}");
    }
    let after = [ledger(&shop, ADA).await, ledger(&shop, BOB).await];
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.lots, &before.link), (&after.lots, &after.link));
        assert_eq!(before.standing, after.standing);
    }
    sound(&shop).await;
}

#[tokio::test]
async fn what_a_linked_account_buys_earns_for_the_main_one_and_is_paid_by_it() {
    let shop = Shop::open().await;
    points_pay(&shop).await;
    grant(&shop, ADA, 500).await;
    linked(&shop).await;
    let placed = bobs_order(&shop).await;
    assert_eq!((ledger(&shop, ADA).await.held(), ledger(&shop, BOB).await.held()), (200, 0));
    shop.deliver(&placed, "AB-1234").await;
    assert_eq!(both(&shop).await, [(300, 0), (0, 23)]);
    shop.clock().advance(Period::of_days(15));
    shop.run_schedule("points-settle").await.unwrap();
    shop.settle().await.unwrap();
    assert_eq!(both(&shop).await, [(323, 0), (0, 0)], "it flowed on");
    sound(&shop).await;
}

#[tokio::test]
async fn an_account_that_the_other_one_does_not_know_pays_with_nothing_of_it() {
    let shop = Shop::open().await;
    points_pay(&shop).await;
    grant(&shop, ADA, 500).await;
    linked(&shop).await;
    // As a call sees it that reads Bob's ledger before the link is undone, and
    // Ada's after.
    let mut ada = ledger(&shop, ADA).await;
    ada.link.from.clear();
    shop.store().commit(points::save(&ada, None, &Sends::none())).await.unwrap();
    let mut body = order(&[("TEA", 2)]);
    body["points"] = json!(200);
    let reply = shop.reply(&Ask::post("/orders", &body).by_member(BOB).keyed(KEY)).await;
    assert!((400..500).contains(&reply.status), "{}", reply.body);
    assert_eq!(ledger(&shop, ADA).await.held(), 0);
}

#[tokio::test]
async fn an_order_that_is_called_off_gives_back_to_whose_points_they_were() {
    let shop = Shop::open().await;
    points_pay(&shop).await;
    grant(&shop, ADA, 500).await;
    let link = linked(&shop).await;
    let placed = bobs_order(&shop).await;
    let cancel = || placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})));
    let fork = Shop(shop.fork().unwrap());
    assert_eq!(fork.reply(&cancel()).await.status, 200);
    assert_eq!(both(&fork).await, [(500, 0), (0, 0)], "not paid: released");
    shop.pay(&placed).await;
    shop.settle().await.unwrap();
    assert_eq!(both(&shop).await, [(300, 0), (0, 23)]);
    assert_eq!(shop.reply(&undoing(&link)).await.status, 200);
    assert_eq!(shop.reply(&cancel()).await.status, 200);
    shop.settle().await.unwrap();
    assert_eq!(both(&shop).await, [(500, 0), (0, 0)], "also when the link is gone");
    sound(&shop).await;
}

#[tokio::test]
async fn accounts_are_linked_by_who_has_both_and_in_pairs() {
    let shop = Shop::open().await;
    let link =
        |code: &str, by: &str| Ask::post("/me/links", &json!({ "code": code })).by_member(by);
    let code = async |member: &str| {
        shop.reply(&Ask::get("/me/link-code").by_member(member)).await.text("/code")
    };
    let member_code = code_of(&shop, BOB).await;
    for odd in ["", "x.y", member_code.as_str()] {
        let reply = shop.reply(&link(odd, ADA)).await;
        assert_eq!(refused(&reply), (422, "link-code-refused".to_owned()), "{odd}");
    }
    let own = shop.reply(&link(&code(ADA).await, ADA)).await;
    assert_eq!(refused(&own), (409, "link-same-account".to_owned()));
    let old = code(BOB).await;
    shop.clock().advance(Period::of_seconds(600));
    assert_eq!(refused(&shop.reply(&link(&old, ADA)).await), (422, "link-code-refused".to_owned()));
    linked(&shop).await;
    for (shows, enters) in [(BOB, "carol"), (ADA, "carol"), ("carol", BOB)] {
        let reply = shop.reply(&link(&code(shows).await, enters)).await;
        assert_eq!(refused(&reply), (409, "account-linked".to_owned()), "{shows} {enters}");
    }
    for name in ["c", "d"] {
        assert_eq!(shop.reply(&link(&code(name).await, ADA)).await.status, 201);
    }
    let full = shop.reply(&link(&code("f").await, ADA)).await;
    assert_eq!(refused(&full), (409, "too-many-links".to_owned()));
}

#[tokio::test]
async fn operators_link_name_members_and_undo_what_there_is() {
    let shop = Shop::open().await;
    let link = |main: &str, other: &str| {
        let body = json!({ "main": main, "other": other });
        Ask::post("/operator/links", &body).by(Caller::Operator)
    };
    let (status, made) = told(&shop, link("cus_ada", "cus_bob")).await;
    assert_eq!((status, &made["by"]), (201, &json!("system")), "{made}");
    let guest = CustomerId::guest("a key of a guest").to_string();
    let reply = shop.reply(&link("cus_ada", &guest)).await;
    assert_eq!(refused(&reply), (400, "invalid-request".to_owned()));
    let unknown = shop.reply(&undoing(&format!("lnk_{}", "a".repeat(26)))).await;
    assert_eq!(refused(&unknown), (404, "not-found".to_owned()));
    let shopper = shop.reply(&link("cus_ada", "cus_c").by_member(ADA)).await;
    assert_eq!(refused(&shopper), (403, String::new()));
}

#[tokio::test]
async fn both_accounts_are_told_of_a_link_and_either_undoes_it_within_a_week() {
    let shop = Shop::open().await;
    grant(&shop, ADA, 100).await;
    grant(&shop, BOB, 40).await;
    let link = linked(&shop).await;
    let undo_until = shop.now().plus(Period::of_days(7));
    shop.settle().await.unwrap();
    let undo = |by: &str| Ask::post(format!("/me/links/{link}/undoing"), &json!({})).by_member(by);
    let mut notified = giving::told(&shop, "notification.accounts_linked");
    notified.sort_by_key(|told| told["customer"].to_string());
    let both_told = ["cus_ada", "cus_bob"].map(|customer| {
        json!({
            "link": link, "customer": customer, "main": "cus_ada", "other": "cus_bob",
            "undo_until": undo_until,
        })
    });
    assert_eq!(notified, both_told);
    assert_eq!(refused(&shop.reply(&undo("carol")).await), (404, "not-found".to_owned()));
    for member in [ADA, BOB] {
        let fork = Shop(shop.fork().unwrap());
        for _ in 0..2 {
            let (status, view) = told(&fork, undo(member)).await;
            assert_eq!((status, view["undone_at"].is_string()), (200, true), "{view}");
        }
        assert_eq!(both(&fork).await, [(100, 0), (40, 0)]);
        let file = told(&fork, undoing(&link)).await.1;
        assert_eq!(file["undone"]["by"], Value::Null, "{file}");
        sound(&fork).await;
    }
    shop.clock().advance(Period::of_days(7));
    assert_eq!(refused(&shop.reply(&undo(BOB)).await), (409, "link-undo-over".to_owned()));
    assert_eq!(shop.reply(&undoing(&link)).await.status, 200, "an operator does");
    assert_eq!(both(&shop).await, [(100, 0), (40, 0)]);
}

#[tokio::test]
async fn an_operator_moves_no_more_points_by_a_link_than_alone() {
    let shop = Shop::open().await;
    grant(&shop, BOB, 1_000).await;
    let body = json!({ "main": "cus_ada", "other": "cus_bob" });
    let link = Ask::post("/operator/links", &body).by(Caller::Operator);
    let fork = Shop(shop.fork().unwrap());
    assert_eq!(fork.reply(&link).await.status, 201, "as many as an operator gives alone");
    let more = operated(&shop, "granter", &adjusting(BOB, 1, &key("more", 1))).await;
    assert_eq!(more.text("/state"), "posted", "{}", more.body);
    assert_eq!(refused(&shop.reply(&link).await), (409, "link-needs-code".to_owned()));
    assert_eq!(both(&shop).await, [(0, 0), (1_001, 0)]);
    linked(&shop).await;
    assert_eq!(both(&shop).await, [(1_001, 0), (0, 0)], "the member links them");
}

#[tokio::test]
async fn what_is_held_keeps_linked_accounts_together() {
    let shop = Shop::open().await;
    grant(&shop, BOB, 100).await;
    let link = linked(&shop).await;
    let hold = held(&shop, 60).await;
    let reply = shop.reply(&undoing(&link)).await;
    assert_eq!(refused(&reply), (409, "points-held".to_owned()));
    assert_eq!(both(&shop).await, [(40, 0), (0, 0)]);
    let void = till("voids", &json!({ "hold": hold }));
    assert_eq!(shop.reply(&void).await.status, 200);
    assert_eq!(shop.reply(&undoing(&link)).await.status, 200);
    assert_eq!(both(&shop).await, [(0, 0), (100, 0)]);
    sound(&shop).await;
}

#[tokio::test]
async fn one_key_is_one_draw_of_all_accounts_of_a_person() {
    let shop = giving::shop().await;
    let draw = async |member: &str, number: usize| {
        let reply = shop.reply(&drawing("rain", member, &key("draw", number))).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
    };
    draw(BOB, 1).await;
    linked(&shop).await;
    assert_eq!(both(&shop).await, [(7, 0), (0, 0)]);
    draw(BOB, 1).await;
    assert_eq!(both(&shop).await, [(7, 0), (0, 0)], "it was drawn before the link");
    for member in [ADA, BOB, ADA] {
        draw(member, 2).await;
    }
    assert_eq!(both(&shop).await, [(14, 0), (0, 0)], "whoever calls");
}

#[tokio::test]
async fn what_may_not_be_given_on_may_not_after_a_link() {
    let shop = giving::shop().await;
    grant(&shop, ADA, 500).await;
    let gift = giving::given(&shop, 100, KEY).await;
    assert_eq!(shop.reply(&giving::ending(&gift, "acceptance", BOB)).await.status, 200);
    grant(&shop, "cid", 5).await;
    let code = shop.reply(&Ask::get("/me/link-code").by_member(BOB)).await.text("/code");
    let link = Ask::post("/me/links", &json!({ "code": code })).by_member("cid");
    assert_eq!(shop.reply(&link).await.status, 201);
    let give = |points: i64, number: usize| {
        let body = json!({ "to": "cus_dan", "points": points });
        Ask::post("/me/gifts", &body).by_member("cid").keyed(&key("gift", number))
    };
    assert_eq!(refused(&shop.reply(&give(10, 1)).await), (409, "gift-limit".to_owned()));
    shop.clock().advance(Period::of_days(30));
    assert_eq!(shop.reply(&give(100, 2)).await.status, 201);
}
