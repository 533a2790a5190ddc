//! Contests of members and teams.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    contest::{COUNTED_FOR, DECIDED_AFTER},
    policy::PolicyError,
    price::Title,
    text::Text,
    time::{Period, Timestamp},
};

use super::earning::ActionKind;

/// The most contests of a policy: those that run are looked at with every
/// movement that earns.
const MAX_CONTESTS: usize = 20;

/// The longest contest. A score is counted again from the entries of the whole
/// contest whenever something is earned.
const LONGEST: Period = Period::of_days(92);

/// The most members of a team: a team is one small item that its members write.
const MAX_TEAM: u16 = 20;

/// The most ranks with a prize, as many as one page of a contest shows.
const MAX_PRIZES: usize = 100;

/// The most points of one prize.
const MAX_PRIZE: u32 = 1_000_000;

/// A contest of members or teams. It stays in the policy until its prizes are
/// given, some hours after its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contest {
    /// Its name in routes, of `a-z`, `0-9` and `-`. Another round has another name.
    pub id: Text<40>,
    /// What members read.
    pub title: Title,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends, at most 92 days later.
    pub until: Timestamp,
    /// Whether what purchases earn counts, less what is taken back of it
    /// until 105 minutes after the end.
    #[serde(default)]
    pub purchases: bool,
    /// Which deeds count, with the points that they earn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionKind>,
    /// The most members of a team, 2 to 20; members compete by themselves, if
    /// it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_size: Option<u16>,
    /// Points for the first ranks, the first one first, at most 100; each
    /// member of a team gets them who earned something for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prizes: Vec<u32>,
    /// What pseudonyms and the identities of teams are mixed with, so that
    /// nobody who knows a member's identity finds them. A secret of the shop,
    /// which stays as it is while the contest runs.
    pub salt: Text<100>,
}

impl Contest {
    /// Whether what is done at this moment counts.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether scores are still counted.
    #[must_use]
    pub fn is_counted(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.counted_until()
    }

    /// When nothing is counted any more.
    #[must_use]
    pub fn counted_until(&self) -> Timestamp {
        self.until.plus(COUNTED_FOR)
    }

    /// Whether it is to be decided.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.plus(DECIDED_AFTER) <= now
    }

    fn fault(&self) -> Option<(&'static str, &'static str)> {
        let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
        if !self.id.as_str().bytes().all(plain) {
            return Some(("id", "must be of a-z, 0-9 and -"));
        }
        if self.until <= self.from || self.until > self.from.plus(LONGEST) {
            return Some(("until", "must be after `from`, at most 92 days"));
        }
        if !self.purchases && self.actions.is_empty() {
            return Some(("actions", "must name a deed that counts, or `purchases` count"));
        }
        if self.team_size.is_some_and(|size| !(2..=MAX_TEAM).contains(&size)) {
            return Some(("team_size", "must be 2 to 20"));
        }
        let fits = |prize: &u32| (1..=MAX_PRIZE).contains(prize);
        let sound = self.prizes.len() <= MAX_PRIZES && self.prizes.iter().all(fits);
        (!sound).then_some(("prizes", "must be at most 100, each 1 to 1,000,000 points"))
    }
}

/// Whether the contests make sense.
///
/// # Errors
/// [`PolicyError`] names the field and what is wrong with it.
pub(super) fn check(contests: &[Contest]) -> Result<(), PolicyError> {
    let fault = |path: String, reason: &str| {
        Err(PolicyError::Malformed { path, reason: reason.to_owned() })
    };
    if contests.len() > MAX_CONTESTS {
        return fault("points.contests".to_owned(), "must be at most 20");
    }
    let mut names = BTreeSet::new();
    for (number, contest) in contests.iter().enumerate() {
        let place = format!("points.contests[{number}]");
        if !names.insert(&contest.id) {
            return fault(format!("{place}.id"), "must differ from the others' ids");
        }
        if let Some((member, reason)) = contest.fault() {
            return fault(format!("{place}.{member}"), reason);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sound() -> Value {
        json!({
            "id": "spring-2026", "title": { "en": "Spring" }, "from": "2026-03-01T00:00:00Z",
            "until": "2026-04-01T00:00:00Z", "purchases": true, "team_size": 2,
            "prizes": [500, 100], "salt": "s",
        })
    }

    fn contest(value: &Value) -> Contest {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(check(&[contest(&sound())]), Ok(()));
        for (member, value, at) in [
            ("id", json!("Spring 2026"), "id"),
            ("until", json!("2026-03-01T00:00:00Z"), "until"),
            ("until", json!("2026-06-01T00:00:01Z"), "until"),
            ("purchases", json!(false), "actions"),
            ("team_size", json!(1), "team_size"),
            ("team_size", json!(21), "team_size"),
            ("prizes", json!([0]), "prizes"),
            ("prizes", json!([1_000_001]), "prizes"),
            ("prizes", json!(vec![1; 101]), "prizes"),
        ] {
            let mut odd = sound();
            odd[member] = value;
            let error = check(&[contest(&odd)]).unwrap_err().to_string();
            assert!(error.contains(&format!("points.contests[0].{at}")), "{error}");
        }
        let twice = [contest(&sound()), contest(&sound())];
        assert!(check(&twice).unwrap_err().to_string().contains("contests[1].id"));
        assert!(check(&vec![contest(&sound()); 21]).unwrap_err().to_string().contains("contests`"));
    }

    #[test]
    fn a_contest_opens_is_counted_and_is_decided() {
        let contest = contest(&sound());
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (moment, open, counted, over) in [
            ("2026-02-28T23:59:59Z", false, false, false),
            ("2026-03-01T00:00:00Z", true, true, false),
            ("2026-03-31T23:59:59Z", true, true, false),
            ("2026-04-01T00:00:00Z", false, true, false),
            ("2026-04-01T01:44:59Z", false, true, false),
            ("2026-04-01T01:45:00Z", false, false, false),
            ("2026-04-01T01:59:59Z", false, false, false),
            ("2026-04-01T02:00:00Z", false, false, true),
        ] {
            let at = at(moment);
            let found = (contest.is_open(at), contest.is_counted(at), contest.is_over(at));
            assert_eq!(found, (open, counted, over), "{moment}");
        }
    }
}
