//! The one door of Alipay's open platform: signed requests, signed answers.

use std::collections::BTreeMap;

use aftercart::{model::time::Timestamp, run::secrets::Credentials};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, header};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::providers::{
    Answer, CallError, Known, account, alipay::china_time, api_url, form, rsa, word,
};

/// Where the platform is.
const URL: &str = "https://openapi.alipay.com";

/// The parameters of a request, sorted by name.
pub(super) struct Signed<'a> {
    credentials: &'a Credentials,
    parameters: Result<BTreeMap<&'static str, String>, CallError>,
}

/// A request of a method, with its terms.
pub(super) fn signed<'a>(
    credentials: &'a Credentials,
    now: Timestamp,
    method: &str,
    terms: &Value,
) -> Signed<'a> {
    let common = |app: &str| {
        BTreeMap::from([
            ("app_id", app.to_owned()),
            ("biz_content", terms.to_string()),
            ("charset", "utf-8".to_owned()),
            ("format", "JSON".to_owned()),
            ("method", method.to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", china_time(now)),
            ("version", "1.0".to_owned()),
        ])
    };
    let parameters = account(credentials, "app_id").map(common);
    let optional = |name: &str| credentials.account.get(name).map(String::as_str);
    Signed { credentials, parameters }
        .also("app_cert_sn", optional("app_cert_sn"))
        .also("alipay_root_cert_sn", optional("alipay_root_cert_sn"))
}

/// The call that asks something of a payment.
pub(super) fn call(
    payment: Known<'_>,
    method: &str,
    terms: &Value,
) -> Result<Request<Bytes>, CallError> {
    signed(payment.credentials, payment.now, method, terms).post()
}

impl Signed<'_> {
    /// Adds a parameter, if it has a value: empty ones are not signed.
    pub(super) fn also(mut self, name: &'static str, value: Option<&str>) -> Self {
        if let (Ok(parameters), Some(value)) = (&mut self.parameters, value)
            && !value.is_empty()
        {
            parameters.insert(name, value.to_owned());
        }
        self
    }

    /// All of them with the signature: over `name=value` in the order of the
    /// names, joined by `&` and not encoded.
    fn parameters(self) -> Result<BTreeMap<&'static str, String>, CallError> {
        let mut parameters = self.parameters?;
        let pairs: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let signature = rsa::sign(&self.credentials.api_keys, pairs.join("&").as_bytes())?;
        parameters.insert("sign", signature);
        Ok(parameters)
    }

    /// As a text of encoded parameters.
    pub(super) fn text(self) -> Result<String, CallError> {
        Ok(encoded(&self.parameters()?))
    }

    /// As an address for a browser.
    pub(super) fn url(self) -> Result<String, CallError> {
        let url = api_url(self.credentials, URL);
        Ok(format!("{url}/gateway.do?{}", self.text()?))
    }

    /// As a call of ours: the terms in the body, all else in the address, where
    /// the platform looks for the `charset`.
    pub(super) fn post(self) -> Result<Request<Bytes>, CallError> {
        let url = api_url(self.credentials, URL);
        let mut parameters = self.parameters()?;
        let terms = parameters.remove("biz_content").unwrap_or_default();
        Request::post(format!("{url}/gateway.do?{}", encoded(&parameters)))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded;charset=utf-8")
            .body(form([("biz_content", terms.as_str())]).into())
            .map_err(|error| CallError::Unwritable(error.to_string()))
    }
}

fn encoded(parameters: &BTreeMap<&'static str, String>) -> String {
    form(parameters.iter().map(|(name, value)| (*name, value.as_str())))
}

/// What an answer may say, as far as it is looked at. What a method does not
/// answer is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    code: String,
    sub_code: String,
    pub(super) out_trade_no: String,
    pub(super) trade_no: String,
    pub(super) trade_status: String,
    pub(super) total_amount: String,
    pub(super) send_pay_date: String,
    pub(super) qr_code: String,
    pub(super) fund_change: String,
    pub(super) refund_status: String,
}

/// What an answer says.
#[derive(Debug)]
pub(super) enum Said {
    /// The method did what it was asked, whatever that came to.
    Done(Box<Fields>),
    /// It did not, for this reason of the business.
    Declined(String),
}

