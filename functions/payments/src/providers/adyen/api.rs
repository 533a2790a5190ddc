//! Calls to Adyen's Checkout API: sessions, captures and refunds.
//!
//! The identity of what is asked is the idempotency key. Adyen keeps keys for
//! seven days at least
//! (<https://docs.adyen.com/development-resources/api-idempotency>).

use aftercart::{
    model::{
        money::Money,
        payment::{Attempt, Method, PaymentEvent, RefundStatus},
        time::Period,
    },
    run::secrets::Credentials,
};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{amount, notice::DIVIDER};
use crate::{
    providers::{
        Answer, Asking, CallError, GivingBack, Known, RefundAnswer, Step, account, api_url,
        reference, word,
    },
    wire::{ClientSecret, NextAction},
};

/// Where the API of the test environment is. Live addresses have the
/// merchant's own prefix.
const URL: &str = "https://checkout-test.adyen.com";

/// The edition of the API that these calls and answers are written for.
const VERSION: &str = "v71";

/// For how long after its start an attempt is taken up again: a session ends
/// after an hour, and the same key gives the same session.
const SESSION_LIFE: Period = Period::of_seconds(3_600);

/// For how long a refund or a capture is asked again: an hour less than Adyen
/// keeps a key. Nothing tells afterwards whether it was made.
const KEY_LIFE: Period = Period::of_seconds(7 * 86_400 - 3_600);

/// Where issuers offer instalments: Brazil, Mexico, Turkey and Japan
/// (<https://docs.adyen.com/payment-methods/cards/credit-card-installments>).
pub(super) const INSTALMENT_CURRENCIES: [&str; 4] = ["BRL", "JPY", "MXN", "TRY"];

/// How Adyen calls a method
/// (<https://docs.adyen.com/development-resources/paymentmethodvariant>).
fn kind_of(method: Method) -> Option<&'static str> {
    match method {
        Method::Card => Some("scheme"),
        Method::Klarna => Some("klarna"),
        Method::Ideal => Some("ideal"),
        Method::Alipay => Some("alipay"),
        Method::WechatPay => Some("wechatpayQR"),
        Method::Unionpay => Some("cup"),
        _ => None,
    }
}

/// See [`crate::providers::PaymentProvider::start`].
pub(super) fn start(
    asking: &Asking<'_>,
    answers: &[Answer],
) -> Result<Step<NextAction>, CallError> {
    let attempt = asking.attempt;
    let Some(answer) = answers.first() else {
        if attempt.at.plus(SESSION_LIFE) <= asking.now {
            return Err(CallError::TooOld);
        }
        let body = session(asking)?;
        return post(asking.credentials, "/sessions", attempt.id.as_str(), &body);
    };
    let Session { id, data } = read(answer)?;
    Ok(Step::Done(NextAction::Session { id, data }))
}

#[derive(Deserialize)]
struct Session {
    id: String,
    #[serde(rename = "sessionData")]
    data: ClientSecret,
}

fn session(asking: &Asking<'_>) -> Result<Value, CallError> {
    let attempt = asking.attempt;
    let method = kind_of(attempt.method).ok_or(CallError::Unsupported)?;
    let return_url = asking.return_url;
    let nowhere = || CallError::Unwritable("there is no address to return to".to_owned());
    let mut body = json!({
        "merchantAccount": account(asking.credentials, "merchant_account")?,
        "amount": money(attempt.amount)?,
        "reference": attempt.id,
        "returnUrl": return_url.ok_or_else(nowhere)?,
        "allowedPaymentMethods": [method],
        "channel": "Web",
    });
    if let Ok(country) = account(asking.credentials, "country") {
        body["countryCode"] = country.into();
    }
    if attempt.verify {
        body["authenticationData"] = json!({ "attemptAuthentication": "always" });
    }
    if let Some(months) = instalments(attempt)? {
        body["installmentOptions"] = json!({ "card": { "values": [months] } });
    }
    if attempt.method == Method::Klarna {
        // Klarna wants lines; the order as a whole is one.
        body["lineItems"] = json!([{
            "id": attempt.order,
            "description": attempt.order,
            "quantity": 1,
            "amountIncludingTax": units(attempt.amount)?,
        }]);
    }
    Ok(body)
}

