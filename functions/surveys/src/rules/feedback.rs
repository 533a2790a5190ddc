//! What is kept of what buyers wrote, and what of it is valuable.

use aftercart::{
    messages::{ActionDone, Message},
    model::{
        feedback::{Comment, Feedback, Valued},
        policy::Policy,
        programme::earning::ActionKind,
        survey::{Answer, Given, Invite, Touchpoint, Valuable},
        text::Text,
        time::Timestamp,
    },
};
use aftercart_insight::reading;

/// The feedback of an answered invitation as it stands now, after what was
/// known of it; none, if nothing was written, neither now nor before.
///
/// Personal data is masked in it. What was called valuable stays so, whatever
/// the correction says.
#[must_use]
pub fn decide(
    invite: &Invite,
    known: Option<&Feedback>,
    policy: &Policy,
    now: Timestamp,
) -> Option<Feedback> {
    let answer = invite.status.answer()?;
    let words = words(answer);
    if words.is_empty() && known.is_none() {
        return None;
    }
    let read = reading::read(&words, &policy.care.alarms);
    let touchpoint = policy.surveys.touchpoint(&invite.touchpoint);
    let mut feedback = Feedback {
        invite: invite.id.clone(),
        touchpoint: invite.touchpoint.clone(),
        occasion: invite.occasion,
        order: invite.about.order.clone(),
        customer: invite.customer.clone(),
        at: answer.at,
        revision: answer.revision,
        score: touchpoint.and_then(|it| score(answer, it)),
        comments: comments(answer),
        language: read.language,
        sentiment: read.sentiment,
        topics: read.topics,
        alarms: read.alarms,
        valued: known.and_then(|it| it.valued.clone()),
        version: known.map_or(0, |it| it.version),
    };
    let rule = policy.surveys.valuable.as_ref();
    if feedback.valued.is_none() && rule.is_some_and(|rule| is_valuable(&feedback, rule)) {
        feedback.valued = Some(Valued { at: now, by: None });
    }
    Some(feedback)
}

/// What earns for feedback that is valuable now and was not before: a member's
/// deed, told by its invitation from others, so that it is judged once.
#[must_use]
pub fn deed(feedback: &Feedback, known: Option<&Feedback>) -> Option<Message> {
    let is_new = feedback.valued.is_some() && known.is_none_or(|it| it.valued.is_none());
    let reference = Text::new(feedback.invite.as_str()).ok()?;
    (is_new && feedback.customer.is_member()).then(|| {
        let (customer, action) = (feedback.customer.clone(), ActionKind::ValuableFeedback);
        Message::ActionDone(ActionDone { customer, action, reference })
    })
}

