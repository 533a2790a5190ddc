use aftercart::model::{
    shipment::{History, ParcelStatus, Reason},
    text::Text,
};

use super::{
    super::{
        china::tests::{at, form_of, now, parcel, scans, sent},
        tests::{answer, credentials},
    },
    *,
};
use crate::rules::fold;

// Computed with Python's hashlib over PARAM and the salts.
const PARAM: &str = r#"{"status":"polling","message":"到达"}"#;
const SIGN: &str = "FE7D6A1101820CFC880A3A7A69BB93C6";
const SIGN_NEXT: &str = "7CBEC469DDB3E56FE79F3363FBEFC9A8";
// And over the text of what is asked, the key and the customer.
const ASKED: &str = r#"{"com":"yuantong","num":"YT1234567890","phone":"3888","resultv2":"4"}"#;
const ASKED_SIGN: &str = "A81D8516CAE670BDD4C25A50535EE01F";

fn verify_with(salts: &[&str], body: &[u8]) -> Result<(), SignatureError> {
    let credentials = credentials(&json!({ "webhook_secrets": salts }));
    let call = Signed { credentials: &credentials, header: &|_| None, body, now: now() };
    Kuaidi100.verify(&call)
}

#[test]
fn a_push_is_signed_with_a_salt() {
    use SignatureError::{MalformedHeader, Mismatch, MissingHeader, NoSecret};
    let push = |param: &str, sign: &str| {
        form_of(&[("sign", sign.as_bytes()), ("param", param.as_bytes())])
    };
    let body = push(PARAM, SIGN);
    let twice = [&body[..], b"&param=%7B%7D"].concat();
    for (salts, body, expected) in [
        (&["8f1c"][..], body.clone(), Ok(())),
        (&["", "old", "8f1c"], body.clone(), Ok(())),
        (&["8f1c", "next"], push(PARAM, SIGN_NEXT), Ok(())),
        (&["8f1c"], push(PARAM, &SIGN.to_lowercase()), Ok(())),
        (&["8f1c"], push(PARAM, SIGN_NEXT), Err(Mismatch)),
        (&["8f1c"], push("{}", SIGN), Err(Mismatch)),
        (&["8f1c"], twice, Err(Mismatch)),
        (&["8f1c"], push(PARAM, "xyz"), Err(MalformedHeader("sign"))),
        (&["8f1c"], push(PARAM, ""), Err(MissingHeader("sign"))),
        (&["8f1c"], form_of(&[("sign", SIGN.as_bytes())]), Err(MissingHeader("param"))),
        (&["8f1c"], Vec::new(), Err(MissingHeader("param"))),
        // Without a salt everybody can sign.
        (&[""], push("", "D41D8CD98F00B204E9800998ECF8427E"), Err(MissingHeader("param"))),
        (&[""], push("{}", "99914B932BD37A50B983C5E7C90AE93B"), Err(Mismatch)),
        (&[], body.clone(), Err(NoSecret)),
    ] {
        assert_eq!(verify_with(salts, &body), expected, "{salts:?} {}", body.escape_ascii());
    }
}

fn read(param: &Value) -> Result<Reading, Malformed> {
    Kuaidi100.read(&form_of(&[("param", param.to_string().as_bytes())]), now())
}

fn scan(time: &str, code: &str) -> Value {
    json!({ "time": time, "ftime": time, "context": "…", "statusCode": code })
}

/// A push of a result that has these members besides its number.
fn pushed(mut result: Value) -> Value {
    result["nu"] = "yt1234567890".into();
    json!({ "status": "polling", "billstatus": "got", "message": "", "lastResult": result })
}

