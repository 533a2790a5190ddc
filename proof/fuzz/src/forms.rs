//! What pages without scripts send: fields, encoded as browsers encode them. The
//! first line names the page.

use std::collections::BTreeSet;

use aftercart::model::{
    contact::Purpose,
    customer::Country,
    form,
    policy::Policy,
    survey::{Given, Touchpoint},
    text::Text,
    time::Zone,
};
use aftercart_care::rules::form::{ComplaintForm, TicketForm, message};
use aftercart_contacts::rules::form::chosen;
use aftercart_logistics::{pages as parcels, rules::form::Known};
use aftercart_surveys::{pages::Form as SurveyForm, rules::answering};

use crate::{Finding, Seed, Verdict, headed, seed, shop::Shop};

/// Reads the form, and looks whether it says only what its page can ask.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some((page, body)) = headed(input) else { return Ok(()) };
    match page {
        "fields" => fields(body),
        "survey" => survey(body),
        "contacts" => contacts(body),
        "ticket" => ticket(body),
        "complaint" => complaint(body),
        "parcel" => parcel(body),
        _ => Ok(()),
    }
}

/// A provider's form reads the same when it is written anew.
fn fields(body: &[u8]) -> Verdict {
    let Some(read) = form::fields(body) else { return Ok(()) };
    let encoded = |bytes: &[u8]| bytes.iter().map(|b| format!("%{b:02X}")).collect::<String>();
    let written: Vec<String> =
        read.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let again = form::fields(written.join("&").as_bytes());
    // A field without a name and a value is not there when it is written.
    let mut same = read;
    if written.iter().any(|pair| pair == "=") {
        same.remove(&Vec::new());
        return Ok(());
    }
    hold!(again.as_ref() == Some(&same), "the form reads otherwise: {written:?}");
    Ok(())
}

fn touchpoints() -> Result<Vec<Touchpoint>, Finding> {
    let policy = Policy::default_document().map_err(Finding::unprepared)?;
    Ok(policy.surveys.touchpoints)
}

/// What was answered was asked, within the scale, and in words that can be shown.
fn survey(body: &[u8]) -> Verdict {
    let Ok(form) = SurveyForm::parse(body) else { return Ok(()) };
    for touchpoint in touchpoints()? {
        let Ok(answers) = answering::read(&touchpoint, &form.said(&touchpoint)) else { continue };
        for (id, given) in answers {
            let question = touchpoint.questions.iter().find(|question| question.id == id);
            let Some(question) = question else {
                return Err(Finding::new(format!("{id} was not asked")));
            };
            match given {
                Given::Score(score) => {
                    let scale = question.kind.scale();
                    let fits = scale.is_some_and(|scale| (scale.0..=scale.1).contains(&score));
                    hold!(fits, "{id} has {score} of {scale:?}");
                }
                Given::Choices(choices) => {
                    let each: BTreeSet<_> = choices.iter().collect();
                    hold!(each.len() == choices.len(), "{id} has a choice twice: {choices:?}");
                }
                Given::Text(text) => is_text(text.as_str())?,
                Given::Products(_) => {}
            }
        }
    }
    Ok(())
}

fn is_text(text: &str) -> Verdict {
    let shown = !text.is_empty() && !text.contains(|c: char| c.is_control());
    hold!(shown, "a text cannot be shown: {text:?}");
    Ok(())
}

/// One click stops what the link is for, and never begins anything.
fn contacts(body: &[u8]) -> Verdict {
    for of_link in [None, Some(Purpose::Surveys), Some(Purpose::Carts)] {
        let choice = chosen(body, of_link);
        hold!(!choice.choices.is_empty(), "nothing is chosen");
        if !choice.on_the_page {
            hold!(choice.choices.values().all(|wanted| !wanted), "one click says yes: {choice:?}");
            let only = of_link.is_none_or(|it| choice.choices.keys().all(|known| *known == it));
            hold!(only, "one click is for another purpose: {choice:?}");
        }
    }
    Ok(())
}

fn pairs(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

fn ticket(body: &[u8]) -> Verdict {
    let Ok(form) = TicketForm::of(pairs(body)) else { return Ok(()) };
    message(&form.text).map_or(Ok(()), |text| is_text(text.as_str()))
}

fn complaint(body: &[u8]) -> Verdict {
    let Ok(form) = ComplaintForm::of(pairs(body)) else { return Ok(()) };
    match form.read() {
        Ok((_, text)) => is_text(text.as_str()),
        Err((topic, text)) => {
            hold!(topic.is_some() || text.is_some(), "a complaint is refused for nothing");
            Ok(())
        }
    }
}

/// What a buyer wishes is an address in the same country, or a note.
fn parcel(body: &[u8]) -> Verdict {
    let Ok(form) = parcels::form(body) else { return Ok(()) };
    let name: Text<100> = Text::new("Ada Example").map_err(Finding::unprepared)?;
    let country = Country::try_from("GB".to_owned()).map_err(Finding::unprepared)?;
    let (zone, now) = (Zone::utc(), Shop::here()?.time());
    let known = Known { name: &name, country: &country, zone: &zone, now };
    let Ok(wish) = form.read(&known) else { return Ok(()) };
    hold!(wish.choice == form.choice && wish.at == now, "it is another wish: {wish:?}");
    if let Some(address) = wish.address {
        hold!(address.country == country, "the parcel goes to {}", address.country.as_str());
    }
    wish.note.map_or(Ok(()), |note| is_text(note.as_str()))
}

/// The forms of every page, filled in.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let mut seeds = vec![
        seed("fields", "fields", "a=1&b=%e4%bd%a0%20+&c=&=d&%zz=%4"),
        seed("contacts-page", "contacts", "shown=surveys&shown=carts&want=carts"),
        seed("contacts-stop", "contacts", "shown=surveys&stop=all"),
        seed("contacts-click", "contacts", "List-Unsubscribe=One-Click"),
        seed("ticket", "ticket", "do=write&after=1&text=Still+waiting%0D%0Afor+it"),
        seed("ticket-confirm", "ticket", "do=confirm&after=2"),
        seed("complaint", "complaint", "seen=2026-11-21T12:00:00.000Z&topic=delivery&text=Late"),
        seed("parcel-wait", "parcel", format!("alert={ALERT}&choice=wait")),
        seed("parcel-address", "parcel", {
            format!(
                "alert={ALERT}&choice=address&line1=1+High+Street&city=Leeds&postal_code=LS1+1AA"
            )
        }),
        seed(
            "parcel-day",
            "parcel",
            format!("alert={ALERT}&choice=redeliver&day=2026-11-25&note=Ring"),
        ),
    ];
    for touchpoint in touchpoints()? {
        let fields: Vec<String> =
            touchpoint.questions.iter().map(|question| format!("{}=5", question.id)).collect();
        let body = format!("{}&_corrects=1", fields.join("&"));
        seeds.push(seed(format!("survey-{}", touchpoint.id), "survey", body));
    }
    Ok(seeds)
}

/// An alert's identity.
const ALERT: &str = "alt_aaaaaaaaaaaaaaaaaaaaaaaaaa";
