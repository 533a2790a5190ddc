//! Stripe: payment intents. Callbacks carry `Stripe-Signature`
//! (<https://docs.stripe.com/webhooks/signature>).
//!
//! | event | kind | amount |
//! |---|---|---|
//! | `payment_intent.processing` | processing | `amount` |
//! | `payment_intent.payment_failed` | failed, with `last_payment_error.code` | `amount` |
//! | `payment_intent.canceled` | cancelled | `amount` |
//! | `payment_intent.succeeded` | succeeded | `amount_received` |
//!
//! The intent's `metadata.payment` names the attempt. An event of another
//! type, about another kind of object, or about an intent without such a name
//! is ignored: the merchant's account may have other uses.

pub mod intent;

use aftercart::model::{
    id::PaymentId,
    payment::{PaymentEvent, PaymentEventKind, Provider},
    signature::{MAX_SIGNATURES, SignatureError, any_matches, body_digest, fresh, hex},
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Call, Callbacks, Report, Unreadable, event_identity, word};
use crate::rules::stripe_amount;

/// The header of the signatures.
pub const SIGNATURE: &str = "stripe-signature";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Stripe;

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    object: String,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    payment: Option<String>,
}

#[derive(Deserialize)]
struct Intent {
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    #[serde(default)]
    last_payment_error: Option<Decline>,
}

#[derive(Deserialize)]
struct Decline {
    #[serde(default)]
    code: Option<String>,
}

impl Callbacks for Stripe {
    /// HMAC-SHA256, in hexadecimal, over the header's `t`, a point and the
    /// body, with the secret of the endpoint as it is written. Every `v1` is
    /// tried with every secret: both are several while a secret is rolled.
    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        let header = (call.header)(SIGNATURE).ok_or(SignatureError::MissingHeader(SIGNATURE))?;
        let malformed = SignatureError::MalformedHeader(SIGNATURE);
        let pairs = || header.split(',').filter_map(|pair| pair.trim().split_once('='));
        let of = |wanted| pairs().filter(move |(name, _)| *name == wanted).map(|(_, value)| value);
        let seconds = of("t").next().ok_or(malformed)?;
        let signed_at: i64 = seconds.parse().map_err(|_| malformed)?;
        let offered: Vec<Vec<u8>> = of("v1").take(MAX_SIGNATURES).filter_map(hex).collect();
        if offered.is_empty() {
            return Err(malformed);
        }
        if call.secrets.is_empty() {
            return Err(SignatureError::NoSecret);
        }
        let keys: Vec<Vec<u8>> =
            call.secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect();
        if !any_matches(&keys, &[seconds.as_bytes(), b".", call.body], &offered) {
            return Err(SignatureError::Mismatch);
        }
        fresh(signed_at, call.now)
    }

    fn read(&self, call: &Call<'_>) -> Result<Report, Unreadable> {
        let text = std::str::from_utf8(call.body).map_err(|_| Unreadable::Encoding)?;
        let event: Event<'_> = parsed(text)?;
        let ignored = |why: &str| Report::Ignored { what: format!("{}{why}", word(&event.kind)) };
        let Some(kind) = kind(&event.kind) else {
            return Ok(ignored(""));
        };
        let object: Object = parsed(event.data.object.get())?;
        if object.object != "payment_intent" {
            return Ok(ignored(" of an object of another kind"));
        }
        let payment = object.metadata.payment.as_deref().and_then(|id| PaymentId::parse(id).ok());
        let Some(payment) = payment else {
            return Ok(ignored(" of a payment that was not started here"));
        };
        reported(&event, kind, payment, call.body).map(Report::Event)
    }
}

/// The event of an intent that is ours.
fn reported(
    event: &Event<'_>,
    kind: PaymentEventKind,
    payment: PaymentId,
    body: &[u8],
) -> Result<PaymentEvent, Unreadable> {
    if event.id.is_empty() {
        return Err(Unreadable::Form("the event has no identity".to_owned()));
    }
    let intent: Intent = parsed(event.data.object.get())?;
    let units = match kind {
        PaymentEventKind::Succeeded => intent.amount_received,
        _ => intent.amount,
    };
    let amount = stripe_amount::from_stripe(units, &intent.currency)
        .map_err(|error| Unreadable::Value(error.to_string()))?;
    let at = Timestamp::from_unix_seconds(event.created)
        .map_err(|_| Unreadable::Value("`created` is no time".to_owned()))?;
    let declined = intent.last_payment_error.and_then(|error| error.code);
    Ok(PaymentEvent {
        id: event_identity(&event.id),
        payment,
        provider: Provider::Stripe,
        kind,
        amount,
        at,
        reason: declined.filter(|_| kind == PaymentEventKind::Failed).as_deref().map(word),
        body_digest: body_digest(body),
    })
}

