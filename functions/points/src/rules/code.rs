//! The code that a member shows at a till: the member's number and eight
//! digits that are others every half minute.
//!
//! The digits are a time-based one-time password (RFC 6238 with HMAC-SHA-256,
//! steps of 30 seconds from 1970, 8 digits; the truncation is that of RFC 4226,
//! section 5.3). Their key is derived from a secret of the shop, the number and
//! a block of 30 days, so that no code has to be kept before it is used, an app that has the keys
//! of two blocks shows codes without a connection, and a phone that is lost
//! does so for two blocks at most. A till that was offline says when it read a
//! code.

use aftercart::model::{
    signature,
    till::{MemberNumber, NUMBER_DIGITS},
    time::{Period, Timestamp},
};

/// How long digits are shown.
pub const STEP_S: i64 = 30;

/// How many digits follow the number.
pub const DIGITS: usize = 8;

/// For how long a key gives digits.
pub const BLOCK: Period = Period::of_days(30);

/// By how many steps the clocks of phone and till may be apart, either way.
const APART: i64 = 1;

/// How far ahead of ours the clock of a till may be.
pub const AHEAD: Period = Period::of_seconds(120);

/// How many codes of a number may be refused in an hour before none is looked
/// at any more. Three of 10^8 digits are right at a moment, so ten guesses an
/// hour find one in some 380 years; whoever types codes errs less often.
pub const MOST_REFUSED: u32 = 10;

/// The hour in which refused codes are counted together.
const HOUR: Period = Period::of_seconds(3_600);

/// A code that a till read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Whose.
    pub number: MemberNumber,
    /// The digits.
    pub digits: String,
}

/// Why a code is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    /// The digits are not the member's at that moment.
    #[error("The code is not one that the member showed then; let it be shown again.")]
    Wrong,
    /// It was read too long ago for what is wanted.
    #[error("The code was read too long ago for this; let a new one be shown.")]
    Old,
    /// It was read later than now.
    #[error("The code was read in the future: set the clock of the till.")]
    Future,
}

impl Code {
    /// The code written as `text`: digits, and spaces or dashes between them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let (number, digits) = plain.split_at_checked(NUMBER_DIGITS)?;
        let number = MemberNumber::parse(number).ok()?;
        let fits = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self { number, digits: digits.to_owned() })
    }

    /// The code as it is shown, for a bar code or a QR code.
    #[must_use]
    pub fn written(&self) -> String {
        format!("{}{}", self.number, self.digits)
    }
}

/// The number of a half minute.
#[must_use]
pub fn step(at: Timestamp) -> i64 {
    at.unix_seconds().div_euclid(STEP_S)
}

/// The number of an hour, and how many seconds of it are left.
#[must_use]
pub fn hour(at: Timestamp) -> (i64, u32) {
    let (seconds, hour) = (at.unix_seconds(), HOUR.seconds());
    let left = hour.saturating_sub(seconds.rem_euclid(hour));
    (seconds.div_euclid(hour), u32::try_from(left).unwrap_or(0))
}

/// The number of the block of days in which a step is.
#[must_use]
pub fn block(step: i64) -> i64 {
    step.saturating_mul(STEP_S).div_euclid(BLOCK.seconds())
}

/// When a block begins.
#[must_use]
pub fn begins(block: i64) -> Option<Timestamp> {
    Timestamp::from_unix_seconds(block.saturating_mul(BLOCK.seconds())).ok()
}

/// What names the key of a member's block to whoever derives it.
#[must_use]
pub fn key_name(number: &MemberNumber, block: i64) -> [String; 3] {
    ["member code".to_owned(), number.to_string(), block.to_string()]
}

/// The digits of a step.
#[must_use]
pub fn digits(key: &[u8], step: i64) -> String {
    let mac = signature::hmac_sha256(key, &[&step.to_be_bytes()]);
    let offset = usize::from(mac.last().copied().unwrap_or(0) & 0x0f);
    let word = mac.iter().skip(offset).take(4);
    let word = word.fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:08}", word % 100_000_000)
}

