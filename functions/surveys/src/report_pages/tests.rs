use aftercart::model::{
    answers::{Counts, Value},
    survey::QuestionId,
};

use super::*;
use crate::rules::{
    fixtures::everything,
    reporting::{self, Line},
};

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

/// People read it at a desk; a page of thirty rows and eight questions is that.
const PAGE_BYTES_MAX: usize = 300_000;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
}

/// What was counted of some buyers: of each question the first value so often,
/// the others as often as is left.
fn counts(sent: u64, answered: u64, glad: u64) -> Counts {
    let mut counts = Counts { sent, answered, ..Counts::default() };
    for question in &everything().questions {
        let kind = &question.kind;
        let mut give = |value: &str, times: u64| {
            let of = counts.values.entry(question.id.clone()).or_default();
            *of.entry(Value::parse(value).unwrap()).or_default() += times;
        };
        if let Some((least, most)) = kind.scale() {
            give(&most.to_string(), glad / 2);
            give(&(most - 1).to_string(), glad - glad / 2);
            let rest = answered - glad;
            give(&(most - 3).to_string(), rest / 2);
            give(&least.to_string(), rest - rest / 2);
        } else {
            give("", answered);
        }
        for (number, choice) in (1..).zip(kind.choices()) {
            give(&format!("={}", choice.id), answered / (number + 1));
        }
        if matches!(kind, Kind::Products) {
            give("+", glad);
            give("-", answered - glad);
        }
    }
    counts
}

fn line(name: &str, counts: Counts, against: Option<&Counts>) -> Line {
    let (name, against) = (name.to_owned(), against.cloned());
    Line { name, counts, against, tiers: None, is_product: false }
}

