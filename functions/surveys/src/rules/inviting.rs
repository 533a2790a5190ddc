//! What an invitation says.

use aftercart::{
    messages::{SurveyInvited, SurveyTap},
    model::{
        customer::Language,
        survey::{Invite, Kind, Question, Touchpoint},
        text::Text,
    },
};

use crate::words;

/// The pages to which a message leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// That of the survey.
    pub survey: String,
    /// That on which its reader chooses not to be asked.
    pub unsubscribe: String,
}

/// The message of an invitation, or of its reminder; none of a survey without
/// questions, which no policy has.
#[must_use]
pub fn message(
    invite: &Invite,
    touchpoint: &Touchpoint,
    pages: Pages,
    reminder: bool,
) -> Option<SurveyInvited> {
    let question = touchpoint.questions.first()?;
    let asked = words::ask(question, invite.occasion, invite.language);
    let Pages { survey, unsubscribe } = pages;
    Some(SurveyInvited {
        invite: invite.id.clone(),
        touchpoint: touchpoint.id.clone(),
        customer: invite.customer.clone(),
        order: invite.about.order.clone(),
        channel: touchpoint.channel,
        email: invite.email.clone(),
        language: invite.language,
        question: Text::new(asked).ok()?,
        taps: taps(question, invite.language),
        link: survey,
        unsubscribe,
        expires: invite.expires,
        reminder,
    })
}

/// What can be tapped in the message: every number or every choice, or nothing.
/// A part of them would be another question.
fn taps(question: &Question, language: Language) -> Vec<SurveyTap> {
    let tap = |label: &str, answer: &str| {
        Some(SurveyTap { label: Text::new(label).ok()?, answer: Text::new(answer).ok()? })
    };
    let taps: Option<Vec<SurveyTap>> = match (&question.kind, question.kind.scale()) {
        (_, Some((lowest, highest))) => {
            (lowest..=highest).map(|it| tap(&it.to_string(), &it.to_string())).collect()
        }
        (Kind::Single { choices }, None) => {
            choices.iter().map(|it| tap(it.title.text(language), it.id.as_str())).collect()
        }
        _ => None,
    };
    taps.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        answers::Counted,
        customer::{CustomerId, Email},
        id::InviteId,
        survey::{About, Channel, InviteStatus, Occasion},
        time::Timestamp,
    };
    use serde_json::json;

    use super::*;

    fn touchpoint(question: &serde_json::Value) -> Touchpoint {
        serde_json::from_value(json!({
            "id": "t", "on": "checkout", "delay": "0d", "open": "9d", "channel": "sms",
            "questions": [question]
        }))
        .unwrap()
    }

    fn invitation(language: Language, question: &serde_json::Value) -> SurveyInvited {
        let touchpoint = touchpoint(question);
        let invite = Invite {
            id: InviteId::derive(&["1"]),
            touchpoint: touchpoint.id.clone(),
            occasion: Occasion::Checkout,
            about: About::default(),
            customer: CustomerId::guest("k"),
            email: Email::parse("a@b.cd").unwrap(),
            language,
            country: None,
            due: Timestamp::EPOCH,
            expires: Timestamp::EPOCH,
            status: InviteStatus::Scheduled,
            counted: Counted::default(),
        };
        let pages = Pages { survey: "/s/x".to_owned(), unsubscribe: "/u/x".to_owned() };
        message(&invite, &touchpoint, pages, true).unwrap()
    }

    #[test]
    fn the_first_question_is_asked_in_the_message() {
        let title = |en: &str, zh: &str| json!({ "en": en, "zh": zh });
        let single = json!({
            "id": "q", "kind": "single", "ask": title("Which?", "哪个？"), "choices": [
                { "id": "a", "title": title("One", "一") },
                { "id": "b", "title": title("Two", "二") }
            ]
        });
        let english = invitation(Language::En, &single);
        assert_eq!((english.question.as_str(), english.reminder), ("Which?", true));
        assert_eq!((&english.customer, english.channel), (&CustomerId::guest("k"), Channel::Sms));
        assert_eq!((english.link.as_str(), english.unsubscribe.as_str()), ("/s/x", "/u/x"));
        let taps: Vec<(&str, &str)> =
            english.taps.iter().map(|it| (it.label.as_str(), it.answer.as_str())).collect();
        assert_eq!(taps, [("One", "a"), ("Two", "b")]);
        let chinese = invitation(Language::Zh, &single);
        assert_eq!((chinese.question.as_str(), chinese.taps[0].label.as_str()), ("哪个？", "一"));
        for (kind, first, last) in
            [("nps", "0", "10"), ("csat", "1", "5"), ("ces", "1", "7"), ("stars", "1", "5")]
        {
            for language in Language::ALL {
                let mail = invitation(language, &json!({ "id": "q", "kind": kind }));
                let ends =
                    [mail.taps.first(), mail.taps.last()].map(|it| it.unwrap().label.as_str());
                assert_eq!(ends, [first, last], "{kind}");
                assert!(mail.taps.iter().all(|it| it.answer.as_str() == it.label.as_str()));
            }
        }
    }

    #[test]
    fn a_choice_that_is_too_long_to_tap_takes_the_others_with_it() {
        let title = |text: &str| json!({ "en": text, "zh": text });
        let long = json!({
            "id": "q", "kind": "single", "ask": title("Which?"), "choices": [
                { "id": "a", "title": title("One") }, { "id": "b", "title": title(&"b".repeat(41)) }
            ]
        });
        assert_eq!(invitation(Language::En, &long).taps, []);
    }
}
