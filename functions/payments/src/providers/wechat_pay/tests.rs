use aftercart::model::{
    customer::CustomerId,
    id::{OrderId, RefundId},
    money::Currency,
    payment::{Attempt, PaymentEventKind, Provider, Refund, RefundStatus},
    text::Text,
    time::Period,
};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::providers::rsa::keys::{
    MERCHANT_PUBLIC, OTHER, OTHER_PUBLIC, PROVIDER, PROVIDER_CERTIFICATE, PROVIDER_PUBLIC, sign,
    trusting,
};

// The example of WeChat Pay's library wechatpay-go (core/notify/notify_test.go).
// Its key has 16 characters, so it shows AES-128, where keys in use have 32.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIDVzCCAj+gAwIBAgIJANfOWdH1ItcBMA0GCSqGSIb3DQEBCwUAMEIxCzAJBgNV
BAYTAlhYMRUwEwYDVQQHDAxEZWZhdWx0IENpdHkxHDAaBgNVBAoME0RlZmF1bHQg
Q29tcGFueSBMdGQwHhcNMjEwNDI3MDg1NTIzWhcNMzEwNDI1MDg1NTIzWjBCMQsw
CQYDVQQGEwJYWDEVMBMGA1UEBwwMRGVmYXVsdCBDaXR5MRwwGgYDVQQKDBNEZWZh
dWx0IENvbXBhbnkgTHRkMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA
2VCTd91fnUn73Xy9DLvt/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXag
HQ4vGeZN0yqm++rDsGK+U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOm
DeJf2vg6byms9RUipiq4SzbJKqJFlUpbuIPDpSpWz10PYmyCNeDGUUK65E5h2B83
4uxl1zNLYQCrkdBzb8oUxwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGf
y8wus7hwKz6clt3Whmmda7UAdb1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtk
aSef4FdEEgEXJiw0VAJT8wIDAQABo1AwTjAdBgNVHQ4EFgQUT1c7nd/SUO76HSoZ
umNUJv1R5PwwHwYDVR0jBBgwFoAUT1c7nd/SUO76HSoZumNUJv1R5PwwDAYDVR0T
BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAfTjxKRQMzNB/U6ZoCUS+BSNfa2Oh
0plMN6ZuzwiVVZwg1jywvv5yv04koS7Pd4i9E4gt9ZBUQXlpq+A3oOCEEHNRR6b2
kyazGRM7s0OP5X21WrbpSmKmU6K7hkfx30yYs08LVs/Q8DIhvaj1FCFeJzUCzYn/
fHMq4tsbKO0dKAeydPM/nrUZBmaYQVKMVOORGLFjFKVO7JV6Kq/R86ouhjEPgJOe
2xulNBUcjicqtZlBdEh/PWCYP2SpGVDclKm8jeo175T3EVAkdKzzmfpxtMmnMlmq
cTJOU9TxuGvNASMtjj7pYIerTx+xgZDXEVBWFW9PjJ0TV06tCRsgSHItgg==
-----END CERTIFICATE-----";
const SECONDS: i64 = 1_624_523_846;
const PUBLISHED: [(&str, &str); 4] = [
    (NONCE, "EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz"),
    (TIMESTAMP, "1624523846"),
    (SERIAL, "D7CE59D1F522D701"),
    (
        SIGNATURE,
        "tJHIiIS9eB2hAYstmAmbbD3ZE5LiIm/Ug5tuL4fC0YOFRWIHV39UFIZXC0e9Wl6lBu6sKvkqDkzpqzBsVHyXF\
         lbYZTOQrVdG4b6LfTnK4mikv9++ixJMd3vTf2yCqvBkh98zs3Ds5zsYQakzbcwhmw4fMJs4nPLws28H0UW9FjDR\
         //rxELLwXvV1VEA1IBLX70xptjL8hrfUjEE8kkry6yNJTHZRU8CAc7qHli2Ng1V1qb9ARbK8A3ThmFmPQvRGrap\
         I/jS2laKKgYUmfdEdkNO6B2Cke5e8VTxY406ArAmQ90GAihDwIcb16TQMnzCMBoutnwZKNiKRACrFmtxw2Q==",
    ),
];
const BODY: &str = "{\"id\":\"3119dfba-e649-5eec-ab1e-3412bc4d2e17\",\
    \"create_time\":\"2021-06-24T16:37:26+08:00\",\
    \"resource_type\":\"encrypt-resource\",\
    \"event_type\":\"PAYSCORE.USER_OPEN_SERVICE\",\
    \"summary\":\"签约成功\",\
    \"resource\":{\"original_type\":\"payscore\",\
    \"algorithm\":\"AEAD_AES_256_GCM\",\
    \"ciphertext\":\"YDS3lKPaC4Y52Gf3uhft5qUBlIa8b428AWTtTauHQfQrRw+X1WpiuHIDy0vo1Vd6VEq67aVy\
    qPdDYMkRVSDaZL3iZttevRMOoPKMifozg6XPWjIZumks/GpT48lI4NizyeaqLBokNebthah3o1H76qSlO9NkDjp9bzmK\
    LEYYH9TEklFUpsvPqOTOcgSLgh21YJXYR7dEBXFgRLiNIKRgO5JdXh1hccRUAlyVWxE54PXpnQ==\",\
    \"associated_data\":\"payscore\",\"nonce\":\"Kj7QIyUiYx1q\"}}";

