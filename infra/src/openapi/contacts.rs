//! What people are contacted for.

use aftercart_contacts::wire::{ContactPreferences, CustomerContacts, PutContactPreferences};
use schemars::SchemaGenerator;
use serde_json::json;

use super::{Shapes, page};

const FOR: (&str, &str) = (
    "for",
    "The purpose of the message with the link: `surveys`, `carts`, `programme` or `marketing`.",
);
const LANG: (&str, &str) = ("lang", "`en` or `zh`; the browser's language otherwise.");

/// A form, as browsers or as mail programs send it.
const FORMS: &[&str] = &["application/x-www-form-urlencoded", "multipart/form-data"];

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "contact-page" => {
            let answers = vec![
                (200, "The page of what somebody is contacted for.", page()),
                (404, "A page: the link is not valid.", page()),
            ];
            Shapes::new(answers, &[]).asking(FOR).asking(LANG)
        }
        "contact-page-post" => {
            let answers = vec![
                (200, "A page: with one click the purpose was stopped, or all of them.", page()),
                (303, "What was chosen on the page is noted: on to the page.", None),
                (404, "A page: the link is not valid.", page()),
            ];
            let about = "The form of the page, or `List-Unsubscribe=One-Click` (RFC 8058).";
            let schema = json!({ "type": "object", "description": about });
            Shapes::new(answers, &[]).asking(FOR).asking(LANG).taking_one_of(FORMS, schema)
        }
        "contact-preferences" => {
            let about = "What the member is contacted for, and when not.";
            Shapes::ok::<ContactPreferences>(of, about, &[400]).asking(LANG)
        }
        "contact-preferences-put" => {
            let about = "What the member is contacted for now.";
            Shapes::ok::<ContactPreferences>(of, about, &[400])
                .taking::<PutContactPreferences>(of)
                .asking(LANG)
        }
        "contact-list" => {
            let about = "What the customer was contacted for, what was withheld, and what waits.";
            Shapes::ok::<CustomerContacts>(of, about, &[400, 404])
                .asking(("order", "An order of the customer's, if that is a guest."))
        }
        _ => return None,
    })
}
