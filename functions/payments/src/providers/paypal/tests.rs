use aftercart::model::{
    customer::CustomerId,
    id::{OrderId, PaymentId, RefundId},
    money::Currency,
    payment::{Attempt, PaymentEventKind, Provider, Refund, RefundStatus},
    time::Period,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::providers::rsa::keys::{
    OTHER, OTHER_PUBLIC, PROVIDER, PROVIDER_CERTIFICATE, PROVIDER_PUBLIC, sign, trusting,
};

const SECONDS: i64 = 1_795_262_400;
const PAYMENT: &str = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const REFUND: &str = "rfd_bbbbbbbbbbbbbbbbbbbbbbbbbb";
const ID: &str = "69cd13f0-d67a-11e5-baa3-778b53f4ae55";
const TIME: &str = "2026-11-21T12:00:00Z";
const WEBHOOK: &str = "1JE4291016473214C";
const BODY: &[u8] = br#"{"id":"WH-1","event_type":"CHECKOUT.ORDER.SAVED"}"#;

fn secret(trusted: &[&str], webhook: &str) -> Credentials {
    trusting(trusted, json!({ "webhook_id": webhook, "client_id": "client" }))
}

type Headers = [(&'static str, String); 4];

/// The headers that sign a body, its sum worked out bit by bit.
fn signing(key: &str, webhook: &str, body: &[u8]) -> Headers {
    let mut sum = u32::MAX;
    for byte in body {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(sum & 1));
        }
    }
    let message = format!("{ID}|{TIME}|{webhook}|{}", !sum);
    [
        (TRANSMISSION_ID, ID.to_owned()),
        (TRANSMISSION_TIME, TIME.to_owned()),
        (SIGNATURE, sign(key, message.as_bytes())),
        (ALGORITHM, "SHA256withRSA".to_owned()),
    ]
}

fn with<T>(
    credentials: &Credentials,
    headers: &[(&str, String)],
    body: &[u8],
    now: i64,
    f: impl FnOnce(&Call<'_>) -> T,
) -> T {
    let header = |name: &str| {
        headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
    };
    let (now, path) = (Timestamp::from_unix_seconds(now).unwrap(), "/callbacks/paypal");
    f(&Call { credentials, method: "POST", path, header: &header, body, now })
}

fn verified(
    trusted: &[&str],
    headers: &[(&str, String)],
    body: &[u8],
    now: i64,
) -> Result<(), SignatureError> {
    with(&secret(trusted, WEBHOOK), headers, body, now, |call| Paypal.verify(call))
}

fn read(body: &[u8]) -> Result<Report, Unreadable> {
    let reports = with(&secret(&[], ""), &[], body, SECONDS, |call| Paypal.read(call));
    reports.map(|mut reports| reports.remove(0))
}

#[test]
fn a_callback_of_paypal_is_verified() {
    let headers = signing(PROVIDER, WEBHOOK, BODY);
    for trusted in [
        &[PROVIDER_CERTIFICATE][..],
        &[OTHER_PUBLIC, PROVIDER_CERTIFICATE],
        &[PROVIDER_PUBLIC, "no key"],
    ] {
        assert_eq!(verified(trusted, &headers, BODY, SECONDS), Ok(()));
    }
    // PayPal repeats for three days and sets no limit.
    let later = verified(&[PROVIDER_CERTIFICATE], &headers, BODY, SECONDS + 3 * 86_400);
    assert_eq!(later, Ok(()));
}

#[test]
fn each_fault_is_told() {
    const IN_2019: i64 = 1_560_000_000;
    const IN_2121: i64 = 4_765_000_000;
    let good = signing(PROVIDER, WEBHOOK, BODY);
    let change = |name: &str, value: &str| {
        good.clone()
            .map(|(header, kept)| (header, if header == name { value.to_owned() } else { kept }))
    };
    let swapped = good.clone().map(|(header, kept)| match header {
        TRANSMISSION_ID => (header, TIME.to_owned()),
        TRANSMISSION_TIME => (header, ID.to_owned()),
        _ => (header, kept),
    });
    let certificate = &[PROVIDER_CERTIFICATE][..];
    for (trusted, headers, now, error) in [
        (&[OTHER_PUBLIC][..], good.clone(), SECONDS, SignatureError::Mismatch),
        (&[], good.clone(), SECONDS, SignatureError::NoSecret),
        (certificate, good.clone(), IN_2019, SignatureError::Mismatch),
        (certificate, good.clone(), IN_2121, SignatureError::Mismatch),
        (certificate, signing(OTHER, WEBHOOK, BODY), SECONDS, SignatureError::Mismatch),
        (certificate, signing(PROVIDER, "another", BODY), SECONDS, SignatureError::Mismatch),
        (certificate, swapped, SECONDS, SignatureError::Mismatch),
        (certificate, change(TRANSMISSION_ID, "x"), SECONDS, SignatureError::Mismatch),
        (certificate, change(SIGNATURE, "AAAA"), SECONDS, SignatureError::Mismatch),
        (certificate, change(SIGNATURE, "%"), SECONDS, SignatureError::MalformedHeader(SIGNATURE)),
        (
            certificate,
            change(ALGORITHM, "SHA1withRSA"),
            SECONDS,
            SignatureError::MalformedHeader(ALGORITHM),
        ),
    ] {
        assert_eq!(verified(trusted, &headers, BODY, now), Err(error), "{headers:?}");
    }
    for (n, (name, _)) in good.iter().enumerate() {
        let headers: Vec<_> =
            good.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, it)| it.clone()).collect();
        let missing = Err(SignatureError::MissingHeader(name));
        assert_eq!(verified(certificate, &headers, BODY, SECONDS), missing);
    }
    let nameless = secret(certificate, "");
    let refused = with(&nameless, &good, BODY, SECONDS, |call| Paypal.verify(call));
    assert_eq!(refused, Err(SignatureError::NoSecret));
}

