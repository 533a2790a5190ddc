use aftercart::model::{
    shipment::{Carrier, Tracking, TrackingNumber},
    text::Text,
};
use proptest::prelude::*;

use super::*;

/// A moment of the test's month, as `day.hour:minute`.
fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once('.').unwrap();
    Timestamp::parse(&format!("2026-11-{day}T{time}:00Z")).unwrap()
}

fn scan(moment: &str, status: ParcelStatus, reason: Option<Reason>) -> TrackingEvent {
    let code = Text::new(status.as_str()).unwrap();
    TrackingEvent { at: at(moment), status, reason, code, place: None }
}

fn push(events: Vec<TrackingEvent>) -> Push {
    let number = TrackingNumber::parse("AB123").unwrap();
    let tracking = Tracking { carrier: Carrier::Generic, number };
    Push { tracking, events, eta: None, told_at: None }
}

fn folded(scans: &[(&str, ParcelStatus, Option<Reason>)]) -> Journey {
    let scans = scans.iter().map(|(moment, status, reason)| scan(moment, *status, *reason));
    journey(at("02.00:00"), &[push(scans.collect())])
}

use ParcelStatus::*;

type Told = (&'static str, ParcelStatus, Option<Reason>);

struct Sequence {
    name: &'static str,
    told: &'static [Told],
    status: ParcelStatus,
    reason: Option<Reason>,
    delivered_at: Option<&'static str>,
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
            ("05.00:11", Unknown, None),
            ("05.00:12", Exception, Some(Reason::Other)),
        ],
        status: Delivered,
        reason: None,
        delivered_at: Some("04.11:58"),
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
            ("05.07:40", OutForDelivery, None),
        ],
        status: OutForDelivery,
        reason: None,
        delivered_at: None,
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
        stages: &[(InTransit, "03.10:00"), (ReadyForPickup, "04.10:00"), (Delivered, "06.18:00")],
    },
    Sequence {
        name: "recalled after its delivery",
        told: &[
            ("04.10:00", Delivered, None),
            ("05.10:00", Returning, Some(Reason::CarrierDamaged)),
        ],
        status: Returning,
        reason: Some(Reason::CarrierDamaged),
        delivered_at: None,
        stages: &[(Delivered, "04.10:00"), (Returning, "05.10:00")],
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
        stages: &[(Returned, "04.10:00"), (PickedUp, "05.10:00"), (Delivered, "06.10:00")],
    },
    Sequence {
        name: "the label is told of late",
        told: &[("03.10:00", PickedUp, None), ("03.12:00", InfoReceived, None)],
        status: PickedUp,
        reason: None,
        delivered_at: None,
        stages: &[(PickedUp, "03.10:00")],
    },
    Sequence {
        name: "a word that nobody knows, after one that is known",
        told: &[("03.10:00", InfoReceived, None), ("03.12:00", Unknown, None)],
        status: InfoReceived,
        reason: None,
        delivered_at: None,
        stages: &[(InfoReceived, "03.10:00")],
    },
    Sequence {
        name: "a word that nobody knows, alone",
        told: &[("03.10:00", Unknown, None)],
        status: Unknown,
        reason: None,
        delivered_at: None,
        stages: &[(Unknown, "03.10:00")],
    },
    Sequence {
        name: "called off, and carried after all",
        told: &[("03.10:00", Cancelled, None), ("03.12:00", PickedUp, None)],
        status: PickedUp,
        reason: None,
        delivered_at: None,
        stages: &[(Cancelled, "03.10:00"), (PickedUp, "03.12:00")],
    },
    Sequence {
        name: "held, and released",
        told: &[("03.10:00", OnHold, Some(Reason::CustomsHold)), ("04.10:00", InTransit, None)],
        status: InTransit,
        reason: None,
        delivered_at: None,
        stages: &[(OnHold, "03.10:00"), (InTransit, "04.10:00")],
    },
    Sequence {
        name: "the same minute: the further status holds",
        told: &[("03.10:00", OutForDelivery, None), ("03.10:00", InTransit, None)],
        status: OutForDelivery,
        reason: None,
        delivered_at: None,
        stages: &[(InTransit, "03.10:00"), (OutForDelivery, "03.10:00")],
    },
];

