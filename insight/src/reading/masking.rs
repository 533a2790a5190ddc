//! Personal data in a text, replaced before anybody reads it.
//!
//! What has a form that can be told from other text: links, addresses of
//! e-mail, bank accounts by their check digits (ISO 13616), cards by theirs
//! (ISO/IEC 7812-1 annex B, the formula of Luhn), Chinese identity numbers by
//! theirs (GB 11643), American and British ones by their form, telephone
//! numbers, names of accounts where the service is named before them, and
//! whatever else is a number of seven digits or more. Names and postal addresses
//! have no such form and stay, and so does what somebody spells out in words.

use super::words::{folded, is_han};

const LINK: &str = "[link]";
const MAIL: &str = "[mail]";
const IBAN: &str = "[iban]";
const CARD: &str = "[card]";
const IDENTITY: &str = "[id]";
const PHONE: &str = "[phone]";

/// The text with personal data replaced by what it was: `[mail]`, `[phone]`,
/// `[card]`, `[iban]`, `[id]`, `[link]`.
///
/// Never longer in characters than the text, and the same again when it is
/// masked again.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = masked_once(text);
    // What stands next to a mask may only now begin something. Each time more
    // of the text is masked, and masks stay, so this ends.
    loop {
        let again = masked_once(&masked);
        if again == masked {
            return masked;
        }
        masked = again;
    }
}

fn masked_once(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let written: Vec<char> = text.chars().collect();
    let plain: Vec<char> = written.iter().copied().map(folded).collect();
    let (mut written, mut plain) = (written.as_slice(), plain.as_slice());
    let mut before = None;
    while let Some(first) = written.first() {
        if let Some((named, length)) = contact(before, plain) {
            let (name, rest) = written.split_at(named.min(written.len()));
            masked.extend(name);
            masked.push_str(IDENTITY);
            before = IDENTITY.chars().next_back();
            written = rest.get(length..).unwrap_or_default();
            plain = plain.get(named.saturating_add(length)..).unwrap_or_default();
            continue;
        }
        let found = personal(before, plain);
        let (taken, rest) = written.split_at(found.map_or(1, |it| it.length).min(written.len()));
        match found.and_then(|it| it.mask) {
            Some(mask) => masked.push_str(mask),
            None if found.is_some() => masked.extend(taken),
            None => masked.push(*first),
        }
        // What follows a mask begins anew, as it does when it is read again.
        before = match found.and_then(|it| it.mask) {
            Some(mask) => mask.chars().next_back(),
            None => plain.get(taken.len().saturating_sub(1)).copied(),
        };
        plain = plain.get(taken.len()..).unwrap_or_default();
        written = rest;
    }
    masked
}

/// What a text begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    /// How many characters of it.
    length: usize,
    /// What stands for it; nothing, if it may be read.
    mask: Option<&'static str>,
}

fn masked(length: usize, mask: &'static str) -> Part {
    Part { length, mask: Some(mask) }
}

/// What `text`, which comes after `before`, begins with, if it is something of
/// which all is masked or left.
fn personal(before: Option<char>, text: &[char]) -> Option<Part> {
    let first = text.first()?;
    let begins = !before.is_some_and(is_word);
    if begins && is_word(*first) {
        let part = link(text).or_else(|| mail(text)).or_else(|| account(text));
        if part.is_some() {
            return part;
        }
    }
    let in_number = before.is_some_and(|it| it.is_ascii_digit());
    if in_number || !(first.is_ascii_digit() || matches!(first, '+' | '(')) {
        return None;
    }
    date(text).or_else(|| number(text))
}

/// A character of a word of Latin letters and digits, or another script that
/// is not Chinese.
fn is_word(char: char) -> bool {
    char.is_alphanumeric() && !is_han(char)
}

fn run(text: &[char], is_part: impl Fn(char) -> bool) -> usize {
    text.iter().take_while(|char| is_part(**char)).count()
}

fn starts_with(text: &[char], start: &str) -> bool {
    let mut text = text.iter();
    start.chars().all(|char| text.next().is_some_and(|it| it.eq_ignore_ascii_case(&char)))
}

