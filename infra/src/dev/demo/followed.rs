//! The order that is followed from the basket to the survey.

use std::time::{Duration, Instant};

use aftercart::model::payment::Provider;
use serde_json::{Value, json};

use super::{
    meanwhile::Guest,
    play::{Caller, Play, Row, amount},
    senders,
};
use crate::{
    dev::{
        failure::Failure,
        http::{Answer, text},
        running::now,
    },
    signing::{Callback, Scan},
};

/// The return window of infra/local/policy.json, and a second more.
const RETURN_WINDOW: Duration = Duration::from_secs(11);

/// The order, as far as it has come.
pub(super) struct Followed {
    /// Its identity.
    pub(super) id: String,
    total: Value,
    delivered: Instant,
}

/// From the basket to the door.
pub(super) fn until_delivered(play: &mut Play<'_>) -> Result<Followed, Failure> {
    let (id, total) = place(play)?;
    pay(play, &id, &total)?;
    let (shipment, number) = ship(play, &id)?;
    track(play, &id, &shipment, &number)?;
    let order = Followed { id, total, delivered: Instant::now() };
    pending(play, &order)?;
    play.rows.push(Row {
        who: "Ana".to_owned(),
        goods: "tea, teapot".to_owned(),
        total: amount(&order.total),
        money: "paid (sandbox)".to_owned(),
        parcel: "delivered".to_owned(),
        order: order.id.clone(),
        ..Row::default()
    });
    Ok(order)
}

fn basket(quantity: u32) -> String {
    json!({
        "lines": [
            { "sku": "TEA-001", "quantity": quantity },
            { "sku": "POT-CLAY", "quantity": 1 },
        ],
        "shipping_address": {
            "name": "Ana Example", "line1": "1 High Street", "city": "London",
            "postal_code": "N1 1AA", "country": "GB",
        },
        "contact": { "email": "ana@example.com", "language": "en" },
    })
    .to_string()
}

fn place(play: &mut Play<'_>) -> Result<(String, Value), Failure> {
    play.chapter("Ana presses \"buy\"")?;
    let key = play.key("ana");
    let header = [("idempotency-key", key.as_str())];
    let post =
        |play: &Play<'_>, body: &str| play.call(Caller::Ana, "POST", "/orders", &header, body);
    let first = post(play, &basket(2))?;
    let id = first.text("/id");
    let total = first.json().get("total").cloned().unwrap_or_default();
    let placed = first.status == 201 && first.text("/status") == "placed";
    let saw = format!("{id}, {}", amount(&total));
    if !play.expect("POST /orders", &first, placed, &saw)? {
        return Err(Failure::new("Without an order there is no day to play."));
    }
    let again = post(play, &basket(2))?;
    let replayed = again.body == first.body && again.header("idempotent-replayed") == Some("true");
    play.expect(
        "POST /orders, same key again",
        &again,
        replayed,
        "the same order, Idempotent-Replayed: true",
    )?;
    let other = post(play, &basket(3))?;
    play.expect(
        "POST /orders, same key, another basket",
        &other,
        other.status == 422,
        "refused: the key is taken",
    )?;
    let list = play.call(Caller::Ana, "GET", "/orders", &[], "")?;
    let times = list.body.matches(&id).count();
    play.expect("GET /orders", &list, times == 1, "Ana's list has it once")?;
    Ok((id, total))
}

fn pay(play: &mut Play<'_>, id: &str, total: &Value) -> Result<(), Failure> {
    play.chapter("The payment provider reports the money")?;
    let path = format!("/orders/{id}/payments");
    let key = play.key("ana-pays");
    let body = json!({ "provider": "sandbox" }).to_string();
    let started = play.call(Caller::Ana, "POST", &path, &[("idempotency-key", &key)], &body)?;
    let payment = started.text("/id");
    let fine = started.status == 201 && !payment.is_empty();
    play.expect("POST /orders/{id}/payments, sandbox", &started, fine, &payment)?;
    let event = play.key("paid");
    let push = senders::paid(Provider::Sandbox, &event, &payment, total);
    let forged = Callback { body: format!("{} ", push.body), ..push.clone() };
    let refused = send(play, &forged)?;
    let unsigned = (400..=403).contains(&refused.status);
    play.expect(
        "POST /callbacks/sandbox, body changed after signing",
        &refused,
        unsigned,
        "refused",
    )?;
    for call in ["POST /callbacks/sandbox, signed", "POST /callbacks/sandbox, delivered twice"] {
        let taken = send(play, &push)?;
        play.expect(call, &taken, (200..=204).contains(&taken.status), "acknowledged")?;
    }
    let path = format!("/orders/{id}");
    play.wait("The order is paid", |play| {
        let order = play.call(Caller::Ana, "GET", &path, &[], "")?;
        Ok((order.text("/status") == "paid").then_some(()))
    })
}