#[test]
fn sequences_of_carriers_end_as_they_should() {
    for sequence in SEQUENCES {
        let journey = folded(sequence.told);
        let name = sequence.name;
        assert_eq!((journey.status, journey.reason), (sequence.status, sequence.reason), "{name}");
        assert_eq!(journey.delivered_at, sequence.delivered_at.map(at), "{name}");
        let stages: Vec<_> = journey.stages.iter().map(|stage| (stage.status, stage.at)).collect();
        let expected: Vec<_> =
            sequence.stages.iter().map(|(status, moment)| (*status, at(moment))).collect();
        assert_eq!(stages, expected, "{name}");
        assert_eq!(usize::try_from(journey.events).unwrap(), sequence.told.len(), "{name}");
    }
}

#[test]
fn what_was_told_of_an_earlier_parcel_is_left_out() {
    let old = Push { eta: Some(at("02.00:00")), ..push(vec![scan("01.00:00", Delivered, None)]) };
    let new = push(vec![scan("01.00:00", Delivered, None), scan("12.00:00", InTransit, None)]);
    let journey = journey(at("10.00:00"), &[old, new]);
    assert_eq!((journey.status, journey.events, journey.eta), (InTransit, 1, None));
}

#[test]
fn a_scan_is_not_later_than_what_tells_it() {
    let mut early = push(vec![scan("05.20:00", Delivered, None)]);
    early.told_at = Some(at("05.12:00"));
    let late = Push { told_at: Some(at("06.12:00")), eta: Some(at("07.00:00")), ..early.clone() };
    for pushes in [vec![early.clone()], vec![late.clone(), early.clone()], vec![early, late]] {
        assert_eq!(journey(at("04.00:00"), &pushes).delivered_at, Some(at("05.12:00")));
    }
}

#[test]
fn the_estimate_told_last_holds() {
    let told = |told_at: Option<&str>, eta: &str| Push {
        told_at: told_at.map(at),
        eta: Some(at(eta)),
        ..push(vec![scan("03.10:00", InTransit, None)])
    };
    let eta = |pushes: &[Push]| journey(at("02.00:00"), pushes).eta;
    let (first, second) = (told(Some("04.00:00"), "09.00:00"), told(Some("05.00:00"), "08.00:00"));
    let again = told(Some("06.00:00"), "09.00:00");
    assert_eq!(eta(&[first.clone(), second.clone()]), Some(at("08.00:00")));
    assert_eq!(eta(&[second.clone(), first.clone()]), Some(at("08.00:00")));
    assert_eq!(eta(&[again, second.clone(), first]), Some(at("09.00:00")));
    assert_eq!(eta(&[second, told(None, "10.00:00")]), Some(at("08.00:00")));
    let done = push(vec![scan("07.00:00", Delivered, None)]);
    assert_eq!(eta(&[told(None, "10.00:00"), done]), None);
}

#[test]
fn a_corrected_table_of_codes_wins_over_unknown() {
    let code = |status| TrackingEvent { status, ..scan("03.10:00", Unknown, None) };
    let (before, since) = (
        push(vec![code(Unknown)]),
        push(vec![code(OutForDelivery), scan("03.09:00", InTransit, None)]),
    );
    for pushes in [[before.clone(), since.clone()], [since, before]] {
        let journey = journey(at("02.00:00"), &pushes);
        assert_eq!((journey.status, journey.events), (OutForDelivery, 2));
    }
}