#[test]
fn a_push_as_documented_is_read() {
    let push = json!({
        "status": "shutdown", "billstatus": "check", "message": "", "autoCheck": "0",
        "comOld": "", "comNew": "",
        "lastResult": {
            "message": "ok", "nu": "YT1234567890", "ischeck": "1", "com": "yuantong",
            "status": "200", "state": "301", "condition": "F00", "isLoop": false,
            "data": [
                { "time": "2026-11-21 10:34:33", "ftime": "2026-11-21 10:34:33", "context": "已签收",
                  "status": "本人签收", "statusCode": "301", "areaCode": "CN310115000000",
                  "areaName": "上海,上海,浦东新区", "areaCenter": "121.5,31.2", "location": "" },
                { "time": "2026-11-21 08:27:50", "ftime": "2026-11-21 08:27:50", "context": "正在派件",
                  "status": "派件", "statusCode": "5", "areaCode": null, "areaName": null,
                  "location": "浦东" },
                { "time": "2026-11-20 22:30:20", "ftime": "2026-11-20 22:30:20", "context": "已揽收",
                  "status": "揽收", "statusCode": "1", "areaName": "浙江,杭州市" },
            ],
            "routeInfo": { "from": { "number": "CN330100000000", "name": "浙江,杭州市" } },
        },
    });
    let reading = read(&push).unwrap();
    assert_eq!(
        scans(&reading),
        [
            "2026-11-20 22:30:20 picked_up||1|浙江,杭州市",
            "2026-11-21 08:27:50 out_for_delivery||5|浦东",
            "2026-11-21 10:34:33 delivered||301|上海,上海,浦东新区",
        ]
    );
    let [told] = &reading.told[..] else { panic!("{reading:?}") };
    assert_eq!(told.tracking.number.as_str(), "YT1234567890");
    assert!(told.events.iter().all(|scan| scan.zone_assumed && scan.told_at.is_none()));
    assert_eq!((told.estimate, reading.unreadable, reading.ignored), (None, 0, None));
    assert!(reading.unknown_codes.is_empty());
}

#[test]
fn statuses_are_taken_from_where_they_are() {
    const EARLY: &str = "2026-11-20 08:00:00";
    const LATE: &str = "2026-11-21 09:00:00";
    let named = |time: &str, name: &str| json!({ "ftime": time, "status": name });
    let bare = |time: &str| json!({ "ftime": time, "context": "已签收" });
    let early = |words: &str| format!("{EARLY} {words}|");
    let late = |words: &str| format!("{LATE} {words}|");
    // The result, the scans, the unknown codes, how many are unreadable.
    for (result, expected, unknown, unreadable) in [
        (
            json!({ "state": "0", "data": [named(LATE, "退回"), named(EARLY, "揽收")] }),
            vec![early("picked_up||揽收"), late("returning||退回")],
            "",
            0,
        ),
        // What the earlier scan was is not guessed, neither from its text.
        (
            json!({ "state": "3", "data": [bare(LATE), bare(EARLY)] }),
            vec![late("delivered||3")],
            "",
            0,
        ),
        (
            json!({ "state": 3, "data": [bare(EARLY), bare(LATE)] }),
            vec![late("delivered||3")],
            "",
            0,
        ),
        (json!({ "data": [bare(LATE)] }), vec![], "", 1),
        // The code of a scan goes before the state of the parcel.
        (
            json!({ "state": "202", "data": [scan(LATE, "1002")] }),
            vec![late("in_transit||1002")],
            "",
            0,
        ),
        (
            json!({ "state": "0", "data": [scan(LATE, "999"), named(EARLY, "已起飞"), scan(EARLY, "999")] }),
            vec![early("unknown||999"), early("unknown||已起飞"), late("unknown||999")],
            "999,已起飞",
            0,
        ),
        (
            json!({ "state": "13", "data": [scan(LATE, "13"), scan(EARLY, "14")] }),
            vec![early("attempt_failed|consignee_refused|14"), late("exception|customs_hold|13")],
            "",
            0,
        ),
        (
            json!({ "state": "0", "data": [scan("昨天", "0"), scan("", "0"), scan(EARLY, "1")] }),
            vec![early("picked_up||1")],
            "",
            2,
        ),
        (json!({ "state": "0", "data": null }), vec![], "", 0),
        (json!({ "state": "0", "data": [] }), vec![], "", 0),
    ] {
        let reading = read(&pushed(result.clone())).unwrap();
        assert_eq!(scans(&reading), expected, "{result}");
        let others = (reading.unknown_codes.join(","), reading.unreadable);
        assert_eq!(others, (unknown.to_owned(), unreadable), "{result}");
        assert_eq!(reading.ignored.is_some(), expected.is_empty(), "{result}");
    }
}

