//! Antom's API as far as the suite calls it: it checks our signatures and
//! signs its answers; a payment is one under its name, and so is a refund.

use aftercart::model::{
    digest,
    id::{PaymentId, RefundId},
    payment::Provider,
    time::Timestamp,
};
use aftercart_payments::providers::rsa;
use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderValue, Request, Response};
use serde_json::{Value, json};

use super::{
    MERCHANT_KEY, MERCHANT_PUBLIC_KEY, Memory, PROVIDER_KEY, PROVIDER_PUBLIC_KEY, StandIn, header,
    json_answer, rsa_signature,
};
use crate::signing::{Callback, Payment};

/// The suite's client.
pub const CLIENT_ID: &str = "5YAAAAAAAAAAAAAAA";

/// Where its notices go.
const CALLBACK: &str = "/callbacks/alipay_plus";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct AlipayPlus;

impl StandIn for AlipayPlus {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [PROVIDER_PUBLIC_KEY],
            "api_keys": [MERCHANT_KEY],
            "account": { "client_id": CLIENT_ID, "api_url": api_url },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        if !is_signed(path, request) {
            return json_answer(200, &result("F", "SIGNATURE_INVALID"));
        }
        let terms: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let said = match path {
            "/ams/api/v1/payments/pay" => pay(memory, &terms),
            "/ams/api/v1/payments/inquiryPayment" => payment(memory, &terms),
            "/ams/api/v1/payments/refund" => refund(memory, &terms),
            "/ams/api/v1/payments/inquiryRefund" => refund_status(memory, &terms),
            _ => result("F", "INVALID_API"),
        };
        let (mut answer, time) = (json_answer(200, &said), header(request, "request-time"));
        let signature = signature(PROVIDER_KEY, path, time, &said.to_string());
        let headers =
            [("client-id", CLIENT_ID), ("response-time", time), ("signature", &signature)];
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.headers_mut().insert(name, value);
            }
        }
        answer
    }

    fn callback(&self, report: &Payment<'_>) -> Callback {
        signed(PROVIDER_KEY, report.at, notice(report).to_string())
    }
}

/// What a notice of Antom says. It has no identity of its own.
#[must_use]
pub fn notice(report: &Payment<'_>) -> Value {
    let amount = json!({ "currency": report.currency, "value": report.amount.to_string() });
    let part = report.part.unwrap_or(report.event);
    let mut said = match report.kind {
        "failed" => result("F", "PROCESS_FAIL"),
        "expired" => result("F", "ORDER_IS_CLOSED"),
        "cancelled" => result("F", "ORDER_IS_CANCELED"),
        _ => result("S", "SUCCESS"),
    };
    let about = match report.kind {
        "refunded" | "refund_failed" => {
            let refund = RefundId::parse(part).unwrap_or_else(|_| RefundId::derive(&[part]));
            let status = if report.kind == "refunded" { "SUCCESS" } else { "FAIL" };
            json!({
                "notifyType": "REFUND_RESULT", "refundStatus": status, "refundAmount": amount,
                "refundRequestId": format!("{}_{refund}", report.payment),
                "refundId": payment_id(refund.as_str()), "refundTime": report.at,
            })
        }
        "captured" => json!({
            "notifyType": "CAPTURE_RESULT", "captureRequestId": part, "captureAmount": amount,
            "captureTime": report.at, "paymentRequestId": report.payment,
        }),
        "disputed" | "dispute_won" | "dispute_lost" => {
            let (kind, judged) = match report.kind {
                "disputed" => ("DISPUTE_CREATED", None),
                "dispute_won" => ("DISPUTE_JUDGED", Some("ACCEPT_BY_CUSTOMER")),
                _ => ("DISPUTE_JUDGED", Some("ACCEPT_BY_MERCHANT")),
            };
            json!({
                "disputeNotificationType": kind, "disputeId": report.part.unwrap_or("dispute_1"),
                "disputeAmount": amount, "disputeTime": report.at,
                "disputeJudgedResult": judged.unwrap_or_default(),
                "disputeJudgedTime": judged.map(|_| report.at.to_string()).unwrap_or_default(),
                "paymentRequestId": report.payment, "paymentId": payment_id(report.payment),
            })
        }
        kind => json!({
            "notifyType": if kind == "processing" { "PAYMENT_PENDING" } else { "PAYMENT_RESULT" },
            "paymentRequestId": report.payment, "paymentId": payment_id(report.payment),
            "paymentAmount": amount, "paymentTime": report.at,
        }),
    };
    if let (Value::Object(said), Value::Object(about)) = (&mut said, about) {
        said.extend(about);
    }
    said
}

