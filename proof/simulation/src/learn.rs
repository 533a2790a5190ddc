//! What people learn from answers and mails, and whether it fits what they
//! were told before.

use std::collections::BTreeSet;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::payment::Provider,
};
use aftercart_infra::world::{PUBLIC_URL, Reply, World};
use serde_json::Value;

use crate::{
    acts::{self, Fate},
    book::{Book, OrderNote, Parcel, PaymentNote, SurveyNote, TicketNote},
    errand::{Aim, Errand, Told},
    shop::PRODUCTS,
};

/// Learns from an answer.
pub(crate) fn learn(book: &mut Book, errand: &Errand, reply: &Reply) {
    *book.answers.entry((errand.name, reply.status)).or_default() += 1;
    let good = (200..300).contains(&reply.status);
    if reply.status == 500 {
        book.lies.push(format!("{} was answered with 500: {}", errand.name, reply.body));
    }
    match &errand.aim {
        Aim::Tell(_) if !good && reply.status < 500 => {
            let Reply { status, body, .. } = reply;
            book.lies.push(format!("{} was refused: {status} {body}", errand.name));
        }
        Aim::See { order } => see(book, *order, reply),
        Aim::Place { person, key, body, other } if good => {
            placed(book, (*person, key, body, *other), reply);
        }
        _ if good => note(book, &errand.aim, reply),
        _ => {}
    }
}

fn placed(book: &mut Book, call: (usize, &str, &Value, bool), reply: &Reply) {
    let (person, key, body, other) = call;
    let (id, total) = (reply.text("/id"), reply.json()["total"]["amount"].as_i64().unwrap_or(-1));
    if let Some(known) = book.orders.iter().find(|it| it.key == key) {
        if other {
            book.lies
                .push(format!("{id} was placed with the key of {} and another basket", known.id));
        } else if known.id != id || (known.total != total && !known.smaller) {
            book.lies.push(format!(
                "{} of {} was placed again as {id} of {total}",
                known.id, known.total
            ));
        }
        return;
    }
    let quantity = |sku: &str| {
        let lines = body["lines"].as_array().into_iter().flatten();
        let line = lines.into_iter().find(|line| line["sku"] == sku)?;
        u32::try_from(line["quantity"].as_u64()?).ok()
    };
    let lines = PRODUCTS.iter().filter_map(|it| Some((it.sku, quantity(it.sku)?))).collect();
    if let Some(buyer) = book.people.get_mut(person) {
        let used = body["vouchers"][0].as_str().unwrap_or_default();
        buyer.vouchers.retain(|it| it != used);
    }
    book.orders.push(OrderNote {
        id,
        person,
        key: key.to_owned(),
        body: body.clone(),
        lines,
        total,
        token: reply.text("/order_token"),
        called_off: false,
        smaller: false,
        seen_paid: false,
        labels: 0,
    });
}

fn see(book: &mut Book, order: usize, reply: &Reply) {
    let Some(note) = book.orders.get_mut(order) else { return };
    let status = reply.text("/status");
    if reply.status == 404 {
        book.lies.push(format!("{} was placed, and is not there", note.id));
    } else if reply.status == 200
        && note.seen_paid
        && ["placed", "expired"].contains(&status.as_str())
    {
        book.lies.push(format!("{} was paid, and is {status}", note.id));
    } else if status == "paid" {
        note.seen_paid = true;
    }
}

