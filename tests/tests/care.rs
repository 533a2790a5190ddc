//! What is done about tickets, whole functions: operators who act, the
//! customer's page, complaints by the link to the parcels, and reports.

use std::collections::BTreeMap;

use aftercart::{
    messages::{Envelope, Message, Queue, TicketNews, TicketWaits, TicketWhy},
    model::{
        customer::CustomerId,
        id::{OrderId, TicketId},
        order::Actor,
        text::Text,
        ticket::{MAX_ENTRIES, Outcome, Remedy, RemedyKind, TicketEntry, TicketStatus},
        time::Period,
    },
    run::{
        links::{Links, OrderPass, TicketLink, TrackingLink},
        metrics::Metric,
    },
    store::settings,
};
use aftercart_infra::world::{Ask, Caller, Fault, Reply, secrets};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    shop::{ADA, KEY, Placed, Shop, key},
    tickets::change,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// What is done about a ticket, by whoever is asked for.
pub(crate) fn doing(ticket: &str, what: &str, body: &Value) -> Ask {
    let ask = Ask::post(format!("/operator/tickets/{ticket}/{what}"), body);
    ask.by(Caller::Operator)
}

pub(crate) fn replying(ticket: &str, number: usize) -> Ask {
    let body = json!({ "text": "We look into it." });
    doing(ticket, "reply", &body).keyed(&key("reply", number))
}

pub(crate) fn remedying(ticket: &str, remedy: &Value) -> Ask {
    doing(ticket, "remedies", &json!({ "remedy": remedy })).keyed(KEY)
}

pub(crate) fn solving(ticket: &str) -> Ask {
    doing(ticket, "solution", &json!({ "cause": "other", "text": "A new one is on its way." }))
}