/// A notice, signed with a private key.
#[must_use]
pub fn signed(key: &str, at: Timestamp, body: String) -> Callback {
    let time = at.to_string();
    let signature = signature(key, CALLBACK, &time, &body);
    let headers =
        vec![("client-id", CLIENT_ID.to_owned()), ("request-time", time), ("signature", signature)];
    Callback { path: CALLBACK, headers, body }
}

/// The header of a signature.
fn signature(key: &str, path: &str, time: &str, body: &str) -> String {
    let text = format!("POST {path}\n{CLIENT_ID}.{time}.{body}");
    let signature = rsa_signature(key, text.as_bytes());
    let signature: String = form_urlencoded::byte_serialize(signature.as_bytes()).collect();
    format!("algorithm=RSA256,keyVersion=1,signature={signature}")
}

fn is_signed(path: &str, request: &Request<Bytes>) -> bool {
    let (client, time) = (header(request, "client-id"), header(request, "request-time"));
    let text = format!("POST {path}\n{client}.{time}.");
    let text = [text.as_bytes(), request.body()].concat();
    let offered = header(request, "signature").split_once("signature=").unwrap_or_default().1;
    let mut decoded = form_urlencoded::parse(offered.as_bytes());
    let offered = decoded.next().and_then(|(text, _)| BASE64.decode(text.as_bytes()).ok());
    let key = rsa::public_key(MERCHANT_PUBLIC_KEY);
    let (Some(offered), Some(key)) = (offered, key) else { return false };
    client == CLIENT_ID && rsa::verifies(&key, &text, &offered)
}

fn pay(memory: &mut Memory, terms: &Value) -> Value {
    let name = text(terms, "paymentRequestId");
    let amount = &terms["paymentAmount"];
    let charge = json!({
        "amount": minor(amount), "currency": amount["currency"], "status": "unpaid",
    });
    match memory.get(Provider::AlipayPlus, "charge", name) {
        Some(earlier)
            if earlier["amount"] != charge["amount"]
                || earlier["currency"] != charge["currency"] =>
        {
            return result("F", "REPEAT_REQ_INCONSISTENT");
        }
        Some(earlier) if earlier["status"] == "paid" => return result("S", "SUCCESS"),
        Some(_) => {}
        None => memory.note(Provider::AlipayPlus, "charge", name, charge),
    }
    let mut said = result("U", "PAYMENT_IN_PROCESS");
    let id = payment_id(name);
    said["paymentRequestId"] = name.into();
    said["paymentId"] = id.as_str().into();
    said["normalUrl"] = format!("https://ac.alipay.com/page/pay?id={id}").into();
    said["orderCodeForm"] = json!({ "codeDetails": [
        { "displayType": "BIGIMAGE", "codeValue": format!("https://ac.alipay.com/{id}.png") },
        { "displayType": "TEXT", "codeValue": format!("https://qr.alipay.com/{id}") },
    ] });
    said
}

fn payment(memory: &Memory, terms: &Value) -> Value {
    let name = text(terms, "paymentRequestId");
    let Some(charge) = memory.get(Provider::AlipayPlus, "charge", name) else {
        return result("F", "ORDER_NOT_EXIST");
    };
    let (status, code) = match charge["status"].as_str() {
        Some("paid") => ("SUCCESS", "SUCCESS"),
        Some("failed") => ("FAIL", "PROCESS_FAIL"),
        _ => ("PROCESSING", "PAYMENT_IN_PROCESS"),
    };
    let value = charge["amount"].as_i64().unwrap_or_default().to_string();
    let mut said = result("S", "SUCCESS");
    said["paymentStatus"] = status.into();
    said["paymentResultCode"] = code.into();
    said["paymentRequestId"] = name.into();
    said["paymentId"] = payment_id(name).into();
    said["paymentAmount"] = json!({ "currency": charge["currency"], "value": value });
    said
}