/// The step whose digits a code has, if they were shown when the till says that
/// it read them, and that is no longer ago than `most`. `keys` gives the keys of
/// a block that count.
///
/// # Errors
/// [`CodeRefusal`].
pub fn check(
    code: &Code,
    read_at: Timestamp,
    now: Timestamp,
    most: Period,
    keys: impl Fn(i64) -> Vec<Vec<u8>>,
) -> Result<i64, CodeRefusal> {
    if read_at > now.plus(AHEAD) {
        return Err(CodeRefusal::Future);
    }
    if read_at.plus(most) < now {
        return Err(CodeRefusal::Old);
    }
    let middle = step(read_at);
    let mut shown = None;
    for step in middle.saturating_sub(APART)..=middle.saturating_add(APART) {
        for key in keys(block(step)) {
            let right = digits(&key, step);
            let same = signature::same(right.as_bytes(), code.digits.as_bytes());
            shown = shown.or(same.then_some(step));
        }
    }
    shown.ok_or(CodeRefusal::Wrong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    fn keys(block: i64) -> Vec<Vec<u8>> {
        vec![b"previous".to_vec(), block.to_be_bytes().to_vec()]
    }

    fn shown(number: &str, seconds: i64) -> Code {
        let step = step(at(seconds));
        let key = block(step).to_be_bytes();
        Code { number: MemberNumber::parse(number).unwrap(), digits: digits(&key, step) }
    }

    /// RFC 6238, appendix B, the rows of SHA-256.
    #[test]
    fn digits_are_those_of_the_standard() {
        for (seconds, expected) in [
            (59, "46119246"),
            (1_111_111_109, "68084774"),
            (1_111_111_111, "67062674"),
            (1_234_567_890, "91819424"),
            (2_000_000_000, "90698825"),
            (20_000_000_000, "77737706"),
        ] {
            let key = b"12345678901234567890123456789012";
            assert_eq!(digits(key, step(at(seconds))), expected, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_twenty_digits() {
        let code = Code::parse("0123 4567 8901-4611 9246").unwrap();
        assert_eq!((code.number.as_str(), code.digits.as_str()), ("012345678901", "46119246"));
        assert_eq!(Code::parse(&code.written()), Some(code));
        for text in
            ["", "1234", "0123456789014611924", "012345678901461192467", "x12345678901461192é"]
        {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_is_taken_when_it_was_shown_and_not_much_later() {
        let (now, hour) = (at(2_000_000_015), Period::of_seconds(3_600));
        let of = |code: &Code, read_at: i64| check(code, at(read_at), now, hour, keys);
        let code = shown("012345678901", 2_000_000_015);
        let right = Ok(step(at(2_000_000_015)));
        for (read_at, expected) in [
            (2_000_000_015, right),
            (2_000_000_015 - 30, right),
            (2_000_000_015 + 30, right),
            (2_000_000_015 - 75, Err(CodeRefusal::Wrong)),
            (2_000_000_015 + 75, Err(CodeRefusal::Wrong)),
            (2_000_000_015 + 121, Err(CodeRefusal::Future)),
            (2_000_000_015 - 3_601, Err(CodeRefusal::Old)),
        ] {
            assert_eq!(of(&code, read_at), expected, "{read_at}");
        }
        let past = shown("012345678901", 2_000_000_015 - 3_000);
        let earlier = Ok(step(at(2_000_000_015 - 3_000)));
        assert_eq!(of(&past, 2_000_000_015 - 3_000), earlier, "the till was offline");
        assert_eq!(of(&past, 2_000_000_015), Err(CodeRefusal::Wrong));
    }

    proptest! {
        #[test]
        fn a_code_of_any_moment_is_taken_at_that_moment(
            seconds in 0_i64..4_000_000_000, apart in -30_i64..=30, late in 0_u32..604_800,
        ) {
            let code = shown("012345678901", seconds);
            let read_at = at((seconds + apart).max(0));
            let now = read_at.plus(Period::of_seconds(late));
            prop_assert!(check(&code, read_at, now, Period::of_days(7), keys).is_ok());
            prop_assert_eq!(
                check(&code, read_at, now, Period::of_days(7), |_| vec![b"other".to_vec()]).is_ok(),
                digits(b"other", step(read_at) - 1) == code.digits
                    || digits(b"other", step(read_at)) == code.digits
                    || digits(b"other", step(read_at) + 1) == code.digits
            );
        }
    }
}
