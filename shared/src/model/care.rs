//! How complaints and low scores are seen to.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    delivery::Calendar,
    is_default,
    money::{Currency, Money},
    policy::PolicyError,
    survey::{Occasion, Wording},
    text::Text,
    ticket::{CauseCode, DeskId, Priority, Topic},
    time::{Period, TimeOfDay},
};

/// Who sees to tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// Its name.
    pub id: DeskId,
    /// What it sees to. The first desk sees to whatever no desk names.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// Members of these tiers come here, whatever it is about.
    #[serde(default)]
    pub tiers: Vec<Text<40>>,
    /// Who takes over what is not seen to in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalates_to: Option<DeskId>,
}

/// How long somebody may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Until the first answer.
    pub answer: Period,
    /// Until it is solved.
    pub solve: Period,
}

/// Which answers open a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenRule {
    /// On these occasions; on all if there are none.
    #[serde(default)]
    pub on: Vec<Occasion>,
    /// When the first question has this score or less, of its own scale. A
    /// scale that does not go beyond it is not meant: 6 of the eleven steps of
    /// a recommendation says nothing of five stars.
    pub at_most: u8,
    /// How soon it is seen to.
    pub priority: Priority,
}

/// Why it came to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Its code in tickets and reports.
    pub id: CauseCode,
    /// What people read.
    pub title: Wording,
}

/// When somebody is there to see to tickets. Outside of it no target runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceHours {
    /// On which days, and where their clocks are.
    pub calendar: Calendar,
    /// From this time of such a day ...
    pub from: TimeOfDay,
    /// ... until this one.
    pub until: TimeOfDay,
}

/// Whose tickets are seen to one step sooner than others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Raise {
    /// Members of these tiers.
    #[serde(skip_serializing_if = "is_default")]
    pub tiers: BTreeSet<Text<40>>,
    /// Whoever paid so much for the order, in minor units by its currency.
    #[serde(skip_serializing_if = "is_default")]
    pub totals: BTreeMap<Currency, i64>,
}

impl Raise {
    /// Whether somebody of this tier, with an order of this total, is among them.
    #[must_use]
    pub fn is_for(&self, tier: Option<&Text<40>>, total: Option<Money>) -> bool {
        tier.is_some_and(|tier| self.tiers.contains(tier))
            || total.is_some_and(|total| {
                self.totals.get(&total.currency()).is_some_and(|least| total.minor() >= *least)
            })
    }
}

/// How complaints and low scores are seen to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarePolicy {
    /// Who sees to tickets.
    pub desks: Vec<Desk>,
    /// How long somebody may take, by priority. Where there are hours, only
    /// those are counted: a working day of eight of them is `8h`.
    pub targets: BTreeMap<Priority, Target>,
    /// When somebody is there; at any time, if there is nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<ServiceHours>,
    /// Which answers open a ticket, or open it again on the occasion `solved`.
    pub opens: Vec<OpenRule>,
    /// Whose tickets are seen to one step sooner. Nothing becomes urgent by it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub raise: Raise,
    /// Words that make a ticket urgent, by the name of their kind, besides
    /// those that the suite knows.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alarms: BTreeMap<Text<40>, Vec<Text<40>>>,
    /// After how long a ticket is closed whose customer says nothing any more.
    #[serde(default = "a_week")]
    pub closes_after: Period,
    /// Why it came to it.
    pub causes: Vec<Cause>,
}

const fn a_week() -> Period {
    Period::of_days(7)
}

/// What holds for a priority that the policy does not have: an answer within
/// the hour, as the default policy promises. A policy that was checked has all.
const TARGET: Target = Target { answer: Period::of_seconds(3_600), solve: Period::of_days(3) };

/// The longest time to solve something, and to wait for a customer.
const MAX_SOLVE: Period = Period::of_days(90);

/// The most desks: a queue a team, and a listing of each is read by people.
const MAX_DESKS: usize = 50;

/// The most words of a kind, and the most kinds: each is looked for in each comment.
const MAX_WORDS: usize = 200;
const MAX_KINDS: usize = 20;

impl CarePolicy {
    /// How long somebody may take.
    #[must_use]
    pub fn target(&self, priority: Priority) -> &Target {
        self.targets.get(&priority).unwrap_or(&TARGET)
    }

    /// The desk of a name.
    #[must_use]
    pub fn desk(&self, id: &DeskId) -> Option<&Desk> {
        self.desks.iter().find(|it| it.id == *id)
    }

    /// The cause of a code.
    #[must_use]
    pub fn cause(&self, id: &CauseCode) -> Option<&Cause> {
        self.causes.iter().find(|it| it.id == *id)
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// [`PolicyError`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        self.check_desks()?;
        let all = [Priority::Urgent, Priority::High, Priority::Normal, Priority::Low];
        if !all.iter().all(|priority| self.targets.contains_key(priority)) {
            return nonsense("care.targets", "must have urgent, high, normal and low");
        }
        let fits = |it: &Target| it.answer.seconds() > 0 && it.answer <= it.solve;
        if !self.targets.values().all(|it| fits(it) && it.solve <= MAX_SOLVE) {
            let reason = "must each answer no later than they solve, and solve within 90d";
            return nonsense("care.targets", reason);
        }
        if let Some(hours) = &self.hours
            && (hours.from >= hours.until || hours.calendar.working.is_empty())
        {
            return nonsense("care.hours", "must begin before they end, on one day at least");
        }
        if self.raise.totals.values().any(|least| *least < 1) {
            return nonsense("care.raise.totals", "must each be 1 or more");
        }
        if self.alarms.len() > MAX_KINDS || self.alarms.values().any(|it| it.len() > MAX_WORDS) {
            return nonsense("care.alarms", "must have at most 20 kinds of 200 words");
        }
        if self.closes_after < Period::of_days(1) || self.closes_after > MAX_SOLVE {
            return nonsense("care.closes_after", "must be 1d to 90d");
        }
        let causes: BTreeSet<&CauseCode> = self.causes.iter().map(|it| &it.id).collect();
        if causes.is_empty() || causes.len() < self.causes.len() {
            return nonsense("care.causes", "must be one or more, each with a code of its own");
        }
        Ok(())
    }

