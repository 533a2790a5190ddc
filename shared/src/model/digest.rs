//! Digests: how an identity is derived from what caused it.

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::{BASE32_NOPAD, HEXLOWER};

/// The length of a [`short`] digest: 128 bits in base 32.
pub const SHORT_LEN: usize = 26;

/// SHA-256 over the parts, each preceded by its length, so that no two lists
/// of parts collide by concatenation. Hexadecimal, 64 characters.
#[must_use]
pub fn full(parts: &[&[u8]]) -> String {
    HEXLOWER.encode(&sha256(parts))
}

/// The first 128 bits of [`full`]'s hash, in lower-case base 32: 26 characters
/// of `a-z2-7`. Two causes collide with a chance of 2^-64 among 2^32 of them.
#[must_use]
pub fn short(parts: &[&[u8]]) -> String {
    let hash = sha256(parts);
    let half = hash.get(..16).unwrap_or(&hash);
    BASE32_NOPAD.encode(half).to_ascii_lowercase()
}

/// Whether the text has the form that [`short`] gives.
#[must_use]
pub fn is_short(text: &str) -> bool {
    text.len() == SHORT_LEN && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(full(&[b"ab", b"c"]), full(&[b"a", b"bc"]));
        assert_ne!(short(&[b""]), short(&[b"", b""]));
    }

    #[test]
    fn a_short_digest_has_its_form() {
        assert!(is_short(&short(&[b"anything"])));
        assert!(!is_short("0".repeat(SHORT_LEN).as_str()));
    }
}