const KEY: &str = "0123456789abcdef0123456789abcdef";
const PAYMENT: &str = "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const REFUND: &str = "rfd_aaaaaaaaaaaaaaaaaaaaaaaaaa";

fn secret(trusted: &[&str], keys: &[&str]) -> Credentials {
    let account = json!({
        "mchid": "1900000109", "appid": "wx1", "appid_app": "wx2", "serial_no": "5157",
    });
    let decryption_keys = keys.iter().map(|key| (*key).into()).collect();
    Credentials { decryption_keys, ..trusting(trusted, account) }
}

fn with<T>(
    credentials: &Credentials,
    headers: &[(&str, &str)],
    body: &[u8],
    now: i64,
    f: impl FnOnce(&Call<'_>) -> T,
) -> T {
    let header =
        |name: &str| headers.iter().find(|(header, _)| *header == name).map(|(_, value)| *value);
    let now = Timestamp::from_unix_seconds(now).unwrap();
    let path = "/callbacks/wechat_pay";
    f(&Call { credentials, method: "POST", path, header: &header, body, now })
}

fn verified(
    trusted: &[&str],
    headers: &[(&str, &str)],
    body: &[u8],
    now: i64,
) -> Result<(), SignatureError> {
    with(&secret(trusted, &[]), headers, body, now, |call| WechatPay.verify(call))
}

fn read(keys: &[&str], body: &[u8]) -> Result<Report, Unreadable> {
    let reports = with(&secret(&[], keys), &[], body, SECONDS, |call| WechatPay.read(call));
    reports.map(|mut reports| reports.remove(0))
}

#[test]
fn the_published_example_passes() {
    for trusted in [&[CERTIFICATE][..], &[OTHER_PUBLIC, CERTIFICATE], &[CERTIFICATE, "no key"]] {
        for now in [SECONDS, SECONDS + 300, SECONDS - 300] {
            assert_eq!(verified(trusted, &PUBLISHED, BODY.as_bytes(), now), Ok(()));
        }
    }
    let what = "PAYSCORE.USER_OPEN_SERVICE".to_owned();
    let id = "3119dfba-e649-5eec-ab1e-3412bc4d2e17".to_owned();
    assert_eq!(read(&[], BODY.as_bytes()), Ok(Report::Unknown { id, what }));
    let body: Value = serde_json::from_str(BODY).unwrap();
    let resource = serde_json::from_value(body["resource"].clone()).unwrap();
    assert_eq!(
        notice::open(&AES_128_GCM, b"testMchAPIv3Key0", &resource).as_deref(),
        Some(
            "{\"mchid\":\"1234567890\",\"appid\":\"054aa7d7a2a54ab5898df65bd96f001c\",\
             \"create_time\":\"2020-06-30T12:12:00+08:00\",\
             \"out_contract_code\":\"21640bdbd08e473e828f3206a2741c6e\"}"
        )
    );
    assert_eq!(notice::open(&AES_128_GCM, b"testMchAPIv3Key1", &resource), None);
}

#[test]
fn each_fault_is_told() {
    let change = |name: &'static str, value: &'static str| {
        PUBLISHED.map(|(header, kept)| (header, if header == name { value } else { kept }))
    };
    let swapped = PUBLISHED.map(|(header, _)| {
        let from = match header {
            NONCE => TIMESTAMP,
            TIMESTAMP => NONCE,
            other => other,
        };
        (header, PUBLISHED.iter().find(|(name, _)| *name == from).unwrap().1)
    });
    let probe = "WECHATPAY/SIGNTEST/abc";
    for (trusted, headers, now, error) in [
        (&[CERTIFICATE][..], PUBLISHED, SECONDS + 301, SignatureError::Stale),
        (&[CERTIFICATE], PUBLISHED, SECONDS - 301, SignatureError::Stale),
        (&[OTHER_PUBLIC], PUBLISHED, SECONDS, SignatureError::Mismatch),
        (&[], PUBLISHED, SECONDS, SignatureError::NoSecret),
        (&[CERTIFICATE], change(NONCE, "EcZ9"), SECONDS, SignatureError::Mismatch),
        (&[CERTIFICATE], change(TIMESTAMP, "1624523847"), SECONDS, SignatureError::Mismatch),
        (&[CERTIFICATE], change(SIGNATURE, "AAAA"), SECONDS, SignatureError::Mismatch),
        (
            &[CERTIFICATE],
            change(SIGNATURE, "not base 64"),
            SECONDS,
            SignatureError::MalformedHeader(SIGNATURE),
        ),
        (&[CERTIFICATE], swapped, SECONDS, SignatureError::MalformedHeader(TIMESTAMP)),
        (&[CERTIFICATE], change(SIGNATURE, probe), SECONDS, SignatureError::Probe),
        (&[CERTIFICATE], change(SERIAL, probe), SECONDS, SignatureError::Probe),
    ] {
        assert_eq!(verified(trusted, &headers, BODY.as_bytes(), now), Err(error), "{headers:?}");
    }
    for name in [NONCE, TIMESTAMP, SIGNATURE] {
        let headers: Vec<_> = PUBLISHED.into_iter().filter(|(it, _)| *it != name).collect();
        let missing = Err(SignatureError::MissingHeader(name));
        assert_eq!(verified(&[CERTIFICATE], &headers, BODY.as_bytes(), SECONDS), missing);
    }
    let other = verified(&[CERTIFICATE], &PUBLISHED, format!("{BODY} ").as_bytes(), SECONDS);
    assert_eq!(other, Err(SignatureError::Mismatch));
}

/// The headers that sign a body now.
fn signing(key: &str, body: &[u8]) -> [(&'static str, String); 3] {
    let message = [SECONDS.to_string().as_bytes(), b"\nabc\n", body, b"\n"].concat();
    [(TIMESTAMP, SECONDS.to_string()), (NONCE, "abc".to_owned()), (SIGNATURE, sign(key, &message))]
}

fn verified_by(trusted: &[&str], key: &str, body: &[u8]) -> Result<(), SignatureError> {
    let headers = signing(key, body);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    verified(trusted, &headers, body, SECONDS)
}

#[test]
fn a_key_and_the_certificate_that_it_replaces_work_side_by_side() {
    for trusted in [
        &[PROVIDER_PUBLIC][..],
        &[PROVIDER_CERTIFICATE],
        &[CERTIFICATE, PROVIDER_PUBLIC],
        &[OTHER_PUBLIC, PROVIDER_CERTIFICATE, CERTIFICATE],
    ] {
        assert_eq!(verified_by(trusted, PROVIDER, b"{}"), Ok(()));
        assert_eq!(verified_by(trusted, OTHER, b"{}").is_ok(), trusted.contains(&OTHER_PUBLIC));
    }
}

fn sealed(key: &str, content: &str) -> Value {
    let nonce = "Kj7QIyUiYx1q";
    let mut text = content.as_bytes().to_vec();
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_bytes()).unwrap());
    let used = Nonce::try_assume_unique_for_key(nonce.as_bytes()).unwrap();
    sealing.seal_in_place_append_tag(used, Aad::from(b"transaction"), &mut text).unwrap();
    json!({
        "algorithm": "AEAD_AES_256_GCM", "ciphertext": BASE64.encode(&text),
        "associated_data": "transaction", "nonce": nonce,
    })
}

