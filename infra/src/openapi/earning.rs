//! What members earn: deeds, and what a cart would earn.

use aftercart_points::wire::earning::{ActionView, AskEstimate, EstimateView, ReportAction};
use schemars::SchemaGenerator;

use super::Shapes;

const LANG: (&str, &str) =
    ("lang", "`en` or `zh`; the first of `Accept-Language` that there is otherwise.");

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "points-action" => {
            let about = "What the check-in of the day gave; it may be spent at once.";
            Shapes::created::<ActionView>(of, about, &[404]).asking(LANG)
        }
        "points-action-operator" => {
            let about = "What the deed gave, and why not more.";
            Shapes::created::<ActionView>(of, about, &[400]).taking::<ReportAction>(of).asking(LANG)
        }
        "points-estimate" => {
            let about = "What the cart would earn, line by line and rule by rule.";
            Shapes::ok::<EstimateView>(of, about, &[400]).taking::<AskEstimate>(of).asking(LANG)
        }
        _ => return None,
    })
}
