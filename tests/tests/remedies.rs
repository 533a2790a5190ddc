//! What is done for customers because of tickets: once each, in one piece with
//! the ticket's outcome, however often and late it is asked for.

use std::{cmp::Reverse, collections::BTreeMap};

use aftercart::{
    messages::{Envelope, Message, OrderPaid, Queue, RemedyAsked, TicketWhy},
    model::{
        customer::{Email, Language},
        dispatch::shipment_id,
        id::{OrderId, ShipmentId, TicketId},
        money::{Currency, Money},
        order::{Actor, RefundCause},
        points::{Account, Cause},
        product::Sku,
        text::Text,
        ticket::{
            Counted, DeskId, Links, Outcome, Priority, Remedy, RemedyKind, Source, Ticket,
            TicketStatus, Topic,
        },
        time::Period,
    },
    run::metrics::Metric,
    store::{Sends, tickets},
};
use aftercart_infra::world::{Ask, Caller, Deliveries, dead_letters};
use serde_json::json;

use crate::{
    late_payments::decided,
    orders::stored,
    shop::{ADA, KEY, Placed, Shop, key, order},
};

/// A ticket about an order, for which these are asked, as whoever sees to it
/// writes it.
pub(crate) async fn asked(shop: &Shop, placed: &Placed, kinds: &[RemedyKind]) -> TicketId {
    let ticket = ticket(shop, placed, kinds).await;
    put(shop, &ticket).await;
    ticket.id
}

async fn put(shop: &Shop, ticket: &Ticket) {
    let messages = ticket.remedies.iter().map(|it| message(ticket, it));
    let sends = messages.fold(Sends::none(), |sends, it| sends.and(it, shop.now(), None));
    shop.store().commit(tickets::open(ticket, &[], &sends)).await.unwrap();
}

pub(crate) async fn ticket(shop: &Shop, placed: &Placed, kinds: &[RemedyKind]) -> Ticket {
    let (order, now) = (stored(shop, placed).await, shop.now());
    let desk = DeskId::parse("service").unwrap();
    let remedy = |(number, kind): (usize, &RemedyKind)| Remedy {
        key: Text::new(&key("remedy", number)).unwrap(),
        kind: kind.clone(),
        by: Actor::Operator(Text::new("eve").unwrap()),
        at: now,
        outcome: Outcome::Asked,
    };
    Ticket {
        id: TicketId::derive(&[&placed.id]),
        source: Source::Operator,
        customer: order.customer,
        email: Email::parse("ada@example.com").unwrap(),
        language: Language::En,
        tier: None,
        links: Links { order: Some(order.id), ..Links::default() },
        topic: Topic::Delivery,
        priority: Priority::Normal,
        alarms: Vec::new(),
        desk: desk.clone(),
        assignee: None,
        status: TicketStatus::Open,
        opened_at: now,
        clock_from: now,
        answer_by: now.plus(Period::of_seconds(3_600)),
        solve_by: now.plus(Period::of_days(3)),
        waiting_since: None,
        answered_at: None,
        solved_at: None,
        cause: None,
        reopened: 0,
        reminders: 0,
        remedies: kinds.iter().enumerate().map(remedy).collect(),
        satisfaction: None,
        entries: 0,
        due: None,
        counted: Counted { desk, priority: Priority::Normal, answered: None, solved: None },
        version: 0,
    }
}

fn message(ticket: &Ticket, remedy: &Remedy) -> Message {
    let asked = RemedyAsked { ticket: ticket.id.clone(), remedy: remedy.key.clone() };
    match remedy.kind {
        RemedyKind::Refund { .. } => Message::RefundAsked(asked),
        RemedyKind::Reship { .. } => Message::ReshipAsked(asked),
        _ => Message::PointsAsked(asked),
    }
}

pub(crate) fn points(points: u32) -> RemedyKind {
    RemedyKind::Points { points }
}

