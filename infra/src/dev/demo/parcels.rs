//! An order that leaves in two parcels: one is told of by scans that come all
//! at once and in no order, the other one by nobody, until we ask; it comes
//! back, and the buyer chooses what is to be done.

use std::thread;

use aftercart::model::{payment::Provider, time::Period};
use serde_json::{Value, json};

use super::{
    followed::{attach, send},
    play::{Caller, Play, Row, amount},
    senders,
};
use crate::{
    dev::{failure::Failure, http::text, running::now},
    signing::Scan,
};

/// The points of infra/local/policy.json for a parcel that comes back.
const SORRY: &str = "100";

/// Ben's order, as far as it has come.
struct Parcels {
    id: String,
    total: Value,
    tea: String,
    cups: String,
}

/// The whole of it.
pub(super) fn two_of_them(play: &mut Play<'_>) -> Result<(), Failure> {
    play.chapter("Ben's goods leave in two parcels, and one comes back")?;
    let order = split(play)?;
    all_at_once(play, &order)?;
    asked(play, &order)?;
    let link = comes_back(play, &order)?;
    chosen(play, &order, &link)?;
    told(play, &order)?;
    play.page = link;
    play.rows.push(Row {
        who: "Ben".to_owned(),
        goods: "tea, cups".to_owned(),
        total: amount(&order.total),
        money: "paid (sandbox)".to_owned(),
        parcel: "one came back, sent again".to_owned(),
        points: format!("{SORRY} as an apology"),
        order: order.id,
        ..Row::default()
    });
    Ok(())
}

fn split(play: &mut Play<'_>) -> Result<Parcels, Failure> {
    let body = json!({
        "lines": [{ "sku": "TEA-001", "quantity": 1 }, { "sku": "CUP-PAIR", "quantity": 1 }],
        "shipping_address": {
            "name": "Ben Example", "line1": "2 High Street", "city": "Leeds",
            "postal_code": "LS1 1AA", "country": "GB",
        },
        "contact": { "email": "ben@example.com", "language": "en" },
    });
    let key = play.key("ben-parcels");
    let header = [("idempotency-key", key.as_str())];
    let placed = play.call(Caller::Ben, "POST", "/orders", &header, &body.to_string())?;
    let (id, total) = (placed.text("/id"), placed.json().get("total").cloned().unwrap_or_default());
    if !play.expect("POST /orders", &placed, placed.status == 201, &id)? {
        return Err(Failure::new("Ben could not order."));
    }
    let body = json!({ "provider": "sandbox" }).to_string();
    let path = format!("/orders/{id}/payments");
    let payment = play.call(Caller::Ben, "POST", &path, &header, &body)?.text("/id");
    let paid = senders::paid(Provider::Sandbox, &play.key("ben-paid"), &payment, &total);
    send(play, &paid)?;
    let path = format!("/orders/{id}");
    let tea = play.wait("The order is paid, a shipment is open", |play| {
        let shipment = play.call(Caller::Ben, "GET", &path, &[], "")?.text("/shipments/0/id");
        Ok((!shipment.is_empty()).then_some(shipment))
    })?;
    let path = format!("/orders/{id}/shipments/{tea}/split");
    let cups = json!({ "lines": [{ "sku": "CUP-PAIR", "quantity": 1 }] }).to_string();
    let key = play.key("split");
    let keyed = [("idempotency-key", key.as_str())];
    let split = play.call(Caller::Operator, "POST", &path, &keyed, &cups)?;
    let two = split.text("/id");
    let fine = (200..=201).contains(&split.status) && !two.is_empty();
    play.expect("POST .../shipments/{id}/split, operator", &split, fine, "the cups go alone")?;
    Ok(Parcels { id, total, tea, cups: two })
}

/// Every scan twice, all in the same moment: the order of their arrival does
/// not matter.
fn all_at_once(play: &mut Play<'_>, order: &Parcels) -> Result<(), Failure> {
    let number = format!("GX{}", play.run);
    attach(play, &order.id, &order.tea, "generic", &number)?;
    let stages = ["delivered", "out_for_delivery", "in_transit", "picked_up"];
    let pushes: Vec<_> = (1_u32..)
        .zip(stages)
        .flat_map(|(ago, status)| {
            let at = now().minus(Period::of_seconds(ago * 60));
            let scans = [Scan { status, place: "Leeds", at }];
            let push = senders::seen(play.stack, "generic", &play.key(status), &number, &scans);
            [push.clone(), push]
        })
        .collect();
    let taken: Vec<bool> = {
        let play = &*play;
        thread::scope(|scope| {
            let calls: Vec<_> =
                pushes.iter().map(|push| scope.spawn(move || send(play, push))).collect();
            let answers = calls.into_iter().map(|call| call.join());
            answers.map(|it| it.is_ok_and(|it| it.is_ok_and(|it| it.status == 200))).collect()
        })
    };
    let all = taken.iter().all(|taken| *taken);
    play.note(all, "POST /carriers/generic/events, 4 scans twice, all at once, last first")?;
    let path = format!("/orders/{}/tracking", order.id);
    play.wait("Ben sees the tea delivered, every step in its place", |play| {
        let tracking = play.call(Caller::Ben, "GET", &path, &[], "")?.json();
        let parcel = parcel(&tracking, &order.tea);
        let steps: Vec<String> = parcel
            .get("stages")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|stage| text(stage, "/status"))
            .collect();
        Ok(steps.iter().map(String::as_str).eq(stages.into_iter().rev()).then_some(()))
    })
}

