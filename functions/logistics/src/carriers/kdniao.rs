//! KDNiao (快递鸟), which watches the carriers of China.
//!
//! **Signatures** (www.kdniao.com/api-track). Calls are forms, theirs and ours:
//! `DataSign` is the base 64 of the MD5, in small hexadecimal letters, of the
//! text of `RequestData` and the account's API key. There is no time in it, so
//! an old call can be sent again; but a push that is there is not written
//! twice, and an old one takes nothing back.
//!
//! **Body.** `RequestType` 101 or 102 is about parcels (107 is about money, and
//! ignored). `RequestData` is JSON with several parcels in `Data`, each with all
//! its scans in `Traces`. A scan has its status in `Action`, in the products
//! that have it; else only the latest is known, by `StateEx` or `State` of the
//! parcel, and the others are left out: the documents do not say what they
//! were. Times are China's and have no zone.
//!
//! **Asking.** `ShipperCode` is the courier, and `CustomerName` the last four
//! digits of the receiver's or sender's telephone number, where the courier
//! wants them (SF): the parcel's verification. Pushes go to the address that
//! the account names in KDNiao's console, and not to one of the subscription.
//!
//! The secret: `webhook_secrets` and `api_keys` are the API key, `account` has
//! `ebusiness_id` and, if they are not the usual ones, `api_url`, and the
//! products by their `RequestType`: `query_type` (8001; 1002 and 8002 are others)
//! and `subscription_type` (8008; 1008 is the other).

use std::collections::BTreeSet;

use aftercart::{
    model::{
        form,
        shipment::{Carrier, Parcel, Tracking, TrackingNumber},
        signature::{SignatureError, hex, md5, to_hex},
        time::Timestamp,
    },
    run::{Failure, http::Response, secrets::Credentials},
};
use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use serde::Deserialize;
use serde_json::json;

use super::{
    Adapter, AskError, Gathered, Malformed, Moment, Part, Reading, Scan, Signed, answered_json,
    api_key,
    china::{Word, ZONE, account, has_no_code, in_form, list, post, shown, verify},
    good, moment, within,
};

const URL: &str = "https://api.kdniao.com";

/// Pushes about parcels.
const TRACES: [&[u8]; 2] = [b"101", b"102"];

/// Their JSON.
const JSON: &str = "2";

/// How much of a reason is kept for the log; they are short sentences.
const SHORT: usize = 80;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Told {
    push_time: Word,
    #[serde(deserialize_with = "list")]
    data: Vec<Part<Found>>,
}

/// What is known of a parcel, pushed or asked for.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Found {
    logistic_code: Word,
    success: Word,
    reason: Word,
    state: Word,
    state_ex: Word,
    #[serde(deserialize_with = "list")]
    traces: Vec<Part<Trace>>,
    estimated_delivery_time: Word,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Trace {
    accept_time: Word,
    action: Word,
    location: Word,
}

/// The adapter.
#[derive(Debug, Clone, Copy)]
pub struct KdNiao;

impl Adapter for KdNiao {
    fn verify(&self, call: &Signed<'_>) -> Result<(), SignatureError> {
        verify(call, "RequestData", "DataSign", |sign| {
            let digits = String::from_utf8(BASE64.decode(sign).ok()?).ok()?;
            hex(&digits)
        })
    }

    fn read(&self, body: &[u8], now: Timestamp) -> Result<Reading, Malformed> {
        let fields = form::fields(body).unwrap_or_default();
        let kind = fields.get(&b"RequestType"[..]);
        if kind.is_some_and(|kind| !TRACES.contains(&kind.as_slice())) {
            return Ok(Reading::ignored("the push is not about parcels"));
        }
        let told: Told = in_form(body, "RequestData")?;
        let told_at = moment(told.push_time.as_str(), ZONE).map(|it| it.at);
        let (mut all, mut unknown) = (Reading::default(), BTreeSet::new());
        for Part(found) in &told.data {
            let odd = Reading { unreadable: 1, ..Reading::default() };
            let reading = found.as_ref().map_or(odd, |found| reading(found, told_at, now));
            all.told.extend(reading.told);
            all.unreadable = all.unreadable.saturating_add(reading.unreadable);
            unknown.extend(reading.unknown_codes);
        }
        all.unknown_codes = unknown.into_iter().collect();
        all.ignored = all.told.is_empty().then_some("it tells of no parcel's way");
        Ok(all)
    }

    fn acknowledge(&self, call: &Signed<'_>) -> Result<Response, Failure> {
        let taken = json!({
            "EBusinessID": account(call.credentials, "ebusiness_id").unwrap_or_default(),
            "UpdateTime": shown(call.now),
            "Success": true,
            "Reason": "",
        });
        Response::json(200, &taken)
    }

    fn subscribe(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        _callback: &str,
    ) -> Result<Option<Request<Bytes>>, AskError> {
        call(credentials, parcel, "/api/dist", ("subscription_type", "8008")).map(Some)
    }

