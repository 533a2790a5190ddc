use aftercart::model::{
    customer::CustomerId,
    dispatch::{Direction, shipment_id},
    id::OrderId,
    shipment::{Carrier, Estimate, Parcel, Tracking, TrackingNumber},
};
use proptest::prelude::*;

use super::*;

use ParcelStatus::{
    AttemptFailed, Cancelled, Delivered, Exception, InTransit, InfoReceived, OnHold,
    OutForDelivery, PickedUp, ReadyForPickup, Returned, Returning, Unknown,
};

/// A moment of the test's month, as `day.hour:minute`.
fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once('.').unwrap();
    Timestamp::parse(&format!("2026-11-{day}T{time}:00Z")).unwrap()
}

fn scan(moment: &str, status: ParcelStatus, reason: Option<Reason>) -> TrackingEvent {
    TrackingEvent {
        at: at(moment),
        status,
        reason,
        code: Text::new(status.as_str()).unwrap(),
        place: None,
        told_at: None,
        zone_assumed: false,
    }
}

/// Nothing told yet of a parcel that was labelled at this moment.
fn labelled(moment: &str) -> History {
    let order = OrderId::derive(&["1"]);
    let number = TrackingNumber::parse("AB123").unwrap();
    let parcel = Parcel {
        tracking: Tracking { carrier: Carrier::Generic, number },
        shipment: shipment_id(&order, 1),
        order,
        customer: CustomerId::member("ada").unwrap(),
        direction: Direction::Out,
        labelled_at: at(moment),
        courier: None,
        verification: None,
        window: None,
        ask_at: None,
        asked: 0,
        subscribed: false,
    };
    History { parcel: Some(parcel), ..History::default() }
}

/// What was told, as the store joins it.
fn told(moment: &str, pushes: &[&[TrackingEvent]]) -> History {
    let mut history = labelled(moment);
    for push in pushes {
        history.events.extend(push.iter().cloned());
    }
    history
}

fn folded(pushes: &[&[TrackingEvent]]) -> Journey {
    journey(&told("02.00:00", pushes))
}

type Told = (&'static str, ParcelStatus, Option<Reason>);

fn scans(told: &[Told]) -> Vec<TrackingEvent> {
    told.iter().map(|(moment, status, reason)| scan(moment, *status, *reason)).collect()
}

struct Sequence {
    name: &'static str,
    told: &'static [Told],
    status: ParcelStatus,
    reason: Option<Reason>,
    delivered_at: Option<&'static str>,
    attempts: u32,
    stages: &'static [(ParcelStatus, &'static str)],
}

