//! WeChat Pay's API as far as the suite calls it: every call has to be signed,
//! every answer is. An order number is one payment, a refund number one refund.

use aftercart::model::{digest, payment::Provider};
use aftercart_payments::providers::{
    rsa,
    wechat_pay::{NONCE, SERIAL, SIGNATURE, TIMESTAMP},
};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderName, HeaderValue, Request, Response};
use serde_json::{Value, json};

use super::{
    MERCHANT_KEY, MERCHANT_PUBLIC_KEY, Memory, PROVIDER_KEY, PROVIDER_PUBLIC_KEY, StandIn, header,
    json_answer, rsa_signature,
};
use crate::signing::{Callback, Payment};

/// What its callbacks are encrypted with.
pub const API_V3_KEY: &str = "wechat-test-api-v3-key-012345678";
/// The merchant's number.
const MCHID: &str = "1900000109";
/// The merchant's appid.
const APPID: &str = "wx0000000000000001";
/// The number of the stand-in's key.
const KEY_ID: &str = "PUB_KEY_ID_0000000000000000000000000001";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct WechatPay;

impl StandIn for WechatPay {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [PROVIDER_PUBLIC_KEY],
            "decryption_keys": [API_V3_KEY],
            "api_keys": [MERCHANT_KEY],
            "account": {
                "api_url": api_url,
                "mchid": MCHID,
                "serial_no": "7132D72A03E93CDDF8C03BBD1F37EEDF00000001",
                "appid": APPID,
                "platform_serial": KEY_ID,
            },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let Some(seconds) = signed_at(request) else {
            return json_answer(401, &refusal("SIGN_ERROR"));
        };
        let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let route: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (status, body) = match (request.method().as_str(), route.as_slice()) {
            ("POST", ["v3", "pay", "transactions", product]) => begin(memory, product, &asked),
            ("GET", ["v3", "pay", "transactions", "out-trade-no", id]) => transaction(memory, id),
            ("POST", ["v3", "refund", "domestic", "refunds"]) => refund(memory, &asked),
            ("GET", ["v3", "refund", "domestic", "refunds", id]) => refunded(memory, id),
            _ => (404, refusal("RESOURCE_NOT_EXISTS")),
        };
        let mut response = json_answer(status, &body);
        let text = body.to_string();
        for (name, value) in headers(&seconds, &text) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }

    /// Payments and refunds that ended well, and refunds that did not: of
    /// others WeChat Pay says nothing, so they come as an event that nobody knows.
    fn callback(&self, report: &Payment<'_>) -> Callback {
        let (kind, content) = match report.kind {
            "succeeded" => ("TRANSACTION.SUCCESS".to_owned(), paid(report)),
            "refunded" => ("REFUND.SUCCESS".to_owned(), given_back(report, "SUCCESS")),
            "refund_failed" => ("REFUND.ABNORMAL".to_owned(), given_back(report, "ABNORMAL")),
            other => (format!("TRANSACTION.{}", other.to_uppercase()), json!({})),
        };
        let body = json!({
            "id": report.event,
            "create_time": report.at,
            "resource_type": "encrypt-resource",
            "event_type": kind,
            "summary": report.kind,
            "resource": encrypted(&content.to_string()),
        })
        .to_string();
        let headers = headers(&report.at.unix_seconds().to_string(), &body);
        Callback { path: "/callbacks/wechat_pay", headers: headers.to_vec(), body }
    }
}

fn paid(report: &Payment<'_>) -> Value {
    json!({
        "mchid": MCHID,
        "appid": APPID,
        "out_trade_no": report.payment,
        "transaction_id": transaction_id(report.payment),
        "trade_type": "NATIVE",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "success_time": report.at,
        "payer": { "openid": "openid_1" },
        "amount": {
            "total": report.amount,
            "payer_total": report.amount,
            "currency": report.currency,
            "payer_currency": report.currency,
        },
    })
}

fn given_back(report: &Payment<'_>, status: &str) -> Value {
    let part = report.part.unwrap_or(report.event);
    let mut content = json!({
        "mchid": MCHID,
        "out_trade_no": report.payment,
        "transaction_id": transaction_id(report.payment),
        "out_refund_no": part,
        "refund_id": format!("5030{}", digest::short(&[part.as_bytes()])),
        "refund_status": status,
        "user_received_account": "招商银行信用卡0403",
        "amount": {
            "total": report.amount,
            "refund": report.amount,
            "payer_total": report.amount,
            "payer_refund": report.amount,
        },
    });
    if status == "SUCCESS" {
        content["success_time"] = json!(report.at);
    }
    content
}

