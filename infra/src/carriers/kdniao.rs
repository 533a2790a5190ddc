//! KDNiao as far as the suite calls it: subscriptions, and questions about one
//! number. Forms, signed with MD5.

use aftercart::model::{
    shipment::Carrier,
    signature::{md5, to_hex},
    time::Timestamp,
};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, StandIn, kuaidi100::china_time};
use crate::{
    providers::{field, json_answer},
    signing::{Callback, Push},
};

/// The API key: their calls and ours are signed with it.
pub const KEY: &str = "a-key-of-kdniao";

const EBUSINESS_ID: &str = "test1237100";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct KdNiao;

impl StandIn for KdNiao {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [KEY],
            "api_keys": [KEY],
            "account": { "api_url": api_url, "ebusiness_id": EBUSINESS_ID },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let field = |name: &str| field(request.body(), name);
        let text = field("RequestData");
        let data: Value = serde_json::from_str(&text).unwrap_or_default();
        let number = data["LogisticCode"].as_str().unwrap_or_default();
        let is_signed = field("DataSign") == signature(KEY, &text);
        if !is_signed || field("EBusinessID") != EBUSINESS_ID {
            return said(false, "非法参数[请核实ID和key是否正确]");
        }
        if data["ShipperCode"].as_str().is_none_or(str::is_empty) || number.is_empty() {
            return said(false, "无效的输入[ShipperCode]");
        }
        match (path, &*field("RequestType")) {
            ("/api/dist", "8008") => {
                memory.follow(Carrier::Kdniao, number);
                said(true, "")
            }
            ("/Ebusiness/EbusinessOrderHandle.aspx", "8001") => {
                let known = memory.ask(Carrier::Kdniao, number, parcel);
                json_answer(200, &known.unwrap_or_else(|| unknown(number)))
            }
            _ => said(false, "业务错误[没有可用套餐]"),
        }
    }

    fn push(&self, push: &Push<'_>) -> Callback {
        signed(KEY, push)
    }
}

/// What KDNiao tells of a parcel, signed with a key.
#[must_use]
pub fn signed(key: &str, push: &Push<'_>) -> Callback {
    let data = json!({
        "EBusinessID": EBUSINESS_ID,
        "PushTime": china_time(push.at),
        "Count": "1",
        "Data": [parcel(push)],
    });
    sign(key, &data.to_string())
}

/// The text of a `RequestData`, signed with a key.
#[must_use]
pub fn sign(key: &str, data: &str) -> Callback {
    let fields = [
        ("RequestType", "102".to_owned()),
        ("DataSign", signature(key, data)),
        ("RequestData", data.to_owned()),
    ];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Callback { path: "/carriers/kdniao/events", headers: Vec::new(), body }
}

fn signature(key: &str, data: &str) -> String {
    BASE64.encode(to_hex(&md5(&[data.as_bytes(), key.as_bytes()])).as_bytes())
}

fn said(success: bool, reason: &str) -> Response<Bytes> {
    let answer = json!({
        "EBusinessID": EBUSINESS_ID,
        "UpdateTime": china_time(Timestamp::EPOCH),
        "Success": success,
        "Reason": reason,
    });
    json_answer(200, &answer)
}

/// A parcel of which nothing was heard.
fn unknown(number: &str) -> Value {
    json!({
        "EBusinessID": EBUSINESS_ID, "ShipperCode": "SF", "LogisticCode": number,
        "Success": true, "Reason": "暂无轨迹信息", "State": "0", "StateEx": "0", "Traces": [],
    })
}

/// All of a parcel, the oldest first.
fn parcel(push: &Push<'_>) -> Value {
    let traces = push.scans.iter().map(|scan| {
        json!({
            "AcceptTime": china_time(scan.at), "AcceptStation": "",
            "Location": scan.place, "Action": scan.status,
        })
    });
    let mut parcel = unknown(push.number);
    parcel["Reason"] = "".into();
    if let Some(last) = push.scans.last() {
        // The first digit of a status is the plain one.
        parcel["State"] = last.status.chars().take(1).collect::<String>().into();
        parcel["StateEx"] = last.status.into();
    }
    parcel["Traces"] = traces.collect::<Vec<_>>().into();
    if let Some(eta) = push.eta {
        parcel["EstimatedDeliveryTime"] = china_time(eta).into();
    }
    parcel
}