/// A paid order of ADA's, and the ticket that she opened about it.
pub(crate) async fn complained(shop: &Shop) -> (Placed, String) {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    let body = json!({ "order": placed.id, "topic": "delivery", "text": "It came too late." });
    let reply = shop.reply(&Ask::post("/me/tickets", &body).by_member(ADA).keyed(KEY)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    shop.settle().await.unwrap();
    (placed, reply.text("/id"))
}

/// A price rule of which vouchers are given, to say sorry.
pub(crate) async fn sorry(shop: &Shop) {
    let rules = json!({ "version": "1", "zone": "UTC", "rules": [
        { "id": "sorry", "title": { "en": "A tenth off" },
          "effect": { "percent": { "off": 1000 } }, "coupon": { "voucher": true } },
    ]});
    shop.store().commit(settings::put_price_rules(&rules.to_string())).await.unwrap();
}

async fn done(shop: &Shop, ask: &Ask) -> Value {
    let reply = shop.reply(ask).await;
    assert!([200, 201].contains(&reply.status), "{}", reply.body);
    shop.settle().await.unwrap();
    reply.json()
}

fn links() -> Links {
    Links::new(serde_json::from_value(json!({ "current": secrets::LINKS })).unwrap())
}

fn ada() -> CustomerId {
    CustomerId::member(ADA).unwrap()
}

fn parsed(ticket: &str) -> TicketId {
    TicketId::parse(ticket).unwrap()
}

/// The path of a ticket's page.
pub(crate) fn page_of(shop: &Shop, ticket: &str, customer: CustomerId) -> String {
    let link = TicketLink { ticket: parsed(ticket), customer };
    format!("/c/{}", links().ticket_link(&link, shop.now().plus(Period::of_days(1))))
}

pub(crate) fn page_of_ada(shop: &Shop, ticket: &str) -> String {
    page_of(shop, ticket, ada())
}

/// The path of the page for complaints about an order.
pub(crate) fn complaints_of(shop: &Shop, placed: &Placed) -> String {
    let link = TrackingLink { order: OrderId::parse(&placed.id).unwrap(), customer: ada() };
    format!("/complaints/{}", links().tracking_link(&link, shop.now().plus(Period::of_days(1))))
}

pub(crate) fn filled(path: &str, body: &str) -> Ask {
    let path = format!("{path}?lang=en");
    Ask::post(path, &json!({})).with("content-type", FORM).with_body(body)
}

async fn sent(shop: &Shop, path: &str, body: &str) -> Reply {
    let reply = shop.reply(&filled(path, body)).await;
    shop.settle().await.unwrap();
    reply
}

fn is_page(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    assert!(reply.headers["content-security-policy"].starts_with(policy));
    assert!(reply.body.contains(words), "{words} is not in {}", reply.body);
}

fn told<T>(shop: &Shop, of: impl Fn(Message) -> Option<T>) -> Vec<T> {
    let told = shop.queue(Queue::Notifications.name());
    told.into_iter().filter_map(|it| of(Envelope::parse(&it.body).unwrap().message)).collect()
}

fn news(shop: &Shop) -> Vec<TicketNews> {
    told(shop, |message| match message {
        Message::TicketNews(news) => Some(news),
        _ => None,
    })
}

fn waits(shop: &Shop) -> Vec<TicketWaits> {
    told(shop, |message| match message {
        Message::TicketWaits(waits) => Some(waits),
        _ => None,
    })
}

async fn entries(shop: &Shop, ticket: &str) -> Vec<TicketEntry> {
    shop.store().ticket_and_entries(&parsed(ticket)).await.unwrap().unwrap().1
}

async fn report(shop: &Shop, query: &str) -> BTreeMap<String, Value> {
    let ask = Ask::get(format!("/operator/ticket-reports{query}")).by(Caller::Operator);
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let lines = reply.json()["lines"].as_array().unwrap().clone();
    lines.into_iter().map(|it| (it["name"].as_str().unwrap().to_owned(), it)).collect()
}

#[tokio::test]
async fn a_reply_reaches_the_customer_and_the_answer_the_desk() {
    let shop = Shop::open().await;
    let (_, ticket) = complained(&shop).await;
    shop.clock().advance(Period::of_seconds(1_200));
    let replied = done(&shop, &replying(&ticket, 1)).await;
    assert_eq!((&replied["status"], &replied["version"]), (&json!("open"), &json!(2)));
    assert_eq!(shop.metrics().counted(Metric::TicketAnswered), 1);
    let last = news(&shop).pop().unwrap();
    assert_eq!((last.entry, last.solved), (2, false));
    assert_eq!(last.text.unwrap().as_str(), "We look into it.");
    let (_, token) = last.link.split_once("/c/").unwrap();
    let path = format!("/c/{token}");
    let before = shop.state().await.unwrap();
    let page = shop.reply(&Ask::get(&path)).await;
    is_page(&page, 200, "We look into it.");
    assert!(page.body.contains("It came too late."));
    is_page(&shop.reply(&Ask::get(format!("{path}?lang=zh"))).await, 200, "客服");
    assert_eq!(shop.state().await.unwrap(), before, "looking records nothing");
    let answered =
        sent(&shop, &path, "do=write&after=2&text=Mail+bob%40example.com%0D%0Aplease").await;
    assert_eq!((answered.status, &*answered.headers["location"]), (303, "?lang=en&done=write"));
    let written = entries(&shop, &ticket).await.pop().unwrap();
    assert_eq!(written.text.unwrap().as_str(), "Mail [mail] please");
    assert_eq!(waits(&shop).pop().unwrap().why, TicketWhy::Written);
    let done = shop.reply(&Ask::get(format!("{path}?lang=en&done=write"))).await;
    is_page(&done, 200, "We have your message.");
}

#[tokio::test]
async fn a_call_or_a_form_that_comes_many_times_has_one_effect() {
    let shop = Shop::open().await;
    let (_, ticket) = complained(&shop).await;
    let ask = replying(&ticket, 1);
    let replies = join_all((0..20).map(|_| shop.reply(&ask))).await;
    assert!(replies.iter().any(|it| it.status == 201));
    assert!(replies.iter().all(|it| [201, 503].contains(&it.status)), "contended at most");
    let again = shop.reply(&ask).await;
    assert_eq!((again.status, &*again.headers["idempotent-replayed"]), (201, "true"));
    assert_eq!(entries(&shop, &ticket).await.len(), 2);
    let other = doing(&ticket, "reply", &json!({ "text": "Another." })).keyed(&key("reply", 1));
    let other = shop.reply(&other).await;
    assert_eq!((other.status, other.problem()), (422, "idempotency-key-reused".to_owned()));
    let path = page_of_ada(&shop, &ticket);
    let form = filled(&path, "do=write&after=2&text=Still+nothing");
    let replies = join_all((0..100).map(|_| shop.reply(&form))).await;
    assert!(replies.iter().any(|it| it.status == 303));
    assert_eq!(shop.reply(&form).await.status, 303);
    assert_eq!(entries(&shop, &ticket).await.len(), 3);
    // What sets a state is so already.
    for ask in [doing(&ticket, "priority", &json!({ "priority": "low" })), solving(&ticket)] {
        let versions = [
            done(&shop, &ask).await["version"].clone(),
            done(&shop, &ask).await["version"].clone(),
        ];
        assert_eq!(versions[0], versions[1]);
    }
}

#[tokio::test]
async fn remedies_reach_the_customer_once_and_the_ticket_says_so() {
    let shop = Shop::open().await;
    sorry(&shop).await;
    let (_, ticket) = complained(&shop).await;
    let points = json!({ "kind": "points", "points": 500 });
    let asked = done(&shop, &remedying(&ticket, &points)).await;
    assert_eq!(asked["remedies"][0]["status"], "asked");
    done(&shop, &remedying(&ticket, &points)).await;
    let coupon = json!({ "kind": "coupon", "rule": "sorry", "lasts": "30d" });
    let coupon = doing(&ticket, "remedies", &json!({ "remedy": coupon })).keyed(&key("coupon", 1));
    let given = done(&shop, &coupon).await;
    done(&shop, &coupon).await;
    assert_eq!(given["remedies"][1]["status"], "done");
    let of_voucher = |it: &TicketNews| it.entry == 3;
    assert_eq!(news(&shop).into_iter().filter(of_voucher).count(), 1, "the customer is told");
    let call = json!({ "kind": "call_back", "phone": "020 7946 0000" });
    let call = doing(&ticket, "remedies", &json!({ "remedy": call })).keyed(&key("call", 1));
    done(&shop, &call).await;
    let calls = told(&shop, |message| match message {
        Message::CallWanted(call) => Some(call),
        _ => None,
    });
    assert_eq!(calls.len(), 1);
    let note = json!({ "text": "Called her.", "called": key("call", 1) });
    done(&shop, &doing(&ticket, "note", &note).keyed(&key("note", 1))).await;
    let stored = shop.store().ticket(&parsed(&ticket)).await.unwrap().unwrap();
    assert_eq!(stored.remedies.len(), 3);
    for remedy in &stored.remedies {
        assert!(matches!(remedy.outcome, Outcome::Done { .. }), "{remedy:?}");
    }
    let vouchers = shop.reply(&Ask::get("/me/vouchers").by_member(ADA)).await.json();
    assert_eq!(vouchers["vouchers"].as_array().unwrap().len(), 1);
    let balances = shop.reply(&Ask::get("/me/points").by_member(ADA)).await.json();
    assert_eq!(balances["balances"]["available"], 500);
    let page = shop.reply(&Ask::get(page_of_ada(&shop, &ticket))).await;
    is_page(&page, 200, "500 points for you");
}

#[tokio::test]
async fn a_solved_ticket_is_confirmed_or_opened_again_and_counted() {
    let shop = Shop::open().await;
    let (_, ticket) = complained(&shop).await;
    shop.clock().advance(Period::of_seconds(1_200));
    let solved = done(&shop, &solving(&ticket)).await;
    assert_eq!((&solved["status"], &solved["cause"]), (&json!("solved"), &json!("other")));
    assert!(news(&shop).pop().unwrap().solved);
    let path = page_of_ada(&shop, &ticket);
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "Is it solved?");
    let yes = sent(&shop, &path, "do=confirm&after=2").await;
    assert_eq!(&*yes.headers["location"], "?lang=en&done=confirm");
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "You told us so.");
    let no = sent(&shop, &path, "do=write&after=3&text=Not+at+all").await;
    assert_eq!(no.status, 303);
    assert_eq!(waits(&shop).pop().unwrap().why, TicketWhy::Reopened);
    done(&shop, &solving(&ticket)).await;
    done(&shop, &doing(&ticket, "reopening", &json!({ "text": "It came back." }))).await;
    assert_eq!(entries(&shop, &ticket).await.len(), 6);
    let all = &report(&shop, "").await["all"];
    assert_eq!((&all["opened"], &all["reopened"]), (&json!(1), &json!(1)));
    assert_eq!((&all["answer"]["count"], &all["solution"]["count"]), (&json!(1), &json!(1)));
    assert_eq!(shop.metrics().counted(Metric::TicketReopened), 2);
    assert_eq!(shop.metrics().counted(Metric::TicketSolved), 2);
}

