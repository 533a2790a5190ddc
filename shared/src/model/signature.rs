//! Signatures over raw bytes: what callbacks, carriers' events and links rest on.
//!
//! Pure functions. Comparison takes the same time wherever the texts differ.
//! Every configured secret is tried on every signature offered, because both
//! are several while a secret is being replaced.

use aws_lc_rs::{constant_time, hmac};
use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest as _, Md5};

use super::{
    digest,
    time::{Period, Timestamp},
};

/// How far a signature's time may lie from ours, either way: five minutes, as
/// Stripe and Standard Webhooks have it.
pub const TOLERANCE: Period = Period::of_seconds(300);

/// The most signatures of one header that are tried; senders offer one for
/// each living secret, which are two.
pub const MAX_SIGNATURES: usize = 16;

/// Why a signed call is refused. None of it tells how near a guess came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header that belongs to the signature is missing.
    #[error("the header `{0}` is missing")]
    MissingHeader(&'static str),
    /// A header has not its form.
    #[error("the header `{0}` is malformed")]
    MalformedHeader(&'static str),
    /// Signed too long ago, or in the future.
    #[error("the signature's time lies more than 5 minutes from ours")]
    Stale,
    /// No secret gives any of the signatures.
    #[error("the signature does not match")]
    Mismatch,
    /// There is no secret to check with.
    #[error("no secret is configured for this sender")]
    NoSecret,
    /// A sender's own test of whether wrong signatures are refused.
    #[error("the call is a probe with a wrong signature")]
    Probe,
}

/// HMAC-SHA256 of the parts, one after the other.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().to_vec()
}

/// Whether any key gives any of the signatures over the parts. An empty key,
/// such as that of a secret which was never filled in, is everybody's and
/// gives none.
#[must_use]
pub fn any_matches(keys: &[Vec<u8>], parts: &[&[u8]], offered: &[Vec<u8>]) -> bool {
    let mut found = false;
    for key in keys.iter().filter(|key| !key.is_empty()) {
        let right = hmac_sha256(key, parts);
        for signature in offered {
            found |= constant_time::verify_slices_are_equal(&right, signature).is_ok();
        }
    }
    found
}

/// Whether two texts are the same, in a time that tells nothing of where they
/// differ.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// MD5 of the parts, one after the other. Two texts with the same MD5 are easily
/// made, so it proves nothing by itself; with a secret after the text it is
/// all that some senders offer.
#[must_use]
pub fn md5(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Md5::new();
    for part in parts {
        context.update(part);
    }
    context.finalize().to_vec()
}

/// Whether any key, written after the text, gives this MD5. An empty key is
/// everybody's and gives none.
#[must_use]
pub fn any_md5_matches(keys: &[&[u8]], text: &[u8], offered: &[u8]) -> bool {
    let keys = keys.iter().filter(|key| !key.is_empty());
    keys.fold(false, |found, key| {
        found | constant_time::verify_slices_are_equal(&md5(&[text, key]), offered).is_ok()
    })
}

/// Refuses a time that lies more than [`TOLERANCE`] from now.
///
/// # Errors
/// [`SignatureError::Stale`].
pub fn fresh(signed_at: i64, now: Timestamp) -> Result<(), SignatureError> {
    let age = now.unix_seconds().saturating_sub(signed_at).saturating_abs();
    if age > TOLERANCE.seconds() { Err(SignatureError::Stale) } else { Ok(()) }
}

/// Reads hexadecimal of either case.
#[must_use]
pub fn hex(text: &str) -> Option<Vec<u8>> {
    HEXLOWER.decode(text.to_ascii_lowercase().as_bytes()).ok()
}

/// Writes hexadecimal in small letters.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// SHA-256 of a raw body, hexadecimal, to prove later what was received.
#[must_use]
pub fn body_digest(body: &[u8]) -> String {
    digest::full(&[body])
}

/// Standard Webhooks (<https://www.standardwebhooks.com>), version `v1`.
///
/// Headers `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`
/// (a list of `v1,<base64>` divided by spaces); HMAC-SHA256 over
/// `id.timestamp.body`. A secret is `whsec_` and the key in base 64.
pub mod standard_webhooks {
    use super::{
        BASE64, MAX_SIGNATURES, SignatureError, Timestamp, any_matches, fresh, hmac_sha256,
    };

    /// The header of the message's identity.
    pub const ID: &str = "webhook-id";
    /// The header of the time of signing, in seconds.
    pub const TIMESTAMP: &str = "webhook-timestamp";
    /// The header of the signatures.
    pub const SIGNATURE: &str = "webhook-signature";

    /// The key of a secret; a secret that is not base 64 is its own key.
    #[must_use]
    pub fn key(secret: &str) -> Vec<u8> {
        let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
        BASE64.decode(encoded.as_bytes()).unwrap_or_else(|_| secret.as_bytes().to_vec())
    }

