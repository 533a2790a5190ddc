use aftercart::model::{
    customer::CustomerId,
    delivery::Promise,
    dispatch::Chosen,
    id::OrderId,
    shipment::{Carrier, Tracking, TrackingNumber},
    stock::LocationId,
    time::Zone,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn day(text: &str) -> Date {
    Date::parse(&format!("2026-11-{text}")).unwrap()
}

fn noon(text: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-11-{text}T12:00:00Z")).unwrap()
}

fn country(code: &str) -> Country {
    Country::try_from(code.to_owned()).unwrap()
}

/// Weekdays, without the 25th.
fn calendar() -> serde_json::Value {
    json!({
        "zone": "Europe/London",
        "working": ["mon", "tue", "wed", "thu", "fri"],
        "holidays": ["2026-11-25"],
    })
}

fn policy(places: serde_json::Value) -> DeliveryPolicy {
    serde_json::from_value(json!({
        "calendars": { "shop": calendar(), "carrier": calendar() },
        "methods": [{
            "id": "standard", "title": { "en": "Standard" }, "kind": "ship",
            "handling": { "calendar": "shop", "cut_off": "14:00", "days": 1 },
            "transit": { "calendar": "carrier", "p50": 2, "p90": 4 },
            "places": places,
        }],
    }))
    .unwrap()
}

fn stage(status: ParcelStatus, date: &str) -> Stage {
    Stage { status, at: noon(date), place: None, doubt: None }
}

/// An order of one parcel that made these steps, promised for the 24th to 26th.
fn dispatch(stages: Vec<Stage>) -> Dispatch {
    let order = OrderId::derive(&["1"]);
    let mut shipment = Shipment::new(&order, 1, LocationId::default(), Vec::new(), noon("18"));
    let number = TrackingNumber::parse("AB123").unwrap();
    shipment.tracking = Some(Tracking { carrier: Carrier::Generic, number });
    shipment.chosen =
        Some(Chosen { service: Text::new("post").unwrap(), why: Text::new("cheapest").unwrap() });
    let last = stages.last().cloned();
    shipment.journey = Journey {
        status: last.as_ref().map_or(ParcelStatus::Pending, |it| it.status),
        since: last.as_ref().map(|it| it.at),
        heard_at: last.as_ref().map(|it| it.at),
        delivered_at: last.filter(|it| it.status == ParcelStatus::Delivered).map(|it| it.at),
        stages,
        ..Journey::pending()
    };
    Dispatch {
        order,
        customer: CustomerId::member("ada").unwrap(),
        opened_at: noon("18"),
        version: 1,
        method: MethodId::parse("standard").unwrap(),
        country: country("GB"),
        promise: Promise { ship_by: day("19"), from: day("24"), until: day("26") },
        zone: Zone::parse("Europe/London").unwrap(),
        priority: false,
        stopped_at: None,
        shipments: vec![shipment],
        compensation: None,
        due: None,
    }
}

use ParcelStatus::{
    AttemptFailed, Delivered, Expired, InTransit, InfoReceived, PickedUp, Returned, Returning,
};

#[test]
fn a_parcel_is_counted_by_when_it_was_brought() {
    let counted = |stages: &[(ParcelStatus, &str)]| {
        let of = dispatch(stages.iter().map(|(status, date)| stage(*status, date)).collect());
        count(&of, &of.shipments[0], &policy(json!([{}]))).map(|it| (it.0.days, it.0.kept))
    };
    // The 25th is a holiday, the 21st and 22nd a weekend.
    for (what, stages, expected) in [
        ("in time", &[(PickedUp, "19"), (Delivered, "24")][..], Some((Some(3), true))),
        ("on the last day", &[(InTransit, "19"), (Delivered, "26")], Some((Some(4), true))),
        ("late", &[(PickedUp, "19"), (Delivered, "27")], Some((Some(5), false))),
        (
            "tried",
            &[(PickedUp, "19"), (AttemptFailed, "26"), (Delivered, "30")],
            Some((Some(4), true)),
        ),
        (
            "refused",
            &[(PickedUp, "19"), (AttemptFailed, "26"), (Returned, "30")],
            Some((Some(4), true)),
        ),
        ("never brought", &[(PickedUp, "19"), (Returning, "24")], Some((None, false))),
        ("not heard of any more", &[(PickedUp, "19"), (Expired, "30")], Some((None, false))),
        ("heard of at the door only", &[(Delivered, "24")], Some((None, true))),
        ("never handed over", &[(InfoReceived, "19")], None),
        ("nothing heard", &[], None),
    ] {
        assert_eq!(counted(stages), expected, "{what}");
    }
}

#[test]
fn a_parcel_is_counted_once_and_only_for_its_own_promise() {
    let whole = dispatch(vec![stage(PickedUp, "19"), stage(Delivered, "24")]);
    let policy = policy(json!([{}]));
    let (counted, lane) = count(&whole, &whole.shipments[0], &policy).unwrap();
    assert_eq!(counted.month.as_str(), "2026-11");
    assert_eq!(lane.service.as_ref().map(Text::as_str), Some("post"));
    assert_eq!(
        (lane.from.as_str(), lane.to.as_str(), lane.method.as_str()),
        ("main", "GB", "standard")
    );
    let changed = |change: fn(&mut Shipment)| {
        let mut shipment = whole.shipments[0].clone();
        change(&mut shipment);
        count(&whole, &shipment, &policy)
    };
    let doubted = changed(|it| it.journey.stages[0].doubt = Some(Doubt::BeforeLabel)).unwrap().0;
    assert_eq!((doubted.days, doubted.kept), (None, true), "a time was put right");
    let zone = changed(|it| it.journey.stages[0].doubt = Some(Doubt::Zone)).unwrap().0;
    assert_eq!(zone.days, Some(3), "the usual zone is good enough");
    let called_off = changed(|it| it.cancelled_at = Some(noon("30")));
    assert!(called_off.is_some(), "it was carried, and another one sent instead");
    assert_eq!(changed(|it| it.direction = Direction::Back), None);
    assert_eq!(changed(|it| it.replaces = Some(it.id.clone())), None);
    let again = Counted { month: Text::new("2026-11").unwrap(), days: None, kept: true };
    let mut twice = whole.clone();
    twice.shipments[0].counted = Some(again);
    assert_eq!(count(&twice, &twice.shipments[0], &policy), None);
}

#[test]
fn a_method_that_is_gone_has_no_calendar() {
    let mut of = dispatch(vec![stage(PickedUp, "19"), stage(Delivered, "24")]);
    of.method = MethodId::parse("gone").unwrap();
    let (counted, _) = count(&of, &of.shipments[0], &policy(json!([{}]))).unwrap();
    assert_eq!((counted.days, counted.kept), (None, true));
}

#[test]
fn months_are_those_of_the_promise() {
    let mut of = dispatch(vec![stage(PickedUp, "19"), stage(Delivered, "30")]);
    of.zone = Zone::parse("Pacific/Kiritimati").unwrap();
    let (counted, _) = count(&of, &of.shipments[0], &policy(json!([{}]))).unwrap();
    assert_eq!(counted.month.as_str(), "2026-12", "it is the next day there");
}

/// The examples of the article "Percentile" of the English Wikipedia, for the
/// method of the nearest rank.
#[test]
fn percentiles_are_those_of_the_nearest_rank() {
    let of = |values: &[u16], percents: &[u8]| {
        let mut counts = BTreeMap::new();
        values.iter().for_each(|value| *counts.entry(*value).or_default() += 1_u32);
        percents.iter().map(|it| percentile(&counts, *it).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of(&[15, 20, 35, 40, 50], &[5, 30, 40, 50, 100]), [15, 20, 20, 35, 50]);
    let ten = [3, 6, 7, 8, 8, 10, 13, 15, 16, 20];
    assert_eq!(of(&ten, &[25, 50, 75, 100]), [7, 8, 15, 20]);
    let eleven = [3, 6, 7, 8, 8, 9, 10, 13, 15, 16, 20];
    assert_eq!(of(&eleven, &[25, 50, 75, 100]), [7, 9, 15, 20]);
    assert_eq!(percentile(&BTreeMap::new(), 50), None);
}

/// Table I of Newcombe 1998, method 3, the score method; there rounded to the
/// nearest of four places, here down and up.
#[test]
fn intervals_are_those_that_were_published() {
    for (part, whole, low, high) in
        [(81, 263, 2553, 3662), (15, 148, 624, 1605), (0, 20, 0, 1611), (1, 29, 61, 1718)]
    {
        let share = share(part, whole).unwrap();
        assert!(share.low == low || share.low + 1 == low, "{part} of {whole}: {share:?}");
        assert!(share.high == high || share.high == high + 1, "{part} of {whole}: {share:?}");
    }
    assert_eq!(share(0, 0), None);
    assert_eq!(share(20, 20), Some(Share { rate: 10_000, low: 8_388, high: 10_000 }));
    assert_eq!(share(u32::MAX, u32::MAX).unwrap().high, 10_000);
}

#[test]
fn of_few_parcels_no_number_is_shown() {
    let seen = |n: u32| Performance { ended: n, kept: n, days: BTreeMap::from([(2, n)]) };
    assert_eq!((spread(&seen(LEAST_SEEN - 1)), on_time(&seen(LEAST_SEEN - 1))), (None, None));
    let enough = Spread { seen: LEAST_SEEN, p50: 2, p90: 2 };
    assert_eq!(spread(&seen(LEAST_SEEN)), Some(enough));
    assert_eq!(on_time(&seen(LEAST_SEEN)).unwrap().rate, 10_000);
    // 0.9^29 < 0.05 <= 0.9^28, in whole numbers.
    let missed = |n: u32| 20 * 9_u128.pow(n) < 10_u128.pow(n);
    assert!(missed(LEAST_SEEN) && !missed(LEAST_SEEN - 1));
}

fn lane(to: &str) -> Lane {
    Lane {
        service: None,
        carrier: None,
        from: LocationId::default(),
        to: country(to),
        method: MethodId::parse("standard").unwrap(),
    }
}

/// So many parcels each that took these days.
fn took(days: &[u16], each: u32) -> Performance {
    let days: BTreeMap<u16, u32> = days.iter().map(|days| (*days, each)).collect();
    let ended = each * u32::try_from(days.len()).unwrap();
    Performance { ended, kept: 0, days }
}

#[test]
fn what_was_seen_is_proposed_where_it_stands_now() {
    let one = policy(json!([{}]));
    let seen = together([
        (lane("GB"), took(&[1, 2], 20)),
        (lane("GB"), took(&[3], 20)),
        (lane("FR"), took(&[5], 5)),
    ]);
    let (lines, proposed) = propose(&one, &seen);
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].now, lines[0].seen, lines[0].proposed), ((2, 4), 65, Ok((2, 3))));
    let mut expected = one.clone();
    (expected.methods[0].transit.p50, expected.methods[0].transit.p90) = (2, 3);
    assert_eq!(proposed, expected, "nothing else changes");
    assert_eq!(propose(&proposed, &seen).1, proposed, "and once is enough");
}

