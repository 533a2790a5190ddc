//! Surveys, whole functions: who is asked and who is not, links that open
//! nothing, forms with faults, and answers that come twice or at once.

use aftercart::{
    messages::{Envelope, Message, ParcelDelivered, PaymentReceived, Queue},
    model::{
        customer::CustomerId,
        id::{InviteId, OrderId, PaymentId, ShipmentId},
        policy::Policy,
        survey::{Invite, InviteStatus, Suppression},
        time::{Period, Timestamp},
    },
    run::{
        links::{Links, OrderPass, SurveyLink},
        metrics::Metric,
    },
};
use aftercart_infra::world::{Ask, Fault, Options, Reply, dead_letters, secrets};
use serde_json::{Value, json};

use crate::{
    dispatch::doing,
    orders::operating,
    shop::{ADA, KEY, Placed, Shop, key},
};

const FORM: &str = "application/x-www-form-urlencoded";

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

/// The path of a survey that was sent.
async fn invited(shop: &Shop) -> String {
    delivered(shop, 0).await;
    send(shop).await;
    shop.survey_path()
}

fn filled(path: &str, body: &str) -> Ask {
    Ask::post(path, &json!({})).with("content-type", FORM).with_body(body)
}

async fn invites(shop: &Shop) -> Vec<Invite> {
    let mut invites = shop.store().all_surveys().await.unwrap().invites;
    invites.sort_by_key(|invite| invite.due);
    invites
}

async fn surveys(shop: &Shop) -> Value {
    shop.state().await.unwrap()["tables"]["surveys"].clone()
}

fn links() -> Links {
    Links::new(serde_json::from_value(json!({ "current": secrets::LINKS })).unwrap())
}

fn link(invite: &InviteId, expires: Timestamp) -> String {
    let link = SurveyLink { invite: invite.clone(), customer: CustomerId::guest("k") };
    format!("/s/{}", links().survey_link(&link, expires))
}

fn is_page(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    assert!(reply.headers["content-security-policy"].starts_with("default-src 'none'"));
    assert!(reply.body.contains(words), "{words} is not in {}", reply.body);
}

#[tokio::test]
async fn looking_records_nothing_and_answering_once_is_all() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let before = surveys(&shop).await;
    for _ in 0..2 {
        is_page(&shop.reply(&Ask::get(&path)).await, 200, "How likely are you");
    }
    assert_eq!(surveys(&shop).await, before);
    let reply =
        shop.reply(&filled(&format!("{path}?lang=zh"), "score=9&comment=Good%0D%0Atea")).await;
    assert_eq!((reply.status, reply.headers["location"].as_str()), (303, "?lang=zh"));
    is_page(&shop.reply(&Ask::get(format!("{path}?lang=zh"))).await, 200, "感谢您的反馈");
    let after = surveys(&shop).await;
    assert_eq!(shop.reply(&filled(&path, "score=9&comment=Good+tea")).await.status, 303);
    is_page(&shop.reply(&filled(&path, "score=1")).await, 409, "You have answered already");
    assert_eq!(surveys(&shop).await, after);
    let InviteStatus::Answered(answer) = &invites(&shop).await[0].status else { panic!() };
    assert_eq!((answer.score, answer.comment.as_ref().unwrap().as_str()), (9, "Good tea"));
    assert_eq!(shop.metrics().counted(Metric::SurveyAnswered), 1);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_app_answers_in_json() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    for (body, field) in [
        (json!({ "score": 11 }), "score"),
        (json!({ "score": -1 }), "score"),
        (json!({ "score": 1_000_000_000 }), "score"),
        (json!({ "score": 9.5 }), "score"),
        (json!({ "score": 9, "comment": "a".repeat(1_001) }), "comment"),
        (json!({ "score": 9, "comment": "\u{0}" }), "comment"),
        (json!({ "score": 9, "points": 5 }), "points"),
    ] {
        let reply = shop.reply(&Ask::post(&path, &body)).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{}", reply.body);
    }
    let ask = Ask::post(&path, &json!({ "score": 9, "comment": "Good" }));
    let first = shop.reply(&ask).await;
    assert_eq!((first.status, first.json()["score"].as_i64()), (200, Some(9)));
    shop.clock().advance(Period::of_days(1));
    let again = shop.reply(&ask).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = shop.reply(&Ask::post(&path, &json!({ "score": 8 }))).await;
    assert_eq!((other.status, other.problem().as_str()), (409, "already-answered"));
}

#[tokio::test]
async fn an_answer_is_one_write_without_a_read() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    shop.reply(&filled(&path, "score=")).await;
    shop.reply(&filled(&path, "score=9")).await;
    let meter = shop.port("survey-answer").unwrap().meter();
    let calls: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(calls, ["UpdateItem"]);
    assert!(meter.write_units() <= 2);
}

#[tokio::test]
async fn of_many_answers_at_once_one_is_recorded() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let asks: Vec<Ask> =
        (0..100).map(|n| filled(&path, &format!("score={}&comment={n}", n % 11))).collect();
    let replies = futures::future::join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let of = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((of(303), of(409)), (1, 99));
    assert_eq!(shop.metrics().counted(Metric::SurveyAnswered), 1);
}

