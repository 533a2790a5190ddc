use std::collections::BTreeMap;

use aftercart::model::{
    customer::CustomerId,
    id::OrderId,
    payment::{Attempt, RefundStatus},
    time::Period,
};
use proptest::prelude::*;
use serde_json::json;

use super::{
    fields::{Fields, digits},
    *,
};
use crate::providers::rsa::{
    self,
    keys::{MERCHANT_PUBLIC, OTHER, PROVIDER, PROVIDER_PUBLIC, sign, trusting},
};

const ROOT: &str = include_str!("../../../../../infra/keys/unionpay-root.pem");
const MIDDLE: &str = include_str!("../../../../../infra/keys/unionpay-middle.pem");
const UNIONPAY: &str = include_str!("../../../../../infra/keys/unionpay.pem");
const SHOP: &str = include_str!("../../../../../infra/keys/unionpay-shop.pem");
const NOBODY: &str = include_str!("../../../../../infra/keys/unionpay-other.pem");

const SECONDS: i64 = 1_795_262_400;
const PAYMENT: &str = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const REFUND: &str = "rfd_bbbbbbbbbbbbbbbbbbbbbbbbbb";

fn secret(trusted: &[&str]) -> Credentials {
    trusting(trusted, json!({ "mer_id": "777290058110048", "cert_id": "68759663125" }))
}

type Pairs = BTreeMap<String, String>;

