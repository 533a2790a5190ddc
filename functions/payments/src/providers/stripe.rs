//! Stripe: payment intents, paid in the page with Stripe's own form.
//!
//! | the secret's | holds |
//! |---|---|
//! | `webhook_secrets` | the signing secrets (`whsec_...`) of the endpoint, both while one is rolled |
//! | `api_keys` | the secret key, or a restricted one that may write payment intents and refunds and read disputes |
//! | `account.api_url` | nothing, or another address of the API |
//!
//! The endpoint is subscribed to `payment_intent.*`, `charge.refunded`,
//! `charge.dispute.*` and `refund.*`. Callbacks carry `Stripe-Signature`
//! (<https://docs.stripe.com/webhooks/signature>).
//!
//! | event | kind | amount | part |
//! |---|---|---|---|
//! | `payment_intent.processing` | processing | `amount` | |
//! | `payment_intent.amount_capturable_updated` | authorised | `amount_capturable` | |
//! | `payment_intent.payment_failed` | failed, with `last_payment_error.code` | `amount` | |
//! | `payment_intent.canceled` | cancelled | `amount` | |
//! | `payment_intent.succeeded` | succeeded | `amount_received` | |
//! | `refund.created`, `.updated`, `.failed`, `charge.refund.updated` | by its status refunded or refund failed; nothing while it is pending | `amount` | `metadata.refund` |
//! | `charge.refunded` | refunded | by how much `amount_refunded` grew | our refund, if its key made the call; else the charge and its total |
//! | `charge.dispute.*` | by its status disputed, dispute won or lost | `amount` | the dispute |
//!
//! An event is ours if `metadata.payment` of its object names an attempt. An
//! intent's metadata is set when it is created, Stripe copies it to the charge
//! that pays it, and a refund has what it is created with
//! (<https://docs.stripe.com/metadata>). A refund by hand in the Dashboard has
//! none: its charge tells of it, and only its failure is foreign.
//!
//! A dispute has no metadata of its own and nothing else that we chose: it
//! tells its `payment_intent` only. So its first events are foreign, and a
//! person sees a case whose text is that intent. When `payment` (the identity of
//! the attempt, as the intent's metadata has it) is entered in the dispute's metadata,
//! Stripe reports `charge.dispute.updated` with it, and whatever follows is
//! the attempt's. [`PaymentProvider::query`] finds disputes by itself.
//!
//! Cards are paid at once: the parts that Stripe offers in Mexico and Japan
//! are chosen in a page that knows the card, which is not how an attempt is
//! started here.

mod api;
mod event;
mod intent;
mod refund;

use aftercart::model::{
    id::PaymentId,
    money::Money,
    payment::{Flow, Method, PaymentEvent},
    signature::{MAX_SIGNATURES, SignatureError, any_matches, fresh, hex},
};
use secrecy::ExposeSecret as _;

use super::{
    Answer, Asking, Call, CallError, Capability, GivingBack, Known, PaymentProvider, RefundAnswer,
    Report, Step, Unreadable, in_currency,
};
use crate::{rules::stripe_amount, wire::NextAction};

/// The header of the signatures.
pub const SIGNATURE: &str = "stripe-signature";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Stripe;

/// A method that is paid at once in Stripe's form, in the page.
const fn embedded(
    method: Method,
    currencies: &'static [&'static str],
    refund_days: u16,
) -> Capability {
    Capability {
        method,
        flows: &[Flow::Embedded],
        currencies,
        instalments: &[],
        pay_later: matches!(method, Method::Klarna),
        refund_days,
        partial_refunds: true,
    }
}

/// What it can do: the pages of the methods, such as
/// <https://docs.stripe.com/payments/klarna>, have these currencies and
/// periods. For cards there is no period; later than this many fail.
const CAPABILITIES: [Capability; 5] = [
    embedded(Method::Card, &[], 180),
    embedded(
        Method::Klarna,
        &[
            "AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "NOK", "NZD", "PLN", "RON", "SEK",
            "USD",
        ],
        180,
    ),
    embedded(
        Method::Alipay,
        &["AUD", "CAD", "CNY", "EUR", "GBP", "HKD", "JPY", "MYR", "NZD", "SGD", "USD"],
        90,
    ),
    embedded(
        Method::WechatPay,
        &[
            "AUD", "CAD", "CHF", "CNY", "DKK", "EUR", "GBP", "HKD", "JPY", "NOK", "SEK", "SGD",
            "USD",
        ],
        180,
    ),
    embedded(Method::Ideal, &["EUR"], 180),
];