fn event(kind: &str, resource: Value) -> Vec<u8> {
    let body = json!({
        "id": "WH-1", "event_version": "1.0", "create_time": "2026-11-21T12:00:05.123Z",
        "event_type": kind, "resource": resource,
    });
    body.to_string().into_bytes()
}

fn told(kind: &str, resource: Value) -> Result<Report, Unreadable> {
    read(&event(kind, resource))
}

fn order() -> Value {
    json!({
        "id": "5O190127TN364715T", "intent": "CAPTURE", "status": "APPROVED",
        "create_time": "2026-11-21T11:58:00Z",
        "purchase_units": [{
            "reference_id": "1250 EUR", "custom_id": PAYMENT, "invoice_id": PAYMENT,
            "amount": { "currency_code": "EUR", "value": "12.50" },
        }],
    })
}

fn capture() -> Value {
    json!({
        "id": "2GG279541U471931P", "status": "COMPLETED", "final_capture": true,
        "amount": { "currency_code": "EUR", "value": "12.50" },
        "custom_id": PAYMENT, "invoice_id": PAYMENT,
        "supplementary_data": { "related_ids": { "order_id": "5O190127TN364715T" } },
        "create_time": "2026-11-21T12:00:01Z", "update_time": "2026-11-21T12:00:02Z",
    })
}

fn refund() -> Value {
    json!({
        "id": "1JU08902781691411", "status": "COMPLETED",
        "amount": { "currency_code": "EUR", "value": "5.00" },
        "custom_id": PAYMENT, "invoice_id": REFUND,
        "seller_payable_breakdown": {
            "total_refunded_amount": { "currency_code": "EUR", "value": "8.00" },
        },
        "links": [{
            "rel": "up", "method": "GET",
            "href": "https://api.paypal.com/v2/payments/captures/2GG279541U471931P",
        }],
    })
}

