//! The sandbox: play money, for development and demonstrations. Its callbacks
//! are signed as Standard Webhooks has it; their body is
//! [`SandboxEvent`]:
//!
//! ```json
//! {"id":"evt_1","type":"payment.failed","payment":"pay_...",
//!  "amount":{"amount":1250,"currency":"GBP"},
//!  "occurred_at":"2026-11-21T12:00:00Z","reason":"card_declined"}
//! ```

use aftercart::model::{
    payment::{PaymentEvent, PaymentEventKind, Provider},
    signature::{SignatureError, body_digest, standard_webhooks},
};
use serde::Deserialize;

use super::{Call, Callbacks, Report, Unreadable, event_identity, word};
use crate::wire::{SandboxEvent, SandboxEventKind};

/// The types that [`SandboxEventKind`] knows.
const KNOWN: [&str; 4] =
    ["payment.processing", "payment.succeeded", "payment.failed", "payment.cancelled"];

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
}

impl Callbacks for Sandbox {
    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        standard_webhooks::verify(call.secrets, call.header, call.body, call.now).map(drop)
    }

    fn read(&self, call: &Call<'_>) -> Result<Report, Unreadable> {
        let text = std::str::from_utf8(call.body).map_err(|_| Unreadable::Encoding)?;
        let malformed = |error: serde_json::Error| Unreadable::Form(error.to_string());
        let head: Head = serde_json::from_str(text).map_err(malformed)?;
        if !KNOWN.contains(&head.kind.as_str()) {
            return Ok(Report::Ignored { what: word(&head.kind) });
        }
        let event: SandboxEvent = serde_json::from_str(text).map_err(malformed)?;
        let id = (call.header)(standard_webhooks::ID).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Unreadable::Form("the event has no identity".to_owned()))?;
        Ok(Report::Event(PaymentEvent {
            id: event_identity(id),
            payment: event.payment,
            provider: Provider::Sandbox,
            kind: kind(event.kind),
            amount: event.amount,
            at: event.occurred_at,
            reason: event.reason.as_deref().map(word),
            body_digest: body_digest(call.body),
        }))
    }
}

fn kind(kind: SandboxEventKind) -> PaymentEventKind {
    match kind {
        SandboxEventKind::Processing => PaymentEventKind::Processing,
        SandboxEventKind::Succeeded => PaymentEventKind::Succeeded,
        SandboxEventKind::Failed => PaymentEventKind::Failed,
        SandboxEventKind::Cancelled => PaymentEventKind::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::time::Timestamp;

    use super::*;

    // The published example of the Standard Webhooks reference tests.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SECONDS: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn with<T>(
        secrets: &[&str],
        signature: &str,
        body: &[u8],
        now: i64,
        f: impl FnOnce(&Call<'_>) -> T,
    ) -> T {
        let header = |name: &str| match name {
            standard_webhooks::ID => Some(ID),
            standard_webhooks::TIMESTAMP => Some("1614265330"),
            standard_webhooks::SIGNATURE => Some(signature),
            _ => None,
        };
        let now = Timestamp::from_unix_seconds(now).unwrap();
        f(&Call { secrets, header: &header, body, now })
    }

    fn verified(secrets: &[&str], signature: &str, body: &[u8]) -> Result<(), SignatureError> {
        with(secrets, signature, body, SECONDS, |call| Sandbox.verify(call))
    }

    fn read(body: &[u8]) -> Result<Report, Unreadable> {
        with(&[], "", body, SECONDS, |call| Sandbox.read(call))
    }

    #[test]
    fn the_published_example_passes() {
        assert_eq!(verified(&[SECRET], SIGNED, BODY), Ok(()));
        assert_eq!(
            verified(&["whsec_b3RoZXI=", SECRET], &format!("v1,AAAA {SIGNED}"), BODY),
            Ok(())
        );
        let mut flipped = BODY.to_vec();
        flipped[9] ^= 1;
        assert_eq!(verified(&[SECRET], SIGNED, &flipped), Err(SignatureError::Mismatch));
        assert_eq!(verified(&["whsec_b3RoZXI="], SIGNED, BODY), Err(SignatureError::Mismatch));
        assert_eq!(verified(&[], SIGNED, BODY), Err(SignatureError::NoSecret));
    }

    #[test]
    fn an_event_is_read_field_by_field() {
        let body = br#"{"id":"evt_1","type":"payment.failed","payment":"pay_aaaaaaaaaaaaaaaaaaaaaaaaaa","amount":{"amount":1250,"currency":"GBP"},"occurred_at":"2026-11-21T12:00:00Z","reason":"card_declined"}"#;
        let Ok(Report::Event(event)) = read(body) else { panic!("no event") };
        assert_eq!(event.id, ID);
        assert_eq!(event.payment.as_str(), "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!((event.provider, event.kind), (Provider::Sandbox, PaymentEventKind::Failed));
        assert_eq!(event.amount.to_string(), "12.50 GBP");
        assert_eq!(event.at.to_string(), "2026-11-21T12:00:00.000Z");
        assert_eq!(event.reason.as_deref(), Some("card_declined"));
        assert_eq!(event.body_digest, body_digest(body));
    }

    #[test]
    fn every_known_type_is_a_kind() {
        for known in KNOWN {
            let kind: Result<SandboxEventKind, _> = serde_json::from_value(known.into());
            assert!(kind.is_ok(), "{known}");
        }
        let other = Report::Ignored { what: "payment.eaten".to_owned() };
        assert_eq!(read(br#"{"type":"payment.eaten"}"#), Ok(other));
    }

    #[test]
    fn what_is_no_event_says_why() {
        assert_eq!(read(b"\xff"), Err(Unreadable::Encoding));
        for body in [
            &b"not json"[..],
            b"{}",
            br#"{"type":"payment.succeeded"}"#,
            br#"{"type":"payment.succeeded","payment":"ord_aaaaaaaaaaaaaaaaaaaaaaaaaa","amount":{"amount":1,"currency":"GBP"},"occurred_at":"2026-11-21T12:00:00Z"}"#,
            br#"{"type":"payment.succeeded","payment":"pay_aaaaaaaaaaaaaaaaaaaaaaaaaa","amount":{"amount":1.5,"currency":"GBP"},"occurred_at":"2026-11-21T12:00:00Z"}"#,
        ] {
            assert!(matches!(read(body), Err(Unreadable::Form(_))), "{}", body.escape_ascii());
        }
    }
}
