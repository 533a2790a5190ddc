use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    alert::{AlertKind, Choice},
    customer::Language,
    id::AlertId,
    time::Zone,
};
use proptest::prelude::*;

use crate::rules::{
    form::{Fault, Field, Known},
    overview,
};

use super::*;

mod contrast;
mod samples;

use samples::Sample;

fn reading(language: Language) -> Reading<'static> {
    let complaints = "../complaints/token";
    Reading { language, now: samples::now(), complaints, thanks: false, faulty: None }
}

fn page(sample: &Sample, reading: &Reading<'_>) -> Response {
    let view = overview::view(&sample.seen, reading.language, String::new(), reading.now);
    tracking(&sample.seen, &view, reading).unwrap()
}

fn faulty_form(sample: &Sample, choice: Choice, filled: &[(Field, &str)]) -> (Form, Faults) {
    let alert = sample.seen.alerts[0].id.clone();
    let fields = filled.iter().map(|(field, text)| (*field, (*text).to_owned())).collect();
    let form = Form { alert, choice, fields };
    let faults = match choice {
        Choice::Date => [(Field::Day, Fault::Day)].into(),
        _ => [(Field::Line1, Fault::Missing), (Field::PostalCode, Fault::TooLong)].into(),
    };
    (form, faults)
}

/// Every page in every language, by name.
fn every_page() -> Vec<(String, Response)> {
    let mut pages = Vec::new();
    for language in Language::ALL {
        let code = language.code();
        let mut add = |name: &str, page: Response| pages.push((format!("{name}-{code}"), page));
        for (name, sample) in samples::all(language) {
            add(name, page(&sample, &reading(language)));
            if name == "lost-chosen" {
                add("thanks", page(&sample, &Reading { thanks: true, ..reading(language) }));
            }
            if name == "attempt-failed" {
                for (name, choice, filled) in [
                    (
                        "faulty-address",
                        Choice::Address,
                        &[(Field::PostalCode, "12345678901234567")],
                    ),
                    ("faulty-day", Choice::Date, &[(Field::Day, "2025-01-01")]),
                ] {
                    let (form, faults) = faulty_form(&sample, choice, filled);
                    let faulty = Some((&form, &faults));
                    add(name, page(&sample, &Reading { faulty, ..reading(language) }));
                }
            }
        }
        add("worst", page(&samples::worst(language), &reading(language)));
        for kind in Notice::ALL {
            let name = format!("notice-{kind:?}").to_lowercase();
            add(&name, notice(kind, language).unwrap());
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
        assert!(body.len() <= PAGE_BYTES_MAX, "{name}: {} bytes", body.len());
        assert!(body.starts_with("<!DOCTYPE html>") && body.trim_end().ends_with("</html>"));
        let tag = if name.ends_with("zh") { "zh-Hans" } else { "en" };
        assert!(body.contains(&format!("<html lang=\"{tag}\">")), "{name}");
        for foreign in
            ["<script", "src=", "url(", "@import", "http:", "https:", "<link", "javascript"]
        {
            assert!(!body.contains(foreign), "{name} has {foreign}");
        }
        // Of the buyer's address there is the city, and nothing of the contact.
        for private in
            ["Secret Street", "Quillfeather", "LS1", "496 0000", "ada@example.com", "cus_"]
        {
            assert!(!body.contains(private), "{name} has {private}");
        }
        if let Some(folder) = &folder {
            std::fs::write(format!("{folder}/{name}.html"), body).unwrap();
        }
    }
}

#[test]
fn every_page_has_one_first_heading_and_every_field_a_label() {
    for (name, page) in every_page() {
        let body = &page.body;
        assert_eq!(body.matches("<h1").count(), 1, "{name}");
        assert_eq!(body.matches("<main>").count(), 1, "{name}");
        let ids: Vec<&str> =
            body.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        for attribute in [" for=\"", " aria-labelledby=\"", " aria-describedby=\"", " href=\"#"] {
            for target in body.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(unique.contains(target), "{name}: {target}");
            }
        }
        for field in body.split("<input id=\"").skip(1).chain(body.split("<textarea id=\"").skip(1))
        {
            let id = field.split('"').next().unwrap();
            assert!(body.contains(&format!("<label for=\"{id}\">")), "{name}: {id}");
        }
    }
}

#[test]
fn the_step_of_now_is_marked_once_a_parcel() {
    for language in Language::ALL {
        for (name, sample) in samples::all(language) {
            let body = page(&sample, &reading(language)).body;
            let steps = body.matches("<ol class=\"steps\"").count();
            assert_eq!(body.matches("aria-current=\"step\"").count(), steps, "{name}");
        }
    }
}

/// The page of a sample in English.
fn page_of(name: &str) -> String {
    let sample = samples::all(Language::En).into_iter().find(|(it, _)| *it == name).unwrap();
    page(&sample.1, &reading(Language::En)).body
}

