use ParcelStatus::{
    AttemptFailed, Delivered, Exception, InfoReceived, OnHold, OutForDelivery, PickedUp,
    ReadyForPickup, Returned, Returning,
};
use proptest::prelude::*;

use super::*;
use crate::rules::sample::{self, Scan, at, day, told};

const REFUSED: Option<Reason> = Some(Reason::ConsigneeRefused);
const LATER: Option<Reason> = Some(Reason::ConsigneeRescheduled);

fn standing_of(scans: &[Scan<'_>], now: &str) -> Option<Standing> {
    let dispatch = told(scans);
    standing(&dispatch, &dispatch.shipments[0], at(now))
}

#[test]
fn a_promise_is_kept_late_or_broken_by_the_day() {
    let left = ("24 18:00", PickedUp, None);
    for (what, scans, now, expected) in [
        ("nothing yet", &[][..], "24 12:00", Standing::Open),
        ("under way", &[left], "28 23:59", Standing::Open),
        ("the day is over", &[left], "29 00:00", Standing::Late),
        ("in time", &[left, ("28 23:59", Delivered, None)], "30 12:00", Standing::Kept),
        ("a minute late", &[left, ("29 00:00", Delivered, None)], "30 12:00", Standing::Broken),
        ("waits in time", &[left, ("28 20:00", ReadyForPickup, None)], "30 12:00", Standing::Kept),
        ("tried in time", &[left, ("28 20:00", AttemptFailed, None)], "30 12:00", Standing::Open),
        (
            "tried in time, there later",
            &[left, ("28 20:00", AttemptFailed, None), ("30 10:00", Delivered, None)],
            "30 12:00",
            Standing::Kept,
        ),
        ("tried too late", &[left, ("29 20:00", AttemptFailed, None)], "29 21:00", Standing::Late),
        (
            "later as the buyer wished",
            &[left, ("27 09:00", OnHold, LATER)],
            "29 12:00",
            Standing::Open,
        ),
        (
            "refused",
            &[left, ("27 09:00", Delivered, None), ("27 10:00", Returning, REFUSED)],
            "29 12:00",
            Standing::Kept,
        ),
        ("goes back", &[left, ("27 10:00", Returning, None)], "27 12:00", Standing::Broken),
        ("is back", &[left, ("29 10:00", Returned, None)], "29 12:00", Standing::Broken),
        ("stuck", &[left, ("25 10:00", Exception, None)], "25 12:00", Standing::AtRisk),
        ("left late", &[("26 18:00", PickedUp, None)], "26 19:00", Standing::Open),
        ("left too late", &[("27 18:00", PickedUp, None)], "27 19:00", Standing::AtRisk),
        ("not left at last", &[("24 18:00", InfoReceived, None)], "27 00:00", Standing::AtRisk),
    ] {
        assert_eq!(standing_of(scans, now), Some(expected), "{what}");
    }
}

#[test]
fn what_has_no_promise_has_no_standing() {
    let plain = told(&[("24 18:00", PickedUp, None)]);
    let changes: [fn(&mut Shipment); 3] = [
        |it| it.direction = Direction::Back,
        |it| it.cancelled_at = Some(at("25 10:00")),
        |it| it.replaces = Some(it.id.clone()),
    ];
    for change in changes {
        let mut dispatch = plain.clone();
        change(&mut dispatch.shipments[0]);
        assert_eq!(standing(&dispatch, &dispatch.shipments[0], at("29 12:00")), None);
    }
}

#[test]
fn a_day_is_expected_for_a_reason() {
    let left = ("24 18:00", PickedUp, None);
    let on =
        |from, until, certainty| Some(Expected { from: day(from), until: day(until), certainty });
    let both = |date, certainty| on(date, date, certainty);
    for (what, scans, eta, now, expected) in [
        ("the promise", &[][..], None, "24 12:00", on("26", "28", Certainty::Promise)),
        ("what is left of it", &[left], None, "27 12:00", on("27", "28", Certainty::Promise)),
        ("the carrier's", &[left], Some("27 14:00"), "26 12:00", both("27", Certainty::Carrier)),
        ("one too late", &[left], Some("29 14:00"), "26 12:00", both("29", Certainty::Carrier)),
        (
            "one that passed",
            &[left],
            Some("25 14:00"),
            "26 12:00",
            on("26", "28", Certainty::Promise),
        ),
        (
            "out",
            &[left, ("29 09:00", OutForDelivery, None)],
            None,
            "29 12:00",
            both("29", Certainty::Carrier),
        ),
        (
            "left late",
            &[("26 18:00", PickedUp, None)],
            None,
            "27 12:00",
            on("28", "30", Certainty::Statistics),
        ),
        ("not left", &[], None, "26 12:00", on("28", "30", Certainty::Statistics)),
        ("longer than most", &[left], None, "29 12:00", None),
        ("stuck", &[left, ("25 10:00", Exception, None)], None, "25 12:00", None),
        (
            "stuck, and yet",
            &[left, ("25 10:00", Exception, None)],
            Some("27 14:00"),
            "25 12:00",
            both("27", Certainty::Carrier),
        ),
        ("there", &[left, ("27 10:00", Delivered, None)], None, "27 12:00", None),
        ("goes back", &[left, ("27 10:00", Returning, None)], None, "27 12:00", None),
    ] {
        let mut dispatch = told(scans);
        dispatch.shipments[0].journey = sample::journey(scans, eta);
        assert_eq!(super::expected(&dispatch, &dispatch.shipments[0], at(now)), expected, "{what}");
    }
    let mut stopped = sample::opened();
    stopped.stopped_at = Some(at("23 12:00"));
    assert_eq!(super::expected(&stopped, &stopped.shipments[0], at("23 13:00")), None);
}

proptest! {
    /// Whatever a carrier tells, and whenever it is looked at.
    #[test]
    fn standings_follow_the_clock(
        scans in prop::collection::vec((0_u16..28_800, 0_usize..15, prop::option::of(0_usize..14)), 0..8),
        now in 0_u16..28_800,
        later in 0_u16..28_800,
    ) {
        let moment = |minutes: u16| at("20 00:00").plus(
            aftercart::model::time::Period::of_seconds(u32::from(minutes) * 60));
        let mut dispatch = told(&[]);
        dispatch.shipments[0].journey = arbitrary(&scans, moment);
        let (now, later) = (moment(now.min(later)), moment(now.max(later)));
        let shipment = &dispatch.shipments[0];
        let (before, after) = (standing(&dispatch, shipment, now), standing(&dispatch, shipment, later));
        let today = later.date_in(&dispatch.zone);
        // Kept and broken do not depend on the time, and late stays late.
        let last = |it| matches!(it, Some(Standing::Kept | Standing::Broken | Standing::Late));
        if last(before) {
            prop_assert_eq!(before, after);
        }
        if after == Some(Standing::Late) {
            prop_assert!(today > dispatch.promise.until);
        }
        if after == Some(Standing::AtRisk) {
            prop_assert!(today <= dispatch.promise.until);
        }
        if let Some(expected) = super::expected(&dispatch, shipment, later) {
            prop_assert!(today <= expected.from && expected.from <= expected.until);
        }
    }
}

/// The journey of scans drawn at random.
fn arbitrary(scans: &[(u16, usize, Option<usize>)], moment: impl Fn(u16) -> Timestamp) -> Journey {
    use aftercart::model::shipment::{History, TrackingEvent};
    let event = |(minutes, status, reason): &(u16, usize, Option<usize>)| TrackingEvent {
        at: moment(*minutes),
        status: ParcelStatus::ALL[*status],
        reason: reason.map(|reason| Reason::ALL[reason]),
        code: aftercart::model::text::Text::new("x").unwrap(),
        place: None,
        told_at: None,
        zone_assumed: false,
    };
    let events = scans.iter().map(event).collect();
    let history = History { parcel: None, events, ..History::default() };
    crate::rules::fold::journey(&history)
}
