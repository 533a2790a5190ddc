//! What buyers wrote in surveys.

use aftercart_surveys::wire::feedback::{FeedbackFile, FeedbackPage};
use schemars::SchemaGenerator;

use super::Shapes;

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "feedback-list" => {
            let about = "A page of what buyers wrote in a month, latest first; with a filter it \
                         may have fewer than `limit`, even none, and still go on.";
            Shapes::ok::<FeedbackPage>(of, about, &[400])
                .asking(("month", "A month of UTC, such as `2026-11`; the present one otherwise."))
                .asking(("touchpoint", "Only of this survey."))
                .asking(("sentiment", "Only what sounds so: `negative`, `neutral`, `positive`."))
                .asking(("topic", "Only what is about this, such as `delivery`."))
                .asking(("alarm", "Only with alarming words of this kind, or of `any`."))
                .paged()
        }
        "feedback-reward" => {
            let about = "The feedback, which is called valuable now or was before.";
            Shapes::ok::<FeedbackFile>(of, about, &[404, 409])
        }
        _ => return None,
    })
}
