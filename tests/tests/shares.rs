//! Offers that friends share: groups, cuts and draws.

use aftercart::model::{policy::Policy, time::Period};
use aftercart_infra::world::{Ask, Caller, Options, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Shop, order};

/// A group of three gets tea at half price; a share of thanks is for one friend.
pub(crate) fn policy() -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    let campaign = |id: &str, most: u32, more: Value| {
        let mut campaign = json!({
            "id": id, "title": { "en": id }, "within": "1d", "most": most,
            "joins_per_member": 1, "voucher_life": "7d",
        });
        campaign.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        campaign
    };
    policy["shares"]["campaigns"] = json!([
        campaign("group", 2, json!({ "steps": [{ "joined": 2, "to": "all", "rule": "half" }] })),
        campaign("thanks", 1, json!({ "draw": [{ "rule": "half", "weight": 1 }] })),
    ]);
    Policy::parse(&policy.to_string()).unwrap();
    policy
}

async fn shop() -> Shop {
    let options = Options { policy: Some(policy().to_string()), ..Options::default() };
    let shop = Shop::open_with(options).await;
    let rules = json!({ "version": "1", "zone": "UTC", "rules": [{
        "id": "half", "title": { "en": "Half" }, "coupon": { "voucher": true },
        "effect": { "percent": { "off": 5_000 } },
    }]});
    let reply = shop.reply(&Ask::put("/price-rules", &rules).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop
}

async fn start(shop: &Shop, member: &str, campaign: &str) -> String {
    let ask = Ask::post("/shares", &json!({ "campaign": campaign })).by_member(member);
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.text("/id")
}

fn joining(share: &str, member: &str) -> Ask {
    Ask::post(format!("/shares/{share}/joins"), &json!({})).by_member(member)
}

async fn vouchers(shop: &Shop, member: &str) -> Vec<Value> {
    let reply = shop.reply(&Ask::get("/me/vouchers").by_member(member)).await;
    reply.json()["vouchers"].as_array().unwrap().clone()
}

fn refused(reply: &Reply) -> (u16, String) {
    (reply.status, reply.problem())
}

#[tokio::test]
async fn a_group_that_is_full_buys_at_its_price() {
    let shop = shop().await;
    let share = start(&shop, ADA, "group").await;
    assert_eq!(start(&shop, ADA, "group").await, share, "one a campaign");
    let own = shop.reply(&joining(&share, ADA)).await;
    assert_eq!(refused(&own), (409, "share-own".to_owned()));
    // Five friends at the same moment, each twice: two get in, once.
    let friends = ["bob", "cid", "dee", "eve", "fay"];
    let asks: Vec<Ask> = friends.iter().chain(&friends).map(|name| joining(&share, name)).collect();
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let joined: Vec<&str> = friends
        .iter()
        .zip(&replies)
        .filter(|(_, reply)| reply.status == 200)
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(joined.len(), 2, "{replies:?}");
    for (name, reply) in friends.iter().chain(&friends).zip(&replies) {
        match joined.contains(name) {
            true => assert_eq!(reply.status, 200, "{}", reply.body),
            false => assert_eq!(refused(reply), (409, "share-full".to_owned())),
        }
    }
    let shown = shop.reply(&Ask::get(format!("/shares/{share}"))).await.json();
    assert_eq!((&shown["joined"], &shown["most"]), (&json!(2), &json!(2)));
    assert!(!shown.to_string().contains(joined[0]), "nobody's name is shown");
    for name in [ADA, joined[0], joined[1]] {
        let vouchers = vouchers(&shop, name).await;
        assert_eq!(vouchers.len(), 1, "{name}");
        assert_eq!(vouchers[0]["rule"], "half");
    }
    let mut body = order(&[("TEA", 2)]);
    body["vouchers"] = json!([vouchers(&shop, ADA).await[0]["id"]]);
    let reply = shop.reply(&Ask::post("/orders", &body).by_member(ADA).keyed(KEY)).await;
    assert_eq!((reply.status, reply.json()["total"]["amount"].as_i64()), (201, Some(1_250)));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_member_joins_as_often_as_the_campaign_allows() {
    let shop = shop().await;
    let (first, second) = (start(&shop, ADA, "thanks").await, start(&shop, "bob", "thanks").await);
    assert_eq!(shop.reply(&joining(&first, "cid")).await.status, 200);
    let again = shop.reply(&joining(&second, "cid")).await;
    assert_eq!(refused(&again), (409, "share-limit".to_owned()));
    assert_eq!(vouchers(&shop, "cid").await.len(), 1);
    assert_eq!(vouchers(&shop, "bob").await.len(), 0);
}

#[tokio::test]
async fn what_is_over_or_unknown_is_said() {
    let shop = shop().await;
    let share = start(&shop, ADA, "group").await;
    for id in ["shr_aaaaaaaaaaaaaaaaaaaaaaaaaa", "tea"] {
        assert_eq!(shop.reply(&joining(id, "bob")).await.status, 404);
        assert_eq!(shop.reply(&Ask::get(format!("/shares/{id}"))).await.status, 404);
    }
    let unknown = Ask::post("/shares", &json!({ "campaign": "none" })).by_member(ADA);
    assert_eq!(refused(&shop.reply(&unknown).await), (422, "unknown-campaign".to_owned()));
    shop.clock().advance(Period::of_days(1));
    let late = shop.reply(&joining(&share, "bob")).await;
    assert_eq!(refused(&late), (409, "share-over".to_owned()));
    let guest = shop.reply(&Ask::post(format!("/shares/{share}/joins"), &json!({}))).await;
    assert_eq!(guest.status, 401);
}
