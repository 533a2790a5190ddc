//! When goods come: working days counted on calendars.

use aftercart::model::{
    delivery::{Calendar, DeliveryPlace, DeliveryPolicy, Method, Promise},
    time::{Date, Timestamp},
};

/// How far a working day is looked for. A year of holidays one after another,
/// and the longest times on one day of the week, need less.
const MAX_SEARCH_DAYS: u32 = 5_000;

/// What the method promises at a place for goods that may leave from a moment
/// on. None if it names a calendar that is not there, which no checked policy does.
///
/// Day 0 is the first working day whose cut-off is still to come. Handling
/// ends, and the parcel leaves, so many working days later. From then on the
/// carrier's days count: so many of them after the day of leaving. Google
/// Merchant Center counts in the same way (help page 7409926).
pub(super) fn promise(
    policy: &DeliveryPolicy,
    method: &Method,
    place: &DeliveryPlace,
    start: Timestamp,
) -> Option<Promise> {
    let handling = policy.calendars.get(&method.handling.calendar)?;
    let transit = place.transit.as_ref().unwrap_or(&method.transit);
    let carrier = match &transit.calendar {
        Some(name) => policy.calendars.get(name)?,
        None => handling,
    };
    let ship_by = working_day(handling, day_zero(handling, method, start), method.handling.days);
    let arrival = |days: u16| working_day(carrier, ship_by, days.saturating_add(place.extra_days));
    Some(Promise { ship_by, from: arrival(transit.p50), until: arrival(transit.p90) })
}

/// The cut-off is compared as a moment, not as what the clock shows: where
/// clocks go back over it, it does not come a second time.
fn day_zero(calendar: &Calendar, method: &Method, start: Timestamp) -> Date {
    let today = start.date_in(&calendar.zone);
    let cut_off = today.at(method.handling.cut_off, &calendar.zone);
    let late = cut_off.is_ok_and(|cut_off| start >= cut_off);
    working_day(calendar, today, u16::from(late))
}

