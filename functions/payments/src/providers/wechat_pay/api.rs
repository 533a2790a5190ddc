//! How WeChat Pay is called: what is written and signed, and what the answers
//! say. An answer that did what was asked is signed as callbacks are
//! (<https://pay.weixin.qq.com/doc/v3/merchant/4012365342>); one that refuses
//! need not be, and decides nothing but whether to go on.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        digest,
        money::Money,
        payment::{Flow, PaymentEvent, RefundStatus},
        time::{Period, Timestamp},
    },
    run::secrets::Credentials,
};
use bytes::Bytes;
use http::{HeaderValue, Method as Verb, Request, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    SERIAL,
    notice::{Told, Transaction},
    signed,
};
use crate::{
    providers::{
        Answer, Asking, CallError, GivingBack, Known, RefundAnswer, Report, account, api_url,
        event_identity, form, reference, rsa, word,
    },
    wire::{ClientSecret, NextAction},
};

/// Where its API is.
const URL: &str = "https://api.mch.weixin.qq.com";

/// How the calls are signed.
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// How long a buyer has to pay: as long as an order's stock is held unless the
/// merchant says otherwise, and less than the two hours that a code is good for.
const PAY_WITHIN: Period = Period::of_seconds(30 * 60);

/// For how long after its start an attempt is taken up again: WeChat refuses a
/// time to pay that ends within a minute.
const TAKEN_UP: Period = Period::of_seconds(28 * 60);

/// The clock of China, which has no summer time.
const CHINA: Period = Period::of_seconds(8 * 3_600);

/// The longest description, in characters: WeChat takes 127 bytes, and a
/// Chinese character has three.
const DESCRIPTION_MAX: usize = 42;

/// An amount as WeChat takes it: whole fen, at least one.
pub(super) fn fen(amount: Money) -> Result<i64, CallError> {
    let fen = amount.minor();
    if amount.currency().code() != "CNY" {
        return Err(CallError::Amount("only CNY is taken".to_owned()));
    }
    if fen <= 0 {
        return Err(CallError::Amount("at least one fen is taken".to_owned()));
    }
    Ok(fen)
}

/// A signed call.
pub(super) fn call(
    credentials: &Credentials,
    verb: Verb,
    path: &str,
    body: &str,
    now: Timestamp,
) -> Result<Request<Bytes>, CallError> {
    let unwritable = |error: http::Error| CallError::Unwritable(error.to_string());
    let mut request = Request::builder()
        .method(verb)
        .uri(format!("{}{path}", api_url(credentials, URL)))
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json")
        // WeChat refuses calls that do not say who makes them.
        .header(header::USER_AGENT, "aftercart")
        .body(Bytes::from(body.to_owned()))
        .map_err(unwritable)?;
    let asked = request.uri().path_and_query().map_or(path, |asked| asked.as_str());
    let line = authorization(credentials, request.method(), asked, body, now)?;
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, line);
    if let Some(serial) = credentials.account.get("platform_serial") {
        let serial = HeaderValue::from_str(serial).map_err(|error| unwritable(error.into()))?;
        headers.insert(SERIAL, serial);
    }
    Ok(request)
}

/// The header that signs a call: over its method, address, time, nonce and
/// body, each with a line's end.
fn authorization(
    credentials: &Credentials,
    verb: &Verb,
    asked: &str,
    body: &str,
    now: Timestamp,
) -> Result<HeaderValue, CallError> {
    let (mchid, serial) = (account(credentials, "mchid")?, account(credentials, "serial_no")?);
    let seconds = now.unix_seconds();
    let nonce = nonce(&[asked, body], now);
    let message = format!("{verb}\n{asked}\n{seconds}\n{nonce}\n{body}\n");
    let signature = rsa::sign(&credentials.api_keys, message.as_bytes())?;
    let line = format!(
        "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",timestamp=\"{seconds}\",\
         serial_no=\"{serial}\",signature=\"{signature}\""
    );
    let line = HeaderValue::from_str(&line);
    let mut line = line.map_err(|error| CallError::Unwritable(error.to_string()))?;
    line.set_sensitive(true);
    Ok(line)
}

/// A word that no other call of another moment has.
fn nonce(of: &[&str], now: Timestamp) -> String {
    let millis = now.unix_millis().to_string();
    let parts = of.iter().copied().chain([millis.as_str()]);
    digest::short(&parts.map(str::as_bytes).collect::<Vec<_>>())
}

/// The appid of a flow, and WeChat's name for the flow.
fn product(credentials: &Credentials, flow: Flow) -> Result<(&str, &'static str), CallError> {
    let (own, product) = match flow {
        Flow::Qr => ("appid", "native"),
        Flow::Mobile => ("appid", "h5"),
        Flow::MiniProgram => ("appid_mini_program", "jsapi"),
        Flow::App => ("appid_app", "app"),
        Flow::Embedded | Flow::Redirect => return Err(CallError::Unsupported),
    };
    let appid = account(credentials, own).or_else(|_| account(credentials, "appid"))?;
    Ok((appid, product))
}

