//! Gives money back through Stripe.
//!
//! The refund's identity is the idempotency key, and is written to the
//! refund's metadata. Stripe forgets keys after 24 hours; an older refund is
//! looked for among those of the intent before it is made.

use aftercart::model::{id::RefundId, payment::RefundStatus};
use serde::Deserialize;

use super::{
    api,
    event::{self, Metadata},
    intent::KEY_LIFE,
};
use crate::{
    providers::{Answer, CallError, GivingBack, RefundAnswer, Step, reference, word},
    rules::stripe_amount,
};

/// How many things a list gives at most, by Stripe's rule. More refunds than
/// these are not made of one payment.
pub(super) const PAGE: &str = "100";

/// A refund at Stripe.
#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) status: String,
    pub(super) created: i64,
    #[serde(default)]
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

impl Refund {
    /// The identity that we gave it, if we made it.
    pub(super) fn ours(&self) -> Option<&str> {
        let named = self.metadata.as_ref().and_then(|it| it.refund.as_deref());
        named.filter(|id| RefundId::parse(id).is_ok())
    }

    fn answer(&self) -> Result<RefundAnswer, CallError> {
        let status = event::refund_status(&self.status);
        let status =
            status.ok_or_else(|| CallError::Unusable("a refund has no known status".to_owned()))?;
        let why = self.failure_reason.as_deref().filter(|_| status == RefundStatus::Failed);
        Ok(RefundAnswer { status, reference: reference(&self.id), reason: why.map(word) })
    }
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Refund>,
    #[serde(default)]
    has_more: bool,
}

/// See [`crate::providers::PaymentProvider::refund`].
pub(super) fn refund(
    giving: &GivingBack<'_>,
    answers: &[Answer],
) -> Result<Step<RefundAnswer>, CallError> {
    let (refund, payment) = (giving.refund, &giving.payment);
    let mut answers = answers.iter();
    if refund.at.plus(KEY_LIFE) <= payment.now {
        let Some(answer) = answers.next() else { return list(giving) };
        if let Some(made) = made(giving, answer)? {
            return made.answer().map(Step::Done);
        }
    }
    let Some(answer) = answers.next() else {
        let amount = stripe_amount::to_stripe(refund.amount)
            .map_err(|e| CallError::Amount(e.to_string()))?;
        let fields = [
            ("payment_intent", intent_of(giving)?.to_owned()),
            ("amount", amount.to_string()),
            ("metadata[payment]", refund.payment.to_string()),
            ("metadata[refund]", refund.id.to_string()),
        ];
        let call = api::post(payment.credentials, "/v1/refunds", refund.id.as_str(), &fields);
        return call.map(Step::Call);
    };
    match api::read::<Refund>(answer) {
        Ok(refund) => refund.answer().map(Step::Done),
        Err(CallError::Refused(why)) => refused(answer, why).map(Step::Done),
        Err(error) => Err(error),
    }
}

/// A refusal of this refund is its end; one of the call is not, nor one that
/// lasts while the merchant's balance is too low.
fn refused(answer: &Answer, why: String) -> Result<RefundAnswer, CallError> {
    match (answer.status().as_u16(), api::code(answer)) {
        (_, Some(code)) if code == "balance_insufficient" => Err(CallError::Again(why)),
        (400 | 402, Some(code)) => {
            let status = RefundStatus::Failed;
            Ok(RefundAnswer { status, reference: None, reason: Some(code) })
        }
        _ => Err(CallError::Refused(why)),
    }
}

/// See [`crate::providers::PaymentProvider::refund_status`].
pub(super) fn status(
    giving: &GivingBack<'_>,
    answers: &[Answer],
) -> Result<Step<RefundAnswer>, CallError> {
    let known = giving.refund.reference.as_deref();
    let Some(answer) = answers.first() else {
        let Some(id) = known else { return list(giving) };
        let path = api::path_of("refunds", id)?;
        return api::get(giving.payment.credentials, &path, &[]).map(Step::Call);
    };
    let found = if known.is_some() { Some(api::read(answer)?) } else { made(giving, answer)? };
    let found = found.ok_or_else(|| CallError::Unusable("there is no such refund".to_owned()))?;
    found.answer().map(Step::Done)
}

fn intent_of<'a>(giving: &GivingBack<'a>) -> Result<&'a str, CallError> {
    let missing = || CallError::Unwritable("the payment has no reference at Stripe".to_owned());
    giving.payment.reference.ok_or_else(missing)
}

/// The call that lists the refunds of a payment.
fn list<T>(giving: &GivingBack<'_>) -> Result<Step<T>, CallError> {
    let fields = [("payment_intent", intent_of(giving)?), ("limit", PAGE)];
    api::get(giving.payment.credentials, "/v1/refunds", &fields).map(Step::Call)
}

