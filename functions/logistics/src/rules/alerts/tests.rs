use AlertKind::{
    AddressProblem, AtRisk, AttemptFailed as TriedInVain, Customs, Damaged, Late, Lost,
    NotDispatched, NotFetched, NotPickedUp, Refused, Returned as GoesBack, Silent,
};
use ParcelStatus::{
    AttemptFailed, Cancelled, Delivered, Exception, Expired, InTransit, InfoReceived, OnHold,
    OutForDelivery, PickedUp, ReadyForPickup, Returned, Returning, Unknown,
};
use aftercart::model::id::ShipmentId;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rules::sample::{Scan, at, opened, policy, told};

fn patient() -> Policy {
    let patience = json!({ "pick_up": "2d", "silence": "3d", "fetch": "2d", "give_up": "45d" });
    policy(&json!({ "patience": patience }))
}

fn judged(dispatch: &Dispatch, now: Timestamp) -> Judged {
    judge(&Case { dispatch, shipment: &dispatch.shipments[0], policy: &patient(), now })
}

/// The shipment when these were raised, and are open.
fn with(mut dispatch: Dispatch, kinds: &[AlertKind]) -> Dispatch {
    let raised = |kind: &AlertKind| Raised {
        at: at("23 18:00"),
        ended_at: None,
        untold: false,
        since: since(&dispatch.shipments[0], *kind),
    };
    dispatch.shipments[0].alerts = kinds.iter().map(|kind| (*kind, raised(kind))).collect();
    dispatch
}

const LEFT: Scan<'_> = ("24 18:00", PickedUp, None);

fn trouble(reason: Reason) -> [Scan<'static>; 2] {
    [LEFT, ("25 10:00", Exception, Some(reason))]
}

#[test]
fn time_alone_raises_what_it_does_at_its_moment() {
    let moving = told(&[LEFT, ("28 10:00", InTransit, None)]);
    for (kind, dispatch, until) in [
        (NotDispatched, opened(), "25 00:00"),
        (NotPickedUp, told(&[("23 19:00", InfoReceived, None)]), "25 18:00"),
        (NotPickedUp, told(&[]), "25 18:00"),
        (AtRisk, told(&[("25 08:00", InfoReceived, None)]), "27 00:00"),
        (AtRisk, told(&[("27 09:00", OutForDelivery, None)]), "28 00:00"),
        (Late, moving, "29 00:00"),
        (Silent, told(&[LEFT]), "27 18:00"),
        (Silent, told(&[LEFT, ("25 10:00", Unknown, None)]), "28 10:00"),
        (NotFetched, told(&[LEFT, ("27 10:00", ReadyForPickup, None)]), "29 10:00"),
    ] {
        // NotPickedUp would outweigh AtRisk.
        let mut policy = patient();
        policy.logistics.alerts.retain(|it, _| *it == kind);
        let shipment = &dispatch.shipments[0];
        let case = |now| Case { dispatch: &dispatch, shipment, policy: &policy, now };
        let before = case(at(until).minus(Period::of_seconds(1)));
        assert_eq!(judge(&before), Judged::default(), "{kind:?}");
        assert_eq!(next(&before), Some(at(until)), "{kind:?}");
        let after = case(at(until));
        assert_eq!(judge(&after).raise, [kind]);
        assert_eq!(next(&after), None, "{kind:?}");
        policy.logistics.alerts.clear();
        let case = Case { dispatch: &dispatch, shipment, policy: &policy, now: at(until) };
        assert_eq!(judge(&case), Judged::default(), "no rule, no alert");
    }
}

#[test]
fn what_a_carrier_tells_is_raised_at_once() {
    let customs = [LEFT, ("25 10:00", OnHold, Some(Reason::CustomsDuties))];
    for (kind, scans) in [
        (AtRisk, &trouble(Reason::Weather)),
        (AddressProblem, &trouble(Reason::AddressIncorrect)),
        (Refused, &trouble(Reason::ConsigneeRefused)),
        (Damaged, &trouble(Reason::CarrierDamaged)),
        (Lost, &trouble(Reason::CarrierLost)),
        (Customs, &customs),
        (TriedInVain, &[LEFT, ("26 10:00", AttemptFailed, Some(Reason::ConsigneeAbsent))]),
        (GoesBack, &[LEFT, ("26 10:00", Returning, Some(Reason::ConsigneeRefused))]),
        (GoesBack, &[LEFT, ("26 10:00", Returned, Some(Reason::CarrierLost))]),
        (Silent, &[LEFT, ("26 10:00", Expired, None)]),
        (NotPickedUp, &[("23 19:00", InfoReceived, None), ("24 10:00", Cancelled, None)]),
    ] {
        assert_eq!(judged(&told(scans), at("26 11:00")).raise, [kind], "{scans:?}");
    }
}