/// The call that begins an attempt.
pub(super) fn prepay(asking: &Asking<'_>) -> Result<Request<Bytes>, CallError> {
    let (attempt, credentials) = (asking.attempt, asking.credentials);
    if attempt.at.plus(TAKEN_UP) <= asking.now {
        return Err(CallError::TooOld);
    }
    let (appid, product) = product(credentials, attempt.flow)?;
    let said = credentials.account.get("description").map(String::as_str);
    let said = said.filter(|said| !said.is_empty()).unwrap_or(attempt.order.as_str());
    let mut body = json!({
        "appid": appid,
        "mchid": account(credentials, "mchid")?,
        "description": said.chars().take(DESCRIPTION_MAX).collect::<String>(),
        "out_trade_no": attempt.id.as_str(),
        "time_expire": china(attempt.at.plus(PAY_WITHIN)),
        "notify_url": asking.notify_url,
        "amount": { "total": fen(attempt.amount)?, "currency": "CNY" },
    });
    let missing = |what: &str| CallError::Unwritable(format!("{what} is not known"));
    match attempt.flow {
        Flow::MiniProgram => {
            let payer = attempt.payer.as_ref().ok_or_else(|| missing("the buyer's openid"))?;
            body["payer"] = json!({ "openid": payer.as_str() });
        }
        Flow::Mobile => {
            let ip = asking.buyer_ip.ok_or_else(|| missing("the buyer's address"))?;
            body["scene_info"] = json!({ "payer_client_ip": ip, "h5_info": { "type": "Wap" } });
        }
        _ => {}
    }
    let path = format!("/v3/pay/transactions/{product}");
    call(credentials, Verb::POST, &path, &body.to_string(), asking.now)
}

/// A moment as WeChat writes times.
fn china(at: Timestamp) -> String {
    let there = at.plus(CHINA).to_string();
    format!("{}+08:00", there.get(..19).unwrap_or_default())
}

#[derive(Deserialize)]
struct Begun {
    #[serde(default)]
    code_url: Option<ClientSecret>,
    #[serde(default)]
    h5_url: Option<String>,
    #[serde(default)]
    prepay_id: Option<String>,
}

/// What the client does with the answer to [`prepay`].
pub(super) fn next_action(asking: &Asking<'_>, answer: &Answer) -> Result<NextAction, CallError> {
    let begun: Begun = done(asking.credentials, answer, asking.now)?;
    match (asking.attempt.flow, begun) {
        (Flow::Qr, Begun { code_url: Some(content), .. }) => Ok(NextAction::Qr { content }),
        (Flow::Mobile, Begun { h5_url: Some(url), .. }) => {
            let back = asking.return_url.map(|back| form([("redirect_url", back)]));
            let url = back.map_or_else(|| url.clone(), |back| format!("{url}&{back}"));
            Ok(NextAction::Redirect { url: ClientSecret(url) })
        }
        (Flow::MiniProgram | Flow::App, Begun { prepay_id: Some(id), .. }) => {
            Ok(NextAction::App { parameters: parameters(asking, &id)? })
        }
        _ => Err(CallError::Unusable("what begins the payment is missing".to_owned())),
    }
}

