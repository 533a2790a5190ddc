//! Stripe's API as far as the suite calls it, with its rules on keys: the same
//! key gives the same answer, and is refused for another request.
//!
//! It remembers charges by the attempt and refunds by the refund. A `status`
//! of a charge is `unpaid`, `paid`, `failed`, `processing` or `cancelled`;
//! that of a refund is Stripe's own word.

use aftercart::model::{
    digest,
    money::{Currency, Money},
    payment::Provider,
    signature::{hmac_sha256, to_hex},
};
use aftercart_payments::rules::stripe_amount;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, StandIn, field, header, json_answer};
use crate::signing::{Callback, Payment};

/// What its callbacks are signed with.
pub const SECRET: &str = "whsec_stripe_test_secret_0123456789abcdef";

/// When everything happens here, in seconds: a stand-in has no clock.
const SECONDS: i64 = 1_795_219_200;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Stripe;

impl StandIn for Stripe {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [SECRET],
            "api_keys": ["sk_test_1"],
            "account": { "api_url": api_url },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let place: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (status, body) = match (request.method().as_str(), place.as_slice()) {
            _ if !header(request, "authorization").starts_with("Bearer sk_") => {
                (401, error("", "There is no API key."))
            }
            ("POST", ["v1", "payment_intents"]) => create(memory, request),
            ("GET", ["v1", "payment_intents", "search"]) => search(memory, request),
            ("GET", ["v1", "payment_intents", id]) => match known(memory, "intent", id) {
                Some(charge) => (200, intent(memory, &charge)),
                None => missing(),
            },
            ("POST", ["v1", "refunds"]) => refund(memory, request),
            ("GET", ["v1", "refunds"]) => {
                (200, page(refunds(memory, &asked(request, "payment_intent"))))
            }
            ("GET", ["v1", "refunds", id]) => match known(memory, "refund id", id) {
                Some(refund) => (200, refund),
                None => missing(),
            },
            ("GET", ["v1", "disputes"]) => {
                let intent = asked(request, "payment_intent");
                (200, page(memory.get(Provider::Stripe, "dispute", &intent).into_iter().cloned()))
            }
            _ => missing(),
        };
        json_answer(status, &body)
    }

    fn callback(&self, report: &Payment<'_>) -> Callback {
        signed(SECRET, report)
    }
}

/// What the intent of an attempt is called.
#[must_use]
pub fn intent_id(payment: &str) -> String {
    format!("pi_{}", digest::short(&[payment.as_bytes()]))
}

/// What a refund is called.
fn refund_id(refund: &str) -> String {
    format!("re_{}", digest::short(&[refund.as_bytes()]))
}

/// The report, signed with a secret: an event of a payment intent, a refund,
/// a charge or a dispute. A dispute is told as it is after a person has named
/// the attempt in its metadata, without which Stripe does not know it.
#[must_use]
pub fn signed(secret: &str, report: &Payment<'_>) -> Callback {
    let seconds = report.at.unix_seconds();
    let (kind, object) = event(report);
    let body = json!({
        "id": report.event,
        "object": "event",
        "api_version": "2025-10-29.clover",
        "created": seconds,
        "type": kind,
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "data": { "object": object },
    })
    .to_string();
    let mac =
        hmac_sha256(secret.as_bytes(), &[seconds.to_string().as_bytes(), b".", body.as_bytes()]);
    let signature = format!("t={seconds},v1={}", to_hex(&mac));
    Callback { path: "/callbacks/stripe", headers: vec![("stripe-signature", signature)], body }
}

/// The type of the event that says this, and its object.
fn event(report: &Payment<'_>) -> (&'static str, Value) {
    let paid = matches!(report.kind, "succeeded" | "captured");
    let units = units(report.amount, report.currency);
    let mut object = json!({
        "id": intent_id(report.payment),
        "object": "payment_intent",
        "amount": units,
        "amount_received": if paid { units } else { 0 },
        "amount_capturable": if report.kind == "authorised" { units } else { 0 },
        "currency": report.currency.to_lowercase(),
        "last_payment_error": null,
        "metadata": { "payment": report.payment },
    });
    let kind = match report.kind {
        "processing" => "payment_intent.processing",
        "authorised" => "payment_intent.amount_capturable_updated",
        "failed" => {
            object["last_payment_error"] = json!({ "code": "card_declined" });
            "payment_intent.payment_failed"
        }
        "cancelled" | "expired" => "payment_intent.canceled",
        "refunded" | "refund_failed" => return refunded(report, units),
        "disputed" => return ("charge.dispute.updated", dispute(report, units, "needs_response")),
        "dispute_won" => return ("charge.dispute.closed", dispute(report, units, "won")),
        "dispute_lost" => return ("charge.dispute.closed", dispute(report, units, "lost")),
        _ => "payment_intent.succeeded",
    };
    (kind, object)
}