#[test]
fn an_alert_ends_when_things_came_right() {
    let out = ("27 09:00", OutForDelivery, None);
    let there = ("27 12:00", Delivered, None);
    let again = ("26 12:00", InTransit, None);
    let tried = [LEFT, ("26 10:00", AttemptFailed, Some(Reason::ConsigneeAbsent))];
    for (kind, scans, ends) in [
        (NotDispatched, &[][..], true),
        (NotPickedUp, &[LEFT], true),
        (AtRisk, &[LEFT], true),
        (AtRisk, &trouble(Reason::Weather), false),
        (Late, &[LEFT, out], false),
        (Late, &[LEFT, there], true),
        (Silent, &[LEFT, out], true),
        (TriedInVain, &[tried[0], tried[1], again], false),
        (TriedInVain, &[tried[0], tried[1], out], false),
        (TriedInVain, &[tried[0], tried[1], out, there], true),
        (AddressProblem, &[LEFT, again], false),
        (AddressProblem, &[LEFT, out], true),
        (
            AddressProblem,
            &[LEFT, ("27 09:00", OutForDelivery, Some(Reason::AddressIncorrect))],
            false,
        ),
        (Refused, &[LEFT, out], true),
        (Customs, &[LEFT, again], true),
        (Lost, &[LEFT, again], true),
        (Damaged, &[LEFT, there], false),
        (GoesBack, &[LEFT, again], true),
        (NotFetched, &[LEFT, there], true),
    ] {
        let judged = judged(&with(told(scans), &[kind]), at("27 13:00"));
        let expected: Vec<_> =
            ends.then_some((kind, Remedy::CameRight, None)).into_iter().collect();
        assert_eq!(judged.end, expected, "{kind:?} {scans:?}");
        assert!(!judged.raise.contains(&kind), "once a shipment");
    }
}

#[test]
fn a_worse_one_takes_its_place() {
    let stuck = trouble(Reason::AddressIncorrect);
    let back = [LEFT, ("29 10:00", Returning, None)];
    for (open, scans, now, raised) in [
        (&[AtRisk][..], &[LEFT, ("28 10:00", InTransit, None)][..], "29 01:00", Late),
        (&[Silent], &[LEFT], "29 01:00", Late),
        (&[AtRisk], &stuck, "25 11:00", AddressProblem),
        (&[Late, TriedInVain], &back, "29 11:00", GoesBack),
    ] {
        let judged = judged(&with(told(scans), open), at(now));
        assert_eq!(judged.raise, [raised]);
        let replaced: Vec<AlertKind> = judged.end.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(replaced, open);
        let by = |it: &(AlertKind, Remedy, _)| (it.1, it.2) == (Remedy::Dismissed, Some(raised));
        assert!(judged.end.iter().all(by), "{judged:?}");
    }
    // As long as somebody sees to the worse one; then the other is news again.
    let mut late = with(told(&[LEFT]), &[Late]);
    assert_eq!(judged(&late, at("30 12:00")), Judged::default());
    late.shipments[0].alerts.get_mut(&Late).unwrap().ended_at = Some(at("30 12:00"));
    assert_eq!(judged(&late, at("30 12:00")).raise, [Silent]);
}

#[test]
fn what_somebody_decided_about_is_not_late_as_long_as_it_is_so() {
    let found =
        [LEFT, ("25 10:00", Exception, Some(Reason::CarrierLost)), ("28 10:00", InTransit, None)];
    for (kind, scans, raised) in [
        (Lost, &trouble(Reason::CarrierLost)[..], &[][..]),
        (Damaged, &trouble(Reason::CarrierDamaged), &[]),
        (Refused, &trouble(Reason::ConsigneeRefused), &[]),
        (GoesBack, &[LEFT, ("25 10:00", Returning, None)], &[]),
        (Lost, &found, &[Late]),
        // Of these nobody decided what becomes of the goods.
        (AddressProblem, &trouble(Reason::AddressIncorrect), &[Late]),
    ] {
        let mut dispatch = with(told(scans), &[kind]);
        dispatch.shipments[0].alerts.get_mut(&kind).unwrap().ended_at = Some(at("25 12:00"));
        assert_eq!(judged(&dispatch, at("29 01:00")).raise, raised, "{kind:?} {scans:?}");
    }
}

