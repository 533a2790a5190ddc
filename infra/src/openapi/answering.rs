//! Surveys, as those see them who are asked.

use aftercart_surveys::wire::{AnswerSurvey, AnswerView, SurveyView};
use schemars::SchemaGenerator;

use super::{Content, JSON_OR_FORM, Shapes, json_of, page, schema_of};

const LANG: (&str, &str) = ("lang", "`en` or `zh`; the invitation's language otherwise.");
const TAPPED: (&str, &str) =
    ("a", "What the page has filled in for the first question. It is not answered by that.");

/// A page, or to an app that accepts JSON the same as data.
const HTML_OR_JSON: &[&str] = &["text/html", "application/json"];

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "survey-view" => {
            let schema = schema_of::<SurveyView>(of);
            let survey = Some(Content { types: HTML_OR_JSON, schema });
            let about = "The survey's page, or thanks with the answer; the schema is that of JSON, \
                         which an app gets that accepts only that.";
            let answers = vec![
                (200, about, survey),
                (404, "A page, or a problem: the link is not valid.", page()),
                (410, "A page, or a problem: the survey is closed.", page()),
            ];
            Shapes::new(answers, &[400]).asking(LANG).asking(TAPPED)
        }
        "survey-answer" => {
            let answers = vec![
                (200, "To JSON: the answer as it was recorded.", json_of::<AnswerView>(of)),
                (303, "To the page's form: on to the thanks.", None),
                (404, "The link is not valid.", page()),
                (
                    409,
                    "Another answer was recorded before, or it is too late to correct it.",
                    page(),
                ),
                (410, "The survey is closed.", page()),
                (422, "The page again, with what is wrong at its question.", page()),
            ];
            let schema = schema_of::<AnswerSurvey>(of);
            Shapes::new(answers, &[400, 415]).taking_one_of(JSON_OR_FORM, schema)
        }
        _ => return None,
    })
}
