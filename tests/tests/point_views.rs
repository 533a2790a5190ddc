//! What members see of their points, whole functions: movements with their
//! reasons, accounts that are linked, the rules, what can be had, and the page.

use aftercart::{
    model::{
        customer::CustomerId,
        id::{LinkId, OrderId},
        points::{Account, Authority, Ledger, Link},
        policy::Policy,
        time::Period,
    },
    run::links::{Links, MemberLink, TrackingLink},
    store::{Commit, Sends, points, settings},
};
use aftercart_infra::world::{Ask, Fault, Reply, secrets};
use serde_json::{Value, json};

use crate::{
    rewards::{coupon, give, mug, offer, service, taken},
    shop::{ADA, KEY, Placed, Shop, key},
};

const NUMBER: &str = "AB-1234";

/// The account that flows into Ada's.
const STORE: &str = "ada-in-the-store";

fn member(name: &str) -> CustomerId {
    CustomerId::member(name).unwrap()
}

async fn asked(shop: &Shop, ask: Ask) -> Value {
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

async fn view(shop: &Shop, name: &str, query: &str) -> Value {
    asked(shop, Ask::get(format!("/me/points{query}")).by_member(name)).await
}

/// The path of the page, by the link that the member gets.
pub(crate) async fn page(shop: &Shop, name: &str) -> String {
    let link = view(shop, name, "").await["page"].as_str().unwrap().to_owned();
    let (origin, token) = link.split_once("/m/").unwrap();
    assert!(origin.starts_with("https://"), "{link}");
    format!("/m/{token}")
}

/// Sets a programme with rates, an offset and tiers.
pub(crate) async fn programme(shop: &Shop) {
    let mut policy = json!(Policy::default_document().unwrap());
    let title = |en: &str, zh: &str| json!({ "en": en, "zh": zh });
    let points = &mut policy["points"];
    points["offset"] = json!({
        "minor_per_100_points": { "GBP": 100 }, "max_share": 5_000, "least_points": 50,
    });
    points["earning"] = json!({ "multipliers": [
        { "id": "opening", "title": title("Opening weeks", "开业加赠"), "extra": 10_000 },
    ] });
    points["tiers"] = json!({ "levels": [
        { "id": "gold", "title": title("Gold", "金卡"), "reach": [{ "points": 400 }] },
    ] });
    shop.store().commit(settings::put_policy(&policy.to_string())).await.unwrap();
}

/// Gives Ada 150 points, and an account that flows into hers, in which 45 wait.
pub(crate) async fn link_accounts(shop: &Shop) {
    give(shop, ADA, &[(150, 400)]).await;
    let mut main = shop.store().ledger(&member(ADA)).await.unwrap();
    main.link.from = vec![member(STORE)];
    let mut other = Ledger::empty(member(STORE));
    let by = Authority { rule: "base", policy: "1" };
    let earning = other.earn(&OrderId::derive(&["store"]), &[45], None, shop.now(), by).unwrap();
    other.link = Link { into: Some((member(ADA), LinkId::derive(&["1"]))), from: Vec::new() };
    let saved = [&main, &other].map(|ledger| points::save(ledger, None, &Sends::none()));
    let commit: Commit = saved.into_iter().chain([points::post_earning(&earning)]).collect();
    shop.store().commit(commit).await.unwrap();
}

async fn delivered(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, NUMBER).await;
    placed
}

