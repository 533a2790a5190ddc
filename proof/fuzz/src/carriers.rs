//! What carriers push, and what they answer when they are asked.
//!
//! The first line names the carrier and what it is: `push`, which is signed here
//! as the carrier signs, or `answered` or `subscribed` and the status. What
//! follows is the body; of carriers that push forms it is the text in the form.

use aftercart::{
    model::{
        shipment::{Carrier, History, MAX_EVENTS, MAX_TOLD},
        time::{Period, Timestamp},
    },
    run::secrets::Credentials,
};
use aftercart_infra::{
    carriers::{self, Happened, Known, aftership, easypost, generic, kdniao, kuaidi100},
    signing::{Callback, Push, Scan, standard},
    world::{Ask, Reply},
};
use aftercart_logistics::{
    carriers::{self as code, Reading, Signed},
    rules::fold::journey,
};
use bytes::Bytes;
use http::{Request, Response};

use crate::{Finding, Seed, Verdict, headed, reply, seed, shop::Shop, story};

/// Reads it, folds it, and sends what was pushed to the shop.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some((head, body)) = headed(input) else { return Ok(()) };
    let words: Vec<&str> = head.split(' ').collect();
    let carrier = words.first().and_then(|name| Carrier::parse(name));
    let Some(carrier) = carrier else { return Ok(()) };
    let now = Shop::here()?.time();
    let status = words.get(2).and_then(|status| status.parse::<u16>().ok());
    let answer = status.and_then(|status| {
        Response::builder().status(status).body(Bytes::copy_from_slice(body)).ok()
    });
    match (words.get(1).copied(), answer) {
        (Some("push"), _) => pushed(carrier, body),
        (Some("answered"), Some(answer)) => {
            let reading = code::of(carrier).answered(&answer, now);
            reading.map_or(Ok(()), |reading| looks_right(carrier, &reading))
        }
        (Some("subscribed"), Some(answer)) => {
            let reading = code::of(carrier).subscribed(&answer, now);
            reading.map_or(Ok(()), |reading| looks_right(carrier, &reading))
        }
        _ => Ok(()),
    }
}

fn pushed(carrier: Carrier, said: &[u8]) -> Verdict {
    let shop = Shop::here()?;
    let now = shop.time();
    let call = signed(carrier, &String::from_utf8_lossy(said), now);
    let credentials = credentials(carrier)?;
    let header = |name: &str| {
        let found = call.headers.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    };
    let given =
        Signed { credentials: &credentials, header: &header, body: call.body.as_bytes(), now };
    let adapter = code::of(carrier);
    let verified = adapter.verify(&given);
    hold!(verified.is_ok(), "{carrier} refuses its own signature: {verified:?}");
    if let Ok(reading) = adapter.read(given.body, now) {
        looks_right(carrier, &reading)?;
    }
    send(&shop, carrier, &call)
}

/// Scans within their bounds that come to one journey in every order.
fn looks_right(carrier: Carrier, reading: &Reading) -> Verdict {
    let told: usize = reading.told.iter().map(|push| push.events.len()).sum();
    hold!(told <= MAX_TOLD, "{carrier} tells {told} scans");
    hold!(reading.ignored.is_none() || reading.told.is_empty(), "{carrier} tells what is ignored");
    let mut history = History::default();
    for push in &reading.told {
        hold!(push.events.len() <= MAX_EVENTS, "{carrier} tells {} scans", push.events.len());
        hold!(push.tracking.carrier == carrier, "{carrier} tells of {}", push.tracking.carrier);
        let sorted = push.events.windows(2).all(|pair| pair.first() < pair.get(1));
        hold!(sorted, "{carrier} tells scans that are not sorted: {:?}", push.events);
        history.events.extend(push.events.iter().cloned());
        history.estimates.extend(push.estimate.iter().copied());
    }
    let whole = journey(&history);
    hold!(whole == journey(&history), "{carrier} is folded otherwise the second time");
    let sorted = whole
        .stages
        .windows(2)
        .all(|pair| pair.first().map(|stage| stage.at) <= pair.get(1).map(|stage| stage.at));
    hold!(sorted, "the journey goes back in time: {:?}", whole.stages);
    Ok(())
}

fn send(shop: &Shop, carrier: Carrier, call: &Callback) -> Verdict {
    let led = shop.run(async |world| {
        let Some((function, event)) = world.event_of(&Ask::callback(call)) else { return Ok(None) };
        let reply = Reply::of(&world.invoke(function, &event).await?);
        if reply.status == 200 {
            world.settle().await?;
        }
        Ok(Some(reply))
    })?;
    hold!(led.bugs.is_empty(), "{carrier} meets a bug: {}", led.bugs.join("; "));
    let Some(answer) = led.out else { return Ok(()) };
    hold!(answer.status < 400 || !led.wrote, "{carrier} is refused, and something is written");
    if answer.status >= 400 { reply::check(&answer) } else { Ok(()) }
}

