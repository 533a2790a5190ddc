//! Alipay's open platform as far as the suite calls it: it checks our
//! signatures and signs its answers; a trade is one under its number, and so
//! is a refund.

use std::collections::BTreeMap;

use aftercart::model::{
    digest,
    payment::Provider,
    time::{Period, Timestamp},
};
use aftercart_payments::providers::rsa;
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{
    MERCHANT_KEY, MERCHANT_PUBLIC_KEY, Memory, PROVIDER_KEY, PROVIDER_PUBLIC_KEY, StandIn,
    json_answer, rsa_signature,
};
use crate::signing::{Callback, Payment};

/// The suite's application.
pub const APP_ID: &str = "2021000000000001";

/// The merchant.
pub const SELLER_ID: &str = "2088000000000001";

/// How far China's clocks are ahead of UTC.
const CHINA_AHEAD: Period = Period::of_seconds(8 * 3_600);

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Alipay;

impl StandIn for Alipay {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [PROVIDER_PUBLIC_KEY],
            "api_keys": [MERCHANT_KEY],
            "account": { "app_id": APP_ID, "seller_id": SELLER_ID, "api_url": api_url },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let query = request.uri().query().unwrap_or_default();
        let fields = [query.as_bytes(), request.body()];
        let fields: BTreeMap<String, String> =
            fields.into_iter().flat_map(|of| form_urlencoded::parse(of).into_owned()).collect();
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let name = format!("{}_response", field("method").replace('.', "_"));
        if path != "/gateway.do" || !is_signed(&fields) || field("app_id") != APP_ID {
            let refusal = json!({ "code": "40002", "sub_code": "isv.invalid-signature" });
            return json_answer(200, &json!({ name: refusal }));
        }
        let terms: Value = serde_json::from_str(field("biz_content")).unwrap_or_default();
        let said = answer(memory, field("method"), &terms, field("timestamp")).to_string();
        let signature = rsa_signature(PROVIDER_KEY, said.as_bytes());
        Response::new(format!(r#"{{"{name}":{said},"sign":"{signature}"}}"#).into())
    }

    fn callback(&self, report: &Payment<'_>) -> Callback {
        let fields = fields(report);
        let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
        let body = notice(PROVIDER_KEY, fields);
        Callback { path: "/callbacks/alipay", headers: Vec::new(), body }
    }
}

/// The fields of a notice of Alipay. It has none of a declined try: a payment
/// that was not made is closed.
#[must_use]
pub fn fields(report: &Payment<'_>) -> Vec<(&'static str, String)> {
    let (at, amount) = (china_time(report.at), yuan(report.amount));
    let status = match report.kind {
        "succeeded" | "refunded" => "TRADE_SUCCESS",
        "processing" => "WAIT_BUYER_PAY",
        "failed" | "expired" | "cancelled" => "TRADE_CLOSED",
        other => other,
    };
    let mut fields = vec![
        ("app_id", APP_ID.to_owned()),
        ("charset", "utf-8".to_owned()),
        ("notify_id", report.event.to_owned()),
        ("notify_time", at.clone()),
        ("notify_type", "trade_status_sync".to_owned()),
        ("out_trade_no", report.payment.to_owned()),
        ("seller_id", SELLER_ID.to_owned()),
        ("subject", "订单".to_owned()),
        ("total_amount", amount.clone()),
        ("trade_no", trade_no(report.payment)),
        ("trade_status", status.to_owned()),
        ("version", "1.0".to_owned()),
    ];
    match report.kind {
        "refunded" => fields.extend([
            ("refund_fee", amount),
            ("gmt_refund", format!("{at}.000")),
            ("gmt_payment", at),
            ("out_biz_no", report.part.unwrap_or(report.payment).to_owned()),
        ]),
        "succeeded" => fields.push(("gmt_payment", at)),
        "failed" | "expired" | "cancelled" => fields.push(("gmt_close", at)),
        _ => {}
    }
    fields
}

/// A notice with these fields, signed with a private key.
#[must_use]
pub fn notice<'a>(key: &str, fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let sorted: BTreeMap<&str, &str> = fields.collect();
    let signature = rsa_signature(key, joined(&sorted).as_bytes());
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&sorted)
        .append_pair("sign_type", "RSA2")
        .append_pair("sign", &signature)
        .finish()
}

