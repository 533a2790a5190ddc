//! What a report says of what was counted.
//!
//! Each number comes with its interval of 95 % confidence, or not at all: of
//! fewer answers than the policy wants, a report says how many there are and
//! nothing else. How many were asked and did not answer stands beside it. The
//! formulas are those of `aftercart_insight::statistics`.

use std::collections::BTreeMap;

use aftercart::model::{
    answers::{Counts, Value},
    survey::{Kind, Question, Taste, Touchpoint},
};
use aftercart_insight::statistics::{
    Difference, Estimate, Recommending, Sample, Share, Stratum, Weighted, adjusted, between_means,
    between_nps, between_shares, moderated, weighted,
};

/// What is measured of the answers to a question with a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The Net Promoter Score.
    Nps,
    /// The share of those who answered with one of the best values: 4 and 5 of
    /// five, 5 to 7 of seven (those who at least somewhat agree, as the Customer
    /// Effort Score is read: M. Dixon, N. Toman and R. DeLisi, The Effortless
    /// Experience, 2013).
    TopBox,
    /// The mean.
    Mean,
}

impl Measure {
    /// What is measured of a kind of question, the first being what the kind is
    /// known by.
    #[must_use]
    pub const fn of(kind: &Kind) -> &'static [Self] {
        match kind {
            Kind::Nps => &[Self::Nps],
            Kind::Csat => &[Self::TopBox, Self::Mean],
            Kind::Ces | Kind::Stars => &[Self::Mean, Self::TopBox],
            Kind::Single { .. } | Kind::Multiple { .. } | Kind::Text | Kind::Products => &[],
        }
    }
}

/// The least and the most of a scale: those of the answers to a kind.
fn scale(kind: &Kind) -> (i16, i16) {
    kind.scale().map_or((0, 0), |(least, most)| (least.into(), most.into()))
}

/// The numbers of a scale.
fn numbers(kind: &Kind) -> impl Iterator<Item = u8> {
    kind.scale().into_iter().flat_map(|(least, most)| least..=most)
}

/// From which value on an answer is one of the best.
fn is_top(kind: &Kind, score: u8) -> bool {
    score >= if matches!(kind, Kind::Ces) { 5 } else { 4 }
}

/// One line of what was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name: that of a column or of a month.
    pub name: String,
    /// What was counted.
    pub counts: Counts,
    /// With what it is compared.
    pub against: Option<Counts>,
    /// What was counted by tier, if it is to be weighted by that.
    pub tiers: Option<Vec<Counts>>,
    /// Whether everybody judged a product at most once: only then are the
    /// judgements a sample of buyers.
    pub is_product: bool,
}

/// A line of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// How many were invited; none, if that is not counted.
    pub sent: Option<u64>,
    /// How many answered.
    pub answered: u64,
    /// The share of these; none of too few, and where it is not known of how many.
    pub response: Option<Estimate>,
    /// By how much more of them answered than of those with whom it is compared.
    pub difference: Option<Tested>,
    /// What they answered, in the order of the survey.
    pub questions: Vec<Reported>,
}

/// What was answered to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// How many answered it.
    pub answered: u64,
    /// What; none of too few.
    pub shown: Option<Shown>,
}

/// What is shown of the answers to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What is measured, in the order of [`Measure::of`].
    pub measures: Vec<Measured>,
    /// How often each value was given, in the order of the question; what was
    /// never given, too. With the share of those who answered where the values
    /// are not a scale.
    pub values: Vec<(Value, u64, Option<Estimate>)>,
}

/// A measure of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Which.
    pub measure: Measure,
    /// What was seen.
    pub value: f64,
    /// Its interval; none, if all answers are the same, of which no mean's
    /// interval can be told.
    pub interval: Option<Estimate>,
    /// The same for those who were invited, by tier; none, if that was not asked
    /// for, if there are too few answers in all tiers but one, and of a question
    /// that may be skipped or is asked after another's answer: how many of a tier
    /// would have had it to answer is not known.
    pub weighted: Option<Weighted>,
    /// By how much it is above that with which it is compared.
    pub difference: Option<Tested>,
}

/// A difference and how likely it is chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The difference.
    pub difference: Difference,
    /// The probability, held to as many tests as the report makes of the same.
    pub adjusted: f64,
}