#[test]
fn what_kuaidi100_says_of_its_own_watching_is_no_scan() {
    let result =
        |data: Value| json!({ "nu": "YT1234567890", "com": "ems", "state": "0", "data": data });
    let scanned = result(json!([scan("2026-11-21 09:00:00", "1002")]));
    // The push, how many scans it has, whether the watch has ended, the courier.
    for (push, count, watch) in [
        (
            json!({ "status": "abort", "message": "3天查询无记录", "lastResult": result(json!([])) }),
            0,
            Some((true, None)),
        ),
        (
            json!({ "status": "abort", "message": "60天无变化", "lastResult": scanned }),
            1,
            Some((true, None)),
        ),
        (json!({ "status": "abort", "autoCheck": "0", "comOld": "", "comNew": "ems" }), 0, None),
        (
            json!({ "status": "abort", "autoCheck": "0", "comNew": "ems", "lastResult": result(json!([])) }),
            0,
            Some((true, Some("ems"))),
        ),
        (
            json!({ "status": "polling", "autoCheck": "1", "comOld": "yuantong", "comNew": "ems", "lastResult": scanned }),
            1,
            Some((false, Some("ems"))),
        ),
        (json!({ "status": "updateall", "lastResult": scanned }), 1, None),
        (json!({ "status": "shutdown", "comNew": "", "lastResult": scanned }), 1, None),
        (json!({ "lastResult": scanned, "destResult": scanned }), 1, None),
        (json!({ "destResult": scanned, "lastResult": null }), 1, None),
        (
            json!({ "status": "abort", "lastResult": { "nu": "AB", "data": [scan("2026-11-21 09:00:00", "0")] } }),
            0,
            None,
        ),
        (json!({}), 0, None),
    ] {
        let reading = read(&push).unwrap();
        assert_eq!(scans(&reading).len(), count, "{push}");
        assert_eq!(reading.ignored.is_some(), count == 0, "{push}");
        let said = reading.watch.as_ref();
        let said = said.map(|it| (it.has_ended, it.courier.as_ref().map(Text::as_str)));
        assert_eq!(said, watch, "{push}");
    }
}

#[test]
fn one_odd_value_costs_one_scan() {
    let fine = scan("2026-11-20 09:00:00", "1");
    for odd in [
        json!({ "ftime": [] }),
        json!(7),
        json!({ "ftime": "2026-11-21 09:00:00", "statusCode": {} }),
    ] {
        let reading = read(&pushed(json!({ "state": "0", "data": [odd, fine] }))).unwrap();
        assert_eq!((scans(&reading).len(), reading.unreadable), (1, 1), "{odd}");
    }
}

/// The carrier tried again, and the receiver took it after all.
#[test]
fn a_refusal_is_not_the_way_back() {
    for refused in ["14", "203", "拒签", "拒收"] {
        let data = json!([
            scan("2026-11-21 18:00:00", "301"),
            scan("2026-11-21 09:00:00", "5"),
            scan("2026-11-20 09:00:00", refused),
            scan("2026-11-19 09:00:00", "1"),
        ]);
        let of = |skipped: usize| {
            let data = &data.as_array().unwrap()[skipped..];
            let reading = read(&pushed(json!({ "data": data }))).unwrap();
            let events = reading.told.into_iter().flat_map(|push| push.events).collect();
            let journey = fold::journey(&History { events, ..History::default() });
            (journey.status, journey.reason, journey.delivered_at)
        };
        let delivered_at = Some(at("2026-11-21T10:00:00Z"));
        assert_eq!(of(0), (ParcelStatus::Delivered, None, delivered_at), "{refused}");
        assert_eq!(of(1).0, ParcelStatus::OutForDelivery, "{refused}");
        let reason = Some(Reason::ConsigneeRefused);
        assert_eq!(of(2), (ParcelStatus::AttemptFailed, reason, None), "{refused}");
    }
}