#[test]
fn places_have_what_was_seen_of_their_own_countries() {
    let places = policy(json!([
        { "countries": ["GB"], "regions": ["Highlands"], "extra_days": 2 },
        { "countries": ["GB"] },
        { "countries": ["FR", "DE"], "extra_days": 1 },
        { "countries": ["US"], "transit": { "p50": 5, "p90": 9 } },
        {},
    ]));
    let seen = together([
        (lane("GB"), took(&[2], 100)),
        (lane("FR"), took(&[3], 20)),
        (lane("DE"), took(&[6], 20)),
        (lane("US"), took(&[7], 28)),
        (lane("CN"), took(&[9], 30)),
    ]);
    let (lines, proposed) = propose(&places, &seen);
    let told: Vec<_> = lines.iter().map(|it| (it.now, it.seen, it.proposed)).collect();
    assert_eq!(
        told,
        [
            ((4, 6), 0, Err(Unproposed::NotToldApart)),
            ((2, 4), 0, Err(Unproposed::NotToldApart)),
            ((3, 5), 40, Ok((3, 6))),
            ((5, 9), 28, Err(Unproposed::TooFew)),
            ((2, 4), 30, Ok((9, 9))),
        ]
    );
    let days = |place: usize| {
        let transit = proposed.methods[0].places[place].transit.as_ref();
        transit.map(|it| (it.p50, it.p90, it.calendar.as_ref().map(Text::as_str)))
    };
    assert_eq!(days(2), Some((2, 5, Some("carrier"))), "the extra day comes on top");
    assert_eq!(days(3), Some((5, 9, None)));
    assert_eq!(days(4), Some((9, 9, Some("carrier"))));
    assert_eq!(proposed.methods[0].transit, places.methods[0].transit);
    assert!(days(0).is_none() && days(1).is_none());
}

