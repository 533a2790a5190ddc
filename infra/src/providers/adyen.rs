//! Adyen's Checkout API as far as the suite calls it, with its rule on keys:
//! the same key gives the same answer.

use aftercart::model::{
    digest,
    money::{Currency, Money},
    payment::Provider,
    signature::{hex, hmac_sha256},
};
use aftercart_payments::providers::adyen::amount;
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, StandIn, header, json_answer};
use crate::signing::{Callback, Payment};

/// What its callbacks are signed with, in hexadecimal.
pub const HMAC_KEY: &str = "1F2E3D4C5B6A798807162534435261701F2E3D4C5B6A79880716253443526170";

/// The merchant account.
pub const MERCHANT_ACCOUNT: &str = "AftercartECOM";

/// What its API is called with.
const API_KEY: &str = "AQE-adyen-test-key";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Adyen;

impl StandIn for Adyen {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [HMAC_KEY],
            "api_keys": [API_KEY],
            "account": { "merchant_account": MERCHANT_ACCOUNT, "api_url": api_url },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let place: Vec<&str> = path.trim_matches('/').split('/').collect();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let key = header(request, "idempotency-key");
        let (status, answer) = match (request.method().as_str(), place.as_slice()) {
            _ if header(request, "x-api-key") != API_KEY => refusal(401, "000"),
            _ if body["merchantAccount"] != MERCHANT_ACCOUNT => refusal(403, "901"),
            _ if key.is_empty() || key.len() > 64 => refusal(422, "702"),
            ("POST", ["v71", "sessions"]) => session(memory, key, &body),
            ("POST", ["v71", "payments", psp, what @ ("refunds" | "captures")]) => {
                modification(memory, key, psp, what, &body)
            }
            _ => refusal(404, "000"),
        };
        json_answer(status, &answer)
    }

    fn callback(&self, report: &Payment<'_>) -> Callback {
        signed(HMAC_KEY, &[report])
    }
}

/// The payment's reference.
#[must_use]
pub fn psp_reference(of: &[&str]) -> String {
    let parts: Vec<&[u8]> = of.iter().map(|part| part.as_bytes()).collect();
    digest::short(&parts).chars().take(16).collect::<String>().to_ascii_uppercase()
}