/// Services whose accounts people give as an address, and what may stand between
/// the service and the account: more than a space, if it is told that an account
/// follows.
const SERVICES: [&str; 6] = ["微信", "wechat", "weixin", "qq", "vx", "wx"];
const TELLING: [&str; 7] = ["号码", "号", "id", "是", "为", ":", "="];

/// The shortest account that is masked: the shortest of QQ has five digits.
const ACCOUNT_MIN: usize = 5;

/// An account that is named with its service: how much of the text is that, and
/// how long the account then is. Without a word or sign that tells it, only what
/// has a digit or an underscore is taken for one: "wechat is great".
fn contact(before: Option<char>, text: &[char]) -> Option<(usize, usize)> {
    let service = SERVICES.iter().find(|it| starts_with(text, it))?;
    if text.first().copied().is_some_and(is_word) && before.is_some_and(is_word) {
        return None;
    }
    let rest = |at: usize| text.get(at..).unwrap_or_default();
    let (mut named, mut is_told) = (service.chars().count(), false);
    loop {
        let spaces = run(rest(named), |char| char == ' ' || char == '\u{a0}');
        let at = named.saturating_add(spaces);
        let tells = |it: &&&str| {
            let end = at.saturating_add(it.chars().count());
            let is_whole = **it != "id" || !rest(end).first().copied().is_some_and(is_word);
            starts_with(rest(at), it) && is_whole
        };
        named = at;
        let Some(telling) = TELLING.iter().find(tells) else { break };
        (named, is_told) = (at.saturating_add(telling.chars().count()), true);
    }
    let account = rest(named);
    let length = run(account, |char| char.is_ascii_alphanumeric() || "_-".contains(char));
    let taken = account.get(..length)?;
    let has_sign = taken.iter().any(|char| char.is_ascii_digit() || *char == '_');
    let goes_on = match account.get(length..)? {
        ['@', ..] => true,
        ['.', next, ..] => is_word(*next),
        _ => false,
    };
    (length >= ACCOUNT_MIN && (is_told || has_sign) && !goes_on).then_some((named, length))
}

/// Ends of names in the web that are known without `www` or a scheme.
const ENDS: [&str; 14] = [
    ".com", ".net", ".org", ".cn", ".io", ".co", ".uk", ".de", ".fr", ".shop", ".info", ".me",
    ".app", ".store",
];

fn link(text: &[char]) -> Option<Part> {
    let is_part = |char: char| char.is_ascii_graphic() && !"\"'<>()[]{}".contains(char);
    let length = run(text, is_part);
    if ["http://", "https://", "www."].iter().any(|start| starts_with(text, start)) {
        return (length >= LINK.len()).then(|| masked(length, LINK));
    }
    let host = run(text, |char| char.is_ascii_alphanumeric() || "-.".contains(char));
    let host: String = text.get(..host)?.iter().collect::<String>().to_ascii_lowercase();
    // With a path, whatever it ends with, as long as that is no number.
    let has_path = text.get(host.len()) == Some(&'/')
        && text.get(host.len().saturating_add(1)).copied().is_some_and(is_part)
        && host.rsplit_once('.').is_some_and(|(name, end)| {
            let is_end = end.len() >= 2 && end.chars().all(|char| char.is_ascii_alphabetic());
            name.chars().next_back().is_some_and(|char| char != '.') && is_end
        });
    if has_path && length >= LINK.len() {
        return Some(masked(length, LINK));
    }
    let is_name = |name: &&str| ENDS.iter().any(|end| name.ends_with(end));
    let dots = host.match_indices('.').map(|(at, _)| at).chain([host.len()]);
    let name = dots.filter_map(|at| host.get(..at)).rfind(is_name)?;
    let after = text.get(name.len());
    let length = if after == Some(&'/') { length } else { name.len() };
    (length >= LINK.len() && after != Some(&'@')).then(|| masked(length, LINK))
}