/// What the store keeps once, by its digest, is a list as it is understood: a
/// list that comes again is kept again when its codes mean something else now.
#[test]
fn a_corrected_table_of_codes_makes_another_push() {
    let told =
        |status, reason| push(vec![TrackingEvent { reason, ..scan("03.10:00", status, None) }]);
    let first = told(OnHold, None).digest();
    assert_eq!(told(OnHold, None).digest(), first);
    for (status, reason) in [(Exception, None), (OnHold, Some(Reason::Weather))] {
        assert_ne!(told(status, reason).digest(), first);
    }
}

fn a_status() -> impl Strategy<Value = ParcelStatus> {
    prop::sample::select(vec![
        Pending,
        Unknown,
        InfoReceived,
        PickedUp,
        InTransit,
        OnHold,
        Exception,
        OutForDelivery,
        AttemptFailed,
        ReadyForPickup,
        Returning,
        Delivered,
        Returned,
        Cancelled,
        Expired,
    ])
}

/// Scans close together, so that many fall on the same moment.
fn some_scans() -> impl Strategy<Value = Vec<TrackingEvent>> {
    let a_scan = (0_u8..20, a_status(), prop::option::of(Just(Reason::Weather)))
        .prop_map(|(hour, status, reason)| scan(&format!("03.{hour:02}:00"), status, reason));
    prop::collection::vec(a_scan, 1..12)
}

/// The journey but for the number of pushes, which depends on how it was told.
fn known(pushes: &[Push]) -> Journey {
    Journey { pushes: 0, ..journey(at("02.00:00"), pushes) }
}

proptest! {
    #[test]
    fn how_it_was_told_makes_no_difference(
        scans in some_scans(),
        shuffled in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let whole = known(&[push(scans.clone())]);
        let mut turned = scans.clone();
        turned.rotate_left(shuffled.index(scans.len()));
        turned.reverse();
        prop_assert_eq!(&known(&[push(turned.clone())]), &whole, "another order");
        let single: Vec<Push> = turned.iter().map(|scan| push(vec![scan.clone()])).collect();
        prop_assert_eq!(&known(&single), &whole, "one push each");
        let mut grown: Vec<Push> =
            (1..=turned.len()).map(|n| push(turned[..n].to_vec())).collect();
        prop_assert_eq!(&known(&grown), &whole, "cumulative pushes");
        grown.reverse();
        grown.extend(single);
        prop_assert_eq!(&known(&grown), &whole, "repeated, latest first");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(turned.len())).collect();
        cuts.extend([0, turned.len()]);
        cuts.sort_unstable();
        let parts: Vec<Push> =
            cuts.windows(2).map(|cut| push(turned[cut[0]..cut[1]].to_vec())).collect();
        prop_assert_eq!(&known(&parts), &whole, "cut into pushes");
    }

    #[test]
    fn pushes_are_a_set(
        told in prop::collection::vec((some_scans(), 0_u8..24, prop::option::of(0_u8..24)), 1..6),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut pushes: Vec<Push> = told
            .into_iter()
            .map(|(events, told, eta)| Push {
                eta: eta.map(|hour| at(&format!("09.{hour:02}:00"))),
                told_at: Some(at(&format!("03.{told:02}:30"))),
                ..push(events)
            })
            .collect();
        // Two pushes of the same content are one in the store: the first told.
        pushes.sort_by_key(Push::digest);
        pushes.dedup_by_key(|push| push.digest());
        let whole = journey(at("02.00:00"), &pushes);
        let many = pushes.len();
        pushes.rotate_left(turn.index(many));
        pushes.reverse();
        pushes.extend(pushes.clone());
        prop_assert_eq!(journey(at("02.00:00"), &pushes), whole);
    }

    #[test]
    fn a_delivery_has_a_time_and_no_time_is_given_without_one(scans in some_scans()) {
        let journey = journey(at("02.00:00"), &[push(scans)]);
        prop_assert_eq!(journey.delivered_at.is_some(), journey.status == Delivered);
        let mut times: Vec<_> = journey.stages.iter().map(|stage| stage.at).collect();
        prop_assert!(times.is_sorted());
        times.clear();
        prop_assert!(journey.status == Pending || !journey.stages.is_empty());
    }
}
