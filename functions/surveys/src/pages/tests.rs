use proptest::prelude::*;

use super::*;

/// Pages are read on phones, often far from a good net.
const PAGE_BYTES_MAX: usize = 15_000;

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

fn every_page() -> Vec<(String, Response)> {
    let mut pages = Vec::new();
    for language in LANGUAGES {
        let code = code(language);
        pages.push((format!("open-{code}"), survey(&Form::default(), language).unwrap()));
        let faulty = form(b"comment=Quick+%3Cb%3E%26+well%1b").unwrap();
        let faults = faulty.read().unwrap_err();
        pages.push((format!("faulty-{code}"), survey(&faulty.with(faults), language).unwrap()));
        let chosen = form(b"score=9&comment=Quick+and+well+packed").unwrap();
        pages.push((format!("chosen-{code}"), survey(&chosen, language).unwrap()));
        for kind in Notice::ALL {
            pages
                .push((format!("{kind:?}-{code}").to_lowercase(), notice(kind, language).unwrap()));
        }
    }
    pages
}

#[test]
fn every_page_is_small_whole_and_loads_nothing() {
    // Set this to a folder to look at the pages in a browser.
    let folder = std::env::var("SURVEY_PAGES_DIR").ok();
    for (name, page) in every_page() {
        let body = &page.body;
        assert!(body.len() < PAGE_BYTES_MAX, "{name}: {} bytes", body.len());
        assert!(body.starts_with("<!DOCTYPE html>") && body.trim_end().ends_with("</html>"));
        let tag = if name.ends_with("zh") { "zh-Hans" } else { "en" };
        assert!(body.contains(&format!("<html lang=\"{tag}\">")), "{name}");
        for foreign in ["<script", "src=", "url(", "@import", "http:", "https:", "<link"] {
            assert!(!body.contains(foreign), "{name} has {foreign}");
        }
        if let Some(folder) = &folder {
            std::fs::write(format!("{folder}/{name}.html"), body).unwrap();
        }
    }
}

#[test]
fn what_was_filled_in_is_kept_beside_what_is_wrong() {
    let filled = form("score=7&comment=a%1b%3C%2Ftextarea%3E".as_bytes()).unwrap();
    let faults = filled.read().unwrap_err();
    assert_eq!(faults, Faults { score: false, comment: Some(CommentFault::Unreadable) });
    let page = survey(&filled.with(faults), Language::En).unwrap();
    assert_eq!(page.status, 422);
    assert!(page.body.contains(r#"value="7" required checked>"#));
    assert_eq!(page.body.matches(" checked>").count(), 1);
    assert!(!page.body.contains("a\u{1b}</textarea>"));
    assert!(page.body.contains(r#"id="comment-fault""#));
    assert!(!page.body.contains(r#"id="score-fault""#));
}

#[test]
fn a_form_is_read_or_its_faults_are_told() {
    let read = |body: &str| form(body.as_bytes()).unwrap().read();
    assert_eq!(read("score=9"), Ok((9, None)));
    let text = Text::new("Fast & good").unwrap();
    assert_eq!(read("score=0&comment=Fast+%26%0D%0Agood"), Ok((0, Some(text))));
    for body in ["", "score=", "score=11", "score=-1", "score=9.5", "score=%EF%BC%99"] {
        assert_eq!(read(body), Err(Faults { score: true, comment: None }), "{body}");
    }
    let unreadable = Some(CommentFault::Unreadable);
    assert_eq!(read("score=9&comment=%FF"), Err(Faults { score: false, comment: unreadable }));
    for body in ["score=9&score=9", "score=9&points=1"] {
        assert_eq!(form(body.as_bytes()).unwrap_err().status(), 400, "{body}");
    }
}

proptest! {
    #[test]
    fn nothing_that_is_typed_becomes_markup(comment in "\\PC{0,200}", score in "\\PC{0,20}") {
        let typed = format!("{comment}<script>\"'&");
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("comment", &typed).append_pair("score", &format!("x{score}")).finish();
        let filled = form(body.as_bytes()).unwrap();
        let faults = filled.read().unwrap_err();
        let page = survey(&filled.with(faults), Language::Zh).unwrap().body;
        prop_assert!(!page.contains("<script"));
        prop_assert_eq!(page.matches("</textarea>").count(), 1);
        prop_assert_eq!(page.matches('<').count(), survey(&Form::default().with(faults), Language::Zh).unwrap().body.matches('<').count());
    }
}
