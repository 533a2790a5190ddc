//! Contacts, whole functions: what goes out and what is withheld, nights, one
//! click, choices, and what operators see of it.

use std::collections::BTreeSet;

use aftercart::{
    messages::{CartAbandoned, Envelope, Message, MilestoneReached, Queue},
    model::{
        contact::{Contactee, Contacts, Purpose},
        customer::{CustomerId, Email},
        policy::Policy,
        text::Text,
        time::{Period, Timestamp},
    },
    run::{
        links::{ContactLink, Links},
        metrics::Metric,
        secrets::LinkKeys,
    },
    store::contacts,
};
use aftercart_infra::world::{
    Ask, Caller, Deliveries, Fault, Options, PUBLIC_URL, Reply, dead_letters, secrets,
};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    carts::{fill, guest, put, put_line, reminding},
    shop::{ADA, KEY, Shop, key},
    stock::set_policy,
};

fn at(moment: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-11-{moment}:00Z")).unwrap()
}

/// Ada's cart is due to be reminded of, by day.
pub(crate) async fn abandoned(shop: &Shop) {
    fill(shop, &put(&reminding(&[("TEA", 2)])).by_member(ADA)).await;
    shop.clock().advance_to(at("21T16:00"));
}

/// Ada's cart is due to be reminded of, and it is night.
pub(crate) async fn at_night(shop: &Shop) {
    fill(shop, &put(&reminding(&[("TEA", 2)])).by_member(ADA)).await;
    shop.clock().advance_to(at("21T23:30"));
}

async fn remind(shop: &Shop) {
    shop.run_schedule("cart-remind").await.unwrap();
    shop.settle().await.unwrap();
}

async fn release(shop: &Shop) -> Value {
    let swept = shop.run_schedule("contact-release").await.unwrap();
    shop.settle().await.unwrap();
    swept
}

/// Ada was reminded of her cart.
pub(crate) async fn reminded(shop: &Shop) {
    abandoned(shop).await;
    remind(shop).await;
}

fn reminders(shop: &Shop) -> Vec<CartAbandoned> {
    let of = |body: &str| match Envelope::parse(body).unwrap().message {
        Message::CartAbandoned(it) => Some(it),
        _ => None,
    };
    let told = shop.queue(Queue::Notifications.name());
    told.iter().filter_map(|message| of(&message.body)).collect()
}

/// The messages that the gate let out; one that went out twice counts once.
fn let_out(shop: &Shop) -> usize {
    let of_the_gate = |envelope: &Envelope| envelope.message.queues() == [Queue::Contacts];
    let told = shop.queue(Queue::Notifications.name());
    let told = told.iter().map(|it| Envelope::parse(&it.body).unwrap());
    told.filter(of_the_gate).map(|envelope| envelope.id).collect::<BTreeSet<_>>().len()
}

/// The page to which the last reminder leads.
pub(crate) fn page_of(shop: &Shop) -> String {
    let link = reminders(shop).pop().unwrap().unsubscribe.unwrap();
    link.strip_prefix(PUBLIC_URL).unwrap().to_owned()
}

/// One click in a mail program, on the last reminder.
pub(crate) fn clicking(shop: &Shop) -> Ask {
    Ask::post(page_of(shop), &Value::Null)
        .with("content-type", "application/x-www-form-urlencoded")
        .with_body("List-Unsubscribe=One-Click")
}

/// The form of the page that shows these, of which some are wanted.
pub(crate) fn forms(shown: &[Purpose], wanted: &[Purpose]) -> String {
    let shown = shown.iter().map(|it| format!("shown={}", it.as_str()));
    let wanted = wanted.iter().map(|it| format!("want={}", it.as_str()));
    shown.chain(wanted).collect::<Vec<_>>().join("&")
}

pub(crate) fn choosing(purposes: &Value) -> Ask {
    Ask::put("/me/contact-preferences", &json!({ "purposes": purposes })).by_member(ADA)
}