fn refund(memory: &mut Memory, terms: &Value) -> Value {
    let (name, amount) = (text(terms, "refundRequestId"), &terms["refundAmount"]);
    let (payment, key) = name.split_at(name.find("_rfd_").unwrap_or(name.len()));
    let key = key.trim_start_matches('_');
    let known =
        PaymentId::parse(payment).is_ok() && text(terms, "paymentId") == payment_id(payment);
    if !known || RefundId::parse(key).is_err() {
        return result("F", "ORDER_NOT_EXIST");
    }
    let refund = json!({
        "payment": payment, "amount": minor(amount), "currency": amount["currency"],
    });
    let paid = memory.get(Provider::AlipayPlus, "charge", payment);
    let paid = paid.and_then(|charge| charge["amount"].as_i64());
    let back = memory.given_back(Provider::AlipayPlus, payment);
    match memory.get(Provider::AlipayPlus, "refund", key) {
        Some(earlier) if *earlier != refund => return result("F", "REPEAT_REQ_INCONSISTENT"),
        Some(_) => {}
        None if paid.is_some_and(|paid| back + minor(amount) > paid) => {
            return result("F", "REFUND_AMOUNT_EXCEED");
        }
        None => memory.note(Provider::AlipayPlus, "refund", key, refund),
    }
    let mut said = result("S", "SUCCESS");
    said["refundRequestId"] = name.into();
    said["refundId"] = payment_id(key).into();
    said
}

fn refund_status(memory: &Memory, terms: &Value) -> Value {
    let name = text(terms, "refundRequestId");
    let key = name.split_at(name.find("rfd_").unwrap_or(name.len())).1;
    if memory.get(Provider::AlipayPlus, "refund", key).is_none() {
        return result("F", "REFUND_NOT_EXIST");
    }
    let mut said = result("S", "SUCCESS");
    said["refundStatus"] = "SUCCESS".into();
    said["refundId"] = payment_id(key).into();
    said
}

fn result(status: &str, code: &str) -> Value {
    json!({ "result": { "resultCode": code, "resultStatus": status, "resultMessage": "" } })
}

/// Antom's own identity of a payment or refund.
fn payment_id(name: &str) -> String {
    format!("2026{}", digest::short(&[name.as_bytes()]))
}

fn text<'a>(terms: &'a Value, name: &str) -> &'a str {
    terms[name].as_str().unwrap_or_default()
}