#[tokio::test]
async fn movements_say_what_they_were_and_why() {
    let shop = Shop::open().await;
    programme(&shop).await;
    let placed = delivered(&shop).await;
    let seen = view(&shop, ADA, "").await;
    let [earned] = seen["movements"].as_array().unwrap().as_slice() else { panic!("{seen}") };
    assert_eq!(earned["what"], "Earned with a purchase");
    assert_eq!((&earned["kind"], &earned["order"]), (&json!("earned"), &json!(placed.id)));
    assert_eq!(earned["changes"], json!([{ "account": "pending", "points": 50 }]));
    let gave = |title: &str, extra: &str| {
        json!([
            { "rule": "base", "title": title, "points": 25 },
            { "rule": "opening", "title": extra, "points": 25 },
        ])
    };
    assert_eq!(earned["gave"], gave("Base rate", "Opening weeks"));
    assert_eq!(earned["waiting"]["points"], 50);
    assert!(earned["waiting"].get("matures_at").is_some());
    shop.clock().advance(Period::of_days(14));
    shop.run_schedule("points-settle").await.unwrap();
    let chinese = Ask::get("/me/points").by_member(ADA).with("accept-language", "zh-CN,en;q=0.5");
    let seen = asked(&shop, chinese).await;
    let [matured, earned] = seen["movements"].as_array().unwrap().as_slice() else {
        panic!("{seen}")
    };
    assert_eq!((&seen["language"], &seen["zone"]), (&json!("zh"), &json!("UTC")));
    assert_eq!(matured["what"], "退货期结束，积分可用");
    assert_eq!(matured["lots"], json!([seen["lots"][0]]));
    assert_eq!(earned["gave"], gave("基础积分", "开业加赠"));
    assert_eq!(earned.get("waiting"), None, "it waits no longer");
    assert_eq!(seen["balances"]["spendable"], 50);
}

#[tokio::test]
async fn movements_of_one_kind_are_listed_and_kinds_are_known() {
    let shop = Shop::open().await;
    delivered(&shop).await;
    shop.clock().advance(Period::of_days(14));
    shop.run_schedule("points-settle").await.unwrap();
    let kinds = |seen: &Value| {
        let all = seen["movements"].as_array().unwrap().clone();
        all.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&view(&shop, ADA, "").await), ["matured", "earned"]);
    assert_eq!(kinds(&view(&shop, ADA, "?kind=earned&lang=zh").await), ["earned"]);
    let first = view(&shop, ADA, "?kind=earned&limit=1").await;
    assert_eq!(kinds(&first), [""; 0], "what is looked at is another one");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = view(&shop, ADA, &format!("?kind=earned&limit=1&cursor={cursor}")).await;
    assert_eq!(kinds(&second), ["earned"]);
    for (query, field) in
        [("?kind=borrowed", "kind"), ("?colour=red", "colour"), ("?cursor=x", "cursor")]
    {
        let reply = shop.reply(&Ask::get(format!("/me/points{query}")).by_member(ADA)).await;
        assert_eq!((reply.status, &reply.json()["field"]), (400, &json!(field)), "{query}");
    }
    let unknown = shop.reply(&Ask::get("/me/points?kind=borrowed").by_member(ADA)).await;
    assert!(unknown.body.contains("taken_back"), "{}", unknown.body);
}

#[tokio::test]
async fn linked_accounts_show_the_same_points() {
    let shop = Shop::open().await;
    link_accounts(&shop).await;
    let (mut main, mut other) = (view(&shop, ADA, "").await, view(&shop, STORE, "").await);
    for seen in [&mut main, &mut other] {
        assert!(seen.as_object_mut().unwrap().remove("page").is_some());
    }
    assert_eq!(main, other);
    let balances =
        json!({ "pending": 45, "available": 150, "held": 0, "spendable": 150, "debt": 0 });
    assert_eq!(main["balances"], balances);
    let theirs = shop.store().ledger(&member(STORE)).await.unwrap();
    assert_eq!(theirs.balance(Account::Available), 0);
    offer(&shop, "mug", &mug(3)).await;
    let offers = |name: &str| asked(&shop, Ask::get("/me/points/offers").by_member(name));
    assert_eq!(offers(ADA).await, offers(STORE).await);
}

