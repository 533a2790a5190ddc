//! What members do with points among themselves.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    policy::PolicyError,
    price::{RuleId, Title},
    text::Text,
    time::{Period, Timestamp},
};

/// How members give points to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiftsPolicy {
    /// The fewest points of a gift.
    pub least: u32,
    /// The most points of a gift.
    pub most: u32,
    /// The most points that a member gives in a month.
    pub per_month: u32,
    /// The most gifts that a member gives in a day.
    pub per_day: u32,
    /// The most points that a member accepts in a month.
    pub accepted_per_month: u32,
    /// How long a gift waits to be accepted.
    pub open: Period,
    /// How long points that came as a gift may be spent, but not given on, so
    /// that none go around in rings, of whatever length.
    pub kept_for: Period,
    /// How long somebody has to be a member to give.
    pub member_for: Period,
}

/// A campaign that gives points: points rain, a draw, a game.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PointsCampaign")]
pub struct Campaign {
    /// Its name in routes and entries. A name that was used is not given to
    /// another campaign: its counters go on. Of the characters a-z, 0-9 and -.
    pub id: Text<40>,
    /// What members read.
    pub title: Title,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// How many points there are for all.
    pub pool: u32,
    /// How often a member may draw in a day.
    pub draws_per_day: u32,
    /// The most points of one member.
    pub per_member: u32,
    /// What a draw gives, and how likely.
    pub draws: Vec<Draw>,
    /// Only members of these tiers; all, if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Text<40>>,
}

/// What a draw may give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// So many points; 0 is a blank.
    pub points: u32,
    /// How likely, beside the weights of the others.
    pub weight: u32,
}

/// The most campaigns of a policy: more cannot be told to anybody.
pub const MAX_CAMPAIGNS: usize = 50;

/// The most things that a draw may give.
const MAX_DRAWS: usize = 20;

/// The greatest weight of a draw.
const MAX_WEIGHT: u32 = 1_000_000;

/// The longest time that a gift waits: its points are out of use meanwhile.
const MAX_OPEN: Period = Period::of_days(90);

/// The longest time that what came as a gift is not given on, and that
/// somebody has to be a member to give.
const MAX_KEPT: Period = Period::of_days(366);

impl GiftsPolicy {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        if self.least == 0 || self.least > self.most {
            return nonsense("points.gifts.least", "must be 1 to `most`");
        }
        if self.per_day == 0 {
            return nonsense("points.gifts.per_day", "must be at least 1");
        }
        if self.per_month < self.least {
            return nonsense("points.gifts.per_month", "must be at least `least`");
        }
        if self.accepted_per_month < self.least {
            return nonsense("points.gifts.accepted_per_month", "must be at least `least`");
        }
        if self.open.seconds() == 0 || self.open > MAX_OPEN {
            return nonsense("points.gifts.open", "must be at most 90d, and longer than nothing");
        }
        if self.kept_for > MAX_KEPT {
            return nonsense("points.gifts.kept_for", "must be at most 366d");
        }
        if self.member_for > MAX_KEPT {
            return nonsense("points.gifts.member_for", "must be at most 366d");
        }
        Ok(())
    }
}

impl Campaign {
    /// Whether members may draw at this moment.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }

    fn fault(&self) -> Option<(&'static str, &'static str)> {
        let weighs = |draw: &Draw| (1..=MAX_WEIGHT).contains(&draw.weight);
        if RuleId::parse(self.id.as_str()).is_err() {
            return Some(("id", "must be of the characters a-z, 0-9 and -"));
        }
        if self.until <= self.from {
            return Some(("until", "must be after `from`"));
        }
        if self.pool == 0 {
            return Some(("pool", "must be at least 1"));
        }
        if self.draws_per_day == 0 {
            return Some(("draws_per_day", "must be at least 1"));
        }
        if self.per_member == 0 {
            return Some(("per_member", "must be at least 1"));
        }
        if !(1..=MAX_DRAWS).contains(&self.draws.len()) || !self.draws.iter().all(weighs) {
            return Some(("draws", "must be 1 to 20, of weights from 1 to 1,000,000"));
        }
        let blank = self.draws.iter().all(|draw| draw.points == 0);
        blank.then_some(("draws", "must give points with one draw at least"))
    }
}

