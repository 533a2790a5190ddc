//! The form of the page, as it is filled in.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        product::Sku,
        survey::{Answer, Given, Kind, Question, QuestionId, Taste, Touchpoint},
    },
    run::http::Problem,
};

use crate::{
    rules::answering::{self, Answers},
    wire::Said,
};

/// The field that names the revision that is corrected. No question has such a
/// name.
pub(super) const CORRECTS: &str = "_corrects";

/// The values of what is thought of a product.
pub(super) const LIKE: &str = "like";
pub(super) const DISLIKE: &str = "dislike";

/// The form as it was filled in: the values of each field. The field of a
/// question has its name; that of a product in it, a point and the SKU after that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    fields: BTreeMap<String, Vec<String>>,
    /// The revision that it corrects.
    pub corrects: Option<u32>,
}

impl Form {
    /// Reads the body that the page sends.
    ///
    /// # Errors
    /// [`Problem::invalid`] when it corrects what is no revision.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            form.fields.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let corrects = form.fields.remove(CORRECTS);
        let detail = "The form corrects no revision of an answer.";
        let problem = |_| Problem::invalid(CORRECTS, detail);
        form.corrects = corrects.map(|it| it.concat().parse().map_err(problem)).transpose()?;
        Ok(form)
    }

    /// The form with what was tapped in the invitation, if the first question
    /// can be answered so.
    #[must_use]
    pub fn tapped(touchpoint: &Touchpoint, value: &str) -> Option<Self> {
        let first = touchpoint.questions.first()?;
        let typed = Self {
            fields: [(first.id.to_string(), vec![value.to_owned()])].into(),
            corrects: None,
        };
        let only = Touchpoint { questions: vec![first.clone()], ..touchpoint.clone() };
        let taps = first.kind.scale().is_some() || matches!(first.kind, Kind::Single { .. });
        let given = answering::read(&only, &typed.said(&only)).ok().filter(|_| taps)?;
        Some(Self { fields: fields(&given), corrects: None })
    }

    /// The form as it was sent, to be corrected.
    #[must_use]
    pub fn answered(answer: &Answer) -> Self {
        Self { fields: fields(&answer.given), corrects: Some(answer.revision) }
    }

    /// What the form says to the questions of a survey. A field that belongs to
    /// none of them was one when the page was opened: it is left out.
    #[must_use]
    pub fn said(&self, touchpoint: &Touchpoint) -> BTreeMap<String, Said> {
        let said = |question: &Question| Some((question.id.to_string(), self.said_to(question)?));
        touchpoint.questions.iter().filter_map(said).collect()
    }

    fn said_to(&self, question: &Question) -> Option<Said> {
        if question.kind == Kind::Products {
            return Some(Said::Products(self.tastes(question.id.as_str())));
        }
        let values = self.fields.get(question.id.as_str())?;
        if let Kind::Multiple { .. } = question.kind {
            return Some(Said::Choices(values.clone()));
        }
        // A field that is there twice says neither.
        let value = values.join(" ");
        if question.kind == Kind::Text {
            return Some(Said::Text(value));
        }
        if value.is_empty() {
            return None;
        }
        let score = question.kind.scale().and_then(|_| value.parse().ok());
        Some(score.map_or(Said::Text(value), Said::Score))
    }

    fn tastes(&self, question: &str) -> BTreeMap<String, Taste> {
        let of = self.fields.iter().filter_map(|(name, values)| {
            let sku = name.strip_prefix(question)?.strip_prefix('.')?;
            let taste = match values.concat().as_str() {
                LIKE => Taste::Like,
                DISLIKE => Taste::Dislike,
                _ => return None,
            };
            Some((sku.to_owned(), taste))
        });
        of.collect()
    }

    /// Whether a field has a value.
    pub(super) fn has(&self, field: &str, value: &str) -> bool {
        self.fields.get(field).is_some_and(|values| values.iter().any(|it| it == value))
    }

    /// The text of a field.
    pub(super) fn text(&self, field: &str) -> String {
        self.fields.get(field).map(|values| values.join(" ")).unwrap_or_default()
    }
}

/// The fields of a form that says this.
fn fields(given: &Answers) -> BTreeMap<String, Vec<String>> {
    let one = |(id, given): (&QuestionId, &Given)| match given {
        Given::Score(score) => vec![(id.to_string(), vec![score.to_string()])],
        Given::Choices(taken) => {
            vec![(id.to_string(), taken.iter().map(ToString::to_string).collect())]
        }
        Given::Text(text) => vec![(id.to_string(), vec![text.to_string()])],
        Given::Products(tastes) => {
            let value = |taste| if taste == Taste::Like { LIKE } else { DISLIKE };
            let field =
                |(sku, it): (&Sku, &Taste)| (format!("{id}.{sku}"), vec![value(*it).to_owned()]);
            tastes.iter().map(field).collect()
        }
    };
    given.iter().flat_map(one).collect()
}