#[tokio::test]
async fn held_points_say_for_what() {
    let shop = Shop::open().await;
    programme(&shop).await;
    give(&shop, ADA, &[(400, 300), (50, 200)]).await;
    let mut body = crate::shop::order(&[("TEA", 2)]);
    body["points"] = json!(100);
    let placed =
        shop.placed(Ask::post("/orders", &body).by_member(ADA).keyed(KEY), Some(ADA)).await;
    let seen = view(&shop, ADA, "").await;
    assert_eq!(seen["holds"], json!([{ "held_for": "order", "id": placed.id, "points": 100 }]));
    assert_eq!(
        (&seen["lots"][0]["points"], &seen["balances"]["spendable"]),
        (&json!(50), &json!(350))
    );
}

#[tokio::test]
async fn the_rules_follow_the_policy_in_both_languages() {
    let shop = Shop::open().await;
    let rules = |query: &str| Ask::get(format!("/points/programme{query}"));
    let before = asked(&shop, rules("")).await;
    let parts = |told: &Value| told["sections"].as_array().unwrap().len();
    assert_eq!(parts(&before), 5);
    programme(&shop).await;
    shop.clock().advance(Period::of_seconds(61));
    let (english, chinese) = (asked(&shop, rules("")).await, asked(&shop, rules("?lang=zh")).await);
    assert_eq!((parts(&english), parts(&chinese)), (7, 7));
    assert!(english.to_string().contains("Gold: for 400 points earned."), "{english}");
    assert!(chinese.to_string().contains("金卡：升级条件为获得 400 积分。"), "{chinese}");
    let version = json!(Policy::default_document().unwrap().version.as_str());
    assert_eq!((&english["policy"], &english["language"]), (&version, &json!("en")));
    let reply = shop.reply(&rules("?langue=zh")).await;
    assert_eq!((reply.status, &reply.json()["field"]), (400, &json!("langue")));
}

