//! Creates the payment intent of an attempt.
//!
//! The attempt's identity is Stripe's idempotency key, so a call that is
//! repeated, here or by the client, finds the intent that the first one made.
//! Stripe forgets keys after 24 hours; an older attempt is not taken up again,
//! because a second intent could be paid beside the first.

use std::time::Duration;

use aftercart::{
    model::{
        payment::Attempt,
        time::{Period, Timestamp},
    },
    run::outgoing::Outgoing,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::{providers::word, rules::stripe_amount, wire::ClientSecret};

/// The edition of Stripe's API that these calls and answers are written for.
const VERSION: &str = "2025-10-29.clover";

/// The field that asks for 3-D Secure.
const THREE_D_SECURE: &str = "payment_method_options[card][request_three_d_secure]";

/// How often a call is tried: each may take the whole time-out of an outgoing
/// call, and the buyer waits.
const TRIES: u32 = 3;

/// The longest wait before the second try, in milliseconds; it doubles with
/// each. Stripe answers 409 while the same call is still under way, which
/// takes it about this long.
const WAIT_MS_MIN: u64 = 200;

/// For how long after its start an attempt is taken up again: an hour less
/// than Stripe keeps a key.
const KEY_LIFE: Period = Period::of_seconds(23 * 3_600);

/// Where Stripe is and what it is called with.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// The beginning of every address of its API.
    pub url: &'a str,
    /// The key of the merchant's account.
    pub key: &'a SecretString,
}

/// Why there is no intent. None of it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// The attempt is older than Stripe's memory of it.
    #[error("the attempt is too old to be taken up again")]
    TooOld,
    /// No answer, or one that says to try later, until the tries were used up.
    /// The intent may have been created; the same call finds it.
    #[error("Stripe gave no intent in {TRIES} tries: {0}")]
    Unavailable(String),
    /// Stripe does not take the amount: less or more than it charges at once.
    #[error("Stripe does not take the amount: {0}")]
    Amount(String),
    /// Stripe refuses the call for a reason that no buyer can mend.
    #[error("Stripe refused the call: {0}")]
    Refused(String),
    /// The answer has not its form.
    #[error("Stripe's answer has not its form: {0}")]
    Unusable(String),
    /// The call cannot be written: the address or the key is no such thing.
    #[error("the call to Stripe cannot be written: {0}")]
    Unwritable(String),
}

/// Creates the intent of an attempt, or finds the one created before. Safe to
/// repeat with the same attempt.
///
/// # Errors
/// [`IntentError`].
pub async fn create(
    outgoing: &dyn Outgoing,
    access: Access<'_>,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<ClientSecret, IntentError> {
    if attempt.at.plus(KEY_LIFE) <= now {
        return Err(IntentError::TooOld);
    }
    let mut why = String::new();
    for tried in 0..TRIES {
        if tried > 0 {
            let longest = WAIT_MS_MIN << (tried - 1);
            tokio::time::sleep(Duration::from_millis(fastrand::u64(longest / 2..=longest))).await;
        }
        let answered = match outgoing.call(request(access, attempt)?).await {
            Ok(answer) => read(&answer),
            Err(error) => Reading::Again(error.to_string()),
        };
        match answered {
            Reading::Done(secret) => return Ok(secret),
            Reading::Never(error) => return Err(error),
            Reading::Again(reason) => why = reason,
        }
    }
    Err(IntentError::Unavailable(why))
}

/// The call that creates the intent of an attempt.
fn request(access: Access<'_>, attempt: &Attempt) -> Result<Request<Bytes>, IntentError> {
    let unwritable = |error: &dyn std::error::Error| IntentError::Unwritable(error.to_string());
    let bearer = format!("Bearer {}", access.key.expose_secret());
    let mut authorization = HeaderValue::from_str(&bearer).map_err(|error| unwritable(&error))?;
    authorization.set_sensitive(true);
    let amount =
        stripe_amount::to_stripe(attempt.amount).map_err(|e| IntentError::Amount(e.to_string()))?;
    let mut fields = vec![
        ("amount", amount.to_string()),
        ("currency", attempt.amount.currency().code().to_ascii_lowercase()),
        // Cards and the wallets that hold them. Methods that settle days later
        // would outlast the hold of the stock.
        ("payment_method_types[]", "card".to_owned()),
        ("metadata[payment]", attempt.id.to_string()),
        ("metadata[order]", attempt.order.to_string()),
    ];
    if attempt.verify {
        // 3-D Secure whenever the card knows it, by whatever flow the bank chooses.
        fields.push((THREE_D_SECURE, "any".to_owned()));
    }
    Request::post(format!("{}/v1/payment_intents", access.url))
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("idempotency-key", attempt.id.as_str())
        .header("stripe-version", VERSION)
        .body(form(&fields).into())
        .map_err(|error| unwritable(&error))
}

