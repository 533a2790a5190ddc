//! Reports of surveys, whole functions: what is counted and how often, what is
//! shown of it, and to whom.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    model::{
        answers::{Column, Counted, Counts, SENT_COLUMNS_MAX, Value as Answered},
        customer::{Country, CustomerId, Email, Language},
        id::InviteId,
        months,
        product::Sku,
        shipment::Carrier,
        stock::LocationId,
        survey::{
            About, Answer, Given, Invite, InviteStatus, MAX_PRODUCTS, Occasion, QuestionId,
            TouchpointId,
        },
        text::Text,
        time::{Period, Timestamp},
    },
    run::metrics::Metric,
    store::{Commit, Sends, answers, surveys},
};
use aftercart_infra::world::{Ask, Caller, Reply};
use aftercart_surveys::rules::counting;
use serde_json::{Value, json};

use crate::{
    late_payments::decided,
    shop::{ADA, KEY, Shop, key, order},
};

const REPORT: &str = "survey-report";

fn gb() -> Country {
    Country::try_from("GB".to_owned()).unwrap()
}

fn delivery() -> TouchpointId {
    TouchpointId::parse("delivery").unwrap()
}

/// What an invitation is about: a carrier, a tier and a product.
pub(crate) fn about(carrier: Carrier, tier: Option<&str>, sku: &str) -> About {
    About {
        carrier: Some(carrier),
        tier: tier.map(|tier| Text::new(tier).unwrap()),
        products: vec![Sku::parse(sku).unwrap()],
        ..About::default()
    }
}

/// Invites somebody on a day, and counts the answer, if there is one.
pub(crate) async fn asked(shop: &Shop, number: usize, day: &str, about: &About, score: Option<u8>) {
    let at = Timestamp::parse(&format!("{day}T12:00:00Z")).unwrap();
    let id = InviteId::derive(&["report", day, &number.to_string()]);
    let invite = Invite {
        id: id.clone(),
        touchpoint: delivery(),
        occasion: Occasion::Delivery,
        about: about.clone(),
        customer: CustomerId::member("ada").unwrap(),
        email: Email::parse("ada@example.com").unwrap(),
        language: Language::En,
        country: None,
        due: at,
        expires: at.plus(Period::of_days(30)),
        status: InviteStatus::Scheduled,
        counted: Counted::default(),
    };
    let store = shop.store();
    store.commit(surveys::schedule(&invite, &[])).await.unwrap();
    let sent = surveys::send(&id, at, None, &Sends::none());
    let month = months::of(at);
    let found = store.read(&[answers::sent_key(&delivery(), &month)]).await.unwrap();
    let columns = found.sent(&delivery(), &month).unwrap().columns_of(about);
    let counted = answers::sent(&delivery(), &columns, at);
    store.commit(Commit::from(sent).with(counted)).await.unwrap();
    let Some(score) = score else { return };
    let question = QuestionId::parse("recommend").unwrap();
    let given = BTreeMap::from([(question, Given::Score(score))]);
    let answer = Answer { given, at, revision: 1, language: Language::En };
    store.commit(surveys::answer(&id, &answer, &Sends::none()).unwrap()).await.unwrap();
    let invite = store.invite(&id).await.unwrap().unwrap();
    let it = counting::decide(&invite).unwrap();
    let commit = answers::count(&invite, &it.month, &it.counted, &it.differences);
    store.commit(commit).await.unwrap();
}

/// Forty were asked in two months: easypost's buyers are glad, generic's are
/// not, and of two no more is told.
pub(crate) async fn counted(shop: &Shop) {
    let easypost = about(Carrier::Easypost, Some("gold"), "TEA");
    let generic = about(Carrier::Generic, None, "CUP");
    for number in 0..20 {
        let day = if number % 2 == 0 { "2026-10-05" } else { "2026-11-05" };
        let (glad, sad) = (Some(if number < 12 { 10 } else { 7 }), Some(number as u8 % 7));
        asked(shop, number, day, &easypost, glad).await;
        asked(shop, number + 20, day, &generic, sad.filter(|_| number < 14)).await;
    }
    let kdniao = about(Carrier::Kdniao, None, "TEA");
    asked(shop, 50, "2026-11-05", &kdniao, Some(0)).await;
    asked(shop, 51, "2026-11-06", &kdniao, None).await;
}

