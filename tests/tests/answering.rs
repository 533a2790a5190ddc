//! Answers to surveys, whole functions: pages that record nothing by being
//! looked at, links that open nothing, forms with faults, answers that come
//! twice or at once, corrections, and what whoever answered is told.

use aftercart::{
    model::{
        customer::{CustomerId, Language},
        id::{InviteId, OrderId},
        policy::Policy,
        product::Sku,
        shipment::Carrier,
        survey::{About, Answer, Delivered, Invite, InviteStatus, MAX_REVISIONS, TouchpointId},
        text::Text,
        time::{Period, Timestamp},
    },
    run::{
        links::{Links, OrderPass, SurveyLink},
        metrics::Metric,
    },
    store::{Sends, surveys},
};
use aftercart_infra::world::{Ask, Fault, Options, Reply, secrets};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    shop::{ADA, KEY, Shop},
    stock::set_policy,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// A delivered order of a member, and four days later the path of the survey
/// about it.
pub(crate) async fn invited(shop: &Shop) -> String {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    shop.clock().advance(Period::of_days(4));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    shop.survey_path()
}

pub(crate) fn filled(path: &str, body: &str) -> Ask {
    Ask::post(path, &json!({})).with("content-type", FORM).with_body(body)
}

fn from_app(path: &str) -> Ask {
    Ask::get(path).with("accept", "application/json")
}

fn said(path: &str, answers: &Value) -> Ask {
    Ask::post(path, &json!({ "answers": answers }))
}

async fn invite(shop: &Shop) -> Invite {
    shop.store().all_surveys().await.unwrap().invites.remove(0)
}

async fn answer(shop: &Shop) -> Answer {
    match invite(shop).await.status {
        InviteStatus::Answered { answer, .. } => answer,
        other => panic!("{other:?}"),
    }
}

async fn given(shop: &Shop) -> Value {
    serde_json::to_value(answer(shop).await.given).unwrap()
}

async fn table(shop: &Shop) -> Value {
    shop.state().await.unwrap()["tables"]["surveys"].clone()
}

fn answered(shop: &Shop) -> [i64; 2] {
    [Metric::SurveyAnswered, Metric::SurveyCorrected].map(|it| shop.metrics().counted(it))
}

fn links() -> Links {
    Links::new(serde_json::from_value(json!({ "current": secrets::LINKS })).unwrap())
}

fn link(invite: &InviteId, expires: Timestamp) -> String {
    let touchpoint = TouchpointId::parse("delivery").unwrap();
    let link = SurveyLink { invite: invite.clone(), touchpoint, customer: CustomerId::guest("k") };
    format!("/s/{}", links().survey_link(&link, expires))
}

/// The default policy with these questions after a delivery.
fn asking(questions: &Value) -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["surveys"]["touchpoints"][0]["questions"] = questions.clone();
    policy
}

fn is_page(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    assert!(reply.headers["content-security-policy"].starts_with("default-src 'none'"));
    assert!(reply.body.contains(words), "{words} is not in {}", reply.body);
}