#[test]
fn an_estimate_is_as_old_as_the_latest_scan() {
    let data = json!([scan("2026-11-21 09:00:00", "1002"), scan("2026-11-20 09:00:00", "1")]);
    for (arrival, eta) in [
        ("2026-11-23 18:00:00", Some("2026-11-23T10:00:00Z")),
        ("2026-11-23", Some("2026-11-23T04:00:00Z")),
        ("soon", None),
    ] {
        let reading = read(&pushed(json!({ "data": data, "arrivalTime": arrival }))).unwrap();
        let estimate = reading.told[0].estimate.map(|it| (it.told_at, it.eta));
        assert_eq!(estimate, eta.map(|eta| (at("2026-11-21T01:00:00Z"), at(eta))), "{arrival}");
    }
}

#[test]
fn what_is_malformed_is_named() {
    let field = |param: &Value| read(param).unwrap_err().field;
    assert_eq!(field(&json!(7)), "param");
    assert_eq!(field(&pushed(json!({ "data": {} }))), "param.lastResult.data");
    let whole = |body: &[u8]| Kuaidi100.read(body, now()).unwrap_err().field;
    assert_eq!(whole(b"{}"), "param");
    assert_eq!(whole(b"param={}&param={}"), "body");
}

#[test]
fn a_push_is_acknowledged_as_documented() {
    let credentials = credentials(&json!({}));
    let call = Signed { credentials: &credentials, header: &|_| None, body: b"", now: now() };
    let answer = Kuaidi100.acknowledge(&call).unwrap();
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!((&body["result"], &body["returnCode"]), (&json!(true), &json!("200")));
    assert!(body["message"].is_string());
}

fn account_of_ours() -> Credentials {
    credentials(&json!({
        "webhook_secrets": ["8f1c"],
        "api_keys": ["key-1"],
        "account": { "customer": "CUSTOMER1" },
    }))
}

#[test]
fn a_parcel_is_subscribed_with_our_salt_and_address() {
    let mut parcel = parcel(Carrier::Kuaidi100, "YT1234567890", "yuantong");
    let subscribe = |parcel: &Parcel| {
        let callback = "https://shop.example/carriers/kuaidi100/events";
        let request = Kuaidi100.subscribe(&account_of_ours(), parcel, callback);
        let request = request.unwrap().unwrap();
        assert_eq!(request.uri(), "https://poll.kuaidi100.com/poll");
        let fields = sent(&request);
        assert_eq!(fields[0], ("schema".to_owned(), "json".to_owned()));
        serde_json::from_str::<Value>(&fields[1].1).unwrap()
    };
    let mut expected = json!({
        "company": "yuantong", "number": "YT1234567890", "key": "key-1",
        "parameters": {
            "callbackurl": "https://shop.example/carriers/kuaidi100/events",
            "salt": "8f1c", "resultv2": "4", "phone": "3888",
        },
    });
    assert_eq!(subscribe(&parcel), expected);
    // It finds out itself who carries it.
    (parcel.courier, parcel.verification) = (None, None);
    expected["company"] = "".into();
    expected["parameters"].as_object_mut().unwrap().remove("phone");
    expected["parameters"]["autoCom"] = "1".into();
    assert_eq!(subscribe(&parcel), expected);
}

#[test]
fn a_parcel_is_asked_about_with_the_documented_signature() {
    let parcel = parcel(Carrier::Kuaidi100, "YT1234567890", "yuantong");
    let request = Kuaidi100.ask(&account_of_ours(), &parcel, now()).unwrap();
    assert_eq!(request.uri(), "https://poll.kuaidi100.com/poll/query.do");
    let fields = sent(&request);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    assert_eq!(fields, [("customer", "CUSTOMER1"), ("sign", ASKED_SIGN), ("param", ASKED)]);
}

