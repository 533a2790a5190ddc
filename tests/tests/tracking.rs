//! The tracking page and its JSON, whole functions: what a buyer sees, which
//! links open nothing, and choices that are made, made again, and made too late.

use aftercart::{
    messages::{Envelope, Message, Queue, WishMade},
    model::{
        alert::Choice,
        customer::CustomerId,
        id::{AlertId, OrderId},
        time::Period,
    },
    run::links::{Links, OrderPass, TrackingLink},
};
use aftercart_infra::world::{Ask, Fault, Reply, secrets};
use serde_json::{Value, json};

use crate::{
    alerts::{NUMBER, come, generous, late, left, listed, resolving, scanned, watch},
    shop::{ADA, KEY, Placed, Shop, key},
};

const FORM: &str = "application/x-www-form-urlencoded";

async fn tracking(shop: &Shop, placed: &Placed) -> Value {
    let reply = shop.reply(&placed.sign_in(Ask::get(placed.path("/tracking")))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// The path of the page, by the link that the buyer gets.
pub(crate) async fn page(shop: &Shop, placed: &Placed) -> String {
    let link = tracking(shop, placed).await["page"].as_str().unwrap().to_owned();
    let (origin, token) = link.split_once("/t/").unwrap();
    assert!(origin.starts_with("https://"), "{link}");
    format!("/t/{token}")
}

fn filled(path: &str, body: &str) -> Ask {
    Ask::post(path, &json!({})).with("content-type", FORM).with_body(body)
}

/// A choice about the first alert of the first parcel.
pub(crate) async fn choosing(shop: &Shop, placed: &Placed, choice: &str) -> Ask {
    let path = page(shop, placed).await;
    let alert = first_alert(shop, placed).await;
    filled(&format!("{path}?lang=en"), &format!("alert={alert}&{choice}"))
}

async fn first_alert(shop: &Shop, placed: &Placed) -> String {
    tracking(shop, placed).await["shipments"][0]["alerts"][0]["id"].as_str().unwrap().to_owned()
}

fn links() -> Links {
    Links::new(serde_json::from_value(json!({ "current": secrets::LINKS })).unwrap())
}

fn is_page(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    assert!(reply.headers["content-security-policy"].starts_with(policy));
    assert!(reply.body.contains(words), "{words} is not in {}", reply.body);
}

fn wishes(shop: &Shop) -> Vec<WishMade> {
    let told = shop.queue(Queue::Notifications.name());
    let of = |message| match message {
        Message::WishMade(wish) => Some(wish),
        _ => None,
    };
    told.into_iter().filter_map(|it| of(Envelope::parse(&it.body).unwrap().message)).collect()
}

#[tokio::test]
async fn the_page_follows_the_parcel_and_looking_records_nothing() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let path = page(&shop, &placed).await;
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "Waiting for payment");
    shop.pay(&placed).await;
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "We are preparing your parcel");
    come(&shop, "11-24T10:00");
    shop.label(&placed, NUMBER).await;
    scanned(&shop, "picked_up").await;
    shop.clock().advance(Period::of_days(1));
    scanned(&shop, "out_for_delivery").await;
    let before = shop.state().await.unwrap();
    let chinese = shop.reply(&Ask::get(format!("{path}?lang=zh"))).await;
    is_page(&chinese, 200, "包裹正在派送");
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "Out for delivery");
    assert_eq!(shop.state().await.unwrap(), before);
    let seen = tracking(&shop, &placed).await;
    let parcel = &seen["shipments"][0];
    assert_eq!(seen["next"], parcel["next"]);
    assert_eq!(parcel["lines"], json!([{ "sku": "TEA", "title": "TEA", "quantity": 1 }]));
    assert_eq!((&parcel["standing"], &parcel["scans"]), (&json!("open"), &json!(2)));
    assert_eq!(parcel["trail"][0]["status"], "out_for_delivery");
    assert_eq!(parcel["expected"]["certainty"], "carrier");
    assert_eq!(seen["promise"]["until"], "2026-12-01");
}

