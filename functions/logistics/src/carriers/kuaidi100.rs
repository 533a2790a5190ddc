//! Kuaidi100 (快递100), which watches the carriers of China.
//!
//! **Signatures** (api.kuaidi100.com/document/5f0ffa8f2977d50a94e1023c). A push is
//! a form: `sign` is the MD5, in capital hexadecimal letters, of the text of
//! `param` and the salt that the subscription named. Ours names the first of
//! the webhook secrets; pushes are checked with all of them. There is no time
//! in it, so an old call can be sent again; but a push that is there is not
//! written twice, and an old one takes nothing back.
//!
//! **Body.** `param` is JSON. `lastResult` has all scans of the parcel, and for
//! one abroad `destResult` those of the other country. With `resultv2` 4 or 8
//! each has a `statusCode`, with 1 the name of its status; without either only
//! the latest is known, by the `state` of the parcel, and the others are left
//! out: the documents do not say what they were. `status` tells whether
//! Kuaidi100 goes on watching: `abort` (nothing heard for 3 days, or nothing
//! new for 60) says nothing of the parcel, but it has to be subscribed again.
//! Numbers are kept whatever courier they are found to belong to: `comNew` is
//! the one that is asked about from then on. Times are China's and
//! have no zone.
//!
//! **Asking** (api.kuaidi100.com/document/5f0ffb5ebc8da837cbd8aefc). A form again:
//! `sign` is the MD5 of the text of `param`, the key and the customer, one after
//! the other. A number may be asked about every half hour at most, or it is
//! blocked. SF and ZTO (`shunfeng`, `zhongtong`) want the last four digits of
//! the receiver's or sender's telephone number: the parcel's verification.
//!
//! The secret: `webhook_secrets` are the salts, `api_keys` the key, `account`
//! has `customer`, and `api_url` if it is not the usual one.

use aftercart::{
    model::{
        shipment::{Carrier, Parcel, Tracking, TrackingNumber},
        signature::{SignatureError, hex, md5, to_hex},
        time::{Period, Timestamp},
    },
    run::{Failure, http::Response, secrets::Credentials},
};
use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Adapter, AskError, Gathered, Malformed, Moment, Part, Reading, Scan, Signed, Watch,
    answered_json, api_key,
    china::{Word, ZONE, account, has_no_code, in_form, list, post, verify},
    good, moment, secrets, within,
};

const URL: &str = "https://poll.kuaidi100.com";

/// What each scan is asked with: the exact status and the place.
const DETAILED: &str = "4";

/// How long a number may be there.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=32;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Told {
    status: Word,
    com_new: Word,
    last_result: Option<Found>,
    dest_result: Option<Found>,
}

/// What is known of a parcel, pushed or asked for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    nu: Word,
    state: Word,
    #[serde(deserialize_with = "list")]
    data: Vec<Part<Datum>>,
    #[serde(rename = "arrivalTime")]
    arrival_time: Word,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Datum {
    time: Word,
    /// The same in one form.
    ftime: Word,
    /// The name of the status.
    status: Word,
    #[serde(rename = "statusCode")]
    status_code: Word,
    #[serde(rename = "areaName")]
    area_name: Word,
    location: Word,
}

/// The answer to a call that did nothing, or to a subscription.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    #[serde(rename = "returnCode")]
    return_code: Word,
}

/// The adapter.
#[derive(Debug, Clone, Copy)]
pub struct Kuaidi100;

impl Adapter for Kuaidi100 {
    fn verify(&self, call: &Signed<'_>) -> Result<(), SignatureError> {
        verify(call, "param", "sign", |sign| hex(std::str::from_utf8(sign).ok()?))
    }

    fn read(&self, body: &[u8], now: Timestamp) -> Result<Reading, Malformed> {
        let told: Told = in_form(body, "param")?;
        let found: Vec<Found> =
            [told.last_result, told.dest_result].into_iter().flatten().collect();
        let watch = number_of(&found).and_then(|number| {
            let has_ended = told.status.as_str() == "abort";
            let courier = within(told.com_new.as_str());
            let tracking = Tracking { carrier: Carrier::Kuaidi100, number };
            let is_news = has_ended || courier.is_some();
            is_news.then_some(Watch { tracking, has_ended, courier })
        });
        Ok(Reading { watch, ..reading(&found, now) })
    }

    fn acknowledge(&self, _call: &Signed<'_>) -> Result<Response, Failure> {
        Response::json(200, &json!({ "result": true, "returnCode": "200", "message": "成功" }))
    }

    fn subscribe(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        callback: &str,
    ) -> Result<Option<Request<Bytes>>, AskError> {
        let salt = secrets(credentials).into_iter().find(|salt| !salt.is_empty());
        let salt = salt.ok_or(AskError::Unsupported("its secret has no salt"))?;
        let mut parameters = json!({
            "callbackurl": callback, "salt": salt, "resultv2": DETAILED,
        });
        let courier = parcel.courier.as_ref().map_or("", |courier| courier.as_str());
        if courier.is_empty() {
            parameters["autoCom"] = "1".into();
        }
        with_phone(&mut parameters, parcel);
        let param = json!({
            "company": courier,
            "number": number(parcel)?,
            "key": api_key(credentials)?,
            "parameters": parameters,
        });
        let fields = [("schema", "json"), ("param", &param.to_string())];
        post(credentials, URL, "/poll", &fields).map(Some)
    }