fn dispute(status: &str, outcome: &str) -> Value {
    json!({
        "dispute_id": "PP-D-4012", "create_time": "2026-11-22T04:18:00.000Z",
        "update_time": "2026-11-23T04:19:08.000Z", "status": status,
        "reason": "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED",
        "dispute_amount": { "currency_code": "EUR", "value": "9.60" },
        "dispute_outcome": {
            "outcome_code": outcome,
            "amount_refunded": { "currency_code": "EUR", "value": "4.80" },
        },
        "disputed_transactions": [{
            "seller_transaction_id": "3BC38643YC807283D", "invoice_number": PAYMENT,
            "gross_amount": { "currency_code": "EUR", "value": "12.50" },
        }],
    })
}

fn changed(mut resource: Value, name: &str, value: Value) -> Value {
    resource[name] = value;
    resource
}

#[test]
fn events_are_mapped() {
    use PaymentEventKind::{Authorised, Cancelled, Failed, Processing, Refunded, Succeeded};
    let nowhere = changed(
        order(),
        "purchase_units",
        json!([{
            "reference_id": "1250 EUR", "custom_id": PAYMENT,
        }]),
    );
    let order_id = Some("5O190127TN364715T");
    for (what, resource, kind, minor, reference, part) in [
        ("CHECKOUT.ORDER.APPROVED", order(), Authorised, 1250, order_id, None),
        ("CHECKOUT.PAYMENT-APPROVAL.REVERSED", nowhere, Cancelled, 1250, order_id, None),
        ("PAYMENT.CAPTURE.COMPLETED", capture(), Succeeded, 1250, order_id, None),
        ("PAYMENT.CAPTURE.PENDING", capture(), Processing, 1250, order_id, None),
        ("PAYMENT.CAPTURE.DENIED", capture(), Failed, 1250, order_id, None),
        ("PAYMENT.CAPTURE.DECLINED", capture(), Failed, 1250, order_id, None),
        ("PAYMENT.CAPTURE.REFUNDED", refund(), Refunded, 500, None, Some(REFUND)),
        (
            "PAYMENT.CAPTURE.REFUNDED",
            changed(refund(), "invoice_id", PAYMENT.into()),
            Refunded,
            800,
            None,
            None,
        ),
        (
            "PAYMENT.CAPTURE.REVERSED",
            changed(
                changed(refund(), "invoice_id", Value::Null),
                "seller_payable_breakdown",
                json!({}),
            ),
            Refunded,
            500,
            None,
            Some("1JU08902781691411"),
        ),
    ] {
        let Ok(Report::Event(event)) = told(what, resource) else { panic!("{what}") };
        assert_eq!((event.kind, event.amount.minor()), (kind, minor), "{what}");
        assert_eq!(event.amount.currency().code(), "EUR");
        assert_eq!((event.id.as_str(), event.payment.as_str()), ("WH-1", PAYMENT));
        assert_eq!((event.reference.as_deref(), event.part.as_deref()), (reference, part));
    }
    let declined = json!({ "reason": "BUYER_COMPLAINT" });
    let denied = told("PAYMENT.CAPTURE.DENIED", changed(capture(), "status_details", declined));
    let Ok(Report::Event(event)) = denied else { panic!("no event") };
    assert_eq!(event.reason.as_deref(), Some("BUYER_COMPLAINT"));
    assert_eq!(event.at.to_string(), "2026-11-21T12:00:02.000Z");
    let Ok(Report::Event(event)) = told("CHECKOUT.ORDER.APPROVED", order()) else {
        panic!("no event")
    };
    assert_eq!(event.at.to_string(), "2026-11-21T12:00:05.123Z");
}