fn minor(amount: &Value) -> i64 {
    text(amount, "value").parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aftercart::{
        model::payment::{Flow, Method, PaymentEventKind, PaymentStatus, RefundStatus},
        run::secrets::Credentials,
    };
    use aftercart_payments::{providers::CallError, wire::NextAction};

    use super::*;
    use crate::providers::{OTHER_KEY, drive::Drive};

    fn begun(flow: Flow) -> Drive {
        Drive::new(Method::AlipayPlus, flow, 1234, "HKD")
    }

    #[test]
    fn each_flow_begins_one_payment_however_often() {
        for flow in [Flow::Redirect, Flow::Mobile, Flow::Qr] {
            let drive = begun(flow);
            let first = drive.start().unwrap();
            match &first {
                NextAction::Redirect { url } if flow != Flow::Qr => {
                    assert!(url.0.starts_with("https://ac.alipay.com/page/pay?id="));
                }
                NextAction::Qr { content } if flow == Flow::Qr => {
                    assert!(content.0.starts_with("https://qr.alipay.com/"));
                }
                other => panic!("{flow}: {other:?}"),
            }
            assert_eq!(drive.start(), Ok(first));
            assert_eq!(drive.count("charge"), 1, "{flow}");
        }
        assert_eq!(begun(Flow::App).start(), Err(CallError::Unsupported));
    }

    #[test]
    fn what_cannot_be_begun_says_why() {
        let mut drive = begun(Flow::Redirect);
        assert!(drive.start().is_ok());
        drive.remember("charge", drive.attempt.id.as_str(), "status", json!("paid"));
        assert!(matches!(drive.start(), Err(CallError::Paid)));
        drive.remember("charge", drive.attempt.id.as_str(), "amount", json!(1));
        assert!(matches!(drive.start(), Err(CallError::Refused(_))));
        drive.credentials.account.insert("payment_method_type".to_owned(), "CARD".to_owned());
        assert!(matches!(drive.start(), Err(CallError::Unwritable(_))));
        drive.credentials.account.insert("payment_method_type".to_owned(), "OCTOPUS".to_owned());
        assert!(matches!(drive.start(), Err(CallError::Amount(_))));
        let drive = Drive::new(Method::AlipayPlus, Flow::Qr, 1234, "KWD");
        assert!(matches!(drive.start(), Err(CallError::Amount(_))));
    }

    #[test]
    fn a_payment_is_heard_given_back_and_asked_about() {
        let drive = begun(Flow::Redirect);
        assert_eq!(drive.query(None), Ok(Vec::new()));
        assert!(drive.start().is_ok());
        assert_eq!(drive.query(None), Ok(Vec::new()));
        let heard = drive.event("succeeded", 1234, None, 60);
        assert_eq!((heard.kind, heard.amount), (PaymentEventKind::Succeeded, drive.attempt.amount));
        drive.remember("charge", drive.attempt.id.as_str(), "status", json!("paid"));
        let asked = drive.query(None).unwrap();
        let [told] = &*asked else { panic!("{asked:?}") };
        assert_eq!((&told.id, told.kind, told.amount), (&heard.id, heard.kind, heard.amount));
        assert_eq!(told.reference, heard.reference);

        let reference = heard.reference.as_deref();
        let (some, rest) = (drive.due("1", 500), drive.due("2", 734));
        // Asked about before it was made, it is made.
        let made = drive.refund_status(&some, reference).unwrap();
        assert_eq!((made.status, drive.count("refund")), (RefundStatus::Succeeded, 1));
        for known in [reference, None] {
            for refund in [&some, &rest] {
                let given = drive.refund(refund, known).unwrap();
                assert_eq!(given.status, RefundStatus::Succeeded);
                assert_eq!(drive.refund_status(refund, known), Ok(given));
            }
        }
        assert_eq!(drive.count("refund"), 2);
        let more = drive.refund(&drive.due("3", 1), reference).unwrap();
        assert_eq!(more.status, RefundStatus::Failed);
        assert_eq!(more.reason.as_deref(), Some("REFUND_AMOUNT_EXCEED"));
        let other = drive.refund(&drive.due("1", 501), reference).unwrap();
        assert_eq!(other.reason.as_deref(), Some("REPEAT_REQ_INCONSISTENT"));
    }

    #[test]
    fn a_payment_that_failed_is_asked_about() {
        let drive = begun(Flow::Redirect);
        drive.remember("charge", drive.attempt.id.as_str(), "status", json!("failed"));
        let asked = drive.query(None).unwrap();
        assert_eq!(drive.state(&asked), PaymentStatus::Failed);
        assert_eq!(asked[0].reason.as_deref(), Some("PROCESS_FAIL"));
    }

    #[test]
    fn a_refund_is_told_by_the_name_that_it_was_asked_for() {
        let drive = begun(Flow::Redirect);
        let refund = drive.due("1", 500);
        let event = drive.event("refunded", 500, Some(refund.id.as_str()), 60);
        assert_eq!((event.payment, event.part), (refund.payment, Some(refund.id.to_string())));
    }

    #[test]
    fn the_notices_of_an_attempt_come_to_one_state_in_every_order() {
        let drive = begun(Flow::Redirect);
        let event = |kind, minor, part, seconds| drive.event(kind, minor, part, seconds);
        let waits = event("processing", 1234, None, 10);
        let (paid, less) = (event("succeeded", 1234, None, 60), event("succeeded", 1233, None, 60));
        let (failed, late) = (event("failed", 1234, None, 30), event("expired", 1234, None, 90));
        let cancelled = event("cancelled", 1234, None, 40);
        let some = event("refunded", 500, Some("1"), 120);
        let rest = event("refunded", 734, Some("2"), 130);
        let (taken, back) =
            (event("captured", 1234, Some("c"), 70), event("refund_failed", 500, Some("1"), 140));
        let disputed = event("disputed", 1234, None, 200);
        let (won, lost) =
            (event("dispute_won", 1234, None, 300), event("dispute_lost", 1234, None, 300));
        for (events, status) in [
            (vec![&waits], PaymentStatus::Processing),
            (vec![&waits, &paid], PaymentStatus::Succeeded),
            (vec![&failed, &waits], PaymentStatus::Failed),
            (vec![&waits, &late], PaymentStatus::Expired),
            (vec![&waits, &cancelled], PaymentStatus::Cancelled),
            (vec![&waits, &failed, &paid], PaymentStatus::Succeeded),
            (vec![&waits, &paid, &late], PaymentStatus::Succeeded),
            (vec![&paid, &taken], PaymentStatus::Succeeded),
            (vec![&less, &waits], PaymentStatus::Mismatched),
            (vec![&paid, &some], PaymentStatus::PartlyRefunded),
            (vec![&paid, &some, &back], PaymentStatus::Succeeded),
            (vec![&waits, &paid, &some, &rest], PaymentStatus::Refunded),
            (vec![&paid, &disputed], PaymentStatus::Disputed),
            (vec![&paid, &disputed, &won], PaymentStatus::ChargebackWon),
            (vec![&paid, &disputed, &lost], PaymentStatus::ChargebackLost),
        ] {
            let events: Vec<_> = events.into_iter().cloned().collect();
            assert_eq!(drive.state(&events), status, "{events:?}");
        }
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
