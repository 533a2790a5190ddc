//! Whether the surveys of a policy make sense, beyond their form.

use std::collections::BTreeSet;

use crate::model::{policy::PolicyError, time::Period};

use super::{
    Choice, ChoiceId, Comparison, Kind, Occasion, Question, SurveysPolicy, Touchpoint, When,
};

/// The most touchpoints: each is a survey that somebody keeps up to date, and of
/// one order there may be an invitation to each.
const MAX_TOUCHPOINTS: usize = 20;

/// The most questions of a survey: more are no longer one screen or two, nor
/// less than a minute.
const MAX_QUESTIONS: usize = 8;

/// The most choices of a question: more nobody reads.
const MAX_CHOICES: usize = 12;

/// The most of ten thousand.
const EVERYBODY: u16 = 10_000;

/// How many letters may be asked of feedback that is valuable: to the longest
/// comment.
const VALUABLE: std::ops::RangeInclusive<u16> = 1..=1_000;

/// The longest delay, and the longest time for which a survey is open.
const MAX_TIME: Period = Period::of_days(366);

/// The shortest time for which a survey is open, and the soonest reminder: a
/// night may lie in between.
const MIN_TIME: Period = Period::of_days(1);

/// The fewest answers of which something may be shown: of two, each of those who
/// gave them knows what the other one said.
const FEWEST_ANSWERS: u32 = 3;

type Fault = (String, &'static str);

impl SurveysPolicy {
    /// Whether the surveys make sense.
    ///
    /// # Errors
    /// [`PolicyError`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let fault = |path: String, reason: &str| {
            Err(PolicyError::Malformed { path, reason: reason.to_owned() })
        };
        if self.touchpoints.len() > MAX_TOUCHPOINTS {
            return fault("surveys.touchpoints".to_owned(), "must be at most 20");
        }
        if self.least_answers.is_some_and(|least| least < FEWEST_ANSWERS) {
            return fault("surveys.least_answers".to_owned(), "must be at least 3");
        }
        if self.valuable.as_ref().is_some_and(|it| !VALUABLE.contains(&it.least)) {
            return fault("surveys.valuable.least".to_owned(), "must be 1 to 1000");
        }
        let mut names = BTreeSet::new();
        for (number, touchpoint) in self.touchpoints.iter().enumerate() {
            let place = format!("surveys.touchpoints[{number}]");
            if !names.insert(&touchpoint.id) {
                return fault(format!("{place}.id"), "must differ from the others' ids");
            }
            let faults = touchpoint.timing().map(|(member, reason)| (member.to_owned(), reason));
            if let Some((member, reason)) = faults.or_else(|| touchpoint.asking()) {
                return fault(format!("{place}.{member}"), reason);
            }
        }
        Ok(())
    }
}

impl Touchpoint {
    /// What is wrong with when and how often it asks.
    fn timing(&self) -> Option<(&'static str, &'static str)> {
        let periodic = self.on == Occasion::Relationship;
        if self.delay > MAX_TIME {
            return Some(("delay", "must be at most 366d"));
        }
        if !(MIN_TIME..=MAX_TIME).contains(&self.open) {
            return Some(("open", "must be 1d to 366d"));
        }
        if self.reminder.is_some_and(|it| it < MIN_TIME || it >= self.open) {
            return Some(("reminder", "must be at least 1d, and less than `open`"));
        }
        if self.share == 0 || self.share > EVERYBODY {
            return Some(("share", "must be 1 to 10000"));
        }
        if self.quota == Some(0) {
            return Some(("quota", "must be at least 1"));
        }
        match self.every {
            None if periodic => Some(("every", "is needed by a relationship survey")),
            Some(_) if !periodic => Some(("every", "is for relationship surveys only")),
            Some(every) if every < MIN_TIME => Some(("every", "must be at least 1d")),
            _ => None,
        }
    }