#[test]
fn what_befalls_it_anew_is_raised_again_and_what_goes_on_is_not() {
    let labelled = |mut dispatch: Dispatch, when: &str| {
        dispatch.shipments[0].labelled_at = Some(at(when));
        dispatch
    };
    let waiting = |when: Option<&str>| {
        let mut dispatch = opened();
        dispatch.shipments[0].waits_since = when.map(at);
        dispatch
    };
    let later = ("25 10:00", Unknown, None);
    for (kind, before, after, from) in [
        (NotDispatched, opened(), opened(), None),
        (NotDispatched, opened(), waiting(Some("25 10:00")), Some("26 10:00")),
        (NotDispatched, waiting(Some("25 10:00")), waiting(Some("25 10:00")), None),
        (NotPickedUp, told(&[]), told(&[("23 19:00", InfoReceived, None)]), None),
        (NotPickedUp, told(&[]), labelled(told(&[]), "25 18:00"), Some("27 18:00")),
        (Silent, told(&[LEFT]), told(&[LEFT]), None),
        (Silent, told(&[LEFT]), told(&[LEFT, later]), Some("28 10:00")),
        (
            Silent,
            told(&[LEFT, ("25 10:00", Expired, None)]),
            told(&[LEFT, ("25 10:00", Expired, None), ("26 10:00", Expired, None)]),
            None,
        ),
    ] {
        let mut policy = patient();
        policy.logistics.alerts.retain(|it, _| *it == kind);
        let mut dispatch = after;
        dispatch.shipments[0].alerts = with(before, &[kind]).shipments[0].alerts.clone();
        dispatch.shipments[0].alerts.get_mut(&kind).unwrap().ended_at = Some(at("25 09:00"));
        let shipment = &dispatch.shipments[0];
        let case = |now| Case { dispatch: &dispatch, shipment, policy: &policy, now };
        assert_eq!(next(&case(at("25 12:00"))), from.map(at), "{kind:?}");
        let raised: Vec<AlertKind> = from.map(|_| kind).into_iter().collect();
        assert_eq!(judge(&case(at("30 12:00"))).raise, raised, "{kind:?} from {from:?}");
    }
}

#[test]
fn what_is_moot_did_not_come_right() {
    let mut void = with(told(&[]), &[NotPickedUp]);
    let mut anew = void.clone();
    let shipment = &mut void.shipments[0];
    (shipment.tracking, shipment.labelled_at) = (None, None);
    shipment.waits_since = Some(at("25 19:00"));
    anew.shipments[0].labelled_at = Some(at("25 19:00"));
    let mut waits = with(opened(), &[NotDispatched]);
    waits.shipments[0].waits_since = Some(at("25 19:00"));
    for (dispatch, kind) in [(void, NotPickedUp), (anew, NotPickedUp), (waits, NotDispatched)] {
        let found = judged(&dispatch, at("25 20:00"));
        assert_eq!(found.end, [(kind, Remedy::Dismissed, None)]);
        assert_eq!(found.raise, []);
    }
}

#[test]
fn a_parcel_that_comes_back_after_another_was_sent_is_known() {
    let back = [LEFT, ("27 10:00", Returning, None)];
    let mut replaced = told(&back);
    replaced.shipments[0].cancelled_at = Some(at("26 10:00"));
    assert_eq!(judged(&replaced, at("27 11:00")).raise, [GoesBack]);
    // What the other one was sent for is seen to with it.
    let open = with(replaced.clone(), &[GoesBack]);
    let found = judged(&open, at("27 11:00"));
    assert_eq!((found.raise, found.end.len()), (Vec::new(), 1));
    let mut open = open;
    open.shipments[0].alerts.get_mut(&GoesBack).unwrap().at = at("27 11:00");
    assert_eq!(judged(&open, at("27 11:00")), Judged::default());
    replaced.shipments[0].tracking = None;
    assert_eq!(judged(&replaced, at("27 11:00")), Judged::default(), "it was not sent");
}

#[test]
fn what_is_not_sent_or_goes_back_is_not_held_to_the_promise() {
    let mut stopped = with(opened(), &[NotDispatched]);
    stopped.stopped_at = Some(at("25 10:00"));
    let dismissed = [(NotDispatched, Remedy::Dismissed, None)];
    let found = judged(&stopped, at("30 10:00"));
    assert_eq!((found.raise, &found.end[..]), (Vec::new(), &dismissed[..]));

    let mut replaced = with(told(&trouble(Reason::CarrierLost)), &[Lost]);
    replaced.shipments[0].cancelled_at = Some(at("26 10:00"));
    let mut second = opened().shipments.remove(0);
    second.id = ShipmentId::derive(&["second"]);
    second.replaces = Some(replaced.shipments[0].id.clone());
    second.opened_at = at("30 10:00");
    replaced.shipments.push(second);
    let found = judged(&replaced, at("30 10:00"));
    let reshipped = [(Lost, Remedy::Reshipped, None)];
    assert_eq!((found.raise, &found.end[..]), (Vec::new(), &reshipped[..]));
    let (shipment, policy) = (&replaced.shipments[1], patient());
    let case = |now| Case { dispatch: &replaced, shipment, policy: &policy, now };
    assert_eq!(judge(&case(at("30 10:00"))), Judged::default(), "a day to pack it");
    let later = at("30 10:00").plus(LEAST_TO_PACK);
    assert_eq!(next(&case(at("30 10:00"))), Some(later));
    assert_eq!(judge(&case(later)).raise, [NotDispatched], "and it is never late");

    let mut fetched = opened();
    fetched.method = aftercart::model::delivery::MethodId::parse("store").unwrap();
    let mut policy = patient();
    let mut method = policy.delivery.methods[0].clone();
    (method.id, method.kind) = (fetched.method.clone(), MethodKind::Pickup);
    policy.delivery.methods.push(method);
    let case = Case {
        dispatch: &fetched,
        shipment: &fetched.shipments[0],
        policy: &policy,
        now: at("30 10:00"),
    };
    assert_eq!((judge(&case), next(&case)), (Judged::default(), None));
}

