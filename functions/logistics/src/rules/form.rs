//! Reads the form in which a buyer chooses what is done about an alert.

use std::collections::BTreeMap;

use aftercart::model::{
    alert::{Choice, Wish},
    customer::{Address, Country},
    id::AlertId,
    text::{Text, TextError},
    time::{Date, Timestamp, Zone},
};

/// The longest note: what is left of a wish's note beside a day.
pub const MAX_NOTE: usize = 400;

/// The last day for which a buyer may ask, in days from today. Carriers keep a
/// parcel for some two weeks before it goes back.
pub const LAST_DAY: u32 = 14;

/// A field that a buyer fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Street and number.
    Line1,
    /// Flat, building, care of.
    Line2,
    /// Town or city.
    City,
    /// State, province or county.
    Region,
    /// Postal code.
    PostalCode,
    /// For the carrier.
    Phone,
    /// A day.
    Day,
    /// In the buyer's own words.
    Note,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 8] = [
        Self::Line1,
        Self::Line2,
        Self::City,
        Self::Region,
        Self::PostalCode,
        Self::Phone,
        Self::Day,
        Self::Note,
    ];

    /// Its name in the form.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Line1 => "line1",
            Self::Line2 => "line2",
            Self::City => "city",
            Self::Region => "region",
            Self::PostalCode => "postal_code",
            Self::Phone => "phone",
            Self::Day => "day",
            Self::Note => "note",
        }
    }

    /// The fields of a choice, in the order in which they are asked for.
    #[must_use]
    pub const fn of(choice: Choice) -> &'static [Self] {
        use Field::{City, Day, Line1, Line2, Note, Phone, PostalCode, Region};
        match choice {
            Choice::Wait => &[],
            Choice::Reship | Choice::Refund => &[Note],
            Choice::Address => &[Line1, Line2, City, Region, PostalCode, Phone],
            Choice::Date => &[Day, Note],
        }
    }

    /// Whether it must be filled in.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Line1 | Self::City | Self::Day)
    }

    /// How many characters it takes at most.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Line1 | Self::Line2 => 100,
            Self::City | Self::Region => 60,
            Self::PostalCode => 16,
            Self::Phone => 32,
            Self::Day => 10,
            Self::Note => MAX_NOTE,
        }
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It must be filled in.
    Missing,
    /// It is too long.
    TooLong,
    /// It has characters that nobody can read.
    Unreadable,
    /// It is no day, or none for which a buyer may ask.
    Day,
}

/// What is wrong, by field.
pub type Faults = BTreeMap<Field, Fault>;

/// What a buyer chose, as it was filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// About which alert.
    pub alert: AlertId,
    /// What.
    pub choice: Choice,
    /// The fields that were filled in.
    pub fields: BTreeMap<Field, String>,
}

/// What the form does not say: for whom the address is, and where days are.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Whom the parcel is for.
    pub name: &'a Text<100>,
    /// The country that it goes to.
    pub country: &'a Country,
    /// Where the dates of the promise are.
    pub zone: &'a Zone,
    /// The present moment.
    pub now: Timestamp,
}

impl Known<'_> {
    /// The first and the last day for which a buyer may ask.
    #[must_use]
    pub fn days(&self) -> (Date, Date) {
        let today = self.now.date_in(self.zone);
        (today.plus_days(1), today.plus_days(LAST_DAY))
    }
}

impl Form {
    /// What the buyer wishes.
    ///
    /// # Errors
    /// [`Faults`] tells what is wrong with each field.
    pub fn read(&self, known: &Known<'_>) -> Result<Wish, Faults> {
        let mut faults = Faults::new();
        let fields = Field::of(self.choice);
        for field in fields.iter().filter(|field| field.is_required()) {
            if self.typed(*field).is_empty() {
                faults.insert(*field, Fault::Missing);
            }
        }
        let address = match self.choice {
            Choice::Address => self.address(known, &mut faults),
            _ => None,
        };
        let day = if fields.contains(&Field::Day) { self.day(known, &mut faults) } else { None };
        let note: Option<Text<MAX_NOTE>> = match fields.contains(&Field::Note) {
            true => self.text(Field::Note, &mut faults),
            false => None,
        };
        let note = [day.map(|day| day.to_string()), note.map(String::from)];
        let note = note.into_iter().flatten().collect::<Vec<_>>().join(": ");
        if !faults.is_empty() {
            return Err(faults);
        }
        let note = Text::new(&note).ok();
        Ok(Wish { at: known.now, choice: self.choice, address, note })
    }

    /// A field as it was typed, without white space at its ends. A browser ends
    /// the lines of a note with carriage returns; each is a space here.
    #[must_use]
    pub fn typed(&self, field: Field) -> String {
        let typed = self.fields.get(&field).map(String::as_str).unwrap_or_default();
        typed.replace("\r\n", " ").replace(['\r', '\n', '\t'], " ").trim().to_owned()
    }

