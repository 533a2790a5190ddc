use std::collections::BTreeMap;

use aftercart::model::{
    customer::CustomerId,
    dispatch::shipment_id,
    id::OrderId,
    logistics::{PollingLimit, PollingPolicy},
    shipment::{Tracking, TrackingNumber, Window},
};
use proptest::prelude::*;

use super::*;

fn policy() -> LogisticsPolicy {
    let carriers = BTreeMap::from([(Carrier::Kuaidi100, PollingLimit { per_minute: 60 })]);
    LogisticsPolicy { polling: PollingPolicy { carriers }, ..LogisticsPolicy::default() }
}

/// A parcel labelled on a Monday at 10:00 in Berlin, promised for Wednesday or
/// Thursday, whose minute is the first of the hour. Its carrier agreed to report
/// of it, and then did not.
fn parcel() -> Parcel {
    let order = OrderId::derive(&["a", "b"]);
    let date = |text| Date::parse(text).unwrap();
    Parcel {
        tracking: Tracking {
            carrier: Carrier::Kuaidi100,
            number: TrackingNumber::parse("AB-1199").unwrap(),
        },
        shipment: shipment_id(&order, 1),
        order,
        customer: CustomerId::member("ana").unwrap(),
        direction: Direction::Out,
        labelled_at: at("11-23 10:00"),
        courier: None,
        verification: None,
        window: Some(Window {
            from: date("2026-11-25"),
            until: date("2026-11-26"),
            zone: Zone::parse("Europe/Berlin").unwrap(),
        }),
        ask_at: Some(at("11-23 10:00")),
        asked: 1,
        subscribed: true,
    }
}

/// A moment of that winter in Berlin.
fn at(text: &str) -> Timestamp {
    let year = if text.starts_with("01") { 2027 } else { 2026 };
    let (day, time) = text.split_once(' ').unwrap();
    Timestamp::parse(&format!("{year}-{day}T{time}:00+01:00")).unwrap()
}

fn journey(status: ParcelStatus, heard_at: Option<Timestamp>) -> Journey {
    Journey { status, heard_at, ..Journey::pending() }
}

#[test]
fn a_parcel_is_asked_about_by_stage_silence_and_hour() {
    use ParcelStatus::*;
    for (status, heard, now, next_at) in [
        // Not with the carrier yet: daily, not at night, and less the longer it takes.
        (Pending, None, "11-23 10:00", Some("11-24 06:00")),
        (InfoReceived, Some("11-23 11:00"), "11-24 06:00", Some("11-25 06:00")),
        (Pending, None, "12-03 06:00", Some("12-05 06:00")),
        // Under way: there on Tuesday at the earliest.
        (PickedUp, Some("11-23 08:00"), "11-23 09:00", Some("11-23 21:00")),
        (PickedUp, Some("11-23 16:00"), "11-23 18:00", Some("11-24 06:00")),
        (InTransit, Some("11-24 03:00"), "11-24 06:00", Some("11-24 07:00")),
        (InTransit, Some("11-24 03:00"), "11-24 12:30", Some("11-24 14:30")),
        (InTransit, Some("11-24 03:00"), "11-24 18:30", Some("11-25 06:00")),
        (Exception, Some("11-24 03:00"), "11-25 07:00", Some("11-25 08:00")),
        (Unknown, Some("11-24 03:00"), "11-25 07:00", Some("11-25 08:00")),
        // Silent under way.
        (InTransit, Some("11-24 05:00"), "11-29 10:00", Some("11-30 17:15")),
        (InTransit, Some("11-24 06:00"), "12-04 06:00", Some("12-06 06:00")),
        (InTransit, Some("11-24 06:00"), "01-09 06:00", None),
        // With the courier, also a day later, when he may come again.
        (OutForDelivery, Some("11-25 08:10"), "11-25 08:40", Some("11-25 09:40")),
        (OutForDelivery, Some("11-25 08:10"), "11-25 21:30", Some("11-25 22:30")),
        (OutForDelivery, Some("11-25 08:10"), "11-25 23:30", Some("11-26 06:00")),
        (OutForDelivery, Some("11-25 08:10"), "11-26 13:00", Some("11-26 15:00")),
        (OutForDelivery, Some("11-25 08:00"), "12-01 07:00", Some("12-02 18:45")),
        (AttemptFailed, Some("11-25 15:00"), "11-25 15:30", Some("11-25 17:30")),
        (AttemptFailed, Some("11-25 15:00"), "11-26 07:00", Some("11-26 08:00")),
        // Waits to be fetched.
        (ReadyForPickup, Some("11-25 09:00"), "11-25 10:00", Some("11-25 12:00")),
        (ReadyForPickup, Some("11-25 09:00"), "11-25 22:30", Some("11-26 06:00")),
        (ReadyForPickup, Some("11-25 09:00"), "11-28 10:00", Some("11-28 16:00")),
        (ReadyForPickup, Some("11-25 09:00"), "11-28 22:00", Some("11-29 09:00")),
        (Returning, Some("11-25 09:00"), "11-25 10:00", Some("11-26 06:00")),
        (Delivered, Some("11-25 09:00"), "11-25 10:00", None),
        (Returned, Some("11-25 09:00"), "11-25 10:00", None),
        (Cancelled, Some("11-25 09:00"), "11-25 10:00", None),
        (Expired, Some("11-25 09:00"), "11-25 10:00", None),
    ] {
        let journey = journey(status, heard.map(at));
        let found = next(&parcel(), &journey, &policy(), at(now));
        assert_eq!(found, next_at.map(at), "{status:?} heard {heard:?}, at {now:?}");
    }
}

