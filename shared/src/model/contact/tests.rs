use proptest::prelude::*;

use super::*;
use crate::model::time::Date;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn country(code: &str) -> Country {
    Country::try_from(code.to_owned()).unwrap()
}

fn quiet(from: &str, until: &str) -> QuietHours {
    QuietHours { from: TimeOfDay::parse(from).unwrap(), until: TimeOfDay::parse(until).unwrap() }
}

fn nobody() -> Contacts {
    Contacts::none(Contactee::member(&CustomerId::member("ada").unwrap()))
}

/// Surveys and carts are capped, the programme is not, and marketing needs a yes.
fn policy(caps: Vec<Cap>) -> ContactPolicy {
    let rule = |consent, capped| PurposeRule { consent, capped, quiet: true, urgent: false };
    ContactPolicy {
        purposes: BTreeMap::from([
            (Purpose::Surveys, rule(Consent::OptOut, true)),
            (Purpose::Carts, rule(Consent::OptOut, true)),
            (Purpose::Programme, rule(Consent::OptOut, false)),
            (Purpose::Marketing, rule(Consent::OptIn, true)),
        ]),
        caps,
        quiet: None,
        zone: Zone::utc(),
        zones: BTreeMap::new(),
    }
}

fn cap(contacts: u32, window: &str, purpose: Option<Purpose>, reserve: u32) -> Cap {
    Cap { contacts, window: Period::parse(window).unwrap(), purpose, reserve }
}

/// What becomes of contacts that are due, each with its hour and whether it is urgent.
fn told(policy: &ContactPolicy, due: &[(i64, Purpose, bool)]) -> Vec<bool> {
    let mut contacts = nobody();
    let mut told = Vec::new();
    for (hour, purpose, urgent) in due {
        let now = Timestamp::from_unix_seconds(hour * 3_600).unwrap();
        match decide(&contacts, *purpose, *urgent, None, policy, now) {
            Verdict::Admit(noted) => {
                contacts = noted;
                told.push(true);
            }
            Verdict::Withhold(Withheld::Cap) => told.push(false),
            other => panic!("{other:?}"),
        }
    }
    told
}

#[test]
fn caps_hold_in_their_windows_and_keep_their_reserve() {
    use Purpose::{Carts, Programme, Surveys};
    let (one, all) = (cap(1, "48h", Some(Surveys), 0), cap(3, "24h", None, 1));
    for (what, caps, due, expected) in [
        (
            "a purpose by itself",
            vec![one.clone()],
            vec![(0, Surveys, false), (1, Carts, false), (47, Surveys, true), (48, Surveys, false)],
            vec![true, true, false, true],
        ),
        (
            "all together, with one for what is urgent",
            vec![all.clone()],
            vec![
                (0, Surveys, false),
                (1, Carts, false),
                (2, Surveys, false),
                (3, Carts, true),
                (4, Surveys, true),
                (24, Carts, false),
                (25, Carts, false),
            ],
            vec![true, true, false, true, false, false, true],
        ),
        (
            "each of two",
            vec![one, all.clone()],
            vec![(0, Surveys, false), (1, Surveys, false), (2, Carts, false), (30, Surveys, false)],
            vec![true, false, true, false],
        ),
        (
            "what is not capped neither counts nor yields",
            vec![all],
            vec![
                (0, Programme, false),
                (0, Programme, false),
                (0, Programme, false),
                (1, Carts, false),
                (2, Carts, false),
                (3, Programme, false),
            ],
            vec![true; 6],
        ),
    ] {
        assert_eq!(told(&policy(caps), &due), expected, "{what}");
    }
}

#[test]
fn nobody_is_contacted_for_what_they_do_not_want() {
    let now = at("2026-11-21T12:00:00Z");
    let with = |wanted| {
        let chosen = |of| (of, Chosen { wanted, at: now });
        Contacts { choices: Purpose::ALL.map(chosen).into(), ..nobody() }
    };
    let mut policy = policy(Vec::new());
    for (purpose, by_itself) in [
        (Purpose::Surveys, true),
        (Purpose::Carts, true),
        (Purpose::Programme, true),
        (Purpose::Marketing, false),
    ] {
        for (contacts, admitted) in
            [(nobody(), by_itself), (with(true), true), (with(false), false)]
        {
            match decide(&contacts, purpose, true, None, &policy, now) {
                Verdict::Admit(_) => assert!(admitted, "{purpose:?}"),
                Verdict::Withhold(Withheld::NoConsent) => assert!(!admitted, "{purpose:?}"),
                other => panic!("{other:?}"),
            }
        }
    }
    policy.purposes.remove(&Purpose::Marketing);
    let off = decide(&with(true), Purpose::Marketing, true, None, &policy, now);
    assert_eq!(off, Verdict::Withhold(Withheld::Off));
}

