//! Antom's API: signed calls, signed answers.

use aftercart::{model::time::Timestamp, run::secrets::Credentials};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, header};
use serde::Deserialize;
use serde_json::Value;

use super::{Amount, client};
use crate::providers::{Answer, CallError, api_url, rsa, word};

/// Where the API is.
const URL: &str = "https://open-sea-global.alipay.com";

/// The header of the client.
pub(super) const CLIENT_ID: &str = "client-id";
/// The header of the time of a call.
pub(super) const REQUEST_TIME: &str = "request-time";
/// The header of the time of an answer.
const RESPONSE_TIME: &str = "response-time";
/// The header of the signature.
pub(super) const SIGNATURE: &str = "signature";

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(super) enum Endpoint {
    Pay,
    InquiryPayment,
    Refund,
    InquiryRefund,
}

impl Endpoint {
    /// Its path, which is signed.
    fn path(self, credentials: &Credentials) -> Result<String, CallError> {
        let name = match self {
            Self::Pay => "pay",
            Self::InquiryPayment => "inquiryPayment",
            Self::Refund => "refund",
            Self::InquiryRefund => "inquiryRefund",
        };
        let sandbox = if client(credentials)?.starts_with("SANDBOX_") { "/sandbox" } else { "" };
        Ok(format!("/ams{sandbox}/api/v1/payments/{name}"))
    }
}

/// What is signed of a call, or of the answer to it.
pub(super) fn signed_text(
    method: &str,
    path: &str,
    client: &str,
    time: &str,
    body: &[u8],
) -> Vec<u8> {
    [format!("{method} {path}\n{client}.{time}.").as_bytes(), body].concat()
}

/// The signature of a header `algorithm=RSA256,keyVersion=1,signature=...`.
/// Its base 64 is encoded as in an address.
pub(super) fn offered(header: &str) -> Option<Vec<u8>> {
    let field = |wanted: &str| {
        let pairs = header.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value).next()
    };
    let signature = field("signature")?.replace('+', "%2B").replace('=', "%3D");
    let (signature, _) = form_urlencoded::parse(signature.as_bytes()).next()?;
    let decoded = BASE64.decode(signature.as_bytes()).ok()?;
    (field("algorithm") == Some("RSA256")).then_some(decoded)
}

/// The call of an endpoint.
pub(super) fn call(
    credentials: &Credentials,
    now: Timestamp,
    endpoint: Endpoint,
    terms: &Value,
) -> Result<Request<Bytes>, CallError> {
    let (client, path) = (client(credentials)?, endpoint.path(credentials)?);
    let (time, body) = (now.unix_millis().to_string(), terms.to_string());
    let text = signed_text("POST", &path, client, &time, body.as_bytes());
    let signature = rsa::sign(&credentials.api_keys, &text)?;
    let signature: String = form_urlencoded::byte_serialize(signature.as_bytes()).collect();
    let version = credentials.account.get("key_version").map_or("1", String::as_str);
    let signature = format!("algorithm=RSA256,keyVersion={version},signature={signature}");
    Request::post(format!("{}{path}", api_url(credentials, URL)))
        .header(header::CONTENT_TYPE, "application/json; charset=UTF-8")
        .header(CLIENT_ID, client)
        .header(REQUEST_TIME, time)
        .header(SIGNATURE, signature)
        .body(body.into())
        .map_err(|error| CallError::Unwritable(error.to_string()))
}

/// The outcome of a call.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Outcome {
    pub(super) result_code: String,
    pub(super) result_status: String,
}

/// What an answer may say, as far as it is looked at. What an endpoint does
/// not answer is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Fields {
    pub(super) result: Outcome,
    pub(super) payment_request_id: String,
    pub(super) payment_id: String,
    pub(super) payment_status: String,
    pub(super) payment_result_code: String,
    pub(super) payment_amount: Option<Amount>,
    pub(super) payment_time: String,
    pub(super) refund_id: String,
    pub(super) refund_status: String,
    pub(super) normal_url: String,
    pub(super) applink_url: String,
    pub(super) scheme_url: String,
    pub(super) order_code_form: CodeForm,
}

/// A code that the buyer scans, in several forms.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CodeForm {
    pub(super) code_details: Vec<CodeDetail>,
}

/// A form of a code: its text, or the address of a picture.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CodeDetail {
    pub(super) code_value: String,
    pub(super) display_type: String,
}

