//! Members' records and vouchers, whole functions: what is refused, what comes
//! twice, and how a voucher is used.

use aftercart::{
    model::{
        customer::CustomerId,
        delivery::MethodId,
        id::{OrderId, VoucherId},
        money::{Currency, Money},
        profile::PaidOrder,
        time::Period,
    },
    store::{CommitError, customers, vouchers},
};
use aftercart_infra::world::{Ask, Caller, Reply};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Shop, key};

pub(crate) fn granting(member: &str, body: &Value, key: &str) -> Ask {
    Ask::post(format!("/customers/cus_{member}/vouchers"), body).by(Caller::Operator).keyed(key)
}

/// Grants a member a voucher for the rule `spring`, without end.
pub(crate) async fn granted(shop: &Shop, member: &str, key: &str) -> VoucherId {
    let reply = shop.reply(&granting(member, &json!({ "rule": "spring" }), key)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    VoucherId::parse(&reply.text("/id")).unwrap()
}

fn ada() -> CustomerId {
    CustomerId::member(ADA).unwrap()
}

async fn put(shop: &Shop, body: &Value) -> Reply {
    shop.reply(&Ask::put("/customers/cus_ada", body).by(Caller::Operator)).await
}

async fn view(shop: &Shop, query: &str) -> Reply {
    shop.reply(&Ask::get(format!("/customers/cus_ada{query}")).by(Caller::Operator)).await
}

#[tokio::test]
async fn a_record_is_set_and_counted_side_by_side() {
    let shop = Shop::open().await;
    let unknown = view(&shop, "").await.json();
    assert_eq!(
        unknown["customer"],
        json!({ "id": "cus_ada", "segments": [], "orders": 0, "spent": {}, "largest": {} })
    );
    let body = json!({ "tier": "gold", "segments": ["tea", "new", "tea"], "birthday": "02-29" });
    let set = put(&shop, &body).await;
    assert_eq!(set.status, 200, "{}", set.body);
    assert_eq!(set.json()["segments"], json!(["new", "tea"]));
    assert_eq!(view(&shop, "").await.json()["customer"]["birthday"], "02-29");
    let read = shop.store().profile(&ada()).await.unwrap();
    let paid = |minor: i64| PaidOrder {
        order: OrderId::derive(&[&minor.to_string()]),
        paid_at: shop.now(),
        placed_at: shop.now(),
        total: Money::new(minor, Currency::parse("GBP").unwrap()).unwrap(),
        method: MethodId::parse("express").unwrap(),
    };
    shop.store().commit(customers::count_paid(&read, &paid(2_500))).await.unwrap();
    // Counting against what was read before loses, setting the tier does not.
    let lost = shop.store().commit(customers::count_paid(&read, &paid(100))).await;
    assert!(matches!(lost, Err(CommitError::Lost(_))), "{lost:?}");
    let set = put(&shop, &json!({ "segments": [] })).await.json();
    let read = shop.store().profile(&ada()).await.unwrap();
    shop.store().commit(customers::count_paid(&read, &paid(100))).await.unwrap();
    let seen = view(&shop, "").await.json();
    assert_eq!(set.get("tier"), None);
    assert_eq!(
        seen["customer"],
        json!({
            "id": "cus_ada", "segments": [], "since": shop.now(), "orders": 2,
            "spent": { "GBP": 2600 }, "largest": { "GBP": 2500 }, "last_method": "express",
        })
    );
}

#[tokio::test]
async fn a_voucher_is_granted_once_for_a_key() {
    let shop = Shop::open().await;
    let body = json!({ "rule": "spring", "expires_at": "2027-03-01T00:00:00Z" });
    let first = shop.reply(&granting(ADA, &body, KEY)).await;
    assert_eq!((first.status, first.text("/state").as_str()), (201, "open"));
    let id = VoucherId::parse(&first.text("/id")).unwrap();
    let order = OrderId::derive(&["1"]);
    shop.store().commit(vouchers::redeem(&ada(), &id, &order, shop.now())).await.unwrap();
    shop.clock().advance(Period::of_days(400));
    let again = shop.reply(&granting(ADA, &body, KEY)).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    for other in
        [json!({ "rule": "autumn", "expires_at": body["expires_at"] }), json!({ "rule": "spring" })]
    {
        assert_eq!(shop.reply(&granting(ADA, &other, KEY)).await.status, 422, "{other}");
    }
    let other_member = shop.reply(&granting("eve", &body, KEY)).await;
    assert_ne!(other_member.text("/id"), first.text("/id"));
}

#[tokio::test]
async fn a_voucher_is_used_by_one_order_and_given_back_by_it() {
    let shop = Shop::open().await;
    let id = granted(&shop, ADA, KEY).await;
    let (one, other) = (OrderId::derive(&["1"]), OrderId::derive(&["2"]));
    let redeem = |order: &OrderId| vouchers::redeem(&ada(), &id, order, shop.now());
    let release = |order: &OrderId| vouchers::release(&ada(), &id, order);
    let loses = async |write| {
        let result = shop.store().commit(write).await;
        let Err(CommitError::Lost(conflicts)) = result else { panic!("{result:?}") };
        conflicts[0].found.as_ref().map(|item| vouchers::from_item(item).unwrap())
    };
    loses(release(&one)).await;
    shop.store().commit(redeem(&one)).await.unwrap();
    assert_eq!(loses(redeem(&one)).await.unwrap().used_by, Some(one.clone()));
    loses(redeem(&other)).await;
    loses(release(&other)).await;
    let seen = view(&shop, "").await.json()["vouchers"][0].clone();
    assert_eq!((&seen["state"], &seen["order"]), (&json!("used"), &json!(one)));
    shop.store().commit(release(&one)).await.unwrap();
    shop.store().commit(redeem(&other)).await.unwrap();
    // Another member's is not there.
    let eve = CustomerId::member("eve").unwrap();
    assert_eq!(loses(vouchers::redeem(&eve, &id, &one, shop.now())).await, None);
}

#[tokio::test]
async fn a_voucher_ends() {
    let shop = Shop::open().await;
    let ends = shop.now().plus(Period::of_days(1));
    let reply =
        shop.reply(&granting(ADA, &json!({ "rule": "spring", "expires_at": ends }), KEY)).await;
    let id = VoucherId::parse(&reply.text("/id")).unwrap();
    shop.clock().advance(Period::of_days(1));
    let redeem = vouchers::redeem(&ada(), &id, &OrderId::derive(&["1"]), shop.now());
    assert!(matches!(shop.store().commit(redeem).await, Err(CommitError::Lost(_))));
    let own = shop.reply(&Ask::get("/me/vouchers").by_member(ADA)).await.json();
    assert_eq!(own["vouchers"][0]["state"], json!("expired"));
}

#[tokio::test]
async fn vouchers_come_in_pages_and_only_to_their_member() {
    let shop = Shop::open().await;
    for number in 0..5 {
        granted(&shop, ADA, &key("voucher", number)).await;
    }
    for path in ["/me/vouchers", "/customers/cus_ada"] {
        let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
        loop {
            let ask = Ask::get(format!("{path}{query}"));
            let ask =
                if path.starts_with("/me") { ask.by_member(ADA) } else { ask.by(Caller::Operator) };
            let page = shop.reply(&ask).await.json();
            let vouchers = page["vouchers"].as_array().unwrap();
            assert!(vouchers.len() <= 2);
            seen.extend(vouchers.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=2&cursor={cursor}");
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5, "{path}");
    }
    let other = shop.reply(&Ask::get("/me/vouchers").by_member("eve")).await.json();
    assert_eq!(other["vouchers"], json!([]));
}

#[tokio::test]
async fn what_is_not_valid_is_refused_and_named() {
    let shop = Shop::open().await;
    let many: Vec<String> = (0..21).map(|n| format!("s{n}")).collect();
    for (body, field) in [
        (json!({ "tier": "" }), "tier"),
        (json!({ "tier": "x".repeat(41) }), "tier"),
        (json!({ "segments": many }), "segments"),
        (json!({ "segments": ["a", "\u{7}"] }), "segments[1]"),
        (json!({ "birthday": "02-30" }), "birthday"),
        (json!({ "orders": 7 }), "orders"),
    ] {
        let reply = put(&shop, &body).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{body}");
    }
    for (body, field) in [
        (json!({}), "body"),
        (json!({ "rule": "Spring!" }), "rule"),
        (json!({ "rule": "x".repeat(41) }), "rule"),
        (json!({ "rule": "spring", "expires_at": "tomorrow" }), "expires_at"),
    ] {
        let reply = shop.reply(&granting(ADA, &body, KEY)).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{body}");
    }
    let unkeyed = Ask::post("/customers/cus_ada/vouchers", &json!({ "rule": "spring" }));
    let reply = shop.reply(&unkeyed.by(Caller::Operator)).await;
    assert_eq!((reply.status, reply.text("/field").as_str()), (400, "Idempotency-Key"));
    for query in ["?limit=0", "?cursor=%00", "?page=2"] {
        assert_eq!(view(&shop, query).await.status, 400, "{query}");
        let own = shop.reply(&Ask::get(format!("/me/vouchers{query}")).by_member(ADA)).await;
        assert_eq!(own.status, 400, "{query}");
    }
    assert_eq!(
        shop.store().dump(aftercart::store::Table::Customers).await.unwrap(),
        [] as [Value; 0]
    );
}

#[tokio::test]
async fn only_operators_see_and_change_records_and_only_members_have_them() {
    let shop = Shop::open().await;
    let guest = CustomerId::guest("key");
    for who in ["cus_", "ada", guest.as_str()] {
        let path = format!("/customers/{who}");
        let grant = format!("{path}/vouchers");
        for ask in [
            Ask::get(path.clone()),
            Ask::put(path.clone(), &json!({})),
            Ask::post(grant, &json!({ "rule": "spring" })).keyed(KEY),
        ] {
            assert_eq!(shop.reply(&ask.by(Caller::Operator)).await.status, 404, "{who}");
        }
    }
    for ask in [
        Ask::get("/customers/cus_ada"),
        Ask::put("/customers/cus_ada", &json!({})),
        Ask::post("/customers/cus_ada/vouchers", &json!({ "rule": "spring" })).keyed(KEY),
    ] {
        assert_eq!(shop.reply(&ask).await.status, 401);
        assert_eq!(shop.reply(&ask.by_member(ADA)).await.status, 403);
    }
    assert_eq!(shop.reply(&Ask::get("/me/vouchers")).await.status, 401);
}