async fn preferences(shop: &Shop) -> Value {
    let reply = shop.reply(&Ask::get("/me/contact-preferences").by_member(ADA)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// The purposes that Ada wants.
async fn wanted(shop: &Shop) -> BTreeSet<String> {
    let preferences = preferences(shop).await;
    let all = preferences["purposes"].as_array().unwrap().clone();
    let wanted = all.into_iter().filter(|it| it["wanted"] == true);
    wanted.map(|it| it["purpose"].as_str().unwrap().to_owned()).collect()
}

fn names(purposes: &[&str]) -> BTreeSet<String> {
    purposes.iter().map(|it| (*it).to_owned()).collect()
}

fn listing(customer: &str, query: &str) -> Ask {
    Ask::get(format!("/operator/customers/{customer}/contacts{query}")).by(Caller::Operator)
}

async fn listed(shop: &Shop) -> Value {
    let reply = shop.reply(&listing("cus_ada", "")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// What became of the contacts with Ada, latest first.
async fn outcomes(shop: &Shop) -> Vec<String> {
    let listed = listed(shop).await;
    let of = |it: &Value| {
        let outcome = it["outcome"].as_str().unwrap();
        it["why"].as_str().map_or(outcome.to_owned(), |why| format!("{outcome}: {why}"))
    };
    listed["contacts"].as_array().unwrap().iter().map(of).collect()
}

fn ada() -> CustomerId {
    CustomerId::member(ADA).unwrap()
}

/// A message that a milestone was reached, as the relay sends it to the gate.
fn milestone(shop: &Shop, number: usize) -> Envelope {
    let milestone = Text::new(&format!("m{number}")).unwrap();
    let it = MilestoneReached { customer: ada(), milestone, points: 5, unsubscribe: None };
    Envelope::seal(Message::MilestoneReached(it), shop.now(), None)
}

fn send(shop: &Shop, envelope: &Envelope) {
    shop.send(Queue::Contacts, serde_json::to_string(envelope).unwrap());
}

/// The default policy with other rules of contacts.
async fn with_rules(shop: &Shop, change: impl FnOnce(&mut Value)) {
    let mut policy = json!(Policy::default_document().unwrap());
    change(&mut policy["contact"]);
    set_policy(shop, &policy).await;
    for function in ["contact-gate", "contact-page", "contact-preferences"] {
        shop.restart(function).unwrap();
    }
}

#[tokio::test]
async fn a_reminder_goes_out_with_a_link_and_is_noted() {
    let shop = Shop::open().await;
    reminded(&shop).await;
    let [reminder] = &reminders(&shop)[..] else { panic!("one reminder") };
    assert_eq!(reminder.customer, Some(ada()));
    let link = reminder.unsubscribe.as_deref().unwrap();
    assert!(link.starts_with(&format!("{PUBLIC_URL}/u/")) && link.ends_with("?for=carts"));
    assert!(!link.contains(ADA), "the link tells nobody's name");
    let made = shop.store().contacts(&Contactee::member(&ada())).await.unwrap().made;
    assert_eq!(made, [(at("21T16:00"), Purpose::Carts)]);
    let listed = listed(&shop).await;
    let contact = &listed["contacts"][0];
    assert_eq!(listed["contacts"].as_array().unwrap().len(), 1);
    assert_eq!((&contact["purpose"], &contact["outcome"]), (&json!("carts"), &json!("made")));
    assert_eq!(contact["at"], "2026-11-21T16:00:00.000Z");
    assert!(contact["reference"].as_str().unwrap().starts_with("cart_abandoned:msg_"));
    assert_eq!(shop.metrics().counted_by(Metric::ContactAdmitted, &[("Purpose", "carts")]), 1);
}

#[tokio::test]
async fn a_guest_is_known_by_the_address_and_contacted_within_the_same_budget() {
    let shop = Shop::open().await;
    with_rules(&shop, |rules| {
        rules["caps"] = json!([{ "contacts": 1, "window": "30d", "purpose": "carts" }]);
    })
    .await;
    fill(&shop, &guest(Ask::put("/guest/cart", &reminding(&[("TEA", 1)])))).await;
    let other = "another-guests-token-of-a-cart";
    let cart = Ask::put("/guest/cart", &reminding(&[("CUP", 1)])).with("cart-token", other);
    fill(&shop, &cart).await;
    shop.clock().advance_to(at("21T17:00"));
    remind(&shop).await;
    assert_eq!(reminders(&shop).len(), 1, "both carts name one address");
    // The guest orders: the order tells the operator which address it is.
    let placed = shop.place_as_guest("TEA", 1, KEY).await;
    let customer = CustomerId::guest(KEY);
    let query = format!("?order={}", placed.id);
    let reply = shop.reply(&listing(customer.as_str(), &query)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let outcomes: BTreeSet<String> =
        (0..2).map(|place| reply.text(&format!("/contacts/{place}/outcome"))).collect();
    assert_eq!(outcomes, names(&["made", "withheld"]));
    let address = Contactee::address(&Email::parse("ada@example.com").unwrap());
    assert_eq!(shop.store().contacts(&address).await.unwrap().made.len(), 1);
}

#[tokio::test]
async fn what_came_at_night_goes_out_in_the_morning_once() {
    let shop = Shop::open().await;
    at_night(&shop).await;
    remind(&shop).await;
    assert_eq!((reminders(&shop).len(), outcomes(&shop).await), (0, vec!["waiting".to_owned()]));
    assert_eq!(listed(&shop).await["contacts"][0]["until"], "2026-11-22T08:00:00.000Z");
    shop.clock().advance_to(at("22T07:59"));
    assert_eq!(release(&shop).await, json!({ "done": 0, "settled": 0, "failed": 0 }));
    shop.clock().advance_to(at("22T08:00"));
    assert_eq!(release(&shop).await["done"], 1);
    assert_eq!(release(&shop).await["done"], 0);
    assert_eq!((reminders(&shop).len(), outcomes(&shop).await), (1, vec!["made".to_owned()]));
    assert_eq!(listed(&shop).await["contacts"][0]["at"], "2026-11-22T08:00:00.000Z");
}

#[tokio::test]
async fn a_release_that_fails_is_made_up_for() {
    let shop = Shop::open().await;
    at_night(&shop).await;
    remind(&shop).await;
    shop.clock().advance_to(at("22T08:00"));
    // The index, what waits, then the queue.
    shop.port("contact-release").unwrap().fail(3, Fault::Partial);
    shop.run_schedule("contact-release").await.unwrap_err();
    assert_eq!(shop.queue(Queue::Contacts.name()).len(), 0);
    // The gate is slow: what it has not seen is sent to it again, not at once.
    for (minutes, sent) in [(0, 1), (5, 1), (15, 2)] {
        shop.clock().advance_to(at("22T08:00").plus(Period::of_seconds(minutes * 60)));
        shop.run_schedule("contact-release").await.unwrap();
        assert_eq!(shop.queue(Queue::Contacts.name()).len(), sent, "{minutes}");
    }
    shop.settle().await.unwrap();
    assert_eq!((let_out(&shop), outcomes(&shop).await), (1, vec!["made".to_owned()]));
}

#[tokio::test]
async fn what_waits_and_no_retry_mends_is_put_off() {
    let shop = Shop::open().await;
    at_night(&shop).await;
    remind(&shop).await;
    shop.clock().advance_to(at("22T08:00"));
    // The index, what waits, the queue, then the write.
    shop.port("contact-release").unwrap().fail(4, Fault::Refuse);
    shop.run_schedule("contact-release").await.unwrap_err();
    let waiting = async |moment| shop.store().contacts_waiting(at(moment), 9).await.unwrap().len();
    assert_eq!((waiting("22T08:59").await, waiting("22T09:00").await), (0, 1));
}

#[tokio::test]
async fn nobody_is_reminded_in_the_morning_of_a_cart_that_changed() {
    for (what, change) in [
        ("changed", put_line("/cart", "CUP", 1).by_member(ADA)),
        ("emptied", put_line("/cart", "TEA", 0).by_member(ADA)),
    ] {
        let shop = Shop::open().await;
        at_night(&shop).await;
        remind(&shop).await;
        shop.clock().advance_to(at("22T07:00"));
        fill(&shop, &change).await;
        shop.clock().advance_to(at("22T08:00"));
        release(&shop).await;
        assert_eq!(reminders(&shop).len(), 0, "{what}");
        assert_eq!(outcomes(&shop).await, ["withheld: too_late"], "{what}");
    }
}

#[tokio::test]
async fn the_night_is_where_the_member_says() {
    let shop = Shop::open().await;
    let zone = Ask::put("/me/contact-preferences", &json!({ "zone": "Asia/Shanghai" }));
    let reply = shop.reply(&zone.by_member(ADA)).await;
    assert_eq!((reply.status, reply.text("/zone")), (200, "Asia/Shanghai".to_owned()));
    reminded(&shop).await;
    // It is midnight there.
    assert_eq!((reminders(&shop).len(), outcomes(&shop).await), (0, vec!["waiting".to_owned()]));
    shop.clock().advance_to(at("22T00:00"));
    release(&shop).await;
    assert_eq!(reminders(&shop).len(), 1);
    assert_eq!(listed(&shop).await["zone"], "Asia/Shanghai");
}

#[tokio::test]
async fn messages_that_come_in_any_order_and_again_go_out_within_the_caps_once() {
    for seed in 0..4 {
        let deliveries = Deliveries::disorderly(seed);
        let shop = Shop::open_with(Options { deliveries, ..Options::default() }).await;
        with_rules(&shop, |rules| {
            rules["purposes"]["programme"]["capped"] = true.into();
            rules["caps"] = json!([{ "contacts": 4, "window": "30d", "reserve": 1 }]);
        })
        .await;
        let envelopes: Vec<Envelope> = (0..12).map(|number| milestone(&shop, number)).collect();
        envelopes.iter().for_each(|envelope| send(&shop, envelope));
        shop.settle().await.unwrap();
        // Redriven later, when there would be room.
        shop.clock().advance(Period::of_days(40));
        envelopes.iter().for_each(|envelope| send(&shop, envelope));
        shop.settle().await.unwrap();
        assert_eq!(let_out(&shop), 3, "seed {seed}");
        let mut outcomes = outcomes(&shop).await;
        outcomes.sort_unstable();
        let expected = [vec!["made"; 3], vec!["withheld: cap"; 9]].concat();
        assert_eq!(outcomes, expected, "seed {seed}");
        let made = shop.store().contacts(&Contactee::member(&ada())).await.unwrap().made;
        assert_eq!(made.len(), 3);
        assert_eq!(shop.metrics().counted(Metric::ContactWithheld), 9);
    }
}

#[tokio::test]
async fn gates_at_once_let_out_no_more_than_there_is_room_for() {
    let shop = Shop::open().await;
    with_rules(&shop, |rules| {
        rules["purposes"]["programme"]["capped"] = true.into();
        rules["caps"] = json!([{ "contacts": 2, "window": "30d" }]);
    })
    .await;
    (0..20).for_each(|number| send(&shop, &milestone(&shop, number)));
    while !shop.queue(Queue::Contacts.name()).is_empty() {
        let consumed = join_all((0..4).map(|_| shop.consume(Queue::Contacts))).await;
        assert!(consumed.iter().all(Result::is_ok));
        shop.clock().advance(Period::of_seconds(120));
    }
    assert_eq!(let_out(&shop), 2);
    assert_eq!(outcomes(&shop).await.len(), 20);
    assert_eq!(shop.queue(&dead_letters(Queue::Contacts)).len(), 0);
}

/// How often a milestone was told, each time counted.
fn milestones(shop: &Shop) -> usize {
    let told = shop.queue(Queue::Notifications.name());
    told.iter().filter(|it| it.body.contains("notification.milestone_reached")).count()
}

#[tokio::test]
async fn what_went_on_does_not_go_on_again() {
    let shop = Shop::open().await;
    let envelope = milestone(&shop, 0);
    for _ in 0..3 {
        send(&shop, &envelope);
        shop.settle().await.unwrap();
        shop.clock().advance(Period::of_days(10));
        assert_eq!(milestones(&shop), 1);
    }
    // By then nobody knows any more whether it did.
    shop.clock().advance(Period::of_days(150));
    send(&shop, &envelope);
    shop.settle().await.unwrap();
    assert_eq!(milestones(&shop), 1);
    let parked = shop.queue(&dead_letters(Queue::Contacts));
    let reason = "it is not known any more whether it was sent";
    assert_eq!(parked[0].reason.as_deref(), Some(reason));
}

#[tokio::test]
async fn who_said_no_meanwhile_is_not_told_what_was_let_out_before() {
    let shop = Shop::open().await;
    with_rules(&shop, |rules| rules["purposes"]["programme"]["capped"] = true.into()).await;
    let envelope = milestone(&shop, 0);
    send(&shop, &envelope);
    // Policy, reads, transaction, the key of links: then the queue does not take it.
    shop.port("contact-gate").unwrap().fail(5, Fault::Before);
    shop.consume(Queue::Contacts).await.unwrap();
    assert_eq!((let_out(&shop), outcomes(&shop).await), (0, vec!["made".to_owned()]));
    assert_eq!(shop.reply(&choosing(&json!({ "programme": false }))).await.status, 200);
    shop.clock().advance(Period::of_seconds(3_600));
    shop.settle().await.unwrap();
    assert_eq!(
        (let_out(&shop), outcomes(&shop).await),
        (0, vec!["withheld: no_consent".to_owned()])
    );
    let known = shop.store().contacts(&Contactee::member(&ada())).await.unwrap();
    assert_eq!(known.made, [], "it took no room of others");
}

#[tokio::test]
async fn a_guest_who_said_no_is_not_reminded_as_a_member() {
    let shop = Shop::open().await;
    let address = Contactee::address(&Email::parse("ada@example.com").unwrap());
    let no = [(Purpose::Carts, false)].into();
    let refusing = Contacts::none(address).choosing(&no, shop.now());
    shop.store().commit(contacts::save(&refusing)).await.unwrap();
    reminded(&shop).await;
    assert_eq!(
        (reminders(&shop).len(), outcomes(&shop).await),
        (0, vec!["withheld: no_consent".to_owned()])
    );
}

#[tokio::test]
async fn what_is_no_contact_is_parked() {
    let shop = Shop::open().await;
    let changed = aftercart::messages::TierChanged { customer: ada() };
    send(&shop, &Envelope::seal(Message::TierChanged(changed), shop.now(), None));
    shop.settle().await.unwrap();
    let parked = shop.queue(&dead_letters(Queue::Contacts));
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].reason.as_deref(), Some("tier.changed is no contact"));
}

#[tokio::test]
async fn one_click_stops_what_the_message_was_of_and_nothing_else() {
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n\
                     One-Click\r\n--b--\r\n";
    for (media_type, body) in [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=b", multipart),
        ("text/plain", ""),
    ] {
        let shop = Shop::open().await;
        reminded(&shop).await;
        let click = clicking(&shop).with("content-type", media_type).with_body(body);
        let reply = shop.reply(&click).await;
        assert_eq!(reply.status, 200, "{media_type}: {}", reply.body);
        assert!(!reply.headers.contains_key("location"), "programs follow nothing");
        assert_eq!(wanted(&shop).await, names(&["surveys", "programme"]), "{media_type}");
        // Again, and from two programs at once: it is so already.
        let before = shop.state().await.unwrap();
        let again = join_all([shop.reply(&click), shop.reply(&click)]).await;
        assert!(again.iter().all(|reply| reply.status == 200));
        assert_eq!(shop.state().await.unwrap(), before);
        // The next reminder is withheld.
        shop.clock().advance_to(at("28T17:00"));
        fill(&shop, &put_line("/cart", "CUP", 1).by_member(ADA)).await;
        shop.clock().advance_to(at("29T10:00"));
        remind(&shop).await;
        assert_eq!(outcomes(&shop).await, ["withheld: no_consent", "made"]);
    }
}

#[tokio::test]
async fn a_link_without_a_purpose_stops_everything() {
    let shop = Shop::open().await;
    reminded(&shop).await;
    let path = page_of(&shop).replace("?for=carts", "");
    for query in ["", "?for=spam"] {
        let yes = json!({ "surveys": true, "carts": true, "programme": true, "marketing": true });
        assert_eq!(shop.reply(&choosing(&yes)).await.status, 200);
        let click = Ask::post(format!("{path}{query}"), &Value::Null).with_body("");
        assert_eq!(shop.reply(&click).await.status, 200);
        assert_eq!(wanted(&shop).await, names(&[]), "{query}");
    }
}

#[tokio::test]
async fn looking_changes_nothing_and_choosing_does() {
    let shop = Shop::open().await;
    reminded(&shop).await;
    let before = shop.state().await.unwrap();
    let page = shop.reply(&Ask::get(page_of(&shop))).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("No more “Cart reminders”?"));
    assert_eq!(shop.state().await.unwrap(), before);

    let form = forms(&Purpose::ALL, &[Purpose::Carts, Purpose::Marketing]);
    let sent = shop.reply(&clicking(&shop).with_body(form)).await;
    assert_eq!((sent.status, sent.headers["location"].as_str()), (303, "?lang=en&done=1"));
    assert_eq!(wanted(&shop).await, names(&["carts", "marketing"]));
    let token = page_of(&shop).replace("?for=carts", "");
    let page = shop.reply(&Ask::get(format!("{token}?lang=zh&done=1"))).await;
    assert!(page.body.contains("已保存") && !page.body.contains("“购物车提醒”"));

    let stop = clicking(&shop).with_body(format!("{}&stop=all", forms(&Purpose::ALL, &[])));
    assert_eq!(shop.reply(&stop).await.status, 303);
    assert_eq!(wanted(&shop).await, names(&[]));
    let stop = format!("{}&stop=carts", forms(&[Purpose::Carts], &[]));
    assert_eq!(shop.reply(&clicking(&shop).with_body(stop)).await.status, 303);
}

#[tokio::test]
async fn links_that_are_not_ours_open_nothing_and_change_nothing() {
    let shop = Shop::open().await;
    reminded(&shop).await;
    let before = shop.state().await.unwrap();
    let links = Links::new(LinkKeys { current: "another".into(), previous: Vec::new() });
    let forged = links.contact_link(&ContactLink { who: Contactee::member(&ada()) });
    let ours = Links::new(LinkKeys { current: secrets::LINKS.into(), previous: Vec::new() });
    let foreign =
        ours.member_link(&aftercart::run::links::MemberLink { customer: ada() }, at("30T00:00"));
    for token in [forged.as_str(), foreign.as_str(), "x", "%00", &"A".repeat(600)] {
        for method in ["GET", "POST"] {
            let path = format!("/u/{token}?for=carts");
            let ask = match method {
                "GET" => Ask::get(path),
                _ => Ask::post(path, &Value::Null).with_body("List-Unsubscribe=One-Click"),
            };
            let reply = shop.reply(&ask).await;
            assert_eq!(reply.status, 404, "{method} {token}");
            assert!(reply.body.contains("This link opens nothing"), "{method} {token}");
        }
    }
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn a_page_that_does_not_work_says_so() {
    let shop = Shop::open().await;
    reminded(&shop).await;
    let path = page_of(&shop);
    shop.port("contact-page").unwrap().fail(1, Fault::Before);
    let reply = shop.reply(&Ask::get(path.clone())).await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("Something does not work here"));
    assert!(reply.headers.contains_key("retry-after"));
    let large = clicking(&shop).with_body("a".repeat(70_000));
    let reply = shop.reply(&large).await;
    assert_eq!((reply.status, reply.problem().as_str()), (413, "body-too-large"));
}

#[tokio::test]
async fn a_member_chooses_and_the_rest_stays() {
    let shop = Shop::open().await;
    let first = preferences(&shop).await;
    assert_eq!(first["quiet"], json!({ "from": "21:00", "until": "08:00" }));
    assert_eq!(first["zone"], "UTC");
    assert_eq!(wanted(&shop).await, names(&["surveys", "carts", "programme"]));
    let reply = shop.reply(&choosing(&json!({ "marketing": true, "carts": false }))).await;
    let chosen = reply.json();
    assert_eq!(chosen["purposes"][3]["chosen_at"], "2026-11-21T12:00:00.000Z");
    assert_eq!(chosen["purposes"][0].get("chosen_at"), None);
    assert_eq!(wanted(&shop).await, names(&["surveys", "programme", "marketing"]));
    // What is so already keeps its moment, and is not written.
    let before = shop.state().await.unwrap();
    shop.clock().advance(Period::of_days(1));
    assert_eq!(shop.reply(&choosing(&json!({ "marketing": true }))).await.json(), chosen);
    assert_eq!(shop.reply(&choosing(&json!({}))).await.json(), chosen);
    assert_eq!(shop.state().await.unwrap(), before);
    let chinese = Ask::get("/me/contact-preferences?lang=zh").by_member(ADA);
    assert_eq!(shop.reply(&chinese).await.text("/purposes/0/title"), "问卷");
    // Many devices at once: each choice is kept.
    let asks = Purpose::ALL
        .map(|purpose| choosing(&json!({ purpose.as_str(): purpose == Purpose::Carts })));
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert_eq!(wanted(&shop).await, names(&["carts"]));
    let listed = listed(&shop).await;
    let carts = json!({
        "purpose": "carts", "wanted": true, "chosen_at": "2026-11-22T12:00:00.000Z",
    });
    assert_eq!(listed["choices"][1], carts);
}

#[tokio::test]
async fn choices_that_cannot_be() {
    let shop = Shop::open().await;
    let put = |body: Value| Ask::put("/me/contact-preferences", &body).by_member(ADA);
    for (ask, field) in [
        (put(json!({ "purposes": { "spam": true } })), "purposes.spam"),
        (put(json!({ "purposes": { "carts": "yes" } })), "purposes.carts"),
        (put(json!({ "zone": "Mars" })), "zone"),
        (put(json!({ "colour": "red" })), "colour"),
        (put(json!("all")), "body"),
        (Ask::get("/me/contact-preferences?page=2").by_member(ADA), "page"),
    ] {
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.problem().as_str()), (400, "invalid-request"), "{field}");
        assert_eq!(reply.text("/field"), field);
    }
    assert_eq!(shop.reply(&Ask::get("/me/contact-preferences")).await.status, 401);
}

