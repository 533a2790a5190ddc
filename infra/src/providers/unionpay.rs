//! UnionPay's gateway as far as the suite calls it: forms that have to be
//! signed, answers that are. A number and a time are one transaction.

use std::collections::BTreeMap;

use aftercart::model::{
    digest,
    payment::Provider,
    signature::to_hex,
    time::{Period, Timestamp},
};
use aftercart_payments::providers::rsa;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{
    MERCHANT_KEY, MERCHANT_PUBLIC_KEY, Memory, PROVIDER_KEY, StandIn, json_answer, rsa_signature,
};
use crate::signing::{Callback, Payment};

/// The root of what the stand-in's certificate follows from.
pub const ROOT: &str = include_str!("../../keys/unionpay-root.pem");
/// What the root certified.
pub const MIDDLE: &str = include_str!("../../keys/unionpay-middle.pem");
/// The stand-in's certificate.
pub const CERTIFICATE: &str = include_str!("../../keys/unionpay.pem");
/// The merchant's number.
const MER_ID: &str = "777290058110048";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Unionpay;

/// The fields of a message.
type Fields = BTreeMap<String, String>;

impl StandIn for Unionpay {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [ROOT, MIDDLE],
            "api_keys": [MERCHANT_KEY],
            "account": { "api_url": api_url, "mer_id": MER_ID, "cert_id": "68759663125" },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let asked: Fields = form_urlencoded::parse(request.body()).into_owned().collect();
        let signature = BASE64.decode(of(&asked, "signature").as_bytes()).unwrap_or_default();
        let key = rsa::public_key(MERCHANT_PUBLIC_KEY).unwrap_or_default();
        let said = match path {
            _ if !rsa::verifies(&key, message(&asked).as_bytes(), &signature) => code("11"),
            _ if of(&asked, "merId") != MER_ID => code("31"),
            "/gateway/api/appTransReq.do" => begin(memory, &asked),
            "/gateway/api/backTransReq.do" => refund(memory, &asked),
            "/gateway/api/queryTrans.do" => query(memory, &asked),
            _ => return json_answer(404, &json!({})),
        };
        let echoed = ["txnType", "txnSubType", "orderId", "txnTime", "txnAmt", "reqReserved"];
        let echoed = asked.into_iter().filter(|(name, _)| echoed.contains(&name.as_str()));
        let said = signed(echoed.chain(said).collect());
        let pairs: Vec<String> = said.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Response::new(pairs.join("&").into())
    }

    /// Payments and refunds, ended well or not; others come as a preparation
    /// of a payment, which the suite never asks for.
    fn callback(&self, report: &Payment<'_>) -> Callback {
        let (kind, code) = match report.kind {
            "succeeded" => ("01", "00"),
            "failed" => ("01", "30"),
            "refunded" => ("04", "00"),
            "refund_failed" => ("04", "30"),
            _ => ("02", "00"),
        };
        let named = report.part.filter(|_| kind == "04").unwrap_or(report.payment);
        let number = named.split_once('_').map_or(named, |(_, rest)| rest);
        let (sent, traced) = (digits(report.at), digits(report.at));
        let mut fields = fields([
            ("txnType", kind),
            ("txnSubType", if kind == "04" { "00" } else { "01" }),
            ("orderId", number),
            ("txnTime", &sent),
            ("traceTime", traced.get(4..).unwrap_or_default()),
            ("txnAmt", &report.amount.to_string()),
            ("settleAmt", &report.amount.to_string()),
            ("currencyCode", "156"),
            ("queryId", &query_id(&format!("{named}{}", report.event))),
            ("respCode", code),
            ("respMsg", "成功[0000000]"),
        ]);
        if kind == "04" {
            fields.insert("reqReserved".to_owned(), report.payment.to_owned());
            fields.insert("origQryId".to_owned(), query_id(report.payment));
        } else if code == "00" {
            // A payment succeeds once, whatever the report is called.
            fields.insert("queryId".to_owned(), query_id(report.payment));
        }
        let body =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(signed(fields)).finish();
        Callback { path: "/callbacks/unionpay", headers: Vec::new(), body }
    }
}

fn of<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn code(code: &str) -> Fields {
    fields([("respCode", code), ("respMsg", "stand-in")])
}

/// What is signed of fields.
fn message(fields: &Fields) -> String {
    let kept = fields.iter().filter(|(name, value)| *name != "signature" && !value.is_empty());
    let joined: Vec<String> = kept.map(|(name, value)| format!("{name}={value}")).collect();
    to_hex(digest(&SHA256, joined.join("&").as_bytes()).as_ref())
}

