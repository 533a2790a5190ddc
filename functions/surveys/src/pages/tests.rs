use std::collections::BTreeSet;

use aftercart::model::survey::{Answer as Given, InviteStatus, Occasion};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    rules::{
        answering,
        fixtures::{day, everything, invited, only, products},
    },
    wire::SurveyPoints,
};

/// Pages are read on phones, often far from a good net.
const PAGE_BYTES_MAX: usize = 24_000;

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

const SENT: InviteStatus = InviteStatus::Sent { at: Timestamp::EPOCH, reminded_at: None };

/// A form of an unhappy buyer, with everything filled in.
const UNHAPPY: &str = "recommend=2&wrong=late&wrong=damaged&damage=goods&content=1&effort=3\
                       &stars=2&products.TEA=like&products.CUP=dislike\
                       &comment=The+cup+%3Cb%3Ecame%3C%2Fb%3E+broken+%26+late.";

/// The survey of the policy that comes with the suite.
fn usual() -> Touchpoint {
    let policy = aftercart::model::policy::Policy::default_document().unwrap();
    policy.surveys.touchpoints.first().unwrap().clone()
}

fn form(body: &str) -> Form {
    Form::parse(body.as_bytes()).unwrap()
}

/// The page of a form with faults.
fn wrong(asked: &Asked<'_>, body: &str) -> Response {
    let filled = form(body);
    let faults = answering::read(asked.touchpoint, &filled.said(asked.touchpoint)).unwrap_err();
    faulty(asked, &filled, &faults).unwrap()
}

/// The thanks for a form without faults, half an hour before it is too late to correct it.
fn thanked(
    asked: &Asked<'_>,
    body: &str,
    points: Option<SurveyPoints>,
    follow_up: bool,
) -> Response {
    let given = answering::read(asked.touchpoint, &form(body).said(asked.touchpoint)).unwrap();
    let answer = Given { given, at: day(5), revision: 1, language: Language::En };
    let answered = Answered { answer: &answer, correctable_until: day(6), points, follow_up };
    thanks(asked, &answered, Some("../complaints/token"), day(5)).unwrap()
}

fn every_page() -> Vec<(String, Response)> {
    let (invite, all, usual) = (invited(SENT), everything(), usual());
    let products = products();
    let granted = |granted| Some(SurveyPoints { points: 50, granted });
    let mut pages = Vec::new();
    for language in LANGUAGES {
        let asked =
            |touchpoint| Asked { invite: &invite, products: &products, touchpoint, language };
        let (all, usual) = (&asked(&all), &asked(&usual));
        let code = code(language);
        let mut page =
            |name: &str, page: Response| pages.push((format!("survey-{name}-{code}"), page));
        page("open", survey(usual, None).unwrap());
        page("tapped", survey(usual, Some("9")).unwrap());
        page("every-kind", survey(all, None).unwrap());
        page("branched", survey(all, Some("3")).unwrap());
        page(
            "faulty",
            wrong(all, "recommend=2&wrong=late&effort=9&comment=Quick+%3Cb%3E%26+well%1b"),
        );
        page("thanks", thanked(usual, "recommend=9", None, false));
        page("points", thanked(usual, "recommend=9", granted(true), false));
        page("points-soon", thanked(usual, "recommend=9&products.TEA=like", granted(false), false));
        page("unhappy", thanked(all, UNHAPPY, granted(true), true));
        for kind in Notice::ALL {
            page(&format!("{kind:?}").to_lowercase(), notice(kind, language).unwrap());
        }
    }
    pages
}

#[test]
fn every_page_is_small_whole_and_loads_nothing() {
    // Set this to a folder to look at the pages in a browser; `cargo dev
    // page-check` does.
    let folder = std::env::var("PAGES_DIR").ok();
    for (name, page) in every_page() {
        let body = &page.body;
        assert!(body.len() < PAGE_BYTES_MAX, "{name}: {} bytes", body.len());
        assert!(body.starts_with("<!DOCTYPE html>") && body.trim_end().ends_with("</html>"));
        let tag = if name.ends_with("zh") { "zh-Hans" } else { "en" };
        assert!(body.contains(&format!("<html lang=\"{tag}\">")), "{name}");
        for foreign in ["<script", "src=", "url(", "@import", "http:", "https:", "<link"] {
            assert!(!body.contains(foreign), "{name} has {foreign}");
        }
        // Who has the link learns nothing of the person, nor of the order.
        for private in ["quillfeather", "cus_", "ord_", "inv_"] {
            assert!(!body.contains(private), "{name} has {private}");
        }
        if let Some(folder) = &folder {
            std::fs::write(format!("{folder}/{name}.html"), body).unwrap();
        }
    }
}

#[test]
fn every_page_has_one_first_heading_and_whole_references() {
    for (name, page) in every_page() {
        let body = &page.body;
        assert_eq!(body.matches("<h1").count(), 1, "{name}");
        assert_eq!(body.matches("<main>").count(), 1, "{name}");
        let values = |attribute: &str| -> Vec<String> {
            let start = format!(" {attribute}=\"");
            let rest = body.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
            rest.flat_map(|names| names.split(' ')).map(str::to_owned).collect()
        };
        let ids = values("id");
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        let links =
            values("href").into_iter().filter_map(|it| it.strip_prefix('#').map(str::to_owned));
        for target in links.chain(values("aria-describedby")).chain(values("for")) {
            assert!(unique.contains(&target), "{name}: {target}");
        }
    }
}

