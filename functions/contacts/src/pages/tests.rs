use std::collections::BTreeMap;

use aftercart::model::{contact::Contactee, customer::CustomerId, policy::Policy, time::Zone};

use super::*;

/// Pages are read on phones, often far from a good net.
const PAGE_BYTES_MAX: usize = 8_000;

fn policy() -> ContactPolicy {
    Policy::default_document().unwrap().contact
}

fn nobody() -> Contacts {
    Contacts::none(Contactee::member(&CustomerId::member("ada").unwrap()))
}

fn page(contacts: &Contacts, language: Language, of_link: Option<Purpose>, done: bool) -> Response {
    choices(contacts, &policy(), &Reading { language, of_link, done }).unwrap()
}

fn every_page() -> Vec<(String, Response)> {
    let mut pages = Vec::new();
    for language in Language::ALL {
        let code = language.code();
        let plain = page(&nobody(), language, None, false);
        let linked = page(&nobody(), language, Some(Purpose::Surveys), false);
        let done = page(&nobody(), language, None, true);
        pages.extend(
            [("plain", plain), ("linked", linked), ("done", done)]
                .map(|(name, it)| (format!("contacts-{name}-{code}"), it)),
        );
        let stopped = Purpose::ALL.map(|purpose| Notice::Stopped(Some(purpose)));
        let others = [Notice::Unknown, Notice::Stopped(None), Notice::Unavailable];
        for (number, kind) in stopped.into_iter().chain(others).enumerate() {
            pages.push((
                format!("contacts-notice-{number}-{code}"),
                notice(kind, language).unwrap(),
            ));
        }
    }
    pages
}

#[test]
fn every_page_is_small_whole_and_loads_nothing() {
    // Set this to a folder to look at the pages in a browser.
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
        if let Some(folder) = &folder {
            std::fs::write(format!("{folder}/{name}.html"), body).unwrap();
        }
    }
}

#[test]
fn a_page_shows_what_is_wanted_and_what_it_shows() {
    let body = page(&nobody(), Language::En, None, false).body;
    assert_eq!(body.matches(" checked>").count(), 3, "marketing needs a yes");
    assert_eq!(body.matches(r#"name="shown""#).count(), 4);
    assert!(!body.contains("class=\"card stop") && !body.contains("role=\"status\""));
    assert!(body.contains("We do not write between 21:00 and 08:00 (UTC)."));

    let no = BTreeMap::from([(Purpose::Surveys, false), (Purpose::Marketing, true)]);
    let mut contacts = nobody().choosing(&no, Timestamp::EPOCH);
    contacts.zone = Zone::parse("Asia/Shanghai").ok();
    let body = page(&contacts, Language::Zh, Some(Purpose::Surveys), true).body;
    let checked = |purpose: &str| body.contains(&format!(r#"value="{purpose}" checked>"#));
    assert!(!checked("surveys") && checked("carts") && checked("marketing"));
    assert!(!body.contains("class=\"card stop"), "it is stopped already");
    assert!(body.contains("北京时间") && body.contains("role=\"status\""));
}

#[test]
fn who_comes_from_a_message_can_stop_what_it_was_of() {
    for purpose in [Purpose::Surveys, Purpose::Carts, Purpose::Programme] {
        let body = page(&nobody(), Language::En, Some(purpose), false).body;
        let button = format!(r#"name="stop" value="{}""#, purpose.as_str());
        assert_eq!(body.matches(&button).count(), 1, "{purpose:?}");
        assert!(body.contains(&format!("?lang=zh&amp;for={}", purpose.as_str())));
    }
}
