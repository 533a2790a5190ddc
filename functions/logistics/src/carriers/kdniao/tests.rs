use serde_json::Value;

use super::{
    super::{
        china::tests::{at, form_of, now, parcel, scans, sent},
        tests::{answer, credentials},
    },
    *,
};

// Computed with Python's hashlib and base64 over DATA and the key.
const DATA: &str = r#"{"EBusinessID":"test1","Data":[],"Note":"到达"}"#;
const SIGN: &str = "MmRjZjVjYWVhNmJkYTRkZWY4ODVjMWM1YTdjOGZjMDA=";
// And over the text of what is asked.
const ASKED: &str = r#"{"CustomerName":"3888","LogisticCode":"SF1234567890","ShipperCode":"SF"}"#;
const ASKED_SIGN: &str = "NmZjNjJhZTIwNjc2YTAyMWI0MTNmZWE2NjkxNDU5MmE=";

fn account_of_ours() -> Credentials {
    credentials(&json!({
        "webhook_secrets": ["kdn-key"],
        "api_keys": ["kdn-key"],
        "account": { "ebusiness_id": "test1" },
    }))
}

fn push(kind: &str, data: &str, sign: &str) -> Vec<u8> {
    form_of(&[
        ("RequestType", kind.as_bytes()),
        ("DataSign", sign.as_bytes()),
        ("RequestData", data.as_bytes()),
    ])
}

#[test]
fn a_push_is_signed_with_the_key() {
    use SignatureError::{MalformedHeader, Mismatch, MissingHeader, NoSecret};
    let hex = String::from_utf8(BASE64.decode(SIGN.as_bytes()).unwrap()).unwrap();
    for (keys, sign, expected) in [
        (&["kdn-key"][..], SIGN.to_owned(), Ok(())),
        (&["next", "kdn-key"], SIGN.to_owned(), Ok(())),
        (&["", "next"], SIGN.to_owned(), Err(Mismatch)),
        (&["kdn-key"], BASE64.encode(hex.to_uppercase().as_bytes()), Ok(())),
        (&["kdn-key"], BASE64.encode(b"00"), Err(Mismatch)),
        (&["kdn-key"], hex, Err(MalformedHeader("DataSign"))),
        (&["kdn-key"], "%".to_owned(), Err(MalformedHeader("DataSign"))),
        (&["kdn-key"], String::new(), Err(MissingHeader("DataSign"))),
        (&[], SIGN.to_owned(), Err(NoSecret)),
    ] {
        let credentials = credentials(&json!({ "webhook_secrets": keys }));
        let body = push("101", DATA, &sign);
        let call = Signed { credentials: &credentials, header: &|_| None, body: &body, now: now() };
        assert_eq!(KdNiao.verify(&call), expected, "{keys:?} {sign}");
    }
}

fn read(kind: &str, data: &Value) -> Result<Reading, Malformed> {
    KdNiao.read(&push(kind, &data.to_string(), "-"), now())
}

fn trace(time: &str, action: &str) -> Value {
    json!({ "AcceptTime": time, "AcceptStation": "…", "Location": "深圳市", "Action": action })
}

#[test]
fn a_push_as_documented_is_read() {
    let data = json!({
        "EBusinessID": "1237100", "PushTime": "2026-11-21 11:00:00", "Count": "3",
        "Data": [
            { "EBusinessID": "1237100", "OrderCode": "", "ShipperCode": "SF",
              "LogisticCode": "SF1234567890", "Success": true, "Reason": "", "State": "3",
              "StateEx": "301", "CallBack": "", "Location": "深圳市",
              "EstimatedDeliveryTime": "2026-11-21",
              "Traces": [
                  { "AcceptTime": "2026-11-20 08:05:37", "AcceptStation": "已揽收", "Location": "上海市",
                    "Action": "1", "Remark": null },
                  trace("2026-11-21 08:05:37", "202"),
                  trace("2026-11-21 10:05:37", "301"),
              ] },
            { "ShipperCode": "YTO", "LogisticCode": "YT1234567890", "Success": true, "State": "2",
              "Traces": [
                  { "AcceptTime": "2026-11-20 09:00:00", "AcceptStation": "已收件" },
                  { "AcceptTime": "2026-11-20 21:00:00", "AcceptStation": "已发出" },
              ] },
            { "ShipperCode": "STO", "LogisticCode": "773000000001", "Success": false,
              "Reason": "暂无轨迹信息", "State": "0", "Traces": [] },
        ],
    });
    let reading = read("102", &data).unwrap();
    assert_eq!(
        scans(&reading),
        [
            "2026-11-20 08:05:37 picked_up||1|上海市",
            "2026-11-21 08:05:37 out_for_delivery||202|深圳市",
            "2026-11-21 10:05:37 delivered||301|深圳市",
            "2026-11-20 21:00:00 in_transit||2|",
        ]
    );
    let [first, second] = &reading.told[..] else { panic!("{reading:?}") };
    assert_eq!(first.tracking.number.as_str(), "SF1234567890");
    assert_eq!(second.tracking.number.as_str(), "YT1234567890");
    assert!(first.events.iter().all(|scan| scan.zone_assumed && scan.told_at.is_none()));
    let estimate = first.estimate.map(|it| (it.told_at, it.eta));
    assert_eq!(estimate, Some((at("2026-11-21T02:05:37Z"), at("2026-11-21T04:00:00Z"))));
    // The first scan of the second parcel is left out: nothing says what it was.
    assert_eq!((reading.unreadable, reading.ignored), (0, None));
}

