//! What whoever answered is told: the points that the answer brings, and
//! whether somebody will be in touch.

use aftercart::model::{
    care::CarePolicy,
    points::Judged,
    programme::{
        PointsPolicy,
        earning::{ActionKind, ActionRule},
    },
    survey::{Answer, Given, Occasion, Touchpoint},
    time::{Period, Timestamp},
};

use crate::wire::SurveyPoints;

/// How long points are announced that are not there yet. They come within
/// seconds; those of an account that flows into another one come there.
const ON_THEIR_WAY: Period = Period::of_seconds(10 * 60);

/// The points for an answer of a member: those that were given for it, or,
/// for a while, the most that the rules may give. None where there are none.
#[must_use]
pub fn points(
    policy: &PointsPolicy,
    answered_at: Timestamp,
    judged: Option<&Judged>,
    now: Timestamp,
) -> Option<SurveyPoints> {
    if let Some(judged) = judged {
        let points = judged.points();
        return (points > 0).then_some(SurveyPoints { points, granted: true });
    }
    let points = most(policy, answered_at);
    let soon = now < answered_at.plus(ON_THEIR_WAY);
    (points > 0 && soon).then_some(SurveyPoints { points, granted: false })
}

/// The most that the rules give for an answer of then.
#[must_use]
pub fn most(policy: &PointsPolicy, at: Timestamp) -> i64 {
    let runs = |rule: &&ActionRule| {
        rule.action == ActionKind::SurveyAnswer
            && rule.when.from.is_none_or(|from| from <= at)
            && rule.when.until.is_none_or(|until| at < until)
    };
    let rules = policy.earning.actions.iter().filter(runs);
    let worth = |rule: &ActionRule| {
        let on_top = rule.streak.values().max().copied().unwrap_or(0);
        i64::from(rule.points).saturating_add(on_top.into())
    };
    rules.fold(0, |sum, rule| worth(rule).saturating_add(sum))
}

/// Whether somebody will be in touch about an answer: its first score is so low
/// that it opens a ticket.
#[must_use]
pub fn is_followed_up(
    answer: &Answer,
    touchpoint: &Touchpoint,
    occasion: Occasion,
    policy: &CarePolicy,
) -> bool {
    let Some(first) = touchpoint.questions.first() else { return false };
    let Some((_, best)) = first.kind.scale() else { return false };
    let Some(Given::Score(score)) = answer.given.get(&first.id) else { return false };
    policy.opens.iter().any(|rule| rule.is_on(occasion) && rule.takes(*score, best))
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::{CustomerId, Language},
        points::Told,
        policy::Policy,
        text::Text,
    };
    use serde_json::json;

    use super::*;
    use crate::rules::{
        answering,
        fixtures::{day, everything, said},
    };

    fn policy() -> PointsPolicy {
        let mut policy = json!(Policy::default_document().unwrap());
        let title = json!({ "en": "Survey", "zh": "问卷" });
        policy["points"]["earning"]["actions"] = json!([
            { "id": "survey", "title": title, "action": "survey_answer", "points": 50 },
            { "id": "august", "title": title, "action": "survey_answer", "points": 5,
              "when": { "from": day(10), "until": day(20) }, "streak": { "3": 7, "9": 2 } },
            { "id": "review", "title": title, "action": "review", "points": 900 },
        ]);
        serde_json::from_value::<Policy>(policy).unwrap().points
    }

    #[test]
    fn points_are_called_given_only_when_they_were() {
        let judged = |points| Judged {
            told: vec![Told { rule: "survey".to_owned(), points, why: None }],
            id: Judged::id(&customer(), ActionKind::SurveyAnswer, &Text::new("1").unwrap()),
            customer: customer(),
            at: day(9),
            streak: None,
        };
        let soon = day(9).plus(Period::of_seconds(599));
        let said = |points, granted| Some(SurveyPoints { points, granted });
        for (judged, now, told) in [
            (None, day(9), said(50, false)),
            (None, soon, said(50, false)),
            (None, day(9).plus(ON_THEIR_WAY), None),
            (Some(judged(40)), day(30), said(40, true)),
            (Some(judged(0)), day(9), None),
        ] {
            assert_eq!(points(&policy(), day(9), judged.as_ref(), now), told, "{judged:?} {now}");
        }
        let most = [9, 10, 19, 20].map(|days| most(&policy(), day(days)));
        assert_eq!(most, [50, 62, 62, 50]);
    }

    fn customer() -> CustomerId {
        CustomerId::member("a").unwrap()
    }

    #[test]
    fn a_low_score_is_followed_up_as_the_policy_has_it() {
        let mut care = Policy::default_document().unwrap().care;
        let followed = |recommend: u8, care: &CarePolicy, occasion| {
            let said = said(json!({ "recommend": recommend, "wrong": ["late"], "content": 1 }));
            let given = answering::read(&everything(), &said).unwrap();
            let answer = Answer { given, at: day(9), revision: 1, language: Language::En };
            is_followed_up(&answer, &everything(), occasion, care)
        };
        let (delivery, product) = (Occasion::Delivery, Occasion::Product);
        let scores = [0, 6, 7].map(|score| followed(score, &care, delivery));
        assert_eq!(scores, [true, true, false]);
        assert!(!followed(0, &care, product));
        care.opens.iter_mut().for_each(|rule| rule.on.clear());
        assert!(followed(0, &care, product));
        care.opens.clear();
        assert!(!followed(0, &care, delivery));
    }
}
