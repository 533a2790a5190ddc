//! The path of a member: what is missing for the next level, and for keeping
//! the present one, until when.

use aftercart::model::{
    customer::Language,
    dates::Dates,
    money::Currency,
    points::{Account, Ledger, Qualifying, Standing},
    programme::{PointsPolicy, earning::Reach, tiers::Level},
    time::{Date, Period, Timestamp, Zone},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    tiers,
    wording::{amount, number, points},
};

/// By what a level is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TierInput {
    /// Points of purchases, once they may be spent, and of deeds.
    Points,
    /// What was paid in money for such purchases, in minor units.
    Spend,
    /// Such purchases.
    Orders,
    /// Deeds of activity.
    Activity,
    /// Deeds of feedback.
    Feedback,
}

/// How much of one thing is asked, and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Of what.
    pub input: TierInput,
    /// Of spending, in which currency.
    pub currency: Option<Currency>,
    /// How much is asked.
    pub needed: i64,
    /// How much is done.
    pub done: i64,
}

/// A way to a level: all of its steps are to be done; of steps of spending in
/// several currencies, one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// How much of it is done, in basis points.
    pub share: u32,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// The path to a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Path<'a> {
    /// To which one.
    pub level: &'a Level,
    /// The last day of the period.
    pub until: Date,
    /// The ways to it, of which one is enough.
    pub ways: Vec<Way>,
}

/// Where a member stands now, and the paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Course<'a> {
    /// The standing, brought up to now.
    pub standing: Standing,
    /// The level that the member has.
    pub level: Option<&'a Level>,
    /// How to keep what was earned, as far as that is open.
    pub keep: Option<Path<'a>>,
    /// How to reach the next level.
    pub next: Option<Path<'a>>,
}

/// Where a member stands, whether or not anybody looked at the ledger of late.
#[must_use]
pub fn course<'a>(ledger: &Ledger, policy: &'a PointsPolicy, now: Timestamp) -> Course<'a> {
    let mut standing = ledger.standing.clone();
    let pending = ledger.balance(Account::Pending);
    tiers::bring_up(&mut standing, pending, now, policy);
    let levels = &policy.tiers;
    let until = standing.period_until.unwrap_or(now);
    let path = |level: &'a Level, ways: &[Reach], (until, done): (Timestamp, &Qualifying)| Path {
        level,
        until: last_day(until, &policy.zone),
        ways: ways.iter().map(|reach| way(reach, done)).collect(),
    };
    // While the end of a period waits for purchases, these keep the tier, and
    // what is done now counts in the next one.
    let review = tiers::review_at(&standing, pending, policy).unwrap_or(until);
    let keeping = (review.max(until), &standing.qualifying);
    let reaching = match until > now {
        true => (until, &standing.qualifying),
        false => (levels.period.of(until, &policy.zone).1, &standing.next),
    };
    let earned = levels.level(standing.earned.as_ref());
    let keep = earned.map(|level| path(level, level.to_keep(), keeping));
    let above = levels.rank(standing.tier.as_ref()).saturating_add(1);
    let next = levels.at_rank(above).map(|level| path(level, &level.reach, reaching));
    let level = levels.level(standing.tier.as_ref());
    Course { level, keep, next, standing }
}

/// The last day before a moment that ends one.
#[must_use]
pub fn last_day(end: Timestamp, zone: &Zone) -> Date {
    end.minus(Period::of_seconds(1)).date_in(zone)
}

/// What a way to a level asks, and how much of it is done.
#[must_use]
pub fn way(reach: &Reach, done: &Qualifying) -> Way {
    let step = |input, needed: Option<i64>, done: i64| {
        needed.map(|needed| Step { input, currency: None, needed, done })
    };
    let count =
        |input, needed: Option<u32>, done: u32| step(input, needed.map(i64::from), i64::from(done));
    let spend = reach.spend.iter().map(|(currency, needed)| Step {
        input: TierInput::Spend,
        currency: Some(*currency),
        needed: *needed,
        done: done.spend.get(currency).copied().unwrap_or(0),
    });
    let others = [
        count(TierInput::Orders, reach.orders, done.orders),
        count(TierInput::Activity, reach.activity, done.activity),
        count(TierInput::Feedback, reach.feedback, done.feedback),
    ];
    let points = step(TierInput::Points, reach.points, done.points);
    let steps = points.into_iter().chain(spend).chain(others.into_iter().flatten()).collect();
    Way { share: reach.share(done), steps }
}

impl Step {
    /// How much is missing.
    #[must_use]
    pub fn missing(&self) -> i64 {
        self.needed.saturating_sub(self.done).max(0)
    }

    /// What is missing, in words: `320 more points`, `再获得 320 积分`.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        let missing = self.missing();
        let one = missing == 1;
        let count = number(missing);
        match (self.input, language) {
            (TierInput::Points, Language::En) => {
                format!("{count} more {}", if one { "point" } else { "points" })
            }
            (TierInput::Points, Language::Zh) => format!("再获得 {}", points(missing, language)),
            (TierInput::Spend, language) => {
                let amount = self.currency.map_or(count, |currency| amount(missing, currency));
                match language {
                    Language::En => format!("{amount} more of purchases"),
                    Language::Zh => format!("再消费 {amount}"),
                }
            }
            (TierInput::Orders, Language::En) => {
                format!("{count} more {}", if one { "order" } else { "orders" })
            }
            (TierInput::Orders, Language::Zh) => format!("再完成 {count} 笔订单"),
            (TierInput::Activity, Language::En) => {
                format!("{count} more {}", if one { "activity" } else { "activities" })
            }
            (TierInput::Activity, Language::Zh) => format!("再参与 {count} 次互动"),
            (TierInput::Feedback, Language::En) => {
                format!("{count} more {} of feedback", if one { "piece" } else { "pieces" })
            }
            (TierInput::Feedback, Language::Zh) => format!("再反馈 {count} 次"),
        }
    }
}