#[test]
fn a_page_says_no_more_than_is_known() {
    const UNDER_WAY: &str = "</i>On its way</li>";
    let no_chip = "class=\"chip";
    for (name, step, words, never) in [
        ("label", "Packed", "has not reported it yet", "The carrier knows"),
        ("announced", "Packed", "The carrier knows of the parcel", "has not reported it yet"),
        ("unknown", "Packed", "An update that we cannot read yet", no_chip),
        ("return-unknown", "Registered", "An update that we cannot read yet", "return is on its"),
        ("reports-nothing-more", "On its way", "The carrier reports nothing more", no_chip),
        ("reports-nothing-at-all", "Packed", "The carrier reports nothing more", no_chip),
        ("out-for-delivery", "Out for delivery", "comes today", "Not delivered yet"),
        ("out-again", "Out for delivery", "comes today", "Not delivered yet"),
        ("out-two-days-ago", "Out for delivery", "with the courier on Sun 22 Nov.", "today"),
        (
            "late-out-before",
            "Out for delivery",
            "<h1 id=\"p1\">Your parcel is late<",
            "comes today",
        ),
        ("silent-out-before", "Out for delivery", "<h1 id=\"p1\">No news from the", "comes today"),
        ("attempt-failed-plain", "Attempt failed", "could not deliver", no_chip),
        ("attempt-failed-comes-later", "Attempt failed", "Tue 1 Dec", no_chip),
        ("customs-duties", "On its way", "you may have to pay them", "We give customs"),
    ] {
        let body = page_of(name);
        let (_, rest) = body.split_once("aria-current=\"step\"").unwrap();
        let (now, _) = rest.split_once("</li>").unwrap();
        assert!(now.ends_with(&format!("</i>{step}")), "{name}: {now}");
        assert!(body.contains(words), "{name} lacks {words}");
        assert!(!body.contains(never), "{name} has {never}");
    }
    assert!(page_of("unknown").contains(UNDER_WAY), "it is to come");
    assert!(!page_of("out-two-days-ago").contains(no_chip));
    assert!(!page_of("customs-duties").contains("How we make up for it"), "nothing is given");
    assert!(page_of("late-out-before").contains("class=\"card care\""));
    assert!(page_of("late-out-for-delivery").contains("class=\"card going\""));
}

#[test]
fn the_steps_that_were_kept_are_shown_of_a_number_used_again() {
    let mut all = samples::all(Language::En).into_iter();
    let mut sample = all.find(|(it, _)| *it == "delivered").unwrap().1;
    sample.seen.histories.clear();
    let body = page(&sample, &reading(Language::En)).body;
    for words in ["Tracking history (4)", "Tue 24 Nov, 11:21", "Leeds depot"] {
        assert!(body.contains(words), "{words}");
    }
}

#[test]
fn what_was_typed_fits_however_long_it_is() {
    let sample = samples::worst(Language::En);
    let body =
        format!("alert={}&choice=refund&note={}", sample.seen.alerts[0].id, "<".repeat(60_000));
    let form = form(body.as_bytes()).unwrap();
    let address = &sample.seen.order.address;
    let (zone, now) = (Zone::utc(), samples::now());
    let known = Known { name: &address.name, country: &address.country, zone: &zone, now };
    let faults = form.read(&known).unwrap_err();
    let faulty = Some((&form, &faults));
    for language in Language::ALL {
        let page = page(&sample, &Reading { faulty, ..reading(language) });
        assert_eq!(page.status, 422);
        assert_eq!(page.body.matches("&#60;").count(), Field::Note.most());
    }
}

#[test]
fn a_page_shows_what_there_is() {
    for (name, words) in [
        ("not-paid", vec!["Waiting for payment", "not paid yet"]),
        ("held", vec!["checking it before it leaves"]),
        ("preparing", vec!["We are preparing your parcel", "Wed 25 to Fri 27 Nov", "On time"]),
        (
            "under-way",
            vec!["On its way to you", "tomorrow, Wed 25 Nov", "The carrier expects it then."],
        ),
        ("under-way-promise", vec!["That is our promise."]),
        ("out-for-delivery", vec!["today, Tue 24 Nov", "Leeds depot"]),
        ("delivered", vec!["Tue 24 Nov, 11:21", "As promised", "Tracking history (5)"]),
        ("delivered-late", vec!["Later than promised"]),
        ("late", vec!["Your parcel is late", "200 points", "Ask for the refund", "Promised by"]),
        (
            "late-out-for-delivery",
            vec!["<h1 id=\"p1\">Out for delivery</h1>", "Your parcel is late"],
        ),
        ("attempt-failed", vec!["Nobody was there to take it", "name=\"line1\"", "type=\"date\""]),
        ("lost", vec!["Your parcel was lost", "voucher", "Send it again"]),
        ("lost-chosen", vec!["You chose: Refund me (Tue 24 Nov, 15:20)", "Wed 25 Nov, 15:30"]),
        ("several", vec!["1 of 3 parcels delivered", "Parcel 2 of 3", "Parcel 3 of 3"]),
        ("replaced", vec!["Replaced by another parcel"]),
        ("return", vec!["Your return is ready to be sent"]),
        ("return-arrived", vec!["Your return has arrived"]),
        ("odd-times", vec!["this is when the label was made"]),
        ("customs", vec!["Customs hold your parcel", "Our team sees to it by"]),
    ] {
        let body = page_of(name);
        for words in words {
            assert!(body.contains(words), "{name} lacks {words}");
        }
    }
    assert!(!page_of("unknown").contains("Unclear update: "));
    // A choice that was made is not offered again, another still is.
    let chosen = page_of("lost-chosen");
    assert!(chosen.contains("value=\"reship\"") && !chosen.contains("value=\"refund\""));
}

