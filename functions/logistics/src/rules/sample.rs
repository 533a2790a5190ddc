//! An order for the tests of rules: placed on Monday 23 November 2026 in
//! Shanghai, to leave on the 24th, promised for the 26th to the 28th.

use std::collections::BTreeSet;

use aftercart::model::{
    customer::{Country, CustomerId},
    delivery::{MethodId, Promise},
    dispatch::{Dispatch, Shipment, ShipmentLine},
    id::OrderId,
    policy::Policy,
    product::Sku,
    shipment::{
        Carrier, Estimate, History, Journey, ParcelStatus, Reason, Tracking, TrackingEvent,
        TrackingNumber,
    },
    stock::LocationId,
    text::Text,
    time::{Date, Timestamp, Zone},
};

use super::fold;

/// A day and time of November in Shanghai, such as `26 14:00`.
pub(crate) fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once(' ').unwrap();
    Timestamp::parse(&format!("2026-11-{day}T{time}:00+08:00")).unwrap()
}

/// A day of November.
pub(crate) fn day(text: &str) -> Date {
    Date::parse(&format!("2026-11-{text}")).unwrap()
}

/// What a carrier told: when, what, and why.
pub(crate) type Scan<'a> = (&'a str, ParcelStatus, Option<Reason>);

/// The order, before its shipment has a label.
pub(crate) fn opened() -> Dispatch {
    let order = OrderId::derive(&["1"]);
    let line = ShipmentLine { sku: Sku::parse("TEA").unwrap(), quantity: 1 };
    let shipment = Shipment::new(&order, 1, LocationId::default(), vec![line], at("23 10:00"));
    Dispatch {
        order,
        customer: CustomerId::member("ada").unwrap(),
        opened_at: at("23 10:00"),
        version: 1,
        method: MethodId::parse("standard").unwrap(),
        country: Country::try_from("CN".to_owned()).unwrap(),
        promise: Promise { ship_by: day("24"), from: day("26"), until: day("28") },
        zone: Zone::parse("Asia/Shanghai").unwrap(),
        priority: false,
        stopped_at: None,
        shipments: vec![shipment],
        compensation: None,
        due: None,
    }
}

/// The order with a label of Monday evening, and what its carrier told since.
pub(crate) fn told(scans: &[Scan<'_>]) -> Dispatch {
    let mut dispatch = opened();
    let shipment = &mut dispatch.shipments[0];
    let number = TrackingNumber::parse("AB-1234").unwrap();
    shipment.tracking = Some(Tracking { carrier: Carrier::Generic, number });
    shipment.labelled_at = Some(at("23 18:00"));
    shipment.journey = journey(scans, None);
    dispatch
}

/// Where a parcel is of which this was told.
pub(crate) fn journey(scans: &[Scan<'_>], eta: Option<&str>) -> Journey {
    let event = |(when, status, reason): &Scan<'_>| TrackingEvent {
        at: at(when),
        status: *status,
        reason: *reason,
        code: Text::new(status.as_str()).unwrap(),
        place: None,
        told_at: None,
        zone_assumed: false,
    };
    let told_at = at("23 18:00");
    let estimates: BTreeSet<Estimate> =
        eta.iter().map(|eta| Estimate { told_at, eta: at(eta) }).collect();
    let events = scans.iter().map(event).collect();
    fold::journey(&History { events, estimates, ..History::default() })
}

/// The default policy, with these values of `logistics` instead.
pub(crate) fn policy(logistics: &serde_json::Value) -> Policy {
    let mut policy = Policy::default_document().unwrap();
    let mut document = serde_json::to_value(&policy.logistics).unwrap();
    for (name, value) in logistics.as_object().unwrap() {
        document[name] = value.clone();
    }
    policy.logistics = serde_json::from_value(document).unwrap();
    policy
}