proptest! {
    /// What a promise of so many days allows is the time of a parcel that comes
    /// on its last day, and of one that comes after the day before.
    #[test]
    fn days_under_way_are_days_of_promises(left in 0_u32..60, came in 0_u32..60) {
        let calendar: Calendar = serde_json::from_value(calendar()).unwrap();
        let (left, came) = (day("01").plus_days(left), day("01").plus_days(came));
        // So many working days after leaving, as promises are made.
        let due = |days: u16| {
            let mut worked = (1..).map(|it| left.plus_days(it)).filter(|it| calendar.works(*it));
            days.checked_sub(1).map_or(left, |skipped| worked.nth(skipped.into()).unwrap())
        };
        let days = working_days(&calendar, left, came);
        prop_assert!(came <= due(days), "in time for it");
        prop_assert!(days == 0 || came > due(days - 1), "late for one day less");
    }

    #[test]
    fn an_interval_holds_its_share(whole in 1_u32..5_000, part in 0_u32..5_000) {
        let part = part.min(whole);
        let few = share(part, whole).unwrap();
        prop_assert!(few.low <= few.rate && few.rate <= few.high && few.high <= 10_000);
        let many = share(part * 10, whole * 10).unwrap();
        prop_assert!(many.high - many.low <= few.high - few.low, "more is more certain");
        // Mirrored: what was not on time has the mirrored interval.
        let not = share(whole - part, whole).unwrap();
        prop_assert_eq!((not.low, not.high), (10_000 - few.high, 10_000 - few.low));
    }

    #[test]
    fn a_proposal_is_a_policy_that_may_be_put(
        days in prop::collection::btree_map(0_u16..=MOST_DAYS, 0_u32..40, 0..12),
        extra in 0_u16..30,
    ) {
        let policy = policy(json!([{ "extra_days": extra }]));
        let seen = together([(lane("GB"), Performance { ended: 0, kept: 0, days })]);
        let (_, proposed) = propose(&policy, &seen);
        let stock = serde_json::from_value(json!({
            "locations": [{ "id": "main", "title": "Main" }], "low_at": 5,
        }));
        prop_assert_eq!(proposed.check(&stock.unwrap()), Ok(()));
    }
}