/// The working day so many working days after a date. None after it is the
/// date itself, or the next working day if it is none.
fn working_day(calendar: &Calendar, date: Date, count: u16) -> Date {
    let (first, skipped) = match count.checked_sub(1) {
        Some(skipped) => (date.plus_days(1), skipped),
        None => (date, 0),
    };
    let days = (0..MAX_SEARCH_DAYS).map(|days| first.plus_days(days));
    let mut worked = days.filter(|day| calendar.works(*day));
    worked.nth(usize::from(skipped)).unwrap_or(first.plus_days(MAX_SEARCH_DAYS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// A policy of one method with one place, and a calendar for its handling
    /// and one for its carrier.
    fn policy(handling: &Facts, carrier: &Facts, cut_off: &str, days: [u16; 3]) -> DeliveryPolicy {
        let policy = json!({
            "calendars": { "shop": handling.calendar(), "carrier": carrier.calendar() },
            "methods": [{
                "id": "m", "title": { "en": "Method" }, "kind": "ship",
                "handling": { "calendar": "shop", "cut_off": cut_off, "days": days[0] },
                "transit": { "calendar": "carrier", "p50": days[1], "p90": days[2] },
                "places": [{}]
            }]
        });
        let policy: DeliveryPolicy = serde_json::from_value(policy).unwrap();
        policy.check(&crate::delivery::tests::stock()).unwrap();
        policy
    }

    #[derive(Debug, Clone)]
    struct Facts {
        zone: &'static str,
        working: Vec<&'static str>,
        holidays: Vec<String>,
    }

    impl Facts {
        fn calendar(&self) -> serde_json::Value {
            json!({ "zone": self.zone, "working": self.working, "holidays": self.holidays })
        }
    }

    fn promised(policy: &DeliveryPolicy, start: Timestamp) -> Promise {
        let method = &policy.methods[0];
        promise(policy, method, &method.places[0], start).unwrap()
    }

    const WEEKDAYS: [&str; 5] = ["mon", "tue", "wed", "thu", "fri"];

    #[test]
    fn the_cut_off_follows_the_clock_of_the_zone() {
        // 21 November 2026 is a Saturday.
        for (zone, cut_off, start, ship_by) in [
            ("Europe/Berlin", "14:00", "2026-11-20T12:59:59.999Z", "2026-11-20"),
            ("Europe/Berlin", "14:00", "2026-11-20T13:00:00Z", "2026-11-23"),
            ("Europe/Berlin", "14:00", "2026-11-21T08:00:00Z", "2026-11-23"),
            ("Europe/Berlin", "14:00", "2026-11-22T22:59:59Z", "2026-11-23"),
            ("Europe/Berlin", "14:00", "2026-11-22T23:00:00Z", "2026-11-23"),
            ("Europe/Berlin", "00:00", "2026-11-19T22:59:59Z", "2026-11-20"),
            ("Europe/Berlin", "00:00", "2026-11-19T23:00:00Z", "2026-11-23"),
            // Summer time: an hour earlier in UTC.
            ("Europe/Berlin", "14:00", "2026-07-01T11:59:59Z", "2026-07-01"),
            ("Europe/Berlin", "14:00", "2026-07-01T12:00:00Z", "2026-07-02"),
            // The date line.
            ("Asia/Shanghai", "14:00", "2026-11-19T16:00:00Z", "2026-11-20"),
            ("Pacific/Auckland", "14:00", "2026-11-20T00:59:59Z", "2026-11-20"),
            ("Pacific/Auckland", "14:00", "2026-11-20T01:00:00Z", "2026-11-23"),
            ("America/Los_Angeles", "14:00", "2026-11-21T00:00:00Z", "2026-11-23"),
        ] {
            let shop = Facts { zone, working: WEEKDAYS.to_vec(), holidays: vec![] };
            let policy = policy(&shop, &shop, cut_off, [0, 0, 0]);
            let found = promised(&policy, moment(start)).ship_by.to_string();
            assert_eq!(found, ship_by, "{start} {zone} {cut_off}");
        }
    }

    #[test]
    fn a_cut_off_that_comes_twice_or_not_at_all_counts_once() {
        // Every day is worked. Clocks in Berlin go back from 03:00 to 02:00 on
        // 25 October 2026, and forward from 02:00 to 03:00 on 28 March 2027.
        let mut working = WEEKDAYS.to_vec();
        working.extend(["sat", "sun"]);
        let shop = Facts { zone: "Europe/Berlin", working, holidays: vec![] };
        let policy = policy(&shop, &shop, "02:30", [0, 0, 0]);
        for (start, ship_by) in [
            ("2026-10-25T00:29:59Z", "2026-10-25"),
            ("2026-10-25T00:30:00Z", "2026-10-26"),
            // 02:15 for the second time.
            ("2026-10-25T01:15:00Z", "2026-10-26"),
            ("2027-03-28T00:59:59Z", "2027-03-28"),
            // 03:29 and 03:30.
            ("2027-03-28T01:29:59Z", "2027-03-28"),
            ("2027-03-28T01:30:00Z", "2027-03-29"),
        ] {
            assert_eq!(promised(&policy, moment(start)).ship_by.to_string(), ship_by, "{start}");
        }
    }

    #[test]
    fn days_off_are_passed_over() {
        let holidays = vec!["2026-12-25".to_owned(), "2026-12-28".to_owned()];
        let shop = Facts { zone: "Europe/London", working: WEEKDAYS.to_vec(), holidays };
        let mut carrier = shop.clone();
        carrier.working.push("sat");
        for (start, days, promise) in [
            ("2026-12-21T10:00:00Z", [1, 1, 3], "2026-12-22+1+3"),
            ("2026-12-23T10:00:00Z", [1, 1, 2], "2026-12-24+2+3"),
            ("2026-12-24T10:00:00Z", [1, 1, 1], "2026-12-29+1+0"),
            ("2026-12-24T10:00:00Z", [0, 0, 1], "2026-12-24+0+2"),
            ("2026-12-24T15:00:00Z", [0, 0, 1], "2026-12-29+0+1"),
            ("2026-12-25T10:00:00Z", [0, 0, 0], "2026-12-29+0+0"),
        ] {
            let policy = policy(&shop, &carrier, "14:00", days);
            assert_eq!(promised(&policy, moment(start)).compact(), promise, "{start} {days:?}");
        }
    }

    #[test]
    fn the_longest_times_and_holidays_are_found() {
        let first = Date::parse("2026-01-05").unwrap();
        let holidays = (0..400).map(|week| first.plus_days(week * 7).to_string()).collect();
        let shop = Facts { zone: "UTC", working: vec!["mon"], holidays };
        let mut policy = policy(&shop, &shop, "14:00", [90, 90, 90]);
        policy.methods[0].places[0].extra_days = 90;
        let promise = promised(&policy, moment("2026-01-05T00:00:00Z"));
        // 401 weeks to the first Monday that is worked, then 90 and 180 more.
        assert_eq!(promise.ship_by, first.plus_days((400 + 90) * 7));
        assert_eq!(promise.until, first.plus_days((400 + 90 + 180) * 7));
        assert_eq!(Promise::parse_compact(&promise.compact()), Some(promise));
        let end = promised(&policy, Timestamp::LAST);
        assert!(end.ship_by <= end.from && end.from <= end.until);
    }

    /// Zones with every kind of change of clocks: none, an hour by night, half
    /// an hour, at midnight forward and back.
    const ZONES: [&str; 8] = [
        "UTC",
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Asia/Beirut",
        "America/Santiago",
    ];

    fn facts() -> impl Strategy<Value = Facts> {
        let week = vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let holidays = prop::collection::vec(0_u32..800, 0..40);
        let working = prop::sample::subsequence(week, 1..=7);
        (prop::sample::select(&ZONES[..]), working, holidays).prop_map(|(zone, working, days)| {
            let first = Date::parse("2026-01-01").unwrap();
            let holidays = days.into_iter().map(|day| first.plus_days(day).to_string()).collect();
            Facts { zone, working, holidays }
        })
    }

    prop_compose! {
        fn policies()(
            shop in facts(),
            carrier in facts(),
            hour in 0_u8..24,
            minute in 0_u8..60,
            handling in 0_u16..5,
            p50 in 0_u16..8,
            slack in 0_u16..8,
        ) -> DeliveryPolicy {
            let cut_off = format!("{hour:02}:{minute:02}");
            policy(&shop, &carrier, &cut_off, [handling, p50, p50 + slack])
        }
    }

    /// Two years in milliseconds from the beginning of 2026.
    fn moments() -> impl Strategy<Value = Timestamp> {
        (0_i64..63_072_000_000)
            .prop_map(|millis| Timestamp::from_unix_millis(1_767_225_600_000 + millis).unwrap())
    }

    /// Counts one by one, as people do.
    fn counted(calendar: &Calendar, after: Date, until: Date) -> usize {
        let days = after.days_until(until);
        (1..=days).filter(|n| calendar.works(after.plus_days(*n as u32))).count()
    }

    proptest! {
        #[test]
        fn a_window_is_of_working_days_in_order(policy in policies(), start in moments()) {
            let method = &policy.methods[0];
            let [shop, carrier] = ["shop", "carrier"]
                .map(|name| &policy.calendars[&name.to_owned().try_into().unwrap()]);
            let Promise { ship_by, from, until } = promised(&policy, start);
            let today = start.date_in(&shop.zone);
            prop_assert!(today <= ship_by && ship_by <= from && from <= until);
            prop_assert!(shop.works(ship_by) && carrier.works(from) && carrier.works(until));
            for (days, arrival) in [(method.transit.p50, from), (method.transit.p90, until)] {
                if days > 0 {
                    prop_assert_eq!(counted(carrier, ship_by, arrival), usize::from(days));
                }
            }
            let zero = day_zero(shop, method, start);
            prop_assert!(shop.works(zero));
            prop_assert_eq!(counted(shop, zero, ship_by), usize::from(method.handling.days));
        }

        #[test]
        fn who_orders_later_is_promised_nothing_earlier(
            policy in policies(),
            start in moments(),
            later in prop_oneof![0_i64..90_000, 0_i64..172_800_000],
        ) {
            let later = Timestamp::from_unix_millis(start.unix_millis() + later).unwrap();
            let (first, second) = (promised(&policy, start), promised(&policy, later));
            prop_assert!(first.ship_by <= second.ship_by);
            prop_assert!(first.from <= second.from && first.until <= second.until);
        }
    }
}
