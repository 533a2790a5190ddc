//! Whether a message goes on, waits or is withheld.

use aftercart::model::{
    contact::{self, ContactEntry, ContactPolicy, Contacts, Verdict, Withheld},
    time::Timestamp,
};

use super::addressing::Due;

/// What became of a message when it came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It was let out then, and is not known to have gone on.
    LetOut(Timestamp),
    /// It went on, or was withheld.
    Done,
    /// It waits, since then.
    Waits(Timestamp),
}

/// What is true when a message comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// How often its reader was contacted, and what they want.
    pub contacts: Contacts,
    /// Whether another record of the same reader refuses it.
    pub refused: bool,
    /// What became of it when it came before.
    pub before: Option<Before>,
    /// Whether what it tells is not so any more.
    pub over: bool,
}

/// What is to be done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it went on or was withheld before.
    Done,
    /// It goes on, once this is written.
    Admit(Contacts, ContactEntry),
    /// It waits until then.
    Wait(ContactEntry, Timestamp),
    /// It is withheld.
    Withhold(ContactEntry),
}

/// Decides about a message that came for the first time, or again. One that was
/// let out, and is not known to have gone on, is decided about anew, as if it
/// had not been: who said no meanwhile is not told, however late it comes again.
#[must_use]
pub fn decide(due: &Due, facts: &Facts, policy: &ContactPolicy, now: Timestamp) -> Step {
    let since = match facts.before {
        Some(Before::Done) => return Step::Done,
        Some(Before::Waits(since)) => since,
        Some(Before::LetOut(_)) | None => now,
    };
    let entry = |at, withheld| ContactEntry {
        who: due.who.clone(),
        reference: due.reference.clone(),
        purpose: due.purpose,
        at,
        withheld,
    };
    let withhold = |why| Step::Withhold(entry(now, Some(why)));
    let too_late = |then| due.until.is_some_and(|until| until <= then);
    if facts.over || too_late(now) {
        return withhold(Withheld::TooLate);
    }
    let contacts = unmade(due, facts);
    // None of these messages says in which country it is read: the record does.
    let verdict = contact::decide(&contacts, due.purpose, false, None, policy, now);
    match verdict.unless(facts.refused) {
        Verdict::Admit(contacts) => Step::Admit(contacts, entry(now, None)),
        Verdict::Wait(then) if too_late(then) => withhold(Withheld::TooLate),
        Verdict::Wait(then) => Step::Wait(entry(since, None), then),
        Verdict::Withhold(why) => withhold(why),
    }
}