/// What an answer says.
#[derive(Debug)]
pub(super) enum Said {
    /// The call did what it was asked.
    Done(Box<Fields>),
    /// It is begun: the buyer, or the wallet, goes on.
    UnderWay(Box<Fields>),
    /// It is not done, for the reason of this code.
    Declined(String),
}

/// Reads the answer of an endpoint.
pub(super) fn read(
    credentials: &Credentials,
    endpoint: Endpoint,
    answer: &Answer,
) -> Result<Said, CallError> {
    let status = answer.status().as_u16();
    if status >= 500 || status == 429 {
        return Err(CallError::Again(format!("status {status}")));
    }
    let unusable = |why: &str| CallError::Unusable(format!("status {status}, {why}"));
    let fields: Fields =
        serde_json::from_slice(answer.body()).map_err(|_| unusable("a field has not its form"))?;
    let said = sort(fields);
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    match (header(SIGNATURE), &said) {
        (Some(signature), _) => {
            let time = header(RESPONSE_TIME).unwrap_or_default();
            let path = endpoint.path(credentials)?;
            let text = signed_text("POST", &path, client(credentials)?, time, answer.body());
            let keys = &credentials.webhook_secrets;
            let signed = offered(signature).is_some_and(|it| rsa::any_verifies(keys, &text, &it));
            if !signed {
                return Err(unusable("its signature does not match"));
            }
        }
        // Refusals of the door itself are not signed.
        (None, Ok(Said::Done(_) | Said::UnderWay(_))) => return Err(unusable("it is not signed")),
        (None, _) => {}
    }
    said
}

/// What the outcome means for the caller: `S` is done, `F` is not, and `U` is
/// open, which for a call that waits for others is as it should be.
fn sort(fields: Fields) -> Result<Said, CallError> {
    let (status, code) = (fields.result.result_status.as_str(), fields.result.result_code.as_str());
    let why = || format!("resultStatus `{}`, resultCode `{}`", word(status), word(code));
    match (status, code) {
        ("S", _) => Ok(Said::Done(Box::new(fields))),
        ("U", "PAYMENT_IN_PROCESS" | "REFUND_IN_PROCESS") => Ok(Said::UnderWay(Box::new(fields))),
        ("U", _) => Err(CallError::Again(why())),
        // The key or the client is wrong, or may not do this.
        (
            "F",
            "ACCESS_DENIED" | "CLIENT_FORBIDDEN" | "INVALID_CLIENT" | "INVALID_SIGNATURE"
            | "KEY_NOT_FOUND" | "SIGNATURE_INVALID",
        ) => Err(CallError::Unwritable(why())),
        // Our code is wrong.
        (
            "F",
            "INVALID_API"
            | "MEDIA_TYPE_NOT_ACCEPTABLE"
            | "METHOD_NOT_SUPPORTED"
            | "NO_INTERFACE_DEF"
            | "PARAM_ILLEGAL",
        ) => Err(CallError::Refused(why())),
        ("F", _) => Ok(Said::Declined(fields.result.result_code)),
        _ => Err(CallError::Unusable(why())),
    }
}

#[cfg(test)]
mod tests {
    use http::Response;
    use serde_json::{from_value, json};

    use super::*;
    use crate::providers::rsa::keys::{
        MERCHANT, MERCHANT_PUBLIC, OTHER, PROVIDER as KEY, PROVIDER_PUBLIC as PUBLIC,
    };

    fn credentials(client: &str) -> Credentials {
        let secret = json!({
            "webhook_secrets": [PUBLIC],
            "api_keys": [MERCHANT],
            "account": { "client_id": client, "key_version": "2" },
        });
        from_value(secret).unwrap()
    }

    fn signed_answer(key: &str, path: &str, body: &str) -> Answer {
        let text = signed_text("POST", path, "5Y1", "17", body.as_bytes());
        let signature = rsa::sign(&[key.into()], &text).unwrap();
        let signature: String = form_urlencoded::byte_serialize(signature.as_bytes()).collect();
        Response::builder()
            .header(RESPONSE_TIME, "17")
            .header(SIGNATURE, format!("algorithm=RSA256, keyVersion=1, signature={signature}"))
            .body(body.to_owned().into())
            .unwrap()
    }

