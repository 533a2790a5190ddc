//! Creates the payment intent of an attempt, and asks how it stands.
//!
//! The attempt's identity is Stripe's idempotency key, so a call that is
//! repeated, here or by the client, finds the intent that the first one made.
//! Stripe forgets keys after 24 hours
//! (<https://docs.stripe.com/api/idempotent_requests>); an older attempt is
//! not taken up again, because a second intent could be paid beside the first.
//!
//! An attempt of which nothing was heard has no reference. Within the life of
//! its key the same call gives the intent that the first one made. If the
//! first one never came through, it makes an intent whose secret nobody has,
//! so nobody can pay it. After that the intent is searched by its metadata. Stripe's
//! search lags behind by a minute, by more in an outage
//! (<https://docs.stripe.com/search#data-freshness>), which a day outlasts.

use aftercart::{
    model::{
        payment::{Attempt, Method, PaymentEvent, PaymentEventKind, Provider, RefundStatus},
        signature::body_digest,
        time::{Period, Timestamp},
    },
    run::secrets::Credentials,
};
use bytes::Bytes;
use http::Request;
use serde::Deserialize;

use super::{
    api,
    event::{self, Decline, Metadata},
    refund,
};
use crate::{
    providers::{
        Answer, Asking, CallError, Known, Step, Unreadable, event_identity, reference, word,
    },
    rules::stripe_amount,
    wire::{ClientSecret, NextAction},
};

/// The field that asks for 3-D Secure.
const THREE_D_SECURE: &str = "payment_method_options[card][request_three_d_secure]";

/// The field that says where a buyer pays by WeChat.
const WECHAT_CLIENT: &str = "payment_method_options[wechat_pay][client]";

/// For how long after its start an attempt is taken up again: an hour less
/// than Stripe keeps a key.
pub(super) const KEY_LIFE: Period = Period::of_seconds(23 * 3_600);

/// How Stripe calls a method.
fn kind_of(method: Method) -> Option<&'static str> {
    match method {
        Method::Card => Some("card"),
        Method::Klarna => Some("klarna"),
        Method::Alipay => Some("alipay"),
        Method::WechatPay => Some("wechat_pay"),
        Method::Ideal => Some("ideal"),
        _ => None,
    }
}