#[test]
fn where_and_when_it_may_arrive_says_how_often() {
    let on_the_way = journey(ParcelStatus::InTransit, Some(at("11-25 03:00")));
    let expected = Journey { eta: Some(at("11-27 12:00")), ..on_the_way.clone() };
    let tomorrow = Journey { eta: Some(at("11-26 12:00")), ..on_the_way.clone() };
    let quiet = Journey { heard_at: Some(at("11-24 18:00")), ..expected.clone() };
    let back = Parcel { direction: Direction::Back, ..parcel() };
    let unpromised = Parcel { window: None, ..parcel() };
    for (what, parcel, journey, next_at) in [
        ("promised", parcel(), &on_the_way, "11-25 08:00"),
        ("expected in two days", parcel(), &expected, "11-25 09:00"),
        ("expected tomorrow", parcel(), &tomorrow, "11-25 08:00"),
        ("expected in two days, and quiet in the night", parcel(), &quiet, "11-25 19:00"),
        ("comes back", back, &on_the_way, "11-25 19:00"),
        ("without a promise", unpromised, &on_the_way, "11-25 08:00"),
    ] {
        let found = next(&parcel, journey, &policy(), at("11-25 07:00"));
        assert_eq!(found, Some(at(next_at)), "{what}");
    }
}

/// A third as often as else, but not while it is out for delivery, or may be.
#[test]
fn a_parcel_of_which_its_carrier_reports_is_asked_about_less() {
    use ParcelStatus::*;
    let reports = Parcel { asked: 0, ..parcel() };
    let unasked = Parcel { subscribed: false, asked: 4, ..parcel() };
    for (status, heard, now, usual, rare) in [
        (PickedUp, Some("11-23 08:00"), "11-23 09:00", "11-23 21:00", "11-24 06:00"),
        (InTransit, Some("11-25 03:00"), "11-25 07:00", "11-25 08:00", "11-25 08:00"),
        (InTransit, Some("11-25 03:00"), "11-25 13:00", "11-25 15:00", "11-25 19:00"),
        (ReadyForPickup, Some("11-25 09:00"), "11-25 10:00", "11-25 12:00", "11-25 16:00"),
        (OutForDelivery, Some("11-25 08:10"), "11-25 08:40", "11-25 09:40", "11-25 09:40"),
        // Nothing was heard of it yet, or not lately.
        (Pending, None, "11-23 10:00", "11-24 06:00", "11-24 06:00"),
        (InTransit, Some("11-24 05:00"), "11-29 10:00", "11-30 17:15", "11-30 17:15"),
    ] {
        let journey = journey(status, heard.map(at));
        for (parcel, expected) in [(&parcel(), usual), (&unasked, usual), (&reports, rare)] {
            let found = next(parcel, &journey, &policy(), at(now));
            assert_eq!(found, Some(at(expected)), "{status:?} heard {heard:?}, at {now:?}");
        }
    }
    // The first morning on which it may come is not slept through.
    let far = parcel().window.map(|it| Window { from: it.from.plus_days(2), ..it });
    let far = Parcel { window: far, ..reports.clone() };
    let late = journey(InTransit, Some(at("11-23 22:00")));
    assert_eq!(next(&far, &late, &policy(), at("11-23 22:30")), Some(at("11-25 06:00")));

    // What asking told was not reported; what was heard without it was.
    let on = journey(InTransit, Some(at("11-25 03:00")));
    let now = at("11-25 07:00");
    assert_eq!(asked(&reports, (&on, false), &policy(), now).asked, 0);
    let missed = asked(&reports, (&on, true), &policy(), now);
    assert_eq!((missed.asked, missed.ask_at), (1, Some(at("11-25 08:00"))));
    let again = reported(&missed, at("11-25 09:00"));
    assert_eq!((again.asked, again.ask_at), (0, Some(at("11-25 09:00"))));
    assert_eq!(reported(&unasked, now).asked, 4);
}