#[tokio::test]
async fn looking_records_nothing_also_by_what_was_tapped() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let before = table(&shop).await;
    for _ in 0..2 {
        // What a mail scanner opens.
        for tapped in 0..=10 {
            let page = shop.reply(&Ask::get(format!("{path}?a={tapped}"))).await;
            is_page(&page, 200, &format!(r#"value="{tapped}" required checked>"#));
            assert!(page.body.contains("It is not sent yet"));
        }
        let page = shop.reply(&Ask::get(&path)).await;
        is_page(&page, 200, "How likely are you");
        assert!(!page.body.contains("required checked>"));
        assert!(page.body.contains(r#"name="products.TEA" value="like""#), "{}", page.body);
    }
    assert_eq!(table(&shop).await, before);
    assert_eq!(answered(&shop), [0, 0]);
}

#[tokio::test]
async fn an_answer_is_recorded_once_and_thanked_for() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let sent = "recommend=9&products.TEA=like&comment=Good%0D%0Atea";
    let reply = shop.reply(&filled(&format!("{path}?lang=zh"), sent)).await;
    assert_eq!((reply.status, reply.headers["location"].as_str()), (303, "?lang=zh"));
    is_page(&shop.reply(&Ask::get(format!("{path}?lang=zh"))).await, 200, "感谢您的反馈");
    let after = table(&shop).await;
    assert_eq!(shop.reply(&filled(&path, sent)).await.status, 303, "the very same");
    is_page(&shop.reply(&filled(&path, "recommend=1")).await, 409, "You have answered already");
    assert_eq!(table(&shop).await, after);
    let kept = json!({
        "recommend": { "score": 9 }, "products": { "products": { "TEA": "like" } },
        "comment": { "text": "Good tea" },
    });
    assert_eq!(given(&shop).await, kept);
    assert_eq!(answered(&shop), [1, 0]);
    // What was sent is shown again, to be looked at or corrected.
    let page = shop.reply(&Ask::get(&path)).await;
    is_page(&page, 200, "Good tea</textarea>");
    assert!(page.body.contains(r#"name="_corrects" value="1""#));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_app_reads_the_questions_and_answers_in_json() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let survey = shop.reply(&from_app(&format!("{path}?lang=zh"))).await;
    assert_eq!(survey.status, 200, "{}", survey.body);
    let survey = survey.json();
    let ids: Vec<&str> = survey["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["recommend", "products", "comment"]);
    assert_eq!(survey["questions"][0]["scale"]["to"], 10);
    assert_eq!(survey["questions"][0]["ask"], "您有多大可能向朋友或同事推荐我们的商店？");
    assert_eq!(survey["products"], json!([{ "sku": "TEA", "title": "TEA" }]));
    assert!(survey.get("answer").is_none());
    for (answers, field) in [
        (json!({ "recommend": 11 }), "answers.recommend"),
        (json!({ "recommend": -1 }), "answers.recommend"),
        (json!({ "recommend": "9" }), "answers.recommend"),
        (json!({ "recommend": 9.5 }), "answers.recommend"),
        (json!({ "recommend": null }), "answers.recommend"),
        (json!({}), "answers.recommend"),
        (json!({ "recommend": 9, "comment": "a".repeat(1_001) }), "answers.comment"),
        (json!({ "recommend": 9, "comment": "\u{0}" }), "answers.comment"),
        (json!({ "recommend": 9, "products": { "no sku": "like" } }), "answers.products"),
        (json!({ "recommend": 9, "products": { "TEA": "love" } }), "answers.products"),
        (json!({ "recommend": 9, "points": 5 }), "answers.points"),
    ] {
        let reply = shop.reply(&said(&path, &answers)).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{}", reply.body);
    }
    let odd = Ask::post(&path, &json!({ "score": 9 }));
    assert_eq!(shop.reply(&odd).await.text("/field"), "score");
    let answers = json!({ "recommend": 9, "comment": "Good", "products": { "TEA": "dislike" } });
    let first = shop.reply(&said(&path, &answers)).await;
    assert_eq!((first.status, &first.json()["answers"]), (200, &answers), "{}", first.body);
    assert_eq!(first.json()["revision"], 1);
    let day_later = shop.now().plus(Period::of_days(1)).to_string();
    assert_eq!(first.text("/correctable_until"), day_later);
    shop.clock().advance(Period::of_days(2));
    let again = shop.reply(&said(&path, &answers)).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = shop.reply(&said(&path, &json!({ "recommend": 8 }))).await;
    assert_eq!((other.status, other.problem().as_str()), (409, "already-answered"));
    assert_eq!(shop.reply(&from_app(&path)).await.json()["answer"], first.json());
}

#[tokio::test]
async fn an_answer_is_one_write_without_a_read() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    // The policy is read once a minute, and the invitation only to ask again.
    is_page(&shop.reply(&filled(&path, "recommend=")).await, 422, "Please answer this question.");
    let sent = "recommend=9&products.TEA=like&comment=Quick+and+well+packed";
    for body in [sent, "recommend=8&_corrects=1"] {
        shop.reply(&filled(&path, body)).await;
        let meter = shop.port("survey-answer").unwrap().meter();
        let calls: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(calls, ["UpdateItem"], "{body}");
        assert!(meter.write_units() <= 2, "{body}: {}", meter.write_units());
    }
    assert_eq!(answered(&shop), [1, 1]);
}

/// The path of a survey about an order of twelve products, with SKUs of so many
/// characters and titles that are as long as a survey shows, to a member.
async fn of_twelve(shop: &Shop, sku_characters: usize) -> String {
    invited(shop).await;
    let known = invite(shop).await;
    let products: Vec<Delivered> = (0..12)
        .map(|n| {
            let sku = Sku::parse(&format!("{}{n:02}", "P".repeat(sku_characters - 2))).unwrap();
            Delivered::named(&sku, &"茶".repeat(80)).unwrap()
        })
        .collect();
    let about = About {
        products: products.iter().map(|it| it.sku.clone()).collect(),
        carrier: Some(Carrier::Generic),
        tier: Some(Text::new("gold").unwrap()),
        ..known.about.clone()
    };
    let id = InviteId::derive(&["twelve"]);
    let twelve = Invite { id: id.clone(), about, status: InviteStatus::Scheduled, ..known };
    let store = shop.store();
    store.commit(surveys::schedule(&twelve, &products)).await.unwrap();
    store.commit(surveys::send(&id, shop.now(), None, &Sends::none())).await.unwrap();
    assert_eq!(store.invite_products(&id).await.unwrap(), products);
    let touchpoint = TouchpointId::parse("delivery").unwrap();
    let link = SurveyLink { invite: id, touchpoint, customer: twelve.customer };
    format!("/s/{}", links().survey_link(&link, twelve.expires))
}

/// What an answer cost: its calls, and its write units.
async fn cost(shop: &Shop, path: &str, answers: &Value) -> (Vec<String>, u64) {
    let reply = shop.reply(&said(path, answers)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let meter = shop.port("survey-answer").unwrap().meter();
    let units = meter.write_units();
    (meter.calls.into_iter().map(|call| call.operation).collect(), units)
}

#[tokio::test]
async fn an_answer_costs_what_it_says_and_not_what_its_survey_names() {
    let judged = |characters: usize| -> Value {
        let sku = |n| (format!("{}{n:02}", "P".repeat(characters - 2)), json!("dislike"));
        (0..12).map(sku).collect::<serde_json::Map<_, _>>().into()
    };
    let shop = Shop::open().await;
    let path = of_twelve(&shop, 10).await;
    let page = shop.reply(&Ask::get(&path)).await;
    is_page(&page, 200, &format!("{}…", "茶".repeat(59)));
    assert_eq!(page.body.matches('…').count(), 12);
    shop.reply(&said(&path, &json!({}))).await;
    let comment = "Quick, and well packed. ".repeat(9);
    let usual = json!({ "recommend": 9, "products": judged(10), "comment": &comment[..200] });
    let update = vec!["UpdateItem".to_owned()];
    assert_eq!(cost(&shop, &path, &usual).await, (update.clone(), 2));

    // The longest: seven texts of characters of four bytes each.
    let text = |n: usize| {
        let ask = json!({ "en": "Why?", "zh": "为什么？" });
        json!({ "id": format!("t{n}"), "kind": "text", "ask": ask, "optional": true })
    };
    let mut questions = vec![json!({ "id": "recommend", "kind": "nps" })];
    questions.extend((1..8).map(text));
    let policy = Some(asking(&json!(questions)).to_string());
    let shop = Shop::open_with(Options { policy, ..Options::default() }).await;
    let path = of_twelve(&shop, 40).await;
    shop.reply(&said(&path, &json!({}))).await;
    let mut longest = json!({ "recommend": 9 });
    (1..8).for_each(|n| longest[format!("t{n}")] = "🍵".repeat(1_000).into());
    assert_eq!(cost(&shop, &path, &longest).await, (update, 29));
    // A form of them is taken, too, though it is three times as long.
    let form = (1..8).map(|n| format!("&t{n}={}", "%E8%8C%B6".repeat(1_000)));
    let form = format!("_corrects=1&recommend=9{}", form.collect::<String>());
    assert_eq!(shop.reply(&filled(&path, &form)).await.status, 303);
}

#[tokio::test]
async fn what_is_said_of_foreign_products_goes_nowhere() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let answers = json!({ "recommend": 9, "products": { "TEA": "like", "CUP": "dislike" } });
    for _ in 0..2 {
        let reply = shop.reply(&said(&path, &answers)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.json()["answers"]["products"], json!({ "TEA": "like" }));
    }
    let view = shop.reply(&from_app(&path)).await.json();
    assert_eq!(view["answer"]["answers"]["products"], json!({ "TEA": "like" }));
    shop.settle().await.unwrap();
    let marks = invite(&shop).await.counted.marks;
    let marks: Vec<String> = marks.iter().map(ToString::to_string).collect();
    assert_eq!(marks, ["products#", "products#+TEA", "recommend#9"]);
}

#[tokio::test]
async fn of_many_answers_at_once_one_is_recorded() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let asks: Vec<Ask> =
        (0..100).map(|n| filled(&path, &format!("recommend={}&comment={n}", n % 11))).collect();
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let of = |replies: &[Reply], status| replies.iter().filter(|it| it.status == status).count();
    assert_eq!((of(&replies, 303), of(&replies, 409)), (1, 99));
    assert_eq!(answered(&shop), [1, 0]);
    // And of many corrections of it, one; the revision tells.
    let asks: Vec<Ask> = (0..50)
        .map(|n| filled(&path, &format!("_corrects=1&recommend={}&comment=c{n}", n % 11)))
        .collect();
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    assert_eq!((of(&replies, 303), of(&replies, 409)), (1, 49));
    assert_eq!(answered(&shop), [1, 1]);
    assert_eq!(answer(&shop).await.revision, 2);
}

#[tokio::test]
async fn an_answer_is_corrected_for_a_day() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let correcting = |corrects: u32, recommend: u8| {
        Ask::post(&path, &json!({ "answers": { "recommend": recommend }, "corrects": corrects }))
    };
    let early = shop.reply(&correcting(1, 5)).await;
    assert_eq!((early.status, early.problem().as_str()), (409, "nothing-to-correct"));
    let early = shop.reply(&filled(&path, "_corrects=1&recommend=5")).await;
    is_page(&early, 409, "Nothing was recorded");
    assert_eq!(answered(&shop), [0, 0], "there is nothing to correct");

    let first_at = shop.now();
    shop.reply(&filled(&path, "recommend=2&comment=Late")).await;
    shop.settle().await.unwrap();
    shop.clock().advance(Period::of_seconds(3_600));
    let form =
        filled(&format!("{path}?lang=zh"), "_corrects=1&recommend=7&products.TEA=like&comment=");
    assert_eq!(shop.reply(&form).await.status, 303);
    let kept = answer(&shop).await;
    assert_eq!((kept.at, kept.revision, kept.language), (first_at, 2, Language::Zh));
    let products = json!({ "products": { "TEA": "like" } });
    assert_eq!(given(&shop).await, json!({ "recommend": { "score": 7 }, "products": products }));
    // It is told again, so that it is counted and read; the deed is told once.
    let state = table(&shop).await.to_string();
    assert_eq!(
        (state.matches("survey.answered").count(), state.matches("action.done").count()),
        (1, 0)
    );
    assert_eq!(shop.reply(&form).await.status, 303, "the very same");
    assert_eq!(answered(&shop), [1, 1]);
    is_page(&shop.reply(&filled(&path, "_corrects=1&recommend=1")).await, 409, "already");
    let faulty = shop.reply(&filled(&path, "_corrects=2&recommend=70")).await;
    is_page(&faulty, 422, r#"name="_corrects" value="2""#);

    let made = shop.reply(&correcting(2, 8)).await;
    assert_eq!((made.status, made.json()["revision"].as_u64()), (200, Some(3)), "{}", made.body);
    assert_eq!(made.text("/answered_at"), first_at.to_string());
    let stale = shop.reply(&correcting(2, 1)).await;
    assert_eq!((stale.status, stale.problem().as_str()), (409, "already-answered"));

    shop.clock().advance_to(first_at.plus(Period::of_days(1)));
    let late = shop.reply(&correcting(3, 9)).await;
    assert_eq!((late.status, late.problem().as_str()), (409, "correction-too-late"));
    let late = shop.reply(&filled(&path, "_corrects=3&recommend=9")).await;
    is_page(&late, 409, "can no longer be changed");
    let page = shop.reply(&Ask::get(&path)).await;
    is_page(&page, 200, "Thank you!");
    assert!(!page.body.contains("<form"));
    assert_eq!(given(&shop).await, json!({ "recommend": { "score": 8 } }));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_answer_is_corrected_a_few_times_only() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let saying = |corrects: u32| {
        let mut body = json!({ "answers": { "recommend": corrects % 10 } });
        if corrects > 0 {
            body["corrects"] = corrects.into();
        }
        Ask::post(&path, &body)
    };
    for corrects in 0..MAX_REVISIONS {
        assert_eq!(shop.reply(&saying(corrects)).await.status, 200, "{corrects}");
    }
    let before = shop.state().await.unwrap();
    let refused = shop.reply(&saying(MAX_REVISIONS)).await;
    assert_eq!((refused.status, refused.problem().as_str()), (409, "correction-too-late"));
    let form = format!("_corrects={MAX_REVISIONS}&recommend=1");
    is_page(&shop.reply(&filled(&path, &form)).await, 409, "no longer be changed");
    assert_eq!(shop.state().await.unwrap(), before);
    let page = shop.reply(&Ask::get(&path)).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("_corrects"), "there is nothing more to send");
    let again = shop.reply(&saying(MAX_REVISIONS - 1)).await;
    assert_eq!(again.status, 200, "the same is known");
    assert!(again.headers.contains_key("idempotent-replayed"));
}

#[tokio::test]
async fn a_form_with_faults_comes_back_as_it_was_filled_in() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let before = table(&shop).await;
    let reply =
        shop.reply(&filled(&path, "comment=%3Cb%3ELate%3C%2Fb%3E&products.TEA=dislike")).await;
    is_page(&reply, 422, "Please answer this question.");
    assert!(reply.body.contains("&#60;b&#62;Late&#60;/b&#62;</textarea>"), "{}", reply.body);
    assert!(reply.body.contains(r#"value="dislike" checked"#));
    let long = format!("recommend=3&comment={}", "%E8%8C%B6".repeat(1_001));
    let reply = shop.reply(&filled(&format!("{path}?lang=zh"), &long)).await;
    is_page(&reply, 422, "内容过长");
    assert!(reply.body.contains(r#"value="3" required checked"#));
    is_page(&shop.reply(&filled(&path, "recommend=3&comment=%FF%FE")).await, 422, "cannot read");
    // What no page of ours sends: a person reads a page still, a program a problem.
    let odd = shop.reply(&filled(&path, "recommend=3&_corrects=one")).await;
    is_page(&odd, 400, "This could not be read");
    let early = shop.reply(&filled(&path, "recommend=3&_corrects=1")).await;
    is_page(&early, 409, "Nothing was recorded");
    let asks = [
        filled(&path, "recommend=3").with("content-type", "text/plain"),
        filled(&path, &format!("recommend=3&comment={}", "a".repeat(100_000))),
    ];
    let mut problems = Vec::new();
    for ask in &asks {
        let reply = shop.reply(ask).await;
        problems.push((reply.status, reply.problem()));
    }
    let expected = [(415, "unsupported-media-type"), (413, "body-too-large")];
    assert_eq!(problems, expected.map(|(status, kind)| (status, kind.to_owned())));
    assert_eq!(table(&shop).await, before);
    // Once it is answered, a form with faults is an answer too many all the same.
    shop.reply(&filled(&path, "recommend=3")).await;
    is_page(&shop.reply(&filled(&path, "recommend=")).await, 409, "You have answered already");
}

#[tokio::test]
async fn what_was_not_asked_is_not_recorded() {
    let title = |en: &str| json!({ "en": en, "zh": "问" });
    let questions = json!([
        { "id": "effort", "kind": "ces" },
        { "id": "why", "kind": "single", "ask": title("What was hard?"),
          "choices": [{ "id": "pay", "title": title("Paying") }, { "id": "find", "title": title("Finding") }],
          "when": { "question": "effort", "is": { "at_most": 3 } } },
    ]);
    let policy = Some(asking(&questions).to_string());
    let shop = Shop::open_with(Options { policy, ..Options::default() }).await;
    let path = invited(&shop).await;
    let page = shop.reply(&Ask::get(&path)).await;
    is_page(&page, 200, "What was hard?");
    assert!(page.body.contains(r#"#q-why { display: none; }"#));
    is_page(&shop.reply(&filled(&path, "effort=2")).await, 422, "Please answer this question.");
    assert_eq!(shop.reply(&filled(&path, "effort=7&why=pay&why=x")).await.status, 303);
    assert_eq!(given(&shop).await, json!({ "effort": { "score": 7 } }));
    assert_eq!(shop.reply(&filled(&path, "_corrects=1&effort=3&why=pay")).await.status, 303);
    let kept = json!({ "effort": { "score": 3 }, "why": { "choices": ["pay"] } });
    assert_eq!(given(&shop).await, kept);
    let view = shop.reply(&from_app(&path)).await.json();
    assert_eq!(view["answer"]["answers"], json!({ "effort": 3, "why": "pay" }));
    assert_eq!(view["questions"][1]["when"]["is"]["at_most"], 3);
}

#[tokio::test]
async fn a_policy_that_changed_meanwhile_keeps_nobody_from_answering() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    set_policy(&shop, &asking(&json!([{ "id": "recommend", "kind": "nps" }]))).await;
    shop.clock().advance(Period::of_seconds(120));
    // A page that was opened before has questions that there are no more.
    let sent = "recommend=9&products.TEA=like&comment=Good";
    assert_eq!(shop.reply(&filled(&path, sent)).await.status, 303);
    assert_eq!(given(&shop).await, json!({ "recommend": { "score": 9 } }));
    let mut ended = json!(Policy::default_document().unwrap());
    ended["surveys"]["touchpoints"] = json!([]);
    ended["care"]["opens"] = json!([]);
    set_policy(&shop, &ended).await;
    shop.clock().advance(Period::of_seconds(120));
    is_page(&shop.reply(&Ask::get(&path)).await, 410, "This survey is closed");
    is_page(&shop.reply(&filled(&path, "_corrects=1&recommend=1")).await, 410, "closed");
    for ask in [from_app(&path), said(&path, &json!({ "recommend": 1 }))] {
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.problem().as_str()), (410, "survey-closed"));
    }
}

#[tokio::test]
async fn a_link_that_is_not_good_gets_a_clear_page_and_writes_nothing() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    let before = table(&shop).await;
    let invite = invite(&shop).await;
    let pass = OrderPass {
        order: invite.about.order.clone().unwrap_or_else(|| OrderId::derive(&["1"])),
        customer: invite.customer.clone(),
    };
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
        for body in ["recommend=9", "recommend=", "_corrects=1&recommend=9"] {
            is_page(&shop.reply(&filled(path, body)).await, 404, "This link does not work");
        }
        for ask in [from_app(path), said(path, &json!({ "recommend": 9 }))] {
            let reply = shop.reply(&ask).await;
            assert_eq!((reply.status, reply.problem().as_str()), (404, "not-found"));
        }
    }
    let browser = Ask::get("/s/x").with("accept-language", "zh-CN,zh;q=0.9,en;q=0.8");
    is_page(&shop.reply(&browser).await, 404, "此链接无法打开");
    shop.clock().advance_to(invite.expires);
    // The link says so by itself; so does the invitation to a link that lasts longer.
    for path in [path, link(&invite.id, invite.expires.plus(Period::of_days(9)))] {
        is_page(&shop.reply(&Ask::get(&path)).await, 410, "This survey is closed");
        for body in ["recommend=9", "recommend="] {
            is_page(&shop.reply(&filled(&path, body)).await, 410, "This survey is closed");
        }
        for ask in [from_app(&path), said(&path, &json!({ "recommend": 9 }))] {
            let reply = shop.reply(&ask).await;
            assert_eq!((reply.status, reply.problem().as_str()), (410, "survey-closed"));
        }
    }
    assert_eq!(table(&shop).await, before);
    assert_eq!(answered(&shop), [0, 0]);
}

#[tokio::test]
async fn what_was_not_sent_is_not_open() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    let scheduled = invite(&shop).await;
    let path = link(&scheduled.id, scheduled.expires);
    is_page(&shop.reply(&Ask::get(&path)).await, 410, "This survey is closed");
    is_page(&shop.reply(&filled(&path, "recommend=9")).await, 410, "This survey is closed");
    assert!(invite(&shop).await.status.is_scheduled());
}

#[tokio::test]
async fn a_person_gets_a_page_even_when_the_store_is_gone() {
    let shop = Shop::open().await;
    let path = invited(&shop).await;
    for function in ["survey-view", "survey-answer"] {
        shop.port(function).unwrap().fail_always(Some(Fault::Before));
    }
    for ask in [Ask::get(&path), filled(&path, "recommend=9")] {
        let reply = shop.reply(&ask).await;
        is_page(&reply, 503, "One moment, please");
        assert!(reply.headers.contains_key("retry-after"));
    }
    for ask in [from_app(&path), said(&path, &json!({ "recommend": 9 }))] {
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.problem().as_str()), (503, "unavailable"));
    }
}