fn mail(text: &[char]) -> Option<Part> {
    let is_part = |char: char| is_word(char) || "._%+-".contains(char);
    let name = run(text, is_part);
    let rest = text.get(name..)?;
    if name == 0 || rest.first() != Some(&'@') {
        return None;
    }
    let host = rest.get(1..)?;
    let host = host.get(..run(host, |char| is_word(char) || ".-".contains(char)))?;
    let last = host.iter().rposition(|char| is_word(*char))?;
    let host = host.get(..=last)?;
    let is_host = host.iter().skip(1).any(|char| *char == '.');
    (is_host && host.first().copied().is_some_and(is_word))
        .then(|| masked(name.saturating_add(1).saturating_add(host.len()), MAIL))
        .filter(|part| part.length >= MAIL.len())
}

/// The shortest and the longest IBAN: of Norway and of Russia.
const IBAN_LENGTH: std::ops::RangeInclusive<usize> = 15..=33;

/// A bank account, or an identity number that begins with letters.
fn account(text: &[char]) -> Option<Part> {
    let iban = longest(text, 4, is_iban).map(|length| masked(length, IBAN));
    iban.or_else(|| longest(text, 2, is_british).map(|length| masked(length, IDENTITY)))
}

/// Whether people write it between the groups of a number: spaces, hyphens and
/// dashes of any width, points, middle dots, slashes, underscores.
fn is_separator(char: char) -> bool {
    matches!(char, ' ' | '\t' | '-' | '.' | '/' | '_' | '\u{a0}' | '\u{b7}')
        || matches!(char, '\u{2000}'..='\u{200d}' | '\u{2010}'..='\u{2015}' | '\u{2022}')
        || matches!(char, '\u{2027}' | '\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{2212}')
        || matches!(char, '\u{30fb}' | '\u{feff}')
}

/// How much of a text fits, with or without separators after each so many
/// characters; the longest that does.
fn longest(text: &[char], group: usize, fits: impl Fn(&[char]) -> bool) -> Option<usize> {
    let mut compact = Vec::new();
    let mut longest = None;
    let mut spaced = true;
    for (at, char) in text.iter().enumerate() {
        if is_separator(*char) && !spaced && compact.len().is_multiple_of(group) {
            spaced = true;
        } else if char.is_ascii_alphanumeric() && compact.len() < *IBAN_LENGTH.end() {
            spaced = false;
            compact.push(*char);
            let end = at.saturating_add(1);
            if text.get(end).is_none_or(|next| !is_word(*next) && *next != '@') && fits(&compact) {
                longest = Some(end);
            }
        } else {
            break;
        }
    }
    longest
}

/// Whether it is an IBAN: country, two check digits, and the rest such that
/// the whole, rearranged and letters as numbers from 10, leaves 1 by 97.
fn is_iban(compact: &[char]) -> bool {
    let (head, tail) = compact.split_at(4.min(compact.len()));
    let [country @ .., tens, units] = head else { return false };
    let has_form = country.len() == 2
        && country.iter().all(char::is_ascii_alphabetic)
        && tens.is_ascii_digit()
        && units.is_ascii_digit();
    let digits = tail.iter().chain(head).filter_map(|char| char.to_digit(36));
    let left = digits.fold(0_u32, |left, digit| {
        let shift = if digit < 10 { 10 } else { 100 };
        left.wrapping_mul(shift).wrapping_add(digit) % 97
    });
    has_form && IBAN_LENGTH.contains(&compact.len()) && left == 1
}

/// Whether it has the form of a British national insurance number.
fn is_british(compact: &[char]) -> bool {
    let form = "AA000000A".chars();
    compact.len() == 9
        && form.zip(compact).all(|(form, char)| match form {
            'A' => char.is_ascii_alphabetic(),
            _ => char.is_ascii_digit(),
        })
        && compact.last().is_some_and(|last| "ABCDabcd".contains(*last))
}

