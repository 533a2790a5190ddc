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
    money::Money,
    payment::{Flow, Method, PaymentEvent, PaymentEventKind, Provider, RefundStatus},
    signature::{SignatureError, body_digest, standard_webhooks},
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::{
    Answer, Asking, Call, CallError, Capability, GivingBack, Known, PaymentProvider, RefundAnswer,
    Report, Step, Unreadable, event_identity, word,
};
use crate::wire::{NextAction, SandboxEvent, SandboxEventKind};

/// What it can do: everything, in every currency.
const CAPABILITIES: [Capability; 1] = [Capability {
    method: Method::Test,
    flows: &[Flow::Embedded],
    currencies: &[],
    instalments: &[3, 6, 12],
    pay_later: false,
    refund_days: 365,
    partial_refunds: true,
}];

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
}

impl PaymentProvider for Sandbox {
    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    fn takes(&self, _: Method, _: Money) -> Result<(), CallError> {
        Ok(())
    }

    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        let secrets = call.credentials.webhook_secrets.iter();
        let secrets: Vec<&str> = secrets.map(|secret| secret.expose_secret()).collect();
        standard_webhooks::verify(&secrets, call.header, call.body, call.now).map(drop)
    }

    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
        let text = std::str::from_utf8(call.body).map_err(|_| Unreadable::Encoding)?;
        let malformed = |error: serde_json::Error| Unreadable::Form(error.to_string());
        let head: Head = serde_json::from_str(text).map_err(malformed)?;
        let id = (call.header)(standard_webhooks::ID).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Unreadable::Form("the event has no identity".to_owned()))?;
        let id = event_identity(id);
        if serde_json::from_value::<SandboxEventKind>(head.kind.as_str().into()).is_err() {
            return Ok(vec![Report::Unknown { id, what: word(&head.kind) }]);
        }
        let event: SandboxEvent = serde_json::from_str(text).map_err(malformed)?;
        Ok(vec![Report::Event(PaymentEvent {
            id,
            payment: event.payment,
            provider: Provider::Sandbox,
            kind: kind(event.kind),
            amount: event.amount,
            at: event.occurred_at,
            reason: event.reason.as_deref().map(word),
            reference: None,
            part: event.part,
            body_digest: body_digest(call.body),
        })])
    }

    fn headers(&self) -> &'static [&'static str] {
        &[standard_webhooks::ID]
    }

    fn answers_queries(&self) -> bool {
        false
    }

    /// Nobody is called.
    fn start(&self, _: &Asking<'_>, _: &[Answer]) -> Result<Step<NextAction>, CallError> {
        let callback = format!("/callbacks/{}", Provider::Sandbox);
        Ok(Step::Done(NextAction::Sandbox { callback }))
    }

    /// Play money goes back at once.
    fn refund(
        &self,
        giving: &GivingBack<'_>,
        _: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        let reference = Some(giving.refund.id.to_string());
        let status = RefundStatus::Succeeded;
        Ok(Step::Done(RefundAnswer { status, reference, reason: None }))
    }

    fn refund_status(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        self.refund(giving, answers)
    }

    /// It keeps nothing that could be asked for.
    fn query(&self, _: &Known<'_>, _: &[Answer]) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        Err(CallError::Unsupported)
    }
}

fn kind(kind: SandboxEventKind) -> PaymentEventKind {
    match kind {
        SandboxEventKind::Processing => PaymentEventKind::Processing,
        SandboxEventKind::Authorised => PaymentEventKind::Authorised,
        SandboxEventKind::Failed => PaymentEventKind::Failed,
        SandboxEventKind::Expired => PaymentEventKind::Expired,
        SandboxEventKind::Cancelled => PaymentEventKind::Cancelled,
        SandboxEventKind::Captured => PaymentEventKind::Captured,
        SandboxEventKind::Succeeded => PaymentEventKind::Succeeded,
        SandboxEventKind::Refunded => PaymentEventKind::Refunded,
        SandboxEventKind::RefundFailed => PaymentEventKind::RefundFailed,
        SandboxEventKind::Disputed => PaymentEventKind::Disputed,
        SandboxEventKind::DisputeWon => PaymentEventKind::DisputeWon,
        SandboxEventKind::DisputeLost => PaymentEventKind::DisputeLost,
    }
}

#[cfg(test)]
mod tests {
    use aftercart::{model::time::Timestamp, run::secrets::Credentials};
    use secrecy::SecretString;

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
        let webhook_secrets = secrets.iter().map(|it| SecretString::from(*it)).collect();
        let credentials = Credentials { webhook_secrets, ..Credentials::default() };
        let (credentials, path) = (&credentials, "/callbacks/sandbox");
        f(&Call { credentials, method: "POST", path, header: &header, body, now })
    }

    fn verified(secrets: &[&str], signature: &str, body: &[u8]) -> Result<(), SignatureError> {
        with(secrets, signature, body, SECONDS, |call| Sandbox.verify(call))
    }

    fn read(body: &[u8]) -> Result<Vec<Report>, Unreadable> {
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
        let [Report::Event(event)] = &*read(body).unwrap() else { panic!("no event") };
        assert_eq!(event.id, ID);
        assert_eq!(event.payment.as_str(), "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!((event.provider, event.kind), (Provider::Sandbox, PaymentEventKind::Failed));
        assert_eq!(event.amount.to_string(), "12.50 GBP");
        assert_eq!(event.at.to_string(), "2026-11-21T12:00:00.000Z");
        assert_eq!(event.reason.as_deref(), Some("card_declined"));
        assert_eq!(event.body_digest, body_digest(body));
    }

    #[test]
    fn an_unknown_type_is_for_a_person() {
        let unknown = Report::Unknown { id: ID.to_owned(), what: "payment.eaten".to_owned() };
        assert_eq!(read(br#"{"type":"payment.eaten"}"#), Ok(vec![unknown]));
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
