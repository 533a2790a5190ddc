//! Names for members who did not choose one to be shown by.

use aftercart::model::{
    customer::{CustomerId, Language},
    digest,
    programme::contests::Contest,
};

const MANNERS: [(&str, &str); 16] = [
    ("Brave", "勇敢的"),
    ("Bright", "明亮的"),
    ("Calm", "平静的"),
    ("Clever", "聪明的"),
    ("Eager", "热心的"),
    ("Gentle", "温柔的"),
    ("Happy", "快乐的"),
    ("Humble", "谦虚的"),
    ("Keen", "敏锐的"),
    ("Kind", "善良的"),
    ("Lively", "活泼的"),
    ("Lucky", "幸运的"),
    ("Patient", "耐心的"),
    ("Quick", "敏捷的"),
    ("Quiet", "安静的"),
    ("Steady", "稳重的"),
];

const ANIMALS: [(&str, &str); 16] = [
    ("Crane", "仙鹤"),
    ("Deer", "小鹿"),
    ("Dolphin", "海豚"),
    ("Falcon", "猎鹰"),
    ("Fox", "狐狸"),
    ("Hare", "野兔"),
    ("Hedgehog", "刺猬"),
    ("Koala", "考拉"),
    ("Lynx", "猞猁"),
    ("Magpie", "喜鹊"),
    ("Otter", "水獭"),
    ("Owl", "猫头鹰"),
    ("Panda", "熊猫"),
    ("Squirrel", "松鼠"),
    ("Swallow", "燕子"),
    ("Turtle", "海龟"),
];

/// The name of a member in a contest: the same in every call, another one in
/// another contest. Who knows the member's identity does not find it without
/// the contest's salt. Two members may have the same by chance.
#[must_use]
pub fn of(contest: &Contest, customer: &CustomerId, language: Language) -> String {
    let parts = [contest.salt.as_str(), contest.id.as_str(), customer.as_str()];
    let hash = digest::full(&parts.map(str::as_bytes));
    let draw = |hash: &str| {
        let mix = |sum: u32, byte: u8| sum.wrapping_mul(31).wrapping_add(u32::from(byte));
        hash.bytes().fold(0_u32, mix)
    };
    let (first, rest) = hash.split_at_checked(16).unwrap_or((&hash, ""));
    let (second, third) = rest.split_at_checked(16).unwrap_or((rest, ""));
    let word = |words: &[(&'static str, &'static str); 16], hash: &str| {
        let place = usize::try_from(draw(hash) % 16).unwrap_or(0);
        let (en, zh) = words.get(place).copied().unwrap_or_default();
        match language {
            Language::En => en,
            Language::Zh => zh,
        }
    };
    let (manner, animal) = (word(&MANNERS, first), word(&ANIMALS, second));
    let number = draw(third) % 1_000;
    match language {
        Language::En => format!("{manner} {animal} {number:03}"),
        Language::Zh => format!("{manner}{animal}{number:03}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn contest(id: &str, salt: &str) -> Contest {
        serde_json::from_value(json!({
            "id": id, "title": { "en": id }, "from": "2026-03-01T00:00:00Z",
            "until": "2026-04-01T00:00:00Z", "purchases": true, "salt": salt,
        }))
        .unwrap()
    }

    #[test]
    fn a_pseudonym_is_kept_in_a_contest_and_tells_nothing() {
        let ada = CustomerId::member("ada").unwrap();
        let of_ada = |contest: &Contest| of(contest, &ada, Language::En);
        let name = of_ada(&contest("spring", "s"));
        assert_eq!(name, of_ada(&contest("spring", "s")));
        assert_ne!(name, of_ada(&contest("autumn", "s")));
        assert_ne!(name, of_ada(&contest("spring", "t")));
        assert_eq!(name.split(' ').count(), 3, "{name}");
        assert!(!of(&contest("spring", "s"), &ada, Language::Zh).is_ascii());
    }

    #[test]
    fn pseudonyms_are_spread() {
        let spring = contest("spring", "s");
        let name = |number: u32| {
            let customer = CustomerId::member(&format!("m{number}")).unwrap();
            of(&spring, &customer, Language::En)
        };
        let names: BTreeSet<String> = (0..1_000).map(name).collect();
        // Of 256,000 names a thousand members share two by chance.
        assert!(names.len() > 990, "{}", names.len());
    }
}