#[test]
fn what_does_not_fit_is_counted() {
    let body = page(&samples::worst(Language::En), &reading(Language::En)).body;
    assert!(body.contains("and 47 more"), "lines");
    assert!(body.contains("More parcels") && body.contains("Parcel 20 of 20"));
}

#[test]
fn a_form_is_read_as_the_page_sends_it() {
    let id = AlertId::derive(&["1"]);
    let read = form(format!("alert={id}&choice=date&day=2026-11-26&note=a%0D%0Ab").as_bytes());
    let read = read.unwrap();
    assert_eq!((read.alert, read.choice), (id.clone(), Choice::Date));
    assert_eq!(read.fields[&Field::Note], "a\r\nb");
    for body in [
        String::new(),
        format!("alert={id}"),
        "choice=wait".to_owned(),
        format!("alert={id}&choice=eat"),
        "alert=ord_1&choice=wait".to_owned(),
        format!("alert={id}&alert={id}&choice=wait"),
        format!("alert={id}&choice=wait&note=1&note=2"),
        format!("alert={id}&choice=wait&points=1"),
    ] {
        assert_eq!(form(body.as_bytes()).unwrap_err().status(), 400, "{body}");
    }
}

#[test]
fn what_was_typed_is_kept_beside_what_is_wrong() {
    let sample =
        samples::all(Language::En).into_iter().find(|it| it.0 == "attempt-failed").unwrap().1;
    let (form, faults) = faulty_form(&sample, Choice::Address, &[(Field::PostalCode, "9\"<9")]);
    let faulty = Some((&form, &faults));
    let page = page(&sample, &Reading { faulty, ..reading(Language::En) });
    assert_eq!(page.status, 422);
    assert!(page.body.contains("<title>Error: "));
    assert_eq!(page.body.matches("aria-invalid=\"true\"").count(), 2);
    assert_eq!(page.body.matches(" open>").count(), 1);
    assert!(!page.body.contains("9\"<9"));
}

#[test]
fn thanks_are_said_for_a_choice_that_was_made() {
    let of = |name: &str| samples::all(Language::Zh).into_iter().find(|it| it.0 == name).unwrap().1;
    let thanked = Reading { thanks: true, ..reading(Language::Zh) };
    assert!(page(&of("lost-chosen"), &thanked).body.contains("role=\"status\""));
    // Whoever alters the address is not thanked for what nobody chose.
    assert!(!page(&of("lost"), &thanked).body.contains("role=\"status\""));
}

proptest! {
    #[test]
    fn nothing_that_others_write_becomes_markup(place in "\\PC{1,60}", title in "\\PC{1,60}", typed in "\\PC{0,60}") {
        let sample = |place: &str, title: &str| {
            let mut sample = Sample::paid(Language::En).label().told(&[
                ("22T17:40", aftercart::model::shipment::ParcelStatus::PickedUp, None, place),
            ]).alert(AlertKind::AddressProblem, samples::offer(0, &[Choice::Address]));
            if let Ok(title) = aftercart::model::text::Text::new(title) {
                sample.seen.order.lines[0].title = title;
            }
            sample
        };
        let rendered = |place: &str, title: &str, typed: &str| {
            let sample = sample(place, title);
            let fields: BTreeMap<Field, String> = [(Field::Line1, typed.to_owned())].into();
            let form = Form { alert: sample.seen.alerts[0].id.clone(), choice: Choice::Address, fields };
            let faults: Faults = [(Field::City, Fault::Missing)].into();
            let faulty = Some((&form, &faults));
            page(&sample, &Reading { faulty, ..reading(Language::En) }).body
        };
        let odd = rendered(&format!("x<script>\"'&{place}"), &format!("y</ul><b>{title}"), &format!("\"><i>{typed}"));
        prop_assert_eq!(odd.matches('<').count(), rendered("x", "y", "z").matches('<').count());
        prop_assert!(!odd.contains("<script"));
    }
}
