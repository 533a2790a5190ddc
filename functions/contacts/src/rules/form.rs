//! What somebody chose on the page, or with one click in a mail program.

use std::collections::BTreeMap;

use aftercart::model::contact::Purpose;

/// A purpose that the page shows.
pub const SHOWN: &str = "shown";
/// A purpose of those that is wanted.
pub const WANT: &str = "want";
/// The button that stops one purpose, or all that are shown.
pub const STOP: &str = "stop";
/// What [`STOP`] says for all that are shown.
pub const ALL: &str = "all";

/// What a POST chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Whether each of these is wanted.
    pub choices: BTreeMap<Purpose, bool>,
    /// Whether it was chosen on the page; with one click otherwise.
    pub on_the_page: bool,
}

/// What a POST chooses. The page sends which purposes it showed and which of
/// them are wanted. Any other body is the one click of RFC 8058, which is for
/// the purpose that the link names, or for all: programs send it as a form, as
/// `multipart/form-data`, and some with no body at all.
#[must_use]
pub fn chosen(body: &[u8], of_link: Option<Purpose>) -> Choice {
    let pairs: Vec<_> = form_urlencoded::parse(body).collect();
    let named = |field: &'static str| {
        let of_field = pairs.iter().filter(move |(name, _)| name == field);
        of_field.filter_map(|(_, value)| Purpose::named(value))
    };
    let shown: Vec<Purpose> = named(SHOWN).collect();
    if shown.is_empty() {
        let stopped = of_link.map_or(Purpose::ALL.to_vec(), |purpose| vec![purpose]);
        let choices = stopped.into_iter().map(|purpose| (purpose, false)).collect();
        return Choice { choices, on_the_page: false };
    }
    let stop_all = pairs.iter().any(|(name, value)| name == STOP && value == ALL);
    let wanted: Vec<Purpose> = named(WANT).collect();
    let choices = match named(STOP).next() {
        Some(purpose) => BTreeMap::from([(purpose, false)]),
        None => shown.into_iter().map(|it| (it, !stop_all && wanted.contains(&it))).collect(),
    };
    Choice { choices, on_the_page: true }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_chooses_what_it_shows_and_one_click_what_the_link_names() {
        use Purpose::{Carts, Marketing, Programme, Surveys};
        let multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n\
                         One-Click\r\n--b--\r\n";
        let all = [(Surveys, false), (Carts, false), (Programme, false), (Marketing, false)];
        for (body, of_link, expected) in [
            ("List-Unsubscribe=One-Click", Some(Carts), &[(Carts, false)][..]),
            ("List-Unsubscribe=One-Click", None, &all),
            (multipart, Some(Surveys), &[(Surveys, false)]),
            ("", Some(Surveys), &[(Surveys, false)]),
            ("shown=x&want=carts", Some(Surveys), &[(Surveys, false)]),
            (
                "shown=surveys&shown=carts&want=carts",
                Some(Surveys),
                &[(Surveys, false), (Carts, true)],
            ),
            ("shown=surveys&want=surveys&want=carts", None, &[(Surveys, true)]),
            ("shown=surveys&shown=carts&want=carts&stop=carts", None, &[(Carts, false)]),
            (
                "shown=surveys&shown=carts&want=carts&stop=all",
                None,
                &[(Surveys, false), (Carts, false)],
            ),
        ] {
            let choices: BTreeMap<_, _> = expected.iter().copied().collect();
            let on_the_page = body.contains("shown=surveys");
            let expected = Choice { choices, on_the_page };
            assert_eq!(chosen(body.as_bytes(), of_link), expected, "{body}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_begun_that_the_page_did_not_show(
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                "((shown|want|stop)=(surveys|carts|programme|marketing|all)&){0,9}"
                    .prop_map(String::into_bytes),
            ],
            purpose in prop::sample::select(Purpose::ALL.to_vec()),
        ) {
            let chosen = chosen(&body, Some(purpose));
            let text = String::from_utf8_lossy(&body).into_owned();
            for (it, wanted) in &chosen.choices {
                let named = |field: &str| text.contains(&format!("{field}={}", it.as_str()));
                prop_assert!(!*wanted || (chosen.on_the_page && named(SHOWN) && named(WANT)));
            }
            prop_assert!(chosen.on_the_page || chosen.choices == [(purpose, false)].into());
        }
    }
}
