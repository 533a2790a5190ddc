//! What is wrong with a parcel, what was given for it, and what its buyer may
//! choose: a form for each choice.

use std::collections::BTreeMap;

use aftercart::{
    model::{alert::Choice, id::AlertId},
    run::http::Problem,
};

use crate::{
    rules::{
        form::{Field, Form, Known},
        wording::{self, ChoiceWords, page as words},
    },
    wire::tracking::{AlertView, ParcelView},
};

use super::parcels::{Place, Tone, alert_tone};

/// An alert.
pub(super) struct AlertPart {
    pub(super) id: String,
    pub(super) tone: Tone,
    pub(super) title: &'static str,
    pub(super) lines: Vec<String>,
    pub(super) choices: Vec<ChoicePart>,
}

/// A form.
pub(super) struct ChoicePart {
    pub(super) code: &'static str,
    pub(super) words: ChoiceWords,
    pub(super) open: bool,
    pub(super) fields: Vec<FieldPart>,
}

/// A field of a form.
pub(super) struct FieldPart {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) most: usize,
    pub(super) span: Option<(String, String)>,
    pub(super) fill: Option<&'static str>,
    pub(super) required: bool,
    pub(super) fault: Option<String>,
}

/// The alerts of a parcel. What the headline says of the first is not said again.
pub(super) fn of(place: &Place<'_>, parcel: &ParcelView) -> Vec<AlertPart> {
    let alerts = parcel.alerts.iter().take(place.limits.alerts);
    alerts.filter_map(|alert| part(place, parcel, alert)).collect()
}

fn part(place: &Place<'_>, parcel: &ParcelView, alert: &AlertView) -> Option<AlertPart> {
    let language = place.reading.language;
    let ui = words::of(language);
    let said = alert.text == parcel.next;
    let mut lines = Vec::new();
    if !said {
        lines.push(alert.text.clone());
    }
    if alert.points > 0 {
        lines.push(words::points_given(alert.points, language));
    }
    if alert.voucher.is_some() {
        lines.push(words::voucher_given(language).to_owned());
    }
    if let Some(chosen) = &alert.chosen {
        let name = wording::choice(chosen.choice, language).name;
        lines.push(words::chosen(name, &place.dates.moment(chosen.at), language));
    }
    if alert.due > place.reading.now && (alert.chosen.is_some() || alert.choices.is_empty()) {
        lines.push(words::seen_to_by(&place.dates.moment(alert.due), language));
    }
    if alert.chosen.is_some() && alert.choices.len() > 1 {
        lines.push(ui.another_choice.to_owned());
    }
    let again = |choice: &&Choice| alert.chosen.as_ref().is_none_or(|it| it.choice != **choice);
    let choices: Vec<ChoicePart> =
        alert.choices.iter().filter(again).map(|it| choice(place, alert, *it)).collect();
    let given = alert.points > 0 || alert.voucher.is_some();
    let title = match said {
        true if choices.is_empty() && lines.is_empty() => return None,
        true if choices.is_empty() && !given && alert.chosen.is_none() => ui.seen_to,
        true if choices.is_empty() || alert.chosen.is_some() => ui.remedy,
        true => ui.ask,
        false => wording::alert(alert.kind, language).0,
    };
    let id = alert.id.to_string();
    Some(AlertPart { id, tone: alert_tone(alert.kind), title, lines, choices })
}

fn choice(place: &Place<'_>, alert: &AlertView, choice: Choice) -> ChoicePart {
    let faulty = place.reading.faulty;
    let faulty = faulty.filter(|(form, _)| form.alert == alert.id && form.choice == choice);
    ChoicePart {
        code: code(choice),
        words: wording::choice(choice, place.reading.language),
        open: faulty.is_some(),
        fields: Field::of(choice).iter().map(|it| field(place, alert, choice, *it)).collect(),
    }
}

fn field(place: &Place<'_>, alert: &AlertView, choice: Choice, field: Field) -> FieldPart {
    let language = place.reading.language;
    let faulty = place.reading.faulty;
    let faulty = faulty.filter(|(form, _)| form.alert == alert.id && form.choice == choice);
    let known = known(place);
    let typed = faulty.map(|(form, _)| form.typed(field));
    let usual = match field {
        Field::City => place.view.city.as_str(),
        _ => "",
    };
    FieldPart {
        id: format!("{}-{}-{}", alert.id, code(choice), field.name()),
        name: field.name(),
        kind: match field {
            Field::Note => "textarea",
            Field::Day => "date",
            Field::Phone => "tel",
            _ => "text",
        },
        label: words::field(field, language),
        // What is longer would not be taken, and could be more than a page holds.
        value: typed
            .map_or_else(|| usual.to_owned(), |typed| typed.chars().take(field.most()).collect()),
        most: field.most(),
        span: (field == Field::Day).then(|| {
            let (first, last) = known.days();
            (first.to_string(), last.to_string())
        }),
        fill: match field {
            Field::Line1 => Some("address-line1"),
            Field::Line2 => Some("address-line2"),
            Field::City => Some("address-level2"),
            Field::Region => Some("address-level1"),
            Field::PostalCode => Some("postal-code"),
            Field::Phone => Some("tel"),
            Field::Day | Field::Note => None,
        },
        required: field.is_required(),
        fault: faulty
            .and_then(|(_, faults)| faults.get(&field))
            .map(|fault| words::fault(*fault, field, language)),
    }
}

fn known<'a>(place: &'a Place<'_>) -> Known<'a> {
    let address = &place.seen.order.address;
    let (zone, now) = (place.dates.zone, place.reading.now);
    Known { name: &address.name, country: &address.country, zone, now }
}

/// The choices by the names that forms have for them.
const CHOICES: [Choice; 5] =
    [Choice::Wait, Choice::Reship, Choice::Refund, Choice::Address, Choice::Date];

const fn code(choice: Choice) -> &'static str {
    match choice {
        Choice::Wait => "wait",
        Choice::Reship => "reship",
        Choice::Refund => "refund",
        Choice::Address => "address",
        Choice::Date => "date",
    }
}

/// See [`super::form`].
pub(super) fn form(body: &[u8]) -> Result<Form, Problem> {
    let (mut alert, mut choice, mut fields) = (None, None, BTreeMap::new());
    for (name, value) in form_urlencoded::parse(body) {
        let field = Field::ALL.into_iter().find(|field| field.name() == name);
        let twice = match (&*name, field) {
            ("alert", _) => alert.replace(value.into_owned()).is_some(),
            ("choice", _) => choice.replace(value.into_owned()).is_some(),
            (_, Some(field)) => fields.insert(field, value.into_owned()).is_some(),
            _ => return Err(Problem::invalid(name, "The form has no such field.")),
        };
        if twice {
            return Err(Problem::invalid(name, "The field is there twice."));
        }
    }
    let alert = alert.and_then(|text| AlertId::parse(&text).ok());
    let alert = alert.ok_or_else(|| Problem::invalid("alert", "The form names no alert."))?;
    let choice = choice.and_then(|text| CHOICES.into_iter().find(|it| code(*it) == text));
    let choice = choice.ok_or_else(|| Problem::invalid("choice", "The form names no choice."))?;
    Ok(Form { alert, choice, fields })
}