    /// A number that is watched already is fine (501).
    fn subscribed(
        &self,
        answer: &http::Response<Bytes>,
        _now: Timestamp,
    ) -> Result<Reading, AskError> {
        let said: Said = answered_json(good(answer)?)?;
        match said.return_code.as_str() {
            "200" | "501" => Ok(Reading::ignored("Kuaidi100 watches the parcel")),
            "600" | "601" => Err(AskError::Refused(said.code())),
            "700" | "701" | "702" => {
                Err(AskError::Missing("Kuaidi100 does not take its courier, number or our address"))
            }
            _ => Err(AskError::Failed(said.code())),
        }
    }

    fn ask(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        _now: Timestamp,
    ) -> Result<Request<Bytes>, AskError> {
        let courier = parcel.courier.as_ref().ok_or(AskError::Missing("its courier"))?;
        let mut param = json!({
            "com": courier.as_str(), "num": number(parcel)?, "resultv2": DETAILED,
        });
        with_phone(&mut param, parcel);
        let customer = account(credentials, "customer");
        let customer = customer.ok_or(AskError::Unsupported("its secret has no `customer`"))?;
        let (param, key) = (param.to_string(), api_key(credentials)?);
        let signed = md5(&[param.as_bytes(), key.as_bytes(), customer.as_bytes()]);
        let sign = to_hex(&signed).to_ascii_uppercase();
        let fields = [("customer", customer), ("sign", &sign), ("param", &param)];
        post(credentials, URL, "/poll/query.do", &fields)
    }

    /// Half an hour, as its documents say.
    fn ask_again_after(&self) -> Period {
        Period::of_seconds(1_800)
    }

    fn answered(
        &self,
        answer: &http::Response<Bytes>,
        now: Timestamp,
    ) -> Result<Reading, AskError> {
        let said: Said = answered_json(good(answer)?)?;
        match said.return_code.as_str() {
            "" => {}
            "400" => return Err(AskError::Missing("Kuaidi100 does not know its courier")),
            "408" => return Err(AskError::Missing("the digits that its courier wants")),
            "500" => return Err(AskError::NotKnown),
            "503" | "601" => return Err(AskError::Refused(said.code())),
            _ => return Err(AskError::Failed(said.code())),
        }
        let found: Found = answered_json(good(answer)?)?;
        if found.data.is_empty() {
            return Err(AskError::NotKnown);
        }
        Ok(reading(&[found], now))
    }
}

impl Said {
    /// Why it did nothing, by its number; the message only says the same.
    fn code(&self) -> String {
        format!("its return code is {}", self.return_code.or("missing"))
    }
}

fn number(parcel: &Parcel) -> Result<&str, AskError> {
    let number = parcel.tracking.number.as_str();
    let fits = LENGTHS.contains(&number.len());
    fits.then_some(number).ok_or(AskError::Missing("a number of 6 to 32 characters"))
}

fn with_phone(parameters: &mut Value, parcel: &Parcel) {
    if let Some(phone) = &parcel.verification {
        parameters["phone"] = phone.as_str().into();
    }
}

fn number_of(found: &[Found]) -> Option<TrackingNumber> {
    found.iter().find_map(|it| TrackingNumber::parse(it.nu.as_str()).ok())
}

fn reading(found: &[Found], now: Timestamp) -> Reading {
    let Some(number) = number_of(found) else {
        return Reading::ignored("it is about no number that a label here can have");
    };
    // A push does not say when it was made: at its latest scan at the earliest,
    // and so that the same push is the same whenever it comes.
    let told_at = found.iter().filter_map(Found::latest).max();
    let mut gathered = Gathered::new(Carrier::Kuaidi100, told_at, now);
    for result in found {
        let latest = result.latest();
        for Part(datum) in &result.data {
            let Some(datum) = datum else {
                gathered.odd();
                continue;
            };
            let moment = datum.moment();
            let is_latest = moment.is_some_and(|it| Some(it.at) == latest);
            let state = if is_latest { result.state.as_str() } else { "" };
            let code = datum.status_code.or(datum.status.or(state));
            if has_no_code(moment, latest, code) {
                continue;
            }
            gathered.add(Scan {
                moment,
                code: (code, None),
                name: None,
                place: within(datum.area_name.or(datum.location.as_str())),
            });
        }
    }
    let eta = found.iter().find_map(|it| moment(it.arrival_time.as_str(), ZONE));
    let eta = eta.map(|it| it.at);
    gathered.reading(&Tracking { carrier: Carrier::Kuaidi100, number }, eta)
}

impl Found {
    /// When its latest scan was.
    fn latest(&self) -> Option<Timestamp> {
        let scans = self.data.iter().filter_map(|datum| datum.0.as_ref());
        scans.filter_map(Datum::moment).map(|it| it.at).max()
    }
}

impl Datum {
    fn moment(&self) -> Option<Moment> {
        moment(self.ftime.or(self.time.as_str()), ZONE)
    }
}

#[cfg(test)]
mod tests;