/// The rows of some lines, in their order. Their differences are tested
/// together, those of each measure by themselves.
#[must_use]
pub fn rows(touchpoint: &Touchpoint, lines: &[Line], least: u64) -> Vec<Row> {
    let mut rows: Vec<Row> = lines.iter().map(|line| row(touchpoint, line, least)).collect();
    hold(rows.iter_mut().map(|row| row.difference.as_mut()));
    for (place, question) in touchpoint.questions.iter().enumerate() {
        for number in 0..Measure::of(&question.kind).len() {
            hold(rows.iter_mut().map(|row| {
                let shown = row.questions.get_mut(place)?.shown.as_mut()?;
                shown.measures.get_mut(number)?.difference.as_mut()
            }));
        }
    }
    rows
}

/// Holds each of these tests to as many as there are.
fn hold<'a>(tests: impl Iterator<Item = Option<&'a mut Tested>>) {
    let tests: Vec<&mut Tested> = tests.flatten().collect();
    let alone: Vec<f64> = tests.iter().map(|it| it.difference.p).collect();
    for (test, p) in tests.into_iter().zip(adjusted(&alone)) {
        test.adjusted = p;
    }
}

fn tested(difference: Option<Difference>) -> Option<Tested> {
    difference.map(|difference| Tested { difference, adjusted: difference.p })
}

fn row(touchpoint: &Touchpoint, line: &Line, least: u64) -> Row {
    let counts = &line.counts;
    let response = |of: &Counts| {
        let sent = of.invited().filter(|sent| *sent >= least)?;
        Some(Share { part: of.answered, of: sent })
    };
    let both = response(counts).zip(line.against.as_ref().and_then(response));
    let difference = both.and_then(|(one, other)| between_shares(one, other));
    let reported = |question| reported(question, line, least);
    Row {
        name: line.name.clone(),
        sent: counts.invited(),
        answered: counts.answered,
        response: response(counts).and_then(|it| it.estimate()),
        difference: tested(difference),
        questions: touchpoint.questions.iter().map(reported).collect(),
    }
}

fn reported(question: &Question, line: &Line, least: u64) -> Reported {
    let answered = answered(question, &line.counts);
    let shown = (answered >= least).then(|| Shown {
        measures: Measure::of(&question.kind)
            .iter()
            .filter_map(|measure| measured(question, *measure, line, least))
            .collect(),
        values: values(question, line, answered),
    });
    Reported { answered, shown }
}

/// How many answered a question.
fn answered(question: &Question, counts: &Counts) -> u64 {
    match question.kind.scale() {
        Some(_) => scores(question, counts).iter().map(|(_, times)| times).sum(),
        None => counts.count(&question.id, &Value::Given),
    }
}

/// How often each number of a question's scale was given.
fn scores(question: &Question, counts: &Counts) -> Vec<(u8, u64)> {
    let count = |score| (score, counts.count(&question.id, &Value::Score(score)));
    numbers(&question.kind).map(count).collect()
}

fn values(question: &Question, line: &Line, answered: u64) -> Vec<(Value, u64, Option<Estimate>)> {
    let count = |value: &Value| line.counts.count(&question.id, value);
    let of = |value: Value, of: Option<u64>| {
        let part = count(&value);
        (value, part, of.and_then(|of| Share { part, of }.estimate()))
    };
    match &question.kind {
        Kind::Products => {
            let both = [Taste::Like, Taste::Dislike].map(Value::Taste);
            let judged = both.iter().map(count).sum();
            both.map(|value| of(value, line.is_product.then_some(judged))).into()
        }
        Kind::Text => vec![of(Value::Given, None)],
        kind => {
            let scores = numbers(kind).map(|it| of(Value::Score(it), None));
            let choices = kind.choices().iter();
            let choices = choices.map(|it| of(Value::Choice(it.id.clone()), Some(answered)));
            scores.chain(choices).collect()
        }
    }
}

/// The answers to a question, as a measure sees them.
#[derive(Debug, Clone, Copy)]
enum Seen {
    Nps(Recommending),
    Top(Share),
    Mean(Sample),
}

