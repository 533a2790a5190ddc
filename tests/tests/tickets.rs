//! Tickets, whole functions: which answers and complaints open one and how often,
//! what it is linked to, who sees it, and what time makes of it.

use aftercart::{
    messages::{
        Envelope, Message, Queue, SurveyAnswered, TicketNews, TicketSolved, TicketWaits, TicketWhy,
    },
    model::{
        customer::CustomerId,
        id::{InviteId, ShipmentId, TicketId},
        ticket::{
            CauseCode, DeskId, Priority, Source, Ticket, TicketCounts, TicketEntry, TicketStatus,
            Took, Topic, Writer,
        },
        time::{Period, Timestamp},
    },
    run::metrics::Metric,
    store::{Sends, tickets as stored},
};
use aftercart_infra::world::{Ask, Caller, Deliveries, Fault, PUBLIC_URL, dead_letters};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    answering::invited,
    late_payments::decided,
    shop::{ADA, KEY, Placed, Shop, key},
};

const WATCH: &str = "ticket-watch";
/// Which of the watch's calls writes the first ticket: before it there are the
/// policy or, where that is known still, the key of links, four queries and a
/// batched read.
const WRITE: usize = 7;

/// Answers the survey with a score and a comment; `corrects` names the revision
/// that this corrects.
pub(crate) async fn answer(shop: &Shop, path: &str, body: &Value) {
    let reply = shop.reply(&Ask::post(path, body)).await;
    assert!(reply.status < 300, "{}", reply.body);
}

pub(crate) fn recommending(score: u8, comment: Option<&str>, corrects: Option<u32>) -> Value {
    let mut body = json!({ "answers": { "recommend": score } });
    if let Some(comment) = comment {
        body["answers"]["comment"] = comment.into();
    }
    if let Some(corrects) = corrects {
        body["corrects"] = corrects.into();
    }
    body
}

/// A complaint of a member about an order.
pub(crate) fn complaining(placed: &Placed, text: &str) -> Ask {
    let body = json!({ "order": placed.id, "text": text });
    Ask::post("/me/tickets", &body).by_member(ADA).keyed(KEY)
}

/// The ticket that a member opens by a complaint about a paid order.
pub(crate) async fn complained(shop: &Shop) -> TicketId {
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let reply = shop.reply(&complaining(&placed, "The parcel is late.")).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    shop.settle().await.unwrap();
    TicketId::parse(&reply.text("/id")).unwrap()
}

pub(crate) async fn whole(shop: &Shop, id: &TicketId) -> (Ticket, Vec<TicketEntry>) {
    shop.store().ticket_and_entries(id).await.unwrap().unwrap()
}

/// Changes a ticket as whoever sees to it does.
pub(crate) async fn change(shop: &Shop, id: &TicketId, change: impl FnOnce(&mut Ticket)) {
    let (read, _) = whole(shop, id).await;
    let mut ticket = read.clone();
    change(&mut ticket);
    shop.store().commit(stored::save(&read, &ticket, &[], &Sends::none())).await.unwrap();
}

/// A ticket that is solved, and the survey that asks whether it is.
pub(crate) async fn solved(shop: &Shop) -> (TicketId, String) {
    let id = complained(shop).await;
    let (read, _) = whole(shop, &id).await;
    let now = shop.now();
    let ticket = Ticket {
        status: TicketStatus::Solved,
        answered_at: Some(now),
        solved_at: Some(now),
        due: None,
        ..read.clone()
    };
    let message = Message::TicketSolved(TicketSolved { ticket: id.clone(), at: now });
    let sends = Sends::one(message, now, None);
    shop.store().commit(stored::save(&read, &ticket, &[], &sends)).await.unwrap();
    shop.settle().await.unwrap();
    shop.clock().advance(Period::of_days(2));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    (id, shop.survey_path())
}

fn told(shop: &Shop) -> impl Iterator<Item = Message> + use<> {
    let told = shop.queue(Queue::Notifications.name());
    told.into_iter().map(|it| Envelope::parse(&it.body).unwrap().message)
}

