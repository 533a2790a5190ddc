//! How points are earned.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    money::Currency,
    points::MAX_COUNTERS,
    policy::PolicyError,
    price::Title,
    text::Text,
    time::{Timestamp, Weekday},
};

use super::matching::Lines;

/// The most rules of each kind. A purchase is matched with all of them, and
/// the page that tells the rules in words lists them.
const MAX_RULES: usize = 50;

/// The most characters of a rule's name. The ledger, which is small, counts by it.
const MAX_NAME: usize = 16;

/// The most rules of one action that give once in a member's life. A deed
/// notes each of them, with its entries, in one transaction of a hundred writes.
const MAX_ONCE: usize = 20;

/// The most that comes on top of a rate, in basis points: ten times the rate.
/// A typing error beyond it is refused.
const MAX_EXTRA: u32 = 100_000;

/// The most days of a streak: a year.
const MAX_STREAK: u16 = 366;

/// The name that entries give the base rate.
pub const BASE: &str = "base";

/// The name that entries give what is cut off by [`EarningPolicy::caps`].
pub const CAP: &str = "cap";

/// Rates, multipliers, deeds that earn, milestones and caps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarningPolicy {
    /// Rates of some lines; the first that fits a line is its rate, and the
    /// base rate otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<RateRule>,
    /// Lines that earn nothing. Gifts, delivery, taxes and what points pay never do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Lines>,
    /// What earns more. The shares add up; they do not multiply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub multipliers: Vec<Multiplier>,
    /// The most that multipliers and the tier put on top together, in basis
    /// points of the rate: 20,000 makes it three times the rate at most. No
    /// bound, if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_extra: Option<u32>,
    /// The most points of purchases, by order, day and month.
    #[serde(skip_serializing_if = "Caps::is_empty")]
    pub caps: Caps,
    /// Deeds that earn a fixed number of points.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionRule>,
    /// Points at once for what was reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<Milestone>,
}

/// A rate for some lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateRule {
    /// Its name in entries.
    pub id: Text<40>,
    /// What members read.
    pub title: Title,
    /// Which lines.
    pub lines: Lines,
    /// So many points ...
    pub points: u32,
    /// ... for each full amount, in minor units.
    pub per_minor: u32,
    /// The most points that it gives.
    #[serde(default, skip_serializing_if = "Caps::is_empty")]
    pub caps: Caps,
}

/// What earns more than the rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Multiplier {
    /// Its name in entries.
    pub id: Text<40>,
    /// What members read.
    pub title: Title,
    /// How much of the rate comes on top, in basis points: 10,000 doubles it.
    pub extra: u32,
    /// Which lines; all, if it is left out.
    #[serde(default)]
    pub lines: Lines,
    /// When. Every condition that is given has to hold.
    #[serde(default)]
    pub when: When,
    /// The most points that it gives.
    #[serde(default, skip_serializing_if = "Caps::is_empty")]
    pub caps: Caps,
}

/// When something holds: by the moment an order was paid or a deed was done, and
/// the programme's calendar.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// From this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until this moment, which is outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// On these days of the week.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<Weekday>,
    /// On these days of the month.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<u8>,
    /// In the month of the member's birthday.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub birthday_month: bool,
    /// In the month in which the member joined, of later years.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anniversary_month: bool,
    /// For members who did nothing for so many days: more ways to earn for
    /// those who seldom come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_days: Option<u16>,
}

/// The most points, by period: days and months of the programme's calendar, to
/// the one in which an order was paid. What is beyond earns nothing, and is
/// told. Points that are taken back later do not make room again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// Of one order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
    /// Of one day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<u32>,
    /// Of one month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<u32>,
}

impl Caps {
    /// Whether nothing is capped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a member can do for points, besides buying.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Opened the shop and checked in; the member says so, once a day.
    CheckIn,
    /// Reviewed something that was bought.
    Review,
    /// Shared something.
    Share,
    /// Answered a survey.
    SurveyAnswer,
    /// Gave feedback that an operator or a rule called valuable.
    ValuableFeedback,
    /// Filled in the profile.
    ProfileCompleted,
    /// Brought a friend who bought.
    Referral,
    /// Reported a fault of quality that was true.
    QualityReport,
    /// Took part in the community.
    Community,
    /// Completed a task of the programme.
    Task,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::CheckIn,
        Self::Review,
        Self::Share,
        Self::SurveyAnswer,
        Self::ValuableFeedback,
        Self::ProfileCompleted,
        Self::Referral,
        Self::QualityReport,
        Self::Community,
        Self::Task,
    ];

    /// Its name, as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CheckIn => "check_in",
            Self::Review => "review",
            Self::Share => "share",
            Self::SurveyAnswer => "survey_answer",
            Self::ValuableFeedback => "valuable_feedback",
            Self::ProfileCompleted => "profile_completed",
            Self::Referral => "referral",
            Self::QualityReport => "quality_report",
            Self::Community => "community",
            Self::Task => "task",
        }
    }
}