    /// What is wrong with what it asks.
    fn asking(&self) -> Option<Fault> {
        let fault = |reason| Some(("questions".to_owned(), reason));
        let Some(first) = self.questions.first() else {
            return fault("must be at least one");
        };
        if self.questions.len() > MAX_QUESTIONS {
            return fault("must be at most 8");
        }
        let tapped = first.kind.scale().is_some() || matches!(first.kind, Kind::Single { .. });
        if !tapped || first.optional || first.when.is_some() {
            let reason = "must be a scale, stars or a single choice that is always asked: it is \
                          what the invitation asks";
            return Some(("questions[0]".to_owned(), reason));
        }
        let mut earlier: Vec<&Question> = Vec::new();
        for (number, question) in self.questions.iter().enumerate() {
            if let Some((member, reason)) = question.fault(self.on, &earlier) {
                return Some((format!("questions[{number}].{member}"), reason));
            }
            earlier.push(question);
        }
        None
    }
}

impl Question {
    /// What is wrong with a question that comes after these.
    fn fault(&self, on: Occasion, earlier: &[&Self]) -> Option<(&'static str, &'static str)> {
        if earlier.iter().any(|it| it.id == self.id) {
            return Some(("id", "must differ from the others' ids"));
        }
        let choosing = matches!(self.kind, Kind::Single { .. } | Kind::Multiple { .. });
        if choosing && self.ask.is_none() {
            return Some(("ask", "is needed where something is chosen"));
        }
        if choosing && !are_choices(self.kind.choices()) {
            return Some(("choices", "must be 2 to 12, with ids that differ"));
        }
        if let Kind::Multiple { choices, most } = &self.kind
            && !(1..=choices.len()).contains(&usize::from(*most))
        {
            return Some(("most", "must be at least 1, and at most as many as there are choices"));
        }
        if self.kind == Kind::Products {
            if matches!(on, Occasion::Relationship | Occasion::Tier | Occasion::Solved) {
                return Some(("kind", "can only be asked about an order"));
            }
            if earlier.iter().any(|it| it.kind == Kind::Products) {
                return Some(("kind", "can only be asked once"));
            }
        }
        self.when.as_ref().and_then(|when| when.fault(earlier))
    }
}

impl When {
    fn fault(&self, earlier: &[&Question]) -> Option<(&'static str, &'static str)> {
        let Some(question) = earlier.iter().find(|it| it.id == self.question) else {
            return Some(("when.question", "must be an earlier question"));
        };
        let known = |id: &ChoiceId| question.kind.choices().iter().any(|it| it.id == *id);
        let on_scale = |score: u8| {
            question
                .kind
                .scale()
                .is_some_and(|(lowest, highest)| (lowest..=highest).contains(&score))
        };
        let fits = match &self.is {
            Comparison::AtMost(score) | Comparison::AtLeast(score) => on_scale(*score),
            Comparison::Chose(choices) => !choices.is_empty() && choices.iter().all(known),
        };
        (!fits).then_some(("when.is", "must be a score or choices of that question"))
    }
}