fn ship(play: &mut Play<'_>, id: &str) -> Result<(String, String), Failure> {
    play.chapter("The warehouse packs it")?;
    let path = format!("/orders/{id}");
    let shipment = play.wait("A shipment is open", |play| {
        let shipment = play.call(Caller::Ana, "GET", &path, &[], "")?.text("/shipments/0/id");
        Ok((!shipment.is_empty()).then_some(shipment))
    })?;
    play.wait("The warehouse is told (outbox)", |play| {
        play.message("notification.shipment_opened", id)
    })?;
    let number = format!("EZ{}", play.run);
    attach(play, id, &shipment, "easypost", &number)?;
    Ok((shipment, number))
}

/// Attaches a label, as the warehouse's system would.
pub(super) fn attach(
    play: &mut Play<'_>,
    id: &str,
    shipment: &str,
    carrier: &str,
    number: &str,
) -> Result<(), Failure> {
    let path = format!("/orders/{id}/shipments/{shipment}/label");
    let body = json!({ "carrier": carrier, "tracking_number": number }).to_string();
    let label = play.call(Caller::Operator, "POST", &path, &[], &body)?;
    let fine = (200..=201).contains(&label.status);
    play.expect(
        "POST /orders/{id}/shipments/{id}/label, operator",
        &label,
        fine,
        &format!("{carrier} {number}"),
    )?;
    Ok(())
}

fn track(play: &mut Play<'_>, id: &str, shipment: &str, number: &str) -> Result<(), Failure> {
    play.chapter("The carrier takes it to the door")?;
    let stages = [
        ("pre_transit", "London", "info_received"),
        ("in_transit", "Reading", "in_transit"),
        ("out_for_delivery", "London", "out_for_delivery"),
        ("delivered", "London", "delivered"),
    ];
    let mut scans = Vec::new();
    let mut early = None;
    for (status, place, ours) in stages {
        scans.push(Scan { status, place, at: now() });
        let push = senders::seen(play.stack, "easypost", &play.key(status), number, &scans);
        let taken = send(play, &push)?;
        let call = format!("POST /carriers/easypost/events, {status}");
        play.expect(&call, &taken, (200..=204).contains(&taken.status), place)?;
        arrive(play, id, shipment, ours)?;
        early.get_or_insert(push);
    }
    if let Some(push) = early {
        let taken = send(play, &push)?;
        play.expect(
            "The first event once more, late",
            &taken,
            (200..=204).contains(&taken.status),
            "acknowledged",
        )?;
    }
    let path = format!("/orders/{id}/tracking");
    let tracking = play.call(Caller::Ana, "GET", &path, &[], "")?;
    let still = tracking.status == 200 && tracking.text("/shipments/0/status") == "delivered";
    play.expect("GET /orders/{id}/tracking", &tracking, still, "delivered still")?;
    Ok(())
}

/// Waits until the buyer sees a stage.
fn arrive(play: &mut Play<'_>, id: &str, shipment: &str, status: &str) -> Result<(), Failure> {
    let path = format!("/orders/{id}/tracking");
    play.wait(&format!("Ana sees: {}", status.replace('_', " ")), |play| {
        let tracking = play.call(Caller::Ana, "GET", &path, &[], "")?;
        let there = tracking.text("/shipments/0/status") == status;
        Ok((there && tracking.body.contains(shipment)).then_some(()))
    })
}

/// Sends what a provider or a carrier sends.
pub(super) fn send(play: &Play<'_>, push: &Callback) -> Result<Answer, Failure> {
    let json = ("content-type", "application/json");
    let mut headers: Vec<_> =
        push.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if !headers.iter().any(|(name, _)| *name == json.0) {
        headers.push(json);
    }
    play.call(Caller::Nobody, "POST", push.path, &headers, &push.body)
}

