use ParcelStatus::{
    AttemptFailed, Delivered, Exception, InTransit, OutForDelivery, PickedUp, Returned,
};
use aftercart::model::{
    alert::{Choice, Owner, Remedy},
    customer::CustomerId,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::rules::sample::{Scan, at, opened, policy, told};

const LEFT: Scan<'_> = ("24 18:00", PickedUp, None);

/// A policy that gives something for a late parcel.
fn generous() -> Policy {
    let rule = |points: u32, voucher: Value| {
        json!({
            "tell": true, "points": points, "voucher": voucher, "choices": ["wait"],
            "owner": "logistics", "act": "ask_carrier", "within": "8h",
        })
    };
    let voucher = json!({ "rule": "sorry", "life": "30d" });
    policy(&json!({
        "alerts": {
            "late": rule(800, voucher),
            "attempt_failed": rule(50, Value::Null),
            "silent": rule(0, Value::Null),
            "lost": rule(900, Value::Null),
        },
        "most_points": 500,
        "tell": ["picked_up", "out_for_delivery", "delivered"],
    }))
}

/// The shipments after everything that follows at this moment, and what that was.
fn followed(dispatch: &Dispatch, policy: &Policy, now: &str) -> (Dispatch, Option<FollowUp>) {
    let up = decide(dispatch, policy, at(now));
    (up.as_ref().map_or_else(|| dispatch.clone(), |up| up.dispatch.clone()), up)
}

fn steps(up: Option<&FollowUp>) -> Vec<&What> {
    up.map(|up| up.told.iter().map(|it| &it.what).collect()).unwrap_or_default()
}

#[test]
fn a_late_parcel_is_raised_told_and_made_up_for_once() {
    let policy = generous();
    let late = told(&[LEFT, ("28 10:00", InTransit, None)]);
    let (after, up) = followed(&late, &policy, "29 00:00");
    let up = up.unwrap();
    let alert = &up.raised[0];
    assert_eq!(
        (alert.kind, alert.owner, alert.due),
        (AlertKind::Late, Owner::Logistics, at("29 08:00"))
    );
    let voucher = up.given.clone().unwrap().voucher.unwrap();
    assert_eq!(
        (voucher.rule.as_str(), voucher.expires_at),
        ("sorry", Some(at("29 00:00").plus(Period::of_days(30))))
    );
    let offered =
        Offered { points: 500, voucher: Some(voucher.id.clone()), choices: vec![Choice::Wait] };
    assert_eq!(alert.offered, offered, "no more than the policy's most");
    let what =
        What::Alert { alert: alert.id.clone(), kind: AlertKind::Late, reason: None, offered };
    assert_eq!(up.told, [Told { shipment: late.shipments[0].id.clone(), expected: None, what }]);
    let given = after.compensation.clone().unwrap();
    assert_eq!(
        (given.points, given.voucher, given.alert),
        (500, Some(voucher.id), AlertKind::Late)
    );
    // However often it is scanned and looked at.
    assert_eq!(followed(&after, &policy, "29 00:00").1, None);
    let mut scanned = after;
    scanned.shipments[0].journey =
        told(&[LEFT, ("29 10:00", InTransit, None)]).shipments[0].journey.clone();
    assert_eq!(followed(&scanned, &policy, "29 11:00").1, None);
    // Another mishap of the same order gives nothing more.
    scanned.shipments[0].journey =
        told(&[LEFT, ("30 10:00", Exception, Some(Reason::CarrierLost))]).shipments[0]
            .journey
            .clone();
    let up = followed(&scanned, &policy, "30 11:00").1.unwrap();
    assert_eq!(
        (up.raised[0].kind, up.raised[0].offered.points, up.given),
        (AlertKind::Lost, 0, None)
    );
    let (_, ended) = &up.ended[0];
    assert_eq!((ended.how, ended.by.clone()), (Remedy::Dismissed, Actor::Rule));
    assert_eq!(ended.note.as_ref().map(Text::as_str), Some("lost took its place."));
}

#[test]
fn a_guest_gets_no_points_and_a_return_no_excuse() {
    let policy = generous();
    let mut guests = told(&[LEFT]);
    guests.customer = CustomerId::guest("somebody");
    let up = decide(&guests, &policy, at("29 00:00")).unwrap();
    assert_eq!((up.given, up.raised[0].offered.points, up.told.len()), (None, 0, 1));
    let mut back = told(&[LEFT, ("28 10:00", Exception, Some(Reason::CarrierLost))]);
    back.shipments[0].direction = Direction::Back;
    let up = decide(&back, &policy, at("29 00:00")).unwrap();
    assert_eq!((up.given, up.raised[0].kind, up.told.len()), (None, AlertKind::Lost, 0));
    assert_eq!(up.raised[0].offered, Offered::default());
}

#[test]
fn a_replaced_parcel_is_the_shops_concern_and_missed_when_its_day_is_over() {
    let mut policy = generous();
    let rule = policy.logistics.alerts[&AlertKind::Late].clone();
    policy.logistics.alerts.insert(AlertKind::Returned, rule);
    let mut replaced = told(&[LEFT]);
    replaced.shipments[0].told.insert(PickedUp);
    replaced.shipments[0].cancelled_at = Some(at("24 20:00"));
    replaced.due = Some(at("27 20:00"));
    let (waits, up) = followed(&replaced, &policy, "27 20:00");
    assert_eq!((up.unwrap().counted, waits.due), (None, Some(at("29 00:00"))));
    let counted = decide(&waits, &policy, at("29 00:00")).unwrap().counted.unwrap();
    assert!(!counted.0.kept);
    let mut back = waits;
    back.shipments[0].journey =
        told(&[LEFT, ("27 21:00", Returned, None)]).shipments[0].journey.clone();
    let up = decide(&back, &policy, at("27 21:05")).unwrap();
    assert_eq!(
        (up.raised[0].kind, &up.raised[0].offered),
        (AlertKind::Returned, &Offered::default())
    );
    assert_eq!((up.told, up.given), (Vec::new(), None));
}

#[test]
fn each_step_is_told_once_and_only_while_it_is_news() {
    let policy = generous();
    let out = ("27 09:00", OutForDelivery, None);
    let there = ("27 12:00", Delivered, None);
    for (what, scans, now, expected) in [
        ("picked up", &[LEFT][..], "24 18:05", Some(PickedUp)),
        ("a day later", &[LEFT], "25 18:00", None),
        ("not wanted", &[LEFT, ("25 08:00", InTransit, None)], "25 08:05", None),
        ("out", &[LEFT, out], "27 09:05", Some(OutForDelivery)),
        ("there by now", &[LEFT, out, there], "27 12:05", Some(Delivered)),
        ("there for long", &[LEFT, out, there], "28 12:00", None),
    ] {
        let (after, up) = followed(&told(scans), &policy, now);
        let expected: Vec<What> = expected.map(What::Step).into_iter().collect();
        assert_eq!(steps(up.as_ref()), expected.iter().collect::<Vec<_>>(), "{what}");
        let again = followed(&after, &policy, now).1;
        assert_eq!(again, None, "{what}");
    }
    let (mut again, _) = followed(&told(&[LEFT, out]), &policy, "27 09:05");
    let scans = [LEFT, out, ("27 18:00", AttemptFailed, None), ("28 09:00", OutForDelivery, None)];
    again.shipments[0].journey = told(&scans).shipments[0].journey.clone();
    assert_eq!(steps(followed(&again, &policy, "28 09:05").1.as_ref()), Vec::<&What>::new());
}

#[test]
fn in_quiet_hours_nobody_is_told_until_they_end() {
    let mut policy = generous();
    policy.logistics.quiet =
        serde_json::from_value(json!({ "from": "22:00", "until": "08:00" })).unwrap();
    let late = told(&[LEFT, ("28 10:00", InTransit, None)]);
    let (after, up) = followed(&late, &policy, "29 00:00");
    let up = up.unwrap();
    assert_eq!((up.raised.len(), up.told.len(), after.due), (1, 0, Some(at("29 08:00"))));
    assert_eq!(followed(&after, &policy, "29 03:00").1, None);
    let (told_of, up) = followed(&after, &policy, "29 08:00");
    let up = up.unwrap();
    assert!(
        matches!(&up.told[..], [Told { what: What::Alert { offered, .. }, .. }] if offered.points == 500)
    );
    assert_eq!(followed(&told_of, &policy, "29 08:00").1, None);
    // What came right meanwhile is not told at all.
    let mut there = after;
    there.shipments[0].journey =
        told(&[LEFT, ("29 07:30", Delivered, None)]).shipments[0].journey.clone();
    let (there, up) = followed(&there, &policy, "29 07:35");
    assert_eq!((up.unwrap().ended.len(), there.due), (1, Some(at("29 08:00"))));
    let (_, up) = followed(&there, &policy, "29 08:00");
    assert_eq!(steps(up.as_ref()), [&What::Step(Delivered)]);
}

#[test]
fn peace_has_an_end() {
    let zone = Zone::parse("Asia/Shanghai").unwrap();
    for (from, until, there, now, ends) in [
        ("22:00", "08:00", None, "24 21:59", None),
        ("22:00", "08:00", None, "24 22:00", Some("25 08:00")),
        ("22:00", "08:00", None, "25 00:00", Some("25 08:00")),
        ("22:00", "08:00", None, "25 08:00", None),
        ("12:00", "14:00", None, "25 13:59", Some("25 14:00")),
        ("12:00", "14:00", None, "25 11:59", None),
        ("12:00", "14:00", Some("UTC"), "25 20:30", Some("25 22:00")),
    ] {
        let quiet = json!({ "from": from, "until": until, "zone": there });
        let quiet: QuietPolicy = serde_json::from_value(quiet).unwrap();
        assert_eq!(peace_until(&quiet, &zone, at(now)), ends.map(at), "{from} {until} {now}");
    }
}

#[test]
fn the_time_to_look_again_moves_lazily() {
    let policy = policy(&json!({}));
    let mut dispatch = opened();
    // Nothing is wrong, and nothing said when to look.
    let (after, _) = followed(&dispatch, &policy, "23 11:00");
    assert_eq!(after.due, Some(at("25 00:00")));
    // It is earlier than it needs to be: left alone until it comes.
    dispatch = told(&[LEFT]);
    dispatch.shipments[0].told.insert(PickedUp);
    dispatch.due = Some(at("25 00:00"));
    assert_eq!(followed(&dispatch, &policy, "24 19:00").1, None);
    let (after, up) = followed(&dispatch, &policy, "25 00:00");
    assert_eq!(
        (up.unwrap().raised.len(), after.due),
        (0, Some(at("29 00:00"))),
        "the promise ends"
    );
    // It is later than it should be.
    dispatch.due = Some(at("30 00:00"));
    assert_eq!(followed(&dispatch, &policy, "24 19:00").0.due, Some(at("29 00:00")));
}

#[test]
fn a_delivery_is_counted_when_it_has_settled() {
    let policy = policy(&json!({ "tell": [] }));
    let mut split = told(&[LEFT, ("27 12:00", Delivered, None)]);
    let mut second = split.shipments[0].clone();
    second.id = aftercart::model::id::ShipmentId::derive(&["second"]);
    second.number = 2;
    second.journey = told(&[LEFT, ("26 12:00", Returned, None)]).shipments[0].journey.clone();
    second.alerts.insert(
        AlertKind::Returned,
        Raised { at: at("26 12:00"), ended_at: Some(at("26 13:00")), untold: false, since: None },
    );
    split.shipments.push(second);
    split.due = Some(at("29 12:00"));
    let (after, up) = followed(&split, &policy, "29 12:00");
    let (counted, lane) = up.unwrap().counted.unwrap();
    assert_eq!((counted.kept, lane.method.as_str()), (false, "standard"));
    assert_eq!(after.due, Some(at("30 12:00")));
    let (after, up) = followed(&after, &policy, "30 12:00");
    assert!(up.unwrap().counted.unwrap().0.kept);
    assert_eq!(after.due, None);
    // What is never heard of again is counted, too.
    let mut lost = told(&[("24 08:00", PickedUp, None)]);
    lost.shipments[0].alerts = [AlertKind::Late, AlertKind::Silent]
        .map(|kind| {
            let ended_at = Some(at("29 09:00"));
            (kind, Raised { at: at("29 00:00"), ended_at, untold: false, since: None })
        })
        .into();
    let end = at("24 08:00").plus(policy.logistics.patience.give_up);
    assert_eq!(followed(&lost, &policy, "30 12:00").0.due, Some(end));
    let up = decide(&lost, &policy, end).unwrap();
    assert!(!up.counted.unwrap().0.kept);
    assert_eq!(up.dispatch.due, None);
}

#[test]
fn two_at_a_time_are_counted_one_after_the_other() {
    let policy = policy(&json!({ "tell": [] }));
    let mut split = told(&[LEFT, ("27 12:00", Delivered, None)]);
    let mut second = split.shipments[0].clone();
    second.id = aftercart::model::id::ShipmentId::derive(&["second"]);
    split.shipments.push(second);
    let (after, _) = followed(&split, &policy, "30 12:00");
    assert_eq!(after.due, Some(at("30 12:00")), "the other one is due at once");
    let (after, up) = followed(&after, &policy, "30 12:05");
    assert!(up.unwrap().counted.is_some());
    assert_eq!(after.due, None);
}

/// The rules of the default policy: who sees to what, within which time.
#[test]
fn the_default_policy_raises_what_a_shop_would_want_to_know() {
    let policy = policy(&json!({}));
    assert_eq!(policy.logistics.alerts.len(), AlertKind::ALL.len(), "every kind has a rule");
    for (kind, rule) in &policy.logistics.alerts {
        assert_eq!((rule.points, &rule.voucher), (0, &None), "{kind:?} gives nothing unasked");
        let a_day = Period::of_days(2);
        assert!(rule.within <= a_day && rule.within >= Period::of_seconds(3_600), "{kind:?}");
        // A buyer is told of what the buyer would notice, or can do something about.
        let known = matches!(
            kind,
            AlertKind::NotDispatched
                | AlertKind::NotPickedUp
                | AlertKind::AtRisk
                | AlertKind::Refused
        );
        assert_eq!(rule.tell, !known, "{kind:?}");
        assert!(rule.tell || rule.choices.is_empty(), "{kind:?}: choices of which nobody hears");
    }
}

proptest! {
    /// Whatever the scans, hour by hour: what is decided is settled, every kind
    /// is raised and every step told at most once, what is given is given once,
    /// and the time to look again is never missed.
    #[test]
    fn following_settles(
        scans in prop::collection::vec((0_u16..14_400, 0_usize..15, prop::option::of(0_usize..14)), 0..6),
        hours in prop::collection::vec(1_u32..40, 1..24),
        quiet in any::<bool>(),
    ) {
        let mut policy = generous();
        if quiet {
            policy.logistics.quiet =
                serde_json::from_value(json!({ "from": "22:00", "until": "08:00" })).unwrap();
        }
        let mut dispatch = told(&[]);
        let mut now = at("23 18:00");
        let (mut raised, mut told_of, mut given, mut counted) = (Vec::new(), Vec::new(), 0, 0);
        for hours in hours {
            let next = now.plus(Period::of_seconds(hours * 3_600));
            // The clock comes by when it was asked to, before anything else is told.
            let due = dispatch.due.filter(|due| *due <= next);
            for moment in due.into_iter().chain([next]) {
                now = moment.max(now);
                let known: Vec<(u16, usize, Option<usize>)> =
                    scans.iter().copied().filter(|it| minute(it.0) <= now).collect();
                dispatch.shipments[0].journey = journey(&known);
                if let Some(up) = decide(&dispatch, &policy, now) {
                    raised.extend(up.raised.iter().map(|it| it.id.to_string()));
                    told_of.extend(up.told.iter().map(|it| format!("{:?}", it.what)));
                    given += u32::from(up.given.is_some());
                    counted += u32::from(up.counted.is_some());
                    dispatch = up.dispatch;
                }
                prop_assert_eq!(decide(&dispatch, &policy, now), None);
                prop_assert!(dispatch.due.is_none_or(|due| due > now), "{:?} at {}", dispatch.due, now);
            }
        }
        let unique = |all: &[String]| all.iter().collect::<std::collections::BTreeSet<_>>().len();
        prop_assert_eq!(unique(&raised), raised.len());
        prop_assert_eq!(unique(&told_of), told_of.len());
        prop_assert!(given <= 1 && counted <= 1);
    }
}

fn minute(minutes: u16) -> Timestamp {
    at("22 00:00").plus(Period::of_seconds(u32::from(minutes) * 60))
}

fn journey(scans: &[(u16, usize, Option<usize>)]) -> aftercart::model::shipment::Journey {
    use aftercart::model::shipment::{History, TrackingEvent};
    let event = |(minutes, status, reason): &(u16, usize, Option<usize>)| TrackingEvent {
        at: minute(*minutes),
        status: ParcelStatus::ALL[*status],
        reason: reason.map(|reason| Reason::ALL[reason]),
        code: Text::new("x").unwrap(),
        place: None,
        told_at: None,
        zone_assumed: false,
    };
    let events = scans.iter().map(event).collect();
    crate::rules::fold::journey(&History { parcel: None, events, ..History::default() })
}
