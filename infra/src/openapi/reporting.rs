//! Reports of surveys.

use aftercart_surveys::wire::report::SurveyReport;
use schemars::SchemaGenerator;

use super::{Content, FIRST_MONTH, LAST_MONTH, Shapes, page, schema_of};

const JSON_OR_CSV: &[&str] = &["application/json", "text/csv"];

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    let shapes = match operation {
        "survey-report" => {
            let answers = vec![
                (200, "The page with the charts of a report.", page()),
                (404, "A page: the link is not valid.", page()),
                (410, "A page: the link has expired.", page()),
            ];
            Shapes::new(answers, &[]).asking(("lang", "`en` or `zh`."))
        }
        "survey-report-operator" => {
            let schema = schema_of::<SurveyReport>(of);
            let report = Some(Content { types: JSON_OR_CSV, schema });
            let about = "What was answered, with intervals of 95 % confidence; the schema is that \
                         of JSON. The table has a line a row and measure.";
            Shapes::new(vec![(200, about, report)], &[400])
                .asking(("format", "`json` or `csv`; what `Accept` wants otherwise."))
        }
        _ => return None,
    };
    Some(
        shapes
            .asking(("touchpoint", "Which survey."))
            .asking(FIRST_MONTH)
            .asking(LAST_MONTH)
            .asking(("by", "A row for each `carrier`, `lane`, `tier`, `sku` or `month`."))
            .asking(("compare", "With the `previous` months, or with the `rest` of the rows."))
            .asking(("weight", "`tier`: each as among the invited; without `by`, or by `month`."))
            .asking(("after", "After which row the page begins: the `next` of the one before.")),
    )
}