#[test]
fn a_choice_keeps_its_moment_until_it_changes() {
    let (first, second) = (at("2026-11-21T12:00:00Z"), at("2026-11-22T12:00:00Z"));
    let no = BTreeMap::from([(Purpose::Surveys, false)]);
    let chosen = nobody().choosing(&no, first);
    assert_eq!(chosen.choosing(&no, second), chosen);
    let yes = chosen.choosing(&BTreeMap::from([(Purpose::Surveys, true)]), second);
    assert_eq!(yes.choices[&Purpose::Surveys], Chosen { wanted: true, at: second });
    assert_eq!(yes.choices.len(), 1);
}

#[test]
fn nights_end_where_the_clocks_are() {
    for (what, hours, place, now, end) in [
        ("evening", ("21:00", "08:00"), "UTC", "2026-11-21T21:00:00Z", Some("2026-11-22T08:00")),
        ("morning", ("21:00", "08:00"), "UTC", "2026-11-21T07:59:59Z", Some("2026-11-21T08:00")),
        ("it is day", ("21:00", "08:00"), "UTC", "2026-11-21T08:00:00Z", None),
        ("it is day still", ("21:00", "08:00"), "UTC", "2026-11-21T20:59:59Z", None),
        ("noon", ("12:00", "14:00"), "UTC", "2026-11-21T13:00:00Z", Some("2026-11-21T14:00")),
        ("after noon", ("12:00", "14:00"), "UTC", "2026-11-21T14:00:00Z", None),
        (
            "elsewhere",
            ("21:00", "08:00"),
            "Asia/Shanghai",
            "2026-11-21T13:00:00Z",
            Some("2026-11-22T00:00"),
        ),
        (
            "a night with an hour less",
            ("21:00", "08:00"),
            "Europe/Berlin",
            "2026-03-28T20:00:00Z",
            Some("2026-03-29T06:00"),
        ),
        (
            "a night with an hour more",
            ("21:00", "08:00"),
            "Europe/Berlin",
            "2026-10-24T19:00:00Z",
            Some("2026-10-25T07:00"),
        ),
        (
            "an end that no clock shows comes as long after the jump",
            ("21:00", "02:30"),
            "Europe/Berlin",
            "2026-03-29T00:59:00Z",
            Some("2026-03-29T01:30"),
        ),
        (
            "of an end that comes twice the first",
            ("21:00", "02:30"),
            "Europe/Berlin",
            "2026-10-25T00:29:59Z",
            Some("2026-10-25T00:30"),
        ),
        (
            "the hour that comes again is not of the night",
            ("21:00", "02:30"),
            "Europe/Berlin",
            "2026-10-25T01:10:00Z",
            None,
        ),
        (
            "an end that falls into the next night",
            ("03:10", "02:50"),
            "Europe/Berlin",
            "2026-03-29T01:20:00Z",
            Some("2026-03-30T00:50"),
        ),
        (
            "a country that leaves out a day",
            ("21:00", "08:00"),
            "Pacific/Apia",
            "2011-12-30T08:00:00Z",
            Some("2011-12-30T18:00"),
        ),
    ] {
        let found = quiet(hours.0, hours.1).end(at(now), &[zone(place)]);
        assert_eq!(found, end.map(|end| at(&format!("{end}:00Z"))), "{what}");
    }
}

