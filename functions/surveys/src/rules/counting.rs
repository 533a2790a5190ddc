//! What statistics count of an answer.
//!
//! An answer is counted once, and a correction as its difference from what was
//! counted: so the sums are those of the answers as they stand, however often and
//! in whatever order one is told of them.

use std::collections::BTreeMap;

use aftercart::model::{
    answers::{self, Column, Counted, Difference, Mark, Value},
    survey::{Invite, InviteStatus, QuestionId},
};

/// What is to be counted: the arguments of `store::answers::count`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counting {
    /// The month of the counters, such as `2026-11`.
    pub month: String,
    /// What is counted of the answer then.
    pub counted: Counted,
    /// How that differs from what was counted before, by column.
    pub differences: Vec<Difference>,
}

/// What is to be counted of an invitation; none, if it has no answer, or this
/// revision of it was counted.
#[must_use]
pub fn decide(invite: &Invite) -> Option<Counting> {
    let InviteStatus::Answered { answer, .. } = &invite.status else { return None };
    if answer.revision <= invite.counted.revision {
        return None;
    }
    // What is said of foreign products would be counted where nobody was asked.
    let marks = Mark::of(&invite.about.named(&answer.given));
    let counted = Counted { revision: answer.revision, marks };
    let columns = Column::of(&invite.about);
    let difference = |column| difference(column, &invite.counted, &counted);
    Some(Counting {
        month: answers::month_of(invite)?,
        differences: columns.into_iter().map(difference).filter(|it| !it.is_none()).collect(),
        counted,
    })
}