/// The call that creates the intent of an attempt, or finds it.
fn creation(
    attempt: &Attempt,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Request<Bytes>, CallError> {
    if attempt.at.plus(KEY_LIFE) <= now {
        return Err(CallError::TooOld);
    }
    let amount =
        stripe_amount::to_stripe(attempt.amount).map_err(|e| CallError::Amount(e.to_string()))?;
    let method = kind_of(attempt.method).ok_or(CallError::Unsupported)?;
    let mut fields = vec![
        ("amount", amount.to_string()),
        ("currency", attempt.amount.currency().code().to_ascii_lowercase()),
        // One method, the buyer's choice: another one could settle days later
        // and outlast the hold of the stock.
        ("payment_method_types[]", method.to_owned()),
        ("metadata[payment]", attempt.id.to_string()),
        ("metadata[order]", attempt.order.to_string()),
    ];
    if attempt.verify && attempt.method == Method::Card {
        // 3-D Secure whenever the card knows it, by whatever flow the bank chooses.
        fields.push((THREE_D_SECURE, "any".to_owned()));
    }
    if attempt.method == Method::WechatPay {
        fields.push((WECHAT_CLIENT, "web".to_owned()));
    }
    api::post(credentials, "/v1/payment_intents", attempt.id.as_str(), &fields)
}

#[derive(Deserialize)]
struct Created {
    id: String,
    client_secret: ClientSecret,
}

/// See [`crate::providers::PaymentProvider::start`].
pub(super) fn start(
    asking: &Asking<'_>,
    answers: &[Answer],
) -> Result<Step<NextAction>, CallError> {
    let Some(answer) = answers.first() else {
        return creation(asking.attempt, asking.credentials, asking.now).map(Step::Call);
    };
    let Created { client_secret, .. } = api::read(answer)?;
    Ok(Step::Done(NextAction::ClientSecret { client_secret }))
}

#[derive(Deserialize)]
struct Intent {
    id: String,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    #[serde(default)]
    amount_capturable: i64,
    currency: String,
    created: i64,
    #[serde(default)]
    canceled_at: Option<i64>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    last_payment_error: Option<Decline>,
    #[serde(default)]
    latest_charge: Option<Charge>,
}

#[derive(Deserialize)]
struct Charge {
    created: i64,
    #[serde(default)]
    amount_refunded: i64,
    #[serde(default)]
    disputed: bool,
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Dispute {
    id: String,
    amount: i64,
    currency: String,
    status: String,
    created: i64,
}

/// See [`crate::providers::PaymentProvider::query`]. Up to four calls: which
/// intent it is, how it stands, its refunds and its disputes.
pub(super) fn query(
    payment: &Known<'_>,
    answers: &[Answer],
) -> Result<Step<Vec<PaymentEvent>>, CallError> {
    let mut answers = answers.iter();
    let id = match identity(payment, &mut answers)? {
        Step::Done(Some(id)) => id,
        Step::Done(None) => return Ok(Step::Done(Vec::new())),
        Step::Call(call) => return Ok(Step::Call(call)),
    };
    let Some(answer) = answers.next() else {
        let path = api::path_of("payment_intents", &id)?;
        let fields = [("expand[]", "latest_charge")];
        return api::get(payment.credentials, &path, &fields).map(Step::Call);
    };
    let intent: Intent = api::read(answer)?;
    let told = Telling { payment, intent: &intent, answer };
    told.is_ours()?;
    let mut events = told.standing()?;
    if let Some(charge) = &intent.latest_charge {
        match told.since(charge, &mut answers)? {
            Step::Done(more) => events.extend(more),
            Step::Call(call) => return Ok(Step::Call(call)),
        }
    }
    Ok(Step::Done(events))
}

/// Which intent is the attempt's, if Stripe knows one.
fn identity<'a>(
    payment: &Known<'_>,
    answers: &mut impl Iterator<Item = &'a Answer>,
) -> Result<Step<Option<String>>, CallError> {
    if let Some(reference) = payment.reference {
        return Ok(Step::Done(Some(reference.to_owned())));
    }
    if payment.now < payment.attempt.at.plus(KEY_LIFE) {
        let Some(answer) = answers.next() else {
            return creation(payment.attempt, payment.credentials, payment.now).map(Step::Call);
        };
        return Ok(Step::Done(Some(api::read::<Created>(answer)?.id)));
    }
    let Some(answer) = answers.next() else { return search(payment).map(Step::Call) };
    let Page { data } = api::read::<Page<Named>>(answer)?;
    Ok(Step::Done(data.into_iter().next().map(|found| found.id)))
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

fn search(payment: &Known<'_>) -> Result<Request<Bytes>, CallError> {
    let query = format!("metadata['payment']:'{}'", payment.attempt.id);
    let fields = [("query", query.as_str()), ("limit", "1")];
    api::get(payment.credentials, "/v1/payment_intents/search", &fields)
}

/// What an answer tells of an attempt.
struct Telling<'a> {
    payment: &'a Known<'a>,
    intent: &'a Intent,
    answer: &'a Answer,
}

impl Telling<'_> {
    fn is_ours(&self) -> Result<(), CallError> {
        let named = self.intent.metadata.as_ref().and_then(|it| it.payment.as_deref());
        if named == Some(self.payment.attempt.id.as_str()) {
            return Ok(());
        }
        Err(CallError::Unusable("the intent is another attempt's".to_owned()))
    }

    /// Its identity is that of what it tells, so that it is the same however
    /// often it is asked.
    fn event(
        &self,
        kind: PaymentEventKind,
        (units, currency): (i64, &str),
        seconds: i64,
        identity: &str,
    ) -> Result<PaymentEvent, CallError> {
        let unusable = |error: Unreadable| CallError::Unusable(error.to_string());
        let no_time = |_| CallError::Unusable("a time is none".to_owned());
        Ok(PaymentEvent {
            id: event_identity(identity),
            payment: self.payment.attempt.id.clone(),
            provider: Provider::Stripe,
            kind,
            amount: event::amount(units, currency).map_err(unusable)?,
            at: Timestamp::from_unix_seconds(seconds).map_err(no_time)?,
            reason: None,
            reference: reference(&self.intent.id),
            part: None,
            body_digest: body_digest(self.answer.body()),
        })
    }

    /// What became of the money since a charge took it.
    fn since<'a>(
        &self,
        charge: &Charge,
        answers: &mut impl Iterator<Item = &'a Answer>,
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        let list = |path| {
            let fields = [("payment_intent", self.intent.id.as_str()), ("limit", refund::PAGE)];
            api::get(self.payment.credentials, path, &fields).map(Step::Call)
        };
        let mut events = Vec::new();
        if charge.amount_refunded > 0 {
            let Some(answer) = answers.next() else { return list("/v1/refunds") };
            let Page { data } = api::read(answer)?;
            events.extend(self.refunds(charge, &data)?);
        }
        if charge.disputed {
            let Some(answer) = answers.next() else { return list("/v1/disputes") };
            let Page { data } = api::read::<Page<Dispute>>(answer)?;
            for dispute in &data {
                events.extend(self.dispute(dispute)?);
            }
        }
        Ok(Step::Done(events))
    }

    /// What the status says (<https://docs.stripe.com/payments/paymentintents/lifecycle>).
    fn standing(&self) -> Result<Vec<PaymentEvent>, CallError> {
        let intent = self.intent;
        let tried_at = intent.latest_charge.as_ref().map_or(intent.created, |it| it.created);
        let decline = intent.last_payment_error.as_ref();
        let (kind, units, seconds, which) = match (intent.status.as_str(), decline) {
            ("succeeded", _) => {
                (PaymentEventKind::Succeeded, intent.amount_received, tried_at, None)
            }
            ("processing", _) => (PaymentEventKind::Processing, intent.amount, tried_at, None),
            ("requires_capture", _) => {
                (PaymentEventKind::Authorised, intent.amount_capturable, tried_at, None)
            }
            ("canceled", _) => {
                let at = intent.canceled_at.unwrap_or(tried_at);
                (PaymentEventKind::Cancelled, intent.amount, at, None)
            }
            ("requires_payment_method", Some(decline)) => {
                (PaymentEventKind::Failed, intent.amount, tried_at, decline.charge.as_deref())
            }
            _ => return Ok(Vec::new()),
        };
        let identity = format!("{}:{}:{}", intent.id, intent.status, which.unwrap_or_default());
        let mut event = self.event(kind, (units, &intent.currency), seconds, &identity)?;
        let declined = decline.filter(|_| kind == PaymentEventKind::Failed);
        event.reason = declined.and_then(|it| it.code.as_deref()).map(word);
        Ok(vec![event])
    }

    /// Each of our refunds, and the sum of all if some were made by hand.
    fn refunds(
        &self,
        charge: &Charge,
        refunds: &[refund::Refund],
    ) -> Result<Vec<PaymentEvent>, CallError> {
        let currency = self.intent.currency.as_str();
        let mut events = Vec::new();
        for refund in refunds {
            let ours = refund.ours();
            let kind = match event::refund_status(&refund.status) {
                Some(RefundStatus::Succeeded) if ours.is_some() => PaymentEventKind::Refunded,
                Some(RefundStatus::Failed) if ours.is_some() => PaymentEventKind::RefundFailed,
                _ => continue,
            };
            let identity = format!("{}:{}", refund.id, refund.status);
            let units = (refund.amount, currency);
            let mut event = self.event(kind, units, refund.created, &identity)?;
            event.part = ours.and_then(reference);
            events.push(event);
        }
        if refunds.iter().any(|refund| refund.ours().is_none()) {
            let (total, kind) = (charge.amount_refunded, PaymentEventKind::Refunded);
            let identity = format!("{}:refunded:{total}", self.intent.id);
            events.push(self.event(kind, (total, currency), charge.created, &identity)?);
        }
        Ok(events)
    }

    fn dispute(&self, dispute: &Dispute) -> Result<Option<PaymentEvent>, CallError> {
        let Some(kind) = event::dispute_kind(&dispute.status) else { return Ok(None) };
        let identity = format!("{}:{}", dispute.id, dispute.status);
        let units = (dispute.amount, dispute.currency.as_str());
        let mut event = self.event(kind, units, dispute.created, &identity)?;
        event.part = reference(&dispute.id);
        Ok(Some(event))
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::id::PaymentId;
    use http::Response;
    use serde_json::json;

    use super::{
        super::fixtures::{answer, at, attempt, call, credentials, done, money},
        *,
    };

    fn started(
        attempt: &Attempt,
        answers: &[Answer],
        now: i64,
    ) -> Result<Step<NextAction>, CallError> {
        let credentials = credentials();
        let asking = Asking {
            attempt,
            credentials: &credentials,
            return_url: None,
            notify_url: "https://shop.example/callbacks/stripe",
            buyer_ip: None,
            now: at(now),
        };
        start(&asking, answers)
    }

    fn told(
        reference: Option<&str>,
        answers: &[Answer],
        now: i64,
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        let attempt = attempt(Method::Card, money(2500, "GBP"));
        let credentials = credentials();
        let now = at(now);
        query(&Known { attempt: &attempt, reference, credentials: &credentials, now }, answers)
    }

    #[test]
    fn the_call_is_the_one_that_stripe_documents() {
        let attempt = attempt(Method::Card, money(5, "ISK"));
        let call = call(started(&attempt, &[], 0));
        assert_eq!(call.method(), "POST");
        assert_eq!(call.uri(), "https://api.stripe.com/v1/payment_intents");
        let header = |name: &str| call.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("authorization"), "Bearer sk_test_1");
        assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
        assert_eq!(header("idempotency-key"), attempt.id.as_str());
        assert_eq!(header("stripe-version"), "2025-10-29.clover");
        assert!(!format!("{call:?}").contains("sk_test_1"));
        let body = format!(
            "amount=500&currency=isk&payment_method_types%5B%5D=card\
             &metadata%5Bpayment%5D={}&metadata%5Border%5D={}",
            attempt.id, attempt.order
        );
        assert_eq!(call.body(), body.as_bytes());
        let created = answer(200, r#"{"id":"pi_1","client_secret":"pi_1_secret_2"}"#);
        let client_secret = ClientSecret("pi_1_secret_2".to_owned());
        let next = done(started(&attempt, &[created], 0));
        assert_eq!(next, NextAction::ClientSecret { client_secret });
    }

    #[test]
    fn each_method_has_its_fields() {
        for (method, verify, code, present, absent) in [
            (Method::Card, true, "GBP", "request_three_d_secure%5D=any", "wechat"),
            (Method::Card, false, "GBP", "types%5B%5D=card", "three_d_secure"),
            (Method::Klarna, true, "GBP", "types%5B%5D=klarna", "three_d_secure"),
            (Method::Alipay, false, "CNY", "types%5B%5D=alipay", "card"),
            (Method::WechatPay, false, "CNY", "client%5D=web", "card"),
            (Method::Ideal, false, "EUR", "types%5B%5D=ideal", "card"),
        ] {
            let attempt = Attempt { verify, ..attempt(method, money(2500, code)) };
            let call = call(started(&attempt, &[], 0));
            let body = std::str::from_utf8(call.body()).unwrap();
            assert!(body.contains(present) && !body.contains(absent), "{method} {body}");
        }
        let paypal = attempt(Method::Paypal, money(2500, "GBP"));
        assert_eq!(started(&paypal, &[], 0).unwrap_err(), CallError::Unsupported);
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let saying = |status: u16, retry: &str| -> Answer {
            let answer = Response::builder().status(status).header("stripe-should-retry", retry);
            answer.body(Bytes::new()).unwrap()
        };
        let invalid = r#"{"error":{"type":"invalid_request_error","code":"parameter_missing","param":"x","message":"sk_test_1"}}"#;
        let small = r#"{"error":{"type":"invalid_request_error","code":"amount_too_small"}}"#;
        for (answer, class) in [
            (answer(500, ""), "again"),
            (answer(503, "<html>"), "again"),
            (answer(409, "{}"), "again"),
            (answer(429, "{}"), "again"),
            (saying(400, "true"), "again"),
            (saying(500, "false"), "again"),
            (answer(400, invalid), "refused"),
            (answer(401, ""), "unwritable"),
            (answer(402, invalid), "refused"),
            (answer(400, small), "amount"),
            (answer(200, "{}"), "unusable"),
            (answer(200, "nothing"), "unusable"),
        ] {
            let attempt = attempt(Method::Card, money(2500, "GBP"));
            let error = started(&attempt, &[answer], 0).unwrap_err();
            let found = match &error {
                CallError::Again(_) => "again",
                CallError::Refused(_) => "refused",
                CallError::Amount(_) => "amount",
                CallError::Unusable(_) => "unusable",
                CallError::Unwritable(_) => "unwritable",
                _ => "other",
            };
            assert_eq!(found, class, "{error}");
            assert!(!error.to_string().contains("sk_test_1"), "{error}");
        }
    }

    #[test]
    fn an_attempt_that_stripe_may_have_forgotten_is_left_alone() {
        let attempt = attempt(Method::Card, money(2500, "GBP"));
        assert!(started(&attempt, &[], 23 * 3_600 - 1).is_ok());
        assert_eq!(started(&attempt, &[], 23 * 3_600).unwrap_err(), CallError::TooOld);
    }

    #[test]
    fn what_is_missing_from_the_secret_is_told() {
        let attempt = attempt(Method::Card, money(2500, "GBP"));
        let credentials = Credentials::default();
        let refused = creation(&attempt, &credentials, at(0)).unwrap_err();
        assert!(matches!(refused, CallError::Unwritable(_)));
    }

    fn intent(status: &str, more: &serde_json::Value) -> Answer {
        let mut intent = json!({
            "id": "pi_1", "object": "payment_intent", "status": status, "amount": 2500,
            "amount_received": 2500, "currency": "gbp", "created": 10,
            "metadata": { "payment": PaymentId::derive(&["1"]) },
        });
        for (name, value) in more.as_object().unwrap() {
            intent[name] = value.clone();
        }
        answer(200, &intent.to_string())
    }

    #[test]
    fn a_known_intent_is_asked_for() {
        let call = call(told(Some("pi_1"), &[], 0));
        assert_eq!(call.method(), "GET");
        let uri = "https://api.stripe.com/v1/payment_intents/pi_1?expand%5B%5D=latest_charge";
        assert_eq!(call.uri(), uri);
        assert!(matches!(told(Some("pi/1"), &[], 0), Err(CallError::Unwritable(_))));
    }

    #[test]
    fn an_unknown_intent_is_found_by_its_key_and_then_by_its_metadata() {
        assert_eq!(call(told(None, &[], 0)).method(), "POST");
        let created = answer(200, r#"{"id":"pi_1","client_secret":"s"}"#);
        let next = call(told(None, &[created], 0));
        assert!(next.uri().path().ends_with("/payment_intents/pi_1"));
        let old = 23 * 3_600;
        let search = call(told(None, &[], old));
        assert!(search.uri().path().ends_with("/payment_intents/search"));
        assert!(search.uri().query().unwrap().contains("metadata%5B%27payment%27%5D%3A%27pay_"));
        assert_eq!(done(told(None, &[answer(200, r#"{"data":[]}"#)], old)), Vec::new());
        let found = answer(200, r#"{"data":[{"id":"pi_1"}]}"#);
        let next = call(told(None, &[found], old));
        assert!(next.uri().path().ends_with("/payment_intents/pi_1"));
    }

    #[test]
    fn each_status_is_told() {
        use PaymentEventKind as Kind;
        let declined =
            json!({ "last_payment_error": { "code": "card_declined", "charge": "ch_1" } });
        let charged = json!({ "latest_charge": { "created": 20 } });
        let held = json!({ "amount_capturable": 2500 });
        for (status, more, expected) in [
            ("succeeded", charged.clone(), Some((Kind::Succeeded, 20))),
            ("processing", charged, Some((Kind::Processing, 20))),
            ("requires_capture", held, Some((Kind::Authorised, 10))),
            ("canceled", json!({ "canceled_at": 30 }), Some((Kind::Cancelled, 30))),
            ("requires_payment_method", declined, Some((Kind::Failed, 10))),
            ("requires_payment_method", json!({}), None),
            ("requires_action", json!({}), None),
            ("requires_confirmation", json!({}), None),
        ] {
            let events = done(told(Some("pi_1"), &[intent(status, &more)], 0));
            let found = events.first().map(|it| (it.kind, it.at.unix_seconds()));
            assert_eq!(found, expected, "{status}");
            for event in events {
                assert_eq!(event.amount, money(2500, "GBP"));
                assert_eq!(event.reference.as_deref(), Some("pi_1"));
                assert_eq!(event.reason.is_some(), event.kind == Kind::Failed);
            }
        }
        let other = intent("succeeded", &json!({ "metadata": { "payment": "pay_other" } }));
        assert!(matches!(told(Some("pi_1"), &[other], 0), Err(CallError::Unusable(_))));
    }

    #[test]
    fn refunds_and_disputes_are_told_too() {
        let refund = "rfd_aaaaaaaaaaaaaaaaaaaaaaaaaa";
        let charge = json!({
            "latest_charge": { "created": 20, "amount_refunded": 900, "disputed": true }
        });
        let refunds = json!({ "data": [
            { "id": "re_1", "amount": 700, "status": "succeeded", "created": 30,
              "metadata": { "refund": refund } },
            { "id": "re_2", "amount": 200, "status": "succeeded", "created": 31, "metadata": {} },
            { "id": "re_3", "amount": 1, "status": "failed", "created": 32,
              "metadata": { "refund": "rfd_bbbbbbbbbbbbbbbbbbbbbbbbbb" } },
        ]});
        let disputes = json!({ "data": [
            { "id": "du_1", "amount": 2500, "currency": "gbp", "status": "lost", "created": 40 },
        ]});
        let intent = intent("succeeded", &charge);
        let (refunds, disputes) =
            (answer(200, &refunds.to_string()), answer(200, &disputes.to_string()));
        let next = call(told(Some("pi_1"), std::slice::from_ref(&intent), 0));
        assert_eq!(next.uri().path(), "/v1/refunds");
        let next = call(told(Some("pi_1"), &[intent.clone(), refunds.clone()], 0));
        assert_eq!(next.uri().path(), "/v1/disputes");
        let events = done(told(Some("pi_1"), &[intent, refunds, disputes], 0));
        let found: Vec<_> =
            events.iter().map(|it| (it.kind, it.amount.minor(), it.part.as_deref())).collect();
        assert_eq!(
            found,
            [
                (PaymentEventKind::Succeeded, 2500, None),
                (PaymentEventKind::Refunded, 700, Some(refund)),
                (PaymentEventKind::RefundFailed, 1, Some("rfd_bbbbbbbbbbbbbbbbbbbbbbbbbb")),
                (PaymentEventKind::Refunded, 900, None),
                (PaymentEventKind::DisputeLost, 2500, Some("du_1")),
            ]
        );
        let ids: std::collections::BTreeSet<&str> = events.iter().map(|it| &*it.id).collect();
        assert_eq!(ids.len(), events.len());
    }
}