#[test]
fn the_night_is_that_of_who_reads() {
    let mut policy = policy(vec![cap(1, "1d", None, 0)]);
    policy.quiet = Some(quiet("21:00", "08:00"));
    policy.zones.insert(country("NZ"), zone("UTC"));
    let now = at("2026-11-21T14:00:00Z");
    let says = |name: &str| Contacts { zone: Some(zone(name)), ..nobody() };
    for (contacts, of, expected) in [
        (nobody(), None, None),
        (nobody(), Some("GB"), None),
        (nobody(), Some("CN"), Some("2026-11-22T00:00:00Z")),
        (nobody(), Some("NZ"), None),
        (nobody(), Some("ZZ"), None),
        // Eight in the morning of Honolulu; it is nine in New York.
        (nobody(), Some("US"), Some("2026-11-21T18:00:00Z")),
        (says("Asia/Tokyo"), None, Some("2026-11-21T23:00:00Z")),
        (says("Europe/London"), Some("CN"), None),
    ] {
        let of = of.map(country);
        let found = decide(&contacts, Purpose::Surveys, true, of.as_ref(), &policy, now);
        match expected {
            Some(end) => assert_eq!(found, Verdict::Wait(at(end))),
            None => assert!(matches!(found, Verdict::Admit(_)), "{found:?}"),
        }
    }
    // What may be said at any hour is said.
    policy.purposes.get_mut(&Purpose::Carts).unwrap().quiet = false;
    let found = decide(&says("Asia/Tokyo"), Purpose::Carts, false, None, &policy, now);
    assert!(matches!(found, Verdict::Admit(_)), "{found:?}");
}

#[test]
fn who_is_contacted_has_one_name() {
    let email = |text: &str| Email::parse(text).unwrap();
    let ada = CustomerId::member("ada").unwrap();
    let guest = CustomerId::guest("k");
    let member = Contactee::of(&ada, &email("a@example.com"));
    let address = Contactee::of(&guest, &email("A@example.com"));
    assert_eq!(member.as_str(), "cus_ada");
    assert_eq!(address, Contactee::address(&email("a@example.com")));
    for who in [member, address] {
        assert_eq!(Contactee::parse(who.as_str()), Some(who));
    }
    for text in ["", "eml_", "eml_ada", "ada", guest.as_str()] {
        assert_eq!(Contactee::parse(text), None, "{text}");
    }
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::named(purpose.as_str()), Some(purpose));
    }
}

#[test]
fn a_country_is_remembered() {
    let mut policy = policy(vec![cap(1, "1d", None, 0)]);
    policy.quiet = Some(quiet("21:00", "08:00"));
    let (noon, evening) = (at("2026-11-21T10:00:00Z"), at("2026-11-22T14:00:00Z"));
    for purpose in [Purpose::Surveys, Purpose::Programme] {
        let china = country("CN");
        let verdict = decide(&nobody(), purpose, false, Some(&china), &policy, noon);
        let Verdict::Admit(known) = verdict else { panic!("{verdict:?}") };
        assert_eq!(known.country, Some(china));
        let later = decide(&known, Purpose::Carts, false, None, &policy, evening);
        assert_eq!(later, Verdict::Wait(at("2026-11-23T00:00:00Z")));
        assert_eq!(known.without(purpose, noon).made, []);
    }
}

#[test]
fn a_no_elsewhere_is_a_no() {
    let admitted = || Verdict::Admit(nobody());
    assert_eq!(admitted().unless(false), admitted());
    for verdict in [admitted(), Verdict::Wait(Timestamp::EPOCH)] {
        assert_eq!(verdict.unless(true), Verdict::Withhold(Withheld::NoConsent));
    }
    let off = Verdict::Withhold(Withheld::Off);
    assert_eq!(off.clone().unless(true), off);
}

#[test]
fn every_country_has_its_zones_the_western_one_first() {
    let (mut last, day) = ("", Date::parse("2026-01-15").unwrap());
    for line in ZONES.lines() {
        let (code, _) = line.split_once(' ').unwrap();
        assert!(code > last, "{line}: in their order");
        last = code;
        let zones = zones_in(&country(code)).unwrap();
        let noon = |zone: &Zone| day.at(TimeOfDay::parse("12:00").unwrap(), zone).unwrap();
        match &zones[..] {
            [_] => {}
            [west, east] => assert!(noon(west) > noon(east), "{line}"),
            other => panic!("{other:?}"),
        }
        // Somewhere in the day nobody there is in a usual night.
        let night = quiet("21:00", "08:00");
        let hours = (0..24).map(|hour| noon(&zones[0]).plus(Period::of_seconds(hour * 3_600)));
        let by_day = |hour: &Timestamp| zones.iter().all(|it| night.night_of(*hour, it).is_none());
        assert!(hours.filter(by_day).count() > 0, "{line}");
    }
    assert_eq!(zones_in(&country("ZZ")), None);
}