#[tokio::test]
async fn a_solved_ticket_gets_its_cause_and_no_words_are_lost() {
    let shop = Shop::open().await;
    let (_, ticket) = complained(&shop).await;
    let path = page_of_ada(&shop, &ticket);
    assert_eq!(sent(&shop, &path, "do=confirm&after=1").await.status, 303);
    let refused = shop.reply(&solving(&ticket)).await;
    assert_eq!((refused.status, refused.problem()), (409, "ticket-solved".to_owned()));
    let told = news(&shop).len();
    for _ in 0..2 {
        let cause = doing(&ticket, "solution", &json!({ "cause": "other" }));
        let explained = done(&shop, &cause).await;
        assert_eq!(
            (&explained["status"], &explained["cause"]),
            (&json!("solved"), &json!("other"))
        );
    }
    assert_eq!((news(&shop).len(), entries(&shop, &ticket).await.len()), (told, 3));
    let cause = &report(&shop, "?by=cause").await["other"];
    assert_eq!((&cause["opened"], &cause["solution"]["count"]), (&json!(1), &json!(1)));
    let why = |text: &str| doing(&ticket, "reopening", &json!({ "text": text }));
    for _ in 0..2 {
        done(&shop, &why("It came back.")).await;
    }
    let refused = shop.reply(&why("She called, too.")).await;
    assert_eq!((refused.status, refused.problem()), (409, "ticket-open".to_owned()));
    // The same call again finds its own words.
    for _ in 0..2 {
        done(&shop, &solving(&ticket)).await;
    }
    assert_eq!(entries(&shop, &ticket).await.len(), 5);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_remedy_whose_message_is_lost_is_asked_for_again_and_done_once() {
    let shop = Shop::open().await;
    let (_, ticket) = complained(&shop).await;
    let asked = Remedy {
        key: Text::new(KEY).unwrap(),
        kind: RemedyKind::Points { points: 500 },
        by: Actor::Rule,
        at: shop.now(),
        outcome: Outcome::Asked,
    };
    change(&shop, &parsed(&ticket), |it| it.remedies.push(asked)).await;
    done(&shop, &solving(&ticket)).await;
    shop.clock().advance(Period::of_days(1));
    for _ in 0..2 {
        shop.run_schedule("ticket-watch").await.unwrap();
        shop.settle().await.unwrap();
    }
    assert_eq!(waits(&shop).iter().filter(|it| it.why == TicketWhy::Undone).count(), 1);
    let stored = shop.store().ticket(&parsed(&ticket)).await.unwrap().unwrap();
    assert!(matches!(stored.remedies[0].outcome, Outcome::Done { .. }), "{stored:?}");
    let balances = shop.reply(&Ask::get("/me/points").by_member(ADA)).await.json();
    assert_eq!(balances["balances"]["available"], 500);
    shop.clock().advance(Period::of_days(1));
    shop.run_schedule("ticket-watch").await.unwrap();
    let stored = shop.store().ticket(&parsed(&ticket)).await.unwrap().unwrap();
    assert_eq!(stored.due, None, "nobody looks at it any more");
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_writes_nothing() {
    let shop = Shop::open().await;
    let (_, ticket) = complained(&shop).await;
    let before = shop.state().await.unwrap();
    let text = |length: usize| json!({ "text": "x".repeat(length) });
    for (what, body, status, problem) in [
        ("assignment", json!({ "desk": "moon" }), 422, "unknown-desk"),
        ("assignment", json!({ "who": "eve" }), 400, "invalid-request"),
        ("priority", json!({ "priority": "soon" }), 400, "invalid-request"),
        ("solution", json!({ "cause": "weather" }), 422, "unknown-cause"),
        ("reply", text(2_001), 400, "invalid-request"),
        ("reply", json!({ "text": " " }), 400, "invalid-request"),
        ("note", json!({ "text": "Called.", "called": "no-key" }), 409, "no-call"),
        ("remedies", json!({ "remedy": { "kind": "points", "points": 0 } }), 422, "empty-remedy"),
        ("remedies", json!({ "remedy": { "kind": "refund" } }), 422, "empty-remedy"),
        ("remedies", json!({ "remedy": { "kind": "cake" } }), 400, "invalid-request"),
        (
            "remedies",
            json!({ "remedy": { "kind": "refund", "lines": { "TEA": 0 } } }),
            400,
            "invalid-request",
        ),
        (
            "remedies",
            json!({ "remedy": { "kind": "coupon", "rule": "moon" } }),
            422,
            "unknown-price-rule",
        ),
    ] {
        let reply = shop.reply(&doing(&ticket, what, &body).keyed(KEY)).await;
        assert_eq!((reply.status, reply.problem()), (status, problem.to_owned()), "{what} {body}");
    }
    for what in ["reply", "note", "remedies"] {
        let body = json!({ "text": "Hello", "remedy": {} });
        let reply = shop.reply(&doing(&ticket, what, &body)).await;
        assert_eq!((reply.status, reply.text("/field")), (400, "Idempotency-Key".to_owned()));
    }
    for (id, ask) in [
        ("tkt_aaaaaaaaaaaaaaaaaaaaaaaaaa", solving("tkt_aaaaaaaaaaaaaaaaaaaaaaaaaa")),
        ("nothing", solving("nothing")),
    ] {
        assert_eq!(shop.reply(&ask).await.status, 404, "{id}");
    }
    let by_ada = Ask::post(format!("/operator/tickets/{ticket}/reopening"), &json!({}));
    assert_eq!(shop.reply(&by_ada.by_member(ADA)).await.status, 403);
    assert_eq!(shop.state().await.unwrap(), before);
    done(&shop, &solving(&ticket)).await;
    for (what, body) in
        [("assignment", json!({ "assignee": "eve" })), ("priority", json!({ "priority": "low" }))]
    {
        let reply = shop.reply(&doing(&ticket, what, &body)).await;
        assert_eq!((reply.status, reply.problem()), (409, "ticket-solved".to_owned()), "{what}");
    }
}

#[tokio::test]
async fn a_guest_gets_no_points_and_a_ticket_about_nothing_no_money() {
    let shop = Shop::open().await;
    let guest = shop.place_as_guest("TEA", 1, KEY).await;
    let ask = Ask::post(guest.path("/tickets"), &json!({ "text": "Hm." }));
    let ticket = done(&shop, &guest.sign_in(ask).keyed(KEY)).await["id"].clone();
    let points = json!({ "kind": "points", "points": 5 });
    let reply = shop.reply(&remedying(ticket.as_str().unwrap(), &points)).await;
    assert_eq!((reply.status, reply.problem()), (409, "members-only".to_owned()));
    let body = json!({ "text": "The site is slow.", "email": "ada@example.com" });
    let ticket = done(&shop, &Ask::post("/me/tickets", &body).by_member(ADA).keyed(KEY)).await;
    for remedy in [json!({ "kind": "refund", "delivery": true }), json!({ "kind": "call_back" })] {
        let reply = shop.reply(&remedying(ticket["id"].as_str().unwrap(), &remedy)).await;
        assert_eq!((reply.status, reply.problem()), (409, "no-order".to_owned()), "{remedy}");
    }
}

#[tokio::test]
async fn a_link_that_is_not_the_tickets_opens_nothing() {
    let shop = Shop::open().await;
    let (placed, ticket) = complained(&shop).await;
    let path = page_of_ada(&shop, &ticket);
    let order = OrderId::parse(&placed.id).unwrap();
    let soon = shop.now().plus(Period::of_days(1));
    let pass = links().order_pass(&OrderPass { order, customer: ada() }, soon);
    let (complaints, before) = (complaints_of(&shop, &placed), shop.state().await.unwrap());
    let token = complaints.rsplit('/').next().unwrap();
    for (path, form) in [
        (format!("{path}A"), "do=confirm&after=1"),
        ("/c/the-token-of-a-ticket-link".to_owned(), "do=confirm&after=1"),
        (page_of(&shop, &ticket, CustomerId::member("eve").unwrap()), "do=confirm&after=1"),
        (page_of_ada(&shop, "tkt_aaaaaaaaaaaaaaaaaaaaaaaaaa"), "do=confirm&after=1"),
        (format!("/c/{token}"), "do=confirm&after=1"),
        (format!("/complaints/{pass}"), "topic=price&text=x"),
        ("/complaints/nothing".to_owned(), "topic=price&text=x"),
    ] {
        is_page(&shop.reply(&Ask::get(&path)).await, 404, "This link does not work");
        is_page(&shop.reply(&filled(&path, form)).await, 404, "This link does not work");
    }
    for (path, form, status) in [
        (&path, "do=write&after=1&text=", 422),
        (&path, "do=write&after=1", 422),
        (&complaints, "topic=&text=Hm", 422),
        (&complaints, "topic=weather&text=", 422),
    ] {
        is_page(&shop.reply(&filled(path, form)).await, status, "Nothing was sent yet.");
    }
    for (path, form) in [
        (&path, "do=eat&after=1"),
        (&path, "do=confirm&after=-1"),
        (&path, "do=confirm&after=1&price=0"),
        (&complaints, "topic=price&topic=site&text=x"),
        (&complaints, "topic=price&text=x&seen=yesterday"),
    ] {
        is_page(&shop.reply(&filled(path, form)).await, 400, "This did not work");
        let chinese = Ask::post(format!("{path}?lang=zh"), &json!({})).with("content-type", FORM);
        is_page(&shop.reply(&chinese.with_body(form)).await, 400, "提交未成功");
    }
    for path in [&path, &complaints] {
        let reply = shop.reply(&Ask::post(path, &json!({ "do": "confirm" }))).await;
        assert_eq!(reply.problem(), "unsupported-media-type");
    }
    assert_eq!(shop.state().await.unwrap(), before);
    shop.clock().advance(Period::of_days(1));
    for path in [&path, &complaints] {
        is_page(&shop.reply(&Ask::get(path)).await, 410, "This link has expired");
    }
}

#[tokio::test]
async fn a_complaint_by_the_link_to_the_parcels_is_one_ticket_a_topic() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let path = complaints_of(&shop, &placed);
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "Tell us what went wrong");
    for _ in 0..2 {
        let reply = sent(&shop, &path, "topic=delivery&text=Nobody+came").await;
        assert_eq!((reply.status, &*reply.headers["location"]), (303, "?lang=en&done=1"));
    }
    let thanks = shop.reply(&Ask::get(format!("{path}?lang=en&done=1"))).await;
    is_page(&thanks, 200, "Thank you. We have it.");
    assert!(!thanks.body.contains("Nobody came"));
    let told = news(&shop).pop().unwrap();
    assert!(told.link.contains("/c/"), "{}", told.link);
    let ticket = told.ticket.to_string();
    assert_eq!(entries(&shop, &ticket).await.len(), 1);
    sent(&shop, &path, "topic=delivery&text=Again+nobody+came").await;
    assert_eq!(entries(&shop, &ticket).await.len(), 2);
    sent(&shop, &path, "topic=price&text=Too+dear").await;
    let own = shop.reply(&Ask::get("/me/tickets").by_member(ADA)).await.json();
    assert_eq!(own["tickets"].as_array().unwrap().len(), 2);
    assert_eq!(own["tickets"][0]["order"], json!(placed.id));
}

