//! The closed loop: a parcel comes late, its buyer says so in the survey, a
//! ticket is opened by it, somebody answers and makes it good with points, the
//! ticket is solved, the buyer is asked again, and the reports tell of it with
//! their uncertainty.

use aftercart::model::{payment::Provider, time::Period};
use serde_json::{Value, json};

use super::{
    followed::{attach, send},
    play::{Caller, Play, Row, amount},
    senders,
};
use crate::{
    dev::{failure::Failure, http::text, running::now},
    signing::{Push, Scan},
};

/// How many points make it good.
const SORRY: u32 = 150;

/// How late the carrier says that the parcel will be: later than any promise of
/// infra/local/policy.json.
const LATE: Period = Period::of_days(20);

/// What forms are sent as.
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// What Ben ordered, and how much it was.
struct Order {
    id: String,
    total: Value,
}

/// The whole of it.
pub(super) fn closed_loop(play: &mut Play<'_>) -> Result<(), Failure> {
    play.chapter("Ben's cups come late, and somebody sees to it")?;
    let order = bought(play)?;
    comes_late(play, &order)?;
    says_so(play, &order)?;
    let ticket = opened(play, &order)?;
    answered(play, &ticket)?;
    made_good(play, &ticket)?;
    solved(play, &order, &ticket)?;
    praised(play)?;
    reported(play)?;
    play.rows.push(Row {
        who: "Ben".to_owned(),
        goods: "cups".to_owned(),
        total: amount(&order.total),
        money: "paid (sandbox)".to_owned(),
        parcel: "came late".to_owned(),
        points: format!("{SORRY} to make it good"),
        survey: "2, then solved: 5".to_owned(),
        order: order.id,
    });
    Ok(())
}

fn bought(play: &mut Play<'_>) -> Result<Order, Failure> {
    let body = json!({
        "lines": [{ "sku": "CUP-PAIR", "quantity": 1 }],
        "shipping_address": {
            "name": "Ben Example", "line1": "2 High Street", "city": "Leeds",
            "postal_code": "LS1 1AA", "country": "GB",
        },
        "contact": { "email": "ben@example.com", "language": "en" },
    });
    let key = play.key("ben-late");
    let header = [("idempotency-key", key.as_str())];
    let placed = play.call(Caller::Ben, "POST", "/orders", &header, &body.to_string())?;
    let (id, total) = (placed.text("/id"), placed.json().get("total").cloned().unwrap_or_default());
    if !play.expect("POST /orders", &placed, placed.status == 201, &id)? {
        return Err(Failure::new("Ben could not order again."));
    }
    let body = json!({ "provider": "sandbox" }).to_string();
    let path = format!("/orders/{id}/payments");
    let payment = play.call(Caller::Ben, "POST", &path, &header, &body)?.text("/id");
    let paid = senders::paid(Provider::Sandbox, &play.key("ben-late-paid"), &payment, &total);
    send(play, &paid)?;
    Ok(Order { id, total })
}

/// The carrier says that it will be late before it is there.
fn comes_late(play: &mut Play<'_>, order: &Order) -> Result<(), Failure> {
    let path = format!("/orders/{}", order.id);
    let shipment = play.wait("The order is paid, a shipment is open", |play| {
        let shipment = play.call(Caller::Ben, "GET", &path, &[], "")?.text("/shipments/0/id");
        Ok((!shipment.is_empty()).then_some(shipment))
    })?;
    let number = format!("LT{}", play.run);
    attach(play, &order.id, &shipment, "generic", &number)?;
    let under_way = [Scan { status: "in_transit", place: "Rugby", at: now() }];
    let event = play.key("late-transit");
    let eta = Some(now().plus(LATE));
    let push = Push { event: &event, number: &number, scans: &under_way, eta, at: now() };
    let told = send(play, &senders::due(play.stack, "generic", &push))?;
    play.expect("POST /carriers/generic/events", &told, told.status == 200, "it will be late")?;
    play.wait("GET /operator/alerts: the promise is at risk", |play| {
        let alerts = play.call(Caller::Operator, "GET", "/operator/alerts", &[], "")?;
        Ok(find(&alerts.json(), "/alerts", "/order", &order.id).map(drop))
    })?;
    let there = [Scan { status: "delivered", place: "Leeds", at: now() }];
    let push = senders::seen(play.stack, "generic", &play.key("late-there"), &number, &there);
    let told = send(play, &push)?;
    play.expect("POST /carriers/generic/events", &told, told.status == 200, "it is there")?;
    Ok(())
}