#[test]
fn where_it_is_always_night_somewhere_the_first_zone_decides() {
    let (night, russia) = (quiet("18:00", "10:00"), zones_in(&country("RU")).unwrap());
    let (first, now) = (&russia[..1], at("2026-11-21T12:00:00Z"));
    assert_eq!(night.end(now, first), None, "two in the afternoon of the west");
    assert_eq!(night.end(now, &russia), None);
    let evening = at("2026-11-21T17:00:00Z");
    assert_eq!(night.end(evening, &russia), night.end(evening, first));
}

fn any_cap() -> impl Strategy<Value = Cap> {
    let purpose = prop_oneof![
        Just(None),
        Just(Some(Purpose::Surveys)),
        Just(Some(Purpose::Carts)),
        Just(Some(Purpose::Marketing)),
    ];
    (1_u32..6, 1_u32..200, purpose, 0_u32..5).prop_map(|(contacts, hours, purpose, reserve)| Cap {
        contacts,
        window: Period::of_seconds(hours * 3_600),
        purpose,
        reserve: reserve.min(contacts - 1),
    })
}

fn any_purpose() -> impl Strategy<Value = Purpose> {
    prop::sample::select(Purpose::ALL.to_vec())
}

proptest! {
    /// Also when clocks differ, so that a contact is decided about with an
    /// earlier moment than that of the last one.
    #[test]
    fn no_window_ever_has_more_than_a_cap_allows(
        caps in prop::collection::vec(any_cap(), 0..4),
        steps in prop::collection::vec((-120_i64..90_000, any_purpose(), any::<bool>()), 1..60),
    ) {
        let policy = policy(caps);
        let mut contacts = nobody();
        let yes = BTreeMap::from([(Purpose::Marketing, true)]);
        contacts = contacts.choosing(&yes, Timestamp::EPOCH);
        let (mut now, mut made) = (0_i64, Vec::new());
        for (step, purpose, urgent) in steps {
            now = (now + step).max(0);
            let moment = Timestamp::from_unix_seconds(now).unwrap();
            if let Verdict::Admit(noted) =
                decide(&contacts, purpose, urgent, None, &policy, moment)
            {
                let capped = policy.purposes[&purpose].capped;
                prop_assert!(capped || noted == contacts);
                if capped {
                    let latest = contacts.made.last().map_or(moment, |it| moment.max(it.0));
                    made.push((latest, purpose, urgent));
                }
                contacts = noted;
            }
        }
        for cap in &policy.caps {
            let counted: Vec<_> = made.iter().filter(|it| cap.holds_for(it.1)).collect();
            for (i, last) in counted.iter().enumerate() {
                let within = counted[..=i].iter().filter(|it| cap.spans(it.0, last.0)).count();
                let most = if last.2 { cap.contacts } else { cap.contacts - cap.reserve };
                prop_assert!(within <= usize::try_from(most).unwrap());
            }
        }
        // The record holds no more than the caps can count.
        let most: u32 = policy.caps.iter().map(|cap| cap.contacts).sum();
        prop_assert!(contacts.made.len() <= usize::try_from(most).unwrap());
    }

    /// In no zone of a country is it night when a wait for all of them is over.
    #[test]
    fn a_wait_for_a_country_ends_by_day(
        moment in 0_i64..4_102_444_800,
        code in prop::sample::select(vec!["US", "CA", "RU", "AU", "BR", "ID", "MX", "MN"]),
    ) {
        let (night, zones) = (quiet("21:00", "08:00"), zones_in(&country(code)).unwrap());
        let now = Timestamp::from_unix_seconds(moment).unwrap();
        let then = night.end(now, &zones).unwrap_or(now);
        for zone in &zones {
            prop_assert_eq!(night.night_of(then, zone), None);
        }
    }

    /// A wait ends, at a moment that is later and not of a night, and before
    /// which there is none.
    #[test]
    fn a_wait_is_over_when_it_ends(
        moment in 0_i64..4_102_444_800,
        from in 0_u32..1_440,
        until in 0_u32..1_440,
        place in prop::sample::select(vec![
            "UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Pacific/Apia",
            "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca",
        ]),
    ) {
        prop_assume!(from != until);
        let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let (hours, zone) = (quiet(&time(from), &time(until)), [zone(place)]);
        let now = Timestamp::from_unix_seconds(moment).unwrap();
        if let Some(end) = hours.end(now, &zone) {
            prop_assert!(end > now);
            prop_assert_eq!(hours.end(end, &zone), None);
            let before = end.minus(Period::of_seconds(1));
            prop_assert_eq!(hours.end(before.max(now), &zone), Some(end));
        }
    }
}