fn pairs(list: &[(&str, &str)]) -> Pairs {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn notice() -> Pairs {
    pairs(&[
        ("version", "5.1.0"),
        ("encoding", "UTF-8"),
        ("signMethod", "01"),
        ("txnType", "01"),
        ("txnSubType", "01"),
        ("bizType", "000201"),
        ("accessType", "0"),
        ("merId", "777290058110048"),
        ("orderId", "aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("txnTime", "20261122080000"),
        ("traceTime", "1122080105"),
        ("txnAmt", "1250"),
        ("currencyCode", "156"),
        ("queryId", "792611220800001234567"),
        ("respCode", "00"),
        ("respMsg", "成功[0000000]"),
        ("accNo", ""),
    ])
}

fn refund_notice() -> Pairs {
    let refund = pairs(&[
        ("txnType", "04"),
        ("orderId", "bbbbbbbbbbbbbbbbbbbbbbbbbb"),
        ("reqReserved", PAYMENT),
        ("txnAmt", "500"),
        ("queryId", "792611220800009999999"),
        ("origQryId", "792611220800001234567"),
    ]);
    notice().into_iter().chain(refund).collect()
}

fn changed(mut fields: Pairs, name: &str, value: &str) -> Pairs {
    fields.insert(name.to_owned(), value.to_owned());
    fields
}

/// What a key signs of the fields, by the rule in words: hash in hexadecimal
/// of what is sorted and joined.
fn signature(key: &str, fields: &Pairs) -> String {
    let kept = fields.iter().filter(|(name, value)| !value.is_empty() && *name != "signature");
    let joined: Vec<String> = kept.map(|(name, value)| format!("{name}={value}")).collect();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, joined.join("&").as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    sign(key, hex.as_bytes())
}

fn signed(key: &str, certificate: &str, fields: Pairs) -> Pairs {
    let fields = changed(fields, "signPubKeyCert", certificate);
    let signature = signature(key, &fields);
    changed(fields, "signature", &signature)
}

fn form(fields: &Pairs) -> Vec<u8> {
    crate::providers::form(fields.iter().map(|(k, v)| (k.as_str(), v.as_str()))).into_bytes()
}

fn with<T>(credentials: &Credentials, body: &[u8], now: i64, f: impl FnOnce(&Call<'_>) -> T) -> T {
    let (header, path) = (|_: &str| None, "/callbacks/unionpay");
    let now = Timestamp::from_unix_seconds(now).unwrap();
    f(&Call { credentials, method: "POST", path, header: &header, body, now })
}

fn verified(trusted: &[&str], fields: &Pairs, now: i64) -> Result<(), SignatureError> {
    with(&secret(trusted), &form(fields), now, |call| Unionpay.verify(call))
}

fn read(fields: &Pairs) -> Result<Report, Unreadable> {
    let reports = with(&secret(&[]), &form(fields), SECONDS, |call| Unionpay.read(call));
    reports.map(|mut reports| reports.remove(0))
}

#[test]
fn a_notice_of_unionpay_is_verified() {
    let fields = signed(PROVIDER, UNIONPAY, notice());
    for trusted in [&[ROOT, MIDDLE][..], &[MIDDLE, ROOT], &[NOBODY, MIDDLE, "no certificate", ROOT]]
    {
        assert_eq!(verified(trusted, &fields, SECONDS), Ok(()), "{}", trusted.len());
    }
    // Nothing signs a time.
    assert_eq!(verified(&[ROOT, MIDDLE], &fields, SECONDS + 30 * 86_400), Ok(()));
}

#[test]
fn only_unionpays_certificates_are_believed() {
    const IN_2019: i64 = 1_560_000_000;
    const IN_2121: i64 = 4_765_000_000;
    let good = signed(PROVIDER, UNIONPAY, notice());
    for (trusted, fields, now) in [
        (&[ROOT][..], good.clone(), SECONDS),
        (&[MIDDLE], good.clone(), SECONDS),
        (&[UNIONPAY], good.clone(), SECONDS),
        (&[UNIONPAY, MIDDLE], good.clone(), SECONDS),
        (&[NOBODY], good.clone(), SECONDS),
        (&[PROVIDER_PUBLIC], good.clone(), SECONDS),
        (&[ROOT, MIDDLE], good.clone(), IN_2019),
        (&[ROOT, MIDDLE], good.clone(), IN_2121),
        (&[ROOT, MIDDLE], signed(OTHER, SHOP, notice()), SECONDS),
        (&[ROOT, MIDDLE], signed(OTHER, NOBODY, notice()), SECONDS),
        (&[ROOT, MIDDLE, NOBODY], signed(OTHER, NOBODY, notice()), SECONDS),
        (&[ROOT, MIDDLE], signed(OTHER, UNIONPAY, notice()), SECONDS),
        (&[ROOT, MIDDLE], signed(PROVIDER, MIDDLE, notice()), SECONDS),
        (&[ROOT, MIDDLE], signed(PROVIDER, PROVIDER_PUBLIC, notice()), SECONDS),
        (&[ROOT, MIDDLE], signed(PROVIDER, "x", notice()), SECONDS),
    ] {
        let verified = verified(trusted, &fields, now);
        assert_eq!(verified, Err(SignatureError::Mismatch), "{} {now}", trusted.len());
    }
    // UnionPay's test environment has a certificate of another name.
    let mut test = secret(&[ROOT, MIDDLE]);
    test.account.insert("certificate_name".to_owned(), "Some shop".to_owned());
    let body = form(&signed(OTHER, SHOP, notice()));
    assert_eq!(with(&test, &body, SECONDS, |call| Unionpay.verify(call)), Ok(()));
    let body = form(&good);
    let refused = with(&test, &body, SECONDS, |call| Unionpay.verify(call));
    assert_eq!(refused, Err(SignatureError::Mismatch));
}

#[test]
fn each_fault_is_told() {
    let good = signed(PROVIDER, UNIONPAY, notice());
    let swapped = {
        let (order, query) = (good["orderId"].clone(), good["queryId"].clone());
        changed(changed(good.clone(), "orderId", &query), "queryId", &order)
    };
    for (fields, error) in [
        (changed(good.clone(), "signature", ""), SignatureError::MissingHeader("signature")),
        (
            changed(good.clone(), "signPubKeyCert", ""),
            SignatureError::MissingHeader("signPubKeyCert"),
        ),
        (changed(good.clone(), "version", "5.0.0"), SignatureError::MalformedHeader("version")),
        (changed(good.clone(), "signMethod", "11"), SignatureError::MalformedHeader("signMethod")),
        (changed(good.clone(), "encoding", "GBK"), SignatureError::MalformedHeader("encoding")),
        (changed(good.clone(), "signature", "%%"), SignatureError::MalformedHeader("signature")),
        (changed(good.clone(), "signature", "AAAA"), SignatureError::Mismatch),
        (changed(good.clone(), "txnAmt", "1"), SignatureError::Mismatch),
        (changed(good.clone(), "extra", "1"), SignatureError::Mismatch),
        (swapped, SignatureError::Mismatch),
    ] {
        assert_eq!(verified(&[ROOT, MIDDLE], &fields, SECONDS), Err(error));
    }
    assert_eq!(verified(&[], &good, SECONDS), Err(SignatureError::NoSecret));
}

#[test]
fn a_payment_is_read_field_by_field() {
    let Ok(Report::Event(event)) = read(&notice()) else { panic!("no event") };
    assert_eq!((event.payment.as_str(), event.provider), (PAYMENT, Provider::Unionpay));
    assert_eq!(event.id, "792611220800001234567-01-00");
    assert_eq!(event.amount.to_string(), "12.50 CNY");
    assert_eq!(event.at.to_string(), "2026-11-22T00:01:05.000Z");
    assert_eq!(event.reference.as_deref(), Some("792611220800001234567"));
    assert_eq!((event.reason, event.part), (None, None));
}

#[test]
fn transactions_are_mapped() {
    use PaymentEventKind::{Failed, RefundFailed, Refunded, Succeeded};
    for (code, paid, back) in [
        ("00", Succeeded, Refunded),
        ("A6", Succeeded, Refunded),
        ("30", Failed, RefundFailed),
        ("01", Failed, RefundFailed),
    ] {
        let reason = (paid == Failed).then(|| code.to_owned());
        let Ok(Report::Event(event)) = read(&changed(notice(), "respCode", code)) else {
            panic!("{code}")
        };
        assert_eq!((event.kind, event.reason.clone()), (paid, reason.clone()), "{code}");
        let Ok(Report::Event(event)) = read(&changed(refund_notice(), "respCode", code)) else {
            panic!("{code}")
        };
        assert_eq!((event.kind, event.reason), (back, reason), "{code}");
        assert_eq!((event.payment.as_str(), event.part.as_deref()), (PAYMENT, Some(REFUND)));
        assert_eq!(event.amount.minor(), 500);
        assert_eq!(event.reference.as_deref(), Some("792611220800001234567"));
    }
    let undone = changed(changed(refund_notice(), "txnType", "31"), "orderId", "20261122x");
    let Ok(Report::Event(event)) = read(&undone) else { panic!("no event") };
    assert_eq!((event.kind, event.part.as_deref()), (Refunded, Some("792611220800009999999")));
    let unknown = read(&changed(notice(), "txnType", "02"));
    assert!(matches!(unknown, Ok(Report::Unknown { what, .. }) if what == "txnType 02"));
}

#[test]
fn what_is_not_ours_is_foreign() {
    for fields in [
        changed(notice(), "merId", "777290058110049"),
        changed(notice(), "orderId", "20261122000001"),
        changed(refund_notice(), "reqReserved", ""),
        changed(refund_notice(), "reqReserved", "somebody"),
    ] {
        assert!(matches!(read(&fields), Ok(Report::Foreign { .. })), "{fields:?}");
    }
}

#[test]
fn what_is_impossible_says_why() {
    for (name, value) in [
        ("txnAmt", "12.50"),
        ("txnAmt", "-1"),
        ("txnAmt", "+1"),
        ("txnAmt", "99999999999999999999"),
        ("currencyCode", "840"),
        ("txnTime", "yesterday"),
        ("txnTime", "20261322080000"),
        ("traceTime", "1332080105"),
    ] {
        let read = read(&changed(notice(), name, value));
        assert!(matches!(read, Err(Unreadable::Value(_))), "{name} {value}");
    }
    for body in [&b""[..], b"\xff\xfe", b"txnType=01"] {
        let read = with(&secret(&[]), body, SECONDS, |call| Unionpay.read(call));
        assert!(matches!(read, Err(Unreadable::Form(_))), "{}", body.escape_ascii());
    }
}

#[test]
fn the_year_of_a_trace_is_that_of_its_transaction() {
    for (sent, traced, at) in [
        ("20261122080000", "1122080105", "2026-11-22T00:01:05.000Z"),
        ("20261231235959", "0101000003", "2026-12-31T16:00:03.000Z"),
        ("20261122080000", "", "2026-11-22T00:00:00.000Z"),
    ] {
        let fields = changed(changed(notice(), "txnTime", sent), "traceTime", traced);
        let Ok(Report::Event(event)) = read(&fields) else { panic!("{traced}") };
        assert_eq!(event.at.to_string(), at);
    }
    let at = Timestamp::parse("2026-12-31T16:00:03Z").unwrap();
    assert_eq!(digits(at), "20270101000003");
}

#[test]
fn an_answer_is_split_as_the_library_splits_it() {
    let text = "a=1&b={x=1&y=2}&c=[p&q]&signature=ab+c/d==&empty=&cert=-----BEGIN\r\nX\n&last=z";
    let fields = Fields::of_answer(text);
    for (name, value) in [
        ("a", "1"),
        ("b", "{x=1&y=2}"),
        ("c", "[p&q]"),
        ("signature", "ab+c/d=="),
        ("empty", ""),
        ("cert", "-----BEGIN\r\nX\n"),
        ("last", "z"),
    ] {
        assert_eq!(fields.get(name), value);
    }
}

proptest! {
    #[test]
    fn one_changed_value_is_enough(n in 0_usize..16, value in "[0-9A-Za-z]{1,20}") {
        let good = signed(PROVIDER, UNIONPAY, notice());
        let name = good.keys().nth(n).unwrap().clone();
        if good[&name] != value && name != "signature" {
            let verified = verified(&[ROOT, MIDDLE], &changed(good, &name, &value), SECONDS);
            prop_assert!(verified.is_err(), "{}", name);
        }
    }

    #[test]
    fn one_flipped_bit_of_the_signature_is_enough(byte in 0..256_usize, bit in 0_u32..8) {
        use data_encoding::BASE64;
        let good = signed(PROVIDER, UNIONPAY, notice());
        let mut signature = BASE64.decode(good["signature"].as_bytes()).unwrap();
        signature[byte] ^= 1 << bit;
        let flipped = changed(good, "signature", &BASE64.encode(&signature));
        let verified = verified(&[ROOT, MIDDLE], &flipped, SECONDS);
        prop_assert_eq!(verified, Err(SignatureError::Mismatch));
    }

    #[test]
    fn any_body_is_answered(
        body in prop::collection::vec(any::<u8>(), 0..200),
        name in prop::sample::select(vec!["orderId", "txnAmt", "txnTime", "traceTime", "txnType"]),
        value in "\\PC{0,20}",
    ) {
        let refused = with(&secret(&[ROOT, MIDDLE]), &body, SECONDS, |call| Unionpay.verify(call));
        prop_assert!(refused.is_err());
        drop(with(&secret(&[]), &body, SECONDS, |call| Unionpay.read(call)));
        drop(read(&changed(notice(), name, &value)));
        drop(Fields::of_answer(&String::from_utf8_lossy(&body)));
        let forged = changed(signed(PROVIDER, UNIONPAY, notice()), "signPubKeyCert", &value);
        prop_assert!(verified(&[ROOT, MIDDLE], &forged, SECONDS).is_err());
    }

    #[test]
    fn what_is_sent_as_a_form_is_read_as_it_was(
        names in prop::collection::btree_map("[a-z]{1,8}", "\\PC{1,20}", 0..8),
    ) {
        let fields = Fields::of(names.clone());
        prop_assert_eq!(Fields::of_form(fields.form().as_bytes()), fields.clone());
        prop_assert_eq!(fields.into_map(), names);
    }
}

fn attempt(flow: Flow) -> Attempt {
    let amount = Money::new(1250, Currency::parse("CNY").unwrap()).unwrap();
    Attempt {
        id: PaymentId::parse(PAYMENT).unwrap(),
        order: OrderId::derive(&["1"]),
        customer: CustomerId::member("a").unwrap(),
        provider: Provider::Unionpay,
        method: Method::Unionpay,
        flow,
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

fn asking<'a>(attempt: &'a Attempt, credentials: &'a Credentials) -> Asking<'a> {
    Asking {
        attempt,
        credentials,
        return_url: Some("https://shop.example/back"),
        notify_url: "https://shop.example/callbacks/unionpay",
        buyer_ip: None,
        now: attempt.at,
    }
}

#[test]
fn a_form_is_written_and_signed() {
    let credentials = secret(&[ROOT, MIDDLE]);
    for (flow, channel) in [(Flow::Redirect, "07"), (Flow::Mobile, "08")] {
        let attempt = attempt(flow);
        let Ok(Step::Done(NextAction::Form { url, fields })) =
            Unionpay.start(&asking(&attempt, &credentials), &[])
        else {
            panic!("no form")
        };
        assert_eq!(url, "https://gateway.95516.com/gateway/api/frontTransReq.do");
        for (name, value) in [
            ("version", "5.1.0"),
            ("orderId", "aaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("txnTime", "20261121200000"),
            ("payTimeout", "20261121203000"),
            ("txnAmt", "1250"),
            ("currencyCode", "156"),
            ("channelType", channel),
            ("certId", "68759663125"),
            ("merId", "777290058110048"),
            ("frontUrl", "https://shop.example/back"),
            ("backUrl", "https://shop.example/callbacks/unionpay"),
        ] {
            assert_eq!(fields[name], value, "{name}");
        }
        let expected = signature(crate::providers::rsa::keys::MERCHANT, &fields);
        assert_eq!(fields["signature"], expected);
        assert!(rsa::public_key(MERCHANT_PUBLIC).is_some());
        let late = Asking {
            now: attempt.at.plus(Period::of_seconds(30 * 60)),
            ..asking(&attempt, &credentials)
        };
        assert!(matches!(Unionpay.start(&late, &[]), Err(CallError::TooOld)));
    }
}

fn said(fields: Pairs) -> Answer {
    let fields = signed(PROVIDER, UNIONPAY, fields);
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    http::Response::new(pairs.join("&").into())
}

#[test]
fn answers_are_read_only_if_unionpay_signed_them() {
    let (attempt, credentials) = (attempt(Flow::App), secret(&[ROOT, MIDDLE]));
    let begun = |answer: Answer| Unionpay.start(&asking(&attempt, &credentials), &[answer]);
    let good = changed(notice(), "tn", "826112208000012345");
    let Ok(Step::Done(NextAction::App { parameters })) = begun(said(good.clone())) else {
        panic!("not begun")
    };
    assert_eq!(parameters["tn"], "826112208000012345");
    let code = |code: &str| begun(said(changed(good.clone(), "respCode", code))).unwrap_err();
    assert_eq!(code("12"), CallError::TooOld);
    assert!(matches!(code("06"), CallError::Again(_)));
    assert!(matches!(code("10"), CallError::Refused(_)));
    assert!(matches!(code("11"), CallError::Unwritable(_)));
    let unsigned = http::Response::new("respCode=00&tn=1".into());
    assert!(matches!(begun(unsigned), Err(CallError::Unusable(_))));
    let mut broken = http::Response::new(bytes::Bytes::new());
    *broken.status_mut() = http::StatusCode::BAD_GATEWAY;
    assert!(matches!(begun(broken), Err(CallError::Again(_))));
}

#[test]
fn a_query_tells_what_a_notice_tells() {
    let (attempt, credentials) = (attempt(Flow::Redirect), secret(&[ROOT, MIDDLE]));
    let (reference, now) = (None, attempt.at);
    let known = Known { attempt: &attempt, reference, credentials: &credentials, now };
    let asked = |fields: Pairs| match Unionpay.query(&known, &[said(fields)]) {
        Ok(Step::Done(events)) => Ok(events),
        Ok(Step::Call(_)) => panic!("another call"),
        Err(error) => Err(error),
    };
    let query = changed(changed(notice(), "txnType", "00"), "origRespCode", "00");
    let Ok(Report::Event(told)) = read(&notice()) else { panic!("no event") };
    let events = asked(query.clone()).unwrap();
    let [event] = events.as_slice() else { panic!("no event") };
    let digest = told.body_digest.clone();
    assert_eq!(PaymentEvent { body_digest: digest, ..event.clone() }, told);
    for open in ["03", "04", "05"] {
        assert_eq!(asked(changed(query.clone(), "origRespCode", open)), Ok(Vec::new()));
    }
    assert_eq!(asked(changed(query.clone(), "respCode", "34")), Ok(Vec::new()));
    let failed = asked(changed(query.clone(), "origRespCode", "30")).unwrap();
    assert_eq!(failed[0].kind, PaymentEventKind::Failed);
    let busy = asked(changed(query.clone(), "respCode", "37"));
    assert!(matches!(busy, Err(CallError::Again(_))));
    let other = asked(changed(query, "orderId", "bbbbbbbbbbbbbbbbbbbbbbbbbb"));
    assert!(matches!(other, Err(CallError::Unusable(_))));
}

#[test]
fn refusals_of_refunds_are_told_apart() {
    let (attempt, credentials) = (attempt(Flow::Redirect), secret(&[ROOT, MIDDLE]));
    let refund = aftercart::model::payment::Refund {
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
    let (reference, notify_url) = (Some("79"), "https://shop.example/x");
    let at = |now| Known { attempt: &attempt, reference, credentials: &credentials, now };
    let giving = GivingBack { refund: &refund, payment: at(attempt.at), notify_url };
    for (code, expected) in [
        ("00", Some(RefundStatus::Sent)),
        ("A6", Some(RefundStatus::Sent)),
        ("03", Some(RefundStatus::Sent)),
        ("12", Some(RefundStatus::Sent)),
        ("36", Some(RefundStatus::Failed)),
        ("06", None),
        ("11", None),
    ] {
        let answer = said(changed(refund_notice(), "respCode", code));
        let status = match Unionpay.refund(&giving, &[answer]) {
            Ok(Step::Done(said)) => Some(said.status),
            Ok(Step::Call(_)) => panic!("another call"),
            Err(_) => None,
        };
        assert_eq!(status, expected, "{code}");
    }
    let unknown = || said(changed(refund_notice(), "respCode", "34"));
    for (days, expected) in [(0, RefundStatus::Sent), (1, RefundStatus::Failed)] {
        let payment = at(attempt.at.plus(Period::of_days(days)));
        let giving = GivingBack { payment, ..giving };
        let Ok(Step::Done(said)) = Unionpay.refund_status(&giving, &[unknown()]) else {
            panic!("no answer")
        };
        assert_eq!(said.status, expected);
    }
}