/// The reports, each signed with a key in hexadecimal, in one call.
///
/// Where captures go by themselves an `AUTHORISATION` is the money, so
/// `authorised` and `succeeded` are told by the same; the account of the
/// secret says which it is.
#[must_use]
pub fn signed(key: &str, reports: &[&Payment<'_>]) -> Callback {
    let items: Vec<Value> = reports
        .iter()
        .map(|report| {
            let mut item = item(report);
            let mac = hmac_sha256(&hex(key).unwrap_or_default(), &[payload(&item).as_bytes()]);
            item["additionalData"]["hmacSignature"] = BASE64.encode(&mac).into();
            json!({ "NotificationRequestItem": item })
        })
        .collect();
    let body = json!({ "live": "false", "notificationItems": items }).to_string();
    Callback { path: "/callbacks/adyen", headers: Vec::new(), body }
}

fn payload(item: &Value) -> String {
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    [
        text("pspReference"),
        text("originalReference"),
        text("merchantAccountCode"),
        text("merchantReference"),
        item["amount"]["value"].to_string(),
        item["amount"]["currency"].as_str().unwrap_or_default().to_owned(),
        text("eventCode"),
        text("success"),
    ]
    .join(":")
}

fn item(report: &Payment<'_>) -> Value {
    let (code, success) = match report.kind {
        "processing" => ("PENDING", true),
        "failed" => ("AUTHORISATION", false),
        "expired" => ("OFFER_CLOSED", true),
        "cancelled" => ("CANCELLATION", true),
        "captured" => ("CAPTURE", true),
        "refunded" => ("REFUND", true),
        "refund_failed" => ("REFUND_FAILED", true),
        "disputed" => ("CHARGEBACK", true),
        "dispute_won" => ("CHARGEBACK_REVERSED", true),
        "dispute_lost" => ("SECOND_CHARGEBACK", true),
        _ => ("AUTHORISATION", true),
    };
    let (itself, original) = references(report);
    let refund = report.part.filter(|part| part.starts_with("rfd_"));
    let mut item = json!({
        "additionalData": {},
        "amount": { "currency": report.currency, "value": units(report.amount, report.currency) },
        "eventCode": code,
        "eventDate": report.at,
        "merchantAccountCode": MERCHANT_ACCOUNT,
        "merchantReference": refund.map_or_else(
            || report.payment.to_owned(),
            |refund| format!("{}.{refund}", report.payment),
        ),
        "paymentMethod": "visa",
        "pspReference": itself,
        "reason": if report.kind == "failed" { "Refused" } else { "" },
        "success": if success { "true" } else { "false" },
    });
    if let Some(original) = original {
        item["originalReference"] = original.into();
    }
    item
}

/// The reference of what is reported, and the payment's if that is another.
fn references(report: &Payment<'_>) -> (String, Option<String>) {
    let payment = psp_reference(&[report.payment]);
    match report.kind {
        "succeeded" | "authorised" => (payment, None),
        "processing" | "failed" | "expired" => (psp_reference(&[report.event]), None),
        "refunded" | "refund_failed" => {
            (psp_reference(&[report.part.unwrap_or(report.event)]), Some(payment))
        }
        "disputed" | "dispute_won" | "dispute_lost" => {
            let dispute = report.part.unwrap_or("dispute");
            (psp_reference(&[report.payment, dispute]), Some(payment))
        }
        _ => (psp_reference(&[report.part.unwrap_or(report.event)]), Some(payment)),
    }
}

/// Minor units as Adyen writes them; what Adyen cannot write, as it is.
fn units(minor: i64, currency: &str) -> i64 {
    let money = Currency::parse(currency).ok().and_then(|it| Money::new(minor, it).ok());
    money.and_then(|it| amount::to_adyen(it).ok()).unwrap_or(minor)
}

fn session(memory: &mut Memory, key: &str, body: &Value) -> (u16, Value) {
    let complete = body["reference"].is_string()
        && body["returnUrl"].is_string()
        && body["amount"]["value"].is_i64();
    if !complete {
        return refusal(422, "130");
    }
    if memory.get(Provider::Adyen, "charge", key).is_none() {
        let charge = json!({
            "amount": body["amount"]["value"],
            "currency": body["amount"]["currency"],
            "status": "unpaid",
            "request": body,
        });
        memory.note(Provider::Adyen, "charge", key, charge);
    }
    let id = format!("CS{}", psp_reference(&["session", key]));
    let answer = json!({
        "amount": body["amount"],
        "id": id,
        "merchantAccount": MERCHANT_ACCOUNT,
        "reference": body["reference"],
        "returnUrl": body["returnUrl"],
        "sessionData": format!("Ab02b4c0!{id}"),
    });
    (201, answer)
}

fn modification(
    memory: &mut Memory,
    key: &str,
    psp: &str,
    what: &str,
    body: &Value,
) -> (u16, Value) {
    if body["amount"]["value"].as_i64().is_none_or(|value| value <= 0) {
        return refusal(422, "137");
    }
    if what == "refunds" && memory.get(Provider::Adyen, "refund", key).is_none() {
        let refund = json!({
            "amount": body["amount"]["value"],
            "currency": body["amount"]["currency"],
            "status": "received",
            "payment": psp,
            "request": body,
        });
        memory.note(Provider::Adyen, "refund", key, refund);
    }
    let answer = json!({
        "merchantAccount": MERCHANT_ACCOUNT,
        "paymentPspReference": psp,
        "pspReference": psp_reference(&[key]),
        "reference": body["reference"],
        "status": "received",
        "amount": body["amount"],
    });
    (201, answer)
}

fn refusal(status: u16, code: &str) -> (u16, Value) {
    let answer = json!({
        "status": status,
        "errorCode": code,
        "message": "refused",
        "errorType": if status == 401 { "security" } else { "validation" },
    });
    (status, answer)
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        payment::{Flow, Method, PaymentEvent, PaymentEventKind, PaymentStatus, RefundStatus},
        time::Period,
    };
    use aftercart_payments::{
        providers::{Call, CallError, Report},
        wire::NextAction,
    };

    use super::{super::drive::Drive, *};

    fn drive(method: Method, minor: i64, currency: &str) -> Drive {
        let mut drive = Drive::new(Method::Paypal, Flow::Embedded, minor, currency);
        (drive.attempt.provider, drive.attempt.method) = (Provider::Adyen, method);
        let credentials = Adyen.credentials("https://providers.local/adyen");
        drive.credentials = serde_json::from_value(credentials).unwrap();
        drive
    }

    /// The same, with a merchant account that captures by hand.
    fn by_hand(mut drive: Drive) -> Drive {
        drive.credentials.account.insert("capture".to_owned(), "manual".to_owned());
        drive
    }

    fn reference(drive: &Drive) -> String {
        psp_reference(&[drive.attempt.id.as_str()])
    }

    #[test]
    fn the_same_start_is_one_charge() {
        for (method, minor, currency) in [
            (Method::Card, 2500, "GBP"),
            (Method::Card, 5, "ISK"),
            (Method::Card, 1_500_000, "IDR"),
            (Method::Klarna, 2500, "SEK"),
            (Method::Unionpay, 2500, "CNY"),
            (Method::Ideal, 2500, "EUR"),
        ] {
            let drive = drive(method, minor, currency);
            let first = drive.start().unwrap();
            assert!(matches!(first, NextAction::Session { .. }));
            assert_eq!(drive.start(), Ok(first));
            assert_eq!(drive.count("charge"), 1);
            let paid = drive.event("succeeded", minor, None, 1);
            assert_eq!(
                (paid.kind, paid.amount),
                (PaymentEventKind::Succeeded, drive.attempt.amount)
            );
            assert_eq!(paid.reference, Some(reference(&drive)));
            assert_eq!(drive.query(None), Err(CallError::Unsupported));
        }
        let mut drive = drive(Method::Card, 2500, "GBP");
        drive.credentials.account.insert("merchant_account".to_owned(), "OtherECOM".to_owned());
        assert!(matches!(drive.start(), Err(CallError::Unwritable(_))));
        drive.credentials.api_keys.clear();
        assert!(matches!(drive.start(), Err(CallError::Unwritable(_))));
        assert_eq!(drive.later(Period::of_seconds(3_600)).start(), Err(CallError::TooOld));
    }

    #[test]
    fn all_orders_of_the_callbacks_lead_to_one_state() {
        let (a, b) =
            (Some("rfd_aaaaaaaaaaaaaaaaaaaaaaaaaa"), Some("rfd_bbbbbbbbbbbbbbbbbbbbbbbbbb"));
        let (none, capture) = (None, Some("capture"));
        for (manual, reports, state) in [
            (
                false,
                &[("processing", 2500, none), ("succeeded", 2500, none)][..],
                PaymentStatus::Succeeded,
            ),
            (false, &[("failed", 2500, none), ("expired", 2500, none)], PaymentStatus::Expired),
            (false, &[("failed", 2500, none), ("succeeded", 2500, none)], PaymentStatus::Succeeded),
            (
                false,
                &[("succeeded", 2500, none), ("failed", 2500, none), ("expired", 2500, none)],
                PaymentStatus::Succeeded,
            ),
            (false, &[("succeeded", 0, none)], PaymentStatus::Mismatched),
            (true, &[("authorised", 2500, none)], PaymentStatus::Authorised),
            (
                true,
                &[("authorised", 2500, none), ("captured", 2500, capture)],
                PaymentStatus::Succeeded,
            ),
            (
                true,
                &[("authorised", 2500, none), ("cancelled", 2500, none)],
                PaymentStatus::Cancelled,
            ),
            (
                false,
                &[("succeeded", 2500, none), ("refunded", 1000, a), ("refunded", 1500, b)],
                PaymentStatus::Refunded,
            ),
            (
                false,
                &[("succeeded", 2500, none), ("refunded", 1000, none), ("refunded", 500, b)],
                PaymentStatus::PartlyRefunded,
            ),
            (
                false,
                &[("succeeded", 2500, none), ("refunded", 2500, a), ("refund_failed", 2500, a)],
                PaymentStatus::Succeeded,
            ),
            (
                false,
                &[("succeeded", 2500, none), ("disputed", 2500, none)],
                PaymentStatus::Disputed,
            ),
            (
                false,
                &[("succeeded", 2500, none), ("disputed", 2500, none), ("dispute_won", 2500, none)],
                PaymentStatus::ChargebackWon,
            ),
            (
                false,
                &[
                    ("succeeded", 2500, none),
                    ("disputed", 2500, none),
                    ("dispute_won", 2500, none),
                    ("dispute_lost", 2500, none),
                ],
                PaymentStatus::ChargebackLost,
            ),
        ] {
            let drive = drive(Method::Card, 2500, "GBP");
            let drive = if manual { by_hand(drive) } else { drive };
            let event = |(at, (kind, minor, part)): (u32, &(&str, i64, Option<&str>))| {
                drive.event(kind, *minor, *part, at)
            };
            let events: Vec<PaymentEvent> = (0..).zip(reports).map(event).collect();
            assert_eq!(drive.state(&events), state, "{reports:?}");
        }
    }

    #[test]
    fn a_refund_is_made_once_and_told_by_its_callback() {
        let drive = drive(Method::Card, 5, "ISK");
        drive.start().unwrap();
        let reference = reference(&drive);
        let refund = drive.due("1", 2);
        let answer = drive.refund(&refund, Some(&reference)).unwrap();
        assert_eq!(answer.status, RefundStatus::Sent);
        assert_eq!(drive.refund(&refund, Some(&reference)), Ok(answer));
        assert_eq!(drive.count("refund"), 1);
        let told = drive.event("refunded", 2, Some(refund.id.as_str()), 1);
        assert_eq!((told.amount, told.part.as_deref()), (refund.amount, Some(refund.id.as_str())));
        assert_eq!(told.reference, Some(reference.clone()));
        assert_eq!(drive.refund_status(&refund, Some(&reference)), Err(CallError::Unsupported));
        let nothing = drive.refund(&drive.due("2", 0), Some(&reference)).unwrap();
        assert_eq!(nothing.status, RefundStatus::Failed);
    }

    #[test]
    fn money_that_was_set_aside_is_taken_by_a_capture() {
        let drive = by_hand(drive(Method::Card, 2500, "GBP"));
        drive.start().unwrap();
        let authorised = drive.event("authorised", 2500, None, 1);
        assert_eq!(authorised.kind, PaymentEventKind::Authorised);
        assert_eq!(drive.capture(authorised.reference.as_deref()), Ok(Vec::new()));
        assert_eq!(drive.capture(authorised.reference.as_deref()), Ok(Vec::new()));
        let captured = drive.event("captured", 2500, Some("capture"), 2);
        assert_eq!(
            (captured.kind, captured.reference),
            (PaymentEventKind::Captured, authorised.reference)
        );
    }

    #[test]
    fn several_items_of_one_call_are_all_taken() {
        let drive = drive(Method::Card, 2500, "GBP");
        let report = |event, kind| Payment {
            event,
            kind,
            payment: drive.attempt.id.as_str(),
            amount: 2500,
            currency: "GBP",
            at: drive.now,
            part: None,
        };
        let reports = [report("1", "failed"), report("2", "succeeded")];
        let callback = signed(HMAC_KEY, &[&reports[0], &reports[1]]);
        let header = |_: &str| None;
        let call = Call {
            credentials: &drive.credentials,
            method: "POST",
            path: callback.path,
            header: &header,
            body: callback.body.as_bytes(),
            now: drive.now,
        };
        assert_eq!(drive.code().verify(&call), Ok(()));
        let read = drive.code().read(&call).unwrap();
        assert!(matches!(&*read, [Report::Event(_), Report::Event(_)]));
    }
}