fn encrypted(content: &str) -> Value {
    let (data, nonce) = ("transaction", digest::short(&[content.as_bytes()]));
    let nonce = nonce.get(..12).unwrap_or_default();
    let mut text = content.as_bytes().to_vec();
    let key = UnboundKey::new(&AES_256_GCM, API_V3_KEY.as_bytes()).map(LessSafeKey::new);
    if let (Ok(key), Ok(nonce)) = (key, Nonce::try_assume_unique_for_key(nonce.as_bytes())) {
        let sealed = key.seal_in_place_append_tag(nonce, Aad::from(data.as_bytes()), &mut text);
        sealed.unwrap_or_else(|_| text.clear());
    }
    json!({
        "original_type": data,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": BASE64.encode(&text),
        "associated_data": data,
        "nonce": nonce,
    })
}

/// The headers that sign a body.
fn headers(seconds: &str, body: &str) -> [(&'static str, String); 4] {
    let nonce = digest::short(&[seconds.as_bytes(), body.as_bytes()]);
    let message = format!("{seconds}\n{nonce}\n{body}\n");
    [
        (TIMESTAMP, seconds.to_owned()),
        (SIGNATURE, rsa_signature(PROVIDER_KEY, message.as_bytes())),
        (NONCE, nonce),
        (SERIAL, KEY_ID.to_owned()),
    ]
}

/// When the merchant signed the call; None if it did not.
fn signed_at(request: &Request<Bytes>) -> Option<String> {
    let line = header(request, "authorization").strip_prefix("WECHATPAY2-SHA256-RSA2048 ")?;
    let of = |name: &str| {
        let (_, value) = line.split_once(&format!("{name}=\""))?;
        value.split('"').next()
    };
    let (seconds, nonce) = (of("timestamp")?, of("nonce_str")?);
    let (verb, asked) = (request.method(), request.uri().path_and_query()?);
    let body = std::str::from_utf8(request.body()).ok()?;
    let message = format!("{verb}\n{asked}\n{seconds}\n{nonce}\n{body}\n");
    let (key, signature) =
        (rsa::public_key(MERCHANT_PUBLIC_KEY)?, BASE64.decode(of("signature")?.as_bytes()).ok()?);
    let good = of("mchid") == Some(MCHID) && rsa::verifies(&key, message.as_bytes(), &signature);
    good.then(|| seconds.to_owned())
}

fn begin(memory: &mut Memory, product: &str, asked: &Value) -> (u16, Value) {
    let id = asked["out_trade_no"].as_str().unwrap_or_default();
    let amount = &asked["amount"]["total"];
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-|*".contains(&b);
    let fits = (6..=32).contains(&id.len()) && id.bytes().all(plain);
    let payer = match product {
        "jsapi" => asked["payer"]["openid"].is_string(),
        "h5" => asked["scene_info"]["payer_client_ip"].is_string(),
        _ => true,
    };
    if !fits || !payer || asked["appid"] != APPID || asked["mchid"] != MCHID {
        return (400, refusal("PARAM_ERROR"));
    }
    match memory.get(Provider::WechatPay, "charge", id) {
        Some(charge) if charge["amount"] != *amount => return (403, refusal("OUT_TRADE_NO_USED")),
        Some(charge) if charge["status"] == "paid" => return (400, refusal("ORDERPAID")),
        Some(_) => {}
        None => {
            let charge = json!({ "amount": amount, "currency": "CNY", "status": "unpaid" });
            memory.note(Provider::WechatPay, "charge", id, charge);
        }
    }
    let prepay = format!("wx{}", digest::short(&[id.as_bytes()]));
    match product {
        "native" => (200, json!({ "code_url": format!("weixin://wxpay/bizpayurl?pr={prepay}") })),
        "h5" => {
            let page = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb";
            (200, json!({ "h5_url": format!("{page}?prepay_id={prepay}&package=1") }))
        }
        "jsapi" | "app" => (200, json!({ "prepay_id": prepay })),
        _ => (404, refusal("RESOURCE_NOT_EXISTS")),
    }
}

fn transaction(memory: &Memory, id: &str) -> (u16, Value) {
    let Some(charge) = memory.get(Provider::WechatPay, "charge", id) else {
        return (404, refusal("ORDER_NOT_EXIST"));
    };
    let state = match charge["status"].as_str() {
        Some("paid") => "SUCCESS",
        Some("failed") => "PAYERROR",
        Some("expired") => "CLOSED",
        _ => "NOTPAY",
    };
    let mut body = json!({
        "mchid": MCHID,
        "appid": APPID,
        "out_trade_no": id,
        "trade_state": state,
        "amount": { "total": charge["amount"], "currency": charge["currency"] },
    });
    if state == "SUCCESS" {
        body["transaction_id"] = json!(transaction_id(id));
    }
    (200, body)
}

fn refund(memory: &mut Memory, asked: &Value) -> (u16, Value) {
    let (id, paid) = (asked["out_refund_no"].as_str(), asked["out_trade_no"].as_str());
    let (Some(id), Some(paid)) = (id, paid) else { return (400, refusal("PARAM_ERROR")) };
    let Some(charge) = memory.get(Provider::WechatPay, "charge", paid) else {
        return (404, refusal("RESOURCE_NOT_EXISTS"));
    };
    let amount = asked["amount"]["refund"].as_i64().unwrap_or_default();
    if memory.get(Provider::WechatPay, "refund", id).is_none() {
        let before = memory.given_back(Provider::WechatPay, paid);
        if before.saturating_add(amount) > charge["amount"].as_i64().unwrap_or_default() {
            return (400, refusal("INVALID_REQUEST"));
        }
        let refund = json!({
            "payment": paid, "amount": amount, "currency": "CNY", "status": "pending",
        });
        memory.note(Provider::WechatPay, "refund", id, refund);
    }
    refunded(memory, id)
}

fn refunded(memory: &Memory, id: &str) -> (u16, Value) {
    let Some(refund) = memory.get(Provider::WechatPay, "refund", id) else {
        return (404, refusal("RESOURCE_NOT_EXISTS"));
    };
    let status = match refund["status"].as_str() {
        Some("succeeded") => "SUCCESS",
        Some("failed") => "ABNORMAL",
        _ => "PROCESSING",
    };
    let body = json!({
        "refund_id": format!("5030{}", digest::short(&[id.as_bytes()])),
        "out_refund_no": id,
        "out_trade_no": refund["payment"],
        "channel": "ORIGINAL",
        "status": status,
        "amount": { "refund": refund["amount"], "currency": "CNY" },
    });
    (200, body)
}

/// WeChat Pay's number of a payment.
fn transaction_id(id: &str) -> String {
    format!("4200{}", digest::short(&[id.as_bytes()]))
}

fn refusal(code: &str) -> Value {
    json!({ "code": code, "message": "The stand-in refuses." })
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        payment::{Flow, Method, PaymentEventKind, PaymentStatus, RefundStatus},
        time::Period,
    };
    use aftercart_payments::{
        providers::{CallError, Report},
        wire::NextAction,
    };

    use super::*;
    use crate::providers::drive::Drive;

    fn drive(flow: Flow) -> Drive {
        Drive::new(Method::WechatPay, flow, 1250, "CNY")
    }

    fn part(drive: &Drive, name: &str) -> String {
        drive.due(name, 1).id.to_string()
    }

    #[test]
    fn every_flow_begins() {
        for flow in [Flow::Qr, Flow::Mobile, Flow::MiniProgram, Flow::App] {
            let drive = drive(flow);
            let begun = drive.start().unwrap();
            assert_eq!(drive.start().as_ref(), Ok(&begun));
            assert_eq!(drive.count("charge"), 1);
            match (flow, begun) {
                (Flow::Qr, NextAction::Qr { content }) => {
                    assert!(content.0.starts_with("weixin://"));
                }
                (Flow::Mobile, NextAction::Redirect { url }) => {
                    let back = "&redirect_url=https%3A%2F%2Fshop.example%2Fback%3Forder%3D1";
                    assert!(url.0.ends_with(back), "{}", url.0);
                }
                (Flow::MiniProgram, NextAction::App { parameters: p }) => {
                    let of = |name: &str| p.get(name).unwrap().as_str();
                    let message = [of("appId"), of("timeStamp"), of("nonceStr"), of("package"), ""]
                        .join("\n");
                    assert!(of("package").starts_with("prepay_id=wx"));
                    assert_eq!((of("signType"), p.len()), ("RSA", 6));
                    assert_eq!(of("paySign"), rsa_signature(MERCHANT_KEY, message.as_bytes()));
                }
                (Flow::App, NextAction::App { parameters: p }) => {
                    let of = |name: &str| p.get(name).unwrap().as_str();
                    let message =
                        [of("appid"), of("timestamp"), of("noncestr"), of("prepayid"), ""]
                            .join("\n");
                    assert_eq!((of("package"), of("partnerid")), ("Sign=WXPay", MCHID));
                    assert_eq!(of("sign"), rsa_signature(MERCHANT_KEY, message.as_bytes()));
                }
                (flow, other) => panic!("{flow}: {other:?}"),
            }
        }
        let late = drive(Flow::Qr).later(Period::of_seconds(28 * 60));
        assert_eq!(late.start(), Err(CallError::TooOld));
    }

    #[test]
    fn from_a_start_to_a_refund() {
        let drive = drive(Flow::Qr);
        let id = drive.attempt.id.to_string();
        assert_eq!(drive.query(None), Ok(Vec::new()));
        drive.start().unwrap();
        assert_eq!(drive.query(None), Ok(Vec::new()));
        drive.remember("charge", &id, "status", "paid".into());
        assert!(matches!(drive.start(), Err(CallError::Paid)));
        let told = drive.event("succeeded", 1250, None, 0);
        let [asked] = &*drive.query(None).unwrap() else { panic!("no event") };
        assert_eq!((asked.kind, asked.amount), (told.kind, told.amount));
        assert_eq!((&asked.payment, &asked.reference), (&told.payment, &told.reference));

        let refund = drive.due("a", 500);
        for _ in 0..2 {
            let given = drive.refund(&refund, None).unwrap();
            assert_eq!(given.status, RefundStatus::Sent);
        }
        assert_eq!(drive.count("refund"), 1);
        for (status, expected) in
            [("succeeded", RefundStatus::Succeeded), ("failed", RefundStatus::Failed)]
        {
            drive.remember("refund", refund.id.as_str(), "status", status.into());
            assert_eq!(drive.refund_status(&refund, None).unwrap().status, expected);
        }
        let refused = drive.refund(&drive.due("b", 751), None).unwrap();
        assert_eq!(refused.status, RefundStatus::Failed);
        assert_eq!(refused.reason.as_deref(), Some("INVALID_REQUEST"));
    }

    #[test]
    fn callbacks_are_read() {
        let drive = drive(Flow::Qr);
        let paid = drive.event("succeeded", 1250, None, 5);
        assert_eq!((&paid.payment, paid.kind), (&drive.attempt.id, PaymentEventKind::Succeeded));
        assert_eq!((paid.amount, paid.id.as_str()), (drive.attempt.amount, "evt-succeeded--5"));
        assert_eq!(paid.at, drive.now.plus(Period::of_seconds(5)));
        let part = part(&drive, "a");
        let back = drive.event("refunded", 500, Some(&part), 6);
        assert_eq!((back.kind, back.part), (PaymentEventKind::Refunded, Some(part)));
        assert_eq!(back.amount.minor(), 500);
        for kind in ["failed", "disputed"] {
            let report = drive.heard(&drive.callback(kind, 1250, None, 0));
            assert!(matches!(report, Report::Unknown { .. }), "{kind}");
        }
        let callback = drive.callback("succeeded", 1250, None, 0);
        let mut account = drive.credentials.account.clone();
        account.insert("mchid".to_owned(), "1900000110".to_owned());
        let mut other = drive;
        other.credentials.account = account;
        assert!(matches!(other.heard(&callback), Report::Foreign { .. }));
    }

    #[test]
    fn all_orders_of_the_events_lead_to_one_state() {
        let drive = drive(Flow::Qr);
        drive.start().unwrap();
        drive.remember("charge", drive.attempt.id.as_str(), "status", "failed".into());
        let failed = drive.query(None).unwrap().remove(0);
        drive.remember("charge", drive.attempt.id.as_str(), "status", "expired".into());
        let expired = drive.query(None).unwrap().remove(0);
        let paid = drive.event("succeeded", 1250, None, 5);
        let (a, b) = (part(&drive, "a"), part(&drive, "b"));
        let back = |part: &str, minor, seconds| drive.event("refunded", minor, Some(part), seconds);
        let broken = drive.event("refund_failed", 500, Some(&a), 20);
        for (events, state) in [
            (vec![paid.clone()], PaymentStatus::Succeeded),
            (vec![failed.clone(), paid.clone()], PaymentStatus::Succeeded),
            (vec![paid.clone(), expired], PaymentStatus::Succeeded),
            (vec![paid.clone(), back(&a, 500, 10)], PaymentStatus::PartlyRefunded),
            (
                vec![paid.clone(), back(&a, 500, 10), back(&b, 750, 11), failed],
                PaymentStatus::Refunded,
            ),
            (vec![paid.clone(), broken.clone()], PaymentStatus::Succeeded),
            (vec![paid, broken, back(&a, 500, 30), back(&b, 750, 11)], PaymentStatus::Refunded),
        ] {
            assert_eq!(drive.state(&events), state);
        }
    }
}
