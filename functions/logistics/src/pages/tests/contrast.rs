//! The contrast of every pair of colours that the page puts on one another, by
//! the formula of WCAG 2.2 (relative luminance and contrast ratio).

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::customer::Language;

use super::super::{Notice, notice};

/// Text of any size (success criterion 1.4.3).
const TEXT: f64 = 4.5;

/// What must be seen to use the page: edges of fields, rings of focus, marks of
/// steps (success criterion 1.4.11).
const MARK: f64 = 3.0;

/// What lies on what.
fn pairs() -> Vec<(String, String, f64)> {
    let mut pairs: Vec<(String, String, f64)> = [
        ("ink", "page", TEXT),
        ("ink", "card", TEXT),
        ("soft", "page", TEXT),
        ("soft", "card", TEXT),
        ("link", "page", TEXT),
        ("link", "card", MARK),
        ("link", "bad-tint", MARK),
        ("on", "link", TEXT),
        ("edge", "card", MARK),
        ("bad", "card", TEXT),
        ("ink", "good-tint", TEXT),
    ]
    .map(|(over, under, least)| (over.to_owned(), under.to_owned(), least))
    .to_vec();
    for tone in ["going", "good", "care", "bad", "still"] {
        let tint = format!("{tone}-tint");
        for (over, under, least) in [
            (tone, tint.as_str(), TEXT),
            (tone, "card", TEXT),
            ("ink", &tint, TEXT),
            ("soft", &tint, TEXT),
            ("on", tone, TEXT),
            ("link", &tint, MARK),
            ("edge", &tint, MARK),
        ] {
            pairs.push((over.to_owned(), under.to_owned(), least));
        }
    }
    pairs
}

#[expect(clippy::float_arithmetic, reason = "the formula of WCAG is one of real numbers")]
fn luminance(hex: &str) -> f64 {
    let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(part(1)) + 0.7152 * linear(part(3)) + 0.0722 * linear(part(5))
}

#[expect(clippy::float_arithmetic, reason = "the formula of WCAG is one of real numbers")]
fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The colours of the style, those of light first, then those of dark.
fn palettes(style: &str) -> [BTreeMap<String, String>; 2] {
    let mut palettes = style.split(":root {").skip(1).map(|block| {
        let block = block.split('}').next().unwrap();
        let members = block.split(';').filter_map(|member| member.trim().split_once(": "));
        let colours = members.filter(|(_, value)| value.starts_with('#'));
        colours
            .map(|(name, value)| (name.trim_start_matches("--").to_owned(), value.to_owned()))
            .collect()
    });
    [palettes.next().unwrap(), palettes.next().unwrap()]
}

#[test]
fn every_pair_of_colours_can_be_read_in_light_and_dark() {
    let page = notice(Notice::Unknown, Language::En).unwrap().body;
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let [light, dark] = palettes(style);
    assert_eq!(light.keys().collect::<Vec<_>>(), dark.keys().collect::<Vec<_>>());
    let pairs = pairs();
    // No colour but these is in the style, and each is in a pair; the rules
    // between parts are only ornament.
    let rules = style.rsplit(":root {").next().unwrap().split_once("}\n}").unwrap().1;
    assert!(!rules.contains('#'), "a colour outside the palette");
    let paired: BTreeSet<&str> =
        pairs.iter().flat_map(|(over, under, _)| [over.as_str(), under.as_str()]).collect();
    let alone = light.keys().filter(|name| !paired.contains(name.as_str()));
    assert_eq!(alone.collect::<Vec<_>>(), ["rule"]);
    for (mode, palette) in [("light", light), ("dark", dark)] {
        for (over, under, least) in &pairs {
            let found = contrast(&palette[over], &palette[under]);
            assert!(found >= *least, "{mode}: {over} on {under} is {found:.2}, not {least}");
        }
    }
}

#[test]
fn the_formula_is_that_of_wcag() {
    let near = |one: &str, other: &str, ratio: f64| {
        assert_eq!(format!("{:.2}", contrast(one, other)), format!("{ratio:.2}"));
    };
    near("#000000", "#ffffff", 21.0);
    near("#777777", "#ffffff", 4.48);
    near("#767676", "#ffffff", 4.54);
}