#[test]
fn of_what_comes_back_only_the_parcel_counts() {
    for (scans, raised) in [
        (&[][..], &[][..]),
        (&[LEFT], &[Silent]),
        (&[LEFT, ("28 10:00", AttemptFailed, None)], &[]),
        (&[LEFT, ("28 10:00", ReadyForPickup, None)], &[]),
        (&[LEFT, ("28 10:00", Returning, None)], &[]),
        (&[LEFT, ("28 10:00", Exception, Some(Reason::CarrierLost))], &[Lost]),
        (&[LEFT, ("28 10:00", OnHold, Some(Reason::CustomsHold))], &[Customs]),
    ] {
        let mut dispatch = told(scans);
        dispatch.shipments[0].direction = Direction::Back;
        assert_eq!(judged(&dispatch, at("30 12:00")).raise, raised, "{scans:?}");
    }
}

fn scans() -> impl Strategy<Value = Vec<(u16, usize, Option<usize>)>> {
    prop::collection::vec((0_u16..14_400, 0_usize..15, prop::option::of(0_usize..14)), 0..6)
}

proptest! {
    /// Whatever is told, each kind is raised once, nothing is ended that was
    /// not open, and what is judged once is settled.
    #[test]
    fn judging_settles(
        scans in scans(),
        open in prop::collection::btree_set(0_usize..13, 0..4),
        minutes in 0_u16..14_400,
    ) {
        let moment = |minutes: u16| at("21 00:00").plus(Period::of_seconds(u32::from(minutes) * 60));
        let told_scans: Vec<(String, ParcelStatus, Option<Reason>)> = scans
            .iter()
            .map(|(when, status, reason)| {
                let (day, rest) = (21 + when / 1_440, when % 1_440);
                let when = format!("{day} {:02}:{:02}", rest / 60, rest % 60);
                (when, ParcelStatus::ALL[*status], reason.map(|it| Reason::ALL[it]))
            })
            .collect();
        let told_scans: Vec<Scan<'_>> =
            told_scans.iter().map(|(when, status, reason)| (when.as_str(), *status, *reason)).collect();
        let open: Vec<AlertKind> = open.iter().map(|it| AlertKind::ALL[*it]).collect();
        let mut dispatch = with(told(&told_scans), &open);
        let now = moment(minutes);
        let first = judged(&dispatch, now);
        for (kind, _, by) in &first.end {
            prop_assert!(open.contains(kind));
            if let Some(by) = by {
                prop_assert!(outweighs(*by, *kind));
            }
        }
        for kind in &first.raise {
            prop_assert!(!open.contains(kind));
        }
        let known = dispatch.shipments[0].clone();
        let alerts = &mut dispatch.shipments[0].alerts;
        for (kind, ..) in &first.end {
            alerts.get_mut(kind).unwrap().ended_at = Some(now);
        }
        for kind in &first.raise {
            let since = since(&known, *kind);
            alerts.insert(*kind, Raised { at: now, ended_at: None, untold: false, since });
        }
        let standing: Vec<AlertKind> =
            alerts.iter().filter(|(_, it)| is_open(it)).map(|(kind, _)| *kind).collect();
        for (one, other) in standing.iter().flat_map(|one| standing.iter().map(move |other| (*one, *other))) {
            prop_assert!(!outweighs(one, other), "{:?} and {:?}", one, other);
        }
        prop_assert_eq!(judged(&dispatch, now), Judged::default());
        // Nothing becomes wrong by time alone before the moment that is named.
        let policy = patient();
        let case = |now| Case { dispatch: &dispatch, shipment: &dispatch.shipments[0], policy: &policy, now };
        let until = next(&case(now)).unwrap_or(now.plus(Period::of_days(60)));
        let last = until.minus(Period::of_seconds(1)).max(now);
        prop_assert_eq!(judge(&case(last)).raise, []);
    }
}