fn notice_of(kind: &str, resource: &Value) -> Vec<u8> {
    let body = json!({
        "id": "EV-1", "create_time": "2021-06-24T16:37:26+08:00", "event_type": kind,
        "resource": resource,
    });
    body.to_string().into_bytes()
}

fn told(kind: &str, content: &Value) -> Result<Report, Unreadable> {
    read(&[KEY], &notice_of(kind, &sealed(KEY, &content.to_string())))
}

fn transaction() -> Value {
    json!({
        "mchid": "1900000109", "appid": "wx1", "out_trade_no": PAYMENT, "trade_state": "SUCCESS",
        "transaction_id": "4200001", "success_time": "2021-06-24T16:37:20+08:00",
        "amount": { "total": 1250, "payer_total": 1150, "currency": "CNY" },
    })
}

fn refund_notice() -> Value {
    json!({
        "mchid": "1900000109", "out_trade_no": PAYMENT, "transaction_id": "4200001",
        "out_refund_no": REFUND, "refund_status": "SUCCESS",
        "success_time": "2021-06-24T16:37:21+08:00",
        "amount": { "total": 1250, "refund": 500, "payer_total": 1150, "payer_refund": 460 },
    })
}

fn changed(mut content: Value, name: &str, value: Value) -> Value {
    content[name] = value;
    content
}