/// Notes what was made.
fn note(book: &mut Book, aim: &Aim, reply: &Reply) {
    let id = reply.text("/id");
    let add = |to: &mut Vec<String>, id: String| {
        if !id.is_empty() && !to.contains(&id) {
            to.push(id);
        }
    };
    match aim {
        Aim::CallOff { order } => {
            if let Some(note) = book.orders.get_mut(*order) {
                note.called_off = true;
            }
        }
        Aim::CallOffUnits { order } => {
            if let Some(note) = book.orders.get_mut(*order) {
                note.smaller = true;
            }
        }
        Aim::Pay { order, provider } => started(book, *order, provider, reply),
        Aim::Label { order, carrier, number } => labelled(book, *order, carrier, number),
        Aim::Answer { survey } => {
            if let Some(note) = book.surveys.get_mut(*survey) {
                let revision =
                    reply.json()["revision"].as_u64().and_then(|it| u32::try_from(it).ok());
                note.thanked = revision.unwrap_or(note.thanked.max(1));
            }
        }
        Aim::Complain { order, .. } if !book.tickets.iter().any(|it| it.id == id) => {
            book.tickets.push(TicketNote { id, order: *order });
        }
        Aim::Give { to } if !book.gifts.iter().any(|it| it.0 == id) => book.gifts.push((id, *to)),
        Aim::Redeem { person } if !book.redemptions.iter().any(|it| it.0 == id) => {
            book.redemptions.push((id, *person));
        }
        Aim::Code { person } => {
            let now = book.now;
            if let Some(person) = book.people.get_mut(*person) {
                person.code = Some((reply.text("/code"), now));
            }
        }
        Aim::LinkCode { person } => {
            if let Some(person) = book.people.get_mut(*person) {
                person.link_code = Some(reply.text("/code"));
            }
        }
        Aim::Voucher { person } => {
            if let Some(person) = book.people.get_mut(*person) {
                add(&mut person.vouchers, id);
            }
        }
        Aim::Cart { person } => {
            if let Some(person) = book.people.get_mut(*person) {
                person.cart = reply.json()["version"].as_u64().unwrap_or_default();
            }
        }
        Aim::Hold { .. } => add(&mut book.holds, reply.text("/hold")),
        Aim::Receipt { number } => add(&mut book.receipts, number.clone()),
        Aim::Link => add(&mut book.links, id),
        Aim::Found { .. } => add(&mut book.teams, id),
        Aim::Share => add(&mut book.shares, id),
        Aim::Adjust if reply.text("/state") == "waiting" => add(&mut book.adjustments, id),
        Aim::Cases => cases(book, reply),
        Aim::Alerts => {
            let alerts = reply.json()["alerts"].as_array().cloned().unwrap_or_default();
            let ids = alerts.iter().filter_map(|it| it["id"].as_str().map(str::to_owned));
            book.alerts.extend(ids);
        }
        _ => {}
    }
}

/// An attempt to pay was started: what becomes of it is thrown now.
fn started(book: &mut Book, order: usize, provider: &'static str, reply: &Reply) {
    let id = reply.text("/id");
    if book.payments.iter().any(|it| it.id == id) {
        return;
    }
    let json = reply.json();
    let amount = json["amount"]["amount"].as_i64().unwrap_or_default();
    let currency = reply.text("/amount/currency");
    let position = book.payments.len();
    let (taken, odd) = (false, false);
    book.payments.push(PaymentNote { id, order, provider, amount, currency, taken, odd });
    let fate = Fate::of(&mut book.dice, provider);
    let soon = book.dice.between(1, 240);
    let yes = if provider == "paypal" { "authorised" } else { "succeeded" };
    let tell = |book: &mut Book, after: u32, kind: &'static str, amount: Option<i64>| {
        let Some(errand) = acts::report(book, position, kind, amount) else { return };
        // Providers tell again, also after they were heard.
        while book.dice.chance(250) {
            let again = after + book.dice.between(1, 50_000);
            book.later(again, errand.clone());
        }
        book.later(after, errand);
    };
    match fate {
        Fate::Paid => tell(book, soon, yes, None),
        Fate::Late => {
            let late = book.dice.between(2_000, 9_000);
            tell(book, late, yes, None);
        }
        Fate::Failed => tell(book, soon, "failed", None),
        Fate::FailedThenPaid => {
            // They may come in any order.
            let other = book.dice.between(1, 240);
            tell(book, soon, "failed", None);
            tell(book, other, yes, None);
        }
        Fate::OtherAmount => {
            if let Some(note) = book.payments.get_mut(position) {
                note.odd = true;
            }
            tell(book, soon, yes, Some(amount + 1));
        }
        Fate::Silent => {
            if let Some(note) = book.payments.get_mut(position) {
                note.taken = true;
            }
        }
        Fate::Abandoned => {}
    }
}