/// A date in digits, which may be read: `2026-11-22`, `22.11.2026`.
fn date(text: &[char]) -> Option<Part> {
    let length = run(text, |char| char.is_ascii_digit() || "-./".contains(char));
    let written: String = text.get(..length)?.iter().collect();
    let written = written.trim_end_matches(['.', '-', '/']);
    let parts: Vec<&str> = written.split(['-', '.', '/']).collect();
    let [first, middle, last] = parts.as_slice() else { return None };
    let fits = |part: &str, most: u16| {
        part.len() <= 2 && part.parse().is_ok_and(|it: u16| (1..=most).contains(&it))
    };
    let is_year =
        |part: &str| part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
    let is_date = (is_year(first) && fits(middle, 12) && fits(last, 31))
        || (is_year(last) && fits(first, 31) && fits(middle, 31));
    let ends = text.get(written.len()..).is_none_or(|rest| !continues(rest));
    (is_date && ends).then_some(Part { length: written.len(), mask: None })
}

/// Whether a number goes on: with a digit, or with one after a separator that
/// is no space.
fn continues(rest: &[char]) -> bool {
    match rest {
        [next, ..] if next.is_ascii_digit() => true,
        [next, after, ..] => "-.".contains(*next) && after.is_ascii_digit(),
        _ => false,
    }
}

/// The fewest digits that tell who somebody is: a local telephone number.
const DIGITS_MIN: usize = 7;

/// The fewest digits of a number in groups: fewer are sizes and amounts.
const GROUPED_MIN: usize = 9;

fn number(text: &[char]) -> Option<Part> {
    let mut digits: Vec<u32> = Vec::new();
    let (mut length, mut separators, mut grouped) = (0, 0, false);
    for (at, char) in text.iter().enumerate() {
        match char.to_digit(10) {
            Some(digit) => {
                digits.push(digit);
                grouped |= separators > 0 && at > 1;
                (length, separators) = (at.saturating_add(1), 0);
            }
            None if (is_separator(*char) || "()+".contains(*char)) && separators < 2 => {
                separators += 1;
            }
            None => break,
        }
    }
    let check = text.get(length).filter(|next| next.eq_ignore_ascii_case(&'x'));
    if digits.len() == 17 && check.is_some() && is_chinese(&digits, 10) {
        return Some(masked(length.saturating_add(1), IDENTITY));
    }
    let shortest = if grouped { GROUPED_MIN } else { DIGITS_MIN };
    let is_local = is_group(text, &[3, 4]) && length == 8;
    if digits.len() < shortest && !is_local {
        return None;
    }
    Some(masked(length, kind(text, &digits)))
}

/// What a number is.
fn kind(text: &[char], digits: &[u32]) -> &'static str {
    match digits {
        [body @ .., check] if body.len() == 17 && is_chinese(body, *check) => IDENTITY,
        _ if is_group(text, &[3, 2, 4]) && digits.len() == 9 => IDENTITY,
        _ if (13..=19).contains(&digits.len()) && is_luhn(digits) => CARD,
        _ => PHONE,
    }
}

/// Whether it begins with groups of so many digits, with hyphens between.
fn is_group(text: &[char], groups: &[usize]) -> bool {
    let written: Vec<usize> = text
        .split(|char| *char == '-')
        .take(groups.len())
        .map(|group| run(group, |char| char.is_ascii_digit()))
        .collect();
    written == groups
}