fn refunded(report: &Payment<'_>, units: i64) -> (&'static str, Value) {
    let failed = report.kind == "refund_failed";
    let Some(part) = report.part else {
        let charge = json!({
            "id": format!("ch_{}", digest::short(&[report.payment.as_bytes()])),
            "object": "charge",
            "amount_refunded": units,
            "currency": report.currency.to_lowercase(),
            "payment_intent": intent_id(report.payment),
            "metadata": { "payment": report.payment },
        });
        return ("charge.refunded", charge);
    };
    let refund = json!({
        "id": refund_id(part),
        "object": "refund",
        "amount": units,
        "created": report.at.unix_seconds(),
        "currency": report.currency.to_lowercase(),
        "failure_reason": if failed { json!("expired_or_canceled_card") } else { Value::Null },
        "payment_intent": intent_id(report.payment),
        "metadata": { "payment": report.payment, "refund": part },
        "status": if failed { "failed" } else { "succeeded" },
    });
    (if failed { "refund.failed" } else { "refund.created" }, refund)
}

fn dispute(report: &Payment<'_>, units: i64, status: &str) -> Value {
    json!({
        "id": report.part.unwrap_or("du_1"),
        "object": "dispute",
        "amount": units,
        "currency": report.currency.to_lowercase(),
        "payment_intent": intent_id(report.payment),
        "metadata": { "payment": report.payment },
        "status": status,
    })
}

/// Minor units as Stripe writes them; what Stripe cannot write, as it is.
fn units(minor: i64, currency: &str) -> i64 {
    let money = Currency::parse(currency).ok().and_then(|it| Money::new(minor, it).ok());
    money.and_then(|it| stripe_amount::to_stripe(it).ok()).unwrap_or(minor)
}

/// The answer to the same key before, or why it is refused.
fn before(
    memory: &Memory,
    kind: &'static str,
    request: &Request<Bytes>,
) -> Result<Option<Value>, (u16, Value)> {
    let key = header(request, "idempotency-key");
    if key.is_empty() {
        return Err((400, error("", "There is no Idempotency-Key.")));
    }
    let earlier = memory.get(Provider::Stripe, kind, key);
    match earlier.and_then(|it| it.get("request")).and_then(Value::as_str) {
        Some(asked) if asked.as_bytes() != request.body() => {
            Err((400, error("idempotency_key_in_use", "The key was used for another request.")))
        }
        _ => Ok(earlier.cloned()),
    }
}

fn create(memory: &mut Memory, request: &Request<Bytes>) -> (u16, Value) {
    let (key, body) = (header(request, "idempotency-key").to_owned(), request.body());
    let charge = match before(memory, "charge", request) {
        Err(refusal) => return refusal,
        Ok(Some(earlier)) => earlier,
        Ok(None) => json!({
            "id": intent_id(&key),
            "amount": field(body, "amount").parse::<i64>().unwrap_or_default(),
            "currency": field(body, "currency"),
            "status": "unpaid",
            "payment": field(body, "metadata[payment]"),
            "method": field(body, "payment_method_types[]"),
            "request": String::from_utf8_lossy(body),
        }),
    };
    memory.note(Provider::Stripe, "intent", &intent_id(&key), key.as_str().into());
    memory.note(Provider::Stripe, "charge", &key, charge.clone());
    (200, intent(memory, &charge))
}

/// What is remembered under an identity of Stripe's.
fn known(memory: &Memory, kind: &'static str, id: &str) -> Option<Value> {
    let key = memory.get(Provider::Stripe, kind, id)?.as_str()?;
    let of = if kind == "intent" { "charge" } else { "refund" };
    memory.get(Provider::Stripe, of, key).cloned()
}