/// A deed that earns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionRule {
    /// Its name in entries.
    pub id: Text<40>,
    /// What members read.
    pub title: Title,
    /// Which deed.
    pub action: ActionKind,
    /// How many points.
    pub points: u32,
    /// When.
    #[serde(default)]
    pub when: When,
    /// Only members of these tiers; all, if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Text<40>>,
    /// How often a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
    /// How often a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<u32>,
    /// Only once in a member's life.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
    /// More for days in a row: on the day that makes so many, so many points on
    /// top. The day after the last step is the first one again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streak: BTreeMap<u16, u32>,
    /// Towards which input of tiers it counts.
    #[serde(default)]
    pub counts: Counts,
}

/// Towards which input of tiers a deed counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Its points, and activity.
    #[default]
    Activity,
    /// Its points, and feedback.
    Feedback,
    /// None.
    Nothing,
}

/// Points at once for what was reached in all, once in a member's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PointsMilestone")]
pub struct Milestone {
    /// Its name in entries.
    pub id: Text<40>,
    /// What members read.
    pub title: Title,
    /// What has to be reached.
    pub reach: Reach,
    /// How many points.
    pub points: u32,
}

/// What a member has to have done. Everything that is given has to be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "PointsReach")]
pub struct Reach {
    /// So many qualifying points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<i64>,
    /// So much spent, in minor units, in one of these currencies.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub spend: BTreeMap<Currency, i64>,
    /// So many orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders: Option<u32>,
    /// So many deeds of activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<u32>,
    /// So many deeds of feedback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<u32>,
}

/// Whether a text is the name of a rule or a level: [`MAX_NAME`] of `a-z 0-9 -`
/// at most.
pub(super) fn is_rule_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
}

impl EarningPolicy {
    /// Whether entries could take this name for that of what gives points of
    /// purchases beside the tiers.
    pub(super) fn gives_by(&self, name: &str) -> bool {
        let rates = self.rates.iter().map(|it| it.id.as_str());
        let multipliers = self.multipliers.iter().map(|it| it.id.as_str());
        rates.chain(multipliers).chain([BASE, CAP]).any(|it| it == name)
    }

    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        let lists = [
            self.rates.len(),
            self.excluded.len(),
            self.multipliers.len(),
            self.actions.len(),
            self.milestones.len(),
        ];
        if lists.iter().any(|rules| *rules > MAX_RULES) {
            return nonsense("points.earning", "must have at most 50 rules of each kind");
        }
        self.check_names()?;
        if self.rates.iter().any(|rate| rate.per_minor == 0) {
            return nonsense("points.earning.rates.per_minor", "must be at least 1");
        }
        if self.multipliers.iter().any(|it| !(1..=MAX_EXTRA).contains(&it.extra)) {
            let reason = "must be 1 to 100,000 basis points";
            return nonsense("points.earning.multipliers.extra", reason);
        }
        if !self.multipliers.iter().all(|it| it.when.makes_sense()) {
            return nonsense("points.earning.multipliers.when", When::REMEDY);
        }
        self.actions.iter().try_for_each(ActionRule::check)?;
        let once = |kind| self.actions.iter().filter(|it| it.once && it.action == kind).count();
        if ActionKind::ALL.into_iter().any(|kind| once(kind) > MAX_ONCE) {
            return nonsense("points.earning.actions.once", "must be of at most 20 of an action");
        }
        if self.milestones.iter().any(|it| it.points == 0) {
            return nonsense("points.earning.milestones.points", "must be at least 1");
        }
        if !self.milestones.iter().all(|it| it.reach.asks()) {
            return nonsense("points.earning.milestones.reach", "must ask for something");
        }
        if self.counters() > MAX_COUNTERS {
            let reason = "must have at most 12 limits of days and months and streaks together";
            return nonsense("points.earning", reason);
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), PolicyError> {
        let rates = self.rates.iter().map(|it| &it.id);
        let multipliers = self.multipliers.iter().map(|it| &it.id);
        let actions = self.actions.iter().map(|it| &it.id);
        let milestones = self.milestones.iter().map(|it| &it.id);
        let mut names: BTreeSet<&str> = [BASE, CAP].into();
        for name in rates.chain(multipliers).chain(actions).chain(milestones) {
            let name = name.as_str();
            if !is_rule_name(name) || !names.insert(name) {
                let reason = "must be of 1 to 16 of the characters a-z 0-9 -, \
                    each another one, and not base or cap";
                return Err(PolicyError::Nonsense { field: "points.earning.*.id", reason });
            }
        }
        Ok(())
    }

    /// How many counters the ledger of a member keeps for these rules at most.
    fn counters(&self) -> usize {
        let periods =
            |caps: &Caps| usize::from(caps.day.is_some()) + usize::from(caps.month.is_some());
        let of_actions = |it: &ActionRule| {
            let limits = [it.per_day.is_some(), it.per_month.is_some(), !it.streak.is_empty()];
            limits.into_iter().filter(|is| *is).count()
        };
        let rates: usize = self.rates.iter().map(|it| periods(&it.caps)).sum();
        let multipliers: usize = self.multipliers.iter().map(|it| periods(&it.caps)).sum();
        let actions: usize = self.actions.iter().map(of_actions).sum();
        periods(&self.caps) + rates + multipliers + actions
    }
}