fn asked(query: &[(&str, &'static str)]) -> Asked {
    let of = |name: &str| query.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    Asked::read(of, now()).unwrap()
}

/// A report of everybody, and of these rows.
fn report(asked: &Asked, all: Line, lines: &[Line], next: Option<&str>) -> SurveyReport {
    let touchpoint = everything();
    let all = reporting::rows(&touchpoint, &[all], 10);
    let rows = reporting::rows(&touchpoint, lines, 10);
    let next = next.map(str::to_owned);
    SurveyReport::of(&touchpoint, asked, 10, (&all, &rows), (next, String::new())).unwrap()
}

fn shown(asked: &Asked, report: &SurveyReport, language: Language, is_read: bool) -> Response {
    let policy = SurveysPolicy { touchpoints: vec![everything()], ..SurveysPolicy::default() };
    let reading = Reading { language, now: now(), is_read, asked };
    page(&policy, &everything(), report, &reading).unwrap()
}

fn every_page() -> Vec<(String, Response)> {
    let (good, bad, few) = (counts(400, 120, 96), counts(380, 90, 45), counts(30, 6, 3));
    let all = good.clone().and(&bad).and(&few);
    let by_carrier = asked(&[("by", "carrier"), ("compare", "rest")]);
    let compared = |name: &str, of: &Counts| line(name, of.clone(), Some(&all.clone().without(of)));
    let carriers = [
        compared("carrier#easypost", &good),
        compared("carrier#generic", &bad),
        compared("carrier#kdniao", &few),
    ];
    let carriers =
        report(&by_carrier, line("all", all.clone(), None), &carriers, Some("carrier#kdniao"));
    let by_month = asked(&[("by", "month"), ("compare", "previous"), ("weight", "tier")]);
    let tiers = Some(vec![counts(500, 150, 140), counts(310, 66, 4)]);
    let month = |name: &str, of: &Counts, before| Line {
        tiers: tiers.clone(),
        ..line(name, of.clone(), before)
    };
    let months = [
        month("2026-09", &good, None),
        month("2026-10", &bad, Some(&good)),
        month("2026-11", &few, Some(&bad)),
    ];
    let months = report(&by_month, month("all", &all, None), &months, None);
    let plain = asked(&[]);
    let empty = report(&plain, line("all", Counts::default(), None), &[], None);
    let mut best = counts(20, 20, 20);
    for question in &everything().questions {
        let most = question.kind.scale().map(|(_, most)| (Value::Score(most), 20));
        most.map(|most| best.values.insert(question.id.clone(), [most].into()));
    }
    let same = report(&plain, line("all", best, None), &[], None);
    // Whose products were delivered, and how many of these were asked, is not counted.
    let by_product = asked(&[("by", "sku"), ("compare", "rest")]);
    let product = |name: &str, of: &Counts| {
        let of = Counts { sent: 0, unasked: of.answered, ..of.clone() };
        Line { is_product: true, ..compared(name, &of) }
    };
    let products = [product("sku#TEA-CUP", &good), product("sku#A-LONG-NAME-OF-A-PRODUCT", &few)];
    let products = report(&by_product, line("all", all.clone(), None), &products, None);
    let mut pages = Vec::new();
    for language in LANGUAGES {
        let code = language.code();
        let mut page = |name: &str, page| pages.push((format!("report-{name}-{code}"), page));
        page("carriers", shown(&by_carrier, &carriers, language, true));
        page("months", shown(&by_month, &months, language, true));
        page("products", shown(&by_product, &products, language, true));
        page("empty", shown(&plain, &empty, language, false));
        page("same", shown(&plain, &same, language, true));
        for kind in Notice::ALL {
            page(&format!("{kind:?}").to_lowercase(), notice(kind, language).unwrap());
        }
    }
    pages
}

#[test]
fn every_page_is_whole_and_loads_nothing() {
    // Set this to a folder to look at the pages in a browser; `cargo dev
    // page-check` does.
    let folder = std::env::var("PAGES_DIR").ok();
    for (name, page) in every_page() {
        let body = &page.body;
        assert!(body.len() < PAGE_BYTES_MAX, "{name}: {} bytes", body.len());
        assert!(body.starts_with("<!DOCTYPE html>") && body.trim_end().ends_with("</html>"));
        assert_eq!(body.matches("<h1").count(), 1, "{name}");
        for foreign in ["<script", "src=", "url(", "@import", "http:", "https:", "<link"] {
            assert!(!body.contains(foreign), "{name} has {foreign}");
        }
        if let Some(folder) = &folder {
            std::fs::write(format!("{folder}/{name}.html"), body).unwrap();
        }
    }
}

fn page_of(name: &str) -> String {
    let page = every_page().into_iter().find(|(known, _)| known == name);
    page.map(|(_, page)| page.body).unwrap()
}

#[test]
fn a_page_says_in_words_what_its_charts_show() {
    let page = page_of("report-carriers-en");
    for text in [
        "810 invited, 216 answered, 594 did not",
        "Net Promoter Score",
        // 96 promoters and 12 detractors of 120.
        "<span class=\"value\">70</span>",
        "more than chance",
        "too few, shown from 10",
        "after=carrier%23kdniao",
        "lang=zh&amp;touchpoint=delivery",
        "<option value=\"2026-09\" selected>Sep 2026</option>",
        "<option value=\"2024-12\">Dec 2024</option>",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(page_of("report-months-en").contains("as sure as"));
    assert!(page_of("report-same-en").contains("all the same, no interval"));
    assert!(page_of("report-products-en").contains("invitations are not counted here"));
    let empty = page_of("report-empty-zh");
    assert!(empty.contains(words::of(Language::Zh).unread) && empty.contains("回答过少"));
}

#[test]
fn values_have_their_places_and_texts() {
    let nps = Scale { least: -10_000, most: 10_000, measure: MeasureName::Nps };
    let mean = Scale { least: 1_000, most: 5_000, measure: MeasureName::Mean };
    for (scale, value, place, text) in [
        (nps, 0, "50.00%", "0"),
        (nps, -10_000, "0.00%", "-100"),
        (nps, 3_350, "66.75%", "34"),
        (nps, -3_350, "33.25%", "-34"),
        (mean, 4_245, "81.12%", "4.25"),
        (mean, 6_000, "100.00%", "6.00"),
    ] {
        assert_eq!((scale.place(value).as_str(), scale.shown(value).as_str()), (place, text));
    }
    let share = Scale { least: 0, most: 10_000, measure: MeasureName::TopBox };
    assert_eq!((share.shown(9_999).as_str(), share.shown(5).as_str()), ("100.0 %", "0.1 %"));
    assert_eq!(share.signed(-5, Language::En), "-0.1 points");
    assert_eq!(nps.signed(500, Language::Zh), "+5");
}

#[test]
fn a_question_that_was_never_answered_has_a_page() {
    let mut none = counts(99, 50, 25);
    none.values.remove(&QuestionId::parse("recommend").unwrap());
    let plain = asked(&[]);
    let report = report(&plain, line("all", none, None), &[], None);
    assert_eq!(shown(&plain, &report, Language::En, true).status, 200);
}