impl Way {
    /// What is missing: steps that are done are left out, and spending in one
    /// of several currencies is one step.
    fn words(&self, language: Language) -> String {
        let (and, or) = match language {
            Language::En => (" and ", " or "),
            Language::Zh => ("，并", "或"),
        };
        let of = |spend: bool| {
            let steps = self.steps.iter().filter(move |it| (it.input == TierInput::Spend) == spend);
            steps.collect::<Vec<_>>()
        };
        let spent = of(true);
        let spend = (!spent.iter().any(|step| step.missing() == 0) && !spent.is_empty())
            .then(|| spent.iter().map(|it| it.words(language)).collect::<Vec<_>>().join(or));
        let others = of(false).into_iter().filter(|step| step.missing() > 0);
        let parts: Vec<String> = others.map(|step| step.words(language)).chain(spend).collect();
        parts.join(and)
    }
}

impl Path<'_> {
    /// The way of which most is done.
    #[must_use]
    pub fn nearest(&self) -> Option<&Way> {
        // Of ways that are equally near, the first.
        self.ways.iter().rev().max_by_key(|way| way.share)
    }

    /// What is missing on the nearest way, and until when; nothing if nothing
    /// is: `320 more points by Wed 31 Mar`.
    #[must_use]
    pub fn words(&self, dates: &Dates<'_>) -> Option<String> {
        let missing = self.nearest()?.words(dates.language);
        let day = dates.day(self.until);
        let words = match dates.language {
            Language::En => format!("{missing} by {day}"),
            Language::Zh => format!("{day}前{missing}"),
        };
        (!missing.is_empty()).then_some(words)
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId, points::Tier, policy::Policy, programme::tiers::QualifyingPeriod,
    };
    use serde_json::{Value, json};

    use super::*;

    fn path(level: &Level, done: &Qualifying) -> (Option<String>, Option<String>) {
        let until = Date::parse("2027-03-31").unwrap();
        let ways = level.reach.iter().map(|reach| way(reach, done)).collect();
        let path = Path { level, until, ways };
        let zone = Zone::utc();
        let now = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
        let words = |language| path.words(&Dates::new(language, &zone, now));
        (words(Language::En), words(Language::Zh))
    }

    #[test]
    fn what_is_missing_is_told_by_the_nearest_way() {
        let done = Qualifying {
            points: 180,
            spend: [(Currency::parse("EUR").unwrap(), 5_000)].into(),
            orders: 2,
            activity: 0,
            feedback: 1,
        };
        for (reach, english, chinese) in [
            (json!([{ "points": 500 }]), "320 more points", "再获得 320 积分"),
            (json!([{ "points": 181 }]), "1 more point", "再获得 1 积分"),
            (
                json!([{ "points": 500 }, { "spend": { "EUR": 9_000 } }]),
                "40.00 EUR more of purchases",
                "再消费 40.00 EUR",
            ),
            (
                json!([{ "orders": 3, "activity": 2, "feedback": 1 }]),
                "1 more order and 2 more activities",
                "再完成 1 笔订单，并再参与 2 次互动",
            ),
            (
                json!([{ "feedback": 2, "spend": { "EUR": 9_000, "JPY": 1_000 } }]),
                "1 more piece of feedback and 40.00 EUR more of purchases or 1000 JPY more of purchases",
                "再反馈 1 次，并再消费 40.00 EUR或再消费 1000 JPY",
            ),
        ] {
            let words = path(&level(&reach), &done);
            assert_eq!(words.0, Some(format!("{english} by Wed 31 Mar")));
            assert_eq!(words.1, Some(format!("3月31日 周三前{chinese}")));
        }
        assert_eq!(path(&level(&json!([{ "points": 180 }])), &done), (None, None));
    }

    #[test]
    fn while_the_end_of_a_period_waits_nothing_is_to_be_done_in_the_past() {
        let level = |id: &str, points: i64| json!({ "id": id, "title": { "en": id }, "reach": [{ "points": points }] });
        let mut policy = Policy::default_document().unwrap().points;
        policy.tiers.levels =
            serde_json::from_value(json!([level("silver", 100), level("gold", 300)])).unwrap();
        policy.tiers.period = QualifyingPeriod::Months(3);
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let mut ledger = Ledger::empty(CustomerId::member("a").unwrap());
        ledger.standing = Standing {
            tier: Tier::new("silver").ok(),
            earned: Tier::new("silver").ok(),
            period_from: Some(at("2026-07-01T00:00:00Z")),
            period_until: Some(at("2026-10-01T00:00:00Z")),
            qualifying: Qualifying { points: 40, ..Qualifying::default() },
            next: Qualifying { points: 90, ..Qualifying::default() },
            ..Standing::default()
        };
        ledger.balances.insert(Account::Pending, 50);
        let course = course(&ledger, &policy, at("2026-10-05T00:00:00Z"));
        let shown = |path: Option<Path<'_>>| {
            let path = path.unwrap();
            (path.until.to_string(), path.ways[0].steps[0].missing())
        };
        assert_eq!(shown(course.keep), ("2026-10-28".to_owned(), 60));
        assert_eq!(shown(course.next), ("2026-12-31".to_owned(), 210));
    }

    fn level(reach: &Value) -> Level {
        serde_json::from_value(json!({ "id": "gold", "title": { "en": "Gold" }, "reach": reach }))
            .unwrap()
    }
}