fn intent(memory: &Memory, charge: &Value) -> Value {
    let id = charge["payment"].as_str().map(intent_id).unwrap_or_default();
    let (amount, status) = (&charge["amount"], charge["status"].as_str().unwrap_or_default());
    let paid = status == "paid";
    let word = match status {
        "paid" => "succeeded",
        "processing" => "processing",
        "cancelled" => "canceled",
        _ => "requires_payment_method",
    };
    let back = refunds(memory, &id).iter().filter_map(|it| it["amount"].as_i64()).sum::<i64>();
    let disputed = memory.get(Provider::Stripe, "dispute", &id).is_some();
    json!({
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_received": if paid { amount.clone() } else { 0.into() },
        "currency": charge["currency"],
        "client_secret": format!("{id}_secret_test"),
        "created": SECONDS,
        "status": word,
        "last_payment_error": if status == "failed" {
            json!({ "code": "card_declined", "charge": "ch_1" })
        } else {
            Value::Null
        },
        "latest_charge": if paid {
            json!({ "created": SECONDS, "amount_refunded": back, "disputed": disputed })
        } else {
            Value::Null
        },
        "livemode": false,
        "metadata": { "payment": charge["payment"] },
    })
}

fn search(memory: &Memory, request: &Request<Bytes>) -> (u16, Value) {
    let query = asked(request, "query");
    let wanted = query.split('\'').nth(3).unwrap_or_default();
    let found = memory.get(Provider::Stripe, "charge", wanted);
    (200, page(found.map(|charge| intent(memory, charge))))
}

fn refund(memory: &mut Memory, request: &Request<Bytes>) -> (u16, Value) {
    let (key, body) = (header(request, "idempotency-key").to_owned(), request.body());
    match before(memory, "refund", request) {
        Err(refusal) => return refusal,
        Ok(Some(earlier)) => return (200, earlier),
        Ok(None) => {}
    }
    let amount = field(body, "amount").parse::<i64>().unwrap_or_default();
    let intent = field(body, "payment_intent");
    let back = refunds(memory, &intent).iter().filter_map(|it| it["amount"].as_i64()).sum::<i64>();
    let charge = known(memory, "intent", &intent);
    let charged = charge.as_ref().and_then(|it| it["amount"].as_i64());
    if charged.is_some_and(|charged| back.saturating_add(amount) > charged) {
        return (400, error("charge_already_refunded", "There is not so much left."));
    }
    let refund = json!({
        "id": refund_id(&key),
        "object": "refund",
        "amount": amount,
        "created": SECONDS,
        "currency": charge.map_or(Value::Null, |it| it["currency"].clone()),
        "payment_intent": intent,
        "metadata": {
            "payment": field(body, "metadata[payment]"),
            "refund": field(body, "metadata[refund]"),
        },
        "status": "succeeded",
        "request": String::from_utf8_lossy(body),
    });
    let mut keys = memory.get(Provider::Stripe, "refunds", &intent).cloned().unwrap_or(json!([]));
    if let Some(keys) = keys.as_array_mut() {
        keys.push(key.as_str().into());
    }
    memory.note(Provider::Stripe, "refunds", &intent, keys);
    memory.note(Provider::Stripe, "refund id", &refund_id(&key), key.as_str().into());
    memory.note(Provider::Stripe, "refund", &key, refund.clone());
    (200, refund)
}

/// The refunds of an intent.
fn refunds(memory: &Memory, intent: &str) -> Vec<Value> {
    let keys = memory.get(Provider::Stripe, "refunds", intent).and_then(Value::as_array);
    let keys = keys.into_iter().flatten().filter_map(Value::as_str);
    keys.filter_map(|key| memory.get(Provider::Stripe, "refund", key).cloned()).collect()
}

fn page(data: impl IntoIterator<Item = Value>) -> Value {
    let data: Vec<Value> = data.into_iter().collect();
    json!({ "object": "list", "data": data, "has_more": false })
}

fn asked(request: &Request<Bytes>, name: &str) -> String {
    field(request.uri().query().unwrap_or_default().as_bytes(), name)
}

fn missing() -> (u16, Value) {
    (404, error("resource_missing", "There is no such thing."))
}

