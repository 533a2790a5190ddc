//! Kuaidi100 as far as the suite calls it: subscriptions, and questions about one
//! number. Forms, signed with MD5.

use aftercart::model::{
    shipment::Carrier,
    signature::{md5, to_hex},
    time::{Period, Timestamp},
};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, StandIn};
use crate::{
    providers::{field, json_answer},
    signing::{Callback, Push},
};

/// The salt that subscriptions name, which pushes are signed with.
pub const SALT: &str = "a-salt-of-kuaidi100-32-characters";

const KEY: &str = "kuaidi100-key";
const CUSTOMER: &str = "A-CUSTOMER-OF-KUAIDI100";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Kuaidi100;

impl StandIn for Kuaidi100 {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [SALT],
            "api_keys": [KEY],
            "account": { "api_url": api_url, "customer": CUSTOMER },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        let text = field(request.body(), "param");
        let param: Value = serde_json::from_str(&text).unwrap_or_default();
        match path {
            "/poll" => subscribe(memory, &param),
            "/poll/query.do" => {
                let sign = capital_md5(&[&text, KEY, CUSTOMER]);
                let is_signed = field(request.body(), "sign") == sign;
                match is_signed && field(request.body(), "customer") == CUSTOMER {
                    true => query(memory, &param),
                    false => said("503", "验证签名失败"),
                }
            }
            _ => json_answer(404, &json!({})),
        }
    }

    fn push(&self, push: &Push<'_>) -> Callback {
        signed(SALT, push)
    }
}

/// What Kuaidi100 tells of a parcel, signed with a salt.
#[must_use]
pub fn signed(salt: &str, push: &Push<'_>) -> Callback {
    let param = json!({
        "status": "polling",
        "billstatus": "got",
        "message": "",
        "lastResult": result(push),
    });
    sign(salt, &param.to_string())
}

/// The text of a `param`, signed with a salt.
#[must_use]
pub fn sign(salt: &str, param: &str) -> Callback {
    let fields = [("sign", capital_md5(&[param, salt])), ("param", param.to_owned())];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Callback { path: "/carriers/kuaidi100/events", headers: Vec::new(), body }
}

fn subscribe(memory: &mut Memory, param: &Value) -> Response<Bytes> {
    let has = |name: &str| param[name].as_str().is_some_and(|text| !text.is_empty());
    let (number, parameters) = (param["number"].as_str().unwrap_or_default(), &param["parameters"]);
    let is_named = has("company") || parameters["autoCom"] == "1";
    let is_ours = parameters["salt"] == SALT && parameters["resultv2"] == "4";
    if param["key"] != KEY {
        said("600", "您不是合法的订阅者")
    } else if !is_named || !is_ours || !has("number") || !parameters["callbackurl"].is_string() {
        said("700", "订阅方的订阅数据存在错误")
    } else if memory.follow(Carrier::Kuaidi100, number) {
        said("200", "提交成功")
    } else {
        said("501", "POLL:重复订阅")
    }
}

fn query(memory: &mut Memory, param: &Value) -> Response<Bytes> {
    if param["com"].as_str().is_none_or(str::is_empty) {
        return said("400", "找不到对应公司");
    }
    let number = param["num"].as_str().unwrap_or_default();
    match memory.ask(Carrier::Kuaidi100, number, result) {
        Some(result) => json_answer(200, &result),
        None => said("500", "查询无结果，请隔段时间再查"),
    }
}

fn said(code: &str, message: &str) -> Response<Bytes> {
    json_answer(200, &json!({ "result": code == "200", "returnCode": code, "message": message }))
}

/// All of a parcel, the newest first.
fn result(push: &Push<'_>) -> Value {
    let data = push.scans.iter().rev().map(|scan| {
        let time = china_time(scan.at);
        json!({
            "time": time, "ftime": time, "context": "", "status": "", "statusCode": scan.status,
            "areaName": scan.place, "areaCode": null, "location": "",
        })
    });
    let mut result = json!({
        "message": "ok",
        "nu": push.number,
        "ischeck": "0",
        "com": "shunfeng",
        "status": "200",
        "state": push.scans.last().map_or("0", |scan| scan.status),
        "condition": "00",
        "data": data.collect::<Vec<_>>(),
    });
    if let Some(eta) = push.eta {
        result["arrivalTime"] = china_time(eta).into();
    }
    result
}

fn capital_md5(parts: &[&str]) -> String {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    to_hex(&md5(&parts)).to_ascii_uppercase()
}

/// A moment as a clock in China shows it, such as `2026-11-22 04:05:06`.
pub(super) fn china_time(at: Timestamp) -> String {
    let there = at.plus(Period::of_seconds(8 * 3_600)).to_string();
    there.replacen('T', " ", 1).chars().take(19).collect()
}