/// Sequences as carriers report them.
const SEQUENCES: &[Sequence] = &[
    Sequence {
        name: "delivered, with late scans",
        told: &[
            ("02.09:00", InfoReceived, None),
            ("03.10:00", InTransit, None),
            ("04.07:40", OutForDelivery, None),
            ("04.11:58", Delivered, None),
            ("04.12:03", InTransit, None),
            ("04.12:30", Delivered, None),
            ("05.00:10", OutForDelivery, None),
        ],
        status: Delivered,
        reason: None,
        delivered_at: Some("04.11:58"),
        attempts: 0,
        stages: &[
            (InfoReceived, "02.09:00"),
            (InTransit, "03.10:00"),
            (OutForDelivery, "04.07:40"),
            (Delivered, "04.11:58"),
        ],
    },
    Sequence {
        name: "an attempt failed, then delivered",
        told: &[
            ("03.10:00", InTransit, None),
            ("04.07:40", OutForDelivery, None),
            ("04.15:00", AttemptFailed, Some(Reason::ConsigneeAbsent)),
            ("05.07:40", OutForDelivery, None),
            ("05.10:00", Delivered, None),
        ],
        status: Delivered,
        reason: None,
        delivered_at: Some("05.10:00"),
        attempts: 1,
        stages: &[
            (InTransit, "03.10:00"),
            (OutForDelivery, "04.07:40"),
            (AttemptFailed, "04.15:00"),
            (Delivered, "05.10:00"),
        ],
    },
    Sequence {
        name: "an attempt failed, and is tried again",
        told: &[
            ("04.07:40", OutForDelivery, None),
            ("04.15:00", AttemptFailed, Some(Reason::ConsigneeAbsent)),
            ("04.15:05", AttemptFailed, None),
            ("05.07:40", OutForDelivery, None),
            ("05.15:00", AttemptFailed, Some(Reason::ConsigneeAbsent)),
            ("06.07:40", OutForDelivery, None),
        ],
        status: OutForDelivery,
        reason: None,
        delivered_at: None,
        attempts: 2,
        stages: &[(OutForDelivery, "04.07:40"), (AttemptFailed, "04.15:00")],
    },
    Sequence {
        name: "returned to its sender, who is told of a delivery",
        told: &[
            ("04.07:40", OutForDelivery, None),
            ("04.15:00", AttemptFailed, Some(Reason::ConsigneeRefused)),
            ("05.09:00", Returning, None),
            ("06.09:00", InTransit, None),
            ("07.09:00", OutForDelivery, None),
            ("07.12:00", Delivered, None),
        ],
        status: Returned,
        reason: Some(Reason::ConsigneeRefused),
        delivered_at: None,
        attempts: 1,
        stages: &[
            (OutForDelivery, "04.07:40"),
            (AttemptFailed, "04.15:00"),
            (Returning, "05.09:00"),
            (Returned, "07.12:00"),
        ],
    },
    Sequence {
        name: "ready to be fetched, and fetched",
        told: &[
            ("03.10:00", InTransit, None),
            ("04.10:00", ReadyForPickup, None),
            ("06.18:00", Delivered, None),
        ],
        status: Delivered,
        reason: None,
        delivered_at: Some("06.18:00"),
        attempts: 0,
        stages: &[(InTransit, "03.10:00"), (ReadyForPickup, "04.10:00"), (Delivered, "06.18:00")],
    },
    Sequence {
        name: "recalled after its delivery, and back at its sender",
        told: &[
            ("03.10:00", InTransit, None),
            ("04.10:00", Delivered, None),
            ("04.18:00", Exception, Some(Reason::CarrierDamaged)),
            ("05.10:00", Returning, None),
            ("06.10:00", InTransit, None),
            ("07.10:00", Delivered, None),
        ],
        status: Returned,
        reason: Some(Reason::CarrierDamaged),
        delivered_at: None,
        attempts: 0,
        stages: &[
            (InTransit, "03.10:00"),
            (Delivered, "04.10:00"),
            (Returning, "05.10:00"),
            (Returned, "07.10:00"),
        ],
    },
    Sequence {
        name: "a delivery of which something is told after it",
        told: &[
            ("04.10:00", Delivered, None),
            ("05.10:00", Exception, Some(Reason::CarrierDamaged)),
            ("05.11:00", OnHold, Some(Reason::Other)),
            ("05.12:00", InTransit, None),
            ("05.13:00", AttemptFailed, None),
            ("05.14:00", Unknown, None),
            ("05.15:00", PickedUp, None),
        ],
        status: Delivered,
        reason: None,
        delivered_at: Some("04.10:00"),
        attempts: 0,
        stages: &[(Delivered, "04.10:00")],
    },
    Sequence {
        name: "returned, handed over anew, and delivered",
        told: &[
            ("04.10:00", Returned, None),
            ("05.10:00", PickedUp, None),
            ("06.10:00", Delivered, None),
        ],
        status: Delivered,
        reason: None,
        delivered_at: Some("06.10:00"),
        attempts: 0,
        stages: &[(Returned, "04.10:00"), (PickedUp, "05.10:00"), (Delivered, "06.10:00")],
    },
    Sequence {
        name: "the label is told of late",
        told: &[("03.10:00", PickedUp, None), ("03.12:00", InfoReceived, None)],
        status: PickedUp,
        reason: None,
        delivered_at: None,
        attempts: 0,
        stages: &[(PickedUp, "03.10:00")],
    },
    Sequence {
        name: "a word that nobody knows, after one that is known",
        told: &[("03.10:00", InfoReceived, None), ("03.12:00", Unknown, None)],
        status: InfoReceived,
        reason: None,
        delivered_at: None,
        attempts: 0,
        stages: &[(InfoReceived, "03.10:00")],
    },
    Sequence {
        name: "a word that nobody knows, alone",
        told: &[("03.10:00", Unknown, None)],
        status: Unknown,
        reason: None,
        delivered_at: None,
        attempts: 0,
        stages: &[(Unknown, "03.10:00")],
    },
    Sequence {
        name: "called off, and carried after all",
        told: &[("03.10:00", Cancelled, None), ("03.12:00", PickedUp, None)],
        status: PickedUp,
        reason: None,
        delivered_at: None,
        attempts: 0,
        stages: &[(Cancelled, "03.10:00"), (PickedUp, "03.12:00")],
    },
    Sequence {
        name: "held, and released",
        told: &[("03.10:00", OnHold, Some(Reason::CustomsHold)), ("04.10:00", InTransit, None)],
        status: InTransit,
        reason: None,
        delivered_at: None,
        attempts: 0,
        stages: &[(OnHold, "03.10:00"), (InTransit, "04.10:00")],
    },
    Sequence {
        name: "the same minute: the further status holds",
        told: &[("03.10:00", OutForDelivery, None), ("03.10:00", InTransit, None)],
        status: OutForDelivery,
        reason: None,
        delivered_at: None,
        attempts: 0,
        stages: &[(InTransit, "03.10:00"), (OutForDelivery, "03.10:00")],
    },
];