fn desks(shop: &Shop) -> Vec<TicketWaits> {
    let of = |message| match message {
        Message::TicketWaits(waits) => Some(waits),
        _ => None,
    };
    told(shop).filter_map(of).collect()
}

fn news(shop: &Shop) -> Vec<TicketNews> {
    let of = |message| match message {
        Message::TicketNews(news) => Some(news),
        _ => None,
    };
    told(shop).filter_map(of).collect()
}

async fn tickets(shop: &Shop) -> Vec<Value> {
    let reply = shop.reply(&Ask::get("/operator/tickets").by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["tickets"].as_array().unwrap().clone()
}

async fn only(shop: &Shop) -> (Ticket, Vec<TicketEntry>) {
    let [ticket] = &tickets(shop).await[..] else { panic!("not one ticket") };
    whole(shop, &TicketId::parse(ticket["id"].as_str().unwrap()).unwrap()).await
}

async fn counted(shop: &Shop, column: &str) -> TicketCounts {
    let month: String = shop.now().to_string().chars().take(7).collect();
    let counts = shop.store().ticket_counts(&month).await.unwrap();
    counts.get(column).cloned().unwrap_or_default()
}

fn later(shop: &Shop, seconds: u32) {
    shop.clock().advance(Period::of_seconds(seconds));
}

async fn watch(shop: &Shop) -> Value {
    let swept = shop.run_schedule(WATCH).await.unwrap();
    shop.settle().await.unwrap();
    swept
}

#[tokio::test]
async fn a_low_score_opens_one_ticket_with_all_that_it_is_about() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let text = "The courier was a week late, write to me at ada@example.com";
    answer(&shop, &path, &recommending(3, Some(text), None)).await;
    shop.settle().await.unwrap();
    let (ticket, entries) = only(&shop).await;
    assert_eq!((ticket.topic, ticket.priority), (Topic::Delivery, Priority::Normal));
    assert_eq!(ticket.answer_by, ticket.opened_at.plus(Period::of_seconds(3_600)));
    let Source::Survey { invite, .. } = &ticket.source else { panic!("{:?}", ticket.source) };
    let links = &ticket.links;
    assert_eq!(links.parcel.as_ref().map(|it| it.number.to_string()).as_deref(), Some("AB-1234"));
    assert!(links.order.is_some() && links.shipment.is_some(), "{links:?}");
    assert_eq!(links.payments.len(), 1);
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(entry.by, Writer::Customer);
    assert!(!entry.text.as_ref().unwrap().as_str().contains("ada@example.com"));
    let [waits] = &desks(&shop)[..] else { panic!() };
    assert_eq!((waits.why, &waits.ticket), (TicketWhy::Opened, &ticket.id));
    // The page of the survey says that somebody gets in touch.
    assert_eq!(news(&shop), []);
    assert_eq!(counted(&shop, "all").await.opened, 1);
    assert_eq!(counted(&shop, "topic#delivery").await.opened, 1);
    // The same message once more, days later.
    let again = Message::SurveyAnswered(SurveyAnswered { invite: invite.clone() });
    let again = serde_json::to_string(&Envelope::seal(again, shop.now(), None)).unwrap();
    later(&shop, 9 * 86_400);
    shop.send(Queue::Care, again);
    shop.settle().await.unwrap();
    assert_eq!(only(&shop).await, (ticket, entries));
    let month = shop.store().ticket_counts("2026-11").await.unwrap();
    assert_eq!(month["all"].opened, 1);
    assert_eq!(shop.metrics().counted(Metric::TicketOpened), 1);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_good_score_opens_nothing_unless_a_word_alarms() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    answer(&shop, &path, &recommending(9, Some("Lovely"), None)).await;
    shop.settle().await.unwrap();
    assert_eq!(tickets(&shop).await, [] as [Value; 0]);
    // A correction within the day says something else.
    let burnt = "Lovely, but the kettle caught fire";
    answer(&shop, &path, &recommending(9, Some(burnt), Some(1))).await;
    shop.settle().await.unwrap();
    let (ticket, _) = only(&shop).await;
    assert_eq!(ticket.priority, Priority::Urgent);
    assert_eq!(ticket.alarms.len(), 1);
    assert_eq!(ticket.answer_by, ticket.opened_at.plus(Period::of_seconds(900)));
}