#[tokio::test]
async fn operators_ask_for_customers() {
    let shop = Shop::open().await;
    let placed = shop.place_as_guest("TEA", 1, KEY).await;
    let guest = CustomerId::guest(KEY);
    let another = CustomerId::guest(&key("another", 1));
    let problem = async |ask: Ask| -> (u16, String) {
        let reply: Reply = shop.reply(&ask).await;
        (reply.status, reply.problem())
    };
    let invalid = (400, "invalid-request".to_owned());
    let unknown = (404, "not-found".to_owned());
    let order = format!("?order={}", placed.id);
    for (ask, expected) in [
        (listing(guest.as_str(), ""), &invalid),
        (listing("cus_ada", "?limit=2"), &invalid),
        (listing(guest.as_str(), "?order=none"), &unknown),
        (listing(another.as_str(), &order), &unknown),
        (listing("ada", ""), &unknown),
    ] {
        assert_eq!(&problem(ask.clone()).await, expected, "{ask:?}");
    }
    let path = "/operator/customers/cus_ada/contacts";
    assert_eq!(shop.reply(&Ask::get(path).by_member(ADA)).await.status, 403);
    assert_eq!(shop.reply(&Ask::get(path)).await.status, 401);
    let nobody = shop.reply(&listing("cus_nobody", "")).await;
    assert_eq!(nobody.json(), json!({ "customer": "cus_nobody", "choices": [], "contacts": [] }));
}
