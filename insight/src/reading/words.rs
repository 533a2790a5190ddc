//! Finding words in a text.

/// A text in which words are found: in small letters, its Latin words between
/// single spaces, runs of Chinese as they are.
pub(super) struct Flat(String);

impl Flat {
    pub(super) fn of(text: &str) -> Self {
        let mut flat = String::from(" ");
        let mut before = Script::Neither;
        for char in text.chars().flat_map(|char| folded(char).to_lowercase()) {
            let script = script(char);
            if script != before && !flat.ends_with(' ') {
                flat.push(' ');
            }
            if script != Script::Neither {
                flat.push(char);
            }
            before = script;
        }
        if !flat.ends_with(' ') {
            flat.push(' ');
        }
        Self(flat)
    }

    /// Whether a word is in it. See [`super::Alarms`] for how words are written.
    pub(super) fn has(&self, word: &str) -> bool {
        let word = Self::of_word(word);
        !word.trim().is_empty() && self.0.contains(&word)
    }

    /// The text without these words, each of which leaves a gap.
    pub(super) fn without(&self, words: &[&str]) -> Self {
        // Twice, because a space may be the end of one and the beginning of the next.
        let take = |text: String, word: &&str| text.replace(&Self::of_word(word), " \u{b7} ");
        let words = || words.iter().chain(words);
        Self(words().fold(self.0.clone(), take))
    }

    /// Its Latin words.
    pub(super) fn latin(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|it| it.starts_with(|char| script(char) == Script::Latin))
    }

    /// A word in the form in which a text holds it.
    fn of_word(word: &str) -> String {
        let Self(flat) = Self::of(word);
        if word.chars().any(is_han) {
            return flat.trim().to_owned();
        }
        match word.ends_with('*') {
            true => flat.trim_end().to_owned(),
            false => flat,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Han,
    Neither,
}

fn script(char: char) -> Script {
    match char {
        _ if is_han(char) => Script::Han,
        '\'' => Script::Latin,
        _ if char.is_alphanumeric() => Script::Latin,
        _ => Script::Neither,
    }
}

/// Whether a character is a Chinese one: of the CJK unified ideographs of the
/// basic plane, which hold all of what is in use.
pub(super) fn is_han(char: char) -> bool {
    matches!(char, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

/// How many Latin letters say about as much as a Chinese character does.
const OF_CHINESE: usize = 3;

/// How much a text says, in letters and digits: a Chinese character counts as
/// three of them.
#[must_use]
pub fn length(text: &str) -> usize {
    let of = |char| if is_han(char) { OF_CHINESE } else { usize::from(char.is_alphanumeric()) };
    text.chars().map(of).sum()
}

/// The plain form of a character of full width, as Chinese keyboards write
/// digits and letters, and of a curved apostrophe; another character as it is.
pub(super) fn folded(char: char) -> char {
    match char {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(char).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(char)
        }
        '\u{2019}' | '\u{2018}' => '\'',
        '\u{3000}' => ' ',
        _ => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_stand() {
        let cases = [
            ("It CAUGHT fire!", "caught fire", true),
            ("it caught  fire", "caught fire", true),
            ("a firewall", "fire", false),
            ("a firewall", "fire*", true),
            ("campfire", "fire*", false),
            ("我的ｐｈｏｎｅ着火了", "着火", true),
            ("我的ｐｈｏｎｅ着火了", "phone", true),
            ("着，火", "着火", false),
            ("don’t", "don't", true),
            ("anything", "*", false),
            ("anything", "", false),
        ];
        for (text, word, there) in cases {
            assert_eq!(Flat::of(text).has(word), there, "{word} in {text}");
        }
    }
}