fn seen(question: &Question, measure: Measure, counts: &Counts) -> Option<Seen> {
    let scores = scores(question, counts);
    let sum = |fits: &dyn Fn(u8) -> bool| {
        scores.iter().filter(|(score, _)| fits(*score)).map(|(_, times)| times).sum::<u64>()
    };
    Some(match measure {
        Measure::Nps => Seen::Nps(Recommending {
            promoters: sum(&|score| score >= 9),
            passives: sum(&|score| (7..9).contains(&score)),
            detractors: sum(&|score| score < 7),
        }),
        Measure::TopBox => Seen::Top(Share {
            part: sum(&|score| is_top(&question.kind, score)),
            of: sum(&|_| true),
        }),
        Measure::Mean => {
            let values = scores.iter().map(|(score, times)| (i16::from(*score), *times));
            Seen::Mean(Sample::of(values)?)
        }
    })
}

impl Seen {
    fn value(&self) -> Option<f64> {
        match self {
            Self::Nps(it) => it.estimate().map(|it| it.value),
            Self::Top(it) => it.estimate().map(|it| it.value),
            Self::Mean(it) => Some(it.mean),
        }
    }

    fn estimate(&self, scale: (i16, i16)) -> Option<Estimate> {
        match self {
            Self::Nps(it) => it.estimate(),
            Self::Top(it) => it.estimate(),
            Self::Mean(it) => it.estimate(scale),
        }
    }

    fn against(&self, other: &Self) -> Option<Difference> {
        match (self, other) {
            (Self::Nps(one), Self::Nps(other)) => between_nps(one, other),
            (Self::Top(one), Self::Top(other)) => between_shares(*one, *other),
            (Self::Mean(one), Self::Mean(other)) => between_means(one, other),
            _ => None,
        }
    }

    /// The answers as numbers whose mean the measure is, and their scale.
    fn sample(&self, scale: (i16, i16)) -> Option<(Sample, (i16, i16))> {
        match self {
            Self::Nps(it) => Some((it.sample()?, (-1, 1))),
            Self::Top(it) => {
                let rest = it.of.saturating_sub(it.part);
                Some((Sample::of([(1, it.part), (0, rest)])?, (0, 1)))
            }
            Self::Mean(it) => Some((*it, scale)),
        }
    }
}

fn measured(question: &Question, measure: Measure, line: &Line, least: u64) -> Option<Measured> {
    let known = seen(question, measure, &line.counts)?;
    let against = line.against.as_ref().filter(|it| answered(question, it) >= least);
    let against = against.and_then(|it| seen(question, measure, it));
    let is_asked_of_all = question.when.is_none() && !question.optional;
    let tiers = line.tiers.as_deref().filter(|_| is_asked_of_all);
    let tiers = tiers.map(|tiers| strata(question, measure, tiers, least));
    let scale = scale(&question.kind);
    Some(Measured {
        measure,
        value: known.value()?,
        interval: known.estimate(scale),
        weighted: tiers.and_then(|(strata, scale)| weighted(&moderated(strata), scale)),
        difference: tested(against.and_then(|against| known.against(&against))),
    })
}

/// The tiers as groups of those who were invited, each with enough answers: those
/// with fewer are taken together, and with the smallest of the others if they
/// are still too few. None, if one group is left: it weighs what it weighs; and
/// if it is not known how many of each were invited.
fn strata(
    question: &Question,
    measure: Measure,
    tiers: &[Counts],
    least: u64,
) -> (Vec<Stratum>, (i16, i16)) {
    let (mut groups, few): (Vec<Counts>, Vec<Counts>) =
        tiers.iter().cloned().partition(|it| answered(question, it) >= least);
    let mut few = few.iter().fold(Counts::default(), Counts::and);
    groups.sort_by_key(|it| answered(question, it));
    if few.sent > 0 && answered(question, &few) < least && !groups.is_empty() {
        few = groups.remove(0).and(&few);
    }
    if few.sent > 0 {
        groups.push(few);
    }
    if groups.len() < 2 || tiers.iter().any(|it| it.invited().is_none()) {
        return (Vec::new(), (0, 0));
    }
    let mut scale = scale(&question.kind);
    let mut strata = Vec::new();
    for group in &groups {
        let sample = seen(question, measure, group).and_then(|it| it.sample(scale));
        if let Some((sample, of)) = sample {
            scale = of;
            strata.push(Stratum { asked: group.sent, sample });
        }
    }
    (strata, scale)
}

