//! How often readings are right, on labelled examples that they were not made
//! with: what `docs/feedback.md` tells. Where the examples are from is in
//! `insight/NOTICE.md`. The bounds are a little below what was measured, so
//! that a change which makes readings worse is noticed.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{customer::Language, feedback::Sentiment};
use aftercart_insight::reading::{Alarms, language, read, sentiment};

/// Of a class: how many were found, how many of those rightly, how many there are.
#[derive(Debug, Default)]
struct Class {
    found: usize,
    right: usize,
    there: usize,
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100 + whole / 2) / whole.max(1)
}

const NAMES: [&str; 3] = ["negative", "neutral", "positive"];

fn name(sentiment: Sentiment) -> &'static str {
    NAMES[match sentiment {
        Sentiment::Negative => 0,
        Sentiment::Neutral => 1,
        Sentiment::Positive => 2,
    }]
}

/// In percent: right in all, taken for the opposite, and of each class the
/// precision and the recall.
fn measure(examples: &str, of: Language) -> (usize, usize, [(usize, usize); 3]) {
    let mut classes = [Class::default(), Class::default(), Class::default()];
    let (mut all, mut opposite) = (0, 0);
    for line in examples.lines() {
        let (label, text) = line.split_once('\t').unwrap_or_default();
        let read = name(sentiment(text, of));
        all += 1;
        opposite += usize::from(read != label && read != "neutral" && label != "neutral");
        for (class, name) in classes.iter_mut().zip(NAMES) {
            class.there += usize::from(label == name);
            class.found += usize::from(read == name);
            class.right += usize::from(label == name && read == name);
        }
    }
    let right = classes.iter().map(|it| it.right).sum();
    let of = classes.map(|it| (percent(it.right, it.found), percent(it.right, it.there)));
    (percent(right, all), percent(opposite, all), of)
}

#[test]
fn english_comments() {
    let (right, opposite, classes) = measure(include_str!("labelled/english.tsv"), Language::En);
    println!("English: {right} % right, {opposite} % opposite, {classes:?}");
    let [negative, _, positive] = classes;
    assert!(right >= 64 && opposite <= 13);
    assert!(negative.0 >= 65 && negative.1 >= 58);
    assert!(positive.0 >= 72 && positive.1 >= 75);
}

#[test]
fn chinese_comments() {
    let (right, opposite, classes) = measure(include_str!("labelled/chinese.tsv"), Language::Zh);
    println!("Chinese: {right} % right, {opposite} % opposite, {classes:?}");
    let [negative, _, positive] = classes;
    assert!(right >= 73 && opposite <= 15);
    assert!(negative.0 >= 82 && negative.1 >= 76);
    assert!(positive.0 >= 85 && positive.1 >= 69);
}

#[test]
fn languages() {
    let found = |want: &str, kind: &str| {
        let lines = include_str!("labelled/languages.tsv").lines();
        let texts: Vec<&str> = lines
            .filter_map(|line| {
                let mut fields = line.split('\t');
                let is_wanted = fields.next() == Some(want) && fields.next() == Some(kind);
                fields.next().filter(|_| is_wanted)
            })
            .collect();
        let english = texts.iter().filter(|text| language(text) == Some(Language::En)).count();
        percent(english, texts.len())
    };
    let sentences = (found("en", "sentence"), found("other", "sentence"));
    let pairs = (found("en", "word pair"), found("other", "word pair"));
    println!("taken for English: sentences {sentences:?}, pairs of words {pairs:?}");
    assert!(sentences.0 >= 90 && sentences.1 <= 2 && pairs.1 <= 2);
    let comments = |examples: &str, of: Language| {
        let texts: Vec<&str> =
            examples.lines().filter_map(|line| Some(line.split_once('\t')?.1)).collect();
        let found = texts.iter().filter(|text| language(text) == Some(of)).count();
        percent(found, texts.len())
    };
    let english = comments(include_str!("labelled/english.tsv"), Language::En);
    let chinese = comments(include_str!("labelled/chinese.tsv"), Language::Zh);
    println!("comments found: English {english} %, Chinese {chinese} %");
    assert!(english >= 96 && chinese >= 99);
}

/// The topics and the kinds of alarms that were read, by name.
fn matters(text: &str) -> [BTreeSet<String>; 2] {
    let read = read(text, &Alarms::new());
    let name = |topic| serde_json::to_value(topic).ok()?.as_str().map(str::to_owned);
    [
        read.topics.into_iter().filter_map(name).collect(),
        read.alarms.into_iter().map(String::from).collect(),
    ]
}

/// The labels of a line, topics and alarms, and the text.
fn labelled(line: &str) -> ([BTreeSet<String>; 2], &str) {
    let mut fields = line.splitn(3, '\t');
    let mut labels = || -> BTreeSet<String> {
        let labels = fields.next().unwrap_or_default().split(',');
        labels.filter(|it| *it != "-").map(str::to_owned).collect()
    };
    let both = [labels(), labels()];
    (both, fields.next().unwrap_or_default())
}

/// In percent: precision and recall of topics and of alarms, over all of them
/// and of each by name.
type Matters = ([(usize, usize); 2], BTreeMap<String, (usize, usize)>);

fn measure_matters<'a>(lines: impl Iterator<Item = &'a str>) -> Matters {
    let mut all = [Class::default(), Class::default()];
    let mut each: BTreeMap<String, Class> = BTreeMap::new();
    for (labels, text) in lines.map(labelled) {
        for ((label, found), all) in labels.into_iter().zip(matters(text)).zip(&mut all) {
            for name in label.union(&found) {
                for class in [&mut *all, each.entry(name.clone()).or_default()] {
                    class.there += usize::from(label.contains(name));
                    class.found += usize::from(found.contains(name));
                    class.right += usize::from(label.contains(name) && found.contains(name));
                }
            }
        }
    }
    let of = |class: &Class| (percent(class.right, class.found), percent(class.right, class.there));
    (all.each_ref().map(of), each.iter().map(|(name, class)| (name.clone(), of(class))).collect())
}

/// The words for alarms were mended after those of every other line that they
/// missed had been looked at: what is held to bounds is the other half.
#[test]
fn topics_and_alarms() {
    let lines = || include_str!("labelled/matters.tsv").lines();
    let (seen, _) = measure_matters(lines().step_by(2));
    println!("topics and alarms, lines that were looked at: {seen:?}");
    let ([topics, alarms], each) = measure_matters(lines().skip(1).step_by(2));
    println!("others: topics {topics:?}, alarms {alarms:?}, {each:?}");
    assert!(topics.0 >= 85 && topics.1 >= 50);
    assert!(alarms.0 >= 90 && alarms.1 >= 45);
    assert!(["injury", "legal"].iter().all(|kind| each.get(*kind).is_some_and(|it| it.1 >= 65)));
}
