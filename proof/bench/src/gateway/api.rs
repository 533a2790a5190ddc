//! The HTTP API: calls in, events out.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use aftercart::run::{Access, Function, Route, Trigger, http::OPERATOR_SCOPE};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{
    http::{self as wire, Call, Reply},
    runtime_api::{Outcome, RuntimeApi},
};

/// The header that names a member, in place of a token of theirs. The member
/// `operator` is the merchant's system.
pub const MEMBER: &str = "x-bench-member";

/// The routes of the functions that run.
pub(super) struct Api(Vec<(Route, Vec<&'static str>, RuntimeApi)>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'a str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    headers: BTreeMap<&'a str, &'a str>,
    request_context: Context<'a>,
    path_parameters: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    body: &'a str,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'a str,
    api_id: &'a str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'a str,
    time_epoch: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<Authorizer<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'a str,
    source_ip: &'a str,
}

#[derive(Serialize)]
struct Authorizer<'a> {
    jwt: Jwt<'a>,
}

#[derive(Serialize)]
struct Jwt<'a> {
    claims: BTreeMap<&'a str, &'a str>,
    scopes: Option<()>,
}

/// What a function answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    status_code: u16,
    #[serde(borrow, default)]
    headers: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow, default)]
    body: Option<Cow<'a, str>>,
}

impl Api {
    pub(super) fn new(
        functions: &[Function],
        runtimes: &BTreeMap<&'static str, RuntimeApi>,
    ) -> Self {
        let mut routes = Vec::new();
        for function in functions {
            let Trigger::Http(of_function) = function.trigger else { continue };
            let Some(runtime) = runtimes.get(function.name) else { continue };
            for route in of_function {
                routes.push((*route, route.path.split('/').collect(), runtime.clone()));
            }
        }
        // Routes without parameters first, as API Gateway prefers them.
        routes.sort_by_key(|(route, _, _)| route.path.matches('{').count());
        Self(routes)
    }

    pub(super) async fn answer(self: Arc<Self>, call: Call) -> Reply {
        let path: Vec<&str> = call.uri.path().split('/').collect();
        let fitting = self.0.iter().find_map(|(route, parts, runtime)| {
            let parameters = parameters(parts, &path)?;
            (route.method == call.method.as_str()).then_some((route, parameters, runtime))
        });
        let Some((route, parameters, runtime)) = fitting else {
            return wire::json(404, r#"{"message":"Not Found"}"#);
        };
        let member = call.header(MEMBER);
        if route.access != Access::Open && member.is_empty() {
            return wire::json(401, r#"{"message":"Unauthorized"}"#);
        }
        let Some(event) = event(&call, route, parameters, member) else {
            return wire::json(400, r#"{"message":"Bad Request"}"#);
        };
        match runtime.invoke(event).await {
            Ok(Outcome::Answer(answer)) => reply(&answer),
            Ok(Outcome::Failed(_)) => wire::json(502, r#"{"message":"Internal Server Error"}"#),
            Err(_) => wire::json(503, r#"{"message":"Service Unavailable"}"#),
        }
    }
}

fn parameters<'a>(route: &[&'a str], path: &[&'a str]) -> Option<BTreeMap<&'a str, &'a str>> {
    if route.len() != path.len() {
        return None;
    }
    let mut found = BTreeMap::new();
    for (part, value) in route.iter().zip(path) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if !value.is_empty() => {
                found.insert(name, *value);
            }
            None if part == value => {}
            _ => return None,
        }
    }
    Some(found)
}

fn event(
    call: &Call,
    route: &Route,
    path_parameters: BTreeMap<&str, &str>,
    member: &str,
) -> Option<Vec<u8>> {
    let (path, query) = (call.uri.path(), call.uri.query().unwrap_or_default());
    let headers = call.headers.iter();
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let key = format!("{} {}", route.method, route.path);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let claims = if member == "operator" {
        BTreeMap::from([("sub", member), ("scope", OPERATOR_SCOPE)])
    } else {
        BTreeMap::from([("sub", member), ("scope", "openid")])
    };
    let known = !member.is_empty() && route.access != Access::Open;
    let event = Event {
        version: "2.0",
        route_key: &key,
        raw_path: path,
        raw_query_string: query,
        headers: headers.collect(),
        request_context: Context {
            account_id: "000000000000",
            api_id: "bench",
            domain_name: "bench.execute-api.eu-west-1.amazonaws.com",
            domain_prefix: "bench",
            http: Http {
                method: route.method,
                path,
                protocol: "HTTP/1.1",
                source_ip: "203.0.113.7",
            },
            request_id: "bench",
            route_key: &key,
            stage: "$default",
            time_epoch: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            authorizer: known.then_some(Authorizer { jwt: Jwt { claims, scopes: None } }),
        },
        path_parameters,
        body: std::str::from_utf8(&call.body).ok()?,
        is_base64_encoded: false,
    };
    serde_json::to_vec(&event).ok()
}

fn reply(answer: &[u8]) -> Reply {
    let Ok(answer) = serde_json::from_slice::<Answer<'_>>(answer) else {
        return wire::json(502, r#"{"message":"Internal Server Error"}"#);
    };
    let body = answer.body.unwrap_or_default().into_owned();
    let mut reply = wire::json(answer.status_code, body);
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_its_route_only() {
        let split = |path: &'static str| path.split('/').collect::<Vec<_>>();
        let found = parameters(&split("/orders/{id}/payments"), &split("/orders/o1/payments"));
        assert_eq!(found, Some(BTreeMap::from([("id", "o1")])));
        assert_eq!(parameters(&split("/orders/{id}"), &split("/orders/")), None);
        assert_eq!(parameters(&split("/orders/{id}"), &split("/carts/o1")), None);
    }

    #[test]
    fn what_a_function_answers_becomes_an_answer() {
        let text = br#"{"statusCode":201,"headers":{"location":"/x"},"multiValueHeaders":{},"body":"{\"a\":1}","isBase64Encoded":false,"cookies":[]}"#;
        let reply = reply(text);
        assert_eq!(
            (reply.status().as_u16(), &reply.headers()["location"]),
            (201, &"/x".parse().unwrap())
        );
    }
}
