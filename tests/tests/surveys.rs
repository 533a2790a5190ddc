//! Invitations, whole functions: who is asked on which occasion and who is not,
//! what an invitation says, reminders, nights, budgets, and messages that come
//! twice or late.

use aftercart::{
    messages::{
        Envelope, Message, OrderPaid, OrderRefunded, ParcelDelivered, PaymentReceived, Queue,
        SurveyInvited, TicketSolved, TierChanged,
    },
    model::{
        contact::{Contactee, Contacts, Purpose},
        customer::CustomerId,
        id::{OrderId, PaymentId, ShipmentId, TicketId},
        policy::Policy,
        survey::{Invite, InviteStatus, Occasion, Suppression},
        ticket::{Ticket, TicketStatus},
        time::{Period, Timestamp},
    },
    run::metrics::Metric,
    store::{Sends, contacts, tickets},
};
use aftercart_infra::world::{Ask, Caller, Fault, Options, PUBLIC_URL, dead_letters};
use serde_json::{Value, json};

use crate::{
    dispatch::doing,
    orders::operating,
    remedies::ticket,
    shop::{ADA, KEY, Placed, Shop, key},
    stock::set_policy,
    tiers::{granting, levels},
};

/// A delivered order, a parcel's number for each.
async fn delivered(shop: &Shop, number: usize) -> Placed {
    let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
    shop.deliver(&placed, &format!("AB-{number:04}")).await;
    placed
}

/// Lets the invitations go that are due four days from now.
async fn send(shop: &Shop) {
    shop.clock().advance(Period::of_days(4));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
}

async fn invites(shop: &Shop) -> Vec<Invite> {
    let mut invites = shop.store().all_surveys().await.unwrap().invites;
    invites.sort_by_key(|invite| invite.due);
    invites
}

/// What was sent, in its order.
fn mails(shop: &Shop) -> Vec<SurveyInvited> {
    let told = shop.queue(Queue::Notifications.name());
    let bodies = told.iter().map(|message| Envelope::parse(&message.body).unwrap().message);
    let invited = |message| match message {
        Message::SurveyInvited(body) => Some(body),
        _ => None,
    };
    bodies.filter_map(invited).collect()
}

/// The default policy with something else in it.
fn policy(changes: &[(&str, Value)]) -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    for (place, value) in changes {
        *policy.pointer_mut(place).unwrap() = value.clone();
    }
    policy
}

/// The default policy with another survey, on an occasion, the day after.
pub(crate) fn asking(on: &str, more: &Value) -> Value {
    let mut touchpoint = json!({
        "id": format!("about-{on}"), "on": on, "delay": "1d", "open": "30d",
        "questions": [{ "id": "easy", "kind": "ces" }]
    });
    for (name, value) in more.as_object().unwrap() {
        touchpoint[name] = value.clone();
    }
    let mut policy = json!(Policy::default_document().unwrap());
    policy["surveys"]["touchpoints"].as_array_mut().unwrap().push(touchpoint);
    policy
}

async fn asked_on(shop: &Shop, occasion: Occasion) -> Vec<Invite> {
    invites(shop).await.into_iter().filter(|it| it.occasion == occasion).collect()
}

#[tokio::test]
async fn an_invitation_can_be_answered_in_the_message_and_refused_there() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    send(&shop).await;
    let mail = mails(&shop).remove(0);
    assert_eq!((mail.touchpoint.as_str(), mail.reminder), ("delivery", false));
    let labels: Vec<&str> = mail.taps.iter().map(|tap| tap.label.as_str()).collect();
    assert_eq!(labels, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    assert_eq!(mail.taps[9].answer.as_str(), "9");
    assert!(mail.unsubscribe.starts_with(&format!("{PUBLIC_URL}/u/")), "{}", mail.unsubscribe);
    assert!(!mail.question.as_str().is_empty());
    // What was decided about the contact is kept, and who was asked is counted.
    let invite = invites(&shop).await.remove(0);
    let state = shop.state().await.unwrap()["tables"]["surveys"].to_string();
    for kept in [format!("CONTACT#{}", invite.id), "carrier#generic".to_owned()] {
        assert!(state.contains(&kept), "{kept} is not in {state}");
    }
}