fn error(code: &str, message: &str) -> Value {
    json!({ "error": { "type": "invalid_request_error", "code": code, "message": message } })
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        payment::{Flow, Method, PaymentEvent, PaymentEventKind, PaymentStatus, RefundStatus},
        time::Period,
    };
    use aftercart_payments::{
        providers::{CallError, Report},
        wire::NextAction,
    };

    use super::{super::drive::Drive, *};

    const LIFE: Period = Period::of_seconds(23 * 3_600);

    fn drive(method: Method, minor: i64, currency: &str) -> Drive {
        let mut drive = Drive::new(Method::Paypal, Flow::Embedded, minor, currency);
        (drive.attempt.provider, drive.attempt.method) = (Provider::Stripe, method);
        let credentials = Stripe.credentials("https://providers.local/stripe");
        drive.credentials = serde_json::from_value(credentials).unwrap();
        drive
    }

    fn reference(drive: &Drive) -> String {
        intent_id(drive.attempt.id.as_str())
    }

    #[test]
    fn the_same_start_is_one_charge() {
        for (method, minor, currency) in [
            (Method::Card, 2500, "GBP"),
            (Method::Card, 5, "ISK"),
            (Method::Klarna, 2500, "SEK"),
            (Method::Alipay, 2500, "CNY"),
            (Method::WechatPay, 2500, "CNY"),
            (Method::Ideal, 2500, "EUR"),
        ] {
            let drive = drive(method, minor, currency);
            let first = drive.start().unwrap();
            assert!(matches!(first, NextAction::ClientSecret { .. }));
            assert_eq!(drive.start(), Ok(first));
            assert_eq!(drive.count("charge"), 1);
            let paid = drive.event("succeeded", minor, None, 1);
            assert_eq!(
                (paid.kind, paid.amount),
                (PaymentEventKind::Succeeded, drive.attempt.amount)
            );
            assert_eq!(paid.reference, Some(reference(&drive)));
        }
    }

    #[test]
    fn another_request_under_the_same_key_and_a_wrong_key_are_refused() {
        let mut drive = drive(Method::Card, 2500, "GBP");
        drive.start().unwrap();
        drive.attempt.method = Method::Klarna;
        assert!(matches!(drive.start(), Err(CallError::Refused(_))));
        let keyless = json!({ "api_keys": ["pk_1"], "account": { "api_url": "https://p/stripe" } });
        drive.credentials = serde_json::from_value(keyless).unwrap();
        assert!(matches!(drive.start(), Err(CallError::Unwritable(_))));
        assert_eq!(drive.later(LIFE).start(), Err(CallError::TooOld));
    }

    #[test]
    fn all_orders_of_the_callbacks_lead_to_one_state() {
        let drive = drive(Method::Card, 2500, "GBP");
        let (a, b) =
            (Some("rfd_aaaaaaaaaaaaaaaaaaaaaaaaaa"), Some("rfd_bbbbbbbbbbbbbbbbbbbbbbbbbb"));
        let (none, du) = (None, Some("du_1"));
        for (reports, state) in [
            (
                &[("processing", 2500, none), ("succeeded", 2500, none)][..],
                PaymentStatus::Succeeded,
            ),
            (&[("failed", 2500, none), ("cancelled", 2500, none)], PaymentStatus::Cancelled),
            (
                &[("failed", 2500, none), ("processing", 2500, none), ("succeeded", 2500, none)],
                PaymentStatus::Succeeded,
            ),
            (
                &[("succeeded", 2500, none), ("failed", 2500, none), ("cancelled", 2500, none)],
                PaymentStatus::Succeeded,
            ),
            (&[("succeeded", 2400, none), ("failed", 2500, none)], PaymentStatus::Mismatched),
            (
                &[("succeeded", 2500, none), ("refunded", 1000, a), ("refunded", 1500, b)],
                PaymentStatus::Refunded,
            ),
            (
                &[("succeeded", 2500, none), ("refunded", 2500, a), ("refund_failed", 2500, a)],
                PaymentStatus::Succeeded,
            ),
            (
                &[("succeeded", 2500, none), ("refunded", 1000, a), ("refunded", 1000, none)],
                PaymentStatus::PartlyRefunded,
            ),
            (&[("succeeded", 2500, none), ("disputed", 2500, du)], PaymentStatus::Disputed),
            (
                &[("succeeded", 2500, none), ("disputed", 2500, du), ("dispute_won", 2500, du)],
                PaymentStatus::ChargebackWon,
            ),
            (
                &[
                    ("processing", 2500, none),
                    ("succeeded", 2500, none),
                    ("disputed", 2500, du),
                    ("dispute_lost", 2500, du),
                ],
                PaymentStatus::ChargebackLost,
            ),
        ] {
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
        assert_eq!(answer.status, RefundStatus::Succeeded);
        assert_eq!(drive.refund(&refund, Some(&reference)), Ok(answer.clone()));
        assert_eq!(drive.count("refund"), 1);
        let told = drive.event("refunded", 2, Some(refund.id.as_str()), 1);
        assert_eq!((told.amount, told.part.as_deref()), (refund.amount, Some(refund.id.as_str())));
        // After the life of the key it is found, and one that is not there is made.
        let drive = drive.later(LIFE);
        assert_eq!(drive.refund(&refund, Some(&reference)), Ok(answer.clone()));
        let mut other = drive.due("2", 3);
        other.at = drive.attempt.at;
        assert_eq!(drive.refund(&other, Some(&reference)).unwrap().status, RefundStatus::Succeeded);
        assert_eq!(drive.count("refund"), 2);
        let refused = drive.refund(&drive.due("3", 1), Some(&reference)).unwrap();
        assert_eq!(refused.status, RefundStatus::Failed);
        assert_eq!(refused.reason.as_deref(), Some("charge_already_refunded"));
        // Where it stands is asked by its name, or by the payment's.
        let mut sent = refund.clone();
        assert_eq!(drive.refund_status(&sent, Some(&reference)), Ok(answer.clone()));
        sent.reference.clone_from(&answer.reference);
        drive.remember("refund", refund.id.as_str(), "status", "failed".into());
        let failed = drive.refund_status(&sent, Some(&reference)).unwrap();
        assert_eq!(failed.status, RefundStatus::Failed);
    }

    #[test]
    fn a_payment_is_asked_about() {
        let young = drive(Method::Card, 2500, "GBP");
        assert_eq!(young.query(None), Ok(Vec::new()), "of which Stripe never heard");
        assert_eq!(young.count("charge"), 1, "and whose intent nobody can pay");
        let old = drive(Method::Card, 2500, "GBP").later(LIFE);
        assert_eq!(old.query(None), Ok(Vec::new()));
        assert_eq!(old.count("charge"), 0);
        let drive = drive(Method::Card, 2500, "GBP");
        drive.start().unwrap();
        assert_eq!(drive.query(None), Ok(Vec::new()));
        let (key, reference) = (drive.attempt.id.to_string(), reference(&drive));
        for (status, kind) in [
            ("failed", PaymentEventKind::Failed),
            ("processing", PaymentEventKind::Processing),
            ("cancelled", PaymentEventKind::Cancelled),
            ("paid", PaymentEventKind::Succeeded),
        ] {
            drive.remember("charge", &key, "status", status.into());
            let [event] = &*drive.query(None).unwrap() else { panic!("{status}") };
            assert_eq!((event.kind, event.amount), (kind, drive.attempt.amount));
            assert_eq!(event.reference.as_deref(), Some(&*reference));
            assert_eq!(drive.query(Some(&reference)).unwrap(), std::slice::from_ref(event));
        }
        let refund = drive.due("1", 1000);
        drive.refund(&refund, Some(&reference)).unwrap();
        let dispute = json!({
            "id": "du_1", "amount": 1500, "currency": "gbp", "status": "lost", "created": SECONDS,
        });
        drive.stand_ins.memory(|memory| {
            memory.note(Provider::Stripe, "dispute", &reference, dispute);
        });
        let drive = drive.later(LIFE);
        let events = drive.query(None).unwrap();
        let kinds: Vec<_> = events.iter().map(|it| (it.kind, it.amount.minor())).collect();
        assert_eq!(
            kinds,
            [
                (PaymentEventKind::Succeeded, 2500),
                (PaymentEventKind::Refunded, 1000),
                (PaymentEventKind::DisputeLost, 1500),
            ]
        );
        assert_eq!(drive.state(&events), PaymentStatus::ChargebackLost);
        // The callbacks of the same tell nothing more.
        let mut all = events;
        all.push(drive.event("refunded", 1000, Some(refund.id.as_str()), 1));
        all.push(drive.event("succeeded", 2500, None, 1));
        assert_eq!(drive.state(&all), PaymentStatus::ChargebackLost);
    }

    #[test]
    fn a_dispute_that_nobody_has_named_is_foreign_and_tells_the_intent() {
        let drive = drive(Method::Card, 2500, "GBP");
        let named = drive.callback("disputed", 2500, Some("du_1"), 0);
        let name = format!(r#""metadata":{{"payment":"{}"}}"#, drive.attempt.id);
        let body = named.body.replace(&name, r#""metadata":{}"#);
        assert_ne!(body, named.body);
        let seconds = drive.now.unix_seconds().to_string();
        let mac = hmac_sha256(SECRET.as_bytes(), &[seconds.as_bytes(), b".", body.as_bytes()]);
        let headers = vec![("stripe-signature", format!("t={seconds},v1={}", to_hex(&mac)))];
        let Report::Foreign { what, .. } = drive.heard(&Callback { headers, body, ..named }) else {
            panic!("it is nobody's")
        };
        assert!(what.ends_with(&reference(&drive)), "{what}");
    }
}
