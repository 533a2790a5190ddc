//! What those who watch the carriers of China have in common: forms with JSON in
//! one field, MD5 with a secret at the end as their signature, and times of
//! China without a zone.

use aftercart::{
    model::{
        form::fields,
        signature::{SignatureError, any_md5_matches},
        time::{Period, Timestamp},
    },
    run::secrets::Credentials,
};
use bytes::Bytes;
use http::{Request, header};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

use super::{AskError, Malformed, Moment, Signed, api_url, call, form, json, secrets};

/// China's zone; it has had no summer time since 1991.
pub(super) const ZONE: &str = "+08:00";

/// How far its clocks are ahead of UTC.
const AHEAD: Period = Period::of_seconds(8 * 3_600);

/// A member of their JSON: a text in one edition of their documents, a number
/// or a truth value in another. Empty when it is missing or null.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Word(String);

impl Word {
    pub(super) fn as_str(&self) -> &str {
        self.0.trim()
    }

    /// The word, or the other one when it is empty.
    pub(super) fn or<'a>(&'a self, other: &'a str) -> &'a str {
        if self.as_str().is_empty() { other } else { self.as_str() }
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self::default()),
            Value::String(text) => Ok(Self(text)),
            value @ (Value::Number(_) | Value::Bool(_)) => Ok(Self(value.to_string())),
            Value::Array(_) | Value::Object(_) => {
                Err(D::Error::custom("expected a text or a number"))
            }
        }
    }
}

/// A list, which may be null.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether a scan lacks a code because only the latest has one, by the state of
/// the parcel: such scans are left out, and nothing is wrong with them.
pub(super) fn has_no_code(moment: Option<Moment>, latest: Option<Timestamp>, code: &str) -> bool {
    moment.is_some_and(|it| Some(it.at) != latest) && code.is_empty()
}

/// Makes sure that a field of the form was signed: MD5 over its bytes and any of
/// the secrets, as another field has it, which `decode` reads.
pub(super) fn verify(
    call: &Signed<'_>,
    text: &'static str,
    signature: &'static str,
    decode: fn(&[u8]) -> Option<Vec<u8>>,
) -> Result<(), SignatureError> {
    let keys = secrets(call.credentials);
    if keys.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let fields = fields(call.body).ok_or(SignatureError::Mismatch)?;
    let field = |name: &'static str| {
        let found = fields.get(name.as_bytes()).filter(|value| !value.is_empty());
        found.ok_or(SignatureError::MissingHeader(name))
    };
    let (text, offered) = (field(text)?, field(signature)?);
    let offered = decode(offered).ok_or(SignatureError::MalformedHeader(signature))?;
    let keys: Vec<&[u8]> = keys.into_iter().map(str::as_bytes).collect();
    any_md5_matches(&keys, text, &offered).then_some(()).ok_or(SignatureError::Mismatch)
}

/// The JSON in a field of a form. It has to be UTF-8: what is GBK is refused,
/// because it would be read as something else.
pub(super) fn in_form<T: DeserializeOwned>(
    body: &[u8],
    name: &'static str,
) -> Result<T, Malformed> {
    let fields = fields(body);
    let fields = fields.ok_or_else(|| Malformed::at("body", "The form names a field twice."))?;
    let text = fields.get(name.as_bytes());
    let text = text.ok_or_else(|| Malformed::at(name, "The form has no such field."))?;
    json(text).map_err(|Malformed { field, detail }| match field.as_str() {
        "body" => Malformed::at(name, detail),
        path => Malformed::at(format!("{name}.{path}"), detail),
    })
}

/// A moment as a clock in China shows it, such as `2026-11-22 04:05:06`.
pub(super) fn shown(at: Timestamp) -> String {
    at.plus(AHEAD).to_string().replacen('T', " ", 1).chars().take(19).collect()
}

/// What the account is called there; none if the secret does not say.
pub(super) fn account<'a>(credentials: &'a Credentials, name: &str) -> Option<&'a str> {
    credentials.account.get(name).map(String::as_str).filter(|it| !it.is_empty())
}

/// A form as a call.
pub(super) fn post(
    credentials: &Credentials,
    usual: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> Result<Request<Bytes>, AskError> {
    let request = Request::post(format!("{}{path}", api_url(credentials, usual)))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded;charset=utf-8");
    call(request, form(fields.iter().copied()))
}

#[cfg(test)]
pub(super) mod tests;