#[test]
fn a_payment_is_read_field_by_field() {
    let Ok(Report::Event(event)) = told("TRANSACTION.SUCCESS", &transaction()) else {
        panic!("no event")
    };
    assert_eq!((event.id.as_str(), event.payment.as_str()), ("EV-1", PAYMENT));
    assert_eq!((event.provider, event.kind), (Provider::WechatPay, PaymentEventKind::Succeeded));
    assert_eq!(event.amount.to_string(), "12.50 CNY");
    assert_eq!(event.at.to_string(), "2021-06-24T08:37:20.000Z");
    assert_eq!((event.reference.as_deref(), event.part), (Some("4200001"), None));
    assert_eq!((event.reason, event.body_digest.len()), (None, 64));
}

#[test]
fn events_are_mapped() {
    use PaymentEventKind::{Cancelled, Expired, Failed, Processing, Refunded, Succeeded};
    for (state, kind) in [
        ("SUCCESS", Succeeded),
        ("REFUND", Succeeded),
        ("PAYERROR", Failed),
        ("CLOSED", Expired),
        ("REVOKED", Cancelled),
        ("USERPAYING", Processing),
        ("ACCEPT", Processing),
    ] {
        let content = changed(transaction(), "trade_state", state.into());
        let Ok(Report::Event(event)) = told("TRANSACTION.SUCCESS", &content) else {
            panic!("{state}")
        };
        let reason = (kind == Failed).then(|| state.to_owned());
        assert_eq!((event.kind, event.reason), (kind, reason), "{state}");
    }
    for (named, status, kind) in [
        ("REFUND.SUCCESS", "SUCCESS", Refunded),
        ("REFUND.ABNORMAL", "ABNORMAL", PaymentEventKind::RefundFailed),
        ("REFUND.CLOSED", "CLOSED", PaymentEventKind::RefundFailed),
    ] {
        let content = changed(refund_notice(), "refund_status", status.into());
        let Ok(Report::Event(event)) = told(named, &content) else { panic!("{status}") };
        assert_eq!((event.kind, event.amount.minor()), (kind, 500), "{status}");
        assert_eq!(event.part.as_deref(), Some(REFUND));
    }
}

#[test]
fn what_is_not_ours_is_foreign() {
    for content in [
        changed(transaction(), "mchid", "1900000110".into()),
        changed(transaction(), "appid", "wx3".into()),
        changed(transaction(), "out_trade_no", "1217752501201407033233368018".into()),
        changed(transaction(), "out_trade_no", REFUND.into()),
    ] {
        let report = told("TRANSACTION.SUCCESS", &content);
        let (id, what) = ("EV-1".to_owned(), "TRANSACTION.SUCCESS".to_owned());
        assert_eq!(report, Ok(Report::Foreign { id, what }), "{content}");
    }
    let app = changed(transaction(), "appid", "wx2".into());
    assert!(matches!(told("TRANSACTION.SUCCESS", &app), Ok(Report::Event(_))));
    let unpaid = changed(transaction(), "trade_state", "NOTPAY".into());
    assert!(matches!(told("TRANSACTION.SUCCESS", &unpaid), Ok(Report::Nothing { .. })));
    let other = changed(refund_notice(), "mchid", "1".into());
    assert!(matches!(told("REFUND.SUCCESS", &other), Ok(Report::Foreign { .. })));
}

