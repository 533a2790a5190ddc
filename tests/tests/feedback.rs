//! What buyers write in surveys, whole functions: how it is counted and read,
//! what operators see of it, and what is valuable.

use aftercart::{
    messages::{Envelope, Message, Queue, SurveyAnswered},
    model::{
        customer::CustomerId,
        feedback::{Feedback, Sentiment},
        id::InviteId,
        points::Entry,
        survey::Invite,
        ticket::Topic,
        time::Period,
    },
    run::metrics::Metric,
};
use aftercart_infra::world::{Ask, Caller, Fault, Reply, dead_letters};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    late_payments::decided,
    shop::{ADA, KEY, Placed, Shop, key},
};

const FOLD: &str = "feedback-fold";
pub(crate) const LATE: &str =
    "It came a week late and the driver was rude. Call me at +44 7700 900123.";

/// Valuable feedback earns 50 points.
pub(crate) async fn rewarding(shop: &Shop) {
    decided(shop, |policy| {
        policy["points"]["earning"]["actions"] = json!([{
            "id": "valuable", "title": { "en": "Valuable feedback" },
            "action": "valuable_feedback", "points": 50, "counts": "feedback",
        }]);
    })
    .await;
}

/// The path of the survey about a delivered order.
async fn invited(shop: &Shop, placed: &Placed, number: &str) -> String {
    shop.deliver(placed, number).await;
    shop.clock().advance(Period::of_days(4));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    shop.survey_path()
}

/// Answers the survey of Ada's order; nobody was told of it yet.
pub(crate) async fn written(shop: &Shop, comment: &str) -> String {
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let path = invited(shop, &placed, "AB-0001").await;
    say(shop, &path, comment, None).await;
    path
}