#[test]
fn nothing_is_asked_without_what_it_takes() {
    let whole = parcel(Carrier::Kuaidi100, "YT1234567890", "yuantong");
    let nobody = Parcel { courier: None, ..whole.clone() };
    let short = parcel(Carrier::Kuaidi100, "YT123", "yuantong");
    let missing = |value: &str| match value {
        "nothing" => account_of_ours(),
        "key" => Credentials { api_keys: Vec::new(), ..account_of_ours() },
        "customer" => Credentials { account: Default::default(), ..account_of_ours() },
        _ => Credentials { webhook_secrets: Vec::new(), ..account_of_ours() },
    };
    for (parcel, without, can_ask, can_subscribe) in [
        (&whole, "nothing", true, true),
        (&nobody, "nothing", false, true),
        (&short, "nothing", false, false),
        (&whole, "key", false, false),
        (&whole, "customer", false, true),
        (&whole, "salt", true, false),
    ] {
        let credentials = missing(without);
        assert_eq!(Kuaidi100.ask(&credentials, parcel, now()).is_ok(), can_ask, "{without}");
        let subscribed = Kuaidi100.subscribe(&credentials, parcel, "https://shop.example");
        assert_eq!(subscribed.is_ok(), can_subscribe, "{without}");
    }
}

#[test]
fn answers_are_told_apart() {
    use AskError::{Failed, Missing, NotKnown, Refused, Throttled};
    fn kind(answer: Result<Reading, AskError>) -> Result<usize, AskError> {
        answer.map(|reading| scans(&reading).len()).map_err(|error| match error {
            Failed(_) => Failed(String::new()),
            Refused(_) => Refused(String::new()),
            Missing(_) => Missing(""),
            other => other,
        })
    }
    let no = |code: &str| json!({ "result": false, "returnCode": code, "message": "…" });
    let yes = json!({
        "message": "ok", "nu": "YT1234567890", "ischeck": "0", "com": "yuantong", "status": "200",
        "state": "1002", "condition": "00",
        "data": [scan("2026-11-21 09:00:00", "1002"), scan("2026-11-20 09:00:00", "103")],
    });
    let mut empty = yes.clone();
    empty["data"] = json!([]);
    for (status, body, expected) in [
        (200, yes.clone(), Ok(2)),
        (200, empty, Err(NotKnown)),
        (200, no("500"), Err(NotKnown)),
        (200, no("400"), Err(Missing(""))),
        (200, no("408"), Err(Missing(""))),
        (200, no("501"), Err(Failed(String::new()))),
        (200, no("502"), Err(Failed(String::new()))),
        (200, no("503"), Err(Refused(String::new()))),
        (200, no("601"), Err(Refused(String::new()))),
        (200, json!("<html>"), Err(Failed(String::new()))),
        (500, yes.clone(), Err(Failed(String::new()))),
        (403, yes.clone(), Err(Refused(String::new()))),
        (429, yes, Err(Throttled)),
    ] {
        let told = kind(Kuaidi100.answered(&answer(status, &body), now()));
        assert_eq!(told, expected, "{status} {body}");
    }
    let taken = json!({ "result": true, "returnCode": "200", "message": "提交成功" });
    for (status, body, expected) in [
        (200, taken.clone(), Ok(0)),
        (200, no("501"), Ok(0)),
        (200, no("500"), Err(Failed(String::new()))),
        (200, no("600"), Err(Refused(String::new()))),
        (200, no("601"), Err(Refused(String::new()))),
        (200, no("700"), Err(Missing(""))),
        (200, no("701"), Err(Missing(""))),
        (200, no("702"), Err(Missing(""))),
        (200, json!({}), Err(Failed(String::new()))),
        (502, taken, Err(Failed(String::new()))),
    ] {
        let told = kind(Kuaidi100.subscribed(&answer(status, &body), now()));
        assert_eq!(told, expected, "{status} {body}");
    }
}