/// Points that the order earned: how many there are, and when they may be spent.
fn pending(play: &mut Play<'_>, order: &Followed) -> Result<(), Failure> {
    play.chapter("Points wait until the goods may not be returned any more")?;
    let (points, matures) =
        play.wait("GET /me/points: the order's points are pending", |play| {
            let points = play.call(Caller::Ana, "GET", "/me/points", &[], "")?.json();
            let movements =
                points.get("movements").and_then(Value::as_array).cloned().unwrap_or_default();
            let ours =
                |it: &&Value| text(it, "/order") == order.id && text(it, "/kind") == "earned";
            let waiting = movements
                .iter()
                .find(ours)
                .map(|it| (text(it, "/waiting/points"), text(it, "/waiting/matures_at")));
            Ok(waiting.filter(|(points, at)| !points.is_empty() && !at.is_empty()))
        })?;
    play.remark(&format!(
        "{points} points, one for each full pound without tax; by the local policy they may be \
         spent from {matures}",
    ))
}

/// The points once the return window has ended.
pub(super) fn matured(play: &mut Play<'_>, order: &Followed) -> Result<(), Failure> {
    play.chapter("The return window has ended")?;
    let left = RETURN_WINDOW.saturating_sub(order.delivered.elapsed());
    play.let_pass(left, "waiting for its end; the local policy makes it 10 seconds")?;
    let available = play.wait("points-settle runs: the points may be spent", |play| {
        play.tick("points-settle")?;
        let points = play.call(Caller::Ana, "GET", "/me/points", &[], "")?.json();
        let movements =
            points.get("movements").and_then(Value::as_array).cloned().unwrap_or_default();
        let ours =
            |entry: &Value| text(entry, "/order") == order.id && text(entry, "/kind") == "matured";
        Ok(movements.iter().any(ours).then(|| text(&points, "/balances/available")))
    })?;
    play.remark(&format!("Ana has {available} points to spend"))?;
    if let Some(row) = play.rows.first_mut() {
        row.points = format!("{available} to spend");
    }
    Ok(())
}

/// The survey: invited, sent, opened, answered, and not answered twice.
pub(super) fn survey(play: &mut Play<'_>, order: &Followed, guest: &Guest) -> Result<(), Failure> {
    play.chapter("How was it?")?;
    let mut links = Vec::new();
    for (who, id) in [("Ana", &order.id), ("the guest", &guest.id)] {
        let message = play.wait(&format!("The invitation to {who} is sent (outbox)"), |play| {
            play.tick("survey-send")?;
            play.message("notification.survey_invited", id)
        })?;
        links.push(text(&message, "/body/link"));
    }
    for (index, (link, language)) in
        links.iter().zip([("en", "English"), ("zh", "Chinese")]).enumerate()
    {
        open(play, index, link, language)?;
    }
    let Some(link) = links.first() else { return Ok(()) };
    play.survey = links.get(1).cloned().unwrap_or_default();
    let form = "recommend=9&comment=Quick+and+well+packed";
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let path = play.path_of(link);
    let answered = play.call(Caller::Nobody, "POST", &path, &kind, form)?;
    play.expect(
        "POST /s/{token}, score 9",
        &answered,
        (200..=303).contains(&answered.status),
        "thanked",
    )?;
    let again = play.call(Caller::Nobody, "POST", &path, &kind, "recommend=1")?;
    let refused = again.status < 500 && !again.body.is_empty();
    play.expect("POST /s/{token}, another answer", &again, refused, "the first answer stays")?;
    if let Some(row) = play.rows.first_mut() {
        row.survey = "answered".to_owned();
    }
    Ok(())
}

fn open(
    play: &mut Play<'_>,
    row: usize,
    link: &str,
    (code, name): (&str, &str),
) -> Result<(), Failure> {
    let path = play.path_of(link);
    let page = play.call(Caller::Nobody, "GET", &path, &[("accept", "text/html")], "")?;
    let language = format!("lang=\"{code}");
    let fine = page.status == 200 && page.body.contains("<form") && page.body.contains(&language);
    play.expect("GET /s/{token}", &page, fine, &format!("a page with a form, in {name}"))?;
    if let Some(row) = play.rows.get_mut(row) {
        row.survey = "opened".to_owned();
    }
    Ok(())
}