fn instalments(attempt: &Attempt) -> Result<Option<u8>, CallError> {
    let Some(instalments) = attempt.instalments else { return Ok(None) };
    let code = attempt.amount.currency().code();
    if attempt.method != Method::Card || !INSTALMENT_CURRENCIES.contains(&code) {
        return Err(CallError::Amount(format!("Adyen takes no instalments in {code}")));
    }
    Ok(Some(instalments.months))
}

/// See [`crate::providers::PaymentProvider::capture`]. What comes of it is
/// told by a webhook.
pub(super) fn capture(
    payment: &Known<'_>,
    answers: &[Answer],
) -> Result<Step<Vec<PaymentEvent>>, CallError> {
    let attempt = payment.attempt;
    let Some(answer) = answers.first() else {
        if attempt.at.plus(KEY_LIFE) <= payment.now {
            return Err(CallError::TooOld);
        }
        let body = modification(payment, attempt.amount, attempt.id.to_string())?;
        let path = path_of(payment, "captures")?;
        return post(payment.credentials, &path, &format!("{}{DIVIDER}capture", attempt.id), &body);
    };
    read::<Modified>(answer).map(|_| Step::Done(Vec::new()))
}

/// See [`crate::providers::PaymentProvider::refund`]. Adyen answers that it
/// has received it; the outcome is told by a webhook.
pub(super) fn refund(
    giving: &GivingBack<'_>,
    answers: &[Answer],
) -> Result<Step<RefundAnswer>, CallError> {
    let (refund, payment) = (giving.refund, &giving.payment);
    let Some(answer) = answers.first() else {
        if refund.at.plus(KEY_LIFE) <= payment.now {
            return Err(CallError::TooOld);
        }
        let named = format!("{}{DIVIDER}{}", refund.payment, refund.id);
        let body = modification(payment, refund.amount, named)?;
        return post(payment.credentials, &path_of(payment, "refunds")?, refund.id.as_str(), &body);
    };
    match read::<Modified>(answer) {
        Ok(made) => {
            let reference = reference(&made.psp_reference);
            Ok(Step::Done(RefundAnswer { status: RefundStatus::Sent, reference, reason: None }))
        }
        // Validation: this refund is the fault, not the call.
        Err(CallError::Refused(_)) if answer.status().as_u16() == 422 => {
            let reason = refusal(answer).code;
            let status = RefundStatus::Failed;
            Ok(Step::Done(RefundAnswer { status, reference: None, reason: Some(reason) }))
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct Modified {
    #[serde(rename = "pspReference")]
    psp_reference: String,
}

fn modification(payment: &Known<'_>, amount: Money, reference: String) -> Result<Value, CallError> {
    Ok(json!({
        "merchantAccount": account(payment.credentials, "merchant_account")?,
        "amount": money(amount)?,
        "reference": reference,
    }))
}

fn path_of(payment: &Known<'_>, what: &str) -> Result<String, CallError> {
    let reference = payment.reference.unwrap_or_default();
    if reference.is_empty() || !reference.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(CallError::Unwritable("the payment has no reference at Adyen".to_owned()));
    }
    Ok(format!("/payments/{reference}/{what}"))
}

fn units(amount: Money) -> Result<i64, CallError> {
    amount::to_adyen(amount).map_err(|error| CallError::Amount(error.to_string()))
}

fn money(amount: Money) -> Result<Value, CallError> {
    Ok(json!({ "value": units(amount)?, "currency": amount.currency().code() }))
}

fn post<T>(
    credentials: &Credentials,
    path: &str,
    key: &str,
    body: &Value,
) -> Result<Step<T>, CallError> {
    let api_key = credentials.api_keys.first();
    let api_key =
        api_key.ok_or_else(|| CallError::Unwritable("the secret has no API key".to_owned()))?;
    let mut api_key = HeaderValue::from_str(api_key.expose_secret())
        .map_err(|error| CallError::Unwritable(error.to_string()))?;
    api_key.set_sensitive(true);
    let url = api_url(credentials, URL);
    Request::post(format!("{url}/{VERSION}{path}"))
        .header("x-api-key", api_key)
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", key)
        .body(Bytes::from(body.to_string()))
        .map(Step::Call)
        .map_err(|error| CallError::Unwritable(error.to_string()))
}

/// Adyen's `message` is not among these: it quotes what it was sent.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Refusal {
    #[serde(rename = "errorCode")]
    code: String,
    error_type: String,
    psp_reference: String,
}

fn refusal(answer: &Answer) -> Refusal {
    let refusal: Refusal = serde_json::from_slice(answer.body()).unwrap_or_default();
    Refusal {
        code: word(&refusal.code),
        error_type: word(&refusal.error_type),
        psp_reference: word(&refusal.psp_reference),
    }
}

/// The code of a call that comes while the same one is under way.
const UNDER_WAY: &str = "704";

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, CallError> {
    let status = answer.status().as_u16();
    if answer.status().is_success() {
        return serde_json::from_slice(answer.body()).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            CallError::Unusable(format!("status {status}, {place}"))
        });
    }
    let Refusal { code, error_type, psp_reference } = refusal(answer);
    let why =
        format!("status {status}, type `{error_type}`, code `{code}`, reference `{psp_reference}`");
    // A transient error was not kept under its key.
    let transient = answer.headers().get("transient-error").is_some_and(|it| it == "true");
    match status {
        _ if transient || code == UNDER_WAY => Err(CallError::Again(why)),
        409 | 429 | 500.. => Err(CallError::Again(why)),
        // The key is wrong, was rolled, or may not do this.
        401 | 403 => Err(CallError::Unwritable(why)),
        _ => Err(CallError::Refused(why)),
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::{OrderId, PaymentId, RefundId},
        money::Currency,
        payment::{Flow, Instalments, Provider, Refund},
        time::Timestamp,
    };
    use http::Response;
    use secrecy::SecretString;

    use super::*;

    fn credentials() -> Credentials {
        let account = [("merchant_account".to_owned(), "AftercartECOM".to_owned())];
        Credentials {
            api_keys: vec![SecretString::from("key_1")],
            account: account.into(),
            ..Credentials::default()
        }
    }

    fn attempt(method: Method, minor: i64, code: &str) -> Attempt {
        let amount = Money::new(minor, Currency::parse(code).unwrap()).unwrap();
        Attempt {
            id: PaymentId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            provider: Provider::Adyen,
            method,
            flow: Flow::Embedded,
            amount,
            settles: amount,
            instalments: None,
            payer: None,
            verify: false,
            at: Timestamp::EPOCH,
            request: String::new(),
            ask_at: None,
            asked: 0,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    fn started(
        attempt: &Attempt,
        answers: &[Answer],
        now: i64,
    ) -> Result<Step<NextAction>, CallError> {
        let credentials = credentials();
        let asking = Asking {
            attempt,
            credentials: &credentials,
            return_url: Some("https://shop.example/back"),
            notify_url: "https://shop.example/callbacks/adyen",
            buyer_ip: None,
            now: at(now),
        };
        start(&asking, answers)
    }

    fn given(
        reference: Option<&str>,
        answers: &[Answer],
        now: i64,
    ) -> Result<Step<RefundAnswer>, CallError> {
        let (attempt, credentials) = (attempt(Method::Card, 2500, "GBP"), credentials());
        let due = Refund {
            id: RefundId::derive(&["1"]),
            payment: attempt.id.clone(),
            order: attempt.order.clone(),
            customer: attempt.customer.clone(),
            amount: attempt.amount,
            status: RefundStatus::Pending,
            again: 0,
            at: Timestamp::EPOCH,
            reference: None,
            reason: None,
            tries: 0,
            next_at: None,
        };
        let now = at(now);
        let payment = Known { attempt: &attempt, reference, credentials: &credentials, now };
        refund(&GivingBack { refund: &due, payment, notify_url: "" }, answers)
    }

    fn answer(status: u16, body: &str) -> Answer {
        Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
    }

    fn call<T>(step: Result<Step<T>, CallError>) -> (Request<Bytes>, Value) {
        match step {
            Ok(Step::Call(request)) => {
                let body = serde_json::from_slice(request.body()).unwrap();
                (request, body)
            }
            Ok(Step::Done(_)) => panic!("nothing is called"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn the_call_is_the_one_that_adyen_documents() {
        let attempt = attempt(Method::Card, 5, "ISK");
        let (call, body) = call(started(&attempt, &[], 0));
        assert_eq!(call.method(), "POST");
        assert_eq!(call.uri(), "https://checkout-test.adyen.com/v71/sessions");
        let header = |name: &str| call.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            (header("x-api-key"), header("content-type")),
            ("key_1".into(), "application/json".into())
        );
        assert_eq!(header("idempotency-key"), attempt.id.as_str());
        assert!(!format!("{call:?}").contains("key_1"));
        let expected = json!({
            "merchantAccount": "AftercartECOM",
            "amount": { "value": 500, "currency": "ISK" },
            "reference": attempt.id,
            "returnUrl": "https://shop.example/back",
            "allowedPaymentMethods": ["scheme"],
            "channel": "Web",
        });
        assert_eq!(body, expected);
        let made = answer(201, r#"{"id":"CS1","sessionData":"Ab02","reference":"x"}"#);
        let Ok(Step::Done(next)) = started(&attempt, &[made], 0) else { panic!("not done") };
        let data = ClientSecret("Ab02".to_owned());
        assert_eq!(next, NextAction::Session { id: "CS1".to_owned(), data });
    }

    #[test]
    fn each_method_has_its_fields() {
        let months = Some(Instalments { months: 6, interest_free: true });
        let card = |code, instalments, verify| Attempt {
            instalments,
            verify,
            ..attempt(Method::Card, 2500, code)
        };
        for (attempt, pointer, value) in [
            (attempt(Method::Klarna, 2500, "EUR"), "/allowedPaymentMethods/0", json!("klarna")),
            (attempt(Method::Klarna, 2500, "EUR"), "/lineItems/0/amountIncludingTax", json!(2500)),
            (attempt(Method::Ideal, 2500, "EUR"), "/allowedPaymentMethods/0", json!("ideal")),
            (attempt(Method::Alipay, 2500, "CNY"), "/allowedPaymentMethods/0", json!("alipay")),
            (
                attempt(Method::WechatPay, 1, "CNY"),
                "/allowedPaymentMethods/0",
                json!("wechatpayQR"),
            ),
            (attempt(Method::Unionpay, 1, "CNY"), "/allowedPaymentMethods/0", json!("cup")),
            (card("BRL", months, false), "/installmentOptions/card/values/0", json!(6)),
            (card("GBP", None, true), "/authenticationData/attemptAuthentication", json!("always")),
        ] {
            let (_, body) = call(started(&attempt, &[], 0));
            assert_eq!(body.pointer(pointer), Some(&value), "{body}");
        }
        let refused = started(&card("GBP", months, false), &[], 0).unwrap_err();
        assert!(matches!(refused, CallError::Amount(_)));
        let paypal = attempt(Method::Paypal, 1, "GBP");
        assert_eq!(started(&paypal, &[], 0).unwrap_err(), CallError::Unsupported);
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let transient = Response::builder().status(422).header("transient-error", "true");
        let invalid =
            r#"{"status":422,"errorCode":"137","message":"key_1","errorType":"validation"}"#;
        for (answer, class) in [
            (answer(500, ""), "again"),
            (answer(429, ""), "again"),
            (answer(422, r#"{"errorCode":"704"}"#), "again"),
            (transient.body(Bytes::new()).unwrap(), "again"),
            (answer(401, "<html>"), "unwritable"),
            (answer(403, r#"{"errorCode":"010"}"#), "unwritable"),
            (answer(422, invalid), "refused"),
            (answer(201, "{}"), "unusable"),
        ] {
            let attempt = attempt(Method::Card, 2500, "GBP");
            let error = started(&attempt, &[answer], 0).unwrap_err();
            let found = match &error {
                CallError::Again(_) => "again",
                CallError::Refused(_) => "refused",
                CallError::Unusable(_) => "unusable",
                CallError::Unwritable(_) => "unwritable",
                _ => "other",
            };
            assert_eq!(found, class, "{error}");
            assert!(!error.to_string().contains("key_1"), "{error}");
        }
    }

    #[test]
    fn a_refund_names_the_attempt_and_itself() {
        let (call, body) = call(given(Some("PAYMENT1"), &[], 0));
        assert_eq!(call.uri().path(), "/v71/payments/PAYMENT1/refunds");
        let (payment, refund) = (PaymentId::derive(&["1"]), RefundId::derive(&["1"]));
        assert_eq!(call.headers().get("idempotency-key").unwrap(), refund.as_str());
        let reference = body["reference"].as_str().unwrap();
        assert_eq!(reference, format!("{payment}.{refund}"));
        assert!(reference.len() <= 80, "as long as Adyen keeps");
        let answered = |status, body: &str| given(Some("PAYMENT1"), &[answer(status, body)], 0);
        let Ok(Step::Done(sent)) = answered(201, r#"{"pspReference":"R1","status":"received"}"#)
        else {
            panic!("not done")
        };
        assert_eq!((sent.status, sent.reference.as_deref()), (RefundStatus::Sent, Some("R1")));
        let Ok(Step::Done(failed)) = answered(422, r#"{"errorCode":"137"}"#) else {
            panic!("not done")
        };
        assert_eq!((failed.status, failed.reason.as_deref()), (RefundStatus::Failed, Some("137")));
        assert!(matches!(answered(401, "{}"), Err(CallError::Unwritable(_))));
        assert!(matches!(given(None, &[], 0), Err(CallError::Unwritable(_))));
        assert!(matches!(given(Some("a/b"), &[], 0), Err(CallError::Unwritable(_))));
    }

    #[test]
    fn what_adyen_may_have_forgotten_is_left_alone() {
        let attempt = attempt(Method::Card, 2500, "GBP");
        assert!(started(&attempt, &[], 3_599).is_ok());
        assert_eq!(started(&attempt, &[], 3_600).unwrap_err(), CallError::TooOld);
        let week = 7 * 86_400 - 3_600;
        assert!(given(Some("P1"), &[], week - 1).is_ok());
        assert_eq!(given(Some("P1"), &[], week).unwrap_err(), CallError::TooOld);
    }

    #[test]
    fn a_capture_is_asked_once_for_all() {
        let (attempt, credentials) = (attempt(Method::Card, 2500, "GBP"), credentials());
        let known = |now| Known {
            attempt: &attempt,
            reference: Some("P1"),
            credentials: &credentials,
            now: at(now),
        };
        let (call, body) = call(capture(&known(0), &[]));
        assert_eq!(call.uri().path(), "/v71/payments/P1/captures");
        assert_eq!(body["reference"], attempt.id.as_str());
        let key = call.headers().get("idempotency-key").unwrap();
        assert_eq!(key, &format!("{}.capture", attempt.id));
        let made = answer(201, r#"{"pspReference":"C1"}"#);
        assert!(matches!(capture(&known(0), &[made]), Ok(Step::Done(events)) if events.is_empty()));
        assert!(matches!(capture(&known(8 * 86_400), &[]), Err(CallError::TooOld)));
    }
}