#[tokio::test]
async fn a_reader_is_reminded_once() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    send(&shop).await;
    let later = async |days: u16| {
        shop.clock().advance(Period::of_days(days));
        shop.run_schedule("survey-send").await.unwrap();
        shop.settle().await.unwrap();
        mails(&shop).iter().filter(|mail| mail.reminder).count()
    };
    assert_eq!(later(4).await, 0);
    assert_eq!(later(1).await, 1);
    assert_eq!(later(5).await, 1);
    let [first, second] = &mails(&shop)[..] else { panic!() };
    assert_eq!((&first.invite, &first.link), (&second.invite, &second.link));
    let InviteStatus::Sent { reminded_at, .. } = invites(&shop).await.remove(0).status else {
        panic!()
    };
    assert!(reminded_at.is_some());
    assert_eq!(shop.metrics().counted(Metric::SurveyReminded), 1);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_not_to_be_asked_any_more() {
    let shop = Shop::open().await;
    let placed = delivered(&shop, 0).await;
    send(&shop).await;
    refund(&shop, &placed, 1).await;
    shop.settle().await.unwrap();
    shop.clock().advance(Period::of_days(6));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    assert_eq!(mails(&shop).len(), 1);
    // It is looked at no more.
    let swept = shop.run_schedule("survey-send").await.unwrap();
    assert_eq!(swept, json!({ "done": 0, "settled": 0, "failed": 0 }));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_invitation_waits_for_the_morning_where_its_reader_is() {
    let shop = Shop::open().await;
    let mut zones = policy(&[]);
    zones["contact"]["zones"] = json!({ "GB": "Asia/Shanghai" });
    set_policy(&shop, &zones).await;
    delivered(&shop, 0).await;
    let day = Period::of_days(1);
    let midnight = shop.now().plus(Period::of_days(5)).unix_seconds() / day.seconds();
    // Seven in the evening of UTC is three in the morning there.
    let night = Timestamp::from_unix_seconds(midnight * day.seconds() + 19 * 3_600).unwrap();
    shop.clock().advance_to(night);
    shop.run_schedule("survey-send").await.unwrap();
    let invite = invites(&shop).await.remove(0);
    assert!(invite.status.is_scheduled());
    assert_eq!(invite.due, night.plus(Period::of_seconds(5 * 3_600)), "eight in the morning");
    let contacts = contacts(&shop).await;
    assert_eq!(contacts[0]["outcome"], "waiting");
    assert_eq!(contacts[0]["until"], invite.due.to_string());
    assert!(shop.store().contacts_waiting(invite.due, 9).await.unwrap().is_empty());
    shop.clock().advance_to(invite.due);
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    assert_eq!(mails(&shop).len(), 1);
    assert_eq!(self::contacts(&shop).await[0]["outcome"], "made");
    // Where the parcel went is known to whoever contacts the buyer next.
    let known = shop.store().contacts(&Contactee::member(&ada())).await.unwrap();
    assert_eq!(known.country.map(String::from), Some("GB".to_owned()));
    shop.check_invariants().await.unwrap();
}

fn ada() -> CustomerId {
    CustomerId::member(ADA).unwrap()
}

/// What operators see of contacts with Ada, latest first.
async fn contacts(shop: &Shop) -> Value {
    let ask = Ask::get("/operator/customers/cus_ada/contacts").by(Caller::Operator);
    shop.reply(&ask).await.json()["contacts"].clone()
}

#[tokio::test]
async fn a_no_of_the_address_is_a_no_of_the_member() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    let address = Contactee::address(&invites(&shop).await[0].email);
    let no = [(Purpose::Surveys, false)].into();
    let refusing = Contacts::none(address).choosing(&no, shop.now());
    shop.store().commit(contacts::save(&refusing)).await.unwrap();
    send(&shop).await;
    let (at, why) = (shop.now(), Suppression::NoConsent);
    assert_eq!(invites(&shop).await[0].status, InviteStatus::Suppressed { at, why });
    assert_eq!(self::contacts(&shop).await[0]["why"], "no_consent");
}