#[test]
fn what_is_impossible_says_why() {
    for content in [
        changed(transaction(), "trade_state", "EATEN".into()),
        changed(transaction(), "success_time", "now".into()),
        changed(transaction(), "amount", json!({ "total": 1, "currency": "yuan" })),
        changed(transaction(), "amount", json!({ "total": i64::MAX, "currency": "CNY" })),
    ] {
        let read = told("TRANSACTION.SUCCESS", &content);
        assert!(matches!(read, Err(Unreadable::Value(_))), "{content}");
    }
    for content in [
        json!({}),
        changed(transaction(), "amount", json!({ "total": 12.5 })),
        changed(transaction(), "amount", Value::Null),
    ] {
        let read = told("TRANSACTION.SUCCESS", &content);
        assert!(matches!(read, Err(Unreadable::Form(_))), "{content}");
    }
    let broken = changed(refund_notice(), "refund_status", "EATEN".into());
    assert!(matches!(told("REFUND.SUCCESS", &broken), Err(Unreadable::Value(_))));
    assert_eq!(read(&[KEY], b"\xff"), Err(Unreadable::Encoding));
}

#[test]
fn all_decryption_keys_are_tried() {
    let (other, short) = ("fedcba9876543210fedcba9876543210", "0123456789abcdef");
    let body = notice_of("TRANSACTION.SUCCESS", &sealed(KEY, &transaction().to_string()));
    for keys in [&[KEY][..], &[other, KEY], &[short, other, KEY, ""]] {
        assert!(matches!(read(keys, &body), Ok(Report::Event(_))), "{keys:?}");
    }
    for keys in [&[][..], &[other], &[short], &[""]] {
        assert_eq!(read(keys, &body), Err(Unreadable::Encrypted), "{keys:?}");
    }
    let sealed = sealed(KEY, "{}");
    for (name, value) in [("nonce", "Kj7Q"), ("associated_data", "refund"), ("ciphertext", "AAAA")]
    {
        let body = notice_of("TRANSACTION.SUCCESS", &changed(sealed.clone(), name, value.into()));
        assert_eq!(read(&[KEY], &body), Err(Unreadable::Encrypted), "{name}");
    }
    let plain = changed(sealed, "algorithm", "none".into());
    let read = read(&[KEY], &notice_of("TRANSACTION.SUCCESS", &plain));
    assert!(matches!(read, Err(Unreadable::Form(_))));
}

proptest! {
    #[test]
    fn one_flipped_bit_of_the_body_is_enough(byte in 0..BODY.len(), bit in 0_u32..8) {
        let mut body = BODY.as_bytes().to_vec();
        body[byte] ^= 1 << bit;
        let verified = verified(&[CERTIFICATE], &PUBLISHED, &body, SECONDS);
        prop_assert_eq!(verified, Err(SignatureError::Mismatch));
    }

    #[test]
    fn any_call_is_answered(
        headers in prop::array::uniform4("\\PC{0,40}"),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let [nonce, time, serial, signature] = &headers;
        let headers = [
            (NONCE, nonce.as_str()), (TIMESTAMP, time), (SERIAL, serial), (SIGNATURE, signature),
        ];
        prop_assert!(verified(&[CERTIFICATE], &headers, &body, SECONDS).is_err());
        let headers = headers.map(|(name, value)| {
            (name, if name == TIMESTAMP { "1624523846" } else { value })
        });
        prop_assert!(verified(&[CERTIFICATE], &headers, &body, SECONDS).is_err());
        prop_assert!(read(&[KEY], &body).is_err());
    }

    #[test]
    fn any_content_is_answered(
        content in "\\PC{0,100}",
        member in prop::sample::select(vec!["mchid", "out_trade_no", "amount", "trade_state"]),
        total in any::<i64>(),
    ) {
        let body = notice_of("TRANSACTION.SUCCESS", &sealed(KEY, &content));
        prop_assert!(read(&[KEY], &body).is_err());
        drop(told("TRANSACTION.SUCCESS", &changed(transaction(), member, content.into())));
        let amount = json!({ "total": total, "currency": "CNY" });
        if let Ok(Report::Event(event)) =
            told("TRANSACTION.SUCCESS", &changed(transaction(), "amount", amount))
        {
            prop_assert_eq!(event.amount.minor(), total);
        }
    }
}

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::parse(code).unwrap()).unwrap()
}