    /// The value of [`SIGNATURE`] for a message.
    #[must_use]
    pub fn sign(secret: &str, id: &str, at: Timestamp, body: &[u8]) -> String {
        let seconds = at.unix_seconds().to_string();
        let mac = hmac_sha256(&key(secret), &[id.as_bytes(), b".", seconds.as_bytes(), b".", body]);
        format!("v1,{}", BASE64.encode(&mac))
    }

    /// Checks a message and gives its identity.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify<'a>(
        secrets: &[&str],
        header: impl Fn(&str) -> Option<&'a str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<&'a str, SignatureError> {
        let required = |name: &'static str| header(name).ok_or(SignatureError::MissingHeader(name));
        let (id, seconds, list) = (required(ID)?, required(TIMESTAMP)?, required(SIGNATURE)?);
        let signed_at: i64 =
            seconds.parse().map_err(|_| SignatureError::MalformedHeader(TIMESTAMP))?;
        if secrets.is_empty() {
            return Err(SignatureError::NoSecret);
        }
        let offered: Vec<Vec<u8>> = list
            .split(' ')
            .filter_map(|item| item.strip_prefix("v1,"))
            .filter_map(|mac| BASE64.decode(mac.as_bytes()).ok())
            .take(MAX_SIGNATURES)
            .collect();
        let keys: Vec<Vec<u8>> = secrets.iter().map(|secret| key(secret)).collect();
        if !any_matches(&keys, &[id.as_bytes(), b".", seconds.as_bytes(), b".", body], &offered) {
            return Err(SignatureError::Mismatch);
        }
        fresh(signed_at, now)?;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The published example of the Standard Webhooks reference tests.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SECONDS: &str = "1614265330";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verify(
        secrets: &[&str],
        signature: &str,
        body: &[u8],
        now: i64,
    ) -> Result<&'static str, SignatureError> {
        let signature: &'static str = signature.to_owned().leak();
        let header = |name: &str| match name {
            standard_webhooks::ID => Some(ID),
            standard_webhooks::TIMESTAMP => Some(SECONDS),
            standard_webhooks::SIGNATURE => Some(signature),
            _ => None,
        };
        standard_webhooks::verify(secrets, header, body, Timestamp::from_unix_seconds(now).unwrap())
    }

    #[test]
    fn md5_is_that_of_rfc_1321() {
        for (text, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            let (first, second) = text.as_bytes().split_at(text.len() / 2);
            assert_eq!(to_hex(&md5(&[first, second])), expected);
        }
        let offered = md5(&[b"text", b"key"]);
        assert!(any_md5_matches(&[b"other", b"key"], b"text", &offered));
        assert!(!any_md5_matches(&[b"other", b""], b"text", &offered));
        assert!(!any_md5_matches(&[b""], b"text", &md5(&[b"text"])));
    }

    #[test]
    fn the_published_example_passes() {
        let now = 1_614_265_330;
        assert_eq!(
            standard_webhooks::sign(SECRET, ID, Timestamp::from_unix_seconds(now).unwrap(), BODY),
            SIGNED
        );
        assert_eq!(verify(&[SECRET], SIGNED, BODY, now), Ok(ID));
        assert_eq!(verify(&["whsec_b3RoZXI=", SECRET], SIGNED, BODY, now + 300), Ok(ID));
        assert_eq!(verify(&[SECRET], &format!("v1,AAAA v2,x {SIGNED}"), BODY, now - 300), Ok(ID));
    }

    #[test]
    fn everything_else_is_refused() {
        let now = 1_614_265_330;
        let flipped = SIGNED.replace("g0hM", "h0hM");
        for (secrets, signature, body, now, error) in [
            (&["whsec_b3RoZXI="][..], SIGNED, BODY, now, SignatureError::Mismatch),
            (&[SECRET], &flipped, BODY, now, SignatureError::Mismatch),
            (&[SECRET], "v1,", BODY, now, SignatureError::Mismatch),
            (&[SECRET], "", BODY, now, SignatureError::Mismatch),
            (&[SECRET], SIGNED, b"{}", now, SignatureError::Mismatch),
            (&[SECRET], SIGNED, BODY, now + 301, SignatureError::Stale),
            (&[SECRET], SIGNED, BODY, now - 301, SignatureError::Stale),
            (&[], SIGNED, BODY, now, SignatureError::NoSecret),
        ] {
            assert_eq!(verify(secrets, signature, body, now), Err(error));
        }
        for empty in ["", "whsec_"] {
            let body = b"{}";
            let seconds = SECONDS.as_bytes();
            let mac = hmac_sha256(b"", &[ID.as_bytes(), b".", seconds, b".", body]);
            let forged = format!("v1,{}", BASE64.encode(&mac));
            assert_eq!(verify(&[empty], &forged, body, now), Err(SignatureError::Mismatch));
        }
        let none = |_: &str| None;
        let now = Timestamp::from_unix_seconds(now).unwrap();
        assert_eq!(
            standard_webhooks::verify(&[SECRET], none, BODY, now),
            Err(SignatureError::MissingHeader(standard_webhooks::ID))
        );
    }
}