    fn check_desks(&self) -> Result<(), PolicyError> {
        let nonsense = |reason| Err(PolicyError::Nonsense { field: "care.desks", reason });
        let names: BTreeSet<&DeskId> = self.desks.iter().map(|it| &it.id).collect();
        if names.is_empty() || names.len() > MAX_DESKS {
            return nonsense("must be 1 to 50");
        }
        if names.len() < self.desks.len() {
            return nonsense("must each have a name of its own");
        }
        for desk in &self.desks {
            let mut above = desk.escalates_to.as_ref();
            for _ in &self.desks {
                let Some(id) = above else { break };
                let Some(next) = self.desk(id) else {
                    return nonsense("must escalate to one of them");
                };
                above = next.escalates_to.as_ref();
            }
            if above.is_some() {
                return nonsense("must not escalate in a circle");
            }
        }
        Ok(())
    }
}

impl OpenRule {
    /// Whether it is for answers on this occasion.
    #[must_use]
    pub fn is_on(&self, occasion: Occasion) -> bool {
        self.on.is_empty() || self.on.contains(&occasion)
    }

    /// Whether it takes this score of a scale that ends at `best`.
    #[must_use]
    pub fn takes(&self, score: u8, best: u8) -> bool {
        score <= self.at_most && self.at_most < best
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::policy::Policy;

    fn with(pointer: &str, value: Value) -> Result<(), PolicyError> {
        let policy = Policy::default_document().unwrap();
        let mut care = serde_json::to_value(&policy.care).unwrap();
        match pointer.rsplit_once('/') {
            Some((parent, name)) => care.pointer_mut(parent).unwrap()[name] = value,
            None => care = value,
        }
        serde_json::from_value::<CarePolicy>(care).unwrap().check()
    }

    #[test]
    fn the_default_document_makes_sense_and_errors_name_the_field() {
        let desk = |id: &str, up: &str| json!({ "id": id, "escalates_to": up });
        let hours = |from: &str, until: &str, working: Value| json!({ "calendar": { "zone": "UTC", "working": working }, "from": from, "until": until });
        let cause = json!({ "id": "late", "title": { "en": "Late", "zh": "晚到" } });
        for (pointer, value, field) in [
            ("/closes_after", json!("7d"), ""),
            ("/hours", hours("09:00", "17:00", json!(["mon"])), ""),
            ("/desks", json!([{ "id": "a", "escalates_to": "b" }, { "id": "b" }]), ""),
            ("/desks", json!([]), "care.desks"),
            ("/desks", json!([{ "id": "a" }, { "id": "a" }]), "care.desks"),
            ("/desks", json!([desk("a", "c")]), "care.desks"),
            ("/desks", json!([desk("a", "a")]), "care.desks"),
            ("/desks", json!([desk("a", "b"), desk("b", "a")]), "care.desks"),
            ("/targets", json!({}), "care.targets"),
            ("/targets/low", json!({ "answer": "2h", "solve": "1h" }), "care.targets"),
            ("/targets/low", json!({ "answer": "0s", "solve": "1h" }), "care.targets"),
            ("/targets/low", json!({ "answer": "1h", "solve": "91d" }), "care.targets"),
            ("/hours", hours("17:00", "09:00", json!(["mon"])), "care.hours"),
            ("/hours", hours("09:00", "17:00", json!([])), "care.hours"),
            ("/raise", json!({ "totals": { "EUR": 0 } }), "care.raise.totals"),
            ("/alarms", json!({ "recall": vec!["x"; 201] }), "care.alarms"),
            ("/closes_after", json!("23h"), "care.closes_after"),
            ("/causes", json!([]), "care.causes"),
            ("/causes", json!([cause, cause]), "care.causes"),
        ] {
            let said = with(pointer, value.clone())
                .map_or_else(|error| error.to_string(), |()| String::new());
            assert_eq!(said.is_empty(), field.is_empty(), "{pointer} = {value}: {said}");
            assert!(said.contains(field), "{pointer} = {value}: {said}");
        }
    }

    #[test]
    fn who_paid_much_or_has_a_tier_is_seen_to_sooner() {
        let raise: Raise =
            serde_json::from_value(json!({ "tiers": ["gold"], "totals": { "EUR": 5_000 } }))
                .unwrap();
        let tier = |text: &str| Text::new(text).unwrap();
        let money = |minor, code| Money::new(minor, Currency::parse(code).unwrap()).unwrap();
        assert!(raise.is_for(Some(&tier("gold")), None));
        assert!(raise.is_for(None, Some(money(5_000, "EUR"))));
        assert!(!raise.is_for(Some(&tier("silver")), Some(money(4_999, "EUR"))));
        assert!(!raise.is_for(None, Some(money(5_000, "GBP"))));
    }
}