#[tokio::test]
async fn what_is_corrected_is_noted_once_in_any_order() {
    let shop = Shop::open().await;
    shop.set_deliveries(Deliveries::disorderly(7));
    let path = invited(&shop).await;
    answer(&shop, &path, &recommending(2, Some("Late"), None)).await;
    shop.settle().await.unwrap();
    answer(&shop, &path, &recommending(1, Some("Late, and broken"), Some(1))).await;
    shop.settle().await.unwrap();
    let (ticket, entries) = only(&shop).await;
    let texts: Vec<&str> =
        entries.iter().filter_map(|it| it.text.as_ref()).map(|it| it.as_str()).collect();
    assert_eq!(texts, ["Late", "Late, and broken"]);
    assert_eq!((ticket.entries, ticket.priority), (2, Priority::Normal));
    assert!(desks(&shop).iter().any(|it| it.why == TicketWhy::Written));
    let dossier = format!("/operator/tickets/{}", ticket.id);
    let dossier = shop.reply(&Ask::get(dossier).by(Caller::Operator)).await.json();
    assert_eq!(dossier["answer"]["revision"], 2);
    assert_eq!(dossier["answer"]["scores"], json!({ "recommend": 1 }));
}

#[tokio::test]
async fn whoever_is_not_satisfied_has_the_ticket_open_again() {
    let shop = Shop::open().await;
    let (id, path) = solved(&shop).await;
    let said =
        |score: u8| json!({ "answers": { "satisfied": score, "comment": "Nobody called." } });
    answer(&shop, &path, &said(1)).await;
    shop.settle().await.unwrap();
    let (ticket, entries) = whole(&shop, &id).await;
    assert_eq!((ticket.status, ticket.reopened), (TicketStatus::Open, 1));
    assert_eq!((ticket.satisfaction, ticket.priority), (Some(1), Priority::High));
    assert_eq!(ticket.answered_at, None, "an answer is owed again");
    assert_eq!(entries.last().and_then(|it| it.text.clone()).unwrap().as_str(), "Nobody called.");
    assert!(desks(&shop).iter().any(|it| it.why == TicketWhy::Reopened));
    // A correction changes what is noted and counted, and no second ticket comes.
    let better = json!({ "answers": { "satisfied": 5 }, "corrects": 1 });
    answer(&shop, &path, &better).await;
    shop.settle().await.unwrap();
    let (ticket, _) = whole(&shop, &id).await;
    assert_eq!((ticket.satisfaction, ticket.reopened), (Some(5), 1));
    let counts = counted(&shop, "all").await;
    assert_eq!((counts.opened, counts.reopened), (1, 1));
    assert_eq!(counts.scores.into_iter().filter(|it| it.1 > 0).collect::<Vec<_>>(), [(5, 1)]);
    assert_eq!(tickets(&shop).await.len(), 1);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_alarm_in_a_late_word_reaches_somebody_wherever_the_ticket_stands() {
    let shop = Shop::open().await;
    let (id, path) = solved(&shop).await;
    let said = |score: u8, text: &str, corrects: Option<u32>| {
        let mut body = json!({ "answers": { "satisfied": score, "comment": text } });
        if let Some(corrects) = corrects {
            body["corrects"] = corrects.into();
        }
        body
    };
    answer(&shop, &path, &said(1, "Nobody called.", None)).await;
    shop.settle().await.unwrap();
    change(&shop, &id, |ticket| {
        (ticket.status, ticket.waiting_since) = (TicketStatus::Waiting, Some(ticket.clock_from));
    })
    .await;
    let before = desks(&shop).len();
    answer(&shop, &path, &said(1, "The new one caught fire.", Some(1))).await;
    shop.settle().await.unwrap();
    let (ticket, _) = whole(&shop, &id).await;
    assert_eq!((ticket.status, ticket.priority), (TicketStatus::Open, Priority::Urgent));
    let told = desks(&shop).split_off(before);
    assert!(told.iter().any(|it| it.why == TicketWhy::Written), "{told:?}");
    // Solved, and then something else that alarms.
    let now = shop.now();
    change(&shop, &id, |ticket| {
        (ticket.status, ticket.solved_at, ticket.due) = (TicketStatus::Solved, Some(now), None);
    })
    .await;
    answer(&shop, &path, &said(1, "I go to my lawyer.", Some(2))).await;
    shop.settle().await.unwrap();
    let (ticket, _) = whole(&shop, &id).await;
    assert_eq!((ticket.status, ticket.reopened), (TicketStatus::Open, 2));
    assert_eq!(ticket.alarms.len(), 2, "{:?}", ticket.alarms);
}

#[tokio::test]
async fn a_ticket_is_counted_where_it_was_opened_and_whole_under_its_cause() {
    let shop = Shop::open().await;
    let id = complained(&shop).await;
    let (opened, _) = whole(&shop, &id).await;
    let cause = |name: &str| CauseCode::parse(name).ok();
    let took = |seconds, in_time| Some(Took { seconds, in_time });
    let steps: [&dyn Fn(&mut Ticket); 6] = [
        &|it| (it.desk, it.priority) = (DeskId::parse("lead").unwrap(), Priority::Urgent),
        &|it| it.counted.answered = took(600, true),
        &|it| (it.counted.solved, it.cause) = (took(900, false), cause("late-carrier")),
        &|it| it.satisfaction = Some(2),
        &|it| (it.satisfaction, it.reopened) = (Some(4), 1),
        &|it| it.cause = cause("lost-parcel"),
    ];
    for step in steps {
        change(&shop, &id, step).await;
    }
    let all = counted(&shop, "all").await;
    assert_eq!((all.opened, all.answered.count(), all.solved.count()), (1, 1, 1));
    assert_eq!((all.answered.in_time, all.solved.in_time, all.reopened), (1, 0, 1));
    assert_eq!((all.scores[&2], all.scores[&4]), (0, 1));
    let name = |value: Value| value.as_str().unwrap().to_owned();
    let (topic, priority) = (json!(opened.topic), json!(opened.priority));
    for column in [
        format!("desk#{}", opened.desk),
        format!("topic#{}", name(topic)),
        format!("priority#{}", name(priority)),
    ] {
        assert_eq!(counted(&shop, &column).await, all, "{column}");
    }
    let by_cause = counted(&shop, "cause#lost-parcel").await;
    assert_eq!((by_cause.opened, by_cause.reopened), (1, 1));
    assert_eq!((by_cause.answered, by_cause.solved), (all.answered, all.solved));
    assert_eq!(by_cause.scores, [(4, 1)].into());
    assert_eq!(counted(&shop, "desk#lead").await, TicketCounts::default());
    let left = counted(&shop, "cause#late-carrier").await;
    assert_eq!((left.opened, left.answered.count(), left.solved.count()), (0, 0, 0));
    for by in ["desk", "priority", "cause"] {
        let ask = Ask::get(format!("/operator/ticket-reports?by={by}")).by(Caller::Operator);
        let reply = shop.reply(&ask).await;
        let lines = reply.json()["lines"].as_array().map(Vec::len);
        assert_eq!((reply.status, lines), (200, Some(1)), "{by} {}", reply.body);
    }
}

#[tokio::test]
async fn an_answer_of_nobody_is_parked() {
    let shop = Shop::open().await;
    let invite = InviteId::derive(&["nobody"]);
    let message = Message::SurveyAnswered(SurveyAnswered { invite });
    let body = serde_json::to_string(&Envelope::seal(message, shop.now(), None)).unwrap();
    shop.send(Queue::Care, body);
    let other =
        Message::TicketSolved(TicketSolved { ticket: TicketId::derive(&["x"]), at: shop.now() });
    shop.send(
        Queue::Care,
        serde_json::to_string(&Envelope::seal(other, shop.now(), None)).unwrap(),
    );
    shop.settle().await.unwrap();
    assert_eq!(shop.queue(&dead_letters(Queue::Care)).len(), 2);
}

#[tokio::test]
async fn a_complaint_is_taken_once_and_answered_the_same() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let ask = complaining(&placed, "It came broken. Call 07700 900123.");
    let replies = join_all((0..10).map(|_| shop.reply(&ask))).await;
    for reply in &replies {
        assert_eq!(reply.status, 201, "{}", reply.body);
        assert_eq!(reply.text("/id"), replies[0].text("/id"));
        assert!(reply.text("/link").contains("/c/"), "{}", reply.body);
    }
    let replayed = replies.iter().filter(|it| it.headers.contains_key("idempotent-replayed"));
    assert_eq!(replayed.count(), 9);
    shop.settle().await.unwrap();
    let (ticket, entries) = only(&shop).await;
    assert_eq!((entries.len(), ticket.topic), (1, Topic::Product));
    assert_eq!(ticket.email.as_str(), "ada@example.com", "that of the order");
    assert_eq!(desks(&shop).len(), 1);
    let [told] = &news(&shop)[..] else { panic!() };
    assert!(told.link.contains("/c/") && !told.solved);
    assert_eq!(counted(&shop, "all").await.opened, 1);
    let other = shop.reply(&complaining(&placed, "Something else.")).await;
    assert_eq!((other.status, other.problem().as_str()), (422, "idempotency-key-reused"));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_is_no_complaint_is_refused() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let guests = shop.place_as_guest("TEA", 1, KEY).await;
    let mine = |body: Value| Ask::post("/me/tickets", &body).by_member(ADA).keyed(KEY);
    let operators =
        |body: Value| Ask::post("/operator/tickets", &body).by(Caller::Operator).keyed(KEY);
    let text = "Late.";
    let path = format!("/guest/orders/{}/tickets", guests.id);
    let elsewhere = ShipmentId::derive(&["elsewhere"]);
    for (ask, status, field) in [
        (mine(json!({})), 400, "body"),
        (mine(json!({ "order": placed.id, "text": " " })), 400, "text"),
        (mine(json!({ "order": placed.id, "text": "x".repeat(2_001) })), 400, "text"),
        (mine(json!({ "order": placed.id, "text": text, "colour": "red" })), 400, "colour"),
        (mine(json!({ "order": placed.id, "text": text, "topic": "weather" })), 400, "topic"),
        (mine(json!({ "order": guests.id, "text": text })), 400, "order"),
        (mine(json!({ "text": text })), 400, "email"),
        (mine(json!({ "text": text, "email": "nobody" })), 400, "email"),
        (
            mine(json!({ "order": placed.id, "text": text, "email": "eve@example.com" })),
            400,
            "email",
        ),
        (mine(json!({ "order": placed.id, "text": text, "shipment": elsewhere })), 400, "shipment"),
        (
            mine(json!({ "text": text, "email": "ada@example.com", "shipment": elsewhere })),
            400,
            "shipment",
        ),
        (
            Ask::post("/me/tickets", &json!({ "order": placed.id, "text": text })).by_member(ADA),
            400,
            "Idempotency-Key",
        ),
        (Ask::post("/me/tickets", &json!({ "text": text })).keyed(KEY), 401, ""),
        (Ask::post(&path, &json!({ "text": text })).keyed(KEY), 401, "Order-Token"),
        (
            Ask::post(&path, &json!({ "text": text })).keyed(KEY).with("order-token", "x.y"),
            401,
            "Order-Token",
        ),
        (
            guests
                .sign_in(Ask::post(&path, &json!({ "text": text, "order": placed.id })).keyed(KEY)),
            400,
            "order",
        ),
        (operators(json!({ "text": text })), 400, "body"),
        (operators(json!({ "customer": "nobody", "text": text })), 400, "customer"),
        (operators(json!({ "customer": "cus_ada", "text": text })), 400, "email"),
        (
            operators(json!({
                "customer": "cus_ada", "order": placed.id, "text": text, "desk": "moon",
            })),
            400,
            "desk",
        ),
        (
            Ask::post("/operator/tickets", &json!({ "text": text })).by_member(ADA).keyed(KEY),
            403,
            "",
        ),
    ] {
        let reply = shop.reply(&ask).await;
        assert_eq!(reply.status, status, "{ask:?}: {}", reply.body);
        let said = reply.json()["field"].as_str().unwrap_or_default().to_owned();
        assert_eq!(said, field, "{ask:?}: {}", reply.body);
    }
    assert_eq!(tickets(&shop).await, [] as [Value; 0]);
    assert_eq!(shop.metrics().counted(Metric::TicketOpened), 0);
}

