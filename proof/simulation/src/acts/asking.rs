//! Surveys and mails: answered, corrected, unsubscribed from.

use aftercart_infra::world::Ask;
use serde_json::json;

use crate::{
    book::Book,
    errand::{Aim, Errand},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// Somebody answers, perhaps again, from another tab, or as a correction.
pub(super) fn answer(book: &mut Book) -> Option<Errand> {
    let survey = crate::book::recent(&mut book.dice, book.surveys.len())?;
    let note = book.surveys.get(survey)?.clone();
    let most = if note.question == "recommend" { 10 } else { 5 };
    let score = book.dice.between(1, most);
    let form = book.dice.chance(400);
    let comment =
        book.dice.word(&["", "It came too late", "Lovely tea", "Broken, I want my money back"]);
    let ask = if form {
        let mut body = format!("{}={score}", note.question);
        if note.question == "recommend" && !comment.is_empty() {
            body.push_str(&format!("&comment={}", comment.replace(' ', "+")));
        }
        Ask::post(note.path.clone(), &json!({})).with("content-type", FORM).with_body(body)
    } else {
        let mut body = json!({ "answers": { note.question: score } });
        if note.question == "recommend" && !comment.is_empty() {
            body["answers"]["comment"] = comment.into();
        }
        if note.thanked > 0 {
            body["corrects"] = note.thanked.into();
        }
        Ask::post(note.path.clone(), &body)
    };
    let errand = Errand::new("survey", ask, Aim::Answer { survey });
    if book.dice.chance(150) {
        let again = book.dice.between(0, 20);
        book.later(again, errand.clone());
    }
    Some(errand)
}

/// A page out of a mail is looked at, or its button pressed.
pub(super) fn page(book: &mut Book) -> Option<Errand> {
    let pressed = book.dice.chance(300);
    let path = book.dice.pick(&book.pages)?.clone();
    let ask = match pressed && path.starts_with("/u/") {
        true => {
            let ask = Ask::post(path, &json!({})).with("content-type", FORM);
            ask.with_body("List-Unsubscribe=One-Click")
        }
        false => Ask::get(path),
    };
    Some(Errand::plain("mail.page", ask))
}

pub(super) fn prefer(book: &mut Book) -> Option<Errand> {
    let person = book.member()?;
    let wanted = book.dice.chance(700);
    let purpose = book.dice.word(&["carts", "programme", "marketing"]);
    let body = json!({ "purposes": { purpose: wanted } });
    let ask = Ask::put("/me/contact-preferences", &body);
    Some(Errand::plain("prefer", book.by_member(person, ask)))
}
