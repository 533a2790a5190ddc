//! PayPal's API as far as the suite calls it: a token, then orders, captures
//! and refunds, each once under its key.

use aftercart::model::{
    digest,
    money::{Currency, Money},
    payment::Provider,
};
use aftercart_payments::providers::paypal::{
    ALGORITHM, SIGNATURE, TRANSMISSION_ID, TRANSMISSION_TIME,
};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, PROVIDER_KEY, StandIn, header, json_answer, rsa_signature};
use crate::signing::{Callback, Payment};

/// The certificate that the stand-in signs with.
pub const CERTIFICATE: &str = include_str!("../../keys/provider.cert.pem");
/// The identity of the webhook.
const WEBHOOK: &str = "1JE4291016473214C";
/// The name and the secret of the app.
const APP: [&str; 2] = ["client_test_1", "secret_test_1"];
/// The only token.
const TOKEN: &str = "A21AAtest";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Paypal;

impl StandIn for Paypal {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [CERTIFICATE],
            "api_keys": [APP[1]],
            "account": { "api_url": api_url, "client_id": APP[0], "webhook_id": WEBHOOK },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let authorization = header(request, "authorization");
        if path == "/v1/oauth2/token" {
            let pair = BASE64.encode(APP.join(":").as_bytes());
            return if authorization == format!("Basic {pair}") {
                json_answer(200, &json!({ "access_token": TOKEN, "expires_in": 32_400 }))
            } else {
                json_answer(401, &json!({ "error": "invalid_client" }))
            };
        }
        let key = header(request, "paypal-request-id");
        let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let route: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (status, body) = match (request.method().as_str(), route.as_slice()) {
            _ if authorization != format!("Bearer {TOKEN}") => (401, refusal("INVALID_TOKEN")),
            ("POST", _) if key.is_empty() => (400, refusal("MISSING_REQUEST_ID")),
            ("POST", ["v2", "checkout", "orders"]) => make(memory, key, &asked),
            ("GET", ["v2", "checkout", "orders", id]) => order(memory, id),
            ("POST", ["v2", "checkout", "orders", id, "capture"]) => capture(memory, id),
            ("POST", ["v2", "payments", "captures", id, "refund"]) => {
                refund(memory, key, id, &asked)
            }
            ("GET", ["v2", "payments", "refunds", id]) => refunded(memory, id),
            _ => (404, refusal("INVALID_RESOURCE_ID")),
        };
        json_answer(status, &body)
    }

    /// A refund of a part that is no refund of the suite comes as one that was
    /// made on PayPal's pages.
    fn callback(&self, report: &Payment<'_>) -> Callback {
        let (kind, resource) = match report.kind {
            "authorised" => ("CHECKOUT.ORDER.APPROVED", approved(report)),
            "cancelled" => ("CHECKOUT.PAYMENT-APPROVAL.REVERSED", approved(report)),
            "processing" => ("PAYMENT.CAPTURE.PENDING", taken(report)),
            "succeeded" | "captured" => ("PAYMENT.CAPTURE.COMPLETED", taken(report)),
            "failed" => ("PAYMENT.CAPTURE.DENIED", taken(report)),
            "refunded" => ("PAYMENT.CAPTURE.REFUNDED", given_back(report)),
            "disputed" => ("CUSTOMER.DISPUTE.CREATED", dispute(report, "OPEN", "")),
            "dispute_won" => {
                let ended = dispute(report, "RESOLVED", "RESOLVED_SELLER_FAVOUR");
                ("CUSTOMER.DISPUTE.RESOLVED", ended)
            }
            "dispute_lost" => {
                let ended = dispute(report, "RESOLVED", "RESOLVED_BUYER_FAVOUR");
                ("CUSTOMER.DISPUTE.RESOLVED", ended)
            }
            _ => ("CHECKOUT.ORDER.EATEN", json!({})),
        };
        let body = json!({
            "id": report.event,
            "event_version": "1.0",
            "create_time": report.at,
            "event_type": kind,
            "summary": report.kind,
            "resource": resource,
        })
        .to_string();
        let (id, time) = (digest::short(&[body.as_bytes()]), report.at.to_string());
        let message = format!("{id}|{time}|{WEBHOOK}|{}", crc32fast::hash(body.as_bytes()));
        let headers = vec![
            (TRANSMISSION_ID, id),
            (TRANSMISSION_TIME, time),
            (SIGNATURE, rsa_signature(PROVIDER_KEY, message.as_bytes())),
            (ALGORITHM, "SHA256withRSA".to_owned()),
            ("paypal-cert-url", "https://api.paypal.com/v1/notifications/certs/CERT-1".to_owned()),
        ];
        Callback { path: "/callbacks/paypal", headers, body }
    }
}