#[tokio::test]
async fn a_number_used_again_tells_each_buyer_of_their_own_parcel_only() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.deliver(&placed, NUMBER).await;
    let steps = |seen: &Value| {
        let trail = seen["shipments"][0]["trail"].as_array().unwrap().clone();
        trail.iter().map(|it| it["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = tracking(&shop, &placed).await;
    assert_eq!(steps(&before), ["delivered", "in_transit", "picked_up"]);
    shop.clock().advance(Period::of_days(121));
    let other = shop.place("eve", "TEA", 1, &key("again", 1)).await;
    shop.pay(&other).await;
    shop.label(&other, NUMBER).await;
    assert_eq!(steps(&tracking(&shop, &other).await), [""; 0], "nothing of the earlier parcel");
    scanned(&shop, "out_for_delivery").await;
    assert_eq!(steps(&tracking(&shop, &other).await), ["out_for_delivery"]);
    let after = tracking(&shop, &placed).await;
    assert_eq!(after["shipments"], before["shipments"], "what was kept of it is shown");
    let page = shop.reply(&Ask::get(page(&shop, &placed).await)).await;
    is_page(&page, 200, "Tracking history (3)");
    assert!(!page.body.contains("Out for delivery</b>"), "{}", page.body);
}

#[tokio::test]
async fn links_that_open_nothing_are_pages_in_the_readers_language() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let path = page(&shop, &placed).await;
    let order = OrderId::parse(&placed.id).unwrap();
    let customer = CustomerId::member(ADA).unwrap();
    let soon = shop.now().plus(Period::of_days(1));
    let of = |order: &OrderId, customer: &CustomerId| TrackingLink {
        order: order.clone(),
        customer: customer.clone(),
    };
    let pass = OrderPass { order: order.clone(), customer: customer.clone() };
    let eve = CustomerId::member("eve").unwrap();
    let foreign_keys = serde_json::from_value(json!({ "current": "another key" })).unwrap();
    for token in [
        "x".to_owned(),
        path.trim_start_matches("/t/").replace('.', ".A"),
        links().order_pass(&pass, soon),
        links().tracking_link(&of(&order, &eve), soon),
        links().tracking_link(&of(&OrderId::derive(&["none"]), &customer), soon),
        Links::new(foreign_keys).tracking_link(&of(&order, &customer), soon),
    ] {
        let path = format!("/t/{token}");
        let body = format!("alert={}&choice=wait", AlertId::derive(&["1"]));
        is_page(&shop.reply(&Ask::get(&path)).await, 404, "This link does not work");
        is_page(&shop.reply(&filled(&path, &body)).await, 404, "This link does not work");
        let chinese = Ask::get(&path).with("accept-language", "zh-CN,zh;q=0.9");
        is_page(&shop.reply(&chinese).await, 404, "此链接无法打开");
    }
    // The page's link is no pass to the order.
    let guest = shop.place_as_guest("TEA", 1, &key("guest", 0)).await;
    let token = page(&shop, &guest).await.trim_start_matches("/t/").to_owned();
    let path_of_guest = guest.path("/tracking");
    assert_eq!(shop.reply(&Ask::get(path_of_guest).with("order-token", token)).await.status, 401);
    shop.clock().advance(Period::of_days(91));
    is_page(&shop.reply(&Ask::get(&path)).await, 410, "This link has expired");
    let late = filled(&format!("{path}?lang=zh"), "choice=wait");
    is_page(&shop.reply(&late).await, 410, "此链接已过期");
}

#[tokio::test]
async fn a_choice_is_noted_once_and_thanked_for() {
    let shop = Shop::open().await;
    generous(&shop).await;
    let placed = late(&shop).await;
    watch(&shop).await;
    let path = page(&shop, &placed).await;
    let offered = shop.reply(&Ask::get(&path)).await;
    is_page(&offered, 200, "Your parcel is late");
    assert!(offered.body.contains("We have given you 200 points for this."));
    assert!(offered.body.contains("put a voucher into your account"));
    let ask = choosing(&shop, &placed, "choice=refund&note=It+was+a+present.").await;
    let reply = shop.reply(&ask).await;
    assert_eq!((reply.status, reply.headers["location"].as_str()), (303, "?lang=en&done=1"));
    let noted = shop.state().await.unwrap();
    shop.clock().advance(Period::of_seconds(60));
    assert_eq!(shop.reply(&ask).await.status, 303);
    shop.settle().await.unwrap();
    assert_eq!(shop.state().await.unwrap()["tables"], noted["tables"], "the same is noted already");
    let [wish] = &wishes(&shop)[..] else { panic!("told once") };
    assert_eq!((wish.order.as_str(), wish.choice), (placed.id.as_str(), Choice::Refund));
    is_page(&shop.reply(&Ask::get(format!("{path}?done=1"))).await, 200, "Thank you.");
    let chosen = &tracking(&shop, &placed).await["shipments"][0]["alerts"][0]["chosen"];
    assert_eq!(
        (&chosen["choice"], &chosen["note"]),
        (&json!("refund"), &json!("It was a present."))
    );
    // Another choice takes its place.
    let other = choosing(&shop, &placed, "choice=wait").await;
    assert_eq!(shop.reply(&other).await.status, 303);
    shop.settle().await.unwrap();
    assert_eq!(wishes(&shop).len(), 2);
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "You chose: Wait a little longer");
}