/// Money for so many teas, and so much goodwill.
pub(crate) fn refund(teas: u32, goodwill: i64) -> RemedyKind {
    let lines = [(Sku::parse("TEA").unwrap(), teas)].into_iter().filter(|it| it.1 > 0);
    let pounds = |minor| Money::new(minor, Currency::parse("GBP").unwrap()).unwrap();
    let goodwill = (goodwill > 0).then(|| pounds(goodwill));
    RemedyKind::Refund { lines: lines.collect(), delivery: false, goodwill }
}

pub(crate) fn reship(placed: &Placed) -> RemedyKind {
    RemedyKind::Reship { shipment: shipment_of(placed) }
}

fn shipment_of(placed: &Placed) -> ShipmentId {
    shipment_id(&OrderId::parse(&placed.id).unwrap(), 1)
}

async fn outcomes(shop: &Shop, id: &TicketId) -> Vec<Outcome> {
    let ticket = shop.store().ticket(id).await.unwrap().unwrap();
    ticket.remedies.into_iter().map(|it| it.outcome).collect()
}

/// What was made, remedy by remedy.
async fn made(shop: &Shop, id: &TicketId) -> Vec<String> {
    let outcomes = outcomes(shop, id).await.into_iter();
    let made = outcomes.map(|it| match it {
        Outcome::Done { reference: Some(reference), .. } => reference.as_str().to_owned(),
        other => panic!("{other:?}"),
    });
    made.collect()
}