/// Whether the check digit of a card fits: every second digit from the right
/// doubled, the digits of all of it sum to a multiple of ten.
fn is_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice @ 10..) => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The weights of the digits of a Chinese identity number.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Whether the check digit of a Chinese identity number fits, an X being 10.
fn is_chinese(body: &[u32], check: u32) -> bool {
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    (sum + check) % 11 == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_masked_and_what_stays() {
        let cases = [
            ("write to jane.doe+shop@example.co.uk, please", "write to [mail], please"),
            ("邮箱是li＠qq.com，谢谢", "邮箱是[mail]，谢谢"),
            ("call +44 7700 900123 after six", "call [phone] after six"),
            ("我的电话13800138000，急", "我的电话[phone]，急"),
            ("电话：１３８００１３８０００", "电话：[phone]"),
            ("(555) 123-4567 or 555-1234", "[phone] or [phone]"),
            ("card 4111 1111 1111 1111 exp 12/27", "card [card] exp 12/27"),
            ("卡号6222021234567890128", "卡号[card]"),
            ("卡号6222021234567890129", "卡号[phone]"),
            ("IBAN GB82 WEST 1234 5698 7654 32 thanks", "IBAN [iban] thanks"),
            ("DE89370400440532013000", "[iban]"),
            ("身份证11010519491231002X。", "身份证[id]。"),
            ("my ssn is 078-05-1120", "my ssn is [id]"),
            ("NI: QQ 12 34 56 C", "NI: [id]"),
            ("see https://shop.example/t/abc?x=1 now", "see [link] now"),
            ("see www.example.com.", "see [link]"),
            ("见example.cn/t/abc吧", "见[link]吧"),
            ("ordered on 2026-11-22, came 30.11.2026", "ordered on 2026-11-22, came 30.11.2026"),
            ("paid 1,299.00 for 2 x 64 GB, size 42", "paid 1,299.00 for 2 x 64 GB, size 42"),
            ("3 of 10 at 10:30", "3 of 10 at 10:30"),
            ("质量很好，12月5日到", "质量很好，12月5日到"),
            ("tel07700900123", "tel[phone]"),
            ("138/0013/8000, 138_0013_8000", "[phone], [phone]"),
            ("138–0013—8000 or 138·0013·8000", "[phone] or [phone]"),
            ("138\u{2009}0013\u{2009}8000", "[phone]"),
            ("1\u{200b}3\u{200b}8\u{200b}00138000", "[phone]"),
            ("4111-1111_1111/1111", "[card]"),
            ("GB82-WEST-1234-5698-7654-32", "[iban]"),
            ("加我微信abc_123，谢谢", "加我微信[id]，谢谢"),
            ("微信号：janedoe", "微信号：[id]"),
            ("WeChat id janedoe", "WeChat id [id]"),
            ("my WeChat: jane-doe.", "my WeChat: [id]."),
            ("qq 12345, VX：zhang88", "qq [id], VX：[id]"),
            ("QQ邮箱12345@qq.com", "QQ邮箱[mail]"),
            ("qq12345@qq.com", "[mail]"),
            ("WeChat is great, 微信支付 failed", "WeChat is great, 微信支付 failed"),
            ("see bit.ly/3xYz and t.cn/A6abc", "see [link] and [link]"),
            ("at shop.example/t/abc?x=1, now", "at [link] now"),
            ("good.But slow, 1.5/2 or 9.5/10", "good.But slow, 1.5/2 or 9.5/10"),
            ("size 40/42, 3/5, 22/11/2026", "size 40/42, 3/5, 22/11/2026"),
            ("22.11.2026–24.11.2026", "22.11.2026–24.11.2026"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    /// Texts of the characters that matter, and anything else.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[0-9 .+()-]{0,12}",
            "[0-9/_–—·\u{2009}]{0,12}",
            "(微信|wechat|qq|VX)[：: 号]{0,2}[a-z0-9_-]{0,8}",
            "[a-z]{1,3}\\.[a-z]{1,3}/[a-z0-9]{0,3}",
            "[a-zA-Z0-9@. ]{0,12}",
            "(www\\.|https?://)?[a-z0-9./]{0,10}(\\.com|\\.cn/x)?",
            "[０-９＠快递。，]{0,8}",
            "[GD][BE][0-9]{2} ?[A-Z0-9 ]{10,20}",
            any::<String>(),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn masking_shortens_and_ends(text in text()) {
            let once = mask(&text);
            prop_assert!(once.chars().count() <= text.chars().count());
            prop_assert_eq!(mask(&once), once.clone());
        }

        #[test]
        fn numbers_and_addresses_are_gone(
            before in "[a-z快递 ]{0,9}",
            number in "[0-9]{7,24}",
            name in "[a-z]{1,8}",
            host in "[a-z]{1,8}\\.(com|cn)",
        ) {
            let masked = mask(&format!("{before} {number} {name}@{host}"));
            prop_assert!(!masked.contains(&number) && !masked.contains('@'), "{masked}");
        }
    }
}