#[test]
fn what_was_tapped_is_filled_in_and_said_not_to_be_sent() {
    let (invite, usual) = (invited(SENT), usual());
    let products = products();
    let asked =
        Asked { invite: &invite, products: &products, touchpoint: &usual, language: Language::En };
    let page = survey(&asked, Some("9")).unwrap().body;
    assert!(page.contains(r#"name="recommend" value="9" required checked>"#), "{page}");
    assert!(page.contains(words::of(Language::En).tapped));
    assert!(page.contains(r#"href="?lang=zh&amp;a=9""#));
    for nothing in ["11", "-1", "", "nine", "\"><script>", "9 "] {
        let page = survey(&asked, Some(nothing)).unwrap().body;
        assert_eq!(page, survey(&asked, None).unwrap().body, "{nothing}");
    }
    // As a number is written, so it is filled in.
    let page = survey(&asked, Some("+07")).unwrap().body;
    assert!(page.contains(r#"name="recommend" value="7" required checked>"#));
    let choice = json!({ "id": "yes", "title": { "en": "Yes", "zh": "是" } });
    for (kind, value, fits) in [
        (json!({ "kind": "single", "choices": [choice] }), "yes", true),
        (json!({ "kind": "single", "choices": [choice] }), "no", false),
        (json!({ "kind": "multiple", "most": 1, "choices": [choice] }), "yes", false),
        (json!({ "kind": "text" }), "yes", false),
        (json!({ "kind": "products" }), "yes", false),
        (json!({ "kind": "ces" }), "7", true),
        (json!({ "kind": "ces" }), "0", false),
    ] {
        assert_eq!(Form::tapped(&only(kind.clone()), value).is_some(), fits, "{kind} {value}");
    }
}

#[test]
fn what_was_filled_in_is_kept_beside_what_is_wrong() {
    let (invite, all) = (invited(SENT), everything());
    let products = products();
    let asked =
        Asked { invite: &invite, products: &products, touchpoint: &all, language: Language::En };
    let page = wrong(
        &asked,
        "_corrects=2&recommend=7&content=&products.CUP=dislike&comment=a%1b%3C%2Ftextarea%3E",
    );
    assert_eq!(page.status, 422);
    let body = page.body;
    assert!(body.contains(r#"value="7" required checked>"#));
    assert!(body.contains(r#"name="products.CUP" value="dislike" checked>"#));
    assert!(body.contains(r#"name="_corrects" value="2""#));
    assert!(!body.contains("a\u{1b}</textarea>"));
    for (id, is_wrong) in
        [("comment", true), ("content", true), ("recommend", false), ("wrong", false)]
    {
        assert_eq!(body.contains(&format!("id=\"f-{id}\"")), is_wrong, "{id}");
        assert_eq!(body.contains(&format!("<a href=\"#q-{id}\">")), is_wrong, "{id}");
    }
    assert!(!body.contains("?lang=zh"), "another language would lose what was typed");
}

#[test]
fn questions_that_are_not_asked_are_hidden_where_browsers_can() {
    let rules = parts::branching(&everything());
    let low: Vec<String> =
        (0..=6).map(|score| format!(r#"[name="recommend"][value="{score}"]:checked"#)).collect();
    let low = low.join(", ");
    let damaged = r#"[name="wrong"][value="damaged"]:checked"#;
    let high = r#"[name="recommend"][value="9"]:checked, [name="recommend"][value="10"]:checked"#;
    let hidden =
        |chosen: &str, id: &str| format!("form:not(:has({chosen})) #q-{id} {{ display: none; }}\n");
    let wanted = [
        hidden(&low, "wrong"),
        hidden(damaged, "damage"),
        hidden(&low, "damage"),
        hidden(high, "praise"),
    ];
    assert_eq!(rules, wanted.concat());
    assert_eq!(parts::branching(&usual()), "");
    // A browser would not let a form go with a hidden field that it wants.
    let (invite, all) = (invited(SENT), everything());
    let page = survey(
        &Asked { invite: &invite, products: &products(), touchpoint: &all, language: Language::En },
        None,
    );
    let page = page.unwrap().body;
    assert!(page.contains(r#"name="content" value="5" required>"#));
    assert!(page.contains(r#"name="damage" value="box">"#));
}

#[test]
fn products_are_asked_about_where_there_are_some() {
    let (invite, usual) = (invited(SENT), usual());
    let page = |products: &[Delivered]| {
        let asked = Asked { invite: &invite, products, touchpoint: &usual, language: Language::En };
        survey(&asked, None).unwrap().body
    };
    let some = page(&products());
    assert!(some.contains("Cup &#38; saucer &#34;Kiln&#34;"), "{some}");
    assert!(some.contains("3 short questions"));
    let none = page(&[]);
    assert!(!none.contains("products") && none.contains("2 short questions"), "{none}");
}

#[test]
fn an_answer_is_shown_with_thanks_and_until_when_it_can_be_corrected() {
    let (invite, usual) = (invited(SENT), usual());
    let products = products();
    let asked =
        Asked { invite: &invite, products: &products, touchpoint: &usual, language: Language::En };
    let page = thanked(&asked, "recommend=9&products.TEA=like", None, false).body;
    assert!(page.contains(r#"name="recommend" value="9" required checked>"#));
    assert!(page.contains(r#"name="products.TEA" value="like" checked>"#));
    assert!(page.contains(r#"name="_corrects" value="1""#));
    for (points, follow_up, words) in [
        (Some(SurveyPoints { points: 50, granted: true }), false, "50 points were added"),
        (Some(SurveyPoints { points: 50, granted: false }), false, "up to 50 points"),
        (None, true, "will be in touch"),
    ] {
        let more = thanked(&asked, "recommend=9", points, follow_up).body;
        assert!(more.contains(words) && !page.contains(words), "{words}");
    }
    let given = answering::read(&usual, &form("recommend=9").said(&usual)).unwrap();
    let answer = Given { given, at: day(5), revision: 1, language: Language::En };
    let answered =
        Answered { answer: &answer, correctable_until: day(6), points: None, follow_up: false };
    let late = thanks(&asked, &answered, None, day(6)).unwrap().body;
    assert!(!late.contains("<form") && !late.contains("complaints"), "{late}");
    assert!(page.contains(r#"<a href="../complaints/token?lang=en">"#), "{page}");
}

#[test]
fn a_form_is_read_whatever_else_it_holds() {
    let said = |body: &str| form(body).said(&everything());
    let of = |value: serde_json::Value| crate::rules::fixtures::said(value);
    let products = json!({});
    for (body, means) in [
        ("", json!({ "products": products })),
        ("recommend=9&colour=red&a=b", json!({ "recommend": 9, "products": products })),
        ("recommend=&effort=", json!({ "products": products })),
        ("recommend=9&recommend=8", json!({ "recommend": "9 8", "products": products })),
        ("recommend=%EF%BC%99", json!({ "recommend": "９", "products": products })),
        ("wrong=late&wrong=damaged", json!({ "wrong": ["late", "damaged"], "products": products })),
        ("damage=box&comment=7", json!({ "damage": "box", "comment": "7", "products": products })),
        ("comment=a%0D%0Ab", json!({ "comment": "a\r\nb", "products": products })),
        (
            "products.TEA=like&products.CUP=&products.=like&productsX=like&products.P.1=dislike",
            json!({ "products": { "TEA": "like", "": "like", "P.1": "dislike" } }),
        ),
    ] {
        assert_eq!(said(body), of(means), "{body}");
    }
    assert_eq!(form("_corrects=3").corrects, Some(3));
    for body in ["_corrects=", "_corrects=-1", "_corrects=1&_corrects=x"] {
        assert_eq!(Form::parse(body.as_bytes()).unwrap_err().status(), 400, "{body}");
    }
}

#[test]
fn every_occasion_has_its_words_in_every_language() {
    let kinds = |occasion: Occasion| {
        let mut touchpoint = everything();
        touchpoint.on = occasion;
        touchpoint.questions.iter_mut().for_each(|it| it.ask = None);
        touchpoint
    };
    let occasions = [
        Occasion::Delivery,
        Occasion::Return,
        Occasion::Solved,
        Occasion::Checkout,
        Occasion::Relationship,
        Occasion::Tier,
        Occasion::Product,
    ];
    for language in LANGUAGES {
        let mut titles = BTreeSet::new();
        for occasion in occasions {
            assert!(titles.insert(words::title(occasion, language)), "{occasion:?}");
            for question in &kinds(occasion).questions {
                let ours = words::ask(question, occasion, language);
                assert!(ours.ends_with(['?', '？']) && ours.chars().count() <= 80, "{ours}");
                assert_eq!(ours.is_ascii(), language == Language::En, "{ours}");
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_is_typed_becomes_markup(
        comment in "\\PC{0,200}", score in "\\PC{0,20}", title in "[^\\p{Cc}]{1,80}",
    ) {
        let typed = format!("{comment}<script>\"'&");
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("comment", &typed).append_pair("recommend", &format!("x{score}")).finish();
        let (invite, usual) = (invited(SENT), usual());
        let filled = form(&body);
        let faults = answering::read(&usual, &filled.said(&usual)).unwrap_err();
        let mut products = products();
        let page = |products: &[Delivered], form: &Form| {
            let asked =
                Asked { invite: &invite, products, touchpoint: &usual, language: Language::Zh };
            faulty(&asked, form, &faults).unwrap().body
        };
        let plain = page(&products, &Form::default());
        let sku = products[0].sku.clone();
        products[0] = Delivered::named(&sku, &format!("<b>{title}")).unwrap();
        let page = page(&products, &filled);
        prop_assert!(!page.contains("<script"));
        prop_assert_eq!(page.matches("</textarea>").count(), 1);
        prop_assert_eq!(page.matches('<').count(), plain.matches('<').count());
    }
}
