//! Levels of membership.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    points::{Qualifying, Tier},
    policy::PolicyError,
    price::{Title, WHOLE},
    text::Text,
    time::{Period, Timestamp, Zone},
};

use super::earning::{Reach, is_rule_name};

/// The most levels: more than these nobody tells apart.
const MAX_LEVELS: usize = 10;

/// The most ways to reach a level.
const MAX_WAYS: usize = 4;

/// The most warnings of one period.
const MAX_WARNINGS: usize = 4;

/// The earliest warning: a year before.
const MAX_WARNING: u16 = 365;

/// The longest period, in months: three years.
const MAX_MONTHS: u16 = 36;

/// The most on top of a rate, in basis points: ten times the rate.
const MAX_EXTRA: u32 = 10 * WHOLE;

/// The most days that a level adds to the return window.
const MAX_RETURN_DAYS: u16 = 365;

/// The most other benefits of a level.
const MAX_WORDS: usize = 20;

/// The levels of membership, and how they are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TiersPolicy {
    /// The levels above none, the lowest first. Without them an operator may
    /// set a member's tier by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// In which period members qualify. A level is reached at once, and kept
    /// to the end of the next period; then what was done in that one decides.
    pub period: QualifyingPeriod,
    /// So many days before the end of the period, at nine in the morning,
    /// members who would lose their tier are told.
    pub warnings: Vec<u16>,
    /// By how many levels a member falls at most at the end of a period; all
    /// the way, if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fall_at_most: Option<u16>,
    /// What helps members to keep a tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescue: Option<Rescue>,
}

/// In which period members qualify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QualifyingPeriod {
    /// The calendar year.
    CalendarYear,
    /// So many months from when the member joined, to the end of a month; then
    /// so many months again.
    Months(u16),
}

/// A level of membership.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The name by which price rules, products, delivery and services know it:
    /// 1 to 16 of `a-z 0-9 -`. Entries name it where they name rates and
    /// multipliers, so it is none of theirs.
    pub id: Tier,
    /// What members read.
    pub title: Title,
    /// What has to be reached within a period; one of these is enough.
    pub reach: Vec<Reach>,
    /// What has to be reached to keep it; as much as to reach it, if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<Reach>,
    /// What it gives.
    #[serde(default)]
    pub benefits: Benefits,
}

/// What a level gives. Discounts, free or priority delivery, early and limited
/// goods name the level where they are defined: in price rules, products,
/// delivery methods and services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Benefits {
    /// How much of the rate of purchases comes on top, in basis points.
    pub extra: u32,
    /// So many days are added to the return window, after which points mature;
    /// returns within it are free.
    pub return_days: u16,
    /// The line of the customer service, for members only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_line: Option<Text<80>>,
    /// What else members are told of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Title>,
}

/// What helps members to keep a tier who are warned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rescue {
    /// Offered with the warning of so many days before.
    pub days: u16,
    /// To members who have at least so much of what they need, in basis points.
    pub from_share: u32,
    /// How much of what purchases qualify for comes on top until the period
    /// ends, in basis points.
    pub extra: u32,
}

impl Default for TiersPolicy {
    fn default() -> Self {
        Self {
            levels: Vec::new(),
            period: QualifyingPeriod::Months(12),
            warnings: vec![60, 30, 7],
            fall_at_most: None,
            rescue: None,
        }
    }
}

impl QualifyingPeriod {
    /// The period that begins with this moment, or has begun with the year in
    /// which it lies: its first instant and the first after it.
    #[must_use]
    pub fn of(self, at: Timestamp, zone: &Zone) -> (Timestamp, Timestamp) {
        let before = at.minus(Period::of_seconds(1));
        let (from, until) = match self {
            Self::CalendarYear => (at.start_of_year(zone), at.end_of_year_after(0, zone)),
            // The month is that of the second before, so that a period that
            // begins with a month has so many whole months.
            Self::Months(months) => (Ok(at), before.end_of_month_after(months, zone)),
        };
        (from.unwrap_or(at), until.unwrap_or(Timestamp::LAST))
    }
}

impl Reach {
    /// How much of it has been done, in basis points, rounded down: the least
    /// of its parts. Of amounts in several currencies the largest counts.
    #[must_use]
    pub fn share(&self, done: &Qualifying) -> u32 {
        let of = |done: i64, needed: i64| {
            let share = i128::from(done.max(0)) * i128::from(WHOLE) / i128::from(needed.max(1));
            u32::try_from(share).unwrap_or(WHOLE).min(WHOLE)
        };
        let count = |done: u32, needed: u32| of(i64::from(done), i64::from(needed));
        let spent = |currency| done.spend.get(currency).copied().unwrap_or(0);
        let spend = self.spend.iter().map(|(currency, needed)| of(spent(currency), *needed)).max();
        let parts = [
            self.points.map(|needed| of(done.points, needed)),
            spend,
            self.orders.map(|needed| count(done.orders, needed)),
            self.activity.map(|needed| count(done.activity, needed)),
            self.feedback.map(|needed| count(done.feedback, needed)),
        ];
        parts.into_iter().flatten().min().unwrap_or(WHOLE)
    }