#[test]
fn disputes_are_mapped_by_their_outcome() {
    use PaymentEventKind::{DisputeLost, DisputeWon, Disputed};
    for (what, status, outcome, kind, minor) in [
        ("CREATED", "OPEN", "", Disputed, 960),
        ("UPDATED", "WAITING_FOR_SELLER_RESPONSE", "", Disputed, 960),
        ("UPDATED", "UNDER_REVIEW", "", Disputed, 960),
        ("RESOLVED", "RESOLVED", "RESOLVED_BUYER_FAVOUR", DisputeLost, 480),
        ("RESOLVED", "RESOLVED", "ACCEPTED", DisputeLost, 480),
        ("RESOLVED", "RESOLVED", "RESOLVED_SELLER_FAVOUR", DisputeWon, 960),
        ("RESOLVED", "RESOLVED", "RESOLVED_WITH_PAYOUT", DisputeWon, 960),
        ("RESOLVED", "RESOLVED", "CANCELED_BY_BUYER", DisputeWon, 960),
        ("RESOLVED", "RESOLVED", "DENIED", DisputeWon, 960),
        ("RESOLVED", "RESOLVED", "NONE", DisputeWon, 960),
    ] {
        let told = told(&format!("CUSTOMER.DISPUTE.{what}"), dispute(status, outcome));
        let Ok(Report::Event(event)) = told else { panic!("{outcome}") };
        assert_eq!((event.kind, event.amount.minor()), (kind, minor), "{outcome}");
        assert_eq!((event.payment.as_str(), event.part.as_deref()), (PAYMENT, Some("PP-D-4012")));
        assert_eq!(event.at.to_string(), "2026-11-23T04:19:08.000Z");
    }
    let other = told("CUSTOMER.DISPUTE.RESOLVED", dispute("RESOLVED", "TOSSED"));
    let what = "CUSTOMER.DISPUTE.RESOLVED TOSSED".to_owned();
    assert_eq!(other, Ok(Report::Unknown { id: "WH-1".to_owned(), what }));
    let custom = json!([{ "seller_transaction_id": "3BC", "custom": PAYMENT }]);
    let named = changed(dispute("OPEN", ""), "disputed_transactions", custom);
    assert!(matches!(told("CUSTOMER.DISPUTE.CREATED", named), Ok(Report::Event(_))));
    let unnamed = json!([{ "seller_transaction_id": "3BC" }]);
    let unnamed = changed(dispute("OPEN", ""), "disputed_transactions", unnamed);
    let what = "CUSTOMER.DISPUTE.CREATED PP-D-4012 3BC".to_owned();
    let foreign = Report::Foreign { id: "WH-1".to_owned(), what };
    assert_eq!(told("CUSTOMER.DISPUTE.CREATED", unnamed), Ok(foreign));
}

#[test]
fn what_does_not_name_an_attempt_is_foreign() {
    for (what, resource) in [
        ("CHECKOUT.ORDER.APPROVED", changed(order(), "purchase_units", json!([]))),
        ("CHECKOUT.ORDER.APPROVED", changed(order(), "purchase_units", json!([{}]))),
        (
            "PAYMENT.CAPTURE.COMPLETED",
            changed(changed(capture(), "custom_id", "4711".into()), "invoice_id", Value::Null),
        ),
        (
            "PAYMENT.CAPTURE.REFUNDED",
            changed(changed(refund(), "custom_id", Value::Null), "invoice_id", Value::Null),
        ),
    ] {
        let foreign = Report::Foreign { id: "WH-1".to_owned(), what: what.to_owned() };
        assert_eq!(told(what, resource), Ok(foreign));
    }
    let nothing = told("CHECKOUT.ORDER.COMPLETED", json!({}));
    assert!(matches!(nothing, Ok(Report::Nothing { .. })));
    let unknown = told("BILLING.SUBSCRIPTION.CREATED", json!({}));
    assert!(matches!(unknown, Ok(Report::Unknown { .. })));
}