/// What is signed.
fn joined<K: AsRef<str>, V: AsRef<str>>(fields: &BTreeMap<K, V>) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", name.as_ref(), value.as_ref()));
    pairs.collect::<Vec<_>>().join("&")
}

fn is_signed(fields: &BTreeMap<String, String>) -> bool {
    let mut fields = fields.clone();
    let signature = fields.remove("sign").and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let key = rsa::public_key(MERCHANT_PUBLIC_KEY);
    let (Some(signature), Some(key)) = (signature, key) else { return false };
    rsa::verifies(&key, joined(&fields).as_bytes(), &signature)
}

fn answer(memory: &mut Memory, method: &str, terms: &Value, now: &str) -> Value {
    let term = |name: &str| terms[name].as_str().unwrap_or_default();
    let (trade, request) = (term("out_trade_no"), term("out_request_no"));
    match method {
        "alipay.trade.page.pay" | "alipay.trade.wap.pay" | "alipay.trade.app.pay" => {
            charge(memory, trade, term("total_amount"), now, json!({}))
        }
        "alipay.trade.precreate" => {
            let qr_code = format!("https://qr.alipay.com/{}", digest::short(&[trade.as_bytes()]));
            charge(memory, trade, term("total_amount"), now, json!({ "qr_code": qr_code }))
        }
        "alipay.trade.query" => asked(memory, trade, now),
        "alipay.trade.refund" => refund(memory, trade, request, term("refund_amount")),
        "alipay.trade.fastpay.refund.query" => {
            let made = memory.get(Provider::Alipay, "refund", request).is_some();
            let status =
                if made { json!({ "refund_status": "REFUND_SUCCESS" }) } else { json!({}) };
            done(trade, status)
        }
        _ => json!({ "code": "40002", "sub_code": "isv.invalid-method" }),
    }
}

fn charge(memory: &mut Memory, trade: &str, amount: &str, now: &str, besides: Value) -> Value {
    let charge = json!({
        "amount": fen(amount), "currency": "CNY", "status": "unpaid", "at": now,
    });
    match memory.get(Provider::Alipay, "charge", trade) {
        Some(earlier) if earlier["amount"] != charge["amount"] => {
            return declined("ACQ.CONTEXT_INCONSISTENT");
        }
        Some(earlier) if earlier["status"] == "paid" => return declined("ACQ.TRADE_HAS_SUCCESS"),
        Some(_) => {}
        None => memory.note(Provider::Alipay, "charge", trade, charge),
    }
    done(trade, besides)
}

fn refund(memory: &mut Memory, trade: &str, request: &str, amount: &str) -> Value {
    let refund = json!({ "payment": trade, "amount": fen(amount), "currency": "CNY" });
    let paid = memory.get(Provider::Alipay, "charge", trade).and_then(|it| it["amount"].as_i64());
    let back = memory.given_back(Provider::Alipay, trade);
    let earlier = memory.get(Provider::Alipay, "refund", request);
    let moved = match earlier {
        Some(earlier) if *earlier != refund => return declined("ACQ.DISCORDANT_REPEAT_REQUEST"),
        Some(_) => "N",
        None if paid.is_some_and(|paid| back + fen(amount) > paid) => {
            return declined("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL");
        }
        None => "Y",
    };
    memory.note(Provider::Alipay, "refund", request, refund);
    let total = yuan(memory.given_back(Provider::Alipay, trade));
    done(trade, json!({ "fund_change": moved, "refund_fee": total }))
}

fn asked(memory: &Memory, trade: &str, now: &str) -> Value {
    let Some(charge) = memory.get(Provider::Alipay, "charge", trade) else {
        return declined("ACQ.TRADE_NOT_EXIST");
    };
    let total = yuan(charge["amount"].as_i64().unwrap_or_default());
    let at = charge["at"].as_str().unwrap_or(now);
    done(
        trade,
        match charge["status"].as_str() {
            Some("paid") => json!({
                "trade_status": "TRADE_SUCCESS", "total_amount": total, "send_pay_date": at,
            }),
            Some("closed") => json!({ "trade_status": "TRADE_CLOSED", "total_amount": total }),
            _ => json!({ "trade_status": "WAIT_BUYER_PAY", "total_amount": total }),
        },
    )
}

fn done(trade: &str, mut besides: Value) -> Value {
    besides["code"] = "10000".into();
    besides["msg"] = "Success".into();
    besides["out_trade_no"] = trade.into();
    besides["trade_no"] = trade_no(trade).into();
    besides
}

