//! Reads what a customer fills in on a page.

use aftercart::model::{
    text::{Text, TextError},
    ticket::{MAX_MESSAGE, Topic},
    time::Timestamp,
};

use super::words;

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It must be filled in.
    Missing,
    /// It is too long.
    TooLong,
    /// It has characters that nobody can read.
    Unreadable,
}

/// What a customer does on the page of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Writes.
    Write,
    /// Says that it is solved.
    Confirm,
}

/// The form of a ticket's page, as it was filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketForm {
    /// What the customer does.
    pub step: Step,
    /// How many entries the page showed: with what was written it tells one
    /// sending of the form from another.
    pub after: u16,
    /// What was typed.
    pub text: String,
}

/// The form of a new complaint, as it was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComplaintForm {
    /// When the page with it was opened: with what was written it tells one
    /// sending of the form from another. None if the form does not say.
    pub seen: Option<Timestamp>,
    /// What it is about, by its code.
    pub topic: String,
    /// What was typed.
    pub text: String,
}

/// A field that the page does not have, has once only, or fills in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField(pub String);

impl TicketForm {
    /// Reads the form from its fields.
    ///
    /// # Errors
    /// [`UnknownField`]: the page does not send that.
    pub fn of(fields: Vec<(String, String)>) -> Result<Self, UnknownField> {
        let [step, after, text] = pick(["do", "after", "text"], fields)?;
        let step = match step.as_deref() {
            Some("write") => Step::Write,
            Some("confirm") => Step::Confirm,
            _ => return Err(UnknownField("do".to_owned())),
        };
        let after = after.and_then(|it| it.parse().ok());
        let after = after.ok_or_else(|| UnknownField("after".to_owned()))?;
        Ok(Self { step, after, text: text.unwrap_or_default() })
    }
}

impl ComplaintForm {
    /// Reads the form from its fields.
    ///
    /// # Errors
    /// [`UnknownField`]: the page does not send that.
    pub fn of(fields: Vec<(String, String)>) -> Result<Self, UnknownField> {
        let [seen, topic, text] = pick(["seen", "topic", "text"], fields)?;
        let seen = seen.map(|it| Timestamp::parse(&it)).transpose();
        let seen = seen.map_err(|_| UnknownField("seen".to_owned()))?;
        Ok(Self { seen, topic: topic.unwrap_or_default(), text: text.unwrap_or_default() })
    }

    /// The complaint, or what is wrong with topic and text.
    ///
    /// # Errors
    /// The fault of each that has one.
    pub fn read(&self) -> Result<(Topic, Text<MAX_MESSAGE>), (Option<Fault>, Option<Fault>)> {
        let topic = words::TOPICS.into_iter().find(|it| words::code(*it) == self.topic);
        match (topic, message(&self.text)) {
            (Some(topic), Ok(text)) => Ok((topic, text)),
            (topic, text) => Err((topic.is_none().then_some(Fault::Missing), text.err())),
        }
    }
}

/// What a customer typed, in one paragraph: a browser ends lines with carriage
/// returns, and each is a space here.
///
/// # Errors
/// [`Fault`].
pub fn message(typed: &str) -> Result<Text<MAX_MESSAGE>, Fault> {
    let text = typed.replace("\r\n", " ").replace(['\r', '\n', '\t'], " ");
    match Text::new(&text) {
        // U+FFFD is what a browser's broken bytes are read as.
        Ok(text) if text.as_str().contains('\u{fffd}') => Err(Fault::Unreadable),
        Ok(text) => Ok(text),
        Err(TextError::Empty) => Err(Fault::Missing),
        Err(TextError::TooLong { .. }) => Err(Fault::TooLong),
        Err(TextError::Control) => Err(Fault::Unreadable),
    }
}

/// The fields of these names, each at most once, and no other.
fn pick<const N: usize>(
    names: [&str; N],
    fields: Vec<(String, String)>,
) -> Result<[Option<String>; N], UnknownField> {
    let mut picked = names.map(|_| None);
    for (name, value) in fields {
        let place = names.iter().zip(&mut picked).find(|(known, _)| **known == name);
        match place {
            Some((_, slot @ None)) => *slot = Some(value),
            _ => return Err(UnknownField(name)),
        }
    }
    Ok(picked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_form_is_read_or_says_which_field_is_not_the_pages() {
        let written = fields(&[("after", "3"), ("text", "Still here"), ("do", "write")]);
        let form = TicketForm { step: Step::Write, after: 3, text: "Still here".to_owned() };
        assert_eq!(TicketForm::of(written), Ok(form));
        let confirmed = TicketForm::of(fields(&[("do", "confirm"), ("after", "0")]));
        assert_eq!(confirmed.map(|it| (it.step, it.text)), Ok((Step::Confirm, String::new())));
        for (of, field) in [
            (&[("after", "3")][..], "do"),
            (&[("do", "eat"), ("after", "3")], "do"),
            (&[("do", "write")], "after"),
            (&[("do", "write"), ("after", "70000")], "after"),
            (&[("do", "write"), ("do", "write")], "do"),
            (&[("price", "1")], "price"),
        ] {
            let error = TicketForm::of(fields(of));
            assert_eq!(error, Err(UnknownField(field.to_owned())), "{of:?}");
        }
        assert!(ComplaintForm::of(fields(&[("topic", "delivery"), ("topic", "x")])).is_err());
        let seen = |text: &str| ComplaintForm::of(fields(&[("seen", text)])).map(|it| it.seen);
        let then = Timestamp::parse("2026-11-22T12:00:00.000Z").ok();
        assert_eq!(seen("2026-11-22T12:00:00.000Z"), Ok(then));
        assert_eq!(seen("yesterday"), Err(UnknownField("seen".to_owned())));
    }

    #[test]
    fn a_complaint_has_a_topic_and_words() {
        let read = |topic: &str, text: &str| {
            let (topic, text) = (topic.to_owned(), text.to_owned());
            ComplaintForm { seen: None, topic, text }.read()
        };
        let (topic, text) = read("delivery", " Nobody came.\r\nTwice. ").unwrap();
        assert_eq!((topic, text.as_str()), (Topic::Delivery, "Nobody came. Twice."));
        let long = "x".repeat(MAX_MESSAGE + 1);
        for (topic, text, faults) in [
            ("", "Hello", (Some(Fault::Missing), None)),
            ("weather", "", (Some(Fault::Missing), Some(Fault::Missing))),
            ("price", &long, (None, Some(Fault::TooLong))),
            ("price", "\u{1b}", (None, Some(Fault::Unreadable))),
            ("price", "\u{fffd}", (None, Some(Fault::Unreadable))),
        ] {
            assert_eq!(read(topic, text), Err(faults), "{topic} {text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read_or_has_a_fault(typed in ".{0,60}") {
            match message(&typed) {
                Ok(text) => prop_assert!(!text.as_str().is_empty()),
                Err(fault) => prop_assert_ne!(fault, Fault::TooLong),
            }
        }
    }
}