#[tokio::test]
async fn offers_say_what_can_be_had_and_what_is_missing() {
    let shop = Shop::open().await;
    programme(&shop).await;
    let offers = || asked(&shop, Ask::get("/me/points/offers").by_member(ADA));
    let nothing = offers().await;
    assert_eq!(nothing["offset"][0]["missing"], 50);
    assert_eq!((&nothing["offset"][0]["pays"], &nothing["rewards"]), (&json!(0), &json!([])));
    give(&shop, ADA, &[(120, 400)]).await;
    for (id, reward) in [("mug", mug(3)), ("five-off", coupon()), ("service", service())] {
        offer(&shop, id, &reward).await;
    }
    let mut gold = service();
    (gold["tiers"], gold["points"]) = (json!(["gold"]), json!(5));
    offer(&shop, "gold-only", &gold).await;
    let mut trip = service();
    trip["points"] = json!(5_000);
    offer(&shop, "trip", &trip).await;
    let names = |seen: &Value| {
        let all = seen["rewards"].as_array().unwrap().clone();
        let of =
            |it: &Value| (it["id"].as_str().unwrap().to_owned(), it["missing"].as_i64().unwrap());
        all.iter().map(of).collect::<Vec<_>>()
    };
    let named = |all: &[(&str, i64)]| {
        all.iter().map(|(id, missing)| ((*id).to_owned(), *missing)).collect::<Vec<_>>()
    };
    let seen = offers().await;
    assert_eq!(
        names(&seen),
        named(&[("mug", 0), ("five-off", 0), ("service", 0), ("trip", 4_880)])
    );
    assert_eq!((&seen["offset"][0]["pays"], &seen["rewards"][0]["left"]), (&json!(120), &json!(3)));
    assert_eq!(seen["offset"][0]["what"], "They pay up to 1.20 GBP of an order.");
    // One mug for a member, and the points that it took are held.
    taken(&shop, ADA, "mug", KEY).await;
    let after = offers().await;
    assert_eq!(names(&after), named(&[("five-off", 0), ("service", 0), ("trip", 4_980)]));
    assert_eq!(shop.reply(&Ask::get("/me/points/offers")).await.status, 401);
    let odd = shop.reply(&Ask::get("/me/points/offers?id=1").by_member(ADA)).await;
    assert_eq!(odd.status, 400);
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

#[tokio::test]
async fn the_page_shows_the_points_and_looking_records_nothing() {
    let shop = Shop::open().await;
    programme(&shop).await;
    link_accounts(&shop).await;
    offer(&shop, "mug", &mug(3)).await;
    let path = page(&shop, ADA).await;
    let before = shop.state().await.unwrap();
    let shown = shop.reply(&Ask::get(&path)).await;
    for words in [
        "<h1>150 points to spend</h1>",
        "They pay up to 1.50 GBP of an order.",
        "<dt>Waiting</dt><dd><b>45 points</b></dd>",
        "To reach Gold: ",
        "<b>A reward</b></div><span class=\"sum good\">100 points</span>",
        "Opening weeks: 100% more points.",
    ] {
        is_page(&shown, 200, words);
    }
    is_page(&shop.reply(&Ask::get(format!("{path}?lang=zh"))).await, 200, "可用 150 积分");
    let chinese = Ask::get(&path).with("accept-language", "zh-CN,zh;q=0.9");
    is_page(&shop.reply(&chinese).await, 200, "<html lang=\"zh-Hans\">");
    is_page(&shop.reply(&Ask::get(format!("{path}?cursor=x"))).await, 200, "150 points");
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn earlier_movements_are_a_link_away() {
    let shop = Shop::open().await;
    let path = page(&shop, ADA).await;
    for number in 0..21 {
        shop.clock().advance(Period::of_seconds(60));
        let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
        shop.pay(&placed).await;
    }
    let first = shop.reply(&Ask::get(&path)).await.body;
    assert_eq!(first.matches("Earned with a purchase").count(), 20);
    let (_, rest) = first.split_once("?lang=en&amp;cursor=").unwrap();
    let cursor = rest.split('"').next().unwrap();
    let second = shop.reply(&Ask::get(format!("{path}?lang=en&cursor={cursor}"))).await.body;
    assert_eq!(second.matches("Earned with a purchase").count(), 1);
    assert!(!second.contains("Earlier movements"));
}

#[tokio::test]
async fn links_that_open_nothing_are_pages_in_the_readers_language() {
    let shop = Shop::open().await;
    let path = page(&shop, ADA).await;
    let soon = shop.now().plus(Period::of_days(1));
    let link = MemberLink { customer: member(ADA) };
    let tracking = TrackingLink { order: OrderId::derive(&["1"]), customer: member(ADA) };
    let foreign_keys = serde_json::from_value(json!({ "current": "another key" })).unwrap();
    for token in [
        "x".to_owned(),
        path.replace("/m/", "AAAA"),
        links().tracking_link(&tracking, soon),
        Links::new(foreign_keys).member_link(&link, soon),
    ] {
        let path = format!("/m/{token}");
        is_page(&shop.reply(&Ask::get(&path)).await, 404, "This link does not work");
        let chinese = Ask::get(&path).with("accept-language", "zh-CN,zh;q=0.9");
        is_page(&shop.reply(&chinese).await, 404, "此链接无法打开");
    }
    // The page's link opens no other page.
    let token = path.trim_start_matches("/m/");
    assert_eq!(shop.reply(&Ask::get(format!("/t/{token}"))).await.status, 404);
    shop.clock().advance(Period::of_days(40));
    is_page(&shop.reply(&Ask::get(&path)).await, 410, "This link has expired");
    is_page(&shop.reply(&Ask::get(format!("{path}?lang=zh"))).await, 410, "此链接已过期");
}

#[tokio::test]
async fn a_failure_of_ours_is_a_page_that_people_can_read() {
    let shop = Shop::open().await;
    let path = page(&shop, ADA).await;
    shop.port("points-page").unwrap().fail_always(Some(Fault::Before));
    let reply = shop.reply(&Ask::get(&path)).await;
    is_page(&reply, 503, "We cannot show this right now");
    assert_eq!(reply.headers["retry-after"], "5");
}