#[test]
fn what_is_impossible_says_why() {
    let amount = |code: &str, value: &str| json!({ "currency_code": code, "value": value });
    for resource in [
        changed(capture(), "amount", amount("EUR", "12.505")),
        changed(capture(), "amount", amount("JPY", "12.50")),
        changed(capture(), "amount", amount("ZZZ", "12.50")),
        changed(capture(), "update_time", "now".into()),
    ] {
        let read = told("PAYMENT.CAPTURE.COMPLETED", resource);
        assert!(matches!(read, Err(Unreadable::Value(_))));
    }
    for resource in [json!({}), Value::Null, changed(capture(), "amount", 12.into())] {
        let read = told("PAYMENT.CAPTURE.COMPLETED", resource);
        assert!(matches!(read, Err(Unreadable::Form(_))));
    }
    let nowhere = json!([{ "reference_id": "default", "custom_id": PAYMENT }]);
    let reversed = changed(order(), "purchase_units", nowhere);
    let read_it = told("CHECKOUT.PAYMENT-APPROVAL.REVERSED", reversed);
    assert!(matches!(read_it, Err(Unreadable::Form(_))));
    assert_eq!(read(b"\xff"), Err(Unreadable::Encoding));
}

proptest! {
    #[test]
    fn one_flipped_bit_is_enough(byte in 0..BODY.len(), of in 0..256_usize, bit in 0_u32..8) {
        let good = signing(PROVIDER, WEBHOOK, BODY);
        let mut body = BODY.to_vec();
        body[byte] ^= 1 << bit;
        let refused = verified(&[PROVIDER_CERTIFICATE], &good, &body, SECONDS);
        prop_assert_eq!(refused, Err(SignatureError::Mismatch));
        let mut signature = BASE64.decode(good[2].1.as_bytes()).unwrap();
        signature[of] ^= 1 << bit;
        let mut flipped = good;
        flipped[2].1 = BASE64.encode(&signature);
        let refused = verified(&[PROVIDER_CERTIFICATE], &flipped, BODY, SECONDS);
        prop_assert_eq!(refused, Err(SignatureError::Mismatch));
    }

    #[test]
    fn any_call_is_answered(
        texts in prop::array::uniform4("\\PC{0,40}"),
        body in prop::collection::vec(any::<u8>(), 0..200),
        member in prop::sample::select(vec!["id", "amount", "custom_id", "update_time", "status"]),
        kind in prop::sample::select(vec![
            "CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED",
            "CUSTOMER.DISPUTE.CREATED",
        ]),
    ) {
        let names = [TRANSMISSION_ID, TRANSMISSION_TIME, SIGNATURE, ALGORITHM];
        let mut headers: Headers = std::array::from_fn(|n| (names[n], texts[n].clone()));
        prop_assert!(verified(&[PROVIDER_CERTIFICATE], &headers, &body, SECONDS).is_err());
        headers[3].1 = "SHA256withRSA".to_owned();
        prop_assert!(verified(&[PROVIDER_CERTIFICATE], &headers, &body, SECONDS).is_err());
        prop_assert!(read(&body).is_err());
        for resource in [order(), capture(), refund(), dispute("RESOLVED", "NONE")] {
            drop(told(kind, changed(resource, member, texts[0].as_str().into())));
        }
    }
}