#[test]
fn sequences_of_carriers_end_as_they_should() {
    for sequence in SEQUENCES {
        let journey = folded(&[&scans(sequence.told)]);
        let name = sequence.name;
        assert_eq!((journey.status, journey.reason), (sequence.status, sequence.reason), "{name}");
        assert_eq!(journey.delivered_at, sequence.delivered_at.map(at), "{name}");
        assert_eq!(journey.attempts, sequence.attempts, "{name}");
        let stages: Vec<_> = journey.stages.iter().map(|stage| (stage.status, stage.at)).collect();
        let expected: Vec<_> =
            sequence.stages.iter().map(|(status, moment)| (*status, at(moment))).collect();
        assert_eq!(stages, expected, "{name}");
        assert_eq!(journey.heard_at, sequence.told.last().map(|told| at(told.0)), "{name}");
        assert_eq!(usize::try_from(journey.events).unwrap(), sequence.told.len(), "{name}");
        assert_eq!(journey.told, journey.events, "{name}");
        assert!(journey.stages.iter().all(|stage| stage.doubt.is_none()), "{name}");
    }
}

/// Every order of these, by Heap's algorithm.
fn orders<T: Clone>(of: &[T], mut each: impl FnMut(&[T])) {
    let (mut items, mut swaps) = (of.to_vec(), vec![0; of.len()]);
    each(&items);
    let mut position = 0;
    while position < items.len() {
        if swaps[position] < position {
            items.swap(if position % 2 == 0 { 0 } else { swaps[position] }, position);
            each(&items);
            swaps[position] += 1;
            position = 0;
        } else {
            swaps[position] = 0;
            position += 1;
        }
    }
}

/// Every way to cut a list of these into calls, one after the other.
fn cuts<T>(of: &[T], mut each: impl FnMut(&[&[T]])) {
    for cut in 0_u32..1 << (of.len() - 1) {
        let mut parts = Vec::new();
        let mut rest = of;
        for length in (1..of.len()).rev() {
            if cut & (1 << (length - 1)) != 0 {
                let (before, last) = rest.split_at(length);
                parts.push(last);
                rest = before;
            }
        }
        parts.push(rest);
        each(&parts);
    }
}

/// Every order of up to seven scans, cut into calls in every way, each call
/// with all scans before it again or without, and the whole told twice.
#[test]
fn every_order_and_every_cut_of_a_sequence_is_the_same_parcel() {
    for sequence in SEQUENCES {
        let scans = scans(sequence.told);
        let whole = folded(&[&scans]);
        let (mut ways, mut factorial) = (0_usize, 1_usize);
        (1..=scans.len()).for_each(|n| factorial *= n);
        orders(&scans, |order| {
            ways += 1;
            let cumulative: Vec<&[TrackingEvent]> =
                (1..=order.len()).map(|n| &order[..n]).collect();
            assert_eq!(folded(&cumulative), whole, "{}: all again each time", sequence.name);
            assert_eq!(folded(&[order, order]), whole, "{}: twice", sequence.name);
        });
        assert_eq!(ways, factorial, "{}", sequence.name);
        cuts(&scans, |calls| {
            assert_eq!(folded(calls), whole, "{}: {calls:?}", sequence.name);
            let reversed: Vec<&[TrackingEvent]> = calls.iter().rev().copied().collect();
            assert_eq!(folded(&reversed), whole, "{}: {reversed:?}", sequence.name);
        });
    }
}