/// What the mini programme, or the app, gives to WeChat: signed, by the names
/// that its library asks for.
fn parameters(asking: &Asking<'_>, prepay: &str) -> Result<BTreeMap<String, String>, CallError> {
    let credentials = asking.credentials;
    let (appid, _) = product(credentials, asking.attempt.flow)?;
    let seconds = asking.now.unix_seconds().to_string();
    let nonce = nonce(&[prepay], asking.now);
    let sign = |last: &str| {
        let message = format!("{appid}\n{seconds}\n{nonce}\n{last}\n");
        rsa::sign(&credentials.api_keys, message.as_bytes())
    };
    let package = format!("prepay_id={prepay}");
    let named = match asking.attempt.flow {
        Flow::App => [
            ("appid", appid.to_owned()),
            ("partnerid", account(credentials, "mchid")?.to_owned()),
            ("prepayid", prepay.to_owned()),
            ("package", "Sign=WXPay".to_owned()),
            ("noncestr", nonce.clone()),
            ("timestamp", seconds.clone()),
            ("sign", sign(prepay)?),
        ]
        .to_vec(),
        _ => [
            ("appId", appid.to_owned()),
            ("timeStamp", seconds.clone()),
            ("nonceStr", nonce.clone()),
            ("signType", "RSA".to_owned()),
            ("paySign", sign(&package)?),
            ("package", package),
        ]
        .to_vec(),
    };
    Ok(named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The call that gives money back.
pub(super) fn refund(giving: &GivingBack<'_>) -> Result<Request<Bytes>, CallError> {
    let (refund, known) = (giving.refund, &giving.payment);
    let body = json!({
        "out_trade_no": known.attempt.id.as_str(),
        "out_refund_no": refund.id.as_str(),
        "notify_url": giving.notify_url,
        "amount": {
            "refund": fen(refund.amount)?,
            "total": fen(known.attempt.amount)?,
            "currency": "CNY",
        },
    });
    let path = "/v3/refund/domestic/refunds";
    call(known.credentials, Verb::POST, path, &body.to_string(), known.now)
}

#[derive(Deserialize)]
struct Refund {
    out_refund_no: String,
    #[serde(default)]
    refund_id: String,
    status: String,
}

/// What the answer to [`refund`], or to asking about it, says.
pub(super) fn refunded(
    giving: &GivingBack<'_>,
    answer: &Answer,
) -> Result<RefundAnswer, CallError> {
    let known = &giving.payment;
    let refund: Refund = match done(known.credentials, answer, known.now) {
        Err(CallError::Refused(_)) if is_final(&code(answer)) => {
            let reason = Some(word(&code(answer)));
            return Ok(RefundAnswer { status: RefundStatus::Failed, reference: None, reason });
        }
        read => read?,
    };
    if refund.out_refund_no != giving.refund.id.as_str() {
        return Err(CallError::Unusable("it is about another refund".to_owned()));
    }
    let (status, reason) = match refund.status.as_str() {
        "SUCCESS" => (RefundStatus::Succeeded, None),
        "PROCESSING" => (RefundStatus::Sent, None),
        "CLOSED" | "ABNORMAL" => (RefundStatus::Failed, Some(word(&refund.status))),
        _ => return Err(CallError::Unusable("`status` is not known".to_owned())),
    };
    Ok(RefundAnswer { status, reference: reference(&refund.refund_id), reason })
}

/// Whether a refusal is about this refund: the merchant's balance is too low,
/// the buyer's account is closed, a year is over, more is asked than was paid.
fn is_final(code: &str) -> bool {
    matches!(
        code,
        "NOT_ENOUGH"
            | "USER_ACCOUNT_ABNORMAL"
            | "INVALID_REQUEST"
            | "PARAM_ERROR"
            | "RESOURCE_NOT_EXISTS"
    )
}

/// What the answer to a query says. Nothing if WeChat does not know the
/// attempt: then it was never begun.
pub(super) fn queried(known: &Known<'_>, answer: &Answer) -> Result<Vec<PaymentEvent>, CallError> {
    let found: Transaction = match done(known.credentials, answer, known.now) {
        Err(CallError::Refused(_)) if is_absent(&code(answer)) => return Ok(Vec::new()),
        read => read?,
    };
    let (id, state) = (&known.attempt.id, &found.trade_state);
    let told = Told {
        id: event_identity(&format!("query:{id}:{state}")),
        what: word(state),
        at: known.now,
        body: answer.body(),
    };
    match found.report(known.credentials, told, Some(known.attempt.amount)) {
        Ok(Report::Event(event)) if event.payment == known.attempt.id => Ok(vec![event]),
        Ok(Report::Nothing { .. }) => Ok(Vec::new()),
        Ok(_) => Err(CallError::Unusable("it is about another payment".to_owned())),
        Err(error) => Err(CallError::Unusable(error.to_string())),
    }
}

fn is_absent(code: &str) -> bool {
    matches!(code, "ORDER_NOT_EXIST" | "ORDERNOTEXIST" | "RESOURCE_NOT_EXISTS")
}

/// The body of an answer that did what was asked.
fn done<T: DeserializeOwned>(
    credentials: &Credentials,
    answer: &Answer,
    now: Timestamp,
) -> Result<T, CallError> {
    let status = answer.status();
    if !status.is_success() {
        let code = code(answer);
        let why = format!("status {}, code `{}`", status.as_u16(), word(&code));
        return Err(match code.as_str() {
            "ORDERPAID" => CallError::Paid,
            code if is_temporary(status.as_u16(), code) => CallError::Again(why),
            // The key is wrong, was rolled, or may not do this.
            code if status.as_u16() == 401 || code == "NO_AUTH" => CallError::Unwritable(why),
            _ => CallError::Refused(why),
        });
    }
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    signed(credentials, &header, answer.body(), now)
        .map_err(|error| CallError::Unusable(error.to_string()))?;
    serde_json::from_slice(answer.body()).map_err(|error| {
        CallError::Unusable(format!("line {}, column {}", error.line(), error.column()))
    })
}

/// WeChat's word for why it refuses. Its `message` quotes what it was sent.
fn code(answer: &Answer) -> String {
    let refusal: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    refusal.get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What WeChat's documents say to repeat with the same parameters.
fn is_temporary(status: u16, code: &str) -> bool {
    matches!(code, "SYSTEM_ERROR" | "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" | "BANK_ERROR")
        || status == 429
        || status >= 500
}