#[tokio::test]
async fn a_form_with_faults_comes_back_as_it_was_filled_in() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let before = surveys(&shop).await;
    let reply = shop.reply(&filled(&path, "comment=%3Cb%3ELate%3C%2Fb%3E")).await;
    is_page(&reply, 422, "Please choose a number from 0 to 10.");
    assert!(reply.body.contains("&#60;b&#62;Late&#60;/b&#62;</textarea>"), "{}", reply.body);
    let long = format!("score=3&comment={}", "%E8%8C%B6".repeat(1_001));
    let reply = shop.reply(&filled(&format!("{path}?lang=zh"), &long)).await;
    is_page(&reply, 422, "内容过长");
    assert!(reply.body.contains(r#"value="3" required checked"#));
    is_page(&shop.reply(&filled(&path, "score=3&comment=%FF%FE")).await, 422, "cannot read");
    let asks = [
        filled(&path, "score=3&colour=red"),
        filled(&path, "score=3").with("content-type", "text/plain"),
        filled(&path, &format!("score=3&comment={}", "a".repeat(100_000))),
    ];
    let mut statuses = Vec::new();
    for ask in &asks {
        statuses.push(shop.reply(ask).await.status);
    }
    assert_eq!(statuses, [400, 415, 413]);
    assert_eq!(surveys(&shop).await, before);
}

#[tokio::test]
async fn a_link_that_is_not_good_gets_a_clear_page_and_writes_nothing() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let before = surveys(&shop).await;
    let invite = invites(&shop).await.remove(0);
    let pass = OrderPass { order: invite.order.clone(), customer: invite.customer.clone() };
    let later = shop.now().plus(Period::of_days(90));
    let altered = format!("{}x", path.strip_suffix(|_: char| true).unwrap());
    let unknown = [
        altered,
        "/s/x".to_owned(),
        format!("/s/{}", "a".repeat(2_000)),
        format!("/s/{}", links().order_pass(&pass, later)),
        link(&InviteId::derive(&["none"]), later),
    ];
    for path in &unknown {
        is_page(&shop.reply(&Ask::get(path)).await, 404, "This link does not work");
        is_page(&shop.reply(&filled(path, "score=9")).await, 404, "This link does not work");
        let reply = shop.reply(&Ask::post(path, &json!({ "score": 9 }))).await;
        assert_eq!((reply.status, reply.problem().as_str()), (404, "not-found"));
    }
    let browser = Ask::get("/s/x").with("accept-language", "zh-CN,zh;q=0.9,en;q=0.8");
    is_page(&shop.reply(&browser).await, 404, "此链接无法打开");
    shop.clock().advance_to(invite.expires);
    // The link says so by itself; so does the invitation to a link that lasts longer.
    for path in [path, link(&invite.id, invite.expires.plus(Period::of_days(9)))] {
        is_page(&shop.reply(&Ask::get(&path)).await, 410, "This survey is closed");
        is_page(&shop.reply(&filled(&path, "score=9")).await, 410, "This survey is closed");
        let reply = shop.reply(&Ask::post(&path, &json!({ "score": 9 }))).await;
        assert_eq!((reply.status, reply.problem().as_str()), (410, "survey-closed"));
    }
    assert_eq!(surveys(&shop).await, before);
    assert_eq!(shop.metrics().counted(Metric::SurveyAnswered), 0);
}

#[tokio::test]
async fn what_was_not_sent_is_not_open() {
    let shop = Shop::open().await;
    delivered(&shop, 0).await;
    let invite = invites(&shop).await.remove(0);
    let path = link(&invite.id, invite.expires);
    is_page(&shop.reply(&Ask::get(&path)).await, 410, "This survey is closed");
    is_page(&shop.reply(&filled(&path, "score=9")).await, 410, "This survey is closed");
    assert!(invites(&shop).await[0].status.is_scheduled());
}

#[tokio::test]
async fn a_person_gets_a_page_even_when_the_store_is_gone() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    for function in ["survey-view", "survey-answer"] {
        shop.port(function).unwrap().fail_always(Some(Fault::Before));
    }
    for ask in [Ask::get(&path), filled(&path, "score=9")] {
        let reply = shop.reply(&ask).await;
        is_page(&reply, 503, "One moment, please");
        assert!(reply.headers.contains_key("retry-after"));
    }
    let reply = shop.reply(&Ask::post(&path, &json!({ "score": 9 }))).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "unavailable"));
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
    let mut policy = json!(Policy::default_document().unwrap());
    policy["surveys"]["contacts"] = 2.into();
    let shop =
        Shop::open_with(Options { policy: Some(policy.to_string()), ..Options::default() }).await;
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
    let due = shop.now().plus(policy.delay);
    assert_eq!((moved.due, moved.expires), (due, due.plus(policy.open)));
    assert!(later(&shop, 2, None).await.status.is_scheduled());
    let at = shop.now().plus(Period::of_days(1));
    assert_eq!(later(&shop, 1, None).await.status, InviteStatus::Sent { at });
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
