//! Reads Stripe's events.

use aftercart::model::{
    id::{PaymentId, RefundId},
    money::Money,
    payment::{PaymentEvent, PaymentEventKind, Provider, RefundStatus},
    signature::body_digest,
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    providers::{Report, Unreadable, event_identity, reference, word},
    rules::stripe_amount,
};

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    #[serde(default)]
    request: Value,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
    #[serde(default)]
    previous_attributes: Value,
}

/// What every object that we look at has.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: String,
    #[serde(default)]
    object: String,
    currency: String,
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

impl Object {
    /// Stripe's identity of the payment that it is, or is about.
    fn intent(&self) -> Option<&str> {
        match self.object.as_str() {
            "payment_intent" => Some(self.id.as_str()),
            _ => self.payment_intent.as_deref(),
        }
    }
}

/// What we wrote to an object, or Stripe copied to it.
#[derive(Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) payment: Option<String>,
    #[serde(default)]
    pub(super) refund: Option<String>,
}

#[derive(Deserialize)]
struct Intent {
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    #[serde(default)]
    amount_capturable: i64,
    #[serde(default)]
    last_payment_error: Option<Decline>,
}

/// Why the last try was declined.
#[derive(Deserialize)]
pub(super) struct Decline {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) charge: Option<String>,
}

#[derive(Deserialize)]
struct Charge {
    amount_refunded: i64,
}

#[derive(Deserialize)]
struct Refund {
    amount: i64,
    #[serde(default)]
    status: String,
    #[serde(default)]
    failure_reason: Option<String>,
}

#[derive(Deserialize)]
struct Dispute {
    amount: i64,
    status: String,
}

/// What an event is about.
#[derive(Clone, Copy)]
enum About {
    Intent(PaymentEventKind),
    Charge,
    Refund,
    Dispute,
}

impl About {
    /// What Stripe calls such an object.
    fn object(self) -> &'static str {
        match self {
            Self::Intent(_) => "payment_intent",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
        }
    }
}

fn about(kind: &str) -> Option<About> {
    match kind {
        "payment_intent.processing" => Some(About::Intent(PaymentEventKind::Processing)),
        "payment_intent.amount_capturable_updated" => {
            Some(About::Intent(PaymentEventKind::Authorised))
        }
        "payment_intent.payment_failed" => Some(About::Intent(PaymentEventKind::Failed)),
        "payment_intent.canceled" => Some(About::Intent(PaymentEventKind::Cancelled)),
        "payment_intent.succeeded" => Some(About::Intent(PaymentEventKind::Succeeded)),
        "charge.refunded" => Some(About::Charge),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            Some(About::Refund)
        }
        "charge.dispute.created"
        | "charge.dispute.updated"
        | "charge.dispute.closed"
        | "charge.dispute.funds_withdrawn"
        | "charge.dispute.funds_reinstated" => Some(About::Dispute),
        _ => None,
    }
}

/// Events of payments that say nothing which another does not say: the steps
/// of a payment, and what its charge repeats of it.
const STEPS: [&str; 9] = [
    "charge.captured",
    "charge.expired",
    "charge.failed",
    "charge.pending",
    "charge.succeeded",
    "charge.updated",
    "payment_intent.created",
    "payment_intent.partially_funded",
    "payment_intent.requires_action",
];

/// The families of events that are about other things than payments: an
/// endpoint that gets all of them shall not trouble a person.
const FAMILIES: [&str; 44] = [
    "account",
    "application_fee",
    "balance",
    "billing",
    "billing_portal",
    "capability",
    "cash_balance",
    "checkout",
    "climate",
    "coupon",
    "credit_note",
    "customer",
    "customer_cash_balance_transaction",
    "entitlements",
    "file",
    "financial_connections",
    "identity",
    "invoice",
    "invoice_payment",
    "invoiceitem",
    "issuing_authorization",
    "issuing_card",
    "issuing_cardholder",
    "issuing_dispute",
    "issuing_transaction",
    "mandate",
    "payment_link",
    "payment_method",
    "payout",
    "person",
    "plan",
    "price",
    "product",
    "promotion_code",
    "quote",
    "radar",
    "reporting",
    "review",
    "setup_intent",
    "sigma",
    "subscription_schedule",
    "tax_rate",
    "topup",
    "transfer",
];