fn attempt() -> Attempt {
    let amount = Money::new(1250, Currency::parse("EUR").unwrap()).unwrap();
    Attempt {
        id: PaymentId::parse(PAYMENT).unwrap(),
        order: OrderId::derive(&["1"]),
        customer: CustomerId::member("a").unwrap(),
        provider: Provider::Paypal,
        method: Method::Paypal,
        flow: Flow::Redirect,
        amount,
        settles: amount,
        instalments: None,
        payer: None,
        verify: false,
        at: Timestamp::from_unix_seconds(SECONDS).unwrap(),
        request: String::new(),
        ask_at: None,
        asked: 0,
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    let response = http::Response::builder().status(status);
    response.body(body.to_string().into()).unwrap()
}

fn token() -> Answer {
    answer(200, &json!({ "access_token": "A21", "expires_in": 32_400 }))
}

fn refusal(status: u16, issue: &str) -> Answer {
    let details = json!([{ "issue": issue, "description": "secret" }]);
    answer(status, &json!({ "name": "UNPROCESSABLE_ENTITY", "details": details }))
}

#[test]
fn a_start_is_a_token_an_order_and_an_address() {
    let (attempt, credentials) = (attempt(), secret(&[], WEBHOOK));
    let asking = |now| Asking {
        attempt: &attempt,
        credentials: &credentials,
        return_url: Some("https://shop.example/back"),
        notify_url: "https://shop.example/callbacks/paypal",
        buyer_ip: None,
        now,
    };
    let now = asking(attempt.at);
    let Ok(Step::Call(call)) = Paypal.start(&now, &[]) else { panic!("no call") };
    assert_eq!(call.uri(), "https://api-m.paypal.com/v1/oauth2/token");
    assert!(call.headers()[http::header::AUTHORIZATION].is_sensitive());
    assert_eq!(&call.body()[..], b"grant_type=client_credentials");

    let Ok(Step::Call(call)) = Paypal.start(&now, &[token()]) else { panic!("no call") };
    assert_eq!(call.uri(), "https://api-m.paypal.com/v2/checkout/orders");
    assert_eq!(call.headers()["paypal-request-id"], PAYMENT);
    assert_eq!(call.headers()[http::header::AUTHORIZATION], "Bearer A21");
    let body: Value = serde_json::from_slice(call.body()).unwrap();
    let unit = &body["purchase_units"][0];
    assert_eq!(unit["amount"], json!({ "currency_code": "EUR", "value": "12.50" }));
    assert_eq!((&unit["custom_id"], &unit["reference_id"]), (&json!(PAYMENT), &json!("1250 EUR")));

    for rel in ["payer-action", "approve"] {
        let links = json!({ "links": [
            { "rel": "self", "href": "https://api.paypal.com/x" },
            { "rel": rel, "href": "https://www.paypal.com/checkoutnow?token=5O" },
        ] });
        let next = Paypal.start(&now, &[token(), answer(200, &links)]);
        let Ok(Step::Done(NextAction::Redirect { url })) = next else { panic!("{rel}") };
        assert_eq!(url.0, "https://www.paypal.com/checkoutnow?token=5O");
    }
    let failed = |answer| Paypal.start(&now, &[token(), answer]).unwrap_err();
    assert!(matches!(failed(refusal(500, "")), CallError::Again(_)));
    assert!(matches!(failed(refusal(429, "RATE_LIMIT_REACHED")), CallError::Again(_)));
    assert!(matches!(failed(refusal(401, "invalid_client")), CallError::Unwritable(_)));
    assert!(
        matches!(failed(refusal(422, "X")), CallError::Refused(why) if !why.contains("secret"))
    );
    assert!(matches!(failed(answer(200, &json!({}))), CallError::Unusable(_)));
    let late = asking(attempt.at.plus(Period::of_seconds(5 * 3_600)));
    assert!(matches!(Paypal.start(&late, &[token()]), Err(CallError::TooOld)));
}

#[test]
fn what_becomes_of_a_capture_is_told() {
    use PaymentEventKind::{Expired, Failed, Succeeded};
    let (attempt, credentials) = (attempt(), secret(&[], WEBHOOK));
    let (reference, now) = (Some("5O190127TN364715T"), attempt.at);
    let known = Known { attempt: &attempt, reference, credentials: &credentials, now };
    let Ok(Step::Call(call)) = Paypal.capture(&known, &[token()]) else { panic!("no call") };
    assert_eq!(call.uri().path(), "/v2/checkout/orders/5O190127TN364715T/capture");
    assert_eq!(call.headers()["paypal-request-id"], format!("capture-{PAYMENT}"));

    let taken = json!({ "captures": [capture()] });
    let unit = changed(order()["purchase_units"][0].clone(), "payments", taken);
    let order =
        changed(changed(order(), "status", "COMPLETED".into()), "purchase_units", json!([unit]));
    for (answer, kind, reason) in [
        (answer(201, &order), Succeeded, None),
        (refusal(422, "INSTRUMENT_DECLINED"), Failed, Some("INSTRUMENT_DECLINED")),
        (refusal(422, "ORDER_EXPIRED"), Expired, None),
        (refusal(404, "INVALID_RESOURCE_ID"), Expired, None),
    ] {
        let Ok(Step::Done(events)) = Paypal.capture(&known, &[token(), answer]) else {
            panic!("{kind:?}")
        };
        assert_eq!((events.len(), events[0].kind), (1, kind));
        assert_eq!((events[0].reason.as_deref(), events[0].amount), (reason, attempt.amount));
        assert_eq!(events[0].reference.as_deref(), reference);
    }
    let before = [token(), refusal(422, "ORDER_ALREADY_CAPTURED")];
    let Ok(Step::Call(call)) = Paypal.capture(&known, &before) else { panic!("no call") };
    assert_eq!(call.method(), http::Method::GET);
    let [first, second] = before;
    let Ok(Step::Done(events)) = Paypal.capture(&known, &[first, second, answer(200, &order)])
    else {
        panic!("no events")
    };
    assert_eq!(events[0].kind, Succeeded);
    let refused = Paypal.capture(&known, &[token(), refusal(422, "ORDER_NOT_APPROVED")]);
    assert!(matches!(refused, Err(CallError::Refused(_))));
    let unknown = Known { reference: None, ..known };
    assert!(matches!(Paypal.query(&unknown, &[]), Ok(Step::Done(events)) if events.is_empty()));
    let evil = Known { reference: Some("../../v1/x"), ..known };
    assert!(matches!(Paypal.query(&evil, &[token()]), Err(CallError::Refused(_))));
}

#[test]
fn a_refund_finds_its_capture() {
    let (attempt, credentials) = (attempt(), secret(&[], WEBHOOK));
    let (reference, now) = (Some("5O190127TN364715T"), attempt.at);
    let refund = Refund {
        id: RefundId::parse(REFUND).unwrap(),
        payment: attempt.id.clone(),
        order: attempt.order.clone(),
        customer: attempt.customer.clone(),
        amount: attempt.amount,
        status: RefundStatus::Pending,
        again: 0,
        at: attempt.at,
        reference: None,
        reason: None,
        tries: 0,
        next_at: None,
    };
    let payment = Known { attempt: &attempt, reference, credentials: &credentials, now };
    let giving = GivingBack { refund: &refund, payment, notify_url: "https://shop.example/x" };
    let taken = json!({ "captures": [capture()] });
    let unit = changed(order()["purchase_units"][0].clone(), "payments", taken);
    let paid = || answer(200, &changed(order(), "purchase_units", json!([unit])));
    let Ok(Step::Call(call)) = Paypal.refund(&giving, &[token(), paid()]) else { panic!("none") };
    assert_eq!(call.uri().path(), "/v2/payments/captures/2GG279541U471931P/refund");
    assert_eq!(call.headers()["paypal-request-id"], REFUND);
    let unpaid = Paypal.refund(&giving, &[token(), answer(200, &order())]);
    assert!(matches!(unpaid, Err(CallError::Refused(_))));
    for (answer, status, reason) in [
        (answer(201, &json!({ "id": "1", "status": "COMPLETED" })), RefundStatus::Succeeded, None),
        (answer(201, &json!({ "id": "1", "status": "PENDING" })), RefundStatus::Sent, None),
        (
            refusal(422, "CAPTURE_FULLY_REFUNDED"),
            RefundStatus::Failed,
            Some("CAPTURE_FULLY_REFUNDED"),
        ),
    ] {
        let Ok(Step::Done(said)) = Paypal.refund(&giving, &[token(), paid(), answer]) else {
            panic!("{status}")
        };
        assert_eq!((said.status, said.reason.as_deref()), (status, reason));
    }
    let late = Known { now: now.plus(Period::of_days(44)), ..payment };
    let late = GivingBack { payment: late, ..giving };
    assert!(matches!(Paypal.refund(&late, &[token(), paid()]), Err(CallError::TooOld)));
}