/// Opens the page for complaints, and fills it in.
async fn filled_anew(shop: &Shop, path: &str, body: &str) -> Ask {
    let page = shop.reply(&Ask::get(path)).await;
    let (_, seen) = page.body.split_once(r#"name="seen" value=""#).unwrap();
    let (seen, _) = seen.split_once('"').unwrap();
    filled(path, &format!("{body}&seen={seen}"))
}

#[tokio::test]
async fn what_a_page_for_complaints_says_is_taken_is_taken() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let path = complaints_of(&shop, &placed);
    // Forms of several people at once, each with its words.
    let said = ["Nobody+came", "It+is+wet", "It+is+torn"];
    let asks = said.map(|text| filled(&path, &format!("topic=delivery&text={text}")));
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    assert!(replies.iter().all(|it| it.status == 303), "{replies:?}");
    shop.settle().await.unwrap();
    let ticket = news(&shop).pop().unwrap().ticket.to_string();
    assert_eq!(entries(&shop, &ticket).await.len(), 3);
    // The same words, a week later: the form counts once, and so does the next.
    done(&shop, &solving(&ticket)).await;
    for count in 5..7 {
        shop.clock().advance(Period::of_seconds(1_000));
        let again = filled_anew(&shop, &path, "topic=delivery&text=Nobody+came").await;
        for _ in 0..2 {
            assert_eq!(shop.reply(&again).await.status, 303);
        }
        assert_eq!(entries(&shop, &ticket).await.len(), count);
    }
    let stored = shop.store().ticket(&parsed(&ticket)).await.unwrap().unwrap();
    assert_eq!((stored.status, stored.reopened), (TicketStatus::Open, 1));
    // What there is no room for is not said to be there.
    change(&shop, &parsed(&ticket), |ticket| ticket.entries = MAX_ENTRIES).await;
    let more = filled(&path, "topic=delivery&text=Again");
    is_page(&shop.reply(&more).await, 409, "Please call us");
}