/// See [`crate::providers::PaymentProvider::payment_of`]. A dispute, and a
/// refund by hand, has metadata of its own, and none of the intent that it names.
pub(super) fn payment_of(body: &[u8]) -> Result<Option<String>, Unreadable> {
    let event: Event<'_> = parsed(text(body)?)?;
    let object: Object = parsed(event.data.object.get())?;
    Ok(object.intent().and_then(reference))
}

/// See [`crate::providers::PaymentProvider::read`]. An event that names no
/// attempt is about `known`.
pub(super) fn read(body: &[u8], known: Option<&PaymentId>) -> Result<Vec<Report>, Unreadable> {
    let event: Event<'_> = parsed(text(body)?)?;
    let id = event_identity(&event.id);
    let Some(about) = about(&event.kind) else {
        let family = event.kind.split('.').next().unwrap_or_default();
        let known = STEPS.contains(&event.kind.as_str()) || FAMILIES.contains(&family);
        let what = word(&event.kind);
        return Ok(vec![if known {
            Report::Nothing { what }
        } else {
            Report::Unknown { id, what }
        }]);
    };
    if event.id.is_empty() {
        return Err(Unreadable::Form("the event has no identity".to_owned()));
    }
    let object: Object = parsed(event.data.object.get())?;
    if object.object != about.object() {
        return Err(Unreadable::Form(format!("the object is no {}", about.object())));
    }
    let told = match about {
        About::Intent(kind) => intent(&event, &object, kind)?,
        About::Charge => charge(&event, &object)?,
        About::Refund => refund(&event, &object)?,
        About::Dispute => dispute(&event, &object)?,
    };
    let payment = object.metadata.as_ref().and_then(|it| it.payment.as_deref());
    let payment = match payment {
        Some(named) => PaymentId::parse(named).ok(),
        None => known.cloned(),
    };
    Ok(vec![report(&event, &object, told, payment, body)?])
}

/// What an event says, whosever it is.
enum Told {
    /// This, and of which part.
    This { kind: PaymentEventKind, units: i64, reason: Option<String>, part: Option<String> },
    /// Nothing yet, or nothing that another event does not tell.
    Nothing,
    /// Something in a word that is not known here.
    Unknown,
}

fn report(
    event: &Event<'_>,
    object: &Object,
    told: Told,
    payment: Option<PaymentId>,
    body: &[u8],
) -> Result<Report, Unreadable> {
    let (id, what) = (event_identity(&event.id), word(&event.kind));
    let (kind, units, reason, part) = match told {
        Told::Nothing => return Ok(Report::Nothing { what }),
        Told::Unknown => return Ok(Report::Unknown { id, what }),
        Told::This { kind, units, reason, part } => (kind, units, reason, part),
    };
    let intent = object.intent();
    let Some(payment) = payment else {
        let of = intent.unwrap_or(&object.id);
        return Ok(Report::Foreign { id, what: word(&format!("{what} of {of}")) });
    };
    Ok(Report::Event(PaymentEvent {
        id,
        payment,
        provider: Provider::Stripe,
        kind,
        amount: amount(units, &object.currency)?,
        at: Timestamp::from_unix_seconds(event.created)
            .map_err(|_| Unreadable::Value("`created` is no time".to_owned()))?,
        reason: reason.as_deref().map(word),
        reference: intent.and_then(reference),
        part: part.as_deref().and_then(reference),
        body_digest: body_digest(body),
    }))
}

fn intent(event: &Event<'_>, _: &Object, kind: PaymentEventKind) -> Result<Told, Unreadable> {
    let intent: Intent = parsed(event.data.object.get())?;
    let units = match kind {
        PaymentEventKind::Succeeded => intent.amount_received,
        PaymentEventKind::Authorised => intent.amount_capturable,
        _ => intent.amount,
    };
    let declined = intent.last_payment_error.and_then(|error| error.code);
    let reason = declined.filter(|_| kind == PaymentEventKind::Failed);
    Ok(Told::This { kind, units, reason, part: None })
}

