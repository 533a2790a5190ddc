//! Calls to Stripe's API and what its refusals mean.

use aftercart::run::secrets::Credentials;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header, request::Builder};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, de::DeserializeOwned};

use crate::providers::{CallError, api_url, form, word};

/// Where the API is.
const URL: &str = "https://api.stripe.com";

/// The edition of Stripe's API that these calls and answers are written for.
const VERSION: &str = "2025-10-29.clover";

/// A call that makes something, once for each key.
pub(super) fn post(
    credentials: &Credentials,
    path: &str,
    key: &str,
    fields: &[(&str, String)],
) -> Result<Request<Bytes>, CallError> {
    let url = format!("{}{path}", api_url(credentials, URL));
    let fields = form(fields.iter().map(|(name, value)| (*name, value.as_str())));
    authorised(Request::post(url), credentials)?
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("idempotency-key", key)
        .body(fields.into())
        .map_err(|error| CallError::Unwritable(error.to_string()))
}

/// A call that looks something up.
pub(super) fn get(
    credentials: &Credentials,
    path: &str,
    fields: &[(&str, &str)],
) -> Result<Request<Bytes>, CallError> {
    let query = form(fields.iter().copied());
    let url = format!("{}{path}?{query}", api_url(credentials, URL));
    authorised(Request::get(url), credentials)?
        .body(Bytes::new())
        .map_err(|error| CallError::Unwritable(error.to_string()))
}

fn authorised(call: Builder, credentials: &Credentials) -> Result<Builder, CallError> {
    let key = credentials.api_keys.first();
    let key = key.ok_or_else(|| CallError::Unwritable("the secret has no API key".to_owned()))?;
    let bearer = format!("Bearer {}", key.expose_secret());
    let mut authorization =
        HeaderValue::from_str(&bearer).map_err(|error| CallError::Unwritable(error.to_string()))?;
    authorization.set_sensitive(true);
    Ok(call.header(header::AUTHORIZATION, authorization).header("stripe-version", VERSION))
}

/// The path of something that Stripe has named.
pub(super) fn path_of(collection: &str, id: &str) -> Result<String, CallError> {
    let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !plain {
        return Err(CallError::Unwritable("an identity at Stripe has another form".to_owned()));
    }
    Ok(format!("/v1/{collection}/{id}"))
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: RefusalError,
}

/// Stripe's `message` is not among these: it quotes what it was sent.
#[derive(Default, Deserialize)]
struct RefusalError {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    param: String,
}

/// The code of a refusal, if Stripe gave one.
pub(super) fn code(answer: &Response<Bytes>) -> Option<String> {
    let Refusal { error } = serde_json::from_slice(answer.body()).unwrap_or_default();
    Some(word(&error.code)).filter(|code| !code.is_empty())
}

/// Reads an answer. `Stripe-Should-Retry` is Stripe's own word on whether the
/// call is worth repeating at once; without it the status tells.
pub(super) fn read<T: DeserializeOwned>(answer: &Response<Bytes>) -> Result<T, CallError> {
    let status = answer.status().as_u16();
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    if answer.status().is_success() {
        return serde_json::from_slice(answer.body()).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            CallError::Unusable(format!("status {status}, {place}"))
        });
    }
    let Refusal { error } = serde_json::from_slice(answer.body()).unwrap_or_default();
    let why = format!(
        "status {status}, type `{}`, code `{}`, param `{}`, request `{}`",
        word(&error.kind),
        word(&error.code),
        word(&error.param),
        word(header("request-id").unwrap_or_default()),
    );
    let worth = header("stripe-should-retry") == Some("true");
    match error.code.as_str() {
        _ if worth || matches!(status, 409 | 429 | 500..) => Err(CallError::Again(why)),
        // The key is wrong, was rolled, or may not do this.
        _ if matches!(status, 401 | 403) => Err(CallError::Unwritable(why)),
        "amount_too_small" | "amount_too_large" => Err(CallError::Amount(why)),
        _ => Err(CallError::Refused(why)),
    }
}