    /// Whether all of it has been done.
    #[must_use]
    pub fn is_met(&self, done: &Qualifying) -> bool {
        self.share(done) == WHOLE
    }

    /// Whether it asks for something, and for more than nothing of each.
    #[must_use]
    pub fn asks(&self) -> bool {
        let counts = [self.orders, self.activity, self.feedback].map(|it| it.map(i64::from));
        let all = counts.into_iter().flatten().chain(self.points);
        let mut all = all.chain(self.spend.values().copied()).peekable();
        all.peek().is_some() && all.all(|needed| needed > 0)
    }
}

impl Level {
    /// What has to be reached to keep it; one of these is enough.
    #[must_use]
    pub fn to_keep(&self) -> &[Reach] {
        if self.keep.is_empty() { &self.reach } else { &self.keep }
    }
}

impl TiersPolicy {
    /// The level of a tier, if it is one of the policy's.
    #[must_use]
    pub fn level(&self, tier: Option<&Tier>) -> Option<&Level> {
        self.levels.iter().find(|level| Some(&level.id) == tier)
    }

    /// Which of the levels a tier is, the lowest being 1; 0 for none, and for
    /// what is none of the policy's.
    #[must_use]
    pub fn rank(&self, tier: Option<&Tier>) -> usize {
        let position = self.levels.iter().position(|level| Some(&level.id) == tier);
        position.map_or(0, |position| position.saturating_add(1))
    }

    /// The level of a rank.
    #[must_use]
    pub fn at_rank(&self, rank: usize) -> Option<&Level> {
        rank.checked_sub(1).and_then(|position| self.levels.get(position))
    }

    /// How many days a tier adds to the return window.
    #[must_use]
    pub fn return_days(&self, tier: Option<&Tier>) -> u16 {
        self.level(tier).map_or(0, |level| level.benefits.return_days)
    }

    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        let names: BTreeSet<&Tier> = self.levels.iter().map(|level| &level.id).collect();
        if self.levels.len() > MAX_LEVELS || names.len() != self.levels.len() {
            return nonsense("points.tiers.levels", "must be at most 10, each with its own id");
        }
        if !names.iter().all(|name| is_rule_name(name.as_str())) {
            let reason = "must be of 1 to 16 of the characters a-z 0-9 -";
            return nonsense("points.tiers.levels.id", reason);
        }
        self.levels.iter().try_for_each(Level::check)?;
        let fits = match self.period {
            QualifyingPeriod::CalendarYear => true,
            QualifyingPeriod::Months(months) => (1..=MAX_MONTHS).contains(&months),
        };
        if !fits {
            return nonsense("points.tiers.period", "must be 1 to 36 months");
        }
        let fits = |days: &u16| (1..=MAX_WARNING).contains(days);
        if self.warnings.len() > MAX_WARNINGS || !self.warnings.iter().all(fits) {
            return nonsense("points.tiers.warnings", "must be at most 4, each of 1 to 365 days");
        }
        let Some(rescue) = &self.rescue else { return Ok(()) };
        if !self.warnings.contains(&rescue.days) {
            return nonsense("points.tiers.rescue.days", "must be one of the warnings");
        }
        if rescue.from_share > WHOLE {
            let reason = "must be at most 10,000 basis points";
            return nonsense("points.tiers.rescue.from_share", reason);
        }
        if !(1..=MAX_EXTRA).contains(&rescue.extra) {
            return nonsense("points.tiers.rescue.extra", "must be 1 to 100,000 basis points");
        }
        Ok(())
    }
}