#[test]
fn since_is_when_the_parcel_last_came_to_where_it_is() {
    let told = [
        ("04.07:40", OutForDelivery, None),
        ("04.15:00", AttemptFailed, Some(Reason::ConsigneeAbsent)),
        ("05.07:40", OutForDelivery, None),
        ("05.09:00", OutForDelivery, None),
    ];
    assert_eq!(folded(&[&scans(&told)]).since, Some(at("05.07:40")));
    assert_eq!(folded(&[]), Journey::pending());
}

#[test]
fn what_was_told_of_an_earlier_parcel_is_left_out() {
    let mut history = told(
        "10.00:00",
        &[&[scan("01.00:00", Delivered, None), scan("12.00:00", InTransit, None)]],
    );
    history.estimates.insert(Estimate { told_at: at("01.00:00"), eta: at("13.00:00") });
    let journey = journey(&history);
    assert_eq!((journey.status, journey.events, journey.eta), (InTransit, 1, None));
    assert_eq!(journey.told, 3, "what is left out was told all the same");
}

#[test]
fn a_scan_is_not_later_than_what_first_tells_it() {
    let ahead = |told_at: Option<&str>| TrackingEvent {
        told_at: told_at.map(at),
        ..scan("05.20:00", Delivered, None)
    };
    let (first, again, later) = (ahead(Some("05.12:00")), ahead(Some("05.18:00")), ahead(None));
    for order in [[&first, &again, &later], [&later, &again, &first], [&again, &first, &later]] {
        let journey = folded(&order.map(std::slice::from_ref));
        assert_eq!((journey.delivered_at, journey.events), (Some(at("05.12:00")), 1));
        assert_eq!(journey.stages[0].doubt, Some(Doubt::Ahead));
    }
    let journey = folded(&[&[later]]);
    assert_eq!((journey.delivered_at, journey.stages[0].doubt), (Some(at("05.20:00")), None));
}

/// A carrier whose clock is eight hours ahead tells two scans at once.
#[test]
fn scans_taken_to_be_of_the_same_moment_stay_in_the_order_of_the_carriers_clock() {
    let ahead = |moment, status| TrackingEvent {
        told_at: Some(at("05.12:00")),
        ..scan(moment, status, None)
    };
    let told = [ahead("05.19:00", OutForDelivery), ahead("05.20:00", InTransit)];
    let journey = folded(&[&told]);
    assert_eq!((journey.status, journey.since), (InTransit, Some(at("05.12:00"))));
}

#[test]
fn a_scan_before_the_label_is_shown_as_of_the_label() {
    let told = told(
        "04.00:00",
        &[&scans(&[
            ("02.10:00", InfoReceived, None),
            ("03.10:00", OutForDelivery, None),
            ("03.12:00", InTransit, None),
            ("05.10:00", Delivered, None),
        ])],
    );
    let journey = journey(&told);
    let stages: Vec<_> = journey.stages.iter().map(|it| (it.status, it.at, it.doubt)).collect();
    assert_eq!(
        stages,
        [
            (InfoReceived, at("02.10:00"), None),
            (OutForDelivery, at("04.00:00"), Some(Doubt::BeforeLabel)),
            (InTransit, at("04.00:00"), Some(Doubt::BeforeLabel)),
            (Delivered, at("05.10:00"), None),
        ]
    );
}

#[test]
fn a_zone_that_was_assumed_is_in_doubt_until_it_is_told() {
    let assumed = TrackingEvent { zone_assumed: true, ..scan("05.10:00", InTransit, None) };
    let doubt = |told: &[TrackingEvent]| folded(&[told]).stages[0].doubt;
    assert_eq!(doubt(std::slice::from_ref(&assumed)), Some(Doubt::Zone));
    assert_eq!(doubt(&[scan("05.10:00", InTransit, None), assumed]), None);
}

#[test]
fn the_estimate_told_last_holds() {
    let eta = |estimates: &[(&str, &str)], scans: &[TrackingEvent]| {
        let mut history = told("02.00:00", &[scans]);
        let estimate =
            |(told_at, eta): &(&str, &str)| Estimate { told_at: at(told_at), eta: at(eta) };
        history.estimates.extend(estimates.iter().map(estimate));
        journey(&history).eta
    };
    let (first, second, again) =
        (("04.00:00", "09.00:00"), ("05.00:00", "08.00:00"), ("06.00:00", "09.00:00"));
    let moving = [scan("03.10:00", InTransit, None)];
    assert_eq!(eta(&[first, second], &moving), Some(at("08.00:00")));
    assert_eq!(eta(&[second, first], &[]), Some(at("08.00:00")));
    assert_eq!(eta(&[again, second, first], &moving), Some(at("09.00:00")));
    assert_eq!(eta(&[first, ("04.00:00", "10.00:00")], &moving), Some(at("10.00:00")));
    for status in [Delivered, Returning, Returned, Cancelled, ParcelStatus::Expired] {
        assert_eq!(eta(&[first], &[scan("07.00:00", status, None)]), None, "{status:?}");
    }
}