#[test]
fn statuses_are_taken_from_where_they_are() {
    const TIME: &str = "2026-11-21 09:00:00";
    let bare = json!({ "AcceptTime": TIME, "AcceptStation": "已签收" });
    let parcel = |mut parcel: Value| {
        parcel["LogisticCode"] = "SF1234567890".into();
        json!({ "Data": [parcel] })
    };
    for (data, expected, unknown, unreadable) in [
        (json!({ "State": "3", "StateEx": "304", "Traces": [bare] }), "delivered||304|", "", 0),
        (json!({ "State": 4, "Traces": [bare] }), "exception|other|4|", "", 0),
        (
            json!({ "State": "4", "StateEx": "414", "Traces": [bare] }),
            "exception|carrier_damaged|414|",
            "",
            0,
        ),
        (
            json!({ "State": "2", "StateEx": "403", "Traces": [trace(TIME, "2")] }),
            "in_transit||2|深圳市",
            "",
            0,
        ),
        (json!({ "State": "7", "Traces": [bare] }), "unknown||7|", "7", 0),
        (json!({ "State": "2", "Traces": [trace(TIME, "777")] }), "unknown||777|深圳市", "777", 0),
        (json!({ "Traces": [bare] }), "", "", 1),
        (json!({ "State": "2", "Traces": [trace("21/11/2026", "2")] }), "", "", 1),
        (json!({ "State": "0", "Traces": null }), "", "", 0),
    ] {
        let reading = read("101", &parcel(data.clone())).unwrap();
        let told = scans(&reading).join("\n");
        assert_eq!(told.strip_prefix(&format!("{TIME} ")).unwrap_or_default(), expected, "{data}");
        assert_eq!(
            (reading.unknown_codes.join(","), reading.unreadable),
            (unknown.to_owned(), unreadable),
            "{data}"
        );
        assert_eq!(reading.ignored.is_some(), expected.is_empty(), "{data}");
    }
}

#[test]
fn only_pushes_about_parcels_are_read() {
    let data = json!({ "Data": [{ "LogisticCode": "SF1234567890", "Traces": [trace("2026-11-21 09:00:00", "2")] }] });
    assert_eq!(scans(&read("101", &data).unwrap()).len(), 1);
    for (kind, data) in [
        ("107", data.clone()),
        ("", data),
        ("101", json!({ "Data": [] })),
        ("101", json!({ "Data": null })),
        (
            "101",
            json!({ "Data": [{ "LogisticCode": "A", "Traces": [trace("2026-11-21 09:00:00", "2")] }] }),
        ),
    ] {
        let reading = read(kind, &data).unwrap();
        assert!(reading.told.is_empty() && reading.ignored.is_some(), "{kind} {data}");
    }
}

#[test]
fn what_is_malformed_is_named() {
    let field = |data: &Value| read("101", data).unwrap_err().field;
    assert_eq!(field(&json!(7)), "RequestData");
    assert_eq!(field(&json!({ "Data": {} })), "RequestData.Data");
    assert_eq!(KdNiao.read(b"{}", now()).unwrap_err().field, "RequestData");
}

#[test]
fn one_bad_parcel_or_scan_costs_no_other() {
    let fine =
        json!({ "LogisticCode": "SF1234567890", "Traces": [trace("2026-11-21 09:00:00", "2")] });
    for odd in [
        json!(7),
        json!({ "LogisticCode": "YT1234567890", "Traces": 1 }),
        json!({ "LogisticCode": "YT1234567890", "State": {}, "Traces": [] }),
        json!({ "LogisticCode": "YT1234567890", "Traces": [{ "Action": {} }] }),
    ] {
        let reading = read("101", &json!({ "Data": [odd, fine] })).unwrap();
        assert_eq!((scans(&reading).len(), reading.unreadable), (1, 1), "{odd}");
        let alone = read("101", &json!({ "Data": [odd] })).unwrap();
        assert!(alone.is_unreadable(), "{odd}");
    }
}

#[test]
fn reasons_are_only_what_the_code_says() {
    let table = super::super::codes::of(Carrier::Kdniao);
    let of = |code: &str| {
        let meaning = table.meaning(code, None);
        (meaning.status.as_str(), meaning.reason.map_or("", |reason| reason.as_str()))
    };
    // Nobody was at the door of a locker, and a telephone is no address.
    assert_eq!(of("412"), ("ready_for_pickup", ""));
    assert_eq!(of("421"), ("exception", "other"));
    assert_eq!(of("420"), ("exception", "address_incorrect"));
}