/// Seventeen capitals and digits, as PayPal's identities have.
fn identity(of: &str) -> String {
    let short = digest::short(&[of.as_bytes()]).to_uppercase();
    short.get(..17).unwrap_or_default().to_owned()
}

fn order_id(payment: &str) -> String {
    identity(&format!("order {payment}"))
}

fn capture_id(payment: &str) -> String {
    identity(&format!("capture {payment}"))
}

/// An amount in PayPal's form.
fn amount(minor: i64, code: &str) -> Value {
    let exponent = Currency::parse(code).map_or(2, Currency::exponent);
    let value = match (code, exponent) {
        ("HUF" | "TWD", _) => (minor / 100).to_string(),
        (_, 0) => minor.to_string(),
        _ => format!("{}.{:02}", minor / 100, minor % 100),
    };
    json!({ "currency_code": code, "value": value })
}

fn minor(amount: &Value) -> Option<(i64, String)> {
    let code = amount["currency_code"].as_str()?;
    let read = Money::from_decimal(amount["value"].as_str()?, Currency::parse(code).ok()?).ok()?;
    Some((read.minor(), code.to_owned()))
}

fn approved(report: &Payment<'_>) -> Value {
    json!({
        "id": order_id(report.payment),
        "intent": "CAPTURE",
        "status": "APPROVED",
        "purchase_units": [{
            "reference_id": format!("{} {}", report.amount, report.currency),
            "custom_id": report.payment,
            "invoice_id": report.payment,
            "amount": amount(report.amount, report.currency),
        }],
        "create_time": report.at,
        "update_time": report.at,
    })
}

fn taken(report: &Payment<'_>) -> Value {
    json!({
        "id": capture_id(report.payment),
        "status": "COMPLETED",
        "final_capture": true,
        "amount": amount(report.amount, report.currency),
        "custom_id": report.payment,
        "invoice_id": report.payment,
        "supplementary_data": { "related_ids": { "order_id": order_id(report.payment) } },
        "create_time": report.at,
        "update_time": report.at,
    })
}

fn given_back(report: &Payment<'_>) -> Value {
    let part = report.part.filter(|part| part.starts_with("rfd_")).unwrap_or(report.payment);
    json!({
        "id": identity(report.event),
        "status": "COMPLETED",
        "amount": amount(report.amount, report.currency),
        "custom_id": report.payment,
        "invoice_id": part,
        "seller_payable_breakdown": {
            "total_refunded_amount": amount(report.amount, report.currency),
        },
        "create_time": report.at,
        "update_time": report.at,
    })
}

fn dispute(report: &Payment<'_>, status: &str, outcome: &str) -> Value {
    let mut dispute = json!({
        "dispute_id": report.part.unwrap_or("PP-D-4012"),
        "create_time": report.at,
        "update_time": report.at,
        "status": status,
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "dispute_amount": amount(report.amount, report.currency),
        "disputed_transactions": [{
            "seller_transaction_id": capture_id(report.payment),
            "invoice_number": report.payment,
            "custom": report.payment,
        }],
    });
    if !outcome.is_empty() {
        dispute["dispute_outcome"] = json!({ "outcome_code": outcome });
    }
    dispute
}

fn make(memory: &mut Memory, key: &str, asked: &Value) -> (u16, Value) {
    let unit = &asked["purchase_units"][0];
    let Some((minor, currency)) = minor(&unit["amount"]) else {
        return (422, refusal("INVALID_PARAMETER_VALUE"));
    };
    let payment = unit["custom_id"].as_str().unwrap_or(key);
    if memory.get(Provider::Paypal, "charge", payment).is_none() {
        let charge = json!({ "amount": minor, "currency": currency, "status": "unpaid" });
        memory.note(Provider::Paypal, "charge", payment, charge);
    }
    let id = order_id(payment);
    memory.note(Provider::Paypal, "order", &id, json!(payment));
    memory.note(Provider::Paypal, "order", &capture_id(payment), json!(payment));
    order(memory, &id)
}

/// The payment of an order, or of a capture.
fn payment_of(memory: &Memory, id: &str) -> Option<(String, Value)> {
    let payment = memory.get(Provider::Paypal, "order", id)?.as_str()?.to_owned();
    let charge = memory.get(Provider::Paypal, "charge", &payment)?.clone();
    Some((payment, charge))
}