async fn refused(shop: &Shop, id: &TicketId) -> String {
    match outcomes(shop, id).await.pop() {
        Some(Outcome::Refused { why, .. }) => why.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// How often people of the merchant were told that something cannot be done.
fn told_of_refusals(shop: &Shop) -> usize {
    let told = shop.queue(Queue::Notifications.name());
    let messages = told.iter().map(|it| Envelope::parse(&it.body).unwrap().message);
    let refused =
        |it: &Message| matches!(it, Message::TicketWaits(waits) if waits.why == TicketWhy::Refused);
    messages.filter(refused).count()
}

async fn available(shop: &Shop) -> i64 {
    let all = shop.store().all_points().await.unwrap();
    all.ledgers.iter().map(|it| it.balance(Account::Available)).sum()
}

/// A delivered order of three teas.
async fn delivered(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    shop.deliver(&placed, "AB-0001").await;
    placed
}

#[tokio::test]
async fn each_remedy_is_carried_out_once() {
    for seed in [None, Some(1), Some(2), Some(3)] {
        let shop = Shop::open().await;
        let placed = delivered(&shop).await;
        if let Some(seed) = seed {
            shop.set_deliveries(Deliveries::disorderly(seed));
        }
        let ticket = ticket(&shop, &placed, &[points(200), refund(1, 100), reship(&placed)]).await;
        put(&shop, &ticket).await;
        shop.settle().await.unwrap();
        let made = made(&shop, &ticket.id).await;
        let of_ticket = |it: &Cause| *it == Cause::MadeGood(ticket.id.clone());
        let all = shop.store().all_points().await.unwrap();
        let entries: Vec<_> = all.entries.iter().filter(|it| of_ticket(&it.cause)).collect();
        assert_eq!((entries.len(), entries[0].id.as_str()), (1, made[0].as_str()));
        assert_eq!(available(&shop).await, 200);
        let mut dues = stored(&shop, &placed).await.refunds_due;
        dues.sort_by_key(|it| Reverse(it.amount.minor()));
        let back: Vec<_> = dues.iter().map(|it| (it.cause, it.amount.minor())).collect();
        assert_eq!(back, [(RefundCause::Returned, 1250), (RefundCause::Goodwill, 100)]);
        let links = shop.store().ticket(&ticket.id).await.unwrap().unwrap().links;
        assert_eq!(links.refunds, dues.iter().map(|it| it.id.clone()).collect::<Vec<_>>());
        assert_eq!(made[1], dues[0].id.as_str());
        let order = OrderId::parse(&placed.id).unwrap();
        let dispatch = shop.store().dispatch(&order).await.unwrap().unwrap();
        let again = &dispatch.shipments[1];
        assert_eq!((dispatch.shipments.len(), again.id.as_str()), (2, made[2].as_str()));
        assert_eq!(again.replaces, Some(shipment_of(&placed)));
        assert_eq!(shop.left("TEA").await, 94, "three went out twice");
        assert_eq!(shop.metrics().counted(Metric::RemedyDone), 3);
        assert_eq!(shop.check_invariants().await.unwrap().remedies, 3);
        // Somebody redrives the messages, days later.
        shop.clock().advance(Period::of_days(9));
        shop.settle().await.unwrap();
        let before = shop.state().await.unwrap()["tables"].clone();
        for remedy in ticket.remedies.iter().chain(&ticket.remedies) {
            let message = message(&ticket, remedy);
            let queue = message.queues()[0];
            let envelope = Envelope::seal(message, shop.now(), None);
            shop.send(queue, serde_json::to_string(&envelope).unwrap());
        }
        shop.settle().await.unwrap();
        assert_eq!(shop.state().await.unwrap()["tables"], before);
    }
}

#[tokio::test]
async fn what_cannot_be_done_ends_with_the_reason_and_somebody_is_told() {
    let shop = Shop::open().await;
    let guest = shop.place_as_guest("TEA", 1, &key("order", 90)).await;
    let last = shop.place(ADA, "LAST", 1, &key("order", 91)).await;
    shop.deliver(&last, "AB-0091").await;
    let unpaid = shop.place(ADA, "TEA", 1, &key("order", 92)).await;
    let placed = shop.place(ADA, "TEA", 3, &key("order", 93)).await;
    shop.pay(&placed).await;
    let none = RemedyKind::Refund { lines: BTreeMap::new(), delivery: false, goodwill: None };
    for (number, (placed, kind, why)) in [
        (&guest, points(1), "Guests have no account"),
        (&placed, points(0), "at least one point"),
        (&placed, points(1_001), "another operator approves"),
        (&placed, refund(4, 0), "The order has 3 of TEA"),
        (&placed, refund(0, 3_751), "37.50"),
        (&placed, refund(0, 0), "Say what goes back"),
        (&placed, none, "Say what goes back"),
        (&unpaid, refund(0, 1), "not paid"),
        (&placed, reship(&placed), "did not leave yet"),
        (&placed, reship(&last), "no such shipment"),
        (&last, reship(&last), "There are 0 of LAST"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = TicketId::derive(&[&number.to_string()]);
        let ticket = ticket(&shop, placed, std::slice::from_ref(&kind)).await;
        put(&shop, &Ticket { id: id.clone(), ..ticket }).await;
        shop.settle().await.unwrap();
        let refusal = refused(&shop, &id).await;
        assert!(refusal.contains(why), "{kind:?}: {refusal}");
        assert_eq!(told_of_refusals(&shop), number + 1, "{kind:?}");
    }
    assert_eq!(shop.metrics().counted(Metric::RemedyRefused), 11);
    assert_eq!(shop.metrics().counted(Metric::RemedyDone), 0);
    let ticket = ticket(&shop, &placed, &[refund(1, 0), reship(&placed)]).await;
    put(&shop, &Ticket { links: Links::default(), ..ticket.clone() }).await;
    shop.settle().await.unwrap();
    assert_eq!(refused(&shop, &ticket.id).await, "There is no such order.");
    assert!(stored(&shop, &placed).await.refunds_due.is_empty());
    assert_eq!(available(&shop).await, 0);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_went_back_before_is_not_promised_again() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    shop.pay(&placed).await;
    let id = asked(&shop, &placed, &[refund(1, 0), refund(1, 0), refund(2, 50)]).await;
    shop.settle().await.unwrap();
    let outcomes = outcomes(&shop, &id).await;
    let refusals = outcomes.iter().filter(|it| matches!(it, Outcome::Refused { .. })).count();
    assert_eq!(refusals, 1, "{outcomes:?}");
    let dues = stored(&shop, &placed).await.refunds_due;
    assert_eq!(dues.iter().map(|it| it.amount.minor()).sum::<i64>(), 2_550);
    assert_eq!(shop.check_invariants().await.unwrap().remedies, 3);
    // Nor are units for which nothing is left: the money went back as goodwill.
    for (id, kind) in [("rest", refund(0, 1_250)), ("unit", refund(3, 0))] {
        let id = TicketId::derive(&[id]);
        let ticket = ticket(&shop, &placed, &[kind]).await;
        put(&shop, &Ticket { id, ..ticket }).await;
        shop.settle().await.unwrap();
    }
    assert!(made(&shop, &TicketId::derive(&["rest"])).await[0].starts_with("rfd_"));
    let nothing = refused(&shop, &TicketId::derive(&["unit"])).await;
    assert!(nothing.starts_with("No money is left"), "{nothing}");
    assert_eq!(stored(&shop, &placed).await.lines[0].refunded, 2, "it stays as it was");
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_ticket_goes_on_when_what_was_promised_cannot_be_done() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let asked = ticket(&shop, &placed, &[refund(0, 100_000)]).await;
    let now = shop.now();
    let solved = Ticket {
        id: TicketId::derive(&["solved"]),
        status: TicketStatus::Solved,
        solved_at: Some(now),
        ..asked.clone()
    };
    let waiting = Ticket {
        id: TicketId::derive(&["waiting"]),
        status: TicketStatus::Waiting,
        waiting_since: Some(now),
        due: Some(now.plus(Period::of_days(7))),
        ..asked
    };
    for ticket in [&solved, &waiting] {
        put(&shop, ticket).await;
    }
    shop.clock().advance(Period::of_seconds(600));
    shop.settle().await.unwrap();
    let then = shop.now();
    shop.run_schedule("ticket-watch").await.unwrap();
    let hour = Period::of_seconds(3_600);
    for (ticket, reopened, answer_by) in [
        (&solved, 1, then.plus(hour)),
        (&waiting, 0, waiting.answer_by.plus(Period::of_seconds(600))),
    ] {
        refused(&shop, &ticket.id).await;
        let (after, entries) = shop.store().ticket_and_entries(&ticket.id).await.unwrap().unwrap();
        assert_eq!((after.status, after.reopened), (TicketStatus::Open, reopened));
        assert_eq!((after.answer_by, after.waiting_since), (answer_by, None));
        assert!(after.due.is_some_and(|due| due > then), "the clock runs");
        assert_eq!((entries.len(), entries[0].internal), (1, true));
    }
    assert_eq!(told_of_refusals(&shop), 2);
    assert_eq!(shop.metrics().counted(Metric::TicketReopened), 1);
    let before = shop.state().await.unwrap()["tables"].clone();
    shop.run_schedule("ticket-watch").await.unwrap();
    assert_eq!(shop.state().await.unwrap()["tables"], before);
}

#[tokio::test]
async fn goods_from_more_places_than_a_transaction_takes_are_not_sent_again() {
    let shop = Shop::open().await;
    decided(&shop, |policy| policy["stock"]["hot"] = json!({ "S0": 2 })).await;
    let skus: Vec<String> = (0..49).map(|number| format!("S{number}")).collect();
    for sku in &skus {
        shop.sell(sku, 100, 5).await;
    }
    let receive = async |units: i64, number: usize| {
        let ask = Ask::post("/products/S0/receipts", &json!({ "quantity": units }));
        let reply = shop.reply(&ask.by(Caller::Operator).keyed(&key("more", number))).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
    };
    let lines: Vec<(&str, i64)> = skus
        .iter()
        .enumerate()
        .map(|(at, sku)| (sku.as_str(), if at == 0 { 5 } else { 1 }))
        .collect();
    let ask = Ask::post("/orders", &order(&lines)).by_member(ADA).keyed(KEY);
    let placed = shop.placed(ask, Some(ADA)).await;
    shop.deliver(&placed, "AB-0001").await;
    // The shipments, a note for each SKU, and each part: with the ticket that is
    // one more than fits when one of them comes from two parts.
    for (number, units, fits) in [(0, 6, false), (1, 20, true)] {
        receive(units, number).await;
        let id = TicketId::derive(&["many", &number.to_string()]);
        let ticket = ticket(&shop, &placed, &[reship(&placed)]).await;
        put(&shop, &Ticket { id: id.clone(), ..ticket }).await;
        shop.settle().await.unwrap();
        if fits {
            assert_eq!(made(&shop, &id).await.len(), 1);
        } else {
            let why = refused(&shop, &id).await;
            assert!(why.contains("name fewer lines"), "{why}");
        }
    }
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_operator_gives_no_more_by_tickets_than_alone() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    for number in 0..21_u32 {
        let id = TicketId::derive(&["full", &number.to_string()]);
        let ticket = ticket(&shop, &placed, &[points(1_000)]).await;
        put(&shop, &Ticket { id, ..ticket }).await;
    }
    shop.settle().await.unwrap();
    assert_eq!(available(&shop).await, 20_000, "a day's worth of one operator");
    assert_eq!(told_of_refusals(&shop), 1);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn many_at_once_carry_it_out_once() {
    let shop = Shop::open().await;
    let placed = delivered(&shop).await;
    asked(&shop, &placed, &[refund(1, 0), reship(&placed), points(5)]).await;
    shop.relay().await.unwrap();
    for (function, queue) in [
        ("order-request", Queue::OrderRequests),
        ("shipment-open", Queue::Shipments),
        ("points-post", Queue::Points),
    ] {
        let event = shop.queue_event(queue);
        let calls = (0..6).map(|_| shop.invoke(function, &event));
        futures::future::join_all(calls).await.into_iter().for_each(|it| drop(it.unwrap()));
    }
    shop.settle().await.unwrap();
    assert_eq!(shop.metrics().counted(Metric::RemedyDone), 3);
    assert_eq!(shop.left("TEA").await, 94);
    assert_eq!(shop.check_invariants().await.unwrap().remedies, 3);
}

#[tokio::test]
async fn what_no_ticket_asks_for_is_parked() {
    let shop = Shop::open().await;
    let placed = delivered(&shop).await;
    let id = asked(&shop, &placed, &[points(5)]).await;
    shop.settle().await.unwrap();
    let order = stored(&shop, &placed).await;
    let (known, nobody) = (key("remedy", 0), key("remedy", 7));
    let of = |ticket: &TicketId, key: &str| RemedyAsked {
        ticket: ticket.clone(),
        remedy: Text::new(key).unwrap(),
    };
    let unknown = of(&TicketId::derive(&["nobody"]), &known);
    let before = shop.state().await.unwrap()["tables"].clone();
    for (queue, message) in [
        (Queue::OrderRequests, Message::RefundAsked(unknown.clone())),
        (Queue::Shipments, Message::ReshipAsked(unknown.clone())),
        (Queue::Points, Message::PointsAsked(unknown)),
        (Queue::OrderRequests, Message::RefundAsked(of(&id, &nobody))),
        (
            Queue::OrderRequests,
            Message::OrderPaid(OrderPaid { order: order.id, customer: order.customer }),
        ),
    ] {
        let parked = shop.queue(&dead_letters(queue)).len();
        let envelope = Envelope::seal(message, shop.now(), None);
        shop.send(queue, serde_json::to_string(&envelope).unwrap());
        shop.settle().await.unwrap();
        assert_eq!(shop.queue(&dead_letters(queue)).len(), parked + 1, "{envelope:?}");
    }
    assert_eq!(shop.state().await.unwrap()["tables"], before);
    // One that is decided is left alone, whoever is asked for it.
    let decided = Envelope::seal(Message::RefundAsked(of(&id, &known)), shop.now(), None);
    shop.send(Queue::OrderRequests, serde_json::to_string(&decided).unwrap());
    shop.settle().await.unwrap();
    assert_eq!(shop.state().await.unwrap()["tables"], before);
}