/// The columns of several months, each once, up to the last that is known of
/// every month, and after which one the next page begins.
#[must_use]
pub fn together(
    months: Vec<(Vec<(String, Counts)>, bool)>,
    most: usize,
) -> (BTreeMap<String, Counts>, Option<String>) {
    let ends = months.iter().filter(|(_, more)| *more).filter_map(|(columns, _)| columns.last());
    let end = ends.map(|(name, _)| name.clone()).min();
    let mut all: BTreeMap<String, Counts> = BTreeMap::new();
    for (name, counts) in months.into_iter().flat_map(|(columns, _)| columns) {
        let known = all.entry(name).or_default();
        *known = std::mem::take(known).and(&counts);
    }
    let mut next = end.clone();
    if let Some(end) = end {
        all.retain(|name, _| *name <= end);
    }
    while all.len() > most {
        all.pop_last();
        next = all.last_key_value().map(|(name, _)| name.clone());
    }
    (all, next)
}

#[cfg(test)]
#[expect(clippy::float_arithmetic, reason = "differences of estimates are compared")]
mod tests {
    use aftercart::model::survey::{QuestionId, When};
    use proptest::prelude::*;

    use super::*;

    fn touchpoint() -> Touchpoint {
        serde_json::from_value(serde_json::json!({
            "id": "delivery", "on": "delivery", "delay": "1d", "open": "9d",
            "questions": [
                { "id": "recommend", "kind": "nps" },
                { "id": "satisfied", "kind": "csat" },
                { "id": "easy", "kind": "ces" },
                { "id": "reason", "kind": "multiple", "most": 2, "choices": [
                    { "id": "late", "title": { "en": "Late", "zh": "晚" } },
                    { "id": "broken", "title": { "en": "Broken", "zh": "坏" } },
                ] },
                { "id": "products", "kind": "products" },
                { "id": "comment", "kind": "text" },
            ],
        }))
        .unwrap()
    }

    fn after_recommending() -> When {
        serde_json::from_value(serde_json::json!({
            "question": "recommend", "is": { "at_most": 6 },
        }))
        .unwrap()
    }

    fn counts(sent: u64, answered: u64, values: &[(&str, &str, u64)]) -> Counts {
        let mut counts = Counts { sent, answered, ..Counts::default() };
        for (question, value, times) in values {
            let of = counts.values.entry(QuestionId::parse(question).unwrap()).or_default();
            of.insert(Value::parse(value).unwrap(), *times);
        }
        counts
    }

    fn line(counts: Counts) -> Line {
        Line { name: "all".to_owned(), counts, against: None, tiers: None, is_product: false }
    }

    fn one(line: Line, least: u64) -> Row {
        rows(&touchpoint(), &[line], least).remove(0)
    }

    fn one_of(counts: &Counts, against: &Counts) -> Row {
        one(Line { against: Some(against.clone()), ..line(counts.clone()) }, 10)
    }

    fn parts(measured: &Measured, of_one: u32) -> (i64, i64, i64) {
        measured.interval.unwrap().parts(of_one)
    }

    #[test]
    fn every_kind_of_question_is_reported() {
        let given = [
            ("recommend", "10", 8),
            ("recommend", "8", 4),
            ("recommend", "0", 8),
            ("satisfied", "5", 9),
            ("satisfied", "4", 6),
            ("satisfied", "1", 5),
            ("easy", "7", 20),
            ("reason", "", 20),
            ("reason", "=late", 15),
            ("reason", "=broken", 10),
            ("products", "", 20),
            ("products", "+", 30),
            ("products", "-", 10),
            ("comment", "", 20),
        ];
        let row = one(line(counts(100, 20, &given)), 10);
        assert_eq!(row.response.unwrap().parts(10_000), (2_000, 1_333, 2_889));
        let shown = |place: usize| row.questions[place].shown.as_ref().unwrap();
        assert_eq!(parts(&shown(0).measures[0], 10_000).0, 0);
        assert_eq!(shown(0).values.len(), 11);
        let satisfied = &shown(1).measures;
        assert_eq!((satisfied[0].measure, satisfied[1].measure), (Measure::TopBox, Measure::Mean));
        assert_eq!(parts(&satisfied[0], 10_000), (7_500, 5_312, 8_882));
        assert_eq!(parts(&satisfied[1], 1_000).0, 3_700);
        let easy = &shown(2).measures;
        assert_eq!((easy[0].value, easy[0].interval), (7.0, None), "all the same");
        assert_eq!(parts(&easy[1], 10_000), (10_000, 8_388, 10_000));
        let reasons: Vec<u64> = shown(3).values.iter().map(|(_, times, _)| *times).collect();
        assert_eq!(reasons, [15, 10]);
        assert_eq!(shown(3).values[0].2.unwrap().parts(10_000).0, 7_500);
        assert_eq!(shown(4).values[0].2, None, "one buyer judged several");
        assert_eq!(shown(5).values, [(Value::Given, 20, None)]);
        let product = Line { is_product: true, ..line(counts(100, 20, &given)) };
        let product = one(product, 10);
        let likes = &product.questions[4].shown.as_ref().unwrap().values[0];
        assert_eq!(likes.2.unwrap().parts(10_000).0, 7_500);
    }