async fn get(shop: &Shop, query: &str) -> Reply {
    let path = format!("/operator/survey-reports?{query}");
    shop.reply(&Ask::get(path).by(Caller::Operator)).await
}

async fn shown(shop: &Shop, query: &str) -> Value {
    let reply = get(shop, &format!("touchpoint=delivery&from=2026-10&to=2026-11{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.body);
    reply.json()
}

fn row<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rows = report["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or(&Value::Null)
}

/// The Net Promoter Score of a row.
fn nps(row: &Value) -> &Value {
    &row["questions"][0]["measures"][0]
}

#[tokio::test]
async fn a_report_has_intervals_tests_and_those_who_did_not_answer() {
    let shop = Shop::open().await;
    counted(&shop).await;
    let report = shown(&shop, "&by=carrier&compare=rest").await;
    let all = &report["all"];
    assert_eq!(
        (&all["sent"], &all["answered"], &all["silent"]),
        (&json!(42), &json!(35), &json!(7))
    );
    assert_eq!(all["response"], json!({ "value": 8333, "low": 6939, "high": 9169 }));
    let easypost = row(&report, "carrier#easypost");
    // Twelve promoters and eight passives: 0.6; adjusted (12.75 - 0.75) of 23.
    assert_eq!(nps(easypost)["value"], 6_000);
    assert_eq!(nps(easypost)["interval"], json!({ "value": 6000, "low": 2924, "high": 7511 }));
    assert_eq!(nps(easypost)["difference"]["significant"], true);
    assert_eq!(nps(row(&report, "carrier#generic"))["value"], -10_000);
    let few = &row(&report, "carrier#kdniao")["questions"][0];
    assert_eq!(
        (&few["answered"], &few["withheld"], &few["measures"]),
        (&json!(1), &json!(true), &json!([]))
    );
    assert_eq!(row(&report, "carrier#kdniao").get("response"), None);
    assert_eq!(report["least_answers"], 10);
    let products = shown(&shop, "&by=sku&compare=rest").await;
    let tea = row(&products, "sku#TEA");
    assert_eq!((&tea["answered"], nps(tea)["value"].is_number()), (&json!(21), true));
    for unknown in ["sent", "silent", "response", "response_difference"] {
        assert_eq!(tea.get(unknown), None, "{unknown}: products count no invitations");
    }
    decided(&shop, |policy| policy["surveys"]["least_answers"] = json!(30)).await;
    shop.clock().advance(Period::of_seconds(61));
    let report = shown(&shop, "&by=carrier").await;
    assert_eq!(row(&report, "carrier#easypost")["questions"][0]["withheld"], true);
    assert_eq!(report["all"]["questions"][0]["withheld"], false);
}

#[tokio::test]
async fn a_report_has_rows_by_anything() {
    let shop = Shop::open().await;
    counted(&shop).await;
    let names = async |by: &str| {
        let report = shown(&shop, by).await;
        let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
        report["rows"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    for (by, expected) in [
        ("", &[][..]),
        ("&by=carrier", &["carrier#easypost", "carrier#generic", "carrier#kdniao"]),
        ("&by=tier", &["tier#", "tier#gold"]),
        ("&by=sku", &["sku#CUP", "sku#TEA"]),
        ("&by=lane", &[]),
        ("&by=month", &["2026-10", "2026-11"]),
        ("&by=sku&after=sku%23CUP", &["sku#TEA"]),
    ] {
        assert_eq!(names(by).await, expected, "{by}");
    }
    let months = shown(&shop, "&by=month&compare=previous").await;
    assert!(nps(row(&months, "2026-11"))["difference"]["p"].is_number());
    assert_eq!(nps(row(&months, "2026-10")).get("difference"), None, "there was none before");
    let before = shown(&shop, "&compare=previous").await;
    assert_eq!(nps(&before["all"]).get("difference"), None);
    let later =
        get(&shop, "touchpoint=delivery&from=2026-11&to=2026-11&by=carrier&compare=previous");
    let later = later.await.json();
    let value = &nps(row(&later, "carrier#easypost"))["difference"]["value"];
    assert_eq!(*value, json!(0), "as glad as before");
}

/// All twenty of gold answered, and fifteen of the twenty-two others.
#[tokio::test]
async fn tiers_weigh_what_they_weigh_among_those_who_were_asked() {
    let shop = Shop::open().await;
    counted(&shop).await;
    let report = shown(&shop, "&weight=tier").await;
    let known = nps(&report["all"]);
    assert_eq!(known["value"], -857, "twelve less fifteen of thirty-five");
    assert_eq!(known["weighted"]["value"], -2_381, "0.6 × 20/42 - 1 × 22/42");
    let effective = known["weighted"]["effective_answers"].as_i64().unwrap();
    assert!((30..35).contains(&effective), "{effective}");
    let months = shown(&shop, "&weight=tier&by=month").await;
    assert_eq!(nps(row(&months, "2026-10")).get("weighted"), None, "too few in a tier");
}

#[tokio::test]
async fn a_report_is_a_table_and_a_page_too() {
    let shop = Shop::open().await;
    counted(&shop).await;
    let query = "touchpoint=delivery&from=2026-10&to=2026-11&by=carrier&compare=rest";
    let by_format = get(&shop, &format!("{query}&format=csv")).await;
    let accept = Ask::get(format!("/operator/survey-reports?{query}")).by(Caller::Operator);
    let by_accept = shop.reply(&accept.with("accept", "text/csv")).await;
    assert_eq!(by_format.body, by_accept.body);
    let lines: Vec<&str> = by_format.body.split("\r\n").collect();
    assert!(lines[0].starts_with("touchpoint,from,to,row,sent,answered,silent,response"));
    let fields = |line: &str| line.split(',').count();
    assert!(lines.iter().filter(|line| !line.is_empty()).all(|line| fields(line) == 32));
    // Its response is compared as 100 % with 15 of 22, held to the two tests that
    // there are; its score as 12/23 with -15/18, the pseudo-answers among them.
    let easypost = "delivery,2026-10,2026-11,carrier#easypost,20,20,0,100.00,83.88,100.00,\
                    31.82,9.48,52.69,1.15,true,recommend,nps,20,false,";
    let of_easypost: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix(easypost)).collect();
    assert_eq!(of_easypost[0], "nps,60.00,29.24,75.11,,,,,135.51,103.88,167.13,0.01,true");
    assert_eq!(of_easypost.len(), 12, "the score and eleven values: {}", by_format.body);
    assert_eq!(of_easypost[11], "count:10,12,,,,,,,,,,,");

    let link = shown(&shop, "&by=carrier&compare=rest").await["link"].as_str().unwrap().to_owned();
    let (_, path) = link.split_once("/r/").unwrap();
    let page = async |path: String| shop.reply(&Ask::get(path).by(Caller::Anybody)).await;
    let whole = page(format!("/r/{path}")).await;
    assert_eq!(whole.status, 200);
    for text in ["easypost", "more than chance", "42 invited, 35 answered, 7 did not"] {
        assert!(whole.body.contains(text), "{text}");
    }
    let products = page(format!("/r/{}", path.replacen("by=carrier", "by=sku", 1))).await;
    assert!(products.body.contains("invitations are not counted here"));
    assert!(page(format!("/r/{path}&lang=zh")).await.body.contains("净推荐值"));
    let (token, _) = path.split_once('?').unwrap();
    let odd = page(format!("/r/{token}?touchpoint=none&from=x")).await;
    assert_eq!(odd.status, 200);
    assert!(odd.body.contains("could not be read"));
    assert_eq!(page("/r/none".to_owned()).await.status, 404);
    decided(&shop, |policy| policy["surveys"]["touchpoints"] = json!([])).await;
    shop.clock().advance(Period::of_seconds(61));
    assert!(page(format!("/r/{token}")).await.body.contains("There are no surveys"));
    shop.clock().advance(Period::of_days(7));
    assert_eq!(page(format!("/r/{token}")).await.status, 410);
}

/// A table has the rows of all pages, or is refused.
#[tokio::test]
async fn a_table_is_whole() {
    let shop = Shop::open().await;
    let ask = async |first: usize, count: usize| {
        for number in first..first + count {
            let mut of = about(Carrier::Generic, None, "TEA");
            let product = |place: usize| Sku::parse(&format!("P{number:03}{place:02}")).unwrap();
            of.products = (0..MAX_PRODUCTS).map(product).collect();
            asked(&shop, number, "2026-11-05", &of, Some(9)).await;
        }
    };
    let query = "&by=sku";
    let table = async || {
        get(&shop, &format!("touchpoint=delivery&from=2026-10&to=2026-11{query}&format=csv")).await
    };
    ask(0, 10).await;
    let page = shown(&shop, query).await;
    assert_eq!(
        (page["rows"].as_array().unwrap().len(), &page["next"]),
        (100, &json!("sku#P00803"))
    );
    let whole = table().await;
    let names = |row: &str| row.split(',').nth(3).unwrap_or_default().to_owned();
    let names: BTreeSet<String> = whole.body.lines().skip(1).map(names).collect();
    assert_eq!((whole.status, names.len()), (200, 121), "everybody's beside them");
    ask(10, 74).await;
    let refused = table().await;
    assert_eq!((refused.status, refused.text("/field")), (400, "format".to_owned()));
    assert_eq!(shown(&shop, query).await["rows"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let shop = Shop::open().await;
    for (query, field) in [
        ("", "touchpoint"),
        ("touchpoint=none", "touchpoint"),
        ("touchpoint=delivery&from=2026", "from"),
        ("touchpoint=delivery&from=2026-12", "to"),
        ("touchpoint=delivery&by=day", "by"),
        ("touchpoint=delivery&compare=rest", "compare"),
        ("touchpoint=delivery&by=sku&compare=all", "compare"),
        ("touchpoint=delivery&weight=sku", "weight"),
        ("touchpoint=delivery&by=tier&weight=tier", "weight"),
        ("touchpoint=delivery&by=sku&after=tier%23", "after"),
        ("touchpoint=delivery&after=all", "after"),
        ("touchpoint=delivery&format=xml", "format"),
        ("touchpoint=delivery&month=2026-11", "month"),
    ] {
        let reply = get(&shop, query).await;
        let refused = (reply.status, reply.problem(), reply.text("/field"));
        assert_eq!(refused, (400, "invalid-request".to_owned(), field.to_owned()), "{query}");
    }
    let ask = || Ask::get("/operator/survey-reports?touchpoint=delivery");
    assert_eq!(shop.reply(&ask().by_member(ADA)).await.status, 403);
    assert_eq!(shop.reply(&ask().by(Caller::Anybody)).await.status, 401);
}

#[tokio::test]
async fn a_report_costs_a_few_reads() {
    let shop = Shop::open().await;
    counted(&shop).await;
    for (query, expected) in [
        ("", &["BatchGetItem"][..]),
        ("&by=carrier&compare=rest", &["BatchGetItem", "Query", "Query"]),
        ("&by=carrier&compare=previous", &["BatchGetItem", "Query", "Query", "BatchGetItem"]),
        ("&by=month&weight=tier", &["BatchGetItem", "Query", "Query"]),
    ] {
        // The policy is read once a minute.
        shown(&shop, query).await;
        shown(&shop, query).await;
        let meter = shop.port(REPORT).unwrap().meter();
        let calls = meter.calls.iter().map(|call| call.operation.as_str());
        assert_eq!(calls.collect::<Vec<_>>(), expected, "{query}");
    }
}

/// An order that was delivered, asked about, answered, corrected, and all of its
/// messages delivered again: it is counted as it stands.
#[tokio::test]
async fn an_answer_is_counted_once_as_it_stands() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.deliver(&placed, "AB-0001").await;
    let other = shop.place_as_guest("CUP", 1, &key("report", 1)).await;
    shop.deliver(&other, "AB-0002").await;
    shop.clock().advance(Period::of_days(4));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    let counts = async |column: &Column| -> Counts {
        let months = ["2026-11", "2026-12"].map(|month| Text::new(month).unwrap());
        let columns = [column.clone()];
        let found = shop.store().answers(&delivery(), &months, &columns).await.unwrap();
        let counted =
            months.map(|month| found.answers(&delivery(), month.as_str(), column).unwrap());
        counted.iter().fold(Counts::default(), Counts::and)
    };
    let sent = counts(&Column::All).await;
    assert_eq!((sent.sent, sent.answered), (2, 0));
    let path = shop.survey_path();
    let say = async |score: u8, corrects: Option<u32>| {
        let mut body = json!({ "answers": { "recommend": score } });
        if let Some(revision) = corrects {
            body["corrects"] = revision.into();
        }
        let reply = shop.reply(&Ask::post(&path, &body)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    };
    say(9, None).await;
    shop.settle().await.unwrap();
    let question = QuestionId::parse("recommend").unwrap();
    let score = |of: &Counts, score: u8| of.count(&question, &Answered::Score(score));
    let once = counts(&Column::All).await;
    assert_eq!((once.answered, score(&once, 9), score(&once, 3)), (1, 1, 0));
    say(3, Some(1)).await;
    shop.settle().await.unwrap();
    let after = counts(&Column::All).await;
    assert_eq!((after.sent, after.answered, score(&after, 9), score(&after, 3)), (2, 1, 0, 1));
    let carrier = counts(&Column::Carrier(Carrier::Generic)).await;
    assert_eq!((carrier.sent, carrier.answered), (2, 1));
    let products = async |sku: &str| counts(&Column::Sku(Sku::parse(sku).unwrap())).await;
    let (tea, cup) = (products("TEA").await, products("CUP").await);
    assert_eq!((tea.sent + cup.sent, tea.answered + cup.answered), (0, 1));
}

/// Sending costs what it costs, however many columns an invitation is in.
#[tokio::test]
async fn many_goods_cost_an_invitation_no_more_than_one() {
    let mut costs = Vec::new();
    for lines in [&[("TEA", 1)][..], &[("TEA", 1), ("CUP", 1)]] {
        let shop = Shop::open().await;
        let ask = Ask::post("/guest/orders", &order(lines)).keyed(KEY);
        let placed = shop.placed(ask, None).await;
        shop.deliver(&placed, "AB-0001").await;
        shop.clock().advance(Period::of_days(4));
        shop.run_schedule("survey-send").await.unwrap();
        let meter = shop.port("survey-send").unwrap().meter();
        assert_eq!(shop.metrics().counted(Metric::SurveySent), 1);
        costs.push(meter.write_units());
    }
    // Two each, in a transaction, for the invitation (of two kilobytes with its
    // message, and in an index), the contacts, the note of them, and the counters.
    assert!(costs[0] == costs[1] && costs[0] <= 12, "{costs:?}");
}

/// More lanes than invitations are counted by, and tiers after them: their
/// answers are counted, and every report is as it was but for their response.
#[tokio::test]
async fn beyond_so_many_columns_answers_are_counted_alone() {
    let shop = Shop::open().await;
    let lane = |number: usize| About {
        lane: Some((LocationId::parse(&format!("l{number}")).unwrap(), gb())),
        ..about(Carrier::Generic, None, "TEA")
    };
    for number in 0..=SENT_COLUMNS_MAX {
        asked(&shop, number, "2026-11-05", &lane(number), (number % 2 == 0).then_some(9)).await;
    }
    let report = shown(&shop, "&by=lane").await;
    // A carrier and a tier come before; who did not answer is a row as well.
    let last = format!("lane#l{}#GB", SENT_COLUMNS_MAX - 3);
    let (within, beyond) = (row(&report, &last), format!("lane#l{}#GB", SENT_COLUMNS_MAX - 2));
    assert_eq!((&within["sent"], &within["answered"]), (&json!(1), &json!(0)));
    let beyond = row(&report, &beyond);
    assert_eq!((beyond.get("sent"), &beyond["answered"]), (None, &json!(1)));
    assert_eq!(report["all"]["sent"], json!(SENT_COLUMNS_MAX + 1));
    let carriers = shown(&shop, "&by=carrier").await;
    assert_eq!(row(&carriers, "carrier#generic")["sent"], json!(SENT_COLUMNS_MAX + 1));
}