/// A charge has the sum of its refunds, and the event what that was before.
/// A refund by us is told from one by hand by the key of the call that made
/// it, which the event repeats (<https://docs.stripe.com/api/events/object>).
fn charge(event: &Event<'_>, object: &Object) -> Result<Told, Unreadable> {
    let total = parsed::<Charge>(event.data.object.get())?.amount_refunded;
    let before = event.data.previous_attributes.get("amount_refunded").and_then(Value::as_i64);
    let key = event.request.get("idempotency_key").and_then(Value::as_str);
    let ours = key.filter(|key| RefundId::parse(key).is_ok());
    let kind = PaymentEventKind::Refunded;
    Ok(match (before.and_then(|before| total.checked_sub(before)), ours) {
        // The refund's own event tells.
        (None, Some(_)) => Told::Nothing,
        (None, None) => Told::This { kind, units: total, reason: None, part: None },
        (Some(units), _) if units <= 0 => Told::Nothing,
        (Some(units), ours) => {
            let by_hand = || format!("{}:{total}", object.id);
            let part = Some(ours.map_or_else(by_hand, str::to_owned));
            Told::This { kind, units, reason: None, part }
        }
    })
}

fn refund(event: &Event<'_>, object: &Object) -> Result<Told, Unreadable> {
    let refund: Refund = parsed(event.data.object.get())?;
    let Some(status) = refund_status(&refund.status) else { return Ok(Told::Unknown) };
    let ours = object.metadata.as_ref().and_then(|it| it.refund.clone());
    let kind = match (status, &ours) {
        (RefundStatus::Failed, _) => PaymentEventKind::RefundFailed,
        (RefundStatus::Succeeded, Some(_)) => PaymentEventKind::Refunded,
        // Made by hand: the charge tells, and its metadata names the attempt.
        _ => return Ok(Told::Nothing),
    };
    let reason = refund.failure_reason.filter(|_| status == RefundStatus::Failed);
    let part = Some(ours.unwrap_or_else(|| object.id.clone()));
    Ok(Told::This { kind, units: refund.amount, reason, part })
}

/// Where a refund stands (<https://docs.stripe.com/api/refunds/object>).
pub(super) fn refund_status(status: &str) -> Option<RefundStatus> {
    match status {
        "pending" | "requires_action" => Some(RefundStatus::Sent),
        "succeeded" => Some(RefundStatus::Succeeded),
        "failed" | "canceled" => Some(RefundStatus::Failed),
        _ => None,
    }
}

fn dispute(event: &Event<'_>, object: &Object) -> Result<Told, Unreadable> {
    let dispute: Dispute = parsed(event.data.object.get())?;
    let Some(kind) = dispute_kind(&dispute.status) else { return Ok(Told::Unknown) };
    let part = Some(object.id.clone());
    Ok(Told::This { kind, units: dispute.amount, reason: None, part })
}

/// Where a dispute stands (<https://docs.stripe.com/api/disputes/object>).
/// `warning_` is a bank's question before it takes any money, which has to be
/// answered too; a prevented one never became a dispute, and a refund that
/// prevented it is told by its charge.
pub(super) fn dispute_kind(status: &str) -> Option<PaymentEventKind> {
    match status {
        "needs_response" | "under_review" | "warning_needs_response" | "warning_under_review" => {
            Some(PaymentEventKind::Disputed)
        }
        "won" | "warning_closed" | "prevented" => Some(PaymentEventKind::DisputeWon),
        "lost" => Some(PaymentEventKind::DisputeLost),
        _ => None,
    }
}

/// An amount in Stripe's units.
pub(super) fn amount(units: i64, currency: &str) -> Result<Money, Unreadable> {
    stripe_amount::from_stripe(units, currency)
        .map_err(|error| Unreadable::Value(error.to_string()))
}