    #[test]
    fn of_too_few_answers_nothing_is_shown_but_how_many_there_are() {
        let few = counts(9, 9, &[("recommend", "10", 9)]);
        let row = one(line(few.clone()), 10);
        assert_eq!((row.sent, row.answered, row.response), (Some(9), 9, None));
        assert_eq!((row.questions[0].answered, &row.questions[0].shown), (9, &None));
        assert!(one(line(few.clone()), 9).questions[0].shown.is_some());
        let many = counts(99, 50, &[("recommend", "10", 25), ("recommend", "0", 25)]);
        let compared = Line { against: Some(few), ..line(many) };
        let row = one(compared, 10);
        assert_eq!(row.difference, None);
        assert_eq!(row.questions[0].shown.as_ref().unwrap().measures[0].difference, None);
    }

    #[test]
    fn no_response_is_told_where_it_is_not_known_who_was_asked() {
        let known = counts(99, 50, &[("recommend", "10", 25), ("recommend", "0", 25)]);
        let unknown = Counts { sent: 0, unasked: 50, ..known.clone() };
        for (one, other) in [(&unknown, &known), (&known, &unknown)] {
            let row = one_of(one, other);
            assert_eq!(row.sent, one.invited());
            assert_eq!((row.response.is_some(), row.difference), (row.sent.is_some(), None));
            let measured = &row.questions[0].shown.as_ref().unwrap().measures[0];
            assert!(measured.difference.is_some(), "answers are compared all the same");
        }
        let tiers = Some(vec![known.clone(), unknown]);
        let row = one(Line { tiers, ..line(known) }, 10);
        assert_eq!(row.questions[0].shown.as_ref().unwrap().measures[0].weighted, None);
    }

    #[test]
    fn differences_are_held_to_as_many_tests_as_there_are() {
        let good = counts(100, 50, &[("recommend", "10", 40), ("recommend", "0", 10)]);
        let bad = counts(100, 50, &[("recommend", "10", 25), ("recommend", "0", 25)]);
        let compared =
            |a: &Counts, b: &Counts| Line { against: Some(b.clone()), ..line(a.clone()) };
        let tests = |lines: &[Line]| -> Vec<Tested> {
            let of = |row: Row| row.questions[0].shown.as_ref().unwrap().measures[0].difference;
            rows(&touchpoint(), lines, 10).into_iter().filter_map(of).collect()
        };
        let alone = tests(&[compared(&good, &bad)]);
        assert_eq!(alone[0].difference.p, alone[0].adjusted);
        assert!(alone[0].adjusted < 0.05 && alone[0].difference.low > 0.0);
        let all = tests(&[compared(&good, &bad), compared(&bad, &bad), line(good.clone())]);
        assert_eq!(all.len(), 2);
        assert!((all[0].adjusted - 2.0 * alone[0].difference.p).abs() < 1e-12);
    }