fn declined(code: &str) -> Value {
    json!({ "code": "40004", "msg": "Business Failed", "sub_code": code })
}

/// Alipay's own number of a trade.
fn trade_no(trade: &str) -> String {
    format!("2026{}", digest::short(&[trade.as_bytes()]))
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

fn fen(yuan: &str) -> i64 {
    yuan.replace('.', "").parse().unwrap_or_default()
}

fn china_time(at: Timestamp) -> String {
    at.plus(CHINA_AHEAD).to_string().chars().take(19).collect::<String>().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use aftercart::{
        model::{
            payment::{Flow, Instalments, Method, PaymentEventKind, PaymentStatus, RefundStatus},
            time::Period,
        },
        run::secrets::Credentials,
    };
    use aftercart_payments::{
        providers::{CallError, Report},
        wire::NextAction,
    };

    use super::*;
    use crate::providers::{OTHER_KEY, drive::Drive};

    fn begun(flow: Flow) -> Drive {
        Drive::new(Method::Alipay, flow, 1234, "CNY")
    }

    /// What Alipay says to a signed request that the buyer brings.
    fn brought(drive: &Drive, url: &str) -> Value {
        let answer = drive.stand_ins.answer(&Request::get(url).body(Bytes::new()).unwrap());
        let answer: Value = serde_json::from_slice(answer.body()).unwrap();
        let said = answer.as_object().unwrap().iter().find(|(name, _)| *name != "sign");
        said.unwrap().1.clone()
    }

    #[test]
    fn each_flow_begins_one_trade_however_often() {
        for flow in [Flow::Redirect, Flow::Mobile, Flow::App, Flow::Qr] {
            let drive = begun(flow);
            for _ in 0..2 {
                let url = match drive.start().unwrap() {
                    NextAction::Redirect { url } => url.0,
                    NextAction::App { parameters } => {
                        let order = &parameters["orderStr"];
                        format!("https://providers.local/alipay/gateway.do?{order}")
                    }
                    NextAction::Qr { content } => {
                        assert!(content.0.starts_with("https://qr.alipay.com/"));
                        continue;
                    }
                    other => panic!("{other:?}"),
                };
                assert_eq!(brought(&drive, &url)["code"], "10000", "{url}");
                let forged = url.replace("12.34", "12.33");
                assert_eq!(brought(&drive, &forged)["code"], "40002", "{forged}");
            }
            assert_eq!(drive.count("charge"), 1, "{flow}");
        }
    }

    #[test]
    fn a_trade_that_is_over_is_not_begun_again() {
        let drive = begun(Flow::Qr).later(Period::of_seconds(1_800));
        assert_eq!(drive.start(), Err(CallError::TooOld));
        let drive = begun(Flow::Qr);
        assert!(drive.start().is_ok());
        drive.remember("charge", drive.attempt.id.as_str(), "status", json!("paid"));
        assert!(matches!(drive.start(), Err(CallError::Paid)));
        let drive = begun(Flow::MiniProgram);
        assert_eq!(drive.start(), Err(CallError::Unsupported));
    }

    #[test]
    fn huabei_lends_by_every_flow() {
        for flow in [Flow::Redirect, Flow::Mobile, Flow::App, Flow::Qr] {
            let mut drive = begun(flow);
            drive.attempt.method = Method::Huabei;
            drive.attempt.instalments = Some(Instalments { months: 6, interest_free: true });
            assert!(drive.start().is_ok(), "{flow}");
            drive.attempt.instalments = Some(Instalments { months: 5, interest_free: true });
            assert_eq!(drive.start(), Err(CallError::Unsupported), "{flow}");
        }
    }

    #[test]
    fn a_payment_is_heard_given_back_and_asked_about() {
        let drive = begun(Flow::Qr);
        assert_eq!(drive.query(None), Ok(Vec::new()));
        assert!(drive.start().is_ok());
        assert_eq!(drive.query(None), Ok(Vec::new()));
        let heard = drive.event("succeeded", 1234, None, 60);
        assert_eq!((heard.kind, heard.amount), (PaymentEventKind::Succeeded, drive.attempt.amount));
        assert_eq!(heard.at, drive.now.plus(Period::of_seconds(60)));
        drive.remember("charge", drive.attempt.id.as_str(), "status", json!("paid"));
        let asked = drive.query(None).unwrap();
        assert_eq!(asked, drive.query(None).unwrap());
        let [told] = &*asked else { panic!("{asked:?}") };
        assert_eq!((told.kind, &told.reference), (PaymentEventKind::Succeeded, &heard.reference));
        assert_eq!(drive.state(&[heard, told.clone()]), PaymentStatus::Succeeded);

        let (some, rest) = (drive.due("1", 500), drive.due("2", 734));
        // Asked about before it was made, it is made.
        let made = drive.refund_status(&some, None).unwrap();
        assert_eq!((made.status, drive.count("refund")), (RefundStatus::Succeeded, 1));
        for _ in 0..2 {
            for refund in [&some, &rest] {
                assert_eq!(drive.refund(refund, None).unwrap().status, RefundStatus::Succeeded);
                let status = drive.refund_status(refund, None).unwrap().status;
                assert_eq!(status, RefundStatus::Succeeded);
            }
        }
        assert_eq!(drive.count("refund"), 2);
        let more = drive.refund(&drive.due("3", 1), None).unwrap();
        assert_eq!(more.status, RefundStatus::Failed);
        assert_eq!(more.reason.as_deref(), Some("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"));
        let other = drive.refund(&drive.due("1", 501), None).unwrap();
        assert_eq!(other.reason.as_deref(), Some("ACQ.DISCORDANT_REPEAT_REQUEST"));
    }

    #[test]
    fn a_trade_that_closed_unpaid_is_asked_about() {
        let drive = begun(Flow::Qr);
        drive.remember("charge", drive.attempt.id.as_str(), "status", json!("closed"));
        let asked = drive.query(None).unwrap();
        assert_eq!(drive.state(&asked), PaymentStatus::Expired);
    }

    #[test]
    fn the_notices_of_an_attempt_come_to_one_state_in_every_order() {
        let drive = begun(Flow::Redirect);
        let paid = drive.event("succeeded", 1234, None, 60);
        let closed = drive.event("expired", 1234, None, 30);
        let late = drive.event("expired", 1234, None, 90);
        let some = drive.event("refunded", 500, Some("rfd_1"), 120);
        let all = drive.event("refunded", 1234, Some("rfd_2"), 180);
        let less = drive.event("succeeded", 1233, None, 60);
        let finished = {
            let fields = fields(&Payment {
                event: "evt-finished",
                kind: "TRADE_FINISHED",
                payment: drive.attempt.id.as_str(),
                amount: 1234,
                currency: "CNY",
                at: drive.now.plus(Period::of_days(90)),
                part: None,
            });
            let paid_at = china_time(drive.now.plus(Period::of_seconds(60)));
            let paid_at = ("gmt_payment", paid_at.as_str());
            let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
            let body = notice(PROVIDER_KEY, fields.chain([paid_at]));
            let callback = Callback { path: "/callbacks/alipay", headers: Vec::new(), body };
            let Report::Event(event) = drive.heard(&callback) else { panic!("no event") };
            event
        };
        for (events, status) in [
            (vec![&paid], PaymentStatus::Succeeded),
            (vec![&closed], PaymentStatus::Expired),
            (vec![&closed, &paid], PaymentStatus::Succeeded),
            (vec![&paid, &late], PaymentStatus::Succeeded),
            (vec![&paid, &finished, &late], PaymentStatus::Succeeded),
            (vec![&less, &late], PaymentStatus::Mismatched),
            (vec![&paid, &some], PaymentStatus::PartlyRefunded),
            (vec![&paid, &finished, &some, &late], PaymentStatus::PartlyRefunded),
            (vec![&paid, &some, &all, &closed], PaymentStatus::Refunded),
        ] {
            let events: Vec<_> = events.into_iter().cloned().collect();
            assert_eq!(drive.state(&events), status, "{events:?}");
        }
        let waits = drive.heard(&drive.callback("processing", 1234, None, 1));
        assert!(matches!(waits, Report::Nothing { .. }), "{waits:?}");
    }

    #[test]
    fn a_call_that_another_key_signed_is_refused() {
        let mut forger = begun(Flow::Qr);
        let other = serde_json::from_value(json!({ "api_keys": [OTHER_KEY] }));
        forger.credentials.api_keys = other.map(|it: Credentials| it.api_keys).unwrap();
        assert!(matches!(forger.start(), Err(CallError::Unwritable(_))));
        assert_eq!(forger.count("charge"), 0);
    }
}