fn kind(written: &str) -> Option<PaymentEventKind> {
    match written {
        "payment_intent.processing" => Some(PaymentEventKind::Processing),
        "payment_intent.payment_failed" => Some(PaymentEventKind::Failed),
        "payment_intent.canceled" => Some(PaymentEventKind::Cancelled),
        "payment_intent.succeeded" => Some(PaymentEventKind::Succeeded),
        _ => None,
    }
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable::Form(error.to_string()))
}

#[cfg(test)]
mod tests {
    use aftercart::model::signature::{hmac_sha256, to_hex};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    // The example of the tests of the library async-stripe (webhook.rs).
    const SECRET: &str = "webhook_secret";
    const SECONDS: i64 = 1_533_204_620;
    const V1: &str = "82216eca827bcb7b34b8055eb2d2d9e6bc13b9ac39ded14a61e69f70c565f53a";
    const V0: &str = "63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef";
    const BODY: &str = r#"{
  "id": "evt_123",
  "object": "event",
  "account": "acct_123",
  "api_version": "2017-05-25",
  "created": 1533204620,
  "data": {
    "object": {
      "id": "ii_123",
      "object": "invoiceitem",
      "amount": 1000,
      "currency": "usd",
      "customer": "cus_123",
      "date": 1533204620,
      "description": "Test Invoice Item",
      "discountable": false,
      "invoice": "in_123",
      "livemode": false,
      "metadata": {},
      "period": {
        "start": 1533204620,
        "end": 1533204620
      },
      "proration": false,
      "quantity": 3
    }
  },
  "livemode": false,
  "pending_webhooks": 1,
  "request": {
    "id": "req_123",
    "idempotency_key": "idempotency-key-123"
  },
  "type": "invoiceitem.created"
}
"#;

    fn with<T>(
        secrets: &[&str],
        header: Option<&str>,
        body: &[u8],
        now: i64,
        f: impl FnOnce(&Call<'_>) -> T,
    ) -> T {
        let header = |name: &str| header.filter(|_| name == SIGNATURE);
        let now = Timestamp::from_unix_seconds(now).unwrap();
        f(&Call { secrets, header: &header, body, now })
    }

    fn verify(secrets: &[&str], header: &str, now: i64) -> Result<(), SignatureError> {
        with(secrets, Some(header), BODY.as_bytes(), now, |call| Stripe.verify(call))
    }

    fn published() -> String {
        format!("t={SECONDS},v1={V1},v0={V0}")
    }

    #[test]
    fn the_published_example_passes() {
        assert_eq!(verify(&[SECRET], &published(), SECONDS), Ok(()));
        assert_eq!(verify(&[SECRET], &published(), SECONDS + 300), Ok(()));
        assert_eq!(verify(&[SECRET], &published(), SECONDS - 300), Ok(()));
        let unknown = with(&[], None, BODY.as_bytes(), SECONDS, |call| Stripe.read(call));
        assert_eq!(unknown, Ok(Report::Ignored { what: "invoiceitem.created".to_owned() }));
    }

    #[test]
    fn any_signature_matches_any_secret() {
        let other = V0;
        for header in [
            format!("t={SECONDS},v1={other},v1={V1}"),
            format!("t={SECONDS},v1={V1},v1={other}"),
            format!("v0={other},v1={other},v1=zz,v1={V1},v2=x,t={SECONDS}"),
            format!("t={SECONDS}, v1={}", V1.to_uppercase()),
        ] {
            for secrets in [&[SECRET, "new"][..], &["new", SECRET]] {
                assert_eq!(verify(secrets, &header, SECONDS), Ok(()), "{header}");
            }
        }
    }

    #[test]
    fn each_fault_is_told() {
        let malformed = SignatureError::MalformedHeader(SIGNATURE);
        for (secrets, header, now, error) in [
            (&[SECRET][..], published(), SECONDS + 301, SignatureError::Stale),
            (&[SECRET], published(), SECONDS - 301, SignatureError::Stale),
            (&["other"], published(), SECONDS, SignatureError::Mismatch),
            (&["other"], published(), SECONDS + 301, SignatureError::Mismatch),
            (&[SECRET], format!("t={},v1={V1}", SECONDS + 1), SECONDS, SignatureError::Mismatch),
            (&[SECRET], format!("t={SECONDS},v1={V0},v0={V1}"), SECONDS, SignatureError::Mismatch),
            (&[SECRET], format!("t={SECONDS},v1={}", &V1[..62]), SECONDS, SignatureError::Mismatch),
            (&[SECRET], format!("t={SECONDS},v0={V1}"), SECONDS, malformed),
            (&[SECRET], format!("t={SECONDS}"), SECONDS, malformed),
            (&[SECRET], format!("v1={V1}"), SECONDS, malformed),
            (&[SECRET], format!("t=now,v1={V1}"), SECONDS, malformed),
            (&[SECRET], String::new(), SECONDS, malformed),
            (&[], published(), SECONDS, SignatureError::NoSecret),
        ] {
            assert_eq!(verify(secrets, &header, now), Err(error), "{header}");
        }
        let none = with(&[SECRET], None, b"", SECONDS, |call| Stripe.verify(call));
        assert_eq!(none, Err(SignatureError::MissingHeader(SIGNATURE)));
    }

    proptest! {
        #[test]
        fn one_flipped_bit_of_the_body_is_enough(byte in 0..BODY.len(), bit in 0_u32..8) {
            let mut body = BODY.as_bytes().to_vec();
            body[byte] ^= 1 << bit;
            let verified = with(&[SECRET], Some(&published()), &body, SECONDS, |call| {
                Stripe.verify(call)
            });
            prop_assert_eq!(verified, Err(SignatureError::Mismatch));
        }

        #[test]
        fn one_flipped_bit_of_the_signature_is_enough(byte in 0..32_usize, bit in 0_u32..8) {
            let mut mac = hex(V1).unwrap();
            mac[byte] ^= 1 << bit;
            let header = format!("t={SECONDS},v1={}", to_hex(&mac));
            prop_assert_eq!(verify(&[SECRET], &header, SECONDS), Err(SignatureError::Mismatch));
        }

        #[test]
        fn any_header_is_answered(header in "\\PC{0,200}") {
            prop_assert!(verify(&[SECRET], &header, SECONDS).is_err());
        }
    }

    #[test]
    fn what_is_signed_over_is_the_time_a_point_and_the_body() {
        let seconds = SECONDS.to_string();
        let mac = hmac_sha256(SECRET.as_bytes(), &[seconds.as_bytes(), b".", BODY.as_bytes()]);
        assert_eq!(to_hex(&mac), V1);
    }

    fn event(kind: &str, object: &Value) -> Value {
        json!({
            "id": "evt_1", "object": "event", "created": SECONDS, "type": kind,
            "data": { "object": object },
        })
    }

    fn intent() -> Value {
        json!({
            "id": "pi_1", "object": "payment_intent", "amount": 2500, "amount_received": 2400,
            "currency": "gbp", "last_payment_error": { "code": "card_declined" },
            "metadata": { "payment": "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa", "order": "ord_x" },
        })
    }

    fn read(body: &Value) -> Result<Report, Unreadable> {
        with(&[], None, body.to_string().as_bytes(), SECONDS, |call| Stripe.read(call))
    }

    #[test]
    fn the_four_types_are_mapped() {
        for (written, kind, minor, reason) in [
            ("payment_intent.processing", PaymentEventKind::Processing, 2500, None),
            (
                "payment_intent.payment_failed",
                PaymentEventKind::Failed,
                2500,
                Some("card_declined"),
            ),
            ("payment_intent.canceled", PaymentEventKind::Cancelled, 2500, None),
            ("payment_intent.succeeded", PaymentEventKind::Succeeded, 2400, None),
        ] {
            let Ok(Report::Event(event)) = read(&event(written, &intent())) else {
                panic!("{written}")
            };
            assert_eq!((event.kind, event.amount.minor()), (kind, minor));
            assert_eq!((event.id.as_str(), event.at.unix_seconds()), ("evt_1", SECONDS));
            assert_eq!(event.amount.currency().code(), "GBP");
            assert_eq!(event.reason.as_deref(), reason);
            assert_eq!(event.provider, Provider::Stripe);
        }
    }

    #[test]
    fn what_is_not_ours_is_ignored() {
        let mut foreign = intent();
        foreign["metadata"] = json!({});
        let mut other = intent();
        other["metadata"]["payment"] = "order 7".into();
        let charge = json!({ "object": "charge", "metadata": { "payment": "pay_x" } });
        for body in [
            event("payment_intent.succeeded", &foreign),
            event("payment_intent.succeeded", &other),
            event("payment_intent.succeeded", &charge),
            event("payment_intent.succeeded", &json!({ "object": "of a kind yet unknown" })),
            event("payment_intent.created", &intent()),
            event("v1.billing.meter.error_report_triggered", &json!("text")),
        ] {
            assert!(matches!(read(&body), Ok(Report::Ignored { .. })), "{body}");
        }
    }

    #[test]
    fn what_is_no_event_says_why() {
        let raw = |body: &[u8]| with(&[], None, body, SECONDS, |call| Stripe.read(call));
        assert_eq!(raw(b"{\"id\":\"\xff\"}"), Err(Unreadable::Encoding));
        assert!(matches!(raw(b"[]"), Err(Unreadable::Form(_))));
        let mut nameless = event("payment_intent.succeeded", &intent());
        nameless["id"] = "".into();
        assert!(matches!(read(&nameless), Err(Unreadable::Form(_))));
        for (field, value) in [("currency", json!("zzz")), ("amount_received", json!(i64::MAX))] {
            let mut object = intent();
            object[field] = value;
            let body = event("payment_intent.succeeded", &object);
            assert!(matches!(read(&body), Err(Unreadable::Value(_))), "{body}");
        }
        let mut floating = intent();
        floating["amount"] = json!(25.5);
        let body = event("payment_intent.canceled", &floating);
        assert!(matches!(read(&body), Err(Unreadable::Form(_))));
    }
}