    /// Gold members answer three times as often, and are glad.
    #[test]
    fn weights_undo_that_some_tiers_answer_more_often() {
        let tier = |sent, glad, sad: u64| {
            counts(sent, glad + sad, &[("satisfied", "5", glad), ("satisfied", "1", sad)])
        };
        let tiers = [tier(100, 55, 5), tier(100, 5, 15)];
        let all = tiers.iter().fold(Counts::default(), Counts::and);
        let whole = |touchpoint: &Touchpoint, tiers: &[Counts]| {
            let line = Line { tiers: Some(tiers.to_vec()), ..line(all.clone()) };
            let row = rows(touchpoint, &[line], 10).remove(0);
            row.questions[1].shown.as_ref().unwrap().measures[0].weighted
        };
        let weighted = |tiers: &[Counts]| {
            let row = one(Line { tiers: Some(tiers.to_vec()), ..line(all.clone()) }, 10);
            let top = row.questions[1].shown.as_ref().unwrap().measures[0].clone();
            (top.value, top.weighted.map(|it| it.estimate.parts(10_000).0))
        };
        assert_eq!(weighted(&tiers), (0.75, Some(5_833)));
        // A tier of too few goes with the smallest of the others.
        let more = [tiers[0].clone(), tiers[1].clone(), tier(100, 0, 1)];
        let (_, joined) = weighted(&more);
        assert_eq!(joined, Some((9_167 + 2 * 2_381) / 3));
        assert_eq!(weighted(&[all.clone(), tier(9, 0, 1)]).1, None, "one group is left");
        assert_eq!(weighted(&[]).1, None);
        // That all of a tier said the same does not make the others' answers sure.
        let sure = whole(&touchpoint(), &[tier(100, 30, 0), tier(100, 15, 15)]).unwrap();
        let unlike = whole(&touchpoint(), &[tier(100, 29, 1), tier(100, 15, 15)]).unwrap();
        assert!((sure.error - unlike.error).abs() < 0.005, "{sure:?} {unlike:?}");
        assert!(whole(&touchpoint(), &[tier(100, 30, 0), tier(100, 0, 30)]).is_some());
        // Of a question that not everybody had to answer, it is not known whose
        // answers are missing.
        let with = |question: fn(&mut Question)| {
            let mut other = touchpoint();
            question(&mut other.questions[1]);
            whole(&other, &tiers)
        };
        assert!(with(|_| {}).is_some());
        assert_eq!(with(|it| it.optional = true), None);
        assert_eq!(with(|it| it.when = Some(after_recommending())), None);
    }

    #[test]
    fn columns_of_months_go_as_far_as_all_of_them_are_known() {
        let page = |names: &[&str], more| {
            let of = |name: &&str| ((*name).to_owned(), counts(1, 0, &[]));
            (names.iter().map(of).collect::<Vec<_>>(), more)
        };
        let read = |months, most| {
            let (all, next) = together(months, most);
            (all.into_iter().map(|(name, it)| (name, it.sent)).collect::<Vec<_>>(), next)
        };
        let named = |name: &str, times| (name.to_owned(), times);
        let whole = vec![page(&["a", "c"], false), page(&["b", "c"], false)];
        assert_eq!(
            read(whole.clone(), 9),
            (vec![named("a", 1), named("b", 1), named("c", 2)], None)
        );
        assert_eq!(read(whole, 2), (vec![named("a", 1), named("b", 1)], Some("b".to_owned())));
        let parts = vec![page(&["a", "c"], true), page(&["b", "d"], true)];
        let expected = vec![named("a", 1), named("b", 1), named("c", 1)];
        assert_eq!(read(parts, 9), (expected, Some("c".to_owned())));
    }

    proptest! {
        /// However many answers there are, a report can be made of them.
        #[test]
        fn a_report_can_be_made_of_any_counts(
            sent in 0_u64..1_000,
            times in prop::collection::vec(0_u64..200, 7),
            least in 1_u64..30,
        ) {
            let texts: Vec<String> = (1..=7).map(|it: u8| it.to_string()).collect();
            let values: Vec<(&str, &str, u64)> = texts
                .iter()
                .zip(&times)
                .flat_map(|(text, times)| {
                    [("recommend", text.as_str(), *times), ("easy", text.as_str(), *times)]
                })
                .collect();
            let answered = times.iter().sum::<u64>();
            let counts = counts(sent.max(answered), answered, &values);
            let tiers = Some(vec![counts.clone(), counts.clone()]);
            let line = Line { against: Some(counts.clone()), tiers, ..line(counts) };
            let row = one(line, least);
            for reported in &row.questions {
                prop_assert_eq!(reported.shown.is_some(), reported.answered >= least);
                for measured in reported.shown.iter().flat_map(|it| &it.measures) {
                    if let Some(weighted) = &measured.weighted {
                        prop_assert!((weighted.estimate.value - measured.value).abs() < 1e-9);
                    }
                    if let Some(tested) = &measured.difference {
                        prop_assert!(tested.difference.value.abs() < 1e-12);
                        prop_assert!(tested.adjusted > 0.9);
                    }
                }
            }
        }
    }
}