#[tokio::test]
async fn a_page_that_cannot_be_read_says_so() {
    let shop = Shop::open().await;
    let (placed, ticket) = complained(&shop).await;
    let paths = [page_of_ada(&shop, &ticket), complaints_of(&shop, &placed)];
    for (function, path, form) in [
        ("ticket-page", &paths[0], "do=confirm&after=1"),
        ("complaint-page", &paths[1], "topic=price&text=x"),
    ] {
        shop.restart(function).unwrap();
        shop.port(function).unwrap().fail_always(Some(Fault::Before));
        let reply = shop.reply(&filled(path, form)).await;
        is_page(&reply, 503, "One moment, please");
        assert_eq!(&*reply.headers["retry-after"], "5");
        shop.port(function).unwrap().fail_always(None);
    }
}

#[tokio::test]
async fn a_report_has_a_line_for_each_and_numbers_where_there_are_enough() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    for number in 0..12 {
        let topic = if number < 10 { "delivery" } else { "price" };
        let body = json!({ "order": placed.id, "topic": topic, "text": "Hm." });
        let ask = Ask::post("/me/tickets", &body).by_member(ADA).keyed(&key("ticket", number));
        let ticket = done(&shop, &ask).await["id"].as_str().unwrap().to_owned();
        shop.clock().advance(Period::of_seconds(600));
        done(&shop, &replying(&ticket, number)).await;
        done(&shop, &solving(&ticket)).await;
    }
    let by_topic = report(&shop, "?by=topic").await;
    let delivery = &by_topic["delivery"];
    assert_eq!((&delivery["opened"], &delivery["reopened"]), (&json!(10), &json!(0)));
    let median = delivery["answer"]["median_s"].as_i64().unwrap();
    assert!((600..675).contains(&median), "{median}");
    // Wilson's interval of ten in ten, and of none in ten.
    let all = json!({ "value": 10_000, "low": 7_224, "high": 10_000 });
    assert_eq!(delivery["answer"]["in_time"], all);
    assert_eq!(delivery["reopened_share"], json!({ "value": 0, "low": 0, "high": 2_776 }));
    assert_eq!(
        (&by_topic["price"]["opened"], &by_topic["price"]["reopened_share"]),
        (&json!(2), &Value::Null)
    );
    for (by, name) in
        [("desk", "service"), ("cause", "other"), ("priority", "normal"), ("month", "2026-11")]
    {
        assert_eq!(report(&shop, &format!("?by={by}")).await[name]["opened"], 12, "{by}");
    }
    assert!(report(&shop, "?from=2026-09&to=2026-10").await.is_empty());
    let csv = Ask::get("/operator/ticket-reports?by=desk&format=csv").by(Caller::Operator);
    let csv = shop.reply(&csv).await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(csv.body.contains("\r\nservice,12,12,"), "{}", csv.body);
    for query in
        ["by=weather", "from=yesterday", "from=2026-11&to=2026-10", "format=xml", "who=eve"]
    {
        let ask = Ask::get(format!("/operator/ticket-reports?{query}")).by(Caller::Operator);
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.problem()), (400, "invalid-request".to_owned()), "{query}");
    }
}