/// Reads the answer of a method.
pub(super) fn read(
    credentials: &Credentials,
    method: &str,
    answer: &Answer,
) -> Result<Said, CallError> {
    let status = answer.status().as_u16();
    if status >= 500 || status == 429 {
        return Err(CallError::Again(format!("status {status}")));
    }
    let unusable = |why: &str| CallError::Unusable(format!("status {status}, {why}"));
    let text = std::str::from_utf8(answer.body()).map_err(|_| unusable("it is not UTF-8"))?;
    let members: BTreeMap<&str, &RawValue> =
        serde_json::from_str(text).map_err(|_| unusable("it is no JSON object"))?;
    let name = format!("{}_response", method.replace('.', "_"));
    let said = members.get(name.as_str()).or_else(|| members.get("error_response"));
    let said = said.ok_or_else(|| unusable("it answers another method"))?.get();
    let signature = members.get("sign").map(|raw| raw.get());
    let fields: Fields =
        serde_json::from_str(said).map_err(|_| unusable("a field has not its form"))?;
    match signature {
        Some(signature) if !is_signed(credentials, said, signature) => {
            return Err(unusable("its signature does not match"));
        }
        // Refusals of the door itself are not signed.
        None if fields.code == "10000" => return Err(unusable("it is not signed")),
        _ => {}
    }
    sort(fields)
}

/// Whether the answer's member is signed: over its text as it stands between
/// the commas. Some of Alipay's servers sign it before they write `/` as `\/`.
fn is_signed(credentials: &Credentials, said: &str, signature: &str) -> bool {
    let signature = serde_json::from_str::<String>(signature).ok();
    let Some(signature) = signature.and_then(|text| BASE64.decode(text.as_bytes()).ok()) else {
        return false;
    };
    let verifies =
        |text: &str| rsa::any_verifies(&credentials.webhook_secrets, text.as_bytes(), &signature);
    verifies(said) || verifies(&said.replace("\\/", "/"))
}

/// The invalid parameters that are the secret's, not the call's.
const AUTHORITY: [&str; 3] =
    ["isv.invalid-signature", "isv.invalid-app-id", "isv.invalid-app-auth-token"];