impl PaymentProvider for Stripe {
    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    fn takes(&self, method: Method, amount: Money) -> Result<(), CallError> {
        in_currency("Stripe", &CAPABILITIES, method, amount)?;
        let taken = stripe_amount::to_stripe(amount).map(drop);
        taken.map_err(|error| CallError::Amount(error.to_string()))
    }

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
        if call.credentials.webhook_secrets.is_empty() {
            return Err(SignatureError::NoSecret);
        }
        let secrets = call.credentials.webhook_secrets.iter();
        let keys: Vec<Vec<u8>> =
            secrets.map(|secret| secret.expose_secret().as_bytes().to_vec()).collect();
        if !any_matches(&keys, &[seconds.as_bytes(), b".", call.body], &offered) {
            return Err(SignatureError::Mismatch);
        }
        fresh(signed_at, call.now)
    }

    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
        event::read(call.body, None)
    }

    fn payment_of(&self, call: &Call<'_>) -> Result<Option<String>, Unreadable> {
        event::payment_of(call.body)
    }

    fn read_of(&self, call: &Call<'_>, payment: &PaymentId) -> Result<Vec<Report>, Unreadable> {
        event::read(call.body, Some(payment))
    }

    fn start(
        &self,
        asking: &Asking<'_>,
        answers: &[Answer],
    ) -> Result<Step<NextAction>, CallError> {
        intent::start(asking, answers)
    }

    fn refund(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        refund::refund(giving, answers)
    }

    fn refund_status(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        refund::status(giving, answers)
    }

    fn query(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        intent::query(payment, answers)
    }
}

#[cfg(test)]
mod fixtures;

#[cfg(test)]
mod tests {
    use aftercart::{
        model::{
            money::Currency,
            signature::{hmac_sha256, to_hex},
            time::Timestamp,
        },
        run::secrets::Credentials,
    };
    use proptest::prelude::*;
    use secrecy::SecretString;

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
        let webhook_secrets = secrets.iter().map(|it| SecretString::from(*it)).collect();
        let credentials = Credentials { webhook_secrets, ..Credentials::default() };
        let (credentials, path) = (&credentials, "/callbacks/stripe");
        f(&Call { credentials, method: "POST", path, header: &header, body, now })
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
        let read = with(&[], None, BODY.as_bytes(), SECONDS, |call| Stripe.read(call));
        assert_eq!(read, Ok(vec![Report::Nothing { what: "invoiceitem.created".to_owned() }]));
        let seconds = SECONDS.to_string();
        let mac = hmac_sha256(SECRET.as_bytes(), &[seconds.as_bytes(), b".", BODY.as_bytes()]);
        assert_eq!(to_hex(&mac), V1);
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

    #[test]
    fn one_flipped_bit_in_any_byte_is_enough() {
        for byte in 0..BODY.len() {
            let mut body = BODY.as_bytes().to_vec();
            body[byte] ^= 1;
            let verified =
                with(&[SECRET], Some(&published()), &body, SECONDS, |call| Stripe.verify(call));
            assert_eq!(verified, Err(SignatureError::Mismatch), "byte {byte}");
        }
        for byte in 0..32 {
            let mut mac = hex(V1).unwrap();
            mac[byte] ^= 1;
            let header = format!("t={SECONDS},v1={}", to_hex(&mac));
            assert_eq!(verify(&[SECRET], &header, SECONDS), Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn each_method_has_its_currencies() {
        let money = |code: &str| Money::new(2500, Currency::parse(code).unwrap()).unwrap();
        for (method, code, taken) in [
            (Method::Card, "GBP", true),
            (Method::Card, "JPY", true),
            (Method::Card, "CLF", false),
            (Method::Klarna, "SEK", true),
            (Method::Klarna, "JPY", false),
            (Method::Ideal, "EUR", true),
            (Method::Ideal, "GBP", false),
            (Method::Alipay, "CNY", true),
            (Method::WechatPay, "KWD", false),
        ] {
            assert_eq!(Stripe.takes(method, money(code)).is_ok(), taken, "{method} {code}");
        }
        assert_eq!(Stripe.takes(Method::Huabei, money("CNY")), Err(CallError::Unsupported));
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
        fn any_header_and_body_are_answered(
            header in "\\PC{0,200}",
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let refused = with(&[SECRET], Some(&header), &body, SECONDS, |call| {
                Stripe.verify(call).is_err() && Stripe.read(call).is_err()
            });
            prop_assert!(refused);
        }
    }
}