/// The fields as UnionPay sends them.
fn signed(mut all: Fields) -> Fields {
    all.extend(fields([
        ("version", "5.1.0"),
        ("encoding", "UTF-8"),
        ("signMethod", "01"),
        ("bizType", "000201"),
        ("accessType", "0"),
        ("merId", MER_ID),
        ("signPubKeyCert", CERTIFICATE),
    ]));
    let signature = rsa_signature(PROVIDER_KEY, message(&all).as_bytes());
    all.insert("signature".to_owned(), signature);
    all
}

fn begin(memory: &mut Memory, asked: &Fields) -> Fields {
    let (number, amount) = (of(asked, "orderId"), of(asked, "txnAmt"));
    let plain = number.bytes().all(|b| b.is_ascii_alphanumeric());
    let Ok(amount) = amount.parse::<i64>() else { return code("10") };
    if !plain || !(8..=40).contains(&number.len()) {
        return code("10");
    }
    let id = format!("pay_{number}");
    let known = memory.get(Provider::Unionpay, "charge", &id);
    if known.is_some_and(|charge| charge["status"] == "paid" || charge["amount"] != amount) {
        return code("12");
    }
    let charge = json!({ "amount": amount, "currency": "CNY", "status": "unpaid" });
    memory.note(Provider::Unionpay, "charge", &id, charge);
    let mut said = code("00");
    said.insert("tn".to_owned(), query_id(number));
    said
}

/// A payment on UnionPay's page is begun by no call, so money of payments that
/// were never heard of here is given back too.
fn refund(memory: &mut Memory, asked: &Fields) -> Fields {
    let (id, paid) = (format!("rfd_{}", of(asked, "orderId")), of(asked, "reqReserved"));
    let Ok(amount) = of(asked, "txnAmt").parse::<i64>() else { return code("10") };
    if of(asked, "origQryId") != query_id(paid) {
        return code("35");
    }
    if memory.get(Provider::Unionpay, "refund", &id).is_some() {
        return code("12");
    }
    let charge = memory.get(Provider::Unionpay, "charge", paid);
    let most = charge.and_then(|charge| charge["amount"].as_i64()).unwrap_or(i64::MAX);
    if memory.given_back(Provider::Unionpay, paid).saturating_add(amount) > most {
        return code("36");
    }
    let refund = json!({
        "payment": paid, "amount": amount, "currency": "CNY", "status": "pending",
    });
    memory.note(Provider::Unionpay, "refund", &id, refund);
    let mut said = code("00");
    said.insert("queryId".to_owned(), query_id(&id));
    said
}

fn query(memory: &Memory, asked: &Fields) -> Fields {
    let number = of(asked, "orderId");
    let found = [("charge", "pay"), ("refund", "rfd")].into_iter().find_map(|(kind, prefix)| {
        let id = format!("{prefix}_{number}");
        memory.get(Provider::Unionpay, kind, &id).map(|found| (id, found))
    });
    let Some((id, found)) = found.filter(|(_, found)| found["status"] != "unpaid") else {
        return code("34");
    };
    let ended = match found["status"].as_str() {
        Some("paid" | "succeeded") => "00",
        Some("failed") => "30",
        _ => "05",
    };
    let traced = of(asked, "txnTime").get(4..).unwrap_or_default();
    let mut said = code("00");
    said.extend(fields([
        ("origRespCode", ended),
        ("queryId", &query_id(&id)),
        ("traceTime", traced),
        ("txnAmt", &found["amount"].to_string()),
        ("currencyCode", "156"),
    ]));
    said
}

/// UnionPay's number of a transaction: 21 digits.
fn query_id(of: &str) -> String {
    let hash = digest::full(&[of.as_bytes()]);
    let number = u128::from_str_radix(hash.get(..16).unwrap_or_default(), 16);
    format!("{:021}", number.unwrap_or_default())
}

/// A moment as `YYYYMMDDhhmmss` in China.
fn digits(at: Timestamp) -> String {
    let there = at.plus(Period::of_seconds(8 * 3_600)).to_string();
    there.chars().filter(char::is_ascii_digit).take(14).collect()
}

#[cfg(test)]
mod tests {
    use aftercart::model::payment::{Flow, Method, PaymentEventKind, PaymentStatus, RefundStatus};
    use aftercart_payments::{
        providers::{CallError, Report},
        wire::NextAction,
    };

    use super::*;
    use crate::providers::drive::Drive;

    fn drive(flow: Flow) -> Drive {
        Drive::new(Method::Unionpay, flow, 1250, "CNY")
    }