    fn text<const MAX: usize>(&self, field: Field, faults: &mut Faults) -> Option<Text<MAX>> {
        match Text::new(&self.typed(field)) {
            // U+FFFD is what a browser's broken bytes are read as.
            Ok(text) if text.as_str().contains('\u{fffd}') => {
                faults.insert(field, Fault::Unreadable);
                None
            }
            Ok(text) => Some(text),
            Err(TextError::Empty) => None,
            Err(TextError::TooLong { .. }) => {
                faults.insert(field, Fault::TooLong);
                None
            }
            Err(TextError::Control) => {
                faults.insert(field, Fault::Unreadable);
                None
            }
        }
    }

    fn address(&self, known: &Known<'_>, faults: &mut Faults) -> Option<Address> {
        let line1 = self.text(Field::Line1, faults);
        let city = self.text(Field::City, faults);
        let line2 = self.text(Field::Line2, faults);
        let region = self.text(Field::Region, faults);
        let postal_code = self.text(Field::PostalCode, faults);
        let phone = self.text(Field::Phone, faults);
        Some(Address {
            name: known.name.clone(),
            line1: line1?,
            line2,
            city: city?,
            region,
            postal_code,
            country: known.country.clone(),
            phone,
        })
    }

    fn day(&self, known: &Known<'_>, faults: &mut Faults) -> Option<Date> {
        let typed = self.typed(Field::Day);
        let (first, last) = known.days();
        let day = Date::parse(&typed).ok().filter(|day| (first..=last).contains(day));
        if day.is_none() && !typed.is_empty() {
            faults.insert(Field::Day, Fault::Day);
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHOICES: [Choice; 5] =
        [Choice::Wait, Choice::Reship, Choice::Refund, Choice::Address, Choice::Date];

    fn read(choice: Choice, filled: &[(Field, &str)]) -> Result<Wish, Faults> {
        let fields = filled.iter().map(|(field, text)| (*field, (*text).to_owned())).collect();
        let form = Form { alert: AlertId::derive(&["1"]), choice, fields };
        form.read(&Known {
            name: &Text::new("Ada").unwrap(),
            country: &Country::try_from("GB".to_owned()).unwrap(),
            zone: &Zone::parse("Europe/London").unwrap(),
            now: Timestamp::parse("2026-11-21T12:00:00Z").unwrap(),
        })
    }

    fn faults(of: &[(Field, Fault)]) -> Result<Wish, Faults> {
        Err(of.iter().copied().collect())
    }

    #[test]
    fn a_form_is_read_or_its_faults_are_told() {
        use Field::{City, Day, Line1, Note, Phone, PostalCode};
        let note = |wish: Wish| wish.note.map(String::from);
        assert_eq!(read(Choice::Wait, &[]).map(note), Ok(None));
        assert_eq!(read(Choice::Wait, &[(Note, "ignored")]).map(note), Ok(None));
        let two_lines = read(Choice::Refund, &[(Note, " Too late\r\nfor me ")]);
        assert_eq!(two_lines.map(note), Ok(Some("Too late for me".to_owned())));
        let day = read(Choice::Date, &[(Day, "2026-11-24"), (Note, "after six")]).map(note);
        assert_eq!(day, Ok(Some("2026-11-24: after six".to_owned())));
        let alone = read(Choice::Date, &[(Day, "2026-12-05")]).map(note);
        assert_eq!(alone, Ok(Some("2026-12-05".to_owned())));
        for day in ["2026-11-21", "2026-12-06", "tomorrow"] {
            assert_eq!(read(Choice::Date, &[(Day, day)]), faults(&[(Day, Fault::Day)]), "{day}");
        }
        assert_eq!(read(Choice::Date, &[]), faults(&[(Day, Fault::Missing)]));
        let wish = read(Choice::Address, &[(Line1, "1 High St"), (City, "Leeds"), (Phone, "")]);
        let address = wish.unwrap().address.unwrap();
        assert_eq!((address.name.as_str(), address.line1.as_str()), ("Ada", "1 High St"));
        assert_eq!((address.country.as_str(), address.phone), ("GB", None));
        let long = "9".repeat(17);
        assert_eq!(
            read(Choice::Address, &[(Line1, "\u{1b}"), (PostalCode, &long)]),
            faults(&[
                (Line1, Fault::Unreadable),
                (City, Fault::Missing),
                (PostalCode, Fault::TooLong),
            ])
        );
        let broken = read(Choice::Refund, &[(Note, "\u{fffd}")]);
        assert_eq!(broken, faults(&[(Note, Fault::Unreadable)]));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read_or_has_a_fault(
            choice in 0..CHOICES.len(),
            typed in proptest::collection::vec(".{0,120}", Field::ALL.len()),
        ) {
            let filled: Vec<_> =
                Field::ALL.into_iter().zip(typed.iter().map(String::as_str)).collect();
            match read(CHOICES[choice], &filled) {
                Ok(wish) => prop_assert_eq!(
                    wish.address.is_some(), CHOICES[choice] == Choice::Address
                ),
                Err(faults) => {
                    prop_assert!(!faults.is_empty());
                    let asked = Field::of(CHOICES[choice]);
                    prop_assert!(faults.keys().all(|field| asked.contains(field)));
                }
            }
        }
    }
}