fn attempt(flow: Flow) -> Attempt {
    let amount = money(1250, "CNY");
    Attempt {
        id: PaymentId::parse(PAYMENT).unwrap(),
        order: OrderId::derive(&["1"]),
        customer: CustomerId::member("a").unwrap(),
        provider: Provider::WechatPay,
        method: Method::WechatPay,
        flow,
        amount,
        settles: amount,
        instalments: None,
        payer: Some(Text::new("openid").unwrap()),
        verify: false,
        at: Timestamp::from_unix_seconds(SECONDS).unwrap(),
        request: String::new(),
        ask_at: None,
        asked: 0,
    }
}

fn started(attempt: &Attempt, answers: &[Answer]) -> Result<Step<NextAction>, CallError> {
    let credentials = secret(&[PROVIDER_PUBLIC], &[]);
    let asking = Asking {
        attempt,
        credentials: &credentials,
        return_url: None,
        notify_url: "https://shop.example/callbacks/wechat_pay",
        buyer_ip: Some("192.0.2.1"),
        now: attempt.at,
    };
    WechatPay.start(&asking, answers)
}

#[test]
fn a_call_is_written_and_signed() {
    for (flow, product, appid) in [
        (Flow::Qr, "native", "wx1"),
        (Flow::Mobile, "h5", "wx1"),
        (Flow::MiniProgram, "jsapi", "wx1"),
        (Flow::App, "app", "wx2"),
    ] {
        let Ok(Step::Call(request)) = started(&attempt(flow), &[]) else { panic!("{flow}") };
        let address = format!("https://api.mch.weixin.qq.com/v3/pay/transactions/{product}");
        assert_eq!((request.method(), request.uri().to_string()), (&Verb::POST, address));
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!((&body["appid"], &body["mchid"]), (&json!(appid), &json!("1900000109")));
        assert_eq!(body["amount"], json!({ "total": 1250, "currency": "CNY" }));
        assert_eq!(body["out_trade_no"], PAYMENT);
        assert_eq!(body["time_expire"], "2021-06-24T17:07:26+08:00");
        assert_eq!(body["payer"].is_object(), flow == Flow::MiniProgram);
        assert_eq!(body["scene_info"].is_object(), flow == Flow::Mobile);
        let line = request.headers()[http::header::AUTHORIZATION].to_str().unwrap();
        let of = |name: &str| {
            let (_, value) = line.split_once(&format!("{name}=\"")).unwrap();
            value.split('"').next().unwrap()
        };
        assert!(line.starts_with("WECHATPAY2-SHA256-RSA2048 mchid=\"1900000109\",nonce_str="));
        let text = std::str::from_utf8(request.body()).unwrap();
        let (seconds, nonce) = (of("timestamp"), of("nonce_str"));
        let message = format!("POST\n/v3/pay/transactions/{product}\n{seconds}\n{nonce}\n{text}\n");
        let signature = BASE64.decode(of("signature").as_bytes()).unwrap();
        let key = rsa::public_key(MERCHANT_PUBLIC).unwrap();
        assert!(rsa::verifies(&key, message.as_bytes(), &signature), "{product}");
        assert_eq!(of("serial_no"), "5157");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_here() {
    assert_eq!(WechatPay.takes(Method::WechatPay, money(1, "CNY")), Ok(()));
    for amount in [money(0, "CNY"), money(-1, "CNY"), money(100, "EUR")] {
        assert!(WechatPay.takes(Method::WechatPay, amount).is_err(), "{amount}");
    }
    let nobody = Attempt { payer: None, ..attempt(Flow::MiniProgram) };
    assert!(matches!(started(&nobody, &[]), Err(CallError::Unwritable(_))));
    assert!(matches!(started(&attempt(Flow::Embedded), &[]), Err(CallError::Unsupported)));
}

/// An answer with a status and a body, signed by a key if there is one.
fn answer(status: u16, body: &str, key: Option<&str>) -> Answer {
    let mut response = http::Response::builder().status(status);
    for (name, value) in key.map(|key| signing(key, body.as_bytes())).into_iter().flatten() {
        response = response.header(name, value);
    }
    response.body(body.to_owned().into()).unwrap()
}

#[test]
fn answers_are_read_only_if_wechat_signed_them() {
    let begun = |answer| started(&attempt(Flow::Qr), &[answer]);
    let body = r#"{"code_url":"weixin://wxpay/1"}"#;
    let done = begun(answer(200, body, Some(PROVIDER)));
    assert!(
        matches!(done, Ok(Step::Done(NextAction::Qr { content })) if content.0 == "weixin://wxpay/1")
    );
    for (status, body, key) in [
        (200, body, None),
        (200, body, Some(OTHER)),
        (200, "{}", Some(PROVIDER)),
        (200, "no", Some(PROVIDER)),
    ] {
        let read = begun(answer(status, body, key));
        assert!(matches!(read, Err(CallError::Unusable(_))), "{body}");
    }
    for (status, code, again) in [
        (500, "SYSTEM_ERROR", true),
        (502, "", true),
        (429, "FREQUENCY_LIMITED", true),
        (403, "RATELIMIT_EXCEEDED", true),
        (403, "OUT_TRADE_NO_USED", false),
    ] {
        let body = json!({ "code": code, "message": "secret" }).to_string();
        let read = begun(answer(status, &body, None)).unwrap_err();
        assert_eq!(matches!(read, CallError::Again(_)), again, "{code}");
        assert_eq!(matches!(read, CallError::Refused(_)), !again, "{code}");
        assert!(!read.to_string().contains("secret"));
    }
    for (status, code) in [(401, "SIGN_ERROR"), (403, "NO_AUTH")] {
        let read = begun(answer(status, &json!({ "code": code }).to_string(), None));
        assert!(matches!(read, Err(CallError::Unwritable(_))), "{code}");
    }
    let paid = json!({ "code": "ORDERPAID", "message": "secret" }).to_string();
    assert_eq!(begun(answer(400, &paid, None)).unwrap_err(), CallError::Paid);
}

#[test]
fn refusals_of_refunds_are_told_apart() {
    let (attempt, credentials) = (attempt(Flow::Qr), secret(&[PROVIDER_PUBLIC], &[]));
    let refund = Refund {
        id: RefundId::parse(REFUND).unwrap(),
        payment: attempt.id.clone(),
        order: attempt.order.clone(),
        customer: attempt.customer.clone(),
        amount: money(500, "CNY"),
        status: RefundStatus::Pending,
        again: 0,
        at: attempt.at.plus(Period::of_seconds(60)),
        reference: None,
        reason: None,
        tries: 0,
        next_at: None,
    };
    let payment =
        Known { attempt: &attempt, reference: None, credentials: &credentials, now: attempt.at };
    let giving = GivingBack { refund: &refund, payment, notify_url: "https://shop.example/x" };
    let said = |answer: Answer| match WechatPay.refund(&giving, &[answer]) {
        Ok(Step::Done(said)) => Ok((said.status, said.reason)),
        Ok(Step::Call(_)) => panic!("another call"),
        Err(error) => Err(error),
    };
    for (code, status) in [("SUCCESS", RefundStatus::Succeeded), ("PROCESSING", RefundStatus::Sent)]
    {
        let body = json!({ "out_refund_no": REFUND, "refund_id": "50", "status": code });
        assert_eq!(said(answer(200, &body.to_string(), Some(PROVIDER))), Ok((status, None)));
    }
    let failed = Ok((RefundStatus::Failed, Some("CLOSED".to_owned())));
    let body = json!({ "out_refund_no": REFUND, "refund_id": "50", "status": "CLOSED" });
    assert_eq!(said(answer(200, &body.to_string(), Some(PROVIDER))), failed);
    let failed = Ok((RefundStatus::Failed, Some("NOT_ENOUGH".to_owned())));
    assert_eq!(said(answer(403, r#"{"code":"NOT_ENOUGH"}"#, None)), failed);
    let no_right = said(answer(401, r#"{"code":"SIGN_ERROR"}"#, None));
    assert!(matches!(no_right, Err(CallError::Unwritable(_))));
    let body = json!({ "out_refund_no": "rfd_x", "refund_id": "50", "status": "SUCCESS" });
    let other = said(answer(200, &body.to_string(), Some(PROVIDER)));
    assert!(matches!(other, Err(CallError::Unusable(_))));
}