    fn plain_answer(status: u16, body: &str) -> Answer {
        Response::builder().status(status).body(body.to_owned().into()).unwrap()
    }

    fn class(answer: &Answer) -> String {
        match read(&credentials("5Y1"), Endpoint::Refund, answer) {
            Ok(Said::Done(_)) => "done".to_owned(),
            Ok(Said::UnderWay(_)) => "under way".to_owned(),
            Ok(Said::Declined(code)) => format!("declined {code}"),
            Err(CallError::Again(_)) => "again".to_owned(),
            Err(CallError::Refused(_)) => "refused".to_owned(),
            Err(CallError::Unusable(_)) => "unusable".to_owned(),
            Err(CallError::Unwritable(_)) => "unwritable".to_owned(),
            Err(other) => other.to_string(),
        }
    }

    fn said(status: &str, code: &str) -> String {
        json!({ "result": { "resultStatus": status, "resultCode": code } }).to_string()
    }

    #[test]
    fn answers_are_believed_as_they_are_signed() {
        let (path, body) = ("/ams/api/v1/payments/refund", said("S", "SUCCESS"));
        assert_eq!(class(&signed_answer(KEY, path, &body)), "done");
        assert_eq!(class(&signed_answer(OTHER, path, &body)), "unusable");
        assert_eq!(class(&signed_answer(KEY, "/ams/api/v1/payments/pay", &body)), "unusable");
        assert_eq!(class(&plain_answer(200, &body)), "unusable");
        assert_eq!(class(&plain_answer(200, &said("U", "REFUND_IN_PROCESS"))), "unusable");
        assert_eq!(class(&signed_answer(OTHER, path, &said("F", "PROCESS_FAIL"))), "unusable");
        let mut moved = signed_answer(KEY, path, &body);
        moved.headers_mut().remove(RESPONSE_TIME);
        assert_eq!(class(&moved), "unusable");
    }

    #[test]
    fn codes_tell_what_may_pass() {
        for (status, code, expected) in [
            ("S", "SUCCESS", "done"),
            ("U", "PAYMENT_IN_PROCESS", "under way"),
            ("U", "REFUND_IN_PROCESS", "under way"),
            ("U", "UNKNOWN_EXCEPTION", "again"),
            ("U", "REQUEST_TRAFFIC_EXCEED_LIMIT", "again"),
            ("F", "REFUND_WINDOW_EXCEED", "declined REFUND_WINDOW_EXCEED"),
            ("F", "SIGNATURE_INVALID", "unwritable"),
            ("F", "PARAM_ILLEGAL", "refused"),
            ("X", "", "unusable"),
        ] {
            let path = "/ams/api/v1/payments/refund";
            let answer = signed_answer(KEY, path, &said(status, code));
            assert_eq!(class(&answer), expected, "{status} {code}");
        }
        assert_eq!(class(&plain_answer(200, &said("F", "SIGNATURE_INVALID"))), "unwritable");
        assert_eq!(class(&plain_answer(503, "<html>")), "again");
        assert_eq!(class(&plain_answer(200, "<html>")), "unusable");
    }

    #[test]
    fn a_call_is_signed_over_its_path_time_and_body() {
        for (client, path) in [
            ("5Y1", "/ams/api/v1/payments/inquiryRefund"),
            ("SANDBOX_5Y1", "/ams/sandbox/api/v1/payments/inquiryRefund"),
        ] {
            let now = Timestamp::from_unix_millis(1_685_599_933_871).unwrap();
            let terms = json!({ "refundRequestId": "r" });
            let request = call(&credentials(client), now, Endpoint::InquiryRefund, &terms).unwrap();
            assert_eq!(request.uri(), format!("{URL}{path}").as_str());
            let header = |name: &str| request.headers()[name].to_str().unwrap();
            assert_eq!((header(CLIENT_ID), header(REQUEST_TIME)), (client, "1685599933871"));
            assert!(header(SIGNATURE).starts_with("algorithm=RSA256,keyVersion=2,signature="));
            assert!(!header(SIGNATURE).contains('+') && !header(SIGNATURE).contains("=="));
            let text = signed_text("POST", path, client, "1685599933871", request.body());
            let key = rsa::public_key(MERCHANT_PUBLIC).unwrap();
            assert!(rsa::verifies(&key, &text, &offered(header(SIGNATURE)).unwrap()));
        }
    }
}