/// One tap in the message fills the page in, and answers nothing.
fn says_so(play: &mut Play<'_>, order: &Order) -> Result<(), Failure> {
    let message = play.wait("The invitation to Ben is sent (outbox)", |play| {
        play.tick("survey-send")?;
        play.message("notification.survey_invited", &order.id)
    })?;
    let path = play.path_of(&text(&message, "/body/link"));
    let tapped = format!("{path}?a={}", text(&message, "/body/taps/2/answer"));
    let page = play.call(Caller::Nobody, "GET", &tapped, &[("accept", "text/html")], "")?;
    let fine = page.status == 200 && page.body.contains("checked");
    play.expect("GET /s/{token}, one tap on 2", &page, fine, "filled in, and not sent yet")?;
    let form = "recommend=2&reason=late&comment=The+delivery+was+two+weeks+late+and+nobody+told+me.\
                +Write+to+ben%40example.com";
    let sent = play.call(Caller::Nobody, "POST", &path, &[FORM], form)?;
    let fine = (200..=303).contains(&sent.status);
    play.expect("POST /s/{token}, score 2 and why", &sent, fine, "thanked")?;
    Ok(())
}

/// What the operator finds without looking for it.
fn opened(play: &mut Play<'_>, order: &Order) -> Result<String, Failure> {
    let ticket = play.wait("GET /operator/tickets?desk=parcels: a ticket is open", |play| {
        let path = "/operator/tickets?desk=parcels";
        let listed = play.call(Caller::Operator, "GET", path, &[], "")?;
        Ok(find(&listed.json(), "/tickets", "/order", &order.id))
    })?;
    let (id, by) = (text(&ticket, "/id"), text(&ticket, "/answer_by"));
    let path = format!("/operator/tickets/{id}");
    let file = play.call(Caller::Operator, "GET", &path, &[], "")?;
    let linked =
        file.text("/order/id") == order.id && !file.text("/ticket/tracking_number").is_empty();
    play.expect(
        "GET /operator/tickets/{id}",
        &file,
        linked,
        &format!("with order, parcel, payment and answer; due {by}"),
    )?;
    let masked = !file.body.contains("Write to ben@example.com") && file.body.contains("two weeks");
    play.note(masked, "What he wrote is shown without his address in it")?;
    Ok(id)
}

/// The first answer, and the page on which the customer reads it.
fn answered(play: &mut Play<'_>, ticket: &str) -> Result<(), Failure> {
    let body = json!({ "text": "Sorry, Ben. The carrier lost a day, and we should have written." });
    change(play, ticket, "reply", &body)?;
    let news = play.wait("Ben is written to (outbox)", |play| {
        let ours = |it: &Value| {
            text(it, "/type") == "notification.ticket_news" && text(it, "/body/ticket") == ticket
        };
        Ok(play.outbox()?.into_iter().find(ours))
    })?;
    let path = play.path_of(&text(&news, "/body/link"));
    let page = play.call(Caller::Nobody, "GET", &path, &[("accept", "text/html")], "")?;
    let fine = page.status == 200 && page.body.contains("<form") && !page.body.contains("<script");
    play.expect("GET /c/{token}", &page, fine, "his ticket on a page, with room to answer")?;
    Ok(())
}

/// Points, once, however often they are asked for.
fn made_good(play: &mut Play<'_>, ticket: &str) -> Result<(), Failure> {
    let body = json!({ "remedy": { "kind": "points", "points": SORRY } });
    for _ in 0..2 {
        change(play, ticket, "remedies", &body)?;
    }
    let path = format!("/operator/tickets/{ticket}");
    play.wait("The ticket says that they were given", |play| {
        let file = play.call(Caller::Operator, "GET", &path, &[], "")?;
        Ok((file.text("/ticket/remedies/0/status") == "done").then_some(()))
    })?;
    let points = play.call(Caller::Ben, "GET", "/me/points?limit=100", &[], "")?;
    let all = points.json().get("movements").and_then(Value::as_array).cloned().unwrap_or_default();
    let times = all.iter().filter(|it| text(it, "/about") == ticket).count();
    play.expect("GET /me/points", &points, times == 1, "given once, with the reason")?;
    Ok(())
}

