//! The fields of UnionPay's messages: how they are written, signed and checked.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        signature::{SignatureError, to_hex},
        time::{Period, Timestamp},
    },
    run::secrets::Credentials,
};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;

use super::certificate;
use crate::providers::{CallError, Unreadable, form, rsa};

/// The clock of China, which has no summer time.
const CHINA: Period = Period::of_seconds(8 * 3_600);

/// The field of the signature, which is not signed.
const SIGNATURE: &str = "signature";
/// The field of the certificate that signed.
const CERTIFICATE: &str = "signPubKeyCert";
/// The edition of the interface: SHA-256, and the certificate in the message.
const VERSION: &str = "5.1.0";
/// Signing by RSA.
const METHOD: &str = "01";

/// Fields that have a value, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Those of a form, as notices are. What is not UTF-8 is replaced: then
    /// the signature does not match.
    pub(super) fn of_form(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body);
        Self::of(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())))
    }

    /// Those of an answer, which is not encoded: a value ends at the next `&`
    /// that is not inside `{}` or `[]`, as `SDKUtil.parseQString` has it.
    pub(super) fn of_answer(text: &str) -> Self {
        let (mut inside, mut pairs, mut pair) = (None, Vec::new(), String::new());
        for c in text.chars() {
            match (inside, c) {
                (None, '&') => {
                    pairs.push(std::mem::take(&mut pair));
                    continue;
                }
                (None, '{') if pair.contains('=') => inside = Some('}'),
                (None, '[') if pair.contains('=') => inside = Some(']'),
                (Some(end), c) if end == c => inside = None,
                _ => {}
            }
            pair.push(c);
        }
        pairs.push(pair);
        let split = |pair: &String| {
            pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        Self::of(pairs.iter().filter_map(split))
    }

    /// Those of a message of ours.
    pub(super) fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// A field; empty when it is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// What is signed: the hexadecimal SHA-256 of all other fields, joined.
    fn message(&self) -> String {
        let signed = self.0.iter().filter(|(name, _)| *name != SIGNATURE);
        let joined: Vec<String> = signed.map(|(name, value)| format!("{name}={value}")).collect();
        to_hex(digest(&SHA256, joined.join("&").as_bytes()).as_ref())
    }

    /// Adds the fields of every message of ours, and the signature.
    pub(super) fn signed(mut self, credentials: &Credentials) -> Result<Self, CallError> {
        let cert_id = super::super::account(credentials, "cert_id")?;
        let mer_id = super::super::account(credentials, "mer_id")?;
        for (name, value) in [
            ("version", VERSION),
            ("encoding", "UTF-8"),
            ("signMethod", METHOD),
            ("bizType", "000201"),
            ("accessType", "0"),
            ("merId", mer_id),
            ("certId", cert_id),
        ] {
            self.0.insert(name.to_owned(), value.to_owned());
        }
        let signature = rsa::sign(&credentials.api_keys, self.message().as_bytes())?;
        self.0.insert(SIGNATURE.to_owned(), signature);
        Ok(self)
    }

    /// The fields as a form.
    pub(super) fn form(&self) -> String {
        form(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The fields by their names.
    pub(super) fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    /// When it happened: UnionPay's `traceTime`, month to second in China,
    /// whose year is that of `txnTime`, or the next one when the transaction
    /// was sent before the year ended. Without it, `txnTime`; without that
    /// too, `otherwise`.
    pub(super) fn happened(&self, otherwise: Timestamp) -> Result<Timestamp, Unreadable> {
        let (sent, traced) = (self.get("txnTime"), self.get("traceTime"));
        if sent.is_empty() {
            return Ok(otherwise);
        }
        let of = |digits: &str| moment(digits).ok_or_else(|| Unreadable::Value(NO_TIME.to_owned()));
        let sent_at = of(sent)?;
        let year = sent.get(..4).unwrap_or_default();
        if traced.is_empty() {
            return Ok(sent_at);
        }
        if traced.get(..2) < sent.get(4..6) {
            let next = year.parse::<u16>().unwrap_or_default().saturating_add(1);
            return of(&format!("{next:04}{traced}"));
        }
        of(&format!("{year}{traced}"))
    }
}

/// What a time that cannot be read is called.
const NO_TIME: &str = "a time is no time";

/// The moment of `YYYYMMDDhhmmss` in China.
fn moment(digits: &str) -> Option<Timestamp> {
    if digits.len() != 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let (date, time) = (
        [part(0, 4), part(4, 6), part(6, 8)].join("-"),
        [part(8, 10), part(10, 12), part(12, 14)].join(":"),
    );
    Timestamp::parse(&format!("{date}T{time}+08:00")).ok()
}

/// A moment as `YYYYMMDDhhmmss` in China.
pub(super) fn digits(at: Timestamp) -> String {
    let there = at.plus(CHINA).to_string();
    there.chars().filter(char::is_ascii_digit).take(14).collect()
}

/// Makes sure that UnionPay signed the fields: of this edition, by RSA, with a
/// certificate that is good now.
pub(super) fn check(
    fields: &Fields,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<(), SignatureError> {
    for name in [SIGNATURE, CERTIFICATE] {
        if fields.get(name).is_empty() {
            return Err(SignatureError::MissingHeader(name));
        }
    }
    let fixed = [("version", VERSION), ("signMethod", METHOD)];
    for (name, value) in fixed {
        if fields.get(name) != value {
            return Err(SignatureError::MalformedHeader(name));
        }
    }
    if !matches!(fields.get("encoding").to_ascii_uppercase().as_str(), "UTF-8" | "UTF8" | "") {
        return Err(SignatureError::MalformedHeader("encoding"));
    }
    if credentials.webhook_secrets.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let malformed = SignatureError::MalformedHeader(SIGNATURE);
    let signature = BASE64.decode(fields.get(SIGNATURE).as_bytes()).map_err(|_| malformed)?;
    let key = certificate::key(fields.get(CERTIFICATE), credentials, now);
    let good = key.is_some_and(|key| rsa::verifies(&key, fields.message().as_bytes(), &signature));
    if good { Ok(()) } else { Err(SignatureError::Mismatch) }
}