fn are_choices(choices: &[Choice]) -> bool {
    let names: BTreeSet<_> = choices.iter().map(|it| &it.id).collect();
    (2..=MAX_CHOICES).contains(&choices.len()) && names.len() == choices.len()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::model::policy::Policy;

    use super::*;

    fn surveys(touchpoint: &Value) -> Result<(), String> {
        let touchpoints: SurveysPolicy =
            serde_json::from_value(json!({ "touchpoints": [touchpoint] }))
                .map_err(|e| e.to_string())?;
        touchpoints.check().map_err(|error| error.to_string())
    }

    /// Two questions, the second after a low answer to the first.
    fn touchpoint() -> Value {
        let title = |text: &str| json!({ "en": text, "zh": text });
        json!({
            "id": "flow", "on": "checkout", "delay": "0d", "open": "7d", "reminder": "2d",
            "questions": [
                { "id": "easy", "kind": "ces", "optional": false },
                {
                    "id": "what", "kind": "multiple", "most": 2, "ask": title("What was hard?"),
                    "choices": [
                        { "id": "address", "title": title("Address") },
                        { "id": "payment", "title": title("Payment") }
                    ],
                    "when": { "question": "easy", "is": { "at_most": 4 } }
                }
            ]
        })
    }

    #[test]
    fn the_default_and_the_example_make_sense() {
        assert_eq!(Policy::default_document().unwrap().surveys.check(), Ok(()));
        assert_eq!(surveys(&touchpoint()), Ok(()));
        let mut periodic = touchpoint();
        periodic["on"] = "relationship".into();
        periodic["every"] = "90d".into();
        assert_eq!(surveys(&periodic), Ok(()));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let question = |id: &str, kind: &str| json!({ "id": id, "kind": kind });
        let when = |is: Value| json!({ "question": "easy", "is": is });
        for (place, value, named) in [
            ("/delay", json!("367d"), "delay"),
            ("/open", json!("12h"), "open"),
            ("/open", json!("367d"), "open"),
            ("/reminder", json!("12h"), "reminder"),
            ("/reminder", json!("7d"), "reminder"),
            ("/share", json!(0), "share"),
            ("/share", json!(10_001), "share"),
            ("/quota", json!(0), "quota"),
            ("/every", json!("90d"), "every"),
            ("/on", json!("relationship"), "every"),
            ("/questions", json!([]), "questions"),
            ("/questions", (0..9).map(|n| question(&n.to_string(), "nps")).collect(), "questions"),
            ("/questions/0", question("easy", "text"), "questions[0]"),
            ("/questions/0/optional", json!(true), "questions[0]"),
            ("/questions/1/id", json!("easy"), "questions[1].id"),
            ("/questions/1/most", json!(0), "questions[1].most"),
            ("/questions/1/most", json!(3), "questions[1].most"),
            ("/questions/1/choices/1/id", json!("address"), "questions[1].choices"),
            ("/questions/1/choices", json!([]), "questions[1].choices"),
            ("/questions/1/ask", Value::Null, "questions[1].ask"),
            ("/questions/1/when/question", json!("what"), "questions[1].when.question"),
            ("/questions/1/when", when(json!({ "at_most": 8 })), "questions[1].when.is"),
            ("/questions/1/when", when(json!({ "at_least": 0 })), "questions[1].when.is"),
            ("/questions/1/when", when(json!({ "chose": ["address"] })), "questions[1].when.is"),
            ("/questions/1/when", when(json!({ "chose": [] })), "questions[1].when.is"),
        ] {
            let mut broken = touchpoint();
            match broken.pointer_mut(place) {
                Some(found) => *found = value.clone(),
                None => broken[place.trim_start_matches('/')] = value.clone(),
            }
            let error = surveys(&broken).unwrap_err();
            let expected = format!("surveys.touchpoints[0].{named}");
            assert!(error.contains(&expected), "{place} {value}: {error}");
        }
    }

    #[test]
    fn products_are_asked_about_an_order_and_once() {
        for (on, asked, named) in [
            ("delivery", 1, None),
            ("delivery", 2, Some("questions[2].kind")),
            ("solved", 1, Some("questions[1].kind")),
            ("tier", 1, Some("questions[1].kind")),
        ] {
            let mut questions = vec![json!({ "id": "likely", "kind": "nps" })];
            questions
                .extend((0..asked).map(|n| json!({ "id": format!("p{n}"), "kind": "products" })));
            let touchpoint = json!({
                "id": "a", "on": on, "delay": "3d", "open": "9d", "questions": questions
            });
            let error = surveys(&touchpoint).err();
            let named_there = error.as_ref().zip(named).is_some_and(|(it, at)| it.contains(at));
            assert!(
                error.is_none() == named.is_none() && (named.is_none() || named_there),
                "{error:?}"
            );
        }
    }

    #[test]
    fn valuable_feedback_is_not_empty_nor_longer_than_comments() {
        for (least, named) in [(0, true), (1, false), (1_000, false), (1_001, true)] {
            let policy: SurveysPolicy = serde_json::from_value(
                json!({ "touchpoints": [], "valuable": { "least": least } }),
            )
            .unwrap();
            let said = policy.check().map_or_else(|error| error.to_string(), |()| String::new());
            assert_eq!(said.contains("surveys.valuable.least"), named, "{least}: {said}");
        }
    }

    #[test]
    fn names_differ() {
        let policy: SurveysPolicy =
            serde_json::from_value(json!({ "touchpoints": [touchpoint(), touchpoint()] })).unwrap();
        assert!(policy.check().unwrap_err().to_string().contains("surveys.touchpoints[1].id"));
    }
}