    fn subscribed(
        &self,
        answer: &http::Response<Bytes>,
        _now: Timestamp,
    ) -> Result<Reading, AskError> {
        Found::of(answer).map(|_| Reading::ignored("KDNiao watches the parcel"))
    }

    fn ask(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        _now: Timestamp,
    ) -> Result<Request<Bytes>, AskError> {
        let path = "/Ebusiness/EbusinessOrderHandle.aspx";
        call(credentials, parcel, path, ("query_type", "8001"))
    }

    fn answered(
        &self,
        answer: &http::Response<Bytes>,
        now: Timestamp,
    ) -> Result<Reading, AskError> {
        let found = Found::of(answer)?;
        if found.traces.is_empty() {
            return Err(AskError::NotKnown);
        }
        Ok(reading(&found, None, now))
    }
}

impl Found {
    /// The answer to a call, or why it did nothing. The reasons are sentences
    /// without numbers; two of them are about the account, whatever the parcel.
    fn of(answer: &http::Response<Bytes>) -> Result<Self, AskError> {
        let found: Self = answered_json(good(answer)?)?;
        if found.success.as_str() == "true" {
            return Ok(found);
        }
        let reason = found.reason.as_str();
        if reason.contains("非法参数") || reason.contains("没有可用套餐") {
            return Err(AskError::Refused(short(reason)));
        }
        if reason.contains("无轨迹") {
            return Err(AskError::NotKnown);
        }
        if is_of_the_parcel(reason) {
            return Err(AskError::Missing("KDNiao does not take its number, courier or digits"));
        }
        Err(AskError::Failed(short(reason)))
    }
}

/// Whether a reason is about the parcel: its number, courier or digits are
/// not right. The others are KDNiao's own trouble.
fn is_of_the_parcel(reason: &str) -> bool {
    let words = ["单号", "编码", "尾号", "手机", "电话", "CustomerName"];
    words.iter().any(|word| reason.contains(word))
}

/// The beginning of a reason, without digits: they may be somebody's telephone number.
fn short(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_numeric() && !c.is_control()).take(SHORT).collect()
}

/// The call of a product about a parcel.
fn call(
    credentials: &Credentials,
    parcel: &Parcel,
    path: &str,
    (product, usual): (&str, &str),
) -> Result<Request<Bytes>, AskError> {
    let courier = parcel.courier.as_ref().ok_or(AskError::Missing("its courier"))?;
    let mut data = json!({
        "ShipperCode": courier.as_str(),
        "LogisticCode": parcel.tracking.number.as_str(),
    });
    if let Some(digits) = &parcel.verification {
        data["CustomerName"] = digits.as_str().into();
    }
    let data = data.to_string();
    let id = account(credentials, "ebusiness_id");
    let id = id.ok_or(AskError::Unsupported("its secret has no `ebusiness_id`"))?;
    let sign = to_hex(&md5(&[data.as_bytes(), api_key(credentials)?.as_bytes()]));
    let fields = [
        ("RequestData", data.as_str()),
        ("EBusinessID", id),
        ("RequestType", credentials.account.get(product).map_or(usual, String::as_str)),
        ("DataSign", &BASE64.encode(sign.as_bytes())),
        ("DataType", JSON),
    ];
    post(credentials, URL, path, &fields)
}

fn reading(found: &Found, told_at: Option<Timestamp>, now: Timestamp) -> Reading {
    let Ok(number) = TrackingNumber::parse(found.logistic_code.as_str()) else {
        return Reading::ignored("no label here can have this number");
    };
    // Of two pushes of the same scans the times differ: what they tell is as
    // old as the latest scan, so that it is the same.
    let traces = found.traces.iter().filter_map(|trace| trace.0.as_ref());
    let latest = traces.filter_map(Trace::moment).map(|it| it.at).max();
    let told_at = [latest, told_at].into_iter().flatten().min();
    let mut gathered = Gathered::new(Carrier::Kdniao, told_at, now);
    for Part(trace) in &found.traces {
        let Some(trace) = trace else {
            gathered.odd();
            continue;
        };
        let moment = trace.moment();
        let is_latest = moment.is_some_and(|it| Some(it.at) == latest);
        let state = if is_latest { found.state_ex.or(found.state.as_str()) } else { "" };
        let code = trace.action.or(state);
        if has_no_code(moment, latest, code) {
            continue;
        }
        gathered.add(Scan {
            moment,
            code: (code, None),
            name: None,
            place: within(trace.location.as_str()),
        });
    }
    let eta = moment(found.estimated_delivery_time.as_str(), ZONE).map(|it| it.at);
    gathered.reading(&Tracking { carrier: Carrier::Kdniao, number }, eta)
}

impl Trace {
    fn moment(&self) -> Option<Moment> {
        moment(self.accept_time.as_str(), ZONE)
    }
}

#[cfg(test)]
mod tests;