/// Everything that was written, a line each.
fn words(answer: &Answer) -> String {
    let texts = answer.given.values().filter_map(|given| match given {
        Given::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn comments(answer: &Answer) -> Vec<Comment> {
    let comment = |(question, given): (&_, &Given)| match given {
        // What is masked is never longer than what was written.
        Given::Text(text) => Text::new(&reading::mask(text.as_str()))
            .ok()
            .map(|text| Comment { question: Clone::clone(question), text }),
        _ => None,
    };
    answer.given.iter().filter_map(comment).collect()
}

fn score(answer: &Answer, touchpoint: &Touchpoint) -> Option<u8> {
    match answer.given.get(&touchpoint.questions.first()?.id)? {
        Given::Score(score) => Some(*score),
        _ => None,
    }
}

fn is_valuable(feedback: &Feedback, rule: &Valuable) -> bool {
    let said: usize = feedback.comments.iter().map(|it| reading::length(it.text.as_str())).sum();
    let fits = |topic| rule.topics.is_empty() || rule.topics.contains(topic);
    feedback.customer.is_member()
        && said >= usize::from(rule.least)
        && feedback.topics.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftercart::model::{
        answers::Counted,
        customer::{CustomerId, Email, Language},
        feedback::Sentiment,
        id::InviteId,
        survey::{About, InviteStatus, Occasion, QuestionId, TouchpointId},
        ticket::Topic,
        time::Period,
    };

    use super::*;

    const MEMBER: &str = "cus_7d3c1f52-4a0e-4a8e-9c56-0f6b1f1d2a11";

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn policy(least: Option<u16>) -> Policy {
        let mut policy = Policy::default_document().unwrap();
        policy.surveys.valuable =
            least.map(|least| Valuable { least, topics: [Topic::Delivery].into() });
        policy
    }

    fn invite(customer: CustomerId, revision: u32, text: Option<&str>) -> Invite {
        let question = |name: &str| QuestionId::parse(name).unwrap();
        let mut given = BTreeMap::from([(question("recommend"), Given::Score(3))]);
        given.extend(text.map(|it| (question("comment"), Given::Text(Text::new(it).unwrap()))));
        let answer = Answer { given, at: now(), revision, language: Language::En };
        Invite {
            id: InviteId::derive(&["1"]),
            touchpoint: TouchpointId::parse("delivery").unwrap(),
            occasion: Occasion::Delivery,
            about: About::default(),
            customer,
            email: Email::parse("a@b.cd").unwrap(),
            language: Language::En,
            country: None,
            due: now(),
            expires: now(),
            status: InviteStatus::Answered { sent_at: now(), answer },
            counted: Counted::default(),
        }
    }

    fn member() -> CustomerId {
        CustomerId::parse(MEMBER).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_masked() {
        let text = "Came late, the driver was rude. Call me: +44 7700 900123";
        let feedback = decide(&invite(member(), 1, Some(text)), None, &policy(None), now());
        let feedback = feedback.unwrap();
        assert_eq!(
            feedback.comments[0].text.as_str(),
            "Came late, the driver was rude. Call me: [phone]"
        );
        assert_eq!(feedback.score, Some(3));
        assert_eq!(feedback.sentiment, Some(Sentiment::Negative));
        assert_eq!(feedback.topics.first(), Some(&Topic::Delivery));
        assert_eq!((feedback.valued.clone(), feedback.version), (None, 0));
        assert_eq!(deed(&feedback, None), None);
        assert_eq!(decide(&invite(member(), 1, None), None, &policy(None), now()), None);
    }

    #[test]
    fn the_longest_comment_is_kept_masked() {
        let numbers = "1234567 ".repeat(125);
        let feedback = decide(&invite(member(), 1, Some(&numbers)), None, &policy(None), now());
        assert!(!feedback.unwrap().comments[0].text.as_str().contains(char::is_numeric));
    }

    #[test]
    fn a_rule_values_once_what_members_say_at_length_about_a_topic() {
        let (ok, guest) = ("The courier came late", CustomerId::guest("k"));
        let cases = [
            (member(), Some(18), ok, true),
            (member(), Some(19), ok, false),
            (member(), Some(18), "快递太慢了", false),
            (member(), Some(18), "快递太慢，等了七天", true),
            (member(), Some(18), "The lamp is not bright enough", false),
            (member(), None, ok, false),
            (guest, Some(18), ok, false),
        ];
        for (customer, least, text, valued) in cases {
            let invite = invite(customer, 1, Some(text));
            let feedback = decide(&invite, None, &policy(least), now()).unwrap();
            assert_eq!(feedback.valued.is_some(), valued, "{text}");
            assert_eq!(deed(&feedback, None).is_some(), valued, "{text}");
        }
    }

    #[test]
    fn a_correction_keeps_the_value_and_may_take_the_words_back() {
        let first = invite(member(), 1, Some("The courier came late"));
        let first = decide(&first, None, &policy(Some(10)), now()).unwrap();
        let known = Feedback { version: 1, ..first };
        let later = now().plus(Period::of_days(1));
        let corrected = decide(&invite(member(), 2, None), Some(&known), &policy(Some(10)), later);
        let corrected = corrected.unwrap();
        assert_eq!((corrected.comments.len(), corrected.revision, corrected.version), (0, 2, 1));
        assert_eq!(corrected.valued, known.valued);
        assert_eq!(deed(&corrected, Some(&known)), None, "it earned before");
    }
}