/// Solved, and the question whether it was.
fn solved(play: &mut Play<'_>, order: &Order, ticket: &str) -> Result<(), Failure> {
    change(play, ticket, "solution", &json!({ "cause": "late", "text": "It is made good." }))?;
    let message = play.wait("Ben is asked whether it is solved (outbox)", |play| {
        play.tick("survey-send")?;
        let ours = |it: &Value| {
            text(it, "/body/touchpoint") == "solved" && text(it, "/body/order") == order.id
        };
        Ok(play.outbox()?.into_iter().find(ours))
    })?;
    let path = play.path_of(&text(&message, "/body/link"));
    let sent = play.call(Caller::Nobody, "POST", &path, &[FORM], "satisfied=5")?;
    let fine = (200..=303).contains(&sent.status);
    play.expect("POST /s/{token}, satisfied 5", &sent, fine, "thanked")?;
    let path = format!("/operator/tickets/{ticket}");
    play.wait("The ticket knows how satisfied he was", |play| {
        let file = play.call(Caller::Operator, "GET", &path, &[], "")?;
        Ok((file.text("/ticket/satisfaction") == "5").then_some(()))
    })
}

/// The guest in Shanghai answers, too.
fn praised(play: &mut Play<'_>) -> Result<(), Failure> {
    let path = play.path_of(&play.survey);
    let form = "recommend=10&comment=%E5%8C%85%E8%A3%85%E5%BE%88%E5%A5%BD";
    let sent = play.call(Caller::Nobody, "POST", &path, &[FORM], form)?;
    let fine = (200..=303).contains(&sent.status);
    play.expect("POST /s/{token}, the guest's 10", &sent, fine, "thanked, in Chinese")?;
    Ok(())
}

/// What the operator reads of it, with how sure it is.
fn reported(play: &mut Play<'_>) -> Result<(), Failure> {
    let path = "/operator/survey-reports?touchpoint=delivery";
    let report = play.wait("GET /operator/survey-reports: three answers are counted", |play| {
        let report = play.call(Caller::Operator, "GET", path, &[], "")?.json();
        let answered = report.pointer("/all/answered").and_then(Value::as_u64).unwrap_or_default();
        Ok((answered >= 3).then_some(report))
    })?;
    let score = report.pointer("/all/questions/0/measures/0").cloned().unwrap_or_default();
    let points = |at: &str| score.pointer(at).and_then(Value::as_i64).map(|parts| parts / 100);
    let (value, low, high) = (points("/value"), points("/interval/low"), points("/interval/high"));
    let holds =
        matches!((value, low, high), (Some(it), Some(low), Some(high)) if low <= it && it <= high);
    let [value, low, high] = [value, low, high].map(Option::unwrap_or_default);
    play.note(holds, &format!("NPS {value}, and with 95 % confidence from {low} to {high}"))?;
    let page = play.path_of(&text(&report, "/link"));
    let page = play.call(Caller::Nobody, "GET", &page, &[("accept", "text/html")], "")?;
    let fine = page.status == 200 && page.body.contains("<svg") && !page.body.contains("<script");
    play.expect("GET /r/{token}", &page, fine, "the same as charts")?;
    let tickets =
        play.call(Caller::Operator, "GET", "/operator/ticket-reports?by=cause", &[], "")?;
    let line = find(&tickets.json(), "/lines", "/name", "late");
    let solved = line.is_some_and(|it| text(&it, "/solution/count") != "0");
    play.expect(
        "GET /operator/ticket-reports?by=cause",
        &tickets,
        solved,
        "solved, by root cause",
    )?;
    Ok(())
}

/// Does something about a ticket; the same is one deed, however often.
fn change(play: &mut Play<'_>, ticket: &str, what: &str, body: &Value) -> Result<(), Failure> {
    let path = format!("/operator/tickets/{ticket}/{what}");
    let key = play.key(&format!("ticket-{what}"));
    let keyed = [("idempotency-key", key.as_str())];
    let answer = play.call(Caller::Operator, "POST", &path, &keyed, &body.to_string())?;
    let fine = (200..=201).contains(&answer.status);
    let saw = match answer.header("idempotent-replayed") {
        Some(_) => "the same once more",
        None => "done",
    };
    play.expect(&format!("POST /operator/tickets/{{id}}/{what}"), &answer, fine, saw)?;
    Ok(())
}

/// The one of a list whose field says that.
fn find(answer: &Value, list: &str, field: &str, says: &str) -> Option<Value> {
    let all = answer.pointer(list).and_then(Value::as_array)?;
    all.iter().find(|it| text(it, field) == says).cloned()
}
