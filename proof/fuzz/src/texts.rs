//! What customers write about their orders, and what is read from it.

use aftercart_insight::reading::{self, Alarms};

use crate::{Finding, Seed, Verdict};

/// So many digits in a row are nobody's business.
const DIGITS: usize = 7;

/// Reads a text and looks whether what it is masked as tells too much.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(input);
    let read = reading::read(&text, &Alarms::new());
    hold!(read == reading::read(&text, &Alarms::new()), "it is read otherwise the second time");
    let masked = &read.masked;
    let (long, short) = (masked.chars().count(), text.chars().count());
    hold!(long <= short, "{short} characters are masked as {long}: {text:?} as {masked:?}");
    hold!(reading::mask(masked) == *masked, "the mask is masked again: {masked:?}");
    hold!(!has_address(masked), "an address stays: {text:?} as {masked:?}");
    hold!(!has_number(masked), "a number stays: {text:?} as {masked:?}");
    hold!(read.sentiment.is_some() == read.language.is_some(), "a mood without a language");
    Ok(())
}

/// Whether there is an address of e-mail whose parts nobody can mistake:
/// letters and digits, the sign, and a name with an ending of letters.
fn has_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    text.match_indices('@').any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..));
        let host: &str = after.unwrap_or_default();
        let end = host.find(|c: char| !plain(c) && c != '.' && c != '-').unwrap_or(host.len());
        let host = host.get(..end).unwrap_or_default().trim_end_matches(['.', '-']);
        let ending = host.rsplit_once('.');
        before.ends_with(plain)
            && ending.is_some_and(|(name, ending)| {
                let labels =
                    name.split('.').all(|label| label.starts_with(plain) && label.ends_with(plain));
                labels && ending.len() >= 2 && ending.bytes().all(|b| b.is_ascii_alphabetic())
            })
    })
}

fn has_number(text: &str) -> bool {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.map(str::len).any(|length| length >= DIGITS)
}

/// Texts in both languages, with what has to be masked.
#[expect(clippy::unnecessary_wraps, reason = "every target has this function")]
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let texts = [
        ("english", "The parcel came late and the cup was broken. I want my money back!"),
        ("chinese", "快递太慢了，杯子碎了，客服也不理人。差评！"),
        ("mixed", "Great tea 很好喝, will buy again 👍🏽"),
        ("mail", "Write to ada@example.com or Ada <ada.b-c@mail.example.co.uk>, not a@b."),
        ("phone", "Call +44 20 7946 0958, (020) 7946-0958 or 138 0013 8000."),
        ("card", "My card 4111 1111 1111 1111, account GB29 NWBK 6016 1331 9268 19."),
        ("identity", "身份证 11010519491231002X, SSN 078-05-1120, NI QQ 12 34 56 C"),
        ("link", "See https://example.com/a?b=c#d and www.example.org/x, weixin: ada_2026"),
        ("full-width", "电话１３８００１３８０００，邮箱ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
        ("alarm", "It caught fire and burned my hand; my lawyer will sue. 起火了，我要报警"),
        ("marks", "don\u{2019}t \u{200b}\u{202e}stop\u{0301} !!!???。。。"),
        ("masks", "[mail] [phone][card] 123[id]456 [link]"),
    ];
    Ok(texts.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect())
}