pub(super) fn check(campaigns: &[Campaign]) -> Result<(), PolicyError> {
    let fault = |path: String, reason: &str| {
        Err(PolicyError::Malformed { path, reason: reason.to_owned() })
    };
    if campaigns.len() > MAX_CAMPAIGNS {
        return fault("points.campaigns".to_owned(), "must be at most 50");
    }
    let mut names = BTreeSet::new();
    for (number, campaign) in campaigns.iter().enumerate() {
        let place = format!("points.campaigns[{number}]");
        if !names.insert(&campaign.id) {
            return fault(format!("{place}.id"), "must differ from the others' ids");
        }
        if let Some((member, reason)) = campaign.fault() {
            return fault(format!("{place}.{member}"), reason);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn gifts(field: &str, value: Value) -> Result<(), PolicyError> {
        let mut document = json!({
            "least": 10, "most": 500, "per_month": 1_000, "per_day": 3,
            "accepted_per_month": 1_000, "open": "7d", "kept_for": "30d", "member_for": "30d",
        });
        document[field] = value;
        serde_json::from_value::<GiftsPolicy>(document).unwrap().check()
    }

    fn campaign(field: &str, value: Value) -> Value {
        let mut document = json!({
            "id": "rain", "title": { "en": "Points rain" }, "from": "2026-11-11T00:00:00Z",
            "until": "2026-11-12T00:00:00Z", "pool": 1_000, "draws_per_day": 3,
            "per_member": 100, "draws": [{ "points": 5, "weight": 1 }],
        });
        document[field] = value;
        document
    }

    fn campaigns(documents: &[Value]) -> Result<(), PolicyError> {
        let read = |it: &Value| serde_json::from_value(it.clone()).unwrap();
        check(&documents.iter().map(read).collect::<Vec<_>>())
    }

    #[test]
    fn errors_of_gifts_name_the_field() {
        assert_eq!(gifts("least", json!(10)), Ok(()));
        for (field, value) in [
            ("least", json!(0)),
            ("least", json!(501)),
            ("per_day", json!(0)),
            ("per_month", json!(9)),
            ("accepted_per_month", json!(9)),
            ("open", json!("0s")),
            ("open", json!("91d")),
            ("kept_for", json!("367d")),
            ("member_for", json!("367d")),
        ] {
            let error = gifts(field, value).unwrap_err().to_string();
            assert!(error.contains(&format!("points.gifts.{field}")), "{error}");
        }
    }

    #[test]
    fn errors_of_campaigns_name_the_field() {
        let rain = campaign("pool", json!(1_000));
        assert_eq!(campaigns(&[rain.clone(), campaign("id", json!("draw"))]), Ok(()));
        for (field, value) in [
            ("id", json!("Points rain")),
            ("until", json!("2026-11-11T00:00:00Z")),
            ("pool", json!(0)),
            ("draws_per_day", json!(0)),
            ("per_member", json!(0)),
            ("draws", json!([])),
            ("draws", json!([{ "points": 0, "weight": 1 }])),
            ("draws", json!([{ "points": 1, "weight": 0 }])),
            ("draws", json!([{ "points": 1, "weight": 1_000_001 }])),
        ] {
            let error = campaigns(&[campaign(field, value)]).unwrap_err().to_string();
            assert!(error.contains(&format!("points.campaigns[0].{field}")), "{error}");
        }
        let error = campaigns(&[rain.clone(), rain.clone()]).unwrap_err().to_string();
        assert!(error.contains("points.campaigns[1].id"), "{error}");
        assert!(campaigns(&vec![rain; MAX_CAMPAIGNS + 1]).is_err());
    }
}