#[test]
fn only_carriers_of_the_policy_are_asked() {
    let nobody = LogisticsPolicy::default();
    let (labelled_at, journey) = (parcel().labelled_at, Journey::pending());
    assert_eq!(first(Carrier::Kuaidi100, &nobody, labelled_at), None);
    assert_eq!(first(Carrier::Kuaidi100, &policy(), labelled_at), Some(labelled_at));
    assert_eq!(due(&parcel(), &journey, &nobody, labelled_at), Due::Never);
    assert_eq!(sooner(&parcel(), &journey, &nobody, labelled_at), None);
}

#[test]
fn a_carrier_is_asked_to_report_before_it_is_asked_where_the_parcel_is() {
    let (policy, silence) = (policy(), Journey::pending());
    let mut parcel = Parcel { subscribed: false, asked: 0, ..parcel() };
    for (now, next_at) in [
        ("11-23 10:00", "11-23 10:30"),
        ("11-23 10:30", "11-23 11:30"),
        ("11-23 11:30", "11-24 06:00"),
    ] {
        assert_eq!(due(&parcel, &silence, &policy, at(now)), Due::Subscribe);
        parcel = asked(&parcel, (&silence, false), &policy, at(now));
        assert_eq!(parcel.ask_at, Some(at(next_at)));
    }
    for now in ["11-24 06:30", "11-24 07:30", "11-24 08:30", "11-24 09:30", "11-24 10:30"] {
        assert_eq!(due(&parcel, &silence, &policy, at(now)), Due::Ask, "{now}");
        parcel = asked(&parcel, (&silence, false), &policy, at(now));
    }
    // One more try now and then.
    assert_eq!(due(&parcel, &silence, &policy, at("11-24 11:30")), Due::Subscribe);
    let heard = journey(ParcelStatus::InTransit, Some(at("11-24 05:00")));
    let parcel = subscribed(&parcel, &heard, &policy, at("11-24 11:30"));
    assert_eq!((parcel.subscribed, parcel.asked), (true, 1));
    assert_eq!(parcel.ask_at, Some(at("11-24 12:30")));
    assert_eq!(asked(&parcel, (&heard, false), &policy, at("11-24 12:30")).asked, 1);
}