/// What the codes of an answer mean for the caller
/// (<https://opendocs.alipay.com/common/02km9f>).
fn sort(fields: Fields) -> Result<Said, CallError> {
    let (code, detail) = (fields.code.as_str(), fields.sub_code.as_str());
    let why = || format!("code `{}`, sub_code `{}`", word(code), word(detail));
    let passing = detail.contains("SYSTEM_ERROR") || detail.contains("unknow-error");
    match code {
        "10000" => Ok(Said::Done(Box::new(fields))),
        // Not available, or called too often.
        "20000" | "40005" => Err(CallError::Again(why())),
        _ if passing => Err(CallError::Again(why())),
        "40004" => Ok(Said::Declined(fields.sub_code)),
        // The account's authorisation is no good, or its key or name.
        "20001" | "40006" => Err(CallError::Unwritable(why())),
        "40002" if AUTHORITY.contains(&detail) => Err(CallError::Unwritable(why())),
        _ => Err(CallError::Refused(why())),
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

    fn credentials(account: &Value) -> Credentials {
        let secret =
            json!({ "webhook_secrets": [PUBLIC], "api_keys": [MERCHANT], "account": account });
        from_value(secret).unwrap()
    }

    fn answer(status: u16, body: String) -> Answer {
        Response::builder().status(status).body(body.into()).unwrap()
    }

    fn signed_answer(key: &str, said: &str, written: &str) -> Answer {
        let signature = rsa::sign(&[key.into()], said.as_bytes()).unwrap();
        answer(200, format!(r#"{{ "a_b_response" : {written} , "sign" : "{signature}" }}"#))
    }

    fn class(answer: &Answer) -> String {
        match read(&credentials(&json!({})), "a.b", answer) {
            Ok(Said::Done(said)) => format!("done {}", said.qr_code),
            Ok(Said::Declined(code)) => format!("declined {code}"),
            Err(CallError::Again(_)) => "again".to_owned(),
            Err(CallError::Refused(_)) => "refused".to_owned(),
            Err(CallError::Unusable(_)) => "unusable".to_owned(),
            Err(CallError::Unwritable(_)) => "unwritable".to_owned(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn answers_are_believed_as_they_are_signed() {
        let said = r#"{"code":"10000", "qr_code":"https://x","sub_msg":"签}名"}"#;
        let escaped = said.replace('/', r"\/");
        assert_eq!(class(&signed_answer(KEY, said, said)), "done https://x");
        assert_eq!(class(&signed_answer(KEY, &escaped, &escaped)), "done https://x");
        assert_eq!(class(&signed_answer(KEY, said, &escaped)), "done https://x");
        assert_eq!(class(&signed_answer(OTHER, said, said)), "unusable");
        assert_eq!(
            class(&signed_answer(KEY, said, &said.replace("https://x", "https://y"))),
            "unusable"
        );
        assert_eq!(class(&answer(200, format!(r#"{{"a_b_response":{said}}}"#))), "unusable");
        assert_eq!(
            class(&answer(200, format!(r#"{{"a_b_response":{said},"sign":7}}"#))),
            "unusable"
        );
        let declined = r#"{"code":"40004","sub_code":"ACQ.X"}"#;
        assert_eq!(class(&signed_answer(OTHER, declined, declined)), "unusable");
        for body in
            ["", "[]", "{}", r#"{"c_response":{}}"#, r#"{"a_b_response":7}"#, "\u{feff}<html>"]
        {
            assert_eq!(class(&answer(200, body.to_owned())), "unusable", "{body}");
        }
    }

    #[test]
    fn codes_tell_what_may_pass() {
        for (code, detail, expected) in [
            ("20000", "isp.unknow-error", "again"),
            ("20000", "aop.ACQ.SYSTEM_ERROR", "again"),
            ("40004", "ACQ.SYSTEM_ERROR", "again"),
            ("40004", "SYSTEM_ERROR", "again"),
            ("40005", "isv.app-call-limited", "again"),
            ("40004", "ACQ.TRADE_HAS_CLOSE", "declined ACQ.TRADE_HAS_CLOSE"),
            ("40002", "isv.invalid-signature", "unwritable"),
            ("20001", "aop.invalid-app-auth-token", "unwritable"),
            ("40006", "isv.insufficient-isv-permissions", "unwritable"),
            ("40002", "isv.invalid-parameter", "refused"),
            ("", "", "refused"),
        ] {
            let said = json!({ "code": code, "sub_code": detail });
            for member in ["a_b_response", "error_response"] {
                let body = json!({ member: said }).to_string();
                assert_eq!(class(&answer(200, body)), expected, "{code} {detail}");
            }
        }
        assert_eq!(class(&answer(502, "<html>".to_owned())), "again");
        assert_eq!(class(&answer(429, String::new())), "again");
    }

    #[test]
    fn a_call_is_signed_over_its_parameters() {
        let account = json!({
            "app_id": "2021", "app_cert_sn": "abc", "api_url": "https://alipay.example/",
        });
        let credentials = credentials(&account);
        let now = Timestamp::parse("2026-11-21T16:00:00Z").unwrap();
        let terms = json!({ "subject": "a&b = 订" });
        let request = signed(&credentials, now, "a.b", &terms).also("notify_url", Some(""));
        let request = request.also("return_url", Some("https://shop.example/?a=1&b=2")).post();
        let request = request.unwrap();
        let uri = request.uri().to_string();
        let (door, query) = uri.split_once('?').unwrap();
        assert_eq!(door, "https://alipay.example/gateway.do");
        let fields =
            [query.as_bytes(), request.body()].into_iter().flat_map(form_urlencoded::parse);
        let mut fields: BTreeMap<_, _> =
            fields.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let signature = BASE64.decode(fields.remove("sign").unwrap().as_bytes()).unwrap();
        let pairs: Vec<String> = fields.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let expected = "app_cert_sn=abc&app_id=2021&biz_content={\"subject\":\"a&b = 订\"}\
            &charset=utf-8&format=JSON&method=a.b&return_url=https://shop.example/?a=1&b=2\
            &sign_type=RSA2&timestamp=2026-11-22 00:00:00&version=1.0";
        assert_eq!(pairs.join("&"), expected);
        let key = rsa::public_key(MERCHANT_PUBLIC).unwrap();
        assert!(rsa::verifies(&key, expected.as_bytes(), &signature));
    }

    #[test]
    fn what_is_missing_is_named() {
        let call = |credentials: &Credentials| {
            signed(credentials, Timestamp::EPOCH, "a.b", &json!({})).post().unwrap_err()
        };
        let nameless = call(&credentials(&json!({ "app_id": "" })));
        assert!(matches!(nameless, CallError::Unwritable(why) if why.contains("app_id")));
        let mut keyless = credentials(&json!({ "app_id": "1" }));
        keyless.api_keys.clear();
        assert!(matches!(call(&keyless), CallError::Unwritable(_)));
    }
}