fn text(body: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable::Form(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const SECONDS: i64 = 1_795_219_200;
    const PAYMENT: &str = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    const REFUND: &str = "rfd_aaaaaaaaaaaaaaaaaaaaaaaaaa";

    /// An event with what Stripe's events have besides, such as
    /// <https://docs.stripe.com/api/events/object> shows it.
    fn event(kind: &str, object: &Value) -> Value {
        json!({
            "id": "evt_1", "object": "event", "api_version": "2025-10-29.clover",
            "created": SECONDS, "type": kind, "livemode": false, "pending_webhooks": 2,
            "request": { "id": null, "idempotency_key": null },
            "data": { "object": object },
        })
    }

    fn intent() -> Value {
        json!({
            "id": "pi_1", "object": "payment_intent", "amount": 2500, "amount_received": 2400,
            "amount_capturable": 2300, "currency": "gbp", "status": "succeeded",
            "last_payment_error": { "code": "card_declined", "charge": "ch_1" },
            "metadata": { "payment": PAYMENT, "order": "ord_x" },
        })
    }

    fn charge(total: i64) -> Value {
        json!({
            "id": "ch_1", "object": "charge", "amount": 2500, "amount_captured": 2500,
            "amount_refunded": total, "currency": "gbp", "payment_intent": "pi_1",
            "metadata": { "payment": PAYMENT, "order": "ord_x" },
        })
    }

    fn refund(status: &str, metadata: &Value) -> Value {
        json!({
            "id": "re_1", "object": "refund", "amount": 700, "charge": "ch_1", "currency": "gbp",
            "failure_reason": "declined", "payment_intent": "pi_1", "status": status,
            "metadata": metadata,
        })
    }

    fn dispute(status: &str, metadata: &Value) -> Value {
        json!({
            "id": "du_1", "object": "dispute", "amount": 2500, "charge": "ch_1", "currency": "gbp",
            "payment_intent": "pi_1", "reason": "fraudulent", "status": status,
            "metadata": metadata,
        })
    }

    fn read_one(body: &Value) -> Result<Report, Unreadable> {
        let mut reports = read(body.to_string().as_bytes(), None)?;
        assert_eq!(reports.len(), 1);
        Ok(reports.remove(0))
    }

    #[test]
    fn events_are_read_field_by_field() {
        use PaymentEventKind as Kind;
        let ours = json!({ "payment": PAYMENT, "refund": REFUND });
        let named = json!({ "payment": PAYMENT });
        for (written, object, kind, minor, part, reason) in [
            ("payment_intent.processing", intent(), Kind::Processing, 2500, None, None),
            (
                "payment_intent.amount_capturable_updated",
                intent(),
                Kind::Authorised,
                2300,
                None,
                None,
            ),
            (
                "payment_intent.payment_failed",
                intent(),
                Kind::Failed,
                2500,
                None,
                Some("card_declined"),
            ),
            ("payment_intent.canceled", intent(), Kind::Cancelled, 2500, None, None),
            ("payment_intent.succeeded", intent(), Kind::Succeeded, 2400, None, None),
            ("charge.refunded", charge(900), Kind::Refunded, 900, None, None),
            ("refund.created", refund("succeeded", &ours), Kind::Refunded, 700, Some(REFUND), None),
            ("refund.updated", refund("succeeded", &ours), Kind::Refunded, 700, Some(REFUND), None),
            (
                "charge.refund.updated",
                refund("canceled", &ours),
                Kind::RefundFailed,
                700,
                Some(REFUND),
                Some("declined"),
            ),
            (
                "refund.failed",
                refund("failed", &ours),
                Kind::RefundFailed,
                700,
                Some(REFUND),
                Some("declined"),
            ),
            (
                "charge.dispute.updated",
                dispute("needs_response", &named),
                Kind::Disputed,
                2500,
                Some("du_1"),
                None,
            ),
            (
                "charge.dispute.created",
                dispute("warning_needs_response", &named),
                Kind::Disputed,
                2500,
                Some("du_1"),
                None,
            ),
            (
                "charge.dispute.closed",
                dispute("won", &named),
                Kind::DisputeWon,
                2500,
                Some("du_1"),
                None,
            ),
            (
                "charge.dispute.funds_reinstated",
                dispute("won", &named),
                Kind::DisputeWon,
                2500,
                Some("du_1"),
                None,
            ),
            (
                "charge.dispute.closed",
                dispute("lost", &named),
                Kind::DisputeLost,
                2500,
                Some("du_1"),
                None,
            ),
            (
                "charge.dispute.funds_withdrawn",
                dispute("under_review", &named),
                Kind::Disputed,
                2500,
                Some("du_1"),
                None,
            ),
        ] {
            let Ok(Report::Event(read)) = read_one(&event(written, &object)) else {
                panic!("{written}")
            };
            assert_eq!((read.kind, read.amount.minor()), (kind, minor), "{written}");
            assert_eq!(read.amount.currency().code(), "GBP");
            assert_eq!((read.id.as_str(), read.at.unix_seconds()), ("evt_1", SECONDS));
            assert_eq!((read.part.as_deref(), read.reason.as_deref()), (part, reason), "{written}");
            assert_eq!(read.reference.as_deref(), Some("pi_1"), "{written}");
            assert_eq!((read.provider, read.payment.as_str()), (Provider::Stripe, PAYMENT));
        }
    }

    #[test]
    fn a_charge_tells_by_how_much_more_went_back() {
        let of = |before: Value, key: Value| {
            let mut body = event("charge.refunded", &charge(900));
            body["data"]["previous_attributes"] = before;
            body["request"] = key;
            read_one(&body).unwrap()
        };
        let key = |key: &str| json!({ "id": "req_1", "idempotency_key": key });
        for (before, request, minor, part) in [
            (json!({ "amount_refunded": 0 }), key("by hand"), 900, Some("ch_1:900")),
            (json!({ "amount_refunded": 200 }), Value::Null, 700, Some("ch_1:900")),
            (json!({ "amount_refunded": 200 }), key(REFUND), 700, Some(REFUND)),
            (Value::Null, json!("req_1"), 900, None),
        ] {
            let Report::Event(read) = of(before, request) else { panic!("no event") };
            assert_eq!((read.amount.minor(), read.part.as_deref()), (minor, part));
        }
        let nothing = Report::Nothing { what: "charge.refunded".to_owned() };
        assert_eq!(of(Value::Null, key(REFUND)), nothing);
        assert_eq!(of(json!({ "amount_refunded": 900 }), Value::Null), nothing);
    }

    #[test]
    fn what_says_nothing_here_is_told_from_what_a_person_looks_at() {
        let foreign = |mut object: Value| {
            object["metadata"] = json!({});
            object
        };
        let mut other = intent();
        other["metadata"]["payment"] = "order 7".into();
        let (none, ours) = (json!({}), json!({ "payment": PAYMENT, "refund": REFUND }));
        for (kind, object, expected) in [
            ("payment_intent.created", intent(), "nothing"),
            ("payment_intent.requires_action", intent(), "nothing"),
            ("charge.succeeded", charge(0), "nothing"),
            ("customer.subscription.created", json!("text"), "nothing"),
            ("refund.created", refund("pending", &ours), "nothing"),
            ("refund.created", refund("requires_action", &ours), "nothing"),
            ("refund.created", refund("succeeded", &none), "nothing"),
            ("refund.failed", refund("failed", &none), "foreign"),
            ("payment_intent.succeeded", foreign(intent()), "foreign"),
            ("payment_intent.succeeded", other, "foreign"),
            ("charge.refunded", foreign(charge(5)), "foreign"),
            ("charge.dispute.created", dispute("needs_response", &none), "foreign"),
            ("charge.dispute.closed", dispute("settled", &ours), "unknown"),
            ("refund.updated", refund("eaten", &ours), "unknown"),
            ("v1.billing.meter.error_report_triggered", json!("text"), "unknown"),
            ("payment_intent.eaten", json!({ "object": "of a kind yet unknown" }), "unknown"),
        ] {
            let found = match read_one(&event(kind, &object)).unwrap() {
                Report::Event(_) => "event",
                Report::Nothing { .. } => "nothing",
                Report::Unknown { .. } => "unknown",
                Report::Foreign { id, what } => {
                    assert!(id == "evt_1" && what.ends_with(" of pi_1"), "{what}");
                    "foreign"
                }
            };
            assert_eq!(found, expected, "{kind} {object}");
        }
    }

    #[test]
    fn what_names_nothing_of_ours_is_about_the_attempt_that_is_known_by_the_intent() {
        let known = PaymentId::parse(PAYMENT).unwrap();
        let as_known = |kind: &str, object: &Value| {
            let body = event(kind, object).to_string().into_bytes();
            let reference = payment_of(&body).unwrap();
            (reference.unwrap(), read(&body, Some(&known)).unwrap().remove(0))
        };
        let (none, others) = (json!({}), json!({ "payment": "order 7" }));
        for (kind, object) in [
            ("charge.dispute.created", dispute("needs_response", &none)),
            ("refund.failed", refund("failed", &none)),
        ] {
            let (reference, Report::Event(event)) = as_known(kind, &object) else {
                panic!("{kind}")
            };
            assert_eq!((reference.as_str(), &event.payment), ("pi_1", &known));
        }
        let (_, other) = as_known("charge.dispute.created", &dispute("needs_response", &others));
        assert!(matches!(other, Report::Foreign { .. }), "{other:?}");
    }

    #[test]
    fn what_is_no_event_says_why() {
        assert_eq!(read(b"{\"id\":\"\xff\"}", None), Err(Unreadable::Encoding));
        assert!(matches!(read(b"[]", None), Err(Unreadable::Form(_))));
        let mut nameless = event("payment_intent.succeeded", &intent());
        nameless["id"] = "".into();
        let mut floating = intent();
        floating["amount"] = json!(25.5);
        for body in [
            nameless,
            event("payment_intent.canceled", &floating),
            event("payment_intent.succeeded", &charge(1)),
            event("payment_intent.succeeded", &json!({ "object": "of a kind yet unknown" })),
        ] {
            assert!(matches!(read_one(&body), Err(Unreadable::Form(_))), "{body}");
        }
        for (field, value) in [("currency", json!("zzz")), ("amount_received", json!(i64::MAX))] {
            let mut object = intent();
            object[field] = value;
            let body = event("payment_intent.succeeded", &object);
            assert!(matches!(read_one(&body), Err(Unreadable::Value(_))), "{body}");
        }
        let mut timeless = event("payment_intent.succeeded", &intent());
        timeless["created"] = json!(i64::MAX);
        assert!(matches!(read_one(&timeless), Err(Unreadable::Value(_))));
    }

    proptest! {
        #[test]
        fn any_values_are_answered(
            kind in prop::sample::select(vec![
                "payment_intent.succeeded", "charge.refunded", "refund.updated",
                "charge.dispute.closed", "what.ever",
            ]),
            amount in any::<i64>(),
            before in any::<i64>(),
            created in any::<i64>(),
            text in "\\PC{0,40}",
        ) {
            for object in ["payment_intent", "charge", "refund", "dispute"] {
                let mut body = event(kind, &json!({
                    "id": text, "object": object, "amount": amount, "amount_received": amount,
                    "amount_refunded": amount, "status": text, "currency": "isk",
                    "payment_intent": text, "metadata": { "payment": PAYMENT, "refund": text },
                }));
                body["created"] = created.into();
                body["data"]["previous_attributes"] = json!({ "amount_refunded": before });
                for report in read(body.to_string().as_bytes(), None).into_iter().flatten() {
                    if let Report::Event(event) = report {
                        prop_assert!(event.part.is_none_or(|part| part.len() <= 128));
                    }
                }
            }
        }
    }
}