#[test]
fn what_was_heard_puts_the_asking_off_and_a_hotter_stage_brings_it_forward() {
    let policy = policy();
    let out = journey(ParcelStatus::OutForDelivery, Some(at("11-25 08:10")));
    assert_eq!(due(&parcel(), &out, &policy, at("11-25 08:40")), Due::Later(at("11-25 09:10")));
    assert_eq!(due(&parcel(), &out, &policy, at("11-25 09:10")), Due::Ask);
    for (planned, sooner_at) in [
        (Some("11-25 18:00"), Some("11-25 09:15")),
        (None, Some("11-25 09:15")),
        // Not worth a write; due already.
        (Some("11-25 09:40"), None),
        (Some("11-25 08:00"), None),
    ] {
        let parcel = Parcel { ask_at: planned.map(at), ..parcel() };
        let found = sooner(&parcel, &out, &policy, at("11-25 08:15"));
        let expected = sooner_at.map(|it| Parcel { ask_at: Some(at(it)), ..parcel.clone() });
        assert_eq!(found, expected, "{planned:?}");
    }
    let there = journey(ParcelStatus::Delivered, Some(at("11-25 11:00")));
    assert_eq!(sooner(&parcel(), &there, &policy, at("11-25 11:05")), None);
    assert_eq!(due(&parcel(), &there, &policy, at("11-25 11:05")), Due::Never);
}

fn statuses() -> impl Strategy<Value = ParcelStatus> {
    (0_usize..ParcelStatus::ALL.len()).prop_map(|position| ParcelStatus::ALL[position])
}

prop_compose! {
    /// A parcel anywhere on its way, and a moment within two months of its label.
    fn moments()(
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Shanghai"]),
        number in "[A-Z0-9]{6,12}",
        promised in proptest::option::of(0_u32..20),
        labelled in 0_i64..400 * 86_400,
        status in statuses(),
        heard in proptest::option::of(-86_400_i64..60 * 86_400),
        eta in proptest::option::of(0_i64..20 * 86_400),
        asked in 0_u32..2,
        after in 0_i64..60 * 86_400,
    ) -> (Parcel, Journey, Timestamp) {
        let moment = |seconds| Timestamp::from_unix_seconds(1_790_000_000 + seconds).unwrap();
        let (zone, labelled_at) = (Zone::parse(zone).unwrap(), moment(labelled));
        let today = labelled_at.date_in(&zone);
        let mut parcel = Parcel { labelled_at, asked, ..parcel() };
        parcel.tracking.number = TrackingNumber::parse(&number).unwrap();
        parcel.window = promised.map(|days| Window {
            from: today.plus_days(days), until: today.plus_days(days + 2), zone,
        });
        let now = moment(labelled + after);
        let heard_at = heard.map(|heard| moment(labelled + heard.min(after)));
        let eta = eta.map(|eta| moment(labelled + eta));
        (parcel, Journey { eta, ..journey(status, heard_at) }, now)
    }
}

proptest! {
    /// It comes, not at once, not after days, and not in the night.
    #[test]
    fn the_next_asking_is_by_day_and_within_three_days((parcel, journey, now) in moments()) {
        if let Some(found) = next(&parcel, &journey, &policy(), now) {
            let wait = seconds(now, found);
            let here = Here::of(&parcel);
            prop_assert!((6..24).contains(&here.hour(found)), "{found}");
            prop_assert!(wait <= 3 * DAY && wait > 0, "{wait}");
            // The first of a day may be near the last of the night before.
            prop_assert!(wait >= HOUR || here.hour(now) < 7, "{wait}");
        }
    }

    /// A parcel that is due is asked about at the latest when it was planned,
    /// if nothing was heard since.
    #[test]
    fn what_is_planned_is_done((parcel, journey, now) in moments()) {
        if let Some(found) = next(&parcel, &journey, &policy(), now) {
            let parcel = Parcel { ask_at: Some(found), ..parcel };
            let due = due(&parcel, &journey, &policy(), found);
            let over = seconds(heard(&parcel, &journey), found) >= policy().patience.give_up.seconds();
            prop_assert_eq!(due, if over { Due::Never } else { Due::Ask });
        }
    }

    /// What brings forward brings forward, and not again.
    #[test]
    fn a_time_is_brought_forward_once(
        (parcel, journey, now) in moments(),
        planned in proptest::option::of(0_i64..10 * 86_400),
    ) {
        let parcel = Parcel { ask_at: planned.map(|wait| plus(now, wait)), ..parcel };
        if let Some(found) = sooner(&parcel, &journey, &policy(), now) {
            prop_assert!(found.ask_at > Some(now));
            prop_assert!(parcel.ask_at.is_none_or(|planned| found.ask_at < Some(planned)));
            prop_assert_eq!(sooner(&found, &journey, &policy(), now), None);
        }
    }
}