/// The refund among those of its payment, if it was made.
fn made(giving: &GivingBack<'_>, answer: &Answer) -> Result<Option<Refund>, CallError> {
    let Page { data, has_more } = api::read(answer)?;
    let id = giving.refund.id.as_str();
    let found = data.into_iter().find(|it| it.ours() == Some(id));
    match found {
        None if has_more => Err(CallError::Unusable("there are too many refunds".to_owned())),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::payment::Method;

    use super::{
        super::fixtures::{answer, at, attempt, call, credentials, done, money},
        *,
    };

    fn of(
        reference: Option<&str>,
        now: i64,
        run: impl FnOnce(&GivingBack<'_>) -> Result<Step<RefundAnswer>, CallError>,
    ) -> Result<Step<RefundAnswer>, CallError> {
        let (amount, credentials) = (money(700, "GBP"), credentials());
        let attempt = attempt(Method::Card, money(2500, "GBP"));
        let mut refund = super::super::fixtures::refund(amount);
        refund.reference = reference.map(str::to_owned);
        let payment = crate::providers::Known {
            attempt: &attempt,
            reference: Some("pi_1"),
            credentials: &credentials,
            now: at(now),
        };
        run(&GivingBack { refund: &refund, payment, notify_url: "" })
    }

    fn given(answers: &[Answer], now: i64) -> Result<Step<RefundAnswer>, CallError> {
        of(None, now, |giving| refund(giving, answers))
    }

    fn made(status: &str) -> String {
        let id = RefundId::derive(&["1"]);
        format!(
            r#"{{"id":"re_1","amount":700,"status":"{status}","created":1,"failure_reason":"declined","metadata":{{"refund":"{id}"}}}}"#
        )
    }

    const OLD: i64 = 23 * 3_600;

    #[test]
    fn the_call_is_the_one_that_stripe_documents() {
        let call = call(given(&[], 0));
        assert_eq!((call.method().as_str(), call.uri().path()), ("POST", "/v1/refunds"));
        let id = RefundId::derive(&["1"]);
        assert_eq!(call.headers().get("idempotency-key").unwrap(), id.as_str());
        let body = format!(
            "payment_intent=pi_1&amount=700&metadata%5Bpayment%5D={}&metadata%5Brefund%5D={id}",
            attempt(Method::Card, money(1, "GBP")).id
        );
        assert_eq!(call.body(), body.as_bytes());
    }

    #[test]
    fn each_answer_has_its_meaning() {
        for (status, expected, why) in [
            ("pending", RefundStatus::Sent, None),
            ("requires_action", RefundStatus::Sent, None),
            ("succeeded", RefundStatus::Succeeded, None),
            ("failed", RefundStatus::Failed, Some("declined")),
            ("canceled", RefundStatus::Failed, Some("declined")),
        ] {
            let found = done(given(&[answer(200, &made(status))], 0));
            assert_eq!((found.status, found.reason.as_deref()), (expected, why), "{status}");
            assert_eq!(found.reference.as_deref(), Some("re_1"));
        }
        let refusal = |code: &str| format!(r#"{{"error":{{"code":"{code}"}}}}"#);
        let refused = done(given(&[answer(400, &refusal("charge_already_refunded"))], 0));
        assert_eq!(refused.status, RefundStatus::Failed);
        assert_eq!(refused.reason.as_deref(), Some("charge_already_refunded"));
        for (status, body, class) in [
            (400, refusal("balance_insufficient"), "again"),
            (500, String::new(), "again"),
            (400, "{}".to_owned(), "refused"),
            (401, refusal("api_key_expired"), "unwritable"),
            (403, "{}".to_owned(), "unwritable"),
            (200, made("eaten"), "unusable"),
        ] {
            let found = match given(&[answer(status, &body)], 0).unwrap_err() {
                CallError::Again(_) => "again",
                CallError::Refused(_) => "refused",
                CallError::Unusable(_) => "unusable",
                CallError::Unwritable(_) => "unwritable",
                error => panic!("{error}"),
            };
            assert_eq!(found, class, "{body}");
        }
    }

    #[test]
    fn a_refund_that_stripe_may_have_forgotten_is_looked_for_first() {
        let look = call(given(&[], OLD));
        assert_eq!((look.method().as_str(), look.uri().path()), ("GET", "/v1/refunds"));
        assert_eq!(look.uri().query(), Some("payment_intent=pi_1&limit=100"));
        let there = answer(200, &format!(r#"{{"data":[{}]}}"#, made("succeeded")));
        assert_eq!(done(given(&[there], OLD)).status, RefundStatus::Succeeded);
        let none = answer(200, r#"{"data":[]}"#);
        assert_eq!(call(given(std::slice::from_ref(&none), OLD)).method(), "POST");
        let made = answer(200, &made("succeeded"));
        assert_eq!(done(given(&[none, made], OLD)).status, RefundStatus::Succeeded);
        let more = answer(200, r#"{"data":[],"has_more":true}"#);
        assert!(matches!(given(&[more], OLD), Err(CallError::Unusable(_))));
    }

    #[test]
    fn where_a_refund_stands_is_asked_by_its_name_or_among_all() {
        let asked =
            |reference, answers: &[Answer]| of(reference, 0, |giving| status(giving, answers));
        assert_eq!(call(asked(Some("re_1"), &[])).uri().path(), "/v1/refunds/re_1");
        let one = [answer(200, &made("succeeded"))];
        assert_eq!(done(asked(Some("re_1"), &one)).status, RefundStatus::Succeeded);
        assert_eq!(call(asked(None, &[])).uri().path(), "/v1/refunds");
        let listed = [answer(200, &format!(r#"{{"data":[{}]}}"#, made("pending")))];
        assert_eq!(done(asked(None, &listed)).status, RefundStatus::Sent);
        let none = [answer(200, r#"{"data":[]}"#)];
        assert!(matches!(asked(None, &none), Err(CallError::Unusable(_))));
    }
}