fn difference(column: Column, before: &Counted, after: &Counted) -> Difference {
    let mut values: BTreeMap<(QuestionId, Value), i64> = BTreeMap::new();
    for (marks, sign) in [(&before.marks, -1), (&after.marks, 1)] {
        for mark in marks.iter().filter(|mark| mark.is_in(&column)) {
            let by = values.entry((mark.question.clone(), mark.value.clone())).or_default();
            *by = by.saturating_add(sign);
        }
    }
    values.retain(|_, by| *by != 0);
    let is_first = before.revision == 0;
    Difference { column, answered: i64::from(is_first), values }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aftercart::model::{
        answers::Counts,
        customer::{CustomerId, Email, Language},
        id::InviteId,
        product::Sku,
        shipment::Carrier,
        survey::{About, Answer, ChoiceId, Given, Occasion, Taste, TouchpointId},
        text::Text,
        time::{Period, Timestamp},
    };
    use proptest::prelude::*;

    use super::*;

    fn sku(number: u8) -> Sku {
        Sku::parse(&format!("P{number}")).unwrap()
    }

    fn invite(given: BTreeMap<QuestionId, Given>, revision: u32, counted: Counted) -> Invite {
        let at = Timestamp::parse("2026-10-31T23:00:00Z").unwrap();
        let later = at.plus(Period::of_days(3));
        let answer = Answer { given, at: later, revision, language: Language::En };
        Invite {
            id: InviteId::derive(&["1"]),
            touchpoint: TouchpointId::parse("delivery").unwrap(),
            occasion: Occasion::Delivery,
            about: About {
                carrier: Some(Carrier::Generic),
                products: vec![sku(0), sku(1)],
                ..About::default()
            },
            customer: CustomerId::guest("k"),
            email: Email::parse("a@b.cd").unwrap(),
            language: Language::En,
            country: None,
            due: at,
            expires: later,
            status: InviteStatus::Answered { sent_at: at, answer },
            counted,
        }
    }

    fn add(sums: &mut BTreeMap<Column, Counts>, differences: &[Difference]) {
        for it in differences {
            let counts = sums.entry(it.column.clone()).or_default();
            counts.answered = counts.answered.checked_add_signed(it.answered).unwrap();
            for ((question, value), by) in &it.values {
                let values = counts.values.entry(question.clone()).or_default();
                let count = values.entry(value.clone()).or_default();
                *count = count.checked_add_signed(*by).unwrap();
            }
        }
    }

    /// What is there, without what is there no more.
    fn tidy(mut sums: BTreeMap<Column, Counts>) -> BTreeMap<Column, Counts> {
        for counts in sums.values_mut() {
            counts.values.values_mut().for_each(|it| it.retain(|_, count| *count > 0));
            counts.values.retain(|_, it| !it.is_empty());
        }
        sums
    }

    fn given() -> impl Strategy<Value = BTreeMap<QuestionId, Given>> {
        let question = |text| QuestionId::parse(text).unwrap();
        let choice = |number: u8| ChoiceId::parse(&number.to_string()).unwrap();
        let taste = prop_oneof![Just(Taste::Like), Just(Taste::Dislike)];
        let products = prop::collection::btree_map((0_u8..3).prop_map(sku), taste, 0..3);
        let choices = prop::collection::btree_set(0_u8..4, 0..4)
            .prop_map(move |it: BTreeSet<u8>| it.into_iter().map(choice).collect());
        let words = Just(Given::Text(Text::new("words").unwrap()));
        (
            prop::option::of((0_u8..=10).prop_map(Given::Score)),
            prop::option::of(choices.prop_map(Given::Choices)),
            prop::option::of(products.prop_map(Given::Products)),
            prop::option::of(words),
        )
            .prop_map(move |(a, b, c, d)| {
                let all = [("a", a), ("b", b), ("c", c), ("d", d)];
                all.into_iter().filter_map(|(id, it)| Some((question(id), it?))).collect()
            })
    }

    #[test]
    fn an_answer_is_counted_in_the_month_of_its_invitation() {
        let score = BTreeMap::from([(QuestionId::parse("a").unwrap(), Given::Score(9))]);
        let counting = decide(&invite(score.clone(), 1, Counted::default())).unwrap();
        assert_eq!(counting.month, "2026-10");
        let columns: Vec<String> =
            counting.differences.iter().map(|it| it.column.to_string()).collect();
        assert_eq!(columns, ["all", "carrier#generic", "tier#", "sku#P0", "sku#P1"]);
        assert_eq!(decide(&invite(score.clone(), 1, counting.counted.clone())), None);
        let again = decide(&invite(score, 2, counting.counted)).unwrap();
        assert_eq!(again.differences, [], "the same in another revision");
        let unanswered = Invite {
            status: InviteStatus::Scheduled,
            ..invite(BTreeMap::new(), 1, Counted::default())
        };
        assert_eq!(decide(&unanswered), None);
    }

    #[test]
    fn what_is_said_of_foreign_products_is_not_counted() {
        let question = QuestionId::parse("c").unwrap();
        let said = |skus: &[u8]| {
            let tastes = skus.iter().map(|it| (sku(*it), Taste::Dislike)).collect();
            BTreeMap::from([(question.clone(), Given::Products(tastes))])
        };
        let counted = |skus: &[u8]| {
            let counting = decide(&invite(said(skus), 1, Counted::default())).unwrap();
            counting.counted.marks.iter().map(Mark::to_string).collect::<Vec<_>>()
        };
        assert_eq!(counted(&[0, 2]), ["c#", "c#-P0"]);
        assert_eq!(counted(&[2]), [""; 0], "as if nothing was said");
    }

    proptest! {
        /// Whichever revisions are counted, and whichever are missed, the sums
        /// are those of the last one alone.
        #[test]
        fn the_sums_are_those_of_the_answers_as_they_stand(
            revisions in prop::collection::vec((given(), any::<bool>()), 1..6),
        ) {
            let (mut sums, mut counted) = (BTreeMap::new(), Counted::default());
            let last = revisions.len();
            for (revision, (given, told)) in (1_u32..).zip(&revisions) {
                let is_last = usize::try_from(revision).unwrap() == last;
                if *told || is_last {
                    let counting = decide(&invite(given.clone(), revision, counted)).unwrap();
                    add(&mut sums, &counting.differences);
                    counted = counting.counted;
                }
            }
            let (given, _) = &revisions[last - 1];
            let mut alone = BTreeMap::new();
            let once = decide(&invite(given.clone(), 1, Counted::default())).unwrap();
            add(&mut alone, &once.differences);
            prop_assert_eq!(tidy(sums), tidy(alone));
        }
    }
}