impl When {
    const REMEDY: &str = "must begin before it ends, name days from 1 to 31, \
        and ask for at least one day without a deed";

    fn makes_sense(&self) -> bool {
        let window = self.from.zip(self.until).is_none_or(|(from, until)| from < until);
        let days = self.days.iter().all(|day| (1..=31).contains(day));
        window && days && self.idle_days != Some(0)
    }
}

impl ActionRule {
    fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        if self.points == 0 && self.streak.is_empty() {
            return nonsense("points.earning.actions.points", "must be at least 1");
        }
        if !self.when.makes_sense() {
            return nonsense("points.earning.actions.when", When::REMEDY);
        }
        if self.per_day == Some(0) || self.per_month == Some(0) {
            return nonsense(
                "points.earning.actions.per_day",
                "must be at least 1, like per_month",
            );
        }
        let fits = |(day, points): (&u16, &u32)| (2..=MAX_STREAK).contains(day) && *points > 0;
        if !self.streak.iter().all(fits) || (self.once && !self.streak.is_empty()) {
            let reason = "must give points at 2 to 366 days, and not with once";
            return nonsense("points.earning.actions.streak", reason);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy(changed: Option<(&str, Value)>) -> EarningPolicy {
        let title = json!({ "en": "T" });
        let mut document = json!({
            "rates": [{
                "id": "tea", "title": title, "lines": { "categories": ["tea"] },
                "points": 3, "per_minor": 100, "caps": { "month": 300 },
            }],
            "excluded": [{ "skus": ["CARD"] }],
            "multipliers": [
                { "id": "birthday", "title": title, "extra": 10_000, "when": { "birthday_month": true } },
            ],
            "most_extra": 20_000,
            "caps": { "order": 500, "day": 800, "month": 2_000 },
            "actions": [{
                "id": "check-in", "title": title, "action": "check_in", "points": 1,
                "per_month": 20, "streak": { "7": 10 },
            }],
            "milestones": [{ "id": "ten", "title": title, "reach": { "orders": 10 }, "points": 100 }],
        });
        if let Some((pointer, value)) = changed {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[name] = value;
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(policy(None).check(), Ok(()));
        assert_eq!(EarningPolicy::default().check(), Ok(()));
        let once = |many: usize| {
            let title = json!({ "en": "T" });
            let one = |n| {
                json!({
                    "id": format!("a{n}"), "title": title, "action": "share", "points": 1, "once": true,
                })
            };
            (0..many).map(one).collect::<Value>()
        };
        assert_eq!(policy(Some(("/actions", once(20)))).check(), Ok(()));
        let many: Vec<Value> = (0..51).map(|n| json!({ "skus": [format!("S{n}")] })).collect();
        let limited: Vec<Value> = (0..5)
            .map(|n| {
                let caps = json!({ "day": 1, "month": 1 });
                json!({ "id": format!("m{n}"), "title": { "en": "T" }, "extra": 1, "caps": caps })
            })
            .collect();
        for (pointer, value, field) in [
            ("/excluded", json!(many), ""),
            ("/multipliers", json!(limited), ""),
            ("/rates/0/id", json!("birthday"), ".*.id"),
            ("/rates/0/id", json!("cap"), ".*.id"),
            ("/rates/0/id", json!("Tea"), ".*.id"),
            ("/milestones/0/id", json!("a-name-of-17-long"), ".*.id"),
            ("/rates/0/per_minor", json!(0), ".rates.per_minor"),
            ("/multipliers/0/extra", json!(0), ".multipliers.extra"),
            ("/multipliers/0/extra", json!(100_001), ".multipliers.extra"),
            ("/multipliers/0/when", json!({ "days": [0] }), ".multipliers.when"),
            ("/multipliers/0/when", json!({ "idle_days": 0 }), ".multipliers.when"),
            (
                "/actions/0/when",
                json!({ "from": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:00:00Z" }),
                ".actions.when",
            ),
            ("/actions/0/per_month", json!(0), ".actions.per_day"),
            ("/actions/0/streak", json!({ "1": 5 }), ".actions.streak"),
            ("/actions/0/streak", json!({ "7": 0 }), ".actions.streak"),
            ("/actions/0/once", json!(true), ".actions.streak"),
            ("/actions", once(21), ".actions.once"),
            ("/milestones/0/points", json!(0), ".milestones.points"),
            ("/milestones/0/reach", json!({}), ".milestones.reach"),
        ] {
            let found = policy(Some((pointer, value.clone()))).check();
            let Err(PolicyError::Nonsense { field: named, .. }) = found else {
                panic!("{pointer} {value}: {found:?}")
            };
            assert_eq!(named, format!("points.earning{field}"), "{pointer} {value}");
        }
    }
}