#[tokio::test]
async fn an_order_that_is_called_off_is_not_asked_about() {
    for on in ["checkout", "return"] {
        let shop = Shop::open().await;
        set_policy(&shop, &asking(on, &json!({}))).await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        let cancel = placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})));
        let reply = shop.reply(&cancel).await;
        assert!(reply.status < 300, "{}", reply.body);
        shop.settle().await.unwrap();
        send(&shop).await;
        let fates: Vec<InviteStatus> =
            invites(&shop).await.into_iter().map(|it| it.status).collect();
        let (at, why) = (shop.now(), Suppression::CalledOff);
        match on {
            "checkout" => assert_eq!(fates, [InviteStatus::Suppressed { at, why }]),
            _ => assert_eq!(fates, [], "nothing came back"),
        }
        assert_eq!(mails(&shop).len(), 0);
    }
}

#[tokio::test]
async fn enough_is_enough() {
    let mut few = policy(&[]);
    few["surveys"]["touchpoints"][0]["quota"] = json!(1);
    let shop = Shop::open().await;
    shop.clock().advance_to(Timestamp::parse("2027-02-01T12:00:00Z").unwrap());
    set_policy(&shop, &few).await;
    delivered(&shop, 0).await;
    send(&shop).await;
    let answer = json!({ "answers": { "recommend": 9 } });
    let reply = shop.reply(&Ask::post(shop.survey_path(), &answer)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();
    let guest = shop.place_as_guest("CUP", 1, KEY).await;
    shop.deliver(&guest, "AB-9999").await;
    send(&shop).await;
    let fate = invites(&shop).await.pop().unwrap().status;
    let why = Suppression::Quota;
    assert_eq!(fate, InviteStatus::Suppressed { at: shop.now(), why });
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_invitation_to_a_survey_that_is_gone_is_not_sent() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    set_policy(&shop, &policy(&[("/surveys/touchpoints", json!([]))])).await;
    send(&shop).await;
    let fate = invites(&shop).await.remove(0).status;
    let why = Suppression::Ended;
    assert_eq!(fate, InviteStatus::Suppressed { at: shop.now(), why });
}

#[tokio::test]
async fn who_pays_is_asked_how_that_was_and_from_time_to_time_more() {
    let shop = Shop::open().await;
    for (number, occasion) in [Occasion::Checkout, Occasion::Relationship].into_iter().enumerate() {
        let on = json!(occasion);
        let more = match occasion {
            Occasion::Relationship => json!({ "every": "90d" }),
            _ => json!({}),
        };
        let placed = shop.place(ADA, "TEA", 1, &key("unasked", number)).await;
        shop.pay(&placed).await;
        assert_eq!(asked_on(&shop, occasion).await.len(), 0);
        set_policy(&shop, &asking(on.as_str().unwrap(), &more)).await;
        let placed = shop.place(ADA, "TEA", 1, &key("asked", number)).await;
        shop.pay(&placed).await;
        let invites = asked_on(&shop, occasion).await;
        assert_eq!(invites.len(), 1, "{occasion:?}");
        assert!(invites[0].due >= shop.now().plus(Period::of_days(1)));
    }
    // Two orders on one day, and one moment in ninety days.
    let placed = shop.place(ADA, "TEA", 1, &key("again", 0)).await;
    shop.pay(&placed).await;
    assert_eq!(asked_on(&shop, Occasion::Relationship).await.len(), 1);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_comes_back_is_asked_about() {
    let shop = Shop::open().await;
    set_policy(&shop, &asking("return", &json!({}))).await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, "AB-0001").await;
    assert_eq!(asked_on(&shop, Occasion::Return).await.len(), 0);
    refund(&shop, &placed, 1).await;
    shop.settle().await.unwrap();
    refund(&shop, &placed, 2).await;
    shop.settle().await.unwrap();
    let invites = asked_on(&shop, Occasion::Return).await;
    assert_eq!(invites.len(), 1, "once, and also when nothing was kept");
    send(&shop).await;
    assert_eq!(mails(&shop)[0].touchpoint.as_str(), "about-return");
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn only_the_audience_and_the_sample_are_asked() {
    for (more, asked) in [
        (json!({ "audience": { "members": true } }), true),
        (json!({ "audience": { "tiers": ["gold"] } }), false),
        (json!({ "audience": { "countries": ["DE"] } }), false),
        (json!({ "audience": { "countries": ["GB"], "languages": ["en"] } }), true),
    ] {
        let shop = Shop::open().await;
        set_policy(&shop, &asking("checkout", &more)).await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        assert_eq!(asked_on(&shop, Occasion::Checkout).await.len(), usize::from(asked), "{more}");
    }
}

/// A ticket about an order that is solved now, as whoever sees to it writes it.
pub(crate) async fn solved(shop: &Shop, placed: &Placed) -> Ticket {
    let (status, at) = (TicketStatus::Solved, shop.now());
    let open = ticket(shop, placed, &[]).await;
    let ticket = Ticket { status, solved_at: Some(at), ..open };
    let message = TicketSolved { ticket: ticket.id.clone(), at };
    let sends = Sends::one(Message::TicketSolved(message), at, None);
    shop.store().commit(tickets::open(&ticket, &[], &sends)).await.unwrap();
    ticket
}

#[tokio::test]
async fn whether_it_was_solved_is_asked_unless_it_was_not() {
    for reopened in [None, Some(true), Some(false)] {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let solved = solved(&shop, &placed).await;
        let reopen = async || {
            let (status, solved_at) = (TicketStatus::Open, None);
            let open = Ticket { status, solved_at, reopened: 1, ..solved.clone() };
            let known = shop.store().ticket(&solved.id).await.unwrap().unwrap();
            let save = tickets::save(&known, &open, &[], &Sends::none());
            shop.store().commit(save).await.unwrap();
        };
        if reopened == Some(true) {
            reopen().await;
        }
        shop.settle().await.unwrap();
        if reopened == Some(false) {
            reopen().await;
        }
        send(&shop).await;
        let fates: Vec<InviteStatus> =
            asked_on(&shop, Occasion::Solved).await.into_iter().map(|it| it.status).collect();
        let (at, why) = (shop.now(), Suppression::Reopened);
        match reopened {
            None => assert_eq!(fates, [InviteStatus::Sent { at, reminded_at: None }]),
            // It was opened again before anybody heard of it, or after.
            Some(true) => assert_eq!(fates, []),
            Some(false) => assert_eq!(fates, [InviteStatus::Suppressed { at, why }]),
        }
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn a_ticket_that_was_solved_twice_is_asked_about_once() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let first = solved(&shop, &placed).await;
    shop.settle().await.unwrap();
    shop.clock().advance(Period::of_seconds(60));
    let known = shop.store().ticket(&first.id).await.unwrap().unwrap();
    let at = shop.now();
    let again = Ticket { solved_at: Some(at), reopened: 1, ..first };
    let message = TicketSolved { ticket: again.id.clone(), at };
    let sends = Sends::one(Message::TicketSolved(message), at, None);
    shop.store().commit(tickets::save(&known, &again, &[], &sends)).await.unwrap();
    shop.settle().await.unwrap();
    send(&shop).await;
    let fates: Vec<InviteStatus> =
        asked_on(&shop, Occasion::Solved).await.into_iter().map(|it| it.status).collect();
    let (at, why) = (shop.now(), Suppression::Reopened);
    let sent = InviteStatus::Sent { at, reminded_at: None };
    assert_eq!(fates, [InviteStatus::Suppressed { at, why }, sent]);
    assert_eq!(mails(&shop).len(), 1);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_member_is_asked_about_another_tier() {
    let shop = Shop::open().await;
    let policy = asking("tier", &json!({ "audience": { "tiers": ["gold"] } }));
    let mut tiers = levels();
    tiers["surveys"] = policy["surveys"].clone();
    set_policy(&shop, &tiers).await;
    for (tier, asked) in [("silver", 0), ("gold", 1), ("silver", 1), ("gold", 2)] {
        shop.place(ADA, "TEA", 1, &key("order", 0)).await;
        let grant = granting(&json!({ "tier": tier, "until": "2026-12-24" }));
        assert_eq!(shop.reply(&grant).await.status, 200);
        shop.settle().await.unwrap();
        let invites = asked_on(&shop, Occasion::Tier).await;
        assert_eq!(invites.len(), asked, "{tier}");
        assert!(invites.iter().all(|it| it.about.tier.as_ref().unwrap().as_str() == "gold"));
        shop.clock().advance(Period::of_seconds(60));
    }
    send(&shop).await;
    let fates: Vec<InviteStatus> =
        asked_on(&shop, Occasion::Tier).await.into_iter().map(|it| it.status).collect();
    let (at, why) = (shop.now(), Suppression::Superseded);
    let sent = InviteStatus::Sent { at, reminded_at: None };
    assert_eq!(fates, [InviteStatus::Suppressed { at, why }, sent], "the first is over");
    shop.check_invariants().await.unwrap();
}

/// A message to survey-invite.
fn tell(shop: &Shop, message: Message) {
    shop.send(Queue::Surveys, json!(Envelope::seal(message, shop.now(), None)).to_string());
}

#[tokio::test]
async fn what_is_told_of_nothing_that_is_asked_changes_nothing() {
    let shop = Shop::open().await;
    let customer = CustomerId::member(ADA).unwrap();
    let order = OrderId::derive(&["none"]);
    tell(&shop, Message::OrderPaid(OrderPaid { order: order.clone(), customer: customer.clone() }));
    tell(&shop, Message::TierChanged(TierChanged { customer: customer.clone() }));
    shop.settle().await.unwrap();
    assert_eq!(shop.metrics().counted(Metric::MessageParked), 0);
    // What is asked about has to be there; a member without an order is not reached.
    set_policy(&shop, &asking("tier", &json!({}))).await;
    tell(&shop, Message::TierChanged(TierChanged { customer: customer.clone() }));
    shop.settle().await.unwrap();
    assert_eq!(shop.metrics().counted(Metric::MessageParked), 0);
    let ticket = TicketId::derive(&["none"]);
    tell(&shop, Message::TicketSolved(TicketSolved { ticket, at: shop.now() }));
    tell(&shop, Message::OrderRefunded(OrderRefunded { order, customer }));
    shop.settle().await.unwrap();
    let parked = shop.queue(&dead_letters(Queue::Surveys));
    let mut reasons: Vec<&str> = parked.iter().filter_map(|it| it.reason.as_deref()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].contains("there is no order ord_"), "{reasons:?}");
    assert!(reasons[1].contains("there is no ticket tkt_"), "{reasons:?}");
    assert_eq!(invites(&shop).await, []);
}

#[tokio::test]
async fn a_decision_to_invite_is_two_round_trips() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    let port = shop.port("survey-invite").unwrap();
    let meter = port.meter();
    let calls: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
    // The policy is read once a minute.
    let calls: Vec<&str> = calls.into_iter().filter(|call| *call != "GetItem").collect();
    assert_eq!(calls, ["BatchGetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn a_delivery_is_asked_about_once_however_often_it_is_told() {
    let shop = Shop::open().await;
    let placed = delivered(&shop, 0).await;
    let message = |customer| {
        let order = OrderId::parse(&placed.id).unwrap();
        let shipment = ShipmentId::derive(&[order.as_str(), "1"]);
        let body = Message::ParcelDelivered(ParcelDelivered { order, shipment, customer });
        json!(Envelope::seal(body, shop.now(), None)).to_string()
    };
    for _ in 0..3 {
        shop.send(Queue::Surveys, message(CustomerId::member(ADA).unwrap()));
    }
    shop.settle().await.unwrap();
    assert_eq!(invites(&shop).await.len(), 1);
    assert_eq!(shop.metrics().counted(Metric::SurveyInvited), 1);
    let payment = PaymentId::derive(&["1"]);
    let other = Message::PaymentReceived(PaymentReceived { payment });
    shop.send(Queue::Surveys, json!(Envelope::seal(other, shop.now(), None)).to_string());
    shop.send(Queue::Surveys, message(CustomerId::member("eve").unwrap()));
    shop.settle().await.unwrap();
    let parked = shop.queue(&dead_letters(Queue::Surveys));
    let reasons: Vec<&str> = parked.iter().filter_map(|it| it.reason.as_deref()).collect();
    assert!(reasons.iter().any(|it| it.contains("is no message about surveys")), "{reasons:?}");
    assert!(reasons.iter().any(|it| it.contains("there is no order ord_")), "{reasons:?}");
}

#[tokio::test]
async fn nobody_is_contacted_beyond_the_budget() {
    let shop = Shop::open().await;
    for number in 0..3 {
        delivered(&shop, number).await;
    }
    send(&shop).await;
    let why = |invite: &Invite| match &invite.status {
        InviteStatus::Sent { .. } => None,
        InviteStatus::Suppressed { why, .. } => Some(*why),
        other => panic!("{other:?}"),
    };
    let mut fates: Vec<Option<Suppression>> = invites(&shop).await.iter().map(why).collect();
    fates.sort_by_key(Option::is_some);
    let budget = Some(Suppression::ContactBudget);
    assert_eq!(fates, [None, budget, budget]);
    let counted = [Metric::SurveySent, Metric::SurveySuppressed];
    assert_eq!(counted.map(|metric| shop.metrics().counted(metric)), [1, 2]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn runs_at_once_send_as_many_as_the_budget_has() {
    let cap = json!([{ "contacts": 2, "window": "90d", "purpose": "surveys" }]);
    let policy = policy(&[("/contact/caps", cap)]).to_string();
    let shop = Shop::open_with(Options { policy: Some(policy), ..Options::default() }).await;
    for number in 0..4 {
        delivered(&shop, number).await;
    }
    shop.clock().advance(Period::of_days(4));
    let (one, other) =
        tokio::join!(shop.run_schedule("survey-send"), shop.run_schedule("survey-send"));
    one.unwrap();
    other.unwrap();
    shop.settle().await.unwrap();
    let counted = [Metric::SurveySent, Metric::SurveySuppressed];
    assert_eq!(counted.map(|metric| shop.metrics().counted(metric)), [2, 2]);
    shop.check_invariants().await.unwrap();
}

/// An operator gives back the money for all units of an order of one line.
async fn refund(shop: &Shop, placed: &Placed, units: usize) {
    let body = json!({ "lines": [{ "sku": "TEA", "refunded": units }], "why": "Came back." });
    let ask = operating(shop, placed, "/refunds", &body).await.keyed(&key("refund", units));
    let reply = shop.reply(&ask).await;
    assert!(reply.status < 300, "{}", reply.body);
}

#[tokio::test]
async fn nobody_is_asked_about_an_order_that_was_refunded_whole() {
    // Told before the invitation is due, told after, and before the delivery was.
    for round in 0..3 {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        match round {
            0 => {
                shop.deliver(&placed, "AB-0001").await;
                refund(&shop, &placed, 1).await;
                shop.settle().await.unwrap();
                assert!(invites(&shop).await[0].status.is_scheduled(), "one was kept");
                refund(&shop, &placed, 2).await;
                shop.settle().await.unwrap();
                assert_eq!(shop.metrics().counted(Metric::SurveySuppressed), 1);
                send(&shop).await;
            }
            1 => {
                shop.deliver(&placed, "AB-0001").await;
                refund(&shop, &placed, 2).await;
                send(&shop).await;
            }
            _ => {
                shop.pay(&placed).await;
                shop.label(&placed, "AB-0001").await;
                refund(&shop, &placed, 2).await;
                for status in ["picked_up", "delivered"] {
                    shop.clock().advance(Period::of_days(1));
                    shop.call_back(&shop.scan("AB-0001", status)).await;
                }
                shop.settle().await.unwrap();
                send(&shop).await;
            }
        }
        let invites = invites(&shop).await;
        assert_eq!(invites.len(), usize::from(round < 2));
        for invite in invites {
            let InviteStatus::Suppressed { why, .. } = invite.status else {
                panic!("{:?}", invite.status)
            };
            assert_eq!(why, Suppression::NothingKept);
        }
        assert_eq!(shop.metrics().counted(Metric::SurveySent), 0);
        assert_eq!(shop.metrics().counted(Metric::MessageParked), 0);
        shop.check_invariants().await.unwrap();
    }
}

/// Scans of a parcel and, by the schedule, what becomes of the invitation.
async fn later(shop: &Shop, days: u16, scan: Option<&str>) -> Invite {
    shop.clock().advance(Period::of_days(days));
    if let Some(status) = scan {
        shop.call_back(&shop.scan("AB-0001", status)).await;
        shop.settle().await.unwrap();
    }
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    invites(shop).await.remove(0)
}

#[tokio::test]
async fn nobody_is_asked_about_a_delivery_that_was_none_after_all() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.deliver(&placed, "AB-0001").await;
    let scheduled = invites(&shop).await.remove(0);
    assert_eq!(later(&shop, 1, Some("returning")).await, scheduled);
    let waits = later(&shop, 2, None).await;
    assert!(waits.status.is_scheduled());
    assert_eq!(waits.due, shop.now().plus(Period::of_days(1)));
    assert_eq!(waits.expires, scheduled.expires);
    assert!(later(&shop, 1, Some("returned")).await.status.is_scheduled());
    shop.clock().advance_to(scheduled.expires);
    let (at, why) = (shop.now(), Suppression::TooLate);
    assert_eq!(later(&shop, 0, None).await.status, InviteStatus::Suppressed { at, why });
    let counted = [Metric::SurveySent, Metric::SurveySuppressed];
    assert_eq!(counted.map(|metric| shop.metrics().counted(metric)), [0, 1]);
}

#[tokio::test]
async fn another_parcel_that_is_sent_later_is_waited_for() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.deliver(&placed, "AB-0000").await;
    let scheduled = invites(&shop).await.remove(0);
    let shipment = shop.shipment(&placed).await;
    let path = format!("/shipments/{shipment}/replacement");
    let made = shop.reply(&doing(&placed, &path, &json!({}))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    shop.settle().await.unwrap();
    assert!(later(&shop, 3, None).await.due > scheduled.due, "the new one is under way");
    let body = json!({ "carrier": "generic", "tracking_number": "AB-0001" });
    let path = format!("/shipments/{}/label", made.text("/id"));
    assert_eq!(shop.reply(&doing(&placed, &path, &body)).await.status, 200);
    shop.settle().await.unwrap();
    // It comes on the day that the invitation is looked at again.
    let moved = later(&shop, 1, Some("delivered")).await;
    let policy = Policy::default_document().unwrap().surveys;
    let touchpoint = policy.on(Occasion::Delivery).next().unwrap();
    let due = shop.now().plus(touchpoint.delay);
    assert_eq!((moved.due, moved.expires), (due, due.plus(touchpoint.open)));
    assert!(later(&shop, 2, None).await.status.is_scheduled());
    let at = shop.now().plus(Period::of_days(1));
    assert_eq!(later(&shop, 1, None).await.status, InviteStatus::Sent { at, reminded_at: None });
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_survey_that_was_sent_stays_open_when_its_order_is_refunded() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, "AB-0001").await;
    send(&shop).await;
    refund(&shop, &placed, 2).await;
    shop.settle().await.unwrap();
    assert!(matches!(invites(&shop).await[0].status, InviteStatus::Sent { .. }));
}

#[tokio::test]
async fn an_invitation_that_comes_too_late_is_not_sent() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    shop.clock().advance(Period::of_days(40));
    shop.run_schedule("survey-send").await.unwrap();
    let why = Suppression::TooLate;
    let at = shop.now();
    assert_eq!(invites(&shop).await[0].status, InviteStatus::Suppressed { at, why });
    assert_eq!(shop.store().all_surveys().await.unwrap().contacts, []);
}

#[tokio::test]
async fn one_invitation_in_trouble_keeps_no_other_waiting() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    let guest = shop.place_as_guest("CUP", 1, KEY).await;
    shop.deliver(&guest, "AB-9999").await;
    shop.clock().advance(Period::of_days(4));
    // Policy, four shards, invitations, contacts with orders, the key of links: then the first commit.
    shop.port("survey-send").unwrap().fail(9, Fault::Before);
    let swept = shop.run_schedule("survey-send").await.unwrap();
    assert_eq!(swept, json!({ "done": 1, "settled": 0, "failed": 1 }));
    let swept = shop.run_schedule("survey-send").await.unwrap();
    assert_eq!(swept, json!({ "done": 1, "settled": 0, "failed": 0 }));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_invitation_that_no_retry_mends_is_put_off() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    shop.clock().advance(Period::of_days(4));
    shop.port("survey-send").unwrap().fail(9, Fault::Refuse);
    shop.run_schedule("survey-send").await.unwrap_err();
    let swept = async || shop.run_schedule("survey-send").await.unwrap();
    let nothing = json!({ "done": 0, "settled": 0, "failed": 0 });
    assert_eq!(swept().await, nothing, "the next run has room for others");
    shop.clock().advance(Period::of_seconds(59 * 60));
    assert_eq!(swept().await, nothing);
    shop.clock().advance(Period::of_seconds(60));
    assert_eq!(swept().await["done"], 1);
    shop.settle().await.unwrap();
    assert_eq!(mails(&shop).len(), 1);
    shop.check_invariants().await.unwrap();
}