#[test]
fn a_push_is_acknowledged_as_documented() {
    let credentials = account_of_ours();
    let call = Signed { credentials: &credentials, header: &|_| None, body: b"", now: now() };
    let answer = KdNiao.acknowledge(&call).unwrap();
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let expected = json!({
        "EBusinessID": "test1", "UpdateTime": "2026-11-22 12:00:00", "Success": true, "Reason": "",
    });
    assert_eq!((answer.status, body), (200, expected));
}

#[test]
fn calls_are_signed_as_documented() {
    let parcel = parcel(Carrier::Kdniao, "SF1234567890", "SF");
    let mut credentials = account_of_ours();
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let asked = KdNiao.ask(&credentials, &parcel, now()).unwrap();
        let subscribed = KdNiao.subscribe(&credentials, &parcel, "https://shop.example").unwrap();
        for (request, path) in
            [(asked, "/Ebusiness/EbusinessOrderHandle.aspx"), (subscribed.unwrap(), "/api/dist")]
        {
            assert_eq!(request.uri(), format!("https://api.kdniao.com{path}").as_str());
            let fields: std::collections::BTreeMap<_, _> = sent(&request).into_iter().collect();
            assert_eq!((&fields["RequestData"][..], &fields["DataSign"][..]), (ASKED, ASKED_SIGN));
            assert_eq!((&fields["EBusinessID"][..], &fields["DataType"][..]), ("test1", "2"));
            kinds.push(fields["RequestType"].clone());
        }
        credentials.account.insert("query_type".to_owned(), "1002".to_owned());
        credentials.account.insert("subscription_type".to_owned(), "1008".to_owned());
    }
    assert_eq!(kinds, ["8001", "8008", "1002", "1008"]);
}

#[test]
fn nothing_is_asked_without_what_it_takes() {
    let whole = parcel(Carrier::Kdniao, "SF1234567890", "SF");
    let nobody = Parcel { courier: None, ..whole.clone() };
    let no_key = Credentials { api_keys: Vec::new(), ..account_of_ours() };
    let no_account = Credentials { account: Default::default(), ..account_of_ours() };
    for (credentials, parcel) in
        [(&account_of_ours(), &nobody), (&no_key, &whole), (&no_account, &whole)]
    {
        assert!(KdNiao.ask(credentials, parcel, now()).is_err());
        assert!(KdNiao.subscribe(credentials, parcel, "https://shop.example").is_err());
    }
}

#[test]
fn answers_are_told_apart() {
    use AskError::{Failed, Missing, NotKnown, Refused, Throttled};
    const PARCELS: Result<usize, AskError> =
        Err(Missing("KDNiao does not take its number, courier or digits"));
    let no = |reason: &str| json!({ "EBusinessID": "test1", "Success": false, "Reason": reason });
    let found = |traces: Value| {
        json!({
            "EBusinessID": "test1", "ShipperCode": "SF", "LogisticCode": "SF1234567890",
            "Success": true, "State": "2", "StateEx": "201", "Traces": traces,
        })
    };
    let two =
        found(json!([trace("2026-11-20 08:00:00", "1"), trace("2026-11-21 08:00:00", "201")]));
    let failed = |reason: &str| Err(Failed(reason.to_owned()));
    for (status, body, asked, subscribed) in [
        (200, two.clone(), Ok(2), Ok(0)),
        (200, found(json!([])), Err(NotKnown), Ok(0)),
        (200, no("尾号3888不符"), PARCELS, PARCELS),
        (200, no("请输入手机号后四位"), PARCELS, PARCELS),
        (200, no("物流公司编码错误"), PARCELS, PARCELS),
        (200, no("暂无轨迹信息"), Err(NotKnown), Err(NotKnown)),
        (200, no("系统繁忙0"), failed("系统繁忙"), failed("系统繁忙")),
        (
            200,
            no("非法参数[ID]"),
            Err(Refused("非法参数[ID]".into())),
            Err(Refused("非法参数[ID]".into())),
        ),
        (
            200,
            no("没有可用套餐"),
            Err(Refused("没有可用套餐".into())),
            Err(Refused("没有可用套餐".into())),
        ),
        (200, json!({}), failed(""), failed("")),
        (503, two.clone(), failed("its status is 503"), failed("its status is 503")),
        (429, two, Err(Throttled), Err(Throttled)),
    ] {
        let answer = answer(status, &body);
        let count = |told: Result<Reading, AskError>| told.map(|reading| scans(&reading).len());
        assert_eq!(count(KdNiao.answered(&answer, now())), asked, "{body}");
        assert_eq!(count(KdNiao.subscribed(&answer, now())), subscribed, "{body}");
    }
    let page = http::Response::new(Bytes::from_static(b"<html>"));
    assert!(matches!(KdNiao.answered(&page, now()), Err(Failed(_))));
}