/// What a carrier says, signed.
fn signed(carrier: Carrier, said: &str, now: Timestamp) -> Callback {
    match carrier {
        Carrier::Generic => {
            standard("/carriers/generic/events", generic::SECRET, "evt_fuzz", now, said.to_owned())
        }
        Carrier::Easypost => easypost::sign(easypost::SECRET, said.to_owned()),
        Carrier::Aftership => aftership::sign(aftership::SECRET, said.to_owned()),
        Carrier::Kuaidi100 => kuaidi100::sign(kuaidi100::SALT, said),
        Carrier::Kdniao => kdniao::sign(kdniao::KEY, said),
    }
}

fn credentials(carrier: Carrier) -> Result<Credentials, Finding> {
    let of_stand_in = carriers::of(carrier).credentials("https://carriers.local");
    serde_json::from_value(of_stand_in).map_err(Finding::unprepared)
}

/// A carrier's words for a parcel that is picked up, on its way, and there.
fn words(carrier: Carrier) -> [&'static str; 3] {
    match carrier {
        Carrier::Generic => ["picked_up", "in_transit", "delivered"],
        Carrier::Easypost => ["pre_transit", "in_transit", "delivered"],
        Carrier::Aftership => ["InTransit_001", "OutForDelivery", "Delivered_001"],
        Carrier::Kuaidi100 => ["103", "0", "3"],
        Carrier::Kdniao => ["1", "2", "3"],
    }
}

/// What every carrier's stand-in pushes and answers.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let now = Shop::here()?.time();
    let mut seeds = Vec::new();
    for carrier in Carrier::ALL {
        let moments = [3, 2, 1].map(|days| now.minus(Period::of_days(days)));
        let scans: Vec<Scan<'_>> = words(carrier)
            .into_iter()
            .zip(moments)
            .map(|(status, at)| Scan { status, place: "上海, Leeds", at })
            .collect();
        for (name, number) in [("whole", scans.len()), ("first", 1), ("none", 0)] {
            let push = Push {
                event: "evt_fuzz",
                number: story::NUMBER,
                scans: scans.get(..number).unwrap_or_default(),
                eta: Some(now.plus(Period::of_days(1))),
                at: now,
            };
            let said = plain(carrier, &carriers::of(carrier).push(&push).body);
            seeds.push(seed(format!("{carrier}-push-{name}"), &format!("{carrier} push"), &said));
        }
        let (stand_ins, known) = (carriers::StandIns::default(), known(&scans, now));
        stand_ins.memory(|memory| memory.happen(carrier, story::NUMBER, known));
        for (what, request) in asked(carrier, now)? {
            let answer = stand_ins.answer(&request);
            let head = format!("{carrier} {what} {}", answer.status().as_u16());
            seeds.push(seed(format!("{carrier}-{what}"), &head, answer.body()));
        }
    }
    Ok(seeds)
}

fn known(scans: &[Scan<'_>], now: Timestamp) -> Known {
    let happened = |scan: &Scan<'_>| Happened {
        status: scan.status.to_owned(),
        place: scan.place.to_owned(),
        at: scan.at,
    };
    Known { scans: scans.iter().map(happened).collect(), eta: Some(now), at: now }
}

/// The text in a form, where the carrier pushes forms.
fn plain(carrier: Carrier, body: &str) -> String {
    let name = match carrier {
        Carrier::Kuaidi100 => "param",
        Carrier::Kdniao => "RequestData",
        _ => return body.to_owned(),
    };
    let mut fields = form_urlencoded::parse(body.as_bytes());
    fields.find(|(known, _)| known == name).map(|(_, text)| text.into_owned()).unwrap_or_default()
}

/// The calls to a carrier about the samples' parcel.
fn asked(carrier: Carrier, now: Timestamp) -> Result<Vec<(&'static str, Request<Bytes>)>, Finding> {
    let api_url = format!("https://carriers.local/{carrier}");
    let credentials = serde_json::from_value(carriers::of(carrier).credentials(&api_url));
    let credentials: Credentials = credentials.map_err(Finding::unprepared)?;
    let parcel = parcel(carrier, now)?;
    let adapter = code::of(carrier);
    let callback = format!("https://shop.example/carriers/{carrier}/events");
    let subscribe = adapter.subscribe(&credentials, &parcel, &callback);
    let subscribe = subscribe.map_err(Finding::unprepared)?;
    let ask = adapter.ask(&credentials, &parcel, now).map_err(Finding::unprepared)?;
    Ok(subscribe.map(|it| ("subscribed", it)).into_iter().chain([("answered", ask)]).collect())
}

fn parcel(carrier: Carrier, now: Timestamp) -> Result<aftercart::model::shipment::Parcel, Finding> {
    use aftercart::model::{
        customer::CustomerId,
        dispatch::Direction,
        id::{OrderId, ShipmentId},
        shipment::{Parcel, Tracking, TrackingNumber},
        text::Text,
    };
    Ok(Parcel {
        tracking: Tracking {
            carrier,
            number: TrackingNumber::parse(story::NUMBER).map_err(Finding::unprepared)?,
        },
        order: OrderId::derive(&["fuzz"]),
        shipment: ShipmentId::derive(&["fuzz"]),
        customer: CustomerId::parse(story::MEMBER).map_err(Finding::unprepared)?,
        direction: Direction::Out,
        labelled_at: now.minus(Period::of_days(4)),
        courier: Text::new("shunfeng").ok(),
        verification: Text::new("1234").ok(),
        window: None,
        ask_at: None,
        asked: 0,
        subscribed: false,
    })
}