#[tokio::test]
async fn nobody_opens_more_than_so_many_tickets_a_day() {
    let shop = Shop::open().await;
    let body = json!({ "text": "The site is slow.", "email": "ada@example.com" });
    let ask = |number| Ask::post("/me/tickets", &body).by_member(ADA).keyed(&key("ticket", number));
    for number in 0..20 {
        assert_eq!(shop.reply(&ask(number)).await.status, 201, "{number}");
    }
    let more = shop.reply(&ask(20)).await;
    assert_eq!((more.status, more.problem().as_str()), (429, "too-many-tickets"));
    assert_eq!(shop.reply(&ask(0)).await.status, 201, "what was opened is known");
    let others = Ask::post("/me/tickets", &body).by_member("eve").keyed(KEY);
    assert_eq!(shop.reply(&others).await.status, 201);
    let heard = json!({ "customer": "cus_ada", "email": "ada@example.com", "text": "Slow." });
    let heard = Ask::post("/operator/tickets", &heard).by(Caller::Operator).keyed(KEY);
    assert_eq!(shop.reply(&heard).await.status, 201);
    later(&shop, 86_400);
    assert_eq!(shop.reply(&ask(20)).await.status, 201);
}

#[tokio::test]
async fn a_guest_and_an_operator_complain_about_an_order() {
    let shop = Shop::open().await;
    let placed = shop.place_as_guest("TEA", 1, KEY).await;
    let ask = Ask::post(placed.path("/tickets"), &json!({ "text": "One cup is missing." }));
    let reply = shop.reply(&placed.sign_in(ask).keyed(KEY)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let (ticket, _) = only(&shop).await;
    assert!(!ticket.customer.is_member());
    let body = json!({
        "customer": ticket.customer, "order": placed.id, "text": "Called about the cup.",
        "topic": "service", "priority": "high", "language": "zh",
    });
    // The customer's own key: operators' tickets have identities of their own.
    let ask = Ask::post("/operator/tickets", &body).by(Caller::Operator).keyed(KEY);
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_ne!(reply.text("/id"), ticket.id.to_string());
    assert_eq!(reply.text("/priority"), "high");
    let (_, entries) = whole(&shop, &TicketId::parse(&reply.text("/id")).unwrap()).await;
    assert!(matches!(entries[0].by, Writer::Operator(_)), "{entries:?}");
    assert_eq!(shop.reply(&ask).await.body, reply.body);
}

#[tokio::test]
async fn a_desk_sees_the_most_urgent_first_in_pages() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let mut opened = Vec::new();
    for (number, priority) in ["low", "normal", "urgent", "high", "low"].iter().enumerate() {
        let body = json!({
            "customer": "cus_ada", "order": placed.id, "text": "Late.", "priority": priority,
        });
        let ask = Ask::post("/operator/tickets", &body).by(Caller::Operator);
        let reply = shop.reply(&ask.keyed(&key("ticket", number))).await;
        opened.push(reply.text("/id"));
        later(&shop, 60);
    }
    let list = async |query: &str| {
        let path = format!("/operator/tickets?desk=service&limit=2{query}");
        let reply = shop.reply(&Ask::get(path).by(Caller::Operator)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let page = list(&query).await;
        let ids = page["tickets"].as_array().unwrap().iter().map(|it| it["id"].clone());
        seen.extend(ids.map(|it| it.as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => query = format!("&cursor={next}"),
            None => break,
        }
    }
    // Both answers within the hour, so the one that came first is due first.
    let order = [2, 1, 3, 0, 4].map(|place: usize| opened[place].clone());
    assert_eq!(seen, order);
    // One that is solved lies elsewhere.
    let now = shop.now();
    change(&shop, &TicketId::parse(&opened[2]).unwrap(), |ticket| {
        ticket.status = TicketStatus::Solved;
        (ticket.solved_at, ticket.due) = (Some(now), None);
    })
    .await;
    assert_eq!(list("").await["tickets"][0]["id"], opened[1]);
    let solved = list("&status=solved").await;
    assert_eq!(solved["tickets"].as_array().unwrap().len(), 1);
    assert_eq!(list("&status=waiting").await["tickets"], json!([]));
    for query in ["desk=UPPER", "status=lost", "cursor=x", "limit=51", "limit=0", "colour=red"] {
        let path = format!("/operator/tickets?{query}");
        let reply = shop.reply(&Ask::get(path).by(Caller::Operator)).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.body);
    }
    assert_eq!(shop.reply(&Ask::get("/operator/tickets").by_member(ADA)).await.status, 403);
}

#[tokio::test]
async fn a_customer_sees_what_is_theirs_and_not_what_is_only_for_the_shop() {
    let shop = Shop::open().await;
    let id = complained(&shop).await;
    let (read, _) = whole(&shop, &id).await;
    let mut ticket = read.clone();
    let by = Writer::Operator(aftercart::model::text::Text::new("eve").unwrap());
    let mut note = ticket.entry(shop.now(), by, None);
    note.text = aftercart::model::text::Text::new("A difficult customer").ok();
    note.internal = true;
    shop.store().commit(stored::save(&read, &ticket, &[note], &Sends::none())).await.unwrap();
    let own = shop.reply(&Ask::get(format!("/me/tickets/{id}")).by_member(ADA)).await;
    assert_eq!(own.status, 200, "{}", own.body);
    assert_eq!(own.json()["entries"].as_array().unwrap().len(), 1);
    assert!(!own.body.contains("difficult"), "{}", own.body);
    let file = Ask::get(format!("/operator/tickets/{id}")).by(Caller::Operator);
    let dossier = shop.reply(&file).await;
    assert!(dossier.body.contains("difficult"), "{}", dossier.body);
    let dossier = dossier.json();
    assert_eq!(dossier["order"]["lines"][0]["sku"], "TEA");
    assert_eq!(dossier["order"]["payments"][0]["paid"], true);
    assert_eq!(dossier["shipments"].as_array().unwrap().len(), 1);
    let listed = shop.reply(&Ask::get("/me/tickets").by_member(ADA)).await.json();
    assert_eq!(listed["tickets"][0]["id"], id.as_str());
    let others = shop.reply(&Ask::get("/me/tickets").by_member("eve")).await.json();
    assert_eq!(others["tickets"], json!([]));
    for (ask, status) in [
        (Ask::get(format!("/me/tickets/{id}")).by_member("eve"), 404),
        (Ask::get("/me/tickets/tkt_x").by_member(ADA), 404),
        (Ask::get(format!("/me/tickets/{id}")), 401),
        (Ask::get("/me/tickets"), 401),
        (Ask::get("/me/tickets?cursor=x").by_member(ADA), 400),
        (Ask::get(format!("/operator/tickets/{id}")).by_member(ADA), 403),
        (
            Ask::get(format!("/operator/tickets/{}", TicketId::derive(&["x"])))
                .by(Caller::Operator),
            404,
        ),
    ] {
        assert_eq!(shop.reply(&ask).await.status, status, "{ask:?}");
    }
}

#[tokio::test]
async fn time_reminds_escalates_and_tells_again() {
    let shop = Shop::open().await;
    decided(&shop, |policy| {
        policy["care"]["desks"] =
            json!([{ "id": "service", "escalates_to": "lead" }, { "id": "lead" }]);
    })
    .await;
    let id = complained(&shop).await;
    assert_eq!(watch(&shop).await["done"], 0);
    let whys = |shop: &Shop| -> Vec<(TicketWhy, String)> {
        desks(shop).into_iter().map(|it| (it.why, it.desk.to_string())).collect()
    };
    later(&shop, 46 * 60);
    watch(&shop).await;
    later(&shop, 15 * 60);
    watch(&shop).await;
    assert_eq!(watch(&shop).await["done"], 0, "not before a day is over");
    later(&shop, 86_400);
    watch(&shop).await;
    let told = |why: TicketWhy, desk: &str| (why, desk.to_owned());
    assert_eq!(
        whys(&shop),
        [
            told(TicketWhy::Opened, "service"),
            told(TicketWhy::Reminder, "service"),
            told(TicketWhy::Overdue, "lead"),
            told(TicketWhy::Overdue, "lead"),
        ]
    );
    let (ticket, entries) = whole(&shop, &id).await;
    assert_eq!((ticket.desk.as_str(), entries.len()), ("lead", 3));
    assert_eq!(shop.metrics().counted(Metric::TicketOverdue), 1);
    let lead = Ask::get("/operator/tickets?desk=lead").by(Caller::Operator);
    assert_eq!(shop.reply(&lead).await.json()["tickets"][0]["id"], id.as_str());
    assert_eq!(tickets(&shop).await, [] as [Value; 0]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_waits_for_long_is_closed_once_and_the_customer_is_asked() {
    let shop = Shop::open().await;
    let id = complained(&shop).await;
    let since: Timestamp = shop.now();
    change(&shop, &id, |ticket| {
        ticket.status = TicketStatus::Waiting;
        ticket.answered_at = Some(since);
        ticket.waiting_since = Some(since);
        ticket.due = Some(since.plus(Period::of_days(7)));
    })
    .await;
    later(&shop, 7 * 86_400 - 1);
    assert_eq!(watch(&shop).await["done"], 0);
    later(&shop, 1);
    // The answer to the write is lost: the next round finds it done.
    shop.port(WATCH).unwrap().fail(WRITE, Fault::After);
    assert!(shop.run_schedule(WATCH).await.is_err(), "it is to come again");
    watch(&shop).await;
    watch(&shop).await;
    let (ticket, entries) = whole(&shop, &id).await;
    assert_eq!((ticket.status, ticket.due, entries.len()), (TicketStatus::Solved, None, 2));
    let closed: Vec<TicketNews> = news(&shop).into_iter().filter(|it| it.solved).collect();
    assert_eq!(closed.len(), 1);
    assert!(closed[0].link.starts_with(&format!("{PUBLIC_URL}/c/")), "{}", closed[0].link);
    let month: String = ticket.opened_at.to_string().chars().take(7).collect();
    let counts = shop.store().ticket_counts(&month).await.unwrap();
    assert_eq!(counts["all"].solved.count(), 1);
    let invites = shop.store().all_surveys().await.unwrap().invites;
    assert!(invites.iter().any(|it| it.about.ticket.as_ref() == Some(&id)));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn nobody_is_reminded_of_what_was_answered_meanwhile() {
    let shop = Shop::open().await;
    let id = complained(&shop).await;
    later(&shop, 46 * 60);
    // The watch dies before it writes, and somebody answers.
    shop.port(WATCH).unwrap().fail(WRITE, Fault::Before);
    assert!(shop.run_schedule(WATCH).await.is_err(), "it is to come again");
    let now = shop.now();
    change(&shop, &id, |ticket| {
        ticket.answered_at = Some(now);
        ticket.due = Some(ticket.solve_by);
    })
    .await;
    assert_eq!(watch(&shop).await["done"], 0);
    assert_eq!(desks(&shop).len(), 1, "nobody is reminded of what is answered");
    let customer = CustomerId::member(ADA).unwrap();
    assert_eq!(shop.store().tickets_of(&customer, None, 10).await.unwrap().items, [id]);
}
