//! Who earns, and whether a rule holds at a moment of the programme's calendar.

use aftercart::model::{
    points::{Ledger, Tier, Why},
    profile::Profile,
    programme::{PointsPolicy, earning::When},
    time::{Date, Timestamp, YearDay, Zone},
};

/// What rules of earning ask about a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// The tier.
    pub tier: Option<Tier>,
    /// The birthday, if it is known.
    pub birthday: Option<YearDay>,
    /// Since when.
    pub joined_at: Option<Timestamp>,
    /// When the member did something last, as far as it is posted. What was
    /// done before is not known any more: who buys and does something else
    /// before the payment is posted is not idle.
    pub active_at: Option<Timestamp>,
}

impl Member {
    /// What is known of a member. The tier is that of the ledger, which is
    /// raised at once; of an account that flows into another one, and without
    /// levels of the policy's own, it is that of the record.
    #[must_use]
    pub fn of(ledger: &Ledger, profile: &Profile, policy: &PointsPolicy) -> Self {
        let standing = &ledger.standing;
        let elsewhere = ledger.link.into.is_some() || policy.tiers.levels.is_empty();
        let tier = if elsewhere { &profile.tier } else { &standing.tier };
        Self {
            tier: tier.clone(),
            birthday: profile.birthday,
            joined_at: standing.joined_at,
            active_at: standing.active_at,
        }
    }
}

/// Why a rule does not hold for the member at this moment; it does, if it is
/// none. Somebody who never did anything is new, not idle.
#[must_use]
pub fn against(when: &When, at: Timestamp, member: &Member, zone: &Zone) -> Option<Why> {
    let date = at.date_in(zone);
    let (year, month, day) = date.parts();
    let joined = member.joined_at.map(|joined| joined.date_in(zone).parts());
    let weekday = when.weekdays.is_empty() || when.weekdays.contains(&date.weekday());
    let of_month =
        when.days.is_empty() || when.days.iter().any(|it| i32::from(*it) == i32::from(day));
    let birthday = member.birthday.is_some_and(|day| day.month() == month);
    let anniversary = joined.is_some_and(|(began, of, _)| of == month && began < year);
    let idle = |days: u16| {
        let last = member.active_at.map(|last| last.date_in(zone));
        last.is_some_and(|last: Date| last.days_until(date) >= i32::from(days))
    };
    [
        (when.from.is_some_and(|from| at < from), Why::NotYet),
        (when.until.is_some_and(|until| until <= at), Why::Over),
        (!(weekday && of_month), Why::OtherDay),
        (when.birthday_month && !birthday, Why::NoBirthday),
        (when.anniversary_month && !anniversary, Why::NoAnniversary),
        (when.idle_days.is_some_and(|days| !idle(days)), Why::NotIdle),
    ]
    .into_iter()
    .find_map(|(fails, why)| fails.then_some(why))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_condition_has_to_hold_by_the_calendar_of_the_zone() {
        let member = Member {
            birthday: Some(YearDay::parse("02-29").unwrap()),
            joined_at: Some(Timestamp::parse("2026-03-31T20:00:00Z").unwrap()),
            active_at: Some(Timestamp::parse("2027-01-01T12:00:00Z").unwrap()),
            ..Member::default()
        };
        let shanghai = Zone::parse("Asia/Shanghai").unwrap();
        for (when, at, against) in [
            (json!({}), "2027-02-01T00:00:00Z", None),
            (json!({ "from": "2027-02-01T00:00:00Z" }), "2027-02-01T00:00:00Z", None),
            (json!({ "from": "2027-02-01T00:00:01Z" }), "2027-02-01T00:00:00Z", Some(Why::NotYet)),
            (json!({ "until": "2027-02-01T00:00:00Z" }), "2027-02-01T00:00:00Z", Some(Why::Over)),
            // It is Tuesday the second in Shanghai from 16:00 UTC on.
            (json!({ "weekdays": ["tue"] }), "2027-02-01T16:00:00Z", None),
            (json!({ "weekdays": ["tue"] }), "2027-02-01T15:59:59Z", Some(Why::OtherDay)),
            (json!({ "weekdays": ["tue"], "days": [2] }), "2027-02-01T16:00:00Z", None),
            (json!({ "days": [1] }), "2027-02-01T16:00:00Z", Some(Why::OtherDay)),
            // Born on a leap day: the month comes every year.
            (json!({ "birthday_month": true }), "2027-01-31T16:00:00Z", None),
            (json!({ "birthday_month": true }), "2027-01-31T15:00:00Z", Some(Why::NoBirthday)),
            // Joined in April, by the calendar of Shanghai.
            (json!({ "anniversary_month": true }), "2027-04-01T00:00:00Z", None),
            (
                json!({ "anniversary_month": true }),
                "2026-04-09T00:00:00Z",
                Some(Why::NoAnniversary),
            ),
            (
                json!({ "anniversary_month": true }),
                "2027-03-09T00:00:00Z",
                Some(Why::NoAnniversary),
            ),
            (json!({ "idle_days": 30 }), "2027-01-31T00:00:00Z", None),
            (json!({ "idle_days": 30 }), "2027-01-30T00:00:00Z", Some(Why::NotIdle)),
        ] {
            let shown: Value = when.clone();
            let when: When = serde_json::from_value(when).unwrap();
            let at = Timestamp::parse(at).unwrap();
            assert_eq!(super::against(&when, at, &member, &shanghai), against, "{shown} {at}");
        }
        let ask = |when: Value| {
            let when: When = serde_json::from_value(when).unwrap();
            let at = Timestamp::parse("2027-02-01T00:00:00Z").unwrap();
            super::against(&when, at, &Member::default(), &shanghai)
        };
        assert_eq!(ask(json!({ "idle_days": 1 })), Some(Why::NotIdle), "who is new is not idle");
        assert_eq!(ask(json!({ "birthday_month": true })), Some(Why::NoBirthday));
    }
}