async fn say(shop: &Shop, path: &str, comment: &str, corrects: Option<u32>) {
    let mut body = json!({ "answers": { "recommend": 3 } });
    if !comment.is_empty() {
        body["answers"]["comment"] = comment.into();
    }
    if let Some(revision) = corrects {
        body["corrects"] = revision.into();
    }
    let reply = shop.reply(&Ask::post(path, &body)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

pub(crate) async fn invite(shop: &Shop) -> Invite {
    shop.store().all_surveys().await.unwrap().invites.remove(0)
}

async fn stored(shop: &Shop) -> Option<Feedback> {
    let invite = invite(shop).await;
    let answer = invite.status.answer().unwrap();
    shop.store().feedback(&invite.id, answer.at).await.unwrap()
}

pub(crate) fn listing(query: &str) -> Ask {
    Ask::get(format!("/operator/feedback{query}")).by(Caller::Operator)
}

async fn listed(shop: &Shop, query: &str) -> Vec<Value> {
    let reply = shop.reply(&listing(query)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["feedback"].as_array().unwrap().clone()
}

pub(crate) fn rewarded(invite: &InviteId) -> Ask {
    Ask::post(format!("/operator/feedback/{invite}/reward"), &json!({})).by(Caller::Operator)
}

/// How often somebody earned for valuable feedback.
async fn earned(shop: &Shop) -> usize {
    let ada = CustomerId::member(ADA).unwrap();
    let page = shop.store().entries_of(&ada, None, 50).await.unwrap();
    let valuable = |(entry, _): &(Entry, _)| entry.gave == [("valuable".to_owned(), 50)];
    page.items.iter().filter(|it| valuable(it)).count()
}

fn is_problem(reply: &Reply, status: u16, word: &str, field: Option<&str>) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.json()["type"], format!("urn:aftercart:problem:{word}"));
    assert_eq!(reply.json()["field"].as_str(), field, "{}", reply.body);
}

#[tokio::test]
async fn what_is_written_is_read_and_nobody_reads_personal_data() {
    let shop = Shop::open().await;
    written(&shop, LATE).await;
    shop.settle().await.unwrap();
    let feedback = stored(&shop).await.unwrap();
    assert_eq!(feedback.sentiment, Some(Sentiment::Negative));
    assert_eq!(feedback.topics, [Topic::Delivery, Topic::Service]);
    assert_eq!((feedback.score, feedback.alarms.len()), (Some(3), 0));
    let listed = listed(&shop, "").await;
    let text = "It came a week late and the driver was rude. Call me at [phone].";
    assert_eq!(listed[0]["comments"], json!([{ "question": "comment", "text": text }]));
    assert_eq!(listed[0]["order"], json!(invite(&shop).await.about.order));
    assert_eq!((listed.len(), &listed[0]["sentiment"]), (1, &json!("negative")));
    assert_eq!(listed[0]["valued"], Value::Null);
    assert_eq!(shop.metrics().counted(Metric::FeedbackAlarmed), 0);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn alarming_words_are_told_of_and_a_policy_adds_some() {
    let shop = Shop::open().await;
    decided(&shop, |policy| {
        policy["care"]["alarms"] = json!({ "press": ["记者"] });
    })
    .await;
    written(&shop, "充电器冒烟，我要找记者").await;
    shop.settle().await.unwrap();
    let kinds = |it: &Value| it["alarms"].clone();
    assert_eq!(kinds(&listed(&shop, "?alarm=safety").await[0]), json!(["safety", "press"]));
    assert_eq!(shop.metrics().counted(Metric::FeedbackAlarmed), 1);
    for (query, there) in [
        ("?alarm=any", 1),
        ("?alarm=press&touchpoint=delivery", 1),
        ("?alarm=fraud", 0),
        ("?sentiment=positive", 0),
        ("?topic=points", 0),
        ("?touchpoint=solved", 0),
        ("?month=2026-10", 0),
    ] {
        assert_eq!(listed(&shop, query).await.len(), there, "{query}");
    }
}

#[tokio::test]
async fn an_answer_without_words_is_counted_only() {
    let shop = Shop::open().await;
    written(&shop, "").await;
    shop.settle().await.unwrap();
    assert_eq!(invite(&shop).await.counted.revision, 1);
    assert_eq!((stored(&shop).await, listed(&shop, "").await.len()), (None, 0));
}

#[tokio::test]
async fn corrections_duplicates_and_any_order_end_in_the_answer_as_it_stands() {
    let shop = Shop::open().await;
    let path = written(&shop, "Nice tea").await;
    say(&shop, &path, LATE, Some(1)).await;
    shop.settle().await.unwrap();
    assert_eq!(stored(&shop).await.unwrap().revision, 2);
    let before = shop.state().await.unwrap()["tables"]["surveys"].clone();
    let invite = invite(&shop).await.id;
    for _ in 0..3 {
        let message = Message::SurveyAnswered(SurveyAnswered { invite: invite.clone() });
        let envelope = Envelope::seal(message, shop.now(), None);
        shop.send(Queue::Feedback, serde_json::to_string(&envelope).unwrap());
    }
    shop.settle().await.unwrap();
    assert_eq!(shop.state().await.unwrap()["tables"]["surveys"], before);
    say(&shop, &path, "", Some(2)).await;
    shop.settle().await.unwrap();
    assert_eq!(stored(&shop).await.unwrap().comments, []);
    assert_eq!(listed(&shop, "").await.len(), 0, "the words were taken back");
    is_problem(&shop.reply(&rewarded(&invite)).await, 404, "not-found", None);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn messages_that_cannot_be_understood_are_parked() {
    let shop = Shop::open().await;
    let unknown = Message::SurveyAnswered(SurveyAnswered { invite: InviteId::derive(&["none"]) });
    let other = Message::ActionDone(aftercart::messages::ActionDone {
        customer: CustomerId::member(ADA).unwrap(),
        action: aftercart::model::programme::earning::ActionKind::Review,
        reference: aftercart::model::text::Text::new("r").unwrap(),
    });
    for message in [unknown, other] {
        let envelope = Envelope::seal(message, shop.now(), None);
        shop.send(Queue::Feedback, serde_json::to_string(&envelope).unwrap());
    }
    shop.settle().await.unwrap();
    assert_eq!(shop.queue(&dead_letters(Queue::Feedback)).len(), 2);
}

#[tokio::test]
async fn an_operators_word_earns_once_however_many_say_it() {
    let shop = Shop::open().await;
    rewarding(&shop).await;
    let path = written(&shop, LATE).await;
    shop.settle().await.unwrap();
    let invite = invite(&shop).await.id;
    assert_eq!(earned(&shop).await, 0);
    let ask = rewarded(&invite);
    let replies = join_all((0..20).map(|_| shop.reply(&ask))).await;
    for reply in &replies {
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.body, replies[0].body, "all are told the same");
    }
    assert!(replies[0].json()["valued"]["by"].is_string());
    shop.settle().await.unwrap();
    assert_eq!(earned(&shop).await, 1);
    say(&shop, &path, "It came late.", Some(1)).await;
    shop.settle().await.unwrap();
    assert_eq!(shop.reply(&ask).await.status, 200);
    shop.settle().await.unwrap();
    assert_eq!(earned(&shop).await, 1, "a correction earns nothing more");
    assert_eq!(listed(&shop, "").await[0]["valued"], replies[0].json()["valued"]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_rule_of_the_policy_rewards_by_itself() {
    for (least, earns) in [(40, 1), (400, 0)] {
        let shop = Shop::open().await;
        rewarding(&shop).await;
        decided(&shop, |policy| {
            policy["surveys"]["valuable"] = json!({ "least": least, "topics": ["delivery"] });
        })
        .await;
        written(&shop, LATE).await;
        shop.settle().await.unwrap();
        assert_eq!(earned(&shop).await, earns, "{least}");
        let valued = listed(&shop, "").await[0]["valued"].clone();
        assert_eq!(valued["by"], Value::Null, "by nobody");
        assert_eq!(valued.is_object(), earns == 1);
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn guests_earn_nothing_and_what_is_not_there_is_not_valued() {
    let shop = Shop::open().await;
    let placed = shop.place_as_guest("TEA", 1, KEY).await;
    let path = invited(&shop, &placed, "AB-0001").await;
    let invite = invite(&shop).await.id;
    is_problem(&shop.reply(&rewarded(&invite)).await, 404, "not-found", None);
    say(&shop, &path, LATE, None).await;
    is_problem(&shop.reply(&rewarded(&invite)).await, 404, "not-found", None);
    shop.settle().await.unwrap();
    is_problem(&shop.reply(&rewarded(&invite)).await, 409, "guest-earns-nothing", None);
    let unknown = rewarded(&InviteId::derive(&["none"]));
    is_problem(&shop.reply(&unknown).await, 404, "not-found", None);
    let odd = Ask::post("/operator/feedback/x/reward", &json!({})).by(Caller::Operator);
    is_problem(&shop.reply(&odd).await, 404, "not-found", None);
    for ask in [rewarded(&invite).by_member(ADA), listing("").by_member(ADA)] {
        assert_eq!(shop.reply(&ask).await.status, 403);
    }
}

#[tokio::test]
async fn a_listing_says_what_is_wrong_with_a_question() {
    let shop = Shop::open().await;
    // A cursor of the list of alerts.
    let elsewhere = "MjAyNi0xMS0yMVQxMjowMDowMFogYWx0X3g";
    for (query, field) in [
        ("?month=2026-13", "month"),
        ("?month=November", "month"),
        ("?touchpoint=A%20B", "touchpoint"),
        ("?sentiment=sad", "sentiment"),
        ("?topic=weather", "topic"),
        ("?alarm=", "alarm"),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?cursor=x", "cursor"),
        (format!("?cursor={elsewhere}").as_str(), "cursor"),
        ("?mood=good", "mood"),
    ] {
        let reply = shop.reply(&listing(query)).await;
        is_problem(&reply, 400, "invalid-request", Some(field));
    }
}

#[tokio::test]
async fn pages_go_on_also_when_a_filter_leaves_little() {
    let shop = Shop::open().await;
    decided(&shop, |policy| {
        policy["contact"]["caps"] = json!([]);
    })
    .await;
    for number in 0..5 {
        let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
        let path = invited(&shop, &placed, &format!("AB-{number:04}")).await;
        let comment = if number == 0 { "The kettle caught fire" } else { "Nice tea" };
        say(&shop, &path, comment, None).await;
        shop.settle().await.unwrap();
    }
    let mut seen = Vec::new();
    for month in ["2026-12", "2026-11"] {
        let mut cursor = String::new();
        loop {
            let reply = shop.reply(&listing(&format!("?limit=1&month={month}{cursor}"))).await;
            let page = reply.json();
            seen.extend(page["feedback"].as_array().unwrap().iter().map(|it| it["at"].to_string()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|later, earlier| later > earlier), "latest first: {seen:?}");
    let alarming = listed(&shop, "?limit=1&alarm=any&month=2026-11").await;
    assert_eq!(alarming.len(), 1, "behind others on which nothing alarms");
    assert_eq!(alarming[0]["at"].to_string(), seen[4]);
}

#[tokio::test]
async fn a_failed_count_is_made_up_for() {
    let shop = Shop::open().await;
    written(&shop, LATE).await;
    shop.relay().await.unwrap();
    for fault in [Fault::Before, Fault::After] {
        shop.port(FOLD).unwrap().fail(1, fault);
    }
    shop.settle().await.unwrap();
    assert_eq!(invite(&shop).await.counted.revision, 1);
    assert_eq!(listed(&shop, "").await.len(), 1);
    shop.check_invariants().await.unwrap();
}