fn order(memory: &Memory, id: &str) -> (u16, Value) {
    let Some((payment, charge)) = payment_of(memory, id) else {
        return (404, refusal("INVALID_RESOURCE_ID"));
    };
    let code = charge["currency"].as_str().unwrap_or_default();
    let amount = amount(charge["amount"].as_i64().unwrap_or_default(), code);
    let status = match charge["status"].as_str() {
        Some("paid") => "COMPLETED",
        Some("approved") => "APPROVED",
        _ => "PAYER_ACTION_REQUIRED",
    };
    let mut unit = json!({
        "reference_id": "default",
        "custom_id": payment,
        "invoice_id": payment,
        "amount": amount,
    });
    if status == "COMPLETED" {
        unit["payments"] = json!({ "captures": [{
            "id": capture_id(&payment),
            "status": "COMPLETED",
            "amount": amount,
            "custom_id": payment,
            "invoice_id": payment,
        }] });
    }
    let page = format!("https://www.sandbox.paypal.com/checkoutnow?token={id}");
    let links = json!([{ "rel": "payer-action", "method": "GET", "href": page }]);
    let body = json!({ "id": id, "status": status, "purchase_units": [unit], "links": links });
    (200, body)
}

/// The buyer's approval is told by a callback, which nothing here hears of: so
/// an order is captured whether or not it was approved.
fn capture(memory: &mut Memory, id: &str) -> (u16, Value) {
    let Some((payment, mut charge)) = payment_of(memory, id) else {
        return (404, refusal("INVALID_RESOURCE_ID"));
    };
    match charge["status"].as_str() {
        Some("paid") => return (422, refusal("ORDER_ALREADY_CAPTURED")),
        Some("declined") => return (422, refusal("INSTRUMENT_DECLINED")),
        _ => charge["status"] = "paid".into(),
    }
    memory.note(Provider::Paypal, "charge", &payment, charge);
    let (_, body) = order(memory, id);
    (201, body)
}

fn refund(memory: &mut Memory, key: &str, id: &str, asked: &Value) -> (u16, Value) {
    let Some((payment, charge)) = payment_of(memory, id) else {
        return (404, refusal("INVALID_RESOURCE_ID"));
    };
    let Some((minor, currency)) = minor(&asked["amount"]) else {
        return (422, refusal("INVALID_PARAMETER_VALUE"));
    };
    if memory.get(Provider::Paypal, "refund", key).is_none() {
        let before = memory.given_back(Provider::Paypal, &payment);
        if before.saturating_add(minor) > charge["amount"].as_i64().unwrap_or_default() {
            return (422, refusal("REFUND_AMOUNT_EXCEEDED"));
        }
        let refund = json!({
            "payment": payment, "amount": minor, "currency": currency, "status": "succeeded",
        });
        memory.note(Provider::Paypal, "refund", key, refund);
        memory.note(Provider::Paypal, "order", &identity(key), json!(key));
    }
    let (_, body) = refunded(memory, &identity(key));
    (201, body)
}

fn refunded(memory: &Memory, id: &str) -> (u16, Value) {
    let key = memory.get(Provider::Paypal, "order", id).and_then(Value::as_str);
    let Some(refund) = key.and_then(|key| memory.get(Provider::Paypal, "refund", key)) else {
        return (404, refusal("INVALID_RESOURCE_ID"));
    };
    let status = match refund["status"].as_str() {
        Some("failed") => "FAILED",
        Some("pending") => "PENDING",
        _ => "COMPLETED",
    };
    (200, json!({ "id": id, "status": status }))
}