/// A carrier that tells nothing by itself is asked.
fn asked(play: &mut Play<'_>, order: &Parcels) -> Result<(), Failure> {
    let number = format!("CB{}", play.run);
    let scans = json!([["pre_transit", "London"], ["in_transit", "Sheffield"]]);
    play.happen(&json!({ "carrier": "easypost", "number": number, "scans": scans }))?;
    attach(play, &order.id, &order.cups, "easypost", &number)?;
    let path = format!("/orders/{}/tracking", order.id);
    play.wait("carrier-poll runs: nobody told of the cups, so we asked", |play| {
        play.tick("carrier-poll")?;
        let tracking = play.call(Caller::Ben, "GET", &path, &[], "")?.json();
        let there = text(parcel(&tracking, &order.cups), "/status") == "in_transit";
        Ok(there.then_some(()))
    })
}

/// The cups come back: an alert, points for Ben, and a page with a choice.
fn comes_back(play: &mut Play<'_>, order: &Parcels) -> Result<String, Failure> {
    let number = format!("CB{}", play.run);
    let scans = [Scan { status: "return_to_sender", place: "Leeds", at: now() }];
    let push = senders::seen(play.stack, "easypost", &play.key("back"), &number, &scans);
    let taken = send(play, &push)?;
    let fine = taken.status == 200;
    play.expect("POST /carriers/easypost/events, return_to_sender", &taken, fine, "taken")?;
    let alert = play.wait("Ben is told, with a remedy (outbox)", |play| {
        play.message("notification.delivery_alert", &order.id)
    })?;
    let points = text(&alert, "/body/points");
    play.note(points == SORRY, &format!("He gets {points} points, and may choose on the page"))?;
    play.wait("GET /me/points: the apology is there", |play| {
        let points = play.call(Caller::Ben, "GET", "/me/points", &[], "")?.json();
        let movements = points.get("movements").and_then(Value::as_array).cloned();
        let ours = |it: &Value| text(it, "/kind") == "apology" && text(it, "/order") == order.id;
        Ok(movements.unwrap_or_default().iter().any(ours).then_some(()))
    })?;
    let link = text(&alert, "/body/link");
    Ok(link.strip_prefix(&play.stack.api_url).unwrap_or(&link).to_owned())
}

/// Ben chooses on the page, and the operator sends the cups again.
fn chosen(play: &mut Play<'_>, order: &Parcels, link: &str) -> Result<(), Failure> {
    let page = play.call(Caller::Nobody, "GET", link, &[("accept", "text/html")], "")?;
    let fine = page.status == 200 && page.body.contains("<form") && !page.body.contains("<script");
    play.expect("GET /t/{token}", &page, fine, "the tracking page, with a form")?;
    let alerts = play.call(Caller::Operator, "GET", "/operator/alerts", &[], "")?;
    let listed = alerts.json().get("alerts").and_then(Value::as_array).cloned().unwrap_or_default();
    let ours = listed.iter().find(|it| text(it, "/order") == order.id);
    let alert = ours.map(|it| text(it, "/id")).unwrap_or_default();
    let due = ours.map(|it| text(it, "/due")).unwrap_or_default();
    play.expect("GET /operator/alerts", &alerts, !alert.is_empty(), &format!("due {due}"))?;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let wish = format!("alert={alert}&choice=reship");
    let chosen = play.call(Caller::Nobody, "POST", link, &form, &wish)?;
    let fine = (200..=303).contains(&chosen.status);
    play.expect("POST /t/{token}, send it again", &chosen, fine, "thanked")?;
    play.wait("The operator is told (outbox)", |play| {
        play.message("notification.wish_made", &order.id)
    })?;
    let path = format!("/orders/{}/shipments/{}/replacement", order.id, order.cups);
    let key = play.key("again");
    let keyed = [("idempotency-key", key.as_str())];
    let again = play.call(Caller::Operator, "POST", &path, &keyed, "{}")?;
    let fine = (200..=201).contains(&again.status);
    play.expect("POST .../shipments/{id}/replacement, operator", &again, fine, "a new shipment")?;
    let path = format!("/operator/alerts/{alert}/resolution");
    let body = json!({ "how": "reshipped" }).to_string();
    let ended = play.call(Caller::Operator, "POST", &path, &[], &body)?;
    play.expect("POST /operator/alerts/{id}/resolution", &ended, ended.status == 200, "done")?;
    Ok(())
}

/// What a system of the merchant was told of all this, signed.
fn told(play: &mut Play<'_>, order: &Parcels) -> Result<(), Failure> {
    let wanted =
        ["order.paid", "shipment.opened", "parcel.delivered", "alert.raised", "alert.wish"];
    play.wait("The merchant's own system was told, signed: 5 kinds of webhooks", |play| {
        let told: Vec<Value> = play.hooks()?;
        let ours = |kind: &str| {
            told.iter().any(|it| {
                text(it, "/told/type") == kind && text(it, "/told/data/order") == order.id
            })
        };
        Ok(wanted.iter().all(|kind| ours(kind)).then_some(()))
    })
}

/// A parcel of the order.
fn parcel<'a>(tracking: &'a Value, shipment: &str) -> &'a Value {
    let all = tracking.get("shipments").and_then(Value::as_array);
    let ours = all.into_iter().flatten().find(|it| text(it, "/id") == shipment);
    ours.unwrap_or(&Value::Null)
}