/// The record of contacts without that which the message was let out as, if it
/// was.
#[must_use]
pub fn unmade(due: &Due, facts: &Facts) -> Contacts {
    match facts.before {
        Some(Before::LetOut(then)) => facts.contacts.without(due.purpose, then),
        _ => facts.contacts.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftercart::{
        messages::Envelope,
        model::{contact::Purpose, customer::CustomerId, policy::Policy},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::addressing::{
        self,
        tests::{cart, expiring, sealed},
    };

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn policy() -> ContactPolicy {
        Policy::default_document().unwrap().contact
    }

    fn nobody(due: &Due) -> Contacts {
        Contacts::none(due.who.clone())
    }

    fn of(envelope: &Envelope) -> Due {
        addressing::due(envelope).unwrap()
    }

    fn facts(due: &Due) -> Facts {
        Facts { contacts: nobody(due), refused: false, before: None, over: false }
    }

    fn decided(due: &Due, before: Option<Before>, over: bool, now: &str) -> Step {
        decide(due, &Facts { before, over, ..facts(due) }, &policy(), at(now))
    }

    #[test]
    fn a_message_goes_on_once_it_is_noted() {
        let due = of(&sealed(cart(CustomerId::member("ada").ok())));
        let now = "2026-11-21T12:00:00Z";
        let Step::Admit(contacts, entry) = decided(&due, None, false, now) else { panic!() };
        assert_eq!(contacts.made, [(at(now), Purpose::Carts)]);
        assert_eq!((entry.at, entry.withheld), (at(now), None));
        for over in [false, true] {
            assert_eq!(decided(&due, Some(Before::Done), over, now), Step::Done);
        }
    }

    #[test]
    fn what_was_let_out_and_comes_again_is_decided_about_as_if_it_had_not_been() {
        use Withheld::{NoConsent, TooLate};
        let due = of(&sealed(cart(CustomerId::member("ada").ok())));
        let (made, noon) = (at("2026-11-21T12:00:00Z"), at("2026-11-22T12:00:00Z"));
        // It took the last room, which it has still.
        let contacts = Contacts { made: vec![(made, Purpose::Carts); 3], ..nobody(&due) };
        let known = Facts { contacts, before: Some(Before::LetOut(made)), ..facts(&due) };
        let Step::Admit(again, entry) = decide(&due, &known, &policy(), noon) else { panic!() };
        let moments = [(made, Purpose::Carts), (made, Purpose::Carts), (noon, Purpose::Carts)];
        assert_eq!((again.made, entry.at), (moments.to_vec(), noon));
        assert_eq!(unmade(&due, &known).made.len(), 2);
        let no = BTreeMap::from([(Purpose::Carts, false)]);
        let refusing = known.contacts.choosing(&no, made);
        for (facts, why) in [
            (Facts { contacts: refusing, ..known.clone() }, NoConsent),
            (Facts { refused: true, ..known.clone() }, NoConsent),
            (Facts { over: true, ..known.clone() }, TooLate),
        ] {
            let step = decide(&due, &facts, &policy(), noon);
            let Step::Withhold(entry) = step else { panic!("{step:?}") };
            assert_eq!((entry.withheld, entry.at), (Some(why), noon));
        }
        let night = at("2026-11-22T22:00:00Z");
        let step = decide(&due, &known, &policy(), night);
        let Step::Wait(entry, until) = step else { panic!("{step:?}") };
        assert_eq!((entry.at, until), (night, at("2026-11-23T08:00:00Z")));
    }

    #[test]
    fn the_night_is_that_of_the_country_which_is_known() {
        let due = of(&sealed(cart(CustomerId::member("ada").ok())));
        let country = aftercart::model::customer::Country::try_from("CN".to_owned()).ok();
        let abroad = Facts { contacts: Contacts { country, ..nobody(&due) }, ..facts(&due) };
        let step = decide(&due, &abroad, &policy(), at("2026-11-21T14:00:00Z"));
        let Step::Wait(_, until) = step else { panic!("{step:?}") };
        assert_eq!(until, at("2026-11-22T00:00:00Z"), "eight in the morning there");
        let step = decide(&due, &abroad, &policy(), at("2026-11-22T01:00:00Z"));
        assert!(matches!(step, Step::Admit(..)), "it is night in UTC: {step:?}");
    }

    #[test]
    fn a_message_waits_for_the_morning_and_is_decided_about_then() {
        let due = of(&sealed(cart(CustomerId::member("ada").ok())));
        let evening = "2026-11-21T22:00:00Z";
        let Step::Wait(entry, until) = decided(&due, None, false, evening) else { panic!() };
        assert_eq!((entry.at, until), (at(evening), at("2026-11-22T08:00:00Z")));
        let waits = Some(Before::Waits(entry.at));
        let later = decided(&due, waits, false, "2026-11-22T02:00:00Z");
        assert_eq!(later, Step::Wait(entry, until), "it waits since it came");
        let morning = decided(&due, waits, false, "2026-11-22T08:00:00Z");
        assert!(matches!(morning, Step::Admit(..)), "{morning:?}");
        // The cart was ordered meanwhile.
        let over = decided(&due, waits, true, "2026-11-22T08:00:00Z");
        let Step::Withhold(entry) = over else { panic!("{over:?}") };
        assert_eq!(entry.withheld, Some(Withheld::TooLate));
    }

    #[test]
    fn what_would_come_too_late_is_not_said() {
        let night_ends = "2026-11-22T08:00:00Z";
        for (ends, now, waits) in [
            ("2026-11-22T08:00:00.001Z", "2026-11-21T23:00:00Z", true),
            (night_ends, "2026-11-21T23:00:00Z", false),
            ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z", false),
        ] {
            let due = of(&sealed(expiring(at(ends))));
            match decided(&due, None, false, now) {
                Step::Wait(_, until) => assert!(waits && until == at(night_ends)),
                Step::Withhold(entry) => {
                    assert!(!waits && entry.withheld == Some(Withheld::TooLate));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_withheld_says_why() {
        let due = of(&sealed(cart(CustomerId::member("ada").ok())));
        let now = at("2026-11-21T12:00:00Z");
        let refusing = nobody(&due).choosing(&BTreeMap::from([(Purpose::Carts, false)]), now);
        let often = Contacts { made: vec![(now, Purpose::Carts); 3], ..nobody(&due) };
        for (contacts, why) in [(refusing, Withheld::NoConsent), (often, Withheld::Cap)] {
            let step = decide(&due, &Facts { contacts, ..facts(&due) }, &policy(), now);
            let Step::Withhold(entry) = step else { panic!("{step:?}") };
            assert_eq!((entry.withheld, entry.at), (Some(why), now));
        }
    }

    proptest! {
        /// Whatever comes in whatever order and however often, each message is
        /// decided about once, and the record holds what was let out.
        #[test]
        fn every_message_is_decided_about_once(
            steps in prop::collection::vec((0_usize..12, 0_i64..40_000), 1..60),
        ) {
            let due = |number: usize| {
                let sealed = sealed(cart(CustomerId::member("ada").ok()));
                let reference = aftercart::model::text::Text::new(&format!("m{number}")).unwrap();
                Due { reference, ..of(&sealed) }
            };
            let (policy, mut contacts) = (policy(), nobody(&due(0)));
            let (mut now, mut decided) = (1_795_262_400, BTreeMap::new());
            for (number, step) in steps {
                now += step;
                let moment = Timestamp::from_unix_seconds(now).unwrap();
                let before = decided.get(&number).copied();
                let facts =
                    Facts { contacts: contacts.clone(), before, ..facts(&due(number)) };
                match decide(&due(number), &facts, &policy, moment) {
                    Step::Done => prop_assert_eq!(before, Some(Before::Done)),
                    Step::Admit(noted, entry) => {
                        prop_assert!(entry.withheld.is_none());
                        decided.insert(number, Before::Done);
                        contacts = noted;
                    }
                    Step::Wait(entry, until) => {
                        prop_assert!(until > moment);
                        decided.insert(number, Before::Waits(entry.at));
                    }
                    Step::Withhold(entry) => {
                        prop_assert_eq!(entry.withheld, Some(Withheld::Cap));
                        decided.insert(number, Before::Done);
                    }
                }
            }
        }
    }
}