/// Fields as a form.
fn form(fields: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What an answer comes to.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Done(ClientSecret),
    Again(String),
    Never(IntentError),
}

#[derive(Deserialize)]
struct Intent {
    client_secret: ClientSecret,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: RefusalError,
}

/// Stripe's `message` is not among these: it quotes what it was sent.
#[derive(Default, Deserialize)]
struct RefusalError {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    param: String,
}

/// Reads an answer. `Stripe-Should-Retry` is Stripe's own word on whether the
/// call is worth repeating; without it the status tells.
fn read(answer: &Response<Bytes>) -> Reading {
    let status = answer.status().as_u16();
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    if answer.status().is_success() {
        return match serde_json::from_slice::<Intent>(answer.body()) {
            Ok(intent) => Reading::Done(intent.client_secret),
            Err(error) => {
                let place = format!("line {}, column {}", error.line(), error.column());
                Reading::Never(IntentError::Unusable(format!("status {status}, {place}")))
            }
        };
    }
    let Refusal { error } = serde_json::from_slice(answer.body()).unwrap_or_default();
    let why = format!(
        "status {status}, type `{}`, code `{}`, param `{}`, request `{}`",
        word(&error.kind),
        word(&error.code),
        word(&error.param),
        word(header("request-id").unwrap_or_default()),
    );
    let again = match header("stripe-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => matches!(status, 409 | 429 | 500..),
    };
    match error.code.as_str() {
        _ if again => Reading::Again(why),
        "amount_too_small" | "amount_too_large" => Reading::Never(IntentError::Amount(why)),
        _ if status >= 500 || matches!(status, 409 | 429) => {
            Reading::Never(IntentError::Unavailable(why))
        }
        _ => Reading::Never(IntentError::Refused(why)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use aftercart::{
        model::{
            customer::CustomerId,
            id::{OrderId, PaymentId},
            money::{Currency, Money},
            payment::Provider,
        },
        run::outgoing::{Answering, OutgoingError},
    };

    use super::*;

    /// A Stripe that answers as told, one answer a call, and keeps the calls.
    #[derive(Debug)]
    struct Told {
        answers: Mutex<Vec<Option<Response<Bytes>>>>,
        calls: Mutex<Vec<Request<Bytes>>>,
    }

    impl Told {
        fn new(answers: Vec<Option<Response<Bytes>>>) -> Self {
            Self { answers: Mutex::new(answers), calls: Mutex::default() }
        }
    }

    impl Outgoing for Told {
        fn call(&self, request: Request<Bytes>) -> Answering {
            self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(0);
            Box::pin(async move { answer.ok_or(OutgoingError::Timeout) })
        }
    }

    fn answer(status: u16, body: &str) -> Option<Response<Bytes>> {
        Some(Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap())
    }

    fn saying(status: u16, retry: &str) -> Option<Response<Bytes>> {
        let answer = Response::builder().status(status).header("stripe-should-retry", retry);
        Some(answer.body(Bytes::new()).unwrap())
    }

    fn created() -> Option<Response<Bytes>> {
        answer(200, r#"{"id":"pi_1","client_secret":"pi_1_secret_2"}"#)
    }

    fn attempt(minor: i64, code: &str) -> Attempt {
        Attempt {
            id: PaymentId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            provider: Provider::Stripe,
            amount: Money::new(minor, Currency::parse(code).unwrap()).unwrap(),
            verify: false,
            at: Timestamp::EPOCH,
            request: String::new(),
        }
    }

    fn created_by(stripe: &Told, attempt: &Attempt, now: i64) -> Result<ClientSecret, IntentError> {
        let key = SecretString::from("sk_test_1");
        let access = Access { url: "https://api.stripe.example", key: &key };
        let now = Timestamp::from_unix_seconds(now).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(create(stripe, access, attempt, now))
    }

    #[test]
    fn the_call_is_the_one_that_stripe_documents() {
        let stripe = Told::new(vec![created()]);
        let secret = created_by(&stripe, &attempt(5, "ISK"), 0).unwrap();
        assert_eq!(secret, ClientSecret("pi_1_secret_2".to_owned()));
        let calls = stripe.calls.lock().unwrap();
        let call = calls.first().unwrap();
        assert_eq!(call.method(), "POST");
        assert_eq!(call.uri(), "https://api.stripe.example/v1/payment_intents");
        let header = |name: &str| call.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("authorization"), "Bearer sk_test_1");
        assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
        assert_eq!(header("idempotency-key"), PaymentId::derive(&["1"]).as_str());
        assert_eq!(header("stripe-version"), VERSION);
        assert!(!format!("{call:?}").contains("sk_test_1"));
        assert_eq!(
            call.body(),
            format!(
                "amount=500&currency=isk&payment_method_types%5B%5D=card\
                 &metadata%5Bpayment%5D={}&metadata%5Border%5D={}",
                PaymentId::derive(&["1"]),
                OrderId::derive(&["1"])
            )
            .as_bytes()
        );
    }

    #[test]
    fn what_may_pass_is_tried_again_with_the_same_key() {
        for first in [
            None,
            answer(500, ""),
            answer(503, "<html>"),
            answer(409, "{}"),
            answer(429, "{}"),
            saying(400, "true"),
        ] {
            let stripe = Told::new(vec![first, created()]);
            assert!(created_by(&stripe, &attempt(2500, "GBP"), 0).is_ok());
            let calls = stripe.calls.lock().unwrap();
            let keys: Vec<_> =
                calls.iter().map(|call| call.headers().get("idempotency-key")).collect();
            assert_eq!(keys.len(), 2);
            assert_eq!(keys.first(), keys.last());
        }
    }

    #[test]
    fn tries_are_bounded() {
        let stripe = Told::new(vec![answer(500, ""), None, None]);
        let error = created_by(&stripe, &attempt(2500, "GBP"), 0).unwrap_err();
        assert!(matches!(&error, IntentError::Unavailable(why) if why.contains("within 5 s")));
        assert_eq!(stripe.calls.lock().unwrap().len(), 3);
    }

    #[test]
    fn what_stripe_refuses_is_not_tried_again() {
        let invalid = r#"{"error":{"type":"invalid_request_error","code":"parameter_missing","param":"x","message":"sk_test_1"}}"#;
        let small = r#"{"error":{"type":"invalid_request_error","code":"amount_too_small"}}"#;
        for (answer, class) in [
            (answer(400, invalid), "refused"),
            (answer(401, ""), "refused"),
            (answer(402, invalid), "refused"),
            (answer(400, small), "amount"),
            (saying(500, "false"), "unavailable"),
            (answer(200, "{}"), "unusable"),
            (answer(200, "nothing"), "unusable"),
        ] {
            let stripe = Told::new(vec![answer]);
            let error = created_by(&stripe, &attempt(2500, "GBP"), 0).unwrap_err();
            let found = match &error {
                IntentError::Refused(_) => "refused",
                IntentError::Amount(_) => "amount",
                IntentError::Unavailable(_) => "unavailable",
                IntentError::Unusable(_) => "unusable",
                IntentError::TooOld | IntentError::Unwritable(_) => "other",
            };
            assert_eq!(found, class, "{error}");
            assert!(!error.to_string().contains("sk_test_1"), "{error}");
        }
    }

    #[test]
    fn an_attempt_that_stripe_may_have_forgotten_is_left_alone() {
        let stripe = Told::new(vec![created()]);
        assert!(created_by(&stripe, &attempt(2500, "GBP"), 23 * 3_600 - 1).is_ok());
        let stripe = Told::new(Vec::new());
        let error = created_by(&stripe, &attempt(2500, "GBP"), 23 * 3_600);
        assert_eq!(error, Err(IntentError::TooOld));
    }
}