    #[test]
    fn every_flow_begins() {
        for flow in [Flow::Redirect, Flow::Mobile] {
            let drive = drive(flow);
            let Ok(NextAction::Form { url, fields }) = drive.start() else { panic!("{flow}") };
            assert_eq!(url, "https://providers.local/unionpay/gateway/api/frontTransReq.do");
            let signature = rsa_signature(MERCHANT_KEY, message(&fields).as_bytes());
            assert_eq!(fields["signature"], signature);
            assert_eq!(drive.start(), Ok(NextAction::Form { url, fields }));
        }
        let drive = drive(Flow::App);
        let begun = drive.start().unwrap();
        assert!(matches!(&begun, NextAction::App { parameters } if parameters.len() == 1));
        assert_eq!((drive.start(), drive.count("charge")), (Ok(begun), 1));
        drive.remember("charge", drive.attempt.id.as_str(), "status", "paid".into());
        assert_eq!(drive.start(), Err(CallError::TooOld));
    }

    #[test]
    fn from_a_start_to_a_refund() {
        let drive = drive(Flow::Redirect);
        drive.start().unwrap();
        assert_eq!(drive.query(None), Ok(Vec::new()));
        let refund = drive.due("a", 500);
        assert!(matches!(drive.refund(&refund, None), Err(CallError::Refused(_))));

        drive.remember("charge", drive.attempt.id.as_str(), "status", "paid".into());
        let told = drive.event("succeeded", 1250, None, 0);
        let [asked] = &*drive.query(None).unwrap() else { panic!("no event") };
        assert_eq!((&asked.id, asked.kind, asked.amount), (&told.id, told.kind, told.amount));
        assert_eq!(asked.reference, told.reference);

        for reference in [None, told.reference.as_deref()] {
            let given = drive.refund(&refund, reference).unwrap();
            assert_eq!(given.status, RefundStatus::Sent);
            let sent = drive.refund_status(&refund, reference).unwrap();
            assert_eq!(sent.status, RefundStatus::Sent);
        }
        assert_eq!(drive.count("refund"), 1);
        drive.remember("refund", refund.id.as_str(), "status", "succeeded".into());
        let ended = drive.refund_status(&refund, None).unwrap();
        assert_eq!(ended.status, RefundStatus::Succeeded);
        let refused = drive.refund(&drive.due("b", 751), None).unwrap();
        assert_eq!(refused.reason.as_deref(), Some("36"));
    }

    #[test]
    fn callbacks_are_read() {
        let drive = drive(Flow::Redirect);
        for (kind, expected) in [
            ("succeeded", PaymentEventKind::Succeeded),
            ("failed", PaymentEventKind::Failed),
            ("refunded", PaymentEventKind::Refunded),
            ("refund_failed", PaymentEventKind::RefundFailed),
        ] {
            let part = drive.due("a", 1).id;
            let event = drive.event(kind, 1250, Some(part.as_str()), 7);
            assert_eq!((&event.payment, event.kind), (&drive.attempt.id, expected));
            assert_eq!(
                (event.amount, event.at),
                (drive.attempt.amount, drive.now.plus(Period::of_seconds(7)))
            );
            let is_refund = kind.starts_with("refund");
            assert_eq!(event.part.is_some_and(|it| it == part.as_str()), is_refund, "{kind}");
        }
        let unknown = drive.heard(&drive.callback("disputed", 1250, None, 0));
        assert!(matches!(unknown, Report::Unknown { .. }));
    }

    #[test]
    fn all_orders_of_the_events_lead_to_one_state() {
        let drive = drive(Flow::Redirect);
        let (a, b) = (drive.due("a", 1).id.to_string(), drive.due("b", 1).id.to_string());
        let failed = drive.event("failed", 1250, None, 1);
        let paid = drive.event("succeeded", 1250, None, 5);
        let late = drive.event("failed", 1250, None, 9);
        let back = |part: &str, minor, seconds| drive.event("refunded", minor, Some(part), seconds);
        let broken = drive.event("refund_failed", 500, Some(&a), 12);
        for (events, state) in [
            (vec![failed.clone()], PaymentStatus::Failed),
            (vec![paid.clone()], PaymentStatus::Succeeded),
            (vec![failed.clone(), paid.clone()], PaymentStatus::Succeeded),
            (vec![failed, paid.clone(), late.clone()], PaymentStatus::Succeeded),
            (vec![paid.clone(), back(&a, 500, 10)], PaymentStatus::PartlyRefunded),
            (vec![paid.clone(), back(&a, 500, 20), broken], PaymentStatus::PartlyRefunded),
            (vec![paid, back(&a, 500, 10), back(&b, 750, 11), late], PaymentStatus::Refunded),
        ] {
            assert_eq!(drive.state(&events), state);
        }
    }
}