/// A provider has the money from the moment at which it first says so.
pub(crate) fn about_to_tell(book: &mut Book, errand: &Errand) {
    let Aim::Tell(Told::Payment { payment, kind: "succeeded" | "authorised", .. }) = &errand.aim
    else {
        return;
    };
    if let Some(note) = book.payments.iter_mut().find(|it| it.id == *payment) {
        note.taken = true;
    }
}

/// Has the stand-ins of providers say what their providers know.
pub(crate) fn charge(book: &Book, world: &World) {
    for note in book.payments.iter().filter(|it| it.taken && it.provider != "sandbox") {
        let Some(provider) = Provider::parse(note.provider) else { continue };
        world.stand_ins().memory(|memory| {
            let Some(mut charge) = memory.get(provider, "charge", &note.id).cloned() else {
                return;
            };
            if charge["status"] == "unpaid" {
                let paypal = provider == Provider::Paypal;
                charge["status"] = if paypal { "approved" } else { "paid" }.into();
                memory.note(provider, "charge", &note.id, charge);
            }
        });
    }
}

fn labelled(book: &mut Book, order: usize, carrier: &'static str, number: &str) {
    if let Some(note) = book.orders.get_mut(order) {
        note.labels += 1;
    }
    if !book.parcels.iter().any(|it| it.number == number && it.carrier == carrier) {
        let number = number.to_owned();
        book.parcels.push(Parcel { carrier, number, scans: Vec::new() });
        let parcel = book.parcels.len() - 1;
        // Most parcels go their way.
        for hours in [3, 20, 40, 60] {
            if book.dice.chance(800)
                && let Some(errand) = acts::scan(book, parcel)
            {
                let around = book.dice.between(0, 3_600 * 4);
                book.later(hours * 3_600 + around, errand);
            }
        }
    }
}

fn cases(book: &mut Book, reply: &Reply) {
    let json = reply.json();
    for case in json["cases"].as_array().into_iter().flatten() {
        let actions = case["actions"].as_array().into_iter().flatten();
        let actions: Vec<String> =
            actions.filter_map(|it| it.as_str().map(str::to_owned)).collect();
        if let (Some(id), false) = (case["id"].as_str(), actions.is_empty()) {
            book.cases.insert(id.to_owned(), actions);
        }
    }
}

/// Reads the mails that came since the last time.
pub(crate) fn read_mails(book: &mut Book, world: &World) {
    for mail in world.queue(Queue::Notifications.name()) {
        if !book.read.insert(mail.id.clone()) {
            continue;
        }
        let Ok(envelope) = Envelope::parse(&mail.body) else { continue };
        if let Message::SurveyInvited(invited) = envelope.message {
            let Some(path) = invited.link.strip_prefix(PUBLIC_URL) else { continue };
            let question = match invited.touchpoint.as_str() {
                "solved" => "satisfied",
                "about-checkout" => "easy",
                _ => "recommend",
            };
            if !book.surveys.iter().any(|it| it.path == path) {
                let (invite, path) = (invited.invite.to_string(), path.to_owned());
                book.surveys.push(SurveyNote { invite, path, question, thanked: 0 });
            }
        }
        let text: Value = serde_json::from_str(&mail.body).unwrap_or_default();
        let mut pages = BTreeSet::new();
        links(&text, &mut pages);
        book.pages.extend(pages);
    }
}

/// The links of ours in a message.
fn links(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let path = text.strip_prefix(PUBLIC_URL).filter(|path| !path.starts_with("/s/"));
            found.extend(path.map(str::to_owned));
        }
        Value::Array(values) => values.iter().for_each(|it| links(it, found)),
        Value::Object(members) => members.values().for_each(|it| links(it, found)),
        _ => {}
    }
}