#[tokio::test]
async fn the_thanks_say_what_the_answer_brings_and_what_follows() {
    let mut policy = json!(Policy::default_document().unwrap());
    let rule = json!({
        "id": "survey", "title": { "en": "Survey" }, "action": "survey_answer", "points": 15,
    });
    policy["points"]["earning"] = json!({ "actions": [rule] });
    let policy = Some(policy.to_string());
    let shop = Shop::open_with(Options { policy, ..Options::default() }).await;
    let path = invited(&shop).await;
    shop.reply(&filled(&path, "recommend=9")).await;
    let soon = shop.reply(&Ask::get(&path)).await;
    is_page(&soon, 200, "up to 15 points");
    assert!(!soon.body.contains("will be in touch"));
    shop.settle().await.unwrap();
    is_page(&shop.reply(&Ask::get(&path)).await, 200, "15 points were added to your account");
    let view = shop.reply(&from_app(&path)).await.json();
    assert_eq!(view["points"], json!({ "points": 15, "granted": true }));
    assert_eq!(view.get("follow_up"), None);
    shop.reply(&filled(&path, "_corrects=1&recommend=3")).await;
    let unhappy = shop.reply(&Ask::get(&path)).await;
    is_page(&unhappy, 200, "will be in touch");
    let (_, complaints) = unhappy.body.split_once("../complaints/").unwrap();
    let (token, _) = complaints.split_once('?').unwrap();
    let page = shop.reply(&Ask::get(format!("/complaints/{token}"))).await;
    is_page(&page, 200, "Tell us what went wrong");
    // It opens that page only.
    assert_eq!(shop.reply(&Ask::get(format!("/t/{token}"))).await.status, 404);
    assert_eq!(shop.reply(&from_app(&path)).await.json()["follow_up"], true);
}

#[tokio::test]
async fn a_guest_answers_and_earns_nothing() {
    let mut policy = json!(Policy::default_document().unwrap());
    let rule = json!({
        "id": "survey", "title": { "en": "Survey" }, "action": "survey_answer", "points": 15,
    });
    policy["points"]["earning"] = json!({ "actions": [rule] });
    let policy = Some(policy.to_string());
    let shop = Shop::open_with(Options { policy, ..Options::default() }).await;
    let placed = shop.place_as_guest("CUP", 1, KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    shop.clock().advance(Period::of_days(4));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    let path = shop.survey_path();
    assert_eq!(shop.reply(&filled(&path, "recommend=9")).await.status, 303);
    assert!(!table(&shop).await.to_string().contains("action.done"));
    let page = shop.reply(&Ask::get(&path)).await;
    is_page(&page, 200, "Thank you!");
    assert!(!page.body.contains("points"));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}