#[test]
fn a_corrected_table_of_codes_wins_over_unknown() {
    let code = |status| TrackingEvent { status, ..scan("03.10:00", Unknown, None) };
    let before = [code(Unknown)];
    let since = [code(OutForDelivery), scan("03.09:00", InTransit, None)];
    for pushes in [[&before[..], &since[..]], [&since[..], &before[..]]] {
        let journey = folded(&pushes);
        assert_eq!((journey.status, journey.events, journey.told), (OutForDelivery, 2, 3));
    }
}

/// Scans close together, so that many fall on the same moment and some tell of
/// the same scan otherwise.
fn some_scans() -> impl Strategy<Value = Vec<TrackingEvent>> {
    let a_scan = (
        0_u8..20,
        prop::sample::select(&ParcelStatus::ALL[..]),
        prop::option::of(Just(Reason::Weather)),
        prop::sample::select(vec!["A", "B", "C"]),
        prop::option::of(0_u8..20),
        any::<bool>(),
    );
    let a_scan =
        a_scan.prop_map(|(hour, status, reason, code, told, zone_assumed)| TrackingEvent {
            code: Text::new(code).unwrap(),
            told_at: told.filter(|told| *told < hour).map(|told| at(&format!("03.{told:02}:30"))),
            zone_assumed,
            ..scan(&format!("03.{hour:02}:00"), status, reason)
        });
    prop::collection::vec(a_scan, 1..16)
}

proptest! {
    #[test]
    fn how_it_was_told_makes_no_difference(
        scans in some_scans(),
        shuffled in any::<prop::sample::Index>(),
        cut in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = folded(&[&scans]);
        let mut turned = scans.clone();
        turned.rotate_left(shuffled.index(scans.len()));
        turned.reverse();
        let mut cut: Vec<usize> = cut.iter().map(|cut| cut.index(turned.len())).collect();
        cut.extend([0, turned.len()]);
        cut.sort_unstable();
        let mut calls: Vec<&[TrackingEvent]> =
            cut.windows(2).map(|cut| &turned[cut[0]..cut[1]]).collect();
        prop_assert_eq!(&folded(&calls), &whole, "cut into calls");
        calls.extend(cut.iter().map(|end| &turned[..*end]));
        prop_assert_eq!(&folded(&calls), &whole, "and with all again each time");
    }

    #[test]
    fn a_journey_is_consistent(scans in some_scans(), label in 0_u8..24) {
        let label = format!("03.{label:02}:10");
        let journey = journey(&told(&label, &[&scans]));
        prop_assert_eq!(journey.delivered_at.is_some(), journey.status == Delivered);
        let times: Vec<_> = journey.stages.iter().map(|stage| stage.at).collect();
        prop_assert!(times.is_sorted(), "{times:?}");
        prop_assert!(journey.since <= journey.heard_at);
        prop_assert!(journey.stages.iter().any(|it| it.status == journey.status));
        let attempts = journey.stages.iter().filter(|it| it.status == AttemptFailed).count();
        prop_assert_eq!(journey.attempts > 0, attempts > 0);
        prop_assert!(journey.events <= journey.told);
    }

    /// One scan more never undoes an end, but for the ends that may follow it.
    #[test]
    fn only_a_way_back_undoes_a_delivery(scans in some_scans(), later in some_scans()) {
        let before = folded(&[&scans]);
        let since: Vec<TrackingEvent> = later
            .into_iter()
            .filter(|it| !matches!(it.status, Returning | Returned))
            .map(|it| TrackingEvent { at: it.at.plus(Period::of_days(1)), told_at: None, ..it })
            .collect();
        let after = folded(&[&scans, &since]);
        if before.status == Delivered {
            prop_assert_eq!(after.status, Delivered);
            prop_assert_eq!(after.delivered_at, before.delivered_at);
        }
    }
}