#[tokio::test]
async fn what_is_not_offered_or_settled_is_not_chosen() {
    let shop = Shop::open().await;
    let placed = late(&shop).await;
    watch(&shop).await;
    let path = page(&shop, &placed).await;
    let settled = "This is settled already";
    let reship = choosing(&shop, &placed, "choice=reship").await;
    is_page(&shop.reply(&reship).await, 409, settled);
    let foreign = format!("alert={}&choice=wait", AlertId::derive(&["another"]));
    is_page(&shop.reply(&filled(&path, &foreign)).await, 409, settled);
    let wait = choosing(&shop, &placed, "choice=wait").await;
    let alert = listed(&shop, "").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(shop.reply(&resolving(&alert, "carrier_asked")).await.status, 200);
    is_page(&shop.reply(&wait).await, 409, settled);
    shop.settle().await.unwrap();
    assert_eq!(wishes(&shop), []);
    for body in ["", "alert=x&choice=wait", "choice=wait&points=5"] {
        assert_eq!(shop.reply(&filled(&path, body)).await.status, 400, "{body}");
    }
    let json = Ask::post(&path, &json!({ "choice": "wait" }));
    assert_eq!(shop.reply(&json).await.problem(), "unsupported-media-type");
    assert_eq!(shop.reply(&filled(&path, &"a".repeat(70_000))).await.status, 413);
}

#[tokio::test]
async fn a_corrected_address_is_asked_for_until_it_can_be_read() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    left(&shop, &placed).await;
    shop.clock().advance(Period::of_seconds(3_600));
    scanned(&shop, "attempt_failed").await;
    watch(&shop).await;
    let empty = choosing(&shop, &placed, "choice=address&city=Leeds").await;
    is_page(&shop.reply(&empty).await, 422, "Please fill this in.");
    let past = choosing(&shop, &placed, "choice=date&day=2020-01-01").await;
    is_page(&shop.reply(&past).await, 422, "Please choose a day from tomorrow on");
    assert_eq!(wishes(&shop), []);
    let right = "choice=address&line1=1+New+Road&city=Leeds&postal_code=LS1+1AA";
    let right = choosing(&shop, &placed, right).await;
    assert_eq!(shop.reply(&right).await.status, 303);
    let alert = AlertId::parse(&first_alert(&shop, &placed).await).unwrap();
    let wish = shop.store().alert(&alert).await.unwrap().unwrap().wish.unwrap();
    let address = wish.address.unwrap();
    assert_eq!((address.line1.as_str(), address.country.as_str()), ("1 New Road", "GB"));
    // Nothing of it is on the page, which others may see.
    let seen = shop.reply(&Ask::get(page(&shop, &placed).await)).await;
    assert!(!seen.body.contains("New Road") && !seen.body.contains(address.name.as_str()));
}

#[tokio::test]
async fn a_page_that_cannot_be_made_says_so() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let path = page(&shop, &placed).await;
    // The secret, the policy and the order are read; the last of them fails.
    shop.port("tracking-page").unwrap().fail(3, Fault::Before);
    let reply = shop.reply(&Ask::get(&path)).await;
    is_page(&reply, 503, "One moment, please");
    assert_eq!(reply.headers["retry-after"], "5");
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "Waiting for payment");
}