impl Level {
    fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        let asks = |ways: &[Reach]| ways.len() <= MAX_WAYS && ways.iter().all(Reach::asks);
        if self.reach.is_empty() || !asks(&self.reach) {
            let reason = "must be 1 to 4 ways, each of which asks for something";
            return nonsense("points.tiers.levels.reach", reason);
        }
        if !asks(&self.keep) {
            let reason = "must be at most 4 ways, each of which asks for something";
            return nonsense("points.tiers.levels.keep", reason);
        }
        let benefits = &self.benefits;
        if benefits.extra > MAX_EXTRA {
            let reason = "must be at most 100,000 basis points";
            return nonsense("points.tiers.levels.benefits.extra", reason);
        }
        if benefits.return_days > MAX_RETURN_DAYS {
            return nonsense("points.tiers.levels.benefits.return_days", "must be at most 365");
        }
        if benefits.words.len() > MAX_WORDS {
            return nonsense("points.tiers.levels.benefits.words", "must be at most 20");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy(changed: &[(&str, Value)]) -> TiersPolicy {
        let level = |id: &str, points: i64| {
            let reach = json!([{ "points": points }, { "spend": { "EUR": 100 * points } }]);
            json!({ "id": id, "title": { "en": id }, "reach": reach, "keep": [], "benefits": {} })
        };
        let mut document = json!({
            "levels": [level("silver", 100), level("gold", 500)],
            "period": { "months": 12 },
            "warnings": [60, 30, 7],
            "rescue": { "days": 30, "from_share": 5_000, "extra": 10_000 },
        });
        for (pointer, value) in changed {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let parent = document.pointer_mut(parent).unwrap();
            match parent.as_array_mut() {
                Some(list) => list[name.parse::<usize>().unwrap()] = value.clone(),
                None => parent[name] = value.clone(),
            }
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(policy(&[]).check(), Ok(()));
        assert_eq!(TiersPolicy::default().check(), Ok(()));
        for (pointer, value, field) in [
            ("/levels/0/id", json!("gold"), "levels"),
            ("/levels/0/id", json!("Silver"), "levels.id"),
            ("/levels/0/id", json!("a-name-of-17-long"), "levels.id"),
            ("/levels/0/reach", json!([]), "levels.reach"),
            ("/levels/0/reach", json!([{}]), "levels.reach"),
            ("/levels/0/reach", json!([{ "orders": 0 }]), "levels.reach"),
            ("/levels/1/keep", json!([{ "spend": { "EUR": -1 } }]), "levels.keep"),
            ("/levels/1/benefits", json!({ "extra": 100_001 }), "levels.benefits.extra"),
            ("/levels/1/benefits", json!({ "return_days": 366 }), "levels.benefits.return_days"),
            ("/period", json!({ "months": 0 }), "period"),
            ("/period", json!({ "months": 37 }), "period"),
            ("/warnings", json!([0]), "warnings"),
            ("/warnings", json!([60, 50, 40, 30, 20]), "warnings"),
            ("/rescue/days", json!(31), "rescue.days"),
            ("/rescue/from_share", json!(10_001), "rescue.from_share"),
            ("/rescue/extra", json!(0), "rescue.extra"),
        ] {
            let error = policy(&[(pointer, value)]).check().unwrap_err().to_string();
            assert!(error.contains(&format!("`points.tiers.{field}`")), "{pointer}: {error}");
        }
    }

    #[test]
    fn a_share_is_that_of_the_part_that_is_least_done() {
        let reach = |value| serde_json::from_value::<Reach>(value).unwrap();
        let spend = [("EUR", 3_333), ("JPY", 10)];
        let of = |(code, minor)| (crate::model::money::Currency::parse(code).unwrap(), minor);
        let spend = spend.into_iter().map(of).collect();
        let done = Qualifying { points: 250, spend, orders: 3, activity: 9, feedback: 0 };
        for (asked, share) in [
            (json!({}), 10_000),
            (json!({ "points": 500 }), 5_000),
            (json!({ "points": 250 }), 10_000),
            (json!({ "points": 251 }), 9_960),
            (json!({ "points": 100, "orders": 4 }), 7_500),
            (json!({ "points": 100, "feedback": 1 }), 0),
            (json!({ "spend": { "EUR": 10_000, "JPY": 1_000 } }), 3_333),
            (json!({ "spend": { "USD": 1 } }), 0),
            (json!({ "activity": 1 }), 10_000),
        ] {
            assert_eq!(reach(asked.clone()).share(&done), share, "{asked}");
        }
    }

    #[test]
    fn periods_follow_each_other_without_a_gap() {
        let at = |text| Timestamp::parse(text).unwrap();
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        for (period, begun, first, second) in [
            (
                QualifyingPeriod::Months(12),
                "2026-03-15T00:00:00Z",
                ("2026-03-15T00:00:00Z", "2027-03-31T16:00:00Z"),
                ("2027-03-31T16:00:00Z", "2028-03-31T16:00:00Z"),
            ),
            (
                QualifyingPeriod::Months(1),
                "2028-01-31T15:00:00Z",
                ("2028-01-31T15:00:00Z", "2028-02-29T16:00:00Z"),
                ("2028-02-29T16:00:00Z", "2028-03-31T16:00:00Z"),
            ),
            (
                QualifyingPeriod::CalendarYear,
                "2026-12-31T17:00:00Z",
                ("2026-12-31T16:00:00Z", "2027-12-31T16:00:00Z"),
                ("2027-12-31T16:00:00Z", "2028-12-31T16:00:00Z"),
            ),
        ] {
            let (from, until) = period.of(at(begun), &zone);
            assert_eq!((from, until), (at(first.0), at(first.1)), "{period:?}");
            assert_eq!(period.of(until, &zone), (at(second.0), at(second.1)), "{period:?}");
        }
    }
}