fn refusal(issue: &str) -> Value {
    json!({
        "name": "UNPROCESSABLE_ENTITY",
        "details": [{ "issue": issue }],
        "debug_id": "stand-in",
    })
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

    use crate::providers::drive::Drive;

    fn drive() -> Drive {
        Drive::new(Method::Paypal, Flow::Redirect, 1250, "EUR")
    }

    #[test]
    fn from_a_start_to_a_refund() {
        let drive = drive();
        let begun = drive.start().unwrap();
        assert!(matches!(&begun, NextAction::Redirect { url } if url.0.contains("checkoutnow")));
        assert_eq!((drive.start(), drive.count("charge")), (Ok(begun), 1));

        let approved = drive.event("authorised", 1250, None, 1);
        assert_eq!(approved.kind, PaymentEventKind::Authorised);
        let order = approved.reference.as_deref();
        assert_eq!((drive.query(None), drive.query(order)), (Ok(Vec::new()), Ok(Vec::new())));
        drive.remember("charge", drive.attempt.id.as_str(), "status", "approved".into());
        assert_eq!(drive.query(order).unwrap()[0].kind, PaymentEventKind::Authorised);
        let refund = drive.due("a", 500);
        assert!(matches!(drive.refund(&refund, order), Err(CallError::Refused(_))));

        let captured = drive.capture(order).unwrap();
        let told = drive.event("succeeded", 1250, None, 2);
        for events in [&captured, &drive.capture(order).unwrap(), &drive.query(order).unwrap()] {
            assert_eq!(events.len(), 1);
            assert_eq!((events[0].kind, events[0].amount), (told.kind, told.amount));
            assert_eq!((&events[0].id, &events[0].reference), (&captured[0].id, &told.reference));
        }

        for _ in 0..2 {
            let given = drive.refund(&refund, order).unwrap();
            assert_eq!(given.status, RefundStatus::Succeeded);
            let sent =
                aftercart::model::payment::Refund { reference: given.reference, ..refund.clone() };
            assert_eq!(drive.refund_status(&sent, order).unwrap().status, RefundStatus::Succeeded);
        }
        assert_eq!(drive.count("refund"), 1);
        let refused = drive.refund(&drive.due("b", 751), order).unwrap();
        assert_eq!(refused.reason.as_deref(), Some("REFUND_AMOUNT_EXCEEDED"));
    }

    #[test]
    fn currencies_without_decimals_go_there_and_back() {
        for (minor, currency) in [(1200, "JPY"), (120_000, "HUF"), (120_000, "TWD"), (1, "USD")] {
            let drive = Drive::new(Method::Paypal, Flow::Redirect, minor, currency);
            drive.start().unwrap();
            let order = drive.event("authorised", minor, None, 1).reference;
            let captured = drive.capture(order.as_deref()).unwrap();
            assert_eq!(captured[0].amount, drive.attempt.amount, "{currency}");
        }
        let odd = Drive::new(Method::Paypal, Flow::Redirect, 120_050, "HUF");
        assert!(matches!(odd.start(), Err(CallError::Amount(_))));
        let old = drive().later(Period::of_seconds(5 * 3_600));
        assert_eq!(old.start(), Err(CallError::TooOld));
    }

    #[test]
    fn a_capture_that_is_declined_is_a_payment_that_failed() {
        let drive = drive();
        drive.start().unwrap();
        let order = drive.event("authorised", 1250, None, 1).reference;
        drive.remember("charge", drive.attempt.id.as_str(), "status", "declined".into());
        let failed = drive.capture(order.as_deref()).unwrap().remove(0);
        assert_eq!(failed.kind, PaymentEventKind::Failed);
        assert_eq!(failed.reason.as_deref(), Some("INSTRUMENT_DECLINED"));
        let gone = drive.query(Some("0000000000000000A")).unwrap();
        assert_eq!(gone[0].kind, PaymentEventKind::Expired);
    }

    #[test]
    fn callbacks_are_read() {
        let drive = drive();
        for (kind, expected) in [
            ("authorised", PaymentEventKind::Authorised),
            ("cancelled", PaymentEventKind::Cancelled),
            ("processing", PaymentEventKind::Processing),
            ("succeeded", PaymentEventKind::Succeeded),
            ("failed", PaymentEventKind::Failed),
            ("refunded", PaymentEventKind::Refunded),
            ("disputed", PaymentEventKind::Disputed),
            ("dispute_won", PaymentEventKind::DisputeWon),
            ("dispute_lost", PaymentEventKind::DisputeLost),
        ] {
            let event = drive.event(kind, 1250, None, 3);
            assert_eq!((&event.payment, event.kind), (&drive.attempt.id, expected));
            assert_eq!(event.amount, drive.attempt.amount);
        }
        let unknown = drive.heard(&drive.callback("expired", 1250, None, 0));
        assert!(matches!(unknown, Report::Unknown { .. }));
    }

    #[test]
    fn all_orders_of_the_events_lead_to_one_state() {
        let drive = drive();
        let (a, b) = (drive.due("a", 1).id.to_string(), drive.due("b", 1).id.to_string());
        let told = |kind: &str, seconds| drive.event(kind, 1250, None, seconds);
        let (approved, failed, paid) =
            (told("authorised", 1), told("failed", 2), told("succeeded", 3));
        let back = |part: &str, minor, s| drive.event("refunded", minor, Some(part), s);
        let (opened, won, lost) =
            (told("disputed", 20), told("dispute_won", 30), told("dispute_lost", 30));
        for (events, state) in [
            (vec![approved.clone()], PaymentStatus::Authorised),
            (vec![approved.clone(), paid.clone()], PaymentStatus::Succeeded),
            (vec![approved.clone(), failed.clone(), paid.clone()], PaymentStatus::Succeeded),
            (vec![approved, paid.clone(), told("failed", 9)], PaymentStatus::Succeeded),
            (vec![paid.clone(), back(&a, 500, 10)], PaymentStatus::PartlyRefunded),
            // The second refund was made on PayPal's pages: it tells the sum.
            (vec![paid.clone(), back(&a, 500, 10), back("", 1250, 11)], PaymentStatus::Refunded),
            (
                vec![failed, paid.clone(), back(&a, 500, 10), back(&b, 750, 11)],
                PaymentStatus::Refunded,
            ),
            (vec![paid.clone(), opened.clone()], PaymentStatus::Disputed),
            (vec![paid.clone(), opened.clone(), won], PaymentStatus::ChargebackWon),
            (vec![paid, opened, lost, back(&a, 500, 10)], PaymentStatus::ChargebackLost),
        ] {
            assert_eq!(drive.state(&events), state);
        }
    }
}
